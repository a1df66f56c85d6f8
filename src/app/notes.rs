//! Notes: record, read.

use super::attachments::look_at_pictures;
use super::context::{Context, Desk, Unlocked, short};
use super::error::{Error, Kind};
use super::forms::{Fields, number_of, refuse_reserved};
use super::writing::{TextFrom, words_of, write};
use crate::casework::{FieldKind, Form, Needed, reserved, value_of};
use crate::chain::{Kind as EntryKind, Time};
use crate::crypto::{Recipient, make_random};
use crate::env::SystemEntropy;
use crate::envelope::{KeptText, WrapFile};
use crate::gate::{Metadata, Nature, NewNote, OpenNote, TEXTS};
use crate::id::{Digest, EntryRef, NoteId};
use crate::label::{BadLabel, Clearance, Label, LabelText, Level};
use crate::ledger::{Changes, Draft, note_ref, wrap_ref};
use crate::policy::{Action, Decision, Kind as ThingKind, Levels, ResourceFacts};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// The longest title, client or case, in characters.
pub(super) const NAME_MAX: usize = 200;
/// The longest note, in bytes.
const TEXT_MAX: usize = 1 << 20;

/// A note to record.
pub struct NewText {
    /// Title; the first line of the text if none.
    pub title: Option<String>,
    /// Client.
    pub client: Option<String>,
    /// Case.
    pub case: Option<String>,
    /// Label as written; the default if none.
    pub label: Option<String>,
    /// When it happened, if not now.
    pub at: Option<Time>,
    /// Free fields.
    pub fields: Vec<(String, String)>,
    /// The template it is made of.
    pub template: Option<String>,
}

/// A recorded note.
pub struct Added {
    /// Its id.
    pub id: NoteId,
    /// Its revision, 1.
    pub revision: u64,
    /// Its label.
    pub label: String,
    /// The entry.
    pub entry: EntryRef,
}

/// A note as it is shown.
pub struct Shown {
    /// The opened note; wiped on drop.
    pub note: OpenNote,
    /// Its label.
    pub label: String,
    /// The handle of who wrote it.
    pub author: String,
    /// The level's mark for what leaves the vault.
    pub mark: String,
}

impl Shown {
    /// What there is to read: a note's text, or that of a draft or brief without its frame.
    pub fn body(&self) -> std::borrow::Cow<'_, str> {
        match self.note.nature {
            Nature::Draft | Nature::Brief => {
                super::briefs::readable_text(self.note.text()).map_or(self.note.text().into(), Into::into)
            }
            _ => self.note.text().into(),
        }
    }
}

/// Records a note.
///
/// Everything that can be refused is refused before `text` is asked for: nobody types a note to lose it.
pub fn add(context: &Context<'_>, new: NewText, from: TextFrom<'_>) -> Result<Added, Error> {
    if let Some(label) = &new.label {
        let _: LabelText = label
            .parse()
            .map_err(|bad: crate::label::BadLabelText| Error::new(Kind::Usage, bad.to_string()))?;
    }
    refuse_reserved(&new.fields)?;
    context.refuse_future(new.at)?;
    add_with(context, &context.unlock()?, new, from, false)
}

