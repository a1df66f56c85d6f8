//! Holds and destructions in every order, by three people with a clone each and a bare repository between them, also where
//! one of them is offline meanwhile: what is known to be held is not destroyed, and what could not be known is a finding.
//!
//! `STRONGROOM_LONG=1` goes through all orders, else through some.

use super::super::members::{Admission, admit};
use super::leaving::{Told, beside, join};
use super::*;
use crate::chain::Role;
use crate::id::NoteId;
use crate::ledger::Report;
use crate::repo::{Repo, Settings};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

const BEGUN: i64 = 1_795_253_400;
const DAY: i64 = 24 * 3600;

/// Who destroys, a lead; who holds, another; who approves, an officer.
const SEATS: [&str; 3] = ["mara", "nour", "jon"];
const MARA: usize = 0;
const NOUR: usize = 1;
const JON: usize = 2;

/// Somebody at one computer, who may have no network.
#[derive(Default)]
struct Seat {
    offline: Cell<bool>,
    warned: RefCell<Vec<String>>,
}

impl Person for Seat {
    fn passphrase(&self, prompt: &str) -> Result<shared::Passphrase, Error> {
        Told.passphrase(prompt)
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
        match self.offline.get() {
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

struct World {
    folder: tempfile::TempDir,
    seats: [Seat; 3],
    held: Vec<Held>,
    now: i64,
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            folder: tempfile::tempdir().unwrap(),
            seats: Default::default(),
            held: Vec::new(),
            now: BEGUN,
        };
        world.stock(&["init", "--quiet", "--bare", "hub.git"]);
        let new = Init {
            name: SEATS[MARA].into(),
            recovery_key: None,
            insist: false,
        };
        init(&world.at(MARA), &new).unwrap();
        add_remote(&world.at(MARA), ORIGIN, &world.hub_url()).unwrap();
        world.sync(MARA);
        for (seat, roles) in [(NOUR, vec![Role::Lead, Role::Officer]), (JON, Vec::new())] {
            let file = world.folder.path().join(format!("request{seat}"));
            clone_vault(&world.at(seat), &world.hub_url(), None).unwrap();
            ask_for_membership(&world.at(seat), SEATS[seat], &file, false).unwrap();
            let admission = Admission {
                file,
                clearance: Some("restricted".into()),
                compartments: Vec::new(),
                roles,
                until: None,
                device_of: None,
            };
            admit(&world.at(MARA), &admission, &|_| Ok(())).unwrap();
            world.sync(seat);
        }
        for seat in 0..SEATS.len() {
            let held = Held::unlock(&world.at(seat)).unwrap();
            world.held.push(held);
        }
        world.settle();
        world.now += 3600;
        world
    }

    fn stock(&self, arguments: &[&str]) -> String {
        stock_in(self.folder.path(), arguments)
    }

    fn hub_url(&self) -> String {
        self.folder.path().join("hub.git").display().to_string()
    }

    fn root(&self, seat: usize) -> PathBuf {
        self.folder.path().join(SEATS[seat])
    }

    fn vault(&self, seat: usize) -> PathBuf {
        Places::under(&self.root(seat)).vault()
    }

    fn at(&self, seat: usize) -> Context<'_> {
        Context {
            held: self.held.get(seat),
            places: Places::under(&self.root(seat)),
            clock: Clock::Fixed(Time::from_unix(self.now)),
            source: None,
            person: &self.seats[seat],
            access: Access::given(Some("safety".into()), Some("what is to be done".into())).unwrap(),
        }
    }

    /// A sync of somebody who has a network; nothing may be wrong with it.
    fn sync(&self, seat: usize) -> Vec<String> {
        if self.seats[seat].offline.get() {
            return Vec::new();
        }
        let mut done = sync(&self.at(seat), None).unwrap().pop().unwrap();
        while done
            .failed
            .as_ref()
            .is_some_and(|error| error.message.contains("another program is syncing"))
        {
            std::thread::sleep(std::time::Duration::from_millis(20));
            done = sync(&self.at(seat), None).unwrap().pop().unwrap();
        }
        assert_eq!(done.worst(), None, "{done:?}");
        done.set_aside.iter().map(|file| file.1.clone()).collect()
    }

