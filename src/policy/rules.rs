//! The access rules, in Cedar (cedarpolicy.com, language version 4): reading, validating, evaluating.

use super::error::{BadPolicy, line_of, line_with};
use super::facts::{Action, Kind, Request};
use super::files::{RULES, SCHEMA};
use super::levels::Levels;
use super::purposes::{Purposes, is_code, is_line};
use cedar_policy as cedar;
use cedar_policy::{EntityId, EntityTypeName, EntityUid, RestrictedExpression};
use miette::Diagnostic;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr;

/// The facts this program gives to rules. A vault's copy is for reading and must be the same.
const FACTS: &str = include_str!("../../policies/access/schema.cedarschema");

/// Why a rule forbids, as its `@because` may say; anything else is a rule of the vault's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Because {
    AnotherLead,
    Clearance,
    Conflict,
    Ended,
    Hold,
    Kept,
    Paused,
    PurposeMissing,
    PurposeUnknown,
    ReasonMissing,
    SecondPerson,
}

impl Because {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "another-lead" => Self::AnotherLead,
            "clearance" => Self::Clearance,
            "conflict" => Self::Conflict,
            "ended" => Self::Ended,
            "hold" => Self::Hold,
            "kept" => Self::Kept,
            "paused" => Self::Paused,
            "purpose-missing" => Self::PurposeMissing,
            "purpose-unknown" => Self::PurposeUnknown,
            "reason-missing" => Self::ReasonMissing,
            "second-person" => Self::SecondPerson,
            _ => return None,
        })
    }
}

/// Access rules, ready to be asked.
pub(super) struct Rules {
    set: cedar::PolicySet,
    authorizer: cedar::Authorizer,
    words: Vocabulary,
}

/// Names parsed once, since parsing one costs as much as evaluating a rule.
struct Vocabulary {
    person: EntityTypeName,
    action: EntityTypeName,
    kinds: [EntityTypeName; 6],
}

/// What the rules say about one request.
pub(super) struct Answer {
    pub(super) permitted: bool,
    /// The rules that decided, sorted.
    pub(super) rules: Vec<String>,
    /// The rules that could not be evaluated, sorted.
    pub(super) failed: Vec<String>,
}

impl Rules {
    /// Reads rules that were validated before. Each must still have an `@id` of its own: decisions are named by it.
    pub(super) fn read(text: &str) -> Result<Self, BadPolicy> {
        check_sizes(text)?;
        let parsed = cedar::PolicySet::from_str(text).map_err(|errors| {
            let line = first_label(&errors).map(|offset| line_of(text, offset));
            BadPolicy::wrong(RULES, line, errors.to_string())
        })?;
        let mut set = cedar::PolicySet::new();
        for policy in parsed.policies() {
            let id = policy.annotation("id").unwrap_or_default();
            if !is_code(id) {
                let line = policy_line(text, policy);
                return Err(BadPolicy::wrong(
                    RULES,
                    line,
                    "a rule has no `@id(\"…\")` of lower-case letters, digits and single hyphens, at most 32: decisions \
                     are named by it",
                ));
            }
            set.add(policy.new_id(cedar::PolicyId::new(id)))
                .map_err(|_| BadPolicy::wrong(RULES, last_line(text, id), format!("the rule `{id}` stands twice")))?;
        }
        if parsed.templates().next().is_some() {
            return Err(BadPolicy::wrong(
                RULES,
                line_with(text, "?principal").or_else(|| line_with(text, "?resource")),
                "templates (`?principal`, `?resource`) are not used: write the rule out",
            ));
        }
        Ok(Self {
            set,
            authorizer: cedar::Authorizer::new(),
            words: Vocabulary::new()?,
        })
    }

