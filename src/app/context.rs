//! What a use case stands on: places, clock, randomness, and the person at the terminal.

use super::error::{Error, InLog, Kind};
use super::failed::FailedUnlocks;
use super::held::Held;
use super::offline::offline;
use super::person::Person;
use super::table::shown_name;
use crate::chain::{Card, Details, FileRef, Kind as EntryKind, Outcome, Role as CardRole, Time};
use crate::env::{Clock, FileError, Places, Space, SystemEntropy, read_bounded};
use crate::envelope::{IdentityFile, IdentitySecrets, NewcomerFile};
use crate::gate::{Conflicts, Gate};
use crate::id::{Digest, LogName, NoteId, VaultId};
use crate::label::{Clearance, Label, LabelText, Level};
use crate::ledger::{Changes, Draft, Ledger, LedgerError, Memory, Quarantined, Recorded};
use crate::policy::{
    Action, ActorFacts, Decision, Denial, Lack, Offline, PolicySet, Purpose, Request, ResourceFacts, Role,
};
use crate::repo::{LockError, PATIENCE, Repo, Settings};
use crate::secret::Passphrase;
use crate::session::Identity;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// The largest file that holds a passphrase, in bytes.
const PASSPHRASE_MAX: u64 = 4096;
/// How long another writer is waited for before that is said.
const SOON: Duration = Duration::from_secs(2);
/// The longest text of an entry's details, in characters, so that the entry always fits.
const SHORT_MAX: usize = 500;
/// How a reason is asked for.
const WHY: &str = "why, in a few words: ";

/// Where a passphrase comes from when nobody is asked.
#[derive(Clone, Debug)]
pub enum PassphraseSource {
    /// The first line of a file.
    File(PathBuf),
    /// The first line that a command prints.
    Command(String),
}

/// Why the person wants in: what they gave with the command, and what they said when they were asked.
#[derive(Default)]
pub struct Access {
    purpose: RefCell<Option<String>>,
    reason: RefCell<Option<String>>,
    asked_purpose: Cell<bool>,
    asked_reason: Cell<bool>,
    /// Whether what looks wrong is meant.
    sure: bool,
    /// Whether the person was told what waits for them.
    told: Cell<bool>,
    /// What they were warned of about remotes, so that it is said once.
    warned: RefCell<Vec<String>>,
}

impl Access {
    /// Whether the person was asked for anything.
    fn asked(&self) -> bool {
        self.asked_purpose.get() || self.asked_reason.get()
    }

    /// What was given with the command. A reason that the entry would not hold as it is, is refused.
    pub fn given(purpose: Option<String>, reason: Option<String>) -> Result<Self, Error> {
        reason.as_deref().map(check_reason).transpose()?;
        Ok(Self {
            purpose: RefCell::new(purpose),
            reason: RefCell::new(reason),
            ..Self::default()
        })
    }

    /// The same of somebody who is sure of what looks wrong.
    pub fn sure(self, sure: bool) -> Self {
        Self { sure, ..self }
    }

    /// Whether they are.
    pub(super) fn is_sure(&self) -> bool {
        self.sure
    }

    /// Whether that is said for the first time.
    pub(super) fn is_news(&self, words: &str) -> bool {
        let mut warned = self.warned.borrow_mut();
        let known = warned.iter().any(|known| known == words);
        warned.extend((!known).then(|| words.to_owned()));
        !known
    }

    /// Takes this purpose in the place of any other.
    pub(super) fn set_purpose(&self, code: &str) {
        self.purpose.replace(Some(code.to_owned()));
    }

    /// Takes this reason in the place of any other; one that the entry would not hold as it is, is refused.
    pub(super) fn set_reason(&self, reason: &str) -> Result<(), Error> {
        check_reason(reason)?;
        self.reason.replace(Some(reason.to_owned()));
        Ok(())
    }

    /// Purpose code.
    pub fn purpose(&self) -> Option<String> {
        self.purpose.borrow().clone()
    }

    /// Reason in words.
    pub fn reason(&self) -> Option<String> {
        self.reason.borrow().clone()
    }
}

