//! An entity whose changes nobody could tell apart.

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
    /// Grows with each change, and is not marked.
    pub version: Version,
}

fn main() {}
