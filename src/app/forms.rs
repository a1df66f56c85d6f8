//! Notes of a template: what they ask, and whether they may be closed.

use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::finding::{Looking, NoteLine};
use super::notes::check_fields;
use super::table::typed;
use crate::casework::{
    Amend, FieldKind, Form, House, Linked, Needed, Record, Template, form, form_names, reserved, value_of, wording_of,
};
use crate::chain::{Kind as EntryKind, Time};
use crate::gate::{Filter, Metadata, Nature, Query, TEXTS};
use crate::id::{NoteId, PersonId};
use crate::label::Level;
use crate::policy::{Action, BadPolicy, Levels};
use std::collections::{BTreeSet, HashSet};

/// What the program looks at of other notes beside their text, for what it is asked about one.
const LINKS: &str = "links-read";
/// How often somebody is asked for what has to be there, and answers nothing.
const ASKED: usize = 3;
/// What somebody does who closes a note.
pub(super) const CLOSES: &str = "closes";

/// What a note of a template is about, by the notes that its fields name.
#[derive(Default)]
pub(super) struct About {
    /// Client and case of the first that was looked at.
    pub(super) names: Option<(String, String)>,
    /// The first number, for the title of what has none.
    pub(super) number: Option<String>,
}

/// Fields as a person gives them.
pub(super) type Fields = Vec<(String, String)>;

/// Refuses names that only the program writes.
pub(super) fn refuse_reserved(fields: &Fields) -> Result<(), Error> {
    match fields.iter().find(|(name, _)| reserved::ALL.contains(&name.trim())) {
        None => Ok(()),
        Some((name, _)) => Err(Error::new(
            Kind::Usage,
            format!("`{}` is a field that the program writes itself", name.trim()),
        )
        .hint("give yours another name")),
    }
}

fn broken(bad: &BadPolicy) -> Error {
    Error::new(Kind::Failed, format!("the policies of this vault are damaged: {bad}"))
        .hint("a lead mends them with `strongroom policy edit`")
}

impl Context<'_> {
    /// Asks a person at a terminal for what has to be there, one thing at a time. What a note cannot be recorded without is asked
    /// again where nothing is answered, and after that nothing else is; what is needed to close it may be left open.
    /// What would be refused afterwards is asked again, so that nobody types the others twice: names that none of `handles` is, and
    /// times that cannot be.
    pub(super) fn ask_fields(
        &self,
        form: &Form,
        fields: &mut Fields,
        needed: Needed,
        (levels, handles): (&Levels, &BTreeSet<String>),
    ) {
        let mut left_open: Vec<String> = Vec::new();
        let mut unanswered = 0;
        while self.person.answers() {
            let mut open = form.template.unanswered(fields, needed);
            let next = open.find(|field| !left_open.contains(&field.name)).cloned();
            drop(open);
            let Some(field) = next else { break };
            let hint = field.hint().map(|hint| format!(" [{hint}]")).unwrap_or_default();
            let Some(typed) = self.person.line(&format!("{}{hint} ", field.ask)) else {
                break;
            };
            match typed.trim() {
                "" if needed == Needed::ToRecord => {
                    unanswered += 1;
                    if unanswered == ASKED {
                        break;
                    }
                    let title = article(&form.template.title);
                    self.person
                        .warn(&format!("{title} is not recorded without `{}`", field.name));
                }
                "" => left_open.push(field.name),
                typed => {
                    let read = field.read(typed, levels).and_then(|value| {
                        let odd = field.out_of_time(&value, self.now()).filter(|_| !self.access.is_sure());
                        let nobody = (field.kind == FieldKind::People)
                            .then(|| nobody_of(&value, handles))
                            .flatten();
                        match (odd, nobody) {
                            (Some(odd), _) => Err(odd),
                            (_, Some(handle)) => Err(called_by_nobody(&field.name, handle)),
                            _ => Ok(value),
                        }
                    });
                    match read {
                        Ok(value) => {
                            unanswered = 0;
                            fields.push((field.name, value));
                        }
                        Err(bad) => self.person.warn(&bad),
                    }
                }
            }
        }
    }

    /// Refuses a time at which something happened that is still to come.
    pub(super) fn refuse_future(&self, happened: Option<Time>) -> Result<(), Error> {
        match happened.filter(|at| *at > self.now() && !self.access.is_sure()) {
            None => Ok(()),
            Some(at) => Err(Error::new(
                Kind::Usage,
                format!("it cannot have happened at {at}: by this computer's clock that is still to come"),
            )
            .hint("if it is the clock that is wrong: --yes")),
        }
    }
}

