//! Random tensors, from this thread's generator.

use super::generator::Generator;
use super::with_generator;
use crate::dtype::{DType, Element, dispatch, dispatch_float};
use crate::error::{Result, err};
use crate::shape::{Dims, IntoShape, numel};
use crate::storage::Buffer;
use crate::tensor::Tensor;

impl Tensor {
    /// f32 numbers from the standard normal distribution. [`normal`](Tensor::normal) has other
    /// dtypes.
    ///
    /// # Errors
    /// If there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::randn([2, 3])?.shape(), [2, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn randn(shape: impl IntoShape) -> Result<Tensor> {
        normal("randn", 0.0, 1.0, shape.into_shape(), DType::F32)
    }

    /// f32 numbers from [0, 1), uniform. [`uniform`](Tensor::uniform) has other dtypes.
    ///
    /// # Errors
    /// If there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert!(Tensor::rand([100])?.to_vec::<f32>()?.iter().all(|x| (0.0..1.0).contains(x)));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn rand(shape: impl IntoShape) -> Result<Tensor> {
        uniform("rand", 0.0, 1.0, shape.into_shape(), DType::F32)
    }

    /// Numbers from the normal distribution with this mean and standard deviation.
    ///
    /// # Errors
    /// If `std` is negative or NaN, the dtype is not floating point, or there is no memory for
    /// them.
    ///
    /// ```
    /// use gradus_core::{DType, Tensor};
    /// let x = Tensor::normal(5.0, 0.1, [2, 3], DType::F64)?;
    /// assert!(x.to_vec::<f64>()?.iter().all(|x| (4.0..6.0).contains(x)));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn normal(mean: f64, std: f64, shape: impl IntoShape, dtype: DType) -> Result<Tensor> {
        normal("normal", mean, std, shape.into_shape(), dtype)
    }

    /// Numbers from [low, high), uniform; all of them `low` if the two are equal.
    ///
    /// With the streams of NumPy and PyTorch `high` itself can come out where rounding to the dtype
    /// leads there, as it does in these libraries.
    ///
    /// # Errors
    /// If `low` is greater than `high`, either or their difference is not finite in the dtype, the
    /// dtype is not floating point, or there is no memory for them.
    ///
    /// ```
    /// use gradus_core::{DType, Tensor};
    /// let x = Tensor::uniform(-1.0, 1.0, [100], DType::F64)?;
    /// assert!(x.to_vec::<f64>()?.iter().all(|x| (-1.0..1.0).contains(x)));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn uniform(low: f64, high: f64, shape: impl IntoShape, dtype: DType) -> Result<Tensor> {
        uniform("uniform", low, high, shape.into_shape(), dtype)
    }

    /// Integers from `low` to `high − 1`, all alike (i64).
    ///
    /// # Errors
    /// If `low` is not less than `high`, or there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let dice = Tensor::randint(1, 7, [100])?;
    /// assert!(dice.to_vec::<i64>()?.iter().all(|x| (1..=6).contains(x)));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn randint(low: i64, high: i64, shape: impl IntoShape) -> Result<Tensor> {
        randint("randint", low, high, shape.into_shape())
    }

    /// The integers 0…n−1 in a random order (i64).
    ///
    /// # Errors
    /// If there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let mut p = Tensor::randperm(5)?.to_vec::<i64>()?;
    /// p.sort();
    /// assert_eq!(p, [0, 1, 2, 3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn randperm(n: usize) -> Result<Tensor> {
        build(n.into_shape(), |g, out: &mut [i64]| {
            out.iter_mut().zip(0..).for_each(|(x, i)| *x = i);
            g.shuffle(out);
        })
    }

    /// As [`rand`](Tensor::rand), in the shape and dtype of this tensor.
    ///
    /// # Errors
    /// If the dtype is not floating point, or there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3]).rand_like()?.shape(), [2, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn rand_like(&self) -> Result<Tensor> {
        uniform(
            "rand_like",
            0.0,
            1.0,
            self.shape().into_shape(),
            self.dtype(),
        )
    }

    /// As [`randn`](Tensor::randn), in the shape and dtype of this tensor.
    ///
    /// # Errors
    /// If the dtype is not floating point, or there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([2, 3]);
    /// let noisy = x.add(&x.randn_like()?)?;
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn randn_like(&self) -> Result<Tensor> {
        normal(
            "randn_like",
            0.0,
            1.0,
            self.shape().into_shape(),
            self.dtype(),
        )
    }

    /// As [`randint`](Tensor::randint), in the shape and dtype of this tensor.
    ///
    /// # Errors
    /// If `low` is not less than `high`, or there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// assert_eq!(Tensor::zeros([2]).randint_like(0, 9)?.dtype(), DType::F32);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn randint_like(&self, low: i64, high: i64) -> Result<Tensor> {
        randint("randint_like", low, high, self.shape().into_shape())?.to_dtype(self.dtype())
    }

    /// 1 with the probability that this tensor has at that place, else 0, in its shape and dtype.
    /// No gradient flows back.
    ///
    /// # Errors
    /// If an element is not within [0, 1], or the dtype is not floating point.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([0.0, 1.0]).bernoulli()?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn bernoulli(&self) -> Result<Tensor> {
        hits("bernoulli", self)?.to_dtype(self.dtype())
    }

    /// 1 with probability `p`, else 0, in the shape and dtype of this tensor, such as the mask of a
    /// dropout.
    ///
    /// # Errors
    /// If `p` is not within [0, 1], or there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let mask = Tensor::zeros([1000]).bernoulli_like(0.9)?;
    /// assert!((0.8..1.0).contains(&mask.mean(..)?.item::<f32>()?));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn bernoulli_like(&self, p: f64) -> Result<Tensor> {
        bernoulli("bernoulli_like", p, self.shape().into_shape(), self.dtype())
    }
}

