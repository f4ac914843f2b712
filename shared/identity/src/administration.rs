//! The administration of a service's users: creating, changing and deleting them, and signing them out.
//!
//! The service writes the procedures, with inputs and failures of its own; this module has the order of checks that keeps
//! them safe. No caller gives a right that they lack, or changes a user who has one ([`delegation`]). A change of rights
//! reaches the user's sessions in the same transaction ([`rights`]). Each change is in the audit log, and its user gets a
//! mail.

use protocol::Fault;
use runtime::{Caller, Ownership, prelude::*};
use store::transaction;

use crate::{
    Account, AuditAction, AuditEntry, EmailAddress, IdentityRole, IdentityUser, UserId,
    audit::Audit,
    delegation,
    notices::{Notice, Notices},
    removal::UserRemoval,
    rights,
    sessions::Sessions,
};

/// Why nothing was done with a user.
#[derive(Debug)]
pub enum UserRefusal {
    /// No user has this id.
    Missing,
    /// The user was changed since the version that the caller saw.
    Changed {
        /// The version that is stored.
        version: Version,
    },
    /// Another user has this address.
    EmailTaken(EmailAddress),
    /// A group of users may not become smaller, see the `at_least` of a tally.
    TooFew {
        /// The tally's name.
        tally: &'static str,
    },
}

/// What a change is about.
#[derive(Clone, Copy, Debug)]
pub struct UserChange {
    /// Which user.
    pub id: UserId,
    /// The version that the caller saw; a newer one is not overwritten.
    pub version: Option<Version>,
    /// Whether the input has an address, the proof of one, or a role, whatever their values: what takes the permission
    /// [`RIGHTS`](crate::RIGHTS).
    pub gives_rights: bool,
}

/// The capability to create users with their accounts.
#[derive(Clone, Capability)]
pub struct UserCreation<U: IdentityUser> {
    pub(crate) users: Create<U>,
    pub(crate) accounts: Create<Account>,
    pub(crate) audit: Audit,
}

impl<U: IdentityUser> UserCreation<U> {
    /// Creates a user, unless another one has the address, which is then the answer. A user that is verified, or more than a new user is, takes the permission [`RIGHTS`](crate::RIGHTS).
    ///
    /// # Errors
    /// `FORBIDDEN` when the caller may not give what the user would have.
    pub async fn create(&self, caller: &Caller, mut user: U) -> Result<Result<U, EmailAddress>, Fault> {
        if user.is_verified() || user.role() != U::Role::NEW_USER {
            delegation::expect_may_give_rights(caller)?;
            delegation::expect_may_change(caller, [user.role()])?;
        }
        let entry = self.audit.by_on(caller, AuditAction::UserCreated, user.user_id());
        let done = transaction(vec![
            self.users.creating(&mut user),
            self.accounts.creating(&mut Account::new(user.user_id())),
            self.audit.creating(entry),
        ]);
        match done.await {
            Err(StoreError::Taken { rule }) if rule == U::UNIQUE_EMAIL => Ok(Err(user.email().clone())),
            done => Ok(Ok(done.map(|()| user)?)),
        }
    }
}

/// The capability to change users, with their sessions.
#[derive(Clone, Capability)]
pub struct UserUpdates<U: IdentityUser> {
    pub(crate) users: Update<U>,
    pub(crate) sessions: Sessions,
    pub(crate) audit: Audit,
    pub(crate) notices: Notices,
}

impl<U: IdentityUser> UserUpdates<U> {
    /// Changes a user by `change`, which may run more than once. Another address is not verified, unless the change says so.
    ///
    /// # Errors
    /// `FORBIDDEN` when the user is not within `ownership`, has or would have a right that the caller lacks, or when the
    /// change gives rights and the caller may not.
    pub async fn update(
        &self,
        (caller, ownership): (&Caller, &Ownership),
        UserChange { id, version, gives_rights }: UserChange,
        change: impl Fn(&mut U),
    ) -> Result<Result<U, UserRefusal>, Fault> {
        ownership.expect(id)?;
        if gives_rights {
            ownership.expect_all()?;
            delegation::expect_may_give_rights(caller)?;
        }
        let Some(current) = self.users.get(&id).await? else { return Ok(Err(UserRefusal::Missing)) };
        // The own name is one's own to change, whatever an application may do in a person's name.
        let is_own = !gives_rights && caller.is_person() && caller.subject() == id.to_string();
        if !is_own {
            delegation::expect_may_change(caller, [current.role()])?;
        }
        if version.is_some_and(|seen| seen != current.version()) {
            return Ok(Err(UserRefusal::Changed { version: current.version() }));
        }
        let mut next = changed(&current, change);
        if gives_rights {
            delegation::expect_may_change(caller, [next.role()])?;
            // The user does not end any more, nor belong to whoever registers the address next.
            next.set_ends_at(None);
        } else if !has_same_rights(&current, &next) {
            return Err(Fault::internal(
                "a change of a user that gives no rights changes the address, its proof or the role",
            ));
        }
        let written = || vec![self.audit.creating(self.entry(caller, &current, &next))];
        match rights::replace_user(&self.users, &self.sessions, &current, &next, written).await {
            Err(StoreError::Taken { rule }) if rule == U::UNIQUE_EMAIL => {
                Ok(Err(UserRefusal::EmailTaken(next.email().clone())))
            }
            Err(StoreError::TooFew { tally }) => Ok(Err(UserRefusal::TooFew { tally })),
            replaced => {
                let replaced = replaced?;
                self.notices.notify_change(&current, &replaced).await;
                Ok(Ok(replaced))
            }
        }
    }

