//! What the people of the demonstration company write, the same every time.

use model::{User, post::Post};
use onefold::{
    Cause,
    prelude::*,
    seed::{self, Rng, Seeder},
};

/// The number of posts.
const POSTS: usize = 2_000;

const SUBJECTS: [&str; 12] = [
    "the new coffee machine",
    "parking",
    "the summer party",
    "fire drill",
    "quarterly figures",
    "a lost umbrella",
    "the printer on the second floor",
    "holidays",
    "the reading circle",
    "bicycle repair",
    "lunch",
    "the archive",
];
const OPENINGS: [&str; 6] = ["About", "News of", "A question about", "Reminder:", "Minutes:", "An idea for"];

/// Creates the posts.
pub async fn seed(seeder: &mut Seeder) -> Result<(), Cause> {
    let mut rng = seed::rng();
    let authors = crate::users::seed::users(&mut rng);
    let posts: Vec<Post> = (0..POSTS).map(|_| post(&mut rng, &authors)).collect();
    seeder.create("posts", &posts).await
}

fn post(rng: &mut Rng, authors: &[User]) -> Post {
    let author = seed::pick(rng, authors);
    let created_at = seed::time_after(rng, author.created_at);
    let subject = seed::pick(rng, &SUBJECTS);
    Post {
        id: seed::id(rng, created_at),
        author_id: author.id,
        title: format!("{} {subject}", seed::pick(rng, &OPENINGS)),
        body: format!("This is about {subject}. {} wrote it down so that nobody has to ask twice.", author.name),
        created_at,
        updated_at: created_at,
        version: Version::default(),
    }
}

/// A post for tests.
#[cfg(test)]
pub(crate) fn example(title: &str) -> Post {
    let created_at = seed::begin();
    Post {
        id: Ids::default().next(),
        author_id: Ids::default().next(),
        title: title.to_owned(),
        body: "Everybody.".to_owned(),
        created_at,
        updated_at: created_at,
        version: Version::default(),
    }
}
