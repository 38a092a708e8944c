//! Convolutions of rows and images, their transposes, and the options of both.
//!
//! ```
//! use gradus_core::Tensor;
//! use gradus_core::conv::{Conv, Padding};
//! let (x, w) = (Tensor::ones([1, 3, 8, 8]), Tensor::ones([4, 3, 3, 3]));
//! let plain = x.conv2d(&w, None, &Conv::default())?;
//! let same = x.conv2d(&w, None, &Conv { padding: Padding::Same, ..Default::default() })?;
//! let half = x.conv2d(&w, None, &Conv { stride: [2, 2], padding: [1, 1].into(), ..Default::default() })?;
//! assert_eq!((plain.shape(), same.shape()), (&[1, 4, 6, 6][..], &[1, 4, 8, 8][..]));
//! assert_eq!(half.shape(), [1, 4, 4, 4]);
//! # Ok::<(), gradus_core::Error>(())
//! ```

pub(super) mod cases;
mod check;
mod function;

use crate::autograd::apply;
use crate::error::Result;
use crate::ops::Activation;
use crate::tensor::Tensor;
use function::{Convolution, Transposed};

/// The options of a convolution over `N` dimensions. By default stride and dilation are 1, there is
/// no padding and one group.
///
/// ```
/// use gradus_core::conv::{Conv, Padding};
/// let options = Conv::<2> { padding: Padding::Same, ..Default::default() };
/// assert_eq!((options.stride, options.groups), ([1, 1], 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv<const N: usize> {
    /// Positions of the input between neighbours of the output.
    pub stride: [usize; N],
    /// Zeros around the input.
    pub padding: Padding<N>,
    /// Positions of the input between neighbours of the kernel.
    pub dilation: [usize; N],
    /// How many convolutions there are side by side, each from its share of the input's channels to
    /// its share of the output's.
    pub groups: usize,
}

impl<const N: usize> Default for Conv<N> {
    fn default() -> Self {
        Self {
            stride: [1; N],
            padding: Padding::Valid,
            dilation: [1; N],
            groups: 1,
        }
    }
}

/// Zeros around the input of a convolution.
///
/// ```
/// use gradus_core::conv::Padding;
/// assert_eq!(Padding::from([1, 2]), Padding::Each([1, 2]));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding<const N: usize> {
    /// None.
    #[default]
    Valid,
    /// As many as make the output as large as the input; of an odd number the greater half comes at
    /// the end. For strides of 1 only.
    Same,
    /// So many on both sides of each dimension.
    Each([usize; N]),
}

impl<const N: usize> From<[usize; N]> for Padding<N> {
    fn from(zeros: [usize; N]) -> Self {
        Self::Each(zeros)
    }
}

/// The options of a transposed convolution over `N` dimensions. By default stride and dilation are
/// 1, there is no padding and one group.
///
/// ```
/// use gradus_core::conv::ConvTranspose;
/// let options = ConvTranspose::<2> { stride: [2, 2], ..Default::default() };
/// assert_eq!((options.padding, options.output_padding), ([0, 0], [0, 0]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvTranspose<const N: usize> {
    /// Positions of the output between neighbours of the input.
    pub stride: [usize; N],
    /// Positions left out on both sides of the output: the padding of the convolution that this one
    /// transposes.
    pub padding: [usize; N],
    /// Positions added at the end of the output. Several inputs of a convolution with strides have
    /// outputs of one size; this chooses among them.
    pub output_padding: [usize; N],
    /// Positions of the output between neighbours of the kernel.
    pub dilation: [usize; N],
    /// How many convolutions there are side by side, each from its share of the input's channels to
    /// its share of the output's.
    pub groups: usize,
}

impl<const N: usize> Default for ConvTranspose<N> {
    fn default() -> Self {
        Self {
            stride: [1; N],
            padding: [0; N],
            output_padding: [0; N],
            dilation: [1; N],
            groups: 1,
        }
    }
}

