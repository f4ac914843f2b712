//! The notes of the services that run with a data folder. Each service writes one, and holds a lock on it.
//!
//! The system releases the lock when the process ends. So a note without a lock is stale, whatever listens at its
//! address by now, and its finder removes it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use protocol::Cause;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{at, create_folder};

/// The folder of the notes, inside the data folder.
const FOLDER: &str = "running";
/// The extension of a complete note.
const WHOLE: &str = "json";

/// How commands reach a running service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Running {
    /// The service's name.
    pub service: String,
    /// The process id.
    pub pid: u32,
    /// Its address: `http://127.0.0.1:9000`.
    pub url: String,
    /// Whether its table is in memory.
    pub ephemeral: bool,
    /// The database's address.
    pub database_endpoint: String,
    /// The administrator's access key id.
    pub access_key_id: String,
    /// The administrator's secret access key.
    pub secret_access_key: String,
}

impl Running {
    /// All services that run with a data folder: those whose table is stored there first, then in the order of their
    /// start. Empty if there is no such folder.
    ///
    /// # Errors
    /// When the notes cannot be read.
    pub fn all(data: &Path) -> Result<Vec<Self>, Cause> {
        let folder = data.join(FOLDER);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| {
                format!("{}: {error}; choose another data folder with --data DIR", folder.display())
            })?,
        };
        let mut notes: Vec<PathBuf> = Vec::new();
        for entry in entries {
            notes.push(entry.map_err(at(&folder))?.path());
        }
        notes.retain(|path| path.extension().is_some_and(|extension| extension == WHOLE));
        // The names begin with the time.
        notes.sort();
        let mut running = Vec::new();
        for path in notes {
            running.extend(read(&path)?);
        }
        running.sort_by_key(|service: &Self| service.ephemeral);
        Ok(running)
    }
}

/// Reads the note of a running service; none when the service has ended.
fn read(path: &Path) -> Result<Option<Running>, Cause> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(at(path))?,
    };
    // The lock is a shared one: of two readers, neither takes the other for the service.
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(at(path)(error)),
        Ok(()) => {
            // Another reader may have removed it.
            let _ = fs::remove_file(path);
            return Ok(None);
        }
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(at(path))?;
    Ok(Some(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?))
}

/// A running service's note. Dropping it removes it.
#[derive(Debug)]
pub struct Note {
    path: PathBuf,
    _locked: File,
}

impl Note {
    pub(super) fn leave(data: &Path, running: &Running) -> Result<Self, Cause> {
        let folder = data.join(FOLDER);
        create_folder(&folder)?;
        let name = Uuid::now_v7();
        let (draft, path) = (folder.join(name.to_string()), folder.join(format!("{name}.{WHOLE}")));
        let write = || {
            let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft)?;
            file.write_all(&serde_json::to_vec_pretty(running)?)?;
            file.sync_all()?;
            // A note is looked for under its final name only, so nobody finds it before it is locked.
            file.lock()?;
            fs::rename(&draft, &path)?;
            Ok(file)
        };
        let locked = write().map_err(at(&path))?;
        Ok(Self { path, _locked: locked })
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        // A note without its lock counts as removed.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(pid: u32, ephemeral: bool) -> Running {
        Running {
            service: "shop".to_owned(),
            pid,
            url: "http://127.0.0.1:9000".to_owned(),
            ephemeral,
            database_endpoint: "http://127.0.0.1:1".to_owned(),
            access_key_id: "key".to_owned(),
            secret_access_key: "secret".to_owned(),
        }
    }

    #[test]
    fn those_are_found_that_hold_their_notes() {
        let data = std::env::temp_dir().join(format!("onefold-running-{}", Uuid::new_v4()));
        let found = || Running::all(&data).unwrap().iter().map(|running| running.pid).collect::<Vec<_>>();
        assert!(found().is_empty(), "there is no folder yet");
        fs::create_dir(&data).unwrap();
        let first = Note::leave(&data, &service(1, true)).unwrap();
        let second = Note::leave(&data, &service(2, true)).unwrap();
        let kept = Note::leave(&data, &service(3, false)).unwrap();
        assert_eq!(found(), [3, 1, 2], "whose table is kept, then by age");
        assert_eq!(found(), [3, 1, 2], "looking changes nothing");
        drop(first);
        assert_eq!(found(), [3, 2]);
        // A killed process leaves its note behind, without a lock.
        let text = fs::read(&kept.path).unwrap();
        let left = data.join(FOLDER).join(format!("{}.{WHOLE}", Uuid::now_v7()));
        drop(kept);
        fs::write(&left, text).unwrap();
        assert_eq!(found(), [2]);
        assert!(!left.exists(), "it is removed");
        drop(second);
        assert_eq!(fs::read_dir(data.join(FOLDER)).unwrap().count(), 0);
        fs::remove_dir_all(data).unwrap();
    }
}
