//! What may stand beside a log: histories that count, and what anybody may have put there.

use super::clones::{admit, exchange, exists, merge, read, two, with, write};
use super::vault::{Forge, NOW, Vault, chain, note, settings, sign_lines};
use super::{Given, judge};
use crate::chain::{Problem, Time};
use crate::env::SystemEntropy;
use crate::id::{Digest, LogName};
use crate::ledger::start::live_of_all;
use crate::ledger::{Fate, Merged, Verdict, read_charter};
use crate::repo::Repo;

/// Where a log's branch ends: commit and root.
fn end_of(vault: &Vault, log: LogName) -> (String, Digest) {
    let report = judge(vault, &Given::default());
    let (.., root) = report.logs.iter().find(|(known, ..)| *known == log).unwrap();
    (vault.target(&format!("audit/{log}")).to_string(), *root)
}

fn branch(log: LogName) -> String {
    format!("refs/heads/audit/{log}")
}

fn fork(log: LogName, root: Digest) -> String {
    format!("refs/heads/audit/{log}-fork-{root}")
}

fn fate(merged: &Merged, log: LogName) -> &Fate {
    &merged.logs.iter().find(|(known, _)| *known == log).unwrap().1
}

/// The log of `vault` as somebody would have it who has not its device's key: what it saw of another log never was.
fn forged(vault: &Vault, of: LogName, other: &Vault) -> (String, Digest) {
    let copy = vault.copy();
    let mut entries = copy.entries(vault.log);
    let last = entries.last_mut().unwrap();
    last.seen.insert(of, (3, Digest([7; 32])));
    let messages = sign_lines(&chain(&entries), vault.log, &other.identity);
    let forge = Forge {
        signer: Some(&other.identity),
        ..Forge::default()
    };
    copy.put_log(vault.log, &messages, &forge);
    copy.cut();
    vault.git(&["fetch", "-q", copy.dir().to_str().unwrap(), &branch(vault.log)]);
    let end = end_of(&copy, vault.log);
    (vault.git(&["rev-parse", "FETCH_HEAD"]), end.1)
}

#[test]
fn what_a_stranger_keeps_beside_a_log_stops_nobody() {
    let (mut a, mut b) = two();
    let log = a.log;
    let (began, root) = end_of(&a, log);
    let (of_b, _) = end_of(&a, b.log);
    read(&mut a);
    a.cut();
    let (forgery, forged_root) = forged(&a, b.log, &b);
    let strays = [
        ("its beginning", fork(log, root), &began),
        ("its beginning, under another name", fork(log, Digest([1; 32])), &began),
        ("another log", fork(log, Digest([2; 32])), &of_b),
        ("a forgery that speaks of another log", fork(log, forged_root), &forgery),
    ];
    for (what, name, commit) in &strays {
        a.git(&["update-ref", name, commit]);
        let report = judge(&a, &Given::default());
        assert_eq!(report.verdict, Verdict::Tampered, "{what}");
        let own = |problem: &&Problem| problem.case != 43 && !problem.message.contains("the history kept as");
        assert_eq!(
            report.problems.iter().filter(own).collect::<Vec<_>>(),
            [] as [&Problem; 0],
            "{what}"
        );
        // The device goes on in the log that it had, and others take what it enters.
        with(&mut a, |ledger, _| {
            assert!(!ledger.is_forked(), "{what}");
            assert_eq!(ledger.head().0, log);
        });
        write(&mut a, note(20), 1);
        let merged = merge(&mut b, &a);
        assert!(
            matches!(fate(&merged, log), Fate::Ahead { .. }),
            "{what}: {:?}",
            merged.logs
        );
        assert_eq!(exists(&b), exists(&a), "{what}");
        assert_eq!(judge(&b, &Given::default()).problems, [], "{what}");
        // Nor do they stop who has them here from merging.
        write(&mut b, note(21), 1);
        merge(&mut a, &b);
        assert_eq!(exists(&b), exists(&a), "{what}");
        // A device that comes in anew reads past them.
        let repo = a.repo();
        let charter = read_charter(&repo, Some(a.identity.founder_pin())).unwrap();
        assert!(live_of_all(&repo, &charter, &[]).is_ok(), "{what}");
        a.git(&["update-ref", "-d", name]);
    }
    for (_, name, commit) in &strays {
        a.git(&["update-ref", name, commit]);
    }
    let set_aside = with(&mut a, |ledger, _| ledger.quarantined().to_vec());
    assert!(set_aside.iter().all(|one| one.log == log && one.fork));
    assert_eq!(set_aside.len(), 1, "{set_aside:?}");
}

