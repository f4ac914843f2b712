//! Identifies the caller from a request's headers, and checks their permission.

use std::sync::Arc;

use futures_util::future::try_join;
use http::{HeaderMap, HeaderValue, header, request};
use protocol::{Auth, Cause, Code, Fault, Principal, Reauthenticate, Spec, Timestamp};
use store::StoreSession;

use crate::{
    Callers, Definition, Ownership,
    opaque::Opaque,
    principal::{OWN, permits},
    sessions::{self, SessionLookup},
    site::Site,
    tokens::{TokenSettings, TokenVerifier},
    web::AddedHeaders,
};

/// Identifies callers as the service's definition states.
pub struct Authenticator {
    callers: Callers,
    tokens: Option<TokenVerifier>,
}

/// What is known of a call before its caller is.
pub(crate) struct IncomingCall<'a> {
    pub(crate) parts: &'a request::Parts,
    pub(crate) site: &'a Site,
    /// The store, for the session's lookup.
    pub(crate) store: Option<&'a StoreSession>,
    pub(crate) now: protocol::Timestamp,
    /// The procedure's spec, which states whether more than a token is checked.
    pub(crate) spec: &'a Spec,
    /// The body of a procedure with `http`.
    pub(crate) body: Option<&'a [u8]>,
    /// Headers to add to the response.
    pub(crate) added: &'a AddedHeaders,
}

impl Authenticator {
    /// Creates the authenticator of a service; it needs `tokens` where callers have tokens. `url` is the service's
    /// own address.
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

    /// The verifier of tokens, where callers have tokens.
    pub(crate) fn tokens(&self) -> Option<&TokenVerifier> {
        self.tokens.as_ref()
    }

    /// Identifies the caller: none when the request has no credentials, or a cookie whose session has ended. A token
    /// takes precedence over a cookie.
    ///
    /// # Errors
    /// `UNAUTHORIZED` for an invalid token, `BAD_REQUEST` for a malformed header, `FORBIDDEN` for a cookie in a
    /// request from another site.
    pub(crate) async fn authenticate(&self, arrival: &IncomingCall<'_>) -> Result<Option<Arc<Principal>>, Fault> {
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
        match (lookup, arrival.store) {
            (Some(lookup), Some(store)) if arrival.spec.looks_at_session() => {
                verify_session_and_client(&lookup, store, arrival.spec, principal).await.map(Some)
            }
            _ => Ok(Some(principal)),
        }
    }
}

/// Checks the session and the application of a token: the session must be live, and the application registered. Both
/// lookups run in parallel. An operator's token has neither.
async fn verify_session_and_client(
    lookup: &SessionLookup,
    store: &StoreSession,
    spec: &Spec,
    principal: Arc<Principal>,
) -> Result<Arc<Principal>, Fault> {
    let session = async {
        match &principal.session {
            Some(id) => Ok(lookup.find(store.clone(), id.clone()).await?.map(|found| found.principal)),
            None => Ok(None),
        }
    };
    let is_registered = async {
        match client_id(&principal).filter(|_| spec.looks_at_application()) {
            Some(id) => lookup.is_registered(store.clone(), id).await,
            None => Ok(true),
        }
    };
    let (found, is_registered) = try_join(session, is_registered).await?;
    if !is_registered {
        return Err(Fault::new(Code::Unauthorized, "The application is registered no more."));
    }
    if principal.session.is_none() {
        return Ok(principal);
    }
    let same = |found: &Principal| found.subject == principal.subject && client_id(found) == client_id(&principal);
    let ended = || Fault::new(Code::Unauthorized, "You were signed out. Sign in again.");
    let Principal { roles, authenticated_at, .. } = found.filter(same).ok_or_else(ended)?;
    // The token states the application's permissions: they may be fewer than the person agreed to.
    Ok(Arc::new(Principal { roles, authenticated_at, ..Principal::clone(&principal) }))
}

fn client_id(principal: &Principal) -> Option<&str> {
    principal.client.as_ref().map(|client| client.id.as_str())
}

/// Why an `authorization` header has no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// The header is not text, has no token after its scheme, or more than one: API Gateway joins two lines.
    Malformed,
    /// The header has another scheme.
    OtherScheme,
}

impl From<Unreadable> for Fault {
    fn from(why: Unreadable) -> Self {
        let code = match why {
            Unreadable::Malformed => Code::BadRequest,
            Unreadable::OtherScheme => Code::Unauthorized,
        };
        Self::new(code, "The authorization header is not of the form `Bearer <token>`.")
    }
}

