//! From a request's headers to who is calling, and whether they may.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header, request};
use protocol::{Auth, Cause, Code, Fault, Principal};
use store::Session;

use crate::{
    Callers, Definition, Reach,
    opaque::Opaque,
    principal::{OWN, permits},
    sessions::{self, SessionLookup},
    site::Site,
    tokens::{TokenSettings, TokenVerifier},
    web::Added,
};

/// Knows callers, as the service's definition says.
pub struct Authenticator {
    callers: Callers,
    tokens: Option<TokenVerifier>,
}

/// What is known of a call before it is known who makes it.
pub(crate) struct Arrival<'a> {
    pub(crate) parts: &'a request::Parts,
    pub(crate) site: &'a Site,
    /// For a look at the session.
    pub(crate) store: Option<&'a Session>,
    pub(crate) now: protocol::Timestamp,
    /// Whether a token's session is looked at as well.
    pub(crate) sensitive: bool,
    /// The body, where the procedure has a form of its own.
    pub(crate) body: Option<&'a [u8]>,
    /// What the answer's headers have besides.
    pub(crate) added: &'a Added,
}

impl Authenticator {
    /// For a service; `tokens` is needed where callers are known by tokens. `url` is the service's own address.
    ///
    /// # Errors
    /// When the settings are missing or hold no key.
    pub fn new(definition: &Definition, tokens: Option<&TokenSettings>, url: &str) -> Result<Self, Cause> {
        let tokens = match (definition.callers, tokens) {
            (Callers::Custom(_), _) => None,
            (_, Some(settings)) => Some(TokenVerifier::new(settings, url)?),
            (_, None) => return Err("there is no key to check tokens with".into()),
        };
        Ok(Self { callers: definition.callers, tokens })
    }

    /// What checks tokens, where callers are known by them.
    pub(crate) fn tokens(&self) -> Option<&TokenVerifier> {
        self.tokens.as_ref()
    }

    /// Who is calling: nobody when nothing is presented, or a cookie whose session has ended. A token counts
    /// before a cookie.
    ///
    /// # Errors
    /// `UNAUTHORIZED` when a token is presented that is not valid, `FORBIDDEN` when a cookie is that comes from
    /// another site.
    pub(crate) async fn authenticate(&self, arrival: &Arrival<'_>) -> Result<Option<Arc<Principal>>, Fault> {
        let headers = &arrival.parts.headers;
        let verifier = match (self.callers, &self.tokens) {
            (Callers::Custom(authenticate), _) => return Ok(authenticate(headers)?.map(Arc::new)),
            (_, Some(verifier)) => verifier,
            (_, None) => return Ok(None),
        };
        let lookup = match self.callers {
            Callers::Sessions(lookup) => Some(lookup),
            _ => None,
        };
        let Some(token) = presented_token(headers)? else {
            return match lookup {
                Some(lookup) => by_cookie(&lookup, arrival).await,
                None => Ok(None),
            };
        };
        let principal = verifier.verify(token, arrival.now)?;
        match (lookup, &principal.session, arrival.store) {
            (Some(lookup), Some(id), Some(store)) if arrival.sensitive => {
                let ended = || Fault::new(Code::Unauthorized, "You were signed out. Sign in again.");
                let found = lookup.find(store.clone(), id.clone()).await?.map(|found| found.principal);
                let same =
                    |found: &Principal| found.subject == principal.subject && client_id(found) == client_id(&principal);
                let roles = found.filter(same).ok_or_else(ended)?.roles;
                // What an application may do, its token says: it may be less than the person agreed to.
                Ok(Some(Arc::new(Principal { roles, ..Principal::clone(&principal) })))
            }
            _ => Ok(Some(principal)),
        }
    }
}

fn client_id(principal: &Principal) -> Option<&str> {
    principal.client.as_ref().map(|client| client.id.as_str())
}

fn presented_token(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    let mut values = headers.get_all(header::AUTHORIZATION).into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    let token = value.to_str().ok().and_then(bearer).filter(|_| values.next().is_none());
    let refusal = "The authorization header is not of the form `Bearer <token>`.";
    token.map(Some).ok_or_else(|| Fault::new(Code::Unauthorized, refusal))
}

async fn by_cookie(lookup: &SessionLookup, arrival: &Arrival<'_>) -> Result<Option<Arc<Principal>>, Fault> {
    let Arrival { parts, site, store, body, added, .. } = arrival;
    let cookie = sessions::cookie(&parts.headers, &site.cookie_name(sessions::COOKIE)).and_then(Opaque::parse);
    let (Some(secret), Some(store)) = (cookie, store) else { return Ok(None) };
    let Some(found) = lookup.find((*store).clone(), secret.hash()).await?.filter(|found| found.is_cookie) else {
        return Ok(None);
    };
    if let Ok(token) = HeaderValue::try_from(sessions::csrf_token(&secret).text()) {
        added.push(sessions::CSRF_HEADER, token);
    }
    sessions::expect_own_page(parts, *body, site, &secret)?;
    if found.wants_renewal {
        added.push(sessions::RENEW_HEADER, HeaderValue::from_static("1"));
    }
    Ok(Some(Arc::new(found.principal)))
}

