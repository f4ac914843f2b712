//! `grants.authorize`.

use model::{ApplicationClient, User};
use runtime::{Cookies, HttpReply, HttpRequest, Site, oauth::redirect, prelude::*, sessions::csrf_token};

use crate::{
    authorization::{
        pages, person,
        request::{Asking, Wrong},
    },
    identity::pages::SIGN_IN,
};

/// Ask whoever sits before the browser whether an application may come in (RFC 6749 section 4.1.1).
#[procedure(query, auth = public, http = "GET /oauth/authorize", errors = oauth)]
pub async fn authorize(
    clients: Read<ApplicationClient>,
    users: Read<User>,
    caller: Option<Caller>,
    cookies: Cookies,
    site: Site,
    request: HttpRequest,
) -> Result<HttpReply, NoFailure> {
    let asking = Asking::read(&request.query()).within(request.query_string());
    let asked = match asking.clone().check(&clients, &site).await? {
        Ok(asked) => asked,
        Err(Wrong::Here(why)) => return Ok(pages::refusal(why)),
        Err(Wrong::There(url)) => return Ok(HttpReply::redirect(&url)?),
    };
    if let Some((secret, id)) = person(caller.as_ref(), &cookies)
        && let Some(user) = users.get(&id).await?
    {
        return Ok(pages::consent(&asked, &asking, &user, &csrf_token(&secret), &site));
    }
    let here = format!("{}/oauth/authorize?{}", site.url(), request.query_string());
    Ok(HttpReply::redirect(&redirect::with(&SIGN_IN.address(&site), &[("return_to", &here)]))?)
}
