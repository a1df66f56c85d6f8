//! What witnesses cosigned, against the vault and against what they cosigned before (docs/FORMAT.md §13).
//!
//! A branch of a witness is unsigned and anybody may push to it: only cosignatures count that hold under a key that
//! was given from outside. Those of other witnesses are looked at for their form alone.

use super::error::LedgerError;
use super::merge::each_object;
use super::objects::{Objects, WITNESS};
use super::verify::{Facts, HISTORY, Tally};
use super::verify_anchors::other_history;
use super::verify_files::tree_files;
use super::verify_forks::Forks;
use super::verify_log::Found;
use super::view::View;
use crate::chain::{BadCosignature, CosignedCheckpoint, Entry, NoteKey, Problem, Time};
use crate::id::{Digest, LogName};
use crate::repo::{Commit, Kind, Mode, Object, Oid, ReadError, TreeEntry, parse_tree};
use std::collections::{BTreeMap, BTreeSet};

/// The largest checkpoint with cosignatures, in bytes.
pub(super) const COSIGNED_MAX: u64 = 512 << 10;

/// Of how many logs a witness cosigns checkpoints at most.
const COSIGNED_LOGS_MAX: usize = 1 << 12;

/// How far a witness has cosigned a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosigned {
    /// The witness, by the name of its key.
    pub witness: String,
    /// The log.
    pub log: LogName,
    /// Number of its entries then.
    pub size: u64,
    /// When, by the witness's word.
    pub time: Time,
}

/// A cosignature that holds.
struct Statement {
    witness: String,
    time: Time,
    size: u64,
    root: Digest,
}

/// All cosignatures that hold, and where the walk over a log stands among them.
#[derive(Default)]
pub(super) struct Witnessed {
    statements: BTreeMap<LogName, Vec<Statement>>,
    /// For the log being walked: up to which size, and before which time, its entries must be dated; in order.
    limits: Vec<(u64, Time, String)>,
    reported: bool,
}

impl Witnessed {
    /// Reads the branches of all witnesses.
    pub(super) fn collect(
        view: &View<'_>,
        witnesses: &[NoteKey],
        facts: &Facts,
        deep: bool,
        tally: &mut Tally,
    ) -> Self {
        let mut witnessed = Self::default();
        for (branch, oid) in view.branches.iter().filter(|(name, _)| name.starts_with(WITNESS)) {
            let mut form = Tally::default();
            verify_form(view, branch, *oid, facts, &mut form);
            // Whoever may push to it can name any log there.
            tally.absorb(form.of_no_log());
        }
        for witness in witnesses {
            if facts.is_device_key(witness) {
                let message = format!(
                    "the key of the witness `{}` is a device's of this vault: nobody is their own witness",
                    witness.name()
                );
                tally.problem(Problem::vault(31, message));
                continue;
            }
            let found = statements(view, witness, facts, deep, tally);
            if found.is_empty() {
                let message = format!(
                    "the witness `{}`, whose key was given, has cosigned nothing in this vault",
                    witness.name()
                );
                tally.finding(Problem::vault(31, message));
            }
            for (log, statements) in found {
                never_back(log, &statements, tally);
                witnessed.statements.entry(log).or_default().extend(statements);
            }
        }
        for statements in witnessed.statements.values_mut() {
            statements.sort_by_key(|statement| (statement.size, statement.time));
        }
        witnessed
    }

    /// Begins the walk over a log; the sizes at which its root must be known.
    pub(super) fn begin(&mut self, log: LogName) -> Vec<u64> {
        let statements = self.statements.get(&log).map(Vec::as_slice).unwrap_or_default();
        (self.limits, self.reported) = (Vec::new(), false);
        // What covers many entries covers the few before them too: the earliest time counts.
        for statement in statements.iter().rev() {
            let later = self.limits.last().is_some_and(|(_, time, _)| *time <= statement.time);
            if !later {
                self.limits
                    .push((statement.size, statement.time, statement.witness.clone()));
            }
        }
        statements.iter().map(|statement| statement.size).collect()
    }

    /// The next entry of the log: it is no later than the cosignatures that cover it.
    pub(super) fn entry(&mut self, entry: &Entry, tally: &mut Tally) {
        while self.limits.pop_if(|(size, ..)| *size <= entry.seq).is_some() {
            self.reported = false;
        }
        if let Some((size, time, witness)) = self.limits.last()
            && entry.time > *time
            && !std::mem::replace(&mut self.reported, true)
        {
            let message = format!(
                "entry {} is dated {}, and the witness `{witness}` cosigned the first {size} entries at {time}",
                entry.seq, entry.time
            );
            tally.finding(Problem::at(entry.log, entry.seq, 22, message));
        }
    }