/// No rule that this program brings takes a shorter reason, in characters; what is asked for is asked for again.
const REASON_MIN: usize = 4;
/// How often it is asked again for what cannot be taken.
const TRIES: usize = 3;

/// What every use case is given.
pub struct Context<'a> {
    /// Where things are.
    pub places: Places,
    /// What time it is.
    pub clock: Clock,
    /// Where the passphrase comes from, if not from the person.
    pub source: Option<PassphraseSource>,
    /// Who is asked.
    pub person: &'a dyn Person,
    /// Why.
    pub access: Access,
    /// The identity that an agent holds unlocked; none: it is unlocked for each access.
    pub held: Option<&'a Held>,
}

impl Context<'_> {
    /// The device's word for what time it is.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Asks for what a denied request lacks, for each thing once in a command. Gives whether all of it was said.
    fn ask_for(&self, lack: &Lack) -> bool {
        let Access {
            asked_purpose,
            asked_reason,
            ..
        } = &self.access;
        if !lack.purposes.is_empty() {
            let said = (!asked_purpose.replace(true)).then(|| self.ask_purpose(&lack.purposes));
            let Some(purpose) = said.flatten() else {
                // Who says nothing wants nothing: there is no second question.
                return false;
            };
            self.access.purpose.replace(Some(purpose));
        }
        if lack.reason {
            let said = (!asked_reason.replace(true)).then(|| self.ask_reason());
            let Some(reason) = said.flatten() else {
                return false;
            };
            self.access.reason.replace(Some(reason));
        }
        true
    }

    /// Forgets what was said of purpose and reason, so that it is asked for again where it is due.
    pub fn ask_anew(&self) {
        let access = &self.access;
        access.purpose.take();
        access.reason.take();
        access.asked_purpose.set(false);
        access.asked_reason.set(false);
    }

    /// Asks for a purpose by its code, or by a beginning of it that no other code has; `?` shows what they mean.
    fn ask_purpose(&self, purposes: &[Purpose]) -> Option<String> {
        let codes: Vec<&str> = purposes.iter().map(|purpose| purpose.code.as_str()).collect();
        let prompt = format!("what for? {}, or ? for what they mean: ", codes.join(", "));
        let mut said = self.said(&prompt)?;
        for _ in 0..TRIES {
            let mut begun = codes.iter().filter(|code| code.starts_with(&said));
            match (codes.contains(&said.as_str()), begun.next(), begun.next()) {
                (true, ..) => return Some(said),
                (false, Some(only), None) => return Some((*only).to_owned()),
                _ => {}
            }
            let lines = purposes
                .iter()
                .map(|purpose| format!("  {:<16} {}\n", purpose.code, purpose.description));
            said = self.said(&format!("{}what for? ", lines.collect::<String>()))?;
        }
        Some(said)
    }

    /// Asks for a reason, again if it is one that the entry would not hold.
    fn ask_reason(&self) -> Option<String> {
        let mut prompt = WHY.to_owned();
        for _ in 0..TRIES {
            let said = self.said(&prompt)?;
            if said.chars().count() < REASON_MIN {
                prompt = format!("that is too short; {WHY}");
                continue;
            }
            match check_reason(&said) {
                Ok(()) => return Some(said),
                Err(error) => self.person.warn(&error.message),
            }
        }
        None
    }

    /// A line that says something.
    pub(super) fn said(&self, prompt: &str) -> Option<String> {
        let line = self.person.line(prompt)?;
        Some(line.trim().to_owned()).filter(|line| !line.is_empty())
    }

    /// Whether there is a reason: one that was given, or that the person says when asked.
    pub(super) fn has_reason(&self) -> bool {
        if self.access.reason().is_none() && self.person.answers() {
            self.access.reason.replace(self.ask_reason());
        }
        self.access.reason().is_some()
    }

    /// Opens the vault's repository.
    pub(super) fn repo(&self) -> Result<Repo, Error> {
        Ok(Repo::open(&self.places.vault(), Settings::of_this_run())?)
    }

    /// The passphrase, from where the person said or from the person.
    pub(super) fn passphrase(&self, prompt: &str) -> Result<Passphrase, Error> {
        match &self.source {
            None => self.person.passphrase(prompt),
            Some(PassphraseSource::File(path)) => {
                let read = read_bounded(path, PASSPHRASE_MAX).map_err(Error::from);
                first_line(&Zeroizing::new(read.map_err(|error| Error {
                    message: format!("the file of the passphrase: {}", error.message),
                    ..error
                })?))
            }
            Some(PassphraseSource::Command(command)) => first_line(&run(command)?),
        }
    }

    /// The identity of this device: the one that is held unlocked, or unlocked now. A wrong passphrase is kept aside
    /// and entered at the next unlock.
    pub(super) fn unlock(&self) -> Result<Unlocked<'_>, Error> {
        let repo = self.repo()?;
        self.warn_of_scarcity();
        if let Some(held) = self.held {
            let unlocked = Unlocked {
                repo,
                state: self.places.state(&held.identity().vault(), &held.identity().device()),
                identity: Whose::Held(held),
            };
            unlocked.keep_left_texts(self);
            return Ok(unlocked);
        }
        let bytes = self.identity_bytes()?;
        if let Ok(newcomer) = NewcomerFile::parse(&bytes) {
            return self.join(&newcomer, repo);
        }
        let file = IdentityFile::parse(&bytes)?;
        other_vault("identity", file.vault, &repo)?;
        let state = self.places.state(&file.vault, &file.device);
        let identity = self.open_identity(&file, "passphrase: ")?.1;
        let unlocked = Unlocked {
            repo,
            identity: Whose::Own(Box::new(identity), Box::default()),
            state,
        };
        unlocked.keep_left_texts(self);
        Ok(unlocked)
    }

    /// Tries what needs the vault's lock. Who has to wait for another program is told so, and not for ever.
    pub(super) fn patiently<T>(&self, attempt: impl Fn(Duration) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let busy = |error: &LedgerError| matches!(error, LedgerError::Busy(LockError::Busy(_)));
        match attempt(SOON) {
            Err(error) if busy(&error) => {}
            done => return done,
        }
        let words = "another program is writing to this vault; waiting until it is done, for some seconds at most";
        self.person.warn(words);
        attempt(PATIENCE.saturating_sub(SOON)).map_err(|error| match busy(&error) {
            true => LedgerError::Busy(LockError::Busy(PATIENCE)),
            false => error,
        })
    }

    /// Says in time that the disk fills up: on a full one nothing can be entered, and so nothing be shown.
    pub(super) fn warn_of_scarcity(&self) {
        let vault = self.places.vault();
        // Where there is no vault yet, the folder that it will be made in.
        if let Some(place) = vault.ancestors().find(|place| place.exists())
            && let Ok(space) = Space::at(place)
            && space.is_scarce()
        {
            self.person.warn(&format!(
                "the disk that holds the vault is nearly full ({} MiB free): when it is full nothing can be recorded, and \
                 so nothing be read; make room",
                space.free >> 20
            ));
        }
    }

    /// Reads the identity file of this device.
    pub(super) fn identity_file(&self) -> Result<IdentityFile, Error> {
        Ok(IdentityFile::parse(&self.identity_bytes()?)?)
    }

    pub(super) fn identity_bytes(&self) -> Result<Vec<u8>, Error> {
        let path = self.places.identity();
        match read_bounded(&path, 64 * 1024) {
            Err(FileError::Missing(_)) => Err(Error::new(Kind::Locked, format!("there is no identity at `{}`", path.display()))
                .hint("name it with --identity, make a vault with `strongroom init --name NAME`, or come back in with `strongroom recovery use`")),
            bytes => Ok(bytes?),
        }
    }

    /// After several wrong passphrases the next one is tried only after a while.
    pub(super) fn wait_after_failures(&self, state: &Path) {
        let pause = FailedUnlocks::pause(state);
        if !pause.is_zero() {
            self.person.warn(&format!(
                "the passphrase was wrong several times: waiting {} s before this one is tried",
                pause.as_secs()
            ));
            std::thread::sleep(pause);
        }
    }

    /// Asks for the passphrase and opens the identity file with it; after several wrong ones only after a while.
    pub(super) fn open_identity(
        &self,
        file: &IdentityFile,
        prompt: &str,
    ) -> Result<(IdentitySecrets, Identity), Error> {
        self.open_with(file, &self.passphrase(prompt)?)
    }

    /// The same with a passphrase that was given already.
    pub(super) fn open_with(
        &self,
        file: &IdentityFile,
        passphrase: &Passphrase,
    ) -> Result<(IdentitySecrets, Identity), Error> {
        // Whoever unlocks next on this computer enters what failed, also with another identity: this one may be lost.
        let state = self.places.vault_state(&file.vault);
        self.wait_after_failures(&state);
        match file.open(passphrase) {
            Ok(secrets) => {
                let identity = Identity::from_secrets(file.vault, file.device, &secrets);
                Ok((secrets, identity))
            }
            Err(error) => {
                if error == crate::envelope::BadIdentity::WrongPassphrase {
                    FailedUnlocks::keep(&state, self.now())?;
                }
                Err(error.into())
            }
        }
    }
}

