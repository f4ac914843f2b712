//! Who becomes the first administrator.
//!
//! On a deployed service it is whoever deployed it: they have a token that only they were told, whose hash is the secret
//! `founder`. Where strangers do not come, it is the first person. There is one at a time, to which the account's guard
//! sees, and a token that was used stays used when that one goes ([`crate::UsedFounderToken`]).

use protocol::{Fault, SecretHash};
use runtime::{Secret, SecretKind, Site, opaque::Opaque, prelude::*};
use serde::Deserialize;

use crate::UsedFounderToken;

/// The secret `founder`: what is stored of the token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Founder {
    hash: SecretHash,
}

impl SecretKind for Founder {
    const NAME: &'static str = "founder";
}

/// Whether whoever registers now becomes the first administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Founding {
    /// No.
    No,
    /// If there is nobody yet.
    IfFirst,
    /// Yes, unless somebody is it or was it by this token, which is right.
    Named(SecretHash),
    /// No, and a token was given that is not right.
    Wrong,
}

/// The capability to tell who becomes the first administrator.
#[derive(Capability)]
pub struct Foundation {
    pub(crate) secret: Secret<Founder>,
    pub(crate) used: Read<UsedFounderToken>,
    pub(crate) site: Site,
}

impl Foundation {
    /// Whether whoever registers now becomes it, by the secret, if there is one, and the token that is given.
    pub(crate) async fn decide(&self, given: Option<&str>) -> Result<Founding, Fault> {
        let stored = self.secret.read().await?.map(|founder| founder.hash);
        Ok(decided(stored.as_ref(), self.site.is_local(), given))
    }

    /// Whether a token was used.
    pub(crate) async fn is_used(&self, token: &SecretHash) -> Result<bool, StoreError> {
        self.used.get(token).await.map(|used| used.is_some())
    }
}

fn decided(stored: Option<&SecretHash>, is_local: bool, given: Option<&str>) -> Founding {
    match (stored, given) {
        (None, None) if is_local => Founding::IfFirst,
        (_, None) => Founding::No,
        (Some(stored), Some(given)) if Opaque::parse(given).is_some_and(|token| token.is_hashed_as(stored)) => {
            Founding::Named(stored.clone())
        }
        (_, Some(_)) => Founding::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployed_service_is_founded_by_who_has_the_token() {
        let token = Opaque::from_bytes([7; 32]);
        let (stored, right, wrong) = (token.hash(), token.text(), Opaque::from_bytes([8; 32]).text());
        for is_local in [true, false] {
            assert_eq!(decided(Some(&stored), is_local, Some(&right)), Founding::Named(stored.clone()));
            assert_eq!(decided(Some(&stored), is_local, None), Founding::No, "whoever comes first");
            for given in [wrong.as_str(), "", stored.as_str(), "founder"] {
                assert_eq!(decided(Some(&stored), is_local, Some(given)), Founding::Wrong, "{given}");
            }
            assert_eq!(decided(None, is_local, Some(&right)), Founding::Wrong, "there is no token to be right");
        }
        assert_eq!(decided(None, true, None), Founding::IfFirst, "where strangers do not come");
        assert_eq!(decided(None, false, None), Founding::No, "nobody was named");
    }
}
