//! `grants.decide`.

use model::{Account, ApplicationClient, AuditAction, AuditEntry, AuthorizationCode, User};
use runtime::{Cookies, Device, HttpReply, HttpRequest, Limit, Limits, Site, prelude::*};
use serde::Deserialize;

use crate::{
    authorization::{
        codes, pages, person,
        request::{Asking, Wrong},
    },
    identity::{
        audit,
        notices::{Notice, Notices},
    },
};

/// What the person pressed.
#[derive(Deserialize)]
struct Pressed {
    decision: String,
}

/// Applications that somebody lets in.
const CONSENT: Limit = Limit { name: "consent", most: 60, span_s: 900 };

/// Let an application in, or not: what the page of `grants.authorize` sends.
///
/// The owner is told by mail, unless the application is let in already.
///
/// The form has the token against cross-site requests in a field; the framework has checked it.
#[procedure(mutation, auth = signed_in, http = "POST /oauth/authorize")]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn decide(
    clients: Read<ApplicationClient>,
    users: Read<User>,
    accounts: Read<Account>,
    codes: Append<AuthorizationCode>,
    log: Append<AuditEntry>,
    limits: Limits,
    notices: Notices,
    caller: Caller,
    cookies: Cookies,
    site: Site,
    device: Device,
    clock: Clock,
    ids: Ids,
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
    limits.take(&CONSENT, caller.subject()).await?;
    let (code, mut stored) = codes::new(&asked, user_id, session.clone(), &clock)?;
    let mut entry = AuditEntry {
        target: Some(stored.client_id.to_string()),
        detail: Some(stored.scopes.join(" ")),
        ..audit::by(&caller, AuditAction::ConsentGiven, &ids, &clock, &device)
    };
    store::transaction(vec![codes.creating(&mut stored), log.creating(&mut entry)]).await?;
    let account = accounts.get(&user_id).await?;
    let is_in = account.is_some_and(|account| account.devices.iter().any(|it| it.client_id == Some(stored.client_id)));
    if !is_in && let Some(user) = users.get(&user_id).await? {
        notices.tell(&user.email, Notice::ApplicationLetIn(&asked.client.application.name)).await;
    }
    Ok(HttpReply::redirect(&asked.back("code", &code.text()))?)
}
