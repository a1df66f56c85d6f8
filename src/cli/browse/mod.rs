//! `browse`: to live in the vault. The list is read once, with one entry; what is opened is opened as by `show`, an
//! entry each, durable before it is drawn.
//!
//! [`model`] and [`view`] are pure. What is here carries out what the model wants, with the use cases that the commands
//! have, and asks the person on the same screen what those ask.

mod model;
mod stage;
#[cfg(test)]
mod tests;
mod view;

use super::args::{BrowseArgs, FilterArgs};
use super::markdown::{self, Line};
use super::reading;
use super::terminal::{Act, Input, Key, Seen, Terminal};
use super::words::{counted, duration, in_time, in_words, local};
use super::{casework, config, finding, history, out};
use crate::app::shared::{Order, Passphrase, Time};
use crate::app::{
    Access, Change, Context, DraftQuery, DueQuery, Editing, Error, GitEnded, GitJob, Held, Kind, ListQuery, NewFile,
    NewFolder, NoteLine, Person, Shown, TextFrom, WrittenText, since_boot,
};
use anstyle::Effects;
use model::{Effect, Item, Model, Question, Reading, Source};
use stage::Stage;
use std::cell::{Cell, RefCell};
use std::fs::File;
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// After so long without a key a text that `show` opened is wiped.
pub(super) const LOCK_AFTER: Duration = Duration::from_secs(300);
/// The longest that is waited at once: a machine that was asleep meanwhile is found idle soon after it wakes.
const NAP: Duration = Duration::from_secs(20);

/// `browse`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, args: &BrowseArgs) -> Result<u8, Error> {
    let lock_after = duration(args.lock_after.as_deref().unwrap_or(config::LOCK_AFTER))?;
    let query = finding::which(context, &args.filter, Order::Modified)?;
    let facts = seen.terminal.facts();
    if !facts.typed || !facts.watched || !facts.may_ask {
        return Err(
            Error::new(Kind::Usage, "`browse` takes a terminal, to show and to type")
                .hint("in a script use `strongroom list`, `search` and `show`"),
        );
    }
    // The passphrase is asked for where it is asked for otherwise, before there is a screen.
    let mut own = match context.held {
        Some(_) => None,
        None => Some(Held::unlock(context)?),
    };
    let screen = Onlooker::new(seen.terminal, lock_after, facts.colour, context.now().unix())?;
    let mut access = Access::given(context.access.purpose(), context.access.reason())?;
    loop {
        let sitting = Sitting {
            context: Context {
                places: context.places.clone(),
                clock: context.clock,
                source: context.source.clone(),
                person: &screen,
                access,
                held: own.as_ref().or(context.held),
            },
            screen: &screen,
            query: &query,
            filter: &args.filter,
        };
        match sitting.hold()? {
            End::Left => return Ok(0),
            End::Locked => {}
        }
        drop(sitting);
        // With them go the keys, unless an agent holds them.
        drop(own.take());
        match screen.wait_for_somebody(context)? {
            Some(held) => own = Some(held),
            None => return Ok(0),
        }
        access = Access::default();
    }
}

/// Shows one text that was opened, until somebody has read it. Nothing of it stays on the screen.
pub(super) fn read(seen: &Seen<'_>, bar: String, source: Source, now: Time) -> Result<(), Error> {
    let screen = Onlooker::new(seen.terminal, LOCK_AFTER, seen.terminal.facts().colour, now.unix())?;
    {
        let mut model = screen.model.borrow_mut();
        model.reading_alone = true;
        model.read(Reading::new(bar, None, source));
    }
    loop {
        match screen.next()? {
            Some(Effect::Leave | Effect::Lock) => return Ok(()),
            _ => continue,
        }
    }
}

/// How a sitting ends.
enum End {
    Left,
    Locked,
}

/// The person as they sit before the screen: what a use case asks is asked there.
struct Onlooker<'t> {
    terminal: &'t dyn Terminal,
    lock_after: Duration,
    /// Since boot, when something was typed last.
    typed: Cell<Duration>,
    /// What ended a question that was not answered.
    ended: Cell<Option<bool>>,
    /// What was warned of: once is enough.
    told: RefCell<Vec<String>>,
    model: RefCell<Model>,
    stage: RefCell<Stage>,
}

/// A build with debug assertions ends by a defect where `STRONGROOM_TEST_PANIC` says so, for tests of what is left on the screen.
#[cfg(debug_assertions)]
#[allow(clippy::panic)]
fn panic_as_asked() -> ! {
    panic!("as asked for")
}

impl<'t> Onlooker<'t> {
    fn new(terminal: &'t dyn Terminal, lock_after: Duration, colour: bool, now: i64) -> Result<Self, Error> {
        let (columns, rows) = terminal.screen(Act::Show)?;
        Ok(Self {
            terminal,
            lock_after,
            typed: Cell::new(since_boot()),
            ended: Cell::new(None),
            told: RefCell::default(),
            model: RefCell::new(Model::new(columns, rows, colour, now)),
            stage: RefCell::new(Stage::new()),
        })
    }

