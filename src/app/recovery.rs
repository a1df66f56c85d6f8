//! The way back in with a recovery key.

use super::context::{Context, other_vault};
use super::error::{Error, Kind};
use super::vault::{Inited, new_passphrase};
use crate::chain::{Card, Device, DeviceKind};
use crate::crypto::{Argon2Params, make_random};
use crate::env::{SystemEntropy, read_bounded, write_new_private};
use crate::envelope::{IdentityFile, IdentitySecrets, RecoveryKey};
use crate::id::{DeviceId, Incarnation, LogName};
use crate::ledger::{Rejoin, read_charter, rejoin};
use crate::repo::{JournalError, RecoverError};
use crate::session::{Identity, PaperDevice};
use std::path::Path;

/// Makes a new identity on this device for the owner of a recovery key: the key admits the device, and its log begins.
///
/// The key's word carries the beginning of the founder pin, so that a copy of the vault is not trusted about itself.
pub fn recover(context: &Context<'_>, page: &Path, insist: bool) -> Result<Inited, Error> {
    let identity_path = context.places.identity();
    if std::fs::symlink_metadata(&identity_path).is_ok() {
        return Err(Error::new(
            Kind::Failed,
            format!(
                "there is an identity at `{}` already; nothing was changed",
                identity_path.display()
            ),
        )
        .hint("move that file away, or name another place with --identity"));
    }
    let page = zeroize::Zeroizing::new(read_bounded(page, 64 * 1024)?);
    let text = std::str::from_utf8(&page).map_err(|_| Error::new(Kind::Failed, "the recovery page is not text"))?;
    let key = RecoveryKey::find(text)?;
    let paper = PaperDevice::new(&key);
    let repo = context.repo()?;
    context.warn_of_scarcity();
    if let Some(vault) = after_word(text, "vault") {
        other_vault("recovery key", vault, &repo)?;
    }
    let lock = context.patiently(|patience| Ok(repo.lock(patience)?))?;
    // A clone comes without a journal; whoever comes back in on a new computer has nothing but a clone.
    match repo.recover(&lock) {
        Err(RecoverError::Journal(JournalError::Missing)) => repo.make_journal(&lock).map_err(RecoverError::from),
        recovered => recovered.map(drop),
    }
    .map_err(crate::ledger::LedgerError::from)?;
    repo.recover(&lock).map_err(crate::ledger::LedgerError::from)?;
    let charter = read_charter(&repo, None)?;
    if !key.trusts(charter.roster.founder()) {
        return Err(Error::new(
            Kind::Tampered,
            "this is not the vault that the recovery key was made for: its founder is another",
        )
        .hint("nothing was opened; get a copy of the vault from somewhere you trust"));
    }
    let owner = charter.roster.members().find_map(|card| {
        let own = card
            .devices
            .iter()
            .find(|device| device.sign_key() == Some(paper.public_key()))?;
        (own.kind == DeviceKind::Paper).then_some((card, own.device))
    });
    let (old, paper_device) =
        owner.ok_or_else(|| Error::new(Kind::Failed, "this recovery key belongs to nobody in this vault"))?;
    let passphrase = new_passphrase(context, &old.handle, insist)?;
    let entropy = &mut SystemEntropy;
    let device = DeviceId(make_random(entropy)?);
    let secrets = IdentitySecrets::make(old.person, old.handle.clone(), charter.roster.founder(), entropy)?;
    let identity = Identity::from_secrets(charter.vault, device, &secrets);
    let mut devices = old.devices.clone();
    devices.push(Device::new(
        device,
        DeviceKind::Device,
        &identity.recipient(),
        identity.public_key(),
    ));
    devices.sort_by_key(|device| device.device);
    let card = Card {
        auditors: None,
        by: paper_device,
        cuts: Vec::new(),
        devices,
        keys: Default::default(),
        n: charter.roster.cards().len() as u64,
        prev: charter.roster.digest(),
        time: context.now(),
        joined: Vec::new(),
        ..old.clone()
    };
    let file = IdentityFile::seal(
        charter.vault,
        device,
        &secrets,
        &passphrase,
        Argon2Params::DEFAULT,
        entropy,
    )?;
    // The identity goes first: a device that was admitted and then lost would be a stranger in the roster.
    write_new_private(&identity_path, file.to_text().as_bytes())?;
    let log = LogName {
        device,
        incarnation: Incarnation(make_random(entropy)?),
    };
    let plan = Rejoin {
        paper: &paper,
        identity: &identity,
        card: &card,
        paper_device,
        log,
    };
    let state = context.places.state(&charter.vault, &device);
    if let Err(error) = rejoin(&repo, &lock, &charter, &plan, &state, context.now(), entropy) {
        if error.may_have_happened() {
            // The device may be a member already: its identity is the one thing that must not be lost.
            return Err(Error::from(error)
                .hint("this device may have been admitted: if `strongroom list` works, it was; otherwise move the new identity away and try again"));
        }
        // Nothing was written to the vault, and the identity is of no use to anybody.
        let _ = std::fs::remove_file(&identity_path);
        return Err(error.into());
    }
    Ok(Inited {
        vault: charter.vault,
        path: context.places.vault(),
        identity: identity_path,
        handle: old.handle.clone(),
        fingerprint: charter.roster.founder(),
        recovery: None,
    })
}

/// What the page carries beside the key: the vault's id after the word `vault`, the founder pin after `founder`.
fn after_word<T: std::str::FromStr>(page: &str, name: &str) -> Option<T> {
    let pairs = page.split_whitespace().zip(page.split_whitespace().skip(1));
    pairs
        .filter(|(word, _)| *word == name)
        .find_map(|(_, next)| next.parse().ok())
}
