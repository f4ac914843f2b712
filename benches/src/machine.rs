//! A description of the machine, and its load by other processes.

use std::fs;
use std::io::{self, Error};
use std::process::Command;
use std::thread;

/// One line: processor, cores, kernel, and the versions of compilers and runtimes.
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

/// The machine's CPU time so far, to compute the share of other processes in a run.
pub struct Usage {
    all: f64,
    busy: f64,
    own: f64,
}

impl Usage {
    /// Reads it: `cpu` of `/proc/stat`, and this process with its ended children, both in ticks.
    pub fn now() -> io::Result<Self> {
        let stat = fs::read_to_string("/proc/stat")?;
        let line = stat.lines().find_map(|line| line.strip_prefix("cpu "));
        // user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in the first two already.
        let ticks = numbers(line.ok_or_else(|| Error::other("an unknown form of /proc/stat"))?, 0, 8);
        let all: f64 = ticks.iter().sum();
        let idle: f64 = ticks.iter().skip(3).take(2).sum();
        Ok(Self { all, busy: all - idle, own: own_ticks(13, 4)? })
    }

    /// The share of the machine's CPU time since then that other processes took, 0 to 1.
    pub fn taken_by_others(&self) -> io::Result<f64> {
        let now = Self::now()?;
        let others = (now.busy - self.busy) - (now.own - self.own);
        Ok((others / (now.all - self.all)).max(0.0))
    }
}

/// The CPU time of all ended children of this process, and of theirs, in seconds: `cutime` and `cstime` of proc(5).
pub fn children_cpu_s() -> io::Result<f64> {
    /// `USER_HZ`, which Linux fixes at 100 on x86-64 and on arm64.
    const TICKS_PER_SECOND: f64 = 100.0;
    Ok(own_ticks(15, 2)? / TICKS_PER_SECOND)
}

/// The sum of some fields of `/proc/self/stat`; the first is field 0.
fn own_ticks(first: usize, count: usize) -> io::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The second field is the program's name in parentheses and may hold anything, spaces included.
    let (_, fields) = stat.rsplit_once(')').ok_or_else(|| Error::other("an unknown form of /proc/self/stat"))?;
    Ok(numbers(fields, first - 2, count).iter().sum())
}

fn numbers(text: &str, first: usize, count: usize) -> Vec<f64> {
    text.split_whitespace().skip(first).take(count).filter_map(|field| field.parse().ok()).collect()
}

/// The version that a program prints.
fn version(program: &str) -> String {
    let output = Command::new(program).arg("--version").output();
    output.map_or_else(|_| "unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
