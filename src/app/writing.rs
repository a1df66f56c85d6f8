//! Writing: what a person's editor gives, and new revisions of notes.

use super::concerns::RAISED;
use super::context::{Context, Desk, Unlocked};
use super::error::{Error, InLog, Kind};
use super::forms::{refuse_reserved, refuse_rewriting, takes_addenda, with_addendum};
use super::kept_texts::remove_kept;
use super::notes::{NewText, check_fields, check_name, check_text, title_of};
use super::person::WrittenText;
use super::revisions::Standing;
use crate::casework::{Form, reserved, value_of};
use crate::chain::{Kind as EntryKind, Time};
use crate::env::SystemEntropy;
use crate::envelope::{Given, KeptText};
use crate::gate::{Metadata, Nature, OpenNote};
use crate::id::{Digest, EntryRef, NoteId};
use crate::label::Label;
use crate::ledger::Draft;
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Where a text comes from.
pub enum TextFrom<'a> {
    /// From whoever calls, once everything that can be refused was not.
    Caller(Box<dyn FnOnce() -> Result<Vec<u8>, Error> + 'a>),
    /// From the person's editor.
    Editor(Editing),
}

/// How to edit.
#[derive(Clone, Copy, Default)]
pub struct Editing {
    /// Also where the text would lie on a disk meanwhile.
    pub insist: bool,
    /// Go on with what was kept when an editor failed, without asking.
    pub take_up: bool,
}

/// What to change of a note beside its text; an empty value takes away what is there.
#[derive(Default)]
pub struct Change {
    /// Title; the first line of the text if empty.
    pub title: Option<String>,
    /// Client.
    pub client: Option<String>,
    /// Case.
    pub case: Option<String>,
    /// When it happened.
    pub at: Option<Option<Time>>,
    /// Free fields.
    pub fields: Vec<(String, String)>,
}

/// A note after an edit.
pub struct Revised {
    /// The note.
    pub id: NoteId,
    /// The number of the revision that stands now.
    pub revision: u64,
    /// Its label.
    pub label: String,
    /// The entry: of the revision, or of the reading if nothing changed.
    pub entry: EntryRef,
    /// Whether anything changed.
    pub changed: bool,
}

