//! Computers of one person, each with a vault of its own, and a bare repository between them that anything may happen to.

mod parts;
mod races;
mod witnesses;

use super::super::*;
use super::PASSPHRASE;
use crate::chain::Time;
use crate::id::LogName;
use crate::repo::{Repo, Settings};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Somebody who is told things, and whose git may be held up.
#[derive(Default)]
struct Sitting<'a> {
    warned: RefCell<Vec<String>>,
    /// Done before git pushes, so often.
    meanwhile: Option<&'a dyn Fn()>,
    times: Cell<usize>,
    /// Branches of which no transfer comes to its end.
    torn: Vec<String>,
    /// Where it is stopped that it does not come to its end, with all of it there by then.
    stops: Stops,
    /// How often git was asked to do what.
    jobs: RefCell<Vec<&'static str>>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Stops {
    #[default]
    Never,
    Apart,
    Everywhere,
}

impl Person for Sitting<'_> {
    fn passphrase(&self, _prompt: &str) -> Result<shared::Passphrase, Error> {
        Ok(shared::Passphrase::new(PASSPHRASE.to_owned()))
    }

    fn warn(&self, text: &str) {
        let told = (!text.contains("further device")).then(|| text.to_owned());
        self.warned.borrow_mut().extend(told);
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
        let asked = |what: &&str| job.arguments.iter().any(|word| word == what);
        let what = ["ls-remote", "fetch", "push"].into_iter().find(asked).unwrap();
        self.jobs.borrow_mut().push(what);
        if what == "push" && self.times.get() > 0 {
            self.times.set(self.times.get() - 1);
            self.meanwhile.into_iter().for_each(|done| done());
        }
        let has = |text: &str| job.arguments.iter().any(|word| word.to_string_lossy().contains(text));
        let whole = has("/*:");
        if what == "fetch" && self.torn.iter().any(|torn| whole || has(&format!("{torn}:"))) {
            let stopped = match self.stops {
                Stops::Never => false,
                Stops::Apart => !whole,
                Stops::Everywhere => true,
            };
            if stopped {
                assert!(run_git(job, false, &|_| {})?.succeeded);
            }
            return Ok(GitEnded {
                stopped,
                ..GitEnded::default()
            });
        }
        run_git(job, false, &|_| {})
    }
}

/// What lies outside of all computers.
struct World(tempfile::TempDir);

impl World {
    /// A bare repository and one computer, whose vault has it as its remote.
    fn new() -> (Self, Computer) {
        let world = Self(tempfile::tempdir().unwrap());
        git(&world.0.path().join("."), &["init", "--quiet", "--bare", "hub.git"]);
        let first = world.computer("first");
        let init = Init {
            name: "mara".into(),
            recovery_key: Some(world.0.path().join("key")),
            insist: false,
        };
        super::super::init(&first.context(&Sitting::default()), &init).unwrap();
        add_remote(&first.context(&Sitting::default()), ORIGIN, &world.hub_url()).unwrap();
        first.quiet_sync();
        (world, first)
    }

    fn computer(&self, name: &str) -> Computer {
        Computer {
            root: self.0.path().join(name),
        }
    }

    /// A computer on which the person came back in with the recovery key.
    fn another(&self, name: &str) -> Computer {
        let other = self.computer(name);
        let person = Sitting::default();
        clone_vault(&other.context(&person), &self.hub_url(), None).unwrap();
        recover(&other.context(&person), &self.0.path().join("key"), false).unwrap();
        other.quiet_sync();
        other
    }

    fn hub(&self) -> PathBuf {
        self.0.path().join("hub.git")
    }

    fn hub_url(&self) -> String {
        self.hub().display().to_string()
    }

    fn git(&self, arguments: &[&str]) -> String {
        git(&self.hub(), arguments)
    }

