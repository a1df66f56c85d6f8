//! `doctor`: what was looked at, and what to do.

use super::config::Config;
use super::out;
use super::terminal::Seen;
use super::words::counted;
use crate::app::{Checkup, Context, Error, Kind, Level};
use clap::Args as ClapArgs;
use serde_json::json;

#[derive(ClapArgs)]
pub(super) struct DoctorArgs {
    /// Mend what can be mended without losing evidence
    #[arg(long)]
    mend: bool,
    /// Take your word that this remote has pruned (`git gc --prune=now` there)
    #[arg(long, value_name = "NAME", conflicts_with = "mend")]
    pruned: Option<String>,
}

/// `doctor`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, args: &DoctorArgs) -> Result<u8, Error> {
    if let Some(remote) = &args.pruned {
        crate::app::confirm_pruned(context, remote)?;
        seen.remark(&format!(
            "`{}` holds nothing more of what was destroyed",
            out::one_line(remote)
        ));
        return Ok(0);
    }
    let mut checkup = crate::app::doctor(context, args.mend);
    checkup.findings.insert(0, Config::finding());
    match seen.json {
        true => seen.json(&in_json(&checkup))?,
        false => seen.result(&in_words(&checkup, args.mend))?,
    }
    Ok(exit_code(&checkup))
}

fn exit_code(checkup: &Checkup) -> u8 {
    match checkup.worst() {
        None => 0,
        Some(Kind::Tampered) => 4,
        Some(Kind::Unknown) => 5,
        Some(_) => 1,
    }
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Fine => "fine",
        Level::Look => "look at it",
        Level::Wrong => "wrong",
    }
}

fn in_words(checkup: &Checkup, mend: bool) -> String {
    let mut text = String::new();
    for done in &checkup.mended {
        text.push_str(&format!("{:<11} {}\n", "mended", out::one_line(done)));
    }
    for finding in &checkup.findings {
        let told = out::one_line(&finding.words);
        text.push_str(&format!("{:<11} {}: {told}\n", level(finding.level), finding.about));
        let mending = (finding.mendable && !mend).then_some("`strongroom doctor --mend` does it");
        for advice in finding.advice.iter().map(String::as_str).chain(mending) {
            text.push_str(&format!("{:<11}   {}\n", "", out::one_line(advice)));
        }
    }
    let wrong = checkup.findings.iter().filter(|finding| finding.level == Level::Wrong);
    text.push_str(&match wrong.count() {
        0 => "nothing is wrong\n".to_owned(),
        n => format!("{}\n", counted(n, "thing is wrong", "things are wrong")),
    });
    text
}

fn in_json(checkup: &Checkup) -> serde_json::Value {
    let findings = checkup.findings.iter().map(|finding| {
        json!({
            "about": finding.about,
            "level": match finding.level {
                Level::Fine => "fine",
                Level::Look => "look",
                Level::Wrong => "wrong",
            },
            "message": finding.words,
            "advice": finding.advice,
            "mendable": finding.mendable,
        })
    });
    json!({
        "verdict": match checkup.worst() {
            None => "fine",
            Some(Kind::Tampered) => "tampered",
            Some(Kind::Unknown) => "unknown",
            Some(_) => "wrong",
        },
        "findings": findings.collect::<Vec<_>>(),
        "mended": checkup.mended,
    })
}
