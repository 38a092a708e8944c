//! Normalisation of channels: over a batch, in groups, and each by itself.

use super::registry::{Case, Input};
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply, is_grad_enabled, no_grad};
use crate::dtype::dispatch_float;
use crate::error::{Result, err};
use crate::kernels::channels::{Gathered, Moments, Products, Rows};
use crate::kernels::math::Float;
use crate::ops::keepdim;
use crate::shape::{Dims, Layout};
use crate::storage::Buffer;
use crate::tensor::Tensor;

const PICTURES: &[Input] = &[Input::real(&[2, 4, 3, 2])];
const WEIGHED: &[Input] = &[
    Input::real(&[3, 4, 2, 3]),
    Input::positive(&[4]),
    Input::real(&[4]),
];

pub(super) const CASES: &[Case] = &[
    Case::new("batch_norm", PICTURES, |x| {
        x[0].batch_norm(None, None, None, None, true, 0.1, 1e-5)
    })
    .torch("F.batch_norm(x[0], None, None, training=True)"),
    Case::new("batch_norm", WEIGHED, |x| {
        let channels_last = x[0].permute([0, 2, 3, 1])?.contiguous()?;
        let x0 = channels_last.permute([0, 3, 1, 2])?;
        x0.batch_norm(None, None, Some(&x[1]), Some(&x[2]), true, 0.1, 1e-3)
    })
    .torch("F.batch_norm(x[0], None, None, x[1], x[2], True, 0.1, 1e-3)"),
    Case::new("batch_norm", &[Input::real(&[5, 3]), Input::real(&[3])], |x| {
        x[0].batch_norm(None, None, None, Some(&x[1]), true, 0.1, 1e-5)
    })
    .torch("F.batch_norm(x[0], None, None, None, x[1], True)"),
    Case::new("batch_norm", &[Input::real(&[2, 3, 5]), Input::real(&[3])], |x| {
        let running = [0.5, 2.0].map(|v| Tensor::full([3], v, x[0].dtype()));
        let [mean, var] = running;
        x[0].batch_norm(Some(&mean?), Some(&var?), Some(&x[1]), None, false, 0.1, 1e-5)
    })
    .torch("F.batch_norm(x[0], torch.full((3,), 0.5, dtype=x[0].dtype), torch.full((3,), 2.0, dtype=x[0].dtype), x[1])"),
    Case::new("group_norm", WEIGHED, |x| {
        x[0].group_norm(2, Some(&x[1]), Some(&x[2]), 1e-5)
    })
    .torch("F.group_norm(x[0], 2, x[1], x[2])"),
    Case::new("group_norm", &[Input::real(&[3, 6])], |x| {
        x[0].group_norm(2, None, None, 1e-3)
    })
    .torch("F.group_norm(x[0], 2, eps=1e-3)"),
    Case::new("group_norm", &[Input::real(&[2, 3, 4]), Input::positive(&[3])], |x| {
        x[0].group_norm(1, Some(&x[1]), None, 1e-5)
    })
    .torch("F.group_norm(x[0], 1, x[1])"),
    Case::new("instance_norm", WEIGHED, |x| {
        x[0].instance_norm(Some(&x[1]), Some(&x[2]), 1e-5)
    })
    .torch("F.instance_norm(x[0], weight=x[1], bias=x[2])"),
    Case::new("instance_norm", &[Input::real(&[2, 3, 5])], |x| {
        x[0].instance_norm(None, None, 1e-3)
    })
    .torch("F.instance_norm(x[0], eps=1e-3)"),
];

