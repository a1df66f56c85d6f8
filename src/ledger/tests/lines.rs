//! Damage inside one log: cases 1 to 6, 12, 15, 21, 23 to 28 and 30.

use super::vault::{Forge, VAULT, Vault, chain, commit, flip, identity, line, sign_lines};
use super::{Given, assert_caught, assert_intact, judge};
use crate::chain::{Checkpoint, Frontier, Message, Time, leaf_hash, node_hash};
use crate::crypto::sha256;
use crate::id::{Digest, VaultId};
use crate::repo::Mode;

type Case = (u8, Option<u64>);

fn lines(messages: &[String]) -> Vec<String> {
    messages.iter().map(|message| line(message).to_owned()).collect()
}

/// Another line of the same form: one character of what is sealed.
fn altered(text: &str) -> String {
    let at = text.find("\"sealed\":\"").unwrap() + 20;
    let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

/// A file as an entry names it, of the right form.
fn file() -> String {
    let (note, digest) = (super::vault::note(0), Digest([0; 32]));
    format!("[\"notes/00\",\"{note}.{digest}\",\"{digest}\"]")
}

fn other_root(of: &str) -> String {
    altered(of)
}

/// A damage to the list of messages, by somebody without a key, and what is then reported.
/// What it is called, the cases that must be named, and how it is done.
type Damage = (&'static str, Vec<Case>, Box<dyn Fn(&mut Vec<String>)>);

fn damages(size: usize, k: usize) -> Vec<Damage> {
    let seq = k as u64;
    vec![
        (
            "a byte flipped",
            vec![(1, Some(seq))],
            Box::new(move |all| all[k] = other_root(&all[k])),
        ),
        (
            "the last entry altered",
            vec![(1, Some(size as u64 - 1))],
            Box::new(move |all| {
                let last = all.len() - 1;
                all[last] = other_root(&all[last]);
            }),
        ),
        (
            "an entry deleted",
            vec![(2, Some(seq))],
            Box::new(move |all| drop(all.remove(k))),
        ),
        (
            "two entries deleted",
            vec![(2, Some(seq))],
            Box::new(move |all| drop(all.drain(k..k + 2))),
        ),
        (
            "an entry inserted",
            vec![(3, Some(seq))],
            Box::new(move |all| all.insert(k, altered(&all[k]))),
        ),
        (
            "two swapped",
            vec![(4, Some(seq))],
            Box::new(move |all| all.swap(k, k + 1)),
        ),
        (
            "one twice",
            vec![(5, Some(seq))],
            Box::new(move |all| all.insert(k + 1, all[k].clone())),
        ),
        (
            "one replayed later",
            vec![(5, Some(seq - 1))],
            Box::new(move |all| all.insert(k + 1, all[k - 1].clone())),
        ),
        (
            "the beginning cut off",
            vec![(6, Some(0))],
            Box::new(move |all| drop(all.drain(..3))),
        ),
        (
            "a new genesis",
            vec![(6, Some(1))],
            Box::new(move |all| all[0] = altered(&all[0])),
        ),
        (
            "an entry with a space",
            vec![(27, Some(seq))],
            Box::new(move |all| all[k] = all[k].replacen(':', ": ", 1)),
        ),
        (
            "a double key",
            vec![(27, Some(seq))],
            Box::new(move |all| all[k] = all[k].replacen("\"v\":1", "\"v\":1,\"v\":1", 1)),
        ),
        (
            "an unknown field",
            vec![(27, Some(seq))],
            Box::new(move |all| {
                all[k] = all[k].replacen("\"v\":1", "\"v\":1,\"zz\":1", 1);
            }),
        ),
        (
            "a read that writes",
            vec![(27, Some(seq))],
            Box::new(move |all| {
                let wrote = format!("\"v\":1,\"wrote\":[{}]", file());
                all[k] = all[k].replacen("\"v\":1", &wrote, 1);
            }),
        ),
        (
            "a denied destruction that forgets",
            vec![(27, Some(seq))],
            Box::new(move |all| {
                let forgot = format!("\"forgot\":[{}],\"kind\":\"destroy\",\"log\":", file());
                let denied = all[k].replacen("\"result\":\"done\"", "\"result\":\"denied\"", 1);
                all[k] = denied.replacen("\"log\":", &forgot, 1);
            }),
        ),
        (
            "sealed details that are not base64",
            vec![(27, Some(seq))],
            Box::new(move |all| all[k] = all[k].replacen("\"sealed\":\"", "\"sealed\":\"A", 1)),
        ),
        (
            "sealed details of no padded length",
            vec![(27, Some(seq))],
            Box::new(move |all| all[k] = all[k].replacen("\"sealed\":\"", "\"sealed\":\"AAAA", 1)),
        ),
        (
            "an integer beyond 2^53",
            vec![(27, Some(seq))],
            Box::new(move |all| {
                all[k] = all[k].replacen(&format!("\"seq\":{k}"), "\"seq\":9007199254740993", 1);
            }),
        ),
    ]
}

/// Every damage of that case is named: in the tail, by somebody without a key and by somebody with the true one, and
/// in a closed bundle.
fn assert_named(case: u8) {
    let good = Vault::with(2, 12);
    assert_intact("before", &good, &Given::default());
    let mut count = 0;
    for (what, cases, damage) in damages(12, 6).into_iter().filter(|(_, cases, _)| cases[0].0 == case) {
        count += 1;
        let vault = good.copy();
        let mut messages = vault.messages(vault.log);
        damage(&mut messages);
        vault.put_log(vault.log, &messages, &Forge::default());
        let report = judge(&vault, &Given::default());
        assert_caught(what, &report, &cases);
        let unsigned = report.problems.iter().any(|problem| problem.case == 12);
        assert!(unsigned, "{what}: its commits are not signed");
        if what == "the last entry altered" {
            continue;
        }
        let vault = good.copy();
        let mut lines = lines(&vault.messages(vault.log));
        damage(&mut lines);
        signed(&vault, &lines);
        assert_caught(what, &judge(&vault, &Given::default()), &cases);
    }
    assert!(count > 0);
    let long = Vault::with(1, 515);
    let messages = long.messages(long.log);
    for (what, cases, damage) in damages(515, 300).into_iter().filter(|(_, cases, _)| cases[0].0 == case) {
        if what == "the last entry altered" {
            continue;
        }
        let vault = long.copy();
        let mut bundled = lines(&messages);
        damage(&mut bundled);
        // The newest commit and its tree are new; what is below it stays.
        let bundles = bundled.len().div_ceil(256).min(2);
        let tree = (0..bundles).map(|n| {
            let to = if n + 1 == bundles { bundled.len() - 3 } else { 256 };
            let text: String = bundled[n * 256..to.max(n * 256)]
                .iter()
                .map(|line| format!("{line}\n"))
                .collect();
            (crate::chain::bundle_path(n as u64), Some(text.into_bytes()))
        });
        replace_head(&vault, tree.collect(), None);
        assert_caught(what, &judge(&vault, &Given::default()), &cases);
    }
}

/// These lines instead, each checkpoint and commit signed with the true key.
pub(super) fn signed(vault: &Vault, lines: &[String]) {
    put(vault, &sign_lines(lines, vault.log, &vault.identity));
}

/// These messages instead, each commit signed with the true key.
fn put(vault: &Vault, messages: &[String]) {
    let forge = Forge {
        signer: Some(&vault.identity),
        ..Forge::default()
    };
    vault.put_log(vault.log, messages, &forge);
}

#[test]
fn case_01_an_entry_altered() {
    assert_named(1);
}

#[test]
fn case_02_an_entry_deleted() {
    assert_named(2);
}

#[test]
fn case_03_an_entry_inserted() {
    assert_named(3);
}

#[test]
fn case_04_two_entries_swapped() {
    assert_named(4);
}

#[test]
fn case_05_an_entry_again() {
    assert_named(5);
}

#[test]
fn case_06_the_beginning_cut_off_or_replaced() {
    assert_named(6);
}

#[test]
fn case_27_a_line_that_is_not_the_one_form() {
    assert_named(27);
    // Longer than any entry.
    let good = Vault::with(0, 4);
    let vault = good.copy();
    let mut messages = vault.messages(vault.log);
    messages[3] = messages[3].replacen("\"sealed\":\"", &format!("\"sealed\":\"{}", "A".repeat(1 << 17)), 1);
    put(&vault, &messages);
    assert_caught("oversize", &judge(&vault, &Given::default()), &[(27, None)]);
    let mut messages = vault.messages(vault.log);
    messages[3] =
        good.messages(good.log)[3].replacen("\"sealed\":\"", &format!("\"sealed\":\"{}", "A".repeat(65_000)), 1);
    put(&vault, &messages);
    assert_caught("a little", &judge(&vault, &Given::default()), &[(27, None)]);
    messages[3] = "hello".into();
    put(&vault, &messages);
    assert_caught("no line", &judge(&vault, &Given::default()), &[(27, None)]);
}

/// Raw bytes: the objects of a bundle and of a commit.
#[test]
fn case_01_02_and_26_objects_of_a_log_damaged_and_removed() {
    let good = Vault::with(1, 515);
    let head = good.repo().read_commit(good.target(&good.audit()), 1 << 20).unwrap();
    let path = "bundles/0000/01";
    let bundle = good.repo().find_path(head.tree, path, 1 << 20).unwrap().unwrap();
    assert_eq!(bundle.mode, Mode::File);
    let (bits, commit, gone, newest) = (good.copy(), good.copy(), good.copy(), good.copy());
    flip(&newest.loose(newest.target(&newest.audit())));
    assert_caught("the newest", &judge(&newest, &Given::default()), &[(1, None)]);
    flip(&bits.loose(bundle.oid));
    let report = judge(&bits, &Given::default());
    assert_caught("a bundle's", &report, &[(1, Some(256)), (26, Some(256))]);
    flip(&commit.loose(head.parents[0]));
    assert_caught("a commit's", &judge(&commit, &Given::default()), &[(1, Some(513))]);
    std::fs::remove_file(gone.loose(head.parents[0])).unwrap();
    assert_caught("removed", &judge(&gone, &Given::default()), &[(2, Some(513))]);
}

#[test]
fn case_25_a_bundle_and_its_commits_apart() {
    let good = Vault::with(1, 258);
    let deep = Given {
        deep: true,
        ..Given::default()
    };
    assert_intact("before", &good, &deep);
    let messages = good.messages(good.log);
    let bundled = lines(&messages).into_iter().map(String::into_bytes).collect();
    let mut other = messages.clone();
    other[100] = altered(&other[100]);
    let vault = good.copy();
    let forge = Forge {
        signer: Some(&vault.identity),
        bundled: Some(bundled),
        ..Forge::default()
    };
    vault.put_log(vault.log, &other, &forge);
    assert_intact("not looked at", &vault, &Given::default());
    assert_caught("deep", &judge(&vault, &deep), &[(25, Some(100))]);
    // A commit below the bundle gone.
    let vault = good.copy();
    let repo = vault.repo();
    let (oid, _) = repo
        .first_parents(vault.target(&vault.audit()), 1 << 20)
        .nth(200)
        .unwrap()
        .unwrap();
    std::fs::remove_file(vault.loose(oid)).unwrap();
    assert_intact("not looked at", &vault, &Given::default());
    let report = judge(&vault, &deep);
    assert_caught("a commit gone", &report, &[(25, Some(57))]);
    let of_log = |problem: &&crate::chain::Problem| problem.case == 25 && problem.seq.is_none();
    assert!(
        report.problems.iter().any(|problem| of_log(&problem)),
        "not all entries have a commit"
    );
    assert_eq!(report.problems.len(), 2, "{:#?}", report.problems);
}

#[test]
fn case_26_bundles_missing_too_many_short_and_other_files() {
    let good = Vault::with(1, 515);
    let short = {
        let messages = good.messages(good.log);
        let lines = lines(&messages);
        lines[..255].iter().map(|line| format!("{line}\n")).collect::<String>()
    };
    type Cut<'a> = (&'a str, Vec<(String, Option<Vec<u8>>)>, Vec<Case>);
    let cut: Vec<Cut<'_>> = vec![
        (
            "a bundle missing",
            vec![("bundles/0000/01".into(), None)],
            vec![(26, Some(256))],
        ),
        (
            "a bundle too many",
            vec![("bundles/0000/02".into(), Some(vec![]))],
            vec![(26, None)],
        ),
        (
            "a short bundle",
            vec![("bundles/0000/00".into(), Some(short.into_bytes()))],
            vec![(26, Some(0))],
        ),
        ("a stray path", vec![("readme".into(), Some(vec![]))], vec![(26, None)]),
        (
            "a stray folder",
            vec![("bundles/0000/00/x".into(), Some(vec![]))],
            vec![(26, Some(0))],
        ),
        (
            "a bundle of nothing",
            vec![("bundles/0000/00".into(), Some(vec![]))],
            vec![(26, Some(0))],
        ),
    ];
    for (what, edit, cases) in cut {
        let vault = good.copy();
        replace_head(&vault, edit, Some(()));
        assert_caught(what, &judge(&vault, &Given::default()), &cases);
    }
}

