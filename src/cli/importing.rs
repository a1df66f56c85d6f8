//! `import`.

use super::out;
use super::terminal::{self, Seen};
use super::words::{counted, size};
use crate::app::{Context, Error, ImportPlan, ImportQuery, Imported, Kind, LeftOut, SourceKind};
use clap::{Args as ClapArgs, ValueEnum};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(super) const AFTER: &str = "\
Examples:
  strongroom import ~/notes --dry-run                  shows what would become of it
  strongroom import ~/notes --label confidential --rules rules.toml
  strongroom import ~/.password-store --client Halcyon
  strongroom import visits.csv --column body=Remarks --column title=Place --column id=No

What would be done is shown first, and asked about; --yes does not ask. Every note is an entry, as \
with `add`. If it is broken off, give it again: what is there already is recognised, and nothing \
comes twice. The source is only read; what lies there in clear stays there until you remove it.

Stores of pass and passage are opened by your own gpg or age, one file at a time, and nothing of it \
is written to a disk. Of a folder .md, .markdown and .txt are taken, with the title, date, client, \
case, tags and fields of plain front matter; front matter that is not all understood stays in the \
text. Of a table each row is a note, and its first row names the columns: body, title, date, client, \
case, label, tags, id, and field.NAME for a field. Rows with an id are recognised when they change. \
Symbolic links and hidden files are left out.

With --attach a file goes to the note among whose attachments it lies (gate.files, beside gate.md), or \
to the one whose text names it: by its path from there or from the top, or by its bare name from its \
own folder or one above. The nearest text has it. Where several are as near, or where the rules skip \
it or give it another label than its note has, it is left out and named; so it is where they give it \
none, and it lies in another folder among texts of another label.

Rules (--rules FILE, TOML) say what becomes of what; the first that fits and says something counts:
  [[rule]]
  path = \"clients/halcyon/**\"        or column = \"kind\" and is = \"incident*\"
  label = \"confidential/Halcyon\"     also client, case, template, title; or skip = true
In a client, case or title, {name}, {path}, {folder} and {top} stand for parts of the path. A table \
[columns] says what --column says. A label above your clearance is refused before anything is done.

Exit codes: 0 all of it is here, 1 something could not be taken and is named, 3 denied.";

#[derive(Clone, Copy, ValueEnum)]
enum FromArg {
    // No docstrings here, for the same reason as for the formats.
    Pass,
    Passage,
    Folder,
    Csv,
}

#[derive(ClapArgs)]
pub(super) struct ImportArgs {
    /// The store, folder or table
    source: PathBuf,
    /// What it is [default: guessed where that is plain]
    #[arg(long, value_enum, value_name = "KIND")]
    from: Option<FromArg>,
    /// Rules for labels, clients, cases, templates and titles
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Which column of a table holds what, such as body=Remarks
    #[arg(long = "column", value_name = "WHAT=NAME")]
    columns: Vec<String>,
    /// Label of what no rule gives one [default: as for add]
    #[arg(long)]
    label: Option<String>,
    /// Client of what is given no other
    #[arg(long)]
    client: Option<String>,
    /// Case of what is given no other
    #[arg(long)]
    case: Option<String>,
    /// Template of what is given no other
    #[arg(long, value_name = "TEMPLATE")]
    template: Option<String>,
    /// Take labels from front matter, or from a column that is called label
    #[arg(long)]
    labels_within: bool,
    /// Identities for age [default: those of passage]
    #[arg(long, value_name = "FILE")]
    age_identity: Option<PathBuf>,
    /// Attach pictures and other files to the notes that name them
    #[arg(long)]
    attach: bool,
    /// Take what has the text of another note too
    #[arg(long)]
    keep_duplicates: bool,
    /// Record what changed in the source since as new revisions
    #[arg(long)]
    update: bool,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
}

