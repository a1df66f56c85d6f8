//! The screen of this process's terminal: all of it, for as long as somebody reads there, and nothing of it afterwards.
//!
//! It is the alternate screen, which keeps no lines that have gone; it is cleared before it is left. It is left at the
//! end, at an error, at a panic and at a signal. A process that is killed outright leaves the terminal as it was then.

use super::keys::{ESCAPE, Input, Keys};
use super::signals::Signals;
use crate::app::{Error, Kind};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use signal_hook::consts::SIGWINCH;
use signal_hook::flag;
use std::io::{IsTerminal, Write};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroize;

/// Alternate screen, cleared; pasted text is marked as such.
const SHOW: &str = "\x1b[?1049h\x1b[2J\x1b[?2004h";
/// No effects, cleared, the cursor seen, and back to what was there before.
const HIDE: &str = "\x1b[0m\x1b[2J\x1b[H\x1b[?2004l\x1b[?25h\x1b[?1049l";

/// How the terminal was set before the screen was shown; none while it is not.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);
/// Whether there is a screen, shown or not: signals are then for it.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// Whether there is a screen, shown or hidden for a while.
pub(in crate::cli) fn is_begun() -> bool {
    BEGUN.load(Ordering::SeqCst)
}

/// Wipes the screen and gives the terminal back as it was, if that is not done yet.
pub(in crate::cli) fn hide() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        let mut out = std::io::stdout().lock();
        // A terminal that is gone shows nothing anyway.
        let _ = out.write_all(HIDE.as_bytes()).and_then(|()| out.flush());
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &before);
    }
}

/// A screen that was begun. Dropped, it is gone.
pub(super) struct Screen {
    keys: Keys,
    resized: Arc<AtomicBool>,
    signals: Signals,
}

impl Screen {
    /// Takes signals from here on; nothing is shown yet.
    pub(super) fn begin() -> Result<Self, Error> {
        if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
            return Err(Error::new(Kind::Usage, "this takes a terminal, to show and to type")
                .hint("in a script use `strongroom list`, `search` and `show`"));
        }
        let failed = |error: std::io::Error| Error::new(Kind::Failed, format!("signals cannot be waited for: {error}"));
        let screen = Self {
            keys: Keys::default(),
            resized: Arc::default(),
            signals: Signals::begin().map_err(failed)?,
        };
        flag::register(SIGWINCH, Arc::clone(&screen.resized)).map_err(failed)?;
        screen.signals.wakes(SIGWINCH).map_err(failed)?;
        BEGUN.store(true, Ordering::SeqCst);
        Ok(screen)
    }

    /// Shows the screen, empty; how large it is.
    pub(super) fn show(&self) -> Result<(u16, u16), Error> {
        let failed = |error: std::io::Error| Error::new(Kind::Failed, format!("the terminal cannot be used: {error}"));
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).map_err(|error| failed(error.into()))?;
        let mut raw = before.clone();
        raw.make_raw();
        BEFORE
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(before);
        tcsetattr(&stdin, OptionalActions::Flush, &raw).map_err(|error| failed(error.into()))?;
        let mut out = std::io::stdout().lock();
        out.write_all(SHOW.as_bytes())
            .and_then(|()| out.flush())
            .map_err(failed)?;
        Ok(size())
    }

    /// The next that happens, for which it is waited at most `wait`; `None` if something happens to `beside` first.
    pub(super) fn next(&mut self, wait: Duration, beside: Option<BorrowedFd<'_>>) -> Option<Input> {
        let (until, mut waited) = (Instant::now() + wait, false);
        loop {
            if self.signals.came() {
                return Some(Input::Over);
            }
            if self.resized.swap(false, Ordering::SeqCst) {
                let (columns, rows) = size();
                return Some(Input::Size(columns, rows));
            }
            let now = Instant::now();
            if let Some(input) = self.keys.next(false, now) {
                return Some(input);
            }
            let left = until.saturating_duration_since(now);
            // A text that is pasted in drops for as long as somebody likes keeps nobody from being found idle.
            if left.is_zero() && waited {
                return Some(Input::Nothing);
            }
            waited = true;
            let patience = self
                .keys
                .patience(now)
                .map_or(left, |patience| patience.min(left.max(ESCAPE)));
            match self.poll(patience, beside) {
                Ok(Woken::ByUs) => {}
                Ok(Woken::Beside) => return None,
                Ok(Woken::Not) => match self.keys.next(true, Instant::now()) {
                    Some(input) => return Some(input),
                    None if left.is_zero() || patience == left => return Some(Input::Nothing),
                    None => {}
                },
                // Whoever typed is gone.
                Err(_) => return Some(Input::Over),
            }
        }
    }

    /// Waits for bytes and signals, and for what may happen beside.
    fn poll(&mut self, patience: Duration, beside: Option<BorrowedFd<'_>>) -> std::io::Result<Woken> {
        let stdin = std::io::stdin();
        let typed = {
            let mut fds = vec![
                PollFd::new(&stdin, PollFlags::IN),
                PollFd::new(self.signals.woken(), PollFlags::IN),
            ];
            fds.extend(beside.as_ref().map(|beside| PollFd::new(beside, PollFlags::IN)));
            let timeout = Timespec::try_from(patience).map_err(std::io::Error::other)?;
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) => return Ok(Woken::Not),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => return Ok(Woken::ByUs),
                Err(error) => return Err(error.into()),
            }
            if fds.get(2).is_some_and(|beside| !beside.revents().is_empty()) {
                return Ok(Woken::Beside);
            }
            !fds[0].revents().is_empty()
        };
        let mut bytes = [0; 1024];
        self.signals.slept();
        if typed {
            let count = rustix::io::read(&stdin, &mut bytes)?;
            if count == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.keys.push(&bytes[..count], Instant::now());
            bytes.zeroize();
        }
        Ok(Woken::ByUs)
    }
}

/// What ended a wait.
enum Woken {
    /// Bytes or a signal.
    ByUs,
    Beside,
    Not,
}

impl Drop for Screen {
    fn drop(&mut self) {
        hide();
        BEGUN.store(false, Ordering::SeqCst);
    }
}

fn size() -> (u16, u16) {
    let size = tcgetwinsize(std::io::stdout()).ok();
    let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or((80, 24), |size| (size.ws_col, size.ws_row))
}
