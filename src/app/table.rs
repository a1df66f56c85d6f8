//! Text from a vault as tables and terminals take it without harm.

use super::person::is_harmful;
use crate::label::is_unseen;
use std::fmt::Write;

/// Text from a vault, made harmless for a terminal: control characters, and those that turn the direction of
/// writing, are shown rather than obeyed.
pub fn plain(text: &str) -> String {
    // It does not grow, or a part of a note would be left behind in memory: what is harmful takes at most eight bytes.
    let harmful = text.chars().filter(|c| is_harmful(*c)).count();
    let mut out = String::with_capacity(text.len() + 8 * harmful);
    for c in text.chars() {
        if c == '\r' {
            continue;
        }
        if is_harmful(c) {
            let _ = write!(out, "<U+{:X}>", u32::from(c));
        } else {
            out.push(c)
        }
    }
    out
}

/// The same on one line.
pub fn one_line(text: &str) -> String {
    plain(text).replace(['\n', '\t'], " ")
}

/// What a level or a compartment is called, with all shown that is not seen: such a name is refused where it is made, and stands
/// in a key box all the same if somebody with another program made it.
pub fn shown_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        match is_unseen(c) {
            true => out.push_str(&format!("<U+{:X}>", u32::from(c))),
            false => out.push(c),
        }
    }
    out
}

/// A word as a shell takes it.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Text on one line, cut after forty characters: what somebody typed, in a message.
pub(super) fn typed(text: &str) -> String {
    let begin: String = text.chars().take(40).collect();
    one_line(&begin)
}

/// A row as RFC 4180 has it, harmless for a terminal and for a spreadsheet: what it would take for a formula begins with
/// an apostrophe.
pub fn csv_row<'c>(cells: impl IntoIterator<Item = &'c str>) -> String {
    let cell = |cell: &str| {
        let text = plain(cell);
        let first = text.trim_start().chars().next();
        let formula =
            first.is_some_and(|c| "=+-@".contains(c) || "＝＋－＠".contains(c)) || text.starts_with(['\t', '\n']);
        let text = if formula { format!("'{text}") } else { text };
        match text.contains(['"', ',', '\n', ';', '\t']) || formula || text.trim() != text {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text,
        }
    };
    format!("{}\r\n", cells.into_iter().map(cell).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_hides_nothing() {
        assert_eq!(shown_name("Grey Orchard"), "Grey Orchard");
        assert_eq!(
            shown_name("H\u{200b}al\u{202e}cyon\n\u{1b}"),
            "H<U+200B>al<U+202E>cyon<U+A><U+1B>"
        );
        assert_eq!(shell_word("Grey"), "Grey");
        assert_eq!(shell_word("it's;id"), "'it'\\''s;id'");
    }

    /// Reads one row as RFC 4180 says.
    fn read(row: &str) -> Vec<String> {
        let mut cells = vec![String::new()];
        let (mut quoted, mut chars) = (false, row.strip_suffix("\r\n").unwrap().chars().peekable());
        while let Some(c) = chars.next() {
            let cell = cells.last_mut().unwrap();
            match (quoted, c) {
                (true, '"') if chars.peek() == Some(&'"') => cell.extend(chars.next()),
                (_, '"') => quoted = !quoted,
                (false, ',') => cells.push(String::new()),
                _ => cell.push(c),
            }
        }
        assert!(!quoted, "{row}");
        cells
    }

    #[test]
    fn what_a_spreadsheet_takes_for_a_formula_is_text() {
        for (cell, want) in [
            ("gate call-out", "gate call-out"),
            ("", ""),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+44 7700 900142", "\"'+44 7700 900142\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            (" =1", "\"' =1\""),
            ("\t=1", "\"'\t=1\""),
            ("＝1", "\"'＝1\""),
            ("a, b", "\"a, b\""),
            ("two\nlines", "\"two\nlines\""),
            ("a\u{1b}[2J", "a<U+1B>[2J"),
        ] {
            assert_eq!(csv_row([cell]), format!("{want}\r\n"));
        }
    }

    proptest! {
        #[test]
        fn every_row_reads_back(cells in proptest::collection::vec("[ -~\n\t=+@\"é山-]{0,12}", 1..5)) {
            let back = read(&csv_row(cells.iter().map(String::as_str)));
            prop_assert_eq!(back.len(), cells.len());
            for (back, cell) in back.iter().zip(&cells) {
                prop_assert!(back == cell || back.strip_prefix('\'') == Some(cell));
                prop_assert!(!back.trim_start().starts_with(['=', '+', '-', '@']));
            }
        }
    }
}
