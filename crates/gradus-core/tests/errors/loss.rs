//! Softmax, losses, normalisation and dropout.

use super::{BROADCAST, RANGE, Row, no};
use Kind::{Autograd, DType as Type, Index, Shape, Value};
use gradus_core::loss::{
    Bce, BceWithLogits, CrossEntropy, Huber, L1, Mse, MultiMargin, Nll, SmoothL1, TripletMargin,
};
use gradus_core::{Kind, Tensor};

/// Classes for two rows.
fn two() -> Tensor {
    Tensor::from([0, 1])
}

/// Weights for two classes of a tensor that has three.
const WEIGHT: &[&str] = &[
    "weight tensor should be defined either for all 3 classes or no classes but got",
    "[4]",
];
/// Weights of another shape than the input.
const SAME: &[&str] = &["Weights and input must have the same size, got [3] and [2, 3]"];
/// What integers are answered.
const INTEGERS: &[&str] = &["floating point tensor, got int64"];

#[rustfmt::skip] // One row a line.
pub const TABLE: &[Row] = &[
    (|t| no(t.a.softmax(2)), Index, "softmax", RANGE),
    (|t| no(t.i.softmax(1)), Type, "softmax", INTEGERS),
    (|t| no(t.i.softmax(0)), Type, "softmax", INTEGERS),
    (|t| no(t.a.log_softmax(2)), Index, "log_softmax", RANGE),
    (|t| no(t.b.log_softmax(1)), Type, "log_softmax", &["floating point tensor, got bool"]),
    (|t| no(t.b.log_softmax(0)), Type, "log_softmax", &["floating point tensor, got bool"]),
    (|t| no(t.a.softmin(2)), Index, "softmin", RANGE),
    (|t| no(t.i.softmin(1)), Type, "softmin", INTEGERS),

    (|t| no(t.s.cross_entropy(&two())), Shape, "cross_entropy", &["Expected 1 or more dimensions (got 0)"]),
    (|t| no(t.s.cross_entropy(&t.s)), Shape, "cross_entropy", &["Expected 1 or more dimensions (got 0)"]),
    (|t| no(t.v.cross_entropy(&two())), Shape, "cross_entropy", &["Expected target size [], got [2]", "[3]"]),
    (|t| no(t.a.cross_entropy(&Tensor::from([0, 1, 2]))), Shape, "cross_entropy", &["batch_size (2)", "[3]", "expected [2]"]),
    (|t| no(t.a.cross_entropy(&t.i)), Shape, "cross_entropy", &["batch_size (2)", "[2, 3]", "expected [2]"]),
    (|t| no(t.a.unsqueeze(2)?.cross_entropy(&two())), Shape, "cross_entropy", &["Expected target size [2, 1], got [2]"]),
    (|t| no(t.a.cross_entropy(&Tensor::from([0.0, 1.0]))), Type, "cross_entropy", &["integer dtype, got float32"]),
    (|t| no(t.a.cross_entropy(&Tensor::from([true, true]))), Type, "cross_entropy", &["integer dtype, got bool"]),
    (|t| no(t.a.cross_entropy(&Tensor::from([0, 3]))), Index, "cross_entropy", &["Target 3 is out of bounds", "3 classes"]),
    (|t| no(t.a.cross_entropy(&Tensor::from([0, -1]))), Index, "cross_entropy", &["Target -1 is out of bounds"]),
    (|t| no(t.e.cross_entropy(&two())), Index, "cross_entropy", &["Target 0 is out of bounds", "0 classes"]),
    (|t| no(t.i.cross_entropy(&two())), Type, "cross_entropy", INTEGERS),
    (|t| no(t.i.cross_entropy(&t.a)), Type, "cross_entropy", INTEGERS),
    (|t| no(t.a.cross_entropy_with(&two(), CrossEntropy { weight: Some(&t.w), ..Default::default() })), Shape, "cross_entropy", WEIGHT),
    (|t| no(t.a.cross_entropy_with(&t.a, CrossEntropy { weight: Some(&t.w), ..Default::default() })), Shape, "cross_entropy", WEIGHT),
    (|t| no(t.a.cross_entropy_with(&two(), CrossEntropy { weight: Some(&Tensor::from([1, 2, 3])), ..Default::default() })), Type, "cross_entropy", INTEGERS),
    (|t| no(t.a.cross_entropy_with(&two(), CrossEntropy { weight: Some(&t.l), ..Default::default() })), Autograd, "cross_entropy", &["the derivative for 'weight' is not implemented", "detach()"]),
    (|t| no(t.a.cross_entropy_with(&two(), CrossEntropy { label_smoothing: 1.5, ..Default::default() })), Value, "cross_entropy", &["label_smoothing must be between 0.0 and 1.0. Got: 1.5"]),
    (|t| no(t.a.cross_entropy_with(&two(), CrossEntropy { label_smoothing: f64::NAN, ..Default::default() })), Value, "cross_entropy", &["Got: NaN"]),
    (|t| no(t.a.cross_entropy_with(&t.a, CrossEntropy { ignore_index: 1, ..Default::default() })), Value, "cross_entropy", &["ignore_index is not supported for floating point target"]),
    (|t| no(t.a.nll_loss(&Tensor::from([0, 3]))), Index, "nll_loss", &["Target 3 is out of bounds"]),
    (|t| no(t.a.nll_loss(&t.a)), Type, "nll_loss", &["integer dtype, got float32"]),
    (|t| no(t.a.nll_loss(&Tensor::from(1))), Shape, "nll_loss", &["batch_size (2)"]),
    (|t| no(t.i.nll_loss(&two())), Type, "nll_loss", INTEGERS),
    (|t| no(t.a.nll_loss_with(&two(), Nll { weight: Some(&t.w), ..Default::default() })), Shape, "nll_loss", WEIGHT),
    (|t| no(t.a.multi_margin_loss(&Tensor::from([0, 3]))), Index, "multi_margin_loss", &["Target 3 is out of bounds"]),
    (|t| no(t.a.multi_margin_loss(&Tensor::from([0, -100]))), Index, "multi_margin_loss", &["Target -100 is out of bounds"]),
    (|t| no(t.a.multi_margin_loss(&Tensor::from([0]))), Shape, "multi_margin_loss", &["batch_size (2)"]),
    (|t| no(t.i.multi_margin_loss(&two())), Type, "multi_margin_loss", INTEGERS),
    (|t| no(t.s.multi_margin_loss(&two())), Shape, "multi_margin_loss", &["Expected 1 or more dimensions"]),
    (|t| no(t.e.multi_margin_loss(&two())), Shape, "multi_margin_loss", &["Expected non-empty vector or matrix", "[2, 0]"]),
    (|t| no(t.a.unsqueeze(2)?.multi_margin_loss(&two())), Shape, "multi_margin_loss", &["vector or matrix", "[2, 3, 1]"]),
    (|t| no(t.a.multi_margin_loss_with(&two(), MultiMargin { p: 3, ..Default::default() })), Value, "multi_margin_loss", &["only p == 1 and p == 2 supported, got 3"]),
    (|t| no(t.a.multi_margin_loss_with(&two(), MultiMargin { weight: Some(&t.w), ..Default::default() })), Shape, "multi_margin_loss", WEIGHT),

    (|t| no(t.a.mse_loss(&t.w)), Shape, "mse_loss", BROADCAST),
    (|t| no(t.i.mse_loss(&t.i)), Type, "mse_loss", INTEGERS),
    (|t| no(t.a.mse_loss_with(&t.a, Mse { weight: Some(&t.v), ..Default::default() })), Shape, "mse_loss", SAME),
    (|t| no(t.a.l1_loss(&t.w)), Shape, "l1_loss", BROADCAST),
    (|t| no(t.i.l1_loss(&t.i)), Type, "l1_loss", INTEGERS),
    (|t| no(t.a.l1_loss_with(&t.a, L1 { weight: Some(&t.v), ..Default::default() })), Shape, "l1_loss", SAME),
    (|t| no(t.a.huber_loss(&t.w)), Shape, "huber_loss", BROADCAST),
    (|t| no(t.i.huber_loss(&t.i)), Type, "huber_loss", INTEGERS),
    (|t| no(t.a.huber_loss_with(&t.a, Huber { weight: Some(&t.v), ..Default::default() })), Shape, "huber_loss", SAME),
    (|t| no(t.a.huber_loss_with(&t.a, Huber { delta: 0.0, ..Default::default() })), Value, "huber_loss", &["does not support non-positive values for delta, got 0"]),
    (|t| no(t.a.huber_loss_with(&t.a, Huber { delta: f64::NAN, ..Default::default() })), Value, "huber_loss", &["got NaN"]),
    (|t| no(t.a.smooth_l1_loss(&t.w)), Shape, "smooth_l1_loss", BROADCAST),
    (|t| no(t.i.smooth_l1_loss(&t.i)), Type, "smooth_l1_loss", INTEGERS),
    (|t| no(t.a.smooth_l1_loss_with(&t.a, SmoothL1 { beta: -1.0, ..Default::default() })), Value, "smooth_l1_loss", &["does not support negative values for beta, got -1"]),
    (|t| no(t.a.poisson_nll_loss(&t.w)), Shape, "poisson_nll_loss", BROADCAST),
    (|t| no(t.a.gaussian_nll_loss(&t.w, 1.0)), Shape, "gaussian_nll_loss", BROADCAST),
    (|t| no(t.a.gaussian_nll_loss(&t.a, -1.0)), Value, "gaussian_nll_loss", &["var has negative entry/entries"]),
    (|t| no(t.a.gaussian_nll_loss(&t.a, &t.a.neg()?)), Value, "gaussian_nll_loss", &["var has negative entry/entries"]),
    (|t| no(t.a.gaussian_nll_loss(&t.a, &t.w)), Shape, "gaussian_nll_loss", &["var is of incorrect size: [4] for an input of shape [2, 3]"]),

    (|t| no(t.a.binary_cross_entropy(&t.v)), Shape, "binary_cross_entropy", &["Using a target size ([3]) that is different to the input size ([2, 3])"]),
    (|t| no(t.a.binary_cross_entropy(&t.a)), Value, "binary_cross_entropy", &["all elements of input should be between 0 and 1"]),
    (|t| no(t.a.div(6.0)?.binary_cross_entropy(&t.a)), Value, "binary_cross_entropy", &["all elements of target should be between 0 and 1"]),
    (|_| no(Tensor::from([f64::NAN]).binary_cross_entropy(&Tensor::from([0.0]))), Value, "binary_cross_entropy", &["all elements of input"]),
    (|t| no(t.i.binary_cross_entropy(&t.i)), Type, "binary_cross_entropy", INTEGERS),
    (|t| no(t.w.binary_cross_entropy_with(&t.w, Bce { weight: Some(&t.v), ..Default::default() })), Shape, "binary_cross_entropy", &["cannot be broadcast to [4]"]),
    (|t| no(t.a.binary_cross_entropy_with_logits(&t.v)), Shape, "binary_cross_entropy_with_logits", &["Target size ([3]) must be the same as input size ([2, 3])"]),
    (|t| no(t.i.binary_cross_entropy_with_logits(&t.a)), Type, "binary_cross_entropy_with_logits", INTEGERS),
    (|t| no(t.a.binary_cross_entropy_with_logits_with(&t.a, BceWithLogits { weight: Some(&t.w), ..Default::default() })), Shape, "binary_cross_entropy_with_logits", &["cannot be broadcast to [2, 3]"]),
    (|t| no(t.a.binary_cross_entropy_with_logits_with(&t.a, BceWithLogits { pos_weight: Some(&t.w), ..Default::default() })), Shape, "binary_cross_entropy_with_logits", &["size of tensor"]),
    (|t| no(t.a.kl_div(&t.w)), Shape, "kl_div", &["must match the size of tensor b"]),
    (|t| no(t.a.kl_div(&t.i)), Type, "kl_div", &["Integral inputs not supported: got float32 and int64"]),
    (|t| no(t.i.kl_div(&t.a)), Type, "kl_div", &["Integral inputs not supported: got int64 and float32"]),

    (|t| no(t.a.hinge_embedding_loss(&t.w)), Shape, "hinge_embedding_loss", &["must match the size of tensor b"]),
    (|t| no(t.i.hinge_embedding_loss(&t.v)), Type, "hinge_embedding_loss", INTEGERS),
    (|t| no(t.a.cosine_embedding_loss(&t.a, &t.a)), Shape, "cosine_embedding_loss", &["0D or 1D target tensor expected", "[2, 3]"]),
    (|t| no(t.v.cosine_embedding_loss(&t.v, &two())), Shape, "cosine_embedding_loss", &["1D target tensor expects 2D input tensors, but found inputs with sizes [3] and [3]"]),
    (|t| no(t.a.cosine_embedding_loss(&t.a, &t.w)), Shape, "cosine_embedding_loss", &["must match the size of tensor b"]),
    (|t| no(t.i.cosine_embedding_loss(&t.i, &two())), Type, "cosine_embedding_loss", INTEGERS),
    (|t| no(t.v.cosine_embedding_loss(&t.w, &Tensor::from(1))), Shape, "cosine_embedding_loss", &["size of tensor a (3) must match the size of tensor b (4)"]),
    (|t| no(t.a.triplet_margin_loss(&t.v, &t.v)), Shape, "triplet_margin_loss", &["anchor 2D, positive 1D, and negative 1D"]),
    (|t| no(t.v.triplet_margin_loss(&t.v, &t.w)), Shape, "triplet_margin_loss", &["size of tensor a (3) must match the size of tensor b (4)"]),
    (|t| no(t.i.triplet_margin_loss(&t.i, &t.i)), Type, "triplet_margin_loss", INTEGERS),
    (|t| no(t.v.triplet_margin_loss_with(&t.v, &t.v, TripletMargin { margin: 0.0, ..Default::default() })), Value, "triplet_margin_loss", &["margin must be greater than 0, got 0"]),

    (|t| no(t.a.layer_norm([4], None, None, 1e-5)), Shape, "layer_norm", &["Given normalized_shape=[4]", "input of size [2, 3]"]),
    (|t| no(t.v.layer_norm([1, 3], None, None, 1e-5)), Shape, "layer_norm", &["Given normalized_shape=[1, 3]"]),
    (|t| no(t.s.layer_norm((), None, None, 1e-5)), Shape, "layer_norm", &["Expected normalized_shape to be at least 1-dimensional"]),
    (|t| no(t.i.layer_norm([3], None, None, 1e-5)), Type, "layer_norm", INTEGERS),
    (|t| no(t.a.layer_norm([3], Some(&t.w), None, 1e-5)), Shape, "layer_norm", &["Expected weight to be of same shape as normalized_shape, but got weight of shape [4]"]),
    (|t| no(t.a.layer_norm([3], Some(&t.v), Some(&t.w), 1e-5)), Shape, "layer_norm", &["Expected bias to be of same shape as normalized_shape, but got bias of shape [4]"]),
    (|t| no(t.a.layer_norm([3], Some(&t.d), None, 1e-5)), Type, "layer_norm", &["expected weight to have the input's dtype float32, got float64"]),
    (|t| no(t.a.rms_norm([4], None, None)), Shape, "rms_norm", &["Given normalized_shape=[4]"]),
    (|t| no(t.a.rms_norm([3], Some(&t.w), 1e-5)), Shape, "rms_norm", &["Expected weight to be of same shape"]),
    (|t| no(t.i.rms_norm([3], None, None)), Type, "rms_norm", INTEGERS),
    (|t| no(t.a.normalize(2.0, 2, 1e-12)), Index, "normalize", RANGE),
    (|t| no(t.i.normalize(2.0, 1, 1e-12)), Type, "normalize", INTEGERS),
    (|t| no(t.a.cosine_similarity(&t.a, 2, 1e-8)), Index, "cosine_similarity", RANGE),
    (|t| no(t.a.cosine_similarity(&t.w, 1, 1e-8)), Shape, "cosine_similarity", BROADCAST),
    (|t| no(t.i.cosine_similarity(&t.i, 1, 1e-8)), Type, "cosine_similarity", INTEGERS),
    (|t| no(t.a.cosine_similarity(&t.a, 1, -1.0)), Value, "cosine_similarity", &["eps must be non-negative, got: -1"]),
    (|t| no(t.a.dropout(1.5, true)), Value, "dropout", &["dropout probability has to be between 0 and 1, but got 1.5"]),
    (|t| no(t.a.dropout(-0.5, false)), Value, "dropout", &["but got -0.5"]),
    (|t| no(t.a.dropout(f64::NAN, true)), Value, "dropout", &["but got NaN"]),
    (|t| no(t.i.dropout(0.5, true)), Type, "dropout", INTEGERS),
];