    fn draw(&self) -> Result<(), Error> {
        let bytes = self.stage.borrow_mut().draw(&self.model.borrow());
        self.terminal.result(&bytes)
    }

    /// Draws, and gives what the person wants done next.
    fn next(&self) -> Result<Option<Effect>, Error> {
        if let Some(left) = self.ended.take() {
            return Ok(Some(if left { Effect::Leave } else { Effect::Lock }));
        }
        self.draw()?;
        #[cfg(debug_assertions)]
        if std::env::var_os("STRONGROOM_TEST_PANIC").is_some_and(|what| what == "browse") {
            panic_as_asked();
        }
        loop {
            let idle = since_boot().saturating_sub(self.typed.get());
            let left = self.lock_after.saturating_sub(idle);
            if left.is_zero() {
                return Ok(Some(Effect::Lock));
            }
            let input = self.terminal.next_input(left.min(NAP))?;
            // Whoever comes after the time is over is somebody else.
            let late = since_boot().saturating_sub(self.typed.get()) >= self.lock_after;
            match input {
                Input::Nothing => continue,
                Input::Key(_) | Input::Pasted(_) if late => return Ok(Some(Effect::Lock)),
                Input::Key(_) | Input::Pasted(_) => self.typed.set(since_boot()),
                Input::Size(..) | Input::Over => {}
            }
            return Ok(self.model.borrow_mut().update(input));
        }
    }

    /// Gives the terminal away while `work` needs it as others do.
    fn aside<T>(&self, work: impl FnOnce() -> T) -> Result<T, Error> {
        self.stage.borrow_mut().wipe();
        self.terminal.screen(Act::Hide)?;
        let done = work();
        let (columns, rows) = self.terminal.screen(Act::Show)?;
        self.typed.set(since_boot());
        let _ = self.model.borrow_mut().update(Input::Size(columns, rows));
        Ok(done)
    }

    /// Asks on the screen. `None` if it ended meanwhile, else what was said, if anything.
    fn ask(&self, prompt: &str) -> Option<Option<Zeroizing<String>>> {
        self.model.borrow_mut().question = Some(Question {
            prompt: out::plain(prompt),
            typed: model::Typed::default(),
        });
        loop {
            match self.next() {
                Ok(Some(Effect::Answer(typed))) => return Some(typed),
                Ok(None) => {}
                Ok(Some(effect)) => {
                    self.ended.set(Some(effect == Effect::Leave));
                    break;
                }
                Err(_) => {
                    self.ended.set(Some(true));
                    break;
                }
            }
        }
        self.model.borrow_mut().question = None;
        None
    }

    fn say(&self, words: &str) {
        let mut model = self.model.borrow_mut();
        let words = match model.notice.take() {
            Some(before) => format!("{}\n{words}", before.as_str()),
            None => words.to_owned(),
        };
        model.say(words);
    }

    /// Shows that it is locked, until somebody unlocks it; nothing, if they leave.
    fn wait_for_somebody(&self, context: &Context<'_>) -> Result<Option<Held>, Error> {
        self.stage.borrow_mut().wipe();
        let after = format!(
            "Enter asks for the passphrase, and q leaves. It locks after {} without use.",
            in_time(self.lock_after)
        );
        self.model.borrow_mut().lock();
        let mut drawn = false;
        loop {
            // Nobody is there, perhaps for days: it is drawn where something is new, and not after each nap.
            if !std::mem::replace(&mut drawn, true) {
                self.model
                    .borrow_mut()
                    .notice
                    .get_or_insert_with(|| Zeroizing::new(after.clone()));
                self.draw()?;
            }
            match self.terminal.next_input(NAP)? {
                Input::Key(Key::Enter) => drawn = false,
                Input::Key(Key::Char('q') | Key::Escape | Key::Ctrl('c' | 'q')) | Input::Over => return Ok(None),
                input @ Input::Size(..) => {
                    let _ = self.model.borrow_mut().update(input);
                    drawn = false;
                    continue;
                }
                _ => continue,
            }
            let again = Context {
                places: context.places.clone(),
                clock: context.clock,
                source: context.source.clone(),
                person: self,
                access: Access::default(),
                held: None,
            };
            // A command that gives the passphrase may ask for something at the terminal itself.
            match self.aside(|| Held::unlock(&again))? {
                Ok(held) => {
                    self.typed.set(since_boot());
                    let mut model = self.model.borrow_mut();
                    (model.notice, model.locked) = (None, false);
                    return Ok(Some(held));
                }
                Err(error) => self.model.borrow_mut().say(format!("{}\n\n{after}", error.message)),
            }
        }
    }
}

