//! Sessions: their lookup, their cookie and CSRF token, and their lifetimes. The stored session is an entity of the
//! service's own ([`StoredSession`]).

use std::str::FromStr;

use http::{HeaderMap, HeaderName, HeaderValue, header, request};
use protocol::{Access, Code, Entity, Fault, Grant, Principal, SecretHash, StoredSession};
use serde::Deserialize;
use store::{Read, StoreSession};

use crate::{BoxFuture, opaque::Opaque, site::Site, web};

/// The name of the session's cookie, before the prefix that the [`Site`] adds.
pub const COOKIE: &str = "onefold";
/// The header that carries the token against cross-site requests (CSRF), in requests and in responses.
pub const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");
/// The header that asks a client to renew the cookie.
pub const RENEW_HEADER: HeaderName = HeaderName::from_static("onefold-renew");

/// How the runtime looks sessions up.
#[derive(Clone, Copy)]
pub struct SessionLookup {
    pub(crate) grant: Grant,
    find: fn(StoreSession, SecretHash) -> Lookup<Option<FoundSession>>,
    pub(crate) applications: Option<ApplicationLookup>,
}

/// How the runtime looks third parties' applications up.
#[derive(Clone, Copy)]
pub(crate) struct ApplicationLookup {
    pub(crate) grant: Grant,
    is_there: fn(StoreSession, &str) -> Lookup<bool>,
}

/// A lookup in the store.
type Lookup<T> = BoxFuture<'static, Result<T, Fault>>;

/// A session that was found.
#[derive(Clone, Debug)]
pub(crate) struct FoundSession {
    pub(crate) principal: Principal,
    pub(crate) is_cookie: bool,
    pub(crate) wants_renewal: bool,
}

impl SessionLookup {
    /// Looks sessions up as entities of this type.
    pub const fn of<S: StoredSession>() -> Self {
        Self { grant: Grant::of::<S>(Access::Get), find: find::<S>, applications: None }
    }

    /// Adds third parties' applications of this entity type, each under its `client_id`. Their access ends when the
    /// entity is deleted.
    #[must_use]
    pub const fn with_applications<A: Entity<Id: FromStr>>(self) -> Self {
        let applications = ApplicationLookup { grant: Grant::of::<A>(Access::Get), is_there: is_there::<A> };
        Self { applications: Some(applications), ..self }
    }

    pub(crate) async fn find(&self, session: StoreSession, id: SecretHash) -> Result<Option<FoundSession>, Fault> {
        (self.find)(session, id).await
    }

    /// Whether an application is registered. In a service without applications none is.
    pub(crate) async fn is_registered(&self, session: StoreSession, client_id: &str) -> Result<bool, Fault> {
        match &self.applications {
            Some(applications) => (applications.is_there)(session, client_id).await,
            None => Ok(false),
        }
    }
}

fn is_there<A: Entity<Id: FromStr>>(session: StoreSession, client_id: &str) -> Lookup<bool> {
    let found = client_id.parse().ok().map(|id| Read::<A>::new(session).get(&id));
    Box::pin(async move {
        match found {
            Some(found) => Ok(found.await?.is_some()),
            None => Ok(false),
        }
    })
}

fn find<S: StoredSession>(session: StoreSession, id: SecretHash) -> Lookup<Option<FoundSession>> {
    let now = session.now();
    let found = Read::<S>::new(session).get(&id);
    Box::pin(async move {
        Ok(found.await?.map(|stored| FoundSession {
            principal: stored.principal(),
            is_cookie: stored.is_cookie(),
            wants_renewal: stored.wants_renewal(now),
        }))
    })
}

