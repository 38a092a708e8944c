//! A uniform grid for up to three dimensions, its occupied cells only, sorted.
//!
//! A cell's number has the first coordinate in its lowest bits, so cells side by side along it are
//! neighbours in the list, and a strip of cells around a given one is a run of it. As the cells are
//! gone through in order, each strip moves forwards only: two cursors for each strip find them all
//! without a search.
//!
//! The side of a cell is such that its diagonal is eps (less a millionth, for rounding): points in
//! one cell are neighbours. That is still checked for each cell with the coordinates themselves. A
//! cell's place is computed in f64 and is off by at most 2⁻²⁰ of a side; strips are chosen with a
//! ten-thousandth to spare.

use super::bounds::{self, Bounds};
use super::index::{Index, Points, Walk};
use super::metric::{Coordinate, Distance};
use std::ops::Range;

/// Cells in one direction: with more of them, rounding could move a point to a far cell.
const MOST_CELLS: f64 = (1u64 << 31) as f64;

pub(super) struct Grid<T> {
    points: Points<T>,
    starts: Vec<u32>,
    /// The number of each occupied cell.
    cells: Vec<u64>,
    tight: Vec<bool>,
    /// First and last cell of each strip, less the number of the cell in the middle.
    strips: Vec<(i64, i64)>,
}

impl<T: Coordinate> Grid<T> {
    /// The grid of `rows`; none if there are too many dimensions, or cells for their numbers.
    pub(super) fn new<M: Distance>(rows: &[T], dims: usize, eps: f64, limit: T) -> Option<Self> {
        if dims > 3 {
            return None;
        }
        let per_eps = M::diagonal(dims) * (1.0 + 1e-6);
        let side = eps / per_eps;
        // A cell more than this away along one axis holds no neighbours.
        let reach = (per_eps * (1.0 + 1e-4)).floor() as i64 + 1;

        let mut lowest = vec![f64::INFINITY; dims];
        let mut highest = vec![f64::NEG_INFINITY; dims];
        for row in rows.chunks_exact(dims) {
            for (k, x) in row.iter().enumerate() {
                lowest[k] = lowest[k].min(x.to_f64());
                highest[k] = highest[k].max(x.to_f64());
            }
        }
        let mut shifts = Vec::with_capacity(dims);
        let mut bits = 0;
        for (low, high) in lowest.iter().zip(&highest) {
            let cells = (high - low) / side;
            // Also when it is infinite, or no number.
            if !matches!(
                cells.partial_cmp(&MOST_CELLS),
                Some(std::cmp::Ordering::Less)
            ) {
                return None;
            }
            shifts.push(bits);
            // A margin on both sides keeps strips at the border within their rows.
            bits += u64::BITS - (cells as u64 + 1 + 2 * reach as u64).leading_zeros();
        }
        if bits > 63 {
            return None;
        }

        let mut keys = vec![0u64; rows.len() / dims];
        gradus_core::compute::fill(&mut keys, 1 << 14, |start, keys| {
            for (key, row) in keys.iter_mut().zip(rows[start * dims..].chunks_exact(dims)) {
                for (k, x) in row.iter().enumerate() {
                    let cell = ((x.to_f64() - lowest[k]) / side) as u64 + reach as u64;
                    *key |= cell << shifts[k];
                }
            }
        });
        let order = sort(&mut keys, bits);
        let points = Points::new(rows, dims, order);

        let (mut cells, mut starts) = (Vec::new(), Vec::new());
        for (place, &key) in keys.iter().enumerate() {
            if cells.last() != Some(&key) {
                cells.push(key);
                starts.push(place as u32);
            }
        }
        starts.push(keys.len() as u32);
        let mut tight = vec![false; cells.len()];
        gradus_core::compute::fill(&mut tight, 1 << 10, |start, tight| {
            for (i, tight) in tight.iter_mut().enumerate() {
                let range = starts[start + i] as usize..starts[start + i + 1] as usize;
                *tight = range.len() == 1 || {
                    let around = Bounds::of(&points, range);
                    bounds::diagonal::<T, M>(&around.low, &around.high) <= limit
                };
            }
        });
        Some(Self {
            points,
            starts,
            cells,
            tight,
            strips: strips::<M>(reach, per_eps, &shifts),
        })
    }
}

