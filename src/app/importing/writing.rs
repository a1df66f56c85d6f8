//! What becomes of what was gathered: the plan, and carrying it out.

use super::super::attachments::attach_with;
use super::super::context::{Context, Desk, Unlocked};
use super::super::error::{Error, Kind};
use super::super::forms::{Fields, refuse_reserved, takes_addenda};
use super::super::notes::{NewText, check_fields, check_name, new_note};
use super::super::writing::How;
use super::beside::{Beside, folder_of};
use super::gather::{Gathered, Source, Thing, file_name};
use super::there::{Found, Recognised, There};
use super::{ImportPlan, ImportQuery, LeftOut, SourceKind};
use crate::casework::{Form, reserved};
use crate::chain::Kind as EntryKind;
use crate::crypto::make_random;
use crate::env::SystemEntropy;
use crate::gate::Metadata;
use crate::id::{Digest, LogName, NoteId};
use crate::label::Label;
use crate::policy::{Action, Decision};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use zeroize::Zeroizing;

/// Its verb in the log.
const VERB: &str = "import";
/// So many notes are written before others get at the vault.
const TOGETHER: usize = 64;

/// Why a file is not attached.
const IS_NOT_TAKEN: &str = "the note that it is attached to is not taken";
const STAYS: &str = "its note stays as it is here, though it changed there";
const IS_DUPLICATE: &str =
    "the note that it is attached to is a duplicate, and left out; --keep-duplicates takes both along";

/// A thing that changed in the source, and the note that it is.
struct Update {
    thing: Thing,
    note: NoteId,
    body: Digest,
    metadata: Metadata,
}

/// By folder.
type Around = HashMap<String, Vec<Label>>;

/// What was planned.
pub(super) struct Planned {
    pub(super) plan: ImportPlan,
    new: Vec<Thing>,
    updates: Vec<Update>,
    forms: BTreeMap<String, Form>,
    /// Files to attach, and to which note.
    beside: Vec<(NoteId, Vec<Beside>)>,
    /// The labels of the texts in each folder.
    around: Around,
    /// Whether what has the text of another note is taken too.
    keep_duplicates: bool,
    /// How far the own log was when what is there was looked at, or written to by this import since.
    known: (LogName, u64),
}

