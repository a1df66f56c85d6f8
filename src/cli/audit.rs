//! The log: verify, receipt, and what else is asked of it.

use super::answers;
use super::args::AuditCommand;
use super::out;
use super::proofs;
use super::reports;
use super::terminal::Seen;
use super::words::counted;
use crate::app::shared::{Problem, Report, Verdict};
use crate::app::{Context, Error};
use serde_json::json;

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

/// The exit code that says a verdict.
pub(super) fn exit_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Intact => 0,
        Verdict::Tampered => 4,
        Verdict::Unknown => 5,
    }
}

/// All problems. What is wrong inside a log comes before what follows from it outside.
fn all_problems(report: &Report) -> Vec<&Problem> {
    let mut all: Vec<&Problem> = report.problems.iter().chain(&report.unknown).collect();
    all.sort_by_key(|problem| problem.case);
    all
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Intact => "intact",
        Verdict::Tampered => "tampered",
        Verdict::Unknown => "unknown",
    }
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
        "problems": all_problems(report).into_iter().map(problem).collect::<Vec<_>>(),
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
    let all = all_problems(report);
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
    for problem in all.iter().take(SHOWN_MAX) {
        text.push_str(&format!(
            "  [{}]{} {}\n",
            problem.case,
            place(problem),
            out::one_line(&problem.message)
        ));
    }
    if all.len() > SHOWN_MAX {
        text.push_str(&format!(
            "  and {} more, all of them with --json\n",
            all.len() - SHOWN_MAX
        ));
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
