//! Who destroyed which note (docs/FORMAT.md §7). With a note go the statements of requests about it, and whoever makes requests
//! can write these under any id: by that alone no other note is destroyed.

use super::entry::{Entry, FileRef, Kind};
use super::histories::Place;
use super::live::note_of;
use super::matter::Statement;
use crate::id::{Digest, NoteId};
use std::collections::{BTreeMap, HashMap};

/// Every entry that destroyed a note, or some of its files.
#[derive(Default)]
pub(super) struct Destructions(HashMap<NoteId, Vec<Destruction>>);

/// One of them, as far as it is about one note.
pub(super) struct Destruction {
    pub(super) by: Place,
    /// What it forgot of the note, wraps apart.
    bodies: Vec<Digest>,
}

impl Destructions {
    /// Takes in an entry that counts.
    pub(super) fn apply(&mut self, entry: &Entry, by: Place) {
        if entry.kind != Some(Kind::Destroy) {
            return;
        }
        for (note, bodies) in bodies_of(&entry.forgot) {
            self.0.entry(note).or_default().push(Destruction { by, bodies });
        }
    }

    /// Whether nothing was destroyed.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who may have destroyed a note.
    pub(super) fn of(&self, note: NoteId) -> &[Destruction] {
        self.0.get(&note).map_or(&[], Vec::as_slice)
    }
}

impl Destruction {
    /// Whether it forgot more of the note than statements.
    pub(super) fn destroys(&self, note: NoteId, is_statement: impl Fn(Statement) -> bool) -> bool {
        is_more(note, &self.bodies, is_statement)
    }
}

/// The notes that an entry destroys which forgets these files.
pub(super) fn destroyed_by(forgot: &[FileRef], is_statement: impl Fn(Statement) -> bool) -> Vec<NoteId> {
    let notes = bodies_of(forgot).into_iter();
    let destroyed = notes.filter(|(note, bodies)| is_more(*note, bodies, &is_statement));
    destroyed.map(|(note, _)| note).collect()
}

fn is_more(note: NoteId, bodies: &[Digest], is_statement: impl Fn(Statement) -> bool) -> bool {
    let said = |body: &Digest| is_statement(Statement { note, body: *body });
    bodies.is_empty() || !bodies.iter().all(said)
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::entry::tests::example;
    use super::super::live::LiveSet;
    use super::super::{Deed, Matter, Time};
    use super::*;
    use crate::id::LogName;

    const NOTE: NoteId = NoteId([7; 16]);

    fn log(device: u8) -> LogName {
        format!("{device:016x}-00000001").parse().unwrap()
    }

    fn entry(device: u8, seq: u64, kind: Kind) -> Entry {
        Entry {
            log: log(device),
            kind: Some(kind),
            wrote: Vec::new(),
            ..example(seq, Digest([0; 32]))
        }
    }

    fn files() -> Vec<FileRef> {
        let file = |branch: &str, fill| {
            let digest = Digest([fill; 32]);
            FileRef(branch.into(), format!("{NOTE}.{digest}"), digest)
        };
        vec![file("keys/07", 1), file("notes/07", 2)]
    }

    #[test]
    fn a_statement_under_a_note_s_id_is_not_that_note_whatever_is_written_later() {
        let request = Entry {
            wrote: files(),
            matter: Some(Matter {
                deed: Deed::Destroy,
                note: NoteId([9; 16]),
                objects: Digest([8; 32]),
                until: Time::from_unix(2_000_000_000),
            }),
            ..entry(1, 1, Kind::Request)
        };
        let add = Entry {
            wrote: files(),
            ..entry(1, 2, Kind::Add)
        };
        // How much of the first log the destroyer had seen; what they forgot; whether they destroyed the note.
        for (seen, forgot, destroyed) in [
            (2, files(), false),
            (3, files(), true),
            // Not even the request: one wrote it all the same.
            (0, files(), false),
            (2, files()[..1].to_vec(), true),
        ] {
            let destroy = Entry {
                seen: [(log(1), (seen, Digest([0; 32])))].into(),
                forgot,
                ..entry(2, 1, Kind::Destroy)
            };
            for all in [
                [&request, &destroy, &add],
                [&add, &destroy, &request],
                [&destroy, &request, &add],
            ] {
                let mut live = LiveSet::default();
                all.into_iter().for_each(|entry| live.apply(entry));
                assert_eq!(live.is_destroyed(NOTE), destroyed, "{seen}");
            }
        }
    }
}
