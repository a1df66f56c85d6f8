//! What follows from the entries: counts, and what an auditor looks at first. Every figure knows the rows it came from.

use super::{Basis, Row};
use crate::chain::{Kind, Outcome, Time};
use crate::id::NoteId;
use std::collections::{BTreeMap, BTreeSet};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// The most columns and rows of the table of people and clients; the rest is added up.
const CLIENTS_MAX: usize = 12;
const PEOPLE_MAX: usize = 20;
/// So many notes opened by one person within an hour are worth a look.
pub(super) const OPENED_MANY: u64 = 20;
/// So many notes named by one list or search are.
pub(super) const NAMED_MANY: u64 = 100;
/// A reason that one person gave so often is.
pub(super) const REPEATED: usize = 5;
/// What is said of people and clients beyond those with a row or column of their own.
pub(super) const OTHERS: &str = "(others)";
/// What stands for notes of no client.
pub(super) const NO_CLIENT: &str = "(no client)";

/// What opens notes.
const OPENING: [&str; 10] = [
    "show",
    "close-read",
    "history",
    "extract",
    "export-read",
    "edit-read",
    "draft-read",
    "release-read",
    "approve-read",
    "breakglass open",
];
/// Whether such an entry opens notes for somebody's eyes.
pub fn opens(verb: &str) -> bool {
    OPENING.contains(&verb)
}

/// What has a digest in its entry though no note left by it: a report of the log, a public key, and what a lead was shown of
/// members. Whatever else comes to have one is a disclosure unless it is put here.
const NOTHING_LEFT: [&str; 3] = ["audit report", "concern key", "member review"];

/// Words of which a reason says nothing, if it has no others.
const VAGUE: &[&str] = &[
    "a",
    "above",
    "access",
    "as",
    "asdf",
    "because",
    "business",
    "check",
    "checking",
    "data",
    "discussed",
    "duty",
    "for",
    "info",
    "information",
    "it",
    "job",
    "just",
    "look",
    "looking",
    "misc",
    "my",
    "na",
    "n",
    "need",
    "needed",
    "no",
    "none",
    "note",
    "of",
    "ok",
    "other",
    "please",
    "purpose",
    "purposes",
    "qwerty",
    "read",
    "reading",
    "reason",
    "reasons",
    "required",
    "routine",
    "see",
    "stuff",
    "task",
    "test",
    "testing",
    "the",
    "to",
    "unknown",
    "various",
    "view",
    "work",
    "working",
    "x",
];

/// Row numbers.
pub(super) type Rows = Vec<usize>;

impl Row {
    /// Whether it opened a note.
    fn opens(&self) -> bool {
        let verb = self.verb.as_deref().unwrap_or_default();
        self.result == Outcome::Done && opens(verb)
    }

    /// Whether something of a note left the vault by it, as far as it opened.
    fn lets_out(&self) -> bool {
        let verb = self.verb.as_deref().unwrap_or_default();
        let left = self.kind == Some(Kind::Release)
            // Of what was extracted not every digest may be told.
            || verb == "extract"
            || (self.left.is_some() && !NOTHING_LEFT.contains(&verb));
        self.result == Outcome::Done && left
    }

    /// Whether it concerns notes, so that it counts as an access to what is kept.
    fn touches(&self) -> bool {
        self.is_sight() && (self.notes > 0 || self.result != Outcome::Done)
    }
}

/// A stretch of time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Stretch {
    pub(super) label: String,
    pub(super) done: Rows,
    pub(super) refused: Rows,
}

/// Accesses over time.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct OverTime {
    pub(super) unit: &'static str,
    pub(super) stretches: Vec<Stretch>,
}

/// Whose accesses concerned whom.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Heat {
    pub(super) people: Vec<String>,
    pub(super) clients: Vec<String>,
    pub(super) cells: BTreeMap<(String, String), Rows>,
}

/// Something worth a look, in words.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Remarkable {
    pub(super) who: String,
    pub(super) what: String,
    pub(super) rows: Rows,
}

