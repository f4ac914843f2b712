//! Identity, attacked from outside: forged tokens, borrowed cookies, repeated secrets, guesses.

mod cross_site;
mod endings;
mod jwt;
mod refresh;
mod renewal;
mod signatures;
