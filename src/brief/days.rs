//! Which day a date names, and whether it lies near the day on which a text was written.
//!
//! What has to be done by when lies near that day; what lies far from it is somebody's history.

use super::finding::{Finding, Kind, Weight};
use super::prepared::{Prepared, Token};
use super::tagger::has;
use crate::chain::Time;
use std::ops::{Range, RangeInclusive};

/// How many days before or after the day a text was written a date may lie to be near.
const NEAR: i64 = 90;

/// Whether a date may stay in a text that was written on a day: it is near that day, or has no
/// year. A date that can be read in two ways is near if it is near in both; without a day to measure from no
/// date with a year is near.
pub(crate) fn is_near(value: &str, written: Option<Time>) -> bool {
    let parts = parts(value);
    if !parts.iter().any(|part| part.is_year()) && two_figures(&parts).is_none() {
        return true;
    }
    let Some(written) = written.map(|written| written.unix().div_euclid(86_400)) else {
        return false;
    };
    let near = |days: &RangeInclusive<i64>| *days.start() <= written + NEAR && *days.end() >= written - NEAR;
    let readings = match two_figures(&parts) {
        // `3/4/26`: of the last century or of this, whichever is meant more likely.
        Some(year) => {
            let readings = readings(&parts);
            let all = [1900, 2000].map(|century| readings(century + year));
            return all.iter().any(|days| !days.is_empty() && days.iter().all(near));
        }
        None => {
            let years = parts.iter().filter(|part| part.is_year());
            years
                .map(|year| year.number)
                .flat_map(readings(&parts))
                .collect::<Vec<_>>()
        }
    };
    !readings.is_empty() && readings.iter().all(near)
}

