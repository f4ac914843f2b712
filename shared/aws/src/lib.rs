//! Access to AWS: how a service is reached, and the calls to those services of which one operation is needed.
//!
//! The database has a client of its own, in the package `store`, which is made from the same [`Access`].
//!
//! - [`access`]: region, endpoint and credentials, and the SDK's configuration made of them.
//! - [`service`]: calls to one operation of a service: Lambda's `Invoke`, for the gateways.
//! - [`secrets`]: reads Secrets Manager. [`ses`]: sends mail through SES.
//! - [`xray`]: the parts of a call for AWS X-Ray.
//! - [`error`] and [`retry`]: errors, and retries.

#![warn(unreachable_pub)]

pub mod access;
pub mod error;
pub mod retry;
pub mod secrets;
pub mod service;
pub mod ses;
pub mod xray;

pub use access::Access;
pub use error::ServiceError;
pub use retry::{AttemptError, RetryPolicy};
pub use secrets::{SecretSettings, read_secret};
pub use ses::{Letter, MailSettings, Mailer};