/// The same for a note with fields that the program writes; `named` says that somebody named whom a concern is for, or not.
pub(super) fn add_with(
    context: &Context<'_>,
    unlocked: &Unlocked<'_>,
    mut new: NewText,
    from: TextFrom<'_>,
    named: bool,
) -> Result<Added, Error> {
    let of_concern = value_of(&new.fields, reserved::READERS).is_some();
    let mut taken = None;
    if let TextFrom::Editor(editing) = &from
        && let Some(found) = unlocked.kept_to_take_up(context, None, of_concern, *editing)?
    {
        let kept = unlocked.take_up(context, &found)?;
        match of_concern {
            true => new.take_concern(&kept.given, named)?,
            false => new.fill_from(&kept.given)?,
        }
        taken = Some((found.path, kept));
    }
    // The vault is looked at and left again: nobody else waits while a note is typed.
    let checked = unlocked
        .desk(context)
        .and_then(|mut desk| match desk.label(new.label.as_deref()) {
            Ok(label) => match desk.decide(Action::Add, new_note(label)) {
                Decision::Permitted(_) => Ok(()),
                Decision::Denied(denial) => {
                    let details = desk.details("add");
                    Err(desk.denied(&denial, Some(EntryKind::Add), details, Vec::new(), "add")?)
                }
            },
            Err(error) => Err(desk.refused("add", Some(EntryKind::Add), new.label.as_deref(), error)?),
        });
    checked.map_err(Error::not_recorded)?;
    let form = match new.template.clone() {
        None => None,
        Some(name) => Some(unlocked.begin_form(context, &name, &mut new)?),
    };
    let outline = form.as_ref().map(|form| form.template.outline()).unwrap_or_default();
    // Which note it becomes is settled before it is written: what is left of it then tells whether it was recorded.
    let note = NoteId(make_random(&mut SystemEntropy)?);
    let mut given = new.to_given();
    let mark = (reserved::RECORDED_AS.to_owned(), note.to_string());
    given.fields.push(mark);
    let ticket = KeptText {
        note: None,
        follows: Vec::new(),
        kept: context.now().unix(),
        text: Zeroizing::new(outline.into_bytes()),
        given,
    };
    let begin = taken.as_ref().map_or(&ticket.text, |(_, kept)| &kept.text);
    let written = write(context, unlocked, from, &ticket, begin)?;
    let text = match &form {
        None => written.text(),
        Some(form) if form.template.sections.is_empty() => written.text_or(&format!("{}\n", form.template.title)),
        Some(form) => written.text_or(&form.template.outline()),
    };
    let result = text.and_then(|text| record(context, unlocked, note, new, form.as_ref(), &text));
    let words = words_of(None, of_concern);
    written.settle(context, unlocked, ticket, taken.map(|(path, _)| path), &words, result)
}

/// Seals and enters a note whose text is there.
pub(super) fn record(
    context: &Context<'_>,
    unlocked: &Unlocked<'_>,
    note: NoteId,
    new: NewText,
    form: Option<&Form>,
    text: &str,
) -> Result<Added, Error> {
    let mut desk = unlocked.desk(context).map_err(Error::not_recorded)?;
    let ready = desk.ready("add", note, new, form, text, Vec::new())?;
    let Ready { label, body, draft, .. } = ready;
    let recorded = desk.record_text((note, 1, body), draft)?;
    Ok(Added {
        id: note,
        revision: 1,
        label: desk.label_text(&label).to_string(),
        entry: recorded.entry(),
    })
}

/// A new note that is sealed, and what is to be entered of it.
pub(super) struct Ready {
    pub(super) note: NoteId,
    pub(super) label: Label,
    /// The digest of what is sealed.
    pub(super) body: Digest,
    pub(super) draft: Draft,
}

