//! To become a member: a device asks to be admitted, and once it was, its log begins at its first access.

use super::context::{Context, Unlocked, Whose};
use super::error::{Error, Kind};
use super::failed::FailedUnlocks;
use super::vault::{handle_of, new_passphrase, refuse_identity};
use crate::crypto::{Argon2Params, make_random};
use crate::env::{SystemEntropy, check_new_file, replace_private, write_new_private};
use crate::envelope::{BadIdentity, IdentityFile, NewcomerFile, NewcomerSecrets};
use crate::id::{DeviceId, Fingerprint, PersonId};
use crate::ledger::{Charter, LedgerError, join, read_charter};
use crate::repo::{JournalError, Lock, RecoverError, Repo};
use crate::secret::Passphrase;
use crate::session::{Identity, ask_to_join};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a request to be admitted came to.
pub struct Requested {
    /// What the person asks to be called.
    pub handle: String,
    /// The new device.
    pub device: DeviceId,
    /// What the lead compares.
    pub fingerprint: Fingerprint,
    /// Where the identity lies.
    pub identity: PathBuf,
}

/// Makes an identity for this device, and the file that asks a lead to admit it. It belongs to no vault until one does.
pub fn ask_for_membership(context: &Context<'_>, name: &str, out: &Path, insist: bool) -> Result<Requested, Error> {
    let handle = handle_of(name)?;
    let identity = context.places.identity();
    refuse_identity(&identity)?;
    check_new_file(out).map_err(|bad| Error::new(Kind::Failed, format!("{bad}; nothing was changed")))?;
    let passphrase = new_passphrase(context, name, insist)?;
    let entropy = &mut SystemEntropy;
    let device = DeviceId(make_random(entropy)?);
    let secrets = NewcomerSecrets::make(handle, entropy)?;
    let (request, file) = ask_to_join(device, &secrets, context.now());
    let newcomer = NewcomerFile::seal(device, &secrets, &passphrase, Argon2Params::DEFAULT, entropy)?;
    write_new_private(&identity, newcomer.to_text().as_bytes())?;
    let written = context.person.create(out).and_then(|mut new| {
        use std::io::Write;
        let failed = |error| Error::new(Kind::Failed, format!("cannot write `{}`: {error}", out.display()));
        new.file().write_all(&file).map_err(failed)?;
        new.keep()
    });
    if let Err(error) = written {
        // Nobody was asked anything: the identity is of no use.
        let _ = std::fs::remove_file(&identity);
        return Err(error);
    }
    Ok(Requested {
        fingerprint: request.fingerprint(),
        handle: request.handle,
        device,
        identity,
    })
}

