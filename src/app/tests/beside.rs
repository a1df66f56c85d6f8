//! Two leads, an officer and a bare repository between them: what both leads change offline is brought together by whoever
//! comes second.

mod last;
mod late;

use super::super::members::{Admission, admit};
use super::super::policies::{NewPolicies, PolicyEdit, edit_policies};
use super::*;
use crate::chain::{Card, Role};
use crate::envelope::KeyUse;
use crate::id::KeyId;
use crate::label::Level;
use crate::ledger::{Ledger, Verdict, read_charter};
use crate::repo::{PATIENCE, Repo, Settings};
use std::cell::Cell;
use std::path::PathBuf;
use std::process::Command;

const BEGUN: i64 = 1_795_253_400;

/// Somebody at a computer, who is told things.
#[derive(Default)]
struct Seat {
    offline: Cell<bool>,
    warned: RefCell<Vec<String>>,
    /// Git pushes nothing any more: the computer fails before it.
    stopped: Cell<bool>,
}

impl Person for Seat {
    fn passphrase(&self, _prompt: &str) -> Result<shared::Passphrase, Error> {
        Ok(shared::Passphrase::new(PASSPHRASE.to_owned()))
    }

    fn warn(&self, text: &str) {
        self.warned.borrow_mut().push(text.to_owned());
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

    fn git(&self, job: &GitJob) -> Result<GitEnded, Error> {
        let pushes = job.arguments.iter().any(|word| word == "push");
        match self.offline.get() || (pushes && self.stopped.get()) {
            false => run_git(job, false, &|_| {}),
            true => Ok(GitEnded {
                succeeded: false,
                stopped: false,
                output: Vec::new(),
                errors: b"no network".to_vec(),
            }),
        }
    }
}

struct Computer {
    root: PathBuf,
    seat: Seat,
    held: Option<Held>,
    now: i64,
}

impl Computer {
    fn at(&self) -> Context<'_> {
        Context {
            held: self.held.as_ref(),
            places: Places::under(&self.root),
            clock: Clock::Fixed(Time::from_unix(self.now)),
            source: None,
            person: &self.seat,
            access: Access::given(Some("safety".into()), Some("what is to be done".into())).unwrap(),
        }
    }

    fn sync(&self) -> Synced {
        sync(&self.at(), None).unwrap().pop().unwrap()
    }

    /// Nothing is wrong with it.
    fn well(&self) {
        let done = self.sync();
        assert_eq!(done.worst(), None, "{done:?} {:?}", self.seat.warned.borrow());
        assert!(done.held_back.is_empty() && done.strays.is_empty(), "{done:?}");
    }

    fn cards(&self) -> Vec<Card> {
        let repo = Repo::open(&self.at().places.vault(), Settings::of_this_run()).unwrap();
        let charter = read_charter(&repo, None).unwrap();
        charter.roster.members().cloned().collect()
    }

    fn card(&self, handle: &str) -> Card {
        self.cards().into_iter().find(|card| card.handle == handle).unwrap()
    }

    fn add(&self, label: &str) -> String {
        let new = NewText {
            title: Some("Gate".into()),
            client: None,
            case: None,
            label: Some(label.into()),
            at: None,
            fields: Vec::new(),
            template: None,
        };
        let text = TextFrom::Caller(Box::new(|| Ok(b"The gate is shut.".to_vec())));
        add(&self.at(), new, text).unwrap().id.to_string()
    }

    fn reads(&self, note: &str) -> bool {
        match show(&self.at(), note, None) {
            Ok(shown) => shown.note.text() == "The gate is shut.",
            Err(error) => {
                assert!(matches!(error.kind, Kind::Denied), "{error:?}");
                false
            }
        }
    }

    fn change(&self, handle: &str, change: &MemberChange) {
        let _ = change_member(&self.at(), handle, change).unwrap();
    }

    /// The keys of the upper levels that are in force.
    fn keys_in_force(&self) -> Vec<KeyId> {
        let repo = Repo::open(&self.at().places.vault(), Settings::of_this_run()).unwrap();
        let keys = read_charter(&repo, None).unwrap().roster.keys_in_force();
        let levels = [Level::Confidential, Level::Restricted];
        levels.iter().map(|level| keys[&KeyUse::Level(*level)]).collect()
    }

