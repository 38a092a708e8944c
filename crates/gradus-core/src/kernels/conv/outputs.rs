//! In which order outputs are computed: those that miss the same taps, at the borders of the input,
//! stand together, so that nearly every tile can leave out what is missing.

use super::{Axis, Target};
use crate::shape::Layout;
use std::cell::Cell;
use std::ops::Range;

/// Outputs of one direction that have the same taps.
pub(super) struct Group {
    taps: Range<usize>,
    positions: Vec<usize>,
}

impl Group {
    /// The groups of these outputs, in the order of their first members.
    pub(super) fn all(axis: &Axis, outputs: impl Iterator<Item = usize>) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for output in outputs {
            let taps = axis.taps(output % axis.output);
            match groups.iter_mut().find(|group| group.taps == taps) {
                Some(group) => group.positions.push(output),
                None => groups.push(Self {
                    taps,
                    positions: vec![output],
                }),
            }
        }
        groups
    }
}

/// Some outputs, kind by kind.
#[derive(Default)]
pub(super) struct Outputs {
    /// Where the patch of each output begins; beyond the input's first position perhaps, in which case
    /// its first taps are missing.
    pub starts: Vec<usize>,
    /// Where its channels go.
    pub places: Vec<usize>,
    /// Its kind.
    pub kinds: Vec<usize>,
    /// The taps, down and across, that each kind has.
    pub taps: Vec<[Range<usize>; 2]>,
}

thread_local! {
    /// The lists of the last task, whose memory the next one takes.
    static SPARE: Cell<Outputs> = const { Cell::new(Outputs::EMPTY) };
}

impl Outputs {
    const EMPTY: Self = Self {
        starts: Vec::new(),
        places: Vec::new(),
        kinds: Vec::new(),
        taps: Vec::new(),
    };

    /// Those of `rows`, counted through all images, and `columns`.
    pub(super) fn new(
        rows: Range<usize>,
        columns: &[Group],
        [down, across]: [Axis; 2],
        input: &Layout,
        target: &Target,
    ) -> Self {
        let mut all = SPARE.take();
        all.taps.clear();
        let count = rows.len() * across.output;
        for list in [&mut all.starts, &mut all.places, &mut all.kinds] {
            list.clear();
            list.reserve(count);
        }
        let [image, _, row, column] = [0, 1, 2, 3].map(|d| input.strides[d]);
        // Positions before the input wrap round; only taps that the input has are ever read.
        let first = |axis: &Axis, o: usize, step: isize| {
            ((o * axis.stride) as isize - axis.padding).wrapping_mul(step)
        };
        for below in Group::all(&down, rows) {
            for beside in columns {
                let kind = all.taps.len();
                all.taps.push([below.taps.clone(), beside.taps.clone()]);
                for &at in &below.positions {
                    let (i, y) = (at / down.output, at % down.output);
                    let start = (i as isize * image).wrapping_add(first(&down, y, row));
                    let start = input.offset.wrapping_add_signed(start);
                    let place = target.place(i, [y, 0]);
                    let columns = || beside.positions.iter();
                    let starts = columns().map(|&x| first(&across, x, column));
                    let places = columns().map(|&x| place + x * target.steps[2]);
                    all.starts
                        .extend(starts.map(|by| start.wrapping_add_signed(by)));
                    all.places.extend(places);
                    all.kinds.extend(columns().map(|_| kind));
                }
            }
        }
        all
    }

    /// Leaves the memory to this thread's next task.
    pub(super) fn leave(self) {
        SPARE.set(self);
    }
}