/// `import`.
pub(super) fn run(context: &Context<'_>, seen: &Seen<'_>, args: &ImportArgs) -> Result<u8, Error> {
    let facts = seen.terminal.facts();
    let may_go_on = args.dry_run || seen.yes || (facts.may_ask && facts.typed);
    if !may_go_on {
        return Err(Error::new(
            Kind::Usage,
            "an import is looked at before it is done, and nobody can be asked here",
        )
        .hint("--dry-run shows what would be done, --yes does it without asking"));
    }
    let query = query(seen, args)?;
    let mut ask = |plan: &ImportPlan| {
        if !seen.json || !seen.yes {
            tell(seen, plan);
        }
        match (args.dry_run, seen.yes) {
            (true, _) => Ok(false),
            (false, true) => Ok(true),
            (false, false) => {
                let answer = seen.terminal.line("import this? [y/N] ");
                Ok(answer.is_some_and(|answer| ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())))
            }
        }
    };
    let imported = crate::app::import(context, &query, &mut ask)?;
    if imported.plan.is_empty() && (!seen.json || !seen.yes) {
        tell(seen, &imported.plan);
    }
    if seen.json {
        seen.json(&as_json(&imported, args.dry_run))?;
    } else if args.dry_run {
        seen.remark("nothing was imported: this was a look");
    } else if !imported.done {
        seen.remark("nothing was imported");
    } else {
        done(seen, &imported);
    }
    // Thousands of files of their own make every look slower. Whether they can be packed now is no matter of the import.
    while imported.done && crate::app::tidy(&context.places).unwrap_or(false) {}
    let faults = imported.plan.faults();
    if faults > 0 && seen.quiet && !seen.json {
        let words = counted(faults as u64, "thing", "things");
        context
            .person
            .warn(&format!("{words} could not be taken; without --quiet they are named"));
    }
    Ok(u8::from(faults > 0))
}

fn query(seen: &Seen<'_>, args: &ImportArgs) -> Result<ImportQuery, Error> {
    let rules = match &args.rules {
        None => None,
        Some(path) => Some((
            path.to_string_lossy().into_owned(),
            terminal::read(seen.terminal, Some(path))?,
        )),
    };
    let column = |text: &String| match text.split_once('=') {
        Some((what, name)) => Ok((what.trim().to_owned(), name.to_owned())),
        None => Err(Error::new(
            Kind::Usage,
            format!("`{}` names no column: --column body=NAME", out::one_line(text)),
        )),
    };
    Ok(ImportQuery {
        source: args.source.clone(),
        kind: args.from.map(|from| match from {
            FromArg::Pass => SourceKind::Pass,
            FromArg::Passage => SourceKind::Passage,
            FromArg::Folder => SourceKind::Folder,
            FromArg::Csv => SourceKind::Csv,
        }),
        rules,
        columns: args.columns.iter().map(column).collect::<Result<_, _>>()?,
        label: args.label.clone(),
        client: args.client.clone(),
        case: args.case.clone(),
        template: args.template.clone(),
        labels_within: args.labels_within,
        age_identity: args.age_identity.clone(),
        attach: args.attach,
        keep_duplicates: args.keep_duplicates,
        update: args.update,
    })
}

/// How many are named of what is left out, if not all are asked for.
const NAMED: usize = 8;

/// Tells what would be done.
fn tell(seen: &Seen<'_>, plan: &ImportPlan) {
    seen.remark(&format!("from {} ({}):", out::one_line(&plan.source), plan.kind));
    let notes = |count: usize| counted(count as u64, "note", "notes");
    seen.remark(&match plan.new {
        0 => "  nothing new".to_owned(),
        new => format!("  new: {}, {}", notes(new), size(plan.bytes)),
    });
    for (what, counts) in [
        ("label", &plan.labels),
        ("client", &plan.clients),
        ("case", &plan.cases),
    ] {
        if !counts.is_empty() {
            seen.remark(&format!("    by {what}: {}", shares(counts)));
        }
    }
    if !plan.moved.is_empty() {
        seen.remark(&format!(
            "  of the new ones, perhaps imported before from another place, and changed since: {}",
            plan.moved.len()
        ));
        list(
            seen,
            plan.moved.iter().map(|left| (left.path.as_str(), left.why.as_str())),
        );
    }
    if plan.attachments > 0 {
        let files = counted(plan.attachments as u64, "file", "files");
        seen.remark(&format!("  to attach: {files}"));
    }
    if plan.there > 0 {
        seen.remark(&format!("  here already: {}", notes(plan.there)));
    }
    if !plan.updates.is_empty() {
        seen.remark(&format!(
            "  changed there, to be revised: {}",
            notes(plan.updates.len())
        ));
        list(seen, plan.updates.iter().map(|path| (path.as_str(), "")));
    }
    let parts = |left: &'_ [LeftOut]| {
        left.iter()
            .map(|left| (left.path.clone(), left.why.clone()))
            .collect::<Vec<_>>()
    };
    for (words, left) in [
        ("changed there, left as they are here", &plan.changed),
        ("duplicates, left out", &plan.duplicates),
        ("left out", &plan.skipped),
    ] {
        if !left.is_empty() {
            seen.remark(&format!("  {words}: {}", left.len()));
            let parts = parts(left);
            list(seen, parts.iter().map(|(path, why)| (path.as_str(), why.as_str())));
        }
    }
    if !plan.columns_left.is_empty() {
        let names: Vec<String> = plan.columns_left.iter().map(|name| out::one_line(name)).collect();
        seen.remark(&format!("  columns that nothing is taken from: {}", names.join(", ")));
    }
    if plan.labels_left > 0 {
        let (labels, were, them) = match plan.labels_left {
            1 => ("1 label".to_owned(), "was", "it"),
            left => (counted(left as u64, "label", "labels"), "were", "them"),
        };
        seen.remark(&format!(
            "  {labels} in the source {were} not taken; --labels-within takes {them}"
        ));
    }
}

