//! Proofs: making one from a vault, and checking one without any.

use super::audit::{local_mark, open_receipt};
use super::context::Context;
use super::error::{Error, Kind};
use crate::chain::{
    BadCosignature, BadNoteKey, BadProofFile, ENTRY_MAX, Entry, NoteKey, PROOF_MAX, ProofFile, Receipt, Signs, Time,
    Witness,
};
use crate::env::{check_new_file, read_bounded, write_new_private};
use crate::id::{Digest, EntryRef};
use crate::ledger::{Anchors, NoProof, Whose};
use crate::repo::{Repo, Settings};
use std::path::{Path, PathBuf};

/// The largest file with a key line that is read, in bytes.
const KEY_MAX: u64 = 1024;

/// What is to be proven.
pub struct ProofQuery {
    /// The entry.
    pub place: String,
    /// Lead to the checkpoint of this receipt.
    pub receipt: Option<PathBuf>,
    /// Lead to the last checkpoint that this witness cosigned.
    pub witness: Option<String>,
    /// Where the proof is written.
    pub out: Option<PathBuf>,
}

/// A proof that was made.
pub struct Proof {
    /// Its text.
    pub text: String,
    /// The entry.
    pub place: EntryRef,
    /// The size of the log that it leads to.
    pub size: u64,
    /// The log's key line.
    pub key: String,
}

/// Proves that an entry stands in its log. Needs no identity; the vault must be intact.
pub fn prove(context: &Context<'_>, query: &ProofQuery) -> Result<Proof, Error> {
    let place: EntryRef = query.place.parse().map_err(|_| {
        Error::new(Kind::Usage, "an entry is written LOG:NUMBER")
            .hint("`strongroom audit verify --json` shows the logs' names; numbers count from 0")
    })?;
    query.out.as_deref().map(check_new_file).transpose()?;
    let receipt = query.receipt.as_deref().map(open_receipt).transpose()?;
    let repo = Repo::open_to_verify(&context.places.vault(), Settings::of_this_run())?;
    let mark = local_mark(context, &repo)?;
    let anchors = Anchors {
        receipt: receipt.as_ref(),
        high_water: mark.as_ref(),
        witnesses: &[],
        now: context.now(),
        deep: false,
    };
    let whose = match (&receipt, &query.witness) {
        (Some(receipt), _) => Whose::Receipt(receipt),
        (None, Some(witness)) => Whose::Witness(witness),
        (None, None) => Whose::Newest,
    };
    let proven = crate::ledger::prove(&repo, &anchors, place, whose)?;
    let text = proven.proof.to_text();
    if let Some(path) = &query.out {
        write_new_private(path, text.as_bytes())?;
    }
    Ok(Proof {
        text,
        place,
        size: proven.proof.checkpoint.signed.checkpoint.size,
        key: proven.key.to_string(),
    })
}

/// What a proof is checked against.
pub struct ProofTrust {
    /// The entry's line, from elsewhere than the proof.
    pub entry: Option<PathBuf>,
    /// A receipt that holds the checkpoint.
    pub receipt: Option<PathBuf>,
    /// The log's key.
    pub log_key: Option<PathBuf>,
    /// Keys of witnesses who must have cosigned it.
    pub witness_keys: Vec<PathBuf>,
}

/// A proof that holds.
pub struct CheckedProof {
    /// The entry.
    pub entry: Entry,
    /// The size of the log that it leads to.
    pub size: u64,
    /// Its root.
    pub root: Digest,
    /// When the receipt that holds the checkpoint was taken, if one does.
    pub receipt: Option<Time>,
    /// Whether the checkpoint is signed with the key that was given.
    pub signed: bool,
    /// Who cosigned it, and when.
    pub cosigned: Vec<(String, Time)>,
}

/// Checks a proof file. Needs neither an identity nor a vault; what it trusts is given.
pub fn check_proof(file: &Path, trust: &ProofTrust) -> Result<CheckedProof, Error> {
    let proof = ProofFile::parse(&read_bounded(file, PROOF_MAX as u64)?)?;
    let given = trust.entry.as_deref();
    let given = given.map(|path| read_bounded(path, ENTRY_MAX as u64 + 1)).transpose()?;
    let line = given.as_deref().map(|line| line.strip_suffix(b"\n").unwrap_or(line));
    let parsed = proof.check(line)?;
    let checkpoint = proof.checkpoint.signed.checkpoint;
    let receipt = trust.receipt.as_deref().map(open_receipt).transpose()?;
    let receipt = receipt.map(|receipt| held_by(&proof, &receipt)).transpose()?;
    let key = trust.log_key.as_deref().map(read_key).transpose()?;
    if let Some(key) = &key {
        signed_with(&proof, key)?;
    }
    let mut cosigned = Vec::new();
    for path in &trust.witness_keys {
        let witness = read_witness_key(path)?;
        let time = proof.checkpoint.verify(&witness).map_err(|bad| {
            let kind = if bad == BadCosignature::Absent {
                Kind::Unknown
            } else {
                Kind::Tampered
            };
            Error::new(kind, format!("witness `{}`: {bad}", witness.name()))
        })?;
        cosigned.push((witness.name().to_owned(), time));
    }
    if receipt.is_none() && key.is_none() {
        return Err(Error::new(
            Kind::Unknown,
            format!(
                "the proof is whole, but nothing says that it leads to a root of log {}",
                checkpoint.log
            ),
        )
        .hint("give a receipt that it was made for (--receipt), or the log's key (--log-key), from elsewhere than the proof"));
    }
    Ok(CheckedProof {
        entry: parsed.entry,
        size: checkpoint.size,
        root: checkpoint.root,
        receipt,
        signed: key.is_some(),
        cosigned,
    })
}

