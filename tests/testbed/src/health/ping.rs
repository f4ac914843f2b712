//! `health.ping`.

use onefold::prelude::*;

/// Whether the service answers.
#[procedure(query, auth = public, rest = "GET /v1/health")]
pub async fn ping() -> String {
    "pong".to_owned()
}
