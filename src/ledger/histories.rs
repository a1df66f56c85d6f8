//! Which entries of a log with several histories stand in which of them, learned by hashing these again.

use super::objects::{HEADS, Objects, log_of};
use super::scan::{Head, ScanError, scan};
use crate::chain::{Histories, LiveSet};
use crate::id::LogName;
use crate::repo::Oid;

/// A history: where its objects are read from, and its newest commit.
pub(super) type HistoryAt<'a> = (&'a dyn Objects, Oid);

/// The logs that have forks among these branches, of which nothing more is known yet.
pub(super) fn with_forks<'a>(branches: impl Iterator<Item = &'a str>) -> Histories {
    let logs = branches.filter_map(|name| log_of(name.strip_prefix(HEADS).unwrap_or(name)));
    Histories::of(logs.filter_map(|(log, fork)| fork.map(|_| log)))
}

/// Tells the histories of a log apart, whose entries were applied under these numbers.
pub(super) fn tell_apart(live: &mut LiveSet, log: LogName, histories: &[HistoryAt<'_>]) -> Result<(), ScanError> {
    let heads = histories.iter().map(|(objects, oid)| Head::read(*objects, *oid));
    let heads: Vec<Head> = heads.collect::<Result<_, ScanError>>()?;
    let sizes: Vec<u64> = heads.iter().map(Head::size).collect();
    let asked = live.asks(log);
    live.histories().learn(log, &sizes, &asked, |history, at| {
        Ok(scan(histories[history].0, &heads[history], at, &mut |_| {})?.roots)
    })
}
