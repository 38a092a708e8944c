//! A fork-join pool whose hand-over costs about a microsecond while work is flowing.
//!
//! One job runs at a time. Its tasks are numbered; the caller and the workers each have a share of
//! the numbers, the same at every job, so that they come upon what they left in their caches. Who
//! has finished goes on with the others' shares. Workers spin for a moment after a job, because the
//! next one usually comes at once, then sleep, so an idle program uses no processor. The caller never
//! waits for a sleeping worker: a job that is over is closed, and who comes late goes back to sleep.
//!
//! What a task computes depends on its number alone, so results do not depend on the number of
//! threads. A job started inside a job, or while another user thread runs one, runs on its caller
//! alone; so does every job of a forked child.

use parking_lot::{Condvar, Mutex};
use smallvec::SmallVec;
use std::cell::Cell;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Elements a chunk of cheap arithmetic holds: enough work to be worth a hand-over.
pub(crate) const GRAIN: usize = 1 << 15;
/// How long a worker spins before it sleeps: longer than what lies between two kernels of a training
/// step, shorter than anybody notices.
const AWAKE: Duration = Duration::from_micros(200);
/// Rounds it spins before it looks at the clock.
const SPINS: u32 = 100;
/// Rounds a caller spins for the last worker before it offers its processor.
const PATIENCE: u32 = 1_000;
/// More threads than this are never started.
const MAX_THREADS: usize = 256;

static THREADS: AtomicUsize = AtomicUsize::new(0);
static POOL: OnceLock<Pool> = OnceLock::new();
/// Whether this process is a child that `fork` made of one with a pool, as Python's multiprocessing
/// does. It has the pool's memory and none of its threads, and locks may be held by those.
static FORKED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// The number of threads that kernels use: what [`set_num_threads`] said, else the environment
/// variable `GRADUS_THREADS`, else the number of processors. It is 1 inside [`single_threaded`].
///
/// A variable that is no number from 1 on is reported once on standard error, and ignored.
///
/// ```
/// assert!(gradus_core::num_threads() >= 1);
/// ```
pub fn num_threads() -> usize {
    match THREADS.load(Ordering::Relaxed) {
        _ if ALONE.get() => 1,
        0 => {
            let processors = || std::thread::available_parallelism().map_or(1, usize::from);
            let asked = std::env::var_os("GRADUS_THREADS").filter(|text| !text.is_empty());
            let number = asked
                .as_ref()
                .map(|text| text.to_str()?.trim().parse().ok());
            let number = number.map(|number| number.filter(|&n: &usize| n > 0));
            let n = number.flatten().unwrap_or_else(processors).min(MAX_THREADS);
            // Not over what another thread has set meanwhile.
            match THREADS.compare_exchange(0, n, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    if let (Some(text), Some(None)) = (asked, number) {
                        eprintln!(
                            "gradus: GRADUS_THREADS={text:?} is no number of threads, using {n}"
                        );
                    }
                    n
                }
                Err(set) => set,
            }
        }
        n => n,
    }
}

/// Runs `f` with all kernels on this thread alone, whatever [`num_threads`] says elsewhere. That is
/// for threads that work beside others, as a loader's workers do: they leave the processors to the
/// thread that trains. Results do not depend on it.
///
/// ```
/// use gradus_core::{num_threads, single_threaded};
/// assert_eq!(single_threaded(num_threads), 1);
/// ```
pub fn single_threaded<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ALONE.set(self.0);
        }
    }
    let _restore = Restore(ALONE.replace(true));
    f()
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

/// The workers, and the job as they see it. The pointer stays valid until, after the job was closed,
/// no worker is inside any more, which the caller waits for.
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
    /// The caller's share, then one for each worker that may join.
    shares: SmallVec<[Share; 4]>,
    panicked: AtomicBool,
}

/// The tasks that one thread begins with. On a cache line of its own.
#[repr(align(64))]
struct Share {
    next: AtomicUsize,
    end: usize,
}

const OPEN: u64 = 1 << 15;
const INSIDE: u64 = OPEN - 1;
const NUMBER: u64 = !(INSIDE | OPEN);

impl Job<'_> {
    /// Works on share number `own` and then on the others.
    fn work(&self, own: usize) {
        let (before, from) = self.shares.split_at(own);
        for share in from.iter().chain(before) {
            loop {
                let task = share.next.fetch_add(1, Ordering::Relaxed);
                if task >= share.end {
                    break;
                }
                (self.run)(task);
            }
        }
    }

    /// Workers that may join.
    fn helpers(&self) -> usize {
        self.shares.len() - 1
    }
}

/// Runs `f(0)`, …, `f(tasks − 1)`, in any order and on several threads.
///
/// Cut the work by its size, not by the number of threads, and let no result depend on which task
/// comes first; then it is the same for any number of threads.
///
/// # Panics
/// If a task panics, after all tasks that were begun have ended.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// let sum = AtomicUsize::new(0);
/// gradus_core::compute::run(10, |task| {
///     sum.fetch_add(task, Ordering::Relaxed);
/// });
/// assert_eq!(sum.into_inner(), 45);
/// ```
pub fn run(tasks: usize, f: impl Fn(usize) + Sync) {
    run_each(tasks, &f);
}

