//! `oauth.start`.

use protocol::Fault;
use runtime::{HttpReply, HttpRequest, Site, prelude::*};
use serde::Deserialize;

use crate::{
    FlowAim, SignInFlow,
    limits::Attempts,
    sign_in_flows::{self, Ended, Federation},
};

/// The query parameters.
#[derive(Deserialize)]
struct Parameters {
    provider: String,
    return_to: Option<String>,
}

/// Sign in with an account at an identity provider: send the browser to
/// `/oauth/start?provider=google&return_to=/welcome`.
///
/// It comes back signed in to the page that `return_to` names, a path of the service's pages; or, when nobody was
/// signed in, there with `#error=` and why: `denied` (the person said no), `expired`, `refused` (the provider's answer
/// does not hold), `unavailable`, `sign_in_first` (there is an account with this address: sign in, then link),
/// `other_linked`, `no_email`, `confirm_email` (the provider does not vouch for the address: open the link that was
/// mailed in this browser, then begin again).
#[procedure(mutation, auth = public, http = "GET /oauth/start", errors = oauth)]
pub async fn start(
    flows: Create<SignInFlow>,
    federation: Federation,
    attempts: Attempts,
    site: Site,
    request: HttpRequest,
) -> Result<HttpReply, NoFailure> {
    let Parameters { provider, return_to } = request.query().read()?;
    let not_a_path = || Fault::bad_request("return_to is not a path of the service's pages.");
    let return_to = sign_in_flows::return_path(return_to, &site).ok_or_else(not_a_path)?;
    let known = federation.providers().await?;
    let unknown = || Fault::bad_request("There is no such provider; oauth.providers lists them.");
    let provider = known.get(&provider).ok_or_else(unknown)?;
    attempts.flow().await?;
    match federation.begin(&flows, provider, return_to.clone(), FlowAim::SignIn).await {
        Ok(url) => Ok(HttpReply::redirect(&url)?),
        Err(Ended::Refused(code)) => Ok(HttpReply::redirect(&sign_in_flows::page(&site, &return_to, Some(code)))?),
        Err(Ended::Fault(fault)) => Err(fault)?,
    }
}
