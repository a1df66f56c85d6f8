//! What a member may not know of does not show: two vaults, alike but for notes that jon may not read, and everything that
//! he does in them through the program comes to the same, byte for byte.
//!
//! `cargo test --release --test unseen -- --ignored --nocapture` compares the times as well.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use strongroom::app::{
    Access, Clock, Context, Held, ListQuery, NewFile, Person, Places, list, list_files, new_file, open_file, search,
    shared, show,
};

const PASSPHRASE: &str = "orchid tractor velvet magnet";
const WHY: [&str; 4] = ["--purpose", "duty", "--why", "shift briefing"];
/// 2026-11-21T09:30:00Z
const BEGUN: i64 = 1_795_253_400;

/// A home with a vault and two people's identities; its clock goes on by a minute with each command.
struct Home {
    folder: PathBuf,
    minute: i64,
}

/// What can be observed of a command.
#[derive(PartialEq, Eq, Debug)]
struct Seen {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Home {
    fn run(&mut self, who: &str, arguments: &[&str]) -> Seen {
        let at = |name: &str| self.folder.join(name);
        let time = strongroom::chain::Time::from_unix(BEGUN + 60 * self.minute);
        self.minute += 1;
        let output = Command::new(env!("CARGO_BIN_EXE_strongroom"))
            .arg("--no-input")
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &self.folder)
            .env("XDG_RUNTIME_DIR", at("run"))
            .env("TZ", "UTC")
            .env("STRONGROOM_PASSPHRASE_FILE", at("passphrase"))
            .env("STRONGROOM_IDENTITY", at(who))
            .env("STRONGROOM_TEST_CLOCK", time.to_string())
            .current_dir(at("work"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&*self.folder.to_string_lossy(), "~")
        };
        Seen {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    #[track_caller]
    fn done(&mut self, who: &str, arguments: &[&str]) -> String {
        let seen = self.run(who, arguments);
        assert_eq!(seen.code, Some(0), "{arguments:?}: {}{}", seen.out, seen.err);
        seen.out.trim().to_owned()
    }

    fn entries(&mut self) -> u64 {
        let report: Value = serde_json::from_str(&self.done("mara", &["audit", "verify", "--json"])).unwrap();
        report["entries"].as_u64().unwrap()
    }
}

/// What jon knows of, and what he does not.
struct Ids {
    known: String,
    other: String,
    draft: String,
    /// Of notes that are in one of the two vaults only: above his clearance, and in a compartment that he lacks.
    above: String,
    apart: String,
    hidden_draft: String,
    /// The request of their destruction.
    request: String,
}

/// Two homes that are alike, but that in the first are notes which jon may not know of: in the second mara lists as often
/// as she wrote in the first.
fn two_homes(root: &Path) -> ([Home; 2], Ids) {
    let mut with = Home {
        folder: root.join("with"),
        minute: 0,
    };
    for name in ["run", "work"] {
        std::fs::create_dir_all(with.folder.join(name)).unwrap();
    }
    std::fs::write(with.folder.join("passphrase"), PASSPHRASE).unwrap();
    for name in ["file.txt", "later.txt"] {
        std::fs::write(
            with.folder.join("work").join(name),
            format!("(I) The gate stays shut: {name}.\n"),
        )
        .unwrap();
    }
    with.done("mara", &["init", "--name", "mara"]);
    with.done("mara", &["compartment", "new", "Halcyon"]);
    with.done("jon", &["member", "request", "--name", "jon", "--out", "request"]);
    with.done(
        "mara",
        &["member", "admit", "request", "--clearance", "confidential", "--yes"],
    );
    let note = |label, client, text| {
        let arguments = ["add", "--label", label, "--client", client, text, "--quiet"];
        [arguments.as_slice(), &WHY].concat()
    };
    let known = with.done(
        "mara",
        &note("confidential", "Kestrel", "(I) What to do: keep the north gate shut."),
    );
    let other = with.done("jon", &note("internal", "Halcyon", "(I) The torch of car 2 is mended."));
    let drafted = with.done("jon", &["brief", "draft", &known, "--for", "internal", "--json"]);
    let draft = serde_json::from_str::<Value>(&drafted).unwrap()["draft"]
        .as_str()
        .unwrap()
        .to_owned();
    with.done("jon", &["attach", &known, "file.txt"]);
    let copied = Command::new("cp")
        .arg("-a")
        .arg(&with.folder)
        .arg(root.join("without"))
        .status()
        .unwrap();
    assert!(copied.success());
    let mut without = Home {
        folder: root.join("without"),
        minute: with.minute,
    };

    let hidden = "(I) The north gate opens for Lena Hauk of Kestrel; the torch of car 2 is hers.";
    let above = with.done("mara", &note("restricted", "Kestrel", hidden));
    let apart = with.done("mara", &note("internal/Halcyon", "Halcyon", hidden));
    let drafted = [
        ["brief", "draft", &above, "--for", "internal", "--json"].as_slice(),
        &WHY,
    ]
    .concat();
    let drafted = with.done("mara", &drafted);
    let hidden_draft = serde_json::from_str::<Value>(&drafted).unwrap()["draft"]
        .as_str()
        .unwrap()
        .to_owned();
    with.done("mara", &["attach", &above, "file.txt"]);
    // What points to a note that jon may read, is due, and repeats, is none of his either.
    let of = format!("of={known}");
    let labels = ["--label", "internal/Halcyon", "--quiet"];
    for words in [
        [
            "add",
            "--template",
            "action",
            "--field",
            &of,
            "--field",
            "owner=@jon",
            "--field",
            "due=2099-11-22",
        ],
        [
            "add",
            "--template",
            "incident",
            "--field",
            "kind=theft",
            "--field",
            "place=gate",
            "--field",
            "told=Kestrel",
        ],
    ] {
        with.done("mara", &[words.as_slice(), &labels].concat());
    }
    with.done("mara", &["edit", &apart, "--field", "gate=north"]);
    let asked = [["destroy", &above, "--yes"].as_slice(), &WHY].concat();
    assert_eq!(with.run("mara", &asked).code, Some(3));
    let requests: Value = serde_json::from_str(&with.done("mara", &["approvals", "--json"])).unwrap();
    let request = requests[0]["request"].as_str().unwrap().to_owned();
    while without.entries() < with.entries() {
        without.done("mara", &["list"]);
    }
    assert_eq!(without.entries(), with.entries());
    (without.minute, with.minute) = (100, 100);
    let ids = Ids {
        known,
        other,
        draft,
        above,
        apart,
        hidden_draft,
        request,
    };
    ([with, without], ids)
}

/// Everything that jon may try, what changes something last; with words and as JSON, with a reason and without.
fn tried(ids: &Ids) -> Vec<Vec<String>> {
    let everywhere: Vec<Vec<&str>> = vec![
        vec!["list"],
        vec!["list", "--client", "Halcyon", "--sort", "label"],
        vec!["list", "--label", "restricted"],
        vec!["list", "--label", "internal/Halcyon"],
        vec!["search", "gate"],
        vec!["search", "Hauk"],
        vec!["approvals"],
        vec!["due"],
        vec!["list", "--template", "action"],
        vec!["approve", &ids.request, "--yes"],
        vec!["brief", "list"],
        vec!["brief", "recall"],
        vec!["compartment", "list"],
        vec!["doctor"],
        vec!["show", &ids.above],
        vec!["show", &ids.apart[..8]],
    ];
    let mut once: Vec<Vec<&str>> = vec![
        vec!["list", "--limit", "1"],
        vec!["search", "torch", "--client", "Halcyon"],
        vec!["conflict", "list"],
        vec!["hold", "list"],
        vec!["member", "list"],
        vec!["member", "review"],
        vec!["metrics"],
        vec!["policy", "ack", "--list"],
        vec!["policy", "ack"],
        vec!["brief", "check", "file.txt"],
        vec!["breakglass", "review"],
        vec!["audit", "verify"],
        vec!["audit", "prove", &ids.request, "--out", "proof"],
        vec!["audit", "who", "--client", "Kestrel"],
        vec!["policy", "explain", "read"],
        vec!["policy", "list"],
        vec!["status"],
        vec!["add", "--label", "restricted", "Text."],
        vec!["add", "--label", "internal/Halcyon", "Text."],
    ];
    for id in [&ids.above, &ids.apart, &ids.hidden_draft] {
        once.extend([
            vec!["show", &id[..4]],
            vec!["show", &id[..31]],
            vec!["show", id],
            vec!["edit", id, "--file", "later.txt"],
            vec!["close", id],
            vec!["close", &id[..4]],
            vec!["keep", id, "--because", "still needed"],
            vec!["brief", "draft", &ids.known, id, "--for", "internal"],
            vec!["brief", "release", id, "--to", "the day shift", "--yes"],
        ]);
    }
    let id = &ids.above;
    let of_hidden = format!("of={id}");
    let of_known = format!("of={}", &ids.known[..8]);
    let action = |of| {
        let asked = ["owner=@jon", "due=2026-11-23"].map(|field| ["--field", field]);
        let words = ["add", "--template", "action", "--field", of];
        [
            words.as_slice(),
            asked.as_flattened(),
            &["--label", "internal", "A lamp."],
        ]
        .concat()
    };
    once.extend([action(&of_hidden), action(&of_known)]);
    once.extend([
        vec!["show", id, "--revision", "1"],
        vec!["history", id],
        vec!["history", id, "--diff"],
        vec!["attach", id, "file.txt"],
        vec!["extract", id, "file.txt"],
        vec!["edit", id, "--discard"],
        vec!["relabel", id, "internal"],
        vec!["destroy", id, "--yes"],
        vec!["brief", "draft", id, "--for", "internal"],
        vec!["breakglass", "open", id, "--class", "safety"],
        vec!["policy", "explain", "read", id],
        vec!["audit", "who", "--note", id],
        vec!["export", "pack", id, "--out", "pack"],
        vec!["export", "pack", "--client", "Kestrel", "--out", "pack"],
        vec!["export", "subject", "--person", "Lena Hauk", "--out", "answer"],
    ]);
    once.extend([
        vec!["show", &ids.known[..8]],
        vec!["show", &ids.draft],
        vec!["history", &ids.known],
        vec!["extract", &ids.known, "file.txt", "--out", "extracted"],
        vec!["brief", "draft", &ids.other, "--for", "internal"],
        vec![
            "brief",
            "release",
            &ids.draft,
            "--to",
            "the day shift",
            "--yes",
            "--out",
            "brief.md",
        ],
        vec!["edit", &ids.known, "--file", "later.txt"],
        vec!["close", &ids.known],
        vec!["due"],
        vec!["relabel", &ids.other, "confidential"],
        vec!["conflict", "declare", "--client", "Kestrel"],
        vec!["list"],
        vec!["conflict", "list"],
        vec!["destroy", &ids.other, "--yes"],
        vec!["audit", "log"],
        vec!["audit", "log", "--json"],
    ]);
    let modes = [&WHY[..], &["--json"]];
    let everywhere = everywhere
        .iter()
        .flat_map(|words| modes.map(|mode| [words.as_slice(), mode].concat()));
    let all = everywhere.chain(once.iter().map(|words| [words.as_slice(), &WHY].concat()));
    all.map(|words| words.into_iter().map(str::to_owned).collect())
        .collect()
}

/// The text with what is random in it replaced: ids and digests that the story does not know, and the order of ids.
fn plain(text: &str, known: &BTreeSet<String>) -> String {
    let hex = regex::Regex::new(r"\b[0-9a-f]{8,64}\b").unwrap();
    let replaced = hex.replace_all(text, |found: &regex::Captures<'_>| {
        match known.iter().any(|id| id.starts_with(&found[0])) {
            true => found[0].to_owned(),
            false => "ID".to_owned(),
        }
    });
    // What is sealed tells its length and nothing else.
    let sealed = regex::Regex::new(r#""sealed":"([^"]*)""#).unwrap();
    let length = |found: &regex::Captures<'_>| format!("sealed {}", found[1].len());
    let replaced = sealed.replace_all(&replaced, length);
    let shard = regex::Regex::new(r"(notes|keys)/[0-9a-f]{2}\b").unwrap();
    let replaced = shard.replace_all(&replaced, "$1/XX");
    let ids = regex::Regex::new(r#"\b(?:ID|[0-9a-f]{8,64})\b(?:[ ",]+(?:ID|[0-9a-f]{8,64})\b)+"#).unwrap();
    let sorted = |found: &regex::Captures<'_>| {
        let mut ids: Vec<&str> = found[0].split([' ', '"', ',']).filter(|id| !id.is_empty()).collect();
        ids.sort_unstable();
        ids.join(" ")
    };
    ids.replace_all(&replaced, sorted).into_owned()
}

/// The first line in which two texts differ.
fn difference(one: &str, other: &str) -> String {
    let lines = one.lines().zip(other.lines());
    let found = lines.into_iter().find(|(one, other)| one != other);
    let short = |line: &str| line.chars().take(2000).collect::<String>();
    found.map_or_else(
        || format!("{} and {} bytes", one.len(), other.len()),
        |(one, other)| format!("\n  {}\n  {}", short(one), short(other)),
    )
}

#[test]
fn what_one_may_not_know_of_makes_no_difference_that_can_be_observed() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let ([mut with, mut without], ids) = two_homes(&root);
    let known: BTreeSet<String> = [
        &ids.known,
        &ids.other,
        &ids.draft,
        &ids.above,
        &ids.apart,
        &ids.hidden_draft,
    ]
    .map(Clone::clone)
    .into();
    // Mara does see a difference, or this would compare nothing.
    let listed = [["list", "--json"].as_slice(), &WHY].concat();
    let count = |home: &mut Home| {
        serde_json::from_str::<Value>(&home.done("mara", &listed))
            .unwrap()
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((count(&mut with), count(&mut without)), (6, 2));
    let mut codes = BTreeSet::new();
    for words in tried(&ids) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let seen = std::thread::scope(|scope| {
            let words = &words;
            let [with, without] = [&mut with, &mut without].map(|home| scope.spawn(move || home.run("jon", words)));
            [with, without].map(|run| run.join().unwrap())
        });
        let [there, absent] = seen.map(|seen| Seen {
            out: plain(&seen.out, &known),
            err: plain(&seen.err, &known),
            ..seen
        });
        assert!(
            there == absent,
            "{words:?}: {:?} and {:?}, {}",
            there.code,
            absent.code,
            difference(
                &format!("{}{}", there.out, there.err),
                &format!("{}{}", absent.out, absent.err)
            )
        );
        codes.extend(there.code);
    }
    assert_eq!(codes, [0, 1, 3].into());
    let files = |home: &Home| {
        let entries = std::fs::read_dir(home.folder.join("work")).unwrap();
        entries.map(|entry| entry.unwrap().file_name()).collect::<BTreeSet<_>>()
    };
    assert_eq!(files(&with), files(&without));
}

/// Somebody without a terminal.
struct Nobody;

impl Person for Nobody {
    fn passphrase(&self, _prompt: &str) -> Result<shared::Passphrase, strongroom::app::Error> {
        Ok(shared::Passphrase::new(PASSPHRASE.to_owned()))
    }

