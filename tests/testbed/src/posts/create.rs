//! `posts.create`.

use crate::Post;
use onefold::prelude::*;

/// The new post.
#[wire(input)]
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
#[procedure(mutation, auth = permission("posts:write", own), rest = "POST /v1/posts")]
pub async fn create(
    posts: Create<Post>,
    caller: Caller,
    ownership: Ownership,
    clock: Clock,
    ids: Ids,
    #[input] input: Input,
) -> Result<Post, Error> {
    let author_id = caller.subject().parse().ok().filter(|_| caller.is_person()).ok_or(Error::NotAUser)?;
    ownership.expect(author_id)?;
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
