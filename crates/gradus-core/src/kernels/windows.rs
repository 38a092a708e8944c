//! Windows that gather the positions of an axis: of pooling, and of resizing pictures.
//!
//! What is done along the two axes of a picture is independent, so two tables describe any pooling:
//! with kernel, stride, padding and dilation, or with windows that share out the axis.

use super::{parallel, vectorize};
use crate::dtype::Element;

/// Windows along an axis of `input` positions, in the order of their places.
#[derive(Debug)]
pub(crate) struct Axis {
    pub input: usize,
    /// Distance between neighbouring places of a window.
    pub step: usize,
    /// Places of the largest window.
    pub size: usize,
    pub windows: Vec<Window>,
}

/// One window: its place number k is position `start` + k·step. Windows come in the order of their
/// starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Position of place 0, which may lie before the first position.
    pub start: isize,
    /// The places whose positions exist: from `from` to below `to`.
    pub from: usize,
    pub to: usize,
}

impl Window {
    /// The position of a place that exists.
    #[inline(always)]
    fn position(&self, place: usize, step: usize) -> usize {
        self.start.wrapping_add_unsigned(place * step) as usize
    }
}

impl Axis {
    /// The places of a window that exist, and their positions.
    #[inline(always)]
    pub(crate) fn places(&self, window: Window) -> impl Iterator<Item = (usize, usize)> {
        let step = self.step;
        (window.from..window.to).map(move |place| (place, window.position(place, step)))
    }

    /// The windows that have `position`, and its place in each.
    pub(crate) fn windows_with(&self, position: usize) -> impl Iterator<Item = (usize, usize)> {
        let (position, step) = (position as isize, self.step as isize);
        let reach = (self.size.max(1) - 1) as isize * step;
        let begin = (self.windows).partition_point(|w| w.start + reach < position);
        let end = self.windows.partition_point(|w| w.start <= position);
        (begin..end.max(begin)).filter_map(move |out| {
            let (window, distance) = (self.windows[out], position - self.windows[out].start);
            let place = (distance / step) as usize;
            let has = distance % step == 0 && (window.from..window.to).contains(&place);
            has.then_some((out, place))
        })
    }
}

/// Windows over pictures. The memory is `images` pictures whose channels lie side by side; a row-major
/// tensor is as many pictures as it has channels, of one channel each.
#[derive(Clone, Copy)]
pub(crate) struct Windows<'a> {
    pub images: usize,
    pub rows: &'a Axis,
    pub cols: &'a Axis,
    pub channels: usize,
}

