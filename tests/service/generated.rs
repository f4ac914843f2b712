//! What is generated is up to date.

use crate::{
    program,
    support::{cargo::root, service::command},
};

#[test]
fn the_bindings_are_up_to_date() {
    let rendered = codegen::render(&functions::service()).unwrap();
    let stale = codegen::stale(root(), &rendered).unwrap();
    assert!(stale.is_empty(), "run `cargo regen`: {stale:?}");
    let check = command(program()).args(["regen", "--check"]).output().unwrap();
    assert!(check.status.success() && check.stdout.is_empty(), "{check:?}");
}
