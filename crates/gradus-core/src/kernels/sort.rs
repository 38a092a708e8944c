//! Order: positions of sorted elements, row by row.
//!
//! An element becomes an integer that compares as the element does, with its position below it in
//! one number: sorting these is stable, and a comparison never meets a NaN.

use super::parallel;
use crate::dtype::Element;
use crate::error::Result;
use crate::storage::Buffer;

/// The key of every NaN: above all numbers.
pub(crate) const NAN: u64 = u64::MAX;

/// An integer that compares as `x` does: −0 like 0, and NaN above everything.
#[inline(always)]
pub(crate) fn key<T: Element>(x: T) -> u64 {
    const SIGN: u64 = 1 << 63;
    if !T::DTYPE.is_float() {
        return x.to_i64() as u64 ^ SIGN;
    }
    let x = x.to_f64();
    if x.is_nan() {
        return NAN;
    }
    // Adding 0 makes 0 of −0.
    let bits = (x + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// A key above the position it was found at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u128);

impl Place {
    #[inline(always)]
    fn new(key: u64, position: usize) -> Self {
        Self(u128::from(key) << 64 | position as u128)
    }
    /// What [`key`] has made of the element.
    #[inline(always)]
    pub(crate) fn key(self) -> u64 {
        (self.0 >> 64) as u64
    }
    /// Where in its row the element is.
    #[inline(always)]
    pub(crate) fn position(self) -> i64 {
        self.0 as i64
    }
}

/// For each row of `n` elements of `x` what `pick` writes, given the places of the row: `m` numbers.
pub(crate) fn pick<T: Element, U: Element>(
    x: &[T],
    n: usize,
    m: usize,
    descending: bool,
    pick: impl Fn(&mut [Place], &mut [U]) + Sync,
) -> Result<Buffer> {
    let rows = x.len().checked_div(n).unwrap_or(0);
    Buffer::build(rows * m, |out| {
        if out.is_empty() {
            return;
        }
        // Sorting an element costs as much as some ten additions.
        let rows = (parallel::GRAIN / 8 / n).max(1);
        parallel::fill(out, rows * m, |start, out| {
            let mut places = Vec::with_capacity(n);
            let rows = x[start / m * n..].chunks_exact(n);
            for (out, row) in out.chunks_exact_mut(m).zip(rows) {
                places.clear();
                places.extend(row.iter().enumerate().map(|(i, &x)| {
                    let key = key(x);
                    Place::new(if descending { !key } else { key }, i)
                }));
                pick(&mut places, out);
            }
        });
    })
}
