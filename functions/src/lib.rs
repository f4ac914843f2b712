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
            prefix: None,
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
    /** The own account: what is known of it, and its end. */ account { export }
    /** Whether the service answers. */ health { ping }
    /** The company's people, and what they may. */ users { by_ids, create, delete, get, list, sign_out, update; seed }
    /** What people write. */ posts { by_ids, create, delete, get, list, update; seed }
}

/// Compiles the documents' examples.
#[cfg(doctest)]
#[doc = include_str!("../../docs/capabilities.md")]
#[doc = include_str!("../../docs/own-entity.md")]
pub struct Documents;
