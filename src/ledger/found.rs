//! The founding of a vault: its first commit, its first entry, its first keys.

use super::append::{Assembly, Changes};
use super::charter::{VAULT_FILE, VaultFile};
use super::error::LedgerError;
use super::high_water::{HighWater, MarkFile};
use super::objects::{MAIN, audit_ref};
use super::start::DEVICES;
use crate::chain::{Card, Checkpoint, Details, Entry, Frontier, Kind, Message, Outcome, Roster, Time, leaf_hash};
use crate::crypto::{Entropy, Recipient};
use crate::envelope::{BoxFile, DetailFile, DetailKey, KeyUse, Keyring};
use crate::id::{DeviceId, Digest, EntryRef, LogName};
use crate::policy::PolicyFiles;
use crate::repo::{Batch, Object, Repo, tree_bytes};
use crate::session::Identity;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// What a new vault begins with.
pub struct Founding<'a> {
    /// The founder's identity.
    pub identity: &'a Identity,
    /// The founder's card.
    pub card: &'a Card,
    /// The log it begins.
    pub log: LogName,
    /// All keys of the first epoch.
    pub keyring: &'a Keyring,
    /// The founder's devices and what to seal to them with: this one, and paper if there is one.
    pub devices: &'a [(DeviceId, Recipient)],
    /// The policies.
    pub policies: &'a PolicyFiles,
    /// The page for whoever opens the repository with git.
    pub readme: &'a str,
}

/// Writes the first entry of `repo`, which was just created, and all it speaks of.
pub fn found(
    repo: &Repo,
    founding: &Founding<'_>,
    state: &Path,
    now: Time,
    entropy: &mut dyn Entropy,
) -> Result<EntryRef, LedgerError> {
    let Founding { identity, card, log, keyring, .. } = *founding;
    let vault = identity.vault();
    let lock = repo.lock(Duration::from_secs(10))?;
    repo.recover(&lock)?;
    let card_file = identity.sign_card(card);
    let roster = Roster::verify(vault, Some(card.digest()), &[&card_file])?;
    let mut changes = Changes::default();
    let vault_file = VaultFile { version: 1, vault, founder: card.digest() };
    changes.write(MAIN, VAULT_FILE, vault_file.to_text().into_bytes());
    changes.write(MAIN, "README.md", founding.readme.as_bytes().to_vec());
    changes.write(MAIN, "allowed_signers", roster.allowed_signers().into_bytes());
    changes.write(MAIN, card.path(), card_file);
    for (path, bytes) in founding.policies.iter() {
        changes.write(MAIN, format!("policies/{path}"), bytes.to_vec());
    }
    for (device, recipient) in founding.devices {
        let sealed = BoxFile::seal(vault, *device, recipient, keyring, entropy)?;
        changes.write_digested(DEVICES, device, sealed.to_bytes());
    }
    let detail = DetailKey::make(entropy)?;
    let role = keyring.key_for(KeyUse::Auditors).ok_or(LedgerError::NotAVault("there is no auditors' key"))?;
    let file = DetailFile::wrap(vault, identity.device(), &detail, role, founding.devices, entropy)?;
    changes.write_digested(DEVICES, format!("detail-{}", detail.id), file.to_bytes());

    let place = EntryRef { log, seq: 0 };
    let entry = Entry {
        actor: identity.person(),
        admitted: Some(card.digest()),
        because: None,
        detail: detail.id,
        forgot: Vec::new(),
        kind: Some(Kind::Begin),
        log,
        policies: founding.policies.digest(),
        prev: Digest([0; 32]),
        result: Outcome::Done,
        roster: roster.digest(),
        sealed: Details::new("init").seal(vault, place, &detail, entropy)?,
        seen: BTreeMap::new(),
        seq: 0,
        time: now,
        v: 1,
        wrote: changes.wrote(),
    };
    let line = entry.to_line()?;
    let mut frontier = Frontier::default();
    frontier.push(leaf_hash(&line));
    let root = frontier.root();
    let checkpoint = identity.sign_checkpoint(Checkpoint { vault, log, size: 1, root });
    let message = Message { line, checkpoint, frontier };
    let mut assembly = Assembly { repo, identity, time: now, objects: Vec::new(), refs: Vec::new() };
    assembly.branches(&changes)?;
    let empty = tree_bytes(Vec::new()).map_err(|_| LedgerError::NotAVault("an empty tree cannot be written"))?;
    let empty = Object { kind: crate::repo::Kind::Tree, bytes: empty };
    let tree = empty.oid();
    assembly.objects.push(empty);
    assembly.audit(&audit_ref(log), tree, None, &message)?;
    let batch = Batch { objects: assembly.objects, refs: assembly.refs, note: place.to_string().into_bytes() };
    let durable = repo.commit(&lock, &batch)?;
    let _ = durable.record();
    let mark = HighWater { vault, log, size: 1, root, founder: card.digest(), roster: roster.digest() };
    MarkFile::open(state)?.write(identity, &mark)?;
    Ok(place)
}
