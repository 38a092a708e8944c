//! What a module is: a tree whose leaves are parameters, buffers and modes.

use crate::{Activation, Error, Kind, Operand, Result, Tensor, no_grad};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tensors by path, such as `0.weight`: what a module saves and loads.
pub type StateDict = BTreeMap<String, Tensor>;

/// Tensors of its own: those of a state go on to change with what they were taken from.
pub(crate) fn copied(state: &StateDict) -> Result<StateDict> {
    let copies = state.iter().map(|(name, tensor)| {
        let own = tensor.zeros_like()?;
        own.copy_(tensor)?;
        Ok((name.clone(), own))
    });
    copies.collect()
}

/// A leaf of a module's tree.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// A tensor that an optimizer changes.
    Parameter(&'a Parameter),
    /// A tensor that belongs to the state but is not learned, such as a running mean.
    Buffer(&'a Buffer),
    /// The switch between training and evaluation.
    Mode(&'a Mode),
    /// A [`Lazy`](super::Lazy) layer that has seen no input.
    Unmade,
}

/// A tree of parameters. Derive it: `#[derive(Module)]` visits the fields of a struct.
///
/// ```
/// use gradus::nn::{self, Layer, Module};
/// use gradus::{Result, Tensor};
///
/// #[derive(Module)]
/// struct Net {
///     hidden: nn::Linear,
///     out: nn::Linear,
///     #[module(skip)]
///     label: std::time::Duration,
/// }
///
/// impl Layer for Net {
///     fn forward(&self, x: &Tensor) -> Result<Tensor> {
///         self.out.forward(&self.hidden.forward(x)?.relu()?)
///     }
/// }
///
/// let (hidden, out) = (nn::Linear::new(4, 3)?, nn::Linear::new(3, 2)?);
/// let net = Net { hidden, out, label: Default::default() };
/// let names: Vec<_> = net.named_parameters().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["hidden.weight", "hidden.bias", "out.weight", "out.bias"]);
/// assert_eq!(net.num_parameters(), 4 * 3 + 3 + 3 * 2 + 2);
/// # Ok::<(), gradus::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a module",
    note = "derive it with #[derive(Module)], or mark a field of this type with #[module(skip)]"
)]
pub trait Module: Send + Sync {
    /// Calls `f` with every leaf of this tree and its path below `path`.
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, Part<'_>));

    /// Every parameter with its path, in the order of declaration; one that occurs twice (tied
    /// weights) under its first path.
    ///
    /// # Panics
    /// If a [`Lazy`](super::Lazy) layer has no parameters yet: an optimizer would never change them.
    fn named_parameters(&self) -> Vec<(String, Parameter)> {
        let mut found: Vec<(String, Parameter)> = Vec::new();
        self.visit("", &mut |path, part| match part {
            Part::Parameter(p) if !found.iter().any(|(_, seen)| seen.is_same(p)) => {
                found.push((path.to_string(), p.clone().named(path)));
            }
            Part::Unmade => panic!(
                "the lazy layer '{path}' has no parameters yet: pass a batch through the model first"
            ),
            Part::Parameter(_) | Part::Buffer(_) | Part::Mode(_) => {}
        });
        found
    }

    /// Every parameter, each knowing its path: what an optimizer takes.
    fn parameters(&self) -> Vec<Parameter> {
        self.named_parameters()
            .into_iter()
            .map(|(_, p)| p)
            .collect()
    }

    /// The number of numbers in all parameters.
    fn num_parameters(&self) -> usize {
        self.named_parameters().iter().map(|(_, p)| p.numel()).sum()
    }

    /// Parameters and buffers by path. The tensors are the module's own, without history: copy one
    /// to keep its present values. A [`Lazy`](super::Lazy) layer has none before its first input.
    fn state_dict(&self) -> StateDict {
        let mut state = StateDict::new();
        self.visit("", &mut |path, part| match part {
            Part::Parameter(p) => drop(state.insert(path.to_string(), p.detach())),
            Part::Buffer(b) => drop(state.insert(path.to_string(), b.detach())),
            Part::Mode(_) | Part::Unmade => {}
        });
        state
    }

