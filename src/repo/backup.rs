//! A backup: everything that the branches lead to, in one file that stock git reads too (gitformat-bundle(5), version 2).

use super::forget::plain;
use super::git::{ReadError, Repo};
use super::object::{Kind, Oid};
use super::pack::PackError;
use super::reach::{Missing, Reached};
use super::record::{HEADS, is_branch};
use super::write::{sync_file_system, to_io};
use crate::env::sync_folder;
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;

/// How a bundle begins.
const FIRST: &str = "# v2 git bundle\n";
/// The longest head of a bundle, in bytes.
const HEAD_MAX: usize = 8 << 20;
/// The largest blob that is taken into a backup or out of one, in bytes.
const BLOB_MAX: u64 = 256 << 20;
/// Bytes that are copied at once.
const CHUNK: usize = 64 * 1024;

/// A backup cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The vault could not be read, or holds something damaged.
    #[error("{0}; nothing was backed up")]
    Source(ReadError),
    /// The file is not a backup.
    #[error("this is not a backup of a vault: {0}")]
    NotABackup(&'static str),
    /// The backup is not whole.
    #[error("this backup is not whole: {0}")]
    Incomplete(ReadError),
    /// The pack in it is damaged.
    #[error("this backup is damaged and cannot be restored; use another one ({0})")]
    Damaged(String),
    /// The system refused.
    #[error("{0}; free some space or check the disk")]
    Io(#[from] io::Error),
}

impl From<PackError> for BackupError {
    fn from(error: PackError) -> Self {
        match error {
            PackError::Io(error) => Self::Io(error),
            PackError::Read(error) => Self::Incomplete(error),
            error => Self::Io(io::Error::other(error.to_string())),
        }
    }
}

/// What stands before the objects: each ref and the commit it names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackupHead {
    /// Full names, or `HEAD`.
    pub refs: Vec<(String, Oid)>,
}

impl BackupHead {
    /// The text, up to the empty line that ends it.
    pub fn to_text(&self) -> String {
        let lines: String = self.refs.iter().map(|(name, oid)| format!("{oid} {name}\n")).collect();
        format!("{FIRST}{lines}\n")
    }

    /// Reads the text; strict. A bundle that needs other objects than its own, and refs that are no branches, are refused.
    pub fn parse(text: &str) -> Result<Self, BackupError> {
        let bad = BackupError::NotABackup;
        let body = text
            .strip_prefix(FIRST)
            .ok_or(bad("it does not begin like a git bundle"))?;
        let body = body
            .strip_suffix('\n')
            .ok_or(bad("its list of branches does not end"))?;
        let mut refs: Vec<(String, Oid)> = Vec::new();
        for line in body.split_inclusive('\n') {
            if line.starts_with('-') {
                return Err(bad("it holds only what came after another one"));
            }
            let line = line.strip_suffix('\n').and_then(|line| line.split_once(' '));
            let (oid, name) = line.ok_or(bad("its list of branches is damaged"))?;
            let oid = oid.parse().map_err(|_| bad("its list of branches is damaged"))?;
            if name != "HEAD" && !name.starts_with(HEADS) {
                return Err(bad("it holds a ref that no vault has"));
            }
            if refs.iter().any(|(known, _)| known == name) {
                return Err(bad("a branch stands in it twice"));
            }
            refs.push((name.to_owned(), oid));
        }
        Ok(Self { refs })
    }

    /// Takes out the branches that do not belong; gives their names.
    fn leave_out(&mut self, belongs: impl Fn(&str) -> bool) -> Vec<String> {
        let refs = std::mem::take(&mut self.refs).into_iter();
        let own = |(name, _): &(String, Oid)| name == "HEAD" || (is_branch(name) && belongs(name));
        let (own, others): (Vec<_>, Vec<_>) = refs.partition(own);
        self.refs = own;
        others.into_iter().map(|(name, _)| name).collect()
    }
}

impl Repo {
    /// The branches that belong, by their full names, as they stand, for a backup; and the names of all other refs, which
    /// stay where they are. Only after [`Repo::recover`]; what is written to the vault later is not in it.
    pub fn backup_head(&self, belongs: impl Fn(&str) -> bool) -> Result<(BackupHead, Vec<String>), BackupError> {
        let (mut branches, mut others) = (Vec::new(), Vec::new());
        for (name, oid) in self.refs_as_found("refs/").map_err(BackupError::Source)? {
            match oid {
                // What somebody else put there stops no backup, whole or damaged.
                _ if !is_branch(&name) || !belongs(&name) => others.push(name),
                Some(oid) => branches.push((name, oid)),
                None => return Err(BackupError::Source(ReadError::DamagedRef { name })),
            }
        }
        // With it a clone of the file knows which branch to begin with.
        let main = branches.iter().find(|(name, _)| name == "refs/heads/main");
        let head = main.map(|(_, oid)| ("HEAD".to_owned(), *oid));
        let refs = head.into_iter().chain(branches.iter().cloned()).collect();
        Ok((BackupHead { refs }, others))
    }

