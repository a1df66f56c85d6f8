//! What `main` says: which vault this is, who belongs to it, and by what rules.

use super::append::Changes;
use super::error::LedgerError;
use super::objects::{CLONED, FILE_MAX, FileAt, HEADS, MAIN, Objects, files_below};
use crate::chain::{BadCard, FileRef, Roster};
use crate::crypto::sha256;
use crate::envelope::ShareSet;
use crate::id::{Digest, VaultId};
use crate::policy::PolicyFiles;
use crate::repo::{Mode, Oid, Repo};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The path of the file that says which vault this is.
pub(super) const VAULT_FILE: &str = "vault.toml";
/// The most bytes that all files of `main` have together.
pub(super) const MAIN_MAX: usize = 16 << 20;
const POLICIES: &str = "policies/";
const MEMBERS: &str = "members/";

/// `vault.toml`.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct VaultFile {
    pub(super) version: u32,
    pub(super) vault: VaultId,
    pub(super) founder: Digest,
}

impl VaultFile {
    pub(super) fn to_text(&self) -> String {
        format!(
            "version = {}\nvault = \"{}\"\nfounder = \"{}\"\n",
            self.version, self.vault, self.founder
        )
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, LedgerError> {
        let text = std::str::from_utf8(bytes).map_err(|_| LedgerError::NotAVault("its `vault.toml` is not text"))?;
        let file: Self = toml::from_str(text).map_err(|_| LedgerError::NotAVault("its `vault.toml` is malformed"))?;
        match (file.version, file.to_text() == text) {
            (1, true) => Ok(file),
            (1, false) => Err(LedgerError::NotAVault("its `vault.toml` is not in canonical form")),
            _ => Err(LedgerError::NotAVault(
                "it is of a later version than this strongroom knows",
            )),
        }
    }
}

/// The content of `main`, read and its roster verified.
pub struct Charter {
    /// The vault.
    pub vault: VaultId,
    /// Its members.
    pub roster: Roster,
    /// Its policies' files.
    pub policies: PolicyFiles,
    /// The commit it was read from.
    pub(super) commit: Oid,
    /// Every file of it, as entries name them.
    pub(super) files: Vec<FileRef>,
}

/// The files of `main`, read but not judged.
pub(super) struct RawCharter {
    pub(super) commit: Oid,
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) strays: Vec<String>,
}

impl RawCharter {
    pub(super) fn read(objects: &dyn Objects, commit: Oid) -> Result<Self, LedgerError> {
        let tree = objects.commit_at(commit)?.tree;
        let mut raw = Self {
            commit,
            files: BTreeMap::new(),
            strays: Vec::new(),
        };
        let mut total = 0;
        for FileAt { path, mode, oid } in files_below(objects, tree, 3)? {
            match mode {
                Mode::File => {
                    let bytes = objects.blob_at(oid, FILE_MAX)?;
                    total += bytes.len();
                    if total > MAIN_MAX {
                        return Err(LedgerError::NotAVault(
                            "its branch `main` is larger than any that exists",
                        ));
                    }
                    raw.files.insert(path, bytes);
                }
                _ => raw.strays.push(path),
            }
        }
        Ok(raw)
    }

    pub(super) fn vault_file(&self) -> Result<VaultFile, LedgerError> {
        let bytes = self
            .files
            .get(VAULT_FILE)
            .ok_or(LedgerError::NotAVault("it has no `vault.toml`"))?;
        VaultFile::parse(bytes)
    }

    /// Card files with their paths, in the order of their numbers, which is that of their paths.
    pub(super) fn cards(&self) -> Vec<(&str, &[u8])> {
        self.files
            .iter()
            .filter(|(path, _)| path.starts_with(MEMBERS))
            .map(|(path, bytes)| (path.as_str(), bytes.as_slice()))
            .collect()
    }

    fn roster(&self, vault: VaultId, founder: Digest) -> Result<Roster, BadCard> {
        let (paths, files): (Vec<&str>, Vec<&[u8]>) = self.cards().into_iter().unzip();
        let roster = Roster::verify(vault, Some(founder), &files)?;
        roster.check_paths(paths).map(|()| roster)
    }

