//! Progress of the three passes, and ending them early.

use gradus_core::compute;
use std::ops::ControlFlow;

/// Of the whole time about so much has passed before each pass, and after the last one.
const PASSED: [f64; 4] = [0.0, 0.5, 0.85, 1.0];
/// How often a pass tells, at most.
const TELLS: usize = 64;
/// Tasks between two tells, at least: every time all threads wait for the last one.
const TASKS: usize = 32;

/// How far a clustering has come.
///
/// ```
/// use gradus::{Tensor, cluster::Dbscan};
/// use std::ops::ControlFlow;
/// let mut shares = Vec::new();
/// Dbscan::new(0.1, 5).fit_with(&Tensor::rand([1000, 2])?, None, |progress| {
///     shares.push(progress.share);
///     ControlFlow::Continue(())
/// })?;
/// assert!(shares.is_sorted() && shares.last() == Some(&1.0));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// What is done now: 0 core points are looked for, 1 their clusters, 2 border points.
    pub pass: usize,
    /// How much of all the work is done, 0 to 1; an estimate.
    pub share: f64,
}

/// Tells a listener of progress, until that breaks.
pub(super) struct Watch<'a> {
    listener: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    pub stopped: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(listener: &'a mut dyn FnMut(Progress) -> ControlFlow<()>) -> Self {
        Self {
            listener,
            stopped: false,
        }
    }

    /// Runs the tasks of a pass on all threads; none any more once the listener has broken.
    pub(super) fn run(&mut self, pass: usize, tasks: usize, f: impl Fn(usize) + Sync) {
        let step = tasks.div_ceil(TELLS).max(TASKS);
        for start in (0..tasks).step_by(step) {
            if self.stopped {
                return;
            }
            let end = (start + step).min(tasks);
            compute::run(end - start, |task| f(start + task));
            let done = end as f64 / tasks as f64;
            let share = PASSED[pass] + done * (PASSED[pass + 1] - PASSED[pass]);
            self.stopped = (self.listener)(Progress { pass, share }).is_break();
        }
    }
}
