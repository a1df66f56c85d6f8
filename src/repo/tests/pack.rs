//! Packing: nothing reachable is lost, nothing forgotten is kept, whichever step fails.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn pack(repo: &Repo) -> Result<Option<Packed>, PackError> {
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    repo.pack(&lock, 1..=usize::MAX)
}

/// The ids in all packs, by stock git.
fn in_packs(vault: &Vault) -> BTreeSet<String> {
    let folder = vault.dir().join("objects/pack");
    let mut ids = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "idx") {
            let told = vault.git(&["verify-pack", "-v", path.to_str().unwrap()]);
            let lines = told.lines().map(|line| line.split(' ').next().unwrap().to_owned());
            ids.extend(lines.filter(|word| word.len() == 40));
        }
    }
    ids
}

fn reachable(vault: &Vault) -> BTreeSet<String> {
    let told = vault.git(&["rev-list", "--objects", "--all"]);
    told.lines().map(|line| line[..40].to_owned()).collect()
}

fn loose(vault: &Vault) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for folder in fs::read_dir(vault.dir().join("objects")).unwrap() {
        let folder = folder.unwrap();
        let first = folder.file_name().into_string().unwrap();
        if first.len() == 2 {
            let names = fs::read_dir(folder.path()).unwrap();
            ids.extend(names.map(|name| format!("{first}{}", name.unwrap().file_name().to_str().unwrap())));
        }
    }
    ids
}

#[test]
fn what_is_reachable_is_packed_and_what_is_not_stays_as_it_was() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let refs = run(&repo, 0, 40);
    let (before, wanted) = (loose(&vault), reachable(&vault));
    let forgotten: BTreeSet<String> = before.difference(&wanted).cloned().collect();
    assert!(forgotten.len() > 20);
    let packed = pack(&repo).unwrap().unwrap();
    assert_eq!(
        (packed.objects, packed.loose, packed.merged),
        (wanted.len(), wanted.len(), 0)
    );
    assert_eq!(in_packs(&vault), wanted);
    assert_eq!(loose(&vault), forgotten);
    // The handle that packed, and one that opens later.
    assert_eq!(read_everything(&repo), refs);
    assert_eq!(read_everything(&vault.open(Faults::none())), refs);
    vault.git(&["fsck", "--strict"]);
    assert_eq!(pack(&repo).unwrap(), None);
    assert!(repo.pending().unwrap().is_empty());
    // Few are not worth it.
    let lock = repo.lock(PATIENCE).unwrap();
    assert_eq!(repo.pack(&lock, 1000..=usize::MAX).unwrap(), None);
}

#[test]
fn packs_merge_as_they_grow_and_lose_nothing() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let mut merges = 0;
    for round in 0..12 {
        let refs = run(&repo, round * 10, round * 10 + 10);
        let merged = pack(&repo).unwrap().unwrap().merged;
        assert_eq!(read_everything(&repo), refs, "{round}");
        let count = fs::read_dir(vault.dir().join("objects/pack")).unwrap().count();
        assert!(count <= 2 * 5, "{count} files after {round} rounds");
        if merged > 0 {
            merges += 1;
        }
    }
    assert!(merges > 1);
    vault.git(&["fsck", "--strict"]);
}

#[test]
fn a_few_at_a_time_all_that_is_reachable_gets_into_packs() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let few = |most: usize| {
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        repo.pack(&lock, 1..=most).unwrap()
    };
    for round in 0..6 {
        // What is written meanwhile leads to what has no pack yet.
        let refs = run(&repo, round * 15, round * 15 + 15);
        for _ in 0..round {
            let packed = few(7).unwrap();
            assert!((1..=7).contains(&packed.loose), "{packed:?}");
            assert_eq!(read_everything(&repo), refs, "{round}");
        }
    }
    while few(7).is_some() {}
    assert!(loose(&vault).is_disjoint(&reachable(&vault)));
    // Nobody looks behind a large pack: what is read is what has gathered.
    let refs = run(&repo, 90, 93);
    assert!(few(7).unwrap().objects < reachable(&vault).len());
    assert_eq!(read_everything(&vault.open(Faults::none())), refs);
    vault.git(&["fsck", "--strict"]);
}

