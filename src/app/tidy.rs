//! What is done for a vault when nobody waits.

use super::error::Error;
use crate::env::Places;
use crate::ledger::LedgerError;
use crate::repo::{AT_ONCE, LockError, Repo, Settings};
use std::time::Duration;

/// Packs some of what has gathered, if that is worth it and nobody is writing; says whether it did, and then there may be
/// more. It opens nothing and needs no identity; while it lasts (seconds at most), whoever wants to write waits.
pub fn tidy(places: &Places) -> Result<bool, Error> {
    let repo = Repo::open(&places.vault(), Settings::of_this_run())?;
    let lock = match repo.lock(Duration::ZERO) {
        Err(LockError::Busy(_)) => return Ok(false),
        lock => lock.map_err(LedgerError::from)?,
    };
    repo.recover(&lock).map_err(LedgerError::from)?;
    Ok(repo.pack(&lock, AT_ONCE)?.is_some())
}