impl Desk<'_> {
    /// What is to be done, with everything refused that would be.
    pub(super) fn plan(
        &mut self,
        query: &ImportQuery,
        source: &Source,
        gathered: Gathered,
        there: &mut There,
        recognised: &Recognised,
    ) -> Result<Planned, Error> {
        let in_clear = match source.kind {
            SourceKind::Folder | SourceKind::Csv => gathered.things.len(),
            SourceKind::Pass | SourceKind::Passage => 0,
        };
        let mut planned = Planned {
            plan: ImportPlan {
                source: source.whole.clone(),
                kind: source.kind.name(),
                skipped: gathered.left,
                columns_left: gathered.columns_left,
                in_clear,
                ..ImportPlan::default()
            },
            new: Vec::new(),
            updates: Vec::new(),
            forms: BTreeMap::new(),
            beside: Vec::new(),
            around: self.around(&gathered.things, there, recognised),
            keep_duplicates: query.keep_duplicates,
            known: self.ledger.head(),
        };
        let mut labels: BTreeMap<Option<String>, (Label, String)> = BTreeMap::new();
        let mut texts: HashMap<String, String> = HashMap::new();
        let mut places: HashMap<String, String> = HashMap::new();
        for mut thing in gathered.things {
            let path = thing.path.clone();
            let called = thing.called.take().unwrap_or_else(|| path.clone());
            let left = |why: String| LeftOut {
                path: called.clone(),
                why,
                is_fault: false,
            };
            let (plan, around) = (&mut planned.plan, &planned.around);
            if let Some(first) = places.get(&path) {
                // Rows that say the same, or one id twice: of which nobody can tell what is right.
                match *first == thing.digest {
                    true => plan.duplicates.push(left("of another one of that name".into())),
                    false => plan.skipped.push(LeftOut {
                        is_fault: true,
                        ..left("another row has this id and says something else".into())
                    }),
                }
                leave_beside(plan, thing.beside, IS_DUPLICATE);
                continue;
            }
            places.insert(path.clone(), thing.digest.clone());
            match there.find(recognised, &thing.path, &thing.digest) {
                Found::There(known) => {
                    plan.there += 1;
                    let beside = self.not_attached(known.note, std::mem::take(&mut thing.beside))?;
                    let beside = self.fitting(plan, around, &known.label, beside);
                    plan.attachments += beside.len();
                    planned.beside.push((known.note, beside));
                    continue;
                }
                Found::Changed(known) => {
                    let form = self.form_of(&known.metadata)?;
                    let closed = takes_addenda(form.as_ref(), &known.metadata);
                    let why = match (query.update, known.untouched, closed) {
                        (false, ..) => "--update records what it says now as a new revision of",
                        (true, false, _) => {
                            "it was revised here too: bring the two together with `strongroom edit`, in"
                        }
                        (true, true, true) => "addenda alone are taken by",
                        (true, true, false) => {
                            let checked = check(&thing).and_then(|()| match &form {
                                Some(form) => self.fill(form, &mut thing, &known.metadata.fields),
                                None => Ok(()),
                            });
                            if let Err(error) = checked {
                                if error.kind == Kind::Denied {
                                    return Err(error);
                                }
                                plan.skipped.push(fault(&called, error));
                                let beside = self.not_attached(known.note, thing.beside)?;
                                leave_beside(plan, beside, STAYS);
                                continue;
                            }
                            let beside = self.not_attached(known.note, std::mem::take(&mut thing.beside))?;
                            thing.beside = self.fitting(plan, around, &known.label, beside);
                            if let Some(known) = there.take(recognised, &path) {
                                plan.attachments += thing.beside.len();
                                plan.updates.push(called);
                                planned.updates.push(Update {
                                    thing,
                                    note: known.note,
                                    body: known.body,
                                    metadata: known.metadata,
                                });
                            }
                            continue;
                        }
                    };
                    plan.changed
                        .push(left(format!("{why} note {}", &known.note.to_string()[..8])));
                    let beside = self.not_attached(known.note, thing.beside)?;
                    leave_beside(plan, beside, STAYS);
                    continue;
                }
                Found::Text(note) if !query.keep_duplicates => {
                    plan.duplicates
                        .push(left(format!("of note {}", &note.to_string()[..8])));
                    let beside = self.not_attached(note, thing.beside)?;
                    leave_beside(plan, beside, IS_DUPLICATE);
                    continue;
                }
                Found::Elsewhere if !query.keep_duplicates => {
                    let why = "perhaps: another device imported something from a place that is called so";
                    plan.duplicates.push(left(why.into()));
                    leave_beside(plan, thing.beside, IS_DUPLICATE);
                    continue;
                }
                Found::Text(_) | Found::Elsewhere | Found::Nothing => {}
            }
            match texts.get(&thing.digest) {
                Some(first) if !query.keep_duplicates => {
                    plan.duplicates.push(left(format!("of {first}")));
                    leave_beside(plan, thing.beside, IS_DUPLICATE);
                    continue;
                }
                Some(_) => {}
                None => drop(texts.insert(thing.digest.clone(), called.clone())),
            }
            if let Err(error) = check(&thing).and_then(|()| self.fill_form(&mut planned.forms, &mut thing)) {
                // Nobody may write there at all: that is no fault of one thing.
                if error.kind == Kind::Denied {
                    return Err(error);
                }
                planned.plan.skipped.push(fault(&called, error));
                leave_beside(&mut planned.plan, thing.beside, IS_NOT_TAKEN);
                continue;
            }
            let (label, words) = match labels.get(&thing.label) {
                Some(label) => label.clone(),
                None => {
                    let label = self.may_import(thing.label.as_deref())?;
                    labels.insert(thing.label.clone(), label.clone());
                    label
                }
            };
            let (plan, around) = (&mut planned.plan, &planned.around);
            thing.beside = self.fitting(plan, around, &label, std::mem::take(&mut thing.beside));
            if let Some(note) = there.moved(recognised, &path) {
                plan.moved
                    .push(left(format!("perhaps note {}", &note.to_string()[..8])));
            }
            plan.new += 1;
            plan.bytes += thing.text.len() as u64;
            plan.attachments += thing.beside.len();
            plan.labels_left += usize::from(thing.label_left);
            *plan.labels.entry(words).or_default() += 1;
            for (counts, name) in [(&mut plan.clients, &thing.client), (&mut plan.cases, &thing.case)] {
                if let Some(name) = name {
                    *counts.entry(name.trim().to_owned()).or_default() += 1;
                }
            }
            planned.new.push(thing);
        }
        Ok(planned)
    }

    /// The labels of the texts in each folder: those that they have here, or will have.
    fn around(&self, things: &[Thing], there: &There, recognised: &Recognised) -> Around {
        let mut around = Around::new();
        let apart = things.iter().flat_map(|thing| &thing.beside).any(|file| file.is_apart);
        // Where none needs to know it, nothing is asked.
        for thing in things.iter().filter(|_| apart) {
            let label = match there.find(recognised, &thing.path, &thing.digest) {
                Found::There(known) | Found::Changed(known) => known.label.clone(),
                // What is no label is told of when it is imported.
                _ => match self.label(thing.label.as_deref()) {
                    Ok(label) => label,
                    Err(_) => continue,
                },
            };
            let labels = around.entry(folder_of(&thing.path).to_owned()).or_default();
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        around
    }

    /// Of files to attach to a note under `label` those that the rules give no other, and that lie among texts of no other where
    /// the rules give them none. Nothing goes where more people read it than they said.
    fn fitting(&self, plan: &mut ImportPlan, around: &Around, label: &Label, beside: Vec<Beside>) -> Vec<Beside> {
        let (mut fitting, mut ruled, mut apart) = (Vec::new(), Vec::new(), Vec::new());
        for file in beside {
            let (given, near) = (file.label.as_deref(), around.get(folder_of(&file.path)));
            let others = near.is_some_and(|near| near.iter().any(|other| other != label));
            match given {
                Some(_) if !self.label(given).is_ok_and(|given| given == *label) => ruled.push(file),
                None if file.is_apart && others => apart.push(file),
                _ => fitting.push(file),
            }
        }
        leave_beside(plan, ruled, "the rules give it another label than its note has");
        leave_beside(
            plan,
            apart,
            "it lies among texts of another label than its note has; a rule can give it a label",
        );
        fitting
    }

    /// Of files to attach to a note those that it does not have.
    fn not_attached(&mut self, note: NoteId, beside: Vec<Beside>) -> Result<Vec<Beside>, Error> {
        let mut missing = Vec::new();
        for file in beside {
            if !self.has_attachment(note, file_name(&file.path))? {
                missing.push(file);
            }
        }
        Ok(missing)
    }

    /// Whether notes of that label may be written; gives it, and as people read it. A denial is entered.
    fn may_import(&mut self, text: Option<&str>) -> Result<(Label, String), Error> {
        let label = match self.label(text) {
            Ok(label) => label,
            Err(error) => return Err(self.refused(VERB, Some(EntryKind::Add), text, error)?),
        };
        let words = self.label_text(&label).to_string();
        match self.decide(Action::Add, new_note(label.clone())) {
            Decision::Permitted(_) => Ok((label, words)),
            Decision::Denied(denial) => {
                let mut details = self.details(VERB);
                details.level = Some(label.level());
                Err(self
                    .denied(&denial, Some(EntryKind::Add), details, Vec::new(), &words)?
                    .hint(format!(
                        "nothing was imported: `{words}` is what it would have been sealed to"
                    )))
            }
        }
    }

    /// Reads what its template asks for out of its fields.
    fn fill_form(&mut self, forms: &mut BTreeMap<String, Form>, thing: &mut Thing) -> Result<(), Error> {
        let Some(name) = thing.template.clone() else {
            return Ok(());
        };
        if !forms.contains_key(&name) {
            forms.insert(name.clone(), self.form(&name)?);
        }
        match forms.get(&name) {
            Some(form) => self.fill(form, thing, &[]),
            None => Ok(()),
        }
    }

    /// The same of a template that is known. A note that becomes a new revision has what the source does not mention any more, of
    /// `before`, still: only what is empty there is taken away.
    fn fill(&mut self, form: &Form, thing: &mut Thing, before: &[(String, String)]) -> Result<(), Error> {
        let said: BTreeSet<&str> = thing.said().collect();
        let kept = before.iter().filter(|(name, _)| !said.contains(name.as_str()));
        let mut all: Fields = kept.cloned().collect();
        let fields = std::mem::take(&mut thing.fields);
        let (known, own): (Vec<_>, Vec<_>) = fields
            .into_iter()
            .partition(|(name, _)| form.template.field(name).is_some());
        let mut read = self.read_fields(form, known)?;
        all.extend_from_slice(&read);
        self.refuse_unanswered(form, &all)?;
        self.link_fields(form, &mut read, "import-read")?;
        read.extend(own);
        thing.fields = read;
        Ok(())
    }
}

