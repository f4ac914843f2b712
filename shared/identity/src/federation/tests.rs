//! The relying party against a provider that says what a test wants it to say.

mod flows;
mod given;
mod id_tokens;
mod outbound;
