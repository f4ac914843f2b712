//! `grants.authorize`.

use runtime::{Cookies, Definition, HttpReply, HttpRequest, Site, prelude::*, sessions::csrf_token};

use crate::{
    ApplicationClient, IdentityUser,
    authorization_server::{
        pages, person, redirect,
        request::{RequestError, RequestParameters},
    },
    pages::SIGN_IN,
};

/// Ask whoever sits before the browser whether an application may come in (RFC 6749 section 4.1.1).
#[procedure(query, auth = public, http = "GET /oauth/authorize", errors = oauth)]
pub async fn authorize<U: IdentityUser>(
    clients: Read<ApplicationClient>,
    users: Read<U>,
    service: &'static Definition,
    caller: Option<Caller>,
    cookies: Cookies,
    site: Site,
    http_request: HttpRequest,
) -> Result<HttpReply, NoFailure> {
    let parameters = RequestParameters::read(&http_request.query()).within(http_request.query_string());
    let request = match parameters.clone().check(&clients, (service, &site)).await? {
        Ok(request) => request,
        Err(RequestError::ShowPage(why)) => return Ok(pages::refusal(why)),
        Err(RequestError::Redirect(url)) => return Ok(HttpReply::redirect(&url)?),
    };
    if let Some((secret, id)) = person(caller.as_ref(), &cookies)
        && let Some(user) = users.get(&id).await?
    {
        return Ok(pages::consent(&request, &parameters, &user, &csrf_token(&secret), (service, &site)));
    }
    let here = format!("{}/oauth/authorize?{}", site.url(), http_request.query_string());
    Ok(HttpReply::redirect(&redirect::with(&SIGN_IN.address(&site), &[("return_to", &here)]))?)
}
