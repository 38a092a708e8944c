//! Losses of representations: what belongs together should be close, the rest far apart.

use super::{Reduction, check};
use crate::error::{Result, err};
use crate::ops::binary::sub;
use crate::ops::keepdim;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("relu", &[Input::real(&[7])], |x| {
        let target = Tensor::from([1, -1, -1, 0, -1, 1, -1]);
        x[0].hinge_embedding_loss(&target)
    })
    .torch("F.hinge_embedding_loss(x[0], torch.tensor([1, -1, -1, 0, -1, 1, -1]))"),
    Case::new("relu", &[Input::real(&[2, 3])], |x| {
        let options = HingeEmbedding {
            margin: 0.4,
            reduction: Reduction::None,
        };
        x[0].hinge_embedding_loss_with(&Tensor::from([1, -1, -1]), options)
    })
    .torch("F.hinge_embedding_loss(x[0], torch.tensor([1, -1, -1]), margin=0.4, reduction='none')"),
    Case::new(
        "sqrt",
        &[Input::real(&[4, 3]), Input::real(&[4, 3])],
        |x| x[0].cosine_embedding_loss(&x[1], &Tensor::from([1, -1, 1, -1])),
    )
    .torch("F.cosine_embedding_loss(x[0], x[1], torch.tensor([1, -1, 1, -1]))"),
    Case::new(
        "sqrt",
        &[Input::real(&[4, 3]), Input::real(&[4, 3])],
        |x| {
            let options = CosineEmbedding {
                margin: -0.5,
                reduction: Reduction::None,
            };
            x[0].cosine_embedding_loss_with(&x[1], &Tensor::from([0, -1, 1, -1]), options)
        },
    )
    .torch("F.cosine_embedding_loss(x[0], x[1], torch.tensor([0, -1, 1, -1]), margin=-0.5, reduction='none')"),
    Case::new("sqrt", &[Input::real(&[3]), Input::real(&[3])], |x| {
        x[0].cosine_embedding_loss(&x[1], &Tensor::from(1))
    })
    .torch("F.cosine_embedding_loss(x[0], x[1], torch.tensor(1))"),
    Case::new(
        "relu",
        &[
            Input::real(&[4, 3]),
            Input::real(&[4, 3]),
            Input::real(&[4, 3]),
        ],
        |x| x[0].triplet_margin_loss(&x[1], &x[2]),
    )
    .torch("F.triplet_margin_loss(x[0], x[1], x[2])"),
    Case::new(
        "relu",
        &[
            Input::real(&[4, 3]),
            Input::real(&[4, 3]),
            Input::real(&[4, 3]),
        ],
        |x| {
            let options = TripletMargin {
                margin: 3.0,
                p: 3.0,
                eps: 1e-3,
                swap: true,
                reduction: Reduction::None,
            };
            x[0].triplet_margin_loss_with(&x[1], &x[2], options)
        },
    )
    .torch("F.triplet_margin_loss(x[0], x[1], x[2], margin=3.0, p=3, eps=1e-3, swap=True, reduction='none')"),
    Case::new(
        "relu",
        &[Input::real(&[3]), Input::real(&[3]), Input::real(&[3])],
        |x| {
            let options = TripletMargin {
                p: 1.0,
                ..Default::default()
            };
            x[0].triplet_margin_loss_with(&x[1], &x[2], options)
        },
    )
    .torch("F.triplet_margin_loss(x[0], x[1], x[2], p=1)"),
];

/// Options of [`Tensor::hinge_embedding_loss_with`].
///
/// ```
/// use gradus_core::loss::HingeEmbedding;
/// assert_eq!(HingeEmbedding::default().margin, 1.0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct HingeEmbedding {
    /// How far apart what does not belong together should be (default: 1).
    pub margin: f64,
    /// What becomes of the losses of the elements (default: their mean).
    pub reduction: Reduction,
}

impl Default for HingeEmbedding {
    fn default() -> Self {
        Self {
            margin: 1.0,
            reduction: Reduction::Mean,
        }
    }
}

