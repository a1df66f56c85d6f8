//! Two clones, accepted heads and restored backups: cases 16, 17, 18, 19 and 43, each by its number.

use super::clones::{assert_honest, exchange, exists, merge, read, sizes, two, with, write};
use super::vault::{Forge, NOW, Vault, chain, note, settings, sign_lines};
use super::{Given, assert_caught, judge};
use crate::chain::{Problem, Time};
use crate::env::SystemEntropy;
use crate::ledger::verify_against::standing_still;
use crate::ledger::{
    Accepted, Anchors, Beside, Fate, Ledger, LedgerError, Report, Verdict, catch_up, verify_beside, waits_for_a_lead,
};
use crate::repo::{PATIENCE, Repo};

/// `audit verify --against`, some days after the vault began.
fn beside(vault: &Vault, clone: Option<&Vault>, days: i64) -> Report {
    let accepted = Accepted::read_unauthenticated(&vault.state()).unwrap();
    let anchors = Anchors {
        receipt: None,
        high_water: None,
        witnesses: &[],
        now: Time::from_unix(NOW + 3600 + days * 86_400),
        deep: false,
    };
    let other = clone.map(|clone| (clone.repo(), clone.dir().display().to_string()));
    let beside = Beside {
        clone: other.as_ref().map(|(repo, name)| (repo, name.as_str())),
        accepted: accepted.as_ref(),
    };
    verify_beside(&vault.repo(), &anchors, &beside).unwrap()
}

/// Writes the second device's log anew with the true key: what was at `from` is another entry, and `size` are left.
fn rewrite(vault: &Vault, from: usize, size: usize) {
    let mut entries = vault.entries(vault.log);
    entries[from].sealed = super::vault::sealed(9);
    entries.truncate(size);
    let messages = sign_lines(&chain(&entries), vault.log, &vault.identity);
    let forge = Forge {
        signer: Some(&vault.identity),
        ..Forge::default()
    };
    vault.put_log(vault.log, &messages, &forge);
}

fn cases(report: &Report) -> Vec<u8> {
    report.problems.iter().map(|problem| problem.case).collect()
}

#[test]
fn clones_of_one_vault_agree_whoever_is_ahead() {
    let (mut a, mut b) = two();
    for _ in 0..2 {
        for (one, other) in [(&a, &b), (&b, &a)] {
            let report = beside(one, Some(other), 0);
            assert_eq!((report.problems, report.unknown), (vec![], vec![]));
            assert_eq!(report.verdict, Verdict::Intact);
        }
        read(&mut a);
        write(&mut b, note(12), 1);
    }
    let before = a.repo().refs("refs/").unwrap();
    beside(&a, Some(&b), 0);
    assert_eq!(a.repo().refs("refs/").unwrap(), before);
}

#[test]
fn case_16_two_clones_have_two_roots_at_one_size() {
    let (a, b) = two();
    let log = b.log;
    let size = b.entries(log).len();
    rewrite(&b, 1, size);
    let report = beside(&a, Some(&b), 0);
    assert_caught("two roots", &report, &[(16, Some(size as u64 - 1))]);
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.case == 16 && problem.log == Some(log))
    );
    assert!(!cases(&report).contains(&17));
}

#[test]
fn case_17_a_longer_history_does_not_go_on_from_a_shorter() {
    let (a, b) = two();
    let size = b.entries(b.log).len();
    rewrite(&b, 1, size - 1);
    for (one, other) in [(&a, &b), (&b, &a)] {
        let report = beside(one, Some(other), 0);
        assert_caught("no consistency", &report, &[(17, Some(size as u64 - 2))]);
        assert!(!cases(&report).contains(&16));
    }
}

