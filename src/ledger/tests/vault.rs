//! Vaults for tests, and the tools to forge them.

use crate::chain::{
    AuditorsKey, BUNDLE_LEN, Card, Checkpoint, Details, Device, DeviceKind, Entry, FileRef, Frontier, Kind as Verb,
    Message, Namespace, Outcome, Role, Time, bundle_path, leaf_hash, write_bundle,
};
use crate::crypto::ExampleEntropy;
use crate::env::Faults;
use crate::envelope::{IdentitySecrets, Key, KeyUse, Keyring, Metadata, Purpose, WrapFile, seal_body};
use crate::id::{CompartmentId, DeviceId, Digest, LogName, NoteId, PersonId, VaultId};
use crate::label::{Label, Level};
use crate::ledger::{Changes, Draft, Founding, HighWater, Ledger, found, note_ref, wrap_ref};
use crate::policy::PolicyFiles;
use crate::repo::{Batch, Lock, Object, Oid, PATIENCE, RefChange, Repo, Settings, TreeEdit, commit_bytes, tree_bytes};
use crate::secret::Secret;
use crate::session::Identity;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
#[cfg(test)]
use std::process::Command;

/// When the example vaults begin.
pub(super) const NOW: i64 = 1_700_000_000;
pub(super) const VAULT: VaultId = VaultId([7; 16]);
const MAX: u64 = 1 << 24;

/// A device's identity that follows from `n`.
pub(in crate::ledger) fn identity(n: u8, pin: Digest) -> Identity {
    let seed = |part: u8| Secret::copy_from(&[n.wrapping_mul(16) + part; 32]).unwrap();
    let secrets = IdentitySecrets {
        person: PersonId([n; 8]),
        handle: format!("member{n}"),
        signing_seed: seed(1),
        recipient_seed: seed(2),
        local_state: seed(3),
        founder_pin: pin,
    };
    Identity::from_secrets(VAULT, DeviceId([n; 8]), &secrets)
}

/// The card of person `n`, signed by device `by`.
pub(super) fn card(n: u8, by: u8, place: u64, prev: Digest, roles: Vec<Role>) -> Card {
    let whose = identity(n, Digest([0; 32]));
    Card {
        auditors: None,
        by: DeviceId([by; 8]),
        compartments: vec![],
        cuts: vec![],
        devices: vec![Device::new(
            whose.device(),
            DeviceKind::Device,
            &whose.recipient(),
            whose.public_key(),
        )],
        handle: format!("member{n}"),
        joined: vec![],
        keys: std::collections::BTreeMap::new(),
        lent: Default::default(),
        level: 3,
        n: place,
        paused: false,
        person: PersonId([n; 8]),
        prev,
        roles,
        time: Time::from_unix(NOW),
        until: None,
        v: 1,
        vault: VAULT,
    }
}

pub(super) fn log_of(n: u8) -> LogName {
    LogName {
        device: DeviceId([n; 8]),
        incarnation: crate::id::Incarnation([n; 4]),
    }
}

pub(super) fn note(n: u8) -> NoteId {
    NoteId([n; 16])
}

/// A vault in a folder that goes away with it.
pub(super) struct Vault {
    folder: tempfile::TempDir,
    pub(super) name: String,
    pub(super) identity: Identity,
    pub(super) log: LogName,
    pub(super) clock: u64,
}

