//! The log: verify, take a receipt, read one's own.

use super::context::{Context, short};
use super::error::{Error, Kind};
use super::proofs::read_witness_key;
use crate::chain::{Details, Entry, NoteSet, Outcome, Receipt};
use crate::env::{check_new_file, read_bounded, write_new_private};
use crate::id::{KeyId, NoteId};
use crate::label::{Label, Level};
use crate::ledger::{Accepted, Anchors, Beside, Draft, HighWater, Report, make_receipt, verify_beside};
use crate::policy::{Action, Decision, Kind as ThingKind, ResourceFacts};
use crate::repo::{OpenError, Repo, Settings};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The largest receipt that is read, in bytes.
const RECEIPT_MAX: u64 = 1 << 20;

/// Verifies the log and what it says exists. Needs no identity and writes nothing.
pub fn verify(
    context: &Context<'_>,
    receipt: Option<&Path>,
    witness_keys: &[PathBuf],
    against: Option<&Path>,
    deep: bool,
) -> Result<Report, Error> {
    let repo = Repo::open_to_verify(&context.places.vault(), Settings::of_this_run())?.with_packs();
    let receipt = receipt.map(open_receipt).transpose()?;
    let witnesses: Vec<_> = witness_keys
        .iter()
        .map(|path| read_witness_key(path))
        .collect::<Result<_, _>>()?;
    let mark = local_mark(context, &repo)?;
    let anchors = Anchors {
        receipt: receipt.as_ref(),
        high_water: mark.as_ref(),
        witnesses: &witnesses,
        now: context.now(),
        deep,
    };
    let accepted = match mark.as_ref().map(|mark| mark.vault) {
        Some(vault) => Accepted::read_unauthenticated(&context.places.state(&vault))?,
        None => None,
    };
    let clone = against.map(open_clone).transpose()?;
    let name = against.map(clone_name).unwrap_or_default();
    let beside = Beside {
        clone: clone.as_ref().map(|clone| (clone, name.as_str())),
        accepted: accepted.as_ref(),
    };
    Ok(verify_beside(&repo, &anchors, &beside)?)
}

/// Another clone, to be read alone.
fn open_clone(path: &Path) -> Result<Repo, Error> {
    Repo::open_to_verify(path, Settings::of_this_run()).map_err(|error| match error {
        OpenError::Missing(_) => Error::new(Kind::Failed, format!("there is no clone at `{}`", path.display()))
            .hint("name the folder of another clone of this vault"),
        error => error.into(),
    })
}

/// What a clone on this machine is called from one time to the next: its full path.
pub(super) fn clone_name(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    full.display().to_string()
}

/// Reads a receipt.
pub(super) fn open_receipt(path: &Path) -> Result<Receipt, Error> {
    Ok(Receipt::parse(&read_bounded(path, RECEIPT_MAX)?)?)
}

/// This device's high-water mark for the vault, if there is one here.
pub(super) fn local_mark(context: &Context<'_>, repo: &Repo) -> Result<Option<HighWater>, Error> {
    // The vault's own word for its id is enough to find the mark: the mark says itself which vault it is for.
    match crate::ledger::vault_id(repo) {
        Ok(vault) => {
            Ok(HighWater::read_unauthenticated(&context.places.state(&vault))?.filter(|mark| mark.vault == vault))
        }
        Err(_) => Ok(None),
    }
}

/// Takes a receipt of an intact vault, to a file or as text. Needs no identity.
pub fn receipt(context: &Context<'_>, out: Option<&Path>) -> Result<String, Error> {
    out.map(check_new_file).transpose()?;
    let repo = Repo::open_to_verify(&context.places.vault(), Settings::of_this_run())?.with_packs();
    let text = make_receipt(&repo, local_mark(context, &repo)?.as_ref(), context.now())?.to_text();
    if let Some(path) = out {
        write_new_private(path, text.as_bytes())?;
    }
    Ok(text)
}

/// An entry as its reader may have it.
pub struct LogLine {
    /// The entry.
    pub entry: Entry,
    /// Who, by handle.
    pub actor: String,
    /// Its details, if they open for this reader.
    pub details: Option<Details>,
    /// The notes concerned, if the details opened.
    pub notes: Vec<NoteId>,
    /// The highest level concerned, as the vault calls it now.
    pub level: Option<String>,
}

/// The person's own entries, oldest first. Reading them is an entry too, the last of them.
pub fn log(context: &Context<'_>) -> Result<Vec<LogLine>, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    let mut details = desk.details("audit log");
    let public = Label::new(Level::Public, []).map_err(|bad| Error::new(Kind::Failed, bad.to_string()))?;
    let mut facts = ResourceFacts::new(ThingKind::Log, public);
    facts.own = true;
    match desk.decide(Action::AuditLog, facts) {
        Decision::Denied(denial) => return Err(desk.denied(&denial, None, details, Vec::new(), "audit log")?),
        Decision::Permitted(permission) => details.rules = permission.rules().to_vec(),
    }
    details.asked = Some(short("own entries".into()));
    let recorded = desk.record(Draft::read(details, Vec::new()))?;
    let mut entries = Vec::new();
    desk.ledger
        .own_lines(&mut |line| entries.extend(Entry::parse(line).ok().map(|parsed| parsed.entry)))?;
    let mut keys = BTreeMap::new();
    let lines = entries.into_iter().map(|entry| {
        let key = keys
            .entry(entry.detail)
            .or_insert_with_key(|id: &KeyId| desk.ledger.detail_key(*id));
        let details = key
            .as_ref()
            .and_then(|key| desk.ledger.open_details(&entry, key, &recorded));
        let notes = match details.as_ref().map(|details| &details.notes) {
            Some(NoteSet::Ids(ids)) => ids.clone(),
            Some(NoteSet::Bitmaps(maps)) => maps
                .iter()
                .flat_map(|(log, map)| map.iter().filter_map(|index| desk.ledger.created(*log, index)))
                .collect(),
            None => Vec::new(),
        };
        LogLine {
            actor: desk.handle(entry.actor),
            level: details
                .as_ref()
                .and_then(|details| details.level)
                .map(|level| desk.level_name(level)),
            entry,
            details,
            notes,
        }
    });
    Ok(lines.collect())
}

impl LogLine {
    /// The entry in a word: `show`, `add`, or `sealed` if its details do not open.
    pub fn verb(&self) -> &str {
        self.details.as_ref().map_or("sealed", |details| &details.verb)
    }

    /// `done`, `denied` or `failed`.
    pub fn result(&self) -> &'static str {
        match self.entry.result {
            Outcome::Done => "done",
            Outcome::Denied => "denied",
            Outcome::Failed => "failed",
        }
    }

    /// The entry as JSON, with its details in the place of `sealed`'s content where they opened.
    pub fn to_json(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(&self.entry).unwrap_or_default();
        value["entry"] = self.entry.place().to_string().into();
        value["handle"] = self.actor.clone().into();
        if let Some(details) = &self.details {
            value["details"] = serde_json::json!({
                "verb": details.verb,
                "level": self.level,
                "purpose": details.purpose,
                "reason": details.reason,
                "client": details.client,
                "recipients": details.recipients,
                "rules": details.rules,
                "notes": self.notes.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "asked": details.asked,
                "left": details.left.map(|digest| digest.to_string()),
                "times": details.times,
            });
        }
        value
    }
}