/// Opens a note in an editor, or takes a text for it, and records what changed as a new revision.
///
/// Two entries: that it was opened, before anybody sees a letter of it, and the revision. The vault is left between the
/// two, so that nobody waits while a person writes. If the note was revised meanwhile, the new revision follows what
/// its writer saw and nothing else, so that there are two heads and neither text covers the other.
pub fn edit(
    context: &Context<'_>,
    asked: &str,
    mut change: Change,
    text: Option<TextFrom<'_>>,
) -> Result<Revised, Error> {
    refuse_reserved(&change.fields)?;
    context.refuse_future(change.at.flatten())?;
    let unlocked = context.unlock()?;
    let opened = open_to_edit(context, &unlocked, asked, &mut change)?;
    let note = opened.note.note;
    let mut follows = opened.heads.clone();
    let form = opened.form.as_ref();
    let addenda = takes_addenda(form, &opened.note.metadata);
    if addenda {
        change.refuse_rewriting(&opened.note.metadata)?;
    }
    let present = match (addenda, form) {
        (true, Some(form)) => Zeroizing::new(form.template.open_outline(opened.note.text()).into_bytes()),
        (true, None) => Zeroizing::default(),
        (false, _) => with_line_end(opened.note.text()),
    };
    if let Some(TextFrom::Editor(_)) = &text
        && addenda
        && !context.writes_addendum(&opened.note.metadata)
    {
        return Ok(opened.unchanged());
    }
    let mut taken = None;
    if let Some(TextFrom::Editor(editing)) = &text
        && let Some(found) = unlocked.kept_to_take_up(context, Some(note), false, *editing)?
    {
        let kept = unlocked.take_up(context, &found)?;
        if kept.follows.iter().all(|body| opened.revisions.contains(body)) {
            follows.clone_from(&kept.follows);
        }
        change.fill_from(&kept.given)?;
        // Somebody may have answered meanwhile what was kept.
        if addenda {
            change.refuse_rewriting(&opened.note.metadata)?;
        }
        taken = Some((found.path, kept));
    }
    let ticket = KeptText {
        note: Some(note),
        follows: follows.clone(),
        kept: context.now().unix(),
        text: present,
        given: change.to_given(),
    };
    let begin = taken.as_ref().map_or(&ticket.text, |(_, kept)| &kept.text);
    let written = match text {
        None => None,
        Some(from) => Some(write(context, &unlocked, from, &ticket, begin)?),
    };
    let text = written.as_ref().map(Written::text).transpose();
    let result = text.and_then(|text| {
        let text = match text {
            None => Zeroizing::new(opened.note.text().to_owned()),
            Some(text) if addenda => {
                // Of when an addendum tells stands in it; when the matter itself happened stays.
                let happened = change.at.take().flatten();
                let text = match form {
                    Some(form) => Zeroizing::new(form.template.trimmed(&text)),
                    None => text,
                };
                if text.trim().is_empty() {
                    return Err(Error::new(Kind::Usage, "the addendum is empty; nothing was recorded"));
                }
                Zeroizing::new(with_addendum(
                    opened.note.text(),
                    &text,
                    context.now(),
                    happened,
                    &opened.by,
                ))
            }
            Some(text) => like(text, opened.note.text()),
        };
        if addenda && change.at.is_some() && opened.note.metadata.happened.is_some() {
            return Err(Error::new(
                Kind::Usage,
                "when it happened was recorded, and stays; nothing was changed",
            )
            .hint("write an addendum that says what is right: `strongroom edit ID`"));
        }
        let mut metadata = change.apply(&opened.note.metadata, opened.note.text(), &text)?;
        if let Some(form) = form {
            unlocked.desk(context)?.grade(form, Some(note), &mut metadata.fields)?;
        }
        let same = *text == *opened.note.text() && metadata == opened.note.metadata && follows.len() == 1;
        if same {
            return Ok(opened.unchanged());
        }
        let mut desk = unlocked.desk(context).map_err(Error::not_recorded)?;
        desk.revise(EDIT, note, &follows, metadata, &text)
    });
    let Some(written) = written else { return result };
    let words = format!("edit {}", &note.to_string()[..8]);
    written.settle(context, &unlocked, ticket, taken.map(|(path, _)| path), &words, result)
}

/// Throws away the texts kept of a note (by its id or the beginning of it), or of notes that are not there yet. Gives
/// how many there were.
pub fn discard(context: &Context<'_>, asked: Option<&str>) -> Result<usize, Error> {
    let unlocked = context.unlock()?;
    let mut notes: Vec<Option<NoteId>> = unlocked.kept_texts().iter().map(|kept| kept.note).collect();
    notes.retain(|note| match (note, asked) {
        (None, None) => true,
        (Some(note), Some(asked)) => asked.len() >= 4 && note.to_string().starts_with(asked),
        _ => false,
    });
    let count = notes.len();
    notes.sort();
    notes.dedup();
    if notes.len() > 1 {
        return Err(
            Error::new(Kind::Usage, "texts were kept of several notes whose ids begin so")
                .hint("give a few characters more"),
        );
    }
    notes.first().map_or(Ok(()), |note| unlocked.discard_kept(*note))?;
    Ok(count)
}

/// How a revision is entered, and what it is to the policies.
#[derive(Clone, Copy)]
pub(super) struct How {
    pub(super) verb: &'static str,
    pub(super) action: Action,
}

/// By a person who changed something.
pub(super) const EDIT: How = How {
    verb: "edit",
    action: Action::Revise,
};

/// A note that was opened to be edited.
struct Opened {
    note: OpenNote,
    label: String,
    entry: EntryRef,
    /// The template, if it has one.
    form: Option<Form>,
    /// The handle of whoever edits it.
    by: String,
    /// What a revision made now follows, sorted.
    heads: Vec<Digest>,
    revisions: Vec<Digest>,
}

impl Opened {
    /// As it stands: it was read.
    fn unchanged(&self) -> Revised {
        Revised {
            id: self.note.note,
            revision: self.note.metadata.number,
            label: self.label.clone(),
            entry: self.entry,
            changed: false,
        }
    }
}