impl Tensor {
    /// Batch normalisation (Ioffe and Szegedy, 2015) of the channels, dimension 1 of a tensor [n, c],
    /// [n, c, l] or [n, c, h, w]: (x − mean)/√(variance + eps)·weight + bias.
    ///
    /// While `training`, mean and variance (divided by the number of elements) are those of each
    /// channel, and the running ones are changed in place to (1 − momentum)·old + momentum·new,
    /// where the new variance is divided by the number of elements − 1. Otherwise the running ones
    /// are used. PyTorch's defaults are momentum 0.1 and eps 1e-5.
    ///
    /// # Errors
    /// If sizes do not fit, dtypes differ or are no floating ones; without running statistics when
    /// not training; for one element a channel when training.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1.0, 5.0], [3.0, 5.0]]);
    /// let (mean, var) = (Tensor::zeros([2]), Tensor::ones([2]));
    /// let y = x.batch_norm(Some(&mean), Some(&var), None, None, true, 0.5, 0.0001)?;
    /// assert_eq!(y.round()?.to_vec::<f32>()?, [-1.0, 0.0, 1.0, 0.0]);
    /// assert_eq!(mean.to_vec::<f32>()?, [1.0, 2.5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    #[allow(clippy::too_many_arguments)] // PyTorch's.
    pub fn batch_norm(
        &self,
        running_mean: Option<&Tensor>,
        running_var: Option<&Tensor>,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        training: bool,
        momentum: f64,
        eps: f64,
    ) -> Result<Tensor> {
        const OP: &str = "batch_norm";
        let [n, c] = self.expect_channels(
            OP,
            [
                (running_mean, "running_mean"),
                (running_var, "running_var"),
                (weight, "weight"),
                (bias, "bias"),
            ],
        )?;
        let norm = ChannelNorm {
            images: 1,
            rows: n * self.shape()[2..].iter().product::<usize>(),
            ..ChannelNorm::new(OP, self, c, eps)
        };
        if !training {
            let (Some(mean), Some(var)) = (running_mean, running_var) else {
                let what = if running_mean.is_none() {
                    "running_mean"
                } else {
                    "running_var"
                };
                return Err(err!(
                    Value,
                    "{OP}: {what} must be defined in evaluation mode; give it, or train to use the input's own statistics"
                ));
            };
            let [mean, var] = [mean.to_vec()?, var.to_vec()?];
            let fixed = ChannelNorm {
                mean,
                var,
                fixed: true,
                ..norm
            };
            return fixed.of(self, weight, bias);
        }
        if norm.rows == 1 {
            return Err(err!(
                Value,
                "{OP}: Expected more than 1 value per channel when training, got input size {:?}; use larger batches, or \
                 evaluation mode",
                self.shape()
            ));
        }
        let norm = norm.measured(self)?;
        let unbiased = norm.rows as f64 / (norm.rows as f64 - 1.0);
        let update = |running: Option<&Tensor>, new: &[f64], factor: f64| match running {
            Some(running) if norm.rows > 0 => no_grad(|| {
                let new = Tensor::from_vec(new, [c])?.mul(factor * momentum)?;
                running.mul_(1.0 - momentum)?;
                running.add_(&new.to_dtype(running.dtype())?)
            }),
            _ => Ok(()),
        };
        let y = norm.of(self, weight, bias)?;
        update(running_mean, &norm.mean, 1.0).map_err(|e| e.at(OP))?;
        update(running_var, &norm.var, unbiased).map_err(|e| e.at(OP))?;
        Ok(y)
    }

    /// Group normalisation (Wu and He, 2018): of each sample, the channels (dimension 1) in `groups`
    /// groups of neighbours are normalised over their elements, (x − mean)/√(variance + eps), then
    /// each channel is multiplied by its `weight` and its `bias` added. PyTorch's default for eps is
    /// 1e-5.
    ///
    /// # Errors
    /// If the groups do not divide the channels, sizes do not fit, or dtypes differ or are no floating
    /// ones; for one element in all.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1.0, 3.0, 10.0, 10.0]]);
    /// let y = x.group_norm(2, None, None, 0.0001)?;
    /// assert_eq!(y.round()?.to_vec::<f32>()?, [-1.0, 1.0, 0.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn group_norm(
        &self,
        groups: usize,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<Tensor> {
        const OP: &str = "group_norm";
        let [n, c] = self.expect_channels(OP, [(weight, "weight"), (bias, "bias")])?;
        if groups == 0 || c % groups != 0 {
            return Err(err!(
                Shape,
                "{OP}: Expected number of channels in input to be divisible by num_groups, but got input of shape {:?} and \
                 num_groups={groups}",
                self.shape()
            ));
        }
        let rows = self.shape()[2..].iter().product();
        if n * (c / groups) * rows == 1 {
            return Err(err!(
                Value,
                "{OP}: Expected more than 1 value per channel when training, got input size {:?} and num_groups={groups}; use \
                 fewer groups or larger inputs",
                self.shape()
            ));
        }
        let norm = ChannelNorm {
            images: n,
            rows,
            ..ChannelNorm::new(OP, self, groups, eps)
        };
        norm.measured(self)?.of(self, weight, bias)
    }

