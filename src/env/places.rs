//! Where things live: the XDG base directories, unless a person says otherwise.

use crate::id::{DeviceId, VaultId};
use etcetera::BaseStrategy;
use std::path::{Path, PathBuf};

/// There is no home to put anything in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no home directory is known: set HOME, or name the place with --vault and --identity")]
pub struct NoHome;

/// The folders of this run (XDG Base Directory Specification 0.8). Nothing is created here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    data: PathBuf,
    config: PathBuf,
    state: PathBuf,
    runtime: Option<PathBuf>,
    vault: Option<PathBuf>,
    identity: Option<PathBuf>,
}

impl Places {
    /// The places of this run; `vault` and `identity` are what a person named, if anything.
    pub fn of_this_run(vault: Option<&Path>, identity: Option<&Path>) -> Result<Self, NoHome> {
        let xdg = etcetera::base_strategy::Xdg::new().map_err(|_| NoHome)?;
        Ok(Self {
            data: xdg.data_dir(),
            config: xdg.config_dir(),
            state: xdg.state_dir().ok_or(NoHome)?,
            runtime: xdg.runtime_dir(),
            vault: vault.map(Path::to_owned),
            identity: identity.map(Path::to_owned),
        })
    }

    /// All of it under one folder: for tests.
    pub fn under(root: &Path) -> Self {
        Self {
            data: root.join("data"),
            config: root.join("config"),
            state: root.join("state"),
            runtime: Some(root.join("run")),
            vault: None,
            identity: None,
        }
    }

    /// The vault: as named, else `$XDG_DATA_HOME/strongroom/vault`.
    pub fn vault(&self) -> PathBuf {
        let default = || self.data.join("strongroom").join("vault");
        self.vault.clone().unwrap_or_else(default)
    }

    /// The identity file: as named, else `$XDG_CONFIG_HOME/strongroom/identity`.
    pub fn identity(&self) -> PathBuf {
        let default = || self.config.join("strongroom").join("identity");
        self.identity.clone().unwrap_or_else(default)
    }

    /// The person's own defaults: `$XDG_CONFIG_HOME/strongroom/config.toml`.
    pub fn config(&self) -> PathBuf {
        self.config.join("strongroom").join("config.toml")
    }

    /// The key file of a witness: `$XDG_CONFIG_HOME/strongroom/witness`.
    pub fn witness(&self) -> PathBuf {
        self.config.join("strongroom").join("witness")
    }

    /// What a device keeps about a vault: `$XDG_STATE_HOME/strongroom/<vault id>/<device id>`. Two identities on one
    /// computer are two devices, and each remembers its own log.
    pub fn state(&self, vault: &VaultId, device: &DeviceId) -> PathBuf {
        self.vault_state(vault).join(device.to_string())
    }

    /// Where the devices on this computer keep what they remember of a vault, and witnesses too.
    pub fn vault_state(&self, vault: &VaultId) -> PathBuf {
        self.state.join("strongroom").join(vault.to_string())
    }

    /// The states of the devices on this computer that remember a vault.
    pub fn states(&self, vault: &VaultId) -> Vec<PathBuf> {
        let of_device = |entry: std::io::Result<std::fs::DirEntry>| {
            let entry = entry.ok()?;
            let _: DeviceId = entry.file_name().to_str()?.parse().ok()?;
            Some(entry.path())
        };
        let entries = std::fs::read_dir(self.vault_state(vault));
        entries.into_iter().flatten().filter_map(of_device).collect()
    }

    /// Where agents listen: `$XDG_RUNTIME_DIR/strongroom`; without such a directory, beside the state.
    pub fn runtime(&self) -> PathBuf {
        match &self.runtime {
            Some(folder) => folder.join("strongroom"),
            None => self.state.join("strongroom").join("run"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_named_place_wins_over_the_default() {
        let mut places = Places::under(Path::new("/r"));
        assert_eq!(places.vault(), Path::new("/r/data/strongroom/vault"));
        assert_eq!(places.identity(), Path::new("/r/config/strongroom/identity"));
        assert_eq!(
            places.state(&VaultId([1; 16]), &DeviceId([2; 8])),
            Path::new("/r/state/strongroom/01010101010101010101010101010101/0202020202020202")
        );
        assert_eq!(places.runtime(), Path::new("/r/run/strongroom"));
        places.runtime = None;
        assert_eq!(places.runtime(), Path::new("/r/state/strongroom/run"));
        places.vault = Some("/v".into());
        places.identity = Some("/i".into());
        assert_eq!((places.vault(), places.identity()), ("/v".into(), "/i".into()));
    }
}
