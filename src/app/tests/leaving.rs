//! What somebody who was removed can still open, with any program: below the gate, with the keys they had.

use super::super::members::{Admission, admit};
use super::*;
use crate::envelope::{IdentityFile, Keyring};
use crate::gate::Gate;
use crate::id::NoteId;
use crate::label::Clearance;
use crate::ledger::{Ledger, Verdict};
use crate::repo::{Kind as ObjectKind, Object, PATIENCE, Repo, Settings};
use crate::secret::Passphrase;
use crate::session::Identity;
use std::collections::BTreeSet;
use std::process::Command;

/// Somebody without a terminal, who is told things.
pub(super) struct Told;

impl Person for Told {
    fn passphrase(&self, _prompt: &str) -> Result<shared::Passphrase, Error> {
        Ok(shared::Passphrase::new(PASSPHRASE.to_owned()))
    }

    fn warn(&self, _text: &str) {}

    fn answers(&self) -> bool {
        false
    }

    fn line(&self, _prompt: &str) -> Option<String> {
        None
    }

    fn open(&self, path: &Path) -> Result<File, Error> {
        open_file(path)
    }

    fn files_in(&self, folder: &Path) -> Result<Vec<String>, Error> {
        list_files(folder)
    }

    fn create(&self, path: &Path) -> Result<Box<dyn NewFile>, Error> {
        new_file(path)
    }
}

/// A member's computer, with the vault of another in its place.
pub(super) fn beside(vault: &Vault) -> Vault {
    let other = Vault(tempfile::tempdir().unwrap());
    let data = |vault: &Vault| vault.0.path().join("data");
    std::os::unix::fs::symlink(data(vault), data(&other)).unwrap();
    other
}

pub(super) fn join(lead: &Vault, name: &str, clearance: &str) -> Vault {
    let place = beside(lead);
    let file = place.0.path().join("request");
    ask_for_membership(&place.context(&Told, None, None), name, &file, false).unwrap();
    let admission = Admission {
        file,
        clearance: Some(clearance.into()),
        compartments: Vec::new(),
        roles: Vec::new(),
        until: None,
        device_of: None,
    };
    admit(&lead.context(&Told, None, None), &admission, &|_| Ok(())).unwrap();
    assert!(listed(&place).is_ok());
    place
}

pub(super) fn listed(place: &Vault) -> Result<usize, Error> {
    Ok(list(&place.context(&Told, None, None), &ListQuery::default())?.len())
}

pub(super) fn add_note(vault: &Vault, label: &str, text: &'static str) -> NoteId {
    let new = NewText {
        title: None,
        client: None,
        case: None,
        label: Some(label.into()),
        at: None,
        fields: Vec::new(),
        template: None,
    };
    let person = Told;
    let context = vault.context(&person, Some("duty"), Some("a test"));
    add(&context, new, TextFrom::Caller(Box::new(move || Ok(text.into()))))
        .unwrap()
        .id
}

/// What a modified program has in its hands: identity and keys.
pub(super) fn keys_of(place: &Vault) -> (Identity, Keyring, Clearance) {
    let places = place.context(&Told, None, None).places;
    let file = IdentityFile::parse(&std::fs::read(places.identity()).unwrap()).unwrap();
    let identity = Identity::unlock(&file, &Passphrase::new(PASSPHRASE.into())).unwrap();
    let repo = repo_of(place);
    let state = places.state(&file.vault, &file.device);
    let ledger = Ledger::start(&repo, &identity, &state, PATIENCE, None).unwrap();
    let clearance = ledger.charter().roster.member(identity.person()).unwrap().reach();
    let keys = ledger.keyring().part(|_| true);
    drop(ledger);
    (identity, keys, clearance)
}

pub(super) fn repo_of(place: &Vault) -> Repo {
    let places = place.context(&Told, None, None).places;
    Repo::open(&places.vault(), Settings::of_this_run()).unwrap()
}

/// All wraps that exist, as whoever has a copy of the vault finds them.
fn wraps(vault: &Vault) -> Vec<(NoteId, crate::envelope::WrapFile)> {
    let (identity, _, _) = keys_of(vault);
    let places = vault.context(&Told, None, None).places;
    let repo = repo_of(vault);
    let state = places.state(&identity.vault(), &identity.device());
    Ledger::start(&repo, &identity, &state, PATIENCE, None)
        .unwrap()
        .wraps("")
        .unwrap()
}

/// A further device of a member.
fn further(lead: &Vault, name: &str) -> Vault {
    let place = beside(lead);
    let file = place.0.path().join("request");
    ask_for_membership(&place.context(&Told, None, None), "laptop", &file, false).unwrap();
    let admission = Admission {
        file,
        clearance: None,
        compartments: Vec::new(),
        roles: Vec::new(),
        until: None,
        device_of: Some(name.into()),
    };
    admit(&lead.context(&Told, None, None), &admission, &|_| Ok(())).unwrap();
    assert!(listed(&place).is_ok());
    place
}

