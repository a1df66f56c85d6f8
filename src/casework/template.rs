//! Templates: `templates/NAME.toml` in the policies. A template names fields, sections, clocks and what has to be there
//! before a note of it is closed.

use super::field::{Condition, Field, FieldKind, Needed, Never};
use super::reserved;
use crate::chain::Card;
use crate::label::Level;
use crate::policy::{BadPolicy, Period, line_with, read_toml};
use serde::Deserialize;

/// The most fields of a template, sections, and clocks.
const MANY: usize = 48;
/// The most room that handlers may take in a field, beside one who is none.
const HANDLERS_LEN: usize = 160;

/// How a recorded note may be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Amend {
    /// By revisions, as any note.
    #[default]
    Freely,
    /// By addenda alone: what was said stays where it stands.
    Addenda,
}

/// A part of the text under a heading of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// What belongs there.
    pub hint: Option<String>,
    /// Its portion mark, if it has one.
    pub mark: Option<Level>,
    /// When it has to be filled.
    pub needed: Needed,
}

/// From when a clock runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Start {
    /// From when it happened, or was recorded if nothing is said of that.
    Happened,
    /// From the first revision.
    Recorded,
    /// From a moment or a day that a field names.
    Field(String),
}

/// A clock: something is due.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clock {
    /// What is due.
    pub name: String,
    /// From when.
    pub start: Start,
    /// How long after; at once if nothing is said.
    pub after: Option<Period>,
    /// The field that stops it; closing stops every clock but one that says it begins there.
    pub stops: Option<String>,
    /// Only then.
    pub only_if: Option<Condition>,
    /// Why, as a rule or law says.
    pub because: Option<String>,
    /// Whether closing stops it too.
    pub beyond_closing: bool,
}

/// Other notes that have to point to this one before it is closed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkedRule {
    /// Of which template.
    pub template: String,
    /// With which of their fields.
    pub by: String,
    /// How many.
    pub at_least: usize,
    /// Whether they have to be closed.
    pub closed: bool,
    /// How that is called.
    pub words: String,
}

/// What has to be so before a note is closed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Closing {
    /// Of each list one field at least.
    pub one_of: Vec<Vec<String>>,
    /// Other notes.
    pub linked: Vec<LinkedRule>,
    /// Whether blame, jargon and open slots stop it.
    pub wording: bool,
    /// The field that names the level nothing in the text may be above.
    pub up_to: Option<String>,
}

/// What a brief of such a note asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BriefRule {
    /// Whether it has to be closed itself.
    pub closed: bool,
    /// Only of briefs for this level or a wider circle.
    pub up_to: Level,
    /// The note that has to be there, closed.
    pub needs: Option<LinkedRule>,
    /// Whether a second person approves its release at any level.
    pub second_person: bool,
}

/// Who may not write or close such a note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Barred {
    /// The field that names the note it is about.
    pub link: String,
    /// A field of that note with people, or none for its author.
    pub people: Option<String>,
}

