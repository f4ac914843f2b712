//! The data folder: all state of a local service that outlives its process.
//!
//! ```text
//! .onefold/
//!   lock               held while a service runs
//!   database.sqlite    the table
//!   mail/              mails that were sent, one file each
//!   signing.key        signs tokens (PKCS #8)
//!   cursor.key         seals cursors
//!   secrets/           other secrets of the service, one JSON file each, such as identity-providers.json
//!   config/            members of configurations that have other values than the service's own, one JSON file each
//!   running/           how to reach each service that runs, one file each
//!   functions.env      what functions need that run outside of the service
//!   stages/dev/        the key that signs tokens for a deployed stage
//! ```
//!
//! Nobody but its owner reads any of it, see [`DataFolder::open`].

mod privacy;
mod running;

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use protocol::Cause;
use runtime::tokens::{SignerSettings, TokenSigner};

pub use self::running::{Note, Running};

/// The name of the key that signs this service's tokens.
const KID: &str = "local";

/// A data folder.
#[derive(Clone, Debug)]
pub struct DataFolder(PathBuf);

/// An exclusive lock on the folder; the system releases it when the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl DataFolder {
    /// Opens the folder, and creates it if it does not exist. It removes other users' permissions on its files, and
    /// says so on standard error.
    ///
    /// # Errors
    /// When it cannot be created; when other users' permissions cannot be removed, or the folder has foreign files as
    /// well.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Cause> {
        let path = path.into();
        create_folder(&path)?;
        privacy::close_to_others(&path)?;
        Ok(Self(path))
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of the table's file.
    pub fn database(&self) -> PathBuf {
        self.0.join("database.sqlite")
    }

    /// The folder of the mailbox.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn mail(&self) -> Result<PathBuf, Cause> {
        let path = self.0.join("mail");
        create_folder(&path)?;
        Ok(path)
    }

    /// The file with the environment of functions that run outside of the service.
    pub fn functions_env(&self) -> PathBuf {
        self.0.join("functions.env")
    }

    /// Locks the folder for this process. `None` when another process has it.
    ///
    /// # Errors
    /// When the lock file cannot be opened.
    pub fn lock(&self) -> Result<Option<Lock>, Cause> {
        let path = self.0.join("lock");
        let file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let file =
            file.map_err(|error| format!("{}: {error}; choose another data folder with --data DIR", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(at(&path)(error)),
        }
    }

    /// The key that signs this service's tokens, created on first use.
    ///
    /// # Errors
    /// When the key cannot be stored or is malformed.
    pub fn signer(&self) -> Result<TokenSigner, Cause> {
        let path = self.0.join("signing.key");
        let pkcs8 = read_or_create(&path, TokenSigner::generate)?;
        TokenSigner::new(KID, &pkcs8)
            .map_err(|cause| format!("{}: {cause}; remove it, and another one is made", path.display()).into())
    }

    /// The same key in the form of the secret that signing functions read.
    ///
    /// # Errors
    /// As [`DataFolder::signer`].
    pub fn signer_settings(&self) -> Result<serde_json::Value, Cause> {
        let pkcs8 = read_or_create(&self.0.join("signing.key"), TokenSigner::generate)?;
        Ok(serde_json::to_value(SignerSettings { kid: KID.to_owned(), pkcs8: URL_SAFE_NO_PAD.encode(pkcs8) })?)
    }

    /// A secret in the folder, if there is a file of this name.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn secret(&self, name: &str) -> Result<Option<String>, Cause> {
        read_if_there(&self.0.join("secrets").join(format!("{name}.json")))
    }

    /// The path of a configuration's file.
    pub fn config_path(&self, name: &str) -> PathBuf {
        self.0.join("config").join(format!("{name}.json"))
    }

    /// A configuration in the folder, if there is a file of this name.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn config(&self, name: &str) -> Result<Option<String>, Cause> {
        read_if_there(&self.config_path(name))
    }

    /// The keys that sign tokens for a deployed stage. Previews share theirs, as they share their secret.
    ///
    /// # Errors
    /// When there is no such stage, or the folder cannot be created.
    pub fn stage_keys(&self, stage: &str) -> Result<StageKeys, Cause> {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let name = match stage {
            "dev" | "prod" => stage,
            _ if stage.strip_prefix("pr-").is_some_and(is_number) => "preview",
            _ => {
                return Err(
                    format!("there is no stage {stage:?}: stages are dev, prod, and pr-7 or another number").into()
                );
            }
        };
        let path = self.0.join("stages").join(name);
        create_folder(&path)?;
        Ok(StageKeys(path))
    }

    /// The key that seals cursors, created on first use.
    ///
    /// # Errors
    /// When the key cannot be stored or is malformed.
    pub fn cursor_key(&self) -> Result<[u8; 32], Cause> {
        let path = self.0.join("cursor.key");
        let text = read_or_create(&path, || Ok(URL_SAFE_NO_PAD.encode(random_key()?).into_bytes()))?;
        let key = URL_SAFE_NO_PAD.decode(text.trim_ascii()).ok().and_then(|key| key.try_into().ok());
        key.ok_or_else(|| {
            format!("{} does not hold 32 bytes in base64url; remove it, and another one is made", path.display()).into()
        })
    }

    /// Publishes how to reach this service, until the returned note is dropped.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn announce(&self, running: &Running) -> Result<Note, Cause> {
        Note::leave(&self.0, running)
    }

    /// The service that runs with this folder; of several, the first of [`Running::all`].
    ///
    /// # Errors
    /// When there is none.
    pub fn running(&self) -> Result<Running, Cause> {
        let first = Running::all(&self.0)?.into_iter().next();
        first.ok_or_else(|| format!("no service runs with the data folder {}", self.0.display()).into())
    }

    /// Writes the environment of functions that run outside of the service.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_functions_env(&self, environment: &[(String, String)]) -> Result<(), Cause> {
        // Values are quoted, since `cargo lambda watch --env-file` and a shell need that for JSON. No value contains a
        // quote.
        let text: String = environment.iter().map(|(name, value)| format!("{name}='{value}'\n")).collect();
        write_private(&self.functions_env(), text.as_bytes())
    }
}