#[test]
fn a_lost_laptop_opens_nothing_that_comes_after_and_its_owner_goes_on() {
    let mara = Vault::new();
    add_note(&mara, "confidential", "Before.");
    let jon = join(&mara, "jon", "confidential");
    let laptop = further(&mara, "jon");
    let (identity, keys, clearance) = keys_of(&laptop);
    let opens =
        |wraps: Vec<(NoteId, crate::envelope::WrapFile)>| Gate::new(&identity, &keys).readable(wraps, &clearance).len();
    assert_eq!(opens(wraps(&mara)), 1);
    let change = |handle: &str, device: &str| {
        let change = MemberChange::RemoveDevice(device.to_owned());
        change_member(&mara.context(&Told, None, None), handle, &change)
    };
    let own = keys_of(&mara).0.device().to_string();
    assert_eq!(change("mara", &own).err().unwrap().kind, Kind::Usage);
    assert_eq!(change("jon", &own).err().unwrap().kind, Kind::Usage);
    assert_eq!(change("jon", "").err().unwrap().kind, Kind::Usage);
    let done = change("jon", &identity.device().to_string()[..8]).unwrap();
    assert_eq!((done.rotated.len(), done.rewrapped, done.lost.len()), (3, 1, 0));
    assert!(done.pending.is_empty());
    add_note(&jon, "internal", "After.");
    add_note(&mara, "confidential", "After.");
    assert_eq!(opens(wraps(&mara)), 0);
    // The laptop does nothing more here; its owner reads all of it, and loses no other device that way.
    assert!(listed(&laptop).is_err());
    assert_eq!(listed(&jon).unwrap(), 3);
    let other = keys_of(&jon).0.device().to_string();
    assert_eq!(change("jon", &other).err().unwrap().kind, Kind::Failed);
    let repo = repo_of(&mara);
    let anchors = crate::ledger::Anchors {
        receipt: None,
        high_water: None,
        witnesses: &[],
        now: Time::from_unix(1_795_253_400),
        deep: true,
    };
    let verified = crate::ledger::verify(&repo, &anchors).unwrap();
    assert_eq!(verified.verdict, Verdict::Intact, "{:?}", verified.told());
}

#[test]
fn who_is_removed_opens_nothing_that_comes_after() {
    let mara = Vault::new();
    for label in ["internal", "confidential", "restricted"] {
        add_note(&mara, label, "Before.");
    }
    let (jon, kim) = (join(&mara, "jon", "confidential"), join(&mara, "kim", "confidential"));
    let (identity, keys, clearance) = keys_of(&jon);
    let opens = |wraps: Vec<(NoteId, crate::envelope::WrapFile)>| {
        let readable = Gate::new(&identity, &keys).readable(wraps, &clearance);
        readable.into_iter().map(|(note, _, _)| note).collect::<BTreeSet<_>>()
    };
    let before = wraps(&mara);
    assert_eq!(opens(before.clone()).len(), 2);
    let removed = change_member(&mara.context(&Told, None, None), "jon", &MemberChange::Remove).unwrap();
    assert_eq!(
        (removed.rotated.len(), removed.rewrapped, removed.lost.len()),
        (3, 2, 2)
    );
    assert!(removed.pending.is_empty());
    add_note(&mara, "internal", "After.");
    add_note(&kim, "confidential", "After.");
    let after = wraps(&mara);
    assert_eq!(after.len(), 5);
    assert!(opens(after).is_empty());
    // The old wraps are nowhere in the repository any more, but for the one that needed no other.
    let repo = repo_of(&mara);
    let there = |(_, wrap): &&(NoteId, crate::envelope::WrapFile)| {
        let blob = Object::blob(wrap.to_bytes());
        repo.read_object(blob.oid(), ObjectKind::Blob, 1 << 20).is_ok()
    };
    assert_eq!(before.iter().filter(there).count(), 1);
    // Who stays reads on, and whoever was removed does nothing through this program.
    assert_eq!(listed(&kim).unwrap(), 4);
    assert_eq!(listed(&jon).unwrap_err().exit_code(), 3);
}

#[test]
fn a_log_that_does_not_hold_keeps_no_removal_from_its_end() {
    let mara = Vault::new();
    for label in ["internal", "confidential"] {
        add_note(&mara, label, "Before.");
    }
    let jon = join(&mara, "jon", "confidential");
    add_note(&jon, "confidential", "By jon.");
    // What somebody pushed there who has no log.
    let place = mara.context(&Told, None, None).places.vault();
    let stray = "refs/heads/audit/1111111111111111-22222222";
    let update = Command::new("git")
        .arg("-C")
        .arg(&place)
        .args(["update-ref", stray, "refs/heads/main"])
        .status();
    assert!(update.unwrap().success());
    let removed = change_member(&mara.context(&Told, None, None), "jon", &MemberChange::Remove).unwrap();
    assert_eq!((removed.rotated.len(), removed.rewrapped), (3, 3));
    assert_eq!(listed(&mara), Ok(3));
}

