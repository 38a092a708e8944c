//! Tensors overwritten with random numbers, from this thread's generator.
//!
//! An error leaves the tensor as it was, and the generator too.

use super::create::{bernoulli, build, check_std, hits, uniform};
use crate::dtype::dispatch_float;
use crate::error::{Result, err};
use crate::ops::{Operand, Scalar};
use crate::shape::Dims;
use crate::tensor::Tensor;

impl Tensor {
    /// Overwrites every element with a number from [low, high), uniform.
    ///
    /// # Errors
    /// As [`uniform`](Tensor::uniform), and if the tensor may not be changed (see
    /// [`add_`](Tensor::add_)).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([100]);
    /// x.uniform_(2.0, 3.0)?;
    /// assert!(x.to_vec::<f32>()?.iter().all(|x| (2.0..3.0).contains(x)));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn uniform_(&self, low: f64, high: f64) -> Result<()> {
        self.refill("uniform_", |shape| {
            uniform("uniform_", low, high, shape, self.dtype())
        })
    }

    /// Overwrites every element with a number from the normal distribution with this mean and
    /// standard deviation.
    ///
    /// # Errors
    /// As [`normal`](Tensor::normal), and if the tensor may not be changed (see
    /// [`add_`](Tensor::add_)).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([100]);
    /// x.normal_(5.0, 0.1)?;
    /// assert!(x.to_vec::<f32>()?.iter().all(|x| (4.0..6.0).contains(x)));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn normal_(&self, mean: f64, std: f64) -> Result<()> {
        check_std("normal_", std)?;
        let scattered = !self.is_contiguous();
        self.refill("normal_", |shape| {
            dispatch_float!("normal_", self.dtype(), T => build(shape, |g, out: &mut [T]| {
                g.fill_normal(out, mean, std, scattered);
            }))
        })
    }

    /// Overwrites every element with a number from the exponential distribution, whose density is
    /// rate·e^(−rate·x) for x > 0.
    ///
    /// # Errors
    /// If `rate` is not greater than 0, the dtype is not floating point, or the tensor may not be
    /// changed (see [`add_`](Tensor::add_)).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([1000]);
    /// x.exponential_(2.0)?;
    /// assert!((0.4..0.6).contains(&x.mean(..)?.item::<f32>()?));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn exponential_(&self, rate: f64) -> Result<()> {
        if rate.is_nan() || rate <= 0.0 {
            return Err(err!(
                Value,
                "exponential_: expects rate > 0.0, but found rate={rate}"
            ));
        }
        self.refill("exponential_", |shape| {
            dispatch_float!("exponential_", self.dtype(), T => build(shape, |g, out: &mut [T]| {
                g.fill_exponential(out, rate);
            }))
        })
    }

    /// Overwrites every element with 1 (probability `p`) or 0. `p` is a number, or a tensor that
    /// broadcasts and has a probability for every element. The dtype may be any.
    ///
    /// # Errors
    /// If `p` is not within [0, 1], is a tensor that is not floating point or does not broadcast,
    /// or the tensor may not be changed (see [`add_`](Tensor::add_)).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([2, 3]);
    /// x.bernoulli_(&Tensor::from([0.0, 1.0, 1.0]))?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 1.0, 1.0, 0.0, 1.0, 1.0]);
    /// x.bernoulli_(0.5)?;
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn bernoulli_<'a>(&self, p: impl Into<Operand<'a>>) -> Result<()> {
        let op = "bernoulli_";
        let p = match p.into() {
            Operand::Tensor(p) => {
                self.expect_writable(op)?;
                let p = p
                    .detach()
                    .broadcast_to(self.shape())
                    .map_err(|e| e.at(op))?;
                let hits = hits(op, &p)?;
                return self.in_place(op, |_| Ok(hits.clone()));
            }
            Operand::Scalar(Scalar::Float(p)) => p,
            Operand::Scalar(Scalar::Int(p)) => p as f64,
            Operand::Scalar(Scalar::Bool(p)) => f64::from(u8::from(p)),
        };
        self.refill(op, |shape| bernoulli(op, p, shape, self.dtype()))
    }

    /// Overwrites this tensor with one that `fill` makes, element by element in the order in which
    /// they lie in memory. So PyTorch does it.
    fn refill(&self, op: &str, fill: impl FnOnce(Dims) -> Result<Tensor>) -> Result<()> {
        self.expect_writable(op)?;
        let mut order: Vec<usize> = (0..self.ndim()).collect();
        order.sort_by_key(|&d| std::cmp::Reverse(self.stride()[d].unsigned_abs()));
        let filled = fill(order.iter().map(|&d| self.shape()[d]).collect())?;
        let mut back = vec![0; order.len()];
        order.iter().zip(0..).for_each(|(&d, i)| back[d] = i);
        let filled = filled.permute(back)?;
        self.in_place(op, |_| Ok(filled.clone()))
    }
}
