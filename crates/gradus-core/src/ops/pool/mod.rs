//! Pooling: what windows of a picture have largest, or on average.
//!
//! Here are the windows and how pictures lie in memory, which all of the family share; `max` and
//! `average` have the operations, `resize` pictures of other sizes, which are weighted means.

pub(super) mod average;
pub(super) mod max;
pub(super) mod resize;

pub use average::AvgPool;
pub use max::MaxPool;
pub use resize::{Mode, Resize};

use crate::dtype::Element;
use crate::error::{Result, err};
use crate::kernels::windows::{Axis, Member};
use crate::shape::{Dims, Layout, numel};
use crate::tensor::Tensor;

/// How the elements of a tensor [n, c, h, w] lie in memory when windows are gathered. What lies
/// otherwise is copied: vectors are made of channels, which pays for it.
#[derive(Clone, Copy, PartialEq)]
enum Order {
    /// As the dimensions say: a picture for each channel.
    RowMajor,
    /// The channels of an element side by side, as convolutions give them.
    ChannelsLast,
}

impl Order {
    /// That which suits `x`.
    fn of(x: &Tensor) -> Self {
        if x.shape()[1] < 4 && x.is_contiguous() {
            Self::RowMajor
        } else {
            Self::ChannelsLast
        }
    }

    /// The dimensions from the outermost in memory.
    fn dims(self) -> [usize; 4] {
        match self {
            Self::RowMajor => [0, 1, 2, 3],
            Self::ChannelsLast => [0, 2, 3, 1],
        }
    }

    /// The number of pictures, and of the channels that lie side by side.
    fn split(self, shape: &[usize]) -> (usize, usize) {
        match self {
            Self::RowMajor => (shape[0] * shape[1], 1),
            Self::ChannelsLast => (shape[0], shape[1]),
        }
    }

    /// Calls `f` with the elements in this order, copied if they lie otherwise.
    fn with_slice<T: Element, R>(self, x: &Tensor, f: impl FnOnce(&[T]) -> Result<R>) -> Result<R> {
        x.with_layout(x.layout().permute(&self.dims()))
            .with_slice(f)
    }

    /// A tensor of this order.
    fn layout(self, shape: Dims) -> Layout {
        Layout::in_order(shape, &self.dims())
    }
}

/// `x`, whose last dimensions are `spatial` ones, as [n, c, h, w].
fn pictures(op: &str, x: &Tensor, spatial: usize) -> Result<Tensor> {
    let (shape, rank) = (x.shape(), x.ndim());
    let from = rank.saturating_sub(spatial);
    if !(1..=2).contains(&from) || shape[from..].contains(&0) {
        return Err(err!(
            Shape,
            "{op}: Expected {}D or {}D (batch mode) tensor with optional 0 dim batch size for input, but got: {shape:?}",
            spatial + 1,
            spatial + 2
        ));
    }
    if (rank, spatial) == (4, 2) {
        return Ok(x.clone());
    }
    let mut to = Dims::from_elem(1, 4);
    for (to, &n) in to[..2].iter_mut().rev().zip(shape[..from].iter().rev()) {
        *to = n;
    }
    for (to, &n) in to[2..].iter_mut().rev().zip(shape[from..].iter().rev()) {
        *to = n;
    }
    x.reshape(&to)
}

/// The result `y` [n, c, h, w] in the form of the input `x`.
fn as_input(y: Tensor, x: &Tensor, spatial: usize) -> Result<Tensor> {
    if y.ndim() == x.ndim() {
        return Ok(y);
    }
    let kept = &x.shape()[..x.ndim() - spatial];
    let shape: Dims = kept
        .iter()
        .chain(&y.shape()[4 - spatial..])
        .copied()
        .collect();
    y.reshape(&shape)
}

/// The shape of results: `like` with another height and width.
fn sized(like: &[usize], height: usize, width: usize) -> Result<Dims> {
    let shape = Dims::from_slice(&[like[0], like[1], height, width]);
    numel(&shape)?;
    Ok(shape)
}

/// Windows of a kernel along one axis, as PyTorch's options describe them.
struct Slide {
    kernel: usize,
    stride: usize,
    padding: usize,
    dilation: usize,
    ceil_mode: bool,
}