/// All of it.
pub(super) struct Figures {
    pub(super) sights: Rows,
    pub(super) denied: Rows,
    pub(super) failed: Rows,
    pub(super) closed: Rows,
    pub(super) changes: Rows,
    pub(super) over_time: OverTime,
    pub(super) heat: Heat,
    pub(super) after_hours: Rows,
    pub(super) bulk: Vec<Remarkable>,
    pub(super) missing: Rows,
    pub(super) repeated: Vec<Remarkable>,
    pub(super) vague: Rows,
    pub(super) disclosures: Rows,
}

impl Figures {
    pub(super) fn of(basis: &Basis) -> Self {
        let which = |wanted: &dyn Fn(&Row) -> bool| -> Rows {
            let rows = basis.rows.iter().enumerate();
            rows.filter(|(_, row)| wanted(row)).map(|(n, _)| n).collect()
        };
        let done = |row: &Row| row.result == Outcome::Done;
        Self {
            sights: which(&|row| done(row) && row.touches()),
            denied: which(&|row| row.result == Outcome::Denied),
            failed: which(&|row| row.result == Outcome::Failed),
            closed: which(&|row| row.verb.is_none()),
            changes: which(&|row| done(row) && !row.is_sight()),
            over_time: over_time(basis),
            heat: heat(basis),
            after_hours: which(&|row| row.touches() && is_after_hours(basis.hours, row.time)),
            bulk: bulk(basis),
            missing: which(&|row| row.opens() && row.reason.is_none()),
            repeated: repeated(basis),
            vague: which(&|row| {
                let said = row.reason.as_deref();
                row.touches() && said.is_some_and(|reason| is_vague(reason, row.purpose.as_deref()))
            }),
            disclosures: which(&Row::lets_out),
        }
    }
}

/// Whether it lies outside the hours; where they end before they begin they go over midnight.
fn is_after_hours((from, before): (u8, u8), time: Time) -> bool {
    let hour = time.unix().rem_euclid(DAY) / HOUR;
    let (from, before) = (i64::from(from), i64::from(before));
    match from <= before {
        true => hour < from || hour >= before,
        false => hour >= before && hour < from,
    }
}

fn over_time(basis: &Basis) -> OverTime {
    let rows: Vec<(usize, &Row)> = basis.rows.iter().enumerate().filter(|(_, row)| row.touches()).collect();
    let first = rows.iter().map(|(_, row)| row.time.unix()).min();
    let last = rows.iter().map(|(_, row)| row.time.unix()).max();
    let (Some(first), Some(last)) = (first, last) else {
        return OverTime {
            unit: "day",
            stretches: Vec::new(),
        };
    };
    let monday = |day: i64| day - (day + 3).rem_euclid(7);
    let days = last.div_euclid(DAY) - first.div_euclid(DAY);
    let (unit, step) = match days {
        0..=61 => ("day", Some(1)),
        62..=433 => ("week from Monday", Some(7)),
        434..=3650 => ("month", None),
        _ => ("year", None),
    };
    let label = |seconds: i64| {
        let day = seconds.div_euclid(DAY);
        let begin = if step == Some(7) { monday(day) } else { day };
        let text = Time::from_unix(begin * DAY).to_string();
        let length = match unit {
            "month" => 7,
            "year" => 4,
            _ => 10,
        };
        text[..length].to_owned()
    };
    let mut stretches: BTreeMap<String, Stretch> = BTreeMap::new();
    if let Some(step) = step {
        // Days on which nothing happened say something too.
        for day in (0..=days).step_by(step) {
            stretches.entry(label(first + day * DAY)).or_default();
        }
    }
    for (n, row) in rows {
        let stretch = stretches.entry(label(row.time.unix())).or_default();
        match row.result {
            Outcome::Done => stretch.done.push(n),
            _ => stretch.refused.push(n),
        }
    }
    let named = stretches
        .into_iter()
        .map(|(label, stretch)| Stretch { label, ..stretch });
    OverTime {
        unit,
        stretches: named.collect(),
    }
}

