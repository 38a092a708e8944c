//! What an operation is: forward and backward in one trait, and `apply`, which runs and records it.
//! The engine's own operations and those of users go through the same door.

use super::grad_mode::{is_grad_enabled, no_grad};
use super::node::{Node, Operation};
use crate::error::{Result, err};
use crate::shape::Layout;
use crate::tensor::Tensor;
use smallvec::SmallVec;
use std::sync::Arc;

/// A differentiable operation with one result.
///
/// The struct holds the arguments that are no tensors; `forward` computes, and saves what
/// `backward` will need. Both may use any tensor operation. Those of `forward` are not recorded;
/// those of `backward` are when the gradient is to be differentiated in turn (`create_graph`).
///
/// ```
/// use gradus_core::{Context, Function, Grad, Grads, Result, Saved, Tensor, apply};
///
/// /// x·sin y
/// struct MulSin;
/// impl Function for MulSin {
///     fn name(&self) -> &'static str {
///         "MulSin"
///     }
///     fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
///         ctx.save(x[0]);
///         ctx.save(x[1]);
///         x[0].mul(&x[1].sin()?)
///     }
///     fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
///         let (x, y) = (saved.get(0)?, saved.get(1)?);
///         let dx = saved.grad(0, || grad.mul(&y.sin()?))?;
///         let dy = saved.grad(1, || grad.mul(&x.mul(&y.cos()?)?))?;
///         Ok([dx, dy].into())
///     }
/// }
///
/// let x = Tensor::from(2.0).requires_grad_(true)?;
/// let y = Tensor::from(0.0);
/// apply(MulSin, &[&x, &y])?.backward()?;
/// assert_eq!(x.grad().unwrap().item::<f32>()?, 0.0);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub trait Function: Send + Sync + 'static {
    /// The name that graphs and errors show.
    fn name(&self) -> &'static str;

    /// The result. What `backward` needs is given to [`Context::save`]: inputs, the result, or
    /// anything in between.
    ///
    /// # Errors
    /// Whatever the operation does not accept.
    fn forward(&self, ctx: &mut Context, inputs: &[&Tensor]) -> Result<Tensor>;

    /// The gradient of each input, in their order, given that of the result. A gradient may still
    /// have the shape the input was broadcast to: the engine sums it back. Where no gradient flows,
    /// say [`Grad::Zero`].
    ///
    /// # Errors
    /// What the operations used return; a saved tensor that was changed since.
    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads>;
}

/// What `backward` says about one input.
///
/// ```
/// use gradus_core::{Grad, Tensor};
/// let flows = Grad::Of(Tensor::ones([2]));
/// assert!(matches!(flows, Grad::Of(g) if g.numel() == 2));
/// ```
#[derive(Debug)]
pub enum Grad {
    /// This gradient flows to it.
    Of(Tensor),
    /// This gradient flows to a part of it, and none to the rest. The layout says where the part lies
    /// in a contiguous tensor of the input's shape. The gradients of many parts are put together in
    /// one tensor.
    Part(Box<Layout>, Tensor),
    /// None does: the input is no number that varies, or the derivative is 0 everywhere.
    Zero,
}

/// One [`Grad`] for each input; made from an array with `.into()`.
///
/// ```
/// use gradus_core::{Grad, Grads, Tensor};
/// let fixed: Grads = [Grad::Of(Tensor::ones([2])), Grad::Zero].into();
/// let as_many_as_inputs: Grads = (0..5).map(|_| Grad::Zero).collect();
/// ```
#[derive(Debug)]
pub struct Grads(pub(super) SmallVec<[Grad; 3]>);

impl<const N: usize> From<[Grad; N]> for Grads {
    fn from(grads: [Grad; N]) -> Self {
        // One by one: `collect` of a short list costs more than all that is in it.
        let mut list = SmallVec::new();
        grads.into_iter().for_each(|grad| list.push(grad));
        Self(list)
    }
}

impl FromIterator<Grad> for Grads {
    fn from_iter<I: IntoIterator<Item = Grad>>(grads: I) -> Self {
        Self(grads.into_iter().collect())
    }
}