#[test]
fn whichever_step_of_packing_fails_nothing_is_lost() {
    let start = Vault::new();
    let repo = start.open(Faults::none());
    for round in 0..3 {
        run(&repo, round * 3, round * 3 + 3);
        assert_eq!(pack(&repo).unwrap().unwrap().merged, 0);
    }
    let refs = run(&repo, 9, 24);
    let counter = Faults::planned(0, Fault::Fails);
    let packed = pack(&super::faults::copy(&start).open(counter.clone()))
        .unwrap()
        .unwrap();
    assert_eq!(packed.merged, 4);
    let steps = counter.seen();
    for step in [
        Step::WholeSync,
        Step::PackWrite,
        Step::PackSync,
        Step::PackPlace,
        Step::LooseRemove,
        Step::PackRemove,
    ] {
        assert!(steps.contains(&step), "{step:?} is not exercised");
    }
    for fault in [Fault::Fails, Fault::FailsAfterDone, Fault::Torn] {
        for at in 1..=steps.len() as u64 {
            let what = format!("step {at} ({:?}) {fault:?}", steps[at as usize - 1]);
            let vault = super::faults::copy(&start);
            let repo = vault.open(Faults::planned(at, fault));
            assert!(pack(&repo).is_err(), "{what} had no effect");
            drop(repo);
            let repo = vault.open(Faults::none());
            assert_eq!(read_everything(&repo), refs, "{what}");
            // The next start takes away what never became whole, and packing goes on.
            let _ = pack(&repo).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert!(!vault.dir().join("strongroom.packing").exists(), "{what}");
            assert_eq!(read_everything(&repo), refs, "{what}");
            assert_eq!(read_everything(&vault.open(Faults::none())), refs, "{what}");
            vault.git(&["fsck", "--strict"]);
        }
    }
}

#[test]
fn what_is_damaged_stops_it_before_anything_is_removed() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    run(&repo, 0, 12);
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    // What the journal holds would be written again.
    repo.cut(&lock).unwrap();
    let blob = Object::blob(b"file 11".to_vec()).oid();
    assert!(reachable(&vault).contains(&blob.to_string()));
    let path = loose::loose_path(&vault.dir(), blob);
    let whole = fs::read(&path).unwrap();
    let before = loose(&vault);
    for bytes in [
        &whole[..whole.len() - 3],
        &[],
        &fs::read(loose::loose_path(&vault.dir(), Object::blob(b"file 6".to_vec()).oid())).unwrap(),
    ] {
        write(&path, bytes);
        assert!(
            matches!(repo.pack(&lock, 1..=usize::MAX), Err(PackError::Read(ReadError::Damaged { oid })) if oid == blob)
        );
        assert_eq!((loose(&vault), in_packs(&vault).len()), (before.clone(), 0));
    }
    write(&path, &whole);
    assert!(repo.pack(&lock, 1..=usize::MAX).unwrap().is_some());
}

#[test]
fn a_large_file_stays_one_and_what_others_hold_is_left_to_them() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    // As sealed files are, it is no shorter when it is packed.
    let sealed = (0..300u32 << 8).flat_map(|n| n.wrapping_mul(0x9e37_79b9).to_be_bytes());
    let large = Object::blob(sealed.collect());
    {
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        let mut batch = make_batch(&repo, 0);
        let old = batch.refs.remove(1);
        let mut edit = TreeEdit::new();
        edit.insert("large", large.oid()).unwrap();
        let edited = edit.apply(None, |oid| repo.read_tree(oid, MAX)).unwrap();
        let commit = Object::commit(commit_bytes(edited.root, &[], AUTHOR, "large\n", None).unwrap());
        batch.refs.push(RefChange {
            new: Some(commit.oid()),
            ..old
        });
        batch.objects.extend(edited.objects);
        batch.objects.extend([large.clone(), commit]);
        let _durable = repo.commit(&lock, &batch).unwrap();
    }
    let kept = pack(&repo).unwrap().unwrap();
    assert!(kept.objects > 3);
    assert_eq!(
        loose(&vault)
            .iter()
            .filter(|id| **id == large.oid().to_string())
            .count(),
        1
    );
    // A pack that somebody holds is not merged, however small.
    let folder = vault.dir().join("objects/pack");
    let stem = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().unwrap() == "idx");
    fs::write(stem.unwrap().with_extension("keep"), "").unwrap();
    let refs = run(&repo, 1, 30);
    assert_eq!(pack(&repo).unwrap().unwrap().merged, 0);
    assert_eq!(read_everything(&repo), refs);
    vault.git(&["fsck", "--strict"]);
}

