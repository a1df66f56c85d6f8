#![allow(clippy::unwrap_used, clippy::expect_used)]
//! The promises of the room as a whole, on the shipped policies and on changed ones.

use super::*;
use crate::id::{CompartmentId, PersonId};
use crate::label::{Clearance, Label, Level};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::sync::LazyLock;

const ME: PersonId = PersonId([7; 8]);
const SHIPPED_RULES: &str = include_str!("../../policies/access/rules.cedar");

static SHIPPED: LazyLock<PolicySet> = LazyLock::new(|| PolicySet::load(PolicyFiles::shipped()).unwrap());

fn with_rules(rules: &str) -> PolicyFiles {
    PolicyFiles::shipped().with(RULES, rules).unwrap()
}

fn with_more(rule: &str) -> PolicyFiles {
    with_rules(&format!("{SHIPPED_RULES}\n{rule}\n"))
}

fn refusal(files: PolicyFiles) -> String {
    match PolicySet::load(files) {
        Ok(_) => panic!("taken"),
        Err(bad) => bad.to_string(),
    }
}

fn request(action: Action, role: Role, level: Level) -> Request<'static> {
    Request {
        action,
        actor: ActorFacts {
            person: ME,
            roles: BTreeSet::from([role]),
            clearance: Clearance {
                person: ME,
                level: Level::Restricted,
                compartments: BTreeSet::new(),
            },
            paused: false,
            ended: false,
        },
        resource: ResourceFacts::new(action.kinds()[0], Label::new(level, []).unwrap()),
        purpose: None,
        reason: None,
        now: 1_735_689_600,
        offline: Offline::Never,
        approvals: 0,
        lead_approvals: 0,
        people: 3,
    }
}

fn permitted(decision: Decision) -> Permission {
    match decision {
        Decision::Permitted(permission) => permission,
        Decision::Denied(denial) => panic!("denied: {:?}", denial.why()),
    }
}

fn denied(decision: Decision) -> Denial {
    match decision {
        Decision::Permitted(permission) => panic!("permitted by {:?}", permission.rules()),
        Decision::Denied(denial) => denial,
    }
}

#[test]
fn every_shipped_case_passes_and_every_rule_has_one() {
    let results = SHIPPED.run_cases().unwrap();
    let failing: Vec<_> = results.iter().filter(|result| !result.passed).collect();
    assert!(failing.is_empty(), "{failing:#?}");
    assert!(results.len() > SHIPPED.rules().len());
}

#[test]
fn no_shipped_rule_can_be_dropped_without_a_case_failing() {
    let rules: Vec<&str> = SHIPPED_RULES.split("\n@id(").collect();
    assert_eq!(rules.len(), SHIPPED.rules().len() + 1);
    for dropped in 1..rules.len() {
        let kept: Vec<&str> = (0..rules.len()).filter(|n| *n != dropped).map(|n| rules[n]).collect();
        let set = PolicySet::load_trusted(with_rules(&kept.join("\n@id("))).unwrap();
        let failing = set.run_cases().unwrap().iter().filter(|result| !result.passed).count();
        assert!(failing > 0, "{}", rules[dropped]);
    }
}

#[test]
fn a_rule_without_a_case_fails_the_test() {
    let set = PolicySet::load(with_more(
        "@id(\"no-lists\") @why(\"compartments are not listed\") forbid (principal, action == Action::\"compartment-list\", resource);",
    ))
    .unwrap();
    let failing: Vec<_> = set
        .run_cases()
        .unwrap()
        .into_iter()
        .filter(|result| !result.passed)
        .collect();
    assert_eq!(failing.len(), 1);
    assert_eq!(failing[0].rule, "no-lists");
}

#[test]
fn what_nothing_permits_is_denied() {
    let none = PolicySet::load_trusted(with_rules("")).unwrap();
    for action in Action::ALL {
        let denial = denied(none.decide(&request(*action, Role::LEAD, Level::Public)));
        assert_eq!(denial.why(), [Why::NothingPermits]);
        assert!(denial.rules().is_empty());
    }
}

