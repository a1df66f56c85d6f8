//! What several people are needed for: a second person, an emergency, a conflict of interest, a loan.

use super::leaving::{Told, add_note, join, listed};
use super::*;
use crate::chain::{Deed, Kind as EntryKind, Role};
use crate::id::{EntryRef, NoteId};
use crate::ledger::{Changes, Draft};

const BEGUN: i64 = 1_795_253_400;

/// What somebody does so many hours later.
fn after<'a>(place: &Vault, person: &'a dyn Person, why: Option<&str>, hours: i64) -> Context<'a> {
    let mut context = place.context(person, Some("safety"), why);
    context.clock = Clock::Fixed(Time::from_unix(BEGUN + hours * 3600));
    context
}

fn waiting(place: &Vault) -> Vec<EntryRef> {
    let lines = list_requests(&after(place, &Told, None, 1)).unwrap();
    let waiting = lines.iter().filter(|line| line.standing == Standing::Waiting);
    waiting.map(|line| line.request).collect()
}

fn destroyed(place: &Vault, note: NoteId, hours: i64) -> Result<Destroyed, Error> {
    let context = after(place, &Told, Some("kept for two years"), hours);
    destroy(&context, &note.to_string(), None)
}

fn approved(place: &Vault, request: EntryRef, hours: i64) -> Result<Approved, Error> {
    approve(
        &after(place, &Told, Some("looked at it"), hours),
        &request.to_string(),
        None,
    )
}

fn kind<T>(done: Result<T, Error>) -> Option<Kind> {
    done.err().map(|error| error.kind)
}

fn intact(place: &Vault) {
    let report = verify(&place.context(&Told, None, None), None, &[], None, false).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}

#[test]
fn what_was_asked_for_by_mistake_is_taken_back_by_whoever_asked() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "Lena Hauk was at the north gate.");
    let jon = join(&mara, "jon", "restricted");
    let back = |place: &Vault, request: EntryRef, hours| {
        let context = after(place, &Told, Some("the wrong note"), hours);
        withdraw_request(&context, &request.to_string())
    };
    assert!(destroyed(&mara, note, 1).is_err());
    let request = waiting(&mara)[0];
    assert_eq!(kind(back(&jon, request, 1)), Some(Kind::Denied));
    assert!(approved(&jon, request, 1).unwrap().changed);
    let taken = back(&mara, request, 2).unwrap();
    assert!(taken.changed && taken.entry != request);
    let again = back(&mara, request, 2).unwrap();
    assert_eq!((again.changed, again.entry), (false, taken.entry));
    // What jon approved counts no more, and he approves it no more; asked for anew it is another request.
    let refused = approved(&jon, request, 2).err().unwrap();
    assert!(refused.message.contains("has taken it back"), "{refused}");
    assert_eq!(kind(destroyed(&mara, note, 2)), Some(Kind::Denied));
    let anew = waiting(&jon);
    assert!(anew.len() == 1 && anew[0] != request, "{anew:?}");
    let lines = list_requests(&after(&jon, &Told, None, 2)).unwrap();
    let old = lines.iter().find(|line| line.request == request).unwrap();
    assert_eq!(old.standing, Standing::Withdrawn);
    intact(&mara);
    // With the note goes what was said of it, also why it was taken back.
    assert!(approved(&jon, anew[0], 3).unwrap().changed);
    assert!(destroyed(&mara, note, 3).is_ok());
    assert_eq!(kind(back(&mara, anew[0], 3)), Some(Kind::Failed));
    intact(&mara);
}

