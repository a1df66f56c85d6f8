//! Three people, of whom two are leads, four computers and a bare repository between them: whatever they do, now and then
//! offline, members and rules included, in the end all have the same, and nothing that was acknowledged is lost.
//!
//! What is done follows from a seed; ids and keys are random, and must not matter. `STRONGROOM_LONG=1` does ten thousand
//! things instead of some hundreds, `STRONGROOM_SEED` names one other seed.

mod as_it_was;
mod checks;

use super::super::members::{Admission, admit};
use super::*;
use crate::chain::Role;
use crate::id::NoteId;
use crate::repo::{Repo, Settings};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

const BEGUN: i64 = 1_795_253_400;
/// The computers, by whose they are.
const SEATS: [&str; 4] = ["mara", "jon", "jon", "kim"];
const MARA: usize = 0;
/// Said where the lock of a sync is still held: for a moment by what another test of this process is about to start.
const BUSY: &str = "another program is syncing";
/// How often everybody syncs in turn before it counts as never coming to rest.
const ROUNDS: usize = 6;

/// Numbers that follow from a seed (SplitMix64).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    pub(super) fn of<'t, T>(&mut self, some: &'t [T]) -> Option<&'t T> {
        (!some.is_empty()).then(|| &some[self.below(some.len())])
    }
}

/// Somebody at one computer.
#[derive(Default)]
struct Seat {
    offline: Cell<bool>,
    /// Whether a command has synced since that was looked at last.
    synced: Cell<bool>,
}

impl Person for Seat {
    fn passphrase(&self, _prompt: &str) -> Result<shared::Passphrase, Error> {
        Ok(shared::Passphrase::new(PASSPHRASE.to_owned()))
    }

    fn warn(&self, text: &str) {
        let harmless = self.offline.get() || !text.contains("not in step") || text.contains(BUSY);
        assert!(
            harmless && !text.contains("two histories") && !text.contains("is set aside"),
            "{text}"
        );
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
            false => {
                self.synced.set(true);
                run_git(job, false, &|_| {})
            }
            true => Ok(GitEnded {
                succeeded: false,
                stopped: false,
                output: Vec::new(),
                errors: b"no network".to_vec(),
            }),
        }
    }
}

/// One computer with its clone.
struct Computer {
    root: PathBuf,
    seat: Seat,
    held: Option<Held>,
    /// Which of [`World::done`] it knows of.
    knows: BTreeSet<usize>,
    online_at: usize,
}

/// Something that was acknowledged.
enum Done {
    Wrote { note: usize, after: Vec<usize> },
    Attached { note: usize, times: usize },
    Destroyed { note: usize },
}

/// What the test knows of a note.
struct Note {
    id: NoteId,
    nature: shared::Nature,
    client: String,
    relabelled: bool,
}

struct World {
    folder: tempfile::TempDir,
    computers: Vec<Computer>,
    chance: Chance,
    now: i64,
    step: usize,
    notes: Vec<Note>,
    done: Vec<Done>,
    /// What the bare repository has of it.
    hub: BTreeSet<usize>,
    compartments: Vec<String>,
    /// Who declared a conflict with which client.
    conflicts: Vec<(&'static str, String)>,
    /// Destructions that wait for a second person.
    asked: Vec<(usize, usize)>,
    /// How often what came of what.
    tally: BTreeMap<String, usize>,
    seed: u64,
    /// What was done, in order, for whoever looks for a fault.
    trail: Vec<String>,
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let trail = self.trail.join("\n");
            say(&format!("seed {}, operation {}, after:\n{trail}", self.seed, self.step));
        }
    }
}

/// Says something past the test harness, which keeps back what a passing test prints.
fn say(text: &str) {
    std::io::stderr()
        .write_all(format!("converge: {text}\n").as_bytes())
        .unwrap();
}

fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").arg("-C").arg(dir).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A word that stands for something written.
fn word(done: usize) -> String {
    format!("word{done}")
}