    /// Whether a key came to this device.
    fn holds(&self, id: KeyId) -> bool {
        let (context, held) = (self.at(), self.held.as_ref().unwrap());
        let identity = held.identity();
        let repo = Repo::open(&context.places.vault(), Settings::of_this_run()).unwrap();
        let state = context.places.state(&identity.vault(), &identity.device());
        let ledger = Ledger::start(&repo, identity, &state, PATIENCE, None).unwrap();
        ledger.keyring().iter().any(|key| key.id == id)
    }

    fn told(&self, words: &str) -> bool {
        self.seat.warned.borrow().iter().any(|told| told.contains(words))
    }

    fn is_intact(&self) {
        let report = verify(&self.at(), None, &[], None, true).unwrap();
        assert_eq!(report.verdict, Verdict::Intact, "{:?}", report.told());
    }
}

struct World {
    folder: tempfile::TempDir,
    mara: Computer,
    jon: Computer,
    kim: Computer,
}

fn git(dir: &Path, arguments: &[&str]) {
    let output = Command::new("git").arg("-C").arg(dir).args(arguments).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}");
}

fn rights(clearance: Option<&str>, roles: &[Role]) -> Rights {
    Rights {
        clearance: clearance.map(str::to_owned),
        roles: roles.to_vec(),
        ..Rights::default()
    }
}

impl World {
    /// mara founded it; jon is a lead too, kim an officer.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet", "--bare", "hub.git"]);
        let computer = |name: &str| Computer {
            root: folder.path().join(name),
            seat: Seat::default(),
            held: None,
            now: BEGUN,
        };
        let (mara, jon, kim) = (computer("mara"), computer("jon"), computer("kim"));
        let mut world = Self { folder, mara, jon, kim };
        let new = Init {
            name: "mara".into(),
            recovery_key: None,
            insist: false,
        };
        init(&world.mara.at(), &new).unwrap();
        add_remote(&world.mara.at(), ORIGIN, &world.hub()).unwrap();
        world.mara.held = Some(Held::unlock(&world.mara.at()).unwrap());
        world.mara.well();
        let file = world.request(&world.jon, "jon");
        world.admits(&world.mara, file, "restricted", &[Role::Lead, Role::Officer]);
        let file = world.request(&world.kim, "kim");
        world.admits(&world.mara, file, "confidential", &[]);
        for computer in [&mut world.jon, &mut world.kim] {
            computer.well();
            computer.held = Some(Held::unlock(&computer.at()).unwrap());
        }
        world.settle();
        world
    }

    fn hub(&self) -> String {
        self.folder.path().join("hub.git").display().to_string()
    }

    fn computer(&self, name: &str) -> Computer {
        Computer {
            root: self.folder.path().join(name),
            seat: Seat::default(),
            held: None,
            now: BEGUN,
        }
    }

    fn request(&self, computer: &Computer, name: &str) -> PathBuf {
        let file = computer.root.with_extension("request");
        clone_vault(&computer.at(), &self.hub(), None).unwrap();
        ask_for_membership(&computer.at(), name, &file, false).unwrap();
        file
    }

    fn admits(&self, lead: &Computer, file: PathBuf, clearance: &str, roles: &[Role]) {
        let admission = Admission {
            file,
            clearance: Some(clearance.into()),
            compartments: Vec::new(),
            roles: roles.to_vec(),
            until: None,
            device_of: None,
        };
        admit(&lead.at(), &admission, &|_| Ok(())).unwrap();
    }

    /// Both leads go offline, do something, and come back; mara reaches the others first.
    fn beside(&mut self, first: impl FnOnce(&Self), second: impl FnOnce(&Self)) {
        for computer in [&mut self.mara, &mut self.jon, &mut self.kim] {
            computer.now += 600;
            computer.seat.offline.set(true);
        }
        first(self);
        self.jon.now += 60;
        second(self);
        for computer in [&self.mara, &self.jon, &self.kim] {
            computer.seat.offline.set(false);
            computer.seat.warned.borrow_mut().clear();
        }
        self.mara.well();
        self.jon.well();
        self.settle();
    }

    /// Everybody syncs until all have the same, and finds it intact.
    fn settle(&self) {
        self.mara.well();
        let stays = |computer: &&Computer| {
            let gone = self.mara.cards().into_iter().filter(Card::is_removed);
            !gone.into_iter().any(|card| computer.root.ends_with(&card.handle))
        };
        let all: Vec<_> = [&self.mara, &self.jon, &self.kim].into_iter().filter(stays).collect();
        for _ in 0..2 {
            all.iter().for_each(|computer| computer.well());
        }
        for computer in all {
            assert_eq!(computer.cards(), self.mara.cards());
            computer.is_intact();
        }
    }
}