#[test]
fn what_was_restricted_is_destroyed_by_two_also_after_one_has_lowered_it() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "Lena Hauk was at the north gate.");
    let other = add_note(&mara, "internal", "Lena Hauk was at the south gate.");
    let jon = join(&mara, "jon", "internal");
    let label = |label: &str| {
        let context = after(&mara, &Told, Some("the team needs it"), 1);
        relabel(&context, &note.to_string(), label).unwrap()
    };
    let file = mara.0.path().join("gate.txt");
    std::fs::write(&file, "gate 4").unwrap();
    let context = after(&mara, &Told, Some("seen there"), 0);
    attach(&context, &note.to_string(), "gate.txt", || open_file(&file)).unwrap();
    // Lowered in two steps, raised a little and lowered again: what it was stays with it, and nobody is shown it.
    for step in ["confidential", "internal", "confidential", "internal"] {
        assert_eq!(label(step).revisions, 1);
    }
    let shown = show(&after(&jon, &Told, None, 1), &note.to_string(), None).unwrap();
    assert_eq!(shown.note.metadata.fields, []);
    assert_eq!(kind(destroyed(&mara, note, 1)), Some(Kind::Denied));
    let request = waiting(&mara)[0];
    assert!(approved(&jon, request, 2).unwrap().changed);
    // What never was restricted is its author's alone, as before, also where it was raised for a while.
    assert!(destroyed(&mara, note, 3).is_ok() && destroyed(&mara, other, 3).is_ok());
    intact(&mara);
}

#[test]
fn where_nobody_can_be_the_second_it_is_said() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "Lena Hauk was at the north gate.");
    let jon = join(&mara, "jon", "internal");
    let said = |hours| {
        let refused = destroyed(&mara, note, hours).err().unwrap();
        assert_eq!(refused.kind, Kind::Denied);
        refused
            .hints
            .iter()
            .any(|hint| hint.contains("nobody else may read it"))
    };
    assert!(said(1));
    let rights = Rights {
        clearance: Some("restricted".into()),
        ..Rights::default()
    };
    grant(&mara, "jon", rights, 2).unwrap();
    assert!(!said(3));
    assert!(approved(&jon, waiting(&mara)[0], 4).unwrap().changed);
    assert!(destroyed(&mara, note, 5).is_ok());
}

#[test]
fn who_approves_an_end_is_asked_about_all_that_ends() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "Lena Hauk was at the north gate.");
    let jon = join(&mara, "jon", "restricted");
    let file = mara.0.path().join("gate.txt");
    std::fs::write(&file, "gate 4").unwrap();
    let context = after(&mara, &Told, Some("seen there"), 0);
    attach(&context, &note.to_string(), "gate.txt", || open_file(&file)).unwrap();
    assert!(destroyed(&mara, note, 1).is_err());
    let told = RefCell::new(Vec::new());
    let ask = |asked: &Asked| {
        let goes = asked.goes.as_ref().unwrap();
        told.borrow_mut().push((goes.revisions, goes.attachments, goes.others));
        Ok(())
    };
    let context = after(&jon, &Told, Some("looked at it"), 1);
    approve(&context, &waiting(&jon)[0].to_string(), Some(&ask)).unwrap();
    assert_eq!(told.into_inner(), [(1, 1, 0)]);
}

