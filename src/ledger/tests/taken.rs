//! What a merge takes of others, of whom some have a changed program: nothing that could never be taken away again, nor what makes
//! a vault one that no command opens; and nobody is kept out by what another says.

use super::clones::{admit, assert_honest, exchange, merge, read, sizes, with, write};
use super::vault::{Forge, Vault, blank, card, chain, commit, identity, note, sign_lines};
use super::{Given, judge};
use crate::chain::{Card, Cut, Details, Entry, FileRef, Kind, Problem, Role};
use crate::crypto::sha256;
use crate::env::SystemEntropy;
use crate::envelope::WrapFile;
use crate::id::{DeviceId, Digest, LogName, NoteId};
use crate::ledger::{Changes, DEVICES, Draft, MAIN, MainFate, Merged, note_ref, wrap_ref};
use crate::repo::{Kind as ObjectKind, Object};
use std::collections::BTreeSet;

fn rewrite(vault: &Vault, log: LogName, entries: &[Entry], n: u8) {
    let signer = identity(n, Digest([0; 32]));
    let forge = Forge {
        signer: Some(&signer),
        ..Forge::default()
    };
    vault.put_log(log, &sign_lines(&chain(entries), log, &signer), &forge);
}

fn left_out(merged: &Merged) -> BTreeSet<LogName> {
    merged.problems().map(|(log, _)| log).collect()
}

/// The next card of a person, entered by the lead whose clone it is.
fn change(lead: &mut Vault, n: u8, edit: impl FnOnce(&mut Card)) {
    let by = lead.identity.person().0[0];
    with(lead, |ledger, now| {
        let roster = &ledger.charter().roster;
        let place = roster.cards().len() as u64;
        let mut card = card(n, by, place, roster.digest(), vec![Role::Lead, Role::Officer]);
        edit(&mut card);
        let mut changes = Changes::default();
        changes.write(MAIN, card.path(), identity(by, Digest([0; 32])).sign_card(&card));
        let draft = Draft::change(Kind::Card, Details::new("card"), vec![], changes);
        let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
    });
    lead.cut();
}

fn cut_of(vault: &Vault, log: LogName, size: usize) -> Cut {
    let (size, root) = super::peers::root(&vault.entries(log), size);
    Cut(log, size, root)
}

#[test]
fn each_commit_that_comes_is_one_that_its_device_makes() {
    let mut a = Vault::with(2, 4);
    let mut b = admit(&mut a, 2);
    (0..4).for_each(|_| read(&mut b));
    let (good, messages) = (b.copy(), b.messages(b.log));
    let forge = || Forge {
        signer: Some(&good.identity),
        ..Forge::default()
    };
    let by_another = Forge {
        author: Some((2, "x <x@y> 1 +0000".to_owned())),
        ..forge()
    };
    let with_a_stray = Forge {
        tree: vec![("x".to_owned(), Some(b"x".to_vec()))],
        tree_at: Some(2),
        ..forge()
    };
    for forge in [by_another, with_a_stray] {
        b.put_log(b.log, &messages, &forge);
        assert_eq!(left_out(&merge(&mut a, &b)), [b.log].into());
        assert_honest("without it", &a);
    }
    merge(&mut a, &good);
    assert_eq!(sizes(&a)[&b.log], 5);
    assert_honest("with it", &a);
}

#[test]
fn members_who_cut_a_log_are_in_force_once_that_log_is_there() {
    let mut a = Vault::with(2, 4);
    let mut b = admit(&mut a, 2);
    let mut c = admit(&mut a, 3);
    merge(&mut b, &a);
    write(&mut c, note(20), 1);
    merge(&mut b, &c);
    (0..3).for_each(|_| read(&mut c));
    merge(&mut a, &c);
    let cut = cut_of(&a, c.log, 5);
    change(&mut a, 3, |card| (card.devices, card.cuts) = (vec![], vec![cut]));
    // Whoever has the branches holds back the end of that log.
    read(&mut c);
    let all = c.entries(c.log);
    let held_back = a.copy();
    rewrite(&held_back, c.log, &all[..2], 3);
    let merged = merge(&mut b, &held_back);
    assert!(matches!(merged.main, MainFate::Broken(_)), "{:?}", merged.main);
    write(&mut b, note(21), 1);
    // Or whoever has that device's key lets it go on: what is beyond the cut is not taken, and told.
    let gone_on = a.copy();
    rewrite(&gone_on, c.log, &all, 3);
    let merged = merge(&mut b, &gone_on);
    assert_eq!((&merged.main, left_out(&merged).len()), (&MainFate::Taken, 0));
    assert!(
        merged.told.iter().any(|problem| problem.case == 14),
        "{:?}",
        merged.told
    );
    assert_eq!((all.len(), sizes(&b)[&c.log]), (6, 5));
    write(&mut b, note(22), 1);
    assert_honest("with the cut", &b);
    // That it is shorter there later is no loss.
    assert_eq!(merge(&mut b, &a).moved_back, []);
}

