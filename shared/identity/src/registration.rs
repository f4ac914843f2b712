//! Registration: how accounts begin whose owners register themselves.

use protocol::Fault;
use runtime::{Definition, opaque::Opaque, prelude::*};
use store::{Operation, transaction};

use super::{audit::Audit, founder::Founding, mails, sessions::ATTEMPTS};
use crate::{
    Account, AuditAction, AuditEntry, Claim, EmailAddress, IdentityRole, IdentityUser, MailedToken, NewUser, Purpose,
    UNPROVED_MS,
};

/// The capability to register a person.
#[derive(Clone, Capability)]
pub struct Registrar<U: IdentityUser> {
    pub(crate) users: Read<U>,
    pub(crate) new_users: Create<U>,
    pub(crate) accounts: Read<Account>,
    pub(crate) new_accounts: Create<Account>,
    pub(crate) tokens: Create<MailedToken>,
    pub(crate) audit: Audit,
    pub(crate) service: &'static Definition,
    pub(crate) ids: Ids,
    pub(crate) clock: Clock,
}

/// The mail that follows a registration.
pub(crate) enum Next {
    /// The link that proves the address.
    Confirm(EmailAddress, Opaque),
    /// The link to choose a password for an account that an administrator created.
    Invite(EmailAddress, Opaque),
    /// A note that the address has an account.
    Tell(EmailAddress),
}

impl<U: IdentityUser> Registrar<U> {
    /// Registers a person. A registration changes nothing of a known address: the mailed token holds it, and it counts
    /// for the person who proves the address and to be the one who registered.
    pub(crate) async fn register(&self, email: EmailAddress, claim: Claim, founding: &Founding) -> Result<Next, Fault> {
        for _ in 0..ATTEMPTS {
            if let Some(owner) = self.users.by_unique(U::UNIQUE_EMAIL, &email.comparable()).await? {
                return self.again(&owner, claim).await;
            }
            let mut user = self.new_user(email.clone(), claim.name.clone(), false);
            let mut account = Account {
                password: claim.password.clone(),
                identities: claim.identity.iter().cloned().collect(),
                registered_in: claim.browser.clone(),
                ends_at: user.ends_at(),
                ..Account::new(user.user_id())
            };
            let (secret, mut token) = mails::token(Purpose::VerifyEmail, &user, None, &self.clock)?;
            // The founder becomes the first administrator with the proof: a link that goes astray is not enough.
            token.claim = claim.founder.is_some().then(|| claim.clone());
            let extra_operations = |user: &U| {
                let actor = Some(user.user_id().to_string());
                let detail = claim.identity.as_ref().map(|identity| identity.provider.clone());
                let entry = AuditEntry { actor, detail, ..self.audit.entry(AuditAction::Registered) };
                vec![self.tokens.creating(&mut token.clone()), self.audit.creating(entry)]
            };
            if self.create(&mut user, &mut account, founding, extra_operations).await? {
                return Ok(Next::Confirm(user.email().clone(), secret));
            }
        }
        Err(StoreError::Stale.into())
    }

    /// A new user. The user of an unproved address expires.
    pub(crate) fn new_user(&self, email: EmailAddress, name: String, is_verified: bool) -> U {
        let now = self.clock.now();
        U::from_new_user(NewUser {
            id: self.ids.next(),
            email,
            name,
            is_verified,
            role: IdentityRole::NEW_USER,
            created_at: now,
            ends_at: (!is_verified).then(|| now.plus_ms(UNPROVED_MS)),
        })
    }

    /// Creates an account. With `founding`, it is the first administrator's if there is no user yet.
    pub(crate) async fn create(
        &self,
        user: &mut U,
        account: &mut Account,
        founding: &Founding,
        extra_operations: impl Fn(&U) -> Vec<Operation>,
    ) -> Result<bool, Fault> {
        // The index that shows whether there is a user may lag: the account's uniqueness rule keeps it to one first
        // administrator.
        account.is_founder = *founding == Founding::IfFirst
            && self.users.list(&U::ALL_USERS).page(PageSize::default(), None).await?.items.is_empty();
        loop {
            user.set_role(if account.is_founder { IdentityRole::FOUNDER } else { IdentityRole::NEW_USER });
            let mut operations = vec![self.new_users.creating(user), self.new_accounts.creating(account)];
            operations.extend(extra_operations(user));
            match transaction(operations).await {
                Err(StoreError::Taken { rule: Account::UNIQUE_FOUNDER }) => account.is_founder = false,
                Err(StoreError::Taken { .. }) => return Ok(false),
                done => return Ok(done.map(|()| true)?),
            }
        }
    }

    /// Whether there is a first administrator.
    pub(crate) async fn has_founder(&self) -> Result<bool, StoreError> {
        let founder = self.accounts.by_unique(Account::UNIQUE_FOUNDER, Account::FOUNDER).await?;
        Ok(founder.is_some())
    }

    async fn again(&self, owner: &U, claim: Claim) -> Result<Next, Fault> {
        let account = self.accounts.get(&owner.user_id()).await?;
        let email = owner.email().clone();
        let target = Some(owner.user_id().to_string());
        let detail = claim.identity.as_ref().map(|identity| identity.provider.clone());
        let entry = AuditEntry { target, detail, ..self.audit.entry(AuditAction::RegisteredAgain) };
        // The founder's token may name a user who exists already.
        let is_named = claim.founder.is_some();
        if owner.is_verified() && !is_named {
            self.audit.create(entry).await?;
            return Ok(Next::Tell(email));
        }
        // An account that an administrator decided about cannot be registered: its owner chooses a password.
        let is_free = owner.is_as_registered() || is_named;
        let purpose = if is_free { Purpose::VerifyEmail } else { Purpose::ResetPassword };
        let (secret, mut token) = mails::token(purpose, owner, account.as_ref(), &self.clock)?;
        token.claim = is_free.then_some(claim);
        transaction(vec![self.tokens.creating(&mut token), self.audit.creating(entry)]).await?;
        Ok(if is_free { Next::Confirm(email, secret) } else { Next::Invite(email, secret) })
    }
}
