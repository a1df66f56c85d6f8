//! Damage around the notes and the rules: cases 10, 30 and 32 to 37.

use super::vault::{Forge, Vault, chain, commit, note, sign_lines};
use super::{Given, assert_caught, assert_intact, judge};
use crate::chain::Kind as Verb;
use crate::crypto::sha256;
use crate::id::Digest;
use crate::ledger::{Changes, note_ref, wrap_ref};
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

/// Every damage to files that has that case is named.
fn assert_files(case: u8) {
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
    let of_case = |cases: &[Case]| cases.iter().any(|(number, _)| *number == case);
    for (what, branch, cases, damage) in table.into_iter().filter(|(_, _, cases, _)| of_case(cases)) {
        let vault = damaged(&good, branch, damage);
        assert_caught(what, &judge(&vault, &Given::default()), &cases);
    }
}

#[test]
fn case_32_files_without_an_entry_and_entries_without_their_files() {
    assert_files(32);
}

#[test]
fn case_33_a_file_that_is_not_what_was_written() {
    assert_files(33);
}

#[test]
fn case_34_files_exchanged_moved_or_replaced() {
    assert_files(34);
}

#[test]
fn case_32_and_37_what_was_destroyed_stays_away() {
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
fn case_32_33_and_36_objects_that_are_damaged_or_gone() {
    let good = example();
    for branch in [note_ref(note(1)), wrap_ref(note(1)), "main".into()] {
        let tree = good.repo().read_commit(good.target(&branch), 1 << 20).unwrap().tree;
        let files = super::super::objects::files_below(&good.repo(), tree, 4).unwrap();
        let (flipped, removed) = (good.copy(), good.copy());
        super::vault::flip(&flipped.loose(files[0].oid));
        std::fs::remove_file(removed.loose(files[0].oid)).unwrap();
        let rules = (branch == "main").then_some((36, None));
        for (vault, case) in [(flipped, 33), (removed, 32)] {
            let cases: Vec<Case> = [(case, None)].into_iter().chain(rules).collect();
            assert_caught(&branch, &judge(&vault, &Given::default()), &cases);
        }
        let (no_tree, no_commit) = (good.copy(), good.copy());
        std::fs::remove_file(no_tree.loose(tree)).unwrap();
        std::fs::remove_file(no_commit.loose(good.target(&branch))).unwrap();
        assert_caught(&branch, &judge(&no_tree, &Given::default()), &[(32, None)]);
        assert_caught(&branch, &judge(&no_commit, &Given::default()), &[(32, None)]);
    }
}

#[test]
fn case_36_members_policies_and_keys_change_by_entries_alone() {
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

/// Sealed files that an entry wrote, and that are not what a file of their name is.
#[test]
fn case_34_and_36_sealed_files_have_their_form_and_their_place() {
    let good = Vault::with(2, 4);
    let (_, body) = only(&good.files(&note_ref(note(1))));
    let vault_bytes = super::vault::VAULT.0;
    let part = |number: u64, len: usize| {
        let mut head = vec![0xa6, 0, 1, 1, 0x50];
        head.extend_from_slice(&vault_bytes);
        head.extend_from_slice(&[2, 0x50]);
        head.extend_from_slice(&[1; 16]);
        head.extend_from_slice(&[3, 0x50]);
        head.extend_from_slice(&[5; 16]);
        head.extend_from_slice(&[4, 4, 5, number as u8]);
        head.resize(head.len() + len, 7);
        head
    };
    let keys = good.files("keys/devices");
    let of = |start: &str| {
        let file = keys
            .iter()
            .find(|(path, _)| path.starts_with("detail-") == (start == "detail"));
        file.map(|(_, bytes)| bytes.clone()).unwrap()
    };
    let (own, shard) = (good.identity.device().to_string(), note_ref(note(1)));
    let n = note(1).to_string();
    type Wrote<'a> = (&'a str, Verb, &'a str, String, Vec<u8>, bool);
    let table: Vec<Wrote<'_>> = vec![
        ("a part", Verb::Attach, &shard, n.clone(), part(0, 272), true),
        (
            "a part after a full one",
            Verb::Attach,
            &shard,
            n.clone(),
            part(1, 65_536 * 4 + 64),
            true,
        ),
        (
            "a part of no padded length",
            Verb::Attach,
            &shard,
            n.clone(),
            part(0, 273),
            false,
        ),
        (
            "a part that ends nowhere",
            Verb::Attach,
            &shard,
            n.clone(),
            part(1, 272),
            false,
        ),
        (
            "a body cut short",
            Verb::Add,
            &shard,
            n.clone(),
            body[..body.len() - 1].to_vec(),
            false,
        ),
        (
            "a body too long",
            Verb::Add,
            &shard,
            n.clone(),
            [&body[..], &[0]].concat(),
            false,
        ),
        ("a key box", Verb::Key, "keys/devices", own.clone(), of("box"), true),
        (
            "no key box",
            Verb::Key,
            "keys/devices",
            own.clone(),
            b"x".to_vec(),
            false,
        ),
        (
            "another's key box",
            Verb::Key,
            "keys/devices",
            "0909090909090909".into(),
            of("box"),
            false,
        ),
        (
            "a detail key for a key box",
            Verb::Key,
            "keys/devices",
            own,
            of("detail"),
            false,
        ),
        (
            "another detail key",
            Verb::Key,
            "keys/devices",
            "detail-0909090909090909".into(),
            of("detail"),
            false,
        ),
        (
            "no detail key",
            Verb::Key,
            "keys/devices",
            "detail-0909090909090909".into(),
            b"x".to_vec(),
            false,
        ),
    ];
    for (what, kind, branch, stem, bytes, sound) in table {
        let vault = good.copy();
        let mut changes = Changes::default();
        changes.write_digested(branch, stem, bytes);
        vault.enter(kind, changes);
        match sound {
            true => drop(assert_intact(what, &vault, &Given::default())),
            false => {
                let rules = (branch == "keys/devices").then_some((36, Some(4)));
                let cases: Vec<Case> = [(34, Some(4))].into_iter().chain(rules).collect();
                assert_caught(what, &judge(&vault, &Given::default()), &cases);
            }
        }
    }
}

#[test]
fn case_27_and_32_a_file_stands_in_the_shard_of_its_note() {
    let good = Vault::with(1, 2);
    let vault = good.copy();
    let here = note_ref(note(0));
    let files = vault.files(&here);
    vault.git(&["update-ref", "-d", &format!("refs/heads/{here}")]);
    vault.put_files("notes/01", &files);
    let moved = |line: &str| line.replace(&here, "notes/01");
    let lines: Vec<String> = vault
        .messages(vault.log)
        .iter()
        .map(|text| moved(super::vault::line(text)))
        .collect();
    let messages = sign_lines(&lines, vault.log, &good.identity);
    let signer = Some(&good.identity);
    vault.put_log(
        vault.log,
        &messages,
        &Forge {
            signer,
            ..Forge::default()
        },
    );
    assert_caught(
        "a wrong shard",
        &judge(&vault, &Given::default()),
        &[(27, Some(1)), (32, None)],
    );
}

#[test]
fn case_10_a_vault_that_lost_all_its_branches_is_none_that_never_was() {
    let given = Given::default();
    let good = Vault::found(1);
    let lose = |vault: &Vault| {
        for name in vault.git(&["for-each-ref", "--format=%(refname)"]).lines() {
            vault.git(&["update-ref", "-d", name]);
        }
    };
    let (cut, mut pending) = (good.copy(), good.copy());
    pending.grow(1, 4);
    let (mark, one) = (pending.mark(), pending.copy());
    lose(&pending);
    let report = judge(&pending, &given);
    assert_caught("whole journal", &report, &[(10, None), (36, None)]);
    let told = report.problems.iter().find(|problem| problem.case == 10).unwrap();
    assert_eq!((told.log, report.vault), (Some(good.log), Some(super::vault::VAULT)));
    let marked = Given {
        mark: Some(&mark),
        ..Given::default()
    };
    assert_caught("marked", &judge(&pending, &marked), &[(9, None), (10, None)]);
    // One branch alone.
    one.git(&["update-ref", "-d", &format!("refs/heads/{}", one.audit())]);
    assert_caught("its log", &judge(&one, &given), &[(10, None)]);
    // Nothing is left that says what was there.
    cut.cut();
    lose(&cut);
    let anchors = super::super::Anchors {
        receipt: None,
        high_water: None,
        witnesses: &[],
        now: crate::chain::Time::from_unix(0),
        deep: false,
    };
    let refused = super::super::verify(&cut.repo(), &anchors).unwrap_err();
    assert!(matches!(refused, super::super::LedgerError::Emptied), "{refused}");
}

#[test]
fn case_10_24_32_and_36_refs_are_those_of_a_vault() {
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
    std::fs::write(vault.dir().join("refs/heads/notes/ff"), "").unwrap();
    assert_caught("a branch of nothing", &judge(&vault, &Given::default()), &[(32, None)]);
    let vault = good.copy();
    vault.git(&["update-ref", &format!("{audit}-fork-{}", "0".repeat(64)), &audit]);
    assert_caught("a fork kept", &judge(&vault, &Given::default()), &[(43, None)]);
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
        let case = if case == 10 { 24 } else { case };
        assert_caught("no commit", &judge(&vault, &Given::default()), &[(case, None)]);
    }
}

