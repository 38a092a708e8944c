//! A fork-join pool whose hand-over costs about a microsecond while work is flowing.
//!
//! One job runs at a time. Its tasks are numbered; the caller and the workers each take the next
//! number until none is left. Workers spin for a moment after a job, because the next one usually
//! comes at once, then sleep, so an idle program uses no processor. The caller never waits for a
//! sleeping worker: a job that is over is closed, and who comes late goes back to sleep.
//!
//! What a task computes depends on its number alone, so results do not depend on the number of
//! threads. A job started inside a job, or while another user thread runs one, runs on its caller
//! alone.

use parking_lot::{Condvar, Mutex};
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};

/// Elements a chunk of cheap arithmetic holds: enough work to be worth a hand-over.
pub(crate) const GRAIN: usize = 1 << 15;
/// Rounds a worker spins before it sleeps, some tens of microseconds.
const SPINS: u32 = 20_000;
/// Rounds a caller spins for the last worker before it offers its processor.
const PATIENCE: u32 = 1_000;
/// More threads than this are never started.
const MAX_THREADS: usize = 256;

static THREADS: AtomicUsize = AtomicUsize::new(0);
static POOL: OnceLock<Pool> = OnceLock::new();

/// The number of threads that kernels use: what [`set_num_threads`] said, else the environment
/// variable `GRADUS_THREADS`, else the number of processors.
///
/// ```
/// assert!(gradus_core::num_threads() >= 1);
/// ```
pub fn num_threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        0 => {
            let asked = std::env::var("GRADUS_THREADS")
                .ok()
                .and_then(|n| n.parse().ok())
                .filter(|&n| n > 0);
            let n = asked
                .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
                .min(MAX_THREADS);
            // Not over what another thread has set meanwhile.
            match THREADS.compare_exchange(0, n, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => n,
                Err(set) => set,
            }
        }
        n => n,
    }
}

/// Sets the number of threads that kernels use from now on (at least 1). Results do not depend on
/// it.
///
/// ```
/// gradus_core::set_num_threads(2);
/// assert_eq!(gradus_core::num_threads(), 2);
/// ```
pub fn set_num_threads(n: usize) {
    THREADS.store(n.clamp(1, MAX_THREADS), Ordering::Relaxed);
}

/// A job as the workers see it. The pointer stays valid until `active` has fallen to 0 after the
/// job was closed, which the caller waits for.
struct Pool {
    /// Held by the thread whose job runs.
    owner: Mutex<()>,
    /// Job number (upper bits), whether it is open (bit 15), workers inside (lower 15 bits).
    state: AtomicU64,
    job: AtomicPtr<Job<'static>>,
    sleepers: AtomicUsize,
    sleep: Mutex<()>,
    wake: Condvar,
    started: AtomicUsize,
}

struct Job<'a> {
    run: &'a (dyn Fn(usize) + Sync),
    tasks: usize,
    next: AtomicUsize,
    /// Workers that may join; the caller is one more.
    helpers: usize,
    panicked: AtomicBool,
}

const OPEN: u64 = 1 << 15;
const INSIDE: u64 = OPEN - 1;
const NUMBER: u64 = !(INSIDE | OPEN);

impl Job<'_> {
    fn work(&self) {
        loop {
            let task = self.next.fetch_add(1, Ordering::Relaxed);
            if task >= self.tasks {
                return;
            }
            (self.run)(task);
        }
    }
}

/// Runs `f(0)`, …, `f(tasks − 1)`, in any order and on several threads.
///
/// # Panics
/// If a task panics, after all tasks that were begun have ended.
pub(crate) fn run(tasks: usize, f: impl Fn(usize) + Sync) {
    run_each(tasks, &f);
}

/// [`run`], compiled once for all that is run.
fn run_each(tasks: usize, f: &(dyn Fn(usize) + Sync)) {
    let threads = if tasks > 1 {
        num_threads().min(tasks)
    } else {
        1
    };
    let pool = (threads > 1).then(|| POOL.get_or_init(Pool::new));
    let Some((pool, _owner)) = pool.and_then(|pool| Some((pool, pool.owner.try_lock()?))) else {
        return (0..tasks).for_each(f);
    };
    pool.start_workers(threads - 1);
    let job = Job {
        run: f,
        tasks,
        next: AtomicUsize::new(0),
        helpers: threads - 1,
        panicked: AtomicBool::new(false),
    };
    pool.publish(&job);
    // Also when `f` panics here, nobody may use the job after this frame is gone.
    struct Close<'a>(&'a Pool);
    impl Drop for Close<'_> {
        fn drop(&mut self) {
            self.0.close();
        }
    }
    let close = Close(pool);
    job.work();
    drop(close);
    assert!(
        !job.panicked.load(Ordering::Relaxed),
        "a parallel task panicked"
    );
}

impl Pool {
    fn new() -> Self {
        Self {
            owner: Mutex::new(()),
            state: AtomicU64::new(0),
            job: AtomicPtr::new(std::ptr::null_mut()),
            sleepers: AtomicUsize::new(0),
            sleep: Mutex::new(()),
            wake: Condvar::new(),
            started: AtomicUsize::new(0),
        }
    }

    /// Called by the owner only. A thread that cannot be started is done without.
    fn start_workers(&self, n: usize) {
        for i in self.started.load(Ordering::Relaxed)..n {
            let thread = std::thread::Builder::new().name(format!("gradus-{i}"));
            if thread.spawn(|| POOL.wait().worker()).is_err() {
                return;
            }
            self.started.store(i + 1, Ordering::Relaxed);
        }
    }

