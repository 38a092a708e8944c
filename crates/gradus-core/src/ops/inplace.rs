//! Changing a tensor's memory. Views see the change, and autograd records it (`autograd/alias.rs`).

use super::Operand;
use crate::autograd::is_grad_enabled;
use crate::dtype::{DType, Element, Number, dispatch, dispatch_float, dispatch_number};
use crate::error::{Result, err};
use crate::kernels::math::Float;
use crate::kernels::update::update;
use crate::kernels::{View, map};
use crate::tensor::Tensor;

/// The rule by which an optimizer changes one number of a parameter, for [`Tensor::update_`]: a few
/// numbers, which are copied.
///
/// ```
/// use gradus_core::{Float, Tensor, ops::Update};
///
/// /// Gradient descent with momentum.
/// #[derive(Clone, Copy)]
/// struct Momentum {
///     lr: f64,
///     momentum: f64,
/// }
/// impl Update<1> for Momentum {
///     fn update<T: Float>(&self, p: T, g: T, [velocity]: [&mut T; 1]) -> T {
///         *velocity = T::from_f64(self.momentum) * *velocity + g;
///         p - T::from_f64(self.lr) * *velocity
///     }
/// }
///
/// let (w, velocity) = (Tensor::ones([2]), Tensor::zeros([2]));
/// let rule = Momentum { lr: 0.5, momentum: 0.9 };
/// w.update_(&Tensor::from([1.0, 2.0]), [&velocity], &rule)?;
/// assert_eq!(w.to_vec::<f32>()?, [0.5, 0.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub trait Update<const N: usize>: Copy + Sync {
    /// The new value of a parameter `p` with gradient `g`; `state` is what the optimizer remembers
    /// about it, to be changed in place. Called while the tensors are locked: it must not use them.
    fn update<T: Float>(&self, p: T, g: T, state: [&mut T; N]) -> T;
}

