//! What each output of a convolution is made of, as the gradient of the weight goes through it.
//!
//! The patch of an output is a sequence of numbers in the order kernel row, kernel column, channel.
//! With channels last in memory it is a few *runs* of neighbours: one for each row of the kernel, or
//! one for each of its positions if it is dilated. The runs lie the same way in every patch, so two
//! tables say everything: where each patch begins, and where each run does from there. Where an input
//! has other strides or needs zeros around it, the few rows that a block of outputs needs are copied
//! into a scratch of the task's own.

use super::Axis;
use crate::dtype::Number;
use crate::error::Result;
use crate::kernels::View;
use crate::shape::numel;
use crate::storage::Buffer;
use std::ops::Range;

/// The patches of all outputs.
pub(super) struct Patches<'a, T> {
    x: View<'a, T>,
    axes: [Axis; 2],
    /// Channels of a group.
    channels: usize,
    /// Whether rows are copied first.
    copied: bool,
    /// Numbers that may be read beyond the last one of a patch.
    slack: usize,
    /// Steps in memory to the next row and column.
    steps: [usize; 2],
    /// Where runs begin in a patch.
    pub runs: Vec<usize>,
    /// Numbers in a run.
    pub run: usize,
}

/// The patches of some rows of outputs.
pub(super) struct Rows<'a, T> {
    source: Source<'a, T>,
    /// Where each patch begins, output by output.
    pub starts: Vec<usize>,
}

enum Source<'a, T> {
    Input(&'a [T]),
    Scratch(Buffer),
}

impl<T: Number> Rows<'_, T> {
    /// The numbers that patches are made of.
    pub(super) fn data(&self) -> &[T] {
        match &self.source {
            Source::Input(data) => data,
            Source::Scratch(buffer) => buffer.slice(),
        }
    }
}

impl<'a, T: Number> Patches<'a, T> {
    /// The patches of x, `[n, c, h, w]`, whose channels fall into `groups`; `slack` more numbers than
    /// they have may be read.
    ///
    /// # Errors
    /// If a patch does not fit into memory.
    pub(super) fn new(
        x: View<'a, T>,
        axes: [Axis; 2],
        groups: usize,
        slack: usize,
    ) -> Result<Self> {
        let [down, across] = axes;
        let channels = x.layout.shape[1] / groups;
        let strides = &x.layout.strides;
        let direct = slack == 0
            && axes.iter().all(Axis::is_inside)
            && (strides[1] == 1 || channels == 1)
            && strides[2..].iter().all(|&s| s >= 0);
        let steps = if direct {
            [strides[2] as usize, strides[3] as usize]
        } else {
            numel(&[down.reach(), across.span(), channels])?;
            [across.span() * channels, channels]
        };
        let merged = across.dilation == 1 && steps[1] == channels;
        let (parts, run) = if merged {
            (1, across.kernel * channels)
        } else {
            (across.kernel, channels)
        };
        let part = |k: usize, l: usize| {
            // Of a dimension of size 1 any step is taken no times.
            (k * down.dilation).wrapping_mul(steps[0])
                + (l * across.dilation).wrapping_mul(steps[1])
        };
        let runs = (0..down.kernel).flat_map(|k| (0..parts).map(move |l| part(k, l)));
        Ok(Self {
            x,
            axes,
            channels,
            copied: !direct,
            slack,
            steps,
            runs: runs.collect(),
            run,
        })
    }

    /// Where each number of a patch is.
    pub(super) fn numbers(&self) -> Vec<usize> {
        let run = |&start: &usize| start..start + self.run;
        self.runs.iter().flat_map(run).collect()
    }

    /// How many numbers a row of outputs adds to what a task reads.
    pub(super) fn row_len(&self) -> usize {
        let [down, across] = self.axes;
        down.stride.min(down.reach()) * across.span() * self.channels
    }

