//! What does not compile, and what the compiler then says: it is part of the interface.
//!
//! `TRYBUILD=overwrite cargo test -p onefold --test compile_errors` writes the messages down again
//! after a change of the macros or of the compiler.
//!
//! Each case is checked as a program of this package: of all that name procedures, capabilities and entities, the one with the
//! fewest dependencies, which are built for this alone.

#[test]
fn mistakes_are_refused_with_a_message_that_tells_what_to_do() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
