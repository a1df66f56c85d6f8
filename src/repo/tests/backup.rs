//! A backup holds everything, and is refused where it does not.

use super::*;

fn backup(repo: &Repo) -> Result<Vec<u8>, BackupError> {
    let mut bytes = Vec::new();
    let (head, others) = repo.backup_head(own)?;
    assert_eq!(others, Vec::<String>::new());
    let length = repo.write_backup(&head, &mut bytes)?;
    assert_eq!(length, bytes.len() as u64);
    Ok(bytes)
}

fn restore(mut bytes: &[u8]) -> Result<(Vault, BackupHead, Vec<String>), BackupError> {
    let vault = Vault::new();
    let (head, others) = vault.open(Faults::none()).read_backup(&mut bytes, own)?;
    Ok((vault, head, others))
}

/// What these vaults have.
fn own(name: &str) -> bool {
    !name.contains("feature")
}

#[test]
fn a_backup_comes_back_loose_and_packed_and_goes_on() {
    let vault = Vault::new();
    let refs = run(&vault.open(Faults::none()), 0, 40);
    for packed in [false, true] {
        if packed {
            vault.git(&["gc", "-q", "--prune=now"]);
        }
        let bytes = backup(&vault.open(Faults::none())).unwrap();
        let (again, head, _) = restore(&bytes).unwrap();
        let repo = again.open(Faults::none());
        assert_eq!(read_everything(&repo), refs);
        assert_eq!(head.refs.len(), refs.len());
        run(&repo, 40, 50);
        assert_eq!(again.git(&["fsck", "--strict", "--no-dangling"]), "");
    }
}

#[test]
fn a_backup_that_is_not_whole_is_refused() {
    let vault = Vault::new();
    run(&vault.open(Faults::none()), 0, 9);
    let bytes = backup(&vault.open(Faults::none())).unwrap();
    restore(&bytes).unwrap();
    for end in (0..bytes.len()).step_by(bytes.len() / 60 + 1) {
        assert!(restore(&bytes[..end]).is_err(), "cut at {end}");
    }
    for at in (0..bytes.len()).step_by(bytes.len() / 120 + 1) {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        // A branch that has another name now is left aside, and named.
        let seen = restore(&bad).map_or(true, |(_, _, others)| !others.is_empty());
        assert!(seen, "byte {at}");
    }
    // A branch whose commits the pack does not hold.
    let other = [&bytes[..16], "0f".repeat(20).as_bytes(), &bytes[56..]].concat();
    assert!(matches!(restore(&other), Err(BackupError::Incomplete(_))));
}

#[test]
fn a_damaged_vault_gives_no_backup() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    run(&repo, 0, 9);
    let tree = repo
        .read_commit(repo.ref_target("refs/heads/audit/a-1").unwrap().unwrap(), MAX)
        .unwrap()
        .tree;
    let blob = repo.find_path(tree, "line", MAX).unwrap().unwrap().oid;
    let path = loose::loose_path(&vault.dir(), blob);
    // Cut short: libgit2 would never return from reading it.
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(matches!(
        backup(&repo),
        Err(BackupError::Source(ReadError::Missing { .. }))
    ));
    write(&path, &bytes[..bytes.len() / 2]);
    assert!(matches!(
        backup(&repo),
        Err(BackupError::Source(ReadError::Damaged { .. }))
    ));
}

#[test]
fn refs_that_do_not_belong_stay_out_of_a_backup_and_stop_none() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let refs = run(&repo, 0, 9);
    vault.git(&["update-ref", "refs/heads/feature/one", "refs/heads/audit/a-1"]);
    vault.git(&["update-ref", "refs/heads/feature#2", "refs/heads/audit/a-1"]);
    vault.git(&["update-ref", "refs/tags/feature", "refs/heads/audit/a-1"]);
    // Damaged ones of others stop it no more than whole ones.
    write(&vault.dir().join("refs/heads/feature3"), b"torn");
    let (head, others) = repo.backup_head(own).unwrap();
    let names = [
        "refs/heads/feature#2",
        "refs/heads/feature/one",
        "refs/heads/feature3",
        "refs/tags/feature",
    ];
    assert_eq!(others, names);
    let mut bytes = Vec::new();
    repo.write_backup(&head, &mut bytes).unwrap();
    let (again, ..) = restore(&bytes).unwrap();
    assert_eq!(read_everything(&again.open(Faults::none())), refs);
    // One of the vault's own that is damaged is told.
    write(&vault.dir().join("refs/heads/audit/a-1"), b"torn");
    assert!(matches!(
        repo.backup_head(own),
        Err(BackupError::Source(ReadError::DamagedRef { .. }))
    ));
}

