//! More histories of a log, or files, than anybody needs, by whoever has a device: the vault stays usable.

use super::clones::{exists, merge, read, two, with, write};
use super::vault::{Vault, note};
use crate::chain::{Details, Kind};
use crate::env::SystemEntropy;
use crate::id::LogName;
use crate::ledger::charter::Charter;
use crate::ledger::kept::{log_branches, without_prefix};
use crate::ledger::merge_lines::{Lines, read_lines};
use crate::ledger::objects::Objects;
use crate::ledger::{Changes, DEVICES, Draft, Fate};
use crate::repo::{Commit, Oid, ReadError, Repo, TreeEntry};
use std::cell::Cell;

fn held(vault: &Vault, log: LogName) -> usize {
    let begin = format!("refs/heads/audit/{log}");
    let refs = vault.repo().refs("refs/heads/").unwrap();
    refs.iter().filter(|(name, _)| name.starts_with(&begin)).count()
}

#[test]
fn many_histories_of_a_log_are_all_kept_and_in_nobody_s_way() {
    let (mut a, mut b) = two();
    read(&mut b);
    write(&mut b, note(30), 1);
    b.cut();
    let log = b.log;
    b.put_beside(0..40);
    merge(&mut a, &b);
    assert_eq!((held(&b, log), held(&a, log)), (41, 41));
    write(&mut a, note(31), 1);
    assert!(exists(&a).is_superset(&exists(&b)));
    // What goes on from one that is here comes too.
    let mut on = b.copy();
    let forks: Vec<String> = names(&on, log);
    forks.iter().for_each(|fork| on.remove(fork));
    read(&mut on);
    let merged = merge(&mut a, &on);
    let fates = merged.logs.iter().find(|(known, _)| *known == log);
    let fate = fates.map(|(_, fate)| fate);
    assert!(matches!(fate, Some(Fate::Ahead { .. })), "{:?}", merged.logs);
    assert_eq!(held(&a, log), 41);
}

/// A repository, and how many commits are read of it.
struct Counted(Repo, Cell<usize>);

impl Counted {
    fn of(vault: &Vault) -> (Self, Lines) {
        let repo = vault.repo();
        let charter = Charter::read(&repo, vault.target("main"), vault.identity.founder_pin()).unwrap();
        let heads = log_branches(&repo).unwrap().0;
        let lines = read_lines(&repo, without_prefix(&heads), &charter).0;
        (Self(repo, Cell::new(0)), lines)
    }
}

impl Objects for Counted {
    fn commit_at(&self, oid: Oid) -> Result<Commit, ReadError> {
        self.1.set(self.1.get() + 1);
        self.0.commit_at(oid)
    }
    fn tree_at(&self, oid: Oid) -> Result<Vec<TreeEntry>, ReadError> {
        self.0.tree_at(oid)
    }
    fn blob_at(&self, oid: Oid, max: u64) -> Result<Vec<u8>, ReadError> {
        self.0.blob_at(oid, max)
    }
}

#[test]
fn of_two_clones_with_many_histories_each_is_read_once_to_compare_them() {
    let (_, mut b) = two();
    b.cut();
    let there = b.copy();
    read(&mut b);
    read(&mut b);
    b.cut();
    let size = b.entries(b.log).len();
    b.put_beside(0..10);
    there.put_beside(20..30);
    for (mine, other, longer, forks) in [(&b, &there, 0, 10), (&there, &b, 1, 0)] {
        let ((here, mine), (there, theirs)) = (Counted::of(mine), Counted::of(other));
        let (found, _) = mine.beside(&here, &theirs, &there);
        assert_eq!(found.len(), forks);
        assert!(
            found
                .iter()
                .all(|problem| problem.case == 17 && problem.log == Some(b.log))
        );
        let read = [here.1.get(), there.1.get()];
        // Eleven histories, and once more for the entry at which the shorter ends.
        assert!(read[longer] <= 12 * (size + 2), "{read:?} commits of {size} each");
        assert!(read[1 - longer] <= 2 * size, "{read:?} commits of {size} each");
    }
}

#[test]
fn who_fills_a_branch_of_files_is_left_out() {
    let (mut a, mut b) = two();
    let good = b.copy();
    let stored = b.files(DEVICES);
    let (path, like) = stored.iter().find(|(path, _)| path.starts_with("detail-")).unwrap();
    let key: crate::id::KeyId = path["detail-".len()..].split_once('.').unwrap().0.parse().unwrap();
    let place = like.windows(8).position(|bytes| bytes == key.0).unwrap();
    with(&mut b, |ledger, now| {
        // Some 2.3 MiB of names and ids, of keys that nobody has.
        for n in 0..61 {
            let mut changes = Changes::default();
            for m in 0..340 {
                let number: u64 = n * 1000 + m;
                let mut bytes = like.clone();
                bytes[place..place + 8].copy_from_slice(&number.to_be_bytes());
                changes.write_digested(DEVICES, format!("detail-{number:016x}"), bytes);
            }
            let draft = Draft::change(Kind::Key, Details::new("x"), vec![], changes);
            let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
        }
    });
    b.cut();
    let merged = merge(&mut a, &b);
    let fate = merged
        .logs
        .iter()
        .find(|(log, _)| *log == b.log)
        .map(|(_, fate)| fate.clone());
    assert!(
        matches!(&fate, Some(Fate::Broken(why)) if why.contains("`keys/devices`")),
        "{fate:?}"
    );
    write(&mut a, note(31), 1);
    assert_eq!(exists(&good).difference(&exists(&a)).count(), 0);
}

fn names(vault: &Vault, log: LogName) -> Vec<String> {
    let begin = format!("refs/heads/audit/{log}-fork-");
    let refs = vault.repo().refs("refs/heads/").unwrap();
    let names = refs.iter().filter(|(name, _)| name.starts_with(&begin));
    names
        .filter_map(|(name, _)| name.strip_prefix("refs/heads/").map(str::to_owned))
        .collect()
}
