//! The auditor's report: made of the log, given out once that is on record, and checked without any key.

use super::answers::{Overseen, in_period};
use super::audit::local_mark;
use super::context::{Context, short};
use super::error::{Error, Kind};
use super::proofs::witness_key;
use crate::chain::{Entry, Kind as EntryKind, Outcome, Receipt, Time, note_of};
use crate::crypto::sha256;
use crate::id::{Digest, EntryRef, LogName, NoteId, PersonId};
use crate::label::Level;
use crate::ledger::{Anchors, Compared, Draft, Opened, Report, compare};
use crate::policy::{Action, PolicySet};
use crate::repo::{Repo, Settings};
use crate::report::{
    BadReport, Basis, LOOK, LogAt, REPORT_MAX, ROWS_MAX, ReceiptAt, Row, Verdict, Verified, read, render,
};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The largest receipt or key file that is read, in bytes.
const GIVEN_MAX: u64 = 1 << 20;
/// The most clients that one entry is counted for.
const CLIENTS_MAX: usize = 64;

/// What a report is asked for.
pub struct ReportQuery {
    /// The new file.
    pub out: PathBuf,
    /// Only entries at or after.
    pub since: Option<Time>,
    /// Only entries before.
    pub until: Option<Time>,
    /// Working hours, UTC: from, and before.
    pub hours: (u8, u8),
    /// A receipt to compare with.
    pub receipt: Option<PathBuf>,
    /// Witnesses who are believed.
    pub witness_keys: Vec<PathBuf>,
}

/// A report that was made.
pub struct MadeReport {
    /// The verdict in it.
    pub verdict: crate::ledger::Verdict,
    /// Whether it was compared with anything from outside or with this device's memory.
    pub anchored: bool,
    /// How many entries it is made of.
    pub entries: usize,
    /// How many of them did not open.
    pub closed: usize,
    /// Digest of what it was made of.
    pub digest: Digest,
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// The entry of its being given out.
    pub entry: EntryRef,
}

/// Makes a report. The log is read under one entry, and the file is there once a second one has its digest.
pub fn make_report(context: &Context<'_>, query: &ReportQuery) -> Result<MadeReport, Error> {
    let receipt = match &query.receipt {
        None => None,
        Some(path) => Some(Receipt::find(&given(context, path, GIVEN_MAX)?)?),
    };
    let witnesses: Vec<_> = query
        .witness_keys
        .iter()
        .map(|path| witness_key(path, &given(context, path, GIVEN_MAX)?))
        .collect::<Result<_, _>>()?;
    let mut new = context.person.create(&query.out)?;
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let period = [
        query.since.map(|time| format!("since {time}")),
        query.until.map(|time| format!("until {time}")),
    ];
    let period: Vec<String> = period.into_iter().flatten().collect();
    let overseen = desk.overseen(Action::AuditReport, "report-read", period.clone())?;
    drop(desk);
    let mark = local_mark(context, &unlocked.repo)?;
    let anchors = Anchors {
        receipt: receipt.as_ref(),
        high_water: mark.as_ref(),
        witnesses: &witnesses,
        now: context.now(),
        deep: false,
    };
    let verified = crate::ledger::verify(&unlocked.repo, &anchors)?;
    let logs = overseen.reading.logs().iter();
    let basis = Basis {
        v: 1,
        look: LOOK,
        vault: unlocked.identity.vault(),
        made: context.now(),
        by: overseen.handle(unlocked.identity.person()),
        entry: overseen.entry,
        since: query.since,
        until: query.until,
        hours: query.hours,
        levels: Level::ALL.into_iter().map(|level| overseen.level(level)).collect(),
        verified: in_report(&verified, receipt.as_ref(), mark.is_some())?,
        logs: logs
            .map(|read| LogAt {
                log: read.log,
                size: read.size,
                root: read.root,
            })
            .collect(),
        rows: rows(&overseen, query)?,
    };
    let page = render(&basis);
    let sha256 = sha256(&[page.as_bytes()]);
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("audit report");
    details.left = Some(sha256);
    details.rules = overseen.rules;
    let asked = std::iter::once(format!("digest {}", basis.digest())).chain(period);
    details.asked = Some(short(asked.collect::<Vec<_>>().join(" / ")));
    let recorded = desk.record(Draft::read(details, Vec::new()))?;
    let written = new.file().write_all(page.as_bytes());
    written.map_err(|error| Error::new(Kind::Failed, format!("the report cannot be written: {error}")))?;
    new.keep()?;
    Ok(MadeReport {
        verdict: verified.verdict,
        anchored: verified.anchored,
        entries: basis.rows.len(),
        closed: basis.rows.iter().filter(|row| row.verb.is_none()).count(),
        digest: basis.digest(),
        sha256,
        entry: recorded.entry(),
    })
}