    /// Compares what was cosigned with the logs as they are; none if nothing was.
    pub(super) fn settle(
        self,
        view: &View<'_>,
        found: &BTreeMap<LogName, Found>,
        forks: &Forks,
        tally: &mut Tally,
    ) -> Option<Vec<Cosigned>> {
        let mut newest: BTreeMap<(String, LogName), Cosigned> = BTreeMap::new();
        for (log, statements) in &self.statements {
            let sizes = statements.iter().map(|known| known.size).collect();
            let other = forks.roots(view, *log, &sizes);
            let left = statements
                .iter()
                .filter(|known| !other.contains(&(known.size, known.root)));
            compare(*log, &left.collect::<Vec<_>>(), found.get(log), tally);
            for Statement {
                witness, time, size, ..
            } in statements
            {
                let (witness, log, size, time) = (witness.clone(), *log, *size, *time);
                let key = (witness.clone(), log);
                newest.insert(
                    key,
                    Cosigned {
                        witness,
                        log,
                        size,
                        time,
                    },
                );
            }
        }
        (!newest.is_empty()).then(|| newest.into_values().collect())
    }
}

/// One log against the cosignatures over it, the smallest first.
fn compare(log: LogName, statements: &[&Statement], now: Option<&Found>, tally: &mut Tally) {
    let Some(last) = statements.last() else { return };
    let (witness, size, time) = (&last.witness, last.size, last.time);
    let Some(now) = now else {
        let message = format!(
            "this log had {size} entries when the witness `{witness}` cosigned it at {time}, and is missing now"
        );
        return tally.problem(Problem::of(log, 10, message));
    };
    if now.size < size {
        let message = format!(
            "this log has {} entries, and had {size} when the witness `{witness}` cosigned it at {time}: its end was \
             cut off, or this is an older copy of the vault",
            now.size
        );
        tally.problem(Problem::at(log, now.size, 7, message));
    }
    let differs = |known: &&&Statement| known.size <= now.size && now.watched.get(&known.size) != Some(&known.root);
    if let Some(known) = statements.iter().find(differs) {
        let what = format!("the witness `{}`", known.witness);
        other_history(log, known.size, now.size, &what, tally);
    }
}

/// A witness who cosigned a size does not cosign a smaller one later, nor another root of the same size. `statements`
/// come newest first, as the branch's commits do.
fn never_back(log: LogName, statements: &[Statement], tally: &mut Tally) {
    let mut by_time: Vec<&Statement> = statements.iter().collect();
    by_time.sort_by_key(|statement| (statement.time, statement.size));
    let by_commit: Vec<&Statement> = statements.iter().rev().collect();
    for pair in by_time.windows(2).chain(by_commit.windows(2)) {
        let [before, after] = pair else { continue };
        let forked = after.size == before.size && after.root != before.root;
        if after.size < before.size || forked {
            let other = if forked { " with another root" } else { "" };
            let message = format!(
                "the witness `{}` cosigned {} entries of this log{other} after it had cosigned {}: it went back, or \
                 its branch was put back",
                after.witness, after.size, before.size
            );
            tally.problem(Problem::at(log, after.size.saturating_sub(1), 31, message));
        }
    }
}

/// The form of a witness's newest commit: a checkpoint with cosignatures for each log, and nothing else.
pub(super) fn verify_form(view: &View<'_>, branch: &str, oid: Oid, facts: &Facts, tally: &mut Tally) {
    let what = format!("the branch `{branch}` cannot be read");
    let tree = match view.commit_at(oid) {
        Ok(commit) => commit.tree,
        Err(error) => return tally.unreadable(&error, (None, None), (31, 31), &what),
    };
    let files = tree_files(view, tree, 1, &mut |_, error| {
        tally.unreadable(error, (None, None), (31, 31), &what);
    });
    for file in files {
        let log = file.path.parse::<LogName>().ok().filter(|_| file.mode == Mode::File);
        let Some(log) = log else {
            let message = format!("`{}` does not belong on the branch `{branch}`", file.path);
            tally.problem(Problem::vault(32, message));
            continue;
        };
        let bytes = match view.blob_at(file.oid, COSIGNED_MAX) {
            Ok(bytes) => bytes,
            Err(error) => {
                tally.unreadable(&error, (Some(log), None), (31, 31), &what);
                continue;
            }
        };
        match read(&bytes) {
            Err(bad) => {
                let message = format!("on the branch `{branch}`: {bad}");
                tally.problem(Problem::of(log, 31, message));
            }
            Ok(checkpoint) => {
                if let Err(bad) = checkpoint.signed.check_origin(facts.vault, log) {
                    tally.problem(Problem::of(log, 23, format!("on the branch `{branch}`: {bad}")));
                }
            }
        }
    }
}

