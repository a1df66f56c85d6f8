//! Witnesses: people outside the vault who write down, again and again, how far its logs had come.

use super::audit::{local_mark, open_receipt};
use super::context::Context;
use super::error::{Error, Kind};
use crate::chain::{BadCosignedFile, BadWitness, CosignedFile, Witness};
use crate::env::{SystemEntropy, check_new_file, lock_private, read_bounded, replace_private, write_new_private};
use crate::id::LogName;
use crate::ledger::{NoCosignature, cosign, publish, vault_id};
use crate::repo::{PATIENCE, Repo, Settings};
use std::path::{Path, PathBuf};

/// The largest file of a witness that is read, in bytes.
const FILE_MAX: u64 = 4 << 20;

/// A witness that was made.
pub struct NewWitness {
    /// Its public key line.
    pub key: String,
    /// Where its secret key is.
    pub file: PathBuf,
}

/// Makes a witness's key on this device. It belongs to no vault, and is kept in none.
pub fn new_witness(context: &Context<'_>, name: &str, file: Option<&Path>) -> Result<NewWitness, Error> {
    let file = file.map_or_else(|| context.places.witness(), Path::to_owned);
    let witness = Witness::make(name, &mut SystemEntropy)?;
    write_new_private(&file, witness.to_text().as_bytes())?;
    let key = witness.public().to_string();
    Ok(NewWitness { key, file })
}

/// Where a witness's things are.
pub struct WitnessQuery {
    /// Its key file.
    pub key: Option<PathBuf>,
    /// What it remembers of the vault.
    pub state: Option<PathBuf>,
    /// Where the cosigned checkpoints go, if not into the vault.
    pub out: Option<PathBuf>,
}

/// What a witness cosigned.
pub struct Witnessing {
    /// Its name.
    pub witness: String,
    /// Each log with its size.
    pub logs: Vec<(LogName, u64)>,
    /// Whether this witness had cosigned this vault before, as far as it remembers.
    pub remembered: bool,
}

/// Verifies the vault, checks that each log goes on from what this witness cosigned before, and cosigns. What the
/// witness remembers is durable before anything is told.
pub fn witness_vault(context: &Context<'_>, query: &WitnessQuery) -> Result<Witnessing, Error> {
    let key = query.key.clone().unwrap_or_else(|| context.places.witness());
    query.out.as_deref().map(check_new_file).transpose()?;
    let text = zeroize::Zeroizing::new(read_bounded(&key, 1024)?);
    let witness = Witness::parse(std::str::from_utf8(&text).map_err(|_| BadWitness::Malformed)?)?;
    let repo = Repo::open_to_verify(&context.places.vault(), Settings::of_this_run())?;
    let state = match &query.state {
        Some(state) => state.clone(),
        None => context
            .places
            .vault_state(&vault_id(&repo)?)
            .join(format!("witness-{}", witness.name())),
    };
    // Two runs of one witness must not cosign past each other.
    let _alone = lock_private(&beside(&state))?;
    let known = match std::fs::symlink_metadata(&state) {
        Ok(_) => Some(open_receipt(&state)?),
        Err(_) => None,
    };
    let mark = local_mark(context, &repo)?;
    let cosigned = cosign(&repo, &witness, known.as_ref(), mark.as_ref(), context.now());
    let cosigned = cosigned.map_err(|refused| match (&refused, &known) {
        (NoCosignature::NotIntact(_), Some(_)) => Error::from(refused).hint(format!(
            "the receipt is what this witness remembers: {}",
            state.display()
        )),
        _ => refused.into(),
    })?;
    replace_private(&state, cosigned.state.to_text().as_bytes())?;
    match &query.out {
        Some(out) => write_new_private(out, cosigned.file.to_text().as_bytes())?,
        None => publish(&context.repo()?, &cosigned.file, context.now(), PATIENCE)?,
    }
    let log = |at: &crate::chain::SignedCheckpoint| (at.checkpoint.log, at.checkpoint.size);
    Ok(Witnessing {
        witness: witness.name().to_owned(),
        logs: cosigned.state.checkpoints.iter().map(log).collect(),
        remembered: known.is_some(),
    })
}

/// The lock's file of a state.
fn beside(state: &Path) -> PathBuf {
    let mut name = state.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    state.with_file_name(name)
}

/// Puts what a witness wrote to a file into the vault. Whose key it is, is for the verifier to judge.
pub fn add_witness_file(context: &Context<'_>, file: &Path) -> Result<Witnessing, Error> {
    let file = CosignedFile::parse(&read_bounded(file, FILE_MAX)?)?;
    Witness::check_name(file.witness.name())?;
    publish(&context.repo()?, &file, context.now(), PATIENCE)?;
    let checkpoints = file.checkpoints.iter().map(|at| at.signed.checkpoint);
    Ok(Witnessing {
        witness: file.witness.name().to_owned(),
        logs: checkpoints.map(|at| (at.log, at.size)).collect(),
        remembered: true,
    })
}

impl From<BadWitness> for Error {
    fn from(bad: BadWitness) -> Self {
        let kind = if bad == BadWitness::Name {
            Kind::Usage
        } else {
            Kind::Failed
        };
        Self::new(kind, bad.to_string())
    }
}

impl From<BadCosignedFile> for Error {
    fn from(bad: BadCosignedFile) -> Self {
        Self::new(Kind::Failed, bad.to_string())
    }
}

impl From<NoCosignature> for Error {
    fn from(error: NoCosignature) -> Self {
        let message = error.to_string();
        match error {
            NoCosignature::Ledger(error) => error.into(),
            NoCosignature::NotIntact(_) => Self::new(Kind::Tampered, message)
                .hint("`strongroom audit verify` says what else is wrong; if it is a fault of yours, such as an old copy, get a newer one"),
            NoCosignature::NotConsistent(..) | NoCosignature::Forged(_) | NoCosignature::OtherKey(_) => {
                Self::new(Kind::Tampered, message)
            }
            NoCosignature::ClockBack { .. }
            | NoCosignature::OtherVault { .. }
            | NoCosignature::Older(_)
            | NoCosignature::PlainClone => Self::new(Kind::Failed, message),
        }
    }
}
