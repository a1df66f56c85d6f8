//! Frozen vectors of lines, logs, checkpoints and commit messages for a second implementation: `tests/vectors/*.json`, each
//! case with one fault or none, and with the layer that has to refuse it.
//!
//! `VECTORS=write cargo test vectors` writes them anew after a deliberate change of the format.

#![allow(clippy::unwrap_used)]

use super::checkpoint::{BadCheckpoint, Checkpoint, SignedCheckpoint};
use super::entry::{BadEntry, Entry, FileRef, Kind, Outcome, tests::example};
use super::message::{BadMessage, Message};
use super::tree::{Frontier, leaf_hash};
use super::walk::{LogWalk, ReadLine};
use crate::crypto::SigningKey;
use crate::crypto::vectors::{Case, frozen, hex, of_one_fault};
use crate::id::{Digest, EntryRef, LogName, NoteId, VaultId};
use crate::secret::Secret;
use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

const VAULT: VaultId = VaultId([0x11; 16]);
const LOG: &str = "0102030405060708-090a0b0c";
const OTHER_LOG: &str = "1102030405060708-090a0b0c";

/// An entry that wrote a note.
fn added() -> Entry {
    let mut entry = example(1, Digest([9; 32]));
    let name = |byte: u8| format!("{}.{}", NoteId([0xa0; 16]), Digest([byte; 32]));
    entry.kind = Some(Kind::Add);
    entry.wrote = vec![
        FileRef("keys/a0".into(), name(6), Digest([6; 32])),
        FileRef("notes/a0".into(), name(7), Digest([7; 32])),
    ];
    entry.seen.insert(OTHER_LOG.parse().unwrap(), (7, Digest([8; 32])));
    entry
}

fn line(entry: &Entry) -> String {
    // By the same writer as every line, but without the look at what goes together.
    String::from_utf8(super::json::to_line(entry)).unwrap()
}

