//! Functions of one element: about ten lines each, the derivative one of them.
//!
//! `mod.rs` has the trait and the operation; `traced.rs` makes one derivative serve every order;
//! the functions are in a file for each idea.

pub(super) mod activation;
pub(super) mod arithmetic;
pub(super) mod exponential;
pub(super) mod float;
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
use crate::kernels::vectorize;
use crate::tensor::Tensor;
use traced::trace;

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
    /// More than that, in vectors: what is made of `exp`, divisions and square roots.
    Vector,
    /// In vectors for f32 only: what is made of `ln`, `tanh` and others that are ours for f32.
    Single,
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

    /// Whether the loop is worth compiling for several instruction sets.
    const fn is_vector(self, dtype: DType) -> bool {
        match self {
            Self::Arithmetic | Self::Vector => true,
            Self::Single => matches!(dtype, DType::F32),
            Self::Scalar => false,
        }
    }
}

struct Map<P>(P);

impl<P: Pointwise> Map<P> {
    fn values<T: Float>(&self, x: &Tensor) -> Result<Tensor> {
        let y = x.with::<T, _>(|x| {
            map::blocks([x], P::WORK.cost(), &|[x], y: &mut [T]| {
                let mut each = || y.iter_mut().zip(x).for_each(|(y, &x)| *y = self.0.f(x));
                if const { P::WORK.is_vector(T::DTYPE) } {
                    vectorize(each);
                } else {
                    each();
                }
            })
        })?;
        Ok(Tensor::from_buffer(y, x.dims()))
    }

    /// `grad` times the derivative at `a`, in one pass that is not recorded.
    fn chain<T: Float>(&self, grad: &Tensor, a: &Tensor) -> Result<Tensor> {
        let dx = grad.with::<T, _>(|g| {
            a.with::<T, _>(|a| {
                map::blocks([g, a], P::SLOPE.cost(), &|[g, a], dx: &mut [T]| {
                    let mut each = || {
                        let pairs = g.iter().zip(a);
                        dx.iter_mut()
                            .zip(pairs)
                            .for_each(|(d, (&g, &a))| *d = self.0.chain(g, a));
                    };
                    if const { P::SLOPE.is_vector(T::DTYPE) } {
                        vectorize(each);
                    } else {
                        each();
                    }
                })
            })
        })?;
        Ok(Tensor::from_buffer(dx, grad.dims()))
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
        } else if is_grad_enabled() {
            trace([grad, &saved.get(0)?], |[g, a]| self.0.chain(g, a))?
        } else {
            let a = saved.get(0)?;
            dispatch_float!(P::NAME, grad.dtype(), T => self.chain::<T>(grad, &a))?
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
            map::blocks([x], Cost::Low, &|[x], y: &mut [i64]| {
                y.iter_mut().zip(x).for_each(|(y, &x)| *y = f(x));
            })
        })?;
        Tensor::from_buffer(y, x.dims()).to_dtype(self.dtype())
    }
}
