//! The few small pages that the service shows itself. They load nothing from other origins, run no script but their
//! own, and cannot be framed by other pages (OWASP, "Clickjacking Defense").

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use http::StatusCode;
use protocol::{Code, escape};
use ring::digest::{SHA256, digest};

use crate::HttpReply;

/// The style of all pages: no fonts, no pictures, and the colours that the reader has chosen in the browser.
pub const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;margin:0;padding:1rem}\
main{max-width:32rem;margin:2rem auto}\
label{display:block;margin:.75rem 0}\
input{font:inherit;display:block;width:100%;box-sizing:border-box;padding:.5rem}\
button{font:inherit;padding:.5rem 1.25rem;margin:.5rem .5rem 0 0}\
code{overflow-wrap:anywhere}\
.quiet{opacity:.75}";

/// A page that loads nothing.
#[derive(Clone, Debug)]
pub struct HtmlPage {
    title: String,
    body: String,
    style: &'static str,
    script: &'static str,
    form_action: String,
}

impl HtmlPage {
    /// Creates a page. `body` is HTML: dynamic text in it must be [escaped](escape::html). `style` is CSS.
    pub fn new(title: &str, style: &'static str, body: String) -> Self {
        Self { title: title.to_owned(), body, style, script: "", form_action: String::new() }
    }

    /// Adds a script, which may call the service.
    #[must_use]
    pub fn script(self, script: &'static str) -> Self {
        Self { script, ..self }
    }

    /// Allows forms, which may go to the service and to these additional sources by redirects (Content Security
    /// Policy 3, section 6.4.1).
    #[must_use]
    pub fn form_to(self, sources: &str) -> Self {
        Self { form_action: format!("'self' {sources}"), ..self }
    }

    /// The page as a 200 response.
    pub fn into_reply(self) -> HttpReply {
        self.with(StatusCode::OK)
    }

    /// The page as the response to a refused request, with the code's status.
    pub fn into_refusal(self, code: Code) -> HttpReply {
        self.with(StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
    }

    /// The page as a response with this status.
    pub(crate) fn with(self, status: StatusCode) -> HttpReply {
        let Self { title, body, style, script, form_action } = self;
        let none = |sources: String| if sources.is_empty() { "'none'".to_owned() } else { sources };
        let policy = format!(
            "default-src 'none'; style-src {}; script-src {}; connect-src {}; form-action {}; frame-ancestors 'none'; \
             base-uri 'none'",
            none(source(style)),
            none(source(script)),
            if script.is_empty() { "'none'" } else { "'self'" },
            none(form_action),
        );
        let script = if script.is_empty() { String::new() } else { format!("<script>{script}</script>\n") };
        let title = escape::html(&title);
        let page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{style}</style>\n\
             <main>\n{body}</main>\n{script}"
        );
        HttpReply::html(status, page, &policy)
    }
}

/// A part of the page as a source in a policy: its hash.
fn source(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!("'sha256-{}'", BASE64.encode(digest(&SHA256, text.as_bytes()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(page: HtmlPage) -> (http::HeaderMap, String) {
        let (parts, body) = page.into_reply().into_response().into_parts();
        (parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[test]
    fn a_page_may_do_what_it_was_made_for() {
        let (headers, _) = said(HtmlPage::new("A", "", String::new()));
        assert_eq!(
            headers["content-security-policy"],
            "default-src 'none'; style-src 'none'; script-src 'none'; connect-src 'none'; form-action 'none'; \
             frame-ancestors 'none'; base-uri 'none'"
        );
        for (name, value) in
            [("x-frame-options", "DENY"), ("cache-control", "no-store"), ("referrer-policy", "same-origin")]
        {
            assert_eq!(headers[name], value);
        }
        // `printf 'alert(1)' | openssl dgst -sha256 -binary | base64`
        let (headers, page) = said(HtmlPage::new("A", "", String::new()).script("alert(1)").form_to("https:"));
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.contains("script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='; connect-src 'self'")
        );
        assert!(policy.contains("form-action 'self' https:;"));
        assert!(page.contains("<script>alert(1)</script>"));
    }

    #[test]
    fn a_title_stays_a_text() {
        let (_, page) = said(HtmlPage::new("</title><script>alert(1)</script>", "", String::new()));
        assert!(!page.contains("<script>"));
    }
}