impl Vault {
    /// A vault founded by person `n`.
    pub(super) fn found(n: u8) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut entropy = ExampleEntropy::new("founding");
        let levels = [Level::Public, Level::Internal, Level::Confidential, Level::Restricted].map(KeyUse::Level);
        let mut ring = Keyring::new(levels.map(|usage| Key::make(usage, None, [1; 8], &mut entropy).unwrap()));
        let auditors = Key::make(KeyUse::Auditors, None, [1; 8], &mut entropy).unwrap();
        let first = Card {
            auditors: Some(AuditorsKey::new(auditors.id, &auditors.recipient())),
            ..card(n, n, 0, Digest([0; 32]), vec![Role::Lead, Role::Officer])
        };
        ring.add(auditors);
        let identity = identity(n, first.digest());
        let vault = Self {
            folder,
            name: "vault".into(),
            identity,
            log: log_of(n),
            clock: 0,
        };
        let repo = Repo::create(&vault.dir(), settings()).unwrap();
        std::fs::create_dir_all(vault.state()).unwrap();
        let founding = Founding {
            identity: &vault.identity,
            card: &first,
            log: vault.log,
            keyring: &ring,
            devices: &[(vault.identity.device(), vault.identity.recipient())],
            policies: &PolicyFiles::shipped(),
            readme: "An example.\n",
        };
        found(&repo, &founding, &vault.state(), Time::from_unix(NOW), &mut entropy).unwrap();
        vault
    }

    /// A vault with `notes` notes and, after them, as many reads as make `entries` entries in all; its journal cut.
    pub(super) fn with(notes: u8, entries: u64) -> Self {
        let mut vault = Self::found(1);
        vault.grow(notes, entries);
        vault.cut();
        vault
    }

    pub(super) fn grow(&mut self, notes: u8, entries: u64) {
        let repo = Repo::open(&self.dir(), settings()).unwrap();
        let mut ledger = Ledger::start(&repo, &self.identity, &self.state(), PATIENCE, None).unwrap();
        let mut entropy = ExampleEntropy::new("notes");
        for n in 0..notes {
            let (note, mut changes) = (note(n), Changes::default());
            let (body, wrap) = seal_note(&ledger, note, n);
            changes.write_digested(note_ref(note), note, body);
            changes.write_digested(wrap_ref(note), note, wrap);
            let draft = Draft::change(Verb::Add, Details::new("add"), vec![note], changes);
            self.clock += 1;
            let now = Time::from_unix(NOW + self.clock as i64);
            let _recorded = ledger.record(draft, now, &mut entropy).unwrap();
        }
        while ledger.head().1 < entries {
            self.clock += 1;
            let now = Time::from_unix(NOW + self.clock as i64);
            let _recorded = ledger
                .record(Draft::read(Details::new("show"), vec![]), now, &mut entropy)
                .unwrap();
        }
    }

    /// Enters a change, whatever it writes.
    pub(super) fn enter(&self, kind: Verb, changes: Changes) {
        let repo = Repo::open(&self.dir(), settings()).unwrap();
        let mut ledger = Ledger::start(&repo, &self.identity, &self.state(), PATIENCE, None).unwrap();
        let draft = Draft::change(kind, Details::new("x"), vec![], changes);
        let now = Time::from_unix(NOW + self.clock as i64);
        let _recorded = ledger.record(draft, now, &mut ExampleEntropy::new("enter")).unwrap();
    }

    /// Destroys a note that nothing else holds.
    pub(super) fn destroy(&mut self, note: NoteId) {
        assert_eq!(self.destroy_beside(note), Vec::<String>::new());
    }

    /// Destroys a note; the refs that hold something of it still.
    pub(super) fn destroy_beside(&mut self, note: NoteId) -> Vec<String> {
        let repo = Repo::open(&self.dir(), settings()).unwrap();
        let mut ledger = Ledger::start(&repo, &self.identity, &self.state(), PATIENCE, None).unwrap();
        let mut changes = Changes::default();
        ledger.files_of(note).into_iter().for_each(|file| changes.forget(file));
        let draft = Draft::change(Verb::Destroy, Details::new("destroy"), vec![note], changes);
        self.clock += 1;
        let now = Time::from_unix(NOW + self.clock as i64);
        let _recorded = ledger.record(draft, now, &mut ExampleEntropy::new("destroy")).unwrap();
        assert!(ledger.is_forgetting());
        ledger.finish_forgetting().unwrap()
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    pub(super) fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(super) fn repo(&self) -> Repo {
        Repo::open_to_verify(&self.dir(), settings()).unwrap()
    }

    pub(super) fn mark(&self) -> HighWater {
        HighWater::read_unauthenticated(&self.state()).unwrap().unwrap()
    }

    /// Puts everything into git and empties the journal.
    pub(super) fn cut(&self) {
        let repo = Repo::open(&self.dir(), settings()).unwrap();
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        repo.cut(&lock).unwrap();
    }

    /// The same vault once more, to be damaged.
    pub(super) fn copy(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy_below(self.folder.path(), folder.path());
        let identity = identity(self.identity.person().0[0], self.identity.founder_pin());
        Self {
            folder,
            name: self.name.clone(),
            identity,
            log: self.log,
            clock: self.clock,
        }
    }

    /// Another folder beside the vault, as the vault from now on.
    pub(super) fn moved_to(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Stock git, with nobody's configuration.
    #[cfg(test)]
    pub(super) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", self.folder.path())
            .current_dir(self.folder.path())
            .arg("--git-dir")
            .arg(self.dir())
            .args(arguments)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub(super) fn target(&self, branch: &str) -> Oid {
        self.repo()
            .ref_target(&format!("refs/heads/{branch}"))
            .unwrap()
            .unwrap()
    }

    pub(super) fn audit(&self) -> String {
        format!("audit/{}", self.log)
    }

    /// Writes objects and moves a branch, whatever it was.
    pub(super) fn put(&self, branch: &str, objects: Vec<Object>, target: Oid) {
        let repo = Repo::open(&self.dir(), settings()).unwrap();
        let lock = repo.lock(PATIENCE).unwrap();
        repo.put_back(&lock).unwrap();
        let name = format!("refs/heads/{branch}");
        let old = repo.ref_target(&name).unwrap();
        let mut rest = objects.into_iter().peekable();
        while rest.peek().is_some() {
            let mut room = 2 << 20;
            let mut objects = Vec::new();
            while let Some(object) = rest.next_if(|object| object.bytes.len() < room) {
                room -= object.bytes.len();
                objects.push(object);
            }
            let marker = RefChange {
                name: name.clone(),
                old,
                new: old,
            };
            let batch = Batch {
                objects,
                refs: vec![marker],
                note: vec![],
            };
            let _durable = repo.commit(&lock, &batch).unwrap();
        }
        self.move_branch(&repo, &lock, name, Some(target));
    }

    /// Takes a branch away.
    pub(super) fn remove(&self, branch: &str) {
        let repo = Repo::open(&self.dir(), settings()).unwrap();
        let lock = repo.lock(PATIENCE).unwrap();
        repo.put_back(&lock).unwrap();
        self.move_branch(&repo, &lock, format!("refs/heads/{branch}"), None);
    }

    fn move_branch(&self, repo: &Repo, lock: &Lock, name: String, new: Option<Oid>) {
        let old = repo.ref_target(&name).unwrap();
        let change = RefChange { name, old, new };
        let batch = Batch {
            objects: vec![],
            refs: vec![change],
            note: vec![],
        };
        let _durable = repo.commit(lock, &batch).unwrap();
        repo.cut(lock).unwrap();
    }

    /// The messages of a log, oldest first.
    pub(super) fn messages(&self, log: LogName) -> Vec<String> {
        let head = self.target(&format!("audit/{log}"));
        let repo = self.repo();
        let mut messages: Vec<String> = repo
            .first_parents(head, MAX)
            .map(|commit| commit.unwrap().1.message)
            .collect();
        messages.reverse();
        messages
    }

    /// The entries of a log.
    pub(super) fn entries(&self, log: LogName) -> Vec<Entry> {
        self.messages(log)
            .iter()
            .map(|text| Entry::parse(line(text).as_bytes()).unwrap().entry)
            .collect()
    }

    /// Writes a log from messages: one commit each, signed by `signer` if one is given, and bundles of their lines
    /// or of `bundled`, changed by `edit`.
    pub(super) fn put_log(&self, log: LogName, messages: &[String], forge: &Forge<'_>) {
        let lines: Vec<Vec<u8>> = match &forge.bundled {
            Some(lines) => lines.clone(),
            None => messages.iter().map(|text| line(text).as_bytes().to_vec()).collect(),
        };
        let empty = Object {
            kind: crate::repo::Kind::Tree,
            bytes: tree_bytes(vec![]).unwrap(),
        };
        let mut objects = vec![empty.clone()];
        let mut trees: BTreeMap<Oid, Vec<u8>> = BTreeMap::from([(empty.oid(), empty.bytes.clone())]);
        let (mut tree, mut parents) = (empty.oid(), Vec::new());
        for (n, message) in messages.iter().enumerate() {
            let size = n as u64 + 1;
            let forged = n == forge.tree_at.unwrap_or(messages.len() - 1);
            let plain = tree;
            let mut edit = TreeEdit::new();
            if size.is_multiple_of(BUNDLE_LEN) {
                let number = size / BUNDLE_LEN - 1;
                let from = (number * BUNDLE_LEN) as usize;
                let to = (from + 256).min(lines.len());
                let bundle = Object::blob(write_bundle(lines[from..to].iter().map(Vec::as_slice)));
                edit.insert(&bundle_path(number), bundle.oid()).unwrap();
                objects.push(bundle);
            }
            if forged {
                for (path, bytes) in &forge.tree {
                    match bytes {
                        Some(bytes) => {
                            let blob = Object::blob(bytes.clone());
                            edit.insert(path, blob.oid()).unwrap();
                            objects.push(blob);
                        }
                        None => edit.remove(path).unwrap(),
                    }
                }
            }
            let edited = edit
                .apply(Some(tree), |oid| crate::repo::parse_tree(&trees[&oid]))
                .unwrap();
            tree = edited.root;
            for object in edited.objects {
                trees.insert(object.oid(), object.bytes.clone());
                objects.push(object);
            }
            if forge.second_parent_at == Some(n) {
                parents.push(self.target("main"));
            }
            let author = match &forge.author {
                Some((at, author)) if *at == n => author.clone(),
                _ => author(message),
            };
            let commit = commit_by(&author, tree, &parents, message, forge.signer);
            if forged && forge.tree_at.is_some() {
                tree = plain;
            }
            parents = vec![commit.oid()];
            objects.push(commit);
        }
        self.put(&format!("audit/{log}"), objects, parents[0]);
    }

    /// Puts so many other histories beside this device's log, which it signed: each has another last entry.
    pub(super) fn put_beside(&self, many: std::ops::Range<u8>) {
        let (log, own) = (self.log, self.target(&self.audit()));
        let (mut entries, mut beside) = (self.entries(log), Vec::new());
        for n in many {
            entries.last_mut().unwrap().sealed = sealed(n);
            let messages = sign_lines(&chain(&entries), log, &self.identity);
            let forge = Forge {
                signer: Some(&self.identity),
                ..Forge::default()
            };
            self.put_log(log, &messages, &forge);
            let last = Message::parse(messages.last().unwrap().as_bytes()).unwrap();
            beside.push((last.checkpoint.checkpoint.root, self.target(&self.audit())));
        }
        for (root, oid) in beside {
            self.put(&format!("audit/{log}-fork-{root}"), Vec::new(), oid);
        }
        self.put(&self.audit(), Vec::new(), own);
    }

    /// The files of a flat branch or of `main`.
    pub(super) fn files(&self, branch: &str) -> BTreeMap<String, Vec<u8>> {
        let repo = self.repo();
        let tree = repo.read_commit(self.target(branch), MAX).unwrap().tree;
        let files = super::super::objects::files_below(&repo, tree, 4).unwrap();
        files
            .into_iter()
            .map(|file| (file.path, repo.read_blob(file.oid, MAX).unwrap()))
            .collect()
    }

    /// Writes a branch with exactly these files, on top of what was there.
    pub(super) fn put_files(&self, branch: &str, files: &BTreeMap<String, Vec<u8>>) {
        let blobs = files.values().map(|bytes| Object::blob(bytes.clone())).collect();
        self.put_tree(branch, files, blobs);
    }

    /// The same with files that are objects already.
    pub(super) fn put_stored(&self, branch: &str, files: &BTreeMap<String, Vec<u8>>) {
        self.put_tree(branch, files, Vec::new());
    }

    fn put_tree(&self, branch: &str, files: &BTreeMap<String, Vec<u8>>, mut objects: Vec<Object>) {
        let mut edit = TreeEdit::new();
        for (path, bytes) in files {
            let oid = Oid::hash_object(crate::repo::Kind::Blob, bytes);
            edit.insert(path, oid).unwrap();
        }
        let edited = edit.apply(None, |_| Ok::<_, crate::repo::BadTree>(vec![])).unwrap();
        objects.extend(edited.objects);
        let old = self.repo().ref_target(&format!("refs/heads/{branch}")).unwrap();
        let signer = (branch == "main").then_some(&self.identity);
        let commit = commit(edited.root, &old.into_iter().collect::<Vec<_>>(), "keep\n", signer);
        let oid = commit.oid();
        objects.push(commit);
        self.put(branch, objects, oid);
    }

    /// The path of a loose object.
    pub(super) fn loose(&self, oid: Oid) -> PathBuf {
        let hex = oid.to_string();
        self.dir().join("objects").join(&hex[..2]).join(&hex[2..])
    }
}

/// How a log is forged.
#[derive(Default)]
pub(super) struct Forge<'a> {
    pub(super) signer: Option<&'a Identity>,
    pub(super) bundled: Option<Vec<Vec<u8>>>,
    /// Files put into the newest tree, or that of `tree_at` alone, or taken out of it.
    pub(super) tree: Vec<(String, Option<Vec<u8>>)>,
    pub(super) tree_at: Option<usize>,
    /// Who one commit says it is by.
    pub(super) author: Option<(usize, String)>,
    pub(super) second_parent_at: Option<usize>,
}

