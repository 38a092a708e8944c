//! Functions of one element: about five lines each.

use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{DType, Number, dispatch_float, dispatch_number};
use crate::error::{Result, err};
use crate::kernels::map::{self, Cost};
use crate::kernels::math::Float;
use crate::tensor::Tensor;

pub(super) const CASES: &[Case] = &[
    Case::new("neg", &[Input::real(&[2, 3])], |x| x[0].neg()).torch("-x[0]"),
    Case::new("abs", &[Input::real(&[7])], |x| x[0].abs()),
    Case::new("exp", &[Input::real(&[2, 3])], |x| x[0].exp()),
    Case::new("log", &[Input::positive(&[2, 3])], |x| x[0].log()),
    Case::new("sqrt", &[Input::positive(&[2, 3])], |x| x[0].sqrt()),
    Case::new("sin", &[Input::real(&[2, 3])], |x| x[0].sin()),
    Case::new("cos", &[Input::real(&[2, 3])], |x| x[0].cos()),
    Case::new("relu", &[Input::real(&[7])], |x| x[0].relu()),
    Case::new("sigmoid", &[Input::real(&[2, 3])], |x| x[0].sigmoid()),
    Case::new("tanh", &[Input::real(&[2, 3])], |x| x[0].tanh()),
];

/// A function of one element and its derivative.
trait Pointwise: Send + Sync + 'static {
    /// Name in graphs and errors.
    const NAME: &'static str;
    /// What the derivative is computed from; less is less memory to keep and to read.
    const USES: Uses = Uses::Both;
    /// The function.
    fn f<T: Float>(x: T) -> T;
    /// Its derivative at `x`, where the function is `y`.
    fn df<T: Float>(x: T, y: T) -> T;
}

/// Arguments that a derivative really looks at.
#[derive(PartialEq)]
enum Uses {
    Input,
    Output,
    Both,
}

struct Map<P>(P);

impl<P: Pointwise> Function for Map<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn forward(&self, ctx: &mut Context, inputs: &[&Tensor]) -> Result<Tensor> {
        let x = inputs[0];
        let y = dispatch_float!(P::NAME, x.dtype(), T => x.with::<T, _>(|x| map::map(x, Cost::High, P::f)))?;
        let y = Tensor::from_buffer(y, x.layout().shape.clone());
        if P::USES != Uses::Output {
            ctx.save(x);
        }
        if P::USES != Uses::Input {
            ctx.save(&y);
        }
        Ok(y)
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let (g, a) = (grad, saved.get(0)?);
        let dx = dispatch_float!(P::NAME, g.dtype(), T => g.with::<T, _>(|g| a.with::<T, _>(|a| match P::USES {
            Uses::Input => map::zip(g, a, Cost::High, |g, x| g * P::df(x, T::ZERO)),
            Uses::Output => map::zip(g, a, Cost::High, |g, y| g * P::df(T::ZERO, y)),
            Uses::Both => saved.get(1)?.with::<T, _>(|y| map::zip3(g, a, y, Cost::High, |g, x, y| g * P::df(x, y))),
        })))?;
        Ok([Grad::Of(Tensor::from_buffer(dx, g.layout().shape.clone()))].into())
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

    /// −x, for every dtype but bool; unsigned integers wrap.
    ///
    /// # Errors
    /// For bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, -2.0]).neg()?.to_vec::<f32>()?, [-1.0, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn neg(&self) -> Result<Tensor> {
        match self.dtype() {
            dtype if dtype.is_float() => apply(Map(Neg), &[self]),
            DType::Bool => Err(err!(
                DType,
                "neg: Negation, the `-` operator, on a bool tensor is not supported. Use eq(false) for a logical not, \
                 or convert with to_dtype"
            )),
            _ => self.mul(-1),
        }
    }

    /// |x|. The gradient at 0 is 0. Integers keep their dtype; the smallest one has no positive
    /// counterpart and stays.
    ///
    /// # Errors
    /// For bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, -2.0]).abs()?.to_vec::<f32>()?, [1.0, 2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn abs(&self) -> Result<Tensor> {
        if self.dtype().is_float() {
            return apply(Map(Abs), &[self]);
        }
        let y = dispatch_number!("abs", self.dtype(), T => self.with::<T, _>(|x| {
            map::map(x, Cost::Low, magnitude)
        }))?;
        Ok(Tensor::from_buffer(y, self.layout().shape.clone()))
    }

    /// eˣ.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 1.0]).exp()?.to_vec::<f32>()?, [1.0, std::f32::consts::E]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn exp(&self) -> Result<Tensor> {
        self.pointwise(Exp)
    }

    /// The natural logarithm: −∞ at 0, NaN below.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 0.0]).log()?.to_vec::<f32>()?, [0.0, f32::NEG_INFINITY]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn log(&self) -> Result<Tensor> {
        self.pointwise(Log)
    }

    /// √x, NaN below 0.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([4.0, 9.0]).sqrt()?.to_vec::<f32>()?, [2.0, 3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sqrt(&self) -> Result<Tensor> {
        self.pointwise(Sqrt)
    }

    /// The sine of x in radians.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from(0.0).sin()?.item::<f32>()?, 0.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sin(&self) -> Result<Tensor> {
        self.pointwise(Sin)
    }

    /// The cosine of x in radians.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from(0.0).cos()?.item::<f32>()?, 1.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cos(&self) -> Result<Tensor> {
        self.pointwise(Cos)
    }

    /// max(x, 0). The gradient at 0 is 0; NaN stays NaN. Integers keep their dtype.
    ///
    /// # Errors
    /// For bool tensors.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, -2.0]).relu()?.to_vec::<f32>()?, [1.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn relu(&self) -> Result<Tensor> {
        if self.dtype().is_float() {
            return apply(Map(Relu), &[self]);
        }
        let y = dispatch_number!("relu", self.dtype(), T => self.with::<T, _>(|x| {
            map::map(x, Cost::Low, not_negative)
        }))?;
        Ok(Tensor::from_buffer(y, self.layout().shape.clone()))
    }

    /// The logistic function 1/(1 + e⁻ˣ), without overflow at either end.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 1000.0, -1000.0]).sigmoid()?.to_vec::<f32>()?, [0.5, 1.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn sigmoid(&self) -> Result<Tensor> {
        self.pointwise(Sigmoid)
    }

    /// The hyperbolic tangent.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 100.0]).tanh()?.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tanh(&self) -> Result<Tensor> {
        self.pointwise(Tanh)
    }
}