impl Desk<'_> {
    /// The template of that name.
    pub(super) fn form(&self, name: &str) -> Result<Form, Error> {
        let files = self.policies.files();
        match form(files, name) {
            Ok(Some(form)) => Ok(form),
            Err(bad) => Err(broken(&bad)),
            Ok(None) => {
                let named: String = typed(name);
                let mut names: Vec<&str> = form_names(files).collect();
                names.sort_unstable();
                Err(
                    Error::new(Kind::Usage, format!("there is no template `{named}`")).hint(match names.is_empty() {
                        true => "this vault has none: a lead takes them in with `strongroom policy edit`".to_owned(),
                        false => format!("there are {}", names.join(", ")),
                    }),
                )
            }
        }
    }

    /// The template of a note, if it has one and the policies still do.
    pub(super) fn form_of(&self, metadata: &Metadata) -> Result<Option<Form>, Error> {
        let Some(name) = value_of(&metadata.fields, reserved::TEMPLATE) else {
            return Ok(None);
        };
        form(self.policies.files(), name).map_err(|bad| broken(&bad))
    }

    /// What a person gave for the fields of a template, as it is written. Notes that are named are found among those the
    /// person may read. Fields that the template does not know stay as they are.
    pub(super) fn read_fields(&mut self, form: &Form, fields: Fields) -> Result<Fields, Error> {
        let mut read = Fields::new();
        for (name, value) in check_fields(fields)? {
            if form.template.field(&name).is_none() && !reserved::ALL.contains(&name.as_str()) {
                let title = article(&form.template.title);
                let words = format!("`{name}` is no field of {title}, and stands there as one of your own");
                self.context.person.warn(&words);
            }
            let Some(field) = form.template.field(&name).filter(|_| !value.is_empty()) else {
                read.push((name, value));
                continue;
            };
            let value = field
                .read(&value, self.policies.levels())
                .map_err(|bad| Error::new(Kind::Usage, bad))?;
            let sure = self.context.access.is_sure();
            if let Some(odd) = field.out_of_time(&value, self.context.now()).filter(|_| !sure) {
                return Err(Error::new(Kind::Usage, odd).hint("if that is meant: --yes"));
            }
            read.push((name, value));
        }
        Ok(read)
    }

    /// Finds the notes and people that fields name, also those that were typed when they were asked for, writes whole ids, and
    /// refuses who is barred by what they say.
    pub(super) fn link_fields(&mut self, form: &Form, fields: &mut Fields, verb: &str) -> Result<About, Error> {
        let template = &form.template;
        let mut about = About::default();
        // What has a number needs none of another's, and a text has a first line.
        let titled = template.number.is_none() && !template.sections.is_empty();
        for (name, value) in fields.iter_mut() {
            let Some(field) = template.field(name) else { continue };
            if field.kind == FieldKind::People {
                self.check_people(name, value)?;
            }
            if field.kind != FieldKind::Note || value.is_empty() {
                continue;
            }
            let asked = value.clone();
            let found = self.find(&asked)?;
            let Some((note, _, _)) = found else {
                let details = self.details(verb);
                return Err(self.not_there(details, &asked)?);
            };
            let bars = template.barred.iter().any(|barred| barred.link == *name);
            let heads = match field.template.is_some() || bars || titled {
                true => self.heads_of(&[note])?,
                false => Vec::new(),
            };
            let metadata = heads.first().map(|line| &line.listed.metadata);
            let number = metadata.and_then(|metadata| value_of(&metadata.fields, reserved::NUMBER));
            about.number = about.number.or_else(|| number.filter(|_| titled).map(str::to_owned));
            if field.template.is_some() || bars {
                let metadata = metadata.ok_or_else(|| Error::no_such_note(&asked))?;
                let names = || (metadata.client.clone(), metadata.case.clone());
                about.names = about.names.or_else(|| Some(names()));
                let of = value_of(&metadata.fields, reserved::TEMPLATE);
                if let Some(due) = field.template.as_deref().filter(|due| of != Some(due)) {
                    return Err(Error::new(
                        Kind::Usage,
                        format!("`{name}` names a note of the template `{due}`, and `{asked}` is none"),
                    ));
                }
                if self.is_barred(template, name, &heads) {
                    let error = barred_from(template, "writes");
                    return Err(self.refused(verb, Some(EntryKind::Add), Some(&asked), error)?);
                }
            }
            *value = note.to_string();
        }
        Ok(about)
    }

    /// Refuses whoever is barred by what a note of the template links to, also where somebody else wrote it.
    pub(super) fn refuse_barred(
        &mut self,
        form: &Form,
        metadata: &Metadata,
        read: &str,
        done: &str,
    ) -> Result<(), Error> {
        let template = &form.template;
        for barred in &template.barred {
            let Some(asked) = value_of(&metadata.fields, &barred.link) else {
                continue;
            };
            let heads = match self.find(asked)? {
                Some((note, _, _)) => self.heads_of(&[note])?,
                None => Vec::new(),
            };
            // Who may not look at what it is about cannot be known to stand outside it.
            let Some(line) = heads.first() else {
                let title = template.title.to_lowercase();
                let words = format!("denied: who may not read what it is about {done} no {title}");
                let error = Error::new(Kind::Denied, words).hint("somebody does who may");
                return Err(self.refused(read, Some(EntryKind::Revise), Some(asked), error)?);
            };
            if self.is_barred(template, &barred.link, &heads) {
                let error = barred_from(template, done);
                return Err(self.refused(read, Some(EntryKind::Revise), Some(asked), error)?);
            }
            if let Some(open) = barred
                .people
                .as_ref()
                .filter(|field| done == CLOSES && heads.iter().all(|head| !answers(head, field)))
            {
                let words =
                    format!("`{open}` of what it is about is not answered yet: who was in it does not close this");
                return Err(Error::new(Kind::Failed, words).hint(format!(
                    "`strongroom edit {} --field {open}=…`, and close this then",
                    &line.listed.note.to_string()[..8]
                )));
            }
        }
        Ok(())
    }

    /// Whether one of the heads of a note that such a field links to bars whoever is at the desk.
    fn is_barred(&self, template: &Template, link: &str, heads: &[NoteLine]) -> bool {
        let of_it = template.barred.iter().filter(|barred| barred.link == link);
        let people = of_it.flat_map(|barred| self.people_in(heads, barred.people.as_deref()));
        people
            .into_iter()
            .any(|people| self.is_named(self.identity.person(), &people))
    }

    /// Whom a field of a note names, by each of its heads; without a field who recorded it.
    fn people_in(&self, heads: &[NoteLine], field: Option<&str>) -> Vec<String> {
        let people = heads.iter().filter_map(|head| {
            let metadata = &head.listed.metadata;
            let recorded = || self.handle(metadata.author);
            match field {
                None => Some(value_of(&metadata.fields, reserved::RECORDED_BY).map_or_else(recorded, str::to_owned)),
                Some(field) => value_of(&metadata.fields, field).map(str::to_owned),
            }
        });
        people.collect()
    }

    /// Who is no second person for what is about these notes, by what their templates say: lists of people as they were
    /// written. None where a note that has to be looked at for it is not for whoever is at the desk.
    pub(super) fn not_second(&mut self, notes: &[NoteId]) -> Result<Option<Vec<String>>, Error> {
        let heads = self.heads_of(notes)?;
        let mut named = Vec::new();
        for head in &heads {
            let metadata = &head.listed.metadata;
            let Some(Form { template, .. }) = self.form_of(metadata)? else {
                continue;
            };
            for own in &template.not_second {
                named.extend(self.people_in(std::slice::from_ref(head), own.as_deref()));
            }
            for barred in &template.barred {
                let Some(asked) = value_of(&metadata.fields, &barred.link) else {
                    continue;
                };
                let about = match self.find(asked)? {
                    Some((note, _, _)) => self.heads_of(&[note])?,
                    None => Vec::new(),
                };
                if about.is_empty() {
                    return Ok(None);
                }
                named.extend(self.people_in(&about, barred.people.as_deref()));
            }
        }
        let seen: HashSet<NoteId> = heads.iter().map(|head| head.listed.note).collect();
        Ok(notes.iter().all(|note| seen.contains(note)).then_some(named))
    }

    /// Refuses handles that nobody has or had: who is named by mistake is barred from nothing.
    fn check_people(&self, name: &str, people: &str) -> Result<(), Error> {
        match nobody_of(people, &self.all_handles()) {
            None => Ok(()),
            Some(handle) => Err(Error::new(Kind::Usage, called_by_nobody(name, handle))
                .hint("several are divided by commas; who is no member is named without `@`")),
        }
    }

    /// What anybody is or was called, in small letters.
    pub(super) fn all_handles(&self) -> BTreeSet<String> {
        let cards = self.ledger.charter().roster.cards().iter();
        cards.map(|card| card.handle.to_ascii_lowercase()).collect()
    }

    /// Whether a list of people names somebody, by a handle that they have or had.
    pub(super) fn is_named(&self, person: PersonId, people: &str) -> bool {
        let cards = self.ledger.charter().roster.cards().iter();
        let mut handles = cards.filter(|card| card.person == person).map(|card| &card.handle);
        handles.any(|handle| {
            let mut all = people.split(',');
            all.any(|one| one.trim().trim_start_matches('@').eq_ignore_ascii_case(handle))
        })
    }

    /// What is known of notes beside their texts, of each by all its heads, the newest first; under an entry of its own.
    pub(super) fn heads_of(&mut self, notes: &[NoteId]) -> Result<Vec<NoteLine>, Error> {
        let only: HashSet<NoteId> = notes.iter().copied().collect();
        let filter = Filter {
            natures: TEXTS.to_vec(),
            ..Filter::default()
        };
        let details = self.details(LINKS);
        self.find_all(details, &Looking::heads_of(Action::List, filter, &only))
    }

    /// What has to be there before it is recorded.
    pub(super) fn refuse_unanswered(&self, form: &Form, fields: &Fields) -> Result<(), Error> {
        let open: Vec<_> = form.template.unanswered(fields, Needed::ToRecord).collect();
        if open.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = open.iter().map(|field| format!("`{}`", field.name)).collect();
        let words = format!(
            "{} asks for {} too; nothing was recorded",
            article(&form.template.title),
            names.join(", ")
        );
        Err(open.iter().fold(Error::new(Kind::Usage, words), |error, field| {
            let hint = field.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
            error.hint(format!("--field {}=…: {}{hint}", field.name, field.ask))
        }))
    }

    /// Writes down what the program knows of a note of a template: the grade that its rubric gives.
    pub(super) fn grade(&mut self, form: &Form, note: Option<NoteId>, fields: &mut Fields) -> Result<(), Error> {
        let Some(rubric) = &form.rubric else { return Ok(()) };
        fields.retain(|(name, _)| name != reserved::GRADE);
        let alone = rubric.grade(fields, 0).map(|grade| grade.name.clone());
        let Some(alone) = alone else { return Ok(()) };
        let before = match rubric
            .repeat()
            .and_then(|repeat| Some((repeat, value_of(fields, &repeat.by)?)))
        {
            None => 0,
            Some((repeat, value)) => {
                let now = self.context.now().unix();
                let details = self.details(LINKS);
                let filter = Filter {
                    natures: vec![Nature::Note],
                    field: Some((reserved::TEMPLATE, form.template.name.clone())),
                    ..Filter::default()
                };
                let lines = self.find_all(details, &Looking::for_all(Action::List, filter))?;
                let same = |line: &&NoteLine| {
                    let metadata = &line.listed.metadata;
                    let by = value_of(&metadata.fields, &repeat.by).is_some_and(|by| by.eq_ignore_ascii_case(value));
                    let recent = repeat.within.after(metadata.created).is_some_and(|end| end > now);
                    by && recent && Some(line.listed.note) != note
                };
                lines.iter().filter(same).count()
            }
        };
        let grade = rubric
            .grade(fields, before)
            .map(|grade| (grade.name.clone(), grade.action.clone()));
        if let Some((grade, action)) = grade {
            if grade != alone {
                self.context.person.warn(&format!(
                    "this is number {} of its kind within the time that the rubric counts: {grade}, {action}",
                    before + 1
                ));
            }
            fields.push((reserved::GRADE.to_owned(), grade));
            fields.sort();
        }
        Ok(())
    }

    /// The notes whose fields point to that one.
    pub(super) fn lines_pointing_to(&mut self, note: NoteId) -> Result<Vec<NoteLine>, Error> {
        let query = Query::parse(&note.to_string())?;
        let filter = Filter {
            natures: vec![Nature::Note],
            ..Filter::default()
        };
        let details = self.details(LINKS);
        let mut lines = self.find_all(details, &Looking::mentioning(Action::List, filter, &query))?;
        let id = note.to_string();
        lines.retain(|line| line.listed.metadata.fields.iter().any(|(_, value)| *value == id));
        Ok(lines)
    }

    /// The same: the name of each one's template, and its fields.
    pub(super) fn pointing_to(&mut self, note: NoteId) -> Result<Vec<(String, Fields)>, Error> {
        let lines = self.lines_pointing_to(note)?;
        let of = |line: &NoteLine| {
            let fields = line.listed.metadata.fields.clone();
            Some((value_of(&fields, reserved::TEMPLATE)?.to_owned(), fields))
        };
        Ok(lines.iter().filter_map(of).collect())
    }

    /// What stands in the way of closing a note of a template.
    pub(super) fn lacks(
        &mut self,
        form: &Form,
        note: NoteId,
        metadata: &Metadata,
        text: &str,
    ) -> Result<Vec<String>, Error> {
        let pointing = match form.template.closing.linked.is_empty() {
            true => Vec::new(),
            false => self.pointing_to(note)?,
        };
        let id = note.to_string();
        let linked: Vec<Linked<'_>> = links(&pointing, &id);
        let wording = wording_of(self.policies.files()).map_err(|bad| broken(&bad))?;
        let mut people: Vec<String> = self
            .ledger
            .charter()
            .roster
            .members()
            .map(|card| card.handle.clone())
            .collect();
        let named = form
            .template
            .fields
            .iter()
            .filter(|field| field.kind == FieldKind::People);
        let named = named.filter_map(|field| value_of(&metadata.fields, &field.name));
        people.extend(
            named
                .flat_map(|value| value.split(','))
                .map(|one| one.trim().trim_start_matches('@').to_owned()),
        );
        let house = House {
            levels: self.policies.levels(),
            wording: wording.as_ref(),
            people: &people,
        };
        Ok(form.template.lacks(&record_of(metadata), text, &linked, &house))
    }

    /// Refuses a brief for so many of a note whose template wants another note finished before, and tells whether a second
    /// person is wanted for its release.
    pub(super) fn may_brief(&mut self, note: NoteId, metadata: &Metadata, audience: Level) -> Result<bool, Error> {
        let Some(Form { template, .. }) = self.form_of(metadata)? else {
            return Ok(false);
        };
        let Some(rule) = template.brief.filter(|rule| audience <= rule.up_to) else {
            return Ok(false);
        };
        if rule.closed && value_of(&metadata.fields, reserved::CLOSED).is_none() {
            let words = format!(
                "denied: a brief of {} waits until it is closed",
                article(&template.title)
            );
            let error = Error::new(Kind::Denied, words).hint(format!("`strongroom close {}`", &note.to_string()[..8]));
            return Err(self.refused("brief draft", Some(EntryKind::Draft), Some(&note.to_string()), error)?);
        }
        if let Some(needs) = &rule.needs {
            let pointing = self.pointing_to(note)?;
            if !needs.holds(&links(&pointing, &note.to_string())) {
                let words = format!("a brief of {} waits for {}", article(&template.title), needs.words);
                let error = Error::new(Kind::Denied, format!("denied: {words}")).hint(format!(
                    "`strongroom add --template {} --field {}={}`, and `strongroom close` it",
                    needs.template,
                    needs.by,
                    &note.to_string()[..8]
                ));
                return Err(self.refused("brief draft", Some(EntryKind::Draft), Some(&note.to_string()), error)?);
            }
        }
        Ok(rule.second_person)
    }
}

