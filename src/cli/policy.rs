//! The policies, for people: what they say, whether they are sound, what they decide; and changing them.

use super::args::{PolicyCommand, PolicyEditArgs, PolicyExplainArgs};
use super::out;
use super::terminal::{self, Seen};
use super::words::counted;
use crate::app::{
    Context, Error, ExplainQuery, Explained, Kind, NewPolicies, Policies, PolicyChanges, PolicyCheck, PolicyEdit,
    PolicyTest,
};
use serde_json::{Value, json};

/// `policy`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, command: &PolicyCommand) -> Result<u8, Error> {
    match command {
        PolicyCommand::List => list(seen, &crate::app::read_policies(context)?),
        PolicyCommand::Show { what } => show(seen, &crate::app::read_policies(context)?, what.as_deref()),
        PolicyCommand::Check { folder } => checked(seen, &crate::app::check_policies(context, folder)?),
        PolicyCommand::Edit(args) => edit(context, seen, args),
        PolicyCommand::Ack { list: false } => acknowledge(context, seen),
        PolicyCommand::Ack { list: true } => acknowledgements(context, seen),
        PolicyCommand::Explain(args) => explain(context, seen, args),
        PolicyCommand::Test { shipped } => {
            let tests = crate::app::test_policies(context, *shipped)?;
            tested(seen, &tests)
        }
    }
}

fn acknowledge(context: &Context<'_>, seen: &Seen<'_>) -> Result<u8, Error> {
    let done = crate::app::acknowledge_policies(context)?;
    if seen.json {
        seen.json(&json!({
            "policies": done.policies.to_string(),
            "acknowledged": done.time.to_string(),
            "entry": done.entry.to_string(),
            "changed": done.changed,
            "due": done.due.to_string(),
        }))?;
        return Ok(0);
    }
    let digest = &done.policies.to_string()[..16];
    seen.remark(&match done.changed {
        true => format!(
            "acknowledged the policies {digest}…; again by {}, or when they change",
            done.due
        ),
        false => format!(
            "you acknowledged these policies on {}; again by {}, or when they change",
            done.time, done.due
        ),
    });
    Ok(0)
}

fn acknowledgements(context: &Context<'_>, seen: &Seen<'_>) -> Result<u8, Error> {
    let lines = crate::app::list_acknowledgements(context)?;
    if seen.json {
        let line = |line: &crate::app::Acknowledgement| {
            json!({
                "handle": line.handle,
                "acknowledged": line.time.map(|time| time.to_string()),
                "current": line.current,
                "due": line.due.to_string(),
                "overdue": line.overdue,
            })
        };
        seen.json(&lines.iter().map(line).collect::<Vec<_>>())?;
        return Ok(0);
    }
    let row = |line: &crate::app::Acknowledgement| {
        let time = line.time.map(|time| time.to_string()).unwrap_or_else(|| "never".into());
        let due = format!("{}{}", line.due, if line.overdue { ", overdue" } else { "" });
        vec![
            line.handle.clone(),
            time,
            if line.current { "yes" } else { "no" }.into(),
            due,
        ]
    };
    seen.table(
        &["who", "acknowledged", "these", "due"],
        lines.iter().map(row).collect(),
    )?;
    Ok(0)
}

fn list(seen: &Seen<'_>, policies: &Policies) -> Result<u8, Error> {
    if seen.json {
        let file = |file: &crate::app::PolicyFile| json!({ "file": file.path, "governs": file.governs });
        seen.json(&json!({
            "digest": policies.digest.to_string(),
            "files": policies.files.iter().map(file).collect::<Vec<_>>(),
        }))?;
        return Ok(0);
    }
    let rows = policies
        .files
        .iter()
        .map(|file| vec![file.path.clone(), file.governs.to_owned()]);
    seen.table(&["file", "governs"], rows.collect())?;
    seen.remark(&format!("digest {}", policies.digest));
    Ok(0)
}

