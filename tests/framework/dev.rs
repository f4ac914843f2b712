//! `dev`: the service is built and started anew after a change, and goes on when it does not build.
//!
//! What cargo does is written down here: building takes longer than all the rest, and is cargo's business.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, ChildStderr, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{sleep, timeout},
};

use crate::support::{
    Folder,
    service::{command, testbed_program},
};

/// What stands for cargo: it notes down what is to be built, and fails as long as there is a file `broken`.
const CARGO: &str = r#"#!/bin/sh
cd "$(dirname "$0")"
case $1 in
    metadata) cat metadata.json ;;
    build) echo "$@" >> builds; if test -e broken; then echo 'error: expected `;`' >&2; exit 101; fi ;;
esac
"#;

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A workspace with one source file, and `dev` at work in it.
struct Dev {
    folder: Folder,
    process: Child,
    lines: UnboundedReceiver<String>,
    known: Option<SocketAddr>,
}

impl Dev {
    fn start(options: &[&str]) -> Self {
        let folder = Folder::workspace();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("tests/testbed/src")).unwrap();
        fs::write(at("tests/testbed/src/lib.rs"), "").unwrap();
        fs::write(at("cargo"), CARGO).unwrap();
        fs::set_permissions(at("cargo"), fs::Permissions::from_mode(0o755)).unwrap();
        let manifest = at("tests/testbed/Cargo.toml");
        let metadata = json!({ "packages": [{ "source": null, "manifest_path": manifest, "targets": [] }] });
        fs::write(at("metadata.json"), metadata.to_string()).unwrap();
        let run = |arguments: &[&str]| {
            let mut command = command(testbed_program());
            command.args(arguments).env("CARGO_MANIFEST_DIR", folder.path()).env("CARGO", at("cargo"));
            command
        };
        // What is generated is there, so that the first start writes nothing.
        assert!(run(&["regen"]).output().unwrap().status.success());
        let data = at("data").to_string_lossy().into_owned();
        let arguments = [&["dev", "--data", &data], options].concat();
        let mut process = run(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = lines(process.stderr.take().unwrap());
        Self { folder, process, lines, known: None }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn change(&self, path: &str) {
        fs::write(self.at(path), uuid::Uuid::now_v7().to_string()).unwrap();
    }

    fn builds(&self) -> Vec<String> {
        fs::read_to_string(self.at("builds")).unwrap().lines().map(str::to_owned).collect()
    }

    /// The next line with this text.
    async fn says(&mut self, text: &str) -> String {
        let mut said = Vec::new();
        loop {
            match timeout(LIMIT, self.lines.recv()).await {
                Ok(Some(line)) if line.contains(text) => return line,
                Ok(Some(line)) => said.push(line),
                other => panic!("no line with {text:?} ({other:?}):\n{}", said.join("\n")),
            }
        }
    }

    /// Where the service answers that starts next. One names its address in several lines.
    async fn address(&mut self) -> SocketAddr {
        loop {
            let line = self.says("http://127.0.0.1:").await;
            let (_, rest) = line.split_once("http://").unwrap();
            let address = rest.split(['/', ' ']).next().unwrap().parse().unwrap();
            if self.known != Some(address) {
                self.known = Some(address);
                return address;
            }
        }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.process), Signal::TERM);
        let _ = self.process.wait();
    }
}

fn lines(from: ChildStderr) -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

fn answers(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_ok()
}

#[tokio::test]
async fn a_change_starts_the_service_anew_and_one_that_does_not_build_leaves_it_as_it_was() {
    let mut dev = Dev::start(&["--port", "0", "--ephemeral"]);
    let first = dev.address().await;
    assert!(answers(first));
    assert_eq!(dev.builds(), ["build --quiet --package service --example testbed"]);

    dev.change("tests/testbed/src/lib.rs");
    let second = dev.address().await;
    assert!(answers(second) && !answers(first));

    fs::write(dev.at("broken"), "").unwrap();
    dev.change("tests/testbed/src/lib.rs");
    dev.says("error: expected `;`").await;
    dev.says("the service runs on as it was").await;
    assert!(answers(second));

    fs::remove_file(dev.at("broken")).unwrap();
    dev.change("tests/testbed/src/lib.rs");
    let third = dev.address().await;
    assert!(answers(third) && !answers(second));

    // What changes no program: a text, and the generated programs, as `regen` writes them.
    let before = dev.builds().len();
    dev.change("README.md");
    dev.change("tests/testbed/src/bin/health-ping.rs");
    // Were they to build anything, it would begin before what comes now.
    sleep(Duration::from_secs(1)).await;
    dev.change("Cargo.toml");
    dev.address().await;
    assert_eq!(dev.builds().len(), before + 1);

    kill_process(Pid::from_child(&dev.process), Signal::TERM).unwrap();
    assert!(dev.process.wait().unwrap().success());
    assert!(!answers(third));
}

#[tokio::test]
async fn what_is_generated_is_written_with_each_build() {
    let mut dev = Dev::start(&["--port", "0", "--ephemeral"]);
    dev.address().await;
    let contract = dev.at("tests/testbed/bindings/contract.json");
    fs::remove_file(&contract).unwrap();
    dev.change("tests/testbed/src/lib.rs");
    dev.says("Built and started anew").await;
    assert!(contract.is_file());
}

#[tokio::test]
async fn options_that_are_wrong_end_it() {
    let mut dev = Dev::start(&["--prot", "9100"]);
    dev.says("--prot").await;
    assert_eq!(dev.process.wait().unwrap().code(), Some(2));
}