    /// What the log says of a change: who, and which rights and address.
    fn entry(&self, caller: &Caller, current: &U, next: &U) -> AuditEntry {
        let is_rights = current.effective_role() != next.effective_role();
        let action = if is_rights { AuditAction::RightsChanged } else { AuditAction::UserChanged };
        let rights = is_rights.then(|| rights::described(next));
        let address = match next.email().is_same_as(current.email()) {
            false => Some("another address"),
            true => (next.email() != current.email()).then_some("another spelling of the address"),
        };
        let details: Vec<String> = rights.into_iter().chain(address.map(str::to_owned)).collect();
        let detail = (!details.is_empty()).then(|| details.join("; "));
        AuditEntry { detail, ..self.audit.by_on(caller, action, current.user_id()) }
    }
}

/// A user after a change. Nobody has proved another address, unless the change itself says that the user is verified.
fn changed<U: IdentityUser>(current: &U, change: impl Fn(&mut U)) -> U {
    let mut next = current.clone();
    change(&mut next);
    if !next.email().is_same_as(current.email()) {
        next = current.clone();
        next.set_verified(false);
        change(&mut next);
    }
    next
}

/// Whether a change leaves alone what takes the permission to give rights.
fn has_same_rights<U: IdentityUser>(current: &U, next: &U) -> bool {
    current.email() == next.email()
        && current.is_verified() == next.is_verified()
        && current.role() == next.role()
        && current.ends_at() == next.ends_at()
}

impl<U: IdentityUser> UserRemoval<U> {
    /// Deletes a user on behalf of a caller, and notifies the user.
    ///
    /// # Errors
    /// `FORBIDDEN` when the user has a right that the caller lacks.
    pub async fn delete(
        &self,
        caller: &Caller,
        notices: &Notices,
        id: UserId,
        version: Option<Version>,
    ) -> Result<Result<(), UserRefusal>, Fault> {
        let Some(current) = self.users.get(&id).await? else { return Ok(Err(UserRefusal::Missing)) };
        delegation::expect_may_change(caller, [current.role()])?;
        if version.is_some_and(|seen| seen != current.version()) {
            return Ok(Err(UserRefusal::Changed { version: current.version() }));
        }
        match self.remove(&current, &self.audit.by_on(caller, AuditAction::UserDeleted, id)).await {
            Err(StoreError::TooFew { tally }) => Ok(Err(UserRefusal::TooFew { tally })),
            deleted => {
                deleted?;
                notices.notify(current.email(), Notice::Deleted).await;
                Ok(Ok(()))
            }
        }
    }
}

/// The capability to sign users out.
#[derive(Clone, Capability)]
pub struct UserSignOut<U: IdentityUser> {
    pub(crate) users: Read<U>,
    pub(crate) sessions: Sessions,
    pub(crate) audit: Audit,
    pub(crate) notices: Notices,
}

impl<U: IdentityUser> UserSignOut<U> {
    /// Ends all sessions of a user, and those of applications in the user's name: how many there were, or none where there is no such user.
    ///
    /// # Errors
    /// `FORBIDDEN` when the user has a right that the caller lacks.
    pub async fn sign_out(&self, caller: &Caller, id: UserId) -> Result<Option<usize>, Fault> {
        let Some(user) = self.users.get(&id).await? else { return Ok(None) };
        delegation::expect_may_change(caller, [user.role()])?;
        let entry = self.audit.by_on(caller, AuditAction::SignedOut, id);
        let count = self.sessions.end(id, |_| true, |_| {}, || vec![self.audit.creating(entry.clone())]).await?;
        if count > 0 {
            self.notices.notify(user.email(), Notice::SignedOut).await;
        }
        Ok(Some(count))
    }
}
