//! The guard of a bare repository between clones: stock git asks it before it takes a push. It holds no secret.

use super::error::{Error, Kind};
use super::remotes::Founder;
use crate::chain::{Problem, Time};
use crate::env::{FileError, put_file, read_bounded};
use crate::id::{Digest, Fingerprint, VaultId};
use crate::ledger::{HEADS, Judged, MAIN, Objection, judge_push, said_founder};
use crate::repo::{Doorway, OpenError, Repo, Settings, hooks_folder, parse_pushed};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The hook's name, and what begins one of this program's own.
const HOOK: &str = "pre-receive";
const FIRST: &str =
    "#!/bin/sh\n# The guard of a strongroom vault: made by `strongroom guard --install`, which makes it anew.\n";
/// Where a hook goes that was in its place.
const REPLACED: &str = "pre-receive.replaced";
/// The file beside the hooks that says whose vault may be pushed, and its largest size in bytes.
pub(super) const PIN: &str = "strongroom.founder";
const PIN_MAX: u64 = 1024;
/// The largest hook that is looked at, in bytes.
const HOOK_MAX: u64 = 1 << 20;

/// What the guard says to a push.
#[derive(Debug, Default)]
pub struct Guarded {
    /// What stands against it; it is taken if nothing does.
    pub objections: Vec<Objection>,
    /// What is wrong with the vault there, and is not of this push.
    pub known: Vec<Problem>,
    /// Refs there that are no part of a vault, and were there before.
    pub strays: Vec<String>,
    /// The vault that is the only one that may be pushed from now on, with its founder: it is the first.
    pub pinned: Option<(VaultId, Digest)>,
    /// Why that could not be written down.
    pub not_pinned: Option<Error>,
}

impl Guarded {
    /// How it ends, if it is refused.
    pub fn refusal(&self) -> Option<Kind> {
        match self.objections.iter().all(|objection| objection.unknown) {
            _ if self.objections.is_empty() => None,
            true => Some(Kind::Unknown),
            false => Some(Kind::Tampered),
        }
    }
}

/// Judges a push that git asks about: `input` is what it gives a pre-receive hook, and the rest stands in its variables.
pub fn guard(input: &[u8], now: Time) -> Result<Guarded, Error> {
    let pushed = parse_pushed(input).map_err(|bad| {
        Error::new(Kind::Usage, bad.to_string())
            .hint("git runs this as a hook; `strongroom guard --install DIR` puts it where git looks for it")
    })?;
    if pushed.is_empty() {
        let words = "this judges a push to a bare repository, and standard input names none";
        return Err(Error::new(Kind::Usage, words).hint(
            "git runs it as a pre-receive hook, and always names something; `strongroom guard --install DIR` puts it where \
             git looks for it",
        ));
    }
    let door = Doorway::of_this_run().map_err(|error| cannot_tell("the repository cannot be read", error))?;
    let too_much = door
        .too_much()
        .map_err(|error| cannot_tell("it cannot be told how much arrived", error))?;
    if let Some((size, room)) = too_much {
        let words = format!(
            "the push brings {} MiB, and {} MiB fit on this disk; nothing of it was taken",
            size >> 20,
            room >> 20
        );
        return Err(Error::new(Kind::Unknown, words).hint("make room there, or push less at once"));
    }
    let pin = read_pin(door.dir())?;
    let mut judged = judge_push(&door, &pushed, &Settings::of_this_run(), now).map_err(|error| {
        let error = Error::from(error);
        let kind = match error.kind {
            Kind::Tampered => Kind::Tampered,
            _ => Kind::Unknown,
        };
        let message = format!("the push is refused, and nothing of it was taken: {}", error.message);
        Error { kind, message, ..error }
    })?;
    compare_founder(pin, &mut judged);
    let mut guarded = Guarded {
        objections: judged.objections,
        known: judged.known,
        strays: judged.strays,
        ..Guarded::default()
    };
    if let (None, None, Some((vault, founder))) = (pin, guarded.refusal(), judged.vault) {
        match write_pin(door.dir(), Founder::Whole(founder), false) {
            Ok(()) => guarded.pinned = Some((vault, founder)),
            Err(error) => guarded.not_pinned = Some(error),
        }
    }
    Ok(guarded)
}

fn cannot_tell(what: &str, error: std::io::Error) -> Error {
    Error::new(Kind::Unknown, format!("{what}: {error}; nothing was taken"))
}

/// The vault is the one whose founder was named.
fn compare_founder(pin: Option<Founder>, judged: &mut Judged) {
    let (Some(pin), Some((_, founder))) = (pin, judged.vault) else {
        return;
    };
    if !pin.is(founder) {
        let message = format!(
            "the founder's words of the vault that is pushed are `{}`, and this repository is for another vault",
            Fingerprint::from(founder)
        );
        judged.objections.push(Objection {
            name: Some(format!("{HEADS}{MAIN}")),
            problem: Problem::vault(13, message),
            unknown: false,
        });
    }
}

fn read_pin(dir: &Path) -> Result<Option<Founder>, Error> {
    let path = dir.join(PIN);
    let text = match read_bounded(&path, PIN_MAX) {
        Err(FileError::Missing(_)) => return Ok(None),
        text => text.map_err(|error| Error::new(Kind::Unknown, error.to_string()))?,
    };
    let founder = std::str::from_utf8(&text)
        .ok()
        .and_then(|text| Founder::parse(text).ok());
    founder.map(Some).ok_or_else(|| {
        let words = format!(
            "`{}` does not say which vault may be pushed; nothing was taken",
            path.display()
        );
        Error::new(Kind::Unknown, words).hint("`strongroom guard --install DIR --founder WORDS` writes it anew")
    })
}

