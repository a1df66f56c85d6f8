//! What keys do, and what is drawn: all without a terminal and a vault.

use super::model::{Effect, Item, Model, Question, Reading, Typed};
use super::stage::Stage;
use super::view::view;
use super::{LOCK_AFTER, Onlooker};
use crate::app::shared::Time;
use crate::app::{Access, Clock, Context, Places, Wire};
use crate::cli::markdown;
use crate::cli::terminal::{Away, Facts, Input, Key};
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::Modifier;
use std::path::Path;

const NOW: i64 = 1_795_000_000;
const DAY: i64 = 86_400;

fn id(n: usize) -> String {
    format!("{n:032x}")
}

fn items() -> Vec<Item> {
    let notes = [
        ("Handover at the north gate", "Halcyon", "restricted/Halcyon", 0),
        ("Torch of car 2", "", "internal", 3),
        ("Café route, and times", "Grey Orchard", "confidential/Grey Orchard", 40),
        ("A third letter by hand\u{1b}[2J", "Halcyon", "restricted/Halcyon", 400),
    ];
    let item = |(n, (title, client, label, days)): (usize, (&str, &str, &str, i64))| {
        Item::new(
            id(n),
            title,
            client,
            label,
            NOW - days * DAY,
            format!("2026-11-{:02}", 20 - n),
        )
    };
    notes.into_iter().enumerate().map(item).collect()
}

fn model(columns: u16, colour: bool) -> Model {
    let mut model = Model::new(columns, 12, colour, NOW);
    model.list(items(), NOW);
    model
}

fn press(model: &mut Model, keys: &[Key]) -> Option<Effect> {
    let mut last = None;
    keys.iter().for_each(|key| last = model.update(Input::Key(*key)));
    last
}

fn type_in(model: &mut Model, text: &str) {
    for c in text.chars() {
        assert_eq!(model.update(Input::Key(Key::Char(c))), None);
    }
}

fn titles(model: &Model) -> Vec<&str> {
    model.matched.iter().map(|at| model.items[*at].title.as_str()).collect()
}

fn drawn(model: &Model) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, model.columns, model.rows));
    view(model, &mut buffer);
    buffer
}

fn rows(model: &Model) -> Vec<String> {
    let buffer = drawn(model);
    let width = usize::from(buffer.area.width);
    let row = |row: &[ratatui_core::buffer::Cell]| {
        let text: String = row.iter().map(|cell| cell.symbol()).collect();
        text.trim_end().to_owned()
    };
    buffer.content.chunks(width).map(row).collect()
}

fn reading(label: &str, note: bool, text: &'static str) -> Reading {
    let source = move |width: usize, colour: bool| markdown::render(text, width, colour);
    Reading::new(label, note.then(|| id(0)), Box::new(source))
}

#[test]
fn notes_are_found_as_somebody_types() {
    let mut model = model(80, true);
    assert_eq!(model.matched.len(), 4);
    type_in(&mut model, "CAFE");
    assert_eq!(titles(&model), ["Café route, and times"]);
    press(&mut model, &[Key::Ctrl('u')]);
    type_in(&mut model, "halc nor");
    assert_eq!(titles(&model), ["Handover at the north gate"]);
    type_in(&mut model, "x");
    assert!(titles(&model).is_empty());
    assert_eq!(press(&mut model, &[Key::Enter]), None);
    press(&mut model, &[Key::Backspace]);
    assert_eq!(press(&mut model, &[Key::Enter]), Some(Effect::Open(id(0))));
    press(&mut model, &[Key::Ctrl('w'), Key::Ctrl('w')]);
    assert_eq!(model.matched.len(), 4);
    let pasted = Input::Pasted("torch ".to_owned());
    assert_eq!(model.update(pasted), None);
    assert_eq!(titles(&model), ["Torch of car 2"]);
}

