//! The service's addresses, the pages that it trusts, and the names of its cookies.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::{HeaderValue, uri::Authority};
use idna::{
    AsciiDenyList,
    uts46::{DnsLength, Hyphens, Uts46},
};

/// The service's addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    url: String,
    app_url: String,
    /// Origins whose pages may call with a cookie, in addition to the service's own.
    origins: Vec<String>,
    /// Whether pages of this machine are trusted: for development.
    loopback: bool,
}

impl Site {
    /// `url` is the service's address, such as `https://api.example.com`. `app_url` is the address of its pages;
    /// empty if it is the same. `origins` is a list separated by commas, as for [`Cors`](crate::cors::Cors); `*`
    /// trusts no page.
    ///
    /// A service at a loopback address without TLS is under development: it trusts all pages of this machine,
    /// whatever their port.
    pub fn new(url: &str, app_url: &str, origins: &str) -> Self {
        let url = url.trim_end_matches('/').to_owned();
        let app_url = if app_url.is_empty() { url.clone() } else { app_url.trim_end_matches('/').to_owned() };
        let mut origins: Vec<String> = Self::listed(origins).map(str::to_owned).collect();
        origins.extend(origin_of(&app_url).map(str::to_owned));
        let loopback = url.strip_prefix("http://").is_some_and(is_loopback);
        Self { url, app_url, origins, loopback }
    }

    /// The origins of a list separated by commas; `*` is no origin.
    pub fn listed(origins: &str) -> impl Iterator<Item = &str> {
        origins.split(',').map(str::trim).filter(|origin| !origin.is_empty() && *origin != "*")
    }

    /// Whether this is the base address of pages on the web, to which paths can be added: an
    /// [origin](Self::is_origin), and optionally a path.
    pub fn is_address(text: &str) -> bool {
        let of_path = |byte: u8| byte.is_ascii_graphic() && !b"?#\"<>\\^`{|}".contains(&byte);
        origin_of(text).is_some_and(|origin| Self::is_origin(origin) && text[origin.len()..].bytes().all(of_path))
    }

    /// Whether this is an origin on the web, as browsers write it: a scheme, a host and optionally a port.
    pub fn is_origin(text: &str) -> bool {
        let web = [("http://", "80"), ("https://", "443")];
        let Some((rest, usual)) = web.iter().find_map(|(scheme, port)| Some((text.strip_prefix(scheme)?, *port)))
        else {
            return false;
        };
        let (host, port) = authority(rest);
        is_host(host) && port.is_none_or(|port| is_port(port) && port != usual && !port.starts_with('0'))
    }

    /// The service's address without a slash at the end, which is the issuer of its tokens. Empty if it is not set.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address of its pages, without a slash at the end.
    pub fn app_url(&self) -> &str {
        &self.app_url
    }

    /// Whether its pages have another address than the service, as those of a frontend do.
    pub fn has_separate_pages(&self) -> bool {
        self.app_url != self.url
    }

    /// Whether a page of this origin may call with a cookie.
    pub fn trusts(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        origin_of(&self.url) == Some(origin)
            || self.origins.iter().any(|known| known == origin)
            || (self.loopback && host_of(origin).and_then(host_in).is_some_and(is_loopback))
    }

    /// Whether a request with this `Host` is for this service: it is the host of the service or of its pages, and
    /// under development any name of this machine. This refuses pages whose own host name was pointed at this
    /// service's address (DNS rebinding).
    pub fn answers_to(&self, host: &str) -> bool {
        let Some(host) = host_in(host) else { return false };
        let is_named = |url: &String| {
            let own = origin_of(url).and_then(host_of).and_then(host_in);
            own.is_some_and(|own| own.eq_ignore_ascii_case(host))
        };
        (self.loopback && is_loopback(host)) || is_named(&self.url) || self.origins.iter().any(is_named)
    }

