//! How it looks: a model drawn into a buffer of cells. Looks are bold, reversed and underlined, which are seen on light
//! ground and on dark; without them a mark says the same.

use super::super::markdown::{self, Line};
use super::super::out;
use super::super::words::counted;
use super::model::{Model, Reading, lines_of};
use anstyle::Effects;
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use ratatui_core::style::{Modifier, Style};
use unicode_width::UnicodeWidthStr;
use zeroize::Zeroizing;

/// From so many columns on, a line of the list has the day; and the client.
const WITH_DAY: u16 = 60;
const WITH_CLIENT: u16 = 90;

/// In the order in which they go where there is no room.
const LIST_KEYS: &[&str] = &[
    "Enter read",
    "F1 help",
    "^F filter",
    "^E edit",
    "^B brief",
    "^R history",
    "^D due",
    "^L lock",
    "Esc leave",
];
const NOTE_KEYS: &[&str] = &[
    "q back",
    "space on",
    "F1 help",
    "e edit",
    "b brief",
    "h history",
    "d due",
    "^L lock",
];
const TEXT_KEYS: &[&str] = &["q back", "space on", "u up", "F1 help"];

/// Draws all of it, and says where the cursor stands, if it is to be seen.
pub(super) fn view(model: &Model, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let mut page = Page {
        area: buffer.area,
        buffer,
        colour: model.colour,
    };
    if page.area.width < 4 || page.area.height < 2 {
        return None;
    }
    if model.locked {
        let words = model.notice.as_ref().map_or("", |notice| notice.as_str());
        let width = usize::from(page.area.width);
        page.bar(0, "locked", "strongroom");
        for (y, line) in (2..).zip(&markdown::fold(lines_of(words, width), width)) {
            page.line(0, y, line);
        }
        page.keys(&["Enter unlock", "q leave"]);
        return None;
    }
    let mut cursor = match model.readings.last() {
        Some(reading) => {
            reading_page(&mut page, model, reading);
            None
        }
        None => list_page(&mut page, model),
    };
    if let Some(chooser) = &model.chooser {
        let words: Vec<&str> = chooser
            .matching()
            .into_iter()
            .map(|(_, words)| words.as_str())
            .collect();
        page.panel(2, page.area.height.saturating_sub(1));
        page.bar(0, "filter the list", "");
        cursor = Some(page.typed(1, "filter: ", &chooser.typed.0));
        let height = usize::from(page.area.height.saturating_sub(3));
        let top = (chooser.at + 1).saturating_sub(height.max(1));
        for (row, (at, words)) in (2..).zip(words.iter().enumerate().skip(top).take(height)) {
            page.choice(row, at == chooser.at, &out::one_line(words));
        }
        page.keys(&["Enter choose", "Esc back"]);
    }
    if let Some(notice) = &model.notice {
        page.over(notice);
        return None;
    }
    if let Some(question) = &model.question {
        cursor = Some(page.ask(&question.prompt, &question.typed.0));
    }
    cursor
}

