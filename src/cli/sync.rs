//! Other repositories: `clone`, `remote`, `sync`.

use super::args::{CloneArgs, RemoteCommand};
use super::audit;
use super::backup::WRITES_ON;
use super::out;
use super::terminal::Seen;
use super::words::counted;
use crate::app::shared::Fingerprint;
use crate::app::{Context, Error, Kind, Synced};
use serde_json::{Value, json};

/// How many refs that are no vault's are named.
const NAMED_MAX: usize = 5;

/// `clone`.
pub(super) fn clone(context: &Context<'_>, seen: &Seen<'_>, args: &CloneArgs) -> Result<u8, Error> {
    let made = crate::app::clone_vault(context, &args.url, args.founder.as_deref())?;
    let (vault, founder) = (made.vault.to_string(), Fingerprint::from(made.founder));
    if seen.json {
        seen.json(&json!({
            "vault": vault,
            "path": made.path.to_string_lossy(),
            "founder": made.founder.to_string(),
            "fingerprint": founder.to_string(),
            "known": made.known,
            "entries": made.checked.report.entries,
            "verdict": audit::word(made.checked.report.verdict),
            "strays": made.strays,
        }))?;
        return Ok(0);
    }
    seen.remark(&format!("vault    {vault}, at {}", made.path.display()));
    seen.remark(&format!("founder  {founder}"));
    let found = if made.checked.goes_on() { "checked" } else { "intact" };
    seen.remark(&format!(
        "{found}: {} in {}",
        counted(made.checked.report.entries, "entry", "entries"),
        counted(made.checked.report.logs.len() as u64, "log", "logs")
    ));
    if made.checked.is_forked() {
        seen.remark("a log in it has two histories; both are kept until a lead has looked at them");
    }
    if made.checked.goes_on() {
        seen.terminal.warn(WRITES_ON);
    }
    match made.known {
        true => seen.remark("the founder is the one that was known from elsewhere"),
        false => seen.remark(
            "compare the founder's fingerprint over another channel with somebody who has the vault: nothing here says that this is the right one",
        ),
    }
    tell_strays(seen, &made.strays);
    if let Some((copy, device)) = made.checked.behind {
        seen.remark(&format!(
            "it holds {copy} of {} that this device wrote: `strongroom sync` brings the rest, if another remote has it",
            counted(device, "entry", "entries")
        ));
    }
    Ok(0)
}

/// `remote`.
pub(super) fn remote(context: &Context<'_>, seen: &Seen<'_>, command: &RemoteCommand) -> Result<u8, Error> {
    match command {
        RemoteCommand::Add { url, name } => {
            let url = crate::app::add_remote(context, name, url)?;
            let url = out::one_line(url.as_str());
            match seen.json {
                true => seen.json(&json!({ "name": name, "url": url }))?,
                false => seen.remark(&format!("remote `{name}` is {url}; `strongroom sync` syncs with it")),
            }
        }
        RemoteCommand::List => {
            let remotes = crate::app::list_remotes(context)?;
            if seen.json {
                let list: Vec<_> = remotes
                    .iter()
                    .map(|(name, url)| json!({ "name": name, "url": url }))
                    .collect();
                seen.json(&list)?;
            } else if remotes.is_empty() {
                seen.remark("there is no remote: `strongroom remote add URL` names one");
            } else {
                let rows = remotes.into_iter().map(|(name, url)| vec![name, out::one_line(&url)]);
                seen.table(&["name", "url"], rows.collect())?;
            }
        }
        RemoteCommand::Remove { name } => {
            crate::app::remove_remote(context, name)?;
            match seen.json {
                true => seen.json(&json!({ "name": name }))?,
                false => seen.remark(&format!("remote `{name}` removed; it keeps what it has")),
            }
        }
    }
    Ok(0)
}

/// `sync`.
pub(super) fn sync(context: &Context<'_>, seen: &Seen<'_>, remote: Option<&str>) -> Result<u8, Error> {
    let done = crate::app::sync(context, remote)?;
    if seen.json {
        seen.json(&all_in_json(&done))?;
    } else {
        done.iter().for_each(|one| tell(seen, one));
        if done.iter().any(|one| one.worst().is_some()) {
            // What cannot be told of it must not stand in the place of what the sync found.
            crate::app::offline_caps(context)
                .unwrap_or_default()
                .iter()
                .for_each(|cap| seen.remark(&out::one_line(&cap.in_words())));
        }
    }
    // What gathered is packed now and then, where no agent does it; if it cannot be, that is no matter of the sync.
    if context.held.is_none() {
        let _ = crate::app::tidy(&context.places);
    }
    let worst = done
        .iter()
        .filter_map(Synced::worst)
        .map(code)
        .max_by_key(|code| match code {
            4 => 2,
            5 => 1,
            _ => 0,
        });
    Ok(worst.unwrap_or(0))
}