#[test]
fn two_people_destroy_what_is_restricted() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "Lena Hauk was at the north gate.");
    let (jon, kim) = (join(&mara, "jon", "restricted"), join(&mara, "kim", "confidential"));
    let refused = destroyed(&mara, note, 1).err().unwrap();
    let request = waiting(&mara)[0];
    assert!(
        refused.kind == Kind::Denied && refused.hints[0].contains(&request.to_string()),
        "{refused:?}"
    );
    // Asked again it is the same request.
    assert_eq!(kind(destroyed(&mara, note, 1)), Some(Kind::Denied));
    assert_eq!(waiting(&mara), [request]);
    // Who may not read it sees no request, and the words are those for one that does not exist.
    assert!(waiting(&kim).is_empty());
    let hidden = approved(&kim, request, 1).err().unwrap();
    let nowhere = EntryRef { seq: 99_999, ..request };
    let absent = approved(&kim, nowhere, 1).err().unwrap();
    assert_eq!(
        hidden.message.replace(&request.to_string(), ""),
        absent.message.replace(&nowhere.to_string(), "")
    );
    assert_eq!((hidden.kind, &hidden.hints), (absent.kind, &absent.hints));
    assert_eq!(kind(approved(&mara, request, 1)), Some(Kind::Denied));
    // A request to destroy lasts a week beyond the grace of fourteen days, and its approval as long.
    let over = 1 + 21 * 24;
    let first = approved(&jon, request, 2).unwrap();
    let again = approved(&jon, request, 100).unwrap();
    assert!(first.changed && !again.changed);
    assert_eq!((again.entry, again.until), (first.entry, first.until));
    assert_eq!(refused.request, Some(request));
    let line = &list_requests(&after(&jon, &Told, None, 3)).unwrap()[0];
    assert_eq!((line.why.as_deref(), line.to.len()), (Some("kept for two years"), 0));
    let other = add_note(&mara, "restricted", "Another.");
    assert_eq!(kind(destroyed(&mara, other, 1)), Some(Kind::Denied));
    let late = waiting(&mara)[0];
    assert_eq!(kind(approved(&jon, late, over)), Some(Kind::Failed));
    approved(&jon, late, over - 1).unwrap();
    assert_eq!(kind(destroyed(&mara, other, over)), Some(Kind::Denied));
    destroyed(&mara, note, 101).unwrap();
    assert_eq!(kind(destroyed(&mara, note, 101)), Some(Kind::Denied));
    intact(&mara);
}

#[test]
fn an_approval_is_for_what_the_note_was() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "First.");
    let jon = join(&mara, "jon", "restricted");
    assert!(destroyed(&mara, note, 1).is_err());
    let request = waiting(&mara)[0];
    approved(&jon, request, 2).unwrap();
    let change = Change {
        title: Some("Another".into()),
        ..Change::default()
    };
    let editing = edit(
        &after(&mara, &Told, Some("corrected"), 3),
        &note.to_string(),
        change,
        None,
    );
    assert!(editing.is_ok());
    // The approval was of another revision: a new request is made, and the old one cannot be approved any more.
    assert_eq!(kind(destroyed(&mara, note, 4)), Some(Kind::Denied));
    assert_eq!(kind(approved(&jon, request, 4)), Some(Kind::Failed));
    let again = waiting(&mara);
    assert_eq!(again.len(), 1);
    assert_ne!(again[0], request);
    approved(&jon, again[0], 5).unwrap();
    destroyed(&mara, note, 6).unwrap();
    intact(&mara);
}

#[test]
fn who_left_or_may_not_read_it_any_more_has_approved_nothing() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "Text.");
    let jon = join(&mara, "jon", "restricted");
    let _kim = join(&mara, "kim", "restricted");
    assert!(destroyed(&mara, note, 1).is_err());
    approved(&jon, waiting(&mara)[0], 2).unwrap();
    let change = |change| change_member(&after(&mara, &Told, Some("a reason"), 3), "jon", &change).unwrap();
    change(MemberChange::Pause);
    assert_eq!(kind(destroyed(&mara, note, 4)), Some(Kind::Denied));
    change(MemberChange::Resume);
    change(MemberChange::Revoke(Rights {
        clearance: Some("internal".into()),
        ..Rights::default()
    }));
    assert_eq!(kind(destroyed(&mara, note, 5)), Some(Kind::Denied));
    intact(&mara);
}

#[test]
fn a_request_tells_what_it_is_for() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "Text.");
    let jon = join(&mara, "jon", "restricted");
    assert!(destroyed(&mara, note, 1).is_err());
    let request = waiting(&jon)[0];
    let seen = RefCell::new(None);
    let ask = |asked: &Asked| {
        let told = (
            asked.deed,
            asked.note,
            asked.title.clone(),
            asked.by.clone(),
            asked.statement.clone(),
        );
        seen.replace(Some(told));
        Err(Error::new(Kind::Failed, "no"))
    };
    let context = after(&jon, &Told, Some("looked at it"), 2);
    assert_eq!(
        approve(&context, &request.to_string(), Some(&ask))
            .err()
            .unwrap()
            .message,
        "no"
    );
    let told = (
        Deed::Destroy,
        note,
        "Text.".to_owned(),
        "mara".to_owned(),
        "kept for two years".to_owned(),
    );
    assert_eq!(seen.into_inner(), Some(told));
    assert_eq!(waiting(&mara), [request]);
}

