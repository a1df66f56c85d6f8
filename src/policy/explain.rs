//! Why a request is decided as it is, and what would change that.

use super::decision::{Denial, Obligation, Why, moment};
use super::facts::{Action, Kind, Offline, Request, Role};
use super::purposes::Purpose;
use super::rules::Because;
use super::{Decision, PolicySet, RuleSummary, rules};
use crate::label::{Clearance, Level};

/// A reason long enough for any rule: what a request is tried with to see whether a reason would help.
pub(super) const ANY_REASON: &str = "a reason long enough for any rule";
/// At most so many things are changed together: more than that is no advice.
const MAX_TOGETHER: u32 = 4;

/// What a denied person could still say for the request to be permitted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lack {
    /// The purposes with one of which it would be permitted; empty: a purpose is not what is missing.
    pub purposes: Vec<Purpose>,
    /// Whether a reason is missing.
    pub reason: bool,
}

/// A decision in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// Whether it is permitted.
    pub permitted: bool,
    /// The rules that decided: those that permit it, or those that forbid it; none where nothing permits it. What
    /// [`RuleSummary::why`] says may be completed with what `levels.toml` asks.
    pub rules: Vec<RuleSummary>,
    /// The `@id` of each rule that could not be evaluated, which denies.
    pub failed: Vec<String>,
    /// What would turn a denial: each of these alone, by all its parts together. Empty: nothing that is known here.
    pub ways: Vec<Vec<String>>,
    /// What comes with a permission.
    pub duties: Vec<String>,
    /// Of what is opened only for so long after an exchange with another copy of the vault: for how long.
    pub offline: Option<String>,
    /// Whether that is why it is denied.
    pub late: bool,
}

/// One thing that could be otherwise.
#[derive(Clone, PartialEq, Eq)]
enum Change {
    Purpose,
    Reason,
    Approval,
    LeadApproval,
    Outgoing(Level),
    Own,
    Role(Role),
    Clearance,
    Resumed,
    Extended,
    NoConflict,
    HoldLifted,
    Synced,
}

impl PolicySet {
    /// What the person could say for this denied request to be permitted: `None` if nothing they may add would do, or if
    /// they may not know that the thing exists. Only what was not given at all counts as missing.
    pub fn lacks(&self, request: &Request<'_>, denial: &Denial) -> Option<Lack> {
        let purpose = denial.why().contains(&Why::PurposeMissing);
        let reason = denial.why().contains(&Why::ReasonMissing);
        if denial.hidden || (reason && request.reason_length() > 0) || !(purpose || reason) {
            return None;
        }
        let mut tried = request.clone();
        if reason {
            tried.reason = Some(ANY_REASON);
        }
        let purposes = match purpose {
            true => self.helpful_purposes(&tried),
            false => Vec::new(),
        };
        let helps = if purpose {
            !purposes.is_empty()
        } else {
            self.permits(&tried)
        };
        helps.then_some(Lack { purposes, reason })
    }

    /// Whether the request would be permitted if the person said what they may say: a purpose and a reason.
    pub fn possible(&self, request: &Request<'_>) -> bool {
        let mut tried = request.clone();
        tried.reason = Some(ANY_REASON);
        self.permits(&tried) || !self.helpful_purposes(&tried).is_empty()
    }

    /// Explains what is decided about a request, to somebody who may know of the thing it is about.
    pub fn explain(&self, request: &Request<'_>) -> Explanation {
        let named = |ids: &[String]| -> Vec<RuleSummary> {
            let mut rules = self.rules();
            rules.retain(|rule| ids.contains(&rule.id));
            rules.iter_mut().for_each(|rule| self.complete(rule, request));
            rules
        };
        match self.decide(request) {
            Decision::Permitted(permission) => Explanation {
                permitted: true,
                rules: named(permission.rules()),
                failed: Vec::new(),
                ways: Vec::new(),
                duties: permission.obligations().iter().map(duty).collect(),
                offline: self.cap(request),
                late: false,
            },
            Decision::Denied(denial) => {
                let failed = denial.why().iter().filter_map(|why| match why {
                    Why::RuleError(rule) => Some(rule.clone()),
                    _ => None,
                });
                let failed: Vec<String> = failed.collect();
                let forbidding: Vec<String> = denial
                    .rules()
                    .iter()
                    .filter(|id| !failed.contains(id))
                    .cloned()
                    .collect();
                Explanation {
                    permitted: false,
                    rules: named(&forbidding),
                    failed,
                    ways: self.ways(request),
                    duties: Vec::new(),
                    offline: self.cap(request),
                    late: self.is_late(request).is_some(),
                }
            }
        }
    }