    /// Instance normalisation (Ulyanov, Vedaldi and Lempitsky, 2016): each channel (dimension 1) of
    /// each sample is normalised over its elements. PyTorch's default for eps is 1e-5; its running
    /// statistics, which are off by default there, are left out.
    ///
    /// # Errors
    /// As [`group_norm`](Tensor::group_norm); for one element a channel.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[[1.0, 3.0], [10.0, 10.0]]]);
    /// let y = x.instance_norm(None, None, 0.0001)?;
    /// assert_eq!(y.round()?.to_vec::<f32>()?, [-1.0, 1.0, 0.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn instance_norm(
        &self,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<Tensor> {
        const OP: &str = "instance_norm";
        let [n, c] = self.expect_channels(OP, [(weight, "weight"), (bias, "bias")])?;
        let rows = self.shape()[2..].iter().product();
        if rows == 1 {
            return Err(err!(
                Value,
                "{OP}: Expected more than 1 spatial element when training, got input size {:?}; use larger inputs",
                self.shape()
            ));
        }
        let norm = ChannelNorm {
            images: n,
            rows,
            ..ChannelNorm::new(OP, self, c, eps)
        };
        norm.measured(self)?.of(self, weight, bias)
    }

    /// The sizes of the batch and of the channels, which all of `given` must have a number for.
    fn expect_channels<const N: usize>(
        &self,
        op: &str,
        given: [(Option<&Tensor>, &str); N],
    ) -> Result<[usize; 2]> {
        self.dtype().expect_float(op)?;
        let &[n, c, ..] = self.shape() else {
            return Err(err!(
                Shape,
                "{op}: Expected at least 2 dimensions for input tensor but received {}: [n, c] or [n, c, ...], not {:?}",
                self.ndim(),
                self.shape()
            ));
        };
        for (tensor, what) in given {
            let Some(tensor) = tensor else { continue };
            if tensor.shape() != [c] {
                return Err(err!(
                    Shape,
                    "{op}: {what} should contain {c} elements, one for each channel, but is of shape {:?}",
                    tensor.shape()
                ));
            }
            if tensor.dtype() != self.dtype() {
                return Err(err!(
                    DType,
                    "{op}: expected {what} to have the input's dtype {}, got {}; convert with to_dtype",
                    self.dtype(),
                    tensor.dtype()
                ));
            }
        }
        Ok([n, c])
    }
}

/// Channels normalised over the elements of each of `images` parts of the batch, in groups of
/// neighbours.
#[derive(Clone)]
struct ChannelNorm {
    op: &'static str,
    /// The memory, channels last, as this many matrices of `rows × channels`.
    images: usize,
    rows: usize,
    channels: usize,
    groups: usize,
    eps: f64,
    /// Of each group of each image.
    mean: Vec<f64>,
    var: Vec<f64>,
    /// Whether these are given, not measured: they do not depend on the input then.
    fixed: bool,
    weight: bool,
    bias: bool,
}

impl ChannelNorm {
    /// Of `x`, each sample by itself, the statistics being still unknown.
    fn new(op: &'static str, x: &Tensor, groups: usize, eps: f64) -> Self {
        Self {
            op,
            images: x.shape()[0],
            rows: x.shape()[2..].iter().product(),
            channels: x.shape()[1],
            groups,
            eps,
            mean: Vec::new(),
            var: Vec::new(),
            fixed: false,
            weight: false,
            bias: false,
        }
    }

    fn of(&self, x: &Tensor, weight: Option<&Tensor>, bias: Option<&Tensor>) -> Result<Tensor> {
        let inputs: Vec<&Tensor> = [x].into_iter().chain(weight).chain(bias).collect();
        let (weight, bias) = (weight.is_some(), bias.is_some());
        apply(
            Self {
                weight,
                bias,
                ..self.clone()
            },
            &inputs,
        )
    }

    /// With the statistics of `x`.
    fn measured(self, x: &Tensor) -> Result<Self> {
        let moments = dispatch_float!(self.op, x.dtype(), T => {
            with_channels_last::<T, _>(x, |x| Ok(self.matrix().moments(x)))
        })?;
        let groups = moments.chunks_exact(self.width().max(1));
        let groups = groups.map(|g| g.iter().copied().fold(Moments::default(), Moments::and));
        let (mean, var) = groups.map(|m| (m.mean, m.squares / m.n)).unzip();
        Ok(Self { mean, var, ..self })
    }

    fn matrix(&self) -> Rows {
        let Self {
            images,
            rows,
            channels,
            ..
        } = *self;
        Rows {
            images,
            rows,
            channels,
        }
    }

