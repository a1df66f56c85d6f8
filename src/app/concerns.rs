//! Concerns: to those who handle them and never to whom they are about; by a member, or as a sealed file without a name.

use super::closing::Opened;
use super::concern_keys::{TEMPLATE, plain, whom_it_goes_to};
use super::context::{Context, Desk};
use super::error::{Error, Kind};
use super::finding::Looking;
use super::forms::{Fields, with_addendum};
use super::notes::{Added, NewText, add_with, check_text, record};
use super::person::Person;
use super::table::typed;
use super::writing::{Change, How, Revised, TextFrom, words_of, write};
use crate::casework::{reserved, value_of};
use crate::chain::{Card, ConcernKey, Kind as EntryKind};
use crate::crypto::{Recipient, make_random};
use crate::env::SystemEntropy;
use crate::envelope::{
    BadCode, CONCERN_MAX, Concern, KeptText, Reply, ReplyCode, ReplyKey, SealedConcern, SealedReply,
};
use crate::gate::{Filter, Nature};
use crate::id::{Digest, Fingerprint, NoteId, PersonId};
use crate::label::{Label, LabelText, Level};
use crate::ledger::Draft;
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use zeroize::Zeroizing;

/// How what came is entered.
const RECEIVE: How = How {
    verb: "concern receive",
    action: Action::Revise,
};
/// How an answer is entered.
const REPLY: How = How {
    verb: "concern reply",
    action: Action::Revise,
};
/// The field that says how it was raised.
pub(super) const RAISED: &str = "raised";
/// What stands before words that came in a sealed file, up to the file's digest.
const FROM: &str = "From whoever raised it, in the sealed file ";
/// Seconds of a day.
const DAY: i64 = 86_400;

/// A concern that a member raises under their name.
pub struct Raising {
    /// To these of its handlers, by handle; to all if none are named.
    pub to: Vec<String>,
    /// Never to these.
    pub left_out: Vec<String>,
    /// Whether its handlers may say whose it is; none: as it was said of what was kept.
    pub openly: Option<bool>,
}

/// A concern that was recorded.
pub struct Raised {
    /// The note.
    pub added: Added,
    /// Who reads it beside its author.
    pub to: Vec<String>,
}

/// A sealed concern that was received.
pub struct Received {
    /// The note.
    pub id: NoteId,
    /// Its revision.
    pub revision: u64,
    /// Its label.
    pub label: String,
    /// The entry; none where this file was received before.
    pub entry: Option<crate::id::EntryRef>,
    /// Whether it goes on from one that was received before.
    pub goes_on: bool,
    /// What stands for the key that its writer had.
    pub key: Fingerprint,
}

/// A concern that was answered.
pub struct AnsweredConcern {
    /// The note.
    pub revised: Revised,
    /// Whether a file was written for somebody without a name.
    pub sealed: bool,
}

/// A new code, for whoever writes without a name.
pub fn new_reply_code() -> Result<ReplyCode, Error> {
    Ok(ReplyCode::make(&mut SystemEntropy)?)
}

/// The code that somebody typed.
pub fn read_code(typed: &str) -> Result<ReplyCode, Error> {
    ReplyCode::read(typed).map_err(|bad: BadCode| {
        Error::new(Kind::Usage, bad.to_string()).hint("it is the twelve words that `strongroom concern write` showed")
    })
}

/// Removes what a program that was killed left of a concern without a name in memory.
pub fn forget_left_concerns(person: &dyn Person) {
    for left in person.left_texts() {
        // What is an identity's says so, and is kept for it.
        if left.ticket().is_empty()
            && let Err(error) = left.wipe()
        {
            person.warn(&format!("a text that an editor left is still in memory: {error}"));
        }
    }
}

/// Seals a concern without a name to those who handle concerns, all but `left_out`, into a new file. Nothing of the vault,
/// of an identity or of the clock goes into it.
pub fn write_concern(
    person: &dyn Person,
    key: &ConcernKey,
    left_out: &[String],
    code: &ReplyCode,
    text: impl FnOnce() -> Result<Vec<u8>, Error>,
    out: &Path,
) -> Result<(), Error> {
    let to = whom_it_goes_to(key, left_out)?;
    let mut new = person.create(out)?;
    let text = sendable(text()?)?;
    let recipients: Vec<Recipient> = to.iter().filter_map(|handler| handler.recipients()).flatten().collect();
    let mut reads: Vec<PersonId> = to.iter().map(|handler| handler.person).collect();
    reads.sort_unstable();
    let others = key.handlers.iter().map(|handler| handler.person);
    let concern = Concern {
        text,
        reply: code.reply_key(),
        key: key.digest(),
        left_out: others.filter(|person| !reads.contains(person)).collect(),
        to: reads,
    };
    let sealed = SealedConcern::seal(key.vault, &concern, &recipients, &mut SystemEntropy)
        .map_err(|bad| Error::new(Kind::Failed, bad.to_string()))?;
    put(new.file(), out, &sealed.to_page())?;
    new.keep()
}

