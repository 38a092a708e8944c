//! What this machine can do at most, measured: multiplications with additions, and memory.

use pulp::{Arch, Simd, WithSimd};
use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

/// Independent sums: more than any processor needs to be busy, and no more than AVX2 has registers.
const CHAINS: usize = 12;
/// Multiply-adds of each chain between two looks at the clock.
const ROUNDS: usize = 100_000;
/// Bytes of the arrays that all threads together run through: more than caches hold.
const ARRAYS: usize = 3 * (64 << 20);
/// How long each is measured; the best part of it counts.
const TIME: Duration = Duration::from_millis(150);

/// The limits of a number of threads.
#[derive(Clone, Copy)]
pub struct Machine {
    pub threads: usize,
    /// Thousand million fused multiply-adds of f32 a second, each counted as two operations.
    pub gflops: f64,
    /// Thousand million bytes a second, read and written, by `a[i] = b[i] + s·c[i]`.
    pub gigabytes: f64,
}

impl Machine {
    pub fn measure(threads: usize) -> Self {
        let flop = |_: &mut ()| {
            Arch::new().dispatch(MultiplyAdd);
            2.0 * (ROUNDS * CHAINS) as f64 * Arch::new().dispatch(Lanes) as f64
        };
        let len = ARRAYS / 3 / size_of::<f32>() / threads;
        let arrays = || [0.0, 1.0, 2.0].map(|x: f32| vec![x; len]);
        let triad = |[a, b, c]: &mut [Vec<f32>; 3]| {
            Arch::new().dispatch(|| {
                for ((a, &b), &c) in a.iter_mut().zip(&*b).zip(&*c) {
                    *a = b + 0.5 * c;
                }
            });
            black_box(a);
            (3 * len * size_of::<f32>()) as f64
        };
        Self {
            threads,
            gflops: best_rate(threads, || (), flop) / 1e9,
            gigabytes: best_rate(threads, arrays, triad) / 1e9,
        }
    }

    /// The least microseconds for this much arithmetic and memory traffic.
    pub fn floor_us(&self, flop: f64, bytes: f64, double: bool) -> f64 {
        let gflops = self.gflops / if double { 2.0 } else { 1.0 };
        (flop / gflops).max(bytes / self.gigabytes) / 1e3
    }
}

/// What all threads together do in a second at best; `work` returns how much it did.
fn best_rate<T>(
    threads: usize,
    prepare: impl Fn() -> T + Sync,
    work: impl Fn(&mut T) -> f64 + Sync,
) -> f64 {
    let start = Barrier::new(threads);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut state = prepare();
                    start.wait();
                    let (begin, mut best) = (Instant::now(), 0.0f64);
                    while begin.elapsed() < TIME || best == 0.0 {
                        let before = Instant::now();
                        let done = work(&mut state);
                        best = best.max(done / before.elapsed().as_secs_f64());
                    }
                    best
                })
            })
            .collect();
        let rates = threads.into_iter().map(|t| t.join().unwrap_or(0.0));
        rates.sum()
    })
}

struct MultiplyAdd;
impl WithSimd for MultiplyAdd {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let splat = |x: f32| simd.splat_f32s(black_box(x));
        let (factor, term) = (splat(0.999), splat(0.001));
        let mut sums = [splat(1.0); CHAINS];
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = simd.mul_add_f32s(*sum, factor, term);
            }
        }
        for sum in sums {
            black_box(simd.reduce_sum_f32s(sum));
        }
    }
}

struct Lanes;
impl WithSimd for Lanes {
    type Output = usize;
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: Machine = Machine {
        threads: 2,
        gflops: 250.0,
        gigabytes: 31.0,
    };

    /// A floor that forgets one of its two limits, or a unit.
    #[test]
    fn the_floor_is_the_harder_of_arithmetic_and_memory() {
        assert_eq!(MACHINE.floor_us(250e6, 0.0, false), 1000.0);
        assert_eq!(MACHINE.floor_us(250e6, 31e6, false), 1000.0);
        assert_eq!(MACHINE.floor_us(250e6, 62e6, false), 2000.0);
        assert_eq!(MACHINE.floor_us(250e6, 0.0, true), 2000.0);
    }
}
