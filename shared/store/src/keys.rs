//! Builds all keys of the table; no other module does.
//!
//! Every partition key begins with the entity's prefix and a `#`, so that one rule on leading keys grants the entity
//! with all that belongs to it. The rest of the key says what the item is:
//! | item | `pk` | `sk` |
//! | --- | --- | --- |
//! | entity | `user#<id>` | `@` |
//! | guard of a unique value | `user#~email#<value>` | `unique` |
//! | tally of a group | `user#~~administrators` | `tally` |
//! | count | `limit#<what>#<span>#<who>`, `meter#<span>#<who>` | `count` |
//!
//! The sort keys differ, so that no id, however it is written, can name a guard or a tally.
//! In an index: `user#<index>#<list>#<shard>` and `<place>\u{1}<id>`. Names of indexes, rules and
//! tallies are written by the service's authors and hold no `#`.

use std::fmt::Write as _;

use protocol::SortKey;
use ring::digest::{SHA256, digest};

/// The sort key of an entity's own item.
pub const ENTITY: &str = "@";
/// The sort key of a guard.
pub const GUARD: &str = "unique";
/// The sort key of a tally.
pub const TALLY: &str = "tally";
/// The sort key of a count.
pub const COUNT: &str = "count";

/// The longest value that stands in a key itself; a longer one is replaced by its hash. A partition key has at most
/// 2,048 bytes.
const MAX_VALUE_BYTES: usize = 512;

/// What separates the place in a list from the id. It sorts below everything a [`SortKey`] holds.
const BEFORE_ID: char = '\u{1}';
/// Sorts above every id of a place and below every longer place.
const AFTER_IDS: char = '\u{2}';
/// Sorts above every place.
const AFTER_ALL: char = '\u{10FFFF}';

/// The primary key of one item.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The partition key.
    pub pk: String,
    /// The sort key.
    pub sk: &'static str,
}

/// The key of an entity's item.
#[must_use]
pub fn entity(prefix: &str, id: &str) -> Key {
    Key { pk: format!("{prefix}#{id}"), sk: ENTITY }
}

/// The key of a unique value's guard.
#[must_use]
pub fn guard(prefix: &str, rule: &str, value: &str) -> Key {
    Key { pk: format!("{prefix}#~{rule}#{}", short(value)), sk: GUARD }
}

/// The key of a group's tally.
#[must_use]
pub fn tally(prefix: &str, name: &str) -> Key {
    Key { pk: format!("{prefix}#~~{name}"), sk: TALLY }
}

/// The key of a count.
#[must_use]
pub fn count(prefix: &str, id: &str) -> Key {
    Key { pk: format!("{prefix}#{id}"), sk: COUNT }
}

/// The partition of an index in which one shard of one list stands.
#[must_use]
pub fn index_partition(prefix: &str, index: &str, list: &str, shard: u16) -> String {
    format!("{prefix}#{index}#{}#{shard}", short(list))
}

/// The place of one entity in a list.
#[must_use]
pub fn index_place(sort: &SortKey, id: &str) -> String {
    format!("{}{BEFORE_ID}{id}", sort.as_str())
}

/// All places from one value to another, both included.
#[must_use]
pub fn index_range(from: Option<&SortKey>, to: Option<&SortKey>) -> (String, String) {
    let lower = format!("{}{BEFORE_ID}", from.map_or("", SortKey::as_str));
    let upper = to.map_or_else(|| AFTER_ALL.to_string(), |to| format!("{}{AFTER_IDS}", to.as_str()));
    (lower, upper)
}

/// The shard of an id: FNV-1a (64 bits), which is stable over versions of Rust, unlike `DefaultHasher`. Never change
/// it: entries are found by it.
#[must_use]
pub fn shard(id: &str, shards: u16) -> u16 {
    let hash = id
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    // The high bits are the well mixed ones. The remainder is below `shards` and fits.
    u16::try_from((hash >> 32) % u64::from(shards.max(1))).unwrap_or(0)
}

/// The value, or `#` and its hash when it is long. A value that begins with `#` is hashed as well, so that no value
/// can pass for the hash of another.
fn short(value: &str) -> String {
    if value.len() <= MAX_VALUE_BYTES && !value.starts_with('#') {
        return value.to_owned();
    }
    let mut text = String::from("#");
    for byte in digest(&SHA256, value.as_bytes()).as_ref() {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_exactly_the_places_of_its_values() {
        let place = |text: &str| index_place(&SortKey::text(text), "0190");
        let (lower, upper) = index_range(Some(&SortKey::text("b")), Some(&SortKey::text("c")));
        let inside = |text: &str| lower <= place(text) && place(text) <= upper;
        assert!(!inside("a") && !inside("azz"));
        assert!(inside("b") && inside("ba") && inside("c"));
        assert!(!inside("ca") && !inside("d"));
        let (lower, upper) = index_range(None, None);
        assert!(lower <= place("") && place("\u{10FFFE}") <= upper);
    }

    #[test]
    fn no_value_passes_for_the_hash_of_another() {
        let long = "x".repeat(MAX_VALUE_BYTES + 1);
        let hashed = guard("user", "email", &long);
        assert!(hashed.pk.len() < 100, "{}", hashed.pk);
        let pretender = hashed.pk.strip_prefix("user#~email#").expect("the prefix");
        assert_ne!(guard("user", "email", pretender), hashed);
    }

    /// The numbers are those of the FNV reference code for these texts; stored entries depend on them.
    #[test]
    fn shards_are_stable() {
        // FNV-1a 64 of "" is cbf29ce484222325, of "a" af63dc4c8601ec8c, of "foobar" 85944171f73967e8.
        assert_eq!(shard("", 1000), (0xcbf2_9ce4_u64 % 1000) as u16);
        assert_eq!(shard("a", 1000), (0xaf63_dc4c_u64 % 1000) as u16);
        assert_eq!(shard("foobar", 1000), (0x8594_4171_u64 % 1000) as u16);
        assert_eq!(shard("foobar", 1), 0);
        assert_eq!(shard("foobar", 0), 0);
    }
}