#[test]
fn a_forbid_beats_every_permit() {
    let set = PolicySet::load(with_more(
        "@id(\"quiet\") @why(\"the vault is being moved\") forbid (principal, action, resource);",
    ))
    .unwrap();
    let denial = denied(set.decide(&request(Action::PolicyEdit, Role::LEAD, Level::Public)));
    assert_eq!(denial.rules(), ["quiet"]);
    assert_eq!(
        denial.public_words().unwrap(),
        ["the rule `quiet` forbids it: the vault is being moved"]
    );
}

#[test]
fn what_was_too_long_without_a_sync_is_opened_after_one() {
    let levels = include_str!("../../policies/levels.toml").replace(
        "name = \"confidential\"\n",
        "name = \"confidential\"\noffline_at_most = \"72h\"\n",
    );
    let capped = PolicySet::load(PolicyFiles::shipped().with(LEVELS, levels).unwrap()).unwrap();
    let since = |hours: i64, seconds: i64| Offline::Since {
        last: 1_735_689_600 - hours * 3600 - seconds,
        now: 1_735_689_600,
    };
    let asked = |action, level, offline| Request {
        offline,
        ..request(action, Role::OFFICER, level)
    };
    let opens = |level, offline| capped.permits(&asked(Action::Read, level, offline));
    for (offline, opened) in [
        (Offline::Never, true),
        (Offline::Always, false),
        (since(72, 0), true),
        (since(72, 1), false),
        // A clock that stands still or before the last sync gives nothing and takes nothing.
        (since(-5, 0), true),
    ] {
        assert_eq!(opens(Level::Confidential, offline), opened, "{offline:?}");
        assert!(opens(Level::Internal, offline), "{offline:?}");
        assert!(SHIPPED.permits(&asked(Action::Read, Level::Confidential, offline)));
    }
    // What opens nothing goes on, and so does everything in an emergency.
    for action in Action::ALL.iter().filter(|action| !action.opens()) {
        let request = |offline| asked(*action, Level::Confidential, offline);
        assert_eq!(
            capped.permits(&request(since(90, 0))),
            capped.permits(&request(Offline::Never)),
            "{action}"
        );
    }
    let emergency = Request {
        purpose: Some("safety".to_owned()),
        reason: Some("no pulse"),
        offline: since(90, 0),
        ..request(Action::BreakGlass, Role::BREAKGLASS, Level::Restricted)
    };
    permitted(capped.decide(&emergency));
    // It is said, and nothing else is asked for that would not help.
    let late = asked(Action::Read, Level::Restricted, since(90, 0));
    let denial = denied(capped.decide(&late));
    assert!(capped.lacks(&late, &denial).is_none());
    let words = denial.public_words().unwrap().join("\n");
    assert!(
        words.contains("within 72h after a sync, and the last was at 2024-12-28T06:00:00Z: `strongroom sync`"),
        "{words}"
    );
    let known = Request {
        purpose: Some("duty".to_owned()),
        reason: Some("on shift"),
        ..late.clone()
    };
    let explained = capped.explain(&known);
    assert_eq!(
        (explained.late, explained.ways),
        (true, vec![vec!["a sync: `strongroom sync`".to_owned()]])
    );
    // Who may not know of a note hears nothing of it here either.
    let mut hidden = asked(Action::Read, Level::Restricted, since(90, 0));
    hidden.actor.clearance.level = Level::Internal;
    assert_eq!(denied(capped.decide(&hidden)).public_words(), None);
    assert_eq!(denied(SHIPPED.decide(&hidden)).public_words(), None);
}

#[test]
fn a_rule_that_fails_denies_whether_it_forbids_or_permits() {
    // Passes the validator in strict mode, and fails when asked: that person is not among the facts.
    for effect in ["forbid", "permit"] {
        let rule = format!(
            "@id(\"broken\") @why(\"asks about somebody else\") {effect} (principal, action, resource) \
             when {{ Person::\"0000000000000000\".paused }};"
        );
        let set = PolicySet::load(with_more(&rule)).unwrap();
        let denial = denied(set.decide(&request(Action::Read, Role::OFFICER, Level::Internal)));
        assert_eq!(denial.rules(), ["broken"]);
        assert_eq!(denial.why(), [Why::RuleError("broken".into())]);
        assert!(denial.public_words().unwrap()[0].contains("`broken` could not be evaluated"));
    }
}