/// Collects what `forward` saves.
///
/// ```
/// # use gradus_core::*;
/// # struct Op; impl Function for Op { fn name(&self) -> &'static str { "Op" }
/// # fn backward(&self, _: &Saved<'_>, g: &Tensor) -> Result<Grads> { Ok([Grad::Of(g.mul(3.0)?)].into()) }
/// # fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
/// ctx.save(x[0]);
/// x[0].mul(3.0)
/// # }}
/// # apply(Op, &[&Tensor::ones([2]).requires_grad_(true)?])?.sum(..)?.backward()?;
/// # Ok::<(), gradus_core::Error>(())
/// ```
#[derive(Default)]
pub struct Context {
    recording: bool,
    saved: SmallVec<[Tensor; 2]>,
}

impl Context {
    /// Keeps `tensor` for `backward`; nothing happens when no gradient will be asked for.
    ///
    /// ```
    /// # use gradus_core::*;
    /// # struct Op; impl Function for Op { fn name(&self) -> &'static str { "Op" }
    /// # fn backward(&self, _: &Saved<'_>, g: &Tensor) -> Result<Grads> { Ok([Grad::Of(g.mul(3.0)?)].into()) }
    /// # fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
    /// ctx.save(x[0]); // `saved.get(0)` in backward
    /// x[0].mul(3.0)
    /// # }}
    /// # apply(Op, &[&Tensor::ones([2]).requires_grad_(true)?])?.sum(..)?.backward()?;
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn save(&mut self, tensor: &Tensor) {
        if self.recording {
            self.saved.push(tensor.clone());
        }
    }

    /// Whether there will be a `backward`: work that only it needs can be left out otherwise.
    ///
    /// ```
    /// # use gradus_core::*;
    /// # struct Op; impl Function for Op { fn name(&self) -> &'static str { "Op" }
    /// # fn backward(&self, _: &Saved<'_>, g: &Tensor) -> Result<Grads> { Ok([Grad::Of(g.mul(3.0)?)].into()) }
    /// # fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
    /// if ctx.is_recording() {
    ///     ctx.save(&x[0].exp()?); // costly, and only backward wants it
    /// }
    /// x[0].mul(3.0)
    /// # }}
    /// # apply(Op, &[&Tensor::ones([2]).requires_grad_(true)?])?.sum(..)?.backward()?;
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn is_recording(&self) -> bool {
        self.recording
    }
}

/// The saved tensors of one recorded operation.
pub(super) type Saves = SmallVec<[Save; 2]>;

pub(super) struct Save {
    /// Without history if it is the operation's own result, which would hold itself alive.
    tensor: Tensor,
    pub(super) is_output: bool,
    version: u64,
}

impl Save {
    /// What was saved, unless it has changed since, and the node that made it.
    pub(super) fn value(&self) -> Option<(Option<Arc<Node>>, Tensor)> {
        let unchanged = self.tensor.version() == self.version;
        unchanged.then(|| (self.tensor.node(), self.tensor.detach()))
    }
}

pub(super) fn save(tensor: Tensor, is_output: bool) -> Save {
    Save {
        version: tensor.version(),
        is_output,
        tensor: if is_output {
            tensor.with_node(None)
        } else {
            tensor
        },
    }
}

/// Saved tensors, as `backward` sees them.
///
/// ```
/// # use gradus_core::*;
/// # struct Op; impl Function for Op { fn name(&self) -> &'static str { "Op" }
/// # fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> { ctx.save(x[0]); x[0].mul(3.0) }
/// # fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
/// let x = saved.get(0)?;
/// Ok([saved.grad(0, || x.ones_like()?.mul(3.0)?.mul(grad))?].into())
/// # }}
/// # apply(Op, &[&Tensor::ones([2]).requires_grad_(true)?])?.sum(..)?.backward()?;
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub struct Saved<'a> {
    pub(super) node: &'a Arc<Node>,
    pub(super) operation: &'a Operation,
}

