//! How what was seen is judged.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::id::{Digest, Incarnation};

fn log(device: u8) -> LogName {
    LogName {
        device: DeviceId([device; 8]),
        incarnation: Incarnation([1; 4]),
    }
}

fn report(problems: Vec<Problem>, unknown: Vec<Problem>) -> Report {
    let verdict = match (problems.is_empty(), unknown.is_empty()) {
        (true, true) => Verdict::Intact,
        (false, _) => Verdict::Tampered,
        _ => Verdict::Unknown,
    };
    Report {
        verdict,
        anchored: true,
        vault: None,
        founder: None,
        roster: None,
        entries: 7,
        logs: vec![(log(1), 7, Digest([0; 32]))],
        cosigned: Vec::new(),
        problems,
        unknown,
        findings: Vec::new(),
        unlisted: Default::default(),
    }
}

fn health(records: usize, restarted: bool, unfinished: bool, strayed: &[(&str, Stray)]) -> Health {
    Health {
        records,
        restarted,
        unfinished,
        lost: false,
        strayed: strayed
            .iter()
            .map(|(name, stray)| ((*name).to_owned(), *stray))
            .collect(),
    }
}

fn judged(health: Health) -> Finding {
    judge_journal(Ok(health), Path::new("/v")).remove(0)
}

#[test]
fn the_worst_of_all_that_is_wrong_counts() {
    let wrong = |kind| Finding::wrong("x", kind, "");
    let worst = |findings: Vec<Finding>| {
        let mended = Vec::new();
        Checkup { findings, mended }.worst()
    };
    assert_eq!(worst(vec![Finding::fine("x", ""), Finding::look("x", "")]), None);
    assert_eq!(worst(vec![wrong(Kind::Locked), wrong(Kind::Usage)]), Some(Kind::Failed));
    let tampered = [Kind::Unknown, Kind::Tampered, Kind::Failed];
    assert_eq!(worst(tampered.map(wrong).into()), Some(Kind::Tampered));
    assert_eq!(
        worst(vec![wrong(Kind::Failed), wrong(Kind::Unknown)]),
        Some(Kind::Unknown)
    );
}

#[test]
fn a_journal_is_fine_if_the_next_start_has_nothing_to_do() {
    assert_eq!(judged(health(3, false, false, &[])).level, Level::Fine);
    // After a restart an empty journal has nothing that git could have lost.
    assert_eq!(judged(health(0, true, false, &[])).level, Level::Fine);
    for due in [
        health(3, true, false, &[]),
        health(3, false, true, &[]),
        health(3, false, false, &[("refs/heads/main", Stray::Unfinished)]),
    ] {
        let found = judged(due);
        assert_eq!((found.level, found.mendable), (Level::Look, true), "{}", found.words);
    }
    let strange = judged(health(
        3,
        false,
        true,
        &[("refs/heads/a", Stray::MovedBack), ("refs/heads/b", Stray::Unknown)],
    ));
    assert_eq!((strange.kind, strange.mendable), (Some(Kind::Tampered), false));
    assert!(strange.words.ends_with("refs/heads/b"), "{}", strange.words);
    let back = judged(health(3, false, true, &[("refs/heads/a", Stray::MovedBack)]));
    assert_eq!((back.kind, back.mendable), (Some(Kind::Tampered), true));
    assert!(back.words.contains(" refs/heads/a;"), "{}", back.words);
}

#[test]
fn a_missing_journal_is_made_and_a_damaged_one_is_not_touched() {
    let judge = |error: JournalError| judge_journal(Err(error.into()), Path::new("/v")).remove(0);
    let missing = judge(JournalError::Missing);
    assert_eq!((missing.kind, missing.mendable), (Some(Kind::Failed), true));
    let bad = judge(JournalError::Bad(crate::repo::BadJournal::Header));
    assert_eq!((bad.kind, bad.mendable), (Some(Kind::Failed), false));
    assert!(
        bad.advice.iter().any(|advice| advice.contains("clone --mirror /v NEW")),
        "{:?}",
        bad.advice
    );
}

#[test]
fn the_verdict_is_that_of_the_verifier() {
    let problem = || vec![Problem::of(log(2), 9, "why")];
    for (report, kind) in [
        (report(vec![], vec![]), None),
        (report(problem(), problem()), Some(Kind::Tampered)),
        (report(vec![], problem()), Some(Kind::Unknown)),
    ] {
        assert_eq!(judge_report(&report).kind, kind);
    }
}

#[test]
fn an_older_copy_is_told_by_what_this_device_wrote() {
    let mark = |log, size| HighWater {
        vault: VaultId([1; 16]),
        log,
        size,
        root: Digest([0; 32]),
        founder: Digest([0; 32]),
        roster: Digest([0; 32]),
    };
    let judge = |mark| judge_copy(&report(vec![], vec![]), &mark).map(|found| found.kind);
    assert_eq!(judge(mark(log(1), 7)), None);
    assert_eq!(judge(mark(log(1), 6)), None);
    assert_eq!(judge(mark(log(1), 8)), Some(Some(Kind::Tampered)));
    assert_eq!(
        judge(mark(log(2), 1)),
        Some(Some(Kind::Tampered)),
        "its log is not here at all"
    );
}

