//! `posts.update`.

use crate::{Post, PostId};
use onefold::prelude::*;

/// What to change. What is left out stays as it is.
#[wire(input)]
pub struct Input {
    /// Which post.
    pub id: PostId,
    /// The version that was seen; a newer one is then not overwritten.
    pub version: Option<Version>,
    /// The new heading.
    #[garde(length(chars, min = 1, max = Post::MAX_TITLE_CHARS))]
    pub title: Patch<String>,
    /// The new text.
    #[garde(length(chars, min = 1, max = Post::MAX_BODY_CHARS))]
    pub body: Patch<String>,
}

/// Why the post was not changed.
#[derive(Debug, Failure)]
pub enum Error {
    /// No post has this id.
    #[failure(NOT_FOUND)]
    Missing(PostId),
    /// The post was changed in the meantime.
    #[failure(CONFLICT)]
    Changed {
        /// The version that is stored.
        version: Version,
    },
}

/// Change a post.
#[procedure(mutation, auth = permission("posts:write", own), rest = "PATCH /v1/posts/{id}")]
pub async fn update(
    posts: Update<Post>,
    ownership: Ownership,
    clock: Clock,
    #[input] input: Input,
) -> Result<Post, Error> {
    let current = posts.get(&input.id).await?.ok_or(Error::Missing(input.id))?;
    ownership.expect(current.author_id)?;
    if input.version.is_some_and(|seen| seen != current.version) {
        return Err(Error::Changed { version: current.version });
    }
    let mut next = Post { updated_at: clock.now(), ..current.clone() };
    input.title.apply(&mut next.title);
    input.body.apply(&mut next.body);
    Ok(posts.replace(&current, next).await?)
}
