//! Sign-in by a provider: which account an identity belongs to.
//!
//! A linked identity signs its user in. Otherwise the address decides, and only if both sides vouch for it: an address
//! that anybody may write down, here or there, must not open an account. The owner of both signs in here first, and
//! links them. An address for which the provider does not vouch is confirmed by mail before anybody is signed in.

use garde::Validate as _;
use protocol::{Code, Fault, SecretHash};
use runtime::{Cookies, RegistrationPolicy, Site, opaque::Opaque, prelude::*};
use store::{Operation, transaction};

use super::{
    audit::Audit,
    founder::Founding,
    known_browsers::Browser,
    limits::Attempts,
    mailbox_proof,
    mails::{self, LinkMails},
    notices::{Notice, Notices},
    registration::Registrar,
    sessions::{ATTEMPTS, SessionSecret, Sessions},
    sign_in_flows::{Ended, Refusal},
};
use crate::{
    Account, AuditAction, AuditEntry, Claim, EmailAddress, FlowSession, IdentityUser, LinkedIdentity, Purpose, UserId,
    federation::Identity, name,
};

/// The capability to sign a person in who comes from a provider.
#[derive(Clone, Capability)]
pub struct ProviderSignIn<U: IdentityUser> {
    pub(crate) users: Write<U>,
    pub(crate) sessions: Sessions,
    pub(crate) registrar: Registrar<U>,
    pub(crate) registration: RegistrationPolicy,
    pub(crate) attempts: Attempts,
    pub(crate) mails: LinkMails,
    pub(crate) notices: Notices,
    pub(crate) audit: Audit,
    pub(crate) cookies: Cookies,
    pub(crate) site: Site,
    pub(crate) clock: Clock,
}

impl<U: IdentityUser> ProviderSignIn<U> {
    /// Signs the person in and returns the secret of the session's cookie.
    pub(crate) async fn sign_in(&self, identity: &Identity) -> Result<Opaque, Ended> {
        let linked_identity = self.linked(identity);
        for _ in 0..ATTEMPTS {
            let known = self.sessions.accounts.by_unique(Account::UNIQUE_IDENTITY, &linked_identity.unique()).await?;
            if let Some(account) = known {
                return match self.users.get(&account.user_id).await?.filter(U::is_as_registered) {
                    None => Ok(self.begin_session(account.user_id, &linked_identity, false).await?),
                    Some(user) => Err(self
                        .ask_to_confirm(user.email().clone(), user.name().to_owned(), &linked_identity)
                        .await?
                        .into()),
                };
            }
            let email = EmailAddress::new(identity.email.as_deref().unwrap_or_default());
            if email.validate().is_err() {
                return Err(Refusal::NoEmail.into());
            }
            if !identity.email_verified {
                // This check precedes the look-up of the address, whose result it must not reveal.
                self.registration.expect(&email.comparable()).map_err(Refusal::from)?;
                let name = name(identity, &email);
                return Err(self.ask_to_confirm(email, name, &linked_identity).await?.into());
            }
            // A concurrent sign-in, perhaps by the same person in another tab, is found in the next round.
            match self.users.by_unique(U::UNIQUE_EMAIL, &email.comparable()).await? {
                None => {
                    self.registration.expect(&email.comparable()).map_err(Refusal::from)?;
                    self.register(identity, email, &linked_identity).await?;
                }
                Some(user) if user.is_verified() => {
                    let account = self.sessions.accounts.get(&user.user_id()).await?;
                    let mut linked = account.iter().flat_map(|account| &account.identities);
                    match linked.find(|it| it.provider == linked_identity.provider) {
                        None => return Ok(self.begin_session(user.user_id(), &linked_identity, true).await?),
                        Some(it) if it.subject != linked_identity.subject => return Err(Refusal::OtherLinked.into()),
                        Some(_) => {}
                    }
                }
                Some(user) if user.is_as_registered() => {
                    self.verify_by_provider(&user, identity, &linked_identity).await?
                }
                Some(user) => {
                    let entry = self.entry(AuditAction::SignInFailed, &user.user_id(), &linked_identity);
                    // The actor is unknown: nobody is signed in.
                    self.audit.create(AuditEntry { target: entry.actor, actor: None, ..entry }).await?;
                    return Err(Refusal::SignInFirst.into());
                }
            }
        }
        Err(StoreError::Stale.into())
    }

