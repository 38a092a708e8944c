//! Folds that gather more than one number: moments and sums of exponentials.

use super::math::Float;
use super::reduce::{Fold, by, extreme, gather};
use crate::dtype::{Element, Number};
use std::marker::PhantomData;

/// The sum of `f` of each element.
#[inline(always)]
fn sum<T: Element, A: Number>(x: &[T], f: impl Fn(T) -> A + Sync) -> A {
    gather(x, &by(A::ZERO, f, A::plus))
}

/// The variance: the sum of squared deviations from the mean over their number − `correction`, or
/// its square root.
pub(crate) struct Variance {
    pub correction: f64,
    pub root: bool,
}

/// Number, mean and sum of squared deviations from it. The mean is counted from one of the elements,
/// so that what all have in common costs no digits.
#[derive(Clone, Copy)]
pub(crate) struct Moments {
    n: f64,
    origin: f64,
    mean: f64,
    squares: f64,
}

impl<T: Float> Fold<T> for Variance {
    type Acc = Moments;
    type Out = T;
    #[inline(always)]
    fn start(&self) -> Moments {
        Moments {
            n: 0.0,
            origin: 0.0,
            mean: 0.0,
            squares: 0.0,
        }
    }
    /// Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", 1962.
    #[inline(always)]
    fn push(&self, acc: Moments, x: T) -> Moments {
        let n = acc.n + 1.0;
        let origin = if acc.n == 0.0 { x.to_f64() } else { acc.origin };
        let x = x.to_f64() - origin;
        let mean = acc.mean + (x - acc.mean) / n;
        Moments {
            n,
            origin,
            mean,
            squares: acc.squares + (x - acc.mean) * (x - mean),
        }
    }
    /// Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample
    /// Variances", 1979.
    #[inline(always)]
    fn combine(&self, a: Moments, b: Moments) -> Moments {
        if a.n == 0.0 {
            return b;
        }
        let n = a.n + b.n;
        let d = (b.origin - a.origin) + (b.mean - a.mean);
        Moments {
            n,
            origin: a.origin,
            mean: a.mean + d * (b.n / n),
            squares: a.squares + b.squares + d * d * (a.n * b.n / n),
        }
    }
    #[inline(always)]
    fn finish(&self, acc: Moments) -> T {
        let variance = acc.squares / (acc.n - self.correction).max(0.0);
        T::from_f64(if self.root { variance.sqrt() } else { variance })
    }
    /// Twice over the block, which is in the cache then: the mean, and the deviations from it.
    #[inline(always)]
    fn block(&self, x: &[T]) -> Moments {
        let (n, origin) = (x.len() as f64, x[0].to_f64());
        let mean = sum(x, |x| x.to_f64() - origin) / n;
        let squares = sum(x, |x| {
            let d = x.to_f64() - origin - mean;
            d * d
        });
        Moments {
            n,
            origin,
            mean,
            squares,
        }
    }
}

/// log Σ exp(x), from the largest element down.
pub(crate) struct LogSumExp<T>(pub PhantomData<T>);

/// The largest element and the sum of the exponentials of what the others are below it.
#[derive(Clone, Copy)]
pub(crate) struct Exponentials<T> {
    max: T,
    sum: T,
}

/// Where exponentials are counted from: the largest element, or 0 if that is infinite.
#[inline(always)]
fn origin<T: Float>(max: T) -> T {
    if max.is_finite() { max } else { T::ZERO }
}

impl<T: Float> Fold<T> for LogSumExp<T> {
    type Acc = Exponentials<T>;
    type Out = T;
    #[inline(always)]
    fn start(&self) -> Exponentials<T> {
        Exponentials {
            max: T::LOWEST,
            sum: T::ZERO,
        }
    }
    #[inline(always)]
    fn push(&self, acc: Exponentials<T>, x: T) -> Exponentials<T> {
        let one = Exponentials {
            max: x,
            sum: (x - origin(x)).exp(),
        };
        self.combine(acc, one)
    }
    #[inline(always)]
    fn combine(&self, a: Exponentials<T>, b: Exponentials<T>) -> Exponentials<T> {
        // Nothing but −∞ on one side: its sum is 0, wherever it is counted from.
        if a.max == T::LOWEST {
            return b;
        }
        if b.max == T::LOWEST {
            return a;
        }
        let max = extreme(true).combine(a.max, b.max);
        let scaled = |e: Exponentials<T>| e.sum * (origin(e.max) - origin(max)).exp();
        Exponentials {
            max,
            sum: scaled(a) + scaled(b),
        }
    }
    #[inline(always)]
    fn finish(&self, acc: Exponentials<T>) -> T {
        origin(acc.max) + acc.sum.ln()
    }
    #[inline(always)]
    fn block(&self, x: &[T]) -> Exponentials<T> {
        let max = gather(x, &extreme(true));
        let origin = origin(max);
        Exponentials {
            max,
            sum: sum(x, |x| (x - origin).exp()),
        }
    }
}
