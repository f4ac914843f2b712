//! Roles, and the one place that says which permissions they have.

use std::str::FromStr;

use macros::wire;

/// What somebody is in the company.
#[wire]
pub enum Role {
    /// May do everything.
    Administrator,
    /// Works with posts and customers; may not change other users.
    Employee,
    /// Reads only.
    Viewer,
}

/// The permissions of employees: everything but changing users.
const EMPLOYEE: &[&str] = &["users:read", "posts:read", "posts:write"];
/// The permissions of viewers: nothing that changes anything.
const VIEWER: &[&str] = &["users:read", "posts:read"];

impl Role {
    /// All roles.
    pub const ALL: [Self; 3] = [Self::Administrator, Self::Employee, Self::Viewer];

    /// The name in tokens and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Employee => "employee",
            Self::Viewer => "viewer",
        }
    }

    /// Whether somebody with this role may do what the permission names.
    pub fn permits(self, permission: &str) -> bool {
        match self {
            Self::Administrator => true,
            Self::Employee => EMPLOYEE.contains(&permission),
            Self::Viewer => VIEWER.contains(&permission),
        }
    }
}

/// A text that is no role.
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
    use super::Role;

    #[test]
    fn names_are_those_on_the_wire() {
        for role in Role::ALL {
            assert_eq!(serde_json::to_value(role).unwrap(), role.name());
            assert_eq!(role.name().parse(), Ok(role));
        }
    }

    #[test]
    fn viewers_only_read() {
        assert!(Role::Viewer.permits("posts:read"));
        assert!(!Role::Viewer.permits("posts:write"));
        assert!(!Role::Employee.permits("users:write"));
        assert!(Role::Administrator.permits("users:write"));
    }
}
