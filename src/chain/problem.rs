//! What a verifier reports.

use crate::id::LogName;

/// A case of the numbered list of things a verifier must catch (docs/THREATS.md, "What the verifier catches").
pub type Case = u8;

/// Something that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The log concerned, if one is.
    pub log: Option<LogName>,
    /// The first entry concerned.
    pub seq: Option<u64>,
    /// Its number.
    pub case: Case,
    /// What happened, in words.
    pub message: String,
}

impl Problem {
    /// A problem of a log at an entry.
    pub fn at(log: LogName, seq: u64, case: Case, message: impl Into<String>) -> Self {
        Self {
            log: Some(log),
            seq: Some(seq),
            case,
            message: message.into(),
        }
    }

    /// A problem of a log as a whole.
    pub fn of(log: LogName, case: Case, message: impl Into<String>) -> Self {
        Self {
            log: Some(log),
            seq: None,
            case,
            message: message.into(),
        }
    }

    /// A problem of the vault.
    pub fn vault(case: Case, message: impl Into<String>) -> Self {
        Self {
            log: None,
            seq: None,
            case,
            message: message.into(),
        }
    }
}
