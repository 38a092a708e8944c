//! Statistics of channels and what is made with them, for images whose channels lie side by side: the
//! inner loops of batch, group and instance normalisation.
//!
//! Numbers for each channel are repeated until they are as long as some registers, so that the loops
//! run over plain slices however few channels there are. Sums are gathered in blocks of fixed size
//! and combined in a fixed order, as f64.

use super::math::Float;
use super::{parallel, vectorize};
use crate::error::Result;
use crate::storage::Buffer;
use std::ops::Range;

/// Memory as `images` matrices of `rows × channels` elements.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    pub images: usize,
    pub rows: usize,
    pub channels: usize,
}

/// Least length of what numbers for each channel are repeated to.
const PERIOD: usize = 256;
/// Periods to a block, which the nearer caches hold.
const BLOCK: usize = 32;

/// Number, mean and sum of squared deviations from it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Moments {
    pub n: f64,
    pub mean: f64,
    pub squares: f64,
}

impl Moments {
    /// Those of both together (Chan, Golub and LeVeque, 1979).
    pub(crate) fn and(self, other: Self) -> Self {
        if self.n == 0.0 {
            return other;
        }
        let n = self.n + other.n;
        let d = other.mean - self.mean;
        Self {
            n,
            mean: self.mean + d * (other.n / n),
            squares: self.squares + other.squares + d * d * (self.n * other.n / n),
        }
    }
}

/// Σ g and Σ g·(x − origin).
#[derive(Clone, Copy, Default)]
pub(crate) struct Products {
    pub g: f64,
    pub gx: f64,
}

impl Products {
    fn and(self, other: Self) -> Self {
        Self {
            g: self.g + other.g,
            gx: self.gx + other.gx,
        }
    }
}

impl Rows {
    /// Elements that numbers for each channel are repeated to.
    fn period(&self) -> usize {
        let channels = self.channels.max(1);
        channels * (PERIOD / channels).max(1)
    }

    fn image(&self) -> usize {
        self.rows * self.channels
    }

    /// Calls `f` with each image and the elements of it that begin at `start` of all, to the end of
    /// `len` elements.
    fn images(&self, start: usize, len: usize, mut f: impl FnMut(usize, Range<usize>)) {
        let end = start + len;
        let mut at = start;
        while at < end {
            let image = at / self.image();
            let stop = end.min((image + 1) * self.image());
            f(image, at..stop);
            at = stop;
        }
    }

    /// One value for each channel of each image, gathered by `block` from runs of whole rows that
    /// begin anywhere.
    fn gather<A: Copy + Default + Send>(
        &self,
        block: impl Fn(usize, Range<usize>, &mut [A]) + Sync,
        combine: impl Fn(A, A) -> A + Sync,
    ) -> Vec<A> {
        let (channels, size) = (self.channels, self.image());
        if size == 0 {
            return vec![A::default(); self.images * channels];
        }
        let unit = self.period() * BLOCK;
        let band = unit * (parallel::GRAIN / unit).max(1);
        let bands = size.div_ceil(band);
        // Small images several to a task.
        let together = (parallel::GRAIN / size).clamp(1, self.images.max(1));
        let mut partial = vec![A::default(); self.images * bands * channels];
        parallel::fill(&mut partial, together * channels, |start, out| {
            let mut values = vec![A::default(); channels];
            for (i, out) in out.chunks_exact_mut(channels).enumerate() {
                let task = start / channels + i;
                let (image, band_number) = (task / bands, task % bands);
                let part = parallel::chunk(size, band, band_number);
                for begin in part.clone().step_by(unit) {
                    let first = image * size;
                    let elements = first + begin..first + part.end.min(begin + unit);
                    vectorize(|| block(image, elements, &mut values));
                    out.iter_mut()
                        .zip(&values)
                        .for_each(|(o, &v)| *o = combine(*o, v));
                }
            }
        });
        partial
            .chunks_exact(bands * channels)
            .flat_map(|bands| {
                let (first, others) = bands.split_at(channels);
                let mut sums = first.to_vec();
                for band in others.chunks_exact(channels) {
                    sums.iter_mut()
                        .zip(band)
                        .for_each(|(s, &b)| *s = combine(*s, b));
                }
                sums
            })
            .collect()
    }

    /// Number, mean and deviations of each channel of each image.
    pub(crate) fn moments<T: Float>(&self, x: &[T]) -> Vec<Moments> {
        let period = self.period();
        self.gather(
            |_, elements, out: &mut [Moments]| {
                let x = &x[elements];
                let n = (x.len() / self.channels) as f64;
                // Counted from the first row, so that what all have in common costs no digits.
                let mut center = repeated(&x[..self.channels], period);
                let mut sums = vec![T::ZERO; period];
                for x in x.chunks(period) {
                    let pairs = x.iter().zip(&center);
                    sums.iter_mut()
                        .zip(pairs)
                        .for_each(|(s, (&x, &c))| *s = *s + (x - c));
                }
                for (c, out) in out.iter_mut().enumerate() {
                    let mean = folded(&sums, c, self.channels) / n;
                    out.n = n;
                    out.mean = center[c].to_f64() + mean;
                    center[c] = center[c] + T::from_f64(mean);
                }
                let center = repeated(&center[..self.channels], period);
                sums.fill(T::ZERO);
                for x in x.chunks(period) {
                    let pairs = x.iter().zip(&center);
                    sums.iter_mut().zip(pairs).for_each(|(s, (&x, &c))| {
                        let d = x - c;
                        *s = *s + d * d;
                    });
                }
                for (c, out) in out.iter_mut().enumerate() {
                    out.squares = folded(&sums, c, self.channels);
                }
            },
            Moments::and,
        )
    }

