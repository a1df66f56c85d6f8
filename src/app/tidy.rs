//! What is done for a vault when nobody waits.

use super::context::Context;
use super::error::Error;
use crate::ledger::LedgerError;
use crate::repo::{LOOSE_MIN, LockError};
use std::time::Duration;

/// Packs some of what has gathered, if that is worth it and nobody is writing; says whether it did, and then there may be
/// more. It opens nothing and needs no identity; while it lasts (seconds at most), whoever wants to write waits.
pub fn tidy(context: &Context<'_>) -> Result<bool, Error> {
    let repo = context.repo()?;
    let lock = match repo.lock(Duration::ZERO) {
        Err(LockError::Busy(_)) => return Ok(false),
        lock => lock.map_err(LedgerError::from)?,
    };
    repo.recover(&lock).map_err(LedgerError::from)?;
    Ok(repo.pack(&lock, LOOSE_MIN)?.is_some())
}
