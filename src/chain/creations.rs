//! In which order notes came to be.

use super::entry::{Entry, FileRef};
use super::live::note_of;
use crate::id::{LogName, NoteId};
use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The order in which logs created notes, for naming notes by bitmap. Each log is counted for itself, so that it does
/// not matter in which order logs are read: a note whose files two logs wrote stands in both.
#[derive(Default)]
pub struct Creations {
    by_log: BTreeMap<LogName, Vec<NoteId>>,
    ordinal: HashMap<NoteId, (LogName, u64)>,
    /// Notes that a log wrote which is not the one that `ordinal` names.
    again: HashSet<(LogName, NoteId)>,
}

impl Creations {
    /// Takes an entry into account. Entries of one log come in order.
    pub fn apply(&mut self, entry: &Entry) {
        for FileRef(name, path, _) in &entry.wrote {
            let Some(note) = name.starts_with("notes/").then(|| note_of(path)).flatten() else {
                continue;
            };
            let list = self.by_log.entry(entry.log).or_default();
            match self.ordinal.entry(note) {
                Occupied(known) if known.get().0 == entry.log => continue,
                Occupied(_) if !self.again.insert((entry.log, note)) => continue,
                Occupied(_) => {}
                Vacant(new) => drop(new.insert((entry.log, list.len() as u64))),
            }
            list.push(note);
        }
    }

    /// A note's log and place among its note-creating entries.
    pub fn ordinal(&self, note: NoteId) -> Option<(LogName, u64)> {
        self.ordinal.get(&note).copied()
    }

    /// The notes that each log created, in order.
    pub fn by_log(&self) -> &BTreeMap<LogName, Vec<NoteId>> {
        &self.by_log
    }
}
