//! The nouns of the reference service: what is kept, and who may do what.

// What the rules of `#[garde(…)]` are made of.
extern crate onefold as garde;

mod post;
mod role;
mod user;

pub use post::{Post, PostId};
pub use role::{PERMISSIONS, Role, WITHHELD};
pub use user::{Me, User};
