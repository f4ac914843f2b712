//! The gateways' Lambda functions of this service: each is one API style over all procedures.
//!
//! `cargo regen` writes the programs in `src/bin`. They are a package of their own, so that the procedures' functions
//! do not wait for the gateways' dependencies, and a change of a procedure links no gateway again.
