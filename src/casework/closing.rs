//! What a note of a template still lacks, and its clocks.

use super::due::{Due, DueKind};
use super::field::{FieldKind, Needed, end_of_day, moment, value_of};
use super::reserved;
use super::template::{Clock, LinkedRule, Start, Template};
use super::wording::{Finding, Wording};
use crate::brief::portions;
use crate::chain::Time;
use crate::id::NoteId;
use crate::label::Level;
use crate::policy::Levels;

/// What is known of a note of a template.
pub struct Record<'r> {
    /// Its fields.
    pub fields: &'r [(String, String)],
    /// When it was first recorded.
    pub created: Time,
    /// When it happened, if that was said.
    pub happened: Option<Time>,
}

/// What of the policies is looked at beside the template.
pub struct House<'h> {
    /// The levels.
    pub levels: &'h Levels,
    /// How one words what one did wrong.
    pub wording: Option<&'h Wording>,
    /// Who is known by name: to give the fault to one of them is blame too.
    pub people: &'h [String],
}

/// Another note that points to it.
pub struct Linked<'r> {
    /// The id of the note it points to.
    pub to: &'r str,
    /// The name of its template.
    pub template: &'r str,
    /// Its fields.
    pub fields: &'r [(String, String)],
}

/// The sections of a text: each heading without its mark, and what stands under it up to the next heading.
pub fn sections_of(text: &str) -> Vec<(&str, String)> {
    let mut sections: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        let rank = line.bytes().take_while(|b| *b == b'#').count();
        if (1..=6).contains(&rank) && line[rank..].starts_with([' ', '\t']) {
            let mark = portions(line).first().map_or(0, |portion| portion.mark.end);
            sections.push((line[mark.max(rank)..].trim(), String::new()));
        } else if let Some((_, body)) = sections.last_mut() {
            body.push_str(line);
            body.push('\n');
        }
    }
    sections
}

/// Whether anything was written there: more than marks, rules and white space.
pub(super) fn says_something(body: &str) -> bool {
    let mut lines = body.lines().map(str::trim).filter(|line| !line.starts_with("<!--"));
    lines.any(|line| {
        let mark = portions(line).first().map_or(0, |portion| portion.mark.end);
        line[mark..].chars().any(char::is_alphanumeric)
    })
}

impl LinkedRule {
    /// Whether so many notes point to it as there have to be.
    pub fn holds(&self, linked: &[Linked<'_>]) -> bool {
        let closed = |other: &&Linked<'_>| !self.closed || value_of(other.fields, reserved::CLOSED).is_some();
        let points = |other: &&Linked<'_>| value_of(other.fields, &self.by) == Some(other.to);
        let of = linked
            .iter()
            .filter(|other| other.template == self.template)
            .filter(points);
        of.filter(closed).count() >= self.at_least
    }
}

impl Template {
    /// The fields that have to be there and are not, in the order in which they are asked.
    pub fn unanswered<'t>(
        &'t self,
        fields: &'t [(String, String)],
        needed: Needed,
    ) -> impl Iterator<Item = &'t super::Field> {
        let open = move |field: &&super::Field| {
            let due = field.needed == needed || (needed == Needed::ToClose && field.needed == Needed::ToRecord);
            due && field.applies(fields) && value_of(fields, &field.name).is_none()
        };
        self.fields.iter().filter(open)
    }

    /// What stands in the way of closing, each in a line of plain words.
    pub fn lacks(&self, record: &Record<'_>, text: &str, linked: &[Linked<'_>], house: &House<'_>) -> Vec<String> {
        let fields = record.fields;
        let mut lacks: Vec<String> = self
            .unanswered(fields, Needed::ToClose)
            .map(|field| format!("`{}` is not answered: {}", field.name, field.ask))
            .collect();
        let written = sections_of(text);
        for section in self.sections.iter().filter(|section| section.needed != Needed::Never) {
            let mut of = written.iter().filter(|(heading, _)| *heading == section.heading);
            if !of.any(|(_, body)| says_something(body)) {
                lacks.push(format!("nothing stands under the heading `{}`", section.heading));
            }
        }
        for one_of in &self.closing.one_of {
            if one_of.iter().all(|field| value_of(fields, field).is_none()) {
                lacks.push(format!("one of `{}` has to be answered", one_of.join("`, `")));
            }
        }
        for rule in self.closing.linked.iter().filter(|rule| !rule.holds(linked)) {
            lacks.push(format!(
                "{} is missing: `strongroom add --template {} --field {}=ID`",
                rule.words, rule.template, rule.by
            ));
        }
        let up_to = self.closing.up_to.as_deref().and_then(|field| value_of(fields, field));
        if let Some(level) = up_to.and_then(|name| house.levels.by_name(name)) {
            lacks.extend(above(text, level).into_iter().map(|line| {
                format!(
                    "`{line}` is marked for more than {}, for whom this is",
                    house.levels.rules(level).name
                )
            }));
        }
        if let (true, Some(wording)) = (self.closing.wording, house.wording) {
            lacks.extend(wording.check(text, house.people).iter().map(Finding::to_string));
        }
        lacks
    }

    /// What is due by its clocks. A clock that was stopped is due no more.
    pub fn clocks(&self, note: NoteId, record: &Record<'_>) -> Vec<Due> {
        let closed = value_of(record.fields, reserved::CLOSED).is_some();
        let runs = |clock: &&Clock| {
            let stopped = clock
                .stops
                .as_deref()
                .is_some_and(|field| value_of(record.fields, field).is_some());
            let applies = clock
                .only_if
                .as_ref()
                .is_none_or(|condition| condition.holds(record.fields));
            applies && !stopped && (!closed || clock.beyond_closing)
        };
        let running = self.clocks.iter().filter(runs);
        running
            .filter_map(|clock| {
                let from = self.start_of(clock, record)?;
                let time = clock
                    .after
                    .map_or(Some(from.unix()), |period| period.after(from.unix()))?;
                Some(Due {
                    time: Time::from_unix(time),
                    kind: DueKind::Clock,
                    note: Some(note),
                    what: match &clock.because {
                        Some(because) => format!("{} ({because})", clock.name),
                        None => clock.name.clone(),
                    },
                })
            })
            .collect()
    }

    fn start_of(&self, clock: &Clock, record: &Record<'_>) -> Option<Time> {
        match &clock.start {
            Start::Recorded => Some(record.created),
            Start::Happened => Some(record.happened.unwrap_or(record.created)),
            Start::Field(name) => {
                let value = value_of(record.fields, name)?;
                match self.field(name)?.kind {
                    FieldKind::Date => end_of_day(value),
                    _ => moment(value),
                }
            }
        }
    }
}

/// The beginnings of what is marked above that level.
fn above(text: &str, level: Level) -> Vec<String> {
    let marked = portions(text)
        .into_iter()
        .filter(|portion| portion.level_in(Level::Public) > level);
    marked
        .map(|portion| {
            text[portion.mark.end.max(portion.range.start)..portion.range.end]
                .trim()
                .chars()
                .take(40)
                .collect()
        })
        .collect()
}
