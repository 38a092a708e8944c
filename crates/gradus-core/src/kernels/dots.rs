//! Products of a matrix with a transposed one, x·Wᵀ, as dot products of rows that lie side by side in
//! memory. `gemm` turns one of the factors round first, which costs about as much as the product
//! when one of its sides is short.
//!
//! An element of the result is the same sum in the same order wherever the result is cut.

use super::simd::{Lane, Simd, WithSimd};

/// Rows of `a` and of `b` whose products are formed together, each in a register of its own.
pub(super) const TILE: (usize, usize) = (4, 6);
/// The same for processors with sixteen vector registers.
const SMALL_TILE: (usize, usize) = (2, 5);
/// Bytes of a row that are used before the next rows, so that what a tile needs of `b` stays in the
/// innermost cache.
const DEPTH: usize = 4096;

/// The rows of a matrix: where the first begins, and the step to the next.
#[derive(Clone, Copy)]
pub(super) struct Rows<T> {
    pub start: *const T,
    pub step: isize,
}

impl<T: Copy> Rows<T> {
    /// Row number `i` from element `p` on.
    #[inline(always)]
    fn at(self, i: usize, p: usize) -> *const T {
        self.start
            .wrapping_offset(i as isize * self.step)
            .wrapping_add(p)
    }

    /// The rows from number `i` on, each from element `p` on.
    #[inline(always)]
    pub(super) fn from(self, i: usize, p: usize) -> Self {
        Self {
            start: self.at(i, p),
            ..self
        }
    }
}

/// out = a·bᵀ.
pub(super) struct Dots<T> {
    /// The first element of the result, and the step to the next row.
    out: (*mut T, usize),
    /// Rows of `a`, elements of each row, rows of `b`.
    sizes: (usize, usize, usize),
    a: Rows<T>,
    b: Rows<T>,
}

impl<T: Lane> Dots<T> {
    /// The product of `m` rows by `n` rows of `k` elements, `sizes` being (m, k, n).
    ///
    /// # Safety
    /// While the kernel runs, all elements of the rows may be read, and this thread alone touches
    /// those of the result.
    pub(super) unsafe fn new(
        out: (*mut T, usize),
        sizes: (usize, usize, usize),
        a: Rows<T>,
        b: Rows<T>,
    ) -> Self {
        Self { out, sizes, a, b }
    }

    /// A tile of results: `R` rows of `a` by `cols` of `b`, at most six, of `depth` elements.
    ///
    /// # Safety
    /// As for [`tile`](Self::tile).
    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize>(&self, simd: S, cols: usize, part: Part<T>) {
        // SAFETY: the caller's promise, for as many columns.
        unsafe {
            match cols {
                1 => self.tile::<S, R, 1>(simd, part),
                2 => self.tile::<S, R, 2>(simd, part),
                3 => self.tile::<S, R, 3>(simd, part),
                4 => self.tile::<S, R, 4>(simd, part),
                5 => self.tile::<S, R, 5>(simd, part),
                _ => self.tile::<S, R, 6>(simd, part),
            }
        }
    }

