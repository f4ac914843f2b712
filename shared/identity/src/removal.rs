//! The end of an account.

use runtime::prelude::*;
use store::transaction;

use super::{
    account_lease::Contest,
    audit::Audit,
    sessions::{ATTEMPTS, Sessions},
};
use crate::{Account, AuditEntry, IdentityUser, MailedToken, UserId};

/// The capability to delete users with all that is theirs alone.
#[derive(Clone, Capability)]
pub struct UserRemoval<U: IdentityUser> {
    /// The users.
    pub users: Delete<U>,
    pub(crate) accounts: Delete<Account>,
    pub(crate) sessions: Sessions,
    pub(crate) mailed: Read<MailedToken>,
    pub(crate) voided: Delete<MailedToken>,
    pub(crate) audit: Audit,
}

impl<U: IdentityUser> UserRemoval<U> {
    /// Deletes a user, with the account, all its sessions, and what was mailed. `entry` is written with it.
    pub async fn remove(&self, user: &U, entry: &AuditEntry) -> Result<(), StoreError> {
        let Self { users, accounts, sessions, audit, .. } = self;
        let mut contest = Contest::default();
        for _ in 0..ATTEMPTS {
            let mut operations = vec![audit.creating(entry.clone()), users.deleting(user)];
            if let Some(account) = sessions.to_end(&user.user_id(), &mut contest).await? {
                operations.extend(sessions.ending(&account.devices).await?);
                operations.push(accounts.deleting(&account));
            }
            match transaction(operations).await {
                // A sign-in or a renewal was faster, which is no conflict; a change of the user is.
                Err(StoreError::Stale) if users.get(&user.user_id()).await?.as_ref() == Some(user) => {}
                done => {
                    done?;
                    // The user is gone whatever becomes of that, and what was mailed ends by itself within the hour.
                    if let Err(cause) = self.forget_mailed(user.user_id()).await {
                        tracing::warn!(cause = runtime::telemetry::chain(&cause), "mailed tokens stay until they end");
                    }
                    return Ok(());
                }
            }
        }
        Err(StoreError::Stale)
    }

    /// Removes what was mailed to a user who is gone: it holds the address, and perhaps a password's hash. The index may be
    /// behind; what it does not show yet ends by itself.
    async fn forget_mailed(&self, user_id: UserId) -> Result<(), StoreError> {
        let mut cursor = None;
        loop {
            let list = self.mailed.list(&MailedToken::BY_USER).of(user_id.to_string());
            let page = list.page(PageSize::default(), cursor.as_ref()).await?;
            for token in &page.items {
                match self.voided.delete(token).await {
                    // It was used in this moment.
                    Err(StoreError::Stale) => {}
                    done => done?,
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }
}
