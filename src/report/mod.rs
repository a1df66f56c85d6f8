//! The auditor's report (docs/FORMAT.md §9.1): what it is made of as data, what follows from that, how it looks, and
//! reading one back. Pure: whoever opens the log's entries hands in what they say.

mod counted;
mod figures;
mod html;
mod page;
#[cfg(test)]
pub(crate) mod tests;

pub use counted::{CountedPage, Series, percent, render_counted, value_in_words};
pub use figures::opens;
pub use page::{BadReport, REPORT_MAX, read, render};

use crate::chain::{INTEGER_END, Kind, Outcome, Time};
use crate::crypto::sha256;
use crate::id::{Digest, EntryRef, LogName, NoteId, PersonId, VaultId};
use serde::{Deserialize, Serialize};

/// The most entries that a report is made of.
pub const ROWS_MAX: usize = 20_000;
/// How a report looks. Raised with every change to what is rendered, so that an older report is not taken for an
/// altered one.
pub const LOOK: u32 = 2;

/// What a report is made of. It stands in the report as one line of canonical JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// Version, 1.
    pub v: u8,
    /// How it looks: [`LOOK`].
    pub look: u32,
    /// The vault.
    pub vault: VaultId,
    /// When it was made.
    pub made: Time,
    /// By whom.
    pub by: String,
    /// The entry under which the log was read for it.
    pub entry: EntryRef,
    /// Only entries at or after.
    pub since: Option<Time>,
    /// Only entries before.
    pub until: Option<Time>,
    /// The hours, UTC, that count as working hours: from, and before.
    pub hours: (u8, u8),
    /// What the levels are called.
    pub levels: Vec<String>,
    /// What the verifier found.
    pub verified: Verified,
    /// The logs it was made of, sorted.
    pub logs: Vec<LogAt>,
    /// The entries, in the order in which the log is read.
    pub rows: Vec<Row>,
}

/// What the verifier found, and what it was given.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    /// The verdict.
    pub verdict: Verdict,
    /// The receipt it was compared with.
    pub receipt: Option<ReceiptAt>,
    /// Whether it was compared with what this device remembered.
    pub device: bool,
    /// The witnesses who were believed, and when each cosigned last.
    pub witnesses: Vec<(String, Time)>,
    /// Digest of the founder's card.
    pub founder: Digest,
    /// Digest of the newest card.
    pub roster: Digest,
    /// What is wrong.
    pub problems: Vec<String>,
    /// What is worth a look.
    pub findings: Vec<String>,
}

/// What the verifier says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing is wrong, as far as the anchors reach.
    Intact,
    /// Something was changed that nobody may change.
    Tampered,
    /// Something needed to judge could not be read.
    Unknown,
}

impl Verdict {
    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Intact => "intact",
            Self::Tampered => "tampered",
            Self::Unknown => "unknown",
        }
    }
}

impl Verified {
    /// What the log was held against, in words.
    pub fn held_against(&self) -> Vec<String> {
        let receipt = self.receipt.iter();
        let receipt = receipt.map(|receipt| format!("a receipt of {}", receipt.time));
        let device = self.device.then(|| "what its maker's device remembered".to_owned());
        let witnesses = self.witnesses.iter().map(|(name, _)| format!("the witness {name}"));
        receipt.chain(device).chain(witnesses).collect()
    }
}

/// A receipt: when it was taken, and the SHA-256 of its file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptAt {
    /// When it was taken.
    pub time: Time,
    /// SHA-256 of its file.
    pub digest: Digest,
}

/// A log as far as the report knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogAt {
    /// Its name.
    pub log: LogName,
    /// How many entries it had.
    pub size: u64,
    /// The root of its tree.
    pub root: Digest,
}

/// An entry, as far as its details opened for whoever made the report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Its place.
    pub at: EntryRef,
    /// When, by the device's word.
    pub time: Time,
    /// Who, by id.
    pub actor: PersonId,
    /// Who, by handle.
    pub who: String,
    /// How it ended.
    pub result: Outcome,
    /// What changed; none for a read.
    pub kind: Option<Kind>,
    /// What was done; none if the details did not open, and then nothing below is known.
    pub verb: Option<String>,
    /// The highest level concerned.
    pub level: Option<u8>,
    /// What for.
    pub purpose: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Whom it concerned.
    pub clients: Vec<String>,
    /// To whom something went.
    pub recipients: Vec<String>,
    /// What was asked for, as it was typed.
    pub asked: Option<String>,
    /// Rules that decided.
    pub rules: Vec<String>,
    /// How many notes it concerned.
    pub notes: u64,
    /// The note, if it was one; of a release the brief.
    pub about: Option<NoteId>,
    /// Digest of what left.
    pub left: Option<Digest>,
}

impl Basis {
    /// Its line.
    fn to_line(&self) -> Vec<u8> {
        let mut fields = serde_json::to_value(self).unwrap_or_default();
        fields.sort_all_objects();
        crate::chain::to_line(&fields)
    }

    /// The digest of its line: what somebody puts their name under.
    pub fn digest(&self) -> Digest {
        sha256(&[&self.to_line()])
    }

    /// Reads the line of a basis. Whether it is in its one spelling shows when it is rendered.
    pub fn parse(line: &str) -> Option<Self> {
        let basis: Self = serde_json::from_str(line).ok()?;
        let exact = basis
            .logs
            .iter()
            .map(|log| log.size)
            .chain(basis.rows.iter().map(|row| row.notes));
        let exact = exact.chain(basis.rows.iter().map(|row| row.at.seq));
        let exact = exact.chain([basis.entry.seq]);
        exact.into_iter().all(|number| number < INTEGER_END).then_some(basis)
    }

    /// Whether it holds together: every row of a log that it knows, in order; the entry it was made under the last of its log,
    /// since the logs were read at once; and a verdict that fits what is wrong.
    fn is_sound(&self) -> bool {
        let known = |at: EntryRef| {
            let log = self.logs.binary_search_by_key(&at.log, |known| known.log);
            log.is_ok_and(|index| at.seq < self.logs[index].size)
        };
        let mut places: Vec<EntryRef> = self.rows.iter().map(|row| row.at).collect();
        places.sort_unstable();
        self.v == 1
            && self.levels.len() == 5
            && self.hours.0 < 24
            && self.hours.1 <= 24
            && self.rows.len() <= ROWS_MAX
            && self.logs.is_sorted_by(|a, b| a.log < b.log)
            && places.is_sorted_by(|a, b| a < b)
            && places.into_iter().all(known)
            && self
                .logs
                .iter()
                .any(|known| known.log == self.entry.log && known.size == self.entry.seq + 1)
            && (self.verified.verdict == Verdict::Intact) == self.verified.problems.is_empty()
            && self.rows.iter().all(|row| row.level.is_none_or(|level| level < 5))
    }
}

impl Row {
    /// Whether somebody saw something of notes by it, or wanted to: everything but changes that were made.
    pub(crate) fn is_sight(&self) -> bool {
        self.result != Outcome::Done || matches!(self.kind, None | Some(Kind::Draft | Kind::Release | Kind::BreakGlass))
    }
}