impl Saved<'_> {
    /// The tensor that was saved as number `i`.
    ///
    /// # Errors
    /// If it was changed in place since, which would make the gradient wrong.
    ///
    /// ```
    /// # use gradus_core::*;
    /// # struct Op; impl Function for Op { fn name(&self) -> &'static str { "Op" }
    /// # fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> { ctx.save(x[0]); x[0].mul(3.0) }
    /// # fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
    /// assert_eq!(saved.get(0)?.to_vec::<f32>()?, [1.0, 1.0]);
    /// assert!(saved.get(1).is_err());
    /// # Ok([Grad::Of(grad.mul(3.0)?)].into())
    /// # }}
    /// # apply(Op, &[&Tensor::ones([2]).requires_grad_(true)?])?.sum(..)?.backward()?;
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn get(&self, i: usize) -> Result<Tensor> {
        let name = self.operation.function.name();
        let save = (self.operation.saves.get(i)).ok_or_else(|| {
            err!(
                Autograd,
                "{name}: backward asks for saved tensor {i}, forward did not save it"
            )
        })?;
        let version = save.tensor.version();
        if version != save.version {
            return Err(err!(
                Autograd,
                "one of the variables needed for gradient computation has been modified by an inplace operation: \
                 saved tensor {i} of {name}, of shape {:?}, is at version {version}; expected version {} instead. \
                 Change a copy, or call backward before the change",
                save.tensor.shape(),
                save.version
            ));
        }
        Ok(if save.is_output {
            save.tensor.with_node(Some(self.node.clone()))
        } else {
            save.tensor.clone()
        })
    }

    /// The number of inputs.
    ///
    /// ```
    /// # use gradus_core::*;
    /// # struct Op; impl Function for Op { fn name(&self) -> &'static str { "Op" }
    /// # fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> { ctx.save(x[0]); x[0].mul(3.0) }
    /// # fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
    /// assert_eq!(saved.inputs(), 1);
    /// # Ok([Grad::Of(grad.mul(3.0)?)].into())
    /// # }}
    /// # apply(Op, &[&Tensor::ones([2]).requires_grad_(true)?])?.sum(..)?.backward()?;
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn inputs(&self) -> usize {
        self.operation.inputs.len()
    }

    /// Whether input `i` wants a gradient.
    ///
    /// ```
    /// # use gradus_core::*;
    /// # struct Op; impl Function for Op { fn name(&self) -> &'static str { "Op" }
    /// # fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> { ctx.save(x[0]); x[0].mul(3.0) }
    /// # fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
    /// assert!(saved.needs(0) && !saved.needs(1));
    /// # Ok([Grad::Of(grad.mul(3.0)?)].into())
    /// # }}
    /// # apply(Op, &[&Tensor::ones([2]).requires_grad_(true)?])?.sum(..)?.backward()?;
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn needs(&self, i: usize) -> bool {
        self.operation.inputs.get(i).is_some_and(Option::is_some)
    }

    /// The shape of input `i`, which its gradient will have.
    ///
    /// # Errors
    /// If that input wants no gradient: nothing is known of it then.
    ///
    /// ```
    /// # use gradus_core::*;
    /// # struct Op; impl Function for Op { fn name(&self) -> &'static str { "Op" }
    /// # fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> { ctx.save(x[0]); x[0].mul(3.0) }
    /// # fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
    /// assert_eq!(saved.input_shape(0)?, [2]);
    /// # Ok([Grad::Of(grad.mul(3.0)?)].into())
    /// # }}
    /// # apply(Op, &[&Tensor::ones([2]).requires_grad_(true)?])?.sum(..)?.backward()?;
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn input_shape(&self, i: usize) -> Result<&[usize]> {
        let node = self.operation.inputs.get(i).and_then(Option::as_ref);
        node.map(|node| node.shape.as_slice()).ok_or_else(|| {
            err!(
                Autograd,
                "{}: backward asks for the shape of input {i}, which wants no gradient",
                self.node.name()
            )
        })
    }

    /// The gradient of input `i`, computed only if it is wanted.
    ///
    /// # Errors
    /// Those of `gradient`.
    ///
    /// ```
    /// # use gradus_core::*;
    /// # struct Op; impl Function for Op { fn name(&self) -> &'static str { "Op" }
    /// # fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> { ctx.save(x[0]); x[0].mul(3.0) }
    /// # fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
    /// Ok([saved.grad(0, || grad.mul(3.0))?].into())
    /// # }}
    /// # apply(Op, &[&Tensor::ones([2]).requires_grad_(true)?])?.sum(..)?.backward()?;
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn grad(&self, i: usize, gradient: impl FnOnce() -> Result<Tensor>) -> Result<Grad> {
        if self.needs(i) {
            gradient().map(Grad::Of)
        } else {
            Ok(Grad::Zero)
        }
    }
}

