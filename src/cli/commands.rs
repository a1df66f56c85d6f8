//! From arguments to a use case, and from its result to what is seen.

use super::args::{
    Args, AuditCommand, BriefCommand, Command, Common, CompartmentCommand, FormatArg, PolicyCommand, RecoveryCommand,
};
use super::ask::{self, AtTheTerminal};
use super::{out, redact, tour};
use crate::app::shared::{Format, Problem, Report, Time, Verdict};
use crate::app::{
    Access, Clock, Context, DraftQuery, Error, Init, Inited, Kind, ListQuery, NewText, NoteLine, PassphraseSource,
    Places, ReleaseQuery,
};
use serde_json::json;
use std::path::{Path, PathBuf};

pub(super) fn run(args: &Args) -> Result<u8, Error> {
    if let Command::Tour = args.command {
        return tour::run();
    }
    if let Command::Redact { file, profile, jsonl } = &args.command {
        return match jsonl {
            true => redact::lines(file.as_deref(), profile),
            false => redact::whole(file.as_deref(), profile, args.common.json, args.common.quiet),
        };
    }
    let person = AtTheTerminal {
        may_ask: !args.common.no_input,
    };
    let context = context(&args.common, &person)?;
    let seen = Seen {
        json: args.common.json,
        quiet: args.common.quiet,
    };
    match &args.command {
        Command::Tour | Command::Redact { .. } => Ok(0),
        Command::Init {
            name,
            recovery_key,
            insist,
        } => {
            let init = Init {
                name: name.clone(),
                recovery_key: recovery_key.clone(),
                insist: *insist,
            };
            seen.inited(
                &crate::app::init(&context, &init)?,
                "no recovery key was made: without the identity file and its passphrase nothing can be opened",
            )
        }
        Command::Add {
            text,
            file,
            title,
            client,
            case,
            label,
            at,
            fields,
        } => {
            let new = NewText {
                title: title.clone(),
                client: client.clone(),
                case: case.clone(),
                label: label.clone(),
                at: at.as_deref().map(time).transpose()?,
                fields: fields.iter().map(|field| field_of(field)).collect::<Result<_, _>>()?,
            };
            let added = crate::app::add(&context, new, || {
                note_text(text.as_deref(), file.as_deref(), person.may_ask)
            })?;
            if seen.json {
                let (id, entry) = (added.id.to_string(), added.entry.to_string());
                out::json(&json!({ "id": id, "revision": added.revision, "label": added.label, "entry": entry }))?;
            } else {
                out::result(&format!("{}\n", added.id))?;
                seen.remark(&format!("recorded as {}", added.label));
            }
            Ok(0)
        }
        Command::Show { id } => seen.shown(&crate::app::show(&context, id)?),
        Command::List {
            client,
            case,
            label,
            since,
            until,
            limit,
        } => {
            let query = ListQuery {
                client: client.clone(),
                case: case.clone(),
                label: label.clone(),
                since: since.as_deref().map(time).transpose()?,
                until: until.as_deref().map(time).transpose()?,
                limit: *limit,
            };
            seen.list(
                &crate::app::list(&context, &query)?,
                if [client, case, label, since, until]
                    .iter()
                    .any(|filter| filter.is_some())
                {
                    "nothing matches; names and labels are compared as a whole"
                } else {
                    "no notes that you may read"
                },
            )
        }
        Command::Brief(command) => brief(&context, &seen, command),
        Command::Audit(command) => audit(&context, &seen, command),
        Command::Compartment(CompartmentCommand::New { name }) => {
            let made = crate::app::new_compartment(&context, name)?;
            match seen.json {
                true => out::json(
                    &json!({ "id": made.id.to_string(), "name": made.name, "entry": made.entry.map(|e| e.to_string()) }),
                )?,
                false => seen.remark(&format!("compartment `{}` made", out::one_line(&made.name))),
            }
            Ok(0)
        }
        Command::Compartment(CompartmentCommand::List) => {
            let list = crate::app::list_compartments(&context)?;
            if seen.json {
                let list: Vec<_> = list
                    .iter()
                    .map(|c| json!({ "id": c.id.to_string(), "name": c.name }))
                    .collect();
                out::json(&json!(list))?;
            } else {
                let names: String = list.iter().map(|c| format!("{}\n", out::one_line(&c.name))).collect();
                out::result(&names)?;
            }
            Ok(0)
        }
        Command::Policy(PolicyCommand::Test { shipped }) => policy_test(&context, &seen, *shipped),
        Command::Recovery(RecoveryCommand::Use { file, insist }) => seen.inited(
            &crate::app::recover(&context, file, *insist)?,
            "the recovery key stays good: put the page back in its safe place",
        ),
    }
}

