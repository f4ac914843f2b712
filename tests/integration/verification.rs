//! `docs/security.md`, held against the tree: its table has every requirement of the standard, and each test that it
//! names is there.

use std::{collections::BTreeMap, fs, path::Path};

use crate::given::cargo::root;

/// Where tests are, with what is not looked into.
const ROOMS: [&str; 5] = ["tests", "shared", "functions", "infra/test", "examples"];
const NOT_OURS: [&str; 3] = ["node_modules", "target", ".venv"];
/// What a row may say.
const STATES: [&str; 5] = ["held", "by design", "none here", "yours", "**open**"];

/// One row of the table.
struct Row {
    requirements: Vec<String>,
    state: String,
    how: String,
    /// Files and the tests in them.
    tests: Vec<(String, String)>,
}

fn rows(text: &str) -> Vec<Row> {
    let tables = text.split("## ASVS").nth(1).expect("the page has a section of the standard");
    let lines =
        tables.lines().filter(|line| line.starts_with("| ") && line.contains(|letter: char| letter.is_ascii_digit()));
    let rows = lines.filter_map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [requirements, state, how, tests] = cells[..] else { return None };
        let quoted = tests.split('`').skip(1).step_by(2);
        let tests = quoted.filter_map(|quoted| quoted.split_once(": "));
        Some(Row {
            requirements: requirements.split(", ").map(str::to_owned).collect(),
            state: state.to_owned(),
            how: how.to_owned(),
            tests: tests.map(|(file, test)| (file.to_owned(), test.to_owned())).collect(),
        })
    });
    rows.filter(|row| row.requirements[0].starts_with(|letter: char| letter.is_ascii_digit())).collect()
}

fn page() -> String {
    fs::read_to_string(root().join("docs/security.md")).unwrap()
}

/// All files in which tests are, by their paths.
fn files() -> BTreeMap<String, String> {
    fn walk(folder: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !NOT_OURS.contains(&name.as_str()) {
                walk(&path, found);
            } else if [".rs", ".ts", ".py"].iter().any(|ending| name.ends_with(ending)) {
                found.insert(path.to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    for room in ROOMS {
        walk(&root().join(room), &mut found);
    }
    found
}

#[test]
fn every_requirement_of_the_standard_is_judged_once() {
    let standard = fs::read_to_string(root().join("tests/fixtures/asvs-5.0-level-2.txt")).unwrap();
    let standard = standard.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
    let mut wanted: Vec<_> = standard.map(str::to_owned).collect();
    let mut judged: Vec<_> = rows(&page()).into_iter().flat_map(|row| row.requirements).collect();
    wanted.sort();
    judged.sort();
    assert_eq!(judged, wanted);
}

#[test]
fn what_is_held_is_held_by_a_test_that_is_there() {
    let files = files();
    for Row { requirements, state, how, tests } in rows(&page()) {
        let which = requirements.join(", ");
        assert!(STATES.contains(&state.as_str()), "{which}: {state} is no state");
        // A rule about documents is held by a document, and that links lead somewhere is a test of its own.
        assert!(state != "held" || !tests.is_empty() || how.contains("]("), "{which}: no test is named");
        for (file, test) in tests {
            let wanted = if file.ends_with(".rs") { format!("fn {test}(") } else { test.clone() };
            let is_there =
                files.iter().any(|(path, text)| path.ends_with(&format!("/{file}")) && text.contains(&wanted));
            assert!(is_there, "{which}: there is no `{test}` in {file}");
        }
    }
}
