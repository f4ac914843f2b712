//! The press: renders everything that is generated from the contract.
