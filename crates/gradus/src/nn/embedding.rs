//! Numbers into vectors.

use super::scope::located;
use super::{Layer, Module, Parameter, constant_parameter, init};
use crate::{Error, Kind, Result, Tensor};

/// A table with a learned row for each of `n` numbers, such as those of words. Shapes: input
/// integers [..], result [.., dim].
///
/// As in PyTorch, rows begin normal with mean 0 and deviation 1.
#[derive(Module)]
pub struct Embedding {
    /// The table, [n, dim].
    pub weight: Parameter,
    padding: Option<usize>,
}

impl Embedding {
    /// A table of `n` rows of `dim` numbers.
    ///
    /// # Errors
    /// If there is no memory for it.
    ///
    /// ```
    /// use gradus::nn::{Embedding, Layer};
    /// use gradus::Tensor;
    /// let words = Embedding::new(1000, 16)?;
    /// let sentences = Tensor::from([[5, 999, 0], [7, 7, 0]]);
    /// assert_eq!(words.forward(&sentences)?.shape(), [2, 3, 16]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new(n: usize, dim: usize) -> Result<Self> {
        let weight = constant_parameter([n, dim], 0.0)?;
        init::normal_(&weight, 0.0, 1.0)?;
        Ok(Self {
            weight,
            padding: None,
        })
    }

    /// With a number that stands for nothing (PyTorch's `padding_idx`): its row is set to 0 and
    /// gets no gradient, so that it stays 0.
    ///
    /// # Errors
    /// If the table has no such row.
    ///
    /// ```
    /// # use gradus::nn::{Embedding, Layer};
    /// # use gradus::Tensor;
    /// let words = Embedding::new(10, 3)?.padding(0)?;
    /// assert_eq!(words.forward(&Tensor::from([0]))?.to_vec::<f32>()?, [0.0; 3]);
    /// assert!(Embedding::new(10, 3)?.padding(10).is_err());
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn padding(mut self, number: usize) -> Result<Self> {
        let rows = self.weight.shape()[0];
        if number >= rows {
            let message = format!(
                "Embedding: Padding_idx must be within num_embeddings, got {number} with {rows} rows"
            );
            return Err(Error::new(Kind::Value, message));
        }
        init::constant_(&self.weight.select(0, number as isize)?.detach(), 0.0)?;
        self.padding = Some(number);
        Ok(self)
    }
}

impl Layer for Embedding {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let look_up = || {
            let flat = x.flatten(0, -1)?;
            let (mut shape, dim) = (x.shape().to_vec(), self.weight.shape()[1]);
            shape.push(dim);
            let rows = self.weight.index_select(0, &flat)?;
            let rows = match self.padding {
                None => rows,
                // The row of the padding as it is, but without a way back for its gradient.
                Some(padding) => {
                    let padded = flat.eq(padding as i64)?.unsqueeze(1)?;
                    padded.where_cond(&rows.detach(), &rows)?
                }
            };
            rows.reshape(&shape[..])
        };
        look_up().map_err(|e: Error| e.at(located(self)))
    }

    fn describe(&self) -> String {
        format!(
            "Embedding({}, {})",
            self.weight.shape()[0],
            self.weight.shape()[1]
        )
    }
}
