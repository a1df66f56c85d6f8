//! Every durable step, failing in every way: afterwards all that was acknowledged is there, and
//! what was not is there whole or not at all.

use super::*;

/// A history that cuts once by itself and once by hand; stops at the first error. Gives the
/// batches that were acknowledged, and the one that was under way.
fn history(repo: &Repo) -> (Vec<Batch>, Option<Batch>, bool) {
    let mut done = Vec::new();
    let Ok(lock) = repo.lock(PATIENCE) else {
        return (done, None, false);
    };
    if repo.recover(&lock).is_err() {
        return (done, None, false);
    }
    for n in 100..107 {
        let batch = make_batch(repo, n);
        match repo.commit(&lock, &batch) {
            Ok(_) => done.push(batch),
            Err(_) => {
                let due = repo.commit(&lock, &Batch::default());
                assert!(matches!(due, Err(CommitError::NotRecovered)));
                return (done, Some(batch), false);
            }
        }
        let cut = match n {
            102 => repo.cut(&lock),
            104 => repo.cut_wiping(&lock),
            _ => Ok(()),
        };
        if cut.is_err() {
            return (done, None, false);
        }
    }
    (done, None, true)
}

/// Checks what a start in `boot` after `done` and perhaps `under_way` finds.
fn check(
    vault: &Vault,
    boot: [u8; 16],
    before: &BTreeMap<String, Oid>,
    (done, under_way): (&[Batch], Option<&Batch>),
    what: &str,
) {
    let open = || {
        let boot = Some(boot);
        let settings = Settings {
            boot,
            ..settings(Faults::none())
        };
        Repo::open(&vault.dir(), settings).unwrap()
    };
    let repo = open();
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut without = before.clone();
    done.iter().for_each(|batch| after(&mut without, batch));
    let mut with = without.clone();
    under_way.iter().for_each(|batch| after(&mut with, batch));
    let found = read_everything(&repo);
    assert!(found == without || found == with, "{what}: neither before nor after");
    // The vault goes on, and a second start finds all well.
    let batch = make_batch(&repo, 200);
    let _durable = repo
        .commit(&lock, &batch)
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut then = found;
    after(&mut then, &batch);
    drop(lock);
    let repo = open();
    let lock = repo.lock(PATIENCE).unwrap();
    assert_eq!(repo.recover(&lock).unwrap(), Recovery::default(), "{what}");
    assert_eq!(read_everything(&repo), then, "{what}");
}

#[test]
fn whichever_step_fails_nothing_acknowledged_is_lost() {
    let start = Vault::new();
    let before = run(&start.open(Faults::none()), 0, 6);
    let open = |vault: &Vault, faults| {
        let settings = Settings {
            records_per_cut: 8,
            ..settings(faults)
        };
        Repo::open(&vault.dir(), settings).unwrap()
    };
    // How many steps there are.
    let counter = Faults::planned(0, Fault::Fails);
    let (done, _, finished) = history(&open(&copy(&start), counter.clone()));
    assert!(finished && done.len() == 7);
    let steps = counter.seen();
    // The one that comes by itself, and the two by hand.
    assert_eq!(steps.iter().filter(|step| **step == Step::WholeSync).count(), 3);
    for step in [
        Step::JournalWrite,
        Step::JournalSync,
        Step::ObjectWrite,
        Step::RefWrite,
        Step::WholeSync,
        Step::HeaderWrite,
        Step::HeaderSync,
        Step::WipeWrite,
        Step::WipeSync,
    ] {
        assert!(steps.contains(&step), "{step:?} is not exercised");
    }

    for fault in [Fault::Fails, Fault::FailsAfterDone, Fault::Torn] {
        for at in 1..=steps.len() as u64 {
            let vault = copy(&start);
            let (done, under_way, finished) = history(&open(&vault, Faults::planned(at, fault)));
            let what = format!("step {at} ({:?}) {fault:?}", steps[at as usize - 1]);
            assert!(!finished, "{what} had no effect");
            let ran = copy(&vault);
            check(&vault, BOOT, &before, (&done, under_way.as_ref()), &what);

            // The same with the power cut there: git is as it was at the last `syncfs`, which is
            // where a second run, stopped right after it, has left it.
            let synced = steps[..at as usize - 1]
                .iter()
                .rposition(|step| *step == Step::WholeSync);
            let old = copy(&start);
            if let Some(synced) = synced {
                history(&open(&old, Faults::planned(synced as u64 + 2, Fault::Fails)));
            }
            fs::copy(
                ran.dir().join("strongroom.journal"),
                old.dir().join("strongroom.journal"),
            )
            .unwrap();
            let what = format!("{what} and the power is cut");
            check(&old, [2; 16], &before, (&done, under_way.as_ref()), &what);
        }
    }
}

