//! Rate limits of attempts. Every count expires, so that nobody is locked out for good.

use std::fmt::Display;

use protocol::{Code, Fault, SecretHash};
use runtime::{ClientInfo, RateLimit, RateLimits, TakenAttempt, prelude::*};

use crate::{EmailAddress, Purpose};

/// Failed sign-ins from one address, by browsers that the account does not know.
const SIGN_IN_ADDRESS: RateLimit = RateLimit { name: "sign-in-address", most: 100, span_s: 900 };
/// Failed sign-ins to one account: from all unknown browsers together, and from each known browser by itself. Strangers
/// who guess use up their own attempts and not those of the owner.
const SIGN_IN_ACCOUNT: RateLimit = RateLimit { name: "sign-in-account", most: 10, span_s: 900 };
/// Mails to one address for one purpose, requested by one network or by one browser that the account knows. The purpose
/// is part of the key: registrations that fill a mailbox do not block a link for a new password.
const MAIL_OF_ONE: RateLimit = RateLimit { name: "mail-of-one", most: 5, span_s: 3600 };
/// The same, over all requesters.
const MAIL: RateLimit = RateLimit { name: "mail", most: 20, span_s: 3600 };
/// Registrations and mails that one address requests.
const MAIL_ADDRESS: RateLimit = RateLimit { name: "mail-address", most: 300, span_s: 3600 };
/// Refreshes with invalid tokens from one address.
const TOKEN_ADDRESS: RateLimit = RateLimit { name: "token-address", most: 300, span_s: 900 };

/// Sign-in flows that one address begins.
const FLOW_ADDRESS: RateLimit = RateLimit { name: "flow-address", most: 300, span_s: 900 };

/// The capability to count attempts by their origin.
#[derive(Clone, Capability)]
pub struct Attempts {
    pub(crate) limits: RateLimits,
    pub(crate) client_info: ClientInfo,
}

impl Attempts {
    /// Counts an attempt to sign in. `known` identifies a browser that the account knows, and stays the same over
    /// attempts. Such a browser has a count of its own, and does not share the count of its network: strangers in the
    /// same network lock no known browser out.
    pub(crate) async fn sign_in(&self, email: &EmailAddress, known: Option<impl Display>) -> Result<Attempt, Fault> {
        if let Some(browser) = known {
            let account = self.limits.take(&SIGN_IN_ACCOUNT, &format!("{}#{browser}", email.comparable())).await?;
            return Ok(Attempt { account, network: None });
        }
        let network = self.limits.take(&SIGN_IN_ADDRESS, &self.client_info.network()).await?;
        match self.limits.take(&SIGN_IN_ACCOUNT, &email.comparable()).await {
            Ok(account) => Ok(Attempt { account, network: Some(network) }),
            Err(fault) => {
                network.give_back().await?;
                Err(fault)
            }
        }
    }

    /// Counts a mail to an address. Returns whether it may be sent: when others had too many sent already, it is not,
    /// and the requester is not told, since it may be the owner. `known` identifies a browser that the account knows.
    /// Such a browser has a count of its own, as for sign-ins.
    pub(crate) async fn mail(
        &self,
        to: &EmailAddress,
        purpose: Purpose,
        known: Option<&SecretHash>,
    ) -> Result<bool, Fault> {
        let Self { limits, client_info } = self;
        let purpose = match purpose {
            Purpose::VerifyEmail => "verify",
            Purpose::ResetPassword => "reset",
        };
        let to = format!("{purpose}#{}", to.comparable());
        if let Some(browser) = known {
            return limits.take(&MAIL_OF_ONE, &format!("{to}#{browser}")).await.map(|_| true);
        }
        limits.take(&MAIL_ADDRESS, &client_info.network()).await?;
        limits.take(&MAIL_OF_ONE, &format!("{to}#{}", client_info.network())).await?;
        match limits.take(&MAIL, &to).await {
            Err(fault) if fault.code == Code::TooManyRequests => Ok(false),
            taken => taken.map(|_| true),
        }
    }

    /// Counts an invalid token.
    pub(crate) async fn bad_token(&self) -> Result<(), Fault> {
        self.limits.take(&TOKEN_ADDRESS, &self.client_info.network()).await.map(drop)
    }

    /// Counts the start of a sign-in flow.
    pub(crate) async fn flow(&self) -> Result<(), Fault> {
        self.limits.take(&FLOW_ADDRESS, &self.client_info.network()).await.map(drop)
    }
}

