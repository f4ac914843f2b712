//! The entities and roles of the reference service.

// The rules of `#[garde(…)]` expand to this name.
extern crate onefold as garde;

mod post;
mod role;
mod user;

pub use post::{Post, PostId};
pub use role::{PERMISSIONS, Role, WITHHELD};
pub use user::{Me, User};
