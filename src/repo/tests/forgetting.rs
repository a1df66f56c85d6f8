//! What was forgotten leaves the object store, loose or packed, however often it is interrupted.

use super::*;

const SECRET: &[u8] = b"the ciphertext that must go";

/// A vault with a shard of three files, of which one is to go, and another shard.
fn vault() -> Vault {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    for (branch, name, bytes) in [
        ("notes/00", "kept", &b"this stays"[..]),
        ("notes/00", "secret", SECRET),
        ("notes/00", "later", b"this stays too"),
        ("notes/01", "other", b"another note"),
    ] {
        put(&repo, &lock, branch, &[(name, Some(bytes))]);
    }
    drop(lock);
    vault
}

/// Writes or takes away files; taking away re-roots the branch.
fn batch(repo: &Repo, branch: &str, files: &[(&str, Option<&[u8]>)]) -> Batch {
    let name = format!("refs/heads/{branch}");
    let old = repo.ref_target(&name).unwrap();
    let base = old.map(|oid| repo.read_commit(oid, MAX).unwrap().tree);
    let (mut edit, mut objects) = (TreeEdit::new(), Vec::new());
    for (path, bytes) in files {
        match bytes {
            Some(bytes) => {
                let blob = Object::blob(bytes.to_vec());
                edit.insert(path, blob.oid()).unwrap();
                objects.push(blob);
            }
            None => edit.remove(path).unwrap(),
        }
    }
    let edited = edit.apply(base, |oid| repo.read_tree(oid, MAX)).unwrap();
    objects.extend(edited.objects);
    let rooted = files.iter().any(|(_, bytes)| bytes.is_none());
    let parents: Vec<Oid> = old.into_iter().filter(|_| !rooted).collect();
    let commit = Object::commit(commit_bytes(edited.root, &parents, AUTHOR, "x\n", None).unwrap());
    let refs = vec![RefChange {
        name,
        old,
        new: Some(commit.oid()),
    }];
    objects.push(commit);
    Batch {
        objects,
        refs,
        note: Vec::new(),
    }
}

fn put(repo: &Repo, lock: &Lock, branch: &str, files: &[(&str, Option<&[u8]>)]) {
    let _durable = repo.commit(lock, &batch(repo, branch, files)).unwrap();
}

/// Forgets the secret; stops at the first error.
fn forget(repo: &Repo) -> Result<Vec<String>, String> {
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).map_err(|error| error.to_string())?;
    forget_under(repo, &lock)
}

fn forget_under(repo: &Repo, lock: &Lock) -> Result<Vec<String>, String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    let batch = batch(repo, "notes/00", &[("secret", None)]);
    repo.begin_forgetting(lock, &batch.refs).map_err(|error| told(&error))?;
    let _durable = repo.commit(lock, &batch).map_err(|error| told(&error))?;
    repo.finish_forgetting(lock).map_err(|error| told(&error))
}

