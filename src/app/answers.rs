//! Answers from the log: its entries, and who saw what. What is asked is an entry before anything is shown; no note is
//! opened, and the vault's lock is given back before the first line goes out.

use super::context::{Context, Desk, short};
use super::error::{Error, Kind};
use super::table::typed;
use crate::chain::{Details, Entry, Kind as EntryKind, Outcome, Time};
use crate::gate::{fold, leaves_clients_out};
use crate::id::{DeviceId, EntryRef, NoteId, PersonId};
use crate::label::{Label, Level};
use crate::ledger::{Draft, Opened, Reading};
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// An entry as its reader may have it.
pub struct LogLine {
    /// The entry.
    pub entry: Entry,
    /// Who, by handle.
    pub actor: String,
    /// Its details, if they open for this reader.
    pub details: Option<Details>,
    /// The notes concerned: all of them if the details opened, else those whose files it wrote or forgot.
    pub notes: Vec<NoteId>,
    /// The highest level concerned, as the vault calls it now.
    pub level: Option<String>,
}

/// Which entries.
#[derive(Default)]
pub struct LogQuery {
    /// Only at or after.
    pub since: Option<Time>,
    /// Only before.
    pub until: Option<Time>,
    /// Only of this member, by handle or id.
    pub actor: Option<String>,
    /// Only this action: `show`, `brief release`, or `brief` for all that begin so.
    pub action: Option<String>,
    /// Only what ended so.
    pub result: Option<Outcome>,
    /// Only about this note.
    pub note: Option<String>,
    /// Only for this purpose.
    pub purpose: Option<String>,
    /// Only the newest so many.
    pub limit: Option<usize>,
}

/// Who saw what.
#[derive(Default)]
pub struct WhoQuery {
    /// Anything of this client.
    pub client: Option<String>,
    /// This note.
    pub note: Option<String>,
    /// Anything, but this member.
    pub actor: Option<String>,
    /// Only at or after.
    pub since: Option<Time>,
    /// Only before.
    pub until: Option<Time>,
}

/// What was read of the log.
pub struct Answered {
    /// How many entries were shown.
    pub shown: u64,
    /// Whether only the person's own entries were looked at.
    pub own: bool,
    /// In how many logs.
    pub logs: usize,
    /// How many of those shown name only some of the clients they concern, so that the one that was asked for is in them perhaps.
    pub perhaps: u64,
    /// How many entries were passed over because they do not open for this person, so that what was asked for cannot be
    /// seen in them.
    pub closed: u64,
}

/// Where the lines go, with the number of logs they come from.
pub type Show<'s> = &'s mut dyn FnMut(usize, LogLine) -> Result<(), Error>;

/// The entries of the whole log, or for whoever may not oversee it their own, oldest first. Reading them is an entry
/// too, the last of them.
pub fn log(context: &Context<'_>, query: &LogQuery, show: Show<'_>) -> Result<Answered, Error> {
    let note = query.note.as_deref().map(note_beginning).transpose()?;
    query.action.as_deref().map(check_action).transpose()?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let actor = query.actor.as_deref().map(|actor| desk.people(actor)).transpose()?;
    query
        .purpose
        .as_deref()
        .map(|code| desk.check_purpose(code))
        .transpose()?;
    let asked = [
        query.since.map(|time| format!("since {time}")),
        query.until.map(|time| format!("until {time}")),
        query.actor.as_deref().map(|actor| format!("actor {actor}")),
        query.action.as_deref().map(|action| format!("action {action}")),
        query.result.map(|result| format!("result {}", outcome(result))),
        query.note.as_deref().map(|note| format!("note {note}")),
        query.purpose.as_deref().map(|purpose| format!("purpose {purpose}")),
        query.limit.map(|limit| format!("newest {limit}")),
    ];
    let overseen = desk.overseen(Action::AuditLog, "audit log", asked.into_iter().flatten().collect())?;
    drop(desk);
    let about = note.map(|note| overseen.only_note(&note)).transpose()?;
    let outside = |entry: &Entry| {
        in_period(query.since, query.until, entry.time)
            && actor.as_ref().is_none_or(|actor| actor.contains(&entry.actor))
            && query.result.is_none_or(|result| result == entry.result)
    };
    let inside = |line: &Opened| {
        query.action.as_deref().is_none_or(|action| is_action(line, action))
            && about.as_ref().is_none_or(|about| about.is_in(line))
            && query.purpose.as_deref().is_none_or(|code| {
                line.details
                    .as_ref()
                    .is_some_and(|details| details.purpose.as_deref() == Some(code))
            })
    };
    overseen.show(&outside, &inside, query.limit, show)
}