fn verdict(kind: Kind) -> &'static str {
    match kind {
        Kind::Tampered => "tampered",
        Kind::Unknown => "unknown",
        _ => "damaged",
    }
}

fn code(kind: Kind) -> u8 {
    Error::new(kind, "").exit_code()
}

/// All of it together, and each remote by itself.
fn all_in_json(done: &[Synced]) -> Value {
    let each: Vec<Value> = done.iter().map(in_json).collect();
    let lists = |name: &str| -> Vec<&Value> { each.iter().filter_map(|one| one[name].as_array()).flatten().collect() };
    json!({
        "fetched": {
            "logs": done.iter().map(|one| one.logs).sum::<usize>(),
            "entries": done.iter().map(|one| one.entries).sum::<u64>(),
        },
        "pushed": { "refs": done.iter().map(|one| one.pushed).sum::<usize>() },
        "set_aside": lists("set_aside"),
        "problems": lists("problems"),
        "remotes": each,
    })
}

fn in_json(done: &Synced) -> Value {
    let problems = done.problems.iter().map(|problem| {
        json!({
            "log": problem.log.map(|log| log.to_string()),
            "case": problem.case,
            "verdict": verdict(problem.kind),
            "message": problem.message,
        })
    });
    let set_aside = done.set_aside.iter().map(|file| format!("{}/{}", file.0, file.1));
    let held_back = done.held_back.iter();
    let held_back = held_back.map(|(branch, why)| json!({ "branch": branch, "why": why }));
    json!({
        "remote": done.remote,
        "fetched": { "logs": done.logs, "entries": done.entries },
        "pushed": { "refs": done.pushed },
        "set_aside": set_aside.collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
        "held_back": held_back.collect::<Vec<_>>(),
        "strays": done.strays,
        "evidence": done.evidence.as_ref().map(|path| path.to_string_lossy()),
        "failed": done.failed.as_ref().map(|error| &error.message),
    })
}

fn tell(seen: &Seen<'_>, done: &Synced) {
    let name = &done.remote;
    let say = |text: &str| seen.terminal.remark(&format!("{name}: {}", out::one_line(text)));
    let remark = |text: &str| seen.remark(&format!("{name}: {}", out::one_line(text)));
    let mut parts = Vec::new();
    if done.entries > 0 {
        parts.push(format!(
            "{} of {} came",
            counted(done.entries, "entry", "entries"),
            counted(done.logs as u64, "log", "logs")
        ));
    }
    if done.rules {
        parts.push("members and rules that are in force now came".to_owned());
    }
    if done.pushed > 0 {
        parts.push(format!("{} went", counted(done.pushed as u64, "branch", "branches")));
    }
    match (parts.is_empty(), done.failed.is_some()) {
        (false, _) => remark(&parts.join("; ")),
        (true, false) => remark("nothing new, here or there"),
        (true, true) => {}
    }
    if !done.set_aside.is_empty() {
        say(&format!(
            "{} set aside: what was written here to notes that were destroyed elsewhere; it is no part of the vault any more, and lies in this device's state folder under `quarantine`",
            counted(done.set_aside.len() as u64, "sealed file was", "sealed files were")
        ));
    }
    for problem in &done.problems {
        let case = problem.case.map_or_else(String::new, |case| format!(" (case {case})"));
        let word = if problem.kind == Kind::Tampered {
            "tampered"
        } else {
            "cannot tell"
        };
        say(&format!("{word}{case}: {}", problem.message));
    }
    for (branch, why) in &done.held_back {
        say(&format!("the branch `{branch}` could not be pushed: {why}"));
    }
    tell_strays(seen, &done.strays);
    if let Some(evidence) = &done.evidence {
        say(&format!("what it showed is written down in {}", evidence.display()));
    }
    if let Some(error) = &done.failed {
        say(&error.message);
        error
            .hints
            .iter()
            .for_each(|hint| seen.terminal.remark(&format!("  {}", out::plain(hint))));
    }
}

fn tell_strays(seen: &Seen<'_>, strays: &[String]) {
    if let Some(named) = named(strays) {
        seen.remark(&format!(
            "refs there that are no part of a vault were left where they are: {named}"
        ));
    }
}

/// Refs that are no vault's, the first of them by name; nothing if there are none.
pub(super) fn named(strays: &[String]) -> Option<String> {
    let first = strays.iter().take(NAMED_MAX);
    let named: Vec<String> = first.map(|name| format!("`{}`", out::one_line(name))).collect();
    match strays.len().checked_sub(NAMED_MAX) {
        None if strays.is_empty() => None,
        None | Some(0) => Some(named.join(", ")),
        Some(more) => Some(format!("{} and {more} more", named.join(", "))),
    }
}
