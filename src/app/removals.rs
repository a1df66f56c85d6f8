//! Two leads who removed each other, as this device met them: no log here says both, since each counts for nothing in the
//! other's. Kept in the local state, a line for each remote that showed it, until that remote shows it no more.

use super::error::Error;
use crate::chain::Time;
use crate::env::{FileError, read_bounded, replace_private};
use std::path::Path;

const FILE: &str = "removals";
/// The largest such file, in bytes.
const FILE_MAX: u64 = 64 * 1024;
/// For how long it is told after it was seen last, in seconds.
const TOLD_FOR: i64 = 30 * 86_400;

/// That two leads removed each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Removals {
    seen: Time,
    one: String,
    other: String,
    remote: String,
}

impl Removals {
    pub(super) fn in_words(&self) -> String {
        format!(
            "{} and {} each took the membership from the other, neither knowing of it, as a sync with the remote `{}` showed: \
             what reached the others first stands, and who founded the vault decides whether it is to stay so",
            self.one, self.other, self.remote
        )
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(4, ' ').map(str::to_owned);
        Some(Self {
            seen: words.next()?.parse().ok()?,
            one: words.next()?,
            other: words.next()?,
            remote: words.next()?,
        })
    }
}

/// What is remembered and still told.
pub(super) fn removals(state: &Path, now: Time) -> Result<Vec<Removals>, Error> {
    let bytes = match read_bounded(&state.join(FILE), FILE_MAX) {
        Err(FileError::Missing(_)) => return Ok(Vec::new()),
        bytes => bytes?,
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut all: Vec<Removals> = text.lines().filter_map(Removals::parse).collect();
    all.retain(|known| now.unix().saturating_sub(known.seen.unix()) < TOLD_FOR);
    Ok(all)
}

/// Remembers what a remote showed.
pub(super) fn remember_removals(
    state: &Path,
    remote: &str,
    (one, other): (&str, &str),
    now: Time,
) -> Result<(), Error> {
    let mut all = removals(state, now)?;
    all.retain(|known| known.remote != remote);
    all.push(Removals {
        seen: now,
        one: one.to_owned(),
        other: other.to_owned(),
        remote: remote.to_owned(),
    });
    keep(state, &all)
}

/// Forgets it, since that remote shows it no more.
pub(super) fn forget_removals(state: &Path, remote: &str, now: Time) -> Result<(), Error> {
    let all = removals(state, now)?;
    match all.iter().any(|known| known.remote == remote) {
        false => Ok(()),
        true => keep(
            state,
            &all.into_iter()
                .filter(|known| known.remote != remote)
                .collect::<Vec<_>>(),
        ),
    }
}

fn keep(state: &Path, all: &[Removals]) -> Result<(), Error> {
    let line = |known: &Removals| format!("{} {} {} {}\n", known.seen, known.one, known.other, known.remote);
    let text: String = all.iter().map(line).collect();
    Ok(replace_private(&state.join(FILE), text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_remote_showed_is_told_until_it_shows_it_no_more() {
        let state = tempfile::tempdir().unwrap();
        let now = Time::from_unix(1_795_253_400);
        let told = |now| removals(state.path(), now).unwrap().len();
        assert_eq!(told(now), 0);
        remember_removals(state.path(), "origin", ("mara", "jon"), now).unwrap();
        remember_removals(state.path(), "origin", ("mara", "jon"), now).unwrap();
        remember_removals(state.path(), "jon", ("mara", "jon"), now).unwrap();
        assert_eq!(told(now), 2);
        let words = removals(state.path(), now).unwrap()[0].in_words();
        assert!(
            words.starts_with("mara and jon each took the membership") && words.contains("`origin`"),
            "{words}"
        );
        forget_removals(state.path(), "origin", now).unwrap();
        assert_eq!(told(now), 1);
        assert_eq!(told(Time::from_unix(now.unix() + TOLD_FOR)), 0);
    }
}