/// A file of the person's.
pub(super) fn given(context: &Context<'_>, path: &Path, max: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = context.person.open(path)?.take(max + 1).read_to_end(&mut bytes);
    read.map_err(|error| Error::new(Kind::Failed, format!("`{}` cannot be read: {error}", path.display())))?;
    match bytes.len() as u64 > max {
        true => Err(Error::new(
            Kind::Failed,
            format!(
                "`{}` is larger than {max} bytes, which nothing of the kind is",
                path.display()
            ),
        )),
        false => Ok(bytes),
    }
}

/// What the verifier found, for the report.
fn in_report(verified: &Report, receipt: Option<&Receipt>, device: bool) -> Result<Verified, Error> {
    let missing = || Error::new(Kind::Unknown, "this vault has no roster that could be reported");
    let mut witnesses: BTreeMap<String, Time> = BTreeMap::new();
    for known in &verified.cosigned {
        let last = witnesses.entry(known.witness.clone()).or_insert(known.time);
        *last = known.time.max(*last);
    }
    let words = |problem: &crate::chain::Problem| {
        let place = match (problem.log, problem.seq) {
            (Some(log), Some(seq)) => format!(" {log}:{seq}"),
            (Some(log), None) => format!(" {log}"),
            _ => String::new(),
        };
        format!("[{}]{place} {}", problem.case, problem.message)
    };
    Ok(Verified {
        verdict: match verified.verdict {
            crate::ledger::Verdict::Intact => Verdict::Intact,
            crate::ledger::Verdict::Tampered => Verdict::Tampered,
            crate::ledger::Verdict::Unknown => Verdict::Unknown,
        },
        receipt: receipt.map(|receipt| ReceiptAt {
            time: receipt.time,
            digest: sha256(&[receipt.to_text().as_bytes()]),
        }),
        device,
        witnesses: witnesses.into_iter().collect(),
        founder: verified.founder.ok_or_else(missing)?,
        roster: verified.roster.ok_or_else(missing)?,
        problems: verified.told().iter().map(words).collect(),
        findings: verified.findings.iter().map(words).collect(),
    })
}

/// The entries of the period. Whose a note is stands where an entry is about it alone, at whatever time.
fn rows(overseen: &Overseen<'_>, query: &ReportQuery) -> Result<Vec<Row>, Error> {
    let mut clients: BTreeMap<NoteId, String> = BTreeMap::new();
    let mut count = 0;
    overseen.reading.each::<Error>(&mut |line| {
        count += usize::from(in_period(query.since, query.until, line.entry.time));
        let said = line.details.as_ref().and_then(|details| details.client.as_ref());
        if let (Some(client), [note]) = (said, line.notes.as_slice()) {
            clients.insert(*note, client.clone());
        }
        // What is made of notes is about whom the first of them is about.
        if matches!(line.entry.kind, Some(EntryKind::Draft | EntryKind::Release)) {
            let of = line.notes.iter().find_map(|note| clients.get(note)).cloned();
            let made = line.entry.wrote.iter().filter_map(|file| note_of(&file.1));
            if let Some(of) = of {
                for note in made {
                    clients.entry(note).or_insert_with(|| of.clone());
                }
            }
        }
        Ok(())
    })?;
    if count > ROWS_MAX {
        return Err(Error::new(
            Kind::Usage,
            format!("there are {count} entries, and a report is made of at most {ROWS_MAX}"),
        )
        .hint("take a shorter time with --since and --until; nothing was written"));
    }
    let mut rows = Vec::with_capacity(count);
    overseen.reading.each::<Error>(&mut |line| {
        if in_period(query.since, query.until, line.entry.time) {
            rows.push(row(overseen, &clients, line));
        }
        Ok(())
    })?;
    Ok(rows)
}