fn show(seen: &Seen<'_>, policies: &Policies, what: Option<&str>) -> Result<u8, Error> {
    let Some(what) = what else {
        if seen.json {
            seen.json(&json!({
                "digest": policies.digest.to_string(),
                "levels": levels_json(policies),
                "default_label": policies.default,
                "purposes": purposes_json(policies),
                "rules": rules_json(&policies.rules),
                "profiles": profiles_json(policies),
            }))?;
            return Ok(0);
        }
        for (heading, part) in [
            ("Levels, from the widest circle to the narrowest", levels as Part),
            ("\nPurposes: what a note may be opened for", purposes),
            ("\nRules: what none allows is denied, and one that forbids wins", rules),
            ("\nRedaction profiles: what a brief leaves out", profiles),
        ] {
            seen.result(&format!("{heading}\n"))?;
            part(seen, policies)?;
        }
        return Ok(0);
    };
    let file = policies.files.iter().find(|file| file.path == what);
    let file = file.or_else(|| {
        let of_a_profile = format!("redaction/{what}.toml");
        policies.files.iter().find(|file| file.path == of_a_profile)
    });
    match (what, file) {
        ("levels", _) if seen.json => seen.json(&levels_json(policies))?,
        ("purposes", _) if seen.json => seen.json(&purposes_json(policies))?,
        ("rules", _) if seen.json => seen.json(&rules_json(&policies.rules))?,
        ("levels", _) => levels(seen, policies)?,
        ("purposes", _) => purposes(seen, policies)?,
        ("rules", _) => rules(seen, policies)?,
        (_, Some(file)) if seen.json => {
            seen.json(&json!({ "file": file.path, "governs": file.governs, "text": file.text }))?;
        }
        (_, Some(file)) => seen.result(&out::plain(&file.text))?,
        (_, None) => {
            let what = out::one_line(&what.chars().take(64).collect::<String>());
            return Err(Error::new(Kind::Usage, format!("the policies have no `{what}`")).hint(
                "say `levels`, `purposes`, `rules`, the name of a redaction profile, or a file that `strongroom policy list` shows",
            ));
        }
    }
    Ok(0)
}

type Part = fn(&Seen<'_>, &Policies) -> Result<(), Error>;

fn levels(seen: &Seen<'_>, policies: &Policies) -> Result<(), Error> {
    let capped = policies.levels.iter().any(|info| info.rules.offline_at_most.is_some());
    let renamed = policies.levels.iter().any(|info| info.rules.name != info.level.name());
    let row = |info: &crate::app::LevelInfo| {
        let asks = [
            (info.rules.purpose_required, "purpose"),
            (info.rules.reason_required, "reason"),
        ];
        let asks: Vec<&str> = asks.iter().filter(|(asked, _)| *asked).map(|(_, what)| *what).collect();
        let mut row = vec![
            out::one_line(&info.rules.name),
            info.rules.mark.clone(),
            asks.join(", "),
            if info.rules.second_person_for_release {
                "second person"
            } else {
                ""
            }
            .to_owned(),
            info.rules
                .review_after
                .map_or("never".to_owned(), |period| format!("after {period}")),
        ];
        if capped {
            let cap = info.rules.offline_at_most;
            row.push(cap.map_or_else(String::new, |cap| format!("within {cap} after a sync")));
        }
        if renamed {
            row.insert(1, info.level.name().to_owned());
        }
        row
    };
    let mut head = vec!["level", "mark", "opening needs", "release needs", "review"];
    if capped {
        head.push("opened");
    }
    if renamed {
        head.insert(1, "in files");
    }
    seen.table(&head, policies.levels.iter().map(row).collect())?;
    let default = match &policies.default {
        Some(name) => format!("{}.", out::one_line(name)),
        None => "the strictest level below the last that its author is cleared for.".to_owned(),
    };
    seen.result(&format!(" A note without a label gets {default}\n"))
}

fn purposes(seen: &Seen<'_>, policies: &Policies) -> Result<(), Error> {
    let row = |purpose: &crate::app::shared::Purpose| vec![purpose.code.clone(), out::one_line(&purpose.description)];
    seen.table(&["code", "means"], policies.purposes.iter().map(row).collect())
}

fn rules(seen: &Seen<'_>, policies: &Policies) -> Result<(), Error> {
    let row = |rule: &crate::app::shared::RuleSummary| {
        vec![effect(rule).to_owned(), rule.id.clone(), out::one_line(&rule.why)]
    };
    let mut rows: Vec<Vec<String>> = policies.rules.iter().map(row).collect();
    // Those that allow, then those that forbid.
    rows.sort();
    seen.table(&["effect", "rule", "why"], rows)
}

fn profiles(seen: &Seen<'_>, policies: &Policies) -> Result<(), Error> {
    let row = |profile: &crate::app::ProfileInfo| {
        vec![
            profile.name.clone(),
            out::one_line(&profile.lowest),
            out::one_line(&profile.handling),
        ]
    };
    seen.table(
        &["profile", "lowest level", "handling"],
        policies.profiles.iter().map(row).collect(),
    )
}

fn effect(rule: &crate::app::shared::RuleSummary) -> &'static str {
    if rule.forbids { "forbids" } else { "allows" }
}

