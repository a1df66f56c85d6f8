//! The first entry of a log: at the founding of a vault, when a device comes back in by a recovery key, and when one was
//! admitted by a lead.

use super::append::{Assembly, Changes};
use super::charter::{Charter, VAULT_FILE, VaultFile};
use super::error::LedgerError;
use super::high_water::{HighWater, MarkFile};
use super::objects::{AUDIT, FILE_MAX, HEADS, MAIN, audit_ref};
use super::start::{DEVICES, check_main, given_boxes, live_of_all};
use super::stored::Shard;
use crate::chain::{
    Card, Checkpoint, Details, Entry, Frontier, HeadRef, Kind, Message, Outcome, Roster, Time, leaf_hash,
};
use crate::crypto::{Entropy, Recipient, make_random};
use crate::envelope::{BoxFile, DetailFile, DetailKey, Keyring};
use crate::id::{DeviceId, Digest, EntryRef, Incarnation, LogName};
use crate::policy::PolicyFiles;
use crate::repo::{Batch, Lock, Object, Repo, tree_bytes};
use crate::session::{Identity, PaperDevice};
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
    let Founding {
        identity,
        card,
        log,
        keyring,
        ..
    } = *founding;
    let vault = identity.vault();
    let lock = repo.lock(Duration::from_secs(10))?;
    repo.recover(&lock)?;
    let card_file = identity.sign_card(card);
    let roster = Roster::verify(vault, Some(card.digest()), &[&card_file])?;
    let mut changes = Changes::default();
    let vault_file = VaultFile {
        version: 1,
        vault,
        founder: card.digest(),
    };
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
    let detail = make_detail_key(identity, &roster, founding.devices, &mut changes, entropy)?;
    let begin = Begin {
        log,
        roster: &roster,
        policies: founding.policies.digest(),
        detail: &detail,
        verb: "init",
        admitted: roster.digest(),
        joined: Vec::new(),
        seen: BTreeMap::new(),
    };
    begin_log(repo, &lock, identity, &begin, &changes, state, now, entropy)
}

/// A device that comes back in by its owner's recovery key.
pub struct Rejoin<'a> {
    /// The recovery key's device.
    pub paper: &'a PaperDevice,
    /// The new device's identity.
    pub identity: &'a Identity,
    /// The card that admits it, signed by the paper.
    pub card: &'a Card,
    /// Which device the paper is.
    pub paper_device: DeviceId,
    /// The log it begins.
    pub log: LogName,
}

/// Admits the new device and begins its log. The person's other devices stay as they are.
pub fn rejoin(
    repo: &Repo,
    lock: &Lock,
    charter: &Charter,
    rejoin: &Rejoin<'_>,
    state: &Path,
    now: Time,
    entropy: &mut dyn Entropy,
) -> Result<EntryRef, LedgerError> {
    let Rejoin {
        paper,
        identity,
        card,
        paper_device,
        log,
    } = *rejoin;
    let vault = identity.vault();
    let live = live_of_all(repo, charter, &[])?;
    check_main(charter, &live)?;
    let (old, shard) = (
        given_boxes(&live, &charter.roster, paper_device),
        Shard::read(repo, DEVICES)?,
    );
    let mut keyring = Keyring::default();
    for file in &old {
        keyring.join(paper.open_box(vault, paper_device, &shard.file(repo, file, FILE_MAX)?)?);
    }
    if old.is_empty() {
        return Err(LedgerError::NotAMember);
    }
    let mut changes = Changes::default();
    changes.write(MAIN, card.path(), paper.sign_card(card));
    let signers = charter.files.iter().find(|file| file.1 == "allowed_signers");
    signers.into_iter().for_each(|file| changes.forget(file.clone()));
    // The roster with the new card: verified before it is written.
    let roster = charter.after(repo, &changes)?.roster;
    changes.write(MAIN, "allowed_signers", roster.allowed_signers().into_bytes());
    let sealed = BoxFile::seal(vault, identity.device(), &identity.recipient(), &keyring, entropy)?;
    changes.write_digested(DEVICES, identity.device(), sealed.to_bytes());
    let devices: Vec<(DeviceId, Recipient)> = recipients(card).collect();
    let detail = make_detail_key(identity, &roster, &devices, &mut changes, entropy)?;
    let policies = charter.policies.digest();
    let begin = Begin {
        log,
        roster: &roster,
        policies,
        detail: &detail,
        verb: "recovery use",
        admitted: roster.digest(),
        joined: Vec::new(),
        seen: BTreeMap::new(),
    };
    begin_log(repo, lock, identity, &begin, &changes, state, now, entropy)
}

