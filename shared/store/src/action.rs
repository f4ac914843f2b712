//! The actions of a change on the table, their conditions, and the error that a failed condition means.

use std::collections::{HashMap, hash_map::Entry};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    StoreError,
    item::{COUNT, EXPIRES, Item, Membership, OWNER, Record, VERSION, guard_item, number},
    keys::{self, Key},
    table::TABLE,
};

/// One action on one item.
#[derive(Debug)]
pub(crate) enum Action {
    /// Writes an entity.
    Put { key: Key, item: Item, expected: Expected },
    /// Removes an entity.
    Delete { key: Key, version: u32 },
    /// Takes a unique value for an entity.
    Claim { key: Key, item: Item, rule: &'static str, owner: String, before: String },
    /// Gives a unique value back.
    Release { key: Key, owner: String },
    /// Adds to (positive) or takes from (negative) the count of a group's members.
    Count { key: Key, by: i64, at_least: u32, tally: &'static str },
}

/// What must be stored before an entity may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Nothing, or something expired.
    Absent,
    /// This version.
    Version(u32),
}

/// A condition expression with its names and values.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) expression: String,
    pub(crate) names: HashMap<String, String>,
    pub(crate) values: HashMap<String, AttributeValue>,
}

// Clauses. An expired item counts as absent: DynamoDB deletes it late, and readers no longer see it.
const ABSENT: &str = "attribute_not_exists(#pk)";
const EXPIRED: &str = "#expires <= :now";
const NOT_EXPIRED: &str = "(attribute_not_exists(#expires) OR #expires > :now)";
const UNCHANGED: &str = "#version = :version";
const OURS: &str = "#owner = :owner";
/// The value belongs to an entity that releases it in the same transaction.
const HANDED_OVER: &str = "#owner = :before";
const ENOUGH: &str = "#count >= :enough";

impl Action {
    pub(crate) fn key(&self) -> &Key {
        match self {
            Self::Put { key, .. }
            | Self::Delete { key, .. }
            | Self::Claim { key, .. }
            | Self::Release { key, .. }
            | Self::Count { key, .. } => key,
        }
    }

    /// The error that a failed condition means.
    pub(crate) fn failure(&self) -> StoreError {
        match self {
            Self::Put { expected: Expected::Absent, .. } => StoreError::Exists,
            Self::Put { .. } | Self::Delete { .. } | Self::Release { .. } => StoreError::Stale,
            Self::Claim { rule, .. } => StoreError::Taken { rule },
            Self::Count { tally, .. } => StoreError::TooFew { tally },
        }
    }

    /// The condition under which the action is done; none if it is unconditional.
    pub(crate) fn condition(&self, now_unix_ms: i64) -> Option<Condition> {
        let pk = ("#pk", TABLE.partition_key);
        let expires = ("#expires", EXPIRES);
        let now = || (":now", number(now_unix_ms));
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let unchanged = |version: u32| {
            Condition::new(
                format!("{UNCHANGED} AND {NOT_EXPIRED}"),
                &[("#version", VERSION), expires],
                [(":version", number(version)), now()],
            )
        };
        match self {
            Self::Put { expected: Expected::Absent, .. } => {
                Some(Condition::new(format!("{ABSENT} OR {EXPIRED}"), &[pk, expires], [now()]))
            }
            Self::Put { expected: Expected::Version(version), .. } | Self::Delete { version, .. } => {
                Some(unchanged(*version))
            }
            Self::Claim { owner, before, .. } => Some(Condition::new(
                format!("{ABSENT} OR {EXPIRED} OR {OURS} OR {HANDED_OVER}"),
                &[pk, expires, ("#owner", OWNER)],
                [now(), (":owner", text(owner)), (":before", text(before))],
            )),
            // Absent: written before the rule was there. Another's: ours had expired by that one's clock.
            Self::Release { owner, .. } => {
                Some(Condition::new(format!("{ABSENT} OR {OURS}"), &[pk, ("#owner", OWNER)], [(":owner", text(owner))]))
            }
            Self::Count { by, at_least, .. } if *by < 0 && *at_least > 0 => Some(Condition::new(
                ENOUGH.to_owned(),
                &[("#count", COUNT)],
                [(":enough", number(i64::from(*at_least) - by))],
            )),
            Self::Count { .. } => None,
        }
    }
}

