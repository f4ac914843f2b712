//! A measured process: started with a clean environment, read through `/proc`, and killed on drop.

use std::fs::{self, File};
use std::io::{self, Error};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A program, its arguments and its whole environment.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program's path, or its name if it is found in `PATH`.
    pub program: PathBuf,
    /// The arguments.
    pub arguments: Vec<String>,
    /// All environment variables except `PATH`.
    pub environment: Vec<(String, String)>,
}

/// A running process. Dropping it kills it and waits for its end.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a process whose output goes to the file `log`. Also returns the time just before the start.
    pub fn start(launch: &Launch, extra: &[(&str, &str)], log: &Path) -> io::Result<(Self, Instant)> {
        let output = File::create(log)?;
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.arguments)
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .envs(extra.iter().copied())
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        let started = Instant::now();
        let child = command
            .spawn()
            .map_err(|cause| Error::new(cause.kind(), format!("cannot start {}: {cause}", launch.program.display())))?;
        Ok((Self { child, log: log.to_owned() }, started))
    }

    /// Whether the process still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The CPU time of all its living threads, user and system, from the scheduler's nanoseconds.
    pub fn cpu(&self) -> io::Result<Duration> {
        let mut total_ns = 0;
        for task in fs::read_dir(self.proc("task"))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let on_cpu_ns: u64 = first_number(&text).ok_or_else(|| Error::other("schedstat holds no number"))?;
            total_ns += on_cpu_ns;
        }
        Ok(Duration::from_nanos(total_ns))
    }

    /// Its peak memory so far (`VmHWM`), in bytes.
    pub fn peak_memory_bytes(&self) -> io::Result<u64> {
        let status = fs::read_to_string(self.proc("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = line.and_then(first_number).ok_or_else(|| Error::other("no VmHWM in the status"))?;
        Ok(kib * 1024)
    }

    /// Its last lines of output, to explain a failure.
    pub fn last_words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn proc(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}", self.child.id())).join(name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that has exited needs no kill.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}
