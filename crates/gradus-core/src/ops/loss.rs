//! Losses: how far a prediction is from its target, as one number.

use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{DType, Element, dispatch_float};
use crate::error::{Result, err};
use crate::kernels::rows;
use crate::tensor::Tensor;

pub(super) const CASES: &[Case] = &[
    Case::new("cross_entropy", &[Input::real(&[3, 4])], |x| {
        x[0].cross_entropy(&Tensor::from([1, 3, 0]))
    }),
    Case::new("mul", &[Input::real(&[3, 4]), Input::real(&[3, 4])], |x| {
        x[0].mse_loss(&x[1])
    }),
];

impl Tensor {
    /// The mean over rows of −log softmax(x)\[class\]: the loss of a classifier. Shapes: logits `[n, c]`,
    /// classes n integers; the result is 0-d, NaN when there are no rows.
    ///
    /// # Errors
    /// If the shapes do not fit or a class is not in 0…c−1.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let loss = Tensor::zeros([1, 10]).cross_entropy(&Tensor::from([3]))?;
    /// assert!((loss.item::<f32>()? - 10f32.ln()).abs() < 1e-6);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cross_entropy(&self, classes: &Tensor) -> Result<Tensor> {
        let &[n, c] = self.shape() else {
            return Err(err!(
                Shape,
                "cross_entropy: expected logits of shape [n, classes], got {:?}",
                self.shape()
            ));
        };
        if classes.shape() != [n] {
            return Err(err!(
                Shape,
                "cross_entropy: Expected input batch_size ({n}) to match target batch_size: the classes have shape {:?}, \
                 expected [{n}]",
                classes.shape()
            ));
        }
        if classes.dtype().is_float() || classes.dtype() == DType::Bool {
            return Err(err!(
                DType,
                "cross_entropy: expected classes of an integer dtype, got {}",
                classes.dtype()
            ));
        }
        let targets = classes.to_vec::<i64>()?;
        if let Some(bad) = targets.iter().find(|&&t| t < 0 || t >= c as i64) {
            return Err(err!(
                Index,
                "cross_entropy: Target {bad} is out of bounds: the logits have {c} classes"
            ));
        }
        apply(CrossEntropy { targets }, &[self])
    }

    /// The mean of the squared differences from `target`, which broadcasts.
    ///
    /// # Errors
    /// If the shapes do not broadcast; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).mse_loss(&Tensor::from([1.0, 4.0]))?.item::<f32>()?, 2.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mse_loss(&self, target: &Tensor) -> Result<Tensor> {
        let square = |difference: Tensor| difference.mul(&difference)?.mean(..);
        let loss = self.sub(target).and_then(square);
        loss.map_err(|e| e.at("mse_loss"))
    }
}

/// Softmax, logarithm, choice and mean in one: the gradient is (softmax(x) − one-hot)/n.
struct CrossEntropy {
    targets: Vec<i64>,
}

impl Function for CrossEntropy {
    fn name(&self) -> &'static str {
        "cross_entropy"
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let (x, c) = (x[0], x[0].shape()[1]);
        let (logs, mean) = dispatch_float!("cross_entropy", x.dtype(), T => {
            let logs = x.with_slice::<T, _>(|x| rows::log_softmax(x, c.max(1)))?;
            let rows = logs.slice::<T>().chunks_exact(c.max(1)).zip(&self.targets);
            let sum: f64 = rows.map(|(row, &t)| row[t as usize].to_f64()).sum();
            Ok((logs, -sum / self.targets.len() as f64))
        })?;
        ctx.save(&Tensor::from_buffer(logs, x.layout().shape.clone()));
        Tensor::full((), mean, x.dtype())
    }

    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let logs = saved.get(0)?;
        let c = logs.shape()[1].max(1);
        let dx = dispatch_float!("cross_entropy", logs.dtype(), T => logs.with_slice::<T, _>(|logs| {
            let scale = T::from_f64(g.item::<f64>()? / self.targets.len() as f64);
            rows::cross_entropy_backward(logs, &self.targets, c, scale)
        }))?;
        Ok([Grad::Of(Tensor::from_buffer(
            dx,
            logs.layout().shape.clone(),
        ))]
        .into())
    }
}
