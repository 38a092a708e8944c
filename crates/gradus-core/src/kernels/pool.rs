//! Maxima of windows, and the way back by the places that were kept.

use super::parallel::Shared;
use super::windows::{Channels, Windows, in_blocks};
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

impl Windows<'_> {
    /// Places count row by row.
    #[inline(always)]
    fn number<P: Place>(&self, [i, j]: [usize; 2]) -> P {
        P::of(i * self.cols.size + j)
    }
}

/// The largest element of each window (a NaN, if there is one) and its place, the first of several
/// equal ones. A window without elements gives −∞.
pub(crate) fn max<T: Float, P: Place>(x: &[T], windows: Windows<'_>) -> Result<[Buffer; 2]> {
    let mut places = Buffer::new::<P>(windows.results())?;
    let shared = Shared(places.slice_mut::<P>().as_mut_ptr());
    let values = Buffer::build(windows.results(), |out: &mut [T]| {
        windows.gather(out, |image, window, at, best| {
            // SAFETY: there are as many places as results, nobody else has the buffer, and each call
            // has the range of its own results.
            let found = unsafe { std::slice::from_raw_parts_mut(shared.get().add(at), best.len()) };
            let picture = windows.picture(x, image);
            let work = &mut Largest {
                windows,
                picture,
                window,
                best,
                found,
            };
            in_blocks(windows.channels, work);
        });
    })?;
    Ok([values, places])
}

struct Largest<'a, T, P> {
    windows: Windows<'a>,
    picture: &'a [T],
    window: [usize; 2],
    best: &'a mut [T],
    found: &'a mut [P],
}

impl<T: Float, P: Place> Channels for Largest<'_, T, P> {
    #[inline(always)]
    fn block<const N: usize>(&mut self, first: usize) {
        let Windows { rows, cols, .. } = self.windows;
        // Where nothing is larger than −∞ it is the first.
        let [row, col] = self.window;
        let nothing = [rows.windows[row].from, cols.windows[col].from];
        let (mut best, mut found) = ([T::LOWEST; N], [self.windows.number::<P>(nothing); N]);
        self.windows.places(self.window, |place, at| {
            let (x, place) = (&self.picture[at + first..][..N], self.windows.number(place));
            for c in 0..N {
                let better = x[c] > best[c] || x[c].is_nan();
                best[c] = if better { x[c] } else { best[c] };
                found[c] = if better { place } else { found[c] };
            }
        });
        self.best[first..][..N].copy_from_slice(&best);
        self.found[first..][..N].copy_from_slice(&found);
    }
}

/// The element of each window at the place that is given for it; 0 where that does not exist.
pub(crate) fn take<T: Float, P: Place>(
    x: &[T],
    places: &[P],
    windows: Windows<'_>,
) -> Result<Buffer> {
    Buffer::build(windows.results(), |out: &mut [T]| {
        windows.gather(out, |image, window, at, out| {
            let (picture, found) = (windows.picture(x, image), &places[at..][..out.len()]);
            out.fill(T::ZERO);
            windows.places(window, |place, at| {
                let place = windows.number::<P>(place);
                let x = &picture[at..][..out.len()];
                for ((o, &x), &found) in out.iter_mut().zip(x).zip(found) {
                    *o = if found == place { x } else { *o };
                }
            });
        });
    })
}

/// Pictures of zeros to which each result is added at its place.
pub(crate) fn put<T: Float, P: Place>(
    g: &[T],
    places: &[P],
    windows: Windows<'_>,
) -> Result<Buffer> {
    Buffer::build(windows.elements(), |out: &mut [T]| {
        windows.spread(out, |_, place, result, out| {
            let place = windows.number(place);
            let (g, found) = (&g[result..][..out.len()], &places[result..][..out.len()]);
            in_blocks(
                windows.channels,
                &mut Put {
                    g,
                    found,
                    place,
                    out,
                },
            );
        });
    })
}

struct Put<'a, T, P> {
    g: &'a [T],
    found: &'a [P],
    place: P,
    out: &'a mut [T],
}

impl<T: Float, P: Place> Channels for Put<'_, T, P> {
    #[inline(always)]
    fn block<const N: usize>(&mut self, first: usize) {
        let (g, found) = (&self.g[first..][..N], &self.found[first..][..N]);
        let out = &mut self.out[first..][..N];
        for c in 0..N {
            out[c] = out[c]
                + if found[c] == self.place {
                    g[c]
                } else {
                    T::ZERO
                };
        }
    }
}

/// Positions in the picture, row by row, of places.
pub(crate) fn positions<P: Place>(places: &[P], windows: Windows<'_>) -> Result<Buffer> {
    Buffer::build(windows.results(), |out: &mut [i64]| {
        windows.gather(out, |_, window, at, out| {
            out.fill(0);
            windows.places(window, |place, first| {
                let (place, position) = (windows.number::<P>(place), first / windows.channels);
                for (o, &found) in out.iter_mut().zip(&places[at..]) {
                    *o = if found == place { position as i64 } else { *o };
                }
            });
        });
    })
}