/// The years that a date is taken to have: another number of four figures beside a day is a time, a code or a house.
pub(crate) fn is_plausible_year(value: &str) -> bool {
    let century = value.starts_with("19") || value.starts_with("20");
    value.len() == 4 && century && value.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a value is a date and nothing else: each of its numbers is a year, or a day or month that there is.
pub(crate) fn is_date(value: &str) -> bool {
    let parts = parts(value);
    let numbers = || parts.iter().filter(|part| !part.is_month());
    let year = |part: &Part| part.figures == 4 && matches!(part.number / 100, 19 | 20);
    if numbers().any(|part| part.figures > 2 && !year(part)) {
        return false;
    }
    let named = parts.iter().any(Part::is_month);
    let shorts: Vec<i64> = numbers()
        .filter(|part| part.figures <= 2)
        .map(|part| part.number)
        .collect();
    let day = |day: &i64| (1..=31).contains(day);
    match (named, numbers().any(year)) {
        (true, true) => shorts.len() <= 1 && shorts.iter().all(day),
        (true, false) => match two_figures(&parts) {
            Some(_) => shorts.len() < 2 || shorts.len() == 2 && day(&shorts[0]),
            None => shorts.len() <= 1 && shorts.iter().all(day),
        },
        // `1998/99`, and without a month's name a day and a month.
        (false, true) => {
            shorts.len() <= 1 || shorts.len() == 2 && shorts.iter().all(day) && shorts.iter().any(|part| *part <= 12)
        }
        (false, false) => {
            shorts.len() == 3 && shorts[..2].iter().all(day) && shorts[..2].iter().any(|part| *part <= 12)
        }
    }
}

/// Numbers of four figures directly behind a day of `dates`, with that day, which cannot be its year: where times do not
/// stay, these may not either.
pub(crate) fn numbered(text: &Prepared, dates: &[Range<usize>]) -> Vec<Finding> {
    let behind = |day: &Range<usize>| {
        let next = text
            .tokens
            .get(text.tokens.partition_point(|token| token.at.start < day.end))?;
        let four = next.digit && next.at.len() == 4 && !is_plausible_year(text.lower_of(next));
        let gap = text.folded.get(day.end..next.at.start)?;
        (four && matches!(gap, " " | ", ")).then(|| Finding::new(day.start..next.at.end, Kind::Date, Weight::Form))
    };
    dates.iter().filter_map(behind).collect()
}

/// `1830`: a time of day, which may be a year as well.
pub(crate) fn is_time(value: &str) -> bool {
    let number = value.parse::<u32>().ok().filter(|_| value.len() == 4);
    number.is_some_and(|number| number / 100 < 24 && number % 100 < 60)
}

/// Words that make a day of their sentence a birth date.
const BIRTH: [&str; 5] = ["birth", "birthdate", "birthday", "born", "dob"];

/// Where a text speaks of births. Looked for once: a long text may have as many dates as it has words.
struct Births {
    /// Where sentences end.
    ends: Vec<usize>,
    words: Vec<usize>,
}

impl Births {
    fn new(text: &Prepared) -> Self {
        let ends = text.folded.match_indices(['.', '!', '?', '\n']);
        let words = text.tokens.iter().filter(|token| BIRTH.contains(&text.lower_of(token)));
        Self {
            ends: ends.map(|(end, _)| end).collect(),
            words: words.map(|token| token.at.start).collect(),
        }
    }

    /// Whether the sentence that a date stands in does, or a sign before it says so.
    fn has(&self, text: &Prepared, at: &Range<usize>) -> bool {
        let before = self.ends.partition_point(|end| *end < at.start).checked_sub(1);
        let start = before.map_or(0, |before| self.ends[before]);
        let end = self.ends.get(self.ends.partition_point(|end| *end < at.end)).copied();
        let next = self.words.get(self.words.partition_point(|birth| *birth < start));
        next.is_some_and(|birth| *birth < end.unwrap_or(text.folded.len())) || is_signed(text, at)
    }
}

/// `b. 3 April 1980`, `(*1980)`: not the mark of a list, nor one that makes letters slant.
fn is_signed(text: &Prepared, at: &Range<usize>) -> bool {
    let before = text.folded[..at.start].trim_end_matches(' ');
    let ends = |mark: &str| before.strip_suffix(mark).filter(|_| at.start - before.len() <= 2);
    let after = text.folded[at.end..].starts_with('*');
    let born = ends("b.")
        .or(ends("b"))
        .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | '\'')));
    // In its line something stands before it.
    let inner = |rest: &str| {
        let last = rest.trim_end_matches(' ').chars().next_back();
        last.is_some_and(|last| !matches!(last, '*' | '\n'))
    };
    let star = || ends("*").is_some_and(inner) && !after;
    born || star()
}

fn number(text: &Prepared, token: &Token) -> Option<u32> {
    text.lower_of(token).parse().ok().filter(|_| token.at.len() <= 4)
}

fn is_year(text: &Prepared, token: &Token) -> bool {
    token.at.len() == 4 && number(text, token).is_some_and(|year| (1000..2200).contains(&year))
}

/// A date with the year that stands beside it: `1971 February 14`, `February 14, 71`.
fn with_year(text: &Prepared, day: &Range<usize>) -> Range<usize> {
    let (before, after) = (
        text.tokens.partition_point(|token| token.at.end <= day.start),
        text.tokens.partition_point(|token| token.at.start < day.end),
    );
    let year = before
        .checked_sub(1)
        .and_then(|at| text.tokens.get(at))
        .filter(|token| is_year(text, token));
    let start = year
        .map(|token| token.at.start)
        .filter(|start| day.start - start <= 6)
        .unwrap_or(day.start);
    let year = text
        .tokens
        .get(after)
        .filter(|token| is_year(text, token) || token.at.len() == 2 && number(text, token).is_some());
    let comma = |token: &&Token| matches!(&text.folded[day.end..token.at.start], "," | ", " | ", '" | " '");
    start..year.filter(comma).map_or(day.end, |token| token.at.end)
}

