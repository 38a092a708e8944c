//! PyTorch's stream on the CPU, as it is on processors with AVX2 and FMA. Facts were found in
//! PyTorch's sources and checked against PyTorch 2.15.

use super::cephes;
use super::generator::{Real, Stream};
use crate::kernels::math::Float;
use crate::kernels::vectorize;
use rand_mt::Mt;
use std::f64::consts::PI;

#[derive(Clone, Debug)]
pub(super) struct Torch {
    bits: Mt,
    /// The Box–Muller transform yields two numbers at a time; the second is kept, also between
    /// calls.
    spare: Option<f64>,
}

/// Numbers are made in groups of so many: the first half of the uniform numbers gives the radii,
/// the second half the angles.
const GROUP: usize = 16;

/// What differs between f32 and f64.
pub(super) trait Draw: Float {
    /// Uniform in [0, 1), with as many bits as the type has digits.
    fn unit(stream: &mut Torch) -> Self;
    /// a · b + c, rounded once.
    fn fused(a: Self, b: Self, c: Self) -> Self;
    /// Turns uniform numbers into normal ones with this mean and standard deviation.
    fn normals(groups: &mut [[Self; GROUP]], mean: Self, std: Self);
}

impl Draw for f32 {
    fn unit(stream: &mut Torch) -> Self {
        (stream.bits.next_u32() & 0xff_ffff) as f32 / (1u32 << 24) as f32
    }

    #[inline(always)]
    fn fused(a: Self, b: Self, c: Self) -> Self {
        a.mul_add(b, c)
    }

    fn normals(groups: &mut [[Self; GROUP]], mean: Self, std: Self) {
        vectorize(
            #[inline(always)]
            || {
                for group in groups {
                    let (cosines, sines) = group.split_at_mut(GROUP / 2);
                    for (x, y) in cosines.iter_mut().zip(sines) {
                        let radius = (-2.0 * cephes::ln(1.0 - *x)).sqrt();
                        let (sin, cos) = cephes::sin_cos(2.0 * PI as f32 * *y);
                        *x = (radius * cos).mul_add(std, mean);
                        *y = (radius * sin).mul_add(std, mean);
                    }
                }
            },
        );
    }
}

impl Draw for f64 {
    fn unit(stream: &mut Torch) -> Self {
        stream.uniform()
    }

    fn fused(a: Self, b: Self, c: Self) -> Self {
        a.mul_add(b, c)
    }

    fn normals(groups: &mut [[Self; GROUP]], mean: Self, std: Self) {
        for group in groups {
            let (cosines, sines) = group.split_at_mut(GROUP / 2);
            for (x, y) in cosines.iter_mut().zip(sines) {
                let radius = (-2.0 * (1.0 - *x).ln()).sqrt();
                let (sin, cos) = (2.0 * PI * *y).sin_cos();
                *x = (radius * cos).mul_add(std, mean);
                *y = (radius * sin).mul_add(std, mean);
            }
        }
    }
}

impl Torch {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            bits: Mt::new(seed as u32),
            spare: None,
        }
    }
}

impl Stream for Torch {
    fn next_u64(&mut self) -> u64 {
        let high = u64::from(self.bits.next_u32());
        high << 32 | u64::from(self.bits.next_u32())
    }

    fn uniform(&mut self) -> f64 {
        (self.next_u64() & ((1 << 53) - 1)) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let (u, v) = (self.uniform(), self.uniform());
        let radius = (-2.0 * (-v).ln_1p()).sqrt();
        let (sin, cos) = (2.0 * PI * u).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    fn below(&mut self, n: u64) -> u64 {
        if n < 1 << 28 {
            u64::from(self.bits.next_u32()) % n
        } else {
            self.next_u64() % n
        }
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        let n = list.len();
        // From here on PyTorch finds remainders of 32 bits too uneven, and goes the other way round.
        if n >= u32::MAX as usize / 20 {
            (0..n).for_each(|i| list.swap(i, (self.next_u64() % (i as u64 + 1)) as usize));
        } else {
            (0..n.saturating_sub(1))
                .for_each(|i| list.swap(i, i + self.bits.next_u32() as usize % (n - i)));
        }
    }

    fn fill_uniform<T: Real>(&mut self, out: &mut [T], low: f64, high: f64) {
        let (low, high) = (T::from_f64(low), T::from_f64(high));
        out.iter_mut()
            .for_each(|x| *x = T::fused(T::unit(self), high - low, low));
    }

    /// Few numbers, or such that do not lie side by side, come one after the other. Else all
    /// uniform numbers are drawn first, and 16 of them more for the last group if the others do not
    /// fill it.
    fn fill_normal<T: Real>(&mut self, out: &mut [T], mean: f64, std: f64, scattered: bool) {
        if scattered || out.len() < GROUP {
            return out
                .iter_mut()
                .for_each(|x| *x = T::from_f64(self.normal().mul_add(std, mean)));
        }
        let (mean, std) = (T::from_f64(mean), T::from_f64(std));
        out.iter_mut().for_each(|x| *x = T::unit(self));
        let (groups, rest) = out.as_chunks_mut();
        T::normals(groups, mean, std);
        if !rest.is_empty() {
            let last = out.last_chunk_mut().expect("at least a group");
            last.iter_mut().for_each(|x| *x = T::unit(self));
            T::normals(std::slice::from_mut(last), mean, std);
        }
    }

    fn fill_exponential<T: Real>(&mut self, out: &mut [T], rate: f64) {
        out.iter_mut()
            .for_each(|x| *x = T::from_f64(-1.0 / rate * (-self.uniform()).ln_1p()));
    }
}
