//! Strongroom beside what it wants to replace, on the same machine in the same run: `cargo bench --bench peers`.
//!
//! Whole commands are timed, as a person waits for them: pass, passage, age and rage where they are installed, and this
//! program with the vault unlocked. Peers log nothing. Medians of several runs, in milliseconds, and the ratio to the
//! first column; on a busy machine compare ratios. Processor time counts the command and, for us, the agent.
//!
//! `PEERS_NOTES` (1,000) is how many notes of 2 KB each store holds, `PEERS_RUNS` (15) how often each thing is
//! done, `PEERS_MIB` (100) the size of the attachment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PASSPHRASE: &str = "orchid tractor velvet magnet";
/// A note of about 2 KB that holds this word once.
const NEEDLE: &str = "halyard";

fn number(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn has(program: &str) -> bool {
    std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|folder| folder.join(program).exists())
}

fn note(n: usize) -> String {
    let mut text = format!("Round {n} of the night\n\n");
    while text.len() < 2000 {
        let _ = write!(
            text,
            "Gate {} closed, seal {} whole, lights as left. ",
            text.len() % 9,
            text.len() * 7 % 1000
        );
    }
    if n == 17 {
        text.push_str(NEEDLE);
    }
    text.push('\n');
    text
}

/// A folder with the homes of all, and the environment to run them in.
struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn command(&self, program: &str) -> Command {
        let root = self.folder.path();
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", root)
            .env("LC_ALL", "C.UTF-8")
            .env("GNUPGHOME", root.join("gnupg"))
            .env("PASSWORD_STORE_DIR", root.join("pass"))
            .env("PASSAGE_DIR", root.join("passage"))
            .env("PASSAGE_IDENTITIES_FILE", root.join("age.key"))
            .env("PASSAGE_RECIPIENTS_FILE", root.join("age.pub"))
            .env("XDG_RUNTIME_DIR", root.join("run"))
            .env("STRONGROOM_PASSPHRASE_FILE", root.join("passphrase"))
            .env("GIT_AUTHOR_NAME", "a")
            .env("GIT_AUTHOR_EMAIL", "a@localhost")
            .env("GIT_COMMITTER_NAME", "a")
            .env("GIT_COMMITTER_EMAIL", "a@localhost")
            .current_dir(root);
        command
    }

    /// Runs to the end and gives standard output; `input` is standard input.
    fn run(&self, program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut child = self
            .command(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {said}");
        output.stdout
    }
}

/// Clock ticks that the children of this process, waited for, and another process have used.
fn ticks(agent: Option<u32>) -> u64 {
    let field = |pid: &str, fields: [usize; 2]| -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let rest = stat.rsplit(')').next().unwrap_or_default().to_owned();
        let words: Vec<&str> = rest.split_whitespace().collect();
        // Fields of proc(5) from the third on.
        fields
            .iter()
            .filter_map(|at| words.get(at - 3)?.parse::<u64>().ok())
            .sum()
    };
    field("self", [16, 17]) + agent.map_or(0, |pid| field(&pid.to_string(), [14, 15]))
}

/// What was measured of one thing done by one program.
struct Figure {
    who: &'static str,
    median: Duration,
    least: Duration,
    cpu: Duration,
}

fn measure(who: &'static str, runs: usize, agent: Option<u32>, mut once: impl FnMut(usize)) -> Figure {
    once(0);
    let before = ticks(agent);
    let mut times: Vec<Duration> = (1..=runs)
        .map(|n| {
            let begun = Instant::now();
            once(n);
            begun.elapsed()
        })
        .collect();
    let used = ticks(agent) - before;
    times.sort();
    Figure {
        who,
        median: times[runs / 2],
        least: times[0],
        // A tick is 10 ms everywhere that Linux runs.
        cpu: Duration::from_millis(10 * used) / u32::try_from(runs).unwrap(),
    }
}

fn print(what: &str, figures: &[Figure]) {
    let ours = figures[0].median.as_secs_f64();
    println!("{what}");
    for figure in figures {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "  {:<12} {:>9.1} median {:>9.1} least {:>8.1} processor   x{:.2}",
            figure.who,
            ms(figure.median),
            ms(figure.least),
            ms(figure.cpu),
            figure.median.as_secs_f64() / ours
        );
    }
}

/// The agent of the vault in `folder`.
fn agent(folder: &Path) -> Option<u32> {
    let folder = folder.display().to_string();
    let mut found = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let line = String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/cmdline")).ok()?).into_owned();
        (line.contains("\0agent\0") && line.contains(&folder)).then_some(pid)
    });
    found.next()
}

