//! No false alarm: good vaults in every shape that stock tools give them, also while somebody writes.

use super::vault::{Vault, settings};
use super::{Given, Verdict, assert_intact, judge};
use crate::chain::Time;
use crate::chain::{Details, Kind};
use crate::crypto::ExampleEntropy;
use crate::ledger::{Changes, Draft, Ledger, note_ref, wrap_ref};
use crate::ledger::{NoReceipt, make_receipt};
use crate::repo::{MAX_PAYLOAD, Mode, Object, Oid, PATIENCE, Repo, TreeEntry, tree_bytes};

#[test]
fn a_good_vault_is_intact_in_every_shape() {
    let mut vault = Vault::with(6, 30);
    vault.destroy(super::vault::note(2));
    vault.cut();
    let receipt = make_receipt(&vault.repo(), None, Time::from_unix(0)).unwrap();
    let mark = vault.mark();
    let check = |what: &str, vault: &Vault| {
        let bare = assert_intact(what, vault, &Given::default());
        assert!(!bare.anchored && bare.entries == 31, "{what}");
        let given = Given {
            receipt: Some(&receipt),
            mark: Some(&mark),
            deep: true,
            ..Given::default()
        };
        let report = assert_intact(what, vault, &given);
        assert!(report.anchored && report.logs.len() == 1, "{what}");
    };
    check("as it was made", &vault);
    check("copied", &vault.copy());
    for (what, arguments) in [
        ("bare", vec!["clone", "-q", "--bare", "vault", "other"]),
        ("mirror", vec!["clone", "-q", "--mirror", "vault", "other"]),
        ("plain", vec!["clone", "-q", "vault", "other"]),
    ] {
        let copy = vault.copy();
        copy.git(&arguments);
        check(
            what,
            &copy.moved_to(if what == "plain" { "other/.git" } else { "other" }),
        );
    }
    let packed = vault.copy();
    packed.git(&["gc", "-q", "--aggressive", "--prune=now"]);
    check("packed", &packed);
    packed.git(&["pack-refs", "--all"]);
    check("refs packed", &packed);
}

fn imported(ledger: &Ledger<'_>, n: u8) -> Draft {
    let (note, mut changes) = (super::vault::note(n), Changes::default());
    let (body, wrap) = super::vault::seal_note(ledger, note, n);
    changes.write_digested(note_ref(note), note, body);
    changes.write_digested(wrap_ref(note), note, wrap);
    Draft::change(Kind::Add, Details::new("import"), vec![note], changes)
}

#[test]
fn entries_that_were_made_durable_together_are_as_others() {
    let vault = Vault::with(2, 200);
    let repo = vault.repo();
    let mut ledger = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, None).unwrap();
    let mut entropy = ExampleEntropy::new("together");
    // Past the end of a bundle, and more than one step takes.
    let drafts = (10..=130).map(|n| imported(&ledger, n)).collect();
    let now = Time::from_unix(super::vault::NOW + 1000);
    let places = ledger.record_together(drafts, now, &mut entropy).unwrap();
    let seqs: Vec<u64> = places.iter().map(|place| place.seq).collect();
    assert_eq!(seqs, (200..321).collect::<Vec<u64>>());
    let _recorded = ledger
        .record(
            Draft::read(Details::new("list"), vec![super::vault::note(77)]),
            now,
            &mut entropy,
        )
        .unwrap();
    drop(ledger);
    let journal = std::fs::read(vault.dir().join("strongroom.journal")).unwrap();
    let records = crate::repo::decode_records(&journal).unwrap().len();
    assert!(records < 12, "{records} durable steps");
    let given = Given {
        deep: true,
        ..Given::default()
    };
    let report = assert_intact("together", &vault, &given);
    assert_eq!(report.entries, 322);
    let ledger = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, None).unwrap();
    assert_eq!(ledger.wraps("").unwrap().len(), 123);
    vault.git(&["fsck", "--strict", "--no-dangling"]);
}

