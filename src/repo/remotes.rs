//! Which other repositories a vault is synced with: `remote.NAME.url` in its own git configuration, where stock git sees
//! them too. Nothing else is read there.

use super::git::Repo;
use super::recover::remove_file;
use super::remote::{BadUrl, RemoteUrl};
use super::write::to_io;
use crate::chain::Time;
use crate::env::{FileError, read_bounded, replace_private};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

/// The longest name, in characters.
const NAME_MAX: usize = 32;
/// The most that a vault may have.
const REMOTES_MAX: usize = 64;
/// For how long git holds its configuration at most: to write it takes milliseconds.
const LOCKED_FOR: Duration = Duration::from_secs(10);

/// A remote cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The name is none.
    #[error("`{0}` is not a name for a remote: it takes 1 to {NAME_MAX} of a–z, 0–9 and `-`, and begins with a letter")]
    Name(String),
    /// There is one of that name.
    #[error("there is a remote `{0}` already: remove it first, or name the new one with --name")]
    Exists(String),
    /// There is none.
    #[error("there is no remote `{0}`")]
    Missing(String),
    /// There are too many.
    #[error("a vault has at most {REMOTES_MAX} remotes")]
    TooMany,
    /// Its address is not taken.
    #[error("remote `{name}`: {why}")]
    Url {
        /// Its name.
        name: String,
        /// Why not.
        why: BadUrl,
    },
    /// The lock of the list is taken, or was left a moment ago.
    #[error("another program is changing the remotes, or died at it just now: try again in ten seconds")]
    Locked,
    /// The system refused.
    #[error("the vault's list of remotes cannot be read or written: {0}")]
    Io(#[from] io::Error),
}

/// When this copy of the vault exchanged with another: in the git directory, since it is true of the copy, whoever works in
/// it. No branch leads to it, so it goes nowhere.
const EXCHANGED: &str = "strongroom.exchanged";
/// The largest such file, in bytes.
const EXCHANGED_MAX: u64 = 256;

/// When this copy of the vault exchanged with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchanged {
    /// The last time.
    pub last: Time,
    /// The newest time that was known here then, or since the clock was found to be set back.
    pub newest: Time,
}

impl Exchanged {
    fn parse(text: &str) -> Option<Self> {
        let (last, newest) = text.strip_suffix('\n')?.split_once(' ')?;
        let (last, newest) = (last.parse().ok()?, newest.parse().ok()?);
        Some(Self { last, newest })
    }
}

/// A name and an address.
pub type Remote = (String, RemoteUrl);

fn check_name(name: &str) -> Result<(), RemoteError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    match begins && name.len() <= NAME_MAX && name.chars().all(plain) {
        true => Ok(()),
        false => Err(RemoteError::Name(name.chars().take(80).collect())),
    }
}

impl Repo {
    fn config(&self) -> Result<git2::Config, RemoteError> {
        Ok(git2::Config::open(&self.dir.join("config")).map_err(to_io)?)
    }

    /// The remotes, by name.
    pub fn remotes(&self) -> Result<Vec<Remote>, RemoteError> {
        let config = self.config()?;
        let mut found: Vec<Remote> = Vec::new();
        let mut entries = config.entries(Some("^remote\\..*\\.url$")).map_err(to_io)?;
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(to_io)?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (key, url) = (text(entry.name_bytes()), text(entry.value_bytes()));
            let name = key.trim_start_matches("remote.").trim_end_matches(".url").to_owned();
            check_name(&name)?;
            let url = RemoteUrl::parse(&url).map_err(|why| {
                let name = name.clone();
                RemoteError::Url { name, why }
            })?;
            // Of several the last counts, as for git.
            found.retain(|(known, _)| *known != name);
            found.push((name, url));
            if found.len() > REMOTES_MAX {
                return Err(RemoteError::TooMany);
            }
        }
        found.sort();
        Ok(found)
    }

    /// When it was exchanged with another; none: never, or what says so is damaged, which the next time mends.
    pub fn exchanged(&self) -> Result<Option<Exchanged>, RemoteError> {
        match read_bounded(&self.dir.join(EXCHANGED), EXCHANGED_MAX) {
            Ok(bytes) => Ok(std::str::from_utf8(&bytes).ok().and_then(Exchanged::parse)),
            Err(FileError::Io { source, .. }) => Err(source.into()),
            Err(_) => Ok(None),
        }
    }

    /// Notes that.
    pub fn note_exchanged(&self, when: Exchanged) -> Result<(), RemoteError> {
        let text = format!("{} {}\n", when.last, when.newest);
        replace_private(&self.dir.join(EXCHANGED), text.as_bytes())
            .map_err(|error| RemoteError::Io(io::Error::other(error.to_string())))
    }

    /// Adds one.
    pub fn add_remote(&self, name: &str, url: &RemoteUrl) -> Result<(), RemoteError> {
        check_name(name)?;
        let known = self.remotes()?;
        if known.iter().any(|(known, _)| known == name) {
            return Err(RemoteError::Exists(name.to_owned()));
        }
        if known.len() >= REMOTES_MAX {
            return Err(RemoteError::TooMany);
        }
        self.change(|config| config.set_str(&format!("remote.{name}.url"), url.as_str()))
    }

    /// Removes one; what came from it stays.
    pub fn remove_remote(&self, name: &str) -> Result<(), RemoteError> {
        check_name(name)?;
        let key = format!("remote.{name}.url");
        if self.config()?.get_entry(&key).is_err() {
            return Err(RemoteError::Missing(name.to_owned()));
        }
        self.change(|config| config.remove_multivar(&key, ".*"))
    }

    /// Removes the lock of the configuration that a program which died has left: it would be in everybody's way for ever.
    fn remove_stale_lock(&self) -> io::Result<()> {
        let path = self.dir.join("config.lock");
        let written = std::fs::symlink_metadata(&path).and_then(|file| file.modified());
        let age = written.ok().and_then(|written| written.elapsed().ok());
        match age.is_some_and(|age| age > LOCKED_FOR) {
            true => remove_file(&path),
            false => Ok(()),
        }
    }

    fn change(&self, act: impl FnOnce(&mut git2::Config) -> Result<(), git2::Error>) -> Result<(), RemoteError> {
        let path = self.dir.join("config");
        self.remove_stale_lock()?;
        act(&mut self.config()?).map_err(|error| match error.code() {
            git2::ErrorCode::Locked => RemoteError::Locked,
            _ => to_io(error).into(),
        })?;
        // Git writes it anew, for everybody to read.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        Ok(std::fs::File::open(&path)?.sync_all()?)
    }
}
