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

#[cfg(test)]
mod tests {
    use onefold::identity;

    use super::*;

    #[test]
    fn names_are_those_on_the_wire() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
        }
    }

    #[test]
    fn viewers_only_read_and_employees_change_only_what_is_theirs() {
        assert!(Role::Viewer.permissions().iter().all(|permission| permission.ends_with(":read")));
        let is_own = |permission: &&str| permission.ends_with(":read") || permission.ends_with(":own");
        assert!(Role::Employee.permissions().iter().all(is_own));
        assert!(Role::Employee.permits("users:write:own") && !Role::Employee.permits("users:write"));
        for permission in identity::PERMISSIONS {
            assert!([Role::Employee, Role::Viewer].iter().all(|role| !role.permits(permission)), "{permission}");
        }
    }

    #[test]
    fn who_registers_may_do_nothing_that_takes_a_permission() {
        assert_eq!(Role::NEW_USER.permissions(), [""; 0]);
    }

    #[test]
    fn administrators_may_do_everything_there_is() {
        assert!(identity::PERMISSIONS.iter().all(|permission| Role::Administrator.permits(permission)));
        assert!(Role::Administrator.permits("users:write"));
        assert!(!Role::Administrator.permits("users:fly"), "a typing mistake permits nothing");
        for permission in Role::ALL.iter().flat_map(|role| role.permissions()) {
            let whole = permission.strip_suffix(":own").unwrap_or(permission);
            assert!(Role::Administrator.permits(whole), "{permission}");
        }
    }
}
