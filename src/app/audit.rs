//! The log as it stands: verify, take a receipt.

use super::context::Context;
use super::error::{Error, Kind};
use super::proofs::read_witness_key;
use crate::chain::Receipt;
use crate::env::{check_new_file, read_bounded, write_new_private};
use crate::id::VaultId;
use crate::ledger::{Accepted, Anchors, Beside, HighWater, Report, make_receipt, verify_beside};
use crate::repo::{OpenError, Repo, Settings};
use std::path::{Path, PathBuf};

/// The largest receipt that is read, in bytes.
const RECEIPT_MAX: u64 = 1 << 20;

/// Verifies the log and what it says exists. Needs no identity and writes nothing.
pub fn verify(
    context: &Context<'_>,
    receipt: Option<&Path>,
    witness_keys: &[PathBuf],
    against: Option<&Path>,
    deep: bool,
) -> Result<Report, Error> {
    let repo = Repo::open_to_verify(&context.places.vault(), Settings::of_this_run())?.with_packs();
    let receipt = receipt.map(open_receipt).transpose()?;
    let witnesses: Vec<_> = witness_keys
        .iter()
        .map(|path| read_witness_key(path))
        .collect::<Result<_, _>>()?;
    let mark = local_mark(context, &repo)?;
    let anchors = Anchors {
        receipt: receipt.as_ref(),
        high_water: mark.as_ref(),
        witnesses: &witnesses,
        now: context.now(),
        deep,
    };
    let accepted = match mark.as_ref().map(|mark| mark.vault) {
        Some(vault) => match local_state(context, vault) {
            Some(state) => Accepted::read_unauthenticated(&state)?,
            None => None,
        },
        None => None,
    };
    let clone = against.map(open_clone).transpose()?;
    let name = against.map(clone_name).unwrap_or_default();
    let beside = Beside {
        clone: clone.as_ref().map(|clone| (clone, name.as_str())),
        accepted: accepted.as_ref(),
    };
    Ok(verify_beside(&repo, &anchors, &beside)?)
}

/// Another clone, to be read alone.
fn open_clone(path: &Path) -> Result<Repo, Error> {
    Repo::open_to_verify(path, Settings::of_this_run()).map_err(|error| match error {
        OpenError::Missing(_) => Error::new(Kind::Failed, format!("there is no clone at `{}`", path.display()))
            .hint("name the folder of another clone of this vault"),
        error => error.into(),
    })
}

/// What a clone on this machine is called from one time to the next: its full path.
pub(super) fn clone_name(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    full.display().to_string()
}

/// Reads a receipt.
pub(super) fn open_receipt(path: &Path) -> Result<Receipt, Error> {
    Ok(Receipt::find(&read_bounded(path, RECEIPT_MAX)?)?)
}

/// This device's high-water mark for the vault, if there is one here.
pub(super) fn local_mark(context: &Context<'_>, repo: &Repo) -> Result<Option<HighWater>, Error> {
    // The vault's own word for its id is enough to find the mark: the mark says itself which vault it is for.
    match crate::ledger::vault_id(repo) {
        Ok(vault) => mark_of(context, vault),
        Err(_) => Ok(None),
    }
}

/// The same for a vault of that id.
pub(super) fn mark_of(context: &Context<'_>, vault: VaultId) -> Result<Option<HighWater>, Error> {
    match local_state(context, vault) {
        Some(state) => Ok(HighWater::read_unauthenticated(&state)?.filter(|mark| mark.vault == vault)),
        None => Ok(None),
    }
}

/// Where this device keeps what it remembers: the device of the identity at its place, or the only one here that remembers
/// anything. One that was to come back in with a recovery key, and did not, left a folder at most.
pub(super) fn local_state(context: &Context<'_>, vault: VaultId) -> Option<PathBuf> {
    match context.identity_file() {
        Ok(file) if file.vault == vault => Some(context.places.state(&vault, &file.device)),
        _ => {
            let mut states = context.places.states(&vault);
            let remembers = |state: &PathBuf| !matches!(HighWater::read_unauthenticated(state), Ok(None));
            if states.iter().any(remembers) {
                states.retain(remembers);
            }
            states.pop().filter(|_| states.is_empty())
        }
    }
}

/// Takes a receipt of an intact vault, to a file or as text. Needs no identity.
pub fn receipt(context: &Context<'_>, out: Option<&Path>) -> Result<String, Error> {
    out.map(check_new_file).transpose()?;
    let repo = Repo::open_to_verify(&context.places.vault(), Settings::of_this_run())?.with_packs();
    let text = make_receipt(&repo, local_mark(context, &repo)?.as_ref(), context.now())?.to_text();
    if let Some(path) = out {
        write_new_private(path, text.as_bytes())?;
    }
    Ok(text)
}
