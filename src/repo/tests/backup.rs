//! A backup holds everything, and is refused where it does not.

use super::*;

fn backup(repo: &Repo) -> Result<Vec<u8>, BackupError> {
    let mut bytes = Vec::new();
    let head = repo.backup_head()?;
    let length = repo.write_backup(&head, &mut bytes)?;
    assert_eq!(length, bytes.len() as u64);
    Ok(bytes)
}

fn restore(mut bytes: &[u8]) -> Result<(Vault, BackupHead), BackupError> {
    let vault = Vault::new();
    let head = vault.open(Faults::none()).read_backup(&mut bytes)?;
    Ok((vault, head))
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
        let (again, head) = restore(&bytes).unwrap();
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
        assert!(restore(&bad).is_err(), "byte {at}");
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
