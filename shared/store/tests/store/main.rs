//! The store against a database: an embedded one, and ones that are away, slow or lose answers.
#![allow(missing_docs)]

// The macros write `::onefold`.
extern crate onefold_store as store;
extern crate protocol as onefold;

mod capabilities;
mod changes;
mod cursors;
mod fixtures;
mod lists;
mod lost_answers;
mod outages;
mod quota;
mod traces;
mod transactions;