/// Somebody who remembers what they were told.
#[derive(Default)]
pub(super) struct Warned(pub(super) RefCell<Vec<String>>);

impl Person for Warned {
    fn passphrase(&self, prompt: &str) -> Result<shared::Passphrase, Error> {
        Told.passphrase(prompt)
    }

    fn warn(&self, text: &str) {
        self.0.borrow_mut().push(text.to_owned());
    }

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

fn told(place: &Vault, hours: i64) -> Vec<String> {
    let person = Warned::default();
    list(&after(place, &person, None, hours), &ListQuery::default()).unwrap();
    person.0.into_inner()
}

fn grant(lead: &Vault, whom: &str, rights: Rights, hours: i64) -> Result<Changed, Error> {
    let change = MemberChange::Grant(rights);
    change_member(&after(lead, &Told, Some("a reason"), hours), whom, &change)
}

#[test]
fn the_glass_is_broken_by_role_and_leads_are_told_until_one_has_looked() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "The key is with the porter.");
    let jon = join(&mara, "jon", "internal");
    let open = |class, why, hours| break_glass(&after(&jon, &Told, why, hours), &note.to_string(), Some(class));
    assert_eq!(kind(open("safety", Some("no answer"), 1)), Some(Kind::Denied));
    let role = || Rights {
        roles: vec![Role::BreakGlass],
        ..Rights::default()
    };
    grant(&mara, "jon", role(), 1).unwrap();
    // Only in an emergency, with a reason; for everything else the note is still not there.
    assert_eq!(kind(open("duty", Some("no answer"), 2)), Some(Kind::Usage));
    assert_eq!(kind(open("safety", None, 2)), Some(Kind::Denied));
    assert_eq!(
        kind(show(&after(&jon, &Told, Some("no answer"), 2), &note.to_string(), None)),
        Some(Kind::Denied)
    );
    assert_eq!(listed(&jon), Ok(0));
    assert!(told(&mara, 2).is_empty());
    let shown = open("safety", Some("no answer"), 3).unwrap();
    assert_eq!(shown.note.text(), "The key is with the porter.");
    assert_eq!(listed(&jon), Ok(0));
    let broken = list_broken_glass(&after(&mara, &Told, None, 4)).unwrap();
    let entry = broken[0].entry;
    assert_eq!(broken[0].said, Some((note, "safety: no answer".to_owned())));
    assert!(told(&mara, 4)[0].contains("jon broke the glass") && told(&jon, 4).is_empty());
    assert!(told(&mara, 3 + 72)[0].contains("the review was due"));
    let review = |place: &Vault, why| review_glass(&after(place, &Told, why, 5), &entry.to_string(), None);
    assert_eq!(kind(review(&jon, Some("was right"))), Some(Kind::Denied));
    assert_eq!(kind(review(&mara, None)), Some(Kind::Denied));
    let context = after(&mara, &Told, Some("was right"), 5);
    let seen = RefCell::new(None);
    let look = |glass: &GlassStatement| {
        seen.replace(glass.statement.clone());
        Ok(())
    };
    review_glass(&context, &entry.to_string(), Some(&look)).unwrap();
    assert_eq!(seen.into_inner(), Some(format!("safety: no answer\nnote: {note}")));
    assert!(!review(&mara, Some("was right")).unwrap().changed);
    assert!(told(&mara, 100).is_empty());
    // Of what the clearance covers the role says so; of what a conflict bars from nobody is told that it is there.
    let covered = add_about(&mara, "Halcyon", "internal");
    let glass = |place: &Vault, note: NoteId| {
        let context = after(place, &Told, Some("no answer"), 5);
        break_glass(&context, &note.to_string(), Some("safety")).err().unwrap()
    };
    assert!(glass(&jon, covered).message.contains("your clearance covers"));
    let kim = join(&mara, "kim", "internal");
    assert!(glass(&kim, covered).message.contains("those who have the role"));
    declare_conflict(&after(&jon, &Told, Some("my brother"), 5), Some("Halcyon"), None).unwrap();
    assert_eq!(
        glass(&jon, covered).message,
        format!("no note `{covered}` that you may read")
    );
    // Without the role the keys for it are made anew.
    let taken = MemberChange::Revoke(role());
    let taken = change_member(&after(&mara, &Told, Some("a reason"), 6), "jon", &taken).unwrap();
    assert_eq!((taken.rotated.len(), taken.lost.len()), (2, 1));
    assert_eq!(kind(open("safety", Some("no answer"), 7)), Some(Kind::Denied));
    intact(&mara);
}

