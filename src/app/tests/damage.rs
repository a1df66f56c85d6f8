//! Damage: whatever becomes of the files of a small vault, it is seen or without effect. Nothing makes the program panic, no
//! plaintext is another than it was, and nothing is missing where all is said to be well.
//!
//! Every damage is done to a copy, which is then looked at as its people would: the verifier is run, all is listed, and every
//! revision and attachment is opened through the gate. What a look writes is put back. `STRONGROOM_LONG=1` does all of it,
//! else some; what is random follows from `STRONGROOM_SEED`. With `STRONGROOM_EVERY=n` a long run does every so manieth thing.

mod bytes;
mod hands;
mod kinds;
mod pieces;
mod plumbing;

use super::super::members::{Admission, admit};
use super::*;
use crate::gate::Nature;
use crate::ledger::Verdict;
use crate::repo::{PATIENCE, Repo, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const NOW: i64 = 1_795_253_400;
/// Whose devices there are: a lead, and somebody who is cleared for less.
const PEOPLE: [&str; 2] = ["mara", "jon"];
const MARA: usize = 0;
const JON: usize = 1;
/// Where the vault lies, below the folder of its people; jon's place is a link to it.
const VAULT: &str = "mara/data/strongroom/vault";
/// How many things that went wrong are told in full.
const TOLD: usize = 20;

fn is_long() -> bool {
    std::env::var_os("STRONGROOM_LONG").is_some_and(|value| value == "1")
}

fn seed() -> u64 {
    let named = std::env::var("STRONGROOM_SEED").ok();
    named.and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// Of all there is to do, every so manieth is done.
fn every() -> usize {
    let named = std::env::var("STRONGROOM_EVERY").ok();
    named.and_then(|every| every.parse().ok()).unwrap_or(1).max(1)
}

/// Says something past the test harness, which keeps back what a passing test prints.
fn say(text: &str) {
    std::io::stderr()
        .write_all(format!("damage: {text}\n").as_bytes())
        .unwrap();
}

fn git(dir: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "nobody")
        .env("GIT_AUTHOR_EMAIL", "nobody@localhost")
        .env("GIT_COMMITTER_NAME", "nobody")
        .env("GIT_COMMITTER_EMAIL", "nobody@localhost")
        .output()
        .unwrap();
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

/// Somebody at a terminal that nobody types at, who remembers what they were warned of.
#[derive(Default)]
struct Quiet(RefCell<Vec<String>>);

impl Person for Quiet {
    fn passphrase(&self, _prompt: &str) -> Result<shared::Passphrase, Error> {
        Ok(shared::Passphrase::new(PASSPHRASE.to_owned()))
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

fn context<'a>(root: &Path, who: usize, person: &'a Quiet, held: Option<&'a Held>) -> Context<'a> {
    Context {
        held,
        places: Places::under(&root.join(PEOPLE[who])),
        clock: Clock::Fixed(Time::from_unix(NOW)),
        source: None,
        person,
        access: Access::given(Some("safety".into()), Some("what is to be done".into())).unwrap(),
    }
}

/// The devices of its people, unlocked.
fn unlock(root: &Path) -> Vec<Held> {
    let quiet = Quiet::default();
    let unlock = |who| Held::unlock(&context(root, who, &quiet, None)).unwrap();
    (0..PEOPLE.len()).map(unlock).collect()
}

/// What was sealed, as whoever sealed it knows it.
#[derive(Default)]
struct Truth {
    /// Title and text of each revision, by id and number.
    texts: BTreeMap<(String, u64), (String, String)>,
    /// Attachments by id and name.
    files: BTreeMap<(String, String), Vec<u8>>,
    /// What each person lists, by id, and the number of its newest revision.
    lists: [BTreeMap<String, u64>; 2],
    /// Notes that jon may not read.
    closed: BTreeSet<String>,
    destroyed: String,
}

/// A small vault and its people.
struct House {
    folder: tempfile::TempDir,
    held: Vec<Held>,
    truth: Truth,
}

impl House {
    fn new() -> Self {
        let mut house = Self {
            folder: tempfile::tempdir().unwrap(),
            held: Vec::new(),
            truth: Truth::default(),
        };
        house.move_in();
        house.held = unlock(house.root());
        let gate = house.add(MARA, "internal", "The north gate is shut.");
        house.add(MARA, "restricted", "The code of the safe is in the blue book.");
        house.attach(&gate, "gate.txt", &b"shut by the day shift\n".repeat(40));
        let gone = house.add(MARA, "internal", "What is to be destroyed.");
        let post = house.add(JON, "confidential", "The post was late.");
        house.edit(MARA, &gate, "The north gate is open.");
        house.pack();
        house.destroy(gone);
        let safe = house.add(MARA, "restricted", "The alarm is tested on Monday.");
        house.edit(MARA, &safe, "The alarm is tested on Tuesday.");
        house.add(JON, "named/@jon/@mara", "For the two of us.");
        house.add(MARA, "named", "For nobody else.");
        house.edit(MARA, &post, "The post was early.");
        house.brief(&gate);
        house.edit(JON, &post, "The post was on time.");
        house
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn with<T>(&self, who: usize, work: impl FnOnce(&Context<'_>) -> Result<T, Error>) -> T {
        let quiet = Quiet::default();
        work(&context(self.root(), who, &quiet, self.held.get(who))).unwrap()
    }

    /// Both become members; then there is one vault for both devices.
    fn move_in(&self) {
        let hub = self.root().join("hub.git");
        assert!(git(self.root(), &["init", "--quiet", "--bare", "hub.git"]).0);
        let url = hub.display().to_string();
        let new = Init {
            name: PEOPLE[MARA].into(),
            recovery_key: None,
            insist: false,
        };
        self.with(MARA, |context| init(context, &new));
        self.with(MARA, |context| add_remote(context, ORIGIN, &url));
        self.with(MARA, |context| sync(context, None));
        let file = self.root().join("request");
        self.with(JON, |context| clone_vault(context, &url, None));
        self.with(JON, |context| ask_for_membership(context, PEOPLE[JON], &file, false));
        let admission = Admission {
            file: file.clone(),
            clearance: Some("confidential".into()),
            compartments: Vec::new(),
            roles: Vec::new(),
            until: None,
            device_of: None,
        };
        self.with(MARA, |context| admit(context, &admission, &|_| Ok(())));
        self.with(JON, |context| sync(context, None));
        // With the first access they are in.
        self.with(JON, |context| list(context, &ListQuery::default()));
        self.with(JON, |context| sync(context, None));
        self.with(MARA, |context| sync(context, None));
        self.with(MARA, |context| remove_remote(context, ORIGIN));
        let own = self.root().join("jon/data/strongroom/vault");
        std::fs::remove_dir_all(&own).unwrap();
        std::os::unix::fs::symlink(Path::new("../../..").join(VAULT), own).unwrap();
        std::fs::remove_dir_all(hub).unwrap();
        std::fs::remove_file(file).unwrap();
    }

    fn add(&mut self, who: usize, label: &str, text: &str) -> String {
        let new = NewText {
            title: None,
            client: Some("Halcyon".into()),
            case: None,
            label: Some(label.into()),
            at: None,
            fields: Vec::new(),
            template: None,
        };
        let from = TextFrom::Caller(Box::new(|| Ok(text.as_bytes().to_vec())));
        let id = self.with(who, |context| add(context, new, from)).id.to_string();
        self.wrote(&id, 1, text, text);
        let open = ["internal", "confidential", "named/@jon/@mara"].contains(&label);
        self.truth.lists[MARA].insert(id.clone(), 1);
        match open {
            true => drop(self.truth.lists[JON].insert(id.clone(), 1)),
            false => drop(self.truth.closed.insert(id.clone())),
        }
        id
    }

    fn wrote(&mut self, id: &str, number: u64, title: &str, text: &str) {
        let known = (title.to_owned(), text.to_owned());
        self.truth.texts.insert((id.to_owned(), number), known);
        let lists = self.truth.lists.iter_mut();
        lists
            .filter_map(|list| list.get_mut(id))
            .for_each(|newest| *newest = number);
    }

    fn edit(&mut self, who: usize, id: &str, text: &str) {
        let from = TextFrom::Caller(Box::new(|| Ok(text.as_bytes().to_vec())));
        let number = self.truth.lists[MARA][id] + 1;
        let change = Change {
            title: Some(text.to_owned()),
            ..Change::default()
        };
        assert!(self.with(who, |context| edit(context, id, change, Some(from))).changed);
        self.wrote(id, number, text, text);
    }

    fn attach(&mut self, id: &str, name: &str, content: &[u8]) {
        let path = self.root().join("attached");
        std::fs::write(&path, content).unwrap();
        self.with(MARA, |context| attach(context, id, name, || open_file(&path)));
        std::fs::remove_file(path).unwrap();
        self.truth
            .files
            .insert((id.to_owned(), name.to_owned()), content.to_vec());
    }

    fn destroy(&mut self, id: String) {
        self.with(MARA, |context| destroy(context, &id, None));
        self.truth.texts.retain(|(of, _), _| *of != id);
        self.truth.lists.iter_mut().for_each(|list| {
            list.remove(&id);
        });
        self.truth.destroyed = id;
    }

    /// A draft that is released.
    fn brief(&mut self, source: &str) {
        let query = DraftQuery {
            sources: vec![source.to_owned()],
            profile: "no-names".into(),
            audience: Some("internal".into()),
            mask: Vec::new(),
            allow: Vec::new(),
            length: None,
            by_case: false,
            format: None,
        };
        let draft = self.with(MARA, |context| draft_brief(context, &query)).draft;
        let query = ReleaseQuery {
            draft: draft.to_string(),
            to: vec!["day shift".into()],
            format: None,
            expires: None,
            out: None,
        };
        let brief = self.with(MARA, |context| release_brief(context, &query));
        for id in [draft, brief.brief] {
            let shown = self.with(MARA, |context| show(context, &id.to_string(), None));
            let text = shown.body().into_owned();
            assert!(text.contains("north gate is open"), "{text}");
            let title = shown.note.metadata.title.clone();
            assert_ne!(shown.note.nature, Nature::Note);
            self.wrote(&id.to_string(), 1, &title, &text);
        }
    }

    /// What has gathered goes into a pack, though it is not yet as much as is worth one.
    fn pack(&self) {
        let repo = Repo::open(&self.root().join(VAULT), Settings::of_this_run()).unwrap();
        let lock = repo.lock(PATIENCE).unwrap();
        repo.recover(&lock).unwrap();
        assert!(repo.pack(&lock, 1..=4096).unwrap().is_some());
    }
}

/// Copies a folder, links as links.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path()).unwrap(), target).unwrap();
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Does `work` for each of `items`, on as many copies as there are processors; gives what came of it in order.
fn on_benches<T: Sync, R: Send>(house: &House, items: &[T], work: impl Fn(&Bench<'_>, &T) -> R + Sync) -> Vec<R> {
    let begun = std::time::Instant::now();
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let workers = std::thread::available_parallelism().map_or(1, |count| count.get());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let bench = Bench::new(house);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(number) else { break };
                    let result = work(&bench, item);
                    done.lock().unwrap().insert(number, result);
                }
            });
        }
    });
    let done = done.into_inner().unwrap();
    assert_eq!(done.len(), items.len());
    say(&format!(
        "{} done in {:.1} s",
        items.len(),
        begun.elapsed().as_secs_f32()
    ));
    done.into_values().collect()
}

/// What came of each kind of damage.
type Judged = Vec<(String, Result<Outcome, String>)>;

/// Counts what came out, by kind of damage, and gives the kinds that the gate alone sees, those that a deep look alone sees,
/// and those that can be without effect; nothing may have gone wrong.
fn tell(what: &str, outcomes: Judged) -> [BTreeSet<String>; 3] {
    let mut counts: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (kind, outcome) in &outcomes {
        let column = match outcome {
            Ok(outcome) => *outcome as usize,
            Err(why) => {
                wrong.push(format!("{kind}: {why}"));
                4
            }
        };
        counts.entry(kind).or_default()[column] += 1;
    }
    let columns = "seen, by the gate alone, by a deep look alone, without effect";
    say(&format!("{what}: {} times; {columns}:", outcomes.len()));
    for (kind, [seen, gate, deep, nothing, _]) in &counts {
        say(&format!("{seen:8} {gate:6} {deep:6} {nothing:6}  {kind}"));
    }
    let told: Vec<&String> = wrong.iter().take(TOLD).collect();
    assert!(wrong.is_empty(), "{} went wrong: {told:#?}", wrong.len());
    [Outcome::SeenByGate, Outcome::SeenDeep, Outcome::Nothing].map(|outcome| {
        let of_it = counts.iter().filter(|(_, counts)| counts[outcome as usize] > 0);
        of_it.map(|(kind, _)| (*kind).to_owned()).collect()
    })
}

/// What came of an attempt; of an error its kind and its words.
type Came<T> = Result<T, (Kind, String)>;

fn came<T>(done: Result<T, Error>) -> Came<T> {
    done.map_err(|error| (error.kind, error.message))
}

/// Whether an error says that something is wrong, and not just that something is not there for this person.
fn says_so((kind, words): &(Kind, String)) -> bool {
    *kind != Kind::Usage && !words.starts_with("no note `") && !words.starts_with("no revision `")
}

/// A plaintext that was given out.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Given {
    /// Number, title and text of a revision.
    Text(u64, String, String),
    File(Vec<u8>),
}