/// |x| for any number; integers wrap.
#[inline(always)]
fn magnitude<T: Number>(x: T) -> T {
    if x < T::ZERO { T::ZERO.minus(x) } else { x }
}

/// max(x, 0) for any number. Written so that NaN, which compares false, comes through.
#[inline(always)]
fn not_negative<T: Number>(x: T) -> T {
    if x < T::ZERO { T::ZERO } else { x }
}

/// Negation. The gradient is −1.
struct Neg;
impl Pointwise for Neg {
    const NAME: &'static str = "neg";
    const USES: Uses = Uses::Input;
    fn f<T: Float>(x: T) -> T {
        -x
    }
    fn df<T: Float>(_x: T, _y: T) -> T {
        -T::ONE
    }
}

/// Absolute value. The gradient is the sign, 0 at 0.
struct Abs;
impl Pointwise for Abs {
    const NAME: &'static str = "abs";
    const USES: Uses = Uses::Input;
    fn f<T: Float>(x: T) -> T {
        x.abs()
    }
    fn df<T: Float>(x: T, _y: T) -> T {
        match () {
            () if x > T::ZERO => T::ONE,
            () if x < T::ZERO => -T::ONE,
            () => T::ZERO * x,
        }
    }
}

/// Exponential. The gradient is the output.
struct Exp;
impl Pointwise for Exp {
    const NAME: &'static str = "exp";
    const USES: Uses = Uses::Output;
    fn f<T: Float>(x: T) -> T {
        x.exp()
    }
    fn df<T: Float>(_x: T, y: T) -> T {
        y
    }
}

/// Natural logarithm. The gradient is 1/x.
struct Log;
impl Pointwise for Log {
    const NAME: &'static str = "log";
    const USES: Uses = Uses::Input;
    fn f<T: Float>(x: T) -> T {
        x.ln()
    }
    fn df<T: Float>(x: T, _y: T) -> T {
        T::ONE / x
    }
}

/// Square root. The gradient is 1/(2y), infinite at 0.
struct Sqrt;
impl Pointwise for Sqrt {
    const NAME: &'static str = "sqrt";
    const USES: Uses = Uses::Output;
    fn f<T: Float>(x: T) -> T {
        x.sqrt()
    }
    fn df<T: Float>(_x: T, y: T) -> T {
        T::ONE / (y + y)
    }
}

/// Sine. The gradient is the cosine.
struct Sin;
impl Pointwise for Sin {
    const NAME: &'static str = "sin";
    const USES: Uses = Uses::Input;
    fn f<T: Float>(x: T) -> T {
        x.sin()
    }
    fn df<T: Float>(x: T, _y: T) -> T {
        x.cos()
    }
}

/// Cosine. The gradient is minus the sine.
struct Cos;
impl Pointwise for Cos {
    const NAME: &'static str = "cos";
    const USES: Uses = Uses::Input;
    fn f<T: Float>(x: T) -> T {
        x.cos()
    }
    fn df<T: Float>(x: T, _y: T) -> T {
        -x.sin()
    }
}

/// Rectifier. The gradient is 1 where the output is positive, else 0 (also at 0).
struct Relu;
impl Pointwise for Relu {
    const NAME: &'static str = "relu";
    const USES: Uses = Uses::Output;
    fn f<T: Float>(x: T) -> T {
        not_negative(x)
    }
    fn df<T: Float>(_x: T, y: T) -> T {
        if y > T::ZERO { T::ONE } else { T::ZERO }
    }
}

/// Logistic function. The gradient is y·(1 − y).
struct Sigmoid;
impl Pointwise for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const USES: Uses = Uses::Output;
    fn f<T: Float>(x: T) -> T {
        x.sigmoid()
    }
    fn df<T: Float>(_x: T, y: T) -> T {
        y * (T::ONE - y)
    }
}

/// Hyperbolic tangent. The gradient is 1 − y² and reuses the output.
struct Tanh;
impl Pointwise for Tanh {
    const NAME: &'static str = "tanh";
    const USES: Uses = Uses::Output;
    fn f<T: Float>(x: T) -> T {
        x.tanh()
    }
    fn df<T: Float>(_x: T, y: T) -> T {
        T::ONE - y * y
    }
}
