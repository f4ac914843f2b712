//! `posts.update`.

use model::post::{Post, PostId};
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

#[cfg(test)]
mod tests {
    use local::testing::TestService;

    use super::*;

    #[tokio::test]
    async fn a_change_is_dated_and_an_old_version_is_refused() {
        let test = TestService::new(&crate::service(), Clock::System).await.unwrap();
        let post = test.write().create(crate::posts::seed::example("Hello")).await.unwrap();
        let later = post.updated_at.plus_ms(60_000);
        let change = || Input {
            id: post.id,
            version: Some(post.version),
            title: Patch::Set("Good evening".to_owned()),
            body: Patch::Keep,
        };

        let changed = update(test.obtain().unwrap(), Ownership::all(), Clock::Fixed(later), change()).await.unwrap();
        let title = "Good evening".to_owned();
        assert_eq!(changed, Post { title, updated_at: later, version: Version(2), ..post.clone() });
        let refused =
            update(test.obtain().unwrap(), Ownership::all(), Clock::Fixed(later), change()).await.unwrap_err();
        assert!(matches!(refused, Raised::Failure(Error::Changed { version: Version(2) })));
    }
}
