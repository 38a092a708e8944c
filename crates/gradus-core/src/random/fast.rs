//! The default stream. Single numbers come from xoshiro256++ (Blackman and Vigna); a tensor is
//! filled from the counter-based generator Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel
//! random numbers: as easy as 1, 2, 3", 2011), whose key is one number of the former.
//!
//! What Philox gives for an element follows from the key and the element's position alone. So many
//! threads can fill a tensor, and vectors within them, and the bits are always the same.

use super::generator::{Real, Stream};
use crate::dtype::Element;
use crate::kernels::math::Float;
use crate::kernels::{parallel, vectorize};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::f64::consts::{FRAC_PI_4, TAU};

#[derive(Clone, Debug)]
pub(super) struct Fast {
    bits: Xoshiro256PlusPlus,
    /// The Box–Muller transform yields two normal numbers at a time.
    spare: Option<f64>,
}

/// Philox blocks that are computed side by side, in the lanes of vectors.
const LANES: usize = 16;
/// The four words of each of as many blocks.
type Tile = [[u32; LANES]; 4];

/// The tile with this number: blocks `number · LANES` and following, as counters under `key`.
#[inline(always)]
fn philox(key: u64, number: u64) -> Tile {
    let counter = |lane: usize| number.wrapping_mul(LANES as u64).wrapping_add(lane as u64);
    let mut x = [
        std::array::from_fn(|lane| counter(lane) as u32),
        std::array::from_fn(|lane| (counter(lane) >> 32) as u32),
        [0; LANES],
        [0; LANES],
    ];
    let (mut k, mut l) = (key as u32, (key >> 32) as u32);
    for _ in 0..10 {
        let [x0, x1, x2, x3] = &mut x;
        for (((x0, x1), x2), x3) in x0.iter_mut().zip(x1).zip(x2).zip(x3) {
            let a = 0xd251_1f53 * u64::from(*x0);
            let b = 0xcd9e_8d57 * u64::from(*x2);
            (*x0, *x1) = ((b >> 32) as u32 ^ *x1 ^ k, b as u32);
            (*x2, *x3) = ((a >> 32) as u32 ^ *x3 ^ l, a as u32);
        }
        k = k.wrapping_add(0x9e37_79b9);
        l = l.wrapping_add(0xbb67_ae85);
    }
    x
}

/// Fills `out` with what `f` makes of one tile after the other, `N` elements of each.
#[inline(always)]
fn fill<T: Element, const N: usize>(key: u64, out: &mut [T], f: impl Fn(Tile) -> [T; N] + Sync) {
    parallel::fill(out, parallel::GRAIN / 4, |start, out| {
        vectorize(
            #[inline(always)]
            || {
                for (out, number) in out.chunks_mut(N).zip((start / N) as u64..) {
                    out.copy_from_slice(&f(philox(key, number))[..out.len()]);
                }
            },
        );
    });
}

