//! Tables: what stands under `Name`, `PIN` or `Plate` is one, whatever it looks like.

use super::finding::{Finding, Kind, Weight};
use super::prepared::Prepared;
use super::words::{self, Word};
use std::ops::Range;

/// The cells under headings that say what sort of identifier stands below.
pub(crate) fn cells(text: &Prepared, found: &mut Vec<Finding>) {
    let mut columns: Vec<Option<Kind>> = Vec::new();
    let mut start = 0;
    for line in text.lower.split_inclusive('\n') {
        let cells = cells_of(line);
        if cells.len() < 2 {
            columns.clear();
        } else if columns.is_empty() {
            columns = cells.iter().map(|cell| kind_of(&line[cell.clone()])).collect();
        } else if cells.len() <= columns.len() {
            for (cell, kind) in cells.iter().zip(&columns) {
                let at = start + cell.start..start + cell.end;
                if let Some(kind) = kind.filter(|_| tells(text, &at)) {
                    found.push(Finding::new(at, kind, Weight::Form));
                }
            }
        }
        start += line.len();
    }
}

/// The cells of a line without the spaces around them: between bars, tabs, or wide gaps.
fn cells_of(line: &str) -> Vec<Range<usize>> {
    let trimmed = line.trim_end().trim_end_matches('|');
    let from = trimmed.len() - trimmed.trim_start_matches(['|', ' ']).len();
    let body = &trimmed[from..];
    let mut cells = Vec::new();
    let mut at = from;
    let mark = ["|", "\t"].into_iter().find(|mark| body.contains(mark));
    let Some(mark) = mark else { return cells };
    for cell in body.split(mark) {
        let start = at + cell.len() - cell.trim_start().len();
        cells.push(start..(at + cell.trim_end().len()).max(start));
        at += cell.len() + mark.len();
    }
    cells
}

/// What stands under a heading, by its words.
fn kind_of(heading: &str) -> Option<Kind> {
    let words = || heading.split(|c: char| !c.is_alphanumeric());
    let has = |list: &[&str]| words().any(|word| list.contains(&word));
    if words().filter(|word| !word.is_empty()).count() > 4 {
        None
    } else if has(&["dob", "born", "birth", "birthdate", "birthday"]) && !has(&["place", "country", "town"])
        || heading.chars().filter(|c| c.is_alphanumeric()).eq("dob".chars())
    {
        Some(Kind::Birthday)
    } else if has(&[
        "pin", "code", "codes", "password", "passcode", "word", "codeword", "safeword",
    ]) {
        Some(Kind::Code)
    } else if has(&["plate", "plates", "reg", "vrm", "registration"]) {
        Some(Kind::Vehicle)
    } else if has(&["phone", "mobile", "tel", "ext"]) {
        Some(Kind::Phone)
    } else if has(&["badge", "serial", "passport", "fob", "account"]) {
        Some(Kind::Number)
    } else if has(&["address", "flat", "apartment", "apt"]) {
        Some(Kind::Address)
    } else if has(&[
        "name",
        "names",
        "surname",
        "occupant",
        "guest",
        "visitor",
        "resident",
        "patient",
        "officer",
        "guard",
        "driver",
        "host",
        "tenant",
        "holder",
        "nurse",
        "keyholder",
        "child",
        "pupil",
        "who",
    ]) {
        Some(Kind::Person)
    } else {
        None
    }
}

/// Whether a cell tells something: it is short, and not all of its words are grammar.
fn tells(text: &Prepared, at: &Range<usize>) -> bool {
    const NOTHING: [&str; 16] = [
        "blank", "damaged", "empty", "lost", "missing", "n", "na", "nil", "none", "nothing", "spare", "tba", "tbc",
        "unknown", "vacant", "yes",
    ];
    let tokens = text.tokens_in(at);
    let word = |word: &str| NOTHING.binary_search(&word).is_err() && words::look_up(word) != Word::Function;
    (1..=4).contains(&tokens.len()) && tokens.iter().any(|token| token.digit || word(text.lower_of(token)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let prepared = Prepared::new(text).unwrap();
        let mut all = Vec::new();
        cells(&prepared, &mut all);
        all.iter()
            .map(|finding| prepared.folded[finding.at.clone()].to_owned())
            .collect()
    }

    #[test]
    fn what_a_heading_names_is_found_below_it() {
        assert_eq!(
            found("| Post | Officer | Safe word |\n| gate | otter | blue kite |\n| yard | none | |\n"),
            ["otter", "blue kite"]
        );
        assert_eq!(
            found("| D.O.B. | Place of birth | Date of birth |\n| 3/4 | here | 3 April 1980 |\n"),
            ["3/4", "3 April 1980"]
        );
        assert_eq!(found("door\tPIN\nrear\t88\n\nafter\t77"), ["88"]);
        assert_eq!(
            found("door | locked by | at\nrear | the last one | 22:00"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn any_line_is_cut_into_cells_that_lie_in_it() {
        for line in ["|", "||", " | |", "\t", "a|", "|a", "a | b\n", "|\ta\t|"] {
            for cell in cells_of(line) {
                assert!(line.get(cell).is_some(), "{line:?}");
            }
        }
    }
}
