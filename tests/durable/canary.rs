//! Promise 2: words that must not lie anywhere on the disk, searched in every file as it is and unpacked.

use crate::house::{House, Ran, files, with_why};
use aho_corasick::AhoCorasick;
use base64ct::{Base64, Encoding};
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use std::collections::BTreeSet;
use std::path::PathBuf;

const TITLE: &str = "Quaggavelvet";
const CLIENT: &str = "Wombatparasol";
const CASE: &str = "Narwhaltrestle";
const BODY: &str = "Axolotlgirder";
const REASON: &str = "Pangolinquartz";
const COMPARTMENT: &str = "Tapirlantern";
const FIELD: &str = "Okapiflywheel";
const RECIPIENT: &str = "Capybaraflange";
const ASKED: &str = "Dugongspindle";
const MASKED: &str = "Kakaposprocket";
const ATTACHED: &str = "Mandrillgantry";
const WRONG: &str = "numbat gimlet walrus trellis";
/// Only what is the canaries' own; the passphrase of the home is searched too.
const ALL: [&str; 12] = [
    TITLE,
    CLIENT,
    CASE,
    BODY,
    REASON,
    COMPARTMENT,
    FIELD,
    RECIPIENT,
    ASKED,
    MASKED,
    ATTACHED,
    WRONG,
];

/// A word in the spellings in which it could lie about: as it is, in small letters, in UTF-16, in hexadecimal, and
/// in base64 at each of the three places where it may begin.
pub(crate) fn spellings(word: &str) -> Vec<Vec<u8>> {
    let mut all = vec![
        word.as_bytes().to_vec(),
        word.to_lowercase().into_bytes(),
        word.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        word.bytes()
            .flat_map(|byte| format!("{byte:02x}").into_bytes())
            .collect(),
    ];
    for shift in 0..3 {
        let shifted = [&vec![0; shift], word.as_bytes()].concat();
        // Whole groups alone: what stands before and after colours the first and the last.
        let whole = &shifted[if shift > 0 { 3 } else { 0 }..shifted.len() / 3 * 3];
        all.push(Base64::encode_string(whole).into_bytes());
    }
    all
}

/// The bytes of a file and whatever in it can be inflated, wherever it begins.
pub(crate) fn unpacked(bytes: Vec<u8>) -> Vec<Vec<u8>> {
    let header = |at: &usize| {
        bytes
            .get(at + 1)
            .is_some_and(|next| (0x7800 + u16::from(*next)).is_multiple_of(31))
    };
    let starts = memchr::memchr_iter(0x78, &bytes).filter(header);
    let mut all: Vec<Vec<u8>> = starts
        .map(|at| match decompress_to_vec_zlib_with_limit(&bytes[at..], 1 << 22) {
            Ok(inflated) => inflated,
            Err(error) => error.output,
        })
        .filter(|inflated| inflated.len() > 8)
        .collect();
    all.push(bytes);
    all
}

/// Where one of `words` lies in the home, other than in the file that the passphrase is read from.
pub(crate) fn found(house: &House, words: &[&str]) -> Vec<(String, PathBuf)> {
    let needles: Vec<(&str, Vec<u8>)> = words
        .iter()
        .flat_map(|word| spellings(word).into_iter().map(move |spelling| (*word, spelling)))
        .collect();
    // All of them at once: they are many, and a home is large.
    let finder = AhoCorasick::new(needles.iter().map(|(_, needle)| needle)).unwrap();
    let mut hits = Vec::new();
    for path in files(house.root()) {
        if path.ends_with("passphrase") {
            continue;
        }
        // A socket that a killed program left has a name and nothing else; what another program of the person's, such as gpg's
        // agent, takes away meanwhile is not left.
        let gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
        let bytes = match path.symlink_metadata().map(|file| file.is_file()) {
            Ok(true) => std::fs::read(&path),
            Ok(false) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        let mut bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) if gone(&error) => continue,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        // Of the journal's zeros one is enough.
        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        let mut haystacks = unpacked(bytes);
        haystacks.push(path.to_string_lossy().to_lowercase().into_bytes());
        let seen: BTreeSet<&str> = haystacks
            .iter()
            .flat_map(|hay| finder.find_overlapping_iter(hay))
            .map(|hit| needles[hit.pattern().as_usize()].0)
            .collect();
        hits.extend(seen.into_iter().map(|word| (word.to_owned(), path.clone())));
    }
    hits
}