impl World {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "--quiet", "--bare", "hub.git"]);
        let computers = (0..SEATS.len()).map(|seat| Computer {
            root: folder.path().join(seat.to_string()),
            seat: Seat::default(),
            held: None,
            knows: BTreeSet::new(),
            online_at: 0,
        });
        let mut world = Self {
            computers: computers.collect(),
            folder,
            chance: Chance(seed),
            now: BEGUN,
            step: 0,
            notes: Vec::new(),
            done: Vec::new(),
            hub: BTreeSet::new(),
            compartments: Vec::new(),
            conflicts: Vec::new(),
            asked: Vec::new(),
            tally: BTreeMap::new(),
            seed,
            trail: Vec::new(),
        };
        let new = Init {
            name: SEATS[MARA].into(),
            recovery_key: None,
            insist: false,
        };
        init(&world.at(MARA), &new).unwrap();
        add_remote(&world.at(MARA), ORIGIN, &world.hub_url()).unwrap();
        sync(&world.at(MARA), None).unwrap();
        for (seat, clearance) in [(1, Some("restricted")), (2, None), (3, Some("confidential"))] {
            world.admit(seat, clearance);
        }
        for seat in 0..SEATS.len() {
            world.computers[seat].held = Some(Held::unlock(&world.at(seat)).unwrap());
        }
        let role = Rights {
            roles: vec![Role::BreakGlass],
            ..Rights::default()
        };
        change_member(&world.at(MARA), "kim", &MemberChange::Grant(role)).unwrap();
        // What goes to people by name goes to the devices that its writer knows of.
        world.settle();
        world
    }

    /// Somebody joins, or a further device of somebody who is in.
    fn admit(&self, seat: usize, clearance: Option<&str>) {
        let file = self.folder.path().join(format!("request{seat}"));
        clone_vault(&self.at(seat), &self.hub_url(), None).unwrap();
        ask_for_membership(&self.at(seat), SEATS[seat], &file, false).unwrap();
        let admission = Admission {
            file,
            clearance: clearance.map(str::to_owned),
            compartments: Vec::new(),
            roles: match SEATS[seat] {
                "jon" => vec![Role::Lead, Role::Officer],
                _ => Vec::new(),
            },
            until: None,
            device_of: clearance.is_none().then(|| SEATS[seat].to_owned()),
        };
        admit(&self.at(MARA), &admission, &|_| Ok(())).unwrap();
        sync(&self.at(seat), None).unwrap();
    }

    fn hub(&self) -> PathBuf {
        self.folder.path().join("hub.git")
    }

    fn hub_url(&self) -> String {
        self.hub().display().to_string()
    }

    fn at(&self, seat: usize) -> Context<'_> {
        let computer = &self.computers[seat];
        Context {
            held: computer.held.as_ref(),
            places: Places::under(&computer.root),
            clock: Clock::Fixed(Time::from_unix(self.now)),
            source: None,
            person: &computer.seat,
            access: Access::given(Some("safety".into()), Some("what is to be done".into())).unwrap(),
        }
    }

    fn refs(&self, seat: usize) -> BTreeMap<String, String> {
        let repo = Repo::open(
            &Places::under(&self.computers[seat].root).vault(),
            Settings::of_this_run(),
        )
        .unwrap();
        let refs = repo.refs("refs/").unwrap().into_iter();
        refs.map(|(name, oid)| (name, oid.to_string())).collect()
    }

    /// Without the branches that hold no file any more: whoever never had one of its files has no such branch.
    fn without_empty(dir: &Path, mut refs: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let holds = |name: &String| !git(dir, &["ls-tree", name]).is_empty();
        refs.retain(|name, _| name.contains("/audit/") || holds(name));
        refs
    }

    /// Counts what came of it. What is refused has to be for a reason that honest people meet.
    fn count<T>(&mut self, what: &str, done: Result<T, Error>) -> Option<T> {
        let offline = self.computers.iter().any(|computer| computer.seat.offline.get());
        let (told, done) = match done {
            Ok(done) => ("done".to_owned(), Some(done)),
            Err(error) => {
                let fine = match error.kind {
                    Kind::Denied | Kind::Usage | Kind::Failed => true,
                    Kind::Unknown if error.message.contains("not seen yet that it is to be destroyed") => true,
                    Kind::Unknown => offline && error.message.contains("no network"),
                    _ => false,
                };
                assert!(fine, "{what}: {error:?}");
                let hex = |c: char| c.is_ascii_hexdigit() && !c.is_ascii_alphabetic();
                (error.message.replace(hex, "").chars().take(60).collect(), None)
            }
        };
        self.trail.push(format!("  {what}: {told}"));
        *self.tally.entry(format!("{what}: {told}")).or_default() += 1;
        done
    }

    fn acknowledged(&mut self, seat: usize, done: Done) {
        self.computers[seat].knows.insert(self.done.len());
        self.done.push(done);
    }

    /// Whether this computer knows that a note was destroyed.
    fn is_gone(&self, known: &BTreeSet<usize>, note: usize) -> bool {
        let destroyed = |done: &&usize| matches!(self.done[**done], Done::Destroyed { note: gone } if gone == note);
        known.iter().any(|done| destroyed(&done))
    }

    fn destroyed(&self, note: usize) -> bool {
        let mut done = self.done.iter();
        done.any(|done| matches!(done, Done::Destroyed { note: gone } if *gone == note))
    }

    /// What was written to a note, of what is known there: all of it, and what nothing else follows.
    fn written(&self, known: &BTreeSet<usize>, note: usize) -> (BTreeSet<usize>, BTreeSet<usize>) {
        let (mut all, mut followed) = (BTreeSet::new(), BTreeSet::new());
        for index in known {
            if let Done::Wrote { note: of, after } = &self.done[*index]
                && *of == note
            {
                all.insert(*index);
                followed.extend(after);
            }
        }
        let heads = all.difference(&followed).copied().collect();
        (all, heads)
    }

    /// A note that this computer may know: often one of the last, so that several people work on the same.
    fn some_note(&mut self, seat: usize) -> Option<usize> {
        let recent = self
            .notes
            .len()
            .saturating_sub(if self.chance.below(2) == 0 { 6 } else { 60 });
        let known = &self.computers[seat].knows;
        let knows = |note: &usize| {
            self.notes[*note].nature == shared::Nature::Note
                && !self.written(known, *note).0.is_empty()
                && !self.is_gone(known, *note)
        };
        let notes: Vec<usize> = (recent..self.notes.len()).filter(knows).collect();
        self.chance.of(&notes).copied()
    }

    fn some_label(&mut self) -> String {
        let level = [
            "internal",
            "internal",
            "confidential",
            "confidential",
            "restricted",
            "named",
        ][self.chance.below(6)];
        match (level, self.chance.below(3)) {
            // For whoever writes it alone, on all their devices.
            ("named", _) => level.to_owned(),
            (_, 0) => match self.chance.of(&self.compartments) {
                Some(name) => format!("{level}/{name}"),
                None => level.to_owned(),
            },
            _ => level.to_owned(),
        }
    }

    fn text(&self) -> String {
        format!(
            "(I) {} What to do: keep the north gate shut until 18:00.",
            word(self.done.len())
        )
    }

    fn add(&mut self, seat: usize) {
        let client = format!("Client {}", self.chance.below(6));
        let new = NewText {
            title: Some(word(self.done.len())),
            client: Some(client.clone()),
            case: None,
            label: Some(self.some_label()),
            at: None,
            fields: Vec::new(),
            template: None,
        };
        let text = self.text().into_bytes();
        let added = add(&self.at(seat), new, TextFrom::Caller(Box::new(move || Ok(text))));
        if let Some(added) = self.count("add", added) {
            let note = self.notes.len();
            self.notes.push(Note {
                id: added.id,
                nature: shared::Nature::Note,
                client,
                relabelled: false,
            });
            self.acknowledged(
                seat,
                Done::Wrote {
                    note,
                    after: Vec::new(),
                },
            );
        }
    }

    fn edit(&mut self, seat: usize, note: usize) {
        let after = self.written(&self.computers[seat].knows, note).1;
        let change = Change {
            title: Some(word(self.done.len())),
            ..Change::default()
        };
        let text = self.text().into_bytes();
        let from = TextFrom::Caller(Box::new(move || Ok(text)));
        let edited = edit(&self.at(seat), &self.notes[note].id.to_string(), change, Some(from));
        if let Some(edited) = self.count("edit", edited) {
            assert!(edited.changed);
            let after = after.into_iter().collect();
            self.acknowledged(seat, Done::Wrote { note, after });
        }
    }

    fn show(&mut self, seat: usize, note: usize) {
        let shown = show(&self.at(seat), &self.notes[note].id.to_string(), None);
        if let Some(shown) = self.count("show", shown) {
            self.assert_current(seat, note, &shown.note.metadata.title);
            assert!(shown.note.text().contains(&shown.note.metadata.title));
        }
    }

    /// What is shown of a note is the newest that this computer knows of, or one of two.
    fn assert_current(&self, seat: usize, note: usize, title: &str) {
        let (all, heads) = self.written(&self.computers[seat].knows, note);
        let wanted = if self.notes[note].relabelled { all } else { heads };
        assert!(
            wanted.iter().any(|done| word(*done) == title),
            "{title} of note {note} at {seat}, where {wanted:?} are known"
        );
    }

    fn look(&mut self, seat: usize) {
        let listed = match self.chance.below(3) {
            0 => search(&self.at(seat), "north gate", &ListQuery::default()).map(|found| found.lines),
            _ => list(&self.at(seat), &ListQuery::default()),
        };
        let Some(lines) = self.count("list", listed) else {
            return;
        };
        for line in lines {
            let note = self.notes.iter().position(|note| note.id == line.listed.note).unwrap();
            self.assert_current(seat, note, &line.listed.metadata.title);
            assert!(!self.is_gone(&self.computers[seat].knows, note));
        }
    }

    fn attach(&mut self, seat: usize, note: usize) {
        let path = self.folder.path().join("attached");
        let times = 1 + self.chance.below(4000);
        std::fs::write(&path, word(self.done.len()).repeat(times)).unwrap();
        let id = self.notes[note].id.to_string();
        let attached = attach(&self.at(seat), &id, &word(self.done.len()), || open_file(&path));
        if self.count("attach", attached).is_some() {
            self.acknowledged(seat, Done::Attached { note, times });
        }
    }

    fn relabel(&mut self, seat: usize, note: usize) {
        let label = self.some_label();
        let relabelled = relabel(&self.at(seat), &self.notes[note].id.to_string(), &label);
        if self.count("relabel", relabelled).is_some() {
            self.notes[note].relabelled = true;
        }
    }

    fn destroy(&mut self, seat: usize, note: usize) {
        let destroyed = destroy(&self.at(seat), &self.notes[note].id.to_string(), None);
        let asked = destroyed
            .as_ref()
            .err()
            .is_some_and(|error| error.message.contains("second person"));
        if asked && !self.asked.contains(&(seat, note)) {
            self.asked.push((seat, note));
        }
        self.notice(seat);
        if self.count("destroy", destroyed).is_some() {
            self.asked.retain(|(_, waits)| *waits != note);
            self.acknowledged(seat, Done::Destroyed { note });
        }
    }

    /// Somebody carries out what they asked for, if it is approved by now.
    fn carry_out(&mut self) {
        if let Some((seat, note)) = self.chance.of(&self.asked.clone()).copied() {
            self.destroy(seat, note);
        }
    }

    fn approve(&mut self, seat: usize) {
        let requests = list_requests(&self.at(seat));
        let Some(mut lines) = self.count("approvals", requests) else {
            return;
        };
        lines.retain(|line| !line.own && line.standing == Standing::Waiting);
        lines.sort_by_key(|line| line.asked);
        if let Some(request) = self.chance.of(&lines).map(|line| line.request.to_string()) {
            let approved = approve(&self.at(seat), &request, None);
            self.count("approve", approved);
        }
    }

    fn brief(&mut self, seat: usize, note: usize) {
        let query = DraftQuery {
            sources: vec![self.notes[note].id.to_string()],
            profile: "no-names".into(),
            audience: Some("internal".into()),
            mask: Vec::new(),
            allow: Vec::new(),
            length: None,
            by_case: false,
            format: None,
        };
        let drafted = draft_brief(&self.at(seat), &query);
        if let Some(drafted) = self.count("brief draft", drafted) {
            let client = self.notes[note].client.clone();
            let note = self.notes.len();
            self.notes.push(Note {
                id: drafted.draft,
                nature: shared::Nature::Draft,
                client,
                relabelled: false,
            });
            self.acknowledged(
                seat,
                Done::Wrote {
                    note,
                    after: Vec::new(),
                },
            );
        }
    }

    fn compartment(&mut self) {
        let name = format!("Compartment {}", self.compartments.len());
        if self.compartments.len() < 4 {
            let made = new_compartment(&self.at(MARA), &name);
            self.count("compartment new", made).unwrap();
            self.compartments.push(name);
        }
    }

    /// A rule that both leads change, or each one of their own.
    fn policy(&mut self, seat: usize) {
        let name = [SEATS[seat], "both"][self.chance.below(2)];
        let new = super::super::policies::NewPolicies::File {
            path: format!("templates/{name}.txt"),
            content: format!("Written in step {}.", self.step).into_bytes(),
        };
        let edited = super::super::policies::edit_policies(&self.at(seat), new, |_| Ok(true));
        self.count("policy", edited);
    }

    /// One of the leads changes what somebody may do. Nobody takes the lead's role, nor pauses who has it: that a person decides.
    fn change_member(&mut self) {
        let lead = self.chance.below(3);
        let whom = if lead == MARA && self.chance.below(3) == 0 {
            "jon"
        } else {
            "kim"
        };
        let members = list_members(&self.at(lead)).unwrap().members;
        let paused = members.iter().find(|member| member.paused);
        let whom = paused.map_or(whom, |member| member.handle.as_str());
        let compartment = |chance: &mut Chance, some: &[String]| chance.of(some).cloned().into_iter().collect();
        let mut rights = Rights::default();
        let change = match self.chance.below(9) {
            _ if paused.is_some() => MemberChange::Resume,
            0 if whom == "kim" => MemberChange::Pause,
            1..=2 => {
                rights.compartments = compartment(&mut self.chance, &self.compartments);
                MemberChange::Grant(rights)
            }
            3 => {
                rights.compartments = compartment(&mut self.chance, &self.compartments);
                let lends = !rights.compartments.is_empty();
                rights.until = lends.then(|| Time::from_unix(self.now + 40_000));
                MemberChange::Grant(rights)
            }
            4 => {
                rights.compartments = compartment(&mut self.chance, &self.compartments);
                MemberChange::Revoke(rights)
            }
            5..=6 => {
                rights.clearance = Some("restricted".into());
                MemberChange::Grant(rights)
            }
            _ => {
                rights.clearance = Some("confidential".into());
                MemberChange::Revoke(rights)
            }
        };
        let changed = change_member(&self.at(lead), whom, &change);
        let what = match change {
            MemberChange::Pause => "pause",
            MemberChange::Resume => "resume",
            MemberChange::Revoke(_) => "revoke",
            _ => "grant",
        };
        self.count(what, changed);
    }

    fn declare(&mut self) {
        let (seat, client) = [(1, "Client 4"), (3, "Client 5")][self.chance.below(2)];
        if self.conflicts.iter().all(|(who, _)| *who != SEATS[seat]) && self.chance.below(4) == 0 {
            let declared = declare_conflict(&self.at(seat), Some(client), None);
            if self.count("conflict", declared).is_some() {
                self.conflicts.push((SEATS[seat], client.to_owned()));
            }
        }
    }

    fn break_glass(&mut self, note: usize) {
        let kim = SEATS.len() - 1;
        let shown = break_glass(&self.at(kim), &self.notes[note].id.to_string(), Some("safety"));
        if let Some(shown) = self.count("breakglass", shown) {
            self.assert_current(kim, note, &shown.note.metadata.title);
        }
        let broken = list_broken_glass(&self.at(MARA)).unwrap();
        if let Some(broken) = broken.iter().find(|broken| broken.reviewed.is_empty()) {
            let reviewed = review_glass(&self.at(MARA), &broken.entry.to_string(), None);
            self.count("review", reviewed).unwrap();
        }
    }

    /// A sync finds nothing wrong, and then the one knows what the other does.
    fn sync(&mut self, seat: usize) -> bool {
        let mut done = sync(&self.at(seat), None).unwrap().pop().unwrap();
        while done.failed.as_ref().is_some_and(|error| error.message.contains(BUSY)) {
            std::thread::sleep(std::time::Duration::from_millis(20));
            done = sync(&self.at(seat), None).unwrap().pop().unwrap();
        }
        self.computers[seat].seat.synced.set(false);
        assert_eq!(done.worst(), None, "{done:?}");
        assert!(done.strays.is_empty() && done.held_back.is_empty(), "{done:?}");
        self.meets_hub(seat);
        for file in &done.set_aside {
            let note = self
                .notes
                .iter()
                .position(|note| file.1.starts_with(&note.id.to_string()));
            assert!(note.is_some_and(|note| self.destroyed(note)), "{file:?}");
        }
        let moved = done.pushed > 0 || done.entries > 0 || done.rules;
        self.trail
            .push(format!("  sync of {seat}: {} came, {} went", done.entries, done.pushed));
        *self.tally.entry(format!("sync: {moved}")).or_default() += 1;
        moved
    }

    fn meets_hub(&mut self, seat: usize) {
        self.hub.extend(&self.computers[seat].knows);
        self.computers[seat].knows.clone_from(&self.hub);
    }

    /// Some commands sync by themselves, before they do anything.
    fn notice(&mut self, seat: usize) {
        if self.computers[seat].seat.synced.take() {
            self.meets_hub(seat);
        }
    }

    fn operation(&mut self) {
        self.step += 1;
        self.now += 1 + i64::try_from(self.chance.below(600)).unwrap();
        let seat = self.chance.below(SEATS.len());
        for computer in &mut self.computers {
            if computer.seat.offline.get() {
                computer.seat.offline.set(computer.online_at > self.step);
            } else if self.chance.below(60) == 0 {
                computer.seat.offline.set(true);
                computer.online_at = self.step + 3 + self.chance.below(60);
            }
        }
        let note = self.some_note(seat);
        self.trail.push(format!(
            "{} at {seat}, note {note:?}, {} done",
            self.step,
            self.done.len()
        ));
        match (self.chance.below(100), note) {
            (0..18, _) if !self.computers[seat].seat.offline.get() => drop(self.sync(seat)),
            (18..33, _) | (_, None) => self.add(seat),
            (33..50, Some(note)) => self.edit(seat, note),
            (50..58, Some(note)) => self.show(seat, note),
            (58..63, _) => self.look(seat),
            (63..68, Some(note)) => self.attach(seat, note),
            (68..74, Some(note)) => self.relabel(seat, note),
            (74..82, Some(note)) => self.destroy(seat, note),
            (82..85, _) => self.carry_out(),
            (85..88, _) => self.approve(seat),
            (88..90, Some(note)) => self.brief(seat, note),
            (90, _) if self.chance.below(2) == 0 => self.compartment(),
            (90, _) => {
                let lead = self.chance.below(3);
                self.policy(lead);
            }
            (91..95, _) => self.change_member(),
            (95, _) => self.declare(),
            (96, Some(note)) => self.break_glass(note),
            (97..100, _) => drop(tidy(&self.at(seat).places).unwrap()),
            _ => {}
        }
        (0..SEATS.len()).for_each(|seat| self.notice(seat));
    }

    /// Everybody syncs until nothing moves any more.
    fn settle(&mut self) {
        for computer in &self.computers {
            computer.seat.offline.set(false);
        }
        for _ in 0..ROUNDS {
            if (0..SEATS.len()).filter(|seat| self.sync(*seat)).count() == 0 {
                return;
            }
        }
        panic!("it does not come to rest");
    }
}

