//! Policies: who may do what, decided from facts. No plaintext, no IO.
//!
//! A [`PolicySet`] is the files under `policies/`: `levels.toml` and `purposes.toml`, which a lead edits, and
//! access rules in Cedar. What no rule permits is denied; a rule that forbids wins; a rule that fails denies.
//! Keys come first: a policy narrows what keys allow and never widens it.

mod cases;
mod decision;
mod error;
mod explain;
mod facts;
mod files;
mod levels;
mod purposes;
mod rules;

pub use cases::CaseResult;
pub use decision::{Decision, Denial, Obligation, Permission, Why};
pub use error::BadPolicy;
pub(crate) use error::{line_with, read_toml};
pub use explain::{Explanation, Lack};
pub use facts::{Action, ActorFacts, BadAction, BadRole, Kind, Offline, Request, ResourceFacts, Role};
pub use files::{CASES, LEVELS, PURPOSES, PolicyFiles, RULES, SCHEMA, governs, shipped};
pub use levels::{BadPeriod, LevelRules, Levels, Period};
pub use purposes::{Purpose, Purposes};

use crate::id::Digest;
use rules::{Because, Rules};

/// Policies, ready to decide.
pub struct PolicySet {
    files: PolicyFiles,
    digest: Digest,
    levels: Levels,
    purposes: Purposes,
    rules: Rules,
}

/// One access rule, as it is listed for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleSummary {
    /// Its `@id`.
    pub id: String,
    /// Whether it forbids; otherwise it permits.
    pub forbids: bool,
    /// Its `@why`.
    pub why: String,
}

impl PolicySet {
    /// Takes files that are about to become a vault's policies, strictly: every file is read, the rules are
    /// validated against the schema in Cedar's strict mode, and the cases are well formed. Whether the cases pass
    /// is [`PolicySet::run_cases`].
    pub fn load(files: PolicyFiles) -> Result<Self, BadPolicy> {
        // There is at least one where it is refused.
        let first = |faults: Vec<BadPolicy>| faults.into_iter().next().unwrap_or(BadPolicy::Missing(RULES));
        Self::check(files).map_err(first)
    }

    /// The same with everything that is wrong: of each file and of each rule the first fault.
    pub fn check(files: PolicyFiles) -> Result<Self, Vec<BadPolicy>> {
        let mut faults = Vec::new();
        faults.extend(files.text(LEVELS).and_then(Levels::parse).err());
        faults.extend(files.text(PURPOSES).and_then(Purposes::parse).err());
        faults.extend(files.text(CASES).and_then(cases::parse).err());
        let rules = match (files.text(RULES), files.text(SCHEMA)) {
            (Ok(rules), Ok(schema)) => Rules::check(rules, schema),
            (rules, schema) => Err(rules.err().into_iter().chain(schema.err()).collect()),
        };
        match rules {
            Err(more) => {
                faults.extend(more);
                Err(faults)
            }
            Ok(rules) if faults.is_empty() => Self::assemble(files, rules).map_err(|bad| vec![bad]),
            Ok(_) => Err(faults),
        }
    }

    /// Takes files that [`PolicySet::load`] took before: the caller has compared [`PolicyFiles::digest`] with the
    /// one on record. Reads only what a decision needs and skips the validator, which costs more than all else;
    /// what it would have found still denies when it comes to a decision.
    ///
    /// Measured in a release build: 1.6 ms in a fresh process, of which about 0.9 are Cedar setting up its parsers
    /// and extensions once, and 0.35 after that. It needs nothing but the files, so it can run beside other start-up
    /// work. [`PolicySet::load`] takes 5 ms.
    pub fn load_trusted(files: PolicyFiles) -> Result<Self, BadPolicy> {
        let rules = Rules::read(files.text(RULES)?)?;
        Self::assemble(files, rules)
    }

    /// The shipped policies.
    pub fn shipped() -> Result<Self, BadPolicy> {
        Self::load_trusted(PolicyFiles::shipped())
    }

    fn assemble(files: PolicyFiles, rules: Rules) -> Result<Self, BadPolicy> {
        Ok(Self {
            digest: files.digest(),
            levels: Levels::parse(files.text(LEVELS)?)?,
            purposes: Purposes::parse(files.text(PURPOSES)?)?,
            rules,
            files,
        })
    }

    /// The digest that names this set; [`PolicyFiles::digest`] spells out its bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its files.
    pub fn files(&self) -> &PolicyFiles {
        &self.files
    }

    /// Its levels.
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// Its purposes.
    pub fn purposes(&self) -> &Purposes {
        &self.purposes
    }

    /// Its access rules, sorted by id.
    pub fn rules(&self) -> Vec<RuleSummary> {
        let list = self.rules.list().into_iter();
        list.map(|(id, forbids, why)| RuleSummary { id, forbids, why })
            .collect()
    }

    /// Runs the cases of its access rules, in the order of the file; a rule that no case shows deciding is a
    /// failing result of its own.
    pub fn run_cases(&self) -> Result<Vec<CaseResult>, BadPolicy> {
        let cases = cases::parse(self.files.text(CASES)?)?;
        Ok(cases::run(self, &cases))
    }

