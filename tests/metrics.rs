//! `metrics` against what the notes and the log say when they are read one by one.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::Value;
use std::collections::BTreeMap;

use std::process::Command;

struct House {
    home: tempfile::TempDir,
    minute: std::cell::Cell<i64>,
}

impl House {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("passphrase"), "orchid tractor velvet magnet\n").unwrap();
        let house = Self {
            home,
            minute: std::cell::Cell::new(0),
        };
        house.run(&["init", "--name", "mara", "--quiet"]);
        house
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    /// A command, six hours after the one before it.
    fn run(&self, words: &[&str]) -> String {
        let minute = self.minute.replace(self.minute.get() + 360);
        let time = strongroom::chain::Time::from_unix(1_795_253_400 + 60 * minute);
        let out = Command::new(env!("CARGO_BIN_EXE_strongroom"))
            .args(words)
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("XDG_RUNTIME_DIR", self.home.path())
            .env("STRONGROOM_PASSPHRASE_FILE", self.path("passphrase"))
            .env("STRONGROOM_TEST_CLOCK", time.to_string())
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{words:?}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        String::from_utf8(out.stdout).unwrap()
    }

    fn json(&self, words: &[&str]) -> Value {
        let all: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        serde_json::from_str(&self.run(&all)).unwrap()
    }

    fn add(&self, template: &str, fields: &[&str], text: &str) -> String {
        let mut words = vec![
            "add",
            "--template",
            template,
            "--label",
            "internal",
            "--quiet",
            "--yes",
            text,
        ];
        for field in fields {
            words.extend(["--field", field]);
        }
        self.run(&words).trim().to_owned()
    }

    fn close(&self, id: &str, fields: &[&str]) {
        let mut words = vec!["close", id, "--quiet", "--yes"];
        for field in fields {
            words.extend(["--field", field]);
        }
        self.run(&words);
    }
}

fn unix(text: &str) -> i64 {
    let whole = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    whole.parse::<strongroom::chain::Time>().unwrap().unix()
}

