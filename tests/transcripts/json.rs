//! The JSON that other programs rely on, field by field: fields may be added, never changed.

use crate::stage::Stage;
use serde_json::Value;
use std::process::Output;

/// Runs the program; gives the exit code, and standard output as JSON.
fn ask(stage: &mut Stage, args: &[&str]) -> (i32, Value) {
    let output = run(stage, args);
    let text = String::from_utf8(output.stdout).unwrap();
    let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{args:?}: {error}: {text}"));
    (output.status.code().unwrap(), value)
}

fn run(stage: &mut Stage, args: &[&str]) -> Output {
    stage.command("strongroom").args(args).output().unwrap()
}

fn vault() -> Stage {
    let mut stage = Stage::new();
    assert!(run(&mut stage, &["init", "--name", "mara"]).status.success());
    stage
}

/// That `value` is an object with at least these fields, each of its kind.
#[track_caller]
fn fields(value: &Value, fields: &[(&str, &str)]) {
    for (name, kind) in fields {
        let found = value.get(name).unwrap_or_else(|| panic!("no `{name}` in {value}"));
        let text = found.as_str().unwrap_or_default();
        let hex = |length: usize| text.len() == length && text.bytes().all(|b| b"0123456789abcdef".contains(&b));
        let is = match *kind {
            "id" => hex(32),
            "digest" => hex(64),
            "text" => found.is_string(),
            "time" => text.len() == 20 && text.ends_with('Z'),
            "entry" => text
                .rsplit_once(':')
                .is_some_and(|(log, seq)| is_log(log) && seq.parse::<u64>().is_ok()),
            "log" => is_log(text),
            "count" => found.is_u64(),
            "truth" => found.is_boolean(),
            "list" => found.is_array(),
            "object" => found.is_object(),
            other => panic!("{other}"),
        };
        assert!(is, "`{name}` is no {kind}: {found}");
    }
}

fn is_log(text: &str) -> bool {
    text.parse::<strongroom::id::LogName>().is_ok()
}

#[test]
fn forgetting_and_backups() {
    let mut stage = vault();
    let (_, added) = ask(&mut stage, &["add", "--json", "--label", "internal", "Barrier open."]);
    let id = added["id"].as_str().unwrap().to_owned();
    let (code, relabelled) = ask(&mut stage, &["relabel", &id, "confidential", "--json"]);
    assert_eq!((code, relabelled["label"].as_str()), (0, Some("confidential")));
    let made = [("drafts", "list"), ("briefs", "list")];
    fields(&relabelled, &[("id", "id"), ("revisions", "count"), ("entry", "entry")]);
    fields(&relabelled, &[("left_out", "count")]);
    fields(&relabelled, &made);
    let (code, backup) = ask(&mut stage, &["backup", "vault.bundle", "--json"]);
    assert_eq!(code, 0);
    let kinds = [
        ("vault", "id"),
        ("file", "text"),
        ("bytes", "count"),
        ("strays", "list"),
    ];
    fields(&backup, &kinds);
    let (code, destroyed) = ask(&mut stage, &["destroy", &id, "--yes", "--json"]);
    assert_eq!(code, 0);
    fields(&destroyed, &[("id", "id"), ("files", "count"), ("entry", "entry")]);
    fields(&destroyed, &made);
    let (code, checked) = ask(&mut stage, &["restore", "vault.bundle", "--check", "--json"]);
    assert_eq!((code, checked["verdict"].as_str()), (0, Some("intact")));
    fields(&checked["behind"], &[("backup", "count"), ("device", "count")]);
    fields(&checked, &[("strays", "list")]);
    let args = ["restore", "vault.bundle", "--vault", "second", "--json"];
    let (code, restored) = ask(&mut stage, &args);
    assert_eq!(code, 0);
    let shape = [
        ("vault", "id"),
        ("path", "text"),
        ("verdict", "text"),
        ("strays", "list"),
    ];
    fields(&restored, &shape);
}