/// Whether any file below the vault holds the secret, as it is or inflated.
fn holds(dir: &Path, secret: &[u8]) -> bool {
    let inside = |bytes: &[u8]| memchr::memmem::find(bytes, secret).is_some();
    let mut due = vec![dir.to_owned()];
    while let Some(path) = due.pop() {
        if path.is_dir() {
            due.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        let header = |at: &usize| {
            let next = bytes.get(at + 1);
            next.is_some_and(|next| (0x7800 + u16::from(*next)).is_multiple_of(31))
        };
        let inflated = memchr::memchr_iter(0x78, &bytes)
            .filter(header)
            .map(|at| miniz_oxide::inflate::decompress_to_vec_zlib_with_limit(&bytes[at..], 1 << 20));
        let mut inflated = inflated.map(|result| result.unwrap_or_else(|error| error.output));
        if inside(&bytes) || inflated.any(|bytes| inside(&bytes)) {
            return true;
        }
    }
    false
}

/// The secret is nowhere, everything else is there, and git is content.
fn check(vault: &Vault, what: &str) {
    let repo = vault.open(Faults::none());
    assert!(!repo.is_forgetting(), "{what}");
    assert!(!repo.contains(Object::blob(SECRET.to_vec()).oid()), "{what}");
    assert!(!holds(&vault.dir(), SECRET), "{what}");
    assert!(!vault.dir().join("strongroom.packing").exists(), "{what}");
    for stays in [&b"this stays"[..], b"this stays too", b"another note"] {
        let oid = Object::blob(stays.to_vec()).oid();
        assert_eq!(repo.read_blob(oid, MAX).unwrap(), stays, "{what}");
    }
    read_everything(&repo);
    assert_eq!(vault.git(&["fsck", "--strict"]), "", "{what}");
}

#[test]
fn what_was_forgotten_is_gone_without_waiting_for_git() {
    let vault = vault();
    assert!(holds(&vault.dir(), SECRET));
    assert_eq!(forget(&vault.open(Faults::none())), Ok(vec![]));
    check(&vault, "loose");
    // Nothing is left to be pruned: neither the old commits nor the trees that named it.
    assert_eq!(vault.git(&["fsck", "--unreachable", "--no-reflogs"]), "");
}

#[test]
fn packs_are_written_anew_without_it() {
    for (what, gc) in [
        ("packed", vec!["gc", "-q"]),
        ("with caches", vec!["repack", "-adbq"]),
        ("some of it", vec!["repack", "-q"]),
    ] {
        let vault = vault();
        vault.git(&gc);
        if what == "with caches" {
            vault.git(&["multi-pack-index", "write"]);
            vault.git(&["commit-graph", "write", "--reachable"]);
        }
        assert!(holds(&vault.dir(), SECRET), "{what}");
        assert_eq!(forget(&vault.open(Faults::none())), Ok(vec![]), "{what}");
        check(&vault, what);
        assert_eq!(vault.git(&["fsck", "--unreachable", "--no-reflogs"]), "", "{what}");
        let packs = fs::read_dir(vault.dir().join("objects/pack")).unwrap().count();
        // One pack and its index, also where everything has a file of its own besides: `git gc`, if it runs beside
        // this, takes such files away.
        assert_eq!(packs, 2, "{what}");
        vault.git(&["prune-packed", "-q"]);
        check(&vault, what);
        vault.git(&["gc", "-q", "--prune=now"]);
        check(&vault, what);
    }
}

#[test]
fn it_leaves_packs_whatever_their_name() {
    let vault = vault();
    vault.git(&["repack", "-adq"]);
    let folder = vault.dir().join("objects/pack");
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path
            .file_name()
            .unwrap()
            .to_str()
            .unwrap()
            .replacen("pack-", "loose-", 1);
        fs::rename(&path, folder.join(name)).unwrap();
    }
    assert!(holds(&vault.dir(), SECRET));
    assert_eq!(forget(&vault.open(Faults::none())), Ok(vec![]));
    check(&vault, "another name");
}

#[test]
fn a_pack_that_held_nothing_of_it_is_not_lost() {
    // A pack as this program writes it, and a second one with the secret alone.
    let vault = vault();
    vault.git(&["repack", "-adq"]);
    assert_eq!(forget(&vault.open(Faults::none())), Ok(vec![]));
    let blob = Object::blob(SECRET.to_vec());
    let repo = vault.open(Faults::none());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    put(&repo, &lock, "notes/00", &[("secret", Some(SECRET))]);
    drop(lock);
    vault.git(&["repack", "-q"]);
    vault.git(&["prune-packed", "-q"]);
    assert!(repo.contains(blob.oid()));
    assert_eq!(forget(&vault.open(Faults::none())), Ok(vec![]));
    check(&vault, "two packs");
}

