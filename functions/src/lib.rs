//! The procedures of the reference service, one file each.
//!
//! This file is the index: the only list of procedures that people write. A new one is a new file,
//! a word here, and `cargo regen`.

use model::{ApplicationClient, AuditEntry, Role, Session, WITHHELD};
use runtime::{
    AuthorizationServer, Callers, Definition, Layout, Package, Packages, PasswordSignIn, RefusalLog, SessionSignIn,
    sessions::SessionLookup,
};

/// What all procedures share.
pub const SERVICE: Definition = Definition {
    name: "backoffice",
    npm_package: "@onefold/backoffice",
    about: runtime::about!(),
    layout: Some(Layout {
        bindings: "bindings",
        packages: Some(Packages {
            functions: Package { name: "functions", folder: "functions" },
            gateways: Package { name: "functions-gateways", folder: "functions/gateways" },
        }),
    }),
    operator_role: Some(Role::Administrator.name()),
    roles: &[Role::Administrator.name(), Role::Employee.name(), Role::Viewer.name(), Role::Guest.name()],
    permits: |role, permission| role.parse().is_ok_and(|role: Role| role.permits(permission)),
    withheld: WITHHELD,
    callers: Callers::Sessions(SessionLookup::of::<Session>().with_applications::<ApplicationClient>()),
    method_override: true,
    password_sign_in: Some(PasswordSignIn {
        sign_in: "auth.login",
        name_field: "email",
        password_field: "password",
        with: &[("keep", "tokens")],
        access_token: "/tokens/accessToken",
        refresh_token: "/tokens/refreshToken",
        sign_out: "auth.logout",
        refresh_token_field: "refreshToken",
    }),
    session: Some(SessionSignIn {
        register: Some("auth.register"),
        sign_in: "auth.login",
        keep_field: "keep",
        cookie: "cookie",
        tokens: "tokens",
        who_field: "user",
        tokens_field: "tokens",
        access_token_field: "accessToken",
        refresh_token_field: "refreshToken",
        expires_in_field: "expiresInS",
        refresh: "auth.refresh",
        ended: "ended",
        sign_out: "auth.logout",
        reauthenticate: Some("auth.reauthenticate"),
        password_field: "password",
    }),
    authorization_server: Some(AuthorizationServer { authorize: "grants.authorize", token: "grants.token" }),
    refusals: Some(RefusalLog::of::<AuditEntry>(identity::audit::refused)),
};

mod authorization;
mod identity;
mod permissions;

runtime::procedures! {
    SERVICE;
    /// The own account: what is known of it, and its end.
    account { erase, export }
    /// What was done, by whom and to what.
    audit { list }
    /// To register, to sign in and out, and to keep a password.
    auth {
        change_password, login, logout, me, reauthenticate, refresh, register, request_reset, resend_verification, reset_password,
        verify_email,
    }
    /// Applications of others: which there are, and what they were let do.
    grants { authorize, clients_create, clients_delete, clients_list, decide, introspect, revoke, token }
    /// Whether the service answers.
    health { ping }
    /// To sign in with an account elsewhere.
    oauth { callback, identities, link, providers, reauthenticate, start, unlink }
    /// The pages to which mails lead, of a service without a frontend.
    pages { reset_password, sign_in, verify_email }
    /// What people write.
    posts { by_ids, create, delete, get, list, update }
    /// Where somebody is signed in.
    sessions { list, revoke, revoke_others }
    /// The people of the company, and what they may.
    users { by_ids, create, delete, get, list, sign_out, update }
    /// What programs look for at addresses that standards state.
    well_known { jwks, oauth_authorization_server, openid_configuration }
}

/// The examples of the documentation, which compile.
#[cfg(doctest)]
#[doc = include_str!("../../docs/capabilities.md")]
pub struct Capabilities;

/// The same, of what a service has besides.
#[cfg(doctest)]
#[doc = include_str!("../../docs/own-entity.md")]
pub struct OwnEntity;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use local::world::World;
    use model::{EmailAddress, PERMISSIONS, Post, Role, User};
    use protocol::{Auth, Timestamp, Version};
    use runtime::{Device, Mail, Principal, prelude::*};

    use crate::identity::{audit::Audit, notices::Notices, sessions::Sessions};

    /// Somebody who calls.
    pub(crate) fn caller(subject: &str) -> Caller {
        Caller::new(Arc::new(Principal { subject: subject.to_owned(), ..Principal::default() }))
    }

    /// An administrator who calls.
    pub(crate) fn administrator() -> Caller {
        let roles = vec![Role::Administrator.name().to_owned()];
        Caller::new(Arc::new(Principal { subject: "somebody".to_owned(), roles, ..Principal::default() }))
    }

    /// The audit log.
    pub(crate) fn audit(world: &World, clock: Clock) -> Audit {
        Audit { log: world.append(), ids: Ids::default(), clock, device: Device::default() }
    }

    /// The mails to owners of accounts.
    pub(crate) fn notices(world: &World, mail: Mail) -> Notices {
        Notices { mail, limits: world.limits(), device: Device::default(), clock: Clock::System }
    }

    /// The sessions of all users.
    pub(crate) fn sessions(world: &World, clock: Clock) -> Sessions {
        let (accounts, stored) = (world.write(), world.write());
        Sessions { accounts, stored, device: Device::default(), ids: Ids::default(), clock }
    }

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
            ends_at: None,
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
                assert!(PERMISSIONS.contains(&permission), "{}: {permission}", procedure.entry.name);
            }
        }
    }
}