#[test]
fn who_is_no_lead_any_more_reviews_nothing() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "The key is with the porter.");
    let (jon, kim) = (join(&mara, "jon", "internal"), join(&mara, "kim", "internal"));
    let role = |role| Rights {
        roles: vec![role],
        ..Rights::default()
    };
    grant(&mara, "jon", role(Role::BreakGlass), 1).unwrap();
    grant(&mara, "kim", role(Role::Lead), 1).unwrap();
    let taken = MemberChange::Revoke(role(Role::Lead));
    change_member(&after(&mara, &Told, Some("a reason"), 1), "kim", &taken).unwrap();
    break_glass(
        &after(&jon, &Told, Some("no answer"), 2),
        &note.to_string(),
        Some("safety"),
    )
    .unwrap();
    let entry = list_broken_glass(&after(&mara, &Told, None, 3)).unwrap()[0].entry;
    // With another program, since this one asks the rules.
    let context = after(&kim, &Told, Some("was right"), 3);
    let unlocked = context.unlock().unwrap();
    let mut desk = unlocked.desk(&context).unwrap();
    let details = desk.details("breakglass review");
    let mut draft = Draft::change(EntryKind::Review, details, Vec::new(), Changes::default());
    draft.because = Some(entry);
    let _ = desk.record(draft).unwrap();
    drop(desk);
    assert!(told(&mara, 4)[0].contains("jon broke the glass"));
    intact(&mara);
}

fn add_about(place: &Vault, client: &str, label: &str) -> NoteId {
    let new = NewText {
        title: None,
        client: Some(client.into()),
        case: None,
        label: Some(label.into()),
        at: None,
        fields: Vec::new(),
        template: None,
    };
    let text = TextFrom::Caller(Box::new(|| Ok(b"Patrol.".to_vec())));
    add(&after(place, &Told, None, 0), new, text).unwrap().id
}

#[test]
fn who_declares_a_conflict_stays_out_of_it() {
    let mara = Vault::new();
    let about = |client| add_about(&mara, client, "internal");
    let (halcyon, kestrel) = (about("Halcyon"), about("Kestrel"));
    let (jon, kim) = (join(&mara, "jon", "internal"), join(&mara, "kim", "internal"));
    assert_eq!(listed(&jon), Ok(2));
    let declare = |client, case| declare_conflict(&after(&jon, &Told, Some("my brother works there"), 1), client, case);
    assert_eq!(kind(declare(None, None)), Some(Kind::Usage));
    declare(Some(" halcyon"), None).unwrap();
    assert_eq!((listed(&jon), listed(&kim)), (Ok(1), Ok(2)));
    let shown = |place: &Vault, note: NoteId| show(&after(place, &Told, None, 2), &note.to_string(), None);
    assert_eq!(
        shown(&jon, halcyon).err().unwrap().message,
        format!("no note `{halcyon}` that you may read")
    );
    assert!(shown(&jon, kestrel).is_ok() && shown(&kim, halcyon).is_ok());
    let own = |place: &Vault| list_conflicts(&after(place, &Told, None, 2)).unwrap();
    assert_eq!((own(&jon).len(), own(&mara).len(), own(&kim).len()), (1, 1, 0));
    assert_eq!(
        (own(&mara)[0].by.as_str(), own(&mara)[0].client.as_str()),
        ("jon", "halcyon")
    );
    intact(&mara);
}

