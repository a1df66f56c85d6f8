//! How things are written: harmless for a terminal, as JSON, as a table; and what goes to standard error.

use super::markdown;
use crate::app::is_harmful;
pub(super) use crate::app::{one_line, plain};
use anstyle::{AnsiColor, Effects, Style};
use comfy_table::{ColumnConstraint, Width};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};
use std::io::{IsTerminal, Write};
use unicode_width::UnicodeWidthStr;
use zeroize::{Zeroize, Zeroizing};

/// A value's JSON, with every character escaped that could drive a terminal or turn the direction of writing.
///
/// It may hold the text of a note, so it lies in memory that never grows, with room for the end of a line.
pub(super) fn json_text(value: &(impl Serialize + ?Sized)) -> Zeroizing<String> {
    let mut count = Count(0);
    let counted = value.serialize(&mut Serializer::with_formatter(&mut count, Harmless));
    let mut bytes = Zeroizing::new(Vec::with_capacity(count.0 + 1));
    let written = counted.and_then(|_| value.serialize(&mut Serializer::with_formatter(&mut *bytes, Harmless)));
    // What is written here is made of texts, numbers and lists of them, and of these JSON is always made.
    let text = written
        .ok()
        .and_then(|_| String::from_utf8(std::mem::take(&mut *bytes)).ok());
    Zeroizing::new(text.unwrap_or_default())
}

/// How many bytes were written.
struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Harmful characters stand inside strings alone, where an escape means the same.
struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> std::io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| is_harmful(*c)) {
            writer.write_all(&rest.as_bytes()[..at])?;
            write!(writer, "\\u{:04x}", u32::from(c))?;
            rest = &rest[at + c.len_utf8()..];
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Overwrites the texts in a value that is not needed any more.
pub(super) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// An error's message.
pub(super) fn complain(message: &str) {
    const WHO: &str = "strongroom:";
    let style = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
    let words = fitted(&format!("{WHO} {}", plain(message)));
    put(&format!(
        "{style}{WHO}{style:#}{}",
        words.strip_prefix(WHO).unwrap_or(&words)
    ));
}

/// What to do about it.
pub(super) fn hint(text: &str) {
    say(&format!("  {}", plain(text)));
}

/// A remark beside the result, in lines that fit the terminal. Colour there alone; `NO_COLOR` is respected.
pub(super) fn say(text: &str) {
    put(&fitted(text));
}

fn put(text: &str) {
    let mut err = anstream::stderr().lock();
    // Where standard error is gone there is nobody to tell.
    let _ = writeln!(err, "{text}");
}

/// A text for standard error: where that is a terminal, its lines are broken between words.
pub(super) fn fitted(text: &str) -> String {
    let err = std::io::stderr();
    let size = err.is_terminal().then(|| rustix::termios::tcgetwinsize(&err).ok());
    match size.flatten() {
        Some(size) if usize::from(size.ws_col) >= NARROWEST => wrapped(text, size.ws_col.into()),
        _ => text.to_owned(),
    }
}

/// Below so many columns lines are left as they are.
const NARROWEST: usize = 20;

/// Lines that are at most `width` wide, if no word is wider. What goes on stands below what it goes on from: below the first
/// word behind a name such as `founder   `.
fn wrapped(text: &str, width: usize) -> String {
    let mut out = Zeroizing::new(String::with_capacity(text.len() + 16));
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            out.push('\n');
        }
        if line.trim_end().width() <= width {
            out.push_str(line);
            continue;
        }
        let blank = line.len() - line.trim_start().len();
        let named = line[blank..].find("  ").map_or(0, |end| {
            let rest = &line[blank + end..];
            end + rest.len() - rest.trim_start().len()
        });
        let lead = match line[..blank + named].width() * 2 <= width {
            true => blank + named,
            false => blank,
        };
        let indent = line[..lead].width();
        out.push_str(&line[..lead]);
        let mut column = indent;
        for (at, word) in line[lead..].split(' ').enumerate() {
            let wide = word.width();
            if at > 0 && column > indent && wide > 0 && column + 1 + wide > width {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent));
                column = indent;
            } else if at > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += wide;
        }
    }
    std::mem::take(&mut *out)
}

/// The spaces on the sides of a cell.
const PADDING: u16 = 2;

/// Columns, together at most `width` wide.
pub(super) fn table(width: Option<u16>, head: &[&str], rows: Vec<Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|name| name.to_uppercase()).collect();
    let widths = widest_cells(&head, &rows);
    let needed: usize = widths.iter().map(|width| width + usize::from(PADDING)).sum();
    match width.map(usize::from) {
        Some(width) if needed > width && is_too_narrow(width, &head, &rows, &widths) => {
            stacked_table(width, head, rows)
        }
        Some(width) if needed > width => wrapped_table(u16::try_from(width).unwrap_or(u16::MAX), head, rows),
        _ => wide_table(&widths, &head, &rows),
    }
}