/// An unlocked vault, before the ledger has started.
pub(super) struct Unlocked<'a> {
    pub(super) repo: Repo,
    pub(super) identity: Whose<'a>,
    pub(super) state: PathBuf,
}

/// An identity unlocked for this access alone, or one that is held.
pub(super) enum Whose<'a> {
    /// With what the command's first look at the logs has learned, for its later ones.
    Own(Box<Identity>, Box<Memory>),
    Held(&'a Held),
}

impl std::ops::Deref for Whose<'_> {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        match self {
            Self::Own(identity, _) => identity,
            Self::Held(held) => held.identity(),
        }
    }
}

impl Unlocked<'_> {
    /// Starts the ledger and enters the unlocks that failed before this one.
    pub(super) fn desk<'a>(&'a self, context: &'a Context<'a>) -> Result<Desk<'a>, Error> {
        self.begin(context, true)
    }

    /// The same for a device that is handed what goes to its person by name here and now: what they declared to stay out of
    /// does not open before.
    pub(super) fn desk_of_newcomer<'a>(&'a self, context: &'a Context<'a>) -> Result<Desk<'a>, Error> {
        self.begin(context, false)
    }

    fn begin<'a>(&'a self, context: &'a Context<'a>, minding: bool) -> Result<Desk<'a>, Error> {
        let (held, memory) = match &self.identity {
            Whose::Own(_, memory) => (None, memory.as_ref()),
            Whose::Held(held) => (Some(*held), held.memory()),
        };
        let start = |patience| Ledger::start(&self.repo, &self.identity, &self.state, patience, Some(memory));
        let mut ledger = context.patiently(start)?;
        if ledger.is_forked() {
            let begun = ledger.begin_anew(context.now(), &mut SystemEntropy)?;
            context.person.warn(&two_histories(begun.log));
        }
        if let Some(held) = held {
            held.keep_in_memory(ledger.keyring());
        }
        let load = || PolicySet::load_trusted(ledger.charter().policies.clone());
        let policies = match held {
            Some(held) => held.policies(ledger.charter().policies.digest(), load)?,
            None => Arc::new(load()?),
        };
        let offline = offline(context, &self.repo, &ledger, &policies)?;
        let mut desk = Desk {
            context,
            identity: &self.identity,
            ledger,
            policies,
            offline,
            conflicts: Conflicts::default(),
            breaks_glass: false,
            told: RefCell::default(),
        };
        if minding {
            desk.conflicts = desk.own_conflicts()?;
        }
        for Quarantined { log, fork, why } in desk.ledger.quarantined() {
            let what = match fork {
                false => format!("log {log} is set aside, and what it recorded is not shown: {why}"),
                true => format!("another history that was kept of log {log} does not count: {why}"),
            };
            context.person.warn(&format!("{what}; run `strongroom audit verify`"));
        }
        if desk.ledger.mark_was_missing() {
            context.person.warn("this device remembered nothing of its log, so a vault put back from a copy would not be noticed; it remembers from now on");
        }
        desk.finish_interrupted();
        if !context.access.told.replace(true) {
            desk.tell_new_devices();
            desk.tell_broken_glass();
            desk.tell_loans();
        }
        desk.renew_detail_key()?;
        desk.enter_failed_unlocks(&context.places.vault_state(&self.identity.vault()))?;
        Ok(desk)
    }
}

