//! Roles and their permissions, which this module alone states.
//!
//! A permission is a noun and a verb. With `:own` behind it, it is limited to the caller's own items. Nobody may do
//! what no role lists. Administrators have every permission.

use std::str::FromStr;

use onefold::{
    identity::{self, RIGHTS},
    wire,
};

/// What somebody is in the company.
#[wire]
pub enum Role {
    /// May do everything.
    Administrator,
    /// Works with posts and customers; may not change other users.
    Employee,
    /// Reads only.
    Viewer,
    /// Has an account, and may do nothing until somebody gives another role.
    Guest,
}

/// All permissions that procedures require.
pub const PERMISSIONS: &[&str] =
    &["audit:read", "clients:read", "clients:write", "posts:read", "posts:write", RIGHTS, "users:read", "users:write"];
/// The permissions that no third party's application gets: with one of them it could give itself all others.
pub const WITHHELD: &[&str] = &[RIGHTS];
/// The permissions of employees: to read everything they work with, and to change their own.
const EMPLOYEE: &[&str] = &["users:read", "users:write:own", "posts:read", "posts:write:own"];
/// The permissions of viewers, who change nothing.
const VIEWER: &[&str] = &["users:read", "posts:read"];

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::Administrator, Self::Employee, Self::Viewer, Self::Guest];

    /// The names of all roles.
    pub const NAMES: &[&str] = &{
        let mut names = [""; Self::ALL.len()];
        let mut place = 0;
        while place < names.len() {
            names[place] = Self::ALL[place].name();
            place += 1;
        }
        names
    };

    /// The name in tokens and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Employee => "employee",
            Self::Viewer => "viewer",
            Self::Guest => "guest",
        }
    }

    /// The permissions of this role.
    pub const fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Administrator => PERMISSIONS,
            Self::Employee => EMPLOYEE,
            Self::Viewer => VIEWER,
            Self::Guest => &[],
        }
    }

    /// Whether this role has a permission.
    pub fn permits(self, permission: &str) -> bool {
        self.permissions().contains(&permission)
    }
}

impl identity::IdentityRole for Role {
    const ALL: &'static [Self] = &Self::ALL;
    const FOUNDER: Self = Self::Administrator;
    /// A stranger reads nothing until an administrator gives a role.
    const NEW_USER: Self = Self::Guest;

    fn name(self) -> &'static str {
        self.name()
    }
    fn permissions(self) -> &'static [&'static str] {
        self.permissions()
    }
}

/// The error for a text that is no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRole;

impl std::fmt::Display for UnknownRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
        write!(f, "not a role; the roles are {}", names.join(", "))
    }
}
impl std::error::Error for UnknownRole {}

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == name).ok_or(UnknownRole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_on_the_wire() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
            assert_eq!(role.name().parse(), Ok(role));
        }
    }

    #[test]
    fn viewers_only_read() {
        assert!(VIEWER.iter().all(|permission| permission.ends_with(":read")));
        assert!(Role::Viewer.permits("posts:read") && !Role::Viewer.permits("posts:write:own"));
    }

    #[test]
    fn who_registers_may_do_nothing_that_takes_a_permission() {
        assert_eq!(<Role as identity::IdentityRole>::NEW_USER.permissions(), [""; 0]);
    }

    #[test]
    fn employees_change_what_is_theirs_and_administrators_everything_there_is() {
        assert!(Role::Employee.permits("posts:write:own") && !Role::Employee.permits("posts:write"));
        assert!(!Role::Employee.permits("audit:read"));
        assert!(Role::Administrator.permits("users:write"));
        assert!(!Role::Administrator.permits("users:fly"), "a typing mistake permits nothing");
    }

    #[test]
    fn every_permission_of_a_role_is_a_known_one() {
        for permission in Role::ALL.into_iter().flat_map(Role::permissions) {
            let whole = permission.strip_suffix(":own").unwrap_or(permission);
            assert!(PERMISSIONS.contains(&whole), "{permission}");
        }
        assert!(identity::PERMISSIONS.iter().all(|permission| PERMISSIONS.contains(permission)));
    }
}
