//! That somebody holds every key for good whatever a lead takes away, and that keys come to those who are due them and to
//! nobody else.

use super::super::members::{Admission, admit};
use super::leaving::{Told, add_note, beside, join, keys_of, listed, repo_of};
use super::*;
use crate::chain::Role;
use crate::envelope::KeyUse;
use crate::label::Level;
use crate::ledger::Ledger;
use crate::repo::PATIENCE;

const NOW: i64 = 1_795_253_400;
const YEAR: i64 = 365 * 86_400;

fn at<'a>(vault: &Vault, person: &'a Told, later: i64) -> Context<'a> {
    let mut context = vault.context(person, Some("safety"), Some("what is to be done"));
    context.clock = Clock::Fixed(Time::from_unix(NOW + later));
    context
}

fn change(by: &Vault, whom: &str, change: MemberChange) -> Result<Changed, Error> {
    change_member(&at(by, &Told, 0), whom, &change)
}

fn change_later(by: &Vault, later: i64, whom: &str, change: MemberChange) -> Changed {
    change_member(&at(by, &Told, later), whom, &change).unwrap()
}

fn given(roles: &[Role]) -> MemberChange {
    MemberChange::Grant(Rights {
        roles: roles.to_vec(),
        ..Rights::default()
    })
}

/// The same rights for a grant and for taking them.
fn level(name: &str, until: Option<i64>) -> Rights {
    Rights {
        clearance: Some(name.into()),
        until: until.map(|later| Time::from_unix(NOW + later)),
        ..Rights::default()
    }
}

fn until(later: i64) -> MemberChange {
    MemberChange::Grant(Rights {
        until: Some(Time::from_unix(NOW + later)),
        ..Rights::default()
    })
}

/// Refused because the person is the last who holds that.
fn is_last(refused: Result<Changed, Error>, what: &str) -> Error {
    let refused = refused.err().unwrap();
    assert_eq!(refused.exit_code(), 1, "{refused}");
    let words = format!("is the last who holds {what}; nothing was changed");
    assert!(refused.message.ends_with(&words), "{refused}");
    refused
}

fn holds(place: &Vault, level: Level) -> bool {
    keys_of(place).1.holds(KeyUse::Level(level))
}

#[test]
fn a_lead_takes_no_level_from_the_last_who_holds_it() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "For the few.").to_string();
    let jon = join(&mara, "jon", "internal");
    change(&mara, "jon", given(&[Role::Lead])).unwrap();
    let down = || MemberChange::Revoke(level("internal", None));
    let refused = is_last(
        change(&jon, "mara", MemberChange::Remove),
        "confidential, restricted, the auditors' key",
    );
    let hint = |refused: &Error, words: &str| refused.hints.iter().any(|hint| hint.contains(words));
    assert!(hint(&refused, "give it to somebody first") && hint(&refused, "member pause mara"));
    is_last(change(&jon, "mara", down()), "confidential, restricted");
    let confidential = MemberChange::Revoke(level("confidential", None));
    is_last(change(&jon, "mara", confidential), "restricted");
    // A pause stops her, and loses nothing.
    change(&jon, "mara", MemberChange::Pause).unwrap();
    let refused = is_last(change(&jon, "mara", down()), "confidential, restricted");
    assert!(!hint(&refused, "member pause"), "{refused:?}");
    change(&jon, "mara", MemberChange::Resume).unwrap();
    // Who has it lent, or by the role for emergencies, cannot give it on, and who is paused may never come back.
    let _kim = join(&mara, "kim", "internal");
    let lent = MemberChange::Grant(level("restricted", Some(YEAR)));
    change(&mara, "kim", lent).unwrap();
    change(&mara, "kim", given(&[Role::BreakGlass])).unwrap();
    is_last(change(&jon, "mara", down()), "confidential, restricted");
    let ines = join(&mara, "ines", "restricted");
    change(&jon, "ines", MemberChange::Pause).unwrap();
    let refused = is_last(change(&jon, "mara", down()), "confidential, restricted");
    assert!(hint(&refused, "who is paused"), "{refused:?}");
    change(&jon, "ines", MemberChange::Resume).unwrap();
    // A loan ends without another holder, and so does what another holds too.
    change(&jon, "kim", MemberChange::Remove).unwrap();
    let done = change(&jon, "mara", down()).unwrap();
    assert_eq!(done.pending, ["confidential", "restricted"]);
    assert!(show(&at(&ines, &Told, 0), &note, None).is_ok());
    is_last(change(&jon, "ines", MemberChange::Remove), "confidential, restricted");
}

