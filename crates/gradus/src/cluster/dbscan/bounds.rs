//! Boxes around points: how near their points can be, and how far.

use super::index::Points;
use super::metric::{Coordinate, Distance};
use std::ops::Range;

/// The smallest box with sides along the axes around some points.
pub(super) struct Bounds<T> {
    pub low: Vec<T>,
    pub high: Vec<T>,
}

impl<T: Coordinate> Bounds<T> {
    /// That of the points at these places.
    pub(super) fn of(points: &Points<T>, range: Range<usize>) -> Self {
        let side = |better: fn(T, T) -> bool| {
            let extreme = |k| {
                let mut values = points.column(k)[range.clone()].iter().copied();
                let first = values.next().expect("no group is empty");
                values.fold(first, |best, x| if better(x, best) { x } else { best })
            };
            (0..points.dims).map(extreme).collect()
        };
        Self {
            low: side(|x, best| x < best),
            high: side(|x, best| x > best),
        }
    }

    /// Its lowest and highest coordinates.
    pub(super) fn sides(&self) -> (&[T], &[T]) {
        (&self.low, &self.high)
    }
}

/// The length of the diagonal: no two points of the box are farther apart.
pub(super) fn diagonal<T: Coordinate, M: Distance>(low: &[T], high: &[T]) -> T {
    let sides = low.iter().zip(high).map(|(&low, &high)| high - low);
    sides.fold(T::ZERO, M::step)
}

/// The distance between two boxes: no point of one is nearer to a point of the other.
pub(super) fn gap<T: Coordinate, M: Distance>(a: (&[T], &[T]), b: (&[T], &[T])) -> T {
    let mut sum = T::ZERO;
    for k in 0..a.0.len() {
        let beside = (b.0[k] - a.1[k]).or_larger(a.0[k] - b.1[k]);
        sum = M::step(sum, beside.or_larger(T::ZERO));
    }
    sum
}

/// The largest distance between points of two boxes.
pub(super) fn farthest<T: Coordinate, M: Distance>(a: (&[T], &[T]), b: (&[T], &[T])) -> T {
    let mut sum = T::ZERO;
    for k in 0..a.0.len() {
        sum = M::step(sum, (b.1[k] - a.0[k]).or_larger(a.1[k] - b.0[k]));
    }
    sum
}

/// The distance between a point and a box.
#[inline(always)]
pub(super) fn reach<T: Coordinate, M: Distance>(point: &[T], low: &[T], high: &[T]) -> T {
    let mut sum = T::ZERO;
    for ((&x, &low), &high) in point.iter().zip(low).zip(high) {
        let outside = (low - x).or_larger(x - high);
        sum = M::step(sum, outside.or_larger(T::ZERO));
    }
    sum
}
