//! Callers come through for their own items, and nothing asks which these are.

use onefold::prelude::*;

/// Delete anything.
#[procedure(mutation, auth = permission("notes:write", own))]
pub async fn delete() -> Result<(), NoFailure> {
    Ok(())
}

fn main() {}