/// What a step takes is bounded by the folders that it changes too: in a large vault they are most of it.
#[test]
fn entries_that_are_made_durable_together_fit_the_journal_however_large_the_branches_are() {
    let vault = Vault::with(0, 4);
    // Three hundred files in each of 64 branches for notes and as many for keys: some 38 kB each.
    let files = (0..300).map(|n: u32| TreeEntry {
        mode: Mode::File,
        name: format!("{n:032x}.{n:064x}"),
        oid: Oid([1; 20]),
    });
    let tree = Object {
        kind: crate::repo::Kind::Tree,
        bytes: tree_bytes(files.collect()).unwrap(),
    };
    assert!(128 * tree.bytes.len() > MAX_PAYLOAD);
    let head = super::vault::commit(tree.oid(), &[], "keep\n", None);
    let target = head.oid();
    vault.put("notes/00", vec![tree, head], target);
    for n in 0..64 {
        for room in ["notes", "keys"] {
            let folder = vault.dir().join("refs/heads").join(room);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join(format!("{n:02x}")), format!("{target}\n")).unwrap();
        }
    }
    let repo = vault.repo();
    let mut ledger = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, None).unwrap();
    let drafts = (0..64).map(|n| imported(&ledger, n)).collect();
    let now = Time::from_unix(super::vault::NOW + 1000);
    let places = ledger.record_together(drafts, now, &mut ExampleEntropy::new("together"));
    let seqs: Vec<u64> = places.unwrap().iter().map(|place| place.seq).collect();
    assert_eq!(seqs, (4..68).collect::<Vec<u64>>());
    assert_eq!(ledger.wraps("").unwrap().len(), 64);
    drop(ledger);
    // Still many at once.
    let journal = std::fs::read(vault.dir().join("strongroom.journal")).unwrap();
    let steps = crate::repo::decode_records(&journal).unwrap().len();
    assert!(steps < 6, "{steps} durable steps");
}

#[test]
fn a_good_vault_with_bundles_is_intact() {
    let mut vault = Vault::with(2, 255);
    assert_intact(
        "255",
        &vault,
        &Given {
            deep: true,
            ..Given::default()
        },
    );
    for size in [256, 257, 511, 512, 530] {
        vault.grow(0, size);
        let receipt = make_receipt(&vault.repo(), None, Time::from_unix(0)).unwrap();
        let report = assert_intact(
            &size.to_string(),
            &vault,
            &Given {
                deep: true,
                receipt: Some(&receipt),
                ..Given::default()
            },
        );
        assert_eq!(report.entries, size);
    }
}

#[test]
fn an_older_copy_is_intact_against_an_older_receipt_and_named_against_a_newer() {
    let mut vault = Vault::with(1, 5);
    let old = vault.copy();
    let receipt = make_receipt(&vault.repo(), None, Time::from_unix(0)).unwrap();
    vault.grow(0, 9);
    let newer = make_receipt(&vault.repo(), None, Time::from_unix(0)).unwrap();
    assert_intact(
        "older",
        &old,
        &Given {
            receipt: Some(&receipt),
            ..Given::default()
        },
    );
    assert_intact(
        "newer",
        &vault,
        &Given {
            receipt: Some(&receipt),
            ..Given::default()
        },
    );
    let report = judge(
        &old,
        &Given {
            receipt: Some(&newer),
            ..Given::default()
        },
    );
    super::assert_caught("old copy", &report, &[(7, Some(5))]);
    let words = &report
        .problems
        .iter()
        .find(|problem| problem.case == 7)
        .unwrap()
        .message;
    assert!(words.contains("cut off") && words.contains("older copy"), "{words}");
}

