//! Accepted heads: how far the logs of another clone had come when they were merged, kept outside the repository.
//!
//! They show a clone whose branches were put back or replaced since, and a vault whose own were. With them goes where its
//! branch `main` stood: what others have is never withdrawn (docs/FORMAT.md §7.6).

use super::error::LedgerError;
use crate::crypto::sha256;
use crate::env::{FileError, read_bounded, replace_private};
use crate::envelope::cbor::{self, Bytes};
use crate::id::{Digest, LogName, VaultId};
use crate::repo::Oid;
use crate::session::Identity;
use minicbor::{Decode, Encode};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const WHAT: &str = "accepted heads";
/// What the tag is over, before the heads themselves: the same key authenticates the high-water mark.
const DOMAIN: &[u8] = b"strongroom/1/accepted heads\0";
/// The largest such file, in bytes.
const MAX: usize = 1 << 20;

/// Size and root of each log.
type Heads = BTreeMap<LogName, (u64, Digest)>;

/// The newest accepted heads of each clone, by the digest of its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Accepted {
    /// The vault.
    pub vault: VaultId,
    clones: BTreeMap<Digest, Heads>,
    /// Where `main` stood in each.
    mains: BTreeMap<Digest, Oid>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct AcceptedCbor {
    #[n(0)]
    vault: Bytes,
    #[n(1)]
    clones: Vec<CloneCbor>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct CloneCbor {
    #[n(0)]
    name: Bytes,
    #[n(1)]
    heads: Vec<HeadCbor>,
    #[n(2)]
    main: Option<Bytes>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct HeadCbor {
    #[n(0)]
    log: String,
    #[n(1)]
    size: u64,
    #[n(2)]
    root: Bytes,
}

impl Accepted {
    /// None yet.
    pub fn none(vault: VaultId) -> Self {
        Self {
            vault,
            clones: BTreeMap::new(),
            mains: BTreeMap::new(),
        }
    }

    /// The heads accepted from the clone of that name.
    pub fn of(&self, name: &str) -> impl Iterator<Item = (LogName, u64, Digest)> {
        let heads = self.clones.get(&sha256(&[name.as_bytes()]));
        heads
            .into_iter()
            .flatten()
            .map(|(log, (size, root))| (*log, *size, *root))
    }

    /// The heads accepted from any clone.
    pub fn all(&self) -> impl Iterator<Item = (LogName, u64, Digest)> {
        let heads = self.clones.values().flatten();
        heads.map(|(log, (size, root))| (*log, *size, *root))
    }

    /// Accepts a head from the clone of that name. Whoever does has seen that it goes on from the one before.
    pub fn accept(&mut self, name: &str, log: LogName, size: u64, root: Digest) {
        let heads = self.clones.entry(sha256(&[name.as_bytes()])).or_default();
        // One that goes back says nothing of what was there.
        if heads.get(&log).is_none_or(|(known, _)| *known <= size) {
            heads.insert(log, (size, root));
        }
    }

    /// Where `main` stood in the clone of that name when it was merged or pushed to last.
    pub(super) fn main_of(&self, name: &str) -> Option<Oid> {
        self.mains.get(&sha256(&[name.as_bytes()])).copied()
    }

    /// The same of all clones.
    pub(super) fn mains(&self) -> impl Iterator<Item = Oid> {
        self.mains.values().copied()
    }

    /// Accepts where `main` stands in the clone of that name. Whoever does has seen that it goes on from before.
    pub fn accept_main(&mut self, name: &str, main: Oid) {
        let name = sha256(&[name.as_bytes()]);
        self.clones.entry(name).or_default();
        self.mains.insert(name, main);
    }

    /// Its encoding.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = |id: &[u8]| Bytes::from(id.to_vec());
        let head = |(log, (size, root)): (&LogName, &(u64, Digest))| HeadCbor {
            log: log.to_string(),
            size: *size,
            root: bytes(root.as_bytes()),
        };
        let clones = self.clones.iter().map(|(name, heads)| CloneCbor {
            name: bytes(name.as_bytes()),
            heads: heads.iter().map(head).collect(),
            main: self.mains.get(name).map(|main| bytes(&main.0)),
        });
        cbor::encode(&AcceptedCbor {
            vault: bytes(self.vault.as_bytes()),
            clones: clones.collect(),
        })
    }

    /// The same, with no more logs of one device in one clone than there is room for: whoever has a device may begin as many as
    /// they like, and keeps no other's out.
    fn encode_shared(&self) -> Option<Vec<u8>> {
        let shares = (0..14).rev().map(|power| self.sharing(1 << power).encode());
        let mut all = std::iter::once_with(|| self.encode()).chain(shares);
        all.find(|encoded| encoded.len() <= MAX)
    }

    /// With so many logs of each device in each clone at most: those that hold the most.
    fn sharing(&self, share: usize) -> Self {
        let mut shared = self.clone();
        for heads in shared.clones.values_mut() {
            let ranked = heads.iter().map(|(log, (size, _))| (log.device, Reverse(*size), *log));
            let mut ranked: Vec<_> = ranked.collect();
            ranked.sort_unstable();
            let of_devices = ranked.chunk_by(|one, other| one.0 == other.0);
            for (.., log) in of_devices.flat_map(|logs| logs.iter().skip(share)) {
                heads.remove(log);
            }
        }
        shared
    }

    /// Reads the encoding; strict.
    pub fn decode(encoded: &[u8]) -> Option<Self> {
        let raw: AcceptedCbor = cbor::decode(WHAT, MAX, encoded).ok()?;
        let mut accepted = Self::none(cbor::fixed(WHAT, &raw.vault).ok()?);
        for clone in &raw.clones {
            let mut heads = Heads::new();
            for head in &clone.heads {
                heads.insert(head.log.parse().ok()?, (head.size, cbor::fixed(WHAT, &head.root).ok()?));
            }
            let name = cbor::fixed(WHAT, &clone.name).ok()?;
            if let Some(main) = &clone.main {
                accepted.mains.insert(name, Oid(cbor::fixed(WHAT, main).ok()?));
            }
            accepted.clones.insert(name, heads);
        }
        // Sorted, and each once, or it does not come back.
        (accepted.encode() == encoded).then_some(accepted)
    }

    /// What a verifier without identity finds: not authenticated, for want of a key.
    pub fn read_unauthenticated(state: &Path) -> Result<Option<Self>, LedgerError> {
        let file = read(state)?;
        Ok(file.and_then(|file| Self::decode(file.get(32..)?)))
    }

    /// The heads of this device. A file that is not authentic is a refusal, not an absence.
    pub(super) fn read(state: &Path, identity: &Identity) -> Result<Self, LedgerError> {
        let Some(file) = read(state)? else {
            return Ok(Self::none(identity.vault()));
        };
        let altered =
            || LedgerError::State("`accepted` is not as this device wrote it; move it away to begin anew".into());
        let (tag, encoded) = file.split_first_chunk::<32>().ok_or_else(altered)?;
        if !identity.local_mac_verify(&[DOMAIN, encoded].concat(), tag) {
            return Err(altered());
        }
        let accepted = Self::decode(encoded).ok_or_else(altered)?;
        (accepted.vault == identity.vault())
            .then_some(accepted)
            .ok_or_else(altered)
    }

    pub(super) fn write(&self, state: &Path, identity: &Identity) -> Result<(), LedgerError> {
        let encoded = self.encode_shared();
        let encoded = encoded.ok_or_else(|| LedgerError::State("`accepted` has become too large".into()))?;
        let tag = identity.local_mac(&[DOMAIN, &encoded].concat());
        let file = [tag.as_slice(), &encoded].concat();
        replace_private(&place(state), &file).map_err(|error| LedgerError::State(error.to_string()))
    }
}

fn place(state: &Path) -> PathBuf {
    state.join("accepted")
}

fn read(state: &Path) -> Result<Option<Vec<u8>>, LedgerError> {
    match read_bounded(&place(state), MAX as u64 + 32) {
        Err(FileError::Missing(_)) => Ok(None),
        read => read.map(Some).map_err(|error| LedgerError::State(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::vault::identity;
    use super::*;
    use crate::id::{DeviceId, Incarnation};

    #[test]
    fn heads_come_back_and_are_this_device_s() {
        let folder = tempfile::tempdir().unwrap();
        let (own, other) = (identity(1, Digest([0; 32])), identity(2, Digest([0; 32])));
        let log: LogName = "0102030405060708-090a0b0c".parse().unwrap();
        let mut accepted = Accepted::read(folder.path(), &own).unwrap();
        assert_eq!(accepted, Accepted::none(own.vault()));
        accepted.accept("hub", log, 4, Digest([4; 32]));
        accepted.accept("hub", log, 7, Digest([7; 32]));
        accepted.accept("stick", log, 2, Digest([2; 32]));
        accepted.accept_main("hub", Oid([5; 20]));
        accepted.write(folder.path(), &own).unwrap();
        assert_eq!(Accepted::read(folder.path(), &own).unwrap(), accepted);
        assert_eq!(accepted.of("hub").collect::<Vec<_>>(), [(log, 7, Digest([7; 32]))]);
        assert_eq!(accepted.main_of("hub"), Some(Oid([5; 20])));
        assert_eq!((accepted.main_of("stick"), accepted.mains().count()), (None, 1));
        assert_eq!((accepted.of("else").count(), accepted.all().count()), (0, 2));
        assert!(Accepted::read(folder.path(), &other).is_err());
        let path = place(folder.path());
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(Accepted::read(folder.path(), &own).is_err());
    }

    #[test]
    fn the_many_logs_of_a_device_keep_no_other_s_out() {
        let (folder, own) = (tempfile::tempdir().unwrap(), identity(1, Digest([0; 32])));
        let log = |device: u8, number: u32| LogName {
            device: DeviceId([device; 8]),
            incarnation: Incarnation(number.to_be_bytes()),
        };
        let mut accepted = Accepted::none(own.vault());
        for number in 0..20_000 {
            accepted.accept("hub", log(2, number), 1 + u64::from(number == 19_999), Digest([1; 32]));
        }
        (0..100).for_each(|number| accepted.accept("hub", log(3, number), 1, Digest([1; 32])));
        accepted.accept("stick", log(2, 0), 1, Digest([1; 32]));
        // It goes on so: what is newer is noted too.
        for size in 1..3 {
            accepted.accept("hub", log(1, 0), size, Digest([1; 32]));
            accepted.write(folder.path(), &own).unwrap();
            accepted = Accepted::read(folder.path(), &own).unwrap();
            let kept = |device: u8| accepted.of("hub").filter(|head| head.0.device.0[0] == device).count();
            assert_eq!((kept(1), kept(2), kept(3)), (1, 1 << 13, 100));
            let heads: Vec<_> = accepted.of("hub").map(|(log, size, _)| (log, size)).collect();
            assert!(heads.contains(&(log(1, 0), size)) && heads.contains(&(log(2, 19_999), 2)));
            assert_eq!(accepted.of("stick").count(), 1);
        }
    }
}
