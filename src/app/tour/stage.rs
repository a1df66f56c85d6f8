//! A folder that goes away, and this program run in it with nothing of the user's.

use crate::app::error::{Error, Kind};
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Waits for a word; without one it removes the folder `$0`, and again for what a last command may still have written.
const CARETAKER: &str = r#"read -r done || for n in 1 2 3; do rm -rf -- "$0"; sleep 1; done"#;

/// The temporary folder of a tour: vault, identity, state, passphrase and everything else of it lie inside.
///
/// It is removed when this is struck or dropped. For the ends that run no code of ours (Ctrl-C, a kill) a shell in
/// its own process group waits at a pipe: when the pipe closes without a word, it removes the folder.
pub struct Stage {
    folder: tempfile::TempDir,
    columns: usize,
    program: PathBuf,
    caretaker: Option<Child>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Its exit code; -1 if a signal ended it.
    pub code: i32,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

impl Stage {
    /// Makes the folder, readable by its owner alone. Tables will be at most `columns` wide.
    pub fn set_up(columns: usize) -> Result<Self, Error> {
        let failed = |what: &str, error: std::io::Error| Error::new(Kind::Failed, format!("{what}: {error}"));
        let program = std::env::current_exe().map_err(|error| failed("this program cannot find itself", error))?;
        let folder = tempfile::Builder::new()
            .prefix("strongroom-tour-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(|error| failed("no temporary folder can be made", error))?;
        // Without a shell the folder is still removed at every end but a sudden one.
        let caretaker = Command::new("sh")
            .args(["-c", CARETAKER])
            .arg(folder.path())
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .ok();
        Ok(Self {
            folder,
            columns,
            program,
            caretaker,
        })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The vault's folder, relative to the stage's.
    pub fn vault(&self) -> &'static str {
        "data/strongroom/vault"
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        std::fs::write(self.folder().join(name), text)
            .map_err(|error| Error::new(Kind::Failed, format!("`{name}` cannot be written: {error}")))
    }

    /// Runs this program on `arguments` in the folder, with an environment that holds the folder's own places, the
    /// passphrase file `passphrase.txt`, what `more` says, and nothing else. `input` is its standard input.
    pub fn run(&self, more: &[(&str, &str)], arguments: &[&str], input: &str) -> Result<Ran, Error> {
        let failed = |error: std::io::Error| Error::new(Kind::Failed, format!("this program cannot be run: {error}"));
        let under = |name: &str| self.folder().join(name);
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("HOME", self.folder())
            .env("XDG_DATA_HOME", under("data"))
            .env("XDG_CONFIG_HOME", under("config"))
            .env("XDG_STATE_HOME", under("state"))
            .env("COLUMNS", self.columns.to_string())
            .env("STRONGROOM_PASSPHRASE_FILE", under("passphrase.txt"))
            .current_dir(self.folder())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in more {
            command.env(name, under(value));
        }
        let mut child = command.spawn().map_err(failed)?;
        if let Some(mut pipe) = child.stdin.take() {
            // Texts of the tour fit a pipe; a command that does not read its input is no error.
            let _ = pipe.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(failed)?;
        Ok(Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Removes the folder and all that is in it.
    pub fn strike(self) -> Result<(), Error> {
        let path = self.folder.path().to_owned();
        self.folder.close().map_err(|error| {
            Error::new(Kind::Failed, format!("`{}` cannot be removed: {error}", path.display()))
                .hint("remove it by hand")
        })?;
        if let Some(mut caretaker) = self.caretaker {
            if let Some(mut pipe) = caretaker.stdin.take() {
                let _ = pipe.write_all(b"done\n");
            }
            let _ = caretaker.wait();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_stage_is_private_and_goes_away() {
        let stage = Stage::set_up(80).unwrap();
        let path = stage.folder().to_owned();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        stage.write("a.txt", "a").unwrap();
        stage.strike().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn whoever_is_killed_leaves_no_stage_behind() {
        let mut stage = Stage::set_up(80).unwrap();
        // What a sudden end does: the pipe closes, and no code of ours runs.
        let path = stage.folder.keep();
        let mut caretaker = stage.caretaker.take().unwrap();
        drop(caretaker.stdin.take());
        caretaker.wait().unwrap();
        assert!(!path.exists());
    }
}