impl Slide {
    /// What is done along each of the axes; one axis is that of the columns. The dilation is 1 and the
    /// padding may be up to half a window.
    fn along<const N: usize>(
        kernel: [usize; N],
        stride: Option<[usize; N]>,
        padding: [usize; N],
        dilation: [usize; N],
        ceil_mode: bool,
    ) -> [Self; 2] {
        let stride = stride.unwrap_or(kernel);
        std::array::from_fn(|axis| match (axis + N).checked_sub(2) {
            Some(i) => Self {
                kernel: kernel[i],
                stride: stride[i],
                padding: padding[i],
                dilation: dilation[i],
                ceil_mode,
            },
            // The height of what has none.
            None => Self {
                kernel: 1,
                stride: 1,
                padding: 0,
                dilation: 1,
                ceil_mode,
            },
        })
    }

    /// The number of windows over `n` positions of the input of this shape.
    fn count(&self, op: &str, shape: &[usize], n: usize) -> Result<usize> {
        let Self {
            kernel,
            stride,
            padding,
            dilation,
            ceil_mode,
        } = *self;
        let must = |what: &str| {
            Err(err!(
                Value,
                "{op}: {what} should be greater than zero, but got kernel size {kernel}, stride {stride} and dilation {dilation}"
            ))
        };
        if kernel == 0 {
            return must("kernel size");
        }
        if stride == 0 {
            return must("stride");
        }
        if dilation == 0 {
            return must("dilation");
        }
        let wide = |n: usize| n as i128;
        let reach = (wide(kernel) - 1) * wide(dilation) + 1;
        if wide(padding) > reach / 2 {
            return Err(err!(
                Value,
                "{op}: pad should be at most half of effective kernel size, but got pad={padding}, kernel_size={kernel} \
                 and dilation={dilation}; pad first for more"
            ));
        }
        let room = wide(n) + 2 * wide(padding) - reach;
        let extra = if ceil_mode { wide(stride) - 1 } else { 0 };
        let mut count = (room + extra).div_euclid(wide(stride)) + 1;
        // The last window must begin within the input or the padding before it.
        if ceil_mode && (count - 1) * wide(stride) >= wide(n) + wide(padding) {
            count -= 1;
        }
        if count < 1 || reach > isize::MAX as i128 / 4 {
            return Err(err!(
                Shape,
                "{op}: Given input size: {shape:?}. Output size is too small: {n} positions with padding {padding} on both \
                 sides have no window of {kernel} with dilation {dilation}; use smaller windows, more padding or larger inputs"
            ));
        }
        usize::try_from(count).map_err(|_| err!(Shape, "{op}: {count} windows are too many"))
    }

    /// All windows over `n` positions of the input of this shape.
    fn axis(&self, op: &str, shape: &[usize], n: usize) -> Result<Axis> {
        let count = self.count(op, shape, n)?;
        Axis::new([n, self.kernel, count], |i| {
            let start = self.start(i);
            // The places with 0 ≤ start + place·dilation < n.
            let before = |end: isize| ((end - start).max(0) as usize).div_ceil(self.dilation);
            let places = before(0)..before(n as isize).min(self.kernel);
            places.map(move |place| Member {
                place,
                at: start.wrapping_add_unsigned(place * self.dilation) as usize,
            })
        })
    }

    /// Where window number `i` begins, which may be in the padding.
    fn start(&self, i: usize) -> isize {
        (i * self.stride) as isize - self.padding as isize
    }
}

/// `out` windows that share out `n` positions as evenly as can be, overlapping where that does not
/// come out.
fn shared_out(n: usize, out: usize) -> Result<Axis> {
    let bound = |i: usize| i as u128 * n as u128;
    let window = |i: usize| {
        let begin = (bound(i) / out as u128) as usize;
        begin..bound(i + 1).div_ceil(out as u128) as usize
    };
    let largest = n.div_ceil(out.max(1)) + 1;
    Axis::new([n, largest.min(n), out], |i| {
        window(i)
            .enumerate()
            .map(|(place, at)| Member { place, at })
    })
}

/// Sizes for [`shared_out`]: those of the result for [h, w], a single one is the width.
fn targets<const N: usize>(out: [usize; N]) -> [usize; 2] {
    std::array::from_fn(|axis| (axis + N).checked_sub(2).map_or(1, |i| out[i]))
}