    fn warn(&self, _text: &str) {}

    fn answers(&self) -> bool {
        false
    }

    fn line(&self, _prompt: &str) -> Option<String> {
        None
    }

    fn open(&self, path: &Path) -> Result<std::fs::File, strongroom::app::Error> {
        open_file(path)
    }

    fn files_in(&self, folder: &Path) -> Result<Vec<String>, strongroom::app::Error> {
        list_files(folder)
    }

    fn create(&self, path: &Path) -> Result<Box<dyn NewFile>, strongroom::app::Error> {
        new_file(path)
    }
}

/// Jon, with his keys held unlocked as the agent holds them, in one of the two vaults.
fn at(home: &Home) -> Context<'static> {
    let root = home.folder.join("places");
    for folder in ["data", "config/strongroom"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    std::fs::copy(home.folder.join("jon"), root.join("config/strongroom/identity")).unwrap();
    for (name, whole) in [
        ("data/strongroom", ".local/share/strongroom"),
        ("state", ".local/state"),
    ] {
        std::os::unix::fs::symlink(home.folder.join(whole), root.join(name)).unwrap();
    }
    Context {
        held: None,
        places: Places::under(&root),
        clock: Clock::System,
        source: None,
        person: &Nobody,
        access: Access::given(Some("duty".into()), Some("shift briefing".into())).unwrap(),
    }
}

/// Something that jon does.
type Job<'a> = &'a dyn Fn(&Context<'_>);

/// How likely it is that two samples of one kind differ as much as these (Mann-Whitney U, two-sided, by its normal
/// approximation; times in nanoseconds have hardly any ties).
fn likelihood(one: &[u128], other: &[u128]) -> f64 {
    let mut all: Vec<(u128, bool)> = one.iter().map(|time| (*time, true)).collect();
    all.extend(other.iter().map(|time| (*time, false)));
    all.sort_unstable();
    let ranks: f64 = (1..)
        .zip(&all)
        .filter(|(_, (_, first))| *first)
        .map(|(rank, _)| f64::from(rank))
        .sum();
    let (n, m) = (one.len() as f64, other.len() as f64);
    let u = ranks - n * (n + 1.0) / 2.0;
    let z = (u - n * m / 2.0).abs() / (n * m * (n + m + 1.0) / 12.0).sqrt();
    // The tail of the normal distribution (Abramowitz and Stegun 26.2.17, good to seven digits).
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let series = [
        0.319_381_530,
        -0.356_563_782,
        1.781_477_937,
        -1.821_255_978,
        1.330_274_429,
    ];
    let tail = series.iter().rev().fold(0.0, |sum, factor| (sum + factor) * t);
    2.0 * tail * (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[test]
fn samples_of_one_kind_are_likely_and_others_are_not() {
    let sample = |from: u128, step: u128| (0..1000).map(|n| from + n * step).collect::<Vec<_>>();
    assert!((likelihood(&sample(0, 10), &sample(5, 10)) - 1.0).abs() < 0.1);
    // Shifted by z = 2.5758 it is 1 %.
    let shifted = likelihood(&sample(0, 10_000), &sample(332_600, 10_000));
    assert!((0.005..0.02).contains(&shifted), "{shifted}");
    assert!(likelihood(&sample(0, 10), &sample(2000, 10)) < 1e-6);
}

#[test]
#[ignore = "it measures"]
fn times_tell_nothing_either() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path().canonicalize().unwrap();
    let (homes, ids) = two_homes(&root);
    let mut contexts = homes.each_ref().map(at);
    let held = contexts.each_ref().map(|context| Held::unlock(context).unwrap());
    for (context, held) in contexts.iter_mut().zip(&held) {
        context.held = Some(held);
    }
    let hidden = |context: &Context<'_>| assert!(show(context, &ids.above, None).is_err());
    let listed = |context: &Context<'_>| assert_eq!(list(context, &ListQuery::default()).unwrap().len(), 2);
    let searched =
        |context: &Context<'_>| assert_eq!(search(context, "gate", &ListQuery::default()).unwrap().lines.len(), 1);
    let mut told = Vec::new();
    let jobs: [(&str, Job<'_>); 3] = [("show", &hidden), ("list", &listed), ("search", &searched)];
    for (name, job) in jobs {
        let mut times = [Vec::new(), Vec::new()];
        for n in 0..1020 {
            // Now the one is first and now the other.
            for which in [n % 2, 1 - n % 2] {
                let begun = std::time::Instant::now();
                job(&contexts[which]);
                times[which].push(begun.elapsed().as_nanos());
            }
        }
        let [with, without] = times.map(|times| times[20..].to_vec());
        let middle = |times: &[u128]| {
            let mut times = times.to_vec();
            times.sort_unstable();
            times[times.len() / 2] / 1000
        };
        told.push((name, middle(&with), middle(&without), likelihood(&with, &without)));
    }
    for (name, with, without, likely) in &told {
        println!("{name}: {with} µs with what is hidden, {without} µs without it, p = {likely:.4}");
    }
    // A list reads one wrap more for each note that there is; what that note is, it does not tell.
    assert!(told[0].3 >= 0.01, "{told:?}");
}
