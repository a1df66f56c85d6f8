//! A witness at work: verify, check that every log goes on from what was cosigned before, cosign, publish.

use super::append::NOBODY;
use super::error::LedgerError;
use super::high_water::HighWater;
use super::kept::log_branches;
use super::objects::{HEADS, Objects, WITNESS};
use super::start::read_charter;
use super::verify::{Anchors, Report, examine};
use super::verify_log::{Found, each_leaf};
use super::verify_witness::{COSIGNED_MAX, not_cosigned, read};
use super::view::View;
use crate::chain::{
    BadCosignature, BadProof, CosignedCheckpoint, CosignedFile, Problem, ProofWalk, Receipt, Time, Witness,
    check_consistency,
};
use crate::id::{LogName, VaultId};
use crate::repo::{
    Batch, JournalError, Mode, Object, Oid, ReadError, RecoverError, RefChange, Repo, TreeEdit, commit_bytes,
};
use std::time::Duration;

/// Nothing is cosigned or published.
#[derive(Debug, thiserror::Error)]
pub enum NoCosignature {
    /// The vault could not be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It does not verify, or does not go on from what was cosigned before.
    #[error("nothing was cosigned: the vault is not intact{}", first(.0))]
    NotIntact(Box<Report>),
    /// The log does not go on from what was cosigned before.
    #[error("nothing was cosigned: log {0} does not go on from what this witness cosigned before: {1}")]
    NotConsistent(LogName, BadProof),
    /// Something was cosigned later than now.
    #[error(
        "nothing was cosigned: it is {now} by this clock, and this witness cosigned at {before}: set the clock right"
    )]
    ClockBack {
        /// The clock now.
        now: Time,
        /// When the last cosignature was made.
        before: Time,
    },
    /// The vault is another one.
    #[error("this belongs to vault {given}, and this is vault {vault}")]
    OtherVault {
        /// Whose file or state it is.
        given: VaultId,
        /// Whose vault it is.
        vault: VaultId,
    },
    /// The branch has cosignatures of somebody else.
    #[error("the branch `{WITNESS}{0}` holds what another key cosigned under that name: nothing was written")]
    OtherKey(String),
    /// What is to be published does not hold.
    #[error(
        "the checkpoint of log {0} in this file is not signed by its device, or not cosigned by its witness: nothing was written"
    )]
    Forged(LogName),
    /// The branch has more already.
    #[error("the vault has a newer cosignature of log {0} already: nothing was written")]
    Older(LogName),
    /// The branches are where a plain clone keeps its origin's.
    #[error(
        "this is a plain clone, whose branches are its origin's: write to a file with --out, or clone with --mirror"
    )]
    PlainClone,
}

fn first(report: &Report) -> String {
    let first = report.problems.iter().chain(&report.unknown).next();
    first.map_or_else(String::new, |Problem { case, message, .. }| {
        format!(": [{case}] {message}")
    })
}

/// What a witness cosigned, and what it must remember before it tells anybody.
#[derive(Debug)]
pub struct Cosigning {
    /// Where every log stands now: the witness's state from now on.
    pub state: Receipt,
    /// For whoever pins the witness's key.
    pub file: CosignedFile,
}

/// Cosigns every log of an intact vault that goes on from what this witness cosigned before: from `state`, which it
/// keeps, and from its own cosignatures in the vault. Writes nothing.
pub fn cosign(
    repo: &Repo,
    witness: &Witness,
    state: Option<&Receipt>,
    high_water: Option<&HighWater>,
    now: Time,
) -> Result<Cosigning, NoCosignature> {
    let own = [witness.public()];
    let anchors = Anchors {
        receipt: state,
        high_water,
        witnesses: &own,
        now,
        deep: false,
    };
    let mut examined = examine(repo, &anchors)?;
    // What somebody without its key put on its branch last, a witness that remembers what it cosigned goes on from.
    let forged = not_cosigned(witness.name());
    let is_forged = |problem: &Problem| problem.case == 31 && problem.message.starts_with(&forged);
    if state.is_some() && !examined.report.problems.is_empty() && examined.report.problems.iter().all(is_forged) {
        let witnesses = &[];
        examined = examine(repo, &Anchors { witnesses, ..anchors })?;
    }
    let Some(receipt) = examined.receipt(now) else {
        return Err(NoCosignature::NotIntact(Box::new(examined.report)));
    };
    let times = examined.report.cosigned.iter().map(|known| known.time);
    if let Some(before) = times
        .chain(state.map(|state| state.time))
        .max()
        .filter(|before| *before > now)
    {
        return Err(NoCosignature::ClockBack { now, before });
    }
    for known in state.iter().flat_map(|state| &state.checkpoints) {
        let (known, log) = (known.checkpoint, known.checkpoint.log);
        let consistent = match examined.found.get(&log) {
            Some(found) => goes_on(&examined.view, found, (known.size, known.root)),
            None => Err(BadProof::Unfinished),
        };
        consistent.map_err(|bad| NoCosignature::NotConsistent(log, bad))?;
    }
    let cosigned = |signed: &crate::chain::SignedCheckpoint| {
        let mut cosigned = CosignedCheckpoint::new(signed.clone());
        cosigned.cosign(witness, now);
        cosigned
    };
    let file = CosignedFile {
        witness: witness.public(),
        checkpoints: receipt.checkpoints.iter().map(cosigned).collect(),
    };
    Ok(Cosigning { state: receipt, file })
}

