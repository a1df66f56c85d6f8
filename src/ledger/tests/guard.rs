//! Pushes that are judged before a bare repository takes them, by devices whose keys are in order.

use super::peers::{Pair, root};
use super::vault::{Forge, Vault, blank, card, chain, identity, log_of, note, sealed, settings, sign_lines};
use crate::chain::{Card, Cut, Entry, FileRef, Kind, Role, Time};
use crate::crypto::sha256;
use crate::id::Digest;
use crate::ledger::{Elsewhere, Judged, Ledger, judge_push, note_ref};
use crate::repo::{Doorway, Listed, Object, Oid, PATIENCE, Pushed, Repo, commit_bytes};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A bare repository that stock git made of a vault.
struct Hub(tempfile::TempDir);

impl Hub {
    fn of(vault: &Vault) -> Self {
        let hub = Self(tempfile::tempdir().unwrap());
        let dir = hub.dir().display().to_string();
        vault.git(&["init", "--quiet", "--bare", &dir]);
        hub.take(vault);
        hub
    }

    fn dir(&self) -> PathBuf {
        self.0.path().join("hub.git")
    }

    /// Takes whatever there is, unasked.
    fn take(&self, vault: &Vault) {
        let dir = self.dir().display().to_string();
        vault.git(&["push", "--quiet", "--mirror", &dir]);
    }

    fn refs(dir: &std::path::Path) -> BTreeMap<String, Oid> {
        let repo = Repo::open_to_verify(dir, settings()).unwrap();
        repo.refs("refs/").unwrap().into_iter().collect()
    }

    /// What it says to all that a vault has.
    fn judge(&self, vault: &Vault) -> Judged {
        let (old, new) = (Self::refs(&self.dir()), Self::refs(&vault.dir()));
        let names = old
            .keys()
            .chain(new.keys())
            .filter(|name| old.get(*name) != new.get(*name));
        let mut pushed: Vec<Pushed> = names
            .map(|name| Pushed {
                name: name.clone(),
                old: old.get(name).copied(),
                new: new.get(name).copied(),
            })
            .collect();
        pushed.dedup();
        let door = Doorway::at(&self.dir(), &vault.dir().join("objects")).unwrap();
        let now = Time::from_unix(super::vault::NOW + 1000);
        judge_push(&door, &pushed, &settings(), now).unwrap()
    }

    #[track_caller]
    fn takes(&self, what: &str, vault: &Vault) {
        assert_eq!(self.judge(vault).objections, [], "{what}");
        self.take(vault);
    }

    #[track_caller]
    fn refuses(&self, what: &str, vault: &Vault, cases: &[(u8, Option<u64>)]) {
        let judged = self.judge(vault);
        for (case, seq) in cases {
            let found = judged.objections.iter().any(|objection| {
                let problem = &objection.problem;
                !objection.unknown && problem.case == *case && (seq.is_none() || problem.seq == *seq)
            });
            assert!(found, "{what}: no case {case} at {seq:?} in {:#?}", judged.objections);
        }
        assert!(!cases.is_empty() || !judged.objections.is_empty(), "{what}");
    }
}

/// Moves a branch to where it was in another copy.
fn put_log(vault: &Vault, n: u8, entries: &[Entry], forge: impl Fn(&mut Forge<'_>)) {
    let signer = identity(n, Digest([0; 32]));
    let mut forged = Forge {
        signer: Some(&signer),
        ..Forge::default()
    };
    forge(&mut forged);
    let messages = sign_lines(&chain(entries), log_of(n), &signer);
    vault.put_log(log_of(n), &messages, &forged);
}

/// A log that grew, over a bundle too, in one push and in several.
#[test]
fn what_goes_on_is_taken_and_each_new_commit_is_looked_at() {
    let mut vault = Vault::with(2, 250);
    let hub = Hub::of(&vault);
    for entries in [251, 256, 300, 530] {
        vault.grow(0, entries);
        vault.cut();
        hub.takes("grown", &vault);
    }
    let good = vault.copy();
    vault.grow(0, 540);
    vault.cut();
    // Signed well at its end, and not where nobody looks who has not much time.
    let (log, messages) = (vault.log, vault.messages(vault.log));
    let signer = Some(&good.identity);
    let forged = |forge: Forge<'_>| {
        let vault = vault.copy();
        vault.put_log(log, &messages, &forge);
        vault
    };
    let person = good.identity.person();
    for at in [531, 538] {
        let author = format!("member2 <{person}@{}> 1 +0000", super::vault::VAULT);
        let forge = Forge {
            signer,
            author: Some((at, author)),
            ..Forge::default()
        };
        hub.refuses("by another", &forged(forge), &[(25, Some(at as u64))]);
    }
    let forge = Forge {
        signer,
        tree: vec![("x".to_owned(), Some(b"x".to_vec()))],
        tree_at: Some(535),
        ..Forge::default()
    };
    hub.refuses("a stray in a tree on the way", &forged(forge), &[(26, Some(535))]);
    let forge = Forge {
        signer,
        second_parent_at: Some(535),
        ..Forge::default()
    };
    hub.refuses("merged on the way", &forged(forge), &[(30, None)]);
    // What is older was looked at when it came.
    let forge = Forge {
        signer,
        author: Some((100, "x <x@y> 1 +0000".to_owned())),
        ..Forge::default()
    };
    hub.refuses("older commits rewritten", &forged(forge), &[(18, None)]);
    hub.takes("itself", &vault);
}

