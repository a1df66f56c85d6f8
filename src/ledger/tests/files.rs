//! Damage around the notes and the rules: cases 30, 32 to 34, 36 and 37.

use super::vault::{Forge, Vault, chain, commit, note, sign_lines};
use super::{Given, assert_caught, assert_intact, judge};
use crate::crypto::sha256;
use crate::id::Digest;
use crate::ledger::{note_ref, wrap_ref};
use std::collections::BTreeMap;

type Files = BTreeMap<String, Vec<u8>>;
type Case = (u8, Option<u64>);

/// A vault of four notes (entries 1 to 4), of which note 3 was destroyed (entry 5).
fn example() -> Vault {
    let mut vault = Vault::with(4, 5);
    vault.destroy(note(3));
    vault.cut();
    assert_intact(
        "before",
        &vault,
        &Given {
            deep: true,
            ..Given::default()
        },
    );
    vault
}

fn only(files: &Files) -> (String, Vec<u8>) {
    let (path, bytes) = files.iter().next().unwrap();
    (path.clone(), bytes.clone())
}

fn damaged(good: &Vault, branch: &str, damage: impl FnOnce(&mut Files)) -> Vault {
    let vault = good.copy();
    let exists = vault
        .repo()
        .ref_target(&format!("refs/heads/{branch}"))
        .unwrap()
        .is_some();
    let mut files = if exists { vault.files(branch) } else { Files::new() };
    damage(&mut files);
    vault.put_files(branch, &files);
    vault
}

#[test]
fn files_are_those_that_the_log_says_and_no_others() {
    let good = example();
    let (body, wrap) = (note_ref(note(1)), wrap_ref(note(1)));
    let (body_path, body_bytes) = only(&good.files(&body));
    let (wrap_path, wrap_bytes) = only(&good.files(&wrap));
    let (other_path, other_body) = only(&good.files(&note_ref(note(2))));
    let (_, other_wrap) = only(&good.files(&wrap_ref(note(2))));
    let flipped = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    };
    let named = |n: u8, bytes: &[u8]| format!("{}.{}", note(n), sha256(&[bytes]));
    let (new_body, new_wrap) = (flipped(&body_bytes), flipped(&wrap_bytes));
    type Damage<'a> = Box<dyn FnOnce(&mut Files) + 'a>;
    let table: Vec<(&str, &str, Vec<Case>, Damage<'_>)> = vec![
        (
            "a body too many",
            &body,
            vec![(32, None)],
            Box::new(|f| drop(f.insert(named(8, b"x"), b"x".to_vec()))),
        ),
        ("a body of a known note", &body, vec![(32, None), (34, None)], {
            Box::new(|f| drop(f.insert(named(1, b"x"), b"x".to_vec())))
        }),
        (
            "a file without a name",
            &body,
            vec![(32, None)],
            Box::new(|f| drop(f.insert("x".into(), vec![]))),
        ),
        (
            "a body gone",
            &body,
            vec![(32, Some(2)), (37, Some(2))],
            Box::new(|f| drop(f.remove(&body_path))),
        ),
        (
            "a wrap gone",
            &wrap,
            vec![(32, Some(2)), (37, Some(2))],
            Box::new(|f| drop(f.remove(&wrap_path))),
        ),
        (
            "a body altered",
            &body,
            vec![(33, Some(2))],
            Box::new(|f| drop(f.insert(body_path.clone(), new_body.clone()))),
        ),
        (
            "a wrap altered",
            &wrap,
            vec![(33, Some(2))],
            Box::new(|f| drop(f.insert(wrap_path.clone(), new_wrap.clone()))),
        ),
        ("a body replaced", &body, vec![(32, Some(2)), (34, None)], {
            Box::new(|f| {
                f.remove(&body_path);
                f.insert(named(1, &new_body), new_body.clone());
            })
        }),
        ("a wrap replaced", &wrap, vec![(32, Some(2)), (34, None)], {
            Box::new(|f| {
                f.remove(&wrap_path);
                f.insert(named(1, &new_wrap), new_wrap.clone());
            })
        }),
        ("another note's body", &body, vec![(33, Some(2)), (34, Some(2))], {
            Box::new(|f| drop(f.insert(body_path.clone(), other_body.clone())))
        }),
        (
            "another note's body by its name",
            &body,
            vec![(32, None), (34, None)],
            { Box::new(|f| drop(f.insert(other_path.clone(), other_body.clone()))) },
        ),
        ("a wrap moved to another note", &wrap, vec![(32, None), (34, None)], {
            Box::new(|f| drop(f.insert(named(1, &other_wrap), other_wrap.clone())))
        }),
        (
            "a folder among the bodies",
            &body,
            vec![(32, None)],
            Box::new(|f| drop(f.insert("a/b".into(), vec![]))),
        ),
    ];
    for (what, branch, cases, damage) in table {
        let vault = damaged(&good, branch, damage);
        assert_caught(what, &judge(&vault, &Given::default()), &cases);
    }
}

