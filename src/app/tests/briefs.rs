//! Briefs from their draft to their recall.

use super::*;

const TEXT: &str = "Azra Okonkwo waits in the grey van. Keep the rear door locked until Friday.";

impl Vault {
    fn note(&self, text: &str, client: &str, case: &str) -> String {
        let new = NewText {
            title: None,
            client: Some(client.into()),
            case: Some(case.into()),
            label: Some("internal".into()),
            at: None,
            fields: Vec::new(),
            template: None,
        };
        let text = text.as_bytes().to_vec();
        let text = TextFrom::Caller(Box::new(|| Ok(text)));
        let added = add(&self.context(&Scripted::deaf(), None, None), new, text);
        added.unwrap().id.to_string()
    }

    fn draft(&self, notes: &[&str], with: impl FnOnce(&mut DraftQuery)) -> Result<Drafted, Error> {
        let mut query = DraftQuery {
            sources: notes.iter().map(|&note| note.to_owned()).collect(),
            profile: "no-names".into(),
            audience: None,
            mask: Vec::new(),
            allow: Vec::new(),
            length: None,
            by_case: false,
            format: None,
        };
        with(&mut query);
        draft_brief(&self.context(&Scripted::deaf(), None, Some("a test")), &query)
    }

    fn release(&self, draft: &Drafted, with: impl FnOnce(&mut ReleaseQuery)) -> Result<ReleasedBrief, Error> {
        let mut query = ReleaseQuery {
            draft: draft.draft.to_string(),
            to: vec!["day shift".into()],
            format: None,
            expires: None,
            out: None,
        };
        with(&mut query);
        release_brief(
            &self.context(&Scripted::deaf(), Some("handover"), Some("a test")),
            &query,
        )
    }

    fn recall(&self) -> Vec<(String, Vec<RecallReason>)> {
        let recalled = recall_briefs(&self.context(&Scripted::deaf(), None, None)).unwrap();
        recalled
            .into_iter()
            .map(|brief| (brief.brief.to_string(), brief.why))
            .collect()
    }

    fn revise(&self, note: &str, text: &str) {
        let text = text.as_bytes().to_vec();
        let text = TextFrom::Caller(Box::new(|| Ok(text)));
        let deaf = Scripted::deaf();
        let context = self.context(&deaf, Some("duty"), Some("a test"));
        edit(&context, note, Change::default(), Some(text)).unwrap();
    }
}

#[test]
fn a_brief_is_kept_as_it_left() {
    let vault = Vault::new();
    let note = vault.note(TEXT, "Halcyon", "H-1");
    let draft = vault
        .draft(&[&note], |query| query.format = Some(shared::Format::Text))
        .unwrap();
    assert!(
        draft
            .rendered
            .is_some_and(|text| text.contains("Use until: draft, not released"))
    );
    let draft = vault
        .draft(&[&note], |query| query.format = Some(shared::Format::Html))
        .unwrap();
    let brief = vault.release(&draft, |_| ()).unwrap();
    assert!(brief.text.starts_with("<!doctype html>"));
    assert!(!brief.text.contains("Okonkwo") && brief.text.contains("Person A waits"));
    let shown = vault
        .show(&Scripted::deaf(), None, None, &brief.brief.to_string())
        .unwrap();
    assert_eq!(shown.body(), brief.text);
    assert_eq!(crate::crypto::sha256(&[brief.text.as_bytes()]), brief.sha256);
    assert!(vault.recall().is_empty());
}

#[test]
fn nothing_beside_the_text_gives_anything_away() {
    let vault = Vault::new();
    let note = vault.note(TEXT, "Halcyon", "H-1");
    for format in [
        shared::Format::Markdown,
        shared::Format::Text,
        shared::Format::Html,
        shared::Format::Pdf,
        shared::Format::Json,
    ] {
        let draft = vault.draft(&[&note], |query| query.format = Some(format)).unwrap();
        let brief = vault.release(&draft, |_| ()).unwrap().text;
        for told in [
            "Okonkwo",
            "Azra",
            "Halcyon",
            "H-1",
            "mara",
            "day shift",
            "a test",
            &note[..8],
        ] {
            assert!(!brief.contains(told), "{told} in {brief}");
        }
    }
}