#[test]
fn what_was_found_for_less_is_what_may_be_found_for_more() {
    let mut model = Model::new(80, 24, true, NOW);
    let many = |n: usize| Item::new(id(n), &format!("patrol {n} lane"), "", "internal", NOW, String::new());
    model.list((0..500).map(many).collect(), NOW);
    let typed = "pat 4 7 la";
    for at in 1..=typed.len() {
        type_in(&mut model, &typed[at - 1..at]);
        let words: Vec<&str> = typed[..at].split_whitespace().collect();
        let expected: Vec<usize> = (0..500)
            .filter(|n| {
                let hay = format!("patrol {n} lane\n\ninternal\n{}", id(*n));
                words.iter().all(|word| hay.contains(word))
            })
            .collect();
        assert_eq!(model.matched, expected, "{}", &typed[..at]);
    }
}

#[test]
fn keys_ask_for_what_they_say() {
    let mut model = model(80, true);
    for (key, effect) in [
        (Key::Ctrl('e'), Effect::Edit(id(1))),
        (Key::Ctrl('b'), Effect::Draft(id(1))),
        (Key::Ctrl('r'), Effect::History(id(1))),
        (Key::Ctrl('d'), Effect::Due),
        (Key::Ctrl('p'), Effect::Why),
        (Key::Ctrl('a'), Effect::List),
        (Key::Ctrl('l'), Effect::Lock),
        (Key::Ctrl('q'), Effect::Leave),
        (Key::Ctrl('c'), Effect::Leave),
        (Key::Escape, Effect::Leave),
    ] {
        press(&mut model, &[Key::Home, Key::Down]);
        assert_eq!(press(&mut model, &[key]), Some(effect));
    }
    model.read(reading("internal", true, "# Gate\n\ntext"));
    for (key, effect) in [
        ('e', Effect::Edit(id(0))),
        ('b', Effect::Draft(id(0))),
        ('h', Effect::History(id(0))),
        ('d', Effect::Due),
    ] {
        assert_eq!(press(&mut model, &[Key::Char(key)]), Some(effect));
    }
    model.say("done");
    assert_eq!(press(&mut model, &[Key::Escape]), None);
    assert_eq!(model.readings.len(), 1);
    assert_eq!(press(&mut model, &[Key::Char('q')]), None);
    assert!(model.readings.is_empty());
    assert_eq!(model.update(Input::Over), Some(Effect::Leave));
    assert_eq!(model.update(Input::Nothing), None);
}

#[test]
fn a_list_moves_and_stays_in_sight() {
    let mut model = Model::new(80, 10, true, NOW);
    let many = |n: usize| Item::new(id(n), &format!("note {n}"), "", "internal", NOW, String::new());
    model.list((0..100).map(many).collect(), NOW);
    assert_eq!(model.height(), 6);
    press(&mut model, &[Key::Up]);
    assert_eq!((model.at, model.top), (0, 0));
    press(&mut model, &[Key::PageDown, Key::Down]);
    assert_eq!((model.at, model.top), (7, 2));
    press(&mut model, &[Key::End, Key::Down]);
    assert_eq!((model.at, model.top), (99, 94));
    model.update(Input::Size(80, 30));
    assert_eq!((model.at, model.top), (99, 94));
    press(
        &mut model,
        &[Key::PageUp, Key::PageUp, Key::PageUp, Key::PageUp, Key::Up],
    );
    assert_eq!((model.at, model.top), (0, 0));
    // A list that is read anew keeps the place.
    press(&mut model, &[Key::Down, Key::Down]);
    model.list((1..100).map(many).collect(), NOW);
    assert_eq!(
        model.selected().map(|item| item.title.to_string()),
        Some("note 2".to_owned())
    );
}

