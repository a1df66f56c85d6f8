//! The way back in: with a recovery key on one page, or in shares.

use super::compartments::roster_facts;
use super::context::{Context, Desk, Unlocked, Whose, other_vault, short};
use super::error::{Error, Kind};
use super::sync::{follow_first, keep_together};
use super::vault::{Inited, new_passphrase};
use crate::chain::{Card, Device, DeviceKind, FileRef, Kind as EntryKind, Role, Time};
use crate::crypto::{Argon2Params, make_random, sha256};
use crate::env::{SystemEntropy, read_bounded, write_new_private};
use crate::envelope::{
    BadShares, BadWrap, IdentityFile, IdentitySecrets, KeyShare, ROW, ROWS, RecoveryKey, ShareSet, WrapFile,
    combine_recovery_key, split_recovery_key,
};
use crate::id::{DeviceId, EntryRef, Incarnation, LogName, NoteId, PersonId, VaultId};
use crate::ledger::{Changes, Charter, Draft, FILES_PER_ENTRY, MAIN, Rejoin, read_charter, rejoin, wrap_ref};
use crate::policy::{Action, Decision};
use crate::repo::{JournalError, RecoverError, Repo};
use crate::session::{Identity, PaperDevice};
use std::io::Write;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The largest page, in bytes.
const PAGE_MAX: u64 = 64 * 1024;

/// Makes a new identity on this device for the owner of a recovery key: the key admits the device, and its log begins.
///
/// The key's word carries the beginning of the founder pin, so that a copy of the vault is not trusted about itself.
pub fn recover(context: &Context<'_>, page: &Path, insist: bool) -> Result<Inited, Error> {
    no_identity_yet(context)?;
    let page = read_page(page)?;
    let key = RecoveryKey::find(&page)?;
    let named = after_word(&page, "vault");
    come_back(context, insist, "recovery key", named, |_, _| Ok((key, None)))
}

/// The same with the key in shares: of each a page, or what the person types if none is named.
///
/// A share names its set by a digest that the founder is part of, with the same end.
pub fn combine(context: &Context<'_>, pages: &[PathBuf], insist: bool) -> Result<Inited, Error> {
    no_identity_yet(context)?;
    let mut named = None;
    let mut shares = Vec::new();
    for path in pages {
        let page = read_page(path)?;
        let bad = |error| Error::new(Kind::Failed, format!("`{}`: {error}", path.display()));
        shares.push((KeyShare::find(&page).map_err(bad)?, format!("`{}`", path.display())));
        named = named.or(after_word(&page, "vault"));
    }
    if pages.is_empty() {
        shares = typed_shares(context)?;
    }
    let (shares, names): (Vec<KeyShare>, Vec<String>) = shares.into_iter().unzip();
    come_back(context, insist, "recovery share", named, |repo, charter| {
        let sets = charter.share_sets(repo)?;
        let founder = charter.roster.founder();
        let (key, device) = combine_recovery_key(&sets, founder, &shares).map_err(|bad| bad_shares(bad, &names))?;
        Ok((key, Some(device)))
    })
}

/// What is wrong with shares, each called as the person knows it.
fn bad_shares(bad: BadShares, names: &[String]) -> Error {
    let name = |at: usize| names.get(at).map_or("", String::as_str);
    let failed = |message: String| Error::new(Kind::Failed, format!("{message}; nothing was opened"));
    match bad {
        BadShares::Foreign(at) => failed(format!("{} is a share of no key of this vault", name(at)))
            .hint("it is another vault's, or this copy of the vault is from before the key was split: get a later one"),
        BadShares::Mixed(at) => failed(format!(
            "{} is a share of another key than {}: the key was split more than once",
            name(at),
            name(0)
        ))
        .hint("take pages that were made on one day"),
        BadShares::Wrong(at) => failed(format!(
            "{} is not the share that was made: somebody has changed it, or made it up",
            name(at)
        ))
        .hint("take another share in its place, and find out who had this one"),
        BadShares::Twice(first, at) => {
            failed(format!("{} is the same share as {}", name(at), name(first))).hint("each share counts once")
        }
        BadShares::TooFew(have, need) => failed(format!("{have} of the {need} shares that are needed are here"))
            .hint("fewer tell nothing about the key: get the others"),
    }
}

