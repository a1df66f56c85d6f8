//! The branches of logs: each log's own, and the other histories that were kept beside it (docs/FORMAT.md §7.1).
//!
//! Whoever may push can put any commit under the name of such a history. One counts if the log's device signed its
//! newest checkpoint and it is no beginning of the log; that is seen from its newest commit and the log's own lines.

use super::error::LedgerError;
use super::objects::{AUDIT, HEADS, Objects, log_of};
use super::start::read_head;
use crate::chain::Roster;
use crate::id::{Digest, LogName, VaultId};
use crate::repo::{Oid, Repo};
use std::collections::{BTreeMap, BTreeSet};

/// A history that was kept beside its log.
pub(super) struct Kept {
    /// Its branch, without its prefix.
    pub(super) branch: String,
    pub(super) oid: Oid,
    /// Its size and root, as its device signed them.
    pub(super) end: (u64, Digest),
}

/// The branches of a clone's logs.
#[derive(Default)]
pub(super) struct Branches {
    /// Each log's own.
    pub(super) own: BTreeMap<LogName, Oid>,
    /// The histories beside each log. What is signed may be there more than once, and be whole in one place alone.
    pub(super) beside: BTreeMap<LogName, Vec<Kept>>,
    /// Logs beside which a branch stands that is no history of theirs, and why not.
    pub(super) bogus: Vec<(LogName, String)>,
}

impl Branches {
    /// Sorts branches, which are given without their prefix; those that bear no log's name are left out.
    pub(super) fn sort<'b>(
        objects: &dyn Objects,
        roster: &Roster,
        vault: VaultId,
        branches: impl Iterator<Item = (&'b str, Oid)>,
    ) -> Self {
        let mut sorted = Self::default();
        for (branch, oid) in branches {
            let Some((log, fork)) = log_of(branch) else { continue };
            if fork.is_none() {
                sorted.own.insert(log, oid);
                continue;
            }
            match read_head(objects, roster, vault, log, oid) {
                Ok(head) => {
                    let checkpoint = head.message.checkpoint.checkpoint;
                    let end = (checkpoint.size, checkpoint.root);
                    let all = sorted.beside.entry(log).or_default();
                    if all.iter().all(|kept| kept.oid != oid) {
                        let branch = branch.to_owned();
                        all.push(Kept { branch, oid, end });
                    }
                }
                Err(why) => sorted.bogus.push((log, why)),
            }
        }
        sorted
    }

    /// At which sizes the histories beside a log end.
    pub(super) fn sizes(&self, log: LogName) -> BTreeSet<u64> {
        self.beside(log).map(|(size, _)| size).collect()
    }

    /// Where the histories beside a log end.
    pub(super) fn beside(&self, log: LogName) -> impl Iterator<Item = (u64, Digest)> {
        self.beside.get(&log).into_iter().flatten().map(|kept| kept.end)
    }

    /// Drops what is only a beginning of the log, which had these roots at these sizes.
    pub(super) fn drop_beginnings(&mut self, log: LogName, roots: &BTreeMap<u64, Digest>) {
        if let Some(all) = self.beside.get_mut(&log) {
            all.retain(|kept| roots.get(&kept.end.0) != Some(&kept.end.1));
        }
        self.beside.retain(|_, all| !all.is_empty());
    }
}

/// Names of branches with what they point to.
pub(super) type Heads = Vec<(String, Oid)>;

/// The branches of a vault's logs with what they point to, and those that point to nothing: empty, torn or a name.
pub(super) fn log_branches(repo: &Repo) -> Result<(Heads, Vec<String>), LedgerError> {
    let (mut sound, mut damaged) = (Vec::new(), Vec::new());
    for (name, oid) in repo.refs_as_found(&format!("{HEADS}{AUDIT}"))? {
        match oid {
            Some(oid) => sound.push((name, oid)),
            None => damaged.push(name),
        }
    }
    Ok((sound, damaged))
}

/// The same without their prefix.
pub(super) fn without_prefix(branches: &[(String, Oid)]) -> impl Iterator<Item = (&str, Oid)> {
    branches
        .iter()
        .filter_map(|(name, oid)| Some((name.strip_prefix(HEADS)?, *oid)))
}
