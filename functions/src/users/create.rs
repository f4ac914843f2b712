//! `users.create`.

use model::{EmailAddress, Role, User};
use runtime::prelude::*;

/// The new user.
#[wire]
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
    /// Whether the address is known to be the user's; false if left out.
    pub is_verified: Option<bool>,
    /// What the user is in the company; a viewer if left out.
    pub role: Option<Role>,
}

/// Why the user was not created.
#[derive(Debug, Failure)]
pub enum Error {
    /// Another user has this e-mail address.
    #[failure(CONFLICT)]
    EmailTaken(EmailAddress),
}

/// Create a user.
#[procedure(mutation, auth = permission("users:write"), rest = "POST /v1/users")]
pub async fn create(users: Write<User>, clock: Clock, ids: Ids, input: Input) -> Result<User, Error> {
    let user = User {
        id: ids.next(),
        email: input.email,
        name: input.name,
        age: input.age,
        is_verified: input.is_verified.unwrap_or(false),
        role: input.role.unwrap_or(Role::Viewer),
        created_at: clock.now(),
        version: Version::default(),
    };
    let email = user.email.clone();
    match users.create(user).await {
        Err(StoreError::Taken { .. }) => Err(Error::EmailTaken(email)),
        created => Ok(created?),
    }
}

#[cfg(test)]
mod tests {
    use local::world::World;

    use super::*;

    fn input(email: &str) -> Input {
        Input { email: EmailAddress::new(email), name: "Ada".to_owned(), age: None, is_verified: None, role: None }
    }

    #[tokio::test]
    async fn what_is_left_out_has_a_default() {
        let clock = Clock::Fixed(Timestamp::from_unix_ms(1_735_689_600_000));
        let world = World::new(&crate::service(), clock).await.unwrap();
        let ada = create(world.write(), clock, Ids::counting(), input("ada@example.com")).await.unwrap();
        assert_eq!((ada.role, ada.is_verified, ada.age), (Role::Viewer, false, None));
        assert_eq!((ada.created_at.to_string().as_str(), ada.version), ("2025-01-01T00:00:00.000Z", Version(1)));
        assert_eq!(world.read::<User>().get(&ada.id).await.unwrap(), Some(ada));
    }

    #[tokio::test]
    async fn an_address_is_given_once_whatever_its_case() {
        let world = World::new(&crate::service(), Clock::System).await.unwrap();
        let ids = Ids::counting();
        create(world.write(), Clock::System, ids.clone(), input("ada@example.com")).await.unwrap();
        let taken = create(world.write(), Clock::System, ids, input("ADA@example.com")).await.unwrap_err();
        assert!(matches!(taken, Raised::Failure(Error::EmailTaken(email)) if email.as_str() == "ADA@example.com"));
    }
}