#[test]
fn what_is_lent_ends_by_itself_and_leads_are_told() {
    let mara = Vault::new();
    add_note(&mara, "confidential", "Text.");
    let jon = join(&mara, "jon", "internal");
    let lend = |until: i64, roles| {
        let rights = Rights {
            clearance: Some("confidential".into()),
            compartments: Vec::new(),
            roles,
            until: Some(Time::from_unix(BEGUN + until * 3600)),
            endless: false,
        };
        grant(&mara, "jon", rights, 1)
    };
    assert_eq!(kind(lend(1, Vec::new())), Some(Kind::Usage));
    assert_eq!(kind(lend(9, vec![Role::Lead])), Some(Kind::Usage));
    lend(9, Vec::new()).unwrap();
    let sees = |hours| {
        list(&after(&jon, &Told, None, hours), &ListQuery::default())
            .unwrap()
            .len()
    };
    assert_eq!((sees(8), sees(9)), (1, 0));
    assert!(told(&mara, 8).is_empty());
    assert!(told(&mara, 9)[0].contains("`confidential` was lent to jon until"));
    let taken = MemberChange::Revoke(Rights {
        clearance: Some("internal".into()),
        ..Rights::default()
    });
    let taken = change_member(&after(&mara, &Told, Some("a reason"), 10), "jon", &taken).unwrap();
    assert_eq!((taken.rotated, taken.lost.len()), (vec!["confidential".to_owned()], 1));
    assert!(told(&mara, 11).is_empty());
    intact(&mara);
}

#[test]
fn what_is_lent_or_for_emergencies_is_nobodys_to_give_or_keep() {
    let mara = Vault::new();
    add_note(&mara, "restricted", "Text.");
    let kim = join(&mara, "kim", "internal");
    let jon = join(&mara, "jon", "internal");
    let rights = |clearance: Option<&str>, roles: &[Role], until: Option<i64>| Rights {
        clearance: clearance.map(str::to_owned),
        compartments: Vec::new(),
        roles: roles.to_vec(),
        until: until.map(|hours| Time::from_unix(BEGUN + hours * 3600)),
        endless: false,
    };
    grant(&mara, "kim", rights(None, &[Role::Lead, Role::BreakGlass], None), 1).unwrap();
    grant(&mara, "kim", rights(Some("restricted"), &[], Some(9)), 1).unwrap();
    for hours in [2, 10] {
        for whom in ["kim", "jon"] {
            let wanted = [
                rights(Some("restricted"), &[], None),
                rights(Some("confidential"), &[], Some(20)),
                rights(None, &[Role::BreakGlass], None),
            ];
            for rights in wanted {
                // A role that is there already is no gain, and nobody gives anything to themselves.
                assert_eq!(
                    kind(grant(&kim, whom, rights, hours)),
                    Some(Kind::Denied),
                    "{whom} {hours}"
                );
            }
        }
    }
    // Nor are keys made anew by who has them for a time alone: the loan is over, and what waits is for somebody else.
    let changed = grant(&kim, "jon", rights(None, &[Role::Lead], None), 11).unwrap();
    assert!(changed.rotated.is_empty(), "{:?}", changed.rotated);
    let list = |place: &Vault| {
        list(&after(place, &Told, None, 12), &ListQuery::default())
            .unwrap()
            .len()
    };
    assert_eq!((list(&kim), list(&jon)), (0, 0));
    intact(&mara);
}

