//! How the first administrator is chosen.
//!
//! On a deployed service it is the person who deployed it: they alone hold a token, whose hash is the secret `founder`.
//! On a local service it is the first person who registers. The account's uniqueness rule keeps it to one at a time,
//! and a used token stays used when that administrator is deleted ([`crate::UsedFounderToken`]).

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

/// Whether a registration makes the first administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Founding {
    /// No.
    No,
    /// Yes, if there is no user yet.
    IfFirst,
    /// Yes: the token is right. It fails if there is a first administrator, or the token was used.
    Named(SecretHash),
    /// No: a wrong token was given.
    Wrong,
}

/// The capability to decide whether a registration makes the first administrator.
#[derive(Capability)]
pub struct Foundation {
    pub(crate) secret: Secret<Founder>,
    pub(crate) used: Read<UsedFounderToken>,
    pub(crate) site: Site,
}

impl Foundation {
    /// Decides by the secret, if there is one, and the token that is given.
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