#[test]
fn what_a_lead_lacks_waits_for_one_who_holds_it() {
    let mara = Vault::new();
    let jon = join(&mara, "jon", "restricted");
    let ines = join(&mara, "ines", "confidential");
    let lead = Rights {
        roles: vec![shared::Role::Lead],
        ..Rights::default()
    };
    let change =
        |by: &Vault, whom: &str, change: MemberChange| change_member(&by.context(&Told, None, None), whom, &change);
    change(&mara, "ines", MemberChange::Grant(lead)).unwrap();
    add_note(&mara, "restricted", "Before.");
    let (identity, keys, clearance) = keys_of(&jon);
    let removed = change(&ines, "jon", MemberChange::Remove).unwrap();
    assert_eq!(
        (removed.rotated.len(), removed.pending),
        (3, vec!["restricted".to_owned()])
    );
    let opens = || Gate::new(&identity, &keys).readable(wraps(&mara), &clearance).len();
    assert_eq!(opens(), 1);
    // Whoever holds the key does what was left.
    let finished = change(&mara, "jon", MemberChange::Remove).unwrap();
    assert_eq!(
        (finished.rotated, finished.rewrapped),
        (vec!["restricted".to_owned()], 1)
    );
    assert!(finished.pending.is_empty() && opens() == 0);
    assert!(change(&mara, "jon", MemberChange::Remove).unwrap().entry.is_none());
}

#[test]
fn the_last_who_holds_a_compartment_keeps_it() {
    let mara = Vault::new();
    let ines = join(&mara, "ines", "restricted");
    let change =
        |by: &Vault, whom: &str, change: MemberChange| change_member(&by.context(&Told, None, None), whom, &change);
    let lead = Rights {
        roles: vec![shared::Role::Lead],
        ..Rights::default()
    };
    change(&mara, "ines", MemberChange::Grant(lead)).unwrap();
    new_compartment(&ines.context(&Told, None, None), "Kestrel").unwrap();
    let refused = change(&mara, "ines", MemberChange::Remove).err().unwrap();
    assert_eq!(refused.exit_code(), 1);
    assert!(
        refused.message.contains("ines is the last who holds compartment"),
        "{refused}"
    );
    let rights = Rights {
        compartments: vec!["Kestrel".into()],
        ..Rights::default()
    };
    change(&ines, "mara", MemberChange::Grant(rights)).unwrap();
    assert!(change(&mara, "ines", MemberChange::Remove).unwrap().pending.is_empty());
}

#[test]
fn a_lead_gives_nobody_more_than_they_have() {
    let mara = Vault::new();
    let lee = join(&mara, "lee", "internal");
    let lead = Rights {
        roles: vec![shared::Role::Lead],
        ..Rights::default()
    };
    let change =
        |by: &Vault, whom: &str, change: MemberChange| change_member(&by.context(&Told, None, None), whom, &change);
    change(&mara, "lee", MemberChange::Grant(lead)).unwrap();
    let max = join(&mara, "max", "restricted");
    // Not to themselves, and not in steps that give a clearance before the role that makes use of it.
    let up = || Rights {
        clearance: Some("restricted".into()),
        ..Rights::default()
    };
    assert_eq!(
        change(&lee, "lee", MemberChange::Grant(up()))
            .err()
            .unwrap()
            .exit_code(),
        3
    );
    let file = max.0.path().join("another");
    let place = beside(&mara);
    ask_for_membership(&place.context(&Told, None, None), "rita", &file, false).unwrap();
    let admission = |role, device_of: Option<&str>| Admission {
        file: file.clone(),
        clearance: device_of.is_none().then(|| "restricted".into()),
        compartments: Vec::new(),
        roles: vec![role],
        until: None,
        device_of: device_of.map(str::to_owned),
    };
    let admitted = |by: &Vault, admission: &Admission| admit(&by.context(&Told, None, None), admission, &|_| Ok(()));
    // Nor with a device in the name of somebody who has more.
    let taken = admitted(&lee, &admission(shared::Role::Officer, Some("mara")));
    assert_eq!(taken.err().unwrap().exit_code(), 3);
    admitted(&mara, &admission(shared::Role::Auditor, None)).unwrap();
    let officer = Rights {
        roles: vec![shared::Role::Officer],
        ..Rights::default()
    };
    assert_eq!(
        change(&lee, "rita", MemberChange::Grant(officer))
            .err()
            .unwrap()
            .exit_code(),
        3
    );
}

