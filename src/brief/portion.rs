//! Portion marks: `(I)`, `(C)`, `(R)` at the front of a heading, a paragraph or a list item say
//! how far that part may travel.
//!
//! A heading's mark holds until the next heading of the same or a higher rank; a paragraph's own
//! mark wins; a list item is a portion of its own. Where a part bears no mark, it has the level of
//! the whole note, so that forgetting a mark never lowers anything. Marks are capitals: `(c)` is
//! the third of a list.
//!
//! Only a mark that is written like this lowers anything. What may have been meant as one raises: `[R]`, `(r)`, `®`,
//! `(R/NF)` or `(RESTRICTED)` at the front, a mark elsewhere in a heading, and one of a heading that is indented, quoted
//! or underlined. Where it does not say how far a part may travel, as `(SECRET)`, that has the level of the whole note.
//! A list has at least the mark of the paragraph before it, also behind an empty line, and what is indented that of what
//! it stands under. Where a fence may or may not have ended, nothing is lowered.

use super::prepared::Prepared;
use crate::label::Level;
use std::borrow::Cow;
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
    let mut cutter = Cutter {
        fresh: true,
        ..Cutter::default()
    };
    for (range, fence) in lines(text).zip(fences(text)) {
        cutter.take(text, range, fence);
    }
    // INVARIANT (a mark is never overlooked): one in the middle of a portion was meant to begin another. Where it ends
    // nobody said, so the whole portion has at least its level, and so have those that may be of one fence with it.
    let inside = |portion: &Portion| marks_inside(&folded(&text[portion.mark.end..portion.range.end]));
    let mut inside: Vec<Option<Level>> = cutter.found.iter().map(inside).collect();
    for &at in &cutter.doubtful {
        inside[at] = inside[at].max(inside[at - 1]);
    }
    for &at in cutter.doubtful.iter().rev() {
        inside[at - 1] = inside[at - 1].max(inside[at]);
    }
    for (portion, inside) in cutter.found.iter_mut().zip(inside) {
        portion.at_least = portion.at_least.max(inside);
    }
    cutter.found
}

/// The level of a part and what it may not fall below, both before the level of the note is known.
#[derive(Clone, Copy, Default)]
struct Standing {
    level: Option<Level>,
    at_least: Option<Level>,
}

impl Standing {
    fn of(portion: &Portion) -> Self {
        Self {
            level: portion.level,
            at_least: portion.at_least,
        }
    }

    fn least(self) -> Option<Level> {
        self.level.max(self.at_least)
    }

    fn raised(self, to: Option<Level>) -> Self {
        let at_least = self.at_least.max(to);
        Self { at_least, ..self }
    }

    /// The higher of two: where one has the level of the note, and is not below the other.
    fn or_higher(self, other: Self) -> Self {
        match (self.level, other.level) {
            (Some(_), Some(_)) => self.raised(other.least()),
            _ => Self {
                level: None,
                at_least: self.least().max(other.least()),
            },
        }
    }
}

/// What the front of a line, or a heading, says as a mark.
#[derive(Clone, Copy, Default)]
struct Said {
    /// A mark as it is written; it may lower.
    own: Option<Level>,
    /// What may have been meant as one; it raises.
    meant: Option<Level>,
    /// Something stands where a mark does, and no level is known for it.
    unclear: bool,
}

impl Said {
    fn under(self, over: Standing) -> Standing {
        let level = self.own;
        let standing = match (level, self.unclear) {
            (Some(_), _) => Standing { level, at_least: None },
            (None, true) => over.or_higher(Standing::default()),
            (None, false) => over,
        };
        standing.raised(self.meant)
    }

    /// The same where nothing may lower.
    fn in_doubt(self) -> Self {
        Self {
            own: None,
            meant: self.meant.max(self.own),
            ..self
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            own: self.own,
            meant: self.meant.max(other.meant),
            unclear: self.unclear || other.unclear,
        }
    }

    /// What is said by marks anywhere in a text.
    fn inside(text: &str) -> Self {
        Self {
            meant: marks_inside(text),
            ..Self::default()
        }
    }

    fn is_silent(self) -> bool {
        self.own.max(self.meant).is_none() && !self.unclear
    }
}

/// A heading above.
struct Heading {
    rank: usize,
    form: Form,
    said: Said,
}

/// How a heading is written. Only a plain one ends those of other forms, and only its mark lowers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Indented,
    Quoted,
    /// Without a space behind its `#`.
    Tight,
    Underlined,
    /// In what may be a fence.
    Doubtful,
}