    fn refs(&self) -> BTreeMap<String, String> {
        let text = self.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(name, oid)| (name.to_owned(), oid.to_owned()))
            .collect()
    }

    /// Puts the repository back to how it was while `act` was about to begin.
    fn rolled_back(&self, act: impl FnOnce()) {
        let kept = self.0.path().join("kept.git");
        copy(&self.hub(), &kept);
        act();
        std::fs::remove_dir_all(self.hub()).unwrap();
        std::fs::rename(&kept, self.hub()).unwrap();
    }
}

/// Stock git, with nobody's configuration.
fn git(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .arg("-C")
        .arg(dir)
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}

struct Computer {
    root: PathBuf,
}

impl Computer {
    fn context<'a>(&self, person: &'a dyn Person) -> Context<'a> {
        Context {
            held: None,
            places: Places::under(&self.root),
            clock: Clock::Fixed(Time::from_unix(1_795_253_400)),
            source: None,
            person,
            access: Access::given(Some("duty".to_owned()), Some("sync".to_owned())).unwrap(),
        }
    }

    fn vault(&self) -> PathBuf {
        Places::under(&self.root).vault()
    }

    fn add(&self, text: &str) -> String {
        let new = NewText {
            title: Some(text.to_owned()),
            client: None,
            case: None,
            label: Some("internal".to_owned()),
            at: None,
            fields: Vec::new(),
            template: None,
        };
        let bytes = text.as_bytes().to_vec();
        let from = TextFrom::Caller(Box::new(move || Ok(bytes.clone())));
        add(&self.context(&Sitting::default()), new, from)
            .unwrap()
            .id
            .to_string()
    }

    fn edit(&self, id: &str, title: &str) {
        let change = Change {
            title: Some(title.to_owned()),
            ..Change::default()
        };
        edit(&self.context(&Sitting::default()), id, change, None).unwrap();
    }

    fn destroy(&self, id: &str) {
        destroy(&self.context(&Sitting::default()), id, None).unwrap();
    }

    fn titles(&self) -> Vec<String> {
        let lines = list(&self.context(&Sitting::default()), &ListQuery::default()).unwrap();
        let mut titles: Vec<String> = lines.iter().map(|line| line.listed.metadata.title.clone()).collect();
        titles.sort();
        titles
    }

    fn sync_as(&self, person: &Sitting<'_>) -> Synced {
        sync(&self.context(person), None).unwrap().pop().unwrap()
    }

    fn sync(&self) -> Synced {
        self.sync_as(&Sitting::default())
    }

    /// Nothing is wrong, and nobody is warned.
    fn quiet_sync(&self) -> Synced {
        let person = Sitting::default();
        let done = self.sync_as(&person);
        assert_eq!(
            (done.worst(), person.warned.take()),
            (None, Vec::<String>::new()),
            "{done:?}"
        );
        done
    }

    fn refs(&self) -> BTreeMap<String, String> {
        let repo = Repo::open(&self.vault(), Settings::of_this_run()).unwrap();
        let refs = repo.refs("refs/").unwrap().into_iter();
        refs.map(|(name, oid)| (name, oid.to_string())).collect()
    }

    fn assert_intact(&self) {
        let report = verify(&self.context(&Sitting::default()), None, &[], None, true).unwrap();
        assert_eq!((report.problems, report.unknown), (Vec::new(), Vec::new()));
    }

    fn log(&self) -> LogName {
        let places = Places::under(&self.root);
        let file = self.context(&Sitting::default()).identity_file().unwrap();
        let mark = crate::ledger::HighWater::read_unauthenticated(&places.state(&file.vault, &file.device));
        mark.unwrap().unwrap().log
    }

    fn log_ref(&self) -> String {
        format!("refs/heads/audit/{}", self.log())
    }

    fn holds(&self, oid: &str) -> bool {
        let vault = self.vault().display().to_string();
        Command::new("git")
            .args(["--git-dir", &vault, "cat-file", "-e", oid])
            .output()
            .unwrap()
            .status
            .success()
    }
}

