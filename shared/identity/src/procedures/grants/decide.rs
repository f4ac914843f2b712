//! `grants.decide`.

use protocol::Fault;
use runtime::{Cookies, HttpReply, HttpRequest, Site, prelude::*};

use crate::{
    ApplicationClient, IdentityUser,
    authorization_server::{
        codes::Consent,
        pages, person,
        request::{RequestError, RequestParameters},
    },
};

/// Let an application in, or not: what the page of `grants.authorize` sends.
///
/// The owner is told by mail, unless the application is let in already.
///
/// The form has the token against cross-site requests in a field; the framework has checked it. It lets everybody in only
/// to say in a page why an answer does not count: the person was signed out meanwhile, or signed in anew.
#[procedure(mutation, auth = public, http = "POST /oauth/authorize", errors = oauth)]
pub async fn decide<U: IdentityUser>(
    clients: Read<ApplicationClient>,
    consent: Consent<U>,
    caller: Result<Caller, Fault>,
    cookies: Cookies,
    site: Site,
    request: HttpRequest,
) -> Result<HttpReply, NoFailure> {
    let form = request.form()?;
    let parameters = RequestParameters::read(&form);
    let caller = match caller {
        Ok(caller) => caller,
        Err(refused) => return Ok(pages::signed_out(&refused, &parameters, &site)),
    };
    let (Some((_, user_id)), Some(session)) = (person(Some(&caller), &cookies), caller.session()) else {
        return Ok(pages::not_a_person());
    };
    if !caller.has_role() {
        return Ok(pages::unverified(&site));
    }
    // The form is trusted as little as the link.
    let request = match parameters.clone().check(&clients, (consent.service, &site)).await? {
        Ok(request) => request,
        Err(RequestError::ShowPage(why)) => return Ok(pages::refusal(why)),
        Err(RequestError::Redirect(url)) => return Ok(HttpReply::redirect(&url)?),
    };
    match *form.all("decision").collect::<Vec<_>>() {
        ["approve"] => {}
        ["deny"] => return Ok(HttpReply::redirect(&request.response_url("error", "access_denied"))?),
        _ => return Ok(pages::unanswered(&parameters, &site)),
    }
    Ok(HttpReply::redirect(&consent.give(&caller, (user_id, session), &request).await?)?)
}
