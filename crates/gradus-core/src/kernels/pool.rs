//! Maxima of windows, and the way back by the places that were kept.

use super::parallel::Shared;
use super::windows::{Axis, Channels, Pixel, Pixels, Windows, block, in_blocks};
use crate::dtype::Element;
use crate::error::Result;
use crate::kernels::math::Float;
use crate::storage::Buffer;

/// The number of a place in its window: a byte where that is enough.
pub(crate) trait Place: Element + Eq {
    fn of(place: usize) -> Self;
}
impl Place for u8 {
    #[inline(always)]
    fn of(place: usize) -> Self {
        place as u8
    }
}
impl Place for i32 {
    #[inline(always)]
    fn of(place: usize) -> Self {
        place as i32
    }
}

/// The largest element of each window (a NaN, if there is one) and its place, the first of several
/// equal ones. A window without elements gives −∞.
pub(crate) fn max<T: Float, P: Place>(x: &[T], windows: Windows<'_>) -> Result<[Buffer; 2]> {
    let mut places = Buffer::new::<P>(windows.results())?;
    let found = Shared(places.slice_mut::<P>().as_mut_ptr());
    let values = Buffer::build(windows.results(), |out: &mut [T]| {
        windows.gather(out, &Maxima { windows, x, found });
    })?;
    Ok([values, places])
}

struct Maxima<'a, T, P> {
    windows: Windows<'a>,
    x: &'a [T],
    found: Shared<P>,
}

impl<T: Float, P: Place> Pixels<T> for Maxima<'_, T, P> {
    #[inline(always)]
    fn pixel(&self, pixel: Pixel<'_>, best: &mut [T]) {
        // SAFETY: there are as many places as results, nobody else has their buffer, and each call
        // has the range of its own results.
        let found = unsafe {
            std::slice::from_raw_parts_mut(self.found.get().add(pixel.first), best.len())
        };
        let (windows, x) = (self.windows, self.x);
        in_blocks(
            best.len(),
            &mut Largest {
                windows,
                x,
                pixel,
                best,
                found,
            },
        );
    }
}

struct Largest<'a, T, P> {
    windows: Windows<'a>,
    x: &'a [T],
    pixel: Pixel<'a>,
    best: &'a mut [T],
    found: &'a mut [P],
}

impl<T: Float, P: Place> Channels for Largest<'_, T, P> {
    #[inline(always)]
    fn block<const N: usize>(&mut self, first: usize) {
        let windows = self.windows;
        let Pixel { rows, cols, .. } = self.pixel;
        // Where nothing is larger than −∞ it is the first. Places are as wide as elements here, which
        // makes for the same number of lanes.
        let nothing = rows
            .first()
            .zip(cols.first())
            .map_or(0, |(i, j)| windows.place(i, j));
        let (mut best, mut found) = ([T::LOWEST; N], [nothing as u32; N]);
        for i in rows {
            for j in cols {
                let x = block::<T, N>(self.x, windows.element(self.pixel, i, j) + first);
                let place = windows.place(i, j) as u32;
                for c in 0..N {
                    let better = (x[c] > best[c]) | x[c].is_nan();
                    best[c] = if better { x[c] } else { best[c] };
                    found[c] = if better { place } else { found[c] };
                }
            }
        }
        self.best[first..][..N].copy_from_slice(&best);
        let places = &mut self.found[first..][..N];
        for c in 0..N {
            places[c] = P::of(found[c] as usize);
        }
    }
}

/// The element of each window at the place that is given for it; 0 where that does not exist.
pub(crate) fn take<T: Float, P: Place>(
    x: &[T],
    places: &[P],
    windows: Windows<'_>,
) -> Result<Buffer> {
    Buffer::build(windows.results(), |out: &mut [T]| {
        windows.gather(out, &Taken { windows, x, places });
    })
}

struct Taken<'a, T, P> {
    windows: Windows<'a>,
    x: &'a [T],
    places: &'a [P],
}

impl<T: Float, P: Place> Pixels<T> for Taken<'_, T, P> {
    #[inline(always)]
    fn pixel(&self, pixel: Pixel<'_>, out: &mut [T]) {
        let (windows, x) = (self.windows, self.x);
        out.fill(T::ZERO);
        for i in pixel.rows {
            for j in pixel.cols {
                let place = P::of(windows.place(i, j));
                let values = x[windows.element(pixel, i, j)..].iter();
                let values = values.zip(&self.places[pixel.first..]);
                for (o, (&x, &found)) in out.iter_mut().zip(values) {
                    *o = if found == place { x } else { *o };
                }
            }
        }
    }
}

/// Positions in the picture, row by row, of places.
pub(crate) fn positions<P: Place>(places: &[P], windows: Windows<'_>) -> Result<Buffer> {
    Buffer::build(windows.results(), |out: &mut [i64]| {
        windows.gather(out, &Positions { windows, places });
    })
}

struct Positions<'a, P> {
    windows: Windows<'a>,
    places: &'a [P],
}

impl<P: Place> Pixels<i64> for Positions<'_, P> {
    #[inline(always)]
    fn pixel(&self, pixel: Pixel<'_>, out: &mut [i64]) {
        let windows = self.windows;
        out.fill(0);
        for i in pixel.rows {
            for j in pixel.cols {
                let place = P::of(windows.place(i, j));
                let position = (i.at * windows.cols.input + j.at) as i64;
                for (o, &found) in out.iter_mut().zip(&self.places[pixel.first..]) {
                    *o = if found == place { position } else { *o };
                }
            }
        }
    }
}

/// Pictures of zeros to which each result is added at its place; the windows are those that it was
/// found in.
pub(crate) fn put<T: Float, P: Place>(
    g: &[T],
    places: &[P],
    windows: Windows<'_>,
) -> Result<Buffer> {
    let back = |axis: &Axis| axis.transposed().map(|(axis, _)| axis);
    let (rows, cols) = (back(windows.rows)?, back(windows.cols)?);
    let windows = Windows {
        rows: &rows,
        cols: &cols,
        ..windows
    };
    Buffer::build(windows.results(), |out: &mut [T]| {
        windows.gather(out, &Put { windows, g, places });
    })
}

struct Put<'a, T, P> {
    windows: Windows<'a>,
    g: &'a [T],
    places: &'a [P],
}

impl<T: Float, P: Place> Pixels<T> for Put<'_, T, P> {
    #[inline(always)]
    fn pixel(&self, pixel: Pixel<'_>, out: &mut [T]) {
        let windows = self.windows;
        let (g, places) = (self.g, self.places);
        in_blocks(
            out.len(),
            &mut Arrived {
                windows,
                g,
                places,
                pixel,
                out,
            },
        );
    }
}

struct Arrived<'a, T, P> {
    windows: Windows<'a>,
    g: &'a [T],
    places: &'a [P],
    pixel: Pixel<'a>,
    out: &'a mut [T],
}

impl<T: Float, P: Place> Channels for Arrived<'_, T, P> {
    #[inline(always)]
    fn block<const N: usize>(&mut self, first: usize) {
        let windows = self.windows;
        let mut sum = [T::ZERO; N];
        for i in self.pixel.rows {
            for j in self.pixel.cols {
                let (at, place) = (
                    windows.element(self.pixel, i, j) + first,
                    P::of(windows.place(i, j)),
                );
                let (g, found) = (block::<T, N>(self.g, at), block::<P, N>(self.places, at));
                for c in 0..N {
                    sum[c] = sum[c] + if found[c] == place { g[c] } else { T::ZERO };
                }
            }
        }
        self.out[first..][..N].copy_from_slice(&sum);
    }
}