/// The newest commit once more, with other bundles.
fn replace_head(vault: &Vault, files: Vec<(String, Option<Vec<u8>>)>, signed: Option<()>) {
    let repo = vault.repo();
    let head = repo.read_commit(vault.target(&vault.audit()), 1 << 20).unwrap();
    let mut objects = Vec::new();
    let mut edit = crate::repo::TreeEdit::new();
    for (path, bytes) in files {
        match bytes {
            Some(bytes) => {
                if path == "bundles/0000/00/x" {
                    edit = crate::repo::TreeEdit::new();
                }
                let blob = crate::repo::Object::blob(bytes);
                edit.insert(&path, blob.oid()).unwrap();
                objects.push(blob);
            }
            None => edit.remove(&path).unwrap(),
        }
    }
    let deep = |oid| {
        repo.read_tree(oid, 1 << 20)
            .map(|list| list.into_iter().filter(|e| e.name != "00").collect())
    };
    let plain = |oid| repo.read_tree(oid, 1 << 20);
    let edited = match edit.apply(Some(head.tree), plain) {
        Ok(edited) => edited,
        Err(_) => edit.apply(Some(head.tree), deep).unwrap(),
    };
    objects.extend(edited.objects);
    let commit = commit(
        edited.root,
        &head.parents,
        &head.message,
        signed.map(|()| &vault.identity),
    );
    let oid = commit.oid();
    objects.push(commit);
    vault.put(&vault.audit(), objects, oid);
}

