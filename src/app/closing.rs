//! Closing a note: its template's rules are looked at, and a revision says that it is done.

use super::context::{Context, Desk};
use super::error::{Error, Kind};
use super::forms::{CLOSES, Fields, refuse_reserved, refuse_rewriting, takes_addenda};
use super::writing::{Change, EDIT, How, Revised};
use crate::casework::{Form, Needed, reserved, value_of};
use crate::gate::{Nature, OpenNote};
use crate::id::{Digest, EntryRef};
use crate::policy::Action;

/// How a closing is entered.
const CLOSE: How = How {
    verb: "close",
    action: Action::Close,
};

/// A note that was opened to be closed or answered.
pub(super) struct Opened {
    pub(super) note: OpenNote,
    label: String,
    entry: EntryRef,
    pub(super) heads: Vec<Digest>,
    form: Option<Form>,
}

/// Closes a note, with what `fields` answer. What its template asks for and is not there is told, all of it; at a terminal
/// fields that are still open are asked for first.
pub fn close(context: &Context<'_>, asked: &str, fields: Fields) -> Result<Revised, Error> {
    refuse_reserved(&fields)?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let opened = desk.open_only_head(asked, "close-read", "closed")?;
    let before = &opened.note.metadata;
    let note = opened.note.note;
    if value_of(&before.fields, reserved::CLOSED).is_some() {
        if !fields.is_empty() {
            return Err(Error::new(Kind::Failed, "it was closed before; nothing was changed")
                .hint("what was left open is filled in with `strongroom edit ID --field NAME=VALUE`"));
        }
        return Ok(Revised {
            id: note,
            revision: before.number,
            label: opened.label,
            entry: opened.entry,
            changed: false,
        });
    }
    let mut answers = match &opened.form {
        Some(form) => desk.read_fields(form, fields)?,
        None => fields,
    };
    if takes_addenda(opened.form.as_ref(), before) {
        refuse_rewriting(before, &answers)?;
    }
    if let Some(form) = &opened.form {
        let (policies, handles) = (desk.policies.clone(), desk.all_handles());
        // Nobody else waits while a person answers.
        drop(desk);
        let mut known = before.fields.clone();
        known.retain(|(name, _)| answers.iter().all(|(changed, _)| changed != name));
        let had = known.len();
        known.extend(answers.iter().cloned());
        context.ask_fields(form, &mut known, Needed::ToClose, (policies.levels(), &handles));
        answers = known.split_off(had);
        desk = unlocked.desk(context)?;
        desk.link_fields(form, &mut answers, "close-read")?;
    }
    let change = Change {
        fields: answers,
        ..Change::default()
    };
    let mut metadata = change.apply(before, opened.note.text(), opened.note.text())?;
    if let Some(form) = &opened.form {
        desk.refuse_barred(form, &metadata, "close-read", CLOSES)?;
        desk.grade(form, Some(note), &mut metadata.fields)?;
        let lacks = desk.lacks(form, note, &metadata, opened.note.text())?;
        if !lacks.is_empty() {
            let mut words = format!("this {} cannot be closed yet", form.template.title.to_lowercase());
            // Nothing that was answered is asked twice.
            if metadata.fields != before.fields {
                desk.revise(EDIT, note, &opened.heads, metadata, opened.note.text())?;
                words.push_str("; what you answered is recorded");
            }
            let error = lacks.into_iter().fold(Error::new(Kind::Failed, words), Error::hint);
            let details = desk.details("close");
            return Err(desk.failed(details, vec![note], error));
        }
    }
    let now = context.now().to_string();
    let by = desk.handle(desk.identity.person());
    metadata.fields.push((reserved::CLOSED.to_owned(), now));
    metadata.fields.push((reserved::CLOSED_BY.to_owned(), by));
    metadata.fields.sort();
    desk.revise(CLOSE, note, &opened.heads, metadata, opened.note.text())
}

impl Desk<'_> {
    /// Opens a note that has one head, under an entry of its own. `done` is what is not done to one that has several.
    pub(super) fn open_only_head(&mut self, asked: &str, verb: &str, done: &str) -> Result<Opened, Error> {
        let mut details = self.details(verb);
        let standing = self.standing(asked, &[Nature::Note], &details)?;
        let permitted = self.permitted(Action::Read, &standing, &mut details, asked)?;
        let newest = standing.newest(asked)?;
        let mut heads = standing.heads.clone();
        heads.sort();
        if heads.len() > 1 {
            let error = Error::new(
                Kind::Failed,
                format!("this note was revised side by side and has more than one head; nothing was {done}"),
            )
            .hint("`strongroom history` shows them; an edit that follows both comes first");
            return Err(self.failed(details, vec![standing.note], error));
        }
        let (opened, entry) = self.open_revisions(&standing, &[newest], false, permitted, details)?;
        let note = opened.into_iter().next().ok_or_else(|| Error::no_such_note(asked))?;
        Ok(Opened {
            label: self.label_text(&note.label).to_string(),
            form: self.form_of(&note.metadata)?,
            note,
            entry,
            heads,
        })
    }
}