    /// Channels of a group.
    fn width(&self) -> usize {
        self.channels / self.groups.max(1)
    }

    /// Number, weight, mean and factor of each channel of each image.
    fn each_channel<'a>(&'a self, weight: Option<&'a [f64]>) -> impl Iterator<Item = Channel> + 'a {
        (0..self.images * self.channels).map(move |i| {
            let (c, group) = (i % self.channels, i / self.width());
            Channel {
                c,
                group,
                weight: weight.map_or(1.0, |w| w[c]),
                mean: self.mean[group],
                scale: 1.0 / (self.var[group] + self.eps).sqrt(),
            }
        })
    }

    /// x̂·weight + bias.
    fn forward<T: Float>(
        &self,
        x: &[T],
        weight: Option<&[f64]>,
        bias: Option<&[f64]>,
    ) -> Result<Buffer> {
        let channels = self.each_channel(weight).map(|at| {
            let (origin, factor) = (T::from_f64(at.mean), at.scale * at.weight);
            // What rounding has taken from the mean.
            let rest = (origin.to_f64() - at.mean) * factor;
            [
                origin,
                T::from_f64(factor),
                T::from_f64(bias.map_or(0.0, |b| b[at.c]) + rest),
            ]
        });
        let [origin, factor, shift] = columns(channels);
        self.matrix().affine(x, [&origin, &factor, &shift])
    }

    /// The gradients of x, if it is wanted, and of weight and bias. With h = g·weight that of x is
    /// (h − mean h − x̂·mean(h·x̂))/√(variance + eps), of fixed statistics h/√(variance + eps).
    fn gradients<T: Float>(
        &self,
        x: &[T],
        g: &[T],
        weight: Option<&[f64]>,
        wanted: bool,
    ) -> Result<(Option<Buffer>, [Vec<f64>; 2])> {
        let origin: Vec<T> = self.mean_of_channels();
        let mut sums = self.matrix().products(x, g, &origin);
        let (mut dw, mut db) = (vec![0.0; self.channels], vec![0.0; self.channels]);
        let mut groups = vec![Products::default(); self.images * self.groups];
        for (sum, at) in sums.iter_mut().zip(self.each_channel(weight)) {
            sum.gx += (T::from_f64(at.mean).to_f64() - at.mean) * sum.g;
            dw[at.c] += sum.gx * at.scale;
            db[at.c] += sum.g;
            groups[at.group].g += sum.g * at.weight;
            groups[at.group].gx += sum.gx * at.weight;
        }
        if !wanted {
            return Ok((None, [dw, db]));
        }
        let n = if self.fixed {
            f64::INFINITY
        } else {
            (self.rows * self.width()) as f64
        };
        let channels = self.each_channel(weight).map(|at| {
            let (h, slope) = (groups[at.group].g / n, groups[at.group].gx / n);
            let slope = -at.scale.powi(3) * slope;
            let origin = T::from_f64(at.mean);
            let shift = (origin.to_f64() - at.mean) * slope - at.scale * h;
            [
                origin,
                T::from_f64(at.scale * at.weight),
                T::from_f64(slope),
                T::from_f64(shift),
            ]
        });
        let [origin, a, b, c] = columns(channels);
        let dx = self.matrix().combined(x, g, [&origin, &a, &b, &c])?;
        Ok((Some(dx), [dw, db]))
    }

    fn mean_of_channels<T: Float>(&self) -> Vec<T> {
        self.each_channel(None)
            .map(|at| T::from_f64(at.mean))
            .collect()
    }

