//! What tensors do, one file per family: each operation's struct, forward, backward, documentation
//! and test cases together.
//!
//! To add an operation to a family, write it in that file and add its cases to the file's `CASES`:
//! the generic tests (`tests/registry.rs`) then check its gradient, strided inputs, both floating
//! dtypes and more. A [`Function`](crate::Function) without a case fails them.

pub(crate) mod binary;
mod cast;
mod channel_norm;
mod compare;
pub mod conv;
mod counting;
mod dropout;
mod index;
mod inplace;
pub(crate) mod linalg;
mod linear;
pub mod loss;
mod matmul;
pub mod nearest;
mod normalize;
mod pointwise;
pub mod pool;
mod reduce;
mod registry;
mod scan;
mod shape;
mod softmax;
mod sort;

pub use compare::Closeness;
pub use counting::Unique;
pub use index::{Index, Indices, Positions, ScatterReduce, Slice, s};
pub use inplace::Update;
pub use pointwise::Activation;
pub use reduce::rank::Interpolation;
pub use reduce::{Dimensions, Keepdim, keepdim};
pub use registry::{Case, Input, Order};
pub use shape::{Integers, NewShape, Padding};

use crate::dtype::{DType, Element, dispatch};
use crate::error::Result;
use crate::shape::Dims;
use crate::storage::Buffer;
use crate::tensor::Tensor;
use std::borrow::Cow;

/// The test cases of every operation, family by family.
///
/// ```
/// assert!(gradus_core::ops::ALL.iter().flat_map(|family| *family).any(|case| case.op == "matmul"));
/// ```
pub const ALL: &[&[Case]] = &[
    pointwise::arithmetic::CASES,
    pointwise::exponential::CASES,
    pointwise::trigonometric::CASES,
    pointwise::rounding::CASES,
    pointwise::special::CASES,
    pointwise::activation::CASES,
    pointwise::piecewise::CASES,
    pointwise::float::CASES,
    pointwise::traced::CASES,
    binary::CASES,
    binary::division::CASES,
    binary::power::CASES,
    binary::extremes::CASES,
    binary::functions::CASES,
    binary::blend::CASES,
    binary::bits::CASES,
    compare::CASES,
    cast::CASES,
    reduce::sum::CASES,
    reduce::extreme::CASES,
    reduce::logical::CASES,
    reduce::statistics::CASES,
    reduce::norm::CASES,
    reduce::logsumexp::CASES,
    reduce::rank::CASES,
    scan::CASES,
    sort::CASES,
    counting::CASES,
    shape::reshape::CASES,
    shape::order::CASES,
    shape::expand::CASES,
    shape::join::CASES,
    shape::split::CASES,
    shape::pad::CASES,
    shape::diagonal::CASES,
    shape::window::CASES,
    index::access::CASES,
    index::parts::CASES,
    index::rows::CASES,
    index::along::CASES,
    index::flat::CASES,
    index::mask::CASES,
    index::scatter_reduce::CASES,
    index::search::CASES,
    matmul::CASES,
    linear::CASES,
    conv::cases::CASES,
    linalg::products::CASES,
    linalg::einsum::CASES,
    #[cfg(feature = "linalg")]
    linalg::dense::solve::CASES,
    #[cfg(feature = "linalg")]
    linalg::dense::inverse::CASES,
    #[cfg(feature = "linalg")]
    linalg::dense::determinant::CASES,
    #[cfg(feature = "linalg")]
    linalg::dense::orthogonal::CASES,
    #[cfg(feature = "linalg")]
    linalg::dense::spectral::CASES,
    softmax::CASES,
    normalize::CASES,
    channel_norm::CASES,
    dropout::CASES,
    pool::max::CASES,
    pool::average::CASES,
    pool::resize::CASES,
    loss::classes::CASES,
    loss::probabilities::CASES,
    loss::regression::CASES,
    loss::embedding::CASES,
];

/// A plain number beside a tensor. It never changes the tensor's dtype within a category: an f32
/// tensor times 2 or 2.0 is f32, an integer tensor times 2.0 is f32.
///
/// ```
/// use gradus_core::{DType, Tensor};
/// assert_eq!(Tensor::from([1, 2]).mul(2)?.dtype(), DType::I64);
/// assert_eq!(Tensor::from([1, 2]).mul(2.5)?.dtype(), DType::F32);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating point number.
    Float(f64),
}