#[derive(Default)]
struct Cutter {
    found: Vec<Portion>,
    above: Vec<Heading>,
    /// What the first item of a list says, or the paragraph close above it.
    first: Said,
    /// What the paragraph before a list says, close above it or not.
    lead: Said,
    /// What those say that other lines may be indented under, with their own indents, each deeper than the one before.
    under: Vec<(usize, Said)>,
    /// Which portions may stand in a fence with the one before.
    doubtful: Vec<usize>,
    /// The last letter that counts a list, as `(b)`.
    letter: Option<char>,
    /// Whether the next line begins a portion in any case.
    fresh: bool,
    /// The indent of the list item under way, if it is one.
    item: Option<usize>,
    /// Whether the portion under way was underlined.
    drawn: bool,
}

impl Cutter {
    fn take(&mut self, text: &str, range: Range<usize>, fence: Fence) {
        let body = text[range.clone()].trim_end();
        if body.is_empty() && fence != Fence::Inside {
            extend(&mut self.found, range);
            self.fresh = true;
            return;
        }
        let heading = heading_of(body);
        let (own, mark) = mark_of(body);
        let words = folded(&body[mark.end.max(item_marker(body))..]);
        let mut said = match own {
            Some(_) => Said::default(),
            None => self.said_at_front(&words),
        };
        said.own = own;
        if heading.is_some() {
            said.meant = said.meant.max(meant_in_heading(&words));
        }
        if fence == Fence::Inside {
            self.take_fenced(range, said);
            return;
        }
        let heading = match (heading, fence) {
            (Some((rank, Form::Plain)), Fence::Outside) => {
                self.head(rank, Form::Plain, said);
                (self.first, self.lead, self.fresh) = (Said::default(), Said::default(), true);
                self.under.clear();
                // What follows a heading without an empty line is not its portion.
                let standing = self.standing(usize::MAX);
                push(&mut self.found, standing, &range, &mark);
                return;
            }
            (Some((rank, Form::Plain)), _) => {
                // It may end what those above say.
                let over = self.standing(rank);
                said = said.and(Said {
                    own: None,
                    meant: over.least(),
                    unclear: over.level.is_none(),
                });
                Some((rank, Form::Doubtful))
            }
            _ => heading,
        };
        if fence == Fence::Perhaps {
            said = said.in_doubt();
        }
        let item = is_item(body);
        let doubtful = heading.is_some_and(|(_, form)| form == Form::Doubtful);
        if self.fresh || said.own.is_some() || item || doubtful {
            self.begin(text, range, fence, said, (&mark, &words));
        } else {
            // As with a mark in the middle: the whole portion.
            self.raise(range, said);
            let said = said.and(Said::inside(&words));
            match self.item {
                Some(indent) => self.put_over(indent, said),
                None => self.lead = self.lead.and(said),
            }
            self.underline(text, body);
        }
        if let Some((rank, form)) = heading {
            self.head(rank, form, said.in_doubt());
        }
    }

    /// A line in a fence.
    ///
    /// INVARIANT (a fence lowers nothing): it may have been left open by mistake. A mark in one holds as a
    /// lower bound, and never lets out what stands around it.
    fn take_fenced(&mut self, range: Range<usize>, said: Said) {
        match self.found.last().map(Standing::of) {
            Some(last) if said.own > last.least().max(Some(Level::Public)) => {
                push(&mut self.found, last.raised(said.own), &range, &(0..0));
            }
            _ => self.raise(range, said),
        }
    }

    /// Adds a line to the portion under way, and what it may say as a mark to all of it.
    fn raise(&mut self, range: Range<usize>, said: Said) {
        extend(&mut self.found, range);
        if let Some(last) = self.found.last_mut() {
            let raised = Said { own: None, ..said }.under(Standing::of(last));
            (last.level, last.at_least) = (raised.level, raised.at_least);
        }
    }

    /// Begins a paragraph or a list item.
    fn begin(
        &mut self,
        text: &str,
        range: Range<usize>,
        fence: Fence,
        said: Said,
        (mark, words): (&Range<usize>, &str),
    ) {
        let body = text[range.clone()].trim_end();
        let (item, listed) = (is_item(body), is_listed(body));
        let indent = body.len() - body.trim_start().len();
        self.under.retain(|(over, _)| *over < indent);
        // What a paragraph that ends in a colon leads to is as much of it as a list is.
        let last = self.found.last().map_or("", |last| &text[last.range.clone()]);
        let led = listed || last.trim_end().trim_end_matches(['*', '_']).ends_with([':', '：']);
        let mut standing = said.under(self.standing(usize::MAX));
        if said.own.is_none() {
            let close = Some(self.first).filter(|_| item && !self.fresh);
            let lead = Some(self.lead).filter(|_| led);
            let under = self.under.iter().map(|(_, said)| *said);
            standing = close
                .into_iter()
                .chain(lead)
                .chain(under)
                .fold(standing, |over, said| said.under(over));
        }
        if let (Fence::Perhaps, Some(last)) = (fence, self.found.last()) {
            standing = standing.or_higher(Standing::of(last));
            self.doubtful.push(self.found.len());
        }
        let said = said.in_doubt().and(Said::inside(words));
        if self.fresh || !item {
            self.first = said;
        }
        match (listed, item) {
            (false, _) if !led || !said.is_silent() => self.lead = said,
            (true, false) => self.lead = self.lead.and(said),
            _ => {}
        }
        self.put_over(indent, said);
        push(&mut self.found, standing, &range, mark);
        (self.fresh, self.item, self.drawn) = (false, item.then_some(indent), false);
    }

