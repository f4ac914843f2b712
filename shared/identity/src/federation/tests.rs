//! The relying party against a provider whose answers a test sets.

mod fixtures;
mod flows;
mod id_tokens;
mod outbound;
