//! Removal of a user with the account, the sessions and the mailed tokens.

use runtime::prelude::*;
use store::transaction;

use super::{
    account_lease::Contention,
    audit::Audit,
    sessions::{ATTEMPTS, Sessions},
};
use crate::{Account, AuditEntry, IdentityUser, MailedToken, UserId};

/// The capability to delete users with all that belongs to them alone.
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
    /// Deletes a user with the account, all its sessions and the mailed tokens. `entry` is written in the same
    /// transaction.
    pub async fn remove(&self, user: &U, entry: &AuditEntry) -> Result<(), StoreError> {
        let Self { users, accounts, sessions, audit, .. } = self;
        let mut contention = Contention::default();
        for _ in 0..ATTEMPTS {
            let mut operations = vec![audit.creating(entry.clone()), users.deleting(user)];
            if let Some(account) = sessions.read_for_ending(&user.user_id(), &mut contention).await? {
                operations.extend(sessions.ending(&account.devices).await?);
                operations.push(accounts.deleting(&account));
            }
            match transaction(operations).await {
                // A concurrent sign-in or renewal is no conflict; a concurrent change of the user is.
                Err(StoreError::Stale) if users.get(&user.user_id()).await?.as_ref() == Some(user) => {}
                done => {
                    done?;
                    // The user is deleted even if this fails: mailed tokens expire within the hour.
                    if let Err(cause) = self.forget_mailed(user.user_id()).await {
                        tracing::warn!(cause = runtime::telemetry::chain(&cause), "mailed tokens stay until they end");
                    }
                    return Ok(());
                }
            }
        }
        Err(StoreError::Stale)
    }

    /// Deletes a deleted user's mailed tokens, which hold the address, and perhaps a password's hash. The index may
    /// lag; a token that it does not show yet expires.
    async fn forget_mailed(&self, user_id: UserId) -> Result<(), StoreError> {
        let mut cursor = None;
        loop {
            let list = self.mailed.list(&MailedToken::BY_USER).of(user_id.to_string());
            let page = list.page(PageSize::default(), cursor.as_ref()).await?;
            for token in &page.items {
                match self.voided.delete(token).await {
                    // The token was used a moment ago.
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
