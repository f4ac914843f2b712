//! File permissions of a data folder: nobody but its owner may read it.
//!
//! A folder that was made by hand before the first start may be readable by all users of the machine. This module
//! removes such permissions, and says so. It leaves foreign files alone: a folder that also holds other things is
//! refused instead of changed. So is a link in the folder that leads to something readable: the target may belong to
//! another user, and is neither changed nor read.

use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use protocol::Cause;

use super::at;

/// The permission bits of the group and of other users.
const OTHER_USERS: u32 = 0o077;
/// The depth of folders in a data folder.
const MAX_DEPTH: usize = 3;

/// Removes other users' permissions on the folder and on what the service keeps in it.
///
/// # Errors
/// When such a permission cannot be removed, or the files are foreign.
pub(super) fn close_to_others(folder: &Path) -> Result<(), Cause> {
    // The folder itself may be reached by a link: that is what the caller asked for.
    let folder = &fs::canonicalize(folder).map_err(at(folder))?;
    let mut closed = Vec::new();
    if is_open(folder)? {
        if let Some(other) = entries(folder)?.iter().find(|path| !is_service_file(path)) {
            let (shown, other) = (folder.display(), other.display());
            return Err(format!(
                "other users may read the data folder {shown}, and it holds more than a service's data, such as {other}: \
                 close it (chmod 700 {shown}), or choose another one with --data DIR"
            )
            .into());
        }
        close_one(folder, &mut closed)?;
    }
    for path in entries(folder)?.iter().filter(|path| is_service_file(path)) {
        close_all(path, MAX_DEPTH, &mut closed)?;
    }
    match closed.as_slice() {
        [] => {}
        [first, others @ ..] => {
            let others = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
            eprintln!("onefold: other users could read {}{others}; now only its owner can", first.display());
        }
    }
    Ok(())
}

/// Whether a file is one of the service's, or of the person who set it up.
fn is_service_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Earlier versions wrote `service.json`.
    let known = [
        "config",
        "cursor.key",
        "functions.env",
        "lock",
        "mail",
        "running",
        "secrets",
        "service.json",
        "signing.key",
        "stages",
    ];
    known.contains(&&*name) || name.starts_with("database.sqlite") || name.contains(".draft-")
}

fn close_all(path: &Path, depth: usize, closed: &mut Vec<PathBuf>) -> Result<(), Cause> {
    if path.is_symlink() {
        return expect_closed(path);
    }
    if is_open(path)? {
        close_one(path, closed)?;
    }
    if depth > 0 && path.is_dir() {
        for inner in entries(path)? {
            close_all(&inner, depth - 1, closed)?;
        }
    }
    Ok(())
}

fn close_one(path: &Path, closed: &mut Vec<PathBuf>) -> Result<(), Cause> {
    let mode = if path.is_dir() { 0o700 } else { 0o600 };
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(|error| {
        let path = path.display();
        format!("other users may read {path}, and this cannot be changed: {error}; close it: chmod go-rwx {path}")
    })?;
    closed.push(path.to_owned());
    Ok(())
}

/// Checks that a link's target is closed to other users.
fn expect_closed(link: &Path) -> Result<(), Cause> {
    if !is_open(link)? {
        return Ok(());
    }
    let shown = link.display();
    Err(format!(
        "{shown} is a link to what other users may read: close that (chmod go-rwx {shown}), or put it there itself"
    )
    .into())
}

