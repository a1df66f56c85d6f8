//! What is masked, made vague and kept of a text, over all finders together.

#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use crate::brief::shipped;
use crate::brief::{Judged, check, check_placed};
use proptest::prelude::*;

fn profile(name: &str) -> Profile {
    Profile::parse(shipped(name).unwrap()).unwrap()
}

fn redacted(text: &str, name: &str) -> Redaction {
    redact(text, &profile(name), &Known::nothing()).unwrap()
}

#[test]
fn a_strange_character_takes_its_word_with_it() {
    let profile = Profile::parse(super::super::shipped("strict").unwrap()).unwrap();
    for text in ["ma\u{204b}gpie left", "the ma\u{2603}gp\u{2603}ie"] {
        let redaction = redact(text, &profile, &Known::nothing()).unwrap();
        assert!(
            !redaction.text.contains("ma") && !redaction.text.contains("pie"),
            "{}",
            redaction.text
        );
        assert_eq!(check(&redaction.text, &profile, &Known::nothing()), Ok(Vec::new()));
    }
}

#[test]
fn a_mark_that_stood_in_the_text_hides_nothing() {
    for name in ["strict", "no-names"] {
        let redaction = redacted("Ask Ok\u{FFFC}on\u{FFFC}kwo, \u{FFFC} at the gate.", name);
        assert_eq!(
            redaction.spans[0],
            Span {
                start: 4,
                end: 13,
                kind: redaction.spans[0].kind
            }
        );
        assert!(
            !redaction.text.contains("Ok") && !redaction.text.contains('\u{FFFC}'),
            "{}",
            redaction.text
        );
        let leaks = check("Ask Ok\u{FFFC}on\u{FFFC}kwo.", &profile(name), &Known::nothing());
        assert_eq!(leaks.unwrap().len(), 1);
    }
}

#[test]
fn what_shows_nothing_carries_nothing_out() {
    for c in ["\u{1D173}", "\u{2065}", "\u{FFF0}", "\u{2800}", "\u{1BCA0}"] {
        let redaction = redacted(&format!("Ask{c} Azra Okonkwo{c} at {c}the gate."), "no-names");
        assert_eq!(redaction.text, "Ask Person A at the gate.");
    }
}

#[test]
fn a_sign_that_passes_is_a_doubt() {
    let doubtful = redacted("Ask \u{1F1F7}\u{1F1F4} at the gate.", "no-names").doubtful;
    assert_eq!((doubtful.len(), doubtful[0].start, doubtful[0].end), (1, 4, 6));
}

#[test]
fn no_part_of_a_number_is_left_whatever_parts_it() {
    for (text, told) in [
        ("Card 4111\n1111\n1111\n1111 is hers.", "Card Card 1 is hers."),
        ("Her line is 01:99:00:12:34 now.", "Her line is Number 1 now."),
        ("tel: 01:99:00:12:34", "tel: Number 1"),
        ("The safe opens with 14:02:19.", "The safe opens with Code 1."),
        ("Rounds at 0800, 1200, 1600, 2000.", "Rounds at 0800, 1200, 1600, 2000."),
    ] {
        assert_eq!(redacted(text, "no-names").text, told);
    }
}

#[test]
fn spans_are_code_points_of_the_input() {
    let text = "é Zoë\u{200B} Kowalski’s phone: +44 7700 900123.";
    let redaction = redacted(text, "no-names");
    assert_eq!(redaction.text, "é Person A’s phone: Phone 1.");
    let chars: Vec<char> = text.chars().collect();
    let values: Vec<String> = redaction
        .spans
        .iter()
        .map(|span| chars[span.start..span.end].iter().collect())
        .collect();
    assert_eq!(values, ["Zoë\u{200B} Kowalski", "+44 7700 900123"]);
}

#[test]
fn what_closes_a_sentence_or_a_bracket_stays() {
    for (text, told) in [
        (
            "He paid £12,500. Then he left.",
            "He paid an amount in the tens of thousands. Then he left.",
        ),
        ("Call (617) 555-0199; then wait.", "Call Phone 1; then wait."),
        ("Be at 1420 Elm Street by 1420.", "Be at Address A by 1420."),
        ("Ring (phone (617) 555-0199).", "Ring (phone Phone 1)."),
        (
            "The password is hunter22. Then wait.",
            "The password is Code 1. Then wait.",
        ),
    ] {
        assert_eq!(redacted(text, "tlp-green").text, told);
    }
}