/// Stores of `notes` notes, each peer's where it is installed.
struct Stores {
    stage: Stage,
    ids: Vec<String>,
    pass: bool,
    passage: bool,
    age: bool,
    rage: bool,
    agent: Option<u32>,
}

const US: &str = env!("CARGO_BIN_EXE_strongroom");

impl Stores {
    fn make(notes: usize) -> Self {
        let stage = Stage {
            folder: tempfile::tempdir().unwrap(),
        };
        let root = stage.folder.path().to_owned();
        for name in ["gnupg", "run", "files"] {
            std::fs::create_dir(root.join(name)).unwrap();
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            std::fs::set_permissions(root.join(name), private).unwrap();
        }
        std::fs::write(root.join("passphrase"), PASSPHRASE).unwrap();
        let mut stores = Self {
            pass: has("pass") && has("gpg"),
            age: has("age") && has("age-keygen"),
            passage: has("passage") && has("age"),
            rage: has("rage") && has("age-keygen"),
            ids: Vec::new(),
            agent: None,
            stage,
        };
        stores.ours(notes);
        if stores.pass {
            stores.pass_store(notes, &root);
        }
        if stores.age {
            stores.age_store(notes, &root);
        }
        stores
    }

    fn ours(&mut self, notes: usize) {
        self.stage.run(US, &["init", "--name", "mara", "-q"], b"");
        self.stage.run(US, &["unlock", "--for", "24h", "-q"], b"");
        self.agent = agent(self.stage.folder.path());
        assert!(self.agent.is_some(), "the agent is there");
        for n in 0..notes {
            let arguments = ["add", "--label", "internal", "--client", "Halcyon", "--file", "-", "-q"];
            let id = self.stage.run(US, &arguments, note(n).as_bytes());
            self.ids.push(String::from_utf8(id).unwrap().trim().to_owned());
        }
    }

    fn pass_store(&self, notes: usize, root: &Path) {
        let key = "%no-protection\nKey-Type: EDDSA\nKey-Curve: ed25519\nSubkey-Type: ECDH\nSubkey-Curve: cv25519\n\
                   Name-Real: a\nName-Email: a@localhost\n%commit\n";
        self.stage.run("gpg", &["--batch", "--gen-key"], key.as_bytes());
        self.stage.run("pass", &["init", "a@localhost"], b"");
        self.stage.run("pass", &["git", "init"], b"");
        // Written as `pass insert` does, but committed once.
        std::fs::create_dir(root.join("pass/n")).unwrap();
        for n in 0..notes {
            let file = root.join(format!("pass/n/{n}.gpg"));
            let arguments = [
                "--batch",
                "--quiet",
                "-r",
                "a@localhost",
                "-o",
                file.to_str().unwrap(),
                "-e",
            ];
            self.stage.run("gpg", &arguments, note(n).as_bytes());
        }
        self.stage.run("pass", &["git", "add", "."], b"");
        self.stage.run("pass", &["git", "commit", "-qm", "notes"], b"");
    }

    fn age_store(&self, notes: usize, root: &Path) {
        self.stage.run("age-keygen", &["-o", "age.key"], b"");
        let public = self.stage.run("age-keygen", &["-y", "age.key"], b"");
        std::fs::write(root.join("age.pub"), &public).unwrap();
        std::fs::create_dir_all(root.join("passage/n")).unwrap();
        for n in 0..notes {
            let file = root.join(format!("passage/n/{n}.age"));
            self.stage.run(
                "age",
                &["-R", "age.pub", "-o", file.to_str().unwrap()],
                note(n).as_bytes(),
            );
        }
        for arguments in [&["init", "-q"][..], &["add", "."], &["commit", "-qm", "notes"]] {
            let mut all = vec!["-C", "passage"];
            all.extend(arguments);
            self.stage.run("git", &all, b"");
        }
    }