/// Whether other users have any permission on a file, or on a link's target. A missing file has none.
fn is_open(path: &Path) -> Result<bool, Cause> {
    match fs::metadata(path) {
        Ok(found) => Ok(found.permissions().mode() & OTHER_USERS != 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at(path)(error)),
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Cause> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    entries.map_err(at(folder))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let path = std::env::temp_dir().join(format!("onefold-privacy-{}", uuid::Uuid::new_v4()));
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn create(&self, name: &str, mode: u32) {
            let path = self.0.join(name);
            if name.is_empty() || name.ends_with('/') {
                fs::create_dir_all(&path).unwrap();
            } else {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, "secret").unwrap();
            }
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }

        fn mode(&self, name: &str) -> u32 {
            fs::metadata(self.0.join(name)).unwrap().permissions().mode() & 0o777
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_others_may_read_is_closed() {
        let folder = Folder::new();
        for name in ["database.sqlite", "database.sqlite-wal", "database.sqlite-shm", "signing.key", "mail/1.eml"] {
            folder.create(name, 0o644);
        }
        folder.create("secrets/identity-providers.json", 0o664);
        folder.create("stages/dev/signing.key", 0o640);
        for open in ["secrets/", "stages/", "stages/dev/", "mail/", ""] {
            folder.create(open, 0o755);
        }
        close_to_others(&folder.0).unwrap();
        for name in ["database.sqlite", "database.sqlite-wal", "database.sqlite-shm", "signing.key", "mail/1.eml"] {
            assert_eq!(folder.mode(name), 0o600, "{name}");
        }
        assert_eq!(folder.mode("secrets/identity-providers.json"), 0o600);
        assert_eq!(folder.mode("stages/dev/signing.key"), 0o600);
        for name in ["", "secrets", "stages", "stages/dev", "mail"] {
            assert_eq!(folder.mode(name), 0o700, "{name}");
        }
    }

    #[test]
    fn what_a_link_leads_to_is_neither_changed_nor_looked_into() {
        let (folder, elsewhere) = (Folder::new(), Folder::new());
        folder.create("", 0o700);
        elsewhere.create("mail/1.eml", 0o644);
        elsewhere.create("identity-providers.json", 0o644);
        let link = |target: &str, name: &str| {
            fs::create_dir_all(folder.0.join(name).parent().unwrap()).unwrap();
            symlink(elsewhere.0.join(target), folder.0.join(name)).unwrap();
        };
        link("mail", "mail");
        link("identity-providers.json", "secrets/identity-providers.json");
        for (open, closed) in [("mail", 0o700), ("identity-providers.json", 0o600)] {
            let refused = close_to_others(&folder.0).unwrap_err().to_string();
            assert!(refused.contains(open) && refused.contains("chmod"), "{refused}");
            assert_ne!(elsewhere.mode(open) & OTHER_USERS, 0, "{open}");
            fs::set_permissions(elsewhere.0.join(open), Permissions::from_mode(closed)).unwrap();
        }
        // A target that its owner closed is accepted; so is a missing one.
        link("nothing", "signing.key");
        close_to_others(&folder.0).unwrap();
        assert_eq!(elsewhere.mode("mail/1.eml"), 0o644);
    }

    #[test]
    fn a_folder_that_a_link_leads_to_is_the_folder_that_was_asked_for() {
        let (folder, elsewhere) = (Folder::new(), Folder::new());
        folder.create("signing.key", 0o644);
        folder.create("", 0o755);
        symlink(&folder.0, elsewhere.0.join("data")).unwrap();
        close_to_others(&elsewhere.0.join("data")).unwrap();
        assert_eq!((folder.mode(""), folder.mode("signing.key")), (0o700, 0o600));
    }

    #[test]
    fn a_folder_of_other_things_is_not_closed_but_refused() {
        let folder = Folder::new();
        folder.create("database.sqlite", 0o644);
        folder.create("thesis.txt", 0o644);
        folder.create("", 0o755);
        let refused = close_to_others(&folder.0).unwrap_err().to_string();
        assert!(refused.contains("thesis.txt") && refused.contains("chmod 700"), "{refused}");
        assert_eq!((folder.mode(""), folder.mode("database.sqlite")), (0o755, 0o644));
        // A folder that its owner closed is accepted, and foreign files stay as they are.
        folder.create("", 0o700);
        close_to_others(&folder.0).unwrap();
        assert_eq!((folder.mode("thesis.txt"), folder.mode("database.sqlite")), (0o644, 0o600));
    }
}
