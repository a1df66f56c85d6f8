//! A push, before it is taken: what the vault would be with it, judged without any secret (docs/FORMAT.md §7.3).
//!
//! 1. What a single state does not show is told by the refs: logs, members and rules and witnesses only go on, nothing of a
//!    vault is taken away, and nothing comes that is none of it.
//! 2. The vault as it would be is verified as any clone is, with what was there before for its anchor. Of the logs that
//!    come every new commit is looked at.
//! 3. What was wrong before, and is so still, is told and refuses nothing: the push is not to blame.

use super::charter::RawCharter;
use super::error::LedgerError;
use super::exchange::{Elsewhere, is_of_a_vault, is_shard};
use super::main_commits::is_by_a_lead;
use super::merge::follows;
use super::objects::{COMMIT_MAX, HEADS, MAIN, Objects, WITNESS, audit_ref, log_of};
use super::verify::{Anchors, Facts, Scope, Since, Tally, examine_view};
use super::verify_forks::waits_for_a_lead;
use super::verify_witness::{each_cosigned, verify_form};
use super::view::View;
use crate::chain::{Message, Problem, Receipt, Roster, SignedCheckpoint, Time};
use crate::id::{Digest, LogName, VaultId};
use crate::repo::{Commit, Doorway, Oid, Pushed, Repo, Settings};
use std::collections::{BTreeMap, BTreeSet};

/// The most commits of `main` or of a witness that come at once.
const COMMITS_MAX: usize = 1 << 14;

/// Where a branch is to be, and where it was.
type Span = (Oid, Option<Oid>);

/// Something that stands against a push.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Objection {
    /// The full name of the ref concerned, if it is one.
    pub name: Option<String>,
    /// What is wrong.
    pub problem: Problem,
    /// Whether it cannot be told that it is wrong, nor that it is not.
    pub unknown: bool,
}

/// What is to become of a push.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Judged {
    /// What stands against it; it is taken if nothing does.
    pub objections: Vec<Objection>,
    /// What is wrong with the vault and is not of this push.
    pub known: Vec<Problem>,
    /// Refs that are none of a vault's, and were there before.
    pub strays: Vec<String>,
    /// The vault, and the digest of its founder's card, as it would be.
    pub vault: Option<(VaultId, Digest)>,
}

impl Judged {
    fn object(&mut self, name: &str, case: u8, message: impl Into<String>) {
        let log = name.strip_prefix(HEADS).and_then(log_of).map(|(log, _)| log);
        let problem = Problem {
            log,
            seq: None,
            case,
            message: message.into(),
        };
        self.objections.push(Objection {
            name: Some(name.to_owned()),
            problem,
            unknown: false,
        });
    }

    fn cannot_tell(&mut self, name: Option<&str>, case: u8, message: impl Into<String>) {
        self.objections.push(Objection {
            name: name.map(str::to_owned),
            problem: Problem::vault(case, message),
            unknown: true,
        });
    }
}

