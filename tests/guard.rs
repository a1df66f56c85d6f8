//! The guard of a bare repository, with stock git on both sides: what honest clones sync goes through, and each attack is
//! refused at the door, with words that say what it was.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "guard/withdrawals.rs"]
mod withdrawals;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use strongroom::app::shared::{Fingerprint, Passphrase, Time};
use strongroom::app::*;

const PROGRAM: &str = env!("CARGO_BIN_EXE_strongroom");

/// Somebody whose git reaches the repository as over ssh: its hooks run.
struct Sitting;

impl Person for Sitting {
    fn passphrase(&self, _prompt: &str) -> Result<Passphrase, Error> {
        Ok(Passphrase::new("orchid tractor velvet magnet".to_owned()))
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

    fn git(&self, job: &GitJob) -> Result<GitEnded, Error> {
        let mut job = job.clone();
        for word in &mut job.arguments {
            if word.to_string_lossy().starts_with("--receive-pack=") {
                *word = "--receive-pack=git receive-pack".into();
            }
        }
        run_git(&job, false, &|_| {})
    }
}

/// What lies outside of all computers: a bare repository with its guard.
struct World(tempfile::TempDir);

impl World {
    /// And one computer, whose vault is not yet pushed.
    fn new() -> (Self, Computer) {
        let world = Self(tempfile::tempdir().unwrap());
        run("git", &["init", "--quiet", "--bare", world.hub().to_str().unwrap()]);
        run(PROGRAM, &["guard", "--install", world.hub().to_str().unwrap()]);
        let first = world.computer("first");
        let init = Init {
            name: "mara".into(),
            recovery_key: Some(world.0.path().join("key")),
            insist: false,
        };
        strongroom::app::init(&first.context(), &init).unwrap();
        add_remote(&first.context(), ORIGIN, &world.hub_url()).unwrap();
        (world, first)
    }

    fn computer(&self, name: &str) -> Computer {
        Computer {
            root: self.0.path().join(name),
        }
    }

    /// Somebody else, whom `lead` has admitted to what is internal; it is not synced yet.
    fn member(&self, name: &str, lead: &Computer) -> Computer {
        let computer = self.computer(name);
        clone_vault(&computer.context(), &self.hub_url(), None).unwrap();
        let file = self.0.path().join(format!("{name}.request"));
        ask_for_membership(&computer.context(), name, &file, false).unwrap();
        let admission = Admission {
            file,
            clearance: Some("internal".into()),
            compartments: Vec::new(),
            roles: Vec::new(),
            until: None,
            device_of: None,
        };
        admit(&lead.context(), &admission, &|_| Ok(())).unwrap();
        computer
    }

    /// A second device of the person's.
    fn another(&self, name: &str) -> Computer {
        let other = self.computer(name);
        clone_vault(&other.context(), &self.hub_url(), None).unwrap();
        recover(&other.context(), &self.0.path().join("key"), false).unwrap();
        other.sync();
        other
    }

    fn hub(&self) -> PathBuf {
        self.0.path().join("hub.git")
    }

    fn hub_url(&self) -> String {
        self.hub().display().to_string()
    }

    fn refs(&self) -> BTreeMap<String, String> {
        refs_of(&self.hub())
    }

    /// A repository of a stranger's with all that lies there.
    fn stranger(&self, name: &str) -> Stranger {
        let dir = self.0.path().join(name);
        run(
            "git",
            &["clone", "--quiet", "--mirror", &self.hub_url(), dir.to_str().unwrap()],
        );
        Stranger {
            dir,
            hub: self.hub_url(),
        }
    }

