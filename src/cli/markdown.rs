//! Markdown as a terminal shows it. Text, width and whether there is colour go in, lines come out, and nothing that
//! stands in a text can drive the terminal.
//!
//! Many notes are no Markdown but lines as somebody jotted them down, so a line stays a line, and spaces within it stay.
//! What Markdown would not show is shown, and a text of which a word would be missing all the same stays as it was written.

use super::out;
use anstyle::{Effects, Style};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};
use std::collections::HashMap;
use std::ops::Range;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use zeroize::Zeroizing;

/// What is left of the width for words, however deep they stand in lists and quotes; beyond it nothing is indented.
const ROOM: usize = 16;
/// The longest rule, in columns.
const RULE_MAX: usize = 40;
/// What stands between the cells of a table.
const BETWEEN: &str = " │ ";

/// Some text of one look. Wiped on drop.
pub(super) struct Span {
    /// Bold, underlined and so on; never a colour, which may not be seen on another ground.
    pub(super) effects: Effects,
    /// Without line ends, tabs and anything that a terminal obeys.
    pub(super) text: Zeroizing<String>,
}

impl Span {
    pub(super) fn new(effects: Effects, text: impl Into<String>) -> Self {
        let text = Zeroizing::new(text.into());
        Self { effects, text }
    }

    fn copy(&self) -> Self {
        Self::new(self.effects, self.text.as_str())
    }
}

/// One line on a screen.
#[derive(Default)]
pub(super) struct Line(pub(super) Vec<Span>);

impl Line {
    /// Its characters.
    pub(super) fn text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(self.0.iter().map(|span| span.text.len()).sum()));
        self.0.iter().for_each(|span| text.push_str(&span.text));
        text
    }

    fn push(&mut self, effects: Effects, text: &str) {
        match self.0.last_mut() {
            Some(last) if last.effects == effects => last.text.push_str(text),
            _ => self.0.push(Span::new(effects, text)),
        }
    }
}

/// Lines as bytes for a terminal: text, line ends, and SGR escapes where there are effects.
pub(super) fn ansi(lines: &[Line]) -> Zeroizing<String> {
    let size = |span: &Span| span.text.len() + 16;
    let mut text = Zeroizing::new(String::with_capacity(
        lines
            .iter()
            .map(|line| 1 + line.0.iter().map(size).sum::<usize>())
            .sum(),
    ));
    for line in lines {
        for span in &line.0 {
            let style = Style::new().effects(span.effects);
            text.push_str(&style.render().to_string());
            text.push_str(&span.text);
            text.push_str(&style.render_reset().to_string());
        }
        text.push('\n');
    }
    text
}

/// Renders `text`. Lines are at most `width` columns wide, but for a word that is wider by itself.
pub(super) fn render(text: &str, width: usize, colour: bool) -> Vec<Line> {
    let mut printer = Printer::new(width, colour);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let parser = Parser::new_ext(text, options);
    let defined = parser.reference_definitions().iter();
    let mut defined: Vec<Range<usize>> = defined.map(|(_, link)| link.span.clone()).collect();
    defined.sort_by_key(|span| span.start);
    for (event, place) in parser.into_offset_iter() {
        printer.take(event, text.get(place).unwrap_or_default());
    }
    printer.flush();
    for span in defined {
        printer.as_it_is(text.get(span).unwrap_or_default());
    }
    match shows_all(&printer.lines, text) {
        true => printer.lines,
        false => as_written(text, width),
    }
}

/// A text as it was written, marks, spaces and all, in lines of at most `width` columns, but for a word that is wider by
/// itself.
pub(super) fn as_written(text: &str, width: usize) -> Vec<Line> {
    let mut printer = Printer::new(width, false);
    printer.as_it_is(text);
    printer.lines
}

