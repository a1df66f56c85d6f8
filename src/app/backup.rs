//! A copy of the vault in one file, and the way back from it.
//!
//! Neither needs an identity, and neither is an entry: a backup holds what a clone holds, ciphertext and the log, and
//! whoever can read the vault's folder can copy it with any program. An entry would say that copies are counted.

use super::audit::mark_of;
use super::context::Context;
use super::error::{Error, Kind};
use super::vault::{move_into_place, refuse_occupied, staging_beside};
use crate::chain::Receipt;
use crate::env::SystemEntropy;
use crate::id::{Digest, VaultId};
use crate::ledger::{Anchors, HighWater, LedgerError, Report, Verdict, vault_id, verify, waits_for_a_lead};
use crate::repo::{BackupError, JournalError, RecoverError, Repo, Settings};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A backup that was written.
pub struct BackedUp {
    /// The vault it is of.
    pub vault: VaultId,
    /// How many bytes it has.
    pub bytes: u64,
}

/// What a check of a backup found.
pub struct CheckedBackup {
    /// What the verifier says of it.
    pub report: Report,
    /// Where this device wrote more than the backup holds: how many entries are in the backup, and how many it wrote.
    pub behind: Option<(u64, u64)>,
}

impl CheckedBackup {
    /// Whether nothing is wrong but that a log has two histories, which no card joins yet.
    pub fn is_forked(&self) -> bool {
        self.report.verdict == Verdict::Tampered
            && self.report.problems.iter().all(waits_for_a_lead)
            && self.report.unknown.is_empty()
    }
}

/// A vault that was made from a backup.
pub struct Restored {
    /// Which.
    pub vault: VaultId,
    /// Where it lies.
    pub path: PathBuf,
    /// What was found when it was checked.
    pub checked: CheckedBackup,
}

/// Writes everything that the vault's branches lead to into one new file.
pub fn backup(context: &Context<'_>, out: &Path) -> Result<BackedUp, Error> {
    let mut new = context.person.create(out)?;
    let repo = context.repo()?;
    let vault = vault_id(&repo)?;
    let head = {
        // Nobody waits for longer than it takes to see where everything stands: what is written later is not in it.
        let lock = context.patiently(|patience| Ok(repo.lock(patience)?))?;
        match repo.recover(&lock) {
            // A clone has no journal, and nothing that git does not show.
            Err(RecoverError::Journal(JournalError::Missing)) => {}
            recovered => drop(recovered.map_err(LedgerError::from)?),
        }
        repo.backup_head()?
    };
    let bytes = repo.write_backup(&head, &mut *new.file())?;
    let flushed = new.file().flush();
    flushed.map_err(|error| Error::new(Kind::Failed, format!("the backup cannot be written: {error}")))?;
    new.keep()?;
    Ok(BackedUp { vault, bytes })
}

/// Reads a backup into a folder that is then removed, and verifies it as a vault.
pub fn check_backup(context: &Context<'_>, file: &Path) -> Result<CheckedBackup, Error> {
    let folder = tempfile::tempdir()
        .map_err(|error| Error::new(Kind::Failed, format!("there is no place for temporary files: {error}")))?;
    let (repo, vault) = load(context, file, &folder.path().join("vault"))?;
    judge(context, &repo, vault, None)
}

/// Makes a vault from a backup where there is none. One that is not intact is refused.
pub fn restore(context: &Context<'_>, file: &Path) -> Result<Restored, Error> {
    let path = context.places.vault();
    refuse_occupied(&path)?;
    let staging = staging_beside(&path, &mut SystemEntropy)?;
    let made = (|| {
        let (repo, vault) = load(context, file, &staging)?;
        let checked = judge(context, &repo, vault, None)?;
        let refusal = match checked.report.verdict {
            Verdict::Intact => None,
            Verdict::Tampered => Some((Kind::Tampered, "this backup was tampered with")),
            Verdict::Unknown => Some((Kind::Unknown, "it cannot be told whether this backup is intact")),
        };
        // A backup of two histories that nobody has joined yet: no reason to be without a vault.
        let refusal = refusal.filter(|_| !checked.is_forked());
        if let Some((kind, words)) = refusal {
            return Err(Error::new(kind, format!("{words}; nothing was restored"))
                .hint("`strongroom restore FILE --check` says what is wrong with it"));
        }
        move_into_place(&staging, &path)?;
        Ok((vault, checked))
    })();
    let (vault, checked) = made.inspect_err(|_| drop(std::fs::remove_dir_all(&staging)))?;
    Ok(Restored { vault, path, checked })
}

/// A new vault at `place` with all that the backup holds.
fn load(context: &Context<'_>, file: &Path, place: &Path) -> Result<(Repo, VaultId), Error> {
    let mut input = context.person.open(file)?;
    let repo = Repo::create(place, Settings::of_this_run())?;
    repo.read_backup(&mut input)?;
    let vault = vault_id(&repo)?;
    Ok((repo, vault))
}

/// Verifies every commit of a copy, against what this device knows of the vault and who founded it, if that is known.
/// Older than that is no tampering.
pub(super) fn judge(
    context: &Context<'_>,
    repo: &Repo,
    vault: VaultId,
    founder: Option<Digest>,
) -> Result<CheckedBackup, Error> {
    let mark = mark_of(context, vault)?;
    let founder = founder.or(mark.as_ref().map(|mark| mark.founder));
    let pins = founder.map(|founder| pins_of(vault, founder, context));
    let look = |high_water: Option<&HighWater>, deep: bool| {
        let anchors = Anchors {
            receipt: pins.as_ref(),
            high_water,
            witnesses: &[],
            now: context.now(),
            deep,
        };
        verify(repo, &anchors)
    };
    let Some(mark) = &mark else {
        return Ok(CheckedBackup {
            report: look(None, true)?,
            behind: None,
        });
    };
    let sizes = look(None, false)?.logs;
    let size = sizes.iter().find(|(log, _, _)| *log == mark.log);
    let size = size.map_or(0, |(_, size, _)| *size);
    let behind = (size < mark.size).then_some((size, mark.size));
    let report = look(behind.is_none().then_some(mark), true)?;
    Ok(CheckedBackup { report, behind })
}

/// What is known of a vault other than how far its logs had come: who founded it.
fn pins_of(vault: VaultId, founder: Digest, context: &Context<'_>) -> Receipt {
    Receipt {
        vault,
        time: context.now(),
        founder,
        // The founder's card begins the roster of every state of the vault.
        roster: founder,
        checkpoints: Vec::new(),
    }
}

impl From<BackupError> for Error {
    fn from(error: BackupError) -> Self {
        let kind = match &error {
            BackupError::Source(_) | BackupError::Incomplete(_) => Kind::Tampered,
            // A copy that was cut short shows no intent.
            BackupError::Damaged(_) | BackupError::NotABackup(_) | BackupError::Io(_) => Kind::Failed,
        };
        let refusal = Self::new(kind, error.to_string());
        match error {
            BackupError::Source(_) => refusal.hint("`strongroom audit verify` says what else is wrong"),
            _ => refusal,
        }
    }
}