#[test]
fn a_brief_for_people_by_name_goes_to_members_alone() {
    let vault = Vault::new();
    // As shipped, a second person has to approve it, and there is none.
    let without = |text: &str, from: &str, to: &str| {
        let (before, rest) = text.split_once(from).unwrap();
        format!("{before}{to}{}", rest.split_once(to).unwrap().1)
    };
    let folder = changed_policies(&vault, |path, text| match path {
        crate::policy::RULES => without(text, "// Even in a vault of one person", "// Who is alone"),
        crate::policy::CASES => without(text, "# release-needs-two", "# authors and leads decide"),
        _ => text.to_owned(),
    });
    let new = NewPolicies::Folder(folder);
    let deaf = Scripted::deaf();
    let edited = edit_policies(&vault.context(&deaf, None, None), new, |_| Ok(true));
    assert!(matches!(edited, Ok(PolicyEdit::Done { .. })));
    let note = vault.note(TEXT, "Halcyon", "H-1");
    let draft = vault
        .draft(&[&note], |query| query.audience = Some("named".into()))
        .unwrap();
    let to = |names: &[&str]| {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        vault.release(&draft, |query| query.to = names)
    };
    for strangers in [&["day shift"][..], &["mara", "idris"]] {
        let refused = to(strangers).err().unwrap();
        assert_eq!(refused.kind, Kind::Denied, "{}", refused.message);
        assert_eq!(vault.last().0, "brief release");
    }
    let brief = to(&["@mara"]).unwrap();
    assert!(brief.text.starts_with("**TLP:RED**"), "{}", brief.text);
    assert!(brief.text.contains("To nobody else"));
}

#[test]
fn nobody_is_asked_to_approve_what_goes_by_name_to_no_member() {
    let vault = Vault::new();
    let _jon = leaving::join(&vault, "jon", "restricted");
    let note = vault.note(TEXT, "Halcyon", "H-1");
    let draft = vault
        .draft(&[&note], |query| query.audience = Some("named".into()))
        .unwrap();
    let refused = |to: &str| vault.release(&draft, |query| query.to = vec![to.into()]).err().unwrap();
    assert!(refused("nobody").message.contains("`nobody` is no member"));
    assert!(!refused("@jon").message.contains("no member"));
    let deaf = Scripted::deaf();
    change_member(&vault.context(&deaf, None, None), "jon", &MemberChange::Remove).unwrap();
    assert!(refused("@jon").message.contains("`@jon` is no member"));
}

#[test]
fn the_longest_field_in_any_script_stops_no_brief() {
    let vault = Vault::new();
    let longest = |c: char| c.to_string().repeat(200);
    let (client, case, field) = (longest('門'), longest('\u{20bb7}'), longest('閂'));
    let new = NewText {
        title: Some(longest('門')),
        client: Some(client.clone()),
        case: Some(case.clone()),
        label: Some("internal".into()),
        at: None,
        fields: vec![("remarks".into(), field.clone())],
        template: None,
    };
    let text = TextFrom::Caller(Box::new(|| Ok(b"Lock up.".to_vec())));
    let deaf = Scripted::deaf();
    add(&vault.context(&deaf, None, None), new, text).unwrap();
    let told = format!("Keep the rear door locked. Seen at {client} and {case} and {field}.");
    let note = vault.note(&told, &client, "");
    let draft = vault.draft(&[&note], |_| ()).unwrap();
    assert!(draft.text.contains("Keep the rear door locked."), "{}", draft.text);
    assert!(!draft.text.contains(['門', '\u{20bb7}', '閂']), "{}", draft.text);
    let brief = vault.note("Keep the rear door locked until Friday.", &client, "");
    let draft = vault.draft(&[&brief], |_| ()).unwrap();
    vault.release(&draft, |_| ()).unwrap();
    assert!(vault.recall().is_empty());
    let context = vault.context(&deaf, None, Some("a test"));
    let checked = check_brief(&context, told.as_bytes(), "no-names").unwrap();
    assert!(checked.leaks.len() >= 3);
}

#[test]
fn a_draft_whose_source_changed_does_not_leave() {
    let vault = Vault::new();
    let note = vault.note(TEXT, "Halcyon", "H-1");
    let draft = vault.draft(&[&note], |_| ()).unwrap();
    vault.revise(&note, "Keep the rear door locked until Monday.");
    let refused = vault.release(&draft, |_| ()).err().unwrap();
    assert!(refused.message.contains("has changed since"), "{}", refused.message);
    assert_eq!(vault.last().0, "brief release");
    let again = vault.draft(&[&note], |_| ()).unwrap();
    assert!(vault.release(&again, |_| ()).is_ok());
}

#[test]
fn a_brief_may_not_be_over_before_it_leaves() {
    let vault = Vault::new();
    let note = vault.note(TEXT, "", "");
    let draft = vault.draft(&[&note], |_| ()).unwrap();
    let until = |seconds: i64| Some(Time::from_unix(1_795_253_400 + seconds));
    let refused = vault.release(&draft, |query| query.expires = until(0)).err().unwrap();
    assert_eq!(refused.kind, Kind::Usage);
    assert!(vault.release(&draft, |query| query.expires = until(1)).is_ok());
}

