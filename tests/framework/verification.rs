//! `docs/security.md`, held against the tree: its table has every requirement of the standard, and each test that the page
//! names is there.

use std::{collections::BTreeMap, fs, path::Path};

use crate::support::cargo::root;

/// Where tests are, with what is not looked into.
const ROOMS: [&str; 4] = ["tests", "shared", "functions", "examples"];
const NOT_OURS: [&str; 3] = ["node_modules", "target", ".venv"];
/// What a row may say.
const STATES: [&str; 5] = ["held", "by design", "none here", "yours", "**open**"];

/// One row of a table whose last column says by what it is tested.
struct Row {
    /// Whether it is about requirements of the standard; else it is about what may be tried.
    is_of_standard: bool,
    cells: [String; 3],
    /// Files, by as much of their paths as tells them from others, and the tests in them.
    tests: Vec<(String, String)>,
}

impl Row {
    fn requirements(&self) -> Vec<String> {
        self.cells[0].split(", ").map(str::to_owned).collect()
    }
}

fn rows(text: &str) -> Vec<Row> {
    let mut head = None;
    let mut rows = Vec::new();
    for line in text.lines() {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        match (<[&str; 4]>::try_from(cells), head) {
            (Ok([first, _, _, "tested by"]), None) => head = Some(first),
            (Ok([first, second, third, tests]), Some(head)) if !first.starts_with("---") => {
                let quoted = tests.split('`').skip(1).step_by(2);
                let tests =
                    quoted.map(|quoted| quoted.split_once(": ").unwrap_or_else(|| panic!("{quoted} is no file: test")));
                rows.push(Row {
                    is_of_standard: head == "requirement",
                    cells: [first, second, third].map(str::to_owned),
                    tests: tests.map(|(file, test)| (file.to_owned(), test.to_owned())).collect(),
                });
            }
            (_, Some(_)) if !line.starts_with('|') => head = None,
            _ => {}
        }
    }
    rows
}

/// How many tests in a file are called so, and are run. Those of Rust and Python are by their names, those of Node by their titles, of
/// which a part is enough.
fn count(path: &str, text: &str, test: &str) -> usize {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    if path.ends_with(".rs") {
        let is_marked = |place: usize| {
            let above = lines[..place].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
            let begins = |begin: &str| above.clone().any(|line| line.starts_with(begin));
            (begins("#[test]") || begins("#[tokio::test")) && !begins("#[ignore")
        };
        let begins = [format!("fn {test}("), format!("async fn {test}(")];
        let places = (0..lines.len()).filter(|&place| begins.iter().any(|begin| lines[place].starts_with(&**begin)));
        places.filter(|&place| is_marked(place)).count()
    } else if path.ends_with(".py") {
        let begins = [format!("def {test}("), format!("async def {test}(")];
        let is_one = |line: &&&str| test.starts_with("test_") && begins.iter().any(|begin| line.starts_with(&**begin));
        lines.iter().filter(is_one).count()
    } else {
        let title = |line: &&str| ["test(", "it("].iter().find_map(|begin| line.strip_prefix(begin).map(str::to_owned));
        lines.iter().filter_map(title).filter(|title| title.contains(test)).count()
    }
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
    let of_standard = rows(&page()).into_iter().filter(|row| row.is_of_standard);
    let mut judged: Vec<_> = of_standard.flat_map(|row| row.requirements()).collect();
    wanted.sort();
    judged.sort();
    assert_eq!(judged, wanted);
}

#[test]
fn what_is_held_is_held_by_a_test_that_is_there() {
    let files = files();
    let (standard, tried): (Vec<_>, Vec<_>) = rows(&page()).into_iter().partition(|row| row.is_of_standard);
    for Row { cells: [which, state, how], tests, .. } in &standard {
        assert!(STATES.contains(&state.as_str()), "{which}: {state} is no state");
        // A rule about documents is held by a document, and that links lead somewhere is a test of its own.
        assert!(state != "held" || !tests.is_empty() || how.contains("]("), "{which}: no test is named");
    }
    assert!(tried.len() > 15, "what may be tried is a table");
    for Row { cells: [_, what, _], tests, .. } in &tried {
        assert!(!tests.is_empty(), "{what}: no test is named");
    }
    for Row { cells, tests, .. } in standard.iter().chain(&tried) {
        for (file, test) in tests {
            let ends = format!("/{file}");
            let own = files.iter().filter(|(path, _)| path.ends_with(&ends));
            let count: usize = own.map(|(path, text)| count(path, text, test)).sum();
            assert_eq!(count, 1, "{}: so many tests are `{file}: {test}`", cells[..2].join(", "));
        }
    }
}

#[test]
fn a_function_is_a_test_if_it_is_marked_as_one() {
    let rust = "#[test]\nfn one() {}\n#[tokio::test]\nasync fn two() {}\nfn three() {}\n#[test]\n#[ignore]\nfn left_out() {}\nfn call() { one(); }";
    let tests = ["one", "two", "three", "left_out", "call", "on"].map(|test| count("a.rs", rust, test));
    assert_eq!(tests, [1, 1, 0, 0, 0, 0]);
    let python = "def test_one(a):\n    pass\ndef helper():\n    test_two()";
    assert_eq!(["test_one", "helper", "test_two"].map(|test| count("a.py", python, test)), [1, 0, 0]);
    let node = "describe(\"a door\", () => {\n  it(\"is shut, but for its owner\", () => {});\n  // is open\n});";
    assert_eq!(["is shut", "is open", "a door"].map(|test| count("a.test.ts", node, test)), [1, 0, 0]);
}
