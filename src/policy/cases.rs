//! Cases of the access rules: requests with the decision they must get. They live beside the rules, so that
//! whoever changes a rule sees what else it changes.

use super::error::{BadPolicy, line_with, read_toml};
use super::facts::{Action, ActorFacts, Kind, Offline, Request, ResourceFacts, Role};
use super::files::CASES;
use super::levels::Period;
use super::purposes::{is_code, is_line};
use super::{Decision, PolicySet};
use crate::crypto::sha256;
use crate::id::{CompartmentId, PersonId};
use crate::label::{Clearance, Label, LabelText, Level};
use serde::Deserialize;
use std::collections::BTreeSet;

/// How one case went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseResult {
    /// The name of the case; for a rule that no case shows deciding, one that says so.
    pub name: String,
    /// The `@id` of the rule it is about; empty: that no rule permits.
    pub rule: String,
    /// Whether it went as expected.
    pub passed: bool,
    /// The decision it must get.
    pub expected: String,
    /// The decision it got.
    pub got: String,
}

/// One case, checked.
pub(super) struct Case {
    name: String,
    rule: String,
    permitted: bool,
    request: Request<'static>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct File {
    #[serde(default)]
    case: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
struct Row {
    name: String,
    /// The rule that decides; left out: nothing permits.
    rule: Option<String>,
    expect: Expect,
    action: String,
    #[serde(default)]
    roles: Vec<String>,
    /// `LEVEL[/COMPARTMENT…]`, by the fixed names of levels; compartments are any words.
    clearance: String,
    /// The same, or `named/@me`, `named/@other`; left out: public.
    label: Option<String>,
    kind: Option<String>,
    outgoing: Option<String>,
    #[serde(default)]
    own: bool,
    #[serde(default)]
    held: bool,
    #[serde(default)]
    conflict: bool,
    #[serde(default)]
    lowers: bool,
    #[serde(default)]
    paused: bool,
    #[serde(default)]
    ended: bool,
    purpose: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    approvals: u32,
    #[serde(default)]
    lead_approvals: u32,
    #[serde(default)]
    closed: bool,
    /// The least time of its class is not over.
    #[serde(default)]
    kept: bool,
    people: Option<u32>,
    now: Option<i64>,
    /// For how long there was no sync, of a vault that has others; left out: it is complete in itself.
    offline: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase", expecting = "`permit` or `deny`")]
enum Expect {
    Permit,
    Deny,
}

/// Reads `access/cases.toml`, strictly: names unique, every word known.
pub(super) fn parse(text: &str) -> Result<Vec<Case>, BadPolicy> {
    let file: File = read_toml(CASES, text)?;
    let mut names = BTreeSet::new();
    let mut cases = Vec::with_capacity(file.case.len());
    for row in file.case {
        let line = line_with(text, &format!("\"{}\"", row.name));
        let wrong = |reason: String| BadPolicy::wrong(CASES, line, reason);
        if !is_line(&row.name) || !names.insert(row.name.clone()) {
            return Err(wrong(format!(
                "`{}`: every case needs a name of its own, one line of at most 200 characters",
                row.name.escape_debug()
            )));
        }
        cases.push(row.check().map_err(wrong)?);
    }
    Ok(cases)
}

/// Runs cases in order, then looks for rules that none of them shows deciding.
pub(super) fn run(set: &PolicySet, cases: &[Case]) -> Vec<CaseResult> {
    let mut results: Vec<CaseResult> = cases.iter().map(|case| case.run(set)).collect();
    for id in set.rules.ids() {
        if !results.iter().any(|result| result.passed && result.rule == id) {
            results.push(CaseResult {
                name: format!("no case shows `{id}` deciding"),
                rule: id,
                passed: false,
                expected: "a case that this rule decides".into(),
                got: "none that passes".into(),
            });
        }
    }
    results
}

impl Case {
    fn run(&self, set: &PolicySet) -> CaseResult {
        let request = Request {
            reason: self.reason.as_deref(),
            ..self.request.clone()
        };
        let (permitted, rules) = match set.decide(&request) {
            Decision::Permitted(permission) => (true, permission.rules().to_vec()),
            Decision::Denied(denial) => (false, denial.rules().to_vec()),
        };
        // What nothing permits is denied by no rule; otherwise the rule must be among those that decided.
        let decided = match self.rule.is_empty() {
            true => rules.is_empty(),
            false => rules.contains(&self.rule),
        };
        CaseResult {
            name: self.name.clone(),
            rule: self.rule.clone(),
            passed: permitted == self.permitted && decided,
            expected: words(self.permitted, [self.rule.clone()].as_slice()),
            got: words(permitted, &rules),
        }
    }
}

fn words(permitted: bool, rules: &[String]) -> String {
    let verb = if permitted { "permitted" } else { "denied" };
    match rules.join(", ").as_str() {
        "" => format!("{verb}: nothing permits it"),
        list => format!("{verb} by {list}"),
    }
}

/// The person in every case, and one who is somebody else.
const ME: PersonId = PersonId([1; 8]);
const OTHER: PersonId = PersonId([2; 8]);
/// 2025-01-01T00:00Z.
const NOW: i64 = 1_735_689_600;

impl Row {
    fn check(self) -> Result<Case, String> {
        let permitted = matches!(self.expect, Expect::Permit);
        let rule = self.rule.unwrap_or_default();
        if !rule.is_empty() && !is_code(&rule) {
            return Err(format!("`{}` is not the @id of a rule", rule.escape_debug()));
        }
        if rule.is_empty() && permitted {
            return Err("what is permitted is permitted by a rule: say which".into());
        }
        let action: Action = self.action.parse().map_err(|bad: super::BadAction| bad.to_string())?;
        let kind = match &self.kind {
            None => action.kinds()[0],
            Some(name) => Kind::ALL
                .into_iter()
                .find(|kind| kind.name() == name)
                .ok_or_else(|| format!("`{name}` is not a kind: note, brief, log, policy, roster or vault"))?,
        };
        let roles = self
            .roles
            .iter()
            .map(|role| role.parse())
            .collect::<Result<BTreeSet<Role>, _>>()
            .map_err(|bad| bad.to_string())?;
        let (level, compartments) = read_clearance(&self.clearance)?;
        let mut resource = ResourceFacts::new(kind, read_label(self.label.as_deref().unwrap_or("public"))?);
        resource.outgoing = self.outgoing.as_deref().map(read_level).transpose()?;
        resource.own = self.own;
        resource.held = self.held;
        resource.conflict = self.conflict;
        resource.lowers = self.lowers;
        resource.closed = self.closed;
        resource.kept_until = self.kept.then_some(i64::MAX);
        let now = self.now.unwrap_or(NOW);
        let offline = self.offline.map(|text| text.parse::<Period>()).transpose();
        let offline = offline
            .map_err(|bad| bad.to_string())?
            .and_then(|period| period.after(0));
        Ok(Case {
            name: self.name,
            rule,
            permitted,
            reason: self.reason,
            request: Request {
                action,
                actor: ActorFacts {
                    person: ME,
                    roles,
                    clearance: Clearance {
                        person: ME,
                        level,
                        compartments,
                    },
                    paused: self.paused,
                    ended: self.ended,
                },
                resource,
                purpose: self.purpose,
                reason: None,
                now,
                offline: offline.map_or(Offline::Never, |length| Offline::Since {
                    last: now.saturating_sub(length),
                    now,
                }),
                approvals: self.approvals,
                lead_approvals: self.lead_approvals,
                people: self.people.unwrap_or(3),
            },
        })
    }
}

fn read_level(name: &str) -> Result<Level, String> {
    let found = Level::ALL.into_iter().find(|level| level.name() == name);
    found.ok_or_else(|| {
        format!(
            "`{}` is not a level: cases use the fixed names, public to named",
            name.escape_debug()
        )
    })
}

fn read_clearance(text: &str) -> Result<(Level, BTreeSet<CompartmentId>), String> {
    let parts: LabelText = text
        .parse()
        .map_err(|bad: crate::label::BadLabelText| bad.to_string())?;
    if !parts.people.is_empty() {
        return Err("a clearance names no people".into());
    }
    Ok((
        read_level(&parts.level)?,
        parts.compartments.iter().map(|name| derive_compartment(name)).collect(),
    ))
}

fn read_label(text: &str) -> Result<Label, String> {
    let parts: LabelText = text
        .parse()
        .map_err(|bad: crate::label::BadLabelText| bad.to_string())?;
    let compartments = parts.compartments.iter().map(|name| derive_compartment(name));
    let people = parts.people.iter().map(|handle| match handle.as_str() {
        "me" => Ok(ME),
        "other" => Ok(OTHER),
        _ => Err(format!("`@{handle}`: cases know `@me` and `@other`")),
    });
    let people = people.collect::<Result<Vec<_>, _>>()?;
    let label = match (read_level(&parts.level)?, people.is_empty()) {
        (level, true) => Label::new(level, compartments),
        (Level::Named, false) => Label::named(people, compartments),
        (_, false) => Err(crate::label::BadLabel::PeopleBelowNamed),
    };
    label.map_err(|bad| bad.to_string())
}

/// An id for a compartment's name, so that equal words in a case mean equal compartments.
fn derive_compartment(name: &str) -> CompartmentId {
    let mut id = [0; 8];
    id.copy_from_slice(&sha256(&[name.as_bytes()]).as_bytes()[..8]);
    CompartmentId(id)
}
