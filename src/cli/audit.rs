//! The log: verify, receipt, and what else is asked of it.

use super::answers;
use super::args::AuditCommand;
use super::out;
use super::proofs;
use super::reports;
use super::terminal::Seen;
use super::words::counted;
use crate::app::shared::{Problem, Report, Verdict};
use crate::app::{Context, Error, Kind};
use serde_json::json;
use std::collections::BTreeSet;

/// `audit`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, command: &AuditCommand) -> Result<u8, Error> {
    match command {
        AuditCommand::Verify {
            since_receipt,
            witness_key,
            against,
            deep,
        } => {
            let report = crate::app::verify(
                context,
                since_receipt.as_deref(),
                witness_key,
                against.as_deref(),
                *deep,
            )?;
            verified(seen, &report, since_receipt.is_some())
        }
        AuditCommand::Prove(args) => proofs::prove(context, seen, args),
        AuditCommand::CheckProof(args) => proofs::check(seen, args),
        AuditCommand::Witness(command) => proofs::witness(context, seen, command),
        AuditCommand::Receipt { out: file } => {
            let text = crate::app::receipt(context, file.as_deref())?;
            match file {
                _ if seen.json => seen.json(&json!({ "receipt": text }))?,
                None => seen.result(&text)?,
                Some(path) => seen.remark(&format!(
                    "receipt written to {}: keep it away from the vault",
                    path.display()
                )),
            }
            Ok(0)
        }
        AuditCommand::Log(args) => answers::log(context, seen, args),
        AuditCommand::Who(args) => answers::who(context, seen, args),
        AuditCommand::Report(args) => reports::make(context, seen, args),
        AuditCommand::CheckReport { file } => reports::check(context, seen, file),
    }
}

/// How many problems a person is shown: one cause has many consequences.
const SHOWN_MAX: usize = 10;
/// And how many at most where so many differ by log or case.
const DIFFERENT_MAX: usize = 40;

/// The exit code that says a verdict.
pub(super) fn exit_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Intact => 0,
        Verdict::Tampered => 4,
        Verdict::Unknown => 5,
    }
}

/// All problems, or a beginning that hides no case, and no log of one, behind many of another. What is wrong inside a
/// log comes before what follows from it outside.
fn in_short<'p>(all: impl Iterator<Item = &'p Problem>, whole: bool) -> Vec<&'p Problem> {
    let (mut cases, mut places) = (BTreeSet::new(), BTreeSet::new());
    let mut all: Vec<&Problem> = all.collect();
    all.sort_by_key(|problem| problem.case);
    if whole {
        return all;
    }
    let turn = |problem: &Problem| {
        let (case, place) = (cases.insert(problem.case), places.insert((problem.log, problem.case)));
        (!case, !place)
    };
    let turns: Vec<(bool, bool)> = all.iter().copied().map(turn).collect();
    let mut shown: Vec<_> = turns.into_iter().zip(all).collect();
    shown.sort_by_key(|(turn, _)| *turn);
    shown.truncate(places.len().clamp(SHOWN_MAX, DIFFERENT_MAX));
    shown.sort_by_key(|(_, problem)| problem.case);
    shown.into_iter().map(|(_, problem)| problem).collect()
}

pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Intact => "intact",
        Verdict::Tampered => "tampered",
        Verdict::Unknown => "unknown",
    }
}

/// That what was checked does not hold, or cannot be told; for other programs as a result like any other.
pub(super) fn refuted(seen: &Seen<'_>, error: Error) -> Result<u8, Error> {
    let verdict = match error.kind {
        Kind::Tampered if seen.json => Verdict::Tampered,
        Kind::Unknown if seen.json => Verdict::Unknown,
        _ => return Err(error),
    };
    seen.json(&json!({
        "holds": false,
        "verdict": word(verdict),
        "message": error.message,
        "advice": error.hints,
    }))?;
    Ok(exit_code(verdict))
}

