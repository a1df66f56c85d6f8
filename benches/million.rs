//! A log of a million entries, written through the real code: `cargo bench --bench million`.
//!
//! Three devices of one person write in turn; a tenth of the entries record notes, the others are reads. Told are how long
//! an append takes as the log grows, and what `audit verify` of all of it takes in time and memory beside the time that
//! SHA-256 takes for the same lines. `MILLION_ENTRIES` (1,000,000) is how many, `MILLION_TURN` (50) how many a device
//! writes before the next one does, which names in its first entry what it saw of the others; `TMPDIR` where. It takes two
//! gigabytes and about half an hour. A vault that `MILLION_KEEP` names is made there and stays, or is measured again if it is
//! there already.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "stock/mod.rs"]
#[allow(dead_code)]
mod stock;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use stock::{BEGIN, Nobody, PASSPHRASE};
use strongroom::app::{Access, Clock, Context, Init, PassphraseSource, Places, init, recover, tidy};
use strongroom::chain::{Details, Kind, Time, lines_of};
use strongroom::crypto::{make_random, sha256};
use strongroom::env::SystemEntropy;
use strongroom::envelope::IdentityFile;
use strongroom::id::NoteId;
use strongroom::ledger::{Draft, Ledger, LedgerError, Memory, Opened};
use strongroom::repo::{PATIENCE, Repo, Settings};
use strongroom::secret::Passphrase;
use strongroom::session::Identity;

const DEVICES: usize = 3;
/// At which sizes of all logs together appends are told.
const TOLD: [usize; 5] = [100, 1000, 10_000, 100_000, 1_000_000];
/// After how many entries what has gathered is packed.
const PACKED_EVERY: usize = 20_000;
/// Over how many appends a median goes.
const WINDOW: usize = 100;

fn number(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// One of the devices: an identity, and where it keeps what.
struct Device {
    places: Places,
    identity: Identity,
    state: PathBuf,
    /// It stays unlocked.
    memory: Memory,
}

impl Device {
    fn of(places: Places) -> Self {
        let file = IdentityFile::parse(&std::fs::read(places.identity()).unwrap()).unwrap();
        let identity = Identity::unlock(&file, &Passphrase::new(PASSPHRASE.into())).unwrap();
        let state = places.state(&file.vault, &file.device);
        Self {
            places,
            identity,
            state,
            memory: Memory::default(),
        }
    }
}

fn context(root: &Path, places: &Places) -> Context<'static> {
    Context {
        places: places.clone(),
        clock: Clock::System,
        source: Some(PassphraseSource::File(root.join("passphrase"))),
        person: &Nobody,
        access: Access::given(Some("duty".into()), Some("shift briefing".into())).unwrap(),
        held: None,
    }
}

fn home(root: &Path, n: usize) -> Places {
    Places::under(&root.join(format!("device-{n}")))
}

/// A vault whose founder came back in with the recovery key on further devices.
fn found(root: &Path) {
    std::fs::write(root.join("passphrase"), PASSPHRASE).unwrap();
    let page = root.join("recovery");
    let first = home(root, 0);
    let new = Init {
        name: "mara".into(),
        recovery_key: Some(page.clone()),
        insist: false,
    };
    init(&context(root, &first), &new).unwrap();
    for n in 1..DEVICES {
        let vault = root.join(format!("device-{n}/data/strongroom"));
        std::fs::create_dir_all(&vault).unwrap();
        std::os::unix::fs::symlink(first.vault(), vault.join("vault")).unwrap();
        recover(&context(root, &home(root, n)), &page, false).unwrap();
    }
}

fn write_all(devices: &[Device], entries: usize, turn: usize) {
    let mut times: VecDeque<Duration> = VecDeque::new();
    let mut written = 0;
    println!("entries   append, ms (median of {WINDOW})");
    let repo = Repo::open(&devices[0].places.vault(), Settings::of_this_run()).unwrap();
    for device in devices.iter().cycle() {
        if written >= entries {
            break;
        }
        let mut ledger = Ledger::start(&repo, &device.identity, &device.state, PATIENCE, Some(&device.memory)).unwrap();
        let begin = written;
        for n in begin..entries.min(begin + turn) {
            let now = Time::from_unix(BEGIN + n as i64);
            let draft = match n % 10 {
                0 => {
                    let note = NoteId(make_random(&mut SystemEntropy).unwrap());
                    let changes = stock::seal(&device.identity, &ledger, note, n, now);
                    Draft::change(Kind::Add, Details::new("add"), vec![note], changes)
                }
                _ => Draft::read(Details::new("show"), Vec::new()),
            };
            let begun = Instant::now();
            let _ = ledger.record(draft, now, &mut SystemEntropy).unwrap();
            if n % 10 != 0 {
                times.truncate(WINDOW - 1);
                times.push_front(begun.elapsed());
            }
            written = n + 1;
            if TOLD.contains(&written) {
                let mut last: Vec<Duration> = times.iter().copied().collect();
                last.sort();
                println!("{written:>9} {:.3}", last[last.len() / 2].as_secs_f64() * 1000.0);
            }
        }
        drop(ledger);
        if written % PACKED_EVERY < turn {
            while tidy(&device.places).unwrap() {}
        }
    }
}