/// The token of a request, not yet verified.
pub(crate) fn presented_token(headers: &HeaderMap) -> Result<Option<&str>, Unreadable> {
    let mut values = headers.get_all(header::AUTHORIZATION).into_iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| values.next().is_none()).ok_or(Unreadable::Malformed)?;
    match bearer(text) {
        // No token contains a comma (RFC 6750 section 2.1); API Gateway joins lines with one.
        Some(token) if token.contains(',') => Err(Unreadable::Malformed),
        Some(token) => Ok(Some(token)),
        None if text.trim().eq_ignore_ascii_case("bearer") => Err(Unreadable::Malformed),
        None => Err(Unreadable::OtherScheme),
    }
}

async fn by_cookie(lookup: &SessionLookup, arrival: &IncomingCall<'_>) -> Result<Option<Arc<Principal>>, Fault> {
    let IncomingCall { parts, site, store, body, added, .. } = arrival;
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

/// Checks whether a caller may call, and says whether for all items or only for their own. No other place decides
/// this.
///
/// # Errors
/// `UNAUTHORIZED` when nobody is signed in, `FORBIDDEN` when the permission is missing, and, as [`Reauthenticate`],
/// when the caller signed in too long ago.
pub fn check_permission(
    spec: &Spec,
    definition: &Definition,
    principal: Option<&Principal>,
    now: Timestamp,
) -> Result<Ownership, Fault> {
    let ownership = permitted(spec.auth, definition, principal)?;
    match (spec.always_fresh_s(), principal) {
        (Some(fresh_s), Some(principal)) => expect_fresh(fresh_s, principal, now).map(|()| ownership),
        _ => Ok(ownership),
    }
}

/// Checks that the caller is a person who signed in or reauthenticated no longer than `fresh_s` seconds ago.
pub(crate) fn expect_fresh(fresh_s: u32, principal: &Principal, now: Timestamp) -> Result<(), Fault> {
    if principal.client.is_some() {
        let refusal = "An application may not do this: it takes a person who signed in a moment ago.";
        return Err(Fault::new(Code::Forbidden, refusal));
    }
    let age_ms = principal.authenticated_at.map(|at| now.unix_ms().saturating_sub(at.unix_ms()));
    if age_ms.is_some_and(|age_ms| age_ms <= i64::from(fresh_s) * 1_000) {
        Ok(())
    } else {
        Err(Reauthenticate::fault())
    }
}

fn permitted(auth: Auth, definition: &Definition, principal: Option<&Principal>) -> Result<Ownership, Fault> {
    let signed_in = || principal.ok_or_else(|| Fault::new(Code::Unauthorized, "Sign in first."));
    match auth {
        Auth::Public => Ok(Ownership::all()),
        // Procedures for all signed-in callers are about the caller's own account: applications may not call them.
        Auth::SignedIn => match signed_in()? {
            Principal { client: Some(_), .. } => {
                Err(Fault::new(Code::Forbidden, "An application may not do this in somebody's name."))
            }
            Principal { subject, .. } => Ok(Ownership::own(subject.as_str(), "")),
        },
        Auth::Permission { name, own } => {
            let principal = signed_in()?;
            if permits(definition, principal, name) {
                Ok(Ownership::all())
            } else if own && permits(definition, principal, &format!("{name}{OWN}")) {
                Ok(Ownership::own(principal.subject.as_str(), name))
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
        permits: |role, permission| {
            role == "editor" && permission == "notes:write" || role == "author" && permission == "notes:write:own"
        },
        permissions: &[],
        withheld: &["rights:write"],
        callers: Callers::Custom(|_| Ok(None)),
        ..Definition::named("test")
    };

    fn with_role(role: &str) -> Principal {
        Principal { subject: "ada".into(), roles: vec!["reader".into(), role.into()], ..Principal::default() }
    }

    /// What an application may do in a user's name, or for itself.
    fn application(person: Option<Principal>, scopes: &[&str]) -> Principal {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        let client = Some(protocol::Client { id: "app".into(), scopes, for_itself: person.is_none() });
        Principal { client, ..person.unwrap_or_default() }
    }

    fn outcome(auth: Auth, who: Option<&Principal>) -> Result<bool, Code> {
        permitted(auth, &SERVICE, who).map(|ownership| ownership.is_all()).map_err(|fault| fault.code)
    }

    const WRITE: Auth = Auth::Permission { name: "notes:write", own: false };
    const WRITE_OWN: Auth = Auth::Permission { name: "notes:write", own: true };

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
        let ownership = permitted(WRITE_OWN, &SERVICE, Some(&with_role("author"))).unwrap();
        assert!(ownership.expect("ada").is_ok());
        assert_eq!(ownership.expect("bob").unwrap_err().code, Code::Forbidden);
        assert_eq!(ownership.expect_all().unwrap_err().code, Code::Forbidden);
    }

    #[test]
    fn an_application_may_do_what_it_was_given_and_its_person_may() {
        let by = |role: &str, scopes: &[&str]| Some(application(Some(with_role(role)), scopes));
        for (who, auth, expected) in [
            (by("editor", &["notes:write"]), WRITE, Ok(true)),
            (by("editor", &["notes:read"]), WRITE, Err(Code::Forbidden)),
            (by("", &["notes:write"]), WRITE, Err(Code::Forbidden)),
            (by("author", &["notes:write"]), WRITE_OWN, Ok(false)),
            (by("editor", &["notes:write:own"]), WRITE_OWN, Ok(false)),
            (by("editor", &["notes:write:own"]), WRITE, Err(Code::Forbidden)),
            (by("editor", &["notes:write"]), Auth::SignedIn, Err(Code::Forbidden)),
            (Some(application(None, &["notes:write"])), WRITE, Ok(true)),
            (Some(application(None, &[])), WRITE, Err(Code::Forbidden)),
            (Some(application(None, &["notes:write"])), Auth::SignedIn, Err(Code::Forbidden)),
        ] {
            assert_eq!(outcome(auth, who.as_ref()), expected, "{who:?} {auth:?}");
        }
    }

    fn spec(auth: Auth, fresh_s: Option<u32>) -> Spec {
        Spec {
            kind: protocol::Kind::Mutation,
            auth,
            rest: None,
            rest_answer: protocol::RestAnswer::NONE,
            timeout_ms: 1_000,
            memory_mb: 128,
            concurrency: None,
            cache_s: None,
            http: None,
            errors: protocol::ErrorFormat::Problem,
            sensitive: true,
            session: None,
            fresh_s,
            fresh_if: false,
            metered: false,
            has_output: true,
            asks_caller: true,
            fields: &[],
        }
    }

    /// A session says that a user signed in once, and not that it is they who call now.
    #[test]
    fn what_is_fresh_takes_a_person_who_signed_in_a_moment_ago() {
        let at = |ms: i64| Timestamp::from_unix_ms(1_800_000_000_000 + ms);
        let ada = |ms: Option<i64>| Principal { authenticated_at: ms.map(at), ..with_role("editor") };
        let outcome = |auth, fresh_s, who: &Principal| {
            check_permission(&spec(auth, fresh_s), &SERVICE, Some(who), at(0))
                .map(|_| ())
                .map_err(|fault| (fault.code, Reauthenticate::is_reason_of(&fault)))
        };
        for auth in [Auth::SignedIn, WRITE] {
            for (who, expected) in [
                (ada(Some(0)), Ok(())),
                (ada(Some(-300_000)), Ok(())),
                (ada(Some(-300_001)), Err((Code::Forbidden, true))),
                (ada(None), Err((Code::Forbidden, true))),
            ] {
                assert_eq!(outcome(auth, Some(300), &who), expected, "{who:?}");
                assert_eq!(outcome(auth, None, &who), Ok(()));
            }
        }
        // Nobody is there who could sign in again, whatever the token says.
        for person in [None, Some(ada(Some(0)))] {
            let app = application(person, &["notes:write"]);
            assert_eq!(outcome(WRITE, Some(300), &app), Err((Code::Forbidden, false)));
        }
        // Who may not at all is not asked to sign in again.
        assert_eq!(outcome(WRITE, Some(300), &with_role("")), Err((Code::Forbidden, false)));
        assert_eq!(
            check_permission(&spec(WRITE, Some(300)), &SERVICE, None, at(0)).unwrap_err().code,
            Code::Unauthorized
        );
    }

    /// A registration from before it was withheld, a token that was signed by mistake: neither helps.
    #[test]
    fn what_is_withheld_no_application_may_whatever_its_token_says() {
        const GIVE: Auth = Auth::Permission { name: "rights:write", own: false };
        const GIVE_OWN: Auth = Auth::Permission { name: "rights:write", own: true };
        const ALL_MAY: Definition = Definition { permits: |_, _| true, ..SERVICE };
        let outcome =
            |auth, who: &Principal| permitted(auth, &ALL_MAY, Some(who)).map_err(|fault| fault.code).map(|_| ());
        let person = with_role("editor");
        for auth in [GIVE, GIVE_OWN] {
            assert_eq!(outcome(auth, &person), Ok(()));
            for scope in ["rights:write", "rights:write:own"] {
                for application in [application(None, &[scope]), application(Some(person.clone()), &[scope])] {
                    assert_eq!(outcome(auth, &application), Err(Code::Forbidden), "{application:?} {auth:?}");
                    assert_eq!(outcome(WRITE, &application), Err(Code::Forbidden));
                }
            }
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