impl World {
    /// A request by a computer that cloned the vault while there was a network.
    fn newcomer(&self, name: &str) -> (Computer, PathBuf) {
        let computer = self.computer(name);
        let file = self.request(&computer, name);
        (computer, file)
    }
}

fn restricted() -> MemberChange {
    MemberChange::Grant(rights(Some("restricted"), &[]))
}

fn internal() -> MemberChange {
    MemberChange::Revoke(rights(Some("internal"), &[]))
}

#[test]
fn who_two_leads_admit_are_both_members_and_one_may_have_written_already() {
    let mut world = World::new();
    let (_, lea) = world.newcomer("lea");
    let (mut max, request) = world.newcomer("max");
    let note = RefCell::new(String::new());
    let jons = world.jon.at().places.vault().display().to_string();
    let max_from_jon = || {
        // His clone is of jon's, as where they sit together.
        remove_remote(&max.at(), ORIGIN).unwrap();
        add_remote(&max.at(), "jon", &jons).unwrap();
        sync(&max.at(), None).unwrap();
        note.replace(max.add("confidential"));
        remove_remote(&max.at(), "jon").unwrap();
        add_remote(&max.at(), ORIGIN, &world_hub(&max)).unwrap();
    };
    world.beside(
        |world| world.admits(&world.mara, lea, "internal", &[]),
        |world| {
            world.admits(&world.jon, request, "confidential", &[]);
            max_from_jon();
        },
    );
    assert_eq!((world.mara.card("lea").level, world.mara.card("max").level), (1, 2));
    assert!(world.jon.told("was made again"));
    // He wrote under a card that is none of the chain, and goes on.
    max.held = Some(Held::unlock(&max.at()).unwrap());
    max.well();
    world.settle();
    let note = note.into_inner();
    for computer in [&world.mara, &world.jon, &world.kim, &max] {
        assert!(computer.reads(&note));
        computer.is_intact();
    }
}

#[test]
fn a_device_that_both_admit_is_one_member_with_what_both_gave() {
    let mut world = World::new();
    let (lea, request) = world.newcomer("lea");
    world.beside(
        |world| world.admits(&world.mara, request.clone(), "confidential", &[]),
        |world| {
            world.admits(
                &world.jon,
                request.clone(),
                "internal",
                &[Role::Officer, Role::BreakGlass],
            );
        },
    );
    assert_eq!(world.mara.cards().iter().filter(|card| card.handle == "lea").count(), 1);
    let card = world.mara.card("lea");
    assert_eq!((card.level, card.roles), (1, vec![Role::Officer]));
    lea.well();
    let note = lea.add("internal");
    lea.well();
    world.settle();
    assert!(world.mara.reads(&note) && world.jon.reads(&note));
}

fn world_hub(computer: &Computer) -> String {
    computer.root.with_file_name("hub.git").display().to_string()
}