/// Reads an answer with the code that it was sealed for. Needs no vault.
pub fn read_answer(page: &[u8], code: &ReplyCode) -> Result<Reply, Error> {
    let sealed = SealedReply::find(page)?;
    sealed.read(code).map_err(|_| {
        Error::new(Kind::Denied, "this answer does not open with that code")
            .hint("it is for somebody else, or was altered on the way")
    })
}

/// What can be sent: a text as a note has one, and not longer than fits a sealed file.
fn sendable(bytes: Vec<u8>) -> Result<Zeroizing<String>, Error> {
    let text = check_text(bytes)?;
    match text.len() <= CONCERN_MAX {
        true => Ok(text),
        false => Err(Error::new(
            Kind::Usage,
            format!(
                "this text has {} bytes, and may have {CONCERN_MAX}; nothing was sealed",
                text.len()
            ),
        )),
    }
}

fn put(file: &mut std::fs::File, path: &Path, page: &str) -> Result<(), Error> {
    let written = file.write_all(page.as_bytes());
    written.map_err(|error| Error::new(Kind::Failed, format!("cannot write `{}`: {error}", path.display())))
}

/// Somebody's words within a note: no line of them is taken for a heading or for somebody else's, wherever a reader sees one end.
fn quoted(text: &str) -> String {
    let text = Zeroizing::new(text.trim_end().replace("\r\n", "\n"));
    let lines = text.split(['\n', '\r', '\u{2028}', '\u{2029}']);
    let lines = lines.map(|line| match line.trim_end() {
        "" => ">\n".to_owned(),
        line => format!("> {}\n", without_controls(line)),
    });
    lines.collect()
}

/// The text of a concern without the digests of the sealed files that it came in.
pub(super) fn without_sealed_files(text: &str) -> Zeroizing<String> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    for line in text.split_inclusive('\n') {
        let digest = line
            .trim_end()
            .strip_prefix(FROM)
            .and_then(|rest| rest.strip_suffix(':'));
        match digest.is_some_and(|digest| digest.parse::<Digest>().is_ok()) {
            true => plain.push_str("From whoever raised it:\n"),
            false => plain.push_str(line),
        }
    }
    plain
}

/// A line with what moves a cursor or ends a line written out; tabs stay.
fn without_controls(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    for c in line.chars() {
        match c.is_control() && c != '\t' {
            true => plain.extend(c.escape_unicode()),
            false => plain.push(c),
        }
    }
    plain
}

/// Records a concern of a member for those who handle concerns, and for its author.
pub fn raise_concern(context: &Context<'_>, raising: &Raising, from: TextFrom<'_>) -> Result<Raised, Error> {
    let unlocked = context.unlock()?;
    let (me, new) = {
        let desk = unlocked.desk(context)?;
        (desk.handle(desk.identity.person()), desk.new_concern(raising)?)
    };
    let named = !raising.to.is_empty() || !raising.left_out.is_empty();
    let added = add_with(context, &unlocked, new, from, named)?;
    // What was kept is for whom it was, not for those of now.
    let people = added
        .label
        .parse::<LabelText>()
        .map_or(Vec::new(), |label| label.people);
    let to = people.into_iter().filter(|handle| *handle != me).collect();
    Ok(Raised { added, to })
}

