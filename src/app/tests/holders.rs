//! That keys come to those who are due them and to nobody else.

use super::super::members::{Admission, admit};
use super::leaving::{Told, add_note, beside, join, keys_of, listed, repo_of};
use super::*;
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

fn holds(place: &Vault, level: Level) -> bool {
    keys_of(place).1.holds(KeyUse::Level(level))
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
