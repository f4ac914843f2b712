//! What does not compile, and what the compiler then says: it is part of the interface.
//!
//! `TRYBUILD=overwrite cargo test --test integration compile_errors` writes the messages down again
//! after a change of the macros or of the compiler.

#[test]
fn mistakes_are_refused_with_a_message_that_tells_what_to_do() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
