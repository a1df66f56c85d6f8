//! A throw-away home, a clock that is moved by hand, and nothing of the environment the tests run in.

use regex::{Captures, Regex};
use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The passphrase of everybody in the stories.
pub(crate) const PASSPHRASE: &str = "orchid tractor velvet magnet";
/// 2026-11-21T09:30:00Z. Every command comes a minute after the one before it.
const BEGIN: i64 = 1_795_253_400;

/// Where a story happens.
pub(crate) struct Stage {
    root: TempDir,
    minute: i64,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("home")).unwrap();
        std::fs::create_dir(root.path().join("run")).unwrap();
        std::fs::write(root.path().join("variables"), "").unwrap();
        std::fs::write(root.path().join("home/passphrase"), format!("{PASSPHRASE}\n")).unwrap();
        Self { root, minute: 0 }
    }

    /// The home folder, where commands run.
    pub(crate) fn home(&self) -> PathBuf {
        self.root.path().canonicalize().unwrap().join("home")
    }

    fn variables(&self) -> PathBuf {
        self.root.path().join("variables")
    }

    /// A command in this story's environment.
    pub(crate) fn command(&mut self, program: impl AsRef<Path>) -> Command {
        let home = self.home();
        let bin = Path::new(env!("CARGO_BIN_EXE_strongroom")).parent().unwrap();
        let path = std::env::var("PATH").unwrap_or_default();
        let time = strongroom::chain::Time::from_unix(BEGIN + 60 * self.minute);
        self.minute += 1;
        let mut command = Command::new(program.as_ref());
        command
            .current_dir(&home)
            .env_clear()
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("HOME", &home)
            .env("XDG_RUNTIME_DIR", self.root.path().join("run"))
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("STRONGROOM_PASSPHRASE_FILE", home.join("passphrase"))
            .env("STRONGROOM_TEST_CLOCK", time.to_string())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command of a page; gives what a terminal would show and the exit code, made the same at each run.
    pub(crate) fn run(&mut self, command: &str) -> String {
        let variables = self.variables();
        // The clock is the stage's: what is exported of it must not outlive the command.
        let script = format!(
            "now=$STRONGROOM_TEST_CLOCK; set -a; . '{0}'; STRONGROOM_TEST_CLOCK=$now; unset now\n{command}\n\
             code=$?\nexport -p > '{0}'\nexit $code",
            variables.display()
        );
        let mut seen = tempfile::tempfile_in(self.root.path()).unwrap();
        let status = self
            .command("/bin/sh")
            .args(["-c", &script])
            .stdout(seen.try_clone().unwrap())
            .stderr(seen.try_clone().unwrap())
            .status()
            .unwrap();
        let mut bytes = Vec::new();
        seen.seek(SeekFrom::Start(0)).unwrap();
        seen.read_to_end(&mut bytes).unwrap();
        let mut text = self.plain(&String::from_utf8(bytes).expect("what is shown is UTF-8"));
        match status.code() {
            Some(0) => {}
            Some(code) => text.push_str(&format!("(exit {code})\n")),
            None => text.push_str("(killed)\n"),
        }
        text
    }

    /// The text with everything random or local replaced by a name.
    fn plain(&self, text: &str) -> String {
        let text = text
            .replace(&*self.home().to_string_lossy(), "~")
            .replace(&*self.root.path().join("home").to_string_lossy(), "~");
        let names = self.names();
        let name = |id: &str| {
            let name = names.get(&id[..8]).map_or("ID", String::as_str);
            format!("[{}]", name.to_uppercase())
        };
        let mut text = text;
        for (pattern, word) in [
            (r"\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}", "+[ID]+[KEY]"),
            (r"(?m)^extra [A-Za-z0-9+/]+=*$", "extra [LINE]"),
            (r"\b([A-Z]{1,8})-[0-9]{8}-[0-9a-f]{4}\b", "$1-[NUMBER]"),
            (r"\b[0-9a-f]{16}-[0-9a-f]{8}\b", "[LOG]"),
            (r"\b[0-9a-f]{64}\b", "[DIGEST]"),
            (r"\b[0-9a-f]{40}\b", "[COMMIT]"),
            (r"\b[0-9a-f]{16}\b", "[ID]"),
            (r"\b(notes|keys)/[0-9a-f]{2}\b", "$1/[XX]"),
            (r"SHA256:[A-Za-z0-9+/]{43}", "SHA256:[KEY]"),
            (r"(?m)^[A-Za-z0-9+/]{43}=$", "[ROOT]"),
            (r"(?m)^(— .*) [A-Za-z0-9+/]{80,}=*$", "$1 [SIGNATURE]"),
            (r"\b[A-Z]{1,8}-[0-9]{8}-[0-9a-f]{4}\b", "[NUMBER]"),
            (r"\bstrongroom-recovery-1[a-z0-9]+\b", "[KEY]"),
        ] {
            text = Regex::new(pattern).unwrap().replace_all(&text, word).into_owned();
        }
        let list = bip39::Language::English.word_list();
        let words = Regex::new(r"\b[a-z]+(?: [a-z]+){11}\b|\b[a-z]+(?: [a-z]+){7}\b").unwrap();
        let text = words.replace_all(&text, |found: &Captures<'_>| {
            match found[0].split(' ').all(|word| list.contains(&word)) {
                true => "[WORDS]".to_owned(),
                false => found[0].to_owned(),
            }
        });
        let ids = Regex::new(r"\b[0-9a-f]{32}\b").unwrap();
        let text = ids
            .replace_all(&text, |found: &Captures<'_>| name(&found[0]))
            .into_owned();
        // A column of shortened ids stays a column; the rows of a table begin with a space.
        let short = Regex::new(r"\b[0-9a-f]{8}\b").unwrap();
        let several = Regex::new(r"\[[A-Z]+\](?: +\[[A-Z]+\])+ *").unwrap();
        let shortened = |line: &str| {
            let width = if line.starts_with(' ') { 8 } else { 0 };
            let named = |found: &Captures<'_>| match &found[0] {
                "00000000" | "ffffffff" => found[0].to_owned(),
                id => format!("{:width$}", name(id)),
            };
            let line = short.replace_all(line, named);
            // The order of ids is as random as they are.
            let sorted = |found: &Captures<'_>| {
                let mut names: Vec<&str> = found[0]
                    .split_inclusive(']')
                    .map(str::trim)
                    .filter(|name| !name.is_empty())
                    .collect();
                names.sort_unstable();
                let names: Vec<String> = names.iter().map(|name| format!("{name:8}")).collect();
                // As wide as it was, so that the next column stays where it is.
                format!("{:1$}", names.join(" "), found[0].len())
            };
            let line = match line.starts_with(' ') {
                true => several.replace_all(&line, sorted),
                false => line,
            };
            line.trim_end().to_owned()
        };
        let mut lines: Vec<String> = text.lines().map(shortened).collect();
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The shell variables that hold ids, by the id's beginning.
    fn names(&self) -> BTreeMap<String, String> {
        let variable = Regex::new(r#"(?m)^(?:export|declare -x) ([a-z]+)=['"]?([0-9a-f]{32})['"]?$"#).unwrap();
        let text = std::fs::read_to_string(self.variables()).unwrap();
        let found = variable.captures_iter(&text);
        found
            .map(|found| (found[2][..8].to_owned(), found[1].to_owned()))
            .collect()
    }
}
