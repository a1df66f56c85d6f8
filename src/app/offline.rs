//! How long this copy of the vault has been without the others, where `levels.toml` caps how long its notes are opened so.
//!
//! A vault that has no remote, and never exchanged with any, is complete in itself: there is nothing that it could miss, and
//! nobody who waits for what it records.

use super::context::{Context, Desk};
use super::error::Error;
use crate::chain::Time;
use crate::label::Level;
use crate::ledger::{Ledger, read_charter};
use crate::policy::{Levels, Offline, Period, PolicySet};
use crate::repo::{Exchanged, Repo};

/// What share of a cap is left when it is told.
const TOLD_FROM: i64 = 4;

/// A cap that has been reached, or soon is, by this computer's clock and what `sync` noted; the log, which may know of a newer
/// time, is not read for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfflineCap {
    /// The lowest level it is on, as the vault calls it.
    pub level: String,
    /// For how long after a sync notes are opened.
    pub at_most: Period,
    /// How many seconds are left; none: it is over.
    pub left: Option<i64>,
}

impl OfflineCap {
    /// What to tell of it.
    pub fn in_words(&self) -> String {
        let Self { level, at_most, left } = self;
        let rule = format!("within {at_most} after a sync");
        match left {
            Some(left) => {
                let left = match left / 3600 {
                    0 => "less than an hour".to_owned(),
                    1 => "1 hour".to_owned(),
                    hours => format!("{hours} hours"),
                };
                format!("notes from `{level}` upwards are opened here {rule}: for {left} more")
            }
            None => format!("notes from `{level}` upwards are opened here {rule}, and that is over"),
        }
    }
}

/// Notes that this copy exchanged with another now.
pub(super) fn note_exchange(repo: &Repo, now: Time) -> Result<(), Error> {
    Ok(repo.note_exchanged(Exchanged { last: now, newest: now })?)
}

/// What time it is at least: the newest that is known here, where the clock is behind that. A clock that is set back gives
/// nobody more time.
pub(super) fn time_at_least(context: &Context<'_>, repo: &Repo, ledger: &Ledger<'_>) -> Result<Time, Error> {
    let now = context.now().max(ledger.newest_time());
    Ok(repo.exchanged()?.map_or(now, |known| known.newest.max(now)))
}

/// How long it is without the others; looked at only where it matters.
pub(super) fn offline(
    context: &Context<'_>,
    repo: &Repo,
    ledger: &Ledger<'_>,
    policies: &PolicySet,
) -> Result<Offline, Error> {
    if caps(policies.levels()).is_empty() {
        return Ok(Offline::Never);
    }
    let Some(known) = repo.exchanged()? else {
        return Ok(match repo.remotes()?.is_empty() {
            true => Offline::Never,
            false => Offline::Always,
        });
    };
    let newest = ledger.newest_time().max(known.newest);
    let now = context.now().max(newest);
    // What is entered from now on bears the time of a clock that was set back: the newest time is remembered for it.
    if context.now() < newest && newest > known.newest {
        repo.note_exchanged(Exchanged { newest, ..known })?;
    }
    Ok(Offline::Since {
        last: known.last.unix(),
        now: now.unix(),
    })
}

/// The caps of a vault that are over or soon are, by this computer's clock.
pub fn offline_caps(context: &Context<'_>) -> Result<Vec<OfflineCap>, Error> {
    let repo = context.repo()?;
    caps_of(&repo, context.now())
}

pub(super) fn caps_of(repo: &Repo, now: Time) -> Result<Vec<OfflineCap>, Error> {
    let policies = PolicySet::load_trusted(read_charter(repo, None)?.policies)?;
    let caps = caps(policies.levels());
    let known = match caps.is_empty() {
        true => return Ok(Vec::new()),
        false => repo.exchanged()?,
    };
    if known.is_none() && repo.remotes()?.is_empty() {
        return Ok(Vec::new());
    }
    let last = known.map(|known| (known.last.unix(), now.max(known.newest).unix()));
    Ok(caps
        .into_iter()
        .filter_map(|(level, at_most)| {
            let left = match last {
                None => None,
                Some((last, now)) => Some(soon(at_most, last, now)?).filter(|left| *left >= 0),
            };
            let level = policies.levels().rules(level).name.clone();
            Some(OfflineCap { level, at_most, left })
        })
        .collect())
}

/// The seconds that are left of a cap, below zero where it is over; none where that need not be told yet.
fn soon(at_most: Period, last: i64, now: i64) -> Option<i64> {
    let until = at_most.after(last)?;
    let (whole, left) = (until.saturating_sub(last), until.saturating_sub(now));
    (left <= whole / TOLD_FROM).then_some(left)
}

/// Each cap with the lowest level that it is on.
fn caps(levels: &Levels) -> Vec<(Level, Period)> {
    let mut found: Vec<(Level, Period)> = Vec::new();
    for level in Level::ALL {
        let cap = levels.rules(level).offline_at_most;
        if let Some(cap) = cap.filter(|cap| found.last().is_none_or(|(_, known)| known != cap)) {
            found.push((level, cap));
        }
    }
    found
}

impl Desk<'_> {
    /// Whether a cap on the time offline is all that keeps `level` shut, so that in an emergency the glass is broken.
    pub(super) fn is_shut_offline(&self, level: Level) -> bool {
        let at_most = self.policies.levels().rules(level).offline_at_most;
        at_most.is_some_and(|at_most| !self.offline.allows(at_most))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_cap_is_told_of_in_its_last_quarter_and_when_it_is_over() {
        let cap: Period = "72h".parse().unwrap();
        let hours = |left: i64| soon(cap, 1_000, 1_000 + (72 - left) * 3600);
        assert_eq!((hours(72), hours(19)), (None, None));
        assert_eq!(
            (hours(18), hours(0), hours(-1)),
            (Some(18 * 3600), Some(0), Some(-3600))
        );
        let words = |left| {
            let level = "restricted".to_owned();
            OfflineCap {
                level,
                at_most: cap,
                left,
            }
            .in_words()
        };
        assert!(
            words(Some(3 * 3600 + 5)).ends_with("after a sync: for 3 hours more"),
            "{}",
            words(Some(3 * 3600 + 5))
        );
        assert!(words(Some(59)).ends_with("for less than an hour more"));
        assert!(words(None).ends_with("and that is over"));
    }
}