#[test]
fn case_18_a_branch_that_was_accepted_went_back_or_to_another_history() {
    let (mut a, mut b) = two();
    merge(&mut a, &b);
    let (log, size) = (b.log, b.entries(b.log).len());
    assert_eq!(cases(&beside(&a, Some(&b), 0)), Vec::<u8>::new());
    let back = |vault: &Vault| {
        let target = vault.target(&format!("audit/{log}"));
        vault.git(&["update-ref", &format!("refs/heads/audit/{log}"), &format!("{target}~1")]);
    };
    let last = Some(size as u64 - 1);
    b.cut();
    let whole = b.target(&b.audit());
    back(&b);
    assert_caught("back", &beside(&a, Some(&b), 0), &[(18, last)]);
    // Another clone that never had more is only older.
    let moved = b.copy();
    assert!(!cases(&beside(&a, Some(&moved), 0)).contains(&18));
    // A merge says it too, and takes nothing back.
    let before = sizes(&a);
    let merged = merge(&mut a, &b);
    assert_eq!(
        merged
            .moved_back
            .iter()
            .map(|problem| (problem.case, problem.seq))
            .collect::<Vec<_>>(),
        [(18, last)]
    );
    assert_eq!(sizes(&a)[&log], before[&log]);
    // The next merge with it still says so.
    assert_eq!(merge(&mut a, &b).moved_back.len(), 1);
    b.git(&["update-ref", &format!("refs/heads/{}", b.audit()), &whole.to_string()]);
    assert_eq!(merge(&mut a, &b).moved_back, []);
    rewrite(&b, 1, size);
    assert_caught("sideways", &beside(&a, Some(&b), 0), &[(18, last), (16, last)]);
    // In the vault itself, without another clone.
    assert_eq!(cases(&beside(&a, None, 0)), Vec::<u8>::new());
    a.cut();
    back(&a);
    assert_caught("back here", &beside(&a, None, 0), &[(18, last)]);
    a.git(&["update-ref", "-d", &format!("refs/heads/audit/{log}")]);
    assert_caught("gone here", &beside(&a, None, 0), &[(18, last)]);
    b.clock += 1;
}

#[test]
fn case_19_a_clone_that_stands_at_an_old_state_leaves_the_verdict_open() {
    let (mut a, mut b) = two();
    let old = b.copy();
    read(&mut b);
    read(&mut b);
    merge(&mut a, &b);
    read(&mut a);
    // It lags, as every clone does.
    assert_eq!(beside(&a, Some(&old), 6).verdict, Verdict::Intact);
    let report = beside(&a, Some(&old), 40);
    assert_eq!((report.verdict, report.problems.len()), (Verdict::Unknown, 0));
    let [Problem { case: 19, message, .. }] = &report.unknown[..] else {
        panic!("{:?}", report.unknown)
    };
    assert!(message.contains("40 days") && message.contains("has seen"), "{message}");
    // One that has all that is here is not old, however long nobody wrote.
    exchange(&mut a, &mut b);
    assert_eq!(beside(&a, Some(&b), 400).verdict, Verdict::Intact);
    assert_eq!(standing_still(&[], Time::from_unix(NOW)), None);
}

/// A backup of the second device's clone was put back where nothing was remembered, and written to; the first clone
/// holds what the device had written before.
fn restored() -> (Vault, Vault) {
    let (mut a, mut b) = two();
    b.cut();
    let backup = b.copy();
    write(&mut b, note(20), 1);
    merge(&mut a, &b);
    std::fs::remove_dir_all(backup.state()).unwrap();
    std::fs::create_dir_all(backup.state()).unwrap();
    (a, backup)
}

#[test]
fn a_restored_backup_takes_its_own_log_from_another_clone() {
    let (a, b) = restored();
    // With what the device remembers, it refuses to go on: its own end is missing.
    let remembers = a.copy();
    let mut behind = b.copy();
    behind.clock += 50;
    let mark = remembers.entries(b.log).len() as u64;
    let catch = |vault: &Vault| {
        let now = Time::from_unix(NOW + 100);
        catch_up(
            &vault.repo(),
            &vault.identity,
            &vault.state(),
            PATIENCE,
            (&a.repo(), "a"),
            now,
        )
    };
    let merged = catch(&behind).unwrap();
    let fate = merged.logs.iter().find(|(log, _)| *log == b.log).unwrap();
    assert_eq!(
        fate.1,
        Fate::Ahead {
            from: mark - 1,
            to: mark
        }
    );
    assert_eq!(exists(&behind), exists(&a));
    read(&mut behind);
    assert_honest("it goes on", &behind);
    assert_eq!(behind.entries(b.log).len() as u64, mark + 1);
}

