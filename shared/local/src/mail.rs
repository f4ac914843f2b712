//! Mail on this machine: none leaves it. A stand-in for Amazon SES receives the mails, which the functions send as in
//! the cloud, and stores each in a mailbox: a folder of `.eml` files, which every mail program opens, or memory.
//! [`page`] shows it.
//!
//! As the database's guard does, it takes the access key id as proof of the sender, and admits those whose procedures
//! have the capability.

mod eml;
mod local_ses;
mod mailbox;
pub mod page;
#[cfg(test)]
mod tests;

use protocol::Timestamp;
use serde::Serialize;

pub use local_ses::LocalSes;
pub use mailbox::Mailbox;

/// A mail in a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceivedMail {
    /// Its id; in a folder, its file is `<id>.eml`. Ids grow with time.
    pub id: String,
    /// The recipient's address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text; lines end with `
    /// `.
    pub text: String,
    /// When it was sent.
    pub sent_at: Timestamp,
}
