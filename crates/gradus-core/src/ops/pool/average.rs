//! The mean of each window.

use super::super::registry::{Case, Input};
use super::{Order, Slide, as_input, pictures, shared_out, sized, targets};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::dispatch_float;
use crate::error::{Result, err};
use crate::kernels::average::{Weighted, means};
use crate::kernels::gather::room;
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("avg_pool", &[Input::real(&[2, 3, 4, 6])], |x| {
        x[0].avg_pool2d([2, 2], &AvgPool::default())
    })
    .torch("F.avg_pool2d(x[0], 2)"),
    Case::new("avg_pool", &[Input::real(&[2, 3, 7, 5])], |x| {
        let options = AvgPool {
            stride: Some([2, 3]),
            padding: [1, 1],
            ceil_mode: true,
            ..AvgPool::default()
        };
        x[0].avg_pool2d([3, 2], &options)
    })
    .torch("F.avg_pool2d(x[0], (3, 2), (2, 3), 1, ceil_mode=True)"),
    Case::new("avg_pool", &[Input::real(&[2, 18, 5, 6])], |x| {
        let options = AvgPool {
            stride: Some([1, 2]),
            padding: [1, 0],
            count_include_pad: false,
            ..AvgPool::default()
        };
        let channels_last = x[0].permute([0, 2, 3, 1])?.contiguous()?;
        channels_last
            .permute([0, 3, 1, 2])?
            .avg_pool2d([3, 2], &options)
    })
    .torch("F.avg_pool2d(x[0], (3, 2), (1, 2), (1, 0), count_include_pad=False)"),
    Case::new("avg_pool", &[Input::real(&[3, 5, 5])], |x| {
        let divisor_override = Some(3);
        x[0].avg_pool2d(
            [2, 2],
            &AvgPool {
                divisor_override,
                ..AvgPool::default()
            },
        )
    })
    .torch("F.avg_pool2d(x[0], 2, divisor_override=3)"),
    Case::new("avg_pool", &[Input::real(&[2, 3, 8])], |x| {
        let options = AvgPool {
            stride: Some([2]),
            padding: [1],
            ceil_mode: true,
            count_include_pad: false,
            ..AvgPool::default()
        };
        x[0].avg_pool1d([3], &options)
    })
    .torch("F.avg_pool1d(x[0], 3, 2, 1, ceil_mode=True, count_include_pad=False)"),
    Case::new("avg_pool", &[Input::real(&[2, 7])], |x| {
        x[0].avg_pool1d([2], &AvgPool::default())
    })
    .torch("F.avg_pool1d(x[0], 2)"),
    Case::new("avg_pool", &[Input::real(&[2, 3, 7, 5])], |x| {
        x[0].adaptive_avg_pool2d([3, 2])
    })
    .torch("F.adaptive_avg_pool2d(x[0], (3, 2))"),
    Case::new("avg_pool", &[Input::real(&[2, 3, 2])], |x| {
        x[0].adaptive_avg_pool2d([4, 1])
    })
    .torch("F.adaptive_avg_pool2d(x[0], (4, 1))"),
    Case::new("avg_pool", &[Input::real(&[2, 3, 7])], |x| {
        x[0].adaptive_avg_pool1d([4])
    })
    .torch("F.adaptive_avg_pool1d(x[0], 4)"),
];

/// Options of average pooling over `N` dimensions.
///
/// ```
/// use gradus_core::{Tensor, pool::AvgPool};
/// let x = Tensor::from([[2.0, 4.0, 6.0]]);
/// let options = AvgPool { padding: [1], count_include_pad: false, ..AvgPool::default() };
/// assert_eq!(x.avg_pool1d([2], &options)?.to_vec::<f32>()?, [2.0, 5.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvgPool<const N: usize> {
    /// From one window to the next; `None` for the size of the window.
    pub stride: Option<[usize; N]>,
    /// Positions of 0 before the first and after the last one, at most half a window.
    pub padding: [usize; N],
    /// Whether a last window may hang over the end of the padding. What hangs over is not counted.
    pub ceil_mode: bool,
    /// Whether the padding counts among the elements of a window.
    pub count_include_pad: bool,
    /// What sums are divided by instead of the number of elements.
    pub divisor_override: Option<usize>,
}

impl<const N: usize> Default for AvgPool<N> {
    fn default() -> Self {
        Self {
            stride: None,
            padding: [0; N],
            ceil_mode: false,
            count_include_pad: true,
            divisor_override: None,
        }
    }
}

impl<const N: usize> AvgPool<N> {
    /// The windows over `x`, the pictures of an input of this shape.
    fn axes(
        &self,
        op: &str,
        kernel: [usize; N],
        input: &[usize],
        x: &Tensor,
    ) -> Result<[Weighted; 2]> {
        if self.divisor_override == Some(0) {
            return Err(err!(
                Value,
                "{op}: divisor must be not zero, but got divisor_override=0; leave it out for the number of elements"
            ));
        }
        let [rows, cols] = Slide::along(kernel, self.stride, self.padding, [1; N], self.ceil_mode);
        let [mut rows, mut cols] = [
            self.means(op, &rows, input, x.shape()[2])?,
            self.means(op, &cols, input, x.shape()[3])?,
        ];
        if let Some(divisor) = self.divisor_override {
            rows.divisors.fill(divisor as f64);
            cols.divisors.clear();
        }
        Ok([rows, cols])
    }

    fn means(&self, op: &str, slide: &Slide, input: &[usize], n: usize) -> Result<Weighted> {
        let axis = slide.axis(op, input, n)?;
        let mut divisors = room(axis.windows())?;
        divisors.extend((0..axis.windows()).map(|i| {
            // What hangs over the end of the padding does not count, and a window without members has
            // none to divide.
            let padded = (n + slide.padding).wrapping_add_signed(-slide.start(i));
            let counted = if self.count_include_pad {
                padded.min(slide.kernel)
            } else {
                axis.window(i).len()
            };
            counted.max(1) as f64
        }));
        Ok(Weighted {
            axis,
            weights: Vec::new(),
            divisors,
        })
    }
}