/// Who saw what, or tried to: reads, lists, searches, briefs and their recipients, what was extracted, and denials.
pub fn who(context: &Context<'_>, query: &WhoQuery, show: Show<'_>) -> Result<Answered, Error> {
    let note = query.note.as_deref().map(note_beginning).transpose()?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let actor = query.actor.as_deref().map(|actor| desk.people(actor)).transpose()?;
    let asked = [
        query.client.as_deref().map(|client| format!("client {client}")),
        query.note.as_deref().map(|note| format!("note {note}")),
        query.actor.as_deref().map(|actor| format!("actor {actor}")),
        query.since.map(|time| format!("since {time}")),
        query.until.map(|time| format!("until {time}")),
    ];
    let overseen = desk.overseen(Action::AuditWho, "audit who", asked.into_iter().flatten().collect())?;
    drop(desk);
    let note = note
        .map(|note| overseen.with_what_was_made(overseen.only_note(&note)?))
        .transpose()?;
    let client = query
        .client
        .as_deref()
        .map(|client| overseen.of_client(client))
        .transpose()?;
    let outside = |entry: &Entry| {
        is_sight(entry)
            && in_period(query.since, query.until, entry.time)
            && actor.as_ref().is_none_or(|actor| actor.contains(&entry.actor))
    };
    let perhaps = Cell::new(0);
    let inside = |line: &Opened| {
        if note.as_ref().is_some_and(|note| !note.is_in(line)) {
            return false;
        }
        let Some(client) = &client else { return true };
        let surely = client.is_in(line);
        let not_surely = !surely && client.is_perhaps_in(line);
        perhaps.set(perhaps.get() + u64::from(not_surely));
        surely || not_surely
    };
    let mut answered = overseen.show(&outside, &inside, None, show)?;
    answered.perhaps = perhaps.get();
    Ok(answered)
}

pub(super) fn in_period(since: Option<Time>, until: Option<Time>, time: Time) -> bool {
    since.is_none_or(|since| since <= time) && until.is_none_or(|until| time < until)
}

/// Whether somebody saw something by it, or wanted to: everything but changes that were made.
pub(super) fn is_sight(entry: &Entry) -> bool {
    entry.result != Outcome::Done
        || matches!(
            entry.kind,
            None | Some(EntryKind::Draft | EntryKind::Release | EntryKind::BreakGlass)
        )
}

/// `done`, `denied` or `failed`.
fn outcome(result: Outcome) -> &'static str {
    match result {
        Outcome::Done => "done",
        Outcome::Denied => "denied",
        Outcome::Failed => "failed",
    }
}

/// The action by the details, else the kind that stands in clear; a read whose details are closed is `sealed`.
fn verb<'l>(entry: &Entry, details: Option<&'l Details>) -> &'l str {
    match (details, entry.kind) {
        (Some(details), _) => &details.verb,
        (None, None) => "sealed",
        (None, Some(kind)) => kind.name(),
    }
}

fn is_action(line: &Opened, action: &str) -> bool {
    is_meant(verb(&line.entry, line.details.as_ref()), action)
}

