//! One source of random numbers, of one of three kinds.

use super::fast::{Fast, Lane};
use super::numpy::Numpy;
use super::torch::{Draw, Torch};
use crate::dtype::Element;
use crate::kernels::math::Float;

/// Which other library's stream a [`Generator`] repeats; see the [module](super) for how exactly.
///
/// ```
/// use gradus_core::random::{Compat, Generator};
/// // numpy.random.seed(0); numpy.random.random_sample()
/// assert_eq!(Generator::compat(0, Compat::Numpy).uniform(), 0.5488135039273248);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compat {
    /// `numpy.random.seed` and `numpy.random.RandomState`.
    Numpy,
    /// `torch.manual_seed` and `torch.Generator` on the CPU.
    Torch,
}

/// A stream of random numbers.
///
/// A clone goes on with the same numbers as the original, so a clone is also how a state is kept
/// to come back to.
///
/// ```
/// use gradus_core::random::Generator;
/// let mut a = Generator::new(1);
/// a.normal();
/// let mut b = a.clone();
/// assert_eq!(a.normal(), b.normal());
/// ```
#[derive(Clone, Debug)]
pub struct Generator(Kind);

/// The states of the Mersenne Twister take 2.5 kB and are kept elsewhere, so that a generator can
/// be moved about cheaply.
#[derive(Clone, Debug)]
enum Kind {
    Fast(Fast),
    Numpy(Box<Numpy>),
    Torch(Box<Torch>),
}

/// What each kind of generator decides for itself: where the bits come from, and how many of them a
/// number takes. Tensors are filled in order, one number after the other, unless the kind knows
/// better.
pub(super) trait Stream {
    fn next_u64(&mut self) -> u64;
    fn uniform(&mut self) -> f64;
    fn normal(&mut self) -> f64;
    fn below(&mut self, n: u64) -> u64;
    fn shuffle<T>(&mut self, list: &mut [T]);

    fn fill_uniform<T: Real>(&mut self, out: &mut [T], low: f64, high: f64) {
        out.iter_mut()
            .for_each(|x| *x = T::from_f64(low + (high - low) * self.uniform()));
    }

    /// `scattered`: whether the numbers are for elements that do not lie side by side.
    fn fill_normal<T: Real>(&mut self, out: &mut [T], mean: f64, std: f64, scattered: bool) {
        let _ = scattered;
        out.iter_mut()
            .for_each(|x| *x = T::from_f64(mean + std * self.normal()));
    }

    fn fill_exponential<T: Real>(&mut self, out: &mut [T], rate: f64) {
        out.iter_mut()
            .for_each(|x| *x = T::from_f64(-(1.0 - self.uniform()).ln() * (1.0 / rate)));
    }

    fn fill_bernoulli<T: Element>(&mut self, out: &mut [T], p: f64) {
        out.iter_mut()
            .for_each(|x| *x = T::from_i64((self.uniform() < p).into()));
    }

    /// Integers from `low` on, `range` of them.
    fn fill_integers(&mut self, out: &mut [i64], low: i64, range: u64) {
        out.iter_mut()
            .for_each(|x| *x = low.wrapping_add_unsigned(self.below(range)));
    }
}

/// A floating type that every kind of generator can fill tensors of.
pub(super) trait Real: Float + Lane + Draw {}
impl Real for f32 {}
impl Real for f64 {}

/// `$body` with the stream of whichever kind this is.
macro_rules! delegate {
    ($generator:expr, $stream:ident => $body:expr) => {
        match &mut $generator.0 {
            Kind::Fast($stream) => $body,
            Kind::Numpy($stream) => $body,
            Kind::Torch($stream) => $body,
        }
    };
}

impl Generator {
    /// The default stream that belongs to `seed`.
    ///
    /// ```
    /// # use gradus_core::random::Generator;
    /// assert_ne!(Generator::new(0).next_u64(), Generator::new(1).next_u64());
    /// ```
    pub fn new(seed: u64) -> Self {
        Self(Kind::Fast(Fast::new(seed)))
    }

    /// The stream that another library draws from after it was given `seed`.
    ///
    /// Every seed is taken. PyTorch ignores all but the lower 32 bits, and so does
    /// [`Compat::Torch`]. NumPy refuses seeds above 2³² − 1; [`Compat::Numpy`] does with them what
    /// `numpy.random.seed([seed % 2**32, seed // 2**32])` does.
    ///
    /// ```
    /// use gradus_core::random::{Compat, Generator};
    /// // torch.manual_seed(0); torch.randperm(10)
    /// let order = Generator::compat(0, Compat::Torch).permutation(10);
    /// assert_eq!(order, [4, 1, 7, 5, 3, 9, 0, 8, 6, 2]);
    /// ```
    pub fn compat(seed: u64, compat: Compat) -> Self {
        Self(match compat {
            Compat::Numpy => Kind::Numpy(Box::new(Numpy::new(seed))),
            Compat::Torch => Kind::Torch(Box::new(Torch::new(seed))),
        })
    }

