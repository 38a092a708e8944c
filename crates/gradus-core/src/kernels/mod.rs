//! Loops over memory. No gradients, no tensors: slices and layouts in, buffers out.
//!
//! Most kernels are plain loops that the compiler vectorises; [`vectorize`] compiles them for several
//! instruction sets and picks the best one at run time. Products of narrow matrices and convolutions
//! hold their results in registers, and are written with explicit vectors ([`simd`]). Work above a size is cut into chunks by
//! [`parallel`], whose boundaries depend on the size alone, never on the number of threads: results
//! are the same bits on one thread and on many.

pub(crate) mod average;
pub(crate) mod bounds;
pub(crate) mod channels;
pub(crate) mod conv;
mod dots;
pub(crate) mod folds;
pub(crate) mod gather;
pub(crate) mod map;
pub mod math;
pub(crate) mod matmul;
pub(crate) mod nearest;
pub(crate) mod normalize;
pub mod parallel;
pub(crate) mod pool;
pub(crate) mod reduce;
pub(crate) mod rows;
pub(crate) mod scan;
pub(crate) mod simd;
pub(crate) mod sort;
pub(crate) mod triangle;
pub(crate) mod update;
pub(crate) mod windows;

use crate::dtype::Element;
use crate::shape::Layout;
use crate::storage::Buffer;

/// A loop that [`vectorize`] runs. Closures are such; but one with much in it (an exponential is
/// enough) would stay a function of its own, compiled for the oldest processor. A struct whose `call`
/// is `#[inline(always)]`, and so is what it calls, does not.
pub use pulp::NullaryFnOnce as Loop;

/// Runs `f` compiled for the widest vectors this processor has. The results are the same for all of
/// them: nothing is fused, and sums keep the order that the loop gives them.
///
/// ```
/// use gradus_core::compute::{Loop, vectorize};
/// struct Squares<'a>(&'a [f32]);
/// impl Loop for Squares<'_> {
///     type Output = f32;
///     #[inline(always)]
///     fn call(self) -> f32 {
///         self.0.iter().map(|x| x * x).sum()
///     }
/// }
/// assert_eq!(vectorize(Squares(&[3.0, 4.0])), 25.0);
/// ```
#[inline(always)]
pub fn vectorize<L: Loop>(f: L) -> L::Output {
    pulp::Arch::new().dispatch(f)
}

/// [`vectorize`] for a loop over elements of these types. If none of them is a floating point number, no
/// training step waits for the loop, and once compiled is enough.
#[inline(always)]
pub(crate) fn vectorize_floats<A: Element, B: Element, C: Element, L: Loop>(f: L) -> L::Output {
    if const { A::DTYPE.is_float() || B::DTYPE.is_float() || C::DTYPE.is_float() } {
        vectorize(f)
    } else {
        f.call()
    }
}

/// An operand: the elements of a storage and where the tensor's lie among them.
#[derive(Clone, Copy)]
pub(crate) struct View<'a, T> {
    pub data: &'a [T],
    pub layout: &'a Layout,
}

/// What a kernel has made element by element: without gaps, in the order in memory of what it was
/// made of. So what lies in another order than row-major, such as a picture whose channels lie side
/// by side, is worked through as memory has it, and stays that way.
pub(crate) struct Dense {
    pub buffer: Buffer,
    pub layout: Layout,
}

impl<'a, T: Element> View<'a, T> {
    pub(crate) fn new(data: &'a [T], layout: &'a Layout) -> Self {
        Self { data, layout }
    }

    /// The elements as one slice, when they lie row-major without gaps.
    pub(crate) fn as_slice(&self) -> Option<&'a [T]> {
        self.layout
            .is_contiguous()
            .then(|| &self.data[self.layout.offset..self.layout.offset + self.layout.numel()])
    }
}
