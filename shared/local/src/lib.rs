//! The local cloud: a whole service on one machine, with nothing installed but Rust.
//!
//! - [`main`]: the command line. `workspace`: where the tree is that it works on.
//! - [`serve`]: a service from start to Ctrl-C. [`ground`]: its database and post office, and who is let in to them.
//! - [`front`]: HTTP. [`backend`]: procedures in this process, or as real functions.
//! - `admission`: which pages and names each server of this machine answers.
//! - [`database`]: the embedded DynamoDB and the guard that stands for IAM.
//! - [`mail`]: the mailbox, and the post office that stands for SES.
//! - [`isolated`]: the Lambda Runtime API for the real binaries. [`build`]: how they are built.
//! - [`call`]: one call from the shell. `seed`: demonstration data.
//! - [`diff`]: what the contract says otherwise than an older one, such as the released one.
//! - [`cloud`]: the commands that reach AWS, which `infra/` carries out.
//! - [`permissions`]: who may call what.
//! - [`data`]: the folder in which everything is kept.

mod admission;
pub mod aws_commands;
pub mod backend;
pub mod build;
pub mod call;
mod claims;
pub mod command;
pub mod data;
pub mod database;
pub mod diff;
pub mod front;
mod graphiql;
pub mod isolated;
pub mod local_cloud;
mod loopback;
pub mod mail;
pub mod permissions;
mod seed;
pub mod serve;
pub mod testing;
mod workspace;

pub use command::{App, main};
pub use seed::{Seed, Seeded};
