//! The cases that the generic tests run every operation on.

use crate::dtype::DType;
use crate::error::Result;
use crate::tensor::Tensor;

/// One call of an operation, with inputs that suit it, and the same call in PyTorch.
///
/// ```
/// let case = &gradus_core::ops::ALL[0][0];
/// let x = case.inputs[0].tensor(0, gradus_core::DType::F64)?;
/// assert!((case.run)(&[x]).is_ok());
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub struct Case {
    /// The [`Function::name`](crate::Function::name) that the call records; for operations without
    /// gradients the method.
    pub op: &'static str,
    /// What goes in.
    pub inputs: &'static [Input],
    /// The call.
    pub run: fn(&[Tensor]) -> Result<Tensor>,
    /// The same call as a Python expression of `x`, a list of PyTorch tensors; empty if PyTorch has
    /// nothing like it.
    pub torch: &'static str,
    /// How often the call can be differentiated.
    pub order: Order,
}

/// How often an operation can be differentiated.
///
/// ```
/// use gradus_core::ops::Order;
/// assert!(Order::None < Order::First && Order::First < Order::Any);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// Never: comparisons, positions, integers.
    None,
    /// Once: the gradient is not recorded.
    First,
    /// Twice and more: the gradient is made of recorded operations.
    Any,
}

/// One input of a case: its shape, its kind and the open interval of its values.
///
/// ```
/// let input = &gradus_core::ops::ALL[0][0].inputs[0];
/// assert!(input.range.0 < input.range.1);
/// ```
pub struct Input {
    /// The sizes.
    pub shape: &'static [usize],
    /// Values lie between these.
    pub range: (f64, f64),
    /// Integers and bools keep their dtype whatever floating dtype a test asks for.
    pub dtype: Option<DType>,
}

impl Case {
    pub(super) const fn new(
        op: &'static str,
        inputs: &'static [Input],
        run: fn(&[Tensor]) -> Result<Tensor>,
    ) -> Self {
        Self {
            op,
            inputs,
            run,
            torch: "",
            order: Order::Any,
        }
    }

    /// What tells this case from all others: operation, PyTorch call, shapes and ranges.
    ///
    /// ```
    /// let case = &gradus_core::ops::ALL[0][0];
    /// assert_eq!(case.key(), "neg | -x[0] | [2, 3] -2..2");
    /// ```
    pub fn key(&self) -> String {
        let input = |i: &Input| format!("{:?} {}..{}", i.shape, i.range.0, i.range.1);
        let inputs: Vec<String> = self.inputs.iter().map(input).collect();
        format!("{} | {} | {}", self.op, self.torch, inputs.join(", "))
    }

    /// The same call in PyTorch.
    pub(super) const fn torch(mut self, expression: &'static str) -> Self {
        self.torch = expression;
        self
    }

    /// For operations whose gradient is not recorded.
    pub(super) const fn once(mut self) -> Self {
        self.order = Order::First;
        self
    }

    /// For operations without gradients.
    pub(super) const fn constant(mut self) -> Self {
        self.order = Order::None;
        self
    }
}

impl Input {
    /// Values of both signs.
    pub(super) const fn real(shape: &'static [usize]) -> Self {
        Self {
            shape,
            range: (-2.0, 2.0),
            dtype: None,
        }
    }

    /// Values well above 0.
    pub(super) const fn positive(shape: &'static [usize]) -> Self {
        Self::within(shape, 0.2, 3.0)
    }

    /// Values between `low` and `high`.
    pub(super) const fn within(shape: &'static [usize], low: f64, high: f64) -> Self {
        Self {
            shape,
            range: (low, high),
            dtype: None,
        }
    }

    /// Integers (i64) from `low` to `high − 1`.
    pub(super) const fn integers(shape: &'static [usize], low: i64, high: i64) -> Self {
        Self {
            shape,
            range: (low as f64, high as f64),
            dtype: Some(DType::I64),
        }
    }

    /// Bools, about as many of each.
    pub(super) const fn bools(shape: &'static [usize]) -> Self {
        Self {
            shape,
            range: (0.0, 2.0),
            dtype: Some(DType::Bool),
        }
    }

    /// The input as a tensor: values spread over the range, no two alike and none at its middle,
    /// so that no case sits on a kink or a tie. `dtype` is for inputs that are no integers or bools.
    ///
    /// # Errors
    /// If there is no memory for it.
    ///
    /// ```
    /// let input = &gradus_core::ops::ALL[0][0].inputs[0];
    /// assert_eq!(input.tensor(0, gradus_core::DType::F32)?.shape(), input.shape);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tensor(&self, seed: usize, dtype: DType) -> Result<Tensor> {
        let (low, high) = self.range;
        let n = self.shape.iter().product();
        // Multiples of the golden ratio modulo 1 never fall close together.
        let values = (1..=n)
            .map(|i| low + (high - low) * ((i + 31 * seed) as f64 * 0.618_033_988_749_895).fract());
        let values: Vec<f64> = match self.dtype {
            None => values.collect(),
            Some(_) => values.map(f64::floor).collect(),
        };
        Tensor::from_vec(values, self.shape)?.to_dtype(self.dtype.unwrap_or(dtype))
    }
}