fn entries() -> Value {
    let good = line(&added());
    let read = line(&example(1, Digest([9; 32])));
    let swap = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let with = |change: &dyn Fn(&mut Entry)| {
        let mut entry = added();
        change(&mut entry);
        line(&entry)
    };
    let file = |branch: &str, note: u8, byte: u8| {
        let name = format!("{}.{}", NoteId([note; 16]), Digest([byte; 32]));
        FileRef(branch.into(), name, Digest([byte; 32]))
    };
    let all: Vec<Case> = vec![
        ("a note was added", "", good.clone()),
        ("a read", "", read.clone()),
        ("the first entry of a log", "", line(&example(0, Digest([0; 32])))),
        ("a space", "form", swap("\"seq\":1", "\"seq\": 1")),
        ("a field twice", "form", swap("\"seq\":1", "\"seq\":1,\"seq\":1")),
        (
            "a field that is none",
            "form",
            swap("\"seq\":1", "\"seq\":1,\"spare\":1"),
        ),
        ("two fields have changed places", "form", {
            let moved = good.replacen("\"seq\":1,", "", 1);
            moved.replacen("\"v\":1", "\"v\":1,\"seq\":1", 1)
        }),
        ("a field is missing", "form", {
            let (before, after) = good.split_once("\"detail\":").unwrap();
            format!("{before}{}", after.split_once(',').unwrap().1)
        }),
        ("a number with a point", "form", swap("\"seq\":1", "\"seq\":1.0")),
        ("a number with an exponent", "form", swap("\"seq\":1", "\"seq\":1e0")),
        ("a number below zero", "form", swap("\"seq\":1", "\"seq\":-1")),
        (
            "a number with a zero before it",
            "form",
            swap("\"seq\":1", "\"seq\":01"),
        ),
        ("a number as text", "form", swap("\"seq\":1", "\"seq\":\"1\"")),
        ("an escape that nothing asks for", "form", swap("AAAA", "AA\\u0041A")),
        (
            "hex in capitals",
            "form",
            swap("\"detail\":\"0303", "\"detail\":\"0A03"),
        ),
        (
            "a digest that is too short",
            "form",
            swap("\"prev\":\"0909", "\"prev\":\"09"),
        ),
        (
            "a null for what is left out",
            "form",
            swap("\"detail\"", "\"because\":null,\"detail\""),
        ),
        (
            "an empty list for what is left out",
            "form",
            swap("\"kind\"", "\"forgot\":[],\"kind\""),
        ),
        (
            "a kind that is none",
            "form",
            swap("\"kind\":\"add\"", "\"kind\":\"sub\""),
        ),
        (
            "a result that is none",
            "form",
            swap("\"result\":\"done\"", "\"result\":\"maybe\""),
        ),
        (
            "a day that is none",
            "form",
            swap("\"time\":\"2023-11-14", "\"time\":\"2023-02-30"),
        ),
        ("a time in another zone", "form", {
            let (before, after) = good.split_once("\"time\":\"").unwrap();
            let (time, after) = after.split_once('"').unwrap();
            format!("{before}\"time\":\"{}+00:00\"{after}", time.trim_end_matches('Z'))
        }),
        ("a newline", "form", format!("{good}\n")),
        ("a second value", "form", format!("{good}{good}")),
        ("a byte order mark", "form", format!("\u{feff}{good}")),
        ("nothing at all", "form", String::new()),
        ("a later version", "version", swap("\"v\":1", "\"v\":2")),
        ("a read that wrote", "contradiction", with(&|entry| entry.kind = None)),
        (
            "what was denied wrote",
            "contradiction",
            with(&|entry| entry.result = Outcome::Denied),
        ),
        (
            "what failed wrote",
            "contradiction",
            with(&|entry| entry.result = Outcome::Failed),
        ),
        (
            "a later entry names who admits the device",
            "contradiction",
            with(&|entry| entry.admitted = Some(Digest([2; 32]))),
        ),
        (
            "a later entry begins",
            "contradiction",
            with(&|entry| entry.kind = Some(Kind::Begin)),
        ),
        (
            "its files are not sorted",
            "contradiction",
            with(&|entry| entry.wrote.swap(0, 1)),
        ),
        (
            "it wrote a file twice",
            "contradiction",
            with(&|entry| entry.wrote.insert(0, entry.wrote[0].clone())),
        ),
        (
            "it forgot what its kind does not forget",
            "contradiction",
            with(&|entry| entry.forgot = entry.wrote.clone()),
        ),
        (
            "it wrote to a branch that its kind does not write to",
            "contradiction",
            with(&|entry| {
                entry.wrote = vec![FileRef("main".into(), "levels.toml".into(), Digest([6; 32]))];
            }),
        ),
        (
            "a name that does not end in the file's digest",
            "contradiction",
            with(&|entry| entry.wrote[0].2 = Digest([5; 32])),
        ),
        (
            "a note on the shard of others",
            "contradiction",
            with(&|entry| entry.wrote[1] = file("notes/a0", 0xa1, 7)),
        ),
        (
            "a shard that is none",
            "contradiction",
            with(&|entry| entry.wrote[1] = file("notes/zz", 0xa0, 7)),
        ),
        (
            "its log sees itself",
            "contradiction",
            with(&|entry| {
                entry.seen.insert(LOG.parse().unwrap(), (1, Digest([8; 32])));
            }),
        ),
        ("a place of 2^53", "form", swap("\"seq\":1", "\"seq\":9007199254740992")),
        (
            "an approval that rests on nothing",
            "contradiction",
            with(&|entry| {
                (entry.kind, entry.wrote) = (Some(Kind::Approve), Vec::new());
            }),
        ),
        (
            "a review that rests on nothing",
            "contradiction",
            with(&|entry| {
                (entry.kind, entry.wrote) = (Some(Kind::Review), Vec::new());
            }),
        ),
        (
            "a hold on what falls under a client, and on no note yet",
            "",
            with(&|entry| entry.kind = Some(Kind::Hold)),
        ),
        (
            "it is placed on a note, and is no hold",
            "contradiction",
            with(&|entry| entry.held = vec![NoteId([0xa0; 16])]),
        ),
        (
            "a later entry goes on from another log",
            "contradiction",
            with(&|entry| {
                entry.joined = vec![("0102030405060708-00000001".parse().unwrap(), 3, Digest([1; 32]))];
            }),
        ),
        (
            "sealed details of a length that padding does not give",
            "contradiction",
            with(&|entry| {
                entry.sealed = Base64::encode_string(&[0; 297]);
            }),
        ),
        (
            "no sealed details",
            "contradiction",
            with(&|entry| entry.sealed = String::new()),
        ),
        (
            "sealed details that are not base64",
            "contradiction",
            with(&|entry| entry.sealed.truncate(391)),
        ),
    ];
    json!({
        "about": "Lines of a log, docs/FORMAT.md section 7. Each has one fault or none; `refused_by` is the layer that refuses it.",
        "layers": {
            "form": "it is not the one form that the JSON of an entry has",
            "version": "a later version wrote it",
            "contradiction": "its fields do not go together",
        },
        "cases": of_one_fault("line", all),
    })
}

