//! Attachments: killed at any step, traced, in bounded memory, and what an interrupted one leaves.

use crate::house::{House, PASSPHRASE, Ran, files, has, say, with_why};
use crate::kills::killed_at;
use crate::syncs::Trace;
use serde_json::Value;
use std::path::PathBuf;
use strongroom::chain::{Details, Kind, Time};
use strongroom::crypto::sha256;
use strongroom::env::SystemEntropy;
use strongroom::envelope::IdentityFile;
use strongroom::gate::Gate;
use strongroom::id::NoteId;
use strongroom::ledger::{Changes, Draft, Ledger, note_ref};
use strongroom::repo::{PATIENCE, Repo, Settings};
use strongroom::secret::Passphrase;
use strongroom::session::Identity;

/// Bytes that do not shrink, of two parts.
fn card() -> Vec<u8> {
    let mut state = 7u64;
    let mut next = || {
        // xorshift64, Marsaglia 2003.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..(5 << 20)).map(|_| next()).collect()
}

fn write(house: &House, name: &str, bytes: &[u8]) -> String {
    let path = house.root().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The names beside a note.
fn attached(house: &House, id: &str) -> Vec<String> {
    let shown = house.run(&with_why(&["show", id, "--json"])).expect(0);
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let names = shown["attachments"].as_array().unwrap();
    names
        .iter()
        .map(|line| line["name"].as_str().unwrap().to_owned())
        .collect()
}

fn half_written(house: &House) -> Vec<PathBuf> {
    let mut found = files(&house.vault().join("objects"));
    found.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with("tmp_"));
    found
}

#[test]
fn a_kill_at_any_step_of_attaching_leaves_it_whole_or_not_at_all() {
    let house = House::new();
    let id = house.add("Camera at gate 4.");
    let bytes = card();
    let path = write(&house, "card.bin", &bytes);
    let (mut survived, mut half) = (0, 0);
    for step in 1.. {
        let name = format!("card-{step}");
        let ended = killed_at(&house, &["attach", &id, &path, "--name", &name], step);
        half += half_written(&house).len();
        house.intact();
        let out = house.root().join(&name);
        let extract = ["extract", &id, &name, "--out", out.to_str().unwrap()];
        let ran = house.run(&with_why(&extract));
        match (ended.is_err(), ran.code) {
            (_, Some(0)) => assert!(std::fs::read(&out).unwrap() == bytes, "{step}"),
            (false, Some(3)) => assert!(!out.exists(), "{step}"),
            (done, _) => panic!("{step}: {done} {ran:?}"),
        }
        if ended.is_err() {
            break;
        }
        survived += 1;
    }
    // Two parts of four steps each, the journal, objects and refs.
    assert!(survived > 15, "{survived}");
    assert_eq!(half_written(&house), Vec::<PathBuf>::new());
    say(format_args!(
        "{survived} kills while attaching survived; {half} files that they left were removed"
    ));
    house.git(&["fsck", "--strict", "--no-dangling"]);
    house.intact();
}

#[test]
fn parts_are_durable_before_the_entry_and_the_entry_before_what_is_extracted() {
    if !has("strace") {
        return;
    }
    let house = House::new();
    let id = house.add("Camera at gate 4.");
    let bytes = card();
    let path = write(&house, "card.bin", &bytes);
    let trace = Trace::of(&house, &["attach", &id, &path]);
    let journal = |line: &str| line.starts_with("fdatasync(") && line.contains("strongroom.journal>");
    let part = |line: &str| line.contains("tmp_obj_strongroom_");
    let sealed = trace.places(|line| line.starts_with("fdatasync(") && part(line));
    let named = trace.places(|line| line.starts_with("rename") && part(line));
    let folders = trace.places(|line| line.starts_with("fsync(") && line.contains("/objects"));
    let (journal, moves) = (trace.places(journal), trace.moves());
    assert_eq!((sealed.len(), named.len(), journal.len(), moves.len()), (2, 2, 1, 1));
    for (sealed, named) in sealed.iter().zip(&named) {
        assert!(sealed < named);
        assert!(folders.iter().any(|folder| folder > named));
    }
    assert!(folders.iter().chain(&named).all(|place| *place < journal[0]) && journal[0] < moves[0]);

    let out = house.root().join("out.bin");
    let extract = with_why(&["extract", &id, "card.bin", "--out", out.to_str().unwrap()]);
    let trace = Trace::of(&house, &extract);
    let journal = trace.places(|line| line.starts_with("fdatasync(") && line.contains("strongroom.journal>"));
    let plain = trace.places(|line| line.starts_with("write(") && line.contains("/.strongroom-"));
    let placed =
        trace.places(|line| line.contains("/out.bin\"") && !line.starts_with("open") && !line.contains("= -1"));
    let moves = trace.moves();
    assert_eq!((journal.len(), moves.len(), placed.len()), (1, 1, 1));
    assert!(journal[0] < moves[0] && moves[0] < plain[0]);
    assert!(
        placed[0] > *plain.last().unwrap(),
        "the file had its name before it was whole"
    );
    assert!(std::fs::read(&out).unwrap() == bytes);
}

#[test]
fn what_is_damaged_leaves_no_file() {
    let house = House::new();
    let id = house.add("Camera at gate 4.");
    let path = write(&house, "card.bin", &card());
    house.run(&["attach", &id, &path]).expect(0);
    let mut large = files(&house.vault().join("objects"));
    large.retain(|path| path.metadata().unwrap().len() > 500_000);
    large.sort_by_key(|path| path.metadata().unwrap().len());
    assert_eq!(large.len(), 2);
    let folder = house.root().join("outside");
    std::fs::create_dir(&folder).unwrap();
    let out = folder.join("out.bin");
    let extract = with_why(&["extract", &id, "card.bin", "--out", out.to_str().unwrap()]);
    for part in &large {
        let good = std::fs::read(part).unwrap();
        let replace = |bytes: &[u8]| {
            let _ = std::fs::remove_file(part);
            std::fs::write(part, bytes).unwrap();
        };
        let mut flipped = good.clone();
        flipped[good.len() / 2] ^= 1;
        let other = std::fs::read(large.iter().find(|other| *other != part).unwrap()).unwrap();
        for (what, bytes) in [
            ("flipped", Some(flipped)),
            ("truncated", Some(good[..good.len() - 100_000].to_vec())),
            ("swapped", Some(other)),
            ("empty", Some(Vec::new())),
            ("missing", None),
        ] {
            match bytes {
                Some(bytes) => replace(&bytes),
                None => std::fs::remove_file(part).unwrap(),
            }
            let ran = house.run(&extract);
            assert_eq!(ran.code, Some(4), "{what}: {}", ran.err);
            assert_eq!(files(&folder), Vec::<PathBuf>::new(), "{what}");
            assert_eq!(house.run(&["audit", "verify"]).code, Some(4), "{what}");
            let piped = with_why(&["extract", &id, "card.bin", "--out", "-"]);
            let piped = house.command(&piped).output().unwrap();
            assert_eq!(piped.status.code(), Some(4), "{what}");
        }
        replace(&good);
    }
    house.run(&extract).expect(0);
}

/// Records a part that no head will name, as an attaching of several entries does that is killed between them.
fn interrupt(house: &House, id: &str) {
    let file = IdentityFile::parse(&std::fs::read(house.identity()).unwrap()).unwrap();
    let identity = Identity::unlock(&file, &Passphrase::new(PASSPHRASE.into())).unwrap();
    let repo = Repo::open(&house.vault(), Settings::of_this_run()).unwrap();
    let mut ledger = Ledger::start(&repo, &identity, &house.state(), PATIENCE, None).unwrap();
    let note: NoteId = id.parse().unwrap();
    let mut sealing = Gate::new(&identity, ledger.keyring())
        .begin_attachment(note, &mut SystemEntropy)
        .unwrap();
    let mut part = Vec::new();
    let digest = sealing.next_part(&mut part, &mut |_: &mut [u8]| Ok::<_, ()>(0));
    assert_eq!(digest, Ok(Some(sha256(&[&part]))));
    let blob = repo.blob_writer().unwrap().write(&part).unwrap();
    let mut changes = Changes::default();
    changes.write_stored(note_ref(note), note, sha256(&[&part]), blob);
    let draft = Draft::change(Kind::Attach, Details::new("attach"), vec![note], changes);
    let now = Time::from_unix(jiff::Timestamp::now().as_second());
    let _ = ledger.record(draft, now, &mut SystemEntropy).unwrap();
}

#[test]
fn what_an_interrupted_attach_left_is_told_and_forgotten_at_the_next() {
    let house = House::new();
    let id = house.add("Camera at gate 4.");
    let path = write(&house, "list.csv", b"one,two\n");
    house.run(&["attach", &id, &path]).expect(0);
    interrupt(&house, &id);
    house.intact();
    assert_eq!(attached(&house, &id), ["list.csv"]);
    let parts = |house: &House| {
        let shard = format!("refs/heads/notes/{}", &id[..2]);
        house.git(&["ls-tree", "--name-only", &shard]).lines().count()
    };
    assert_eq!(parts(&house), 4);
    let again = house.run(&["attach", &id, &path, "--name", "more.csv"]);
    assert!(again.err.contains("was interrupted"), "{}", again.err);
    again.expect(0);
    assert_eq!(parts(&house), 5);
    assert_eq!(attached(&house, &id), ["list.csv", "more.csv"]);
    house.intact();
    for name in ["list.csv", "more.csv"] {
        let out = house.run(&with_why(&["extract", &id, name, "--out", "-"])).expect(0);
        assert_eq!(out, "one,two\n");
    }
    let quiet = house.run(&["attach", &id, &path, "--name", "third.csv"]);
    assert!(!quiet.err.contains("interrupted"), "{}", quiet.err);
}

#[test]
fn who_says_a_label_again_has_what_was_interrupted_forgotten_and_nothing_else() {
    let house = House::new();
    let id = house.add("Camera at gate 4.");
    let path = write(&house, "list.csv", b"one,two\n");
    house.run(&["attach", &id, &path]).expect(0);
    house.run(&with_why(&["relabel", &id, "confidential"])).expect(0);
    let files = |house: &House| {
        let shard = format!("refs/heads/notes/{}", &id[..2]);
        house.git(&["ls-tree", "--name-only", &shard])
    };
    let before = files(&house);
    interrupt(&house, &id);
    assert_ne!(files(&house), before);
    let again = house.run(&with_why(&["relabel", &id, "confidential"]));
    assert!(
        again.err.contains("was interrupted") && again.err.contains("already"),
        "{}",
        again.err
    );
    again.expect(0);
    assert_eq!(files(&house), before);
    let out = house
        .run(&with_why(&["extract", &id, "list.csv", "--out", "-"]))
        .expect(0);
    assert_eq!(out, "one,two\n");
    house.intact();
}

#[test]
fn a_pipe_is_attached_while_others_work_and_a_reader_that_goes_away_is_no_error() {
    let house = House::new();
    let id = house.add("Camera at gate 4.");
    let pipe = house.root().join("pipe");
    assert!(house.program("mkfifo").arg(&pipe).status().unwrap().success());
    let attach = house.command(&["attach", &id, pipe.to_str().unwrap()]).spawn().unwrap();
    let mut out = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    // The attach waits for the pipe's end, and nobody for the attach.
    std::io::Write::write_all(&mut out, &card()).unwrap();
    assert_eq!(house.listed(), [id.as_str()]);
    drop(out);
    Ran::from(attach.wait_with_output().unwrap()).expect(0);
    assert_eq!(attached(&house, &id), ["pipe"]);
    let mut shell = house.program("sh");
    let program = env!("CARGO_BIN_EXE_strongroom");
    shell.args([
        "-c",
        "{ \"$0\" extract \"$1\" pipe --out - --purpose duty --why 'shift briefing'; echo $? >&2; } | head -c 10 | wc -c",
        program,
        &id,
    ]);
    let ran = Ran::from(shell.output().unwrap());
    assert_eq!((ran.out.trim(), ran.err.trim()), ("10", "0"));
    house.run(&["attach", &id, house.root().to_str().unwrap()]).expect(1);
    house.intact();
}

#[test]
fn memory_does_not_grow_with_the_file() {
    if !has("time") {
        return;
    }
    let house = House::new();
    let id = house.add("Camera at gate 4.");
    let peak = |args: &[&str]| {
        let mut time = house.program("time");
        time.args(["-f", "%M", env!("CARGO_BIN_EXE_strongroom"), "--no-input", "-q"]);
        let ran = Ran::from(time.args(args).output().unwrap());
        let peak: u64 = ran.err.trim().parse().unwrap();
        ran.expect(0);
        peak
    };
    let measure = |name: &str, len: u64| {
        let path = house.root().join(name);
        std::fs::File::create(&path).unwrap().set_len(len).unwrap();
        let out = house.root().join(format!("{name}.out"));
        let attach = peak(&["attach", &id, path.to_str().unwrap()]);
        (
            attach,
            peak(&with_why(&["extract", &id, name, "--out", out.to_str().unwrap()])),
        )
    };
    let (small, large) = (measure("small", 1000), measure("large", 160 << 20));
    say(format_args!(
        "attach and extract: {small:?} KiB for a small file, {large:?} KiB for 160 MiB"
    ));
    // The derivation of the key from the passphrase takes 64 MiB before either; a few parts fit into what it gave back.
    assert!(
        large.0 < small.0 + 8192 && large.1 < small.1 + 8192,
        "{small:?} {large:?}"
    );
}
