//! `posts.list`.

use crate::Post;
use onefold::{Config, ConfigKind, Metrics, identity::UserId, prelude::*};

/// Which posts, in which order.
#[wire(input)]
pub struct Input {
    /// Only the posts of this author.
    pub author_id: Option<UserId>,
    /// The order; newest first if left out.
    pub sort: Option<PostSort>,
    /// How many posts a page has; as many as the service's configuration says if left out, else 20.
    #[garde(dive)]
    pub limit: Option<PageSize>,
    /// Where to go on: `next` of the page before.
    pub cursor: Option<Cursor>,
}

/// How posts are listed in a stage.
#[wire(input)]
pub struct PostsConfig {
    /// How many posts a page has where the caller does not say.
    #[garde(dive)]
    pub page_size: Option<PageSize>,
}

impl ConfigKind for PostsConfig {
    const NAME: &'static str = "posts";

    fn local() -> Self {
        Self { page_size: None }
    }
}

/// How posts are sorted.
#[wire]
pub enum PostSort {
    /// Oldest first.
    CreatedAt,
    /// Newest first.
    #[serde(rename = "-createdAt")]
    CreatedAtDescending,
    /// By title, whatever its case.
    Title,
    /// By title, backwards.
    #[serde(rename = "-title")]
    TitleDescending,
}

/// List posts, page by page.
///
/// By time, an author's posts are served by their index. By title, posts of other authors are read and dropped, at most
/// 500 for a page, which may come back shorter than asked then, with `next`.
#[procedure(query, auth = permission("posts:read"), rest = "GET /v1/posts")]
pub async fn list(
    posts: Read<Post>,
    config: Config<PostsConfig>,
    metrics: Metrics,
    #[input] input: Input,
) -> Result<Page<Post>, NoFailure> {
    use PostSort::{CreatedAt, CreatedAtDescending, Title, TitleDescending};
    let sort = input.sort.unwrap_or(CreatedAtDescending);
    let mut list = match (sort, input.author_id) {
        (CreatedAt | CreatedAtDescending, Some(author)) => posts.list(&Post::BY_AUTHOR).of(author.to_string()),
        (CreatedAt | CreatedAtDescending, None) => posts.list(&Post::BY_CREATION),
        (Title | TitleDescending, _) => posts.list(&Post::BY_TITLE),
    };
    if matches!(sort, CreatedAtDescending | TitleDescending) {
        list = list.descending();
    }
    let author = input.author_id;
    let list = list.keep(move |post| author.is_none_or(|author| author == post.author_id));
    let limit = input.limit.or(config.page_size).unwrap_or_default();
    let page = list.page(limit, input.cursor.as_ref()).await?;
    metrics.count("posts_listed", u32::try_from(page.items.len()).unwrap_or(u32::MAX));
    Ok(page)
}
