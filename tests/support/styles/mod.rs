//! The styles of API: calls in the words of each, and scripts that are played in all of them.

pub mod access;
pub mod agreement;
pub mod calls;
pub mod drivers;
pub mod play;