/// How wide the widest cell of each column is on a terminal.
fn widest_cells(head: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths: Vec<usize> = head.iter().map(|name| name.width()).collect();
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = cell.width().max(*widest);
        }
    }
    widths
}

/// Every row on one line. Thousands of rows take milliseconds.
fn wide_table(widths: &[usize], head: &[String], rows: &[Vec<String>]) -> String {
    let line = widths.iter().map(|width| width + usize::from(PADDING)).sum::<usize>() + 1;
    let mut out = String::with_capacity(line * (rows.len() + 1));
    for row in std::iter::once(head).chain(rows.iter().map(Vec::as_slice)) {
        let begin = out.len();
        for (cell, width) in row.iter().zip(widths) {
            out.push(' ');
            out.push_str(cell);
            out.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 1));
        }
        out.truncate(begin + out[begin..].trim_end().len());
        out.push('\n');
    }
    out
}

/// Cells wrapped so that a line is at most `width` wide.
fn wrapped_table(width: u16, head: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table
        .load_preset(comfy_table::presets::NOTHING)
        .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
        .set_width(width);
    let longest = longest_words(&head, &rows);
    table.set_header(head);
    table.add_rows(rows);
    // Where the width does not suffice, cells are wrapped between words: a time broken in two is hard to read.
    for (column, longest) in table.column_iter_mut().zip(longest) {
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(longest + PADDING)));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    format!("{}\n", lines.join("\n"))
}

/// How many columns the last cell wants at least: titles and reasons stand there.
const LAST: usize = 24;

/// Whether beside the longest words of the other columns too little is left for the last one.
fn is_too_narrow(width: usize, head: &[String], rows: &[Vec<String>], widths: &[usize]) -> bool {
    let mut longest = longest_words(head, rows);
    longest.pop();
    let others: usize = longest.iter().map(|longest| usize::from(longest + PADDING)).sum();
    let wanted = widths.last().map_or(0, |last| LAST.min(*last)) + usize::from(PADDING);
    others + wanted > width
}

/// A row on as many lines as it takes: its cells one behind the other, the last on lines of its own below them.
fn stacked_table(width: usize, head: Vec<String>, rows: Vec<Vec<String>>) -> String {
    let mut out = String::new();
    let mut line = |text: &str, indent: usize| {
        let text = Zeroizing::new(text.trim_end().to_owned());
        let lines = markdown::wrap(Effects::new(), &text, width.saturating_sub(indent));
        for line in markdown::fold(lines, width.saturating_sub(indent)) {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(&line.text());
            out.push('\n');
        }
    };
    let named: Vec<bool> = head.iter().map(|name| !name.is_empty()).collect();
    for mut row in std::iter::once(head).chain(rows) {
        let last = row.pop().unwrap_or_default();
        let (mut cells, mut indent) = (String::new(), 1);
        for (at, cell) in row.iter().enumerate() {
            // What is not there is seen: without it the next cell would pass for this one.
            let cell = match cell.is_empty() && named.get(at).is_some_and(|named| *named) {
                true => "–",
                false => cell,
            };
            if cell.is_empty() {
                continue;
            }
            if !cells.is_empty() && indent + cells.width() + usize::from(PADDING) + cell.width() > width {
                line(&cells, indent);
                cells.clear();
                indent = 3;
            }
            if !cells.is_empty() {
                cells.push_str("  ");
            }
            cells.push_str(cell);
        }
        line(&cells, indent);
        if !last.is_empty() {
            line(&last, 3);
        }
    }
    out
}