/// Options of [`Tensor::cosine_embedding_loss_with`].
///
/// ```
/// use gradus_core::loss::CosineEmbedding;
/// assert_eq!(CosineEmbedding::default().margin, 0.0);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CosineEmbedding {
    /// The cosine up to which what does not belong together costs nothing (default: 0).
    pub margin: f64,
    /// What becomes of the losses of the pairs (default: their mean).
    pub reduction: Reduction,
}

/// Options of [`Tensor::triplet_margin_loss_with`].
///
/// ```
/// use gradus_core::loss::TripletMargin;
/// let options = TripletMargin { swap: true, ..Default::default() };
/// assert_eq!((options.margin, options.p), (1.0, 2.0));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TripletMargin {
    /// By how much the negative should be further away, above 0 (default: 1).
    pub margin: f64,
    /// Which norm measures distances (default: 2).
    pub p: f64,
    /// Added to every difference, so that no distance is 0 (default: 1e-6).
    pub eps: f64,
    /// Whether the distance of the negative from the positive is taken if it is less than that from
    /// the anchor (default: no; Balntas et al., "Learning local feature descriptors with triplets
    /// and shallow convolutional neural networks", 2016).
    pub swap: bool,
    /// What becomes of the losses of the triplets (default: their mean).
    pub reduction: Reduction,
}

impl Default for TripletMargin {
    fn default() -> Self {
        Self {
            margin: 1.0,
            p: 2.0,
            eps: 1e-6,
            swap: false,
            reduction: Reduction::Mean,
        }
    }
}

