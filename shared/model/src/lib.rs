//! The nouns of the reference service: what is kept, and who may do what.

mod email;
mod post;
mod role;
mod user;

pub use email::EmailAddress;
pub use post::{Post, PostId};
pub use role::Role;
pub use user::{User, UserId};
