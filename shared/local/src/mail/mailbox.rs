//! The mailbox of a local service, in a folder or in memory.

use std::{
    collections::VecDeque,
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use aws::Letter;
use protocol::{Clock, Timestamp, address};
use uuid::Uuid;

use super::{ReceivedMail, eml};

/// The most mails that are listed, or kept in memory.
const MAX_SHOWN: usize = 100;
/// The most files that one listing opens to find the mails to one address.
const MAX_OPENED: usize = 10_000;

/// A mailbox. Clones share it.
#[derive(Clone, Debug)]
pub struct Mailbox(Arc<Storage>);

#[derive(Debug)]
enum Storage {
    /// The latest mail is at the front.
    Memory(Mutex<VecDeque<ReceivedMail>>),
    Folder(PathBuf),
}

impl Mailbox {
    /// A mailbox in memory: it has the latest mails, until the process ends.
    #[must_use]
    pub fn in_memory() -> Self {
        Self(Arc::new(Storage::Memory(Mutex::default())))
    }

    /// A mailbox in a folder, with one file for each mail. Nothing deletes them.
    #[must_use]
    pub fn in_folder(path: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Storage::Folder(path.into())))
    }

    /// Stores a mail.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put(&self, from: &str, letter: Letter) -> io::Result<ReceivedMail> {
        let Letter { to, subject, text } = letter;
        let id = Uuid::now_v7();
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let sent_at = sent_at(&id).unwrap_or_else(|| Clock::System.now());
        let mail = ReceivedMail { id: id.to_string(), to, subject, text, sent_at };
        match &*self.0 {
            Storage::Memory(mails) => {
                let mut mails = mails.lock().unwrap_or_else(PoisonError::into_inner);
                mails.push_front(mail.clone());
                mails.truncate(MAX_SHOWN);
            }
            Storage::Folder(folder) => write(folder, &mail, from)?,
        }
        Ok(mail)
    }

    /// The latest mails, at most 100, the latest first; with `to`, those to this address, in whatever spelling.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn latest(&self, to: Option<&str>) -> io::Result<Vec<ReceivedMail>> {
        let to = to.map(address::comparable);
        let is_asked_for = |mail: &ReceivedMail| to.as_ref().is_none_or(|to| address::comparable(&mail.to) == *to);
        match &*self.0 {
            Storage::Memory(mails) => {
                let mails = mails.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(mails.iter().filter(|mail| is_asked_for(mail)).cloned().collect())
            }
            Storage::Folder(folder) => {
                let files = files(folder)?.into_iter().take(MAX_OPENED);
                // A deleted or foreign file is skipped.
                let mails = files.filter_map(|id| {
                    let file = fs::read_to_string(folder.join(format!("{id}.eml"))).ok()?;
                    eml::read(&id.to_string(), sent_at(&id)?, &file)
                });
                Ok(mails.filter(is_asked_for).take(MAX_SHOWN).collect())
            }
        }
    }
}

/// The ids of the files, the latest first.
fn files(folder: &Path) -> io::Result<Vec<Uuid>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut ids = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        ids.extend(name.to_str().and_then(|name| name.strip_suffix(".eml")?.parse::<Uuid>().ok()));
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    Ok(ids)
}

/// Writes a file atomically: no reader sees half a mail.
fn write(folder: &Path, mail: &ReceivedMail, from: &str) -> io::Result<()> {
    let date = jiff::Timestamp::from_millisecond(mail.sent_at.unix_ms()).map_err(io::Error::other)?;
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_string(&date).map_err(io::Error::other)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let draft = folder.join(format!(".{}.draft", mail.id));
    let mut file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft)?;
    file.write_all(eml::write(mail, from, &date).as_bytes())?;
    fs::rename(draft, folder.join(format!("{}.eml", mail.id)))
}

/// The time of a UUIDv7, to the millisecond (RFC 9562 section 5.7).
fn sent_at(id: &Uuid) -> Option<Timestamp> {
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    let unix_ms = i64::try_from(seconds).ok()?.checked_mul(1_000)? + i64::from(nanoseconds / 1_000_000);
    Some(Timestamp::from_unix_ms(unix_ms))
}