    /// What a cap on the time offline means for this request.
    fn cap(&self, request: &Request<'_>) -> Option<String> {
        let at_most = self.levels.rules(request.resource.label.level()).offline_at_most;
        let at_most = at_most.filter(|_| request.action.opens())?;
        let rule = format!("notes of this level are opened within {at_most} after a sync");
        if request.action == Action::BreakGlass {
            return Some(format!("{rule}; breaking the glass is not stopped by that"));
        }
        Some(match request.offline {
            Offline::Never => format!("{rule}; this vault has no other copy to sync with, so that does not count here"),
            Offline::Always => format!("{rule}, and there was none here yet"),
            Offline::Since { last, .. } => {
                let until = at_most
                    .after(last)
                    .map_or_else(String::new, |until| format!(", so until {}", moment(until)));
                format!("{rule}; the last was at {}{until}", moment(last))
            }
        })
    }

    pub(super) fn permits(&self, request: &Request<'_>) -> bool {
        matches!(self.decide(request), Decision::Permitted(_))
    }

    fn helpful_purposes(&self, request: &Request<'_>) -> Vec<Purpose> {
        let mut tried = request.clone();
        let helps = |purpose: &&Purpose| {
            tried.purpose = Some(purpose.code.clone());
            self.permits(&tried)
        };
        self.purposes.iter().filter(helps).cloned().collect()
    }

    /// Says from which level on `levels.toml` asks for what a rule speaks of.
    fn complete(&self, rule: &mut RuleSummary, request: &Request<'_>) {
        let asks: fn(&super::LevelRules) -> bool = match self.rules.reason(&rule.id).0 {
            Some(Because::PurposeMissing) => |level| level.purpose_required,
            Some(Because::ReasonMissing) => |level| level.reason_required,
            Some(Because::SecondPerson) if request.action == Action::BriefRelease => {
                |level| level.second_person_for_release
            }
            _ => return,
        };
        let mut levels = Level::ALL.into_iter().map(|level| self.levels.rules(level));
        if let Some(first) = levels.find(|level| asks(level)) {
            rule.why = format!("{} (here from `{}` upwards)", rule.why, first.name);
        }
    }

    /// The smallest changes that would turn a denial.
    fn ways(&self, request: &Request<'_>) -> Vec<Vec<String>> {
        let all = changes(request);
        let mut ways: Vec<Vec<Change>> = Vec::new();
        for size in 1..=MAX_TOGETHER {
            // Every set of that many changes, as the bits of a number.
            let sets = (1_u32..1 << all.len()).filter(|set| set.count_ones() == size);
            for set in sets {
                let chosen = all.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0);
                let way: Vec<Change> = chosen.map(|(_, change)| change.clone()).collect();
                let lower = |way: &[Change]| {
                    way.iter()
                        .filter(|change| matches!(change, Change::Outgoing(_)))
                        .count()
                };
                // The highest level that may leave comes first, and the lower ones say nothing more.
                let said = |known: &Vec<Change>| lower(&way) > 0 && same_but_for_the_audience(known, &way);
                if lower(&way) > 1 || ways.iter().any(said) {
                    continue;
                }
                if self.would_permit(request, &way) {
                    ways.push(way);
                }
            }
            if !ways.is_empty() {
                break;
            }
        }
        let words = |way: &Vec<Change>| way.iter().map(|change| self.words(change, request, way)).collect();
        ways.iter().map(words).collect()
    }

    fn would_permit(&self, request: &Request<'_>, way: &[Change]) -> bool {
        let changed = changed(request, way);
        match way.contains(&Change::Purpose) {
            true => !self.helpful_purposes(&changed).is_empty(),
            false => self.permits(&changed),
        }
    }

    fn words(&self, change: &Change, request: &Request<'_>, way: &[Change]) -> String {
        match change {
            Change::Purpose => {
                let helpful = self.helpful_purposes(&changed(request, way));
                let codes: Vec<&str> = helpful.iter().map(|purpose| purpose.code.as_str()).collect();
                format!("a purpose: --purpose CODE, one of {}", codes.join(", "))
            }
            Change::Reason => "a reason: --why TEXT, in a few words (four characters or more)".into(),
            Change::Approval => "the approval of a second person".into(),
            Change::LeadApproval => "the approval of another lead".into(),
            Change::Outgoing(level) => {
                let name = &self.levels.rules(*level).name;
                format!("a wider audience, to whom less is told: --for {name}")
            }
            Change::Own if request.resource.kind == Kind::Log => "asking for your own entries alone".into(),
            Change::Own => "having written it yourself".into(),
            Change::Role(role) => format!("the role `{role}`, which a lead gives"),
            Change::Clearance => "a clearance that covers the label".into(),
            Change::Resumed => "your membership resumed by a lead".into(),
            Change::Extended => "a later end of your membership, from a lead".into(),
            Change::NoConflict => "no declared conflict of interest".into(),
            Change::HoldLifted => "the legal hold lifted".into(),
            Change::Synced => "a sync: `strongroom sync`".into(),
        }
    }
}