fn write_pin(dir: &Path, founder: Founder, replace: bool) -> Result<(), Error> {
    let text = format!("{founder}\n");
    Ok(put_file(&dir.join(PIN), text.as_bytes(), 0o644, replace)?)
}

/// A guard that was installed.
pub struct InstalledGuard {
    /// The hook.
    pub hook: PathBuf,
    /// The program that it runs.
    pub program: PathBuf,
    /// Where the hook went that was there, if it was another.
    pub replaced: Option<PathBuf>,
    /// The founder of the only vault that may be pushed; none: of the first that is.
    pub founder: Option<Fingerprint>,
    /// Whether nobody named them, so that it is only the word of what lies there.
    pub on_its_word: bool,
}

/// Puts the guard into a bare repository's hooks. With `insist` it takes the place of another hook, and of another founder.
pub fn install_guard(dir: &Path, founder: Option<&str>, insist: bool) -> Result<InstalledGuard, Error> {
    let given = founder.map(Founder::parse).transpose()?;
    let repo = Repo::open_to_verify(dir, Settings::of_this_run()).map_err(|error| match error {
        OpenError::Missing(_) => Error::new(
            Kind::Failed,
            format!("there is no repository at `{}`; nothing was done", dir.display()),
        )
        .hint("name the bare repository that others push to; a new one is made with `git init --bare DIR`"),
        error => error.into(),
    })?;
    let dir = repo.dir();
    if repo.has_journal() {
        let words = "that is a vault that is worked in, and nothing is pushed into it; nothing was done";
        return Err(Error::new(Kind::Usage, words)
            .hint("a guard belongs into the bare repository between the clones: `git init --bare HUB`"));
    }
    let hooks = hooks_folder(dir).map_err(|error| {
        Error::new(Kind::Failed, format!("{error}; nothing was done"))
            .hint("take that setting away there, or have the hook run `strongroom guard` with what git gives it")
    })?;
    let there = said_founder(&repo)?.map(|(_, founder)| founder);
    if let Some(there) = there.filter(|there| given.is_some_and(|given| !given.is(*there))) {
        let words = format!(
            "the founder's words of the vault that lies there are `{}`, and not those that were named; nothing was done",
            Fingerprint::from(there)
        );
        return Err(Error::new(Kind::Tampered, words).hint("ask whoever gave you the fingerprint where the vault is"));
    }
    let before = match (read_pin(dir), insist) {
        // Whoever insists writes it anew.
        (Err(_), true) => None,
        (before, _) => before?,
    };
    let named = given.or(there.map(Founder::Whole));
    let differs = |before: Founder| named.is_some_and(|named| !named.agrees_with(before));
    if before.is_some_and(differs) && !insist {
        return Err(
            Error::new(Kind::Failed, "the guard there is for another founder; nothing was done")
                .hint("with --yes it is for this one from now on"),
        );
    }
    let program = std::env::current_exe().and_then(|path| path.canonicalize());
    let program = program
        .map_err(|error| Error::new(Kind::Failed, format!("this program cannot tell where it lies: {error}")))?;
    let hook = hooks.join(HOOK);
    let replaced = make_place(&hooks, &hook, insist)?;
    // All of a digest says more than its first words.
    let pin = there.map(Founder::Whole).or(given).or(before);
    if let Some(pin) = pin {
        write_pin(dir, pin, true)?;
    }
    put_file(&hook, &script(&program), 0o755, true)?;
    Ok(InstalledGuard {
        hook,
        program,
        replaced,
        founder: pin.map(Founder::words),
        on_its_word: given.is_none() && before.is_none(),
    })
}

/// Makes place for the hook. What is there and is another is kept beside it.
fn make_place(hooks: &Path, hook: &Path, insist: bool) -> Result<Option<PathBuf>, Error> {
    let failed = |error: std::io::Error| Error::new(Kind::Failed, format!("the hook cannot be written: {error}"));
    std::fs::create_dir_all(hooks).map_err(failed)?;
    let own = match read_bounded(hook, HOOK_MAX) {
        Err(FileError::Missing(_)) => return Ok(None),
        found => found.is_ok_and(|found| found.starts_with(FIRST.as_bytes())),
    };
    if own {
        return Ok(None);
    }
    if !insist {
        let words = format!("there is another hook at `{}`; nothing was done", hook.display());
        return Err(Error::new(Kind::Failed, words).hint(format!(
            "with --yes it is kept as `{REPLACED}` and does not run any more; or have it run `strongroom guard` with what git \
             gives it"
        )));
    }
    let place = hooks.join(REPLACED);
    if std::fs::symlink_metadata(&place).is_ok() {
        return Err(FileError::Exists(place).into());
    }
    std::fs::rename(hook, &place).map_err(failed)?;
    Ok(Some(place))
}

/// What the shell is to do.
fn script(program: &Path) -> Vec<u8> {
    let mut script = FIRST.as_bytes().to_vec();
    script.extend(b"exec '");
    for byte in program.as_os_str().as_bytes() {
        match byte {
            b'\'' => script.extend(b"'\\''"),
            byte => script.push(*byte),
        }
    }
    script.extend(b"' guard\n");
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_is_more_than_a_path_to_the_shell() {
        let script = script(Path::new("/srv/it's; $(here)/strongroom"));
        let text = String::from_utf8_lossy(&script);
        assert!(
            text.ends_with("\nexec '/srv/it'\\''s; $(here)/strongroom' guard\n"),
            "{text}"
        );
    }
}
