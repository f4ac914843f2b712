//! Demonstration users, for the seed of the service's domain of users.

use protocol::Cause;
use runtime::{
    opaque::Opaque,
    seed::{DemonstrationUser, MAX_ATTEMPTS, Seeder},
};
use store::{Read, StoreError, Update};

use crate::{Account, IdentityRole as _, IdentityUser, UserId, password};

/// Creates users with an account each. The developer can sign in as the first one, who gets a password: another one each
/// time, since nobody knows the previous one. Without the first, since another user has the address, it is the next.
///
/// # Errors
/// When there is no user, or the table cannot be reached.
pub async fn users<U: IdentityUser>(seeder: &mut Seeder, users: &[U]) -> Result<(), Cause> {
    seeder.create("users", users).await?;
    // A user whose address another one has is left out, and others were changed since: what is stored counts.
    let ids: Vec<UserId> = users.iter().map(IdentityUser::user_id).collect();
    let stored = Read::<U>::new(seeder.session()).get_many(&ids).await?;
    let stored: Vec<&U> = stored.iter().flatten().collect();
    let all: Vec<Account> = stored.iter().map(|user| Account::new(user.user_id())).collect();
    seeder.create_uncounted("accounts", &all).await?;
    let first =
        *stored.first().ok_or("none of the demonstration's users could be created: others have their addresses")?;
    let password = Opaque::random()?.text();
    let accounts = Update::<Account>::new(seeder.session());
    let hash = password::hash(&password).await?;
    let mut attempts = 0;
    loop {
        attempts += 1;
        let current = accounts.get(&first.user_id()).await?.ok_or("an account is missing")?;
        let next = Account { password: Some(hash.clone()), ..current.clone() };
        match accounts.replace(&current, next).await {
            // Another seed writes the same at this moment.
            Err(StoreError::Stale) if attempts < MAX_ATTEMPTS => {}
            written => break written.map(drop)?,
        }
    }
    seeder.set_user(DemonstrationUser {
        subject: first.user_id().to_string(),
        name: first.name().to_owned(),
        roles: vec![first.role().name().to_owned()],
        email: first.email().to_string(),
        password,
    });
    Ok(())
}