impl Windows<'_> {
    /// Elements of a row of the pictures.
    fn picture_row(&self) -> usize {
        self.cols.input * self.channels
    }

    /// Elements of a row of the results.
    fn result_row(&self) -> usize {
        self.cols.windows.len() * self.channels
    }

    /// Elements of all pictures.
    pub(crate) fn elements(&self) -> usize {
        self.images * self.rows.input * self.picture_row()
    }

    /// The number of results: one for each window and channel.
    pub(crate) fn results(&self) -> usize {
        self.images * self.rows.windows.len() * self.result_row()
    }

    /// Rows to a task, when each element costs a look at every place of a window.
    fn grain(&self, row: usize) -> usize {
        let places = self.rows.size * self.cols.size;
        (parallel::GRAIN / (row * places).max(1)).max(1) * row
    }

    /// Writes the results. `pixel(picture, window of rows, window of columns, at, out)` writes the
    /// channels of one, which are the results from `at` on; windows are given by their numbers.
    pub(crate) fn gather<T: Send>(
        &self,
        out: &mut [T],
        pixel: impl Fn(usize, [usize; 2], usize, &mut [T]) + Sync,
    ) {
        let (width, height) = (self.result_row(), self.rows.windows.len());
        if out.is_empty() {
            return;
        }
        parallel::fill(out, self.grain(width), |start, out| {
            vectorize(|| {
                for (i, out) in out.chunks_exact_mut(width).enumerate() {
                    let row = start / width + i;
                    for (col, out) in out.chunks_exact_mut(self.channels).enumerate() {
                        let at = row * width + col * self.channels;
                        pixel(row / height, [row % height, col], at, out);
                    }
                }
            });
        });
    }

    /// Writes the pictures, zeros at first. `add(at, place, result, out)` adds to the channels of an
    /// element what it has from one window, in which it is the places `[row, column]`, and whose
    /// results begin at `result`.
    pub(crate) fn spread<T: Element>(
        &self,
        out: &mut [T],
        add: impl Fn([usize; 2], [usize; 2], usize, &mut [T]) + Sync,
    ) {
        let (width, height) = (self.picture_row(), self.rows.windows.len());
        if out.is_empty() {
            return;
        }
        parallel::fill(out, self.grain(width), |start, out| {
            vectorize(|| {
                for (i, out) in out.chunks_exact_mut(width).enumerate() {
                    out.fill(T::default());
                    let row = start / width + i;
                    let (image, row) = (row / self.rows.input, row % self.rows.input);
                    for (y, i) in self.rows.windows_with(row) {
                        let results = (image * height + y) * self.result_row();
                        for (x, window) in self.cols.windows.iter().enumerate() {
                            for (j, col) in self.cols.places(*window) {
                                let out = &mut out[col * self.channels..][..self.channels];
                                add([y, x], [i, j], results + x * self.channels, out);
                            }
                        }
                    }
                }
            });
        });
    }

    /// The picture number `image`.
    #[inline(always)]
    pub(crate) fn picture<'x, T>(&self, x: &'x [T], image: usize) -> &'x [T] {
        let size = self.rows.input * self.picture_row();
        &x[image * size..][..size]
    }

    /// Calls `f` with each place of a window that exists, and where its channels begin in the picture.
    #[inline(always)]
    pub(crate) fn places(&self, [row, col]: [usize; 2], mut f: impl FnMut([usize; 2], usize)) {
        for (i, y) in self.rows.places(self.rows.windows[row]) {
            for (j, x) in self.cols.places(self.cols.windows[col]) {
                f([i, j], (y * self.cols.input + x) * self.channels);
            }
        }
    }
}

/// Work on the channels of one element of a picture, a block of them at a time: they lie side by
/// side in memory, so a block is a few registers.
pub(crate) trait Channels {
    /// The channels from `first` to `first + N`.
    fn block<const N: usize>(&mut self, first: usize);
}

/// All of `channels`, in blocks.
#[inline(always)]
pub(crate) fn in_blocks(channels: usize, work: &mut impl Channels) {
    let mut first = 0;
    while channels - first >= 16 {
        work.block::<16>(first);
        first += 16;
    }
    while channels - first >= 4 {
        work.block::<4>(first);
        first += 4;
    }
    while first < channels {
        work.block::<1>(first);
        first += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_with_a_position_are_those_that_list_it() {
        for (input, size, step, stride, padding) in [
            (5, 3, 1, 2, 1),
            (7, 2, 3, 1, 1),
            (6, 2, 1, 3, 0),
            (1, 2, 4, 1, 2),
        ] {
            let windows = (0..input).map(|i| {
                let start = (i * stride) as isize - padding;
                let exists =
                    |k: &usize| (0..input as isize).contains(&(start + (k * step) as isize));
                let places: Vec<usize> = (0..size).filter(exists).collect();
                let (from, to) = (places.first().copied(), places.last().map(|k| k + 1));
                let (from, to) = (from.unwrap_or(0), to.unwrap_or(0));
                Window { start, from, to }
            });
            let axis = Axis {
                input,
                step,
                size,
                windows: windows.collect(),
            };
            for position in 0..input {
                let mut expected = Vec::new();
                for (out, window) in axis.windows.iter().enumerate() {
                    let places = axis.places(*window).filter(|(_, p)| *p == position);
                    expected.extend(places.map(|(place, _)| (out, place)));
                }
                assert_eq!(axis.windows_with(position).collect::<Vec<_>>(), expected);
            }
        }
    }
}
