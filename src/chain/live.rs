//! What exists: files that some verified entry wrote and no verified entry forgot.
//!
//! The rule does not depend on the order in which entries of different logs are seen, so that two
//! clones that hold the same logs agree. What was forgotten does not come back, with one exception: a file of `main`
//! (who, and by what rules) may be put back as it was by an entry that knows of the forgetting: policies are changed
//! and changed back. And a note that was destroyed stays so: what somebody wrote to it without knowing of that, does
//! not exist.

use super::cuts::Cuts;
use super::destroyed::{Destruction, Destructions, destroyed_by};
use super::entry::{Entry, FileRef, Kind};
use super::histories::{Histories, Place};
use super::holds::{self, Hold, Holds, LeadAt};
use super::matter::{Matters, Statement};
use super::problem::Problem;
use super::sights::Sights;
use super::withdrawn::Withdrawals;
use crate::id::{DeviceId, Digest, EntryRef, LogName, NoteId, encode_digits};
use std::borrow::Cow;
use std::collections::hash_map::Entry::{self as Slot, Occupied, Vacant};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{Hash, Hasher};

/// The branch whose files may be put back.
const MAIN: &str = "main";

/// A file as it is remembered: there may be many of notes, and they say twice over what they are.
#[derive(Clone, PartialEq, Eq)]
pub struct LiveFile(Held);

#[derive(Clone, PartialEq, Eq)]
enum Held {
    /// `<note>.<digest>` in the shard of its note, named by its own digest.
    OfNote(Room, NoteId, Digest),
    Other(Box<FileRef>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Room {
    Notes,
    Keys,
}

impl Room {
    const ALL: [(Self, &'static str); 2] = [(Self::Notes, "notes/"), (Self::Keys, "keys/")];

    fn branch(self, note: NoteId) -> String {
        let prefix = if self == Self::Notes { "notes/" } else { "keys/" };
        format!("{prefix}{}", note.shard())
    }
}

impl Hash for LiveFile {
    /// All at once, and all of it: whoever writes entries may name what there is not.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match &self.0 {
            Held::OfNote(room, note, digest) => {
                let mut bytes = [0; 49];
                bytes[..16].copy_from_slice(&note.0);
                bytes[16..48].copy_from_slice(&digest.0);
                bytes[48] = *room as u8;
                state.write(&bytes);
            }
            Held::Other(file) => file.hash(state),
        }
    }
}

impl From<&FileRef> for LiveFile {
    fn from(file: &FileRef) -> Self {
        let named = Self::named(&file.0, &file.1).filter(|named| named.digest() == file.2);
        named.unwrap_or_else(|| Self(Held::Other(Box::new(file.clone()))))
    }
}

impl LiveFile {
    /// The file for which a name in a shard stands, if it says whose it is and what it holds.
    pub fn named(branch: &str, path: &str) -> Option<Self> {
        let named = |(room, prefix): (Room, &str)| Some((room, branch.strip_prefix(prefix)?));
        let (room, shard) = Room::ALL.into_iter().find_map(named)?;
        let (note, digest) = note_and_digest(path)?;
        (note.is_in(shard)).then_some(Self(Held::OfNote(room, note, digest)))
    }

    /// The wrap of a note that has this digest.
    pub fn wrap(note: NoteId, digest: Digest) -> Self {
        Self(Held::OfNote(Room::Keys, note, digest))
    }

    /// The body of a note that has this digest.
    pub fn body(note: NoteId, digest: Digest) -> Self {
        Self(Held::OfNote(Room::Notes, note, digest))
    }

    /// As entries name it.
    pub fn file(&self) -> FileRef {
        match &self.0 {
            Held::OfNote(room, note, digest) => FileRef(room.branch(*note), format!("{note}.{digest}"), *digest),
            Held::Other(file) => file.as_ref().clone(),
        }
    }

    /// Under which name it stands in its shard, if it is of a note: `<note>.<digest>`.
    pub fn name_of_note(&self) -> Option<[u8; 97]> {
        let Held::OfNote(_, note, digest) = &self.0 else {
            return None;
        };
        let mut name = [b'.'; 97];
        encode_digits(&note.0, &mut name[..32]);
        encode_digits(&digest.0, &mut name[33..]);
        Some(name)
    }

    /// Its branch.
    pub fn branch(&self) -> Cow<'_, str> {
        match &self.0 {
            Held::OfNote(room, note, _) => room.branch(*note).into(),
            Held::Other(file) => file.0.as_str().into(),
        }
    }

    /// Digest of its content.
    pub fn digest(&self) -> Digest {
        match &self.0 {
            Held::OfNote(_, _, digest) => *digest,
            Held::Other(file) => file.2,
        }
    }

    /// The note whose file it is, in a shard.
    pub fn note(&self) -> Option<NoteId> {
        match &self.0 {
            Held::OfNote(_, note, _) => Some(*note),
            Held::Other(_) => None,
        }
    }

    /// The note whose wrap it is.
    pub fn wrap_of(&self) -> Option<NoteId> {
        self.note().filter(|_| matches!(self.0, Held::OfNote(Room::Keys, ..)))
    }

    /// Whether it is on that branch, which holds no notes, under a name that begins so.
    pub fn is_at(&self, branch: &str, prefix: &str) -> bool {
        matches!(&self.0, Held::Other(file) if file.0 == branch && file.1.starts_with(prefix))
    }
}

/// Every file that was written, and the entry that wrote it first. Those of each shard by themselves: who goes through
/// a shard finds them near one another in memory.
#[derive(Default)]
struct Written(Vec<HashMap<LiveFile, EntryRef>>);

impl Written {
    /// So many shards there are, and after them is what belongs to none.
    const SHARDS: usize = 2 * 256;

