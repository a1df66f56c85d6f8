//! kill -9: at every durable step, and at any moment. Nothing acknowledged is lost, nothing shown is unrecorded.

use crate::house::{House, Ran, files, has, long, say, with_why};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;
use strongroom::crypto::make_random;
use strongroom::env::SystemEntropy;

/// Small random numbers for the choice of moments.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new() -> Self {
        let seed = u64::from_le_bytes(make_random(&mut SystemEntropy).unwrap()) | 1;
        Self(seed)
    }

    /// A number below `sides` (xorshift64, Marsaglia 2003).
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

/// Runs `args` so that it dies before its `step`-th durable step; what it wrote by then, if it did die.
pub(crate) fn killed_at(house: &House, args: &[&str], step: usize) -> Result<(), Ran> {
    let mut command = house.command(args);
    command.env("STRONGROOM_TEST_KILL_AT", step.to_string());
    let ran = Ran::from(command.output().unwrap());
    if ran.code.is_some() {
        return Err(ran);
    }
    // A small disk is told to be nearly full.
    let err = ran.err.lines().filter(|line| !line.contains("nearly full")).count();
    assert_eq!((ran.out.as_str(), err), ("", 0), "{args:?} at {step}: {}", ran.err);
    Ok(())
}

/// Runs a command so that it dies before its `step`-th durable step; whether it did.
pub(crate) fn killed_by(command: &mut std::process::Command, step: usize) -> bool {
    command.env("STRONGROOM_TEST_KILL_AT", step.to_string());
    Ran::from(command.output().unwrap()).code.is_none()
}

/// All that was acknowledged is there, before and after the next start.
fn check(house: &House, acknowledged: &BTreeSet<String>) {
    house.intact();
    let listed: BTreeSet<String> = house.listed().into_iter().collect();
    assert!(acknowledged.is_subset(&listed), "{acknowledged:?} {listed:?}");
    house.intact();
}

#[test]
fn a_kill_before_any_durable_step_loses_nothing() {
    let house = House::new();
    let id = house.add("Acknowledged.");
    let mut acknowledged = BTreeSet::from([id.clone()]);
    let mut survived = 0;
    let mut commands = vec![vec!["add", "--label", "internal", "killed"], vec!["show", &id]];
    if long() {
        commands.push(vec!["brief", "draft", &id, "--for", "internal", "--json"]);
    }
    for args in commands {
        for step in 1.. {
            match killed_at(&house, &with_why(&args), step) {
                Ok(()) => check(&house, &acknowledged),
                Err(ran) => {
                    let out = ran.expect(0);
                    if args[0] == "add" {
                        acknowledged.insert(out.trim().to_owned());
                    }
                    break;
                }
            }
            survived += 1;
        }
    }
    say(format_args!("{survived} kills between durable steps survived"));
    assert!(survived > 10);
    let unexpected: Vec<_> = files(&house.root().join("tmp"));
    assert!(unexpected.is_empty(), "left behind: {unexpected:?}");
}

#[test]
fn a_kill_while_the_journal_is_cut_loses_nothing() {
    let house = House::new();
    // With the entry of the founding, 64: the next write cuts first.
    let acknowledged: BTreeSet<String> = house.fill(63, 9).into_iter().collect();
    for step in 1..=3 {
        killed_at(&house, &["list"], step).unwrap();
        house.intact();
    }
    check(&house, &acknowledged);
}

#[test]
fn a_kill_while_recovering_loses_nothing() {
    let mut house = House::new();
    let acknowledged: BTreeSet<String> = house.fill(6, 2).into_iter().collect();
    killed_at(&house, &["add", "half written"], 5).unwrap();
    let mut survived = 0;
    while killed_at(&house, &["list"], survived + 1).is_ok() {
        house.intact();
        survived += 1;
    }
    assert!(survived > 3, "{survived}");
    check(&house, &acknowledged);
    // After a reboot that has lost the refs of what was written since the cut.
    let lost = house.fill(3, 1);
    house.set("STRONGROOM_TEST_BOOT_ID", "00000000-0000-4000-8000-000000000002");
    // Two ids may begin alike, and then their notes are on one branch.
    for shard in lost.iter().map(|id| &id[..2]).collect::<BTreeSet<_>>() {
        std::fs::remove_file(house.vault().join("refs/heads/notes").join(shard)).unwrap();
    }
    let acknowledged = acknowledged.into_iter().chain(lost).collect();
    for step in 1..=4 {
        killed_at(&house, &["list"], step).unwrap();
    }
    check(&house, &acknowledged);
    assert_eq!(house.git(&["fsck", "--strict", "--no-dangling"]), "");
}