#[test]
fn a_device_that_remembers_more_than_its_vault_holds_catches_up() {
    let (mut a, mut b) = two();
    b.cut();
    let backup = b.copy();
    write(&mut b, note(20), 1);
    merge(&mut a, &b);
    // The vault is put back, what the device remembers is not.
    std::fs::remove_dir_all(b.dir()).unwrap();
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(backup.dir())
        .arg(b.dir())
        .status();
    assert!(copied.unwrap().success());
    let repo = Repo::open(&b.dir(), settings()).unwrap();
    let start = || Ledger::start(&repo, &b.identity, &b.state(), PATIENCE, None);
    assert!(matches!(start(), Err(LedgerError::Tampered(Problem { case: 9, .. }))));
    let now = Time::from_unix(NOW + 100);
    catch_up(&repo, &b.identity, &b.state(), PATIENCE, (&a.repo(), "a"), now).unwrap();
    assert!(start().is_ok());
    assert_honest("caught up", &b);
}

#[test]
fn case_43_a_restored_backup_that_was_written_to_keeps_both_histories() {
    let (mut a, mut b) = restored();
    let old = b.log;
    write(&mut b, note(30), 1);
    read(&mut b);
    // It learns of what it had written before, and begins a new log.
    let merged = merge(&mut b, &a);
    assert_eq!(
        merged.logs.iter().find(|(log, _)| *log == old).unwrap().1,
        Fate::Diverged
    );
    assert!(merged.began.is_some() && b.log != old && b.log.device == old.device);
    let first = &b.entries(b.log)[0];
    assert_eq!(first.joined.len(), 2);
    assert!(first.joined.iter().all(|(log, _, _)| *log == old));
    // What its first entry names must be there, though nobody else has seen it.
    let cut = b.copy();
    cut.cut();
    let forks = cut.repo().refs(&format!("refs/heads/audit/{old}-fork-")).unwrap();
    assert_eq!(forks.len(), 1);
    cut.git(&["update-ref", "-d", &forks[0].0]);
    assert_caught(
        "a history taken away",
        &judge(&cut, &Given::default()),
        &[(20, Some(0))],
    );
    read(&mut b);
    assert!(
        exists(&b)
            .iter()
            .filter(|path| path.contains(&note(20).to_string()))
            .count()
            == 2
    );
    assert!(
        exists(&b)
            .iter()
            .filter(|path| path.contains(&note(30).to_string()))
            .count()
            == 2
    );
    merge(&mut a, &b);
    assert_eq!(exists(&a), exists(&b));
    for vault in [&a, &b] {
        let report = judge(
            vault,
            &Given {
                mark: Some(&vault.mark()),
                deep: true,
                ..Given::default()
            },
        );
        assert_eq!((report.verdict, cases(&report)), (Verdict::Tampered, vec![43]));
        assert_eq!(report.problems[0].log, Some(old));
    }
    // Work goes on, and another merge changes nothing.
    write(&mut b, note(31), 1);
    let before = sizes(&b);
    merge(&mut b, &a);
    assert_eq!(sizes(&b), before);
    // What was cut out of one history shows all the same.
    let cut = a.copy();
    cut.cut();
    let branch = format!("refs/heads/audit/{old}-fork-");
    let forks = cut.repo().refs(&branch).unwrap();
    assert_eq!(forks.len(), 1);
    cut.git(&["update-ref", "-d", &forks[0].0]);
    assert!(
        judge(&cut, &Given::default())
            .problems
            .iter()
            .any(|problem| matches!(problem.case, 8 | 20))
    );
    // A lead looks at both.
    with(&mut a, |ledger, now| {
        let _recorded = ledger
            .join_histories(
                old,
                now,
                crate::chain::Details::new("join histories"),
                &mut SystemEntropy,
            )
            .unwrap();
    });
    exchange(&mut a, &mut b);
    for vault in [&a, &b] {
        let report = judge(
            vault,
            &Given {
                mark: Some(&vault.mark()),
                deep: true,
                ..Given::default()
            },
        );
        assert_eq!((report.problems, report.unknown), (vec![], vec![]));
        assert_eq!(
            report.findings.iter().map(|finding| finding.case).collect::<Vec<_>>(),
            [43]
        );
        assert_eq!(report.verdict, Verdict::Intact);
    }
    assert_eq!(cases(&beside(&a, Some(&b), 0)), Vec::<u8>::new());
    assert_eq!(cases(&beside(&b, Some(&a), 0)), Vec::<u8>::new());
    assert_eq!(exists(&a), exists(&b));
    // The same history kept twice is none of them.
    let twice = a.copy();
    twice.cut();
    let report = judge(&twice, &Given::default());
    let (_, _, root) = report.logs.iter().find(|(log, ..)| *log == old).unwrap();
    let head = format!("refs/heads/audit/{old}");
    twice.git(&["update-ref", &format!("{head}-fork-{root}"), &head]);
    assert_caught("kept twice", &judge(&twice, &Given::default()), &[(43, None)]);
    // Whoever forgets which log is its own finds it: the last of them.
    std::fs::remove_file(b.state().join("high-water")).unwrap();
    let log = with(&mut b, |ledger, _| ledger.head().0);
    assert_eq!(log, b.log);
}

