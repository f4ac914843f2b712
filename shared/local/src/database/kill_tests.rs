//! A test with a second process that `kill -9` loses no acknowledged write. The process is this test binary again,
//! which runs [`writer`].

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use http::StatusCode;

use super::tests::{Caller, Folder, create_table};
use super::{EmbeddedDatabase, Location};

/// The file that the second process writes. Without it, [`writer`] does nothing.
const FILE: &str = "ONEFOLD_KILL_TEST_FILE";
const ACKNOWLEDGED: &str = "acknowledged ";
/// After how many acknowledged writes the second process is killed.
const WRITES_BEFORE_THE_KILL: usize = 20;
/// After how many writes the second process ends if it is not killed.
const WRITES_AT_MOST: usize = 10_000;

#[tokio::test]
async fn writer() {
    let Some(path) = std::env::var_os(FILE) else {
        return;
    };
    let database = EmbeddedDatabase::start(Location::File(PathBuf::from(path))).await.expect("it starts");
    let administrator = Caller::new(&database, &database.administrator().access_key_id);
    create_table(&administrator).await;
    for number in 0..WRITES_AT_MOST {
        assert_eq!(administrator.put(&format!("user#{number}")).await.0, StatusCode::OK);
        println!("{ACKNOWLEDGED}user#{number}");
    }
}

#[tokio::test]
async fn kill_9_loses_no_acknowledged_write() {
    let folder = Folder::new();
    let path = folder.0.join("data.sqlite");
    let mut process = Command::new(std::env::current_exe().expect("this test is a program"))
        .args(["--exact", "database::kill_tests::writer", "--nocapture"])
        .env(FILE, &path)
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program can be started again");
    let output = process.stdout.take().expect("it is piped");
    let mut acknowledged = Vec::new();
    for line in BufReader::new(output).lines() {
        let line = line.expect("it prints text");
        // The first line may share its line with what the test harness prints.
        let Some((_, key)) = line.split_once(ACKNOWLEDGED) else {
            continue;
        };
        acknowledged.push(key.to_owned());
        if acknowledged.len() == WRITES_BEFORE_THE_KILL {
            process.kill().expect("it runs");
        }
    }
    process.wait().expect("it was killed");
    assert!(acknowledged.len() >= WRITES_BEFORE_THE_KILL, "{acknowledged:?}");

    let database = EmbeddedDatabase::start(Location::File(path)).await.expect("the lock died with its process");
    let administrator = Caller::new(&database, &database.administrator().access_key_id);
    for key in &acknowledged {
        let (status, answer) = administrator.get(key).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["Item"]["pk"]["S"], key.as_str(), "{answer}");
    }
    database.stop().await;
}