/// Every checkpoint that is wrong in the way of that case is named.
fn assert_checkpoints(case: u8) {
    let good = Vault::with(1, 9);
    let (log, true_key) = (good.log, &good.identity);
    let messages = good.messages(log);
    let texts = lines(&messages);
    let root = |at: usize| {
        let mut frontier = Frontier::default();
        texts[..=at]
            .iter()
            .for_each(|line| frontier.push(leaf_hash(line.as_bytes())));
        frontier
    };
    let foreign = |at: usize, vault, log| {
        let frontier = root(at);
        let checkpoint = Checkpoint {
            vault,
            log,
            size: at as u64 + 1,
            root: frontier.root(),
        };
        let checkpoint = true_key.sign_checkpoint(checkpoint);
        let message = Message {
            line: texts[at].clone().into_bytes(),
            checkpoint,
            frontier,
        };
        String::from_utf8(message.to_bytes()).unwrap()
    };
    let of_vault = foreign(8, VaultId([9; 16]), log);
    let of_log = foreign(8, VAULT, super::vault::log_of(9));
    let inside = foreign(5, VAULT, super::vault::log_of(9));
    let old_root = messages[8].replace(
        messages[8].split("frontier\n").nth(1).unwrap(),
        messages[7].split("frontier\n").nth(1).unwrap(),
    );
    let note = |text: &str| text.split("\n\n").nth(1).unwrap().to_owned();
    let table: Vec<(&str, usize, String, Case)> = vec![
        ("another vault's", 8, of_vault, (23, Some(8))),
        ("another log's", 8, of_log, (23, Some(8))),
        ("another log's inside", 5, inside, (23, Some(5))),
        (
            "no signature",
            8,
            messages[8].replace("\n\n\u{2014}", "\n\n-"),
            (24, Some(8)),
        ),
        ("no checkpoint", 8, format!("{}\n", texts[8]), (24, Some(8))),
        (
            "an extension line",
            8,
            messages[8].replace(&note(&messages[8]), &format!("{}\nmore", note(&messages[8]))),
            (24, Some(8)),
        ),
        ("another frontier", 8, old_root.clone(), (24, Some(8))),
        (
            "no signature inside",
            5,
            messages[5].replace("\n\n\u{2014}", "\n\n-"),
            (24, Some(5)),
        ),
        (
            "another's checkpoint inside",
            5,
            messages[5].replace(&note(&messages[5]), &note(&messages[4])),
            (24, Some(5)),
        ),
        ("no text at all", 8, "hello".into(), (24, Some(8))),
    ];
    let of_case = table.into_iter().filter(|(.., (number, _))| *number == case);
    for (what, at, message, case) in of_case {
        let vault = good.copy();
        let mut messages = messages.clone();
        assert_ne!(messages[at], message, "{what}");
        messages[at] = message;
        vault.put_log(
            log,
            &messages,
            &Forge {
                signer: Some(true_key),
                ..Forge::default()
            },
        );
        assert_caught(what, &judge(&vault, &Given::default()), &[case]);
    }
}