/// Days of birth: what was found to be one, and dates and other numbers whose sentence speaks of a birth.
pub(crate) fn births<'f>(text: &Prepared, found: impl Iterator<Item = &'f Finding>) -> Vec<Range<usize>> {
    let births = Births::new(text);
    let dated = found.filter(|day| matches!(day.kind, Kind::Birthday | Kind::Date));
    let mut days: Vec<(Range<usize>, bool)> = dated.map(|day| (day.at.clone(), day.kind == Kind::Birthday)).collect();
    days.sort_by_key(|(day, _)| (day.start, day.end));
    let mut found = Vec::new();
    let born = days.iter().filter(|(day, born)| *born || births.has(text, day));
    found.extend(born.map(|(day, _)| with_year(text, day)));
    let days: Vec<Range<usize>> = days.into_iter().map(|(day, _)| day).collect();
    let inside = |at: &Range<usize>| {
        let from = days.partition_point(|day| day.end <= at.start);
        days[from..]
            .iter()
            .take_while(|day| day.start <= at.start)
            .any(|day| at.end <= day.end)
    };
    for (at, token) in text.tokens.iter().enumerate() {
        if !token.digit || inside(&token.at) {
            continue;
        }
        let before = at.checked_sub(1).map(|before| &text.tokens[before]);
        // `the birthday party is at 1930`
        let hour = || {
            before.is_some_and(|before| {
                matches!(
                    text.lower_of(before),
                    "after" | "at" | "before" | "by" | "till" | "until"
                )
            })
        };
        let year = is_plausible_year(text.lower_of(token)) && !(is_time(text.lower_of(token)) && hour());
        let slash = before.filter(|before| {
            let first = number(text, before).is_some_and(|first| first <= 31);
            first && number(text, token).is_some() && token.at.len() <= 2 && text.between(before, token) == "/"
        });
        let whole = slash.map_or(token.at.start, |before| before.at.start)..token.at.end;
        if (year || slash.is_some()) && births.has(text, &whole) {
            found.push(whole);
        }
    }
    found
}

/// What is a date by what stands beside it, among dates that were `kept`: those that are not near, and years that
/// nothing else shows to be one.
pub(crate) fn in_passing(text: &Prepared, kept: &[Finding], written: Option<Time>) -> Vec<Finding> {
    let mut found = Vec::new();
    let births = Births::new(text);
    let is_birth = |at: &Range<usize>| births.has(text, at);
    let number = |token: &Token| number(text, token);
    let is_year = |token: &Token| is_year(text, token);
    let mut days: Vec<&Range<usize>> = kept
        .iter()
        .filter(|day| day.kind == Kind::Date)
        .map(|day| &day.at)
        .collect();
    days.sort_by_key(|day| (day.start, day.end));
    for day in &days {
        let whole = with_year(text, day);
        if is_birth(day) {
            found.push(Finding::new(whole, Kind::Birthday, Weight::Form));
        } else if !is_near(&text.folded[whole.clone()], written) {
            found.push(Finding::new(whole, Kind::Date, Weight::Form));
        }
    }
    let inside = |token: &Token| {
        let from = days.partition_point(|day| day.end <= token.at.start);
        let mut near = days[from..].iter().take_while(|day| day.start <= token.at.start);
        near.any(|day| token.at.end <= day.end)
    };
    for (at, token) in text
        .tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.digit && !inside(token))
    {
        let before = at.checked_sub(1).and_then(|at| text.tokens.get(at));
        let short = token.at.len() == 2 && number(token).is_some();
        let mut date = None;
        // 1943 is a time of day too, 1971 is none.
        if is_year(token) && !is_time(text.lower_of(token)) {
            date = Some(token.at.clone());
        } else if let Some(before) = before.filter(|_| short) {
            let (between, late) = (text.between(before, token), number(token).is_some_and(|year| year > 31));
            let month = MONTHS.iter().any(|month| text.lower_of(before).starts_with(month)) && before.capital;
            let numbers = number(before).is_some_and(|first| first <= 31) && between == "/";
            let whole = before.at.start..token.at.end;
            if late && (month && matches!(between, " " | " '" | "'") || numbers) || numbers && is_birth(&whole) {
                date = Some(whole);
            }
        }
        let kind = |at: &Range<usize>| if is_birth(at) { Kind::Birthday } else { Kind::Date };
        found.extend(date.map(|at| Finding::new(at.clone(), kind(&at), Weight::Form)));
    }
    found
}