/// Says of files that are not attached why that is.
fn leave_beside(plan: &mut ImportPlan, beside: Vec<Beside>, why: &str) {
    plan.skipped.extend(beside.into_iter().map(|file| LeftOut {
        path: file.path,
        why: why.to_owned(),
        is_fault: false,
    }));
}

fn fault(path: &str, error: Error) -> LeftOut {
    LeftOut {
        path: path.to_owned(),
        why: error.message,
        is_fault: true,
    }
}

/// Whether a thing can be a note at all.
fn check(thing: &Thing) -> Result<(), Error> {
    check_name("title", &thing.title)?;
    check_name("client", thing.client.as_deref().unwrap_or_default())?;
    check_name("case", thing.case.as_deref().unwrap_or_default())?;
    refuse_reserved(&thing.fields)?;
    check_fields(thing.fields.clone()).map(drop)
}

impl Planned {
    /// Writes what is new: each note an entry. Others get at the vault now and then.
    pub(super) fn write(
        &mut self,
        context: &Context<'_>,
        unlocked: &Unlocked<'_>,
        recognised: &Recognised,
    ) -> Result<usize, Error> {
        let (mut written, mut done) = (0, 0);
        let mut new = std::mem::take(&mut self.new).into_iter().peekable();
        while new.peek().is_some() {
            let mut desk = unlocked.desk(context)?;
            let there = self.look_again(&mut desk, recognised)?;
            let mut drafts = Vec::with_capacity(TOGETHER);
            for mut thing in new.by_ref().take(TOGETHER) {
                context.person.progress(Some(done), Some(self.plan.bytes));
                done += thing.text.len() as u64;
                let found = there
                    .as_ref()
                    .map(|there| there.find(recognised, &thing.path, &thing.digest));
                match found {
                    Some(Found::There(known)) => {
                        self.plan.there += 1;
                        let beside = desk.fitting(&mut self.plan, &self.around, &known.label, thing.beside);
                        self.beside.push((known.note, beside));
                        continue;
                    }
                    Some(Found::Changed(_)) => {
                        self.overtaken(context, thing);
                        continue;
                    }
                    Some(Found::Text(_)) if !self.keep_duplicates => {
                        self.overtaken(context, thing);
                        continue;
                    }
                    None | Some(Found::Text(_) | Found::Elsewhere | Found::Nothing) => {}
                }
                let note = NoteId(make_random(&mut SystemEntropy)?);
                let own = recognised.fields(note, &thing.path, &thing.digest, 1);
                let form = thing.template.as_ref().and_then(|name| self.forms.get(name));
                let text = NewText {
                    title: Some(std::mem::take(&mut thing.title)),
                    client: thing.client.take(),
                    case: thing.case.take(),
                    label: thing.label.take(),
                    at: thing.at,
                    fields: std::mem::take(&mut thing.fields),
                    template: None,
                };
                // How grave it is depends on how many of its kind came before, of which these are some.
                let counts = |form: &Form| form.rubric.as_ref().is_some_and(|rubric| rubric.repeat().is_some());
                if form.is_some_and(counts) && !drafts.is_empty() {
                    written += desk.record_all(std::mem::take(&mut drafts))?;
                }
                let ready = desk.ready(VERB, note, text, form, &thing.text, own)?;
                if !thing.beside.is_empty() {
                    self.beside.push((ready.note, thing.beside));
                }
                drafts.push(ready.draft);
            }
            written += desk.record_all(drafts)?;
            self.known = desk.ledger.head();
        }
        Ok(written)
    }

