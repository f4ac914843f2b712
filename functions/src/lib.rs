//! The procedures of the reference service, one file each.
//!
//! This file is the index: the only list of procedures that people write. A new one is a new file,
//! a word here, and `cargo regen`.

use model::Session;
use runtime::{Callers, Definition, sessions::SessionLookup};

/// What all procedures share.
pub const SERVICE: Definition = Definition {
    name: "backoffice",
    permits: |role, permission| role.parse().is_ok_and(|role: model::Role| role.permits(permission)),
    callers: Callers::Sessions(SessionLookup::of::<Session>()),
    method_override: true,
};

runtime::procedures! {
    SERVICE;
    health { ping }
    posts { create, delete, get, list, update }
    users { create, delete, get, list, update }
}

#[cfg(test)]
mod tests {
    use model::{EmailAddress, Post, Role, User};
    use protocol::{Auth, Timestamp, Version};
    use runtime::Ids;

    /// A user for the tests of procedures.
    pub(crate) fn user(email: &str, role: Role) -> User {
        User {
            id: Ids::default().next(),
            email: EmailAddress::new(email),
            name: "Ada".to_owned(),
            age: None,
            is_verified: true,
            role,
            created_at: Timestamp::from_unix_ms(1_735_689_600_000),
            version: Version(0),
        }
    }

    /// A post of somebody for the tests of procedures.
    pub(crate) fn post(title: &str) -> Post {
        let created_at = Timestamp::from_unix_ms(1_735_689_600_000);
        Post {
            id: Ids::default().next(),
            author_id: Ids::default().next(),
            title: title.to_owned(),
            body: "Everybody.".to_owned(),
            created_at,
            updated_at: created_at,
            version: Version(0),
        }
    }

    /// A permission that nobody has is a typing mistake.
    #[test]
    fn every_permission_is_one_that_the_roles_know() {
        for procedure in super::service().procedures {
            if let Auth::Permission { name: permission, .. } = procedure.entry.spec.auth {
                let known = permission.split_once(':').is_some_and(|(noun, verb)| {
                    ["posts", "users"].contains(&noun) && ["read", "write"].contains(&verb)
                });
                assert!(known, "{}: {permission}", procedure.entry.name);
            }
        }
    }
}