#[test]
fn while_something_is_being_forgotten_nothing_is_packed() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let refs = run(&repo, 0, 12);
    let (before, (name, old)) = (loose(&vault), refs.iter().next_back().unwrap());
    let change = RefChange {
        name: name.clone(),
        old: Some(*old),
        new: None,
    };
    {
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        repo.begin_forgetting(&lock, &[change]).unwrap();
    }
    assert_eq!(pack(&repo).unwrap(), None);
    assert_eq!(loose(&vault), before);
    {
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        repo.finish_forgetting(&lock).unwrap();
    }
    assert!(pack(&repo).unwrap().is_some());
    assert_eq!(read_everything(&repo), refs);
}

/// As `git gc` makes of 350,000 notes.
#[test]
fn a_pack_of_millions_of_objects_is_known_and_goes_into_no_other() {
    let vault = Vault::new();
    let id = |n: u32| {
        let mut oid = Oid([0; 20]);
        oid.0[..4].copy_from_slice(&(n << 10).to_be_bytes());
        oid
    };
    let count = 2_500_000;
    let index = PackIndex {
        ids: (0..count).map(id).collect(),
        sums: vec![0; count as usize],
        places: vec![12; count as usize],
    };
    let folder = vault.dir().join("objects/pack");
    fs::write(folder.join("pack-1.idx"), index.to_bytes(&[0; 20])).unwrap();
    fs::write(folder.join("pack-1.pack"), [0; 100]).unwrap();
    let repo = vault.open(Faults::none());
    assert_eq!(repo.packs().unwrap()[0].index.ids.len(), index.ids.len());
    assert!(repo.packs_to_merge().unwrap().is_empty());
}

#[test]
fn an_index_of_gits_is_read_and_a_spoilt_one_is_not() {
    let vault = Vault::new();
    run(&vault.open(Faults::none()), 0, 20);
    vault.git(&["repack", "-adq"]);
    let folder = fs::read_dir(vault.dir().join("objects/pack")).unwrap();
    let path = folder
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().unwrap() == "idx");
    let bytes = fs::read(path.unwrap()).unwrap();
    let index = PackIndex::parse(&bytes).unwrap();
    let ids: BTreeSet<String> = index.ids.into_iter().map(|oid| oid.to_string()).collect();
    assert_eq!(ids, in_packs(&vault));
    for end in 0..bytes.len() {
        assert!(PackIndex::parse(&bytes[..end]).is_err(), "{end}");
    }
    for at in (0..8 + 1024).step_by(3) {
        let mut bad = bytes.clone();
        bad[at] ^= 0x80;
        assert!(PackIndex::parse(&bad).is_err(), "{at}");
    }
    let mut swapped = bytes.clone();
    swapped.copy_within(1032..1052, 1052);
    assert!(PackIndex::parse(&swapped).is_err());
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_of_indexes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100), count in any::<u32>()) {
        let _ = PackIndex::parse(&bytes);
        let head = [&[0xff, b't', b'O', b'c', 0, 0, 0, 2][..], &count.to_be_bytes().repeat(256), &bytes].concat();
        let _ = PackIndex::parse(&head);
    }
}

