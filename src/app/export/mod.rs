//! What leaves the vault in clear and for good: packs for a court, answers to a subject.
//!
//! Two entries, as for a release: under the first the notes and the log are read, so that what will leave can be made and
//! hashed in memory; the second has its digest, and only then is a byte written.

mod custody;
pub(super) mod files;
mod notes;
mod pack;
mod subject;
mod taking;
mod unnamed;

pub use notes::{ClearExport, ConfirmClear, ExportedNotes, NotesFormat, NotesQuery, export_notes};
pub use pack::{ExportedPack, PackQuery, export_pack};
pub use subject::{ExportedSubject, SubjectQuery, export_subject};
pub use taking::PictureOut;

use super::context::{Desk, short};
use super::error::{Error, Kind};
use crate::chain::{Details, Outcome};
use crate::gate::{Filter, Nature, Permit, Query, clients_in_words};
use crate::id::{Digest, NoteId};
use crate::ledger::{Draft, StoredNote};
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts};
use std::collections::{BTreeMap, BTreeSet};

/// The most recipients that are named, and the longest name of one: the entry names them all.
const RECIPIENTS_MAX: usize = 64;
const NAME_MAX: usize = 100;
/// The most sealed texts that are opened for one export, in bytes: they are in memory together.
const TEXTS_MAX: u64 = 256 << 20;

/// Which notes.
#[derive(Default)]
pub struct Which {
    /// These, by the beginnings of their ids.
    pub ids: Vec<String>,
    /// All of this client.
    pub client: Option<String>,
    /// All of this case.
    pub case: Option<String>,
    /// All in which this name stands, word for word, in their newest revision.
    pub naming: Option<String>,
    /// And what points to one of these with a field, and what points to that.
    pub with_linked: bool,
    /// All that there are.
    pub all: bool,
}

impl Which {
    /// What to look for among all notes.
    fn looks(&self) -> Result<Vec<(Filter, Option<Query>)>, Error> {
        let filter = Filter {
            natures: vec![Nature::Note],
            client: self.client.clone(),
            case: self.case.clone(),
            ..Filter::default()
        };
        let mut looks = Vec::new();
        if let Some(name) = &self.naming {
            let every = Filter {
                natures: vec![Nature::Note],
                ..Filter::default()
            };
            looks.push((every, Some(Query::parse(&format!("\"{}\"", name.replace('"', " ")))?)));
        }
        if self.client.is_some() || self.case.is_some() || self.all {
            looks.push((filter, None));
        }
        Ok(looks)
    }

    /// In words, for the entry.
    fn in_words(&self) -> String {
        let client = self.client.iter().map(|client| format!("client {client}"));
        let case = self.case.iter().map(|case| format!("case {case}"));
        let all = self.all.then(|| "all notes".to_owned());
        client
            .chain(case)
            .chain(all)
            .chain(self.ids.iter().cloned())
            .chain(self.with_linked.then(|| "with what is linked".to_owned()))
            .collect::<Vec<_>>()
            .join(" / ")
    }
}

/// Notes that may leave, and what has to be shown for it.
struct Leaving {
    permits: Vec<Permit>,
    /// All their revisions and heads of attachments, as they are stored.
    stored: Vec<StoredNote>,
    /// Notes under whose ids something else stands too.
    others: Vec<NoteId>,
}

impl Leaving {
    /// What exists of them: another set of bodies is another state.
    fn bodies(&self) -> BTreeSet<(NoteId, Digest)> {
        self.stored.iter().map(|item| (item.note, item.body)).collect()
    }
}

/// Refuses recipients that an entry would not hold as they are.
fn check_recipients(to: &[String]) -> Result<(), Error> {
    let wrong =
        |name: &String| name.trim().is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control);
    match to.len() > RECIPIENTS_MAX || to.iter().any(wrong) {
        true => Err(Error::new(
            Kind::Usage,
            format!(
                "an export goes to at most {RECIPIENTS_MAX} recipients, each named in 1 to {NAME_MAX} characters on one line; \
                 nothing was written"
            ),
        )),
        false => Ok(()),
    }
}

