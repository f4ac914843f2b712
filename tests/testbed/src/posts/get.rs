//! `posts.get`.

use crate::{Post, PostId};
use onefold::prelude::*;

/// Which post to fetch.
#[wire(input)]
pub struct Input {
    /// The post's id.
    pub id: PostId,
}

/// Why there is no post to give.
#[derive(Debug, Failure)]
pub enum Error {
    /// No post has this id.
    #[failure(NOT_FOUND)]
    Missing(PostId),
}

/// Fetch one post.
#[procedure(query, auth = permission("posts:read"), rest = "GET /v1/posts/{id}")]
pub async fn get(posts: Read<Post>, #[input] input: Input) -> Result<Post, Error> {
    posts.get(&input.id).await?.ok_or(Error::Missing(input.id))
}
