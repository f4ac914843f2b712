//! Identity, attacked from outside: forged tokens, borrowed cookies, repeated secrets, guesses.

mod accounts;
mod addresses;
mod audit;
mod cross_site;
mod drive;
mod dump;
mod endings;
mod forgeries;
mod jwt;
mod kinds;
pub mod limits;
mod log;
mod newcomers;
mod processes;
mod refresh;
mod registration;
mod renewal;
mod rights;
mod signatures;
mod takeovers;
mod time;