    /// Everybody hears of everything.
    fn settle(&self) -> Vec<String> {
        let rounds = (0..2).flat_map(|_| 0..SEATS.len());
        rounds.flat_map(|seat| self.sync(seat)).collect()
    }

    fn add(&self, text: &'static str, client: Option<&str>) -> NoteId {
        let new = NewText {
            title: None,
            client: client.map(str::to_owned),
            case: None,
            label: Some("restricted".into()),
            at: None,
            fields: Vec::new(),
            template: None,
        };
        let text = TextFrom::Caller(Box::new(move || Ok(text.as_bytes().to_vec())));
        add(&self.at(MARA), new, text).unwrap().id
    }

    fn hold(&self, seat: usize, matter: &str, note: NoteId) -> Result<PlacedHold, Error> {
        let query = HoldQuery {
            matter: matter.into(),
            client: None,
            case: None,
            ids: vec![note.to_string()],
        };
        place_hold(&self.at(seat), &query)
    }

    fn destroy(&self, note: NoteId) -> Result<Destroyed, Error> {
        destroy(&self.at(MARA), &note.to_string(), None)
    }

    /// What waits for jon.
    fn approve(&self, note: NoteId) {
        let lines = list_requests(&self.at(JON)).unwrap();
        let mut lines = lines.iter().filter(|line| line.note == note);
        let request = lines.next().unwrap().request.to_string();
        approve(&self.at(JON), &request, None).unwrap();
    }

    fn verify(&self, seat: usize) -> Report {
        let report = verify(&self.at(seat), None, &[], None, false).unwrap();
        assert!(
            report.problems.is_empty() && report.unknown.is_empty(),
            "{:?}",
            report.problems
        );
        report
    }

    /// How many destructions every clone finds of which somebody's hold was not known; all have the same branches.
    fn findings(&self) -> usize {
        let refs = |seat: usize| -> BTreeMap<String, String> {
            let repo = Repo::open(&self.vault(seat), Settings::of_this_run()).unwrap();
            let refs = repo.refs("refs/").unwrap().into_iter();
            let mut refs: BTreeMap<String, String> = refs.map(|(name, oid)| (name, oid.to_string())).collect();
            let holds = |name: &String| !stock_in(&self.vault(seat), &["ls-tree", name]).is_empty();
            refs.retain(|name, _| name.contains("/audit/") || holds(name));
            refs
        };
        let found = [MARA, NOUR, JON].map(|seat| self.verify(seat).findings.iter().filter(|f| f.case == 37).count());
        for seat in [NOUR, JON] {
            assert_eq!(found[seat], found[MARA]);
            assert_eq!(refs(seat), refs(MARA), "{} and mara", SEATS[seat]);
        }
        found[MARA]
    }
}

