//! Comparisons: bool tensors, without gradients. NaN equals nothing, not even itself.

use super::binary::broadcast;
use super::{Operand, promoted};
use crate::dtype::dispatch;
use crate::error::Result;
use crate::kernels::map::{self, Cost};
use crate::tensor::Tensor;

/// Declares comparison methods: the name, the Rust operator, the example's result for
/// `[1, 2, 3]` against 2.
macro_rules! comparisons {
    ($($name:ident $op:tt $doc:literal $example:literal),+) => {
        impl Tensor {$(
            #[doc = $doc]
            ///
            /// # Errors
            /// If the shapes do not broadcast.
            ///
            /// ```
            /// # use gradus_core::Tensor;
            #[doc = concat!("let x = Tensor::from([1, 2, 3]).", stringify!($name), "(2)?;")]
            #[doc = concat!("assert_eq!(x.to_vec::<bool>()?, ", $example, ");")]
            /// # Ok::<(), gradus_core::Error>(())
            /// ```
            pub fn $name<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
                let (a, b) = promoted(&self.detach(), other.into()).map(|(a, b)| (a, b.detach()))?;
                dispatch!(a.dtype(), T => {
                    broadcast(stringify!($name), &[&a, &b], |a, b| map::zip(a, b, Cost::Low, |a: T, b: T| a $op b))
                })
            }
        )+}
    };
}

comparisons!(
    eq == "Where both are equal." "[false, true, false]",
    ne != "Where they differ." "[true, false, true]",
    lt < "Where this is less than `other`." "[true, false, false]",
    le <= "Where this is at most `other`." "[true, true, false]",
    gt > "Where this is greater than `other`." "[false, false, true]",
    ge >= "Where this is at least `other`." "[false, true, true]"
);
