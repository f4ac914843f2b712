//! The index of the procedures.
