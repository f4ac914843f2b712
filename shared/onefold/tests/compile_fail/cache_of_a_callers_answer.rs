//! Answers that depend on who is calling, and that would be kept for everybody.

use onefold::prelude::*;

/// Who is calling, if anybody.
#[procedure(query, auth = public, cache_s = 60)]
pub async fn who(caller: Option<Caller>) -> String {
    caller.map(|caller| caller.subject().to_owned()).unwrap_or_default()
}

fn main() {}
