//! `account.export`.

use model::{Post, User};
use onefold::{
    identity::{
        Account, AuditAction, AuditEntry, Session, UserId,
        audit::Audit,
        devices::{SignedInDevice, devices},
    },
    prelude::*,
};

/// What part of it.
#[wire(input)]
pub struct Input {
    /// Where to go on in the list: `next` of the part before.
    pub cursor: Option<Cursor>,
    /// Which list is taken along with it; the posts if left out.
    pub list: Option<ExportedList>,
}

/// A list that may be long. Each is taken along by itself.
#[wire]
pub enum ExportedList {
    /// What the person wrote.
    Posts,
    /// What the person did, as the audit log has it: with the consents that were given to applications.
    Done,
    /// What was done to the person, by others as well.
    Undergone,
}

/// What is kept about somebody. Long lists come in parts.
#[wire]
pub struct Exported {
    /// The person.
    pub user: User,
    /// Accounts elsewhere by which the person signs in.
    pub identities: Vec<Identity>,
    /// Where the person is signed in, and the applications that act in the person's name, with what they may do.
    pub sessions: Vec<SignedInDevice>,
    /// What the person wrote, newest first, if it was asked for.
    pub posts: Vec<Post>,
    /// Entries of the audit log, newest first, if they were asked for. From where others did something is theirs, and
    /// left out.
    pub entries: Vec<AuditEntry>,
    /// Where the list goes on; null at its end.
    pub next: Option<Cursor>,
}

/// An account elsewhere.
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

/// The capability to read the personal data of a user.
#[derive(Clone, Capability)]
pub struct PersonalData {
    pub(crate) users: Read<User>,
    pub(crate) accounts: Read<Account>,
    pub(crate) sessions: Read<Session>,
    pub(crate) posts: Read<Post>,
    pub(crate) entries: Read<AuditEntry>,
}

/// Why there is nothing to take along.
#[derive(Debug, Failure)]
pub enum Error {
    /// The caller is no user.
    #[failure(NOT_FOUND)]
    NotAUser,
}

/// Take along everything that is kept about oneself, list by list and part by part.
#[procedure(mutation, auth = signed_in, sensitive, rest = "POST /v1/account/export")]
pub async fn export(
    data: PersonalData,
    audit: Audit,
    caller: Caller,
    #[input] input: Input,
) -> Result<Exported, Error> {
    let id = caller.subject().parse().map_err(|_| Error::NotAUser)?;
    let user = data.users.get(&id).await?.ok_or(Error::NotAUser)?;
    let account = data.accounts.get(&id).await?.unwrap_or_else(|| Account::new(id));
    let list = input.list.unwrap_or(ExportedList::Posts);
    if input.cursor.is_none() {
        let detail = match list {
            ExportedList::Posts => "posts",
            ExportedList::Done => "done",
            ExportedList::Undergone => "undergone",
        };
        let entry = audit.by(&caller, AuditAction::DataExported);
        audit.create(AuditEntry { detail: Some(detail.to_owned()), ..entry }).await?;
    }
    let cursor = input.cursor.as_ref();
    let (posts, entries, next) = match list {
        ExportedList::Posts => {
            let written = data.posts.list(&Post::BY_AUTHOR).of(id.to_string()).descending();
            let page = written.page(PageSize::default(), cursor).await?;
            (page.items, Vec::new(), page.next)
        }
        ExportedList::Done | ExportedList::Undergone => {
            let is_done = matches!(list, ExportedList::Done);
            let index = if is_done { &AuditEntry::BY_ACTOR } else { &AuditEntry::BY_TARGET };
            let page =
                data.entries.list(index).of(id.to_string()).descending().page(PageSize::default(), cursor).await?;
            (Vec::new(), page.items.into_iter().map(|entry| own_part(entry, id)).collect(), page.next)
        }
    };
    let identities = account.identities.into_iter().map(|it| Identity {
        provider: it.provider,
        subject: it.subject,
        email: it.email,
        linked_at: it.linked_at,
    });
    let sessions = devices(&data.sessions, &account.devices, caller.session()).await?;
    Ok(Exported { user, identities: identities.collect(), sessions, posts, entries, next })
}

/// The part of an entry that is the user's own: another actor's network address is not.
fn own_part(entry: AuditEntry, id: UserId) -> AuditEntry {
    let is_own = entry.actor.as_deref() == Some(&*id.to_string());
    if is_own { entry } else { AuditEntry { address: String::new(), ..entry } }
}
