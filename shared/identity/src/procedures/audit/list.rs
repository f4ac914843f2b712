//! `audit.list`.

use runtime::prelude::*;

use crate::AuditEntry;

/// Which entries. Newest come first.
#[wire(input)]
pub struct Input {
    /// Only what this person, or other caller, did.
    #[garde(length(chars, max = 100))]
    pub actor: Option<String>,
    /// Only what was done to this person or thing, by themselves as well.
    #[garde(length(chars, max = 100))]
    pub target: Option<String>,
    /// How many entries a page has; 20 if left out.
    #[garde(dive)]
    pub limit: Option<PageSize>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<Cursor>,
}

/// List the audit log: who did what to whom.
///
/// With an actor as well as a target, what the actor did is read, and other targets are dropped: a page may come
/// back shorter than asked, with `next`.
#[procedure(query, auth = permission("audit:read"), sensitive, rest = "GET /v1/audit")]
pub async fn list(entries: Read<AuditEntry>, #[input] input: Input) -> Result<Page<AuditEntry>, NoFailure> {
    let (list, target) = match (input.actor, input.target) {
        (Some(actor), target) => (entries.list(&AuditEntry::BY_ACTOR).of(actor), target),
        (None, Some(target)) => (entries.list(&AuditEntry::BY_TARGET).of(target), None),
        (None, None) => (entries.list(&AuditEntry::BY_TIME), None),
    };
    let about = |entry: &AuditEntry, target: &String| entry.target.as_ref().or(entry.actor.as_ref()) == Some(target);
    let list = list.descending().keep(move |entry| target.as_ref().is_none_or(|target| about(entry, target)));
    Ok(list.page(input.limit.unwrap_or_default(), input.cursor.as_ref()).await?)
}