    /// Reads rules strictly: the schema is this program's, every rule is annotated, and Cedar's validator in
    /// strict mode finds nothing, warnings included (a rule that can never apply is a mistake: a `forbid` that
    /// silently forbids nothing). Gives what is wrong with each rule, in the order of the file.
    pub(super) fn check(text: &str, schema: &str) -> Result<Self, Vec<BadPolicy>> {
        let one = |bad: BadPolicy| vec![bad];
        if schema != FACTS {
            let line = 1 + schema.lines().zip(FACTS.lines()).take_while(|(a, b)| a == b).count();
            return Err(one(BadPolicy::wrong(
                SCHEMA,
                Some(line),
                "differs from the facts that this program gives to rules: put the shipped copy back, or use the version \
                 of the program that it came with",
            )));
        }
        let rules = Self::read(text).map_err(one)?;
        let (schema, _) = cedar::Schema::from_cedarschema_str(schema).map_err(|error| {
            let line = first_label(&error).map(|offset| line_of(FACTS, offset));
            one(BadPolicy::wrong(SCHEMA, line, error.to_string()))
        })?;
        let found = cedar::Validator::new(schema).validate(&rules.set, cedar::ValidationMode::Strict);
        // Cedar gives its findings in no fixed order: they are put in that of the file. A warning may be the mere
        // consequence of an error, so it is named where there is no error alone.
        let place = |rule: &cedar::PolicyId, reason: String| (rule_line(text, rule.as_ref()), reason);
        let annotations = rules.set.policies().filter_map(|policy| {
            let reason = check_annotations(policy).err()?;
            Some(place(policy.id(), reason))
        });
        let errors = found.validation_errors().map(|e| place(e.policy_id(), e.to_string()));
        let mut faults: BTreeSet<_> = annotations.chain(errors).collect();
        if faults.is_empty() {
            faults.extend(found.validation_warnings().map(|w| place(w.policy_id(), w.to_string())));
        }
        // One mistake is found again for each kind of thing that the rule could be about.
        let mut faults: Vec<_> = faults.into_iter().collect();
        faults.dedup_by_key(|(line, _)| *line);
        let faults: Vec<_> = faults
            .into_iter()
            .map(|(line, reason)| BadPolicy::wrong(RULES, line, reason))
            .collect();
        if faults.is_empty() { Ok(rules) } else { Err(faults) }
    }

    /// The `@id` of every rule, sorted.
    pub(super) fn ids(&self) -> Vec<String> {
        sorted(self.set.policies().map(|policy| policy.id().to_string()))
    }

    /// Each rule's `@id`, whether it forbids, and its `@why`, sorted by id.
    pub(super) fn list(&self) -> Vec<(String, bool, String)> {
        let mut list: Vec<_> = self
            .set
            .policies()
            .map(|policy| {
                let forbids = policy.effect() == cedar::Effect::Forbid;
                let why = policy.annotation("why").unwrap_or_default().to_owned();
                (policy.id().to_string(), forbids, why)
            })
            .collect();
        list.sort();
        list
    }

    /// Whether this rule forbids.
    pub(super) fn forbids(&self, id: &str) -> bool {
        let policy = self.set.policy(&cedar::PolicyId::new(id));
        policy.is_some_and(|policy| policy.effect() == cedar::Effect::Forbid)
    }

    /// Why a rule forbids, if it says so, and its `@why`.
    pub(super) fn reason(&self, id: &str) -> (Option<Because>, String) {
        let id = cedar::PolicyId::new(id);
        let because = self.set.annotation(&id, "because").and_then(Because::from_name);
        let words = self.set.annotation(&id, "why").unwrap_or_default().to_owned();
        (because, words)
    }

