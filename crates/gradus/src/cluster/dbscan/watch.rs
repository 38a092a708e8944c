//! Progress of the three passes, and ending them early.

use gradus_core::compute;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Of the whole time about so much has passed before each pass, and after the last one.
const PASSED: [f64; 4] = [0.0, 0.5, 0.85, 1.0];
/// Between two tells there are as many tasks as take about so long: every time all threads wait for
/// the last one.
const BETWEEN: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(200)];

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
        let (mut start, mut step) = (0, 8);
        while start < tasks && !self.stopped {
            let (begun, end) = (Instant::now(), (start + step).min(tasks));
            compute::run(end - start, |task| f(start + task));
            match begun.elapsed() {
                took if took < BETWEEN[0] => step *= 2,
                took if took > BETWEEN[1] => step = (step / 2).max(2),
                _ => {}
            }
            let done = end as f64 / tasks as f64;
            let share = PASSED[pass] + done * (PASSED[pass + 1] - PASSED[pass]);
            self.stopped = (self.listener)(Progress { pass, share }).is_break();
            start = end;
        }
    }
}