/// Receives a sealed concern: opens it, after an entry, and records it for those that it was sealed to. What its writer
/// wrote again goes to the note that is there, if nobody reads that whom it is not for.
pub fn receive_concern(context: &Context<'_>, page: &[u8]) -> Result<Received, Error> {
    let sealed = SealedConcern::find(page)?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let concern = desk.open_concern(&sealed)?;
    let (digest, key) = (sealed.digest().to_string(), concern.reply.to_hex());
    let filter = Filter {
        natures: vec![Nature::Note],
        field: Some((reserved::REPLY_KEY, key.to_string())),
        ..Filter::default()
    };
    let details = desk.details("concern-read");
    let mut known = desk.find_all(details, &Looking::for_all(Action::List, filter))?;
    let fingerprint = Fingerprint::from(concern.key);
    // Received on two devices at once it is there twice; the first goes on.
    known.sort_by_key(|line| (line.listed.metadata.created, line.listed.note));
    let twice = |id: NoteId, revision: u64, label: String| Received {
        id,
        revision,
        label,
        entry: None,
        goes_on: false,
        key: fingerprint,
    };
    let same = known
        .iter()
        .find(|line| value_of(&line.listed.metadata.fields, reserved::SEALED_FILE) == Some(digest.as_str()));
    if let Some(line) = same {
        return Ok(twice(line.listed.note, line.listed.metadata.number, line.label.clone()));
    }
    let mut fitting = None;
    for line in &known {
        let details = desk.details("concern-read");
        let standing = desk.standing(&line.listed.note.to_string(), &[Nature::Note], &details)?;
        let (label, _) = desk.readers_now(Desk::label_of(&standing), standing.survey.readers())?;
        if fits(&label, &concern, desk.identity.person()) {
            fitting = Some(line.listed.note.to_string());
            break;
        }
    }
    let Some(asked) = fitting else {
        if let Some(line) = known.first() {
            context.person.warn(&format!(
                "it goes on from note {}, which others read too, and it is not for them: it becomes a note of its own",
                line.listed.note
            ));
        }
        let (new, text) = desk.concern_of_a_stranger(&concern, digest)?;
        let form = desk.form(TEMPLATE)?;
        drop(desk);
        let note = NoteId(make_random(&mut SystemEntropy)?);
        let added = record(context, &unlocked, note, new, Some(&form), &text)?;
        return Ok(Received {
            id: added.id,
            revision: added.revision,
            label: added.label,
            entry: Some(added.entry),
            goes_on: false,
            key: fingerprint,
        });
    };
    let opened = desk.open_only_head(&asked, "concern-read", "recorded")?;
    let head = format!("{FROM}{digest}:");
    if opened.note.text().lines().any(|line| line == head) {
        let label = desk.label_text(&opened.note.label).to_string();
        return Ok(twice(opened.note.note, opened.note.metadata.number, label));
    }
    let words = Zeroizing::new(format!("{head}\n\n{}", quoted(&concern.text)));
    let revised = desk.add_words(RECEIVE, &opened, &words, Fields::new())?;
    Ok(Received {
        id: revised.id,
        revision: revised.revision,
        label: revised.label,
        entry: Some(revised.entry),
        goes_on: true,
        key: fingerprint,
    })
}

/// Whether words can stand in a note with this label: all who read it are among those that they were sealed to, or receive
/// them, and none was left out.
fn fits(label: &Label, concern: &Concern, me: PersonId) -> bool {
    let may_read =
        |person: &PersonId| (concern.to.contains(person) || *person == me) && !concern.left_out.contains(person);
    label.level() == Level::Named && label.people().iter().all(may_read)
}