impl Context<'_> {
    /// Says, before an editor opens and is empty, that what is written is an addendum; whether the person goes on.
    fn writes_addendum(&self, metadata: &Metadata) -> bool {
        let why = match value_of(&metadata.fields, reserved::CLOSED) {
            Some(when) => format!(
                "this note was closed on {}, and is not opened again",
                when.get(..10).unwrap_or(when)
            ),
            None => "what this record says stays as it is".to_owned(),
        };
        let words = format!("{why}: what you write now becomes an addendum to it");
        match self.person.line(&format!("{words}. Go on? [Y/n] ")) {
            Some(answer) => !answer.trim().to_lowercase().starts_with('n'),
            None => {
                self.person.warn(&words);
                true
            }
        }
    }
}

fn open_to_edit(
    context: &Context<'_>,
    unlocked: &Unlocked<'_>,
    asked: &str,
    change: &mut Change,
) -> Result<Opened, Error> {
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("edit-read");
    let standing = desk.standing(asked, &[Nature::Note], &details)?;
    let permitted = desk.permitted(Action::Read, &standing, &mut details, asked)?;
    // What may not be revised is not opened for it: nobody writes a text to lose it.
    let label = Desk::label_of(&standing);
    let _ = desk.may_revise(EDIT, &standing, &label, asked)?;
    let newest = standing.newest(asked)?;
    let (opened, entry) = desk.open_revisions(&standing, &[newest], false, permitted, details)?;
    desk.name_other_heads(&standing, "opened", "This edit follows them all");
    let note = opened.into_iter().next().ok_or_else(|| Error::no_such_note(asked))?;
    let mut heads = standing.heads.clone();
    heads.sort();
    let form = desk.form_of(&note.metadata)?;
    if let Some(form) = &form {
        desk.refuse_barred(form, &note.metadata, "edit-read", "edits")?;
        if heads.len() > 1 {
            for head in desk.heads_of(&[note.note])? {
                desk.refuse_barred(form, &head.listed.metadata, "edit-read", "edits")?;
            }
        }
        change.fields = desk.read_fields(form, std::mem::take(&mut change.fields))?;
        desk.link_fields(form, &mut change.fields, "edit-read")?;
    }
    Ok(Opened {
        form,
        by: desk.handle(desk.identity.person()),
        note,
        label: desk.label_text(&label).to_string(),
        entry,
        heads,
        revisions: standing.survey.revisions().map(|(_, body, _)| body).collect(),
    })
}

impl Desk<'_> {
    /// The join of the labels of all revisions, not of the heads alone: whoever can write under the id of a note can give it
    /// a head with a lower label.
    pub(super) fn label_of(standing: &Standing) -> Label {
        let mut labels = standing.survey.revisions().map(|(_, _, label)| label);
        let first = labels.next().cloned();
        let join = first.and_then(|first| labels.try_fold(first, |join, label| join.join(label)));
        // That is the join of everything under the id, and so no lower.
        join.unwrap_or_else(|| standing.label.clone())
    }

    /// The rules by which this person may revise a note. A denial is entered.
    fn may_revise(&mut self, how: How, standing: &Standing, label: &Label, asked: &str) -> Result<Vec<String>, Error> {
        let mut facts = ResourceFacts::new(ThingKind::Note, label.clone());
        facts.own = standing.survey.own(&standing.heads);
        facts.conflict = standing.survey.conflict();
        match self.decide(how.action, facts) {
            Decision::Permitted(permission) => Ok(permission.rules().to_vec()),
            Decision::Denied(denial) => {
                let mut details = self.details(how.verb);
                details.level = Some(label.level());
                let notes = vec![standing.note];
                Err(self.denied(&denial, Some(EntryKind::Revise), details, notes, asked)?)
            }
        }
    }

    /// Records a revision that follows `follows`, whatever has come to stand beside them.
    pub(super) fn revise(
        &mut self,
        how: How,
        note: NoteId,
        follows: &[Digest],
        mut metadata: Metadata,
        text: &str,
    ) -> Result<Revised, Error> {
        let mut details = self.details(how.verb);
        let asked = note.to_string();
        let standing = self.standing(&asked, &[Nature::Note], &details)?;
        let live: Vec<Digest> = standing.survey.revisions().map(|(_, body, _)| body).collect();
        if !follows.iter().all(|body| live.contains(body)) {
            let error = Error::new(
                Kind::Failed,
                "the note was sealed anew while you wrote, under another label; your revision was not recorded",
            );
            return Err(self.failed(details, vec![note], error));
        }
        let label = self.with_readers(Self::label_of(&standing), standing.survey.readers())?;
        details.rules = self.may_revise(how, &standing, &label, &asked)?;
        details.level = Some(label.level());
        details.client = (!metadata.client.is_empty()).then(|| metadata.client.clone());
        let highest = standing.survey.revisions().map(|(number, _, _)| number).max();
        metadata.number = highest.unwrap_or(0) + 1;
        metadata.parents = follows.to_vec();
        metadata.modified = self.context.now().unix();
        metadata.author = self.identity.person();
        let (changes, body) = self.seal(note, Nature::Note, &metadata, text, &label)?;
        let draft = Draft::change(EntryKind::Revise, details, vec![note], changes);
        let recorded = self.record_text((note, metadata.number, body), draft)?;
        if standing.heads.iter().any(|head| !follows.contains(head)) {
            self.context.person.warn(&format!(
                "the note was revised elsewhere while you wrote: both revisions stand side by side now, yours is shown \
                 first. See `strongroom history {}`; the next edit follows both",
                &asked[..8]
            ));
        }
        Ok(Revised {
            id: note,
            revision: metadata.number,
            label: self.label_text(&label).to_string(),
            entry: recorded.entry(),
            changed: true,
        })
    }
}