#[test]
fn whichever_step_of_recovery_fails_the_next_recovery_succeeds() {
    // A batch that is committed and of which git has nothing.
    let start = Vault::new();
    let before = run(&start.open(Faults::none()), 0, 5);
    let lost = {
        let repo = start.open(Faults::planned(3, Fault::Fails));
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        let batch = make_batch(&repo, 5);
        assert!(matches!(repo.commit(&lock, &batch), Err(CommitError::Unfinished(_))));
        batch
    };
    let counter = Faults::planned(0, Fault::Fails);
    let vault = copy(&start);
    let repo = vault.open(counter.clone());
    let recovery = repo.recover(&repo.lock(PATIENCE).unwrap()).unwrap();
    assert_eq!(recovery.replayed, 6);
    assert_eq!(recovery.healed.len(), 2);
    for fault in [Fault::Fails, Fault::FailsAfterDone, Fault::Torn] {
        for at in 1..=counter.seen().len() as u64 {
            let vault = copy(&start);
            let repo = vault.open(Faults::planned(at, fault));
            assert!(repo.recover(&repo.lock(PATIENCE).unwrap()).is_err());
            let done = (std::slice::from_ref(&lost), None);
            check(&vault, BOOT, &before, done, &format!("step {at} {fault:?}"));
        }
    }
}

#[test]
fn a_commit_syncs_once() {
    let vault = Vault::new();
    let faults = Faults::planned(0, Fault::Fails);
    run(&vault.open(faults.clone()), 0, 200);
    let count = |step| faults.seen().iter().filter(|seen| **seen == step).count();
    assert_eq!(count(Step::JournalSync), 200);
    // Before the 65th, the 129th and the 193rd.
    assert_eq!((count(Step::WholeSync), count(Step::HeaderSync)), (3, 3));
}

#[test]
fn a_batch_that_cannot_be_is_refused_before_anything_is_written() {
    let vault = Vault::new();
    let faults = Faults::planned(0, Fault::Fails);
    run(&vault.open(Faults::none()), 0, 3);
    let repo = vault.open(faults.clone());
    let lock = repo.lock(PATIENCE).unwrap();
    let good = make_batch(&repo, 3);
    assert!(matches!(repo.commit(&lock, &good), Err(CommitError::NotRecovered)));
    repo.recover(&lock).unwrap();
    let with = |change: &dyn Fn(&mut Batch)| {
        let mut batch = good.clone();
        change(&mut batch);
        repo.commit(&lock, &batch).map(drop)
    };
    assert!(matches!(
        with(&|batch| batch.refs[0].old = None),
        Err(CommitError::Stale { .. })
    ));
    assert!(matches!(
        with(&|batch| batch.refs[1].old = batch.refs[0].old),
        Err(CommitError::Stale { .. })
    ));
    let bad = [
        with(&|batch| batch.refs[0].name = "refs/replace/x".into()),
        with(&|batch| batch.refs[0].name = "refs/heads/a..b".into()),
        with(&|batch| batch.refs[0].name = "refs/heads/../../config".into()),
        with(&|batch| batch.refs[1] = batch.refs[0].clone()),
        with(&|batch| batch.objects.clear()),
        with(&|batch| batch.refs[0].new = Some(batch.objects[0].oid())),
    ];
    for (n, bad) in bad.into_iter().enumerate() {
        assert!(matches!(bad, Err(CommitError::BadChange { .. })), "{n}: {bad:?}");
    }
    let big = with(&|batch| batch.note = vec![0; JOURNAL_BYTES as usize]);
    assert!(matches!(big, Err(CommitError::TooBig { .. })));
    assert_eq!(faults.seen(), []);
    let _durable = repo.commit(&lock, &good).unwrap();
    let elsewhere = Vault::new();
    let other = elsewhere.open(Faults::none());
    assert!(matches!(other.recover(&lock), Err(RecoverError::WrongLock)));
    assert!(matches!(
        other.commit(&lock, &Batch::default()),
        Err(CommitError::NotRecovered)
    ));
    assert!(matches!(other.cut(&lock), Err(CutError::NotRecovered)));
}

