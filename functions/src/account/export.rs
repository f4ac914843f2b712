//! `account.export`.

use model::{Account, AuditAction, AuditEntry, Post, User};
use runtime::{Device, prelude::*};

use crate::identity::audit;

/// What part of it.
#[wire]
pub struct Input {
    /// Where to go on: `next` of the part before.
    pub cursor: Option<Cursor>,
}

/// What is kept about somebody. Long lists come in parts.
#[wire]
pub struct Exported {
    /// The person.
    pub user: User,
    /// Accounts elsewhere by which the person signs in.
    pub identities: Vec<Identity>,
    /// What the person wrote, newest first.
    pub posts: Vec<Post>,
    /// Where the next posts begin; null at the end.
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

/// Why there is nothing to take along.
#[derive(Debug, Failure)]
pub enum Error {
    /// The caller is no user.
    #[failure(NOT_FOUND)]
    NotAUser,
}

/// Take along everything that is kept about oneself, part by part. Where one is signed in, `sessions.list` tells.
#[procedure(mutation, auth = signed_in, sensitive, rest = "POST /v1/account/export")]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn export(
    users: Read<User>,
    accounts: Read<Account>,
    posts: Read<Post>,
    log: Append<AuditEntry>,
    caller: Caller,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<Exported, Error> {
    let id = caller.subject().parse().map_err(|_| Error::NotAUser)?;
    let user = users.get(&id).await?.ok_or(Error::NotAUser)?;
    let linked = accounts.get(&id).await?.map(|account| account.identities).unwrap_or_default();
    let cursor = input.cursor;
    if cursor.is_none() {
        log.create(audit::by(&caller, AuditAction::DataExported, &ids, &clock, &device)).await?;
    }
    let written = posts.list(&Post::BY_AUTHOR).of(id.to_string()).descending();
    let page = written.page(PageSize::default(), cursor.as_ref()).await?;
    let identities = linked.into_iter().map(|it| Identity {
        provider: it.provider,
        subject: it.subject,
        email: it.email,
        linked_at: it.linked_at,
    });
    Ok(Exported { user, identities: identities.collect(), posts: page.items, next: page.next })
}