/// The value of a cookie that a request carries exactly once (RFC 6265 section 4.2).
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// A header that sets a cookie; without a value, a header that removes it.
///
/// `HttpOnly`: scripts cannot read it. `SameSite=Lax`: requests from other sites do not carry it, except when a link
/// is followed.
pub fn set_cookie(site: &Site, name: &str, value: Option<&Opaque>, max_age_s: i64) -> HeaderValue {
    let secure = if site.is_secure() { "; Secure" } else { "" };
    let name = site.cookie_name(name);
    let text = value.map(Opaque::text).unwrap_or_default();
    let age = if value.is_some() { max_age_s.max(0) } else { 0 };
    let cookie = format!("{name}={text}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    let mut header = HeaderValue::try_from(cookie).unwrap_or(HeaderValue::from_static(""));
    header.set_sensitive(true);
    header
}

/// The CSRF token that a page must send with unsafe calls of a cookie session. It is derived from the session's
/// secret, which no other site knows, and does not reveal it.
pub fn csrf_token(session: &Opaque) -> Opaque {
    session.derive(b"csrf")
}

/// Checks that a call with a cookie comes from a page that may make it: the session's cookie alone proves nothing,
/// since a browser sends it with every request (OWASP, "Cross-Site Request Forgery Prevention").
///
/// `body` is the body of a procedure with `http`: a page without scripts sends the token as a field of its form.
pub(crate) fn expect_own_page(
    request::Parts { method, headers, .. }: &request::Parts,
    body: Option<&[u8]>,
    site: &Site,
    session: &Opaque,
) -> Result<(), Fault> {
    if method.is_safe() {
        return Ok(());
    }
    let refuse = |message: &str| Err(Fault::new(Code::Forbidden, message));
    match headers.get(header::ORIGIN) {
        None => return refuse("This call needs the header origin, since a cookie says who is calling."),
        Some(origin) if !site.trusts(origin) => {
            return refuse("This call needs to come from a page of the service: its origin is not one of them.");
        }
        Some(_) => {}
    }
    let presented = match headers.get(CSRF_HEADER) {
        Some(value) => value.to_str().ok().and_then(Opaque::parse),
        None => body.filter(|_| web::is_form(headers)).and_then(csrf_field),
    };
    match presented {
        Some(presented) if presented.is(&csrf_token(session)) => Ok(()),
        _ => refuse("This call needs the header x-csrf-token, with the value that the last answer had."),
    }
}

/// The token in a form, if the field is present exactly once.
fn csrf_field(form: &[u8]) -> Option<Opaque> {
    #[derive(Deserialize)]
    struct Fields {
        csrf_token: String,
    }
    Opaque::parse(&serde_urlencoded::from_bytes::<Fields>(form).ok()?.csrf_token)
}

/// Lifetimes of sessions and tokens.
pub mod lifetime {
    /// The lifetime of an access token, in seconds.
    pub const ACCESS_TOKEN_S: i64 = 15 * 60;
    /// The lifetime of an unused session, in milliseconds.
    pub const IDLE_MS: i64 = 24 * 3_600_000;
    /// The lifetime of any session, in milliseconds.
    pub const ABSOLUTE_MS: i64 = 30 * 24 * 3_600_000;
    /// The lifetime of an application's access that it does not refresh, in milliseconds.
    pub const APPLICATION_IDLE_MS: i64 = 30 * 24 * 3_600_000;
    /// The lifetime of any application's access, in milliseconds: afterwards the person must consent again.
    pub const APPLICATION_ABSOLUTE_MS: i64 = 365 * 24 * 3_600_000;
    /// The lifetime of a cookie session whose holder's rights have changed and that is not renewed, in milliseconds:
    /// that of an access token.
    pub const CHANGED_MS: i64 = ACCESS_TOKEN_S * 1000;
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn request(method: Method, lines: &[(HeaderName, &str)]) -> request::Parts {
        let (mut parts, ()) = http::Request::new(()).into_parts();
        (parts.method, parts.headers) = (method, headers(lines));
        parts
    }

    #[test]
    fn a_cookie_that_comes_twice_is_none() {
        let one = headers(&[(header::COOKIE, "a=1; onefold-local=x; b=2")]);
        assert_eq!(cookie(&one, "onefold-local"), Some("x"));
        assert_eq!(cookie(&one, "onefold"), None);
        let twice = headers(&[(header::COOKIE, "onefold-local=x; onefold-local=y")]);
        assert_eq!(cookie(&twice, "onefold-local"), None);
        let mut lines = headers(&[(header::COOKIE, "onefold-local=x")]);
        lines.append(header::COOKIE, HeaderValue::from_static("onefold-local=y"));
        assert_eq!(cookie(&lines, "onefold-local"), None);
    }

    #[test]
    fn the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let site = Site::new("https://api.example.com", "", "");
        let secret = Opaque::from_bytes([0; 32]);
        assert_eq!(
            set_cookie(&site, COOKIE, Some(&secret), 60),
            "__Host-onefold=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(
            set_cookie(&Site::new("http://localhost:9000", "", ""), COOKIE, None, 60),
            "onefold-local=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn only_own_pages_make_unsafe_calls_with_a_cookie() {
        let site = Site::new("https://api.example.com", "https://app.example.com", "");
        let session = Opaque::random().unwrap();
        let token = csrf_token(&session).text();
        let other = csrf_token(&Opaque::random().unwrap()).text();
        let code = |method: Method, lines: &[(HeaderName, &str)]| {
            expect_own_page(&request(method, lines), None, &site, &session).map_err(|fault| fault.code)
        };
        let app = (header::ORIGIN, "https://app.example.com");
        assert_eq!(code(Method::POST, &[app.clone(), (CSRF_HEADER, &token)]), Ok(()));
        assert_eq!(code(Method::GET, &[]), Ok(()));
        for lines in [
            vec![],
            vec![app.clone()],
            vec![(CSRF_HEADER, token.as_str())],
            vec![app.clone(), (CSRF_HEADER, other.as_str())],
            vec![app, (CSRF_HEADER, &session.text())],
            vec![(header::ORIGIN, "https://evil.example"), (CSRF_HEADER, token.as_str())],
            vec![(header::ORIGIN, "null"), (CSRF_HEADER, token.as_str())],
        ] {
            assert_eq!(code(Method::POST, &lines), Err(Code::Forbidden), "{lines:?}");
        }
    }
    /// What a page without scripts can send. Another site's page can send all of it but the token, and not
    /// under an origin that is ours.
    #[test]
    fn a_form_has_the_token_among_its_fields() {
        let site = Site::new("https://api.example.com", "https://app.example.com", "");
        let session = Opaque::random().unwrap();
        let token = csrf_token(&session).text();
        let own = (header::ORIGIN, "https://api.example.com");
        let form = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let code = |lines: &[(HeaderName, &str)], body: Option<&str>| {
            let request = request(Method::POST, lines);
            expect_own_page(&request, body.map(str::as_bytes), &site, &session).map_err(|fault| fault.code)
        };
        let good = format!("decision=approve&csrf_token={token}");
        let lines = [own.clone(), form.clone()];
        assert_eq!(code(&lines, Some(&good)), Ok(()));
        let other = csrf_token(&Opaque::random().unwrap()).text();
        let wrong = format!("csrf_token={other}");
        for body in
            [None, Some(""), Some("decision=approve"), Some(&wrong), Some(&format!("{good}&csrf_token={token}"))]
        {
            assert_eq!(code(&lines, body), Err(Code::Forbidden), "{body:?}");
        }
        for lines in [
            vec![form.clone()],
            vec![form.clone(), (header::ORIGIN, "https://evil.example")],
            vec![form.clone(), (header::ORIGIN, "null")],
            vec![own.clone()],
            vec![own.clone(), (header::CONTENT_TYPE, "text/plain")],
            vec![own, form, (CSRF_HEADER, &other)],
        ] {
            assert_eq!(code(&lines, Some(&good)), Err(Code::Forbidden), "{lines:?}");
        }
    }
}
