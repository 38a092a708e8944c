//! The largest element of each window.

use super::super::registry::{Case, Input};
use super::{Order, Slide, as_input, pictures, shared_out, sized, targets};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{DType, dispatch_float};
use crate::error::{Result, err};
use crate::kernels::pool;
use crate::kernels::windows::{Axis, Windows};
use crate::storage::Buffer;
use crate::tensor::Tensor;
use std::sync::Arc;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("max_pool", &[Input::real(&[2, 3, 4, 6])], |x| {
        x[0].max_pool2d([2, 2], &MaxPool::default())
    })
    .torch("F.max_pool2d(x[0], 2)"),
    Case::new("max_pool", &[Input::real(&[2, 3, 7, 5])], |x| {
        let options = MaxPool {
            stride: Some([2, 1]),
            padding: [1, 0],
            ceil_mode: true,
            ..MaxPool::default()
        };
        x[0].max_pool2d([3, 2], &options)
    })
    .torch("F.max_pool2d(x[0], (3, 2), (2, 1), (1, 0), ceil_mode=True)"),
    Case::new("max_pool", &[Input::real(&[2, 17, 6, 7])], |x| {
        let options = MaxPool {
            stride: Some([1, 2]),
            padding: [1, 1],
            dilation: [2, 1],
            ..MaxPool::default()
        };
        let channels_last = x[0].permute([0, 2, 3, 1])?.contiguous()?;
        channels_last.permute([0, 3, 1, 2])?.max_pool2d([2, 3], &options)
    })
    .torch("F.max_pool2d(x[0], (2, 3), (1, 2), 1, (2, 1))"),
    Case::new("max_pool", &[Input::real(&[3, 4, 5])], |x| {
        x[0].max_pool2d([2, 3], &MaxPool::default())
    })
    .torch("F.max_pool2d(x[0], (2, 3))"),
    Case::new("max_pool", &[Input::real(&[1, 2, 18, 20])], |x| {
        let stride = Some([1, 3]);
        x[0].max_pool2d([17, 17], &MaxPool { stride, ..MaxPool::default() })
    })
    .torch("F.max_pool2d(x[0], 17, (1, 3))"),
    Case::new("max_pool", &[Input::real(&[2, 3, 9])], |x| {
        let options = MaxPool {
            stride: Some([2]),
            padding: [1],
            dilation: [2],
            ceil_mode: true,
        };
        x[0].max_pool1d([3], &options)
    })
    .torch("F.max_pool1d(x[0], 3, 2, 1, 2, ceil_mode=True)"),
    Case::new("max_pool", &[Input::real(&[3, 8])], |x| {
        x[0].max_pool1d([3], &MaxPool::default())
    })
    .torch("F.max_pool1d(x[0], 3)"),
    Case::new("max_pool", &[Input::real(&[2, 3, 4, 5])], |x| {
        Ok(x[0].max_pool2d_with_indices([2, 2], &MaxPool::default())?.0)
    })
    .torch("F.max_pool2d(x[0], 2, return_indices=True)[0]"),
    Case::new("max_pool2d_with_indices", &[Input::real(&[2, 3, 5, 5])], |x| {
        let stride = Some([2, 2]);
        Ok(x[0].max_pool2d_with_indices([3, 3], &MaxPool { stride, ..MaxPool::default() })?.1)
    })
    .torch("F.max_pool2d(x[0], 3, 2, return_indices=True)[1]")
    .constant(),
    Case::new("max_pool", &[Input::real(&[2, 3, 7, 5])], |x| {
        x[0].adaptive_max_pool2d([3, 2])
    })
    .torch("F.adaptive_max_pool2d(x[0], (3, 2))"),
    Case::new("max_pool", &[Input::real(&[2, 3, 2])], |x| {
        x[0].adaptive_max_pool2d([1, 3])
    })
    .torch("F.adaptive_max_pool2d(x[0], (1, 3))"),
    Case::new("max_pool", &[Input::real(&[2, 3, 7])], |x| {
        x[0].adaptive_max_pool1d([4])
    })
    .torch("F.adaptive_max_pool1d(x[0], 4)"),
    Case::new("scatter", &[Input::real(&[2, 3, 4, 5])], |x| {
        let (y, at) = x[0].max_pool2d_with_indices([2, 2], &MaxPool::default())?;
        y.exp()?.max_unpool2d(&at, [2, 2], &MaxPool::default(), Some([4, 5]))
    })
    .torch("(lambda y, i: F.max_unpool2d(y.exp(), i, 2, output_size=(4, 5)))(*F.max_pool2d(x[0], 2, return_indices=True))"),
];

