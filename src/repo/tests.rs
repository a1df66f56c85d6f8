//! The room as a whole: histories, faults, power cuts, two writers.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::env::{Fault, Faults, Step};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

mod arrivals;
mod backup;
mod faults;
mod forgetting;
mod layout;
mod pack;
mod power;
mod remotes;
mod stored;
mod writers;

const AUTHOR: &str = "device 00 <00@vault.invalid> 1767225600 +0000";
const MAX: u64 = 1 << 20;
const BOOT: [u8; 16] = [1; 16];

pub(super) fn settings(faults: Faults) -> Settings {
    Settings {
        boot: Some(BOOT),
        faults,
        records_per_cut: RECORDS_PER_CUT,
    }
}

/// In memory where there is such a place: these tests lose power in their own way, and `syncfs`
/// on a real disk waits for everything else that is being written there.
pub(super) fn make_folder() -> tempfile::TempDir {
    match Path::new("/dev/shm").is_dir() {
        true => tempfile::tempdir_in("/dev/shm").unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

/// A vault in a folder that goes away with it.
pub(super) struct Vault {
    pub(super) folder: tempfile::TempDir,
}

impl Vault {
    pub(super) fn new() -> Self {
        let folder = make_folder();
        Repo::create(&folder.path().join("vault"), settings(Faults::none())).unwrap();
        Self { folder }
    }

    pub(super) fn dir(&self) -> std::path::PathBuf {
        self.folder.path().join("vault")
    }

    pub(super) fn open(&self, faults: Faults) -> Repo {
        Repo::open(&self.dir(), settings(faults)).unwrap()
    }

    /// Stock git, with nobody's configuration.
    pub(super) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("HOME", self.folder.path())
            .arg("--git-dir")
            .arg(self.dir())
            .args(arguments)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {errors}");
        // A vault without `main`, as these are, is worth a notice to fsck.
        assert!(
            errors.lines().all(|line| line.starts_with("notice: ")),
            "git {arguments:?}: {errors}"
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The `n`-th batch of a small history: an append to `audit`, and in turn a note's file added to a
/// shard, the shard begun anew without a parent, and the shard deleted.
pub(super) fn make_batch(repo: &Repo, n: u32) -> Batch {
    let (audit, shard) = ("refs/heads/audit/a-1", format!("refs/heads/notes/{:02x}", n % 3));
    let mut batch = Batch {
        note: format!("note {n}").into_bytes(),
        ..Batch::default()
    };
    append(repo, &mut batch, audit, &[("line", n)], true);
    match n % 5 {
        4 => batch.refs.push(RefChange {
            old: repo.ref_target(&shard).unwrap(),
            name: shard,
            new: None,
        }),
        kind => append(repo, &mut batch, &shard, &[(&format!("f/{n}"), n)], kind != 3),
    }
    batch
}

/// Adds a commit with these files to a ref.
pub(super) fn append(repo: &Repo, batch: &mut Batch, name: &str, files: &[(&str, u32)], with_parent: bool) {
    let old = repo.ref_target(name).unwrap();
    let base = old.map(|oid| repo.read_commit(oid, MAX).unwrap().tree);
    let mut edit = TreeEdit::new();
    for (path, n) in files {
        let blob = Object::blob(format!("file {n}").into_bytes());
        edit.insert(path, blob.oid()).unwrap();
        batch.objects.push(blob);
    }
    let edited = edit.apply(base, |oid| repo.read_tree(oid, MAX)).unwrap();
    batch.objects.extend(edited.objects);
    let parents: Vec<Oid> = old.into_iter().filter(|_| with_parent).collect();
    let message = format!("{}\n", String::from_utf8_lossy(&batch.note));
    let commit = Object::commit(commit_bytes(edited.root, &parents, AUTHOR, &message, None).unwrap());
    batch.refs.push(RefChange {
        name: name.to_owned(),
        old,
        new: Some(commit.oid()),
    });
    batch.objects.push(commit);
}

/// All that can be reached from the refs, every object read and hashed; by ref.
pub(super) fn read_everything(repo: &Repo) -> BTreeMap<String, Oid> {
    let refs = repo.refs("refs/").unwrap();
    for (name, oid) in &refs {
        for commit in repo.first_parents(*oid, MAX) {
            let (_, commit) = commit.unwrap_or_else(|error| panic!("{name}: {error}"));
            read_folder(repo, commit.tree);
        }
    }
    refs.into_iter().collect()
}

fn read_folder(repo: &Repo, tree: Oid) {
    for entry in repo.read_tree(tree, MAX).unwrap() {
        match entry.mode {
            Mode::Tree => read_folder(repo, entry.oid),
            _ => drop(repo.read_blob(entry.oid, MAX).unwrap()),
        }
    }
}

/// What the refs must be after these batches.
pub(super) fn after(refs: &mut BTreeMap<String, Oid>, batch: &Batch) {
    for change in &batch.refs {
        match change.new {
            Some(oid) => drop(refs.insert(change.name.clone(), oid)),
            None => drop(refs.remove(&change.name)),
        }
    }
}

/// Commits batches `from..to`; gives what the refs must be then.
pub(super) fn run(repo: &Repo, from: u32, to: u32) -> BTreeMap<String, Oid> {
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    let mut refs = read_everything(repo);
    for n in from..to {
        let batch = make_batch(repo, n);
        let _durable = repo.commit(&lock, &batch).unwrap();
        after(&mut refs, &batch);
    }
    refs
}

pub(super) fn write(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
