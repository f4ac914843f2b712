//! `posts.delete`.

use model::post::{Post, PostId};
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

#[cfg(test)]
mod tests {
    use local::testing::TestService;

    use super::*;

    #[tokio::test]
    async fn a_post_is_gone_after_it_in_the_version_that_was_seen_and_missing_the_second_time() {
        let test = TestService::new(&crate::service(), Clock::System).await.unwrap();
        let post = test.write().create(crate::posts::seed::example("Hello")).await.unwrap();
        let named = |version| Input { id: post.id, version };
        let refused = delete(test.obtain().unwrap(), Ownership::all(), named(Some(Version(7)))).await.unwrap_err();
        assert!(matches!(refused, Raised::Failure(Error::Changed { version: Version(1) })));
        delete(test.obtain().unwrap(), Ownership::all(), named(Some(post.version))).await.unwrap();
        assert_eq!(test.read::<Post>().get(&post.id).await.unwrap(), None);
        let missing = delete(test.obtain().unwrap(), Ownership::all(), named(None)).await.unwrap_err();
        assert!(matches!(missing, Raised::Failure(Error::Missing(id)) if id == post.id));
    }
}