/// A `git gc` beside it removes what it has packed, and gives a pack its index last.
#[test]
fn what_another_program_packs_meanwhile_stays() {
    let vault = vault();
    vault.git(&["repack", "-adq"]);
    let repo = vault.open(Faults::none());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    let batch = batch(&repo, "notes/00", &[("secret", None)]);
    repo.begin_forgetting(&lock, &batch.refs).unwrap();
    let _durable = repo.commit(&lock, &batch).unwrap();
    let places = [(batch.refs[0].name.clone(), batch.refs[0].old.unwrap())];
    let (doomed, _) = repo.unreachable(&places).unwrap();
    let found = repo.found_packs().unwrap();
    vault.git(&["repack", "-aq"]);
    vault.git(&["prune-packed", "-q"]);
    repo.repack_without(&doomed, found).unwrap();
    read_everything(&vault.open(Faults::none()));
    assert_eq!(repo.finish_forgetting(&lock).unwrap(), Vec::<String>::new());
    check(&vault, "packed meanwhile");

    let half = vault.dir().join("objects/pack/pack-half.pack");
    for (known, later, stays) in [(false, 61, true), (true, 0, true), (true, 61, false)] {
        let _ = fs::remove_file(&half);
        if known {
            fs::write(&half, "PACK").unwrap();
        }
        let mut found = repo.found_packs().unwrap();
        fs::write(&half, "PACK").unwrap();
        found.at += std::time::Duration::from_secs(later);
        repo.repack_without(&reach::Reached::default(), found).unwrap();
        assert_eq!(half.exists(), stays, "{known}, {later}");
    }
}

/// Exchanges two ids in the index of the only pack but those in `known`: it cannot be read here, and libgit2 finds the rest.
fn spoil_index(vault: &Vault, known: &[std::path::PathBuf]) {
    let mut indexes = indexes(vault);
    indexes.retain(|path| !known.contains(path));
    let mut bytes = fs::read(&indexes[0]).unwrap();
    let (one, other) = bytes[8 + 1024..].split_at_mut(20);
    one.swap_with_slice(&mut other[..20]);
    write(&indexes[0], &bytes);
    assert!(PackIndex::parse(&bytes).is_err());
}

fn indexes(vault: &Vault) -> Vec<std::path::PathBuf> {
    let names = fs::read_dir(vault.dir().join("objects/pack")).unwrap();
    let paths = names.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "idx"))
        .collect()
}

#[test]
fn a_pack_that_cannot_be_read_here_is_in_the_way_only_if_it_holds_it() {
    let vault = vault();
    vault.git(&["repack", "-adq"]);
    let known = indexes(&vault);
    let repo = vault.open(Faults::none());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    put(&repo, &lock, "notes/01", &[("more", Some(b"more"))]);
    drop((lock, repo));
    vault.git(&["repack", "-q"]);
    spoil_index(&vault, &known);
    assert_eq!(forget(&vault.open(Faults::none())), Ok(vec![]));
    assert!(!holds(&vault.dir(), SECRET));
    assert_eq!(indexes(&vault).len(), 2);
    read_everything(&vault.open(Faults::none()));

    let vault = super::forgetting::vault();
    vault.git(&["repack", "-adq"]);
    spoil_index(&vault, &[]);
    let error = forget(&vault.open(Faults::none())).unwrap_err();
    assert!(error.contains("not the index of a pack"), "{error}");
    assert!(vault.open(Faults::none()).is_forgetting());
}

#[test]
fn whichever_step_fails_it_is_finished_at_the_next_start() {
    for packed in [false, true] {
        let make = || {
            let vault = vault();
            if packed {
                vault.git(&["gc", "-q"]);
            }
            vault
        };
        let counter = Faults::planned(0, Fault::Fails);
        forget(&make().open(counter.clone())).unwrap();
        let steps = counter.seen();
        for step in [Step::NoteWrite, Step::WipeWrite, Step::WholeSync, Step::NoteRemove] {
            assert!(steps.contains(&step), "{step:?}");
        }
        let removed = if packed { Step::PackRemove } else { Step::ObjectRemove };
        assert!(steps.contains(&removed) && steps.contains(&Step::PackWrite) == packed);
        for fault in [Fault::Fails, Fault::FailsAfterDone, Fault::Torn] {
            for at in 1..=steps.len() as u64 {
                let what = format!("packed {packed}, step {at} ({:?}) {fault:?}", steps[at as usize - 1]);
                let vault = make();
                forget(&vault.open(Faults::planned(at, fault))).unwrap_err();
                let repo = vault.open(Faults::none());
                let lock = repo.lock(PATIENCE).unwrap();
                repo.recover(&lock).unwrap();
                assert_eq!(repo.finish_forgetting(&lock).unwrap(), Vec::<String>::new(), "{what}");
                drop(lock);
                let tree = repo
                    .read_commit(repo.ref_target("refs/heads/notes/00").unwrap().unwrap(), MAX)
                    .unwrap()
                    .tree;
                match repo.find_path(tree, "secret", MAX).unwrap() {
                    None => check(&vault, &what),
                    // It did not come to be.
                    Some(_) => {
                        assert!(!repo.is_forgetting() && holds(&vault.dir(), SECRET), "{what}");
                        read_everything(&repo);
                    }
                }
            }
        }
    }
}

