//! A vault beside another clone of it, and beside the heads that this device accepted: what no verifier sees who looks
//! at one clone alone.

use super::accepted::Accepted;
use super::charter::Charter;
use super::error::LedgerError;
use super::merge::follows;
use super::merge_lines::{Behind, Lines, moved_back, read_lines};
use super::objects::MAIN;
use super::verify::{Anchors, Examined, Report, Verdict, examine};
use crate::chain::{Problem, Receipt, Time};
use crate::id::Digest;
use crate::repo::Repo;
use std::collections::BTreeMap;

/// For how long a clone may lack what is here before it counts as standing still, in seconds.
const STALE_AFTER: i64 = 7 * 24 * 3600;

/// What a vault is compared with besides its anchors.
#[derive(Clone, Copy, Default)]
pub struct Beside<'a> {
    /// Another clone, and what it is called when it is merged.
    pub clone: Option<(&'a Repo, &'a str)>,
    /// The heads that this device accepted.
    pub accepted: Option<&'a Accepted>,
}

/// Verifies a vault as [`verify`](super::verify()) does, and compares all that it and the other clone hold both.
pub fn verify_beside(repo: &Repo, anchors: &Anchors<'_>, beside: &Beside<'_>) -> Result<Report, LedgerError> {
    let examined = examine(repo, anchors)?;
    let mut report = examined.report.clone();
    let accepted = beside
        .accepted
        .filter(|accepted| accepted.vault == examined.facts.vault);
    let mut found = Found::default();
    let compares = accepted.is_some() || beside.clone.is_some();
    if let Some(lines) = compares.then(|| lines_of(&examined)).flatten() {
        if let Some(accepted) = accepted {
            let cuts = examined.facts.cuts();
            let back = moved_back(
                &examined.view,
                &lines,
                &|log| cuts.of(log),
                accepted.all(),
                "this vault",
            );
            found.problems.extend(back);
        }
        if let Some((clone, name)) = beside.clone {
            compare(&examined, &lines, clone, name, accepted, anchors.now, &mut found)?;
        }
    } else if beside.clone.is_some() {
        let message = "nothing can be compared: the members of this vault cannot be read";
        found.unknown.push(Problem::vault(36, message));
    }
    for problem in found.problems {
        if !report.problems.contains(&problem) {
            report.problems.push(problem);
        }
    }
    report.unknown.extend(found.unknown);
    for (case, count) in found.unlisted {
        *report.unlisted.entry(case).or_default() += count;
    }
    report.verdict = match (report.problems.is_empty(), report.unknown.is_empty()) {
        (false, _) => Verdict::Tampered,
        (true, false) => Verdict::Unknown,
        (true, true) => Verdict::Intact,
    };
    Ok(report)
}

#[derive(Default)]
struct Found {
    problems: Vec<Problem>,
    unknown: Vec<Problem>,
    unlisted: BTreeMap<u8, usize>,
}

/// The histories of a clone's logs, those that hold.
fn lines_of(examined: &Examined<'_>) -> Option<Lines> {
    let founder = examined.report.founder?;
    let main = *examined.view.branches.get(MAIN)?;
    let charter = Charter::read(&examined.view, main, founder).ok()?;
    let heads = examined.view.branches.iter().map(|(name, oid)| (name.as_str(), *oid));
    Some(read_lines(&examined.view, heads, &charter).0)
}

fn compare(
    here: &Examined<'_>,
    lines: &Lines,
    clone: &Repo,
    name: &str,
    accepted: Option<&Accepted>,
    now: Time,
    found: &mut Found,
) -> Result<(), LedgerError> {
    // That its founder is this vault's, is the first thing to compare.
    let pins = here.report.founder.map(|founder| Receipt {
        vault: here.facts.vault,
        time: now,
        founder,
        roster: founder,
        checkpoints: Vec::new(),
    });
    let anchors = Anchors {
        receipt: pins.as_ref(),
        high_water: None,
        witnesses: &[],
        now,
        deep: false,
    };
    let there = examine(clone, &anchors)?;
    for (problems, all) in [
        (&there.report.problems, &mut found.problems),
        (&there.report.unknown, &mut found.unknown),
    ] {
        all.extend(problems.iter().map(|problem| Problem {
            message: format!("in the other clone: {}", problem.message),
            ..problem.clone()
        }));
    }
    found.unlisted.clone_from(&there.report.unlisted);
    if let Some(problem) = compare_cards(&here.facts.digests, &there.facts.digests) {
        // Two leads who knew nothing of each other did no wrong; but what this device accepted stays.
        let known = accepted.and_then(|accepted| accepted.main_of(name));
        let main = there.view.branches.get(MAIN);
        match known.is_some_and(|known| !main.is_some_and(|main| follows(&there.view, *main, known))) {
            true => found.problems.push(problem),
            false => found.unknown.push(problem),
        }
    }
    let Some(theirs) = lines_of(&there) else {
        let message = "the members of the other clone cannot be read, so its logs were not compared";
        found.unknown.push(Problem::vault(36, message));
        return Ok(());
    };
    let (forks, behind) = lines.beside(&here.view, &theirs, &there.view);
    found.problems.extend(forks);
    if let Some(accepted) = accepted {
        let (cuts, before) = (here.facts.cuts(), accepted.of(name));
        let back = moved_back(&there.view, &theirs, &|log| cuts.of(log), before, "the other clone");
        found.problems.extend(back);
    }
    found.unknown.extend(standing_still(&behind, now));
    Ok(())
}

/// The cards of one clone go on from those of the other.
fn compare_cards(here: &[Digest], there: &[Digest]) -> Option<Problem> {
    let both = here.len().min(there.len());
    let differs = (0..both).find(|n| here[*n] != there[*n])?;
    let message = format!("the other clone has another card {differs}: members were changed on both sides");
    Some(Problem::vault(36, message))
}

/// A clone that has lacked for long what is here: whoever looks at it alone is shown an old state (case 19).
pub(super) fn standing_still(behind: &[Behind], now: Time) -> Option<Problem> {
    let age = |lacks: &Behind| now.unix().saturating_sub(lacks.since.unix());
    let oldest = behind.iter().max_by_key(|lacks| age(lacks))?;
    if age(oldest) < STALE_AFTER {
        return None;
    }
    let lacking: u64 = behind.iter().map(|lacks| lacks.here - lacks.there).sum();
    let seen = behind.iter().filter_map(|lacks| lacks.seen_by).min();
    let seen = seen.map_or_else(String::new, |by| format!(", some of which {by} has seen"));
    let message = format!(
        "the other clone has stood still for {} days: it lacks {lacking} entries that are here, the oldest dated {}{seen}. \
         It is an old copy, or somebody holds it there; what else it lacks cannot be told",
        age(oldest) / 86_400,
        oldest.since,
    );
    Some(Problem {
        log: Some(oldest.log),
        seq: Some(oldest.there),
        case: 19,
        message,
    })
}
