//! The audit log: who did what to whom. Entries are written and never changed.

use macros::{Entity, wire};
use protocol::{Listing, SortKey, Timestamp, Version, id};

id! {
    /// Names one entry of the audit log.
    pub struct AuditEntryId;
}

/// What happened.
#[wire]
pub enum AuditAction {
    /// An account was made.
    Registered,
    /// A caller registered with an address that has an account already; nothing of it was touched.
    RegisteredAgain,
    /// A user signed in.
    SignedIn,
    /// A sign-in failed.
    SignInFailed,
    /// A user who was signed in proved again who they are.
    Reauthenticated,
    /// A user signed out, or a device was signed out.
    SignedOut,
    /// A refresh token came a second time: its session was ended.
    TokenReused,
    /// An address was proved.
    EmailVerified,
    /// A user asked once more for the link that proves an address.
    VerificationRequested,
    /// A user asked for a link by which another password can be chosen.
    ResetRequested,
    /// A user who was signed in, or who had the link that proves the address, gave a password that is not the
    /// account's.
    PasswordRefused,
    /// A caller came with a token that is not good: one that is mailed, or the one that names the first administrator.
    TokenRefused,
    /// A password was changed by its owner.
    PasswordChanged,
    /// A password was set by a link that was mailed.
    PasswordReset,
    /// A user was made by an administrator.
    UserCreated,
    /// A user was changed.
    UserChanged,
    /// A role, or whether an address counts as verified, was changed.
    RightsChanged,
    /// A user was deleted.
    UserDeleted,
    /// An account at an identity provider was linked.
    IdentityLinked,
    /// An account at an identity provider was unlinked.
    IdentityUnlinked,
    /// An application was registered.
    ClientCreated,
    /// An application was removed.
    ClientDeleted,
    /// A caller that is no registered application, or could not prove which one, asked for a token.
    ClientRefused,
    /// A known caller was refused what they may not do.
    Refused,
    /// A user let an application in.
    ConsentGiven,
    /// A user took their own data along.
    DataExported,
    /// A user erased their own account.
    AccountErased,
}

/// One entry. It never holds a secret, nor what was in a changed field.
#[wire]
#[derive(Entity)]
#[entity(prefix = "audit", expires_at = self.at.plus_ms(Self::KEPT_MS))]
#[entity(index = "time", shards = 4, sort = SortKey::time(self.at))]
#[entity(index = "actor", list = self.actor.as_deref().unwrap_or_default(), sort = SortKey::time(self.at), when = self.actor.is_some())]
#[entity(index = "target", list = self.about().unwrap_or_default(), sort = SortKey::time(self.at), when = self.about().is_some())]
pub struct AuditEntry {
    /// The entry's id.
    #[entity(id)]
    pub id: AuditEntryId,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub action: AuditAction,
    /// Who did it: a user's id, or what else the caller's token names; null when nobody was signed in.
    pub actor: Option<String>,
    /// The application by which it was done in the actor's name, if it was one.
    pub client: Option<String>,
    /// To whom or what: an id; null when that is the actor.
    pub target: Option<String>,
    /// What was changed, or by what means, in words; null when that is clear.
    pub detail: Option<String>,
    /// From which network address.
    pub address: String,
    /// Grows with each change; entries have none.
    #[entity(version)]
    pub version: Version,
}

impl AuditEntry {
    /// How long an entry is stored, in milliseconds: 400 days.
    pub const KEPT_MS: i64 = 400 * 24 * 3_600_000;

    /// All entries, oldest first. Every sign-in writes one, so the index has several shards.
    pub const BY_TIME: Listing<Self> = Listing::of("time");
    /// The actions of one actor, oldest first.
    pub const BY_ACTOR: Listing<Self> = Listing::of("actor");
    /// The actions on one target, its own included, oldest first.
    pub const BY_TARGET: Listing<Self> = Listing::of("target");

    /// The target, or the actor where no target is stated.
    fn about(&self) -> Option<&str> {
        self.target.as_deref().or(self.actor.as_deref())
    }
}