fn heat(basis: &Basis) -> Heat {
    let mut all: BTreeMap<(&str, &str), Rows> = BTreeMap::new();
    for (n, row) in basis.rows.iter().enumerate() {
        if !row.touches() || row.result != Outcome::Done {
            continue;
        }
        let clients: Vec<&str> = match row.clients.is_empty() {
            true => vec![NO_CLIENT],
            false => row.clients.iter().map(String::as_str).collect(),
        };
        for client in clients {
            all.entry((&row.who, client)).or_default().push(n);
        }
    }
    let people = most(all.iter().map(|((who, _), rows)| (*who, rows.len())), PEOPLE_MAX);
    let clients = most(all.iter().map(|((_, client), rows)| (*client, rows.len())), CLIENTS_MAX);
    let named = |list: &[String], name: &str| match list.iter().any(|known| known == name) {
        true => name.to_owned(),
        false => OTHERS.to_owned(),
    };
    let mut cells: BTreeMap<(String, String), Rows> = BTreeMap::new();
    for ((who, client), rows) in all {
        let cell = cells.entry((named(&people, who), named(&clients, client))).or_default();
        cell.extend(rows);
        // An entry of several clients that are added up here is one entry.
        cell.sort_unstable();
        cell.dedup();
    }
    Heat { people, clients, cells }
}

/// The names with the highest counts, at most `max` and then others, in the order of the alphabet.
fn most<'n>(counts: impl Iterator<Item = (&'n str, usize)>, max: usize) -> Vec<String> {
    let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, count) in counts {
        *sums.entry(name).or_default() += count;
    }
    let mut names: Vec<(&str, usize)> = sums.into_iter().collect();
    names.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let more = names.len() > max;
    names.truncate(max);
    let mut names: Vec<String> = names.into_iter().map(|(name, _)| name.to_owned()).collect();
    names.sort_by_key(|name| (name.starts_with('('), name.to_lowercase()));
    if more {
        names.push(OTHERS.to_owned());
    }
    names
}

/// One person who opened many notes in an hour; one entry that named many.
fn bulk(basis: &Basis) -> Vec<Remarkable> {
    let mut by_person: BTreeMap<&str, Vec<(i64, usize)>> = BTreeMap::new();
    for (n, row) in basis.rows.iter().enumerate().filter(|(_, row)| row.opens()) {
        by_person.entry(&row.who).or_default().push((row.time.unix(), n));
    }
    let mut found = Vec::new();
    for (who, mut opened) in by_person {
        opened.sort_unstable();
        let mut from = 0;
        while from < opened.len() {
            let until = opened.partition_point(|(time, _)| *time < opened[from].0 + HOUR);
            let rows: Rows = opened[from..until].iter().map(|(_, n)| *n).collect();
            let alone: BTreeSet<NoteId> = rows.iter().filter_map(|n| basis.rows[*n].about).collect();
            // Which notes an entry opened that opened several is not in the report: each counts with all of them.
            let several = rows.iter().map(|n| &basis.rows[*n]).filter(|row| row.about.is_none());
            let together: u64 = several.map(|row| row.notes).sum();
            let count = alone.len() as u64 + together;
            if count < OPENED_MANY {
                from += 1;
                continue;
            }
            let anew = match together {
                0 => "",
                _ => ", where entries that opened several count anew",
            };
            found.push(Remarkable {
                who: who.to_owned(),
                what: format!(
                    "opened {count} notes within an hour from {}{anew}",
                    Time::from_unix(opened[from].0)
                ),
                rows,
            });
            from = until;
        }
    }
    for (n, row) in basis.rows.iter().enumerate() {
        // What opened several is listed by the hour already.
        let listed = row.opens() && row.about.is_none();
        if row.result == Outcome::Done && row.is_sight() && row.notes >= NAMED_MANY && !listed {
            found.push(Remarkable {
                who: row.who.clone(),
                what: format!(
                    "{} named {} notes at {}",
                    row.verb.as_deref().unwrap_or("a read"),
                    row.notes,
                    row.time
                ),
                rows: vec![n],
            });
        }
    }
    found
}

