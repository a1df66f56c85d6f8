//! Blobs beside the journal: durable before the record that names them, whole for stock git, gone when they fail.

use super::*;

const HALF: &str = "tmp_obj_strongroom_";

/// Bytes that do not shrink, of more than one stored block.
fn content(n: u32, len: usize) -> Vec<u8> {
    let mut state = u64::from(n) + 1;
    let mut next = || {
        // xorshift64, Marsaglia 2003.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..len).map(|_| next()).collect()
}

/// A batch that names a blob which is there already.
fn naming(repo: &Repo, n: u32, oid: Oid) -> Batch {
    let mut batch = make_batch(repo, n);
    let name = "refs/heads/notes/aa".to_owned();
    let old = repo.ref_target(&name).unwrap();
    let base = old.map(|oid| repo.read_commit(oid, MAX).unwrap().tree);
    let mut edit = TreeEdit::new();
    edit.insert(&format!("blob-{n}"), oid).unwrap();
    let edited = edit.apply(base, |oid| repo.read_tree(oid, MAX)).unwrap();
    batch.objects.extend(edited.objects);
    let parents: Vec<Oid> = old.into_iter().collect();
    let commit = Object::commit(commit_bytes(edited.root, &parents, AUTHOR, "keep\n", None).unwrap());
    batch.refs.push(RefChange {
        name,
        old,
        new: Some(commit.oid()),
    });
    batch.objects.push(commit);
    batch
}

fn half_written(vault: &Vault) -> usize {
    let names = fs::read_dir(vault.dir().join("objects")).unwrap();
    let half = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(HALF);
    names.filter(|entry| half(entry.as_ref().unwrap())).count()
}

#[test]
fn stock_git_reads_packs_and_keeps_what_is_stored() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    let lens = [0, 1, 65_523, 65_524, 65_525, 131_059, 200_000, 4 << 20];
    let mut stored = Vec::new();
    for (n, len) in (0..).zip(lens) {
        let bytes = content(n, len);
        let blob = repo.blob_writer().unwrap().write(&bytes).unwrap();
        assert_eq!(blob.oid(), Oid::hash_object(Kind::Blob, &bytes));
        let batch = naming(&repo, n, blob.keep());
        let _durable = repo.commit(&lock, &batch).unwrap();
        stored.push(bytes);
    }
    let max = 5 << 20;
    let read = |repo: &Repo| {
        for bytes in &stored {
            let oid = Oid::hash_object(Kind::Blob, bytes);
            assert!(repo.read_blob(oid, max).unwrap() == *bytes);
            assert!(repo.read_blob(oid, bytes.len() as u64).is_ok());
            let short = repo.read_blob(oid, (bytes.len() as u64).saturating_sub(1));
            assert_eq!(short.is_err(), !bytes.is_empty());
            assert_eq!(
                vault.git(&["cat-file", "-s", &oid.to_string()]).trim(),
                bytes.len().to_string()
            );
        }
    };
    read(&repo);
    vault.git(&["fsck", "--strict", "--full"]);
    vault.git(&["gc", "--prune=now", "--quiet"]);
    read(&vault.open(Faults::none()));
    vault.git(&["fsck", "--strict", "--full"]);
}

#[test]
fn a_blob_is_durable_before_the_record_that_names_it() {
    let vault = Vault::new();
    let faults = Faults::planned(0, Fault::Fails);
    let repo = vault.open(faults.clone());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    let blob = repo.blob_writer().unwrap().write(&content(1, 100_000)).unwrap();
    let batch = naming(&repo, 1, blob.keep());
    let _durable = repo.commit(&lock, &batch).unwrap();
    let steps = faults.seen();
    let blob = [Step::BlobWrite, Step::BlobSync, Step::BlobRename, Step::BlobFolderSync];
    assert_eq!(
        steps[..6],
        [&blob[..], &[Step::JournalWrite, Step::JournalSync]].concat()
    );
}

#[test]
fn whichever_step_of_a_blob_fails_nothing_of_it_is_left() {
    let vault = Vault::new();
    let before = run(&vault.open(Faults::none()), 0, 3);
    let bytes = content(1, 100_000);
    let oid = Oid::hash_object(Kind::Blob, &bytes);
    for fault in [Fault::Fails, Fault::FailsAfterDone, Fault::Torn] {
        for at in 1..=4 {
            let repo = vault.open(Faults::planned(at, fault));
            let writer = repo.blob_writer().unwrap();
            assert!(writer.write(&bytes).is_err(), "{at} {fault:?}");
            assert!(!repo.contains(oid), "{at} {fault:?}");
            assert_eq!(half_written(&vault), 0, "{at} {fault:?}");
        }
    }
    let repo = vault.open(Faults::none());
    assert_eq!(read_everything(&repo), before);
    drop(repo.blob_writer().unwrap().write(&bytes).unwrap());
    assert!(!repo.contains(oid));
}

#[test]
fn what_a_dead_writer_left_goes_and_what_a_live_one_writes_stays() {
    let vault = Vault::new();
    let path = |n: u8| vault.dir().join(format!("objects/{HALF}{n}"));
    for n in 0..2 {
        fs::write(path(n), b"half").unwrap();
    }
    let alive = fs::File::open(path(0)).unwrap();
    alive.lock().unwrap();
    let repo = vault.open(Faults::none());
    let _ = repo.blob_writer().unwrap();
    assert!(path(0).exists() && !path(1).exists());
    // Not by closing it alone: a program that another test starts may have it open too for a moment.
    alive.unlock().unwrap();
    let _ = repo.blob_writer().unwrap();
    assert_eq!(half_written(&vault), 0);
}
