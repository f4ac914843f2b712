//! An entity that would be found by either of two ids.

use onefold::{Entity, wire, Version, id};

id! {
    /// Names one order.
    pub struct OrderId;
}

/// An order.
#[wire]
#[derive(Entity)]
#[entity(prefix = "order")]
pub struct Order {
    /// The id.
    #[entity(id)]
    pub id: OrderId,
    /// Another one.
    #[entity(id)]
    pub other: OrderId,
    /// Grows with each change.
    #[entity(version)]
    pub version: Version,
}

fn main() {}
