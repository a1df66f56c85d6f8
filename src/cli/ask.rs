//! Asking the person.

use crate::app::shared::Passphrase;
use crate::app::{Error, Kind, Person};
use std::io::{BufRead, IsTerminal, Write};

/// Asks at the terminal, or not at all.
pub(super) struct AtTheTerminal {
    pub(super) may_ask: bool,
}

impl Person for AtTheTerminal {
    fn passphrase(&self, prompt: &str) -> Result<Passphrase, Error> {
        let nobody = || {
            Error::new(Kind::Locked, "a passphrase is needed, and nobody can be asked")
                .hint("run this at a terminal, or set STRONGROOM_PASSPHRASE_FILE or STRONGROOM_PASSPHRASE_COMMAND")
        };
        if !self.may_ask {
            return Err(nobody());
        }
        rpassword::prompt_password(prompt)
            .map(Passphrase::new)
            .map_err(|_| nobody())
    }

    fn warn(&self, text: &str) {
        super::out::say(&format!("strongroom: warning: {}", super::out::plain(text)));
    }

    fn line(&self, prompt: &str) -> Option<String> {
        if !self.may_ask || !std::io::stdin().is_terminal() {
            return None;
        }
        let mut err = std::io::stderr();
        write!(err, "{prompt}").and_then(|()| err.flush()).ok()?;
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).ok()?;
        Some(line.trim_end_matches(['\n', '\r']).to_owned())
    }
}

/// Whether standard input is a pipe or a file rather than a person.
pub(super) fn nobody_types() -> bool {
    !std::io::stdin().is_terminal()
}

/// A text of several lines, ended by a line with a dot alone or by end of input.
pub(super) fn text(may_ask: bool) -> Option<Vec<u8>> {
    if !may_ask || !std::io::stdin().is_terminal() {
        return None;
    }
    let mut err = std::io::stderr();
    writeln!(err, "the note; a line with a single dot ends it:").ok()?;
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line).ok()? == 0 || line.trim_end() == "." {
            return Some(text.into_bytes());
        }
        text.push_str(&line);
    }
}