#[test]
fn who_was_admitted_for_it_has_approved_nothing() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "Text.");
    let jon = join(&mara, "jon", "restricted");
    assert!(destroyed(&mara, note, 1).is_err());
    let request = waiting(&mara)[0];
    let kim = super::leaving::beside(&mara);
    let file = kim.0.path().join("request");
    ask_for_membership(&kim.context(&Told, None, None), "kim", &file, false).unwrap();
    let admission = Admission {
        file,
        clearance: Some("restricted".into()),
        compartments: Vec::new(),
        roles: Vec::new(),
        until: None,
        device_of: None,
    };
    admit(&after(&mara, &Told, None, 2), &admission, &|_| Ok(())).unwrap();
    approved(&kim, request, 2).unwrap();
    assert_eq!(kind(destroyed(&mara, note, 3)), Some(Kind::Denied));
    let late = add_note(&mara, "restricted", "Another.");
    // What is asked for once she belongs to the vault she may approve.
    assert_eq!(kind(destroyed(&mara, late, 3)), Some(Kind::Denied));
    approved(&jon, request, 3).unwrap();
    destroyed(&mara, note, 4).unwrap();
    for whom in ["jon", "kim"] {
        change_member(&after(&mara, &Told, Some("a reason"), 5), whom, &MemberChange::Remove).unwrap();
    }
    // Alone one may forget; so may who is alone again.
    destroyed(&mara, late, 6).unwrap();
    intact(&mara);
}

#[test]
fn who_asked_approves_nothing_by_a_device_that_they_admitted_for_it() {
    let mara = Vault::new();
    let note = add_note(&mara, "restricted", "Text.");
    let jon = join(&mara, "jon", "restricted");
    assert!(destroyed(&mara, note, 1).is_err());
    let request = waiting(&mara)[0];
    // In jon's name, by a clock that was put back.
    let other = super::planted::further(&mara, "jon");
    approved(&other, request, 2).unwrap();
    assert_eq!(kind(destroyed(&mara, note, 3)), Some(Kind::Denied));
    // It is no approval of jon's, who looks at it on the device that was there.
    assert!(approved(&jon, request, 3).unwrap().changed);
    destroyed(&mara, note, 4).unwrap();
}

#[test]
fn a_conflict_bars_drafts_and_what_a_note_was_about_before() {
    let mara = Vault::new();
    let about = |client: &str, text: &'static str| {
        let new = NewText {
            title: None,
            client: Some(client.into()),
            case: None,
            label: Some("internal".into()),
            at: None,
            fields: Vec::new(),
            template: None,
        };
        let text = TextFrom::Caller(Box::new(|| Ok(text.as_bytes().to_vec())));
        add(&after(&mara, &Told, None, 0), new, text).unwrap().id
    };
    let (kestrel, halcyon) = (about("Kestrel", "Patrol one."), about("Halcyon", "Patrol two."));
    let jon = join(&mara, "jon", "internal");
    declare_conflict(&after(&jon, &Told, Some("a reason"), 1), Some("Halcyon"), None).unwrap();
    let query = DraftQuery {
        sources: vec![kestrel.to_string(), halcyon.to_string()],
        profile: "no-names".into(),
        audience: None,
        mask: Vec::new(),
        allow: Vec::new(),
        length: None,
        by_case: false,
        format: None,
    };
    let draft = draft_brief(&after(&mara, &Told, None, 2), &query).unwrap().draft;
    let shown = |place: &Vault, note: NoteId| kind(show(&after(place, &Told, None, 3), &note.to_string(), None));
    assert_eq!((shown(&mara, draft), shown(&jon, draft)), (None, Some(Kind::Denied)));
    // The note gets another client; what it was about stays.
    let change = Change {
        client: Some("Kestrel".into()),
        ..Change::default()
    };
    edit(&after(&mara, &Told, None, 4), &halcyon.to_string(), change, None).unwrap();
    assert_eq!(shown(&jon, halcyon), Some(Kind::Denied));
    assert_eq!(listed(&jon), Ok(1));
}