#[test]
fn branches_that_point_to_nothing_stop_nobody() {
    let (mut a, mut b) = two();
    a.cut();
    for (name, content) in [
        ("aaaa".to_owned(), ""),
        (format!("{}-fork-{}", a.log, Digest([5; 32])), "torn"),
        ("sym".to_owned(), "ref: refs/heads/main\n"),
    ] {
        let path = a.dir().join("refs/heads/audit").join(&name);
        std::fs::write(&path, content).unwrap();
        assert_eq!(judge(&a, &Given::default()).verdict, Verdict::Tampered, "{name}");
        read(&mut a);
        merge(&mut a, &b);
        merge(&mut b, &a);
        std::fs::remove_file(path).unwrap();
        assert_eq!(exists(&b), exists(&a), "{name}");
    }
}

#[test]
fn a_history_that_the_device_signed_is_not_overlooked() {
    // Two clones of one device, both written to.
    let (mut a, b) = two();
    a.cut();
    let mut twin = a.copy();
    write(&mut a, note(30), 1);
    write(&mut twin, note(31), 1);
    twin.cut();
    let log = a.log;
    let (end, root) = end_of(&twin, log);
    a.git(&["fetch", "-q", twin.dir().to_str().unwrap(), &branch(log)]);
    // Its newest checkpoint without any of its entries before.
    let bare = a.copy();
    let message = bare.git(&["log", "-1", "--format=%B", &end]);
    std::fs::write(bare.dir().join("message"), message + "\n").unwrap();
    let tree = bare.git(&["hash-object", "-t", "tree", "-w", "/dev/null"]);
    let file = bare.dir().join("message").display().to_string();
    let lone = bare.git(&["commit-tree", &tree, "-F", &file]);
    // Beside the whole one a lone one hides nothing, whichever comes first.
    let mut both = bare.copy();
    let first = fork(log, Digest([0; 32]));
    both.git(&["update-ref", &first, &lone]);
    both.git(&["update-ref", &fork(log, root), &end]);
    let held = |vault: &mut Vault| {
        with(vault, |ledger, _| {
            ledger
                .standing
                .live
                .iter()
                .any(|(file, _)| file.note() == Some(note(31)))
        })
    };
    assert!(held(&mut both));
    both.git(&["update-ref", "-d", &first]);
    assert!(held(&mut both));
    for (what, vault, name, commit) in [
        ("as it should be", a.copy(), fork(log, root), &end),
        ("under another name", a.copy(), fork(log, Digest([3; 32])), &end),
        ("of which no entry is left", bare, fork(log, root), &lone),
    ] {
        let mut vault = vault;
        vault.git(&["update-ref", &name, commit]);
        let began = with(&mut vault, |ledger, now| {
            assert!(ledger.is_forked(), "{what}");
            ledger.begin_anew(now, &mut SystemEntropy).unwrap();
            assert!(!ledger.is_forked(), "{what}");
            ledger.head().0
        });
        assert!(began != log && began.device == log.device);
        vault.log = began;
        assert_eq!(vault.entries(began)[0].joined.len(), 2, "{what}");
        assert!(
            vault.entries(began)[0]
                .joined
                .iter()
                .any(|(_, _, known)| *known == root)
        );
        drop(vault);
    }
    drop(b);
}

#[test]
fn a_log_whose_branch_is_torn_comes_back() {
    let (mut a, mut b) = two();
    let log = b.log;
    write(&mut b, note(40), 1);
    a.cut();
    std::fs::write(a.dir().join(branch(log)), "").unwrap();
    merge(&mut a, &b);
    assert_eq!(a.target(&format!("audit/{log}")), b.target(&format!("audit/{log}")));
    assert_eq!(exists(&a), exists(&b));
}

#[test]
fn what_a_device_remembers_of_its_log_keeps_files_that_no_entry_here_wrote() {
    let (mut a, mut b) = two();
    let log = b.log;
    b.cut();
    let before = b.target(&format!("audit/{log}")).to_string();
    for n in 42..45 {
        write(&mut b, note(n), 1);
    }
    b.cut();
    let files = exists(&b);
    // Its own branch is put back to what others have seen.
    b.git(&["update-ref", &branch(log), &before]);
    let now = Time::from_unix(NOW + 4000);
    let caught = crate::ledger::catch_up(
        &b.repo(),
        &b.identity,
        &b.state(),
        crate::repo::PATIENCE,
        (&a.repo(), "a"),
        now,
    );
    caught.unwrap();
    assert_eq!(exists(&b), files);
    read(&mut a);
}

