//! Finds the workspace that a command works on: a program may be started in any folder.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use protocol::{Cause, Layout};
use runtime::Definition;

/// The files of a service.
pub struct Tree {
    /// The workspace's folder.
    pub root: PathBuf,
    /// The paths in it.
    pub layout: Layout,
}

/// Finds the files of a service.
///
/// # Errors
/// When the service states no layout, or its workspace is not found.
pub fn tree(definition: &Definition) -> Result<Tree, Cause> {
    let root = root(definition)?;
    let layout = definition.layout.ok_or_else(|| {
        format!(
            "the `Definition` of the service {} states no `layout`: it has no files in a workspace",
            definition.name
        )
    })?;
    Ok(Tree { root, layout })
}

/// The workspace's folder, where `regen` writes, `--isolated` builds and data is stored: the one around the package
/// that cargo runs; else around the current folder. It contains the service's functions, if the service states their
/// folder.
///
/// When there is none.
pub fn root(definition: &Definition) -> Result<PathBuf, Cause> {
    let functions = definition.layout.and_then(|layout| layout.packages).map(|packages| packages.functions.folder);
    let start = match env::var_os("CARGO_MANIFEST_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => env::current_dir().map_err(|error| format!("the current folder is not there: {error}"))?,
    };
    around(&start, functions).map(Path::to_owned).ok_or_else(|| {
        let functions = functions.map(|folder| format!(", and {folder}/")).unwrap_or_default();
        format!(
            "there is no workspace of a service at {} or above (a Cargo.toml with [workspace]{functions}): go into one, and \
             run the command there",
            start.display()
        )
        .into()
    })
}

fn around<'a>(folder: &'a Path, functions: Option<&str>) -> Option<&'a Path> {
    let is_workspace = |manifest: String| manifest.lines().any(|line| line.trim() == "[workspace]");
    folder.ancestors().find(|folder| {
        functions.is_none_or(|functions| folder.join(functions).join("Cargo.toml").is_file())
            && fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(is_workspace)
    })
}

/// A part of the workspace that a command needs, such as `infra/`; `otherwise` says what to do if it is missing.
///
/// # Errors
/// When it does not exist.
pub fn part(root: &Path, name: impl AsRef<Path>, otherwise: &str) -> Result<PathBuf, Cause> {
    let name = name.as_ref().display();
    let path = root.join(name.to_string());
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
        let inner = tree.join("service/procedures/src");
        fs::create_dir_all(&inner).unwrap();
        fs::write(tree.join("Cargo.toml"), "[workspace]\n").unwrap();
        fs::write(tree.join("service/Cargo.toml"), "[package]\nname = \"x\"\n\n[workspace]\n").unwrap();
        let of = Some("procedures");
        assert_eq!((around(&inner, of), around(&inner, None)), (None, Some(&*tree.join("service"))));
        fs::write(tree.join("service/procedures/Cargo.toml"), "").unwrap();
        assert_eq!(around(&inner, of), Some(&*tree.join("service")));
        assert_eq!((around(&tree, of), around(&tree, None)), (None, Some(&*tree)));
        fs::remove_dir_all(tree).unwrap();
    }
}
