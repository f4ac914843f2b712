//! The commands that continuous delivery runs and that the documents name, held against the program; and what
//! the documents point at, against the tree.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::{
    cargo::root,
    service::{command, testbed_program},
};

fn files(folder: &str) -> Vec<PathBuf> {
    fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Every file that continuous integration runs.
fn scripts() -> Vec<PathBuf> {
    [".ci", ".github/workflows"].into_iter().flat_map(files).collect()
}

/// What people read before they type.
fn documents() -> Vec<PathBuf> {
    [
        vec![root().join("README.md"), root().join("infra/README.md"), root().join("shared/infra/README.md")],
        files("docs"),
    ]
    .concat()
}

/// What stands behind `cargo run … --`, up to the end of the command. Other programs than the service's own, which
/// are named in between, do not count.
fn commands(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("# "));
    let behind = lines.flat_map(|line| line.split("cargo run ").skip(1));
    let ends = ['|', '&', '>', ';', '`', ')', '#'];
    behind
        .map(|rest| rest.split(ends).next().unwrap())
        .filter(|rest| !rest.contains("--example ") && !rest.contains("-p "))
        .filter_map(|rest| rest.split_once("-- "))
        .map(|(_, rest)| rest.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .filter(|words| !words.is_empty())
        .collect()
}

/// What the program says of a command, or of itself when only flags are given.
fn help(name: &str) -> Option<String> {
    let name = Some(name).filter(|name| !name.starts_with("--"));
    let output = command(testbed_program()).args(name).arg("--help").output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// Holds all commands of these files against the program; answers which there are.
fn check_commands(paths: &[PathBuf]) -> Vec<String> {
    let mut seen = Vec::new();
    for path in paths {
        for words in commands(&fs::read_to_string(path).unwrap()) {
            let name = &words[0];
            seen.push(name.clone());
            let help = help(name).unwrap_or_else(|| panic!("{}: there is no command `{name}`", path.display()));
            let known: Vec<_> = help.split(|letter: char| !letter.is_alphanumeric() && letter != '-').collect();
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                assert!(known.contains(&flag.as_str()), "{}: `{name}` has no {flag}", path.display());
            }
        }
    }
    seen
}

#[test]
fn every_command_of_the_workflows_is_one_of_the_program() {
    let seen = check_commands(&scripts());
    for name in ["diff", "deploy", "destroy"] {
        assert!(seen.iter().any(|seen| seen == name), "the workflows were read: {seen:?}");
    }
}

#[test]
fn every_command_of_the_documents_is_one_of_the_program() {
    let seen = check_commands(&documents());
    for name in ["--port", "token", "keys", "deploy", "logs", "destroy", "diff", "release"] {
        assert!(seen.iter().any(|seen| seen == name), "the documents were read: {seen:?}");
    }
}

/// Where a document's links lead, without those to other sites.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
    targets.filter(|target| !target.contains("://"))
}

/// The repository's paths that stand in backticks: with a slash, and with an ending that says what kind of file. What
/// begins with a slash is an address of the service.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|quoted| {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-".contains(letter);
        let (folder, name) = quoted.rsplit_once('/').unwrap_or_default();
        !folder.is_empty()
            // Nor a path of the service, such as `/.well-known/jwks.json`.
            && !folder.starts_with(['.', '/'])
            && Path::new(name).extension().is_some()
            && quoted.chars().all(plain)
    })
}

/// How GitHub names the section under a heading.
fn anchor(heading: &str) -> String {
    let letters = heading.trim_start_matches('#').trim().to_lowercase();
    letters
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
        .collect::<String>()
        .replace(' ', "-")
}

#[test]
fn every_link_and_path_of_the_documents_leads_somewhere() {
    let mut seen = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for link in links(&text) {
            let (path, section) = link.split_once('#').map_or((link, None), |(path, section)| (path, Some(section)));
            let target = if path.is_empty() { document.clone() } else { document.parent().unwrap().join(path) };
            assert!(target.exists(), "{}: there is no {link}", document.display());
            if let Some(section) = section {
                let text = fs::read_to_string(&target).unwrap();
                let found = text.lines().any(|line| line.starts_with('#') && anchor(line) == section);
                assert!(found, "{}: there is no section {link}", document.display());
            }
            seen += 1;
        }
    }
    for document in files("docs") {
        let text = fs::read_to_string(&document).unwrap();
        // Fenced blocks have three backticks, which leave the count of single ones even.
        for path in paths(&text) {
            assert!(root().join(path).exists(), "{}: there is no {path}", document.display());
            seen += 1;
        }
    }
    assert!(seen > 50, "the documents were read: {seen}");
}