impl Tensor {
    /// The mean of x where the target is 1 and max(0, 1 − x) where it is −1, for distances x. Shapes
    /// broadcast. Any other target counts both.
    ///
    /// # Errors
    /// If the shapes do not broadcast; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let distances = Tensor::from([0.5, 0.25, 3.0]);
    /// let loss = distances.hinge_embedding_loss(&Tensor::from([1, -1, -1]))?;
    /// assert_eq!(loss.item::<f32>()?, (0.5 + 0.75) / 3.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn hinge_embedding_loss(&self, target: &Tensor) -> Result<Tensor> {
        self.hinge_embedding_loss_with(target, HingeEmbedding::default())
    }

    /// [`hinge_embedding_loss`](Tensor::hinge_embedding_loss) with options: a [`HingeEmbedding`] or a
    /// [`Reduction`].
    ///
    /// # Errors
    /// If the shapes do not broadcast; for integers.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::HingeEmbedding};
    /// let options = HingeEmbedding { margin: 2.0, ..Default::default() };
    /// let loss = Tensor::from([0.5]).hinge_embedding_loss_with(&Tensor::from([-1]), options)?;
    /// assert_eq!(loss.item::<f32>()?, 1.5);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn hinge_embedding_loss_with(
        &self,
        target: &Tensor,
        options: impl Into<HingeEmbedding>,
    ) -> Result<Tensor> {
        const OP: &str = "hinge_embedding_loss";
        let HingeEmbedding { margin, reduction } = options.into();
        self.dtype().expect_float(OP)?;
        let losses = || {
            let short = sub(margin, self)?.relu()?;
            let together = target.ne(-1)?.where_cond(self, 0.0)?;
            together.add(&target.ne(1)?.where_cond(&short, 0.0)?)
        };
        reduction.of(losses().map_err(|e| e.at(OP))?)
    }

    /// The mean over pairs of 1 − cos(x, y) where the target is 1 and max(0, cos(x, y)) where it is
    /// −1; any other target costs nothing. Shapes: x and y `[n, d]` with target `[n]`, or `[d]` with
    /// a 0-d target.
    ///
    /// # Errors
    /// If the shapes do not fit; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (x, y) = (Tensor::from([[1.0, 0.0]]), Tensor::from([[0.0, 2.0]]));
    /// assert_eq!(x.cosine_embedding_loss(&y, &Tensor::from([1]))?.item::<f32>()?, 1.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cosine_embedding_loss(&self, other: &Tensor, target: &Tensor) -> Result<Tensor> {
        self.cosine_embedding_loss_with(other, target, CosineEmbedding::default())
    }

    /// [`cosine_embedding_loss`](Tensor::cosine_embedding_loss) with options: a [`CosineEmbedding`]
    /// or a [`Reduction`].
    ///
    /// # Errors
    /// If the shapes do not fit; for integers.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::CosineEmbedding};
    /// let options = CosineEmbedding { margin: 0.5, ..Default::default() };
    /// let x = Tensor::from([1.0, 0.0]);
    /// let loss = x.cosine_embedding_loss_with(&x, &Tensor::from(-1), options)?;
    /// assert_eq!(loss.item::<f32>()?, 0.5);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cosine_embedding_loss_with(
        &self,
        other: &Tensor,
        target: &Tensor,
        options: impl Into<CosineEmbedding>,
    ) -> Result<Tensor> {
        const OP: &str = "cosine_embedding_loss";
        let CosineEmbedding { margin, reduction } = options.into();
        if target.ndim() > 1 {
            return Err(err!(
                Shape,
                "{OP}: 0D or 1D target tensor expected, multi-target not supported: got shape {:?}",
                target.shape()
            ));
        }
        let rank = target.ndim() + 1;
        if self.ndim() != rank || other.ndim() != rank {
            return Err(err!(
                Shape,
                "{OP}: {}D target tensor expects {rank}D input tensors, but found inputs with sizes {:?} and {:?}",
                target.ndim(),
                self.shape(),
                other.shape()
            ));
        }
        let dtype = self.dtype().promote(other.dtype());
        dtype.expect_float(OP)?;
        let losses = || {
            let dot = |a: &Tensor, b: &Tensor| a.mul(b)?.sum(-1);
            // The constant is PyTorch's: no length is 0.
            let square = |a: &Tensor| dot(a, a)?.add(1e-12);
            let lengths = square(self)?.mul(&square(other)?)?.sqrt()?;
            let cos = dot(self, other)?.div(&lengths)?;
            let excess = cos.sub(margin)?.relu()?;
            let alike = target.eq(1)?.where_cond(&sub(1.0, &cos)?, 0.0)?;
            alike.add(&target.eq(-1)?.where_cond(&excess, 0.0)?)
        };
        reduction.of(losses().map_err(|e| e.at(OP))?)
    }

    /// The mean over triplets of max(0, d(x, positive) − d(x, negative) + 1), with x as anchor and d
    /// the Euclidean distance along the last dimension. Shapes `[n, d]` or `[d]`; they broadcast.
    ///
    /// # Errors
    /// If the numbers of dimensions differ or the shapes do not broadcast; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (x, near, far) = (Tensor::from([0.0, 0.0]), Tensor::from([3.0, 4.0]), Tensor::from([0.0, 5.5]));
    /// let loss = x.triplet_margin_loss(&near, &far)?.item::<f32>()?;
    /// assert!((loss - 0.5).abs() < 1e-5);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn triplet_margin_loss(&self, positive: &Tensor, negative: &Tensor) -> Result<Tensor> {
        self.triplet_margin_loss_with(positive, negative, TripletMargin::default())
    }

    /// [`triplet_margin_loss`](Tensor::triplet_margin_loss) with options: a [`TripletMargin`] or a
    /// [`Reduction`].
    ///
    /// # Errors
    /// As without options; if the margin is not positive.
    ///
    /// ```
    /// # use gradus_core::{Tensor, loss::TripletMargin};
    /// let (x, near, far) = (Tensor::from([0.0]), Tensor::from([1.0]), Tensor::from([2.0]));
    /// let options = TripletMargin { margin: 3.0, ..Default::default() };
    /// let loss = x.triplet_margin_loss_with(&near, &far, options)?.item::<f32>()?;
    /// assert!((loss - 2.0).abs() < 1e-5);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn triplet_margin_loss_with(
        &self,
        positive: &Tensor,
        negative: &Tensor,
        options: impl Into<TripletMargin>,
    ) -> Result<Tensor> {
        const OP: &str = "triplet_margin_loss";
        let TripletMargin {
            margin,
            p,
            eps,
            swap,
            reduction,
        } = options.into();
        check(
            OP,
            margin > 0.0,
            format_args!("margin must be greater than 0, got {margin}"),
        )?;
        let ranks = [self, positive, negative].map(Tensor::ndim);
        if ranks != [ranks[0]; 3] {
            return Err(err!(
                Shape,
                "{OP}: The anchor, positive, and negative tensors are expected to have the same number of dimensions, but \
                 got: anchor {}D, positive {}D, and negative {}D inputs",
                ranks[0],
                ranks[1],
                ranks[2]
            ));
        }
        let dtype = self.dtype().promote(positive.dtype());
        dtype.promote(negative.dtype()).expect_float(OP)?;
        let losses = || {
            let distance = |a: &Tensor, b: &Tensor| a.sub(b)?.add(eps)?.norm(p, keepdim(-1));
            let near = distance(self, positive)?;
            let mut far = distance(self, negative)?;
            if swap {
                far = far.minimum(&distance(positive, negative)?)?;
            }
            near.sub(&far)?.add(margin)?.relu()
        };
        let losses = losses().map_err(|e| e.at(OP))?;
        reduction.of(losses.squeeze(-1)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in PyTorch: no gradient where the margin is met exactly; a target of 0 counts both sides.
    #[test]
    fn hinge_at_its_margin() -> Result<()> {
        let x = Tensor::from_vec([0.25, 0.5, 1.0, 0.75], [4])?.requires_grad_(true)?;
        let t = Tensor::from([1, -1, -1, 0]);
        let losses = x.hinge_embedding_loss_with(&t, Reduction::None)?;
        assert_eq!(losses.to_vec::<f64>()?, [0.25, 0.5, 0.0, 1.0]);
        losses.sum(..)?.backward()?;
        let g = x.grad().unwrap().to_vec::<f64>()?;
        assert_eq!(g, [1.0, -1.0, 0.0, 0.0]);
        Ok(())
    }

    #[test]
    fn the_side_that_a_target_leaves_out_does_not_count_even_if_infinite() -> Result<()> {
        let x = Tensor::from([f64::INFINITY, f64::NEG_INFINITY]);
        let losses = x.hinge_embedding_loss_with(&Tensor::from([-1, 1]), Reduction::None)?;
        assert_eq!(losses.to_vec::<f64>()?, [0.0, f64::NEG_INFINITY]);
        // Neither side counts for a target of 0.
        let nan = Tensor::from([[f64::NAN, 1.0]]);
        let loss = nan.cosine_embedding_loss(&Tensor::ones([1, 2]), &Tensor::from([0]))?;
        assert_eq!(loss.item::<f64>()?, 0.0);
        Ok(())
    }

    #[test]
    fn vectors_of_zeros_have_cosine_0_and_finite_gradients() -> Result<()> {
        let x = Tensor::zeros([1, 2]).requires_grad_(true)?;
        let y = Tensor::from([[3.0, 4.0]]);
        let loss = x.cosine_embedding_loss(&y, &Tensor::from([1]))?;
        assert_eq!(loss.item::<f32>()?, 1.0);
        loss.backward()?;
        let g = x.grad().unwrap().to_vec::<f32>()?;
        assert!(g.iter().all(|g| g.is_finite() && *g < 0.0), "{g:?}");
        Ok(())
    }

    #[test]
    fn the_nearer_of_anchor_and_positive_counts_when_swapped() -> Result<()> {
        let (x, positive, negative) = (
            Tensor::from([0.0]),
            Tensor::from([3.0]),
            Tensor::from([4.0]),
        );
        for (swap, expected) in [(false, 0.0), (true, 3.0)] {
            let options = TripletMargin {
                swap,
                eps: 0.0,
                ..Default::default()
            };
            let loss = x.triplet_margin_loss_with(&positive, &negative, options)?;
            assert_eq!(loss.item::<f32>()?, expected);
        }
        Ok(())
    }
}
