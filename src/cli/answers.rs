//! What the log answers: its entries, and who saw what. As a table, as JSON lines, or as CSV; however long it is.

use super::args::{LogArgs, ResultArg, WhoArgs};
use super::out;
use super::terminal::Seen;
use super::words::{counted, named, period};
use crate::app::shared::{Outcome, Time};
use crate::app::{Answered, Context, Error, Kind, LogLine, LogQuery, WhoQuery, csv_row};

/// So many rows make a table; a longer answer is several, since a column's width is known when all of it is.
const BLOCK: usize = 500;

/// `audit log`.
pub(super) fn log(context: &Context<'_>, seen: &Seen<'_>, args: &LogArgs) -> Result<u8, Error> {
    let (since, until) = period(context, args.period.since.as_deref(), args.period.until.as_deref())?;
    let query = LogQuery {
        since,
        until,
        actor: args.actor.clone(),
        action: args.action.clone(),
        result: args.result.map(|result| match result {
            ResultArg::Done => Outcome::Done,
            ResultArg::Denied => Outcome::Denied,
            ResultArg::Failed => Outcome::Failed,
        }),
        note: args.note.clone(),
        purpose: args.for_purpose.clone(),
        limit: args.limit,
    };
    let mut page = Page::new(seen, args.csv, false);
    let answered = crate::app::log(context, &query, &mut |logs, line| page.line(logs, &line))?;
    page.end(&answered)
}

/// `audit who`.
pub(super) fn who(context: &Context<'_>, seen: &Seen<'_>, args: &WhoArgs) -> Result<u8, Error> {
    let (since, until) = period(context, args.period.since.as_deref(), args.period.until.as_deref())?;
    let client = named(context.person, "client", args.client.as_deref())?;
    if args.client.is_some() && client.is_none() {
        return Err(Error::new(
            Kind::Usage,
            "no client was named; nothing was asked of the log",
        ));
    }
    let query = WhoQuery {
        client,
        note: args.note.clone(),
        actor: args.actor.clone(),
        since,
        until,
    };
    let mut page = Page::new(seen, args.csv, true);
    let answered = crate::app::who(context, &query, &mut |logs, line| page.line(logs, &line))?;
    page.end(&answered)
}

/// How an answer is written.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Table,
    Json,
    Csv,
}

/// An answer on its way to the person.
struct Page<'s, 't> {
    seen: &'s Seen<'t>,
    form: Form,
    /// Whether each row says the client.
    clients: bool,
    logs: usize,
    rows: Vec<Vec<String>>,
    text: String,
    begun: bool,
}

impl<'s, 't> Page<'s, 't> {
    fn new(seen: &'s Seen<'t>, csv: bool, clients: bool) -> Self {
        let form = match (csv, seen.json) {
            (true, _) => Form::Csv,
            (false, true) => Form::Json,
            (false, false) => Form::Table,
        };
        Self {
            seen,
            form,
            clients,
            logs: 0,
            rows: Vec::new(),
            text: String::new(),
            begun: false,
        }
    }

