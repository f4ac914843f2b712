//! What these users wrote, the same every time.

use onefold::{
    Cause,
    prelude::*,
    seed::{self, Seeder},
};

use crate::Post;

/// The number of posts.
const POSTS: usize = 100;

/// Creates the posts.
pub async fn seed(seeder: &mut Seeder) -> Result<(), Cause> {
    let mut rng = seed::rng();
    let authors = crate::users::seed::users(&mut rng);
    let mut posts = Vec::new();
    for place in 0..POSTS {
        let author = seed::pick(&mut rng, &authors);
        let created_at = seed::time_after(&mut rng, author.created_at);
        posts.push(Post {
            id: seed::id(&mut rng, created_at),
            author_id: author.id,
            title: format!("Post {place}"),
            body: "What there is to say.".to_owned(),
            created_at,
            updated_at: created_at,
            version: Version::default(),
        });
    }
    seeder.create("posts", &posts).await
}