fn is_long() -> bool {
    std::env::var_os("STRONGROOM_LONG").is_some_and(|value| value == "1")
}

fn seed_named() -> Option<u64> {
    std::env::var("STRONGROOM_SEED").ok()?.parse().ok()
}

/// So many operations that follow from a seed, with a look at everything now and then and at the end.
fn converge(seed: u64, operations: usize, between: usize) {
    let begun = std::time::Instant::now();
    let mut world = World::new(seed);
    for n in 1..=operations {
        world.operation();
        if n % between == 0 && n != operations {
            world.check(false);
            if is_long() {
                say(&format!("{n} operations, {} s", begun.elapsed().as_secs()));
            }
        }
    }
    world.check(true);
    git(&world.hub(), &["fsck", "--strict", "--no-dangling"]);
    let tally = world.tally.iter().map(|(what, times)| format!("\n{times:6} {what}"));
    let tally = if is_long() || seed_named().is_some() {
        tally.collect()
    } else {
        String::new()
    };
    say(&format!(
        "seed {seed}: {operations} operations, {} s{tally}",
        begun.elapsed().as_secs()
    ));
}

#[test]
fn whatever_honest_people_do_all_clones_come_to_the_same_and_nothing_is_lost() {
    match (is_long(), seed_named()) {
        (true, seed) => converge(seed.unwrap_or(1), 10_000, 500),
        (false, Some(seed)) => converge(seed, 200, 100),
        (false, None) => (1..=2).for_each(|seed| converge(seed, 90, 45)),
    }
}

