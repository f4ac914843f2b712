//! The procedures that a service mounts, one file each, and the parts that it may leave out.

/// The index of this package: the only hand-written list of its procedures. `<U>` marks those that are generic over the
/// service's user.
#[doc(hidden)]
#[macro_export]
macro_rules! __index {
    (($($then:tt)+) $($with:tt)*) => {
        $($then)+! {
            $($with)*
            /// The own account: what is known of it, and its end.
            account { erase<U> }
            /// What was done, by whom and to what.
            audit { list }
            /// To register, to sign in and out, and to keep a password.
            auth {
                change_password<U>, login<U>, logout, me<U>, reauthenticate<U>, refresh, register<U>, request_reset<U>,
                resend_verification<U>, reset_password<U>, verify_email<U>,
            }
            /// Applications of others: which there are, and what they were let do.
            grants {
                authorize<U>, clients_create, clients_delete, clients_list, decide<U>, introspect, revoke, token<U>,
            }
            /// To sign in with an account at an identity provider.
            oauth { callback<U>, identities, link, providers, reauthenticate, start, unlink<U> }
            /// The pages to which mails lead, of a service without a frontend.
            pages { reset_password, sign_in, verify_email }
            /// Where a user is signed in.
            sessions { list, revoke, revoke_others }
            /// What programs look for at addresses that standards state.
            well_known { jwks, oauth_authorization_server, openid_configuration }
        }
    };
}

__index! { (runtime::package) }

/// What a service's index expands to for `mount identity for User`.
#[doc(hidden)]
#[macro_export]
macro_rules! mount {
    ($package:ident for $user:ty, $definition:path) => {
        const _: () = $crate::expect_safe(&$definition);
        $crate::__index! {
            ($crate::__runtime::mounted) ($crate::procedures) $package for $user, $definition;
        }
    };
}

/// A part of this package that a service may leave out: `mount identity for User without [Registration]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Registration with a password (`auth.register`). The stage decides about people who come from a provider
    /// (`ONEFOLD_REGISTRATION`); `closed` means that nobody registers at all.
    Registration,
    /// Sign-in with accounts at identity providers.
    Providers,
    /// Access for third parties' applications (OAuth 2.1).
    AuthorizationServer,
    /// The pages to which mails lead; a service with a frontend does not need them.
    Pages,
}

impl Part {
    /// The part to which a procedure belongs; none for the procedures that every service has.
    pub fn of(procedure: &str) -> Option<Self> {
        match procedure.split_once('.')? {
            ("auth", "register") => Some(Self::Registration),
            ("oauth", _) => Some(Self::Providers),
            ("grants", _) | ("wellKnown", "oauthAuthorizationServer" | "openidConfiguration") => {
                Some(Self::AuthorizationServer)
            }
            ("pages", _) => Some(Self::Pages),
            _ => None,
        }
    }
}