fn context<'a>(common: &Common, person: &'a AtTheTerminal) -> Result<Context<'a>, Error> {
    let source = match (var("STRONGROOM_PASSPHRASE_FILE"), var("STRONGROOM_PASSPHRASE_COMMAND")) {
        (Some(file), _) => Some(PassphraseSource::File(PathBuf::from(file))),
        (None, Some(command)) => Some(PassphraseSource::Command(command)),
        (None, None) => None,
    };
    Ok(Context {
        places: Places::of_this_run(common.vault.as_deref(), common.identity.as_deref())?,
        clock: Clock::of_this_run().map_err(|bad| Error::new(Kind::Usage, bad.to_string()))?,
        source,
        person,
        access: Access {
            purpose: common.purpose.clone(),
            reason: common.why.clone(),
        },
    })
}

fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A time as people write one for a program: RFC 3339 with `Z` or an offset, or a day, which begins at midnight UTC.
fn time(text: &str) -> Result<Time, Error> {
    let whole = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    let stamp: Result<jiff::Timestamp, _> = whole.parse();
    stamp.map(|stamp| Time::from_unix(stamp.as_second())).map_err(|_| {
        Error::new(Kind::Usage, format!("`{}` is not a time", out::one_line(text)))
            .hint("write it as 2026-11-21T06:40:00Z (UTC), 2026-11-21T07:40:00+01:00, or 2026-11-21 for a day")
    })
}

fn field_of(text: &str) -> Result<(String, String), Error> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Error::new(
            Kind::Usage,
            format!("a field is written NAME=VALUE, `{}` is not", out::one_line(text)),
        )),
    }
}

/// The text of a note: as an argument, from a file, from a pipe, or asked for.
fn note_text(text: Option<&str>, file: Option<&Path>, may_ask: bool) -> Result<Vec<u8>, Error> {
    match (text, file) {
        (_, Some(path)) => redact::read(Some(path)),
        (Some(text), None) if text != "-" => Ok(text.as_bytes().to_vec()),
        _ => match ask::text(may_ask) {
            Some(text) => Ok(text),
            None if ask::nobody_types() => redact::read(None),
            None => Err(Error::new(
                Kind::Usage,
                "the note has no text, and asking for it was forbidden",
            )),
        },
    }
}

/// How results are shown.
struct Seen {
    json: bool,
    quiet: bool,
}

impl Seen {
    fn remark(&self, text: &str) {
        if !self.quiet {
            out::say(text);
        }
    }

    fn inited(&self, made: &Inited, without_page: &str) -> Result<u8, Error> {
        if self.json {
            out::json(&json!({
                "vault": made.vault.to_string(),
                "path": made.path,
                "identity": made.identity,
                "handle": made.handle,
                "founder": made.fingerprint.to_string(),
                "recovery_key": made.recovery,
            }))?;
            return Ok(0);
        }
        self.remark(&format!("vault     {}", made.path.display()));
        self.remark(&format!(
            "identity  {} (you are {})",
            made.identity.display(),
            made.handle
        ));
        self.remark(&format!("founder   {}", made.fingerprint));
        match &made.recovery {
            Some(page) => self.remark(&format!(
                "recovery  {}: print it, put it in a safe place, delete the file",
                page.display()
            )),
            None => self.remark(without_page),
        }
        Ok(0)
    }

