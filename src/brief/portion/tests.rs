//! What is kept of a note for an audience: a mark that is meant, or may be, never lets out what it holds back.

#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use proptest::prelude::*;

fn kept(text: &str, audience: Level, unmarked: Level) -> (String, usize) {
    keep_up_to(text, audience, unmarked)
}

#[test]
fn a_mark_inside_a_portion_raises_all_of_it() {
    let text = "(I) gate shut. (R) his wife is leaving him.\n\n(I) lock up";
    assert_eq!(
        keep_up_to(text, Level::Internal, Level::Restricted),
        ("lock up".to_owned(), 1)
    );
    let lower = "(C) plan (I) of three";
    assert_eq!(keep_up_to(lower, Level::Internal, Level::Restricted).1, 1);
    assert_eq!(
        keep_up_to("(I) see (a) and (b) (X)", Level::Internal, Level::Restricted).1,
        0
    );
}

#[test]
fn a_paragraphs_mark_is_its_own() {
    let note = "(I) Do this.\n\n(R) Because of that.\nAnd more of that.\n\nUnmarked.\n";
    assert_eq!(
        kept(note, Level::Internal, Level::Confidential),
        ("Do this.\n\n".into(), 2)
    );
    assert_eq!(
        kept(note, Level::Confidential, Level::Confidential),
        ("Do this.\n\nUnmarked.\n".into(), 1)
    );
    assert_eq!(kept(note, Level::Restricted, Level::Confidential).1, 0);
}

#[test]
fn a_headings_mark_holds_for_its_section() {
    let note = "# (R) Background\nOne.\n\n## Detail\nTwo.\n\n(I) Three.\n\n# To do\nFour.\n";
    assert_eq!(
        kept(note, Level::Internal, Level::Internal),
        ("Three.\n\n# To do\nFour.\n".into(), 4)
    );
}

#[test]
fn list_items_have_their_own_marks() {
    let note = "(R) Reasons:\n- one\n- (I) two\n- three\n\n- four\n";
    assert_eq!(kept(note, Level::Internal, Level::Internal), ("- two\n".into(), 4));
}

#[test]
fn what_is_no_mark_marks_nothing() {
    for text in ["(c) third", "(RX) x", "x (R) y", "(R)x", "(Z) z"] {
        assert_eq!(portions(text)[0].level, None, "{text}");
    }
    for text in ["(R) x", "> (R) x", "**(R)** x", "12) (R) x", "### (R) x", "(R)"] {
        assert_eq!(portions(text)[0].level, Some(Level::Restricted), "{text}");
    }
}

/// What is kept of a restricted note for everybody inside, after a heading that lowers.
fn kept_under(part: &str) -> String {
    let note = format!("# (I) Report\n\nKeep the door locked.\n\n{part}\n");
    let (text, _) = kept(&note, Level::Internal, Level::Restricted);
    assert!(text.contains("Keep the door locked."), "{text}");
    text
}

#[test]
fn a_mark_anywhere_in_a_heading_holds_for_its_section() {
    for heading in [
        "## Background (R)",
        "## **(R)** Money",
        "## Money [R]",
        "## Money (r)",
        "## Money ®",
        "## Money (RESTRICTED)",
        "## (R/NF) Money",
        "## (SECRET) Money",
        "  ## (R) Health",
        "##(R) Family",
        "> # (R) Quote",
        "(R) Legal\n-----",
        "Legal (R)\n=====",
        "> (R) Legal\n> -----",
        "## (I) What it was (R)",
    ] {
        let text = kept_under(&format!("{heading}\n\nhis secret\n\n- secret too"));
        assert!(!text.contains("secret"), "{heading}: {text}");
    }
    let after = kept_under("## Background (R)\n\nsecret\n\n## Next\n\nLock up.\n\n  ## (R) A\n\n(I) Log it.");
    assert!(
        after.contains("Lock up.") && after.contains("Log it.") && !after.contains("secret"),
        "{after}"
    );
}