fn levels_json(policies: &Policies) -> Value {
    let level = |info: &crate::app::LevelInfo| {
        json!({
            "level": info.level.name(),
            "name": info.rules.name,
            "mark": info.rules.mark,
            "purpose_required": info.rules.purpose_required,
            "reason_required": info.rules.reason_required,
            "second_person_for_release": info.rules.second_person_for_release,
            "review_after": info.rules.review_after.map(|period| period.to_string()),
            "offline_at_most": info.rules.offline_at_most.map(|period| period.to_string()),
        })
    };
    json!(policies.levels.iter().map(level).collect::<Vec<_>>())
}

fn purposes_json(policies: &Policies) -> Value {
    let purpose =
        |purpose: &crate::app::shared::Purpose| json!({ "code": purpose.code, "description": purpose.description });
    json!(policies.purposes.iter().map(purpose).collect::<Vec<_>>())
}

fn rules_json(rules: &[crate::app::shared::RuleSummary]) -> Value {
    let rule =
        |rule: &crate::app::shared::RuleSummary| json!({ "rule": rule.id, "effect": effect(rule), "why": rule.why });
    json!(rules.iter().map(rule).collect::<Vec<_>>())
}

fn profiles_json(policies: &Policies) -> Value {
    let profile = |profile: &crate::app::ProfileInfo| json!({ "profile": profile.name, "lowest": profile.lowest, "handling": profile.handling });
    json!(policies.profiles.iter().map(profile).collect::<Vec<_>>())
}

/// Faults, or if there are none how the cases went.
fn checked(seen: &Seen<'_>, checked: &PolicyCheck) -> Result<u8, Error> {
    let code = u8::from(!checked.passed());
    if seen.json {
        let fault =
            |fault: &crate::app::PolicyFault| json!({ "file": fault.file, "line": fault.line, "reason": fault.reason });
        seen.json(&json!({
            "sound": checked.passed(),
            "faults": checked.faults.iter().map(fault).collect::<Vec<_>>(),
            "cases": tests_json(&checked.tests),
        }))?;
        return Ok(code);
    }
    if checked.faults.is_empty() {
        return tested(seen, &checked.tests);
    }
    let faults: String = checked
        .faults
        .iter()
        .map(|fault| format!("{}\n", out::plain(&fault.to_string())))
        .collect();
    seen.result(&faults)?;
    seen.result(&format!(
        "{}; no cases were run\n",
        counted(checked.faults.len(), "fault", "faults")
    ))?;
    Ok(code)
}

fn tests_json(tests: &[PolicyTest]) -> Value {
    let case =
        |test: &PolicyTest| json!({ "file": test.file, "case": test.name, "passed": test.passed, "note": test.note });
    json!(tests.iter().map(case).collect::<Vec<_>>())
}

fn tested(seen: &Seen<'_>, tests: &[PolicyTest]) -> Result<u8, Error> {
    let failed: Vec<&PolicyTest> = tests.iter().filter(|test| !test.passed).collect();
    if seen.json {
        seen.json(&tests_json(tests))?;
    } else {
        let bad = |test: &&PolicyTest| {
            let (name, note) = (out::one_line(&test.name), out::one_line(&test.note));
            format!("{}: {name}: {note}\n", test.file)
        };
        seen.result(&failed.iter().map(bad).collect::<String>())?;
        seen.result(&format!("{} cases, {} failed\n", tests.len(), failed.len()))?;
    }
    Ok(u8::from(!failed.is_empty()))
}

