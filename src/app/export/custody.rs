//! Who had these notes in hand: what the log says of them, as far as whoever exports may know it.

use super::super::answers::{is_beginning, is_sight};
use super::super::context::Desk;
use super::super::error::{Error, Kind};
use super::super::table::csv_row;
use crate::chain::{Details, Entry, Kind as EntryKind, Outcome, note_and_digest};
use crate::id::{Digest, EntryRef, NoteId, PersonId};
use crate::label::{Label, Level};
use crate::ledger::{Opened, Recorded};
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts};
use std::collections::{BTreeMap, BTreeSet};

/// The columns of the table.
const COLUMNS: [&str; 11] = [
    "entry", "time", "who", "person", "result", "kind", "action", "purpose", "reason", "to", "notes",
];

/// What the log says of some notes, and of the drafts and briefs that were made of them.
pub(super) struct Custody {
    /// The entries that concern them, by time.
    entries: Vec<Held>,
    /// Which entry wrote a body, and when.
    wrote: BTreeMap<(NoteId, Digest), (EntryRef, String)>,
    /// Whether whoever asks oversees the log, or sees their own entries alone.
    pub(super) oversees: bool,
    /// How many reads, drafts and releases do not open for them, so that nobody can say whether they concern these notes.
    pub(super) closed: u64,
    /// How many of what was done and does not open for them may have given something of these notes out, or made what was.
    pub(super) unopened: u64,
}

/// An entry that concerns some of the notes.
struct Held {
    entry: Entry,
    who: String,
    details: Option<Details>,
    notes: BTreeSet<NoteId>,
}

impl Desk<'_> {
    /// Reads the log for what it says of `notes`. Who may not oversee it learns of others what stands in clear: which
    /// entries wrote files of these notes.
    pub(super) fn custody(&mut self, notes: &BTreeSet<NoteId>, recorded: &Recorded) -> Result<Custody, Error> {
        let public = Label::new(Level::Public, []).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))?;
        let log = ResourceFacts::new(ThingKind::Log, public);
        let oversees = matches!(self.decide(Action::AuditWho, log), Decision::Permitted(_));
        let roster = &self.ledger.charter().roster;
        let handles: BTreeMap<PersonId, String> = roster
            .cards()
            .iter()
            .map(|card| (card.person, card.handle.clone()))
            .collect();
        let me = self.identity.person();
        let mut custody = Custody {
            entries: Vec::new(),
            wrote: BTreeMap::new(),
            oversees,
            closed: 0,
            unopened: 0,
        };
        // The notes, and from each on what was made of them.
        let mut about = notes.clone();
        self.ledger.reading(recorded)?.each::<Error>(&mut |line| {
            let may_open = oversees || roster.person_of(line.entry.log.device) == Some(me);
            let (concerned, details) = concerned(&line, &about, may_open);
            let files = line.entry.wrote.iter().filter(|file| file.0.starts_with("notes/"));
            let files: Vec<(NoteId, Digest)> = files.filter_map(|file| note_and_digest(&file.1)).collect();
            for at in files.iter().filter(|(note, _)| notes.contains(note)) {
                let by = || (line.entry.place(), line.entry.time.to_string());
                custody.wrote.entry(*at).or_insert_with(by);
            }
            if matches!(line.entry.kind, Some(EntryKind::Draft | EntryKind::Release)) && !concerned.is_empty() {
                about.extend(files.iter().map(|(note, _)| *note));
            }
            if details.is_none() {
                let lost = concerned.is_empty() && may_be_lost(line.entry.kind);
                let gave = lost || line.entry.kind == Some(EntryKind::Release);
                custody.closed += u64::from(lost);
                custody.unopened += u64::from(gave && line.entry.result == Outcome::Done);
            }
            if !concerned.is_empty() {
                let who = handles.get(&line.entry.actor).cloned();
                custody.entries.push(Held {
                    who: who.unwrap_or_else(|| line.entry.actor.to_string()),
                    details,
                    entry: line.entry,
                    notes: concerned,
                });
            }
            Ok(())
        })?;
        Ok(custody)
    }
}

/// Whether an entry of that kind may concern notes without a word of it in clear. Of which notes a draft was made stands in its
/// details alone; without them the release that follows leads to no note either.
fn may_be_lost(kind: Option<EntryKind>) -> bool {
    matches!(kind, None | Some(EntryKind::Draft | EntryKind::Release))
}