#[test]
fn case_23_a_checkpoint_of_another_vault_or_log() {
    assert_checkpoints(23);
}

#[test]
fn case_24_a_checkpoint_that_is_none_or_over_another_tree() {
    assert_checkpoints(24);
}

#[test]
fn case_12_and_15_signed_with_another_key() {
    let good = Vault::with(1, 9);
    let (log, true_key, stranger) = (good.log, &good.identity, identity(5, Digest([0; 32])));
    let texts = lines(&good.messages(log));
    for (what, by, commits) in [
        ("checkpoints by a stranger", &stranger, Some(true_key)),
        ("commits by a stranger", true_key, Some(&stranger)),
        ("commits by nobody", true_key, None),
        ("all by a stranger", &stranger, Some(&stranger)),
    ] {
        let vault = good.copy();
        vault.put_log(
            log,
            &sign_lines(&texts, log, by),
            &Forge {
                signer: commits,
                ..Forge::default()
            },
        );
        assert_caught(what, &judge(&vault, &Given::default()), &[(12, Some(8))]);
    }
    // A log of a device that nobody admitted.
    let vault = good.copy();
    let other = super::vault::log_of(5);
    let mut entries = good.entries(log);
    entries.iter_mut().for_each(|entry| entry.log = other);
    entries.iter_mut().for_each(|entry| entry.wrote.clear());
    let messages = sign_lines(&chain(&entries), other, &stranger);
    vault.put_log(
        other,
        &messages,
        &Forge {
            signer: Some(&stranger),
            ..Forge::default()
        },
    );
    assert_caught(
        "a log too many",
        &judge(&vault, &Given::default()),
        &[(12, Some(8)), (15, Some(0))],
    );
}