    /// A tile of results: `R` rows of `a` by `C` rows of `b`.
    ///
    /// # Safety
    /// As many rows of the part can be read, and as many elements of the result be written.
    #[inline(always)]
    #[allow(clippy::needless_range_loop)] // Unrolled, so that the sums are registers.
    unsafe fn tile<S: Simd, const R: usize, const C: usize>(&self, simd: S, part: Part<T>) {
        let Part { a, b, depth, .. } = part;
        let lanes = T::lanes::<S>();
        let mut sums = [[T::splat(simd, T::ZERO); C]; R];
        let mut y = [T::splat(simd, T::ZERO); C];
        let whole = depth - depth % lanes;
        let mut p = 0;
        while p < whole {
            for j in 0..C {
                // SAFETY: a vector from `p` on lies within the row.
                y[j] = unsafe { T::load(simd, b.at(j, p)) };
            }
            for i in 0..R {
                // SAFETY: as above.
                let x = unsafe { T::load(simd, a.at(i, p)) };
                for j in 0..C {
                    sums[i][j] = T::mul_add(simd, x, y[j], sums[i][j]);
                }
            }
            p += lanes;
        }
        if whole < depth {
            // SAFETY: the rest of a row.
            let rest = |row: *const T| unsafe { std::slice::from_raw_parts(row, depth - whole) };
            for j in 0..C {
                y[j] = T::load_part(simd, rest(b.at(j, whole)));
            }
            for i in 0..R {
                let x = T::load_part(simd, rest(a.at(i, whole)));
                for j in 0..C {
                    sums[i][j] = T::mul_add(simd, x, y[j], sums[i][j]);
                }
            }
        }
        let mut vectors = [sums[0][0]; TILE.0 * TILE.1];
        for i in 0..R {
            for j in 0..C {
                vectors[i * C + j] = sums[i][j];
            }
        }
        // In memory for good: the compiler does not unroll this loop, and would keep `sums` in memory
        // all along.
        let vectors = std::hint::black_box(&vectors);
        for i in 0..R {
            // SAFETY: the caller's promise.
            let out = unsafe { std::slice::from_raw_parts_mut(part.out.add(i * self.out.1), C) };
            for (out, &sum) in out.iter_mut().zip(&vectors[i * C..]) {
                let sum = T::sum(simd, sum);
                *out = if part.add { *out + sum } else { sum };
            }
        }
    }
}

/// What the tiles work on: rows from somewhere on, `depth` elements of each.
struct Part<T> {
    out: *mut T,
    a: Rows<T>,
    b: Rows<T>,
    depth: usize,
    /// Whether earlier elements of the rows have been there.
    add: bool,
}

impl<T: Lane> WithSimd for Dots<T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (m, k, n) = self.sizes;
        let tile = if S::REGISTER_COUNT < 32 {
            SMALL_TILE
        } else {
            TILE
        };
        let deepest = DEPTH / size_of::<T>();
        // What a tile needs of `b`, copied if many tiles use it: rows a multiple of 4 KiB apart
        // throw each other out of the cache.
        let mut copy = [T::ZERO; TILE.1 * DEPTH / 4];
        for start in (0..k).step_by(deepest) {
            let depth = deepest.min(k - start);
            for (left, cols) in parts(n, tile.1) {
                let mut b = self.b.from(left, start);
                if m >= 8 * tile.0 {
                    for (j, copy) in copy.chunks_mut(deepest).take(cols).enumerate() {
                        // SAFETY: a part of a row.
                        let row = unsafe { std::slice::from_raw_parts(b.at(j, 0), depth) };
                        copy[..depth].copy_from_slice(row);
                    }
                    b = Rows {
                        start: copy.as_ptr(),
                        step: deepest as isize,
                    };
                }
                for (top, rows) in parts(m, tile.0) {
                    let part = Part {
                        out: self.out.0.wrapping_add(top * self.out.1 + left),
                        a: self.a.from(top, start),
                        b,
                        depth,
                        add: start > 0,
                    };
                    // SAFETY: `new` promised all rows and the whole result, of which this is a part;
                    // the copy has as many rows.
                    unsafe {
                        match rows {
                            1 => self.rows::<S, 1>(simd, cols, part),
                            2 => self.rows::<S, 2>(simd, cols, part),
                            3 => self.rows::<S, 3>(simd, cols, part),
                            _ => self.rows::<S, 4>(simd, cols, part),
                        }
                    }
                }
            }
        }
    }
}

/// Cuts `n` into parts of at most `most`, as even as can be: where each begins, and its length.
fn parts(n: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = n.div_ceil(most);
    (0..count).map(move |i| {
        let (start, end) = (i * n / count, (i + 1) * n / count);
        (start, end - start)
    })
}
