//! The store against a database: an embedded one, and ones that are away, slow or lose answers.
#![allow(missing_docs)]

mod capabilities;
mod changes;
mod cursors;
mod given;
mod lists;
mod lost_answers;
mod mails;
mod outages;
mod quota;
mod secrets;
mod transactions;