    /// Decides a request: denied unless a rule permits it, none forbids it and none fails. Took 25 µs where it was
    /// measured, 60 for a denial; decide once for a class of equal facts.
    pub fn decide(&self, request: &Request<'_>) -> Decision {
        let fitting = request.action.kinds().contains(&request.resource.kind);
        let answer = match fitting {
            true => self.rules.ask(request, &self.levels, &self.purposes),
            false => None,
        };
        let late = self.is_late(request);
        match answer {
            Some(answer) if answer.permitted && late.is_none() => Decision::Permitted(Permission {
                action: request.action,
                person: request.actor.person,
                resource: request.resource.clone(),
                policy: self.digest,
                rules: answer.rules,
                obligations: self.obligations(request),
            }),
            Some(answer) => self.deny(request, answer),
            None => self.deny(
                request,
                rules::Answer {
                    permitted: false,
                    rules: Vec::new(),
                    failed: Vec::new(),
                },
            ),
        }
    }

    /// Whether what is to be opened is opened here only after an exchange with another copy of the vault. A rule of
    /// `levels.toml`, not of the vault's own, so that a vault that has other rules obeys it too. In an emergency it
    /// does not count.
    fn is_late(&self, request: &Request<'_>) -> Option<Why> {
        if !request.action.opens() || request.action == Action::BreakGlass {
            return None;
        }
        let level = request.resource.label.level();
        let at_most = self.levels.rules(level).offline_at_most?;
        let last = match request.offline {
            Offline::Since { last, .. } => Some(last),
            _ => None,
        };
        (!request.offline.allows(at_most)).then_some(Why::Offline { at_most, last })
    }

    fn deny(&self, request: &Request<'_>, answer: rules::Answer) -> Decision {
        let mut why: Vec<Why> = answer.failed.iter().cloned().map(Why::RuleError).collect();
        // When a rule fails although the others permit, the reasons are the permitting rules: not why it is denied.
        let permitted = answer.permitted;
        let forbidding: Vec<String> = answer.rules.into_iter().filter(|id| self.rules.forbids(id)).collect();
        why.extend(forbidding.iter().map(|id| self.why(id, request)));
        if why.is_empty() && !permitted {
            why.push(Why::NothingPermits);
        }
        why.extend(self.is_late(request));
        why.sort();
        why.dedup();
        let hidden = self.hides(request, !answer.failed.is_empty());
        let mut rules = [forbidding, answer.failed].concat();
        rules.sort();
        Decision::Denied(Denial {
            action: request.action,
            kind: request.resource.kind,
            policy: self.digest,
            purposes: self.purposes.iter().map(|purpose| purpose.code.clone()).collect(),
            rules,
            why,
            hidden,
        })
    }

    fn why(&self, id: &str, request: &Request<'_>) -> Why {
        match self.rules.reason(id) {
            (Some(Because::Clearance), _) => Why::ClearanceTooLow,
            (Some(Because::Conflict), _) => Why::Conflict,
            (Some(Because::Ended), _) => Why::Ended,
            (Some(Because::Hold), _) => Why::Held,
            (Some(Because::Kept), words) => match request.resource.kept_until {
                Some(until) => Why::Kept { until, words },
                None => Why::Forbidden {
                    rule: id.to_owned(),
                    words,
                },
            },
            (Some(Because::Paused), _) => Why::Paused,
            (Some(Because::PurposeMissing), _) => Why::PurposeMissing,
            (Some(Because::PurposeUnknown), _) => Why::PurposeUnknown(request.purpose.clone().unwrap_or_default()),
            (Some(Because::ReasonMissing), _) => Why::ReasonMissing,
            (Some(Because::SecondPerson), _) => Why::SecondPersonMissing,
            (Some(Because::AnotherLead), _) => Why::AnotherLeadMissing,
            (None, words) => Why::Forbidden {
                rule: id.to_owned(),
                words,
            },
        }
    }

    /// Whether a denial must not show that the thing exists: it does exist, and the person could not read it
    /// whatever purpose, reason and approvals they gave and were they not paused, and still a member.
    fn hides(&self, request: &Request<'_>, failed: bool) -> bool {
        let exists = matches!(request.resource.kind, Kind::Note | Kind::Brief) && request.action != Action::Add;
        if !exists {
            return false;
        }
        if !request.cleared() {
            return true;
        }
        // To who holds the clearance a rule that fails is shown as such: otherwise nobody could mend it.
        !failed && !self.could_read(request)
    }

    fn could_read(&self, request: &Request<'_>) -> bool {
        let mut ideal = Request {
            action: Action::Read,
            reason: Some(explain::ANY_REASON),
            approvals: u32::MAX,
            lead_approvals: u32::MAX,
            ..request.clone()
        };
        (ideal.actor.paused, ideal.actor.ended) = (false, false);
        self.purposes.iter().any(|purpose| {
            ideal.purpose = Some(purpose.code.clone());
            let answer = self.rules.ask(&ideal, &self.levels, &self.purposes);
            answer.is_some_and(|answer| answer.permitted)
        })
    }

    fn obligations(&self, request: &Request<'_>) -> Vec<Obligation> {
        match request.action {
            Action::BriefDraft | Action::BriefRelease | Action::Extract | Action::Export => {
                vec![Obligation::Mark(
                    self.levels.rules(rules::outgoing(request)).mark.clone(),
                )]
            }
            Action::Add | Action::Revise | Action::Keep => {
                let review = self.levels.rules(request.resource.label.level()).review_after;
                review.map(Obligation::ReviewAfter).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
