//! Sizes of windows: one number for all dimensions, or one for each.

use super::Layer;
use super::scope::located;
use crate::{Error, Kind, Result, Tensor};

/// A size for each of `N` dimensions: `3` means `[3, 3]` where two are needed.
///
/// ```
/// use gradus::nn::Sizes;
/// assert_eq!(Sizes::<2>::sizes(3), Sizes::<2>::sizes([3, 3]));
/// ```
pub trait Sizes<const N: usize> {
    /// The sizes one by one.
    fn sizes(self) -> [usize; N];
}

impl<const N: usize> Sizes<N> for usize {
    fn sizes(self) -> [usize; N] {
        [self; N]
    }
}

impl<const N: usize> Sizes<N> for [usize; N] {
    fn sizes(self) -> [usize; N] {
        self
    }
}

/// `3×5`.
pub(super) fn times(sizes: &[usize]) -> String {
    let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
    sizes.join("×")
}

/// `, stride 2×2`, or nothing for what goes without saying.
pub(super) fn unless<const N: usize>(name: &str, sizes: [usize; N], usual: usize) -> String {
    if sizes == [usual; N] {
        String::new()
    } else {
        format!(", {name} {}", times(&sizes))
    }
}

/// That `x` has `N` dimensions after that of its channels, with or without one for the batch, and
/// `expected` channels.
pub(super) fn expect_channels<const N: usize>(
    layer: &impl Layer,
    x: &Tensor,
    expected: usize,
) -> Result<()> {
    let (places, shape) = (&["height", "width"][2 - N..], x.shape());
    let channels = shape.len().checked_sub(N + 1).map(|at| shape[at]);
    let message = match channels {
        Some(channels) if shape.len() <= N + 2 => {
            if channels == expected {
                return Ok(());
            }
            format!(
                "got {channels} channels in an input of shape {shape:?}, expected {expected}; change \
                 the layer's channels or the data"
            )
        }
        _ => format!(
            "got an input of shape {shape:?}, expected [n, {expected}, {0}] or [{expected}, {0}]; \
             reshape it or insert a dimension with unsqueeze",
            places.join(", ")
        ),
    };
    let message = format!("{}: {message}", located(layer));
    Err(Error::new(Kind::Shape, message))
}
