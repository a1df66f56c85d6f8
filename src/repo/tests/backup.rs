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

#[test]
fn branches_that_do_not_belong_are_left_aside_where_an_older_backup_has_them() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let refs = run(&repo, 0, 9);
    let (mut head, _) = repo.backup_head(own).unwrap();
    let by = ["-c", "user.name=x", "-c", "user.email=x@vault.invalid"];
    let made = vault.git(&[&by[..], &["commit-tree", "-m", "x", "refs/heads/audit/a-1^{tree}"]].concat());
    let stray: Oid = made.trim().parse().unwrap();
    head.refs.push(("refs/heads/feature".to_owned(), stray));
    head.refs.push(("refs/heads/feature\u{1b}[2J".to_owned(), stray));
    let mut bytes = Vec::new();
    repo.write_backup(&head, &mut bytes).unwrap();
    let again = Vault::new();
    let repo = again.open(Faults::none());
    let (head, others) = repo.read_backup(&mut &bytes[..], own).unwrap();
    assert_eq!(others, ["refs/heads/feature", "refs/heads/feature\u{1b}[2J"]);
    assert_eq!(head.refs.len(), refs.len());
    assert_eq!(read_everything(&repo), refs);
    // What only they lead to is in the pack, and leads nowhere.
    assert!(repo.contains(stray));
    run(&repo, 9, 19);
    assert_eq!(again.git(&["fsck", "--strict", "--no-dangling"]), "");
    // Of what is no branch it is refused as before.
    let text =
        String::from_utf8(bytes[..bytes.windows(2).position(|two| two == b"\n\n").unwrap() + 2].to_vec()).unwrap();
    assert!(BackupHead::parse(&text).is_ok());
    assert!(BackupHead::parse(&text.replace("refs/heads/feature", "refs/tags/feature")).is_err());
}