/// Options of max pooling over `N` dimensions.
///
/// ```
/// use gradus_core::{Tensor, pool::MaxPool};
/// let x = Tensor::from([[1.0, 5.0, 2.0, 4.0, 3.0]]);
/// let overlapping = MaxPool { stride: Some([1]), ..MaxPool::default() };
/// assert_eq!(x.max_pool1d([3], &overlapping)?.to_vec::<f32>()?, [5.0, 5.0, 4.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool<const N: usize> {
    /// From one window to the next; `None` for the size of the window.
    pub stride: Option<[usize; N]>,
    /// Positions of −∞ before the first and after the last one, at most half a window.
    pub padding: [usize; N],
    /// From one element of a window to the next.
    pub dilation: [usize; N],
    /// Whether a last window may hang over the end.
    pub ceil_mode: bool,
}

impl<const N: usize> Default for MaxPool<N> {
    fn default() -> Self {
        Self {
            stride: None,
            padding: [0; N],
            dilation: [1; N],
            ceil_mode: false,
        }
    }
}

impl<const N: usize> MaxPool<N> {
    fn slides(&self, kernel: [usize; N]) -> [Slide; 2] {
        Slide::along(
            kernel,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
        )
    }

    /// The windows over `x`, the pictures of an input of this shape.
    fn axes(&self, op: &str, kernel: [usize; N], input: &[usize], x: &Tensor) -> Result<[Axis; 2]> {
        let [rows, cols] = self.slides(kernel);
        Ok([
            rows.axis(op, input, x.shape()[2])?,
            cols.axis(op, input, x.shape()[3])?,
        ])
    }
}