/// Whether each word of a text stands in these lines, and as often.
fn shows_all(lines: &[Line], text: &str) -> bool {
    let shown: Vec<Zeroizing<String>> = lines.iter().map(Line::text).collect();
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in shown.iter().flat_map(|line| words(line)) {
        *left.entry(word).or_default() += 1;
    }
    let mut written = text.lines().flat_map(|line| line.split('&').enumerate());
    written.all(|(at, piece)| {
        let piece = if at == 0 { piece } else { behind_entity(piece) };
        words(piece).all(|word| match left.get_mut(word) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        })
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// What a list item begins with. Its number stays as it was written, and is not counted anew: it may be the day of a date.
fn marker(item: &str) -> String {
    // Behind a tab an item begins before its line.
    let item = item.trim_start_matches([' ', '\t', '\n', '\r', '>']);
    let digits = item.bytes().take_while(u8::is_ascii_digit).count();
    match item
        .get(..=digits)
        .filter(|number| digits > 0 && number.ends_with(['.', ')']))
    {
        Some(number) => format!("{number} "),
        None => "• ".to_owned(),
    }
}

/// What follows `&`, without the rest of an entity that is shown as its character.
fn behind_entity(piece: &str) -> &str {
    match piece.split_once(';') {
        Some(("amp" | "lt" | "gt" | "quot" | "apos" | "nbsp", rest)) => rest,
        Some((number, rest)) if number.starts_with('#') && !number.contains(char::is_whitespace) => rest,
        _ => piece,
    }
}

/// Text that is no Markdown, in lines of at most `width` columns, but for a word that is wider by itself.
pub(super) fn wrap(effects: Effects, text: &str, width: usize) -> Vec<Line> {
    let mut printer = Printer::new(width, true);
    printer.flow(vec![Span::new(effects, out::plain(text))], false);
    printer.lines
}

/// Breaks what is wider than `width` in the midst of words, for a screen that has no more.
pub(super) fn fold(lines: Vec<Line>, width: usize) -> Vec<Line> {
    let mut folded = Vec::with_capacity(lines.len());
    for line in lines {
        if line.text().width() <= width {
            folded.push(line);
            continue;
        }
        let (mut part, mut at) = (Line::default(), 0);
        for span in &line.0 {
            for c in span.text.chars() {
                let columns = c.width().unwrap_or(0);
                if at + columns > width && at > 0 {
                    folded.push(std::mem::take(&mut part));
                    at = 0;
                }
                part.push(span.effects, c.encode_utf8(&mut [0; 4]));
                at += columns;
            }
        }
        folded.push(part);
    }
    folded
}

/// A quote or a list item that what follows stands in.
struct Container {
    /// What its first line begins with, until that is written.
    marker: Option<String>,
    /// What its other lines begin with.
    rest: String,
}

struct Printer {
    width: usize,
    colour: bool,
    lines: Vec<Line>,
    /// What is collected for the block under way.
    spans: Vec<Span>,
    effects: Vec<Effects>,
    containers: Vec<Container>,
    /// How many lists are under way, one in another.
    lists: usize,
    /// Where each link under way leads.
    links: Vec<Zeroizing<String>>,
    /// Whether a blank line comes before the next block.
    gap: bool,
    /// The lines of a block that is shown as it is.
    verbatim: Option<Zeroizing<String>>,
    cells: Vec<Vec<Span>>,
    rows: Vec<Vec<Vec<Span>>>,
}

impl Printer {
    fn new(width: usize, colour: bool) -> Self {
        Self {
            width: width.max(1),
            colour,
            lines: Vec::new(),
            spans: Vec::new(),
            effects: Vec::new(),
            containers: Vec::new(),
            lists: 0,
            links: Vec::new(),
            gap: false,
            verbatim: None,
            cells: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// `source`: all of the text that it is about.
    fn take(&mut self, event: Event<'_>, source: &str) {
        match event {
            Event::Start(tag) => self.start(tag, source),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Html(text) => match &mut self.verbatim {
                Some(block) => block.push_str(&text),
                None => self.text(&text),
            },
            Event::Code(text) => self.text(&format!("`{text}`")),
            Event::TaskListMarker(done) => self.text(if done { "[x] " } else { "[ ] " }),
            Event::SoftBreak | Event::HardBreak => self.text("\n"),
            Event::Rule => {
                self.flush();
                let room = self.width.saturating_sub(self.indent()).clamp(1, RULE_MAX);
                self.flow(vec![Span::new(Effects::new(), "─".repeat(room))], false);
                self.gap = true;
            }
            // Of what was not asked for above nothing comes; if it did, it would be shown.
            Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => self.text(&text),
        }
    }

    /// How wide what stands before the words is.
    fn indent(&self) -> usize {
        self.containers.iter().map(|container| container.rest.width()).sum()
    }

    fn text(&mut self, text: &str) {
        if let Some(block) = &mut self.verbatim {
            block.push_str(text);
            return;
        }
        let harmless = Zeroizing::new(out::plain(text));
        let effects = self.look();
        self.spans.push(Span::new(effects, harmless.as_str()));
    }

    fn look(&self) -> Effects {
        let all = self.effects.iter().fold(Effects::new(), |all, one| all | *one);
        if self.colour { all } else { Effects::new() }
    }

    /// Where effects are not seen, the characters that ask for them are.
    fn mark(&mut self, mark: &str) {
        if !self.colour {
            self.text(mark);
        }
    }

    fn start(&mut self, tag: Tag<'_>, source: &str) {
        match tag {
            Tag::Paragraph => {}
            Tag::Heading { level, .. } => {
                self.flush();
                self.effects.push(Effects::BOLD);
                if level > HeadingLevel::H2 {
                    self.mark(&format!("{} ", "#".repeat(level as usize)));
                }
            }
            Tag::BlockQuote(_) => {
                self.flush();
                self.leave_gap();
                self.contain(None, "│ ".to_owned());
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                let told = match &kind {
                    CodeBlockKind::Fenced(told) if !told.is_empty() => format!("```{told}\n"),
                    _ => String::new(),
                };
                self.verbatim = Some(Zeroizing::new(told));
                self.contain(None, "    ".to_owned());
            }
            Tag::HtmlBlock => {
                self.flush();
                self.verbatim = Some(Zeroizing::default());
            }
            Tag::List(_) => {
                self.flush();
                self.lists += 1;
            }
            Tag::Item => {
                self.flush();
                let marker = marker(source);
                let rest = " ".repeat(marker.width());
                self.contain(Some(marker), rest);
            }
            Tag::Table(_) => self.flush(),
            Tag::Emphasis => {
                self.mark("_");
                self.effects.push(Effects::ITALIC);
            }
            Tag::Strong => {
                self.mark("**");
                self.effects.push(Effects::BOLD);
            }
            Tag::Strikethrough => {
                self.mark("~~");
                self.effects.push(Effects::STRIKETHROUGH);
            }
            Tag::Link {
                link_type,
                dest_url,
                title,
                ..
            } => {
                let named = !matches!(link_type, LinkType::Autolink | LinkType::Email);
                self.begin_link(if named { &dest_url } else { "" }, &title);
                self.effects.push(Effects::UNDERLINE);
            }
            Tag::Image { dest_url, title, .. } => {
                self.begin_link(&dest_url, &title);
                self.text("[picture: ");
            }
            Tag::TableHead
            | Tag::TableRow
            | Tag::TableCell
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => {
                self.flush();
                self.gap = true;
            }
            TagEnd::Heading(level) => {
                let spans = std::mem::take(&mut self.spans);
                self.effects.pop();
                let before = self.lines.len();
                self.flow(spans, false);
                let added = &self.lines[before.min(self.lines.len())..];
                let widest = added.iter().map(|line| line.text().trim().width()).max().unwrap_or(0);
                let rule = match level {
                    HeadingLevel::H1 => "═",
                    HeadingLevel::H2 => "─",
                    _ => "",
                };
                let room = self.width.saturating_sub(self.indent()).max(1);
                if !rule.is_empty() && widest > 0 {
                    self.flow(vec![Span::new(Effects::new(), rule.repeat(widest.min(room)))], false);
                }
                self.gap = true;
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.containers.pop();
                self.gap = true;
            }
            TagEnd::CodeBlock => {
                self.verbatim();
                self.containers.pop();
                self.gap = true;
            }
            TagEnd::HtmlBlock => {
                self.verbatim();
                self.gap = true;
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists = self.lists.saturating_sub(1);
                self.gap |= self.lists == 0;
            }
            TagEnd::Item => {
                self.flush();
                let empty = self
                    .containers
                    .last()
                    .is_some_and(|container| container.marker.is_some());
                if empty {
                    self.flow(vec![Span::new(Effects::new(), "")], true);
                }
                self.containers.pop();
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.spans);
                self.cells.push(cell);
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                let row = std::mem::take(&mut self.cells);
                self.rows.push(row);
            }
            TagEnd::Table => {
                let rows = std::mem::take(&mut self.rows);
                self.table(rows);
                self.gap = true;
            }
            TagEnd::Emphasis => {
                self.effects.pop();
                self.mark("_");
            }
            TagEnd::Strong => {
                self.effects.pop();
                self.mark("**");
            }
            TagEnd::Strikethrough => {
                self.effects.pop();
                self.mark("~~");
            }
            TagEnd::Link => {
                self.effects.pop();
                self.end_link();
            }
            TagEnd::Image => {
                self.text("]");
                self.end_link();
            }
            TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::MetadataBlock(_) => {}
        }
    }

    fn contain(&mut self, marker: Option<String>, rest: String) {
        self.containers.push(Container { marker, rest });
    }

    fn begin_link(&mut self, address: &str, title: &str) {
        let mut leads = Zeroizing::new(address.to_owned());
        if !title.is_empty() {
            leads.push_str(&format!(" \"{title}\""));
        }
        self.links.push(leads);
    }

    /// Behind its text stands where a link leads.
    fn end_link(&mut self) {
        let Some(leads) = self.links.pop() else { return };
        if !leads.trim().is_empty() {
            self.text(&format!(" ({})", leads.trim().replace('\n', " ")));
        }
    }

    /// Ends the block under way.
    fn flush(&mut self) {
        if !self.spans.is_empty() {
            let spans = std::mem::take(&mut self.spans);
            self.flow(spans, false);
        }
    }

    fn verbatim(&mut self) {
        if let Some(block) = self.verbatim.take() {
            self.as_it_is(&block);
        }
    }

    fn as_it_is(&mut self, block: &str) {
        let block = Zeroizing::new(out::plain(block));
        let text = block.strip_suffix('\n').unwrap_or(&block);
        self.flow(vec![Span::new(Effects::new(), text)], true);
    }

    fn leave_gap(&mut self) {
        if !std::mem::take(&mut self.gap) || self.lines.is_empty() {
            return;
        }
        let begun = self.containers.iter().filter(|container| container.marker.is_none());
        let bars: String = begun.map(|container| container.rest.as_str()).collect();
        self.lines
            .push(Line(vec![Span::new(Effects::new(), bars.trim_end().to_owned())]));
    }

    /// What the next line begins with.
    fn prefix(&mut self) -> String {
        let mut prefix = String::new();
        for container in &mut self.containers {
            let marker = container.marker.take();
            let piece = marker.as_deref().unwrap_or(&container.rest);
            if marker.is_some() || prefix.width() + piece.width() + ROOM <= self.width {
                prefix.push_str(piece);
            }
        }
        prefix
    }

    /// Writes spans as lines. `as_it_is`: spaces at the beginning of a line stay.
    fn flow(&mut self, spans: Vec<Span>, as_it_is: bool) {
        self.leave_gap();
        let mut flow = Flow::new(self.width, as_it_is, self.prefix(), self.prefix());
        for span in &spans {
            let mut rest = span.text.as_str();
            while let Some(c) = rest.chars().next() {
                let is_word = |c: char| !matches!(c, ' ' | '\t' | '\n');
                let end = match c {
                    c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                    _ => 1,
                };
                let (piece, after) = rest.split_at(end);
                rest = after;
                match piece {
                    "\n" => {
                        flow.place(&mut self.lines);
                        flow.next(&mut self.lines);
                    }
                    " " | "\t" => {
                        flow.place(&mut self.lines);
                        flow.space += if piece == "\t" { 4 } else { 1 };
                    }
                    word => flow.word.push(Span::new(span.effects, word)),
                }
            }
        }
        flow.place(&mut self.lines);
        flow.end(&mut self.lines);
    }

    fn table(&mut self, rows: Vec<Vec<Vec<Span>>>) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let wide = |cell: &Vec<Span>| Line(cell.iter().map(Span::copy).collect()).text().width();
        let column = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(wide).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(column).collect();
        let whole = widths.iter().sum::<usize>() + BETWEEN.width() * columns.saturating_sub(1);
        let fits = whole + self.indent() <= self.width;
        let mut rows = rows.into_iter();
        let Some(mut head) = rows.next() else { return };
        if self.colour {
            let spans = head.iter_mut().flatten();
            spans.for_each(|span| span.effects |= Effects::BOLD);
        }
        let body: Vec<_> = rows.collect();
        if fits || body.is_empty() {
            self.table_row(&head, &widths);
            self.flow(
                vec![Span::new(Effects::new(), "─".repeat(whole.clamp(1, self.width)))],
                true,
            );
            body.iter().for_each(|row| self.table_row(row, &widths));
            return;
        }
        // Too wide: each row is told cell by cell, so that no word is broken.
        for row in &body {
            for (at, cell) in row.iter().enumerate() {
                let mut spans: Vec<Span> = head.get(at).into_iter().flatten().map(Span::copy).collect();
                if !spans.is_empty() {
                    spans.push(Span::new(Effects::new(), ": "));
                }
                spans.extend(cell.iter().map(Span::copy));
                self.flow(spans, false);
            }
            self.gap = true;
        }
    }

    fn table_row(&mut self, row: &[Vec<Span>], widths: &[usize]) {
        let mut spans = Vec::new();
        for (at, width) in widths.iter().enumerate() {
            let cell: Vec<Span> = row.get(at).into_iter().flatten().map(Span::copy).collect();
            let line = Line(cell);
            let after = width.saturating_sub(line.text().width());
            spans.extend(line.0);
            if at + 1 < widths.len() {
                spans.push(Span::new(Effects::new(), format!("{}{BETWEEN}", " ".repeat(after))));
            }
        }
        self.flow(spans, true);
    }
}

/// Words on their way into lines.
struct Flow {
    width: usize,
    as_it_is: bool,
    line: Line,
    /// What the lines after the first begin with.
    rest: String,
    /// Whether the line has more than what all lines begin with.
    begun: bool,
    /// The word under way, in pieces of different looks.
    word: Vec<Span>,
    /// The spaces before it.
    space: usize,
}

impl Flow {
    fn new(width: usize, as_it_is: bool, prefix: String, rest: String) -> Self {
        Self {
            width,
            as_it_is,
            line: Line(vec![Span::new(Effects::new(), prefix)]),
            rest,
            begun: false,
            word: Vec::new(),
            space: 0,
        }
    }

    /// Puts the word under way on this line, or on the next where it does not fit.
    fn place(&mut self, lines: &mut Vec<Line>) {
        let word = std::mem::take(&mut self.word);
        let Some(first) = word.first() else { return };
        let mut space = match self.begun || self.as_it_is {
            true => self.space,
            false => 0,
        };
        if self.begun {
            let mut would = self.line.text();
            would.push_str(&" ".repeat(space));
            word.iter().for_each(|part| would.push_str(&part.text));
            if would.width() > self.width {
                self.next(lines);
                space = 0;
            }
        }
        let same = self.begun && self.line.0.last().is_some_and(|last| last.effects == first.effects);
        let effects = if same { first.effects } else { Effects::new() };
        if space > 0 {
            // Before a first word that is wide anyway nothing is indented beyond the screen.
            let space = if self.begun { space } else { space.min(self.width / 2) };
            self.line.push(effects, &" ".repeat(space));
        }
        word.iter().for_each(|part| self.line.push(part.effects, &part.text));
        self.begun = true;
        self.space = 0;
    }

    fn next(&mut self, lines: &mut Vec<Line>) {
        let fresh = Line(vec![Span::new(Effects::new(), self.rest.as_str())]);
        lines.push(trimmed(std::mem::replace(&mut self.line, fresh)));
        self.begun = false;
        self.space = 0;
    }

    fn end(self, lines: &mut Vec<Line>) {
        lines.push(trimmed(self.line));
    }
}

/// Without spaces at the end, which nobody sees.
fn trimmed(mut line: Line) -> Line {
    while let Some(last) = line.0.last_mut() {
        let end = last.text.trim_end_matches(' ').len();
        last.text.truncate(end);
        match last.text.is_empty() {
            true => drop(line.0.pop()),
            false => break,
        }
    }
    line
}

#[cfg(test)]
mod tests;
