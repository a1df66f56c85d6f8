//! All live notes, read on as many processors as there are.

use super::error::LedgerError;
use super::objects::FILE_MAX;
use super::start::{DEVICES, Ledger, Shard, StoredNote, live_body, missing};
use crate::chain::{FileRef, LiveSet, note_and_digest};
use crate::envelope::{BODY_MAX, WrapFile};
use crate::id::NoteId;
use crate::repo::Repo;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Below so many wraps one processor is quicker alone.
const WRAPS_ALONE: usize = 64;
/// More processors than these wait for one another.
const PROCESSORS_MAX: usize = 8;

impl Ledger<'_> {
    /// Reads every live note whose wrap is `wanted`, matched with the log, and gives all revisions of it together to
    /// `look`; collects what that finds, in no order. Nothing is opened here. Damage ends it, as in [`Ledger::wraps`].
    pub fn each_note<T: Send, E: From<LedgerError> + Send>(
        &self,
        wanted: impl Fn(NoteId, &WrapFile) -> bool + Sync,
        look: impl Fn(NoteId, &[StoredNote]) -> Result<T, E> + Sync,
    ) -> Result<Vec<T>, E> {
        let live = &self.standing.live;
        let mut shards: BTreeMap<&str, Vec<&FileRef>> = BTreeMap::new();
        for (file, _) in live.iter() {
            if file.0.starts_with("keys/") && file.0 != DEVICES {
                shards.entry(&file.0).or_default().push(file);
            }
        }
        let wraps: usize = shards.values().map(Vec::len).sum();
        let mut shards: Vec<Vec<&FileRef>> = shards.into_values().collect();
        // By path: the revisions of a note stand together.
        shards.iter_mut().for_each(|files| files.sort_unstable());

        let next = AtomicUsize::new(0);
        let work = |repo: &Repo| {
            let mut found = Vec::new();
            while let Some(wraps) = shards.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = each_of_shard(repo, live, wraps, &wanted, &look, &mut found) {
                    // The others need not begin another.
                    next.store(shards.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
            Ok(found)
        };
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let others = match wraps < WRAPS_ALONE {
            true => 0,
            false => processors.min(PROCESSORS_MAX) - 1,
        };
        // Each has a way into the repository of its own; where there is none, there is one worker less.
        let others: Vec<Repo> = (0..others).filter_map(|_| self.repo.again().ok()).collect();
        std::thread::scope(|scope| {
            let work = &work;
            let others: Vec<_> = others
                .into_iter()
                .map(|repo| scope.spawn(move || work(&repo)))
                .collect();
            let mut found = work(self.repo)?;
            for other in others {
                match other.join() {
                    Ok(more) => found.extend(more?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok(found)
        })
    }
}

/// The same for the wraps of one shard, sorted.
fn each_of_shard<T, E: From<LedgerError>>(
    repo: &Repo,
    live: &LiveSet,
    wraps: &[&FileRef],
    wanted: &impl Fn(NoteId, &WrapFile) -> bool,
    look: &impl Fn(NoteId, &[StoredNote]) -> Result<T, E>,
    found: &mut Vec<T>,
) -> Result<(), E> {
    let Some(first) = wraps.first() else { return Ok(()) };
    let keys = Shard::read(repo, &first.0)?;
    let mut bodies: Option<Shard> = None;
    let mut together: Vec<StoredNote> = Vec::new();
    for file in wraps {
        let (note, _) = note_and_digest(&file.1).ok_or_else(|| missing(file))?;
        if let Some(last) = together.last().map(|last| last.note).filter(|last| *last != note) {
            found.push(look(last, &together)?);
            together.clear();
        }
        let wrap = WrapFile::parse(&keys.file(repo, file, FILE_MAX)?).map_err(LedgerError::from)?;
        if !wanted(note, &wrap) {
            continue;
        }
        let body = live_body(live, note, &wrap)?;
        let shard = match &mut bodies {
            Some(shard) => shard,
            None => bodies.insert(Shard::read(repo, &body.0)?),
        };
        let sealed = shard.file(repo, &body, BODY_MAX as u64)?;
        let body = body.2;
        together.push(StoredNote {
            note,
            body,
            sealed,
            wrap,
        });
    }
    if let Some(last) = together.last().map(|last| last.note) {
        found.push(look(last, &together)?);
    }
    Ok(())
}
