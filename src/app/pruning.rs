//! Other stores on whose disks what was destroyed may still lie: the remotes to which it was pushed that it is forgotten,
//! until they have pruned. Kept in the local state, a line for each branch that was re-rooted there.

use super::context::Context;
use super::error::{Error, Kind};
use super::table::typed;
use crate::chain::Time;
use crate::env::{FileError, read_bounded, replace_private};
use crate::ledger::vault_id;
use crate::repo::{Oid, RemoteUrl, Repo, Settings};
use std::path::Path;

const FILE: &str = "unpruned";
/// The largest such file, in bytes.
const FILE_MAX: u64 = 256 * 1024;
/// Of so many branches it is remembered where they stood: a store that has pruned has lost them all.
const TIPS_MAX: usize = 64;

/// A store that has not confirmed that it pruned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Unpruned {
    /// What it is called here.
    pub(super) remote: String,
    /// When something was forgotten there last.
    pub(super) since: Time,
    /// Where branches stood there before: what was forgotten hangs on these.
    tips: Vec<Oid>,
}

/// Reads what is remembered, a store after the other.
pub(super) fn unpruned(state: &Path) -> Result<Vec<Unpruned>, Error> {
    let bytes = match read_bounded(&state.join(FILE), FILE_MAX) {
        Err(FileError::Missing(_)) => return Ok(Vec::new()),
        bytes => bytes?,
    };
    let damaged = || {
        Error::new(Kind::Failed, "which stores have still to prune can no longer be read")
            .hint("prune each of the vault's remotes (`git gc --prune=now` there), then name it: `strongroom doctor --pruned NAME`")
    };
    let text = String::from_utf8(bytes).map_err(|_| damaged())?;
    let mut stores: Vec<Unpruned> = Vec::new();
    for line in text.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(since), Some(tip), Some(remote)) = (words.next(), words.next(), words.next()) else {
            return Err(damaged());
        };
        let (Ok(since), Ok(tip)) = (since.parse::<Time>(), tip.parse::<Oid>()) else {
            return Err(damaged());
        };
        match stores.iter_mut().find(|store| store.remote == remote) {
            Some(store) => {
                store.since = store.since.max(since);
                store.tips.push(tip);
            }
            None => stores.push(Unpruned {
                remote: remote.to_owned(),
                since,
                tips: vec![tip],
            }),
        }
    }
    Ok(stores)
}

fn keep(state: &Path, stores: &[Unpruned]) -> Result<(), Error> {
    let lines = stores.iter().flat_map(|Unpruned { remote, since, tips }| {
        let newest = tips.len().saturating_sub(TIPS_MAX);
        tips[newest..]
            .iter()
            .map(move |tip| format!("{since} {tip} {remote}\n"))
    });
    Ok(replace_private(
        &state.join(FILE),
        lines.collect::<String>().as_bytes(),
    )?)
}

/// Remembers that branches of a store were re-rooted which stood at `tips` before.
pub(super) fn forgotten_there(state: &Path, remote: &str, tips: &[Oid], now: Time) -> Result<(), Error> {
    if tips.is_empty() {
        return Ok(());
    }
    // What cannot be read is no reason to forget what is to be remembered now.
    let mut stores = unpruned(state).unwrap_or_default();
    match stores.iter_mut().find(|store| store.remote == remote) {
        Some(store) => {
            store.since = now;
            store.tips.extend(tips);
        }
        None => stores.push(Unpruned {
            remote: remote.to_owned(),
            since: now,
            tips: tips.to_vec(),
        }),
    }
    keep(state, &stores)
}

impl Unpruned {
    /// Whether the store holds none of it any more; none where that is not seen from here.
    pub(super) fn has_pruned(&self, url: &RemoteUrl) -> Option<bool> {
        let there = Repo::open_to_verify(url.path()?, Settings::of_this_run()).ok()?;
        there.lacks(&self.tips).ok()
    }
}

/// Takes somebody's word that a store has pruned.
pub fn confirm_pruned(context: &Context<'_>, remote: &str) -> Result<(), Error> {
    let repo = context.repo()?;
    let vault = vault_id(&repo)?;
    let state = super::audit::local_state(context, vault);
    let state = state.ok_or_else(|| {
        Error::new(Kind::Failed, "which identity is meant is not known").hint("name it with --identity")
    })?;
    let known = repo.remotes()?.into_iter().find(|(name, _)| name == remote);
    let stores = unpruned(&state);
    let remembered = stores
        .as_ref()
        .is_ok_and(|stores| stores.iter().any(|store| store.remote == remote));
    if known.is_none() && !remembered {
        return Err(
            Error::new(Kind::Usage, format!("there is no remote `{}`", typed(remote)))
                .hint("`strongroom remote list` names those that there are"),
        );
    }
    let mut stores = stores.unwrap_or_default();
    if let Some((_, url)) = &known
        && let Some(store) = stores.iter().find(|store| store.remote == remote)
        && store.has_pruned(url) == Some(false)
    {
        return Err(
            Error::new(Kind::Failed, format!("`{remote}` still holds what was destroyed"))
                .hint("`git gc --prune=now` there while nobody pushes takes it off its disk"),
        );
    }
    stores.retain(|store| store.remote != remote);
    keep(&state, &stores)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn stores_are_remembered_until_they_have_pruned() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path();
        assert_eq!(unpruned(state).unwrap(), []);
        forgotten_there(state, "hub", &[], Time::from_unix(1)).unwrap();
        assert_eq!(unpruned(state).unwrap(), []);
        let tips: Vec<Oid> = (0..100).map(|n| Oid([n; 20])).collect();
        forgotten_there(state, "hub", &tips[..2], Time::from_unix(1)).unwrap();
        forgotten_there(state, "my stick", &tips[..1], Time::from_unix(2)).unwrap();
        forgotten_there(state, "hub", &tips[2..], Time::from_unix(3)).unwrap();
        let known = unpruned(state).unwrap();
        let names: Vec<_> = known
            .iter()
            .map(|store| (store.remote.as_str(), store.since.unix(), store.tips.len()))
            .collect();
        assert_eq!(names, [("hub", 3, TIPS_MAX), ("my stick", 2, 1)]);
        assert_eq!(known[0].tips, tips[100 - TIPS_MAX..]);
        std::fs::write(state.join(FILE), "nonsense").unwrap();
        assert!(unpruned(state).is_err());
    }
}