/// What a vault says of itself and gives out.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Look {
    /// The verdict, and the cases of all that is told.
    verified: Came<(Verdict, Vec<u8>)>,
    /// What each person lists: id, number and title.
    listed: Vec<Came<BTreeSet<(String, u64, String)>>>,
    /// What each person was given, by what they asked for.
    given: BTreeMap<(usize, String, String), Came<Given>>,
    /// What they were warned of.
    said: BTreeSet<String>,
}

impl Look {
    fn is_intact(&self) -> bool {
        matches!(self.verified, Ok((Verdict::Intact, _)))
    }

    /// Whether anything in it says that something is wrong.
    fn is_alarmed(&self) -> bool {
        let listed = self.listed.iter().filter_map(|listed| listed.as_ref().err());
        let given = self.given.values().filter_map(|given| given.as_ref().err());
        !self.is_intact() || !self.said.is_empty() || listed.chain(given).any(says_so)
    }

    /// What was given out and is not what was sealed.
    fn lies(&self, truth: &Truth) -> Vec<String> {
        let mut lies = Vec::new();
        for ((who, id, what), given) in &self.given {
            let true_one = match given {
                Err(_) => true,
                Ok(Given::Text(number, title, text)) => {
                    let known = truth.texts.get(&(id.clone(), *number));
                    let asked = what.parse().map_or(true, |asked: u64| asked == *number);
                    asked && known == Some(&(title.clone(), text.clone()))
                }
                Ok(Given::File(content)) => truth.files.get(&(id.clone(), what.clone())) == Some(content),
            };
            if !true_one {
                lies.push(format!("{} was given {given:?} for {id} {what}", PEOPLE[*who]));
            }
        }
        for (who, listed) in self.listed.iter().enumerate() {
            for (id, number, title) in listed.iter().flatten() {
                let known = truth.texts.get(&(id.clone(), *number));
                let readable = truth.lists[who].contains_key(id);
                if !readable || known.is_none_or(|(known, _)| known != title) {
                    lies.push(format!("{} was listed {id}, {number}, {title}", PEOPLE[who]));
                }
            }
        }
        lies
    }
}