/// What is said where this device's log turns out to have two histories, and it goes on in a new one.
pub(super) fn two_histories(new: LogName) -> String {
    format!(
        "this device's log has two histories: the vault was put back from a backup and written to, while another \
         clone held what had been written before. Both are kept and nothing is lost; this device goes on in a \
         new log, {new}. `strongroom audit verify` calls it tampering (case 43) until a lead has looked at both and \
         says so with `strongroom member rejoin`. If no backup was put back, somebody else has this device's key: tell a lead"
    )
}

/// Where accesses are decided and recorded: an unlocked vault with its lock held.
pub(super) struct Desk<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) identity: &'a Identity,
    pub(super) ledger: Ledger<'a>,
    pub(super) policies: Arc<PolicySet>,
    /// How long this copy of the vault is without the others.
    pub(super) offline: Offline,
    /// What the person has declared to stay out of.
    pub(super) conflicts: Conflicts,
    /// Whether they open a note that their clearance does not cover, in an emergency.
    pub(super) breaks_glass: bool,
    /// What they were told of that does not open.
    pub(super) told: RefCell<BTreeSet<FileRef>>,
}

impl Desk<'_> {
    /// Makes this device's next detail key where that is due. Where it cannot be kept, as where somebody filled the branch that it
    /// belongs to, work goes on under the one before: nobody is to be kept from theirs, and from setting it right.
    fn renew_detail_key(&mut self) -> Result<(), Error> {
        let now = self.context.now();
        if !self.ledger.detail_key_is_due(now) {
            return Ok(());
        }
        match self.ledger.renew_detail_key(now, &mut SystemEntropy) {
            Ok(_) => Ok(()),
            // Whether that is there is for the next start to say.
            Err(error) if error.may_have_happened() => Err(error.into()),
            Err(error) => {
                self.context.person.warn(&format!(
                    "the key for the details of what this device records is due to be made anew, and cannot be: {error}. It \
                     goes on under the one before; tell a lead"
                ));
                Ok(())
            }
        }
    }

    pub(super) fn gate(&self) -> Gate<'_> {
        Gate::new(self.identity, self.ledger.keyring()).minding(&self.conflicts)
    }

    pub(super) fn clearance(&self) -> Clearance {
        let card = self.ledger.charter().roster.member(self.identity.person());
        let cleared = card.map(|card| match self.breaks_glass {
            true => card.emergency_clearance(self.context.now()),
            false => card.clearance(self.context.now()),
        });
        cleared.unwrap_or(Clearance {
            person: self.identity.person(),
            level: Level::Public,
            compartments: Default::default(),
        })
    }

    fn actor(&self) -> ActorFacts {
        let card = self.ledger.charter().roster.member(self.identity.person());
        let role = |role: &crate::chain::Role| match role {
            crate::chain::Role::Auditor => Role::AUDITOR,
            crate::chain::Role::BreakGlass => Role::BREAKGLASS,
            crate::chain::Role::Lead => Role::LEAD,
            crate::chain::Role::Officer => Role::OFFICER,
        };
        ActorFacts {
            person: self.identity.person(),
            roles: card
                .map(|card| card.roles.iter().map(role).collect())
                .unwrap_or_default(),
            clearance: self.clearance(),
            paused: card.is_some_and(|card| card.paused),
            ended: card.is_some_and(|card| card.has_ended(self.context.now())),
        }
    }

    /// Asks the policies. Where nothing but a purpose or a reason is missing that the person did not give, the person is
    /// asked for it once, and it is decided again with the answers. [`Desk::record`] enters them.
    pub(super) fn decide(&mut self, action: Action, resource: ResourceFacts) -> Decision {
        self.decide_seconded(action, resource, (0, 0))
    }

    /// The same of what so many other people have approved, and so many leads among them.
    pub(super) fn decide_seconded(
        &mut self,
        action: Action,
        resource: ResourceFacts,
        (approvals, leads): (u32, u32),
    ) -> Decision {
        let reason = self.context.access.reason();
        let mut request = self.request(action, resource, reason.as_deref());
        (request.approvals, request.lead_approvals) = (approvals, leads);
        let decision = self.policies.decide(&request);
        let context = self.context;
        let lack = match &decision {
            Decision::Denied(denial) if context.person.answers() => self.policies.lacks(&request, denial),
            _ => None,
        };
        let Some(lack) = lack else {
            return decision;
        };
        if !self.ledger.aside(PATIENCE, || context.ask_for(&lack)) {
            return decision;
        }
        let reason = context.access.reason();
        let mut request = self.request(action, request.resource, reason.as_deref());
        (request.approvals, request.lead_approvals) = (approvals, leads);
        self.policies.decide(&request)
    }

    /// What is put to the policies when this person asks for something.
    pub(super) fn request<'r>(&self, action: Action, resource: ResourceFacts, reason: Option<&'r str>) -> Request<'r> {
        // Who could be the second: members who may decide about notes.
        let now = self.context.now();
        let decides = |card: &&Card| {
            let role = card
                .roles
                .iter()
                .any(|role| matches!(role, CardRole::Officer | CardRole::Lead));
            role && !card.is_removed() && !card.has_ended(now)
        };
        let people = self.ledger.charter().roster.members().filter(decides).count();
        Request {
            action,
            actor: self.actor(),
            resource,
            purpose: self.context.access.purpose(),
            reason,
            now: self.context.now().unix(),
            offline: self.offline,
            approvals: 0,
            lead_approvals: 0,
            people: u32::try_from(people).unwrap_or(u32::MAX),
        }
    }

    /// Details of this access, with the reasons the person gave.
    pub(super) fn details(&self, verb: &str) -> Details {
        let mut details = Details::new(verb);
        details.purpose = self.context.access.purpose().map(short);
        details.reason = self.context.access.reason().map(short);
        details
    }

    /// Enters an access, durable, with what the person said when they were asked why.
    pub(super) fn record(&mut self, draft: Draft) -> Result<Recorded, Error> {
        Ok(self.enter(draft)?)
    }

    /// Enters a text that a person wrote: the note, the number of the revision, its digest when sealed. An error tells
    /// whether it is recorded all the same, so that nobody records it twice.
    pub(super) fn record_text(
        &mut self,
        (note, revision, body): (NoteId, u64, Digest),
        draft: Draft,
    ) -> Result<Recorded, Error> {
        self.enter(draft).map_err(|error| {
            let (has, may) = (error.has_happened(), error.may_have_happened());
            let mut said = Error::from(error);
            let id = &note.to_string()[..8];
            match (has, may) {
                (true, _) => {
                    said.in_log = InLog::Yes;
                    said.hint(format!("what you wrote is recorded, as revision {revision} of note {id}: do not record it again"))
                }
                (false, true) => {
                    said.in_log = InLog::Maybe(body);
                    said.hint(format!(
                        "it may be recorded all the same: look before you record it again; if `strongroom history {id}` shows revision {revision}, it is"
                    ))
                }
                (false, false) => said.hint("nothing was recorded"),
            }
        })
    }

    /// The same for whoever has words of their own for what the ledger refuses.
    pub(super) fn enter(&mut self, mut draft: Draft) -> Result<Recorded, LedgerError> {
        self.say_why(&mut draft);
        self.ledger.record(draft, self.context.now(), &mut SystemEntropy)
    }

    /// Adds the purpose and the reason that were given since, on being asked.
    fn say_why(&self, draft: &mut Draft) {
        if self.context.access.asked() && draft.kind != Some(EntryKind::UnlockFailed) {
            let given = self.details("");
            draft.details.purpose = draft.details.purpose.take().or(given.purpose);
            draft.details.reason = draft.details.reason.take().or(given.reason);
        }
    }

    /// Enters several changes, in as few durable steps as may be; how many there were.
    pub(super) fn record_all(&mut self, mut drafts: Vec<Draft>) -> Result<usize, Error> {
        drafts.iter_mut().for_each(|draft| self.say_why(draft));
        let now = self.context.now();
        Ok(self.ledger.record_together(drafts, now, &mut SystemEntropy)?.len())
    }

    /// Enters a denial and gives the words for it.
    pub(super) fn denied(
        &mut self,
        denial: &Denial,
        kind: Option<EntryKind>,
        mut details: Details,
        notes: Vec<NoteId>,
        asked: &str,
    ) -> Result<Error, Error> {
        details.rules = denial
            .rules()
            .iter()
            .cloned()
            .chain(denial.why().iter().map(|why| why.code().to_owned()))
            .collect();
        details.asked = Some(short(asked.to_owned()));
        let _ = self.record(Draft::without_effect(kind, Outcome::Denied, details, notes))?;
        Ok(match denial.public_words() {
            None => Error::no_such_note(asked),
            Some(words) => {
                let mut words = words.into_iter();
                let first = words
                    .next()
                    .unwrap_or_else(|| "no rule of this vault permits it".into());
                words.fold(Error::new(Kind::Denied, format!("denied: {first}")), Error::hint)
            }
        })
    }

    /// Enters that something was asked for that is not there, or not for this person.
    pub(super) fn not_there(&mut self, mut details: Details, asked: &str) -> Result<Error, Error> {
        details.asked = Some(short(asked.to_owned()));
        let _ = self.record(Draft::without_effect(None, Outcome::Denied, details, Vec::new()))?;
        Ok(Error::no_such_note(asked))
    }

    /// Enters an attempt that was refused for want of a clearance, and gives the refusal back; wrong usage is no attempt.
    pub(super) fn refused(
        &mut self,
        verb: &str,
        kind: Option<EntryKind>,
        asked: Option<&str>,
        error: Error,
    ) -> Result<Error, Error> {
        if error.kind == Kind::Denied {
            let mut details = self.details(verb);
            details.asked = asked.map(|asked| short(asked.to_owned()));
            let _ = self.record(Draft::without_effect(kind, Outcome::Denied, details, Vec::new()))?;
        }
        Ok(error)
    }

    /// Enters that something could not be opened, then gives the error back. If even that cannot be entered, the
    /// first error counts: nothing was shown.
    pub(super) fn failed(&mut self, details: Details, notes: Vec<NoteId>, error: impl Into<Error>) -> Error {
        let _ = self.record(Draft::without_effect(None, Outcome::Failed, details, notes));
        error.into()
    }

    /// What this vault calls a level.
    pub(super) fn level_name(&self, level: Level) -> String {
        self.policies.levels().rules(level).name.clone()
    }

    /// What this vault calls all levels, the widest circle first.
    pub(super) fn level_names(&self) -> String {
        let names = Level::ALL.map(|level| self.level_name(level));
        names.join(", ")
    }

    /// The label's text, with the names this vault uses. They are made harmless here, for all who show them: what a compartment
    /// is called stands in key boxes, and somebody with another program seals these.
    pub(super) fn label_text(&self, label: &Label) -> LabelText {
        let level = &self.policies.levels().rules(label.level()).name;
        let roster = &self.ledger.charter().roster;
        let handle = |person| {
            roster
                .member(person)
                .map_or_else(|| format!("{person}"), |card| card.handle.clone())
        };
        let LabelText {
            level,
            compartments,
            people,
        } = self.gate().label_text(label, level, handle);
        let each = |names: Vec<String>| names.iter().map(|name| shown_name(name)).collect();
        LabelText {
            level: shown_name(&level),
            compartments: each(compartments),
            people: each(people),
        }
    }

    fn enter_failed_unlocks(&mut self, state: &Path) -> Result<(), Error> {
        let Some(failures) = FailedUnlocks::take(state)? else {
            return Ok(());
        };
        let mut details = Details::new("unlock");
        details.times = failures.times.clone();
        details.asked = failures
            .unreadable
            .then(|| "a record of failed unlocks could not be read".to_owned());
        let draft = Draft {
            kind: Some(EntryKind::UnlockFailed),
            result: Outcome::Failed,
            details,
            notes: Vec::new(),
            changes: Changes::default(),
            because: None,
            matter: None,
            held: Vec::new(),
        };
        let _ = self.record(draft)?;
        failures.entered()
    }
}

