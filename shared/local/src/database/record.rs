//! A record of the accesses of procedures to the database: tests compare the generated policies with it.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::request::Access;

/// One line of the record. It leaves out the rest of a key behind its prefix, which may be personal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
struct RecordLine {
    procedure: String,
    action: &'static str,
    /// Null for the table itself.
    index: Option<String>,
    prefix: String,
}

/// A file that others may append to at the same time.
#[derive(Debug)]
pub(super) struct Record {
    file: File,
    written: Mutex<HashSet<RecordLine>>,
}

impl Record {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file, written: Mutex::default() })
    }

    /// Adds what is new. It is in the file before the request is executed, so that a killed process leaves a complete
    /// record.
    pub(super) fn add(&self, procedure: &str, accesses: &[Access]) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        for access in accesses {
            let line = RecordLine {
                procedure: procedure.to_owned(),
                action: access.action,
                index: access.index.clone(),
                prefix: access.prefix().to_owned(),
            };
            if written.contains(&line) {
                continue;
            }
            match self.append(&line) {
                Ok(()) => drop(written.insert(line)),
                Err(error) => tracing::error!(%error, procedure, "an access could not be recorded"),
            }
        }
    }

    /// One write for each line: with `O_APPEND`, lines of several processes do not mix.
    fn append(&self, line: &RecordLine) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        (&self.file).write_all(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(action: &'static str, index: Option<&str>, partition_key: &str) -> Access {
        Access { action, index: index.map(str::to_owned), partition_key: partition_key.to_owned() }
    }

    #[test]
    fn each_access_is_written_once_without_what_follows_the_prefix_and_nothing_is_overwritten() {
        let path = std::env::temp_dir().join(format!("onefold-record-{}", uuid::Uuid::now_v7()));
        let (one, other) = (Record::open(&path).expect("it opens"), Record::open(&path).expect("it opens twice"));
        one.add("orders.create", &[access("dynamodb:PutItem", None, "user#~email#ada@example.com")]);
        other.add("orders.list", &[access("dynamodb:Query", Some("gsi1"), "user#created##0")]);
        one.add(
            "orders.create",
            &[access("dynamodb:PutItem", None, "user#1"), access("dynamodb:PutItem", None, "bare")],
        );
        let text = std::fs::read_to_string(&path);
        let _ = std::fs::remove_file(&path);
        assert_eq!(
            text.expect("it is readable").lines().collect::<Vec<_>>(),
            [
                r#"{"procedure":"orders.create","action":"dynamodb:PutItem","index":null,"prefix":"user"}"#,
                r#"{"procedure":"orders.list","action":"dynamodb:Query","index":"gsi1","prefix":"user"}"#,
                r#"{"procedure":"orders.create","action":"dynamodb:PutItem","index":null,"prefix":""}"#,
            ]
        );
    }
}
