//! All live notes, read on as many processors as there are.

use super::error::LedgerError;
use super::in_order::{STACK, processors};
use super::objects::{FILE_MAX, note_ref, wrap_ref};
use super::start::Ledger;
use super::stored::{SEALED_MAX, Shard, StoredNote};
use crate::chain::{LiveFile, LiveSet};
use crate::envelope::WrapFile;
use crate::id::{Digest, LogName, NoteId};
use crate::repo::Repo;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Below so many wraps one processor is quicker alone.
const WRAPS_ALONE: usize = 64;

impl Ledger<'_> {
    /// Of each log the live notes that it wrote something of, the last written first.
    pub fn last_written(&self) -> Vec<Vec<NoteId>> {
        let mut last: BTreeMap<LogName, HashMap<NoteId, u64>> = BTreeMap::new();
        for (file, by) in self.standing.live.iter() {
            // Wraps are written anew for all notes together.
            if let Some(note) = file.note().filter(|_| file.wrap_of().is_none()) {
                let seq = last.entry(by.log).or_default().entry(note).or_default();
                *seq = by.seq.max(*seq);
            }
        }
        let in_order = |notes: HashMap<NoteId, u64>| {
            let mut notes: Vec<(NoteId, u64)> = notes.into_iter().collect();
            notes.sort_unstable_by_key(|(note, seq)| (std::cmp::Reverse(*seq), *note));
            notes.into_iter().map(|(note, _)| note).collect()
        };
        last.into_values().map(in_order).collect()
    }

    /// Reads every live note `among` those whose wrap is `wanted`, matched with the log, and gives all revisions of it together to
    /// `look`, which puts what it finds behind what was found before, in no order. Nothing is opened here. Damage ends it,
    /// as in [`Ledger::wraps`].
    pub fn each_note<T: Send, E: From<LedgerError> + Send>(
        &self,
        among: impl Fn(NoteId) -> bool,
        wanted: impl Fn(NoteId, &WrapFile) -> bool + Sync,
        look: impl Fn(NoteId, &[StoredNote], &mut Vec<T>) -> Result<(), E> + Sync,
    ) -> Result<Vec<T>, E> {
        let live = &self.standing.live;
        let wraps_in = |first| {
            let wraps = live.wraps_in(first).filter(|(note, _)| among(*note));
            wraps.map(|(note, file)| (note, file.digest())).collect()
        };
        let shards: Vec<Vec<(NoteId, Digest)>> = (0..=255).map(wraps_in).collect();
        let wraps: usize = shards.iter().map(Vec::len).sum();

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
        let workers = match wraps < WRAPS_ALONE {
            true => 1,
            false => processors(),
        };
        // Each has a way into the repository of its own.
        let mut readers = self.repo.readers(workers).map_err(LedgerError::from)?;
        let own = readers.pop();
        std::thread::scope(|scope| {
            let work = &work;
            // Where no thread is to be had, those that are do its work.
            let start = |repo| {
                let thread = std::thread::Builder::new().stack_size(STACK);
                thread.spawn_scoped(scope, move || work(&repo)).ok()
            };
            let others: Vec<_> = readers.into_iter().filter_map(start).collect();
            let mut found = work(own.as_ref().unwrap_or(self.repo))?;
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

/// The body that a wrap names, if it exists. Others may have forgotten it who did not know that it was wrapped anew meanwhile, as
/// where the note was relabelled; or a card does not accept the entry that wrote it; or whoever wrapped it made it up. Such a
/// wrap is in nobody's way: the verifier tells of it.
pub(super) fn body_of(live: &LiveSet, note: NoteId, wrap: &WrapFile) -> Result<Option<LiveFile>, LedgerError> {
    let body = LiveFile::body(note, wrap.body()?);
    Ok(live.lives(&body).then_some(body))
}

/// The same for the wraps of one shard.
fn each_of_shard<T, E: From<LedgerError>>(
    repo: &Repo,
    live: &LiveSet,
    wraps: &[(NoteId, Digest)],
    wanted: &impl Fn(NoteId, &WrapFile) -> bool,
    look: &impl Fn(NoteId, &[StoredNote], &mut Vec<T>) -> Result<(), E>,
    found: &mut Vec<T>,
) -> Result<(), E> {
    let Some((first, _)) = wraps.first() else { return Ok(()) };
    let keys = Shard::read(repo, &wrap_ref(*first))?;
    // By path: the revisions of a note stand together, and so they do in a pack. Wraps first, and then bodies: each kind is
    // read from one end of where it stands to the other.
    let mut wraps = wraps.to_vec();
    wraps.sort_unstable();
    let mut opening = Vec::with_capacity(wraps.len());
    for (note, digest) in wraps {
        let file = LiveFile::wrap(note, digest);
        let wrap = WrapFile::parse(&keys.sealed(repo, &file, FILE_MAX)?).map_err(LedgerError::from)?;
        if !wanted(note, &wrap) {
            continue;
        }
        if let Some(body) = body_of(live, note, &wrap)? {
            opening.push((note, wrap, body));
        }
    }
    if opening.is_empty() {
        return Ok(());
    }
    let bodies = Shard::read(repo, &note_ref(*first))?;
    let mut together: Vec<StoredNote> = Vec::new();
    for (note, wrap, file) in opening {
        if let Some(last) = together.last().map(|last| last.note).filter(|last| *last != note) {
            look(last, &together, found)?;
            together.clear();
        }
        let sealed = bodies.sealed(repo, &file, SEALED_MAX)?;
        let body = file.digest();
        together.push(StoredNote {
            note,
            body,
            sealed,
            wrap,
        });
    }
    if let Some(last) = together.last().map(|last| last.note) {
        look(last, &together, found)?;
    }
    Ok(())
}