/// Gives `take` every object that a witness's branch has beyond the commits in `known`, the oldest commit first, as long as each
/// is what a witness writes: a checkpoint with cosignatures, or a folder of such under the names of their logs.
pub(super) fn each_cosigned(
    view: &View<'_>,
    from: Oid,
    known: &BTreeSet<Oid>,
    take: &mut dyn FnMut(Object) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    each_object(view, from, known, 1, &mut |object| match is_cosigned(&object) {
        true => take(object),
        false => Err(LedgerError::Stray(object.oid())),
    })
}

fn is_cosigned(object: &Object) -> bool {
    match object.kind {
        Kind::Commit => true,
        Kind::Blob => object.bytes.len() as u64 <= COSIGNED_MAX && read(&object.bytes).is_ok(),
        Kind::Tree => parse_tree(&object.bytes).is_ok_and(|files| {
            let is_log = |file: &TreeEntry| file.mode == Mode::File && file.name.parse::<LogName>().is_ok();
            files.len() <= COSIGNED_LOGS_MAX && files.iter().all(is_log)
        }),
    }
}

pub(super) fn read(bytes: &[u8]) -> Result<CosignedCheckpoint, BadCosignature> {
    let text = std::str::from_utf8(bytes).map_err(|_| BadCosignature::Malformed)?;
    CosignedCheckpoint::parse(text)
}

/// What a witness has cosigned by the history of its branch, newest first.
fn statements(
    view: &View<'_>,
    witness: &NoteKey,
    facts: &Facts,
    deep: bool,
    tally: &mut Tally,
) -> BTreeMap<LogName, Vec<Statement>> {
    let mut found: BTreeMap<LogName, Vec<Statement>> = BTreeMap::new();
    // What the commit after this one holds was read there.
    let mut known: BTreeMap<LogName, Oid> = BTreeMap::new();
    let branch = format!("{WITNESS}{}", witness.name());
    let mut next = view.branches.get(&branch).copied();
    let mut left = if deep { usize::MAX } else { HISTORY };
    let mut newest = true;
    while let Some(oid) = next.filter(|_| left > 0) {
        left -= 1;
        let (commit, files) = match commit_files(view, oid) {
            Ok(read) => read,
            Err(error) => {
                let what = format!("the history of the branch `{branch}` cannot be read");
                tally.unreadable(&error, (None, None), (31, 31), &what);
                break;
            }
        };
        for (log, oid) in files {
            if known.insert(log, oid) == Some(oid) {
                continue;
            }
            let read = view.blob_at(oid, COSIGNED_MAX).ok().and_then(|bytes| read(&bytes).ok());
            let signed = read.filter(|read| read.signed.check_origin(facts.vault, log).is_ok());
            let Some(checkpoint) = signed else { continue };
            found
                .entry(log)
                .or_default()
                .extend(statement(log, witness, &checkpoint, facts, newest, tally));
        }
        newest = false;
        next = commit.parents.first().copied();
    }
    found.retain(|_, statements| !statements.is_empty());
    found
}

fn commit_files(view: &View<'_>, oid: Oid) -> Result<(Commit, Vec<(LogName, Oid)>), ReadError> {
    let commit = view.commit_at(oid)?;
    let entries = view.tree_at(commit.tree)?.into_iter();
    let files = entries
        .filter(|entry| entry.mode == Mode::File)
        .filter_map(|entry| Some((entry.name.parse().ok()?, entry.oid)))
        .collect();
    Ok((commit, files))
}

/// How a problem begins that is about the newest file of a witness's branch, and which that witness can end by going on from it.
pub(super) fn not_cosigned(name: &str) -> String {
    format!("the checkpoint of this log on the branch `{WITNESS}{name}`: ")
}

/// What the witness says with a checkpoint, if it is the witness who says it.
fn statement(
    log: LogName,
    witness: &NoteKey,
    checkpoint: &CosignedCheckpoint,
    facts: &Facts,
    newest: bool,
    tally: &mut Tally,
) -> Option<Statement> {
    let said = checkpoint.signed.checkpoint;
    let seq = said.size.saturating_sub(1);
    let name = witness.name();
    let time = match checkpoint.verify(witness) {
        Ok(time) => time,
        // A witness may have had another key before this one; and what somebody else put there before it went on from that
        // says nothing.
        Err(_) if !newest => return None,
        Err(bad) => {
            let message = format!("{}{bad}", not_cosigned(name));
            tally.problem(Problem::at(log, seq, 31, message));
            return None;
        }
    };
    if facts
        .key(log.device)
        .is_none_or(|key| checkpoint.signed.verify(&key).is_err())
        && !tally.has(13)
    {
        let message = format!(
            "the checkpoint of this log that the witness `{name}` cosigned is not signed by a device of the vault: do \
             not trust it"
        );
        tally.problem(Problem::at(log, seq, 31, message));
    }
    Some(Statement {
        witness: name.to_owned(),
        time,
        size: said.size,
        root: said.root,
    })
}
