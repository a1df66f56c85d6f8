//! Making a vault.

use super::context::Context;
use super::error::{Error, Kind};
use crate::chain::{AuditorsKey, Card, Device, DeviceKind, Role};
use crate::crypto::{Argon2Params, Entropy, make_random};
use crate::env::{SystemEntropy, check_new_file, sync_folder, write_new_private};
use crate::envelope::{IdentityFile, IdentitySecrets, Key, KeyUse, Keyring, RecoveryKey};
use crate::id::{DeviceId, Digest, Incarnation, LogName, PersonId, VaultId};
use crate::label::Level;
use crate::ledger::{Founding, found};
use crate::policy::PolicyFiles;
use crate::repo::{Repo, Settings};
use crate::secret::Passphrase;
use crate::session::{Identity, PaperDevice};
use std::path::{Path, PathBuf};

const README: &str = include_str!("vault-readme.md");

/// What `init` is asked.
pub struct Init {
    /// The founder's name.
    pub name: String,
    /// Where to write the printable recovery key.
    pub recovery_key: Option<PathBuf>,
    /// Whether a weak passphrase is taken all the same.
    pub insist: bool,
}

/// What `init` made.
pub struct Inited {
    /// The vault.
    pub vault: VaultId,
    /// Where it lies.
    pub path: PathBuf,
    /// Where the identity lies.
    pub identity: PathBuf,
    /// The founder's handle.
    pub handle: String,
    /// The founder pin, to compare with what others see.
    pub fingerprint: Digest,
    /// Whether there is a recovery key.
    pub recovery: Option<PathBuf>,
}

/// Makes a vault, an identity for this device, and if asked a recovery key. Overwrites nothing.
pub fn init(context: &Context<'_>, init: &Init) -> Result<Inited, Error> {
    let (path, identity_path) = (context.places.vault(), context.places.identity());
    let handle = handle_of(&init.name)?;
    if let Some(page) = &init.recovery_key {
        check_new_file(page).map_err(|bad| Error::new(Kind::Failed, format!("{bad}; nothing was changed")))?;
    }
    refuse_existing(&path, &identity_path, init.recovery_key.as_deref())?;
    context.warn_of_scarcity();
    let passphrase = new_passphrase(context, &init.name, init.insist)?;
    let entropy = &mut SystemEntropy;
    let vault = VaultId(make_random(entropy)?);
    let (person, device) = (PersonId(make_random(entropy)?), DeviceId(make_random(entropy)?));
    let mut secrets = IdentitySecrets::make(person, handle.clone(), Digest([0; 32]), entropy)?;
    let identity = Identity::from_secrets(vault, device, &secrets);
    let mut paper = match init.recovery_key {
        Some(_) => {
            let key = RecoveryKey::make(entropy)?;
            Some((DeviceId(make_random(entropy)?), PaperDevice::new(&key), key))
        }
        None => None,
    };
    let mut devices = vec![Device::new(
        device,
        DeviceKind::Device,
        &identity.recipient(),
        identity.public_key(),
    )];
    let mut recipients = vec![(device, identity.recipient())];
    if let Some((id, paper, _)) = &paper {
        devices.push(Device::new(
            *id,
            DeviceKind::Paper,
            &paper.recipient(),
            paper.public_key(),
        ));
        recipients.push((*id, paper.recipient()));
    }
    devices.sort_by_key(|device| device.device);
    let keyring = first_keys(entropy)?;
    let auditors = keyring.iter().find(|key| key.usage == KeyUse::Auditors);
    let card = Card {
        auditors: auditors.map(|key| AuditorsKey::new(key.id, &key.recipient())),
        by: device,
        compartments: Vec::new(),
        cuts: Vec::new(),
        devices,
        handle: handle.clone(),
        joined: Vec::new(),
        keys: std::collections::BTreeMap::new(),
        lent: Default::default(),
        level: Level::Restricted.number(),
        n: 0,
        paused: false,
        person,
        prev: Digest([0; 32]),
        roles: vec![Role::Lead, Role::Officer],
        time: context.now(),
        until: None,
        v: 1,
        vault,
    };
    secrets.founder_pin = card.digest();
    paper = paper.map(|(id, device, key)| (id, device, key.for_founder(card.digest())));
    let identity = Identity::from_secrets(vault, device, &secrets);
    let file = IdentityFile::seal(vault, device, &secrets, &passphrase, Argon2Params::DEFAULT, entropy)?;

    // All of it is made beside the vault's place and moved there last: an interrupted init leaves no half vault.
    let staging = staging_beside(&path, entropy)?;
    let mut written: Vec<&Path> = Vec::new();
    let made = (|| {
        let repo = Repo::create(&staging, Settings::of_this_run())?;
        let founding = Founding {
            identity: &identity,
            card: &card,
            log: LogName {
                device,
                incarnation: Incarnation(make_random(entropy)?),
            },
            keyring: &keyring,
            devices: &recipients,
            policies: &PolicyFiles::shipped(),
            readme: README,
        };
        found(
            &repo,
            &founding,
            &context.places.state(&vault, &device),
            context.now(),
            entropy,
        )?;
        if let (Some(page), Some((_, _, key))) = (&init.recovery_key, &paper) {
            write_new_private(page, recovery_page(vault, &handle, card.digest(), key).as_bytes())?;
            written.push(page);
        }
        write_new_private(&identity_path, file.to_text().as_bytes())?;
        written.push(&identity_path);
        move_into_place(&staging, &path)
    })();
    if let Err(error) = made {
        // Nothing of it was acknowledged: what this call wrote goes again, so that it can be tried anew.
        let _ = std::fs::remove_dir_all(&staging);
        written.iter().for_each(|file| drop(std::fs::remove_file(file)));
        return Err(error);
    }
    Ok(Inited {
        vault,
        path,
        identity: identity_path,
        handle,
        fingerprint: card.digest(),
        recovery: init.recovery_key.clone(),
    })
}

