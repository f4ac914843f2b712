//! What an authorization server decides (OAuth 2.1, `draft-ietf-oauth-v2-1`): where codes may be sent, who
//! asked for one, what an application may be given. Nothing here reads or writes anything.
//!
//! - [`redirect`]: addresses to which a browser is sent back. [`scope`]: what an application asks for.
//! - [`pkce`]: whoever redeems a code is who asked for it. [`keys`]: the keys that check tokens.

pub mod keys;
pub mod pkce;
pub mod redirect;
pub mod scope;

pub use keys::TokenKeys;
