//! Looking inside without giving anything out: what lists and searches are made of.

use super::query::{Query, fold};
use super::{Gate, GateError, Metadata, Permit};
use crate::casework::{reserved, value_of};
use crate::chain::FileRef;
use crate::envelope::{BodyFile, CheckedBody, Purpose};
use crate::id::{Digest, NoteId, PersonId};
use crate::label::Label;
use crate::ledger::{Recorded, StoredNote};
use crate::policy::{Kind, ResourceFacts};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use zeroize::Zeroizing;

/// What is a text of its own: neither attached to one nor said of one.
pub const TEXTS: [Purpose; 3] = [Purpose::Note, Purpose::Draft, Purpose::Brief];

/// What to let through.
#[derive(Default, Clone)]
pub struct Filter {
    /// Only things of these natures; if empty, all but heads of attachments and statements, which are no things of their own.
    pub natures: Vec<Purpose>,
    /// Only this client; case and accents do not matter.
    pub client: Option<String>,
    /// Only this case.
    pub case: Option<String>,
    /// Only with this value of this field.
    pub field: Option<(&'static str, String)>,
    /// Only with this field, whatever it says.
    pub having: Option<&'static str>,
    /// Only where each of these words begins a word of the title or the client's name.
    pub titled: Option<String>,
    /// Only what was last changed at or after this time, Unix seconds.
    pub since: Option<i64>,
    /// Only what was last changed before this time.
    pub until: Option<i64>,
}

/// Whether a thing of this nature is among `natures`: all but attachments and statements if there are none.
fn admits_nature(natures: &[Purpose], nature: Purpose) -> bool {
    match natures.is_empty() {
        true => TEXTS.contains(&nature),
        false => natures.contains(&nature),
    }
}

impl Filter {
    fn admits(&self, metadata: &Metadata) -> bool {
        let same = |want: &Option<String>, found: &str| {
            let fold = |name: &str| fold(name.trim());
            want.as_ref().is_none_or(|want| fold(want) == fold(found))
        };
        same(&self.client, &metadata.client)
            && same(&self.case, &metadata.case)
            && self.field.as_ref().is_none_or(|wanted| {
                let mut fields = metadata.fields.iter();
                fields.any(|(name, value)| name == wanted.0 && *value == wanted.1)
            })
            && self
                .having
                .is_none_or(|name| metadata.fields.iter().any(|(known, _)| known == name))
            && self.titled.as_ref().is_none_or(|words| is_titled(metadata, words))
            && self.since.is_none_or(|since| metadata.modified >= since)
            && self.until.is_none_or(|until| metadata.modified < until)
    }
}

/// Whether each of these words begins a word of a title or a client's name.
fn is_titled(metadata: &Metadata, words: &str) -> bool {
    let headings = [&metadata.title, &metadata.client].map(|text| Zeroizing::new(fold(text)));
    let words = fold(words);
    let mut wanted = parts(&words).peekable();
    wanted.peek().is_some()
        && wanted.all(|word| {
            let mut there = headings.iter().flat_map(|heading| parts(heading));
            there.any(|part| part.starts_with(word))
        })
}

/// The words of a folded text.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|part| !part.is_empty())
}

/// One revision that was looked at.
pub(super) struct Found {
    note: NoteId,
    nature: Purpose,
    body: Digest,
    label: Label,
    /// Where it is: it stays there while what was found is put in order and taken apart.
    metadata: Box<Metadata>,
    conflict: bool,
    matches: u64,
}

impl Found {
    /// When it was written, and its number: of two revisions the newer has the greater.
    fn newness(&self) -> (i64, u64) {
        (self.metadata.modified, self.metadata.number)
    }
}

/// In which order things are listed. Of what is alike in it, the newest comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// Last changed, newest first.
    #[default]
    Modified,
    /// First written, newest first.
    Created,
    /// By client, what has none last.
    Client,
    /// By title.
    Title,
    /// By label, the strictest level first.
    Label,
}

