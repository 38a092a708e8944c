//! Windows that gather the positions of an axis: of pooling, and of resizing pictures.
//!
//! What is done along the two axes of a picture is independent, so two tables describe any pooling:
//! with kernel, stride, padding and dilation, or with windows that share out the axis. The way back is
//! the same table seen from the positions, so there is one loop for both.

use super::gather::room;
use super::{Loop, parallel, vectorize};
use crate::error::Result;

/// Windows along an axis.
#[derive(Debug)]
pub(crate) struct Axis {
    /// The number of positions.
    pub input: usize,
    /// Places of the largest window.
    pub size: usize,
    /// Where each window begins among the members, and where the last one ends.
    starts: Vec<usize>,
    members: Vec<Member>,
}

/// A place of a window that is a position of the axis; padding has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Member {
    pub place: usize,
    pub at: usize,
}

impl Axis {
    /// Of `input` positions, with the members of each of `count` windows of at most `size` places.
    pub(crate) fn new<M: ExactSizeIterator<Item = Member>>(
        [input, size, count]: [usize; 3],
        window: impl Fn(usize) -> M,
    ) -> Result<Self> {
        let mut starts = room(count.saturating_add(1))?;
        let total = (0..count).try_fold(0usize, |n, i| n.checked_add(window(i).len()));
        let mut members = room(total.unwrap_or(usize::MAX))?;
        for i in 0..count {
            starts.push(members.len());
            members.extend(window(i));
        }
        starts.push(members.len());
        Ok(Self {
            input,
            size,
            starts,
            members,
        })
    }

    /// The number of windows.
    pub(crate) fn windows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The members of a window, in the order of their places.
    #[inline(always)]
    pub(crate) fn window(&self, i: usize) -> &[Member] {
        &self.members[self.members_of(i)]
    }

    /// Where the members of a window are among all of them.
    #[inline(always)]
    pub(crate) fn members_of(&self, window: usize) -> std::ops::Range<usize> {
        self.starts[window]..self.starts[window + 1]
    }

    /// The number of members of all windows.
    pub(crate) fn members(&self) -> usize {
        self.members.len()
    }

    /// The windows as positions, and for each position the windows it is a place of, in their order;
    /// and where each member was before.
    pub(crate) fn transposed(&self) -> Result<(Self, Vec<usize>)> {
        let mut starts = room(self.input + 1)?;
        starts.resize(self.input + 1, 0);
        for member in &self.members {
            starts[member.at + 1] += 1;
        }
        for i in 0..self.input {
            starts[i + 1] += starts[i];
        }
        let (mut members, mut before) = (room(self.members())?, room(self.members())?);
        members.resize(self.members(), Member { place: 0, at: 0 });
        before.resize(self.members(), 0);
        let mut next = starts.clone();
        for window in 0..self.windows() {
            for i in self.members_of(window) {
                let Member { place, at } = self.members[i];
                members[next[at]] = Member { place, at: window };
                before[next[at]] = i;
                next[at] += 1;
            }
        }
        let (input, size) = (self.windows(), self.size);
        Ok((
            Self {
                input,
                size,
                starts,
                members,
            },
            before,
        ))
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

/// The results of one window, one for each channel.
#[derive(Clone, Copy)]
pub(crate) struct Pixel<'a> {
    /// Row and column among the windows, and the members along both axes.
    pub row: usize,
    pub col: usize,
    pub rows: &'a [Member],
    pub cols: &'a [Member],
    /// Where its picture begins.
    pub picture: usize,
    /// The number of the first result.
    pub first: usize,
}

/// How results are made of windows.
pub(crate) trait Pixels<T>: Sync {
    /// Writes the results of a window, one for each channel.
    fn pixel(&self, pixel: Pixel<'_>, out: &mut [T]);
}

impl Windows<'_> {
    /// The number of results: one for each window and channel.
    pub(crate) fn results(&self) -> usize {
        self.images * self.rows.windows() * self.cols.windows() * self.channels
    }