#[test]
fn whatever_leads_change_while_they_are_offline_is_brought_together() {
    let mut world = World::new(seed_named().unwrap_or(3));
    for _ in 0..if is_long() { 60 } else { 3 } {
        (0..3).for_each(|seat| world.computers[seat].seat.offline.set(true));
        for _ in 0..6 {
            world.step += 1;
            world.now += 1 + i64::try_from(world.chance.below(600)).unwrap();
            let seat = world.chance.below(3);
            world.trail.push(format!("{} at {seat}", world.step));
            match world.chance.below(8) {
                0 => world.compartment(),
                1..=2 => world.policy(seat),
                3 => world.add(seat),
                _ => world.change_member(),
            }
        }
        world.check(false);
    }
    world.check(true);
}

#[test]
fn what_was_attached_while_the_note_was_relabelled_is_read_as_before() {
    let mut world = World::new(0);
    let text = TextFrom::Caller(Box::new(|| Ok(b"The gate is shut.".to_vec())));
    let id = add(&world.at(MARA), plain_note("internal"), text)
        .unwrap()
        .id
        .to_string();
    world.settle();
    let path = world.folder.path().join("gate.txt");
    std::fs::write(&path, "shut").unwrap();
    attach(&world.at(1), &id, "gate.txt", || open_file(&path)).unwrap();
    relabel(&world.at(MARA), &id, "confidential").unwrap();
    world.settle();
    for seat in 0..SEATS.len() {
        let shown = show(&world.at(seat), &id, None).unwrap();
        assert_eq!(
            (shown.note.text(), shown.note.attachments.len()),
            ("The gate is shut.", 1)
        );
        let out = world.folder.path().join(format!("out{seat}"));
        extract(&world.at(seat), &id, "gate.txt", Place::New(Some(out.clone()))).unwrap();
        assert_eq!(std::fs::read_to_string(out).unwrap(), "shut");
    }
}