#[test]
fn a_full_journal_is_cut_and_the_largest_batch_fits() {
    let vault = Vault::new();
    let faults = Faults::planned(0, Fault::Fails);
    let repo = vault.open(faults.clone());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    let note = |size: usize| Batch {
        note: vec![7; size],
        ..Batch::default()
    };
    let overhead = record::encode_payload(&note(1 << 20)).len() - (1 << 20);
    for size in [MAX_PAYLOAD - overhead, 3 << 20, 900 << 10, 200 << 10] {
        let _durable = repo.commit(&lock, &note(size)).unwrap();
        assert_eq!(repo.pending().unwrap().last(), Some(&note(size)));
    }
    // The first filled it; the second and third fit together, the fourth no more.
    assert_eq!(faults.seen().iter().filter(|step| **step == Step::WholeSync).count(), 2);
    assert!(matches!(
        repo.commit(&lock, &note(MAX_PAYLOAD - overhead + 1)),
        Err(CommitError::TooBig { .. })
    ));
}

#[test]
fn a_blob_that_does_not_fit_the_journal_is_durable_before_what_names_it() {
    let content = |n: usize| vec![n as u8; MAX_PAYLOAD / 2 + 1 + n];
    let batch = |repo: &Repo| {
        let mut batch = make_batch(repo, 3);
        batch.objects.extend([content(1), content(2)].map(Object::blob));
        batch
    };
    let refs_then = |vault: &Vault| -> BTreeMap<String, Oid> {
        let repo = vault.open(Faults::none());
        repo.recover(&repo.lock(PATIENCE).unwrap()).unwrap();
        repo.refs("refs/heads/").unwrap().into_iter().collect()
    };
    for at in 0.. {
        for fault in [Fault::Fails, Fault::FailsAfterDone, Fault::Torn] {
            let vault = Vault::new();
            run(&vault.open(Faults::none()), 0, 3);
            let before = refs_then(&vault);
            let faults = Faults::planned(at, fault);
            let repo = vault.open(faults.clone());
            let lock = repo.lock(PATIENCE).unwrap();
            repo.recover(&lock).unwrap();
            let batch = batch(&repo);
            let done = repo.commit(&lock, &batch);
            let (seen, done) = (faults.seen(), done.map(drop));
            drop(lock);
            let mut expected = before.clone();
            after(&mut expected, &batch);
            let found = refs_then(&vault);
            match &done {
                Ok(()) => assert_eq!(found, expected),
                Err(CommitError::NotKept(_)) => assert_eq!(found, before, "{fault:?} at {at}: {seen:?}"),
                Err(_) => assert!(found == before || found == expected, "{fault:?} at {at}: {seen:?}"),
            }
            if found == expected {
                // Whoever finds it named finds it.
                for n in [1, 2] {
                    let blob = Object::blob(content(n));
                    let read = vault.open(Faults::none()).read_blob(blob.oid(), 1 << 30);
                    assert_eq!(read, Ok(blob.bytes), "{fault:?} at {at}: {seen:?}");
                }
            }
            let journal = vault.open(Faults::none()).pending().unwrap();
            assert!(
                journal
                    .iter()
                    .all(|batch| batch.objects.iter().all(|object| object.bytes.len() < MAX_PAYLOAD / 2))
            );
            if at > 0 && done.is_ok() {
                assert!(seen.contains(&Step::BlobSync), "{seen:?}");
                return;
            }
        }
    }
}

