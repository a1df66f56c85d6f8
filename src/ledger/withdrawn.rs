//! What this device took back of members and rules and has still to make again, kept outside the repository: the cards and
//! files are in no branch any more, and whoever is stopped in between must go on where they were.

use super::error::LedgerError;
use crate::env::{FileError, read_bounded, replace_private};
use crate::envelope::cbor::{self, Bytes};
use crate::id::{Digest, VaultId};
use crate::session::Identity;
use minicbor::{Decode, Encode};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const WHAT: &str = "what was withdrawn";
/// What the tag is over, before the rest: the same key authenticates the high-water mark.
const DOMAIN: &[u8] = b"strongroom/1/withdrawn\0";
/// The largest such file, in bytes: twice what a branch `main` may hold.
const MAX: usize = 32 << 20;
const MEMBERS: &str = "members/";
/// Files that are made again as they were; all others follow from the cards.
const KEPT: [&str; 2] = ["policies/", "recovery/"];

/// A file before and after what was changed here; none where it was not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rewritten {
    /// Its path on `main`.
    pub path: String,
    /// Before.
    pub before: Option<Vec<u8>>,
    /// After.
    pub after: Option<Vec<u8>>,
}

/// What was withdrawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Withdrawn {
    /// The vault.
    pub vault: VaultId,
    /// The roster that the cards stand upon.
    pub base: Digest,
    cards: Vec<Vec<u8>>,
    /// Policies and sets of recovery shares, sorted by path.
    pub files: Vec<Rewritten>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct WithdrawnCbor {
    #[n(0)]
    vault: Bytes,
    #[n(1)]
    base: Bytes,
    #[n(2)]
    cards: Vec<Bytes>,
    #[n(3)]
    files: Vec<FileCbor>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct FileCbor {
    #[n(0)]
    path: String,
    #[n(1)]
    before: Option<Bytes>,
    #[n(2)]
    after: Option<Bytes>,
}

impl Withdrawn {
    /// What the files of `main` have become.
    pub fn between(
        vault: VaultId,
        base: Digest,
        before: &BTreeMap<String, Vec<u8>>,
        after: &BTreeMap<String, Vec<u8>>,
    ) -> Self {
        let new = |(path, _): &(&String, &Vec<u8>)| path.starts_with(MEMBERS) && !before.contains_key(*path);
        let cards = after.iter().filter(new).map(|(_, file)| file.clone()).collect();
        let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
        paths.sort();
        paths.dedup();
        paths.retain(|path| KEPT.iter().any(|kept| path.starts_with(kept)) && before.get(*path) != after.get(*path));
        let files = paths.into_iter().map(|path| Rewritten {
            path: path.clone(),
            before: before.get(path).cloned(),
            after: after.get(path).cloned(),
        });
        Self {
            vault,
            base,
            cards,
            files: files.collect(),
        }
    }

    /// The cards' files, in order.
    pub(super) fn cards(&self) -> impl Iterator<Item = &[u8]> {
        self.cards.iter().map(Vec::as_slice)
    }

    /// Its encoding.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = |bytes: &[u8]| Bytes::from(bytes.to_vec());
        let files = self.files.iter().map(|file| FileCbor {
            path: file.path.clone(),
            before: file.before.as_deref().map(bytes),
            after: file.after.as_deref().map(bytes),
        });
        cbor::encode(&WithdrawnCbor {
            vault: bytes(self.vault.as_bytes()),
            base: bytes(self.base.as_bytes()),
            cards: self.cards.iter().map(|card| bytes(card)).collect(),
            files: files.collect(),
        })
    }

    /// Reads the encoding; strict.
    pub fn decode(encoded: &[u8]) -> Option<Self> {
        let raw: WithdrawnCbor = cbor::decode(WHAT, MAX, encoded).ok()?;
        let files = raw.files.into_iter().map(|file| Rewritten {
            path: file.path,
            before: file.before.map(Into::into),
            after: file.after.map(Into::into),
        });
        let withdrawn = Self {
            vault: cbor::fixed(WHAT, &raw.vault).ok()?,
            base: cbor::fixed(WHAT, &raw.base).ok()?,
            cards: raw.cards.into_iter().map(Into::into).collect(),
            files: files.collect(),
        };
        let sorted = withdrawn.files.windows(2).all(|pair| pair[0].path < pair[1].path);
        let kept = |file: &Rewritten| KEPT.iter().any(|kept| file.path.starts_with(kept)) && file.before != file.after;
        let fits = sorted && withdrawn.files.iter().all(kept);
        (fits && withdrawn.encode() == encoded).then_some(withdrawn)
    }

    /// What waits on this device. A file that is not authentic is a refusal, not an absence.
    pub(super) fn read(state: &Path, identity: &Identity) -> Result<Option<Self>, LedgerError> {
        let file = match read_bounded(&place(state), MAX as u64 + 32) {
            Err(FileError::Missing(_)) => return Ok(None),
            read => read.map_err(|error| LedgerError::State(error.to_string()))?,
        };
        let altered = || {
            let what = "`withdrawn` is not as this device wrote it; move it away, and what it held is not made again";
            LedgerError::State(what.into())
        };
        let (tag, encoded) = file.split_first_chunk::<32>().ok_or_else(altered)?;
        if !identity.local_mac_verify(&[DOMAIN, encoded].concat(), tag) {
            return Err(altered());
        }
        let withdrawn = Self::decode(encoded).ok_or_else(altered)?;
        (withdrawn.vault == identity.vault())
            .then_some(Some(withdrawn))
            .ok_or_else(altered)
    }

    pub(super) fn write(&self, state: &Path, identity: &Identity) -> Result<(), LedgerError> {
        let encoded = self.encode();
        if encoded.len() > MAX {
            return Err(LedgerError::State("`withdrawn` has become too large".into()));
        }
        let tag = identity.local_mac(&[DOMAIN, &encoded].concat());
        let file = [tag.as_slice(), &encoded].concat();
        replace_private(&place(state), &file).map_err(|error| LedgerError::State(error.to_string()))
    }

    pub(super) fn is_there(state: &Path) -> bool {
        place(state).exists()
    }

    pub(super) fn remove(state: &Path) -> Result<(), LedgerError> {
        match std::fs::remove_file(place(state)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(LedgerError::State(error.to_string())),
            _ => Ok(()),
        }
    }
}