#[test]
fn what_two_leads_change_for_one_person_leaves_what_both_gave() {
    let mut world = World::new();
    let secret = world.mara.add("confidential");
    world.settle();
    assert!(world.kim.reads(&secret));
    let glass = MemberChange::Grant(rights(None, &[Role::BreakGlass]));
    world.beside(
        |world| {
            world.mara.change("kim", &restricted());
            world.mara.change("kim", &glass);
        },
        |world| {
            world.jon.change("kim", &internal());
        },
    );
    let kim = world.mara.card("kim");
    assert_eq!((kim.level, kim.roles), (1, vec![Role::Officer]));
    assert!(
        world
            .jon
            .told("member grant kim --clearance restricted --role breakglass")
    );
    assert!(!world.kim.reads(&secret) && world.jon.reads(&secret) && world.mara.reads(&secret));
    // Neither what both leads wrote since is under a key that she has.
    let later = [world.mara.add("confidential"), world.jon.add("confidential")];
    world.settle();
    assert!(
        later
            .iter()
            .all(|note| !world.kim.reads(note) && world.mara.reads(note) && world.jon.reads(note))
    );
}

#[test]
fn keys_that_both_made_are_made_anew_and_nothing_becomes_unreadable() {
    let mut world = World::new();
    let (lea, request) = world.newcomer("lea");
    world.admits(&world.mara, request, "restricted", &[]);
    lea.well();
    world.settle();
    let before = world.mara.add("confidential");
    world.settle();
    let mut wrote = Vec::new();
    world.beside(
        // Both levels get a new key there and here.
        |world| world.mara.change("kim", &internal()),
        |world| {
            world.jon.change("lea", &MemberChange::Remove);
            wrote.push(world.jon.add("confidential"));
            wrote.push(world.jon.add("restricted"));
        },
    );
    wrote.push(before);
    assert!(world.mara.card("kim").level == 1 && world.mara.cards().iter().any(|card| card.is_removed()));
    for note in &wrote {
        assert!(world.mara.reads(note) && world.jon.reads(note));
        assert!(!world.kim.reads(note));
    }
    // Of what is in force now neither she nor who was removed has a key, whichever side gave it.
    let ids = world.mara.keys_in_force();
    assert!(ids.len() == 2 && ids.iter().all(|id| world.jon.holds(*id) && world.mara.holds(*id)));
    assert!(!ids.iter().any(|id| world.kim.holds(*id)));
}

#[test]
fn a_removal_here_and_a_grant_there_is_a_removal() {
    let mut world = World::new();
    world.mara.add("restricted");
    world.beside(
        |world| world.mara.change("kim", &restricted()),
        |world| {
            world.jon.change("kim", &MemberChange::Remove);
            let _ = world.jon.add("restricted");
        },
    );
    assert!(world.mara.card("kim").is_removed());
    let ids = world.mara.keys_in_force();
    assert!(ids.iter().all(|id| world.jon.holds(*id) && world.mara.holds(*id)));
}

#[test]
fn who_was_removed_first_stays_removed_whatever_the_other_lead_gave() {
    let mut world = World::new();
    world.beside(
        |world| world.mara.change("kim", &MemberChange::Remove),
        |world| world.jon.change("kim", &restricted()),
    );
    assert!(world.mara.card("kim").is_removed());
    assert!(world.jon.told("kim was removed by mara at the same time, and stays so"));
    // jon had given her the keys of the level; there are others now.
    let ids = world.mara.keys_in_force();
    assert!(ids.iter().all(|id| world.jon.holds(*id) && world.mara.holds(*id)));
}

#[test]
fn compartments_that_both_made_are_there_with_what_stands_in_them() {
    let mut world = World::new();
    let note = RefCell::new(String::new());
    world.beside(
        |world| drop(new_compartment(&world.mara.at(), "Halcyon").unwrap()),
        |world| {
            new_compartment(&world.jon.at(), "Meridian").unwrap();
            note.replace(world.jon.add("internal/Meridian"));
            let rights = Rights {
                compartments: vec!["Meridian".into()],
                ..Rights::default()
            };
            world.jon.change("kim", &MemberChange::Grant(rights));
        },
    );
    let names = |computer: &Computer| -> Vec<String> {
        let list = list_compartments(&computer.at()).unwrap();
        list.into_iter().map(|compartment| compartment.name).collect()
    };
    assert_eq!(names(&world.mara), ["Halcyon"]);
    assert_eq!(names(&world.jon), ["Meridian"]);
    let note = note.into_inner();
    assert!(world.jon.reads(&note) && world.kim.reads(&note) && !world.mara.reads(&note));
}

