//! From a request's headers to who is calling, and whether they may.

use std::sync::Arc;

use http::{HeaderMap, header};
use protocol::{Auth, Cause, Code, Fault, Timestamp};

use crate::{
    Callers, Definition, Principal,
    tokens::{TokenSettings, TokenVerifier},
};

/// Knows callers, as the service's definition says.
pub struct Authenticator {
    callers: Callers,
    tokens: Option<TokenVerifier>,
}

impl Authenticator {
    /// For a service; `tokens` is needed where callers are known by tokens.
    ///
    /// # Errors
    /// When the settings are missing or hold no key.
    pub fn new(definition: &Definition, tokens: Option<&TokenSettings>) -> Result<Self, Cause> {
        let tokens = match (definition.callers, tokens) {
            (Callers::Custom(_), _) => None,
            (Callers::Tokens, Some(settings)) => Some(TokenVerifier::new(settings)?),
            (Callers::Tokens, None) => return Err("there is no key to check tokens with".into()),
        };
        Ok(Self { callers: definition.callers, tokens })
    }

    /// Who is calling: nobody when nothing is presented.
    ///
    /// # Errors
    /// `UNAUTHORIZED` when something is presented that is not valid.
    pub fn authenticate(&self, headers: &HeaderMap, now: Timestamp) -> Result<Option<Arc<Principal>>, Fault> {
        let verifier = match (self.callers, &self.tokens) {
            (Callers::Custom(authenticate), _) => return Ok(authenticate(headers)?.map(Arc::new)),
            (Callers::Tokens, Some(verifier)) => verifier,
            (Callers::Tokens, None) => return Ok(None),
        };
        let mut values = headers.get_all(header::AUTHORIZATION).into_iter();
        let Some(value) = values.next() else { return Ok(None) };
        let token = value.to_str().ok().and_then(bearer).filter(|_| values.next().is_none()).ok_or_else(|| {
            Fault::new(Code::Unauthorized, "The authorization header is not of the form `Bearer <token>`.")
        })?;
        verifier.verify(token, now).map(Some)
    }
}

/// The token of `Bearer <token>` (RFC 6750 section 2.1; the scheme in any case, RFC 9110).
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Lets a caller through, or not. This is the only place that decides.
///
/// # Errors
/// `UNAUTHORIZED` when nobody is signed in, `FORBIDDEN` when the permission is missing.
pub fn authorize(auth: Auth, definition: &Definition, principal: Option<&Principal>) -> Result<(), Fault> {
    let signed_in = || principal.ok_or_else(|| Fault::new(Code::Unauthorized, "Sign in first."));
    match auth {
        Auth::Public => Ok(()),
        Auth::SignedIn => signed_in().map(|_| ()),
        Auth::Permission(permission) => {
            if signed_in()?.roles.iter().any(|role| (definition.permits)(role, permission)) {
                Ok(())
            } else {
                Err(Fault::new(Code::Forbidden, format!("This needs the permission {permission}.")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: Definition = Definition {
        name: "test",
        permits: |role, permission| role == "editor" && permission == "posts:write",
        callers: Callers::Custom(|_| Ok(None)),
        method_override: true,
    };

    #[test]
    fn only_the_declared_callers_come_through() {
        let editor = Principal { subject: "ada".into(), roles: vec!["reader".into(), "editor".into()] };
        let reader = Principal { subject: "bob".into(), roles: vec!["reader".into()] };
        let code = |auth, who| authorize(auth, &SERVICE, who).map_err(|fault| fault.code);
        assert_eq!(code(Auth::Public, None), Ok(()));
        assert_eq!(code(Auth::SignedIn, None), Err(Code::Unauthorized));
        assert_eq!(code(Auth::SignedIn, Some(&reader)), Ok(()));
        assert_eq!(code(Auth::Permission("posts:write"), None), Err(Code::Unauthorized));
        assert_eq!(code(Auth::Permission("posts:write"), Some(&reader)), Err(Code::Forbidden));
        assert_eq!(code(Auth::Permission("posts:write"), Some(&editor)), Ok(()));
    }

    #[test]
    fn a_bearer_token_stands_behind_its_scheme() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer abc"), Some("abc"));
        for other in ["Basic abc", "Bearer", "Bearer ", "abc"] {
            assert_eq!(bearer(other), None, "{other}");
        }
    }
}
