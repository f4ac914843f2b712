//! The entities of this package, stored beside the service's user.

mod account;
mod application_client;
mod audit;
mod authorization_code;
mod email;
mod founder_token;
mod mailed_token;
pub mod name;
mod password;
mod session;
mod sign_in_flow;

pub use account::{Account, Device, LinkedIdentity};
pub use application_client::{Application, ApplicationClient, ClientId, ClientKind, GrantType};
pub use audit::{AuditAction, AuditEntry, AuditEntryId};
pub use authorization_code::AuthorizationCode;
pub use email::EmailAddress;
pub use founder_token::UsedFounderToken;
pub use mailed_token::{Claim, MailedToken, Purpose};
pub use password::{GivenPassword, Password};
pub use session::{DeviceId, DeviceKind, Proof, Session};
pub use sign_in_flow::{FlowAim, FlowSession, SignInFlow};