fn edit(context: &Context<'_>, seen: &Seen<'_>, args: &PolicyEditArgs) -> Result<u8, Error> {
    let new = match &args.file {
        None => NewPolicies::Folder(args.from.clone()),
        Some(path) => NewPolicies::File {
            path: path.clone(),
            content: terminal::read(seen.terminal, Some(&args.from))?,
        },
    };
    let confirm = |changes: &PolicyChanges| {
        if seen.yes {
            return Ok(true);
        }
        told(seen, changes);
        match seen.terminal.line("put these policies in force? y/N ") {
            Some(answer) => Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str())),
            None => Err(Error::new(
                Kind::Usage,
                "this has to be confirmed, and nobody can be asked; nothing was changed",
            )
            .hint("to put them in force unasked: --yes")),
        }
    };
    match crate::app::edit_policies(context, new, confirm)? {
        PolicyEdit::Refused(check) => {
            let code = checked(seen, &check)?;
            seen.remark("nothing was changed: the vault takes policies without faults, all of whose cases pass");
            Ok(code)
        }
        PolicyEdit::Same => {
            match seen.json {
                true => seen.json(&json!({ "changed": false }))?,
                false => seen.remark("these are the vault's policies already; nothing was changed"),
            }
            Ok(0)
        }
        PolicyEdit::Left => {
            match seen.json {
                true => seen.json(&json!({ "changed": false }))?,
                false => seen.remark("nothing was changed"),
            }
            Ok(1)
        }
        PolicyEdit::Done { changes, digest, entry } => {
            if seen.json {
                seen.json(&json!({
                    "changed": true,
                    "digest": digest.to_string(),
                    "entry": entry.to_string(),
                    "files": { "added": changes.added, "changed": changes.changed, "removed": changes.removed },
                }))?;
            } else {
                if seen.yes {
                    told(seen, &changes);
                }
                seen.remark(&format!("in force from now on; digest {digest}"));
            }
            Ok(0)
        }
    }
}

fn told(seen: &Seen<'_>, changes: &PolicyChanges) {
    for (word, files) in [
        ("new", &changes.added),
        ("changed", &changes.changed),
        ("removed", &changes.removed),
    ] {
        files
            .iter()
            .for_each(|file| seen.terminal.remark(&format!("{word:<8} {file}")));
    }
}

fn explain(context: &Context<'_>, seen: &Seen<'_>, args: &PolicyExplainArgs) -> Result<u8, Error> {
    let query = ExplainQuery {
        action: args.action.clone(),
        note: args.id.clone(),
        label: args.label.clone(),
        audience: args.audience.clone(),
    };
    let explained = crate::app::explain_policy(context, &query)?;
    let explanation = &explained.explanation;
    let decision = if explanation.permitted { "allowed" } else { "denied" };
    if seen.json {
        seen.json(&json!({
            "action": explained.action.name(),
            "kind": explained.kind,
            "label": explained.label,
            "decision": decision,
            "rules": rules_json(&explanation.rules),
            "failed": explanation.failed,
            "ways": explanation.ways,
            "duties": explanation.duties,
            "offline": explanation.offline,
        }))?;
        return Ok(0);
    }
    seen.result(&out::plain(&in_words(&explained, decision)))?;
    Ok(0)
}

/// An explained decision, to be read from the top: what, why, and what to do.
fn in_words(explained: &Explained, decision: &str) -> String {
    let explanation = &explained.explanation;
    let about = match (&explained.label, explained.exists) {
        (Some(label), true) => format!(", for this note ({})", out::one_line(label)),
        (Some(label), false) => format!(", for a note labelled {}", out::one_line(label)),
        (None, _) => String::new(),
    };
    let mut text = format!("{decision}: {}{about}\n", explained.action);
    for rule in &explanation.rules {
        text.push_str(&format!(
            "  {} {}: {}\n",
            rule.id,
            effect(rule),
            out::one_line(&rule.why)
        ));
    }
    for rule in &explanation.failed {
        text.push_str(&format!(
            "  {rule} could not be evaluated, so nothing is allowed: a lead must mend it (`strongroom policy test`)\n"
        ));
    }
    let unexplained = explanation.rules.is_empty() && explanation.failed.is_empty() && !explanation.late;
    if !explanation.permitted && unexplained {
        text.push_str("  no rule allows it to you\n");
    }
    if let Some(cap) = &explanation.offline {
        text.push_str(&format!("  {cap}\n"));
    }
    let ways: Vec<String> = explanation.ways.iter().map(|way| way.join("; and ")).collect();
    match ways.as_slice() {
        [] if explanation.permitted => {}
        [] => text.push_str("nothing that could be said or given would change that; only the rules themselves\n"),
        [only] => text.push_str(&format!("it would be allowed with {only}\n")),
        several => {
            text.push_str("it would be allowed with one of these:\n");
            several.iter().for_each(|way| text.push_str(&format!("  {way}\n")));
        }
    }
    explanation
        .duties
        .iter()
        .for_each(|duty| text.push_str(&format!("  then {duty}\n")));
    text
}