#[test]
fn case_28_leaves_and_nodes_confused() {
    let good = Vault::with(0, 7);
    let texts = lines(&good.messages(good.log));
    type Hash = fn(&[u8]) -> Digest;
    type Join = fn(&Digest, &Digest) -> Digest;
    let variants: [(Hash, Join); 4] = [
        (|line| sha256(&[line]), node_hash),
        (|line| sha256(&[&[1], line]), node_hash),
        (leaf_hash, |a, b| sha256(&[&a.0, &b.0])),
        (|line| sha256(&[line]), |a, b| sha256(&[&a.0, &b.0])),
    ];
    for (n, (leaf, join)) in variants.into_iter().enumerate() {
        let hashes: Vec<Digest> = texts.iter().map(|line| leaf(line.as_bytes())).collect();
        let four = join(&join(&hashes[0], &hashes[1]), &join(&hashes[2], &hashes[3]));
        let roots = vec![four, join(&hashes[4], &hashes[5]), hashes[6]];
        let root = join(&roots[0], &join(&roots[1], &roots[2]));
        let checkpoint = Checkpoint {
            vault: VAULT,
            log: good.log,
            size: 7,
            root,
        };
        let frontier = Frontier::from_parts(7, roots).unwrap();
        let checkpoint = good.identity.sign_checkpoint(checkpoint);
        let message = Message {
            line: texts[6].clone().into_bytes(),
            checkpoint,
            frontier,
        };
        let vault = good.copy();
        let mut messages = vault.messages(vault.log);
        messages[6] = String::from_utf8(message.to_bytes()).unwrap();
        vault.put_log(
            vault.log,
            &messages,
            &Forge {
                signer: Some(&good.identity),
                ..Forge::default()
            },
        );
        assert_caught(
            &format!("variant {n}"),
            &judge(&vault, &Given::default()),
            &[(28, Some(6))],
        );
    }
}

