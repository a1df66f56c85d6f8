//! Faults: every step that must last passes here, so that a test can make the n-th one fail,
//! fail after it was done, be torn, or kill the program. Inert in ordinary runs.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A step that changes what is on disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub enum Step {
    /// A record goes into the journal.
    JournalWrite,
    /// The journal's `fdatasync`: the commit point.
    JournalSync,
    /// A git object is written.
    ObjectWrite,
    /// A git ref is moved or deleted.
    RefWrite,
    /// A large blob is written beside its place.
    BlobWrite,
    /// That file's `fdatasync`.
    BlobSync,
    /// It gets its name.
    BlobRename,
    /// The `fsync` of the folders it has its name in.
    BlobFolderSync,
    /// `syncfs` before the journal is cut.
    WholeSync,
    /// The journal's header moves to the next generation.
    HeaderWrite,
    /// That header's `fdatasync`.
    HeaderSync,
    /// The journal's records are overwritten with zeros.
    WipeWrite,
    /// The `fdatasync` after that.
    WipeSync,
    /// What is about to be forgotten is noted beside the journal.
    NoteWrite,
    /// A git object's own file is removed.
    ObjectRemove,
    /// The note of what was to be forgotten is removed.
    NoteRemove,
    /// A pack and its index are written beside the repository, for fewer of them or without what was forgotten.
    PackWrite,
    /// One of them, or the folder they were moved to, is synced.
    PackSync,
    /// One of them is moved to its place.
    PackPlace,
    /// The file of an object that is in a pack is removed.
    LooseRemove,
    /// A file of a pack that another takes the place of is removed.
    PackRemove,
}

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The step is not done and reports an error.
    Fails,
    /// The step is done and reports an error.
    FailsAfterDone,
    /// The step is half done and reports an error.
    Torn,
    /// The program dies before the step.
    Kills,
}

/// The handle that durable steps pass through. Clones share one count.
#[derive(Clone, Default)]
pub struct Faults(Option<Arc<Plan>>);

struct Plan {
    /// Counted from 1; 0 never comes.
    at: u64,
    fault: Fault,
    passed: AtomicU64,
    seen: Mutex<Vec<Step>>,
}

impl Faults {
    /// Nothing fails, nothing is counted.
    pub fn none() -> Self {
        Self(None)
    }

    /// The faults of this run: none, unless a build with debug assertions finds
    /// `STRONGROOM_TEST_KILL_AT=<n>`, which aborts the program before its n-th step (from 1).
    pub fn of_this_run() -> Self {
        #[cfg(debug_assertions)]
        if let Some(at) = std::env::var("STRONGROOM_TEST_KILL_AT")
            .ok()
            .and_then(|n| n.parse().ok())
        {
            return Self::planned(at, Fault::Kills);
        }
        Self::none()
    }

    /// The `at`-th step (from 1) meets `fault`; with 0 none does, and the steps are only counted.
    #[cfg(any(test, debug_assertions))]
    pub fn planned(at: u64, fault: Fault) -> Self {
        Self(Some(Arc::new(Plan {
            at,
            fault,
            passed: AtomicU64::new(0),
            seen: Mutex::new(Vec::new()),
        })))
    }

    /// The steps so far, in order; empty without a plan.
    pub fn seen(&self) -> Vec<Step> {
        match &self.0 {
            Some(plan) => plan.seen.lock().map(|seen| seen.clone()).unwrap_or_default(),
            None => Vec::new(),
        }
    }

    /// Does `act`, unless its turn to fail has come; `tear` leaves it half done.
    pub fn step<T>(
        &self,
        step: Step,
        act: impl FnOnce() -> io::Result<T>,
        tear: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<T> {
        let Some(plan) = &self.0 else { return act() };
        if let Ok(mut seen) = plan.seen.lock() {
            seen.push(step);
        }
        if plan.passed.fetch_add(1, Ordering::SeqCst) + 1 != plan.at {
            return act();
        }
        match plan.fault {
            Fault::Fails => {}
            Fault::FailsAfterDone => drop(act()?),
            Fault::Torn => tear()?,
            Fault::Kills => std::process::abort(),
        }
        Err(io::Error::other(format!("planned fault at {step:?}")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::cell::Cell;

    fn run(faults: &Faults, done: &Cell<u32>) -> io::Result<()> {
        faults.step(
            Step::RefWrite,
            || {
                done.set(done.get() + 10);
                Ok(())
            },
            || {
                done.set(done.get() + 1);
                Ok(())
            },
        )
    }

    #[test]
    fn the_planned_step_and_no_other_meets_its_fault() {
        for (fault, left) in [(Fault::Fails, 20), (Fault::FailsAfterDone, 30), (Fault::Torn, 21)] {
            let (faults, done) = (Faults::planned(2, fault), Cell::new(0));
            run(&faults, &done).unwrap();
            assert!(run(&faults, &done).is_err());
            run(&faults, &done).unwrap();
            assert_eq!(done.get(), left, "{fault:?}");
            assert_eq!(faults.seen(), [Step::RefWrite; 3]);
        }
    }

    #[test]
    fn without_a_plan_everything_is_done() {
        let done = Cell::new(0);
        run(&Faults::none(), &done).unwrap();
        run(&Faults::planned(0, Fault::Kills), &done).unwrap();
        assert_eq!(done.get(), 20);
        assert!(Faults::none().seen().is_empty());
    }
}
