//! `posts.byIds`.

use model::{Post, PostId};
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

#[cfg(test)]
mod tests {
    use local::testing::TestService;

    use super::*;

    #[tokio::test]
    async fn those_that_exist_come_once_and_in_the_order_that_was_asked_for() {
        let test = TestService::new(&crate::service(), Clock::System).await.unwrap();
        let mut kept = Vec::new();
        for title in ["a", "b", "c"] {
            kept.push(test.write().create(crate::tests::post(title)).await.unwrap());
        }
        let nobody: PostId = Ids::counting().next();
        let ids = vec![kept[2].id, nobody, kept[0].id, kept[2].id];
        let found = by_ids(test.read(), Input { ids }).await.unwrap();
        assert_eq!(found, [kept[2].clone(), kept[0].clone()]);
    }
}