/// What says which day is meant without being a date: weekdays, feasts, months, and what counts from the day of
/// writing (`last week`, `two days ago`). What stands beside one of `dates` is one with it.
pub(crate) fn spoken(text: &Prepared, dates: &[Range<usize>]) -> Vec<Finding> {
    let mut days = dates.to_vec();
    days.sort_by_key(|day| (day.start, day.end));
    let beside =
        |gap: &str| gap.len() <= 6 && matches!(gap.trim_end_matches("the "), " " | "," | ", " | " (" | ". " | "-");
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.tokens.len() {
        let place = text.tokens[at].at.start;
        let dated = days.get(days.partition_point(|day| day.end <= place));
        let said = spoken_at(text, at).filter(|_| dated.is_none_or(|day| day.start > place));
        let Some((from, to)) = said else {
            at += 1;
            continue;
        };
        let (mut start, mut end) = (text.tokens[from].at.start, text.tokens[to - 1].at.end);
        let next = days.partition_point(|day| day.start < end);
        if let Some(day) = days.get(next).filter(|day| beside(&text.folded[end..day.start])) {
            end = day.end;
        }
        let before = next.checked_sub(1).map(|before| &days[before]);
        if let Some(day) = before.filter(|day| day.end <= start && beside(&text.folded[day.end..start])) {
            start = day.start;
        }
        found.push(Finding::new(start..end, Kind::Date, Weight::Form));
        at = to;
    }
    found
}

/// The words at `at`, and before it, that say together which day is meant.
fn spoken_at(text: &Prepared, at: usize) -> Option<(usize, usize)> {
    let tokens = &text.tokens;
    let joined = |left: usize| {
        let pair = (tokens.get(left), tokens.get(left + 1));
        matches!(pair, (Some(left), Some(right)) if matches!(text.between(left, right), " " | "-" | "\n"))
    };
    let word = |at: usize| tokens.get(at).map_or("", |token| text.lower_of(token));
    let next = |at: usize| if joined(at) { word(at + 1) } else { "" };
    let before = |at: usize| at.checked_sub(1).filter(|&before| joined(before)).map_or("", word);
    let token = &tokens[at];
    let one = |words: usize| Some((at, at + words));
    // A capital that says something, or a figure beside it: `Sat`, `March`.
    let figure = |token: Option<&Token>| token.is_some_and(|token| token.digit);
    let shown = || {
        token.capital && !token.first && !token.caseless
            || joined(at) && figure(tokens.get(at + 1))
            || at > 0 && joined(at - 1) && figure(tokens.get(at - 1))
    };
    match word(at) {
        "today" | "tonight" | "yesterday" | "tomorrow" | "halloween" | "hogmanay" | "ramadan" | "thanksgiving"
        | "whitsun" => one(1),
        day if is_weekday(day) => one(1),
        "mon" | "tue" | "tues" | "wed" | "thu" | "thur" | "thurs" | "fri" | "sat" | "sun" if shown() => one(1),
        "april" | "december" | "february" | "january" | "july" | "june" | "november" | "october" | "september" => {
            one(1)
        }
        "august" | "march" | "may" if shown() => one(1),
        "christmas" | "easter" | "xmas" => one(1 + usize::from(matches!(next(at), "day" | "eve"))),
        "boxing" if next(at) == "day" => one(2),
        "good" if next(at) == "friday" => one(2),
        "new" if next(at) == "year" => one(2 + usize::from(matches!(next(at + 1), "day" | "eve"))),
        "coming" | "last" | "next" | "past" | "this"
            if is_unit(next(at)) || is_weekday(next(at)) || SEASONS.contains(&next(at)) =>
        {
            one(2)
        }
        // Of a fall somebody may have had one.
        season if SEASONS[1..].contains(&season) && matches!(before(at), "early" | "in" | "late" | "mid" | "the") => {
            one(1)
        }
        "ago" if is_unit(before(at)) => {
            let mut from = at - 1;
            while from + 5 > at && is_counted(tokens.get(from.wrapping_sub(1)), before(from)) {
                from -= 1;
            }
            Some((from, at + 1))
        }
        // `on the 3rd`, not `on the 3rd floor`.
        day if token.digit && ["st", "nd", "rd", "th"].iter().any(|end| day.ends_with(end)) && before(at) == "the" => {
            let on = matches!(
                before(at - 1),
                "after" | "before" | "by" | "from" | "on" | "since" | "till" | "to" | "until"
            );
            let goes_on = matches!(
                next(at),
                "" | "and"
                    | "at"
                    | "but"
                    | "for"
                    | "he"
                    | "i"
                    | "in"
                    | "it"
                    | "or"
                    | "she"
                    | "the"
                    | "they"
                    | "to"
                    | "we"
                    | "when"
                    | "with"
            );
            if on && goes_on { one(1) } else { None }
        }
        _ => None,
    }
}

