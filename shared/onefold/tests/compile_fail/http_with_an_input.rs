//! A form that a standard dictates is read from the request.

use onefold::{HttpReply, prelude::*};

/// The parameters.
#[wire(input)]
pub struct Input {
    /// The code.
    pub code: String,
}

/// Take a code.
#[procedure(mutation, auth = public, http = "POST /hooks/token")]
pub async fn token(#[input] input: Input) -> Result<HttpReply, NoFailure> {
    Ok(HttpReply::empty(http::StatusCode::OK))
}

fn main() {}
