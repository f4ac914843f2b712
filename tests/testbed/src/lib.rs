//! The service that the tests of the framework call: users with roles, and posts that they own.
//!
//! It stands for any service that is called by people and by applications. What the tests find here, they find in no
//! other service of this workspace, whose procedures may come and go.

// The rules of `#[garde(…)]` expand to this name.
extern crate onefold as garde;

pub mod post;
pub mod role;
pub mod user;

mod permissions;

pub use post::{Post, PostId};
pub use role::{Role, WITHHELD};
pub use user::{Me, User};

use onefold::{Definition, Layout, Package, Packages, identity};

/// The definition of the service, which all procedures share.
pub const SERVICE: Definition = Definition {
    name: "testbed",
    npm_package: "@onefold/testbed",
    about: onefold::about!(),
    layout: Some(Layout {
        bindings: "tests/testbed/bindings",
        packages: Some(Packages {
            functions: Package { name: "testbed", folder: "tests/testbed" },
            gateways: Package { name: "testbed-gateways", folder: "tests/testbed/gateways" },
            prefix: Some("testbed-"),
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

onefold::procedures! {
    SERVICE, mount identity for User;
    /// The own account: what is known of it, and its end.
    account { export }
    /// Whether the service answers.
    health { ping }
    /// The people who work with the service, and what they may.
    users { by_ids, create, delete, get, list, sign_out, update; seed }
    /// What people write.
    posts { by_ids, create, delete, get, list, update; seed }
}