/// The cases of what is wrong, each with how bad it is.
fn cases(done: &Synced) -> Vec<(Option<u8>, Kind)> {
    let mut cases: Vec<_> = done
        .problems
        .iter()
        .map(|problem| (problem.case, problem.kind))
        .collect();
    cases.sort_by_key(|(case, _)| *case);
    cases.dedup();
    cases
}

#[test]
fn what_two_computers_record_is_on_both_and_then_they_are_at_rest() {
    let (world, a) = World::new();
    a.add("one");
    a.quiet_sync();
    let b = world.another("second");
    b.add("two");
    a.add("three");
    let done = a.quiet_sync();
    assert!(done.rules && done.logs == 1 && done.pushed > 0, "{done:?}");
    assert_eq!(b.quiet_sync().entries, 1);
    assert_eq!(a.quiet_sync().entries, 1);
    let before = (world.refs(), a.refs(), b.refs());
    assert_eq!(before.0, before.1);
    assert_eq!(before.0, before.2);
    for computer in [&a, &b] {
        let person = Sitting::default();
        let done = computer.sync_as(&person);
        assert_eq!((done.pushed, done.entries, done.worst()), (0, 0, None));
        assert_eq!(person.jobs.take(), ["ls-remote"]);
        computer.assert_intact();
    }
    assert_eq!((world.refs(), a.refs(), b.refs()), before);
    assert_eq!(a.titles(), ["one", "three", "two"]);
    assert_eq!(b.titles(), a.titles());
    world.git(&["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn what_is_destroyed_leaves_the_remote_and_the_other_computer() {
    let (world, a) = World::new();
    let (kept, gone) = (a.add("kept"), a.add("gone"));
    a.quiet_sync();
    let b = world.another("second");
    a.quiet_sync();
    let shard = format!("refs/heads/notes/{}", &gone[..2]);
    let blob = world.git(&["ls-tree", "-r", &shard]);
    let blob = blob
        .lines()
        .find(|line| line.contains(&gone))
        .unwrap()
        .split_whitespace()
        .nth(2)
        .unwrap()
        .to_owned();
    a.destroy(&gone);
    assert!(!a.holds(&blob) && b.holds(&blob));
    let person = Sitting::default();
    assert_eq!(a.sync_as(&person).worst(), None);
    // What was destroyed is not fetched again to find that out.
    assert_eq!(person.jobs.take(), ["ls-remote", "push"]);
    world.git(&["cat-file", "-e", &blob]);
    world.git(&["gc", "--quiet", "--prune=now"]);
    assert!(
        !Command::new("git")
            .arg("-C")
            .arg(world.hub())
            .args(["cat-file", "-e", &blob])
            .output()
            .unwrap()
            .status
            .success()
    );
    b.quiet_sync();
    assert!(!b.holds(&blob) && !a.holds(&blob));
    let titles = vec!["kept".to_owned()];
    assert_eq!((a.titles(), b.titles()), (titles.clone(), titles));
    a.assert_intact();
    b.assert_intact();
    assert_ne!(kept, gone);
}

#[test]
fn what_was_written_to_a_note_that_was_destroyed_elsewhere_is_set_aside_and_told() {
    let (world, a) = World::new();
    let note = a.add("one");
    a.quiet_sync();
    let b = world.another("second");
    a.quiet_sync();
    b.edit(&note, "two");
    a.destroy(&note);
    a.quiet_sync();
    let done = b.quiet_sync();
    assert_eq!(done.set_aside.len(), 2, "{done:?}");
    assert_eq!(a.quiet_sync().set_aside, []);
    assert!(a.titles().is_empty() && b.titles().is_empty());
}

#[test]
fn case_18_a_remote_that_was_rolled_back_is_told_of_and_put_right_again() {
    let (world, a) = World::new();
    let b = world.another("second");
    a.quiet_sync();
    world.rolled_back(|| {
        a.add("one");
        a.quiet_sync();
        b.quiet_sync();
    });
    let behind = world.refs();
    let done = b.sync();
    assert_eq!(cases(&done), [(Some(18), Kind::Tampered)]);
    assert_eq!(done.problems[0].log, Some(a.log()));
    let evidence = std::fs::read_to_string(done.evidence.unwrap()).unwrap();
    let shown = format!("{}\t{}\n", behind[&a.log_ref()], a.log_ref());
    assert!(evidence.contains(&shown), "{evidence}");
    // What it lacked went there again, by whoever noticed.
    assert_eq!(world.refs(), b.refs());
    assert_eq!(
        (a.titles(), b.titles()),
        (vec!["one".to_owned()], vec!["one".to_owned()])
    );
    b.quiet_sync();
    a.quiet_sync();
}

#[test]
fn case_18_a_log_that_was_deleted_at_the_remote_and_a_remote_that_was_emptied_are_told_of() {
    let (world, a) = World::new();
    let b = world.another("second");
    a.quiet_sync();
    b.quiet_sync();
    world.git(&["update-ref", "-d", &b.log_ref()]);
    let done = a.sync();
    assert_eq!(cases(&done), [(Some(18), Kind::Tampered)]);
    assert!(done.problems[0].message.contains("is gone"), "{done:?}");
    assert_eq!(world.refs(), a.refs());
    a.quiet_sync();
    std::fs::remove_dir_all(world.hub()).unwrap();
    git(world.0.path(), &["init", "--quiet", "--bare", "hub.git"]);
    let done = b.sync();
    assert_eq!(
        (cases(&done), done.problems.len()),
        (vec![(Some(18), Kind::Tampered)], 2)
    );
    assert_eq!(world.refs(), b.refs());
    a.quiet_sync();
    // Without members and rules nothing there can be judged: nothing is pushed over it.
    world.git(&["update-ref", "-d", "refs/heads/main"]);
    a.add("one");
    let before = world.refs();
    let done = a.sync();
    assert_eq!(
        (done.worst(), done.pushed, world.refs()),
        (Some(Kind::Failed), 0, before),
        "{done:?}"
    );
}

#[test]
fn a_rewritten_log_is_left_out_never_overwritten_and_stops_nothing_else() {
    let (world, a) = World::new();
    let (b, c) = (world.another("second"), world.another("third"));
    a.quiet_sync();
    b.add("of b");
    b.quiet_sync();
    c.add("of c");
    c.quiet_sync();
    // Somebody puts a commit there that no device signed.
    let tree = world.git(&["rev-parse", &format!("{}^{{tree}}", b.log_ref())]);
    let forged = Command::new("git")
        .arg("-C")
        .arg(world.hub())
        .args([
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@y",
            "commit-tree",
            "-m",
            "not an entry",
            &tree,
        ])
        .output()
        .unwrap();
    let forged = String::from_utf8(forged.stdout).unwrap().trim().to_owned();
    world.git(&["update-ref", &b.log_ref(), &forged]);
    a.add("of a");
    let done = a.sync();
    assert_eq!(done.worst(), Some(Kind::Tampered), "{done:?}");
    assert!(
        done.problems.iter().any(|problem| problem.log == Some(b.log())),
        "{done:?}"
    );
    assert_eq!(a.titles(), ["of a", "of c"], "{done:?}");
    assert_eq!(world.refs()[&b.log_ref()], forged);
    assert!(
        done.pushed > 0 && done.held_back.iter().any(|(branch, _)| b.log_ref().ends_with(branch)),
        "{done:?}"
    );
    // The device itself keeps what it has, and all that others recorded goes on to be exchanged.
    let done = b.sync();
    assert_eq!(done.worst(), Some(Kind::Tampered));
    assert_eq!(b.titles(), ["of a", "of b", "of c"]);
    c.sync();
    assert_eq!(c.titles(), ["of a", "of b", "of c"]);
    // Once whoever runs the remote takes it away, all is well again.
    world.git(&["update-ref", "-d", &b.log_ref()]);
    b.sync();
    a.sync();
    a.quiet_sync();
    assert_eq!(a.titles(), ["of a", "of b", "of c"]);
    a.assert_intact();
}

#[test]
fn a_device_that_was_copied_forks_its_log_and_both_histories_are_kept_everywhere() {
    let (world, a) = World::new();
    let b = world.another("second");
    a.quiet_sync();
    let thief = world.computer("thief");
    copy(&b.root, &thief.root);
    let log = b.log();
    b.add("honest");
    thief.add("stolen");
    thief.add("stolen too");
    thief.quiet_sync();
    a.quiet_sync();
    // The true device finds another history under its own name, keeps both, and goes on in a new log.
    let person = Sitting::default();
    let done = b.sync_as(&person);
    assert_eq!(
        (done.worst(), done.problems[0].log),
        (Some(Kind::Tampered), Some(log)),
        "{done:?}"
    );
    assert!(person.warned.take().iter().any(|told| told.contains("two histories")));
    assert_ne!(b.log(), log);
    assert!(
        world.refs().keys().any(|name| name.contains("-fork-")),
        "{:?}",
        world.refs()
    );
    let done = a.sync();
    assert_eq!(done.worst(), Some(Kind::Tampered), "{done:?}");
    for computer in [&a, &b] {
        assert_eq!(computer.titles(), ["honest", "stolen", "stolen too"]);
        let report = verify(&computer.context(&Sitting::default()), None, &[], None, false).unwrap();
        let told: std::collections::BTreeSet<u8> = report.problems.iter().map(|problem| problem.case).collect();
        assert_eq!(told, [43].into(), "{:?}", report.problems);
    }
    // It comes to rest, and stays told of by the verifier.
    b.sync();
    a.sync();
    b.sync();
    let before = world.refs();
    a.sync();
    b.sync();
    assert_eq!(world.refs(), before);
    // Until a lead has looked at both.
    let joined = |computer: &Computer| rejoin(&computer.context(&Sitting::default()), "mara").unwrap().logs;
    let logs: Vec<_> = joined(&a).into_iter().map(|(log, _)| log).collect();
    assert_eq!((logs, joined(&a).len()), (vec![log], 0));
    for computer in [&b, &a] {
        assert_eq!(computer.sync().worst(), None);
        computer.assert_intact();
    }
}

#[test]
fn a_vault_that_was_put_back_from_a_backup_takes_what_it_lost_from_the_remote() {
    let (world, a) = World::new();
    let b = world.another("second");
    a.quiet_sync();
    let old = world.0.path().join("old");
    copy(&b.vault(), &old);
    let note = b.add("later");
    b.quiet_sync();
    std::fs::remove_dir_all(b.vault()).unwrap();
    std::fs::rename(&old, b.vault()).unwrap();
    let refused = list(&b.context(&Sitting::default()), &ListQuery::default())
        .err()
        .unwrap();
    assert_eq!(refused.kind, Kind::Tampered);
    let person = Sitting::default();
    let done = b.sync_as(&person);
    assert_eq!((done.worst(), done.entries), (None, 1), "{done:?}");
    assert!(person.warned.take()[0].contains("was older than what this device wrote"));
    assert_eq!(b.titles(), ["later"]);
    b.edit(&note, "latest");
    b.quiet_sync();
    a.quiet_sync();
    a.assert_intact();
    b.assert_intact();
}

#[test]
fn strays_and_junk_at_the_remote_are_named_left_there_and_stop_nothing() {
    let (world, a) = World::new();
    let b = world.another("second");
    a.quiet_sync();
    b.add("of b");
    b.quiet_sync();
    std::fs::write(world.0.path().join("junk"), vec![b'x'; 100_000]).unwrap();
    let junk = world.git(&["hash-object", "-w", "../junk"]);
    // A commit of a folder with one file of that name.
    let commit = |name: &str| {
        let entry = format!("100644 blob {junk}\t{name}");
        let path = world.0.path().join("tree");
        std::fs::write(&path, format!("{entry}\n")).unwrap();
        let script = format!("git mktree < '{}'", path.display());
        let tree = Command::new("sh")
            .arg("-c")
            .arg(script)
            .current_dir(world.hub())
            .output()
            .unwrap();
        let tree = String::from_utf8(tree.stdout).unwrap();
        world.git(&[
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@y",
            "commit-tree",
            "-m",
            "x",
            tree.trim(),
        ])
    };
    let stray = commit("junk");
    for name in [
        "heads/junk",
        "heads/audit/nonsense",
        "heads/audit/torn",
        "heads/notes/zz",
        "heads/keys/zz/x",
        "tags/x",
        "notes/commits",
    ] {
        world.git(&["update-ref", &format!("refs/{name}"), &stray]);
    }
    let witness = commit(&b.log().to_string());
    world.git(&["update-ref", "refs/heads/witness/mallory", &witness]);
    std::fs::write(world.hub().join("refs/heads/audit/torn"), "").unwrap();
    let free = (0..=255)
        .map(|n| format!("refs/heads/notes/{n:02x}"))
        .find(|name| !world.refs().contains_key(name));
    let free = free.unwrap();
    std::fs::write(world.hub().join(&free), format!("{}\n", "1".repeat(40))).unwrap();
    a.add("of a");
    let person = Sitting::default();
    let done = a.sync_as(&person);
    // The one that leads nowhere is named; the rest came, though git takes no push beside the torn one.
    assert_eq!((done.worst(), done.entries), (Some(Kind::Failed), 1), "{done:?}");
    let told: Vec<&str> = done.problems.iter().map(|problem| problem.message.as_str()).collect();
    assert!(
        told.len() == 1 && told[0].contains(&format!("`{free}` did not come")),
        "{told:?}"
    );
    std::fs::remove_file(world.hub().join(&free)).unwrap();
    let strays = [
        "heads/audit/nonsense",
        "heads/audit/torn",
        "heads/junk",
        "heads/keys/zz/x",
        "heads/notes/zz",
        "notes/commits",
        "tags/x",
    ];
    assert_eq!(done.strays, strays.map(|name| format!("refs/{name}")));
    let warned = person.warned.take();
    assert!(warned.len() == 1 && warned[0].contains("witness/mallory"), "{warned:?}");
    assert_eq!(a.titles(), ["of a", "of b"]);
    assert!(!a.holds(&junk) && !a.holds(&stray));
    assert!(
        a.refs()
            .keys()
            .all(|name| !name.contains("junk") && !name.contains("witness"))
    );
    a.assert_intact();
    std::fs::remove_file(world.hub().join("refs/heads/audit/torn")).unwrap();
    let done = a.sync();
    assert!(done.worst().is_none() && done.pushed > 0, "{done:?}");
    assert_eq!(world.refs()["refs/heads/junk"], stray);
    // A file that stands in no entry is not taken, and gone with the next push to that branch.
    let shard = world
        .refs()
        .into_keys()
        .find(|name| name.starts_with("refs/heads/notes/") && !name.contains("zz"))
        .unwrap();
    world.git(&[
        "update-ref",
        &shard,
        &commit(&format!("{}.{}", "0".repeat(32), "5".repeat(64))),
    ]);
    let done = a.sync();
    assert!(!a.holds(&junk));
    assert_eq!(world.refs()[&shard], a.refs()[&shard], "{done:?}");
    b.sync();
    b.assert_intact();
}

#[test]
fn case_19_a_remote_that_keeps_something_back_is_told_of() {
    let (world, a) = World::new();
    let (b, c) = (world.another("second"), world.another("third"));
    a.quiet_sync();
    c.add("of c");
    c.quiet_sync();
    b.quiet_sync();
    // Its entry has seen what the third wrote.
    b.add("of b");
    let old = a.refs()[&c.log_ref()].clone();
    b.quiet_sync();
    world.git(&["update-ref", &c.log_ref(), &old]);
    let done = a.sync();
    assert_eq!(cases(&done), [(Some(19), Kind::Unknown)], "{done:?}");
    assert_eq!(done.problems[0].log, Some(c.log()));
    assert_eq!(a.titles(), ["of b"]);
    // Whoever has it brings it.
    assert_eq!(cases(&c.sync()), [(Some(18), Kind::Tampered)]);
    a.quiet_sync();
    assert_eq!(a.titles(), ["of b", "of c"]);
}

#[test]
fn where_nobody_answers_nothing_is_lost_and_other_remotes_are_synced_all_the_same() {
    let (world, a) = World::new();
    a.add("one");
    let hub = world.hub();
    let away = world.0.path().join("away.git");
    std::fs::rename(&hub, &away).unwrap();
    let done = a.sync();
    assert_eq!(done.worst(), Some(Kind::Failed));
    let failed = done.failed.unwrap();
    assert!(failed.message.starts_with("the remote cannot be reached: "), "{failed}");
    assert_eq!(
        failed.hints,
        ["nothing was lost: what is recorded here goes with the next sync"]
    );
    add_remote(&a.context(&Sitting::default()), "stick", &away.display().to_string()).unwrap();
    let done = sync(&a.context(&Sitting::default()), None).unwrap();
    assert_eq!(
        done.iter().map(Synced::worst).collect::<Vec<_>>(),
        [Some(Kind::Failed), None]
    );
    assert!(done[1].pushed > 0);
    remove_remote(&a.context(&Sitting::default()), ORIGIN).unwrap();
    assert_eq!(list_remotes(&a.context(&Sitting::default())).unwrap().len(), 1);
    a.quiet_sync();
    assert!(!a.vault().join("strongroom.syncing").exists());
    assert_eq!(
        sync(&a.context(&Sitting::default()), Some("origin")).unwrap_err().kind,
        Kind::Usage
    );
}

#[test]
fn another_vault_or_another_repository_is_not_written_to() {
    let (world, a) = World::new();
    let (other, b) = World::new();
    let person = Sitting::default();
    for (name, url) in [
        ("other", other.hub_url()),
        ("code", format!("{}/code.git", world.0.path().display())),
    ] {
        if name == "code" {
            git(
                world.0.path(),
                &["init", "--quiet", "--bare", "--initial-branch=main", "code.git"],
            );
            let tree = git(Path::new(&url), &["hash-object", "-w", "-t", "tree", "/dev/null"]);
            let commit = git(
                Path::new(&url),
                &[
                    "-c",
                    "user.name=x",
                    "-c",
                    "user.email=x@y",
                    "commit-tree",
                    "-m",
                    "x",
                    &tree,
                ],
            );
            git(Path::new(&url), &["update-ref", "refs/heads/main", &commit]);
        }
        add_remote(&a.context(&person), name, &url).unwrap();
        let before = git(Path::new(&url), &["for-each-ref"]);
        let done = sync(&a.context(&person), Some(name)).unwrap().pop().unwrap();
        assert!(done.failed.is_some(), "{done:?}");
        assert_eq!(git(Path::new(&url), &["for-each-ref"]), before);
    }
    a.assert_intact();
    b.quiet_sync();
}

#[test]
fn from_a_vault_that_is_worked_in_is_taken_and_nothing_pushed_into_it() {
    let (world, a) = World::new();
    let b = world.another("second");
    a.quiet_sync();
    b.add("of b");
    a.add("of a");
    let person = Sitting::default();
    add_remote(&a.context(&person), "beside", &b.vault().display().to_string()).unwrap();
    let before = b.refs();
    let done = sync(&a.context(&person), Some("beside")).unwrap().pop().unwrap();
    assert_eq!((done.entries, done.worst()), (1, Some(Kind::Failed)));
    assert!(done.failed.unwrap().message.contains("nothing is pushed into it"));
    assert_eq!(
        (a.titles(), b.refs()),
        (vec!["of a".to_owned(), "of b".to_owned()], before)
    );
    b.quiet_sync();
    // A clone of it has no remote yet.
    let c = world.computer("third");
    clone_vault(&c.context(&person), &b.vault().display().to_string(), None).unwrap();
    assert_eq!(list_remotes(&c.context(&person)).unwrap(), []);
    assert!(add_remote(&a.context(&person), "self", &a.vault().display().to_string()).is_err());
}

#[test]
fn a_clone_is_verified_before_it_is_there() {
    let (world, a) = World::new();
    a.add("one");
    a.quiet_sync();
    let person = Sitting::default();
    let b = world.computer("second");
    let clone = |founder: Option<&str>| clone_vault(&b.context(&person), &world.hub_url(), founder);
    let nothing_left = || {
        let beside = b.vault().parent().unwrap().to_owned();
        std::fs::read_dir(beside).map_or(0, |entries| entries.count()) == 0
    };
    // Somebody who is not meant.
    let refused = clone(Some(&"0".repeat(64))).err().unwrap();
    assert_eq!(refused.kind, Kind::Tampered);
    assert!(refused.message.contains("not those that were named"), "{refused}");
    assert!(nothing_left());
    // What a run that was killed has left is in nobody's way.
    let left = b.vault().with_file_name(".vault-clone");
    std::fs::create_dir_all(left.join("objects")).unwrap();
    let cloned = clone(None).unwrap();
    assert!(!cloned.known && cloned.strays.is_empty() && !left.exists());
    assert_eq!(b.refs(), world.refs());
    assert_eq!(
        list_remotes(&b.context(&person)).unwrap(),
        [("origin".to_owned(), world.hub_url())]
    );
    let config = std::fs::read_to_string(b.vault().join("config")).unwrap();
    assert!(
        config.starts_with("[core]") && config.ends_with(&format!("url = {}\n", world.hub_url())),
        "{config}"
    );
    assert!(b.vault().join("strongroom.journal").exists() && !b.vault().join("hooks").exists());
    assert_eq!(clone(None).err().unwrap().kind, Kind::Failed, "there is one");
    let founder = cloned.founder.to_string();
    std::fs::remove_dir_all(b.vault()).unwrap();
    let words = crate::id::Fingerprint::from(cloned.founder).to_string();
    for told in [founder.to_uppercase(), words.clone()] {
        assert!(clone(Some(&told)).unwrap().known);
        std::fs::remove_dir_all(b.vault()).unwrap();
    }
    let other = words.split(' ').rev().collect::<Vec<_>>().join(" ");
    assert_eq!(clone(Some(&other)).err().unwrap().kind, Kind::Tampered);
    assert!(nothing_left());
    // One that was tampered with is not kept.
    let shard = world
        .refs()
        .into_keys()
        .find(|name| name.starts_with("refs/heads/notes/"))
        .unwrap();
    world.git(&["update-ref", "-d", &shard]);
    let refused = clone(None).err().unwrap();
    assert_eq!(refused.kind, Kind::Tampered);
    assert!(nothing_left());
    std::fs::remove_dir_all(world.hub()).unwrap();
    git(world.0.path(), &["init", "--quiet", "--bare", "hub.git"]);
    assert_eq!(clone(None).err().unwrap().kind, Kind::Failed);
    assert!(nothing_left());
}

#[test]
fn a_note_more_sends_kilobytes() {
    let (world, a) = World::new();
    for n in 0..40 {
        a.add(&format!("note {n}"));
    }
    a.quiet_sync();
    world.git(&["gc", "--quiet"]);
    a.add("one more");
    a.quiet_sync();
    let counted = world.git(&["count-objects", "-v"]);
    let of = |what: &str| -> u64 {
        let line = counted.lines().find_map(|line| line.strip_prefix(&format!("{what}: ")));
        line.unwrap().parse().unwrap()
    };
    // The entry, and for body and wrap a file, a folder and a commit each; on the disk of the remote in blocks of 4 KiB.
    assert_eq!((of("count"), of("packs")), (7, 1), "{counted}");
    assert!(of("size") <= 7 * 4, "{counted}");
}
