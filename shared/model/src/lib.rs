//! The nouns of the reference service: what is kept, and who may do what.

mod account;
mod application_client;
mod audit;
mod authorization_code;
mod email;
mod founder_token;
mod mailed_token;
pub mod name;
mod password;
mod post;
mod role;
mod session;
mod sign_in_flow;
mod user;

pub use account::{Account, Device, LinkedIdentity};
pub use application_client::{Application, ApplicationClient, ClientId, ClientKind, GrantType};
pub use audit::{AuditAction, AuditEntry, AuditEntryId};
pub use authorization_code::AuthorizationCode;
pub use email::EmailAddress;
pub use founder_token::UsedFounderToken;
pub use mailed_token::{Claim, MailedToken, Purpose};
pub use password::{GivenPassword, Password};
pub use post::{Post, PostId};
pub use role::{PERMISSIONS, RIGHTS, Role, WITHHELD};
pub use session::{DeviceId, DeviceKind, Proof, Session};
pub use sign_in_flow::{FlowAim, SignInFlow, SignedIn};
pub use user::{User, UserId};
