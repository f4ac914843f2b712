//! The mails that a service sent.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::{Request, Service, http::percent_encode};

/// How often the mailbox is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// A mail.
#[derive(Clone, Debug)]
pub struct Mail {
    pub subject: String,
    pub text: String,
}

impl Mail {
    /// Whether it tells what was done with an account, and nobody asked for it.
    pub fn is_notice(&self) -> bool {
        self.text.contains("This mail has no link")
    }

    /// The token behind the `#` of its link; empty when it has none.
    pub fn token(&self) -> String {
        let rest = self.text.split_once("#token=").map_or("", |(_, rest)| rest);
        rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).next().unwrap_or_default().to_owned()
    }
}

/// All mails to an address, oldest first.
pub async fn mails(service: &Service, to: &str) -> Vec<Mail> {
    let answer = service.send(&Request::new("GET", format!("/_local/mail?to={}", percent_encode(to.as_bytes())))).await;
    let text = |mail: &Value, name: &str| mail[name].as_str().unwrap().to_owned();
    let mails = answer.json();
    let mails = mails.as_array().unwrap().iter().rev();
    mails.map(|mail| Mail { subject: text(mail, "subject"), text: text(mail, "text") }).collect()
}

/// The newest of `count` mails to an address that somebody asked for, as soon as they are there.
pub async fn mail(service: &Service, to: &str, count: usize) -> Mail {
    for _ in 0..500 {
        let mut found = mails(service, to).await;
        found.retain(|mail| !mail.is_notice());
        if found.len() >= count {
            assert_eq!(found.len(), count, "mails to {to}");
            return found[count - 1].clone();
        }
        sleep(PAUSE).await;
    }
    panic!("{to} did not get {count} mails");
}
