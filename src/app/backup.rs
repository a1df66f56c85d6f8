//! A copy of the vault in one file, and the way back from it.
//!
//! Neither needs an identity, and neither is an entry: a backup holds what a clone holds, ciphertext and the log, and
//! whoever can read the vault's folder can copy it with any program. An entry would say that copies are counted.

use super::audit::mark_of;
use super::context::Context;
use super::error::{Error, Kind};
use super::vault::{move_into_place, refuse_occupied, staging_beside};
use crate::chain::{Problem, Receipt};
use crate::env::SystemEntropy;
use crate::id::{Digest, VaultId};
use crate::ledger::{
    Anchors, HEADS, HighWater, LedgerError, Report, Verdict, is_of_a_vault, vault_id, verify, waits_for_a_lead,
};
use crate::repo::{BackupError, JournalError, RecoverError, Repo, Settings};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A backup that was written.
pub struct BackedUp {
    /// The vault it is of.
    pub vault: VaultId,
    /// How many bytes it has.
    pub bytes: u64,
    /// Refs that are no part of a vault; they are not in it.
    pub strays: Vec<String>,
}

/// The case of a removed device that wrote on.
const WRITES_ON: u8 = 14;

fn writes_on(problem: &Problem) -> bool {
    problem.case == WRITES_ON
}

/// What a check of a backup found.
pub struct CheckedBackup {
    /// What the verifier says of it.
    pub report: Report,
    /// Where this device wrote more than the backup holds: how many entries are in the backup, and how many it wrote.
    pub behind: Option<(u64, u64)>,
    /// Branches in the backup that are no part of a vault; they were left aside.
    pub strays: Vec<String>,
}

impl CheckedBackup {
    /// Whether nothing is wrong but what keeps nobody from working with it: that a log has two histories, which no card joins
    /// yet, or that a removed device wrote on, which counts for nothing and which whoever was removed can do at any time.
    pub(super) fn is_of_use(&self) -> bool {
        let rests = |problem: &Problem| waits_for_a_lead(problem) || writes_on(problem);
        // Of what is not listed only the case is known.
        self.report.verdict == Verdict::Tampered
            && self.report.problems.iter().all(rests)
            && self.report.unlisted.keys().all(|case| *case == WRITES_ON)
            && self.report.unknown.is_empty()
    }

    /// Whether a log has two histories, which no card joins yet.
    pub fn is_forked(&self) -> bool {
        self.report.problems.iter().any(waits_for_a_lead)
    }

    /// Whether a removed device wrote on.
    pub fn goes_on(&self) -> bool {
        self.report.problems.iter().any(writes_on)
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

/// Whether a ref, by its full name, is one that a vault has.
fn belongs(name: &str) -> bool {
    name.strip_prefix(HEADS).is_some_and(is_of_a_vault)
}

/// Writes everything that the vault's branches lead to into one new file. A branch that somebody made beside them with git, or
/// that a mirror brought along, is no part of it: a backup with it would be no vault's.
pub fn backup(context: &Context<'_>, out: &Path) -> Result<BackedUp, Error> {
    let mut new = context.person.create(out)?;
    let repo = context.repo()?;
    let vault = vault_id(&repo)?;
    let (head, strays) = {
        // Nobody waits for longer than it takes to see where everything stands: what is written later is not in it.
        let lock = context.patiently(|patience| Ok(repo.lock(patience)?))?;
        match repo.recover(&lock) {
            // A clone has no journal, and nothing that git does not show.
            Err(RecoverError::Journal(JournalError::Missing)) => {}
            recovered => drop(recovered.map_err(LedgerError::from)?),
        }
        repo.backup_head(belongs)?
    };
    let bytes = repo.write_backup(&head, &mut *new.file())?;
    let flushed = new.file().flush();
    flushed.map_err(|error| Error::new(Kind::Failed, format!("the backup cannot be written: {error}")))?;
    new.keep()?;
    Ok(BackedUp { vault, bytes, strays })
}

/// Reads a backup into a folder that is then removed, and verifies it as a vault.
pub fn check_backup(context: &Context<'_>, file: &Path) -> Result<CheckedBackup, Error> {
    let folder = tempfile::tempdir()
        .map_err(|error| Error::new(Kind::Failed, format!("there is no place for temporary files: {error}")))?;
    let (repo, vault, strays) = load(context, file, &folder.path().join("vault"))?;
    let checked = judge(context, &repo, vault, None)?;
    Ok(CheckedBackup { strays, ..checked })
}

/// Makes a vault from a backup where there is none. One that is not intact is refused.
pub fn restore(context: &Context<'_>, file: &Path) -> Result<Restored, Error> {
    let path = context.places.vault();
    refuse_occupied(&path)?;
    let staging = staging_beside(&path, &mut SystemEntropy)?;
    let made = (|| {
        let (repo, vault, strays) = load(context, file, &staging)?;
        let checked = judge(context, &repo, vault, None)?;
        let checked = CheckedBackup { strays, ..checked };
        let refusal = match checked.report.verdict {
            Verdict::Intact => None,
            Verdict::Tampered => Some((Kind::Tampered, "this backup was tampered with")),
            Verdict::Unknown => Some((Kind::Unknown, "it cannot be told whether this backup is intact")),
        };
        // A backup of two histories that nobody has joined yet: no reason to be without a vault.
        let refusal = refusal.filter(|_| !checked.is_of_use());
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

/// A new vault at `place` with all of a vault that the backup holds, and which branches in it are no vault's. Older programs
/// backed these up too. All that a vault has is verified without them, so that leaving them aside hides nothing of it.
fn load(context: &Context<'_>, file: &Path, place: &Path) -> Result<(Repo, VaultId, Vec<String>), Error> {
    let mut input = context.person.open(file)?;
    let repo = Repo::create(place, Settings::of_this_run())?;
    let (_, strays) = repo.read_backup(&mut input, belongs)?;
    let vault = vault_id(&repo)?;
    Ok((repo, vault, strays))
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
            strays: Vec::new(),
        });
    };
    let sizes = look(None, false)?.logs;
    let size = sizes.iter().find(|(log, _, _)| *log == mark.log);
    let size = size.map_or(0, |(_, size, _)| *size);
    let behind = (size < mark.size).then_some((size, mark.size));
    let report = look(behind.is_none().then_some(mark), true)?;
    Ok(CheckedBackup {
        report,
        behind,
        strays: Vec::new(),
    })
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
