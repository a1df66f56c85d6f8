//! The person's editor, on a text that lies in memory, kept from writing it anywhere else.

use crate::app::{EditorText, Error, Kind, WrittenText};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag::register_conditional_default;
use signal_hook::low_level::unregister;
use std::fs::{File, OpenOptions};
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Editors whose traces this program knows how to turn off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Family {
    Vim,
    GraphicalVim,
    Neovim,
    Nano,
    Emacs,
}

/// The command that `VISUAL` or, where that is empty, `EDITOR` names.
pub(super) fn named() -> Option<String> {
    let named = |name| std::env::var(name).ok().filter(|command| !command.trim().is_empty());
    named("VISUAL").or_else(|| named("EDITOR"))
}

/// Lets the person edit `text` with this command. `warn` takes what they should know before.
pub(super) fn edit(
    command: Option<&str>,
    text: &[u8],
    ticket: &[u8],
    insist: bool,
    warn: &dyn Fn(&str),
) -> Result<Box<dyn WrittenText>, Error> {
    let command = command.ok_or_else(|| {
        Error::new(Kind::Usage, "no editor is named")
            .hint("set VISUAL or EDITOR to one, such as EDITOR=nano; or give the text with --file or through a pipe")
    })?;
    let text = EditorText::begin(text, ticket, insist)?;
    let family = family_of(command);
    if family.is_none() {
        warn(&format!(
            "`{command}` may leave copies of the text on this disk: only vim, neovim, nano and emacs are kept from it"
        ));
    }
    let problem = match run(command, family, &text) {
        Ok(status) if status.success() => None,
        // The shell's word for it.
        Ok(status) if status.code() == Some(127) && !is_there(command) => Some(format!(
            "the editor `{command}` is not on this computer: set VISUAL or EDITOR to one that is, such as EDITOR=nano"
        )),
        Ok(status) => Some(format!("the editor did not end well ({status})")),
        Err(error) => Some(format!("the editor cannot be run: {error}")),
    };
    text.end(problem)
}

/// Whether a command begins with a program that is found.
fn is_there(command: &str) -> bool {
    command
        .split_whitespace()
        .next()
        .is_some_and(|program| found(program).is_some())
}

fn run(command: &str, family: Option<Family>, text: &EditorText) -> std::io::Result<ExitStatus> {
    // An interrupt is for the editor. This program stays, to seal or record what was written.
    let over = Arc::new(AtomicBool::new(false));
    let mut registered = Vec::new();
    for signal in [SIGINT, SIGQUIT, SIGHUP, SIGTERM] {
        registered.push(register_conditional_default(signal, Arc::clone(&over))?);
    }
    let stdin = std::io::stdin();
    let settings = tcgetattr(&stdin);
    let mut editor = Command::new("sh");
    editor
        .args(["-c", &format!("{command} \"$@\""), command])
        .args(arguments(family))
        .arg(text.file())
        // What an editor's helpers write for a moment lies in memory too.
        .env("TMPDIR", text.folder());
    attach(&mut editor)?;
    let status = text.shared(|| editor.spawn()).and_then(|mut editor| editor.wait());
    if let Ok(settings) = settings {
        // One that was killed left the terminal as it needed it.
        let _ = tcsetattr(&stdin, OptionalActions::Now, &settings);
    }
    match super::screen::is_begun() {
        // It goes on, and sees to signals itself: the terminal has to be given back first.
        true => registered.into_iter().for_each(|id| {
            unregister(id);
        }),
        false => over.store(true, Ordering::SeqCst),
    }
    status
}

/// Gives the editor the terminal, also where this program's own input or output is a pipe.
fn attach(editor: &mut Command) -> std::io::Result<()> {
    let terminal = || -> Option<File> { OpenOptions::new().read(true).write(true).open("/dev/tty").ok() };
    if !std::io::stdin().is_terminal()
        && let Some(terminal) = terminal()
    {
        editor.stdin(terminal);
    }
    if !std::io::stdout().is_terminal() {
        // Standard output carries the result alone.
        match terminal() {
            Some(terminal) => editor.stdout(terminal),
            None => editor.stdout(Stdio::from(std::io::stderr().as_fd().try_clone_to_owned()?)),
        };
    }
    Ok(())
}

