//! The people of the demonstration company, the same ones every time.

use model::{Role, User};
use onefold::{
    Cause,
    identity::{self, EmailAddress},
    prelude::*,
    seed::{self, Rng, Seeder},
};

/// The number of users.
const USERS: usize = 200;
/// The number of administrators among them; the others are employees and viewers.
const ADMINISTRATORS: usize = 3;

const FIRST_NAMES: [&str; 24] = [
    "Ada",
    "Alan",
    "Barbara",
    "Brian",
    "Claude",
    "Donald",
    "Edsger",
    "Frances",
    "Grace",
    "Hedy",
    "Ivan",
    "Jean",
    "Katherine",
    "Ken",
    "Leslie",
    "Margaret",
    "Niklaus",
    "Radia",
    "Robin",
    "Shafi",
    "Sophie",
    "Tim",
    "Tony",
    "Whitfield",
];
const LAST_NAMES: [&str; 20] = [
    "Allen", "Bartik", "Berg", "Castro", "Dahl", "Engel", "Fischer", "Garcia", "Hansen", "Ito", "Jansen", "Kowalski",
    "Lind", "Moreau", "Novak", "Okafor", "Petrov", "Quist", "Rossi", "Sato",
];

/// Creates the users. The developer can sign in as the first one, an administrator.
pub async fn seed(seeder: &mut Seeder) -> Result<(), Cause> {
    identity::seed::users(seeder, &users(&mut seed::rng())).await
}

/// All users of the demonstration.
pub fn users(rng: &mut Rng) -> Vec<User> {
    (0..USERS).map(|place| user(rng, place)).collect()
}

fn user(rng: &mut Rng, place: usize) -> User {
    let (first, last) = (seed::pick(rng, &FIRST_NAMES), seed::pick(rng, &LAST_NAMES));
    let created_at = seed::time_after(rng, seed::begin());
    User {
        id: seed::id(rng, created_at),
        email: EmailAddress::new(format!("{}.{}{place}@example.com", first.to_lowercase(), last.to_lowercase())),
        name: format!("{first} {last}"),
        age: rng.u8(0..10).ne(&0).then(|| rng.u32(18..70)),
        is_verified: rng.u8(0..4) != 0 || place < ADMINISTRATORS,
        role: match place {
            place if place < ADMINISTRATORS => Role::Administrator,
            _ if rng.bool() => Role::Employee,
            _ => Role::Viewer,
        },
        created_at,
        ends_at: None,
        version: Version::default(),
    }
}

/// A user for tests, whose address is proved.
#[cfg(test)]
pub(crate) fn example(email: &str, role: Role) -> User {
    let one = user(&mut seed::rng(), 0);
    User { id: Ids::default().next(), email: EmailAddress::new(email), is_verified: true, role, ..one }
}
