//! `users.update`.

use model::{Role, User};
use onefold::{
    identity::{
        AuditAction, AuditEntry, EmailAddress, IdentityUser as _, UserId, audit::Audit, delegation, notices::Notices,
        rights, sessions::Sessions,
    },
    prelude::*,
};

/// What to change. What is left out stays as it is.
#[wire(input)]
pub struct Input {
    /// Which user.
    pub id: UserId,
    /// The version that was seen; a newer one is then not overwritten.
    pub version: Option<Version>,
    /// The new address; no other user may have it. To give one takes the permission `rights:write`.
    #[garde(dive)]
    pub email: Patch<EmailAddress>,
    /// The new name.
    #[garde(length(chars, min = 1, max = User::MAX_NAME_CHARS))]
    pub name: Patch<String>,
    /// The new age; null when it is no longer known.
    #[garde(range(max = User::MAX_AGE))]
    pub age: Patch<Option<u32>>,
    /// Whether the address is known to be the user's. To say so takes the permission `rights:write`.
    pub is_verified: Patch<bool>,
    /// What the user is from now on. It takes the permission `rights:write`, and every permission that the role has.
    pub role: Patch<Role>,
}

impl Input {
    /// Whether it changes more than what a user may change of themselves: with another address, somebody else could
    /// request a new password.
    fn gives_rights(&self) -> bool {
        !(self.email.is_keep() && self.is_verified.is_keep() && self.role.is_keep())
    }
}

/// Why the user was not changed.
#[derive(Debug, Failure)]
pub enum Error {
    /// No user has this id.
    #[failure(NOT_FOUND)]
    Missing(UserId),
    /// Another user has this e-mail address.
    #[failure(CONFLICT)]
    EmailTaken(EmailAddress),
    /// The user was changed in the meantime.
    #[failure(CONFLICT)]
    Changed {
        /// The version that is stored.
        version: Version,
    },
    /// There must be another administrator first.
    #[failure(UNPROCESSABLE_CONTENT)]
    LastAdministrator,
}

/// Change a user. Who has the permission for the own account only changes name and age, and nothing that gives rights.
///
/// An address, its proof and a role are given by whoever has the permission `rights:write`, which no third party's
/// application gets, and who signed in a moment ago. Nobody changes a user with a right that they lack, nor gives one.
///
/// Another role counts at once in the user's cookie sessions and in whatever a token changes, and for what a token reads
/// when it is refreshed.
#[procedure(
    mutation,
    auth = permission("users:write", own),
    rest = "PATCH /v1/users/{id}",
    fresh = 300,
    fresh_if = Input::gives_rights
)]
pub async fn update(
    users: Update<User>,
    sessions: Sessions,
    audit: Audit,
    notices: Notices,
    caller: Caller,
    ownership: Ownership,
    #[input] input: Input,
) -> Result<User, Error> {
    ownership.expect(input.id)?;
    let is_decision = input.gives_rights();
    if is_decision {
        ownership.expect_all()?;
        delegation::expect_may_give_rights(&caller)?;
    }
    let current = users.get(&input.id).await?.ok_or(Error::Missing(input.id))?;
    // A user may change their own name, whatever scopes an application has in their name.
    let is_own_name = !is_decision && caller.is_person() && caller.subject() == input.id.to_string();
    if !is_own_name {
        delegation::expect_may_change(&caller, [current.role])?;
    }
    if input.version.is_some_and(|seen| seen != current.version) {
        return Err(Error::Changed { version: current.version });
    }
    let mut next = current.clone();
    input.email.apply(&mut next.email);
    if !next.email.is_same_as(&current.email) {
        // Nobody has proved the new address, unless this call states it.
        next.is_verified = false;
    }
    input.name.apply(&mut next.name);
    input.age.apply(&mut next.age);
    input.is_verified.apply(&mut next.is_verified);
    input.role.apply(&mut next.role);
    if is_decision {
        delegation::expect_may_change(&caller, [next.role])?;
        // Nor does the user expire, or belong to the next person who registers the address.
        next.ends_at = None;
    }
    let email = next.email.clone();
    let is_rights = current.effective_role() != next.effective_role();
    let action = if is_rights { AuditAction::RightsChanged } else { AuditAction::UserChanged };
    let rights = is_rights.then(|| rights::described(&next));
    let address = match next.email.is_same_as(&current.email) {
        false => Some("another address"),
        true => (next.email != current.email).then_some("another spelling of the address"),
    };
    let details: Vec<String> = rights.into_iter().chain(address.map(str::to_owned)).collect();
    let entry = AuditEntry {
        target: Some(input.id.to_string()),
        detail: (!details.is_empty()).then(|| details.join("; ")),
        ..audit.by(&caller, action)
    };
    let extra_operations = || vec![audit.creating(entry.clone())];
    match rights::replace_user(&users, &sessions, &current, &next, extra_operations).await {
        Err(StoreError::Taken { .. }) => Err(Error::EmailTaken(email)),
        Err(StoreError::TooFew { .. }) => Err(Error::LastAdministrator),
        changed => {
            let changed = changed?;
            notices.notify_change(&current, &changed).await;
            Ok(changed)
        }
    }
}

#[cfg(test)]
mod tests;
