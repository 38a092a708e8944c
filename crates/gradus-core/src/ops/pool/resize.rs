//! Pictures of other sizes: each element of the result is a weighted mean of one or two of the
//! picture along each axis.

use super::super::registry::{Case, Input};
use super::average::WindowMeans;
use super::{as_input, pictures};
use crate::autograd::apply;
use crate::error::{Result, err};
use crate::kernels::average::Weighted;
use crate::kernels::gather::room;
use crate::kernels::windows::{Axis, Member};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("interpolate", &[Input::real(&[2, 3, 2, 3])], |x| {
        x[0].interpolate(Resize::Scale([2.0, 2.0]), Mode::Nearest)
    })
    .torch("F.interpolate(x[0], scale_factor=2)"),
    Case::new("interpolate", &[Input::real(&[2, 17, 5, 4])], |x| {
        let channels_last = x[0].permute([0, 2, 3, 1])?.contiguous()?;
        channels_last
            .permute([0, 3, 1, 2])?
            .interpolate(Resize::Size([3, 7]), Mode::Nearest)
    })
    .torch("F.interpolate(x[0], (3, 7))"),
    Case::new("interpolate", &[Input::real(&[2, 3, 5])], |x| {
        x[0].interpolate(Resize::Scale([1.7]), Mode::Nearest)
    })
    .torch("F.interpolate(x[0], scale_factor=1.7)"),
    Case::new("interpolate", &[Input::real(&[1, 2, 4, 5])], |x| {
        x[0].interpolate(Resize::Size([6, 3]), Mode::NearestExact)
    })
    .torch("F.interpolate(x[0], (6, 3), mode='nearest-exact')"),
    Case::new("interpolate", &[Input::real(&[1, 2, 3, 5])], |x| {
        x[0].interpolate(
            Resize::Size([5, 4]),
            Mode::Linear {
                align_corners: false,
            },
        )
    })
    .torch("F.interpolate(x[0], (5, 4), mode='bilinear', align_corners=False)"),
    Case::new("interpolate", &[Input::real(&[2, 3, 4, 3])], |x| {
        x[0].interpolate(
            Resize::Size([7, 1]),
            Mode::Linear {
                align_corners: true,
            },
        )
    })
    .torch("F.interpolate(x[0], (7, 1), mode='bilinear', align_corners=True)"),
    Case::new("interpolate", &[Input::real(&[2, 3, 3, 4])], |x| {
        x[0].interpolate(
            Resize::Scale([2.5, 0.6]),
            Mode::Linear {
                align_corners: false,
            },
        )
    })
    .torch("F.interpolate(x[0], scale_factor=(2.5, 0.6), mode='bilinear', align_corners=False)"),
    Case::new("interpolate", &[Input::real(&[2, 3, 4])], |x| {
        x[0].interpolate(
            Resize::Size([9]),
            Mode::Linear {
                align_corners: true,
            },
        )
    })
    .torch("F.interpolate(x[0], 9, mode='linear', align_corners=True)"),
    Case::new("reshape", &[Input::real(&[2, 8, 3, 2])], |x| {
        x[0].pixel_shuffle(2)
    })
    .torch("F.pixel_shuffle(x[0], 2)"),
    Case::new("reshape", &[Input::real(&[3, 4, 6])], |x| {
        x[0].pixel_unshuffle(2)
    })
    .torch("F.pixel_unshuffle(x[0], 2)"),
];

/// The size that [`Tensor::interpolate`] gives the last `N` dimensions.
///
/// ```
/// use gradus_core::pool::Resize;
/// assert_ne!(Resize::Size([4, 4]), Resize::Scale([4.0, 4.0]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Resize<const N: usize> {
    /// These sizes.
    Size([usize; N]),
    /// The old sizes times these factors, rounded down.
    Scale([f64; N]),
}

/// What [`Tensor::interpolate`] makes of the elements around a place.
///
/// ```
/// use gradus_core::pool::Mode;
/// assert_eq!(Mode::default(), Mode::Nearest);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// The element at the place, rounded down: i·old/new. PyTorch's `nearest`.
    #[default]
    Nearest,
    /// The element whose middle is nearest: (i + ½)·old/new, rounded down. PyTorch's
    /// `nearest-exact`.
    NearestExact,
    /// Between the two nearest elements of each axis, by their distance. PyTorch's `linear` and
    /// `bilinear`.
    Linear {
        /// Whether the first and last elements stay where they are; if not, the outer edges of the
        /// picture do.
        align_corners: bool,
    },
}