/// The secret in one pack and the tip of its branch in another, which comes before it by name or after it. What leads to the secret
/// must outlast it, whichever pack goes first.
fn vault_of_two_packs(tip_first: bool) -> Vault {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    let folder = vault.dir().join("objects/pack");
    let pack = |files: [(&str, &str, &[u8]); 2], first: bool| {
        for (branch, name, bytes) in files {
            put(&repo, &lock, branch, &[(name, Some(bytes))]);
        }
        vault.git(&["repack", "-dq"]);
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if let Some(rest) = name.strip_prefix("pack-").filter(|rest| rest.len() >= 40) {
                let name = format!("pack-{}{}", if first { "0" } else { "f" }, &rest[30..]);
                fs::rename(&path, folder.join(name)).unwrap();
            }
        }
    };
    pack(
        [("notes/00", "kept", b"this stays"), ("notes/00", "secret", SECRET)],
        !tip_first,
    );
    pack(
        [
            ("notes/00", "later", b"this stays too"),
            ("notes/01", "other", b"another note"),
        ],
        tip_first,
    );
    drop(lock);
    assert_eq!(indexes(&vault).len(), 2);
    vault
}

#[test]
fn of_several_packs_whichever_goes_first_all_of_it_goes() {
    for tip_first in [true, false] {
        let counter = Faults::planned(0, Fault::Fails);
        let vault = vault_of_two_packs(tip_first);
        forget(&vault.open(counter.clone())).unwrap();
        check(&vault, "nothing fails");
        let steps = counter.seen();
        assert!(steps.iter().filter(|step| **step == Step::PackRemove).count() >= 6);
        for at in 1..=steps.len() as u64 {
            let what = format!("tip first {tip_first}, step {at} ({:?})", steps[at as usize - 1]);
            let vault = vault_of_two_packs(tip_first);
            forget(&vault.open(Faults::planned(at, Fault::Fails))).unwrap_err();
            let repo = vault.open(Faults::none());
            let lock = repo.lock(PATIENCE).unwrap();
            repo.recover(&lock).unwrap();
            assert_eq!(repo.finish_forgetting(&lock).unwrap(), Vec::<String>::new(), "{what}");
            drop(lock);
            // The note was not made, or the batch not committed: nothing goes.
            if repo.contains(Object::blob(SECRET.to_vec()).oid()) {
                let head = repo.ref_target("refs/heads/notes/00").unwrap().unwrap();
                let tree = repo.read_commit(head, MAX).unwrap().tree;
                assert!(repo.find_path(tree, "secret", MAX).unwrap().is_some(), "{what}");
                continue;
            }
            check(&vault, &what);
            assert_eq!(vault.git(&["fsck", "--unreachable", "--no-reflogs"]), "", "{what}");
        }
    }
}

