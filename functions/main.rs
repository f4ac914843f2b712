//! The program of `cargo run`: every procedure of this folder in one process, and the commands.

use std::process::ExitCode;

fn main() -> ExitCode {
    local::main(local::App { service: functions::service(), ephemeral: false, package: env!("CARGO_PKG_NAME") })
}
