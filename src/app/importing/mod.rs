//! Import: notes out of another store, each an entry of its own. What would be done is looked at first; what is there already is
//! recognised, so that an import that was broken off is gone on with by giving it again; also while the first still goes on.
//!
//! The source is read, never written. Its texts are in memory alone, and only until they are sealed.

mod beside;
mod gather;
mod there;
mod writing;

use super::context::Context;
use super::error::{Error, Kind};
use crate::transfer::{Columns, Rules};
use gather::Source;
use std::collections::BTreeMap;
use std::path::PathBuf;
use there::Recognised;

/// The largest file of rules, in bytes.
const RULES_MAX: usize = 256 << 10;

/// What notes are taken from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SourceKind {
    /// A store of pass: files that gpg opens.
    Pass,
    /// A store of passage: files that age opens.
    Passage,
    /// A folder of Markdown or plain text.
    Folder,
    /// A table, a note a row.
    Csv,
}

impl SourceKind {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Passage => "passage",
            Self::Folder => "folder",
            Self::Csv => "csv",
        }
    }
}

/// What to import, and as what.
#[derive(Default)]
pub struct ImportQuery {
    /// Where it is.
    pub source: PathBuf,
    /// What it is; guessed where that is plain.
    pub kind: Option<SourceKind>,
    /// A file of rules: its name, and what it says.
    pub rules: Option<(String, Vec<u8>)>,
    /// Which columns hold what.
    pub columns: Vec<(String, String)>,
    /// Label of what no rule gives one.
    pub label: Option<String>,
    /// Client of what is given no other.
    pub client: Option<String>,
    /// Case of what is given no other.
    pub case: Option<String>,
    /// Template of what is given no other.
    pub template: Option<String>,
    /// Take the labels that front matter or a column of that name gives.
    pub labels_within: bool,
    /// The identities that age opens files with.
    pub age_identity: Option<PathBuf>,
    /// Attach other files to the notes that name them.
    pub attach: bool,
    /// Take what has the text of another note too.
    pub keep_duplicates: bool,
    /// Record what changed in the source as new revisions.
    pub update: bool,
}

/// Something that is left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeftOut {
    /// Its path in the source.
    pub path: String,
    /// Why.
    pub why: String,
    /// It should have become a note, and cannot.
    pub is_fault: bool,
}

/// What an import would do.
#[derive(Default)]
pub struct ImportPlan {
    /// The source, in full.
    pub source: String,
    /// What it is.
    pub kind: &'static str,
    /// How many notes are new.
    pub new: usize,
    /// How many bytes of text they have.
    pub bytes: u64,
    /// How many of them there are by label, client and case.
    pub labels: BTreeMap<String, usize>,
    /// By client; those without one are left out.
    pub clients: BTreeMap<String, usize>,
    /// By case.
    pub cases: BTreeMap<String, usize>,
    /// How many files are attached.
    pub attachments: usize,
    /// Which of the new ones may be notes that were imported from another place, and changed since.
    pub moved: Vec<LeftOut>,
    /// How many are there already, as they are in the source.
    pub there: usize,
    /// Which changed in the source since, and become new revisions.
    pub updates: Vec<String>,
    /// Which changed in the source since, and stay as they are here.
    pub changed: Vec<LeftOut>,
    /// What has the text of another: its path, and of what.
    pub duplicates: Vec<LeftOut>,
    /// What else is left out.
    pub skipped: Vec<LeftOut>,
    /// Columns that nothing is taken from.
    pub columns_left: Vec<String>,
    /// How many of the new ones the source gives a label that is not taken.
    pub labels_left: usize,
    /// How many texts lie in the source in clear.
    pub in_clear: usize,
}

impl ImportPlan {
    /// Whether there is anything to do.
    pub fn is_empty(&self) -> bool {
        self.new == 0 && self.updates.is_empty() && self.attachments == 0
    }

    /// How many should have become notes, and cannot.
    pub fn faults(&self) -> usize {
        self.skipped.iter().filter(|left| left.is_fault).count()
    }
}

/// What an import did.
pub struct Imported {
    /// What was planned.
    pub plan: ImportPlan,
    /// Whether the person wanted it.
    pub done: bool,
    /// How many notes were recorded.
    pub written: usize,
    /// How many were revised.
    pub updated: usize,
    /// How many files were attached.
    pub attached: usize,
}

/// Asks whether a plan shall be carried out.
pub type AskImport<'a> = &'a mut dyn FnMut(&ImportPlan) -> Result<bool, Error>;

/// Imports. What is there already is read under one entry; then `ask` sees the plan; then every note is an entry.
pub fn import(context: &Context<'_>, query: &ImportQuery, ask: AskImport<'_>) -> Result<Imported, Error> {
    let rules = read_rules(query)?;
    let columns = read_columns(query, &rules)?;
    let source = Source::open(context, query)?;
    let unlocked = context.unlock()?;
    let recognised = Recognised::by(&unlocked.identity, source.kind.name(), &source.whole);
    let gathered = source.gather(context, query, &rules, &columns, &recognised)?;
    let mut planned = {
        let mut desk = unlocked.desk(context)?;
        let mut there = desk.there(&recognised)?;
        desk.plan(query, &source, gathered, &mut there, &recognised)?
    };
    if planned.plan.is_empty() || !ask(&planned.plan)? {
        return Ok(Imported {
            done: planned.plan.is_empty(),
            plan: planned.plan,
            written: 0,
            updated: 0,
            attached: 0,
        });
    }
    let written = planned.write(context, &unlocked, &recognised)?;
    let updated = planned.update(context, &unlocked, &recognised)?;
    let attached = planned.attach(context, &unlocked, &source)?;
    context.person.progress(None, None);
    Ok(Imported {
        done: true,
        plan: planned.plan,
        written,
        updated,
        attached,
    })
}

fn read_rules(query: &ImportQuery) -> Result<Rules, Error> {
    let Some((name, bytes)) = &query.rules else {
        return Ok(Rules::default());
    };
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    let bad = |words: String| Error::new(Kind::Usage, format!("`{name}`, {words}")).hint("nothing was imported");
    if bytes.len() > RULES_MAX {
        return Err(bad("as a file of rules, is too large".into()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| bad("as a file of rules, is not UTF-8 text".into()))?;
    Rules::parse(text).map_err(|wrong| bad(wrong.to_string()))
}

fn read_columns(query: &ImportQuery, rules: &Rules) -> Result<Columns, Error> {
    let mut columns = Columns::default();
    for (what, column) in &query.columns {
        columns.set(what, column).map_err(|bad| Error::new(Kind::Usage, bad))?;
    }
    Ok(columns.or(rules.columns()))
}
