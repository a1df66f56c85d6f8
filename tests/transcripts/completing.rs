//! What shells offer, and the manual pages: the program as a shell and a formatter see it.

use crate::stage::Stage;
use std::process::Output;

/// bash with the script, and what it would offer for each line, one at a time, in order and without options.
const DRIVER: &str = r#"
source <(strongroom completions bash)
for line in "$@"; do
    COMP_LINE=$line; COMP_POINT=${#line}; COMP_TYPE=9; COMPREPLY=()
    eval "COMP_WORDS=($line)"; [[ $line == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _clap_complete_strongroom strongroom "${COMP_WORDS[COMP_CWORD]}" ''
    printf '%s\n' "${COMPREPLY[@]}" | grep -v '^-' | tr '\n' ' '
    echo
done
"#;

fn run(stage: &mut Stage, args: &[&str]) -> String {
    let output = stage.command("strongroom").args(args).output().unwrap();
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn has(program: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|folder| folder.join(program).exists());
    if !found {
        use std::io::Write;
        let line = format!("transcripts: skipped: `{program}` is not installed here\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    found
}

/// What bash offers for each line; nothing may be said beside it.
fn offered(stage: &mut Stage, lines: &[&str]) -> Vec<String> {
    std::fs::write(stage.home().join("driver"), DRIVER).unwrap();
    let output = stage.command("bash").arg("driver").args(lines).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.trim().to_owned()).collect()
}

/// The same asked by no shell: what is offered for the last of `words`.
fn asked(stage: &mut Stage, shell: &str, words: &[&str]) -> Output {
    let mut command = stage.command("strongroom");
    command.env("COMPLETE", shell).env("STRONGROOM_PASSPHRASE_FILE", "");
    command.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    command.arg("--").args(words).output().unwrap()
}

/// A vault with mara, who leads it, and jon, who is cleared for what is internal.
fn two_members() -> Stage {
    let mut stage = Stage::new();
    run(&mut stage, &["init", "--name", "mara", "-q"]);
    let ask = [
        "member",
        "request",
        "--name",
        "jon",
        "--out",
        "jon.request",
        "--identity",
        "jon.identity",
    ];
    run(&mut stage, &ask);
    run(
        &mut stage,
        &["member", "admit", "jon.request", "--clearance", "internal", "--yes"],
    );
    run(&mut stage, &["list", "--identity", "jon.identity"]);
    stage
}

#[test]
fn bash_offers_what_is_in_clear_and_ids_while_unlocked() {
    if !has("bash") {
        return;
    }
    let mut stage = two_members();
    let note = run(
        &mut stage,
        &["add", "--client", "Halcyon", "Barrier at gate 4 found open."],
    );
    let clear = [
        "strongroom au",
        "strongroom add --label ",
        "strongroom add --label named/@j",
        "strongroom show --purpose h",
        "strongroom member pause ",
        "strongroom add --template inc",
        "strongroom brief draft --profile tlp",
        "strongroom list --sort ",
        "strongroom add --file jon.",
        "strongroom list --client ",
        "strongroom policy explain brief-d",
    ];
    let expected = [
        "audit",
        "public internal confidential restricted named",
        "named/@jon",
        "handover",
        "jon mara",
        "incident incident-review",
        "tlp-amber tlp-green",
        "modified created client title label",
        "jon.identity jon.request",
        "",
        "brief-draft",
    ];
    assert_eq!(offered(&mut stage, &clear), expected);
    assert_eq!(offered(&mut stage, &["strongroom show "]), [""]);
    run(&mut stage, &["unlock"]);
    let beginning = &note[..8];
    let line = format!("strongroom show {}", &note[..3]);
    let entries = run(&mut stage, &["audit", "log", "--json"]).lines().count();
    let seen = offered(
        &mut stage,
        &[
            "strongroom show ",
            &line,
            "strongroom show zz",
            "strongroom brief release ",
        ],
    );
    assert_eq!(seen, [beginning, beginning, "", ""]);
    // It was no entry: what was added is that the log was read.
    let after = run(&mut stage, &["audit", "log", "--json"]).lines().count();
    assert_eq!(after, entries + 1);
    run(&mut stage, &["lock"]);
    assert_eq!(offered(&mut stage, &["strongroom show "]), [""]);
}

#[test]
fn who_may_not_read_a_note_is_offered_what_they_would_be_without_it() {
    let mut stage = two_members();
    run(&mut stage, &["unlock"]);
    run(&mut stage, &["unlock", "--identity", "jon.identity"]);
    let torch = run(&mut stage, &["add", "--label", "internal", "Torch of car 2."]);
    let ask = |stage: &mut Stage, typed: &str| {
        let words = ["strongroom", "--identity", "jon.identity", "show", typed];
        asked(stage, "bash", &words)
    };
    let before = ask(&mut stage, "").stdout;
    assert!(String::from_utf8_lossy(&before).starts_with(&torch[..8]));
    // Above the clearance, for others by name, and barred by what jon has declared.
    let declare = [
        "conflict",
        "declare",
        "--client",
        "Corvid",
        "--identity",
        "jon.identity",
    ];
    run(&mut stage, &declare);
    let above = run(&mut stage, &["add", "--label", "restricted", "For the few."]);
    let named = run(&mut stage, &["add", "--label", "named", "For one."]);
    let barred = run(
        &mut stage,
        &["add", "--label", "internal", "--client", "Corvid", "Not for jon."],
    );
    assert_eq!(ask(&mut stage, "").stdout, before);
    for note in [above, named, barred] {
        assert_eq!(ask(&mut stage, &note).stdout, b"", "{note}");
        let words = ["strongroom", "show", &note];
        assert_eq!(asked(&mut stage, "bash", &words).stdout, note.as_bytes());
    }
    run(&mut stage, &["lock", "--identity", "jon.identity"]);
    run(&mut stage, &["lock"]);
}

#[test]
fn of_many_notes_those_written_last_are_offered_whatever_else_there_is() {
    let mut stage = two_members();
    let folder = stage.home().join("many");
    std::fs::create_dir(&folder).unwrap();
    for n in 0..90 {
        std::fs::write(folder.join(format!("{n}.md")), format!("# Note {n}\n\nText {n}.\n")).unwrap();
    }
    run(&mut stage, &["import", "many", "--label", "internal", "--yes", "-q"]);
    let torch = run(&mut stage, &["add", "--label", "internal", "Torch of car 2."]);
    for identity in [&["--identity", "jon.identity"][..], &[]] {
        run(&mut stage, &[&["unlock"], identity].concat());
    }
    let ask = |stage: &mut Stage, words: &[&str]| {
        let output = asked(stage, "bash", words).stdout;
        let text = String::from_utf8(output).unwrap();
        let ids = text
            .split(['\u{b}', '\n'])
            .map(str::to_owned)
            .filter(|word| !word.starts_with('-'));
        ids.collect::<std::collections::BTreeSet<_>>()
    };
    let jon = ["strongroom", "--identity", "jon.identity", "show", ""];
    let before = ask(&mut stage, &jon);
    assert_eq!(before.len(), 40, "{before:?}");
    assert!(before.contains(&torch[..8]));
    assert_eq!(ask(&mut stage, &["strongroom", "show", ""]), before);
    // What jon may not read takes nobody's place.
    let folder = stage.home().join("closed");
    std::fs::create_dir(&folder).unwrap();
    for n in 0..70 {
        std::fs::write(
            folder.join(format!("{n}.md")),
            format!("# Closed {n}\n\nText {n} for few.\n"),
        )
        .unwrap();
    }
    run(
        &mut stage,
        &["import", "closed", "--label", "confidential", "--yes", "-q"],
    );
    assert_eq!(ask(&mut stage, &jon), before);
    let hers = ask(&mut stage, &["strongroom", "show", ""]);
    assert!(hers.len() == 40 && hers.is_disjoint(&before), "{hers:?}");
    run(&mut stage, &["lock", "--identity", "jon.identity"]);
    run(&mut stage, &["lock"]);
}

#[test]
fn where_something_is_wrong_nothing_is_offered_and_nothing_said() {
    let silent = |output: Output| {
        assert!(output.status.success());
        assert_eq!((output.stdout, output.stderr), (Vec::new(), Vec::new()));
    };
    let mut stage = Stage::new();
    let words = ["strongroom", "member", "pause", "m"];
    silent(asked(&mut stage, "bash", &words));
    run(&mut stage, &["init", "--name", "mara", "-q"]);
    assert_eq!(asked(&mut stage, "bash", &words).stdout, b"mara");
    silent(asked(&mut stage, "zsh", &["strongroom", "show", "a"]));
    let main = stage.home().join(".local/share/strongroom/vault/refs/heads/main");
    std::fs::write(main, "nonsense").unwrap();
    silent(asked(&mut stage, "bash", &words));
    silent(asked(
        &mut stage,
        "fish",
        &["strongroom", "--vault", "/no/such/place", "show", "a"],
    ));
    // Who has such a variable for another reason gets what they asked for.
    let other = stage
        .command("strongroom")
        .env("COMPLETE", "1")
        .arg("--version")
        .output()
        .unwrap();
    assert!(other.stdout.starts_with(b"strongroom "));
}

#[test]
fn a_short_name_is_the_program_and_completes() {
    let mut stage = two_members();
    let driver = "shopt -s expand_aliases\nsource <(strongroom completions bash --short sr)\nsr l --quiet --json\n\
                  complete -p sr | grep -o '_clap_complete_strongroom sr'\n";
    std::fs::write(stage.home().join("driver"), driver).unwrap();
    let output = stage.command("bash").arg("driver").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "[]\n_clap_complete_strongroom sr\n"
    );
    for bad in ["", "S", "a b", "a;b", "1r", "$(x)", "abcdefghijklmnopq", "if"] {
        let refused = stage
            .command("strongroom")
            .args(["completions", "zsh", "--short", bad])
            .output()
            .unwrap();
        assert_eq!(refused.status.code(), Some(2), "{bad}");
        assert!(refused.stdout.is_empty());
    }
}

#[test]
fn zsh_and_fish_take_their_scripts() {
    let mut stage = Stage::new();
    for shell in ["zsh", "fish"] {
        let script = run(&mut stage, &["completions", shell]);
        assert!(
            script.contains(&format!("COMPLETE={shell}")) || script.contains(&format!("COMPLETE=\"{shell}\"")),
            "{script}"
        );
        if has(shell) {
            std::fs::write(stage.home().join("script"), script).unwrap();
            let output = stage.command(shell).args(["-n", "script"]).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    if has("fish") {
        let line = "source script; complete -C 'strongroom au'";
        let output = stage.command("fish").args(["-c", line]).output().unwrap();
        assert!(output.stdout.starts_with(b"audit"), "{output:?}");
    }
}

#[test]
fn the_manual_pages_are_formatted_without_a_warning() {
    let mut stage = Stage::new();
    run(&mut stage, &["man", "--out", "pages"]);
    let main = std::fs::read_to_string(stage.home().join("pages/strongroom.1")).unwrap();
    assert_eq!(run(&mut stage, &["man"]), main.trim());
    if has("groff") {
        let line = "for page in pages/*; do groff -man -ww -z -Tutf8 $page || exit; done";
        let output = stage.command("/bin/sh").args(["-c", line]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(output.status.success());
    }
    if has("man") {
        let output = stage
            .command("man")
            .args(["-P", "cat", "-l", "pages/strongroom-add.1"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        for part in [
            "EXAMPLES",
            "journalctl -n 20 | strongroom add",
            "EXIT STATUS",
            "strongroom(1)",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn colour_width_and_time_zone_are_as_they_are_asked_for() {
    let mut stage = Stage::new();
    run(&mut stage, &["init", "--name", "mara", "-q"]);
    let title = "A title that is as long as a title may well be when somebody is in a hurry at the gate";
    let note = run(&mut stage, &["add", "--label", "internal", title]);
    let mut seen = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = stage.command("strongroom");
        let output = command.args(args).envs(variables.iter().copied()).output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let colour = |text: &str| text.contains('\u{1b}');
    let error = ["show", "00000000"];
    let force = ("CLICOLOR_FORCE", "1");
    assert!(!colour(&seen(&error, &[])));
    assert!(colour(&seen(&error, &[force])));
    assert!(!colour(&seen(&error, &[force, ("NO_COLOR", "1")])));
    // What is a result is never coloured.
    for args in [
        ["list"].as_slice(),
        &["audit", "log"],
        &["list", "--json"],
        &["policy", "show"],
    ] {
        assert!(!colour(&seen(args, &[force])), "{args:?}");
    }
    let widest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest(&seen(&["list"], &[])) > 100);
    assert!(widest(&seen(&["list"], &[("COLUMNS", "60")])) <= 60);
    // What is for programs and what is evidence stays in UTC; a person sees where they are.
    let kolkata = [("TZ", "Asia/Kolkata"), ("LC_ALL", "de_DE.UTF-8")];
    for args in [["list", "--json"].as_slice(), &["audit", "log", "--json"]] {
        let (elsewhere, here) = (seen(args, &kolkata), seen(args, &[]));
        // The log grows by looking at it.
        let first = |text: &str| text.lines().take(2).collect::<Vec<_>>().join("\n");
        assert_eq!(first(&elsewhere), first(&here), "{args:?}");
        assert!(elsewhere.contains("2026-11-21T09:31:00Z"), "{elsewhere}");
    }
    assert!(seen(&["audit", "log"], &kolkata).contains("2026-11-21T09:31:00Z"));
    assert!(seen(&["show", &note], &kolkata).contains("written 2026-11-21T15:01:00+05:30 by mara"));
    assert!(seen(&["show", &note], &[]).contains("written 2026-11-21T09:31:00Z by mara"));
}

#[test]
fn the_persons_own_defaults_are_kept_and_a_bad_line_stops_everything() {
    let mut stage = Stage::new();
    let folder = stage.home().join(".config/strongroom");
    std::fs::create_dir_all(&folder).unwrap();
    let text = "vault = \"~/mine\"\nclient = \"Halcyon\"\nlabel = \"internal\"\ncolour = \"always\"\n";
    std::fs::write(folder.join("config.toml"), text).unwrap();
    run(&mut stage, &["init", "--name", "mara", "-q"]);
    assert!(stage.home().join("mine/HEAD").exists());
    let note = run(&mut stage, &["add", "Torch."]);
    // An agent carries it out the same.
    run(&mut stage, &["unlock"]);
    let other = run(&mut stage, &["add", "--label", "public", "Lamp."]);
    for (note, label) in [(note, "internal"), (other, "public")] {
        let shown = run(&mut stage, &["show", &note]);
        assert!(
            shown.contains("client Halcyon") && shown.contains(&format!("\n{label} ")),
            "{shown}"
        );
    }
    run(&mut stage, &["lock"]);
    let status = run(&mut stage, &["status", "-v"]);
    for line in ["config    ", "Halcyon", "unlock      15m", "default"] {
        assert!(status.contains(line), "{status}");
    }
    // What offers look for is where the file says.
    assert_eq!(
        asked(&mut stage, "bash", &["strongroom", "member", "pause", ""]).stdout[..4],
        *b"mara"
    );
    let show = |stage: &mut Stage, name: &str| {
        let output = stage
            .command("strongroom")
            .args(["show", "00000000"])
            .env(name, "1")
            .output()
            .unwrap();
        output.stderr.contains(&0x1b)
    };
    assert!(show(&mut stage, "UNRELATED"));
    assert!(!show(&mut stage, "NO_COLOR"));
    std::fs::write(folder.join("config.toml"), format!("{text}pasphrase = \"x\"\n")).unwrap();
    let output = stage.command("strongroom").args(["list"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("config.toml`, line 5: there is no key `pasphrase`"),
        "{said}"
    );
    let output = asked(&mut stage, "bash", &["strongroom", "member", "pause", ""]);
    assert_eq!((output.status.success(), output.stderr), (true, Vec::new()));
    run(&mut stage, &["completions", "bash"]);
}
