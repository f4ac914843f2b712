//! `posts.get`.

use model::post::{Post, PostId};
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

#[cfg(test)]
mod tests {
    use local::testing::TestService;

    use super::*;

    #[tokio::test]
    async fn a_post_is_found_and_an_unknown_one_is_missing() {
        let test = TestService::new(&crate::service(), Clock::System).await.unwrap();
        let post = test.write().create(crate::posts::seed::example("Hello")).await.unwrap();
        assert_eq!(get(test.read(), Input { id: post.id }).await.unwrap(), post);
        let id: PostId = Ids::default().next();
        let missing = get(test.read(), Input { id }).await.unwrap_err();
        assert!(matches!(missing, Raised::Failure(Error::Missing(unknown)) if unknown == id));
    }
}