#[test]
fn a_conflict_bars_from_a_further_device_too() {
    let mara = Vault::new();
    let new = NewText {
        title: None,
        client: Some("Halcyon".into()),
        case: None,
        label: Some("internal".into()),
        at: None,
        fields: Vec::new(),
        template: None,
    };
    let text = TextFrom::Caller(Box::new(|| Ok(b"Patrol.".to_vec())));
    add(&after(&mara, &Told, None, 0), new, text).unwrap();
    let jon = join(&mara, "jon", "internal");
    let declare = || declare_conflict(&after(&jon, &Told, Some("my brother"), 1), Some("Halcyon"), None);
    assert!(declare().unwrap().entry.is_some());
    assert!(declare().unwrap().entry.is_none());
    let declared = list_conflicts(&after(&mara, &Told, None, 2)).unwrap();
    assert_eq!(declared[0].why.as_deref(), Some("my brother"));
    let further = super::leaving::beside(&mara);
    let file = further.0.path().join("request");
    ask_for_membership(&further.context(&Told, None, None), "jon", &file, false).unwrap();
    let admission = Admission {
        file,
        clearance: None,
        compartments: Vec::new(),
        roles: Vec::new(),
        until: None,
        device_of: Some("jon".into()),
    };
    admit(&after(&mara, &Told, None, 2), &admission, &|_| Ok(())).unwrap();
    assert_eq!(told(&further, 3).len(), 1, "the words of the vault alone");
    assert_eq!((listed(&further), listed(&jon), listed(&mara)), (Ok(0), Ok(0), Ok(1)));
    // The first device is told of the further one.
    assert!(told(&jon, 4)[0].contains("a further device of yours"));
    intact(&mara);
}

#[test]
fn a_release_is_for_one_approval_and_happens_once() {
    let mara = Vault::new();
    let note = add_note(
        &mara,
        "restricted",
        "Lena Hauk moves out on Friday. Bring the car to the mews.",
    );
    let jon = join(&mara, "jon", "restricted");
    let query = DraftQuery {
        sources: vec![note.to_string()],
        profile: "no-names".into(),
        audience: Some("restricted".into()),
        mask: Vec::new(),
        allow: Vec::new(),
        length: None,
        by_case: false,
        format: None,
    };
    let why = Some("night shift");
    let draft = draft_brief(&after(&mara, &Told, why, 1), &query).unwrap().draft;
    let release = |to: &str, hours| {
        let query = ReleaseQuery {
            draft: draft.to_string(),
            to: vec![to.into()],
            format: None,
            expires: None,
            out: None,
        };
        release_brief(&after(&mara, &Told, why, hours), &query)
    };
    assert_eq!(kind(release("Ana", 2)), Some(Kind::Denied));
    let request = waiting(&mara)[0];
    let line = &list_requests(&after(&jon, &Told, None, 3)).unwrap()[0];
    assert_eq!((&line.to[..], line.why.as_deref()), (&["Ana".to_owned()][..], why));
    let look = |asked: &Asked| {
        assert_eq!(asked.audience.as_deref(), Some("restricted"));
        Err(Error::new(Kind::Failed, "not yet"))
    };
    let context = after(&jon, &Told, Some("looked at it"), 3);
    let put_off = approve(&context, &request.to_string(), Some(&look));
    assert_eq!(put_off.err().unwrap().message, "not yet");
    approved(&jon, request, 3).unwrap();
    assert!(!approved(&jon, request, 3).unwrap().changed);
    // To somebody else it is another request.
    assert_eq!(kind(release("Bo", 4)), Some(Kind::Denied));
    release("Ana", 4).unwrap();
    assert_eq!(kind(release("Ana", 5)), Some(Kind::Denied));
    assert_eq!(kind(approved(&jon, request, 5)), Some(Kind::Failed));
    intact(&mara);
}