impl Scalar {
    fn to_f64(self) -> f64 {
        match self {
            Self::Bool(x) => x.into(),
            Self::Int(x) => x as f64,
            Self::Float(x) => x,
        }
    }

    /// Truncated if it is a fraction.
    fn to_i64(self) -> i64 {
        match self {
            Self::Bool(x) => x.into(),
            Self::Int(x) => x,
            Self::Float(x) => x as i64,
        }
    }
}

/// What the methods of two operands take on their right: a tensor or a plain number.
///
/// ```
/// use gradus_core::{Operand, Result, Tensor};
/// fn twice<'a>(x: &'a Tensor, y: impl Into<Operand<'a>>) -> Result<Tensor> {
///     x.mul(y)?.mul(2)
/// }
/// assert_eq!(twice(&Tensor::from(3.0), 5.0)?.item::<f32>()?, 30.0);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a> {
    /// A tensor.
    Tensor(&'a Tensor),
    /// A number.
    Scalar(Scalar),
}

impl<'a> From<&'a Tensor> for Operand<'a> {
    fn from(tensor: &'a Tensor) -> Self {
        Self::Tensor(tensor)
    }
}

macro_rules! scalars {
    ($($t:ident $variant:ident),+) => {$(
        impl From<$t> for Scalar {
            fn from(x: $t) -> Self { Self::$variant(x.into()) }
        }
        impl From<$t> for Operand<'_> {
            fn from(x: $t) -> Self { Self::Scalar(x.into()) }
        }
    )+};
}
scalars!(f64 Float, f32 Float, i64 Int, i32 Int, bool Bool);

impl<'a> Operand<'a> {
    /// The dtype this operand asks for, and how much it counts: tensors with dimensions over 0-d
    /// tensors over plain numbers.
    fn weight(&self) -> (DType, u8) {
        match self {
            Self::Tensor(t) => (t.dtype(), if t.ndim() > 0 { 2 } else { 1 }),
            Self::Scalar(Scalar::Bool(_)) => (DType::Bool, 0),
            Self::Scalar(Scalar::Int(_)) => (DType::I64, 0),
            Self::Scalar(Scalar::Float(_)) => (DType::F32, 0),
        }
    }

    /// As a tensor of `dtype`, borrowed where it is one already.
    fn to_tensor(self, dtype: DType) -> Result<Cow<'a, Tensor>> {
        let scalar = match self {
            Self::Tensor(t) if t.dtype() == dtype => return Ok(Cow::Borrowed(t)),
            Self::Tensor(t) => return t.to_dtype(dtype).map(Cow::Owned),
            Self::Scalar(scalar) => scalar,
        };
        let buffer = dispatch!(dtype, T => Buffer::build(1, |out: &mut [T]| out[0] = match scalar {
            Scalar::Bool(x) => T::from_i64(x.into()),
            Scalar::Int(x) => T::from_i64(x),
            Scalar::Float(x) => T::from_f64(x),
        }))?;
        Ok(Cow::Owned(Tensor::from_buffer(buffer, Dims::new())))
    }
}

/// The dtype that an operation on both computes in (PyTorch's type promotion).
fn promote(a: &Operand<'_>, b: &Operand<'_>) -> DType {
    let ((a, wa), (b, wb)) = (a.weight(), b.weight());
    match wa.cmp(&wb) {
        std::cmp::Ordering::Equal => a.promote(b),
        std::cmp::Ordering::Greater if b.category() <= a.category() => a,
        std::cmp::Ordering::Less if a.category() <= b.category() => b,
        // The lighter operand is of a higher category: integer tensor and floating point number.
        _ => a.promote(b),
    }
}

/// Both operands as tensors of the dtype they promote to.
fn promoted<'a>(
    a: impl Into<Operand<'a>>,
    b: impl Into<Operand<'a>>,
) -> Result<(Cow<'a, Tensor>, Cow<'a, Tensor>)> {
    let (a, b) = (a.into(), b.into());
    let dtype = promote(&a, &b);
    Ok((a.to_tensor(dtype)?, b.to_tensor(dtype)?))
}
