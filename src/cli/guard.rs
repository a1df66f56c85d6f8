//! `guard`: what is said to whoever pushes, and to whoever installs it.

use super::out;
use super::terminal::Seen;
use super::words::counted;
use crate::app::shared::{Objection, Problem};
use crate::app::{Clock, Error, Guarded, InstalledGuard, Kind};
use clap::Args as ClapArgs;
use serde_json::json;
use std::io::Read;
use std::path::PathBuf;

/// The most that is read of what git gives a hook, in bytes, and one more.
const INPUT_MAX: u64 = (3 << 20) + 1;
/// How many things of a kind are told.
const TOLD_MAX: usize = 12;

pub(super) const AFTER: &str = "\
Examples:
  git init --bare /srv/north.git
  strongroom guard --install /srv/north.git --founder 'legal winner thank year ...'

Git asks it before it takes a push, and takes all of the push or nothing. It verifies what the \
vault would be, as `audit verify` does in any clone, and refuses: logs, members or rules that are \
rewritten, put back or taken away; entries that are not signed or do not follow; files that stand in \
no entry, or are gone though none forgot them; changes of members and rules that are no lead's; \
other refs. What was wrong there before is told and stops nobody. What an honest clone syncs goes \
through.

Without --founder the vault that lies there, or the first that is pushed, is the only one that may \
be pushed from then on. That stands in `strongroom.founder` there. Set `git config \
receive.maxInputSize`, too: the guard is asked once all has arrived. Who can write to the folder of \
the repository, as with a path for an address, can go around any hook.

Exit codes as a hook: 0 it is taken, 2 not what git gives a hook, 4 it is tampering, 5 cannot tell.";

#[derive(ClapArgs)]
pub(super) struct GuardArgs {
    /// Put it into the hooks of this bare repository, instead of judging a push
    #[arg(long, value_name = "DIR")]
    install: Option<PathBuf>,
    /// The founder's eight words, or all of the digest, of the vault that may be pushed
    #[arg(long, value_name = "WORDS", requires = "install")]
    founder: Option<String>,
}

/// `guard`.
pub(super) fn run(seen: &Seen<'_>, args: &GuardArgs) -> Result<u8, Error> {
    if let Some(dir) = &args.install {
        let installed = crate::app::install_guard(dir, args.founder.as_deref(), seen.yes)?;
        return tell_installed(seen, &installed).map(|()| 0);
    }
    let mut input = Vec::new();
    let read = seen.terminal.input()?.take(INPUT_MAX).read_to_end(&mut input);
    read.map_err(|error| Error::new(Kind::Unknown, format!("standard input cannot be read: {error}")))?;
    let clock = Clock::of_this_run().map_err(|bad| Error::new(Kind::Usage, bad.to_string()))?;
    let guarded = crate::app::guard(&input, clock.now())?;
    tell(seen, &guarded);
    Ok(guarded.refusal().map_or(0, |kind| Error::new(kind, "").exit_code()))
}

fn tell_installed(seen: &Seen<'_>, installed: &InstalledGuard) -> Result<(), Error> {
    let founder = installed.founder.map(|words| words.to_string());
    if seen.json {
        return seen.json(&json!({
            "hook": installed.hook.to_string_lossy(),
            "program": installed.program.to_string_lossy(),
            "replaced": installed.replaced.as_ref().map(|path| path.to_string_lossy()),
            "fingerprint": founder,
            "known": founder.is_some() && !installed.on_its_word,
        }));
    }
    seen.remark(&format!("hook     {}", installed.hook.display()));
    seen.remark(&format!(
        "runs     {}: keep the program there",
        installed.program.display()
    ));
    if let Some(replaced) = &installed.replaced {
        seen.remark(&format!(
            "the hook that was there is {} now, and does not run any more",
            replaced.display()
        ));
    }
    match &founder {
        Some(words) => seen.remark(&format!("founder  {words}")),
        None => seen.remark("no founder was named: the first vault that is pushed is the only one from then on"),
    }
    if founder.is_some() && installed.on_its_word {
        seen.remark(
            "that is the vault which lies there, on its own word: compare the words over another channel with somebody who has it",
        );
    }
    Ok(())
}

