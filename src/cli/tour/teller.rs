//! How the tour is told: what is typed, what comes out, and whether that is as it should be.

use super::super::out;
pub(super) use crate::app::shell_word as quoted;
use crate::app::tour::{Ran, Stage};
use crate::app::{Error, Kind};
use anstyle::Style;
use std::io::{IsTerminal, Write};

/// The most columns that a line takes.
const WIDTH: usize = 98;
/// How far output is set in.
const INDENT: &str = "    ";
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// What a command must lead to.
#[derive(Clone, Copy)]
pub(super) struct Expect<'a> {
    code: i32,
    words: &'a [&'a str],
    never: &'a [&'a str],
    lines: Lines,
}

/// How much of an output is shown.
#[derive(Clone, Copy)]
pub(super) enum Lines {
    All,
    First(usize),
    Last(usize),
    FirstAndLast(usize, usize),
}

/// Exit code 0.
pub(super) const DONE: Expect<'static> = Expect {
    code: 0,
    words: &[],
    never: &[],
    lines: Lines::All,
};

/// Exit code 3, with these words.
pub(super) fn denied<'a>(words: &'a [&'a str]) -> Expect<'a> {
    DONE.ending(3).saying(words)
}

impl<'a> Expect<'a> {
    pub(super) fn ending(self, code: i32) -> Self {
        Self { code, ..self }
    }

    pub(super) fn saying(self, words: &'a [&'a str]) -> Self {
        Self { words, ..self }
    }

    pub(super) fn never(self, never: &'a [&'a str]) -> Self {
        Self { never, ..self }
    }

    pub(super) fn cut(self, lines: Lines) -> Self {
        Self { lines, ..self }
    }
}

/// Tells the tour on its stage.
pub(super) struct Teller {
    pub(super) stage: Stage,
    /// How many commands were run.
    pub(super) commands: usize,
}

impl Teller {
    pub(super) fn new() -> Result<Self, Error> {
        let stage = Stage::set_up(WIDTH - INDENT.len())?;
        Ok(Self { stage, commands: 0 })
    }

    /// The stage, to be struck, and how to say a last word.
    pub(super) fn end(self) -> (Stage, fn(&str)) {
        (self.stage, line)
    }

    pub(super) fn title(&self, text: &str) {
        line(&format!("{BOLD}{text}{BOLD:#}"));
    }

    pub(super) fn heading(&self, text: &str) {
        line(&format!("\n{BOLD}{text}{BOLD:#}"));
    }

    /// A sentence of the story.
    pub(super) fn say(&self, text: &str) {
        wrapped(text, WIDTH, "").iter().for_each(|text| line(text));
    }

    /// Runs a command, written as one would type it after `strongroom`; shows it and what it says; checks that.
    pub(super) fn step(&mut self, command: &str, expect: &Expect<'_>) -> Result<Ran, Error> {
        self.step_with(&[], command, expect)
    }

    /// The same with variables that name files or folders on the stage.
    pub(super) fn step_with(
        &mut self,
        more: &[(&str, &str)],
        command: &str,
        expect: &Expect<'_>,
    ) -> Result<Ran, Error> {
        let variables: String = more.iter().map(|(name, value)| format!("{name}={value} ")).collect();
        self.typed(&format!("{variables}strongroom {command}"));
        let ran = self.stage.run(more, &as_strs(&words(command)), "")?;
        self.judge(ran, expect)
    }

    /// The same with a text that comes through a pipe.
    pub(super) fn step_fed(
        &mut self,
        name: &str,
        text: &str,
        command: &str,
        expect: &Expect<'_>,
    ) -> Result<Ran, Error> {
        self.stage.write(name, text)?;
        self.typed(&format!("cat {name} | strongroom {command}"));
        let ran = self.stage.run(&[], &as_strs(&words(command)), text)?;
        self.judge(ran, expect)
    }

    /// Shows a file.
    pub(super) fn print(&self, name: &str, text: &str) {
        self.typed(&format!("cat {name}"));
        self.output(text, Lines::All);
    }

    /// What a person types.
    pub(super) fn typed(&self, text: &str) {
        for (n, text) in wrapped(text, WIDTH - INDENT.len() - 2, "").iter().enumerate() {
            let start = if n == 0 { "  $ " } else { "      " };
            line(&format!("{start}{BOLD}{text}{BOLD:#}"));
        }
    }

    fn judge(&mut self, ran: Ran, expect: &Expect<'_>) -> Result<Ran, Error> {
        self.commands += 1;
        let all = format!("{}{}", ran.out, ran.err);
        self.output(&all, expect.lines);
        if ran.code != 0 {
            line(&format!("{INDENT}{DIM}exit code {}{DIM:#}", ran.code));
        }
        if ran.code != expect.code {
            return Err(astray(&format!("the exit code should have been {}", expect.code)));
        }
        if let Some(word) = expect.words.iter().find(|word| !all.contains(**word)) {
            return Err(astray(&format!("this should have said `{word}`")));
        }
        match expect.never.iter().find(|word| all.contains(**word)) {
            Some(word) => Err(astray(&format!("this should not have said `{word}`"))),
            None => Ok(ran),
        }
    }

