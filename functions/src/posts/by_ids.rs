//! `posts.byIds`.

use model::post::{Post, PostId};
use onefold::prelude::*;

/// Which posts to fetch.
#[wire(input)]
pub struct Input {
    /// The posts' ids. An id may occur twice.
    #[garde(length(min = 1, max = 100))]
    pub ids: Vec<PostId>,
}

/// Fetch many posts at once: each of those that exist once, in the order that was asked for.
#[procedure(query, auth = permission("posts:read"), rest = "GET /v1/batch/posts")]
pub async fn by_ids(posts: Read<Post>, #[input] input: Input) -> Result<Vec<Post>, NoFailure> {
    Ok(posts.by_ids(input.ids).await?)
}
