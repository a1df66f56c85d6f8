//! What has to hold once all have synced.

use super::super::super::*;
use super::{Done, MARA, SEATS, World, git, word};
use crate::chain::Time;
use crate::id::{Digest, NoteId};
use crate::label::{Clearance, Label, Level};
use crate::ledger::{Anchors, StoredNote, Verdict};
use crate::repo::{Repo, Settings};
use std::collections::{BTreeMap, BTreeSet};

/// Something that is stored, opened.
struct Opened {
    note: NoteId,
    nature: shared::Nature,
    label: Label,
    body: Digest,
    metadata: crate::envelope::Metadata,
}

impl World {
    /// All that anybody has the keys for; what goes to people by name as each of them has it.
    fn opened_by_anybody(&self) -> Vec<Opened> {
        let mut all = self.opened(MARA);
        for seat in [1, 3] {
            let own = self.opened(seat).into_iter();
            all.extend(
                own.filter(|item| item.label.level() == Level::Named && item.nature != shared::Nature::Statement),
            );
        }
        all
    }

    /// All that somebody has the keys for: below the gate, so that no entry says so.
    fn opened(&self, seat: usize) -> Vec<Opened> {
        let context = self.at(seat);
        let unlocked = context.unlock().unwrap();
        let desk = unlocked.desk(&context).unwrap();
        let wraps = desk.ledger.wraps("").unwrap();
        let readable = desk.gate().readable(wraps, &desk.clearance());
        let gate = desk.gate();
        let open = |stored: StoredNote| {
            let (nature, label, metadata) = gate.see_through(&stored).unwrap();
            Opened {
                note: stored.note,
                nature,
                label,
                body: stored.body,
                metadata,
            }
        };
        let wraps = readable.into_iter().map(|(note, _, wrap)| (note, wrap)).collect();
        desk.ledger.stored_many(wraps).unwrap().into_iter().map(open).collect()
    }

    /// What everybody's card covers now, and whether they are paused.
    fn clearances(&self) -> BTreeMap<String, (Clearance, bool)> {
        let context = self.at(MARA);
        let unlocked = context.unlock().unwrap();
        let desk = unlocked.desk(&context).unwrap();
        let cards = desk.ledger.charter().roster.members();
        cards
            .map(|card| (card.handle.clone(), (card.clearance(context.now()), card.paused)))
            .collect()
    }

    /// All is the same everywhere, intact, and as it was acknowledged.
    pub(super) fn check(&mut self, deep: bool) {
        self.settle();
        let listed = git(&self.hub(), &["for-each-ref", "--format=%(refname) %(objectname)"]);
        let there = listed.lines().filter_map(|line| line.split_once(' '));
        let there = there.map(|(name, oid)| (name.to_owned(), oid.to_owned())).collect();
        let there = Self::without_empty(&self.hub(), there);
        for seat in 0..SEATS.len() {
            let here = Self::without_empty(&Places::under(&self.computers[seat].root).vault(), self.refs(seat));
            assert_eq!(here, there, "{seat}");
            let report = verify(&self.at(seat), None, &[], None, deep).unwrap();
            assert_eq!(report.verdict, Verdict::Intact, "{:?}", report.told());
        }
        let hub = Repo::open_to_verify(&self.hub(), Settings::of_this_run())
            .unwrap()
            .with_packs();
        let anchors = Anchors {
            receipt: None,
            high_water: None,
            witnesses: &[],
            now: Time::from_unix(self.now),
            deep,
        };
        let report = crate::ledger::verify(&hub, &anchors).unwrap();
        assert_eq!(report.verdict, Verdict::Intact, "{:?}", report.told());
        self.check_notes();
        self.check_forgotten(there.keys());
        for seat in 0..SEATS.len() {
            self.check_list(seat);
        }
        self.check_attachments();
    }