/// What could be otherwise about a request: first what the person can do at once.
fn changes(request: &Request<'_>) -> Vec<Change> {
    let outgoing = rules::outgoing(request);
    let kept = request.resource.kept_until.is_some();
    let leaves = matches!(request.action, Action::BriefDraft | Action::BriefRelease);
    let lower = Level::ALL.into_iter().rev().filter(|level| leaves && *level < outgoing);
    let roles = [Role::OFFICER, Role::LEAD, Role::AUDITOR];
    let possible = [
        (true, Change::Purpose),
        (request.reason_length() < ANY_REASON.len(), Change::Reason),
        (request.approvals == 0 && !kept, Change::Approval),
        (request.lead_approvals == 0 && kept, Change::LeadApproval),
        (!request.resource.own, Change::Own),
        (!request.cleared(), Change::Clearance),
        (request.actor.paused, Change::Resumed),
        (request.actor.ended, Change::Extended),
        (request.resource.conflict, Change::NoConflict),
        (request.resource.held, Change::HoldLifted),
        (request.offline != Offline::Never, Change::Synced),
    ];
    let possible = possible
        .into_iter()
        .filter(|(possible, _)| *possible)
        .map(|(_, change)| change);
    let roles = roles.into_iter().filter(|role| !request.actor.roles.contains(role));
    possible
        .chain(lower.map(Change::Outgoing))
        .chain(roles.map(Change::Role))
        .collect()
}

fn changed<'r>(request: &Request<'r>, way: &[Change]) -> Request<'r> {
    let mut changed = request.clone();
    for change in way {
        match change {
            // Tried with each purpose by whoever asks.
            Change::Purpose => {}
            Change::Reason => changed.reason = Some(ANY_REASON),
            Change::Approval => changed.approvals = 1,
            Change::LeadApproval => (changed.approvals, changed.lead_approvals) = (1, 1),
            Change::Outgoing(level) => changed.resource.outgoing = Some(*level),
            Change::Own => changed.resource.own = true,
            Change::Role(role) => drop(changed.actor.roles.insert(role.clone())),
            Change::Clearance => {
                let label = &changed.resource.label;
                // Of a label for people by name only the names decide: no clearance makes up for them.
                changed.actor.clearance = Clearance {
                    person: changed.actor.person,
                    level: label.level(),
                    compartments: label.compartments().clone(),
                };
            }
            Change::Resumed => changed.actor.paused = false,
            Change::Extended => changed.actor.ended = false,
            Change::NoConflict => changed.resource.conflict = false,
            Change::HoldLifted => changed.resource.held = false,
            Change::Synced => changed.offline = Offline::Never,
        }
    }
    changed
}

fn same_but_for_the_audience(a: &[Change], b: &[Change]) -> bool {
    let rest = |way: &[Change]| -> Vec<Change> {
        let rest = way.iter().filter(|change| !matches!(change, Change::Outgoing(_)));
        rest.cloned().collect()
    };
    rest(a) == rest(b)
}

fn duty(obligation: &Obligation) -> String {
    match obligation {
        Obligation::Mark(mark) => format!("what leaves the vault bears the mark {mark}"),
        Obligation::ReviewAfter(period) => format!("the note is due for review after {period}"),
    }
}
