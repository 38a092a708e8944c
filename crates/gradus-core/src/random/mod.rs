//! Random numbers: a fast generator for each thread, reproducible from a seed.
//!
//! `manual_seed(0)` makes everything that follows on this thread the same at every run.

mod create;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};

/// A stream of random numbers (xoshiro256++ by Blackman and Vigna, seeded through SplitMix64).
///
/// ```
/// use gradus_core::random::Generator;
/// let (mut a, mut b) = (Generator::new(1), Generator::new(1));
/// assert_eq!(a.normal(), b.normal());
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    bits: Xoshiro256PlusPlus,
    /// The Box–Muller transform yields two normal numbers at a time.
    spare: Option<f64>,
}

impl Generator {
    /// The stream that belongs to `seed`.
    ///
    /// ```
    /// # use gradus_core::random::Generator;
    /// assert_ne!(Generator::new(0).next_u64(), Generator::new(1).next_u64());
    /// ```
    pub fn new(seed: u64) -> Self {
        Self {
            bits: Xoshiro256PlusPlus::seed_from_u64(seed),
            spare: None,
        }
    }

    /// The stream that belongs to several numbers, such as a seed, an epoch and a step.
    ///
    /// ```
    /// # use gradus_core::random::Generator;
    /// let (seed, epoch) = (42, 3);
    /// assert_eq!(Generator::from_parts(&[seed, epoch]).next_u64(), Generator::from_parts(&[42, 3]).next_u64());
    /// ```
    pub fn from_parts(parts: &[u64]) -> Self {
        // One SplitMix64 round per part: a change of any part changes everything.
        Self::new(
            parts
                .iter()
                .fold(0, |hash, &part| Self::new(hash ^ part).next_u64()),
        )
    }

    /// 64 random bits.
    ///
    /// ```
    /// # use gradus_core::random::Generator;
    /// let mut g = Generator::new(0);
    /// assert_ne!(g.next_u64(), g.next_u64());
    /// ```
    pub fn next_u64(&mut self) -> u64 {
        self.bits.next_u64()
    }

    /// A number in [0, 1), uniform, with 53 random bits.
    ///
    /// ```
    /// # use gradus_core::random::Generator;
    /// assert!((0.0..1.0).contains(&Generator::new(0).uniform()));
    /// ```
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A number from the standard normal distribution (Box and Muller, 1958).
    ///
    /// ```
    /// # use gradus_core::random::Generator;
    /// assert!(Generator::new(0).normal().is_finite());
    /// ```
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 − u lies in (0, 1], so the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    /// An integer in 0…n−1, uniform without bias (Lemire, 2019). `n` must not be 0.
    ///
    /// ```
    /// # use gradus_core::random::Generator;
    /// assert!(Generator::new(0).below(6) < 6);
    /// ```
    pub fn below(&mut self, n: u64) -> u64 {
        let threshold = n.wrapping_neg() % n.max(1);
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as u64;
            }
        }
    }

    /// Puts the elements in a random order (Fisher and Yates).
    ///
    /// ```
    /// # use gradus_core::random::Generator;
    /// let mut cards = [1, 2, 3, 4];
    /// Generator::new(0).shuffle(&mut cards);
    /// cards.sort();
    /// assert_eq!(cards, [1, 2, 3, 4]);
    /// ```
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

thread_local! {
    /// Seeded from the system until `manual_seed` is called.
    static GENERATOR: RefCell<Generator> = RefCell::new(Generator::new(RandomState::new().hash_one(0)));
}

/// Restarts this thread's generator with `seed`. Each thread has its own, so that programs with
/// several threads stay reproducible.
///
/// ```
/// use gradus_core::{Tensor, random};
/// random::manual_seed(0);
/// let a = Tensor::randn([3])?;
/// random::manual_seed(0);
/// assert_eq!(a.to_vec::<f32>()?, Tensor::randn([3])?.to_vec::<f32>()?);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn manual_seed(seed: u64) {
    set_generator(Generator::new(seed));
}

/// Replaces this thread's generator.
///
/// ```
/// use gradus_core::{Tensor, random};
/// random::set_generator(random::Generator::from_parts(&[42, 3]));
/// let noise = Tensor::randn([2])?;
/// random::set_generator(random::Generator::from_parts(&[42, 3]));
/// assert_eq!(Tensor::randn([2])?.to_vec::<f32>()?, noise.to_vec::<f32>()?);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn set_generator(generator: Generator) {
    GENERATOR.set(generator);
}

/// Calls `f` with `generator` in the place of this thread's own, which continues afterwards as if
/// nothing had happened, also when `f` panics. So what `f` draws depends on `generator` alone, not
/// on the thread it runs in.
///
/// ```
/// use gradus_core::{Tensor, random};
/// let draw = || random::scoped(random::Generator::new(5), || Tensor::rand([3]));
/// assert_eq!(draw()?.to_vec::<f32>()?, draw()?.to_vec::<f32>()?);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn scoped<R>(generator: Generator, f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Generator>);
    impl Drop for Restore {
        fn drop(&mut self) {
            self.0.take().into_iter().for_each(set_generator);
        }
    }
    let _restore = Restore(Some(GENERATOR.replace(generator)));
    f()
}

/// Calls `f` with this thread's generator, which must not be asked for again inside.
pub(crate) fn with_generator<R>(f: impl FnOnce(&mut Generator) -> R) -> R {
    GENERATOR.with_borrow_mut(f)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_have_their_moments() {
        let mut g = Generator::new(7);
        let n = 200_000;
        let moments = |xs: Vec<f64>| {
            let mean = xs.iter().sum::<f64>() / n as f64;
            (
                mean,
                xs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64,
            )
        };
        let (mean, var) = moments((0..n).map(|_| g.uniform()).collect());
        assert!(
            (mean - 0.5).abs() < 0.003 && (var - 1.0 / 12.0).abs() < 0.002,
            "uniform: {mean}, {var}"
        );
        let (mean, var) = moments((0..n).map(|_| g.normal()).collect());
        assert!(
            mean.abs() < 0.01 && (var - 1.0).abs() < 0.02,
            "normal: {mean}, {var}"
        );
    }

    #[test]
    fn below_is_even_and_shuffle_reaches_every_order() {
        let mut g = Generator::new(3);
        let mut orders = std::collections::BTreeMap::new();
        for _ in 0..6000 {
            let mut list = [0, 1, 2];
            g.shuffle(&mut list);
            *orders.entry(list).or_insert(0) += 1;
        }
        assert_eq!(orders.len(), 6);
        assert!(
            orders.values().all(|&count| (850..1150).contains(&count)),
            "{orders:?}"
        );
    }

    #[test]
    fn a_scope_leaves_the_outer_stream_where_it_was() {
        let next = || with_generator(Generator::next_u64);
        manual_seed(1);
        let plain = [next(), next()];
        manual_seed(1);
        let first = next();
        let inner = scoped(Generator::new(2), next);
        assert_eq!(inner, Generator::new(2).next_u64());
        let panicked = std::panic::catch_unwind(|| scoped(Generator::new(3), || panic!("inside")));
        assert!(panicked.is_err());
        assert_eq!([first, next()], plain);
    }

    #[test]
    fn parts_in_another_order_are_another_stream() {
        let first = |parts: &[u64]| Generator::from_parts(parts).next_u64();
        assert_ne!(first(&[0, 1]), first(&[1, 0]));
        assert_ne!(first(&[5]), first(&[5, 0]));
        assert_eq!(first(&[5, 2]), first(&[5, 2]));
    }
}