/// The token of `Bearer <token>` (RFC 6750 section 2.1; the scheme in any case, RFC 9110).
pub fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// Lets a caller through, or not, and says how far what they may do reaches. This is the only place that
/// decides.
///
/// # Errors
/// `UNAUTHORIZED` when nobody is signed in, `FORBIDDEN` when the permission is missing.
pub fn authorize(auth: Auth, definition: &Definition, principal: Option<&Principal>) -> Result<Reach, Fault> {
    let signed_in = || principal.ok_or_else(|| Fault::new(Code::Unauthorized, "Sign in first."));
    match auth {
        Auth::Public => Ok(Reach::all()),
        // What everybody may do who is signed in is about their account: no application does it in their name.
        Auth::SignedIn => match signed_in()? {
            Principal { client: Some(_), .. } => {
                Err(Fault::new(Code::Forbidden, "An application may not do this in somebody's name."))
            }
            Principal { subject, .. } => Ok(Reach::own(subject.as_str(), "")),
        },
        Auth::Permission { name, own } => {
            let principal = signed_in()?;
            if permits(definition, principal, name) {
                Ok(Reach::all())
            } else if own && permits(definition, principal, &format!("{name}{OWN}")) {
                Ok(Reach::own(principal.subject.as_str(), name))
            } else {
                Err(Fault::new(Code::Forbidden, format!("This needs the permission {name}.")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: Definition = Definition {
        name: "test",
        roles: &[],
        permits: |role, permission| {
            role == "editor" && permission == "posts:write" || role == "author" && permission == "posts:write:own"
        },
        callers: Callers::Custom(|_| Ok(None)),
        method_override: true,
        password_sign_in: None,
        refusals: None,
    };

    fn with_role(role: &str) -> Principal {
        Principal { subject: "ada".into(), roles: vec!["reader".into(), role.into()], ..Principal::default() }
    }

    /// What an application may do in somebody's name, or for itself.
    fn application(person: Option<Principal>, scopes: &[&str]) -> Principal {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let client = Some(protocol::Client { id: "app".into(), scopes, for_itself: person.is_none() });
        Principal { client, ..person.unwrap_or_default() }
    }

    fn outcome(auth: Auth, who: Option<&Principal>) -> Result<bool, Code> {
        authorize(auth, &SERVICE, who).map(|reach| reach.is_all()).map_err(|fault| fault.code)
    }

    const WRITE: Auth = Auth::Permission { name: "posts:write", own: false };
    const WRITE_OWN: Auth = Auth::Permission { name: "posts:write", own: true };

    #[test]
    fn only_the_declared_callers_come_through() {
        let (reader, editor, author) = (with_role(""), with_role("editor"), with_role("author"));
        assert_eq!(outcome(Auth::Public, None), Ok(true));
        assert_eq!(outcome(Auth::SignedIn, None), Err(Code::Unauthorized));
        assert_eq!(outcome(Auth::SignedIn, Some(&reader)), Ok(false));
        for auth in [WRITE, WRITE_OWN] {
            assert_eq!(outcome(auth, None), Err(Code::Unauthorized));
            assert_eq!(outcome(auth, Some(&reader)), Err(Code::Forbidden));
            assert_eq!(outcome(auth, Some(&editor)), Ok(true));
        }
        assert_eq!(outcome(WRITE, Some(&author)), Err(Code::Forbidden), "the procedure cannot tell own items");
        assert_eq!(outcome(WRITE_OWN, Some(&author)), Ok(false));
    }

    #[test]
    fn own_items_are_those_of_the_caller() {
        let reach = authorize(WRITE_OWN, &SERVICE, Some(&with_role("author"))).unwrap();
        assert!(reach.expect("ada").is_ok());
        assert_eq!(reach.expect("bob").unwrap_err().code, Code::Forbidden);
        assert_eq!(reach.expect_all().unwrap_err().code, Code::Forbidden);
    }

    #[test]
    fn an_application_may_do_what_it_was_given_and_its_person_may() {
        let by = |role: &str, scopes: &[&str]| Some(application(Some(with_role(role)), scopes));
        for (who, auth, expected) in [
            (by("editor", &["posts:write"]), WRITE, Ok(true)),
            (by("editor", &["posts:read"]), WRITE, Err(Code::Forbidden)),
            (by("", &["posts:write"]), WRITE, Err(Code::Forbidden)),
            (by("author", &["posts:write"]), WRITE_OWN, Ok(false)),
            (by("editor", &["posts:write:own"]), WRITE_OWN, Ok(false)),
            (by("editor", &["posts:write:own"]), WRITE, Err(Code::Forbidden)),
            (by("editor", &["posts:write"]), Auth::SignedIn, Err(Code::Forbidden)),
            (Some(application(None, &["posts:write"])), WRITE, Ok(true)),
            (Some(application(None, &[])), WRITE, Err(Code::Forbidden)),
            (Some(application(None, &["posts:write"])), Auth::SignedIn, Err(Code::Forbidden)),
        ] {
            assert_eq!(outcome(auth, who.as_ref()), expected, "{who:?} {auth:?}");
        }
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
