//! How one words what went wrong: no blame on others, no jargon, no slot left open. `rubrics/wording.toml` says by which
//! words; it points at sentences and leaves them to their writer.

use super::template::is_line;
use crate::policy::{BadPolicy, line_with, read_toml};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// The path of the file.
pub const WORDING: &str = "rubrics/wording.toml";
/// How much of a sentence is named.
const SHOWN: usize = 80;

/// The words that are looked for.
#[derive(Clone, Debug)]
pub struct Wording {
    parties: Phrases,
    faults: Phrases,
    owned: Phrases,
    slots: Phrases,
    jargon: Vec<(Vec<String>, String)>,
    cases: Vec<Case>,
}

/// Words in a row, in lower case.
type Phrases = Vec<Vec<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct File {
    parties: Vec<String>,
    faults: Vec<String>,
    owned: Vec<String>,
    slots: Vec<String>,
    jargon: BTreeMap<String, String>,
    #[serde(default, rename = "case")]
    cases: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Case {
    text: String,
    finds: Vec<What>,
}

/// What is wrong with a sentence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// It gives the fault to others and takes none.
    Blame,
    /// It has a word that outsiders do not use.
    Jargon,
    /// Something is still to be filled in.
    Slot,
}

/// A sentence to look at again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What is wrong.
    pub what: What,
    /// The sentence, or its beginning.
    pub sentence: String,
    /// Why.
    pub why: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.sentence, self.why)
    }
}

impl Wording {
    /// Reads the file, strictly.
    pub fn parse(text: &str) -> Result<Self, BadPolicy> {
        let file: File = read_toml(WORDING, text)?;
        let phrases = |list: &[String]| {
            let phrase = |phrase: &String| match words(phrase) {
                words if words.is_empty() || !is_line(phrase) => {
                    let reason = format!("`{}` is no word to look for", phrase.escape_debug());
                    Err(BadPolicy::wrong(WORDING, line_with(text, phrase), reason))
                }
                words => Ok(words),
            };
            list.iter().map(phrase).collect::<Result<Phrases, _>>()
        };
        let jargon: Vec<String> = file.jargon.keys().cloned().collect();
        Ok(Self {
            parties: phrases(&file.parties)?,
            faults: phrases(&file.faults)?,
            owned: phrases(&file.owned)?,
            slots: phrases(&file.slots)?,
            jargon: phrases(&jargon)?.into_iter().zip(file.jargon.into_values()).collect(),
            cases: file.cases,
        })
    }

    /// The sentences to look at again, in their order. Who is in `people` is somebody else too.
    pub fn check(&self, text: &str, people: &[String]) -> Vec<Finding> {
        let people: Phrases = people
            .iter()
            .map(|name| words(name))
            .filter(|words| !words.is_empty())
            .collect();
        sentences(text)
            .flat_map(|sentence| self.check_sentence(sentence, &people))
            .collect()
    }

    fn check_sentence(&self, sentence: &str, people: &Phrases) -> Vec<Finding> {
        let said = words(sentence);
        let has = |phrases: &Phrases| {
            phrases
                .iter()
                .find(|phrase| holds(&said, phrase))
                .map(|phrase| phrase.join(" "))
        };
        let mut found = Vec::new();
        let mut find = |what, why| {
            let shown: String = sentence
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .chars()
                .take(SHOWN)
                .collect();
            let sentence = shown;
            found.push(Finding { what, sentence, why });
        };
        if let (Some(party), Some(fault), None) =
            (has(&self.parties).or(has(people)), has(&self.faults), has(&self.owned))
        {
            find(
                What::Blame,
                format!("it gives the fault to others (`{party}`, `{fault}`); say what was yours to see to"),
            );
        }
        for (phrase, plain) in self.jargon.iter().filter(|(phrase, _)| holds(&said, phrase)) {
            find(What::Jargon, format!("`{}`: {plain}", phrase.join(" ")));
        }
        let blank = sentence.contains("___") || has_open_bracket(sentence);
        if let Some(slot) = has(&self.slots).or(blank.then(|| "a blank".into())) {
            find(What::Slot, format!("something is still to be filled in ({slot})"));
        }
        found
    }

    /// Runs the cases of the file: the number of each, from 1, and what is wrong with it, if anything.
    pub fn run_cases(&self) -> Vec<(usize, Option<String>)> {
        let run = |(n, case): (usize, &Case)| {
            let mut found: Vec<What> = self.check(&case.text, &[]).iter().map(|finding| finding.what).collect();
            found.sort();
            found.dedup();
            let mut due = case.finds.clone();
            due.sort();
            let fault = (found != due).then(|| format!("expected {due:?}, found {found:?}").to_lowercase());
            (n + 1, fault)
        };
        self.cases.iter().enumerate().map(run).collect()
    }
}

/// `[…]`, unless it is a link.
fn has_open_bracket(sentence: &str) -> bool {
    let mut rest = sentence;
    while let Some(at) = rest.find('[') {
        rest = &rest[at + 1..];
        let Some(end) = rest.find(']') else { return false };
        if !rest[end + 1..].starts_with('(') && end <= 60 {
            return true;
        }
        rest = &rest[end + 1..];
    }
    false
}

/// Sentences, headings and lines of lists.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(['!', '?', ';', '\n']);
    parts
        .flat_map(|part| part.split(". "))
        .map(str::trim)
        .filter(|part| !part.is_empty())
}

fn words(text: &str) -> Vec<String> {
    let split = text.split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '’');
    let plain = |word: &str| word.trim_matches(['\'', '’']).replace('’', "'").to_lowercase();
    // `supplier's` is a supplier too.
    let stem = |word: String| word.strip_suffix("'s").map(str::to_owned).unwrap_or(word);
    split.map(plain).map(stem).filter(|word| !word.is_empty()).collect()
}

fn holds(said: &[String], phrase: &[String]) -> bool {
    said.windows(phrase.len()).any(|window| window == phrase)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_shipped_words_pass_their_cases() {
        let wording = Wording::parse(include_str!("../../policies/rubrics/wording.toml")).unwrap();
        let cases = wording.run_cases();
        assert!(cases.len() >= 10);
        for (n, fault) in cases {
            assert_eq!(fault, None, "case {n}");
        }
    }

    #[test]
    fn a_finding_names_the_sentence_and_why() {
        let wording = Wording::parse(include_str!("../../policies/rubrics/wording.toml")).unwrap();
        let found = wording.check("It rained. The supplier's lamp was faulty. I had no spare.", &[]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].what, found[0].sentence.as_str()),
            (What::Blame, "The supplier's lamp was faulty")
        );
        assert!(found[0].to_string().contains("`supplier`, `faulty`"));
    }

    #[test]
    fn who_is_known_by_name_is_somebody_else() {
        let wording = Wording::parse(include_str!("../../policies/rubrics/wording.toml")).unwrap();
        let found = |text: &str| wording.check(text, &["jon".into(), "Ines Vale".into()]).len();
        assert_eq!(found("Jon forgot to lock the gate."), 1);
        assert_eq!(found("Ines Vale never came."), 1);
        assert_eq!(found("Jon locked the gate."), 0);
        assert_eq!(found("Tom forgot to lock the gate."), 0);
    }

    #[test]
    fn brackets_that_are_links_are_no_slots() {
        assert!(has_open_bracket("by [date]") && !has_open_bracket("see [the page](x)") && !has_open_bracket("a [ b"));
    }
}
