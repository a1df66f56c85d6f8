//! Two texts beside each other, or one above the other where the terminal is narrow.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The fewest columns in which two texts can be read beside each other.
const WIDE: usize = 72;

/// A text with what was replaced in brackets: from which code point to before which.
pub(super) fn marked(text: &str, spans: &[(usize, usize)]) -> String {
    let mut marked = String::with_capacity(text.len() + 2 * spans.len());
    let mut spans = spans.iter().peekable();
    for (at, c) in text.chars().enumerate() {
        if spans.peek().is_some_and(|(_, end)| *end == at) {
            marked.push(']');
            spans.next();
        }
        if spans.peek().is_some_and(|(start, _)| *start == at) {
            marked.push('[');
        }
        marked.push(c);
    }
    if spans.peek().is_some() {
        marked.push(']');
    }
    marked
}

/// Two texts under their names, line beside line as far as they have the same lines.
pub(super) fn beside(left: (&str, &str), right: (&str, &str), width: usize) -> String {
    if width < WIDE {
        let part = |(name, text): (&str, &str)| {
            let text = wrapped(text.trim_end(), width.max(1)).join("\n");
            format!("{}\n{text}\n", underlined(name, name.width()))
        };
        return format!("{}\n{}", part(left), part(right));
    }
    let column = (width - 3) / 2;
    let mut out = String::new();
    let mut rows = |left: &str, right: &str| {
        let (left, right) = (wrapped(left, column), wrapped(right, column));
        for at in 0..left.len().max(right.len()) {
            let cell = |lines: &[String]| lines.get(at).cloned().unwrap_or_default();
            let (left, right) = (cell(&left), cell(&right));
            let gap = " ".repeat(column.saturating_sub(left.width()));
            out.push_str(format!("{left}{gap} | {right}").trim_end());
            out.push('\n');
        }
    };
    rows(left.0, right.0);
    rows(&"-".repeat(column), &"-".repeat(column));
    let same = |by: &'static str| {
        let (lefts, rights): (Vec<&str>, Vec<&str>) = (left.1.split(by).collect(), right.1.split(by).collect());
        (lefts.len() == rights.len()).then_some((lefts, rights))
    };
    match same("\n") {
        Some((lefts, rights)) => lefts.iter().zip(&rights).for_each(|(left, right)| rows(left, right)),
        // What was replaced went over the end of a line.
        None => rows(left.1, right.1),
    }
    out
}

fn underlined(name: &str, width: usize) -> String {
    format!("{name}\n{}", "-".repeat(width))
}

/// A text in lines of at most `width` columns, broken between words where that can be done.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for line in text.split('\n') {
        let mut current = String::new();
        for word in line.split(' ') {
            if !current.is_empty() && current.width() + 1 + word.width() > width {
                lines.push(std::mem::take(&mut current));
            } else if !current.is_empty() {
                current.push(' ');
            }
            for c in word.chars() {
                if current.width() + c.width().unwrap_or(0) > width {
                    lines.push(std::mem::take(&mut current));
                }
                current.push(c);
            }
        }
        lines.push(current);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_replaced_stands_in_brackets() {
        assert_eq!(marked("é Azra left AB1", &[(2, 6), (12, 15)]), "é [Azra] left [AB1]");
        assert_eq!(marked("Azra", &[]), "Azra");
    }

    #[test]
    fn two_texts_stand_beside_each_other_where_there_is_room() {
        let (left, right) = (
            "[Azra] keeps the side door of the yard locked\nuntil Friday",
            "Person A keeps the side door of the yard locked\nuntil Friday",
        );
        let wide = beside(("notes", left), ("brief", right), 72);
        let column = "-".repeat(34);
        assert_eq!(
            wide,
            format!(
                "notes                              | brief\n{column} | {column}\n[Azra] keeps the side door of the  | Person A keeps the side door of\n\
                 yard locked                        | the yard locked\nuntil Friday                       | until Friday\n"
            )
        );
        assert!(wide.lines().all(|line| line.width() <= 72));
        let narrow = beside(("notes", left), ("brief", right), 40);
        let [left, right] = [left, right].map(|text| text.replace(" locked", "\nlocked"));
        assert_eq!(narrow, format!("notes\n-----\n{left}\n\nbrief\n-----\n{right}\n"));
    }
}
