//! Matrices with one side of a diagonal set to 0.

use super::parallel;
use crate::dtype::Element;
use crate::error::Result;
use crate::storage::Buffer;

/// The `rows × cols` matrices in `x`, one after the other, with 0 below the diagonal that begins
/// `offset` columns to the right of the main one if `upper`, else above it.
pub(crate) fn triangle<T: Element>(
    x: &[T],
    (rows, cols): (usize, usize),
    offset: isize,
    upper: bool,
) -> Result<Buffer> {
    let zero = T::default();
    // The diagonal belongs to what is kept: in an upper triangle to the right part of a row.
    let offset = offset.saturating_add(isize::from(!upper));
    Buffer::build(x.len(), |out| {
        parallel::fill_rows(out, cols, |start, out| {
            let x = x[start..].chunks_exact(cols);
            for (i, (out, x)) in out.chunks_exact_mut(cols).zip(x).enumerate() {
                let row = ((start / cols + i) % rows) as isize;
                let cut = row.saturating_add(offset).clamp(0, cols as isize) as usize;
                out.copy_from_slice(x);
                if upper {
                    &mut out[..cut]
                } else {
                    &mut out[cut..]
                }
                .fill(zero);
            }
        });
    })
}
