//! The procedures of the reference service, one file each.
//!
//! This file is the index: the only hand-written list of procedures. A new one takes a new file, a word here, and
//! `cargo regen`.

// The rules of `#[garde(…)]` expand to this name.
extern crate onefold as garde;

use model::{Role, User, WITHHELD};
use onefold::{Definition, Layout, Package, Packages, identity};

/// The definition of the service, which all procedures share.
pub const SERVICE: Definition = Definition {
    name: "backoffice",
    npm_package: "@onefold/backoffice",
    about: onefold::about!(),
    layout: Some(Layout {
        bindings: "bindings",
        packages: Some(Packages {
            functions: Package { name: "functions", folder: "functions" },
            gateways: Package { name: "functions-gateways", folder: "functions/gateways" },
        }),
    }),
    operator_role: Some(Role::Administrator.name()),
    roles: Role::NAMES,
    permits: identity::permits::<Role>,
    permissions: permissions::TEXTS,
    withheld: WITHHELD,
    callers: identity::CALLERS,
    method_override: true,
    password_sign_in: Some(identity::PASSWORD_SIGN_IN),
    session: Some(identity::SESSION),
    authorization_server: Some(identity::AUTHORIZATION_SERVER),
    refusals: Some(identity::REFUSALS),
};

mod permissions;

onefold::procedures! {
    SERVICE, mount identity for User;
    /// The own account: what is known of it, and its end.
    account { export }
    /// Whether the service answers.
    health { ping }
    /// What people write.
    posts { by_ids, create, delete, get, list, update }
    /// The people of the company, and what they may.
    users { by_ids, create, delete, get, list, sign_out, update }
}

/// Compiles the examples of the document on capabilities.
#[cfg(doctest)]
#[doc = include_str!("../../docs/capabilities.md")]
pub struct Capabilities;

/// Compiles the examples of the document on entities.
#[cfg(doctest)]
#[doc = include_str!("../../docs/own-entity.md")]
pub struct OwnEntity;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::{PERMISSIONS, Post, Role, User};
    use onefold::{Auth, Principal, Timestamp, Version, identity::EmailAddress, prelude::*};

    /// A signed-in caller for tests.
    pub(crate) fn caller(subject: &str) -> Caller {
        let principal = Principal { subject: subject.to_owned(), ..Principal::default() };
        Caller::new(&super::SERVICE, Arc::new(principal))
    }

    /// An administrator for tests.
    pub(crate) fn administrator() -> Caller {
        let roles = vec![Role::Administrator.name().to_owned()];
        let principal = Principal { subject: "somebody".to_owned(), roles, ..Principal::default() };
        Caller::new(&super::SERVICE, Arc::new(principal))
    }

    /// A user for tests.
    pub(crate) fn user(email: &str, role: Role) -> User {
        User {
            id: Ids::default().next(),
            email: EmailAddress::new(email),
            name: "Ada".to_owned(),
            age: None,
            is_verified: true,
            role,
            created_at: Timestamp::from_unix_ms(1_735_689_600_000),
            ends_at: None,
            version: Version(0),
        }
    }

    /// A post for tests.
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

    /// A permission that no role has is a typing mistake.
    #[test]
    fn every_permission_is_one_that_the_roles_know() {
        for procedure in super::service().procedures {
            if let Auth::Permission { name: permission, .. } = procedure.entry.spec.auth {
                assert!(PERMISSIONS.contains(&permission), "{}: {permission}", procedure.entry.name);
            }
        }
    }
}