#[test]
fn case_15_a_log_begins_with_its_admission() {
    let good = Vault::with(1, 9);
    let signer = Some(&good.identity);
    let vault = good.copy();
    let mut entries = vault.entries(vault.log);
    entries[0].admitted = Some(Digest([9; 32]));
    let messages = sign_lines(&chain(&entries), vault.log, &good.identity);
    vault.put_log(
        vault.log,
        &messages,
        &Forge {
            signer,
            ..Forge::default()
        },
    );
    assert_caught("another card", &judge(&vault, &Given::default()), &[(15, Some(0))]);

    let vault = good.copy();
    let mut texts = lines(&vault.messages(vault.log));
    let admitted = format!("\"admitted\":\"{}\",", vault.entries(vault.log)[0].admitted.unwrap());
    texts[0] = texts[0].replace(&admitted, "");
    vault.put_log(
        vault.log,
        &sign_lines(&texts, vault.log, &good.identity),
        &Forge {
            signer,
            ..Forge::default()
        },
    );
    assert_caught("no card", &judge(&vault, &Given::default()), &[(15, Some(0))]);
}

#[test]
fn case_30_a_log_is_one_line_of_commits_and_none_is_hidden() {
    let good = Vault::with(1, 9);
    let signer = Some(&good.identity);
    let messages = good.messages(good.log);
    for (at, seq) in [(8, 8), (4, 4), (0, 0)] {
        let vault = good.copy();
        vault.put_log(
            vault.log,
            &messages,
            &Forge {
                signer,
                second_parent_at: Some(at),
                ..Forge::default()
            },
        );
        assert_caught("another parent", &judge(&vault, &Given::default()), &[(30, Some(seq))]);
    }
    for (path, text) in [
        ("shallow", good.target("main").to_string()),
        ("info/grafts", good.target("main").to_string()),
        ("objects/info/alternates", "/elsewhere".into()),
        ("commondir", good.dir().display().to_string()),
        (
            &format!("refs/replace/{}", good.target("main")),
            good.target(&good.audit()).to_string(),
        ),
    ] {
        let vault = good.copy();
        let path = vault.dir().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, format!("{text}\n")).unwrap();
        assert_caught("hidden history", &judge(&vault, &Given::default()), &[(30, None)]);
    }
}

