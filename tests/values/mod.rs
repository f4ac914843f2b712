//! Values made from JSON Schemas, for whatever types the procedures have.
// Each test target takes what it needs.
#![allow(dead_code)]

pub mod near_miss;
pub mod sample;