fn refused_entry(text: &str) -> Option<&'static str> {
    match Entry::parse(text.as_bytes()) {
        Ok(parsed) => {
            assert_eq!(line(&parsed.entry), text);
            None
        }
        Err(BadEntry::Version(_)) => Some("version"),
        Err(BadEntry::Contradiction(_)) => Some("contradiction"),
        Err(BadEntry::NotCanonical | BadEntry::TooLong(_)) => Some("form"),
    }
}

fn key(n: u8) -> SigningKey {
    SigningKey::from_seed(&Secret::copy_from(&[n; 32]).unwrap())
}

fn log() -> LogName {
    LOG.parse().unwrap()
}

/// A log of seven lines, its tree, and the checkpoint over it.
fn seven() -> (Vec<String>, Frontier, Checkpoint) {
    let (mut lines, mut frontier, mut prev) = (Vec::new(), Frontier::default(), Digest([0; 32]));
    for seq in 0..7 {
        let line = line(&example(seq, prev));
        prev = leaf_hash(line.as_bytes());
        frontier.push(prev);
        lines.push(line);
    }
    let (vault, root) = (VAULT, frontier.root());
    let checkpoint = Checkpoint {
        vault,
        log: log(),
        size: 7,
        root,
    };
    (lines, frontier, checkpoint)
}

fn checkpoints() -> Value {
    let (_, _, checkpoint) = seven();
    let good = checkpoint.sign(&key(1)).to_text();
    let lines: Vec<&str> = good.lines().collect();
    let join = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let signed = |change: &dyn Fn(&mut Checkpoint)| {
        let mut checkpoint = checkpoint;
        change(&mut checkpoint);
        checkpoint.sign(&key(1)).to_text()
    };
    let signature = lines[4].rsplit(' ').next().unwrap();
    let mut raw = Base64::decode_vec(signature).unwrap();
    raw[20] ^= 1;
    let flipped = Base64::encode_string(&raw);
    raw[20] ^= 1;
    raw[0] ^= 1;
    let other_key_hash = Base64::encode_string(&raw);
    let all: Vec<Case> = vec![
        ("as it should be", "", good.clone()),
        ("no signature", "form", join(&lines[..4])),
        ("two signatures", "form", join(&[&lines[..], &lines[4..]].concat())),
        (
            "an extension line",
            "form",
            join(&[&lines[..3], &["extra"], &lines[3..]].concat()),
        ),
        (
            "a size with a zero before it",
            "form",
            good.replacen("\n7\n", "\n07\n", 1),
        ),
        ("a size below zero", "form", good.replacen("\n7\n", "\n-7\n", 1)),
        ("carriage returns", "form", good.replace('\n', "\r\n")),
        ("no newline at its end", "form", good.trim_end().to_owned()),
        ("an empty line too many", "form", good.replacen("\n\n", "\n\n\n", 1)),
        (
            "a hyphen in the place of the dash",
            "form",
            good.replacen('\u{2014}', "-", 1),
        ),
        (
            "signed by another name than its first line",
            "form",
            good.replacen("\u{2014} 1", "\u{2014} 2", 1),
        ),
        (
            "a root of 30 bytes",
            "form",
            good.replacen(lines[2], &Base64::encode_string(&[2; 30]), 1),
        ),
        (
            "a root in base64 without its end",
            "form",
            good.replacen(lines[2], lines[2].trim_end_matches('='), 1),
        ),
        (
            "a signature of 63 bytes",
            "form",
            good.replacen(signature, &Base64::encode_string(&[2; 67]), 1),
        ),
        ("nothing at all", "form", String::new()),
        (
            "of another vault",
            "place",
            signed(&|checkpoint| checkpoint.vault = VaultId([0x99; 16])),
        ),
        (
            "of another log",
            "place",
            signed(&|checkpoint| checkpoint.log = OTHER_LOG.parse().unwrap()),
        ),
        ("by another key", "signature", checkpoint.sign(&key(2)).to_text()),
        (
            "a size that was changed afterwards",
            "signature",
            good.replacen("\n7\n", "\n8\n", 1),
        ),
        (
            "a root that was changed afterwards",
            "signature",
            good.replacen(lines[2], &Base64::encode_string(&[2; 32]), 1),
        ),
        (
            "a bit of the signature",
            "signature",
            good.replacen(signature, &flipped, 1),
        ),
        (
            "the hash of another key",
            "signature",
            good.replacen(signature, &other_key_hash, 1),
        ),
    ];
    json!({
        "about": "Checkpoints, docs/FORMAT.md section 8. Each has one fault or none; `refused_by` is the layer that refuses it.",
        "layers": {
            "form": "it is not the one form of a checkpoint",
            "place": "it is about another vault or log",
            "signature": "the device's key did not sign it",
        },
        "given": {
            "vault": VAULT.to_string(), "log": LOG,
            "key": hex(&key(1).public().0),
        },
        "cases": of_one_fault("checkpoint", all),
    })
}