impl Tensor {
    /// A convolution along one dimension (without flipping the kernel, as in PyTorch). Shapes
    /// `[n, in, l]` or `[in, l]`, weight `[out, in / groups, k]`, bias `[out]` → `[n, out, l']` or
    /// `[out, l']` with l' = (l + zeros − dilation·(k − 1) − 1) / stride + 1 rounded down.
    ///
    /// # Errors
    /// If shapes or options do not fit together or the kernel is larger than the padded input, the
    /// dtypes differ or are no floating ones, or the result is too large for the memory.
    ///
    /// ```
    /// # use gradus_core::{Tensor, conv::Conv};
    /// let x = Tensor::from([[1.0, 2.0, 4.0, 8.0]]);
    /// let w = Tensor::from([[[1.0, -1.0]]]);
    /// assert_eq!(x.conv1d(&w, None, &Conv::default())?.to_vec::<f32>()?, [-1.0, -2.0, -4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn conv1d(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: &Conv<1>,
    ) -> Result<Tensor> {
        convolve("conv1d", self, weight, bias, options, None)
    }

    /// [`conv1d`](Tensor::conv1d) and then an activation, in one pass over the result: the same bits,
    /// sooner.
    ///
    /// # Errors
    /// As [`conv1d`](Tensor::conv1d).
    ///
    /// ```
    /// # use gradus_core::{Activation, Tensor, conv::Conv};
    /// let x = Tensor::from([[1.0, 2.0, 1.0]]);
    /// let w = Tensor::from([[[1.0, -1.0]]]);
    /// let y = x.conv1d_then(&w, None, &Conv::default(), Activation::Relu)?;
    /// assert_eq!(y.to_vec::<f32>()?, [0.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn conv1d_then(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: &Conv<1>,
        activation: Activation,
    ) -> Result<Tensor> {
        convolve("conv1d_then", self, weight, bias, options, Some(activation))
    }

    /// A convolution of images (without flipping the kernel, as in PyTorch). Shapes `[n, in, h, w]`
    /// or `[in, h, w]`, weight `[out, in / groups, kh, kw]`, bias `[out]` → `[n, out, h', w']` or
    /// `[out, h', w']`; sizes as for [`conv1d`](Tensor::conv1d). With as many groups as channels it
    /// is a depthwise convolution.
    ///
    /// # Errors
    /// If shapes or options do not fit together or the kernel is larger than the padded input, the
    /// dtypes differ or are no floating ones, or the result is too large for the memory.
    ///
    /// ```
    /// # use gradus_core::{Tensor, conv::Conv};
    /// let x = Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]);
    /// let w = Tensor::from([[[[1.0, 10.0], [100.0, 1000.0]]]]);
    /// let b = Tensor::from([0.5]);
    /// assert_eq!(x.conv2d(&w, Some(&b), &Conv::default())?.to_vec::<f32>()?, [4321.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn conv2d(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: &Conv<2>,
    ) -> Result<Tensor> {
        convolve("conv2d", self, weight, bias, options, None)
    }

    /// [`conv2d`](Tensor::conv2d) and then an activation, in one pass over the result: the same bits,
    /// sooner.
    ///
    /// # Errors
    /// As [`conv2d`](Tensor::conv2d).
    ///
    /// ```
    /// # use gradus_core::{Activation, Tensor, conv::Conv};
    /// let x = Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]);
    /// let w = Tensor::from([[[[1.0, -1.0]]]]);
    /// let y = x.conv2d_then(&w, None, &Conv::default(), Activation::Relu)?;
    /// assert_eq!(y.to_vec::<f32>()?, [0.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn conv2d_then(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: &Conv<2>,
        activation: Activation,
    ) -> Result<Tensor> {
        convolve("conv2d_then", self, weight, bias, options, Some(activation))
    }

    /// The transpose of [`conv1d`](Tensor::conv1d): the map that takes an output's gradient to the
    /// input's, used to enlarge. Shapes `[n, in, l]` or `[in, l]`, weight `[in, out / groups, k]`,
    /// bias `[out]` → `[n, out, l']` or `[out, l']` with l' = (l − 1)·stride − 2·padding +
    /// dilation·(k − 1) + output_padding + 1.
    ///
    /// # Errors
    /// If shapes or options do not fit together or nothing would be left of the output, the dtypes
    /// differ or are no floating ones, or the result is too large for the memory.
    ///
    /// ```
    /// # use gradus_core::{Tensor, conv::ConvTranspose};
    /// let x = Tensor::from([[1.0, 2.0]]);
    /// let w = Tensor::from([[[1.0, 10.0]]]);
    /// let options = ConvTranspose { stride: [2], ..Default::default() };
    /// assert_eq!(x.conv_transpose1d(&w, None, &options)?.to_vec::<f32>()?, [1.0, 10.0, 2.0, 20.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn conv_transpose1d(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: &ConvTranspose<1>,
    ) -> Result<Tensor> {
        transpose("conv_transpose1d", self, weight, bias, options)
    }

    /// The transpose of [`conv2d`](Tensor::conv2d): the map that takes an output's gradient to the
    /// input's, used to enlarge. Shapes `[n, in, h, w]` or `[in, h, w]`, weight
    /// `[in, out / groups, kh, kw]`, bias `[out]` → `[n, out, h', w']` or `[out, h', w']`; sizes as
    /// for [`conv_transpose1d`](Tensor::conv_transpose1d).
    ///
    /// # Errors
    /// If shapes or options do not fit together or nothing would be left of the output, the dtypes
    /// differ or are no floating ones, or the result is too large for the memory.
    ///
    /// ```
    /// # use gradus_core::{Tensor, conv::ConvTranspose};
    /// let (x, w) = (Tensor::ones([1, 1, 4, 4]), Tensor::ones([1, 8, 2, 2]));
    /// let options = ConvTranspose { stride: [2, 2], ..Default::default() };
    /// assert_eq!(x.conv_transpose2d(&w, None, &options)?.shape(), [1, 8, 8, 8]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn conv_transpose2d(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        options: &ConvTranspose<2>,
    ) -> Result<Tensor> {
        transpose("conv_transpose2d", self, weight, bias, options)
    }
}