    /// Overwrites parameters and buffers with the tensors of the same path.
    ///
    /// # Errors
    /// If a path is missing or not known, or a shape differs; then nothing is changed.
    fn load_state_dict(&self, state: &StateDict) -> Result<()> {
        let own = self.state_dict();
        let mut problems = Vec::new();
        for (path, tensor) in &own {
            match state.get(path) {
                None => problems.push(format!("'{path}' is missing")),
                Some(t) if t.shape() != tensor.shape() => problems.push(format!(
                    "'{path}' has shape {:?}, the module needs {:?}",
                    t.shape(),
                    tensor.shape()
                )),
                Some(_) => {}
            }
        }
        problems.extend(
            state
                .keys()
                .filter(|path| !own.contains_key(*path))
                .map(|p| format!("'{p}' is not known")),
        );
        if !problems.is_empty() {
            return Err(Error::new(
                Kind::Data,
                format!(
                    "the saved state does not fit this module: {}",
                    problems.join("; ")
                ),
            ));
        }
        no_grad(|| {
            own.iter()
                .try_for_each(|(path, tensor)| tensor.copy_(&state[path]))
        })
    }

    /// Switches every layer that behaves differently then (dropout, batch normalisation) to
    /// training (`true`) or evaluation.
    fn train(&self, training: bool) {
        self.visit("", &mut |_, part| {
            if let Part::Mode(mode) = part {
                mode.set_training(training);
            }
        });
    }

    /// Switches to evaluation: `train(false)`.
    fn eval(&self) {
        self.train(false);
    }

    /// Clears the gradient of every parameter.
    fn zero_grad(&self) {
        self.visit("", &mut |_, part| {
            if let Part::Parameter(p) = part {
                // Not `p.zero_grad()`: a parameter is a module too, and would come here again.
                Tensor::zero_grad(p);
            }
        });
    }
}

/// A module that maps one tensor to another.
pub trait Layer: Module {
    /// The result for the input `x`.
    ///
    /// # Errors
    /// If the input does not fit; messages name the layer.
    fn forward(&self, x: &Tensor) -> Result<Tensor>;

    /// The activation that this layer is, if it is one that the layer before it may compute.
    fn activation(&self) -> Option<Activation> {
        None
    }

    /// `forward`, and the activation on its result. A layer that can do both in one pass over the
    /// result overrides this; [`Sequential`](super::Sequential) calls it for a layer with an
    /// activation behind it.
    ///
    /// # Errors
    /// As [`forward`](Layer::forward).
    ///
    /// ```
    /// use gradus::nn::{Layer, Linear, Relu};
    /// use gradus::{Activation, Tensor};
    /// let (layer, x) = (Linear::new(3, 2)?, Tensor::ones([5, 3]));
    /// let (one, two) = (layer.forward_then(&x, Activation::Relu)?, Relu.forward(&layer.forward(&x)?)?);
    /// assert_eq!(one.to_vec::<f32>()?, two.to_vec::<f32>()?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    fn forward_then(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        activation.of(&self.forward(x)?)
    }

    /// Multiplications, each with an addition, that turn an input of one shape into an output of the
    /// other, without those of layers that are part of it: what [`summary`](super::summary()) adds up.
    /// 0 unless a layer says otherwise; linear layers and convolutions do.
    fn multiply_adds(&self, _input: &[usize], _output: &[usize]) -> u64 {
        0
    }

    /// One word or so for messages and summaries, such as `Linear(784→128)`.
    fn describe(&self) -> String {
        let name = std::any::type_name::<Self>();
        name.rsplit("::").next().unwrap_or(name).to_string()
    }
}

/// The path of a field below `path`.
#[doc(hidden)]
pub fn join(path: &str, field: &str) -> String {
    if path.is_empty() {
        field.to_string()
    } else {
        format!("{path}.{field}")
    }
}

/// A tensor that an optimizer changes. It dereferences to the [`Tensor`].
///
/// ```
/// use gradus::{Tensor, nn::Parameter};
/// let w = Parameter::new(Tensor::zeros([2, 3]))?;
/// assert!(w.requires_grad() && w.is_leaf());
/// w.freeze();
/// assert!(!w.requires_grad());
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Parameter {
    tensor: Tensor,
    name: Option<Arc<str>>,
}

