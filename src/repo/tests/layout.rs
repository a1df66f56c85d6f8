//! Making, opening, reading.

use super::*;
use std::os::unix::fs::MetadataExt;

#[test]
fn a_new_vault_is_whole_private_and_good_for_stock_git() {
    let vault = Vault::new();
    assert_eq!(vault.git(&["symbolic-ref", "HEAD"]), "refs/heads/main\n");
    assert_eq!(vault.git(&["config", "gc.auto"]), "0\n");
    assert_eq!(vault.git(&["fsck", "--strict"]), "");
    let mut names: Vec<String> = fs::read_dir(vault.dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["HEAD", "config", "objects", "refs", "strongroom.journal"]);
    assert_eq!(fs::metadata(vault.dir()).unwrap().mode() & 0o777, 0o700);
    let journal = fs::metadata(vault.dir().join("strongroom.journal")).unwrap();
    assert_eq!(journal.len(), JOURNAL_BYTES);
    // Really written, not a hole.
    assert!(journal.blocks() * 512 >= JOURNAL_BYTES);
    // Nothing is left beside it.
    assert_eq!(fs::read_dir(vault.folder.path()).unwrap().count(), 1);
}

#[test]
fn a_place_that_is_taken_is_refused() {
    let vault = Vault::new();
    let create = |path: &Path| Repo::create(path, settings(Faults::none())).map(drop);
    assert!(matches!(create(&vault.dir()), Err(CreateError::NotEmpty(_))));
    assert!(matches!(
        create(&vault.dir().join("HEAD")),
        Err(CreateError::NotEmpty(_))
    ));
    let empty = vault.folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    create(&empty).unwrap();
    assert_eq!(fs::metadata(&empty).unwrap().mode() & 0o777, 0o700);
    create(&vault.folder.path().join("deep/er")).unwrap();
}

#[test]
fn odd_histories_are_refused_and_named() {
    let vault = Vault::new();
    run(&vault.open(Faults::none()), 0, 2);
    assert_eq!(vault.open(Faults::none()).oddities(), []);
    let head = vault.git(&["rev-parse", "refs/heads/audit/a-1"]);
    let older = vault.git(&["rev-parse", "refs/heads/audit/a-1~1"]);
    for (path, text, oddity) in [
        ("shallow", head.clone(), Oddity::Shallow),
        ("info/grafts", head.clone(), Oddity::Grafts),
        (&format!("refs/replace/{}", head.trim()), older, Oddity::Replaced),
        ("objects/info/alternates", "/elsewhere\n".to_owned(), Oddity::Borrowed),
        ("commondir", format!("{}\n", vault.dir().display()), Oddity::Elsewhere),
        (
            "packed-refs",
            format!("{} refs/replace/{}\n", head.trim(), head.trim()),
            Oddity::Replaced,
        ),
    ] {
        write(&vault.dir().join(path), text.as_bytes());
        match Repo::open(&vault.dir(), settings(Faults::none())).map(drop) {
            Err(OpenError::Odd(found)) => assert_eq!(found, [oddity]),
            other => panic!("{path}: {other:?}"),
        }
        let repo = Repo::open_to_verify(&vault.dir(), settings(Faults::none())).unwrap();
        // What is read is what is there, whatever other programs are told.
        let commit = repo.read_commit(head.trim().parse().unwrap(), MAX).unwrap();
        assert_eq!(commit.message, "note 1\n");
        assert_eq!(commit.parents.len(), 1);
        fs::remove_file(vault.dir().join(path)).unwrap();
    }
    // Whatever bytes stand beside it.
    let packed = vault.dir().join("packed-refs");
    let line = |name: &[u8]| [head.trim().as_bytes(), b" ", name, b"\n"].concat();
    write(
        &packed,
        &[line(b"refs/heads/x\xff"), line(b"refs/replace/\xfe")].concat(),
    );
    assert_eq!(
        Repo::open_to_verify(&vault.dir(), settings(Faults::none()))
            .unwrap()
            .oddities(),
        [Oddity::Replaced]
    );
    fs::remove_file(&packed).unwrap();
    // What leads to itself cannot be read, and nobody knows what is behind it.
    for path in ["packed-refs", "refs/replace", "info"] {
        let repo = vault.open(Faults::none());
        let link = vault.dir().join(path);
        let _ = fs::remove_dir_all(&link);
        std::os::unix::fs::symlink(&link, &link).unwrap();
        let found = repo.oddities();
        assert!(matches!(found[..], [Oddity::Unread(..)]), "{path}: {found:?}");
        fs::remove_file(&link).unwrap();
    }
    assert_eq!(vault.open(Faults::none()).oddities(), []);
    let missing = Repo::open(&vault.folder.path().join("no"), settings(Faults::none())).map(drop);
    assert!(matches!(missing, Err(OpenError::Missing(_))));
    let other = Repo::open(vault.folder.path(), settings(Faults::none())).map(drop);
    assert!(matches!(other, Err(OpenError::NotARepository { .. })));
}