fn is_weekday(word: &str) -> bool {
    matches!(
        word.trim_end_matches('s'),
        "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday" | "sunday"
    )
}

const SEASONS: [&str; 5] = ["fall", "autumn", "spring", "summer", "winter"];

/// What days are counted by, and parts of one.
fn is_unit(word: &str) -> bool {
    matches!(
        word.trim_end_matches('s'),
        "afternoon" | "day" | "evening" | "fortnight" | "month" | "morning" | "night" | "week" | "weekend"
    )
}

/// Whether a word says how many.
fn is_counted(token: Option<&Token>, word: &str) -> bool {
    let number = token.is_some_and(|token| token.digit || token.lists & (has::FIGURE | has::TEN) != 0);
    !word.is_empty() && number || matches!(word, "a" | "an" | "couple" | "few" | "of" | "or" | "several" | "some")
}

/// A word or number of a date.
#[derive(Clone, Copy)]
struct Part {
    /// Its number; of a month by name that month's.
    number: i64,
    figures: usize,
}

impl Part {
    fn is_year(&self) -> bool {
        self.figures == 4 && (1000..2200).contains(&self.number)
    }

    fn is_month(&self) -> bool {
        self.figures == 0
    }
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// The months and numbers of a date, up to a time of day.
fn parts(value: &str) -> Vec<Part> {
    let lower = value.to_ascii_lowercase();
    // A time begins where a colon follows two figures.
    let date = lower.find(':').map_or(lower.as_str(), |colon| {
        lower[..colon].trim_end_matches(|c: char| c.is_ascii_digit())
    });
    let words = date.split(|c: char| !c.is_ascii_alphanumeric());
    let part = |word: &str| {
        let figures = word.bytes().take_while(u8::is_ascii_digit).count();
        if figures > 0 {
            let number = word[..figures].parse().ok()?;
            return (figures <= 4).then_some(Part { number, figures });
        }
        let month = MONTHS.iter().zip(1..).find(|(month, _)| word.starts_with(**month));
        month.map(|(_, number)| Part { number, figures: 0 })
    };
    words.filter(|word| !word.is_empty()).filter_map(part).collect()
}

/// The two figures of a year that stand last in a date of three parts, or after a month.
fn two_figures(parts: &[Part]) -> Option<i64> {
    match parts {
        [_, _, last] if last.figures == 2 && !parts.iter().any(Part::is_year) => Some(last.number),
        // No month has so many days.
        [month, last] if month.is_month() && last.figures == 2 && last.number > 31 => Some(last.number),
        _ => None,
    }
}

/// The days that a date with a year can mean: one, a month's or a year's. Its parts are looked at once, whatever many
/// years they have: what is taken for one date may be as long as its text.
fn readings(parts: &[Part]) -> impl Fn(i64) -> Vec<RangeInclusive<i64>> {
    let mut short = parts.iter().filter(|part| matches!(part.figures, 1 | 2));
    let short = [short.next(), short.next()].map(|part| part.map(|part| part.number));
    let month = parts.iter().find(|part| part.is_month()).map(|part| part.number);
    let year_first = parts.first().is_some_and(Part::is_year);
    move |year| {
        let one = |month: i64, day: i64| {
            let good = (1..=12).contains(&month) && (1..=31).contains(&day);
            good.then(|| number_of(year, month, day)..=number_of(year, month, day))
        };
        let days = match (month, short) {
            (Some(month), [Some(day), _]) => vec![one(month, day)],
            (Some(month), _) => vec![Some(number_of(year, month, 1)..=number_of(year, month, 31))],
            (None, [Some(first), Some(second)]) if year_first => vec![one(first, second)],
            (None, [Some(first), Some(second)]) => vec![one(first, second), one(second, first)],
            (None, _) => vec![Some(number_of(year, 1, 1)..=number_of(year, 12, 31))],
        };
        days.into_iter().flatten().collect()
    }
}

/// How many days after 1 January 1970 a day of the Gregorian calendar is.
fn number_of(year: i64, month: i64, day: i64) -> i64 {
    // The year begins in March, so that the leap day is its last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leaps + (153 * month + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn near(value: &str) -> bool {
        is_near(value, Some("2026-03-01T00:00:00Z".parse().unwrap()))
    }

