//! What an entity states about how it is kept. The store reads it; nobody else builds keys.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Timestamp, Version};

/// How many secondary indexes one entity may have. The table has as many (`gsi1` … `gsi5`).
pub const MAX_INDEXES: usize = 5;

/// The names of the table's secondary indexes: an entity's first index is kept in the first of them.
pub const INDEX_NAMES: [&str; MAX_INDEXES] = ["gsi1", "gsi2", "gsi3", "gsi4", "gsi5"];

/// Something that is kept: it has an id, a version, and states how it is found.
///
/// All its items, guards and index entries live under partition keys that begin with `PREFIX#`, so
/// that one rule (`dynamodb:LeadingKeys`) can grant the entity and nothing else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity",
    note = "implement `Entity` in `shared/model`: key prefix, indexes, unique values"
)]
pub trait Entity: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The type of its id.
    type Id: EntityId;

    /// The entity's name in Rust and TypeScript, such as `User`.
    const NAME: &'static str;

    /// What its partition keys begin with, such as `user`. Never change it: stored items have it.
    const PREFIX: &'static str;

    /// The procedure that fetches many by id, such as `users.by_ids`: what names one of them elsewhere, such as a
    /// post's `authorId`, can then be followed. It takes `ids`, and answers those that exist.
    const LOADER: Option<&'static str> = None;

    /// How it can be listed, at most [`MAX_INDEXES`]. The position is the index's place in the table:
    /// append, never reorder.
    const INDEXES: &'static [Index<Self>] = &[];

    /// The id.
    fn id(&self) -> &Self::Id;

    /// The version that was read. The store refuses a write when a newer one is stored.
    fn version(&self) -> Version;

    /// Called by the store with the version that a write makes.
    fn set_version(&mut self, version: Version);

    /// Values that no other entity of this type may have at the same time.
    fn unique(&self) -> Vec<Unique> {
        Vec::new()
    }

    /// Groups that are counted as entities join and leave them.
    fn tallies(&self) -> Vec<Tally> {
        Vec::new()
    }

    /// When it stops existing. DynamoDB deletes late; the store hides it in time.
    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

/// An id that can stand in a key: a short text without control characters.
pub trait EntityId: Clone + PartialEq + std::fmt::Debug + std::fmt::Display + Send + Sync + 'static {}

/// A value that must be unique among the entities of one type, held by a guard item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unique {
    /// The name of the rule, such as `email`.
    pub name: &'static str,
    /// The value in its compared form, such as the lower-case address.
    pub value: String,
}

/// A group whose size is counted in the same transaction as the change, with a least size.
///
/// It is one item: a group that changes more than some hundred times a second wants another design.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The name of the group, such as `administrators`.
    pub name: &'static str,
    /// A change that would leave fewer is refused.
    pub at_least: u32,
}

/// One way to list an entity, in the order of a sort key.
pub struct Index<T> {
    /// The name, such as `age`; part of the stored key.
    pub name: &'static str,
    /// Over how many partitions entries spread by id; 1 unless the list takes more than about 1,000
    /// writes a second. Changing it is a migration: entries must be written again.
    pub shards: u16,
    /// Where an entity stands in this index; `None` leaves it out.
    pub entry: fn(&T) -> Option<IndexEntry>,
}

/// Where an entity stands in an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// Which list, when the index holds many (an author's posts: the author's id); else empty.
    pub list: String,
    /// The place in the list.
    pub sort: SortKey,
}

/// A value whose text sorts as the value does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey(String);

/// How much of a text takes part in sorting, in bytes. DynamoDB sort keys end at 1,024 bytes.
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

impl<T: Entity> Index<T> {
    /// Where the index stands in the table: 0 for `gsi1`.
    pub fn slot(&self) -> Option<usize> {
        T::INDEXES.iter().position(|index| index.name == self.name)
    }
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