/// Notes that are alike in all that policies look at.
pub struct Class {
    /// Their label.
    pub label: Label,
    /// Whether the person wrote them.
    pub own: bool,
    /// Whether the person has declared a conflict of interest with them.
    pub conflict: bool,
    /// The notes.
    pub notes: Vec<NoteId>,
}

impl Class {
    /// What the policies are told of each of them.
    pub fn facts(&self) -> ResourceFacts {
        let mut facts = ResourceFacts::new(Kind::Note, self.label.clone());
        (facts.own, facts.conflict) = (self.own, self.conflict);
        facts
    }
}

/// The result of a look inside. It tells ids, labels and whose notes they are; the rest stays in until
/// [`Survey::reveal`].
pub struct Survey {
    me: PersonId,
    found: Vec<Found>,
    /// All that was looked at, also what the filter held back, in order.
    ids: Vec<NoteId>,
    /// What was passed over.
    unopened: Unopened,
}

/// One line of a list.
pub struct Listed {
    /// The note.
    pub note: NoteId,
    /// What it is.
    pub nature: Purpose,
    /// How many characters of its id no other note begins with that one may read; eight at least.
    pub unique: usize,
    /// Digest of the revision.
    pub body: Digest,
    /// Its label.
    pub label: Label,
    /// What is known of it beside the text.
    pub metadata: Box<Metadata>,
    /// How often what was searched for occurs in it; 0 where nothing was.
    pub matches: u64,
}

/// Wraps that do not open, or lead to what does not, though they name keys that this session holds: whoever wrote them wrote
/// them so.
pub(super) type Unopened = Vec<FileRef>;

/// What of these natures is stored, each with its body, whose text stays sealed. What does not open is passed over: anybody
/// who can write can write that, and nobody else's work is to end there.
fn look_at<'s>(
    gate: Gate<'_>,
    stored: &'s [StoredNote],
    natures: &[Purpose],
    unopened: &mut Unopened,
) -> Vec<(Found, CheckedBody<'s>)> {
    let mut looked_at = Vec::with_capacity(stored.len());
    let mut once = HashSet::with_capacity(stored.len());
    for item in stored {
        match open(gate, item, natures) {
            // A body that is wrapped twice is there once.
            Ok(opened) => looked_at.extend(opened.filter(|_| once.insert((item.note, item.body)))),
            Err(_) => unopened.push(item.wrap_file()),
        }
    }
    looked_at
}

fn open<'s>(
    gate: Gate<'_>,
    item: &'s StoredNote,
    natures: &[Purpose],
) -> Result<Option<(Found, CheckedBody<'s>)>, GateError> {
    let body = BodyFile::parse(&item.sealed)?;
    let nature = body.purpose();
    if !admits_nature(natures, nature) {
        return Ok(None);
    }
    let (label, key) = gate.unwrap_key(item.note, &item.wrap)?;
    let body = body.check(gate.vault(), item.note, &key)?;
    let metadata = Box::new(body.open_metadata()?);
    let found = Found {
        note: item.note,
        nature,
        body: item.body,
        label,
        conflict: gate.is_in_conflict(&metadata),
        metadata,
        matches: 0,
    };
    Ok(Some((found, body)))
}

/// What is followed, within one note alone: nobody's note makes another one history. Of statements nothing is.
fn followed<'f>(found: impl Iterator<Item = &'f Found>) -> BTreeSet<(NoteId, Digest)> {
    let found = found.filter(|item| item.nature != Purpose::Statement);
    let parents = |item: &'f Found| item.metadata.parents.iter().map(|body| (item.note, *body));
    found.flat_map(parents).collect()
}

