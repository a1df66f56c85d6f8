//! What `browse` shows and what it does next. No terminal, no vault and no clock: an input goes in, and what the person
//! wants done comes out.

use super::super::markdown::{self, Line, Span};
use crate::app::shared::fold;
use crate::cli::terminal::{Input, Key};
use anstyle::Effects;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// The longest text that is looked for, or answered with, in bytes.
const TYPED_MAX: usize = 4096;
const DAY: i64 = 86_400;

const HELP: &str = "\
In the list
  letters        find: all words, anywhere in title, client, label or id
  Enter          read the note; this is an entry in the log
  Ctrl-F, Tab    filter by client, label or time
  Ctrl-E         edit in your editor
  Ctrl-B         draft a brief
  Ctrl-R         history
  Ctrl-D         what is due
  Ctrl-P         another purpose and reason for what follows
  Ctrl-A         read the list anew; this is an entry too
  Ctrl-U, Esc    clear what was typed, then the filters; then leave
In a text
  space, u       a page on, a page back
  j, k, arrows   a line
  g, G           to the beginning, to the end
  e b h d        edit, brief, history, due
  q, Esc         back
Everywhere
  Ctrl-L         lock: the screen is wiped and nothing is kept
  Ctrl-Q         leave";

/// Words as they are, in lines of that width; how far a line is indented stays.
pub(super) fn lines_of(words: &str, width: usize) -> Vec<Line> {
    let indented = |line: &str| {
        let blank = " ".repeat(line.len() - line.trim_start().len());
        let mut lines = markdown::wrap(Effects::new(), line, width.saturating_sub(blank.len()));
        for line in &mut lines {
            line.0.insert(0, Span::new(Effects::new(), blank.as_str()));
        }
        lines
    };
    words.lines().flat_map(indented).collect()
}

/// A note in the list. Wiped on drop.
pub(super) struct Item {
    pub(super) id: String,
    pub(super) title: Zeroizing<String>,
    pub(super) client: Zeroizing<String>,
    pub(super) label: Zeroizing<String>,
    /// Unix seconds.
    pub(super) modified: i64,
    /// The day, as it is shown.
    pub(super) day: String,
    /// Everything that is looked in, folded.
    hay: Zeroizing<String>,
}

impl Item {
    pub(super) fn new(id: String, title: &str, client: &str, label: &str, modified: i64, day: String) -> Self {
        let hay = Zeroizing::new(format!("{title}\n{client}\n{label}\n{id}"));
        Self {
            id,
            title: Zeroizing::new(title.to_owned()),
            client: Zeroizing::new(client.to_owned()),
            label: Zeroizing::new(label.to_owned()),
            modified,
            day,
            hay: Zeroizing::new(fold(&hay)),
        }
    }
}

/// What is left out of the list.
#[derive(Default)]
pub(super) struct Filters {
    pub(super) client: Option<Zeroizing<String>>,
    pub(super) label: Option<Zeroizing<String>>,
    /// Changed at or after this time, and how that is said.
    pub(super) since: Option<(i64, &'static str)>,
}

impl Filters {
    fn admit(&self, item: &Item) -> bool {
        self.client.as_ref().is_none_or(|client| *client == item.client)
            && self.label.as_ref().is_none_or(|label| *label == item.label)
            && self.since.is_none_or(|(since, _)| item.modified >= since)
    }

    pub(super) fn are_none(&self) -> bool {
        self.client.is_none() && self.label.is_none() && self.since.is_none()
    }
}

/// A text that is typed on one line.
#[derive(Default)]
pub(super) struct Typed(pub(super) Zeroizing<String>);

impl Typed {
    /// Takes a key or a pasted text; whether it was for this line.
    fn take(&mut self, input: &Input) -> bool {
        match input {
            Input::Key(Key::Char(c)) => self.add(c.encode_utf8(&mut [0; 4])),
            Input::Pasted(text) => self.add(text),
            Input::Key(Key::Backspace) => drop(self.0.pop()),
            Input::Key(Key::Ctrl('u')) => self.0.clear(),
            Input::Key(Key::Ctrl('w')) => {
                let kept = self.0.trim_end().rfind(' ').map_or(0, |at| at + 1);
                self.0.truncate(kept);
            }
            _ => return false,
        }
        true
    }