impl Tensor {
    /// The pictures of a tensor [n, c, h, w] or the signals of one of [n, c, l] in another size:
    /// PyTorch's `F.interpolate`. As there, a scale also gives the distance between the places
    /// that elements are taken from, where a size gives old/new.
    ///
    /// # Errors
    /// For another number of dimensions, a size of 0, a scale that is not positive and finite; for
    /// integers.
    ///
    /// ```
    /// use gradus_core::{Tensor, pool::{Mode, Resize}};
    /// let x = Tensor::from([[[1.0, 3.0]]]);
    /// let twice = x.interpolate(Resize::Scale([2.0]), Mode::Nearest)?;
    /// assert_eq!(twice.to_vec::<f32>()?, [1.0, 1.0, 3.0, 3.0]);
    /// let between = x.interpolate(Resize::Size([3]), Mode::Linear { align_corners: true })?;
    /// assert_eq!(between.to_vec::<f32>()?, [1.0, 2.0, 3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn interpolate<const N: usize>(&self, to: Resize<N>, mode: Mode) -> Result<Tensor> {
        const OP: &str = "interpolate";
        self.dtype().expect_float(OP)?;
        if !(1..=2).contains(&N) || self.ndim() != N + 2 {
            return Err(err!(
                Shape,
                "{OP}: Got {}D input {:?} and {N} sizes or scales: expected one for 3D or two for 4D",
                self.ndim(),
                self.shape()
            ));
        }
        let x = pictures(OP, self, N)?;
        let along = |axis: usize| {
            let n = x.shape()[2 + axis];
            match ((axis + N).checked_sub(2), to) {
                (None, _) => resampled(n, n, 1.0, Mode::Nearest),
                (Some(i), Resize::Size(size)) => {
                    resampled(n, size[i], n as f64 / size[i] as f64, mode)
                }
                (Some(i), Resize::Scale(scale)) => {
                    let size = (n as f64 * scale[i]).floor();
                    if !(scale[i] > 0.0 && size <= isize::MAX as f64) {
                        return Err(err!(
                            Value,
                            "{OP}: Scale factors should be positive and finite, but got {} for {n} positions",
                            scale[i]
                        ));
                    }
                    resampled(n, size as usize, 1.0 / scale[i], mode)
                }
            }
        };
        let axes = [along(0)?, along(1)?];
        as_input(apply(WindowMeans::new(OP, &x, axes), &[&x])?, self, N)
    }

    /// Pictures `factor` times as wide and high from factor² times as many channels: [.., c·r², h, w]
    /// becomes [.., c, h·r, w·r] (Shi et al., 2016).
    ///
    /// # Errors
    /// For less than three dimensions, a factor of 0, or channels that its square does not divide.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[[1.0]], [[2.0]], [[3.0]], [[4.0]]]);
    /// assert_eq!(x.pixel_shuffle(2)?.to_vec::<f32>()?, [1.0, 2.0, 3.0, 4.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn pixel_shuffle(&self, factor: usize) -> Result<Tensor> {
        let &[ref lead @ .., c, h, w] = self.shape() else {
            return Err(three_dimensions("pixel_shuffle", self));
        };
        let Some(channels) = factor.checked_mul(factor).filter(|&r| r > 0 && c % r == 0) else {
            return Err(err!(
                Shape,
                "pixel_shuffle: expects its input's 'channel' dimension to be divisible by the square of upscale_factor, \
                 but input.size(-3)={c} is not divisible by {factor} squared; \
                 the input is {:?}",
                self.shape()
            ));
        };
        let channels = c / channels;
        let n: usize = lead.iter().product();
        let split = self.reshape([n, channels, factor, factor, h, w].as_slice())?;
        let shape = [lead, &[channels, h * factor, w * factor]].concat();
        split.permute([0, 1, 4, 2, 5, 3])?.reshape(shape.as_slice())
    }

    /// The inverse of [`pixel_shuffle`](Tensor::pixel_shuffle): [.., c, h·r, w·r] becomes
    /// [.., c·r², h, w].
    ///
    /// # Errors
    /// For less than three dimensions, or a factor that does not divide height and width.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]);
    /// assert_eq!(x.pixel_unshuffle(2)?.shape(), [4, 1, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn pixel_unshuffle(&self, factor: usize) -> Result<Tensor> {
        let &[ref lead @ .., c, h, w] = self.shape() else {
            return Err(three_dimensions("pixel_unshuffle", self));
        };
        if factor == 0 || h % factor != 0 || w % factor != 0 {
            return Err(err!(
                Shape,
                "pixel_unshuffle: expects height and width to be divisible by downscale_factor, but {h} and {w} are not \
                 divisible by {factor}; the input is {:?}",
                self.shape()
            ));
        }
        let n: usize = lead.iter().product();
        let split = self.reshape([n, c, h / factor, factor, w / factor, factor].as_slice())?;
        let shape = [lead, &[c * factor * factor, h / factor, w / factor]].concat();
        split.permute([0, 1, 3, 5, 2, 4])?.reshape(shape.as_slice())
    }
}

fn three_dimensions(op: &str, x: &Tensor) -> crate::Error {
    err!(
        Shape,
        "{op}: expects input to have at least 3 dimensions, but got input with shape {:?}",
        x.shape()
    )
}

/// `out` weighted means of `n` positions, `step` of them from one to the next.
fn resampled(n: usize, out: usize, step: f64, mode: Mode) -> Result<Weighted> {
    if out == 0 {
        return Err(err!(
            Shape,
            "interpolate: Input and output sizes should be greater than 0, but got input {n} and output 0; use \
             larger sizes or scales"
        ));
    }
    let last = (n - 1) as f64;
    // The position of each result, between two elements.
    let place = |i: usize| match mode {
        Mode::Nearest => (i as f64 * step).floor(),
        Mode::NearestExact => ((i as f64 + 0.5) * step).floor(),
        Mode::Linear {
            align_corners: false,
        } => ((i as f64 + 0.5) * step - 0.5).max(0.0),
        Mode::Linear {
            align_corners: true,
        } if out > 1 => i as f64 * last / (out - 1) as f64,
        Mode::Linear {
            align_corners: true,
        } => 0.0,
    };
    let size = if matches!(mode, Mode::Linear { .. }) {
        2
    } else {
        1
    };
    let axis = Axis::new([n, size, out], |i| {
        let start = place(i).min(last) as usize;
        (0..size.min(n - start)).map(move |place| Member {
            place,
            at: start + place,
        })
    })?;
    let mut weights = room(axis.members())?;
    weights.extend((0..out).flat_map(|i| {
        let position = place(i).min(last);
        let share = position - position.floor();
        [1.0 - share, share].into_iter().take(axis.window(i).len())
    }));
    Ok(Weighted {
        axis,
        weights,
        divisors: Vec::new(),
    })
}