impl Change {
    /// The metadata of a note after this change; number, parents, author and time are still those before it.
    pub(super) fn apply(&self, before: &Metadata, old: &str, text: &str) -> Result<Metadata, Error> {
        let name = |what: &str, new: &Option<String>, old: &str| match new {
            Some(new) => check_name(what, new),
            None => Ok(old.to_owned()),
        };
        let named = |new: &Option<String>| new.as_ref().is_some_and(|new| !new.trim().is_empty());
        // A title that was made of the first line follows it.
        let made = self.title.is_some() || before.title == title_of(old);
        let title = match (named(&self.title), made) {
            (false, true) => title_of(text),
            _ => name("title", &self.title, &before.title)?,
        };
        let mut fields = before.fields.clone();
        let changed = check_fields(self.fields.clone())?;
        fields.retain(|(name, _)| changed.iter().all(|(changed, _)| changed != name));
        fields.extend(changed.into_iter().filter(|(_, value)| !value.is_empty()));
        Ok(Metadata {
            title,
            client: name("client", &self.client, &before.client)?,
            case: name("case", &self.case, &before.case)?,
            created: before.created,
            modified: before.modified,
            happened: match self.at {
                Some(at) => at.map(Time::unix),
                None => before.happened,
            },
            author: before.author,
            parents: before.parents.clone(),
            number: before.number,
            fields: check_fields(fields)?,
        })
    }

    /// Of a record that takes addenda alone: nothing that it says is said otherwise.
    fn refuse_rewriting(&self, metadata: &Metadata) -> Result<(), Error> {
        refuse_rewriting(metadata, &self.fields)?;
        match self.title.is_some() {
            false => Ok(()),
            true => Err(Error::new(
                Kind::Usage,
                "the title of this record stays as it is; nothing was changed",
            )
            .hint("what is to be said of it comes as an addendum: `strongroom edit ID`")),
        }
    }

    fn to_given(&self) -> Given {
        let mut given = Given::default();
        given.title.clone_from(&self.title);
        given.client.clone_from(&self.client);
        given.case.clone_from(&self.case);
        given.at = self.at.map(|at| at.map_or_else(String::new, |at| at.to_string()));
        given.fields.clone_from(&self.fields);
        given
    }

    /// Takes what was given before, where nothing is given now.
    fn fill_from(&mut self, given: &Given) -> Result<(), Error> {
        fill(&mut self.title, &given.title);
        fill(&mut self.client, &given.client);
        fill(&mut self.case, &given.case);
        fill_fields(&mut self.fields, &given.fields);
        self.fields.retain(|(name, _)| name != reserved::RECORDED_AS);
        if let (None, Some(at)) = (&self.at, &given.at) {
            self.at = Some(if at.is_empty() { None } else { Some(kept_time(at)?) });
        }
        Ok(())
    }
}

