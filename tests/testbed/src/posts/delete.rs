//! `posts.delete`.

use crate::{Post, PostId};
use onefold::prelude::*;

/// Which post to delete.
#[wire(input)]
pub struct Input {
    /// The post's id.
    pub id: PostId,
    /// The version that was seen; a newer one is then not deleted.
    pub version: Option<Version>,
}

/// Why the post was not deleted.
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

/// Delete a post for good.
#[procedure(mutation, auth = permission("posts:write", own), rest = "DELETE /v1/posts/{id}")]
pub async fn delete(posts: Delete<Post>, ownership: Ownership, #[input] input: Input) -> Result<(), Error> {
    let current = posts.get(&input.id).await?.ok_or(Error::Missing(input.id))?;
    ownership.expect(current.author_id)?;
    if input.version.is_some_and(|seen| seen != current.version) {
        return Err(Error::Changed { version: current.version });
    }
    Ok(posts.delete(&current).await?)
}
