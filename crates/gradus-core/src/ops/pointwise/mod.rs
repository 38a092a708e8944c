//! Functions of one element: about ten lines each, the derivative one of them.
//!
//! `mod.rs` has the trait and the operation; `traced.rs` makes one derivative serve every order;
//! the functions are in a file for each idea.

pub(super) mod activation;
pub(super) mod arithmetic;
pub(super) mod exponential;
pub(super) mod float;
mod fused;
mod in_place;
pub(super) mod piecewise;
pub(super) mod rounding;
pub(super) mod special;
pub(super) mod traced;
pub(super) mod trigonometric;

use crate::autograd::{Context, Function, Grad, Grads, Saved, apply, is_grad_enabled};
use crate::dtype::{DType, dispatch_float};
use crate::error::{Result, err};
use crate::kernels::map::{self, Cost};
use crate::kernels::math::{Float, Real};
use crate::kernels::{Loop, vectorize};
use crate::tensor::Tensor;
use traced::trace;

pub use fused::Activation;

/// A function of one element and its derivative. What parameters it has, the struct holds.
trait Pointwise: Send + Sync + 'static {
    /// Name in graphs and errors.
    const NAME: &'static str;
    /// What the derivative is a function of. The output is kept anyway by whoever uses it.
    const USES: Uses = Uses::Input;
    /// How much work the function is.
    const WORK: Work = Work::Vector;
    /// How much work the derivative is.
    const SLOPE: Work = Work::Arithmetic;
    /// The function.
    fn f<T: Float>(&self, x: T) -> T;
    /// The function where x is not far from 0, of sines and the like that have no branches there.
    #[inline(always)]
    fn near<T: Float>(&self, x: T) -> T {
        self.f(x)
    }
    /// Its derivative, of the input or the output as `USES` says. It is called with plain numbers,
    /// and with tensors when the gradient is to be differentiated again. Both branches of a choice
    /// are computed then, so neither may be infinite where the other one is taken.
    fn df<T: Real>(&self, a: T) -> T {
        self.chain(T::number(1.0), a)
    }
    /// The gradient `g` of the result times the derivative. This one is written instead of `df` where
    /// the derivative is 0 in places: an infinite gradient has to become 0 there too, not NaN.
    #[inline(always)]
    fn chain<T: Real>(&self, g: T, a: T) -> T {
        g * self.df(a)
    }
    /// `chain` where a is not far from 0.
    #[inline(always)]
    fn near_chain<T: Float>(&self, g: T, a: T) -> T {
        self.chain(g, a)
    }
}

/// What a derivative looks at, and so what is saved for it.
#[derive(PartialEq)]
enum Uses {
    /// Nothing: it is the same number everywhere.
    Nothing,
    /// The input.
    Input,
    /// The output.
    Output,
}

/// How a function is computed over many elements.
#[derive(Clone, Copy)]
enum Work {
    /// A few additions and comparisons, in vectors.
    Arithmetic,
    /// More than that, in vectors.
    Vector,
    /// In vectors, but numbers far from 0 one at a time.
    Near,
    /// One element at a time, by the standard library or libm.
    Scalar,
}

impl Work {
    fn cost(self) -> Cost {
        match self {
            Self::Arithmetic => Cost::Low,
            _ => Cost::High,
        }
    }

    const fn is_near(self) -> bool {
        matches!(self, Self::Near)
    }

    /// Whether the loop is worth compiling for several instruction sets.
    const fn is_vector(self) -> bool {
        !matches!(self, Self::Scalar)
    }
}

/// The function of each element; whether that is right, because none was too far from 0.
struct Values<'a, P, T>(&'a P, &'a [T], &'a mut [T]);

impl<P: Pointwise, T: Float> Loop for Values<'_, P, T> {
    type Output = bool;
    #[inline(always)]
    fn call(self) -> bool {
        let mut right = true;
        for (y, &x) in self.2.iter_mut().zip(self.1) {
            *y = self.0.near(x);
            right &= !const { P::WORK.is_near() } || !x.is_far();
        }
        right
    }
}

/// Each gradient times the derivative; whether that is right.
struct Chain<'a, P, T>(&'a P, [&'a [T]; 2], &'a mut [T]);

