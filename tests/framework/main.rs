//! The framework, from outside: services of the tests' own, called over the wire.
#![allow(clippy::unwrap_used, missing_docs)]

mod addresses;
mod boundary;
mod caching;
mod call;
mod callers;
mod commands;
mod configs;
mod data;
mod dev;
mod generated;
mod grants;
mod http;
mod identity;
mod inputs;
mod invariants;
mod isolated;
mod listeners;
mod mails;
mod matrix;
mod overload;
mod process;
mod reads;
mod refusals;
mod rest_answers;
mod styles;
#[path = "../support/mod.rs"]
mod support;
#[path = "../values/mod.rs"]
mod values;
mod verification;
mod webhooks;
mod wire;
mod workflows;
mod workspaces;
