//! Power cuts: whatever was written to git since the cut may be gone, empty or torn; the journal
//! is not.

use super::*;
use proptest::prelude::*;

/// What a power cut does to one file.
#[derive(Clone, Copy, Debug)]
enum Loss {
    None,
    Gone,
    Empty,
    Zeros,
    Half,
}

fn losses() -> impl Strategy<Value = Loss> {
    prop_oneof![
        Just(Loss::None),
        Just(Loss::Gone),
        Just(Loss::Empty),
        Just(Loss::Zeros),
        Just(Loss::Half)
    ]
}

fn lose(path: &Path, loss: Loss) {
    let Ok(bytes) = fs::read(path) else { return };
    match loss {
        Loss::None => {}
        Loss::Gone => fs::remove_file(path).unwrap(),
        Loss::Empty => write(path, b""),
        Loss::Zeros => write(path, &vec![0; bytes.len()]),
        Loss::Half => write(path, &bytes[..bytes.len() / 2]),
    }
}

/// The files that the journal's records wrote.
fn files_since_the_cut(repo: &Repo) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for batch in repo.pending().unwrap() {
        files.extend(
            batch
                .objects
                .iter()
                .map(|object| loose::loose_path(repo.dir(), object.oid())),
        );
        files.extend(batch.refs.iter().map(|change| repo.dir().join(&change.name)));
    }
    files.sort();
    files.dedup();
    files
}

fn reopen(vault: &Vault, boot: Option<[u8; 16]>) -> Repo {
    let settings = Settings {
        boot,
        ..settings(Faults::none())
    };
    Repo::open(&vault.dir(), settings).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn after_a_power_cut_all_that_was_acknowledged_is_there(
        synced in 0u32..5,
        since in 1u32..9,
        packed in any::<bool>(),
        losses in proptest::collection::vec(losses(), 64),
    ) {
        let vault = Vault::new();
        let repo = vault.open(Faults::none());
        run(&repo, 0, synced);
        {
            let lock = repo.lock(PATIENCE).unwrap();
            repo.recover(&lock).unwrap();
            repo.cut(&lock).unwrap();
        }
        if packed {
            vault.git(&["pack-refs", "--all"]);
        }
        let refs = run(&repo, synced, synced + since);
        for (file, loss) in files_since_the_cut(&repo).iter().zip(losses.iter().cycle()) {
            lose(file, *loss);
        }
        let repo = reopen(&vault, Some([2; 16]));
        let lock = repo.lock(PATIENCE).unwrap();
        let recovery = repo.recover(&lock).unwrap();
        prop_assert_eq!(recovery.replayed, since as usize);
        prop_assert_eq!(read_everything(&repo), refs);
        prop_assert_eq!(repo.pending().unwrap(), vec![]);
        prop_assert_eq!(vault.git(&["fsck", "--strict", "--no-dangling"]), "");
        // The second start finds all well.
        prop_assert_eq!(repo.recover(&lock).unwrap(), Recovery::default());
    }
}

#[test]
fn an_unknown_boot_is_taken_for_a_new_one() {
    let vault = Vault::new();
    let refs = run(&vault.open(Faults::none()), 0, 3);
    for boot in [None, None, Some(BOOT)] {
        let repo = reopen(&vault, boot);
        fs::remove_file(vault.dir().join("refs/heads/audit/a-1")).ok();
        let lock = repo.lock(PATIENCE).unwrap();
        let recovery = repo.recover(&lock).unwrap();
        if recovery.replayed == 3 {
            assert_eq!(recovery.healed, ["refs/heads/audit/a-1"]);
            assert_eq!(read_everything(&repo), refs);
            return;
        }
    }
    panic!("nothing was replayed");
}

