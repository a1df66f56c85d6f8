//! Making proof files from a vault: one pass over the lines of a log.

use super::error::LedgerError;
use super::objects::{Objects, WITNESS};
use super::verify::{Anchors, Examined, Report, Verdict, examine};
use super::verify_log::each_line;
use super::verify_witness::{COSIGNED_MAX, read};
use super::view::View;
use crate::chain::{
    BadProofFile, CosignedCheckpoint, InclusionProofs, NoteKey, ProofFile, ProofWalk, Receipt, leaf_hash, log_key,
};
use crate::id::{Digest, EntryRef, LogName};
use crate::repo::{Mode, ReadError, Repo};
use std::collections::{BTreeMap, BTreeSet};

/// To which checkpoint a proof leads.
#[derive(Clone, Copy)]
pub enum Whose<'a> {
    /// The log's newest.
    Newest,
    /// The one that a receipt holds.
    Receipt(&'a Receipt),
    /// The last one that a witness cosigned.
    Witness(&'a str),
}

/// No proof is given.
#[derive(Debug, thiserror::Error)]
pub enum NoProof {
    /// The vault could not be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A part of it could not be.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It does not verify.
    #[error("no proof is given for a vault that is not intact; run `strongroom audit verify`")]
    NotIntact(Box<Report>),
    /// There is no such log.
    #[error("there is no log {0} in this vault: `strongroom audit verify --json` lists them")]
    NoLog(LogName),
    /// The receipt, or the witness, does not know the log.
    #[error("{what} knows no log {log}")]
    Unknown {
        /// The receipt or the witness.
        what: String,
        /// Which log.
        log: LogName,
    },
    /// The proof would not hold.
    #[error("{0}")]
    Proof(#[from] BadProofFile),
    /// What the witness cosigned was not signed by the log.
    #[error(
        "the checkpoint that the witness `{0}` cosigned is not one of this log: run `strongroom audit verify --witness-key`"
    )]
    Forged(String),
}

/// A proof, and the key that its checkpoint is signed with.
pub struct Proven {
    /// The proof.
    pub proof: ProofFile,
    /// The log's key, on the vault's word.
    pub key: NoteKey,
}

/// Proves that an entry stands in its log. Refuses for a vault that is not intact against `anchors`. Writes nothing.
pub fn prove(repo: &Repo, anchors: &Anchors<'_>, place: EntryRef, whose: Whose<'_>) -> Result<Proven, NoProof> {
    let examined = examine(repo, anchors)?;
    if examined.report.verdict != Verdict::Intact {
        return Err(NoProof::NotIntact(Box::new(examined.report)));
    }
    let log = place.log;
    let found = examined.found.get(&log).ok_or(NoProof::NoLog(log))?;
    let checkpoint = match whose {
        Whose::Newest => found.checkpoint.clone().map(CosignedCheckpoint::new),
        Whose::Receipt(receipt) => {
            let mut known = receipt.checkpoints.iter();
            let known = known.find(|known| known.checkpoint.log == log).cloned();
            let what = || NoProof::Unknown {
                what: format!("the receipt of {}", receipt.time),
                log,
            };
            Some(CosignedCheckpoint::new(known.ok_or_else(what)?))
        }
        Whose::Witness(name) => Some(cosigned(&examined.view, name, log)?),
    };
    let (checkpoint, key) = checkpoint.zip(key(&examined, log)).ok_or(NoProof::NoLog(log))?;
    if checkpoint.signed.check_origin(examined.facts.vault, log).is_err()
        || checkpoint.signed.verify(&key.key()).is_err()
    {
        let name = if let Whose::Witness(name) = whose { name } else { "" };
        return Err(NoProof::Forged(name.to_owned()));
    }
    let size = checkpoint.signed.checkpoint.size;
    let mut walk = ProofWalk::inclusion(place.seq, size).map_err(BadProofFile::from)?;
    let (mut seq, mut line) = (0, None);
    each_line(&examined.view, &found.layout, &mut |text| {
        if seq < size {
            walk.leaf(leaf_hash(text));
        }
        if seq == place.seq {
            line = Some(text.to_vec());
        }
        seq += 1;
    });
    let proof = ProofFile {
        line,
        index: place.seq,
        hashes: walk.end().map_err(BadProofFile::from)?,
        checkpoint,
    };
    proof.check(None)?;
    Ok(Proven { proof, key })
}

