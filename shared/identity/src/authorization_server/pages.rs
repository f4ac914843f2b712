//! The pages of an authorization: the consent question, and the refusals.

use std::fmt::Write as _;

use protocol::{Code, Fault, escape};
use runtime::{Definition, HtmlPage, HttpReply, Site, html_page::STYLE, opaque::Opaque};

use super::request::{AuthorizationRequest, RequestParameters};
use crate::{
    IdentityUser,
    authorization_server::redirect,
    pages::{RESET_PASSWORD, VERIFY_EMAIL},
};

/// The consent page for an application.
pub(crate) fn consent<U: IdentityUser>(
    request: &AuthorizationRequest,
    parameters: &RequestParameters,
    person: &U,
    csrf_token: &Opaque,
    (service, site): (&Definition, &Site),
) -> HttpReply {
    let application = escape::html(&request.client.application.name);
    let mut body = format!(
        "<h1>Let {application} in?</h1>\n<p>You are signed in as {} (<code>{}</code>). \
         <strong>{application}</strong> wants to do in your name, as far as you may do it yourself:</p>\n<ul>\n",
        escape::html(person.name()),
        escape::html(person.email().as_str()),
    );
    for scope in &request.scopes {
        let _ = writeln!(
            body,
            "<li>{} <code class=\"quiet\">{}</code></li>",
            escape::html(&in_words(service, scope)),
            escape::html(scope)
        );
    }
    body.push_str("</ul>\n<form method=\"post\" action=\"/oauth/authorize\">\n");
    for (name, value) in parameters.fields() {
        let _ = writeln!(body, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape::html(value));
    }
    let _ = writeln!(
        body,
        "<input type=\"hidden\" name=\"csrf_token\" value=\"{}\">\n\
         <button name=\"decision\" value=\"approve\">Let it in</button>\n\
         <button name=\"decision\" value=\"deny\">No</button>\n</form>\n\
         <p class=\"quiet\">Either way you go on to <code>{}</code>. What you allow here you can take back at any time: \
         {}with <a href=\"{}\">a new password</a>, which ends it for all applications.</p>",
        csrf_token.text(),
        escape::html(&request.redirect_uri),
        // The service's own pages show no devices.
        if site.has_separate_pages() { "where you see your devices, or " } else { "" },
        escape::html(&RESET_PASSWORD.address(site)),
    );
    HtmlPage::new("Let an application in", STYLE, body)
        .form_to(&redirect::form_action(&request.redirect_uri))
        .into_reply()
}

/// What a permission is for, in the words of the procedures that need it.
fn in_words(service: &Definition, scope: &str) -> String {
    let known = service.permissions.iter().find(|(permission, _)| *permission == scope);
    let words = known.map_or_else(|| scope.to_owned(), |(_, sentences)| sentences.join("; "));
    if scope.ends_with(":own") { format!("{words} (only what is yours)") } else { words }
}

/// A page that says why there is nothing to consent to. The browser is sent nowhere.
pub(crate) fn refusal(why: &str) -> HttpReply {
    let more = "<p>Whoever makes the application has to know of it.</p>\n";
    page("This does not work", why, more, Code::BadRequest)
}

/// A page that says that the answer does not count because the session has ended.
pub(crate) fn signed_out(refused: &Fault, parameters: &RequestParameters, site: &Site) -> HttpReply {
    match refused.code {
        Code::Forbidden => {
            retry("You signed in anew meanwhile, or another page sent you here.", Code::Forbidden, parameters, site)
        }
        _ => retry("You were signed out meanwhile.", Code::Unauthorized, parameters, site),
    }
}

/// A page that says that the form held no decision.
pub(crate) fn unanswered(parameters: &RequestParameters, site: &Site) -> HttpReply {
    retry("Neither yes nor no was said.", Code::BadRequest, parameters, site)
}

/// A page that says why an answer does not count. It offers the same question once more.
fn retry(why: &str, code: Code, parameters: &RequestParameters, site: &Site) -> HttpReply {
    let question = redirect::with(&format!("{}/oauth/authorize", site.url()), &parameters.fields().collect::<Vec<_>>());
    page(
        "Nothing was decided",
        why,
        &format!("<p><a href=\"{}\">Ask me again</a></p>\n", escape::html(&question)),
        code,
    )
}

/// A refusal for a program that sends a decision that only a person may make.
pub(crate) fn not_a_person() -> HttpReply {
    page("This does not work", "Only a person can decide this, in a browser.", "", Code::Forbidden)
}

/// A page that says that this person cannot consent before the address is proved.
pub(crate) fn unverified(site: &Site) -> HttpReply {
    let more =
        format!("<p><a href=\"{}\">Have another one mailed</a></p>\n", escape::html(&VERIFY_EMAIL.address(site)));
    page("This does not work", "Prove your e-mail address first: the link is in a mail.", &more, Code::BadRequest)
}

fn page(title: &str, why: &str, more: &str, code: Code) -> HttpReply {
    let body = format!("<h1>{title}</h1>\n<p>{}</p>\n{more}", escape::html(why));
    HtmlPage::new(title, STYLE, body).into_refusal(code)
}
