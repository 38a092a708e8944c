//! Dropout.

use super::registry::{Case, Input};
use crate::error::{Result, err};
use crate::shape::Dims;
use crate::tensor::Tensor;

pub(super) const CASES: &[Case] = &[
    Case::new("mul", &[Input::real(&[4, 5])], |x| {
        crate::random::manual_seed(1);
        x[0].dropout(0.4, true)
    }),
    Case::new("mul", &[Input::real(&[3, 4, 2, 2])], |x| {
        crate::random::manual_seed(1);
        x[0].dropout2d(0.4, true)
    }),
];

impl Tensor {
    /// Each element set to 0 with probability `p`, the others divided by 1 − p, so that the mean
    /// stays (Srivastava et al., 2014). When not `training`, or for p = 0, the tensor itself. The
    /// gradient is 0 where the result was set to 0 and 1/(1 − p) elsewhere.
    ///
    /// # Errors
    /// If p is not in 0…1; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::ones([1000]);
    /// let kept = x.dropout(0.2, true)?.eq(1.25)?.sum(..)?.item::<i64>()?;
    /// assert!((700..900).contains(&kept));
    /// assert_eq!(x.dropout(0.2, false)?.sum(..)?.item::<f32>()?, 1000.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn dropout(&self, p: f64, training: bool) -> Result<Tensor> {
        self.drop_out("dropout", self.shape(), p, training)
    }

    /// Dropout of whole channels (Tompson et al., 2015): each channel of each sample of a tensor
    /// [n, c, h, w] or [n, c, ...] is set to 0 with probability `p`, the others are divided by 1 − p.
    /// When not `training`, or for p = 0, the tensor itself.
    ///
    /// # Errors
    /// If p is not in 0…1; for less than two dimensions; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let y = Tensor::ones([50, 20, 2, 2]).dropout2d(0.5, true)?;
    /// let sums = y.sum([2, 3])?;
    /// assert!(sums.eq(0.0)?.add(&sums.eq(8.0)?)?.all(..)?.item::<bool>()?);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn dropout2d(&self, p: f64, training: bool) -> Result<Tensor> {
        const OP: &str = "dropout2d";
        let &[n, c, ..] = self.shape() else {
            return Err(err!(
                Shape,
                "{OP}: expected input to have at least 2 dimensions, [n, c, ...], but got shape {:?}",
                self.shape()
            ));
        };
        let mut channels = Dims::from_elem(1, self.ndim());
        channels[..2].copy_from_slice(&[n, c]);
        self.drop_out(OP, &channels, p, training)
    }

    /// Drops together what is one element of a tensor of shape `mask`, which broadcasts.
    fn drop_out(&self, op: &str, mask: &[usize], p: f64, training: bool) -> Result<Tensor> {
        if !(0.0..=1.0).contains(&p) {
            return Err(err!(
                Value,
                "{op}: dropout probability has to be between 0 and 1, but got {p}"
            ));
        }
        if !training || p == 0.0 {
            return Ok(self.clone());
        }
        self.dtype().expect_float(op)?;
        // Drawn row by row whatever the order in memory, in which the product wants it.
        let mut kept = Tensor::rand(mask)?.ge(p)?;
        if mask == self.shape() && !kept.lies_like(self) {
            kept = kept.arranged_like(self)?;
        }
        let kept = kept.to_dtype(self.dtype())?;
        let scale = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
        self.mul(&kept.mul(scale)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, random};

    #[test]
    fn about_p_are_dropped_the_rest_is_scaled_and_the_gradient_is_the_mask() -> Result<()> {
        for (p, dtype) in [(0.1, DType::F32), (0.5, DType::F64), (0.75, DType::F32)] {
            random::manual_seed(3);
            let n = 20_000;
            let x = Tensor::full([n], 3.0, dtype)?.requires_grad_(true)?;
            let y = x.dropout(p, true)?;
            y.sum(..)?.backward()?;
            let (y, mask) = (y.to_vec::<f64>()?, x.grad().unwrap().to_vec::<f64>()?);
            let scale = 1.0 / (1.0 - p);
            for (y, m) in y.iter().zip(&mask) {
                assert!(
                    *m == 0.0 || (m / scale - 1.0).abs() < 1e-6,
                    "{m} at p = {p}"
                );
                assert!((y - 3.0 * m).abs() < 1e-5);
            }
            let dropped = mask.iter().filter(|m| **m == 0.0).count() as f64 / n as f64;
            assert!((dropped - p).abs() < 0.02, "{dropped} of them at p = {p}");
            // The same seed, the same mask.
            random::manual_seed(3);
            assert_eq!(x.dropout(p, true)?.to_vec::<f64>()?, y);
        }
        Ok(())
    }

    #[test]
    fn nothing_or_everything_is_dropped_without_nan() -> Result<()> {
        let x = Tensor::from([1.0, -2.0]).requires_grad_(true)?;
        for (p, training) in [(0.0, true), (0.7, false), (1.0, false)] {
            assert!(x.dropout(p, training)?.is_same(&x));
        }
        let none = x.dropout(1.0, true)?;
        assert_eq!(none.abs()?.to_vec::<f32>()?, [0.0, 0.0]);
        none.sum(..)?.backward()?;
        assert_eq!(x.grad().unwrap().to_vec::<f32>()?, [0.0, 0.0]);
        assert_eq!(Tensor::zeros([0, 3]).dropout(0.5, true)?.shape(), [0, 3]);
        Ok(())
    }
}
