//! Templates, rubrics and words as a lead may write them, and texts as officers do.

use strongroom::casework::{Form, Metrics, Record, Rubric, Template, Wording, form};
use strongroom::chain::Time;
use strongroom::id::NoteId;
use strongroom::policy::PolicyFiles;

/// A file of `templates/` or `rubrics/`, whichever it is. Of a template every clock has a time, and what is asked for is asked for
/// by a field that it has.
pub fn form_file(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let rubric = Rubric::parse("fuzzed", text);
    if let Ok(rubric) = &rubric {
        let first: Vec<(String, String)> = rubric
            .fields()
            .map(|field| (field.name, field.choices[0].clone()))
            .collect();
        let grade = rubric.grade(&first, 0).expect("every answer has a grade");
        assert!(rubric.grade_named(&grade.name).is_some());
        let _ = rubric.run_cases();
    }
    let template = Template::parse("fuzzed", text);
    if let Ok(template) = &template {
        let record = Record {
            fields: &[],
            created: Time::from_unix(1_800_000_000),
            happened: None,
        };
        for due in template.clocks(NoteId([7; 16]), &record) {
            assert!(due.time >= record.created);
        }
        shaped(template, &template.outline());
    }
    let wording = Wording::parse(text);
    if let Ok(wording) = &wording {
        let _ = wording.run_cases();
    }
    let metrics = Metrics::parse(text);
    if let Ok(metrics) = &metrics {
        let counted = metrics.count(&[], None, None, Time::from_unix(1_800_000_000));
        assert!(counted.iter().all(|figured| figured.of == 0));
    }
    metrics.is_ok() || rubric.is_ok() || template.is_ok() || wording.is_ok()
}

/// A text that becomes a note of a template: nothing of it is lost but hints and empty headings.
pub fn form_text(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else {
        return false;
    };
    let Form { template, .. } = form(&PolicyFiles::shipped(), "incident")
        .expect("what is shipped is sound")
        .expect("an incident is shipped");
    shaped(&template, text);
    let wording =
        Wording::parse(include_str!("../../policies/rubrics/wording.toml")).expect("what is shipped is sound");
    for finding in wording.check(text, &[]) {
        let shown = finding.sentence.split_whitespace();
        assert!(shown.into_iter().all(|word| text.contains(word)));
    }
    !text.is_empty()
}

fn shaped(template: &Template, text: &str) {
    let fitted = template.fitted(text);
    let is_hint = |line: &str| line.trim_start().starts_with("<!--");
    for line in text.lines().filter(|line| !is_hint(line)) {
        assert!(fitted.contains(line.trim()), "{line:?} is lost");
    }
    // What was fitted once stays as it is.
    if !template.sections.is_empty() && !text.trim().is_empty() {
        assert_eq!(template.fitted(&fitted), fitted);
    }
    let trimmed = template.trimmed(text);
    assert_eq!(template.trimmed(&trimmed), trimmed);
    let headings: Vec<&str> = template
        .sections
        .iter()
        .map(|section| section.heading.as_str())
        .collect();
    for line in text
        .lines()
        .filter(|line| !is_hint(line) && !line.trim_start().starts_with('#'))
    {
        assert!(
            trimmed.contains(line.trim()) || headings.contains(&line.trim()),
            "{line:?} is lost"
        );
    }
}