/// Begins the log of a device that a lead admitted; none if it has begun.
pub fn join(
    repo: &Repo,
    lock: &Lock,
    charter: &Charter,
    identity: &Identity,
    state: &Path,
    now: Time,
    entropy: &mut dyn Entropy,
) -> Result<Option<EntryRef>, LedgerError> {
    let roster = &charter.roster;
    let admitted = roster.device(identity.device()).filter(|(card, device)| {
        let keys = device.sign_key() == Some(identity.public_key());
        keys && card.person == identity.person()
    });
    let (card, _) = admitted.ok_or(LedgerError::NotAMember)?;
    if !repo.refs(&format!("{HEADS}{AUDIT}{}-", identity.device()))?.is_empty() {
        return Ok(None);
    }
    let live = live_of_all(repo, charter, &[])?;
    // The entry names members and policies as those in force, and must not be what puts them in force.
    check_main(charter, &live)?;
    if given_boxes(&live, roster, identity.device()).is_empty() {
        return Err(LedgerError::NotAMember);
    }
    let devices: Vec<(DeviceId, Recipient)> = recipients(card).collect();
    let mut changes = Changes::default();
    let detail = make_detail_key(identity, roster, &devices, &mut changes, entropy)?;
    let log = LogName {
        device: identity.device(),
        incarnation: Incarnation(make_random(entropy)?),
    };
    let begin = Begin {
        log,
        roster,
        policies: charter.policies.digest(),
        detail: &detail,
        verb: "join",
        admitted: card.digest(),
        joined: Vec::new(),
        seen: BTreeMap::new(),
    };
    begin_log(repo, lock, identity, &begin, &changes, state, now, entropy).map(Some)
}

/// The devices of a person, and what one seals to them with.
pub(super) fn recipients(card: &Card) -> impl Iterator<Item = (DeviceId, Recipient)> {
    card.devices
        .iter()
        .filter_map(|device| Some((device.device, device.recipient()?)))
}

pub(super) fn make_detail_key(
    identity: &Identity,
    roster: &Roster,
    devices: &[(DeviceId, Recipient)],
    changes: &mut Changes,
    entropy: &mut dyn Entropy,
) -> Result<DetailKey, LedgerError> {
    let detail = DetailKey::make(entropy)?;
    let auditors = roster.auditors().and_then(|role| Some((role.key, role.recipient()?)));
    let (role, recipient) = auditors.ok_or(LedgerError::NoAuditorsKey)?;
    let role = (role, &recipient);
    let file = DetailFile::wrap(identity.vault(), identity.device(), &detail, role, devices, entropy)?;
    changes.write_digested(DEVICES, format!("detail-{}", detail.id), file.to_bytes());
    Ok(detail)
}

pub(super) struct Begin<'a> {
    pub(super) log: LogName,
    pub(super) roster: &'a Roster,
    pub(super) policies: Digest,
    pub(super) detail: &'a DetailKey,
    pub(super) verb: &'a str,
    /// The card that admits the device.
    pub(super) admitted: Digest,
    /// What it goes on from, if the device had a log before.
    pub(super) joined: Vec<HeadRef>,
    pub(super) seen: BTreeMap<LogName, (u64, Digest)>,
}

#[allow(clippy::too_many_arguments)]
pub(super) fn begin_log(
    repo: &Repo,
    lock: &Lock,
    identity: &Identity,
    begin: &Begin<'_>,
    changes: &Changes,
    state: &Path,
    now: Time,
    entropy: &mut dyn Entropy,
) -> Result<EntryRef, LedgerError> {
    let (vault, log) = (identity.vault(), begin.log);
    if !repo.refs(&format!("{HEADS}{AUDIT}{log}"))?.is_empty() {
        return Err(LedgerError::Internal("the log to begin exists already"));
    }
    let place = EntryRef { log, seq: 0 };
    let entry = Entry {
        actor: identity.person(),
        admitted: Some(begin.admitted),
        because: None,
        detail: begin.detail.id,
        forgot: changes.forgot(),
        held: Vec::new(),
        joined: begin.joined.clone(),
        kind: Some(Kind::Begin),
        log,
        matter: None,
        policies: begin.policies,
        prev: Digest([0; 32]),
        result: Outcome::Done,
        roster: begin.roster.digest(),
        sealed: Details::new(begin.verb).seal(vault, place, begin.detail, entropy)?,
        seen: begin.seen.clone(),
        seq: 0,
        time: now,
        v: 1,
        wrote: changes.wrote(),
    };
    let line = entry.to_line()?;
    let mut frontier = Frontier::default();
    frontier.push(leaf_hash(&line));
    let root = frontier.root();
    let checkpoint = identity.sign_checkpoint(Checkpoint {
        vault,
        log,
        size: 1,
        root,
    });
    let message = Message {
        line,
        checkpoint,
        frontier,
    };
    let mut assembly = Assembly {
        repo,
        identity,
        time: now,
        objects: Vec::new(),
        refs: Vec::new(),
    };
    assembly.branches(changes)?;
    let empty = tree_bytes(Vec::new()).map_err(|_| LedgerError::Internal("an empty tree cannot be written"))?;
    let empty = Object {
        kind: crate::repo::Kind::Tree,
        bytes: empty,
    };
    let tree = empty.oid();
    assembly.objects.push(empty);
    assembly.audit(&audit_ref(log), tree, None, &message)?;
    let batch = Batch {
        objects: assembly.objects,
        refs: assembly.refs,
        note: place.to_string().into_bytes(),
    };
    let durable = repo.commit(lock, &batch)?;
    let _ = durable.record();
    let (founder, roster) = (begin.roster.founder(), begin.roster.digest());
    MarkFile::open(state)?.write(
        identity,
        &HighWater {
            vault,
            log,
            size: 1,
            root,
            founder,
            roster,
        },
    )?;
    Ok(place)
}