/// [`run`], compiled once for all that is run.
fn run_each(tasks: usize, f: &(dyn Fn(usize) + Sync)) {
    let threads = if tasks > 1 {
        num_threads().min(tasks)
    } else {
        1
    };
    let several = threads > 1 && !FORKED.load(Ordering::Relaxed);
    let pool = several.then(|| POOL.get_or_init(Pool::new));
    let Some((pool, _owner)) = pool.and_then(|pool| Some((pool, pool.owner.try_lock()?))) else {
        return (0..tasks).for_each(f);
    };
    pool.start_workers(threads - 1);
    let share = |i: usize| Share {
        next: AtomicUsize::new(i * tasks / threads),
        end: (i + 1) * tasks / threads,
    };
    let job = Job {
        run: f,
        shares: (0..threads).map(share).collect(),
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
    job.work(0);
    drop(close);
    assert!(
        !job.panicked.load(Ordering::Relaxed),
        "a parallel task panicked"
    );
}

impl Pool {
    fn new() -> Self {
        #[cfg(unix)]
        {
            type Call = Option<extern "C" fn()>;
            unsafe extern "C" {
                fn pthread_atfork(prepare: Call, parent: Call, child: Call) -> i32;
            }
            extern "C" fn child() {
                FORKED.store(true, Ordering::Relaxed);
            }
            // SAFETY: this is the function's type in POSIX; what it shall call exists as long as the
            // program and does what a forked child may do, a store. If there is no memory for the
            // note that it makes, nothing happens.
            unsafe { pthread_atfork(None, None, Some(child)) };
        }
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
            if thread.spawn(move || POOL.wait().worker(i)).is_err() {
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

    fn worker(&self, number: usize) {
        let mut done = 0;
        loop {
            self.wait_for_work(done);
            // By now another job may be open than the one that was seen, or none.
            done = self.help(number).unwrap_or(done);
        }
    }

    /// Waits until a job other than `done` is open.
    fn wait_for_work(&self, done: u64) {
        let fresh = |state: u64| state & OPEN != 0 && state & NUMBER != done;
        let begun = Instant::now();
        while begun.elapsed() < AWAKE {
            for _ in 0..SPINS {
                if fresh(self.state.load(Ordering::Relaxed)) {
                    return;
                }
                std::hint::spin_loop();
            }
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
    fn help(&self, worker: usize) -> Option<u64> {
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
        let helpers = job.helpers();
        let work = || job.work(1 + worker % helpers);
        if state & INSIDE < helpers as u64
            && std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).is_err()
        {
            job.panicked.store(true, Ordering::Relaxed);
        }
        self.state.fetch_sub(1, Ordering::Release);
        Some(state & NUMBER)
    }
}

/// Writes `out` in chunks of `grain` elements: `f(start, chunk)` fills the chunk that begins at
/// element `start`.
///
/// ```
/// let mut squares = [0; 100];
/// gradus_core::compute::fill(&mut squares, 16, |start, chunk| {
///     for (i, x) in chunk.iter_mut().enumerate() {
///         *x = (start + i) * (start + i);
///     }
/// });
/// assert_eq!(squares[7], 49);
/// ```
pub fn fill<T: Send>(out: &mut [T], grain: usize, f: impl Fn(usize, &mut [T]) + Sync) {
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

    #[test]
    fn alone_is_for_one_thread_and_ends_with_the_call_also_by_a_panic() {
        set_num_threads(2);
        single_threaded(|| {
            assert_eq!(num_threads(), 1);
            std::thread::spawn(|| assert_eq!(num_threads(), 2))
                .join()
                .unwrap();
            let here = std::thread::current().id();
            run(100, |_| assert_eq!(std::thread::current().id(), here));
        });
        assert!(std::panic::catch_unwind(|| single_threaded(|| panic!("expected"))).is_err());
        assert_eq!(num_threads(), 2);
    }

    #[test]
    #[cfg(unix)]
    fn a_forked_child_computes_alone_and_does_not_hang() {
        unsafe extern "C" {
            safe fn fork() -> i32;
            safe fn alarm(seconds: u32) -> u32;
            safe fn _exit(status: i32) -> !;
            fn waitpid(child: i32, status: *mut i32, options: i32) -> i32;
        }
        set_num_threads(3);
        let sum = || {
            let sum = AtomicUsize::new(0);
            run(1000, |i| {
                sum.fetch_add(i, Ordering::Relaxed);
            });
            sum.into_inner()
        };
        // While the workers are busy, as they sleep, and in between.
        for pause in [0, 50, 1000, 100_000] {
            assert_eq!(sum(), 499_500);
            std::thread::sleep(Duration::from_micros(pause));
            let child = fork();
            if child == 0 {
                // Only this thread is here: no more than the sum, which needs no memory.
                alarm(20);
                _exit(i32::from(sum() != 499_500));
            }
            let mut status = -1;
            // SAFETY: `status` is a number that the system may write.
            let waited = unsafe { waitpid(child, &raw mut status, 0) };
            assert_eq!((waited, status), (child, 0), "the child hung or failed");
        }
    }
}
