//! `posts.create`.

use model::Post;
use runtime::prelude::*;

/// The new post.
#[wire]
pub struct Input {
    /// The heading.
    #[garde(length(chars, min = 1, max = Post::MAX_TITLE_CHARS))]
    pub title: String,
    /// The text.
    #[garde(length(chars, min = 1, max = Post::MAX_BODY_CHARS))]
    pub body: String,
}

/// Why the post was not created.
#[derive(Debug, Failure)]
pub enum Error {
    /// Only a user can write a post, and the caller is none.
    #[failure(FORBIDDEN)]
    NotAUser,
}

/// Write a post. The caller is its author.
#[procedure(mutation, auth = permission("posts:write"), rest = "POST /v1/posts")]
pub async fn create(posts: Write<Post>, caller: Caller, clock: Clock, ids: Ids, input: Input) -> Result<Post, Error> {
    let author_id = caller.subject().parse().map_err(|_| Error::NotAUser)?;
    let now = clock.now();
    let post = Post {
        id: ids.next(),
        author_id,
        title: input.title,
        body: input.body,
        created_at: now,
        updated_at: now,
        version: Version::default(),
    };
    Ok(posts.create(post).await?)
}