#[test]
fn damage_absence_size_and_kind_are_told_apart() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    run(&repo, 0, 1);
    let head = repo.ref_target("refs/heads/audit/a-1").unwrap().unwrap();
    let tree = repo.read_commit(head, MAX).unwrap().tree;
    let blob = repo.find_path(tree, "line", MAX).unwrap().unwrap().oid;
    assert_eq!(repo.read_blob(blob, 6).unwrap(), b"file 0");
    assert!(matches!(
        repo.read_blob(blob, 5),
        Err(ReadError::TooBig { size: 6, max: 5, .. })
    ));
    assert!(matches!(repo.read_blob(tree, MAX), Err(ReadError::Kind { .. })));
    assert!(matches!(repo.read_tree(blob, MAX), Err(ReadError::Kind { .. })));
    let nowhere = Oid([5; 20]);
    assert_eq!(repo.read_blob(nowhere, MAX), Err(ReadError::Missing { oid: nowhere }));
    assert!(repo.contains(blob) && !repo.contains(nowhere));
    assert_eq!(repo.find_path(tree, "line/below", MAX).unwrap(), None);
    assert_eq!(repo.find_path(tree, "no", MAX).unwrap(), None);
    assert!(repo.find_path(tree, "../line", MAX).is_err());

    let path = loose::loose_path(&vault.dir(), blob);
    let whole = fs::read(&path).unwrap();
    let other = fs::read(loose::loose_path(&vault.dir(), head)).unwrap();
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for torn in [&[][..], &[0; 40], &whole[..whole.len() / 2], &whole[..1], &flipped] {
        write(&path, torn);
        let found = vault.open(Faults::none()).read_blob(blob, MAX);
        assert_eq!(found, Err(ReadError::Damaged { oid: blob }), "{torn:02x?}");
    }
    // Another blob under this one's name: seen where the id is checked.
    let object = Object::blob(b"file X".to_vec());
    repo.write_object(&object).unwrap();
    fs::remove_file(&path).unwrap();
    fs::copy(loose::loose_path(&vault.dir(), object.oid()), &path).unwrap();
    let fresh = vault.open(Faults::none());
    assert_eq!(fresh.read_blob(blob, MAX), Err(ReadError::Damaged { oid: blob }));
    assert_eq!(fresh.read_blob_unchecked(blob, MAX).unwrap(), b"file X");
    write(&path, &other);
    assert!(matches!(
        vault.open(Faults::none()).read_blob(blob, MAX),
        Err(ReadError::Kind { .. })
    ));
}

#[test]
fn refs_are_read_loose_and_packed_and_a_damaged_one_is_not_passed_over() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let refs = run(&repo, 0, 4);
    assert_eq!(
        repo.refs("refs/heads/")
            .unwrap()
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        refs
    );
    assert_eq!(repo.refs("refs/heads/notes/").unwrap().len(), 3);
    vault.git(&["pack-refs", "--all"]);
    vault.git(&["repack", "-adq"]);
    let repo = vault.open(Faults::none());
    assert_eq!(read_everything(&repo), refs);
    // Packed values are compared, moved and deleted like others.
    let refs = run(&repo, 4, 9);
    assert_eq!(read_everything(&vault.open(Faults::none())), refs);
    assert_eq!(vault.git(&["fsck", "--strict", "--no-dangling"]), "");

    let name = "refs/heads/audit/a-1";
    let target = refs[name];
    // As other programs may write it, and by another name.
    for (odd, text) in [
        ("a-2", format!("{target}")),
        ("a-3", format!("{target} \n")),
        ("a-4", format!("ref: {name}\n")),
    ] {
        let odd = format!("refs/heads/audit/{odd}");
        write(&vault.dir().join(&odd), text.as_bytes());
        let repo = vault.open(Faults::none());
        let resolved = repo.ref_target(&odd);
        match text.starts_with("ref:") {
            true => assert!(resolved.is_err(), "{resolved:?}"),
            false => assert_eq!(resolved, Ok(Some(target)), "{odd}"),
        }
        fs::remove_file(vault.dir().join(&odd)).unwrap();
    }
    for none in ["refs/heads/audit/a-9", "refs/heads/audit"] {
        assert_eq!(vault.open(Faults::none()).ref_target(none), Ok(None));
    }
    for torn in [&b""[..], &[0; 41], b"0123"] {
        write(&vault.dir().join(name), torn);
        let repo = vault.open(Faults::none());
        let damaged = ReadError::DamagedRef { name: name.to_owned() };
        assert_eq!(repo.ref_target(name), Err(damaged.clone()));
        assert_eq!(repo.refs("refs/heads/audit/"), Err(damaged));
    }
}

#[test]
fn what_is_written_is_good_for_stock_git() {
    let vault = Vault::new();
    let refs = run(&vault.open(Faults::none()), 0, 30);
    assert_eq!(vault.git(&["fsck", "--strict", "--no-dangling"]), "");
    let listed = vault.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
    let mine: String = refs.iter().map(|(name, oid)| format!("{name} {oid}\n")).collect();
    assert_eq!(listed, mine);
    assert_eq!(vault.git(&["rev-list", "--count", "refs/heads/audit/a-1"]), "30\n");
    assert_eq!(vault.git(&["show", "refs/heads/audit/a-1:line"]), "file 29");
}
