//! Means of windows, weighted or not, and the way back: both are linear, and each is the gradient of
//! the other.

use super::math::Float;
use super::windows::{Axis, Channels, Windows, in_blocks};
use crate::error::Result;
use crate::storage::Buffer;

/// Windows along an axis in which every place has a weight; sums are divided in the end.
#[derive(Debug)]
pub(crate) struct Weighted {
    pub axis: Axis,
    /// As many for each window as the largest has places.
    pub weights: Vec<f64>,
    /// One for each window.
    pub divisors: Vec<f64>,
}

/// Weighted windows over pictures, as [`Windows`].
pub(crate) struct Means<'a> {
    pub images: usize,
    pub rows: &'a Weighted,
    pub cols: &'a Weighted,
    pub channels: usize,
}

/// The weights and divisors of an axis as numbers of the dtype.
struct Numbers<T> {
    size: usize,
    weights: Vec<T>,
    divisors: Vec<T>,
}

impl<T: Float> Numbers<T> {
    fn of(weighted: &Weighted) -> Self {
        let convert = |x: &Vec<f64>| x.iter().map(|&x| T::from_f64(x)).collect();
        Self {
            size: weighted.axis.size,
            weights: convert(&weighted.weights),
            divisors: convert(&weighted.divisors),
        }
    }

    #[inline(always)]
    fn weight(&self, window: usize, place: usize) -> T {
        self.weights[window * self.size + place]
    }
}

impl<'a> Means<'a> {
    pub(crate) fn windows(&self) -> Windows<'a> {
        Windows {
            images: self.images,
            rows: &self.rows.axis,
            cols: &self.cols.axis,
            channels: self.channels,
        }
    }

    /// The mean of each window.
    pub(crate) fn gather<T: Float>(&self, x: &[T]) -> Result<Buffer> {
        let windows = self.windows();
        let numbers = [self.rows, self.cols].map(Numbers::of);
        Buffer::build(windows.results(), |out: &mut [T]| {
            windows.gather(out, |image, window, _, out| {
                let picture = windows.picture(x, image);
                let numbers = &numbers;
                in_blocks(
                    self.channels,
                    &mut Mean {
                        windows,
                        numbers,
                        picture,
                        window,
                        out,
                    },
                );
            });
        })
    }

    /// Every element gets of each window it is in the share that it has in its mean.
    pub(crate) fn spread<T: Float>(&self, g: &[T]) -> Result<Buffer> {
        let windows = self.windows();
        let [rows, cols] = [self.rows, self.cols].map(Numbers::<T>::of);
        Buffer::build(windows.elements(), |out: &mut [T]| {
            windows.spread(out, |[y, x], [i, j], result, out| {
                let weight = rows.weight(y, i) * cols.weight(x, j);
                let share = weight / (rows.divisors[y] * cols.divisors[x]);
                let g = &g[result..][..out.len()];
                in_blocks(self.channels, &mut Share { g, share, out });
            });
        })
    }
}

struct Mean<'a, T> {
    windows: Windows<'a>,
    numbers: &'a [Numbers<T>; 2],
    picture: &'a [T],
    window: [usize; 2],
    out: &'a mut [T],
}

impl<T: Float> Channels for Mean<'_, T> {
    #[inline(always)]
    fn block<const N: usize>(&mut self, first: usize) {
        let Windows {
            rows,
            cols,
            channels,
            ..
        } = self.windows;
        let ([row, col], [ys, xs]) = (self.window, self.numbers);
        let mut total = [T::ZERO; N];
        for (i, y) in rows.places(rows.windows[row]) {
            // First along the row, so that rounding does not grow with the whole window.
            let mut sum = [T::ZERO; N];
            for (j, x) in cols.places(cols.windows[col]) {
                let weight = xs.weight(col, j);
                let x = &self.picture[(y * cols.input + x) * channels + first..][..N];
                (0..N).for_each(|c| sum[c] = sum[c] + weight * x[c]);
            }
            let weight = ys.weight(row, i);
            (0..N).for_each(|c| total[c] = total[c] + weight * sum[c]);
        }
        let divisor = ys.divisors[row] * xs.divisors[col];
        let out = &mut self.out[first..][..N];
        (0..N).for_each(|c| out[c] = total[c] / divisor);
    }
}

struct Share<'a, T> {
    g: &'a [T],
    share: T,
    out: &'a mut [T],
}

impl<T: Float> Channels for Share<'_, T> {
    #[inline(always)]
    fn block<const N: usize>(&mut self, first: usize) {
        let (g, out) = (&self.g[first..][..N], &mut self.out[first..][..N]);
        (0..N).for_each(|c| out[c] = out[c] + g[c] * self.share);
    }
}
