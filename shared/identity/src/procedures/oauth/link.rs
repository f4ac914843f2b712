//! `oauth.link`.

use runtime::prelude::*;

use crate::{
    FlowAim, FlowSession, SignInFlow,
    limits::Attempts,
    sign_in_flows::{self, Ended, Federation},
};

/// Which account is linked.
#[wire(input)]
pub struct Input {
    /// The provider's id in `oauth.providers`.
    #[garde(length(chars, max = 100))]
    pub provider: String,
    /// The page that is shown in the end: a path of the service's pages; `/` if left out.
    #[garde(length(chars, max = 1000))]
    pub return_to: Option<String>,
}

/// Where it goes on.
#[wire]
pub struct Link {
    /// The provider's page: send the browser there.
    pub url: String,
}

/// Why nothing is linked.
#[derive(Debug, Failure)]
pub enum Error {
    /// No provider has this id.
    #[failure(NOT_FOUND)]
    Missing(String),
    /// `returnTo` is not a path of the service's pages.
    #[failure(BAD_REQUEST)]
    NotAPath,
    /// The caller is no user who is signed in, but an operator.
    #[failure(FORBIDDEN)]
    NoSession,
    /// The caller's e-mail address is not proved yet: whoever owns it would find a stranger's account linked.
    #[failure(FORBIDDEN)]
    NotVerified,
    /// The provider does not answer now.
    #[failure(SERVICE_UNAVAILABLE)]
    Unavailable,
}

/// Begin to link an account at an identity provider to one's own. The browser must take the cookie that comes with the
/// answer.
///
/// It ends as `oauth.start` does, with one reason more: `taken`, when the account is linked to another user.
#[procedure(mutation, auth = signed_in, fresh = 300, rest = "POST /v1/oauth/link")]
pub async fn link(
    flows: Create<SignInFlow>,
    federation: Federation,
    attempts: Attempts,
    caller: Caller,
    #[input] input: Input,
) -> Result<Link, Error> {
    let return_to = sign_in_flows::return_path(input.return_to, &federation.site).ok_or(Error::NotAPath)?;
    let user_id = caller.subject().parse().map_err(|_| Error::NoSession)?;
    let session = caller.session().cloned().ok_or(Error::NoSession)?;
    if !caller.has_role() {
        return Err(Error::NotVerified);
    }
    let known = federation.providers().await?;
    let provider = known.get(&input.provider).ok_or(Error::Missing(input.provider))?;
    attempts.flow().await?;
    match federation.begin(&flows, provider, return_to, FlowAim::Link(FlowSession { user_id, session })).await {
        Ok(url) => Ok(Link { url }),
        Err(Ended::Refused(_)) => Err(Error::Unavailable),
        Err(Ended::Fault(fault)) => Err(fault)?,
    }
}