/// A tensor that this thread's generator has filled.
pub(super) fn build<T: Element>(
    shape: Dims,
    fill: impl FnOnce(&mut Generator, &mut [T]),
) -> Result<Tensor> {
    let buffer = Buffer::build(numel(&shape)?, |out| with_generator(|g| fill(g, out)))?;
    Ok(Tensor::from_buffer(buffer, shape))
}

pub(super) fn check_std(op: &str, std: f64) -> Result<()> {
    if std >= 0.0 {
        return Ok(());
    }
    Err(err!(
        Value,
        "{op}: normal expects std >= 0.0, but found std {std}"
    ))
}

fn normal(op: &str, mean: f64, std: f64, shape: Dims, dtype: DType) -> Result<Tensor> {
    check_std(op, std)?;
    dispatch_float!(op, dtype, T => build(shape, |g, out: &mut [T]| g.fill_normal(out, mean, std, false)))
}

/// `uniform` for elements in this order.
pub(super) fn uniform(op: &str, low: f64, high: f64, shape: Dims, dtype: DType) -> Result<Tensor> {
    dtype.expect_float(op)?;
    let largest = if dtype == DType::F32 {
        f64::from(f32::MAX)
    } else {
        f64::MAX
    };
    for (name, bound) in [("low", low), ("high", high)] {
        if bound.is_nan() || bound.abs() > largest {
            return Err(err!(
                Value,
                "{op}: {name} is out of bounds for {dtype}, got {bound}"
            ));
        }
    }
    if low > high {
        return Err(err!(
            Value,
            "{op}: expects to return a [low, high) range, but found low={low} > high={high}"
        ));
    }
    if high - low > largest {
        return Err(err!(
            Value,
            "{op}: expects high − low to be at most the largest {dtype}, but found low={low} and high={high}"
        ));
    }
    dispatch_float!(op, dtype, T => build(shape, |g, out: &mut [T]| g.fill_uniform(out, low, high)))
}

fn randint(op: &str, low: i64, high: i64, shape: Dims) -> Result<Tensor> {
    if low >= high {
        return Err(err!(
            Value,
            "{op}: expects 'low' to be less than 'high', but got low={low} >= high={high}"
        ));
    }
    build(shape, |g, out| {
        g.fill_integers(out, low, high.abs_diff(low))
    })
}

pub(super) fn bernoulli(op: &str, p: f64, shape: Dims, dtype: DType) -> Result<Tensor> {
    if !(0.0..=1.0).contains(&p) {
        return Err(err!(
            Value,
            "{op}: expects p to be in [0, 1], but got p={p}"
        ));
    }
    dispatch!(dtype, T => build(shape, |g, out: &mut [T]| g.fill_bernoulli(out, p)))
}

/// Whether a uniform number is less than the probability at its place (bool).
pub(super) fn hits(op: &str, p: &Tensor) -> Result<Tensor> {
    let p = p.detach();
    let odd = dispatch_float!(op, p.dtype(), T => p.with_slice::<T, _>(|p| {
        Ok(p.iter().copied().find(|p| !(0.0..=1.0).contains(p)).map(|p| p.to_f64()))
    }))?;
    if let Some(odd) = odd {
        return Err(err!(
            Value,
            "{op}: expects every p to be in [0, 1], but got p={odd}"
        ));
    }
    uniform(op, 0.0, 1.0, p.shape().into_shape(), p.dtype())?.lt(&p)
}
