//! Statistics of channels and what is made with them, for images whose channels lie side by side: the
//! inner loops of batch, group and instance normalisation.
//!
//! Numbers for each channel are repeated until they are as long as some registers, so that the loops
//! run over plain slices however few channels there are. Sums are gathered in blocks of fixed size
//! and combined in a fixed order, as f64.

use super::math::Float;
use super::{Loop, parallel, vectorize};
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
/// Periods to a block, after which accumulators are emptied.
const BLOCK: usize = 32;

/// Number, mean and sum of squared deviations from it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Moments {
    pub n: f64,
    pub mean: f64,
    pub squares: f64,
}

/// Σ g and Σ g·(x − origin).
#[derive(Clone, Copy, Default)]
pub(crate) struct Products {
    pub g: f64,
    pub gx: f64,
}

/// What is gathered of many elements.
pub(crate) trait Gathered: Copy + Default + Send {
    /// What both have gathered.
    fn and(self, other: Self) -> Self;
}

impl Gathered for Moments {
    /// Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
    /// Variances", 1979.
    fn and(self, other: Self) -> Self {
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

impl Gathered for Products {
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

    /// Elements of an image.
    fn image(&self) -> usize {
        self.rows * self.channels
    }

    /// Number, mean and deviations of each channel of each image.
    pub(crate) fn moments<T: Float>(&self, x: &[T]) -> Vec<Moments> {
        self.bands(&Deviations { x })
    }

    /// Σ g and Σ g·(x − origin) of each channel of each image; there is an origin for each of them.
    pub(crate) fn products<T: Float>(&self, x: &[T], g: &[T], origin: &[T]) -> Vec<Products> {
        self.bands(&Slopes { x, g, origin })
    }

    /// (x − origin)·factor + shift, with three numbers for each channel of each image.
    pub(crate) fn affine<T: Float>(&self, x: &[T], numbers: [&[T]; 3]) -> Result<Buffer> {
        self.each(x.len(), &Affine { x }, numbers)
    }

    /// g·a + (x − origin)·b + c, with four numbers for each channel of each image: origin, a, b, c.
    pub(crate) fn combined<T: Float>(
        &self,
        x: &[T],
        g: &[T],
        numbers: [&[T]; 4],
    ) -> Result<Buffer> {
        self.each(x.len(), &Combined { x, g }, numbers)
    }

    /// One value for each channel of each image, gathered in bands of rows.
    fn bands<B: Band>(&self, band: &B) -> Vec<B::Value> {
        let (channels, size) = (self.channels, self.image());
        if size == 0 {
            return vec![B::Value::default(); self.images * channels];
        }
        let period = self.period();
        let length = period * (4 * parallel::GRAIN).div_ceil(period);
        let bands = size.div_ceil(length);
        // Small images several to a task.
        let together = (parallel::GRAIN / size).clamp(1, self.images.max(1));
        let mut partial = vec![B::Value::default(); self.images * bands * channels];
        parallel::fill(&mut partial, together * channels, |start, out| {
            for (i, out) in out.chunks_exact_mut(channels).enumerate() {
                let task = start / channels + i;
                let (image, part) = (task / bands, parallel::chunk(size, length, task % bands));
                let elements = image * size + part.start..image * size + part.end;
                vectorize(Gather {
                    rows: self,
                    band,
                    image,
                    elements,
                    out,
                });
            }
        });
        let images = partial.chunks_exact(bands * channels);
        images
            .flat_map(|image| {
                (0..channels).map(move |c| {
                    let bands = image[c..].iter().step_by(channels);
                    bands.fold(B::Value::default(), |sum, &value| sum.and(value))
                })
            })
            .collect()
    }

    /// Writes a result of `len` elements with numbers for each channel of each image.
    fn each<T: Float, const N: usize>(
        &self,
        len: usize,
        work: &impl Each<T, N>,
        numbers: [&[T]; N],
    ) -> Result<Buffer> {
        let period = self.period();
        Buffer::build(len, |out| {
            let grain = period * (2 * parallel::GRAIN).div_ceil(period);
            parallel::fill(out, grain, |start, out| {
                let (mut at, end) = (start, start + out.len());
                while at < end {
                    let image = at / self.image();
                    let elements = at..end.min((image + 1) * self.image());
                    let first = image * self.channels;
                    let numbers = numbers.map(|x| repeated(&x[first..][..self.channels], period));
                    at = elements.end;
                    let out = &mut out[elements.start - start..elements.end - start];
                    vectorize(Run {
                        work,
                        numbers,
                        elements,
                        out,
                    });
                }
            });
        })
    }
}

/// How values for each channel are gathered.
trait Band: Sync {
    type Value: Gathered;
    /// Writes the values of `elements`, whole rows of an image.
    fn gather(&self, rows: &Rows, image: usize, elements: Range<usize>, out: &mut [Self::Value]);
}

struct Gather<'a, B: Band> {
    rows: &'a Rows,
    band: &'a B,
    image: usize,
    elements: Range<usize>,
    out: &'a mut [B::Value],
}

impl<B: Band> Loop for Gather<'_, B> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        self.band
            .gather(self.rows, self.image, self.elements, self.out);
    }
}