/// What a program that died may leave beside git's files.
fn leftovers(house: &House) -> Vec<PathBuf> {
    let mut found = files(&house.vault());
    found.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("tmp_") || (name.ends_with(".lock") && name != "strongroom.lock")
    });
    found
}

#[test]
fn a_kill_at_any_system_call_loses_nothing_and_leaves_nothing_behind() {
    if !has("strace") {
        return;
    }
    let house = House::new();
    let id = house.add("Acknowledged.");
    let mut acknowledged = BTreeSet::from([id.clone()]);
    let (mut survived, mut left) = (0, 0);
    for args in [vec!["add", "--label", "internal", "killed"], vec!["show", &id]] {
        for call in ["pwrite64", "fdatasync", "write", "link", "rename", "unlink", "mkdir"] {
            // The n-th of these calls does not happen any more.
            for place in (1..).step_by(if long() { 1 } else { 4 }) {
                let mut strace = house.program("strace");
                strace.args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e"]);
                strace.arg(format!("inject={call}:signal=SIGKILL:when={place}"));
                strace
                    .arg(env!("CARGO_BIN_EXE_strongroom"))
                    .arg("--no-input")
                    .args(&args);
                let ran = Ran::from(strace.output().unwrap());
                if args[0] == "add" && ran.out.len() >= 32 {
                    acknowledged.insert(ran.out.trim().to_owned());
                }
                if ran.code == Some(0) {
                    break;
                }
                assert_eq!(ran.code, None, "{}", ran.err);
                left += leftovers(&house).len();
                check(&house, &acknowledged);
                assert_eq!(leftovers(&house), Vec::<PathBuf>::new(), "{args:?} at {call} {place}");
                survived += 1;
            }
        }
    }
    say(format_args!(
        "{survived} kills at system calls survived; {left} files that they left were removed"
    ));
    assert!(survived > 5);
}

#[test]
fn a_kill_at_any_moment_loses_nothing_and_hides_nothing() {
    let house = House::new();
    let start = Instant::now();
    let id = house.add("The courier enters by the cellar door.");
    let mut usual = start.elapsed();
    let mut acknowledged = BTreeSet::from([id.clone()]);
    let (rounds, mut dice) = (if long() { 200 } else { 25 }, Dice::new());
    let (mut shown, mut killed, mut tried) = (0, 0, 0);
    // A round in which the program was done before it was killed counts for nothing.
    while killed < rounds {
        tried += 1;
        assert!(tried < rounds * 10, "{killed} of {tried} were killed in time");
        let add = dice.roll(2) == 0;
        let args = match add {
            true => vec!["add", "--label", "internal", "at any moment"],
            false => vec!["show", &id],
        };
        let mut child = house.command(&args).spawn().unwrap();
        // Most of the time goes into the key; what matters comes at the end.
        std::thread::sleep(usual * (50 + dice.roll(80) as u32) / 100);
        let in_time = child.try_wait().unwrap().is_none();
        killed += usize::from(in_time);
        // A machine that others use too is not always as fast as it was at first.
        usual = if in_time { usual * 26 / 25 } else { usual * 3 / 4 };
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        match add {
            true if out.len() >= 32 => drop(acknowledged.insert(out.trim().to_owned())),
            true => assert!(out.is_empty()),
            false => shown += usize::from(!out.is_empty()),
        }
        house.intact();
        if tried % 10 == 9 {
            check(&house, &acknowledged);
        }
    }
    check(&house, &acknowledged);
    let recorded = house.shown().len();
    assert!(recorded >= shown, "{shown} shown, {recorded} recorded");
    say(format_args!(
        "{killed} of {tried} runs killed at any moment; {} notes acknowledged, {shown} shown, {recorded} recorded",
        acknowledged.len()
    ));
}

#[test]
fn an_init_that_was_killed_leaves_nothing_in_the_way() {
    let house = House::empty();
    let args = ["init", "--name", "mara"];
    let mut step = 1;
    while killed_at(&house, &args, step).is_ok() {
        assert!(!house.identity().exists() && !house.vault().exists());
        step += 3;
    }
    assert!(step > 10);
    house.intact();
    house.add("A vault like any other.");
}