/// Adds a commit with one more file to a branch.
fn put(repo: &Repo, name: &str, path: &str, content: &str) -> Oid {
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    let old = repo.ref_target(name).unwrap();
    let base = old.map(|oid| repo.read_commit(oid, MAX).unwrap().tree);
    let blob = Object::blob(content.into());
    let mut edit = TreeEdit::new();
    edit.insert(path, blob.oid()).unwrap();
    let edited = edit.apply(base, |oid| repo.read_tree(oid, MAX)).unwrap();
    let parents: Vec<Oid> = old.into_iter().collect();
    let commit = Object::commit(commit_bytes(edited.root, &parents, AUTHOR, "x\n", None).unwrap());
    let refs = vec![RefChange {
        name: name.to_owned(),
        old,
        new: Some(commit.oid()),
    }];
    let new = commit.oid();
    let objects = edited.objects.into_iter().chain([blob, commit]).collect();
    let batch = Batch {
        objects,
        refs,
        ..Batch::default()
    };
    let _durable = repo.commit(&lock, &batch).unwrap();
    new
}

/// What a git command lists, in order.
fn listed(vault: &Vault, arguments: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = vault.git(arguments).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn branches_that_do_not_belong_are_left_aside_where_an_older_backup_has_them() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    run(&repo, 0, 9);
    let ids = (0..2000u32).map(|n| Oid::hash_object(Kind::Blob, &n.to_be_bytes()).to_string());
    let long: String = ids.collect();
    put(&repo, "refs/heads/audit/a-1", "long", &long[..long.len() / 2]);
    let refs = read_everything(&repo);
    let objects = listed(&vault, &["rev-list", "--objects", "--no-object-names", "--all"]);
    let (mut head, _) = repo.backup_head(own).unwrap();
    // It goes on from a branch of the vault's own, and what it adds is what a file of that is kept as a difference from.
    vault.git(&["update-ref", "refs/heads/feature", "refs/heads/audit/a-1"]);
    let stray = put(&repo, "refs/heads/feature", "secret", &long);
    head.refs.insert(0, ("HEAD".to_owned(), stray));
    head.refs.push(("refs/heads/feature".to_owned(), stray));
    head.refs.push(("refs/heads/feature\u{1b}[2J".to_owned(), stray));
    let mut bytes = Vec::new();
    repo.write_backup(&head, &mut bytes).unwrap();
    assert!(bytes.len() < long.len() * 3 / 4, "{}", bytes.len());
    let again = Vault::new();
    let repo = again.open(Faults::none());
    let (head, others) = repo.read_backup(&mut &bytes[..], own).unwrap();
    assert_eq!(others, ["refs/heads/feature", "refs/heads/feature\u{1b}[2J", "HEAD"]);
    assert_eq!(head.refs.len(), refs.len());
    assert_eq!(read_everything(&repo), refs);
    // What only they lead to is gone, on the disk and for who has just read it; all of the vault's own is there.
    let secret = Object::blob(long.into_bytes()).oid();
    assert!(!repo.contains(stray) && !repo.contains(secret));
    let stored = ["cat-file", "--batch-all-objects", "--batch-check=%(objectname)"];
    assert_eq!(listed(&again, &stored), objects);
    assert_eq!(again.git(&["fsck", "--strict", "--no-progress"]), "");
    assert_eq!(fs::read_dir(again.dir().join("objects/pack")).unwrap().count(), 2);
    assert!(!again.dir().join(crate::repo::pack::DRAFT).exists());
    run(&repo, 9, 19);
    assert_eq!(again.git(&["fsck", "--strict", "--no-dangling"]), "");
    // With nothing but such a branch nothing is left.
    let head = BackupHead {
        refs: vec![("refs/heads/feature".to_owned(), stray)],
    };
    bytes.clear();
    vault.open(Faults::none()).write_backup(&head, &mut bytes).unwrap();
    let (none, ..) = restore(&bytes).unwrap();
    assert_eq!(listed(&none, &stored), Vec::<String>::new());
    // Of what is no branch it is refused as before.
    let text =
        String::from_utf8(bytes[..bytes.windows(2).position(|two| two == b"\n\n").unwrap() + 2].to_vec()).unwrap();
    assert!(BackupHead::parse(&text).is_ok());
    assert!(BackupHead::parse(&text.replace("refs/heads/feature", "refs/tags/feature")).is_err());
}