/// Two words as one of 64 bits.
#[inline(always)]
fn join(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// What differs between f32 and f64: how many bits make a number.
pub(super) trait Lane: Float {
    /// `f` of numbers that are uniform in [0, 1).
    fn fill_units(key: u64, out: &mut [Self], f: impl Fn(Self) -> Self + Sync);
    /// `f` of numbers that are uniform in (0, 1], down to very small ones.
    fn fill_open(key: u64, out: &mut [Self], f: impl Fn(Self) -> Self + Sync);
    /// `f` of numbers that are standard normal.
    fn fill_normals(key: u64, out: &mut [Self], f: impl Fn(Self) -> Self + Sync);
}

impl Lane for f32 {
    fn fill_units(key: u64, out: &mut [Self], f: impl Fn(Self) -> Self + Sync) {
        fill(
            key,
            out,
            #[inline(always)]
            |tile| -> [f32; 4 * LANES] {
                let words = tile.as_flattened();
                std::array::from_fn(|i| f((words[i] >> 8) as i32 as f32 / (1u32 << 24) as f32))
            },
        );
    }

    fn fill_open(key: u64, out: &mut [Self], f: impl Fn(Self) -> Self + Sync) {
        fill(
            key,
            out,
            #[inline(always)]
            |tile| -> [f32; 4 * LANES] {
                let words = tile.as_flattened();
                std::array::from_fn(|i| f(open32(words[i])))
            },
        );
    }

    fn fill_normals(key: u64, out: &mut [Self], f: impl Fn(Self) -> Self + Sync) {
        fill(
            key,
            out,
            #[inline(always)]
            |tile| {
                let mut out = [0.0; 4 * LANES];
                for half in [0, 2] {
                    for lane in 0..LANES {
                        let (u, angle) = (tile[half][lane], tile[half + 1][lane]);
                        let eighth = (angle << 2) as i32 as f32 / (1u32 << 31) as f32;
                        let (x, y) =
                            box_muller(open32(u), angle >> 30, eighth, SINE_F32, COSINE_F32);
                        out[half * LANES + lane] = f(x);
                        out[(half + 1) * LANES + lane] = f(y);
                    }
                }
                out
            },
        );
    }
}

impl Lane for f64 {
    fn fill_units(key: u64, out: &mut [Self], f: impl Fn(Self) -> Self + Sync) {
        fill(
            key,
            out,
            #[inline(always)]
            |tile| -> [f64; 2 * LANES] {
                std::array::from_fn(|i| {
                    let (half, lane) = (i / LANES * 2, i % LANES);
                    f(unit64(join(tile[half][lane], tile[half + 1][lane])))
                })
            },
        );
    }

    fn fill_open(key: u64, out: &mut [Self], f: impl Fn(Self) -> Self + Sync) {
        fill(
            key,
            out,
            #[inline(always)]
            |tile| -> [f64; 2 * LANES] {
                std::array::from_fn(|i| {
                    let (half, lane) = (i / LANES * 2, i % LANES);
                    f(1.0 - unit64(join(tile[half][lane], tile[half + 1][lane])))
                })
            },
        );
    }

    fn fill_normals(key: u64, out: &mut [Self], f: impl Fn(Self) -> Self + Sync) {
        fill(
            key,
            out,
            #[inline(always)]
            |tile| {
                let mut out = [0.0; 2 * LANES];
                for lane in 0..LANES {
                    let u = 1.0 - unit64(join(tile[0][lane], tile[1][lane]));
                    let angle = join(tile[2][lane], tile[3][lane]);
                    let eighth = (angle << 2) as i64 as f64 / (1u64 << 63) as f64;
                    let quarter = (angle >> 62) as u32;
                    let (x, y) = box_muller(u, quarter, eighth, SINE_F64, COSINE_F64);
                    out[lane] = f(x);
                    out[LANES + lane] = f(y);
                }
                out
            },
        );
    }
}

/// Uniform in [0, 1) with 53 bits.
#[inline(always)]
fn unit64(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// Uniform in (0, 1], down to 2⁻³³: 1 minus a number of 24 bits would end at 2⁻²⁴ and cut off the
/// tails.
#[inline(always)]
fn open32(bits: u32) -> f32 {
    bits as f32 * (1.0 / (1u64 << 32) as f32) + 1.0 / (1u64 << 33) as f32
}

/// Two independent normal numbers (Box and Muller, 1958) from `u` in (0, 1] and a direction:
/// `eighth`, in [−1, 1), counts eighths of a turn around one of the four axes that `quarter` names.
/// The sine is `eighth`·Σ sineᵢ·zⁱ, the cosine Σ cosineᵢ·zⁱ, where z is the square of the angle.
#[inline(always)]
fn box_muller<T: Float, const S: usize, const C: usize>(
    u: T,
    quarter: u32,
    eighth: T,
    sine: [f64; S],
    cosine: [f64; C],
) -> (T, T) {
    let angle = eighth * T::from_f64(FRAC_PI_4);
    let z = angle * angle;
    let sin = angle * horner(z, sine);
    let cos = horner(z, cosine);
    let radius = (T::from_f64(-2.0) * u.ln()).sqrt();
    let radius = if quarter & 2 == 0 { radius } else { -radius };
    if quarter & 1 == 0 {
        (radius * cos, radius * sin)
    } else {
        (radius * sin, radius * cos)
    }
}

#[inline(always)]
fn horner<T: Float, const N: usize>(z: T, coefficients: [f64; N]) -> T {
    let sum = |sum: T, c: &f64| sum * z + T::from_f64(*c);
    coefficients.iter().rev().fold(T::ZERO, sum)
}

/// The Taylor series of sin x / x and cos x in x², as far as the type can tell for |x| ≤ π/4.
const SINE_F64: [f64; 9] = taylor(1);
const COSINE_F64: [f64; 9] = taylor(0);
const SINE_F32: [f64; 5] = taylor(1);
const COSINE_F32: [f64; 6] = taylor(0);

/// (−1)ⁱ / (2i + first)!
const fn taylor<const N: usize>(first: usize) -> [f64; N] {
    let mut series = [1.0; N];
    let mut i = 1;
    while i < N {
        let n = 2 * i + first;
        series[i] = -series[i - 1] / (n * (n - 1)) as f64;
        i += 1;
    }
    series
}

impl Fast {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            bits: Xoshiro256PlusPlus::seed_from_u64(seed),
            spare: None,
        }
    }
}