#[test]
fn what_other_branches_share_and_what_strangers_hold_stays() {
    let vault = vault();
    let repo = vault.open(Faults::none());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    // Two branches that were emptied on the same day are the same commit.
    for branch in ["notes/02", "notes/03"] {
        put(&repo, &lock, branch, &[("x", Some(b"x"))]);
        put(&repo, &lock, branch, &[("x", None)]);
    }
    let shared = repo.ref_target("refs/heads/notes/02").unwrap();
    assert_eq!(shared, repo.ref_target("refs/heads/notes/03").unwrap());
    put(&repo, &lock, "notes/03", &[("y", Some(b"y"))]);
    let again = batch(&repo, "notes/03", &[("y", None)]);
    repo.begin_forgetting(&lock, &again.refs).unwrap();
    let _durable = repo.commit(&lock, &again).unwrap();
    assert_eq!(repo.finish_forgetting(&lock).unwrap(), Vec::<String>::new());
    read_everything(&repo);
    drop(lock);

    vault.git(&["update-ref", "refs/remotes/origin/notes/00", "refs/heads/notes/00"]);
    vault.git(&["tag", "-a", "-m", "kept", "kept", "refs/heads/notes/01"]);
    let held = forget(&vault.open(Faults::none()));
    assert_eq!(held, Ok(vec!["refs/remotes/origin/notes/00".to_owned()]));
    assert!(holds(&vault.dir(), SECRET));
    assert_eq!(vault.git(&["fsck", "--strict", "--no-dangling"]), "");
}

/// Whoever may attach a file can write what everybody has under a name of their own, and forget that.
#[test]
fn what_another_branch_holds_stays_whoever_put_it_there_too() {
    let places = ["main", "audit/a-1", "notes/01", "keys/00", "witness/w"];
    for (branch, packed) in places.into_iter().flat_map(|branch| [(branch, false), (branch, true)]) {
        let vault = vault();
        let repo = vault.open(Faults::none());
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        put(&repo, &lock, branch, &[("bundles/0000/00", Some(SECRET))]);
        if ["main", "witness/w"].contains(&branch) {
            // What stands in their histories counts as well.
            put(
                &repo,
                &lock,
                branch,
                &[("bundles/0000/00", Some(b"what came after it"))],
            );
        }
        drop((lock, repo));
        if packed {
            vault.git(&["gc", "-q"]);
        }
        let held = forget(&vault.open(Faults::none()));
        assert_eq!(held, Ok(vec![format!("refs/heads/{branch}")]), "{packed}");
        let repo = vault.open(Faults::none());
        read_everything(&repo);
        assert!(repo.contains(Object::blob(SECRET.to_vec()).oid()), "{branch}, {packed}");
        assert_eq!(
            vault.git(&["fsck", "--strict", "--no-dangling"]),
            "",
            "{branch}, {packed}"
        );
    }
}

#[test]
fn what_is_damaged_elsewhere_keeps_nothing_from_being_forgotten() {
    for branch in ["main", "notes/01"] {
        let vault = vault();
        let repo = vault.open(Faults::none());
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        put(&repo, &lock, branch, &[("more", Some(b"more"))]);
        let head = repo.ref_target(&format!("refs/heads/{branch}")).unwrap().unwrap();
        let tree = repo.read_commit(head, MAX).unwrap().tree;
        drop((lock, repo));
        let hex = tree.to_string();
        write(&vault.dir().join("objects").join(&hex[..2]).join(&hex[2..]), b"");
        assert_eq!(forget(&vault.open(Faults::none())), Ok(vec![]), "{branch}");
        assert!(!holds(&vault.dir(), SECRET), "{branch}");
    }
}

/// Two branches of files may have begun as one.
#[test]
fn what_stands_in_the_history_of_another_branch_stays() {
    let vault = vault();
    let repo = vault.open(Faults::none());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    let last = repo.ref_target("refs/heads/notes/00").unwrap().unwrap();
    let with_secret = repo.read_commit(last, MAX).unwrap().parents[0];
    let name = "refs/heads/keys/00".to_owned();
    let (old, new) = (None, Some(with_secret));
    let (objects, refs, note) = (Vec::new(), vec![RefChange { name, old, new }], Vec::new());
    let _durable = repo.commit(&lock, &Batch { objects, refs, note }).unwrap();
    put(&repo, &lock, "keys/00", &[("more", Some(b"more"))]);
    assert_eq!(forget_under(&repo, &lock), Ok(vec!["refs/heads/keys/00".to_owned()]));
    assert!(!repo.contains(last));
    read_everything(&repo);
    assert_eq!(vault.git(&["fsck", "--strict", "--no-dangling"]), "");
}