/// The first handle in a list of people that nobody has or had.
fn nobody_of<'p>(people: &'p str, handles: &BTreeSet<String>) -> Option<&'p str> {
    let mut named = people.split(',').filter_map(|one| one.trim().strip_prefix('@'));
    named.find(|handle| !handles.contains(&handle.to_ascii_lowercase()))
}

fn called_by_nobody(name: &str, handle: &str) -> String {
    format!(
        "`{name}` names `@{}`, and nobody here is called so",
        short(handle.to_owned())
    )
}

/// Whether a head answers a field.
fn answers(head: &NoteLine, field: &str) -> bool {
    value_of(&head.listed.metadata.fields, field).is_some()
}

fn barred_from(template: &Template, done: &str) -> Error {
    let words = format!(
        "denied: who was involved in it, or recorded it, {done} no {}",
        template.title.to_lowercase()
    );
    Error::new(Kind::Denied, words).hint("somebody else does")
}

/// What points to a note, as its rules are told of it.
fn links<'p>(pointing: &'p [(String, Fields)], id: &'p str) -> Vec<Linked<'p>> {
    pointing
        .iter()
        .map(|(template, fields)| Linked {
            to: id,
            template,
            fields,
        })
        .collect()
}

/// What casework is told of a note.
pub(super) fn record_of(metadata: &Metadata) -> Record<'_> {
    Record {
        fields: &metadata.fields,
        created: Time::from_unix(metadata.created),
        happened: metadata.happened.map(Time::from_unix),
    }
}

