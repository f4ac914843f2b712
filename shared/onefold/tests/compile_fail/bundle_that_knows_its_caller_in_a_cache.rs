//! An answer that is kept for everybody, of a query that knows its caller by a bundle.

use onefold::prelude::*;

/// Who calls, and when.
#[derive(Capability)]
pub struct Call {
    caller: Option<Caller>,
    clock: Clock,
}

/// Read the time.
#[procedure(query, auth = public, cache_s = 60)]
pub async fn read(call: Call) -> Timestamp {
    drop(call.caller);
    call.clock.now()
}

fn main() {}
