//! How far a long piece of work has come, as a line that is written over itself.

use crate::cli::words::size;
use std::time::{Duration, Instant};

/// What takes less is not worth a line.
const QUIET: Duration = Duration::from_millis(500);
/// How often the line changes.
const STEP: Duration = Duration::from_millis(100);
/// Back to the beginning of the line, and what stands there cleared (ECMA-48 EL).
const CLEAR: &str = "\r\x1b[K";

/// Decides when the line is written. Nothing is where nobody looks.
pub(in crate::cli) struct Progress {
    seen: bool,
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// `seen`: whether a person looks at standard error.
    pub(in crate::cli) fn new(seen: bool) -> Self {
        Self {
            seen,
            next: None,
            shown: false,
        }
    }

    /// What to write now, if anything.
    pub(in crate::cli) fn line(&mut self, done: Option<u64>, whole: Option<u64>, now: Instant) -> Option<String> {
        let Some(done) = done.filter(|_| self.seen) else {
            self.next = None;
            return std::mem::take(&mut self.shown).then(|| CLEAR.to_owned());
        };
        let next = *self.next.get_or_insert(now + QUIET);
        if now < next {
            return None;
        }
        self.next = Some(now + STEP);
        self.shown = true;
        let of = match whole.filter(|whole| *whole > 0) {
            Some(whole) => format!(" of {} ({} %)", size(whole), done.min(whole) * 100 / whole),
            None => String::new(),
        };
        Some(format!("{CLEAR}{}{of}", size(done)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_work_is_told_of_now_and_then_and_leaves_no_trace() {
        let mut progress = Progress::new(true);
        let start = Instant::now();
        let mut at = |ms, done, whole| progress.line(done, whole, start + Duration::from_millis(ms));
        assert_eq!(at(0, Some(1), Some(100)), None);
        assert_eq!(at(499, Some(20), Some(100)), None);
        assert_eq!(
            at(500, Some(40 << 20), Some(100 << 20)).unwrap(),
            format!("{CLEAR}40 MiB of 100 MiB (40 %)")
        );
        assert_eq!(at(550, Some(50), Some(100)), None);
        assert_eq!(at(600, Some(5), None).unwrap(), format!("{CLEAR}5 bytes"));
        assert_eq!(at(700, None, None).unwrap(), CLEAR);
        assert_eq!(at(701, None, None), None);
        let mut unseen = Progress::new(false);
        assert_eq!(unseen.line(Some(1), None, start), None);
        assert_eq!(unseen.line(Some(9), None, start + Duration::from_secs(9)), None);
    }
}
