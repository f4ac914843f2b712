//! Clients of the last release: what they send is still taken, and what they get they can read, in every style.

use codegen::changes::{compare, is_breaking, markdown};

use crate::bindings;

/// What to do about it.
const WAY_OUT: &str = "\
Clients of the last release would break. Either change the procedures so that they do not: leave what there was, and add \
what is new. Or break them on purpose, with your clients' consent: `cargo run -- release` makes this contract the released \
one. A break is released when the clients that it concerns are gone or changed.";

#[test]
fn nothing_breaks_the_clients_of_the_last_release() {
    let changes = compare(&bindings("released.json"), &bindings("contract.json")).unwrap();
    assert!(!is_breaking(&changes), "\n{}\n{WAY_OUT}", markdown(&changes));
}
