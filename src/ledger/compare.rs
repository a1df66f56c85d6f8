//! Comparing a vault with what somebody wrote down of it: sizes and roots of its logs, and what their entries say in clear.

use super::charter::RawCharter;
use super::error::LedgerError;
use super::objects::MAIN;
use super::verify::{Anchors, Report, examine};
use super::verify_log::each_line;
use crate::chain::{Entry, Frontier, Roster, leaf_hash};
use crate::id::{Digest, LogName};
use crate::policy::PolicyFiles;
use crate::repo::Repo;

/// How a vault compares with it.
pub struct Compared {
    /// What the verifier says of the vault.
    pub report: Report,
    /// Logs that had another root at that size.
    pub differing: Vec<LogName>,
    /// Logs that are shorter, or not there.
    pub lacking: Vec<LogName>,
    /// The members' cards, as far as they hold.
    pub roster: Option<Roster>,
    /// The policies in force.
    pub policies: Option<PolicyFiles>,
}

/// Verifies the vault against `anchors`, compares its logs with `heads`, and calls `visit` with every entry up to them.
/// Writes nothing and takes no lock.
pub fn compare(
    repo: &Repo,
    anchors: &Anchors<'_>,
    heads: &[(LogName, u64, Digest)],
    visit: &mut dyn FnMut(&Entry),
) -> Result<Compared, LedgerError> {
    let examined = examine(repo, anchors)?;
    let (mut differing, mut lacking) = (Vec::new(), Vec::new());
    for (log, size, root) in heads {
        let Some(found) = examined.found.get(log).filter(|found| found.size >= *size) else {
            lacking.push(*log);
            continue;
        };
        let mut frontier = Frontier::default();
        each_line(&examined.view, &found.layout, &mut |line| {
            if frontier.size() < *size {
                frontier.push(leaf_hash(line));
                if let Ok(parsed) = Entry::parse(line) {
                    visit(&parsed.entry);
                }
            }
        });
        if (frontier.size(), frontier.root()) != (*size, *root) {
            differing.push(*log);
        }
    }
    let main = examined.view.branches.get(MAIN);
    // What cannot be read is among the report's problems.
    let charter = main.and_then(|main| RawCharter::read(&examined.view, *main).ok());
    Ok(Compared {
        report: examined.report,
        differing,
        lacking,
        roster: examined.facts.roster,
        policies: charter.and_then(|charter| charter.policies().ok()),
    })
}
