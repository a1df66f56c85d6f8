//! Where things live: the XDG base directories, unless a person says otherwise.

use crate::id::VaultId;
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

    /// The key file of a witness: `$XDG_CONFIG_HOME/strongroom/witness`.
    pub fn witness(&self) -> PathBuf {
        self.config.join("strongroom").join("witness")
    }

    /// What this device keeps about a vault: `$XDG_STATE_HOME/strongroom/<vault id>`.
    pub fn state(&self, vault: &VaultId) -> PathBuf {
        self.state.join("strongroom").join(vault.to_string())
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
    use super::*;

    #[test]
    fn a_named_place_wins_over_the_default() {
        let mut places = Places::under(Path::new("/r"));
        assert_eq!(places.vault(), Path::new("/r/data/strongroom/vault"));
        assert_eq!(places.identity(), Path::new("/r/config/strongroom/identity"));
        assert_eq!(
            places.state(&VaultId([1; 16])),
            Path::new("/r/state/strongroom/01010101010101010101010101010101")
        );
        assert_eq!(places.runtime(), Path::new("/r/run/strongroom"));
        places.runtime = None;
        assert_eq!(places.runtime(), Path::new("/r/state/strongroom/run"));
        places.vault = Some("/v".into());
        places.identity = Some("/i".into());
        assert_eq!((places.vault(), places.identity()), ("/v".into(), "/i".into()));
    }
}