fn list_page(page: &mut Page<'_>, model: &Model) -> Option<(u16, u16)> {
    let count = match model.matched.len() == model.items.len() {
        true if model.items.is_empty() => String::new(),
        true => counted(model.items.len() as u64, "note", "notes"),
        false => format!("{} of {}", model.matched.len(), model.items.len()),
    };
    page.bar(0, &count, "strongroom");
    let mut filters = Vec::new();
    filters.extend(
        model
            .filters
            .client
            .as_ref()
            .map(|client| format!("client {}", client.as_str())),
    );
    filters.extend(
        model
            .filters
            .label
            .as_ref()
            .map(|label| format!("label {}", label.as_str())),
    );
    filters.extend(model.filters.since.map(|(_, words)| format!("within {words}")));
    let filters = Zeroizing::new(out::one_line(&filters.join(" · ")));
    let cursor = page.typed(1, "find: ", &model.find.0);
    if !filters.is_empty() {
        let room = usize::from(page.area.width).saturating_sub(usize::from(cursor.0) + 3);
        let shown = cut(&filters, room);
        let at = page.area.width.saturating_sub(shown.width() as u16);
        page.put(at, 1, &shown, Modifier::DIM);
    }
    let widest = |of: fn(&super::model::Item) -> &str| {
        let shown = model.matched.iter().skip(model.top).take(model.height());
        shown
            .map(|at| out::one_line(of(&model.items[*at])).width())
            .max()
            .unwrap_or(0)
    };
    let wide = page.area.width;
    let label_width = widest(|item| &item.label).min(if wide < WITH_DAY { 14 } else { 26 });
    let client_width = widest(|item| &item.client).min(20);
    let seen = model.matched.iter().enumerate().skip(model.top).take(model.height());
    for (row, (at, place)) in (2..).zip(seen) {
        let item = &model.items[*place];
        let mut line = Zeroizing::new(String::with_capacity(4 * usize::from(wide)));
        if wide >= WITH_DAY {
            line.push_str(&item.day);
            line.push_str("  ");
        }
        line.push_str(&padded(&out::one_line(&item.label), label_width));
        line.push_str("  ");
        if wide >= WITH_CLIENT && client_width > 0 {
            line.push_str(&padded(&out::one_line(&item.client), client_width));
            line.push_str("  ");
        }
        line.push_str(&out::one_line(&item.title));
        page.choice(row, at == model.at, &line);
    }
    let last = page.area.height - 1;
    if model.items.is_empty() && model.question.is_none() && model.notice.is_none() {
        page.put(2, 2, "no notes that you may read", Modifier::empty());
    } else if model.matched.is_empty() && !model.items.is_empty() {
        page.put(2, 2, "nothing matches", Modifier::empty());
    }
    if let Some(item) = model.selected().filter(|_| last > 3) {
        let client = match item.client.is_empty() {
            true => String::new(),
            false => format!(" · {}", out::one_line(&item.client)),
        };
        let id = &item.id[..8.min(item.id.len())];
        let told = Zeroizing::new(format!("{}{client} · {} · {id}", out::one_line(&item.label), item.day));
        page.put(0, last - 1, &cut(&told, usize::from(wide)), Modifier::BOLD);
    }
    page.keys(LIST_KEYS);
    Some(cursor)
}

fn reading_page(page: &mut Page<'_>, model: &Model, reading: &Reading) {
    let height = model.height();
    let seen = (reading.top + height).min(reading.lines.len());
    let place = match reading.lines.len() <= height {
        true => String::new(),
        false => format!("{} %", seen * 100 / reading.lines.len().max(1)),
    };
    page.bar(0, &out::one_line(&reading.bar), &place);
    for (row, line) in (1..).zip(reading.lines.iter().skip(reading.top).take(height)) {
        page.line(0, row, line);
    }
    page.keys(if reading.note.is_some() { NOTE_KEYS } else { TEXT_KEYS });
}

/// Where is drawn.
struct Page<'b> {
    buffer: &'b mut Buffer,
    area: Rect,
    colour: bool,
}

