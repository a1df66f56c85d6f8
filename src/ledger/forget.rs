//! To forget: what an entry took out of the branches leaves this disk before it counts as done.

use super::error::LedgerError;
use super::objects::HEADS;
use super::start::Ledger;
use crate::chain::{Entry, Kind, LiveFile};
use crate::repo::RefChange;

/// Whether an entry forgets what must be gone from the disk. A key box that was replaced is superseded, not destroyed; a
/// wrap that was made anew opens for somebody for whom it must not.
fn is_for_good(entry: &Entry) -> bool {
    let of_notes = || entry.forgot.iter().any(|file| LiveFile::from(file).note().is_some());
    match entry.kind {
        Some(Kind::Attach | Kind::Relabel | Kind::Destroy) => !entry.forgot.is_empty(),
        Some(Kind::Key) => of_notes(),
        _ => false,
    }
}

impl Ledger<'_> {
    /// Notes beside the journal what the next batch takes out of its branches, so that an interruption is finished at
    /// the next start.
    pub(super) fn begin_forgetting(&self, entry: &Entry, refs: &[RefChange]) -> Result<(), LedgerError> {
        if !is_for_good(entry) {
            return Ok(());
        }
        let is_shard = |change: &&RefChange| {
            let branch = change.name.strip_prefix(HEADS).unwrap_or_default();
            branch.starts_with("notes/") || branch.starts_with("keys/")
        };
        let shards: Vec<RefChange> = refs.iter().filter(is_shard).cloned().collect();
        let begun = self.repo.begin_forgetting(&self.lock, &shards);
        begun.map_err(LedgerError::NotNoted)
    }

    /// Whether something that an entry forgot may still be on this disk.
    pub fn is_forgetting(&self) -> bool {
        self.repo.is_forgetting()
    }

    /// Removes from this disk what was forgotten: the journal is wiped, objects are removed, packs written anew. Gives
    /// the other refs that still hold files of it.
    pub fn finish_forgetting(&self) -> Result<Vec<String>, LedgerError> {
        self.repo.finish_forgetting(&self.lock).map_err(LedgerError::NotGone)
    }
}