#[test]
fn case_30_no_branch_is_merged() {
    let good = example();
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
}

#[test]
fn case_30_and_33_a_history_that_cannot_be_read() {
    let good = example();
    for branch in [note_ref(note(1)), "keys/devices".into(), "main".into()] {
        let vault = good.copy();
        let below = vault.target(&branch);
        vault.put_files(&branch, &vault.files(&branch));
        assert_intact("before", &vault, &Given::default());
        let (flipped, removed) = (vault.copy(), vault.copy());
        super::vault::flip(&flipped.loose(below));
        std::fs::remove_file(removed.loose(below)).unwrap();
        for (vault, case) in [(flipped, 33), (removed, 30)] {
            let report = judge(&vault, &Given::default());
            assert_caught(&branch, &report, &[(case, None)]);
            assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
        }
    }
}

/// The entry is a lead's, but what it wrote is no charter.
#[test]
fn case_36_an_entry_does_not_make_a_charter_of_anything() {
    let good = example();
    let vault = good.copy();
    let files = vault.files("main");
    let mut changes = Changes::default();
    let bytes = sha256(&[&files["vault.toml"]]);
    changes.forget(crate::chain::FileRef("main".into(), "vault.toml".into(), bytes));
    vault.enter(Verb::Card, changes);
    assert_caught("no vault file", &judge(&vault, &Given::default()), &[(36, None)]);
    let path = "policies/x";
    let vault = good.copy();
    let mut files = vault.files("main");
    files.insert(path.into(), b"x".to_vec());
    vault.put_files("main", &files);
    let mut entries = vault.entries(vault.log);
    let mut entry = super::vault::blank(vault.log, 1, entries[0].roster, &entries[0]);
    (entry.kind, entry.time) = (Some(Verb::Policy), entries[5].time);
    entry.wrote = vec![crate::chain::FileRef("main".into(), path.into(), sha256(&[b"x"]))];
    entries.push(entry);
    let messages = sign_lines(&chain(&entries), vault.log, &vault.identity);
    let signer = Some(&vault.identity);
    vault.put_log(
        vault.log,
        &messages,
        &Forge {
            signer,
            ..Forge::default()
        },
    );
    let report = judge(&vault, &Given::default());
    assert_caught(path, &report, &[(36, None)]);
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
}

