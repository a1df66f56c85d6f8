//! Work on several processors whose results are taken in order: what a verifier reads and hashes does not wait for what
//! it compares, and no more is held in memory than a few pieces for each.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How much stack a worker has, in bytes: it may have to be locked in memory.
pub(super) const STACK: usize = 1 << 20;
/// More processors than these wait for one another.
const PROCESSORS_MAX: usize = 8;
/// So many results of each worker may wait to be taken.
const AHEAD: usize = 4;

/// On how many processors work is done.
pub(super) fn processors() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    processors.min(PROCESSORS_MAX)
}

/// Where the work stands.
struct Standing<T> {
    /// The next piece that nobody has begun.
    next: usize,
    /// How many results were taken.
    taken: usize,
    ready: BTreeMap<usize, T>,
    /// A worker has panicked.
    broken: bool,
}

impl<T> Standing<T> {
    /// The next piece below `count`, if one is left and no more than `ahead` wait to be taken.
    fn begin(&mut self, count: usize, ahead: usize) -> Option<usize> {
        let number = self.next;
        (number < count && number < self.taken + ahead).then(|| {
            self.next += 1;
            number
        })
    }
}

struct Shared<T> {
    standing: Mutex<Standing<T>>,
    changed: Condvar,
}

impl<T> Shared<T> {
    fn standing(&self) -> MutexGuard<'_, Standing<T>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, standing: MutexGuard<'a, Standing<T>>) -> MutexGuard<'a, Standing<T>> {
        self.changed.wait(standing).unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that a worker has ended before its time, unless it is told not to.
struct Alarm<'a, T>(Option<&'a Shared<T>>);

impl<T> Drop for Alarm<'_, T> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            shared.standing().broken = true;
            shared.changed.notify_all();
        }
    }
}

/// Does `work` for each number below `count`, one worker with each of `tools`, and gives the results to `take` in order.
pub(super) fn in_order<T: Send, U: Send>(
    tools: &mut [U],
    count: usize,
    work: impl Fn(&mut U, usize) -> T + Sync,
    mut take: impl FnMut(usize, T),
) {
    let ahead = AHEAD * tools.len();
    let shared = Shared {
        standing: Mutex::new(Standing {
            next: 0,
            taken: 0,
            ready: BTreeMap::new(),
            broken: false,
        }),
        changed: Condvar::new(),
    };
    let labour = |tool: &mut U| {
        let mut alarm = Alarm(Some(&shared));
        let mut standing = shared.standing();
        while standing.next < count && !standing.broken {
            let Some(number) = standing.begin(count, ahead) else {
                standing = shared.wait(standing);
                continue;
            };
            drop(standing);
            let result = work(tool, number);
            standing = shared.standing();
            standing.ready.insert(number, result);
            shared.changed.notify_all();
        }
        alarm.0 = None;
    };
    let Some((own, others)) = tools.split_first_mut().filter(|_| count > 0) else {
        return;
    };
    std::thread::scope(|scope| {
        let labour = &labour;
        let mut started = 0;
        if count > 1 && !others.is_empty() {
            for tool in others {
                let thread = std::thread::Builder::new().stack_size(STACK);
                started += usize::from(thread.spawn_scoped(scope, move || labour(tool)).is_ok());
            }
        }
        // The scope waits for all workers: they must not wait for one who takes no more.
        let mut alarm = Alarm(Some(&shared));
        for number in 0..count {
            // Whoever takes works too while there is nothing to take.
            let mut standing = shared.standing();
            let result = loop {
                if let Some(result) = standing.ready.remove(&number) {
                    break Some(result);
                }
                if standing.broken {
                    break None;
                }
                if let Some(mine) = standing.begin(count, ahead) {
                    drop(standing);
                    let result = work(own, mine);
                    standing = shared.standing();
                    standing.ready.insert(mine, result);
                    continue;
                }
                standing = shared.wait(standing);
            };
            // The scope goes on with the worker's panic.
            let Some(result) = result else { return };
            standing.taken = number + 1;
            drop(standing);
            if started > 0 {
                shared.changed.notify_all();
            }
            take(number, result);
        }
        alarm.0 = None;
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_come_in_order_and_few_are_held() {
        for workers in 0..5 {
            for count in [0, 1, 2, 7, 200] {
                let (begun, mut taken) = (AtomicUsize::new(0), Vec::new());
                let mut tools = vec![(); workers];
                let work = |_: &mut (), number: usize| {
                    begun.fetch_add(1, Ordering::SeqCst);
                    if number.is_multiple_of(3) {
                        std::thread::yield_now();
                    }
                    number * number
                };
                in_order(&mut tools, count, work, |number, square| {
                    assert!(begun.load(Ordering::SeqCst) <= number + 1 + AHEAD * workers);
                    assert_eq!(square, number * number);
                    taken.push(number);
                });
                let all: Vec<usize> = if workers == 0 { Vec::new() } else { (0..count).collect() };
                assert_eq!(taken, all, "{workers} workers");
                assert_eq!(begun.into_inner(), all.len());
            }
        }
    }

    #[test]
    fn a_worker_that_panics_ends_it() {
        let panics = std::panic::catch_unwind(|| {
            let work = |_: &mut (), number: usize| assert!(number < 40, "as planned");
            in_order(&mut [(), (), ()], 100, work, |_, ()| {});
        });
        assert!(panics.is_err());
    }

    #[test]
    fn whoever_takes_may_panic_and_nobody_waits_for_ever() {
        let panics = std::panic::catch_unwind(|| {
            in_order(
                &mut [(), (), ()],
                100,
                |_, _| {},
                |number, ()| assert!(number < 3, "as planned"),
            );
        });
        assert!(panics.is_err());
    }
}