/// The strips of cells that can hold neighbours, the own one first, then those nearest to it.
fn strips<M: Distance>(reach: i64, per_eps: f64, shifts: &[u32]) -> Vec<(i64, i64)> {
    let across = shifts.len() - 1;
    let width = 2 * reach + 1;
    let limit = M::limit(per_eps * (1.0 + 1e-4));
    let apart = |steps: i64| (steps.abs() - 1).max(0) as f64;
    let mut found = Vec::new();
    for number in 0..width.pow(across as u32) {
        let steps: Vec<i64> = (0..across as u32)
            .map(|k| number / width.pow(k) % width - reach)
            .collect();
        let far = |along| {
            steps
                .iter()
                .chain([&along])
                .map(|&s| apart(s))
                .fold(0.0, M::step)
        };
        let Some(along) = (0..=reach).rev().find(|&along| far(along) <= limit) else {
            continue;
        };
        let middle: i64 = steps
            .iter()
            .zip(&shifts[1..])
            .map(|(s, shift)| s << shift)
            .sum();
        let distance: i64 = steps.iter().map(|s| s.abs()).sum();
        found.push((distance, (middle - along, middle + along)));
    }
    found.sort_unstable();
    found.into_iter().map(|(_, strip)| strip).collect()
}

/// Sorts keys of so many bits, digit by digit, equal ones in their order; returns where each was.
fn sort(keys: &mut Vec<u64>, bits: u32) -> Vec<u32> {
    const DIGIT: u32 = 11;
    let n = keys.len();
    let mut order: Vec<u32> = (0..n as u32).collect();
    let (mut next_keys, mut next_order) = (vec![0; n], vec![0; n]);
    // Digits of equal width: 12 bits are sorted by six and six.
    let passes = bits.div_ceil(DIGIT).max(1);
    let width = bits.div_ceil(passes).max(1);
    for pass in 0..passes {
        let digit = |key: u64| (key >> (pass * width)) as usize & ((1 << width) - 1);
        let mut ends = vec![0usize; 1 << width];
        keys.iter().for_each(|&key| ends[digit(key)] += 1);
        let mut sum = 0;
        for end in &mut ends {
            sum += std::mem::replace(end, sum);
        }
        for (&key, &row) in keys.iter().zip(&order) {
            let place = &mut ends[digit(key)];
            next_keys[*place] = key;
            next_order[*place] = row;
            *place += 1;
        }
        std::mem::swap(keys, &mut next_keys);
        std::mem::swap(&mut order, &mut next_order);
    }
    order
}

impl<T: Coordinate> Index<T> for Grid<T> {
    fn points(&self) -> &Points<T> {
        &self.points
    }
    fn starts(&self) -> &[u32] {
        &self.starts
    }
    fn is_tight(&self, group: usize) -> bool {
        self.tight[group]
    }
    fn bounds(&self, _: usize) -> Option<(&[T], &[T])> {
        None
    }

    fn near(&self, walk: &mut Walk, group: usize, out: &mut Vec<Range<usize>>) {
        let cell = self.cells[group];
        let ends = |strip: &(i64, i64)| {
            let first = cell.wrapping_add_signed(strip.0);
            (first, cell.wrapping_add_signed(strip.1))
        };
        if walk.cursors.is_empty() {
            let begin = |strip| {
                let (first, last) = ends(strip);
                let from = self.cells.partition_point(|&cell| cell < first);
                from..from + self.cells[from..].partition_point(|&cell| cell <= last)
            };
            walk.cursors = self.strips.iter().map(begin).collect();
        }
        for (cursor, strip) in walk.cursors.iter_mut().zip(&self.strips) {
            let (first, last) = ends(strip);
            while self
                .cells
                .get(cursor.start)
                .is_some_and(|&cell| cell < first)
            {
                cursor.start += 1;
            }
            cursor.end = cursor.end.max(cursor.start);
            while self.cells.get(cursor.end).is_some_and(|&cell| cell <= last) {
                cursor.end += 1;
            }
            if cursor.start < cursor.end {
                out.push(cursor.clone());
            }
        }
    }
}