pub(super) fn settings() -> Settings {
    Settings {
        boot: Some([1; 16]),
        faults: Faults::none(),
        records_per_cut: crate::repo::RECORDS_PER_CUT,
    }
}

/// The line of a message.
pub(super) fn line(message: &str) -> &str {
    message.split('\n').next().unwrap()
}

pub(super) fn commit(tree: Oid, parents: &[Oid], message: &str, signer: Option<&Identity>) -> Object {
    commit_by(&author(message), tree, parents, message, signer)
}

/// Who the entry in a message is by, as a commit says it.
fn author(message: &str) -> String {
    match Entry::parse(line(message).as_bytes()) {
        Ok(parsed) => {
            let (person, time) = (parsed.entry.actor, parsed.entry.time.unix());
            format!("member{} <{person}@{VAULT}> {time} +0000", person.0[0])
        }
        Err(_) => "member <member@vault.invalid> 1767225600 +0000".into(),
    }
}

pub(super) fn commit_by(author: &str, tree: Oid, parents: &[Oid], message: &str, signer: Option<&Identity>) -> Object {
    let plain = commit_bytes(tree, parents, author, message, None).unwrap();
    let Some(signer) = signer else {
        return Object::commit(plain);
    };
    let signature = signer.sign(Namespace::Git, &plain);
    Object::commit(commit_bytes(tree, parents, author, message, Some(&signature)).unwrap())
}

