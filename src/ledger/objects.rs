//! Where things stand in the repository, and how they are read from it.

use crate::id::{Digest, LogName, NoteId};
use crate::repo::{Commit, Mode, Oid, ReadError, Repo, TreeEntry};

/// Where branches stand.
pub const HEADS: &str = "refs/heads/";
/// Where a plain `git clone` puts the branches of its origin.
pub(super) const CLONED: &str = "refs/remotes/origin/";
/// The branch of roster and policies, without [`HEADS`].
pub const MAIN: &str = "main";
/// Where the logs' branches stand, without [`HEADS`].
pub const AUDIT: &str = "audit/";
/// Where the branches of witnesses stand, without [`HEADS`].
pub(super) const WITNESS: &str = "witness/";

/// The largest tree that is read, in bytes: a shard of some 33,000 files.
pub(super) const TREE_MAX: u64 = 4 << 20;
/// The largest commit, in bytes: the longest entry, its checkpoint, signature and headers.
pub(super) const COMMIT_MAX: u64 = 128 << 10;
/// The largest bundle, in bytes.
pub(super) const BUNDLE_MAX: u64 = 256 * (64 * 1024 + 1);
/// The largest file of `main` or of `keys`, in bytes.
pub(super) const FILE_MAX: u64 = 1 << 20;

/// The branch of a note's bodies, without [`HEADS`].
pub fn note_ref(note: NoteId) -> String {
    format!("notes/{}", note.shard())
}

/// The branch of a note's wraps, without [`HEADS`].
pub fn wrap_ref(note: NoteId) -> String {
    format!("keys/{}", note.shard())
}

/// The branch of a log, without [`HEADS`].
pub(super) fn audit_ref(log: LogName) -> String {
    format!("{AUDIT}{log}")
}

/// The branch of another history of a log, whose root is given.
pub(super) fn fork_ref(log: LogName, root: Digest) -> String {
    format!("{AUDIT}{log}-fork-{root}")
}

/// The log of a branch, and the root that names the fork if it is one; the branch is given without [`HEADS`].
pub(super) fn log_of(branch: &str) -> Option<(LogName, Option<Digest>)> {
    let name = branch.strip_prefix(AUDIT)?;
    match name.split_once("-fork-") {
        None => Some((name.parse().ok()?, None)),
        Some((log, root)) => Some((log.parse().ok()?, Some(root.parse().ok()?))),
    }
}

/// Objects by id, from the repository or from what the journal still holds.
pub(super) trait Objects {
    fn commit_at(&self, oid: Oid) -> Result<Commit, ReadError>;
    fn tree_at(&self, oid: Oid) -> Result<Vec<TreeEntry>, ReadError>;
    fn blob_at(&self, oid: Oid, max: u64) -> Result<Vec<u8>, ReadError>;
}

impl Objects for Repo {
    fn commit_at(&self, oid: Oid) -> Result<Commit, ReadError> {
        self.read_commit(oid, COMMIT_MAX)
    }
    fn tree_at(&self, oid: Oid) -> Result<Vec<TreeEntry>, ReadError> {
        self.read_tree(oid, TREE_MAX)
    }
    fn blob_at(&self, oid: Oid, max: u64) -> Result<Vec<u8>, ReadError> {
        self.read_blob(oid, max)
    }
}

/// A file below a tree: its path, mode and id.
pub(super) struct FileAt {
    pub(super) path: String,
    pub(super) mode: Mode,
    pub(super) oid: Oid,
}

/// The most files that are listed below a tree.
const FILES_MAX: usize = 4096;

/// All files below a tree, at most `depth` folders deep and [`FILES_MAX`] in number, in the order of their paths.
pub(super) fn files_below(objects: &dyn Objects, tree: Oid, depth: usize) -> Result<Vec<FileAt>, ReadError> {
    let mut found = Vec::new();
    collect(objects, tree, "", depth, &mut found)?;
    Ok(found)
}

fn collect(
    objects: &dyn Objects,
    tree: Oid,
    prefix: &str,
    depth: usize,
    found: &mut Vec<FileAt>,
) -> Result<(), ReadError> {
    for entry in objects.tree_at(tree)? {
        if found.len() >= FILES_MAX {
            let (size, max) = (found.len() as u64 + 1, FILES_MAX as u64);
            return Err(ReadError::TooBig { oid: tree, size, max });
        }
        let path = format!("{prefix}{}", entry.name);
        if entry.mode == Mode::Tree && depth > 0 {
            collect(objects, entry.oid, &format!("{path}/"), depth - 1, found)?;
        } else {
            found.push(FileAt {
                path,
                mode: entry.mode,
                oid: entry.oid,
            });
        }
    }
    Ok(())
}