/// Answers a concern. The answer is an addendum to it, which a member who raised it reads there; for somebody without a
/// name it is sealed into a new file too. The first answer acknowledges; `feedback` says what came of it.
pub fn answer_concern(
    context: &Context<'_>,
    asked: &str,
    feedback: bool,
    out: Option<&Path>,
    from: TextFrom<'_>,
) -> Result<AnsweredConcern, Error> {
    let unlocked = context.unlock()?;
    let opened = {
        let mut desk = unlocked.desk(context)?;
        desk.open_only_head(asked, "concern-read", "answered")?
    };
    let note = opened.note.note;
    let fields = &opened.note.metadata.fields;
    let usage = |words: &str, hint: &str| Error::new(Kind::Usage, words).hint(hint);
    if value_of(fields, reserved::TEMPLATE) != Some(TEMPLATE) {
        return Err(usage(
            "this note is no concern, so there is nobody to answer",
            "`strongroom edit ID` changes a note",
        ));
    }
    let key = value_of(fields, reserved::REPLY_KEY).and_then(ReplyKey::from_hex);
    let mut new = match (&key, out) {
        (Some(_), Some(out)) => Some((context.person.create(out)?, out)),
        (None, None) => None,
        (Some(_), None) => {
            return Err(usage(
                "this came without a name, so the answer goes into a sealed file",
                "name it with --out FILE, and put it where whoever wrote can fetch it",
            ));
        }
        (None, Some(_)) => {
            return Err(usage(
                "a member raised this and reads the answer in the note itself",
                "leave --out out",
            ));
        }
    };
    let mut taken = None;
    if let TextFrom::Editor(editing) = &from
        && let Some(found) = unlocked.kept_to_take_up(context, Some(note), true, *editing)?
    {
        taken = Some((found.path.clone(), unlocked.take_up(context, &found)?));
    }
    // So that what is kept of it is taken up as an answer, and an edit never is.
    let mut given = crate::envelope::Given::default();
    given.fields.push((reserved::READERS.to_owned(), String::new()));
    let ticket = KeptText {
        note: Some(note),
        follows: opened.heads.clone(),
        kept: context.now().unix(),
        text: Zeroizing::default(),
        given,
    };
    let begin = taken.as_ref().map_or(&ticket.text, |(_, kept)| &kept.text);
    let written = write(context, &unlocked, from, &ticket, begin)?;
    let result = written.text().and_then(|text| {
        let text = sendable(text.as_bytes().to_vec())?;
        if let (Some(key), Some((new, out))) = (&key, &mut new) {
            let day = u32::try_from(context.now().unix().div_euclid(DAY)).unwrap_or_default();
            let reply = Reply {
                text: text.clone(),
                day,
            };
            let sealed = SealedReply::seal(key, &reply, &mut SystemEntropy)?;
            put(new.file(), out, &sealed.to_page())?;
        }
        let today = &context.now().to_string()[..10];
        let said = ["acknowledged"].into_iter().chain(feedback.then_some("feedback"));
        let open = said.filter(|name| value_of(&opened.note.metadata.fields, name).is_none());
        let answers: Fields = open.map(|name| (name.to_owned(), today.to_owned())).collect();
        let words = Zeroizing::new(format!("Answered to whoever raised it:\n\n{}", quoted(&text)));
        let revised = unlocked.desk(context)?.add_words(REPLY, &opened, &words, answers)?;
        if let Some((new, _)) = new.take() {
            new.keep().map_err(|error| {
                error.hint(
                    "the answer stands in the note all the same; answer again with the same words for another file",
                )
            })?;
        }
        Ok(revised)
    });
    let words = words_of(Some(note), true);
    let revised = written.settle(context, &unlocked, ticket, taken.map(|(path, _)| path), &words, result)?;
    Ok(AnsweredConcern {
        revised,
        sealed: key.is_some(),
    })
}

