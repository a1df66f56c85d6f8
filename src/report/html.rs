//! Pieces of HTML. Everything that came from a vault goes through [`text`].

use super::{Basis, Row};
use crate::chain::Outcome;
use std::fmt::Write;

/// The most rows that a table shows; all of them are named beneath it.
const SHOWN_MAX: usize = 200;

/// Text as HTML: nothing in it is markup, and nothing drives a terminal or turns the direction of writing.
pub(super) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if is_harmful(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Control characters, and those that turn the direction of writing or break lines where none shows.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}' | '\u{2029}')
}

/// JSON that stands in a page: what is harmful stands inside strings alone, where an escape means the same.
pub(super) fn harmless_json(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match is_harmful(c) {
            true => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => out.push(c),
        }
    }
    out
}

/// Undoes [`text`] for what has no harmful characters; `None` for any other `&`, and for markup.
pub(super) fn plain(html: &str) -> Option<String> {
    const NAMES: [(&str, char); 5] = [
        ("amp;", '&'),
        ("lt;", '<'),
        ("gt;", '>'),
        ("quot;", '"'),
        ("#39;", '\''),
    ];
    let mut out = String::with_capacity(html.len());
    let mut parts = html.split('&');
    out.push_str(parts.next()?);
    for part in parts {
        let (name, c) = NAMES.iter().find(|(name, _)| part.starts_with(name))?;
        out.push(*c);
        out.push_str(&part[name.len()..]);
    }
    (!html.contains(['<', '>'])).then_some(out)
}

/// A digest in groups that a person can compare.
pub(super) fn hex(digest: &impl std::fmt::Display) -> String {
    let digits = digest.to_string();
    let groups: Vec<&str> = (0..digits.len())
        .step_by(8)
        .map(|at| &digits[at..(at + 8).min(digits.len())])
        .collect();
    format!("<span class=\"hex\">{}</span>", groups.join(" "))
}

/// `1 entry`, `2 entries`.
pub(super) fn counted(count: usize, one: &str, several: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    }
}

/// The place of an entry, its log by its number in the report.
pub(super) fn place(basis: &Basis, row: &Row) -> String {
    let log = basis.logs.partition_point(|known| known.log < row.at.log) + 1;
    format!("L{log}:{}", row.at.seq)
}

/// The entries a figure came from, neighbours in one: a paragraph of its own.
pub(super) fn refs(basis: &Basis, rows: &[usize]) -> String {
    match runs(basis, rows) {
        runs if runs.is_empty() => runs,
        runs => format!("<p class=\"refs\"><b>Entries:</b> {runs}</p>\n"),
    }
}

/// The same for the cell of a table.
pub(super) fn runs(basis: &Basis, rows: &[usize]) -> String {
    let mut out = String::new();
    for (n, known) in basis.logs.iter().enumerate() {
        let of = rows
            .iter()
            .map(|row| &basis.rows[*row].at)
            .filter(|at| at.log == known.log);
        let mut seqs: Vec<u64> = of.map(|at| at.seq).collect();
        seqs.sort_unstable();
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for seq in seqs {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == seq => *last = seq,
                _ => runs.push((seq, seq)),
            }
        }
        let runs: Vec<String> = runs
            .into_iter()
            .map(|(first, last)| match first == last {
                true => first.to_string(),
                false => format!("{first}–{last}"),
            })
            .collect();
        if !runs.is_empty() {
            let _ = write!(
                out,
                "{}L{}:{}",
                if out.is_empty() { "" } else { "; " },
                n + 1,
                runs.join(", ")
            );
        }
    }
    out
}