#[test]
fn a_ref_that_fell_back_is_healed_and_one_that_went_elsewhere_is_not() {
    let vault = Vault::new();
    let name = "refs/heads/audit/a-1";
    run(&vault.open(Faults::none()), 0, 3);
    let repo = reopen(&vault, Some([2; 16]));
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    let ancestor = vault.git(&["rev-parse", &format!("{name}~2")]);
    let stranger = vault.git(&["rev-parse", "refs/heads/notes/00"]);
    drop(lock);
    let refs = {
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        let batch = make_batch(&repo, 3);
        let _durable = repo.commit(&lock, &batch).unwrap();
        read_everything(&repo)
    };
    let moved_back = |repo: &Repo| {
        let recovered = repo.recover(&repo.lock(PATIENCE).unwrap());
        assert!(
            matches!(&recovered, Err(RecoverError::MovedBack { name: found }) if found == name),
            "{recovered:?}"
        );
    };
    // Older than anything the journal names: no program that died leaves it so, only a power cut does.
    write(&vault.dir().join(name), ancestor.as_bytes());
    let untouched = repo.refs("refs/").unwrap();
    moved_back(&repo);
    assert_eq!(repo.refs("refs/").unwrap(), untouched);
    fs::remove_file(vault.dir().join(name)).unwrap();
    moved_back(&repo);
    let repo = reopen(&vault, Some([3; 16]));
    let recovery = repo.recover(&repo.lock(PATIENCE).unwrap()).unwrap();
    assert_eq!(recovery.healed, [name]);
    assert_eq!(read_everything(&repo), refs);
    let repo = reopen(&vault, Some([3; 16]));
    for (records, back, dies_so) in [(5..7, 2, false), (7..9, 1, true)] {
        let refs = run(&repo, records.start, records.end);
        let older = vault.git(&["rev-parse", &format!("{name}~{back}")]);
        write(&vault.dir().join(name), older.as_bytes());
        if !dies_so {
            moved_back(&repo);
        }
        let lock = repo.lock(PATIENCE).unwrap();
        let recovery = if dies_so {
            repo.recover(&lock)
        } else {
            repo.put_back(&lock)
        };
        assert_eq!(recovery.unwrap().healed, [name]);
        assert_eq!(read_everything(&repo), refs);
    }

    // A branch that the last record does not move is put back all the same by whoever asks for it.
    let refs = run(&repo, 15, 17);
    let other = "refs/heads/notes/00";
    assert!(make_batch(&repo, 16).refs.iter().all(|change| change.name != other));
    fs::remove_file(vault.dir().join(other)).unwrap();
    let recovery = repo.put_back(&repo.lock(PATIENCE).unwrap()).unwrap();
    assert_eq!(recovery.healed, [other]);
    assert_eq!(read_everything(&repo), refs);

    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    let batch = make_batch(&repo, 4);
    let _durable = repo.commit(&lock, &batch).unwrap();
    write(&vault.dir().join(name), stranger.as_bytes());
    let untouched = repo.refs("refs/").unwrap();
    match repo.recover(&lock) {
        Err(RecoverError::Diverged { name: found }) => assert_eq!(found, name),
        other => panic!("{other:?}"),
    }
    assert_eq!(repo.refs("refs/").unwrap(), untouched);
    assert!(matches!(
        repo.commit(&lock, &Batch::default()),
        Err(CommitError::NotRecovered)
    ));
}

#[test]
fn git_locks_that_a_dead_program_left_are_no_obstacle() {
    let vault = Vault::new();
    let repo = vault.open(Faults::planned(8, Fault::Fails));
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    let batch = make_batch(&repo, 0);
    assert!(matches!(repo.commit(&lock, &batch), Err(CommitError::Unfinished(_))));
    for change in &batch.refs {
        write(&vault.dir().join(format!("{}.lock", change.name)), b"");
    }
    let recovery = vault.open(Faults::none()).recover(&lock).unwrap();
    assert!(!recovery.healed.is_empty());
    let mut refs = BTreeMap::new();
    after(&mut refs, &batch);
    assert_eq!(read_everything(&vault.open(Faults::none())), refs);
}

#[test]
fn what_a_dead_program_left_after_its_last_move_is_removed() {
    let vault = Vault::new();
    let refs = run(&vault.open(Faults::none()), 0, 3);
    let half = vault.dir().join("objects/tmp_object_git2_0123456789abcdef");
    let strange = vault.dir().join("objects/tmp_obj_somebody_elses");
    let lock = vault.dir().join("refs/heads/audit/a-1.lock");
    for path in [&half, &strange, &lock] {
        write(path, b"");
    }
    let repo = vault.open(Faults::none());
    repo.recover(&repo.lock(PATIENCE).unwrap()).unwrap();
    assert!(!half.exists() && !lock.exists());
    assert!(strange.exists());
    assert_eq!(read_everything(&repo), refs);
    run(&repo, 3, 4);
}

