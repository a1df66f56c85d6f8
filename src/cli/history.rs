//! `history`: the revisions of a note, and what changed between them.

use super::called;
use super::out;
use super::terminal::Seen;
use super::words::local;
use crate::app::shared::Time;
use crate::app::{Context, Error, RevisionLine, Shown};
use serde_json::{Value, json};
use similar::{Algorithm, ChangeTag, TextDiff};
use std::time::Duration;
use zeroize::Zeroizing;

/// How many unchanged lines stand around a change.
const AROUND: usize = 3;
/// Texts that have little in common are compared less finely after this time.
const PATIENCE: Duration = Duration::from_secs(2);
/// How much of a digest is shown.
const SHORT_DIGEST: usize = 8;

/// `history`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, id: &str, diff: Option<&str>) -> Result<u8, Error> {
    let id = &*called::id_of(context, seen, id)?;
    match diff {
        None => list(seen, &crate::app::history(context, id)?),
        Some(which) => {
            let (older, newer) = crate::app::compare(context, id, which)?;
            compared(seen, older.as_ref(), &newer)
        }
    }
}

fn list(seen: &Seen<'_>, lines: &[RevisionLine]) -> Result<u8, Error> {
    if seen.json {
        let line = |line: &RevisionLine| {
            json!({
                "revision": line.number,
                "digest": line.digest.to_string(),
                "modified": Time::from_unix(line.modified).to_string(),
                "author": line.author,
                "label": line.label,
                "head": line.head,
                "follows": line.follows.iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        };
        seen.json(&json!(lines.iter().map(line).collect::<Vec<_>>()))?;
        return Ok(0);
    }
    let (head, rows) = table(lines);
    seen.table(&head, rows)?;
    if lines.iter().filter(|line| line.head).count() > 1 {
        let heads: Vec<String> = lines
            .iter()
            .filter(|line| line.head)
            .map(|line| line.number.to_string())
            .collect();
        seen.remark(&format!("heads, revised side by side: {}", heads.join(", ")));
    }
    Ok(0)
}

/// Revisions as a table: its head and its rows.
pub(super) fn table(lines: &[RevisionLine]) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let row = |line: &RevisionLine| {
        vec![
            line.number.to_string(),
            line.digest.to_string()[..SHORT_DIGEST].to_owned(),
            local(Time::from_unix(line.modified)),
            out::one_line(&line.author),
            out::one_line(&line.label),
        ]
    };
    let head = vec!["revision", "digest", "written", "by", "label"];
    (head, lines.iter().map(row).collect())
}

/// What stands beside the text, a name and a value each.
fn beside(shown: &Shown) -> Vec<(String, String)> {
    let metadata = &shown.note.metadata;
    let happened = metadata.happened.map(|at| Time::from_unix(at).to_string());
    let mut all = vec![
        ("title".to_owned(), metadata.title.clone()),
        ("client".to_owned(), metadata.client.clone()),
        ("case".to_owned(), metadata.case.clone()),
        ("happened".to_owned(), happened.unwrap_or_default()),
        ("label".to_owned(), shown.label.clone()),
    ];
    let fields = metadata.fields.iter();
    all.extend(fields.map(|(name, value)| (format!("field {name}"), value.clone())));
    all
}

/// Name, old and new value of everything beside the text that differs; empty for what was not there.
fn changes_beside(older: Option<&Shown>, newer: &Shown) -> Vec<(String, String, String)> {
    let (old, new) = (older.map(beside).unwrap_or_default(), beside(newer));
    let mut names: Vec<&String> = new.iter().chain(&old).map(|(name, _)| name).collect();
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(*name));
    let value = |all: &[(String, String)], name: &str| {
        let found = all.iter().find(|(found, _)| found == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let change = |name: &String| (name.clone(), value(&old, name), value(&new, name));
    names
        .into_iter()
        .map(change)
        .filter(|(_, old, new)| old != new)
        .collect()
}

fn compared(seen: &Seen<'_>, older: Option<&Shown>, newer: &Shown) -> Result<u8, Error> {
    let changes = changes_beside(older, newer);
    let old = ended(older.map_or("", |older| older.note.text()));
    let new = ended(newer.note.text());
    let lines = TextDiff::configure()
        .algorithm(Algorithm::Myers)
        .timeout(PATIENCE)
        .diff_lines(old.as_str(), new.as_str());
    let number = |shown: &Shown| shown.note.metadata.number;
    if seen.json {
        let line = |change: similar::Change<&str>| {
            let sign = match change.tag() {
                ChangeTag::Equal => " ",
                ChangeTag::Delete => "-",
                ChangeTag::Insert => "+",
            };
            json!({ "change": sign, "text": change.value() })
        };
        let beside = |(name, old, new): &(String, String, String)| json!({ "what": name, "from": old, "to": new });
        let lines: Vec<Value> = lines.iter_all_changes().map(line).collect();
        seen.json_of_text(json!({
            "id": newer.note.note.to_string(),
            "from": older.map(number),
            "to": number(newer),
            "beside": changes.iter().map(beside).collect::<Vec<_>>(),
            "lines": lines,
        }))?;
        return Ok(0);
    }
    let from = older.map_or_else(|| "nothing".to_owned(), |older| format!("revision {}", number(older)));
    let mut head = Zeroizing::new(format!("{from} → revision {}\n", number(newer)));
    for (name, old, new) in &changes {
        for (sign, value) in [('-', old), ('+', new)] {
            if !value.is_empty() {
                head.push_str(&format!("{sign} {}: {}\n", out::one_line(name), out::one_line(value)));
            }
        }
    }
    let hunks = hunks(&lines);
    if !hunks.is_empty() {
        head.push('\n');
    }
    seen.result(&head)?;
    seen.result(&hunks)?;
    if changes.is_empty() && hunks.is_empty() {
        seen.remark("nothing differs");
    }
    Ok(0)
}

/// A text whose last line is ended: whether it was does not matter to a reader.
fn ended(text: &str) -> Zeroizing<String> {
    let mut all = Zeroizing::new(String::with_capacity(text.len() + 1));
    all.push_str(text);
    if !text.is_empty() && !text.ends_with('\n') {
        all.push('\n');
    }
    all
}

/// The changed lines with some around them; where lines are left out stands `…`.
fn hunks(lines: &TextDiff<'_, '_, '_, str>) -> Zeroizing<String> {
    let mut pieces = Vec::new();
    for group in lines.grouped_ops(AROUND) {
        if group.first().is_some_and(|first| first.new_range().start > 0) {
            pieces.push(Zeroizing::new("…\n".to_owned()));
        }
        for change in group.iter().flat_map(|op| lines.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            let line = Zeroizing::new(out::plain(change.value()));
            let mut piece = Zeroizing::new(String::with_capacity(line.len() + 3));
            piece.extend([sign, ' ']);
            piece.push_str(line.strip_suffix('\n').unwrap_or(&line));
            piece.push('\n');
            pieces.push(piece);
        }
    }
    // A text that grew would leave behind what it held.
    let mut text = Zeroizing::new(String::with_capacity(pieces.iter().map(|piece| piece.len()).sum()));
    pieces.iter().for_each(|piece| text.push_str(piece));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_stand_with_some_around_them() {
        let old: Vec<String> = (1..=20).map(|n| format!("line {n}\n")).collect();
        let mut new = old.clone();
        new[9] = "another\u{1b}[2J\n".to_owned();
        let (old, new) = (old.concat(), new.concat());
        let lines = TextDiff::from_lines(old.as_str(), new.as_str());
        let shown = "…\n  line 7\n  line 8\n  line 9\n- line 10\n+ another<U+1B>[2J\n  line 11\n  line 12\n  line 13\n";
        let text = hunks(&lines);
        assert_eq!((text.as_str(), text.capacity()), (shown, shown.len()));
        assert_eq!(*hunks(&TextDiff::from_lines("same", "same")), "");
    }
}