/// What stock git says of every object: kind and content.
fn by_stock_git(vault: &Vault, oid: &str) -> (String, Vec<u8>) {
    let kind = vault.git(&["cat-file", "-t", oid]).trim().to_owned();
    let output = std::process::Command::new("git")
        .arg("--git-dir")
        .arg(vault.dir())
        .args(["cat-file", &kind, oid])
        .output()
        .unwrap();
    (kind, output.stdout)
}

#[test]
fn what_is_packed_is_read_here_as_stock_git_reads_it() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    grow(&repo, 60);
    pack(&repo).unwrap().unwrap();
    for repack in [None, Some(["repack", "-adfq", "--depth=30"])] {
        if let Some(arguments) = repack {
            vault.git(&arguments);
        }
        let folder = fs::read_dir(vault.dir().join("objects/pack")).unwrap();
        let path = folder
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().unwrap() == "idx")
            .unwrap();
        let told = vault.git(&["verify-pack", "-v", path.to_str().unwrap()]);
        assert!(told.contains("chain length = 9"), "{repack:?}: {told}");
        let packs = repo.known_packs();
        let mut recent = packed::Recent::default();
        for oid in in_packs(&vault) {
            let (kind, content) = by_stock_git(&vault, &oid);
            let kind = match kind.as_str() {
                "blob" => Kind::Blob,
                "tree" => Kind::Tree,
                _ => Kind::Commit,
            };
            let oid: Oid = oid.parse().unwrap();
            let most = content.len() as u64;
            let mut read = |kind, max| {
                let mut out = vec![7; 3];
                let found = packs.read(oid, kind, max, &mut recent, &mut out)?;
                Ok(found.then_some(out))
            };
            assert_eq!(read(kind, most), Ok(Some(content)), "{oid}");
            let short = read(kind, most.saturating_sub(1));
            assert!(
                most == 0 || matches!(short, Err(ReadError::TooBig { .. })),
                "{oid}: {short:?}"
            );
            let other = if kind == Kind::Blob { Kind::Tree } else { Kind::Blob };
            let other = read(other, 1 << 20);
            assert!(matches!(other, Err(ReadError::Kind { .. })), "{oid}: {other:?}");
        }
    }
}

#[test]
fn packs_that_have_something_in_common_or_a_spoilt_index_are_merged_too() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let folder = vault.dir().join("objects/pack");
    let mut refs = BTreeMap::new();
    for round in 0..3 {
        refs = run(&repo, round * 10, round * 10 + 10);
        pack(&repo).unwrap().unwrap();
    }
    let before = in_packs(&vault);
    let indexes: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().unwrap() == "idx")
        .collect();
    let again = folder.join("pack-again");
    for end in ["idx", "pack"] {
        fs::copy(indexes[0].with_extension(end), again.with_extension(end)).unwrap();
    }
    // A checksum of an entry: nothing is read by it.
    let mut spoilt = fs::read(&indexes[1]).unwrap();
    let at = 8 + 256 * 4 + 20 * PackIndex::parse(&spoilt).unwrap().ids.len();
    spoilt[at] ^= 1;
    write(&indexes[1], &spoilt);
    let now = run(&repo, 30, 32);
    refs.extend(now);
    let packed = pack(&repo).unwrap().unwrap();
    assert_eq!(packed.merged, 5);
    let after = in_packs(&vault);
    assert!(before.is_subset(&after));
    assert_eq!(after.len(), packed.objects);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    assert_eq!(read_everything(&vault.open(Faults::none())), refs);
    vault.git(&["fsck", "--strict"]);
}

