//! Entities: how a type states its id, version, indexes and unique values. Only the store builds keys from it.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Timestamp, Version};

/// The maximum number of secondary indexes of one entity. The table has as many (`gsi1` … `gsi5`).
pub const MAX_INDEXES: usize = 5;

/// The names of the table's secondary indexes: an entity's first index is stored in the first of them.
pub const INDEX_NAMES: [&str; MAX_INDEXES] = ["gsi1", "gsi2", "gsi3", "gsi4", "gsi5"];

/// A stored type: it has an id and a version, and states how it is found.
///
/// All its items, guards and index entries have partition keys that begin with `PREFIX#`, so that one rule
/// (`dynamodb:LeadingKeys`) can grant the entity and nothing else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity",
    note = "put `#[derive(Entity)]` and `#[entity(prefix = \"…\")]` on it, with an `#[entity(id)]` and an `#[entity(version)]`"
)]
pub trait Entity: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The type of its id.
    type Id: EntityId;

    /// The entity's name in Rust and TypeScript, such as `User`. It must be unique in the service.
    const NAME: &'static str;

    /// The prefix of its partition keys, such as `user`: ASCII letters, digits, hyphens and underscores. It must be
    /// unique in the service. Never change it: stored items have it.
    const PREFIX: &'static str;

    /// The procedure that fetches many by id, such as `orders.byIds`: GraphQL then resolves ids in other types, such
    /// as a post's `authorId`. It takes `ids`, and returns those that exist.
    const LOADER: Option<&'static str> = None;

    /// The indexes for lists, at most [`MAX_INDEXES`]; [`Listing::of`] names one of them. The position is the index's
    /// position in the table: append, never reorder.
    const INDEXES: &'static [Index<Self>] = &[];

    /// Values that no other entity of this type may have at the same time. A new rule applies only to entities
    /// written since: adding one is a migration.
    const UNIQUE: &'static [Unique<Self>] = &[];

    /// Groups whose members are counted as entities join and leave. Adding one is a migration, like a rule of
    /// [`Entity::UNIQUE`].
    const TALLIES: &'static [Tally<Self>] = &[];

    /// The entity's id.
    fn id(&self) -> &Self::Id;

    /// The version that was read. The store refuses a write when a newer one is stored.
    fn version(&self) -> Version;

    /// Sets the version; the store calls it with the version of each write.
    fn set_version(&mut self, version: Version);

    /// The time of expiry. DynamoDB deletes late; the store hides the entity on time.
    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

/// An id that can be part of a key: a short text without control characters.
pub trait EntityId: Clone + PartialEq + std::fmt::Debug + std::fmt::Display + Send + Sync + 'static {}

/// Values that must be unique among the entities of one type, each held by a guard item.
pub struct Unique<T> {
    /// The name of the rule, such as `email`.
    pub name: &'static str,
    /// An entity's values in their compared form, such as the lower-case address.
    pub values: fn(&T) -> Vec<String>,
}

/// A group whose size is counted in the same transaction as the change, with a minimum size.
///
/// The count is one item: a group with more than some hundred changes a second needs another design.
pub struct Tally<T> {
    /// The name of the group, such as `administrators`.
    pub name: &'static str,
    /// The minimum size: a change that would leave fewer members is refused.
    pub at_least: u32,
    /// Whether an entity is in the group.
    pub has: fn(&T) -> bool,
}

/// One way to list an entity, in the order of a sort key.
pub struct Index<T> {
    /// The name, such as `age`; part of the stored key. No other index of the entity has it.
    pub name: &'static str,
    /// The number of partitions over which entries spread by id; 1 unless the list takes more than about 1,000 writes
    /// a second. Changing it is a migration: entries must be written again.
    pub shards: u16,
    /// The entity's entry in this index; `None` leaves it out.
    pub entry: fn(&T) -> Option<IndexEntry>,
}

/// An entity's entry in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The list, when the index holds many (an author's notes: the author's id); else empty.
    pub list: String,
    /// The position in the list.
    pub sort: SortKey,
}

/// A text that sorts as its value does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey(String);

