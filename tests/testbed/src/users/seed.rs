//! Users that are there from the start, the same ones every time.

use onefold::{
    Cause,
    identity::{self, EmailAddress},
    prelude::*,
    seed::{self, Rng, Seeder},
};

use crate::{Role, User};

/// The number of users.
const USERS: usize = 200;

/// Creates the users. The first one is an administrator.
pub async fn seed(seeder: &mut Seeder) -> Result<(), Cause> {
    identity::seed::users(seeder, &users(&mut seed::rng())).await
}

/// All users of the demonstration.
pub fn users(rng: &mut Rng) -> Vec<User> {
    (0..USERS).map(|place| user(rng, place)).collect()
}

fn user(rng: &mut Rng, place: usize) -> User {
    let created_at = seed::time_after(rng, seed::begin());
    User {
        id: seed::id(rng, created_at),
        email: EmailAddress::new(format!("user{place}@example.com")),
        name: format!("User {place}"),
        age: (!place.is_multiple_of(10)).then(|| rng.u32(18..70)),
        is_verified: true,
        role: *seed::pick(rng, if place == 0 { &[Role::Administrator] } else { &[Role::Employee, Role::Viewer] }),
        created_at,
        ends_at: None,
        version: Version::default(),
    }
}