    fn shelf(file: &LiveFile) -> usize {
        match &file.0 {
            Held::OfNote(room, note, _) => *room as usize * 256 + usize::from(note.0[0]),
            Held::Other(_) => Self::SHARDS,
        }
    }

    fn slot(&mut self, file: LiveFile) -> Slot<'_, LiveFile, EntryRef> {
        if self.0.is_empty() {
            self.0.resize_with(Self::SHARDS + 1, HashMap::new);
        }
        self.0[Self::shelf(&file)].entry(file)
    }

    fn get(&self, file: &LiveFile) -> Option<EntryRef> {
        self.0.get(Self::shelf(file))?.get(file).copied()
    }

    fn iter(&self) -> impl Iterator<Item = (&LiveFile, &EntryRef)> {
        self.0.iter().flatten()
    }
}

/// The files that the logs say exist. Entries of one history are applied in order, those of a log's own branch first.
#[derive(Default)]
pub struct LiveSet {
    cuts: Cuts,
    histories: Histories,
    wrote: Written,
    /// Every entry that wrote a file, where it is not one entry of the history under the log's own name.
    writers: HashMap<LiveFile, Vec<Place>>,
    forgot: HashSet<LiveFile>,
    /// What entries wrote that do not count.
    beyond: HashSet<LiveFile>,
    /// What each history of a log has seen: of a log with several histories all that it has, since what is seen of one does
    /// not undo what was seen of another.
    sights: HashMap<(LogName, usize), Sights>,
    /// Every writing of a file of `main`, and every forgetting.
    writings: HashMap<FileRef, Vec<Place>>,
    forgettings: HashMap<FileRef, Vec<Place>>,
    destructions: Destructions,
    matters: Matters,
    holds: Holds,
    withdrawals: Withdrawals,
}

impl LiveSet {
    /// An empty one, for which of each log only so much counts.
    pub fn within(cuts: Cuts) -> Self {
        Self {
            cuts,
            ..Self::default()
        }
    }

    /// What is between several people.
    pub fn matters(&self) -> &Matters {
        &self.matters
    }

    /// What was taken back of `main`.
    pub fn withdrawals(&self) -> &Withdrawals {
        &self.withdrawals
    }

    /// How far each log counts.
    pub fn cuts(&self) -> &Cuts {
        &self.cuts
    }

    /// Takes an entry of the history under its log's own name into account, if it counts.
    pub fn apply(&mut self, entry: &Entry) {
        self.apply_in(entry, 0);
    }

