//! The layer that does nothing.

use super::{Layer, Module};
use crate::{Result, Tensor};

/// Returns its input: a place to hold free, such as the shortcut of a residual block that needs
/// none.
#[derive(Clone, Copy, Debug, Default, Module)]
pub struct Identity;

impl Layer for Identity {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.clone())
    }
}