#[test]
fn a_history_under_the_name_of_another_log_hides_none() {
    let (a, mut b) = two();
    b.cut();
    let (log, mut twin) = (b.log, b.copy());
    write(&mut b, note(32), 1);
    write(&mut twin, note(33), 1);
    merge(&mut b, &twin);
    b.cut();
    let kept = format!("{}-fork-*", branch(log));
    let kept = b.git(&["for-each-ref", "--format=%(objectname)", &kept]);
    let of_files = |vault: &Vault| {
        let problems = judge(vault, &Given::default()).problems;
        problems.iter().filter(|problem| problem.case != 43).count()
    };
    assert_eq!(of_files(&b), 0);
    // It comes first, by the order of names.
    assert!(a.log < log);
    b.git(&["update-ref", &fork(a.log, Digest([0; 32])), &kept]);
    let problems = judge(&b, &Given::default()).problems;
    let others = problems.iter().filter(|problem| problem.case != 43);
    let own = |problem: &&Problem| !problem.message.contains("the history kept as");
    assert_eq!(others.filter(own).collect::<Vec<_>>(), [] as [&Problem; 0]);
}

#[test]
fn a_log_of_which_a_fork_alone_is_here_comes_back_under_its_own_name() {
    let (mut a, mut b) = two();
    let log = b.log;
    let (began, root) = end_of(&a, log);
    write(&mut b, note(40), 1);
    a.cut();
    a.git(&["update-ref", &fork(log, root), &began]);
    a.git(&["update-ref", "-d", &branch(log)]);
    let merged = merge(&mut a, &b);
    assert!(matches!(fate(&merged, log), Fate::New(_)));
    assert_eq!(a.target(&format!("audit/{log}")), b.target(&format!("audit/{log}")));
    assert_eq!(exists(&a), exists(&b));
    assert_eq!(judge(&a, &Given::default()).problems, []);
}

#[test]
fn what_goes_on_from_a_log_takes_its_name() {
    let (a, mut b) = two();
    let log = b.log;
    a.cut();
    let behind = a.copy();
    write(&mut b, note(41), 1);
    b.cut();
    let (end, root) = end_of(&b, log);
    for mut vault in [behind.copy(), behind] {
        // Its newest state stands beside it as another history.
        vault.git(&["fetch", "-q", b.dir().to_str().unwrap(), &branch(log)]);
        vault.git(&["update-ref", &fork(log, root), &end]);
        let merged = merge(&mut vault, &b);
        assert!(matches!(fate(&merged, log), Fate::Ahead { .. }), "{:?}", merged.logs);
        assert_eq!(vault.target(&format!("audit/{log}")).to_string(), end);
        assert_eq!(judge(&vault, &Given::default()).problems, []);
        assert_eq!(exists(&vault), exists(&b));
    }
}

#[test]
fn a_log_that_is_away_takes_nothing_with_it_and_brings_nothing_back() {
    let mut lead = Vault::with(2, 4);
    let mut second = admit(&mut lead, 2);
    write(&mut lead, note(50), 1);
    exchange(&mut lead, &mut second);
    // What only knows the lead's log, with the note that the second destroys.
    let mut old = lead.copy();
    old.git(&["update-ref", "-d", &branch(second.log)]);
    let log = second.log;
    write(&mut second, note(51), 1);
    second.destroy(note(50));
    exchange(&mut second, &mut lead);
    lead.cut();
    let before = exists(&lead);
    let (commit, root) = end_of(&lead, log);
    for keep in [true, false] {
        let mut vault = lead.copy();
        if keep {
            vault.git(&["update-ref", &fork(log, root), &commit]);
        }
        vault.git(&["update-ref", "-d", &branch(log)]);
        merge(&mut vault, &old);
        if keep {
            assert_eq!(exists(&vault), before);
        } else {
            assert!(before.is_subset(&exists(&vault)));
        }
    }
    read(&mut old);
}

#[test]
fn the_past_of_a_log_under_many_names_is_read_once() {
    let (mut a, _) = two();
    let log = a.log;
    let (began, _) = end_of(&a, log);
    for n in 0..60u8 {
        a.git(&["update-ref", &fork(log, Digest([n; 32])), &began]);
    }
    read(&mut a);
    a.cut();
    let repo = Repo::open(&a.dir(), settings()).unwrap();
    let now = Time::from_unix(NOW + 5000);
    let mut ledger = crate::ledger::Ledger::start(&repo, &a.identity, &a.state(), crate::repo::PATIENCE, None).unwrap();
    assert!(!ledger.is_forked() && ledger.quarantined().is_empty());
    let draft = crate::ledger::Draft::read(crate::chain::Details::new("show"), vec![]);
    let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
}