/// The log goes on from what is there by its commits, and its lines do not.
#[test]
fn case_11_a_log_that_goes_on_by_its_commits_and_not_by_its_lines_is_refused() {
    let vault = Vault::with(1, 9);
    let hub = Hub::of(&vault);
    let mut entries = vault.entries(vault.log);
    entries[5].sealed = sealed(3);
    entries.push(blank(vault.log, 1, entries[0].roster, &entries[0]));
    let messages = sign_lines(&chain(&entries), vault.log, &vault.identity);
    let other = vault.copy();
    other.put_log(
        vault.log,
        &messages,
        &Forge {
            signer: Some(&vault.identity),
            ..Forge::default()
        },
    );
    // Its newest commits once more, on top of what was there.
    let repo = other.repo();
    let newest: Vec<_> = repo.first_parents(other.target(&other.audit()), 1 << 20).collect();
    let mut parent = vault.target(&vault.audit());
    let mut objects = Vec::new();
    for commit in newest
        .into_iter()
        .map(Result::unwrap)
        .take(10)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
    {
        let author = &commit.1.author;
        let made = super::vault::commit_by(
            author,
            commit.1.tree,
            &[parent],
            &commit.1.message,
            Some(&vault.identity),
        );
        parent = made.oid();
        objects.push(made);
    }
    drop(repo);
    let forged = vault.copy();
    forged.put(&forged.audit(), objects, parent);
    hub.refuses("rewritten", &forged, &[(11, Some(8))]);
}

#[test]
fn case_20_and_8_what_a_log_says_of_others_has_to_be_there() {
    let pair = Pair::new(vec![Role::Officer]);
    let hub = Hub::of(&pair.vault);
    for (what, at, told) in [
        ("backwards", root(&pair.first, 3), Some((20, Some(3)))),
        ("never was", (6, Digest([9; 32])), Some((20, Some(3)))),
        ("not here", (70, Digest([9; 32])), None),
    ] {
        let mut second = pair.second.clone();
        let mut last = second[2].clone();
        last.seen = [(pair.vault.log, at)].into();
        second.push(last);
        let vault = pair.vault.copy();
        put_log(&vault, 2, &second, |_| {});
        match told {
            Some(told) => hub.refuses(what, &vault, &[told]),
            None => {
                let judged = hub.judge(&vault);
                assert!(
                    judged.objections.iter().all(|objection| objection.unknown),
                    "{judged:?}"
                );
                assert_eq!(
                    judged.objections.iter().map(|o| o.problem.case).collect::<Vec<_>>(),
                    [8]
                );
            }
        }
    }
}

#[test]
fn case_36_who_may_change_members_rules_and_keys_is_asked_at_the_door() {
    let pair = Pair::new(vec![Role::Officer]);
    let hub = Hub::of(&pair.vault);
    let vault = pair.vault.copy();
    let mut files = vault.files("main");
    let text = b"Another page.\n".to_vec();
    let named = |bytes: &[u8]| FileRef("main".into(), "README.md".into(), sha256(&[bytes]));
    let (old, new) = (named(&files["README.md"]), named(&text));
    files.insert("README.md".into(), text);
    vault.put_files("main", &files);
    // Signed by a lead, and in no entry.
    hub.refuses("no entry", &vault, &[(36, None)]);
    let change = |like: &Entry| {
        let mut change = like.clone();
        (change.seen, change.kind) = (Default::default(), Some(Kind::Card));
        (change.wrote, change.forgot) = (vec![new.clone()], vec![old.clone()]);
        change
    };
    let second = [pair.second.clone(), vec![change(&pair.second[2])]].concat();
    let by_officer = vault.copy();
    put_log(&by_officer, 2, &second, |_| {});
    hub.refuses("an officer's entry", &by_officer, &[(36, Some(3))]);
    let first = [pair.first.clone(), vec![change(&pair.first[6])]].concat();
    put_log(&vault, 1, &first, |_| {});
    // The officer's device signs the commit, as every member's might.
    let tree = vault.repo().read_commit(vault.target("main"), 1 << 20).unwrap().tree;
    let officer = identity(2, Digest([0; 32]));
    let parents = [pair.vault.target("main")];
    let commit = super::vault::commit(tree, &parents, "change the charter\n", Some(&officer));
    let signed = vault.copy();
    let oid = commit.oid();
    signed.put("main", vec![commit], oid);
    hub.refuses("an officer's commit", &signed, &[(36, None)]);
    hub.takes("a lead", &vault);
}