    /// Ends the session that this browser had before a new sign-in.
    pub(crate) async fn end_previous_session(&self, before: Option<Opaque>) -> Result<(), Fault> {
        let Some(before) = before else { return Ok(()) };
        Ok(self.sessions.end_of(&before.hash(), self.audit.signed_out()).await?)
    }

    /// Links the provider's identity to the account of a signed-in user.
    pub(crate) async fn link(&self, linking: &FlowSession, identity: &Identity) -> Result<(), Ended> {
        let linked_identity = self.linked(identity);
        for _ in 0..ATTEMPTS {
            let current = self.sessions.read_unleased(&linking.user_id).await?.ok_or(Refusal::Expired)?;
            if !current.devices.iter().any(|device| device.has(&linking.session)) {
                return Err(Refusal::Expired.into());
            }
            match current.identities.iter().find(|it| it.provider == linked_identity.provider) {
                Some(linked) if linked.subject == linked_identity.subject => return Ok(()),
                Some(_) => return Err(Refusal::OtherLinked.into()),
                None => {}
            }
            let mut next = current.clone();
            next.identities.push(linked_identity.clone());
            let entry = self.audit_operation(AuditAction::IdentityLinked, &linking.user_id, &linked_identity);
            let linked = self.sessions.putting(Some(&current), &mut next);
            let done = transaction(vec![linked, entry]);
            match done.await {
                Err(StoreError::Stale) => {}
                Err(StoreError::Taken { .. }) => return Err(Refusal::Taken.into()),
                done => {
                    done?;
                    if let Some(user) = self.users.get(&linking.user_id).await? {
                        self.notices.notify(user.email(), Notice::IdentityLinked(&linked_identity.provider)).await;
                    }
                    return Ok(());
                }
            }
        }
        Err(StoreError::Stale.into())
    }

    async fn begin_session(&self, id: UserId, linked_identity: &LinkedIdentity, links: bool) -> Result<Opaque, Fault> {
        let secret = Opaque::random()?;
        let account = self.sessions.accounts.get(&id).await?;
        let browser = Browser::of(&self.cookies, account.as_ref())?;
        let change = |account: &mut Account| {
            let is_linked = account.identities.iter().any(|it| it.unique() == linked_identity.unique());
            if !is_linked && !links {
                // It was unlinked a moment ago.
                return Err(Fault::new(Code::Unauthorized, "The account elsewhere is not linked any more."));
            }
            if !is_linked {
                account.identities.push(linked_identity.clone());
            }
            account.know(browser.hash());
            Ok(())
        };
        let entries = || {
            let linked = links.then_some(AuditAction::IdentityLinked);
            let audit_operation = linked.into_iter().chain([AuditAction::SignedIn]);
            audit_operation.map(|action| self.audit_operation(action, &id, linked_identity)).collect()
        };
        let kept = SessionSecret::Cookie(secret.clone());
        let begun = self.sessions.begin(self.users.as_ref(), id, &kept, change, entries).await?;
        browser.keep(&self.cookies);
        let notices = [
            links.then_some(Notice::IdentityLinked(&linked_identity.provider)),
            browser.is_new.then_some(Notice::NewBrowser),
        ];
        for notice in notices.into_iter().flatten() {
            self.notices.notify(begun.0.email(), notice).await;
        }
        Ok(secret)
    }

