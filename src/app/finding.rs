//! Finding: lists and searches. One entry names what is shown, and nothing else.

use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use crate::casework::reserved;
use crate::chain::{Details, FileRef, Time};
use crate::gate::{Filter, Listed, Nature, Order, Permit, Query};
use crate::id::NoteId;
use crate::label::{Label, Level};
use crate::ledger::Draft;
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts, Why};
use std::collections::{BTreeSet, HashSet};

/// So many things that do not open are named.
const TOLD: usize = 3;

/// A line of a list.
pub struct NoteLine {
    /// The note.
    pub listed: Listed,
    /// Its label.
    pub label: String,
}

/// Which notes to list, or to search in.
#[derive(Default)]
pub struct ListQuery {
    /// Words that all begin words of the title or the client's name, in any order.
    pub titled: Option<String>,
    /// Only this client.
    pub client: Option<String>,
    /// Only this case.
    pub case: Option<String>,
    /// Only exactly this label.
    pub label: Option<String>,
    /// Only of this template.
    pub template: Option<String>,
    /// Only changed at or after.
    pub since: Option<Time>,
    /// Only changed before.
    pub until: Option<Time>,
    /// At most so many.
    pub limit: Option<usize>,
    /// In which order.
    pub order: Order,
}

/// What a search found.
pub struct Searched {
    /// The notes, newest first.
    pub lines: Vec<NoteLine>,
    /// The level from which upwards nothing was searched, because no purpose or no reason was given; the same
    /// whatever there is.
    pub left_out_from: Option<String>,
    /// The same because this copy was too long without the others.
    pub shut_from: Option<String>,
}

/// What to look for among all notes.
pub(super) struct Looking<'q> {
    action: Action,
    filter: Filter,
    query: Option<&'q Query>,
    labels: &'q dyn Fn(&Label) -> bool,
    /// Only these, if any are named.
    only: Option<&'q HashSet<NoteId>>,
    order: Order,
    limit: Option<usize>,
    /// Whether of a note all heads, not the newest alone.
    heads: bool,
}

impl<'q> Looking<'q> {
    /// All that `filter` lets through, newest first.
    pub(super) fn for_all(action: Action, filter: Filter) -> Self {
        Self::under(action, filter, &|_| true)
    }

    /// The same of these notes alone.
    pub(super) fn among(action: Action, filter: Filter, only: &'q HashSet<NoteId>) -> Self {
        Self {
            only: Some(only),
            ..Self::for_all(action, filter)
        }
    }

    /// All heads of these notes.
    pub(super) fn heads_of(action: Action, filter: Filter, only: &'q HashSet<NoteId>) -> Self {
        Self {
            heads: true,
            ..Self::among(action, filter, only)
        }
    }

    /// The same of what `query` finds.
    pub(super) fn mentioning(action: Action, filter: Filter, query: &'q Query) -> Self {
        Self {
            query: Some(query),
            ..Self::for_all(action, filter)
        }
    }

    /// The same of labels for which `labels` holds.
    pub(super) fn under(action: Action, filter: Filter, labels: &'q dyn Fn(&Label) -> bool) -> Self {
        Self {
            action,
            filter,
            query: None,
            labels,
            only: None,
            order: Order::default(),
            limit: None,
            heads: false,
        }
    }
}

/// Lists the notes one may read.
pub fn list(context: &Context<'_>, which: &ListQuery) -> Result<Vec<NoteLine>, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    desk.left_out_from(Action::List);
    let found = desk.find_notes("list", Action::List, None, which)?;
    // Notes of a template that the policies have no more are found all the same.
    if let (Some(name), true) = (&which.template, found.is_empty()) {
        let _ = desk.form(name)?;
    }
    Ok(found)
}

/// Searches the notes one may read for words and phrases, in title, text, client, case and fields. What is searched
/// for goes into the entry as it was typed.
pub fn search(context: &Context<'_>, typed: &str, which: &ListQuery) -> Result<Searched, Error> {
    let query = Query::parse(typed)?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let left_out_from = desk.left_out_from(Action::Search);
    let shut_from = desk.shut_from(Action::Search);
    let lines = desk.find_notes("search", Action::Search, Some((&query, typed)), which)?;
    Ok(Searched {
        lines,
        left_out_from,
        shut_from,
    })
}

