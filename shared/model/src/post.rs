//! Posts of the company's notice board.

use macros::wire;
use protocol::{Entity, Index, IndexEntry, Listing, SortKey, Timestamp, Version, id};

use identity::UserId;

id! {
    /// Names one post.
    pub struct PostId;
}

/// A post on the notice board.
#[wire]
pub struct Post {
    /// The post's id.
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

impl Entity for Post {
    type Id = PostId;
    const NAME: &'static str = "Post";
    const PREFIX: &'static str = "post";
    const LOADER: Option<&'static str> = Some("posts.by_ids");
    const INDEXES: &'static [Index<Self>] = &[
        Index {
            name: "created",
            shards: 1,
            entry: |post| Some(IndexEntry { list: String::new(), sort: SortKey::time(post.created_at) }),
        },
        Index {
            name: "author",
            shards: 1,
            entry: |post| Some(IndexEntry { list: post.author_id.to_string(), sort: SortKey::time(post.created_at) }),
        },
        Index {
            name: "title",
            shards: 1,
            entry: |post| Some(IndexEntry { list: String::new(), sort: SortKey::text(&post.title) }),
        },
    ];

    fn id(&self) -> &PostId {
        &self.id
    }
    fn version(&self) -> Version {
        self.version
    }
    fn set_version(&mut self, version: Version) {
        self.version = version;
    }
}