/// A sum for each channel.
struct Sums<T> {
    /// Accumulators of a block.
    block: Vec<T>,
    total: Vec<f64>,
}

impl<T: Float> Sums<T> {
    fn new(rows: &Rows) -> Self {
        Self {
            block: vec![T::ZERO; rows.period()],
            total: vec![0.0; rows.channels],
        }
    }

    /// Moves what the accumulators have to the totals.
    #[inline(always)]
    fn empty(&mut self) {
        for part in self.block.chunks_exact(self.total.len()) {
            let pairs = self.total.iter_mut().zip(part);
            pairs.for_each(|(total, &x)| *total += x.to_f64());
        }
        self.block.fill(T::ZERO);
    }
}

/// Moments. Deviations are counted from the mean of the first block: what all elements have in common
/// costs no digits then, and what the squares count too much is no more than the block's share of
/// their sum allows.
struct Deviations<'a, T> {
    x: &'a [T],
}

impl<T: Float> Band for Deviations<'_, T> {
    type Value = Moments;
    #[inline(always)]
    fn gather(&self, rows: &Rows, _: usize, elements: Range<usize>, out: &mut [Moments]) {
        let (x, period, channels) = (&self.x[elements], rows.period(), rows.channels);
        let [mut sum, mut squares] = [Sums::<T>::new(rows), Sums::new(rows)];
        let first = &x[..x.len().min(period * BLOCK)];
        let origin = repeated(&x[..channels], period);
        for x in first.chunks(period) {
            let pairs = x.iter().zip(&origin);
            let sums = sum.block.iter_mut().zip(pairs);
            sums.for_each(|(s, (&x, &o))| *s = *s + (x - o));
        }
        sum.empty();
        let n = (first.len() / channels) as f64;
        let means = sum.total.iter().zip(&origin);
        let means: Vec<T> = means.map(|(s, &o)| o + T::from_f64(s / n)).collect();
        let center = repeated(&means, period);
        sum.total.fill(0.0);
        for block in x.chunks(period * BLOCK) {
            for x in block.chunks(period) {
                let pairs = x.iter().zip(&center);
                let sums = sum.block.iter_mut().zip(&mut squares.block);
                sums.zip(pairs).for_each(|((s, q), (&x, &c))| {
                    let d = x - c;
                    (*s, *q) = (*s + d, *q + d * d);
                });
            }
            sum.empty();
            squares.empty();
        }
        let n = (x.len() / channels) as f64;
        let sums = sum.total.iter().zip(&squares.total);
        for (out, ((&s, &q), &center)) in out.iter_mut().zip(sums.zip(&center)) {
            let squares = q - s * s / n;
            *out = Moments {
                n,
                mean: center.to_f64() + s / n,
                squares: if squares < 0.0 { 0.0 } else { squares },
            };
        }
    }
}