/// A report for other programs.
pub(super) fn report_json(report: &Report) -> serde_json::Value {
    let problem = |problem: &Problem| {
        json!({
            "log": problem.log.map(|log| log.to_string()),
            "seq": problem.seq,
            "case": problem.case,
            "message": problem.message,
        })
    };
    json!({
        "verdict": word(report.verdict),
        "anchored": report.anchored,
        "entries": report.entries,
        "logs": report.logs.iter().map(|(log, size, root)| json!({ "log": log.to_string(), "size": size, "root": root.to_string() })).collect::<Vec<_>>(),
        "cosigned": report.cosigned.iter().map(|known| json!({ "witness": known.witness, "log": known.log.to_string(), "size": known.size, "time": known.time.to_string() })).collect::<Vec<_>>(),
        "problems": report.told().iter().map(problem).collect::<Vec<_>>(),
        "findings": report.findings.iter().map(problem).collect::<Vec<_>>(),
    })
}

/// Shows a report; `receipt`: whether it was compared with one.
pub(super) fn verified(seen: &Seen<'_>, report: &Report, receipt: bool) -> Result<u8, Error> {
    let (word, code) = (word(report.verdict), exit_code(report.verdict));
    if seen.json {
        seen.json(&report_json(report))?;
        return Ok(code);
    }
    let word = if code == 5 { "cannot tell" } else { word };
    let entries = counted(report.entries, "entry", "entries");
    let logs = counted(report.logs.len(), "log", "logs");
    let anchored = if report.anchored { "" } else { ", unanchored" };
    let continues = if receipt && code == 0 {
        "; it continues the receipt"
    } else {
        ""
    };
    let mut text = format!("{word}{anchored}: {entries} in {logs}{continues}\n");
    let place = |problem: &Problem| match (problem.log, problem.seq) {
        (Some(log), Some(seq)) => format!(" {log}:{seq}"),
        (Some(log), None) => format!(" {log}"),
        _ => String::new(),
    };
    let shown = in_short(report.problems.iter().chain(&report.unknown), seen.verbose);
    for problem in &shown {
        text.push_str(&format!(
            "  [{}]{} {}\n",
            problem.case,
            place(problem),
            out::one_line(&problem.message)
        ));
    }
    let listed = report.problems.len() + report.unknown.len() - shown.len();
    match (listed, report.unlisted.values().sum::<usize>()) {
        (0, 0) => {}
        (listed, 0) => text.push_str(&format!("  and {listed} more, all of them with -v or --json\n")),
        (listed, more) => text.push_str(&format!(
            "  and {} more; -v and --json list the first of each case\n",
            listed + more
        )),
    }
    if code == 0 {
        for known in &report.cosigned {
            text.push_str(&format!(
                "  cosigned by {} at {}: the first {} of {}\n",
                known.witness,
                known.time,
                counted(known.size, "entry", "entries"),
                known.log
            ));
        }
    }
    for finding in &report.findings {
        text.push_str(&format!(
            "  finding [{}]{} {}\n",
            finding.case,
            place(finding),
            out::one_line(&finding.message)
        ));
    }
    seen.result(&text)?;
    if !report.anchored && report.verdict != Verdict::Tampered {
        seen.remark("unanchored: nothing from outside the repository was given, so a vault replaced as a whole looks intact (--since-receipt, --witness-key)");
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(case: u8, log: Option<u8>, seq: u64) -> Problem {
        let log = log.map(|n| format!("0{n}02030405060708-090a0b0c").parse().unwrap());
        Problem {
            log,
            seq: Some(seq),
            case,
            message: String::new(),
        }
    }

    #[test]
    fn many_problems_of_one_case_hide_no_other() {
        let mut all: Vec<Problem> = (0..50).map(|seq| problem(3, Some(1), seq)).collect();
        all.extend([problem(12, Some(1), 0), problem(3, Some(2), 7), problem(36, None, 0)]);
        let shown = in_short(all.iter(), false);
        let cases: Vec<u8> = shown.iter().map(|problem| problem.case).collect();
        assert_eq!(cases, [3, 3, 3, 3, 3, 3, 3, 3, 12, 36]);
        assert!(shown.contains(&&all[51]));
        assert_eq!(in_short(all[..4].iter(), false).len(), 4);
        assert_eq!(in_short(all.iter(), true).len(), all.len());
        let all: Vec<Problem> = (0..200).map(|case| problem(case, None, 0)).collect();
        assert_eq!(in_short(all.iter(), false).len(), DIFFERENT_MAX);
        let all: Vec<Problem> = (0..30).map(|case| problem(case, None, 0)).collect();
        assert_eq!(in_short(all.iter(), false).len(), 30);
    }
}