/// Messages with true checkpoints over these lines.
pub(super) fn sign_lines(lines: &[String], log: LogName, signer: &Identity) -> Vec<String> {
    let mut frontier = Frontier::default();
    let message = |line: &String| {
        frontier.push(leaf_hash(line.as_bytes()));
        let checkpoint = Checkpoint {
            vault: VAULT,
            log,
            size: frontier.size(),
            root: frontier.root(),
        };
        let checkpoint = signer.sign_checkpoint(checkpoint);
        let message = Message {
            line: line.clone().into_bytes(),
            checkpoint,
            frontier: frontier.clone(),
        };
        String::from_utf8(message.to_bytes()).unwrap()
    };
    lines.iter().map(message).collect()
}

/// Entries numbered and chained anew.
pub(super) fn chain(entries: &[Entry]) -> Vec<String> {
    let mut prev = Digest([0; 32]);
    let line = |(seq, entry): (usize, &Entry)| {
        let mut entry = entry.clone();
        (entry.seq, entry.prev) = (seq as u64, prev);
        let line = String::from_utf8(entry.to_line().unwrap()).unwrap();
        prev = leaf_hash(line.as_bytes());
        line
    };
    entries.iter().enumerate().map(line).collect()
}

/// Sealed details of the right form, of which nobody has the key.
pub(super) fn sealed(fill: u8) -> String {
    use base64ct::Encoding;
    base64ct::Base64::encode_string(&[fill; 296])
}

