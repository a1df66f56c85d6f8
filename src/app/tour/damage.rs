//! Damage to copies of a vault, done as somebody would who has its files and git, and no key.

use crate::app::error::{Error, Kind};
use crate::id::NoteId;
use crate::ledger::{AUDIT, HEADS, LedgerError, note_ref};
use crate::repo::{Batch, Commit, Object, Oid, PATIENCE, RefChange, Repo, Settings, TreeEdit, TreeEntry, commit_bytes};
use std::path::Path;

/// The largest object that is read, in bytes.
const OBJECT_MAX: u64 = 4 << 20;

/// What is done to a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// One bit of a note's sealed body is flipped, and the file stored in git as if it had always been so.
    FlipBit(NoteId),
    /// The last entries of the log are cut off: its ref is moved back by so many commits.
    CutTail(usize),
    /// A denial in the middle of the log becomes a success; all later commits are made again on top of it, with the
    /// messages and signatures they had.
    HideDenial,
}

/// Copies a vault's folder.
pub fn copy_vault(from: &Path, to: &Path) -> Result<(), Error> {
    copy(from, to).map_err(|error| Error::new(Kind::Failed, format!("the vault cannot be copied: {error}")))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Damages a vault. Afterwards git itself finds nothing wrong with it: every object hashes to its id.
pub fn damage(vault: &Path, damage: &Damage) -> Result<(), Error> {
    let repo = Repo::open(vault, Settings::of_this_run()).map_err(LedgerError::from)?;
    let lock = repo.lock(PATIENCE).map_err(LedgerError::from)?;
    let _recovery = repo.recover(&lock).map_err(LedgerError::from)?;
    let (name, old, new, objects) = match damage {
        Damage::FlipBit(note) => flip_bit(&repo, *note)?,
        Damage::CutTail(count) => cut_tail(&repo, *count)?,
        Damage::HideDenial => hide_denial(&repo)?,
    };
    let change = RefChange {
        name,
        old: Some(old),
        new: Some(new),
    };
    let batch = Batch {
        objects,
        refs: vec![change],
        note: Vec::new(),
    };
    let _durable = repo.commit(&lock, &batch).map_err(LedgerError::from)?;
    // Else the journal would still tell of the good state.
    Ok(repo.cut(&lock).map_err(LedgerError::from)?)
}

/// A ref's name, its value before and after, and the objects that are new.
type Surgery = (String, Oid, Oid, Vec<Object>);

fn flip_bit(repo: &Repo, note: NoteId) -> Result<Surgery, Error> {
    let name = format!("{HEADS}{}", note_ref(note));
    let old = target(repo, &name)?;
    let commit = read_commit(repo, old)?;
    let files = read_tree(repo, commit.tree)?;
    let file = files.into_iter().find(|file| file.name.starts_with(&note.to_string()));
    let file = file.ok_or_else(|| cannot("the note is not there"))?;
    let mut bytes = repo.read_blob(file.oid, OBJECT_MAX).map_err(LedgerError::from)?;
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    let blob = Object::blob(bytes);
    let mut edit = TreeEdit::new();
    edit.insert(&file.name, blob.oid()).map_err(cannot)?;
    let edited = edit
        .apply(Some(commit.tree), |oid| read_tree(repo, oid))
        .map_err(cannot)?;
    let again = commit_bytes(edited.root, &commit.parents, &commit.author, &commit.message, None).map_err(cannot)?;
    let again = Object::commit(again);
    let new = again.oid();
    let mut objects = vec![blob];
    objects.extend(edited.objects);
    objects.push(again);
    Ok((name, old, new, objects))
}

fn cut_tail(repo: &Repo, count: usize) -> Result<Surgery, Error> {
    let (name, old) = the_log(repo)?;
    let new = repo.first_parents(old, OBJECT_MAX).nth(count);
    let (new, _) = new
        .ok_or_else(|| cannot("the log is too short"))?
        .map_err(LedgerError::from)?;
    Ok((name, old, new, Vec::new()))
}

fn hide_denial(repo: &Repo) -> Result<Surgery, Error> {
    let (name, old) = the_log(repo)?;
    let mut later: Vec<Commit> = Vec::new();
    let (mut found, mut parents) = (None, Vec::new());
    for commit in repo.first_parents(old, OBJECT_MAX) {
        let (_, mut commit) = commit.map_err(LedgerError::from)?;
        let hidden = commit
            .message
            .replacen("\"result\":\"denied\"", "\"result\":\"done\"", 1);
        if hidden != commit.message {
            commit.message = hidden;
            parents = commit.parents.clone();
            found = Some(commit);
            break;
        }
        later.push(commit);
    }
    let found = found.ok_or_else(|| cannot("nothing was denied in this log"))?;
    let mut objects = Vec::new();
    for commit in std::iter::once(found).chain(later.into_iter().rev()) {
        let signature = commit.gpgsig.as_deref();
        let bytes = commit_bytes(commit.tree, &parents, &commit.author, &commit.message, signature).map_err(cannot)?;
        let again = Object::commit(bytes);
        parents = vec![again.oid()];
        objects.push(again);
    }
    let new = parents.first().copied().ok_or_else(|| cannot("the log is empty"))?;
    Ok((name, old, new, objects))
}

/// The ref of the only log, and its head.
fn the_log(repo: &Repo) -> Result<(String, Oid), Error> {
    let logs = repo.refs(&format!("{HEADS}{AUDIT}")).map_err(LedgerError::from)?;
    logs.into_iter().next().ok_or_else(|| cannot("there is no log"))
}

fn target(repo: &Repo, name: &str) -> Result<Oid, Error> {
    let target = repo.ref_target(name).map_err(LedgerError::from)?;
    target.ok_or_else(|| cannot("the ref is not there"))
}

fn read_commit(repo: &Repo, oid: Oid) -> Result<Commit, Error> {
    Ok(repo.read_commit(oid, OBJECT_MAX).map_err(LedgerError::from)?)
}

fn read_tree(repo: &Repo, oid: Oid) -> Result<Vec<TreeEntry>, Error> {
    Ok(repo.read_tree(oid, OBJECT_MAX).map_err(LedgerError::from)?)
}

fn cannot(why: impl std::fmt::Display) -> Error {
    Error::new(Kind::Failed, format!("the copy cannot be damaged: {why}"))
}