impl Desk<'_> {
    /// Decides about a new note and seals it. `own` are fields that the program writes. A denial is entered.
    pub(super) fn ready(
        &mut self,
        verb: &str,
        note: NoteId,
        new: NewText,
        form: Option<&Form>,
        text: &str,
        own: Fields,
    ) -> Result<Ready, Error> {
        let now = self.context.now();
        let title = match (new.title.as_deref().filter(|title| !title.trim().is_empty()), form) {
            (Some(title), _) => check_name("title", title)?,
            (None, None) => title_of(text),
            (None, Some(form)) => title_of_form(form, &new.fields, text, now, note),
        };
        let text = form.map_or(std::borrow::Cow::Borrowed(text), |form| {
            form.template.fitted(text).into()
        });
        let text = Zeroizing::new(text.into_owned());
        let name = |what: &str, given: Option<&str>| given.map(|given| check_name(what, given)).transpose();
        let client = name("client", new.client.as_deref())?.unwrap_or_default();
        let case = name("case", new.case.as_deref())?.unwrap_or_default();
        let mut fields = check_fields(new.fields)?;
        fields.retain(|(_, value)| !value.is_empty());
        let label = match self.label(new.label.as_deref()) {
            Ok(label) => label,
            Err(error) => return Err(self.refused(verb, Some(EntryKind::Add), new.label.as_deref(), error)?),
        };
        if let Some(form) = form {
            let template = &form.template;
            fields.push((reserved::TEMPLATE.to_owned(), template.name.clone()));
            fields.push((reserved::RECORDED_BY.to_owned(), self.handle(self.identity.person())));
            let number = template.number.as_deref().map(|prefix| number_of(prefix, now, note));
            fields.extend(number.map(|number| (reserved::NUMBER.to_owned(), number)));
            self.grade(form, None, &mut fields)?;
            fields = check_fields(fields)?;
        }
        fields.extend(own);
        fields.sort();
        let metadata = Metadata {
            title,
            client: client.clone(),
            case,
            created: now.unix(),
            modified: now.unix(),
            happened: new.at.map(Time::unix),
            author: self.identity.person(),
            parents: Vec::new(),
            number: 1,
            fields,
        };
        let mut details = self.details(verb);
        details.level = Some(label.level());
        details.client = (!client.is_empty()).then_some(client);
        let mut facts = new_note(label.clone());
        facts.conflict = self.conflicts.concern(&metadata);
        match self.decide(Action::Add, facts) {
            Decision::Denied(denial) => Err(self.denied(&denial, Some(EntryKind::Add), details, Vec::new(), verb)?),
            Decision::Permitted(permission) => {
                details.rules = permission.rules().to_vec();
                let (changes, body) = self.seal(note, Nature::Note, &metadata, &text, &label)?;
                let draft = Draft::change(EntryKind::Add, details, vec![note], changes);
                Ok(Ready {
                    note,
                    label,
                    body,
                    draft,
                })
            }
        }
    }
}

/// The title of a note of a template for which nobody gave one.
fn title_of_form(form: &Form, fields: &[(String, String)], text: &str, now: Time, note: NoteId) -> String {
    let template = &form.template;
    if let Some(prefix) = &template.number {
        return format!("{} {}", template.title, number_of(prefix, now, note));
    }
    if template.sections.is_empty() && !text.trim().eq_ignore_ascii_case(&template.title) {
        return title_of(text);
    }
    let mut texts = template
        .fields
        .iter()
        .filter(|field| field.kind == FieldKind::Text && field.needed == Needed::ToRecord);
    match texts.find_map(|field| value_of(fields, &field.name)) {
        Some(first) => title_of(&format!("{}: {first}", template.title)),
        None => template.title.clone(),
    }
}

impl Unlocked<'_> {
    /// The template of a new note, with what has to be there answered: nobody types a text to lose it. At a terminal what is
    /// missing is asked for, while the vault is left to others.
    fn begin_form(&self, context: &Context<'_>, name: &str, new: &mut NewText) -> Result<Form, Error> {
        let mut desk = self.desk(context)?;
        let form = desk.form(name)?;
        let mut fields = desk.read_fields(&form, std::mem::take(&mut new.fields))?;
        let (policies, handles) = (desk.policies.clone(), desk.all_handles());
        drop(desk);
        context.ask_fields(&form, &mut fields, Needed::ToRecord, (policies.levels(), &handles));
        let mut desk = self.desk(context)?;
        desk.refuse_unanswered(&form, &fields)?;
        // What is about another note is about its client, if nothing else is said.
        let about = desk.link_fields(&form, &mut fields, "add-links")?;
        if let Some((client, case)) = about.names {
            new.client = new.client.take().or(Some(client));
            new.case = new.case.take().or(Some(case));
        }
        let title = about.number.map(|number| format!("{}, {number}", form.template.title));
        new.title = new.title.take().or(title);
        new.fields = fields;
        Ok(form)
    }
}