    /// Whether cookies travel over TLS only. In development they do not: browsers differ in whether they keep a
    /// `Secure` cookie of a plain `http://127.0.0.1`.
    pub fn is_secure(&self) -> bool {
        !self.loopback
    }

    /// Whether the service is under development: at a loopback address without TLS, which only this machine reaches.
    pub fn is_local(&self) -> bool {
        self.loopback
    }

    /// The name of a cookie. The prefix `__Host-` (RFC 6265bis section 4.1.3.2) binds it to this host and to TLS.
    pub fn cookie_name(&self, name: &str) -> String {
        if self.is_secure() { format!("__Host-{name}") } else { format!("{name}-local") }
    }
}

/// The origin of a URL: `https://a.example.com` of `https://a.example.com/b`.
fn origin_of(url: &str) -> Option<&str> {
    let scheme = url.find("://")? + 3;
    let end = url[scheme..].find(['/', '?', '#']).map_or(url.len(), |at| scheme + at);
    (end > scheme).then(|| &url[..end])
}

/// The host and port of an origin: `localhost:5173` of `http://localhost:5173`.
fn host_of(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, host)| host)
}

/// Splits a host from its port, if there is one.
pub fn authority(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    }
}

/// Whether this is a host as browsers write it: an IP address, or a name in its ASCII form and in lower case, which
/// DNS can resolve. A name that ends in a number would be an IPv4 address (URL, section 3.5).
pub fn is_host(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let last = text.rsplit('.').next().unwrap_or_default();
    let digits = last.strip_prefix("0x").unwrap_or(last);
    if digits.bytes().all(|byte| byte.is_ascii_digit() || (digits != last && byte.is_ascii_hexdigit())) {
        return text.parse::<Ipv4Addr>().is_ok();
    }
    let ascii = Uts46::new().to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify);
    ascii.is_ok_and(|ascii| ascii == text)
}

/// Whether this is a port number.
pub fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Whether a host is a loopback name of this machine; it may have a port, and a path.
pub fn is_loopback(rest: &str) -> bool {
    let name = host_in(rest.split(['/', '?', '#']).next().unwrap_or_default()).unwrap_or_default();
    let name = name.to_ascii_lowercase();
    matches!(&*name, "localhost" | "127.0.0.1" | "[::1]") || name.ends_with(".localhost")
}