/// The second member is removed: the card that says how far their log counts.
fn removed(pair: &Pair, cuts: Vec<Cut>) -> Vec<Entry> {
    let mut files = pair.vault.files("main");
    let last: Card = Card {
        cuts,
        devices: vec![],
        ..card(2, 1, 2, pair.second[0].roster, vec![Role::Officer])
    };
    let file = pair.vault.identity.sign_card(&last);
    let mut entry = blank(pair.vault.log, 1, last.digest(), &pair.first[0]);
    (entry.kind, entry.time) = (Some(Kind::Card), pair.first[6].time);
    entry.wrote = vec![FileRef("main".into(), last.path(), sha256(&[&file]))];
    files.insert(last.path(), file);
    pair.vault.put_files("main", &files);
    [pair.first.clone(), vec![entry]].concat()
}

#[test]
fn case_14_who_was_removed_adds_nothing_at_the_door() {
    let pair = Pair::new(vec![Role::Officer]);
    let hub = Hub::of(&pair.vault);
    let (size, end) = root(&pair.second, 2);
    let first = removed(&pair, vec![Cut(log_of(2), size, end)]);
    put_log(&pair.vault, 1, &first, |_| {});
    // That one entry more is there already is told, and stops no lead.
    let judged = hub.judge(&pair.vault);
    assert_eq!(judged.objections, []);
    assert!(judged.known.iter().any(|problem| problem.case == 14), "{judged:?}");
    hub.take(&pair.vault);
    // Nor does anybody carry it elsewhere.
    let repo = Repo::open(&pair.vault.dir(), settings()).unwrap();
    let ledger = Ledger::start(&repo, &pair.vault.identity, &pair.vault.state(), PATIENCE, None).unwrap();
    let push = ledger.plan_push(&Elsewhere::default(), None, None).unwrap();
    let name = format!("refs/heads/audit/{}", log_of(2));
    let carried = push.moves.iter().find(|moved| moved.name == name).unwrap().new;
    assert_eq!(repo.first_parents(carried, 1 << 20).count(), 2);
    let all = repo.ref_target(&name).unwrap().unwrap();
    let there = |oid: Oid| {
        let branches = [(name.clone(), oid)].into();
        Elsewhere::sort(Listed {
            branches,
            others: vec![],
        })
    };
    for (oid, moves) in [
        (carried, false),
        (all, false),
        (repo.first_parents(carried, 1 << 20).nth(1).unwrap().unwrap().0, true),
    ] {
        let push = ledger.plan_push(&there(oid), None, None).unwrap();
        assert_eq!(push.moves.iter().any(|moved| moved.name == name), moves);
        assert_eq!(push.held_back, []);
    }
    drop(ledger);
    let longer = [
        pair.second.clone(),
        vec![blank(log_of(2), 2, pair.second[0].roster, &pair.first[0])],
    ]
    .concat();
    let vault = pair.vault.copy();
    put_log(&vault, 2, &longer, |_| {});
    hub.refuses("one more", &vault, &[(14, Some(2))]);
}