#[test]
fn who_lost_a_key_is_not_the_one_who_makes_the_next() {
    let mara = Vault::new();
    let (lee, max) = (join(&mara, "lee", "internal"), join(&mara, "max", "restricted"));
    let lead = || Rights {
        roles: vec![shared::Role::Lead],
        ..Rights::default()
    };
    let change =
        |by: &Vault, whom: &str, change: MemberChange| change_member(&by.context(&Told, None, None), whom, &change);
    change(&mara, "lee", MemberChange::Grant(lead())).unwrap();
    change(&mara, "max", MemberChange::Grant(lead())).unwrap();
    let down = Rights {
        clearance: Some("internal".into()),
        ..Rights::default()
    };
    let revoked = change(&lee, "max", MemberChange::Revoke(down)).unwrap();
    assert_eq!(revoked.pending, ["confidential", "restricted"]);
    let later = Rights {
        until: Some(Time::from_unix(4_070_908_800)),
        ..Rights::default()
    };
    let by_max = change(&max, "lee", MemberChange::Grant(later)).unwrap();
    assert!(by_max.rotated.is_empty());
    assert_eq!(by_max.pending, ["confidential", "restricted"]);
    let finished = change(&mara, "lee", MemberChange::Pause).unwrap();
    assert_eq!(finished.rotated, ["confidential", "restricted"]);
    // Who is paused gets what is new when they go on.
    change(&mara, "max", MemberChange::Remove).unwrap();
    add_note(&mara, "internal", "After.");
    change(&mara, "lee", MemberChange::Resume).unwrap();
    assert_eq!(listed(&lee).unwrap(), 1);
}

#[test]
fn a_role_ends_with_the_membership_and_has_no_end_of_its_own() {
    let mara = Vault::new();
    let lee = join(&mara, "lee", "restricted");
    let change =
        |by: &Context<'_>, whom: &str, change: MemberChange| change_member(by, whom, &change).map(|done| done.roles);
    let roles = || vec![shared::Role::Auditor, shared::Role::BreakGlass, shared::Role::Lead];
    let now = mara.context(&Told, None, None).now();
    let end = Time::from_unix(now.unix() + 3600);
    let given = |roles, until| {
        MemberChange::Grant(Rights {
            roles,
            until,
            ..Rights::default()
        })
    };
    let at = |vault: &Vault, time: Time| {
        let mut context = vault.context(&Told, Some("safety"), Some("what is to be done"));
        context.clock = Clock::Fixed(time);
        context
    };
    let refused = change(&mara.context(&Told, None, None), "lee", given(roles(), Some(end)))
        .err()
        .unwrap();
    assert_eq!(refused.exit_code(), 2);
    assert!(
        refused.hints.iter().any(|hint| hint.contains("with all its roles")),
        "{refused:?}"
    );
    change(&mara.context(&Told, None, None), "lee", given(roles(), None)).unwrap();
    change(&mara.context(&Told, None, None), "lee", given(Vec::new(), Some(end))).unwrap();
    let pause = || MemberChange::Pause;
    let _max = join(&mara, "max", "internal");
    let audits = |time| {
        let query = WhoQuery {
            client: None,
            note: None,
            actor: Some("mara".to_owned()),
            since: None,
            until: None,
        };
        who(&at(&lee, time), &query, &mut |_, _| Ok(())).map(drop)
    };
    let before = Time::from_unix(end.unix() - 1);
    change(&at(&lee, before), "max", pause()).unwrap();
    change(&at(&lee, before), "max", MemberChange::Resume).unwrap();
    assert!(audits(before).is_ok());
    for done in [change(&at(&lee, end), "max", pause()).map(drop), audits(end)] {
        let error = done.err().unwrap();
        assert_eq!(error.exit_code(), 3, "{error}");
        assert!(error.message.contains("membership is over"), "{error}");
    }
    // What is new comes to nobody whose membership is over.
    let restricted = Rights {
        clearance: Some("restricted".into()),
        ..Rights::default()
    };
    let later = || at(&mara, Time::from_unix(end.unix() + 60));
    change(&later(), "max", MemberChange::Grant(restricted)).unwrap();
    change(&later(), "max", MemberChange::Remove).unwrap();
    let new = add_note(&mara, "internal", "After the end.");
    // Below the gate, with the keys that came to them.
    let opens_below = || {
        let (identity, keys, clearance) = keys_of(&lee);
        let readable = Gate::new(&identity, &keys).readable(wraps(&mara), &clearance);
        readable.iter().any(|(note, ..)| *note == new)
    };
    assert!(!opens_below());
    // A later end gives it all again.
    let longer = Time::from_unix(end.unix() + 7200);
    change(&later(), "lee", given(Vec::new(), Some(longer))).unwrap();
    assert!(opens_below());
    assert!(audits(Time::from_unix(end.unix() + 120)).is_ok());
}