/// The heads among the revisions of a note, or of several, that `filter` lets through and in which `query` is found: each is
/// given to `take`.
pub(super) fn look(
    gate: Gate<'_>,
    stored: &[StoredNote],
    filter: &Filter,
    query: Option<&Query>,
    unopened: &mut Unopened,
    take: &mut dyn FnMut(Found),
) {
    let looked_at = look_at(gate, stored, &filter.natures, unopened);
    // Whom a revision concerned that was superseded is concerned by the note.
    let barred = looked_at
        .iter()
        .filter(|(found, _)| found.conflict && found.nature != Purpose::Statement);
    let barred: HashSet<NoteId> = barred.map(|(found, _)| found.note).collect();
    // A revision that another one follows is history, not a head.
    let followed = followed(looked_at.iter().map(|(found, _)| found));
    for (mut found, body) in looked_at {
        if followed.contains(&(found.note, found.body)) || !filter.admits(&found.metadata) {
            continue;
        }
        // A statement stands for itself, whatever others write under its id.
        found.conflict |= barred.contains(&found.note) && found.nature != Purpose::Statement;
        if let Some(query) = query {
            let text = body.open_text();
            let Some(text) = text.as_ref().ok().and_then(|text| text.text()) else {
                let wraps = stored
                    .iter()
                    .filter(|item| (item.note, item.body) == (found.note, found.body));
                unopened.extend(wraps.map(StoredNote::wrap_file));
                continue;
            };
            match query.matches(&found.metadata, text) {
                Some(matches) => found.matches = matches,
                None => continue,
            }
        }
        take(found);
    }
}

impl Survey {
    /// Of what was found among these notes.
    pub(super) fn new(gate: Gate<'_>, found: Vec<Found>, mut ids: Vec<NoteId>, unopened: Unopened) -> Self {
        let me = gate.identity.person();
        ids.sort_unstable();
        ids.dedup();
        let mut survey = Self {
            me,
            found,
            ids,
            unopened,
        };
        survey.sort(Order::Modified, |_| String::new());
        survey
    }

    /// Puts what was found in order; `name` gives a label as people read it.
    pub fn sort(&mut self, order: Order, mut name: impl FnMut(&Label) -> String) {
        // Newest first, and then by what is asked for: this sort keeps the order of what is alike.
        // Within a second the higher number is the newer one.
        self.found
            .sort_by_cached_key(|item| (Reverse(item.newness()), item.note, item.body));
        match order {
            Order::Modified => {}
            Order::Created => self.found.sort_by_cached_key(|item| Reverse(item.metadata.created)),
            Order::Client => self.found.sort_by_cached_key(|item| {
                let client = fold(&item.metadata.client);
                (client.is_empty(), client)
            }),
            Order::Title => self.found.sort_by_cached_key(|item| fold(&item.metadata.title)),
            Order::Label => self
                .found
                .sort_by_cached_key(|item| (Reverse(item.label.level()), fold(&name(&item.label)))),
        }
    }

    /// All revisions of these natures, also what others follow.
    pub(super) fn of_revisions(gate: Gate<'_>, stored: &[StoredNote], natures: &[Purpose]) -> Self {
        let mut unopened = Unopened::new();
        let looked_at = look_at(gate, stored, natures, &mut unopened);
        let found = looked_at.into_iter().map(|(found, _)| found).collect();
        let ids = stored.iter().map(|item| item.note).collect();
        Self::new(gate, found, ids, unopened)
    }

    /// The revisions that no other one follows, and their labels; newest first.
    pub fn heads(&self) -> Vec<(Digest, Label)> {
        let followed = followed(self.found.iter());
        let heads = self.found.iter();
        let heads = heads.filter(|item| !followed.contains(&(item.note, item.body)));
        heads.map(|item| (item.body, item.label.clone())).collect()
    }

    /// Number, digest and label of each revision, newest first.
    pub fn revisions(&self) -> impl Iterator<Item = (u64, Digest, &Label)> {
        self.found
            .iter()
            .map(|item| (item.metadata.number, item.body, &item.label))
    }