    fn shown(&self, shown: &crate::app::Shown) -> Result<u8, Error> {
        let metadata = &shown.note.metadata;
        let day = |seconds| Time::from_unix(seconds).to_string();
        if self.json {
            out::json(&json!({
                "id": shown.note.note.to_string(),
                "revision": metadata.number,
                "title": metadata.title,
                "client": metadata.client,
                "case": metadata.case,
                "label": shown.label,
                "created": day(metadata.created),
                "modified": day(metadata.modified),
                "happened": metadata.happened.map(day),
                "author": shown.author,
                "fields": metadata.fields.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<serde_json::Map<_, _>>(),
                "body": shown.body(),
                "attachments": [],
            }))?;
            return Ok(0);
        }
        let mut head = format!(
            "{}\n{} · {}\n",
            out::one_line(&metadata.title),
            out::one_line(&shown.label),
            shown.mark
        );
        let mut facts = Vec::new();
        if !metadata.client.is_empty() {
            facts.push(format!("client {}", out::one_line(&metadata.client)));
        }
        if !metadata.case.is_empty() {
            facts.push(format!("case {}", out::one_line(&metadata.case)));
        }
        facts.extend(
            metadata
                .fields
                .iter()
                .map(|(name, value)| format!("{} {}", out::one_line(name), out::one_line(value))),
        );
        if !facts.is_empty() {
            head.push_str(&format!("{}\n", facts.join(" · ")));
        }
        if let Some(happened) = metadata.happened {
            head.push_str(&format!("happened {}\n", day(happened)));
        }
        head.push_str(&format!(
            "written {} by {} · {}\n\n",
            day(metadata.modified),
            shown.author,
            shown.note.note
        ));
        let body = out::plain(&shown.body());
        out::result(&head)?;
        out::result(&body)?;
        if !body.ends_with('\n') {
            out::result("\n")?;
        }
        Ok(0)
    }

    fn list(&self, lines: &[NoteLine], nothing: &str) -> Result<u8, Error> {
        let time = |seconds| Time::from_unix(seconds).to_string();
        if self.json {
            let line = |line: &NoteLine| {
                let metadata = &line.listed.metadata;
                json!({
                    "id": line.listed.note.to_string(),
                    "title": metadata.title,
                    "client": metadata.client,
                    "case": metadata.case,
                    "label": line.label,
                    "modified": time(metadata.modified),
                })
            };
            out::json(&json!(lines.iter().map(line).collect::<Vec<_>>()))?;
            return Ok(0);
        }
        if lines.is_empty() {
            self.remark(nothing);
            return Ok(0);
        }
        let row = |line: &NoteLine| {
            let metadata = &line.listed.metadata;
            let id = line.listed.note.to_string();
            let when = time(metadata.modified);
            vec![
                id[..8].to_owned(),
                when[..10].to_owned(),
                out::one_line(&line.label),
                out::one_line(&metadata.client),
                out::one_line(&metadata.title),
            ]
        };
        out::result(&out::table(
            &["id", "modified", "label", "client", "title"],
            lines.iter().map(row).collect(),
        ))?;
        Ok(0)
    }
}