#[test]
fn what_was_there_beyond_a_cut_may_be_gone() {
    let mut a = Vault::with(2, 4);
    let mut b = admit(&mut a, 2);
    let mut c = admit(&mut a, 3);
    (0..3).for_each(|_| read(&mut c));
    merge(&mut a, &c);
    merge(&mut b, &a);
    let cut = cut_of(&a, c.log, 2);
    change(&mut a, 3, |card| (card.devices, card.cuts) = (vec![], vec![cut]));
    merge(&mut b, &a);
    let all = c.entries(c.log);
    rewrite(&a, c.log, &all[..2], 3);
    assert_eq!(merge(&mut b, &a).moved_back, []);
    // What counts may not.
    rewrite(&a, c.log, &all[..1], 3);
    assert_eq!(merge(&mut b, &a).moved_back.len(), 1);
}

#[test]
fn what_another_says_of_a_log_keeps_nobody_s_out() {
    let mut a = Vault::with(2, 4);
    let mut b = admit(&mut a, 2);
    let c = admit(&mut a, 3);
    merge(&mut b, &a);
    // C says what b's log will be.
    let mut entries = c.entries(c.log);
    let mut says = blank(c.log, 3, entries[0].roster, &entries[0]);
    says.time = entries[0].time;
    says.seen.insert(b.log, (2, Digest([9; 32])));
    entries.push(says);
    rewrite(&c, c.log, &entries, 3);
    exchange(&mut b, &mut a);
    read(&mut b);
    merge(&mut b, &c);
    let merged = merge(&mut a, &b);
    assert!(!left_out(&merged).contains(&b.log), "{:?}", merged.logs);
    assert_eq!(a.entries(b.log).len(), 2);
}

#[test]
fn who_was_a_lead_once_changes_no_rules_upon_those_who_know_better() {
    let mut a = Vault::with(2, 4);
    let mut b = admit(&mut a, 2);
    exchange(&mut a, &mut b);
    change(&mut a, 2, |card| card.roles = vec![Role::Officer]);
    merge(&mut b, &a);
    let before = a.files("main");
    // By the members of then, upon what is there now.
    let name = "policies/retention/classes.toml";
    let mut files = b.files("main");
    let named = |bytes: &[u8]| FileRef("main".into(), name.into(), sha256(&[bytes]));
    let old = named(&files[name]);
    files.get_mut(name).unwrap().extend(b"# weaker\n");
    let new = named(&files[name]);
    let mut entries = b.entries(b.log);
    let mut entry = blank(b.log, 2, entries[0].roster, &entries[0]);
    let rules = files
        .iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix("policies/")?, bytes.clone())));
    entry.policies = crate::policy::PolicyFiles::new(rules).unwrap().digest();
    entry.time = entries[entries.len() - 1].time;
    (entry.kind, entry.wrote, entry.forgot) = (Some(Kind::Policy), vec![new], vec![old]);
    entries.push(entry);
    b.put_files("main", &files);
    rewrite(&b, b.log, &entries, 2);
    let merged = merge(&mut a, &b);
    assert!(matches!(merged.main, MainFate::Broken(_)), "{:?}", merged.main);
    assert_eq!(left_out(&merged), [b.log].into());
    // Whoever clones that, or puts it back, looks at every commit.
    let given = Given {
        deep: true,
        ..Given::default()
    };
    let told = judge(&b, &given).problems;
    assert!(
        told.iter().any(|problem| problem.message.contains("a lead then")),
        "{told:?}"
    );
    assert_eq!(a.files("main"), before);
    read(&mut a);
    assert_honest("by a lead alone", &a);
}

#[test]
fn nobody_hides_who_was_a_lead_behind_a_folder_that_cannot_be_read() {
    let mut a = Vault::with(2, 4);
    let mut b = admit(&mut a, 2);
    exchange(&mut a, &mut b);
    change(&mut a, 2, |card| card.roles = vec![Role::Officer]);
    merge(&mut b, &a);
    b.put_files("main", &b.files("main"));
    // A file as only the git of long ago wrote them: stock git lets it through, and what it belongs to is read by nobody here.
    let newest = b.target("main");
    let tree = b.repo().read_commit(newest, 1 << 20).unwrap().tree;
    let blob = Object::blob(b"x".to_vec());
    let odd = Object {
        kind: ObjectKind::Tree,
        bytes: [b"100664 x\0", &blob.oid().0[..]].concat(),
    };
    let unsigned = commit(odd.oid(), &[newest], "keep\n", None);
    let last = commit(tree, &[unsigned.oid()], "keep\n", Some(&b.identity));
    let target = last.oid();
    b.put("main", vec![blob, odd, unsigned, last], target);
    let given = Given {
        deep: true,
        ..Given::default()
    };
    let told = judge(&b, &given).problems;
    let says =
        |problem: &&Problem| problem.case == 36 && problem.message.contains("or what it follows, cannot be read");
    assert_eq!(told.iter().filter(says).count(), 1, "{told:?}");
    let merged = merge(&mut a, &b);
    assert!(matches!(merged.main, MainFate::Broken(_)), "{:?}", merged.main);
    assert_honest("what no lead made", &a);
}