#[test]
fn wiping_leaves_nothing_of_any_generation() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    run(&repo, 0, 70);
    let journal = || fs::read(vault.dir().join("strongroom.journal")).unwrap();
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    assert_eq!(repo.pending().unwrap().len(), 6);
    repo.cut(&lock).unwrap();
    assert_eq!(repo.pending().unwrap(), []);
    // Cut is not wiped: the bytes of the 60th batch are still there.
    let holds = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(holds(&journal(), b"note 60"));
    repo.cut_wiping(&lock).unwrap();
    assert!(journal()[4096..].iter().all(|byte| *byte == 0));
    assert_eq!(journal().len() as u64, JOURNAL_BYTES);
}

#[test]
fn a_program_killed_at_any_step_loses_nothing() {
    // This test starts itself again as the program that is killed.
    if let Ok(dir) = std::env::var("STRONGROOM_TEST_VICTIM") {
        let repo = Repo::open(Path::new(&dir), Settings::of_this_run()).unwrap();
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        for n in 0..3 {
            let batch = make_batch(&repo, n);
            let _durable = repo.commit(&lock, &batch).unwrap();
            fs::write(Path::new(&dir).join("acknowledged"), n.to_string()).unwrap();
        }
        repo.cut(&lock).unwrap();
        return;
    }
    let mut at = 1;
    loop {
        let vault = Vault::new();
        let status = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "repo::tests::faults::a_program_killed_at_any_step_loses_nothing",
            ])
            .env("STRONGROOM_TEST_VICTIM", vault.dir())
            .env("STRONGROOM_TEST_KILL_AT", at.to_string())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        let acknowledged = fs::read_to_string(vault.dir().join("acknowledged"));
        let acknowledged = acknowledged.map_or(0, |text| text.parse::<u64>().unwrap() + 1);
        let repo = Repo::open(&vault.dir(), Settings::of_this_run()).unwrap();
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        let audit = read_everything(&repo).get("refs/heads/audit/a-1").copied();
        let entries = audit.map_or(0, |head| repo.first_parents(head, MAX).count() as u64);
        assert!(entries == acknowledged || entries == acknowledged + 1, "killed at {at}");
        if status.success() {
            assert!(at > 20 && acknowledged == 3);
            break;
        }
        at += 1;
    }
}

/// A copy of a vault, as cp makes one.
pub(super) fn copy(vault: &Vault) -> Vault {
    let folder = make_folder();
    copy_folder(&vault.dir(), &folder.path().join("vault"));
    Vault { folder }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&from, &to),
            false => drop(fs::copy(from, to).unwrap()),
        }
    }
}

/// Which file each of these is.
fn inodes(paths: &[std::path::PathBuf]) -> Vec<u64> {
    use std::os::unix::fs::MetadataExt;
    let inode = |path: &std::path::PathBuf| fs::symlink_metadata(path).unwrap().ino();
    paths.iter().map(inode).collect()
}

/// The files of the objects and refs that these batches leave behind.
fn files_of(vault: &Vault, batches: &[Batch]) -> Vec<std::path::PathBuf> {
    let objects = batches.iter().flat_map(|batch| &batch.objects);
    let objects = objects.map(|object| loose::loose_path(&vault.dir(), object.oid()));
    let refs = batches.iter().flat_map(|batch| &batch.refs);
    let refs = refs.map(|change| vault.dir().join(&change.name));
    objects.chain(refs.filter(|path| path.exists())).collect()
}

