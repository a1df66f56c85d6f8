//! The auditor's report: making one, checking one.

use super::args::ReportArgs;
use super::audit::{exit_code, refuted};
use super::out;
use super::terminal::Seen;
use super::words::{counted, period};
use crate::app::shared::Verdict;
use crate::app::{Context, Error, Kind, ReportQuery};
use serde_json::json;
use std::path::Path;

/// `audit report`.
pub(super) fn make(context: &Context<'_>, seen: &Seen<'_>, args: &ReportArgs) -> Result<u8, Error> {
    let (since, until) = period(context, args.period.since.as_deref(), args.period.until.as_deref())?;
    let query = ReportQuery {
        out: args.out.clone(),
        since,
        until,
        hours: hours(&args.hours)?,
        receipt: args.since_receipt.clone(),
        witness_keys: args.witness_key.clone(),
    };
    let made = crate::app::make_report(context, &query)?;
    let code = exit_code(made.verdict);
    let verdict = match made.verdict {
        Verdict::Intact => "intact",
        Verdict::Tampered => "tampered",
        Verdict::Unknown => "unknown",
    };
    if seen.json {
        seen.json(&json!({
            "verdict": verdict,
            "anchored": made.anchored,
            "entries": made.entries,
            "closed": made.closed,
            "digest": made.digest.to_string(),
            "sha256": made.sha256.to_string(),
            "entry": made.entry.to_string(),
        }))?;
        return Ok(code);
    }
    seen.remark(&format!(
        "report of {} written to {}: {verdict}{}",
        counted(made.entries, "entry", "entries"),
        args.out.display(),
        if made.anchored { "" } else { ", unanchored" },
    ));
    seen.remark(&format!(
        "its digest is {}; its SHA-256 is on record in entry {}",
        made.digest, made.entry
    ));
    if made.closed > 0 {
        let entries = counted(made.closed, "entry does", "entries do");
        seen.remark(&format!("{entries} not open for you: what they were is not in it"));
    }
    if code != 0 {
        seen.remark("`strongroom audit verify` says what is wrong; the report says so too");
    }
    Ok(code)
}

/// `audit check-report`.
pub(super) fn check(context: &Context<'_>, seen: &Seen<'_>, file: &Path) -> Result<u8, Error> {
    let checked = match crate::app::check_report(context, file) {
        Ok(checked) => checked,
        Err(error) => return refuted(seen, error),
    };
    let basis = &checked.basis;
    if seen.json {
        let logs = basis.logs.iter();
        let logs = logs.map(|at| json!({ "log": at.log.to_string(), "size": at.size, "root": at.root.to_string() }));
        seen.json(&json!({
            "holds": true,
            "verdict": "intact",
            "vault": basis.vault.to_string(),
            "made": basis.made.to_string(),
            "by": basis.by,
            "entries": basis.rows.len(),
            "logs": logs.collect::<Vec<_>>(),
            "digest": basis.digest().to_string(),
            "sha256": checked.sha256.to_string(),
        }))?;
        return Ok(0);
    }
    seen.result(&format!(
        "it holds: made {} by {} of {} in {}; the vault says the same of who, when and how each ended\n",
        basis.made,
        out::one_line(&basis.by),
        counted(basis.rows.len(), "entry", "entries"),
        counted(basis.logs.len(), "log", "logs"),
    ))?;
    seen.remark(&format!(
        "its digest is {}, its SHA-256 {}",
        basis.digest(),
        checked.sha256
    ));
    seen.remark("reasons, purposes, clients and recipients are sealed: that they are told as they were sealed shows only to who holds the auditors' key, by the SHA-256 on record (`strongroom audit log --action 'audit report' --json`)");
    let held = match basis.verified.held_against() {
        held if held.is_empty() => "nothing from outside".to_owned(),
        held => out::one_line(&held.join(", ")),
    };
    seen.remark(&format!(
        "that the log was `{}` then, held against {held}, is the word of {} alone; it is intact now, and `strongroom audit verify --since-receipt FILE` holds it against a receipt of yours",
        basis.verified.verdict.name(),
        out::one_line(&basis.by),
    ));
    Ok(0)
}

/// Hours as people write them: `07-19`; `22-06` goes over midnight.
fn hours(text: &str) -> Result<(u8, u8), Error> {
    let hour = |text: &str| {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u8>().ok().filter(|_| digits)
    };
    let parsed = text
        .split_once('-')
        .and_then(|(from, before)| Some((hour(from)?, hour(before)?)));
    match parsed {
        Some((from, before)) if from < 24 && before <= 24 && from != before => Ok((from, before)),
        _ => Err(
            Error::new(Kind::Usage, format!("`{}` are not hours", out::one_line(text)))
                .hint("write them as 07-19 (from seven, before nineteen, UTC); 22-06 goes over midnight"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_have_a_beginning_and_an_end() {
        for (text, want) in [
            ("07-19", (7, 19)),
            ("7-19", (7, 19)),
            ("22-06", (22, 6)),
            ("0-24", (0, 24)),
        ] {
            assert_eq!(hours(text).unwrap(), want);
        }
        for bad in [
            "",
            "7",
            "7-",
            "-7",
            "7-7",
            "24-6",
            "7-25",
            "+7-9",
            "7-9-11",
            "007-9",
            "07:00-19:00",
        ] {
            assert_eq!(hours(bad).unwrap_err().kind, Kind::Usage, "{bad}");
        }
    }
}
