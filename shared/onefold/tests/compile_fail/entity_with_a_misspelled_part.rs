//! A part of an entity that nobody knows.

use onefold::{Entity, wire, Version, id};

id! {
    /// Names one order.
    pub struct OrderId;
}

/// An order.
#[wire]
#[derive(Entity)]
#[entity(prefix = "order")]
#[entity(index = "number", sort = onefold::SortKey::text(&self.number), shard = 4)]
pub struct Order {
    /// The id.
    #[entity(id)]
    pub id: OrderId,
    /// What it is called.
    pub number: String,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

fn main() {}
