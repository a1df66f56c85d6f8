//! Proofs and witnesses: what is written for people without the vault, and what they write for those with it.

use super::args::{CheckProofArgs, ProveArgs, WitnessCommand};
use super::audit::refuted;
use super::terminal::Seen;
use super::words::counted;
use crate::app::{CheckedProof, Context, Error, ProofQuery, ProofTrust, WitnessQuery, Witnessing};
use serde_json::json;

/// `audit prove`.
pub(super) fn prove(context: &Context<'_>, seen: &Seen<'_>, args: &ProveArgs) -> Result<u8, Error> {
    let query = ProofQuery {
        place: args.entry.clone(),
        receipt: args.receipt.clone(),
        witness: args.witness.clone(),
        out: args.out.clone(),
    };
    let proof = crate::app::prove(context, &query)?;
    if seen.json {
        seen.json(&json!({
            "entry": proof.place.to_string(),
            "size": proof.size,
            "key": proof.key,
            "proof": proof.text,
        }))?;
        return Ok(0);
    }
    match &args.out {
        None => seen.result(&proof.text)?,
        Some(path) => seen.remark(&format!("proof written to {}", path.display())),
    }
    seen.remark(&format!(
        "the log's key, for whoever checks it without a receipt and has it from elsewhere than the proof: {}",
        proof.key
    ));
    Ok(0)
}

/// `audit check-proof`.
pub(super) fn check(seen: &Seen<'_>, args: &CheckProofArgs) -> Result<u8, Error> {
    let trust = ProofTrust {
        entry: args.entry.clone(),
        receipt: args.receipt.clone(),
        log_key: args.log_key.clone(),
        witness_keys: args.witness_key.clone(),
    };
    let checked = match crate::app::check_proof(&args.file, &trust) {
        Ok(checked) => checked,
        Err(error) => return refuted(seen, error),
    };
    let CheckedProof { entry, size, .. } = &checked;
    let (place, result) = (entry.place(), serde_json::to_value(entry.result).unwrap_or_default());
    let kind = serde_json::to_value(entry.kind).unwrap_or_default();
    if seen.json {
        seen.json(&json!({
            "holds": true,
            "verdict": "intact",
            "entry": place.to_string(),
            "time": entry.time.to_string(),
            "actor": entry.actor.to_string(),
            "kind": kind,
            "result": result,
            "size": size,
            "root": checked.root.to_string(),
            "receipt": checked.receipt.map(|time| time.to_string()),
            "signed": checked.signed,
            "cosigned": checked.cosigned.iter().map(|(witness, time)| json!({ "witness": witness, "time": time.to_string() })).collect::<Vec<_>>(),
        }))?;
        return Ok(0);
    }
    let mut text = format!(
        "holds: {place} stands among the first {} of its log\n  {}, {}, by person {}, at {}\n",
        counted(*size, "entry", "entries"),
        kind.as_str().unwrap_or("read"),
        result.as_str().unwrap_or_default(),
        entry.actor,
        entry.time
    );
    if let Some(time) = checked.receipt {
        text.push_str(&format!(
            "  the checkpoint is the one that the receipt of {time} holds\n"
        ));
    }
    if checked.signed {
        text.push_str("  the checkpoint is signed with the log's key that was given\n");
    }
    for (witness, time) in &checked.cosigned {
        text.push_str(&format!("  cosigned by {witness} at {time}\n"));
    }
    seen.result(&text)?;
    Ok(0)
}

/// `audit witness`.
pub(super) fn witness(context: &Context<'_>, seen: &Seen<'_>, command: &WitnessCommand) -> Result<u8, Error> {
    match command {
        WitnessCommand::Init { name, key } => {
            let made = crate::app::new_witness(context, name, key.as_deref())?;
            match seen.json {
                true => seen.json(&json!({ "witness": name, "key": made.key }))?,
                false => seen.result(&format!("{}\n", made.key))?,
            }
            seen.remark(&format!(
                "the secret key is in {}; the line above is for whoever is to believe this witness",
                made.file.display()
            ));
        }
        WitnessCommand::Sign { key, state, out } => {
            let query = WitnessQuery {
                key: key.clone(),
                state: state.clone(),
                out: out.clone(),
            };
            let done = crate::app::witness_vault(context, &query)?;
            told(seen, "cosigned", &done)?;
            if !done.remembered {
                seen.remark("this witness remembered nothing of this vault; from now on it does");
            }
            match out {
                Some(path) => seen.remark(&format!(
                    "written to {}; somebody who may write to the vault adds it with `strongroom audit witness add`",
                    path.display()
                )),
                None => seen.remark(&format!("kept on the branch witness/{}", done.witness)),
            }
        }
        WitnessCommand::Add { file } => told(seen, "added", &crate::app::add_witness_file(context, file)?)?,
    }
    Ok(0)
}

fn told(seen: &Seen<'_>, what: &str, done: &Witnessing) -> Result<(), Error> {
    if seen.json {
        let log = |(log, size): &(_, u64)| json!({ "log": ToString::to_string(log), "size": size });
        let logs: Vec<_> = done.logs.iter().map(log).collect();
        return seen.json(&json!({ "witness": done.witness, "logs": logs }));
    }
    let line = |(log, size): &(_, u64)| format!("{what}: the first {} of {log}\n", counted(*size, "entry", "entries"));
    seen.result(&done.logs.iter().map(line).collect::<String>())
}
