//! Origin and host checks: which requests the servers of this machine accept.
//!
//! A server on 127.0.0.1 is not private: every page that is open in a browser of this machine can send requests to it.
//! A page sends them under its own `Origin`. Or its host's name resolves to this machine by now (DNS rebinding): then
//! it has the same origin as the server, but a foreign `Host`. No page can choose these headers, so each server here
//! checks them before anything else.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, Version, header, request::Parts};
use http_body_util::Full;
use protocol::{Code, Fault};
use runtime::{
    Site,
    cors::Cors,
    site::{host_in, is_loopback},
};

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AdmissionError {
    /// It names no valid host, or several (RFC 9112 section 3.2).
    InvalidHost,
    /// Its host is not this machine.
    Host,
    /// Its page is not allowed.
    Page,
}

impl AdmissionError {
    fn message(self) -> &'static str {
        match self {
            Self::InvalidHost => {
                "A request says once to which host it is sent: a name or an address, and perhaps a port."
            }
            Self::Host => "This service does not answer under that name: --app-url tells it another one.",
            Self::Page => "Pages of that origin may not call this service: --allowed-origins lists those that may.",
        }
    }

    /// The response of a server that has no error format of its own.
    pub(crate) fn response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::from(self.message()));
        *response.status_mut() = StatusCode::from_u16(self.code().http_status()).unwrap_or(StatusCode::FORBIDDEN);
        for (name, value) in [(header::CACHE_CONTROL, "no-store"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")] {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        response
    }

    fn code(self) -> Code {
        if self == Self::InvalidHost { Code::BadRequest } else { Code::Forbidden }
    }
}

impl From<AdmissionError> for Fault {
    fn from(refusal: AdmissionError) -> Self {
        Self::new(refusal.code(), refusal.message())
    }
}

/// Admits a request to a server that stands for one of the cloud's: only programs of this machine ask it, never a page.
pub(crate) fn admit_program(parts: &Parts) -> Result<(), AdmissionError> {
    // Browsers send no `Origin` with some requests, such as those for an image, but this header (W3C, "Fetch Metadata
    // Request Headers").
    let is_of_page = [header::ORIGIN.as_str(), "sec-fetch-site"].iter().any(|name| parts.headers.contains_key(*name));
    check_host(parts, is_loopback)?;
    if is_of_page { Err(AdmissionError::Page) } else { Ok(()) }
}

/// Admits a request to the service: from programs, from its own pages, from pages of this machine, and from listed
/// origins.
pub(crate) fn admit_caller(parts: &Parts, site: &Site, cors: &Cors) -> Result<(), AdmissionError> {
    let mut origins = parts.headers.get_all(header::ORIGIN).iter();
    check_host(parts, |host| site.answers_to(host))?;
    if origins.all(|origin| cors.admits(site, origin)) { Ok(()) } else { Err(AdmissionError::Page) }
}