    /// Takes an entry into account, if it counts, that was read in the history of that number; what is asked afterwards
    /// goes by what [`LiveSet::histories`] was told of it.
    pub fn apply_in(&mut self, entry: &Entry, history: usize) {
        let tells = !(entry.seen.is_empty() && entry.kind.is_none());
        if !tells {
            return;
        }
        if !self.cuts.admit(entry) {
            self.beyond.extend(entry.wrote.iter().map(LiveFile::from));
            return;
        }
        self.matters.apply(entry, history);
        self.withdrawals.apply(entry, history);
        let place = Place {
            entry: entry.place(),
            history,
        };
        if entry.kind == Some(Kind::Withdraw) {
            self.withdraw(entry, history);
        }
        let sights = self.sights.entry((entry.log, history)).or_default();
        for (log, end) in &entry.seen {
            sights.tell(*log, entry.seq, *end, self.histories.are_several(*log));
        }
        // Of these it is asked afterwards what they knew of.
        let knowing = matches!(entry.kind, Some(Kind::Destroy | Kind::Hold | Kind::Lift));
        if knowing || entry.wrote.iter().any(|file| file.0 == MAIN) {
            sights.judge(entry.seq);
        }
        self.holds.apply(entry, place);
        self.destructions.apply(entry, place);
        let withdraws = entry.kind == Some(Kind::Withdraw);
        let of_main = |file: &&FileRef| file.0 == MAIN;
        for file in entry.wrote.iter().filter(|file| !(withdraws && of_main(file))) {
            let live = LiveFile::from(file);
            // The history under the log's own name writes most files once.
            let (live, before) = match self.wrote.slot(live) {
                Occupied(known) => {
                    let (entry, history) = (*known.get(), 0);
                    (Some(known.key().clone()), vec![Place { entry, history }])
                }
                Vacant(new) => {
                    let live = (history > 0).then(|| new.key().clone());
                    new.insert(place.entry);
                    (live, Vec::new())
                }
            };
            if let Some(live) = live {
                self.writers.entry(live).or_insert(before).push(place);
            }
            if file.0 == MAIN {
                self.writings.entry(file.clone()).or_default().push(place);
            }
        }
        for file in entry.forgot.iter().filter(|file| !(withdraws && of_main(file))) {
            self.forgot.insert(file.into());
            if file.0 == MAIN {
                self.forgettings.entry(file.clone()).or_default().push(place);
            }
        }
    }

    /// What is taken back of `main` counts as not written by its log before, and what is put back as not forgotten: what others
    /// wrote or forgot meanwhile, alike as it may be, is another matter.
    fn withdraw(&mut self, entry: &Entry, history: usize) {
        let own = |place: &Place| place.entry.log == entry.log && place.history == history;
        for file in entry.forgot.iter().filter(|file| file.0 == MAIN) {
            self.forgot.insert(file.into());
            let writings = self.writings.entry(file.clone()).or_default();
            writings.retain(|place| !own(place));
        }
        for file in entry.wrote.iter().filter(|file| file.0 == MAIN) {
            let forgettings = self.forgettings.entry(file.clone()).or_default();
            forgettings.retain(|place| !own(place));
        }
    }

    /// Says which logs have several histories, before any entry is applied.
    pub fn expect(&mut self, histories: Histories) {
        self.histories = histories;
    }

    /// At which sizes a log that has several histories was seen.
    pub fn asks(&self, log: LogName) -> BTreeSet<u64> {
        self.seen_of(log).map(|(size, _)| *size).collect()
    }

    /// All that is held of how a log was seen.
    pub(super) fn seen_of(&self, log: LogName) -> impl Iterator<Item = &(u64, Digest)> {
        self.sights.values().flat_map(move |sights| sights.of(log, u64::MAX))
    }

    /// The logs that have several histories, to be told apart.
    pub fn histories(&mut self) -> &mut Histories {
        &mut self.histories
    }

    /// Whether all that was seen of logs with several histories is known to be of one of them.
    pub fn knows_apart(&self) -> bool {
        let mut logs = self.histories.logs().into_iter();
        logs.all(|log| self.seen_of(log).all(|end| self.histories.know(log, *end)))
    }

    /// All holds by leads.
    pub fn holds(&self, lead: LeadAt<'_>) -> Vec<Hold> {
        self.holds.all(&|by, place| self.knows(by, place), lead)
    }

    /// Whether a note is under a hold that nobody lifted.
    pub fn is_held(&self, note: NoteId, lead: LeadAt<'_>) -> bool {
        self.holds.is_held(note, &|by, place| self.knows(by, place), lead)
    }

    /// What is wrong with holds, lifts and the destruction of what was held; and the destructions by whoever could not know
    /// of the hold. `lacks`: entries were lost.
    pub fn judge_holds(&self, lead: LeadAt<'_>, lacks: bool) -> (Vec<Problem>, Vec<Problem>) {
        let knows = |by, place| self.knows(by, place);
        let destructions = |note: &NoteId| self.destructions_of(*note);
        let beyond = |place: EntryRef| self.cuts.of(place.log).is_some_and(|(size, _)| place.seq >= size);
        let out_of_sight = |place| lacks || beyond(place);
        let (faults, findings) = self.holds.judge(destructions, (&knows, lead), (lacks, &out_of_sight));
        (holds::told(faults), holds::told(findings))
    }

