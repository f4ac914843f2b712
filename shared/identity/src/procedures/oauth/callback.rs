//! `oauth.callback`.

use runtime::{Cookies, HttpReply, HttpRequest, Site, prelude::*, sessions::COOKIE};

use crate::{
    FlowAim, IdentityUser, SignInFlow,
    federation::Callback,
    provider_sign_in::ProviderSignIn,
    reauthentication::Reauthentication,
    sign_in_flows::{self, Ended, Federation, Refusal},
};

/// Where a provider sends the browser back, with a code or the reason why there is none. The address belongs into the
/// provider's list of redirect URIs.
///
/// Who is known by the account at the identity provider is signed in. Else an account with the same address is linked
/// and signed in to, if the provider and this service both have verified the address; if there is no such account, one
/// is made, if whoever comes may register.
#[procedure(mutation, auth = public, http = "GET /oauth/callback/{provider}", errors = oauth, timeout_ms = 25_000)]
pub async fn callback<U: IdentityUser>(
    flows: Delete<SignInFlow>,
    federation: Federation,
    arrival: ProviderSignIn<U>,
    reauthentication: Reauthentication,
    cookies: Cookies,
    site: Site,
    request: HttpRequest,
) -> Result<HttpReply, NoFailure> {
    let answer: Callback = request.query().read()?;
    let Some(flow) = sign_in_flows::take(&flows, &answer).await? else {
        return Ok(HttpReply::redirect(&sign_in_flows::beginning(&site, Refusal::Expired))?);
    };
    let known = federation.providers().await?;
    let arrived = async {
        let (identity, asked_at) = federation.end(&known, &flow, request.last_segment(), &answer).await?;
        match &flow.aim {
            FlowAim::Link(linking) => arrival.link(linking, &identity).await,
            FlowAim::Reauthenticate(of) => reauthentication.end(of, &identity, asked_at).await,
            FlowAim::SignIn => {
                let secret = arrival.sign_in(&identity).await?;
                arrival.end_previous_session(cookies.get(COOKIE)).await?;
                cookies.sign_in(&secret);
                Ok(())
            }
        }
    };
    let error = match arrived.await {
        Ok(()) => None,
        Err(Ended::Refused(code)) => Some(code),
        Err(Ended::Fault(fault)) => return Err(fault)?,
    };
    Ok(HttpReply::redirect(&sign_in_flows::page(&site, &flow.return_to, error))?)
}