#[test]
fn sums_that_overflow_in_a_rule_deny() {
    let rule = "@id(\"sum\") @why(\"adds\") forbid (principal, action, resource) \
                when { context.now + 9223372036854775807 < 0 };";
    let set = PolicySet::load(with_more(rule)).unwrap();
    denied(set.decide(&request(Action::List, Role::OFFICER, Level::Public)));
}

#[test]
fn rules_are_validated_strictly_and_the_line_is_named() {
    let last = SHIPPED_RULES.lines().count();
    for (rule, line, words) in [
        ("@id(\"x\") @why(\"w\") permit (principal, action, resource", 2, ""),
        ("@why(\"w\") permit (principal, action, resource);", 2, "no `@id"),
        (
            "@id(\"X y\") @why(\"w\") permit (principal, action, resource);",
            2,
            "no `@id",
        ),
        ("@id(\"x\") permit (principal, action, resource);", 2, "needs an `@why"),
        (
            "@id(\"x\") @why(\"w\") @note(\"n\") permit (principal, action, resource);",
            2,
            "`@note`",
        ),
        (
            "@id(\"x\") @why(\"w\") @because(\"paused\") permit (principal, action, resource);",
            2,
            "has no `@because`",
        ),
        (
            "@id(\"x\") @why(\"w\") @because(\"mood\") forbid (principal, action, resource);",
            2,
            "`mood`",
        ),
        (
            "@id(\"x\") @why(\"w\") forbid (principal, action == Action::\"peek\", resource);",
            2,
            "peek",
        ),
        (
            "@id(\"x\") @why(\"w\") forbid (principal, action, resource) when { resource.colour };",
            2,
            "colour",
        ),
        (
            "@id(\"x\") @why(\"w\") forbid (principal, action, resource) when { context.purpose == \"duty\" };",
            2,
            "purpose",
        ),
        (
            "@id(\"x\") @why(\"w\") forbid (principal, action, resource) when { principal.level == \"2\" };",
            2,
            "",
        ),
        // Never true: only a warning to Cedar.
        (
            "@id(\"x\") @why(\"w\") forbid (principal, action, resource) when { false };",
            2,
            "",
        ),
    ] {
        let words_found = refusal(with_more(rule));
        let place = format!("`access/rules.cedar`, line {}: ", last + line);
        assert!(words_found.starts_with(&place), "{rule}\n{words_found}");
        assert!(words_found.contains(words), "{rule}\n{words_found}");
    }
    let twice = "@id(\"officers-work\") @why(\"w\") permit (principal, action, resource);";
    assert!(refusal(with_more(twice)).contains("`officers-work` stands twice"));
    let template = "@id(\"x\") @why(\"w\") permit (principal == ?principal, action, resource);";
    assert!(refusal(with_more(template)).contains("templates"));
}

#[test]
fn the_schema_is_the_programs() {
    let schema = include_str!("../../policies/access/schema.cedarschema");
    let files = PolicyFiles::shipped()
        .with(SCHEMA, schema.replace("own: Bool", "own: Bool, mine: Bool"))
        .unwrap();
    let line = 1 + schema.lines().position(|line| line.contains("own: Bool")).unwrap();
    assert!(refusal(files).starts_with(&format!("`access/schema.cedarschema`, line {line}: differs")));
}

#[test]
fn missing_files_and_text_that_is_none_are_refused() {
    for missing in [LEVELS, PURPOSES, RULES, SCHEMA, CASES] {
        let files = PolicyFiles::new(shipped().iter().copied().filter(|(path, _)| *path != missing)).unwrap();
        assert_eq!(PolicySet::load(files).err(), Some(BadPolicy::Missing(missing)));
    }
    let files = PolicyFiles::shipped().with(LEVELS, b"# fine\n\xff".to_vec()).unwrap();
    assert!(refusal(files).starts_with("`levels.toml`, line 2: not UTF-8"));
}

