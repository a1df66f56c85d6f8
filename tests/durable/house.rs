//! A throw-away home with a vault, and the real program in it.

use crate::mount::Mount;
use serde_json::Value;
use std::fmt::Display;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use strongroom::chain::{Details, Kind, Time};
use strongroom::crypto::make_random;
use strongroom::env::SystemEntropy;
use strongroom::envelope::IdentityFile;
use strongroom::gate::{Gate, Metadata, Nature, NewNote};
use strongroom::id::{Digest, NoteId};
use strongroom::label::{Label, Level};
use strongroom::ledger::{Changes, Draft, Ledger, note_ref, wrap_ref};
use strongroom::repo::{PATIENCE, Repo, Settings};
use strongroom::secret::Passphrase;
use strongroom::session::Identity;

pub(crate) const PASSPHRASE: &str = "orchid tractor velvet magnet";
/// Options that every level is content with.
pub(crate) const WHY: [&str; 4] = ["--purpose", "duty", "--why", "shift briefing"];

/// Whether the long rounds were asked for.
pub(crate) fn long() -> bool {
    std::env::var_os("STRONGROOM_LONG").is_some_and(|value| value == "1")
}

/// Says what was measured or skipped, past the test harness, which keeps back what a passing test prints.
pub(crate) fn say(text: impl Display) {
    let line = format!("durable: {text}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Whether `program` is on this machine; says so loudly where it is not.
pub(crate) fn has(program: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|folder| folder.join(program).exists());
    if !found {
        say(format_args!("skipped: `{program}` is not installed here"));
    }
    found
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// None if it was killed.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Fails the test unless it ended with `code`; gives standard output.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> String {
        assert_eq!(
            self.code,
            Some(code),
            "standard output: {}\nstandard error: {}",
            self.out,
            self.err
        );
        self.out
    }
}

/// A home: XDG folders, a folder for temporary files, a file with the passphrase.
pub(crate) struct House {
    // Before the folder it is mounted on, so that it goes first.
    _disk: Option<Mount>,
    folder: tempfile::TempDir,
    vars: Vec<(String, String)>,
}

impl House {
    /// A home without a vault.
    pub(crate) fn empty() -> Self {
        Self::in_folder(folder(), None)
    }

    /// A home on a disk of its own, which may hold one already; `None` where that cannot be mounted here.
    pub(crate) fn on_disk(image: &Path) -> Option<Self> {
        let folder = folder();
        let disk = Mount::image(image, folder.path())?;
        Some(Self::in_folder(folder, Some(disk)))
    }

    fn in_folder(folder: tempfile::TempDir, disk: Option<Mount>) -> Self {
        for name in ["run", "tmp"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("passphrase"), PASSPHRASE).unwrap();
        Self {
            _disk: disk,
            folder,
            vars: Vec::new(),
        }
    }

    /// A home with a vault just made.
    pub(crate) fn new() -> Self {
        let house = Self::empty();
        house.init();
        house
    }

    pub(crate) fn init(&self) {
        self.run(&["init", "--name", "mara"]).expect(0);
    }

    /// Adds a variable to the environment of every run, or changes it.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.vars.retain(|(known, _)| known != name);
        self.vars.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn vault(&self) -> PathBuf {
        self.root().join("data/strongroom/vault")
    }

    pub(crate) fn identity(&self) -> PathBuf {
        self.root().join("config/strongroom/identity")
    }

    /// The folder of what the only device remembers of the only vault.
    pub(crate) fn state(&self) -> PathBuf {
        let only = |folder: PathBuf| {
            let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
            let folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
            assert_eq!(folders.len(), 1);
            folders[0].clone()
        };
        only(only(self.root().join("state/strongroom")))
    }

