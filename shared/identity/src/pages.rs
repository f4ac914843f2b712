//! The pages to which mails and applications lead, for a service without a frontend: they call the procedures that a
//! frontend would.

use runtime::{HtmlPage, HttpReply, Site, html_page::STYLE};

use crate::Password;

/// One page: its path, its text and its script.
pub(crate) struct StaticPage {
    /// Its path, equal to that of a frontend's page.
    pub path: &'static str,
    /// Its title.
    pub title: &'static str,
    /// The HTML below the title; [`MIN_CHARS_PLACEHOLDER`] stands for the least length of a password.
    pub body: &'static str,
    /// The script of the page.
    pub script: &'static str,
}

/// The placeholder for the least length of a password, in characters.
const MIN_CHARS_PLACEHOLDER: &str = "{shortest}";

impl StaticPage {
    /// The page's address: at the frontend, or here if there is none.
    pub fn address(&self, site: &Site) -> String {
        format!("{}/{}", site.app_url(), self.path)
    }

    /// Returns the page, or a redirect to the frontend's page with the query of this request. A browser keeps the
    /// fragment across a redirect (Fetch, HTTP-redirect fetch).
    pub fn reply(&self, site: &Site, query: &str) -> Result<HttpReply, protocol::Fault> {
        if site.has_separate_pages() {
            let query = if query.is_empty() { String::new() } else { format!("?{query}") };
            return HttpReply::redirect(&(self.address(site) + &query));
        }
        let Self { title, body, script, .. } = self;
        let body = body.replace(MIN_CHARS_PLACEHOLDER, &Password::MIN_CHARS.to_string());
        let body = format!("<h1>{title}</h1>\n{body}<noscript>This page needs JavaScript.</noscript>\n");
        // No form is submitted: without the script none is shown, and the policy allows none.
        Ok(HtmlPage::new(title, STYLE, body).script(script).into_reply())
    }
}

/// Makes a page from this module's folder: its HTML, and its script after the common one. Each is one text of the
/// program, so that the page's policy can name it by its hash.
macro_rules! static_page {
    ($path:literal, $title:literal, $file:literal) => {
        StaticPage {
            path: $path,
            title: $title,
            body: include_str!(concat!("pages/", $file, ".html")),
            script: concat!(include_str!("pages/common.js"), include_str!(concat!("pages/", $file, ".js"))),
        }
    };
}

/// Proves the address at once in the browser that registered, and asks any other browser for the password. Without a
/// valid link, it offers to request another one.
pub(crate) const VERIFY_EMAIL: StaticPage = static_page!("verify-email", "Confirm your e-mail address", "verify_email");

/// Sets a new password with a mailed link; without a link, requests one.
pub(crate) const RESET_PASSWORD: StaticPage = static_page!("reset-password", "Choose a new password", "reset_password");

/// Signs in with a password or a provider. Then it goes to `return_to`, if that is an address of the service; without
/// one, it says that the person is signed in. It explains the error of a failed sign-in at a provider.
pub(crate) const SIGN_IN: StaticPage = static_page!("sign-in", "Sign in", "sign_in");

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
