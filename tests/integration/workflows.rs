//! The commands that continuous delivery runs, held against the program.

use std::{fs, path::PathBuf};

use crate::given::{
    cargo::root,
    service::{ONEFOLD, command},
};

/// Every file that continuous integration runs.
fn scripts() -> Vec<PathBuf> {
    let folders = [".ci", ".github/workflows"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
    folders.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

/// What stands behind `cargo run … --`, up to the end of the command.
fn commands(script: &str) -> Vec<Vec<String>> {
    let lines = script.lines().filter(|line| !line.trim_start().starts_with('#'));
    let behind = lines.filter_map(|line| line.split_once("cargo run ")?.1.split_once("-- "));
    let ends = |word: &&str| !["|", "&&", ">", ">>"].contains(word);
    behind.map(|(_, rest)| rest.split_whitespace().take_while(ends).map(str::to_owned).collect()).collect()
}

fn help(name: &str) -> Option<String> {
    let output = command(ONEFOLD).args([name, "--help"]).output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn every_command_of_the_workflows_is_one_of_the_program() {
    let mut seen = Vec::new();
    for path in scripts() {
        for words in commands(&fs::read_to_string(&path).unwrap()) {
            let (name, arguments) = words.split_first().unwrap();
            seen.push(name.clone());
            let help = help(name).unwrap_or_else(|| panic!("{}: there is no command `{name}`", path.display()));
            for flag in arguments.iter().filter(|argument| argument.starts_with("--")) {
                assert!(help.contains(flag), "{}: `{name}` has no {flag}", path.display());
            }
        }
    }
    for name in ["changes", "deploy", "destroy"] {
        assert!(seen.iter().any(|seen| seen == name), "the workflows were read: {seen:?}");
    }
}
