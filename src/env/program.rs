//! Another program, run to its end: what it writes is bounded, and what it puts into a folder too.

#[cfg(target_os = "linux")]
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use zeroize::Zeroize;

/// How long is slept between two looks at it, at first and at most; where the system wakes who waits for a process, its end
/// ends this at once.
const LOOK: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));
/// The same for the rest of what it wrote, which is there as a rule by then.
const GLANCE: Duration = Duration::from_micros(50);
/// How often the folder is looked at.
const WATCH: Duration = Duration::from_millis(200);
/// How long a program may take to clean up after it was told to end.
const GRACE: Duration = Duration::from_secs(2);
/// How long is waited for the rest of what it wrote: a helper that stays behind may hold the pipe open.
const REST: Duration = Duration::from_secs(1);
/// Of standard error so much is kept, in bytes.
const ERRORS_MAX: u64 = 64 << 10;
/// So much room is made for what a program says, in bytes.
const ROOM: usize = (1 << 20) + 1;
/// How deep folders are looked into.
const DEPTH_MAX: usize = 8;

/// What is to be run.
pub struct Program<'a> {
    /// Its name, found as a shell would find it.
    pub name: &'a str,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Which variables of the surroundings it does not get.
    pub hidden: fn(&str) -> bool,
    /// Which it gets instead.
    pub variables: &'a [(&'a str, &'a str)],
    /// The most that it may write to standard output, in bytes.
    pub output_max: u64,
    /// A folder, and the most that may come to lie in it, in bytes.
    pub watched: Option<(&'a Path, u64)>,
    /// How long it may take.
    pub deadline: Option<Duration>,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended {
    /// Whether it says that it did what it was to do.
    pub succeeded: bool,
    /// Whether it went beyond its bounds, and was stopped.
    pub stopped: bool,
    /// What it wrote to standard output.
    pub output: Vec<u8>,
    /// What it wrote to standard error, or the beginning of it.
    pub errors: Vec<u8>,
}

impl Program<'_> {
    /// Starts it without standard input and waits for it. `tell` hears now and then how much lies in the folder.
    pub fn run(&self, tell: &dyn Fn(u64)) -> io::Result<Ended> {
        self.run_on(Stdio::null(), tell)
    }

    /// The same with standard input.
    pub fn run_on(&self, input: Stdio, tell: &dyn Fn(u64)) -> io::Result<Ended> {
        let mut child = self.spawn(input, Stdio::piped())?;
        // Beyond its bound the pipe is closed, which ends whoever writes to it.
        let output = child
            .stdout
            .take()
            .map(|pipe| Collected::begin(pipe, self.output_max.saturating_add(1), false));
        let errors = child.stderr.take().map(|pipe| Collected::begin(pipe, ERRORS_MAX, true));
        let (status, over) = self.wait(&mut child, tell)?;
        let output = output.map(Collected::end).unwrap_or_default();
        let stopped = over || output.len() as u64 > self.output_max;
        Ok(Ended {
            succeeded: status.success() && !stopped,
            stopped,
            output,
            errors: errors.map(Collected::end).unwrap_or_default(),
        })
    }

    /// Starts it with a pipe for its standard input, and with `output` for its standard output.
    pub fn start_into(&self, output: File) -> io::Result<Fed> {
        let mut child = self.spawn(Stdio::piped(), Stdio::from(output))?;
        let input = child
            .stdin
            .take()
            .ok_or_else(|| io::Error::other("it has no standard input"))?;
        let errors = child.stderr.take().map(|pipe| Collected::begin(pipe, ERRORS_MAX, true));
        Ok(Fed {
            child,
            input: Some(input),
            errors,
        })
    }

    fn spawn(&self, input: Stdio, output: Stdio) -> io::Result<Child> {
        let mut command = Command::new(self.name);
        command.args(&self.arguments).stdin(input);
        command.stdout(output).stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(self.hidden) {
                command.env_remove(&name);
            }
        }
        command.envs(self.variables.iter().copied()).spawn()
    }

    fn wait(&self, child: &mut Child, tell: &dyn Fn(u64)) -> io::Result<(ExitStatus, bool)> {
        let begun = Instant::now();
        let (mut pause, mut looked) = (LOOK.0, begun);
        let bell = Bell::of(child);
        loop {
            let status = child.try_wait()?;
            if status.is_none() && self.deadline.is_some_and(|deadline| begun.elapsed() >= deadline) {
                return Ok((stop(child)?, true));
            }
            if let Some((folder, max)) = self.watched
                && (status.is_some() || looked.elapsed() >= WATCH)
            {
                looked = Instant::now();
                let size = size_of(folder, DEPTH_MAX);
                tell(size);
                if size > max {
                    return Ok((status.map_or_else(|| stop(child), Ok)?, true));
                }
            }
            if let Some(status) = status {
                return Ok((status, false));
            }
            bell.wait(pause);
            pause = (pause * 2).min(LOOK.1);
        }
    }
}