fn clean(house: &House, after: &str) {
    let hits = found(
        house,
        &[&ALL[..], &["tractor velvet", crate::house::PASSPHRASE]].concat(),
    );
    assert!(hits.is_empty(), "after {after}: {hits:#?}");
}

#[test]
fn the_search_finds_what_it_should() {
    let house = House::empty();
    let text = format!("x{BODY}y");
    let packed = miniz_oxide::deflate::compress_to_vec_zlib(text.as_bytes(), 6);
    for (name, bytes) in [
        ("raw", text.clone().into_bytes()),
        ("packed", [&b"PACK1234"[..], &packed].concat()),
        ("base64", Base64::encode_string(text.as_bytes()).into_bytes()),
        ("base64-0", Base64::encode_string(BODY.as_bytes()).into_bytes()),
        (
            "base64-2",
            Base64::encode_string(&text.as_bytes().repeat(2)[..29]).into_bytes(),
        ),
        (BODY, Vec::new()),
    ] {
        let path = house.root().join("tmp").join(name);
        std::fs::write(&path, bytes).unwrap();
        assert!(!found(&house, &[BODY]).is_empty(), "{name}");
        std::fs::remove_file(path).unwrap();
    }
    assert_eq!(found(&house, &[BODY]), []);
}

#[test]
fn no_canary_lies_at_rest() {
    let house = House::new();
    let field = format!("plate={FIELD}");
    let why = |args: &[&str]| -> Ran {
        let reason = ["--purpose", "duty", "--why", REASON];
        house.run(&[args, &reason].concat())
    };
    why(&["compartment", "new", COMPARTMENT]).expect(0);
    let label = format!("internal/{COMPARTMENT}");
    // Handed in from outside the home, so that it is not found as what it is.
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("note.txt");
    std::fs::write(&file, format!("The {BODY} was seen by {MASKED} at gate 4.")).unwrap();
    let add = [
        "add",
        "--file",
        file.to_str().unwrap(),
        "--title",
        TITLE,
        "--client",
        CLIENT,
        "--case",
        CASE,
        "--label",
        &label,
        "--field",
        &field,
    ];
    let id = why(&add).expect(0).trim().to_owned();
    clean(&house, "add");
    let shown = why(&["show", &id, "--json"]).expect(0);
    for word in [TITLE, CLIENT, CASE, BODY, FIELD, COMPARTMENT] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    assert!(why(&["list", "--client", CLIENT]).expect(0).contains(TITLE));
    why(&["list", "--client", ASKED]).expect(0);
    why(&["compartment", "list"]).expect(0);
    why(&["audit", "log"]).expect(0);
    clean(&house, "show and list");

    let attachment = outside.path().join(ATTACHED);
    std::fs::write(&attachment, format!("{BODY} ").repeat(20_000)).unwrap();
    let attach = ["attach", &id, attachment.to_str().unwrap()];
    why(&attach).expect(0);
    clean(&house, "attach");
    let out = outside.path().join("extracted");
    why(&["extract", &id, ATTACHED, "--out", out.to_str().unwrap()]).expect(0);
    assert_eq!(std::fs::read(out).unwrap(), std::fs::read(&attachment).unwrap());
    why(&["extract", &id, ASKED]).expect(3);
    why(&attach).expect(1);
    for step in [1, 2, 3] {
        let mut killed = house.command(&with_why(&attach));
        killed
            .args(["--name", ASKED])
            .env("STRONGROOM_TEST_KILL_AT", step.to_string());
        assert_eq!(killed.output().unwrap().status.code(), None);
        clean(&house, "a kill while attaching");
    }
    clean(&house, "extract");
    for (kind, which) in [("pack", ["--case", CASE]), ("subject", ["--client", CLIENT])] {
        let out = outside.path().join(kind);
        let words = ["export", kind, "--to", RECIPIENT, "--out", out.to_str().unwrap()];
        why(&[&words[..], &which].concat()).expect(0);
        assert!(out.join("manifest.sha256").exists());
        clean(&house, "export");
    }

    let draft = [
        "brief", "draft", &id, "--for", "internal", "--mask", MASKED, "--allow", BODY, "--json",
    ];
    let draft: serde_json::Value = serde_json::from_str(&why(&draft).expect(0)).unwrap();
    let draft = draft["draft"].as_str().unwrap().to_owned();
    let doubtful = why(&["brief", "release", &draft, "--to", RECIPIENT]);
    assert!([Some(0), Some(1), Some(3)].contains(&doubtful.code), "{}", doubtful.err);
    let out = outside.path().join("brief.md");
    why(&[
        "brief",
        "release",
        &draft,
        "--to",
        RECIPIENT,
        "--out",
        out.to_str().unwrap(),
    ]);
    why(&["brief", "check", file.to_str().unwrap()]).expect(3);
    clean(&house, "a brief");

    // What fails: nothing there, no compartment of that name, no text, no such level.
    assert_eq!(why(&["show", ASKED]).code, Some(3));
    assert_eq!(why(&["show", "abcdef"]).code, Some(3));
    assert_ne!(
        why(&["add", "--label", &format!("internal/{ASKED}"), BODY]).code,
        Some(0)
    );
    let binary = outside.path().join("binary");
    std::fs::write(&binary, [BODY.as_bytes(), &[0, 255]].concat()).unwrap();
    assert_ne!(why(&["add", "--file", binary.to_str().unwrap()]).code, Some(0));
    assert_ne!(why(&["add", "--label", ASKED, BODY]).code, Some(0));
    clean(&house, "commands that failed");

    // A wrong passphrase, and the unlock that enters it.
    let passphrase = house.root().join("passphrase");
    std::fs::write(&passphrase, WRONG).unwrap();
    assert_eq!(why(&["show", &id]).code, Some(6));
    clean(&house, "a wrong passphrase");
    std::fs::write(&passphrase, crate::house::PASSPHRASE).unwrap();
    why(&["show", &id]).expect(0);
    clean(&house, "the unlock after it");

    // A program that died, and stock git's packs.
    for step in [2, 5, 9] {
        let mut killed = house.command(&with_why(&add));
        killed.env("STRONGROOM_TEST_KILL_AT", step.to_string());
        assert_eq!(killed.output().unwrap().status.code(), None);
        clean(&house, "a kill");
    }
    why(&["list"]).expect(0);
    house.git(&["repack", "-adq"]);
    clean(&house, "repacking");
    house.intact();
}

