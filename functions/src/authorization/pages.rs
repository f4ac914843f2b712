//! What people see of an authorization: the question, and why there is none.

use std::fmt::Write as _;

use model::User;
use runtime::{HttpReply, Page, oauth::redirect, opaque::Opaque, page::escape};

use super::request::{Asked, Asking};
use crate::permissions::TEXTS;

/// No fonts, no pictures, and the colours that the browser's reader chose.
pub(crate) const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;margin:0;padding:1rem}\
main{max-width:32rem;margin:2rem auto}\
label{display:block;margin:.75rem 0}\
input{font:inherit;display:block;width:100%;box-sizing:border-box;padding:.5rem}\
button{font:inherit;padding:.5rem 1.25rem;margin:.5rem .5rem 0 0}\
code{overflow-wrap:anywhere}\
.quiet{opacity:.75}";

/// The question whether an application may come in.
pub(crate) fn consent(asked: &Asked, asking: &Asking, person: &User, csrf_token: &Opaque) -> HttpReply {
    let application = escape(&asked.client.application.name);
    let mut body = format!(
        "<h1>Let {application} in?</h1>\n<p>You are signed in as {} (<code>{}</code>). \
         <strong>{application}</strong> wants to do in your name, as far as you may do it yourself:</p>\n<ul>\n",
        escape(&person.name),
        escape(person.email.as_str()),
    );
    for scope in &asked.scopes {
        let _ = writeln!(body, "<li>{} <code class=\"quiet\">{}</code></li>", escape(&in_words(scope)), escape(scope));
    }
    body.push_str("</ul>\n<form method=\"post\" action=\"/oauth/authorize\">\n");
    for (name, value) in asking.fields() {
        let _ = writeln!(body, "<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value));
    }
    let _ = writeln!(
        body,
        "<input type=\"hidden\" name=\"csrf_token\" value=\"{}\">\n\
         <button name=\"decision\" value=\"approve\">Let it in</button>\n\
         <button name=\"decision\" value=\"deny\">No</button>\n</form>\n\
         <p class=\"quiet\">Either way you go on to <code>{}</code>. What you allow here you can take back at any time, \
         where you see your devices.</p>",
        csrf_token.text(),
        escape(&asked.redirect_uri),
    );
    Page::new("Let an application in", STYLE, body).form_to(&redirect::form_action(&asked.redirect_uri)).into_reply()
}

/// What a permission is for, in the words of the procedures that need it.
fn in_words(scope: &str) -> String {
    let known = TEXTS.iter().find(|(permission, _)| *permission == scope);
    let words = known.map_or_else(|| scope.to_owned(), |(_, sentences)| sentences.join("; "));
    if scope.ends_with(":own") { format!("{words} (only what is yours)") } else { words }
}

/// Why there is nothing to ask. The browser is sent nowhere.
pub(crate) fn refusal(why: &str) -> HttpReply {
    let body = format!(
        "<h1>This does not work</h1>\n<p>{}</p>\n<p>Whoever makes the application has to know of it.</p>\n",
        escape(why)
    );
    Page::new("This does not work", STYLE, body).into_refusal()
}
