//! What the patterns find, and that they find it wherever it begins.

#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use proptest::prelude::*;

fn found(text: &str) -> Vec<(String, Kind)> {
    let prepared = Prepared::new(text).unwrap();
    let mut all = Patterns.find(&prepared);
    all.sort_by_key(|finding| finding.at.start);
    all.iter()
        .map(|finding| (prepared.folded[finding.at.clone()].to_owned(), finding.kind))
        .collect()
}

#[test]
fn what_is_longer_than_is_looked_at_first_is_found_whole() {
    for length in [NEAR - 40, NEAR, 3 * NEAR] {
        let address = format!("https://example.org/{}", "magpie/".repeat(length / 7));
        let text = format!("Look at {address} and go on.");
        let links = found(&text).into_iter().filter(|(value, _)| value.starts_with("https"));
        assert_eq!(links.map(|(value, _)| value).collect::<Vec<_>>(), [address]);
    }
}

#[track_caller]
fn finds(text: &str, value: &str, kind: Kind) {
    let all = found(text);
    assert!(all.contains(&(value.to_owned(), kind)), "{text:?} gave {all:?}");
}

#[test]
fn every_pattern_compiles() {
    assert_eq!(PATTERNS.len(), 49);
    assert_eq!(PATTERNS.iter().filter(|pattern| pattern.lead.is_some()).count(), 4);
}

/// The same patterns, each run over the whole text.
fn everywhere() -> Vec<Pattern> {
    let patterns = PATTERNS.iter();
    let anywhere = Begin::In(|_| true);
    let all = patterns.map(|of| Pattern::new(anywhere, of.source, of.kind, of.group, of.accept).unwrap());
    all.collect()
}

static EVERYWHERE: LazyLock<Vec<Pattern>> = LazyLock::new(everywhere);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    #[test]
    fn nothing_begins_where_no_pattern_is_tried(text in "((code|pin|safe|word|phrase|is|the|account|no|a|call|ext|born|age|old|years|ninety|hundred|yo|aka|reg|plate|US|EUR|euros|may|June|in|of|at|by|flat|Box|P\\.O|via|com|dot|www|http|mailto|log|wi|fi|key|secret|GB|AB|x)|[a-zA-Z]{1,7}|[0-9]{1,5}|[ ]|[ ]|[ ]|[-./:,_'\"()\\[\\]@+#=\n$€°é\u{4e2d}\u{FFFC}]){0,24}") {
        let text = Prepared::new(&text).unwrap();
        prop_assert_eq!(Patterns.find(&text), find_each(&text, &EVERYWHERE));
    }

    #[test]
    fn numbers_begin_where_a_pattern_is_tried(text in "([A-Z]{1,3}|[a-z]{1,3}|[0-9]{1,4}|[ ]|[-./:_+$£°]){0,24}") {
        let text = Prepared::new(&text).unwrap();
        prop_assert_eq!(Patterns.find(&text), find_each(&text, &EVERYWHERE));
    }
}

#[test]
fn forms_are_found() {
    finds("write to a.b@example.org now", "a.b@example.org", Kind::Email);
    finds(
        "write to a.b [at] example [dot] org",
        "a.b [at] example [dot] org",
        Kind::Email,
    );
    finds(
        "see https://example.org/x?y=1.",
        "https://example.org/x?y=1",
        Kind::Link,
    );
    finds("see intra.example.org, then", "intra.example.org", Kind::Link);
    finds("See gate.report/plan for it.", "gate.report/plan", Kind::Link);
    finds("Look: ![](//gate.report/plan) now", "//gate.report/plan", Kind::Link);
    finds("Look: ![the plan](plan) now", "plan", Kind::Link);
    finds("at gardenhouse.estate, then", "gardenhouse.estate", Kind::Link);
    finds("from 192.0.2.17 at", "192.0.2.17", Kind::Network);
    finds("from 2001:db8::17 at", "2001:db8::17", Kind::Network);
    finds("card 4111 1111 1111 1111 used", "4111 1111 1111 1111", Kind::Number);
    finds("paid with 4111 1111 1111 1111", "4111 1111 1111 1111", Kind::Card);
    finds("paid with 4111 1111 1111 1112", "4111 1111 1111 1112", Kind::Number);
    finds(
        "to GB82 WEST 1234 5698 7654 32 today",
        "GB82 WEST 1234 5698 7654 32",
        Kind::Account,
    );
    finds("call +44 7700 900123 at once", "+44 7700 900123", Kind::Phone);
    finds("on (555) 555-0123 or", "(555) 555-0123", Kind::Phone);
    finds("on 01.99.00.12.34 or", "01.99.00.12.34", Kind::Phone);
    finds("ssn 078-05-1120", "078-05-1120", Kind::Number);
    finds("a grey van AB12 CDE left", "AB12 CDE", Kind::Vehicle);
    finds("at 51.50123, -0.14189 by", "51.50123, -0.14189", Kind::Position);
    for position in [
        "///Filled.count.soap",
        "///FILLED.COUNT.SOAP",
        "/// index.home.raft",
        "51.50, -0.14",
        "-0.14, 51.50",
        "51,501 -0,142",
        "51.50 N, 0.14 W",
        "51 deg 30 min north",
        "0 degrees, 8 minutes west",
        "51° 30' 2\" N",
    ] {
        finds(&format!("Wait at {position} until six."), position, Kind::Position);
    }
    finds("w3w: index.home.raft", "index.home.raft", Kind::Position);
    finds("the coordinates 51.50 -0.14 are", "51.50 -0.14", Kind::Position);
    finds("lat 51.50 and so on", "51.50", Kind::Position);
    finds("posted by azra_o91 at", "azra_o91", Kind::Alias);
    finds("posted (@wexcombe.lane) at", "@wexcombe.lane", Kind::Alias);
    finds("on 3 March 2026 at 14:30", "3 March 2026", Kind::Date);
    finds("on 3 March 2026 at 14:30", "14:30", Kind::Time);
    finds("test it before 0730 and", "0730", Kind::Time);
    finds("lost £1,200.50 in", "£1,200.50", Kind::Money);
    finds(
        "lives at 14 Elmtree Crescent, Northwick",
        "14 Elmtree Crescent, Northwick",
        Kind::Address,
    );
}