fn place(state: &Path) -> PathBuf {
    state.join("withdrawn")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::vault::identity;
    use super::*;

    fn files(some: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        let file = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
        some.iter().map(file).collect()
    }

    #[test]
    fn what_waits_comes_back_and_is_this_device_s() {
        let folder = tempfile::tempdir().unwrap();
        let (own, other) = (identity(1, Digest([0; 32])), identity(2, Digest([0; 32])));
        let before = files(&[
            ("allowed_signers", "a"),
            ("policies/a", "1"),
            ("policies/b", "1"),
            ("policies/c", "1"),
        ]);
        let after = files(&[
            ("allowed_signers", "b"),
            ("policies/a", "2"),
            ("policies/c", "1"),
            ("recovery/d", ""),
        ]);
        let withdrawn = Withdrawn::between(own.vault(), Digest([3; 32]), &before, &after);
        let paths: Vec<_> = withdrawn.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["policies/a", "policies/b", "recovery/d"]);
        assert_eq!(Withdrawn::read(folder.path(), &own).unwrap(), None);
        withdrawn.write(folder.path(), &own).unwrap();
        assert!(Withdrawn::is_there(folder.path()));
        assert_eq!(Withdrawn::read(folder.path(), &own).unwrap(), Some(withdrawn));
        assert!(Withdrawn::read(folder.path(), &other).is_err());
        let path = place(folder.path());
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(Withdrawn::read(folder.path(), &own).is_err());
        Withdrawn::remove(folder.path()).unwrap();
        Withdrawn::remove(folder.path()).unwrap();
        assert!(!Withdrawn::is_there(folder.path()));
    }

    #[test]
    fn what_is_not_as_it_is_written_is_refused() {
        let changed = |path: &str, before: Option<&str>, after: Option<&str>| Rewritten {
            path: path.into(),
            before: before.map(|text| text.as_bytes().to_vec()),
            after: after.map(|text| text.as_bytes().to_vec()),
        };
        let with = |files: Vec<Rewritten>| Withdrawn {
            vault: VaultId([1; 16]),
            base: Digest([2; 32]),
            cards: vec![b"a card".to_vec()],
            files,
        };
        let good = with(vec![
            changed("policies/a", None, Some("x")),
            changed("recovery/b", Some("y"), None),
        ]);
        assert_eq!(Withdrawn::decode(&good.encode()), Some(good.clone()));
        let mut turned = good.clone();
        turned.files.reverse();
        for bad in [
            turned,
            with(vec![changed("policies/a", Some("x"), Some("x"))]),
            with(vec![changed("vault.toml", None, Some("x"))]),
        ] {
            assert_eq!(Withdrawn::decode(&bad.encode()), None, "{bad:?}");
        }
    }
}
