//! The clipboard of whoever sits at this terminal, and that it does not keep for long what it was given.
//!
//! A program that is there puts the text in and takes it out again; it gets the text on its standard input alone. What
//! clears the clipboard later is this program in a process of its own, which knows no more than the digest of the text.

use super::signals::Signals;
use crate::app::shared::{Digest, sha256};
use crate::app::{Error, Kind, since_boot};
use base64ct::{Base64, Encoding};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::io::{IsTerminal, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;
use zeroize::Zeroizing;

/// The most that is copied, in bytes: what terminals take at once.
const COPIED_MAX: usize = 48 * 1024;
/// How long is slept at a time: a machine that was asleep meanwhile clears soon after it wakes.
const NAP: Duration = Duration::from_secs(5);

/// A program that has the clipboard.
struct Keeper {
    /// The variable without which it has none.
    needs: Option<&'static str>,
    put: &'static [&'static str],
    get: &'static [&'static str],
    clear: &'static [&'static str],
}

const KEEPERS: [Keeper; 4] = [
    Keeper {
        needs: Some("WAYLAND_DISPLAY"),
        put: &["wl-copy"],
        get: &["wl-paste", "--no-newline"],
        clear: &["wl-copy", "--clear"],
    },
    Keeper {
        needs: Some("DISPLAY"),
        put: &["xclip", "-selection", "clipboard", "-in"],
        get: &["xclip", "-selection", "clipboard", "-out"],
        clear: &["xclip", "-selection", "clipboard", "-in"],
    },
    Keeper {
        needs: Some("DISPLAY"),
        put: &["xsel", "--clipboard", "--input"],
        get: &["xsel", "--clipboard", "--output"],
        clear: &["xsel", "--clipboard", "--delete"],
    },
    Keeper {
        needs: None,
        put: &["pbcopy"],
        get: &["pbpaste"],
        clear: &["pbcopy"],
    },
];

impl Keeper {
    /// The first that is there.
    fn found() -> Option<&'static Self> {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let path = std::env::var_os("PATH").unwrap_or_default();
        let there = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
        KEEPERS
            .iter()
            .find(|keeper| keeper.needs.is_none_or(set) && there(keeper.put[0]) && there(keeper.get[0]))
    }

    fn named(name: &str) -> Option<&'static Self> {
        KEEPERS.iter().find(|keeper| keeper.put[0] == name)
    }
}

/// Puts `text` into the clipboard for so long; says where it is.
pub(super) fn copy(text: &[u8], keep: Duration) -> Result<String, Error> {
    if text.len() > COPIED_MAX {
        return Err(Error::new(
            Kind::Failed,
            "this is too long for a clipboard; nothing was copied",
        ));
    }
    match Keeper::found() {
        Some(keeper) => {
            give(keeper.put, text)?;
            clear_later(keeper, text, keep)?;
            Ok(format!(
                "in the clipboard (by {}), cleared in {} s",
                keeper.put[0],
                keep.as_secs()
            ))
        }
        None => through_the_terminal(text, keep),
    }
}

fn give(words: &[&str], text: &[u8]) -> Result<(), Error> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::new(Kind::Failed, format!("`{}` did not take the text: {error}", words[0]))
    };
    let mut command = Command::new(words[0]);
    // It may stay, to hand the text out; what it inherits would be held open.
    command.args(&words[1..]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(|error| failed(&error))?;
    let given = child.stdin.take().map(|mut stdin| stdin.write_all(text));
    let status = child.wait().map_err(|error| failed(&error))?;
    match given {
        Some(Ok(())) if status.success() => Ok(()),
        Some(Err(error)) => Err(failed(&error)),
        _ => Err(failed(&status)),
    }
}

fn clear_later(keeper: &Keeper, text: &[u8], keep: Duration) -> Result<(), Error> {
    let failed = |error: std::io::Error| {
        Error::new(
            Kind::Failed,
            format!("nobody can be left to clear the clipboard: {error}"),
        )
        .hint("it holds the text: copy something else")
    };
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(program);
    command
        .args(["clear-clipboard", "--for-seconds", &keep.as_secs().to_string()])
        // Ctrl-C at the terminal is for what runs there.
        .process_group(0)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(failed)?;
    let told = format!("{}\n{}\n", keeper.put[0], sha256(&[text]));
    let given = child.stdin.take().map(|mut stdin| stdin.write_all(told.as_bytes()));
    given.unwrap_or(Ok(())).map_err(failed)
}