/// The same where the branch becomes again what it was when they parted: it has that tree still, and not the commit.
#[test]
fn what_another_branch_began_with_stays_where_this_one_becomes_so_again() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    put(&repo, &lock, "notes/00", &[("first", Some(b"this was first"))]);
    put(&repo, &lock, "notes/00", &[("kept", Some(b"this stays"))]);
    let parted = repo.ref_target("refs/heads/notes/00").unwrap().unwrap();
    put(&repo, &lock, "notes/00", &[("secret", Some(SECRET))]);
    let last = repo.ref_target("refs/heads/notes/00").unwrap().unwrap();
    let name = "refs/heads/keys/00".to_owned();
    let (old, new) = (None, Some(parted));
    let (objects, refs, note) = (Vec::new(), vec![RefChange { name, old, new }], Vec::new());
    let _durable = repo.commit(&lock, &Batch { objects, refs, note }).unwrap();
    put(&repo, &lock, "keys/00", &[("more", Some(b"more"))]);
    assert_eq!(forget_under(&repo, &lock), Ok(vec![]));
    let now = repo.ref_target("refs/heads/notes/00").unwrap().unwrap();
    let tree = |commit| repo.read_commit(commit, MAX).unwrap().tree;
    assert!(now != parted && tree(now) == tree(parted));
    assert!(!repo.contains(last) && !holds(&vault.dir(), SECRET));
    read_everything(&repo);
    assert_eq!(vault.git(&["fsck", "--strict", "--no-dangling"]), "");
}

#[test]
fn a_note_of_what_goes_has_one_form_and_a_damaged_one_is_refused() {
    let oid = Oid([7; 20]);
    let text = format!("refs/heads/keys/00 {oid}\nrefs/heads/notes/00 {oid}\n");
    let places = parse_forgetting(&text).unwrap();
    assert_eq!(places.len(), 2);
    for bad in [
        format!("{text}\n"),
        text.trim_end().to_owned(),
        text.replace(' ', "  "),
        text.replace("refs/heads/keys", "refs/tags"),
        text.to_uppercase(),
    ] {
        assert_eq!(parse_forgetting(&bad), None, "{bad:?}");
    }
    let vault = vault();
    let note = vault.dir().join("strongroom.forgetting");
    fs::write(&note, "nonsense").unwrap();
    let repo = vault.open(Faults::none());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    assert!(matches!(repo.finish_forgetting(&lock), Err(ForgetError::Damaged(_))));
    // One that names what is in use removes nothing.
    let head = repo.ref_target("refs/heads/notes/00").unwrap().unwrap();
    fs::write(&note, format!("refs/heads/notes/00 {head}\n")).unwrap();
    repo.finish_forgetting(&lock).unwrap();
    assert!(!repo.is_forgetting() && holds(&vault.dir(), SECRET));
    read_everything(&repo);
}

/// Takes these in as a merge does.
fn take_in(repo: &Repo, lock: &Lock, objects: &[Object]) {
    let mut arrivals = repo.arrivals(lock);
    objects.iter().for_each(|object| arrivals.add(object.clone()).unwrap());
    arrivals.settle().unwrap();
}