/// Shares as they are typed, row by row, until there are enough: what was mistyped is asked for again at once.
fn typed_shares(context: &Context<'_>) -> Result<Vec<(KeyShare, String)>, Error> {
    let none = || {
        Error::new(Kind::Usage, "no share was given")
            .hint("name the files of the pages, as many as are needed, or type the words at a terminal")
    };
    if !context.person.answers() {
        return Err(none());
    }
    let mut shares: Vec<(KeyShare, String)> = Vec::new();
    while shares
        .first()
        .is_none_or(|(first, _)| shares.len() < usize::from(first.need()))
    {
        let name = format!("share {}", shares.len() + 1);
        let mut words = Zeroizing::new(String::with_capacity(1024));
        for row in 1..=ROWS {
            let typed = typed_row(context, &format!("{name}, row {row} of {ROWS}: ")).ok_or_else(none)?;
            words.push_str(&typed);
            words.push(' ');
        }
        match KeyShare::find(&words) {
            Ok(share) => shares.push((share, name)),
            Err(bad) => context.person.warn(&format!("{bad}; the share again")),
        }
    }
    Ok(shares)
}

fn typed_row(context: &Context<'_>, prompt: &str) -> Option<Zeroizing<String>> {
    loop {
        let row = Zeroizing::new(context.person.line(prompt)?);
        match (row.split_whitespace().count(), KeyShare::unknown_word(&row)) {
            (0, _) => return None,
            (_, Some(at)) => context
                .person
                .warn(&format!("word {} is none of the list; the row again", at + 1)),
            (ROW, None) => return Some(row),
            (count, None) => context
                .person
                .warn(&format!("a row has {ROW} words, and these are {count}; the row again")),
        }
    }
}

fn no_identity_yet(context: &Context<'_>) -> Result<(), Error> {
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
    Ok(())
}

fn read_page(path: &Path) -> Result<Zeroizing<String>, Error> {
    let bytes = Zeroizing::new(read_bounded(path, PAGE_MAX)?);
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| Error::new(Kind::Failed, format!("the page `{}` is not text", path.display())))?;
    Ok(Zeroizing::new(text.to_owned()))
}

/// Comes back in with the key that `find` gives for the vault as it stands, and with the device that it has to be, if that
/// is known.
fn come_back(
    context: &Context<'_>,
    insist: bool,
    what: &str,
    named: Option<VaultId>,
    find: impl FnOnce(&Repo, &Charter) -> Result<(RecoveryKey, Option<DeviceId>), Error>,
) -> Result<Inited, Error> {
    let identity_path = context.places.identity();
    let repo = context.repo()?;
    context.warn_of_scarcity();
    if let Some(vault) = named {
        other_vault(what, vault, &repo)?;
    }
    let (device, mut secrets) = catch_up_first(context)?;
    let lock = context.patiently(|patience| Ok(repo.lock(patience)?))?;
    // A clone comes without a journal; whoever comes back in on a new computer has nothing but a clone.
    match repo.recover(&lock) {
        Err(RecoverError::Journal(JournalError::Missing)) => repo.make_journal(&lock).map_err(RecoverError::from),
        recovered => recovered.map(drop),
    }
    .map_err(crate::ledger::LedgerError::from)?;
    repo.recover(&lock).map_err(crate::ledger::LedgerError::from)?;
    let charter = read_charter(&repo, None)?;
    let (key, expected) = find(&repo, &charter)?;
    let paper = PaperDevice::new(&key);
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
        let is = own.kind == DeviceKind::Paper && expected.is_none_or(|device| device == own.device);
        is.then_some((card, own.device))
    });
    let (old, paper_device) = owner.ok_or_else(|| nobodys(&charter, &paper))?;
    may_come_back(old, context.now())?;
    let passphrase = new_passphrase(context, &old.handle, insist)?;
    let entropy = &mut SystemEntropy;
    (secrets.person, secrets.handle) = (old.person, old.handle.clone());
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
    drop(lock);
    let inited = Inited {
        vault: charter.vault,
        path: context.places.vault(),
        identity: identity_path,
        handle: old.handle.clone(),
        fingerprint: charter.roster.founder(),
        recovery: None,
    };
    let recipient = identity.recipient();
    let unlocked = Unlocked {
        repo,
        identity: Whose::Own(Box::new(identity), Box::default()),
        state,
    };
    let handed = unlocked.desk_of_newcomer(context).and_then(|mut desk| {
        desk.hand_on(&|note, wrap| paper.hand_on(inited.vault, note, wrap, &recipient, &mut SystemEntropy))
    });
    if let Err(error) = handed {
        // The person is back in; this does not undo it.
        context.person.warn(&format!(
            "what was written to you by name does not all open on this device: {error}"
        ));
    }
    Ok(inited)
}

/// What is said of a key that no card in force has: whoever was removed is told so.
fn nobodys(charter: &Charter, paper: &PaperDevice) -> Error {
    let has = |card: &&Card| {
        card.devices
            .iter()
            .any(|own| own.sign_key() == Some(paper.public_key()))
    };
    let once = charter.roster.cards().iter().rev().find(has);
    match once.and_then(|card| charter.roster.member(card.person)) {
        Some(card) if card.is_removed() => refused("you are no member of this vault any more")
            .hint("a lead has to admit you anew: `strongroom member request` asks for it"),
        _ => Error::new(Kind::Failed, "this recovery key belongs to nobody in this vault"),
    }
}

