//! A parameter that gives access to the outside past the grants.

use onefold::prelude::*;

/// Read a file.
#[procedure(query, auth = public)]
pub async fn read(file: std::fs::File) -> String {
    format!("{file:?}")
}

fn main() {}