fn convolve<const N: usize>(
    op: &str,
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    options: &Conv<N>,
    then: Option<Activation>,
) -> Result<Tensor> {
    check::operands::<N>(op, [x, weight], bias)?;
    let geometry = check::convolution(op, [x.shape(), weight.shape()], options)?;
    check::bias(op, weight, bias, weight.shape()[0])?;
    batched::<N>(x, |x| {
        let inputs = [Some(x), Some(weight), bias];
        let convolution = Convolution {
            dims: N,
            geometry,
            then,
        };
        apply(convolution, &present(&inputs))
    })
}

fn transpose<const N: usize>(
    op: &str,
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    options: &ConvTranspose<N>,
) -> Result<Tensor> {
    check::operands::<N>(op, [x, weight], bias)?;
    let geometry = check::transposed(op, [x.shape(), weight.shape()], options)?;
    check::bias(op, weight, bias, weight.shape()[1] * options.groups)?;
    batched::<N>(x, |x| {
        let inputs = [Some(x), Some(weight), bias];
        apply(Transposed { dims: N, geometry }, &present(&inputs))
    })
}

fn present<'a>(inputs: &[Option<&'a Tensor>]) -> smallvec::SmallVec<[&'a Tensor; 3]> {
    inputs.iter().copied().flatten().collect()
}

/// Calls `f` with a batch; a single input becomes a batch of one, and its result single again.
fn batched<const N: usize>(
    x: &Tensor,
    f: impl FnOnce(&Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    if x.ndim() == N + 2 {
        return f(x);
    }
    f(&x.unsqueeze(0)?)?.squeeze(0)
}