/// Runs `function` on `inputs` and records it if a gradient may be asked for: when an input
/// requires one, recording is on (see [`no_grad`](crate::no_grad)), and the result is floating point.
///
/// # Errors
/// Those of `function.forward`.
///
/// ```
/// use gradus_core::{Context, Function, Grad, Grads, Result, Saved, Tensor, apply};
///
/// /// 3·x
/// struct Triple;
/// impl Function for Triple {
///     fn name(&self) -> &'static str {
///         "Triple"
///     }
///     fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
///         x[0].mul(3.0)
///     }
///     fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
///         Ok([Grad::Of(grad.mul(3.0)?)].into())
///     }
/// }
/// let x = Tensor::ones([2]).requires_grad_(true)?;
/// assert_eq!(apply(Triple, &[&x])?.grad_fn().unwrap().name(), "Triple");
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn apply<F: Function>(function: F, inputs: &[&Tensor]) -> Result<Tensor> {
    let mut ctx = Context::default();
    let output = compute(&function, &mut ctx, inputs)?;
    if !ctx.recording {
        return Ok(output);
    }
    record(Box::new(function), &mut ctx, output, inputs)
}

/// The result of `forward`, not recorded; whether it is to be is left in `ctx`.
fn compute(function: &dyn Function, ctx: &mut Context, inputs: &[&Tensor]) -> Result<Tensor> {
    ctx.recording = is_grad_enabled() && inputs.iter().any(|t| t.requires_grad());
    let output = if ctx.recording {
        no_grad(|| function.forward(ctx, inputs))
    } else {
        function.forward(ctx, inputs)
    }?;
    ctx.recording &= output.dtype().is_float();
    Ok(as_view(output, inputs))
}

/// The result with its place in the graph.
fn record(
    function: Box<dyn Function>,
    ctx: &mut Context,
    mut output: Tensor,
    inputs: &[&Tensor],
) -> Result<Tensor> {
    let saved = ctx.saved.iter().filter(|t| t.is_same(&output)).count();
    if output.handles() > 1 + saved {
        // Kept by the function: its own history must not be rewritten.
        output = output.with_node(None);
    }
    let mut saves = Saves::new();
    for tensor in ctx.saved.drain(..) {
        if tensor.is_inference() {
            return Err(err!(
                Autograd,
                "{}: inference tensors cannot be saved for backward: this one, of shape {:?}, was made in \
                 inference_mode. Make a copy outside of it",
                function.name(),
                tensor.shape()
            ));
        }
        let is_output = tensor.is_same(&output);
        saves.push(save(tensor, is_output));
    }
    let mut nodes = SmallVec::new();
    inputs.iter().for_each(|input| nodes.push(input.node()));
    let operation = Operation {
        function,
        inputs: nodes,
        saves,
    };
    output.set_node(Some(Node::new(&output, Some(operation))));
    Ok(output)
}

/// A result that shares memory with an input is a view of it, also where it is the input itself.
fn as_view(output: Tensor, inputs: &[&Tensor]) -> Tensor {
    match inputs.iter().find(|x| x.shares_memory(&output)) {
        Some(base) => output.with_origin(base.origin_of_views(is_grad_enabled())),
        None => output,
    }
}