impl Desk<'_> {
    /// The notes that are meant, of those that this person may export. An id that is not for them is an error; of a client
    /// or a case they are left out without a word, unless all that is missing is a purpose or a reason.
    fn choose(&mut self, which: &Which, details: &Details) -> Result<Vec<NoteId>, Error> {
        let mut chosen = BTreeSet::new();
        for asked in &which.ids {
            match self.find(asked)? {
                Some((note, ..)) => chosen.insert(note),
                None => return Err(self.not_there(details.clone(), asked)?),
            };
        }
        for (filter, query) in which.looks()? {
            let survey = self
                .gate()
                .scan(&self.ledger, &self.clearance(), &filter, query.as_ref());
            let survey = match survey {
                Ok(survey) => survey,
                Err(error) => return Err(self.failed(details.clone(), Vec::new(), error)),
            };
            for class in survey.classes() {
                match self.decide(Action::Export, class.facts()) {
                    Decision::Permitted(_) => chosen.extend(class.notes),
                    Decision::Denied(denial) if denial.public_words().is_none() => {}
                    Decision::Denied(denial) => {
                        return Err(self.denied(&denial, None, details.clone(), class.notes, &which.in_words())?);
                    }
                }
            }
        }
        if chosen.is_empty() {
            let mut details = details.clone();
            details.asked = Some(short(which.in_words()));
            let _ = self.record(Draft::without_effect(None, Outcome::Denied, details, Vec::new()))?;
            return Err(
                Error::new(Kind::Denied, "no such note that you may export")
                    .hint("`strongroom list --client NAME` shows what there is for you; clients and cases are compared as a whole"),
            );
        }
        if which.with_linked {
            self.add_linked(&mut chosen)?;
        }
        Ok(chosen.into_iter().collect())
    }

    /// Adds what points to the chosen notes, such as reviews, and to that, such as actions. What may be seen and not exported
    /// is left out, and that is said.
    fn add_linked(&mut self, chosen: &mut BTreeSet<NoteId>) -> Result<(), Error> {
        let mut next: Vec<NoteId> = chosen.iter().copied().collect();
        let mut left_out = BTreeSet::new();
        while let Some(note) = next.pop() {
            for line in self.lines_pointing_to(note)? {
                let mut facts = ResourceFacts::new(ThingKind::Note, line.listed.label.clone());
                facts.own = line.listed.metadata.author == self.identity.person();
                let reason = self.context.access.reason();
                let request = self.request(Action::Export, facts, reason.as_deref());
                let linked = line.listed.note;
                match self.policies.decide(&request) {
                    Decision::Denied(_) => drop(left_out.insert(linked)),
                    Decision::Permitted(_) if chosen.insert(linked) => next.push(linked),
                    Decision::Permitted(_) => {}
                }
            }
        }
        if !left_out.is_empty() {
            let count = left_out.len();
            self.context.person.warn(&format!(
                "{count} of what is linked may not be exported by you, or not for that purpose, and is left out"
            ));
        }
        Ok(())
    }

    /// Decides about each of these notes, and reads them as they are stored. Fills in what the entry says of them.
    fn leaving(&mut self, notes: &[NoteId], details: &mut Details) -> Result<Leaving, Error> {
        let (mut permits, mut stored, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let (mut level, mut clients, mut rules) = (None, BTreeSet::new(), BTreeSet::new());
        let mut size = 0;
        for note in notes {
            let asked = note.to_string();
            let mut each = details.clone();
            let mut standing = self.standing(&asked, &[Nature::Note], &each)?;
            let wraps = standing.wraps.iter().map(|wrap| (*note, wrap.clone())).collect();
            let mut found = self.ledger.stored_many(wraps)?;
            // Anybody who can write can put a statement or a draft under a note's id: it is nothing of the note, and does
            // not leave with it.
            let revisions: BTreeSet<Digest> = standing.survey.revisions().map(|(_, body, _)| body).collect();
            let count = found.len();
            found.retain(|item| item.is_attachment() || revisions.contains(&item.body));
            others.extend((found.len() < count).then_some(*note));
            standing.wraps = found.iter().map(|item| item.wrap.clone()).collect();
            permits.extend(self.permitted(Action::Export, &standing, &mut each, &asked)?);
            level = level.max(each.level);
            clients.extend(each.client);
            rules.extend(each.rules);
            size += found.iter().map(|item| item.sealed.len() as u64).sum::<u64>();
            if size > TEXTS_MAX {
                let words = format!(
                    "these notes have more than {} MiB of text, which is too much for one export; nothing was written",
                    TEXTS_MAX >> 20
                );
                let error =
                    Error::new(Kind::Failed, words).hint("name some of them by their ids, and the rest in another");
                return Err(self.failed(details.clone(), notes.to_vec(), error));
            }
            stored.extend(found);
        }
        details.level = level;
        details.client = clients_in_words(clients.iter().map(String::as_str));
        details.rules = rules.into_iter().collect();
        Ok(Leaving {
            permits,
            stored,
            others,
        })
    }
}

/// By note, in order.
fn by_note<T>(items: impl IntoIterator<Item = T>, note: impl Fn(&T) -> NoteId) -> BTreeMap<NoteId, Vec<T>> {
    let mut sorted: BTreeMap<NoteId, Vec<T>> = BTreeMap::new();
    for item in items {
        sorted.entry(note(&item)).or_default().push(item);
    }
    sorted
}
