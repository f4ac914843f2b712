//! Mail on this machine: nothing leaves it. A post office stands for Amazon SES, so that the functions send their
//! mails as they do in the cloud, and puts each into a mailbox: a folder of `.eml` files, which every mail program
//! opens, or memory. [`page`] shows it.
//!
//! As the database's guard does, the post office takes the access key id as proof of who is sending, and lets
//! those send whose procedures have the capability.

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
    /// Names it; in a folder, its file is `<id>.eml`. Later ones are greater.
    pub id: String,
    /// To whom it was sent.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// What it says; lines end with `\n`.
    pub text: String,
    /// When it was sent.
    pub sent_at: Timestamp,
}
