//! Runs the stories in `tests/transcripts/*.md` and the pages of the guide, `docs/guide/*.md`: what a person types, and
//! what they see.
//!
//! Each story is a Markdown page with a throw-away home of its own. In its `console` blocks a line that begins with
//! `$ ` is given to `sh` (lines with `> ` continue it), the lines below it are what standard output and standard
//! error show, interleaved as on a terminal, and a last line `(exit N)` tells an exit code other than 0. Shell
//! variables live until the page ends. `tests/transcripts/README.md` says what stands in the place of ids.
//!
//! `TRANSCRIPTS=write cargo test --test transcripts` writes what is seen now into the pages. Read the difference as
//! prose before it is committed.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "transcripts/completing.rs"]
mod completing;
#[path = "transcripts/json.rs"]
mod json;
#[path = "transcripts/paths.rs"]
mod paths;
#[path = "transcripts/stage.rs"]
mod stage;
#[path = "transcripts/terminal.rs"]
mod terminal;

use stage::Stage;
use std::fmt::Write;
use std::path::{Path, PathBuf};

macro_rules! stories {
    ($folder:literal: $($name:ident),+ $(,)?) => {
        $(#[test]
        fn $name() {
            crate::tell($folder, stringify!($name));
        })+

        #[test]
        fn every_page_is_a_story_that_runs() {
            let run = [$(stringify!($name)),+];
            let mut pages: Vec<String> = std::fs::read_dir(crate::folder($folder))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|ext| ext == "md"))
                .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
                .filter(|name| name != "README")
                .collect();
            pages.sort();
            let mut run: Vec<String> = run.map(str::to_owned).into();
            run.sort();
            assert_eq!(pages, run);
        }
    };
}

stories! {
    "tests/transcripts":
    first_vault,
    exit_codes,
    labels,
    writing,
    history,
    relabelling,
    destroying,
    backup,
    searching,
    briefs,
    called,
    redaction,
    audit,
    proofs,
    packs,
    witnesses,
    recovery,
    shares,
    policies,
    policy_for_people,
    renamed_levels,
    init_refusals,
    identity_errors,
    stock_git,
    unlocking,
    help,
    attachments,
    two_clones,
    answers,
    doctor,
    reports,
    joining,
    field_note,
    incident,
    barred,
    heads_bar,
    not_second,
    records,
    times,
    decision,
    handover,
    friday,
    leaving,
    second_person,
    holds,
    retention,
    emergency,
    review,
    lost,
    guard,
    concerns,
    import,
    export_notes,
    offline,
    slips,
}

/// The guide: what it says is done is done here, so that it cannot grow stale.
mod guide {
    stories! {
        "docs/guide":
        officer,
        colleague,
        auditor,
        lead,
        wrong,
        casework,
        json,
        config,
    }

    #[test]
    fn every_link_of_the_documents_leads_somewhere() {
        let link = regex::Regex::new(r"\]\(([^)#:]+)(?:#([^)]*))?\)").unwrap();
        for folder in ["", "docs", "docs/guide", "policies"].map(crate::folder) {
            let pages = std::fs::read_dir(&folder).unwrap().map(|page| page.unwrap().path());
            for path in pages.filter(|path| path.extension().is_some_and(|ext| ext == "md")) {
                for found in link.captures_iter(&std::fs::read_to_string(&path).unwrap()) {
                    let to = folder.join(&found[1]);
                    assert!(to.exists(), "{}: {}", path.display(), &found[0]);
                    let Some(heading) = found.get(2) else { continue };
                    let text = std::fs::read_to_string(&to).unwrap();
                    let mut headings = text.lines().filter(|line| line.starts_with('#'));
                    let anchor = |line: &str| {
                        let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                        words
                            .chars()
                            .filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_')
                            .collect::<String>()
                    };
                    assert!(
                        headings.any(|line| anchor(line) == heading.as_str()),
                        "{}: {}",
                        path.display(),
                        &found[0]
                    );
                }
            }
        }
    }

    /// What is no `console` block is not run, so a command stands in one.
    #[test]
    fn no_command_stands_where_none_is_run() {
        for page in std::fs::read_dir(crate::folder("docs/guide")).unwrap() {
            let path = page.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let other = text
                .lines()
                .find(|line| ["```sh", "```bash", "```shell"].contains(line));
            assert_eq!(other, None, "{}", path.display());
        }
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Runs a page and compares it with what was seen.
fn tell(folder_name: &str, name: &str) {
    let path = folder(folder_name).join(format!("{name}.md"));
    let page = std::fs::read_to_string(&path).unwrap();
    let seen = perform(&page);
    if std::env::var("TRANSCRIPTS").is_ok_and(|word| word == "write") {
        std::fs::write(&path, &seen).unwrap();
        return;
    }
    if let Some((number, (told, seen))) = page
        .lines()
        .chain(std::iter::repeat(""))
        .zip(seen.lines().chain(std::iter::repeat("")))
        .take(page.lines().count().max(seen.lines().count()))
        .enumerate()
        .find(|(_, (told, seen))| told != seen)
    {
        panic!(
            "{name}.md, line {}:\n  the page says: {told}\n  this was seen: {seen}\n\nall that was seen:\n{}",
            number + 1,
            perform(&page)
        );
    }
}

/// The page with the output that its commands give now.
fn perform(page: &str) -> String {
    let mut stage = Stage::new();
    let mut seen = String::new();
    let mut lines = page.lines().peekable();
    let mut inside = false;
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            inside = !inside && line == "```console";
            writeln!(seen, "{line}").unwrap();
        } else if !inside {
            writeln!(seen, "{line}").unwrap();
        } else if let Some(first) = line.strip_prefix("$ ") {
            writeln!(seen, "{line}").unwrap();
            let mut command = first.to_owned();
            while let Some(more) = lines.peek().and_then(|line| line.strip_prefix('>')) {
                writeln!(seen, "{}", lines.peek().unwrap()).unwrap();
                command.push('\n');
                command.push_str(more.strip_prefix(' ').unwrap_or(more));
                lines.next();
            }
            let shown = stage.run(&command);
            assert!(
                !shown
                    .lines()
                    .any(|line| line.starts_with("$ ") || line.starts_with("```") || line.starts_with('>')),
                "this output cannot stand in a page:\n{shown}"
            );
            seen.push_str(&shown);
        }
        // Other lines inside are what was seen before; what is seen now stands already.
    }
    seen
}

#[test]
fn a_page_that_tells_something_else_is_noticed() {
    let page =
        "# Words\n\n```console\n$ echo a; echo b >&2; false\nwrong\n$ x=1\n$ cat <<END\n> $x\n> END\n```\n\nEnd.\n";
    let seen = "# Words\n\n```console\n$ echo a; echo b >&2; false\na\nb\n(exit 1)\n$ x=1\n$ cat <<END\n> $x\n> END\n1\n```\n\nEnd.\n";
    assert_eq!(perform(page), seen);
    assert_eq!(perform(seen), seen);
}
