//! Identity, attacked from outside: forged tokens, borrowed cookies, repeated secrets, guesses.

mod cross_site;
mod endings;
mod jwt;
mod renewal;
mod signatures;