    /// Whether a log of a device holds or has seen the entry with which somebody asked for a destruction.
    pub fn has_seen(&self, device: DeviceId, request: EntryRef) -> bool {
        let places = self.holds.schedule(request);
        let mut logs = self.sights.keys().filter(|(log, _)| log.device == device);
        logs.any(|(log, history)| {
            // Behind the last of its entries.
            let entry = EntryRef {
                log: *log,
                seq: u64::MAX,
            };
            let end = Place {
                entry,
                history: *history,
            };
            places.iter().any(|place| self.knows(end, *place))
        })
    }

    /// Whether whoever wrote an entry knew of the one at `place`.
    fn knows(&self, by: Place, place: Place) -> bool {
        let log = place.entry.log;
        if log == by.entry.log {
            return place.entry.seq < by.entry.seq && self.histories.stands_in(place, by.history);
        }
        let sights = self.sights.get(&(by.entry.log, by.history)).into_iter();
        let ends = sights.flat_map(|sights| sights.of(log, by.entry.seq));
        let counted = if self.histories.are_several(log) { usize::MAX } else { 1 };
        let mut ends = ends.take(counted);
        ends.any(|end| self.histories.stands_below(place, *end))
    }

    /// The entry by which a file of that content exists.
    fn living(&self, file: &LiveFile) -> Option<EntryRef> {
        if !self.forgot.contains(file) {
            let place = self.wrote.get(file)?;
            return (!self.is_of_destroyed(file, place)).then_some(place);
        }
        let file = file.file();
        let forgettings = self.forgettings.get(&file).map_or(&[][..], Vec::as_slice);
        let knows_all = |writing: &&Place| forgettings.iter().all(|gone| self.knows(**writing, *gone));
        Some(self.writings.get(&file)?.iter().find(knows_all)?.entry)
    }

    /// Whether the file's note was destroyed by somebody who did not know of the entry that wrote it.
    fn is_of_destroyed(&self, file: &LiveFile, by: EntryRef) -> bool {
        if self.destructions.is_empty() {
            return false;
        }
        let note = match &file.0 {
            Held::OfNote(_, note, _) => Some(*note),
            Held::Other(file) => note_of(&file.1),
        };
        let Some(note) = note else { return false };
        let only = [Place { entry: by, history: 0 }];
        let writers = self.writers.get(file).map_or(&only[..], Vec::as_slice);
        let knew_all = |one: &Destruction| writers.iter().all(|writer| self.knows(one.by, *writer));
        let mut destructions = self.destructions.of(note).iter();
        destructions.any(|one| !knew_all(one) && self.destroys(note, one))
    }

    /// Whether a file was written to a note by somebody who did not know that it had been destroyed, and is in no
    /// entry that forgets it.
    pub fn came_too_late(&self, file: &FileRef) -> bool {
        let file = LiveFile::from(file);
        !self.forgot.contains(&file) && self.wrote.get(&file).is_some_and(|by| self.is_of_destroyed(&file, by))
    }

    /// Whether some of a note was destroyed.
    pub fn is_destroyed(&self, note: NoteId) -> bool {
        !self.destructions_of(note).is_empty()
    }

    /// The notes that an entry destroys which forgets these files.
    pub fn destroyed_by(&self, forgot: &[FileRef]) -> Vec<NoteId> {
        destroyed_by(forgot, |said| self.is_statement(said, |_| true))
    }

    /// The entries that destroyed a note.
    fn destructions_of(&self, note: NoteId) -> Vec<Place> {
        let all = self.destructions.of(note).iter();
        let counted = all.filter(|one| self.destroys(note, one));
        counted.map(|one| one.by).collect()
    }

    /// Whether a note was destroyed by that. What is written later makes no statement of then anything else.
    fn destroys(&self, note: NoteId, one: &Destruction) -> bool {
        one.destroys(note, |said| self.is_statement(said, |place| self.knows(one.by, place)))
    }

    /// Whether a body is the statement of a request: of those who wrote it and were known, each by a request that says that, and
    /// where nobody was, one.
    fn is_statement(&self, said: Statement, known: impl Fn(Place) -> bool) -> bool {
        let file = LiveFile::body(said.note, said.body);
        let only = self.wrote.get(&file).map(|entry| Place { entry, history: 0 });
        let writers = self.writers.get(&file).map_or(only.as_slice(), Vec::as_slice);
        let says = |place: &&Place| self.matters.is_statement_of(place.entry, said);
        match writers.iter().any(|place| known(*place)) {
            true => writers.iter().filter(|place| known(**place)).all(|place| says(&place)),
            false => writers.iter().any(|place| says(&place)),
        }
    }

    /// Whether a file of that content exists.
    pub fn is_live(&self, file: &FileRef) -> bool {
        self.living(&file.into()).is_some()
    }

