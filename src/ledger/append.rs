//! Appending: one entry, one commit, one journal record.

use super::charter::Charter;
use super::error::LedgerError;
use super::found::{make_detail_key, recipients};
use super::high_water::HighWater;
use super::objects::{HEADS, MAIN, Objects, audit_ref};
use super::scan::{Head, tail};
use super::start::{Ledger, live_of_all, scan_fault};
use crate::chain::{
    BUNDLE_LEN, Checkpoint, Details, Entry, FileRef, Kind, Matter, Message, Namespace, NoteSet, Outcome, Time,
    bundle_path, leaf_hash, note_of, write_bundle,
};
use crate::crypto::{Entropy, sha256};
use crate::id::{DeviceId, Digest, EntryRef, LogName, NoteId, PersonId, VaultId};
use crate::repo::{Batch, EditError, Object, Oid, ReadError, RefChange, Repo, StoredBlob, TreeEdit, commit_bytes};
use crate::session::Identity;
use std::collections::BTreeMap;

/// Author of commits that are nobody's word: shards, whose content the logs judge.
pub(super) const NOBODY: &str = "strongroom <strongroom@localhost>";

/// A detail key serves this many days.
const DETAIL_KEY_DAYS: i64 = 31;

/// How many files one entry names at most, so that it stays below its 64 KiB whatever else it says.
pub const FILES_PER_ENTRY: usize = 200;

/// Author and committer of a commit that a member's device signs.
pub(super) fn author_line(handle: &str, person: PersonId, vault: VaultId, time: Time) -> String {
    format!("{handle} <{person}@{vault}> {} +0000", time.unix().max(0))
}

/// Files to write and to forget, by branch.
#[derive(Default)]
pub struct Changes {
    writes: Vec<(FileRef, Content)>,
    forgets: Vec<FileRef>,
    /// Where `main` goes back to, whose files are what it then holds.
    main: Option<Oid>,
}

/// What a file holds.
enum Content {
    /// These bytes, which go through the journal.
    Bytes(Vec<u8>),
    /// A blob that is durable already.
    Stored(Oid),
}

impl Changes {
    /// Writes a file: the branch without `refs/heads/`, the path, the bytes. Returns its digest.
    pub fn write(&mut self, branch: impl Into<String>, path: impl Into<String>, bytes: Vec<u8>) -> Digest {
        let digest = sha256(&[&bytes]);
        let file = FileRef(branch.into(), path.into(), digest);
        self.writes.push((file, Content::Bytes(bytes)));
        digest
    }

    /// Writes a file named after its digest: `<stem>.<digest>`.
    pub fn write_digested(
        &mut self,
        branch: impl Into<String>,
        stem: impl std::fmt::Display,
        bytes: Vec<u8>,
    ) -> Digest {
        let digest = sha256(&[&bytes]);
        let file = FileRef(branch.into(), format!("{stem}.{digest}"), digest);
        self.writes.push((file, Content::Bytes(bytes)));
        digest
    }

    /// The same for a blob of that digest which is durable as an object of its own. From here on it is the entry's.
    pub fn write_stored(
        &mut self,
        branch: impl Into<String>,
        stem: impl std::fmt::Display,
        digest: Digest,
        blob: StoredBlob,
    ) {
        let file = FileRef(branch.into(), format!("{stem}.{digest}"), digest);
        self.writes.push((file, Content::Stored(blob.keep())));
    }

    /// Forgets a file.
    pub fn forget(&mut self, file: FileRef) {
        self.forgets.push(file);
    }

    /// With these changes `main` is what it was at an earlier commit, and stands there.
    pub(super) fn go_back(&mut self, main: Oid) {
        self.main = Some(main);
    }

    pub(super) fn wrote(&self) -> Vec<FileRef> {
        let mut files: Vec<FileRef> = self.writes.iter().map(|(file, _)| file.clone()).collect();
        files.sort();
        files
    }

    pub(super) fn forgot(&self) -> Vec<FileRef> {
        let mut files = self.forgets.clone();
        files.sort();
        files
    }