#[test]
fn the_words_before_a_value_count() {
    finds("the PIN is 4417.", "4417", Kind::Code);
    finds("gate code 1733W", "1733W", Kind::Code);
    finds("safe combination 91-62-14", "91-62-14", Kind::Code);
    finds("The safe opens with 14:02:19.", "14:02:19", Kind::Code);
    finds("password: hunter-Two!", "hunter-Two!", Kind::Code);
    finds("extension 3069", "3069", Kind::Phone);
    finds("(ext. 3069, day and night)", "3069", Kind::Phone);
    finds("case no. 1840/91 was", "1840/91", Kind::Number);
    finds("badge 388", "388", Kind::Number);
    finds("reg K9 DOG", "K9 DOG", Kind::Vehicle);
    finds("DOB 3/4/1980", "3/4/1980", Kind::Birthday);
    finds("D.O.B. 3/4/1980", "3/4/1980", Kind::Birthday);
}

#[test]
fn plain_text_is_left_alone() {
    for plain in [
        "Meet at the north gate, 2 guards, 40 m from the 3rd door.",
        "The code of conduct and the password policy apply.",
        "He left.then came and/or went, see notes.txt or p.2/3 of it // done.",
        "Take 10 minutes; bring 3 radios and a first-aid kit.",
        "They cost 12.50, 14.20 or 9.80, from 12.50 -14.20 in all.",
        "Of 1,200 -1,500 people 12,500 51,501 came.",
        "Turn 30 degrees north; the wind is 20 deg west.",
    ] {
        assert_eq!(found(plain), [], "{plain}");
    }
}

#[test]
fn a_sum_hides_no_number_behind_it() {
    for (text, sum, number) in [
        ("Locksmith, £85, 01632 960123, may come.", "£85", "01632 960123"),
        ("Taxi,£40,07700900123,then", "£40", "07700900123"),
        ("Petrol £60.00, 0117 496 0123 to confirm.", "£60.00", "0117 496 0123"),
        ("Handed over: £200, 12345678 is the account", "£200", "12345678"),
        ("Fine of £120 4417 opens the gate.", "£120", "4417"),
        ("Please try 4417 at the gate, 20 euros", "20 euros", "4417"),
        ("So 20 € and £40pp, 12345678.", "£40", "12345678"),
    ] {
        let all = found(text);
        for (value, kind) in [(sum, [Kind::Money; 2]), (number, [Kind::Phone, Kind::Number])] {
            assert!(
                all.iter().any(|(told, of)| told == value && kind.contains(of)),
                "{text}: {all:?}"
            );
        }
    }
    for sum in [
        "£1,200,000.50",
        "1.200,50 EUR",
        "CHF 12'500",
        "EUR 2 000 000",
        "$3.5m",
        "30€",
        "1 200 dollars",
        "£1,20,000",
    ] {
        finds(&format!("It is {sum} in all."), sum, Kind::Money);
    }
}

#[test]
fn a_number_behind_a_day_is_no_year_unless_it_can_be_one() {
    for (text, day, number) in [
        ("From 3 March 4417 is the gate code.", "3 March", Some("4417")),
        (
            "On March 3, 4417 Elmtree Crescent was watched.",
            "March 3",
            Some("4417 Elmtree Crescent"),
        ),
        ("From 3 March 1733 is the gate code.", "3 March", None),
        ("From March 4417 it opens.", "March", Some("4417")),
    ] {
        let all = found(text);
        let told: Vec<&str> = all.iter().map(|(value, _)| value.as_str()).collect();
        assert!(
            told.iter().all(|value| !value.starts_with(day) || *value == day),
            "{text}: {all:?}"
        );
        assert!(number.is_none_or(|number| told.contains(&number)), "{text}: {all:?}");
    }
    for day in [
        "3 March 1987",
        "3 March '26",
        "March 3, 2026",
        "2026-03-17",
        "3/4/26",
        "March 2026",
    ] {
        finds(&format!("It was on {day} that she left."), day, Kind::Date);
    }
}

#[test]
fn a_date_hides_no_number_behind_it() {
    let all = found("seen 2026-03-17 5556 0123 77");
    assert!(all.contains(&("5556 0123 77".to_owned(), Kind::Number)), "{all:?}");
}
