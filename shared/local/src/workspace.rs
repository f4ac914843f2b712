//! Where the tree is that a command works on: a program may be started anywhere.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use protocol::Cause;

/// What the tree of a service has and others have not: the package whose binaries are the functions.
const MARK: &str = "functions/Cargo.toml";

/// The workspace's folder, where `regen` writes, `--isolated` builds and data is kept: the one around the package that
/// cargo says it runs; else around the current folder.
///
/// # Errors
/// When there is none.
pub fn root() -> Result<PathBuf, Cause> {
    let start = match env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => env::current_dir().map_err(|error| format!("the current folder is not there: {error}"))?,
    };
    around(&start).map(Path::to_owned).ok_or_else(|| {
        format!(
            "there is no workspace of a service at {} or above (a Cargo.toml with [workspace], and functions/): go into \
             one, and run the command there",
            start.display()
        )
        .into()
    })
}

fn around(folder: &Path) -> Option<&Path> {
    let is_workspace = |manifest: String| manifest.lines().any(|line| line.trim() == "[workspace]");
    folder.ancestors().find(|folder| {
        folder.join(MARK).is_file() && fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(is_workspace)
    })
}

/// What a command needs of the workspace, such as `infra/`; `otherwise` says what to do where it is missing.
///
/// # Errors
/// When it is not there.
pub fn part(root: &Path, name: &str, otherwise: &str) -> Result<PathBuf, Cause> {
    let path = root.join(name);
    match path.try_exists() {
        Ok(true) => Ok(path),
        Ok(false) => Err(format!("there is no {name} in {}: {otherwise}", root.display()).into()),
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_of_something_else_is_none() {
        let tree = env::temp_dir().join(format!("onefold-workspace-{}", uuid::Uuid::new_v4()));
        let inner = tree.join("service/functions/src");
        fs::create_dir_all(&inner).unwrap();
        fs::write(tree.join("Cargo.toml"), "[workspace]\n").unwrap();
        fs::write(tree.join("service/Cargo.toml"), "[package]\nname = \"x\"\n\n[workspace]\n").unwrap();
        assert_eq!(around(&inner), None);
        fs::write(tree.join("service").join(MARK), "").unwrap();
        assert_eq!(around(&inner), Some(&*tree.join("service")));
        assert_eq!(around(&tree), None);
        fs::remove_dir_all(tree).unwrap();
    }
}