/// What `copy` leaves behind: waits, and clears the clipboard if it still holds what was put in. Standard input says which
/// program has it, and the digest.
pub(in crate::cli) fn clear(seconds: u64) -> Result<u8, Error> {
    let bad = || Error::new(Kind::Usage, "`show --copy` starts this, and nobody else does");
    let mut told = String::new();
    let read = std::io::stdin().take(1024).read_to_string(&mut told);
    read.map_err(|_| bad())?;
    let mut lines = told.lines();
    let keeper = lines.next().and_then(Keeper::named).ok_or_else(bad)?;
    let digest: Digest = lines.next().and_then(|line| line.parse().ok()).ok_or_else(bad)?;
    // The terminal may close before it is time.
    let _ = rustix::process::setsid();
    let until = since_boot().saturating_add(Duration::from_secs(seconds));
    while let Some(left) = until.checked_sub(since_boot()).filter(|left| !left.is_zero()) {
        std::thread::sleep(left.min(NAP));
    }
    let mut command = Command::new(keeper.get[0]);
    let held = command
        .args(&keeper.get[1..])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let held = held.map(|output| Zeroizing::new(output.stdout));
    if held.is_ok_and(|held| sha256(&[&held]) == digest) {
        give(keeper.clear, b"")?;
    }
    Ok(0)
}

/// OSC 52, which a terminal passes on to whoever sits before it, also over ssh. It does not say what the clipboard holds,
/// so this process stays until it is time.
fn through_the_terminal(text: &[u8], keep: Duration) -> Result<String, Error> {
    let mut out = std::io::stdout();
    let stdin = std::io::stdin();
    if !out.is_terminal() || !stdin.is_terminal() {
        return Err(
            Error::new(Kind::Failed, "there is no clipboard here; nothing was copied")
                .hint("install wl-clipboard, xclip or xsel, or run this at a terminal that takes OSC 52"),
        );
    }
    // Whoever does not wait for the end leaves nothing behind either.
    let signals = Signals::begin().map_err(|error| {
        Error::new(
            Kind::Failed,
            format!("signals cannot be waited for: {error}; nothing was copied"),
        )
    })?;
    let mut send = |payload: &str| {
        let sent = write!(out, "\x1b]52;c;{payload}\x07").and_then(|()| out.flush());
        sent.map_err(|error| Error::new(Kind::Failed, format!("the terminal cannot be written to: {error}")))
    };
    send(&Zeroizing::new(Base64::encode_string(text)))?;
    super::super::out::say(&format!(
        "given to this terminal for the clipboard, if it takes that; cleared in {} s, or with Enter",
        keep.as_secs()
    ));
    let until = since_boot().saturating_add(keep);
    while let Some(left) = until.checked_sub(since_boot()).filter(|left| !left.is_zero()) {
        let Ok(timeout) = Timespec::try_from(left.min(NAP)) else {
            break;
        };
        let mut fds = [
            PollFd::new(&stdin, PollFlags::IN),
            PollFd::new(signals.woken(), PollFlags::IN),
        ];
        let polled = poll(&mut fds, Some(&timeout));
        if signals.came() {
            break;
        }
        if !matches!(polled, Ok(0)) {
            let mut line = String::new();
            let _ = stdin.read_line(&mut line);
            break;
        }
    }
    // tmux passes nothing on that is empty; what is copied anew takes the place of the text in front of it.
    send(&Base64::encode_string(b" "))?;
    send("")?;
    drop(signals);
    Ok("the clipboard was cleared, if the terminal takes that".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_has_a_name_of_its_own_and_gets_no_text_as_an_argument() {
        for (at, keeper) in KEEPERS.iter().enumerate() {
            assert_eq!(
                Keeper::named(keeper.put[0]).map(|named| named.get),
                Some(KEEPERS[at].get)
            );
        }
        assert!(Keeper::named("sh").is_none());
    }
}