/// An entry to build others from: `like` gives policies and detail key.
pub(super) fn blank(log: LogName, actor: u8, roster: Digest, like: &Entry) -> Entry {
    Entry {
        actor: PersonId([actor; 8]),
        admitted: None,
        because: None,
        detail: like.detail,
        forgot: vec![],
        held: Vec::new(),
        joined: vec![],
        kind: None,
        log,
        matter: None,
        policies: like.policies,
        prev: Digest([0; 32]),
        result: Outcome::Done,
        roster,
        sealed: sealed(0),
        seen: BTreeMap::new(),
        seq: 0,
        time: Time::from_unix(NOW + 1),
        v: 1,
        wrote: Vec::<FileRef>::new(),
    }
}

pub(super) fn seal_note(ledger: &Ledger<'_>, note: NoteId, n: u8) -> (Vec<u8>, Vec<u8>) {
    let mut entropy = ExampleEntropy::new(["a", "b", "c", "d", "e", "f", "g", "h"][usize::from(n) % 8]);
    let metadata = Metadata {
        title: format!("Note {n}"),
        client: String::new(),
        case: String::new(),
        created: NOW,
        modified: NOW,
        happened: None,
        author: PersonId([1; 8]),
        parents: vec![],
        number: 1,
        fields: vec![],
    };
    let (body, key) = seal_body(
        VAULT,
        note,
        Purpose::Note,
        &metadata,
        b"Gate code changed.",
        &mut entropy,
    )
    .unwrap();
    let label = Label::new(Level::Internal, Vec::<CompartmentId>::new()).unwrap();
    let digest = crate::crypto::sha256(&[&body]);
    let wrap = WrapFile::wrap(VAULT, note, digest, &label, &key, ledger.keyring(), &[], &mut entropy).unwrap();
    (body, wrap.to_bytes())
}

fn copy_below(from: &Path, to: &Path) {
    for found in std::fs::read_dir(from).unwrap() {
        let found = found.unwrap();
        let to = to.join(found.file_name());
        match found.file_type().unwrap().is_dir() {
            true => {
                std::fs::create_dir(&to).unwrap();
                copy_below(&found.path(), &to);
            }
            false => drop(std::fs::copy(found.path(), &to).unwrap()),
        }
    }
}

/// Flips a bit in the middle of a file.
pub(super) fn flip(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}