/// Whether an action is this one, or one of those that begin so.
fn is_meant(verb: &str, action: &str) -> bool {
    let rest = verb.strip_prefix(action.trim());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// What an entry may say was done.
pub(super) const VERBS: [&str; 87] = [
    "add",
    "add-links",
    "approvals",
    "approvals withdraw",
    "approve",
    "approve-read",
    "attach",
    "audit log",
    "audit report",
    "audit who",
    "begin anew",
    "breakglass open",
    "breakglass review",
    "brief check",
    "brief draft",
    "brief list",
    "brief recall",
    "brief release",
    "close",
    "close-read",
    "compartment list",
    "compartment new",
    "concern key",
    "concern receive",
    "concern reply",
    "concern-read",
    "conflict declare",
    "conflict list",
    "destroy",
    "destroy-ask",
    "draft-names",
    "draft-read",
    "due",
    "edit",
    "edit-read",
    "export notes",
    "export pack",
    "export subject",
    "export-read",
    "extract",
    "extract-ask",
    "glass-read",
    "history",
    "hold lift",
    "hold list",
    "hold place",
    "hold-read",
    "import",
    "import-read",
    "init",
    "join",
    "join histories",
    "keep",
    "keep-read",
    "links-read",
    "list",
    "member admit",
    "member grant",
    "member list",
    "member pause",
    "member remove",
    "member resume",
    "member review",
    "member revoke",
    "metrics",
    "passphrase",
    "policy ack",
    "policy acks",
    "policy edit",
    "policy explain",
    "recovery split",
    "recovery use",
    "relabel",
    "release-check",
    "release-names",
    "release-read",
    "renew detail key",
    "report-read",
    "review-read",
    "rewrap",
    "schedule-seen",
    "sealed",
    "search",
    "show",
    "unlock",
    "unlock-failed",
    "withdraw",
];

/// The kinds that stand in clear, where no verb of the same name is.
const KINDS: [&str; 13] = [
    "acknowledge",
    "begin",
    "break-glass",
    "card",
    "draft",
    "hold",
    "key",
    "lift",
    "policy",
    "release",
    "request",
    "review",
    "revise",
];

/// An action that no entry can have would find nothing, and look as if nobody had done it.
fn check_action(action: &str) -> Result<(), Error> {
    match VERBS.iter().chain(&KINDS).any(|verb| is_meant(verb, action)) {
        true => Ok(()),
        false => Err(Error::new(
            Kind::Usage,
            format!("`{}` is no action that an entry has", typed(action)),
        )
        .hint(format!("those of commands are {}", VERBS.join(", ")))
        .hint(format!(
            "where an entry does not open for you, its kind: {}",
            KINDS.join(", ")
        ))),
    }
}

/// The beginning of a note's id, as it was typed.
fn note_beginning(asked: &str) -> Result<String, Error> {
    match is_beginning(asked) {
        true => Ok(asked.to_owned()),
        false => Err(Error::new(
            Kind::Usage,
            format!("`{}` is not the beginning of a note's id", typed(asked)),
        )
        .hint("an id is four or more of the characters 0–9 and a–f")),
    }
}

pub(super) fn is_beginning(text: &str) -> bool {
    (4..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// What an entry may be about.
#[derive(Default)]
struct About {
    notes: BTreeSet<NoteId>,
    /// As it was typed, for those who asked for what they did not get.
    typed: Option<String>,
    /// The client, folded.
    client: Option<String>,
    /// The notes of which some entry says whose they are, or that they are nobody's.
    known: BTreeSet<NoteId>,
    /// What was made of notes that are the client's perhaps.
    made: BTreeSet<NoteId>,
}

impl About {
    fn is_in(&self, line: &Opened) -> bool {
        if line.notes.iter().any(|note| self.notes.contains(note)) {
            return true;
        }
        let Some(details) = &line.details else { return false };
        let named = self.client.as_deref().zip(details.client.as_deref());
        if named.is_some_and(|(wanted, said)| is_named(wanted, said)) {
            return true;
        }
        // Who asked for a note that is not there for them left nothing but what they typed.
        let asked = details
            .asked
            .as_deref()
            .filter(|_| line.entry.result == Outcome::Denied && line.notes.is_empty());
        asked.filter(|asked| is_beginning(asked)).is_some_and(|asked| {
            let of = |note: &NoteId| note.to_string().starts_with(asked);
            self.notes.iter().any(of) || self.typed.as_deref().is_some_and(|typed| asked.starts_with(typed))
        })
    }

    /// Whether the client may be one of those that an entry counts and does not name, or stands in what was made of such notes.
    fn is_perhaps_in(&self, line: &Opened) -> bool {
        let said = line.details.as_ref().and_then(|details| details.client.as_deref());
        self.is_perhaps_among(said, &line.notes)
    }

    fn is_perhaps_among(&self, said: Option<&str>, notes: &[NoteId]) -> bool {
        let counted = self.client.is_some() && said.is_some_and(leaves_clients_out);
        // Where it is known of every note whose it is, it is of none of these.
        counted && notes.iter().any(|note| !self.known.contains(note))
            || notes.iter().any(|note| self.made.contains(note))
    }
}

/// Whether a folded client stands in what an entry says of clients: several are separated by `, `, and a name may hold
/// that too.
fn is_named(wanted: &str, said: &str) -> bool {
    !wanted.is_empty() && format!(", {}, ", fold(said)).contains(&format!(", {wanted}, "))
}

/// The log as far as this person may see it, and how its people and levels are called.
pub(super) struct Overseen<'a> {
    pub(super) reading: Reading<'a>,
    pub(super) own: bool,
    handles: BTreeMap<PersonId, String>,
    levels: BTreeMap<Level, String>,
    /// The entry that this looking is.
    pub(super) entry: EntryRef,
    /// The rules that permitted it.
    pub(super) rules: Vec<String>,
}

impl<'a> Desk<'a> {
    /// The members, also former ones, who were ever called so, or have that id.
    pub(super) fn people(&self, named: &str) -> Result<BTreeSet<PersonId>, Error> {
        let handle = named.strip_prefix('@').unwrap_or(named);
        let cards = self.ledger.charter().roster.cards().iter();
        let people: BTreeSet<PersonId> = cards
            .filter(|card| card.handle == handle || card.person.to_string() == handle)
            .map(|card| card.person)
            .collect();
        match people.is_empty() {
            true => Err(Error::new(
                Kind::Usage,
                format!("there is and was no member `{}`", typed(named)),
            )),
            false => Ok(people),
        }
    }

    /// The same for a purpose that this vault does not have.
    fn check_purpose(&self, code: &str) -> Result<(), Error> {
        let codes: Vec<&str> = self
            .policies
            .purposes()
            .iter()
            .map(|known| known.code.as_str())
            .collect();
        match codes.contains(&code) {
            true => Ok(()),
            false => Err(
                Error::new(Kind::Usage, format!("this vault has no purpose `{}`", typed(code)))
                    .hint(format!("it has {}", codes.join(", "))),
            ),
        }
    }

    /// Decides and records that this person looks at the log: all of it, or, where that is not for them, what they may
    /// see of it anyway.
    pub(super) fn overseen(&mut self, action: Action, verb: &str, asked: Vec<String>) -> Result<Overseen<'a>, Error> {
        let mut details = self.details(verb);
        let public = Label::new(Level::Public, []).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))?;
        let mut facts = ResourceFacts::new(ThingKind::Log, public);
        let mut decision = self.decide(action, facts.clone());
        facts.own = matches!(decision, Decision::Denied(_)) && action == Action::AuditLog;
        let own = facts.own;
        if own {
            decision = self.decide(action, facts);
        }
        match decision {
            Decision::Denied(denial) => return Err(self.denied(&denial, None, details, Vec::new(), verb)?),
            Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
        }
        let scope = if own { "own entries" } else { "all entries" };
        let asked: Vec<String> = std::iter::once(scope.to_owned()).chain(asked).collect();
        details.asked = Some(short(asked.join(" / ")));
        let rules = details.rules.clone();
        let recorded = self.record(Draft::read(details, Vec::new()))?;
        let mut reading = self.ledger.reading(&recorded)?;
        let cards = self.ledger.charter().roster.cards();
        if own {
            let mine = cards.iter().filter(|card| card.person == self.identity.person());
            let devices: BTreeSet<DeviceId> = mine
                .flat_map(|card| &card.devices)
                .map(|device| device.device)
                .collect();
            reading = reading.of_devices(&devices);
        }
        let handles = cards.iter().map(|card| (card.person, card.handle.clone())).collect();
        let levels = Level::ALL
            .into_iter()
            .map(|level| (level, self.level_name(level)))
            .collect();
        Ok(Overseen {
            reading,
            own,
            handles,
            levels,
            entry: recorded.entry(),
            rules,
        })
    }
}

