//! A variant of an input that would ignore unknown fields.

use onefold::prelude::*;

#[wire(input)]
pub enum ShapeInput {
    Empty,
    Circle { radius: u32 },
}

fn main() {}