impl Stream for Fast {
    fn next_u64(&mut self) -> u64 {
        self.bits.next_u64()
    }

    fn uniform(&mut self) -> f64 {
        unit64(self.next_u64())
    }

    fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 − u lies in (0, 1], so the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    /// Without bias (Lemire, "Fast random integer generation in an interval", 2019).
    fn below(&mut self, n: u64) -> u64 {
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i as u64 + 1) as usize);
        }
    }

    fn fill_uniform<T: Real>(&mut self, out: &mut [T], low: f64, high: f64) {
        let (low, high) = (T::from_f64(low), T::from_f64(high));
        T::fill_units(self.next_u64(), out, |u| {
            let x = u * (high - low) + low;
            // Rounding may have led up to the end, which is not one of the numbers.
            if x < high { x } else { low }
        });
    }

    fn fill_normal<T: Real>(&mut self, out: &mut [T], mean: f64, std: f64, _: bool) {
        let (mean, std) = (T::from_f64(mean), T::from_f64(std));
        T::fill_normals(self.next_u64(), out, |x| x * std + mean);
    }

    fn fill_exponential<T: Real>(&mut self, out: &mut [T], rate: f64) {
        let (rate, least) = (T::from_f64(rate), T::from_f64(f32::MIN_POSITIVE.into()));
        T::fill_open(self.next_u64(), out, |u| {
            let x = -u.ln() / rate;
            if x > least { x } else { least }
        });
    }

    /// One word an element, so `p` is kept to 2⁻³².
    fn fill_bernoulli<T: Element>(&mut self, out: &mut [T], p: f64) {
        let bound = (p * (1u64 << 32) as f64).ceil() as u64;
        let key = self.next_u64();
        fill(
            key,
            out,
            #[inline(always)]
            |tile| -> [T; 4 * LANES] {
                let words = tile.as_flattened();
                std::array::from_fn(|i| T::from_i64((u64::from(words[i]) < bound).into()))
            },
        );
    }

    /// So many bits an element that what a product favours some numbers by is less than 2⁻³², and
    /// less than 2⁻⁶⁴ for large ranges.
    fn fill_integers(&mut self, out: &mut [i64], low: i64, range: u64) {
        let key = self.next_u64();
        if range <= 1 << 32 {
            return fill(
                key,
                out,
                #[inline(always)]
                |tile| -> [i64; 2 * LANES] {
                    std::array::from_fn(|i| {
                        let (half, lane) = (i / LANES * 2, i % LANES);
                        let scaled = |word: u32| u64::from(word) * range;
                        let carry = scaled(tile[half + 1][lane]) >> 32;
                        low + ((scaled(tile[half][lane]) + carry) >> 32) as i64
                    })
                },
            );
        }
        let scaled = |x: u64| u128::from(x) * u128::from(range);
        fill(
            key,
            out,
            #[inline(always)]
            |tile| -> [i64; LANES] {
                std::array::from_fn(|lane| {
                    let [a, b, c, d] = tile.map(|words| words[lane]);
                    let product = scaled(join(a, b)) + (scaled(join(c, d)) >> 64);
                    low.wrapping_add_unsigned((product >> 64) as u64)
                })
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first lane against the figures that come with Random123, the authors' own library.
    #[test]
    fn philox_gives_the_published_words() {
        let first = |key, number| philox(key, number).map(|words| words[0]);
        assert_eq!(
            first(0, 0),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
    }

    #[test]
    fn each_lane_is_the_next_block() {
        let key = 0x0123_4567_89ab_cdef;
        // The counter's carry into its second word, in the middle of a tile.
        for number in [0, 5, (1 << 28) - 1, 1 << 28, u64::MAX] {
            let tile = philox(key, number);
            for lane in 0..LANES {
                let mut x = {
                    let counter = number.wrapping_mul(LANES as u64).wrapping_add(lane as u64);
                    [counter as u32, (counter >> 32) as u32, 0, 0]
                };
                let mut k = [key as u32, (key >> 32) as u32];
                for _ in 0..10 {
                    let [a, b] = [(0xd251_1f53u64, x[0]), (0xcd9e_8d57, x[2])]
                        .map(|(m, x)| m * u64::from(x));
                    let high = |p: u64| (p >> 32) as u32;
                    x = [
                        high(b) ^ x[1] ^ k[0],
                        b as u32,
                        high(a) ^ x[3] ^ k[1],
                        a as u32,
                    ];
                    k = [
                        k[0].wrapping_add(0x9e37_79b9),
                        k[1].wrapping_add(0xbb67_ae85),
                    ];
                }
                assert_eq!(
                    tile.map(|words| words[lane]),
                    x,
                    "lane {lane} of tile {number}"
                );
            }
        }
    }

    /// A wrong sign or a swapped pair would still look normal in each number by itself.
    #[test]
    fn directions_reach_all_the_way_round() {
        let mut angles: Vec<f64> = (0..4)
            .flat_map(|quarter| (-8..8).map(move |i| (quarter, (f64::from(i) + 0.5) / 8.0)))
            .map(|(quarter, eighth)| {
                let (x, y) = box_muller((-0.5f64).exp(), quarter, eighth, SINE_F64, COSINE_F64);
                assert!((x.hypot(y) - 1.0).abs() < 1e-15);
                y.atan2(x)
            })
            .collect();
        angles.sort_by(f64::total_cmp);
        for pair in angles.windows(2) {
            assert!((pair[1] - pair[0] - TAU / 64.0).abs() < 1e-12, "{pair:?}");
        }
    }

    #[test]
    fn sine_and_cosine_are_exact_in_their_type() {
        for i in -100..=100 {
            let t = f64::from(i) / 100.0;
            let (x, y) = box_muller((-0.5f64).exp(), 0, t, SINE_F64, COSINE_F64);
            assert!(
                (x - (t * FRAC_PI_4).cos()).abs() < 3e-16
                    && (y - (t * FRAC_PI_4).sin()).abs() < 3e-16
            );
            let (x, y) = box_muller((-0.5f32).exp(), 0, t as f32, SINE_F32, COSINE_F32);
            let (sin, cos) = (f64::from(t as f32) * FRAC_PI_4).sin_cos();
            assert!((f64::from(x) - cos).abs() < 2e-7 && (f64::from(y) - sin).abs() < 2e-7);
        }
    }
}
