//! A wire type with a number that JSON cannot always write.

use runtime::prelude::*;

/// How warm.
#[wire]
pub struct Reading {
    /// In degrees.
    pub degrees: f64,
}

fn main() {}