/// Runs the program; gives its time, and the most memory that any command run so far has had, in MiB.
fn run(root: &Path, vault: &Path, arguments: &[&str]) -> (Duration, u64) {
    let begun = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_strongroom"))
        .env_clear()
        .env("HOME", root)
        .args(arguments)
        .arg("--vault")
        .arg(vault)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {told}");
    let took = begun.elapsed();
    println!("  {}", told.lines().next().unwrap_or_default());
    let status = Command::new("/bin/sh")
        .arg("-c")
        .arg(
            r#""$0" "$@" >/dev/null & pid=$!; peak=0
             while [ -r /proc/$pid/status ]; do
               now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' /proc/$pid/status 2>/dev/null)
               [ -n "$now" ] && peak=$now; sleep 0.02
             done; echo $peak"#,
        )
        .arg(env!("CARGO_BIN_EXE_strongroom"))
        .args(arguments)
        .arg("--vault")
        .arg(vault)
        .env("HOME", root)
        .output()
        .unwrap();
    let peak = String::from_utf8_lossy(&status.stdout).trim().parse().unwrap_or(0);
    (took, peak / 1024)
}

/// How long an append takes now.
fn append(device: &Device) {
    let repo = Repo::open(&device.places.vault(), Settings::of_this_run()).unwrap();
    let mut ledger = Ledger::start(&repo, &device.identity, &device.state, PATIENCE, None).unwrap();
    let mut times: Vec<Duration> = Vec::new();
    for n in 0..=WINDOW {
        let draft = Draft::read(Details::new("show"), Vec::new());
        let begun = Instant::now();
        let now = Time::from_unix(BEGIN + 50_000_000 + n as i64);
        let _ = ledger.record(draft, now, &mut SystemEntropy).unwrap();
        times.push(begun.elapsed());
    }
    times.sort();
    let median = times[times.len() / 2].as_secs_f64() * 1000.0;
    println!("append, ms (median of {WINDOW}): {median:.3}");
}

fn measure(root: &Path, devices: &[Device]) {
    append(&devices[0]);
    let vault = devices[0].places.vault();
    let mut lines = Vec::new();
    for device in devices {
        let repo = Repo::open(&vault, Settings::of_this_run()).unwrap();
        let begun = Instant::now();
        let mut ledger = Ledger::start(&repo, &device.identity, &device.state, PATIENCE, None).unwrap();
        println!("start, nothing remembered: {:.2} s", begun.elapsed().as_secs_f64());
        if lines.is_empty() {
            let now = Time::from_unix(BEGIN + 100_000_000);
            let reading = Draft::read(Details::new("audit log"), Vec::new());
            let recorded = ledger.record(reading, now, &mut SystemEntropy).unwrap();
            let mut keep = |read: Opened| {
                lines.extend(read.entry.to_line().unwrap());
                lines.push(b'\n');
                Ok::<_, LedgerError>(())
            };
            ledger.reading(&recorded).unwrap().each(&mut keep).unwrap();
        }
    }
    let each: Vec<&[u8]> = lines_of(&lines).collect();
    let begun = Instant::now();
    for line in each {
        std::hint::black_box(sha256(&[line]));
    }
    let hashed = begun.elapsed().as_secs_f64();
    println!("SHA-256 of {} MB of lines: {hashed:.2} s", lines.len() / 1_000_000);
    drop(lines);
    for arguments in [&["audit", "verify"][..], &["audit", "verify", "--deep"]] {
        let (took, peak) = run(root, &vault, arguments);
        let took = took.as_secs_f64();
        println!(
            "{}: {took:.2} s, {:.1} times the hashing, {peak} MiB",
            arguments.join(" "),
            took / hashed
        );
    }
}

fn main() {
    let entries = number("MILLION_ENTRIES", 1_000_000);
    let folder = tempfile::tempdir().unwrap();
    let root = std::env::var_os("MILLION_KEEP").map_or(folder.path().to_owned(), PathBuf::from);
    let there = home(&root, 0).vault().exists();
    std::fs::create_dir_all(&root).unwrap();
    if !there {
        found(&root);
    }
    let devices: Vec<Device> = (0..DEVICES).map(|n| Device::of(home(&root, n))).collect();
    if !there {
        let begun = Instant::now();
        write_all(&devices, entries, number("MILLION_TURN", 50));
        println!("written in {:.0} s", begun.elapsed().as_secs_f64());
    }
    measure(&root, &devices);
}