impl Condition {
    fn new<const N: usize>(expression: String, names: &[(&str, &str)], values: [(&str, AttributeValue); N]) -> Self {
        Self {
            expression,
            names: names.iter().map(|(name, attribute)| ((*name).to_owned(), (*attribute).to_owned())).collect(),
            values: values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }
}

/// The actions that create an entity.
pub(crate) fn creating(after: &Record, item: Item) -> Result<Vec<Action>, StoreError> {
    check(after)?;
    let mut actions = vec![put(after, item, Expected::Absent)];
    actions.extend(after.unique.iter().map(|unique| claim(after, unique.name, &unique.value)));
    actions.extend(after.tallies.iter().map(|tally| count(after, tally, 1)));
    Ok(actions)
}

/// The actions that replace one state of an entity by another. Guards and tallies change only where the two states
/// differ.
pub(crate) fn replacing(before: &Record, after: &Record, item: Item) -> Result<Vec<Action>, StoreError> {
    check(after)?;
    if before.id != after.id {
        return Err(StoreError::broken("an entity cannot take the place of one with another id"));
    }
    let mut actions = vec![put(after, item, Expected::Version(before.version))];
    // A guard expires with its owner.
    let same_expiry = before.expires == after.expires;
    for unique in after.unique.iter().filter(|unique| !(same_expiry && before.unique.contains(unique))) {
        actions.push(claim(after, unique.name, &unique.value));
    }
    for unique in before.unique.iter().filter(|unique| !after.unique.contains(unique)) {
        actions.push(release(before, unique.name, &unique.value));
    }
    let has = |record: &Record, name: &str| record.tallies.iter().any(|tally| tally.name == name);
    actions.extend(after.tallies.iter().filter(|t| !has(before, t.name)).map(|tally| count(after, tally, 1)));
    actions.extend(before.tallies.iter().filter(|t| !has(after, t.name)).map(|tally| count(before, tally, -1)));
    Ok(actions)
}

/// The actions that delete an entity.
pub(crate) fn deleting(before: &Record) -> Vec<Action> {
    let key = keys::entity(before.prefix, &before.id);
    let mut actions = vec![Action::Delete { key, version: before.version }];
    actions.extend(before.unique.iter().map(|unique| release(before, unique.name, &unique.value)));
    actions.extend(before.tallies.iter().map(|tally| count(before, tally, -1)));
    actions
}

/// Refuses an entity that expires and is tallied: DynamoDB deletes expired items by itself and decrements no tally.
fn check(record: &Record) -> Result<(), StoreError> {
    if record.expires.is_some() && !record.tallies.is_empty() {
        let message = format!("`{}` expires and is tallied: nothing would count it down", record.prefix);
        return Err(StoreError::broken(message));
    }
    Ok(())
}

fn put(record: &Record, item: Item, expected: Expected) -> Action {
    Action::Put { key: keys::entity(record.prefix, &record.id), item, expected }
}

fn claim(record: &Record, rule: &'static str, value: &str) -> Action {
    let key = keys::guard(record.prefix, rule, value);
    let owner = record.id.clone();
    Action::Claim { item: guard_item(&key, record), key, rule, before: owner.clone(), owner }
}

fn release(record: &Record, rule: &'static str, value: &str) -> Action {
    Action::Release { key: keys::guard(record.prefix, rule, value), owner: record.id.clone() }
}

fn count(record: &Record, tally: &Membership, by: i64) -> Action {
    let key = keys::tally(record.prefix, tally.name);
    Action::Count { key, by, at_least: tally.at_least, tally: tally.name }
}

/// Joins actions on the same item, since a transaction may name an item only once: several changes of one tally, and
/// a unique value that passes from one entity to another.
pub(crate) fn merge(actions: Vec<Action>) -> Result<Vec<Action>, StoreError> {
    let mut merged: Vec<Action> = Vec::with_capacity(actions.len());
    let mut places: HashMap<Key, usize> = HashMap::with_capacity(actions.len());
    for action in actions {
        match places.entry(action.key().clone()) {
            Entry::Vacant(place) => {
                place.insert(merged.len());
                merged.push(action);
            }
            Entry::Occupied(place) => join(&mut merged[*place.get()], action)?,
        }
    }
    merged.retain(|action| !matches!(action, Action::Count { by: 0, .. }));
    Ok(merged)
}

fn join(first: &mut Action, second: Action) -> Result<(), StoreError> {
    match (first, second) {
        (Action::Count { by, at_least, .. }, Action::Count { by: more, at_least: floor, .. }) => {
            *by += more;
            *at_least = floor.max(*at_least);
        }
        (Action::Claim { before, .. }, Action::Release { owner, .. }) => *before = owner,
        (first @ Action::Release { .. }, Action::Claim { key, item, rule, owner, .. }) => {
            let Action::Release { owner: before, .. } = first else { return Ok(()) };
            *first = Action::Claim { key, item, rule, owner, before: std::mem::take(before) };
        }
        (Action::Claim { owner, .. }, Action::Claim { owner: other, rule, .. }) => {
            if *owner != other {
                return Err(StoreError::Taken { rule });
            }
        }
        // One entity named the same value twice and releases it twice.
        (Action::Release { owner, .. }, Action::Release { owner: other, .. }) if *owner == other => {}
        _ => return Err(StoreError::broken("a transaction changes one item twice")),
    }
    Ok(())
}