    /// Writes a backup; every object was read and hashed first. Gives the number of bytes.
    pub fn write_backup(&self, head: &BackupHead, out: &mut dyn Write) -> Result<u64, BackupError> {
        let named = head.refs.iter().map(|(_, oid)| *oid);
        let reached = self.whole(named).map_err(BackupError::Source)?;
        let text = head.to_text();
        out.write_all(text.as_bytes())?;
        let git = git2::Repository::open_bare(&self.dir).map_err(to_io)?;
        let nothing = git2::Config::new().map_err(to_io)?;
        git.set_config(&nothing).map_err(to_io)?;
        let mut builder = git.packbuilder().map_err(to_io)?;
        builder.set_threads(0);
        for oid in reached.all() {
            let oid = oid.to_git().map_err(to_io)?;
            builder.insert_object(oid, None).map_err(to_io)?;
        }
        let mut written = Ok(());
        let mut bytes = text.len() as u64;
        let packed = builder.foreach(|chunk| {
            bytes += chunk.len() as u64;
            written = out.write_all(chunk);
            written.is_ok()
        });
        written?;
        packed.map_err(to_io)?;
        Ok(bytes)
    }

    /// Fills a vault that was just made from a backup; durable when this returns. Every object that is led to is read and
    /// hashed. Branches that do not belong, by their full names, are left aside, with all that only they lead to; their names
    /// come second.
    pub fn read_backup(
        &self,
        input: &mut dyn Read,
        belongs: impl Fn(&str) -> bool,
    ) -> Result<(BackupHead, Vec<String>), BackupError> {
        let (mut head, rest) = read_head(input)?;
        let mut others = head.leave_out(belongs);
        let odb = self.git.odb().map_err(to_io)?;
        let damaged = |error: io::Error| BackupError::Damaged(error.to_string());
        let mut writer = odb.packwriter().map_err(to_io)?;
        writer.write_all(&rest).map_err(damaged)?;
        let mut chunk = vec![0; CHUNK];
        loop {
            match input.read(&mut chunk)? {
                0 => break,
                length => writer.write_all(&chunk[..length]).map_err(damaged)?,
            }
        }
        writer.commit().map_err(|error| damaged(to_io(error)))?;
        drop(writer);
        let place = self.dir.join("objects/pack");
        for entry in std::fs::read_dir(&place)? {
            std::fs::set_permissions(entry?.path(), std::fs::Permissions::from_mode(0o400))?;
        }
        odb.refresh().map_err(to_io)?;
        let own = head.refs.iter().filter(|(name, _)| name != "HEAD");
        let own = self.whole(own.map(|(_, oid)| *oid)).map_err(BackupError::Incomplete)?;
        // Git writes it of whichever branch it takes for the first one; that may be one that does not belong.
        let is_other = |(name, oid): &(String, Oid)| name == "HEAD" && !own.commits.contains(oid);
        if let Some(at) = head.refs.iter().position(is_other) {
            let (name, oid) = head.refs.remove(at);
            self.whole([oid]).map_err(BackupError::Incomplete)?;
            others.push(name);
        }
        // INVARIANT (what was forgotten does not come back): a branch that does not belong may hold notes that were destroyed
        // since. No place is on record from which they would ever be forgotten here.
        self.pack_only(&own)?;
        for (name, oid) in head.refs.iter().filter(|(name, _)| name != "HEAD") {
            self.write_ref(name, None, Some(*oid))?;
        }
        sync_file_system(&self.dir)?;
        sync_folder(&self.dir).map_err(plain)?;
        Ok((head, others))
    }

    /// All that commits lead to, each object read and hashed.
    fn whole(&self, from: impl IntoIterator<Item = Oid>) -> Result<Reached, ReadError> {
        let mut reached = Reached::default();
        for oid in from {
            self.reach(oid, &Reached::default(), Missing::Refused, &mut reached)?;
        }
        for oid in &reached.blobs {
            let bytes = self.read(*oid, Kind::Blob, BLOB_MAX)?;
            if Oid::hash_object(Kind::Blob, &bytes) != *oid {
                return Err(ReadError::Damaged { oid: *oid });
            }
        }
        Ok(reached)
    }
}

/// The head of a backup, and what was read behind it.
fn read_head(input: &mut dyn Read) -> Result<(BackupHead, Vec<u8>), BackupError> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        // The empty line may begin in the chunk before.
        let from = bytes.len().saturating_sub(1);
        let length = input.read(&mut chunk)?;
        bytes.extend_from_slice(&chunk[..length]);
        if let Some(at) = memchr::memmem::find(&bytes[from..], b"\n\n") {
            let rest = bytes.split_off(from + at + 2);
            let text =
                String::from_utf8(bytes).map_err(|_| BackupError::NotABackup("its list of branches is damaged"))?;
            return Ok((BackupHead::parse(&text)?, rest));
        }
        let begins = bytes.starts_with(FIRST.as_bytes()) || FIRST.as_bytes().starts_with(&bytes);
        if length == 0 || bytes.len() > HEAD_MAX || !begins {
            return Err(BackupError::NotABackup("it does not begin like a git bundle"));
        }
    }
}