#[test]
fn filters_are_chosen_and_go_one_after_the_other() {
    let mut model = model(80, true);
    press(&mut model, &[Key::Tab]);
    type_in(&mut model, "client hal");
    press(&mut model, &[Key::Enter]);
    assert_eq!(model.matched, [0, 3]);
    press(&mut model, &[Key::Ctrl('f')]);
    type_in(&mut model, "7 days");
    press(&mut model, &[Key::Enter]);
    assert_eq!(model.matched, [0]);
    assert!(
        rows(&model)[1].ends_with("client Halcyon · within 7 days"),
        "{:?}",
        rows(&model)
    );
    type_in(&mut model, "zz");
    assert_eq!(press(&mut model, &[Key::Escape]), None);
    assert_eq!(model.matched, [0]);
    assert_eq!(press(&mut model, &[Key::Escape]), None);
    assert_eq!(model.matched.len(), 4);
    press(&mut model, &[Key::Ctrl('f')]);
    type_in(&mut model, "label intern");
    press(&mut model, &[Key::Enter]);
    assert_eq!(titles(&model), ["Torch of car 2"]);
    // A filter that matches nothing is no filter, and leaving without choosing changes nothing.
    press(
        &mut model,
        &[Key::Tab, Key::Char('~'), Key::Enter, Key::Tab, Key::Escape],
    );
    assert_eq!(titles(&model), ["Torch of car 2"]);
    press(&mut model, &[Key::Tab, Key::Enter]);
    assert_eq!(model.matched.len(), 4);
}

#[test]
fn a_question_takes_what_is_typed_until_it_is_answered() {
    let mut model = model(80, true);
    let ask = |model: &mut Model| {
        model.question = Some(Question {
            prompt: "why, in a few words: ".to_owned(),
            typed: Typed::default(),
        });
    };
    ask(&mut model);
    type_in(&mut model, "gate q?");
    assert!(rows(&model).iter().any(|row| row == "why, in a few words:"));
    assert!(rows(&model).iter().any(|row| row == "> gate q?"));
    let answered = press(&mut model, &[Key::Enter]);
    assert_eq!(answered, Some(Effect::Answer(Some("gate q?".to_owned().into()))));
    assert!(model.question.is_none() && model.find.0.is_empty());
    ask(&mut model);
    assert_eq!(
        press(&mut model, &[Key::Char('x'), Key::Escape]),
        Some(Effect::Answer(None))
    );
    ask(&mut model);
    assert_eq!(press(&mut model, &[Key::Ctrl('q')]), Some(Effect::Leave));
}

#[test]
fn words_for_the_person_stay_until_a_key() {
    let mut model = model(40, false);
    model.say("denied: say what it is for\nand why it has to be today, since tomorrow is a day too");
    let seen = rows(&model).join("\n");
    assert!(
        seen.contains("denied: say what it is for\nand why it has to be today, since\ntomorrow is a day too"),
        "{seen}"
    );
    assert!(seen.ends_with("any key: go on"), "{seen}");
    // The key is for the words alone, and does nothing to what lies below.
    for key in [
        Key::Escape,
        Key::Enter,
        Key::Char('x'),
        Key::Ctrl('e'),
        Key::Help,
        Key::Down,
    ] {
        model.say("words");
        assert_eq!(press(&mut model, &[key]), None, "{key:?}");
        assert!(model.notice.is_none() && model.find.0.is_empty() && model.readings.is_empty());
    }
    press(&mut model, &[Key::Help, Key::End]);
    let seen = rows(&model);
    assert!(
        seen[0].starts_with("=keys") && seen[10] == "  Ctrl-Q         leave",
        "{seen:#?}"
    );
    press(&mut model, &[Key::Char('q')]);
    assert!(model.readings.is_empty());
}

#[test]
fn what_is_locked_is_gone() {
    let mut model = model(80, true);
    model.read(reading("internal", true, "text"));
    type_in(&mut model, "jk");
    model.lock();
    model.say("Enter asks for the passphrase");
    assert!(model.items.is_empty() && model.readings.is_empty() && model.find.0.is_empty());
    let rest = rows(&model).join("\n");
    assert!(!rest.contains("Halcyon") && !rest.contains("gate"), "{rest}");
    assert!(
        rest.starts_with(" locked") && rest.contains("Enter asks for the passphrase"),
        "{rest}"
    );
}