/// Refuses whom no card of their own key's could bring back: a recovery key admits a device in its owner's name, and only who is
/// a lead may admit. Read of the roster as it stands once all that the remotes have has come.
fn may_come_back(card: &Card, now: Time) -> Result<(), Error> {
    let handle = &card.handle;
    Err(match card {
        Card { paused: true, .. } => refused("your membership is paused").hint(format!(
            "a lead has to resume it (`strongroom member resume {handle}`); then this key is as good as before"
        )),
        card if card.has_ended(now) => refused("your membership is over, as it was agreed").hint(format!(
            "a lead has to give it a later end (`strongroom member grant {handle} --until TIME`); then this key is as good as \
             before"
        )),
        card if !card.roles.contains(&Role::Lead) => refused("you are no lead any more").hint(format!(
            "a lead has to admit this device: `strongroom member request` asks for it, and the lead adds `--device-of {handle}`"
        )),
        _ => return Ok(()),
    })
}

fn refused(why: &str) -> Error {
    Error::new(
        Kind::Denied,
        format!("denied: {why}, so you may admit no device at present; nothing was changed"),
    )
}

/// Makes what a new device is, and takes with it what the remotes have that this clone does not. Whose it is comes later:
/// that may follow from what comes.
fn catch_up_first(context: &Context<'_>) -> Result<(DeviceId, IdentitySecrets), Error> {
    let entropy = &mut SystemEntropy;
    let device = DeviceId(make_random(entropy)?);
    let repo = context.repo()?;
    let charter = read_charter(&repo, None)?;
    let (vault, founder) = (charter.vault, charter.roster.founder());
    let nobody = PersonId(make_random(entropy)?);
    let secrets = IdentitySecrets::make(nobody, "nobody".to_owned(), founder, entropy)?;
    let unlocked = Unlocked {
        repo,
        identity: Whose::Own(
            Box::new(Identity::from_secrets(vault, device, &secrets)),
            Box::default(),
        ),
        state: context.places.state(&vault, &device),
    };
    follow_first(context, &unlocked)?;
    Ok((device, secrets))
}

/// What splitting a recovery key came to.
pub struct SplitKey {
    /// The device that the key is.
    pub device: DeviceId,
    /// The pages, in the order of the shares.
    pub pages: Vec<PathBuf>,
    /// The entry.
    pub entry: EntryRef,
}

