//! Parts of attachments: what the verifier says of them, and what an interrupted attaching leaves. Cases 32 to 34 and 37.

use super::vault::{NOW, VAULT, Vault, flip, note, settings};
use super::{Given, assert_caught, assert_intact, judge};
use crate::chain::{Details, FileRef, Kind as Verb, Time};
use crate::crypto::{ExampleEntropy, sha256};
use crate::envelope::{ContentSealer, Metadata, WrapFile};
use crate::id::{Digest, NoteId, PersonId};
use crate::label::{Label, Level};
use crate::ledger::{Changes, Draft, Ledger, LedgerError, note_ref, wrap_ref};
use crate::repo::{PATIENCE, Repo};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

type Files = BTreeMap<String, Vec<u8>>;

const LEN: usize = (4 << 20) + 70_000;

fn with_ledger<T>(vault: &mut Vault, act: impl FnOnce(&mut Ledger<'_>, &Repo, Time) -> T) -> T {
    let repo = Repo::open(&vault.dir(), settings()).unwrap();
    let mut ledger = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, None).unwrap();
    vault.clock += 1;
    let now = Time::from_unix(NOW + vault.clock as i64);
    act(&mut ledger, &repo, now)
}

/// The parts of a file of [`LEN`] bytes for a note, and its head.
fn sealed(note: NoteId, source: &'static str) -> (Vec<Vec<u8>>, Vec<u8>, crate::envelope::ContentKey) {
    let mut sealer = ContentSealer::begin(VAULT, note, &mut ExampleEntropy::new(source)).unwrap();
    let (mut left, mut part, mut parts) = (LEN, Vec::new(), Vec::new());
    let mut read = |out: &mut [u8]| {
        let more = out.len().min(left);
        out[..more].fill(7);
        left -= more;
        Ok::<_, ()>(more)
    };
    while sealer.next_part(&mut part, &mut read).unwrap().is_some() {
        parts.push(part.clone());
    }
    let metadata = Metadata {
        title: "visitors.pdf".into(),
        client: String::new(),
        case: String::new(),
        created: NOW,
        modified: NOW,
        happened: None,
        author: PersonId([1; 8]),
        parents: vec![],
        number: 1,
        fields: vec![],
    };
    let (head, key, _) = sealer.finish(&metadata).unwrap();
    (parts, head, key)
}

/// Records parts under the name of `note`, without a head.
fn write_parts(vault: &mut Vault, note: NoteId, parts: &[Vec<u8>]) -> Vec<Digest> {
    with_ledger(vault, |ledger, repo, now| {
        let mut changes = Changes::default();
        let mut digests = Vec::new();
        for part in parts {
            let digest = sha256(&[part]);
            let blob = repo.blob_writer().unwrap().write(part).unwrap();
            changes.write_stored(note_ref(note), note, digest, blob);
            digests.push(digest);
        }
        let draft = Draft::change(Verb::Attach, Details::new("attach"), vec![note], changes);
        let _ = ledger.record(draft, now, &mut ExampleEntropy::new("parts")).unwrap();
        digests
    })
}

/// Attaches a file in two entries: its parts, then its head.
fn attach(vault: &mut Vault, note: NoteId, source: &'static str) -> Vec<Digest> {
    let (parts, head, key) = sealed(note, source);
    let digests = write_parts(vault, note, &parts);
    with_ledger(vault, |ledger, _, now| {
        let label = Label::new(Level::Internal, []).unwrap();
        let digest = sha256(&[&head]);
        let mut entropy = ExampleEntropy::new("head");
        let wrap = WrapFile::wrap(VAULT, note, digest, &label, &key, ledger.keyring(), &[], &mut entropy);
        let mut changes = Changes::default();
        changes.write_digested(note_ref(note), note, head);
        changes.write_digested(wrap_ref(note), note, wrap.unwrap().to_bytes());
        let draft = Draft::change(Verb::Attach, Details::new("attach"), vec![note], changes);
        let _ = ledger.record(draft, now, &mut entropy).unwrap();
    });
    digests
}

/// Two notes (entries 1 and 2), and an attachment of two parts to the first (entries 3 and 4).
fn example() -> (Vault, Vec<Digest>) {
    let mut vault = Vault::with(2, 3);
    let parts = attach(&mut vault, note(1), "attachment");
    vault.cut();
    (vault, parts)
}

fn path(note: NoteId, digest: Digest) -> String {
    format!("{note}.{digest}")
}