#[test]
fn a_damaged_journal_stops_recovery_and_a_missing_one_is_named() {
    let vault = Vault::new();
    run(&vault.open(Faults::none()), 0, 3);
    let path = vault.dir().join("strongroom.journal");
    let whole = fs::read(&path).unwrap();
    let mut torn = whole.clone();
    torn[4096 + 100] ^= 1;
    fs::write(&path, &torn).unwrap();
    let repo = reopen(&vault, Some([2; 16]));
    let lock = repo.lock(PATIENCE).unwrap();
    let gap = repo.recover(&lock);
    assert!(matches!(
        gap,
        Err(RecoverError::Journal(JournalError::Bad(BadJournal::Gap {
            sequence: 0
        })))
    ));
    assert!(repo.pending().is_err());
    fs::write(&path, &whole[..5000]).unwrap();
    assert!(matches!(
        repo.recover(&lock),
        Err(RecoverError::Journal(JournalError::Bad(BadJournal::Size(5000))))
    ));
    fs::remove_file(&path).unwrap();
    assert!(matches!(
        repo.recover(&lock),
        Err(RecoverError::Journal(JournalError::Missing))
    ));
    assert_eq!(repo.pending().unwrap(), []);
    repo.make_journal(&lock).unwrap();
    assert!(repo.make_journal(&lock).is_err());
    repo.recover(&lock).unwrap();
}

/// Recovers as a process does that had the lock before, and gives the lock back.
fn recover_from(repo: &Repo, mark: Option<JournalMark>) -> (Result<Recovery, RecoverError>, Option<JournalMark>) {
    let lock = repo.lock(PATIENCE).unwrap();
    lock.expect_journal_at(mark);
    (repo.recover(&lock), lock.journal_mark())
}

#[test]
fn who_knows_the_last_record_need_not_read_what_stands_before() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    run(&repo, 0, 3);
    let (_, mark) = recover_from(&repo, None);
    run(&repo, 3, 5);
    // Damage before the mark is seen by whoever reads it, and by nobody else.
    let path = vault.dir().join("strongroom.journal");
    let whole = fs::read(&path).unwrap();
    let mut torn = whole.clone();
    torn[4096 + 100] ^= 1;
    fs::write(&path, &torn).unwrap();
    let (recovery, later) = recover_from(&repo, mark);
    assert_eq!(recovery.unwrap(), Recovery::default());
    assert!(later.is_some() && later != mark);
    assert!(recover_from(&repo, None).0.is_err());
    assert!(recover_from(&reopen(&vault, Some([2; 16])), mark).0.is_err());
    fs::write(&path, &whole).unwrap();
    assert_eq!(recover_from(&repo, None).1, later);

    // What did not finish is found from the mark as well, and then all of it is done again.
    let audit = repo.dir().join("refs/heads/audit/a-1");
    let last = fs::read(&audit).unwrap();
    fs::write(&audit, b"").unwrap();
    assert_eq!(recover_from(&repo, later).0.unwrap().healed, ["refs/heads/audit/a-1"]);
    assert_eq!(fs::read(&audit).unwrap(), last);
    // The journal was cut for that: the mark is of another generation, and one record says where it is now.
    assert_eq!(recover_from(&repo, later).1, None);
    run(&repo, 5, 6);
    let (recovery, now) = recover_from(&repo, later);
    assert_eq!(recovery.unwrap(), Recovery::default());
    assert!(now.is_some());
    assert_eq!(recover_from(&repo, None).1, now);
}

/// Takes the newest commit of the audit branch away, as a `git gc` does that looked before it was written.
fn prune_the_newest(vault: &Vault) -> Oid {
    let head = vault
        .open(Faults::none())
        .ref_target("refs/heads/audit/a-1")
        .unwrap()
        .unwrap();
    fs::remove_file(loose::loose_path(&vault.dir(), head)).unwrap();
    head
}

#[test]
fn what_another_program_pruned_too_soon_is_written_again_from_the_journal() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    run(&repo, 0, 3);
    // The next start sees it.
    let gone = prune_the_newest(&vault);
    let (recovery, mark) = recover_from(&repo, None);
    assert!(recovery.unwrap().replayed > 0 && repo.contains(gone));
    // So does one that knows where the journal stood.
    let refs = run(&repo, 3, 6);
    let gone = prune_the_newest(&vault);
    assert!(recover_from(&repo, mark).0.unwrap().replayed > 0 && repo.contains(gone));
    assert_eq!(read_everything(&repo), refs);
    // What lies further back is written before the journal lets go of it.
    let refs = run(&repo, 6, 9);
    let older = repo.read_commit(refs["refs/heads/audit/a-1"], MAX).unwrap().parents[0];
    fs::remove_file(loose::loose_path(&vault.dir(), older)).unwrap();
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    repo.cut(&lock).unwrap();
    assert!(repo.contains(older));
    drop(lock);
    assert_eq!(read_everything(&repo), refs);
}