impl Drop for Onlooker<'_> {
    fn drop(&mut self) {
        // A terminal that is gone has been wiped by whoever held it.
        let _ = self.terminal.screen(Act::End);
    }
}

impl Person for Onlooker<'_> {
    fn passphrase(&self, prompt: &str) -> Result<Passphrase, Error> {
        self.aside(|| self.terminal.passphrase(prompt))?
    }

    fn warn(&self, text: &str) {
        let words = format!("warning: {}", out::plain(text));
        let mut told = self.told.borrow_mut();
        if !told.contains(&words) {
            self.say(&words);
            told.push(words);
        }
    }

    fn answers(&self) -> bool {
        true
    }

    fn line(&self, prompt: &str) -> Option<String> {
        // Who does not want to answer says nothing.
        let said = self.ask(prompt)?;
        Some(said.map_or_else(String::new, |said| said.as_str().to_owned()))
    }

    fn open(&self, path: &Path) -> Result<File, Error> {
        self.terminal.open(path)
    }

    fn files_in(&self, folder: &Path) -> Result<Vec<String>, Error> {
        self.terminal.files_in(folder)
    }

    fn create(&self, path: &Path) -> Result<Box<dyn NewFile>, Error> {
        self.terminal.create(path)
    }

    fn create_folder(&self, path: &Path) -> Result<Box<dyn NewFolder>, Error> {
        self.terminal.create_folder(path)
    }

    fn git(&self, job: &GitJob) -> Result<GitEnded, Error> {
        self.terminal.git(job)
    }

    fn has_editor(&self) -> bool {
        self.terminal.has_editor()
    }

    fn edit(&self, text: &[u8], ticket: &[u8], insist: bool) -> Result<Box<dyn WrittenText>, Error> {
        self.aside(|| self.terminal.edit(text, ticket, insist))?
    }

    fn left_texts(&self) -> Vec<Box<dyn WrittenText>> {
        self.terminal.left_texts()
    }
}

/// From an unlocked vault to a locked one, or to the end.
struct Sitting<'s, 't> {
    context: Context<'s>,
    screen: &'s Onlooker<'t>,
    query: &'s ListQuery,
    filter: &'s FilterArgs,
}

impl Sitting<'_, '_> {
    fn hold(&self) -> Result<End, Error> {
        // Without a list there is nothing to look at.
        self.list()?;
        if self.screen.model.borrow().items.is_empty() && finding::is_filtered(self.filter) {
            self.screen
                .say("nothing matches; names and labels are compared as a whole");
        }
        loop {
            let effect = match self.screen.next()? {
                None => continue,
                Some(Effect::Leave) => return Ok(End::Left),
                Some(Effect::Lock) => return Ok(End::Locked),
                Some(effect) => effect,
            };
            if let Err(error) = self.carry_out(effect) {
                if error.kind == Kind::Denied {
                    // It may be for what was said, and then it would be for ever.
                    self.context.ask_anew();
                }
                let hints = error.hints.iter().map(|hint| format!("\n{hint}"));
                self.screen
                    .say(&out::plain(&format!("{}{}", error.message, hints.collect::<String>())));
            }
        }
    }

    fn carry_out(&self, effect: Effect) -> Result<(), Error> {
        match effect {
            Effect::Open(id) => self.open(&id),
            Effect::Edit(id) => self.edit(&id),
            Effect::Draft(id) => self.draft(&id),
            Effect::History(id) => {
                let lines = crate::app::history(&self.context, &id)?;
                let table = history::table(&lines);
                self.read("history", Some(id), move |width, _| tabled(width, &table));
                Ok(())
            }
            Effect::Due => {
                let lines = crate::app::list_due(&self.context, &DueQuery::default())?;
                if lines.is_empty() {
                    self.screen.say("nothing is due");
                    return Ok(());
                }
                let table = casework::table(&lines);
                self.read("due", None, move |width, _| tabled(width, &table));
                Ok(())
            }
            Effect::List => self.list(),
            Effect::Why => {
                self.context.ask_anew();
                self.screen
                    .say("purpose and reason are asked for again, when the next note needs them");
                Ok(())
            }
            Effect::Answer(_) | Effect::Lock | Effect::Leave => Ok(()),
        }
    }

    fn read(&self, bar: &str, note: Option<String>, source: impl Fn(usize, bool) -> Vec<Line> + 'static) {
        let reading = Reading::new(bar, note, Box::new(source));
        self.screen.model.borrow_mut().read(reading);
    }

    /// Reads the list: one entry, whatever is looked for in it.
    fn list(&self) -> Result<(), Error> {
        let lines = crate::app::list(&self.context, self.query)?;
        let items = lines.iter().map(item).collect();
        self.screen.model.borrow_mut().list(items, self.context.now().unix());
        Ok(())
    }