#[test]
fn a_backup_with_two_histories_waits_for_a_lead_and_one_with_the_beginning_of_one_for_nobody() {
    let vault = Vault::with(2, 4);
    let forked = vault.copy();
    forked.put_beside(1..2);
    let told = judge(&forked, &Given::default()).problems;
    assert!(!told.is_empty() && told.iter().all(waits_for_a_lead), "{told:?}");
    // Whoever holds a copy adds a line: nobody wrote to a vault that was put back.
    let entries = vault.entries(vault.log);
    let (_, root) = super::peers::root(&entries, entries.len() - 1);
    let audit = format!("refs/heads/{}", vault.audit());
    vault.git(&["update-ref", &format!("{audit}-fork-{root}"), &format!("{audit}~1")]);
    let told = judge(&vault, &Given::default()).problems;
    assert!(told.iter().all(|problem| problem.case == 43), "{told:?}");
    assert!(!told.iter().all(waits_for_a_lead), "{told:?}");
}

#[test]
fn nothing_is_entered_in_a_log_with_two_histories() {
    let (mut a, mut b) = restored();
    let old = b.log;
    write(&mut b, note(30), 1);
    // A program that died after the histories were kept and before the new log began.
    let now = Time::from_unix(NOW + 100);
    catch_up(&b.repo(), &b.identity, &b.state(), PATIENCE, (&a.repo(), "a"), now).unwrap();
    with(&mut b, |ledger, now| {
        assert!(ledger.is_forked());
        let draft = crate::ledger::Draft::read(crate::chain::Details::new("show"), vec![]);
        assert!(matches!(
            ledger.record(draft, now, &mut SystemEntropy),
            Err(LedgerError::Forked)
        ));
        let begun = ledger.begin_anew(now, &mut SystemEntropy).unwrap();
        assert!(!ledger.is_forked() && begun.log.device == old.device && begun.log != old);
    });
    read(&mut b);
    assert_eq!(
        cases(&judge(
            &b,
            &Given {
                mark: Some(&b.mark()),
                ..Given::default()
            }
        )),
        [43]
    );
    merge(&mut a, &b);
    assert_eq!(exists(&a), exists(&b));
}

#[test]
fn a_fork_alone_brings_nothing_back() {
    let (mut a, mut b) = two();
    let log = b.log;
    let audit = format!("refs/heads/audit/{log}");
    let before = a.target(&format!("audit/{log}"));
    let gone = note(10);
    b.destroy(gone);
    exchange(&mut a, &mut b);
    read(&mut a);
    a.cut();
    let lives = |vault: &mut Vault| {
        with(vault, |ledger, _| {
            let (live, set_aside) = (&ledger.standing.live, &ledger.standing.quarantined);
            let lives = live.iter().any(|(file, _)| file.note() == Some(gone));
            (lives, set_aside.iter().any(|one| one.log == log && !one.fork))
        })
    };
    assert_eq!(lives(&mut a), (false, false));
    // What its log was before, as another history of it, and the log itself taken away.
    a.git(&[
        "update-ref",
        &format!("{audit}-fork-{}", "0".repeat(64)),
        &before.to_string(),
    ]);
    a.git(&["update-ref", "-d", &audit]);
    assert_eq!(lives(&mut a), (false, true));
}