impl Tensor {
    /// Overwrites every element with that of `source`, which broadcasts and is converted. The gradient
    /// of what was here before is 0; that of the copy flows to `source`.
    ///
    /// # Errors
    /// If the shape does not broadcast to this one, or the tensor may not be changed (see
    /// [`add_`](Tensor::add_)).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([2, 2]);
    /// x.select(0, 1)?.copy_(&Tensor::from([3, 4]))?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 0.0, 3.0, 4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn copy_(&self, source: &Tensor) -> Result<()> {
        self.expect_writable("copy_")?;
        let new = source
            .to_dtype(self.dtype())
            .and_then(|source| source.broadcast_to(self.shape()))
            .map_err(|e| e.at("copy_"))?;
        self.replace("copy_", new)
    }

    /// Overwrites every element with `value`, converted.
    ///
    /// # Errors
    /// If the tensor may not be changed (see [`add_`](Tensor::add_)).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([2]);
    /// x.fill_(7.0)?;
    /// assert_eq!(x.to_vec::<f32>()?, [7.0, 7.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn fill_(&self, value: f64) -> Result<()> {
        self.expect_writable("fill_")?;
        let value = Tensor::full((), value, self.dtype())?;
        self.replace("fill_", value.broadcast_to(self.shape())?)
    }

    /// Adds `other`, which broadcasts, in place. Views see the change, and it is recorded: gradients
    /// flow to `other` and to what this tensor was computed from.
    ///
    /// # Errors
    /// If `other` does not broadcast to this shape or would need another dtype; outside of
    /// [`no_grad`](crate::no_grad), if this is a leaf that requires a gradient or a view of one; if
    /// a gradient is concerned and this is a view that was made inside it; if elements share memory
    /// (a broadcast view).
    ///
    /// ```
    /// # use gradus_core::{Tensor, no_grad};
    /// let w = Tensor::ones([2]).requires_grad_(true)?;
    /// assert!(w.add_(1.0).is_err());
    /// no_grad(|| w.add_(1.0))?;
    /// assert_eq!(w.to_vec::<f32>()?, [2.0, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn add_<'a>(&self, other: impl Into<Operand<'a>>) -> Result<()> {
        self.combine(
            "add_",
            other.into(),
            |x, y| x.add(y),
            |other| dispatch_number!("add_", self.dtype(), T => self.assign::<T>(other, T::plus)),
        )
    }

    /// Subtracts `other` in place.
    ///
    /// # Errors
    /// As [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([3.0, 4.0]);
    /// x.sub_(&Tensor::from([1.0, 1.0]))?;
    /// assert_eq!(x.to_vec::<f32>()?, [2.0, 3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sub_<'a>(&self, other: impl Into<Operand<'a>>) -> Result<()> {
        self.combine(
            "sub_",
            other.into(),
            |x, y| x.sub(y),
            |other| dispatch_number!("sub_", self.dtype(), T => self.assign::<T>(other, T::minus)),
        )
    }

    /// Multiplies by `other` in place.
    ///
    /// # Errors
    /// As [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([3.0, 4.0]);
    /// x.mul_(2.0)?;
    /// assert_eq!(x.to_vec::<f32>()?, [6.0, 8.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mul_<'a>(&self, other: impl Into<Operand<'a>>) -> Result<()> {
        self.combine(
            "mul_",
            other.into(),
            |x, y| x.mul(y),
            |other| dispatch_number!("mul_", self.dtype(), T => self.assign::<T>(other, T::times)),
        )
    }

    /// Divides by `other` in place; floating point tensors only.
    ///
    /// # Errors
    /// As [`add_`](Tensor::add_).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([3.0, 4.0]);
    /// x.div_(2.0)?;
    /// assert_eq!(x.to_vec::<f32>()?, [1.5, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn div_<'a>(&self, other: impl Into<Operand<'a>>) -> Result<()> {
        self.combine("div_", other.into(), |x, y| x.div(y), |other| {
            dispatch_float!("div_", self.dtype(), T => self.assign::<T>(other, |x, y| x / y))
        })
    }

    /// One optimizer step: every element becomes `rule.update(element, gradient, state)`, in one
    /// pass over all of them. Autograd does not see it.
    ///
    /// # Errors
    /// If shapes or dtypes differ, a tensor has gaps in memory or lies in another order than the
    /// others (the gradient may be anything), two of them share memory, or the dtype is not floating
    /// point. Nothing is changed then.
    ///
    /// ```
    /// use gradus_core::{Float, Tensor, ops::Update};
    /// #[derive(Clone, Copy)]
    /// struct Sgd;
    /// impl Update<0> for Sgd {
    ///     fn update<T: Float>(&self, p: T, g: T, []: [&mut T; 0]) -> T {
    ///         p - T::from_f64(0.5) * g
    ///     }
    /// }
    /// let w = Tensor::ones([2]);
    /// w.update_(&Tensor::from([1.0, 2.0]), [], &Sgd)?;
    /// assert_eq!(w.to_vec::<f32>()?, [0.5, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn update_<const N: usize>(
        &self,
        grad: &Tensor,
        state: [&Tensor; N],
        rule: &impl Update<N>,
    ) -> Result<()> {
        let fits = |t: &Tensor| {
            t.shape() == self.shape() && t.dtype() == self.dtype() && t.lies_like(self)
        };
        let mut grad = grad.detach();
        let alike = grad.shape() == self.shape() && grad.dtype() == self.dtype();
        if alike && (grad.shares_memory(self) || !grad.lies_like(self)) {
            grad = grad.arranged_like(self)?;
        }
        let apart = |i: usize| {
            !state[i].shares_memory(self)
                && !state[i].shares_memory(&grad)
                && !state[..i].iter().any(|s| s.shares_memory(state[i]))
        };
        if !fits(self) || !fits(&grad) || !state.iter().all(|s| fits(s)) || !(0..N).all(apart) {
            return Err(err!(
                Shape,
                "update_: the parameter ({} of shape {:?}), gradient ({} of shape {:?}) and state must agree in shape and \
                 dtype, be without gaps in the same order, and lie apart in memory",
                self.dtype(),
                self.shape(),
                grad.dtype(),
                grad.shape()
            ));
        }
        let rule = *rule;
        let range = |t: &Tensor| t.layout().offset..t.layout().offset + t.numel();
        dispatch_float!("update_", self.dtype(), T => {
            self.storage().update(state.map(Tensor::storage), grad.storage(), |p: &mut [T], s, g| {
                let mut ranges = state.iter().map(|s| range(s));
                let s = s.map(|s| &mut s[ranges.next().expect("one range each")]);
                update(&mut p[range(self)], &g[range(&grad)], s, move |p, g, s| *p = rule.update(*p, g, s));
            });
            Ok(())
        })
    }

    /// Changes this tensor to what `f` makes of its old value: the memory stays, the elements and
    /// the history become those of the result.
    ///
    /// `f` may be called twice: without history first, since most changes need none.
    ///
    /// # Errors
    /// Those of `f`; a result of another shape or of a dtype that does not fit; a tensor that may
    /// not be changed. Nothing is changed then.
    pub(crate) fn in_place(&self, op: &str, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<()> {
        self.expect_writable(op)?;
        // What is saved for backward must be the old elements, which are about to be overwritten.
        let old = || -> Result<Tensor> { Ok(self.detach().copy()?.with_node(self.node())) };
        let mut new = if is_grad_enabled() && self.requires_grad() {
            f(&old()?)
        } else {
            f(&self.detach())
        }
        .map_err(|e| e.at(op))?;
        if new.requires_grad() && !self.requires_grad() {
            new = f(&old()?).map_err(|e| e.at(op))?;
        }
        self.replace(op, new)
    }

    /// Puts the elements of `new` into this tensor's memory and gives it the history of `new`.
    fn replace(&self, op: &str, mut new: Tensor) -> Result<()> {
        self.expect_traceable(op, &new)?;
        if new.shape() != self.shape() {
            return Err(err!(
                Shape,
                "{op}: output with shape {:?} doesn't match the broadcast shape {:?}: a change in place keeps the shape",
                self.shape(),
                new.shape()
            ));
        }
        if new.dtype() != self.dtype() {
            self.expect_castable(op, new.dtype())?;
            new = new.to_dtype(self.dtype())?;
        }
        if new.shares_memory(self) {
            self.overwrite(&new.detach().copy()?, false)?;
        } else {
            self.overwrite(&new, false)?;
        }
        if is_grad_enabled() {
            self.rebase(new);
        }
        Ok(())
    }

    /// Combines this tensor with `other` in place: directly by `kernel` where no gradient is asked
    /// for, else as the operation `f` would.
    fn combine<'a>(
        &self,
        op: &str,
        other: Operand<'a>,
        f: fn(&Tensor, &Tensor) -> Result<Tensor>,
        kernel: impl FnOnce(&Tensor) -> Result<()>,
    ) -> Result<()> {
        self.expect_castable(op, super::promote(&Operand::Tensor(self), &other))?;
        let other = other.to_tensor(self.dtype())?;
        if is_grad_enabled() && (self.requires_grad() || other.requires_grad()) {
            return self.in_place(op, |x| f(x, &other));
        }
        self.expect_writable(op)?;
        self.expect_traceable(op, &other)?;
        let other = other.broadcast_to(self.shape()).map_err(|e| e.at(op))?;
        if other.shares_memory(self) {
            kernel(&other.copy()?)
        } else {
            kernel(&other)
        }
    }

    /// Whether a result of `dtype` can be written into this tensor.
    fn expect_castable(&self, op: &str, dtype: DType) -> Result<()> {
        if dtype.category() <= self.dtype().category() {
            return Ok(());
        }
        Err(err!(
            DType,
            "{op}: result type {dtype} can't be cast to the desired output type {}; convert the tensor first",
            self.dtype()
        ))
    }

    /// Whether autograd and the layout allow a change in place.
    pub(crate) fn expect_writable(&self, op: &str) -> Result<()> {
        self.expect_changeable(op)?;
        let mut places = self.shape().iter().zip(self.stride());
        if places.any(|(&n, &s)| n > 1 && s == 0) {
            return Err(err!(
                Value,
                "{op}: unsupported operation: more than one element of the written-to tensor refers to a single memory \
                 location. Use contiguous() first"
            ));
        }
        Ok(())
    }

    /// Writes the elements of `source`, of the same shape and dtype but in other memory, over this
    /// tensor's or adds them to it. Autograd does not see it.
    pub(crate) fn overwrite(&self, source: &Tensor, add: bool) -> Result<()> {
        if add {
            dispatch_number!("add", self.dtype(), T => self.assign::<T>(source, T::plus))
        } else {
            let layout = self.layout();
            dispatch!(self.dtype(), T => {
                self.change::<T>(source, &|target, source| map::write(target, layout, source))
            });
            Ok(())
        }
    }

    fn assign<T: Element>(&self, source: &Tensor, f: impl Fn(T, T) -> T + Sync) -> Result<()> {
        let layout = self.layout();
        self.change::<T>(source, &|target, source| {
            map::assign(target, layout, source, &f)
        });
        Ok(())
    }

    /// Calls `f` with the memory of this tensor and the elements of another one.
    fn change<T: Element>(&self, source: &Tensor, f: &dyn Fn(&mut [T], View<'_, T>)) {
        self.storage()
            .update([], source.storage(), |target: &mut [T], [], x: &[T]| {
                f(target, View::new(x, source.layout()));
            });
    }
}
