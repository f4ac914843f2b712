//! `posts.delete`.

use model::{Post, PostId};
use runtime::prelude::*;

/// Which post to delete.
#[wire]
pub struct Input {
    /// The post's id.
    pub id: PostId,
}

/// Why the post was not deleted.
#[derive(Debug, Failure)]
pub enum Error {
    /// No post has this id.
    #[failure(NOT_FOUND)]
    Missing(PostId),
}

/// Delete a post for good.
#[procedure(mutation, auth = permission("posts:write"), rest = "DELETE /v1/posts/{id}")]
pub async fn delete(posts: Write<Post>, input: Input) -> Result<(), Error> {
    let current = posts.get(&input.id).await?.ok_or(Error::Missing(input.id))?;
    Ok(posts.delete(&current).await?)
}
