//! A wire type with a number that JSON cannot always write.

use onefold::prelude::*;

/// How warm.
#[wire]
pub struct Reading {
    /// In degrees.
    pub degrees: f64,
}

fn main() {}