impl NewText {
    pub(super) fn to_given(&self) -> Given {
        let mut given = Given::default();
        given.title.clone_from(&self.title);
        given.client.clone_from(&self.client);
        given.case.clone_from(&self.case);
        given.label.clone_from(&self.label);
        given.at = self.at.map(|at| at.to_string());
        given.fields.clone_from(&self.fields);
        let template = self.template.iter();
        given
            .fields
            .extend(template.map(|name| (reserved::TEMPLATE.to_owned(), name.clone())));
        given
    }

    /// Takes what was given before, where nothing is given now.
    pub(super) fn fill_from(&mut self, given: &Given) -> Result<(), Error> {
        fill(&mut self.title, &given.title);
        fill(&mut self.client, &given.client);
        fill(&mut self.case, &given.case);
        fill(&mut self.label, &given.label);
        let (template, fields): (Vec<_>, Vec<_>) = given
            .fields
            .iter()
            .cloned()
            .partition(|(name, _)| name == reserved::TEMPLATE);
        fill(&mut self.template, &template.into_iter().next().map(|(_, name)| name));
        fill_fields(&mut self.fields, &fields);
        self.fields.retain(|(name, _)| name != reserved::RECORDED_AS);
        if let (None, Some(at)) = (&self.at, &given.at) {
            self.at = Some(kept_time(at)?);
        }
        Ok(())
    }

    /// Takes a concern as it was given before: for whom, whom it leaves out, and how it is raised go together. `named` says that
    /// somebody was written to or left out by name now, who then has to be the same.
    pub(super) fn take_concern(&mut self, given: &Given, named: bool) -> Result<(), Error> {
        let same = |name: &str| value_of(&self.fields, name) == value_of(&given.fields, name);
        let for_same = self.label == given.label && same(reserved::READERS) && same(reserved::LEFT_OUT);
        // Who does not say how it is raised raises it as they did.
        let raised_so = value_of(&self.fields, RAISED).is_none() || same(RAISED);
        if (named && !for_same) || !raised_so {
            return Err(Error::new(
                Kind::Usage,
                "the concern that was kept is for others, or raised otherwise; nothing was recorded",
            )
            .hint(
                "leave out --to and --not, and raise it as you did, or throw it away: `strongroom concern write --discard`",
            ));
        }
        self.label.clone_from(&given.label);
        self.fields.clear();
        self.fill_from(given)
    }
}

fn fill(now: &mut Option<String>, before: &Option<String>) {
    if now.is_none() {
        now.clone_from(before);
    }
}

fn fill_fields(now: &mut Vec<(String, String)>, before: &[(String, String)]) {
    let given = |name: &String| now.iter().any(|(given, _)| given == name);
    let missing: Vec<_> = before.iter().filter(|(name, _)| !given(name)).cloned().collect();
    now.extend(missing);
}

fn kept_time(text: &str) -> Result<Time, Error> {
    text.parse()
        .map_err(|_| Error::new(Kind::Failed, "the text that was kept has a time that is none"))
}

/// Editors end the last line; one that is not ended would look changed.
fn with_line_end(text: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + 1));
    bytes.extend_from_slice(text.as_bytes());
    if !text.is_empty() && !text.ends_with('\n') {
        bytes.push(b'\n');
    }
    bytes
}

/// `text` with its last line ended or not, as in `before`.
fn like(mut text: Zeroizing<String>, before: &str) -> Zeroizing<String> {
    if !before.ends_with('\n') && text.ends_with('\n') {
        text.pop();
    }
    text
}

/// A text that was written, until it is recorded or kept.
pub(super) struct Written {
    bytes: Zeroizing<Vec<u8>>,
    buffer: Option<Box<dyn WrittenText>>,
}

/// Gets a text, from an editor beginning with `begin`. `ticket` says what it is for, with the text that need not be kept.
pub(super) fn write(
    context: &Context<'_>,
    unlocked: &Unlocked<'_>,
    from: TextFrom<'_>,
    ticket: &KeptText,
    begin: &[u8],
) -> Result<Written, Error> {
    match from {
        TextFrom::Caller(text) => Ok(Written {
            bytes: Zeroizing::new(text()?),
            buffer: None,
        }),
        TextFrom::Editor(editing) => {
            let sealed = unlocked.identity.seal_kept(ticket, &mut SystemEntropy)?;
            let buffer = context.person.edit(begin, &sealed, editing.insist)?;
            Ok(Written {
                bytes: Zeroizing::new(buffer.text().to_vec()),
                buffer: Some(buffer),
            })
        }
    }
}

