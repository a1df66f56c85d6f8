//! Numbers in groups, whatever stands between the groups: `01  99  00  12  34`, `07, 70, 09, 00, 12, 3`, a group a line,
//! `01:99:00:12:34`.

use super::finding::{Finding, Kind, Weight};
use super::prepared::{Prepared, Token};
use super::values::luhn;

/// So many figures are a number, if nothing says that they are several.
const NUMBER: usize = 7;
/// So many are a whole telephone number: what follows after another mark is something else.
const WHOLE: usize = 9;

/// What stands between two numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// One to three spaces.
    Space,
    /// The end of a line.
    Line,
    /// `,`, `;`, `·`, `•`, and between spaces `-` or `/`.
    Mark,
    /// `:`
    Colon,
    /// A mark that makes of both sides one sum, range, day or decimal number: neither is a group.
    Glue,
    /// Anything else.
    Other,
}

fn gap(between: &str) -> Gap {
    let mark = between.trim_matches([' ', '\r', '\n']);
    match mark {
        _ if between.len() > 6 || between.matches('\n').count() > 1 => Gap::Other,
        "" if between.contains('\n') => Gap::Line,
        "" if between.len() <= 3 => Gap::Space,
        "," | ";" | "·" | "•" => Gap::Mark,
        "-" | "/" if between != mark => Gap::Mark,
        ":" => Gap::Colon,
        "." | "-" | "/" | "'" if between == mark => Gap::Glue,
        _ => Gap::Other,
    }
}

/// Whether numbers that only commas part are one number with its decimals or thousands: `12,50`, `1,200,000`.
fn is_amount(text: &Prepared, numbers: &[Token]) -> bool {
    let first = numbers.first().map_or("", |first| &text.folded[first.at.clone()]);
    let thousands =
        || first.len() <= 3 && !first.starts_with('0') && numbers[1..].iter().all(|part| part.at.len() == 3);
    numbers.len() == 2 || thousands()
}

/// Numbers in groups, beside what patterns have `found`: a day, a time, a sum is none of the groups.
pub(super) fn grouped(text: &Prepared, found: &[Finding]) -> Vec<Finding> {
    let tokens = &text.tokens;
    let number = |kind| {
        matches!(
            kind,
            Kind::Number | Kind::Phone | Kind::Card | Kind::Account | Kind::Code
        )
    };
    let figures = |token: &Token| text.folded[token.at.clone()].bytes().all(|byte| byte.is_ascii_digit());
    let mut free: Vec<bool> = tokens.iter().map(|token| token.digit && figures(token)).collect();
    let mut gaps: Vec<Gap> = tokens
        .windows(2)
        .enumerate()
        .map(|(at, pair)| match free[at] && free[at + 1] {
            true => gap(text.between(&pair[0], &pair[1])),
            false => Gap::Other,
        })
        .collect();
    let mut more = colons(text, &gaps);
    let mut from = 0;
    while from < tokens.len() {
        let comma = |at: &usize| gaps[*at] != Gap::Other && text.between(&tokens[*at], &tokens[*at + 1]) == ",";
        let to = (from..gaps.len()).take_while(comma).count() + from;
        if to > from && is_amount(text, &tokens[from..=to]) {
            gaps[from..to].fill(Gap::Glue);
        }
        from = to + 1;
    }
    for finding in found.iter().filter(|finding| !number(finding.kind)) {
        let from = tokens.partition_point(|token| token.at.end <= finding.at.start);
        let within = tokens
            .iter()
            .skip(from)
            .take_while(|token| token.at.start < finding.at.end);
        free[from..from + within.count()].fill(false);
    }
    for (at, gap) in gaps.iter().enumerate() {
        if matches!(gap, Gap::Glue | Gap::Colon) {
            free[at..at + 2].fill(false);
        }
    }
    let mut from = 0;
    while from < tokens.len() {
        let mut to = from + 1;
        let (mut count, mut before) = (tokens[from].at.len(), Gap::Space);
        while to < tokens.len()
            && free[to - 1]
            && free[to]
            && matches!(gaps[to - 1], Gap::Space | Gap::Line | Gap::Mark)
            && (count < WHOLE || gaps[to - 1] == before || is_card_so_far(&tokens[from..to]))
        {
            count += tokens[to].at.len();
            before = gaps[to - 1];
            to += 1;
        }
        if to > from + 1 && count >= NUMBER && is_number(text, &tokens[from..to], &gaps[from..to - 1]) {
            let at = tokens[from].at.start..tokens[to - 1].at.end;
            let kind = if luhn(&text.folded[at.clone()]) {
                Kind::Card
            } else {
                Kind::Number
            };
            more.push(Finding::new(at, kind, Weight::Form));
        }
        from = to;
    }
    more
}

/// Three groups of four: of a card the last one is to come.
fn is_card_so_far(groups: &[Token]) -> bool {
    groups.len() == 3 && groups.iter().all(|group| group.at.len() == 4)
}