#[test]
fn what_was_destroyed_stays_away() {
    let mut good = Vault::with(4, 5);
    let kept: Vec<(String, Files)> = [note_ref(note(3)), wrap_ref(note(3))]
        .into_iter()
        .map(|branch| (branch.clone(), good.files(&branch)))
        .collect();
    good.destroy(note(3));
    good.cut();
    for (branch, files) in kept {
        let vault = good.copy();
        vault.put_files(&branch, &files);
        assert_caught(&branch, &judge(&vault, &Given::default()), &[(37, None)]);
        // In the history of the branch, where git would send it with every clone.
        for (file, case) in [(files, 37), (Files::from([("x".into(), vec![])]), 32)] {
            let vault = good.copy();
            let now = vault.files(&branch);
            vault.put_files(&branch, &[now.clone(), file].into_iter().flatten().collect());
            vault.put_files(&branch, &now);
            let report = judge(&vault, &Given::default());
            assert_caught(&branch, &report, &[(case, None)]);
            assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
        }
    }
    for branch in [note_ref(note(1)), wrap_ref(note(1)), "keys/devices".into()] {
        let vault = good.copy();
        vault.git(&["update-ref", "-d", &format!("refs/heads/{branch}")]);
        assert_caught(&branch, &judge(&vault, &Given::default()), &[(32, None), (37, None)]);
    }
}

#[test]
fn objects_that_are_damaged_or_gone_are_named() {
    let good = example();
    for branch in [note_ref(note(1)), wrap_ref(note(1)), "main".into()] {
        let tree = good.repo().read_commit(good.target(&branch), 1 << 20).unwrap().tree;
        let files = super::super::objects::files_below(&good.repo(), tree, 4).unwrap();
        let (flipped, removed) = (good.copy(), good.copy());
        super::vault::flip(&flipped.loose(files[0].oid));
        std::fs::remove_file(removed.loose(files[0].oid)).unwrap();
        assert_caught(&branch, &judge(&flipped, &Given::default()), &[(33, None)]);
        assert_caught(&branch, &judge(&removed, &Given::default()), &[(32, None)]);
        let (no_tree, no_commit) = (good.copy(), good.copy());
        std::fs::remove_file(no_tree.loose(tree)).unwrap();
        std::fs::remove_file(no_commit.loose(good.target(&branch))).unwrap();
        assert_caught(&branch, &judge(&no_tree, &Given::default()), &[(32, None)]);
        assert_caught(&branch, &judge(&no_commit, &Given::default()), &[(32, None)]);
    }
}

