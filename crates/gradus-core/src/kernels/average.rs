//! Means of windows, weighted or not. They are linear, so the way back is one of them too.

use super::gather::room;
use super::math::Float;
use super::windows::{Axis, Channels, Pixel, Pixels, Windows, block, in_blocks};
use crate::error::Result;
use crate::storage::Buffer;

/// Windows along an axis whose members have weights. What is summed by these is divided in the end.
#[derive(Debug)]
pub(crate) struct Weighted {
    pub axis: Axis,
    /// One for each member; all of them 1 if there are none.
    pub weights: Vec<f64>,
    /// One for each window; all of them 1 if there are none.
    pub divisors: Vec<f64>,
}

impl Weighted {
    /// For each position the windows it has a part in: what is made of means by these weights is
    /// the gradient.
    pub(crate) fn transposed(&self) -> Result<Self> {
        let (axis, before) = self.axis.transposed()?;
        let mut weights = room(before.len())?;
        let members = (0..axis.windows()).flat_map(|position| axis.window(position));
        weights.extend(members.zip(&before).map(|(member, &i)| {
            let weight = self.weights.get(i).unwrap_or(&1.0);
            weight / self.divisors.get(member.at).unwrap_or(&1.0)
        }));
        Ok(Self {
            axis,
            weights,
            divisors: Vec::new(),
        })
    }

    /// Weights and divisors as numbers of a dtype.
    fn numbers<T: Float>(&self) -> Result<[Vec<T>; 2]> {
        let all = |given: &[f64], n: usize| -> Result<Vec<T>> {
            let mut numbers = room(n)?;
            numbers.extend(given.iter().map(|&x| T::from_f64(x)));
            numbers.resize(n, T::ONE);
            Ok(numbers)
        };
        let weights = all(&self.weights, self.axis.members())?;
        Ok([weights, all(&self.divisors, self.axis.windows())?])
    }
}

/// The mean of each window of `images` pictures of `x`, whose channels lie side by side.
pub(crate) fn means<T: Float>(
    x: &[T],
    images: usize,
    [rows, cols]: [&Weighted; 2],
    channels: usize,
) -> Result<Buffer> {
    let numbers = [rows.numbers()?, cols.numbers()?];
    let (rows, cols) = (&rows.axis, &cols.axis);
    let windows = Windows {
        images,
        rows,
        cols,
        channels,
    };
    Buffer::build(windows.results(), |out: &mut [T]| {
        windows.gather(
            out,
            &Means {
                windows,
                numbers,
                x,
            },
        );
    })
}

struct Means<'a, T> {
    windows: Windows<'a>,
    numbers: [[Vec<T>; 2]; 2],
    x: &'a [T],
}

impl<T: Float> Pixels<T> for Means<'_, T> {
    #[inline(always)]
    fn pixel(&self, pixel: Pixel<'_>, out: &mut [T]) {
        let (windows, numbers) = (self.windows, &self.numbers);
        let x = self.x;
        in_blocks(
            out.len(),
            &mut Mean {
                windows,
                numbers,
                x,
                pixel,
                out,
            },
        );
    }
}

struct Mean<'a, T> {
    windows: Windows<'a>,
    numbers: &'a [[Vec<T>; 2]; 2],
    x: &'a [T],
    pixel: Pixel<'a>,
    out: &'a mut [T],
}

impl<T: Float> Channels for Mean<'_, T> {
    #[inline(always)]
    fn block<const N: usize>(&mut self, first: usize) {
        let (windows, pixel) = (self.windows, self.pixel);
        let Pixel { row, col, .. } = pixel;
        let (rows, cols) = (windows.rows, windows.cols);
        let [[down, above], [along, beside]] = self.numbers;
        let (down, along) = (&down[rows.members_of(row)], &along[cols.members_of(col)]);
        let mut total = [T::ZERO; N];
        for (i, &weight) in pixel.rows.iter().zip(down) {
            // First along the row, so that rounding does not grow with the whole window.
            let mut sum = [T::ZERO; N];
            for (j, &weight) in pixel.cols.iter().zip(along) {
                let x = block::<T, N>(self.x, windows.element(pixel, i, j) + first);
                (0..N).for_each(|c| sum[c] = sum[c] + weight * x[c]);
            }
            (0..N).for_each(|c| total[c] = total[c] + weight * sum[c]);
        }
        let divisor = above[row] * beside[col];
        if divisor != T::ONE {
            (0..N).for_each(|c| total[c] = total[c] / divisor);
        }
        self.out[first..][..N].copy_from_slice(&total);
    }
}
