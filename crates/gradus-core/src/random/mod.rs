//! Random numbers: a generator for each thread, reproducible from a seed.
//!
//! [`manual_seed`]`(0)` makes everything that follows on this thread the same at every run and for
//! any number of threads that the kernels use. [`get_generator`] and [`set_generator`] keep a state
//! and come back to it; [`scoped`] replays one for a while.
//!
//! There are three kinds of streams. The default is the fast one: a tensor is filled by all threads
//! at once. The other two repeat, number by number, what NumPy and PyTorch draw on a CPU after they
//! were given the same seed, so a notebook's initial weights and shuffles can be had again:
//!
//! | what | [`Generator::new`] | [`Compat::Numpy`] | [`Compat::Torch`] |
//! |---|---|---|---|
//! | bits | xoshiro256++; tensors: Philox4x32-10 | MT19937 | MT19937 |
//! | [`uniform`](Generator::uniform) | 53 bits | `random_sample()` | `rand((), dtype=float64)` |
//! | [`normal`](Generator::normal) | Box–Muller | `standard_normal()`ᵃ | `randn((), dtype=float64)`ᵃ |
//! | [`below`](Generator::below)`(n)` | Lemire | `randint(n)` | `randint(n, ())` |
//! | [`shuffle`](Generator::shuffle), [`permutation`](Generator::permutation) | Fisher–Yates | `shuffle`, `permutation` | `randperm` |
//! | [`choice`](Generator::choice) | `below`, `permutation` | `choice` | `randint`, `randperm` |
//! | [`spawn`](Generator::spawn) | a seed | a seed | what samplers seed themselves with |
//! | [`rand`](crate::Tensor::rand), [`uniform`](crate::Tensor::uniform) | | `uniform`ᵇ | `rand`, `uniform_` |
//! | [`randn`](crate::Tensor::randn), [`normal`](crate::Tensor::normal) | | `normal`ᵃᵇ | `randn`, `normal_`; f64ᵃ |
//! | [`randint`](crate::Tensor::randint) | | `randint` | `randint` |
//! | [`randperm`](crate::Tensor::randperm) | | `permutation` | `randperm` |
//! | [`bernoulli`](crate::Tensor::bernoulli) | | `random_sample() < p` | `bernoulli`ᶜ, dropout masksᶜ |
//! | [`exponential_`](crate::Tensor::exponential_) | | `exponential`ᵃᵇ | `exponential_`ᵃᶜ |
//! | [`multinomial`](crate::Tensor::multinomial) | | `choice(p=…)` | `multinomial`ᶜ |
//!
//! NumPy's are those of `numpy.random.seed` and `RandomState`. The numbers are the same to the last
//! bit, with these conditions:
//!
//! - ᵃ The logarithm, the sine and the cosine in f64 are those of the system's mathematical library.
//!   With the GNU library, which NumPy and PyTorch use on Linux too, the numbers are exact;
//!   elsewhere they may differ in the last bit. PyTorch's normal numbers in f32 need none of it from
//!   16 elements on.
//! - ᵇ f32 tensors hold the f64 numbers rounded, like `astype(numpy.float32)`.
//! - ᶜ PyTorch has another stream of its own for `bernoulli_(p)` with a number, for dropout and for
//!   `exponential_` (so also for `multinomial` without replacement) on processors made by Intel, if
//!   it was built with MKL. What is here are its numbers on all others.
//!
//! PyTorch's f32 normal numbers are those of processors with AVX2 and FMA, which are nearly all.

mod cephes;
mod choice;
mod create;
mod fast;
mod generator;
mod inplace;
mod numpy;
mod torch;

pub use generator::{Compat, Generator};

use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};

thread_local! {
    /// Seeded from the system until `manual_seed` is called.
    static GENERATOR: RefCell<Generator> = RefCell::new(Generator::new(RandomState::new().hash_one(0)));
}

/// Restarts this thread's generator with `seed`, in the default stream. Each thread has its own, so
/// that programs with several threads stay reproducible.
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

/// Restarts this thread's generator with `seed`, in another library's stream; see
/// [`Generator::compat`].
///
/// ```
/// use gradus_core::{Tensor, random::{self, Compat}};
/// random::manual_seed_compat(0, Compat::Torch);
/// assert_eq!(Tensor::randn([2])?.to_vec::<f32>()?, [1.5409961, -0.2934289]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn manual_seed_compat(seed: u64, compat: Compat) {
    set_generator(Generator::compat(seed, compat));
}

/// A copy of this thread's generator as it is now, to come back to with [`set_generator`] or
/// [`scoped`].
///
/// ```
/// use gradus_core::{Tensor, random};
/// let state = random::get_generator();
/// let noise = Tensor::randn([2])?;
/// random::set_generator(state);
/// assert_eq!(Tensor::randn([2])?.to_vec::<f32>()?, noise.to_vec::<f32>()?);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn get_generator() -> Generator {
    with_generator(|g| g.clone())
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

/// Calls `f` with this thread's generator, to draw single numbers from it. `f` must not ask for
/// random numbers in another way.
///
/// # Panics
/// If `f` does.
///
/// ```
/// use gradus_core::random::{self, Generator};
/// random::manual_seed(1);
/// assert_eq!(random::with_generator(|g| g.below(6)), Generator::new(1).below(6));
/// ```
pub fn with_generator<R>(f: impl FnOnce(&mut Generator) -> R) -> R {
    GENERATOR.with_borrow_mut(f)
}

#[cfg(test)]
mod tests {
    use super::*;

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