#[test]
fn members_policies_and_keys_change_by_entries_alone() {
    let good = example();
    let path = |start: &str| {
        good.files("main")
            .into_keys()
            .find(|path| path.starts_with(start))
            .unwrap()
    };
    let (policy, card) = (path("policies/levels"), path("members/"));
    let more = |f: &mut Files, path: &str| f.get_mut(path).unwrap().extend_from_slice(b"\n# more\n");
    for path in [&policy, &card, "vault.toml", "allowed_signers", "README.md"] {
        let vault = damaged(&good, "main", |f| more(f, path));
        assert_caught(path, &judge(&vault, &Given::default()), &[(36, None)]);
        let vault = damaged(&good, "main", |f| drop(f.remove(path)));
        assert_caught(path, &judge(&vault, &Given::default()), &[(36, None)]);
    }
    let vault = damaged(&good, "main", |f| {
        drop(f.insert(
            "policies/access/more.cedar".into(),
            b"permit(principal, action, resource);".to_vec(),
        ))
    });
    assert_caught(
        "a rule too many",
        &judge(&vault, &Given::default()),
        &[(36, None), (32, None)],
    );
    // Who is not a member may not even repeat what stands there.
    let vault = good.copy();
    let main = vault.repo().read_commit(vault.target("main"), 1 << 20).unwrap();
    let unsigned = commit(main.tree, &[vault.target("main")], "change the charter\n", None);
    let oid = unsigned.oid();
    vault.put("main", vec![unsigned], oid);
    assert_caught("unsigned", &judge(&vault, &Given::default()), &[(36, None)]);
    let vault = good.copy();
    vault.git(&["update-ref", "-d", "refs/heads/main"]);
    assert_caught("no main", &judge(&vault, &Given::default()), &[(36, None)]);

    let devices = good.files("keys/devices");
    for (path, bytes) in &devices {
        let vault = damaged(&good, "keys/devices", |f| {
            drop(f.insert(path.clone(), [&bytes[..], b"x"].concat()))
        });
        assert_caught(path, &judge(&vault, &Given::default()), &[(36, Some(0)), (33, Some(0))]);
        let vault = damaged(&good, "keys/devices", |f| drop(f.remove(path)));
        assert_caught(path, &judge(&vault, &Given::default()), &[(36, Some(0)), (32, Some(0))]);
    }
    // Entries that name other members or policies than the vault has.
    for roster in [true, false] {
        let vault = good.copy();
        let mut entries = vault.entries(vault.log);
        for entry in &mut entries[3..] {
            *(if roster { &mut entry.roster } else { &mut entry.policies }) = Digest([9; 32]);
        }
        let messages = sign_lines(&chain(&entries), vault.log, &vault.identity);
        vault.put_log(
            vault.log,
            &messages,
            &Forge {
                signer: Some(&vault.identity),
                ..Forge::default()
            },
        );
        let seq = if roster { 3 } else { 5 };
        assert_caught("another charter", &judge(&vault, &Given::default()), &[(36, Some(seq))]);
    }
}

#[test]
fn refs_and_histories_are_those_of_a_vault() {
    let good = example();
    let audit = format!("refs/heads/{}", good.audit());
    for name in [
        "refs/tags/x",
        "refs/heads/x",
        "refs/heads/witness/x",
        "refs/heads/notes/xx",
        "refs/heads/audit/x",
        "refs/notes/commits",
    ] {
        let vault = good.copy();
        vault.git(&["update-ref", name, "refs/heads/main"]);
        assert_caught(name, &judge(&vault, &Given::default()), &[(32, None)]);
    }
    let vault = good.copy();
    vault.git(&["update-ref", &format!("{audit}-fork-{}", "0".repeat(64)), &audit]);
    assert_caught("a fork kept", &judge(&vault, &Given::default()), &[(43, None)]);
    for branch in [
        note_ref(note(1)),
        wrap_ref(note(1)),
        "keys/devices".into(),
        "main".into(),
    ] {
        let vault = good.copy();
        let here = vault.target(&branch);
        let tree = vault.repo().read_commit(here, 1 << 20).unwrap().tree;
        let merge = commit(tree, &[here, vault.target("main")], "keep\n", Some(&vault.identity));
        let oid = merge.oid();
        vault.put(&branch, vec![merge], oid);
        assert_caught(&branch, &judge(&vault, &Given::default()), &[(30, None)]);
    }
    for (branch, case) in [(good.audit(), 10), (note_ref(note(1)), 32), ("main".into(), 36)] {
        for torn in ["", "ref: refs/heads/main\n", "0011\n"] {
            let vault = good.copy();
            std::fs::write(vault.dir().join("refs/heads").join(&branch), torn).unwrap();
            assert_caught(&branch, &judge(&vault, &Given::default()), &[(case, None)]);
        }
        // Not a commit.
        let vault = good.copy();
        let tree = vault.repo().read_commit(vault.target("main"), 1 << 20).unwrap().tree;
        std::fs::write(vault.dir().join("refs/heads").join(&branch), format!("{tree}\n")).unwrap();
        assert_eq!(
            judge(&vault, &Given::default()).verdict,
            super::Verdict::Tampered,
            "{branch}"
        );
    }
}