fn plain_note(label: &str) -> NewText {
    NewText {
        title: None,
        client: None,
        case: None,
        label: Some(label.into()),
        at: None,
        fields: Vec::new(),
        template: None,
    }
}

#[test]
fn an_edit_of_what_is_for_several_by_name_goes_to_its_writer_until_all_are_named_again() {
    let mut world = World::new(0);
    let both = "named/@jon/@mara";
    let text = TextFrom::Caller(Box::new(|| Ok(b"The gate is shut.".to_vec())));
    let id = add(&world.at(1), plain_note(both), text).unwrap().id.to_string();
    let later = TextFrom::Caller(Box::new(|| Ok(b"The gate is open.".to_vec())));
    edit(&world.at(1), &id, Change::default(), Some(later)).unwrap();
    world.settle();
    let read = |world: &World, seat| show(&world.at(seat), &id, None).unwrap().note.text().to_owned();
    assert_eq!(read(&world, 2), "The gate is open.");
    assert_eq!(read(&world, MARA), "The gate is shut.");
    relabel(&world.at(1), &id, both).unwrap();
    world.settle();
    assert_eq!(read(&world, MARA), "The gate is open.");
}

#[test]
fn what_was_wrapped_anew_while_the_note_was_relabelled_is_in_nobody_s_way() {
    let mut world = World::new(0);
    let text = TextFrom::Caller(Box::new(|| Ok(b"The gate is shut.".to_vec())));
    let id = add(&world.at(1), plain_note("confidential"), text)
        .unwrap()
        .id
        .to_string();
    world.settle();
    let down = Rights {
        clearance: Some("internal".into()),
        roles: vec![Role::BreakGlass],
        ..Rights::default()
    };
    let revoked = change_member(&world.at(MARA), "kim", &MemberChange::Revoke(down)).unwrap();
    assert_eq!(revoked.rewrapped, 1);
    relabel(&world.at(1), &id, "restricted").unwrap();
    world.settle();
    for seat in 0..3 {
        assert_eq!(show(&world.at(seat), &id, None).unwrap().label, "restricted");
        assert_eq!(list(&world.at(seat), &ListQuery::default()).unwrap().len(), 1);
        let report = verify(&world.at(seat), None, &[], None, true).unwrap();
        assert_eq!(report.verdict, crate::ledger::Verdict::Intact, "{:?}", report.told());
    }
}