/// The host in a value of `Host`, which is a host and optionally a port (RFC 9110 section 7.2); none where it is
/// neither. Only names that DNS can have are accepted: a comma comes from a proxy that joined two lines.
pub fn host_in(text: &str) -> Option<&str> {
    let authority: Authority = text.parse().ok()?;
    // Anything before the host would be user information.
    let host = text.get(..authority.host().len()).filter(|host| *host == authority.host())?;
    let is_host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']')?.parse::<Ipv6Addr>().is_ok(),
        None => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    };
    let port = match &text[host.len()..] {
        "" => "",
        behind => behind.strip_prefix(':')?,
    };
    let is_port = port.is_empty() || (port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok());
    (is_host && is_port).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(site: &Site, origin: &str) -> bool {
        site.trusts(&HeaderValue::from_str(origin).unwrap())
    }

    #[test]
    fn a_deployed_service_trusts_itself_and_whom_it_was_told() {
        let site = Site::new("https://api.example.com/", "https://app.example.com/in", "https://b.example.com, *");
        for origin in ["https://api.example.com", "https://app.example.com", "https://b.example.com"] {
            assert!(trusts(&site, origin), "{origin}");
        }
        for origin in [
            "null",
            "*",
            "http://api.example.com",
            "https://api.example.com:8443",
            "https://api.example.com.evil.example",
            "https://evil.example",
            "http://localhost:5173",
            "",
        ] {
            assert!(!trusts(&site, origin), "{origin}");
        }
        assert_eq!((site.cookie_name("onefold").as_str(), site.is_secure()), ("__Host-onefold", true));
    }

    #[test]
    fn a_service_under_development_trusts_the_pages_of_its_machine() {
        let site = Site::new("http://127.0.0.1:9000", "", "");
        for origin in ["http://127.0.0.1:9000", "http://localhost:5173", "http://127.0.0.1:1", "http://[::1]:3000"] {
            assert!(trusts(&site, origin), "{origin}");
        }
        for origin in ["http://evil.example", "http://localhost.evil.example", "http://127.0.0.1.evil.example", "null"]
        {
            assert!(!trusts(&site, origin), "{origin}");
        }
        assert_eq!((site.cookie_name("onefold").as_str(), site.is_secure()), ("onefold-local", false));
    }

    #[test]
    fn an_address_of_pages_is_one_that_links_can_begin_with() {
        for good in [
            "http://localhost:5173",
            "http://127.0.0.1:5173/",
            "http://[::1]:5173",
            "https://app.example.com",
            "https://app.example.com:8443/in",
            "https://xn--mller-kva.example/a%20b",
        ] {
            assert!(Site::is_address(good), "{good}");
        }
        for bad in [
            "",
            "localhost:5173",
            "ftp://app.example.com",
            "http://",
            "http:///in",
            "http://localhost:5173/?a=b",
            "http://localhost:5173?",
            "http://localhost:5173/#a",
            "http://loc alhost:5173",
            " http://localhost:5173",
            "http://localhost:5173/a b",
            "http://localhost:99999",
            "http://localhost:0",
            "http://localhost:",
            "http://localhost:05173",
            "http://user:pw@localhost:5173",
            "http://user@localhost",
            "http://müller.example",
            "http://a..example",
            "http://.example",
            "http://-a.example",
            "http://1.2.3.999",
            "http://1.2.3",
            "http://0x7f",
            "http://[zz]",
            "http://[::1",
            "https://xn--a",
            "https://app_.example.com",
            // Browsers write these otherwise, so that no origin of theirs would be the same.
            "https://App.example.com",
            "HTTPS://app.example.com",
            "https://app.example.com:443",
            "http://localhost:80",
        ] {
            assert!(!Site::is_address(bad), "{bad}");
        }
        assert!(Site::is_origin("https://app.example.com") && !Site::is_origin("https://app.example.com/"));
    }

    #[test]
    fn a_host_is_a_name_or_an_address_and_perhaps_a_port() {
        for (text, host) in [
            ("localhost", "localhost"),
            ("a.LOCALHOST:5173", "a.LOCALHOST"),
            ("127.0.0.1:1", "127.0.0.1"),
            ("[::1]:65535", "[::1]"),
            ("[::1]", "[::1]"),
            // The grammar has it so.
            ("localhost:", "localhost"),
        ] {
            assert_eq!(host_in(text), Some(host), "{text}");
        }
        for none in NO_HOSTS {
            assert_eq!(host_in(none), None, "{none}");
            let site = Site::new("http://127.0.0.1:9000", "", "");
            assert!(!site.answers_to(none) && !trusts(&site, &format!("http://{none}")), "{none}");
        }
    }

    const NO_HOSTS: [&str; 19] = [
        "",
        "localhost/evil",
        "localhost?x=evil.example",
        "localhost#a",
        "evil example.localhost",
        "evil.example,a.localhost",
        "user@localhost",
        "user:pw@localhost:1",
        "localhost:99999999",
        "localhost:+1",
        "localhost:1:1",
        "localhost:a",
        "evil%2Eexample.localhost",
        "[::1",
        "[::1].evil.example",
        "[::1]evil.example:80",
        "[::1].localhost",
        "[zz].localhost",
        "http://localhost",
    ];

    #[test]
    fn without_an_address_nobody_is_trusted_and_cookies_are_safe() {
        let site = Site::new("", "", "");
        assert!(!trusts(&site, "http://localhost:5173") && !trusts(&site, ""));
        assert!(site.is_secure());
    }
}
