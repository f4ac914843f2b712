//! The folders of a run.

use std::fs;
use std::io::{self, Error};
use std::path::PathBuf;

/// The folders that a run reads and writes.
pub struct Places {
    /// The top of the tree.
    pub root: PathBuf,
    /// The Node side of the measurements.
    pub node: PathBuf,
    /// Cargo's folder of release binaries; this program is one of them.
    pub binaries: PathBuf,
    /// The folder for the output of measured processes.
    pub logs: PathBuf,
}

impl Places {
    /// Finds the folders, and creates the one for logs.
    pub fn find() -> io::Result<Self> {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let package = package.ok_or_else(|| Error::other("start it with cargo run, which tells it where it lies"))?;
        let root = package.parent().ok_or_else(|| Error::other("the package lies in no folder"))?;
        let program = std::env::current_exe()?;
        let binaries = program.parent().ok_or_else(|| Error::other("this program lies in no folder"))?;
        let logs = binaries.join("benches-logs");
        fs::create_dir_all(&logs)?;
        Ok(Self { root: root.to_owned(), node: package.join("node"), binaries: binaries.to_owned(), logs })
    }

    /// The path of a release binary.
    pub fn binary(&self, name: &str) -> PathBuf {
        self.binaries.join(name)
    }
}