#[test]
fn forked_logs_and_others_that_are_broken_are_told_apart() {
    let problems = vec![
        Problem::of(log(1), 12, "own"),
        Problem::of(log(2), 43, "two histories"),
        Problem::of(log(3), 12, "broken"),
        Problem::of(log(3), 9, "broken again"),
        Problem::vault(32, "no log"),
    ];
    let report = report(problems, vec![]);
    let words = |findings: Vec<Finding>| findings.into_iter().map(|found| found.words).collect::<Vec<_>>();
    let forks = words(judge_forks(&report));
    assert!(forks.len() == 1 && forks[0].contains(&log(2).to_string()), "{forks:?}");
    let aside = words(judge_set_aside(&report, Some(log(1).device)));
    assert!(aside.len() == 1 && aside[0].contains(&log(3).to_string()), "{aside:?}");
}

#[test]
fn what_is_small_is_fine_and_what_is_much_is_packed() {
    assert_eq!(judge_objects(AT_ONCE.start() - 1, 50).level, Level::Fine);
    let loose = judge_objects(*AT_ONCE.start(), 0);
    assert_eq!((loose.level, loose.mendable), (Level::Look, true));
    assert_eq!(judge_objects(0, 51).level, Level::Look);
    let space = |free| {
        let space = Space {
            whole: 1 << 40,
            free,
            files: None,
        };
        judge_space("the vault", &space)
    };
    assert_eq!(
        [space(0), space(1 << 29), space(1 << 31)].map(|found| found.level),
        [Level::Wrong, Level::Look, Level::Fine]
    );
    for (spaces, told) in [
        ([0, 1 << 31], vec![Level::Wrong]),
        ([1 << 31, 1 << 29], vec![Level::Look]),
        ([0, 1 << 29], vec![Level::Wrong, Level::Look]),
        ([1 << 31, 1 << 31], vec![Level::Fine]),
    ] {
        let found = told_once(spaces.map(space).into());
        assert_eq!(found.iter().map(|found| found.level).collect::<Vec<_>>(), told);
    }
    assert_eq!(judge_texts(0).level, Level::Fine);
    assert_eq!(judge_texts(1).level, Level::Look);
    assert_eq!(judge_open(&[]).level, Level::Fine);
    assert!(judge_open(&["/v".into()]).mendable);
}

#[test]
fn a_ref_that_no_vault_has_is_named_with_what_takes_it_away() {
    assert_eq!(judge_strays(&[], Path::new("/v")), None);
    let found = judge_strays(&["refs/heads/x;touch$IFS'y".to_owned()], Path::new("/my vault")).unwrap();
    assert_eq!(found.level, Level::Look);
    let away = r"git --git-dir '/my vault' update-ref -d 'refs/heads/x;touch$IFS'\''y'";
    assert_eq!(found.advice.last().unwrap(), away);
    let found = judge_strays(&[r"refs/heads/x'y\xff".to_owned()], Path::new("/v")).unwrap();
    let away = r"git --git-dir /v update-ref -d $'refs/heads/x\'y\xff'";
    assert_eq!(found.advice.last().unwrap(), away);
    let many: Vec<String> = (0..5).map(|n| format!("refs/tags/{n}")).collect();
    let found = judge_strays(&many, Path::new("/v")).unwrap();
    assert!(found.words.ends_with("`refs/tags/2` and 2 more"), "{}", found.words);
    assert_eq!(
        found.advice[2..],
        [0, 1, 2].map(|n| format!("git --git-dir /v update-ref -d refs/tags/{n}"))
    );
}

#[test]
fn only_what_is_ours_is_removed() {
    let half = Remains {
        half_written: (0..5).map(|n| PathBuf::from(format!("/v/objects/x{n}"))).collect(),
        ref_locks: vec!["/v/refs/heads/main.lock".into()],
    };
    let found = judge_remains(&half);
    assert_eq!(
        found.iter().map(|found| found.mendable).collect::<Vec<_>>(),
        [true, false]
    );
    assert!(found[0].words.ends_with("x0, x1, x2 and 2 more"), "{}", found[0].words);
    assert_eq!(judge_remains(&Remains::default()), []);
}

#[test]
fn what_may_not_be_written_is_named_with_what_to_do() {
    let denied = || {
        Some((
            PathBuf::from("/v/refs"),
            io::Error::from(io::ErrorKind::PermissionDenied),
        ))
    };
    let judge = |mine, unwritable| judge_vault(Path::new("/v"), mine, unwritable);
    assert_eq!(judge(true, None).level, Level::Fine);
    assert_eq!(judge(false, None).level, Level::Look);
    let found = judge(true, denied());
    assert_eq!(found.kind, Some(Kind::Failed));
    assert!(
        found.words.contains("`/v/refs`") && found.advice[0].contains("chmod -R u+rwX /v"),
        "{found:?}"
    );
    assert!(!judge(false, denied()).advice[0].contains("chmod"));
}