impl Page<'_> {
    fn style(&self, modifier: Modifier) -> Style {
        match self.colour {
            true => Style::new().add_modifier(modifier),
            false => Style::new(),
        }
    }

    /// Text at a place, cut at the edge.
    fn put(&mut self, x: u16, y: u16, text: &str, modifier: Modifier) -> u16 {
        if y >= self.area.height || x >= self.area.width {
            return x;
        }
        let style = self.style(modifier);
        self.buffer
            .set_stringn(x, y, text, usize::from(self.area.width - x), style)
            .0
    }

    fn line(&mut self, x: u16, y: u16, line: &Line) {
        let mut at = x;
        for span in &line.0 {
            at = self.put(at, y, &span.text, modifier_of(span.effects));
        }
    }

    /// A line across the screen: what must be seen at the left, the rest at the right where there is room.
    fn bar(&mut self, y: u16, left: &str, right: &str) {
        let width = usize::from(self.area.width);
        let left = cut(left, width.saturating_sub(2));
        let between = width.saturating_sub(left.width() + right.width() + 2);
        let text = match between {
            0 => format!(" {}", padded(&left, width.saturating_sub(1)).as_str()),
            between => format!(" {}{}{right} ", left.as_str(), " ".repeat(between)),
        };
        self.put(0, y, &Zeroizing::new(text), Modifier::REVERSED | Modifier::BOLD);
        if !self.colour && self.area.height > 4 {
            // What is not reversed is set apart otherwise.
            self.put(0, y, "=", Modifier::empty());
        }
    }

    /// A line of a list to choose from.
    fn choice(&mut self, y: u16, chosen: bool, text: &str) {
        let width = usize::from(self.area.width);
        let mark = if chosen { "> " } else { "  " };
        let text = Zeroizing::new(format!("{mark}{}", padded(text, width.saturating_sub(2)).as_str()));
        self.put(0, y, &text, if chosen { Modifier::REVERSED } else { Modifier::empty() });
    }

    /// A line that somebody types on; where the cursor stands.
    fn typed(&mut self, y: u16, prompt: &str, typed: &str) -> (u16, u16) {
        let at = self.put(0, y, prompt, Modifier::BOLD);
        let room = usize::from(self.area.width.saturating_sub(at + 1));
        // Of a long text the end is seen.
        let mut shown = typed;
        while shown.width() > room {
            let first = shown.chars().next().map_or(1, char::len_utf8);
            shown = &shown[first..];
        }
        let end = self.put(at, y, &Zeroizing::new(out::one_line(shown)), Modifier::empty());
        (end.min(self.area.width - 1), y)
    }

    /// The keys, as many as there is room for.
    fn keys(&mut self, keys: &[&str]) {
        let width = usize::from(self.area.width);
        let mut shown = String::new();
        for key in keys {
            let next = if shown.is_empty() {
                (*key).to_owned()
            } else {
                format!("{shown}  {key}")
            };
            if next.width() <= width {
                shown = next;
            }
        }
        let y = self.area.height - 1;
        self.put(0, y, &" ".repeat(width), Modifier::empty());
        self.put(0, y, &shown, Modifier::DIM);
    }

    /// Empties rows.
    fn panel(&mut self, from: u16, to: u16) {
        let blank = " ".repeat(usize::from(self.area.width));
        for y in from..to {
            self.put(0, y, &blank, Modifier::empty());
        }
    }

    /// Words over what is there, from the bottom up, until a key is pressed.
    fn over(&mut self, words: &str) {
        self.at_the_bottom(words, 1);
        let y = self.area.height - 1;
        self.panel(y, y + 1);
        self.put(0, y, "any key: go on", Modifier::DIM);
    }

    /// Words in lines above the last `below` rows, under a rule.
    fn at_the_bottom(&mut self, words: &str, below: u16) {
        let width = usize::from(self.area.width);
        let lines = markdown::fold(lines_of(words, width), width);
        let room = usize::from(self.area.height.saturating_sub(below + 1));
        let height = lines.len().min(room) as u16;
        let top = self.area.height - below - height;
        self.panel(top.saturating_sub(1), self.area.height);
        self.put(0, top.saturating_sub(1), &"─".repeat(width), Modifier::DIM);
        for (y, line) in (top..).zip(lines.iter().take(usize::from(height))) {
            self.line(0, y, line);
        }
    }

    /// A question, and what is typed; where the cursor stands.
    fn ask(&mut self, prompt: &str, typed: &str) -> (u16, u16) {
        self.at_the_bottom(prompt.trim_end(), 1);
        self.typed(self.area.height - 1, "> ", typed)
    }
}

fn modifier_of(effects: Effects) -> Modifier {
    let pairs = [
        (Effects::BOLD, Modifier::BOLD),
        (Effects::ITALIC, Modifier::ITALIC),
        (Effects::UNDERLINE, Modifier::UNDERLINED),
        (Effects::STRIKETHROUGH, Modifier::CROSSED_OUT),
    ];
    let set = pairs.iter().filter(|(effect, _)| effects.contains(*effect));
    set.fold(Modifier::empty(), |all, (_, modifier)| all | *modifier)
}

/// At most so many columns of a text; what was cut shows.
fn cut(text: &str, width: usize) -> Zeroizing<String> {
    if text.width() <= width {
        return Zeroizing::new(text.to_owned());
    }
    let mut cut = Zeroizing::new(String::with_capacity(text.len()));
    for c in text.chars() {
        let mut next = [0; 4];
        if cut.width() + c.encode_utf8(&mut next).width() + 1 > width {
            break;
        }
        cut.push(c);
    }
    if width > 0 {
        cut.push('…');
    }
    cut
}

/// Exactly so many columns of it.
fn padded(text: &str, width: usize) -> Zeroizing<String> {
    let mut text = cut(text, width);
    let after = width.saturating_sub(text.width());
    text.push_str(&" ".repeat(after));
    text
}
