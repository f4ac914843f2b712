//! `oauth.callback`.

use model::{Account, AuditEntry, FlowAim, MailedToken, Session, SignInFlow, User};
use runtime::{
    Cookies, Device, HttpReply, HttpRequest, Limits, RegistrationPolicy, Secret, Site,
    mail::Mail,
    oidc::{Callback, IdentityProviders, RelyingParty},
    prelude::*,
    sessions::COOKIE,
};

use crate::identity::{
    arrival::Arrival,
    elsewhere::{self, Elsewhere, Ended, Refusal},
    notices::Notices,
    reauthentication::Reauthentication,
    sessions::Sessions,
};

/// Where a provider sends the browser back, with a code or the reason why there is none. The address belongs into the
/// provider's list of redirect URIs.
///
/// Who is known by the account elsewhere is signed in. Else an account with the same address is linked and signed in
/// to, if the provider and this service both have verified the address; if there is no such account, one is made, if
/// whoever comes may register.
#[procedure(mutation, auth = public, http = "GET /oauth/callback/{provider}", timeout_ms = 25_000)]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn callback(
    users: Write<User>,
    everybody: Read<User>,
    accounts: Write<Account>,
    sessions: Write<Session>,
    flows: Write<SignInFlow>,
    tokens: Append<MailedToken>,
    log: Append<AuditEntry>,
    providers: Secret<IdentityProviders>,
    party: RelyingParty,
    registration: RegistrationPolicy,
    attempts: Limits,
    mail: Mail,
    notices: Notices,
    cookies: Cookies,
    site: Site,
    device: Device,
    clock: Clock,
    ids: Ids,
    request: HttpRequest,
) -> Result<HttpReply, NoFailure> {
    let answer: Callback = request.query().read()?;
    let Some(flow) = elsewhere::take(&flows, &answer).await? else {
        return Ok(HttpReply::redirect(&elsewhere::page(&site, "/", Some(Refusal::Expired.code())))?);
    };
    let known = elsewhere::providers(&providers).await?;
    let elsewhere = Elsewhere { party: &party, cookies: &cookies, site: &site, clock: &clock };
    let doors = Sessions { accounts, sessions, clock };
    let arrival = Arrival {
        users,
        everybody,
        doors,
        tokens,
        log,
        registration,
        attempts,
        mail,
        notices,
        cookies: cookies.clone(),
        site: site.clone(),
        device,
        ids,
    };
    let arrived = async {
        let (identity, asked_at) = elsewhere.end(&known, &flow, request.last_segment(), &answer).await?;
        match &flow.aim {
            FlowAim::Link(linking) => arrival.link(linking, &identity).await,
            FlowAim::Reauthenticate(of) => {
                let Arrival { doors, log, device, ids, .. } = &arrival;
                let cookies = &cookies;
                Reauthentication { doors, log, cookies, device, ids }.end(of, &identity, asked_at).await
            }
            FlowAim::SignIn => {
                let secret = arrival.sign_in(&identity).await?;
                arrival.leave(cookies.get(COOKIE)).await?;
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
    Ok(HttpReply::redirect(&elsewhere::page(&site, &flow.return_to, error))?)
}
