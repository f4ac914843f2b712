//! The pages to which mails and applications lead, for a service that has none of its own: what a frontend does with the
//! same procedures.

use runtime::{HtmlPage, HttpReply, Site, html_page::STYLE};

use crate::Password;

/// One page: what it is called in an address, what it says, and what it does.
pub(crate) struct Shown {
    /// Its path, as that of a frontend's page.
    pub path: &'static str,
    /// Its title.
    pub title: &'static str,
    /// HTML below the title; [`SHORTEST`] stands for the length of a password.
    pub body: &'static str,
    /// What runs in it.
    pub script: &'static str,
}

/// How many characters a password has at least, in a page's text.
const SHORTEST: &str = "{shortest}";

impl Shown {
    /// Where it is: the frontend's page, or this one where there is no frontend.
    pub fn address(&self, site: &Site) -> String {
        format!("{}/{}", site.app_url(), self.path)
    }

    /// The page; or the way to that of the frontend, if there is one, with the query of this request. A browser takes
    /// what stands behind `#` along (Fetch, HTTP-redirect fetch).
    pub fn reply(&self, site: &Site, query: &str) -> Result<HttpReply, protocol::Fault> {
        if site.has_separate_pages() {
            let query = if query.is_empty() { String::new() } else { format!("?{query}") };
            return HttpReply::redirect(&(self.address(site) + &query));
        }
        let Self { title, body, script, .. } = self;
        let body = body.replace(SHORTEST, &Password::MIN_CHARS.to_string());
        let body = format!("<h1>{title}</h1>\n{body}<noscript>This page needs JavaScript.</noscript>\n");
        // No form of it is sent: where the script does not run, none is shown, and the policy lets none go.
        Ok(HtmlPage::new(title, STYLE, body).script(script).into_reply())
    }
}

/// A page of this module's folder: its HTML, and its script behind what all scripts begin with. Each is one text of the
/// program, so that the policy of the page can name it by its hash.
macro_rules! shown {
    ($path:literal, $title:literal, $file:literal) => {
        Shown {
            path: $path,
            title: $title,
            body: include_str!(concat!("pages/", $file, ".html")),
            script: concat!(include_str!("pages/common.js"), include_str!(concat!("pages/", $file, ".js"))),
        }
    };
}

/// Proves the address at once in the browser that registered, and asks any other one for the password. Where the link is
/// not good, or there is none, another one can be asked for.
pub(crate) const VERIFY_EMAIL: Shown = shown!("verify-email", "Confirm your e-mail address", "verify_email");

/// Takes a new password, by a mailed link; without one, mails it.
pub(crate) const RESET_PASSWORD: Shown = shown!("reset-password", "Choose a new password", "reset_password");

/// Signs in with a password, or by way of an account elsewhere. Then it goes on to `return_to`, if that is an address of
/// the service; where none is given, who is signed in is told so. It says in words why nobody was signed in elsewhere.
pub(crate) const SIGN_IN: Shown = shown!("sign-in", "Sign in", "sign_in");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_with_a_frontend_shows_none_of_its_own() {
        let place = |site: &Site| {
            let (parts, body) = VERIFY_EMAIL.reply(site, "a=b").unwrap().into_response().into_parts();
            (parts.headers.get("location").cloned(), String::from_utf8(body.to_vec()).unwrap())
        };
        let (location, page) = place(&Site::new("http://127.0.0.1:9000", "", ""));
        assert!(location.is_none() && page.contains("<h1>Confirm your e-mail address</h1>"));
        let (location, _) = place(&Site::new("http://127.0.0.1:9000", "https://app.example.com/in", ""));
        assert_eq!(location.unwrap(), "https://app.example.com/in/verify-email?a=b");
    }
}
