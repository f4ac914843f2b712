//! The password check of a signed-in user.

use protocol::Fault;
use runtime::{Caller, prelude::*};

use super::{audit::Audit, limits::Attempts};
use crate::{Account, GivenPassword, IdentityUser, password::HashingPermit};

/// The capability to verify the password of a signed-in user.
#[derive(Clone, Capability)]
pub struct OwnPassword {
    pub(crate) attempts: Attempts,
    pub(crate) audit: Audit,
}

impl OwnPassword {
    /// Whether the password is right. The attempt is counted; a wrong password is recorded, with its purpose (`what`).
    pub(crate) async fn is_right(
        &self,
        caller: &Caller,
        (user, account): (&impl IdentityUser, &Account),
        given: Option<&GivenPassword>,
        what: &str,
    ) -> Result<bool, Fault> {
        // The holder of a session is no stranger: the attempts count for this device alone, across renewals of its
        // session.
        let place = account.device_of(caller.session());
        let permit = HashingPermit::acquire()?;
        let attempt = self.attempts.sign_in(user.email(), place).await?;
        let given = given.map(GivenPassword::as_str).unwrap_or_default();
        if !permit.verify(account.password.as_deref(), given).await?.is_right() {
            self.audit.password_refused(caller, what).await?;
            return Ok(false);
        }
        attempt.succeeded().await?;
        Ok(true)
    }
}
