//! `diff` and `release`: what the contract of this tree says otherwise than an older one, and which one clients have.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use codegen::changes::{Change, compare, is_breaking, markdown};
use protocol::Cause;
use serde_json::Value;

use crate::{data::at, workspace};

/// Where the contract is, from the workspace's root.
const CONTRACT: &str = "bindings/contract.json";
/// Where the contract of the last release is kept.
pub const RELEASED: &str = "bindings/released.json";
/// What `diff` answers when something could not be compared; 1 says that clients break.
const NOT_COMPARED: u8 = 2;

/// Prints the report on what changed since an older contract, that of the last release if there is none. It fails when
/// callers of that break, unless only the report is asked for.
pub fn run(old: Option<&Path>, report_only: bool) -> ExitCode {
    match workspace::root() {
        Ok(root) => report(&root, old, report_only),
        Err(cause) => not_compared(&cause),
    }
}

fn report(root: &Path, old: Option<&Path>, report_only: bool) -> ExitCode {
    match since(root, old) {
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
pub fn release(root: &Path) -> Result<ExitCode, Cause> {
    let released = root.join(RELEASED);
    if released.exists() {
        print!("{}", markdown(&against(root, &released)?));
    }
    fs::copy(contract(root)?, &released).map_err(at(&released))?;
    Ok(ExitCode::SUCCESS)
}

/// The contract of this tree.
fn contract(root: &Path) -> Result<PathBuf, Cause> {
    workspace::part(root, CONTRACT, "`cargo regen` writes it")
}

fn since(root: &Path, old: Option<&Path>) -> Result<Vec<Change>, Cause> {
    match old {
        Some(old) => against(root, old),
        None => against(
            root,
            &workspace::part(root, RELEASED, "`cargo run -- release` makes this contract the released one")?,
        ),
    }
}

fn against(root: &Path, old: &Path) -> Result<Vec<Change>, Cause> {
    Ok(compare(&read(old)?, &read(&contract(root)?)?)?)
}

fn read(path: &Path) -> Result<Value, Cause> {
    let text = fs::read_to_string(path).map_err(at(path))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("{} is not JSON: {error}", path.display()))?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// A tree that has the contract and nothing else.
    fn tree(name: &str) -> PathBuf {
        let tree = std::env::temp_dir().join(format!("onefold-diff-{}-{name}", std::process::id()));
        fs::create_dir_all(tree.join("bindings")).unwrap();
        fs::copy(root().join(CONTRACT), tree.join(CONTRACT)).unwrap();
        tree
    }

    /// A contract that has one procedure more than the tree's.
    fn with_one_more(tree: &Path) -> PathBuf {
        let mut contract = read(&tree.join(CONTRACT)).unwrap();
        contract["procedures"].as_array_mut().unwrap().push(serde_json::json!({"name": "users.greet"}));
        let path = tree.join("old.json");
        fs::write(&path, contract.to_string()).unwrap();
        path
    }

    #[test]
    fn breaking_changes_fail_unless_only_the_report_is_asked_for() {
        let tree = tree("fail");
        let old = with_one_more(&tree);
        assert_eq!(report(&tree, Some(&old), true), ExitCode::SUCCESS);
        assert_eq!(report(&tree, Some(&old), false), ExitCode::FAILURE);
        assert_eq!(report(&tree, Some(&tree.join(CONTRACT)), false), ExitCode::SUCCESS);
        fs::remove_dir_all(tree).unwrap();
    }

    #[test]
    fn a_file_that_is_no_contract_is_named_and_is_no_break() {
        let fault = |path: &str| against(&root(), &root().join(path)).unwrap_err().to_string();
        assert!(fault("nowhere.json").contains("nowhere.json"));
        assert!(fault("README.md").contains("README.md is not JSON"));
        assert!(fault("infra/package.json").contains("the old contract states no `format`"));
        assert_eq!(report(&root(), Some(&root().join("nowhere.json")), false), ExitCode::from(NOT_COMPARED));
        assert_eq!(report(&root(), Some(&root().join("nowhere.json")), true), ExitCode::from(NOT_COMPARED));
    }

    #[test]
    fn a_release_is_what_is_compared_with_from_then_on() {
        let tree = tree("release");
        let released = tree.join(RELEASED);
        assert_eq!(report(&tree, Some(&released), false), ExitCode::from(NOT_COMPARED), "there was no release");
        assert_eq!(release(&tree).unwrap(), ExitCode::SUCCESS);
        assert_eq!(fs::read(&released).unwrap(), fs::read(tree.join(CONTRACT)).unwrap());
        fs::rename(with_one_more(&tree), &released).unwrap();
        assert_eq!(report(&tree, Some(&released), false), ExitCode::FAILURE);
        assert_eq!(release(&tree).unwrap(), ExitCode::SUCCESS, "a break is released when it is meant");
        assert_eq!(report(&tree, Some(&released), false), ExitCode::SUCCESS);
        fs::remove_dir_all(tree).unwrap();
    }
}