impl<P: Pointwise, T: Float> Loop for Chain<'_, P, T> {
    type Output = bool;
    #[inline(always)]
    fn call(self) -> bool {
        let (mut right, [g, a]) = (true, self.1);
        for (d, (&g, &a)) in self.2.iter_mut().zip(g.iter().zip(a)) {
            *d = self.0.near_chain(g, a);
            right &= !const { P::SLOPE.is_near() } || !a.is_far();
        }
        right
    }
}

struct Map<P>(P);

impl<P: Pointwise> Map<P> {
    /// The function of each element of a block.
    fn block<T: Float>(&self, x: &[T], y: &mut [T]) {
        let done = const { P::WORK.is_vector() } && vectorize(Values(&self.0, x, y));
        if !done {
            let pairs = y.iter_mut().zip(x);
            pairs.for_each(|(y, &x)| *y = self.0.f(x));
        }
    }

    fn values<T: Float>(&self, x: &Tensor) -> Result<Tensor> {
        let y = x.with::<T, _>(|x| {
            map::map_blocks(x, P::WORK.cost(), &|x, y: &mut [T]| self.block(x, y))
        })?;
        Ok(Tensor::from_dense(y))
    }

    /// `grad` times the derivative at `a`: recorded, or in one pass.
    fn gradient(&self, grad: &Tensor, a: &Tensor) -> Result<Tensor> {
        if is_grad_enabled() {
            return trace([grad, a], |[g, a]| self.0.chain(g, a));
        }
        dispatch_float!(P::NAME, grad.dtype(), T => self.chain::<T>(grad, a))
    }

    /// `grad` times the derivative at `a`, in one pass that is not recorded.
    fn chain<T: Float>(&self, grad: &Tensor, a: &Tensor) -> Result<Tensor> {
        let dx = grad.with::<T, _>(|g| {
            a.with::<T, _>(|a| {
                map::zip_blocks(g, a, P::SLOPE.cost(), &|g, a, dx: &mut [T]| {
                    let done =
                        const { P::SLOPE.is_vector() } && vectorize(Chain(&self.0, [g, a], dx));
                    if !done {
                        let pairs = dx.iter_mut().zip(g.iter().zip(a));
                        pairs.for_each(|(d, (&g, &a))| *d = self.0.chain(g, a));
                    }
                })
            })
        })?;
        Ok(Tensor::from_dense(dx))
    }
}

impl<P: Pointwise> Function for Map<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn forward(&self, ctx: &mut Context, inputs: &[&Tensor]) -> Result<Tensor> {
        let x = inputs[0];
        let y = dispatch_float!(P::NAME, x.dtype(), T => self.values::<T>(x))?;
        match P::USES {
            Uses::Nothing => {}
            Uses::Input => ctx.save(x),
            Uses::Output => ctx.save(&y),
        }
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let dx = if P::USES == Uses::Nothing {
            match self.0.df(0.0) {
                0.0 => grad.zeros_like()?,
                -1.0 => grad.neg()?,
                slope => grad.mul(slope)?,
            }
        } else {
            self.gradient(grad, &saved.get(0)?)?
        };
        Ok([Grad::Of(dx)].into())
    }
}

impl Tensor {
    /// Applies a function of floating point numbers; integers and bools become f32 first.
    fn pointwise<P: Pointwise>(&self, p: P) -> Result<Tensor> {
        if self.dtype().is_float() {
            return apply(Map(p), &[self]);
        }
        apply(Map(p), &[&self.to_dtype(DType::F32)?])
    }

    /// Applies a function of floating point numbers, or to integers `whole`; these keep their dtype.
    fn pointwise_or<P: Pointwise>(
        &self,
        p: P,
        op: &str,
        whole: impl Fn(i64) -> i64 + Sync,
    ) -> Result<Tensor> {
        if self.dtype().is_float() {
            return apply(Map(p), &[self]);
        }
        self.integers(op, whole)
    }

    /// Applies a function to integers, computed as i64; what does not fit the dtype wraps.
    fn integers(&self, op: &str, f: impl Fn(i64) -> i64 + Sync) -> Result<Tensor> {
        if self.dtype() == DType::Bool {
            return Err(err!(
                DType,
                "{op}: not implemented for 'bool' tensors; convert with to_dtype first"
            ));
        }
        let x = self.to_dtype(DType::I64)?;
        let y = x.with::<i64, _>(|x| {
            map::map_blocks(x, Cost::Low, &|x, y: &mut [i64]| {
                y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(x));
            })
        })?;
        Tensor::from_dense(y).to_dtype(self.dtype())
    }
}
