//! A bundle with a field that is no capability.

use onefold::prelude::*;

/// What it takes to write files.
#[derive(Capability)]
pub struct Files {
    clock: Clock,
    file: std::fs::File,
}

fn main() {}