/// Who has a vault open knows packs that are gone. What comes again is written, whatever is known of it: a merge adopts the
/// commits of another clone that this one has just forgotten, by itself or by another program, also where this one knows where
/// the journal stands, and where of the pack an index is left.
#[test]
fn what_was_forgotten_can_come_again_at_once() {
    let ways = [
        "by itself",
        "by another",
        "by another, known",
        "by another, interrupted",
    ];
    for (how, merged) in ways.into_iter().flat_map(|how| [(how, true), (how, false)]) {
        let vault = vault();
        vault.git(&["gc", "-q"]);
        let repo = vault.open(Faults::none());
        let head = repo.ref_target("refs/heads/notes/00").unwrap().unwrap();
        let tree = repo.read_commit(head, MAX).unwrap().tree;
        let again = [
            Object::blob(SECRET.to_vec()),
            repo.read_object(tree, Kind::Tree, MAX).unwrap(),
            repo.read_object(head, Kind::Commit, MAX).unwrap(),
        ];
        let mut lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        take_in(&repo, &lock, &again);
        if how == "by itself" {
            forget_under(&repo, &lock).unwrap();
            check(&vault, how);
        } else {
            drop(lock);
            let folder = vault.dir().join("objects/pack");
            let indexes = |path: &std::path::PathBuf| path.extension().is_some_and(|end| end == "idx");
            let names = || fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
            let index = names().find(indexes).unwrap();
            let bytes = fs::read(&index).unwrap();
            let other = vault.open(Faults::none());
            forget(&other).unwrap();
            check(&vault, how);
            let others = other.lock(PATIENCE).unwrap();
            other.recover(&others).unwrap();
            put(&other, &others, "notes/01", &[("more", Some(b"more"))]);
            let mark = others.journal_mark();
            drop(others);
            if how == "by another, interrupted" {
                fs::write(&index, bytes).unwrap();
            }
            lock = repo.lock(PATIENCE).unwrap();
            lock.expect_journal_at(mark.filter(|_| how == "by another, known"));
            repo.recover(&lock).unwrap();
        }
        if merged {
            take_in(&repo, &lock, &again);
        } else {
            let name = "refs/heads/notes/00".to_owned();
            let old = repo.ref_target(&name).unwrap();
            let new = Some(head);
            let batch = Batch {
                objects: again.to_vec(),
                refs: vec![RefChange { name, old, new }],
                note: Vec::new(),
            };
            let _durable = repo.commit(&lock, &batch).unwrap();
        }
        let found = vault.open(Faults::none());
        for object in &again {
            assert!(
                found.contains(object.oid()),
                "{how}, merged {merged}: {:?}",
                object.kind
            );
        }
    }
}

#[test]
fn what_cannot_be_looked_at_is_not_said_to_be_gone() {
    let secret = Object::blob(SECRET.to_vec()).oid();
    // The folder that its file is in leads nowhere for a while.
    let vault = vault();
    let folder = loose::loose_path(&vault.dir(), secret).parent().unwrap().to_owned();
    let aside = vault.folder.path().join("aside");
    fs::rename(&folder, &aside).unwrap();
    std::os::unix::fs::symlink(&folder, &folder).unwrap();
    assert!(vault.open(Faults::none()).lacks(&[secret]).is_err());
    let done = forget(&vault.open(Faults::none()));
    assert!(done.is_err(), "{done:?}");
    fs::remove_file(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    let repo = vault.open(Faults::none());
    assert!(repo.is_forgetting() && !repo.lacks(&[secret]).unwrap());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    assert_eq!(repo.finish_forgetting(&lock).unwrap(), Vec::<String>::new());
    drop((lock, repo));
    check(&vault, "a folder that leads nowhere");
    assert!(vault.open(Faults::none()).lacks(&[secret]).unwrap());

    // It is in a pack whose index is damaged, and nowhere else.
    let vault = self::vault();
    let repo = vault.open(Faults::none());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    repo.cut(&lock).unwrap();
    drop((lock, repo));
    let script = format!("echo {secret} | git --git-dir . pack-objects -q objects/pack/pack");
    let packed = Command::new("sh")
        .args(["-c", &script])
        .current_dir(vault.dir())
        .output()
        .unwrap();
    let name = String::from_utf8(packed.stdout).unwrap();
    let index = vault.dir().join(format!("objects/pack/pack-{}.idx", name.trim()));
    let whole = fs::read(&index).unwrap();
    fs::remove_file(&index).unwrap();
    fs::write(&index, "damaged").unwrap();
    fs::remove_file(loose::loose_path(&vault.dir(), secret)).unwrap();
    assert!(vault.open(Faults::none()).lacks(&[secret]).is_err());
    let done = forget(&vault.open(Faults::none()));
    assert!(done.is_err(), "{done:?}");
    assert!(holds(&vault.dir(), SECRET));
    fs::write(&index, whole).unwrap();
    let repo = vault.open(Faults::none());
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    assert_eq!(repo.finish_forgetting(&lock).unwrap(), Vec::<String>::new());
    drop((lock, repo));
    check(&vault, "a pack that cannot be read");
}