/// A shard to which one file after another is written; gives the length of all names together.
fn grow(repo: &Repo, count: u32) -> u64 {
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    let (mut tree, mut head, mut names) = (None, None, 0);
    for n in 0..count {
        let blob = Object::blob(n.to_be_bytes().to_vec());
        let name = format!("{:064x}", u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut edit = TreeEdit::new();
        edit.insert(&name, blob.oid()).unwrap();
        let edited = edit.apply(tree, |oid| repo.read_tree(oid, MAX)).unwrap();
        let parents: Vec<Oid> = head.into_iter().collect();
        let commit = Object::commit(commit_bytes(edited.root, &parents, AUTHOR, "one more\n", None).unwrap());
        let change = RefChange {
            name: "refs/heads/notes/00".into(),
            old: head,
            new: Some(commit.oid()),
        };
        (tree, head) = (Some(edited.root), Some(commit.oid()));
        names += name.len() as u64;
        let mut batch = Batch {
            objects: edited.objects,
            refs: vec![change],
            ..Batch::default()
        };
        batch.objects.extend([blob, commit]);
        let _durable = repo.commit(&lock, &batch).unwrap();
    }
    names
}

#[test]
fn of_a_folder_that_grows_little_more_is_kept_than_what_is_new() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let names = grow(&repo, 300);
    let packed = pack(&repo).unwrap().unwrap();
    let folder = fs::read_dir(vault.dir().join("objects/pack")).unwrap();
    let size: u64 = folder.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    // Its files' names once and again every fortieth time, and of each object what git itself needs.
    assert!(size < names * 5 + packed.objects as u64 * 160, "{size}");
    vault.git(&["fsck", "--strict"]);
}

/// Changes a byte of the file in `objects/pack` that ends so: so many bytes before its end.
fn flip_in_pack(vault: &Vault, end: &str, before: usize) {
    let entries = fs::read_dir(vault.dir().join("objects/pack")).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    let path = paths
        .find(|path| path.extension().is_some_and(|found| found == end))
        .unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - before;
    bytes[at] ^= 1;
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    fs::write(path, bytes).unwrap();
}

/// libgit2 would read memory behind the pack, which ends the program at best.
#[test]
fn an_index_that_points_behind_its_pack_is_not_read_by_libgit2() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let refs = run(&repo, 0, 10);
    let _ = pack(&repo).unwrap().unwrap();
    drop(repo);
    // The first byte of the last object's place, before two checksums.
    flip_in_pack(&vault, "idx", 40 + 4);
    let error = Repo::open(&vault.dir(), Settings::of_this_run()).err().unwrap();
    assert!(error.to_string().contains("points outside of it"), "{error}");
    let repo = Repo::open_to_verify(&vault.dir(), Settings::of_this_run()).unwrap();
    assert!(
        matches!(repo.oddities()[..], [Oddity::Misled(_)]),
        "{:?}",
        repo.oddities()
    );
    // What it says of all others is right, and they are read.
    let mut told: Vec<bool> = Vec::new();
    for id in in_packs_by_index(&vault) {
        let read = |kind| repo.read_checked(id, kind, 1 << 20);
        let kinds = [Kind::Blob, Kind::Tree, Kind::Commit];
        told.push(kinds.into_iter().any(|kind| read(kind).is_ok()));
    }
    assert_eq!(told.iter().filter(|read| !**read).count(), 1, "{refs:?}");
    assert!(!told[told.len() - 1]);
}

/// The ids in the only pack, in order.
fn in_packs_by_index(vault: &Vault) -> Vec<Oid> {
    let entries = fs::read_dir(vault.dir().join("objects/pack")).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    let path = paths
        .find(|path| path.extension().is_some_and(|end| end == "idx"))
        .unwrap();
    PackIndex::parse(&fs::read(path).unwrap()).unwrap().ids
}

/// A verifier that opens the packs itself reads them then, and whoever opens a note reads the same.
#[test]
fn what_is_whole_in_a_pack_is_read_though_the_checksum_of_the_pack_is_wrong() {
    for (end, before) in [("pack", 20), ("idx", 20), ("idx", 40)] {
        let vault = Vault::new();
        let repo = vault.open(Faults::none());
        let refs = run(&repo, 0, 10);
        let _ = pack(&repo).unwrap().unwrap();
        drop(repo);
        flip_in_pack(&vault, end, before);
        let repo = vault.open(Faults::none());
        assert_eq!(read_everything(&repo), refs, "{end}, {before}");
        assert_eq!(read_everything(&repo.with_packs()), refs, "{end}, {before}");
    }
}