#[test]
fn what_happens_to_a_source_calls_its_briefs_back() {
    let vault = Vault::new();
    let notes: Vec<String> = (0..4).map(|at| vault.note(TEXT, &format!("Client{at}"), "")).collect();
    let release = |note: &String| {
        let draft = vault.draft(&[note], |_| ()).unwrap();
        vault.release(&draft, |_| ()).unwrap().brief.to_string()
    };
    let briefs: Vec<String> = notes.iter().map(release).collect();
    assert!(vault.recall().is_empty());
    vault.revise(&notes[0], "The rear door is open again.");
    let context = |person| vault.context(person, Some("duty"), Some("a test"));
    let deaf = Scripted::deaf();
    relabel(&context(&deaf), &notes[1], "confidential").unwrap();
    destroy(&context(&deaf), &notes[2], None).unwrap();
    // A note of the same client now says what the brief's words mean.
    vault.note("The alias of our man is Friday Rear.", "Client3", "");
    let new = NewText {
        title: None,
        client: Some("Client3".into()),
        case: None,
        label: Some("internal".into()),
        at: None,
        fields: vec![("alias".into(), "grey van".into())],
        template: None,
    };
    let text = TextFrom::Caller(Box::new(|| Ok(b"Nothing new.".to_vec())));
    add(&vault.context(&deaf, None, None), new, text).unwrap();
    // An alias is one whosoever the text is about; what the finder finds in a note counts for its client alone.
    let named = || RecallReason::Identifies(vec!["PERSON"]);
    let mut expected = vec![
        (briefs[0].clone(), vec![RecallReason::Changed, named()]),
        (briefs[1].clone(), vec![RecallReason::Relabelled, named()]),
        (briefs[2].clone(), vec![RecallReason::Gone, named()]),
        (briefs[3].clone(), vec![named()]),
    ];
    expected.iter_mut().for_each(|(_, why)| why.sort());
    expected.sort();
    let mut recalled = vault.recall();
    recalled.sort();
    assert_eq!(recalled, expected);
    let last = vault.last();
    assert_eq!((last.0.as_str(), last.3), ("brief recall", "done"));
}

#[test]
fn a_brief_about_one_client_names_no_other() {
    let vault = Vault::new();
    let add_with = |client: Option<&str>, alias: Option<&str>, text: &'static str| {
        let new = NewText {
            title: None,
            client: client.map(str::to_owned),
            case: None,
            label: Some("internal".into()),
            at: None,
            fields: alias.map(|alias| ("alias".into(), alias.into())).into_iter().collect(),
            template: None,
        };
        let text = TextFrom::Caller(Box::new(move || Ok(text.as_bytes().to_vec())));
        let deaf = Scripted::deaf();
        add(&vault.context(&deaf, None, None), new, text)
            .unwrap()
            .id
            .to_string()
    };
    add_with(Some("Lantern"), Some("badger"), "Alias on file.");
    // A heading that brings marks of direction along stops nobody.
    add_with(Some("\u{2066}Sesame\u{2069}"), None, "Nothing.");
    let note = add_with(None, None, "Collect Badger at ten. Leave the lantern by the side door.");
    let drafted = vault.draft(&[&note], |_| ()).unwrap();
    let text = drafted.text.to_lowercase();
    assert!(!text.contains("badger") && !text.contains("lantern"), "{text}");
    assert!(text.contains("at ten") && text.contains("by the side door"), "{text}");
    // A person who has looked may let a word pass that only looks like another's.
    let allowing = |query: &mut DraftQuery| query.allow = vec!["lantern".into()];
    let drafted = vault.draft(&[&note], allowing).unwrap();
    assert!(drafted.text.contains("the lantern by"), "{}", drafted.text);
    assert!(!drafted.text.to_lowercase().contains("badger"));
    // What becomes known later stops a release and calls a brief back.
    let later = add_with(None, None, "Keep the heron gate shut until six.");
    let (waiting, left) = (
        vault.draft(&[&later], |_| ()).unwrap(),
        vault.draft(&[&later], |_| ()).unwrap(),
    );
    let brief = vault.release(&left, |_| ()).unwrap().brief.to_string();
    add_with(Some("Merrow"), Some("heron"), "Another alias.");
    assert!(vault.release(&waiting, |_| ()).is_err());
    let recalled = vault.recall();
    assert_eq!(recalled, [(brief, vec![RecallReason::Identifies(vec!["PERSON"])])]);
}