#[test]
fn figures_are_what_notes_and_log_say() {
    let house = House::new();
    let concern = "## The concern\nA gate.\n## What was done\nMended.\n## Protection of whoever raised it\nAgreed.\n";
    for n in 0..12 {
        let raised = if n % 2 == 0 {
            "raised=anonymously"
        } else {
            "raised=openly"
        };
        let id = house.add("concern", &[raised], concern);
        let answer = if n < 7 { "substantiated=yes" } else { "substantiated=no" };
        house.close(&id, &["acknowledged=2026-11-30", "feedback=2026-12-01", answer]);
    }
    for n in 0..3 {
        let kind = if n == 0 { "kind=near miss" } else { "kind=theft" };
        house.add("incident", &["place=gate", kind], "Seen.");
    }
    for (day, outcome) in [("2026-11-22", false), ("2027-11-22", false), ("2026-11-22", true)] {
        let id = house.add("action", &["owner=@mara", &format!("due={day}")], "A lamp");
        if outcome {
            house.close(&id, &["outcome=done"]);
        }
    }
    let first = house.json(&["list"])[0]["id"].as_str().unwrap().to_owned();
    house.run(&["show", &first]);
    house.run(&["show", &first, "--why", "gate call-out"]);
    house.run(&["hold", "place", "--matter", "lamp", &first, "--why", "a claim"]);
    let counted = house.json(&["metrics"]);
    let now = unix("2026-11-21T09:30:00Z") + 60 * (house.minute.get() - 360);

    // The same, from what can be read without it.
    let mut notes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in house.json(&["list"]).as_array().unwrap() {
        let note = house.json(&["show", line["id"].as_str().unwrap()]);
        notes
            .entry(note["fields"]["template"].as_str().unwrap().to_owned())
            .or_default()
            .push(note);
    }
    let field = |note: &Value, name: &str| note["fields"][name].as_str().map(str::to_owned);
    let count =
        |template: &str, test: &dyn Fn(&Value) -> bool| notes[template].iter().filter(|note| test(note)).count() as u64;
    let median = |mut spans: Vec<i64>| {
        spans.sort_unstable();
        let middle = spans.len() / 2;
        let seconds = if spans.len() % 2 == 1 {
            spans[middle]
        } else {
            (spans[middle - 1] + spans[middle]) / 2
        };
        (seconds as f64 / 8640.0).floor() / 10.0
    };
    let figures = &counted["figures"];
    assert_eq!(figures["concerns"]["count"], 12);
    assert_eq!(
        figures["concerns-anonymous"]["count"],
        count("concern", &|note| field(note, "raised").as_deref()
            == Some("anonymously"))
    );
    assert_eq!(
        figures["concerns-substantiated"]["count"],
        count("concern", &|note| field(note, "substantiated").as_deref()
            == Some("yes"))
    );
    let spans = |end: &str| {
        notes["concern"]
            .iter()
            .map(|note| unix(&field(note, end).unwrap()) - unix(note["created"].as_str().unwrap()))
            .collect()
    };
    assert_eq!(
        figures["concern-days-to-acknowledge"]["days"],
        median(spans("acknowledged"))
    );
    assert_eq!(figures["concern-days-to-close"]["days"], median(spans("closed")));
    assert_eq!(
        (&figures["incidents"]["count"], &figures["near-misses"]["count"]),
        (&Value::from(3), &Value::from(1))
    );
    assert_eq!(
        (
            &figures["incidents-reviewed-on-time"]["count"],
            &figures["incidents-reviewed-on-time"]["of"]
        ),
        (&Value::from(0), &Value::from(3))
    );
    let open = |note: &Value| field(note, "closed").is_none();
    assert_eq!(figures["actions-open"]["count"], count("action", &open));
    assert_eq!(
        figures["actions-overdue"]["count"],
        count("action", &|note| open(note)
            && unix(&field(note, "due").unwrap()) + 86_400 <= now)
    );
    let ages = notes["action"]
        .iter()
        .filter(|note| open(note))
        .map(|note| now - unix(note["created"].as_str().unwrap()));
    assert_eq!(figures["action-age"]["days"], median(ages.collect()));

    let [past, to_go, held] = ["notes-past-review", "notes-to-go", "notes-on-hold"].map(|name| &figures[name]["count"]);
    assert_eq!((past, to_go, held), (&Value::from(0), &Value::from(0), &Value::from(1)));

    // The log, up to the entry under which it was read for the figures.
    let log = house.run(&["audit", "log", "--json"]);
    let entries: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let end = entries
        .iter()
        .position(|entry| entry["details"]["verb"] == "metrics")
        .unwrap();
    let opening = [
        "show",
        "history",
        "extract",
        "edit-read",
        "close-read",
        "draft-read",
        "release-read",
        "approve-read",
        "breakglass open",
    ];
    let opened: Vec<&Value> = entries[..end]
        .iter()
        .filter(|entry| {
            opening.contains(&entry["details"]["verb"].as_str().unwrap_or_default()) && entry["result"] == "done"
        })
        .collect();
    let without = opened
        .iter()
        .filter(|entry| entry["details"]["reason"].is_null())
        .count();
    assert_eq!(figures["notes-opened"]["count"], opened.len());
    assert_eq!(
        (&figures["reasons-missing"]["count"], &figures["reasons-missing"]["of"]),
        (&Value::from(without), &Value::from(opened.len()))
    );
    assert!(
        without + 1 == opened.len() && without > 6,
        "{without} of {}",
        opened.len()
    );
}

#[test]
fn groups_under_five_are_hidden_everywhere() {
    let house = House::new();
    for _ in 0..4 {
        house.add("concern", &["raised=anonymously"], "A gate.");
    }
    let page = house.path("page.html");
    let counted = house.json(&["metrics", "--out", page.to_str().unwrap()]);
    for figure in ["concerns", "concerns-anonymous"] {
        assert_eq!(
            counted["figures"][figure],
            serde_json::json!({ "fewer_than": 5 }),
            "{figure}"
        );
    }
    let page = std::fs::read_to_string(&page).unwrap();
    assert!(
        page.contains("fewer than 5")
            && !page.contains("<script")
            && !page.contains("http://")
            && !page.contains("https:"),
        "{page}"
    );
    assert!(page.contains("<td role=\"cell\" class=\"n\" data-name=\"How many\"><span>fewer than are shown</span>"));
}
