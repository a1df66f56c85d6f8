//! The files of casework in a set of policies.

use super::closing::Record;
use super::due::{Due, DueKind};
use super::field::value_of;
use super::metrics::{METRICS, Metrics};
use super::reserved;
use super::rubric::Rubric;
use super::template::Template;
use super::wording::{WORDING, Wording};
use crate::chain::Time;
use crate::id::NoteId;
use crate::policy::{BadPolicy, PolicyFiles};

/// A template with what it rests on.
#[derive(Clone, Debug)]
pub struct Form {
    /// The template; the questions of its rubric are among its fields.
    pub template: Template,
    /// Its rubric, if it has one.
    pub rubric: Option<Rubric>,
}

impl Form {
    /// What is to be done, by the grade that its rubric gave, until it is closed.
    pub fn graded_clock(&self, note: NoteId, record: &Record<'_>) -> Option<Due> {
        let open = value_of(record.fields, reserved::CLOSED).is_none();
        let grade = value_of(record.fields, reserved::GRADE).filter(|_| open)?;
        let grade = self.rubric.as_ref()?.grade_named(grade)?;
        let time = grade.within.after(record.created.unix())?;
        Some(Due {
            time: Time::from_unix(time),
            kind: DueKind::Clock,
            note: Some(note),
            what: format!("{} ({})", grade.action, grade.name),
        })
    }
}

/// One case of a file, and what is wrong with it, if anything.
pub struct FormCase {
    /// The path.
    pub file: String,
    /// Its number, from 1.
    pub number: usize,
    /// What is wrong.
    pub fault: Option<String>,
}

fn text<'f>(files: &'f PolicyFiles, path: &str) -> Result<Option<&'f str>, BadPolicy> {
    let content = files.content(path).map(std::str::from_utf8).transpose();
    content.map_err(|_| BadPolicy::wrong(path, None, "not UTF-8 text: save it as UTF-8"))
}

/// The template of that name, if there is one.
pub fn form(files: &PolicyFiles, name: &str) -> Result<Option<Form>, BadPolicy> {
    let Some(content) = text(files, &Template::path(name))? else {
        return Ok(None);
    };
    let mut template = Template::parse(name, content)?;
    let Some(named) = template.rubric.clone() else {
        return Ok(Some(Form { template, rubric: None }));
    };
    let missing = |reason: String| {
        BadPolicy::wrong(
            &Template::path(name),
            crate::policy::line_with(content, "rubric"),
            reason,
        )
    };
    let Some(rubric) = text(files, &Rubric::path(&named))? else {
        return Err(missing(format!("there is no rubric `{}`", named.escape_debug())));
    };
    let rubric = Rubric::parse(&named, rubric)?;
    for field in rubric.fields() {
        if template.field(&field.name).is_some() {
            return Err(missing(format!("`{}` is a question of the rubric too", field.name)));
        }
        template.fields.push(field);
    }
    if let Some(repeat) = rubric.repeat().filter(|repeat| template.field(&repeat.by).is_none()) {
        return Err(missing(format!(
            "the rubric counts by the field `{}`, which this template has not",
            repeat.by
        )));
    }
    Ok(Some(Form {
        template,
        rubric: Some(rubric),
    }))
}

/// The names of all templates.
pub fn form_names(files: &PolicyFiles) -> impl Iterator<Item = &str> {
    files.iter().filter_map(|(path, _)| Template::name_of(path))
}

/// How one words things, if the policies say.
pub fn wording_of(files: &PolicyFiles) -> Result<Option<Wording>, BadPolicy> {
    text(files, WORDING)?.map(Wording::parse).transpose()
}

/// What is counted, if the policies say.
pub fn metrics_of(files: &PolicyFiles) -> Result<Option<Metrics>, BadPolicy> {
    text(files, METRICS)?.map(Metrics::parse).transpose()
}