    /// The gradients of x, weight and bias in recorded operations.
    fn recorded(&self, x: &Tensor, weight: Option<&Tensor>, g: &Tensor) -> Result<[Tensor; 3]> {
        // [n, groups, channels of a group, elements]
        let (n, groups, width) = (x.shape()[0], self.groups, self.width());
        let split = [n, groups, width, x.shape()[2..].iter().product()];
        let dims: &[isize] = if self.images == 1 {
            &[0, 2, 3]
        } else {
            &[2, 3]
        };
        let (flat, g) = (x.reshape(&split[..])?, g.reshape(&split[..])?);
        let (normal, scale) = if self.fixed {
            let constant =
                |values: &[f64]| Tensor::from_vec(values, [groups, 1, 1])?.to_dtype(x.dtype());
            let scale = constant(&self.var)?.add(self.eps)?.pow(-0.5)?;
            (flat.sub(&constant(&self.mean)?)?.mul(&scale)?, scale)
        } else {
            let centered = flat.sub(&flat.mean(keepdim(dims))?)?;
            let var = centered.mul(&centered)?.mean(keepdim(dims))?;
            let scale = var.add(self.eps)?.pow(-0.5)?;
            (centered.mul(&scale)?, scale)
        };
        let per_channel = |t: Tensor| t.sum([0, 3])?.reshape(&[self.channels][..]);
        let dw = per_channel(g.mul(&normal)?)?;
        let db = per_channel(g.clone())?;
        let h = match weight {
            Some(weight) => g.mul(&weight.reshape(&[groups, width, 1][..])?)?,
            None => g,
        };
        let dx = if self.fixed {
            h
        } else {
            let along = normal.mul(&h.mul(&normal)?.mean(keepdim(dims))?)?;
            h.sub(&h.mean(keepdim(dims))?)?.sub(&along)?
        };
        Ok([dx.mul(&scale)?.reshape(x.shape())?, dw, db])
    }
}

/// One channel of one image.
struct Channel {
    c: usize,
    group: usize,
    weight: f64,
    mean: f64,
    scale: f64,
}

/// The numbers of each position in lists of their own.
fn columns<T: Copy, const N: usize>(rows: impl Iterator<Item = [T; N]>) -> [Vec<T>; N] {
    let mut columns = [const { Vec::new() }; N];
    for row in rows {
        columns
            .iter_mut()
            .zip(row)
            .for_each(|(column, x)| column.push(x));
    }
    columns
}

/// The order in memory in which the channels, dimension 1, come last.
fn channels_last(rank: usize) -> Dims {
    [0].into_iter().chain(2..rank).chain([1]).collect()
}

/// Calls `f` with the elements in that order, copied if they lie otherwise.
fn with_channels_last<T: Float, R>(x: &Tensor, f: impl FnOnce(&[T]) -> Result<R>) -> Result<R> {
    let layout = x.layout().permute(&channels_last(x.ndim()));
    x.with_layout(layout).with_slice(f)
}

fn channels_last_tensor(buffer: Buffer, like: &Tensor) -> Tensor {
    let layout = Layout::in_order(like.layout().shape.clone(), &channels_last(like.ndim()));
    Tensor::from_buffer_as(buffer, layout)
}

impl Function for ChannelNorm {
    fn name(&self) -> &'static str {
        self.op
    }

    fn forward(&self, ctx: &mut Context, inputs: &[&Tensor]) -> Result<Tensor> {
        let (x, affine) = (inputs[0], &inputs[1..]);
        let weight = self.weight.then(|| affine[0]);
        let bias = self.bias.then(|| affine[affine.len() - 1]);
        let values = |t: Option<&Tensor>| t.map(Tensor::to_vec::<f64>).transpose();
        let (w, b) = (values(weight)?, values(bias)?);
        let y = dispatch_float!(self.op, x.dtype(), T => with_channels_last::<T, _>(x, |x| {
            self.forward(x, w.as_deref(), b.as_deref())
        }))?;
        ctx.save(x);
        if let Some(weight) = weight {
            ctx.save(weight);
        }
        Ok(channels_last_tensor(y, x))
    }

    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        let x = saved.get(0)?;
        let weight = self.weight.then(|| saved.get(1)).transpose()?;
        let [dx, dw, db] = if is_grad_enabled() {
            self.recorded(&x, weight.as_ref(), g)?.map(Grad::Of)
        } else {
            let w = weight.as_ref().map(Tensor::to_vec::<f64>).transpose()?;
            let (dx, affine) = dispatch_float!(self.op, x.dtype(), T => {
                with_channels_last::<T, _>(&x, |x| with_channels_last::<T, _>(g, |g| {
                    self.gradients(x, g, w.as_deref(), saved.needs(0))
                }))
            })?;
            let dx = dx.map_or(Grad::Zero, |dx| Grad::Of(channels_last_tensor(dx, &x)));
            let [dw, db] = affine.map(|values| {
                Tensor::from_vec(values, [self.channels])?
                    .to_dtype(x.dtype())
                    .map(Grad::Of)
            });
            [dx, dw?, db?]
        };
        let affine = [self.weight.then_some(dw), self.bias.then_some(db)];
        Ok([dx]
            .into_iter()
            .chain(affine.into_iter().flatten())
            .collect())
    }
}
