//! What a shell may offer while a command is typed. It is no access: nothing is entered, no text is opened, and what
//! comes out is what lies in the vault in clear, and ids that a list would show the same person.

use super::answers::VERBS;
use super::context::{Context, Desk, Unlocked, Whose};
use super::error::Error;
use crate::chain::Roster;
use crate::env::Places;
use crate::gate::{Conflicts, Filter, Nature, Survey, TEXTS};
use crate::id::NoteId;
use crate::ledger::{Ledger, read_charter};
use crate::policy::{Action, Decision, Offline, PolicyFiles, PolicySet};
use crate::repo::{Repo, Settings};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

/// How long the vault's lock is waited for: who waits for an offer types on. A build with debug assertions is slower.
const SOON: Duration = Duration::from_millis(if cfg!(debug_assertions) { 10_000 } else { 20 });

/// How many notes of each log are offered where nothing was typed.
const NEWEST: usize = 40;
/// How many of each log are looked at together.
const AT_ONCE: usize = 64;
/// How much of an id is offered, in characters, where no other begins so.
const SHORT: usize = 8;

/// What a vault says in clear.
#[derive(Default)]
pub struct InClear {
    /// Its levels, the widest circle first.
    pub levels: Vec<String>,
    /// Codes of its purposes.
    pub purposes: Vec<String>,
    /// Handles of its members.
    pub handles: Vec<String>,
    /// Names of its redaction profiles.
    pub profiles: Vec<String>,
    /// Names of its templates.
    pub templates: Vec<String>,
    /// Files of its policies.
    pub files: Vec<String>,
}

/// Reads what a vault says in clear; needs no key.
pub fn read_in_clear(places: &Places) -> Result<InClear, Error> {
    let charter = read_charter(&Repo::open(&places.vault(), Settings::of_this_run())?, None)?;
    let handles = handles(&charter.roster);
    let set = PolicySet::load_trusted(charter.policies)?;
    Ok(InClear {
        levels: crate::label::Level::ALL
            .map(|level| set.levels().rules(level).name.clone())
            .to_vec(),
        purposes: set.purposes().iter().map(|purpose| purpose.code.clone()).collect(),
        handles,
        profiles: names_in("redaction/", set.files()),
        templates: names_in("templates/", set.files()),
        files: set.files().iter().map(|(path, _)| path.to_owned()).collect(),
    })
}

fn handles(roster: &Roster) -> Vec<String> {
    let members = roster.members().filter(|card| !card.is_removed());
    sorted(members.map(|card| card.handle.clone()))
}

/// What the files of a folder are called.
fn names_in(folder: &str, files: &PolicyFiles) -> Vec<String> {
    let names = files.iter();
    let names = names.filter_map(|(path, _)| path.strip_prefix(folder)?.strip_suffix(".toml"));
    sorted(names.map(str::to_owned))
}

fn sorted(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// What the actions are called that a rule may be asked about.
pub fn action_names() -> Vec<String> {
    Action::ALL.iter().map(|action| action.name().to_owned()).collect()
}

/// What the log calls the commands that make entries.
pub fn verb_names() -> Vec<String> {
    VERBS.iter().map(|verb| (*verb).to_owned()).collect()
}

/// Which things ids are offered of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offered {
    /// Notes.
    Notes,
    /// Drafts of briefs.
    Drafts,
    /// Notes, drafts and briefs.
    Texts,
}

impl Offered {
    fn natures(self) -> Vec<Nature> {
        match self {
            Self::Notes => vec![Nature::Note],
            Self::Drafts => vec![Nature::Draft],
            Self::Texts => TEXTS.to_vec(),
        }
    }
}

/// The beginnings of ids, unique among what this person may read, that begin with `typed`: of what a list without a
/// purpose would show them, and where nothing is typed of what was written last. Only where an identity is held unlocked;
/// whoever else is writing is not waited for.
pub fn offer_ids(context: &Context<'_>, which: Offered, typed: &str) -> Result<Vec<String>, Error> {
    let Some(held) = context.held else {
        return Ok(Vec::new());
    };
    let unlocked = Unlocked {
        repo: context.repo()?,
        state: context
            .places
            .state(&held.identity().vault(), &held.identity().device()),
        identity: Whose::Held(held),
    };
    let memory = Some(held.memory());
    let ledger = Ledger::start(&unlocked.repo, &unlocked.identity, &unlocked.state, SOON, memory)?;
    if ledger.is_forked() {
        return Ok(Vec::new());
    }
    let load = || PolicySet::load_trusted(ledger.charter().policies.clone());
    let policies = held.policies(ledger.charter().policies.digest(), load)?;
    let mut desk = Desk {
        context,
        identity: &unlocked.identity,
        ledger,
        policies,
        // What is offered is no opening.
        offline: Offline::Never,
        conflicts: Conflicts::default(),
        breaks_glass: false,
        told: std::cell::RefCell::default(),
    };
    desk.conflicts = desk.own_conflicts()?;
    let filter = Filter {
        natures: which.natures(),
        ..Filter::default()
    };
    if typed.is_empty() {
        return desk.newest(&filter);
    }
    let survey = desk
        .gate()
        .scan_beginning(typed, &desk.ledger, &desk.clearance(), &filter)?;
    let listed = desk.listed(&survey);
    Ok(survey.beginnings(&listed, typed.len()))
}

impl Desk<'_> {
    /// The notes of a survey that a list without a purpose would show.
    fn listed(&self, survey: &Survey) -> HashSet<NoteId> {
        let mut listed = HashSet::new();
        for class in survey.classes() {
            let request = self.request(Action::List, class.facts(), None);
            if let Decision::Permitted(_) = self.policies.decide(&request) {
                listed.extend(class.notes);
            }
        }
        listed
    }

    /// Where nothing was typed yet: of each log what was written last, [`NEWEST`] notes of those that a list would show.
    /// Counted are these alone, so that what one may not read changes nothing.
    fn newest(&self, filter: &Filter) -> Result<Vec<String>, Error> {
        let logs = self.ledger.last_written();
        let mut left: Vec<(&[NoteId], usize)> = logs.iter().map(|notes| (notes.as_slice(), NEWEST)).collect();
        let mut newest = BTreeSet::new();
        while !left.is_empty() {
            let these = left.iter().flat_map(|(notes, _)| notes.iter().take(AT_ONCE)).copied();
            let these: HashSet<NoteId> = these.collect();
            let survey = self
                .gate()
                .scan_these(&these, &self.ledger, &self.clearance(), filter)?;
            let listed = self.listed(&survey);
            for (notes, wanted) in &mut left {
                let (now, later) = notes.split_at(notes.len().min(AT_ONCE));
                let found: Vec<NoteId> = now
                    .iter()
                    .filter(|note| listed.contains(note))
                    .take(*wanted)
                    .copied()
                    .collect();
                (*notes, *wanted) = (later, *wanted - found.len());
                newest.extend(found);
            }
            left.retain(|(notes, wanted)| !notes.is_empty() && *wanted > 0);
        }
        let short = |note: NoteId| note.to_string()[..SHORT].to_owned();
        let all: HashSet<NoteId> = logs.iter().flatten().copied().collect();
        let mut begin: HashMap<String, usize> = HashMap::new();
        all.into_iter()
            .for_each(|note| *begin.entry(short(note)).or_default() += 1);
        // Where two begin the same it matters whether both may be read.
        let unique = |note: NoteId| begin.get(&short(note)) == Some(&1) || self.find(&short(note)).is_ok();
        let beginning = |note| if unique(note) { short(note) } else { note.to_string() };
        Ok(newest.into_iter().map(beginning).collect())
    }
}