    /// The same.
    pub fn lives(&self, file: &LiveFile) -> bool {
        self.living(file).is_some()
    }

    /// The entry that wrote a file first, forgotten or not.
    pub fn written_by(&self, file: &FileRef) -> Option<EntryRef> {
        self.wrote.get(&file.into())
    }

    /// The entries that wrote a file, forgotten or not.
    pub fn writers(&self, file: &LiveFile) -> impl Iterator<Item = EntryRef> {
        let all = self.writers.get(file).into_iter().flatten();
        all.map(|place| place.entry).chain(self.wrote.get(file))
    }

    /// Whether any entry wrote a file or forgot it, also one that does not count.
    pub fn was_ever_written(&self, file: &LiveFile) -> bool {
        self.wrote.get(file).is_some() || self.forgot.contains(file) || self.beyond.contains(file)
    }

    /// Whether a file was forgotten and not put back, or belongs to a note that was destroyed.
    pub fn is_forgotten(&self, file: &FileRef) -> bool {
        self.has_gone(&file.into())
    }

    /// The same.
    pub fn has_gone(&self, file: &LiveFile) -> bool {
        (self.forgot.contains(file) || self.wrote.get(file).is_some()) && self.living(file).is_none()
    }

    /// All files that exist, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&LiveFile, EntryRef)> {
        self.wrote.iter().filter_map(|(file, place)| self.if_live(file, *place))
    }

    /// The wraps that exist of the notes whose ids begin with this byte, in no order.
    pub fn wraps_in(&self, first: u8) -> impl Iterator<Item = (NoteId, &LiveFile)> {
        let live = self.on_shelf(Room::Keys, first);
        live.filter_map(|file| Some((file.wrap_of()?, file)))
    }

    /// The files of a note that exist, in no order.
    pub fn of_note(&self, note: NoteId) -> impl Iterator<Item = &LiveFile> {
        let rooms = [Room::Notes, Room::Keys].into_iter();
        let live = rooms.flat_map(move |room| self.on_shelf(room, note.0[0]));
        live.filter(move |file| file.note() == Some(note))
    }

    fn on_shelf(&self, room: Room, first: u8) -> impl Iterator<Item = &LiveFile> {
        let shelf = self.wrote.0.get(room as usize * 256 + usize::from(first));
        let live = shelf.into_iter().flatten();
        live.filter_map(|(file, place)| self.if_live(file, *place).map(|(file, _)| file))
    }

    fn if_live<'f>(&self, file: &'f LiveFile, place: EntryRef) -> Option<(&'f LiveFile, EntryRef)> {
        let doubtful = self.forgot.contains(file) || !self.destructions.is_empty();
        let place = if doubtful { self.living(file)? } else { place };
        Some((file, place))
    }

    /// The same by branch.
    pub fn by_branch(&self) -> BTreeMap<Cow<'_, str>, Vec<(&LiveFile, EntryRef)>> {
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (n, shelf) in self.wrote.0.iter().enumerate() {
            let live = shelf.iter().filter_map(|(file, place)| self.if_live(file, *place));
            if n == Written::SHARDS {
                live.for_each(|(file, by)| found.entry(file.branch()).or_default().push((file, by)));
            } else {
                let live: Vec<_> = live.collect();
                found.extend(live.first().map(|(file, _)| file.branch()).map(|branch| (branch, live)));
            }
        }
        found
    }

    /// The files of `main` that exist, in no order.
    pub fn of_main(&self) -> impl Iterator<Item = FileRef> {
        let files = self.iter().filter(|(file, _)| file.is_at(MAIN, ""));
        files.map(|(file, _)| file.file())
    }

    /// Files that were written at all, also those forgotten since.
    pub fn ever(&self) -> impl Iterator<Item = &LiveFile> {
        self.wrote.iter().map(|(file, _)| file)
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
    use super::super::creations::Creations;
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
        fn what_exists_of_a_shard_or_a_note_is_what_exists_of_it(
            changes in proptest::collection::vec((any::<bool>(), any::<bool>(), 0u8..3, 0u8..3), 0..30),
        ) {
            let mut set = LiveSet::default();
            for (seq, (wrote, of_keys, note, digest)) in changes.into_iter().enumerate() {
                let mut id = [note; 16];
                // Two notes share a shard.
                id[0] = note / 2;
                let (note, digest) = (NoteId(id), Digest([digest; 32]));
                let file = if of_keys { LiveFile::wrap(note, digest) } else { LiveFile::body(note, digest) };
                prop_assert_eq!(file.name_of_note().map(|name| name.to_vec()), Some(file.file().1.into_bytes()));
                let mut entry = example(seq as u64 + 1, Digest([0; 32]));
                entry.kind = Some(if wrote { Kind::Add } else { Kind::Revise });
                let list = if wrote { &mut entry.wrote } else { &mut entry.forgot };
                *list = vec![file.file()];
                set.apply(&entry);
            }
            let sorted = |files: &mut dyn Iterator<Item = &LiveFile>| {
                let mut files: Vec<FileRef> = files.map(LiveFile::file).collect();
                files.sort();
                files
            };
            let all = || set.iter().map(|(file, _)| file);
            for first in [0, 1, 255] {
                let own = |file: &&LiveFile| file.wrap_of().is_some_and(|note| note.0[0] == first);
                let found = sorted(&mut set.wraps_in(first).map(|(_, file)| file));
                prop_assert_eq!(found, sorted(&mut all().filter(own)));
            }
            for note in all().filter_map(LiveFile::note).chain([NoteId([9; 16])]) {
                let own = |file: &&LiveFile| file.note() == Some(note);
                prop_assert_eq!(sorted(&mut set.of_note(note)), sorted(&mut all().filter(own)));
            }
        }

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
    fn a_file_is_remembered_as_it_is_named() {
        let good = file(0xab);
        let mut files = [good.clone(), FileRef("keys/ab".into(), good.1.clone(), good.2)];
        files[0].0 = "notes/ab".into();
        assert!(
            files
                .iter()
                .all(|file| LiveFile::from(file).note() == Some(NoteId([0xab; 16])))
        );
        let named = |branch: &str, path: &str| FileRef(branch.into(), path.into(), good.2);
        let others = [
            named("notes/ac", &good.1),
            named("notes/ab", &good.1.to_uppercase()),
            named("notes/ab", &format!("{}0", good.1)),
            named("notes/b", &good.1),
            named("notes/ab/00", &good.1),
            named("witness/ab", &good.1),
            FileRef("notes/ab".into(), good.1.clone(), Digest([8; 32])),
            named("main", "vault.toml"),
            named("keys/devices", &good.1),
        ];
        assert!(others.iter().all(|file| LiveFile::from(file).note().is_none()));
        for file in files.iter().chain(&others) {
            let held = LiveFile::from(file);
            assert_eq!(
                (&held.file(), held.branch(), held.digest()),
                (file, file.0.as_str().into(), file.2)
            );
        }
    }

    #[test]
    fn a_file_of_main_is_put_back_by_who_knows_that_it_was_forgotten() {
        let rules = FileRef("main".into(), "policies/levels.toml".into(), Digest([1; 32]));
        let entry = |device: u8, seq: u64, wrote: bool, seen: &[(u8, u64)]| {
            let log = |device: u8| format!("{device:016x}-00000001").parse::<LogName>().unwrap();
            let mut entry = example(seq, Digest([0; 32]));
            entry.log = log(device);
            entry.kind = Some(Kind::Policy);
            (if wrote { &mut entry.wrote } else { &mut entry.forgot }).push(rules.clone());
            entry.seen = seen
                .iter()
                .map(|(other, size)| (log(*other), (*size, Digest([0; 32]))))
                .collect();
            entry
        };
        let live = |entries: &[Entry]| {
            let mut set = LiveSet::default();
            entries.iter().for_each(|entry| set.apply(entry));
            assert_eq!(set.iter().count(), usize::from(set.is_live(&rules)));
            assert_eq!(set.is_forgotten(&rules), !set.is_live(&rules));
            set.is_live(&rules)
        };
        let (first, gone) = (entry(1, 1, true, &[]), entry(1, 2, false, &[]));
        assert!(!live(&[first.clone(), gone.clone()]));
        assert!(live(&[first.clone(), gone.clone(), entry(1, 3, true, &[])]));
        assert!(!live(&[
            first.clone(),
            gone.clone(),
            entry(1, 3, true, &[]),
            entry(1, 4, false, &[])
        ]));
        // Another device must have seen the forgetting; in which order the logs are read is all the same.
        for (size, expected) in [(2, false), (3, true)] {
            let back = entry(2, 5, true, &[(1, size)]);
            assert_eq!(live(&[first.clone(), gone.clone(), back.clone()]), expected);
            assert_eq!(live(&[back, first.clone(), gone.clone()]), expected);
        }
        // Two forget it, and who puts it back knows of one alone: what is gone for somebody is gone.
        let other = entry(2, 1, false, &[]);
        assert!(!live(&[
            first.clone(),
            gone.clone(),
            entry(1, 3, true, &[]),
            other.clone()
        ]));
        assert!(live(&[first, gone, entry(1, 3, true, &[(2, 2)]), other]));
    }

    #[test]
    fn what_is_withdrawn_is_as_if_its_log_had_not_done_it() {
        let file = |n: u8| FileRef("main".into(), "policies/levels.toml".into(), Digest([n; 32]));
        let entry = |device: u8, seq: u64, kind: Kind, wrote: &[u8], forgot: &[u8]| {
            let mut entry = example(seq, Digest([0; 32]));
            entry.log = format!("{device:016x}-00000001").parse().unwrap();
            entry.kind = Some(kind);
            entry.wrote = wrote.iter().map(|n| file(*n)).collect();
            entry.forgot = forgot.iter().map(|n| file(*n)).collect();
            entry
        };
        let live = |entries: &[&Entry]| {
            let mut set = LiveSet::default();
            entries.iter().for_each(|entry| set.apply(entry));
            (0..4).filter(|n| set.is_live(&file(*n))).collect::<Vec<u8>>()
        };
        let begun = entry(1, 1, Kind::Policy, &[0], &[]);
        let own = entry(2, 5, Kind::Policy, &[1], &[0]);
        let back = entry(2, 6, Kind::Withdraw, &[0], &[1]);
        assert_eq!(live(&[&begun, &own]), [1]);
        assert_eq!(live(&[&begun, &own, &back]), [0]);
        // Somebody else wrote another, the same, or the one before again, and knew nothing of it.
        for (there, expected) in [
            (vec![entry(1, 2, Kind::Policy, &[2], &[0])], 2),
            (vec![entry(1, 2, Kind::Policy, &[1], &[0])], 1),
            (
                vec![
                    entry(1, 2, Kind::Policy, &[2], &[0]),
                    entry(1, 3, Kind::Policy, &[0], &[2]),
                ],
                0,
            ),
        ] {
            let first: Vec<&Entry> = std::iter::once(&begun).chain(&there).chain([&own, &back]).collect();
            let last: Vec<&Entry> = [&own, &back].into_iter().chain([&begun]).chain(&there).collect();
            assert_eq!((live(&first), live(&last)), (vec![expected], vec![expected]));
        }
        // It is made again, also as it was.
        let again = entry(2, 7, Kind::Policy, &[1], &[0]);
        assert_eq!(live(&[&begun, &own, &back, &again]), [1]);
        // Nobody else's writing is taken back.
        let by_another = entry(3, 6, Kind::Withdraw, &[], &[1]);
        assert_eq!(live(&[&begun, &own, &by_another]), [1]);
    }

    #[test]
    fn what_was_written_to_a_destroyed_note_without_knowing_of_that_does_not_exist() {
        let log = |device: u8| format!("{device:016x}-00000001").parse::<LogName>().unwrap();
        let of = |note: u8, digest: u8| {
            let digest = Digest([digest; 32]);
            FileRef("notes/00".into(), format!("{}.{digest}", NoteId([note; 16])), digest)
        };
        let entry = |device: u8, seq: u64, wrote: &[FileRef], forgot: &[FileRef], seen: &[(u8, u64)]| {
            let mut entry = example(seq, Digest([0; 32]));
            (entry.log, entry.wrote, entry.forgot) = (log(device), wrote.to_vec(), forgot.to_vec());
            entry.kind = Some(if forgot.is_empty() { Kind::Revise } else { Kind::Destroy });
            let at = |(other, size): &(u8, u64)| (log(*other), (*size, Digest([0; 32])));
            entry.seen = seen.iter().map(at).collect();
            entry
        };
        let (first, late, other) = (of(1, 1), of(1, 2), of(2, 3));
        let wrote = entry(1, 1, &[first.clone(), other.clone()], &[], &[]);
        let offline = entry(2, 4, std::slice::from_ref(&late), &[], &[(1, 2)]);
        for (seen, exists) in [(&[][..], false), (&[(2, 4)][..], false), (&[(2, 5)][..], true)] {
            let destroyed = entry(1, 2, &[], std::slice::from_ref(&first), seen);
            for order in [[&wrote, &offline, &destroyed], [&destroyed, &offline, &wrote]] {
                let mut set = LiveSet::default();
                order.into_iter().for_each(|entry| set.apply(entry));
                assert_eq!(set.is_live(&late), exists);
                assert_eq!(set.came_too_late(&late), !exists);
                assert_eq!(set.is_forgotten(&late), !exists);
                assert!(set.is_live(&other) && !set.is_live(&first) && !set.came_too_late(&first));
                assert_eq!(set.iter().count(), 1 + usize::from(exists));
            }
        }
    }

    /// Of a log with two histories that part after entry 2, one wrote to a note what the other did not know of.
    #[test]
    fn what_another_history_of_the_log_wrote_was_not_known() {
        let (log, other): (LogName, LogName) = (
            "0000000000000001-00000001".parse().unwrap(),
            "0000000000000002-00000001".parse().unwrap(),
        );
        let of = |digest: u8| {
            let digest = Digest([digest; 32]);
            FileRef("notes/00".into(), format!("{}.{digest}", NoteId([1; 16])), digest)
        };
        let (early, late) = (of(1), of(2));
        let entry = |log: LogName, seq: u64, wrote: &[&FileRef], forgot: &[&FileRef]| {
            let mut entry = example(seq, Digest([0; 32]));
            (entry.log, entry.kind) = (log, Some(if forgot.is_empty() { Kind::Revise } else { Kind::Destroy }));
            entry.wrote = wrote.iter().map(|file| (*file).clone()).collect();
            entry.forgot = forgot.iter().map(|file| (*file).clone()).collect();
            entry
        };
        // The root of the history of that number at a size.
        let root = |history: u8, size: u64| Digest([if size <= 3 { 0 } else { history + 1 }; 32]);
        let exists = |writer: usize, destroyed: (Entry, usize), seen: &[(u8, u64)]| {
            let mut set = LiveSet::default();
            set.expect(Histories::of([log]));
            let begun = entry(log, 1, &[&early], &[]);
            set.apply_in(&begun, 0);
            set.apply_in(&begun, 1);
            set.apply_in(&entry(log, 3, &[&late], &[]), writer);
            for (seq, (history, size)) in (1..).zip(seen) {
                let mut entry = entry(other, seq, &[], &[]);
                entry.seen = [(log, (*size, root(*history, *size)))].into();
                set.apply(&entry);
            }
            set.apply_in(&destroyed.0, destroyed.1);
            assert_eq!(set.knows_apart(), seen.is_empty());
            let asked = set.asks(log);
            let roots = |history: usize, at: &BTreeSet<u64>| {
                let roots = at
                    .iter()
                    .filter(|size| **size <= 6)
                    .map(|size| (*size, root(history as u8, *size)));
                Ok::<_, std::convert::Infallible>(roots.collect())
            };
            set.histories().learn(log, &[6, 6], &asked, roots).unwrap();
            assert!(set.knows_apart() && !set.is_live(&early));
            assert_eq!(set.is_live(&late), !set.came_too_late(&late));
            set.is_live(&late)
        };
        let own = || entry(log, 5, &[], &[&early]);
        let by_other = || (entry(other, 4, &[], &[&early]), 0);
        for (writer, its, not) in [(0, 0u8, 1u8), (1, 1, 0)] {
            assert!(exists(writer, (own(), writer), &[]), "its own history");
            assert!(!exists(writer, (own(), 1 - writer), &[]), "the other history");
            let seen = |seen: &[(u8, u64)]| exists(writer, by_other(), seen);
            assert!(seen(&[(its, 5)]), "the history that wrote it was seen");
            assert!(!seen(&[(not, 5)]), "the other history was seen");
            assert!(!seen(&[(its, 3)]), "seen before it was written");
            assert!(seen(&[(its, 5), (not, 6)]), "both were seen, one after the other");
            assert!(!seen(&[(its, 3), (not, 6)]), "both were seen, one too early");
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
        assert_eq!(creations.by_log()[&log], [NoteId([3; 16]), NoteId([1; 16])]);
    }

    #[test]
    fn a_place_among_the_notes_of_a_log_does_not_depend_on_what_other_logs_wrote() {
        let other: LogName = "0000000000000001-00000001".parse().unwrap();
        let (first, mut second) = (
            entries(&[(true, 3), (true, 1)]),
            entries(&[(true, 2), (true, 3), (true, 3), (true, 4)]),
        );
        second.iter_mut().for_each(|entry| entry.log = other);
        let (mut one, mut two) = (Creations::default(), Creations::default());
        first.iter().chain(&second).for_each(|entry| one.apply(entry));
        second.iter().chain(&first).for_each(|entry| two.apply(entry));
        assert_eq!(one.by_log(), two.by_log());
        assert_eq!(one.by_log()[&other], [2, 3, 4].map(|n| NoteId([n; 16])));
        for creations in [&one, &two] {
            for n in 1..=4 {
                let note = NoteId([n; 16]);
                let (log, index) = creations.ordinal(note).unwrap();
                assert_eq!(creations.by_log()[&log][index as usize], note);
            }
        }
    }
}