/// What wakes whoever waits for the end of a process (`pidfd_open(2)`), where the system has it.
struct Bell(#[cfg(target_os = "linux")] Option<std::os::fd::OwnedFd>);

impl Bell {
    #[cfg(target_os = "linux")]
    fn of(child: &Child) -> Self {
        use rustix::process::{PidfdFlags, pidfd_open};
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        // The child is not yet waited for, so that its number is nobody else's.
        Self(pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()))
    }

    #[cfg(not(target_os = "linux"))]
    fn of(_: &Child) -> Self {
        Self()
    }

    /// Waits for its end, and for no longer than that.
    fn wait(&self, most: Duration) {
        #[cfg(target_os = "linux")]
        if let (Some(bell), Ok(most)) = (&self.0, Timespec::try_from(most)) {
            let mut bells = [PollFd::new(bell, PollFlags::IN)];
            if poll(&mut bells, Some(&most)).is_ok() {
                return;
            }
        }
        std::thread::sleep(most);
    }
}

/// A program that is fed. Dropped before its end it is stopped, so that it does not take half for all.
pub struct Fed {
    child: Child,
    input: Option<ChildStdin>,
    errors: Option<Collected>,
}

impl Fed {
    /// Closes its standard input and waits for its end.
    pub fn end(mut self) -> io::Result<Ended> {
        drop(self.input.take());
        let status = self.child.wait()?;
        Ok(Ended {
            succeeded: status.success(),
            errors: self.errors.take().map(Collected::end).unwrap_or_default(),
            ..Ended::default()
        })
    }
}

impl Write for Fed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.input {
            Some(input) => input.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.as_mut().map_or(Ok(()), ChildStdin::flush)
    }
}

impl Drop for Fed {
    fn drop(&mut self) {
        if self.input.is_some() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Tells it to end, so that it can take its helpers along, and ends it if it does not.
fn stop(child: &mut Child) -> io::Result<ExitStatus> {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, Signal::TERM);
    }
    let (told, bell) = (Instant::now(), Bell::of(child));
    while told.elapsed() < GRACE {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        bell.wait(LOOK.1);
    }
    child.kill()?;
    child.wait()
}