impl Tensor {
    /// The largest element of each window of `kernel` positions along the last dimension of a tensor
    /// [n, c, l] or [c, l]: PyTorch's `max_pool1d`. Options, ties and NaN as
    /// [`max_pool2d`](Tensor::max_pool2d).
    ///
    /// # Errors
    /// As [`max_pool2d`](Tensor::max_pool2d).
    ///
    /// ```
    /// use gradus_core::{Tensor, pool::MaxPool};
    /// let x = Tensor::from([[1.0, 5.0, 2.0, 4.0]]);
    /// assert_eq!(x.max_pool1d([2], &MaxPool::default())?.to_vec::<f32>()?, [5.0, 4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn max_pool1d(&self, kernel: [usize; 1], options: &MaxPool<1>) -> Result<Tensor> {
        self.max_pool("max_pool1d", 1, |op, x| {
            options.axes(op, kernel, self.shape(), x)
        })
    }

    /// The largest element of each window of `kernel` rows and columns of pictures, a tensor
    /// [n, c, h, w] or [c, h, w]: PyTorch's `max_pool2d`. Without options, windows lie side by side
    /// and what does not fill one at the end is left out.
    ///
    /// A NaN is larger than everything. The gradient flows to the largest element, the first of
    /// several equal ones. The channels of the result lie side by side in memory, as those of
    /// convolutions do.
    ///
    /// # Errors
    /// For another number of dimensions, a size, stride or dilation of 0, a padding of more than half
    /// a window, or windows that are larger than the padded picture; for integers.
    ///
    /// ```
    /// use gradus_core::{Tensor, pool::MaxPool};
    /// let x = Tensor::from([[[1.0, 2.0, 7.0], [3.0, 4.0, 8.0]]]);
    /// assert_eq!(x.max_pool2d([2, 2], &MaxPool::default())?.to_vec::<f32>()?, [4.0]);
    /// let options = MaxPool { ceil_mode: true, ..MaxPool::default() };
    /// assert_eq!(x.max_pool2d([2, 2], &options)?.to_vec::<f32>()?, [4.0, 8.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn max_pool2d(&self, kernel: [usize; 2], options: &MaxPool<2>) -> Result<Tensor> {
        self.max_pool("max_pool2d", 2, |op, x| {
            options.axes(op, kernel, self.shape(), x)
        })
    }

    /// [`max_pool2d`](Tensor::max_pool2d) and the positions of the largest elements, as i64: row times
    /// width plus column, of the picture. PyTorch's `return_indices`.
    ///
    /// # Errors
    /// As [`max_pool2d`](Tensor::max_pool2d).
    ///
    /// ```
    /// use gradus_core::{Tensor, pool::MaxPool};
    /// let x = Tensor::from([[[1.0, 2.0], [4.0, 3.0]]]);
    /// let (y, at) = x.max_pool2d_with_indices([2, 2], &MaxPool::default())?;
    /// assert_eq!((y.item::<f32>()?, at.item::<i64>()?), (4.0, 2));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn max_pool2d_with_indices(
        &self,
        kernel: [usize; 2],
        options: &MaxPool<2>,
    ) -> Result<(Tensor, Tensor)> {
        const OP: &str = "max_pool2d_with_indices";
        self.dtype().expect_float(OP)?;
        let x = pictures(OP, self, 2)?;
        let find = MaxPooling::new(OP, &x, options.axes(OP, kernel, self.shape(), &x)?)?;
        let [_, places] = find.found(&x)?;
        let [rows, cols] = &*find.axes;
        let shape = sized(x.shape(), rows.windows(), cols.windows())?;
        let windows = find.windows(&shape);
        let at = places!(places.dtype(), P => find.order.with_slice(&places, |places| {
            pool::positions::<P>(places, windows)
        }))?;
        let at = Tensor::from_buffer_as(at, find.order.layout(shape));
        let take = MaxPooling {
            step: Step::Take(places),
            ..find
        };
        let y = apply(take, &[&x])?;
        Ok((as_input(y, self, 2)?, as_input(at, self, 2)?))
    }

    /// Pictures of zeros with each element at the position that `indices` has for it: what
    /// [`max_pool2d_with_indices`](Tensor::max_pool2d_with_indices) of the same kernel and options
    /// was made of, without what was not the largest. The picture is as large as these say,
    /// or `size`. PyTorch's `max_unpool2d`.
    ///
    /// # Errors
    /// If the shapes differ, or an index lies outside the picture.
    ///
    /// ```
    /// use gradus_core::{Tensor, pool::MaxPool};
    /// let y = Tensor::from([[[4.0]]]);
    /// let x = y.max_unpool2d(&Tensor::from([[[2]]]), [2, 2], &MaxPool::default(), None)?;
    /// assert_eq!(x.to_vec::<f32>()?, [0.0, 0.0, 4.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn max_unpool2d(
        &self,
        indices: &Tensor,
        kernel: [usize; 2],
        options: &MaxPool<2>,
        size: Option<[usize; 2]>,
    ) -> Result<Tensor> {
        const OP: &str = "max_unpool2d";
        let rank = self.ndim();
        if !(3..=4).contains(&rank) {
            return Err(err!(
                Shape,
                "{OP}: Input to max_unpooling2d should be a 3d or 4d Tensor, but got a tensor of shape {:?}",
                self.shape()
            ));
        }
        if indices.shape() != self.shape() {
            return Err(err!(
                Shape,
                "{OP}: Expected shape of indices to be same as that of the input tensor {:?} but got {:?}",
                self.shape(),
                indices.shape()
            ));
        }
        let slides = options.slides(kernel);
        let full = |i: usize| {
            let (n, slide) = (self.shape()[rank - 2 + i], &slides[i]);
            let size = n
                .checked_sub(1)?
                .checked_mul(slide.stride)?
                .checked_add(slide.kernel)?;
            size.checked_sub(slide.padding.checked_mul(2)?)
        };
        let size = match (size, full(0), full(1)) {
            (Some(size), ..) => size,
            (None, Some(height), Some(width)) => [height, width],
            _ => {
                return Err(err!(
                    Shape,
                    "{OP}: no picture has pooled to shape {:?} with kernel {kernel:?} and {options:?}; give the size",
                    self.shape()
                ));
            }
        };
        let unpool = || {
            let flat = |size: usize| {
                let mut shape = self.layout().shape.clone();
                shape.truncate(rank - 2);
                shape.push(size);
                shape
            };
            let area = crate::shape::numel(&size)?;
            let picture = Tensor::full(flat(area), 0.0, self.dtype())?;
            let small = flat(self.shape()[rank - 2..].iter().product());
            let picture = picture.scatter(-1, &indices.reshape(&small)?, &self.reshape(&small)?)?;
            let mut shape = flat(size[0]);
            shape.push(size[1]);
            picture.reshape(&shape)
        };
        unpool().map_err(|e: crate::Error| e.at(OP))
    }

    /// Like [`max_pool1d`](Tensor::max_pool1d), with as many windows as asked for, which share out the
    /// positions evenly.
    ///
    /// # Errors
    /// For another number of dimensions than 2 or 3, or no positions; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1.0, 5.0, 2.0, 4.0, 3.0]]);
    /// assert_eq!(x.adaptive_max_pool1d([2])?.to_vec::<f32>()?, [5.0, 4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn adaptive_max_pool1d(&self, size: [usize; 1]) -> Result<Tensor> {
        self.max_pool("adaptive_max_pool1d", 1, |_, x| adaptive(x, size))
    }

    /// Like [`max_pool2d`](Tensor::max_pool2d), with as many windows as asked for, which share out the
    /// rows and columns evenly: window i of n over h rows begins at i·h/n, rounded down, and ends
    /// before (i+1)·h/n, rounded up.
    ///
    /// # Errors
    /// For another number of dimensions than 3 or 4, or pictures without elements; for integers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[[1.0, 2.0, 7.0], [3.0, 4.0, 8.0]]]);
    /// assert_eq!(x.adaptive_max_pool2d([1, 2])?.to_vec::<f32>()?, [4.0, 8.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn adaptive_max_pool2d(&self, size: [usize; 2]) -> Result<Tensor> {
        self.max_pool("adaptive_max_pool2d", 2, |_, x| adaptive(x, size))
    }

    fn max_pool(
        &self,
        op: &'static str,
        spatial: usize,
        axes: impl FnOnce(&'static str, &Tensor) -> Result<[Axis; 2]>,
    ) -> Result<Tensor> {
        self.dtype().expect_float(op)?;
        let x = pictures(op, self, spatial)?;
        let pooling = MaxPooling::new(op, &x, axes(op, &x)?)?;
        as_input(apply(pooling, &[&x])?, self, spatial)
    }
}