fn refused_checkpoint(text: &str) -> Option<&'static str> {
    let layer = |bad| match bad {
        BadCheckpoint::Malformed => "form",
        BadCheckpoint::Foreign => "place",
        BadCheckpoint::BadSignature => "signature",
    };
    let read = SignedCheckpoint::parse(text).and_then(|signed| {
        assert_eq!(signed.to_text(), text);
        signed.check_origin(VAULT, log())?;
        signed.verify(&key(1).public())
    });
    read.err().map(layer)
}

fn messages() -> Value {
    let (lines, frontier, checkpoint) = seven();
    let message = Message {
        line: lines[6].clone().into_bytes(),
        checkpoint: checkpoint.sign(&key(1)),
        frontier,
    };
    let good = String::from_utf8(message.to_bytes()).unwrap();
    let last = good.lines().last().unwrap().to_owned();
    let other = Base64::encode_string(&[0; 32]);
    let all: Vec<Case> = vec![
        ("as it should be", "", good.clone()),
        ("a hash too few", "form", good.replacen(&format!("{last}\n"), "", 1)),
        ("a hash too many", "form", format!("{good}{other}\n")),
        ("no newline at its end", "form", good.trim_end().to_owned()),
        ("an empty line too many", "form", format!("{good}\n")),
        (
            "no frontier",
            "form",
            good.split("\nfrontier").next().unwrap().to_owned(),
        ),
        ("no line", "form", good.split_once('\n').unwrap().1.to_owned()),
        ("a hash that is another's", "tree", good.replacen(&last, &other, 1)),
        ("two hashes have changed places", "tree", {
            let (before, hashes) = good.split_once("frontier\n").unwrap();
            let hashes: Vec<&str> = hashes.lines().rev().collect();
            format!("{before}frontier\n{}\n", hashes.join("\n"))
        }),
    ];
    json!({
        "about": "Messages of audit commits, docs/FORMAT.md section 8. Each has one fault or none; `refused_by` is the layer that refuses it.",
        "layers": {
            "form": "it is not a line, a checkpoint and as many hashes as the size has ones",
            "tree": "the hashes do not come to the root that the checkpoint signs",
        },
        "cases": of_one_fault("message", all),
    })
}