#[test]
fn placeholders_of_a_case_are_the_same_in_it_and_nowhere_else() {
    let vault = Vault::new();
    let one = vault.note(TEXT, "Halcyon", "H-1");
    let same = vault.note(
        "Then okonkwo left, and so did Tove Lindqvist. Azra Okonkwo is at home.",
        "Halcyon",
        "H-1",
    );
    let other = vault.note(TEXT, "Halcyon", "H-2");
    let by_case = |note: &str| vault.draft(&[note], |query| query.by_case = true).unwrap().text;
    let placeholder = |text: &str| text.split(" waits").next().unwrap().to_owned();
    let of_the_case = placeholder(&by_case(&one));
    assert!(
        of_the_case.starts_with("Person ") && of_the_case != "Person A",
        "{of_the_case}"
    );
    assert_eq!(placeholder(&by_case(&one)), of_the_case);
    assert!(
        by_case(&same).starts_with(&format!("Then {of_the_case} left")),
        "{}",
        by_case(&same)
    );
    assert_ne!(placeholder(&by_case(&other)), of_the_case);
    // They pass the check at the release, and that of the text itself.
    let draft = vault.draft(&[&same], |query| query.by_case = true).unwrap();
    let brief = vault.release(&draft, |_| ()).unwrap();
    let deaf = Scripted::deaf();
    let checked = check_brief(&vault.context(&deaf, None, None), brief.text.as_bytes(), "no-names").unwrap();
    assert_eq!(checked.leaks, []);
    let refused = vault
        .draft(&[&one, &other], |query| query.by_case = true)
        .err()
        .unwrap();
    assert_eq!(refused.kind, Kind::Usage);
}

#[test]
fn what_stood_in_an_earlier_revision_is_known() {
    let vault = Vault::new();
    let note = vault.note("Our man, alias Walnut, has the key.", "Halcyon", "H-1");
    vault.revise(&note, "Take the walnut to the rear door.");
    // A source itself is drafted from as it is now.
    assert_eq!(
        vault.draft(&[&note], |_| ()).unwrap().text,
        "Take the Person A to the rear door."
    );
    let other = vault.note("Leave the walnut there.", "Halcyon", "");
    assert_eq!(
        vault.draft(&[&other], |_| ()).unwrap().text,
        "Leave the Person A there."
    );
    let deaf = Scripted::deaf();
    let check = |text: &str| check_brief(&vault.context(&deaf, None, None), text.as_bytes(), "no-names").unwrap();
    assert!(check("keep the rear door locked").leaks.is_empty());
    assert_eq!(check("ask walnut for the key").leaks.len(), 1);
}

#[test]
fn a_long_brief_is_kept_whole_or_not_at_all() {
    let vault = Vault::new();
    let lines = |count: usize| "22:15 patrol of the north gate: \"closed\", lamp on.\n".repeat(count);
    // Drafted and released it is several times the longest text of a note.
    let long = vault.note(&lines((1 << 20) / 51), "Halcyon", "H-1");
    let draft = vault.draft(&[&long], |_| ()).unwrap();
    let brief = vault.release(&draft, |_| ()).unwrap();
    assert!(brief.text.len() > 1 << 20);
    let shown = vault.show(&Scripted::deaf(), None, None, &brief.brief.to_string());
    assert_eq!(shown.unwrap().body(), brief.text);
    // What could not be released is not drafted: written down each of these marks is two characters, and there twice.
    let marks = vault.note(
        &format!("{}\n", "\"".repeat(50)).repeat((1 << 20) / 51),
        "Halcyon",
        "H-1",
    );
    let error = vault.draft(&[&marks], |_| ()).err().unwrap();
    assert_eq!(error.kind, Kind::Failed);
    assert!(error.message.contains("too long"), "{error:?}");
    let report = verify(&vault.context(&Scripted::deaf(), None, None), None, &[], None, false).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
}

#[test]
fn what_a_note_says_is_known_whatever_stands_in_it() {
    // Copied from a telephone, with marks of direction; from a page; and said in a title alone.
    for (title, text) in [
        (
            "",
            "Principal is Hazel Winter, call sign \"Cobbler\", mobile \u{202A}+44 7700 900123\u{202C}.",
        ),
        ("", "Principal is Hazel Winter, call sign \"Cobbler\".\u{C}Page 2"),
        ("Hazel Winter, call sign \"Cobbler\": new flat", "The flat is ready."),
    ] {
        let vault = Vault::new();
        let known = vault.note(text, "Merlin", "");
        if !title.is_empty() {
            let deaf = Scripted::deaf();
            let change = Change {
                title: Some(title.into()),
                ..Change::default()
            };
            edit(
                &vault.context(&deaf, Some("duty"), Some("a test")),
                &known,
                change,
                None,
            )
            .unwrap();
        }
        let note = vault.note("cobbler leaves by the rear gate at nine.", "Merlin", "");
        let text = vault.draft(&[&note], |_| ()).unwrap().text;
        assert!(!text.contains("cobbler"), "{title}: {text}");
    }
}