    /// Asks the rules. `None`: the facts could not be put to them, which permits nothing.
    pub(super) fn ask(&self, request: &Request<'_>, levels: &Levels, purposes: &Purposes) -> Option<Answer> {
        let principal = self.words.person_uid(request);
        let resource = uid(&self.words.kinds[request.resource.kind as usize], "it");
        let action = uid(&self.words.action, request.action.name());
        let entities = cedar::Entities::from_entities(
            [
                cedar::Entity::new(principal.clone(), person_attributes(request), HashSet::new()).ok()?,
                cedar::Entity::new(resource.clone(), resource_attributes(request), HashSet::new()).ok()?,
                cedar::Entity::new_no_attrs(action.clone(), self.words.groups(request.action)),
            ],
            None,
        )
        .ok()?;
        let context = cedar::Context::from_pairs(circumstances(request, levels, purposes)).ok()?;
        let request = cedar::Request::new(principal, action, resource, context, None).ok()?;
        let response = self.authorizer.is_authorized(&request, &self.set, &entities);
        let failed = sorted(response.diagnostics().errors().map(|error| match error {
            cedar::AuthorizationError::PolicyEvaluationError(error) => error.policy_id().to_string(),
        }));
        Some(Answer {
            // INVARIANT (a rule that fails denies): Cedar skips a rule that fails, a `forbid` too.
            permitted: response.decision() == cedar::Decision::Allow && failed.is_empty(),
            rules: sorted(response.diagnostics().reason().map(|id| id.to_string())),
            failed,
        })
    }
}

impl Vocabulary {
    fn new() -> Result<Self, BadPolicy> {
        let name = |text: &str| {
            EntityTypeName::from_str(text).map_err(|error| BadPolicy::wrong(SCHEMA, None, error.to_string()))
        };
        let [a, b, c, d, e, f] = Kind::ALL.map(|kind| name(kind.entity_type()));
        Ok(Self {
            person: name("Person")?,
            action: name("Action")?,
            kinds: [a?, b?, c?, d?, e?, f?],
        })
    }

    fn person_uid(&self, request: &Request<'_>) -> EntityUid {
        uid(&self.person, &request.actor.person.to_string())
    }