/// Says to whoever pushes why it is refused, and what to do; and what is wrong there in any case.
fn tell(seen: &Seen<'_>, guarded: &Guarded) {
    let say = |text: &str| seen.terminal.remark(&out::one_line(text));
    if let Some((vault, founder)) = &guarded.pinned {
        say(&format!(
            "strongroom guard: this is vault {vault}, the only one that may be pushed here from now on; its founder's words: {}",
            crate::app::shared::Fingerprint::from(*founder)
        ));
    }
    if let Some(error) = &guarded.not_pinned {
        say(&format!(
            "strongroom guard: whose vault this is could not be written down: {}",
            error.message
        ));
    }
    if !guarded.known.is_empty() {
        say(&format!(
            "strongroom guard: {} here before, or {} others; `strongroom audit verify` tells all of it",
            counted(guarded.known.len() as u64, "thing was wrong", "things were wrong"),
            if guarded.known.len() == 1 {
                "waits for"
            } else {
                "wait for"
            }
        ));
        let known = guarded.known.iter();
        known
            .take(TOLD_MAX)
            .for_each(|problem| say(&format!("  {}", placed(problem))));
        more(guarded.known.len(), &say);
    }
    if !guarded.strays.is_empty() {
        let named = guarded.strays.iter().take(TOLD_MAX).map(|name| format!("`{name}`"));
        let named: Vec<String> = named.collect();
        say(&format!(
            "strongroom guard: refs that are no part of a vault, or damaged, were here before: {}",
            named.join(", ")
        ));
        more(guarded.strays.len(), &say);
    }
    // Last, since whoever syncs sees the last lines.
    if guarded.refusal().is_some() {
        say("strongroom guard: the push is refused, and nothing of it was taken");
        let objections = guarded.objections.iter();
        objections
            .take(TOLD_MAX)
            .for_each(|objection| say(&format!("  {}", against(objection))));
        more(guarded.objections.len(), &say);
        let mut advice: Vec<&str> = guarded.objections.iter().map(advice).collect();
        advice.sort_unstable();
        advice.dedup();
        advice.iter().for_each(|advice| say(&format!("  to do: {advice}")));
    }
}

fn more(count: usize, say: &dyn Fn(&str)) {
    if let Some(more) = count.checked_sub(TOLD_MAX).filter(|more| *more > 0) {
        say(&format!("  and {more} more"));
    }
}

fn against(objection: &Objection) -> String {
    let name = objection
        .name
        .as_ref()
        .map_or_else(String::new, |name| format!("{name}: "));
    let word = if objection.unknown { "cannot tell: " } else { "" };
    format!("{name}{word}{}", placed(&objection.problem))
}

fn placed(problem: &Problem) -> String {
    let log = problem.log.map_or_else(String::new, |log| format!("log {log}, "));
    let entry = problem.seq.map_or_else(String::new, |seq| format!("entry {seq}, "));
    format!("{log}{entry}case {}: {}", problem.case, problem.message)
}

/// What to do about it.
fn advice(objection: &Objection) -> &'static str {
    match (objection.unknown, objection.problem.case) {
        (true, 18) => "sync again: `strongroom sync` fetches first what others pushed",
        (true, 36) => "push all of the vault at once, as `strongroom sync` does",
        (true, _) => {
            "whoever runs this repository looks with `strongroom audit verify --vault DIR`, and mends it first"
        }
        (_, 18 | 31) => {
            "nothing is forced here: `strongroom sync` takes what is here and goes on from it; two histories of one log are \
             kept side by side"
        }
        (_, 13) => "push to the repository of your own vault: `strongroom remote list` names those of yours",
        (_, 14) => "the device's person was removed: a lead decides what of it is accepted late",
        (_, 32..=34 | 37) => {
            "push with `strongroom sync`, which sends entries and what they wrote together, and nothing else; \
             `strongroom audit verify` says whether your own clone is whole"
        }
        (_, 36) => "members and rules are changed by a lead, with `strongroom member` and `strongroom policy edit`",
        _ => "run `strongroom audit verify` in the clone that this came from, and tell a lead",
    }
}
