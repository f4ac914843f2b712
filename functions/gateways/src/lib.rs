//! The gateways' Lambda functions of this service: what spans its procedures, in one style of API each.
//!
//! `cargo regen` writes the programs, in `src/bin`. They are a package apart, so that the functions of procedures do not
//! wait for what gateways need, and so that a change of a procedure links no gateway again.