/// The longest word of each column, in characters; a very long one may be broken.
fn longest_words(head: &[String], rows: &[Vec<String>]) -> Vec<u16> {
    let words = |text: &str| text.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
    let column = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| words(cell));
        cells.chain(head.get(at).map(|name| words(name))).max().unwrap_or(0)
    };
    (0..head.len())
        .map(|at| u16::try_from(column(at).min(24)).unwrap_or(24))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_wide_enough_for_its_longest_words() {
        let rows = vec![vec!["2026-11-21T09:30:00Z".to_owned(), "one two".to_owned()]];
        assert_eq!(longest_words(&["time".into(), "notes".into()], &rows), [20, 5]);
        assert_eq!(longest_words(&["seq".into()], &[vec!["x".repeat(90)]]), [24]);
    }

    #[test]
    fn a_table_that_fits_looks_as_one_that_was_arranged_to_fit() {
        let cell = |text: &str| text.to_owned();
        let rows = vec![
            vec![cell("7f3a"), cell("Grey Orchard"), cell("")],
            vec![cell("00"), cell("山の café"), cell("route, and times")],
        ];
        let wide = table(None, &["id", "client", "title"], rows.clone());
        assert_eq!(
            wide,
            " ID    CLIENT        TITLE\n 7f3a  Grey Orchard\n 00    山の café     route, and times\n"
        );
        let needed = 4 + 12 + 16 + 3 * PADDING;
        assert_eq!(table(Some(needed), &["id", "client", "title"], rows.clone()), wide);
        let head = ["ID", "CLIENT", "TITLE"].map(cell).to_vec();
        assert_eq!(wrapped_table(needed, head, rows.clone()), wide);
        let narrow = table(Some(needed - 1), &["id", "client", "title"], rows);
        assert!(narrow.lines().count() > 3 && narrow.lines().all(|line| line.width() < usize::from(needed)));
    }

    #[test]
    fn where_no_room_is_left_for_the_last_column_rows_stand_on_lines_of_their_own() {
        let cell = |text: &str| text.to_owned();
        let head = ["id", "modified", "label", "client", "title"];
        let row = |title: &str| {
            ["b754ad9f", "2026-11-29", "confidential/Halcyon", "Halcyon", title]
                .map(cell)
                .to_vec()
        };
        let rows = vec![row("Handover, Friday night"), row(&"gate ".repeat(12))];
        assert_eq!(
            table(Some(44), &head, rows.clone()),
            " ID  MODIFIED  LABEL  CLIENT\n   TITLE\n b754ad9f  2026-11-29  confidential/Halcyon\n   Halcyon\n   \
             Handover, Friday night\n b754ad9f  2026-11-29  confidential/Halcyon\n   Halcyon\n   \
             gate gate gate gate gate gate gate gate\n   gate gate gate gate\n"
        );
        for width in 1..120 {
            let lines = table(Some(width), &head, rows.clone());
            assert!(
                lines.lines().all(|line| line.width() <= usize::from(width).max(4)),
                "{width}: {lines}"
            );
        }
    }

    #[test]
    fn in_a_narrow_table_an_empty_cell_keeps_its_place() {
        let row = ["7f3a", "", "", "Handover, Friday night"].map(str::to_owned).to_vec();
        assert_eq!(
            table(Some(20), &["id", "client", "", "title"], vec![row]),
            " ID  CLIENT\n   TITLE\n 7f3a  –\n   Handover, Friday\n   night\n"
        );
    }

    #[test]
    fn what_is_said_is_broken_between_words() {
        assert_eq!(
            wrapped("founder   taste session rhythm intact post alcohol boil penalty", 40),
            "founder   taste session rhythm intact\n          post alcohol boil penalty"
        );
        assert_eq!(
            wrapped("  one two three four five", 14),
            "  one two\n  three four\n  five"
        );
        assert_eq!(wrapped("short\nlines  stay", 20), "short\nlines  stay");
        assert_eq!(
            wrapped("go on with this text, which was kept? [Y/n] ", 30),
            "go on with this text, which\nwas kept? [Y/n] "
        );
        assert_eq!(wrapped(&"x".repeat(50), 20), "x".repeat(50));
        for width in NARROWEST..70 {
            let text = wrapped(
                "strongroom: warning: the vault's disk is nearly full: 61 MiB are free",
                width,
            );
            assert!(text.lines().all(|line| line.width() <= width), "{width}: {text}");
            assert_eq!(
                text.replace('\n', " "),
                "strongroom: warning: the vault's disk is nearly full: 61 MiB are free"
            );
        }
    }

    #[test]
    fn a_note_cannot_drive_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb"), "a<U+1B>[2Jb");
        assert_eq!(plain("x\u{202e}y\r\nz\t"), "x<U+202E>y\nz\t");
        assert_eq!(one_line("a\nb"), "a b");
        let value = serde_json::json!({ "x": "a\u{9b}2J\u{202e}b" });
        assert_eq!(*json_text(&value), r#"{"x":"a\u009b2J\u202eb"}"#);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&json_text(&value)).unwrap(),
            value
        );
        assert_eq!(plain("ćäß — 山"), "ćäß — 山");
    }

    #[test]
    fn what_may_hold_a_note_never_grows() {
        let hostile = "a\u{1b}\u{7f}\u{9b}\u{202e}\r\n\t\"\\ ćäß — 山 ".repeat(500);
        let value = serde_json::json!({ "body": hostile, "\u{9b}": [1, null, 2.5, true, hostile] });
        let mut json = json_text(&value);
        assert_eq!(json.capacity(), json.len() + 1);
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
        assert!(!json.chars().any(|c| is_harmful(c) || c == '\n' || c == '\t'));
        let before = json.as_ptr();
        json.push('\n');
        assert_eq!(json.as_ptr(), before);
        let harmful = hostile.chars().filter(|c| is_harmful(*c)).count();
        assert_eq!(plain(&hostile).capacity(), hostile.len() + 8 * harmful);
    }

    #[test]
    fn a_value_that_is_wiped_holds_no_text() {
        let mut value = serde_json::json!({ "body": "gate", "more": [{ "x": "gate" }, 4] });
        wipe(&mut value);
        assert_eq!(value, serde_json::json!({ "body": "", "more": [{ "x": "" }, 4] }));
    }
}
