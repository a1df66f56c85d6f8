//! Leaving the vault to others while a person is asked something.

use super::error::LedgerError;
use super::kept::log_branches;
use super::start::Ledger;
use crate::repo::Oid;
use std::time::Duration;

impl Ledger<'_> {
    /// Lets others write to the vault while `meanwhile` runs: a person at a prompt keeps nobody waiting. What was read
    /// before holds afterwards only if nobody did write; if somebody did, or still does after `patience`, nothing can be
    /// recorded any more, and so nothing be shown.
    pub fn aside<T>(&mut self, patience: Duration, meanwhile: impl FnOnce() -> T) -> T {
        let before = self.logs();
        let (made, lock) = self.lock.aside(patience, meanwhile);
        let settled = lock.is_ok() && self.repo.recover(&self.lock).is_ok();
        // Every change is an entry, so whoever wrote moved a log.
        let same = matches!((before, self.logs()), (Ok(before), Ok(after)) if before == after);
        self.lapsed |= !(settled && same);
        made
    }

    fn logs(&self) -> Result<Vec<(String, Oid)>, LedgerError> {
        Ok(log_branches(self.repo)?.0)
    }
}