    /// What an attack comes to: it is refused whole, with these cases, and these words.
    #[track_caller]
    fn refused(&self, push: &Output, before: &BTreeMap<String, String>, cases: &[u8], words: &[&str]) {
        let told = String::from_utf8_lossy(&push.stderr);
        assert!(!push.status.success(), "{told}");
        assert!(
            told.contains("the push is refused, and nothing of it was taken"),
            "{told}"
        );
        for case in cases {
            assert!(told.contains(&format!("case {case}: ")), "case {case}: {told}");
        }
        for words in words {
            assert!(told.contains(words), "{words}: {told}");
        }
        assert_eq!(&self.refs(), before);
    }
}

fn refs_of(dir: &Path) -> BTreeMap<String, String> {
    let dir = dir.to_str().unwrap();
    let text = run("git", &["-C", dir, "for-each-ref", "--format=%(refname) %(objectname)"]);
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, oid)| (name.to_owned(), oid.to_owned()))
        .collect()
}

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .envs([
            ("GIT_AUTHOR_NAME", "x"),
            ("GIT_AUTHOR_EMAIL", "x@y"),
            ("GIT_COMMITTER_NAME", "x"),
            ("GIT_COMMITTER_EMAIL", "x@y"),
        ]);
    command
}

#[track_caller]
fn run(program: &str, arguments: &[&str]) -> String {
    let output = command(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

struct Computer {
    root: PathBuf,
}

impl Computer {
    fn context(&self) -> Context<'_> {
        Context {
            held: None,
            places: Places::under(&self.root),
            clock: Clock::Fixed(Time::from_unix(1_795_253_400)),
            source: None,
            person: &Sitting,
            access: Access::given(Some("duty".to_owned()), Some("sync".to_owned())).unwrap(),
        }
    }

    fn vault(&self) -> PathBuf {
        Places::under(&self.root).vault()
    }

    fn add(&self, title: &str) -> String {
        let new = NewText {
            title: Some(title.to_owned()),
            client: None,
            case: None,
            label: Some("internal".to_owned()),
            at: None,
            fields: Vec::new(),
            template: None,
        };
        let bytes = title.as_bytes().to_vec();
        let from = TextFrom::Caller(Box::new(move || Ok(bytes.clone())));
        add(&self.context(), new, from).unwrap().id.to_string()
    }

    fn titles(&self) -> Vec<String> {
        let lines = list(&self.context(), &ListQuery::default()).unwrap();
        let mut titles: Vec<String> = lines.iter().map(|line| line.listed.metadata.title.clone()).collect();
        titles.sort();
        titles
    }

    fn try_sync(&self) -> Synced {
        sync(&self.context(), None).unwrap().pop().unwrap()
    }

    /// The guard takes it, and nothing is wrong.
    #[track_caller]
    fn sync(&self) -> Synced {
        let done = self.try_sync();
        assert_eq!(done.worst(), None, "{done:?}");
        done
    }

    /// The branch of the log that it writes to: the one that came to be, or grew, with an entry.
    fn log_ref(&self) -> String {
        let before = refs_of(&self.vault());
        self.titles();
        let after = refs_of(&self.vault());
        let grown = |(name, oid): &(&String, &String)| name.contains("/audit/") && before.get(*name) != Some(oid);
        let mut grown = after.iter().filter(grown).map(|(name, _)| name.clone());
        grown.next().unwrap()
    }
}

/// Somebody with push rights and stock git, and no key.
struct Stranger {
    dir: PathBuf,
    hub: String,
}

impl Stranger {
    #[track_caller]
    fn git(&self, arguments: &[&str]) -> String {
        let dir = self.dir.to_str().unwrap();
        run("git", &[&["-C", dir], arguments].concat())
    }

    fn push(&self, refspecs: &[&str]) -> Output {
        command("git")
            .arg("-C")
            .arg(&self.dir)
            .args(["push", "--atomic", &self.hub])
            .args(refspecs)
            .output()
            .unwrap()
    }

    fn write(&self, kind: &str, bytes: &[u8]) -> String {
        let mut git = command("git")
            .arg("-C")
            .arg(&self.dir)
            .args(["hash-object", "-w", "-t", kind, "--literally", "--stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(git.stdin.as_mut().unwrap(), bytes).unwrap();
        let output = git.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A tree with these entries, as `ls-tree` writes them.
    fn tree(&self, entries: &[String]) -> String {
        let mut git = command("git")
            .arg("-C")
            .arg(&self.dir)
            .arg("mktree")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let text: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
        std::io::Write::write_all(git.stdin.as_mut().unwrap(), text.as_bytes()).unwrap();
        let output = git.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, tree: &str, parents: &[&str]) -> String {
        let mut arguments = vec!["commit-tree", "-m", "x", tree];
        parents.iter().for_each(|parent| arguments.extend(["-p", parent]));
        self.git(&arguments)
    }

    fn entries(&self, of: &str) -> Vec<String> {
        self.git(&["ls-tree", of]).lines().map(str::to_owned).collect()
    }

    /// The commit of a branch with something about it changed.
    fn altered(&self, of: &str, alter: impl Fn(String) -> String) -> String {
        let text = run("git", &["-C", self.dir.to_str().unwrap(), "cat-file", "commit", of]);
        self.write("commit", format!("{}\n", alter(text)).as_bytes())
    }
}

/// A branch of bodies that holds a file of a note.
fn shard_of(note: &str) -> String {
    format!("refs/heads/notes/{}", &note[..2])
}

#[test]
fn members_that_two_devices_changed_side_by_side_go_through_once_they_are_brought_together() {
    let (world, first) = World::new();
    first.sync();
    let second = world.another("second");
    first.sync();
    let offline = |computer: &Computer, act: &dyn Fn(&Context<'_>)| {
        remove_remote(&computer.context(), ORIGIN).unwrap();
        act(&computer.context());
        add_remote(&computer.context(), ORIGIN, &world.hub_url()).unwrap();
    };
    offline(&first, &|context| drop(new_compartment(context, "Halcyon").unwrap()));
    offline(&second, &|context| drop(new_compartment(context, "Meridian").unwrap()));
    first.sync();
    second.sync();
    first.sync();
    for computer in [&first, &second] {
        let report = verify(&computer.context(), None, &[], None, true).unwrap();
        assert_eq!(
            report.verdict,
            strongroom::app::shared::Verdict::Intact,
            "{:?}",
            report.told()
        );
        let cards = list_members(&computer.context()).unwrap().members;
        let held = cards[0].clearance.matches('/').count() + cards[0].unnamed;
        assert_eq!(held, 2, "both compartments are the person's");
    }
}

#[test]
fn what_honest_clones_sync_goes_through() {
    let (world, a) = World::new();
    let note = a.add("one");
    let done = a.sync();
    assert!(done.pushed > 0);
    assert!(world.hub().join("strongroom.founder").exists());
    assert_eq!(world.refs(), refs_of(&a.vault()));
    // Two devices.
    let b = world.another("second");
    b.add("two");
    let other = a.add("three");
    a.sync();
    b.sync();
    a.sync();
    assert_eq!(a.titles(), ["one", "three", "two"]);
    // One writes to what the other destroys.
    let doomed = a.add("doomed");
    a.sync();
    b.sync();
    let change = Change {
        title: Some("too late".into()),
        ..Change::default()
    };
    edit(&b.context(), &doomed, change, None).unwrap();
    destroy(&a.context(), &doomed, None).unwrap();
    a.sync();
    assert_eq!(b.sync().set_aside.len(), 2);
    a.sync();
    // A revision, another label, an attachment, an end: what is forgotten is re-rooted.
    let change = Change {
        title: Some("one again".into()),
        ..Change::default()
    };
    edit(&a.context(), &note, change, None).unwrap();
    let file = world.0.path().join("plan.txt");
    std::fs::write(&file, "a plan").unwrap();
    attach(&a.context(), &other, "plan.txt", || open_file(&file)).unwrap();
    a.sync();
    relabel(&b.context(), &note, "confidential").unwrap();
    b.sync();
    destroy(&a.context(), &other, None).unwrap();
    a.sync();
    b.sync();
    a.sync();
    assert_eq!(world.refs(), refs_of(&a.vault()));
    assert_eq!(world.refs(), refs_of(&b.vault()));
    assert_eq!(world.refs(), refs_of(&b.vault()));
    let told = run(
        PROGRAM,
        &["audit", "verify", "--deep", "--vault", world.hub().to_str().unwrap()],
    );
    assert!(told.contains("unanchored") || told.contains("intact"), "{told}");
}

#[test]
fn logs_only_go_on() {
    let (world, a) = World::new();
    a.add("one");
    a.sync();
    let old = world.refs();
    a.add("two");
    a.sync();
    let log = a.log_ref();
    let before = world.refs();
    let stranger = world.stranger("stranger");
    let words = ["it only goes on, and is never rewritten or put back", "to do: ", &log];
    world.refused(
        &stranger.push(&[&format!("+{}:{log}", old[&log])]),
        &before,
        &[18],
        &words,
    );
    world.refused(&stranger.push(&[&format!(":{log}")]), &before, &[18], &["taken away"]);
    // What nobody signed, what is there again, what was changed and what merges.
    let tree = stranger.git(&["rev-parse", &format!("{log}^{{tree}}")]);
    let junk = stranger.commit(&tree, &[&before[&log]]);
    world.refused(&stranger.push(&[&format!("{junk}:{log}")]), &before, &[24, 27], &[&log]);
    let again = stranger.altered(&log, |text| {
        let (head, rest) = text.split_once("\nauthor ").unwrap();
        let head = head.lines().next().unwrap();
        format!("{head}\nparent {}\nauthor {rest}", before[&log])
    });
    world.refused(
        &stranger.push(&[&format!("{again}:{log}")]),
        &before,
        &[12, 5],
        &["entry "],
    );
    let unsigned = stranger.altered(&log, |text| {
        let (head, rest) = text.split_once("gpgsig ").unwrap();
        let (_, message) = rest.split_once("\n\n").unwrap();
        let head = head.replace(&format!("parent {}", old[&log]), &format!("parent {}", before[&log]));
        format!("{head}\n{message}")
    });
    let push = stranger.push(&[&format!("{unsigned}:{log}")]);
    assert!(!push.status.success());
    let merged = stranger.commit(&tree, &[&before[&log], &before["refs/heads/main"]]);
    world.refused(&stranger.push(&[&format!("{merged}:{log}")]), &before, &[30], &[]);
    // A log of nobody's, and one under another's name.
    let nobody = "refs/heads/audit/0102030405060708-090a0b0c";
    let push = stranger.push(&[&format!("{}:{nobody}", before[&log])]);
    world.refused(&push, &before, &[12, 15], &["0102030405060708-090a0b0c"]);
    // The beginning of a log kept as another history of it, or under a name that is not its root's.
    for root in [&"5".repeat(64), &"0".repeat(64)] {
        let push = stranger.push(&[&format!("{}:{log}-fork-{root}", old[&log])]);
        world.refused(&push, &before, &[43], &[]);
    }
    a.add("three");
    a.sync();
}

#[test]
fn what_is_none_of_a_vault_stays_outside() {
    let (world, a) = World::new();
    a.add("one");
    a.sync();
    let before = world.refs();
    let stranger = world.stranger("stranger");
    let main = &before["refs/heads/main"];
    for name in [
        "refs/heads/junk",
        "refs/tags/v1",
        "refs/heads/audit/nonsense",
        "refs/heads/notes/zz",
        "refs/heads/keys/zz/x",
        "refs/notes/commits",
        "refs/replace/1111111111111111111111111111111111111111",
    ] {
        let push = stranger.push(&[&format!("{main}:{name}")]);
        world.refused(&push, &before, &[32], &[name, "no part of a vault"]);
    }
    // Together with what is good, nothing is taken.
    let push = stranger.push(&[&format!("{main}:refs/heads/junk"), &format!("{main}:refs/heads/main")]);
    world.refused(&push, &before, &[32], &[]);
}

#[test]
fn files_come_and_go_with_entries_alone() {
    let (world, a) = World::new();
    let (note, gone) = (a.add("one"), a.add("two"));
    a.sync();
    let (shard, of_gone) = (shard_of(&note), shard_of(&gone));
    let (old_gone, old_keys) = (
        world.refs()[&of_gone].clone(),
        world.refs()[&of_gone.replace("notes", "keys")].clone(),
    );
    let stranger = world.stranger("stranger");
    destroy(&a.context(), &gone, None).unwrap();
    a.sync();
    let before = world.refs();
    let refused = |commit: &str, branch: &str, cases: &[u8]| {
        let push = stranger.push(&[&format!("+{commit}:{branch}")]);
        world.refused(&push, &before, cases, &[branch.trim_start_matches("refs/heads/")]);
    };
    // What was destroyed does not come back, nor in the history.
    refused(&old_gone, &of_gone, &[37]);
    refused(&old_keys, &of_gone.replace("notes", "keys"), &[37]);
    if let Some(now) = before.get(&of_gone) {
        let tree = stranger.git(&["rev-parse", &format!("{old_gone}^{{tree}}")]);
        let mut commit = stranger.commit(&tree, &[]);
        stranger.git(&["fetch", "--quiet", &stranger.hub, now]);
        let tree = stranger.git(&["rev-parse", &format!("{now}^{{tree}}")]);
        for _ in 0..40 {
            commit = stranger.commit(&tree, &[&commit]);
        }
        refused(&commit, &of_gone, &[37]);
    }
    // A file that no entry wrote, one that is gone, one that is another, and a branch taken away.
    let junk = stranger.write("blob", b"junk");
    let file = |oid: &str, name: &str| format!("100644 blob {oid}\t{name}");
    let entries = stranger.entries(&before[&shard]);
    let added = [
        entries.clone(),
        vec![file(&junk, &format!("{note}.{}", "5".repeat(64)))],
    ]
    .concat();
    refused(
        &stranger.commit(&stranger.tree(&added), &[&before[&shard]]),
        &shard,
        &[32],
    );
    refused(&stranger.commit(&stranger.tree(&[]), &[]), &shard, &[37]);
    refused(&stranger.commit(&stranger.tree(&[]), &[&before[&shard]]), &shard, &[37]);
    let name = entries[0].split('\t').nth(1).unwrap();
    refused(
        &stranger.commit(&stranger.tree(&[file(&junk, name)]), &[]),
        &shard,
        &[33],
    );
    let folder = stranger.tree(&[file(&junk, "x")]);
    let nested = [entries.clone(), vec![format!("040000 tree {folder}\tx")]].concat();
    refused(&stranger.commit(&stranger.tree(&nested), &[]), &shard, &[32]);
    let push = stranger.push(&[&format!(":{shard}")]);
    world.refused(&push, &before, &[37], &["taken away"]);
    // The same files with another history are the same vault.
    let tree = stranger.git(&["rev-parse", &format!("{}^{{tree}}", before[&shard])]);
    let same = stranger.commit(&tree, &[]);
    assert!(stranger.push(&[&format!("+{same}:{shard}")]).status.success());
    a.add("three");
    a.sync();
}

#[test]
fn an_entry_comes_with_what_it_wrote_and_what_it_forgot_goes() {
    let (world, a) = World::new();
    let note = a.add("one");
    a.sync();
    let log = a.log_ref();
    a.add("two");
    destroy(&a.context(), &note, None).unwrap();
    let before = world.refs();
    // The log alone, as somebody might push it who holds what was destroyed.
    let own = Stranger {
        dir: a.vault(),
        hub: world.hub_url(),
    };
    let push = own.push(&[&format!("{log}:{log}")]);
    world.refused(
        &push,
        &before,
        &[32, 37],
        &["is missing", "was destroyed or superseded, and is back"],
    );
    a.sync();
}

#[test]
fn members_and_rules_are_changed_by_leads_and_with_an_entry() {
    let (world, a) = World::new();
    a.add("one");
    a.sync();
    let before = world.refs();
    let stranger = world.stranger("stranger");
    let main = "refs/heads/main";
    let tree = stranger.git(&["rev-parse", &format!("{main}^{{tree}}")]);
    let unsigned = stranger.commit(&tree, &[&before[main]]);
    world.refused(
        &stranger.push(&[&format!("{unsigned}:{main}")]),
        &before,
        &[36],
        &["not signed by a device of somebody who was a lead then"],
    );
    let other = stranger.commit(&tree, &[]);
    world.refused(
        &stranger.push(&[&format!("+{other}:{main}")]),
        &before,
        &[36],
        &["never rewritten"],
    );
    world.refused(&stranger.push(&[&format!(":{main}")]), &before, &[36], &["taken away"]);
    let junk = stranger.write("blob", b"junk");
    let entries = [stranger.entries(main), vec![format!("100644 blob {junk}\tx")]].concat();
    let more = stranger.commit(&stranger.tree(&entries), &[&before[main]]);
    world.refused(
        &stranger.push(&[&format!("{more}:{main}")]),
        &before,
        &[32, 36],
        &["`x` on the branch `main`"],
    );
    // A lead's own change, without its entry.
    let lead = world.another("second");
    let own = refs_of(&lead.vault());
    assert_eq!(own[main], world.refs()[main]);
    a.sync();
}

#[test]
fn another_vault_is_not_taken_nor_one_that_nobody_named() {
    let (world, a) = World::new();
    a.add("one");
    a.sync();
    let before = world.refs();
    let (other, b) = World::new();
    b.add("one");
    b.sync();
    let stranger = Stranger {
        dir: b.vault(),
        hub: world.hub_url(),
    };
    let push = stranger.push(&["+refs/heads/*:refs/heads/*"]);
    world.refused(&push, &before, &[36], &[]);
    // An empty one that is for another founder.
    let founder = std::fs::read_to_string(world.hub().join("strongroom.founder")).unwrap();
    let words = Fingerprint::from(founder.trim().parse::<strongroom::id::Digest>().unwrap()).to_string();
    let hub = other.0.path().join("empty.git");
    run("git", &["init", "--quiet", "--bare", hub.to_str().unwrap()]);
    let hub_url = hub.display().to_string();
    run(PROGRAM, &["guard", "--install", &hub_url, "--founder", &words]);
    let stranger = Stranger {
        hub: hub_url.clone(),
        ..stranger
    };
    let push = stranger.push(&["refs/heads/*:refs/heads/*"]);
    let told = String::from_utf8_lossy(&push.stderr);
    assert!(
        told.contains("case 13: ") && told.contains("for another vault"),
        "{told}"
    );
    assert!(refs_of(&hub).is_empty());
    let own = Stranger {
        dir: a.vault(),
        hub: hub_url,
    };
    // Without its members nothing can be told.
    let log = a.log_ref();
    let push = own.push(&[&format!("{log}:{log}")]);
    let told = String::from_utf8_lossy(&push.stderr);
    assert!(
        told.contains("cannot tell: case 36: there is no branch `main`"),
        "{told}"
    );
    let push = own.push(&["refs/heads/*:refs/heads/*"]);
    assert!(push.status.success(), "{}", String::from_utf8_lossy(&push.stderr));
}

#[test]
fn members_come_and_go_and_who_was_removed_adds_nothing() {
    let (world, a) = World::new();
    a.add("one");
    a.sync();
    let jon = world.member("jon", &a);
    a.sync();
    jon.sync();
    assert_eq!(jon.titles(), ["one"]);
    let note = jon.add("of jon");
    jon.sync();
    let log = jon.log_ref();
    a.sync();
    change_member(&a.context(), "jon", &MemberChange::Remove).unwrap();
    a.sync();
    let before = world.refs();
    // What jon goes on to write, pushed as it is.
    let late = jon.add("late");
    let own = Stranger {
        dir: jon.vault(),
        hub: world.hub_url(),
    };
    world.refused(
        &own.push(&[&format!("{log}:{log}")]),
        &before,
        &[14],
        &["removed", &log],
    );
    let shard = shard_of(&late);
    let push = own.push(&[&format!("+{shard}:{shard}")]);
    world.refused(&push, &before, &[32], &["stands in no entry"]);
    destroy(&a.context(), &note, None).unwrap();
    a.sync();
    assert_eq!(a.titles(), ["one"]);
}

#[test]
fn a_witness_pushes_what_it_cosigned_and_only_goes_on() {
    let (world, a) = World::new();
    a.sync();
    let witness = world.stranger("witness");
    let program = |arguments: &[&str]| {
        let output = command(PROGRAM)
            .env("HOME", world.0.path())
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    program(&["audit", "witness", "init", "--name", "inspectorate"]);
    let branch = "refs/heads/witness/inspectorate";
    let both = format!("{branch}:{branch}");
    let dir = witness.dir.to_str().unwrap();
    let mut cosigned = Vec::new();
    for note in ["one", "two"] {
        program(&["audit", "witness", "sign", "--vault", dir]);
        let push = witness.push(&[&both]);
        assert!(push.status.success(), "{}", String::from_utf8_lossy(&push.stderr));
        cosigned.push(world.refs()[branch].clone());
        a.add(note);
        a.sync();
        witness.git(&[
            "fetch",
            "--quiet",
            &witness.hub,
            "refs/heads/audit/*:refs/heads/audit/*",
        ]);
        witness.git(&[
            "fetch",
            "--quiet",
            &witness.hub,
            "+refs/heads/notes/*:refs/heads/notes/*",
        ]);
        witness.git(&["fetch", "--quiet", &witness.hub, "+refs/heads/keys/*:refs/heads/keys/*"]);
    }
    let before = world.refs();
    let back = format!("+{}:{branch}", cosigned[0]);
    world.refused(&witness.push(&[&back]), &before, &[31], &["never rewritten"]);
    let gone = format!(":{branch}");
    world.refused(&witness.push(&[&gone]), &before, &[31], &["taken away"]);
    a.sync();
}

#[test]
fn two_histories_are_kept_side_by_side_and_wait_for_a_lead() {
    let (world, a) = World::new();
    let b = {
        a.sync();
        world.another("second")
    };
    a.sync();
    let thief = world.computer("thief");
    let copied = Command::new("cp")
        .arg("-a")
        .args([&b.root, &thief.root])
        .status()
        .unwrap();
    assert!(copied.success());
    b.add("honest");
    thief.add("stolen");
    thief.add("stolen too");
    thief.sync();
    a.sync();
    // The true device pushes its own beside.
    let done = b.try_sync();
    assert!(done.failed.is_none() && done.pushed > 0, "{done:?}");
    assert!(
        world.refs().keys().any(|name| name.contains("-fork-")),
        "{:?}",
        world.refs()
    );
    a.try_sync();
    assert_eq!(a.titles(), ["honest", "stolen", "stolen too"]);
    // It is told of, and stops nobody.
    a.add("goes on");
    let done = a.try_sync();
    assert!(done.failed.is_none() && done.pushed > 0, "{done:?}");
    let own = Stranger {
        dir: a.vault(),
        hub: world.hub_url(),
    };
    let log = a.log_ref();
    let told = own.push(&[&format!("{log}:{log}")]);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(
        told.contains("case 43") && told.contains("was wrong here before"),
        "{told}"
    );
}

#[test]
fn what_was_damaged_before_is_told_and_stops_nobody() {
    let (world, a) = World::new();
    let note = a.add("one");
    a.sync();
    let b = world.another("second");
    b.add("two");
    b.sync();
    a.sync();
    // Past the guard: whoever runs the repository, or before there was one.
    let hub = Stranger {
        dir: world.hub(),
        hub: world.hub_url(),
    };
    let junk = hub.write("blob", b"junk");
    let stray = hub.commit(&hub.tree(&[format!("100644 blob {junk}\tjunk")]), &[]);
    hub.git(&["update-ref", "refs/heads/junk", &stray]);
    let free = (0..=255).map(|n| format!("refs/heads/notes/{n:02x}"));
    let mut free = free.filter(|name| !world.refs().contains_key(name) && *name != shard_of(&note));
    hub.git(&["update-ref", &free.next_back().unwrap(), &stray]);
    let log = b.log_ref();
    hub.git(&["update-ref", &log, &stray]);
    a.add("three");
    let done = a.try_sync();
    assert!(done.failed.is_none() && done.pushed > 0, "{done:?}");
    let own = Stranger {
        dir: a.vault(),
        hub: world.hub_url(),
    };
    let log = a.log_ref();
    let push = own.push(&[&format!("{log}:{log}")]);
    let told = String::from_utf8_lossy(&push.stderr).into_owned();
    assert!(push.status.success(), "{told}");
    assert!(
        told.contains("wrong here before") && told.contains("`refs/heads/junk`"),
        "{told}"
    );
    // Whoever takes a stray away does well.
    assert!(own.push(&[":refs/heads/junk"]).status.success());
}

#[test]
fn the_hook_says_what_it_is_and_replaces_no_other_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let hub = folder.path().join("hub's own.git");
    let dir = hub.to_str().unwrap();
    run("git", &["init", "--quiet", "--bare", dir]);
    let guard = |more: &[&str]| {
        let output = command(PROGRAM)
            .args([&["guard", "--install", dir], more].concat())
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let hook = hub.join("hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\nexit 0\n").unwrap();
    let (code, told) = guard(&[]);
    assert!(code == Some(1) && told.contains("another hook"), "{told}");
    assert_eq!(std::fs::read_to_string(&hook).unwrap(), "#!/bin/sh\nexit 0\n");
    let (code, told) = guard(&["--yes"]);
    assert!(
        code == Some(0) && told.contains("the first vault that is pushed"),
        "{told}"
    );
    assert!(hub.join("hooks/pre-receive.replaced").exists());
    let words = "abandon abandon abandon abandon abandon abandon abandon abandon";
    let (code, told) = guard(&["--founder", words]);
    assert!(code == Some(0) && told.contains(words), "{told}");
    let (code, told) = guard(&["--founder", &"ab".repeat(32)]);
    assert!(code == Some(1) && told.contains("for another founder"), "{told}");
    assert_eq!(guard(&[]).0, Some(0));
    assert_eq!(guard(&["--founder", "no words"]).0, Some(2));
    // Where git would not ask it, it says so.
    let config = folder.path().join("config");
    std::fs::write(&config, "[core]\n\thooksPath = /elsewhere\n").unwrap();
    let asked = command(PROGRAM)
        .args(["guard", "--install", dir])
        .env("GIT_CONFIG_GLOBAL", &config)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&asked.stderr).into_owned();
    assert!(
        asked.status.code() == Some(1) && told.contains("core.hooksPath"),
        "{told}"
    );
    // Mended as a vault it would take no push any more.
    let mode = || std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&hub).unwrap().permissions());
    let before = mode();
    let mended = command(PROGRAM)
        .args(["doctor", "--mend", "--vault", dir])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&[mended.stdout, mended.stderr].concat()).into_owned();
    assert!(
        !mended.status.success() && told.contains("nothing of it is mended here"),
        "{told}"
    );
    assert!(mode() == before && !hub.join("strongroom.journal").exists());
    // A vault that is worked in has no guard.
    let (_world, a) = World::new();
    let output = command(PROGRAM)
        .args(["guard", "--install"])
        .arg(a.vault())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    // What git gives a hook.
    let given = |text: &str| {
        let mut guard = command(PROGRAM)
            .arg("guard")
            .env("GIT_DIR", &hub)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = std::io::Write::write_all(guard.stdin.as_mut().unwrap(), text.as_bytes());
        guard.wait_with_output().unwrap().status.code()
    };
    assert_eq!(given(""), Some(2));
    assert_eq!(given("nonsense\n"), Some(2));
    assert_eq!(given(&"x".repeat(4 << 20)), Some(2));
    let (none, one) = ("0".repeat(40), "1".repeat(40));
    assert_eq!(given(&format!("{none} {one} refs/heads/main\n")), Some(5));
    assert_eq!(given(&format!("{one} {none} refs/heads/main\n")), Some(5));
}
