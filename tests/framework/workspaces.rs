//! Where a command is started and what it finds there: each says what is missing, where it looked and what to do.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
};

use crate::support::{
    Folder,
    service::{command, testbed_program},
};

/// The program, started in a folder.
fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = command(testbed_program());
    command.current_dir(folder).args(arguments);
    command
}

/// What a command says that must fail.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let mut child = program(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        said.push_str(&line.unwrap());
        said.push('\n');
        if said.contains(" answers at ") {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{arguments:?}: it serves: {said}");
        }
    }
    let output = child.wait_with_output().unwrap();
    let code = if arguments[0] == "diff" { 2 } else { 1 };
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert_eq!(output.stdout, b"", "{arguments:?}");
    assert!(said.starts_with("onefold: "), "{arguments:?}: {said}");
    said
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().next().is_none()
}

/// The names of all commands, from the help.
fn commands() -> Vec<String> {
    let Output { stdout, .. } = command(testbed_program()).arg("help").output().unwrap();
    let help = String::from_utf8(stdout).unwrap();
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let lines = list.lines().take_while(|line| line.starts_with("  "));
    lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// What wants the tree of a service.
const OF_A_TREE: [&[&str]; 11] = [
    &["regen"],
    &["regen", "--check"],
    &["dev"],
    &["diff"],
    &["diff", "/nowhere.json"],
    &["release"],
    &["deploy", "--stage", "dev"],
    &["destroy", "--stage", "dev", "--yes"],
    &["logs", "users.get"],
    &["keys", "--stage", "dev"],
    &["--isolated", "--ephemeral", "--port", "0"],
];
/// What wants keys and data.
const OF_DATA: [&[&str]; 6] = [
    &["--port", "0"],
    &["--ephemeral", "--port", "0"],
    &["token", "--role", "viewer"],
    &["token", "--role", "viewer", "--stage", "dev"],
    &["call", "users.list"],
    &["seed"],
];
/// What wants nothing.
const OF_NOTHING: [&[&str]; 3] = [&["permissions"], &["help"], &["--help"]];

#[test]
fn outside_of_a_workspace_a_command_says_so_and_makes_nothing() {
    let here = Folder::new();
    let here = here.path();
    let data = Folder::new();
    let data = data.path().join("data");
    for arguments in OF_A_TREE {
        let said = refused(here, &[arguments, &["--data", &data.to_string_lossy()]].concat());
        assert!(said.contains(&format!("there is no workspace of a service at {}", here.display())), "{said}");
        assert!(said.contains("run the command there"), "{said}");
    }
    for arguments in OF_DATA {
        let said = refused(here, arguments);
        assert!(said.contains(&*here.to_string_lossy()) && said.contains("--data DIR"), "{arguments:?}: {said}");
    }
    for arguments in OF_NOTHING {
        assert!(program(here, arguments).output().unwrap().status.success(), "{arguments:?}");
    }
    assert!(is_empty(here) && !data.exists());
    let known: Vec<&str> =
        [&OF_A_TREE[..], &OF_DATA, &OF_NOTHING].concat().iter().map(|arguments| arguments[0]).collect();
    for name in commands() {
        assert!(known.contains(&&*name), "{name} is tried nowhere");
    }
}

/// A tree of Rust that is another's is written to by nobody.
#[test]
fn a_workspace_of_something_else_is_none() {
    let here = Folder::new();
    let here = here.path();
    fs::write(here.join("Cargo.toml"), "[workspace]\nmembers = [\"functions\"]\n").unwrap();
    let said = refused(here, &["regen"]);
    assert!(said.contains("there is no workspace of a service"), "{said}");
    assert_eq!(fs::read_dir(here).unwrap().count(), 1);
}

#[test]
fn what_a_workspace_lacks_is_named() {
    let here = Folder::new();
    let here = here.path();
    fs::create_dir_all(here.join("tests/testbed")).unwrap();
    fs::write(here.join("Cargo.toml"), "[workspace]\n").unwrap();
    fs::write(here.join("tests/testbed/Cargo.toml"), "").unwrap();
    let missing = |arguments: &[&str], what: &str, otherwise: &str| {
        let said = refused(here, arguments);
        let expected = format!("there is no {what} in {}: ", here.display());
        assert!(said.contains(&expected) && said.contains(otherwise), "{arguments:?}: {said}");
    };
    missing(&["diff"], "tests/testbed/bindings/released.json", "cargo run -- release");
    missing(&["release"], "tests/testbed/bindings/contract.json", "cargo regen");
    for arguments in [&["deploy", "--stage", "dev"][..], &["logs", "users.get"], &["keys", "--stage", "dev"]] {
        missing(arguments, "infra", "templates");
    }
    let said = refused(here, &["diff", "nowhere.json"]);
    assert!(said.contains("nowhere.json: "), "{said}");
    fs::create_dir(here.join("tests/testbed/bindings")).unwrap();
    fs::write(here.join("tests/testbed/bindings/released.json"), "{}").unwrap();
    missing(&["diff"], "tests/testbed/bindings/contract.json", "cargo regen");
    // What is no contract is not released, the first time neither.
    fs::remove_file(here.join("tests/testbed/bindings/released.json")).unwrap();
    for text in ["<<<<<<< HEAD\n{}\n", "{}"] {
        fs::write(here.join("tests/testbed/bindings/contract.json"), text).unwrap();
        let said = refused(here, &["release"]);
        assert!(said.contains("cargo regen") && !here.join("tests/testbed/bindings/released.json").exists(), "{said}");
    }
    assert!(!here.join(".onefold").exists(), "no key is made for what cannot be done");

    // What is in the way of what is written.
    fs::remove_dir_all(here.join("tests/testbed/bindings")).unwrap();
    fs::write(here.join("tests/testbed/bindings"), "").unwrap();
    let said = refused(here, &["regen"]);
    assert!(said.contains("tests/testbed/bindings/"), "{said}");
}

/// Everything that a data folder holds, with something in its place that is none.
#[test]
fn what_is_wrong_with_a_data_folder_is_named() {
    const SERVE: &[&str] = &["--port", "0"];
    const TOKEN: &[&str] = &["token", "--role", "viewer"];
    const OF_STAGE: &[&str] = &["token", "--role", "viewer", "--stage", "dev"];
    const CALL: &[&str] = &["call", "users.list"];
    const SEED: &[&str] = &["seed"];
    for (name, commands) in [
        ("lock", &[SERVE, SEED][..]),
        ("signing.key", &[SERVE, SEED, TOKEN, CALL]),
        ("cursor.key", &[SERVE, SEED]),
        ("database.sqlite", &[SERVE, SEED]),
        ("secrets/identity-providers.json", &[SERVE]),
        ("stages/dev/signing.key", &[OF_STAGE]),
        ("functions.env", &[SERVE]),
    ] {
        for arguments in commands {
            let data = Folder::new();
            let path = data.path().join(name);
            fs::create_dir_all(&path).unwrap();
            expect_named(arguments, &data, &path, "a folder in its place");
        }
    }
    for (name, commands) in [
        ("running", &[SERVE, SEED][..]),
        ("mail", &[SERVE]),
        ("stages", &[OF_STAGE]),
        ("signing.key", &[SERVE, SEED, TOKEN, CALL]),
        ("cursor.key", &[SERVE, SEED]),
        ("database.sqlite", &[SERVE, SEED]),
    ] {
        for arguments in commands {
            let data = Folder::new();
            let path = data.path().join(name);
            fs::write(&path, "what somebody else wrote, long enough to be taken for something").unwrap();
            expect_named(arguments, &data, &path, "a file that is none of it");
        }
    }
}

fn expect_named(arguments: &[&str], data: &Folder, path: &Path, case: &str) {
    let folder = data.path().to_string_lossy();
    let said = refused(data.path(), &[arguments, &["--data", &folder]].concat());
    assert!(said.contains(&*path.to_string_lossy()), "{arguments:?}, {case}, {}: {said}", path.display());
}

#[test]
fn a_file_is_no_data_folder() {
    let folder = Folder::new();
    let file = folder.path().join("a-file");
    fs::write(&file, "").unwrap();
    for arguments in OF_DATA {
        let said = refused(folder.path(), &[arguments, &["--data", &file.to_string_lossy()]].concat());
        assert!(said.contains(&*file.to_string_lossy()) && said.contains("--data DIR"), "{arguments:?}: {said}");
    }
}