    fn add(&mut self, text: &str) {
        if self.0.capacity() < TYPED_MAX {
            // Once, so that it does not move and leave copies.
            let mut roomy = Zeroizing::new(String::with_capacity(TYPED_MAX));
            roomy.push_str(&self.0);
            self.0 = roomy;
        }
        if self.0.len() + text.len() <= TYPED_MAX {
            self.0.push_str(text);
        }
    }
}

/// One thing to filter by.
#[derive(Clone)]
pub(super) enum Choice {
    Everything,
    Client(Zeroizing<String>),
    Label(Zeroizing<String>),
    Since(i64, &'static str),
}

/// The filters that there are, to choose one.
pub(super) struct Chooser {
    pub(super) typed: Typed,
    choices: Vec<(Choice, Zeroizing<String>)>,
    pub(super) at: usize,
}

impl Chooser {
    fn new(items: &[Item], now: i64) -> Self {
        let counted = |of: fn(&Item) -> &Zeroizing<String>| {
            let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
            let named = items
                .iter()
                .map(|item| of(item).as_str())
                .filter(|name| !name.is_empty());
            named.for_each(|name| *counted.entry(name).or_default() += 1);
            counted
        };
        let mut choices = vec![(Choice::Everything, Zeroizing::new("everything".to_owned()))];
        for (days, words) in [(1, "a day"), (7, "7 days"), (30, "30 days"), (365, "a year")] {
            let words_of_it = Zeroizing::new(format!("changed within {words}"));
            choices.push((Choice::Since(now - days * DAY, words), words_of_it));
        }
        for (client, count) in counted(|item| &item.client) {
            let words = Zeroizing::new(format!("client {client} ({count})"));
            choices.push((Choice::Client(Zeroizing::new(client.to_owned())), words));
        }
        for (label, count) in counted(|item| &item.label) {
            let words = Zeroizing::new(format!("label {label} ({count})"));
            choices.push((Choice::Label(Zeroizing::new(label.to_owned())), words));
        }
        Self {
            typed: Typed::default(),
            choices,
            at: 0,
        }
    }

    /// Those in which all that was typed occurs.
    pub(super) fn matching(&self) -> Vec<&(Choice, Zeroizing<String>)> {
        let wanted = Zeroizing::new(fold(&self.typed.0));
        let matches = |words: &str| {
            let words = Zeroizing::new(fold(words));
            wanted.split_whitespace().all(|word| words.contains(word))
        };
        self.choices.iter().filter(|(_, words)| matches(words)).collect()
    }
}

/// How a text is made for a screen of a width, with colour or without.
pub(super) type Source = Box<dyn Fn(usize, bool) -> Vec<Line>>;

/// A text that is read.
pub(super) struct Reading {
    /// Stands above it at all times: its label.
    pub(super) bar: Zeroizing<String>,
    /// The note, if it is one.
    pub(super) note: Option<String>,
    source: Source,
    /// For the width it was made for.
    pub(super) lines: Vec<Line>,
    pub(super) top: usize,
}

impl Reading {
    pub(super) fn new(bar: impl Into<String>, note: Option<String>, source: Source) -> Self {
        Self {
            bar: Zeroizing::new(bar.into()),
            note,
            source,
            lines: Vec::new(),
            top: 0,
        }
    }

    fn fit(&mut self, columns: u16, colour: bool) {
        let width = usize::from(columns.max(2));
        // The place in the text stays, as far as it can.
        let was = self.lines.len();
        self.lines = markdown::fold((self.source)(width, colour), width);
        self.top = (self.top * self.lines.len()).checked_div(was).unwrap_or(self.top);
    }
}

/// A question to the person.
pub(super) struct Question {
    pub(super) prompt: String,
    pub(super) typed: Typed,
}

/// What is done at the person's wish, by whoever has the vault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Effect {
    Open(String),
    Edit(String),
    Draft(String),
    History(String),
    Due,
    /// Reads the list anew.
    List,
    /// Asks for a purpose and a reason for what follows.
    Why,
    /// A question was answered; nothing: the person does not want to.
    Answer(Option<Zeroizing<String>>),
    Lock,
    Leave,
}

/// All that is shown.
pub(super) struct Model {
    pub(super) columns: u16,
    pub(super) rows: u16,
    pub(super) colour: bool,
    /// Unix seconds.
    now: i64,
    pub(super) items: Vec<Item>,
    pub(super) find: Typed,
    pub(super) filters: Filters,
    /// Places in `items` of what is listed, and what was looked for when they were found.
    pub(super) matched: Vec<usize>,
    found: Zeroizing<String>,
    /// Among those.
    pub(super) at: usize,
    pub(super) top: usize,
    pub(super) chooser: Option<Chooser>,
    pub(super) readings: Vec<Reading>,
    pub(super) question: Option<Question>,
    /// What is said to the person until they press a key.
    pub(super) notice: Option<Zeroizing<String>>,
    /// Whether all is forgotten, until somebody unlocks it.
    pub(super) locked: bool,
    /// Whether there is no list beneath what is read.
    pub(super) reading_alone: bool,
}

impl Model {
    pub(super) fn new(columns: u16, rows: u16, colour: bool, now: i64) -> Self {
        Self {
            columns,
            rows,
            colour,
            now,
            items: Vec::new(),
            find: Typed::default(),
            filters: Filters::default(),
            matched: Vec::new(),
            found: Zeroizing::default(),
            at: 0,
            top: 0,
            chooser: None,
            readings: Vec::new(),
            question: None,
            notice: None,
            locked: false,
            reading_alone: false,
        }
    }

