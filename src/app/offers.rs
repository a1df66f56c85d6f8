//! What a shell may offer while a command is typed. It is no access: nothing is entered, no text is opened, and what
//! comes out is what lies in the vault in clear, and ids that a list would show the same person.

use super::answers::VERBS;
use super::context::{Context, Desk, Unlocked, Whose};
use super::error::Error;
use crate::chain::Roster;
use crate::env::Places;
use crate::gate::{Conflicts, Filter, Nature, TEXTS};
use crate::ledger::{Ledger, read_charter};
use crate::policy::{Action, Decision, Offline, PolicyFiles, PolicySet};
use crate::repo::{Repo, Settings};
use std::collections::HashSet;
use std::time::Duration;

/// How long the vault's lock is waited for: who waits for an offer types on. A build with debug assertions is slower.
const SOON: Duration = Duration::from_millis(if cfg!(debug_assertions) { 10_000 } else { 20 });

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
/// purpose would show them. Only where an identity is held unlocked; whoever else is writing is not waited for.
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
    };
    desk.conflicts = desk.own_conflicts()?;
    let filter = Filter {
        natures: which.natures(),
        ..Filter::default()
    };
    let survey = desk
        .gate()
        .scan_beginning(typed, &desk.ledger, &desk.clearance(), &filter)?;
    let mut permitted = HashSet::new();
    for class in survey.classes() {
        let request = desk.request(Action::List, class.facts(), None);
        if let Decision::Permitted(_) = desk.policies.decide(&request) {
            permitted.extend(class.notes);
        }
    }
    Ok(survey.beginnings(&permitted, typed.len()))
}