impl Tensor {
    /// The mean of each window of `kernel` positions along the last dimension of a tensor [n, c, l] or
    /// [c, l]: PyTorch's `avg_pool1d`. Options as [`avg_pool2d`](Tensor::avg_pool2d).
    ///
    /// # Errors
    /// As [`avg_pool2d`](Tensor::avg_pool2d).
    ///
    /// ```
    /// use gradus_core::{Tensor, pool::AvgPool};
    /// let x = Tensor::from([[1.0, 5.0, 2.0, 4.0]]);
    /// assert_eq!(x.avg_pool1d([2], &AvgPool::default())?.to_vec::<f32>()?, [3.0, 3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn avg_pool1d(&self, kernel: [usize; 1], options: &AvgPool<1>) -> Result<Tensor> {
        self.means("avg_pool1d", 1, |op, x| {
            options.axes(op, kernel, self.shape(), x)
        })
    }

    /// The mean of each window of `kernel` rows and columns of pictures, a tensor [n, c, h, w] or
    /// [c, h, w]: PyTorch's `avg_pool2d`. Without options, windows lie side by side and what does not
    /// fill one at the end is left out.
    ///
    /// # Errors
    /// For another number of dimensions, a size, stride or divisor of 0, a padding of more than half a
    /// window, or windows that are larger than the padded picture; for integers.
    ///
    /// ```
    /// use gradus_core::{Tensor, pool::AvgPool};
    /// let x = Tensor::from([[[1.0, 2.0], [3.0, 6.0]]]);
    /// assert_eq!(x.avg_pool2d([2, 2], &AvgPool::default())?.to_vec::<f32>()?, [3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn avg_pool2d(&self, kernel: [usize; 2], options: &AvgPool<2>) -> Result<Tensor> {
        self.means("avg_pool2d", 2, |op, x| {
            options.axes(op, kernel, self.shape(), x)
        })
    }

    /// Like [`avg_pool1d`](Tensor::avg_pool1d), with as many windows as asked for, which share out the
    /// positions evenly.
    ///
    /// # Errors
    /// For another number of dimensions than 2 or 3, or no positions; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1.0, 5.0, 3.0]]);
    /// assert_eq!(x.adaptive_avg_pool1d([2])?.to_vec::<f32>()?, [3.0, 4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn adaptive_avg_pool1d(&self, size: [usize; 1]) -> Result<Tensor> {
        self.means("adaptive_avg_pool1d", 1, |_, x| shares(x, targets(size)))
    }

    /// Like [`avg_pool2d`](Tensor::avg_pool2d), with as many windows as asked for, which share out the
    /// rows and columns evenly: window i of n over h rows begins at i·h/n, rounded down, and ends
    /// before (i+1)·h/n, rounded up.
    ///
    /// # Errors
    /// For another number of dimensions than 3 or 4, or pictures without elements; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[[1.0, 2.0], [3.0, 6.0]]]);
    /// assert_eq!(x.adaptive_avg_pool2d([1, 1])?.to_vec::<f32>()?, [3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn adaptive_avg_pool2d(&self, size: [usize; 2]) -> Result<Tensor> {
        self.means("adaptive_avg_pool2d", 2, |_, x| shares(x, targets(size)))
    }

    fn means(
        &self,
        op: &'static str,
        spatial: usize,
        axes: impl FnOnce(&'static str, &Tensor) -> Result<[Weighted; 2]>,
    ) -> Result<Tensor> {
        self.dtype().expect_float(op)?;
        let x = pictures(op, self, spatial)?;
        let means = WindowMeans::new("avg_pool", &x, axes(op, &x)?);
        as_input(apply(means, &[&x])?, self, spatial)
    }
}

/// Windows that share out the rows and columns of `x`.
fn shares(x: &Tensor, size: [usize; 2]) -> Result<[Weighted; 2]> {
    let along = |i: usize| -> Result<Weighted> {
        let axis = shared_out(x.shape()[2 + i], size[i])?;
        let mut divisors = room(axis.windows())?;
        divisors.extend((0..axis.windows()).map(|i| axis.window(i).len() as f64));
        Ok(Weighted {
            axis,
            weights: Vec::new(),
            divisors,
        })
    };
    Ok([along(0)?, along(1)?])
}

/// Weighted means of windows of [n, c, h, w]. The gradient is another one.
pub(super) struct WindowMeans {
    op: &'static str,
    axes: [Weighted; 2],
    order: Order,
}

impl WindowMeans {
    pub(super) fn new(op: &'static str, x: &Tensor, axes: [Weighted; 2]) -> Self {
        let order = Order::of(x);
        Self { op, axes, order }
    }
}

impl Function for WindowMeans {
    fn name(&self) -> &'static str {
        self.op
    }

    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        let [height, width] = self.axes.each_ref().map(|w| w.axis.windows());
        let shape = sized(x.shape(), height, width)?;
        let (images, channels) = self.order.split(&shape);
        let y = dispatch_float!(self.op, x.dtype(), T => self.order.with_slice::<T, _>(x, |x| {
            means(x, images, self.axes.each_ref(), channels)
        }))?;
        Ok(Tensor::from_buffer_as(y, self.order.layout(shape)))
    }

    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let [rows, cols] = &self.axes;
        let back = Self {
            op: self.op,
            axes: [rows.transposed()?, cols.transposed()?],
            order: self.order,
        };
        Ok([Grad::Of(apply(back, &[grad])?)].into())
    }
}