/// Makes a recovery key that stands on no page whole: `of` pages in a folder, of which `need` bring its owner back in.
pub fn split_recovery(context: &Context<'_>, need: u8, of: u8, folder: &Path) -> Result<SplitKey, Error> {
    let pages: Vec<PathBuf> = (1..=of)
        .map(|n| folder.join(format!("share-{n}-of-{of}.txt")))
        .collect();
    let unlocked = context.unlock()?;
    keep_together(context, &unlocked)?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("recovery split");
    details.asked = Some(short(format!("{need} of {of}")));
    match desk.decide(Action::MemberAdmit, roster_facts()?) {
        Decision::Denied(denial) => {
            return Err(desk.denied(&denial, Some(EntryKind::Card), details, Vec::new(), "recovery split")?);
        }
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    // Whether they can be written has to show before the key exists.
    for page in &pages {
        drop(context.person.create(page)?);
    }
    let entropy = &mut SystemEntropy;
    let founder = desk.ledger.charter().roster.founder();
    let (vault, device) = (desk.identity.vault(), DeviceId(make_random(entropy)?));
    let (key, set, shares) = split_recovery_key((vault, device, founder), need, of, entropy)?.ok_or_else(|| {
        Error::new(
            Kind::Usage,
            format!("a key cannot be split so that {need} of {of} shares are needed; nothing was changed"),
        )
        .hint("at least 2 are needed, of at most 16")
    })?;
    let paper = PaperDevice::new(&key);
    let recipient = paper.recipient();
    let new = Device::new(device, DeviceKind::Paper, &recipient, paper.public_key());
    let mut card = desk.next_card(desk.identity.person())?;
    card.devices.push(new.clone());
    card.devices.sort_by_key(|device| device.device);
    let mut changes = desk.ledger.card_changes(&card)?;
    changes.write(MAIN, ShareSet::path(device), set.to_bytes());
    let mut alone = card;
    alone.devices = vec![new];
    desk.ledger
        .give_keys(&alone, desk.ledger.keyring(), &mut changes, entropy)?;
    let recorded = desk.record(Draft::change(EntryKind::Card, details, Vec::new(), changes))?;
    let identity = desk.identity;
    for (share, path) in shares.iter().zip(&pages) {
        write_page(context, path, &share_page(vault, share, context.now())).map_err(|error| {
            error.hint("the shares of this splitting are not all written: destroy those that are, and split again")
        })?;
    }
    // Last: where it cannot all be done, the shares are of use all the same.
    let handed = desk.hand_on(&|note, wrap| identity.hand_on(note, wrap, &recipient, &mut SystemEntropy));
    if let Err(error) = handed {
        context.person.warn(&format!(
            "what was written to you by name will not all open with these shares: {error}"
        ));
    }
    Ok(SplitKey {
        device,
        pages,
        entry: recorded.entry(),
    })
}

fn write_page(context: &Context<'_>, path: &Path, text: &str) -> Result<(), Error> {
    let mut new = context.person.create(path)?;
    let failed = |error| Error::new(Kind::Failed, format!("cannot write `{}`: {error}", path.display()));
    new.file().write_all(text.as_bytes()).map_err(failed)?;
    new.keep()
}

/// A page to print. It says whose it is to nobody.
fn share_page(vault: VaultId, share: &KeyShare, now: Time) -> Zeroizing<String> {
    let (number, need, of) = (share.number(), share.need(), share.of());
    let made = now.to_string();
    let (day, words) = (made.get(..10).unwrap_or(&made), share.to_text());
    let mut page = Zeroizing::new(String::with_capacity(4096));
    page.push_str(&format!(
        "STRONGROOM RECOVERY SHARE {number} OF {of}\n\n\
         Any {need} of these {of} pages together open the vault; fewer tell nothing about it.\n\
         Print this page, give it to somebody who keeps it in a safe place apart from the\n\
         others, and delete the file.\n\n\
         vault    {vault}\n\
         made     {day}\n\
         share    {number} of {of}, {need} are needed\n\n"
    ));
    page.push_str(&words);
    page.push_str(&format!(
        "\nWhen {need} people have brought their pages together at a new computer, with a copy of\n\
         the vault on it, they run\n\n\
         \u{20}   strongroom recovery combine --vault VAULT\n\n\
         and type the words, or name the files of the pages after `combine`.\n\
         Nobody needs the words for anything else: show them to nobody who asks.\n"
    ));
    page
}

/// Gives the wrap that a device more opens; none where whoever hands on does not open it.
pub(super) type Handing<'h> = &'h dyn Fn(NoteId, &WrapFile) -> Result<Option<WrapFile>, BadWrap>;

impl Desk<'_> {
    /// What goes to one of the person's devices by name, for another one too: `hand` gives the new wraps, and the old ones
    /// are forgotten.
    pub(super) fn hand_on(&mut self, hand: Handing<'_>) -> Result<(), Error> {
        let mut all = Vec::new();
        let mut full = 0;
        let mut wraps = self.ledger.wraps("")?;
        wraps.retain(|(note, _)| !self.ledger.is_destroyed(*note));
        for (note, wrap) in wraps {
            match hand(note, &wrap) {
                Ok(new) => all.extend(new.map(|new| (note, wrap.to_bytes(), new.to_bytes()))),
                Err(BadWrap::TooManyRecipients) => full += 1,
                Err(error) => return Err(crate::gate::GateError::from(error).into()),
            }
        }
        for some in all.chunks(FILES_PER_ENTRY / 2) {
            let mut changes = Changes::default();
            for (note, old, new) in some {
                let (branch, digest) = (wrap_ref(*note), sha256(&[old]));
                changes.forget(FileRef(branch.clone(), format!("{note}.{digest}"), digest));
                changes.write_digested(branch, note, new.clone());
            }
            let notes = some.iter().map(|(note, _, _)| *note).collect();
            let _ = self.record(Draft::change(EntryKind::Key, self.details("rewrap"), notes, changes))?;
        }
        if !all.is_empty() {
            self.finish_forgetting()?;
        }
        match full {
            0 => Ok(()),
            n => Err(Error::new(
                Kind::Failed,
                format!("{n} of the notes and attachments that go to people by name have room for no further device"),
            )
            .hint("give them another label and then theirs again, on a device that opens them")),
        }
    }
}

/// What the page carries beside the key: the vault's id after the word `vault`, the founder pin after `founder`.
fn after_word<T: std::str::FromStr>(page: &str, name: &str) -> Option<T> {
    let pairs = page.split_whitespace().zip(page.split_whitespace().skip(1));
    pairs
        .filter(|(word, _)| *word == name)
        .find_map(|(_, next)| next.parse().ok())
}
