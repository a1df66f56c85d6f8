//! Portion marks: `(I)`, `(C)`, `(R)` at the front of a heading, a paragraph or a list item say
//! how far that part may travel.
//!
//! A heading's mark holds until the next heading of the same or a higher rank; a paragraph's own
//! mark wins; a list item is a portion of its own. Where a part bears no mark, it has the level of
//! the whole note, so that forgetting a mark never lowers anything. Marks are capitals: `(c)` is
//! the third of a list.

use crate::label::Level;
use std::ops::Range;

/// A part of a note with one level.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Portion {
    /// Its own mark, or that of the heading above it; `None` where neither is marked.
    pub level: Option<Level>,
    /// A mark it may not fall below: that of the paragraph whose list it continues.
    pub at_least: Option<Level>,
    /// Where it stands, in bytes of the note, mark and line end included.
    pub range: Range<usize>,
    /// Where its mark stands, with the space behind it; empty without one.
    pub mark: Range<usize>,
}

impl Portion {
    /// Its level in a note of the level `unmarked`.
    pub fn level_in(&self, unmarked: Level) -> Level {
        let own = self.level.unwrap_or(unmarked);
        self.at_least.map_or(own, |least| own.max(least))
    }
}

/// The portions of a note, in order; together they are the whole note.
pub fn portions(text: &str) -> Vec<Portion> {
    let mut found: Vec<Portion> = Vec::new();
    // The marks of the headings above, by rank.
    let mut above: Vec<(usize, Option<Level>)> = Vec::new();
    let mut lead: Option<Level> = None;
    let mut fresh = true;
    let mut fenced = false;
    for range in lines(text) {
        let line = &text[range.clone()];
        let body = line.trim_end();
        let fence = body.trim_start().starts_with("```");
        if body.is_empty() && !fenced {
            extend(&mut found, range);
            fresh = true;
            continue;
        }
        let rank = heading_rank(body);
        let item = is_item(body);
        let (own, mark) = mark_of(body);
        if fenced {
            // INVARIANT (a fence lowers nothing): it may have been left open by mistake. A mark in one holds as a
            // lower bound, and never lets out what stands around it.
            match (own, found.last()) {
                (Some(own), Some(last)) if own > last.level_in(Level::Public) => {
                    let (level, least) = (last.level, last.at_least.max(Some(own)));
                    push(&mut found, level, least, &range, &(0..0));
                }
                _ => extend(&mut found, range),
            }
        } else if rank > 0 {
            above.retain(|(over, _)| *over < rank);
            let level = own.or_else(|| nearest(&above));
            above.push((rank, own));
            lead = None;
            push(&mut found, level, None, &range, &mark);
            // What follows a heading without an empty line is not its portion.
            fresh = true;
        } else if fresh || own.is_some() || item {
            if fresh || !item {
                lead = own;
            }
            let least = if item && own.is_none() && !fresh { lead } else { None };
            push(&mut found, own.or_else(|| nearest(&above)), least, &range, &mark);
            fresh = false;
        } else {
            extend(&mut found, range);
        }
        fenced ^= fence;
    }
    // INVARIANT (a mark is never overlooked): one in the middle of a portion was meant to begin another. Where it ends
    // nobody said, so the whole portion has at least its level.
    for portion in &mut found {
        let inside = marks_inside(&text[portion.mark.end..portion.range.end]);
        portion.at_least = portion.at_least.max(inside);
    }
    found
}

/// The highest mark that stands anywhere in a text.
fn marks_inside(text: &str) -> Option<Level> {
    let mark = |(at, _): (usize, &str)| {
        let inner = text[at..].strip_prefix('(')?;
        let letter = inner.chars().next().filter(char::is_ascii_uppercase)?;
        inner[1..]
            .starts_with(')')
            .then(|| Level::from_portion_mark(letter))
            .flatten()
    };
    text.match_indices('(').filter_map(mark).max()
}

/// A note without what lies above the audience, marks taken off, and how many portions with
/// words in them were left out. A part without a mark has the level `unmarked`.
pub fn keep_up_to(text: &str, audience: Level, unmarked: Level) -> (String, usize) {
    let mut kept = String::with_capacity(text.len());
    let mut left_out = 0;
    for portion in portions(text) {
        if portion.level_in(unmarked) <= audience {
            kept.push_str(&text[portion.range.start..portion.mark.start]);
            kept.push_str(&text[portion.mark.end..portion.range.end]);
        } else if !text[portion.range].trim().is_empty() {
            left_out += 1;
        }
    }
    (kept, left_out)
}