    fn open(&self, id: &str) -> Result<(), Error> {
        let (bar, source) = opened(crate::app::show(&self.context, id, None)?);
        let reading = Reading::new(bar, Some(id.to_owned()), source);
        self.screen.model.borrow_mut().read(reading);
        Ok(())
    }

    fn edit(&self, id: &str) -> Result<(), Error> {
        if !self.screen.has_editor() {
            return Err(Error::new(Kind::Usage, "no editor is named")
                .hint("leave, set VISUAL or EDITOR to one, such as EDITOR=nano, and come back"));
        }
        let change = Change {
            title: None,
            client: None,
            case: None,
            at: None,
            fields: Vec::new(),
        };
        let editor = TextFrom::Editor(Editing {
            insist: false,
            take_up: false,
        });
        let revised = crate::app::edit(&self.context, id, change, Some(editor))?;
        if !revised.changed {
            self.screen.say("nothing changed, so no revision was recorded");
            return Ok(());
        }
        // What is read of it beneath is no longer so.
        let was_read = {
            let beneath = &mut self.screen.model.borrow_mut().readings;
            let before = beneath.len();
            beneath.retain(|reading| reading.note.as_deref() != Some(id));
            beneath.len() < before
        };
        self.screen
            .say(&format!("recorded as revision {}, {}", revised.revision, revised.label));
        self.list()?;
        match was_read {
            true => self.open(id),
            false => Ok(()),
        }
    }

    fn draft(&self, id: &str) -> Result<(), Error> {
        let asked = "draft a brief for which level? Enter alone takes the profile's own: ";
        let Some(Some(audience)) = self.screen.ask(asked) else {
            return Ok(());
        };
        let audience = Some(audience.trim().to_owned()).filter(|audience| !audience.is_empty());
        let drafted = crate::app::draft_brief(
            &self.context,
            &DraftQuery {
                sources: vec![id.to_owned()],
                profile: "no-names".to_owned(),
                audience,
                mask: Vec::new(),
                allow: Vec::new(),
                length: None,
                by_case: false,
                format: None,
            },
        )?;
        let removed = drafted
            .removed
            .iter()
            .map(|(kind, count)| format!("{count} {}", in_words(kind)));
        let removed = removed.collect::<Vec<_>>().join(", ");
        let (draft, id) = (drafted.draft.to_string(), &id[..8.min(id.len())]);
        let short = &draft[..8];
        let mut head = format!(
            "draft {} for {} ({})\nremoved: {}; left out whole: {}\n",
            drafted.draft,
            drafted.label,
            drafted.mark,
            if removed.is_empty() { "nothing" } else { &removed },
            counted(drafted.left_out as u64, "portion", "portions"),
        );
        for doubt in &drafted.doubtful {
            head.push_str(&format!("doubtful: `{}` ({})\n", out::one_line(&doubt.text), doubt.why));
        }
        head.push_str(match drafted.doubtful.is_empty() {
            true => format!("to release it: strongroom brief release {short} --to NAME\n"),
            false => format!("before it can be released, draft it again: strongroom brief draft {id} --mask WORD, or --allow WORD\n"),
        }
        .as_str());
        let (head, text) = (Zeroizing::new(head), Zeroizing::new(drafted.text.clone()));
        self.read(&drafted.label, None, move |width, _| {
            let mut lines: Vec<Line> = head
                .lines()
                .flat_map(|line| markdown::wrap(Effects::new(), line, width))
                .collect();
            lines.push(Line::default());
            // As `show` shows it: all that leaves is to be seen.
            lines.extend(markdown::as_written(&text, width.min(reading::WIDEST)));
            lines
        });
        Ok(())
    }
}

/// An opened note as it is read: what stands above it at all times, and the rest.
pub(super) fn opened(shown: Shown) -> (String, Source) {
    let bar = format!("{} · {}", out::one_line(&shown.label), shown.mark);
    (bar, Box::new(move |width, colour| reading::page(&shown, width, colour)))
}

fn item(line: &NoteLine) -> Item {
    let metadata = &line.listed.metadata;
    let day = local(Time::from_unix(metadata.modified))[..10].to_owned();
    Item::new(
        line.listed.note.to_string(),
        &metadata.title,
        &metadata.client,
        &line.label,
        metadata.modified,
        day,
    )
}

/// A table in lines of that width.
fn tabled(width: usize, table: &(Vec<&'static str>, Vec<Vec<String>>)) -> Vec<Line> {
    let width = u16::try_from(width).unwrap_or(u16::MAX);
    let text = Zeroizing::new(out::table(Some(width), &table.0, table.1.clone()));
    let line = |line: &str| Line(vec![markdown::Span::new(Effects::new(), line)]);
    text.lines().map(line).collect()
}
