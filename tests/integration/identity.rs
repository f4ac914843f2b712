//! Identity, attacked from outside: forged tokens, borrowed cookies, repeated secrets, guesses.

mod jwt;
mod signatures;