fn row(overseen: &Overseen<'_>, clients: &BTreeMap<NoteId, String>, line: Opened) -> Row {
    let Opened { entry, details, notes } = line;
    let about = match (released(&entry), notes.as_slice()) {
        (Some(brief), _) => Some(brief),
        (None, [note]) => Some(*note),
        (None, _) => None,
    };
    let of: BTreeSet<&String> = notes.iter().filter_map(|note| clients.get(note)).collect();
    let said = details.as_ref().and_then(|details| details.client.clone());
    let clients = match of.is_empty() {
        true => said.into_iter().collect(),
        false => of.into_iter().take(CLIENTS_MAX).cloned().collect(),
    };
    let who = overseen.handle(entry.actor);
    let verb = details.as_ref().map(|details| details.verb.clone());
    let details = details.unwrap_or_else(|| crate::chain::Details::new(""));
    Row {
        at: entry.place(),
        time: entry.time,
        actor: entry.actor,
        who,
        result: entry.result,
        kind: entry.kind,
        verb,
        level: details.level.map(Level::number),
        purpose: details.purpose,
        reason: details.reason,
        clients,
        recipients: details.recipients,
        asked: details.asked,
        rules: details.rules,
        notes: notes.len() as u64,
        about,
        left: details.left,
    }
}

/// The brief that an entry released.
fn released(entry: &Entry) -> Option<NoteId> {
    let wrote = (entry.kind == Some(EntryKind::Release)).then_some(&entry.wrote)?;
    wrote.iter().find_map(|file| note_of(&file.1))
}

/// A report that holds.
pub struct CheckedReport {
    /// What it was made of.
    pub basis: Basis,
    /// SHA-256 of the file, which the entry of its being given out holds.
    pub sha256: Digest,
}

/// Checks that what a report shows follows from what it was made of, and compares that with the vault: sizes and roots of
/// the logs, of each entry what stands in clear, how its people and levels were called, and its members' cards. What was
/// sealed, and what the maker held the log against, nobody can compare here. Needs no identity and writes nothing.
pub fn check_report(context: &Context<'_>, file: &Path) -> Result<CheckedReport, Error> {
    let bytes = given(context, file, REPORT_MAX as u64)?;
    let basis = read(&bytes)?;
    let repo = Repo::open_to_verify(&context.places.vault(), Settings::of_this_run()).map_err(|_| {
        unknown("there is no vault here to compare it with, and anybody can make one up".to_owned())
            .hint("name a copy of the vault with --vault DIR; no key is needed")
    })?;
    let vault = crate::ledger::vault_id(&repo);
    if vault.as_ref().ok() != Some(&basis.vault) {
        let here = vault.map_or_else(|_| "another".to_owned(), |vault| vault.to_string());
        return Err(unknown(format!("it is of vault {}, and here is {here}", basis.vault))
            .hint("name a copy of its vault with --vault DIR; no key is needed"));
    }
    let mark = local_mark(context, &repo)?;
    let anchors = Anchors {
        receipt: None,
        high_water: mark.as_ref(),
        witnesses: &[],
        now: context.now(),
        deep: false,
    };
    let heads: Vec<(LogName, u64, Digest)> = basis.logs.iter().map(|at| (at.log, at.size, at.root)).collect();
    let mut told = Told::of(&basis);
    let compared = compare(&repo, &anchors, &heads, &mut |entry| told.entry(entry))?;
    if let Some(log) = compared.differing.first() {
        return Err(tampered(format!(
            "the report and the vault do not agree: log {log} had another root at that size; one of them was changed"
        )));
    }
    match compared.report.verdict {
        crate::ledger::Verdict::Tampered => {
            return Err(
                tampered("the vault that the report is compared with is not intact".to_owned())
                    .hint("`strongroom audit verify` says what is wrong"),
            );
        }
        crate::ledger::Verdict::Unknown => {
            return Err(unknown("the vault cannot be judged".to_owned())
                .hint("`strongroom audit verify` says what could not be read"));
        }
        crate::ledger::Verdict::Intact => {}
    }
    if let Some(log) = compared.lacking.first() {
        return Err(unknown(format!(
            "it knows more of log {log} than the vault here has: this is an older copy, or the report is made up"
        )));
    }
    if let Some(place) = told.wrong() {
        return Err(tampered(format!(
            "the report does not tell entry {place} as it stands in the vault: it was changed, or made by another program"
        )));
    }
    compare_names(&basis, told.read.as_ref(), &compared)?;
    Ok(CheckedReport {
        basis,
        sha256: sha256(&[&bytes]),
    })
}

