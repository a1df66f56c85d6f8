//! Real editors, set up by their owner to leave as much as they can: nothing of a note is found anywhere afterwards,
//! also when the editor was killed. Without strongroom the same keys leave traces, so that the search is known to find.

use crate::canary::{found, spellings};
use crate::house::{House, Ran, has, say};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// An editor: its command, the settings of somebody who wants everything kept, and keys.
struct Editor {
    command: &'static str,
    /// Path below the home, content.
    settings: &'static [(&'static str, &'static str)],
    /// Puts the words in, copies and looks for them, and saves. `WORDS` stands for them.
    write: &'static [&'static str],
    /// More words, not saved.
    more: &'static [&'static str],
    quit: &'static [&'static str],
}

const VIMRC: &str = "set backup backupdir=~/left// undofile undodir=~/left swapfile directory=~/left updatecount=1\n\
                     set writebackup updatetime=100\n";
const VIM_WRITE: &[&str] = &[
    "ggOWORDS", "Escape", "yyp", ":w", "Enter", "dd:w", "Enter", "/WORDS", "Enter", "p:w", "Enter",
];

const EDITORS: [Editor; 4] = [
    Editor {
        command: "vim",
        settings: &[(".vimrc", VIMRC)],
        write: VIM_WRITE,
        more: &["oWORDS", "Escape", "yy"],
        quit: &[":q", "Enter"],
    },
    Editor {
        command: "nvim",
        settings: &[("config/nvim/init.vim", VIMRC)],
        write: VIM_WRITE,
        more: &["oWORDS", "Escape", "yy"],
        quit: &[":q", "Enter"],
    },
    Editor {
        command: "nano",
        settings: &[(
            ".nanorc",
            "set backup\nset backupdir \"~/left\"\nset historylog\nset positionlog\nset locking\n",
        )],
        write: &["WORDS", "Enter", "C-w", "WORDS", "Enter", "C-o", "Enter"],
        more: &["WORDS"],
        quit: &["C-x"],
    },
    Editor {
        command: "emacs -nw",
        settings: &[(
            ".emacs.d/init.el",
            "(setq make-backup-files t backup-directory-alist '((\".*\" . \"~/left\")) backup-by-copying t\n\
             auto-save-default t auto-save-interval 20 auto-save-timeout 1\n\
             auto-save-file-name-transforms '((\".*\" \"~/left/\" t))\n\
             savehist-additional-variables '(kill-ring search-ring))\n\
             (savehist-mode 1)\n",
        )],
        write: &[
            "WORDS", "Enter", "C-s", "WORDS", "Enter", "C-a", "C-k", "C-y", "C-x", "C-s",
        ],
        more: &["WORDS WORDS WORDS"],
        quit: &["C-x", "C-c"],
    },
];

/// A terminal that a test types at.
pub(crate) struct Terminal<'a> {
    house: &'a House,
}

impl<'a> Terminal<'a> {
    /// Runs a line of shell in it; its exit code comes to stand in `ended`.
    pub(crate) fn run(house: &'a House, line: &str) -> Self {
        let script = house.root().join("line.sh");
        std::fs::write(&script, format!("{line}\necho $? > \"$HOME/ended\"\n")).unwrap();
        let _ = std::fs::remove_file(house.root().join("ended"));
        let terminal = Self { house };
        let command = format!("exec sh {}", script.display());
        let begin = ["new-session", "-d", "-x", "100", "-y", "30", &command];
        // On a busy machine a server that has just begun is sometimes gone again.
        if terminal.tmux(&begin).code != Some(0) {
            terminal.tmux(&begin).expect(0);
        }
        terminal
    }

    pub(crate) fn tmux(&self, args: &[&str]) -> Ran {
        let mut tmux = self.house.program("tmux");
        tmux.args(["-L", "editors", "-f", "/dev/null"]).args(args);
        tmux.env("TMUX_TMPDIR", self.house.root().join("run"))
            .env("LC_ALL", "C.UTF-8");
        tmux.output().unwrap().into()
    }