impl Parameter {
    /// A parameter with the values of `tensor`, which gets a gradient from now on.
    ///
    /// # Errors
    /// If the dtype is not floating point.
    pub fn new(tensor: Tensor) -> Result<Self> {
        Ok(Self {
            tensor: tensor.detach().requires_grad_(true)?,
            name: None,
        })
    }

    /// The same parameter, knowing its path.
    fn named(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Its path in the module it was taken from, if it was taken from one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// No gradient is computed any more and optimizers pass it over.
    pub fn freeze(&self) {
        self.set_requires_grad(false);
    }

    /// Undoes [`freeze`](Parameter::freeze).
    pub fn unfreeze(&self) {
        self.set_requires_grad(true);
    }

    fn set_requires_grad(&self, requires_grad: bool) {
        // Can fail for results of operations and for integers; a parameter is neither.
        let _ = self.tensor.clone().requires_grad_(requires_grad);
    }
}

impl Deref for Parameter {
    type Target = Tensor;
    fn deref(&self) -> &Tensor {
        &self.tensor
    }
}

impl AsRef<Tensor> for Parameter {
    fn as_ref(&self) -> &Tensor {
        &self.tensor
    }
}

/// A parameter stands on the right of an operation as its tensor does: `x.mul(&parameter)`.
impl<'a> From<&'a Parameter> for Operand<'a> {
    fn from(parameter: &'a Parameter) -> Self {
        Self::Tensor(parameter)
    }
}

/// A tensor that is part of a module's state but not learned. It dereferences to the [`Tensor`].
#[derive(Clone, Debug)]
pub struct Buffer(Tensor);

impl Buffer {
    /// A buffer with the values of `tensor`, without history.
    pub fn new(tensor: &Tensor) -> Self {
        Self(tensor.detach())
    }
}

impl Deref for Buffer {
    type Target = Tensor;
    fn deref(&self) -> &Tensor {
        &self.0
    }
}

/// Whether a layer is training. New layers are.
#[derive(Debug)]
pub struct Mode(AtomicBool);

impl Mode {
    /// Whether the layer is training.
    pub fn is_training(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn set_training(&self, training: bool) {
        self.0.store(training, Ordering::Relaxed);
    }
}

impl Default for Mode {
    fn default() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl Module for Parameter {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, Part<'_>)) {
        f(path, Part::Parameter(self));
    }
}

impl Module for Buffer {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, Part<'_>)) {
        f(path, Part::Buffer(self));
    }
}

impl Module for Mode {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, Part<'_>)) {
        f(path, Part::Mode(self));
    }
}

impl<M: Module> Module for Vec<M> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, Part<'_>)) {
        for (i, module) in self.iter().enumerate() {
            module.visit(&join(path, &i.to_string()), f);
        }
    }
}

impl<M: Module> Module for Option<M> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, Part<'_>)) {
        if let Some(module) = self {
            module.visit(path, f);
        }
    }
}

impl<M: Module + ?Sized> Module for Box<M> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, Part<'_>)) {
        (**self).visit(path, f);
    }
}

impl<L: Layer + ?Sized> Layer for Box<L> {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        (**self).forward(x)
    }
    fn activation(&self) -> Option<Activation> {
        (**self).activation()
    }
    fn forward_then(&self, x: &Tensor, activation: Activation) -> Result<Tensor> {
        (**self).forward_then(x, activation)
    }
    fn multiply_adds(&self, input: &[usize], output: &[usize]) -> u64 {
        (**self).multiply_adds(input, output)
    }
    fn describe(&self) -> String {
        (**self).describe()
    }
}

/// Settings beside the parameters: no leaves.
macro_rules! no_parts {
    ($($t:ty),+) => {$(
        impl Module for $t {
            fn visit(&self, _: &str, _: &mut dyn FnMut(&str, Part<'_>)) {}
        }
    )+};
}
no_parts!(
    bool,
    u8,
    u16,
    u32,
    u64,
    usize,
    i8,
    i16,
    i32,
    i64,
    isize,
    f32,
    f64,
    String,
    &'static str,
    ()
);