#[test]
fn a_rule_nested_or_chained_without_end_is_refused_not_crashed_on() {
    let rule = |body: &str| {
        with_more(&format!(
            "@id(\"x\") @why(\"w\") forbid (principal, action, resource) when {{ {body} }};"
        ))
    };
    for (open, core, close) in [
        ("(", "true", ")"),
        ("[", "1", "]"),
        ("{a:", "1", "}"),
        ("if true then ", "true", " else false"),
        ("true && ", "true", ""),
        ("1 + ", "1", ""),
        ("!", "true", ""),
        ("principal.level == 1 || (", "true", ")"),
        ("", "principal", ".x"),
        ("", "principal", ".contains(1)"),
    ] {
        let room = 55_000 / (open.len() + close.len());
        for depth in [14, 15, 16, 50, 100, 125, 180, 300, room] {
            let files = rule(&format!("{}{core}{}", open.repeat(depth), close.repeat(depth)));
            let _ = PolicySet::load(files.clone());
            let _ = PolicySet::load_trusted(files)
                .map(|set| set.decide(&request(Action::Read, Role::OFFICER, Level::Public)));
        }
        assert!(!refusal(rule(&format!("{}{core}{}", open.repeat(room), close.repeat(room)))).is_empty());
    }
}

#[test]
fn toml_nested_without_end_is_refused_not_crashed_on() {
    for path in [LEVELS, PURPOSES, CASES] {
        for (open, close) in [("[", "]"), ("{a=", "}"), ("a.", "")] {
            let text = format!("x = {}1{}", open.repeat(15_000), close.repeat(15_000));
            assert!(refusal(PolicyFiles::shipped().with(path, text).unwrap()).starts_with(&format!("`{path}`")));
        }
        let dotted = format!("{}x = 1", "a.".repeat(30_000));
        assert!(refusal(PolicyFiles::shipped().with(path, dotted).unwrap()).starts_with(&format!("`{path}`")));
    }
}

#[test]
fn faulty_cases_are_refused() {
    let with = |case: &str| PolicyFiles::shipped().with(CASES, format!("[[case]]\n{case}")).unwrap();
    let base = "name = \"a\"\nexpect = \"deny\"\naction = \"read\"\nclearance = \"public\"\n";
    assert!(PolicySet::load(with(base)).is_ok());
    for (extra, words) in [
        ("mood = 1", "unknown field `mood`"),
        ("kind = \"thing\"", "`thing` is not a kind"),
        ("label = \"secret\"", "`secret` is not a level"),
        ("label = \"named/@bob\"", "`@bob`"),
        ("label = \"public/@me\"", "at the level `named` only"),
        ("roles = [\"Lead\"]", "`Lead` is not a role"),
        ("rule = \"A b\"", "not the @id"),
        ("approvals = -1", ""),
    ] {
        let found = refusal(with(&format!("{base}{extra}\n")));
        assert!(found.starts_with("`access/cases.toml`, line "), "{found}");
        assert!(found.contains(words), "{found}");
    }
    assert!(refusal(with(&base.replace("read", "peek"))).contains("`peek` is not an action"));
    assert!(refusal(with(&base.replace("deny", "permit"))).contains("say which"));
    assert!(refusal(with(&format!("{base}\n[[case]]\n{base}"))).contains("name of its own"));
}

#[test]
fn a_case_that_expects_the_wrong_rule_fails() {
    let case = "[[case]]\nname = \"a\"\nrule = \"leads-decide\"\nexpect = \"permit\"\naction = \"read\"\n\
                roles = [\"lead\"]\nclearance = \"public\"\n";
    let set = PolicySet::load(PolicyFiles::shipped().with(CASES, case).unwrap()).unwrap();
    let result = &set.run_cases().unwrap()[0];
    assert!(!result.passed);
    assert_eq!(
        (result.expected.as_str(), result.got.as_str()),
        ("permitted by leads-decide", "permitted by officers-work")
    );
}

#[test]
fn an_action_on_what_it_is_not_for_is_denied() {
    let mut odd = request(Action::Read, Role::LEAD, Level::Public);
    odd.resource.kind = Kind::Policy;
    assert_eq!(denied(SHIPPED.decide(&odd)).why(), [Why::NothingPermits]);
}