impl Desk<'_> {
    fn find_notes(
        &mut self,
        verb: &str,
        action: Action,
        query: Option<(&Query, &str)>,
        which: &ListQuery,
    ) -> Result<Vec<NoteLine>, Error> {
        let label = match which.label.as_deref().map(|label| self.label(Some(label))).transpose() {
            Ok(label) => label,
            Err(error) => return Err(self.refused(verb, None, which.label.as_deref(), error)?),
        };
        self.refuse_what_is_said(verb, action)?;
        let mut details = self.details(verb);
        let times = [which.since, which.until].map(|time| time.map(|time| time.to_string()));
        let [since, until] = times.each_ref().map(Option::as_deref);
        let names = [&which.client, &which.case, &which.label, &which.template].map(Option::as_deref);
        let words = which.titled.as_deref().map(str::trim);
        let asked = [query.map(|(_, typed)| typed.trim()), words].into_iter().chain(names);
        let asked: Vec<&str> = asked.chain([since, until]).flatten().collect();
        details.asked = (!asked.is_empty()).then(|| short(asked.join(" / ")));
        let looking = Looking {
            action,
            filter: Filter {
                natures: vec![Nature::Note],
                client: which.client.clone(),
                case: which.case.clone(),
                field: which.template.clone().map(|name| (reserved::TEMPLATE, name)),
                having: None,
                titled: words.map(str::to_owned),
                since: which.since.map(Time::unix),
                until: which.until.map(Time::unix),
            },
            query: query.map(|(query, _)| query),
            labels: &|found| label.as_ref().is_none_or(|wanted| wanted == found),
            only: None,
            order: which.order,
            limit: which.limit,
            heads: false,
        };
        self.find_all(details, &looking)
    }

    /// What is denied for want of something is left out without a word; a purpose that is none is a slip, and said, and
    /// so is that somebody is no member at present: nothing there would be for them.
    pub(super) fn refuse_what_is_said(&mut self, verb: &str, action: Action) -> Result<(), Error> {
        let lowest = Label::new(Level::Public, []).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))?;
        let mut facts = ResourceFacts::new(ThingKind::Note, lowest);
        facts.own = true;
        let reason = self.context.access.reason();
        let is_said = |why: &Why| matches!(why, Why::PurposeUnknown(_) | Why::Paused | Why::Ended);
        match self.policies.decide(&self.request(action, facts, reason.as_deref())) {
            Decision::Denied(denial) if denial.why().iter().any(is_said) => {
                let details = self.details(verb);
                Err(self.denied(&denial, None, details, Vec::new(), verb)?)
            }
            _ => Ok(()),
        }
    }

    /// Looks at everything readable, decides once for each class of equal facts, records one entry that names what is
    /// left, and gives that out.
    pub(super) fn find_all(&mut self, mut details: Details, looking: &Looking<'_>) -> Result<Vec<NoteLine>, Error> {
        let looked = self
            .gate()
            .scan(&self.ledger, &self.clearance(), &looking.filter, looking.query);
        let mut survey = match looked {
            Ok(survey) => survey,
            Err(error) => return Err(self.failed(details, Vec::new(), error)),
        };
        self.tell_unopened(survey.unopened());
        let mut permitted = Vec::new();
        let mut permits = Vec::new();
        let mut rules = BTreeSet::new();
        for class in survey.classes() {
            if !(looking.labels)(&class.label) {
                continue;
            }
            let (facts, notes) = (class.facts(), class.notes);
            let reason = self.context.access.reason();
            let request = self.request(looking.action, facts, reason.as_deref());
            // What is denied is left out without a word or a question, as if it were not there.
            if let Decision::Permitted(permission) = self.policies.decide(&request) {
                rules.extend(permission.rules().iter().cloned());
                let wanted = |note: &&NoteId| looking.only.is_none_or(|only| only.contains(note));
                permitted.extend(notes.iter().filter(wanted).copied());
                permits.push(Permit::new(permission, notes));
            }
        }
        let mut names: Vec<(Label, String)> = Vec::new();
        let mut name = |desk: &Self, label: &Label| match names.iter().find(|(known, _)| known == label) {
            Some((_, name)) => name.clone(),
            None => {
                let name = desk.label_text(label).to_string();
                names.push((label.clone(), name.clone()));
                name
            }
        };
        let permitted = permitted.into_iter().collect();
        survey.keep_covered(&permits);
        match looking.heads {
            true => survey.keep_heads(&permitted),
            false => survey.keep(&permitted),
        }
        survey.sort(looking.order, |label| name(self, label));
        survey.truncate(looking.limit);
        details.rules = rules.into_iter().collect();
        details.client = survey.clients_for_the_record().map(short);
        let recorded = self.record(Draft::read(details, survey.notes()))?;
        let listed = survey.reveal(permits, recorded)?;
        let line = |listed: Listed| NoteLine {
            label: name(self, &listed.label),
            listed,
        };
        Ok(listed.into_iter().map(line).collect())
    }

    /// Names what does not open and was passed over: who wrote it stands in the log.
    pub(super) fn tell_unopened(&self, unopened: &[FileRef]) {
        let mut told = self.told.borrow_mut();
        let new: Vec<&FileRef> = unopened.iter().filter(|file| told.insert((*file).clone())).collect();
        for file in new.iter().take(TOLD) {
            let note = file.1.get(..8).unwrap_or_default();
            let by = self.ledger.written_by(file).map(|entry| (self.handle_of(entry), entry));
            let by = by.map_or_else(String::new, |(by, entry)| {
                format!(": {by} wrapped it so, in entry {entry}")
            });
            self.context.person.warn(&format!(
                "something under note {note} does not open, and is passed over{by}"
            ));
        }
        let more = new.len().saturating_sub(TOLD);
        if more > 0 {
            self.context.person.warn(&format!("{more} others do not open either"));
        }
    }

    /// Says that an attachment of a note is none, by whoever wrapped it so, and what becomes of it.
    pub(super) fn tell_void(&self, note: NoteId, wrap: Option<FileRef>, what: &str) {
        let by = wrap.and_then(|wrap| self.ledger.written_by(&wrap));
        let by = by.map_or_else(String::new, |entry| {
            format!(" ({} attached it so, in entry {entry})", self.handle_of(entry))
        });
        let note = &note.to_string()[..8];
        self.context.person.warn(&format!(
            "a file attached to note {note} is not what its own head says{by}: {what}"
        ));
    }

    /// Looks inside everything that this session's keys open.
    pub(super) fn survey(&self, filter: &Filter) -> Result<crate::gate::Survey, Error> {
        Ok(self.gate().scan(&self.ledger, &self.clearance(), filter, None)?)
    }

    /// Asks for what the policies want of whoever looks at notes of any level, and gives the level from which upwards
    /// they are left out for want of it. It follows from the rules and from what was said, never from what there is, so
    /// a question tells nothing.
    pub(super) fn left_out_from(&mut self, action: Action) -> Option<String> {
        let missing = |why: &Why| matches!(why, Why::PurposeMissing | Why::ReasonMissing);
        self.first_denied(action, &missing)
    }

    /// The level from which upwards notes are left out because this copy was too long without the others.
    fn shut_from(&mut self, action: Action) -> Option<String> {
        self.first_denied(action, &|why| matches!(why, Why::Offline { .. }))
    }

    /// The first level whose notes are denied for such a reason.
    fn first_denied(&mut self, action: Action, so: &dyn Fn(&Why) -> bool) -> Option<String> {
        let me = self.clearance().person;
        let mut denied = |level: Level| {
            let label = match level {
                Level::Named => Label::named([me], []),
                level => Label::new(level, []),
            };
            let Ok(label) = label else { return false };
            let mut facts = ResourceFacts::new(ThingKind::Note, label);
            facts.own = true;
            matches!(self.decide(action, facts), Decision::Denied(denial) if denial.why().iter().any(so))
        };
        let level = Level::ALL.into_iter().find(|level| denied(*level))?;
        Some(self.policies.levels().rules(level).name.clone())
    }
}