    /// What was acknowledged is there, and its newest is not covered by anything; what was destroyed is not.
    fn check_notes(&self) {
        let mut opened: BTreeMap<NoteId, Vec<Opened>> = BTreeMap::new();
        for item in self.opened_by_anybody() {
            opened.entry(item.note).or_default().push(item);
        }
        for (index, note) in self.notes.iter().enumerate() {
            let all = opened.remove(&note.id).unwrap_or_default();
            if self.destroyed(index) {
                assert!(all.is_empty(), "note {index} was destroyed");
                continue;
            }
            let of_it = || all.iter().filter(|item| item.nature == note.nature);
            let followed: BTreeSet<Digest> = of_it().flat_map(|item| item.metadata.parents.clone()).collect();
            let words = |heads: bool| {
                let some = of_it().filter(|item| !heads || !followed.contains(&item.body));
                some.map(|item| item.metadata.title.clone()).collect::<BTreeSet<_>>()
            };
            if note.nature != shared::Nature::Note {
                assert_eq!(of_it().count(), 1, "draft {index}");
                continue;
            }
            let (written, heads) = self.written(&self.hub, index);
            let [written, heads] = [written, heads].map(|done| done.into_iter().map(word).collect::<BTreeSet<_>>());
            assert_eq!(words(false), written, "note {index}");
            let found = words(true);
            let fine = heads == found || note.relabelled && heads.is_subset(&found);
            assert!(fine, "note {index}: {heads:?} are its heads, and found were {found:?}");
        }
        let strange = |item: &Opened| item.nature != shared::Nature::Statement;
        assert_eq!(opened.values().flatten().filter(|item| strange(item)).count(), 0);
    }

    /// No branch of the bare repository names anything that was destroyed.
    fn check_forgotten<'r>(&self, refs: impl Iterator<Item = &'r String>) {
        let live = |name: &&String| name.starts_with("refs/heads/notes/") || name.starts_with("refs/heads/keys/");
        let files: String = refs
            .filter(live)
            .map(|name| git(&self.hub(), &["ls-tree", "-r", "--name-only", name]))
            .collect();
        for (index, note) in self.notes.iter().enumerate() {
            let gone = !files.contains(&note.id.to_string());
            assert_eq!(gone, self.destroyed(index), "note {index}");
        }
    }

    /// What may explain what became of a note.
    fn described(&self, note: NoteId) -> String {
        let all = self.opened_by_anybody();
        let labels: Vec<&Label> = all
            .iter()
            .filter(|item| item.note == note)
            .map(|item| &item.label)
            .collect();
        let index = self.notes.iter().position(|known| known.id == note);
        let client = index.map(|index| (&self.notes[index].client, self.notes[index].relabelled));
        format!("note {index:?} of {client:?}: {labels:?}")
    }

    /// Everybody lists what their card covers of it.
    fn check_list(&mut self, seat: usize) {
        let who = SEATS[seat];
        let (clearance, paused) = self.clearances().remove(who).unwrap();
        let listed = list(&self.at(seat), &ListQuery::default());
        if paused {
            assert_eq!(listed.err().map(|error| error.kind), Some(Kind::Denied));
            return;
        }
        let lines: BTreeMap<NoteId, String> = listed
            .unwrap()
            .into_iter()
            .map(|line| (line.listed.note, line.listed.metadata.title.clone()))
            .collect();
        let covers = |label: &Label| match label.level() {
            Level::Named => label.people().contains(&clearance.person),
            _ => clearance.dominates(label),
        };
        let mut expected: BTreeSet<NoteId> = BTreeSet::new();
        for item in self.opened_by_anybody() {
            let barred = |(by, client): &(&str, String)| *by == who && *client == item.metadata.client;
            if item.nature == shared::Nature::Note && covers(&item.label) && !self.conflicts.iter().any(barred) {
                expected.insert(item.note);
            }
        }
        let listed: BTreeSet<NoteId> = lines.keys().copied().collect();
        let odd = listed.symmetric_difference(&expected);
        let odd: Vec<String> = odd.map(|note| self.described(*note)).collect();
        assert!(odd.is_empty(), "listed by {who} at {seat}, or not: {odd:#?}");
        for (note, title) in lines {
            let note = self.notes.iter().position(|known| known.id == note).unwrap();
            self.assert_current(seat, note, &title);
        }
    }

    /// What was attached is there, and where mara may read it, byte for byte.
    fn check_attachments(&self) {
        let all = self.opened_by_anybody();
        let attached = all.iter().filter(|item| item.nature == shared::Nature::Attachment);
        let attached: BTreeMap<(NoteId, &str), bool> = attached
            .map(|item| {
                (
                    (item.note, item.metadata.title.as_str()),
                    item.label.level() != Level::Named,
                )
            })
            .collect();
        for (index, done) in self.done.iter().enumerate() {
            let Done::Attached { note, times } = done else { continue };
            if self.destroyed(*note) {
                continue;
            }
            let (id, name) = (self.notes[*note].id, word(index));
            let for_mara = attached.get(&(id, name.as_str()));
            let Some(true) = for_mara else {
                assert!(for_mara.is_some(), "{name} of note {note}");
                continue;
            };
            let (id, path) = (id.to_string(), self.folder.path().join("extracted"));
            extract(&self.at(MARA), &id, &name, Place::New(Some(path.clone()))).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), name.repeat(*times));
            std::fs::remove_file(path).unwrap();
        }
    }
}