#[test]
fn the_parts_of_an_address_are_one() {
    let span = |start, end, kind| Span { start, end, kind };
    let chars: Vec<char> = "Flat 3, 14 Elmtree Row, 9".chars().collect();
    let parts = vec![
        span(0, 6, Kind::Address),
        span(8, 22, Kind::Address),
        span(24, 25, Kind::Number),
    ];
    assert_eq!(
        beside(&chars, parts),
        [span(0, 22, Kind::Address), span(24, 25, Kind::Number)]
    );
}

#[test]
fn the_same_person_has_one_placeholder() {
    let redaction = redacted(
        "Azra Okonkwo met Tove Lindqvist. Okonkwo left; Lindqvist stayed with AZRA OKONKWO.",
        "no-names",
    );
    assert_eq!(
        redaction.text,
        "Person A met Person B. Person A left; Person B stayed with Person A."
    );
    assert_eq!(redaction.removed["PERSON"], 5);
}

#[test]
fn doubts_are_shown_with_their_place() {
    let redaction = redacted("Mark the door.", "no-names");
    assert_eq!(redaction.text, "Mark the door.");
    assert_eq!(
        (
            redaction.doubtful[0].start,
            redaction.doubtful[0].end,
            redaction.doubtful[0].text.as_str()
        ),
        (0, 4, "Mark")
    );
    let allowing = profile("no-names").allowing(["Mark".to_owned()]).unwrap();
    assert!(
        redact("Mark the door.", &allowing, &Known::nothing())
            .unwrap()
            .doubtful
            .is_empty()
    );
}

#[test]
fn an_allowed_word_does_not_let_through_what_the_vault_knows() {
    let allowing = profile("strict").allowing(["okonkwo".to_owned()]).unwrap();
    let known = Known::new(vec![(Kind::Person, "Okonkwo".into())]).unwrap();
    assert_eq!(
        redact("saw okonkwo", &allowing, &Known::nothing()).unwrap().text,
        "saw okonkwo"
    );
    assert_eq!(redact("saw okonkwo", &allowing, &known).unwrap().text, "saw Person A");
}

#[test]
fn a_word_with_hyphens_is_allowed_as_a_whole() {
    let said = "Take KX-99 and KX-98 to the quay-flurb, not KX or 99-KX-99.";
    for name in ["no-names", "strict"] {
        let before = redacted(said, name).text;
        assert!(!before.contains("KX-99 and"), "{before}");
        let allowing = profile(name)
            .allowing(["kx-99".to_owned(), "Quay-Flurb".to_owned()])
            .unwrap();
        let after = redact(said, &allowing, &Known::nothing()).unwrap().text;
        assert!(
            after.starts_with("Take KX-99 and ") && after.contains("quay-flurb"),
            "{after}"
        );
        assert!(!after.contains("KX-98") && !after.contains("99-KX-99"), "{after}");
        let known = Known::new(vec![(Kind::Number, "KX-99".into())]).unwrap();
        let masked = redact(said, &allowing, &known).unwrap().text;
        assert!(!masked.contains("KX-99 and"), "{masked}");
    }
    for bad in ["", "-", "KX-", "-99", "KX--99", "078-05-1120", "KX 99", "KX/99"] {
        assert!(profile("strict").allowing([bad.to_owned()]).is_err(), "{bad}");
    }
}

#[test]
fn what_hides_is_refused_without_being_repeated() {
    let refused = redact("Okonkwo\u{202E}", &profile("no-names"), &Known::nothing()).unwrap_err();
    assert!(!refused.to_string().contains("Okonkwo"), "{refused}");
}