/// Checks that the request names one host (RFC 9112 section 3.2), which is ours. HTTP/1.0 may omit it; browsers, and so
/// all pages, have a later version and send it always.
fn check_host(parts: &Parts, is_own: impl Fn(&str) -> bool) -> Result<(), AdmissionError> {
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host),
        (None, _) if parts.version == Version::HTTP_10 => None,
        _ => return Err(AdmissionError::InvalidHost),
    };
    let host = host.map(|host| host.to_str().map_err(|_| AdmissionError::InvalidHost)).transpose()?;
    let target = parts.uri.authority().map(http::uri::Authority::as_str);
    for named in host.into_iter().chain(target) {
        // An empty value counts as absent.
        match host_in(named) {
            None if !named.is_empty() => return Err(AdmissionError::InvalidHost),
            Some(name) if is_own(name) => {}
            _ => return Err(AdmissionError::Host),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn request(target: &str, headers: &[(&str, &str)]) -> Parts {
        let request = headers.iter().fold(Request::get(target), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn what_is_sent_to_another_name_is_not_for_this_machine() {
        let site = Site::new("http://127.0.0.1:9000", "http://app.test:5173", "https://pages.test");
        let verdicts = |target: &str, hosts: &[&str]| {
            let parts = request(target, &hosts.iter().map(|host| ("host", *host)).collect::<Vec<_>>());
            let any = admit_caller(&parts, &site, &Cors::AnyOrigin);
            (any == Ok(()), admit_program(&parts) == Ok(()))
        };
        for own in ["127.0.0.1", "127.0.0.1:1", "localhost:9000", "LOCALHOST", "[::1]:9000", "a.localhost"] {
            assert_eq!(verdicts("/", &[own]), (true, true), "{own}");
        }
        for told in ["app.test", "app.test:9000", "App.Test", "pages.test:443"] {
            assert_eq!(verdicts("/", &[told]), (true, false), "{told}");
        }
        for refusal in ["", "evil.example", "evil.example:9000", "0.0.0.0:9000", "localhost.evil.example", "10.0.0.1"] {
            assert_eq!(verdicts("/", &[refusal]), (false, false), "{refusal}");
        }
        assert_eq!(verdicts("/", &[]), (false, false), "it does not say to whom");
        assert_eq!(verdicts("/", &["localhost", "evil.example"]), (false, false));
        assert_eq!(verdicts("http://evil.example/", &["localhost"]), (false, false));
        assert_eq!(verdicts("http://localhost/", &["localhost"]), (true, true));
        for none in [
            "localhost/evil",
            "evil.example,a.localhost",
            "localhost:99999999",
            "user@localhost",
            "localhost, localhost",
        ] {
            let parts = request("/", &[("host", none)]);
            assert_eq!(admit_caller(&parts, &site, &Cors::AnyOrigin), Err(AdmissionError::InvalidHost), "{none}");
            assert_eq!(admit_program(&parts), Err(AdmissionError::InvalidHost), "{none}");
        }
        assert_eq!(
            admit_program(&request("http://user@localhost/", &[("host", "localhost")])),
            Err(AdmissionError::InvalidHost)
        );
        let old = |target: &str, headers: &[(&str, &str)]| {
            let mut parts = request(target, headers);
            parts.version = Version::HTTP_10;
            (admit_caller(&parts, &site, &Cors::from_list("http://127.0.0.1:9000")), admit_program(&parts))
        };
        assert_eq!(old("/", &[]), (Ok(()), Ok(())), "HTTP/1.0 need not say it");
        for (target, headers) in
            [("/", &[("host", "evil.example")][..]), ("/", &[("host", "")]), ("http://evil.example/", &[])]
        {
            assert_eq!(old(target, headers), (Err(AdmissionError::Host), Err(AdmissionError::Host)), "{headers:?}");
        }
        assert_eq!(old("/", &[("host", "localhost"), ("host", "localhost")]).0, Err(AdmissionError::InvalidHost));
        assert_eq!(old("/", &[("origin", "https://evil.example")]).0, Err(AdmissionError::Page), "a page is a page");
        for hosts in [&[][..], &[("host", "localhost"), ("host", "localhost")]] {
            let parts = request("/", hosts);
            assert_eq!(admit_caller(&parts, &site, &Cors::AnyOrigin), Err(AdmissionError::InvalidHost));
            assert_eq!(admit_program(&parts), Err(AdmissionError::InvalidHost));
        }
        assert_eq!(
            (AdmissionError::InvalidHost.response().status(), AdmissionError::Host.response().status()),
            (StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN)
        );
    }

    #[test]
    fn a_page_asks_the_service_if_it_may_and_nothing_behind_it() {
        let site = Site::new("http://127.0.0.1:9000", "https://app.test", "");
        let verdicts = |name: &str, value: &str, cors: &Cors| {
            let parts = request("/", &[("host", "localhost:9000"), (name, value)]);
            (admit_caller(&parts, &site, cors), admit_program(&parts))
        };
        let own = Cors::from_list("http://127.0.0.1:9000");
        for page in ["http://127.0.0.1:9000", "http://localhost:5173", "https://app.test"] {
            assert_eq!(verdicts("origin", page, &own), (Ok(()), Err(AdmissionError::Page)), "{page}");
        }
        for page in ["https://evil.example", "null", "", "http://localhost.evil.example", "http://app.test"] {
            assert_eq!(
                verdicts("origin", page, &own),
                (Err(AdmissionError::Page), Err(AdmissionError::Page)),
                "{page}"
            );
            assert_eq!(verdicts("origin", page, &Cors::AnyOrigin).0, Ok(()), "{page}");
        }
        assert_eq!(verdicts("sec-fetch-site", "cross-site", &own), (Ok(()), Err(AdmissionError::Page)), "a link to it");
        assert_eq!(verdicts("accept", "*/*", &own), (Ok(()), Ok(())));
    }
}