#[test]
fn parts_are_those_that_the_log_says_and_no_others() {
    let (good, parts) = example();
    assert_eq!(parts.len(), 2);
    assert_intact("as it is", &good, &Given::default());
    good.git(&["gc", "--prune=now", "--quiet"]);
    good.git(&["fsck", "--strict"]);
    assert_intact("packed", &good, &Given::default());

    let branch = note_ref(note(1));
    let damaged = |damage: &dyn Fn(&mut Files)| {
        let vault = good.copy();
        let mut files = vault.files(&branch);
        damage(&mut files);
        // Parts are larger than what the forging tool puts through the journal.
        let repo = vault.repo();
        for bytes in files.values() {
            let _ = repo.blob_writer().unwrap().write(bytes).unwrap().keep();
        }
        vault.put_stored(&branch, &files);
        judge(&vault, &Given::default())
    };
    let first = path(note(1), parts[0]);
    let second = path(note(1), parts[1]);
    assert_caught(
        "a part gone",
        &damaged(&|files| drop(files.remove(&first))),
        &[(32, Some(3)), (37, Some(3))],
    );
    let altered = damaged(&|files| files.get_mut(&first).unwrap()[100_000] ^= 1);
    assert_caught("a part altered", &altered, &[(33, Some(3))]);
    let swapped = damaged(&|files| {
        let (one, two) = (files[&first].clone(), files[&second].clone());
        files.insert(first.clone(), two);
        files.insert(second.clone(), one);
    });
    assert_caught("parts swapped", &swapped, &[(33, Some(3)), (34, Some(3))]);
    let moved = damaged(&|files| drop(files.insert(path(note(2), parts[0]), files[&first].clone())));
    assert_caught("a part beside another note", &moved, &[(32, None), (34, None)]);
    let more = damaged(&|files| {
        let (other, _, _) = sealed(note(1), "another");
        files.insert(path(note(1), sha256(&[&other[1]])), other[1].clone());
    });
    assert_caught("a part too many", &more, &[(32, None), (34, None)]);
    let truncated = damaged(&|files| files.get_mut(&second).unwrap().truncate(50_000));
    assert_caught("a part cut short", &truncated, &[(33, Some(3))]);
}

#[test]
fn a_part_belongs_to_the_note_whose_name_it_bears() {
    let (mut vault, _) = example();
    // Whoever has a key may write an entry, and may not call another note's part its own.
    let (parts, _, _) = sealed(note(1), "another");
    write_parts(&mut vault, note(2), &parts[1..]);
    vault.cut();
    assert_caught("another's part", &judge(&vault, &Given::default()), &[(34, Some(5))]);
}

#[test]
fn what_an_interrupted_attaching_left_is_found_forgotten_and_stays_away() {
    let (mut vault, kept) = example();
    let (parts, _, _) = sealed(note(1), "interrupted");
    let left = write_parts(&mut vault, note(1), &parts);
    vault.cut();
    assert_intact("interrupted", &vault, &Given::default());
    let before = vault.copy();
    let named: BTreeSet<Digest> = kept.iter().copied().collect();
    let orphans = with_ledger(&mut vault, |ledger, _, _| ledger.orphans(note(1), &named).unwrap());
    let found: BTreeSet<Digest> = orphans.iter().map(|file| file.2).collect();
    assert_eq!(found, left.iter().copied().collect());
    with_ledger(&mut vault, |ledger, _, now| {
        assert!(ledger.orphans(note(2), &named).unwrap().is_empty());
        let mut changes = Changes::default();
        orphans.iter().cloned().for_each(|file: FileRef| changes.forget(file));
        let draft = Draft::change(Verb::Attach, Details::new("attach"), vec![note(1)], changes);
        let _ = ledger.record(draft, now, &mut ExampleEntropy::new("forget")).unwrap();
        assert!(ledger.orphans(note(1), &named).unwrap().is_empty());
        // What the head names is still there; what was forgotten is not to be had.
        let mut read = ledger.parts(note(1), &kept).unwrap();
        let next = || read.read_next(Zeroizing::default());
        let read: Vec<Digest> = std::iter::from_fn(next).map(|part| sha256(&[&part.unwrap()])).collect();
        assert_eq!(read, kept);
        assert!(matches!(ledger.parts(note(1), &left), Err(LedgerError::Tampered(_))));
    });
    vault.cut();
    assert_intact("forgotten", &vault, &Given::default());
    vault.git(&["gc", "--prune=now", "--quiet"]);
    for part in &parts {
        let oid = crate::repo::Oid::hash_object(crate::repo::Kind::Blob, part);
        assert!(!vault.repo().contains(oid), "a forgotten part is left in git's store");
    }
    let back = vault.copy();
    let files = before.files(&note_ref(note(1)));
    for bytes in files.values() {
        let _ = back.repo().blob_writer().unwrap().write(bytes).unwrap().keep();
    }
    back.put_stored(&note_ref(note(1)), &files);
    assert_caught("put back", &judge(&back, &Given::default()), &[(37, None)]);
}

#[test]
fn a_part_that_is_damaged_or_gone_is_not_given_out() {
    let (good, parts) = example();
    for (what, damage) in [("altered", true), ("gone", false)] {
        let mut vault = good.copy();
        let bytes = &vault.files(&note_ref(note(1)))[&path(note(1), parts[1])];
        let place = vault.loose(crate::repo::Oid::hash_object(crate::repo::Kind::Blob, bytes));
        match damage {
            true => flip(&place),
            false => std::fs::remove_file(place).unwrap(),
        }
        let mut read = with_ledger(&mut vault, |ledger, _, _| ledger.parts(note(1), &parts).unwrap());
        let next = || read.read_next(Zeroizing::default());
        let read: Vec<bool> = std::iter::from_fn(next).map(|part| part.is_ok()).collect();
        assert_eq!(read, [true, false], "{what}");
        let case = if damage { 33 } else { 32 };
        assert_caught(what, &judge(&vault, &Given::default()), &[(case, Some(3))]);
    }
}
