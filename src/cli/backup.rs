//! A copy of the vault in one file, and the way back from it.

use super::audit;
use super::sync::named;
use super::terminal::Seen;
use super::words::counted;
use crate::app::{CheckedBackup, Context, Error};
use serde_json::json;
use std::path::Path;

/// `backup`.
pub(super) fn backup(context: &Context<'_>, seen: &Seen<'_>, file: &Path) -> Result<u8, Error> {
    let done = crate::app::backup(context, file)?;
    if let Some(named) = named(&done.strays) {
        seen.terminal.warn(&format!(
            "refs here that are no part of a vault are not in the backup: {named}; `strongroom doctor` says how they are taken away"
        ));
    }
    if seen.json {
        seen.json(&json!({
            "vault": done.vault.to_string(),
            "file": file.to_string_lossy(),
            "bytes": done.bytes,
            "strays": done.strays,
        }))?;
        return Ok(0);
    }
    seen.remark(&format!("vault {} backed up to {}", done.vault, file.display()));
    seen.remark("your identity file and the recovery key are not in it: without one of them nothing in it can be read");
    Ok(0)
}

/// `restore`.
pub(super) fn restore(context: &Context<'_>, seen: &Seen<'_>, file: &Path, check: bool) -> Result<u8, Error> {
    if check {
        let checked = crate::app::check_backup(context, file)?;
        let code = match seen.json {
            true => {
                let mut value = audit::report_json(&checked.report);
                let behind = checked
                    .behind
                    .map(|(backup, device)| json!({ "backup": backup, "device": device }));
                value["behind"] = json!(behind);
                value["strays"] = json!(checked.strays);
                seen.json(&value)?;
                audit::exit_code(checked.report.verdict)
            }
            false => audit::verified(seen, &checked.report, false)?,
        };
        tell_strays(seen, &checked);
        tell_age(seen, &checked);
        return Ok(code);
    }
    let done = crate::app::restore(context, file)?;
    if seen.json {
        seen.json(&json!({
            "vault": done.vault.to_string(),
            "path": done.path.to_string_lossy(),
            "verdict": audit::word(done.checked.report.verdict),
            "strays": done.checked.strays,
        }))?;
    } else {
        let entries = counted(done.checked.report.entries, "entry", "entries");
        seen.remark(&format!(
            "vault {} restored to {}: {}, {entries}",
            done.vault,
            done.path.display(),
            match done.checked.is_forked() {
                true => "a log in it has two histories, since an earlier backup was put back and written to; both are kept until a lead has looked at them",
                false if done.checked.goes_on() => "checked",
                false => "intact",
            }
        ));
    }
    if done.checked.goes_on() {
        seen.terminal.warn(WRITES_ON);
    }
    tell_strays(seen, &done.checked);
    tell_age(seen, &done.checked);
    if done.checked.behind.is_some() {
        seen.remark(
            "if a remote or another clone has the rest, `strongroom remote add` and `strongroom sync` bring it; until then this device refuses to go on from there. Without one come in anew with the recovery key (`strongroom recovery use`): what came after the backup is lost",
        );
    }
    Ok(0)
}

/// That there is what counts for nothing.
pub(super) const WRITES_ON: &str = "a device that was removed wrote on beyond what was accepted of its log; that counts for \
                                    nothing, and `strongroom audit verify` names it";

fn tell_strays(seen: &Seen<'_>, checked: &CheckedBackup) {
    if let Some(named) = named(&checked.strays) {
        seen.terminal.warn(&format!(
            "branches in this backup that are no part of a vault were left aside: {named}"
        ));
    }
}

fn tell_age(seen: &Seen<'_>, checked: &CheckedBackup) {
    if let Some((backup, device)) = checked.behind {
        seen.remark(&format!(
            "this backup is older than what this device wrote last: it holds {backup} of {} of its log",
            counted(device, "entry", "entries")
        ));
    }
}