/// How damage came out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    /// The verifier says so.
    Seen,
    /// The verifier finds nothing, and the gate refuses or warns.
    SeenByGate,
    /// Nothing says so, but for a verifier that looks at all there is.
    SeenDeep,
    /// All is as it was.
    Nothing,
}

/// A file, or a link and where it leads.
#[derive(PartialEq, Eq)]
enum Kept {
    File(Vec<u8>),
    Link(PathBuf),
    Folder,
}

impl Kept {
    fn read(path: &Path) -> Self {
        let kind = std::fs::symlink_metadata(path).unwrap().file_type();
        match (kind.is_dir(), kind.is_symlink()) {
            (true, _) => Self::Folder,
            (_, true) => Self::Link(std::fs::read_link(path).unwrap()),
            _ => Self::File(std::fs::read(path).unwrap()),
        }
    }
}

/// All that lies in a folder, by its path below `root`.
fn keep(root: &Path, folder: &Path, kept: &mut BTreeMap<PathBuf, Kept>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = Kept::read(&path);
        if found == Kept::Folder {
            keep(root, &path, kept);
        }
        kept.insert(path.strip_prefix(root).unwrap().to_owned(), found);
    }
}

/// Removes from a folder what is not as it was; tells of the rest.
fn clear(root: &Path, folder: &Path, kept: &BTreeMap<PathBuf, Kept>, there: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let (below, found) = (path.strip_prefix(root).unwrap().to_owned(), Kept::read(&path));
        if kept.get(&below) == Some(&found) {
            if found == Kept::Folder {
                clear(root, &path, kept, there);
            }
            there.insert(below);
        } else if found == Kept::Folder {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }
}