    /// Whom each of its revisions names as readers, but for those whom one of them leaves out; as handles. None where no
    /// revision names any. One revision alone names nobody: whoever can write under the id of a note can write it.
    pub fn readers(&self) -> Option<BTreeSet<&str>> {
        let listed = |name: &'static str| {
            let said = self
                .found
                .iter()
                .filter_map(move |item| value_of(&item.metadata.fields, name));
            said.map(|people| {
                people
                    .split(", ")
                    .filter(|handle| !handle.is_empty())
                    .collect::<BTreeSet<_>>()
            })
        };
        let left_out: BTreeSet<&str> = listed(reserved::LEFT_OUT).flatten().collect();
        let in_all = listed(reserved::READERS).reduce(|all, one| &all & &one)?;
        Some(&in_all - &left_out)
    }

    /// The wraps that were passed over since they do not open, though this session holds the keys that they name.
    pub fn unopened(&self) -> &[FileRef] {
        &self.unopened
    }

    /// Notes by the facts that policies look at.
    pub fn classes(&self) -> Vec<Class> {
        let mut classes: Vec<Class> = Vec::new();
        for item in &self.found {
            let facts = (item.metadata.author == self.me, item.conflict);
            let same = |class: &&mut Class| class.label == item.label && (class.own, class.conflict) == facts;
            match classes.iter_mut().find(same) {
                Some(class) => class.notes.push(item.note),
                None => classes.push(Class {
                    label: item.label.clone(),
                    own: facts.0,
                    conflict: facts.1,
                    notes: vec![item.note],
                }),
            }
        }
        classes
    }

    /// The notes that concern a conflict of interest that the person has declared.
    pub fn in_conflict(&self) -> HashSet<NoteId> {
        let concerned = self.found.iter().filter(|item| item.conflict);
        concerned.map(|item| item.note).collect()
    }

    /// Whether one of the revisions concerns a conflict of interest that the person has declared.
    pub fn conflict(&self) -> bool {
        self.found.iter().any(|item| item.conflict)
    }

    /// Leaves out what no permit covers, so that the newest head of a note is the newest of those that may be seen.
    pub fn keep_covered(&mut self, permits: &[Permit]) {
        let me = self.me;
        let covers = |item: &Found| {
            let own = item.metadata.author == me;
            let covers = |permit: &&Permit| permit.covers_heading(me, item.note, &item.label);
            let mut covering = permits.iter().filter(covers);
            covering.any(|permit| permit.is_about(own, item.conflict))
        };
        self.found.retain(covers);
    }

    /// Keeps those that `permitted` names, of each note its newest head; before they are put in another order.
    pub fn keep(&mut self, permitted: &HashSet<NoteId>) {
        let mut kept = HashSet::with_capacity(permitted.len());
        // Newest first, as they were made.
        self.found
            .retain(|item| permitted.contains(&item.note) && kept.insert((item.note, item.nature)));
    }

    /// Keeps those that `permitted` names, of each note all its heads.
    pub fn keep_heads(&mut self, permitted: &HashSet<NoteId>) {
        self.found.retain(|item| permitted.contains(&item.note));
    }

    /// Keeps the first `limit`, in the order they are in.
    pub fn truncate(&mut self, limit: Option<usize>) {
        self.found.truncate(limit.unwrap_or(usize::MAX));
    }

    /// The newest revision that this one follows, if it follows one.
    pub fn before(&self, body: Digest) -> Option<Digest> {
        let item = self.found.iter().find(|item| item.body == body)?;
        let parents = &item.metadata.parents;
        let before = self.found.iter().find(|found| parents.contains(&found.body));
        before.map(|found| found.body)
    }

    /// The notes that are left.
    pub fn notes(&self) -> Vec<NoteId> {
        self.found.iter().map(|item| item.note).collect()
    }

    /// How the ids of these begin: as many characters as no other id begins with that one may read, and at least so many.
    pub fn beginnings(&self, notes: &HashSet<NoteId>, at_least: usize) -> Vec<String> {
        let begin = |note: &NoteId| {
            let mut id = note.to_string();
            id.truncate(unique_beginning(&self.ids, *note).max(at_least));
            id
        };
        let mut beginnings: Vec<String> = self.ids.iter().filter(|note| notes.contains(note)).map(begin).collect();
        beginnings.sort();
        beginnings
    }

    /// Whether this session's person wrote one of these revisions.
    pub fn own(&self, bodies: &[Digest]) -> bool {
        let these = self.found.iter().filter(|item| bodies.contains(&item.body));
        these.into_iter().any(|item| item.metadata.author == self.me)
    }

    /// The notes (no drafts, no briefs) of the clients that `notes` are about.
    pub fn of_the_same_clients(&self, notes: &[NoteId]) -> Vec<NoteId> {
        let about = self
            .found
            .iter()
            .filter(|item| notes.contains(&item.note))
            .map(|item| fold(&item.metadata.client));
        let clients: BTreeSet<String> = about.filter(|client| !client.is_empty()).collect();
        let same = self
            .found
            .iter()
            .filter(|item| item.nature == Purpose::Note && clients.contains(&fold(&item.metadata.client)));
        same.map(|item| item.note).collect()
    }

    /// The notes of that nature.
    pub fn of_nature(&self, nature: Purpose) -> Vec<NoteId> {
        self.found
            .iter()
            .filter(|item| item.nature == nature)
            .map(|item| item.note)
            .collect()
    }

    /// Whether something was found, and all of it is of that nature.
    pub fn is_all(&self, nature: Purpose) -> bool {
        !self.found.is_empty() && self.found.iter().all(|item| item.nature == nature)
    }

    /// The bodies that are left, by note; the newest where a note has several heads.
    pub fn bodies(&self) -> BTreeMap<NoteId, Digest> {
        // Newest first: collected from the end, the newest stays.
        self.found.iter().rev().map(|item| (item.note, item.body)).collect()
    }

    /// The clients concerned, for the sealed details of the entry and nothing else.
    pub(crate) fn clients_for_the_record(&self) -> Option<String> {
        let clients = self.found.iter().map(|item| item.metadata.client.as_str());
        clients_in_words(clients)
    }

    /// The same for these revisions alone.
    pub(crate) fn clients_of(&self, bodies: &[Digest]) -> Option<String> {
        let these = self.found.iter().filter(|item| bodies.contains(&item.body));
        clients_in_words(these.map(|item| item.metadata.client.as_str()))
    }

    /// Gives out what was found, for what is permitted and recorded.
    pub fn reveal(self, permits: Vec<Permit>, recorded: Recorded) -> Result<Vec<Listed>, GateError> {
        let covered = |item: &Found| {
            recorded.person() == self.me
                && recorded.covers(item.note)
                && permits
                    .iter()
                    .any(|permit| permit.covers_heading(self.me, item.note, &item.label))
        };
        if !self.found.iter().all(covered) {
            return Err(GateError::NotAllowed);
        }
        let ids = self.ids;
        let list = self.found.into_iter();
        Ok(list
            .map(|item| Listed {
                note: item.note,
                nature: item.nature,
                unique: unique_beginning(&ids, item.note),
                body: item.body,
                label: item.label,
                metadata: item.metadata,
                matches: item.matches,
            })
            .collect())
    }
}