/// The folder with the keys that sign tokens for a deployed stage: `signing.key`, and its predecessors.
#[derive(Clone, Debug)]
pub struct StageKeys(PathBuf);

impl StageKeys {
    /// The key that signs, created on first use.
    ///
    /// # Errors
    /// When it cannot be stored or is malformed.
    pub fn signer(&self) -> Result<TokenSigner, Cause> {
        read_or_create(&self.current(), TokenSigner::generate)?;
        self.existing()
    }

    /// The key that signs, if it exists.
    ///
    /// # Errors
    /// When there is none.
    pub fn existing(&self) -> Result<TokenSigner, Cause> {
        let path = self.current();
        let named = |cause: Cause| Cause::from(format!("{}: {cause}", path.display()));
        TokenSigner::with_thumbprint(&fs::read(&path).map_err(|error| named(error.into()))?).map_err(named)
    }

    /// Creates another key to sign with; the previous one stays beside it, under its key id.
    ///
    /// # Errors
    /// When there is none yet, or a key cannot be stored.
    pub fn rotate(&self) -> Result<TokenSigner, Cause> {
        let before = self.existing().map_err(|cause| format!("there is no key to rotate here: {cause}"))?;
        let before = &before.public_key().kid;
        match fs::hard_link(self.current(), self.0.join(format!("signing.{before}.key"))) {
            // A file of an interrupted rotation.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(at(&self.0)(error)),
            _ => {}
        }
        let draft = self.0.join(format!("signing.draft-{}", std::process::id()));
        write_private(&draft, &TokenSigner::generate()?)?;
        fs::rename(&draft, self.current()).map_err(at(&self.current()))?;
        self.existing()
    }