    fn groups(&self, action: Action) -> HashSet<EntityUid> {
        action.groups().iter().map(|group| uid(&self.action, group)).collect()
    }
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

fn person_attributes(request: &Request<'_>) -> HashMap<String, RestrictedExpression> {
    let roles = request.actor.roles.iter().map(|role| text(role.name()));
    HashMap::from([
        ("roles".to_owned(), RestrictedExpression::new_set(roles)),
        ("level".to_owned(), number(request.actor.clearance.level.number())),
        ("paused".to_owned(), yes(request.actor.paused)),
        ("ended".to_owned(), yes(request.actor.ended)),
    ])
}

fn resource_attributes(request: &Request<'_>) -> HashMap<String, RestrictedExpression> {
    let resource = &request.resource;
    let level = resource.label.level();
    let level = resource.highest.map_or(level, |highest| highest.max(level));
    let compartments = resource.label.compartments().iter().map(|id| text(&id.to_string()));
    HashMap::from([
        ("level".to_owned(), number(level.number())),
        ("compartments".to_owned(), RestrictedExpression::new_set(compartments)),
        ("outgoing".to_owned(), number(outgoing(request).number())),
        ("own".to_owned(), yes(resource.own)),
        ("held".to_owned(), yes(resource.held)),
        ("conflict".to_owned(), yes(resource.conflict)),
        ("closed".to_owned(), yes(resource.closed)),
        ("kept".to_owned(), yes(resource.kept_until.is_some())),
    ])
}

/// The level of what leaves the vault: the label's, unless a release says otherwise.
pub(super) fn outgoing(request: &Request<'_>) -> crate::label::Level {
    request.resource.outgoing.unwrap_or(request.resource.label.level())
}

fn circumstances(request: &Request<'_>, levels: &Levels, purposes: &Purposes) -> Vec<(String, RestrictedExpression)> {
    let asked = levels.rules(request.resource.label.level());
    let leaving = levels.rules(outgoing(request));
    let purpose = request.purpose.as_deref().and_then(|code| purposes.by_code(code));
    let (listed, emergency) = (purpose.is_some(), purpose.is_some_and(|purpose| purpose.emergency));
    let mut pairs = vec![
        ("cleared".to_owned(), yes(request.cleared())),
        ("purpose_listed".to_owned(), yes(listed)),
        ("emergency".to_owned(), yes(emergency)),
        (
            "reason_length".to_owned(),
            number(u32::try_from(request.reason_length()).unwrap_or(u32::MAX)),
        ),
        ("purpose_required".to_owned(), yes(asked.purpose_required)),
        ("reason_required".to_owned(), yes(asked.reason_required)),
        (
            "second_person_for_release".to_owned(),
            yes(leaving.second_person_for_release || request.resource.seconded),
        ),
        ("lowers".to_owned(), yes(request.resource.lowers)),
        ("approvals".to_owned(), number(request.approvals)),
        ("lead_approvals".to_owned(), number(request.lead_approvals)),
        ("people".to_owned(), number(request.people)),
        ("now".to_owned(), number(request.now)),
    ];
    // An unlisted code never reaches a rule: it is the person's text, of any length.
    if let Some(code) = &request.purpose {
        pairs.push(("purpose".to_owned(), text(if listed { code } else { "" })));
    }
    pairs
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn number(value: impl Into<i64>) -> RestrictedExpression {
    RestrictedExpression::new_long(value.into())
}

fn yes(value: bool) -> RestrictedExpression {
    RestrictedExpression::new_bool(value)
}

fn sorted(items: impl Iterator<Item = String>) -> Vec<String> {
    items.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The most words and signs in one rule, and how deep it may nest. Cedar reads, validates and drops an expression
/// by recursion, and a stack that overflows ends the process: 50 brackets are too many for 2 MiB in a debug build.
/// Chains (`a && b && …`) cost less than brackets and `if`, hence two bounds.
const MAX_RULE_TOKENS: usize = 400;
const MAX_RULE_DEPTH: usize = 16;

/// Refuses a rule that is too long or too deep to be read safely. Words, numbers and signs count, strings count as
/// one, comments not at all.
fn check_sizes(text: &str) -> Result<(), BadPolicy> {
    let (mut tokens, mut brackets, mut ifs) = (0, 0_usize, 0);
    let mut start = 0;
    let mut rest = text.char_indices().peekable();
    while let Some((offset, char)) = rest.next() {
        match char {
            c if c.is_whitespace() => continue,
            '/' if rest.peek().is_some_and(|(_, next)| *next == '/') => {
                while rest.next_if(|(_, c)| *c != '\n').is_some() {}
                continue;
            }
            ';' if brackets == 0 => {
                (tokens, ifs) = (0, 0);
                continue;
            }
            '(' | '[' | '{' => brackets += 1,
            ')' | ']' | '}' => brackets = brackets.saturating_sub(1),
            '"' => skip_string(&mut rest),
            c if is_word(c) => {
                let mut end = offset + 1;
                while let Some((at, _)) = rest.next_if(|(_, c)| is_word(*c)) {
                    end = at + 1;
                }
                ifs += usize::from(&text[offset..end] == "if");
            }
            _ => {}
        }
        if tokens == 0 {
            start = offset;
        }
        tokens += 1;
        let wrong = |reason| Err(BadPolicy::wrong(RULES, Some(line_of(text, start)), reason));
        if tokens > MAX_RULE_TOKENS {
            return wrong(format!(
                "the rule is too long: at most {MAX_RULE_TOKENS} words and signs; make two of it"
            ));
        }
        if brackets + ifs > MAX_RULE_DEPTH {
            return wrong(format!(
                "the rule nests too deep: at most {MAX_RULE_DEPTH} brackets and `if`s in each other"
            ));
        }
    }
    Ok(())
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn skip_string(rest: &mut std::iter::Peekable<std::str::CharIndices<'_>>) {
    while let Some((_, char)) = rest.next() {
        match char {
            '\\' => drop(rest.next()),
            '"' => return,
            _ => {}
        }
    }
}

fn check_annotations(policy: &cedar::Policy) -> Result<(), String> {
    let id = policy.id();
    for (name, _) in policy.annotations() {
        if !["id", "why", "because"].contains(&name) {
            return Err(format!(
                "the rule `{id}` has `@{name}`: only @id, @why and @because mean something here"
            ));
        }
    }
    if !policy.annotation("why").is_some_and(is_line) {
        return Err(format!(
            "the rule `{id}` needs an `@why(\"…\")`: one line of at most 200 characters in plain words"
        ));
    }
    match (policy.annotation("because"), policy.effect()) {
        (Some(_), cedar::Effect::Permit) => Err(format!("the rule `{id}` permits, so it has no `@because`")),
        (Some(name), _) if Because::from_name(name).is_none() => Err(format!(
            "the rule `{id}`: `{}` is no @because; these are another-lead, clearance, conflict, ended, hold, kept, paused, \
             purpose-missing, purpose-unknown, reason-missing, second-person",
            name.escape_debug()
        )),
        _ => Ok(()),
    }
}

fn rule_line(text: &str, id: &str) -> Option<usize> {
    line_with(text, &format!("@id(\"{id}\")"))
}

/// The last line where a rule of this name begins.
fn last_line(text: &str, id: &str) -> Option<usize> {
    text.rfind(&format!("@id(\"{id}\")"))
        .map(|offset| line_of(text, offset))
}

/// The line of a rule without a usable `@id`: its source text as Cedar kept it.
fn policy_line(text: &str, policy: &cedar::Policy) -> Option<usize> {
    line_with(text, policy.to_cedar()?.trim())
}

fn first_label(error: &dyn Diagnostic) -> Option<usize> {
    error.labels()?.next().map(|label| label.offset())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_actions_are_the_schemas() {
        let (schema, warnings) = cedar::Schema::from_cedarschema_str(FACTS).unwrap();
        assert_eq!(warnings.count(), 0);
        let entities = schema.action_entities().unwrap();
        let groups: BTreeSet<String> = schema
            .action_groups()
            .map(|uid| uid.id().unescaped().to_owned())
            .collect();
        let names: BTreeSet<String> = schema.actions().map(|uid| uid.id().unescaped().to_owned()).collect();
        let ours: BTreeSet<String> = Action::ALL.iter().map(|action| action.name().to_owned()).collect();
        assert_eq!(names.difference(&groups).cloned().collect::<BTreeSet<_>>(), ours);
        let words = Vocabulary::new().unwrap();
        for action in Action::ALL {
            let this = uid(&words.action, action.name());
            let found: HashSet<_> = entities.ancestors(&this).unwrap().cloned().collect();
            assert_eq!(found, words.groups(*action), "{action}");
            let kinds: BTreeSet<String> = schema
                .resources_for_action(&this)
                .unwrap()
                .map(|kind| kind.to_string())
                .collect();
            let ours: BTreeSet<String> = action
                .kinds()
                .iter()
                .map(|kind| kind.entity_type().to_owned())
                .collect();
            assert_eq!(kinds, ours, "{action}");
        }
    }

    #[test]
    fn a_rule_has_bounds_in_length_and_depth() {
        let words = |count: usize| format!("{};\n", "a ".repeat(count));
        let nested = |count: usize| format!("{}x{};", "(".repeat(count), ")".repeat(count));
        let good = [
            words(MAX_RULE_TOKENS).repeat(3),
            nested(MAX_RULE_DEPTH).repeat(3),
            // A string is one word, whatever it holds, and a comment none.
            format!("\"{}\\\" (\" {}", "( ;".repeat(900), words(MAX_RULE_TOKENS - 1)),
            format!("// {}\n{}", "( a ".repeat(900), words(MAX_RULE_TOKENS)),
            format!("{} {}", "iffy ".repeat(20), nested(MAX_RULE_DEPTH)),
            format!("{};", "x_1y ".repeat(MAX_RULE_TOKENS)),
        ];
        for text in good {
            assert!(check_sizes(&text).is_ok(), "{text:.80}");
        }
        let bad = [
            words(MAX_RULE_TOKENS + 1),
            nested(MAX_RULE_DEPTH + 1),
            format!("{};", "a/b ".repeat(MAX_RULE_TOKENS / 3 + 1)),
            format!("{};", "if x ".repeat(MAX_RULE_DEPTH + 1)),
            format!("if x {}", nested(MAX_RULE_DEPTH)),
        ];
        for text in bad {
            let refused = check_sizes(&format!("a;\n\n{text}")).unwrap_err().to_string();
            assert!(refused.contains("line 3"), "{refused}");
        }
    }
}