fn push(
    found: &mut Vec<Portion>,
    level: Option<Level>,
    at_least: Option<Level>,
    line: &Range<usize>,
    mark: &Range<usize>,
) {
    found.push(Portion {
        level,
        at_least,
        range: line.clone(),
        mark: line.start + mark.start..line.start + mark.end,
    });
}

/// Adds a line to the portion before it.
fn extend(found: &mut Vec<Portion>, line: Range<usize>) {
    match found.last_mut() {
        Some(last) => last.range.end = line.end,
        None => push(found, None, None, &line, &(0..0)),
    }
}

fn nearest(above: &[(usize, Option<Level>)]) -> Option<Level> {
    above.iter().rev().find_map(|(_, level)| *level)
}

/// The lines as a person sees them: Unicode's other line ends count, so that nobody's mark stands unseen in the
/// middle of a line.
fn lines(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let ends = |c| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
        let end = rest.find(ends).map_or(rest.len(), |at| match &rest[at..] {
            tail if tail.starts_with("\r\n") => at + 2,
            tail => at + tail.chars().next().map_or(0, char::len_utf8),
        });
        let range = start..start + end;
        start = range.end;
        Some(range)
    })
}

/// The number of `#` of a heading; 0 for any other line.
fn heading_rank(line: &str) -> usize {
    let rank = line.bytes().take_while(|&b| b == b'#').count();
    let spaced = line[rank..].starts_with([' ', '\t']);
    if (1..=6).contains(&rank) && spaced { rank } else { 0 }
}

fn is_item(line: &str) -> bool {
    item_marker(line) > 0
}

/// The bytes before the words of a list item: indent, bullet or number, space; 0 if it is none.
fn item_marker(line: &str) -> usize {
    let indent = line.len() - line.trim_start().len();
    let rest = &line[indent..];
    let digits = rest.bytes().take(4).take_while(u8::is_ascii_digit).count();
    let bullet = match rest.as_bytes() {
        [b'-' | b'*' | b'+', ..] => 1,
        bytes if digits > 0 && matches!(bytes.get(digits), Some(b'.' | b')')) => digits + 1,
        _ => return 0,
    };
    let gap = rest[bullet..].len() - rest[bullet..].trim_start().len();
    if gap == 0 { 0 } else { indent + bullet + gap }
}