    /// Forgets everything but how large the screen is; what is dropped is wiped.
    pub(super) fn lock(&mut self) {
        *self = Self::new(self.columns, self.rows, self.colour, self.now);
        self.locked = true;
    }

    /// Takes a list in the place of the one before. Who was at a note stays there.
    pub(super) fn list(&mut self, items: Vec<Item>, now: i64) {
        let was = self.selected().map(|item| item.id.clone());
        self.now = now;
        self.items = items;
        self.search(false);
        let place = |id: String| self.matched.iter().position(|at| self.items[*at].id == id);
        self.at = was.and_then(place).unwrap_or(0);
        self.keep_in_sight();
    }

    /// Shows a text above all else.
    pub(super) fn read(&mut self, mut reading: Reading) {
        reading.fit(self.columns, self.colour);
        self.readings.push(reading);
    }

    fn help(&mut self) {
        self.chooser = None;
        self.read(Reading::new("keys", None, Box::new(|width, _| lines_of(HELP, width))));
    }

    pub(super) fn say(&mut self, words: impl Into<String>) {
        self.notice = Some(Zeroizing::new(words.into()));
    }

    pub(super) fn selected(&self) -> Option<&Item> {
        self.items.get(*self.matched.get(self.at)?)
    }

    /// How many lines of the list, or of a text, are seen at once.
    pub(super) fn height(&self) -> usize {
        let around = if self.readings.is_empty() { 4 } else { 2 };
        usize::from(self.rows).saturating_sub(around).max(1)
    }

    /// Looks for what is typed. What was found for its beginning is all that can be found for more of it.
    fn search(&mut self, narrower: bool) {
        let wanted = Zeroizing::new(fold(&self.find.0));
        let words: Vec<&str> = wanted.split_whitespace().collect();
        let admitted = |at: &usize| {
            let item = &self.items[*at];
            self.filters.admit(item) && words.iter().all(|word| item.hay.contains(word))
        };
        self.matched = match narrower && wanted.starts_with(self.found.as_str()) {
            true => self.matched.iter().copied().filter(admitted).collect(),
            false => (0..self.items.len()).filter(admitted).collect(),
        };
        self.found = wanted;
        (self.at, self.top) = (0, 0);
    }

    fn keep_in_sight(&mut self) {
        let height = self.height();
        self.at = self.at.min(self.matched.len().saturating_sub(1));
        self.top = self.top.clamp((self.at + 1).saturating_sub(height), self.at);
    }

    /// What the person wants done, if anything is to be.
    pub(super) fn update(&mut self, input: Input) -> Option<Effect> {
        match &input {
            Input::Nothing => return None,
            Input::Over | Input::Key(Key::Ctrl('c' | 'q')) => return Some(Effect::Leave),
            Input::Size(columns, rows) => {
                (self.columns, self.rows) = (*columns, *rows);
                let colour = self.colour;
                self.readings
                    .iter_mut()
                    .for_each(|reading| reading.fit(*columns, colour));
                self.keep_in_sight();
                self.scroll(0);
                return None;
            }
            Input::Key(Key::Ctrl('l')) if self.question.is_none() => return Some(Effect::Lock),
            _ => {}
        }
        if self.question.is_some() {
            return self.answer(&input);
        }
        // Who reads what went wrong may want to be rid of that alone, whatever they press.
        if self.notice.take().is_some() {
            return None;
        }
        if input == Input::Key(Key::Help) {
            self.help();
            return None;
        }
        if self.chooser.is_some() {
            self.choose(&input);
            return None;
        }
        match input {
            Input::Key(Key::Ctrl('d')) => Some(Effect::Due),
            Input::Key(Key::Ctrl('p')) => Some(Effect::Why),
            input if !self.readings.is_empty() => self.update_reading(&input),
            input => self.update_list(&input),
        }
    }

