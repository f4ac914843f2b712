//! Code that must not compile, and the compiler's messages, which are part of the interface.
//!
//! `TRYBUILD=overwrite cargo test -p onefold --test compile_errors` updates the messages after a change of the macros
//! or of the compiler.
//!
//! Each case is checked as a program of this package: of all packages that see procedures, capabilities and entities,
//! it has the fewest dependencies, which are built for these cases alone.

#[test]
fn mistakes_are_refused_with_a_message_that_tells_what_to_do() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