    fn compare(&self, runs: usize, mib: usize) {
        let stage = &self.stage;
        let some = |n: usize| n * 37 % self.ids.len();
        let file = |n: usize| format!("passage/n/{}.age", some(n));
        let ours = |what: &[&str]| drop(stage.run(US, what, b""));

        let mut show = vec![measure("strongroom", runs, self.agent, |n| {
            ours(&["show", &self.ids[some(n)]])
        })];
        let mut add = vec![measure("strongroom", runs, self.agent, |n| {
            drop(stage.run(
                US,
                &["add", "--label", "internal", "--file", "-", "-q"],
                note(n).as_bytes(),
            ));
        })];
        let mut list = vec![measure("strongroom", runs, self.agent, |_| ours(&["list"]))];
        let few = runs.min(5);
        let mut search = vec![measure("strongroom", few, self.agent, |_| ours(&["search", NEEDLE]))];
        let mut start = vec![measure("strongroom", runs, self.agent, |_| ours(&["--version"]))];
        if self.pass {
            show.push(measure("pass", runs, None, |n| {
                drop(stage.run("pass", &["show", &format!("n/{}", some(n))], b""));
            }));
            add.push(measure("pass", runs, None, |n| {
                drop(stage.run("pass", &["insert", "-m", &format!("new/{n}")], note(n).as_bytes()));
            }));
            list.push(measure("pass", runs, None, |_| drop(stage.run("pass", &["ls"], b""))));
            search.push(measure("pass", few.min(3), None, |_| {
                drop(stage.run("pass", &["grep", NEEDLE], b""))
            }));
            start.push(measure("pass", runs, None, |_| {
                drop(stage.run("pass", &["version"], b""))
            }));
        }
        if self.passage {
            show.push(measure("passage", runs, None, |n| {
                drop(stage.run("passage", &["show", &format!("n/{}", some(n))], b""));
            }));
            add.push(measure("passage", runs, None, |n| {
                drop(stage.run("passage", &["insert", "-m", &format!("new/{n}")], note(n).as_bytes()));
            }));
            list.push(measure("passage", runs, None, |_| {
                drop(stage.run("passage", &["ls"], b""))
            }));
            search.push(measure("passage", few.min(3), None, |_| {
                drop(stage.run("passage", &["grep", NEEDLE], b""))
            }));
        }
        if self.age {
            show.push(measure("age", runs, None, |n| {
                drop(stage.run("age", &["-d", "-i", "age.key", &file(n)], b""));
            }));
        }
        if self.rage {
            show.push(measure("rage", runs, None, |n| {
                drop(stage.run("rage", &["-d", "-i", "age.key", &file(n)], b""));
            }));
        }
        print("show", &show);
        print("add, with its commit", &add);
        print("list", &list);
        print("search for one word in all", &search);
        print("start", &start);
        self.attachments(few, mib);
    }

    fn attachments(&self, runs: usize, mib: usize) {
        let (stage, root) = (&self.stage, self.stage.folder.path());
        let mut bytes = vec![0; mib << 20];
        // Incompressible, and the same every time.
        let mut state = 1_u64;
        for word in bytes.chunks_exact_mut(8) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            word.copy_from_slice(&state.rotate_left(29).to_le_bytes());
        }
        std::fs::write(root.join("files/big"), &bytes).unwrap();
        drop(bytes);
        let fresh = |n: usize| -> String {
            let path: PathBuf = root.join(format!("files/out-{n}"));
            let _ = std::fs::remove_file(&path);
            path.to_str().unwrap().to_owned()
        };
        let id = &self.ids[0];
        let mut attach = vec![measure("strongroom", runs, self.agent, |n| {
            let name = format!("big-{n}");
            drop(stage.run(US, &["attach", id, "files/big", "--name", &name, "-q"], b""));
        })];
        let mut extract = vec![measure("strongroom", runs, self.agent, |n| {
            drop(stage.run(US, &["extract", id, "big-0", "--out", &fresh(n), "-q"], b""));
        })];
        for program in [("age", self.age), ("rage", self.rage)]
            .iter()
            .filter(|(_, there)| *there)
            .map(|(name, _)| *name)
        {
            attach.push(measure(program, runs, None, |n| {
                drop(stage.run(program, &["-R", "age.pub", "-o", &fresh(n), "files/big"], b""));
            }));
            stage.run(program, &["-R", "age.pub", "-o", &fresh(1000), "files/big"], b"");
            let sealed = root.join("files/out-1000").to_str().unwrap().to_owned();
            extract.push(measure(program, runs, None, |n| {
                drop(stage.run(program, &["-d", "-i", "age.key", "-o", &fresh(n), &sealed], b""));
            }));
            fresh(1000);
        }
        print(&format!("seal a file of {mib} MiB"), &attach);
        print(&format!("open a file of {mib} MiB"), &extract);
    }
}

impl Drop for Stores {
    fn drop(&mut self) {
        let _ = self.stage.command(US).arg("lock").output();
        let _ = self.stage.command("gpgconf").args(["--kill", "all"]).output();
    }
}

fn main() {
    let (notes, runs, mib) = (
        number("PEERS_NOTES", 1000),
        number("PEERS_RUNS", 15),
        number("PEERS_MIB", 100),
    );
    println!("{notes} notes of 2 KB, {runs} runs; milliseconds");
    let stores = Stores::make(notes.max(20));
    for (name, there) in [
        ("pass", stores.pass),
        ("passage", stores.passage),
        ("age", stores.age),
        ("rage", stores.rage),
    ] {
        if !there {
            println!("skipped: {name} is not installed");
        }
    }
    stores.compare(runs, mib);
}
