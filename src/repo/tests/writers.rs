//! Two writers, and a reader beside them.

use super::*;
use std::time::Duration;

#[test]
fn two_writers_lose_no_update() {
    let vault = Vault::new();
    let dir = vault.dir();
    std::thread::scope(|scope| {
        for writer in 0..2 {
            let dir = &dir;
            scope.spawn(move || {
                let repo = Repo::open(dir, settings(Faults::none())).unwrap();
                for n in 0..40 {
                    let lock = repo.lock(PATIENCE).unwrap();
                    assert_eq!(repo.recover(&lock).unwrap(), Recovery::default());
                    let batch = make_batch(&repo, n * 2 + writer);
                    let _durable = repo.commit(&lock, &batch).unwrap();
                }
            });
        }
        // A verifier sees no damage at any moment.
        scope.spawn(|| {
            let repo = Repo::open(&dir, settings(Faults::none())).unwrap();
            for _ in 0..200 {
                repo.pending().unwrap();
                if let Some(head) = repo.ref_target("refs/heads/audit/a-1").unwrap() {
                    assert!(repo.first_parents(head, MAX).all(|commit| commit.is_ok()));
                }
            }
        });
    });
    let repo = vault.open(Faults::none());
    let head = repo.ref_target("refs/heads/audit/a-1").unwrap().unwrap();
    assert_eq!(repo.first_parents(head, MAX).count(), 80);
    read_everything(&repo);
}

#[test]
fn a_lock_that_is_held_is_named_after_the_wait() {
    let vault = Vault::new();
    let (one, two) = (vault.open(Faults::none()), vault.open(Faults::none()));
    let lock = one.lock(PATIENCE).unwrap();
    assert!(matches!(two.lock(Duration::from_millis(30)), Err(LockError::Busy(_))));
    assert!(matches!(two.lock(Duration::ZERO), Err(LockError::Busy(_))));
    drop(lock);
    two.lock(Duration::ZERO).unwrap();
}

#[test]
fn a_lock_is_given_back_although_a_started_program_still_has_the_file_open() {
    let vault = Vault::new();
    let (one, two) = (vault.open(Faults::none()), vault.open(Faults::none()));
    let lock = one.lock(PATIENCE).unwrap();
    // What `fork` gives a child: another descriptor of the same open file.
    let inherited = lock.file.try_clone().unwrap();
    drop(lock);
    two.lock(Duration::ZERO).unwrap();
    drop(inherited);
}