    /// Paths and bytes written to a branch, but for blobs that are stored already.
    pub(super) fn written_to<'b>(&'b self, branch: &'b str) -> impl Iterator<Item = (&'b str, &'b [u8])> {
        self.writes_to(branch).filter_map(|(path, content)| match content {
            Content::Bytes(bytes) => Some((path, bytes.as_slice())),
            Content::Stored(_) => None,
        })
    }

    fn writes_to<'b>(&'b self, branch: &'b str) -> impl Iterator<Item = (&'b str, &'b Content)> {
        let of = move |(file, _): &&(FileRef, Content)| file.0 == branch;
        self.writes
            .iter()
            .filter(of)
            .map(|(file, content)| (file.1.as_str(), content))
    }

    /// Files forgotten from a branch.
    pub(super) fn forgotten_of<'b>(&'b self, branch: &'b str) -> impl Iterator<Item = &'b FileRef> {
        self.forgets.iter().filter(move |file| file.0 == branch)
    }

    /// How many bytes it writes, where it does nothing but write files of notes through the journal.
    pub(super) fn bytes_of_notes(&self) -> Option<usize> {
        let bytes = |(file, content): &(FileRef, Content)| match content {
            Content::Bytes(bytes) if file.0 != MAIN => Some(bytes.len()),
            _ => None,
        };
        let plain = self.forgets.is_empty() && self.main.is_none();
        self.writes.iter().map(bytes).sum::<Option<usize>>().filter(|_| plain)
    }

    /// Takes what others write.
    pub(super) fn join(&mut self, other: Self) {
        self.writes.extend(other.writes);
        self.forgets.extend(other.forgets);
    }

    /// The branches that change.
    pub(super) fn branches(&self) -> Vec<String> {
        let mut names: Vec<String> = self.writes.iter().map(|(file, _)| file.0.clone()).collect();
        names.extend(self.forgets.iter().map(|file| file.0.clone()));
        names.sort();
        names.dedup();
        names
    }
}

/// What is to be entered.
pub struct Draft {
    /// None for a read.
    pub kind: Option<Kind>,
    /// How it ended.
    pub result: Outcome,
    /// For the person and the auditors; its notes are filled in from `notes`.
    pub details: Details,
    /// The notes concerned.
    pub notes: Vec<NoteId>,
    /// Files that change with it.
    pub changes: Changes,
    /// The entry it rests on.
    pub because: Option<EntryRef>,
    /// What is asked for or approved.
    pub matter: Option<Matter>,
    /// The notes that a hold is placed on, in order.
    pub held: Vec<NoteId>,
}

impl Draft {
    /// A read of `notes`.
    pub fn read(details: Details, notes: Vec<NoteId>) -> Self {
        Self {
            kind: None,
            result: Outcome::Done,
            details,
            notes,
            changes: Changes::default(),
            because: None,
            matter: None,
            held: Vec::new(),
        }
    }

    /// A change.
    pub fn change(kind: Kind, details: Details, notes: Vec<NoteId>, changes: Changes) -> Self {
        Self {
            kind: Some(kind),
            result: Outcome::Done,
            details,
            notes,
            changes,
            because: None,
            matter: None,
            held: Vec::new(),
        }
    }

    /// The same attempt, denied or failed: nothing changes.
    pub fn without_effect(kind: Option<Kind>, result: Outcome, details: Details, notes: Vec<NoteId>) -> Self {
        Self {
            kind,
            result,
            details,
            notes,
            changes: Changes::default(),
            because: None,
            matter: None,
            held: Vec::new(),
        }
    }
}

/// Where an entry stands, and what it stands upon.
pub(super) struct After {
    pub(super) place: EntryRef,
    /// The leaf of the line before it.
    pub(super) prev: Digest,
    pub(super) policies: Digest,
    pub(super) roster: Digest,
    /// What is new of other logs.
    pub(super) seen: BTreeMap<LogName, (u64, Digest)>,
}

/// The proof that an access is in the log, durable and committed to git.
///
/// INVARIANT (log, then act): only [`Ledger::record`] makes one, after the journal's sync and git's commit.
#[must_use = "an access that was recorded is carried out or explained"]
#[derive(Debug)]
pub struct Recorded {
    entry: EntryRef,
    person: PersonId,
    result: Outcome,
    notes: Vec<NoteId>,
}

impl Recorded {
    /// Where it stands.
    pub fn entry(&self) -> EntryRef {
        self.entry
    }

    /// Who did it.
    pub fn person(&self) -> PersonId {
        self.person
    }

    /// Whether it records an access, rather than one that was denied or failed.
    pub fn is_done(&self) -> bool {
        self.result == Outcome::Done
    }

