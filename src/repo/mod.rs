//! The vault as a bare git repository: objects, refs, a journal and a lock. It knows no notes and
//! no entries, and it alone uses git2.
//!
//! One write, in order ([`Repo::commit`]):
//!
//! 1. Under the [`Lock`], after [`Repo::recover`]: every ref's old value is compared.
//! 2. One record with all objects, ref changes and the caller's note goes to the end of the
//!    journal; one `fdatasync`. **This is the commit point.**
//! 3. Objects, then refs, are written to git, unsynced.
//! 4. After 64 records, or when the journal is full, the next write first makes everything durable
//!    with one `syncfs` and begins the journal anew ([`Repo::cut`]).
//!
//! Parts of attachments do not go through the journal: a [`BlobWriter`] makes each durable as a file of its own
//! before step 2, and without the lock; nor do large blobs of a batch that would not fit it, under the lock.
//!
//! Nor do the objects that come from another clone: [`Arrivals`] makes them durable, many in packs, before step 1.
//!
//! After a power cut git may have lost whatever was written since the cut: objects and refs come
//! back missing, empty or torn. [`Repo::recover`], the start of every write, then writes all of it
//! again from the journal. So it does, into new files, after a sync that failed or was not seen to end (`unsynced`). An outcome that
//! is unknown (an error from the sync) is settled the same
//! way, by the next start.
//!
//! libgit2 goes on seeing a pack that is gone, and within two seconds of touching one writes no object that it sees in it.
//! Where packs may have gone it is made to look anew: at a recovery, unless the journal's generation is the one of the last
//! look, before a cut, after something was forgotten, and where what arrives seems to be packed already.
//!
//! Other repositories are reached with the person's own git ([`GitJob`]), which works in a [`Staging`] and never in the
//! vault.
//!
//! No git configuration of the machine, the user or the vault has a say in what this room does:
//! libgit2 is given an empty one. Objects that are read as evidence ([`Repo::read_commit`],
//! [`Repo::read_tree`], [`Repo::read_blob`]) are hashed here; libgit2's own check is off, so that
//! [`Repo::read_blob_unchecked`] is fast for bodies that carry a SHA-256 of their own.

mod arrivals;
mod backup;
mod bounds;
mod delta;
mod forget;
mod git;
mod health;
mod journal;
mod lock;
mod loose;
mod names;
mod object;
mod pack;
mod pack_merge;
mod pack_write;
mod packed;
mod pushed;
mod reach;
mod record;
mod recover;
mod remote;
mod remotes;
mod staging;
mod stored;
#[cfg(test)]
mod tests;
mod tree;
mod unsynced;
mod write;

pub use arrivals::{ArrivalError, Arrivals};
pub use backup::{BackupError, BackupHead};
pub use delta::{BadDelta, apply_delta, delta_lengths, make_delta};
pub use forget::{ForgetError, parse_forgetting};
pub use git::{CreateError, Found, Oddity, OpenError, ReadError, Repo, Settings};
pub use health::{Health, Remains};
pub use journal::{JournalError, JournalMark};
pub use lock::{Lock, LockError, PATIENCE};
pub use loose::parse_loose;
pub use names::is_name;
pub use object::{BadCommit, BadOid, Commit, Kind, Object, Oid, commit_bytes};
pub use pack::{AT_ONCE, PackError, Packed};
pub use packed::{BadPackIndex, PackEntry, PackIndex};
pub use pushed::{BadPush, Doorway, PUSHED_MAX, Preview, Pushed, hooks_folder, parse_pushed};
pub use record::{BadJournal, Batch, JOURNAL_BYTES, MAX_PAYLOAD, Record, RefChange, decode_records};
pub use recover::{RecoverError, Recovery, Stray};
pub use remote::{BadList, BadUrl, GitJob, Listed, PushedRef, RemoteUrl, parse_list, room_for_arrivals, said};
pub use remotes::{Exchanged, Remote, RemoteError};
pub use staging::{Staging, StagingError};
pub use stored::{BlobWriter, DraftBlob, StoredBlob};
pub use tree::{BadTree, EditError, EditedTree, Mode, RawTree, TreeEdit, TreeEntry, parse_tree, tree_bytes};
pub use write::{CommitError, CutError, Durable, RECORDS_PER_CUT};
