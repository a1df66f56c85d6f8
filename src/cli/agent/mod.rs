//! Unlocked for a while: the agent, and the commands that start it, ask after it and end it.
//!
//! The agent is this program in a process of its own. A client sends it its command line and lends it its terminal;
//! decision, record and opening happen in the agent, under the same code as without one. So no key ever leaves it,
//! and no process of the same user gets at a note through it without an entry.

mod client;
mod server;
pub(super) mod wire;

pub(super) use client::run;
pub(super) use server::serve;

use super::args::Common;
use super::terminal::{Here, Seen};
use super::words::in_time;
use crate::app::{Error, Kind, Offered, Places, Wire, agent_socket};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;
use wire::{Ask, Request, broken, receive, send, silent};

/// How long the first word of an agent may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a shell's offers may take: somebody is typing. A build with debug assertions is slower.
const MOMENT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 30_000 } else { 40 });

/// The agent for this vault and identity, if one is there. What somebody else could have put there is refused.
pub(super) fn reach(places: &Places) -> Result<Option<Wire>, Error> {
    Wire::connect(&agent_socket(places)).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))
}

/// The beginnings of ids that the agent offers a shell which completes `typed`; none at all if there is no agent, or it does
/// not answer at once.
pub(super) fn offers(places: &Places, which: Offered, typed: &str) -> Option<Vec<String>> {
    let wire = reach(places).ok()??;
    wire.patience(Some(MOMENT)).ok()?;
    send(&wire, &Request::Offer(which.into(), typed.to_owned()), None).ok()?;
    let mut ids = Vec::new();
    loop {
        match receive::<Ask>(&wire).ok()??.0 {
            Ask::Result(bytes) => ids.extend(std::str::from_utf8(&bytes).ok()?.lines().map(str::to_owned)),
            Ask::Remark(_) => {}
            Ask::End(_) => return Some(ids),
            _ => return None,
        }
    }
}

/// `unlock`.
pub(super) fn unlock(
    places: &Places,
    common: &Common,
    here: &Here,
    seen: &Seen<'_>,
    idle: Duration,
) -> Result<u8, Error> {
    let failed = |error: std::io::Error| Error::new(Kind::Failed, format!("the agent cannot be started: {error}"));
    let program = std::env::current_exe().map_err(failed)?;
    let (wire, other) = Wire::pair().map_err(failed)?;
    let mut command = Command::new(program);
    command
        .arg("agent")
        .args(["--for-seconds", &idle.as_secs().to_string()])
        .arg("--vault")
        .arg(std::path::absolute(places.vault()).map_err(failed)?)
        .arg("--identity")
        .arg(std::path::absolute(places.identity()).map_err(failed)?)
        .args(common.no_input.then_some("--no-input"))
        // Ctrl-C at the terminal is for what runs there.
        .process_group(0)
        .stdin(other.into_file())
        .stdout(std::process::Stdio::null());
    let mut agent = command.spawn().map_err(failed)?;
    drop(command);
    match client::attend(&wire, here) {
        Ok(_) => {
            seen.remark(&format!(
                "unlocked; locks itself after {} without use, or with `strongroom lock`",
                in_time(idle)
            ));
            Ok(0)
        }
        Err(error) => {
            let _ = agent.wait();
            Err(error)
        }
    }
}

/// Ends the agent, if there is one; whether there was.
pub(super) fn end(places: &Places) -> Result<bool, Error> {
    let Some(wire) = reach(places)? else {
        return Ok(false);
    };
    wire.patience(Some(PATIENCE)).map_err(broken)?;
    send(&wire, &Request::Lock, None)?;
    // It says nothing more; the wire breaks when the process is gone, and with it the keys.
    match receive::<Ask>(&wire) {
        Ok(None) => Ok(true),
        _ => Err(silent()),
    }
}

/// `lock`.
pub(super) fn lock(places: &Places, seen: &Seen<'_>) -> Result<u8, Error> {
    let was_there = end(places)?;
    seen.remark(if was_there { "locked" } else { "nothing was unlocked" });
    Ok(0)
}

/// `status`.
pub(super) fn status(places: &Places, seen: &Seen<'_>) -> Result<u8, Error> {
    let stays = match reach(places)? {
        None => None,
        Some(wire) => {
            wire.patience(Some(PATIENCE)).map_err(broken)?;
            send(&wire, &Request::Status, None)?;
            match receive(&wire) {
                Ok(Some((Ask::Stays(seconds, in_memory), _))) => Some((seconds, in_memory)),
                Ok(_) => None,
                Err(_) => return Err(silent()),
            }
        }
    };
    let (vault, identity) = (places.vault(), places.identity());
    if seen.json {
        seen.json(&serde_json::json!({
            "vault": vault.to_string_lossy(),
            "identity": identity.to_string_lossy(),
            "unlocked": stays.is_some(),
            "seconds_left": stays.map(|(seconds, _)| seconds),
            "kept_in_memory": stays.map(|(_, in_memory)| in_memory),
        }))?;
        return Ok(0);
    }
    let there = |path: &std::path::Path| if path.exists() { "" } else { " (not there)" };
    seen.result(&format!("vault     {}{}\n", vault.display(), there(&vault)))?;
    seen.result(&format!("identity  {}{}\n", identity.display(), there(&identity)))?;
    let state = match stays {
        None => "locked: every command asks for the passphrase".to_owned(),
        Some((seconds, in_memory)) => {
            let swap = if in_memory {
                ""
            } else {
                "; its keys may be swapped out, since the limit for locked memory is used up"
            };
            format!(
                "unlocked, for {} more without use{swap}",
                in_time(Duration::from_secs(seconds))
            )
        }
    };
    seen.result(&format!("keys      {state}\n"))?;
    Ok(0)
}