    /// The default stream that belongs to several numbers, such as a seed, an epoch and a step.
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

    /// A new generator of the same kind, with a seed drawn from this one. PyTorch's samplers make
    /// theirs in this way.
    ///
    /// ```
    /// # use gradus_core::random::Generator;
    /// let mut parent = Generator::new(0);
    /// assert_ne!(parent.spawn().next_u64(), parent.spawn().next_u64());
    /// ```
    #[must_use]
    pub fn spawn(&mut self) -> Self {
        // PyTorch's seeds are drawn as i64 that are not negative; only the lower half is used.
        let seed = self.next_u64() & i64::MAX as u64;
        match self.kind() {
            None => Self::new(seed),
            Some(compat) => Self::compat(seed, compat),
        }
    }

    /// Whose stream this repeats; none: the default.
    pub(super) fn kind(&self) -> Option<Compat> {
        match self.0 {
            Kind::Fast(_) => None,
            Kind::Numpy(_) => Some(Compat::Numpy),
            Kind::Torch(_) => Some(Compat::Torch),
        }
    }

    /// 64 random bits.
    ///
    /// ```
    /// # use gradus_core::random::Generator;
    /// let mut g = Generator::new(0);
    /// assert_ne!(g.next_u64(), g.next_u64());
    /// ```
    pub fn next_u64(&mut self) -> u64 {
        delegate!(self, s => s.next_u64())
    }

    /// A number in [0, 1), uniform, with 53 random bits.
    ///
    /// ```
    /// # use gradus_core::random::Generator;
    /// assert!((0.0..1.0).contains(&Generator::new(0).uniform()));
    /// ```
    pub fn uniform(&mut self) -> f64 {
        delegate!(self, s => s.uniform())
    }

    /// A number from the standard normal distribution.
    ///
    /// ```
    /// # use gradus_core::random::Generator;
    /// assert!(Generator::new(0).normal().is_finite());
    /// ```
    pub fn normal(&mut self) -> f64 {
        delegate!(self, s => s.normal())
    }

    /// An integer in 0…n−1, uniform; 0 if `n` is 0. Without bias, unless this repeats PyTorch's
    /// stream, which takes a remainder.
    ///
    /// ```
    /// # use gradus_core::random::Generator;
    /// assert!(Generator::new(0).below(6) < 6);
    /// ```
    pub fn below(&mut self, n: u64) -> u64 {
        delegate!(self, s => s.below(n.max(1)))
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
        delegate!(self, s => s.shuffle(list));
    }

    /// The numbers 0…n−1 in a random order.
    ///
    /// # Panics
    /// If there is no memory for them; [`choice`](Generator::choice) returns an error instead.
    ///
    /// ```
    /// # use gradus_core::random::{Compat, Generator};
    /// // numpy.random.seed(0); numpy.random.permutation(10)
    /// let order = Generator::compat(0, Compat::Numpy).permutation(10);
    /// assert_eq!(order, [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]);
    /// ```
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }

    /// Fills `out` uniformly from [low, high).
    pub(super) fn fill_uniform<T: Real>(&mut self, out: &mut [T], low: f64, high: f64) {
        delegate!(self, s => s.fill_uniform(out, low, high));
    }

    /// Fills `out` from a normal distribution; see [`Stream::fill_normal`].
    pub(super) fn fill_normal<T: Real>(
        &mut self,
        out: &mut [T],
        mean: f64,
        std: f64,
        scattered: bool,
    ) {
        delegate!(self, s => s.fill_normal(out, mean, std, scattered));
    }

    /// Fills `out` from the exponential distribution of this rate.
    pub(super) fn fill_exponential<T: Real>(&mut self, out: &mut [T], rate: f64) {
        delegate!(self, s => s.fill_exponential(out, rate));
    }

    /// Fills `out` with 1 (probability `p`) and 0.
    pub(super) fn fill_bernoulli<T: Element>(&mut self, out: &mut [T], p: f64) {
        delegate!(self, s => s.fill_bernoulli(out, p));
    }

    /// Fills `out` with integers from `low` on, `range` of them.
    pub(super) fn fill_integers(&mut self, out: &mut [i64], low: i64, range: u64) {
        delegate!(self, s => s.fill_integers(out, low, range));
    }
}