impl Context<'_> {
    /// This device's identity, if it is a newcomer's whom this copy of the vault does not know yet.
    pub(super) fn newcomer_waiting(&self) -> Result<Option<NewcomerFile>, Error> {
        let Ok(newcomer) = NewcomerFile::parse(&self.identity_bytes()?) else {
            return Ok(None);
        };
        let charter = read_charter(&self.repo()?, None)?;
        Ok(charter.roster.device(newcomer.device).is_none().then_some(newcomer))
    }

    /// Unlocks it for what needs no member: to keep this copy of the vault up to date. The founder that the copy names is
    /// the one that whatever comes is held against.
    pub(super) fn unlock_newcomer(&self, newcomer: &NewcomerFile) -> Result<Unlocked<'_>, Error> {
        let repo = self.repo()?;
        let charter = read_charter(&repo, None)?;
        let passphrase = self.passphrase("passphrase: ")?;
        let secrets = self.open_newcomer(newcomer, &passphrase, &charter)?;
        let handle = secrets.handle.clone();
        let secrets = secrets.admitted(PersonId([0; 8]), handle, charter.roster.founder());
        let identity = Identity::from_secrets(charter.vault, newcomer.device, &secrets);
        let state = self.places.state(&charter.vault, &newcomer.device);
        Ok(Unlocked {
            repo,
            identity: Whose::Own(Box::new(identity), Box::default()),
            state,
        })
    }

    /// The first access of a device that a lead admitted: shows whose vault this is, begins the device's log, and makes
    /// its identity one of this vault's.
    pub(super) fn join(&self, newcomer: &NewcomerFile, repo: Repo) -> Result<Unlocked<'_>, Error> {
        let charter = read_charter(&repo, None)?;
        if charter.roster.device(newcomer.device).is_none() {
            return Err(Error::new(Kind::Denied, "no lead has admitted this device to this vault yet")
                .hint("give a lead the file that `strongroom member request` wrote; when it is admitted, `strongroom sync`, and try again"));
        }
        self.know_the_founder(&charter)?;
        let passphrase = self.passphrase("passphrase: ")?;
        let secrets = self.open_newcomer(newcomer, &passphrase, &charter)?;
        let lock = self.patiently(|patience| lock(&repo, patience))?;
        // What is admitted by now counts, not what was before the passphrase was typed.
        let charter = read_charter(&repo, Some(charter.roster.founder()))?;
        let (card, _) = charter.roster.device(newcomer.device).ok_or(LedgerError::NotAMember)?;
        let secrets = secrets.admitted(card.person, card.handle.clone(), charter.roster.founder());
        let identity = Identity::from_secrets(charter.vault, newcomer.device, &secrets);
        let state = self.places.state(&charter.vault, &newcomer.device);
        let (now, entropy) = (self.now(), &mut SystemEntropy);
        let _ = join(&repo, &lock, &charter, &identity, &state, now, entropy)?;
        drop(lock);
        let (vault, device, params) = (charter.vault, newcomer.device, Argon2Params::DEFAULT);
        let file = IdentityFile::seal(vault, device, &secrets, &passphrase, params, entropy)?;
        replace_private(&self.places.identity(), file.to_text().as_bytes())?;
        Ok(Unlocked {
            repo,
            identity: Whose::Own(Box::new(identity), Box::default()),
            state,
        })
    }

    /// Nothing but a person can tell whether this is the vault that was meant: from here on it is pinned.
    fn know_the_founder(&self, charter: &Charter) -> Result<(), Error> {
        let founder = Fingerprint::from(charter.roster.founder());
        let by = charter.roster.cards().first().map_or("", |card| card.handle.as_str());
        self.person
            .warn(&format!("this device joins the vault that {by} founded: {founder}"));
        let same = || self.said("did your lead read you the same words? Type yes: ");
        match !self.person.answers() || same().as_deref() == Some("yes") {
            true => Ok(()),
            false => Err(Error::new(
                Kind::Failed,
                "this device has not joined the vault; nothing was changed",
            )
            .hint("a lead has the words from `strongroom member list`")),
        }
    }

    fn open_newcomer(
        &self,
        newcomer: &NewcomerFile,
        passphrase: &Passphrase,
        charter: &Charter,
    ) -> Result<NewcomerSecrets, Error> {
        let state = self.places.vault_state(&charter.vault);
        self.wait_after_failures(&state);
        newcomer.open(passphrase).map_err(|error| {
            let kept = match error {
                BadIdentity::WrongPassphrase => FailedUnlocks::keep(&state, self.now()),
                _ => Ok(()),
            };
            kept.err().unwrap_or_else(|| error.into())
        })
    }
}

/// Takes the lock and brings git to where the journal stands; a fresh clone comes without one.
fn lock(repo: &Repo, patience: Duration) -> Result<Lock, LedgerError> {
    let lock = repo.lock(patience)?;
    if let Err(RecoverError::Journal(JournalError::Missing)) = repo.recover(&lock) {
        repo.make_journal(&lock).map_err(RecoverError::from)?;
    }
    repo.recover(&lock)?;
    Ok(lock)
}