#[test]
fn a_file_that_is_none_keeps_its_log_out_and_nothing_else() {
    let mut a = Vault::with(2, 4);
    let mut b = admit(&mut a, 2);
    let mut c = admit(&mut a, 3);
    exchange(&mut a, &mut b);
    exchange(&mut a, &mut c);
    let known = note(1);
    let stored = a.files(&wrap_ref(known));
    let (_, wrap) = stored
        .iter()
        .find(|(path, _)| path.starts_with(&known.to_string()))
        .unwrap();
    let device = || a.files(DEVICES).into_iter().next().unwrap();
    let as_key = |device: DeviceId, bytes: Vec<u8>| {
        let mut changes = Changes::default();
        changes.write(DEVICES, format!("{device}.{}", sha256(&[&bytes])), bytes);
        changes
    };
    let digested = |branch: String, note: NoteId, bytes: Vec<u8>| {
        let mut changes = Changes::default();
        changes.write_digested(branch, note, bytes);
        changes
    };
    let other = note(2);
    for (what, kind, changes) in [
        (
            "ten bytes as a wrap",
            Kind::Add,
            digested(wrap_ref(other), other, vec![7; 10]),
        ),
        (
            "ten bytes as a body",
            Kind::Add,
            digested(note_ref(other), other, vec![7; 10]),
        ),
        (
            "another note's wrap",
            Kind::Add,
            digested(wrap_ref(other), other, wrap.clone()),
        ),
        ("another device's keys", Kind::Key, as_key(DeviceId([9; 8]), device().1)),
    ] {
        let mut bad = b.copy();
        with(&mut bad, |ledger, now| {
            let details = Details::new("planted");
            let draft = Draft::change(kind, details, vec![other], changes);
            let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
        });
        bad.cut();
        read(&mut c);
        let mut into = a.copy();
        let merged = merge(&mut into, &bad);
        assert_eq!(left_out(&merged), [b.log].into(), "{what}");
        let (_, fate) = merged.logs.iter().find(|(log, _)| *log == b.log).unwrap();
        assert!(format!("{fate:?}").contains("what its entry"), "{what}: {fate:?}");
        // Nothing else waits for it.
        let merged = merge(&mut into, &c);
        assert!(left_out(&merged).is_empty(), "{what}: {:?}", merged.logs);
        read(&mut into);
        assert_honest(what, &into);
    }
}

/// Whether the body of a wrap exists depends on more than its log.
#[test]
fn a_wrap_of_what_does_not_exist_keeps_no_log_out_and_is_in_nobody_s_way() {
    let mut a = Vault::with(2, 4);
    let mut b = admit(&mut a, 2);
    exchange(&mut a, &mut b);
    let known = note(1);
    let stored = a.files(&wrap_ref(known));
    let (_, wrap) = stored
        .iter()
        .find(|(path, _)| path.starts_with(&known.to_string()))
        .unwrap();
    let body = WrapFile::parse(wrap).unwrap().body().unwrap();
    let at = wrap.windows(32).position(|bytes| bytes == body.as_bytes()).unwrap();
    let unwritten = [&wrap[..at], &[9; 32], &wrap[at + 32..]].concat();
    let wraps = |vault: &mut Vault| {
        with(vault, |ledger, _| {
            let wraps = ledger.wraps(&known.to_string()).unwrap();
            ledger.stored_many(wraps).unwrap().len()
        })
    };
    let before = wraps(&mut a);
    with(&mut b, |ledger, now| {
        let mut changes = Changes::default();
        changes.write_digested(wrap_ref(known), known, unwritten);
        let draft = Draft::change(Kind::Key, Details::new("rewrap"), vec![known], changes);
        let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
    });
    b.cut();
    assert!(left_out(&merge(&mut a, &b)).is_empty());
    assert_eq!(wraps(&mut a), before);
    let report = judge(&a, &Given::default());
    assert!(report.told().is_empty(), "{:?}", report.told());
    let wrapped = |finding: &&Problem| finding.case == 34 && finding.log == Some(b.log);
    assert_eq!(
        report.findings.iter().filter(wrapped).count(),
        1,
        "{:?}",
        report.findings
    );
    // It goes with its note.
    with(&mut a, |ledger, now| {
        let mut changes = Changes::default();
        ledger.files_of(known).into_iter().for_each(|file| changes.forget(file));
        let draft = Draft::change(Kind::Destroy, Details::new("destroy"), vec![known], changes);
        let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
    });
    a.cut();
    assert_eq!(wraps(&mut a), 0);
    assert_honest("without the note", &a);
}