/// Windows that share out the rows and columns of `x`.
fn adaptive<const N: usize>(x: &Tensor, size: [usize; N]) -> Result<[Axis; 2]> {
    let [height, width] = targets(size);
    Ok([
        shared_out(x.shape()[2], height)?,
        shared_out(x.shape()[3], width)?,
    ])
}

/// Max pooling of [n, c, h, w], and its gradients of every order: what was found once stays, so they
/// put elements to these places, and take them from there.
struct MaxPooling {
    axes: Arc<[Axis; 2]>,
    order: Order,
    step: Step,
}

enum Step {
    /// The largest elements; their places are saved.
    Find,
    /// The elements at these places.
    Take(Tensor),
    /// Pictures with these elements at their places.
    Put(Tensor),
}

/// Places are bytes where windows are small.
macro_rules! places {
    ($dtype:expr, $p:ident => $body:expr) => {
        match $dtype {
            DType::U8 => {
                type $p = u8;
                $body
            }
            _ => {
                type $p = i32;
                $body
            }
        }
    };
}
use places;

impl MaxPooling {
    fn new(op: &str, x: &Tensor, axes: [Axis; 2]) -> Result<Self> {
        let places = axes[0].size.saturating_mul(axes[1].size);
        if places > i32::MAX as usize {
            return Err(err!(
                Value,
                "{op}: windows of {places} elements are too large"
            ));
        }
        Ok(Self {
            order: Order::of(x),
            axes: Arc::new(axes),
            step: Step::Find,
        })
    }

    fn windows(&self, shape: &[usize]) -> Windows<'_> {
        let (images, channels) = self.order.split(shape);
        let [rows, cols] = &*self.axes;
        Windows {
            images,
            rows,
            cols,
            channels,
        }
    }

    /// The largest elements and their places.
    fn found(&self, x: &Tensor) -> Result<[Tensor; 2]> {
        let [rows, cols] = &*self.axes;
        let shape = sized(x.shape(), rows.windows(), cols.windows())?;
        let small = if rows.size * cols.size <= 256 {
            DType::U8
        } else {
            DType::I32
        };
        let found = dispatch_float!(self.name(), x.dtype(), T => {
            self.order.with_slice::<T, _>(x, |x| {
                places!(small, P => pool::max::<T, P>(x, self.windows(&shape)))
            })
        })?;
        Ok(found.map(|buffer| Tensor::from_buffer_as(buffer, self.order.layout(shape.clone()))))
    }

    /// `kernel` of elements and places.
    fn moved(&self, x: &Tensor, places: &Tensor, put: bool) -> Result<Buffer> {
        let windows = self.windows(x.shape());
        dispatch_float!(self.name(), x.dtype(), T => places!(places.dtype(), P => {
            self.order.with_slice::<T, _>(x, |x| {
                self.order.with_slice::<P, _>(places, |places| {
                    if put { pool::put(x, places, windows) } else { pool::take(x, places, windows) }
                })
            })
        }))
    }
}

impl Function for MaxPooling {
    fn name(&self) -> &'static str {
        "max_pool"
    }

    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let x = x[0];
        let [rows, cols] = &*self.axes;
        let (put, places) = match &self.step {
            Step::Find => {
                let [y, places] = self.found(x)?;
                ctx.save(&places);
                return Ok(y);
            }
            Step::Take(places) => (false, places),
            Step::Put(places) => (true, places),
        };
        let shape = match put {
            true => sized(x.shape(), rows.input, cols.input)?,
            false => sized(x.shape(), rows.windows(), cols.windows())?,
        };
        let y = self.moved(x, places, put)?;
        Ok(Tensor::from_buffer_as(y, self.order.layout(shape)))
    }

    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let step = match &self.step {
            Step::Find => Step::Put(saved.get(0)?),
            Step::Take(places) => Step::Put(places.clone()),
            Step::Put(places) => Step::Take(places.clone()),
        };
        let (axes, order) = (self.axes.clone(), self.order);
        let dx = apply(MaxPooling { axes, order, step }, &[grad])?;
        Ok([Grad::Of(dx)].into())
    }
}