    /// Whether it records that `note` was accessed, rather than denied or failed.
    pub fn covers(&self, note: NoteId) -> bool {
        self.is_done() && self.notes.binary_search(&note).is_ok()
    }
}

/// What goes to git for one entry: built once for the founding and for every append.
pub(super) struct Assembly<'a> {
    pub(super) repo: &'a Repo,
    pub(super) identity: &'a Identity,
    pub(super) time: Time,
    pub(super) objects: Vec<Object>,
    pub(super) refs: Vec<RefChange>,
}

impl Assembly<'_> {
    fn author(&self) -> String {
        let identity = self.identity;
        author_line(identity.handle(), identity.person(), identity.vault(), self.time)
    }

    pub(super) fn signed_commit(&mut self, tree: Oid, parents: &[Oid], message: &str) -> Result<Oid, LedgerError> {
        let build = |signature: Option<&str>| {
            commit_bytes(tree, parents, &self.author(), message, signature)
                .map_err(|_| LedgerError::Internal("a commit cannot be written"))
        };
        let signature = self.identity.sign(Namespace::Git, &build(None)?);
        let commit = Object::commit(build(Some(&signature))?);
        let oid = commit.oid();
        self.objects.push(commit);
        Ok(oid)
    }

    fn edit(&mut self, base: Option<Oid>, edit: &TreeEdit) -> Result<Oid, LedgerError> {
        let repo = self.repo;
        let edited = edit.apply(base, |oid| repo.tree_at(oid)).map_err(|error| match error {
            EditError::Read(error) => LedgerError::Read(error),
            EditError::Tree(error) => LedgerError::Read(ReadError::Git(error.to_string())),
        })?;
        self.objects.extend(edited.objects);
        Ok(edited.root)
    }

    /// The commits of the changed branches. Forgetting makes a parentless commit, so that what was forgotten is no
    /// longer reachable.
    pub(super) fn branches(&mut self, changes: &Changes) -> Result<(), LedgerError> {
        for branch in changes.branches() {
            let name = format!("{HEADS}{branch}");
            let old = self.repo.ref_target(&name)?;
            if let Some(main) = changes.main.filter(|_| branch == MAIN) {
                self.refs.push(RefChange {
                    name,
                    old,
                    new: Some(main),
                });
                continue;
            }
            let base = old
                .map(|oid| self.repo.commit_at(oid))
                .transpose()?
                .map(|commit| commit.tree);
            let mut edit = TreeEdit::new();
            let bad_path = |_| LedgerError::Internal("a path cannot be written");
            let forgotten: Vec<&FileRef> = changes.forgotten_of(&branch).collect();
            for file in &forgotten {
                edit.remove(&file.1).map_err(bad_path)?;
            }
            for (path, content) in changes.writes_to(&branch) {
                let oid = match content {
                    Content::Bytes(bytes) => {
                        let blob = Object::blob(bytes.clone());
                        let oid = blob.oid();
                        self.objects.push(blob);
                        oid
                    }
                    // Nobody held the lock since it was written: stock git may have pruned it.
                    Content::Stored(oid) if !self.repo.contains(*oid) => return Err(LedgerError::Pruned),
                    Content::Stored(oid) => *oid,
                };
                edit.insert(path, oid).map_err(bad_path)?;
            }
            let tree = self.edit(base, &edit)?;
            let new = if branch == MAIN {
                let parents: Vec<Oid> = old.into_iter().collect();
                self.signed_commit(tree, &parents, "change the charter\n")?
            } else {
                let parents: Vec<Oid> = old.into_iter().filter(|_| forgotten.is_empty()).collect();
                let message = if forgotten.is_empty() { "keep\n" } else { "forget\n" };
                let author = format!("{NOBODY} {} +0000", self.time.day().unix().max(0));
                let bytes = commit_bytes(tree, &parents, &author, message, None);
                let commit = Object::commit(bytes.map_err(|_| LedgerError::Internal("a commit cannot be written"))?);
                let oid = commit.oid();
                self.objects.push(commit);
                oid
            };
            self.refs.push(RefChange {
                name,
                old,
                new: Some(new),
            });
        }
        Ok(())
    }

    /// The commit of the log itself; its ref goes before all others.
    pub(super) fn audit(
        &mut self,
        branch: &str,
        tree: Oid,
        parent: Option<Oid>,
        message: &Message,
    ) -> Result<Oid, LedgerError> {
        let text = String::from_utf8(message.to_bytes()).map_err(|_| LedgerError::Internal("an entry is not text"))?;
        let parents: Vec<Oid> = parent.into_iter().collect();
        let oid = self.signed_commit(tree, &parents, &text)?;
        self.refs.insert(
            0,
            RefChange {
                name: format!("{HEADS}{branch}"),
                old: parent,
                new: Some(oid),
            },
        );
        Ok(oid)
    }
}