/// One template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    /// Its name, that of its file.
    pub name: String,
    /// What a note of it is called.
    pub title: String,
    /// What it is for, in a line.
    pub about: String,
    /// The beginning of its numbers, if its notes are numbered.
    pub number: Option<String>,
    /// How its notes are changed.
    pub amend: Amend,
    /// Who handles it, by handle, where that is said.
    pub handlers: Vec<String>,
    /// The rubric that grades it.
    pub rubric: Option<String>,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Its sections.
    pub sections: Vec<Section>,
    /// Its clocks.
    pub clocks: Vec<Clock>,
    /// Whom it bars.
    pub barred: Vec<Barred>,
    /// Who is no second person for it, beside whom it bars: a field of its own with people, or none for whoever recorded it.
    pub not_second: Vec<Option<String>>,
    /// What closing asks.
    pub closing: Closing,
    /// What briefs ask.
    pub brief: Option<BriefRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct File {
    title: String,
    about: String,
    number: Option<String>,
    #[serde(default)]
    amend: Amend,
    #[serde(default)]
    handlers: Vec<String>,
    rubric: Option<String>,
    #[serde(default)]
    barred: Vec<String>,
    #[serde(default)]
    not_second: Vec<String>,
    #[serde(default)]
    field: Vec<FieldRow>,
    #[serde(default)]
    section: Vec<SectionRow>,
    #[serde(default)]
    clock: Vec<ClockRow>,
    #[serde(default)]
    closing: ClosingRow,
    brief: Option<BriefRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct FieldRow {
    name: String,
    ask: String,
    #[serde(default)]
    kind: FieldKind,
    #[serde(default)]
    needed: Needed,
    #[serde(default)]
    choices: Vec<String>,
    #[serde(rename = "if")]
    only_if: Option<String>,
    template: Option<String>,
    not_after: Option<String>,
    not_before: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct SectionRow {
    heading: String,
    hint: Option<String>,
    mark: Option<String>,
    #[serde(default)]
    needed: Needed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct ClockRow {
    name: String,
    from: String,
    after: Option<String>,
    stops: Option<String>,
    #[serde(rename = "if")]
    only_if: Option<String>,
    because: Option<String>,
    #[serde(default)]
    beyond_closing: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct ClosingRow {
    #[serde(default)]
    one_of: Vec<Vec<String>>,
    #[serde(default)]
    linked: Vec<LinkedRow>,
    #[serde(default)]
    wording: bool,
    up_to: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct LinkedRow {
    template: String,
    by: String,
    #[serde(default = "one")]
    at_least: usize,
    #[serde(default)]
    closed: bool,
    words: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct BriefRow {
    #[serde(default)]
    closed: bool,
    up_to: String,
    needs: Option<LinkedRow>,
    #[serde(default)]
    second_person: bool,
}

fn one() -> usize {
    1
}

impl From<LinkedRow> for LinkedRule {
    fn from(row: LinkedRow) -> Self {
        Self {
            template: row.template,
            by: row.by,
            at_least: row.at_least,
            closed: row.closed,
            words: row.words,
        }
    }
}

/// A name as files, fields and templates have them.
pub(super) fn is_name(text: &str) -> bool {
    (1..=40).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A line for people.
pub(super) fn is_line(text: &str) -> bool {
    let length = text.chars().count();
    (1..=200).contains(&length) && text.trim() == text && !text.chars().any(char::is_control)
}

impl Template {
    /// The path of the template of that name in the policies.
    pub fn path(name: &str) -> String {
        format!("templates/{name}.toml")
    }

    /// The name of the template in a file, if the file is one of a template.
    pub fn name_of(path: &str) -> Option<&str> {
        path.strip_prefix("templates/")?.strip_suffix(".toml")
    }

    /// Reads a template, strictly: unknown keys, names that nothing has and values that cannot be are refused, each with its
    /// line.
    pub fn parse(name: &str, text: &str) -> Result<Self, BadPolicy> {
        let path = Self::path(name);
        let file: File = read_toml(&path, text)?;
        let wrong = |near: &str, reason: String| BadPolicy::wrong(&path, line_with(text, near), reason);
        if !is_name(name) {
            return Err(wrong(
                name,
                format!("`{name}` is no name for a template: use a–z, 0–9 and `-`"),
            ));
        }
        for line in [&file.title, &file.about] {
            if !is_line(line) {
                return Err(wrong(
                    line,
                    "a title or a purpose is one line of 1 to 200 characters".into(),
                ));
            }
        }
        if let Some(number) = file.number.as_deref().filter(|number| !is_prefix(number)) {
            return Err(wrong(
                number,
                format!("`{number}` begins no numbers: use 1 to 8 capitals"),
            ));
        }
        if [file.field.len(), file.section.len(), file.clock.len()]
            .into_iter()
            .any(|count| count > MANY)
        {
            return Err(wrong(
                name,
                format!("a template has at most {MANY} fields, sections and clocks"),
            ));
        }
        if let Some(handler) = file
            .handlers
            .iter()
            .find(|handler| Card::check_handle(handler).is_err())
        {
            return Err(wrong(
                handler,
                format!(
                    "`{}` is nobody's handle: write it as `strongroom member list` does",
                    handler.escape_debug()
                ),
            ));
        }
        let length: usize = file.handlers.iter().map(|handler| handler.len() + 3).sum();
        if length > HANDLERS_LEN {
            return Err(wrong(
                "handlers",
                "these are more handlers than one record can name".into(),
            ));
        }
        let fields = fields(file.field, &wrong)?;
        let sections = sections(file.section, &wrong)?;
        let known = |field: &str| fields.iter().find(|known| known.name == field);
        let named = |field: &str| match known(field) {
            Some(_) => Ok(()),
            None => Err(wrong(
                &format!("\"{field}"),
                format!("there is no field `{field}` in this template"),
            )),
        };
        for condition in fields.iter().filter_map(|field| field.only_if.as_ref()) {
            named(&condition.field)?;
        }
        let mut clocks = Vec::new();
        for row in file.clock {
            let clock = clock(row, &wrong)?;
            let start = match &clock.start {
                Start::Field(field) => Some(field),
                _ => None,
            };
            start
                .into_iter()
                .chain(&clock.stops)
                .try_for_each(|field| named(field))?;
            clock.only_if.iter().try_for_each(|condition| named(&condition.field))?;
            if let Some(field) = start.and_then(|field| known(field))
                && !matches!(field.kind, FieldKind::Time | FieldKind::Date)
            {
                let reason = format!(
                    "`{}` is neither a time nor a date, so no clock runs from it",
                    field.name
                );
                return Err(wrong(&clock.name, reason));
            }
            clocks.push(clock);
        }
        let one_of = file.closing.one_of;
        one_of
            .iter()
            .flatten()
            .chain(&file.closing.up_to)
            .try_for_each(|field| named(field))?;
        let mut barred = Vec::new();
        for text in &file.barred {
            let (link, people) = text.split_once(':').unwrap_or((text, ""));
            match known(link) {
                Some(field) if field.kind == FieldKind::Note => barred.push(Barred {
                    link: link.to_owned(),
                    people: (people != "author").then(|| people.to_owned()),
                }),
                _ => {
                    return Err(wrong(
                        text,
                        format!("`{text}` names nobody: write `FIELD:author` or `FIELD:PEOPLE`, where FIELD is a note"),
                    ));
                }
            }
        }
        let mut not_second = Vec::new();
        for text in &file.not_second {
            match known(text) {
                _ if text == "author" => not_second.push(None),
                Some(field) if field.kind == FieldKind::People => not_second.push(Some(text.clone())),
                _ => {
                    return Err(wrong(
                        &format!("\"{text}\""),
                        format!("`{text}` names nobody: write `author`, or a field with people"),
                    ));
                }
            }
        }
        let brief = file.brief.map(|row| {
            let up_to = Level::ALL.into_iter().find(|level| level.name() == row.up_to);
            let up_to = up_to.ok_or_else(|| {
                let levels = Level::ALL.map(Level::name).join(", ");
                wrong(
                    &format!("\"{}\"", row.up_to),
                    format!("`{}` is no level: use {levels}", row.up_to),
                )
            })?;
            Ok(BriefRule {
                closed: row.closed,
                up_to,
                needs: row.needs.map(LinkedRule::from),
                second_person: row.second_person,
            })
        });
        Ok(Self {
            name: name.to_owned(),
            title: file.title,
            about: file.about,
            number: file.number,
            amend: file.amend,
            handlers: file.handlers,
            rubric: file.rubric,
            fields,
            sections,
            clocks,
            barred,
            not_second,
            closing: Closing {
                one_of,
                linked: file.closing.linked.into_iter().map(LinkedRule::from).collect(),
                wording: file.closing.wording,
                up_to: file.closing.up_to,
            },
            brief: brief.transpose()?,
        })
    }

    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The text that somebody begins with: its headings, with what belongs there.
    pub fn outline(&self) -> String {
        let mut outline = String::new();
        for section in &self.sections {
            let mark = section
                .mark
                .map(|level| format!("({}) ", level.portion_mark()))
                .unwrap_or_default();
            outline.push_str(&format!("## {mark}{}\n", section.heading));
            outline.extend(section.hint.as_deref().map(hint_line));
            outline.push('\n');
        }
        outline
    }

    /// What an addendum begins with: the headings under which nothing stands yet.
    pub fn open_outline(&self, text: &str) -> String {
        let written = super::closing::sections_of(text);
        let filled = |section: &&Section| {
            let mut of = written.iter().filter(|(heading, _)| *heading == section.heading);
            of.any(|(_, body)| super::closing::says_something(body))
        };
        let open = self.sections.iter().filter(|section| !filled(section)).cloned();
        let open = Self {
            sections: open.collect(),
            ..self.clone()
        };
        open.outline()
    }

    /// An addendum as it is recorded: without hints, and without headings under which nothing was written.
    pub fn trimmed(&self, text: &str) -> String {
        let mut kept = String::new();
        let mut pending: Option<String> = None;
        for line in self.without_hints(text) {
            let heading = super::closing::sections_of(line)
                .first()
                .map(|(heading, _)| (*heading).to_owned());
            let own = heading.is_some_and(|heading| self.sections.iter().any(|section| section.heading == heading));
            match (own, line.trim().is_empty()) {
                (true, _) => pending = Some(format!("{line}\n\n")),
                (false, true) if pending.is_some() => {}
                (false, _) => {
                    kept.extend(pending.take());
                    kept.push_str(line);
                    kept.push('\n');
                }
            }
        }
        kept
    }

    fn without_hints<'t>(&self, text: &'t str) -> Vec<&'t str> {
        let hints = self.sections.iter().filter_map(|section| section.hint.as_deref());
        let hints: Vec<String> = hints.map(hint_line).collect();
        let is_hint = |line: &&str| hints.iter().any(|hint| hint.trim_end() == line.trim_end());
        // Written anew it ends in one line feed: of returns before that each time round would take one more.
        let lines = text.lines().map(|line| line.trim_end_matches('\r'));
        lines.filter(|line| !is_hint(line)).collect()
    }

    /// A text as it is recorded: hints that nobody took out are gone, and what stands under no heading of the template goes
    /// under its first.
    pub fn fitted(&self, text: &str) -> String {
        let kept = self.without_hints(text);
        let found = super::closing::sections_of(text);
        let headed = found
            .iter()
            .any(|(heading, _)| self.sections.iter().any(|section| section.heading == *heading));
        let mut fitted = kept.join("\n");
        if text.ends_with('\n') && !fitted.is_empty() {
            fitted.push('\n');
        }
        if headed || self.sections.is_empty() {
            return fitted;
        }
        let outline = self.outline();
        let mut lines = self.without_hints(&outline).into_iter();
        let first = lines.next().unwrap_or_default();
        let rest: Vec<&str> = lines.collect();
        format!("{first}\n\n{}\n{}\n", fitted.trim_end(), rest.join("\n"))
    }
}

fn hint_line(hint: &str) -> String {
    format!("<!-- {hint} -->\n")
}

fn is_prefix(text: &str) -> bool {
    (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase())
}

type Wrong<'a> = &'a dyn Fn(&str, String) -> BadPolicy;

fn fields(rows: Vec<FieldRow>, wrong: Wrong<'_>) -> Result<Vec<Field>, BadPolicy> {
    let mut fields: Vec<Field> = Vec::new();
    for row in rows {
        let near = format!("\"{}\"", row.name);
        let refuse = |reason: String| Err(wrong(&near, reason));
        if !is_name(&row.name) {
            return refuse(format!(
                "`{}` is no name for a field: use a–z, 0–9 and `-`",
                row.name.escape_debug()
            ));
        }
        if reserved::ALL.contains(&row.name.as_str()) {
            return refuse(format!(
                "`{}` is a field that the program writes: choose another name",
                row.name
            ));
        }
        if fields.iter().any(|known| known.name == row.name) {
            return refuse(format!("there are two fields `{}`", row.name));
        }
        if !is_line(&row.ask) {
            return refuse(format!("what `{}` asks is one line of 1 to 200 characters", row.name));
        }
        let chooses = matches!(row.kind, FieldKind::Choice | FieldKind::Tags);
        let sound = row
            .choices
            .iter()
            .all(|choice| is_line(choice) && !choice.contains(','));
        if chooses == row.choices.is_empty() || !sound || row.choices.len() > MANY {
            return refuse(format!(
                "`{}`: a choice or tags have `choices`, without commas, and nothing else has",
                row.name
            ));
        }
        if row.template.is_some() && row.kind != FieldKind::Note {
            return refuse(format!("`{}`: only a note has a `template`", row.name));
        }
        let dated = matches!(row.kind, FieldKind::Time | FieldKind::Date);
        let never = match (row.not_after.as_deref(), row.not_before.as_deref()) {
            (None, None) => None,
            (Some("now"), None) if dated => Some(Never::Future),
            (None, Some("now")) if dated => Some(Never::Past),
            _ => {
                return refuse(format!(
                    "`{}`: a time or a date has `not_after = \"now\"` or `not_before = \"now\"`, one of them",
                    row.name
                ));
            }
        };
        fields.push(Field {
            never,
            name: row.name,
            ask: row.ask,
            kind: row.kind,
            needed: row.needed,
            choices: row.choices,
            only_if: row.only_if.as_deref().map(Condition::read),
            template: row.template,
        });
    }
    Ok(fields)
}

fn sections(rows: Vec<SectionRow>, wrong: Wrong<'_>) -> Result<Vec<Section>, BadPolicy> {
    let mut sections: Vec<Section> = Vec::new();
    for row in rows {
        let near = format!("\"{}\"", row.heading);
        let refuse = |reason: String| Err(wrong(&near, reason));
        if !is_line(&row.heading) || row.heading.starts_with(['#', '(']) {
            return refuse("a heading is one line of 1 to 200 characters, without `#` and without a mark".into());
        }
        if sections.iter().any(|known| known.heading == row.heading) {
            return refuse(format!("there are two sections `{}`", row.heading));
        }
        if row
            .hint
            .as_deref()
            .is_some_and(|hint| !is_line(hint) || hint.contains("--"))
        {
            return refuse(format!(
                "the hint of `{}` is one line of 1 to 200 characters, without `--`",
                row.heading
            ));
        }
        let letter = row
            .mark
            .as_deref()
            .and_then(|mark| mark.chars().next().filter(|_| mark.len() == 1));
        let mark = letter.and_then(Level::from_portion_mark);
        if let (Some(mark), None) = (&row.mark, mark) {
            return refuse(format!(
                "`{}` is no portion mark: use the letter of a level, such as C",
                mark.escape_debug()
            ));
        }
        sections.push(Section {
            heading: row.heading,
            hint: row.hint,
            mark,
            needed: row.needed,
        });
    }
    Ok(sections)
}

fn clock(row: ClockRow, wrong: Wrong<'_>) -> Result<Clock, BadPolicy> {
    if !is_line(&row.name) || row.because.as_deref().is_some_and(|because| !is_line(because)) {
        return Err(wrong(
            &row.name,
            "what a clock is called is one line of 1 to 200 characters".into(),
        ));
    }
    let after = row.after.as_deref().map(str::parse::<Period>).transpose();
    let after = after.map_err(|bad| wrong(row.after.as_deref().unwrap_or_default(), bad.to_string()))?;
    Ok(Clock {
        name: row.name,
        start: match row.from.as_str() {
            "happened" => Start::Happened,
            "recorded" => Start::Recorded,
            field => Start::Field(field.to_owned()),
        },
        after,
        stops: row.stops,
        only_if: row.only_if.as_deref().map(Condition::read),
        because: row.because,
        beyond_closing: row.beyond_closing,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BASE: &str = "title = \"Thing\"\nabout = \"Something\"\n";

    fn refusal(more: &str) -> String {
        Template::parse("x", &format!("{BASE}{more}\n"))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn bad_templates_are_refused_with_line_and_reason() {
        let field = |more: &str| format!("[[field]]\nname = \"a\"\nask = \"A?\"\n{more}");
        for (more, told) in [
            ("colour = 1".to_owned(), "line 3: unknown field `colour`"),
            (
                "handlers = [\"@mara\"]".to_owned(),
                "line 3: `@mara` is nobody's handle: write it as `strongroom member list` does",
            ),
            (
                format!("handlers = [{}]", ["\"m234567890123456\""; 9].join(", ")),
                "line 3: these are more handlers than one record can name",
            ),
            (
                "number = \"inc\"".to_owned(),
                "line 3: `inc` begins no numbers: use 1 to 8 capitals",
            ),
            (field("kind = \"colour\""), "line 6: unknown variant `colour`"),
            (
                field("kind = \"choice\""),
                "line 4: `a`: a choice or tags have `choices`",
            ),
            (
                field("choices = [\"x\"]"),
                "line 4: `a`: a choice or tags have `choices`",
            ),
            (
                field("kind = \"date\"\nnot_after = \"tomorrow\""),
                "line 4: `a`: a time or a date has `not_after = \"now\"`",
            ),
            (
                field("not_before = \"now\""),
                "line 4: `a`: a time or a date has `not_after = \"now\"`",
            ),
            (
                format!("not_second = [\"a\"]\n{}", field("")),
                "line 3: `a` names nobody: write `author`, or a field with people",
            ),
            (
                field("template = \"action\""),
                "line 4: `a`: only a note has a `template`",
            ),
            (field("if = \"b=yes\""), "there is no field `b` in this template"),
            (field(&field("")), "line 4: there are two fields `a`"),
            (
                "[[field]]\nname = \"closed\"\nask = \"A?\"".to_owned(),
                "line 4: `closed` is a field that the program writes",
            ),
            (
                "[[field]]\nname = \"A b\"\nask = \"A?\"".to_owned(),
                "line 4: `A b` is no name for a field",
            ),
            (
                "[[section]]\nheading = \"# A\"".to_owned(),
                "line 4: a heading is one line",
            ),
            (
                "[[section]]\nheading = \"A\"\nmark = \"Q\"".to_owned(),
                "line 4: `Q` is no portion mark",
            ),
            (
                "[[clock]]\nname = \"C\"\nfrom = \"b\"".to_owned(),
                "there is no field `b`",
            ),
            (
                "[[clock]]\nname = \"C\"\nfrom = \"recorded\"\nafter = \"3 days\"".to_owned(),
                "line 6: `3 days` is not a length of time",
            ),
            (
                field("\n[[clock]]\nname = \"C\"\nfrom = \"a\""),
                "line 8: `a` is neither a time nor a date",
            ),
            ("barred = [\"a:author\"]".to_owned(), "line 3: `a:author` names nobody"),
            ("[closing]\none_of = [[\"a\"]]".to_owned(), "there is no field `a`"),
        ] {
            let got = refusal(&more);
            assert!(got.starts_with("`templates/x.toml`, line "), "{got}");
            assert!(got.contains(told), "{got} — {told}");
        }
    }

    #[test]
    fn a_text_is_fitted_under_the_headings() {
        let template = Template::parse(
            "x",
            &format!(
                "{BASE}[[section]]\nheading = \"One\"\nhint = \"say\"\nmark = \"C\"\n[[section]]\nheading = \"Two\"\n"
            ),
        )
        .unwrap();
        assert_eq!(template.outline(), "## (C) One\n<!-- say -->\n\n## Two\n\n");
        assert_eq!(template.fitted(&template.outline()), "## (C) One\n\n## Two\n\n");
        assert_eq!(template.fitted("It rained."), "## (C) One\n\nIt rained.\n\n## Two\n\n");
        let own = "## Two\nyes\n";
        assert_eq!(template.fitted(own), own);
        // An addendum offers what is still empty, and keeps what was written.
        assert_eq!(template.open_outline(own), "## (C) One\n<!-- say -->\n\n");
        assert_eq!(
            template.open_outline("## One\n(C)\n\n## Two\n- 1"),
            "## (C) One\n<!-- say -->\n\n"
        );
        assert_eq!(template.trimmed(&template.open_outline("")), "");
        assert_eq!(template.trimmed("late\r\r\r"), "late\n");
        assert_eq!(
            template.trimmed("late\n\n## (C) One\n<!-- say -->\n\n## Two\nyes\n"),
            "late\n\n## Two\n\nyes\n"
        );
    }
}
