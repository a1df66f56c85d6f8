//! A brief that masks everything is safe and useless. Thirty invented notes have marked what must
//! survive in a brief of them: what to do, where and by when; and whom it must not name.
//! `cargo test --test useful -- --nocapture` prints the figures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use strongroom::brief::{Kind, Known, Making, Profile, Source, compose, portions, shipped};
use strongroom::label::Level;

struct Note {
    id: String,
    text: String,
    /// What must survive.
    keep: Vec<String>,
    /// What names somebody directly.
    direct: Vec<(Kind, String)>,
}

const FILES: [&str; 3] = [
    include_str!("notes/useful/handing-over.notes"),
    include_str!("notes/useful/incidents.notes"),
    include_str!("notes/useful/standing-orders.notes"),
];

fn notes() -> Vec<Note> {
    let parts = FILES.iter().flat_map(|file| file.split("=== ").skip(1));
    parts.map(note).collect()
}

fn note(part: &str) -> Note {
    let (id, body) = part.split_once('\n').unwrap();
    let mut note = Note {
        id: id.trim().to_owned(),
        text: String::new(),
        keep: Vec::new(),
        direct: Vec::new(),
    };
    let mut rest = body.trim_end();
    while let Some((before, marked)) = rest.split_once('{') {
        let (inside, after) = marked.split_once('}').unwrap();
        let (of, value) = inside.split_once('|').unwrap();
        note.text.push_str(before);
        note.text.push_str(value);
        match of {
            "KEEP" => note.keep.push(value.to_owned()),
            of if of.ends_with('?') => {}
            of => note.direct.push((kind_of(of), value.to_owned())),
        }
        rest = after;
    }
    note.text.push_str(rest);
    note
}

fn kind_of(of: &str) -> Kind {
    match of {
        "PERSON" => Kind::Person,
        "ORG" => Kind::Client,
        "LOCATION" => Kind::Address,
        "DATE" => Kind::Birthday,
        "PHONE" => Kind::Phone,
        "EMAIL" => Kind::Email,
        "URL" => Kind::Link,
        "IP" => Kind::Network,
        "ID_NUMBER" => Kind::Number,
        "OTHER" => Kind::Alias,
        other => panic!("{other}"),
    }
}

/// The brief of a note for the whole team.
fn brief(note: &Note, known: &Known) -> String {
    let profile = Profile::parse(shipped("no-names").unwrap()).unwrap();
    let marked = portions(&note.text).iter().any(|portion| portion.level.is_some());
    let source = Source {
        text: &note.text,
        // What bears no mark beside what bears one is not for everybody.
        level: if marked { Level::Confidential } else { Level::Internal },
    };
    compose(&[source], Level::Internal, &profile, known, Making::default())
        .unwrap_or_else(|refused| panic!("{}: {refused}", note.id))
        .text
}

/// Whether a text has a phrase as whole words, whatever the spaces between.
fn has(text: &str, phrase: &str) -> bool {
    let even = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (text, phrase) = (even(text), even(phrase));
    text.match_indices(&phrase).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        ![before, after].into_iter().flatten().any(char::is_alphanumeric)
    })
}

/// Of all that must survive, how much does and what does not; and what gets through that names somebody.
fn measure(known: impl Fn(&Note) -> Known) -> (usize, usize, Vec<String>, Vec<String>) {
    let (mut kept, mut all, mut lost, mut told) = (0, 0, Vec::new(), Vec::new());
    for note in notes() {
        let brief = brief(&note, &known(&note));
        for phrase in &note.keep {
            all += 1;
            if has(&brief, phrase) {
                kept += 1;
            } else {
                lost.push(format!("{}: {phrase}", note.id));
            }
        }
        let direct = note.direct.iter().filter(|(_, value)| has(&brief, value));
        told.extend(direct.map(|(_, value)| format!("{}: {value}", note.id)));
    }
    (kept, all, lost, told)
}

fn holds(name: &str, (kept, all, lost, told): &(usize, usize, Vec<String>, Vec<String>)) {
    println!(
        "{name}: {kept} of {all} phrases survive; {} identifiers get through",
        told.len()
    );
    println!("lost: {lost:#?}\nthrough: {told:#?}");
    assert!(*all >= 200, "{all}");
    assert!(kept * 100 >= all * 90, "{kept} of {all} survive; lost: {lost:#?}");
}

#[test]
fn the_answer_key_is_whole() {
    let notes = notes();
    assert_eq!(notes.len(), 30);
    assert!(notes.iter().all(|note| note.keep.len() >= 3 && !note.direct.is_empty()));
    assert!(has("call the control\nroom.", "the control room") && !has("rooms", "room"));
}

#[test]
fn what_to_do_survives_without_anything_known() {
    holds("nothing known", &measure(|_| Known::nothing()));
}

#[test]
fn what_to_do_survives_and_nothing_known_does() {
    let measured = measure(|note| Known::new(note.direct.clone()).unwrap());
    holds("identifiers known", &measured);
    assert!(measured.3.is_empty(), "{:#?}", measured.3);
}