/// What is decided about when somebody records a note.
pub(super) fn new_note(label: Label) -> ResourceFacts {
    let mut facts = ResourceFacts::new(ThingKind::Note, label);
    facts.own = true;
    facts
}

/// Opens a note for reading: its newest head, or the revision asked for by its number or the beginning of its digest.
pub fn show(context: &Context<'_>, asked: &str, revision: Option<&str>) -> Result<Shown, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("show");
    details.asked = revision.map(|revision| short(format!("revision {revision}")));
    let standing = desk.standing(asked, &TEXTS, &details)?;
    let permitted = desk.permitted(Action::Read, &standing, &mut details, asked)?;
    let body = match revision {
        None => standing.newest(asked)?,
        Some(revision) => desk.revision(&standing, revision, &details)?,
    };
    let (opened, _) = desk.open_revisions(&standing, &[body], true, permitted, details)?;
    if revision.is_none() {
        desk.name_other_heads(&standing, "shown", "The next edit follows them all");
    }
    let note = opened.into_iter().next().ok_or_else(|| Error::no_such_note(asked))?;
    let mut shown = desk.shown(note);
    look_at_pictures(desk, &mut shown.note);
    Ok(shown)
}

impl Desk<'_> {
    /// The label that a person wrote, or the default.
    pub(super) fn label(&self, text: Option<&str>) -> Result<Label, Error> {
        let usage = |message: String| Error::new(Kind::Usage, message);
        let Some(text) = text else {
            return default_label(self.policies.levels(), &self.clearance()).map_err(|bad| usage(bad.to_string()));
        };
        let written: LabelText = text
            .parse()
            .map_err(|bad: crate::label::BadLabelText| usage(bad.to_string()))?;
        let level = self.policies.levels().by_name(&written.level).ok_or_else(|| {
            usage(format!("there is no level `{}`", written.level))
                .hint(format!("the levels are {}", self.level_names()))
        })?;
        let keyring = self.ledger.keyring();
        let mut compartments = Vec::new();
        for name in &written.compartments {
            let known = keyring
                .compartments()
                .find(|(known, _)| known.eq_ignore_ascii_case(name));
            let (_, id) = known.ok_or_else(|| {
                Error::new(Kind::Denied, format!("no compartment `{name}` that you hold"))
                    .hint("`strongroom compartment list` shows yours; `strongroom compartment new NAME` makes one")
            })?;
            compartments.push(id);
        }
        let roster = &self.ledger.charter().roster;
        let person = |handle: &String| match roster.members().any(|card| card.handle == *handle) {
            true => self.addressed(handle).map(|card| card.person),
            false => Err(usage(format!("there is no member `@{handle}`"))),
        };
        let people = written.people.iter().map(person).collect::<Result<Vec<_>, _>>()?;
        let label = match (level, people.is_empty()) {
            // For nobody else: sealed to one's own devices.
            (Level::Named, true) => Label::named([self.identity.person()], compartments),
            (Level::Named, false) => Label::named(people, compartments),
            (level, true) => Label::new(level, compartments),
            (_, false) => Err(BadLabel::PeopleBelowNamed),
        };
        label.map_err(|bad| usage(bad.to_string()))
    }

    /// The one readable note whose id begins with what was asked for, its label and its wraps. Ids of notes that are
    /// not for this person do not take part: a prefix is unique among what one may read.
    pub(super) fn find(&self, asked: &str) -> Result<Option<(NoteId, Label, Vec<WrapFile>)>, Error> {
        let plausible =
            (4..=32).contains(&asked.len()) && asked.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if !plausible {
            return Ok(None);
        }
        let mut wraps = self.ledger.wraps(asked)?;
        if wraps.is_empty() {
            // INVARIANT (what is not there takes as long as what is not for this person).
            wraps = self.ledger.wraps_beside(asked)?;
        }
        let mut readable = self.gate().readable(wraps, &self.clearance());
        readable.retain(|(note, _, _)| note.to_string().starts_with(asked));
        let notes: BTreeSet<NoteId> = readable.iter().map(|(note, _, _)| *note).collect();
        let mut found = readable.into_iter();
        match (notes.len(), found.next()) {
            (0, _) | (_, None) => Ok(None),
            (1, Some((note, label, wrap))) => {
                let mut wraps = vec![wrap];
                let mut join = label;
                for (_, label, wrap) in found {
                    // INVARIANT (the label of a note is the join of its live heads).
                    join = join.join(&label).ok_or_else(|| Error::no_such_note(asked))?;
                    wraps.push(wrap);
                }
                Ok(Some((note, join, wraps)))
            }
            (several, _) => Err(Error::new(
                Kind::Usage,
                format!("`{asked}` is the beginning of {several} notes' ids"),
            )
            .hint("give a few characters more")),
        }
    }

    /// An opened note with what is said of it beside.
    pub(super) fn shown(&self, mut note: OpenNote) -> Shown {
        let hidden = [reserved::REPLY_KEY, reserved::IMPORTED_KEY, reserved::HIGHEST];
        note.metadata
            .fields
            .retain(|(name, _)| !hidden.contains(&name.as_str()));
        Shown {
            label: self.label_text(&note.label).to_string(),
            author: self.handle(note.metadata.author),
            mark: self.policies.levels().rules(note.label.level()).mark.clone(),
            note,
        }
    }

    /// Seals something new and names the files to write.
    pub(super) fn seal(
        &self,
        note: NoteId,
        nature: Nature,
        metadata: &Metadata,
        text: &str,
        label: &Label,
    ) -> Result<(Changes, Digest), Error> {
        let recipients = self.recipients(label);
        let new = NewNote {
            note,
            nature,
            metadata,
            text,
            label,
            recipients: &recipients,
        };
        let sealed = self.gate().seal(&new, &mut SystemEntropy)?;
        let mut changes = Changes::default();
        changes.write_digested(note_ref(note), note, sealed.body);
        changes.write_digested(wrap_ref(note), note, sealed.wrap);
        Ok((changes, sealed.digest))
    }

    /// All devices of the people that a label names.
    pub(super) fn recipients(&self, label: &Label) -> Vec<Recipient> {
        let roster = &self.ledger.charter().roster;
        let devices = label
            .people()
            .iter()
            .filter_map(|person| roster.member(*person))
            .flat_map(|card| &card.devices);
        devices.filter_map(|device| device.recipient()).collect()
    }

    pub(super) fn handle(&self, person: crate::id::PersonId) -> String {
        let card = self.ledger.charter().roster.member(person);
        card.map_or_else(|| person.to_string(), |card| card.handle.clone())
    }
}

