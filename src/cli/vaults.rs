//! Vaults and what belongs to them: make one, compartments.

use super::args::{CompartmentCommand, InitArgs};
use super::out;
use super::terminal::Seen;
use crate::app::shared::Fingerprint;
use crate::app::{Context, Error, Init, Inited, shown_name};
use serde_json::json;

/// `init`.
pub(super) fn init(context: &Context<'_>, seen: &Seen<'_>, args: &InitArgs) -> Result<u8, Error> {
    let init = Init {
        name: args.name.clone(),
        recovery_key: args.recovery_key.clone(),
        insist: args.insist,
    };
    inited(
        seen,
        &crate::app::init(context, &init)?,
        "no recovery key was made: without the identity file and its passphrase nothing can be opened",
    )
}

/// `passphrase`.
pub(super) fn passphrase(context: &Context<'_>, seen: &Seen<'_>, insist: bool) -> Result<u8, Error> {
    match crate::app::change_passphrase(context, insist)? {
        true => seen.remark("the passphrase was changed"),
        // A file or a command gave both.
        false => seen.remark(
            "the identity is sealed anew under the passphrase that it had: for another one, run this at a terminal without \
             STRONGROOM_PASSPHRASE_FILE and STRONGROOM_PASSPHRASE_COMMAND",
        ),
    }
    Ok(0)
}

/// What was made, whichever way.
pub(super) fn inited(seen: &Seen<'_>, made: &Inited, without_page: &str) -> Result<u8, Error> {
    if seen.json {
        seen.json(&json!({
            "vault": made.vault.to_string(),
            "path": made.path.to_string_lossy(),
            "identity": made.identity.to_string_lossy(),
            "handle": made.handle,
            "founder": made.fingerprint.to_string(),
            "fingerprint": Fingerprint::from(made.fingerprint).to_string(),
            "recovery_key": made.recovery.as_ref().map(|page| page.to_string_lossy()),
        }))?;
        return Ok(0);
    }
    seen.remark(&format!("vault     {}", made.path.display()));
    seen.remark(&format!(
        "identity  {} (you are {})",
        made.identity.display(),
        made.handle
    ));
    seen.remark(&format!("founder   {}", Fingerprint::from(made.fingerprint)));
    match &made.recovery {
        Some(page) => seen.remark(&format!(
            "recovery  {}: print it, put it in a safe place, delete the file",
            page.display()
        )),
        None => seen.remark(without_page),
    }
    Ok(0)
}

/// `compartment`.
pub(super) fn compartment(context: &Context<'_>, seen: &Seen<'_>, command: &CompartmentCommand) -> Result<u8, Error> {
    match command {
        CompartmentCommand::New { name } => {
            let made = crate::app::new_compartment(context, name)?;
            let entry = made.entry.map(|entry| entry.to_string());
            match seen.json {
                true => seen.json(&json!({ "id": made.id.to_string(), "name": made.name, "entry": entry, "changed": made.entry.is_some() }))?,
                false if made.entry.is_none() => seen.remark(&format!(
                    "there is a compartment `{}` already; nothing was changed",
                    out::one_line(&made.name)
                )),
                false => seen.remark(&format!("compartment `{}` made", out::one_line(&made.name))),
            }
        }
        CompartmentCommand::List => {
            let list = crate::app::list_compartments(context)?;
            if seen.json {
                let list: Vec<_> = list
                    .iter()
                    .map(|c| json!({ "id": c.id.to_string(), "name": c.name }))
                    .collect();
                seen.json(&json!(list))?;
            } else {
                let names: String = list.iter().map(|c| format!("{}\n", shown_name(&c.name))).collect();
                seen.result(&names)?;
            }
        }
    }
    Ok(0)
}
