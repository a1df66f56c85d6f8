//! Many entries in one durable step: each has its line, checkpoint and commit, as if it had been entered alone; the files that
//! they write come into their branches together.

use super::append::{After, Assembly, Changes, Draft};
use super::error::LedgerError;
use super::objects::{HEADS, Objects, TREE_MAX, audit_ref};
use super::start::Ledger;
use crate::chain::{BUNDLE_LEN, Checkpoint, Entry, Kind, Message, Outcome, Time, leaf_hash};
use crate::crypto::Entropy;
use crate::id::EntryRef;
use crate::repo::{Batch, Kind as ObjectKind, RefChange};
use std::collections::BTreeSet;

/// The most entries in one step, the most bytes that they write, and the most that the folders have which they change: they have
/// room in the journal. The folders grow with the vault, by some 125 bytes for each file in it over their number.
const ENTRIES_MAX: usize = 64;
const BYTES_MAX: usize = 1 << 20;
const FOLDERS_MAX: usize = 2 << 20;

impl Ledger<'_> {
    /// Enters new notes, durable and committed to git when this returns; where they stand, in order. As many as may be are
    /// made durable at once: after a crash all of these are there, or none. When it returns an error, those of earlier steps
    /// are there.
    pub fn record_together(
        &mut self,
        drafts: Vec<Draft>,
        now: Time,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<EntryRef>, LedgerError> {
        let mut places = Vec::with_capacity(drafts.len());
        let mut drafts = drafts.into_iter().peekable();
        while let Some(first) = drafts.next() {
            let size = self.standing.frontier.size();
            // The entry that closes a bundle reads those before it out of git.
            let room = usize::try_from(BUNDLE_LEN - 1 - size % BUNDLE_LEN).unwrap_or_default();
            let mut bytes = written(&first).unwrap_or(BYTES_MAX);
            let mut changed = BTreeSet::new();
            let mut folders = written(&first).map_or(Ok(0), |_| self.changed_by(&first, &mut changed))?;
            let mut group = vec![first];
            while let Some((draft, more)) = drafts.peek().and_then(|draft| Some((draft, written(draft)?))) {
                if bytes + more > BYTES_MAX || group.len() >= room.min(ENTRIES_MAX) {
                    break;
                }
                folders = folders.saturating_add(self.changed_by(draft, &mut changed)?);
                if folders > FOLDERS_MAX {
                    break;
                }
                bytes += more;
                group.extend(drafts.next());
            }
            match group.len() {
                1 => {
                    for draft in group {
                        places.push(self.record(draft, now, entropy)?.entry());
                    }
                }
                _ => places.extend(self.append_together(group, now, entropy)?),
            }
        }
        Ok(places)
    }

    /// How many bytes the folders have that a draft changes, but for those of branches that are `changed` already.
    fn changed_by(&self, draft: &Draft, changed: &mut BTreeSet<String>) -> Result<usize, LedgerError> {
        let mut bytes = 0;
        for branch in draft.changes.branches() {
            let head = self.repo.ref_target(&format!("{HEADS}{branch}"))?;
            if let Some(head) = head.filter(|_| changed.insert(branch)) {
                let tree = self.repo.commit_at(head)?.tree;
                let folder = self.repo.read_object(tree, ObjectKind::Tree, TREE_MAX)?;
                bytes += folder.bytes.len();
            }
        }
        Ok(bytes)
    }

    fn append_together(
        &mut self,
        mut drafts: Vec<Draft>,
        now: Time,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<EntryRef>, LedgerError> {
        if self.lapsed {
            return Err(LedgerError::Lapsed);
        }
        if self.is_forked() {
            return Err(LedgerError::Forked);
        }
        drafts.iter().try_for_each(|draft| self.check_matter(draft, now))?;
        self.settled = false;
        let (log, charter) = (self.standing.log, &self.standing.charter);
        let (policies, roster, vault) = (charter.policies.digest(), charter.roster.digest(), charter.vault);
        let mut seen = self.seen_since();
        let mut frontier = self.standing.frontier.clone();
        let mut leaf = self.standing.last_leaf;
        let (mut entries, mut messages) = (Vec::new(), Vec::new());
        let mut changes = Changes::default();
        for draft in &mut drafts {
            draft.notes.sort_unstable();
            draft.notes.dedup();
            let after = After {
                place: EntryRef {
                    log,
                    seq: frontier.size(),
                },
                prev: leaf,
                policies,
                roster,
                seen: std::mem::take(&mut seen),
            };
            let entry = self.compose(draft, after, now, entropy)?;
            changes.join(std::mem::take(&mut draft.changes));
            let line = entry.to_line()?;
            leaf = leaf_hash(&line);
            frontier.push(leaf);
            let checkpoint = self.identity.sign_checkpoint(Checkpoint {
                vault,
                log,
                size: frontier.size(),
                root: frontier.root(),
            });
            messages.push(Message {
                line,
                checkpoint,
                frontier: frontier.clone(),
            });
            entries.push(entry);
        }
        let mut assembly = Assembly {
            repo: self.repo,
            identity: self.identity,
            time: now,
            objects: Vec::new(),
            refs: Vec::new(),
        };
        assembly.branches(&changes)?;
        let mut head = self.standing.head;
        for message in &messages {
            let text =
                String::from_utf8(message.to_bytes()).map_err(|_| LedgerError::Internal("an entry is not text"))?;
            head = assembly.signed_commit(self.standing.tree, &[head], &text)?;
        }
        // The log's own branch goes before all others.
        let own = RefChange {
            name: format!("{HEADS}{}", audit_ref(log)),
            old: Some(self.standing.head),
            new: Some(head),
        };
        assembly.refs.insert(0, own);
        let places: Vec<EntryRef> = entries.iter().map(Entry::place).collect();
        let batch = Batch {
            objects: assembly.objects,
            refs: assembly.refs,
            note: places
                .last()
                .map(|place| place.to_string().into_bytes())
                .unwrap_or_default(),
        };
        let durable = self.repo.commit(&self.lock, &batch)?;
        let _ = durable.record();
        self.standing.head = head;
        self.standing.newest = self.standing.newest.max(now);
        self.standing.last_leaf = leaf;
        self.standing.frontier = frontier;
        for entry in &entries {
            self.standing.live.apply(entry);
            self.standing.creations.apply(entry);
            let seen = entry.seen.iter().map(|(log, at)| (*log, *at));
            self.standing.seen.extend(seen);
        }
        self.keep_mark()?;
        self.settled = true;
        Ok(places)
    }
}

/// How many bytes a draft writes, if it may be entered together with others: it records a note, and nothing else.
fn written(draft: &Draft) -> Option<usize> {
    let plain = draft.kind == Some(Kind::Add) && draft.result == Outcome::Done && draft.because.is_none();
    draft
        .changes
        .bytes_of_notes()
        .filter(|_| plain && draft.matter.is_none())
}