/// Which of the notes an entry concerns, and its details if they are for whoever reads.
fn concerned(line: &Opened, notes: &BTreeSet<NoteId>, may_open: bool) -> (BTreeSet<NoteId>, Option<Details>) {
    let details = line.details.clone().filter(|_| may_open);
    let files = line.entry.wrote.iter().chain(&line.entry.forgot);
    let in_clear = files
        .filter(|file| file.0.starts_with("notes/"))
        .filter_map(|file| crate::chain::note_of(&file.1));
    let mut found: BTreeSet<NoteId> = in_clear.collect();
    if let Some(details) = &details {
        found.extend(&line.notes);
        // Who asked for a note that is not there for them left nothing but what they typed.
        let asked = details.asked.as_deref().filter(|asked| is_beginning(asked));
        if let Some(asked) = asked.filter(|_| line.entry.result == Outcome::Denied && line.notes.is_empty()) {
            found.extend(notes.iter().filter(|note| note.to_string().starts_with(asked)));
        }
    }
    (found.intersection(notes).copied().collect(), details)
}

impl Custody {
    /// The entry that wrote a body, and when it says it was.
    pub(super) fn written(&self, note: NoteId, body: Digest) -> Result<&(EntryRef, String), Error> {
        self.wrote.get(&(note, body)).ok_or_else(|| {
            Error::new(
                Kind::Tampered,
                format!("the log has no entry that wrote what note {note} holds; nothing was written"),
            )
            .hint("`strongroom audit verify` says what is wrong")
        })
    }

    /// Where the entries stand.
    pub(super) fn places(&self) -> BTreeSet<EntryRef> {
        self.entries.iter().map(|held| held.entry.place()).collect()
    }

    /// Who saw something of them, when, doing what and what for: a row each, people called as `call` says.
    pub(super) fn sights(&self, mut call: impl FnMut(&Entry, &str) -> String) -> String {
        let mut table = csv_row(["time", "who", "action", "purpose"]);
        for held in self.entries.iter().filter(|held| held.entry.result == Outcome::Done) {
            let Some(details) = held.details.as_ref().filter(|_| is_sight(&held.entry)) else {
                continue;
            };
            table.push_str(&csv_row([
                held.entry.time.to_string().as_str(),
                call(&held.entry, &held.who).as_str(),
                details.verb.as_str(),
                details.purpose.as_deref().unwrap_or_default(),
            ]));
        }
        table
    }

    /// To whom something of them was given out of the vault, as far as it opened: a row for each recipient, called as `call`
    /// says, and how many rows.
    pub(super) fn disclosures(&self, call: impl Fn(&str) -> Result<String, Error>) -> Result<(String, usize), Error> {
        let (mut table, mut rows) = (csv_row(["time", "to", "what", "purpose", "sha256"]), 0);
        for held in self.entries.iter().filter(|held| held.entry.result == Outcome::Done) {
            let Some((details, left)) = held.details.as_ref().and_then(|details| Some((details, details.left?))) else {
                continue;
            };
            let mut to: Vec<&str> = details.recipients.iter().map(String::as_str).collect();
            match details.verb.as_str() {
                _ if !to.is_empty() => {}
                "export notes" | "export pack" => to.push("nobody was named"),
                "export subject" => to.push("the person concerned"),
                // What was taken out stayed with whoever took it.
                _ => continue,
            }
            for to in to {
                rows += 1;
                table.push_str(&csv_row([
                    held.entry.time.to_string().as_str(),
                    call(to)?.as_str(),
                    details.verb.as_str(),
                    details.purpose.as_deref().unwrap_or_default(),
                    left.to_string().as_str(),
                ]));
            }
        }
        Ok((table, rows))
    }

    /// As a table.
    pub(super) fn table(&self) -> String {
        let mut table = csv_row(COLUMNS);
        for Held {
            entry,
            who,
            details,
            notes,
        } in &self.entries
        {
            let told = |of: fn(&Details) -> Option<&str>| details.as_ref().and_then(of).unwrap_or_default();
            let recipients = details
                .iter()
                .flat_map(|details| details.recipients.iter().map(String::as_str));
            let notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
            table.push_str(&csv_row([
                entry.place().to_string().as_str(),
                entry.time.to_string().as_str(),
                who,
                entry.actor.to_string().as_str(),
                match entry.result {
                    Outcome::Done => "done",
                    Outcome::Denied => "denied",
                    Outcome::Failed => "failed",
                },
                entry.kind.map_or("", EntryKind::name),
                details.as_ref().map_or("sealed", |details| details.verb.as_str()),
                told(|details| details.purpose.as_deref()),
                told(|details| details.reason.as_deref()),
                recipients.collect::<Vec<_>>().join("; ").as_str(),
                notes.join(" ").as_str(),
            ]));
        }
        table
    }
}
