//! The program of the testbed: `cargo run --example testbed`.

use std::process::ExitCode;

fn main() -> ExitCode {
    local::main(local::App { service: testbed::service(), ephemeral: false, package: env!("CARGO_PKG_NAME") })
}