/// What keeps an editor of this family from writing the text anywhere but into its file. The person's own settings
/// otherwise stay.
fn arguments(family: Option<Family>) -> &'static [&'static str] {
    /// Once the person's own settings have been read. `viminfo` is what neovim calls `shada`.
    const VIM: &str = "silent! set nobackup | silent! set nowritebackup | silent! set noswapfile | silent! set noundofile \
                       | silent! set viminfo= | silent! set patchmode= | silent! set backupskip=* \
                       | silent! autocmd VimEnter * set nobackup nowritebackup noswapfile noundofile patchmode= viminfo=";
    /// A note may be somebody else's text: nothing in it steers the editor, also where the person's settings, which are read
    /// after this, want lines in a text to. The group is closed before they are, so that what they remove is not in it.
    /// To the end of its line all belongs to `autocmd`, bars too.
    const BEFORE: &str = "set nomodeline | augroup strongroom | augroup END | \
                          autocmd strongroom BufReadPre,BufReadPost * setlocal nomodeline | set modelines=0";
    /// And again behind all that these settings have done when a text is read.
    const LAST: &str = "silent! autocmd strongroom SourcePost * \
                        autocmd! strongroom BufReadPre,BufReadPost * setlocal nomodeline | set modelines=0";
    const EMACS: &str = "(progn (setq make-backup-files nil backup-inhibited t auto-save-default nil \
                         auto-save-list-file-prefix nil create-lockfiles nil undo-tree-auto-save-history nil \
                         enable-local-variables nil enable-local-eval nil) \
                         (dolist (mode '(savehist-mode auto-save-visited-mode)) \
                         (if (and (boundp mode) (symbol-value mode)) (funcall mode -1))))";
    match family {
        Some(Family::Vim | Family::Neovim) => &["-n", "-i", "NONE", "--cmd", BEFORE, "--cmd", LAST, "-c", VIM],
        // It would go to the background, and the text be taken away from under it.
        Some(Family::GraphicalVim) => &["-f", "-n", "-i", "NONE", "--cmd", BEFORE, "--cmd", LAST, "-c", VIM],
        // Restricted: no backups, no histories, no other files.
        Some(Family::Nano) => &["--restricted"],
        Some(Family::Emacs) => &["--eval", EMACS],
        None => &[],
    }
}

/// The family of the program that a command begins with: by the name of what it leads to, else by its own.
fn family_of(command: &str) -> Option<Family> {
    let program = command.split_whitespace().next()?;
    let own = Path::new(program).file_name()?.to_str()?;
    let found = found(program);
    let leads_to = found
        .as_deref()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    let by_name = leads_to.and_then(family_by_name).or_else(|| family_by_name(own));
    by_name.or_else(|| (["vi", "view", "ex"].contains(&own) && is_vim(found.as_deref()?)).then_some(Family::Vim))
}

/// Where a program lies, symbolic links followed: `vi` and `editor` are often names for another.
fn found(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).map(|folder| folder.join(program));
    let places = match program.contains('/') {
        true => vec![program.into()],
        false => folders.collect(),
    };
    places.iter().find_map(|place| place.canonicalize().ok())
}

/// Some systems ship vim as `vi`; other programs of that name say something else of themselves.
fn is_vim(program: &Path) -> bool {
    let told = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    told.is_ok_and(|told| told.stdout.starts_with(b"VIM - Vi IMproved"))
}

fn family_by_name(name: &str) -> Option<Family> {
    match name {
        "nvim" => Some(Family::Neovim),
        "gvim" => Some(Family::GraphicalVim),
        "nano" | "rnano" => Some(Family::Nano),
        _ if name == "vim" || name == "vimx" || name.starts_with("vim.") => Some(Family::Vim),
        // With a version, or by what it was built with: emacs-29.4, emacs-nox.
        _ if name == "emacs" || name.starts_with("emacs-") => Some(Family::Emacs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_editor_is_known_by_its_name() {
        for (name, family) in [
            ("vim", Some(Family::Vim)),
            ("vim.basic", Some(Family::Vim)),
            ("nvim", Some(Family::Neovim)),
            ("gvim", Some(Family::GraphicalVim)),
            ("nano", Some(Family::Nano)),
            ("emacs", Some(Family::Emacs)),
            ("emacs-nox", Some(Family::Emacs)),
            ("emacsclient", None),
            ("vi", None),
            ("vimdiff", None),
            ("code", None),
        ] {
            assert_eq!(family_by_name(name), family, "{name}");
        }
    }

    #[test]
    fn a_command_may_have_a_path_and_words_of_its_own() {
        assert_eq!(family_of("/no/such/place/nvim -u NONE"), Some(Family::Neovim));
        assert_eq!(family_of("emacs -nw"), Some(Family::Emacs));
        assert_eq!(family_of("no-such-editor"), None);
        assert_eq!(family_of(" "), None);
    }

    #[test]
    fn a_link_is_known_by_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let (real, link) = (folder.path().join("nano"), folder.path().join("editor"));
        let made = std::fs::write(&real, "").and_then(|()| std::os::unix::fs::symlink(&real, &link));
        assert!(made.is_ok());
        assert_eq!(family_of(&link.to_string_lossy()), Some(Family::Nano));
    }
}