#[test]
fn an_object_of_no_kind_that_there_is_is_damaged() {
    let vault = Vault::new();
    let repo = vault.open(Faults::none());
    let _ = run(&repo, 0, 10);
    let _ = pack(&repo).unwrap().unwrap();
    drop(repo);
    let id = in_packs_by_index(&vault)[0];
    let entries = fs::read_dir(vault.dir().join("objects/pack")).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    let index = paths
        .find(|path| path.extension().is_some_and(|end| end == "idx"))
        .unwrap();
    let place = PackIndex::parse(&fs::read(&index).unwrap()).unwrap().places[0] as usize;
    let path = index.with_extension("pack");
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    for kind in [0, 5] {
        let mut bytes = fs::read(&path).unwrap();
        bytes[place] = bytes[place] & 0x8f | kind << 4;
        fs::write(&path, bytes).unwrap();
        let repo = vault.open(Faults::none());
        let read = repo.read_checked(id, Kind::Blob, 1 << 20);
        assert_eq!(read, Err(ReadError::Damaged { oid: id }), "{kind}");
    }
}

/// A pack of a few KiB that asks for hours: one small object, a difference from what is a difference from others, all of them large.
fn tangled(vault: &Vault, large: usize, between: usize) -> Oid {
    let base = vec![0; large];
    let small = Object::blob(b"small".to_vec());
    let lengths = make_delta(&base, &base);
    let last = make_delta(&base, &small.bytes);
    let (mut pack, mut places) = (b"PACK\0\0\0\x02".to_vec(), Vec::new());
    pack.extend((between as u32 + 2).to_be_bytes());
    let packed = |bytes: &[u8]| miniz_oxide::deflate::compress_to_vec_zlib(bytes, 1);
    places.push(pack.len() as u64);
    PackEntry::put_whole(Kind::Blob, base.len(), &mut pack);
    pack.extend(packed(&base));
    for n in 0..=between {
        let delta = if n == between { &last } else { &lengths };
        let (back, place) = (*places.last().unwrap(), pack.len() as u64);
        places.push(place);
        PackEntry::put_before(delta.len(), place - back, &mut pack);
        pack.extend(packed(delta));
    }
    use sha1::Digest as _;
    let sum: [u8; 20] = sha1::Sha1::digest(&pack).into();
    pack.extend(sum);
    let others = (0..=between).map(|n| Oid([n as u8 + 1; 20]));
    let ids = others.chain([small.oid()]);
    let mut entries: Vec<(Oid, u64)> = ids.zip(places).collect();
    entries.sort_unstable();
    let index = PackIndex {
        ids: entries.iter().map(|(oid, _)| *oid).collect(),
        sums: vec![0; entries.len()],
        places: entries.iter().map(|(_, place)| *place).collect(),
    };
    let folder = vault.dir().join("objects/pack");
    fs::write(folder.join("pack-tangled.pack"), &pack).unwrap();
    fs::write(folder.join("pack-tangled.idx"), index.to_bytes(&sum)).unwrap();
    small.oid()
}

#[test]
fn what_asks_for_too_much_to_be_made_is_refused_before_any_of_it_is() {
    // Four of 60 MiB and a small one are 240 MiB and as much as is made; five are not.
    for (large, between, read) in [(60 << 20, 4, true), (60 << 20, 5, false), (65 << 20, 1, false)] {
        let vault = Vault::new();
        let oid = tangled(&vault, large, between);
        let repo = vault.open(Faults::none()).with_packs();
        let expected = match read {
            true => Ok(b"small".to_vec()),
            false => Err(ReadError::Tangled { oid }),
        };
        assert_eq!(repo.read_blob(oid, MAX), expected, "{large} {between}");
        assert_eq!(repo.read_blob_unchecked(oid, MAX), expected, "{large} {between}");
    }
    // As long as git makes them, of what is small, they are read.
    let vault = Vault::new();
    let oid = tangled(&vault, 1000, 200);
    let repo = vault.open(Faults::none()).with_packs();
    assert_eq!(repo.read_blob(oid, MAX), Ok(b"small".to_vec()));
}