    /// Output, set in, wrapped or cut to the width, and no more lines of it than wanted.
    fn output(&self, text: &str, wanted: Lines) {
        let plain = out::plain(text);
        let fit = |text| fitted(text, WIDTH - INDENT.len());
        let lines: Vec<String> = plain.trim_end().lines().flat_map(fit).collect();
        let count = lines.len();
        let (first, last) = match wanted {
            Lines::All => (count, 0),
            Lines::First(first) => (first, 0),
            Lines::Last(last) => (0, last),
            Lines::FirstAndLast(first, last) => (first, last),
        };
        let show = |lines: &[String]| {
            lines.iter().for_each(|text| line(format!("{INDENT}{text}").trim_end()));
        };
        // To leave out one line and say so would save nothing.
        if first + last + 1 >= count {
            return show(&lines);
        }
        // Not from the middle of a row whose cells take several lines.
        let within_a_row = |at: &usize| lines.get(*at).is_some_and(|line| line.starts_with("   "));
        let from = (count - last..count)
            .find(|at| !within_a_row(at))
            .unwrap_or(count - last);
        let left_out = from - first;
        show(lines.get(..first).unwrap_or_default());
        line(&format!("{INDENT}{DIM}[{left_out} lines not shown here]{DIM:#}"));
        show(lines.get(from..).unwrap_or_default());
    }
}

/// One line of the tour. A reader that has gone away is no error.
fn line(text: &str) {
    let _ = writeln!(anstream::stdout().lock(), "{text}");
}

/// How far it has come, on a terminal alone.
pub(super) fn progress(done: usize, all: usize) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    let mut err = std::io::stderr().lock();
    let full = 30 * done / all.max(1);
    let text = if done < all {
        let bar = format!("{}{}", "█".repeat(full), "·".repeat(30 - full));
        format!("\r{INDENT}{bar} {done} of {all}")
    } else {
        format!("\r{}\r", " ".repeat(60))
    };
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// The tour went another way than it is told.
pub(super) fn astray(what: &str) -> Error {
    Error::new(Kind::Failed, format!("the tour stops here: {what}")).hint("this is a defect, please report it")
}

/// The words of a command, as far as a shell's rules are needed here: spaces, single quotes, and a backslash
/// outside of them.
fn words(command: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let (mut within, mut escaped) = (false, false);
    for c in command.chars() {
        match c {
            '\'' if !escaped => {
                within = !within;
                word.get_or_insert_default();
            }
            '\\' if !within && !escaped => escaped = true,
            ' ' if !within && !escaped => words.extend(word.take()),
            c => {
                word.get_or_insert_default().push(c);
                escaped = false;
            }
        }
    }
    words.extend(word);
    words
}

fn as_strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// A line of output on lines of at most `width` characters: a row of a table is cut, anything else wrapped.
fn fitted(text: &str, width: usize) -> Vec<String> {
    let length = text.chars().count();
    if length <= width {
        vec![text.to_owned()]
    } else if text.trim_start().contains("  ") {
        vec![text.chars().take(width - 1).chain(['…']).collect()]
    } else {
        let indent: String = text.chars().take_while(|c| *c == ' ').collect();
        wrapped(text, width, &indent)
    }
}

/// Breaks a text at spaces into lines of at most `width` characters; a longer word is broken anywhere.
fn wrapped(text: &str, width: usize, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut current = indent.to_owned();
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        loop {
            let empty = current.len() == indent.len();
            let room = width.saturating_sub(current.chars().count() + usize::from(!empty));
            if word.len() <= room {
                if !empty {
                    current.push(' ');
                }
                current.extend(word);
                break;
            }
            if empty {
                let rest = word.split_off(room.clamp(1, word.len()));
                current.extend(std::mem::replace(&mut word, rest));
            }
            lines.push(std::mem::replace(&mut current, indent.to_owned()));
        }
    }
    lines.push(current);
    lines
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn commands_are_read_as_a_shell_reads_them() {
        assert_eq!(
            words("show 3f2a  --why 'night shift'"),
            ["show", "3f2a", "--why", "night shift"]
        );
        assert_eq!(words(r"a '' b\ c"), ["a", "", "b c"]);
    }

    #[test]
    fn rows_are_cut_and_prose_is_wrapped() {
        assert_eq!(fitted("a row   of a table", 10), ["a row   o…"]);
        assert_eq!(fitted("  one two three", 9), ["  one two", "  three"]);
        assert_eq!(wrapped("abcdefgh ij", 3, ""), ["abc", "def", "gh", "ij"]);
        assert_eq!(fitted("", 10), [""]);
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(text in prop::collection::vec("[a-z '\\\\,é]{0,8}", 0..5)) {
            let command: Vec<String> = text.iter().map(|word| quoted(word)).collect();
            prop_assert_eq!(words(&command.join(" ")), text);
        }

        #[test]
        fn wrapping_loses_no_letter_and_keeps_the_width(text in "[a-zé ]{0,80}", width in 4usize..30) {
            let lines = wrapped(&text, width, " ");
            prop_assert!(lines.iter().all(|line| line.chars().count() <= width));
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