/// Who died gives nothing to anybody. A pause says that it is meant; what nobody holds any more can be made anew.
#[test]
fn who_never_comes_back_is_removed_after_a_pause_and_a_lead_makes_another_auditor() {
    let mara = Vault::new();
    add_note(&mara, "restricted", "For the few.");
    let jon = join(&mara, "jon", "restricted");
    let ann = join(&mara, "ann", "internal");
    change(&mara, "jon", given(&[Role::Lead])).unwrap();
    let audits = |place: &Vault| keys_of(place).1.holds(KeyUse::Auditors);
    let auditor = || change(&jon, "ann", given(&[Role::Auditor]));
    is_last(change(&jon, "mara", MemberChange::Remove), "the auditors' key");
    change(&jon, "mara", MemberChange::Pause).unwrap();
    // Who is paused has it still, and may come back.
    assert_eq!(auditor().err().unwrap().exit_code(), 3);
    let person = super::matters::Warned::default();
    let mut context = jon.context(&person, Some("safety"), Some("what is to be done"));
    context.clock = Clock::Fixed(Time::from_unix(NOW));
    change_member(&context, "mara", &MemberChange::Remove).unwrap();
    let told = person.0.into_inner();
    assert!(
        told.iter()
            .any(|said| said.contains("last who holds the auditors' key")),
        "{told:?}"
    );
    assert!(!audits(&ann) && !audits(&jon));
    auditor().unwrap();
    assert!(audits(&ann) && !audits(&jon));
    assert_eq!(listed(&jon), Ok(1));
    // From then on it is as it was: who holds it gives it.
    let _kim = join(&jon, "kim", "internal");
    assert_eq!(
        change(&jon, "kim", given(&[Role::Auditor])).err().unwrap().exit_code(),
        3
    );
    let report = verify(&jon.context(&Told, None, None), None, &[], None, true).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}

#[test]
fn the_auditors_key_stays_with_somebody_who_has_it() {
    let mara = Vault::new();
    let jon = join(&mara, "jon", "restricted");
    change(&mara, "jon", given(&[Role::Lead])).unwrap();
    is_last(change(&jon, "mara", MemberChange::Remove), "the auditors' key");
    for name in ["rita", "sam"] {
        let _place = join(&mara, name, "internal");
    }
    // The last auditor may go where the founder is there, who has it again.
    change(&mara, "rita", given(&[Role::Auditor])).unwrap();
    change(&jon, "mara", MemberChange::Pause).unwrap();
    is_last(change(&jon, "rita", MemberChange::Remove), "the auditors' key");
    change(&jon, "mara", MemberChange::Resume).unwrap();
    let removed = change(&jon, "rita", MemberChange::Remove).unwrap();
    assert_eq!(removed.pending, ["the log's details"]);
    let finished = change(&mara, "rita", MemberChange::Remove).unwrap();
    assert_eq!(finished.rotated, ["the log's details"]);
    // And the founder where an auditor stays.
    change(&mara, "sam", given(&[Role::Auditor])).unwrap();
    change(&jon, "mara", MemberChange::Remove).unwrap();
    is_last(change(&jon, "sam", MemberChange::Remove), "the auditors' key");
    let auditor = Rights {
        roles: vec![Role::Auditor],
        ..Rights::default()
    };
    is_last(change(&jon, "sam", MemberChange::Revoke(auditor)), "the auditors' key");
}

#[test]
fn a_founder_who_was_given_no_auditors_key_is_nobody_who_holds_it() {
    let mara = Vault::new();
    let (jon, sam) = (join(&mara, "jon", "restricted"), join(&mara, "sam", "restricted"));
    let _rita = join(&mara, "rita", "internal");
    change(&mara, "jon", given(&[Role::Lead])).unwrap();
    change(&mara, "sam", given(&[Role::Lead, Role::Auditor])).unwrap();
    change(&sam, "rita", given(&[Role::Auditor])).unwrap();
    // The next key is made while others are auditors.
    let removed = change(&sam, "rita", MemberChange::Remove).unwrap();
    assert!(removed.rotated.contains(&"the log's details".to_owned()));
    for lead in [&mara, &jon] {
        is_last(change(lead, "sam", MemberChange::Remove), "the auditors' key");
    }
    change(&sam, "mara", given(&[Role::Auditor])).unwrap();
    assert!(change(&jon, "sam", MemberChange::Remove).is_ok());
    let finished = change(&mara, "sam", MemberChange::Remove).unwrap();
    assert_eq!(finished.rotated, ["the log's details"]);
    change(&mara, "jon", given(&[Role::Auditor])).unwrap();
}