    fn publish(&self, job: &Job<'_>) {
        self.job
            .store(std::ptr::from_ref(job).cast_mut().cast(), Ordering::Relaxed);
        let number = (self.state.load(Ordering::Relaxed) & NUMBER).wrapping_add(OPEN << 1);
        // SeqCst here and in `wait_for_work`: either the worker sees the job before it sleeps,
        // or this thread sees the sleeper.
        self.state.store(number | OPEN, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            let _guard = self.sleep.lock();
            self.wake.notify_all();
        }
    }

    /// Lets nobody in any more and waits for those inside.
    fn close(&self) {
        self.state.fetch_and(!OPEN, Ordering::AcqRel);
        let mut spins = 0u32;
        while self.state.load(Ordering::Acquire) & INSIDE != 0 {
            spins += 1;
            // On a crowded machine the worker may have lost its processor, and need this one.
            if spins > PATIENCE {
                std::thread::yield_now()
            } else {
                std::hint::spin_loop()
            }
        }
    }

    fn worker(&self) {
        let mut done = 0;
        loop {
            self.wait_for_work(done);
            // By now another job may be open than the one that was seen, or none.
            done = self.help().unwrap_or(done);
        }
    }

    /// Waits until a job other than `done` is open.
    fn wait_for_work(&self, done: u64) {
        let fresh = |state: u64| state & OPEN != 0 && state & NUMBER != done;
        for _ in 0..SPINS {
            if fresh(self.state.load(Ordering::Relaxed)) {
                return;
            }
            std::hint::spin_loop();
        }
        let mut guard = self.sleep.lock();
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        while !fresh(self.state.load(Ordering::SeqCst)) {
            self.wake.wait(&mut guard);
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }

    /// Joins the open job, if there is still one, works if it wants more hands, and returns its
    /// number.
    fn help(&self) -> Option<u64> {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if state & OPEN == 0 {
                return None;
            }
            match self.state.compare_exchange_weak(
                state,
                state + 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(now) => state = now,
            }
        }
        // SAFETY: the job was open when this worker was counted as inside, so its caller is still
        // in `run` and stays there until the count has fallen to 0 again.
        let job = unsafe { &*self.job.load(Ordering::Relaxed) };
        if state & INSIDE < job.helpers as u64
            && std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job.work())).is_err()
        {
            job.panicked.store(true, Ordering::Relaxed);
        }
        self.state.fetch_sub(1, Ordering::Release);
        Some(state & NUMBER)
    }
}

/// Writes `out` in chunks of `grain` elements: `f(start, chunk)` fills the chunk that begins at
/// element `start`.
pub(crate) fn fill<T: Send>(out: &mut [T], grain: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    fill_each(out, grain, &f);
}

/// [`fill`], compiled once for each type of elements.
fn fill_each<T: Send>(out: &mut [T], grain: usize, f: &(dyn Fn(usize, &mut [T]) + Sync)) {
    let grain = grain.max(1);
    if out.len() <= grain {
        return f(0, out);
    }
    let len = out.len();
    let start = Shared(out.as_mut_ptr());
    run_each(len.div_ceil(grain), &|task| {
        let range = chunk(len, grain, task);
        // SAFETY: `range` lies within `out`, tasks have disjoint ranges, and `out` is borrowed
        // mutably until `run` returns.
        let chunk =
            unsafe { std::slice::from_raw_parts_mut(start.get().add(range.start), range.len()) };
        f(range.start, chunk);
    });
}

/// Like [`fill`], in chunks of whole rows of `width` elements, about [`GRAIN`] elements each.
pub(crate) fn fill_rows<T: Send>(out: &mut [T], width: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    // Without a width there is nothing to write.
    if let Some(rows) = GRAIN.checked_div(width) {
        fill(out, rows.max(1) * width, f);
    }
}

/// A pointer to memory that the tasks of a job share because each touches its own part.
pub(super) struct Shared<T>(pub(super) *mut T);
// SAFETY: whoever makes tasks dereference it argues there that their parts are disjoint.
unsafe impl<T: Send> Sync for Shared<T> {}
impl<T> Shared<T> {
    /// The pointer; a method, so that closures borrow the whole and not the field, which is not
    /// `Sync`.
    pub(super) fn get(&self) -> *mut T {
        self.0
    }
}

/// The elements of task number `task` when `len` of them are cut into chunks of `grain`.
pub(crate) fn chunk(len: usize, grain: usize, task: usize) -> Range<usize> {
    task * grain..((task + 1) * grain).min(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_runs_once_whatever_the_thread_count_and_the_crowd() {
        set_num_threads(4);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 0..500 {
                        let counts: Vec<_> = (0..37).map(|_| AtomicUsize::new(0)).collect();
                        run(37, |i| {
                            // A job inside a job must not wait for its own pool.
                            run(2, |_| {
                                counts[i].fetch_add(1, Ordering::Relaxed);
                            });
                        });
                        assert!(
                            counts.iter().all(|c| c.load(Ordering::Relaxed) == 2),
                            "round {round}"
                        );
                    }
                });
            }
        });
    }

    #[test]
    fn a_panic_in_a_task_reaches_the_caller_and_the_pool_lives_on() {
        set_num_threads(2);
        let result = std::panic::catch_unwind(|| run(8, |i| assert!(i != 5, "task five")));
        assert!(result.is_err());
        let mut out = vec![0; 100];
        fill(&mut out, 10, |start, chunk| {
            chunk
                .iter_mut()
                .enumerate()
                .for_each(|(i, x)| *x = start + i)
        });
        assert!(out.iter().enumerate().all(|(i, &x)| i == x));
    }
}