/// One counted attempt to sign in, and its counters.
pub(crate) struct Attempt {
    account: TakenAttempt,
    network: Option<TakenAttempt>,
}

impl Attempt {
    /// Gives the attempt back: the password was right.
    pub(crate) async fn succeeded(self) -> Result<(), Fault> {
        if let Some(network) = self.network {
            network.give_back().await?;
        }
        self.account.give_back().await
    }
}

#[cfg(test)]
mod tests {
    use local::testing::TestService;

    use super::*;

    const SPAN_MS: i64 = SIGN_IN_ADDRESS.span_s as i64 * 1_000;

    /// The attempts from one network.
    fn attempts(test: &TestService, address: &str) -> Attempts {
        Attempts {
            limits: test.limits(),
            client_info: ClientInfo { address: address.to_owned(), ..ClientInfo::default() },
        }
    }

    /// How many unknown browsers may still guess at accounts of their own from this network.
    async fn guesses(attempts: &Attempts) -> u32 {
        for place in 0..=2 * SIGN_IN_ADDRESS.most {
            let email = EmailAddress::new(format!("user{place}@example.com"));
            if attempts.sign_in(&email, None::<String>).await.is_err() {
                return place;
            }
        }
        panic!("nobody stops them");
    }

    /// An attempt that is under way at the turn of a span is given back to the span in which it was counted: the new
    /// span lets no more guesses through than any other.
    #[tokio::test]
    async fn what_is_given_back_is_what_was_taken() {
        let at = |unix_ms| Clock::Fixed(Timestamp::from_unix_ms(unix_ms));
        let mut test = TestService::new(&crate::tests::service(), at(SPAN_MS - 1)).await.unwrap();
        let here = |test: &TestService| attempts(test, "127.0.0.66");
        let ada = EmailAddress::new("ada@example.com");
        let mut under_way = Vec::new();
        for place in 0..70 {
            let own = EmailAddress::new(format!("owner{place}@example.com"));
            under_way.push(here(&test).sign_in(&own, None::<String>).await.unwrap());
        }
        let known = here(&test).sign_in(&ada, Some("browser")).await.unwrap();

        test.set_clock(at(SPAN_MS));
        for attempt in under_way.into_iter().chain([known]) {
            attempt.succeeded().await.unwrap();
        }
        assert_eq!(guesses(&here(&test)).await, SIGN_IN_ADDRESS.most);
        for place in 0..=SIGN_IN_ACCOUNT.most {
            let attempt = here(&test).sign_in(&ada, Some("browser")).await;
            assert_eq!(attempt.is_ok(), place < SIGN_IN_ACCOUNT.most, "{place}");
        }
        // The span before has them again.
        test.set_clock(at(SPAN_MS - 1));
        assert_eq!(guesses(&here(&test)).await, SIGN_IN_ADDRESS.most);
    }

    /// Strangers who have mails sent to a user use up none of a known browser's, from whatever network.
    #[tokio::test]
    async fn a_known_browser_has_mails_of_its_own() {
        let test = TestService::new(&crate::tests::service(), Clock::Fixed(Timestamp::from_unix_ms(0))).await.unwrap();
        let ada = EmailAddress::new("ada@example.com");
        let browser = runtime::opaque::Opaque::from_bytes([7; 32]).hash();
        let from = |place: u32| attempts(&test, &format!("192.0.2.{place}"));
        let ask = async |place, known| from(place).mail(&ada, Purpose::ResetPassword, known).await;
        for place in 0..MAIL.most {
            assert!(ask(place, None).await.unwrap(), "{place}");
        }
        assert!(!ask(200, None).await.unwrap(), "nobody else gets one sent");
        for place in 0..=MAIL_OF_ONE.most {
            assert_eq!(ask(200, Some(&browser)).await.is_ok(), place < MAIL_OF_ONE.most, "{place}");
        }
    }

    /// A count that has expired, or was given back twice because an answer was lost, does not go below zero.
    #[tokio::test]
    async fn a_count_does_not_go_below_zero() {
        let test = TestService::new(&crate::tests::service(), Clock::Fixed(Timestamp::from_unix_ms(0))).await.unwrap();
        let limit = RateLimit { name: "test", most: 1, span_s: 60 };
        let limits = test.limits();
        let first = limits.take(&limit, "ada").await.unwrap();
        let also_first = first.clone();
        first.give_back().await.unwrap();
        also_first.give_back().await.unwrap();
        limits.take(&limit, "ada").await.unwrap();
        assert!(limits.take(&limit, "ada").await.is_err());
    }
}