    /// Σ g and Σ g·(x − origin) of each channel of each image.
    pub(crate) fn products<T: Float>(&self, x: &[T], g: &[T], origin: &[T]) -> Vec<Products> {
        let period = self.period();
        self.gather(
            |image, elements, out: &mut [Products]| {
                let (x, g) = (&x[elements.clone()], &g[elements]);
                let origin = repeated(&origin[image * self.channels..][..self.channels], period);
                let mut sums = vec![T::ZERO; period];
                let mut products = vec![T::ZERO; period];
                for (x, g) in x.chunks(period).zip(g.chunks(period)) {
                    let values = x.iter().zip(g).zip(&origin);
                    let sums = sums.iter_mut().zip(&mut products);
                    sums.zip(values).for_each(|((s, p), ((&x, &g), &o))| {
                        *s = *s + g;
                        *p = *p + g * (x - o);
                    });
                }
                for (c, out) in out.iter_mut().enumerate() {
                    out.g = folded(&sums, c, self.channels);
                    out.gx = folded(&products, c, self.channels);
                }
            },
            Products::and,
        )
    }

    /// (x − origin)·factor + shift, with three numbers for each channel of each image.
    pub(crate) fn affine<T: Float>(
        &self,
        x: &[T],
        [origin, factor, shift]: [&[T]; 3],
    ) -> Result<Buffer> {
        self.each(x.len(), |out, elements, image| {
            let [origin, factor, shift] = self.numbers([origin, factor, shift], image);
            let period = origin.len();
            for (out, x) in out.chunks_mut(period).zip(x[elements].chunks(period)) {
                let numbers = origin.iter().zip(&factor).zip(&shift);
                let values = x.iter().zip(numbers);
                out.iter_mut()
                    .zip(values)
                    .for_each(|(o, (&x, ((&m, &f), &s)))| *o = (x - m) * f + s);
            }
        })
    }

    /// g·a + (x − origin)·b + c, with four numbers for each channel of each image.
    pub(crate) fn combined<T: Float>(
        &self,
        x: &[T],
        g: &[T],
        numbers: [&[T]; 4],
    ) -> Result<Buffer> {
        self.each(x.len(), |out, elements, image| {
            let [origin, a, b, c] = self.numbers(numbers, image);
            let period = origin.len();
            let inputs = x[elements.clone()]
                .chunks(period)
                .zip(g[elements].chunks(period));
            for (out, (x, g)) in out.chunks_mut(period).zip(inputs) {
                let numbers = origin.iter().zip(&a).zip(b.iter().zip(&c));
                let values = x.iter().zip(g).zip(numbers);
                out.iter_mut()
                    .zip(values)
                    .for_each(|(o, ((&x, &g), ((&m, &a), (&b, &c))))| {
                        *o = g * a + ((x - m) * b + c)
                    });
            }
        })
    }

    /// The numbers of an image, repeated.
    fn numbers<T: Float, const N: usize>(&self, of: [&[T]; N], image: usize) -> [Vec<T>; N] {
        of.map(|x| repeated(&x[image * self.channels..][..self.channels], self.period()))
    }

    /// Writes a result of the same shape: `f(out, elements, image)` a part of an image, from the
    /// beginning of a row on.
    fn each<T: Float>(
        &self,
        len: usize,
        f: impl Fn(&mut [T], Range<usize>, usize) + Sync,
    ) -> Result<Buffer> {
        let period = self.period();
        Buffer::build(len, |out| {
            parallel::fill(
                out,
                period * (2 * parallel::GRAIN).div_ceil(period),
                |start, out| {
                    let len = out.len();
                    self.images(start, len, |image, elements| {
                        let out = &mut out[elements.start - start..elements.end - start];
                        vectorize(|| f(out, elements, image));
                    });
                },
            );
        })
    }
}

/// `x` again and again, `n` elements in all.
fn repeated<T: Float>(x: &[T], n: usize) -> Vec<T> {
    x.iter().copied().cycle().take(n).collect()
}

/// The sum of what belongs to channel `c` in sums that are repeated.
#[inline(always)]
fn folded<T: Float>(sums: &[T], c: usize, channels: usize) -> f64 {
    sums[c..].iter().step_by(channels).map(|s| s.to_f64()).sum()
}
