//! Mixtures of three tensors.

use super::stretched;
use crate::autograd::{Context, Function, Grads, Saved, apply};
use crate::dtype::dispatch_float;
use crate::error::{Result, err};
use crate::kernels::View;
use crate::kernels::map::{self, Cost};
use crate::kernels::math::Float;
use crate::ops::Operand;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new(
        "lerp",
        &[
            Input::real(&[4, 3]),
            Input::real(&[4, 3]),
            Input::real(&[3]),
        ],
        |x| x[0].lerp(&x[1], &x[2]),
    )
    .torch("torch.lerp(x[0], x[1], x[2])"),
    Case::new("lerp", &[Input::real(&[4, 1]), Input::real(&[3])], |x| {
        x[0].lerp(&x[1], 0.3)
    })
    .torch("torch.lerp(x[0], x[1], 0.3)"),
    Case::new(
        "mul",
        &[
            Input::real(&[4, 3]),
            Input::real(&[4, 1]),
            Input::real(&[3]),
        ],
        |x| x[0].addcmul(&x[1], &x[2], 0.7),
    )
    .torch("torch.addcmul(x[0], x[1], x[2], value=0.7)"),
    Case::new(
        "div",
        &[
            Input::real(&[4, 3]),
            Input::real(&[4, 1]),
            Input::positive(&[3]),
        ],
        |x| x[0].addcdiv(&x[1], &x[2], -2.0),
    )
    .torch("torch.addcdiv(x[0], x[1], x[2], value=-2)"),
];

impl Tensor {
    /// The point between this tensor (weight 0) and `end` (weight 1), exactly either at these
    /// weights. `weight` is a number or a tensor; all three broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast, or the dtypes differ or are not floating point.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::from([0.0, 10.0]), Tensor::from([4.0, 20.0]));
    /// assert_eq!(a.lerp(&b, 0.25)?.to_vec::<f32>()?, [1.0, 12.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn lerp<'a>(&'a self, end: &Tensor, weight: impl Into<Operand<'a>>) -> Result<Tensor> {
        self.dtype().expect_float("lerp")?;
        let weight = weight.into();
        let same = |name: &str, dtype| {
            if dtype == self.dtype() {
                return Ok(());
            }
            Err(err!(
                DType,
                "lerp: expected dtype {} for `{name}` but got dtype {dtype}; convert with to_dtype",
                self.dtype()
            ))
        };
        same("end", end.dtype())?;
        if let Operand::Tensor(weight) = weight {
            same("weight", weight.dtype())?;
        }
        let weight = weight.to_tensor(self.dtype())?;
        apply(Lerp, &[self, end, &weight])
    }

    /// This tensor plus `value`·a·b.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::from([2.0, 3.0]), Tensor::from([5.0, 7.0]));
    /// assert_eq!(Tensor::ones([2]).addcmul(&a, &b, 10.0)?.to_vec::<f32>()?, [101.0, 211.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn addcmul<'a>(
        &'a self,
        a: &'a Tensor,
        b: &'a Tensor,
        value: impl Into<Operand<'a>>,
    ) -> Result<Tensor> {
        let value = value.into();
        let sum = a
            .mul(b)
            .and_then(|product| self.add(&super::mul(&product, value)?));
        sum.map_err(|e| e.at("addcmul"))
    }

    /// This tensor plus `value`·a/b. Integers are divided as f32.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::from([2.0, 3.0]), Tensor::from([4.0, 2.0]));
    /// assert_eq!(Tensor::ones([2]).addcdiv(&a, &b, 10.0)?.to_vec::<f32>()?, [6.0, 16.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn addcdiv<'a>(
        &'a self,
        a: &'a Tensor,
        b: &'a Tensor,
        value: impl Into<Operand<'a>>,
    ) -> Result<Tensor> {
        let value = value.into();
        let sum = a
            .div(b)
            .and_then(|quotient| self.add(&super::mul(&quotient, value)?));
        sum.map_err(|e| e.at("addcdiv"))
    }
}

/// a + w·(b − a), from the nearer end.
struct Lerp;

fn between<T: Float>(a: T, b: T, w: T) -> T {
    let way = b - a;
    if w.abs() < T::from_f64(0.5) {
        a + w * way
    } else {
        b - (T::ONE - w) * way
    }
}

impl Function for Lerp {
    fn name(&self) -> &'static str {
        "lerp"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (a, b, w) = (x[0], x[1], x[2]);
        x.iter().for_each(|t| ctx.save(t));
        let [la, lb, lw] = stretched([a, b, w]).map_err(|e| e.at("lerp"))?;
        let out = dispatch_float!("lerp", a.dtype(), T => {
            a.with::<T, _>(|a| b.with::<T, _>(|b| w.with::<T, _>(|w| {
                let (a, b, w) = (View::new(a.data, &la), View::new(b.data, &lb), View::new(w.data, &lw));
                map::zip3(a, b, w, Cost::Low, between::<T>)
            })))
        })?;
        Ok(Tensor::from_dense(out))
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let (a, b, w) = (saved.get(0)?, saved.get(1)?, saved.get(2)?);
        let da = saved.grad(0, || g.mul(&super::sub(1, &w)?))?;
        let db = saved.grad(1, || g.mul(&w))?;
        let dw = saved.grad(2, || g.mul(&b.sub(&a)?))?;
        Ok([da, db, dw].into())
    }
}