    /// Removes a new key that is not needed: nobody else knows it.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(&self) -> Result<(), Cause> {
        fs::remove_file(self.current()).map_err(at(&self.current()))
    }

    fn current(&self) -> PathBuf {
        self.0.join("signing.key")
    }
}

/// Creates a folder, and its parents, for its owner alone.
fn create_folder(path: &Path) -> Result<(), Cause> {
    let shown = path.display();
    if path.exists() && !path.is_dir() {
        return Err(format!(
            "the data folder {shown} cannot be made: it is a file; choose another one with --data DIR"
        )
        .into());
    }
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| {
        format!("the data folder {shown} cannot be made: {error}; choose another one with --data DIR").into()
    })
}

/// Adds the path to an error of the system.
pub(crate) fn at(path: &Path) -> impl Fn(io::Error) -> Cause {
    move |error| format!("{}: {error}", path.display()).into()
}

/// 32 random bytes.
///
/// # Errors
/// When the system has no randomness.
pub fn random_key() -> Result<[u8; 32], Cause> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| format!("the system gave no random bytes: {error}"))?;
    Ok(key)
}

/// The text of a file, if there is one.
fn read_if_there(path: &Path) -> Result<Option<String>, Cause> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

/// Reads a file, or creates it. Two processes that create it at once end up with the same one: a link to a complete
/// file either succeeds or finds the other's.
fn read_or_create(path: &Path, create: impl FnOnce() -> Result<Vec<u8>, Cause>) -> Result<Vec<u8>, Cause> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        kept => return kept.map_err(at(path)),
    }
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    write_private(&draft, &create()?)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(at(&draft))?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(at(path)(error)),
        _ => fs::read(path).map_err(at(path)),
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> Result<(), Cause> {
    let file = fs::OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(at(path))
}

#[cfg(test)]
mod tests {
    use super::DataFolder;

    #[test]
    fn keys_are_made_once_and_the_folder_has_one_user() {
        let path = std::env::temp_dir().join(format!("onefold-data-{}", uuid::Uuid::new_v4()));
        let folder = DataFolder::open(&path).unwrap();
        assert_eq!(folder.cursor_key().unwrap(), folder.cursor_key().unwrap());
        assert_eq!(folder.signer().unwrap().public_key(), folder.signer().unwrap().public_key());
        let lock = folder.lock().unwrap();
        assert!(lock.is_some());
        assert!(folder.lock().unwrap().is_none());
        drop(lock);
        assert!(folder.lock().unwrap().is_some());
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_stage_s_keys_are_named_by_what_they_are_and_kept_when_another_one_comes() {
        let path = std::env::temp_dir().join(format!("onefold-data-{}", uuid::Uuid::new_v4()));
        let folder = DataFolder::open(&path).unwrap();
        let keys = folder.stage_keys("pr-7").unwrap();
        assert!(keys.existing().is_err() && keys.rotate().is_err());
        for stage in ["staging", "pr-", "pr-x", "../dev", ""] {
            assert!(folder.stage_keys(stage).is_err(), "{stage}");
        }
        let first = keys.signer().unwrap().public_key().clone();
        assert_eq!(&first, folder.stage_keys("pr-8").unwrap().existing().unwrap().public_key());
        assert!(folder.stage_keys("dev").unwrap().existing().is_err());
        // The state after a rotation that was killed halfway.
        let kept = path.join(format!("stages/preview/signing.{}.key", first.kid));
        std::fs::hard_link(path.join("stages/preview/signing.key"), &kept).unwrap();
        let second = keys.rotate().unwrap().public_key().clone();
        assert_ne!(first, second);
        assert_eq!(&second, keys.signer().unwrap().public_key());
        assert_ne!(std::fs::read(kept).unwrap(), std::fs::read(path.join("stages/preview/signing.key")).unwrap());
        std::fs::remove_dir_all(path).unwrap();
    }
}
