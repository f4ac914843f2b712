//! What it was measured on.

use std::fs;
use std::process::Command;
use std::thread;

/// One line: processor, cores, kernel, and the versions of what compiles and runs.
pub fn description() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    let model = model.trim_start_matches([' ', '\t', ':']);
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let rust = version("rustc");
    let node = version("node");
    format!("Measured on {cores} cores of {model}, Linux {}, {rust}, Node {node}.", kernel.trim())
}

/// What a program says about its version.
fn version(program: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    output.map_or_else(|_| "unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