/// Of how many other logs one entry tells, so that it always fits.
const SEEN_MAX: usize = 128;

/// As many as one entry tells. One log of each device comes first: nobody's many keep out what somebody else did.
pub(super) fn some_of_each(new: BTreeMap<LogName, (u64, Digest)>) -> BTreeMap<LogName, (u64, Digest)> {
    if new.len() <= SEEN_MAX {
        return new;
    }
    let mut of_device: BTreeMap<DeviceId, usize> = BTreeMap::new();
    let mut ranked: Vec<_> = new
        .into_iter()
        .map(|(log, at)| {
            let rank = of_device.entry(log.device).or_default();
            *rank += 1;
            (*rank, log, at)
        })
        .collect();
    ranked.sort_by_key(|(rank, log, _)| (*rank, *log));
    let first = ranked.into_iter().take(SEEN_MAX);
    first.map(|(_, log, at)| (log, at)).collect()
}

impl Ledger<'_> {
    /// Enters `draft`, durable, and commits it to git. When this returns an error nothing may be shown; whether
    /// the entry exists is then settled by the next start.
    pub fn record(&mut self, mut draft: Draft, now: Time, entropy: &mut dyn Entropy) -> Result<Recorded, LedgerError> {
        if self.lapsed {
            return Err(LedgerError::Lapsed);
        }
        if self.is_forked() {
            return Err(LedgerError::Forked);
        }
        self.check_matter(&draft, now)?;
        // What is remembered counts again once this is durable and stands in git.
        self.settled = false;
        draft.notes.sort_unstable();
        draft.notes.dedup();
        let charter = match draft.changes.branches().iter().any(|branch| branch == MAIN) {
            true => Some(self.standing.charter.after(self.repo, &draft.changes)?),
            false => None,
        };
        let in_force = charter.as_ref().unwrap_or(&self.standing.charter);
        let (policies, roster) = (in_force.policies.digest(), in_force.roster.digest());
        let place = EntryRef {
            log: self.standing.log,
            seq: self.standing.frontier.size(),
        };
        let after = After {
            place,
            prev: self.standing.last_leaf,
            policies,
            roster,
            seen: self.seen_since(),
        };
        let entry = self.compose(&mut draft, after, now, entropy)?;
        self.append(entry, &draft.changes, charter)?;
        self.settled = true;
        let person = self.identity.person();
        Ok(Recorded {
            entry: place,
            person,
            result: draft.result,
            notes: draft.notes,
        })
    }

    /// What has come of other logs since the last entry, as much of it as one entry tells; the next one goes on from there.
    pub(super) fn seen_since(&self) -> BTreeMap<LogName, (u64, Digest)> {
        let standing = &self.standing;
        let others = standing.others.iter();
        let new = others.filter(|(log, at)| standing.seen.get(log) != Some(at));
        some_of_each(new.map(|(log, at)| (*log, *at)).collect())
    }

    /// The entry of a draft, whose details are told which notes are concerned.
    pub(super) fn compose(
        &self,
        draft: &mut Draft,
        after: After,
        now: Time,
        entropy: &mut dyn Entropy,
    ) -> Result<Entry, LedgerError> {
        let standing = &self.standing;
        draft.details.notes = NoteSet::name(draft.notes.clone(), |note| standing.creations.ordinal(note))
            .ok_or(LedgerError::Internal("a note stands in no log"))?;
        Ok(Entry {
            actor: self.identity.person(),
            admitted: None,
            because: draft.because,
            detail: standing.detail.id,
            forgot: draft.changes.forgot(),
            held: std::mem::take(&mut draft.held),
            joined: Vec::new(),
            kind: draft.kind,
            log: standing.log,
            matter: draft.matter.take(),
            policies: after.policies,
            prev: after.prev,
            result: draft.result,
            roster: after.roster,
            sealed: draft
                .details
                .seal(standing.charter.vault, after.place, &standing.detail, entropy)?,
            seen: after.seen,
            seq: after.place.seq,
            time: now,
            v: 1,
            wrote: draft.changes.wrote(),
        })
    }

    /// Whether what is to be entered may still be, by what the log says at this moment.
    pub(super) fn check_matter(&self, draft: &Draft, now: Time) -> Result<(), LedgerError> {
        let live = &self.standing.live;
        let writes = draft.changes.writes.iter().map(|(file, _)| file);
        let notes = writes.filter(|file| file.0.starts_with("notes/") || file.0.starts_with("keys/"));
        let mut notes = notes.filter_map(|file| note_of(&file.1));
        if notes.any(|note| live.is_destroyed(note)) {
            return Err(LedgerError::BeingDestroyed);
        }
        let destroys = draft.kind == Some(Kind::Destroy);
        let destroyed = || live.destroyed_by(&draft.changes.forgets);
        if destroys && destroyed().into_iter().any(|note| self.is_held(note)) {
            return Err(LedgerError::Held);
        }
        let acts = matches!(draft.kind, Some(Kind::Destroy | Kind::Release)) && draft.result == Outcome::Done;
        let Some(approval) = draft.because.filter(|_| acts) else {
            return Ok(());
        };
        let Some(until) = live.matters().approved_until(approval) else {
            return Ok(());
        };
        let roster = &self.standing.charter.roster;
        let used = live.matters().used(approval, &|device| roster.person_of(device));
        let used = draft.kind == Some(Kind::Release) && used.is_some();
        match until <= now || used {
            true => Err(LedgerError::ApprovalOver),
            false => Ok(()),
        }
    }

    /// Whether the detail key in use has had its time, or is wrapped to auditors' keys that are no more in force. Entries go on under it until [`Ledger::renew_detail_key`].
    pub fn detail_key_is_due(&self, now: Time) -> bool {
        let old = now.unix().saturating_sub(self.standing.detail_since.unix()) > DETAIL_KEY_DAYS * 86_400;
        let role = self.standing.charter.roster.auditors().map(|role| role.key);
        old || role.is_some_and(|role| role != self.standing.detail_role)
    }

    /// The newest time among this log's entries, as far as it was looked for.
    pub fn newest_time(&self) -> Time {
        self.standing.newest
    }

    /// Makes this device's next detail key, wrapped to the auditors and to the person's devices, and enters that under it.
    pub fn renew_detail_key(&mut self, now: Time, entropy: &mut dyn Entropy) -> Result<Recorded, LedgerError> {
        let roster = &self.standing.charter.roster;
        let card = roster.member(self.identity.person()).ok_or(LedgerError::NotAMember)?;
        let devices: Vec<_> = recipients(card).collect();
        let mut changes = Changes::default();
        let new = make_detail_key(self.identity, roster, &devices, &mut changes, entropy)?;
        let old = std::mem::replace(&mut self.standing.detail, new);
        let draft = Draft::change(Kind::Key, Details::new("renew detail key"), Vec::new(), changes);
        match self.record(draft, now, entropy) {
            Ok(recorded) => {
                self.standing.detail_since = now;
                let role = self.standing.charter.roster.auditors().map(|role| role.key);
                self.standing.detail_role = role.unwrap_or(self.standing.detail_role);
                Ok(recorded)
            }
            Err(error) => {
                self.standing.detail = old;
                Err(error)
            }
        }
    }

    fn append(&mut self, entry: Entry, changes: &Changes, charter: Option<Charter>) -> Result<(), LedgerError> {
        let line = entry.to_line()?;
        let leaf = leaf_hash(&line);
        let mut frontier = self.standing.frontier.clone();
        frontier.push(leaf);
        let checkpoint = Checkpoint {
            vault: self.standing.charter.vault,
            log: self.standing.log,
            size: frontier.size(),
            root: frontier.root(),
        };
        let checkpoint = self.identity.sign_checkpoint(checkpoint);
        let message = Message {
            line,
            checkpoint,
            frontier,
        };
        let mut assembly = Assembly {
            repo: self.repo,
            identity: self.identity,
            time: entry.time,
            objects: Vec::new(),
            refs: Vec::new(),
        };
        assembly.branches(changes)?;
        let tree = self.close_bundle(&mut assembly, &message)?;
        let head = assembly.audit(&audit_ref(self.standing.log), tree, Some(self.standing.head), &message)?;
        let batch = Batch {
            objects: assembly.objects,
            refs: assembly.refs,
            note: entry.place().to_string().into_bytes(),
        };
        let main = batch
            .refs
            .iter()
            .find(|change| change.name == format!("{HEADS}{MAIN}"))
            .and_then(|change| change.new);
        self.begin_forgetting(&entry, &batch.refs)?;
        let durable = self.repo.commit(&self.lock, &batch)?;
        // The record's number is the repository's business; that it exists is ours.
        let _ = durable.record();
        if let (Some(charter), Some(commit)) = (charter, main) {
            self.standing.keyring.put_in_force(charter.roster.keys_in_force());
            self.standing.charter = Charter { commit, ..charter };
        }
        self.standing.head = head;
        self.standing.newest = self.standing.newest.max(entry.time);
        self.standing.tree = tree;
        self.standing.last_leaf = leaf;
        self.standing.live.apply(&entry);
        if *self.standing.live.cuts() != self.standing.charter.roster.cuts() {
            // What exists is another matter when a card says so: of some log less counts, or more.
            match live_of_all(self.repo, &self.standing.charter, &self.standing.quarantined) {
                Ok(live) => self.standing.live = live,
                Err(_) => self.lapsed = true,
            }
        }
        self.standing.creations.apply(&entry);
        self.standing
            .seen
            .extend(entry.seen.iter().map(|(log, at)| (*log, *at)));
        self.standing.frontier = message.frontier;
        self.keep_mark()
    }

    /// The tree of the log after this entry: the same, or with a closed bundle more.
    fn close_bundle(&self, assembly: &mut Assembly<'_>, message: &Message) -> Result<Oid, LedgerError> {
        let size = message.frontier.size();
        if !size.is_multiple_of(BUNDLE_LEN) {
            return Ok(self.standing.tree);
        }
        let head = Head::read(self.repo, self.standing.head);
        let lines = head.and_then(|head| tail(self.repo, &head, 0));
        let mut lines = lines.map_err(|error| scan_fault(self.standing.log, error))?;
        lines.push(message.line.clone());
        let bundle = Object::blob(write_bundle(lines.iter().map(Vec::as_slice)));
        let mut edit = TreeEdit::new();
        edit.insert(&bundle_path(size / BUNDLE_LEN - 1), bundle.oid())
            .map_err(|_| LedgerError::Internal("a bundle's path cannot be written"))?;
        assembly.objects.push(bundle);
        assembly.edit(Some(self.standing.tree), &edit)
    }

    /// Notes the new head outside the repository.
    pub(super) fn keep_mark(&self) -> Result<(), LedgerError> {
        let mark = HighWater {
            vault: self.standing.charter.vault,
            log: self.standing.log,
            size: self.standing.frontier.size(),
            root: self.standing.frontier.root(),
            founder: self.standing.charter.roster.founder(),
            roster: self.standing.charter.roster.digest(),
        };
        self.mark.write(self.identity, &mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Incarnation;

    #[test]
    fn an_entry_tells_of_some_logs_of_every_device_and_the_next_ones_of_the_rest() {
        let log = |device: u8, n: u32| LogName {
            device: DeviceId([device; 8]),
            incarnation: Incarnation(n.to_be_bytes()),
        };
        let many = (0..700).map(|n| log(1, n)).chain((2..5).map(|device| log(device, 0)));
        let mut due: BTreeMap<LogName, (u64, Digest)> = many.map(|log| (log, (1, Digest([0; 32])))).collect();
        let all = due.clone();
        let mut told = BTreeMap::new();
        for n in 0.. {
            let some = some_of_each(due.clone());
            if n == 0 {
                assert!(some.len() == SEEN_MAX && (1..5).all(|device| some.contains_key(&log(device, 0))));
            }
            due.retain(|log, _| !some.contains_key(log));
            told.extend(some);
            if due.is_empty() {
                break;
            }
        }
        assert_eq!(told, all);
        // Beside them there is room for the files of the longest entry, and for its details.
        let largest: BTreeMap<_, _> = all
            .into_keys()
            .take(SEEN_MAX)
            .map(|log| (log, (u64::MAX, Digest([0xff; 32]))))
            .collect();
        let line = serde_json::to_string(&largest).unwrap_or_default();
        assert!(
            line.len() > 10_000 && line.len() < crate::chain::ENTRY_MAX / 4,
            "{}",
            line.len()
        );
    }
}