fn edit_file(computer: &Computer, path: &str, text: &str) {
    let new = NewPolicies::File {
        path: path.into(),
        content: text.as_bytes().to_vec(),
    };
    let edited = edit_policies(&computer.at(), new, |_| Ok(true)).unwrap();
    assert!(matches!(edited, PolicyEdit::Done { .. }));
}

fn policy(computer: &Computer, path: &str) -> String {
    let policies = read_policies(&computer.at()).unwrap();
    policies
        .files
        .into_iter()
        .find(|file| file.path == path)
        .map_or_else(String::new, |file| file.text)
}

#[test]
fn rules_that_both_changed_are_the_first_s_and_those_that_one_changed_are_theirs() {
    let mut world = World::new();
    world.beside(
        |world| edit_file(&world.mara, "templates/first.txt", "mara's"),
        |world| {
            edit_file(&world.jon, "templates/first.txt", "jon's");
            edit_file(&world.jon, "templates/second.txt", "jon's");
        },
    );
    for computer in [&world.mara, &world.jon, &world.kim] {
        let texts = ["first", "second"].map(|name| policy(computer, &format!("templates/{name}.txt")));
        assert_eq!(texts, ["mara's", "jon's"]);
    }
    // What is not in force is not lost.
    let warned = world.jon.seat.warned.borrow().join("\n");
    let place = warned
        .split("is kept as `")
        .nth(1)
        .and_then(|rest| rest.split('`').next())
        .unwrap();
    assert_eq!(std::fs::read_to_string(place).unwrap(), "jon's");
    // Rules and members beside one another.
    world.beside(
        |world| edit_file(&world.mara, "templates/first.txt", "mara's again"),
        |world| world.jon.change("kim", &restricted()),
    );
    assert_eq!(
        (policy(&world.jon, "templates/first.txt"), world.mara.card("kim").level),
        ("mara's again".into(), 3)
    );
    world.beside(
        |world| world.mara.change("kim", &internal()),
        |world| edit_file(&world.jon, "templates/first.txt", "jon's after all"),
    );
    assert_eq!(
        (policy(&world.mara, "templates/first.txt"), world.jon.card("kim").level),
        ("jon's after all".into(), 1)
    );
}

#[test]
fn who_removed_each_other_are_told_and_the_first_stands() {
    let world = World::new();
    let both = [&world.mara, &world.jon];
    // Else the founder alone holds the auditors' key, and stays.
    let auditor = MemberChange::Grant(rights(None, &[Role::Auditor]));
    world.mara.change("jon", &auditor);
    world.settle();
    both.iter().for_each(|computer| computer.seat.offline.set(true));
    world.mara.change("jon", &MemberChange::Remove);
    world.jon.change("mara", &MemberChange::Remove);
    let note = world.jon.add("internal");
    both.iter().for_each(|computer| computer.seat.offline.set(false));
    world.mara.well();
    let done = world.jon.sync();
    let failed = done.failed.unwrap();
    assert_eq!(failed.kind, Kind::Denied);
    assert!(
        failed.message.contains("mara has signed that") && failed.message.contains("from mara"),
        "{failed:?}"
    );
    assert!(failed.hints.iter().any(|hint| hint.contains("founded")), "{failed:?}");
    // What was written here is here.
    assert!(world.jon.reads(&note));
    world.jon.is_intact();
    let removals = |computer: &Computer| {
        let listed = list_members(&computer.at()).unwrap().removals;
        let found = doctor(&computer.at(), false).findings.into_iter();
        let found: Vec<String> = found
            .filter(|one| one.about == "members")
            .map(|one| one.words)
            .collect();
        assert_eq!(found, listed);
        listed
    };
    assert!(removals(&world.mara).is_empty() && removals(&world.kim).is_empty());
    assert!(removals(&world.jon)[0].starts_with("jon and mara each took the membership from the other"));
    // Somebody who meets the other lead's clone is told of it, and takes nothing of it.
    let jons = world.jon.at().places.vault().display().to_string();
    world.kim.well();
    remove_remote(&world.kim.at(), ORIGIN).unwrap();
    add_remote(&world.kim.at(), "jon", &jons).unwrap();
    let done = world.kim.sync();
    assert_eq!(done.worst(), Some(Kind::Unknown), "{done:?}");
    let told = &done.problems[0].message;
    assert!(
        told.contains("jon took the membership from mara") && told.contains("founded"),
        "{told}"
    );
    assert!(world.kim.card("jon").is_removed() && !world.kim.card("mara").is_removed());
    world.kim.is_intact();
    assert!(removals(&world.kim)[0].starts_with("jon and mara each took the membership from the other"));
}