/// Judges what git is about to take.
pub fn judge_push(door: &Doorway, pushed: &[Pushed], settings: &Settings, now: Time) -> Result<Judged, LedgerError> {
    let hub = Repo::open_to_verify(door.dir(), settings.clone())?;
    let found = Elsewhere::of(&hub)?;
    let mut judged = Judged {
        strays: found.strays,
        ..Judged::default()
    };
    let before = found.branches;
    let mut after = before.clone();
    for moved in pushed {
        if let Some(branch) = moved.name.strip_prefix(HEADS).filter(|branch| is_of_a_vault(branch)) {
            match moved.new {
                Some(new) => drop(after.insert(branch.to_owned(), new)),
                None => drop(after.remove(branch)),
            }
        }
    }
    let moves: BTreeSet<String> = after
        .iter()
        .filter(|(branch, oid)| before.get(*branch) != Some(oid))
        .map(|(branch, _)| branch.clone())
        .collect();
    // What witnesses push is looked at by itself.
    let shown = |branch: &str| !branch.starts_with(WITNESS);
    let preview = |branches: &BTreeMap<String, Oid>| {
        let named = branches.iter().filter(|(branch, _)| shown(branch));
        let named = named.map(|(branch, oid)| (format!("{HEADS}{branch}"), *oid)).collect();
        let made = door.preview(&named, settings.clone());
        made.map_err(|error| LedgerError::State(error.to_string()))
    };
    let as_it_would_be = preview(&after)?;
    let view = View::now(as_it_would_be.repo())?;
    for moved in pushed {
        judge_ref(&view, &before, moved, &mut judged);
    }
    // Where a ref goes where it may not, what would be then is of no interest.
    if !judged.objections.is_empty() || moves.is_empty() {
        return Ok(judged);
    }
    if !after.contains_key(MAIN) {
        judged.cannot_tell(
            None,
            36,
            "there is no branch `main` here, nor in the push: nothing says who belongs to the vault",
        );
        return Ok(judged);
    }
    let pins = pins(&hub, &before, now);
    let anchors = Anchors {
        receipt: pins.as_ref(),
        high_water: None,
        witnesses: &[],
        now,
        deep: false,
    };
    let since = Since {
        sizes: signed_heads(&hub, &before)
            .map(|(log, signed)| (log, signed.checkpoint.size))
            .collect(),
        branches: before.clone(),
    };
    let (report, facts, _, _) = examine_view(as_it_would_be.repo(), &view, &anchors, Scope::Since(&since))?;
    let mut own = Tally::default();
    for (branch, now) in after.iter().filter(|(branch, _)| moves.contains(*branch)) {
        let span = (*now, before.get(branch).copied());
        match branch.as_str() {
            MAIN => verify_main(&view, span, &facts, &mut own),
            witness if witness.starts_with(WITNESS) => verify_witness(&view, witness, span, &facts, &mut own),
            _ => {}
        }
    }
    verify_fork_names(&view, &moves, &mut own);
    let (mut problems, mut unknown) = own.listed();
    problems.extend(report.problems.iter().cloned());
    unknown.extend(report.unknown.iter().cloned());
    judged.vault = report.founder.map(|founder| (facts.vault, founder));
    // Nobody is kept from pushing by that a log has two histories, which a lead looks at, and of which only one may be whole
    // here; nor by what was here of a removed device's log before it was removed, however much that is.
    let stays = |log: LogName| !moves.contains(&audit_ref(log)) && before.contains_key(&audit_ref(log));
    let passes = |problem: &Problem| match (problem.case, problem.log) {
        (10, Some(log)) => stays(log),
        (14, _) => true,
        _ => waits_for_a_lead(problem),
    };
    let (passed, wrong): (Vec<_>, Vec<_>) = problems.into_iter().partition(passes);
    judged.known.extend(passed);
    for (log, size, _) in report.logs.iter().filter(|(log, ..)| moves.contains(&audit_ref(*log))) {
        if let Some((end, _)) = facts.cuts().of(*log).filter(|(end, _)| end < size) {
            let message = format!("this log of a removed device is accepted up to entry {end}, and goes on beyond it");
            judged.objections.push(Objection {
                name: Some(format!("{HEADS}{}", audit_ref(*log))),
                problem: Problem::at(*log, end, 14, message),
                unknown: false,
            });
        }
    }
    let mut unlisted = report.unlisted;
    unlisted.remove(&14);
    if wrong.is_empty() && unknown.is_empty() && unlisted.is_empty() {
        return Ok(judged);
    }
    // Only now it matters what was wrong before.
    let as_it_is = preview(&before)?;
    let view = View::now(as_it_is.repo())?;
    let old = examine_view(as_it_is.repo(), &view, &anchors, Scope::Since(&since));
    let old = old.map(|(report, ..)| report);
    let old_problems: BTreeSet<_> = old.iter().flat_map(|old| &old.problems).map(key).collect();
    let old_unknown: BTreeSet<_> = old.iter().flat_map(|old| &old.unknown).map(key).collect();
    let lacked: BTreeSet<_> = old.iter().flat_map(|old| &old.problems).filter_map(lacking).collect();
    for (found, known, is_unknown) in [(wrong, old_problems, false), (unknown, old_unknown, true)] {
        for problem in found {
            let lacks = lacking(&problem);
            match known.contains(&key(&problem)) || lacks.is_some_and(|log| lacked.contains(&log)) {
                true => judged.known.push(problem),
                false => judged.objections.push(Objection {
                    name: ref_of(&problem, &moves),
                    problem,
                    unknown: is_unknown || lacks.is_some(),
                }),
            }
        }
    }
    // What is not listed cannot be held against what was there before.
    for (case, count) in unlisted
        .into_iter()
        .filter(|_| judged.objections.is_empty())
        .collect::<Vec<_>>()
    {
        let message = format!(
            "{count} more things are wrong here (case {case}) than are looked at one by one, so that what was wrong before \
             cannot be told from what is pushed"
        );
        judged.cannot_tell(None, case, message);
    }
    Ok(judged)
}

