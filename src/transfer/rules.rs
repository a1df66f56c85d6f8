//! Rules that say what becomes of what is imported: by the path of each thing, or by a column of a table.

use super::table::Columns;
use glob::{MatchOptions, Pattern};
use serde::Deserialize;
use std::ops::Range;

/// The largest file of rules, in bytes; the most rules; the longest pattern, in bytes; the most wildcards in one.
const TEXT_MAX: usize = 256 << 10;
const RULES_MAX: usize = 1000;
const PATTERN_MAX: usize = 256;
const WILDCARDS_MAX: usize = 12;
/// The longest value, in characters.
const VALUE_MAX: usize = 200;

/// What may stand in a value for a part of the thing's path.
const PARTS: [&str; 4] = ["{name}", "{path}", "{folder}", "{top}"];

/// Why a text is no file of rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRules {
    /// The line, from 1, where it can be told.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl std::error::Error for BadRules {}

impl std::fmt::Display for BadRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

/// What is said of one thing; what is not said is as it is for all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Given {
    /// Leave it out.
    pub skip: bool,
    /// Label, as it is written.
    pub label: Option<String>,
    /// Client.
    pub client: Option<String>,
    /// Case.
    pub case: Option<String>,
    /// The template it becomes a note of.
    pub template: Option<String>,
    /// Title.
    pub title: Option<String>,
}

/// A thing, as rules look at it.
pub struct RulesFor<'t> {
    /// Its path in the source, with `/` between its parts.
    pub path: &'t str,
    /// The value of a column of that name, where there are columns.
    pub column: &'t dyn Fn(&str) -> Option<&'t str>,
}

#[derive(Clone, Debug)]
struct Rule {
    path: Option<Pattern>,
    column: Option<(String, Pattern)>,
    given: Given,
}

/// A file of rules. Of each thing that is to be said, the first rule that fits and says it counts.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    columns: Columns,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct File {
    #[serde(default)]
    columns: Option<toml::Spanned<toml::Table>>,
    #[serde(default)]
    rule: Vec<toml::Spanned<Written>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Written {
    path: Option<String>,
    column: Option<String>,
    is: Option<String>,
    #[serde(default)]
    skip: bool,
    label: Option<String>,
    client: Option<String>,
    case: Option<String>,
    template: Option<String>,
    title: Option<String>,
}

impl Rules {
    /// Reads a file of rules, strictly.
    pub fn parse(text: &str) -> Result<Self, BadRules> {
        let wrong = |span: Option<Range<usize>>, reason: String| BadRules {
            line: span.map(|span| {
                1 + text.as_bytes()[..span.start.min(text.len())]
                    .iter()
                    .filter(|b| **b == b'\n')
                    .count()
            }),
            reason,
        };
        if text.len() > TEXT_MAX {
            return Err(wrong(None, format!("a file of rules has at most {TEXT_MAX} bytes")));
        }
        let file: File = toml::from_str(text).map_err(|error| wrong(error.span(), error.message().to_owned()))?;
        if file.rule.len() > RULES_MAX {
            return Err(wrong(None, format!("there are at most {RULES_MAX} rules")));
        }
        let mut columns = Columns::default();
        if let Some(table) = file.columns {
            let span = table.span();
            for (what, column) in table.into_inner() {
                let taken = match column.as_str() {
                    Some(column) => columns.set(&what, column),
                    None => Err(format!(
                        "`{}` is the name of a column, in quotation marks",
                        what.escape_debug()
                    )),
                };
                taken.map_err(|reason| wrong(Some(span.clone()), reason))?;
            }
        }
        let mut rules = Vec::with_capacity(file.rule.len());
        for rule in file.rule {
            let span = rule.span();
            rules.push(Rule::read(rule.into_inner()).map_err(|reason| wrong(Some(span), reason))?);
        }
        Ok(Self { rules, columns })
    }

    /// Which columns hold what, as far as the rules say.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The labels and templates that some rule gives.
    pub fn named(&self) -> impl Iterator<Item = &Given> {
        self.rules.iter().map(|rule| &rule.given)
    }