/// Refuses a place for a vault where something is already.
pub(super) fn refuse_occupied(vault: &Path) -> Result<(), Error> {
    let occupied = match std::fs::read_dir(vault) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    };
    match occupied {
        false => Ok(()),
        true => Err(Error::new(
            Kind::Failed,
            format!(
                "there is something at `{}` already; nothing was changed",
                vault.display()
            ),
        )
        .hint("name another place with --vault")),
    }
}

/// Refuses a place for an identity where there is one.
pub(super) fn refuse_identity(identity: &Path) -> Result<(), Error> {
    match std::fs::symlink_metadata(identity) {
        Err(_) => Ok(()),
        Ok(_) => Err(Error::new(
            Kind::Failed,
            format!(
                "there is an identity at `{}` already; nothing was changed",
                identity.display()
            ),
        )
        .hint("name another place with --identity, or move that file away if you are sure")),
    }
}

fn refuse_existing(vault: &Path, identity: &Path, page: Option<&Path>) -> Result<(), Error> {
    refuse_occupied(vault)?;
    if let Err(refusal) = refuse_identity(identity) {
        return Err(match half_made(vault) {
            None => refusal,
            Some(half) => refusal.hint(format!(
                "an `init` that was interrupted left `{}`: to finish it, move that folder to `{}`; to begin anew, \
                 remove both it and the identity",
                half.display(),
                vault.display()
            )),
        });
    }
    match page {
        Some(page) if std::fs::symlink_metadata(page).is_ok() => Err(Error::new(
            Kind::Failed,
            format!("`{}` exists already; nothing was changed", page.display()),
        )),
        _ => Ok(()),
    }
}

/// A vault that was made and never moved to its place.
pub(super) fn half_made(vault: &Path) -> Option<PathBuf> {
    let prefix = format!(".{}.", vault.file_name()?.to_string_lossy());
    let beside = std::fs::read_dir(vault.parent()?).ok()?;
    let mut paths = beside.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(&prefix) && path.join("HEAD").is_file()
    })
}

/// A folder in the same folder as the vault will be, so that moving it is one rename.
pub(super) fn staging_beside(vault: &Path, entropy: &mut dyn Entropy) -> Result<PathBuf, Error> {
    let name = vault
        .file_name()
        .ok_or_else(|| Error::new(Kind::Usage, "the vault needs a folder of its own"))?;
    let tag: [u8; 4] = make_random(entropy)?;
    let tag: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(vault.with_file_name(format!(".{}.{tag}", name.to_string_lossy())))
}

pub(super) fn move_into_place(staging: &Path, vault: &Path) -> Result<(), Error> {
    std::fs::rename(staging, vault).map_err(|error| {
        Error::new(
            Kind::Failed,
            format!("the vault cannot be put at `{}`: {error}", vault.display()),
        )
    })?;
    match vault.parent() {
        Some(parent) if parent != Path::new("") => Ok(sync_folder(parent)?),
        _ => Ok(sync_folder(Path::new("."))?),
    }
}

/// A key for each level below `named`, and the auditors' key, which the founder holds until there is an auditor.
fn first_keys(entropy: &mut dyn Entropy) -> Result<Keyring, Error> {
    let epoch: [u8; 8] = make_random(entropy)?;
    let mut ring = Keyring::default();
    for level in [Level::Public, Level::Internal, Level::Confidential, Level::Restricted] {
        ring.add(Key::make(KeyUse::Level(level), None, epoch, entropy)?);
    }
    ring.add(Key::make(KeyUse::Auditors, None, epoch, entropy)?);
    Ok(ring)
}