    #[test]
    fn what_lies_near_or_has_no_year_stays() {
        for stays in [
            "Friday",
            "June",
            "3 July",
            "3 March 2026",
            "2026-05-30",
            "2026-03-17 09:30:00",
            "December 2025",
            "1st of Mar, 2026",
            "4/3/2026",
            "4.3.26",
            "2026",
        ] {
            assert!(near(stays), "{stays}");
        }
    }

    #[test]
    fn days_of_birth_are_told_by_their_sentence_or_a_sign() {
        let born = |text: &str| {
            let text = Prepared::new(text).unwrap();
            let found = births(&text, crate::brief::redact::forms(&text).iter()).into_iter();
            found.map(|at| text.folded[at].to_owned()).collect::<Vec<_>>()
        };
        for (text, day) in [
            ("She was born in Lagos on 3 April 1980.", "3 April 1980"),
            ("DOB (dd/mm/yyyy): 03/04/1980", "03/04/1980"),
            ("Azra, b. 3 April 1980, drives.", "3 April 1980"),
            ("Azra (*1980) drives.", "1980"),
            ("Azra * 3 April 1980", "3 April 1980"),
            ("DOB (year only): 1931", "1931"),
            ("His birthday is February 14, 71.", "February 14, 71"),
        ] {
            assert_eq!(born(text), [day], "{text}");
        }
        for text in [
            "* 3 April 2026: the gate was opened",
            "It is shut **3 April 2026** and *4 April 2026*",
            "In block-b. 3 April 2026 was fine.",
            "The birthday party is at 1930.",
            "She was born here. She left on 3 April 1980.",
        ] {
            assert_eq!(born(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_date_is_one_whole() {
        for date in [
            "3 March 2026",
            "March 3",
            "March 2026",
            "June",
            "2026-03-17 09:30:00",
            "2000-04-16T11:34:35Z",
            "1998-2026",
            "1998/99",
            "1990s",
            "3/4/26",
            "17.3.2026",
            "3 March '26",
            "March '98",
            "1st of Mar, 2026",
            "2026",
        ] {
            assert!(is_date(date), "{date}");
        }
        for other in [
            "3 March 4417",
            "March 3, 1733",
            "44 March",
            "3 March 441",
            "44/17/26",
            "1733",
            "17.30.2026",
        ] {
            assert!(!is_date(other), "{other}");
        }
    }

    #[test]
    fn each_of_many_dates_is_judged_by_its_own_sentence() {
        let dates = "3 March 1800, ".repeat(2000);
        for (before, kind) in [("on ", Kind::Date), ("born on ", Kind::Birthday)] {
            let text = format!("Nobody was born then. She came {before}{dates}");
            let text = Prepared::new(&text).unwrap();
            let found = in_passing(&text, &crate::brief::redact::forms(&text), None);
            // What follows `born on` at once has a form of its own.
            assert!(
                found.len() >= 1999 && found.iter().all(|day| day.kind == kind),
                "{before}"
            );
        }
    }

    /// With a look at all parts for each year this would take the better part of an hour.
    #[test]
    fn as_many_years_as_a_text_can_hold_are_one_date() {
        assert!(!near(&"1650 ".repeat(crate::brief::MAX_TEXT / 5)));
        assert!(near(&"2026 ".repeat(crate::brief::MAX_TEXT / 5)));
    }

    fn said(text: &str) -> Vec<String> {
        let text = Prepared::new(text).unwrap();
        let dates = crate::brief::redact::forms(&text).into_iter();
        let dates: Vec<Range<usize>> = dates
            .filter(|date| date.kind == Kind::Date)
            .map(|date| date.at)
            .collect();
        let found = spoken(&text, &dates).into_iter();
        found.map(|day| text.folded[day.at].to_owned()).collect()
    }

    #[test]
    fn days_are_found_that_are_no_dates() {
        for (text, days) in [
            ("On Tuesday 3 June 2025 she fell", &["Tuesday 3 June 2025"][..]),
            ("on 3 June 2025 (Tuesday), Sat 14", &["3 June 2025 (Tuesday", "Sat"]),
            ("Tuesday, the 3rd of June", &["Tuesday, the 3rd of June"]),
            ("on mondays and Sunday's visit", &["mondays", "Sunday"]),
            (
                "yesterday, last week, next Friday, this morning",
                &["yesterday", "last week", "next Friday", "this morning"],
            ),
            (
                "two weeks ago, a couple of days ago",
                &["two weeks ago", "a couple of days ago"],
            ),
            ("on the 3rd she left; until the 14th.", &["3rd", "14th"]),
            (
                "Christmas Day, Good Friday, new year's eve",
                &["Christmas Day", "Good Friday", "new year's eve"],
            ),
            ("in the spring, last fall, June", &["spring", "last fall", "June"]),
        ] {
            assert_eq!(said(text), days, "{text}");
        }
        for plain in [
            "She sat in the sun on the 3rd floor, on the 2nd of four visits, and may march.",
            "After the fall, a spring in the bed broke; two days later, three years ago.",
        ] {
            assert_eq!(said(plain), Vec::<String>::new(), "{plain}");
        }
    }

    #[test]
    fn history_does_not() {
        for goes in [
            "3 March 2025",
            "2026-06-02",
            "1977",
            "May 1998",
            "2000-04-16 11:34:35",
            "2000-04-16T11:34:35Z",
            "1998-2026",
            // The ninth of March is near, the third of September is not.
            "9/3/2026",
            "4.3.71",
        ] {
            assert!(!near(goes), "{goes}");
        }
        assert!(!is_near("3 March 2026", None) && is_near("3 March", None));
    }

    proptest! {
        #[test]
        fn days_are_counted_as_the_calendar_does(day in -100_000i64..100_000) {
            let text = Time::from_unix(day * 86_400).to_string();
            let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
            prop_assert_eq!(number_of(number(0, 4), number(5, 7), number(8, 10)), day);
        }

        #[test]
        fn no_value_breaks_it(value in "[A-Za-z0-9:,./ -]{0,40}") {
            is_near(&value, Some(Time::from_unix(0)));
        }
    }
}