impl Overseen<'_> {
    /// What somebody is called, now or when they were last a member.
    pub(super) fn handle(&self, person: PersonId) -> String {
        self.handles.get(&person).cloned().unwrap_or_else(|| person.to_string())
    }

    /// What the vault calls a level now.
    pub(super) fn level(&self, level: Level) -> String {
        self.levels
            .get(&level)
            .cloned()
            .unwrap_or_else(|| level.name().to_owned())
    }

    fn line(&self, opened: Opened) -> LogLine {
        let level = opened.details.as_ref().and_then(|details| details.level);
        LogLine {
            actor: self.handle(opened.entry.actor),
            level: level.map(|level| self.level(level)),
            entry: opened.entry,
            details: opened.details,
            notes: opened.notes,
        }
    }

    /// The one note of all entries whose id begins so; none: whoever asked for it in vain is found all the same.
    fn only_note(&self, typed: &str) -> Result<About, Error> {
        let mut notes = BTreeSet::new();
        self.reading.each::<Error>(&mut |line| {
            notes.extend(
                line.notes
                    .into_iter()
                    .filter(|note| note.to_string().starts_with(typed)),
            );
            Ok(())
        })?;
        if notes.len() > 1 {
            let message = format!("`{typed}` is the beginning of {} notes' ids", notes.len());
            return Err(Error::new(Kind::Usage, message).hint("give a few characters more"));
        }
        Ok(About {
            notes,
            typed: Some(typed.to_owned()),
            ..About::default()
        })
    }

    /// The notes that ever were a client's.
    fn of_client(&self, client: &str) -> Result<About, Error> {
        let client = fold(client.trim());
        self.with_what_was_made(About {
            client: Some(client),
            ..About::default()
        })
    }

    /// The same with the notes that are the client's, and with the drafts and briefs that were made of any of them.
    fn with_what_was_made(&self, mut about: About) -> Result<About, Error> {
        self.reading.each::<Error>(&mut |line| {
            let said = line.details.as_ref().and_then(|details| details.client.as_deref());
            let wanted = about.client.as_deref();
            // Of several notes it is not said which are whose.
            if line.notes.len() == 1 && wanted.zip(said).is_some_and(|(wanted, said)| fold(said) == wanted) {
                about.notes.extend(&line.notes);
            }
            // By these a note that says no client has none.
            let tells = |details: &Details| ["add", "edit", "import", "show"].contains(&details.verb.as_str());
            let tells = line.entry.result == Outcome::Done && line.details.as_ref().is_some_and(tells);
            if line.notes.len() == 1 && said.map_or(tells, |said| !leaves_clients_out(said)) {
                about.known.extend(&line.notes);
            }
            if matches!(line.entry.kind, Some(EntryKind::Draft | EntryKind::Release)) {
                let written = line.entry.wrote.iter();
                let written = written.filter_map(|file| crate::chain::note_of(&file.1));
                match about.is_in(&line) {
                    true => about.notes.extend(written),
                    false if about.is_perhaps_in(&line) => about.made.extend(written),
                    false => {}
                }
            }
            Ok(())
        })?;
        Ok(about)
    }

    /// Shows what fits: by what stands in clear, and by what is inside.
    pub(super) fn show(
        &self,
        outside: &dyn Fn(&Entry) -> bool,
        inside: &dyn Fn(&Opened) -> bool,
        limit: Option<usize>,
        show: Show<'_>,
    ) -> Result<Answered, Error> {
        let logs = self.reading.logs().len();
        let mut answered = Answered {
            shown: 0,
            own: self.own,
            logs,
            perhaps: 0,
            closed: 0,
        };
        let mut newest = VecDeque::new();
        self.reading.each::<Error>(&mut |line| {
            if !outside(&line.entry) {
                return Ok(());
            }
            if !inside(&line) {
                answered.closed += u64::from(line.details.is_none());
                return Ok(());
            }
            match limit {
                None => {
                    answered.shown += 1;
                    show(logs, self.line(line))
                }
                Some(limit) => {
                    newest.push_back(line);
                    if newest.len() > limit {
                        newest.pop_front();
                    }
                    Ok(())
                }
            }
        })?;
        for line in newest {
            answered.shown += 1;
            show(logs, self.line(line))?;
        }
        Ok(answered)
    }
}