#[test]
fn who_was_left_out_when_a_key_was_made_does_not_hold_it() {
    let mara = Vault::new();
    let (ines, lee) = (join(&mara, "ines", "restricted"), join(&mara, "lee", "internal"));
    let _max = join(&mara, "max", "restricted");
    change(&mara, "lee", given(&[Role::Lead])).unwrap();
    change(&mara, "ines", given(&[Role::Auditor])).unwrap();
    change(&lee, "ines", MemberChange::Pause).unwrap();
    change(&mara, "max", MemberChange::Remove).unwrap();
    let note = add_note(&mara, "restricted", "After.").to_string();
    // A lead who has not got it cannot give it to her.
    change(&lee, "ines", MemberChange::Resume).unwrap();
    assert!(show(&at(&ines, &Told, 0), &note, None).is_err());
    is_last(change(&lee, "mara", MemberChange::Remove), "confidential, restricted");
    for change_of in [MemberChange::Pause, MemberChange::Resume] {
        change(&mara, "ines", change_of).unwrap();
    }
    assert!(show(&at(&ines, &Told, 0), &note, None).is_ok());
    change(&lee, "mara", MemberChange::Remove).unwrap();
}

#[test]
fn a_clock_that_ran_ahead_keeps_no_key_from_anybody_for_good() {
    let mara = Vault::new();
    let kim = join(&mara, "kim", "confidential");
    let _max = join(&mara, "max", "confidential");
    change(&mara, "kim", until(YEAR / 2)).unwrap();
    // Whoever's clock shows next year finds her membership over.
    change_later(&mara, YEAR, "max", MemberChange::Remove);
    let note = add_note(&mara, "confidential", "After.").to_string();
    assert!(show(&at(&kim, &Told, 0), &note, None).is_err());
    change(&mara, "kim", until(YEAR)).unwrap();
    assert!(show(&at(&kim, &Told, 0), &note, None).is_ok());
}

#[test]
fn what_is_lent_anew_or_given_after_a_loan_is_over_comes_with_its_present_key() {
    let again = [level("restricted", Some(YEAR)), level("restricted", None)];
    for rights in again {
        let mara = Vault::new();
        let kim = join(&mara, "kim", "confidential");
        let _max = join(&mara, "max", "restricted");
        let lent = MemberChange::Grant(level("restricted", Some(60)));
        change(&mara, "kim", lent).unwrap();
        change_later(&mara, 120, "max", MemberChange::Remove);
        let note = add_note(&mara, "restricted", "After.").to_string();
        assert!(show(&at(&kim, &Told, 120), &note, None).is_err());
        change_later(&mara, 120, "kim", MemberChange::Grant(rights));
        assert!(show(&at(&kim, &Told, 120), &note, None).is_ok());
    }
}

#[test]
fn a_further_device_gets_no_key_of_a_loan_that_is_over_and_none_while_its_person_is_paused() {
    let mara = Vault::new();
    let kim = join(&mara, "kim", "internal");
    let lent = MemberChange::Grant(level("confidential", Some(60)));
    change(&mara, "kim", lent).unwrap();
    assert!(holds(&kim, Level::Confidential));
    let admitted = |later: i64| {
        let place = beside(&mara);
        let file = place.0.path().join("request");
        ask_for_membership(&place.context(&Told, None, None), "laptop", &file, false).unwrap();
        let admission = Admission {
            file,
            clearance: None,
            compartments: Vec::new(),
            roles: Vec::new(),
            until: None,
            device_of: Some("kim".into()),
        };
        let done = admit(&at(&mara, &Told, later), &admission, &|_| Ok(())).unwrap();
        (place, done.device)
    };
    let (laptop, _) = admitted(0);
    assert!(listed(&laptop).is_ok() && holds(&laptop, Level::Confidential));
    let (laptop, _) = admitted(120);
    assert!(listed(&laptop).is_ok());
    assert!(holds(&laptop, Level::Internal) && !holds(&laptop, Level::Confidential));
    change_later(&mara, 120, "kim", MemberChange::Pause);
    let (tablet, device) = admitted(180);
    let boxes = || {
        let (identity, ..) = keys_of(&mara);
        let state = at(&mara, &Told, 0).places.state(&identity.vault(), &identity.device());
        let repo = repo_of(&mara);
        let ledger = Ledger::start(&repo, &identity, &state, PATIENCE, None).unwrap();
        ledger.boxes_of(device).len()
    };
    assert_eq!(boxes(), 0);
    change_later(&mara, 240, "kim", MemberChange::Resume);
    assert_eq!(boxes(), 1);
    assert!(listed(&tablet).is_ok() && !holds(&tablet, Level::Confidential));
}
