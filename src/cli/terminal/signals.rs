//! Signals that end what a person does at the terminal: there is first something to put right, and then the process ends as by
//! convention, with 128 and the number of the signal.

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The signal that ended something, once it is put right; 0 while none has.
static ENDED_BY: AtomicUsize = AtomicUsize::new(0);

/// The exit code of a process that a signal ended.
pub(in crate::cli) fn exit_code() -> Option<u8> {
    match ENDED_BY.load(Ordering::SeqCst) {
        0 => None,
        signal => u8::try_from(128 + signal).ok(),
    }
}

/// Signals that are waited for. Dropped, they end the process at once again.
pub(super) struct Signals {
    by: Arc<AtomicUsize>,
    /// Whether a signal ends the process as it does by itself.
    over: Arc<AtomicBool>,
    woken: UnixStream,
    wake: UnixStream,
}

impl Signals {
    /// Takes those that end from here on.
    pub(super) fn begin() -> io::Result<Self> {
        let (woken, wake) = UnixStream::pair()?;
        woken.set_nonblocking(true)?;
        let signals = Self {
            by: Arc::default(),
            over: Arc::default(),
            woken,
            wake,
        };
        for signal in [SIGTERM, SIGHUP, SIGINT, SIGQUIT] {
            flag::register_conditional_default(signal, Arc::clone(&signals.over))?;
            flag::register_usize(signal, Arc::clone(&signals.by), signal.unsigned_abs() as usize)?;
            signals.wakes(signal)?;
        }
        Ok(signals)
    }

    /// Wakes whoever waits, at this signal too.
    pub(super) fn wakes(&self, signal: i32) -> io::Result<()> {
        signal_hook::low_level::pipe::register(signal, self.wake.try_clone()?).map(drop)
    }

    /// Whether one came that ends.
    pub(super) fn came(&self) -> bool {
        self.by.load(Ordering::SeqCst) != 0
    }

    /// What can be read once one came.
    pub(super) fn woken(&self) -> &UnixStream {
        &self.woken
    }

    /// Takes in what woke; which it was is told by flags.
    pub(super) fn slept(&self) {
        let mut bytes = [0; 64];
        while rustix::io::read(&self.woken, &mut bytes).is_ok_and(|count| count > 0) {}
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        let by = self.by.load(Ordering::SeqCst);
        if by != 0 {
            ENDED_BY.store(by, Ordering::SeqCst);
        }
        self.over.store(true, Ordering::SeqCst);
    }
}