#[test]
fn only_a_plain_heading_lowers_or_ends_a_section() {
    for heading in [
        "## Orders (I)",
        "  ## (I) Orders",
        "> # (I) Orders",
        "##(I) Orders",
        "(I) Orders\n---",
    ] {
        let note = format!("# (R) All\n\n{heading}\n\nhis secret\n");
        let (text, _) = kept(&note, Level::Internal, Level::Internal);
        assert!(!text.contains("secret"), "{heading}: {text}");
    }
}

#[test]
fn what_may_be_meant_as_a_mark_is_held_back() {
    for mark in [
        "®",
        "\u{ae}\u{fe0f}",
        "（R）",
        "(r)",
        "[R]",
        "(R/NF)",
        "(I/R)",
        "(RESTRICTED)",
        "(Restricted)",
        "( R )",
        "\\(R\\)",
        "\u{200b}(R)",
        "🄡",
        "(С)",
        "(TS//SI)",
        "(Secret)",
        "(R - leads only)",
        "~~(R)~~",
        "(R1)",
    ] {
        for part in [
            format!("{mark} his secret\nand more secret"),
            format!("- one\n- {mark} his secret\n  - its secret"),
            format!("Lock up.\n{mark} his secret"),
        ] {
            let text = kept_under(&part);
            assert!(!text.contains("secret"), "{part}: {text}");
        }
    }
}

#[test]
fn words_in_brackets_are_words() {
    for part in [
        "(a) lock\n\n(b) log\n\n(c) call",
        "(see the plan) call",
        "(R. Okonjo told us) call",
        "(2) call",
        "- [x] call",
        "- [ ] call",
        "(I think) call",
        "[Plan](https://plan.example) call",
        "call (a) or (c), of Kevlar®",
    ] {
        assert!(kept_under(part).contains("call"), "{part}");
    }
}

#[test]
fn a_list_has_at_least_the_mark_of_what_leads_to_it() {
    for part in [
        "(R) Reasons:\n\n- secret\n\n- secret",
        "(R) Reasons\n\n1. secret",
        "(R) Reasons:\n\n• secret\n\n• secret",
        "(R) Reasons:\n\n(a) secret\n\n(b) secret",
        "**(R) Reasons:**\n\nsecret",
        "[R] Reasons:\n\n- secret",
        "Door shut. (R) Reasons:\n- secret",
        "- (R) Reasons:\n  - secret\n\n  secret",
        "- lamp\n  [R] Reasons:\n  - secret",
    ] {
        let text = kept_under(part);
        assert!(!text.contains("secret"), "{part}: {text}");
    }
    let after = kept_under("(R) Reasons:\n\n- secret\n\nLog it.\n\n- call\n- (R) secret\n- lamp");
    assert!(
        ["Log it.", "call", "lamp"].iter().all(|word| after.contains(word)),
        "{after}"
    );
}

#[test]
fn a_mark_in_a_fence_never_lowers_what_is_in_it() {
    for note in [
        "~~~\n(I) a secret\n~~~\n",
        "~~~\nlog\n\n(I) a secret\n~~~\n",
        "````\n(I) a secret\n```\n(I) a secret\n````\n",
        "```\n~~~\n(I) a secret\n```\n",
        "``` a\n``` b\n(I) a secret\n```\n",
        "(I) open\n~~~\n\nsecret\n~~~\n",
    ] {
        let (text, _) = kept(note, Level::Internal, Level::Restricted);
        assert!(!text.contains("secret"), "{note}: {text}");
    }
    let (text, _) = kept("~~~\nlog\n~~~\n\n(I) Lock up.\n", Level::Internal, Level::Restricted);
    assert_eq!(text, "Lock up.\n");
    assert_eq!(portions("```\n(P) x\n\n# y\n```\n").len(), 1);
    assert_eq!(kept("```\n(I) x\n```\n", Level::Internal, Level::Restricted).0, "");
}