/// Stock git, with nobody's configuration.
fn stock_in(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .arg("-C")
        .arg(dir)
        .args(["-c", "safe.bareRepository=all"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// nour holds and lifts; mara asks for the destruction, jon approves it, and mara carries it out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Hold,
    Lift,
    Ask,
    Approve,
    Destroy,
}

/// All orders in which what stands in each list keeps its order.
fn interleaved(one: &[Step], other: &[Step]) -> Vec<Vec<Step>> {
    match (one.split_first(), other.split_first()) {
        (None, _) => vec![other.to_vec()],
        (_, None) => vec![one.to_vec()],
        (Some((first, one_rest)), Some((second, other_rest))) => {
            let with = |step: Step, rest: Vec<Vec<Step>>| rest.into_iter().map(move |rest| [vec![step], rest].concat());
            let first = with(*first, interleaved(one_rest, other));
            first.chain(with(*second, interleaved(one, other_rest))).collect()
        }
    }
}

/// What comes of an order in which nour has no network from the step of that number on.
fn goes(world: &mut World, order: &[Step], offline_from: usize, before: &mut usize) {
    let at = |step: Step| order.iter().position(|other| *other == step);
    let told = format!("{order:?}, offline from {offline_from}");
    let note = world.add("What is kept or not.", None);
    world.settle();
    let matter = note.to_string();
    let (mut gone, mut placed) = (false, false);
    for (n, step) in order.iter().enumerate() {
        world.seats[NOUR].offline.set(n >= offline_from);
        match step {
            Step::Hold => {
                let hears = gone && n < offline_from;
                let held = world.hold(NOUR, &matter, note);
                assert_eq!(
                    held.as_ref().err().map(|error| error.kind),
                    hears.then_some(Kind::Denied),
                    "{told}"
                );
                placed = held.is_ok();
            }
            Step::Lift => {
                let lifted = lift_hold(&world.at(NOUR), &matter);
                assert_eq!(lifted.is_ok(), placed, "{told}");
                // What was destroyed meanwhile is no more under a hold than anything else.
                assert!(lifted.is_ok_and(|lifted| lifted.free == [note]) || !placed, "{told}");
            }
            Step::Ask => {
                let asked = world.destroy(note).err().unwrap();
                assert_eq!(asked.kind, Kind::Denied, "{told}: {asked:?}");
                let holds = placed && at(Step::Hold) < Some(offline_from.min(n));
                let lifted = at(Step::Lift).is_some_and(|lift| lift < n && lift < offline_from);
                if holds && !lifted {
                    // Nothing but the hold is said, and nothing asked for.
                    assert!(asked.message.contains("legal hold"), "{told}: {asked:?}");
                    world.seats[NOUR].offline.set(false);
                    assert!(
                        !list_requests(&world.at(JON))
                            .unwrap()
                            .iter()
                            .any(|line| line.note == note)
                    );
                    world.settle();
                    assert_eq!(world.findings(), *before, "{told}");
                    return;
                }
            }
            Step::Approve => world.approve(note),
            Step::Destroy => {
                let known = |step: Step| at(step).is_some_and(|place| place < n && place < offline_from);
                let seen = at(Step::Ask) < Some(offline_from);
                let mut done = world.destroy(note);
                if known(Step::Hold) && !known(Step::Lift) {
                    world.now += 15 * DAY;
                    for refused in [done, world.destroy(note)] {
                        let refused = refused.err().unwrap();
                        assert!(
                            refused.kind == Kind::Denied && refused.message.contains("legal hold"),
                            "{refused:?}"
                        );
                    }
                } else {
                    if !seen {
                        let waits = done.err().unwrap();
                        assert!(
                            waits.kind == Kind::Unknown && waits.hints[0].contains("nour"),
                            "{told}: {waits:?}"
                        );
                        world.now += 15 * DAY;
                        done = world.destroy(note);
                    }
                    let laggards = done.unwrap_or_else(|error| panic!("{told}: {error:?}")).laggards;
                    assert_eq!(laggards.len(), usize::from(!seen), "{told}: {laggards:?}");
                    assert!(laggards.iter().all(|device| device.starts_with("nour ")));
                    gone = true;
                }
            }
        }
        world.settle();
    }
    world.seats[NOUR].offline.set(false);
    world.settle();
    // A hold that she placed offline, of which whoever destroyed could not know.
    let unknown = placed && gone && at(Step::Hold) >= Some(offline_from);
    let found = world.findings();
    assert_eq!(found - std::mem::replace(before, found), usize::from(unknown), "{told}");
    for seat in [MARA, NOUR, JON] {
        let there = show(&world.at(seat), &note.to_string(), None).is_ok();
        assert_eq!(there, !gone, "{told}: {}", SEATS[seat]);
    }
}

#[test]
fn hold_and_destroy_in_every_order_over_three_clones() {
    use Step::{Approve, Ask, Destroy, Hold, Lift};
    let destroys = [Ask, Approve, Destroy];
    let orders = [interleaved(&[Hold], &destroys), interleaved(&[Hold, Lift], &destroys)].concat();
    assert_eq!(orders.len(), 4 + 10);
    let mut all: Vec<(Vec<Step>, usize)> = Vec::new();
    for order in orders {
        // Never, from the beginning, or once she has seen what is scheduled.
        let asked = order.iter().position(|step| *step == Ask).unwrap();
        for offline_from in [order.len(), 0, asked + 1] {
            all.push((order.clone(), offline_from));
        }
    }
    let long = std::env::var_os("STRONGROOM_LONG").is_some();
    let mut world = World::new();
    let mut found = 0;
    for (order, offline_from) in all.iter().step_by(if long { 1 } else { 7 }) {
        goes(&mut world, order, *offline_from, &mut found);
    }
    assert!(found > 0);
}

#[test]
fn what_comes_later_falls_under_a_hold_by_its_client() {
    let world = World::new();
    let letter = world.add("A letter.", Some("Halcyon"));
    let other = world.add("Another matter.", Some("Kestrel"));
    world.settle();
    let query = |why_not: Option<&str>| HoldQuery {
        matter: "Hask v Halcyon".into(),
        client: why_not.map(str::to_owned),
        case: None,
        ids: Vec::new(),
    };
    let kind = |done: Result<PlacedHold, Error>| done.err().map(|error| error.kind);
    assert_eq!(
        kind(place_hold(&world.at(JON), &query(Some("Halcyon")))),
        Some(Kind::Denied)
    );
    assert_eq!(kind(place_hold(&world.at(NOUR), &query(None))), Some(Kind::Usage));
    let placed = place_hold(&world.at(NOUR), &query(Some("halcyon"))).unwrap();
    assert_eq!((placed.held, placed.before), (vec![letter], 0));
    world.settle();
    let late = world.add("What came later.", Some("Halcyon"));
    let held = |note: NoteId| {
        world
            .destroy(note)
            .err()
            .is_some_and(|error| error.message.contains("legal hold"))
    };
    assert!(held(letter) && held(late) && !held(other));
    let dues = |seat: usize| -> Vec<(shared::DueKind, Option<NoteId>)> {
        let dues = list_due(&world.at(seat), &DueQuery::default()).unwrap();
        dues.iter().map(|line| (line.due.kind, line.due.note)).collect()
    };
    world.settle();
    for seat in [MARA, NOUR] {
        assert!(dues(seat).contains(&(shared::DueKind::Hold, Some(late))));
        assert!(!dues(seat).contains(&(shared::DueKind::Hold, Some(letter))));
    }
    assert!(!dues(JON).iter().any(|(kind, _)| *kind == shared::DueKind::Hold));
    // Placed again, by another lead who was told what it is about, it names what fell under it meanwhile.
    let again = place_hold(&world.at(MARA), &query(None)).unwrap();
    assert_eq!((again.held, again.before), (vec![late], 1));
    world.settle();
    assert!(!dues(NOUR).contains(&(shared::DueKind::Hold, Some(late))));
    // Who must honour it sees it; relabelling and keeping are nothing that it stops, and do not lift it.
    for seat in [MARA, NOUR, JON] {
        let list = list_holds(&world.at(seat)).unwrap();
        let line = &list.lines[0];
        assert_eq!(
            (list.lines.len(), list.closed, line.notes.len()),
            (1, 0, 2),
            "{}",
            SEATS[seat]
        );
        // The newest placing is told.
        assert_eq!((line.by.as_str(), line.client.as_str()), ("mara", "halcyon"));
    }
    relabel(&world.at(MARA), &letter.to_string(), "confidential").unwrap();
    keep(&world.at(MARA), &late.to_string(), "under a hold", None).unwrap();
    assert!(held(letter) && held(late));
    let lifted = lift_hold(&world.at(NOUR), " HASK v Halcyon ").unwrap();
    assert_eq!((lifted.entries.len(), lifted.free.len()), (1, 2));
    world.settle();
    assert!(!held(letter) && !held(late));
    assert!(list_holds(&world.at(JON)).unwrap().lines[0].lifted.is_some());
    assert!(lift_hold(&world.at(MARA), "Hask v Halcyon").unwrap().entries.is_empty());
    let unknown = lift_hold(&world.at(MARA), "Hask v Kestrel").err().unwrap();
    assert_eq!(unknown.kind, Kind::Denied);
    world.settle();
    assert_eq!(world.findings(), 0);
}

#[test]
fn two_leads_hold_one_matter_and_a_lift_ends_what_it_knew_of() {
    let world = World::new();
    let (one, other) = (world.add("One.", None), world.add("Another.", None));
    world.settle();
    for seat in [MARA, NOUR] {
        world.seats[seat].offline.set(true);
    }
    world.hold(MARA, "inquiry", one).unwrap();
    world.hold(NOUR, "inquiry", other).unwrap();
    world.seats[MARA].offline.set(false);
    let lifted = lift_hold(&world.at(MARA), "inquiry").unwrap();
    assert_eq!(lifted.free, [one]);
    world.seats[NOUR].offline.set(false);
    world.settle();
    let held = |note: NoteId| {
        world
            .destroy(note)
            .err()
            .is_some_and(|error| error.message.contains("legal hold"))
    };
    assert!(!held(one) && held(other));
    assert_eq!(lift_hold(&world.at(MARA), "inquiry").unwrap().free, [other]);
    assert!(!held(other));
    world.settle();
    assert_eq!(world.findings(), 0);
}

#[test]
fn who_cannot_ask_the_others_destroys_nothing_and_who_is_paused_is_not_waited_for() {
    let world = World::new();
    let note = world.add("Text.", None);
    world.settle();
    assert!(world.destroy(note).is_err());
    world.sync(MARA);
    world.sync(JON);
    world.approve(note);
    world.sync(JON);
    world.seats[MARA].offline.set(true);
    // It was not even heard that it was approved.
    assert_eq!(world.destroy(note).err().unwrap().kind, Kind::Denied);
    world.seats[MARA].offline.set(false);
    world.sync(MARA);
    world.seats[MARA].offline.set(true);
    assert_eq!(world.destroy(note).err().unwrap().kind, Kind::Unknown);
    world.seats[MARA].offline.set(false);
    let waits = world.destroy(note).err().unwrap();
    assert!(
        waits.kind == Kind::Unknown && waits.message.starts_with("1 device has not seen"),
        "{waits:?}"
    );
    change_member(&world.at(MARA), "nour", &MemberChange::Pause).unwrap();
    assert!(world.destroy(note).unwrap().laggards.is_empty());
    world.settle();
    assert_eq!(world.findings(), 0);
}

#[test]
fn what_was_written_offline_to_a_destroyed_note_is_set_aside() {
    let mut world = World::new();
    let note = world.add("Text.", None);
    world.settle();
    world.seats[NOUR].offline.set(true);
    let change = Change {
        title: Some("Changed without a network".into()),
        ..Change::default()
    };
    edit(&world.at(NOUR), &note.to_string(), change, None).unwrap();
    assert!(world.destroy(note).is_err());
    world.settle();
    world.approve(note);
    world.settle();
    world.now += 15 * DAY;
    let done = world.destroy(note).unwrap();
    assert_eq!(done.laggards.len(), 1);
    world.settle();
    world.seats[NOUR].offline.set(false);
    let set_aside = world.settle();
    assert_eq!(set_aside.len(), 2, "{set_aside:?}");
    assert!(set_aside.iter().all(|path| path.starts_with(&note.to_string())));
    assert_eq!(world.findings(), 0);
    assert!(show(&world.at(NOUR), &note.to_string(), None).is_err());
}

/// Whether an object of a repository, reached or not, holds one of these contents: looked for with stock git.
fn holds(vault: &Path, blobs: &[String]) -> bool {
    let all = stock_in(
        vault,
        &[
            "cat-file",
            "--batch-all-objects",
            "--batch-check=%(objectname)",
            "--unordered",
        ],
    );
    blobs.iter().any(|blob| all.lines().any(|line| line == blob))
}

#[test]
fn nothing_of_what_was_destroyed_is_left_and_an_old_clone_does_not_bring_it_back() {
    let world = World::new();
    let note = world.add("Lena Hauk was at the north gate.", None);
    world.settle();
    let shard = &note.to_string()[..2];
    let listed = |branch: String| stock_in(&world.vault(JON), &["ls-tree", &branch]);
    let trees = [listed(format!("notes/{shard}")), listed(format!("keys/{shard}"))].concat();
    let of_note = trees.lines().filter(|line| line.contains(&note.to_string()));
    let blobs: Vec<String> = of_note
        .map(|line| line.split_whitespace().nth(2).unwrap().to_owned())
        .collect();
    assert_eq!(blobs.len(), 2, "{trees}");
    // A clone as it was, put away.
    let kept = world.folder.path().join("kept.git");
    stock_in(
        world.folder.path(),
        &["clone", "--quiet", "--mirror", &world.hub_url(), "kept.git"],
    );
    assert!(world.destroy(note).is_err());
    world.settle();
    world.approve(note);
    world.settle();
    world.destroy(note).unwrap();
    world.settle();
    let hub = world.folder.path().join("hub.git");
    for place in [&world.vault(MARA), &world.vault(NOUR), &world.vault(JON), &hub] {
        stock_in(place, &["reflog", "expire", "--expire=now", "--all"]);
        stock_in(place, &["gc", "--quiet", "--prune=now"]);
        assert!(!holds(place, &blobs), "{}", place.display());
    }
    assert!(holds(&kept, &blobs));
    assert_eq!(world.findings(), 0);
    // Somebody pushes all that the old clone has.
    let refspec = "refs/heads/notes/*:refs/heads/notes/*";
    stock_in(
        &kept,
        &[
            "push",
            "--quiet",
            "--force",
            &world.hub_url(),
            refspec,
            "refs/heads/keys/*:refs/heads/keys/*",
        ],
    );
    assert!(holds(&hub, &blobs));
    world.settle();
    stock_in(&hub, &["gc", "--quiet", "--prune=now"]);
    for place in [&world.vault(MARA), &world.vault(NOUR), &world.vault(JON), &hub] {
        assert!(!holds(place, &blobs), "{}", place.display());
    }
    // And somebody works on in it, as in a vault of theirs: a clone of a clone.
    let old = world.folder.path().join("old");
    let context = Context {
        places: Places::under(&old),
        ..world.at(JON)
    };
    std::fs::create_dir_all(Places::under(&old).vault().parent().unwrap()).unwrap();
    stock_in(
        world.folder.path(),
        &[
            "clone",
            "--quiet",
            "--mirror",
            "kept.git",
            &Places::under(&old).vault().display().to_string(),
        ],
    );
    let report = verify(&context, None, &[], Some(&world.vault(JON)), false);
    // It is behind, and whoever compares it with a newer one sees that; by itself it is whole.
    assert!(report.is_ok_and(|report| report.problems.is_empty()));
    world.verify(JON);
}

#[test]
fn a_vault_of_one_person_destroys_at_once_and_not_what_is_held() {
    let mara = Vault::new();
    let note = mara.add("restricted");
    let context = || mara.context(&Told, Some("erasure"), Some("kept for two years"));
    let query = HoldQuery {
        matter: "claim".into(),
        client: None,
        case: None,
        ids: vec![note[..8].to_owned()],
    };
    place_hold(&context(), &query).unwrap();
    let refused = destroy(&context(), &note, None).err().unwrap();
    assert_eq!(refused.kind, Kind::Denied);
    let explain = |note: &str| {
        let query = ExplainQuery {
            action: "destroy".into(),
            note: Some(note.to_owned()),
            label: None,
            audience: None,
        };
        explain_policy(&context(), &query).unwrap().explanation.permitted
    };
    assert!(!explain(&note));
    let without = mara.context(&Told, None, None);
    assert_eq!(lift_hold(&without, "claim").err().unwrap().kind, Kind::Usage);
    lift_hold(&context(), "claim").unwrap();
    assert!(explain(&note));
    destroy(&context(), &note, None).unwrap();
    // Who comes later is told what holds are for, if they must honour them.
    let other = mara.add("internal");
    place_hold(
        &context(),
        &HoldQuery {
            ids: vec![other.clone()],
            ..query
        },
    )
    .unwrap();
    let (jon, kim) = (join(&mara, "jon", "internal"), join(&mara, "kim", "public"));
    let lines =
        |place: &Vault| list_holds(&place.context(&Told, None, None)).map(|list| (list.lines.len(), list.closed));
    assert_eq!(lines(&jon), Ok((1, 0)));
    assert_eq!(lines(&kim), Ok((0, 0)));
    let _ = beside(&mara);
    let refused = destroy(&jon.context(&Told, Some("erasure"), Some("not needed")), &other, None);
    assert_eq!(refused.err().unwrap().kind, Kind::Denied);
}