/// Everything that is wrong with the files of casework, and how their cases go.
pub fn check_forms(files: &PolicyFiles) -> (Vec<BadPolicy>, Vec<FormCase>) {
    let (mut faults, mut cases) = (Vec::new(), Vec::new());
    let mut forms = Vec::new();
    for name in form_names(files) {
        match form(files, name) {
            Ok(form) => forms.extend(form),
            Err(bad) => faults.push(bad),
        }
    }
    for form in &forms {
        faults.extend(dangling(files, form, &forms));
    }
    let mut take = |file: &str, run: Vec<(usize, Option<String>)>| {
        cases.extend(run.into_iter().map(|(number, fault)| FormCase {
            file: file.to_owned(),
            number,
            fault,
        }));
    };
    for (path, _) in files
        .iter()
        .filter(|(path, _)| path.starts_with("rubrics/") && path.ends_with(".toml"))
    {
        let name = path.trim_start_matches("rubrics/").trim_end_matches(".toml");
        let run = match path {
            METRICS => {
                let metrics = metrics_of(files);
                // Templates that cannot be read are told by themselves.
                if let (true, Ok(Some(metrics)), Ok(Some(content))) =
                    (faults.is_empty(), &metrics, text(files, METRICS))
                {
                    faults.extend(metrics.dangling(content, &forms));
                }
                metrics.map(|_| None)
            }
            WORDING => wording_of(files).map(|wording| wording.map(|wording| wording.run_cases())),
            _ => text(files, path).and_then(|content| {
                let rubric = content.map(|content| Rubric::parse(name, content)).transpose()?;
                Ok(rubric.map(|rubric| rubric.run_cases()))
            }),
        };
        match run {
            Ok(run) => take(path, run.unwrap_or_default()),
            Err(bad) if !faults.contains(&bad) => faults.push(bad),
            Err(_) => {}
        }
    }
    (faults, cases)
}

/// Links to templates or fields that are not there.
fn dangling(files: &PolicyFiles, form: &Form, forms: &[Form]) -> Vec<BadPolicy> {
    let template = &form.template;
    let path = Template::path(&template.name);
    let content = text(files, &path).ok().flatten().unwrap_or_default();
    let wrong = |near: &str, reason: String| BadPolicy::wrong(&path, crate::policy::line_with(content, near), reason);
    // One that is there and cannot be read is told by itself.
    let is_there = |name: &str| files.content(&Template::path(name)).is_some();
    let has = |name: &str, field: &str| {
        let read = forms.iter().find(|form| form.template.name == name);
        read.map_or(is_there(name), |form| form.template.field(field).is_some())
    };
    let mut faults = Vec::new();
    let needs = template.brief.iter().filter_map(|brief| brief.needs.as_ref());
    for rule in template.closing.linked.iter().chain(needs) {
        if !has(&rule.template, &rule.by) {
            let reason = format!("there is no template `{}` with a field `{}`", rule.template, rule.by);
            faults.push(wrong(&rule.words, reason));
        }
    }
    for field in &template.fields {
        if let Some(of) = field.template.as_deref().filter(|of| !is_there(of)) {
            faults.push(wrong(
                &format!("\"{}\"", field.name),
                format!("there is no template `{of}`"),
            ));
        }
    }
    if template.closing.wording && files.content(WORDING).is_none() {
        faults.push(wrong("wording", format!("there is no `{WORDING}` to look with")));
    }
    faults
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_shipped_is_sound_and_passes_its_cases() {
        let (faults, cases) = check_forms(&PolicyFiles::shipped());
        assert_eq!(faults, []);
        assert_eq!(form_names(&PolicyFiles::shipped()).count(), 15);
        let stories = |file: &str| cases.iter().filter(|case| case.file == file).count();
        assert_eq!(stories("rubrics/severity.toml"), 20);
        for case in &cases {
            assert_eq!(case.fault, None, "{} {}", case.file, case.number);
        }
    }

    #[test]
    fn what_points_nowhere_is_refused_with_its_line() {
        let refused = |path: &str, text: &str| {
            let files = PolicyFiles::shipped().with(path, text).unwrap();
            let (faults, _) = check_forms(&files);
            let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
            assert_eq!(told.len(), 1, "{told:?}");
            told[0].clone()
        };
        let base = "title = \"T\"\nabout = \"A\"\n";
        for (more, told) in [
            (
                "rubric = \"none\"",
                "`templates/x.toml`, line 3: there is no rubric `none`",
            ),
            (
                "rubric = \"severity\"",
                "`templates/x.toml`, line 3: the rubric counts by the field `person`, which this template has not",
            ),
            (
                "[[field]]\nname = \"of\"\nask = \"Of?\"\nkind = \"note\"\ntemplate = \"none\"",
                "`templates/x.toml`, line 4: there is no template `none`",
            ),
            (
                "[[closing.linked]]\ntemplate = \"action\"\nby = \"none\"\nwords = \"an action\"",
                "`templates/x.toml`, line 6: there is no template `action` with a field `none`",
            ),
        ] {
            assert_eq!(refused("templates/x.toml", &format!("{base}{more}\n")), told);
        }
        let told = refused("rubrics/incident.toml", "about = 1\n");
        assert!(told.starts_with("`rubrics/incident.toml`, line 1: "), "{told}");
    }
}