/// The label of a note for which nobody gave one: the policies' default; without one, the strictest level in the author's
/// clearance. No compartments.
fn default_label(levels: &Levels, author: &Clearance) -> Result<Label, BadLabel> {
    let strictest = author.level.min(Level::Restricted);
    Label::new(levels.default_level().unwrap_or(strictest), [])
}

/// UTF-8 without zero bytes, not empty, not too long. Other control characters are kept as written and shown harmless.
pub(super) fn check_text(bytes: Vec<u8>) -> Result<zeroize::Zeroizing<String>, Error> {
    let failed = |message: String| Error::new(Kind::Failed, message);
    if bytes.len() > TEXT_MAX {
        return Err(failed(format!(
            "this text has {} bytes; a note has at most {TEXT_MAX} (1 MiB)",
            bytes.len()
        ))
        .hint("keep a short note, and the file where it is safe"));
    }
    let binary = bytes.contains(&0);
    match String::from_utf8(bytes) {
        Ok(text) if !binary => {
            if text.trim().is_empty() {
                return Err(Error::new(Kind::Usage, "the note is empty; nothing was recorded"));
            }
            Ok(zeroize::Zeroizing::new(text))
        }
        Ok(_) => Err(failed(
            "there is a zero byte in this, which no text has, so it cannot be a note; nothing was recorded".into(),
        )
        .hint("a note holds text; other files stand beside one: `strongroom attach ID FILE`")),
        Err(_) => Err(
            failed("this is not UTF-8 text, so it cannot be a note; nothing was recorded".into())
                .hint("a note holds text; other files stand beside one: `strongroom attach ID FILE`"),
        ),
    }
}

