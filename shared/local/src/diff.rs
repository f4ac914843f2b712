//! `diff` and `release`: the changes of this tree's contract since an older one, and the record of the released
//! contract.

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

/// The file of the released contract, beside the generated ones.
const RELEASED: &str = "released.json";
/// The exit code of `diff` when the contracts could not be compared; 1 means that clients break.
const NOT_COMPARED: u8 = 2;

/// Prints the report on what changed since an older contract, by default the released one. It fails when the older
/// one's clients break, unless `report_only` is set.
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

/// Makes the contract of this tree the released one, and prints what that means for clients of the previous one.
///
/// # Errors
/// When the contract cannot be read, or the released one cannot be written.
pub fn release(tree: &Tree) -> Result<ExitCode, Cause> {
    let released = tree.root.join(released(tree));
    if released.exists() {
        print!("{}", markdown(&against(tree, &released)?));
    }
    let contract = contract(tree)?;
    against(tree, &contract)
        .map_err(|cause| format!("nothing was released: {cause}; `cargo regen` writes the contract"))?;
    fs::copy(&contract, &released).map_err(at(&released))?;
    Ok(ExitCode::SUCCESS)
}

/// The path of this tree's contract.
fn contract(tree: &Tree) -> Result<PathBuf, Cause> {
    workspace::part(&tree.root, codegen::contract_path(&tree.layout), "`cargo regen` writes it")
}

/// The path of the released contract, relative to the workspace's folder.
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

    /// A contract with these queries, which have no input.
    fn with(procedures: &[&str]) -> String {
        let procedure = |name: &&str| serde_json::json!({"name": name, "kind": "query", "auth": {"type": "public"}});
        let procedures: Vec<Value> = procedures.iter().map(procedure).collect();
        serde_json::json!({"format": 1, "service": "things", "procedures": procedures}).to_string()
    }

    /// The file of a contract with one procedure more than the tree's.
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
