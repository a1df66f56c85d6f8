//! The sample notes of the tour: they can be read, they are varied, and nobody real is in them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde::Deserialize;
use std::collections::BTreeSet;
use strongroom::label::{LabelText, Level};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notes {
    note: Vec<Note>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    title: String,
    client: String,
    case: Option<String>,
    label: String,
    at: String,
    why: Option<String>,
    text: String,
}

fn notes() -> Vec<Note> {
    toml::from_str::<Notes>(include_str!("../src/app/tour/notes/notes.toml"))
        .unwrap()
        .note
}

fn all_text() -> String {
    notes()
        .into_iter()
        .map(|note| note.title + "\n" + &note.text)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Prefixes of the numbers that regulators keep for fiction, without spaces.
const FICTION: &[&str] = &[
    "+447700900",
    "01632960",
    "02079460",
    "+120255501",
    "+61491570",
    "+4917139200",
];

#[test]
fn every_note_is_whole() {
    let mut titles = BTreeSet::new();
    for note in notes() {
        let title = note.title.as_str();
        assert!(titles.insert(title.to_owned()), "`{title}` stands twice");
        let label: LabelText = note.label.parse().unwrap();
        let level = Level::ALL
            .into_iter()
            .find(|level| level.name() == label.level)
            .unwrap();
        assert!(level < Level::Named && label.people.is_empty(), "{title}");
        let known = |name: &String| ["Halcyon", "Orchard", "Lighthouse"].contains(&name.as_str());
        assert!(label.compartments.iter().all(known), "{title}");
        assert!(
            note.at.ends_with('Z') && note.at.parse::<jiff::Timestamp>().is_ok(),
            "{title}"
        );
        assert!((1..=25).contains(&note.text.trim().lines().count()), "{title}");
        for field in [Some(note.client), note.case, note.why].into_iter().flatten() {
            assert!(!field.trim().is_empty(), "{title}");
        }
    }
    assert!(titles.len() >= 30);
}

#[test]
fn the_tour_finds_what_it_needs() {
    let notes = notes();
    let count = |wanted: &dyn Fn(&Note) -> bool| notes.iter().filter(|note| wanted(note)).count();
    assert!(count(&|note| note.client == "Halcyon") >= 3);
    for level in ["public", "internal", "confidential", "restricted"] {
        assert!(
            count(&|note| note.label.split('/').next() == Some(level)) > 0,
            "{level}"
        );
    }
    let handover = notes
        .iter()
        .find(|note| note.text.starts_with("(I) What to do"))
        .unwrap();
    let (open, closed) = handover.text.split_once("\n\n").unwrap();
    assert!(open.contains("Where:") && open.contains("Until when:"));
    assert!(closed.starts_with("(R)"));
}

#[test]
fn telephones_and_mail_are_from_fiction() {
    let text = all_text();
    let telephone = regex::Regex::new(r"(?:\+|\b0)\d[\d ]{7,}\d").unwrap();
    let numbers: Vec<String> = telephone
        .find_iter(&text)
        .map(|found| found.as_str().replace(' ', ""))
        .collect();
    assert!(numbers.len() >= 8, "{numbers:?}");
    for number in numbers {
        assert!(FICTION.iter().any(|prefix| number.starts_with(prefix)), "{number}");
    }
    let mail = regex::Regex::new(r"\S+@([\w.]+\w)").unwrap();
    let hosts: Vec<&str> = mail
        .captures_iter(&text)
        .map(|found| found.get(1).unwrap().as_str())
        .collect();
    assert!(
        !hosts.is_empty() && hosts.iter().all(|host| *host == "example.org"),
        "{hosts:?}"
    );
}