impl Written {
    /// The text, if its editor ended well and it can be a note's.
    pub(super) fn text(&self) -> Result<Zeroizing<String>, Error> {
        match self.buffer.as_ref().and_then(|buffer| buffer.problem()) {
            Some(problem) => Err(Error::new(Kind::Failed, format!("{problem}; nothing was recorded"))),
            None => check_text(self.bytes.to_vec()),
        }
    }

    /// The same, with another in place of one that says nothing.
    pub(super) fn text_or(&self, other: &str) -> Result<Zeroizing<String>, Error> {
        let failed = self.buffer.as_ref().is_some_and(|buffer| buffer.problem().is_some());
        match is_blank(&self.bytes) && !failed {
            true => Ok(Zeroizing::new(other.to_owned())),
            false => self.text(),
        }
    }

    /// Wipes the buffer of a text that was recorded; keeps one that was not, sealed. `taken` is the kept text it began with,
    /// which is settled with it, and `words` the command that takes up what is kept now.
    pub(super) fn settle<T>(
        self,
        context: &Context<'_>,
        unlocked: &Unlocked<'_>,
        mut ticket: KeptText,
        taken: Option<PathBuf>,
        words: &str,
        result: Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(buffer) = self.buffer else { return result };
        let worth_keeping = !is_blank(&self.bytes) && *self.bytes != *ticket.text;
        // INVARIANT (nothing is recorded twice): what is in the log is not offered again.
        let recorded = result
            .as_ref()
            .map_or_else(|error| error.in_log == InLog::Yes, |_| true);
        let result = match result {
            Err(error) if worth_keeping && !recorded => {
                ticket.text = self.bytes;
                ticket.kept = context.now().unix();
                let maybe = error.in_log != InLog::No;
                if let (InLog::Maybe(body), Some(_)) = (error.in_log, ticket.note) {
                    let mark = (reserved::RECORDED_AS.to_owned(), body.to_string());
                    ticket.given.fields.push(mark);
                }
                if let Err(second) = unlocked.keep(&ticket) {
                    // It stays in memory, where the next start finds it.
                    return Err(error.hint(format!(
                        "what you wrote could not be sealed either: {second}; it stays in memory, and the next \
                         `strongroom` keeps it, if the machine is not switched off before"
                    )));
                }
                Err(error.hint(match maybe {
                    false => format!(
                        "what you wrote is kept, sealed: `strongroom {words} --continue` goes on with it, --discard throws it away"
                    ),
                    true => format!(
                        "what you wrote is kept, sealed: `strongroom {words} --continue` looks first whether it is recorded, \
                         and goes on with it if it is not; --discard throws it away"
                    ),
                }))
            }
            result => result,
        };
        let taken = taken.filter(|_| worth_keeping || recorded);
        if let Some(Err(error)) = taken.as_deref().map(remove_kept) {
            context.person.warn(&error.message);
        }
        if let Err(error) = buffer.wipe() {
            context
                .person
                .warn(&format!("what was in the editor is still in memory: {error}"));
        }
        result
    }
}

/// The command that a text was written with, and that takes it up.
pub(super) fn words_of(note: Option<NoteId>, of_concern: bool) -> String {
    match (note, of_concern) {
        (None, false) => "add".to_owned(),
        (None, true) => "concern write".to_owned(),
        (Some(note), false) => format!("edit {}", &note.to_string()[..8]),
        (Some(note), true) => format!("concern reply {}", &note.to_string()[..8]),
    }
}