#[test]
fn a_list_as_it_looks_at_40_80_and_120_columns() {
    let narrow = [
        "=4 notes                     strongroom",
        "find:",
        "> restricted/Ha…  Handover at the north…",
        "  internal        Torch of car 2",
        "  confidential/…  Café route, and times",
        "  restricted/Ha…  A third letter by han…",
    ];
    let middle = [
        "=4 notes                                                             strongroom",
        "find:",
        "> 2026-11-20  restricted/Halcyon         Handover at the north gate",
        "  2026-11-19  internal                   Torch of car 2",
        "  2026-11-18  confidential/Grey Orchard  Café route, and times",
        "  2026-11-17  restricted/Halcyon         A third letter by hand<U+1B>[2J",
    ];
    let wide = [
        "=4 notes                                                                                                     strongroom",
        "find:",
        "> 2026-11-20  restricted/Halcyon         Halcyon       Handover at the north gate",
        "  2026-11-19  internal                                 Torch of car 2",
        "  2026-11-18  confidential/Grey Orchard  Grey Orchard  Café route, and times",
        "  2026-11-17  restricted/Halcyon         Halcyon       A third letter by hand<U+1B>[2J",
    ];
    for (columns, expected, keys) in [
        (40, narrow, "Enter read  F1 help  ^F filter  ^E edit"),
        (
            80,
            middle,
            "Enter read  F1 help  ^F filter  ^E edit  ^B brief  ^R history  ^D due  ^L lock",
        ),
        (
            120,
            wide,
            "Enter read  F1 help  ^F filter  ^E edit  ^B brief  ^R history  ^D due  ^L lock  Esc leave",
        ),
    ] {
        let rows = rows(&model(columns, false));
        assert_eq!(rows[..6], expected, "{columns}");
        // The whole label of the note that is chosen is in sight however narrow it is.
        assert_eq!(
            rows[10],
            "restricted/Halcyon · Halcyon · 2026-11-…".replace(
                "2026-11-…",
                if columns == 40 {
                    "2026-11-…"
                } else {
                    "2026-11-20 · 00000000"
                }
            )
        );
        assert_eq!(rows[11], keys);
    }
}

#[test]
fn a_text_as_it_looks_at_40_80_and_120_columns() {
    let text = "# Gate 4\n\nKeep the north gate **shut** until 18:00 on Friday, then ask control before standing down. \
                Log every vehicle that stops on the lane, with its colour.\n\n- one\n- two";
    for (columns, rows_of_text) in [(40, 4), (80, 2), (120, 2)] {
        for colour in [false, true] {
            let mut model = model(columns, colour);
            model.read(reading("restricted/Halcyon · AMBER+STRICT", true, text));
            let rows = rows(&model);
            assert!(
                rows[0][1..].starts_with("restricted/Halcyon · AMBER+STRICT"),
                "{rows:#?}"
            );
            assert_eq!(rows[1..4], ["Gate 4", "══════", ""]);
            assert!(rows[4].starts_with("Keep the north gate "), "{rows:#?}");
            assert_eq!(rows[4].contains("**shut**"), !colour);
            assert_eq!(
                rows.iter().position(|row| row == "• one").map(|at| at.min(10)),
                Some((5 + rows_of_text).min(10))
            );
            assert!(rows[11].starts_with("q back  space on"));
            let bold = drawn(&model)
                .content
                .iter()
                .any(|cell| cell.modifier.contains(Modifier::BOLD));
            assert_eq!(bold, colour);
        }
    }
}

#[test]
fn a_text_is_read_on_and_keeps_its_place_when_the_screen_changes() {
    let lines: String = (1..=100).map(|n| format!("line {n}\n")).collect();
    let text: &'static str = Box::leak(lines.into_boxed_str());
    let mut model = Model::new(40, 12, false, NOW);
    model.reading_alone = true;
    model.read(reading("internal", false, text));
    assert_eq!(rows(&model)[1], "line 1");
    press(&mut model, &[Key::Char(' ')]);
    assert_eq!(rows(&model)[1], "line 11");
    press(&mut model, &[Key::Char('j'), Key::Char('k'), Key::Char('u')]);
    assert_eq!(rows(&model)[1], "line 1");
    press(&mut model, &[Key::Char('G')]);
    assert_eq!(rows(&model)[10], "line 100");
    assert!(rows(&model)[0].ends_with("100 %"));
    model.update(Input::Size(40, 22));
    assert_eq!(rows(&model)[20], "line 100");
    press(&mut model, &[Key::Char('g')]);
    assert_eq!(rows(&model)[1], "line 1");
    assert_eq!(press(&mut model, &[Key::Char('q')]), Some(Effect::Leave));
}