#[test]
fn what_the_journal_still_holds_is_neither_missing_nor_stray() {
    let mut vault = Vault::found(1);
    assert_intact("only the journal is synced", &vault, &Given::default());
    let mut entries = 1;
    for _ in 0..5 {
        entries += 1;
        vault.grow(0, entries);
        // A writer that died before it moved its refs.
        let head = vault.target(&vault.audit());
        vault.git(&[
            "update-ref",
            &format!("refs/heads/{}", vault.audit()),
            &format!("{head}~1"),
        ]);
        let report = assert_intact(
            "refs not moved",
            &vault,
            &Given {
                mark: Some(&vault.mark()),
                ..Given::default()
            },
        );
        assert_eq!(report.entries, entries);
    }
    // Further back is no work of ours.
    let mark = vault.mark();
    vault.grow(0, 10);
    vault.git(&[
        "update-ref",
        &format!("refs/heads/{}", vault.audit()),
        &format!("{}~3", vault.target(&vault.audit())),
    ]);
    super::assert_caught(
        "cut",
        &judge(
            &vault,
            &Given {
                mark: Some(&vault.mark()),
                ..Given::default()
            },
        ),
        &[(9, Some(7))],
    );
    assert_eq!(mark.size, 6);
}

#[test]
fn a_damaged_journal_leaves_the_verdict_open_and_hides_nothing() {
    let vault = Vault::with(1, 5);
    let mark = vault.mark();
    std::fs::write(vault.dir().join("strongroom.journal"), b"").unwrap();
    let report = judge(&vault, &Given::default());
    assert_eq!((report.verdict, report.problems), (Verdict::Unknown, vec![]));
    assert_eq!((report.unknown.len(), report.unknown[0].case), (1, 32));
    assert!(make_receipt(&vault.repo(), None, Time::from_unix(0)).is_err());
    vault.git(&["update-ref", "-d", &format!("refs/heads/{}", vault.audit())]);
    let given = Given {
        mark: Some(&mark),
        ..Given::default()
    };
    super::assert_caught("log deleted", &judge(&vault, &given), &[(9, None), (10, None)]);
}

#[test]
fn no_false_alarm_while_another_program_appends() {
    let mut vault = Vault::with(1, 3);
    let dir = vault.dir();
    vault.clock = 100_000;
    let done = std::sync::atomic::AtomicBool::new(false);
    let looks = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut looks = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) || looks < 3 {
                let repo = Repo::open_to_verify(&dir, settings()).unwrap();
                let now = Time::from_unix(i64::MAX);
                let anchors = crate::ledger::Anchors {
                    receipt: None,
                    high_water: None,
                    witnesses: &[],
                    now,
                    deep: looks % 3 == 0,
                };
                let report = crate::ledger::verify(&repo, &anchors).unwrap();
                assert_eq!(
                    (report.problems, report.unknown, report.findings),
                    (vec![], vec![], vec![]),
                    "look {looks}"
                );
                looks += 1;
            }
            looks
        });
        for round in 0..8u64 {
            vault.grow(3, 10 + round * 40);
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert!(looks >= 3, "{looks}");
}

#[test]
fn no_false_alarm_while_another_program_destroys() {
    let mut vault = Vault::with(8, 9);
    let dir = vault.dir();
    let done = std::sync::atomic::AtomicBool::new(false);
    let ended = || done.load(std::sync::atomic::Ordering::Relaxed);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut looks = 0;
            while !ended() || looks < 3 {
                let repo = Repo::open_to_verify(&dir, settings()).unwrap();
                let anchors = crate::ledger::Anchors {
                    receipt: None,
                    high_water: None,
                    witnesses: &[],
                    now: Time::from_unix(i64::MAX),
                    deep: looks % 2 == 0,
                };
                let report = crate::ledger::verify(&repo, &anchors).unwrap();
                assert_eq!((report.problems, report.unknown), (vec![], vec![]), "look {looks}");
                looks += 1;
            }
        });
        for n in 0..8 {
            vault.destroy(super::vault::note(n));
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        reader.join().unwrap();
    });
    // Every shard was emptied, and stock git finds nothing left over.
    assert_eq!(vault.git(&["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn no_receipt_for_a_vault_that_is_not_intact() {
    let vault = Vault::with(1, 4);
    vault.git(&["update-ref", "refs/tags/stray", "refs/heads/main"]);
    match make_receipt(&vault.repo(), None, Time::from_unix(0)) {
        Err(NoReceipt::NotIntact(report)) => assert_eq!(report.problems[0].case, 32),
        _ => panic!("a receipt was given"),
    }
}