#[test]
fn a_note_beyond_reach_is_hidden_whatever_else_is_wrong() {
    let mut request = request(Action::Read, Role::OFFICER, Level::Restricted);
    request.actor.clearance.level = Level::Internal;
    request.purpose = Some("curiosity".into());
    request.actor.paused = true;
    let denial = denied(SHIPPED.decide(&request));
    assert!(denial.why().len() > 2 && denial.why().contains(&Why::ClearanceTooLow));
    assert_eq!(denial.public_words(), None);
}

#[test]
fn a_clearance_of_somebody_else_clears_nothing() {
    let mut request = request(Action::Read, Role::OFFICER, Level::Public);
    request.actor.clearance.person = PersonId([9; 8]);
    let denial = denied(SHIPPED.decide(&request));
    assert_eq!(denial.why(), [Why::ClearanceTooLow]);
    assert_eq!(denial.public_words(), None);
}

#[test]
fn what_can_be_mended_is_said() {
    let denial = denied(SHIPPED.decide(&request(Action::Read, Role::OFFICER, Level::Restricted)));
    assert_eq!(denial.why(), [Why::PurposeMissing, Why::ReasonMissing]);
    assert_eq!(denial.rules(), ["opening-needs-a-purpose", "opening-needs-a-reason"]);
    let words = denial.public_words().unwrap().join("\n");
    assert!(
        words.contains("one of duty, handover, ") && words.contains("--why"),
        "{words}"
    );

    let mut unknown = request(Action::Read, Role::OFFICER, Level::Public);
    unknown.purpose = Some("curiosity\u{7}".into());
    let denial = denied(SHIPPED.decide(&unknown));
    assert_eq!(denial.why(), [Why::PurposeUnknown("curiosity\u{7}".into())]);
    assert!(denial.public_words().unwrap()[0].starts_with("`curiosity\\u{7}` is not a purpose"));
}

#[test]
fn a_note_that_no_rule_lets_one_read_is_hidden_but_one_that_may_be_read_is_not() {
    let auditor = denied(SHIPPED.decide(&request(Action::Read, Role::AUDITOR, Level::Public)));
    assert_eq!(auditor.public_words(), None);
    let other = denied(SHIPPED.decide(&request(Action::Destroy, Role::OFFICER, Level::Restricted)));
    assert!(other.public_words().is_some());
    let mut conflict = request(Action::Read, Role::OFFICER, Level::Public);
    conflict.resource.conflict = true;
    assert_eq!(denied(SHIPPED.decide(&conflict)).public_words(), None);
    let mut paused = request(Action::Read, Role::OFFICER, Level::Public);
    paused.actor.paused = true;
    assert!(denied(SHIPPED.decide(&paused)).public_words().unwrap()[0].contains("paused"));
}

#[test]
fn a_new_note_above_ones_clearance_is_explained() {
    let mut add = request(Action::Add, Role::OFFICER, Level::Restricted);
    add.actor.clearance.level = Level::Internal;
    assert!(denied(SHIPPED.decide(&add)).public_words().unwrap()[0].contains("beyond your clearance"));
}

#[test]
fn a_purpose_that_a_rule_asks_for_is_found_before_a_note_is_hidden() {
    let set = PolicySet::load(with_more(
        "@id(\"legal-only\") @why(\"internal notes are for lawyers this week\") \
         forbid (principal, action == Action::\"read\", resource) \
         when { resource.level == 1 } unless { context has purpose && context.purpose == \"legal\" };",
    ))
    .unwrap();
    let denial = denied(set.decide(&request(Action::Read, Role::OFFICER, Level::Internal)));
    assert!(denial.public_words().unwrap()[0].contains("lawyers"));
}

#[test]
fn a_permission_says_what_it_is_for() {
    let mut release = request(Action::BriefRelease, Role::OFFICER, Level::Confidential);
    release.resource.kind = Kind::Brief;
    release.resource.outgoing = Some(Level::Internal);
    let permission = permitted(SHIPPED.decide(&release));
    assert_eq!(permission.action(), Action::BriefRelease);
    assert_eq!(permission.person(), ME);
    assert_eq!(permission.resource(), &release.resource);
    assert_eq!(permission.policy(), SHIPPED.digest());
    assert_eq!(permission.rules(), ["officers-work"]);
    assert_eq!(permission.obligations(), [Obligation::Mark("TLP:GREEN".into())]);
    let add = permitted(SHIPPED.decide(&request(Action::Add, Role::OFFICER, Level::Restricted)));
    assert_eq!(add.obligations(), [Obligation::ReviewAfter("1y".parse().unwrap())]);
}