impl Desk<'_> {
    /// A note of a member's concern.
    fn new_concern(&self, raising: &Raising) -> Result<NewText, Error> {
        let usage = |words: String| Error::new(Kind::Usage, words);
        let handlers = self.handlers()?;
        let me = self.identity.person();
        let mut left_out = BTreeSet::new();
        for name in &raising.left_out {
            left_out.extend(self.people(plain(name))?);
        }
        if left_out.contains(&me) {
            return Err(usage("you write this yourself, so you cannot be left out".into()));
        }
        let all = handlers.iter().map(|card| card.handle.as_str());
        for name in &raising.to {
            if !handlers.iter().any(|card| card.handle == plain(name)) {
                let words = format!("`{}` handles no concerns here", typed(name));
                return Err(usage(words).hint(format!("those who do are {}", all.collect::<Vec<_>>().join(", "))));
            }
            if self.people(plain(name))?.iter().any(|person| left_out.contains(person)) {
                return Err(usage(format!("`{}` is both written to and left out", typed(name))));
            }
        }
        let wanted = |card: &&Card| {
            let named = raising.to.is_empty() || raising.to.iter().any(|name| plain(name) == card.handle);
            named && !left_out.contains(&card.person) && card.person != me
        };
        let to: Vec<&Card> = handlers.iter().filter(wanted).collect();
        if to.is_empty() {
            return Err(usage("nobody who handles concerns is left but yourself".into())
                .hint("`strongroom add --label named/@HANDLE` writes to whom you trust"));
        }
        let people = to.iter().map(|card| card.person).chain([me]);
        let raised = raising.openly.map(|openly| match openly {
            true => "openly",
            false => "in confidence",
        });
        self.concern_note(people.collect(), &left_out, raised)
    }

    /// A note for these people by name.
    fn concern_note(
        &self,
        people: BTreeSet<PersonId>,
        left_out: &BTreeSet<PersonId>,
        raised: Option<&str>,
    ) -> Result<NewText, Error> {
        let label = Label::named(people, []).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))?;
        let mut fields: Fields = vec![(reserved::READERS.to_owned(), self.readers_of(&label))];
        fields.extend(raised.map(|raised| (RAISED.to_owned(), raised.to_owned())));
        if !left_out.is_empty() {
            let handles: Vec<String> = left_out
                .iter()
                .map(|person| format!("@{}", self.handle(*person)))
                .collect();
            fields.push((reserved::LEFT_OUT.to_owned(), handles.join(", ")));
        }
        Ok(NewText {
            title: None,
            client: None,
            case: None,
            label: Some(self.label_text(&label).to_string()),
            at: None,
            fields,
            template: Some(TEMPLATE.to_owned()),
        })
    }

    /// Opens a sealed concern under an entry of its own.
    fn open_concern(&mut self, sealed: &SealedConcern) -> Result<Concern, Error> {
        let mut details = self.details("concern receive");
        details.asked = Some(sealed.digest().to_string());
        details.level = Some(Level::Named);
        let me = Label::named([self.identity.person()], []).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))?;
        let mut facts = ResourceFacts::new(ThingKind::Note, me);
        facts.own = true;
        match self.decide(Action::Add, facts) {
            Decision::Denied(denial) => {
                return Err(self.denied(&denial, Some(EntryKind::Add), details, Vec::new(), "concern receive")?);
            }
            Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
        }
        let recorded = self.record(Draft::read(details.clone(), Vec::new()))?;
        let opened = self.gate().open_concern(sealed, recorded);
        opened.map_err(|_| {
            let words = "this concern does not open here: it was sealed to others, for another vault, or altered";
            self.failed(details, Vec::new(), Error::new(Kind::Denied, words))
        })
    }

    /// The note of a concern without a name: for those whom it was sealed to, as far as they still handle concerns, and
    /// for whoever receives it.
    fn concern_of_a_stranger(&self, concern: &Concern, digest: String) -> Result<(NewText, Zeroizing<String>), Error> {
        let me = self.identity.person();
        let handlers = self.handlers().unwrap_or_default();
        let handles_still = |person: &PersonId| handlers.iter().any(|card| card.person == *person);
        let (mut people, gone): (BTreeSet<PersonId>, BTreeSet<PersonId>) =
            concern.to.iter().copied().partition(handles_still);
        people.insert(me);
        for person in gone {
            let who = match person == me {
                true => "you handle".to_owned(),
                false => format!("{} handles", self.handle(person)),
            };
            self.context.person.warn(&format!(
                "it was sealed to somebody who is no handler now: {who} no concerns any more"
            ));
        }
        let left_out: BTreeSet<PersonId> = concern.left_out.iter().copied().collect();
        let mut new = self.concern_note(people, &left_out, Some("anonymously"))?;
        let more = [
            (reserved::REPLY_KEY, concern.reply.to_hex().to_string()),
            (reserved::SEALED_FILE, digest),
        ];
        new.fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
        Ok((new, Zeroizing::new(quoted(&concern.text))))
    }

    /// Records words as an addendum, and what they answer.
    fn add_words(&mut self, how: How, opened: &Opened, words: &str, fields: Fields) -> Result<Revised, Error> {
        let by = self.handle(self.identity.person());
        let text = Zeroizing::new(with_addendum(opened.note.text(), words, self.context.now(), None, &by));
        let text = check_text(text.as_bytes().to_vec())?;
        let change = Change {
            fields,
            ..Change::default()
        };
        let before = opened.note.text();
        let metadata = change.apply(&opened.note.metadata, before, before)?;
        self.revise(how, opened.note.note, &opened.heads, metadata, &text)
    }

    /// Whom a label names, as handles; nothing where it names nobody.
    pub(super) fn readers_of(&self, label: &Label) -> String {
        let mut handles: Vec<String> = label
            .people()
            .iter()
            .map(|person| format!("@{}", self.handle(*person)))
            .collect();
        handles.sort();
        handles.join(", ")
    }

    /// Everything that these people are or were called.
    pub(super) fn handles_of(&self, people: &BTreeSet<PersonId>) -> BTreeSet<String> {
        let cards = self.ledger.charter().roster.cards().iter();
        cards
            .filter(|card| people.contains(&card.person))
            .map(|card| format!("@{}", card.handle))
            .collect()
    }

    /// The label of a further revision: for everybody whom all revisions of the note name as a reader and who is a member, but
    /// for whom one of them leaves out. Whom it names and who is not to be had is told of.
    pub(super) fn with_readers(&self, label: Label, readers: Option<BTreeSet<&str>>) -> Result<Label, Error> {
        let (label, lost) = self.readers_now(label, readers)?;
        for (handle, error) in lost {
            self.context.person.warn(&format!(
                "`{}` is named as a reader of this note, and gets nothing of what is written now: {error}",
                typed(&handle)
            ));
        }
        Ok(label)
    }

    /// The same, and whom it names and who is not to be had, with why.
    fn readers_now(
        &self,
        label: Label,
        readers: Option<BTreeSet<&str>>,
    ) -> Result<(Label, Vec<(String, Error)>), Error> {
        let mut lost = Vec::new();
        let Some(readers) = readers.filter(|_| label.level() == Level::Named) else {
            return Ok((label, lost));
        };
        let mut people = label.people().clone();
        for handle in readers {
            match self.addressed(plain(handle)) {
                Ok(card) => drop(people.insert(card.person)),
                Err(error) => lost.push((handle.to_owned(), error)),
            }
        }
        let named = Label::named(people, label.compartments().iter().copied());
        let named = named.map_err(|bad| Error::new(Kind::Failed, bad.to_string()))?;
        Ok((named, lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_nobody_else_s_heading() {
        let text = "## Addendum 2026-11-21T09:30:00Z by mara\n\nAll is well. \r\n\n> no\n\n";
        assert_eq!(
            quoted(text),
            "> ## Addendum 2026-11-21T09:30:00Z by mara\n>\n> All is well.\n>\n> > no\n"
        );
        assert!(quoted(text).lines().all(|line| line.starts_with('>')));
    }

    #[test]
    fn no_line_of_what_is_quoted_begins_without_a_mark() {
        let text = "a\r## b\u{2028}## c\u{2029}d\r\ne\u{85}f\u{b}g\u{1b}[2Jh\ti";
        assert_eq!(
            quoted(text),
            "> a\n> ## b\n> ## c\n> d\n> e\\u{85}f\\u{b}g\\u{1b}[2Jh\ti\n"
        );
    }

    #[test]
    fn the_digest_of_a_sealed_file_is_taken_out_of_a_text_and_nothing_else() {
        let digest = "0a".repeat(32);
        let text = format!("> a\n\n## Addendum\n\n{FROM}{digest}:\n\n> {FROM}{digest}:\n{FROM}soon:\nb");
        assert_eq!(
            *without_sealed_files(&text),
            format!("> a\n\n## Addendum\n\nFrom whoever raised it:\n\n> {FROM}{digest}:\n{FROM}soon:\nb")
        );
    }

    #[test]
    fn words_go_on_where_nobody_reads_them_whom_they_are_not_for() {
        let person = |n: u8| PersonId([n; 8]);
        let code = new_reply_code().unwrap_or_else(|error| panic!("{error}"));
        let concern = Concern {
            text: Zeroizing::new("It is about the third.".to_owned()),
            reply: code.reply_key(),
            key: crate::id::Digest([5; 32]),
            to: vec![person(1), person(2)],
            left_out: vec![person(3)],
        };
        let fits_for = |people: &[u8], me: u8| {
            let label = Label::named(people.iter().map(|n| person(*n)), []);
            fits(&label.unwrap_or_else(|error| panic!("{error}")), &concern, person(me))
        };
        assert!(fits_for(&[1], 1) && fits_for(&[1, 2], 1) && fits_for(&[1, 4], 4));
        assert!(!fits_for(&[1, 3], 1) && !fits_for(&[1, 4], 1) && !fits_for(&[1, 3], 3));
        let wide = Label::new(Level::Internal, []).unwrap_or_else(|error| panic!("{error}"));
        assert!(!fits(&wide, &concern, person(1)));
    }

    #[test]
    fn what_is_too_long_for_a_sealed_file_is_refused() {
        assert!(sendable(vec![b'a'; CONCERN_MAX]).is_ok());
        assert_eq!(
            sendable(vec![b'a'; CONCERN_MAX + 1]).map_err(|error| error.kind),
            Err(Kind::Usage)
        );
        assert_eq!(sendable(b" \n".to_vec()).map_err(|error| error.kind), Err(Kind::Usage));
    }
}