#[test]
fn no_word_of_a_concern_and_no_code_lies_at_rest() {
    let house = House::new();
    let outside = tempfile::tempdir().unwrap();
    let away = |name: &str, text: &str| {
        let path = outside.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let template =
        include_str!("../../policies/templates/concern.toml").replace("handlers = []", "handlers = [\"mara\"]");
    let template = away("concern.toml", &template);
    let why = |args: &[&str]| -> Ran { house.run(&[args, &["--purpose", "duty", "--why", REASON]].concat()) };
    let edit = ["policy", "edit", "templates/concern.toml", "--from", &template, "--yes"];
    why(&edit).expect(0);
    // What is handed over lies in the home, and is searched with it.
    let within = |name: &str| house.root().join("tmp").join(name).to_str().unwrap().to_owned();
    let (key, sealed, answer) = (within("key"), within("sealed"), within("answer"));
    why(&["concern", "key", "--out", &key]).expect(0);
    let text = away("text", &format!("The {BODY} is left open."));
    let write = ["concern", "write", "--key", &key, "--file", &text, "--out", &sealed];
    let code = house.run(&write).expect(0).trim().to_owned();
    assert_eq!(code.split(' ').count(), 12);
    let clean = |after: &str| {
        let hits = found(&house, &[BODY, MASKED, REASON, &code]);
        assert!(hits.is_empty(), "after {after}: {hits:#?}");
    };
    clean("write");
    let id = house.run(&["concern", "receive", &sealed]).expect(0).trim().to_owned();
    assert!(why(&["show", &id]).expect(0).contains(BODY));
    clean("receive");
    let text = away("answer", &format!("The {MASKED} is shut now."));
    let reply = ["concern", "reply", &id, "--file", &text, "--out", &answer];
    for step in [1, 2, 3] {
        let mut killed = house.command(&[&reply[..], &["--purpose", "duty", "--why", REASON]].concat());
        killed.env("STRONGROOM_TEST_KILL_AT", step.to_string());
        assert_eq!(killed.output().unwrap().status.code(), None);
        // Recorded or not, there is no answer before its entry.
        assert!(!std::path::Path::new(&answer).exists());
        clean("a kill while answering");
    }
    why(&reply).expect(0);
    let words = away("code", &code);
    let mut read = house.command(&["concern", "read", &answer]);
    let read = read.stdin(std::fs::File::open(words).unwrap()).output().unwrap();
    assert!(String::from_utf8(read.stdout).unwrap().contains(MASKED));
    clean("reply");
    house.intact();
}
