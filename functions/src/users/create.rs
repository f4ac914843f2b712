//! `users.create`.

use model::{Role, User};
use onefold::{
    identity::{EmailAddress, IdentityRole as _, administration::UserCreation},
    prelude::*,
};

/// The new user.
#[wire(input)]
pub struct Input {
    /// Where mail reaches the user; no other user may have it.
    #[garde(dive)]
    pub email: EmailAddress,
    /// The name that others see.
    #[garde(length(chars, min = 1, max = User::MAX_NAME_CHARS))]
    pub name: String,
    /// Age in years, if it is known.
    #[garde(range(max = User::MAX_AGE))]
    pub age: Option<u32>,
    /// Whether the address is known to be the user's; false if left out. To say so takes the permission `rights:write`.
    pub is_verified: Option<bool>,
    /// What the user is in the company; what newcomers are if left out. Another role takes the permission
    /// `rights:write`, and every permission that the role has.
    pub role: Option<Role>,
}

impl Input {
    /// Whether the user gets rights at once, or could with another role.
    fn gives_rights(&self) -> bool {
        self.is_verified == Some(true) || self.role.is_some_and(|role| role != Role::NEW_USER)
    }
}

/// Why the user was not created.
#[derive(Debug, Failure)]
pub enum Error {
    /// Another user has this e-mail address.
    #[failure(CONFLICT)]
    EmailTaken(EmailAddress),
}

/// Create a user.
///
/// To sign in, the user asks for a password with `auth.requestReset`. A role and the proof of the address are given by
/// whoever has the permission `rights:write` and signed in a moment ago.
#[procedure(
    mutation,
    auth = permission("users:write"),
    rest = "POST /v1/users",
    fresh = 300,
    fresh_if = Input::gives_rights
)]
pub async fn create(
    users: UserCreation<User>,
    caller: Caller,
    clock: Clock,
    ids: Ids,
    #[input] input: Input,
) -> Result<User, Error> {
    let user = User {
        id: ids.next(),
        email: input.email,
        name: input.name,
        age: input.age,
        is_verified: input.is_verified.unwrap_or(false),
        role: input.role.unwrap_or(Role::NEW_USER),
        created_at: clock.now(),
        ends_at: None,
        version: Version::default(),
    };
    users.create(&caller, user).await?.map_err(Error::EmailTaken)
}

#[cfg(test)]
mod tests {
    use local::testing::TestService;

    use super::*;

    async fn create_in(test: &TestService, clock: Clock, ids: Ids, email: &str) -> Result<User, Raised<Error>> {
        let input = serde_json::from_value(serde_json::json!({"email": email, "name": "Ada"})).unwrap();
        create(test.obtain().unwrap(), test.caller("somebody"), clock, ids, input).await
    }

    #[tokio::test]
    async fn what_is_left_out_has_a_default() {
        let clock = Clock::Fixed(Timestamp::from_unix_ms(1_735_689_600_000));
        let test = TestService::new(&crate::service(), clock).await.unwrap();
        let ada = create_in(&test, clock, Ids::counting(), "ada@example.com").await.unwrap();
        assert_eq!((ada.role, ada.is_verified, ada.age), (Role::NEW_USER, false, None));
        assert_eq!((ada.created_at.to_string().as_str(), ada.version), ("2025-01-01T00:00:00.000Z", Version(1)));
        assert_eq!(test.read::<User>().get(&ada.id).await.unwrap(), Some(ada));
    }

    #[tokio::test]
    async fn an_address_is_given_once_whatever_its_case() {
        let test = TestService::new(&crate::service(), Clock::System).await.unwrap();
        let ids = Ids::counting();
        create_in(&test, Clock::System, ids.clone(), "ada@example.com").await.unwrap();
        let taken = create_in(&test, Clock::System, ids, "ADA@example.com").await.unwrap_err();
        assert!(matches!(taken, Raised::Failure(Error::EmailTaken(email)) if email.as_str() == "ADA@example.com"));
    }
}
