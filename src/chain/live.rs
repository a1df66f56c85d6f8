//! What exists: files that some verified entry wrote and no verified entry forgot.
//!
//! The rule does not depend on the order in which entries of different logs are seen, so that two
//! clones that hold the same logs agree.

use super::entry::{Entry, FileRef};
use crate::id::{Digest, EntryRef, LogName, NoteId};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The files that the logs say exist.
#[derive(Default)]
pub struct LiveSet {
    wrote: HashMap<FileRef, EntryRef>,
    forgot: HashSet<FileRef>,
}

impl LiveSet {
    /// Takes an entry into account.
    pub fn apply(&mut self, entry: &Entry) {
        for file in &entry.wrote {
            self.wrote.entry(file.clone()).or_insert_with(|| entry.place());
        }
        self.forgot.extend(entry.forgot.iter().cloned());
    }

    /// Whether a file of that content exists.
    pub fn is_live(&self, file: &FileRef) -> bool {
        self.wrote.contains_key(file) && !self.forgot.contains(file)
    }

    /// The entry that wrote a file, forgotten or not.
    pub fn written_by(&self, file: &FileRef) -> Option<EntryRef> {
        self.wrote.get(file).copied()
    }

    /// Whether a file was forgotten.
    pub fn is_forgotten(&self, file: &FileRef) -> bool {
        self.forgot.contains(file)
    }

    /// All files that exist, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&FileRef, EntryRef)> {
        self.wrote
            .iter()
            .filter(|(file, _)| !self.forgot.contains(*file))
            .map(|(file, entry)| (file, *entry))
    }

    /// Files that were written at all, also those forgotten since.
    pub fn ever(&self) -> impl Iterator<Item = &FileRef> {
        self.wrote.keys()
    }
}

/// The order in which logs created notes, for naming notes by bitmap.
#[derive(Default)]
pub struct Creations {
    by_log: BTreeMap<LogName, Vec<NoteId>>,
    ordinal: HashMap<NoteId, (LogName, u64)>,
}

impl Creations {
    /// Takes an entry into account. Entries of one log come in order.
    pub fn apply(&mut self, entry: &Entry) {
        // An entry creates the first note it wrote a body of, if no entry did before.
        for FileRef(name, path, _) in &entry.wrote {
            let note = name.starts_with("notes/").then(|| note_of(path)).flatten();
            let Some(note) = note.filter(|note| !self.ordinal.contains_key(note)) else {
                continue;
            };
            let list = self.by_log.entry(entry.log).or_default();
            self.ordinal.insert(note, (entry.log, list.len() as u64));
            list.push(note);
        }
    }

    /// A note's log and place among its note-creating entries.
    pub fn ordinal(&self, note: NoteId) -> Option<(LogName, u64)> {
        self.ordinal.get(&note).copied()
    }

    /// The note at a place.
    pub fn note(&self, log: LogName, index: u64) -> Option<NoteId> {
        self.by_log.get(&log)?.get(usize::try_from(index).ok()?).copied()
    }
}

/// The note of a file name `<note>.<digest>`.
pub fn note_of(path: &str) -> Option<NoteId> {
    path.split_once('.')?.0.parse().ok()
}

/// Note and digest of a file name `<note>.<digest>`.
pub fn note_and_digest(path: &str) -> Option<(NoteId, Digest)> {
    let (note, digest) = path.split_once('.')?;
    Some((note.parse().ok()?, digest.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::example;
    use super::*;
    use crate::chain::Kind;
    use proptest::prelude::*;

    fn file(n: u8) -> FileRef {
        FileRef(
            "notes/00".into(),
            format!("{}.{}", NoteId([n; 16]), Digest([n; 32])),
            Digest([n; 32]),
        )
    }

    fn entries(changes: &[(bool, u8)]) -> Vec<Entry> {
        let change = |(seq, (wrote, n)): (usize, &(bool, u8))| {
            let mut entry = example(seq as u64 + 1, Digest([0; 32]));
            entry.kind = Some(Kind::Add);
            if *wrote {
                entry.wrote.push(file(*n))
            } else {
                entry.forgot.push(file(*n))
            }
            entry
        };
        changes.iter().enumerate().map(change).collect()
    }

    proptest! {
        #[test]
        fn what_exists_does_not_depend_on_the_order(changes in proptest::collection::vec((any::<bool>(), 0u8..5), 0..20)) {
            let (mut forward, mut backward) = (LiveSet::default(), LiveSet::default());
            let all = entries(&changes);
            all.iter().for_each(|entry| forward.apply(entry));
            all.iter().rev().for_each(|entry| backward.apply(entry));
            for n in 0..5 {
                let expected = changes.contains(&(true, n)) && !changes.contains(&(false, n));
                prop_assert_eq!(forward.is_live(&file(n)), expected);
                prop_assert_eq!(backward.is_live(&file(n)), expected);
            }
        }
    }

    #[test]
    fn notes_are_counted_once_in_the_order_of_their_creation() {
        let mut creations = Creations::default();
        entries(&[(true, 3), (true, 1), (true, 3)])
            .iter()
            .for_each(|entry| creations.apply(entry));
        let log = example(0, Digest([0; 32])).log;
        assert_eq!(creations.ordinal(NoteId([1; 16])), Some((log, 1)));
        assert_eq!(creations.note(log, 0), Some(NoteId([3; 16])));
        assert_eq!(creations.note(log, 2), None);
    }
}
