//! Manual pages, made from what the help says: a page a command.

use super::args::Args;
use super::terminal::Seen;
use crate::app::{Error, Kind};
use clap::{Arg, Command, CommandFactory};
use clap_mangen::Man;
use std::io::Write;
use std::path::Path;

/// What stands at the end of each page.
const EXIT: &str = ".SH EXIT STATUS
.IP 0 4
done; also an empty list or search
.IP 1 4
failed: nothing was lost, the message says what to do
.IP 2 4
wrong usage
.IP 3 4
denied, or no such note that you may read
.IP 4 4
tampering found
.IP 5 4
cannot tell: something needed to judge is missing or stale
.IP 6 4
locked, or the passphrase is wrong
";

/// What the main page says besides.
const ENVIRONMENT: &str = r".SH ENVIRONMENT
.TP
\fBSTRONGROOM_VAULT\fR, \fBSTRONGROOM_IDENTITY\fR
As \-\-vault and \-\-identity.
.TP
\fBSTRONGROOM_PASSPHRASE_FILE\fR, \fBSTRONGROOM_PASSPHRASE_COMMAND\fR
A file whose first line is the passphrase, or a command that prints it.
.TP
\fBVISUAL\fR, \fBEDITOR\fR
The editor in which notes are written.
.TP
\fBNO_COLOR\fR, \fBCLICOLOR\fR, \fBCLICOLOR_FORCE\fR
Whether messages are coloured.
.TP
\fBCOLUMNS\fR
How wide tables may be where no terminal says so.
.SH FILES
.TP
\fI~/.local/share/strongroom/vault\fR
The vault: a bare git repository.
.TP
\fI~/.config/strongroom/identity\fR
The keys of this device, sealed with the passphrase.
.TP
\fI~/.config/strongroom/config.toml\fR
Your own defaults; \fBstrongroom status \-v\fR shows them.
.TP
\fI~/.local/state/strongroom\fR
What this device remembers of its vaults.
";

/// `man`.
pub(super) fn run(seen: &Seen<'_>, out: Option<&Path>) -> Result<u8, Error> {
    let failed = |error: std::io::Error| Error::new(Kind::Failed, format!("the pages cannot be written: {error}"));
    let Some(folder) = out else {
        let main = pages().map_err(failed)?.into_iter().last();
        seen.result(&main.map(|(_, text)| text).unwrap_or_default())?;
        return Ok(0);
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let pages = pages().map_err(failed)?;
    for (name, text) in &pages {
        let mut page = seen.terminal.create(&folder.join(name))?;
        page.file().write_all(text.as_bytes()).map_err(failed)?;
        page.keep()?;
    }
    seen.remark(&format!("{} pages", pages.len()));
    Ok(0)
}

/// The names and texts of all pages, the main one last.
fn pages() -> std::io::Result<Vec<(String, String)>> {
    let mut command = Args::command();
    command.build();
    let mut pages = Vec::new();
    collect(&command, true, &mut pages)?;
    Ok(pages)
}

fn collect(command: &Command, main: bool, pages: &mut Vec<(String, String)>) -> std::io::Result<()> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        collect(below, false, pages)?;
    }
    pages.push(page(command, main)?);
    Ok(())
}

fn page(command: &Command, main: bool) -> std::io::Result<(String, String)> {
    // What is the same everywhere stands in the main page alone.
    let hide = |argument: Arg| match argument.is_global_set() && !main {
        true => argument.hide(true),
        false => argument,
    };
    let version = concat!("strongroom ", env!("CARGO_PKG_VERSION"));
    let shown = command.clone().mut_args(hide);
    let shown = shown
        .subcommand_value_name("command")
        .subcommand_help_heading("COMMANDS");
    let has_options = shown.get_arguments().any(|argument| !argument.is_hide_set());
    let man = Man::new(shown).source(version).manual("strongroom");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    if has_options {
        man.render_options_section(&mut text)?;
    }
    if command.get_subcommands().any(|below| !below.is_hide_set()) {
        man.render_subcommands_section(&mut text)?;
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    text.extend(after_help(&after).into_bytes());
    if main {
        text.extend_from_slice(ENVIRONMENT.as_bytes());
    }
    text.extend_from_slice(EXIT.as_bytes());
    if !main {
        text.extend_from_slice(b".SH SEE ALSO\n\\fBstrongroom\\fR(1): the options that work everywhere\n");
    }
    let name = man.get_filename();
    let text = String::from_utf8(text).map_err(std::io::Error::other)?;
    Ok((name, in_ascii(&text)))
}

/// How each section begins as it is made: what an apostrophe is. Once is enough.
const BEGINNING: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// The page in ASCII, which every formatter reads: other characters by their number.
fn in_ascii(text: &str) -> String {
    let mut out = BEGINNING.to_owned();
    for c in text.replace(BEGINNING, "").chars() {
        match c.is_ascii() {
            true => out.push(c),
            false => out.push_str(&format!("\\[u{:04X}]", u32::from(c))),
        }
    }
    out
}

/// What stands below the help: examples as they are typed, and notes as text. What it says of exit codes in general stands
/// in a section of its own.
fn after_help(text: &str) -> String {
    let mut out = String::new();
    let mut noted = false;
    for part in text.split("\n\n").map(str::trim_end).filter(|part| !part.is_empty()) {
        let mut lines = part.lines();
        match lines.next() {
            Some("Example:" | "Examples:" | "Begin with:") => {
                let lines: Vec<String> = lines.map(|line| plain(line.trim_start())).collect();
                out.push_str(&format!(".SH EXAMPLES\n.nf\n{}\n.fi\n", lines.join("\n")));
                noted = false;
            }
            Some(first) if first.starts_with("Exit codes: 0 done, 1 failed, 2") => {}
            _ => {
                out.push_str(if noted { ".PP\n" } else { ".SH NOTES\n" });
                let lines: Vec<String> = part.lines().map(|line| plain(line.trim_start())).collect();
                out.push_str(&format!("{}\n", lines.join("\n")));
                noted = true;
            }
        }
    }
    out
}

/// A line as it is, whatever it begins with and holds.
fn plain(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    match line.starts_with('.') {
        true => format!("\\&{line}"),
        false => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_exit_codes() {
        let pages = pages().unwrap();
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for name in [
            "strongroom-add.1",
            "strongroom-brief-draft.1",
            "strongroom-audit-witness-init.1",
        ] {
            assert!(names.contains(&name), "{names:?}");
        }
        assert_eq!(names.last(), Some(&"strongroom.1"));
        assert!(!names.contains(&"strongroom-agent.1"));
        assert!(pages.iter().all(|(_, text)| text.contains(".SH EXIT STATUS\n")));
        let add = &pages.iter().find(|(name, _)| name == "strongroom-add.1").unwrap().1;
        assert!(add.contains(".SH EXAMPLES\n.nf\nstrongroom add "), "{add}");
        assert!(!add.contains("recovery key") && !add.contains("identity file"), "{add}");
    }

    #[test]
    fn nothing_in_a_line_is_an_order_to_the_formatter() {
        assert_eq!(plain(".x \\n it's --a"), "\\&.x \\en it\\(aqs \\-\\-a");
    }
}