/// So many clients are named, in so many characters together: the record keeps 500, and how many others there are is among them.
const NAMED_MAX: usize = 16;
const NAMES_MAX: usize = 470;

/// Clients by name, and how many others there are. Whoever asks who saw what of one is told that it may be among these.
pub(crate) fn clients_in_words<'c>(clients: impl Iterator<Item = &'c str>) -> Option<String> {
    let clients: BTreeSet<&str> = clients.filter(|client| !client.is_empty()).collect();
    let (mut words, mut left) = (Vec::new(), NAMES_MAX);
    for client in &clients {
        let length = client.chars().count() + 2;
        if words.len() < NAMED_MAX && length <= left {
            left -= length;
            words.push((*client).to_owned());
        }
    }
    match clients.len() - words.len() {
        0 => {}
        1 => words.push("and 1 other".to_owned()),
        others => words.push(format!("and {others} others")),
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// Whether words such as these say that there are clients which they do not name.
pub(crate) fn leaves_clients_out(words: &str) -> bool {
    let last = words.rsplit(", ").next().and_then(|last| last.strip_prefix("and "));
    let count = last.and_then(|last| last.strip_suffix(" others").or_else(|| last.strip_suffix(" other")));
    count.is_some_and(|count| !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The fewest characters are those that stay unique for a while.
const BEGINNING_MIN: usize = 8;

/// How many characters of `note` no other of `ids`, which are in order, begins with.
fn unique_beginning(ids: &[NoteId], note: NoteId) -> usize {
    let at = ids.partition_point(|id| *id < note);
    let before = at.checked_sub(1).and_then(|at| ids.get(at));
    let after = ids[at..].iter().find(|id| **id != note);
    let shared = |other: &NoteId| {
        let bytes = other.0.iter().zip(note.0).take_while(|(a, b)| **a == *b).count();
        let half = other
            .0
            .get(bytes)
            .is_some_and(|byte| (byte ^ note.0[bytes]) & 0xf0 == 0);
        bytes * 2 + usize::from(half)
    };
    let longest = before.into_iter().chain(after).map(shared).max();
    longest.map_or(BEGINNING_MIN, |shared| (shared + 1).max(BEGINNING_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_is_as_long_as_it_must_be() {
        let id = |text: &str| format!("{text:0<32}").parse::<NoteId>().unwrap();
        let ids = ["0000000000", "1234567800", "1234567810", "123456789a", "123456789b"].map(id);
        let lengths = ids.map(|note| unique_beginning(&ids, note));
        assert_eq!(lengths, [8, 9, 9, 10, 10]);
        assert_eq!(unique_beginning(&ids[..1], ids[0]), 8);
        assert_eq!(unique_beginning(&[], ids[0]), 8);
    }

    #[test]
    fn whoever_is_not_named_among_the_clients_is_counted() {
        let said = |clients: &[&str]| clients_in_words(clients.iter().copied());
        assert_eq!(said(&["", ""]), None);
        assert_eq!(said(&["Zeta", "", "Alba", "Zeta"]).unwrap(), "Alba, Zeta");
        let many: Vec<String> = (10..60).map(|n| format!("client {n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let sixteen = many[..16].join(", ");
        assert_eq!(said(&many[..16]).unwrap(), sixteen);
        assert_eq!(said(&many[..17]).unwrap(), format!("{sixteen}, and 1 other"));
        assert_eq!(said(&many).unwrap(), format!("{sixteen}, and 34 others"));
        // The record keeps 500 characters: what would be cut off is counted too.
        let long: Vec<String> = ('a'..='p').map(|c| c.to_string().repeat(200)).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        assert_eq!(said(&long).unwrap(), format!("{}, and 14 others", long[..2].join(", ")));
        let longest = "é".repeat(600);
        assert_eq!(said(&[&longest]).unwrap(), "and 1 other");
        assert_eq!(said(&[&longest, "Zeta"]).unwrap(), "Zeta, and 1 other");
        for count in [1, 2, 15, 16, 17, 50] {
            let words = said(&many[..count]).unwrap();
            assert_eq!(leaves_clients_out(&words), count > 16, "{words}");
        }
        assert!(leaves_clients_out("and 1 other") && !leaves_clients_out("Sons and others, Alba"));
    }
}
