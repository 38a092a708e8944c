//! One pass over a parameter and what belongs to it: the inner loops of the optimizers.

use super::parallel::{self, Shared};
use super::{Loop, vectorize};
use crate::dtype::Element;

/// Calls `f(parameter, gradient, state)` for every element of the parameter. `f` is copied into each
/// task: what it holds are constants of the loop then, which nothing the loop writes can change.
///
/// # Panics
/// If the gradient or a state is not as long as the parameter.
pub(crate) fn update<T: Element, const N: usize>(
    parameter: &mut [T],
    gradient: &[T],
    states: [&mut [T]; N],
    f: impl Fn(&mut T, T, [&mut T; N]) + Copy + Sync,
) {
    let n = parameter.len();
    assert!(
        gradient.len() == n && states.iter().all(|s| s.len() == n),
        "update: lengths differ"
    );
    let states = states.map(|s| Shared(s.as_mut_ptr()));
    parallel::fill(parameter, parallel::GRAIN, |start, parameter| {
        vectorize(Part {
            gradient: &gradient[start..start + parameter.len()],
            parameter,
            // Within the state, which is as long as the parameter.
            states: states.each_ref().map(|s| s.get().wrapping_add(start)),
            f,
        });
    });
}

/// Some neighbouring elements. The states are as many.
struct Part<'a, T, F, const N: usize> {
    parameter: &'a mut [T],
    gradient: &'a [T],
    states: [*mut T; N],
    f: F,
}

impl<T: Element, F: Fn(&mut T, T, [&mut T; N]), const N: usize> Loop for Part<'_, T, F, N> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        let Self {
            parameter,
            gradient,
            states,
            f,
        } = self;
        for (i, (p, &g)) in parameter.iter_mut().zip(gradient).enumerate() {
            // SAFETY: the states have as many elements as the parameter, are borrowed mutably as long
            // as this runs, and each task has its own range of them.
            let state = std::array::from_fn(|k| unsafe { &mut *states[k].add(i) });
            f(p, g, state);
        }
    }
}
