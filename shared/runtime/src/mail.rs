//! Stub.
use crate::{Call, Capability};
use protocol::Fault;
/// Mail.
#[derive(Clone)]
pub struct Mail;
/// A mail.
pub struct Message<'a> {
    /// to
    pub to: &'a str,
    /// s
    pub subject: &'a str,
    /// t
    pub text: &'a str,
}
impl Mail {
    /// Sends.
    pub async fn send(&self, message: Message<'_>) -> Result<(), Fault> {
        eprintln!("MAIL {} {} {}", message.to, message.subject, message.text);
        Ok(())
    }
}
impl Capability for Mail {
    fn obtain(_: &Call) -> Result<Self, Fault> {
        Ok(Self)
    }
}