    /// What is indented deeper than this is to be under what is said here. What is said at one indent is held as one, which
    /// raises as much as each of it would: each item would go through all the marks that somebody put before it.
    fn put_over(&mut self, indent: usize, said: Said) {
        match self.under.last_mut() {
            _ if said.is_silent() => {}
            Some((last, known)) if *last == indent => *known = known.and(said),
            _ => self.under.push((indent, said)),
        }
    }

    /// What stands under the headings above of less than this rank has this, where it says nothing itself.
    fn standing(&self, rank: usize) -> Standing {
        let over = self.above.iter().filter(|over| over.rank < rank);
        over.fold(Standing::default(), |over, heading| heading.said.under(over))
    }

    fn head(&mut self, rank: usize, form: Form, said: Said) {
        let ends = |over: &Heading| over.rank >= rank && (form == Form::Plain || over.form == form);
        self.above.retain(|over| !ends(over));
        self.above.push(Heading { rank, form, said });
    }

    /// Makes a paragraph a heading if this line is drawn under it. It may be a mere rule too.
    fn underline(&mut self, text: &str, line: &str) {
        let drawn = line.trim_start_matches(['>', ' ', '\t']);
        let Some(sign @ ('=' | '-')) = drawn.chars().next() else {
            return;
        };
        let drawn = !self.drawn && self.item.is_none() && drawn.chars().all(|c| c == sign);
        let Some(last) = self.found.last().filter(|_| drawn) else {
            return;
        };
        self.drawn = true;
        let meant = meant_in_heading(&folded(&text[last.mark.end..last.range.end])).max(last.at_least);
        let said = self.lead.and(Said {
            meant,
            ..Said::default()
        });
        self.head(if sign == '=' { 1 } else { 2 }, Form::Underlined, said);
    }

    /// What stands at the front of words and may be a mark.
    fn said_at_front(&mut self, words: &str) -> Said {
        let front = words.trim_start_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '(' | '[' | '®' | '©'));
        let before = self.letter;
        let meant = match front.chars().next() {
            Some('®') => Some(Level::Restricted),
            Some('©') => Some(Level::Confidential),
            _ => None,
        };
        let Some(inner) = brackets(front).next().filter(|_| front.starts_with(['(', '['])) else {
            return Said {
                meant,
                ..Said::default()
            };
        };
        let mut said = read(inner);
        said.unclear &= front.starts_with('(');
        if let (Some(letter @ 'a'..='z'), true) = (inner.chars().next(), inner.len() == 1) {
            self.letter = Some(letter);
            // The third of a list comes behind the second.
            if before.is_some_and(|before| u32::from(before) + 1 == u32::from(letter)) {
                return Said::default();
            }
        }
        said
    }
}

/// What something in brackets may be meant to say as a mark.
fn read(inner: &str) -> Said {
    let words = || {
        inner
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
    };
    let Some(first) = words().next() else {
        return Said::default();
    };
    let (alone, shouted) = (words().count() == 1, !inner.contains(char::is_lowercase));
    let capital = first.starts_with(char::is_uppercase);
    // Words in brackets are words, and `(R. Hask)` is somebody.
    let initial = first.len() == 1 && inner.trim_start().get(1..).is_some_and(|rest| rest.starts_with('.'));
    if !alone && (!capital || initial && !shouted) {
        return Said::default();
    }
    let counted = if shouted { words().count() } else { 1 };
    let meant = words().take(counted).filter_map(level_of).max();
    Said {
        own: None,
        meant,
        unclear: capital && (alone || shouted) && !(alone && meant.is_some()),
    }
}

/// The level of which a word is the letter, with or without a figure, or the shipped name.
fn level_of(word: &str) -> Option<Level> {
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let mut letters = word.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Level::from_portion_mark(letter),
        _ => Level::ALL
            .into_iter()
            .find(|level| level.name().eq_ignore_ascii_case(word)),
    }
}

