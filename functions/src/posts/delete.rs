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
#[procedure(mutation, auth = permission("posts:write", own), rest = "DELETE /v1/posts/{id}")]
pub async fn delete(posts: Write<Post>, reach: Reach, input: Input) -> Result<(), Error> {
    let current = posts.get(&input.id).await?.ok_or(Error::Missing(input.id))?;
    reach.expect(current.author_id)?;
    Ok(posts.delete(&current).await?)
}

#[cfg(test)]
mod tests {
    use local::world::World;

    use super::*;

    #[tokio::test]
    async fn a_post_is_gone_after_it_and_missing_the_second_time() {
        let world = World::new(&crate::service(), Clock::System).await.unwrap();
        let post = world.write().create(crate::tests::post("Hello")).await.unwrap();
        delete(world.write(), Reach::all(), Input { id: post.id }).await.unwrap();
        assert_eq!(world.read::<Post>().get(&post.id).await.unwrap(), None);
        let missing = delete(world.write(), Reach::all(), Input { id: post.id }).await.unwrap_err();
        assert!(matches!(missing, Raised::Failure(Error::Missing(id)) if id == post.id));
    }
}