/// Whether groups are one number, rather than times, years, a day, or things counted one after the other.
fn is_number(text: &Prepared, groups: &[Token], gaps: &[Gap]) -> bool {
    let value = |group: &Token| &text.folded[group.at.clone()];
    let lengths: Vec<usize> = groups.iter().map(|group| group.at.len()).collect();
    let day = matches!(lengths.as_slice(), [1..=2, 1..=2, 4] | [4, 1..=2, 1..=2]);
    let clock = |group: &Token| {
        let (hour, minute) = value(group).split_at_checked(2).unwrap_or_default();
        let time = hour <= "24" && minute < "60";
        group.at.len() == 4 && (time || ("15".."21").contains(&hour))
    };
    let read: Vec<u64> = groups
        .iter()
        .map(|group| value(group).parse().unwrap_or(u64::MAX))
        .collect();
    let padded = groups
        .iter()
        .any(|group| group.at.len() > 1 && value(group).starts_with('0'));
    let in_order = read.is_sorted_by(|left, right| left < right) || read.is_sorted_by(|left, right| left > right);
    // `rooms 12, 14, 11 and 9`
    let few = gaps.iter().all(|gap| *gap == Gap::Mark)
        && lengths.iter().all(|&length| length <= 2)
        && lengths.iter().sum::<usize>() <= WHOLE;
    let counted = !padded && (in_order || few);
    // Two alone are one number only in one line.
    let enough = groups.len() >= 3 || gaps == [Gap::Space] && lengths.iter().all(|&length| length > 1);
    enough && !day && !counted && !groups.iter().all(clock)
}

/// `01:99:00:12:34`: more groups than a time has.
fn colons(text: &Prepared, gaps: &[Gap]) -> Vec<Finding> {
    let tokens = &text.tokens;
    let (mut found, mut from) = (Vec::new(), 0);
    while from < tokens.len() {
        let pair = |token: &Token| token.at.len() == 2;
        let mut to = from + 1;
        while gaps.get(to - 1) == Some(&Gap::Colon) && pair(&tokens[to]) {
            to += 1;
        }
        if to >= from + 4 {
            let at = tokens[from].at.start..tokens[to - 1].at.end;
            found.push(Finding::new(at, Kind::Number, Weight::Form));
        }
        from = to;
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::brief::redact::forms;
    use crate::brief::{Finder, Patterns};
    use proptest::prelude::*;
    use std::ops::Range;

    fn found(text: &str) -> Vec<String> {
        let text = Prepared::new(text).unwrap();
        let patterns = Patterns.find(&text);
        let mut all = grouped(&text, &patterns);
        let inside = |at: &Range<usize>| patterns.iter().any(|of| of.at.start <= at.start && of.at.end >= at.end);
        all.retain(|finding| !inside(&finding.at));
        all.iter()
            .map(|finding| text.folded[finding.at.clone()].to_owned())
            .collect()
    }

    #[test]
    fn groups_are_one_number() {
        for number in [
            "4111\n1111\n1111\n1111",
            "4111 1111 1111\n1111",
            "01  99  00  12  34",
            "07, 70, 09, 00, 12, 3",
            "07,70,09,00,12,3",
            "077 · 009 · 001 · 23",
            "01 - 99 - 00 - 12 - 34",
            "0 7 7 0 0 9 0 0 1 2 3",
            "01:99:00:12:34",
        ] {
            assert_eq!(found(&format!("Her line is {number} now.")), [number], "{number}");
        }
    }

    #[test]
    fn what_is_counted_dated_or_timed_is_none() {
        for plain in [
            "Rooms 12, 14, 16, 18 and 20 are free.",
            "Rooms 12, 14, 11, 9 and 20 are free; beds 3, 2, 4, 1, 5, 2, 1.",
            "Rounds at 0800, 1200, 1600, 2000.",
            "0800\n1200\n1600\n2000",
            "Open 08-12, 14-18, then 20-22.",
            "Paid 1,200, 3,400, 1,100 and 2,300.",
            "It costs 12,50, 14,20 or 9,80.",
            "It costs 12.50, 14.20, 11.90 or 9.80.",
            "The camera says 14:02:19, not 14:02:21.",
            "Open 08:00, 12:00, 10:30.",
            "On 17 - 03 - 2026 and 3, 14.",
            "Call 01632 960123, 14 guards wait.",
            "Front desk 01632 960123\n0730 patrol",
            "| 12 | 14 | 11 | 90 |",
        ] {
            assert_eq!(found(plain), Vec::<String>::new(), "{plain}");
        }
    }

    proptest! {
        #[test]
        fn no_group_of_a_telephone_number_is_left(
            cuts in proptest::collection::vec(2usize..5, 6),
            mark in "( {1,3}|\\n|, ?|;  ?| ?· ?| - |:)",
        ) {
            let (mut groups, mut rest) = (Vec::new(), "07700900123");
            for cut in cuts {
                // The groups that colons part are pairs.
                let cut = if mark == ":" { 2 } else { cut };
                let (group, more) = rest.split_at(cut.min(rest.len()));
                groups.push(group);
                rest = more;
            }
            groups.retain(|group| group.len() >= 2);
            prop_assume!(groups.len() >= 3);
            let number = groups.join(&mark);
            let text = Prepared::new(&format!("Her line is {number} now.")).unwrap();
            let all = forms(&text);
            let whole = 12..12 + text.folded.len() - "Her line is  now.".len();
            prop_assert!(all.iter().any(|finding| finding.at.start <= whole.start && finding.at.end >= whole.end), "{number:?}: {all:?}");
        }
    }
}