/// What the verifier says of one state and would say of the next. An entry's place is part of it, but where it is that of
/// whichever entry happens to be the newest.
fn key(problem: &Problem) -> (u8, Option<LogName>, Option<u64>, String) {
    let seq = problem.seq.filter(|_| problem.case != 36);
    (problem.case, problem.log, seq, problem.message.clone())
}

/// The log of which somebody has seen more than is here. Whoever pushes has it all, and pushes it, so that it cannot be told
/// what this is; but who began without it, and brings some, is not to blame.
fn lacking(problem: &Problem) -> Option<LogName> {
    problem.log.filter(|_| matches!(problem.case, 8 | 10))
}

/// The ref that a problem is about, if it is a log's or named in its words.
fn ref_of(problem: &Problem, moves: &BTreeSet<String>) -> Option<String> {
    let of_log = |log: LogName| {
        let own = moves.get(&audit_ref(log));
        own.or_else(|| {
            moves
                .iter()
                .find(|branch| log_of(branch).is_some_and(|(moved, _)| moved == log))
        })
    };
    let named = || {
        moves
            .iter()
            .find(|branch| problem.message.contains(&format!("`{branch}`")))
    };
    let branch = named().or_else(|| problem.log.and_then(of_log));
    branch.map(|branch| format!("{HEADS}{branch}"))
}

/// How one ref may move.
fn judge_ref(view: &View<'_>, before: &BTreeMap<String, Oid>, moved: &Pushed, judged: &mut Judged) {
    let Pushed { name, old, new } = moved;
    let Some(branch) = name.strip_prefix(HEADS).filter(|branch| is_of_a_vault(branch)) else {
        // Whoever takes it away again does well.
        if new.is_some() {
            judged.object(name, 32, "this ref is no part of a vault");
        }
        return;
    };
    let here = before.get(branch).copied();
    if here != *old {
        let message = "this branch stands elsewhere than whoever pushes has seen it: somebody else was faster";
        return judged.cannot_tell(Some(name), 18, message);
    }
    let case = match () {
        () if log_of(branch).is_some() => 18,
        () if branch.starts_with(WITNESS) => 31,
        () if is_shard(branch) => 37,
        () => 36,
    };
    let what = match case {
        18 => "a log",
        31 => "a witness's branch",
        37 => "a branch of files",
        _ => "the branch of members and rules",
    };
    match (here, new) {
        (_, None) => judged.object(name, case, format!("{what} is to be taken away, and none ever is")),
        (Some(here), Some(new)) if case != 37 && !follows(view, *new, here) => match merges(view, *new) {
            true => judged.object(
                name,
                30,
                format!("{what} is to hold a commit with more than one parent"),
            ),
            false => {
                let message = format!(
                    "{what} is to go to another history than the one that is here: it only goes on, and is never rewritten \
                     or put back"
                );
                judged.object(name, case, message);
            }
        },
        _ => {}
    }
}

/// Whether a commit among the newest has more than one parent.
fn merges(view: &View<'_>, from: Oid) -> bool {
    let mut next = Some(from);
    for _ in 0..COMMITS_MAX {
        match next.map(|oid| view.commit_at(oid)) {
            Some(Ok(commit)) if commit.parents.len() > 1 => return true,
            Some(Ok(commit)) => next = commit.parents.first().copied(),
            _ => return false,
        }
    }
    false
}

/// What was here before, as an auditor's receipt would say it.
fn pins(hub: &Repo, before: &BTreeMap<String, Oid>, now: Time) -> Option<Receipt> {
    let raw = RawCharter::read(hub, *before.get(MAIN)?).ok()?;
    let file = raw.vault_file().ok()?;
    let cards: Vec<&[u8]> = raw.cards().into_iter().map(|(_, card)| card).collect();
    let roster = Roster::verify(file.vault, Some(file.founder), &cards).ok();
    let signed = signed_heads(hub, before).map(|(_, signed)| signed);
    Some(Receipt {
        vault: file.vault,
        time: now,
        founder: file.founder,
        roster: roster.map_or(file.founder, |roster| roster.digest()),
        checkpoints: signed.filter(|signed| signed.checkpoint.vault == file.vault).collect(),
    })
}