/// The maximum number of a text's bytes that sorting considers. DynamoDB limits sort keys to 1,024 bytes.
const MAX_SORT_TEXT_BYTES: usize = 512;

impl SortKey {
    /// A text, compared without regard to case. Control characters count as spaces.
    pub fn text(text: &str) -> Self {
        let mut key = String::new();
        for c in text.chars().flat_map(char::to_lowercase) {
            let c = if c.is_control() { ' ' } else { c };
            if key.len() + c.len_utf8() > MAX_SORT_TEXT_BYTES {
                break;
            }
            key.push(c);
        }
        Self(key)
    }

    /// A whole number that is not negative.
    pub fn number(number: u32) -> Self {
        Self(format!("{number:010}"))
    }

    /// A time.
    pub fn time(time: Timestamp) -> Self {
        Self(time.to_string())
    }

    /// The text that is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One of an entity's indexes, to read a list from. There is no other way to name an index, since an index that is
/// not among [`Entity::INDEXES`] is never written, and its lists would be empty.
pub struct Listing<T: 'static> {
    index: &'static Index<T>,
    slot: usize,
}

impl<T> Clone for Listing<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Listing<T> {}

impl<T: Entity> Listing<T> {
    /// The entity's index of this name.
    ///
    /// ```ignore
    /// /// All posts, oldest first.
    /// pub const BY_CREATION: Listing<Self> = Listing::of("created");
    /// ```
    ///
    /// # Panics
    /// When the entity has no such index; in a constant, this does not compile.
    #[must_use]
    pub const fn of(name: &str) -> Self {
        let mut slot = 0;
        while slot < T::INDEXES.len() {
            let index = &T::INDEXES[slot];
            if same(index.name, name) {
                return Self { index, slot };
            }
            slot += 1;
        }
        panic!("`INDEXES` of this entity has no index of this name: state it there, or it would never be written")
    }

    /// The index as the entity states it.
    #[must_use]
    pub const fn index(&self) -> &'static Index<T> {
        self.index
    }

    /// Its position in the table: 0 for `gsi1`.
    #[must_use]
    pub const fn slot(&self) -> usize {
        self.slot
    }
}

/// Refuses at compile time an entity whose keys would be ambiguous, or whose prefix would grant more than the entity.
pub(crate) const fn expect_valid<T: Entity>() {
    assert!(!T::NAME.is_empty(), "`NAME` of an entity is what its type is called, and not empty");
    // IAM gives `*` and `?` a meaning, and a `#` ends the prefix.
    assert!(
        is_word(T::PREFIX),
        "`PREFIX` of an entity has letters, digits, hyphens and underscores of ASCII, and at least one of them"
    );
    assert!(T::INDEXES.len() <= MAX_INDEXES, "an entity has at most five indexes: the table has no more");
    let mut one = 0;
    while one < T::INDEXES.len() {
        let Index { name, shards, .. } = &T::INDEXES[one];
        assert!(
            is_word(name),
            "the name of an index has letters, digits, hyphens and underscores of ASCII, and at least one of them"
        );
        assert!(*shards > 0, "an index spreads over at least one partition: `shards: 1`");
        let mut other = one + 1;
        while other < T::INDEXES.len() {
            assert!(!same(name, T::INDEXES[other].name), "two indexes of an entity have the same name");
            other += 1;
        }
        one += 1;
    }
}

const fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !(bytes[at].is_ascii_alphanumeric() || bytes[at] == b'-' || bytes[at] == b'_') {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty()
}

/// `==`, for constants.
#[doc(hidden)]
pub const fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

#[cfg(test)]
mod tests {
    use super::SortKey;

    #[test]
    fn numbers_sort_as_numbers() {
        assert!(SortKey::number(9) < SortKey::number(10));
        assert!(SortKey::number(999_999) < SortKey::number(u32::MAX));
    }

    #[test]
    fn texts_are_cut_between_characters() {
        let key = SortKey::text(&"ä".repeat(600));
        assert_eq!(key.as_str().len(), 512);
        assert_eq!(SortKey::text("A\u{1}b").as_str(), "a b");
    }
}