    pub(super) fn policies(&self) -> Result<PolicyFiles, LedgerError> {
        let files = self
            .files
            .iter()
            .filter_map(|(path, bytes)| Some((path.strip_prefix(POLICIES)?, bytes.clone())));
        Ok(PolicyFiles::new(files)?)
    }

    pub(super) fn file_refs(&self) -> Vec<FileRef> {
        let name = |(path, bytes): (&String, &Vec<u8>)| FileRef("main".into(), path.clone(), sha256(&[bytes]));
        self.files.iter().map(name).collect()
    }
}

impl Charter {
    /// Reads and verifies `main` at a commit; `founder` is what this device pinned.
    pub(super) fn read(objects: &dyn Objects, commit: Oid, founder: Digest) -> Result<Self, LedgerError> {
        let raw = RawCharter::read(objects, commit)?;
        let vault = raw.vault_file()?.vault;
        let roster = raw.roster(vault, founder)?;
        Ok(Self {
            vault,
            roster,
            policies: raw.policies()?,
            commit: raw.commit,
            files: raw.file_refs(),
        })
    }
}

impl Charter {
    /// The files to write and to forget for `policies` to be the vault's.
    pub fn policy_changes(&self, policies: &PolicyFiles) -> Changes {
        let mut changes = Changes::default();
        for (path, bytes) in policies.iter() {
            if self.policies.content(path) != Some(bytes) {
                changes.write(MAIN, format!("{POLICIES}{path}"), bytes.to_vec());
            }
        }
        for file in &self.files {
            let path = file.1.strip_prefix(POLICIES);
            if path.is_some_and(|path| policies.content(path) != self.policies.content(path)) {
                changes.forget(file.clone());
            }
        }
        changes
    }

    /// What `main` will say once `changes` are made; verified like any other.
    pub(super) fn after(&self, objects: &dyn Objects, changes: &Changes) -> Result<Self, LedgerError> {
        let mut raw = RawCharter::read(objects, self.commit)?;
        for file in changes.forgotten_of(MAIN) {
            raw.files.remove(&file.1);
        }
        for (path, bytes) in changes.written_to(MAIN) {
            raw.files.insert(path.to_owned(), bytes.to_vec());
        }
        let roster = raw.roster(self.vault, self.roster.founder())?;
        Ok(Self {
            vault: self.vault,
            roster,
            policies: raw.policies()?,
            commit: self.commit,
            files: raw.file_refs(),
        })
    }
}

impl Charter {
    /// The sets of recovery shares that `main` holds; what is none is left out, since whoever holds a share of a set has its
    /// digest.
    pub fn share_sets(&self, repo: &Repo) -> Result<Vec<ShareSet>, LedgerError> {
        let raw = RawCharter::read(repo, self.commit)?;
        let sets = raw.files.iter().filter_map(|(path, bytes)| {
            let set = ShareSet::parse(bytes).ok()?;
            let (vault, device) = set.place().ok()?;
            (vault == self.vault && *path == ShareSet::path(device)).then_some(set)
        });
        Ok(sets.collect())
    }
}

/// The vault that a repository says it is, on its own word.
pub fn vault_id(repo: &Repo) -> Result<VaultId, LedgerError> {
    for prefix in [HEADS, CLONED] {
        if let Some(commit) = repo.ref_target(&format!("{prefix}{MAIN}"))? {
            let tree = repo.commit_at(commit)?.tree;
            let file = repo
                .tree_at(tree)?
                .into_iter()
                .find(|entry| entry.name == VAULT_FILE && entry.mode == Mode::File);
            let file = file.ok_or(LedgerError::NotAVault("it has no `vault.toml`"))?;
            return Ok(VaultFile::parse(&repo.blob_at(file.oid, 1024)?)?.vault);
        }
    }
    Err(LedgerError::NotAVault("it has no branch `main`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vault_file_has_one_form() {
        let file = VaultFile {
            version: 1,
            vault: VaultId([1; 16]),
            founder: Digest([2; 32]),
        };
        assert_eq!(VaultFile::parse(file.to_text().as_bytes()).ok(), Some(file.clone()));
        for bad in [
            file.to_text().replace("version = 1", "version = 2"),
            format!("{}\n", file.to_text()),
            String::new(),
        ] {
            assert!(VaultFile::parse(bad.as_bytes()).is_err());
        }
    }
}
