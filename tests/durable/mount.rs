//! Mounted things, which go away with the test. Needs root; where that is not given, it is said.

use crate::house::say;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mount, undone on drop.
pub(crate) struct Mount(PathBuf);

impl Mount {
    fn make(args: &[&str], at: &Path) -> Option<Self> {
        let mounted = Command::new("mount").args(args).arg(at).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            Ok(output) => {
                let why = String::from_utf8_lossy(&output.stderr);
                say(format_args!(
                    "skipped: `mount {}` is refused: {}",
                    args.join(" "),
                    why.trim()
                ));
                None
            }
            Err(error) => {
                say(format_args!("skipped: `mount` cannot be run here: {error}"));
                None
            }
        }
    }

    /// A small file system in memory.
    pub(crate) fn memory(mebibytes: u32, at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        Self::make(&["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"], at)
    }

    /// A folder laid over itself, read-only.
    pub(crate) fn read_only(at: &Path) -> Option<Self> {
        let mounted = Self::make(&["--bind", at.to_str().unwrap()], at)?;
        let done = Command::new("mount").args(["-o", "remount,bind,ro"]).arg(at).status();
        assert!(done.unwrap().success());
        Some(mounted)
    }

    /// The image of a disk. The file system commits of itself only every five minutes, so that what nobody
    /// flushed is not in the image.
    pub(crate) fn image(image: &Path, at: &Path) -> Option<Self> {
        Self::make(&["-o", "loop,commit=300", image.to_str().unwrap()], at)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        for args in [&[][..], &["-l"]] {
            let done = Command::new("umount").args(args).arg(&self.0).output();
            if done.is_ok_and(|output| output.status.success()) {
                return;
            }
        }
        say(format_args!("`{}` could not be unmounted", self.0.display()));
    }
}