    /// `program` in this home and with nothing else in its environment.
    pub(crate) fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let at = |name: &str| self.root().join(name);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.root())
            .env("XDG_DATA_HOME", at("data"))
            .env("XDG_CONFIG_HOME", at("config"))
            .env("XDG_STATE_HOME", at("state"))
            .env("XDG_RUNTIME_DIR", at("run"))
            .env("TMPDIR", at("tmp"))
            .env("STRONGROOM_PASSPHRASE_FILE", at("passphrase"))
            .envs(self.vars.iter().map(|(name, value)| (name, value)))
            .current_dir(at("tmp"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_strongroom"));
        command.arg("--no-input").args(args);
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// Records a note at `internal`; gives its id.
    pub(crate) fn add(&self, text: &str) -> String {
        let id = self.run(&["add", "--label", "internal", text]).expect(0);
        id.trim().to_owned()
    }

    pub(crate) fn show(&self, id: &str) -> Ran {
        self.run(&with_why(&["show", id]))
    }

    /// The ids of all notes.
    pub(crate) fn listed(&self) -> Vec<String> {
        ids(&self.run(&["list", "--json"]).expect(0))
    }

    /// The verifier's report, which must say intact.
    #[track_caller]
    pub(crate) fn intact(&self) -> Value {
        intact(self.run(&["audit", "verify", "--json"]))
    }

    /// The ids of the notes that were shown, by the log.
    pub(crate) fn shown(&self) -> Vec<String> {
        let log = self.run(&["audit", "log", "--json"]).expect(0);
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines
            .filter(|line| line["details"]["verb"] == "show" && line["result"] == "done")
            .flat_map(|line| line["details"]["notes"].as_array().unwrap().clone())
            .map(|id| id.as_str().unwrap().to_owned())
            .collect()
    }

    /// Stock git on the vault.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        let mut git = self.program("git");
        git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_DIR", self.vault());
        let ran = Ran::from(git.args(args).output().unwrap());
        ran.expect(0).trim().to_owned()
    }

    /// The full name of this device's log.
    pub(crate) fn log_ref(&self) -> String {
        let names = self.git(&["for-each-ref", "--format=%(refname)", "refs/heads/audit"]);
        assert_eq!(names.lines().count(), 1);
        names
    }

    /// Adds revisions to a new note through the library, each following the one before; gives its id.
    pub(crate) fn revised(&self, revisions: u64) -> String {
        let file = IdentityFile::parse(&std::fs::read(self.identity()).unwrap()).unwrap();
        let identity = Identity::unlock(&file, &Passphrase::new(PASSPHRASE.into())).unwrap();
        let repo = Repo::open(&self.vault(), Settings::of_this_run()).unwrap();
        let mut ledger = Ledger::start(&repo, &identity, &self.state(), PATIENCE, None).unwrap();
        let note = NoteId(make_random(&mut SystemEntropy).unwrap());
        let mut parents = Vec::new();
        for number in 1..=revisions {
            let now = Time::from_unix(jiff::Timestamp::now().as_second());
            let (changes, digest) = sealed(&identity, &ledger, note, number as usize, now, (parents, number));
            parents = vec![digest];
            let kind = if number == 1 { Kind::Add } else { Kind::Revise };
            let draft = Draft::change(kind, Details::new("revise"), vec![note], changes);
            let _ = ledger.record(draft, now, &mut SystemEntropy).unwrap();
        }
        note.to_string()
    }

    /// Records `entries` entries through the library, which derives the key from the passphrase but once: every
    /// `stride`-th is a note, the others are reads of nothing. Gives the notes' ids.
    pub(crate) fn fill(&self, entries: usize, stride: usize) -> Vec<String> {
        let file = IdentityFile::parse(&std::fs::read(self.identity()).unwrap()).unwrap();
        let identity = Identity::unlock(&file, &Passphrase::new(PASSPHRASE.into())).unwrap();
        let repo = Repo::open(&self.vault(), Settings::of_this_run()).unwrap();
        let mut ledger = Ledger::start(&repo, &identity, &self.state(), PATIENCE, None).unwrap();
        let mut ids = Vec::new();
        for n in 0..entries {
            let now = Time::from_unix(jiff::Timestamp::now().as_second());
            let draft = if n % stride == 0 {
                let note = NoteId(make_random(&mut SystemEntropy).unwrap());
                ids.push(note.to_string());
                Draft::change(
                    Kind::Add,
                    Details::new("add"),
                    vec![note],
                    sealed(&identity, &ledger, note, n, now, (Vec::new(), 1)).0,
                )
            } else {
                Draft::read(Details::new("list"), Vec::new())
            };
            let _ = ledger.record(draft, now, &mut SystemEntropy).unwrap();
        }
        ids
    }
}

fn sealed(
    identity: &Identity,
    ledger: &Ledger<'_>,
    note: NoteId,
    n: usize,
    now: Time,
    (parents, number): (Vec<Digest>, u64),
) -> (Changes, Digest) {
    let metadata = Metadata {
        title: format!("Patrol {n}"),
        client: String::new(),
        case: String::new(),
        created: now.unix(),
        modified: now.unix(),
        happened: None,
        author: identity.person(),
        parents,
        number,
        fields: Vec::new(),
    };
    let new = NewNote {
        note,
        nature: Nature::Note,
        metadata: &metadata,
        text: &format!("body number {n}"),
        label: &Label::new(Level::Internal, []).unwrap(),
        recipients: &[],
    };
    let sealed = Gate::new(identity, ledger.keyring())
        .seal(&new, &mut SystemEntropy)
        .unwrap();
    let mut changes = Changes::default();
    changes.write_digested(note_ref(note), note, sealed.body);
    changes.write_digested(wrap_ref(note), note, sealed.wrap);
    (changes, sealed.digest)
}

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("durable-").tempdir().unwrap()
}

/// The ids in the JSON of a list.
pub(crate) fn ids(json: &str) -> Vec<String> {
    let list: Value = serde_json::from_str(json).unwrap();
    let id = |line: &Value| line["id"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(id).collect()
}

#[track_caller]
pub(crate) fn intact(ran: Ran) -> Value {
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_default();
    assert_eq!(
        (ran.code, report["verdict"].as_str()),
        (Some(0), Some("intact")),
        "{}{}",
        ran.out,
        ran.err
    );
    report
}

/// The arguments with a purpose and a reason.
pub(crate) fn with_why<'a>(args: &[&'a str]) -> Vec<&'a str> {
    args.iter().copied().chain(WHY).collect()
}

/// Copies a folder.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

/// Every file below `folder`.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path());
        }
    }
    found
}