    /// Leaves out what was recorded otherwise since the plan.
    fn overtaken(&mut self, context: &Context<'_>, thing: Thing) {
        let Thing { path, beside, .. } = thing;
        leave_beside(&mut self.plan, beside, IS_NOT_TAKEN);
        let why = "it, or what it says, was recorded or changed here while this import went on: import once more to see how it \
                   stands, for";
        context.person.warn(&format!("{why} `{path}`"));
        self.plan.changed.push(LeftOut {
            path,
            why: why.into(),
            is_fault: false,
        });
    }

    /// What is there by now, where this device wrote something else since that was looked at: perhaps the same import, given
    /// twice.
    fn look_again(&mut self, desk: &mut Desk<'_>, recognised: &Recognised) -> Result<Option<There>, Error> {
        if desk.ledger.head() == self.known {
            return Ok(None);
        }
        let there = desk.there(recognised)?;
        self.known = desk.ledger.head();
        Ok(Some(there))
    }

    /// Records what changed in the source as new revisions.
    pub(super) fn update(
        &mut self,
        context: &Context<'_>,
        unlocked: &Unlocked<'_>,
        recognised: &Recognised,
    ) -> Result<usize, Error> {
        let mut updated = 0;
        for Update {
            mut thing,
            note,
            body,
            mut metadata,
        } in std::mem::take(&mut self.updates)
        {
            let how = How {
                verb: VERB,
                action: Action::Revise,
            };
            metadata.title = check_name("title", &thing.title)?;
            let mut fields = check_fields(std::mem::take(&mut thing.fields))?;
            // What is empty there now is no field any more, as in a note that is new.
            let said = fields.iter().map(|(name, _)| name).chain(&thing.emptied);
            let said: BTreeSet<String> = said.cloned().collect();
            fields.retain(|(_, value)| !value.is_empty());
            let key = recognised.value(note, &thing.path, &thing.digest, metadata.number + 1);
            fields.push((reserved::IMPORTED_KEY.to_owned(), key));
            metadata
                .fields
                .retain(|(name, _)| !said.contains(name) && name != reserved::IMPORTED_KEY);
            metadata.fields.extend(fields);
            metadata.fields.sort();
            metadata.happened = thing.at.map(|at| at.unix()).or(metadata.happened);
            let mut desk = unlocked.desk(context)?;
            if let Some(there) = self.look_again(&mut desk, recognised)? {
                match there.find(recognised, &thing.path, &thing.digest) {
                    Found::Changed(known) if known.body == body => {}
                    Found::There(known) => {
                        self.plan.there += 1;
                        let beside = desk.fitting(&mut self.plan, &self.around, &known.label, thing.beside);
                        self.beside.push((note, beside));
                        continue;
                    }
                    _ => {
                        self.overtaken(context, thing);
                        continue;
                    }
                }
            }
            let mut text = std::mem::take(&mut thing.text);
            if let Some(form) = desk.form_of(&metadata)? {
                desk.grade(&form, Some(note), &mut metadata.fields)?;
                text = Zeroizing::new(form.template.fitted(&text));
            }
            desk.revise(how, note, &[body], metadata, &text)?;
            self.known = desk.ledger.head();
            self.beside.push((note, thing.beside));
            updated += 1;
        }
        Ok(updated)
    }

    /// Attaches what lies beside.
    pub(super) fn attach(
        &mut self,
        context: &Context<'_>,
        unlocked: &Unlocked<'_>,
        source: &Source,
    ) -> Result<usize, Error> {
        let mut attached = 0;
        for (note, files) in std::mem::take(&mut self.beside) {
            for Beside { path, .. } in files {
                let name = file_name(&path);
                // The desk is given back before the file is attached.
                let there = unlocked.desk(context)?.has_attachment(note, name);
                let done = match there {
                    Ok(true) => continue,
                    Ok(false) => attach_with(context, unlocked, &note.to_string(), name, || source.below(&path)),
                    Err(error) => Err(error),
                };
                match done {
                    Ok(_) => attached += 1,
                    Err(error) if error.kind == Kind::Denied => return Err(error),
                    Err(error) => self.plan.skipped.push(fault(&path, error)),
                }
            }
        }
        Ok(attached)
    }
}