#[test]
fn a_brief_already_written_is_checked() {
    let known = Known::nothing();
    let text = "Person A met Person B. Ask okonkwo, PIN 4417.";
    let leaks = check(text, &profile("strict"), &known).unwrap();
    let places: Vec<(usize, usize)> = leaks.iter().map(|leak| (leak.start, leak.end)).collect();
    assert_eq!(places, [(27, 34), (40, 44)]);
    assert!(
        check("Person A met Person B at the door.", &profile("strict"), &known)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_long_hostile_text_ends() {
    for unit in [
        "1 ",
        "A.",
        "a-",
        "A B-",
        "::",
        "x@",
        "1.1.",
        "Mr ",
        "code ",
        "'",
        "É\u{301}",
        "He left at dawn. ",
        "white Ford Ford ",
        "the head of ",
        "On 3 June Friday ",
    ] {
        let text = unit.repeat(20_000 / unit.len());
        let started = std::time::Instant::now();
        let _ = redact(&text, &profile("strict"), &Known::nothing());
        let _ = redact(&text, &profile("safe-harbor"), &Known::nothing());
        assert!(started.elapsed().as_secs() < 20, "{unit:?}");
    }
}

#[test]
fn what_stands_behind_a_sum_or_a_day_is_judged_by_itself() {
    for name in crate::brief::SHIPPED {
        for (text, number) in [
            ("Locksmith, £85, 01632 960123, may come after 18:00.", "960123"),
            ("Taxi,£40,07700900123,Bryn Hallard", "900123"),
            ("Fine of £120 4417 opens the gate.", "4417"),
            ("From 3 March 4417 is the gate code.", "4417"),
            ("From March 4417 is the gate code.", "4417"),
            ("On March 3, 4417 Elmtree Crescent was watched.", "4417"),
            ("On 3 March 1420 Elmtree Crescent was watched.", "1420"),
        ] {
            let told = redacted(text, name).text;
            assert!(!told.contains(number), "{name}: {told}");
        }
    }
    for name in ["strict", "safe-harbor"] {
        let told = redacted("From 3 March 1733 is the gate code.", name).text;
        assert!(!told.contains("1733"), "{name}: {told}");
    }
}

#[test]
fn days_of_birth_leave_in_no_profile() {
    for name in crate::brief::SHIPPED {
        for text in [
            "She was born in Lagos on 3 April 1980 and came here in 1998.",
            "DOB (dd/mm/yyyy): 03/04/1980",
            "Who | DOB\nguard | 3 April 1980\n",
            "The driver, b. 3 April 1980, is here.",
            "Date of birth as given: 3 April 1980.",
            "He was born to a diplomat on 3 April 1980.",
            "DOB (year only): 1980",
            "Her birthday is February 14, 71.",
        ] {
            let told = redacted(text, name).text;
            for part in ["April", "1980", "03/04", "February", "14", "71"] {
                assert!(!told.contains(part), "{name}: {told}");
            }
        }
    }
    let on = profile("safe-harbor").written("2026-03-01T00:00:00Z".parse().unwrap());
    for (text, told) in [
        (
            "She was admitted in 1936 and on 3 March 1937.",
            "She was admitted in Date 1 and on 1937.",
        ),
        (
            "She is ninety-four; her son is aged 52.",
            "She is nineties or over; her son is aged 52.",
        ),
    ] {
        assert_eq!(redact(text, &on, &Known::nothing()).unwrap().text, told);
    }
}

#[test]
fn a_month_that_may_be_a_person_does_not_pass_unseen() {
    for name in ["no-names", "strict", "tlp-amber", "tlp-green"] {
        for text in [
            "Spoke to June about the keys. Then a call from April, who was with May.",
            "We had word from June and April that the car is late. Thanks to May, nothing was lost.",
        ] {
            let redaction = redacted(text, name);
            for month in ["April", "May", "June"] {
                let doubted = redaction.doubtful.iter().any(|doubt| doubt.text == month);
                assert!(!redaction.text.contains(month) || doubted, "{name}: {}", redaction.text);
            }
        }
        let months = "It is shut from May to September, in June and until April.";
        let redaction = redacted(months, name);
        assert_eq!((redaction.text.as_str(), redaction.doubtful.len()), (months, 0));
    }
}

#[test]
fn a_name_without_which_no_sentence_does_is_masked_or_doubted() {
    let known = Known::new(vec![(Kind::Client, "Peter Day".to_owned())]).unwrap();
    let text = "Day leaves by the rear gate. Nobody but Day has been told.";
    for name in crate::brief::SHIPPED {
        let redaction = redact(text, &profile(name), &known).unwrap();
        assert_eq!(
            redaction.text, "Day leaves by the rear gate. Nobody but Client A has been told.",
            "{name}"
        );
        assert!(
            redaction
                .doubtful
                .iter()
                .any(|doubt| (doubt.start, doubt.text.as_str()) == (0, "Day")),
            "{name}"
        );
    }
}

#[test]
fn years_and_days_of_birth_do_not_pass_for_days_that_are_near() {
    let profile = profile("no-names").written("2026-11-28T00:00:00Z".parse().unwrap());
    let out = |text: &str| redact(text, &profile, &Known::nothing()).unwrap().text;
    for (text, told) in [
        ("He left on 1971 February 14 for good.", "1971"),
        ("He left on February 14, 71 for good.", "71"),
        ("The divorce of March 98 was bitter.", "98"),
        ("Graduated 1994 from the academy.", "1994"),
        ("Photo 1971:02:14 09:30:00 in the file.", "1971"),
        ("Convicted 3/98 of theft.", "98"),
        ("Born 14/2, 1971.", "1971"),
        ("Born 11/71.", "71"),
        ("dob 14/02", "14/02"),
        ("Date of birth was given as 14 February.", "14"),
        ("Born on Friday 27 November.", "27"),
        ("His 40th birthday is on 29 November.", "29"),
        ("Her son was born here on 27 November 2026.", "27"),
    ] {
        let told = out(text)
            .split(|c: char| !c.is_alphanumeric() && c != '/')
            .any(|word| word == told);
        assert!(!told, "{text}: {}", out(text));
    }
    for stays in [
        "Be at the rear door at 1930 on Friday 27 November.",
        "Relief 1945, doors 2015, 12/24 lights.",
        "Leave by 3 December 2026, and bring two radios.",
    ] {
        assert_eq!(out(stays), stays);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_text_breaks_it(text in "\\PC{0,60}", more in "([A-Zé][a-zß]{1,5}[ .'’-]{1,2}|[0-9]{1,4}[ -]|Σγ |ﬁ){0,12}") {
        for name in ["no-names", "strict"] {
            let text = format!("{text} {more}");
            if let Ok(redaction) = redact(&text, &profile(name), &Known::nothing()) {
                let points = text.chars().count();
                prop_assert!(redaction.spans.iter().all(|span| span.start < span.end && span.end <= points));
                prop_assert!(redaction.spans.windows(2).all(|pair| pair[0].end <= pair[1].start));
            }
        }
    }

    #[test]
    fn what_the_vault_knows_never_leaves(
        first in "[A-Z][bcdfgkz]{3,6}", last in "[A-Z][bcdfgkz]{3,6}", code in "[1-9][0-9]{4,7}",
        text in "([a-z]{1,6} ){0,6}", upper in any::<bool>()
    ) {
        let known = Known::new(vec![(Kind::Person, format!("{first} {last}")), (Kind::Code, code.clone())]).unwrap();
        let name = if upper { last.to_uppercase() } else { last.to_lowercase() };
        let input = format!("{text}{name} {text}{code} {text}{first}'s");
        let output = redact(&input, &profile("no-names"), &known).unwrap().text.to_lowercase();
        prop_assert!(!output.contains(&last.to_lowercase()) && !output.contains(&code));
        prop_assert!(!output.contains(&first.to_lowercase()));
    }

    #[test]
    fn a_redacted_text_has_no_leaks(
        parts in proptest::collection::vec(
            prop_oneof![
                Just("Azra Okonkwo"), Just("Okonkwo's"), Just("Mr Long"), Just("the guard"), Just("PIN 4417."), Just("walked"),
                Just("Rose"), Just("on 3 March 2026"), Just("at 22:40."), Just("a@example.org"), Just("+44 7700 900123;"),
                Just("AB12 CDE"), Just("Falcon Ltd"), Just("in Brixholm,"), Just("14 Elmtree Crescent"), Just("xylofrob"), Just("\n\n"),
            ],
            0..14,
        )
    ) {
        for name in crate::brief::SHIPPED {
            let Redaction { text: output, placed, .. } = redacted(&parts.join(" "), name);
            let leaks = check_placed(&output, &profile(name), &Known::nothing(), &placed, Judged::Whole).unwrap();
            prop_assert!(leaks.is_empty(), "{} {:?}", output, leaks);
            for part in ["Azra", "Okonkwo", "4417", "900123", "AB12", "example.org", "Falcon", "Brixholm", "Elmtree"] {
                prop_assert!(!output.contains(part), "{}", output);
            }
        }
    }

    #[test]
    fn strict_lets_only_ordinary_words_pass(words in proptest::collection::vec("[a-z]{2,9}", 1..12)) {
        let output = redact(&words.join(" "), &profile("strict"), &Known::nothing()).unwrap().text;
        let prepared = Prepared::new(&output).unwrap();
        for token in &prepared.tokens {
            let placeholder = token.capital || token.digit;
            prop_assert!(placeholder || token.word != super::super::words::Word::Unknown, "{}", output);
        }
    }
}
