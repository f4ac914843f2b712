//! `auth.register`.

use model::{Account, AuditAction, AuditEntry, EmailAddress, MailedToken, Password, Purpose, Role, User};
use runtime::{Device, Ids, Limits, Site, mail::Mail, password, prelude::*};
use store::transaction;

use crate::identity::{audit, expect_strong, limits, mails};

/// Who registers.
#[wire]
pub struct Input {
    /// Where mail reaches the person.
    #[garde(dive)]
    pub email: EmailAddress,
    /// The name that others see.
    #[garde(length(chars, min = 1, max = User::MAX_NAME_CHARS))]
    pub name: String,
    /// The password, at least 12 characters.
    #[garde(dive)]
    pub password: Password,
}

/// Register with an e-mail address and a password.
///
/// The answer is the same whether or not the address has an account: what is to be done next is in the mail.
/// The first person who ever registers becomes administrator, others become viewers; nobody has any permission
/// before the address is proved.
#[procedure(mutation, auth = public, rest = "POST /v1/auth/register", memory_mb = 1024)]
#[expect(clippy::too_many_arguments, reason = "each is a right that the signature states")]
pub async fn register(
    users: Write<User>,
    everybody: Read<User>,
    accounts: Write<Account>,
    tokens: Append<MailedToken>,
    log: Append<AuditEntry>,
    attempts: Limits,
    mail: Mail,
    site: Site,
    device: Device,
    clock: Clock,
    ids: Ids,
    input: Input,
) -> Result<(), NoFailure> {
    let may_send = limits::mail(&attempts, &device, &input.email, Purpose::VerifyEmail).await?;
    expect_strong(&input.password, &[input.email.as_str(), &input.name])?;
    let hash = password::hash(input.password.as_str()).await?;
    let mut user = User {
        id: ids.next(),
        email: input.email,
        name: input.name,
        age: None,
        is_verified: false,
        role: Role::OF_NEWCOMERS,
        created_at: clock.now(),
        version: Version::default(),
    };
    let (secret, mut token) = mails::token(Purpose::VerifyEmail, &user, &clock)?;
    token.password = Some(hash.clone());
    // Whether anybody is there is read from an index, which may be behind: that there is one first person only,
    // the account's guard sees to.
    let mut is_first = everybody.list(&User::BY_CREATION).page(PageSize::default(), None).await?.items.is_empty();
    loop {
        user.role = if is_first { Role::Administrator } else { Role::OF_NEWCOMERS };
        let mut account = Account { password: Some(hash.clone()), is_founder: is_first, ..Account::new(user.id) };
        let mut entry = AuditEntry {
            actor: Some(user.id.to_string()),
            ..audit::entry(AuditAction::Registered, &ids, &clock, &device)
        };
        let done = transaction(vec![
            users.creating(&mut user),
            accounts.creating(&mut account),
            tokens.creating(&mut token.clone()),
            log.creating(&mut entry),
        ]);
        match done.await {
            Err(StoreError::Taken { rule: Account::UNIQUE_FOUNDER }) => is_first = false,
            Err(StoreError::Taken { .. }) => {
                let owner = users.by_unique(User::UNIQUE_EMAIL, &user.email.comparable()).await?;
                let Some(owner) = owner.filter(|owner| !owner.is_verified) else {
                    mails::try_to_say_registered(&mail, &site, &user.email, may_send).await;
                    break;
                };
                // Whoever was first with the address has not proved it: it belongs to who follows the link. Until then
                // nobody's password is good, nor after another link than that of a registration.
                token.user_id = owner.id;
                let mut operations = vec![tokens.creating(&mut token)];
                if let Some(current) = accounts.get(&owner.id).await? {
                    let mut next = Account { password: None, ..current.clone() };
                    operations.push(accounts.replacing(&current, &mut next));
                }
                match transaction(operations).await {
                    Err(StoreError::Stale) => continue,
                    done => done?,
                }
                mails::try_to_prove(&mail, &site, &user.email, &secret, may_send).await;
                break;
            }
            done => {
                done?;
                mails::try_to_prove(&mail, &site, &user.email, &secret, may_send).await;
                break;
            }
        }
    }
    Ok(())
}