fn refused_message(text: &str) -> Option<&'static str> {
    match Message::parse(text.as_bytes()) {
        Ok(message) => {
            assert_eq!(message.to_bytes(), text.as_bytes());
            None
        }
        Err(BadMessage::Malformed) => Some("form"),
        Err(BadMessage::FrontierMismatch) => Some("tree"),
    }
}

/// What a log is, its case and where that shows, and its lines.
type Told = (&'static str, Option<(u8, u64)>, Vec<String>);

fn logs() -> Value {
    let (good, _, _) = seven();
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = good.clone();
        change(&mut lines);
        lines
    };
    let flipped = |line: &str| line.replacen("AAAA", "AAAB", 1);
    // The case is the one of docs/THREATS.md, "How a log may be tampered with"; the place is where it shows.
    let all: Vec<Told> = vec![
        ("as it should be", None, good.clone()),
        (
            "a line was altered",
            Some((1, 3)),
            with(&|lines| lines[3] = flipped(&lines[3])),
        ),
        (
            "a line is gone from the middle",
            Some((2, 3)),
            with(&|lines| drop(lines.remove(3))),
        ),
        (
            "a line too many",
            Some((3, 4)),
            with(&|lines| {
                let mut extra = example(4, leaf_hash(lines[3].as_bytes()));
                extra.because = Some(EntryRef { log: log(), seq: 1 });
                lines.insert(4, line(&extra));
            }),
        ),
        (
            "two lines have changed places",
            Some((4, 3)),
            with(&|lines| lines.swap(3, 4)),
        ),
        (
            "a line stands there again",
            Some((5, 2)),
            with(&|lines| lines.insert(6, lines[2].clone())),
        ),
        ("it begins later", Some((6, 0)), with(&|lines| drop(lines.drain(..2)))),
        (
            "it begins anew",
            Some((6, 1)),
            with(&|lines| lines[0] = flipped(&lines[0])),
        ),
        (
            "a line is cut off",
            Some((27, 5)),
            with(&|lines| lines[5] = lines[5].trim_end_matches('}').to_owned()),
        ),
    ];
    let case = |(about, fault, lines): Told| {
        let (case, place) = fault.unzip();
        json!({ "about": about, "case": case, "seq": place, "lines": lines })
    };
    json!({
        "about": "Logs of a few lines, docs/FORMAT.md section 8. Each has one fault or none; `case` is its number in docs/THREATS.md, `seq` where it shows.",
        "log": LOG,
        "cases": all.into_iter().map(case).collect::<Vec<_>>(),
    })
}

fn each(name: &str, made: &Value, field: &str, refused: impl Fn(&str) -> Option<&'static str>) {
    let vectors = frozen(name, made);
    for case in vectors["cases"].as_array().unwrap() {
        let text = case[field].as_str().unwrap();
        assert_eq!(refused(text), case["refused_by"].as_str(), "{}", case["about"]);
    }
}

#[test]
fn entries_are_refused_by_the_layer_that_their_vectors_name() {
    each("entry", &entries(), "line", refused_entry);
}

#[test]
fn checkpoints_are_refused_by_the_layer_that_their_vectors_name() {
    each("checkpoint", &checkpoints(), "checkpoint", refused_checkpoint);
}

#[test]
fn messages_are_refused_by_the_layer_that_their_vectors_name() {
    each("message", &messages(), "message", refused_message);
}

#[test]
fn logs_have_the_fault_that_their_vectors_name() {
    let vectors = frozen("log", &logs());
    for case in vectors["cases"].as_array().unwrap() {
        let mut walk = LogWalk::new(log(), []);
        for line in case["lines"].as_array().unwrap() {
            let _ = walk.line(&ReadLine::of(line.as_str().unwrap().as_bytes()));
        }
        let problems = walk.end().problems;
        let found = problems.iter().map(|problem| (u64::from(problem.case), problem.seq));
        let found: Vec<_> = found.collect();
        match case["case"].as_u64() {
            Some(number) => assert!(
                found.contains(&(number, case["seq"].as_u64())),
                "{}: {found:?}",
                case["about"]
            ),
            None => assert_eq!(found, [], "{}", case["about"]),
        }
    }
}