/// Names the first of them, or all.
fn list<'l>(seen: &Seen<'_>, lines: impl ExactSizeIterator<Item = (&'l str, &'l str)>) {
    let count = lines.len();
    let shown = if seen.verbose { count } else { NAMED };
    for (path, why) in lines.take(shown) {
        let path = out::one_line(path);
        seen.remark(&match why {
            "" => format!("    {path}"),
            why => format!("    {path}: {}", out::one_line(why)),
        });
    }
    if count > shown {
        seen.remark(&format!("    and {} more; --verbose names them", count - shown));
    }
}

/// Names with their counts, the largest first.
fn shares(counts: &BTreeMap<String, usize>) -> String {
    let mut sorted: Vec<(&String, &usize)> = counts.iter().collect();
    sorted.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let more = sorted.len().saturating_sub(NAMED);
    let shown = sorted
        .iter()
        .take(NAMED)
        .map(|(name, count)| format!("{} {count}", out::one_line(name)));
    let mut words: Vec<String> = shown.collect();
    if more > 0 {
        words.push(format!("{more} others"));
    }
    words.join(", ")
}

fn done(seen: &Seen<'_>, imported: &Imported) {
    let plan = &imported.plan;
    let notes = |count: usize| counted(count as u64, "note", "notes");
    if imported.written + imported.updated + imported.attached > 0 || plan.there > 0 {
        let mut words = vec![format!("imported: {}", notes(imported.written))];
        if imported.updated > 0 {
            words.push(format!("{} revised", imported.updated));
        }
        if imported.attached > 0 {
            words.push(format!(
                "{} attached",
                counted(imported.attached as u64, "file", "files")
            ));
        }
        seen.remark(&words.join(", "));
    }
    let faults = plan.faults();
    if faults > 0 {
        seen.remark(&format!("  {faults} could not be taken; they are named above"));
    }
    if plan.in_clear > 0 {
        let texts = counted(plan.in_clear as u64, "text lies", "texts lie");
        seen.remark(&format!(
            "  {texts} in {} in clear, as before: look at what is here, then remove them, and their copies in backups and \
             elsewhere",
            out::one_line(&plan.source)
        ));
    }
}

fn as_json(imported: &Imported, dry_run: bool) -> Value {
    let plan = &imported.plan;
    let left = |left: &[LeftOut]| -> Vec<Value> {
        let one = |left: &LeftOut| json!({ "path": left.path, "why": left.why, "fault": left.is_fault });
        left.iter().map(one).collect()
    };
    json!({
        "source": plan.source,
        "from": plan.kind,
        "dry_run": dry_run,
        "new": plan.new,
        "written": imported.written,
        "updated": imported.updated,
        "attached": imported.attached,
        "there": plan.there,
        "labels": plan.labels,
        "clients": plan.clients,
        "cases": plan.cases,
        "moved": left(&plan.moved),
        "changed": left(&plan.changed),
        "duplicates": left(&plan.duplicates),
        "skipped": left(&plan.skipped),
        "columns_left": plan.columns_left,
        "labels_left": plan.labels_left,
        "in_clear": plan.in_clear,
    })
}