#[test]
fn a_fence_left_open_lets_no_marked_paragraph_out() {
    for (note, portions) in [
        ("(I) See\n```\nlog\n\n(R) Who it was.\n", 1),
        ("(I) See ```log\n```\n(R) Who it was.\n\nAnd why.\n", 2),
        ("(I) See\n```\nlog\n\nWho it was.\n\n(I) And why.\n", 2),
    ] {
        let (text, left_out) = kept(note, Level::Internal, Level::Restricted);
        assert!(!text.contains("Who") && !text.contains("why"), "{text}");
        assert_eq!(left_out, portions);
    }
}

#[test]
fn a_mark_counts_after_any_line_end() {
    for end in ["\n", "\r\n", "\r", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}"] {
        let note = format!("(I) Do this{end}and that.{end}{end}(R) Who it was.{end}");
        assert_eq!(
            kept(&note, Level::Internal, Level::Restricted).0,
            format!("Do this{end}and that.{end}{end}")
        );
        let close = format!("(I) Do this.{end}(R) Who it was.{end}");
        assert_eq!(
            kept(&close, Level::Internal, Level::Restricted).0,
            format!("Do this.{end}")
        );
    }
}

#[test]
fn what_is_said_at_one_indent_raises_as_each_of_it_would() {
    let levels: Vec<Option<Level>> = std::iter::once(None).chain(Level::ALL.map(Some)).collect();
    let said = |meant: &Option<Level>| {
        let (own, meant) = (None, *meant);
        [false, true].map(|unclear| Said { own, meant, unclear })
    };
    let said: Vec<Said> = levels.iter().flat_map(said).collect();
    for (one, other) in said.iter().flat_map(|one| said.iter().map(move |other| (*one, *other))) {
        for (level, at_least) in levels
            .iter()
            .flat_map(|level| levels.iter().map(|least| (*level, *least)))
        {
            let over = Standing { level, at_least };
            let (each, both) = (other.under(one.under(over)), one.and(other).under(over));
            assert_eq!((each.level, each.at_least), (both.level, both.at_least));
        }
    }
}

#[test]
fn marks_before_many_items_are_not_gone_through_for_each() {
    let count = 200;
    let marks = format!("- x\n{}{}", "[R]\n".repeat(count), "  - a\n".repeat(count));
    let again = format!("- x\n{}", "  - (C) a\n    [R] b\n".repeat(count));
    let deeper: String = (0..count).map(|n| format!("{}- (C) a\n[R]\n", " ".repeat(n))).collect();
    for text in [marks, again, deeper] {
        let mut cutter = Cutter::default();
        for (range, fence) in lines(&text).zip(fences(&text)) {
            cutter.take(&text, range.clone(), fence);
            // One for each column at most.
            let deepest = cutter.under.last().map_or(0, |(indent, _)| indent + 1);
            assert!(cutter.under.len() <= deepest, "{} of {deepest}", cutter.under.len());
        }
        let said = cutter.found.last().unwrap();
        assert_eq!(said.level_in(Level::Internal), Level::Restricted, "{text}");
    }
}

proptest! {
    #[test]
    fn portions_are_the_whole_note(text in "([#]{0,3} ?\\(?[A-Zi]?\\)? ?[a-zé`-]{0,4}\n?\n?){0,12}") {
        let all = portions(&text);
        prop_assert!(all.windows(2).all(|pair| pair[0].range.end == pair[1].range.start));
        prop_assert_eq!(all.first().map_or(0, |p| p.range.start), 0);
        prop_assert_eq!(all.last().map_or(0, |p| p.range.end), text.len());
    }

    #[test]
    fn nothing_above_the_audience_stays(level in 0u8..5, audience in 0u8..5, unmarked in 0u8..5) {
        let (level, audience) = (Level::from_number(level).unwrap(), Level::from_number(audience).unwrap());
        let unmarked = Level::from_number(unmarked).unwrap();
        let mark = &level.name()[..1].to_uppercase();
        let (kept, _) = keep_up_to(&format!("open\n\n({mark}) secret\nmore"), audience, unmarked);
        prop_assert_eq!(kept.contains("secret"), level <= audience);
        prop_assert_eq!(kept.contains("more"), level <= audience);
        prop_assert_eq!(kept.contains("open"), unmarked <= audience);
    }
}