fn repeated(basis: &Basis) -> Vec<Remarkable> {
    let mut given: BTreeMap<(&str, String), Rows> = BTreeMap::new();
    for (n, row) in basis.rows.iter().enumerate().filter(|(_, row)| row.opens()) {
        if let Some(reason) = &row.reason {
            let words: Vec<&str> = reason.split_whitespace().collect();
            given
                .entry((&row.who, words.join(" ").to_lowercase()))
                .or_default()
                .push(n);
        }
    }
    let often = given.into_iter().filter(|(_, rows)| rows.len() >= REPEATED);
    let remark = |((who, reason), rows): ((&str, String), Rows)| Remarkable {
        who: who.to_owned(),
        what: reason,
        rows,
    };
    often.map(remark).collect()
}

/// Whether a reason says nothing: no letters, one letter over and over, the purpose again, or words that fit anything.
fn is_vague(reason: &str, purpose: Option<&str>) -> bool {
    let reason = reason.trim().to_lowercase();
    let words: Vec<&str> = reason
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let letters: BTreeSet<char> = reason.chars().filter(|c| c.is_alphabetic()).collect();
    letters.len() < 2 || purpose == Some(reason.as_str()) || words.iter().all(|word| VAGUE.contains(word))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{basis, row};
    use super::*;

    #[test]
    fn hours_may_go_over_midnight() {
        let at = |hour: i64| Time::from_unix(1_795_219_200 + hour * HOUR);
        let after = |hours| (0..24).filter(|hour| is_after_hours(hours, at(*hour))).count();
        assert_eq!(after((7, 19)), 12);
        assert!(is_after_hours((7, 19), at(6)) && !is_after_hours((7, 19), at(7)) && is_after_hours((7, 19), at(19)));
        assert_eq!(after((22, 6)), 16);
        assert!(!is_after_hours((22, 6), at(23)) && is_after_hours((22, 6), at(6)));
        assert_eq!(after((0, 24)), 0);
    }

    #[test]
    fn a_reason_that_fits_anything_is_vague() {
        for (reason, vague) in [
            ("work", true),
            ("Needed for work.", true),
            ("xxxx", true),
            ("....", true),
            ("duty", true),
            ("HANDOVER", true),
            ("gate call-out", false),
            ("client asked for the route", false),
            ("山", true),
            ("夜班交接", false),
        ] {
            assert_eq!(is_vague(reason, Some("handover")), vague, "{reason}");
        }
    }

    #[test]
    fn days_without_anything_stand_too_and_long_times_have_long_stretches() {
        let at = |days: &[i64]| {
            let rows = days.iter().enumerate().map(|(n, day)| {
                let mut row = row(n as u64, "mara", "show");
                row.time = Time::from_unix(1_795_253_400 + day * DAY);
                row
            });
            over_time(&basis(rows.collect()))
        };
        let days = at(&[0, 2, 2]);
        let counts: Vec<(&str, usize)> = days
            .stretches
            .iter()
            .map(|s| (s.label.as_str(), s.done.len()))
            .collect();
        assert_eq!(counts, [("2026-11-21", 1), ("2026-11-22", 0), ("2026-11-23", 2)]);
        let weeks = at(&[0, 100]);
        assert_eq!(
            (weeks.unit, weeks.stretches[0].label.as_str()),
            ("week from Monday", "2026-11-16")
        );
        assert_eq!(weeks.stretches.len(), 16);
        assert_eq!(at(&[0, 500]).stretches.len(), 2);
        assert_eq!(at(&[0, 500]).stretches[0].label, "2026-11");
        // A clock that was far off makes no page of empty years.
        let years = at(&[-20_000, 0]);
        assert_eq!(
            years.stretches.iter().map(|s| s.label.as_str()).collect::<Vec<_>>(),
            ["1972", "2026"]
        );
        assert!(at(&[]).stretches.is_empty());
    }

    #[test]
    fn many_notes_in_an_hour_and_one_reason_over_and_over_are_seen() {
        let rows = (0..45).map(|n| {
            let mut row = row(n, if n < 25 { "mara" } else { "idris" }, "show");
            row.time = Time::from_unix(1_795_253_400 + n as i64 * 60);
            row.about = Some(NoteId([n as u8; 16]));
            row.reason = Some(if n % 2 == 0 {
                "Gate  call-out".into()
            } else {
                format!("call {n}")
            });
            row
        });
        let mut basis = basis(rows.collect());
        basis.rows[44].notes = 400;
        let bulk = bulk(&basis);
        assert_eq!(
            bulk.iter().map(|found| found.rows.len()).collect::<Vec<_>>(),
            [20, 25, 1]
        );
        let repeated = repeated(&basis);
        assert_eq!(repeated.len(), 2);
        assert!(repeated.iter().all(|found| found.what == "gate call-out"));
        // The same note over and over is one note.
        basis.rows.iter_mut().for_each(|row| row.about = Some(NoteId([1; 16])));
        assert_eq!(super::bulk(&basis).len(), 1);
    }

    #[test]
    fn exports_in_an_hour_count_by_their_notes() {
        let export = |n: u64, notes: u64| {
            let mut row = row(n, "mara", "export-read");
            row.reason = Some("moving house".into());
            row.notes = notes;
            row.about = (notes == 1).then_some(NoteId([n as u8; 16]));
            row
        };
        let found = |sizes: &[u64]| {
            let rows = sizes.iter().enumerate().map(|(n, notes)| export(n as u64, *notes));
            let basis = basis(rows.collect());
            (bulk(&basis), repeated(&basis))
        };
        // One by one.
        let (one_by_one, said) = found(&[1; 20]);
        assert_eq!((one_by_one[0].rows.len(), said[0].rows.len()), (20, 20));
        assert!(one_by_one[0].what.starts_with("opened 20 notes within an hour from"));
        // And some at a time, or all at once.
        let (some, _) = found(&[12, 1, 7]);
        assert!(
            some[0].what.ends_with(", where entries that opened several count anew"),
            "{}",
            some[0].what
        );
        assert_eq!(found(&[400]).0.len(), 1);
        assert!(found(&[12, 1, 6]).0.is_empty());
    }

    #[test]
    fn people_and_clients_beyond_the_first_are_added_up() {
        let rows = (0..40).map(|n| {
            let mut row = row(n, &format!("p{n:02}"), "list");
            row.clients = (0..30).map(|n| format!("c{n:02}")).collect();
            row
        });
        let heat = heat(&basis(rows.collect()));
        assert_eq!(
            (heat.people.len(), heat.clients.len()),
            (PEOPLE_MAX + 1, CLIENTS_MAX + 1)
        );
        let others = &heat.cells[&(OTHERS.to_owned(), OTHERS.to_owned())];
        assert_eq!(others.len(), 20);
        let seen: BTreeSet<usize> = heat.cells.values().flatten().copied().collect();
        assert_eq!(seen.len(), 40);
    }

    #[test]
    fn each_figure_has_its_own_rows() {
        let mut rows: Vec<Row> = (0..12).map(|n| row(n, "mara", "show")).collect();
        rows[1].result = Outcome::Denied;
        rows[2].result = Outcome::Failed;
        rows[3].verb = None;
        rows[4].kind = Some(Kind::Add);
        (rows[5].kind, rows[5].verb) = (Some(Kind::Release), Some("brief release".into()));
        rows[6].verb = Some("extract".into());
        (rows[7].verb, rows[7].notes) = (Some("audit log".into()), 0);
        for (n, verb) in [
            (8, "export notes"),
            (9, "audit report"),
            (10, "export-read"),
            (11, "export pack"),
        ] {
            rows[n].verb = Some(verb.into());
            rows[n].left = (verb != "export-read").then_some(crate::id::Digest([1; 32]));
        }
        rows[11].result = Outcome::Failed;
        (rows[0].reason, rows[10].reason) = (None, None);
        let figures = Figures::of(&basis(rows));
        assert_eq!((figures.denied, figures.failed), (vec![1], vec![2, 11]));
        assert_eq!((figures.closed, figures.changes), (vec![3], vec![4]));
        assert_eq!((figures.disclosures, figures.missing), (vec![5, 6, 8], vec![0, 10]));
        assert_eq!(figures.sights, [0, 3, 5, 6, 8, 9, 10]);
    }
}