/// A handle out of a name: lower case, other characters as dots.
pub(super) fn handle_of(name: &str) -> Result<String, Error> {
    use unicode_normalization::UnicodeNormalization;
    let plain: String = name
        .trim()
        .nfkd()
        .filter(|c| c.is_ascii() && *c != '\'')
        .collect::<String>()
        .to_lowercase();
    let dotted: String = plain
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "_-".contains(c) {
                c
            } else {
                '.'
            }
        })
        .collect();
    let parts: Vec<&str> = dotted.split('.').filter(|part| !part.is_empty()).collect();
    let handle: String = parts.join(".").chars().take(32).collect();
    Card::check_handle(&handle).map_err(|_| {
        Error::new(Kind::Usage, format!("`{name}` cannot be made into a handle"))
            .hint("give a name that begins with a letter from a to z, such as --name mara")
    })?;
    Ok(handle)
}

/// Asks for a new passphrase, twice if the person is asked, and refuses a weak one.
pub(super) fn new_passphrase(context: &Context<'_>, name: &str, insist: bool) -> Result<Passphrase, Error> {
    let passphrase = check_strength(context.passphrase("choose a passphrase: ")?, name, insist)?;
    if context.source.is_none() {
        let again = context.person.passphrase("the same again: ")?;
        if !crate::crypto::same_bytes(passphrase.expose().as_bytes(), again.expose().as_bytes()) {
            return Err(Error::new(
                Kind::Usage,
                "the two passphrases differ; nothing was changed",
            ));
        }
    }
    Ok(passphrase)
}

/// At least 10^10 guesses by the estimate of Wheeler's zxcvbn (USENIX Security 2016), its score 4.
fn check_strength(passphrase: Passphrase, name: &str, insist: bool) -> Result<Passphrase, Error> {
    // Longer text costs the estimate time and adds nothing to its verdict.
    let begin: zeroize::Zeroizing<String> = zeroize::Zeroizing::new(passphrase.expose().chars().take(100).collect());
    let estimate = zxcvbn::zxcvbn(&begin, &[name, "strongroom"]);
    if insist || estimate.score() >= zxcvbn::Score::Four {
        return Ok(passphrase);
    }
    let warning = estimate.feedback().and_then(|feedback| feedback.warning());
    let why = warning.map_or_else(
        || "it can be guessed".to_owned(),
        |warning| warning.to_string().to_lowercase(),
    );
    let refusal = Error::new(
        Kind::Failed,
        format!("this passphrase is too weak: {}", why.trim_end_matches('.')),
    );
    Err(refusal
        .hint("five or six unrelated words are strong and easy to type")
        .hint("to use it all the same: --insist"))
}

fn recovery_page(vault: VaultId, handle: &str, founder: Digest, key: &RecoveryKey) -> String {
    format!(
        "STRONGROOM RECOVERY KEY\n\n\
         Whoever has this page can open the vault as {handle}. Print it, keep it in a safe\n\
         place away from the computer, and delete the file.\n\n\
         vault    {vault}\n\
         founder  {founder}\n\n\
         {}\n\n\
         When the computer is lost or the passphrase forgotten, type the long word above\n\
         into a file on a new computer beside a copy of the vault, and run\n\n\
         \u{20}   strongroom recovery use FILE --vault VAULT\n",
        *key.to_word()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_handles() {
        for (name, handle) in [
            ("Mara", "mara"),
            ("Mara Okafor", "mara.okafor"),
            ("Zoë O'Neil", "zoe.oneil"),
            ("a--b", "a--b"),
        ] {
            assert_eq!(handle_of(name).unwrap(), handle);
        }
        for bad in ["", "...", "9", "山田"] {
            assert_eq!(handle_of(bad).unwrap_err().kind, Kind::Usage, "{bad}");
        }
    }

    #[test]
    fn weak_passphrases_are_refused_with_a_reason() {
        let check = |text: &str, insist| check_strength(Passphrase::new(text.into()), "Mara", insist).map(drop);
        let refusal = check("password1", false).unwrap_err();
        assert!(
            refusal.message.starts_with("this passphrase is too weak: "),
            "{}",
            refusal.message
        );
        assert!(!refusal.message.contains("password1"));
        assert!(check("password1", true).is_ok());
        assert!(check("orchid tractor velvet magnet", false).is_ok());
        assert!(check("mara", false).is_err());
    }

    #[test]
    fn a_recovery_page_holds_one_key() {
        let key = RecoveryKey::make(&mut crate::crypto::ExampleEntropy::new("page")).unwrap();
        let page = recovery_page(VaultId([1; 16]), "mara", Digest([2; 32]), &key);
        assert_eq!(
            RecoveryKey::find(&page).map(|key| key.to_word().to_string()).ok(),
            Some(key.to_word().to_string())
        );
    }
}