fn tampered(message: String) -> Error {
    Error::new(Kind::Tampered, message)
}

fn unknown(why: String) -> Error {
    Error::new(Kind::Unknown, format!("the report is whole, but {why}"))
}

/// Compares how a report calls people and levels, and which cards it names, with the cards and policies by which it was
/// made: those of the entry under which the log was `read` for it. What it tells of each entry agrees already.
fn compare_names(basis: &Basis, read: Option<&Entry>, compared: &Compared) -> Result<(), Error> {
    let otherwise = |what: &str| tampered(format!("{what}: it was changed, or made by another program"));
    let Some(read) = read.filter(|entry| entry.result == Outcome::Done && entry.kind.is_none()) else {
        let words = format!(
            "entry {}, under which the report says the log was read for it, read nothing",
            basis.entry
        );
        return Err(otherwise(&words));
    };
    let Some(roster) = &compared.roster else {
        return Err(unknown("the members of the vault cannot be read".to_owned()));
    };
    if basis.verified.founder != roster.founder() {
        return Err(otherwise("the report names another founder than the vault has"));
    }
    // A card that another lead's replaced later is not of the chain any more.
    if !roster.contains(basis.verified.roster) && basis.verified.roster != read.roster {
        return Err(otherwise("the report names members' cards that the vault never had"));
    }
    let (cards, known) = match roster.cards_until(read.roster) {
        Some(cards) => (cards, true),
        None => (roster.cards(), false),
    };
    let is_called = |person: PersonId, said: &str| {
        let mut theirs = cards.iter().rev().filter(|card| card.person == person);
        match known {
            true => match theirs.next() {
                Some(card) => card.handle == said,
                None => person.to_string() == said,
            },
            false => theirs.any(|card| card.handle == said),
        }
    };
    let mut called = basis.rows.iter().map(|row| (row.at, row.actor, row.who.as_str()));
    let wrong = called.find(|(_, person, said)| !is_called(*person, said));
    let maker = (basis.entry, read.actor, basis.by.as_str());
    match wrong.or(Some(maker).filter(|(_, person, said)| !is_called(*person, said))) {
        None => {}
        Some(_) if !known => {
            return Err(unknown(
                "the cards that were in force when it was made were taken back since, so how people were called then \
                 cannot be compared"
                    .to_owned(),
            ));
        }
        Some((place, ..)) => {
            return Err(otherwise(&format!(
                "the report calls whoever made entry {place} otherwise than the vault did"
            )));
        }
    }
    let policies = compared.policies.as_ref();
    let Some(policies) = policies.filter(|policies| policies.digest() == read.policies) else {
        // What levels were called before the policies changed is not in the vault's files any more.
        return Ok(());
    };
    let policies = PolicySet::load_trusted(policies.clone())?;
    let levels = Level::ALL.map(|level| policies.levels().rules(level).name.as_str());
    match basis.levels.iter().map(String::as_str).eq(levels) {
        true => Ok(()),
        false => Err(otherwise(
            "the report calls levels otherwise than the vault's policies do",
        )),
    }
}