/// Linux tells of an error in writing back once: what is in memory looks whole, and the next sync says that all is well.
#[test]
fn a_sync_that_failed_is_not_forgotten() {
    let mark = |vault: &Vault| vault.dir().join("strongroom.unsynced").exists();
    for (step, fault) in [
        (Step::WholeSync, Fault::Fails),
        (Step::WholeSync, Fault::FailsAfterDone),
        (Step::HeaderWrite, Fault::Fails),
        (Step::HeaderSync, Fault::FailsAfterDone),
    ] {
        let start = Vault::new();
        let refs = run(&start.open(Faults::none()), 0, 4);
        let cut = |faults: &Faults, vault: &Vault| {
            let repo = vault.open(faults.clone());
            let lock = repo.lock(PATIENCE).unwrap();
            repo.recover(&lock).unwrap();
            let cut = repo.cut(&lock);
            // Nor by who goes on under the same lock.
            assert!(cut.is_ok() || matches!(repo.cut(&lock), Err(CutError::NotRecovered)));
            cut
        };
        let counter = Faults::planned(0, Fault::Fails);
        let vault = copy(&start);
        cut(&counter, &vault).unwrap();
        assert!(!mark(&vault));
        let at = counter.seen().iter().position(|seen| *seen == step).unwrap() as u64 + 1;

        let vault = copy(&start);
        cut(&Faults::planned(at, fault), &vault).unwrap_err();
        assert!(mark(&vault), "{step:?}");
        let repo = vault.open(Faults::none());
        assert!(repo.health().unwrap().is_due());
        let held = repo.pending().unwrap();
        assert_eq!(held.is_empty(), step == Step::HeaderSync);
        let files = files_of(&vault, &held);
        let before = inodes(&files);
        let again = Faults::planned(0, Fault::Fails);
        let repo = vault.open(again.clone());
        let recovery = repo.recover(&repo.lock(PATIENCE).unwrap()).unwrap();
        assert_eq!(recovery.replayed, held.len());
        let after = inodes(&files);
        assert!(
            before.iter().zip(&after).all(|(before, after)| before != after),
            "{step:?}"
        );
        let seen = again.seen();
        assert!(
            seen.ends_with(&[Step::WholeSync, Step::HeaderWrite, Step::HeaderSync]),
            "{seen:?}"
        );
        assert!(!mark(&vault) && repo.pending().unwrap().is_empty());
        assert_eq!(read_everything(&repo), refs);
        assert_eq!(vault.git(&["fsck", "--strict", "--no-dangling"]), "");
        run(&repo, 4, 6);
    }
}

/// Nor is one that a merge made, of what it brought and of what the journal holds beside.
#[test]
fn what_a_merge_could_not_sync_is_written_anew_by_the_next() {
    let vault = Vault::new();
    let refs = run(&vault.open(Faults::none()), 0, 3);
    let brought: Vec<Object> = (0..5u8).map(|n| Object::blob(vec![n; 9])).collect();
    let take = |faults: Faults| {
        let repo = vault.open(faults);
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        let mut arrivals = repo.arrivals(&lock);
        brought.iter().for_each(|object| arrivals.add(object.clone()).unwrap());
        let settled = arrivals.settle();
        assert!(settled.is_ok() || matches!(repo.cut(&lock), Err(CutError::NotRecovered)));
        settled
    };
    take(Faults::planned(brought.len() as u64 + 1, Fault::FailsAfterDone)).unwrap_err();
    let batch = Batch {
        objects: brought.clone(),
        ..Batch::default()
    };
    let held = [vault.open(Faults::none()).pending().unwrap(), vec![batch]].concat();
    let files = files_of(&vault, &held);
    let before = inodes(&files);
    take(Faults::none()).unwrap();
    let after = inodes(&files);
    assert!(before.iter().zip(&after).all(|(before, after)| before != after));
    assert!(!vault.dir().join("strongroom.unsynced").exists());
    let repo = vault.open(Faults::none());
    assert_eq!(read_everything(&repo), refs);
    assert_eq!(vault.git(&["fsck", "--strict", "--no-dangling"]), "");
}
