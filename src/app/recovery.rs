//! The way back in with a recovery key.

use super::context::Context;
use super::error::{Error, Kind};
use super::vault::{Inited, new_passphrase};
use crate::chain::{Card, Device, DeviceKind};
use crate::crypto::{Argon2Params, make_random};
use crate::env::{SystemEntropy, read_bounded, write_new_private};
use crate::envelope::{IdentityFile, IdentitySecrets, RecoveryKey};
use crate::id::{DeviceId, Digest, Incarnation, LogName};
use crate::ledger::{Rejoin, read_charter, rejoin};
use crate::repo::PATIENCE;
use crate::session::{Identity, PaperDevice};
use std::path::Path;

/// Makes a new identity on this device for the owner of a recovery key: the key admits the device, and its log begins.
///
/// The page's founder line says which vault it is for. Without it the copy of the vault would be trusted about
/// itself, so that has to be asked for with `unpinned`.
pub fn recover(context: &Context<'_>, page: &Path, insist: bool, unpinned: bool) -> Result<Inited, Error> {
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
    let lock = repo.lock(PATIENCE).map_err(crate::ledger::LedgerError::from)?;
    repo.recover(&lock).map_err(crate::ledger::LedgerError::from)?;
    let pin = pinned_founder(text);
    if pin.is_none() && !unpinned {
        return Err(Error::new(
            Kind::Usage,
            "the recovery page has no `founder` line, so this vault cannot be told from a false one",
        )
        .hint("copy that line from the page too, or trust this copy of the vault with --unpinned"));
    }
    let charter = read_charter(&repo, pin)?;
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
        by: paper_device,
        devices,
        n: charter.roster.cards().len() as u64,
        prev: charter.roster.digest(),
        time: context.now(),
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
    let state = context.places.state(&charter.vault);
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

/// The founder pin that the page carries beside the key.
fn pinned_founder(page: &str) -> Option<Digest> {
    let mut words = page.split_whitespace();
    while let Some(word) = words.next() {
        if word == "founder"
            && let Some(Ok(pin)) = words.next().map(str::parse)
        {
            return Some(pin);
        }
    }
    None
}