/// What a program has written to a pipe by now.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Collected {
    /// Takes the first `max` bytes; `drain`: and reads on, so that whoever writes is not stopped.
    fn begin(mut pipe: impl Read + Send + 'static, max: u64, drain: bool) -> Self {
        // What is plaintext in it shall not be left behind where a growing buffer lay.
        let room = usize::try_from(max).unwrap_or(usize::MAX).min(ROOM);
        let bytes = Arc::new(Mutex::new(Vec::with_capacity(room)));
        let into = Arc::clone(&bytes);
        let reader = std::thread::spawn(move || {
            let mut left = usize::try_from(max).unwrap_or(usize::MAX);
            let mut chunk = [0; 16 << 10];
            while left > 0 || drain {
                match pipe.read(&mut chunk) {
                    Ok(0) => {
                        chunk.zeroize();
                        return;
                    }
                    Ok(read) => {
                        let taken = read.min(left);
                        into.lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .extend_from_slice(&chunk[..taken]);
                        left -= taken;
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return,
                }
            }
        });
        Self { bytes, reader }
    }

    fn end(self) -> Vec<u8> {
        let (ended, mut pause) = (Instant::now(), GLANCE);
        while !self.reader.is_finished() && ended.elapsed() < REST {
            std::thread::sleep(pause);
            pause = (pause * 2).min(LOOK.0);
        }
        std::mem::take(&mut self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How many bytes lie in a folder and in those below it. What goes away meanwhile counts for nothing.
fn size_of(folder: &Path, depth: usize) -> u64 {
    let mut size: u64 = 0;
    let mut due: Vec<(PathBuf, usize)> = vec![(folder.to_owned(), depth)];
    while let Some((folder, depth)) = due.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(found) if found.is_dir() && depth > 0 => due.push((entry.path(), depth - 1)),
                Ok(found) => size = size.saturating_add(found.len()),
                Err(_) => {}
            }
        }
    }
    size
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shell<'a>(words: &str, watched: Option<(&'a Path, u64)>) -> Program<'a> {
        Program {
            name: "sh",
            arguments: ["-c", words].map(OsString::from).to_vec(),
            hidden: |name| name == "PWD",
            variables: &[("GREETING", "good day")],
            output_max: 100,
            watched,
            deadline: None,
        }
    }

    #[test]
    fn who_takes_too_long_is_stopped() {
        let waits = Program {
            deadline: Some(Duration::from_millis(50)),
            ..shell("exec sleep 60", None)
        };
        let begun = Instant::now();
        let ended = waits.run(&|_| {}).unwrap();
        assert!(ended.stopped && !ended.succeeded && begun.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn what_it_says_comes_back_and_what_is_hidden_is_not_there() {
        let ended = shell("printf %s \"$GREETING\"; echo no >&2; exit 3", None)
            .run(&|_| {})
            .unwrap();
        assert_eq!((ended.succeeded, ended.stopped), (false, false));
        assert_eq!((ended.output, ended.errors), (b"good day".to_vec(), b"no\n".to_vec()));
        assert!(shell("read line; true", None).run(&|_| {}).unwrap().succeeded);
        let nothing = Program {
            name: "no-such-program-here",
            ..shell("", None)
        };
        assert_eq!(nothing.run(&|_| {}).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn who_writes_without_end_is_stopped() {
        let ended = shell("yes", None).run(&|_| {}).unwrap();
        assert!(ended.stopped && !ended.succeeded);
        assert_eq!(ended.output.len(), 101);
        let ended = shell("yes no | head -c 1000000 >&2", None).run(&|_| {}).unwrap();
        assert!(ended.succeeded);
        assert_eq!(ended.errors.len() as u64, ERRORS_MAX);
    }

    #[test]
    fn who_fills_a_folder_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pack");
        // It is the one that is ended: a shell would leave it behind, and it would fill the disk.
        let words = format!("exec yes > '{}'", path.display());
        let heard = std::cell::Cell::new(0);
        let begun = Instant::now();
        let ended = shell(&words, Some((folder.path(), 1 << 20)))
            .run(&|size| heard.set(size))
            .unwrap();
        assert!(ended.stopped && !ended.succeeded && heard.get() > 1 << 20);
        assert!(begun.elapsed() < Duration::from_secs(20));
        let few = shell("true", Some((folder.path(), u64::MAX))).run(&|_| {}).unwrap();
        assert!(few.succeeded);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn its_end_is_heard_at_once_and_not_at_the_next_look() {
        let mut child = Command::new("sleep").arg("0.1").spawn().unwrap();
        let (bell, begun) = (Bell::of(&child), Instant::now());
        assert!(bell.0.is_some());
        bell.wait(Duration::from_secs(60));
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert!(child.try_wait().unwrap().is_some());
        // Who has ended before is not waited for.
        let mut child = Command::new("true").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        Bell::of(&child).wait(Duration::from_secs(60));
        assert!(child.try_wait().unwrap().is_some() && begun.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_helper_that_stays_behind_is_not_waited_for() {
        let begun = Instant::now();
        let ended = shell("sleep 30 >&2 & echo done", None).run(&|_| {}).unwrap();
        assert_eq!(ended.output, b"done\n");
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}