struct Slopes<'a, T> {
    x: &'a [T],
    g: &'a [T],
    origin: &'a [T],
}

impl<T: Float> Band for Slopes<'_, T> {
    type Value = Products;
    #[inline(always)]
    fn gather(&self, rows: &Rows, image: usize, elements: Range<usize>, out: &mut [Products]) {
        let (x, g, period) = (&self.x[elements.clone()], &self.g[elements], rows.period());
        let origin = &self.origin[image * rows.channels..][..rows.channels];
        let origin = repeated(origin, period);
        let [mut sum, mut products] = [Sums::<T>::new(rows), Sums::new(rows)];
        let blocks = x.chunks(period * BLOCK).zip(g.chunks(period * BLOCK));
        for (x, g) in blocks {
            for (x, g) in x.chunks(period).zip(g.chunks(period)) {
                let values = x.iter().zip(g).zip(&origin);
                let sums = sum.block.iter_mut().zip(&mut products.block);
                sums.zip(values).for_each(|((s, p), ((&x, &g), &o))| {
                    (*s, *p) = (*s + g, *p + g * (x - o));
                });
            }
            sum.empty();
            products.empty();
        }
        let sums = sum.total.iter().zip(&products.total);
        for (out, (&g, &gx)) in out.iter_mut().zip(sums) {
            *out = Products { g, gx };
        }
    }
}

/// How a result is made element by element, with numbers for each channel that are repeated.
trait Each<T, const N: usize>: Sync {
    fn run(&self, elements: Range<usize>, numbers: [&[T]; N], out: &mut [T]);
}

struct Run<'a, T, W, const N: usize> {
    work: &'a W,
    numbers: [Vec<T>; N],
    elements: Range<usize>,
    out: &'a mut [T],
}

impl<T, W: Each<T, N>, const N: usize> Loop for Run<'_, T, W, N> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        let period = self.numbers[0].len();
        let starts = self.elements.clone().step_by(period);
        for (at, out) in starts.zip(self.out.chunks_mut(period)) {
            let numbers = self.numbers.each_ref().map(|x| &x[..out.len()]);
            self.work.run(at..at + out.len(), numbers, out);
        }
    }
}

struct Affine<'a, T> {
    x: &'a [T],
}

impl<T: Float> Each<T, 3> for Affine<'_, T> {
    #[inline(always)]
    fn run(&self, elements: Range<usize>, [origin, factor, shift]: [&[T]; 3], out: &mut [T]) {
        let numbers = origin.iter().zip(factor).zip(shift);
        let values = self.x[elements].iter().zip(numbers);
        out.iter_mut()
            .zip(values)
            .for_each(|(o, (&x, ((&m, &f), &s)))| *o = (x - m) * f + s);
    }
}

struct Combined<'a, T> {
    x: &'a [T],
    g: &'a [T],
}

impl<T: Float> Each<T, 4> for Combined<'_, T> {
    #[inline(always)]
    fn run(&self, elements: Range<usize>, [origin, a, b, c]: [&[T]; 4], out: &mut [T]) {
        let numbers = origin.iter().zip(a).zip(b.iter().zip(c));
        let (x, g) = (&self.x[elements.clone()], &self.g[elements]);
        let values = x.iter().zip(g).zip(numbers);
        out.iter_mut()
            .zip(values)
            .for_each(|(o, ((&x, &g), ((&m, &a), (&b, &c))))| *o = g * a + ((x - m) * b + c));
    }
}

/// `x` again and again, `n` elements in all.
fn repeated<T: Float>(x: &[T], n: usize) -> Vec<T> {
    x.iter().copied().cycle().take(n).collect()
}