/// The witness's own check, by a consistency proof over the lines as they are.
pub(super) fn goes_on(view: &View<'_>, found: &Found, old: (u64, crate::id::Digest)) -> Result<(), BadProof> {
    let mut walk = ProofWalk::consistency(old.0, found.size)?;
    each_leaf(view, &found.layout, &mut |leaf| walk.leaf(leaf));
    check_consistency(old, (found.size, found.root), &walk.end()?)
}

/// Puts cosigned checkpoints on the branch of their witness, by an unsigned commit. Each must be authentic, and none
/// older than what is there. A clone without a journal gets one.
pub fn publish(repo: &Repo, file: &CosignedFile, now: Time, patience: Duration) -> Result<(), NoCosignature> {
    let lock = repo.lock(patience).map_err(LedgerError::from)?;
    match repo.recover(&lock) {
        Err(RecoverError::Journal(JournalError::Missing)) => {
            repo.make_journal(&lock)
                .map_err(|error| LedgerError::from(RecoverError::from(error)))?;
            repo.recover(&lock)
        }
        recovered => recovered,
    }
    .map_err(LedgerError::from)?;
    let (logs, _) = log_branches(repo)?;
    if logs.is_empty() {
        return Err(NoCosignature::PlainClone);
    }
    authentic(repo, file)?;
    let name = format!("{HEADS}{WITNESS}{}", file.witness.name());
    let old = repo.ref_target(&name).map_err(LedgerError::from)?;
    let base = match old {
        Some(oid) => Some(no_older(repo, oid, file)?),
        None => None,
    };
    let mut objects = Vec::new();
    let mut edit = TreeEdit::new();
    for checkpoint in &file.checkpoints {
        let blob = Object::blob(checkpoint.to_text().into_bytes());
        let path = checkpoint.signed.checkpoint.log.to_string();
        edit.insert(&path, blob.oid())
            .map_err(|_| LedgerError::Internal("a path cannot be written"))?;
        objects.push(blob);
    }
    let edited = edit.apply(base, |oid| repo.tree_at(oid));
    let edited = edited.map_err(|_| LedgerError::Internal("the branch of a witness cannot be changed"))?;
    objects.extend(edited.objects);
    let parents: Vec<Oid> = old.into_iter().collect();
    let author = format!("{NOBODY} {} +0000", now.day().unix().max(0));
    let commit = commit_bytes(edited.root, &parents, &author, "cosign\n", None);
    let commit = Object::commit(commit.map_err(|_| LedgerError::Internal("a commit cannot be written"))?);
    let new = Some(commit.oid());
    objects.push(commit);
    let batch = Batch {
        objects,
        refs: vec![RefChange { name, old, new }],
        note: b"cosign".to_vec(),
    };
    let durable = repo.commit(&lock, &batch).map_err(LedgerError::from)?;
    let _ = durable.record();
    Ok(())
}

/// Every checkpoint is of this vault, signed by its device and cosigned by the file's witness.
fn authentic(repo: &Repo, file: &CosignedFile) -> Result<(), NoCosignature> {
    let charter = read_charter(repo, None)?;
    for cosigned in &file.checkpoints {
        let signed = &cosigned.signed;
        let (given, log) = (signed.checkpoint.vault, signed.checkpoint.log);
        if given != charter.vault {
            let vault = charter.vault;
            return Err(NoCosignature::OtherVault { given, vault });
        }
        let key = charter
            .roster
            .device_ever(log.device)
            .and_then(|device| device.sign_key());
        let holds = key.is_some_and(|key| signed.verify(&key).is_ok());
        if !holds || cosigned.verify(&file.witness).is_err() {
            return Err(NoCosignature::Forged(log));
        }
    }
    Ok(())
}

/// The tree of the branch as it is, if `file` goes on from it.
fn no_older(repo: &Repo, oid: Oid, file: &CosignedFile) -> Result<Oid, NoCosignature> {
    let tree = repo.commit_at(oid).map_err(LedgerError::from)?.tree;
    for (log, known) in on_branch(repo, tree).map_err(LedgerError::from)? {
        let time = match known.as_ref().map(|known| known.verify(&file.witness)) {
            Some(Ok(time)) => time,
            // A line with its key's id that it did not sign is nobody's, nor is a checkpoint that nobody cosigned.
            Some(Err(BadCosignature::Forged)) => continue,
            _ if known.as_ref().is_some_and(|known| !known.is_cosigned()) => continue,
            _ => return Err(NoCosignature::OtherKey(file.witness.name().to_owned())),
        };
        let size = known.map_or(0, |known| known.signed.checkpoint.size);
        let new = file.checkpoints.iter().find(|new| new.signed.checkpoint.log == log);
        let older = |new: &CosignedCheckpoint| {
            new.signed.checkpoint.size < size || new.verify(&file.witness).is_ok_and(|new| new < time)
        };
        if new.is_some_and(older) {
            return Err(NoCosignature::Older(log));
        }
    }
    Ok(tree)
}

/// The files of a witness's tree; none in the place of one that cannot be read as a cosigned checkpoint.
fn on_branch(repo: &Repo, tree: Oid) -> Result<Vec<(LogName, Option<CosignedCheckpoint>)>, ReadError> {
    let mut files = Vec::new();
    for entry in repo.tree_at(tree)? {
        let log = entry.name.parse::<LogName>().ok().filter(|_| entry.mode == Mode::File);
        if let Some(log) = log {
            let bytes = repo.blob_at(entry.oid, COSIGNED_MAX)?;
            files.push((log, read(&bytes).ok()));
        }
    }
    Ok(files)
}