#[test]
fn what_went_with_a_pack_that_is_still_open_here_is_written_again_before_the_journal_lets_go() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let refs = run(&repo, 0, 6);
    let older = repo.read_commit(refs["refs/heads/audit/a-1"], MAX).unwrap().parents[0];
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    // Another program packs, this one looks, and the other removes what it packed.
    vault.git(&["repack", "-adq"]);
    assert!(!loose::loose_path(&vault.dir(), older).exists() && repo.contains(older));
    fs::remove_dir_all(vault.dir().join("objects/pack")).unwrap();
    fs::create_dir(vault.dir().join("objects/pack")).unwrap();
    repo.cut(&lock).unwrap();
    drop(lock);
    assert!(vault.open(Faults::none()).contains(older));
    assert_eq!(read_everything(&vault.open(Faults::none())), refs);
}

/// What a disk does that is taken off and comes back, or is reset, without the machine being started anew: what was written last
/// is gone, and nothing else says so.
#[test]
fn what_a_disk_loses_within_one_boot_is_written_again_from_the_journal() {
    for loss in [Loss::Gone, Loss::Empty, Loss::Zeros, Loss::Half] {
        let vault = Vault::new();
        let repo = vault.open(Faults::none());
        run(&repo, 0, 3);
        let newest = |refs: &BTreeMap<String, Oid>| refs["refs/heads/audit/a-1"];
        let lose_object = |oid| lose(&loose::loose_path(&vault.dir(), oid), loss);
        // The next start sees it, also one that knows where the journal stood.
        run(&repo, 3, 4);
        for known in [false, true] {
            let mark = recover_from(&repo, None).1.filter(|_| known);
            let refs = run(&repo, 4 + u32::from(known), 5 + u32::from(known));
            lose_object(newest(&refs));
            assert!(repo.health().unwrap().unfinished, "{loss:?}");
            assert!(recover_from(&repo, mark).0.unwrap().replayed > 0, "{loss:?}, {known}");
            assert_eq!(read_everything(&repo), refs);
        }
        // What lies further back, and a ref of it, before the journal lets go of it; and who asks is told.
        let earlier = newest(&run(&repo, 6, 7));
        let shard = "refs/heads/notes/00";
        let refs = run(&repo, 7, 9);
        lose_object(earlier);
        let health = repo.health().unwrap();
        assert!(health.lost && health.is_due() && !health.unfinished, "{loss:?}");
        write(&vault.dir().join(shard), b"");
        let lock = repo.lock(PATIENCE).unwrap();
        assert_eq!(repo.recover(&lock).unwrap(), Recovery::default());
        repo.make_whole(&lock).unwrap();
        assert!(!repo.health().unwrap().is_due());
        lose_object(earlier);
        write(&vault.dir().join(shard), b"");
        repo.cut(&lock).unwrap();
        assert_eq!(repo.pending().unwrap(), []);
        drop(lock);
        assert_eq!(read_everything(&repo), refs, "{loss:?}");
        assert_eq!(vault.git(&["fsck", "--strict", "--no-dangling"]), "", "{loss:?}");
    }
}

#[test]
fn packing_loses_nothing_that_the_journal_alone_has() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let refs = run(&repo, 0, 6);
    let older = repo.read_commit(refs["refs/heads/audit/a-1"], MAX).unwrap().parents[0];
    lose(&loose::loose_path(&vault.dir(), older), Loss::Empty);
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    assert!(repo.pack(&lock, 1..=1000).unwrap().is_some());
    drop(lock);
    assert_eq!(read_everything(&repo), refs);

    // Where something cannot be read that nobody else has, the journal goes on holding what it held.
    let refs = run(&repo, 6, 9);
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    repo.cut(&lock).unwrap();
    drop(lock);
    let later = run(&repo, 9, 12);
    lose(
        &loose::loose_path(&vault.dir(), refs["refs/heads/audit/a-1"]),
        Loss::Empty,
    );
    let held = repo.pending().unwrap();
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    assert!(matches!(repo.pack(&lock, 1..=1000), Err(PackError::Read(_))));
    drop(lock);
    assert_eq!(repo.pending().unwrap(), held);
    assert_eq!(
        repo.refs("refs/").unwrap().into_iter().collect::<BTreeMap<_, _>>(),
        later
    );
}
