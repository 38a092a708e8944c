//! A point against many: the loops that all the time is spent in. They are inlined into callers
//! that the engine compiles for the processor at hand.

use super::index::Points;
use super::metric::{Coordinate, Distance};
use std::ops::{ControlFlow, Range};

/// Points that are compared at a time. What is read beyond the end of a range, where the next group
/// begins, is not counted.
const LANES: usize = 16;

/// The distances from a query to the `L` points from place `at` on.
#[inline(always)]
fn lanes<T: Coordinate, M: Distance, const L: usize>(
    points: &Points<T>,
    query: &[T],
    at: usize,
) -> [T; L] {
    let mut sums = [T::ZERO; L];
    for (k, &x) in query.iter().enumerate() {
        let column: &[T; L] = points.column(k)[at..at + L]
            .try_into()
            .expect("a slice of L");
        for (sum, &y) in sums.iter_mut().zip(column) {
            *sum = M::step(*sum, y - x);
        }
    }
    sums
}

/// How many of the points in `range` lie within `limit` of the query; at least `enough` if there
/// are as many.
#[inline(always)]
pub(super) fn count<T: Coordinate, M: Distance>(
    points: &Points<T>,
    query: &[T],
    range: Range<usize>,
    limit: T,
    enough: usize,
) -> usize {
    let (mut at, mut found) = (range.start, 0);
    while at < range.end && found < enough {
        if at + LANES <= points.n {
            let sums = lanes::<T, M, LANES>(points, query, at);
            found += within(&sums, limit, range.end - at) as usize;
            at += LANES;
        } else {
            found += usize::from(lanes::<T, M, 1>(points, query, at)[0] <= limit);
            at += 1;
        }
    }
    found
}

/// Calls `hit` with the places in `range` of the points within `limit` of the query, and their
/// distances, until it breaks.
#[inline(always)]
pub(super) fn search<T: Coordinate, M: Distance>(
    points: &Points<T>,
    query: &[T],
    range: Range<usize>,
    limit: T,
    mut hit: impl FnMut(usize, T) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut at = range.start;
    while at < range.end {
        let mut sums = [T::HIGHEST; LANES];
        let left = if at + LANES <= points.n {
            sums = lanes::<T, M, LANES>(points, query, at);
            (range.end - at).min(LANES)
        } else {
            [sums[0]] = lanes::<T, M, 1>(points, query, at);
            1
        };
        if within(&sums, limit, left) > 0 {
            for (lane, &sum) in sums[..left].iter().enumerate() {
                if sum <= limit {
                    hit(at + lane, sum)?;
                }
            }
        }
        at += left;
    }
    ControlFlow::Continue(())
}

/// How many of the first `left` distances are within the limit.
#[inline(always)]
fn within<T: Coordinate>(sums: &[T; LANES], limit: T, left: usize) -> u32 {
    let left = left.min(LANES) as u32;
    let mut count = 0;
    for (lane, &sum) in sums.iter().enumerate() {
        count += u32::from(sum <= limit) & u32::from((lane as u32) < left);
    }
    count
}

/// The distances from the `L` points from place `at` on to a box.
#[inline(always)]
pub(super) fn reaches<T: Coordinate, M: Distance, const L: usize>(
    points: &Points<T>,
    at: usize,
    (low, high): (&[T], &[T]),
) -> [T; L] {
    let mut sums = [T::ZERO; L];
    for (k, (&low, &high)) in low.iter().zip(high).enumerate() {
        let column: &[T; L] = points.column(k)[at..at + L]
            .try_into()
            .expect("a slice of L");
        for (sum, &x) in sums.iter_mut().zip(column) {
            let outside = (low - x).or_larger(x - high);
            *sum = M::step(*sum, outside.or_larger(T::ZERO));
        }
    }
    sums
}