/// Whether what was recorded stays as it is, and what is written comes as an addendum.
pub(super) fn takes_addenda(form: Option<&Form>, metadata: &Metadata) -> bool {
    let closed = value_of(&metadata.fields, reserved::CLOSED).is_some();
    closed || form.is_some_and(|form| form.template.amend == Amend::Addenda)
}

/// The text with an addendum.
pub(super) fn with_addendum(before: &str, addendum: &str, now: Time, happened: Option<Time>, by: &str) -> String {
    let of = happened.map(|time| format!(", of {time}")).unwrap_or_default();
    format!(
        "{}\n\n## Addendum {now} by {by}{of}\n\n{}\n",
        before.trim_end(),
        addendum.trim()
    )
}

/// Refuses to change what was answered; what was left open may be filled in.
pub(super) fn refuse_rewriting(metadata: &Metadata, changed: &Fields) -> Result<(), Error> {
    let rewrites = |(name, value): &&(String, String)| {
        value_of(&metadata.fields, name.trim()).is_some_and(|before| before != value.trim())
    };
    match changed.iter().find(rewrites) {
        None => Ok(()),
        Some((name, _)) => Err(Error::new(
            Kind::Usage,
            format!(
                "`{}` was answered, and what was recorded stays",
                short(name.trim().to_owned())
            ),
        )
        .hint("write an addendum that says what is right: `strongroom edit ID`")),
    }
}

/// A number in a series: no two devices have to agree on it.
pub(super) fn number_of(prefix: &str, now: Time, note: NoteId) -> String {
    let day = now.to_string()[..10].replace('-', "");
    format!("{prefix}-{day}-{}", &note.to_string()[..4])
}

/// `an incident record`.
pub(super) fn article(title: &str) -> String {
    let title = title.to_lowercase();
    match title.starts_with(['a', 'e', 'i', 'o', 'u']) {
        true => format!("an {title}"),
        false => format!("a {title}"),
    }
}