impl LogLine {
    /// The entry in a word or two: `show`, `brief release`; `sealed` for a read whose details do not open.
    pub fn verb(&self) -> &str {
        verb(&self.entry, self.details.as_ref())
    }

    /// `done`, `denied` or `failed`.
    pub fn result(&self) -> &'static str {
        outcome(self.entry.result)
    }

    /// The entry as JSON, with its details in the place of `sealed`'s content where they opened.
    pub fn to_json(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(&self.entry).unwrap_or_default();
        value["entry"] = self.entry.place().to_string().into();
        value["handle"] = self.actor.clone().into();
        if let Some(details) = &self.details {
            value["details"] = serde_json::json!({
                "verb": details.verb,
                "level": self.level,
                "purpose": details.purpose,
                "reason": details.reason,
                "client": details.client,
                "recipients": details.recipients,
                "rules": details.rules,
                "notes": self.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "asked": details.asked,
                "left": details.left.map(|digest| digest.to_string()),
                "times": details.times,
                "laggards": details.laggards,
            });
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_found_among_several_and_as_a_whole_name() {
        for (wanted, said, found) in [
            ("halcyon", "Halcyon", true),
            ("halcyon", "Grey Orchard, Halcyon, Zeta", true),
            ("halcyon", "Halcyon Two, Zeta", false),
            ("smith, jones", "Alba, Smith, Jones", true),
            ("", "Halcyon", false),
        ] {
            assert_eq!(is_named(wanted, said), found, "{wanted} in {said}");
        }
    }

    #[test]
    fn a_client_that_is_not_named_is_there_perhaps() {
        let (one, other, made) = (NoteId([1; 16]), NoteId([2; 16]), NoteId([3; 16]));
        let about = About {
            client: Some("halcyon".to_owned()),
            known: BTreeSet::from([one]),
            made: BTreeSet::from([made]),
            ..About::default()
        };
        for (said, notes, perhaps) in [
            (Some("Alba, Zeta, and 3 others"), &[one, other][..], true),
            (Some("Alba, Zeta, and 3 others"), &[one], false),
            (Some("Alba, Zeta"), &[one, other], false),
            (None, &[other], false),
            (Some("Zeta"), &[made], true),
        ] {
            assert_eq!(about.is_perhaps_among(said, notes), perhaps, "{said:?}");
        }
        assert!(!About::default().is_perhaps_among(Some("Alba, and 3 others"), &[other]));
    }

    /// The words that entries are made with, as the code has them.
    fn verbs_in(folder: &std::path::Path, found: &mut BTreeSet<String>) {
        const BEFORE: [&str; 7] = [
            "details(\"",
            "Details::new(\"",
            ".verb = \"",
            "verb: \"",
            "AuditLog, \"",
            "AuditWho, \"",
            "AuditReport, \"",
        ];
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "tests") {
                verbs_in(&path, found);
            }
            if path.extension().is_none_or(|ext| ext != "rs") || path.ends_with("tests.rs") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
            for before in BEFORE {
                let places = code.split(before).skip(1);
                found.extend(places.map(|rest| rest.split('"').next().unwrap().to_owned()));
            }
        }
    }

    #[test]
    fn every_action_of_an_entry_can_be_asked_for() {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = BTreeSet::from(["list".to_owned(), "search".to_owned()]);
        for room in ["app", "ledger"] {
            verbs_in(&source.join(room), &mut found);
        }
        found.remove("");
        assert!(found.len() > 30, "{found:?}");
        for verb in found {
            assert!(VERBS.contains(&verb.as_str()), "{verb}");
        }
        let kinds = "acknowledge begin add revise relabel destroy attach draft release card policy key request approve break-glass \
                     review conflict hold lift unlock-failed withdraw";
        for kind in kinds.split(' ').chain(["brief", "audit", " show ", "sealed"]) {
            assert!(check_action(kind).is_ok(), "{kind}");
        }
        for bad in ["", "shwo", "sho", "brief rel"] {
            assert_eq!(check_action(bad).unwrap_err().kind, Kind::Usage, "{bad}");
        }
    }

    #[test]
    fn a_period_has_its_beginning_and_not_its_end() {
        let at = Time::from_unix;
        for (time, within) in [(9, false), (10, true), (19, true), (20, false)] {
            assert_eq!(in_period(Some(at(10)), Some(at(20)), at(time)), within, "{time}");
        }
        assert!(in_period(None, None, at(0)));
    }
}
