//! What this package keeps about a person, for the person to take along. What else is kept is the service's to add.

use protocol::Fault;
use runtime::{Caller, prelude::*};

use crate::{
    Account, AuditAction, AuditEntry, Session, UserId,
    audit::Audit,
    devices::{SignedInDevice, devices},
};

/// An account at an identity provider.
#[wire]
pub struct Identity {
    /// The provider's id, such as `google`.
    pub provider: String,
    /// Who the person is there.
    pub subject: String,
    /// The address that the provider named.
    pub email: Option<String>,
    /// When it was linked.
    pub linked_at: Timestamp,
}

/// Which entries of the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoggedPart {
    /// What the person did.
    Done,
    /// What was done to the person, by others as well.
    Undergone,
}

/// The capability to read what is kept about a person, and to write down that it was taken along.
#[derive(Clone, Capability)]
pub struct PersonalData {
    pub(crate) accounts: Read<Account>,
    pub(crate) sessions: Read<Session>,
    pub(crate) entries: Read<AuditEntry>,
    pub(crate) audit: Audit,
}

impl PersonalData {
    /// Writes down that the caller takes along a part of it, which `detail` names.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn note_export(&self, caller: &Caller, detail: &str) -> Result<(), StoreError> {
        let entry = self.audit.by(caller, AuditAction::DataExported);
        self.audit.create(AuditEntry { detail: Some(detail.to_owned()), ..entry }).await
    }

    /// The accounts at identity providers by which the caller, of this id, signs in, and where they are signed in.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn sign_ins(&self, caller: &Caller, id: UserId) -> Result<(Vec<Identity>, Vec<SignedInDevice>), Fault> {
        let account = self.accounts.get(&id).await?.unwrap_or_else(|| Account::new(id));
        let sessions = devices(&self.sessions, &account.devices, caller.session()).await?;
        let identities = account.identities.into_iter().map(|it| Identity {
            provider: it.provider,
            subject: it.subject,
            email: it.email,
            linked_at: it.linked_at,
        });
        Ok((identities.collect(), sessions))
    }

    /// A page of the audit log about a person, newest first. The network addresses of others are theirs, and left out.
    ///
    /// # Errors
    /// When the database is away, or the cursor is none of this list.
    pub async fn logged(
        &self,
        id: UserId,
        part: LoggedPart,
        cursor: Option<&Cursor>,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let index = match part {
            LoggedPart::Done => &AuditEntry::BY_ACTOR,
            LoggedPart::Undergone => &AuditEntry::BY_TARGET,
        };
        let list = self.entries.list(index).of(id.to_string()).descending();
        let page = list.page(PageSize::default(), cursor).await?;
        Ok(Page { items: page.items.into_iter().map(|entry| own_part(entry, id)).collect(), next: page.next })
    }
}

/// What of an entry is the person's: the network address of another person is not.
fn own_part(entry: AuditEntry, id: UserId) -> AuditEntry {
    let is_own = entry.actor.as_deref() == Some(&*id.to_string());
    if is_own { entry } else { AuditEntry { address: String::new(), ..entry } }
}