    /// Writes the results.
    pub(crate) fn gather<T: Send>(&self, out: &mut [T], work: &impl Pixels<T>) {
        if out.is_empty() {
            return;
        }
        let width = self.cols.windows() * self.channels;
        // Every element costs a look at each member of a window.
        let members = |axis: &Axis| axis.members().div_ceil(axis.windows()).max(1);
        let looks = width
            .saturating_mul(members(self.rows))
            .saturating_mul(members(self.cols));
        let rows = (parallel::GRAIN / looks).max(1);
        parallel::fill(out, rows * width, |start, out| {
            vectorize(Rows {
                windows: self,
                start,
                out,
                work,
            });
        });
    }

    /// Where the channels of an element begin.
    #[inline(always)]
    pub(crate) fn element(&self, pixel: Pixel<'_>, row: &Member, col: &Member) -> usize {
        pixel.picture + (row.at * self.cols.input + col.at) * self.channels
    }

    /// The number of an element's place in its window: places count row by row.
    #[inline(always)]
    pub(crate) fn place(&self, row: &Member, col: &Member) -> usize {
        row.place * self.cols.size + col.place
    }
}

/// The rows of results from element `start` on.
struct Rows<'a, T, W> {
    windows: &'a Windows<'a>,
    start: usize,
    out: &'a mut [T],
    work: &'a W,
}

impl<T, W: Pixels<T>> Loop for Rows<'_, T, W> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        let Windows {
            rows,
            cols,
            channels,
            ..
        } = *self.windows;
        let (width, height) = (cols.windows() * channels, rows.windows());
        for (i, out) in self.out.chunks_exact_mut(width).enumerate() {
            let number = self.start / width + i;
            let (image, row) = (number / height, number % height);
            let picture = image * rows.input * cols.input * channels;
            let down = rows.window(row);
            let along = cols
                .starts
                .windows(2)
                .map(|ends| &cols.members[ends[0]..ends[1]]);
            let pixels = out.chunks_exact_mut(channels).zip(along).enumerate();
            for (col, (out, along)) in pixels {
                let first = number * width + col * channels;
                let pixel = Pixel {
                    row,
                    col,
                    rows: down,
                    cols: along,
                    picture,
                    first,
                };
                self.work.pixel(pixel, out);
            }
        }
    }
}

/// Work on the channels of one element of a picture, a block of them at a time: they lie side by
/// side in memory, so a block is a register or two. What is an array of its size becomes these.
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

/// `N` elements from `first` on.
#[inline(always)]
pub(crate) fn block<T: Copy, const N: usize>(x: &[T], first: usize) -> [T; N] {
    *x[first..].first_chunk().expect("whole blocks")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seen_from_the_positions_windows_are_the_same() {
        // Positions 0 to 4 by three windows, of which two overlap and one is empty.
        let windows = [&[(0, 0), (2, 1)][..], &[], &[(0, 1), (1, 3)]];
        let member = |&(place, at): &(usize, usize)| Member { place, at };
        let axis = Axis::new([5, 3, 3], |i| windows[i].iter().map(member)).unwrap();
        assert_eq!(axis.window(2), [(0, 1), (1, 3)].each_ref().map(member));
        let (back, before) = axis.transposed().unwrap();
        let of = |position: usize| back.window(position).iter().map(|m| (m.place, m.at));
        let found: Vec<Vec<_>> = (0..5).map(|position| of(position).collect()).collect();
        assert_eq!(
            found,
            [
                vec![(0, 0)],
                vec![(2, 0), (0, 2)],
                vec![],
                vec![(1, 2)],
                vec![]
            ]
        );
        assert_eq!((back.input, before), (3, vec![0, 1, 2, 3]));
        let (again, _) = back.transposed().unwrap();
        assert_eq!((again.members, again.starts), (axis.members, axis.starts));
    }
}
