//! The cases that the generic tests run every operation on.

use crate::dtype::DType;
use crate::error::Result;
use crate::tensor::Tensor;

/// One call of an operation, with inputs that suit it.
///
/// ```
/// let case = &gradus_core::ops::ALL[0][0];
/// let x = case.inputs[0].tensor(0, gradus_core::DType::F64)?;
/// assert!((case.run)(&[x]).is_ok());
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub struct Case {
    /// The [`Function::name`](crate::Function::name) that the call records.
    pub op: &'static str,
    /// What goes in.
    pub inputs: &'static [Input],
    /// The call.
    pub run: fn(&[Tensor]) -> Result<Tensor>,
}

/// One input of a case: its shape and the open interval of its values.
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
}

impl Case {
    pub(super) const fn new(
        op: &'static str,
        inputs: &'static [Input],
        run: fn(&[Tensor]) -> Result<Tensor>,
    ) -> Self {
        Self { op, inputs, run }
    }
}

impl Input {
    /// Values of both signs.
    pub(super) const fn real(shape: &'static [usize]) -> Self {
        Self {
            shape,
            range: (-2.0, 2.0),
        }
    }

    /// Values well above 0.
    pub(super) const fn positive(shape: &'static [usize]) -> Self {
        Self {
            shape,
            range: (0.2, 3.0),
        }
    }

    /// The input as a tensor: values spread over the range, no two alike and none at its middle,
    /// so that no case sits on a kink or a tie.
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
        let values: Vec<f64> = (1..=n)
            .map(|i| low + (high - low) * ((i + 31 * seed) as f64 * 0.618_033_988_749_895).fract())
            .collect();
        Tensor::from_vec(values, self.shape)?.to_dtype(dtype)
    }
}