/// Refuses what was made for another vault than this, before a passphrase is asked for. Where the vault does not say
/// which it is, the ledger finds out what is wrong.
pub(super) fn other_vault(what: &str, made_for: VaultId, repo: &Repo) -> Result<(), Error> {
    match crate::ledger::vault_id(repo) {
        Ok(vault) if vault != made_for => Err(Error::new(
            Kind::Failed,
            format!("this {what} belongs to another vault: it is for {made_for}, and here is {vault}"),
        )
        .hint("name the right ones with --vault and --identity")),
        _ => Ok(()),
    }
}

/// Text of an entry's details is bounded, so that the entry always fits.
pub(super) fn short(text: String) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHORT_MAX).collect()
}

/// What a person says for the record stands there as they said it, or not at all.
fn check_reason(reason: &str) -> Result<(), Error> {
    let length = reason.chars().count();
    if length > SHORT_MAX {
        let words = format!("the reason has {length} characters, and may have {SHORT_MAX}; nothing was done");
        return Err(Error::new(Kind::Usage, words).hint("say it in fewer words, or write a note and name that"));
    }
    match reason.chars().any(char::is_control) {
        true => Err(Error::new(
            Kind::Usage,
            "the reason holds a line end, a tab or another control character; nothing was done",
        )
        .hint("write it on one line")),
        false => Ok(()),
    }
}