/// The mark at the front of a line, and where it stands in it with the space behind.
fn mark_of(line: &str) -> (Option<Level>, Range<usize>) {
    let start = match (heading_rank(line), item_marker(line)) {
        (0, 0) => line.len() - line.trim_start_matches(['>', ' ', '\t', '*', '_']).len(),
        (0, marker) => marker,
        (rank, _) => rank + line[rank..].len() - line[rank..].trim_start().len(),
    };
    let mut chars = line[start..].chars();
    if let (Some('('), Some(letter), Some(')')) = (chars.next(), chars.next(), chars.next())
        && letter.is_ascii_uppercase()
        && chars.next().is_none_or(|c| !c.is_alphanumeric())
        && let Some(level) = Level::from_portion_mark(letter)
    {
        let behind = &line[start + 3..];
        let gap = behind.len() - behind.trim_start_matches([' ', '\t']).len();
        return (Some(level), start..start + 3 + gap);
    }
    (None, 0..0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn kept(text: &str, audience: Level, unmarked: Level) -> (String, usize) {
        keep_up_to(text, audience, unmarked)
    }

    #[test]
    fn a_mark_inside_a_portion_raises_all_of_it() {
        let text = "(I) gate shut. (R) his wife is leaving him.\n\n(I) lock up";
        assert_eq!(
            keep_up_to(text, Level::Internal, Level::Restricted),
            ("lock up".to_owned(), 1)
        );
        let lower = "(C) plan (I) of three";
        assert_eq!(keep_up_to(lower, Level::Internal, Level::Restricted).1, 1);
        assert_eq!(
            keep_up_to("(I) see (a) and (b) (X)", Level::Internal, Level::Restricted).1,
            0
        );
    }

    #[test]
    fn a_paragraphs_mark_is_its_own() {
        let note = "(I) Do this.\n\n(R) Because of that.\nAnd more of that.\n\nUnmarked.\n";
        assert_eq!(
            kept(note, Level::Internal, Level::Confidential),
            ("Do this.\n\n".into(), 2)
        );
        assert_eq!(
            kept(note, Level::Confidential, Level::Confidential),
            ("Do this.\n\nUnmarked.\n".into(), 1)
        );
        assert_eq!(kept(note, Level::Restricted, Level::Confidential).1, 0);
    }

    #[test]
    fn a_headings_mark_holds_for_its_section() {
        let note = "# (R) Background\nOne.\n\n## Detail\nTwo.\n\n(I) Three.\n\n# To do\nFour.\n";
        assert_eq!(
            kept(note, Level::Internal, Level::Internal),
            ("Three.\n\n# To do\nFour.\n".into(), 4)
        );
    }

    #[test]
    fn list_items_have_their_own_marks() {
        let note = "(R) Reasons:\n- one\n- (I) two\n- three\n\n- four\n";
        assert_eq!(
            kept(note, Level::Internal, Level::Internal),
            ("- two\n- four\n".into(), 3)
        );
    }

    #[test]
    fn what_is_no_mark_marks_nothing() {
        for text in ["(c) third", "(RX) x", "x (R) y", "(R)x", "(Z) z"] {
            assert_eq!(portions(text)[0].level, None, "{text}");
        }
        for text in ["(R) x", "> (R) x", "**(R)** x", "12) (R) x", "### (R) x", "(R)"] {
            assert_eq!(portions(text)[0].level, Some(Level::Restricted), "{text}");
        }
    }

    #[test]
    fn a_mark_in_a_fence_never_lowers_what_is_in_it() {
        assert_eq!(portions("```\n(P) x\n\n# y\n```\n").len(), 1);
        assert_eq!(kept("```\n(I) x\n```\n", Level::Internal, Level::Restricted).0, "");
    }

    #[test]
    fn a_fence_left_open_lets_no_marked_paragraph_out() {
        for note in [
            "(I) See\n```\nlog\n\n(R) Who it was.\n",
            "(I) See ```log\n```\n(R) Who it was.\n\nAnd why.\n",
        ] {
            let (text, left_out) = kept(note, Level::Internal, Level::Restricted);
            assert!(!text.contains("Who") && !text.contains("why"), "{text}");
            assert_eq!(left_out, 1);
        }
    }

    #[test]
    fn a_mark_counts_after_any_line_end() {
        for end in ["\n", "\r\n", "\r", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}"] {
            let note = format!("(I) Do this{end}and that.{end}{end}(R) Who it was.{end}");
            assert_eq!(
                kept(&note, Level::Internal, Level::Restricted).0,
                format!("Do this{end}and that.{end}{end}")
            );
            let close = format!("(I) Do this.{end}(R) Who it was.{end}");
            assert_eq!(
                kept(&close, Level::Internal, Level::Restricted).0,
                format!("Do this.{end}")
            );
        }
    }

    proptest! {
        #[test]
        fn portions_are_the_whole_note(text in "([#]{0,3} ?\\(?[A-Zi]?\\)? ?[a-zé`-]{0,4}\n?\n?){0,12}") {
            let all = portions(&text);
            prop_assert!(all.windows(2).all(|pair| pair[0].range.end == pair[1].range.start));
            prop_assert_eq!(all.first().map_or(0, |p| p.range.start), 0);
            prop_assert_eq!(all.last().map_or(0, |p| p.range.end), text.len());
        }

        #[test]
        fn nothing_above_the_audience_stays(level in 0u8..5, audience in 0u8..5, unmarked in 0u8..5) {
            let (level, audience) = (Level::from_number(level).unwrap(), Level::from_number(audience).unwrap());
            let unmarked = Level::from_number(unmarked).unwrap();
            let mark = &level.name()[..1].to_uppercase();
            let (kept, _) = keep_up_to(&format!("open\n\n({mark}) secret\nmore"), audience, unmarked);
            prop_assert_eq!(kept.contains("secret"), level <= audience);
            prop_assert_eq!(kept.contains("more"), level <= audience);
            prop_assert_eq!(kept.contains("open"), unmarked <= audience);
        }
    }
}
