//! One pass over a parameter and what belongs to it: the inner loops of the optimizers.

use super::parallel::{self, Shared};
use super::vectorize;
use crate::dtype::Element;

/// Calls `f(parameter, gradient, state)` for every element of the parameter.
///
/// # Panics
/// If the gradient or a state is not as long as the parameter.
pub(crate) fn update<T: Element, const N: usize>(
    parameter: &mut [T],
    gradient: &[T],
    states: [&mut [T]; N],
    f: impl Fn(&mut T, T, [&mut T; N]) + Sync,
) {
    let n = parameter.len();
    assert!(
        gradient.len() == n && states.iter().all(|s| s.len() == n),
        "update: lengths differ"
    );
    let states = states.map(|s| Shared(s.as_mut_ptr()));
    parallel::fill(parameter, parallel::GRAIN, |start, parameter| {
        let gradient = &gradient[start..start + parameter.len()];
        let mut states: [&mut [T]; N] = std::array::from_fn(|i| {
            // SAFETY: the state has as many elements as the parameter (asserted above), is borrowed
            // mutably for this call, and `fill` gives each task its own range.
            unsafe { std::slice::from_raw_parts_mut(states[i].get().add(start), parameter.len()) }
        });
        vectorize(|| {
            for i in 0..parameter.len() {
                f(
                    &mut parameter[i],
                    gradient[i],
                    states.each_mut().map(|s| &mut s[i]),
                );
            }
        });
    });
}