/// A table that can be scrolled sideways where it is too wide; one of the class `stack` is, on a narrow screen, a list of
/// its rows instead, each cell with the name of its column. Roles say that it is a table all the same. The cells are HTML.
pub(super) fn table(caption: &str, class: &str, head: &[(&str, &str)], rows: &[Vec<String>]) -> String {
    let mut out = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table class=\"{class}\" role=\"table\"><caption>{0}</caption>\n\
         <thead role=\"rowgroup\"><tr role=\"row\">",
        text(caption)
    );
    for (name, class) in head {
        let _ = write!(
            out,
            "<th scope=\"col\" role=\"columnheader\" class=\"{class}\">{}</th>",
            text(name)
        );
    }
    out.push_str("</tr></thead>\n<tbody role=\"rowgroup\">\n");
    for row in rows {
        out.push_str("<tr role=\"row\">");
        for (n, ((name, class), cell)) in head.iter().zip(row).enumerate() {
            let name = text(name);
            // Where a row is a list, the cell's content is one thing beside its name.
            let cell = match cell.is_empty() {
                true => String::new(),
                false => format!("<span>{cell}</span>"),
            };
            let _ = match n {
                0 => write!(
                    out,
                    "<th scope=\"row\" role=\"rowheader\" class=\"{class}\" data-name=\"{name}\">{cell}</th>"
                ),
                _ => write!(
                    out,
                    "<td role=\"cell\" class=\"{class}\" data-name=\"{name}\">{cell}</td>"
                ),
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// A table of entries, and all of them by number.
pub(super) fn entries(basis: &Basis, caption: &str, rows: &[usize]) -> String {
    let head = [
        ("Entry", "at"),
        ("Time (UTC)", "time"),
        ("Who", ""),
        ("What", ""),
        ("Client", ""),
        ("Purpose and reason", "say"),
    ];
    let shown = rows.iter().take(SHOWN_MAX).map(|row| {
        let row = &basis.rows[*row];
        vec![
            place(basis, row),
            time(row),
            text(&row.who),
            what(basis, row),
            text(&row.clients.join(", ")),
            said(row),
        ]
    });
    let mut out = table(caption, "stack", &head, &shown.collect::<Vec<_>>());
    if rows.len() > SHOWN_MAX {
        let _ = writeln!(
            out,
            "<p>The first {SHOWN_MAX} of {} are shown; all are named below.</p>",
            rows.len()
        );
    }
    out + &refs(basis, rows)
}

/// A time that may be broken between day and hour.
pub(super) fn time(row: &Row) -> String {
    row.time.to_string().replace('T', " ").replace('Z', "")
}

/// What was done or asked for.
pub(super) fn what(basis: &Basis, row: &Row) -> String {
    let verb = match (&row.verb, row.kind) {
        (Some(verb), _) => verb.as_str(),
        (None, Some(kind)) => kind.name(),
        (None, None) => "a read, sealed",
    };
    let mut out = text(verb);
    match (&row.about, row.notes) {
        (Some(note), _) => drop(write!(out, " <code>{}</code>", &note.to_string()[..8])),
        (None, 0) => {}
        (None, notes) => drop(write!(out, ", {notes} notes")),
    }
    let level = row.level.and_then(|level| basis.levels.get(usize::from(level)));
    if let Some(level) = level {
        let _ = write!(out, ", {}", text(level));
    }
    if let Some(asked) = &row.asked {
        let _ = write!(out, ", asked for “{}”", text(asked));
    }
    match row.result {
        Outcome::Done => {}
        Outcome::Failed => out.push_str(", failed"),
        Outcome::Denied if row.rules.is_empty() => out.push_str(", denied"),
        Outcome::Denied => drop(write!(out, ", denied by {}", text(&row.rules.join(", ")))),
    }
    out
}

/// What for and why.
pub(super) fn said(row: &Row) -> String {
    let parts = [row.purpose.as_deref(), row.reason.as_deref()].map(|part| part.map(text));
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{basis, row};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn entries_that_follow_each_other_are_a_run() {
        let rows = [3, 4, 5, 9, 11, 12].map(|seq| row(seq, "mara", "show"));
        let basis = basis(rows.to_vec());
        let all: Vec<usize> = (0..6).collect();
        assert_eq!(
            refs(&basis, &all),
            "<p class=\"refs\"><b>Entries:</b> L1:3–5, 9, 11–12</p>\n"
        );
        assert_eq!(refs(&basis, &[]), "");
    }

    #[test]
    fn nothing_from_a_vault_is_markup() {
        assert_eq!(
            text("<img src=x onerror='a'>&\"\u{202e}\n"),
            "&lt;img src=x onerror=&#39;a&#39;&gt;&amp;&quot;\\u{202e}\\u{a}"
        );
    }

    proptest! {
        #[test]
        fn text_comes_back(said in "[ -~é山]{0,40}") {
            let html = text(&said);
            prop_assert!(!html.contains(['<', '>', '"', '\'']));
            prop_assert_eq!(plain(&html), Some(said));
        }
    }
}