pub(super) fn check_name(what: &str, text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.chars().count() > NAME_MAX || text.chars().any(char::is_control) {
        return Err(Error::new(
            Kind::Usage,
            format!("a {what} has at most {NAME_MAX} characters and no control characters"),
        ));
    }
    Ok(text.to_owned())
}

pub(super) fn check_fields(fields: Vec<(String, String)>) -> Result<Vec<(String, String)>, Error> {
    let mut checked = Vec::new();
    for (name, value) in fields {
        checked.push((check_name("field's name", &name)?, check_name("field", &value)?));
    }
    checked.sort();
    if let Some(pair) = checked.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let words = format!("the field `{}` is given twice; nothing was recorded", pair[0].0);
        return Err(Error::new(Kind::Usage, words));
    }
    if checked.len() > 64 {
        return Err(Error::new(Kind::Usage, "a note has at most 64 fields"));
    }
    Ok(checked)
}

/// The first line that says something, cut to eighty characters.
pub(super) fn title_of(text: &str) -> String {
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    // A portion's mark is about the text, not part of it.
    let mark = crate::brief::portions(line)
        .first()
        .map_or(0, |portion| portion.mark.end);
    let plain: String = line[mark..]
        .trim_start_matches(['#', ' '])
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    match plain.char_indices().nth(80) {
        None => plain,
        Some((at, _)) => format!("{}…", plain[..at].trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_first_line_that_says_something() {
        assert_eq!(title_of("\n\n# Gate 4\nmore"), "Gate 4");
        assert_eq!(title_of(&"é".repeat(100)).chars().count(), 81);
        assert_eq!(title_of("(R) Gate 4"), "Gate 4");
        assert_eq!(title_of("## (I) Gate 4"), "Gate 4");
    }

    #[test]
    fn a_note_without_a_label_gets_the_default_or_the_strictest_of_its_author() {
        let author = |level| Clearance {
            person: crate::id::PersonId([1; 8]),
            level,
            compartments: BTreeSet::from([crate::id::CompartmentId([2; 8])]),
        };
        let policies = crate::policy::PolicySet::shipped().unwrap();
        for (clearance, level) in [
            (Level::Internal, Level::Internal),
            (Level::Restricted, Level::Restricted),
            (Level::Named, Level::Restricted),
        ] {
            let label = default_label(policies.levels(), &author(clearance));
            assert_eq!(label, Label::new(level, []));
        }
        let shipped = crate::policy::PolicyFiles::shipped();
        let text = String::from_utf8(shipped.content(crate::policy::LEVELS).unwrap().to_vec()).unwrap();
        let levels = Levels::parse(&format!("[defaults]\nlabel = \"confidential\"\n{text}")).unwrap();
        for clearance in [Level::Internal, Level::Restricted] {
            let label = default_label(&levels, &author(clearance));
            assert_eq!(label, Label::new(Level::Confidential, []));
        }
    }

    #[test]
    fn what_is_no_text_is_refused_with_the_reason() {
        assert!(
            check_text(b"\xff\xfe".to_vec())
                .unwrap_err()
                .message
                .contains("not UTF-8")
        );
        assert!(
            check_text(b"a\0b".to_vec())
                .unwrap_err()
                .message
                .contains("a zero byte")
        );
        assert!(
            check_text(vec![b'a'; TEXT_MAX + 1])
                .unwrap_err()
                .message
                .contains("1 MiB")
        );
        assert_eq!(check_text(b" \n".to_vec()).unwrap_err().kind, Kind::Usage);
        assert_eq!(check_text(vec![b'a'; TEXT_MAX]).map(|text| text.len()), Ok(TEXT_MAX));
    }
}