#[test]
fn without_colour_there_is_none_and_with_it_the_chosen_line_is_reversed() {
    assert!(
        drawn(&model(80, false))
            .content
            .iter()
            .all(|cell| cell.modifier.is_empty())
    );
    let buffer = drawn(&model(80, true));
    let reversed = |y: u16| buffer[(3, y)].modifier.contains(Modifier::REVERSED);
    assert!(reversed(0) && reversed(2) && !reversed(3));
}

#[test]
fn only_what_differs_is_sent_and_nothing_but_looks_and_places() {
    let mut model = model(80, true);
    let mut stage = Stage::new();
    let first = stage.draw(&model);
    assert!(first.contains("Handover") && first.starts_with("\x1b[?25l\x1b[0m\x1b[2J"));
    let again = stage.draw(&model);
    assert!(again.len() < 40 && !again.contains("Handover"), "{again:?}");
    type_in(&mut model, "t");
    let typed = stage.draw(&model);
    assert!(!typed.contains("find"), "{typed:?}");
    let escapes = regex::Regex::new("\x1b\\[(\\?25[lh]|[0-9;]*[mHJ])").unwrap();
    for bytes in [&first, &again, &typed] {
        let rest = escapes.replace_all(bytes, "");
        assert!(!rest.chars().any(char::is_control), "{rest:?}");
    }
    stage.wipe();
    assert!(stage.draw(&model).contains("Handover"));
}

#[test]
fn no_screen_is_too_small() {
    for columns in 1..30 {
        for rows in 1..8 {
            let mut model = model(columns, true);
            model.update(Input::Size(columns, rows));
            for step in 0..5 {
                match step {
                    1 => model.say("words that are longer than such a screen"),
                    2 => drop(press(&mut model, &[Key::Enter, Key::Tab])),
                    3 => {
                        press(&mut model, &[Key::Escape]);
                        model.read(reading("restricted/Halcyon", true, "a text 山山山山山山 of words"));
                    }
                    4 => {
                        model.question = Some(Question {
                            prompt: "what for? ".to_owned(),
                            typed: Typed("a long answer 山山".to_owned().into()),
                        });
                    }
                    _ => {}
                }
                let _ = Stage::new().draw(&model);
            }
        }
    }
}

#[test]
fn a_screen_that_is_locked_is_drawn_where_something_is_new_and_else_never() {
    use crate::cli::agent::wire::{Answer, Ask, receive, send};
    let (wire, other) = Wire::pair().unwrap();
    let client = std::thread::spawn(move || {
        let size = Input::Size(80, 24);
        let napping = std::iter::repeat_n(Input::Nothing, 500);
        let unknown = Input::Key(Key::Char('x'));
        let inputs = napping.chain([Input::Size(60, 20), unknown, Input::Nothing, Input::Key(Key::Char('q'))]);
        let (mut inputs, mut drawn) = (inputs, Vec::new());
        while let Some((ask, _)) = receive::<Ask>(&other).unwrap() {
            let happened = match ask {
                Ask::Screen(_) => size.clone(),
                Ask::Next(_) => inputs.next().unwrap(),
                Ask::Result(bytes) => {
                    drawn.push(String::from_utf8(bytes.to_vec()).unwrap());
                    continue;
                }
                _ => panic!("something else was asked for"),
            };
            send(&other, &Answer::Happened(happened), None).unwrap();
        }
        drawn
    });
    let away = Away::new(wire, Facts::default(), || {});
    let screen = Onlooker::new(&away, LOCK_AFTER, false, NOW).unwrap();
    let context = Context {
        places: Places::under(Path::new("/nowhere")),
        clock: Clock::Fixed(Time::from_unix(NOW)),
        source: None,
        person: &screen,
        access: Access::default(),
        held: None,
    };
    assert!(screen.wait_for_somebody(&context).unwrap().is_none());
    drop(screen);
    drop(away);
    let drawn = client.join().unwrap();
    assert_eq!(drawn.len(), 2, "{drawn:?}");
    assert!(
        drawn[0].contains("passphrase") && drawn[1].contains("passphrase"),
        "{drawn:?}"
    );
}