#[test]
fn who_is_overtaken_twice_makes_it_again_twice() {
    let world = World::new();
    let (sol, request) = world.newcomer("sol");
    world.admits(&world.mara, request, "restricted", &[Role::Lead, Role::Officer]);
    let mut sol = sol;
    sol.well();
    sol.held = Some(Held::unlock(&sol.at()).unwrap());
    world.settle();
    for computer in [&world.mara, &world.jon, &sol] {
        computer.seat.offline.set(true);
    }
    world.mara.change("kim", &restricted());
    sol.change("kim", &MemberChange::Grant(rights(None, &[Role::BreakGlass])));
    let jons = Rights {
        until: Some(Time::from_unix(BEGUN + 80_000)),
        ..Rights::default()
    };
    world.jon.change("kim", &MemberChange::Grant(jons));
    for computer in [&world.mara, &world.jon, &sol] {
        computer.seat.offline.set(false);
    }
    world.mara.well();
    // jon has it made again and cannot push it; meanwhile sol does.
    world.jon.seat.stopped.set(true);
    assert!(world.jon.sync().failed.is_some());
    world.jon.is_intact();
    sol.well();
    world.jon.seat.stopped.set(false);
    world.jon.well();
    world.settle();
    let kim = world.mara.card("kim");
    assert_eq!(
        (kim.level, kim.roles.len(), kim.until),
        (2, 1, Some(Time::from_unix(BEGUN + 80_000)))
    );
    sol.well();
    sol.is_intact();
}

#[test]
fn what_others_have_is_not_taken_back_when_a_remote_is_rewritten() {
    let world = World::new();
    let hub = world.folder.path().join("hub.git");
    let kept = world.folder.path().join("kept.git");
    let copied = Command::new("cp").arg("-a").args([&hub, &kept]).status().unwrap();
    assert!(copied.success());
    world.jon.change("kim", &restricted());
    world.jon.well();
    // The remote is put back, and there another lead signs a card in the place of jon's.
    std::fs::remove_dir_all(&hub).unwrap();
    std::fs::rename(&kept, &hub).unwrap();
    world
        .mara
        .change("kim", &MemberChange::Grant(rights(None, &[Role::BreakGlass])));
    let before = world.jon.cards();
    let done = world.jon.sync();
    assert_eq!(done.worst(), Some(Kind::Tampered), "{done:?}");
    assert!(
        done.problems
            .iter()
            .any(|problem| problem.message.contains("rewritten or put back")),
        "{done:?}"
    );
    assert!(done.problems.iter().any(|problem| problem.case == Some(18)), "{done:?}");
    assert_eq!(world.jon.cards(), before);
    // Held against the remote, the verdict is the same; of two who only did not know of each other none is tampering.
    let against = |computer: &Computer| verify(&computer.at(), None, &[], Some(&hub), false).unwrap().verdict;
    assert_eq!(against(&world.jon), Verdict::Tampered);
    // Who is no lead takes neither.
    world.kim.well();
    assert_eq!(world.kim.card("kim").level, 2);
}

