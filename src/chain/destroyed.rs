//! Who destroyed which note (docs/FORMAT.md §7). With a note go the statements of requests about it, and whoever makes requests
//! can write these under any id: by that alone no other note is destroyed.

use super::entry::{Entry, FileRef, Kind};
use super::histories::Place;
use super::live::{Seen, note_of};
use super::matter::Statement;
use crate::id::{Digest, NoteId};
use std::collections::{BTreeMap, HashMap};

/// Whether a body is the statement of a request, and nothing else.
pub(super) type IsStatement<'s> = &'s dyn Fn(Statement) -> bool;

/// Every entry that destroyed a note, or some of its files, with what its log had seen by then.
#[derive(Default)]
pub(super) struct Destructions(HashMap<NoteId, Vec<Destruction>>);

struct Destruction {
    by: (Place, Seen),
    /// What it forgot of the note, wraps apart.
    bodies: Vec<Digest>,
}

impl Destructions {
    /// Takes in an entry that counts, of a log that has seen that by then.
    pub(super) fn apply(&mut self, entry: &Entry, place: Place, seen: &Seen) {
        if entry.kind != Some(Kind::Destroy) {
            return;
        }
        for (note, bodies) in bodies_of(&entry.forgot) {
            let by = (place, seen.clone());
            self.0.entry(note).or_default().push(Destruction { by, bodies });
        }
    }

    /// Whether nothing was destroyed.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who destroyed a note.
    pub(super) fn of(&self, note: NoteId, is_statement: IsStatement<'_>) -> Vec<&(Place, Seen)> {
        let all = self.0.get(&note).into_iter().flatten();
        let counted = all.filter(|one| !are_statements(note, &one.bodies, is_statement));
        counted.map(|one| &one.by).collect()
    }
}

/// The notes that an entry destroys which forgets these files.
pub(super) fn destroyed_by(forgot: &[FileRef], is_statement: IsStatement<'_>) -> Vec<NoteId> {
    let notes = bodies_of(forgot).into_iter();
    let destroyed = notes.filter(|(note, bodies)| !are_statements(*note, bodies, is_statement));
    destroyed.map(|(note, _)| note).collect()
}

fn are_statements(note: NoteId, bodies: &[Digest], is_statement: IsStatement<'_>) -> bool {
    let said = |body: &Digest| is_statement(Statement { note, body: *body });
    !bodies.is_empty() && bodies.iter().all(said)
}

/// The notes of files, each with the digests of those that are no wraps.
fn bodies_of(files: &[FileRef]) -> BTreeMap<NoteId, Vec<Digest>> {
    let mut notes: BTreeMap<NoteId, Vec<Digest>> = BTreeMap::new();
    for file in files {
        let Some(note) = note_of(&file.1) else { continue };
        let bodies = notes.entry(note).or_default();
        bodies.extend(file.0.starts_with("notes/").then_some(file.2));
    }
    notes
}