    /// What the rules say of a thing.
    pub fn given(&self, thing: &RulesFor<'_>) -> Given {
        let mut given = Given::default();
        for rule in self.rules.iter().filter(|rule| rule.fits(thing)) {
            let said = &rule.given;
            given.skip |= said.skip;
            for (slot, value) in [
                (&mut given.label, &said.label),
                (&mut given.client, &said.client),
                (&mut given.case, &said.case),
                (&mut given.template, &said.template),
                (&mut given.title, &said.title),
            ] {
                if slot.is_none() {
                    *slot = value.as_ref().map(|value| filled(value, thing.path));
                }
            }
        }
        given
    }
}

impl Rule {
    fn read(written: Written) -> Result<Self, String> {
        let path = written.path.as_deref().map(pattern).transpose()?;
        let column = match (written.column, written.is) {
            (None, None) => None,
            (Some(column), Some(is)) => Some((column, pattern(&is.to_lowercase())?)),
            _ => return Err("`column` and `is` stand together: `column = \"kind\"`, `is = \"incident*\"`".into()),
        };
        if path.is_none() && column.is_none() {
            return Err("a rule says for what it is: `path = \"clients/halcyon/**\"`, or `column` and `is`".into());
        }
        let given = Given {
            skip: written.skip,
            label: value("label", written.label, false)?,
            client: value("client", written.client, true)?,
            case: value("case", written.case, true)?,
            template: value("template", written.template, false)?,
            title: value("title", written.title, true)?,
        };
        if given == Given::default() {
            return Err(
                "this rule says nothing: give a label, client, case, template or title, or `skip = true`".into(),
            );
        }
        if given.skip
            && (Given {
                skip: false,
                ..given.clone()
            }) != Given::default()
        {
            return Err("what is skipped has no label, client, case, template or title".into());
        }
        Ok(Self { path, column, given })
    }

    fn fits(&self, thing: &RulesFor<'_>) -> bool {
        let in_folders = MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: false,
        };
        let anywhere = MatchOptions {
            require_literal_separator: false,
            ..in_folders
        };
        let path = self.path.as_ref();
        path.is_none_or(|pattern| pattern.matches_with(thing.path, in_folders))
            && self.column.as_ref().is_none_or(|(column, pattern)| {
                let value = (thing.column)(column).map(|value| value.trim().to_lowercase());
                value.is_some_and(|value| pattern.matches_with(&value, anywhere))
            })
    }
}

/// A pattern of bounded work.
fn pattern(text: &str) -> Result<Pattern, String> {
    let shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    let wildcards = text.chars().filter(|c| "*?[".contains(*c)).count();
    if text.is_empty() || text.len() > PATTERN_MAX || wildcards > WILDCARDS_MAX {
        return Err(format!(
            "`{shown}` is no pattern here: 1 to {PATTERN_MAX} bytes, and at most {WILDCARDS_MAX} wildcards"
        ));
    }
    Pattern::new(text).map_err(|bad| format!("`{shown}` is no pattern: {}", bad.msg))
}

/// A value that fits a note; `parts`: `{name}` and its like may stand in it.
fn value(what: &str, value: Option<String>, parts: bool) -> Result<Option<String>, String> {
    let Some(value) = value else { return Ok(None) };
    if value.trim().is_empty() || value.chars().count() > VALUE_MAX || value.chars().any(char::is_control) {
        return Err(format!("a {what} has 1 to {VALUE_MAX} characters, on one line"));
    }
    let known = PARTS.iter().fold(value.clone(), |rest, part| rest.replace(part, ""));
    match (parts, known.contains(['{', '}'])) {
        (true, true) => Err(format!("in a {what} only {} stand in braces", PARTS.join(", "))),
        (false, _) if value.contains(['{', '}']) => Err(format!("nothing stands in braces in a {what}")),
        _ => Ok(Some(value)),
    }
}

