//! `account.export`.

use model::{Post, User};
use onefold::{
    identity::{
        AuditEntry,
        devices::SignedInDevice,
        personal_data::{Identity, LoggedPart, PersonalData},
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
    users: Read<User>,
    posts: Read<Post>,
    data: PersonalData,
    caller: Caller,
    #[input] input: Input,
) -> Result<Exported, Error> {
    let id = caller.subject().parse().map_err(|_| Error::NotAUser)?;
    let user = users.get(&id).await?.ok_or(Error::NotAUser)?;
    let (list, cursor) = (input.list.unwrap_or(ExportedList::Posts), input.cursor.as_ref());
    let (detail, logged) = match list {
        ExportedList::Posts => ("posts", None),
        ExportedList::Done => ("done", Some(LoggedPart::Done)),
        ExportedList::Undergone => ("undergone", Some(LoggedPart::Undergone)),
    };
    if cursor.is_none() {
        data.note_export(&caller, detail).await?;
    }
    let (posts, entries, next) = if let Some(part) = logged {
        let page = data.logged(id, part, cursor).await?;
        (Vec::new(), page.items, page.next)
    } else {
        let written = posts.list(&Post::BY_AUTHOR).of(id.to_string()).descending();
        let page = written.page(PageSize::default(), cursor).await?;
        (page.items, Vec::new(), page.next)
    };
    let (identities, sessions) = data.sign_ins(&caller, id).await?;
    Ok(Exported { user, identities, sessions, posts, entries, next })
}
