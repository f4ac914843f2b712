//! The local cloud: a whole service on one machine, with nothing installed but Rust.
//!
//! - [`main`]: the command line. `workspace`: where the tree is that it works on.
//! - [`serve`]: runs a service from start to Ctrl-C. [`local_cloud`]: its database, its local SES, and their
//!   credentials.
//! - [`front`]: HTTP. [`backend`]: runs procedures in this process, or as real functions.
//! - `admission`: the origins and hosts that each server of this machine accepts.
//! - [`database`]: the embedded DynamoDB and the guard that stands for IAM.
//! - [`mail`]: the mailbox, and the server that stands for Amazon SES.
//! - `dev`: builds and runs a service anew after each change of its sources.
//! - [`call`]: one call from the shell. `seed`: demonstration data.
//! - [`diff`]: the changes of the contract since an older one, such as the released one.
//! - [`aws_commands`]: the commands that reach AWS, which `infra/` carries out.
//! - [`permissions`]: the table of permissions.
//! - [`data`]: the folder for all local state.

mod admission;
pub mod aws_commands;
pub mod backend;
pub mod build;
pub mod call;
mod claims;
pub mod command;
pub mod data;
pub mod database;
mod dev;
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
mod welcome;
mod workspace;

pub use command::{App, main};