    fn line(&mut self, logs: usize, line: &LogLine) -> Result<(), Error> {
        self.logs = logs;
        match self.form {
            Form::Json => self
                .text
                .push_str(&format!("{}\n", out::json_text(&line.to_json()).as_str())),
            Form::Csv => self.text.push_str(&csv_row(csv_cells(line).iter().map(String::as_str))),
            Form::Table => self.rows.push(self.row(line)),
        }
        match self.rows.len() >= BLOCK || self.text.len() >= 1 << 16 {
            true => self.flush(),
            false => Ok(()),
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let text = std::mem::take(&mut self.text);
        let rows = std::mem::take(&mut self.rows);
        let begun = std::mem::replace(&mut self.begun, true);
        match self.form {
            Form::Csv if !begun => self.seen.result(&format!("{}{text}", csv_row(CSV_HEAD))),
            Form::Table if rows.is_empty() => Ok(()),
            Form::Table => {
                let mut head = vec!["seq", "time", "who", "what", "result", "notes", "why"];
                if self.clients {
                    head.insert(6, "client");
                }
                if self.logs > 1 {
                    head.insert(0, "log");
                }
                self.seen.table(&head, rows)
            }
            Form::Json | Form::Csv => self.seen.result(&text),
        }
    }

    fn end(mut self, answered: &Answered) -> Result<u8, Error> {
        self.flush()?;
        match (answered.shown == 0 && self.form == Form::Table, answered.own) {
            (true, false) => self.seen.remark("nothing in the log answers to that"),
            (true, true) => self
                .seen
                .remark("none of your own entries answers to that; the rest is for who oversees the log"),
            // Lines for a program stay as they are: the entry of this reading says that it was of one's own.
            (false, true) if self.form != Form::Json => self
                .seen
                .remark("these are your own entries; the rest is for who oversees the log"),
            _ => {}
        }
        if answered.perhaps > 0 {
            let entries = counted(answered.perhaps, "entry is", "entries are");
            self.seen.remark(&format!(
                "{entries} about more clients than are named, and stands here because this one may be among them; \
                 `strongroom audit who --note ID` is sure"
            ));
        }
        if answered.closed > 0 {
            let entries = counted(answered.closed, "entry does", "entries do");
            self.seen.remark(&format!(
                "{entries} not open for you, so what was asked for cannot be seen there; whoever holds the auditors' key sees it"
            ));
        }
        Ok(0)
    }

    fn row(&self, line: &LogLine) -> Vec<String> {
        let notes = line.notes.iter().take(3).map(|note| note.to_string()[..8].to_owned());
        let mut notes = notes.collect::<Vec<_>>().join(" ");
        if line.notes.len() > 3 {
            notes.push_str(&format!(" +{}", line.notes.len() - 3));
        }
        let details = line.details.as_ref();
        let mut row = vec![
            line.entry.seq.to_string(),
            line.entry.time.to_string(),
            line.actor.clone(),
            out::one_line(line.verb()),
            line.result().to_owned(),
            notes,
            out::one_line(&why(line)),
        ];
        if self.clients {
            let client = details.and_then(|details| details.client.as_deref());
            row.insert(6, out::one_line(client.unwrap_or_default()));
        }
        if self.logs > 1 {
            row.insert(0, line.entry.log.to_string());
        }
        row
    }
}

/// To whom, what for and why, in a few words, and what was asked for, as it was typed.
fn why(line: &LogLine) -> String {
    let Some(details) = &line.details else {
        return "(closed to you)".to_owned();
    };
    let said = [&details.purpose, &details.reason];
    let mut why: Vec<String> = said.into_iter().flatten().cloned().collect();
    if !details.recipients.is_empty() {
        why.insert(0, format!("to {}", details.recipients.join(", ")));
    }
    if let Some(asked) = details.asked.as_deref() {
        why.push(format!("asked for `{asked}`"));
    }
    if let (Some(first), count) = (details.times.first(), details.times.len()) {
        why.push(format!(
            "{count} wrong passphrase(s), the first at {}",
            Time::from_unix(*first)
        ));
    }
    why.join(": ")
}

const CSV_HEAD: [&str; 14] = [
    "entry",
    "time",
    "who",
    "what",
    "result",
    "kind",
    "level",
    "purpose",
    "reason",
    "client",
    "recipients",
    "notes",
    "asked",
    "rules",
];

fn csv_cells(line: &LogLine) -> [String; 14] {
    let details = line.details.as_ref();
    let text = |of: fn(&crate::app::shared::Details) -> &Option<String>| {
        details.and_then(|details| of(details).clone()).unwrap_or_default()
    };
    let notes: Vec<String> = line.notes.iter().map(ToString::to_string).collect();
    [
        line.entry.place().to_string(),
        line.entry.time.to_string(),
        line.actor.clone(),
        line.verb().to_owned(),
        line.result().to_owned(),
        line.entry.kind.map_or("", |kind| kind.name()).to_owned(),
        line.level.clone().unwrap_or_default(),
        text(|details| &details.purpose),
        text(|details| &details.reason),
        text(|details| &details.client),
        details.map_or_else(String::new, |details| details.recipients.join("; ")),
        notes.join(" "),
        text(|details| &details.asked),
        details.map_or_else(String::new, |details| details.rules.join(" ")),
    ]
}