/// The highest of all that may be a mark in a heading.
fn meant_in_heading(words: &str) -> Option<Level> {
    let signs = [('®', Level::Restricted), ('©', Level::Confidential)];
    let signs = signs
        .into_iter()
        .filter(|(sign, _)| words.contains(*sign))
        .map(|(_, level)| level);
    brackets(words).filter_map(|inner| read(inner).meant).chain(signs).max()
}

/// The highest mark that stands anywhere in a text: `(R)`, `[R]`, `(R/NF)`, `(RESTRICTED)`.
fn marks_inside(text: &str) -> Option<Level> {
    let mark = |inner: &str| {
        let word = inner.split('/').next()?.trim_matches([' ', '\\', '*', '_']);
        let shouted = !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase());
        level_of(word).filter(|_| shouted)
    };
    brackets(text).filter_map(mark).max()
}

/// What stands in round or square brackets, as far as no others begin in it.
fn brackets(text: &str) -> impl Iterator<Item = &str> {
    let pieces = text.split(['(', '[']).skip(1);
    pieces.filter_map(|piece| piece.split_once([')', ']']).map(|(inner, _)| inner))
}

/// A text as far as it can look like another: `（R）` is `(R)`.
fn folded(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    // What hides something is refused where a brief is made.
    Prepared::of_any_length(text).map_or(Cow::Borrowed(text), |prepared| Cow::Owned(prepared.folded))
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

fn push(found: &mut Vec<Portion>, standing: Standing, line: &Range<usize>, mark: &Range<usize>) {
    found.push(Portion {
        level: standing.level,
        at_least: standing.at_least,
        range: line.clone(),
        mark: line.start + mark.start..line.start + mark.end,
    });
}

/// Adds a line to the portion before it.
fn extend(found: &mut Vec<Portion>, line: Range<usize>) {
    match found.last_mut() {
        Some(last) => last.range.end = line.end,
        None => push(found, Standing::default(), &line, &(0..0)),
    }
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

/// Whether a line stands in a fence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fence {
    Outside,
    /// That depends on how its ends are read, or it has none.
    Perhaps,
    Inside,
}

/// For each line, whether it stands in a fence. Read once as Markdown does, where one of `~` is no end for one of
/// backticks nor a shorter one for a longer, and once by backticks alone.
fn fences(text: &str) -> Vec<Fence> {
    let mut found = Vec::new();
    let mut ticked = false;
    let mut open: Option<(char, usize, usize)> = None;
    for range in lines(text) {
        let line = text[range].trim();
        found.push(match (open, ticked) {
            (None, false) => Fence::Outside,
            (Some(('`', ..)), true) => Fence::Inside,
            _ => Fence::Perhaps,
        });
        let sign = if line.starts_with('~') { '~' } else { '`' };
        let told = line.trim_start_matches(sign);
        let length = line.len() - told.len();
        if length < 3 {
            continue;
        }
        ticked ^= sign == '`';
        open = match open {
            Some((with, least, _)) if with == sign && least <= length && told.is_empty() => None,
            None if sign == '~' || !told.contains('`') => Some((sign, length, found.len())),
            _ => open,
        };
    }
    if let Some((.., begun)) = open {
        found.iter_mut().skip(begun).for_each(|fence| *fence = Fence::Perhaps);
    }
    found
}

/// The rank of a heading and how it is written.
fn heading_of(line: &str) -> Option<(usize, Form)> {
    let words = line.trim_start_matches(['>', ' ', '\t']);
    let behind = words.trim_start_matches('#');
    let rank = words.len() - behind.len();
    let form = match line.chars().next() {
        _ if behind.is_empty() || behind.starts_with(char::is_alphanumeric) => return None,
        _ if !behind.starts_with([' ', '\t']) => Form::Tight,
        Some('#') => Form::Plain,
        _ if line.trim_start().starts_with('>') => Form::Quoted,
        _ => Form::Indented,
    };
    (1..=6).contains(&rank).then_some((rank, form))
}

/// The number of `#` of a plain heading; 0 for any other line.
fn heading_rank(line: &str) -> usize {
    match heading_of(line) {
        Some((rank, Form::Plain)) => rank,
        _ => 0,
    }
}

/// Whether a line may belong to a list, also one that Markdown does not know.
fn is_listed(line: &str) -> bool {
    let words = line.trim_start_matches(['>', ' ', '\t']);
    let counted = words.trim_start_matches('(').split_once([')', '.']);
    let counts = |number: &str| match number.as_bytes() {
        [b'a'..=b'z'] => true,
        bytes => (1..=4).contains(&bytes.len()) && bytes.iter().all(|b| b"0123456789ivx".contains(b)),
    };
    is_item(words)
        || words.starts_with(['•', '◦', '▪', '‣', '·', '–', '—'])
        || counted.is_some_and(|(number, rest)| counts(number) && rest.starts_with([' ', '\t']))
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
mod tests;
