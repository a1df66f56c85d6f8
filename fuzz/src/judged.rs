//! Access rules and their cases as a lead may write them.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use strongroom::id::PersonId;
use strongroom::label::{Clearance, Label, Level};
use strongroom::policy::{
    Action, ActorFacts, CASES, Decision, Kind, Offline, PolicyFiles, PolicySet, RULES, Request, ResourceFacts, Role,
};

fn shipped() -> PolicyFiles {
    static SHIPPED: LazyLock<PolicyFiles> = LazyLock::new(PolicyFiles::shipped);
    SHIPPED.clone()
}

/// `access/rules.cedar`. What is permitted rests on a rule that permits; nothing is permitted by a set without one.
pub fn rules(data: &[u8]) -> bool {
    let Ok(files) = shipped().with(RULES, data) else {
        return false;
    };
    let set = match PolicySet::load_trusted(files.clone()) {
        Ok(set) => set,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return false;
        }
    };
    let permitting: BTreeSet<String> = set.rules().into_iter().filter(|r| !r.forbids).map(|r| r.id).collect();
    for action in [Action::Read, Action::Add, Action::BriefRelease] {
        if let Decision::Permitted(permission) = set.decide(&request(action)) {
            assert!(!permission.rules().is_empty(), "permitted by no rule");
            assert!(permission.rules().iter().all(|id| permitting.contains(id)));
        }
    }
    // What is taken strictly is taken.
    PolicySet::load(files).is_ok()
}

/// `access/cases.toml`.
pub fn cases(data: &[u8]) -> bool {
    let set = shipped().with(CASES, data).and_then(PolicySet::load_trusted);
    set.is_ok_and(|set| set.run_cases().is_ok())
}

fn request(action: Action) -> Request<'static> {
    let person = PersonId([1; 8]);
    let kind = match action {
        Action::BriefRelease => Kind::Brief,
        _ => Kind::Note,
    };
    let label = Label::new(Level::Restricted, []).expect("a level without people");
    Request {
        action,
        actor: ActorFacts {
            person,
            roles: BTreeSet::from([Role::OFFICER]),
            clearance: Clearance {
                person,
                level: Level::Restricted,
                compartments: BTreeSet::new(),
            },
            paused: false,
            ended: false,
        },
        resource: ResourceFacts::new(kind, label),
        purpose: Some("duty".to_owned()),
        reason: Some("the letter at the gate"),
        now: 1_767_225_600,
        offline: Offline::Never,
        approvals: 0,
        lead_approvals: 0,
        people: 3,
    }
}