#[test]
fn what_was_wrong_before_refuses_nothing_and_hides_nothing() {
    let vault = Vault::with(3, 9);
    let mut files = vault.files(&note_ref(note(1)));
    let other = format!("{}.{}", note(1), Digest([9; 32]));
    files.insert(other.clone(), b"junk".to_vec());
    vault.put_files(&note_ref(note(1)), &files);
    let hub = Hub::of(&vault);
    let mut grown = vault.copy();
    grown.grow(0, 12);
    grown.cut();
    // The stray file stays where it was.
    let judged = hub.judge(&grown);
    assert_eq!(judged.objections, []);
    assert!(
        judged.known.iter().any(|problem| problem.message.contains(&other)),
        "{judged:?}"
    );
    // Another one beside it does not come in by that.
    files.insert(format!("{}.{}", note(1), Digest([8; 32])), b"junk".to_vec());
    grown.put_files(&note_ref(note(1)), &files);
    hub.refuses("another stray", &grown, &[(32, None)]);
    // More of it than is told one by one: then it is not known what is new.
    let vault = Vault::with(3, 9);
    let mut files = vault.files(&note_ref(note(1)));
    files.extend((0..60).map(|n| (format!("{}.{}", note(1), Digest([n; 32])), b"junk".to_vec())));
    vault.put_files(&note_ref(note(1)), &files);
    let hub = Hub::of(&vault);
    let mut grown = vault.copy();
    grown.grow(0, 12);
    grown.cut();
    let judged = hub.judge(&grown);
    assert!(!judged.objections.is_empty() && judged.objections.iter().all(|objection| objection.unknown));
}

/// Who says that a branch stands where it is about to be would have it judged by what is no longer there.
#[test]
fn a_push_is_judged_from_where_its_branches_stand() {
    let mut vault = Vault::with(1, 6);
    let hub = Hub::of(&vault);
    vault.grow(0, 9);
    vault.cut();
    let new = vault.target(&vault.audit());
    let parent = vault.repo().first_parents(new, 1 << 20).nth(1).unwrap().unwrap().0;
    let door = Doorway::at(&hub.dir(), &vault.dir().join("objects")).unwrap();
    let name = format!("refs/heads/{}", vault.audit());
    let there = Hub::refs(&hub.dir())[&name];
    for (old, moved) in [(Some(there), true), (Some(parent), false), (None, false)] {
        let pushed = [Pushed {
            name: name.clone(),
            old,
            new: Some(new),
        }];
        let judged = judge_push(&door, &pushed, &settings(), Time::from_unix(super::vault::NOW + 1000)).unwrap();
        assert_eq!(judged.objections.is_empty(), moved, "{judged:?}");
        assert!(judged.objections.iter().all(|objection| objection.unknown));
    }
}

#[test]
fn a_witness_goes_on_and_pushes_nothing_else() {
    let vault = Vault::with(1, 9);
    let hub = Hub::of(&vault);
    let put = |vault: &Vault, parents: &[Oid], path: &str, bytes: &[u8]| {
        let blob = Object::blob(bytes.to_vec());
        let mut edit = crate::repo::TreeEdit::new();
        edit.insert(path, blob.oid()).unwrap();
        let tree = edit.apply(None, |_| Ok::<_, crate::repo::BadTree>(vec![])).unwrap();
        let commit = commit_bytes(tree.root, parents, "x <x@y> 1 +0000", "x\n", None).unwrap();
        let commit = Object::commit(commit);
        let oid = commit.oid();
        let objects = tree.objects.into_iter().chain([blob, commit]).collect();
        vault.put("witness/inspectorate", objects, oid);
        oid
    };
    let junk = vault.copy();
    let first = put(&junk, &[], "junk", b"x");
    hub.refuses("a stray", &junk, &[(32, None)]);
    put(&junk, &[], &vault.log.to_string(), b"x");
    hub.refuses("no checkpoint", &junk, &[(31, None)]);
    // A good end does not make up for what stands below it: here none is good.
    put(&junk, &[first], &vault.log.to_string(), b"x");
    hub.refuses("a stray below", &junk, &[(32, None)]);
}

#[test]
fn a_commit_that_stock_git_lets_nobody_fetch_is_refused() {
    let vault = Vault::with(1, 9);
    let hub = Hub::of(&vault);
    for (branch, line) in [
        ("witness/zz", "x"),
        ("witness/zz", "x <x@y> 01 +0000"),
        ("notes/01", "x"),
        ("main", "x"),
    ] {
        let bad = vault.copy();
        let old = bad.repo().ref_target(&format!("refs/heads/{branch}")).unwrap();
        let tree = match old {
            Some(old) => bad.repo().read_commit(old, 1 << 20).unwrap().tree,
            None => Oid::hash_object(crate::repo::Kind::Tree, b""),
        };
        let parent = old.map_or_else(String::new, |old| format!("parent {old}\n"));
        let text = format!("tree {tree}\n{parent}author {line}\ncommitter {line}\n\nkeep\n");
        let empty = Object {
            kind: crate::repo::Kind::Tree,
            bytes: Vec::new(),
        };
        let commit = Object::commit(text.into_bytes());
        let oid = commit.oid();
        bad.put(branch, vec![empty, commit], oid);
        let judged = hub.judge(&bad);
        assert!(!judged.objections.is_empty(), "{branch} {line}");
    }
}
