//! Finding notes: list, search.

use super::args::{FilterArgs, ListArgs, SearchArgs, SortArg};
use super::out;
use super::terminal::{self, Seen};
use super::words::{local, named, period};
use crate::app::shared::{Order, Time};
use crate::app::{Context, Error, Kind, ListQuery, NoteLine};
use serde::Serialize;

/// The longest query that is read, in bytes.
const QUERY_MAX: usize = 4096;

/// `list`.
pub(super) fn list(context: &Context<'_>, seen: &Seen<'_>, args: &ListArgs) -> Result<u8, Error> {
    let order = match args.sort {
        SortArg::Modified => Order::Modified,
        SortArg::Created => Order::Created,
        SortArg::Client => Order::Client,
        SortArg::Title => Order::Title,
        SortArg::Label => Order::Label,
    };
    let which = which(context, &args.filter, order)?;
    let nothing = match is_filtered(&args.filter) {
        true => "nothing matches; names and labels are compared as a whole",
        false => "no notes that you may read",
    };
    lines(seen, &crate::app::list(context, &which)?, nothing)
}

/// `search`.
pub(super) fn search(context: &Context<'_>, seen: &Seen<'_>, args: &SearchArgs) -> Result<u8, Error> {
    let which = which(context, &args.filter, Order::Modified)?;
    let query = query(context, seen, &args.query)?;
    let found = crate::app::search(context, &query, &which)?;
    let nothing = match is_filtered(&args.filter) {
        true => "nothing found; all words must occur, and names and labels are compared as a whole",
        false => "nothing found; all words must occur, and a word is found by how it begins",
    };
    let code = lines(seen, &found.lines, nothing)?;
    if let Some(level) = found.left_out_from {
        let level = out::one_line(&level);
        seen.remark(&format!(
            "notes from `{level}` upwards were not searched: say what for with --purpose CODE and --why TEXT"
        ));
    }
    if let Some(level) = found.shut_from {
        let level = out::one_line(&level);
        seen.remark(&format!(
            "notes from `{level}` upwards were not searched: the last sync was too long ago; `strongroom sync` first"
        ));
    }
    Ok(code)
}

/// Which notes, as the arguments say.
pub(super) fn which(context: &Context<'_>, filter: &FilterArgs, order: Order) -> Result<ListQuery, Error> {
    let (since, until) = period(context, filter.since.as_deref(), filter.until.as_deref())?;
    let asked = |what, value: &Option<String>| named(context.person, what, value.as_deref());
    Ok(ListQuery {
        titled: None,
        client: asked("client", &filter.client)?,
        case: asked("case", &filter.case)?,
        label: filter.label.clone(),
        template: filter.template.clone(),
        since,
        until,
        limit: filter.limit,
        order,
    })
}

/// Whether anything is left out.
pub(super) fn is_filtered(filter: &FilterArgs) -> bool {
    let filters = [
        &filter.client,
        &filter.case,
        &filter.label,
        &filter.template,
        &filter.since,
        &filter.until,
    ];
    filters.iter().any(|filter| filter.is_some())
}

/// The query: as arguments, asked for, or from a pipe.
fn query(context: &Context<'_>, seen: &Seen<'_>, words: &[String]) -> Result<String, Error> {
    let usage = |message: &str| Error::new(Kind::Usage, message);
    let asked = words.is_empty() || words == ["-"];
    if !asked {
        return Ok(words.join(" "));
    }
    if let Some(line) = context.person.line("search for: ") {
        return Ok(line);
    }
    if seen.terminal.facts().typed {
        return Err(usage("there is nothing to search for, and asking for it was forbidden"));
    }
    let bytes = terminal::read(seen.terminal, None)?;
    let text = String::from_utf8(bytes).ok().filter(|text| text.len() <= QUERY_MAX);
    text.ok_or_else(|| usage("what standard input holds is not a query: it takes a line of text"))
}

/// A line of a list for programs: one struct, since there may be ten thousand.
#[derive(Serialize)]
struct LineJson<'a> {
    id: String,
    title: &'a str,
    client: &'a str,
    case: &'a str,
    label: &'a str,
    modified: String,
    /// How often what was searched for occurs.
    #[serde(skip_serializing_if = "Option::is_none")]
    matches: Option<u64>,
}

/// All lines, each made when it is written.
struct LinesJson<'a, F>(&'a [NoteLine], F);

impl<'a, F: Fn(&'a NoteLine) -> LineJson<'a>> Serialize for LinesJson<'a, F> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(&self.1))
    }
}

/// Notes, a line each.
pub(super) fn lines<'a>(seen: &Seen<'_>, lines: &'a [NoteLine], nothing: &str) -> Result<u8, Error> {
    let time = |seconds| Time::from_unix(seconds).to_string();
    if seen.json {
        let line = |line: &'a NoteLine| {
            let metadata = &line.listed.metadata;
            LineJson {
                id: line.listed.note.to_string(),
                title: &metadata.title,
                client: &metadata.client,
                case: &metadata.case,
                label: &line.label,
                modified: time(metadata.modified),
                matches: (line.listed.matches > 0).then_some(line.listed.matches),
            }
        };
        seen.json(&LinesJson(lines, line))?;
        return Ok(0);
    }
    if lines.is_empty() {
        seen.remark(nothing);
        return Ok(0);
    }
    let (head, rows) = columns(lines);
    seen.table(&head, rows)?;
    Ok(0)
}

/// The same as a table.
pub(super) fn columns(lines: &[NoteLine]) -> ([&'static str; 5], Vec<Vec<String>>) {
    let row = |line: &NoteLine| {
        let metadata = &line.listed.metadata;
        let id = line.listed.note.to_string();
        let when = local(Time::from_unix(metadata.modified));
        vec![
            id[..line.listed.unique].to_owned(),
            when[..10].to_owned(),
            out::one_line(&line.label),
            out::one_line(&metadata.client),
            out::one_line(&metadata.title),
        ]
    };
    let head = ["id", "modified", "label", "client", "title"];
    (head, lines.iter().map(row).collect())
}