    fn answer(&mut self, input: &Input) -> Option<Effect> {
        let question = self.question.as_mut()?;
        if question.typed.take(input) {
            return None;
        }
        let typed = match input {
            Input::Key(Key::Enter) => Some(std::mem::take(&mut question.typed.0)),
            Input::Key(Key::Escape) => None,
            _ => return None,
        };
        self.question = None;
        Some(Effect::Answer(typed))
    }

    fn choose(&mut self, input: &Input) {
        let height = self.height();
        let Some(chooser) = &mut self.chooser else { return };
        if chooser.typed.take(input) {
            chooser.at = 0;
            return;
        }
        let last = chooser.matching().len().saturating_sub(1);
        let Input::Key(key) = input else { return };
        match moved(*key, chooser.at, last, height) {
            Some(at) => chooser.at = at,
            None if *key == Key::Enter => {
                let chosen = chooser.matching().get(chooser.at).map(|(choice, _)| choice.clone());
                self.chooser = None;
                match chosen {
                    Some(Choice::Everything) => self.filters = Filters::default(),
                    Some(Choice::Client(client)) => self.filters.client = Some(client),
                    Some(Choice::Label(label)) => self.filters.label = Some(label),
                    Some(Choice::Since(since, words)) => self.filters.since = Some((since, words)),
                    None => {}
                }
                self.search(false);
            }
            None if *key == Key::Escape => self.chooser = None,
            None => {}
        }
    }

    fn update_list(&mut self, input: &Input) -> Option<Effect> {
        let longer = matches!(input, Input::Key(Key::Char(_)) | Input::Pasted(_));
        if self.find.take(input) {
            self.search(longer);
            return None;
        }
        let Input::Key(key) = input else { return None };
        if let Some(at) = moved(*key, self.at, self.matched.len().saturating_sub(1), self.height()) {
            self.at = at;
            self.keep_in_sight();
            return None;
        }
        let selected = || self.selected().map(|item| item.id.clone());
        match key {
            Key::Enter => selected().map(Effect::Open),
            Key::Ctrl('e') => selected().map(Effect::Edit),
            Key::Ctrl('b') => selected().map(Effect::Draft),
            Key::Ctrl('r') => selected().map(Effect::History),
            Key::Ctrl('a') => Some(Effect::List),
            Key::Ctrl('f') | Key::Tab => {
                self.chooser = Some(Chooser::new(&self.items, self.now));
                None
            }
            // One thing after the other, and at last it.
            Key::Escape if !self.find.0.is_empty() => {
                self.find = Typed::default();
                self.search(false);
                None
            }
            Key::Escape if !self.filters.are_none() => {
                self.filters = Filters::default();
                self.search(false);
                None
            }
            Key::Escape => Some(Effect::Leave),
            _ => None,
        }
    }

    fn update_reading(&mut self, input: &Input) -> Option<Effect> {
        let Input::Key(key) = input else { return None };
        let height = self.height() as isize;
        let note = || self.readings.last().and_then(|reading| reading.note.clone());
        match key {
            Key::Char('e') | Key::Ctrl('e') => return note().map(Effect::Edit),
            Key::Char('b') | Key::Ctrl('b') => return note().map(Effect::Draft),
            Key::Char('h') | Key::Ctrl('r') => return note().map(Effect::History),
            Key::Char('d') if !self.reading_alone => return Some(Effect::Due),
            Key::Char('?') => self.help(),
            Key::Down | Key::Char('j') | Key::Enter => self.scroll(1),
            Key::Up | Key::Char('k') => self.scroll(-1),
            Key::PageDown | Key::Char(' ' | 'f') => self.scroll(height),
            Key::PageUp | Key::Char('u') => self.scroll(-height),
            Key::Home | Key::Char('g') => self.scroll(isize::MIN),
            Key::End | Key::Char('G') => self.scroll(isize::MAX),
            Key::Char('q') | Key::Escape => {
                self.readings.pop();
                if self.reading_alone && self.readings.is_empty() {
                    return Some(Effect::Leave);
                }
            }
            _ => {}
        }
        None
    }

    fn scroll(&mut self, by: isize) {
        let height = self.height();
        if let Some(reading) = self.readings.last_mut() {
            let last = reading.lines.len().saturating_sub(height);
            reading.top = reading.top.saturating_add_signed(by).min(last);
        }
    }
}

/// Where a key leads in a list.
fn moved(key: Key, at: usize, last: usize, height: usize) -> Option<usize> {
    Some(match key {
        Key::Up => at.saturating_sub(1),
        Key::Down => (at + 1).min(last),
        Key::PageUp => at.saturating_sub(height),
        Key::PageDown => (at + height).min(last),
        Key::Home => 0,
        Key::End => last,
        _ => return None,
    })
}