/// A copy of a house to be damaged, with its people's devices unlocked.
struct Bench<'h> {
    house: &'h House,
    folder: tempfile::TempDir,
    held: Vec<Held>,
    kept: BTreeMap<PathBuf, Kept>,
    good: Look,
}

impl<'h> Bench<'h> {
    fn new(house: &'h House) -> Self {
        // To unlock is an entry, made in a copy that is thrown away.
        let other = tempfile::tempdir().unwrap();
        copy(house.root(), other.path());
        let held = unlock(other.path());
        let folder = tempfile::tempdir().unwrap();
        copy(house.root(), folder.path());
        let mut kept = BTreeMap::new();
        keep(folder.path(), folder.path(), &mut kept);
        let mut bench = Self {
            house,
            folder,
            held,
            kept,
            good: Look {
                verified: Ok((Verdict::Intact, Vec::new())),
                listed: Vec::new(),
                given: BTreeMap::new(),
                said: BTreeSet::new(),
            },
        };
        bench.good = bench.look(false);
        bench.restore();
        bench.assert_good();
        assert!(bench.is_intact_deep());
        bench
    }

    /// What is not damaged is intact, and gives out all that there is.
    fn assert_good(&self) {
        let (good, truth) = (&self.good, &self.house.truth);
        assert!(!good.is_alarmed(), "{good:?}");
        assert_eq!(good.lies(truth), Vec::<String>::new());
        for (who, listed) in good.listed.iter().enumerate() {
            let listed: BTreeMap<String, u64> = listed
                .iter()
                .flatten()
                .map(|(id, number, _)| (id.clone(), *number))
                .collect();
            assert_eq!(listed, truth.lists[who], "{}", PEOPLE[who]);
        }
        let given = good.given.iter().filter(|(_, given)| given.is_ok());
        let of_mara: BTreeSet<(String, String)> = given
            .clone()
            .filter(|((who, ..), _)| *who == MARA)
            .map(|((_, id, what), _)| (id.clone(), what.clone()))
            .collect();
        let texts = truth.texts.keys().map(|(id, number)| (id.clone(), number.to_string()));
        let all: BTreeSet<(String, String)> = texts.chain(truth.files.keys().cloned()).collect();
        assert_eq!(of_mara, all);
        assert!(given.filter(|((who, ..), _)| *who == JON).count() >= 6);
    }