/// The receipt must hold the very checkpoint that the proof leads to.
fn held_by(proof: &ProofFile, receipt: &Receipt) -> Result<Time, Error> {
    let checkpoint = proof.checkpoint.signed.checkpoint;
    let mut known = receipt.checkpoints.iter().map(|signed| signed.checkpoint);
    let known = known.find(|known| known.vault == checkpoint.vault && known.log == checkpoint.log);
    let unknown = |message: String| Error::new(Kind::Unknown, message);
    match known {
        None => Err(unknown(format!(
            "the receipt knows no log {} of vault {}",
            checkpoint.log, checkpoint.vault
        ))),
        Some(known) if known.size != checkpoint.size => Err(unknown(format!(
            "the receipt knows this log with {} entries, and the proof is for {}",
            known.size, checkpoint.size
        ))
        .hint(format!(
            "ask for one that leads to the receipt: `strongroom audit prove {} --receipt FILE`",
            proof.place()
        ))),
        Some(known) if known.root != checkpoint.root => Err(Error::new(
            Kind::Tampered,
            format!(
                "the receipt knows another root of this log at {} entries: the proof is of a fork",
                known.size
            ),
        )),
        Some(_) => Ok(receipt.time),
    }
}

fn signed_with(proof: &ProofFile, key: &NoteKey) -> Result<(), Error> {
    let signed = &proof.checkpoint.signed;
    let (vault, log) = (signed.checkpoint.vault, signed.checkpoint.log);
    if key.name() != crate::chain::origin(vault, log) || key.signs() != Signs::Checkpoints {
        let message = format!(
            "the key that was given is `{}`'s, and the proof is of log {log} of vault {vault}",
            key.name()
        );
        return Err(Error::new(Kind::Unknown, message));
    }
    let signed = signed.verify(&key.key());
    signed.map_err(|bad| Error::new(Kind::Tampered, bad.to_string()))
}

fn read_key(path: &Path) -> Result<NoteKey, Error> {
    key_line(path, &read_bounded(path, KEY_MAX)?)
}

fn key_line(path: &Path, bytes: &[u8]) -> Result<NoteKey, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| BadNoteKey::Malformed)?;
    text.strip_suffix('\n')
        .unwrap_or(text)
        .parse()
        .map_err(|bad: BadNoteKey| Error::new(Kind::Failed, format!("`{}`: {bad}", path.display())))
}

/// The public key of a witness.
pub(super) fn read_witness_key(path: &Path) -> Result<NoteKey, Error> {
    witness_key(path, &read_bounded(path, KEY_MAX)?)
}

/// The same of a file that was read.
pub(super) fn witness_key(path: &Path, bytes: &[u8]) -> Result<NoteKey, Error> {
    let key = key_line(path, bytes)?;
    match key.signs() {
        Signs::Cosignatures => match Witness::check_name(key.name()) {
            Ok(()) => Ok(key),
            Err(bad) => Err(Error::new(Kind::Failed, format!("`{}`: {bad}", path.display()))),
        },
        Signs::Checkpoints => Err(Error::new(
            Kind::Failed,
            format!("`{}` holds the key of a log, not of a witness", path.display()),
        )),
    }
}

impl From<BadNoteKey> for Error {
    fn from(bad: BadNoteKey) -> Self {
        Self::new(Kind::Failed, bad.to_string())
    }
}

impl From<BadProofFile> for Error {
    fn from(bad: BadProofFile) -> Self {
        let kind = match bad {
            BadProofFile::OtherFile | BadProofFile::Malformed | BadProofFile::NoEntry => Kind::Failed,
            BadProofFile::Proof(_) | BadProofFile::Entry(_) | BadProofFile::Elsewhere { .. } => Kind::Tampered,
        };
        Self::new(kind, bad.to_string())
    }
}

impl From<NoProof> for Error {
    fn from(error: NoProof) -> Self {
        let message = error.to_string();
        match error {
            NoProof::Ledger(error) => error.into(),
            NoProof::Read(error) => error.into(),
            NoProof::NotIntact(_) | NoProof::Forged(_) => Self::new(Kind::Tampered, message),
            NoProof::NoLog(_) | NoProof::Unknown { .. } | NoProof::Proof(_) => Self::new(Kind::Failed, message),
        }
    }
}