#[test]
fn trusted_loading_decides_the_same_and_reads_no_schema() {
    let files = PolicyFiles::new(
        shipped()
            .iter()
            .copied()
            .filter(|(path, _)| ![SCHEMA, CASES].contains(path)),
    )
    .unwrap();
    let trusted = PolicySet::load_trusted(files).unwrap();
    assert_ne!(trusted.digest(), SHIPPED.digest());
    assert_eq!(trusted.rules(), SHIPPED.rules());
    assert_eq!(PolicySet::shipped().unwrap().digest(), SHIPPED.digest());
    // What the validator would have refused still denies.
    let wrong = "@id(\"x\") @why(\"w\") forbid (principal, action, resource) when { resource.colour };";
    let set = PolicySet::load_trusted(with_more(wrong)).unwrap();
    denied(set.decide(&request(Action::Read, Role::OFFICER, Level::Public)));
}

fn requests() -> impl Strategy<Value = Request<'static>> {
    let actor = (
        proptest::sample::subsequence(vec![Role::OFFICER, Role::LEAD, Role::AUDITOR], 0..=3),
        0u8..5,
        proptest::collection::btree_set(0u8..2, 0..3),
        any::<bool>(),
        any::<bool>(),
    );
    let resource = (
        0u8..4,
        proptest::collection::btree_set(0u8..2, 0..2),
        any::<[bool; 4]>(),
        0usize..6,
    );
    let how = (
        proptest::sample::select(Action::ALL),
        proptest::option::of(proptest::sample::select(vec!["duty", "legal", "curiosity"])),
        proptest::option::of(proptest::sample::select(vec!["", "no", "on shift tonight"])),
        0u32..3,
        1u32..3,
    );
    let compartments = |set: BTreeSet<u8>| set.into_iter().map(|n| CompartmentId([n; 8]));
    (actor, resource, how).prop_map(move |(actor, resource, how)| {
        let label = Label::new(Level::from_number(resource.0).unwrap(), compartments(resource.1)).unwrap();
        let kinds = how.0.kinds();
        let [own, held, conflict, lowers] = resource.2;
        Request {
            action: how.0,
            actor: ActorFacts {
                person: ME,
                roles: actor.0.into_iter().collect(),
                clearance: Clearance {
                    person: ME,
                    level: Level::from_number(actor.1).unwrap(),
                    compartments: compartments(actor.2).collect(),
                },
                paused: actor.3,
                ended: actor.4,
            },
            resource: ResourceFacts {
                own,
                held,
                conflict,
                lowers,
                ..ResourceFacts::new(kinds[resource.3 % kinds.len()], label)
            },
            purpose: how.1.map(str::to_owned),
            reason: how.2,
            now: 1_735_689_600,
            offline: Offline::Never,
            approvals: how.3,
            lead_approvals: how.3,
            people: how.4,
        }
    })
}

/// Rules that forbid something, among them one that fails for some requests.
const FORBIDS: [&str; 5] = [
    "forbid (principal, action, resource) when { context.now > 0 && resource.level >= 2 };",
    "forbid (principal, action in Action::\"opening\", resource) unless { context has purpose };",
    "forbid (principal, action, resource) when { principal.roles.contains(\"lead\") };",
    "forbid (principal, action, resource) when { resource.own && Person::\"nobody\".paused };",
    "forbid (principal, action == Action::\"list\", resource) when { context.approvals == 0 };",
];

