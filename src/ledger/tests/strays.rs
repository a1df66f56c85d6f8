//! What another clone's branches name in their history and what does not come with them: it is not taken, for a backup of
//! what was taken could never be made again.

use super::clones::{change_rules, exists, merge, read, two, write};
use super::vault::{Forge, Vault, commit, note};
use crate::ledger::{Fate, MainFate, Merged};
use crate::repo::{Kind, Mode, Object, Oid, TreeEntry, tree_bytes};

fn folder(entries: &[(Mode, &str, Oid)]) -> Object {
    let entries = entries.iter().map(|(mode, name, oid)| TreeEntry {
        mode: *mode,
        name: (*name).to_owned(),
        oid: *oid,
    });
    Object {
        kind: Kind::Tree,
        bytes: tree_bytes(entries.collect()).unwrap(),
    }
}

/// Folders that no branch of a vault has, each with all that it names.
fn strays(known: &[(Mode, &str, Oid)]) -> Vec<(&'static str, Vec<Object>)> {
    let blob = Object::blob(b"elsewhere".to_vec());
    let mut deep = folder(&[(Mode::File, "x", blob.oid())]);
    let mut within = vec![blob.clone(), deep.clone()];
    for _ in 0..4 {
        deep = folder(&[(Mode::Tree, "x", deep.oid())]);
        within.push(deep.clone());
    }
    let root = |mode: Mode, oid: Oid| folder(&[known, &[(mode, "zz", oid)]].concat());
    let one = |mode: Mode| vec![blob.clone(), root(mode, blob.oid())];
    within.push(root(Mode::Tree, deep.oid()));
    vec![
        ("a link", one(Mode::Link)),
        ("a program", one(Mode::Program)),
        ("a commit of another repository", one(Mode::Commit)),
        ("folders within folders", within),
        ("a folder that is named as a file too", {
            let empty = folder(&[]);
            let both = [(Mode::Tree, "yy", empty.oid()), (Mode::File, "zz", empty.oid())];
            vec![empty, folder(&[known, &both].concat())]
        }),
    ]
}

/// Everything that is there can be put into a backup.
#[track_caller]
fn assert_whole(what: &str, vault: &Vault) {
    vault.cut();
    let repo = vault.repo();
    let written = repo.write_backup(&repo.backup_head(|_| true).unwrap().0, &mut Vec::new());
    assert!(written.is_ok(), "{what}: {written:?}");
}

/// The branch goes on with a commit of that folder, and another of what stood there.
fn go_on(vault: &Vault, branch: &str, mut objects: Vec<Object>) {
    let repo = vault.repo();
    let old = repo.ref_target(&format!("refs/heads/{branch}")).unwrap();
    let before = old.map(|old| repo.read_commit(old, 1 << 20).unwrap().tree);
    let signer = (branch == "main").then_some(&vault.identity);
    let stray = objects.last().unwrap().oid();
    let stray = commit(stray, &old.into_iter().collect::<Vec<_>>(), "keep\n", signer);
    let nothing = folder(&[]);
    let last = commit(before.unwrap_or(nothing.oid()), &[stray.oid()], "keep\n", signer);
    let target = last.oid();
    objects.extend([nothing, stray, last]);
    vault.put(branch, objects, target);
}

fn fate(merged: &Merged, vault: &Vault) -> Fate {
    let known = merged.logs.iter().find(|(log, _)| *log == vault.log);
    known.unwrap().1.clone()
}

#[test]
fn what_a_witness_s_branch_names_in_its_past_stops_no_backup() {
    let (mut a, mut b) = two();
    for (n, (what, objects)) in strays(&[]).into_iter().enumerate() {
        go_on(&b, "witness/aaa", objects);
        write(&mut b, note(30 + n as u8), 1);
        let merged = merge(&mut a, &b);
        assert_eq!(merged.witnesses, ["witness/aaa"], "{what}");
        assert_eq!(exists(&a), exists(&b), "{what}");
        assert_whole(what, &a);
        b.remove("witness/aaa");
    }
    // Neither does one whose commits have more parents than one.
    let nothing = folder(&[]);
    let other = commit(nothing.oid(), &[], "another\n", None);
    let both = commit(nothing.oid(), &[b.target("main"), other.oid()], "keep\n", None);
    let target = both.oid();
    b.put("witness/aaa", vec![nothing, other, both], target);
    assert_eq!(merge(&mut a, &b).witnesses, ["witness/aaa"]);
    assert_whole("two parents", &a);
}

#[test]
fn what_a_log_s_branch_names_in_its_past_stops_no_backup() {
    let (mut a, mut b) = two();
    for _ in 0..3 {
        read(&mut b);
    }
    b.cut();
    let messages = b.messages(b.log);
    let good = b.copy();
    let forged = |tree: Vec<(String, Option<Vec<u8>>)>| {
        let forge = Forge {
            signer: Some(&b.identity),
            tree,
            tree_at: Some(messages.len() - 2),
            ..Forge::default()
        };
        b.put_log(b.log, &messages, &forge);
    };
    forged(vec![]);
    assert_eq!(b.target(&b.audit()), good.target(&b.audit()), "the same to the byte");
    forged(vec![("bundles/0000/x/y".into(), Some(b"elsewhere".to_vec()))]);
    let merged = merge(&mut a, &b);
    assert!(matches!(fate(&merged, &b), Fate::Broken(_)), "{:?}", merged.logs);
    assert_whole("a log", &a);
    let merged = merge(&mut a, &good);
    assert!(matches!(fate(&merged, &b), Fate::Ahead { .. }), "{:?}", merged.logs);
    assert_whole("the good log", &a);
}

#[test]
fn what_main_names_in_its_past_stops_no_backup() {
    let (mut a, mut b) = two();
    change_rules(&mut b, "As before.");
    merge(&mut a, &b);
    b.cut();
    let repo = b.repo();
    let tree = repo.read_commit(b.target("main"), 1 << 20).unwrap().tree;
    let known = repo.read_tree(tree, 1 << 20).unwrap();
    let known: Vec<_> = known
        .iter()
        .map(|entry| (entry.mode, entry.name.as_str(), entry.oid))
        .collect();
    for (n, (what, objects)) in strays(&known).into_iter().enumerate() {
        let there = b.copy();
        go_on(&there, "main", objects);
        let mut there = there;
        write(&mut there, note(30 + n as u8), 1);
        let mut here = a.copy();
        let merged = merge(&mut here, &there);
        assert!(matches!(merged.main, MainFate::Broken(_)), "{what}: {:?}", merged.main);
        assert_eq!(exists(&here), exists(&there), "{what}");
        assert_whole(what, &here);
    }
}