#[test]
fn case_25_and_26_every_commit_has_its_author_its_time_and_its_tree() {
    let good = Vault::with(1, 9);
    let deep = Given {
        deep: true,
        ..Given::default()
    };
    assert_intact("before", &good, &deep);
    let messages = good.messages(good.log);
    let signer = Some(&good.identity);
    let (person, time) = (good.identity.person(), super::vault::NOW + 3);
    let forged = |forge: Forge<'_>| {
        let vault = good.copy();
        vault.put_log(vault.log, &messages, &forge);
        vault
    };
    let by = |author: String| {
        forged(Forge {
            signer,
            author: Some((3, author)),
            ..Forge::default()
        })
    };
    assert_intact("itself", &by(format!("member1 <{person}@{VAULT}> {time} +0000")), &deep);
    for author in [
        format!("member2 <{person}@{VAULT}> {time} +0000"),
        format!("member1 <{}@{VAULT}> {time} +0000", crate::id::PersonId([2; 8])),
        format!("member1 <{person}@{}> {time} +0000", VaultId([9; 16])),
        format!("member1 <{person}@{VAULT}> {} +0000", time + 1),
        format!("member1 <{person}@{VAULT}> {time} +0100"),
    ] {
        assert_caught(&author, &judge(&by(author.clone()), &deep), &[(25, Some(3))]);
    }
    let stray = |at, path: &str| {
        let tree = vec![(path.to_owned(), Some(b"x".to_vec()))];
        forged(Forge {
            signer,
            tree,
            tree_at: Some(at),
            ..Forge::default()
        })
    };
    for at in [0, 5] {
        let vault = stray(at, "x");
        assert_intact("not looked at", &vault, &Given::default());
        assert_caught("a stray file", &judge(&vault, &deep), &[(26, Some(at as u64))]);
    }
    let long = Vault::with(1, 515);
    let messages = long.messages(long.log);
    let (early, mut other) = (b"x\n".repeat(256), lines(&messages));
    other[7] = altered(&other[7]);
    let other: String = other[..256].iter().map(|line| format!("{line}\n")).collect();
    for (what, at, path, bytes) in [
        ("a bundle too early", 254, "bundles/0000/00", Some(early)),
        ("no bundle", 255, "bundles/0000/00", None),
        ("another bundle", 300, "bundles/0000/00", Some(other.into_bytes())),
    ] {
        let vault = long.copy();
        let forge = Forge {
            signer: Some(&long.identity),
            tree: vec![(path.to_owned(), bytes)],
            tree_at: Some(at),
            ..Forge::default()
        };
        vault.put_log(vault.log, &messages, &forge);
        // The next bundle brings the missing one back.
        assert_caught(what, &judge(&vault, &deep), &[(26, Some(at as u64))]);
    }
}

#[test]
fn case_21_a_clock_that_runs_back_or_ahead_is_a_finding() {
    let good = Vault::with(1, 9);
    for (what, seconds, seq) in [("back", -5, 5), ("ahead", 1_000_000_000, 4)] {
        let vault = good.copy();
        let mut entries = vault.entries(vault.log);
        let at = if what == "back" { 5 } else { 4 };
        entries[at].time = Time::from_unix(entries[at].time.unix() + seconds);
        let messages = sign_lines(&chain(&entries), vault.log, &good.identity);
        vault.put_log(
            vault.log,
            &messages,
            &Forge {
                signer: Some(&good.identity),
                ..Forge::default()
            },
        );
        let report = judge(&vault, &Given::default());
        assert_eq!(
            (report.verdict, report.problems),
            (super::Verdict::Intact, vec![]),
            "{what}"
        );
        assert!(
            report
                .findings
                .iter()
                .any(|found| found.case == 21 && found.seq == Some(seq)),
            "{what}"
        );
    }
}