    fn vault(&self) -> PathBuf {
        self.folder.path().join(VAULT)
    }

    /// All that its people can see. With `remembering` they know the vault from before.
    fn look(&self, remembering: bool) -> Look {
        let quiet = Quiet::default();
        let at = |who: usize| context(self.folder.path(), who, &quiet, Some(&self.held[who]));
        if !remembering {
            self.held.iter().for_each(Held::forget);
        }
        let verified = came(verify(&at(MARA), None, &[], None, false)).map(|report| {
            let told = report.problems.iter().chain(&report.unknown).chain(&report.findings);
            let mut cases: Vec<u8> = told.map(|problem| problem.case).collect();
            cases.sort_unstable();
            cases.dedup();
            (report.verdict, cases)
        });
        let (mut listed, mut given) = (Vec::new(), BTreeMap::new());
        let out = self.folder.path().join("out");
        for who in 0..PEOPLE.len() {
            let lines = came(list(&at(who), &ListQuery::default()));
            listed.push(lines.map(|lines| {
                let line = |line: NoteLine| {
                    let metadata = &line.listed.metadata;
                    (line.listed.note.to_string(), metadata.number, metadata.title.clone())
                };
                lines.into_iter().map(line).collect()
            }));
            let truth = &self.house.truth;
            // What is not for jon is asked for once, as what is not there.
            let passed: Vec<&String> = truth.closed.iter().skip(1).collect();
            let asks = |id: &String| who == MARA || !passed.contains(&id);
            let texts = truth.texts.keys().filter(|(id, _)| asks(id));
            let texts = texts.map(|(id, number)| (id, number.to_string()));
            let gone = (&truth.destroyed, "1".to_owned());
            for (id, what) in texts.chain([gone]) {
                let shown = came(show(&at(who), id, Some(&what)));
                let shown = shown.map(|shown| {
                    let metadata = &shown.note.metadata;
                    Given::Text(metadata.number, metadata.title.clone(), shown.body().into_owned())
                });
                given.insert((who, id.clone(), what), shown);
            }
            for (id, name) in truth.files.keys() {
                let extracted = came(extract(&at(who), id, name, Place::New(Some(out.clone()))));
                let extracted = extracted.map(|_| Given::File(std::fs::read(&out).unwrap()));
                assert_eq!(out.exists(), extracted.is_ok(), "half of {name}");
                let _ = std::fs::remove_file(&out);
                given.insert((who, id.clone(), name.clone()), extracted);
            }
        }
        let said = quiet.0.into_inner().into_iter().collect();
        Look {
            verified,
            listed,
            given,
            said,
        }
    }