/// Nothing is kept that a verdict rests on: what looks like it is not read, and hides nothing.
#[test]
fn case_35_nothing_but_the_vault_is_believed() {
    let good = example();
    let receipt = crate::ledger::make_receipt(&good.repo(), None, crate::chain::Time::from_unix(0)).unwrap();
    let given = Given {
        receipt: Some(&receipt),
        ..Given::default()
    };
    // An index of the history from before, by stock git, and verdicts that lie about.
    for what in ["an entry", "a note", "a log"] {
        let vault = good.copy();
        vault.git(&["repack", "-q", "-a", "-d"]);
        vault.git(&["commit-graph", "write", "--reachable"]);
        vault.git(&["multi-pack-index", "write"]);
        for name in ["verified", "strongroom.cache", "strongroom.index"] {
            std::fs::write(vault.dir().join(name), "intact 6").unwrap();
        }
        assert_intact("before", &vault, &given);
        let case = match what {
            "an entry" => {
                let mut messages = vault.messages(vault.log);
                messages[3] = messages[3].replacen("\"result\":\"done\"", "\"result\":\"denied\"", 1);
                vault.put_log(vault.log, &messages, &Forge::default());
                12
            }
            "a note" => {
                vault.git(&["update-ref", "-d", &format!("refs/heads/{}", note_ref(note(1)))]);
                32
            }
            _ => {
                vault.git(&["update-ref", "-d", &format!("refs/heads/{}", vault.audit())]);
                10
            }
        };
        assert_caught(what, &judge(&vault, &given), &[(case, None)]);
    }
}
