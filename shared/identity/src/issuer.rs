//! Delivery of a session's secret to the client that signed in.

use protocol::{Fault, StoredSession as _};
use runtime::{Cookies, Signer, prelude::*, sessions::lifetime};

use super::{Tokens, sessions::SessionSecret};
use crate::{Session, rotation::RefreshToken};

/// The capability to deliver the secret of a session to the client that signed in.
#[derive(Clone, Capability)]
pub struct Issuer {
    pub(crate) signer: Signer,
    pub(crate) cookies: Cookies,
}

impl Issuer {
    /// Delivers it to a browser in a cookie, and to a program in the returned tokens.
    pub(crate) async fn issue(&self, kept: &SessionSecret, session: &Session) -> Result<Option<Tokens>, Fault> {
        match kept {
            SessionSecret::Cookie(secret) => {
                self.cookies.sign_in(secret);
                Ok(None)
            }
            SessionSecret::Tokens(token) | SessionSecret::Application { token, .. } => {
                self.tokens(session, token).await.map(Some)
            }
        }
    }

    /// The tokens of a session.
    pub(crate) async fn tokens(&self, session: &Session, token: &RefreshToken) -> Result<Tokens, Fault> {
        Ok(Tokens {
            access_token: self.signer.access_token(&session.principal()).await?,
            refresh_token: token.text(),
            expires_in_s: u32::try_from(lifetime::ACCESS_TOKEN_S).unwrap_or_default(),
        })
    }
}