/// A value with the parts of a path in their places.
fn filled(value: &str, path: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let name = file
        .rsplit_once('.')
        .map_or(file, |(name, _)| if name.is_empty() { file } else { name });
    let top = folder.split('/').next().unwrap_or_default();
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let part = PARTS.iter().find(|part| rest.starts_with(**part));
        out.push_str(match part {
            Some(&"{name}") => name,
            Some(&"{path}") => path,
            Some(&"{folder}") => folder,
            Some(_) => top,
            None => "{",
        });
        rest = &rest[part.map_or(1, |part| part.len())..];
    }
    out.push_str(rest);
    // A path is longer than a title may be.
    out.chars().take(VALUE_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
[columns]
body = "What happened"

[[rule]]
path = "clients/halcyon/**"
label = "confidential/Halcyon"
client = "Halcyon"

[[rule]]
path = "clients/*/cases/**"
case = "{name}"

[[rule]]
path = "**/old/**"
skip = true

[[rule]]
path = "**"
label = "internal"
client = "{top}"
title = "{folder}: {name}"

[[rule]]
column = "kind"
is = "incident*"
template = "incident"
"#;

    fn said(rules: &Rules, path: &str, kind: Option<&'static str>) -> Given {
        rules.given(&RulesFor {
            path,
            column: &|name| kind.filter(|_| name == "kind"),
        })
    }

    #[test]
    fn the_first_rule_that_says_something_counts() {
        let rules = Rules::parse(RULES).unwrap();
        let given = said(&rules, "clients/halcyon/cases/a.b.md", Some(" Incident, minor"));
        assert_eq!(given.label.as_deref(), Some("confidential/Halcyon"));
        assert_eq!(given.client.as_deref(), Some("Halcyon"));
        assert_eq!(given.case.as_deref(), Some("a.b"));
        assert_eq!(given.title.as_deref(), Some("clients/halcyon/cases: a.b"));
        assert_eq!(given.template.as_deref(), Some("incident"));
        let other = said(&rules, "visits/gate.md", Some("visit"));
        assert_eq!(
            (other.label.as_deref(), other.client.as_deref()),
            (Some("internal"), Some("visits"))
        );
        assert_eq!((other.template, other.skip), (None, false));
        assert!(said(&rules, "a/old/b.md", None).skip);
        assert_eq!(rules.columns().of("body"), Some("What happened"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, words) in [
            ("[[rule]]\npath = \"**\"\nlevel = \"x\"", Some(3), "unknown field"),
            ("\n\n[[rule]]\npath = \"a\"", Some(3), "says nothing"),
            ("[[rule]]\nlabel = \"internal\"", Some(1), "for what it is"),
            (
                "[[rule]]\ncolumn = \"a\"\nlabel = \"internal\"",
                Some(1),
                "stand together",
            ),
            (
                "[[rule]]\npath = \"a***b\"\nlabel = \"internal\"",
                Some(1),
                "no pattern",
            ),
            (
                "[[rule]]\npath = \"**\"\nclient = \"{user}\"",
                Some(1),
                "stand in braces",
            ),
            (
                "[[rule]]\npath = \"**\"\nlabel = \"{name}\"",
                Some(1),
                "nothing stands in braces",
            ),
            (
                "[[rule]]\npath = \"**\"\nskip = true\nlabel = \"x\"",
                Some(1),
                "what is skipped",
            ),
            ("[[rule]]\npath = \"**\"\ntitle = \"a\\nb\"", Some(1), "on one line"),
            ("[columns]\nbodice = \"x\"", Some(1), "bodice"),
            ("rule = 3", Some(1), "sequence"),
        ] {
            let bad = Rules::parse(text).unwrap_err();
            assert_eq!(bad.line, line, "{text}: {bad}");
            assert!(bad.reason.contains(words), "{text}: {bad}");
        }
        assert!(Rules::parse(&format!("[[rule]]\npath = \"{}\"\nskip = true", "*a".repeat(13))).is_err());
        assert!(Rules::parse("").is_ok());
    }
}
