//! Redirect URIs: where a browser is sent back with a code. Whoever controls the target has the code, so the comparison
//! is character by character (RFC 9700 section 4.1.3).

use runtime::site::{self, is_port};

/// The longest redirect URI, in bytes.
pub const MAX_BYTES: usize = 500;

/// The parameters of an authorization response, none of which may occur twice (RFC 6749 sections 3.1, 4.1.2 and
/// 4.1.2.1; RFC 9207).
const OF_ANSWERS: &[&str] = &["code", "state", "iss", "error", "error_description", "error_uri"];

/// The kind of application that a redirect URI is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `https://…`: any application on the web.
    Web,
    /// `http://127.0.0.1/…`: a program on the person's own machine.
    Loopback,
    /// `com.example.app:/…`: an application that is installed on that machine.
    Native,
}

/// Classifies a redirect URI that is to be registered.
///
/// # Errors
/// The reason why it is refused.
pub fn check(uri: &str) -> Result<Kind, &'static str> {
    if uri.len() > MAX_BYTES {
        return Err("it is longer than 500 characters");
    }
    // RFC 3986 section 2 allows nothing else in a URI, and each browser mends it in its own way.
    let odd = |b: u8| !b.is_ascii_graphic() || b"\"<>\\^`{|}".contains(&b);
    if uri.bytes().any(odd) {
        return Err("it has characters that a URI cannot have");
    }
    if uri.contains('#') {
        return Err("it has a fragment");
    }
    let query = uri.split_once('?').map(|(_, query)| query).unwrap_or_default();
    if form_urlencoded::parse(query.as_bytes()).any(|(name, _)| OF_ANSWERS.contains(&&*name)) {
        return Err("it has a parameter of the answer itself, such as code or state");
    }
    let Some((scheme, rest)) = uri.split_once(':') else { return Err("it has no scheme") };
    match (scheme, rest.strip_prefix("//")) {
        ("https", Some(rest)) => authority(rest).map(|_| Kind::Web),
        ("http", Some(rest)) => match authority(rest)? {
            "127.0.0.1" | "[::1]" | "localhost" => Ok(Kind::Loopback),
            _ => Err("http is for loopback addresses: use https"),
        },
        // RFC 8252 section 7.1: the scheme is a domain name of its maker, reversed.
        (scheme, _) if is_reverse_domain(scheme) && rest.starts_with('/') => Ok(Kind::Native),
        _ => Err(
            "it must begin with https://, with http:// and a loopback address, or with a domain the other way round",
        ),
    }
}

/// The host of what follows `//`.
fn authority(rest: &str) -> Result<&str, &'static str> {
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = site::authority(authority);
    // The host may be in either case: the comparison later is character by character.
    if !site::is_host(&host.to_ascii_lowercase()) {
        return Err("it names no host");
    }
    if port.is_some_and(|port| !is_port(port)) {
        return Err("its port is none");
    }
    Ok(host)
}

fn is_reverse_domain(scheme: &str) -> bool {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.contains('.') && scheme.split('.').all(word)
}

/// Whether the requested redirect URI is a registered one: equal character by character. Only the port of a loopback IP
/// may differ (RFC 8252 section 7.3), since a program takes one that is free.
pub fn matches(registered: &str, given: &str) -> bool {
    registered == given
        || match (without_loopback_port(registered), without_loopback_port(given)) {
            (Some(registered), Some(given)) => registered == given,
            _ => false,
        }
}

/// The host of a loopback URI and what follows the port: for `http://127.0.0.1:51004/callback`, `127.0.0.1` and
/// `/callback`.
fn without_loopback_port(uri: &str) -> Option<(&str, &str)> {
    let host = ["http://127.0.0.1", "http://[::1]"].into_iter().find(|host| uri.starts_with(host))?;
    let rest = &uri[host.len()..];
    let end = |text: &str| text.find(['/', '?']).unwrap_or(text.len());
    match rest.strip_prefix(':') {
        Some(rest) => {
            let (port, rest) = rest.split_at(end(rest));
            is_port(port).then_some((host, rest))
        }
        None => (end(rest) == 0).then_some((host, rest)),
    }
}

/// A redirect URI with the parameters of a response (RFC 6749 section 4.1.2) after its own.
pub fn with(uri: &str, parameters: &[(&str, &str)]) -> String {
    let between = if uri.contains('?') { '&' } else { '?' };
    let parameters = serde_urlencoded::to_string(parameters).unwrap_or_default();
    format!("{uri}{between}{parameters}")
}

