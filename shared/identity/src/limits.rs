//! How often what may be tried. All counts forget themselves, so that nobody is locked out for good.

use std::fmt::Display;

use protocol::{Code, Fault, SecretHash};
use runtime::{ClientInfo, RateLimit, RateLimits, TakenAttempt, prelude::*};

use crate::{EmailAddress, Purpose};

/// Sign-ins from one address that do not succeed, of browsers that the account does not know.
const SIGN_IN_ADDRESS: RateLimit = RateLimit { name: "sign-in-address", most: 100, span_s: 900 };
/// Sign-ins to one account that do not succeed: from browsers that it does not know together, and from each
/// that it knows by itself. So strangers who guess use up their own attempts and not those of the owner.
const SIGN_IN_ACCOUNT: RateLimit = RateLimit { name: "sign-in-account", most: 10, span_s: 900 };
/// Mails to one address for one purpose that one network asks for, or one browser that the account knows. For one purpose:
/// who fills somebody's mailbox with registrations keeps nobody from a link for a new password.
const MAIL_OF_ONE: RateLimit = RateLimit { name: "mail-of-one", most: 5, span_s: 3600 };
/// The same, whoever asks.
const MAIL: RateLimit = RateLimit { name: "mail", most: 20, span_s: 3600 };
/// Registrations and mails that one address asks for.
const MAIL_ADDRESS: RateLimit = RateLimit { name: "mail-address", most: 300, span_s: 3600 };
/// Refreshes from one address with tokens that are not good.
const TOKEN_ADDRESS: RateLimit = RateLimit { name: "token-address", most: 300, span_s: 900 };

/// Sign-ins with an account elsewhere that one address begins.
const FLOW_ADDRESS: RateLimit = RateLimit { name: "flow-address", most: 300, span_s: 900 };

/// The capability to count what is tried, and from where.
#[derive(Clone, Capability)]
pub struct Attempts {
    pub(crate) limits: RateLimits,
    pub(crate) client_info: ClientInfo,
}

impl Attempts {
    /// Counts an attempt to sign in. `known`: what names a browser that the account knows, and does not change by
    /// what is done with it. Such a browser has its own attempts, and neither uses up those of its network nor misses
    /// them: strangers in the same network shut nobody out who was in before.
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

    /// Counts a mail to an address. Answers whether it may be sent: when others had too many sent there already, it is
    /// not, and whoever asks now is not told, since it may be the owner. `known`: what names a browser that the account
    /// knows. Such a one has its own mails, as it has its own attempts to sign in.
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

    /// Counts a token that was not good.
    pub(crate) async fn bad_token(&self) -> Result<(), Fault> {
        self.limits.take(&TOKEN_ADDRESS, &self.client_info.network()).await.map(drop)
    }

    /// Counts a sign-in with an account elsewhere that begins.
    pub(crate) async fn flow(&self) -> Result<(), Fault> {
        self.limits.take(&FLOW_ADDRESS, &self.client_info.network()).await.map(drop)
    }
}

/// One attempt to sign in, and where it was counted.
pub(crate) struct Attempt {
    account: TakenAttempt,
    network: Option<TakenAttempt>,
}

impl Attempt {
    /// It was no guess: the password was right.
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

    /// From one network.
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

    /// Sign-ins that are under way at the turn of a span are given back to the span in which they were counted: the new
    /// one, of which nothing was taken, lets no more guesses through than any other.
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
        // In the span before, they are there again.
        test.set_clock(at(SPAN_MS - 1));
        assert_eq!(guesses(&here(&test)).await, SIGN_IN_ADDRESS.most);
    }

    /// Strangers who have mails sent to somebody, from wherever they are, use up none of a browser that the account knows.
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

    /// A count that is forgotten by now, or was given back twice because an answer was lost, is never less than nothing.
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