#[test]
fn notes() {
    let mut stage = vault();
    let args = [
        "add",
        "--json",
        "--label",
        "confidential",
        "--client",
        "Halcyon",
        "--case",
        "Gate 4",
        "Barrier open.\nSee to it.",
    ];
    let (code, added) = ask(&mut stage, &args);
    assert_eq!(code, 0);
    fields(
        &added,
        &[
            ("id", "id"),
            ("revision", "count"),
            ("label", "text"),
            ("entry", "entry"),
        ],
    );
    assert_eq!(
        (&added["revision"], &added["label"]),
        (&1.into(), &"confidential".into())
    );
    assert!(added["entry"].as_str().unwrap().ends_with(":1"));

    let id = added["id"].as_str().unwrap();
    let (code, shown) = ask(&mut stage, &["show", "--json", &id[..8]]);
    assert_eq!(code, 0);
    let kinds = [
        ("id", "id"),
        ("revision", "count"),
        ("title", "text"),
        ("client", "text"),
        ("case", "text"),
        ("label", "text"),
        ("created", "time"),
        ("modified", "time"),
        ("author", "text"),
        ("body", "text"),
        ("attachments", "list"),
    ];
    fields(&shown, &kinds);
    for (name, expected) in [
        ("id", id),
        ("title", "Barrier open."),
        ("client", "Halcyon"),
        ("case", "Gate 4"),
        ("label", "confidential"),
        ("created", "2026-11-21T09:31:00Z"),
        ("modified", "2026-11-21T09:31:00Z"),
        ("author", "mara"),
        ("body", "Barrier open.\nSee to it."),
    ] {
        assert_eq!(shown[name], expected, "{name}");
    }
    assert_eq!(
        (&shown["revision"], &shown["attachments"]),
        (&1.into(), &serde_json::json!([]))
    );

    ask(&mut stage, &["add", "--json", "--label", "internal", "Radios."]);
    let (code, list) = ask(&mut stage, &["list", "--json"]);
    assert_eq!((code, list.as_array().unwrap().len()), (0, 2));
    let kinds = [
        ("id", "id"),
        ("title", "text"),
        ("client", "text"),
        ("case", "text"),
        ("label", "text"),
        ("modified", "time"),
    ];
    for line in list.as_array().unwrap() {
        fields(line, &kinds);
    }
    assert_eq!((&list[0]["title"], &list[1]["id"]), (&"Radios.".into(), &id.into()));
    let (_, list) = ask(&mut stage, &["list", "--json", "--limit", "1"]);
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(
        ask(&mut stage, &["list", "--json", "--client", "nobody"]),
        (0, serde_json::json!([]))
    );

    let (code, found) = ask(&mut stage, &["search", "--json", "barrier gate"]);
    assert_eq!((code, found.as_array().unwrap().len()), (0, 1));
    fields(&found[0], &kinds);
    // `Barrier` in the title and in the text, `Gate` in the case.
    fields(&found[0], &[("matches", "count")]);
    assert_eq!((&found[0]["id"], &found[0]["matches"]), (&id.into(), &3.into()));
    let (code, nothing) = ask(&mut stage, &["search", "--json", "heron"]);
    assert_eq!((code, nothing), (0, serde_json::json!([])));
}

