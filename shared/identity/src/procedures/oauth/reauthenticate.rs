//! `oauth.reauthenticate`.

use runtime::{Cookies, prelude::*, sessions::COOKIE};

use crate::{
    FlowAim, FlowSession, SignInFlow,
    limits::Attempts,
    sign_in_flows::{self, Ended, Federation},
};

/// By which account it is proved.
#[wire(input)]
pub struct Input {
    /// The provider's id in `oauth.identities`.
    #[garde(length(chars, max = 100))]
    pub provider: String,
    /// The page that is shown in the end: a path of the service's pages; `/` if left out.
    #[garde(length(chars, max = 1000))]
    pub return_to: Option<String>,
}

/// Where it goes on.
#[wire]
pub struct Reauthentication {
    /// The provider's page: send the browser there.
    pub url: String,
}

/// Why the provider is not asked.
#[derive(Debug, Failure)]
pub enum Error {
    /// No provider has this id.
    #[failure(NOT_FOUND)]
    Missing(String),
    /// `returnTo` is not a path of the service's pages.
    #[failure(BAD_REQUEST)]
    NotAPath,
    /// The caller's session is not that of the browser's cookie: prove it by the password.
    #[failure(FORBIDDEN)]
    NoCookie,
    /// This provider does not say when it asked the user who they are: prove it by the password, sign in anew, or let a
    /// link be mailed by which to choose a password.
    #[failure(UNPROCESSABLE_CONTENT)]
    NeverFresh,
    /// The provider does not answer now.
    #[failure(SERVICE_UNAVAILABLE)]
    Unavailable,
}

/// Begin to prove again who one is, by an account at an identity provider that is linked. The provider asks anew.
///
/// The browser must take the cookie that comes with the answer. It ends as `oauth.start` does, with two reasons more:
/// `other_account`, when it is not the one that is linked, and `not_fresh`, when the provider did not ask, or does not
/// say that it did.
#[procedure(mutation, auth = signed_in, sensitive, rest = "POST /v1/oauth/reauthenticate")]
pub async fn reauthenticate(
    flows: Create<SignInFlow>,
    federation: Federation,
    attempts: Attempts,
    caller: Caller,
    cookies: Cookies,
    #[input] input: Input,
) -> Result<Reauthentication, Error> {
    let return_to = sign_in_flows::return_path(input.return_to, &federation.site).ok_or(Error::NotAPath)?;
    let known = federation.providers().await?;
    let provider = known.get(&input.provider).ok_or(Error::Missing(input.provider))?;
    if !provider.can_ask_anew() {
        return Err(Error::NeverFresh);
    }
    // The result goes to the browser in its cookie; a program's tokens came by a password.
    let is_here = |session: &&_| cookies.get(COOKIE).is_some_and(|here| here.hash() == **session);
    let session = caller.session().filter(is_here).cloned().ok_or(Error::NoCookie)?;
    let user_id = caller.subject().parse().map_err(|_| Error::NoCookie)?;
    attempts.flow().await?;
    let aim = FlowAim::Reauthenticate(FlowSession { user_id, session });
    match federation.begin(&flows, provider, return_to, aim).await {
        Ok(url) => Ok(Reauthentication { url }),
        Err(Ended::Refused(_)) => Err(Error::Unavailable),
        Err(Ended::Fault(fault)) => Err(fault)?,
    }
}
