//! Normalisation of the rows of a contiguous matrix: to mean 0 and variance 1, or to a root mean
//! square of 1.

use super::math::Float;
use super::rows::{sum, sum_of};
use super::{parallel, vectorize};
use crate::error::Result;
use crate::storage::Buffer;

/// How rows of `n` elements are normalised: x̂ = (x − mean)/√(variance + eps), or x/√(mean x² + eps)
/// if they are not centred.
///
/// The statistics are computed anew wherever they are needed: a row that is in the cache anyway
/// costs less to read again than to fetch numbers that were kept.
pub(crate) struct Normalize<'a, T> {
    pub n: usize,
    pub center: bool,
    pub eps: T,
    pub weight: Option<&'a [T]>,
}

impl<T: Float> Normalize<'_, T> {
    /// The mean that is subtracted, and the factor. Two passes: what is left after the mean is
    /// squared, so nothing cancels.
    #[inline(always)]
    fn statistics(&self, x: &[T]) -> (T, T) {
        let n = T::from_f64(self.n as f64);
        let mean = if self.center { sum(x) / n } else { T::ZERO };
        let variance = sum_of(x, |x| (x - mean) * (x - mean)) / n;
        (mean, T::ONE / (variance + self.eps).sqrt())
    }

    /// x̂·weight + bias.
    pub(crate) fn forward(&self, x: &[T], bias: Option<&[T]>) -> Result<Buffer> {
        self.rows(x, x, |out, x, _| {
            let (mean, scale) = self.statistics(x);
            out.iter_mut()
                .zip(x)
                .for_each(|(o, &x)| *o = (x - mean) * scale);
            self.weigh(out);
            if let Some(bias) = bias {
                out.iter_mut().zip(bias).for_each(|(o, &b)| *o = *o + b);
            }
        })
    }

    /// The gradient of x, given that of the result: with h = g·weight,
    /// (h − mean h − x̂·mean(h·x̂))/√(variance + eps), where the first mean is left out if rows are
    /// not centred.
    pub(crate) fn backward(&self, x: &[T], g: &[T]) -> Result<Buffer> {
        let n = T::from_f64(self.n as f64);
        self.rows(x, g, |out, x, g| {
            let (mean, scale) = self.statistics(x);
            out.copy_from_slice(g);
            self.weigh(out);
            let shift = if self.center { sum(out) / n } else { T::ZERO };
            let mut dot = [T::ZERO; 8];
            for (out, x) in out.chunks(8).zip(x.chunks(8)) {
                for (d, (&h, &x)) in dot.iter_mut().zip(out.iter().zip(x)) {
                    *d = *d + h * (x - mean);
                }
            }
            let slope = sum(&dot) / n * scale * scale;
            out.iter_mut()
                .zip(x)
                .for_each(|(o, &x)| *o = (*o - shift - (x - mean) * slope) * scale);
        })
    }

    /// g·x̂: what is summed over the rows is the gradient of the weight.
    pub(crate) fn weight_backward(&self, x: &[T], g: &[T]) -> Result<Buffer> {
        self.rows(x, g, |out, x, g| {
            let (mean, scale) = self.statistics(x);
            out.iter_mut()
                .zip(x.iter().zip(g))
                .for_each(|(o, (&x, &g))| *o = (x - mean) * scale * g);
        })
    }

    #[inline(always)]
    fn weigh(&self, out: &mut [T]) {
        if let Some(weight) = self.weight {
            out.iter_mut().zip(weight).for_each(|(o, &w)| *o = *o * w);
        }
    }

    /// `f` of each row of the result and of both operands.
    fn rows(&self, x: &[T], g: &[T], f: impl Fn(&mut [T], &[T], &[T]) + Sync) -> Result<Buffer> {
        let n = self.n;
        Buffer::build(x.len(), |out| {
            parallel::fill_rows(out, n, |start, out| {
                let inputs = x[start..].chunks_exact(n).zip(g[start..].chunks_exact(n));
                vectorize(|| {
                    out.chunks_exact_mut(n)
                        .zip(inputs)
                        .for_each(|(out, (x, g))| f(out, x, g));
                });
            });
        })
    }
}