#[test]
fn the_log() {
    let mut stage = vault();
    ask(&mut stage, &["list", "--json"]);
    let output = run(&mut stage, &["audit", "log", "--json"]);
    let lines: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    for (seq, line) in lines.iter().enumerate() {
        let kinds = [
            ("log", "log"),
            ("seq", "count"),
            ("time", "time"),
            ("result", "text"),
            ("sealed", "text"),
        ];
        fields(line, &kinds);
        fields(
            line,
            &[
                ("prev", "digest"),
                ("entry", "entry"),
                ("handle", "text"),
                ("details", "object"),
            ],
        );
        assert_eq!(line["seq"], seq);
    }
    assert_eq!(lines[1]["details"]["verb"], "list");

    let (code, report) = ask(&mut stage, &["audit", "verify", "--json"]);
    let kinds = [
        ("verdict", "text"),
        ("anchored", "truth"),
        ("entries", "count"),
        ("logs", "list"),
        ("problems", "list"),
    ];
    fields(&report, &kinds);
    assert_eq!(
        (code, &report["verdict"], &report["entries"]),
        (0, &"intact".into(), &3.into())
    );
    assert_eq!(
        (&report["anchored"], &report["problems"]),
        (&true.into(), &serde_json::json!([]))
    );
    fields(
        &report["logs"][0],
        &[("log", "log"), ("size", "count"), ("root", "digest")],
    );

    // A clone whose log is shorter than this device remembers.
    stage.run("git clone --quiet --bare .local/share/strongroom/vault clone");
    stage.run("git -C clone for-each-ref --format='update %(refname) %(refname)~1' refs/heads/audit | git -C clone update-ref --stdin");
    let (code, report) = ask(&mut stage, &["audit", "verify", "--json", "--vault", "clone"]);
    assert_eq!((code, &report["verdict"]), (4, &"tampered".into()));
    let problem = &report["problems"][0];
    fields(
        problem,
        &[("log", "log"), ("seq", "count"), ("case", "count"), ("message", "text")],
    );
    assert_eq!(problem["case"], 9);
}

