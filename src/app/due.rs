//! What is due: everything with a clock, of what the person may read or decide.

use super::approvals::Standing;
use super::context::{Context, Desk};
use super::error::Error;
use super::finding::{Looking, NoteLine};
use super::forms::record_of;
use crate::casework::{Due, DueKind, Form, form, reserved, value_of};
use crate::chain::Time;
use crate::gate::{Filter, Nature};
use crate::id::{EntryRef, NoteId};
use crate::policy::Action;
use std::collections::BTreeMap;

/// Which of it.
#[derive(Default)]
pub struct DueQuery {
    /// Only this client.
    pub client: Option<String>,
    /// Only this case.
    pub case: Option<String>,
    /// Only what is due by then.
    pub until: Option<Time>,
}

/// One thing that is due.
pub struct DueLine {
    /// What, and when.
    pub due: Due,
    /// Whether that is past.
    pub overdue: bool,
    /// The entry it is about, if it is one.
    pub entry: Option<EntryRef>,
    /// Title, client, case and label of the note, if it is about one.
    pub heading: Option<Heading>,
}

/// What is said of a note in a line.
#[derive(Clone)]
pub struct Heading {
    /// Its title.
    pub title: String,
    /// Its client.
    pub client: String,
    /// Its case.
    pub case: String,
    /// Its label.
    pub label: String,
}

/// Everything that is due, the most urgent first. One entry names the notes of which something is shown.
pub fn list_due(context: &Context<'_>, query: &DueQuery) -> Result<Vec<DueLine>, Error> {
    let unlocked = context.unlock()?;
    let mut desk = unlocked.desk(context)?;
    desk.refuse_what_is_said("due", Action::List)?;
    let details = desk.details("due");
    let filter = Filter {
        natures: vec![Nature::Note],
        client: query.client.clone(),
        case: query.case.clone(),
        ..Filter::default()
    };
    let lines = desk.find_all(details, &Looking::for_all(Action::List, filter))?;
    let mut due = desk.clocks(&lines)?;
    // A clock that runs is told before it ends; what retention asks for in some years is not, unless somebody asks.
    let by = query.until.unwrap_or(context.now());
    let mut kept = desk.retention_due(&lines)?;
    kept.retain(|due| due.time <= by);
    due.extend(kept);
    let filtered = query.client.is_some() || query.case.is_some();
    let mut all: Vec<DueLine> = Vec::new();
    let now = context.now();
    let headings: BTreeMap<NoteId, &NoteLine> = lines.iter().map(|line| (line.listed.note, line)).collect();
    due.retain(|due| query.until.is_none_or(|until| due.time <= until));
    all.extend(due.into_iter().map(|due| DueLine {
        overdue: due.time <= now,
        entry: None,
        heading: due.note.and_then(|note| headings.get(&note)).map(|line| heading(line)),
        due,
    }));
    if !filtered {
        let others = desk.due_of_entries(&headings)?;
        all.extend(
            others
                .into_iter()
                .filter(|line| query.until.is_none_or(|until| line.due.time <= until)),
        );
    }
    all.sort_by(|a, b| {
        (a.due.time, a.due.kind, a.due.note, &a.due.what).cmp(&(b.due.time, b.due.kind, b.due.note, &b.due.what))
    });
    Ok(all)
}

fn heading(line: &NoteLine) -> Heading {
    let metadata = &line.listed.metadata;
    Heading {
        title: metadata.title.clone(),
        client: metadata.client.clone(),
        case: metadata.case.clone(),
        label: line.label.clone(),
    }
}

impl Desk<'_> {
    /// The clocks of templates and rubrics that run for these notes.
    fn clocks(&self, lines: &[NoteLine]) -> Result<Vec<Due>, Error> {
        let mut forms: BTreeMap<String, Option<Form>> = BTreeMap::new();
        let mut due = Vec::new();
        for line in lines {
            let metadata = &line.listed.metadata;
            let Some(name) = value_of(&metadata.fields, reserved::TEMPLATE) else {
                continue;
            };
            if !forms.contains_key(name) {
                // A template that is gone or damaged has no clocks; `policy check` says what is wrong with it.
                forms.insert(name.to_owned(), form(self.policies.files(), name).ok().flatten());
            }
            let Some(Some(form)) = forms.get(name) else { continue };
            let record = record_of(metadata);
            due.extend(form.template.clocks(line.listed.note, &record));
            due.extend(form.graded_clock(line.listed.note, &record));
        }
        Ok(due)
    }

    /// What waits beside notes: requests that the person may decide about, and broken glass that they may review.
    fn due_of_entries(&self, headings: &BTreeMap<NoteId, &NoteLine>) -> Result<Vec<DueLine>, Error> {
        let now = self.context.now();
        let of = |time: Time, kind, note, what, entry| DueLine {
            overdue: time <= now,
            entry: Some(entry),
            heading: None,
            due: Due { time, kind, note, what },
        };
        let mut due = Vec::new();
        for line in self.request_lines()? {
            let Some(about) = headings
                .get(&line.note)
                .filter(|_| line.standing == Standing::Waiting && !line.own)
            else {
                continue;
            };
            let what = format!(
                "{} asks to {} it: `strongroom approve {}`",
                line.by,
                line.deed.name(),
                line.request
            );
            due.push(DueLine {
                heading: Some(heading(about)),
                ..of(line.until, DueKind::Request, Some(line.note), what, line.request)
            });
        }
        for broken in self.glass_to_review() {
            let what = format!(
                "{} broke the glass: `strongroom breakglass review {}`",
                broken.by, broken.entry
            );
            due.push(of(broken.due, DueKind::BrokenGlass, None, what, broken.entry));
        }
        if let Some(time) = self.policies_due() {
            let what = "acknowledge the policies: `strongroom policy show`, then `strongroom policy ack`".to_owned();
            due.push(DueLine {
                overdue: time <= now,
                entry: None,
                heading: None,
                due: Due {
                    time,
                    kind: DueKind::Policies,
                    note: None,
                    what,
                },
            });
        }
        Ok(due)
    }
}
