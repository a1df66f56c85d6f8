//! Rubrics: `rubrics/NAME.toml` in the policies. A few questions, each answered by a step of a ladder, give a grade; the
//! grade gives what is to be done, and by when.

use super::field::{Field, FieldKind, Needed, value_of};
use super::reserved;
use super::template::{is_line, is_name};
use crate::policy::{BadPolicy, Period, line_with, read_toml};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The most questions, steps of one, and grades.
const MANY: usize = 12;

/// One rubric.
#[derive(Clone, Debug)]
pub struct Rubric {
    /// Its name, that of its file.
    pub name: String,
    /// What it grades, in a line.
    pub about: String,
    axes: Vec<Axis>,
    grades: Vec<Grade>,
    at_least: Vec<AtLeast>,
    repeat: Option<Repeat>,
    cases: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Axis {
    name: String,
    ask: String,
    steps: Vec<String>,
}

/// What follows from how grave something is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grade {
    /// What it is called.
    pub name: String,
    /// The sum of steps from which it is given.
    pub from: usize,
    /// What is to be done.
    pub action: String,
    /// By when, from the recording.
    pub within: Period,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct AtLeast {
    axis: String,
    step: String,
    grade: String,
}

/// From which repetition on it is graver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repeat {
    /// The field that has to say the same.
    pub by: String,
    /// How far back is counted.
    pub within: Period,
    /// The how-manieth it is.
    pub nth: usize,
    /// The least grade it then has.
    pub grade: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Case {
    story: String,
    steps: BTreeMap<String, String>,
    grade: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct File {
    about: String,
    axis: Vec<Axis>,
    grade: Vec<GradeRow>,
    #[serde(default)]
    at_least: Vec<AtLeast>,
    repeat: Option<RepeatRow>,
    #[serde(default, rename = "case")]
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct GradeRow {
    name: String,
    from: usize,
    action: String,
    within: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct RepeatRow {
    by: String,
    within: String,
    nth: usize,
    grade: String,
}

impl Rubric {
    /// The path of the rubric of that name in the policies.
    pub fn path(name: &str) -> String {
        format!("rubrics/{name}.toml")
    }

    /// Reads a rubric, strictly; every fault with its line.
    pub fn parse(name: &str, text: &str) -> Result<Self, BadPolicy> {
        let path = Self::path(name);
        let file: File = read_toml(&path, text)?;
        let wrong = |near: &str, reason: String| BadPolicy::wrong(&path, line_with(text, near), reason);
        if !is_name(name) || !is_line(&file.about) {
            return Err(wrong(
                &file.about,
                "a rubric has a name of a–z, 0–9 and `-`, and says in a line what it is about".into(),
            ));
        }
        let few = |count: usize| (1..=MANY).contains(&count);
        if !few(file.axis.len()) || !few(file.grade.len()) {
            return Err(wrong(
                &file.about,
                format!("a rubric has 1 to {MANY} axes and 1 to {MANY} grades"),
            ));
        }
        for axis in &file.axis {
            let near = format!("\"{}\"", axis.name);
            let sound = is_name(&axis.name) && is_line(&axis.ask) && !reserved::ALL.contains(&axis.name.as_str());
            if !sound || file.axis.iter().filter(|other| other.name == axis.name).count() > 1 {
                return Err(wrong(
                    &near,
                    "an axis has a name of its own, of a–z, 0–9 and `-`, and asks in a line".into(),
                ));
            }
            if !few(axis.steps.len()) || !axis.steps.iter().all(|step| is_line(step) && !step.contains(',')) {
                return Err(wrong(
                    &near,
                    format!("`{}` has 1 to {MANY} steps, without commas", axis.name),
                ));
            }
        }
        let period = |text: &str| text.parse::<Period>().map_err(|bad| wrong(text, bad.to_string()));
        let mut grades: Vec<Grade> = Vec::new();
        for row in file.grade {
            let above = grades.last().map_or(row.from == 0, |last| last.from < row.from);
            if !is_line(&row.name) || !is_line(&row.action) || !above {
                let reason =
                    "grades begin at 0 and each begins above the one before, with a name and what is to be done".into();
                return Err(wrong(&format!("\"{}\"", row.name), reason));
            }
            grades.push(Grade {
                within: period(&row.within)?,
                name: row.name,
                from: row.from,
                action: row.action,
            });
        }
        let graded = |name: &str| match grades.iter().any(|grade| grade.name == name) {
            true => Ok(()),
            false => Err(wrong(&format!("\"{name}\""), format!("there is no grade `{name}`"))),
        };
        let stepped = |axis: &str, step: &str| {
            let known = file.axis.iter().find(|known| known.name == axis);
            match known.is_some_and(|known| known.steps.iter().any(|known| known == step)) {
                true => Ok(()),
                false => Err(wrong(
                    &format!("\"{step}\""),
                    format!("there is no step `{step}` of `{axis}`"),
                )),
            }
        };
        for least in &file.at_least {
            graded(&least.grade)?;
            stepped(&least.axis, &least.step)?;
        }
        for case in &file.cases {
            graded(&case.grade)?;
            case.steps.iter().try_for_each(|(axis, step)| stepped(axis, step))?;
            if case.steps.len() != file.axis.len() {
                return Err(wrong(&case.story, "a case has a step of every axis".into()));
            }
        }
        let repeat = file.repeat.map(|row| {
            graded(&row.grade)?;
            if !is_name(&row.by) || row.nth < 2 {
                return Err(wrong(
                    &row.by,
                    "what repeats is counted by a field, from the 2nd on".into(),
                ));
            }
            Ok(Repeat {
                within: period(&row.within)?,
                by: row.by,
                nth: row.nth,
                grade: row.grade,
            })
        });
        Ok(Self {
            name: name.to_owned(),
            about: file.about,
            axes: file.axis,
            repeat: repeat.transpose()?,
            grades,
            at_least: file.at_least,
            cases: file.cases,
        })
    }

    /// Its questions, as fields of a template; they have to be answered before it is closed.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        self.axes.iter().map(|axis| Field {
            name: axis.name.clone(),
            ask: axis.ask.clone(),
            kind: FieldKind::Choice,
            needed: Needed::ToClose,
            choices: axis.steps.clone(),
            only_if: None,
            template: None,
            never: None,
        })
    }

    /// The grade, if every question is answered. `before` is how many of the kind there were already that count.
    pub fn grade(&self, fields: &[(String, String)], before: usize) -> Option<&Grade> {
        let mut sum = 0;
        for axis in &self.axes {
            let said = value_of(fields, &axis.name)?;
            sum += axis.steps.iter().position(|step| step == said)?;
        }
        let by_sum = self.grades.iter().rposition(|grade| grade.from <= sum)?;
        let place = |name: &str| self.grades.iter().position(|grade| grade.name == name);
        let least = self
            .at_least
            .iter()
            .filter(|least| value_of(fields, &least.axis) == Some(&least.step));
        let least = least.filter_map(|least| place(&least.grade)).max();
        let repeated = self.repeat.as_ref().filter(|repeat| before + 1 >= repeat.nth);
        let repeated = repeated.and_then(|repeat| place(&repeat.grade));
        let place = by_sum.max(least.unwrap_or(0)).max(repeated.unwrap_or(0));
        self.grades.get(place)
    }

    /// The grade of that name.
    pub fn grade_named(&self, name: &str) -> Option<&Grade> {
        self.grades.iter().find(|grade| grade.name == name)
    }

    /// What is counted for repetitions, if anything is.
    pub fn repeat(&self) -> Option<&Repeat> {
        self.repeat.as_ref()
    }

    /// Runs the cases of the file: the number of each, from 1, and what is wrong with it, if anything.
    pub fn run_cases(&self) -> Vec<(usize, Option<String>)> {
        let run = |(n, case): (usize, &Case)| {
            let fields: Vec<(String, String)> = case.steps.clone().into_iter().collect();
            let got = self.grade(&fields, 0).map_or("none", |grade| grade.name.as_str());
            let fault = (got != case.grade).then(|| format!("expected {}, got {got}: {}", case.grade, case.story));
            (n + 1, fault)
        };
        self.cases.iter().enumerate().map(run).collect()
    }
}