/// What a page's `form-action` must allow for its form to end at this address. A browser applies the directive to
/// redirects as well, and an application's page may redirect to another page on the web.
pub fn form_action(uri: &str) -> String {
    match check(uri) {
        Ok(Kind::Loopback) => {
            let end = uri[7..].find(['/', '?']).map_or(uri.len(), |at| at + 7);
            match &uri[..end] {
                // A policy cannot name an IPv6 address (Content Security Policy 3, section 2.3.1).
                origin if origin.contains('[') => "https: http:".to_owned(),
                origin => format!("https: {origin}"),
            }
        }
        Ok(Kind::Native) => format!("https: {}:", uri.split(':').next().unwrap_or_default()),
        Ok(Kind::Web) | Err(_) => "https:".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_registered() {
        for (uri, kind) in [
            ("https://app.example.com/callback", Kind::Web),
            ("https://app.example.com:8443/callback?tenant=1", Kind::Web),
            ("https://app.example.com", Kind::Web),
            ("https://intranet/callback?stated=1&my_code=2", Kind::Web),
            ("https://192.0.2.1/callback", Kind::Web),
            ("https://[2001:db8::1]:8443/callback", Kind::Web),
            ("https://xn--mller-kva.example/callback", Kind::Web),
            ("http://127.0.0.1/callback", Kind::Loopback),
            ("http://127.0.0.1:51004/callback", Kind::Loopback),
            ("http://[::1]:51004/callback", Kind::Loopback),
            ("http://localhost:3000/callback", Kind::Loopback),
            ("com.example.app:/callback", Kind::Native),
            ("com.example.app://callback", Kind::Native),
        ] {
            assert_eq!(check(uri), Ok(kind), "{uri}");
        }
    }

    #[test]
    fn what_may_not() {
        for uri in [
            "",
            "callback",
            "/callback",
            "//app.example.com/callback",
            "http://app.example.com/callback",
            "http://127.0.0.1.example.com/callback",
            "http://127.0.0.1@example.com/callback",
            "http://127.0.0.1:80@example.com/callback",
            "http://127.0.0.2/callback",
            "http://0.0.0.0/callback",
            "http://[::2]/callback",
            "http:/127.0.0.1/callback",
            "https:///callback",
            "https://",
            "https://user@app.example.com/callback",
            "https://user:password@app.example.com/callback",
            "https://*.example.com/callback",
            "https://app.example.com:port/callback",
            "https://app.example.com:0/callback",
            "https://app.example.com:65536/callback",
            "https://app.example.com/callback#",
            "https://app.example.com/callback#fragment",
            "https://[zz]/",
            "https://[::1/",
            "https://a..example/",
            "https://a.example./",
            "https://-/",
            "https://-a.example/",
            "https://xn--a/",
            "https://1.2.3.999/",
            "https://1.2.3/",
            "https://0x7f/",
            "https://app.example.com/callback?state=own",
            "https://app.example.com/callback?a=b&code=fixed",
            "https://app.example.com/callback?iss",
            "https://app.example.com/callback?%73tate=own",
            "http://127.0.0.1/callback?error=own",
            "com.example.app:/callback?error_description=own",
            "https://app.example.com\\@evil.example/callback",
            "https://app.example.com/call back",
            "https://app.example.com/callback\r\nset-cookie: a=b",
            "https://münchen.example/callback",
            "HTTPS://app.example.com/callback",
            "javascript:alert(1)",
            "javascript://app.example.com/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "myapp:/callback",
            "myapp://callback",
            ".example:/callback",
            "com..app:/callback",
            "1com.example:/callback",
            "com.example.app:callback",
            &format!("https://app.example.com/{}", "a".repeat(500)),
        ] {
            assert!(check(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn what_is_given_is_what_was_registered() {
        let registered = "https://app.example.com/callback";
        assert!(matches(registered, registered));
        for given in [
            "",
            "https://app.example.com/callback/",
            "https://app.example.com/callback?",
            "https://app.example.com/callback?next=1",
            "https://app.example.com/callback/../evil",
            "https://app.example.com/Callback",
            "https://APP.example.com/callback",
            "https://app.example.com:443/callback",
            "https://app.example.com/callback#",
            "https://app.example.com.evil.example/callback",
            "https://app.example.com@evil.example/callback",
            "https://evil.example/?https://app.example.com/callback",
            "http://app.example.com/callback",
            "https://app.example.com/%63allback",
            "https://app.example.com",
        ] {
            assert!(!matches(registered, given), "{given}");
        }
    }

    #[test]
    fn a_program_on_the_own_machine_takes_a_port_that_is_free() {
        for registered in ["http://127.0.0.1/callback", "http://127.0.0.1:3000/callback"] {
            for given in ["http://127.0.0.1/callback", "http://127.0.0.1:51004/callback"] {
                assert!(matches(registered, given), "{registered} {given}");
            }
            for given in [
                "http://127.0.0.1:51004/callback2",
                "http://127.0.0.1:51004",
                "http://127.0.0.1:51004@evil.example/callback",
                "http://127.0.0.1:/callback",
                "http://127.0.0.1:0/callback",
                "http://127.0.0.1:99999/callback",
                "http://127.0.0.1:+80/callback",
                "http://127.0.0.10/callback",
                "http://127.0.0.1.evil.example/callback",
                "http://[::1]:51004/callback",
                "http://localhost:51004/callback",
                "https://127.0.0.1:51004/callback",
            ] {
                assert!(!matches(registered, given), "{registered} {given}");
            }
        }
        assert!(matches("http://[::1]/", "http://[::1]:1/"));
        // The name is resolved by others; only the address is of this machine for certain.
        assert!(!matches("http://localhost:3000/callback", "http://localhost:51004/callback"));
    }

    #[test]
    fn parameters_are_added_to_those_that_are_there() {
        assert_eq!(
            with("https://a.example/c", &[("code", "x"), ("state", "a&b=c d")]),
            "https://a.example/c?code=x&state=a%26b%3Dc+d"
        );
        assert_eq!(with("https://a.example/c?t=1", &[("code", "x")]), "https://a.example/c?t=1&code=x");
    }

    #[test]
    fn a_form_may_end_where_the_code_goes() {
        assert_eq!(form_action("https://a.example/c"), "https:");
        assert_eq!(form_action("http://127.0.0.1:51004/c"), "https: http://127.0.0.1:51004");
        assert_eq!(form_action("http://[::1]:51004/c"), "https: http:");
        assert_eq!(form_action("com.example.app:/c"), "https: com.example.app:");
    }
}
