//! The high-water mark: how far this device saw its own log, kept outside the repository.
//!
//! It is the one thing that shows a log whose tail was cut, or a vault put back from a backup. It is
//! written without a sync: after a power cut it may be older than the log, never newer than the journal.

use super::error::LedgerError;
use crate::env::TwoSlot;
use crate::envelope::cbor::{self, Bytes};
use crate::id::{Digest, LogName, VaultId};
use crate::session::Identity;
use minicbor::{Decode, Encode};
use std::path::{Path, PathBuf};

const WHAT: &str = "high-water mark";

/// What this device last saw.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HighWater {
    /// The vault.
    pub vault: VaultId,
    /// This device's log.
    pub log: LogName,
    /// Number of its entries.
    pub size: u64,
    /// Their root.
    pub root: Digest,
    /// The founder pin.
    pub founder: Digest,
    /// The roster digest.
    pub roster: Digest,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct MarkCbor {
    #[n(0)]
    vault: Bytes,
    #[n(1)]
    log: String,
    #[n(2)]
    size: u64,
    #[n(3)]
    root: Bytes,
    #[n(4)]
    founder: Bytes,
    #[n(5)]
    roster: Bytes,
}

impl HighWater {
    fn encode(&self) -> Vec<u8> {
        let bytes = |id: &[u8]| Bytes::from(id.to_vec());
        cbor::encode(&MarkCbor {
            vault: bytes(self.vault.as_bytes()),
            log: self.log.to_string(),
            size: self.size,
            root: bytes(self.root.as_bytes()),
            founder: bytes(self.founder.as_bytes()),
            roster: bytes(self.roster.as_bytes()),
        })
    }

    /// Reads the encoding; strict.
    pub fn decode(encoded: &[u8]) -> Option<Self> {
        let raw: MarkCbor = cbor::decode(WHAT, TwoSlot::MAX, encoded).ok()?;
        Some(Self {
            vault: cbor::fixed(WHAT, &raw.vault).ok()?,
            log: raw.log.parse().ok()?,
            size: raw.size,
            root: cbor::fixed(WHAT, &raw.root).ok()?,
            founder: cbor::fixed(WHAT, &raw.founder).ok()?,
            roster: cbor::fixed(WHAT, &raw.roster).ok()?,
        })
    }

    /// The mark that a verifier without identity finds: not authenticated, for want of a key.
    pub fn read_unauthenticated(state: &Path) -> Result<Option<Self>, LedgerError> {
        let path = file(state);
        match path.try_exists() {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return Err(LedgerError::State(error.to_string())),
        }
        let payload = TwoSlot::open_to_read(&path).and_then(|slots| slots.read());
        let payload = payload.map_err(|error| LedgerError::State(error.to_string()))?;
        Ok(payload.and_then(|payload| Self::decode(payload.get(32..)?)))
    }
}

fn file(state: &Path) -> PathBuf {
    state.join("high-water")
}

/// The file that keeps the mark, authenticated with the identity's local-state key.
pub(super) struct MarkFile {
    slots: TwoSlot,
}

impl MarkFile {
    pub(super) fn open(state: &Path) -> Result<Self, LedgerError> {
        let slots = TwoSlot::open(&file(state)).map_err(|error| LedgerError::State(error.to_string()))?;
        Ok(Self { slots })
    }

    /// The mark; none if there is none yet. One that is not authentic is a refusal, not an absence.
    pub(super) fn read(&self, identity: &Identity) -> Result<Option<HighWater>, LedgerError> {
        let payload = self
            .slots
            .read()
            .map_err(|error| LedgerError::State(error.to_string()))?;
        let Some(payload) = payload else { return Ok(None) };
        let altered = || LedgerError::AlteredMark;
        let (tag, encoded) = payload.split_first_chunk::<32>().ok_or_else(altered)?;
        if !identity.local_mac_verify(encoded, tag) {
            return Err(altered());
        }
        HighWater::decode(encoded).map(Some).ok_or_else(altered)
    }

    pub(super) fn write(&self, identity: &Identity, mark: &HighWater) -> Result<(), LedgerError> {
        let encoded = mark.encode();
        let payload = [identity.local_mac(&encoded).as_slice(), &encoded].concat();
        self.slots
            .write(&payload)
            .map_err(|error| LedgerError::State(error.to_string()))
    }
}
