//! `changes`: what the contract of this tree says otherwise than another one.

use std::{fs, path::Path, process::ExitCode};

use codegen::changes::{Effect, compare, markdown};
use protocol::Cause;
use serde_json::Value;

/// Where the contract is, from the workspace's root.
const CONTRACT: &str = "bindings/contract.json";

/// Prints the report. It fails on breaking changes when that was asked for.
///
/// # Errors
/// When one of the files cannot be read, or is no contract.
pub fn run(root: &Path, against: &Path, fail_on_breaking: bool) -> Result<ExitCode, Cause> {
    let changes = compare(&read(against)?, &read(&root.join(CONTRACT))?)?;
    print!("{}", markdown(&changes));
    let is_breaking = changes.iter().any(|change| change.effect == Effect::Breaking);
    Ok(if fail_on_breaking && is_breaking { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn read(path: &Path) -> Result<Value, Cause> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("{} is not JSON: {error}", path.display()))?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// A contract that has one procedure more than the tree's.
    fn with_one_more(name: &str) -> PathBuf {
        let mut contract = read(&root().join(CONTRACT)).unwrap();
        contract["procedures"].as_array_mut().unwrap().push(serde_json::json!({"name": "users.greet"}));
        let path = std::env::temp_dir().join(format!("onefold-changes-{}-{name}.json", std::process::id()));
        fs::write(&path, contract.to_string()).unwrap();
        path
    }

    #[test]
    fn breaking_changes_fail_only_when_asked() {
        let old = with_one_more("fail");
        assert_eq!(run(&root(), &old, false).unwrap(), ExitCode::SUCCESS);
        assert_eq!(run(&root(), &old, true).unwrap(), ExitCode::FAILURE);
        assert_eq!(run(&root(), &root().join(CONTRACT), true).unwrap(), ExitCode::SUCCESS);
        fs::remove_file(old).unwrap();
    }

    #[test]
    fn a_file_that_is_no_contract_is_named() {
        let fault = |path: &str| run(&root(), &root().join(path), false).unwrap_err().to_string();
        assert!(fault("nowhere.json").contains("nowhere.json"));
        assert!(fault("README.md").contains("README.md is not JSON"));
        assert!(fault("infra/package.json").contains("the old contract states no `format`"));
    }
}