/// What a report tells of entries, compared with what stands in clear.
struct Told<'b> {
    basis: &'b Basis,
    rows: BTreeMap<EntryRef, &'b Row>,
    wrong: Option<EntryRef>,
    /// The entry under which the log was read for it.
    read: Option<Entry>,
}

impl<'b> Told<'b> {
    fn of(basis: &'b Basis) -> Self {
        Self {
            basis,
            rows: basis.rows.iter().map(|row| (row.at, row)).collect(),
            wrong: None,
            read: None,
        }
    }

    /// Every entry of the period stands in the report, and no other.
    fn entry(&mut self, entry: &Entry) {
        if entry.place() == self.basis.entry {
            self.read = Some(entry.clone());
        }
        let row = self.rows.remove(&entry.place());
        let right = match (row, in_period(self.basis.since, self.basis.until, entry.time)) {
            (None, within) => !within,
            (Some(_), false) => false,
            (Some(row), true) => {
                let brief = released(entry);
                (row.time, row.actor, row.result, row.kind) == (entry.time, entry.actor, entry.result, entry.kind)
                    && (brief.is_none() || row.about == brief)
            }
        };
        if !right {
            self.wrong.get_or_insert(entry.place());
        }
    }

    fn wrong(&self) -> Option<EntryRef> {
        self.wrong.or_else(|| self.rows.keys().next().copied())
    }
}

impl From<BadReport> for Error {
    fn from(bad: BadReport) -> Self {
        let kind = match bad {
            BadReport::OtherFile => Kind::Failed,
            BadReport::Changed | BadReport::DoesNotFollow => Kind::Tampered,
            BadReport::OtherLook => Kind::Unknown,
        };
        Self::new(kind, bad.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in clear of an entry that a report tells.
    fn as_entry(row: &Row) -> Entry {
        Entry {
            actor: row.actor,
            admitted: None,
            because: None,
            detail: crate::id::KeyId([3; 8]),
            forgot: Vec::new(),
            held: Vec::new(),
            joined: Vec::new(),
            kind: row.kind,
            log: row.at.log,
            matter: None,
            policies: Digest([0; 32]),
            prev: Digest([0; 32]),
            result: row.result,
            roster: Digest([0; 32]),
            sealed: String::new(),
            seen: BTreeMap::new(),
            seq: row.at.seq,
            time: row.time,
            v: 1,
            wrote: match (row.kind, row.about) {
                (Some(EntryKind::Release), Some(brief)) => {
                    let digest = Digest([0; 32]);
                    let path = format!("{brief}.{digest}");
                    vec![crate::chain::FileRef(crate::ledger::note_ref(brief), path, digest)]
                }
                _ => Vec::new(),
            },
        }
    }

    #[test]
    fn a_report_leaves_no_entry_out_and_tells_none_otherwise() {
        let basis = crate::report::tests::example();
        let entries: Vec<Entry> = basis.rows.iter().map(as_entry).collect();
        let wrong = |basis: &Basis| {
            let mut told = Told::of(basis);
            entries.iter().for_each(|entry| told.entry(entry));
            told.wrong().map(|place| place.seq)
        };
        assert_eq!(wrong(&basis), None);
        let changed = |change: fn(&mut Basis)| {
            let mut basis = basis.clone();
            change(&mut basis);
            wrong(&basis)
        };
        assert_eq!(changed(|basis| drop(basis.rows.remove(2))), Some(2));
        assert_eq!(
            changed(|basis| basis.rows[1].result = crate::chain::Outcome::Failed),
            Some(1)
        );
        assert_eq!(
            changed(|basis| basis.rows[1].actor = crate::id::PersonId([9; 8])),
            Some(1)
        );
        assert_eq!(changed(|basis| basis.rows[3].time = Time::from_unix(0)), Some(3));
        assert_eq!(changed(|basis| basis.rows[3].kind = Some(EntryKind::Add)), Some(3));
        assert_eq!(changed(|basis| basis.rows[3].at.seq = 99), Some(3));
        assert_eq!(changed(|basis| basis.rows[5].about = Some(NoteId([9; 16]))), Some(5));
        assert_eq!(changed(|basis| basis.since = Some(basis.made)), Some(0));
    }
}