    pub(crate) fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"]).out
    }

    /// Waits until the screen shows `what`.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str) {
        let begun = Instant::now();
        while !self.screen().contains(what) {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "no `{what}` on\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Types; names of keys such as `Enter` stand alone.
    pub(crate) fn keys(&self, keys: &[&str], words: &str) {
        for key in keys {
            self.tmux(&["send-keys", &key.replace("WORDS", words)]).expect(0);
            // As people type: an editor takes an escape and a letter that come together for another key.
            std::thread::sleep(Duration::from_millis(150));
        }
    }

    /// How the line ended.
    #[track_caller]
    pub(crate) fn end(&self) -> i32 {
        let ended = self.house.root().join("ended");
        let begun = Instant::now();
        loop {
            let code = std::fs::read_to_string(&ended).ok();
            if let Some(code) = code.and_then(|code| code.trim().parse().ok()) {
                return code;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "it goes on:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

/// The processes of this home that have a buffer open, other than shells.
fn editors_of(house: &House) -> Vec<i32> {
    let home = format!("HOME={}", house.root().display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else {
            continue;
        };
        let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let has = |bytes: Vec<u8>, what: &str| memchr::memmem::find(&bytes, what.as_bytes()).is_some();
        let is_shell = ["sh\n", "dash\n", "bash\n"]
            .iter()
            .any(|name| read("comm") == name.as_bytes());
        if !is_shell && has(read("environ"), &home) && has(read("cmdline"), "note.txt") {
            found.push(pid);
        }
    }
    found
}

/// Files outside the home that were written since `begun` and hold one of `words`.
pub(crate) fn elsewhere(words: &[&str], begun: SystemTime) -> BTreeSet<PathBuf> {
    let needles: Vec<Vec<u8>> = words.iter().flat_map(|word| spellings(word)).collect();
    let mut hits = BTreeSet::new();
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let places = ["/tmp", "/var/tmp", "/dev/shm", "/run"].map(PathBuf::from);
    for place in places.into_iter().chain(home) {
        search(&place, &needles, begun, 4, &mut hits);
    }
    hits
}

fn search(folder: &Path, needles: &[Vec<u8>], begun: SystemTime, depth: usize, hits: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(metadata) = entry.path().symlink_metadata() else {
            continue;
        };
        if metadata.is_dir() && depth > 0 {
            search(&entry.path(), needles, begun, depth - 1, hits);
        }
        let fresh = metadata.modified().is_ok_and(|modified| modified >= begun);
        if metadata.is_file() && fresh && metadata.len() < 16 << 20 {
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            if needles
                .iter()
                .any(|needle| memchr::memmem::find(&bytes, needle).is_some())
            {
                hits.insert(entry.path());
            }
        }
    }
}

fn home(editor: &Editor) -> House {
    let mut house = House::empty();
    for folder in ["left", "data"] {
        std::fs::create_dir(house.root().join(folder)).unwrap();
    }
    for (path, content) in editor.settings {
        let path = house.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    house.set("VISUAL", editor.command);
    house
}

/// Words that nobody else writes in this run.
pub(crate) fn words(stem: &str) -> String {
    format!("{stem}{:08x}", std::process::id().wrapping_mul(2_654_435_761))
}

#[test]
fn no_trace_is_left_by_real_editors_also_killed_ones() {
    let begun = SystemTime::now();
    let (before, written, unsaved) = (words("Echidna"), words("Caracal"), words("Dunnart"));
    let all = [before.as_str(), written.as_str(), unsaved.as_str()];
    if !has("tmux") {
        return;
    }
    for editor in &EDITORS {
        let name = editor.command.split(' ').next().unwrap();
        if !has(name) {
            continue;
        }
        // Without strongroom, to know that these settings and keys leave something.
        let bare = home(editor);
        let memory = tempfile::tempdir_in("/dev/shm").unwrap();
        let file = memory.path().join("note.txt");
        std::fs::write(&file, format!("{before}\n")).unwrap();
        let terminal = Terminal::run(&bare, &format!("{} {}", editor.command, file.display()));
        terminal.wait_for("note.txt");
        terminal.keys(editor.write, &written);
        terminal.keys(editor.quit, &written);
        terminal.end();
        drop(terminal);
        assert!(!found(&bare, &all).is_empty(), "{name} leaves nothing here by itself");
        drop((bare, memory));

        let house = home(editor);
        house.init();
        let outside = tempfile::tempdir_in("/dev/shm").unwrap();
        let text = outside.path().join("text");
        std::fs::write(&text, format!("{before}\n")).unwrap();
        let add = [
            "add",
            "--label",
            "internal",
            "--title",
            "x",
            "--file",
            text.to_str().unwrap(),
        ];
        let id = house.run(&add).expect(0).trim().to_owned();
        drop(outside);
        let program = env!("CARGO_BIN_EXE_strongroom");
        let line = format!("{program} edit {id}");

        let terminal = Terminal::run(&house, &line);
        terminal.wait_for("note.txt");
        terminal.keys(editor.write, &written);
        terminal.keys(editor.quit, &written);
        assert_eq!(terminal.end(), 0, "{name}: {}", terminal.screen());
        drop(terminal);
        let shown = house.show(&id).expect(0);
        assert!(shown.contains(&before) && shown.contains(&written), "{name}: {shown}");
        assert_eq!(found(&house, &all), [], "{name}");

        // Killed with something saved and something not.
        let terminal = Terminal::run(&house, &format!("{program} add --label internal 2> \"$HOME/said\""));
        terminal.wait_for("note.txt");
        terminal.keys(editor.write, &written);
        terminal.keys(editor.more, &unsaved);
        let pids = editors_of(&house);
        assert!(!pids.is_empty(), "{name} is not found among the processes");
        for pid in pids {
            let _ = std::process::Command::new("kill")
                .args(["-9", &pid.to_string()])
                .status();
        }
        assert_eq!(terminal.end(), 1, "{name}: {}", terminal.screen());
        drop(terminal);
        let said = std::fs::read_to_string(house.root().join("said")).unwrap();
        assert!(said.contains("is kept, sealed"), "{name}: {said}");
        assert_eq!(found(&house, &all), [], "{name}, killed");
        assert_eq!(elsewhere(&all, begun), BTreeSet::new(), "{name}");
        let mut go_on = house.program(program);
        go_on.args(["add", "--continue"]).env("VISUAL", "true");
        let id = Ran::from(go_on.output().unwrap()).expect(0);
        assert!(house.show(id.trim()).expect(0).contains(&written), "{name}");
        house.intact();
        say(format_args!("{name} left no trace, nor did it when it was killed"));
    }
}

#[test]
fn nothing_in_a_note_steers_an_editor_whose_settings_let_it() {
    let wishes = [
        "set modeline\n",
        // As nearly every one begins.
        "autocmd!\nset modeline\n",
        "augroup mine\nautocmd!\nautocmd BufReadPre,BufRead * setlocal modeline\naugroup END\nset modeline\n",
        "autocmd!\nautocmd BufRead,BufEnter * set modeline modelines=5\n",
    ];
    for (editor, settings) in [("vim", ".vimrc"), ("nvim", "config/nvim/init.vim")] {
        if !has(editor) {
            continue;
        }
        let mut house = House::empty();
        let settings = house.root().join(settings);
        std::fs::create_dir_all(settings.parent().unwrap()).unwrap();
        let text = house.root().join("text");
        std::fs::write(&text, "The gate is shut.\nvim: set textwidth=7:\n").unwrap();
        let command = format!("{editor} -s /dev/null -c \"call writefile([&textwidth], \\$HOME . '/width')\" -c qa!");
        let width = |house: &House, line: &str| {
            let mut sh = house.program("sh");
            let ran = Ran::from(sh.args(["-c", line]).output().unwrap());
            let place = house.root().join("width");
            let width = std::fs::read_to_string(&place).unwrap_or_else(|_| panic!("{editor}: {ran:?}"));
            std::fs::remove_file(place).unwrap();
            width.trim().to_owned()
        };
        house.set("VISUAL", &command);
        house.init();
        let add = [
            "add",
            "--label",
            "internal",
            "--title",
            "x",
            "--file",
            text.to_str().unwrap(),
        ];
        let id = house.run(&add).expect(0).trim().to_owned();
        let line = format!("{} edit --editor {id}", env!("CARGO_BIN_EXE_strongroom"));
        for wish in wishes {
            std::fs::write(&settings, wish).unwrap();
            // Without strongroom it does what the line says.
            let own = width(&house, &format!("{command} {}", text.display()));
            assert_eq!(
                (own.as_str(), width(&house, &line).as_str()),
                ("7", "0"),
                "{editor}: {wish}"
            );
        }
    }
}
