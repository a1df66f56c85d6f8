//! What the doctor mends: what loses no evidence, and nothing else.

use super::open_places;
use crate::app::context::Context;
use crate::app::error::{Error, Kind};
use crate::app::guard::PIN;
use crate::app::held::agent_socket;
use crate::app::tidy::tidy;
use crate::env::{close_to_others, remove_stale_socket};
use crate::ledger::{LedgerError, vault_id};
use crate::repo::{JournalError, PackError, RecoverError, Repo, Settings};

/// How often it is packed at most in one go: enough for four million objects.
const GOES_MAX: usize = 1000;

/// Does what loses no evidence. Where there was tampering, nothing inside the vault is touched.
pub(super) fn mend_all(context: &Context<'_>, tampered: bool, done: &mut Vec<String>) -> Result<(), Error> {
    let place = context.places.vault();
    // Closed to others and with a journal it would take no push any more.
    if place.join(PIN).exists() {
        let words = "that is a repository with a guard, between clones: nothing of it is mended here";
        return Err(Error::new(Kind::Usage, words).hint("`git fsck` there, and `git gc` while nobody pushes"));
    }
    let vault = Repo::open_to_verify(&place, Settings::of_this_run())
        .ok()
        .and_then(|repo| vault_id(&repo).ok());
    for path in open_places(context, vault) {
        close_to_others(&path)?;
        done.push(format!("closed to others: `{}`", path.display()));
    }
    let removed = remove_stale_socket(&agent_socket(&context.places));
    if removed.map_err(|bad| Error::new(Kind::Failed, bad.to_string()))? {
        done.push("removed the socket that an agent left".to_owned());
    }
    match tampered || !place.exists() {
        true => Ok(()),
        false => mend_vault(context, done),
    }
}

/// Puts refs back where the journal left them, which another program has moved back or removed: that they were stands in
/// what is told.
pub(super) fn put_back(context: &Context<'_>, done: &mut Vec<String>) -> Result<(), Error> {
    let repo = context.repo()?;
    let lock = context.patiently(|patience| Ok(repo.lock(patience)?))?;
    let recovery = repo.put_back(&lock).map_err(LedgerError::from)?;
    if !recovery.healed.is_empty() {
        let moved = recovery.healed.join(", ");
        done.push(format!("put back what had been moved back or removed: {moved}"));
    }
    Ok(())
}

fn mend_vault(context: &Context<'_>, done: &mut Vec<String>) -> Result<(), Error> {
    let repo = context.repo()?;
    // Before recovery, which removes some of them.
    let left = repo
        .remains()
        .map(|remains| remains.half_written.len())
        .unwrap_or_default();
    let lock = context.patiently(|patience| Ok(repo.lock(patience)?))?;
    let due = repo.health().is_ok_and(|health| health.is_due());
    match repo.recover(&lock) {
        Err(RecoverError::Journal(JournalError::Missing)) => {
            repo.make_journal(&lock)
                .map_err(RecoverError::from)
                .map_err(LedgerError::from)?;
            repo.recover(&lock).map_err(LedgerError::from)?;
            done.push("made a journal".to_owned());
        }
        recovered => {
            recovered.map_err(LedgerError::from)?;
            if due {
                // Recovery looks at the last record alone where nothing else is wrong.
                repo.make_whole(&lock).map_err(PackError::from)?;
                done.push("brought git to where the journal stands".to_owned());
            }
        }
    }
    if repo.is_forgetting() {
        let held = repo.finish_forgetting(&lock).map_err(LedgerError::NotGone)?;
        done.push("removed for good what was forgotten".to_owned());
        done.extend(held.into_iter().map(|name| {
            format!(
                "but `{name}` is no part of a vault and still holds some of it: remove it, then `git gc --prune=now`"
            )
        }));
    }
    repo.clear_remains(&lock).map_err(LedgerError::NotGone)?;
    if left > 0 {
        done.push(format!("removed what programs that died had half written: {left}"));
    }
    drop(lock);
    let mut packed = false;
    for _ in 0..GOES_MAX {
        if !tidy(&context.places)? {
            break;
        }
        packed = true;
    }
    done.extend(packed.then(|| "packed what had gathered".to_owned()));
    Ok(())
}
