//! `grants.decide`.

use model::ApplicationClient;
use runtime::{Cookies, HttpReply, HttpRequest, Site, prelude::*};
use serde::Deserialize;

use crate::authorization::{
    codes::Consent,
    pages, person,
    request::{Asking, Wrong},
};

/// What the person pressed.
#[derive(Deserialize)]
struct Pressed {
    decision: String,
}

/// Let an application in, or not: what the page of `grants.authorize` sends.
///
/// The owner is told by mail, unless the application is let in already.
///
/// The form has the token against cross-site requests in a field; the framework has checked it.
#[procedure(mutation, auth = signed_in, http = "POST /oauth/authorize")]
pub async fn decide(
    clients: Read<ApplicationClient>,
    consent: Consent,
    caller: Caller,
    cookies: Cookies,
    site: Site,
    request: HttpRequest,
) -> Result<HttpReply, NoFailure> {
    let (Some((_, user_id)), Some(session)) = (person(Some(&caller), &cookies), caller.session()) else {
        return Ok(pages::refusal("Only a person can decide this, in a browser."));
    };
    if !caller.has_role() {
        return Ok(pages::refusal("Prove your e-mail address first: the link is in a mail."));
    }
    let parameters = request.form()?;
    let pressed: Pressed = parameters.read()?;
    // As little is believed of the form as of the link.
    let asked = match Asking::read(&parameters).check(&clients, &site).await? {
        Ok(asked) => asked,
        Err(Wrong::Here(why)) => return Ok(pages::refusal(why)),
        Err(Wrong::There(url)) => return Ok(HttpReply::redirect(&url)?),
    };
    if pressed.decision != "approve" {
        return Ok(HttpReply::redirect(&asked.back("error", "access_denied"))?);
    }
    let code = consent.give(&caller, (user_id, session), &asked).await?;
    Ok(HttpReply::redirect(&asked.back("code", &code.text()))?)
}