/// Many proofs of one look at the vault, and where trust in its members begins.
pub struct AllProven {
    /// In the order of their places.
    pub proofs: Vec<Proven>,
    /// The founder's pin.
    pub founder: Option<Digest>,
    /// The digest of the roster.
    pub roster: Option<Digest>,
}

/// The same for many entries: the vault is verified once, and each log is passed over once. Each proof leads to the
/// checkpoint that `receipt` holds, where it reaches so far, and otherwise to the newest.
pub fn prove_all(
    repo: &Repo,
    anchors: &Anchors<'_>,
    places: &BTreeSet<EntryRef>,
    receipt: Option<&Receipt>,
) -> Result<AllProven, NoProof> {
    let examined = examine(repo, anchors)?;
    if examined.report.verdict != Verdict::Intact {
        return Err(NoProof::NotIntact(Box::new(examined.report)));
    }
    let mut by_log: BTreeMap<LogName, Vec<u64>> = BTreeMap::new();
    for place in places {
        by_log.entry(place.log).or_default().push(place.seq);
    }
    let mut proofs = Vec::with_capacity(places.len());
    for (log, wanted) in by_log {
        let found = examined.found.get(&log).ok_or(NoProof::NoLog(log))?;
        let key = key(&examined, log).ok_or(NoProof::NoLog(log))?;
        let newest = found.checkpoint.clone().ok_or(NoProof::NoLog(log))?;
        let known = receipt.into_iter().flat_map(|receipt| &receipt.checkpoints);
        let known = known.filter(|known| known.checkpoint.log == log).cloned();
        let mut trees = Vec::new();
        let mut from = 0;
        for signed in known.chain([newest]) {
            let size = signed.checkpoint.size;
            let within = wanted.iter().copied().filter(|seq| (from..size).contains(seq));
            trees.push((
                InclusionProofs::begin(within, size).map_err(BadProofFile::from)?,
                signed,
            ));
            from = from.max(size);
        }
        let (mut seq, mut lines) = (0, BTreeMap::new());
        each_line(&examined.view, &found.layout, &mut |text| {
            let leaf = leaf_hash(text);
            trees.iter_mut().for_each(|(proofs, _)| proofs.leaf(leaf));
            if wanted.binary_search(&seq).is_ok() {
                lines.insert(seq, text.to_vec());
            }
            seq += 1;
        });
        for index in wanted {
            let tree = trees.iter().find(|(_, signed)| index < signed.checkpoint.size);
            let (tree, signed) = tree.ok_or(NoProof::NoLog(log))?;
            let proof = ProofFile {
                line: lines.remove(&index),
                index,
                hashes: tree.proof(index).map_err(BadProofFile::from)?,
                checkpoint: CosignedCheckpoint::new(signed.clone()),
            };
            proof.check(None)?;
            proofs.push(Proven {
                proof,
                key: key.clone(),
            });
        }
    }
    Ok(AllProven {
        proofs,
        founder: examined.report.founder,
        roster: examined.report.roster,
    })
}

fn key(examined: &Examined<'_>, log: LogName) -> Option<NoteKey> {
    log_key(examined.facts.vault, log, examined.facts.key(log.device)?)
}

/// The checkpoint of a log on the branch of a witness.
fn cosigned(view: &View<'_>, witness: &str, log: LogName) -> Result<CosignedCheckpoint, NoProof> {
    let unknown = || NoProof::Unknown {
        what: format!("the witness `{witness}`"),
        log,
    };
    let oid = view.branches.get(&format!("{WITNESS}{witness}")).ok_or_else(unknown)?;
    let entries = view.tree_at(view.commit_at(*oid)?.tree)?;
    let name = log.to_string();
    let file = entries
        .into_iter()
        .find(|entry| entry.name == name && entry.mode == Mode::File);
    let bytes = view.blob_at(file.ok_or_else(unknown)?.oid, COSIGNED_MAX)?;
    read(&bytes).map_err(|_| NoProof::Forged(witness.to_owned()))
}