pub(super) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PersonId;

    fn before() -> Metadata {
        Metadata {
            title: "Gate 4".into(),
            client: "Halcyon".into(),
            case: String::new(),
            created: 1,
            modified: 2,
            happened: Some(3),
            author: PersonId([4; 8]),
            parents: Vec::new(),
            number: 5,
            fields: vec![("lamp".into(), "out".into()), ("plate".into(), "LX68QZV".into())],
        }
    }

    fn pairs(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        fields.iter().map(owned).collect()
    }

    #[test]
    fn a_change_changes_what_is_named_and_an_empty_value_takes_away() {
        assert!(Change::default().apply(&before(), "x", "y") == Ok(before()));
        let change = Change {
            client: Some(String::new()),
            case: Some(" 2026-114 ".into()),
            at: Some(None),
            fields: pairs(&[("lamp", ""), ("gate", "north"), ("none", "")]),
            ..Change::default()
        };
        let after = change.apply(&before(), "x", "y").unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(
            (after.client.as_str(), after.case.as_str(), after.happened),
            ("", "2026-114", None)
        );
        assert_eq!(after.fields, pairs(&[("gate", "north"), ("plate", "LX68QZV")]));
        let twice = Change {
            fields: pairs(&[("gate", "north"), ("gate", "south")]),
            ..Change::default()
        };
        assert!(twice.apply(&before(), "x", "y").is_err());
    }

    #[test]
    fn a_title_made_of_the_first_line_follows_it_and_one_that_was_given_stays() {
        let title = |title: Option<&str>, old: &str| {
            let change = Change {
                title: title.map(str::to_owned),
                ..Change::default()
            };
            change
                .apply(&before(), old, "Gate 5\nmore")
                .map(|after| after.title.clone())
        };
        assert_eq!(title(None, "Gate 4\nmore"), Ok("Gate 5".into()));
        assert_eq!(title(None, "Another first line"), Ok("Gate 4".into()));
        assert_eq!(title(Some("North"), "Gate 4"), Ok("North".into()));
        assert_eq!(title(Some(" "), "Another first line"), Ok("Gate 5".into()));
    }

    #[test]
    fn what_is_given_again_counts_more_than_what_was_kept() {
        let kept = Change {
            title: Some("North".into()),
            at: Some(None),
            fields: pairs(&[("gate", "north"), ("lamp", "")]),
            ..Change::default()
        };
        let mut now = Change {
            title: Some("South".into()),
            fields: pairs(&[("gate", "south")]),
            ..Change::default()
        };
        assert!(now.fill_from(&kept.to_given()).is_ok());
        assert_eq!((now.title.as_deref(), now.at), (Some("South"), Some(None)));
        assert_eq!(now.fields, pairs(&[("gate", "south"), ("lamp", "")]));
    }

    #[test]
    fn a_concern_that_was_kept_stays_for_whom_it_was() {
        let concern = |label: &str, more: &[(&str, &str)]| NewText {
            title: None,
            client: None,
            case: None,
            label: Some(label.to_owned()),
            at: None,
            fields: pairs(&[&[("raised", "openly")], more].concat()),
            template: Some("concern".into()),
        };
        let left_out = [("readers", "@ines, @tom"), ("left-out", "@jon")];
        let kept = concern("named/@ines/@tom", &left_out).to_given();
        let all = || concern("named/@ines/@jon/@tom", &[("readers", "@ines, @jon, @tom")]);
        let mut now = all();
        assert!(now.take_concern(&kept, false).is_ok());
        assert_eq!(now.label.as_deref(), Some("named/@ines/@tom"));
        assert_eq!(now.fields[1..], pairs(&left_out));
        assert!(all().take_concern(&kept, true).is_err());
        assert!(concern("named/@ines/@tom", &left_out).take_concern(&kept, true).is_ok());
        let mut unsaid = all();
        unsaid.fields.retain(|(name, _)| name != RAISED);
        assert!(unsaid.take_concern(&kept, false).is_ok());
        assert_eq!(value_of(&unsaid.fields, RAISED), Some("openly"));
        let mut otherwise = all();
        otherwise.fields[0].1 = "in confidence".into();
        assert!(otherwise.take_concern(&kept, false).is_err());
    }

    #[test]
    fn whether_the_last_line_is_ended_is_no_change() {
        for before in ["a", "a\n", "a\nb", ""] {
            let shown = with_line_end(before);
            let back = String::from_utf8(shown.to_vec()).map(Zeroizing::new);
            assert_eq!(back.map(|back| like(back, before).to_string()), Ok(before.to_owned()));
        }
    }
}
