//! The entities and roles of the reference service.

// The rules of `#[garde(…)]` expand to this name.
extern crate onefold as garde;

pub mod post;
mod role;
mod user;

pub use role::{Role, WITHHELD};
pub use user::{Me, User};