fn first_line(bytes: &[u8]) -> Result<Passphrase, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::new(Kind::Failed, "the passphrase is not UTF-8 text"))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(Error::new(
            Kind::Locked,
            "the passphrase is empty: its file or command gave nothing",
        ));
    }
    Ok(Passphrase::new(line.to_owned()))
}

fn run(command: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = |error| Error::new(Kind::Failed, format!("the passphrase command cannot be run: {error}"));
    let mut child = std::process::Command::new("sh")
        .args(["-c", command])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::inherit())
        .spawn()
        .map_err(failed)?;
    // With room for all of it from the start, nothing of it is left where it grew.
    let mut printed = Zeroizing::new(Vec::with_capacity(PASSPHRASE_MAX as usize + 64));
    if let Some(out) = child.stdout.take() {
        // What prints on and on finds nobody reading.
        out.take(PASSPHRASE_MAX + 1).read_to_end(&mut printed).map_err(failed)?;
    }
    let status = child.wait().map_err(failed)?;
    if printed.len() as u64 > PASSPHRASE_MAX {
        let words = format!("the passphrase command prints more than {PASSPHRASE_MAX} bytes");
        return Err(Error::new(Kind::Locked, words));
    }
    match status.success() {
        true => Ok(printed),
        false => Err(Error::new(
            Kind::Locked,
            format!("the passphrase command failed ({status})"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_entered_whole_or_refused() {
        let given = |reason: &str| Access::given(None, Some(reason.to_owned()));
        let longest = "é".repeat(SHORT_MAX);
        assert_eq!(given(&longest).unwrap().reason(), Some(short(longest)));
        let long = given(&"é".repeat(SHORT_MAX + 1)).err().unwrap();
        assert_eq!(long.kind, Kind::Usage);
        assert!(long.message.contains("501 characters, and may have 500"), "{long}");
        for bad in ["gate\ncall-out", "gate\tcall-out", "gate\u{1b}[2J", "gate\u{85}"] {
            assert_eq!(given(bad).err().unwrap().kind, Kind::Usage, "{bad:?}");
        }
    }
}
