//! The proof: the whole service, from outside.
#![allow(clippy::unwrap_used, missing_docs)]

mod addresses;
mod alike;
mod beside;
mod boundary;
mod caching;
mod call;
mod callers;
mod crowds;
mod data;
mod generated;
mod given;
mod grants;
mod http;
mod identity;
mod inputs;
mod invariants;
mod isolated;
mod listeners;
mod mails;
mod matrix;
mod places;
mod process;
mod reads;
mod refusals;
mod released;
mod rest_answers;
mod styles;
#[path = "../values/mod.rs"]
mod values;
mod verification;
mod webhooks;
mod wire;
mod workflows;