/// How far each log had come, by its own newest checkpoint.
fn signed_heads(hub: &Repo, branches: &BTreeMap<String, Oid>) -> impl Iterator<Item = (LogName, SignedCheckpoint)> {
    branches.iter().filter_map(|(branch, oid)| {
        let (log, None) = log_of(branch)? else { return None };
        let commit = hub.read_commit(*oid, COMMIT_MAX).ok()?;
        let signed = Message::parse_unjoined(commit.message.as_bytes()).ok()?.checkpoint;
        (signed.checkpoint.log == log).then_some((log, signed))
    })
}

/// Every commit of `main` that comes is signed by who was a lead then, and follows one other at most.
fn verify_main(view: &View<'_>, span: Span, facts: &Facts, tally: &mut Tally) {
    let Some(roster) = &facts.roster else { return };
    each_commit(view, MAIN, span, 36, tally, &mut |commit, tally| {
        if !is_by_a_lead(view, commit, roster).unwrap_or(false) {
            let message = "a commit on the branch `main` is not signed by a device of somebody who was a lead then";
            tally.problem(Problem::vault(36, message));
        }
    });
}

/// What a witness pushes has the form of cosigned checkpoints, all of it.
fn verify_witness(view: &View<'_>, branch: &str, span: Span, facts: &Facts, tally: &mut Tally) {
    let (now, from) = span;
    each_commit(view, branch, span, 31, tally, &mut |_, _| {});
    let known = from.into_iter().collect();
    match each_cosigned(view, now, &known, &mut |_| Ok(())) {
        Ok(()) => verify_form(view, branch, now, facts, tally),
        Err(LedgerError::Stray(stray)) => {
            let message = format!("the branch `{branch}` holds what no witness writes: object `{stray}`");
            tally.problem(Problem::vault(32, message.clone()));
            tally.problem(Problem::vault(31, message));
        }
        Err(error) => tally.problem(Problem::vault(
            31,
            format!("the branch `{branch}` cannot be read: {error}"),
        )),
    }
}

/// Every commit of a branch after the one where it stood.
fn each_commit(
    view: &View<'_>,
    branch: &str,
    (now, from): Span,
    case: u8,
    tally: &mut Tally,
    look: &mut dyn FnMut(&Commit, &mut Tally),
) {
    let mut next = Some(now);
    let mut left = COMMITS_MAX;
    while let Some(oid) = next.filter(|oid| Some(*oid) != from) {
        let commit = match view.commit_at(oid) {
            Ok(commit) if left > 0 => commit,
            Ok(_) => {
                let message = format!("the branch `{branch}` has more than {COMMITS_MAX} commits that are new");
                return tally.problem(Problem::vault(case, message));
            }
            Err(error) => {
                let what = format!("the history of the branch `{branch}` cannot be read");
                return tally.unreadable(&error, (None, None), (case, case), &what);
            }
        };
        left -= 1;
        if commit.parents.len() > 1 {
            let message = format!("the branch `{branch}` holds a commit with more than one parent");
            tally.problem(Problem::vault(30, message));
        }
        look(&commit, tally);
        next = commit.parents.first().copied();
    }
}

/// A history that is kept beside its log bears the root at its end in its name.
fn verify_fork_names(view: &View<'_>, moves: &BTreeSet<String>, tally: &mut Tally) {
    for branch in moves {
        let (Some((log, Some(root))), Some(oid)) = (log_of(branch), view.branches.get(branch)) else {
            continue;
        };
        let commit = view.commit_at(*oid);
        let message = commit
            .ok()
            .and_then(|commit| Message::parse(commit.message.as_bytes()).ok());
        if message.is_none_or(|message| message.checkpoint.checkpoint.root != root) {
            let message = format!("the branch `{branch}` holds another history than its name says");
            tally.problem(Problem::of(log, 43, message));
        }
    }
}

/// The founder of the vault that lies in a repository, on its own word.
pub fn said_founder(repo: &Repo) -> Result<Option<(VaultId, Digest)>, LedgerError> {
    match repo.ref_target(&format!("{HEADS}{MAIN}"))? {
        None => Ok(None),
        Some(main) => {
            let file = RawCharter::read(repo, main)?.vault_file()?;
            Ok(Some((file.vault, file.founder)))
        }
    }
}