#[test]
fn nobody_takes_back_what_they_changed_for_what_no_lead_made() {
    let world = World::new();
    let hub = world.folder.path().join("hub.git");
    world
        .mara
        .change("kim", &MemberChange::Grant(rights(None, &[Role::BreakGlass])));
    world.mara.well();
    // The host makes the same commit once more, and signs it with nothing.
    git(&hub, &["update-ref", "refs/heads/main", &unsigned(&hub)]);
    world.jon.change("kim", &restricted());
    let before = world.jon.cards();
    let done = world.jon.sync();
    assert_eq!(done.worst(), Some(Kind::Tampered), "{done:?}");
    let told = |words: &str| done.problems.iter().any(|problem| problem.message.contains(words));
    assert!(told("by nobody who was a lead then"), "{done:?}");
    assert_eq!((world.jon.cards(), world.jon.card("kim").level), (before, 3));
    world.jon.is_intact();
}

/// The newest commit of `main` there, made again by somebody who has no key.
fn unsigned(dir: &Path) -> String {
    let mut git = Command::new("git");
    git.arg("-C")
        .arg(dir)
        .args(["-c", "user.name=host", "-c", "user.email=host"]);
    git.args(["commit-tree", "main^{tree}", "-p", "main~1", "-m", "keep"]);
    let output = git.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_lead_s_role_taken_at_the_same_time_leaves_what_they_changed_waiting() {
    let world = World::new();
    let both = [&world.mara, &world.jon];
    both.iter().for_each(|computer| computer.seat.offline.set(true));
    world
        .mara
        .change("jon", &MemberChange::Revoke(rights(None, &[Role::Lead])));
    world.jon.change("kim", &restricted());
    both.iter().for_each(|computer| computer.seat.offline.set(false));
    world.mara.well();
    let done = world.jon.sync();
    assert_eq!(done.worst(), Some(Kind::Unknown), "{done:?}");
    assert!(
        done.problems
            .iter()
            .any(|problem| problem.message.contains("a lead no more")),
        "{done:?}"
    );
    world.jon.is_intact();
    let hub = world.folder.path().join("hub.git");
    let against = verify(&world.jon.at(), None, &[], Some(&hub), false).unwrap();
    assert_eq!(against.verdict, Verdict::Unknown, "{:?}", against.told());
    // Once he is one again, it is made again.
    world
        .mara
        .change("jon", &MemberChange::Grant(rights(None, &[Role::Lead])));
    world.jon.well();
    world.settle();
    assert_eq!(world.mara.card("kim").level, 3);
}

#[test]
fn what_a_paused_lead_gave_keys_with_waits_whole_and_a_lead_lets_it_go_on() {
    let world = World::new();
    let (mut lea, file) = world.newcomer("lea");
    let both = [&world.mara, &world.jon];
    both.iter().for_each(|computer| computer.seat.offline.set(true));
    world.mara.change("jon", &MemberChange::Pause);
    world.jon.change("kim", &restricted());
    world.admits(&world.jon, file, "internal", &[]);
    let note = world.jon.add("confidential");
    both.iter().for_each(|computer| computer.seat.offline.set(false));
    world.mara.well();
    for _ in 0..2 {
        let done = world.jon.sync();
        assert_eq!(done.worst(), Some(Kind::Unknown), "{done:?}");
        let says = |words| done.problems.iter().any(|problem| problem.message.contains(words));
        assert!(
            says("`strongroom member resume`") && says("`strongroom export notes`"),
            "{done:?}"
        );
        // Nothing of it is lost meanwhile, and he works on.
        world.jon.is_intact();
        assert!(world.jon.reads(&note) && world.jon.card("kim").level == 3);
    }
    let later = world.jon.add("internal");
    assert!(!world.mara.reads(&note) && world.mara.card("kim").level == 2);
    lea.now += 60;
    assert!(lea.sync().worst().is_none() && lea.cards().iter().all(|card| card.handle != "lea"));
    // One word of a lead, and all of it is everybody's: what he changed, whom he let in, what he recorded.
    world.mara.change("jon", &MemberChange::Resume);
    world.jon.well();
    world.settle();
    assert!(!world.jon.card("jon").paused && world.mara.card("kim").level == 3);
    assert!(world.mara.reads(&note) && world.kim.reads(&note) && world.kim.reads(&later));
    lea.well();
    assert!(lea.reads(&later) && !lea.reads(&note));
    world.jon.change("kim", &MemberChange::Pause);
}

#[test]
fn what_a_lead_who_is_none_any_more_changed_and_gave_no_key_with_is_set_aside() {
    for takes_role in [true, false] {
        let mut world = World::new();
        let note = RefCell::new(String::new());
        world.beside(
            |world| match takes_role {
                true => world
                    .mara
                    .change("jon", &MemberChange::Revoke(rights(None, &[Role::Lead]))),
                false => world.mara.change("jon", &MemberChange::Pause),
            },
            |world| {
                world.jon.change("kim", &MemberChange::Pause);
                edit_file(&world.jon, "templates/first.txt", "jon's");
                note.replace(world.jon.add("confidential"));
            },
        );
        assert!(world.jon.told("by it you are a lead no more"));
        assert!(
            world.jon.told("what you changed for kim was not made again"),
            "{:?}",
            world.jon.seat.warned.borrow()
        );
        assert!(world.jon.told("is not in force") && policy(&world.mara, "templates/first.txt").is_empty());
        assert!(!world.mara.card("kim").paused);
        // What he recorded is everybody's.
        let note = note.into_inner();
        assert!(world.mara.reads(&note) && world.kim.reads(&note));
        // He is given the role again, and does it himself.
        match takes_role {
            true => world
                .mara
                .change("jon", &MemberChange::Grant(rights(None, &[Role::Lead]))),
            false => world.mara.change("jon", &MemberChange::Resume),
        }
        world.settle();
        world.jon.change("kim", &MemberChange::Pause);
        world.settle();
        assert!(world.mara.card("kim").paused);
    }
}

#[test]
fn what_is_so_already_is_changed_by_nobody() {
    let world = World::new();
    let again = |change: &MemberChange| {
        let first = change_member(&world.mara.at(), "kim", change).unwrap();
        let cards = world.mara.cards();
        let second = change_member(&world.mara.at(), "kim", change).unwrap();
        assert_eq!(
            (second.changed, second.entry, second.clearance),
            (false, None, first.clearance)
        );
        assert_eq!(
            (second.roles, second.until, second.paused),
            (first.roles, first.until, first.paused)
        );
        assert!(second.rotated.is_empty() && second.lost.is_empty());
        assert_eq!(world.mara.cards(), cards);
        first.changed
    };
    let end = || {
        MemberChange::Grant(Rights {
            until: Some(Time::from_unix(BEGUN + 80_000)),
            ..Rights::default()
        })
    };
    for change in [
        MemberChange::Pause,
        MemberChange::Resume,
        restricted(),
        end(),
        MemberChange::Grant(rights(None, &[Role::BreakGlass])),
        internal(),
        MemberChange::Remove,
    ] {
        assert!(again(&change));
    }
    let lea = world.newcomer("lea").1;
    let admission = |clearance: &str| Admission {
        file: lea.clone(),
        clearance: Some(clearance.into()),
        compartments: Vec::new(),
        roles: Vec::new(),
        until: None,
        device_of: None,
    };
    let admitted = |clearance: &str| admit(&world.mara.at(), &admission(clearance), &|_| Ok(()));
    assert!(admitted("internal").unwrap().entry.is_some());
    assert!(admitted("internal").unwrap().entry.is_none());
    assert_eq!(admitted("restricted").err().unwrap().kind, Kind::Failed);
    let made = || new_compartment(&world.mara.at(), "Halcyon").unwrap();
    let (one, other) = (made(), made());
    assert!(one.id == other.id && one.entry.is_some() && other.entry.is_none());
    let note = world.mara.add("internal");
    let relabelled = || relabel(&world.mara.at(), &note, "confidential").unwrap().revisions;
    assert_eq!((relabelled(), relabelled()), (1, 0));
    add_remote(&world.mara.at(), ORIGIN, &world.hub()).unwrap();
    assert!(add_remote(&world.mara.at(), ORIGIN, "/elsewhere.git").is_err());
    world.mara.is_intact();
}