    /// Does damage to the copy, judges what comes of it, and puts the copy back; an error says what went wrong.
    fn judge(&self, damage: &dyn Fn(&Path), remembering: bool) -> Result<Outcome, String> {
        let damage = || {
            if remembering {
                self.remember();
            }
            damage(&self.vault());
        };
        damage();
        let looked = catch_unwind(AssertUnwindSafe(|| self.look(remembering)));
        self.restore();
        let judged = match looked {
            Err(_) => Err("it panicked".to_owned()),
            Ok(look) => self.judge_look(&look),
        };
        match judged {
            Ok(Outcome::Nothing) => {
                damage();
                let deep = catch_unwind(AssertUnwindSafe(|| self.is_intact_deep()));
                self.restore();
                match deep {
                    Err(_) => Err("it panicked on a deep look".to_owned()),
                    Ok(true) => Ok(Outcome::Nothing),
                    Ok(false) => Ok(Outcome::SeenDeep),
                }
            }
            judged => judged,
        }
    }

    /// Has everybody learn what there is.
    fn remember(&self) {
        let quiet = Quiet::default();
        for (who, held) in self.held.iter().enumerate() {
            held.forget();
            list(
                &context(self.folder.path(), who, &quiet, Some(held)),
                &ListQuery::default(),
            )
            .unwrap();
        }
    }

    fn is_intact_deep(&self) -> bool {
        let quiet = Quiet::default();
        let context = context(self.folder.path(), MARA, &quiet, None);
        verify(&context, None, &[], None, true).is_ok_and(|report| report.verdict == Verdict::Intact)
    }

    /// Makes the copy what it was.
    fn restore(&self) {
        let root = self.folder.path();
        let mut there = BTreeSet::new();
        clear(root, root, &self.kept, &mut there);
        for (path, kept) in &self.kept {
            if there.contains(path) {
                continue;
            }
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            match kept {
                Kept::File(content) => std::fs::write(path, content).unwrap(),
                Kept::Link(to) => std::os::unix::fs::symlink(to, path).unwrap(),
                Kept::Folder => std::fs::create_dir_all(path).unwrap(),
            }
        }
    }

    fn judge_look(&self, look: &Look) -> Result<Outcome, String> {
        let lies = look.lies(&self.house.truth);
        if !lies.is_empty() {
            return Err(lies.join("; "));
        }
        if *look == self.good {
            return Ok(Outcome::Nothing);
        }
        match look.is_alarmed() {
            true if look.is_intact() => Ok(Outcome::SeenByGate),
            true => Ok(Outcome::Seen),
            false => Err(format!("nothing says that anything is wrong: {}", self.differs(look))),
        }
    }

    fn differs(&self, look: &Look) -> String {
        let mut words = vec![format!("{:?}", look.verified)];
        for (who, (now, before)) in look.listed.iter().zip(&self.good.listed).enumerate() {
            if now != before {
                words.push(format!("{} lists {now:?}, and before {before:?}", PEOPLE[who]));
            }
        }
        for (asked, now) in &look.given {
            if self.good.given.get(asked) != Some(now) {
                words.push(format!("{asked:?} gives {now:?}"));
            }
        }
        words.join("\n  ")
    }
}
