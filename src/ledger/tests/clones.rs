//! Several devices with a clone each, made and used through the library.

use super::vault::{NOW, Vault, card, identity, log_of, note, settings};
use super::{Given, judge};
use crate::chain::{Details, Kind, Role, Time};
use crate::crypto::Recipient;
use crate::env::SystemEntropy;
use crate::envelope::{BoxFile, Metadata, Purpose, WrapFile, seal_body};
use crate::id::{CompartmentId, DeviceId, Digest, LogName, NoteId, PersonId};
use crate::label::{Label, Level};
use crate::ledger::found::{Begin, begin_log, make_detail_key};
use crate::ledger::{Changes, Draft, Ledger, LedgerError, MAIN, Merged, Report, note_ref, wrap_ref};
use crate::repo::{PATIENCE, Repo};
use std::collections::{BTreeMap, BTreeSet};

/// Starts the ledger of a clone and does something with it; the clone's clock has gone on.
pub(super) fn with<T>(vault: &mut Vault, act: impl FnOnce(&mut Ledger<'_>, Time) -> T) -> T {
    vault.clock += 1;
    let now = Time::from_unix(NOW + vault.clock as i64);
    let repo = Repo::open(&vault.dir(), settings()).unwrap();
    let mut ledger = Ledger::start(&repo, &vault.identity, &vault.state(), PATIENCE, None).unwrap();
    act(&mut ledger, now)
}

/// A lead admits person `n`; gives that device's clone, its log begun.
pub(super) fn admit(lead: &mut Vault, n: u8) -> Vault {
    let whose = identity(n, lead.identity.founder_pin());
    let by = lead.identity.person().0[0];
    with(lead, |ledger, now| {
        let roster = &ledger.charter().roster;
        let card = card(
            n,
            by,
            roster.cards().len() as u64,
            roster.digest(),
            vec![Role::Lead, Role::Officer],
        );
        let mut changes = Changes::default();
        changes.write(MAIN, card.path(), identity(by, Digest([0; 32])).sign_card(&card));
        let boxed = BoxFile::seal(
            whose.vault(),
            whose.device(),
            &whose.recipient(),
            ledger.keyring(),
            &mut SystemEntropy,
        );
        changes.write_digested("keys/devices", whose.device(), boxed.unwrap().to_bytes());
        let draft = Draft::change(Kind::Card, Details::new("admit"), vec![], changes);
        let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
    });
    lead.cut();
    let mut clone = lead.copy();
    std::fs::remove_dir_all(clone.state()).unwrap();
    std::fs::create_dir_all(clone.state()).unwrap();
    (clone.identity, clone.log) = (whose, log_of(n));
    begin(&mut clone);
    clone
}

fn begin(clone: &mut Vault) {
    let repo = Repo::open(&clone.dir(), settings()).unwrap();
    let lock = repo.lock(PATIENCE).unwrap();
    repo.recover(&lock).unwrap();
    let charter = crate::ledger::read_charter(&repo, Some(clone.identity.founder_pin())).unwrap();
    let own: (DeviceId, Recipient) = (clone.identity.device(), clone.identity.recipient());
    let mut changes = Changes::default();
    let detail = make_detail_key(
        &clone.identity,
        &charter.roster,
        &[own],
        &mut changes,
        &mut SystemEntropy,
    )
    .unwrap();
    let begin = Begin {
        log: clone.log,
        roster: &charter.roster,
        policies: charter.policies.digest(),
        detail: &detail,
        verb: "begin",
        admitted: charter.roster.digest(),
        joined: vec![],
        seen: BTreeMap::new(),
    };
    let now = Time::from_unix(NOW + clone.clock as i64);
    let state = clone.state();
    begin_log(
        &repo,
        &lock,
        &clone.identity,
        &begin,
        &changes,
        &state,
        now,
        &mut SystemEntropy,
    )
    .unwrap();
}

/// Merges the clone `from` into `into`.
pub(super) fn try_merge(into: &mut Vault, from: &Vault) -> Result<Merged, LedgerError> {
    let other = from.repo();
    let name = from.dir().display().to_string();
    with(into, |ledger, now| ledger.merge(&other, &name, now, &mut SystemEntropy))
}

pub(super) fn merge(into: &mut Vault, from: &Vault) -> Merged {
    let merged = try_merge(into, from).unwrap();
    // Its log may be another from now on.
    if let Some(begun) = merged.began {
        into.log = begun.log;
    }
    merged
}

/// Two devices of a vault, each with its clone, and notes of both in each.
pub(super) fn two() -> (Vault, Vault) {
    let mut first = Vault::with(2, 4);
    let mut second = admit(&mut first, 2);
    write(&mut second, note(10), 1);
    write(&mut second, note(11), 1);
    exchange(&mut first, &mut second);
    (first, second)
}

/// Both ways.
pub(super) fn exchange(a: &mut Vault, b: &mut Vault) {
    merge(a, b);
    merge(b, a);
}

fn seal(ledger: &Ledger<'_>, note: NoteId, number: u64) -> Changes {
    let metadata = Metadata {
        title: format!("Note {number}"),
        client: String::new(),
        case: String::new(),
        created: NOW,
        modified: NOW,
        happened: None,
        author: PersonId([1; 8]),
        parents: vec![],
        number,
        fields: vec![],
    };
    let vault = super::vault::VAULT;
    let (body, key) = seal_body(vault, note, Purpose::Note, &metadata, b"Gate.", &mut SystemEntropy).unwrap();
    let label = Label::new(Level::Internal, Vec::<CompartmentId>::new()).unwrap();
    let digest = crate::crypto::sha256(&[&body]);
    let wrap = WrapFile::wrap(
        vault,
        note,
        digest,
        &label,
        &key,
        ledger.keyring(),
        &[],
        &mut SystemEntropy,
    )
    .unwrap();
    let mut changes = Changes::default();
    changes.write_digested(note_ref(note), note, body);
    changes.write_digested(wrap_ref(note), note, wrap.to_bytes());
    changes
}

/// Records a note, or another revision of it.
pub(super) fn write(vault: &mut Vault, note: NoteId, number: u64) {
    with(vault, |ledger, now| {
        let changes = seal(ledger, note, number);
        let kind = if number == 1 { Kind::Add } else { Kind::Revise };
        let draft = Draft::change(kind, Details::new("write"), vec![note], changes);
        let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
    });
}

pub(super) fn read(vault: &mut Vault) {
    with(vault, |ledger, now| {
        let draft = Draft::read(Details::new("show"), vec![]);
        let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
    });
}

/// A change of the policies.
pub(super) fn change_rules(vault: &mut Vault, words: &str) {
    with(vault, |ledger, now| {
        let charter = ledger.charter();
        let add = |(path, bytes): (&str, &[u8])| {
            let bytes = match path {
                "access/rules.cedar" => [bytes, format!("// {words}\n").as_bytes()].concat(),
                _ => bytes.to_vec(),
            };
            (path.to_owned(), bytes)
        };
        let files: Vec<(String, Vec<u8>)> = charter.policies.iter().map(add).collect();
        let files = crate::policy::PolicyFiles::new(files.iter().map(|(path, bytes)| (path.as_str(), bytes.clone())));
        let changes = charter.policy_changes(&files.unwrap());
        let draft = Draft::change(Kind::Policy, Details::new("policy"), vec![], changes);
        let _recorded = ledger.record(draft, now, &mut SystemEntropy).unwrap();
    });
}

/// The files of all branches of notes and wraps.
pub(super) fn exists(vault: &Vault) -> BTreeSet<String> {
    let names: Vec<String> = vault
        .repo()
        .refs("refs/heads/")
        .unwrap()
        .into_iter()
        .filter_map(|(name, _)| name.strip_prefix("refs/heads/").map(str::to_owned))
        .collect();
    let shards = names
        .iter()
        .filter(|name| name.starts_with("notes/") || name.starts_with("keys/"));
    shards
        .flat_map(|name| vault.files(name).into_keys().map(move |path| format!("{name}/{path}")))
        .collect()
}

/// Every log's size.
pub(super) fn sizes(vault: &Vault) -> BTreeMap<LogName, u64> {
    let report = judge(vault, &Given::default());
    report.logs.into_iter().map(|(log, size, _)| (log, size)).collect()
}

/// No problem, and nothing that cannot be told; clocks may be wrong.
pub(super) fn assert_honest(what: &str, vault: &Vault) -> Report {
    let mark = vault.mark();
    let given = Given {
        mark: Some(&mark),
        deep: true,
        ..Given::default()
    };
    let report = judge(vault, &given);
    assert_eq!(report.problems, [], "{what}");
    assert_eq!(report.unknown, [], "{what}");
    let other = report.findings.iter().find(|finding| finding.case != 21);
    assert_eq!(other, None, "{what}");
    report
}
