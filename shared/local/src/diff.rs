//! `diff` and `release`: what the contract of this tree says otherwise than an older one, and which one clients have.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use codegen::changes::{Change, compare, is_breaking, markdown};
use protocol::Cause;
use runtime::Definition;
use serde_json::Value;

use crate::{
    data::at,
    workspace::{self, Tree},
};

/// The contract of the last release, beside what is generated.
const RELEASED: &str = "released.json";
/// What `diff` answers when something could not be compared; 1 says that clients break.
const NOT_COMPARED: u8 = 2;

/// Prints the report on what changed since an older contract, that of the last release if there is none. It fails when
/// callers of that break, unless only the report is asked for.
pub fn run(definition: &Definition, old: Option<&Path>, report_only: bool) -> ExitCode {
    match workspace::tree(definition) {
        Ok(tree) => report(&tree, old, report_only),
        Err(cause) => not_compared(&cause),
    }
}

fn report(tree: &Tree, old: Option<&Path>, report_only: bool) -> ExitCode {
    match since(tree, old) {
        Ok(changes) => {
            print!("{}", markdown(&changes));
            if is_breaking(&changes) && !report_only { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(cause) => not_compared(&cause),
    }
}

fn not_compared(cause: &Cause) -> ExitCode {
    eprintln!("onefold: {cause}");
    NOT_COMPARED.into()
}

/// Makes the contract of this tree the released one, and prints what that means for callers of the one before.
///
/// # Errors
/// When the contract cannot be read, or the released one cannot be written.
pub fn release(tree: &Tree) -> Result<ExitCode, Cause> {
    let released = tree.root.join(released(tree));
    if released.exists() {
        print!("{}", markdown(&against(tree, &released)?));
    }
    fs::copy(contract(tree)?, &released).map_err(at(&released))?;
    Ok(ExitCode::SUCCESS)
}

/// The contract of this tree.
fn contract(tree: &Tree) -> Result<PathBuf, Cause> {
    workspace::part(&tree.root, codegen::contract_path(&tree.layout), "`cargo regen` writes it")
}

/// Where that of the last release is, from the workspace's folder.
fn released(tree: &Tree) -> PathBuf {
    Path::new(tree.layout.bindings).join(RELEASED)
}

fn since(tree: &Tree, old: Option<&Path>) -> Result<Vec<Change>, Cause> {
    match old {
        Some(old) => against(tree, old),
        None => {
            let otherwise = "`cargo run -- release` makes this contract the released one";
            against(tree, &workspace::part(&tree.root, released(tree), otherwise)?)
        }
    }
}

fn against(tree: &Tree, old: &Path) -> Result<Vec<Change>, Cause> {
    Ok(compare(&read(old)?, &read(&contract(tree)?)?)?)
}

fn read(path: &Path) -> Result<Value, Cause> {
    let text = fs::read_to_string(path).map_err(at(path))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("{} is not JSON: {error}", path.display()))?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use protocol::Layout;

    use super::*;

    const LAYOUT: Layout = Layout { bindings: "prints", packages: None };

    /// A tree that has the contract of a service with one procedure, and nothing else.
    fn tree(name: &str) -> Tree {
        let root = std::env::temp_dir().join(format!("onefold-diff-{}-{name}", std::process::id()));
        let tree = Tree { root, layout: LAYOUT };
        fs::create_dir_all(tree.root.join("prints")).unwrap();
        fs::write(tree.root.join("prints/contract.json"), with(&["things.get"])).unwrap();
        tree
    }

    /// A contract of queries without input.
    fn with(procedures: &[&str]) -> String {
        let procedure = |name: &&str| serde_json::json!({"name": name, "kind": "query", "auth": {"type": "public"}});
        let procedures: Vec<Value> = procedures.iter().map(procedure).collect();
        serde_json::json!({"format": 1, "service": "things", "procedures": procedures}).to_string()
    }

    /// A contract that has one procedure more than the tree's.
    fn with_one_more(tree: &Tree) -> PathBuf {
        let path = tree.root.join("old.json");
        fs::write(&path, with(&["things.get", "things.greet"])).unwrap();
        path
    }

    #[test]
    fn breaking_changes_fail_unless_only_the_report_is_asked_for() {
        let tree = tree("fail");
        let old = with_one_more(&tree);
        assert_eq!(report(&tree, Some(&old), true), ExitCode::SUCCESS);
        assert_eq!(report(&tree, Some(&old), false), ExitCode::FAILURE);
        assert_eq!(report(&tree, Some(&contract(&tree).unwrap()), false), ExitCode::SUCCESS);
        fs::remove_dir_all(tree.root).unwrap();
    }

    #[test]
    fn a_file_that_is_no_contract_is_named_and_is_no_break() {
        let tree = tree("no contract");
        for (name, text) in [("README.md", "# Things\n"), ("package.json", "{}")] {
            fs::write(tree.root.join(name), text).unwrap();
        }
        let fault = |path: &str| against(&tree, &tree.root.join(path)).unwrap_err().to_string();
        assert!(fault("nowhere.json").contains("nowhere.json"));
        assert!(fault("README.md").contains("README.md is not JSON"));
        assert!(fault("package.json").contains("the old contract states no `format`"));
        let nowhere = tree.root.join("nowhere.json");
        assert_eq!(report(&tree, Some(&nowhere), false), ExitCode::from(NOT_COMPARED));
        assert_eq!(report(&tree, Some(&nowhere), true), ExitCode::from(NOT_COMPARED));
        fs::remove_dir_all(tree.root).unwrap();
    }

    #[test]
    fn a_release_is_what_is_compared_with_from_then_on() {
        let tree = tree("release");
        let released = tree.root.join(released(&tree));
        assert_eq!(report(&tree, None, false), ExitCode::from(NOT_COMPARED), "there was no release");
        assert_eq!(release(&tree).unwrap(), ExitCode::SUCCESS);
        assert_eq!(fs::read(&released).unwrap(), fs::read(contract(&tree).unwrap()).unwrap());
        fs::rename(with_one_more(&tree), &released).unwrap();
        assert_eq!(report(&tree, None, false), ExitCode::FAILURE);
        assert_eq!(release(&tree).unwrap(), ExitCode::SUCCESS, "a break is released when it is meant");
        assert_eq!(report(&tree, None, false), ExitCode::SUCCESS);
        fs::remove_dir_all(tree.root).unwrap();
    }
}