#[test]
fn answers_and_reports() {
    let mut stage = vault();
    let (_, added) = ask(
        &mut stage,
        &[
            "add",
            "--json",
            "--client",
            "Halcyon",
            "--label",
            "internal",
            "Barrier open.",
        ],
    );
    let id = added["id"].as_str().unwrap().to_owned();
    assert!(
        run(&mut stage, &["show", &id, "--why", "gate call-out"])
            .status
            .success()
    );
    let output = run(&mut stage, &["audit", "who", "--client", "Halcyon", "--json"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1, "one entry a line, and that of adding is no seeing");
    fields(
        &lines[0],
        &[
            ("entry", "entry"),
            ("handle", "text"),
            ("time", "time"),
            ("details", "object"),
        ],
    );
    assert_eq!(lines[0]["details"]["notes"], serde_json::json!([id]));

    let (code, made) = ask(&mut stage, &["audit", "report", "--out", "report.html", "--json"]);
    assert_eq!(
        (code, made["verdict"].as_str(), made["closed"].as_u64()),
        (0, Some("intact"), Some(0))
    );
    let kinds = [
        ("anchored", "truth"),
        ("entries", "count"),
        ("digest", "digest"),
        ("sha256", "digest"),
        ("entry", "entry"),
    ];
    fields(&made, &kinds);
    let (code, checked) = ask(&mut stage, &["audit", "check-report", "report.html", "--json"]);
    assert_eq!((code, &checked["holds"]), (0, &true.into()));
    let kinds = [
        ("vault", "id"),
        ("made", "time"),
        ("by", "text"),
        ("entries", "count"),
        ("logs", "list"),
    ];
    fields(&checked, &kinds);
    for field in ["digest", "sha256"] {
        assert_eq!(checked[field], made[field]);
    }
}

#[test]
fn revisions() {
    let mut stage = vault();
    let (_, added) = ask(&mut stage, &["add", "--json", "--label", "internal", "Barrier open."]);
    let id = added["id"].as_str().unwrap().to_owned();
    let edit = ["edit", &id, "--title", "Barrier", "--json"];
    let (code, revised) = ask(&mut stage, &edit);
    assert_eq!(
        (code, &revised["revision"], &revised["changed"]),
        (0, &2.into(), &true.into())
    );
    let kinds = [
        ("id", "id"),
        ("revision", "count"),
        ("label", "text"),
        ("entry", "entry"),
        ("changed", "truth"),
    ];
    fields(&revised, &kinds);
    let (_, same) = ask(&mut stage, &edit);
    assert_eq!((&same["revision"], &same["changed"]), (&2.into(), &false.into()));
    fields(&same, &kinds);
    let (_, history) = ask(&mut stage, &["history", &id, "--json"]);
    assert_eq!(history.as_array().unwrap().len(), 2);
    fields(
        &history[0],
        &[
            ("revision", "count"),
            ("digest", "digest"),
            ("modified", "time"),
            ("author", "text"),
            ("label", "text"),
            ("head", "truth"),
            ("follows", "list"),
        ],
    );
    let digest = history[1]["digest"].as_str().unwrap().to_owned();
    assert_eq!(history[0]["follows"], serde_json::json!([digest]));
    let (_, first) = ask(&mut stage, &["show", &id, "--revision", &digest[..8], "--json"]);
    assert_eq!(
        (&first["revision"], &first["title"]),
        (&1.into(), &"Barrier open.".into())
    );
    let (_, difference) = ask(&mut stage, &["history", &id, "--diff", "--json"]);
    fields(
        &difference,
        &[
            ("id", "id"),
            ("from", "count"),
            ("to", "count"),
            ("beside", "list"),
            ("lines", "list"),
        ],
    );
    fields(
        &difference["beside"][0],
        &[("what", "text"), ("from", "text"), ("to", "text")],
    );
    fields(&difference["lines"][0], &[("change", "text"), ("text", "text")]);
}

#[test]
fn briefs() {
    let mut stage = vault();
    let text = "Ask Idris Vandermolen, +44 7700 900123, and bring the barrow by noon.";
    let known = ["--field", "name=Grace Barrow"];
    let (_, note) = ask(
        &mut stage,
        &[&["add", "--json", "--label", "internal"], &known[..], &[text]].concat(),
    );
    let note = note["id"].as_str().unwrap();
    let (code, draft) = ask(&mut stage, &["brief", "draft", "--json", note]);
    assert_eq!(code, 0);
    let kinds = [
        ("draft", "id"),
        ("label", "text"),
        ("text", "text"),
        ("removed", "object"),
        ("doubtful", "list"),
        ("kept", "list"),
        ("shortened", "count"),
    ];
    fields(&draft, &kinds);
    assert_eq!(draft["label"], "internal");
    assert_eq!(draft["removed"], serde_json::json!({ "PERSON": 1, "PHONE": 1 }));
    assert_eq!(draft["doubtful"][0]["text"], "barrow");

    let (_, draft) = ask(&mut stage, &["brief", "draft", "--json", note, "--mask", "barrow"]);
    let draft = draft["draft"].as_str().unwrap();
    let (code, brief) = ask(
        &mut stage,
        &[
            "brief",
            "release",
            "--json",
            draft,
            "--to",
            "day shift",
            "--out",
            "brief.md",
        ],
    );
    assert_eq!(code, 0);
    fields(
        &brief,
        &[
            ("brief", "id"),
            ("label", "text"),
            ("sha256", "digest"),
            ("entry", "entry"),
        ],
    );
    let left = std::fs::read(stage.home().join("brief.md")).unwrap();
    let digest = strongroom::crypto::sha256(&[&left]).to_string();
    assert_eq!(brief["sha256"], digest, "the digest is that of the very text that left");

    let (code, check) = ask(&mut stage, &["brief", "check", "--json", "brief.md"]);
    assert_eq!((code, check), (0, serde_json::json!({ "safe": true, "leaks": [] })));
    std::fs::write(stage.home().join("mail.txt"), "é, ask Vandermolen").unwrap();
    let (code, check) = ask(&mut stage, &["brief", "check", "--json", "mail.txt"]);
    let leak = serde_json::json!({ "start": 7, "end": 18, "type": "PERSON" });
    assert_eq!((code, &check["safe"], &check["leaks"][0]), (3, &false.into(), &leak));

    let (code, recalled) = ask(&mut stage, &["brief", "recall", "--json"]);
    assert_eq!((code, recalled), (0, serde_json::json!([])));
    let (code, _) = ask(&mut stage, &["edit", "--json", note, "--field", "gate=4"]);
    assert_eq!(code, 0);
    let (_, recalled) = ask(&mut stage, &["brief", "recall", "--json"]);
    let kinds = [
        ("brief", "id"),
        ("released", "time"),
        ("label", "text"),
        ("recipients", "list"),
        ("why", "list"),
        ("types", "list"),
    ];
    fields(&recalled[0], &kinds);
    assert_eq!(recalled[0]["expires"], Value::Null);
    assert_eq!(recalled[0]["for"], "internal");
    let (_, listed) = ask(&mut stage, &["brief", "list", "--json"]);
    let of = |kind: &str| {
        listed
            .as_array()
            .unwrap()
            .iter()
            .find(|line| line["kind"] == kind)
            .unwrap()
            .clone()
    };
    assert_eq!(of("brief")["recipients"], serde_json::json!(["day shift"]));
    assert_eq!(of("brief")["for"], "internal");
    assert_eq!(of("draft")["recipients"], serde_json::json!([]));
    assert_eq!(of("draft")["expires"], Value::Null);
    assert_eq!(recalled[0]["brief"], brief["brief"]);
    assert_eq!(recalled[0]["recipients"], serde_json::json!(["day shift"]));
    assert_eq!(recalled[0]["why"], serde_json::json!(["changed"]));
}

#[test]
fn redactions() {
    let mut stage = Stage::new();
    let texts = "{\"id\":7,\"text\":\"Zoë Okonkwo, azra@example.org\"}\n{\"id\":\"x\",\"text\":\"a\\u0000b\"}\n";
    std::fs::write(stage.home().join("texts.jsonl"), texts).unwrap();
    let output = run(&mut stage, &["redact", "--jsonl", "texts.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    fields(&lines[0], &[("id", "count"), ("spans", "list"), ("text", "text")]);
    let spans = serde_json::json!([
        { "start": 0, "end": 11, "type": "PERSON" },
        { "start": 13, "end": 29, "type": "EMAIL" },
    ]);
    assert_eq!((&lines[0]["id"], &lines[0]["spans"]), (&7.into(), &spans));
    fields(&lines[1], &[("id", "text"), ("error", "text")]);
    assert_eq!(lines[1]["id"], "x");
    assert!(lines[1].get("text").is_none());
}

#[test]
fn a_result_stands_alone_on_standard_output() {
    let mut stage = vault();
    let output = run(&mut stage, &["add", "--label", "internal", "Radios."]);
    let id = String::from_utf8(output.stdout).unwrap();
    assert_eq!(id.trim_end().len(), 32);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "recorded as internal\n");
    let output = run(&mut stage, &["show", id.trim_end(), "--json"]);
    assert_eq!(output.stderr, b"");
    let output = run(&mut stage, &["show", "00000000"]);
    assert_eq!(output.stdout, b"");
}

#[test]
fn policies() {
    let mut stage = vault();
    let (code, list) = ask(&mut stage, &["policy", "list", "--json"]);
    assert_eq!(code, 0);
    fields(&list, &[("digest", "digest"), ("files", "list")]);
    fields(&list["files"][0], &[("file", "text"), ("governs", "text")]);
    let (_, shown) = ask(&mut stage, &["policy", "show", "--json"]);
    fields(
        &shown,
        &[
            ("digest", "digest"),
            ("levels", "list"),
            ("purposes", "list"),
            ("rules", "list"),
            ("profiles", "list"),
        ],
    );
    let level = [
        ("level", "text"),
        ("name", "text"),
        ("mark", "text"),
        ("purpose_required", "truth"),
        ("reason_required", "truth"),
        ("second_person_for_release", "truth"),
    ];
    fields(&shown["levels"][3], &level);
    fields(&shown["purposes"][0], &[("code", "text"), ("description", "text")]);
    fields(
        &shown["rules"][0],
        &[("rule", "text"), ("effect", "text"), ("why", "text")],
    );
    fields(
        &shown["profiles"][0],
        &[("profile", "text"), ("lowest", "text"), ("handling", "text")],
    );
    for part in ["levels", "purposes", "rules"] {
        assert_eq!(ask(&mut stage, &["policy", "show", part, "--json"]).1, shown[part]);
    }
    let (_, file) = ask(&mut stage, &["policy", "show", "purposes.toml", "--json"]);
    fields(&file, &[("file", "text"), ("governs", "text"), ("text", "text")]);

    let explain = ["policy", "explain", "read", "--label", "restricted", "--json"];
    let (code, explained) = ask(&mut stage, &explain);
    assert_eq!((code, &explained["decision"]), (0, &"denied".into()));
    let explanation = [
        ("action", "text"),
        ("kind", "text"),
        ("label", "text"),
        ("rules", "list"),
        ("failed", "list"),
        ("ways", "list"),
        ("duties", "list"),
    ];
    fields(&explained, &explanation);
    assert_eq!(explained["ways"][0].as_array().unwrap().len(), 2);
    assert!(explained["offline"].is_null());

    std::fs::create_dir(stage.home().join("policies")).unwrap();
    let (code, checked) = ask(&mut stage, &["policy", "check", "policies", "--json"]);
    assert_eq!((code, &checked["sound"]), (1, &false.into()));
    fields(&checked, &[("faults", "list"), ("cases", "list")]);
    fields(&checked["faults"][0], &[("file", "text"), ("reason", "text")]);
    std::fs::write(stage.home().join("page"), "Ours.").unwrap();
    let edit = ["policy", "edit", "README.md", "--from", "page", "--yes", "--json"];
    let (code, edited) = ask(&mut stage, &edit);
    assert_eq!(code, 0);
    fields(
        &edited,
        &[
            ("changed", "truth"),
            ("digest", "digest"),
            ("entry", "entry"),
            ("files", "object"),
        ],
    );
    assert_eq!(edited["files"]["added"], serde_json::json!(["README.md"]));
    assert_eq!(ask(&mut stage, &edit).1["changed"], false);
}

#[test]
fn pictures_and_what_leaves() {
    let mut stage = vault();
    let (_, added) = ask(&mut stage, &["add", "--json", "--label", "public", "The lamp is out."]);
    let id = added["id"].as_str().unwrap().to_owned();
    // A JPEG with a comment, and nothing else.
    std::fs::write(stage.home().join("lamp.jpg"), b"\xff\xd8\xff\xfe\0\x06lamp\xff\xd9").unwrap();
    assert!(run(&mut stage, &["attach", &id, "lamp.jpg"]).status.success());
    let (_, shown) = ask(&mut stage, &["show", &id, "--json"]);
    let attachment = &shown["attachments"][0];
    fields(
        attachment,
        &[
            ("name", "text"),
            ("digest", "digest"),
            ("size", "count"),
            ("sha256", "digest"),
            ("created", "time"),
            ("picture", "object"),
        ],
    );
    assert_eq!(attachment["picture"]["tells"], serde_json::json!(["a comment"]));
    assert_eq!(attachment["picture"]["whole"], true);
    let why = ["--purpose", "legal", "--why", "asked for", "--json"];
    let pack = ["export", "pack", &id, "--to", "court", "--out", "pack"];
    let (code, packed) = ask(&mut stage, &[&pack[..], &why].concat());
    assert_eq!(code, 0);
    let left = [
        ("out", "text"),
        ("notes", "count"),
        ("attachments", "count"),
        ("pictures", "list"),
    ];
    let sealed = [("sha256", "digest"), ("entry", "entry")];
    fields(&packed, &[&left[..], &sealed].concat());
    fields(
        &packed,
        &[("texts", "count"), ("entries", "count"), ("closed", "count")],
    );
    fields(
        &packed["pictures"][0],
        &[("file", "text"), ("tells", "list"), ("whole", "truth")],
    );
    let clear = [
        "export",
        "notes",
        &id,
        "--to",
        "folder",
        "--in-clear",
        "--out",
        "clear",
        "--yes",
    ];
    let (code, exported) = ask(&mut stage, &[&clear[..], &why].concat());
    assert_eq!(code, 0);
    fields(&exported, &[&left[..], &sealed].concat());
    fields(&exported, &[("revisions_left", "count"), ("encrypted", "truth")]);
    let subject = ["export", "subject", "--person", "lamp", "--to", "them", "--out", "told"];
    let (code, told) = ask(&mut stage, &[&subject[..], &why].concat());
    assert_eq!(code, 0);
    fields(&told, &[&left[..], &sealed].concat());
    let more = ["left_out", "disclosures", "unopened", "closed", "doubtful"].map(|name| (name, "count"));
    fields(&told, &more);
    let import = [
        "import", "clear", "--from", "folder", "--label", "internal", "--yes", "--quiet", "--json",
    ];
    let (code, imported) = ask(&mut stage, &import);
    assert_eq!(code, 0);
    let counts = [
        "new",
        "written",
        "updated",
        "attached",
        "there",
        "labels_left",
        "in_clear",
    ]
    .map(|name| (name, "count"));
    fields(&imported, &counts);
    let lists = ["moved", "changed", "duplicates", "skipped", "columns_left"].map(|name| (name, "list"));
    fields(&imported, &lists);
    fields(&imported, &[("source", "text"), ("from", "text"), ("dry_run", "truth")]);
}

#[test]
fn concerns() {
    let mut stage = vault();
    let request = [
        "member",
        "request",
        "--name",
        "jon",
        "--out",
        "r",
        "--identity",
        "jon.identity",
    ];
    assert!(run(&mut stage, &request).status.success());
    let admit = ["member", "admit", "r", "--clearance", "confidential", "--yes"];
    assert!(run(&mut stage, &admit).status.success());
    assert!(
        run(&mut stage, &["list", "--identity", "jon.identity"])
            .status
            .success()
    );
    let template = run(&mut stage, &["policy", "show", "templates/concern.toml"]).stdout;
    let template = String::from_utf8(template).unwrap();
    let named = template.lines().map(|line| match line.starts_with("handlers = ") {
        true => "handlers = [\"jon\", \"mara\"]\n".to_owned(),
        false => format!("{line}\n"),
    });
    std::fs::write(stage.home().join("concern.toml"), named.collect::<String>()).unwrap();
    let edit = [
        "policy",
        "edit",
        "templates/concern.toml",
        "--from",
        "concern.toml",
        "--yes",
    ];
    assert!(run(&mut stage, &edit).status.success());
    let (code, made) = ask(&mut stage, &["concern", "key", "--out", "key", "--json"]);
    assert_eq!(code, 0);
    fields(&made, &[("words", "text"), ("handlers", "list"), ("entry", "entry")]);
    let (_, checked) = ask(&mut stage, &["concern", "key", "--check", "key", "--json"]);
    let kinds = [
        ("words", "text"),
        ("by", "text"),
        ("changed", "list"),
        ("entry", "entry"),
    ];
    fields(&checked, &kinds);
    std::fs::write(stage.home().join("text"), "The gate log is filled in too early.\n").unwrap();
    let write = [
        "concern", "write", "--key", "key", "--file", "text", "--out", "sealed", "--json",
    ];
    let (_, written) = ask(&mut stage, &write);
    fields(&written, &[("code", "text")]);
    let why = ["--purpose", "duty", "--why", "it came", "--json"];
    let (code, received) = ask(&mut stage, &[&["concern", "receive", "sealed"], &why[..]].concat());
    assert_eq!(code, 0);
    let revised = [
        ("id", "id"),
        ("revision", "count"),
        ("label", "text"),
        ("entry", "entry"),
    ];
    fields(&received, &revised);
    fields(
        &received,
        &[("changed", "truth"), ("again", "truth"), ("words", "text")],
    );
    let id = received["id"].as_str().unwrap();
    let reply = ["concern", "reply", id, "--file", "text", "--out", "answer"];
    let (code, answered) = ask(&mut stage, &[&reply[..], &why].concat());
    assert_eq!(code, 0);
    fields(&answered, &revised);
    let line = format!(
        "echo '{}' | strongroom concern read answer --json",
        written["code"].as_str().unwrap()
    );
    let read = stage.command("sh").args(["-c", &line]).output().unwrap();
    let read: Value = serde_json::from_slice(&read.stdout).unwrap();
    fields(&read, &[("day", "text"), ("text", "text")]);
    let (code, raised) = ask(
        &mut stage,
        &["concern", "write", "--openly", "--file", "text", "--json"],
    );
    assert_eq!(code, 0);
    fields(&raised, &revised);
    fields(&raised, &[("to", "list")]);
}

#[test]
fn witnesses_and_other_copies() {
    let mut stage = vault();
    let init = [
        "audit",
        "witness",
        "init",
        "--name",
        "inspectorate",
        "--key",
        "w",
        "--json",
    ];
    let (code, made) = ask(&mut stage, &init);
    assert_eq!(code, 0);
    fields(&made, &[("witness", "text"), ("key", "text")]);
    let sign = [
        "audit", "witness", "sign", "--key", "w", "--state", "memory", "--out", "cosigned", "--json",
    ];
    let (code, signed) = ask(&mut stage, &sign);
    assert_eq!(code, 0);
    let (code, added) = ask(&mut stage, &["audit", "witness", "add", "cosigned", "--json"]);
    assert_eq!(code, 0);
    for done in [signed, added] {
        fields(&done, &[("witness", "text"), ("logs", "list")]);
        fields(&done["logs"][0], &[("log", "log"), ("size", "count")]);
    }
    let git = stage
        .command("git")
        .args(["init", "-q", "--bare", "-b", "main", "hub.git"])
        .status();
    assert!(git.unwrap().success());
    let (code, guarded) = ask(&mut stage, &["guard", "--install", "hub.git", "--json"]);
    assert_eq!(code, 0);
    fields(&guarded, &[("hook", "text"), ("program", "text"), ("known", "truth")]);
    let hub = stage.home().join("hub.git");
    let hub = hub.to_str().unwrap();
    let (code, added) = ask(&mut stage, &["remote", "add", hub, "--json"]);
    assert_eq!(code, 0);
    fields(&added, &[("name", "text"), ("url", "text")]);
    let (code, synced) = ask(&mut stage, &["sync", "--json"]);
    assert_eq!(code, 0, "{synced}");
    fields(&synced["fetched"], &[("logs", "count"), ("entries", "count")]);
    fields(&synced["pushed"], &[("refs", "count")]);
    fields(
        &synced,
        &[("set_aside", "list"), ("problems", "list"), ("remotes", "list")],
    );
    let lists = ["set_aside", "problems", "held_back", "strays"].map(|name| (name, "list"));
    fields(&synced["remotes"][0], &lists);
    fields(
        &synced["remotes"][0],
        &[("remote", "text"), ("fetched", "object"), ("pushed", "object")],
    );
    let (code, cloned) = ask(&mut stage, &["clone", hub, "--vault", "second", "--json"]);
    assert_eq!(code, 0);
    fields(
        &cloned,
        &[
            ("vault", "id"),
            ("path", "text"),
            ("founder", "digest"),
            ("fingerprint", "text"),
        ],
    );
    let shape = [
        ("known", "truth"),
        ("entries", "count"),
        ("verdict", "text"),
        ("strays", "list"),
    ];
    fields(&cloned, &shape);
    assert!(std::fs::create_dir(stage.home().join("pages")).is_ok());
    let split = [
        "recovery", "split", "--need", "2", "--of", "3", "--out", "pages", "--json",
    ];
    let (code, split) = ask(&mut stage, &split);
    assert_eq!(code, 0);
    fields(
        &split,
        &[
            ("device", "text"),
            ("need", "count"),
            ("pages", "list"),
            ("entry", "entry"),
        ],
    );
    let pages = ["pages/share-1-of-3.txt", "pages/share-3-of-3.txt"];
    let combine = [
        "recovery",
        "combine",
        pages[0],
        pages[1],
        "--identity",
        "again",
        "--json",
    ];
    let (code, back) = ask(&mut stage, &combine);
    assert_eq!(code, 0);
    fields(
        &back,
        &[
            ("vault", "id"),
            ("path", "text"),
            ("identity", "text"),
            ("handle", "text"),
        ],
    );
}