fn brief(context: &Context<'_>, seen: &Seen, command: &BriefCommand) -> Result<u8, Error> {
    match command {
        BriefCommand::Draft {
            ids,
            profile,
            audience,
            mask,
            allow,
        } => {
            let query = DraftQuery {
                sources: ids.clone(),
                profile: profile.clone(),
                audience: audience.clone(),
                mask: mask.clone(),
                allow: allow.clone(),
            };
            let drafted = crate::app::draft_brief(context, &query)?;
            if seen.json {
                let doubt = |doubt: &crate::app::shared::Doubt| json!({ "start": doubt.start, "end": doubt.end, "text": doubt.text, "why": doubt.why });
                out::json(&json!({
                    "draft": drafted.draft.to_string(),
                    "label": drafted.label,
                    "text": drafted.text,
                    "removed": drafted.removed,
                    "doubtful": drafted.doubtful.iter().map(doubt).collect::<Vec<_>>(),
                    "left_out": drafted.left_out,
                    "entry": drafted.entry.to_string(),
                }))?;
                return Ok(0);
            }
            out::result(&format!("{}\n", out::plain(&drafted.text)))?;
            let removed: Vec<String> = drafted
                .removed
                .iter()
                .map(|(kind, count)| format!("{count} {}", in_words(kind)))
                .collect();
            let removed = if removed.is_empty() {
                "nothing".to_owned()
            } else {
                removed.join(", ")
            };
            seen.remark(&format!(
                "\ndraft {} for {} ({})",
                drafted.draft, drafted.label, drafted.mark
            ));
            seen.remark(&format!(
                "removed: {removed}; left out whole: {}",
                counted(drafted.left_out, "portion", "portions")
            ));
            if !seen.quiet {
                out::doubts(&drafted.doubtful);
            }
            Ok(0)
        }
        BriefCommand::Release {
            draft,
            to,
            out: file,
            format,
            until,
        } => {
            let format = match format {
                FormatArg::Md => Format::Markdown,
                FormatArg::Html => Format::Html,
                FormatArg::Txt => Format::Text,
                FormatArg::Json => Format::Json,
            };
            let expires = until.as_deref().map(time).transpose()?;
            let released = crate::app::release_brief(
                context,
                &ReleaseQuery {
                    draft: draft.clone(),
                    to: to.clone(),
                    format,
                    expires,
                    out: file.clone(),
                },
            )?;
            if file.is_none() && !seen.json {
                out::result(&released.text)?;
            }
            if seen.json {
                out::json(&json!({
                    "brief": released.brief.to_string(),
                    "label": released.label,
                    "sha256": released.sha256.to_string(),
                    "entry": released.entry.to_string(),
                }))?;
            } else {
                let apart = if file.is_none() { "\n" } else { "" };
                seen.remark(&format!(
                    "{apart}released as {} to {}",
                    released.brief,
                    out::one_line(&to.join(", "))
                ));
            }
            Ok(0)
        }
        BriefCommand::Check { file, profile } => {
            let text = redact::read(Some(file))?;
            let checked = crate::app::check_brief(context, &text, profile)?;
            let safe = checked.leaks.is_empty();
            if seen.json {
                let leak = |leak: &crate::app::shared::Leak| json!({ "start": leak.start, "end": leak.end, "type": leak.kind.coarse().name() });
                out::json(&json!({ "safe": safe, "leaks": checked.leaks.iter().map(leak).collect::<Vec<_>>() }))?;
            } else if safe {
                out::result("nothing found that the vault or the patterns know; read it yourself all the same\n")?;
            } else {
                let text = String::from_utf8_lossy(&text);
                let line = |leak: &crate::app::shared::Leak| {
                    let number = 1 + text.chars().take(leak.start).filter(|c| *c == '\n').count();
                    let found: String = text.chars().skip(leak.start).take(leak.end - leak.start).collect();
                    format!(
                        "line {number}: `{}` ({})\n",
                        out::one_line(&found),
                        in_words(leak.kind.coarse().name())
                    )
                };
                out::result(&checked.leaks.iter().map(line).collect::<String>())?;
                seen.remark("not safe to share");
            }
            Ok(if safe { 0 } else { 3 })
        }
        BriefCommand::List => seen.list(
            &crate::app::list_briefs(context)?,
            "no drafts or briefs that you may read",
        ),
    }
}