    /// Mails the owner of an address that anybody may have written down at a provider. The answer and its time are the
    /// same whether or not the address has an account; the mail says which.
    async fn ask_to_confirm(
        &self,
        email: EmailAddress,
        name: String,
        linked_identity: &LinkedIdentity,
    ) -> Result<Refusal, Fault> {
        let may_send = self.attempts.mail(&email, Purpose::VerifyEmail, None).await?;
        let claim = claim(name, linked_identity, Some(mailbox_proof::mark_browser(&self.cookies)?));
        let work = async {
            let next = self.registrar.register(email, claim, &self.founding()).await?;
            if may_send {
                self.mails.send_registration_mail(&next).await;
            }
            Ok::<_, Fault>(Refusal::ConfirmEmail)
        };
        mails::with_min_duration(work).await
    }

    /// Creates an account for an address for which the provider vouches, unless a concurrent request has the same
    /// address or identity.
    async fn register(
        &self,
        identity: &Identity,
        email: EmailAddress,
        linked_identity: &LinkedIdentity,
    ) -> Result<(), Fault> {
        let name = name(identity, &email);
        let mut user = self.registrar.new_user(email, name, true);
        let mut account = Account { identities: vec![linked_identity.clone()], ..Account::new(user.user_id()) };
        let extra_operations =
            |user: &U| vec![self.audit_operation(AuditAction::Registered, &user.user_id(), linked_identity)];
        self.registrar.create(&mut user, &mut account, &self.founding(), extra_operations).await.map(|_| ())
    }

    /// Accepts the provider's word as the first proof of an address that was registered. A lost race is found in the
    /// next round.
    async fn verify_by_provider(
        &self,
        user: &U,
        identity: &Identity,
        linked_identity: &LinkedIdentity,
    ) -> Result<(), Fault> {
        let stored = self.sessions.read_unleased(&user.user_id()).await?;
        let current = stored.clone().unwrap_or_else(|| Account::new(user.user_id()));
        let claim = claim(name(identity, user.email()), linked_identity, None);
        let (mut next, claimed) = mailbox_proof::claimed(user, &current, Some(&claim), &self.site);
        let mut operations = self.sessions.ending(&current.devices).await?;
        operations.extend([
            self.sessions.putting(stored.as_ref(), &mut Account { devices: Vec::new(), ..claimed }),
            self.users.replacing(user, &mut next),
            self.audit_operation(AuditAction::EmailVerified, &user.user_id(), linked_identity),
        ]);
        match transaction(operations).await {
            Err(StoreError::Stale | StoreError::Exists | StoreError::Taken { .. }) => Ok(()),
            done => Ok(done?),
        }
    }

    /// A provider does not pass on the token that names the first administrator.
    fn founding(&self) -> Founding {
        if self.site.is_local() { Founding::IfFirst } else { Founding::No }
    }

    fn linked(&self, identity: &Identity) -> LinkedIdentity {
        LinkedIdentity {
            provider: identity.provider.clone(),
            subject: identity.subject.clone(),
            email: identity.email.clone(),
            linked_at: self.clock.now(),
        }
    }

    fn audit_operation(&self, action: AuditAction, user: &UserId, linked_identity: &LinkedIdentity) -> Operation {
        self.audit.creating(self.entry(action, user, linked_identity))
    }

    fn entry(&self, action: AuditAction, user: &UserId, linked_identity: &LinkedIdentity) -> AuditEntry {
        AuditEntry {
            actor: Some(user.to_string()),
            detail: Some(linked_identity.provider.clone()),
            ..self.audit.entry(action)
        }
    }
}

/// The claim of a person who comes from a provider.
fn claim(name: String, linked_identity: &LinkedIdentity, browser: Option<SecretHash>) -> Claim {
    Claim { password: None, identity: Some(linked_identity.clone()), name, browser, founder: None }
}

/// The name that the provider states, as far as it is a valid one; else the part before the `@`.
fn name(identity: &Identity, email: &EmailAddress) -> String {
    let stated = identity.name.as_deref().and_then(name::plain);
    stated.unwrap_or_else(|| mailbox_proof::name_of(email))
}
