//! Posts, which belong to the users who wrote them.

use onefold::{Entity, Listing, SortKey, Timestamp, Version, id, wire};

use onefold::identity::UserId;

id! {
    /// Names one post.
    pub struct PostId;
}

/// A post on the notice board.
#[wire]
#[derive(Entity)]
#[entity(prefix = "post", loader = "posts.byIds")]
#[entity(index = "created", sort = SortKey::time(self.created_at))]
#[entity(index = "author", list = self.author_id, sort = SortKey::time(self.created_at))]
#[entity(index = "title", sort = SortKey::text(&self.title))]
pub struct Post {
    /// The post's id.
    #[entity(id)]
    pub id: PostId,
    /// Who wrote it.
    pub author_id: UserId,
    /// The heading.
    pub title: String,
    /// The text.
    pub body: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

impl Post {
    /// The longest title, in characters.
    pub const MAX_TITLE_CHARS: usize = 200;
    /// The longest text, in characters.
    pub const MAX_BODY_CHARS: usize = 20_000;

    /// All posts, oldest first.
    pub const BY_CREATION: Listing<Self> = Listing::of("created");
    /// The posts of one author, oldest first.
    pub const BY_AUTHOR: Listing<Self> = Listing::of("author");
    /// All posts by title.
    pub const BY_TITLE: Listing<Self> = Listing::of("title");
}