    /// The patches of these rows of outputs, counted through all images, in one group.
    ///
    /// # Errors
    /// If there is no memory for a copy of the input's rows.
    pub(super) fn rows(&self, rows: Range<usize>, group: usize) -> Result<Rows<'a, T>> {
        let [down, across] = self.axes;
        let mut starts = Vec::with_capacity(rows.len() * across.output);
        let mut start_row = |first: usize| {
            let step = across.stride.wrapping_mul(self.steps[1]);
            starts.extend((0..across.output).map(|o| first + o.wrapping_mul(step)));
        };
        // Rows of one image after the other.
        let mut images = Vec::new();
        let mut next = rows.start;
        while next < rows.end {
            let image = next / down.output;
            let end = rows.end.min((image + 1) * down.output);
            images.push((image, next % down.output..end - image * down.output));
            next = end;
        }
        let layout = self.x.layout;
        let origin = |image: usize| {
            let by = image as isize * layout.strides[0]
                + (group * self.channels) as isize * layout.strides[1];
            layout.offset.wrapping_add_signed(by)
        };
        if !self.copied {
            for (image, rows) in images {
                let [row, column] = self.steps;
                let shift = (-down.padding as usize).wrapping_mul(row)
                    + (-across.padding as usize).wrapping_mul(column);
                for o in rows {
                    start_row(origin(image) + shift + (o * down.stride).wrapping_mul(row));
                }
            }
            let source = Source::Input(self.x.data);
            return Ok(Rows { source, starts });
        }
        let height = |rows: &Range<usize>| (rows.len() - 1) * down.stride + down.reach();
        let total = images.iter().map(|(_, rows)| height(rows)).sum();
        let len = numel(&[total, across.span(), self.channels])?;
        let buffer = Buffer::build(len + self.slack, |scratch: &mut [T]| {
            let (scratch, slack) = scratch.split_at_mut(len);
            slack.fill(T::ZERO);
            let width = self.steps[0];
            let mut lines = scratch.chunks_exact_mut(width.max(1));
            let mut line = 0;
            for (image, rows) in images {
                for o in rows.clone() {
                    start_row((line + (o - rows.start) * down.stride) * width);
                }
                let first = (rows.start * down.stride) as isize - down.padding;
                for (y, out) in (first..).zip(lines.by_ref().take(height(&rows))) {
                    self.copy_row(origin(image), y, out);
                }
                line += height(&rows);
            }
        })?;
        let source = Source::Scratch(buffer);
        Ok(Rows { source, starts })
    }

    /// Row `y` of the image at `origin` as the patches want it: channels last, zeros around.
    fn copy_row(&self, origin: usize, y: isize, out: &mut [T]) {
        let [down, across] = self.axes;
        let channels = self.channels;
        if !(0..down.input as isize).contains(&y) {
            return out.fill(T::ZERO);
        }
        // Columns of the copy that the input has, and the first one's position there.
        let columns = out.len() as isize / channels as isize;
        let start = across.padding.clamp(0, columns);
        let end = (across.input as isize + across.padding).clamp(start, columns);
        let (left, rest) = out.split_at_mut(start as usize * channels);
        let (out, right) = rest.split_at_mut((end - start) as usize * channels);
        left.fill(T::ZERO);
        right.fill(T::ZERO);
        let [_, channel, row, column] = [0, 1, 2, 3].map(|d| self.x.layout.strides[d]);
        let at = |x: isize, c: usize| {
            origin.wrapping_add_signed(y * row + x * column + c as isize * channel)
        };
        let x = start - across.padding;
        if out.is_empty() {
        } else if channel == 1 && column == channels as isize {
            out.copy_from_slice(&self.x.data[at(x, 0)..][..out.len()]);
        } else if channel == 1 {
            for (x, out) in (x..).zip(out.chunks_exact_mut(channels)) {
                out.copy_from_slice(&self.x.data[at(x, 0)..][..channels]);
            }
        } else {
            for c in 0..channels {
                for (x, out) in (x..).zip(out[c..].iter_mut().step_by(channels)) {
                    *out = self.x.data[at(x, c)];
                }
            }
        }
    }
}
