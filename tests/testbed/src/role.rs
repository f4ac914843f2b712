//! Roles and their permissions, which this module alone states.
//!
//! A permission is a noun and a verb, and behind it are the roles that have it. With `:own` behind it, it is limited to
//! the caller's own items. Administrators have every permission, without that limit.

use onefold::{
    identity::{IdentityRole, RIGHTS},
    wire,
};

/// A user's role in the company.
#[wire]
#[derive(IdentityRole)]
#[role(founder = Administrator, new_user = Guest)]
#[permissions("audit:read", "clients:read", "clients:write", "rights:write")]
#[permissions("posts:read" = [Employee, Viewer], "posts:write:own" = [Employee])]
#[permissions("users:read" = [Employee, Viewer], "users:write:own" = [Employee])]
pub enum Role {
    /// May do everything.
    Administrator,
    /// Works with what the company has; may not change other users.
    Employee,
    /// Reads only.
    Viewer,
    /// Has an account, and may do nothing until an administrator gives another role.
    Guest,
}

/// The permissions that no third party's application gets: with one of them it could give itself all others.
pub const WITHHELD: &[&str] = &[RIGHTS];
