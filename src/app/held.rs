//! An identity that stays unlocked in a process that stays: the agent's.

use super::context::{Context, Unlocked, Whose};
use super::error::{Error, Kind};
use super::vault::new_passphrase;
use crate::crypto::{Argon2Params, sha256};
use crate::env::{Places, SystemEntropy, lock_in_memory, replace_private};
use crate::envelope::{IdentityFile, Keyring};
use crate::id::Digest;
use crate::ledger::{Draft, Memory};
use crate::policy::{BadPolicy, PolicySet};
use crate::session::Identity;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// An identity held unlocked, and what accesses under it have learned. Its keys never leave the process: whoever wants
/// something read asks for the access, which is decided and recorded here as anywhere.
pub struct Held {
    identity: Box<Identity>,
    memory: Memory,
    policies: Mutex<Option<(Digest, Arc<PolicySet>)>>,
    in_memory: AtomicBool,
}

impl Held {
    /// Unlocks the identity of this device, and enters that.
    pub fn unlock(context: &Context<'_>) -> Result<Self, Error> {
        let Unlocked { repo, identity, state } = context.unlock()?;
        let Whose::Own(identity, _) = identity else {
            return Err(Error::new(Kind::Failed, "the vault is unlocked already"));
        };
        let held = Self {
            in_memory: AtomicBool::new(identity.each_secret(&mut lock_in_memory)),
            identity,
            memory: Memory::default(),
            policies: Mutex::default(),
        };
        let unlocked = Unlocked {
            repo,
            identity: Whose::Held(&held),
            state,
        };
        let mut desk = unlocked.desk(context)?;
        let details = desk.details("unlock");
        let _ = desk.record(Draft::read(details, Vec::new()))?;
        drop(desk);
        Ok(held)
    }

    /// Whether the system keeps the identity's keys out of swap.
    pub fn stays_in_memory(&self) -> bool {
        self.in_memory.load(Ordering::Relaxed)
    }

    /// Keeps the keys of a ring out of swap as well.
    pub(super) fn keep_in_memory(&self, ring: &Keyring) {
        if !ring.each_secret(&mut lock_in_memory) {
            self.in_memory.store(false, Ordering::Relaxed);
        }
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Forgets what accesses have learned of the vault: for tests that put another one in its place.
    #[cfg(test)]
    pub(super) fn forget(&self) {
        self.memory.forget();
    }

    /// The policies of that digest: parsed once, until others are in force.
    pub(super) fn policies(
        &self,
        digest: Digest,
        load: impl FnOnce() -> Result<PolicySet, BadPolicy>,
    ) -> Result<Arc<PolicySet>, BadPolicy> {
        let mut known = self.policies.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((of, policies)) if *of == digest => Ok(Arc::clone(policies)),
            _ => {
                let policies = Arc::new(load()?);
                *known = Some((digest, Arc::clone(&policies)));
                Ok(policies)
            }
        }
    }
}

/// Where the agent for this vault and identity listens.
pub fn agent_socket(places: &Places) -> PathBuf {
    let whole = |path: PathBuf| {
        let path = std::path::absolute(&path).unwrap_or(path);
        // Two spellings of one place are two names here at worst, and then two agents.
        path.canonicalize()
            .unwrap_or(path)
            .into_os_string()
            .into_encoded_bytes()
    };
    let [vault, identity] = [places.vault(), places.identity()].map(whole);
    let name = sha256(&[&(vault.len() as u64).to_be_bytes(), &vault, &identity]).to_string();
    places.runtime().join(&name[..16])
}

/// Gives the identity of this device another passphrase, and enters that. The keys stay as they are. `false` if it is the one
/// that it had.
pub fn change_passphrase(context: &Context<'_>, insist: bool) -> Result<bool, Error> {
    let repo = context.repo()?;
    context.warn_of_scarcity();
    let file = context.identity_file()?;
    super::context::other_vault("identity", file.vault, &repo)?;
    let state = context.places.state(&file.vault, &file.device);
    let present = context.passphrase("present passphrase: ")?;
    let (secrets, identity) = context.open_with(&file, &present)?;
    let unlocked = Unlocked {
        repo,
        identity: Whose::Own(Box::new(identity), Box::default()),
        state,
    };
    let handle = unlocked.identity.handle().to_owned();
    let passphrase = new_passphrase(context, &handle, insist)?;
    let new = IdentityFile::seal(
        file.vault,
        file.device,
        &secrets,
        &passphrase,
        Argon2Params::DEFAULT,
        &mut SystemEntropy,
    )?;
    let mut desk = unlocked.desk(context)?;
    let details = desk.details("passphrase");
    let _ = desk.record(Draft::read(details, Vec::new()))?;
    replace_private(&context.places.identity(), new.to_text().as_bytes())?;
    let same = crate::crypto::same_bytes(present.expose().as_bytes(), passphrase.expose().as_bytes());
    Ok(!same)
}