static WITH_FORBIDS: LazyLock<Vec<PolicySet>> = LazyLock::new(|| {
    let load = |rule: &&str| PolicySet::load(with_more(&format!("@id(\"extra\") @why(\"w\") {rule}"))).unwrap();
    FORBIDS.iter().map(load).collect()
});

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_further_forbid_never_widens_access(request in requests(), which in 0..FORBIDS.len()) {
        if let Decision::Permitted(_) = WITH_FORBIDS[which].decide(&request) {
            prop_assert!(matches!(SHIPPED.decide(&request), Decision::Permitted(_)));
        }
    }

    #[test]
    fn nobody_is_permitted_without_dominance_or_while_paused_and_no_conflict_passes(request in requests()) {
        if let Decision::Permitted(permission) = SHIPPED.decide(&request) {
            prop_assert!(request.actor.clearance.dominates(&request.resource.label));
            prop_assert!(!request.actor.paused && !request.actor.ended && !request.resource.conflict);
            prop_assert!(!permission.rules().is_empty());
        }
    }

    #[test]
    fn what_the_clearance_does_not_cover_is_never_spoken_of(request in requests()) {
        let exists = matches!(request.resource.kind, Kind::Note | Kind::Brief) && request.action != Action::Add;
        if let Decision::Denied(denial) = SHIPPED.decide(&request) {
            prop_assert!(!denial.why().is_empty());
            if exists && !request.actor.clearance.dominates(&request.resource.label) {
                prop_assert_eq!(denial.public_words(), None);
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic(text in "[ -~\\n\"@\\[\\]={}();]{0,200}") {
        let _ = Levels::parse(&text);
        let _ = Purposes::parse(&text);
        let _ = cases::parse(&text);
        let _ = Rules::read(&text);
    }

    #[test]
    fn a_shipped_file_with_a_byte_changed_is_read_or_refused_without_a_panic(at in any::<proptest::sample::Index>(), byte in 0u8..128) {
        for (path, text) in shipped() {
            let mut content = text.as_bytes().to_vec();
            content[at.index(text.len())] = byte;
            let Ok(text) = String::from_utf8(content) else { continue };
            match *path {
                LEVELS => drop(Levels::parse(&text)),
                PURPOSES => drop(Purposes::parse(&text)),
                CASES => drop(cases::parse(&text)),
                RULES => drop(Rules::read(&text)),
                _ => {}
            }
        }
    }
}

#[test]
fn what_a_person_can_add_is_asked_for_and_nothing_else() {
    let lack = |set: &PolicySet, request: &Request<'_>| set.lacks(request, &denied(set.decide(request)));
    let codes = |lack: &Lack| -> Vec<String> { lack.purposes.iter().map(|purpose| purpose.code.clone()).collect() };
    let bare = request(Action::Read, Role::OFFICER, Level::Restricted);
    let found = lack(&SHIPPED, &bare).unwrap();
    assert_eq!((codes(&found).len(), found.reason), (9, true));

    let mut purposeful = bare.clone();
    purposeful.purpose = Some("duty".into());
    let found = lack(&SHIPPED, &purposeful).unwrap();
    assert_eq!((codes(&found).len(), found.reason), (0, true));

    let mut reasoned = bare.clone();
    reasoned.reason = Some("gate call-out");
    let found = lack(&SHIPPED, &reasoned).unwrap();
    assert_eq!((codes(&found).len(), found.reason), (9, false));

    // What was given and is not good enough is not missing, and what would not help is not asked for.
    let mut scribbled = purposeful.clone();
    scribbled.reason = Some("no");
    assert_eq!(lack(&SHIPPED, &scribbled), None);
    let mut curious = reasoned.clone();
    curious.purpose = Some("curiosity".into());
    assert_eq!(lack(&SHIPPED, &curious), None);
    assert_eq!(
        lack(&SHIPPED, &request(Action::Read, Role::AUDITOR, Level::Restricted)),
        None
    );
    let mut paused = bare.clone();
    paused.actor.paused = true;
    assert_eq!(lack(&SHIPPED, &paused), None);
    let release = request(Action::BriefRelease, Role::OFFICER, Level::Restricted);
    assert_eq!(lack(&SHIPPED, &release), None);
    let mut beyond = bare.clone();
    beyond.actor.clearance.level = Level::Internal;
    assert_eq!(lack(&SHIPPED, &beyond), None);

    // A vault that takes some purposes only from some people offers no others.
    let set = PolicySet::load(with_more(
        "@id(\"no-audits\") @why(\"auditing is not an officer's business\") \
         forbid (principal, action, resource) when { context has purpose && context.purpose == \"audit\" };",
    ))
    .unwrap();
    let offered = codes(&lack(&set, &bare).unwrap());
    assert!(
        offered.len() == 8 && !offered.contains(&"audit".to_owned()),
        "{offered:?}"
    );
}

fn ways(set: &PolicySet, request: &Request<'_>) -> Vec<String> {
    let explained = set.explain(request);
    assert!(!explained.permitted);
    explained.ways.iter().map(|way| way.join(" + ")).collect()
}

#[test]
fn a_denial_is_explained_by_its_rules_and_what_would_turn_it() {
    let mut bare = request(Action::Read, Role::OFFICER, Level::Restricted);
    bare.resource.label = Label::named([ME], []).unwrap();
    let explained = SHIPPED.explain(&bare);
    let rules: Vec<&str> = explained.rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(rules, ["opening-needs-a-purpose", "opening-needs-a-reason"]);
    assert!(explained.rules.iter().all(|rule| rule.forbids));
    assert!(
        explained.rules[1].why.ends_with("(here from `restricted` upwards)"),
        "{:?}",
        explained.rules
    );
    let found = ways(&SHIPPED, &bare);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("a purpose: --purpose CODE, one of duty, "),
        "{found:?}"
    );
    assert!(found[0].contains(" + a reason: --why TEXT"), "{found:?}");

    bare.purpose = Some("duty".into());
    bare.reason = Some("gate call-out");
    let explained = SHIPPED.explain(&bare);
    assert!(explained.permitted && explained.ways.is_empty());
    assert_eq!(explained.rules[0].id, "officers-work");
}

#[test]
fn every_way_that_is_told_turns_the_denial() {
    let destroy = request(Action::Destroy, Role::OFFICER, Level::Internal);
    assert_eq!(
        ways(&SHIPPED, &destroy),
        ["having written it yourself", "the role `lead`, which a lead gives"]
    );
    let mut release = request(Action::BriefRelease, Role::OFFICER, Level::Confidential);
    release.resource.outgoing = Some(Level::Restricted);
    assert_eq!(
        ways(&SHIPPED, &release),
        [
            "the approval of a second person",
            "a wider audience, to whom less is told: --for confidential"
        ]
    );
    let mut above = request(Action::Add, Role::OFFICER, Level::Restricted);
    above.actor.clearance.level = Level::Internal;
    assert_eq!(ways(&SHIPPED, &above), ["a clearance that covers the label"]);
    let log = request(Action::AuditLog, Role::OFFICER, Level::Public);
    assert!(ways(&SHIPPED, &log).contains(&"asking for your own entries alone".to_owned()));
    let never = PolicySet::load(with_more(
        "@id(\"closed\") @why(\"nothing is read this week\") forbid (principal, action == Action::\"read\", resource);",
    ))
    .unwrap();
    let read = request(Action::Read, Role::OFFICER, Level::Public);
    assert_eq!(ways(&never, &read), Vec::<String>::new());
    assert_eq!(never.explain(&read).rules[0].why, "nothing is read this week");
}

#[test]
fn all_faults_of_a_set_are_told_with_their_lines() {
    let files = with_more(
        "@id(\"one\") @why(\"w\") forbid (principal, action, resource) when { resource.colour };\n\
         @id(\"two\") forbid (principal, action, resource);\n\
         @id(\"three\") @why(\"w\") forbid (principal, action, resource) when { principal.height > 1 };",
    )
    .with(LEVELS, "[levels]\n")
    .unwrap()
    .with(PURPOSES, "")
    .unwrap();
    let lines = SHIPPED_RULES.lines().count();
    let faults = PolicySet::check(files).err().unwrap();
    let places: Vec<_> = faults
        .iter()
        .map(|fault| {
            let (file, line, _) = fault.parts();
            (file.unwrap().to_owned(), line)
        })
        .collect();
    let rule = |more: usize| (RULES.to_owned(), Some(lines + more));
    assert_eq!(places[..2], [(LEVELS.to_owned(), Some(1)), (PURPOSES.to_owned(), None)]);
    assert_eq!(places[2..], [rule(2), rule(3), rule(4)]);
}
