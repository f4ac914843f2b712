//! The relying party against a provider whose answers a test sets.

mod flows;
mod given;
mod id_tokens;
mod outbound;