fn audit(context: &Context<'_>, seen: &Seen, command: &AuditCommand) -> Result<u8, Error> {
    match command {
        AuditCommand::Verify { since_receipt, deep } => {
            let report = crate::app::verify(context, since_receipt.as_deref(), *deep)?;
            verified(seen, &report, since_receipt.is_some())
        }
        AuditCommand::Receipt { out: file } => {
            let text = crate::app::receipt(context, file.as_deref())?;
            match file {
                None => out::result(&text)?,
                Some(path) => seen.remark(&format!(
                    "receipt written to {}: keep it away from the vault",
                    path.display()
                )),
            }
            Ok(0)
        }
        AuditCommand::Log => {
            let lines = crate::app::log(context)?;
            if seen.json {
                let text: String = lines
                    .iter()
                    .map(|line| format!("{}\n", out::json_text(&line.to_json())))
                    .collect();
                out::result(&text)?;
                return Ok(0);
            }
            let row = |line: &crate::app::LogLine| {
                let notes: Vec<String> = line
                    .notes
                    .iter()
                    .take(3)
                    .map(|note| note.to_string()[..8].to_owned())
                    .collect();
                let more = line.notes.len().saturating_sub(3);
                let notes = if more > 0 {
                    format!("{} +{more}", notes.join(" "))
                } else {
                    notes.join(" ")
                };
                let details = line.details.as_ref();
                let why = details
                    .into_iter()
                    .flat_map(|details| [&details.purpose, &details.reason]);
                let mut why: Vec<String> = why.flatten().cloned().collect();
                if let Some(details) = &line.details {
                    if !details.recipients.is_empty() {
                        why.insert(0, format!("to {}", details.recipients.join(", ")));
                    }
                    if let (Some(first), count) = (details.times.first(), details.times.len()) {
                        why.push(format!(
                            "{count} wrong passphrase(s), the first at {}",
                            Time::from_unix(*first)
                        ));
                    }
                }
                vec![
                    line.entry.seq.to_string(),
                    line.entry.time.to_string(),
                    line.actor.clone(),
                    line.verb().to_owned(),
                    line.result().to_owned(),
                    notes,
                    out::one_line(&why.join(": ")),
                ]
            };
            out::result(&out::table(
                &["seq", "time", "who", "what", "result", "notes", "why"],
                lines.iter().map(row).collect(),
            ))?;
            Ok(0)
        }
    }
}

/// How many problems a person is shown: one cause has many consequences.
const SHOWN_MAX: usize = 10;

/// `1 entry`, `2 entries`.
fn counted(count: impl TryInto<u64>, one: &str, several: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    }
}

/// The type of a removed thing as it is said: `ID_NUMBER` is for programs.
fn in_words(kind: &str) -> String {
    kind.to_lowercase().replace('_', " ")
}

fn verified(seen: &Seen, report: &Report, receipt: bool) -> Result<u8, Error> {
    let (word, code) = match report.verdict {
        Verdict::Intact => ("intact", 0),
        Verdict::Tampered => ("tampered", 4),
        Verdict::Unknown => ("unknown", 5),
    };
    let mut all: Vec<&Problem> = report.problems.iter().chain(&report.unknown).collect();
    // What is wrong inside a log comes before what follows from it outside.
    all.sort_by_key(|problem| problem.case);
    if seen.json {
        let problem = |problem: &Problem| {
            json!({
                "log": problem.log.map(|log| log.to_string()),
                "seq": problem.seq,
                "case": problem.case,
                "message": problem.message,
            })
        };
        out::json(&json!({
            "verdict": word,
            "anchored": report.anchored,
            "entries": report.entries,
            "logs": report.logs.iter().map(|(log, size, root)| json!({ "log": log.to_string(), "size": size, "root": root.to_string() })).collect::<Vec<_>>(),
            "problems": all.iter().copied().map(problem).collect::<Vec<_>>(),
            "findings": report.findings.iter().map(problem).collect::<Vec<_>>(),
        }))?;
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
    for finding in &report.findings {
        text.push_str(&format!(
            "  finding [{}]{} {}\n",
            finding.case,
            place(finding),
            out::one_line(&finding.message)
        ));
    }
    out::result(&text)?;
    if !report.anchored && report.verdict != Verdict::Tampered {
        seen.remark("unanchored: nothing from outside the repository was given, so a vault replaced as a whole looks intact (--since-receipt)");
    }
    Ok(code)
}

fn policy_test(context: &Context<'_>, seen: &Seen, shipped: bool) -> Result<u8, Error> {
    let results = crate::app::test_policies(context, shipped)?;
    let failed = results.iter().filter(|result| !result.passed).count();
    if seen.json {
        let case = |test: &crate::app::PolicyTest| json!({ "file": test.file, "case": test.name, "passed": test.passed, "note": test.note });
        out::json(&json!(results.iter().map(case).collect::<Vec<_>>()))?;
    } else {
        let bad = |test: &crate::app::PolicyTest| {
            format!(
                "{}: {}: {}\n",
                test.file,
                out::one_line(&test.name),
                out::one_line(&test.note)
            )
        };
        out::result(&results.iter().filter(|test| !test.passed).map(bad).collect::<String>())?;
        out::result(&format!("{} cases, {failed} failed\n", results.len()))?;
    }
    Ok(u8::from(failed > 0))
}
