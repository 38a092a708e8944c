//! The nearest of several centres for each of many points: one pass over the points, which also adds
//! up those that belong to each centre. Distances of all pairs are never in memory.
//!
//! Points of few dimensions are packed once: [`SIDE`] points side by side, so that a vector holds one
//! coordinate of several points and distances need no sums across lanes. Up to eight dimensions the
//! squares of differences are added up, which is exact where coordinates are small integers; beyond
//! it is ‖c‖² − 2x·c, which takes half the operations. Points of many dimensions stay as they are,
//! and their products with the centres are those of [`Dots`].
//!
//! Sums are formed by chunks of points whose borders depend on the sizes alone, in the type of the
//! points, and put together in order in f64.

use super::dots::{Dots, Rows};
use super::simd::{self, Lane, Simd, WithSimd};
use super::{Loop, parallel, vectorize};
use std::ops::Range;

/// Points that are packed side by side: a multiple of every vector's length.
pub(crate) const SIDE: usize = 64;
/// Centres whose distances are computed together, each with registers of its own.
const TILE: usize = 8;
/// Centres whose scores are in memory together: whole tiles.
const TOGETHER: usize = 8 * TILE;
/// Up to so many dimensions distances are sums of squared differences.
const DIFFERENCES: usize = 8;
/// Up to so many dimensions points are packed.
const PACKED: usize = 64;
/// Points of a chunk: at least, and at most unless there are more centres.
const CHUNK: (usize, usize) = (2048, 16_384);

/// How distances are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Packed points, Σ(x − c)².
    Differences,
    /// Packed points, ‖c‖² − 2x·c.
    Products,
    /// Rows, ‖c‖² − 2x·c.
    Rows,
}

impl Form {
    /// The best for points of `d` dimensions.
    pub(crate) fn of(d: usize) -> Self {
        if d <= DIFFERENCES {
            Self::Differences
        } else if d <= PACKED {
            Self::Products
        } else {
            Self::Rows
        }
    }
}

/// Points: packed or as rows, as `form` says.
#[derive(Clone, Copy)]
pub(crate) struct Set<'a, T> {
    pub n: usize,
    pub d: usize,
    pub form: Form,
    pub data: &'a [T],
    pub weights: Option<&'a [T]>,
}

impl<T> Set<'_, T> {
    /// From the first coordinate of point `i` on: of a row the next ones follow, of a packed point they
    /// are [`SIDE`] numbers apart.
    #[inline(always)]
    pub(super) fn point(&self, i: usize) -> &[T] {
        match self.form {
            Form::Rows => &self.data[i * self.d..][..self.d],
            _ => {
                let block = &self.data[i / SIDE * SIDE * self.d..][..SIDE * self.d];
                &block[i % SIDE..]
            }
        }
    }
}

/// The least scores of a block of points, and whose they are; of equal ones the first.
pub(crate) struct Least<T> {
    pub best: [T; SIDE],
    /// The least but one, if it was asked for.
    pub second: [T; SIDE],
    tag: [T; SIDE],
}

impl<T: Lane> Default for Least<T> {
    fn default() -> Self {
        Self {
            best: [T::HIGHEST; SIDE],
            second: [T::HIGHEST; SIDE],
            tag: [T::ZERO; SIDE],
        }
    }
}

impl<T: Lane> Least<T> {
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The number of the centre with the least score.
    #[inline(always)]
    pub(super) fn label(&self, p: usize) -> i32 {
        self.tag[p].to_i64() as i32
    }

    /// Takes scores as a [`Consumer`] does.
    pub(super) fn take(&mut self, first: usize, scores: &[T], second: bool) {
        simd::run(Take {
            least: self,
            first,
            scores,
            second,
        });
    }
}

struct Take<'a, T> {
    least: &'a mut Least<T>,
    first: usize,
    scores: &'a [T],
    second: bool,
}

impl<T: Lane> WithSimd for Take<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let least = self.least;
        let one = T::splat(simd, T::ONE);
        for at in (0..SIDE).step_by(T::lanes::<S>()) {
            let (best, tag) = (&mut least.best[at], &mut least.tag[at]);
            let second = &mut least.second[at];
            // SAFETY: vectors' lengths divide SIDE, the length of every row.
            unsafe {
                let mut kept = (T::load(simd, best), T::load(simd, tag));
                let mut next = T::load(simd, second);
                let mut number = T::splat(simd, T::from_f64(self.first as f64));
                for row in self.scores.chunks_exact(SIDE) {
                    let score = T::load(simd, row.as_ptr().add(at));
                    if self.second {
                        next = T::least(simd, next, T::most(simd, score, kept.0));
                    }
                    kept = T::keep_less(simd, (score, number), kept);
                    number = T::vadd(simd, number, one);
                }
                T::store(simd, best, kept.0);
                T::store(simd, tag, kept.1);
                T::store(simd, second, next);
            }
        }
    }
}

/// The rows of a matrix less `shift`, packed: for each [`SIDE`] points their first coordinates, then
/// their second ones. `out` has room for whole blocks.
pub(crate) fn pack<T: Lane>(out: &mut [T], rows: &[T], shift: &[T]) {
    let d = shift.len();
    let block = d * SIDE;
    parallel::fill(out, block * (CHUNK.0 / SIDE), |start, out| {
        for (i, block) in out.chunks_exact_mut(block).enumerate() {
            let first = (start / block.len() + i) * SIDE * d;
            for (p, row) in rows[first..].chunks_exact(d).take(SIDE).enumerate() {
                for (j, (&x, &m)) in row.iter().zip(shift).enumerate() {
                    block[j * SIDE + p] = x - m;
                }
            }
        }
    });
}

/// The number of elements that [`pack`] writes.
pub(crate) fn packed_len(n: usize, d: usize) -> usize {
    n.div_ceil(SIDE) * SIDE * d
}

/// Centres, arranged for a form.
pub(crate) struct Centres<T> {
    pub k: usize,
    /// Tiles of [`TILE`] centres, coordinate by coordinate; or rows.
    data: Vec<T>,
    /// ‖c‖², or zeros.
    norms: Vec<T>,
}

impl<T: Lane> Centres<T> {
    /// From rows of `d` coordinates.
    pub(crate) fn new(form: Form, d: usize, rows: &[f64]) -> Self {
        let k = rows.len() / d;
        let mut norms = vec![T::ZERO; k.next_multiple_of(TILE)];
        // What the points are multiplied by.
        let factor = |x: f64| match form {
            Form::Differences => T::from_f64(x),
            _ => T::from_f64(-2.0) * T::from_f64(x),
        };
        if form != Form::Differences {
            for (norm, row) in norms.iter_mut().zip(rows.chunks_exact(d)) {
                let squares = row.iter().map(|&x| T::from_f64(x).to_f64().powi(2));
                *norm = T::from_f64(squares.sum());
            }
        }
        let data = if form == Form::Rows {
            rows.iter().map(|&x| factor(x)).collect()
        } else {
            let mut data = vec![T::ZERO; k.next_multiple_of(TILE) * d];
            for (c, row) in rows.chunks_exact(d).enumerate() {
                for (j, &x) in row.iter().enumerate() {
                    data[(c / TILE * d + j) * TILE + c % TILE] = factor(x);
                }
            }
            data
        };
        Self { k, data, norms }
    }
}

/// What is done with distances. A pass calls, for each block of points, `begin`, `take` for some
/// centres after the others, and `end`.
pub(crate) trait Consumer<T: Lane> {
    /// The block of `len` points from number `start` on is next.
    fn begin(&mut self, start: usize, len: usize);
    /// The scores of some centres, the first of them number `first`: rows of [`SIDE`] points. Those
    /// beyond the length of the block mean nothing, but are numbers.
    fn take(&mut self, first: usize, scores: &[T]);
    /// All centres were there.
    fn end(&mut self, set: &Set<'_, T>, start: usize, len: usize);
}

/// The chunks that a pass for `k` centres is cut into: their number, and points in each.
pub(crate) fn chunks(n: usize, k: usize) -> (usize, usize) {
    let chunk = (n / 64).clamp(CHUNK.0, CHUNK.1).max(k);
    let chunk = chunk.next_multiple_of(SIDE);
    (n.div_ceil(chunk), chunk)
}

/// Shows the distances of the points in `range`, whose start is a multiple of [`SIDE`].
pub(crate) fn walk<T: Lane>(
    set: &Set<'_, T>,
    centres: &Centres<T>,
    range: Range<usize>,
    consumer: &mut dyn Consumer<T>,
) {
    assert!(range.start.is_multiple_of(SIDE) && range.end <= set.n);
    let (d, k) = (set.d, centres.k);
    let rows = set.form == Form::Rows;
    let mut scores = vec![T::ZERO; k.min(TOGETHER).next_multiple_of(TILE) * SIDE];
    for start in range.clone().step_by(SIDE) {
        let len = SIDE.min(range.end - start);
        let points = &set.data[start * d..][..d * if rows { len } else { SIDE }];
        consumer.begin(start, len);
        for first in (0..k).step_by(TOGETHER) {
            let count = TOGETHER.min(k - first);
            let scores = &mut scores[..count.next_multiple_of(TILE) * SIDE];
            let norms = &centres.norms[first..];
            if rows {
                row_scores(
                    points,
                    &centres.data[first * d..][..count * d],
                    norms,
                    d,
                    scores,
                );
            } else {
                let tiles = &centres.data[first * d..];
                simd::run(Scores {
                    points,
                    tiles,
                    norms,
                    differences: set.form == Form::Differences,
                    scores,
                });
            }
            consumer.take(first, &scores[..count * SIDE]);
        }
        consumer.end(set, start, len);
    }
}

/// The scores of a block of rows with rows of centres.
fn row_scores<T: Lane>(points: &[T], centres: &[T], norms: &[T], d: usize, scores: &mut [T]) {
    let (count, len) = (centres.len() / d, points.len() / d);
    assert!(len <= SIDE && scores.len() >= count * SIDE);
    let rows = |data: &[T]| Rows {
        start: data.as_ptr(),
        step: d as isize,
    };
    // SAFETY: both have rows of d elements, `count` and `len` of them; `scores` has room for `count`
    // rows of SIDE elements, at least `len`.
    simd::run(unsafe {
        Dots::new(
            (scores.as_mut_ptr(), SIDE),
            (count, d, len),
            rows(centres),
            rows(points),
        )
    });
    for (row, &norm) in scores.chunks_exact_mut(SIDE).zip(norms).take(count) {
        row.iter_mut().for_each(|s| *s = *s + norm);
    }
}

/// The scores of a block of packed points with tiles of centres: as many as there is room for.
struct Scores<'a, T> {
    points: &'a [T],
    tiles: &'a [T],
    norms: &'a [T],
    differences: bool,
    scores: &'a mut [T],
}

impl<T: Lane> WithSimd for Scores<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // With sixteen registers there is room for four centres.
        match (self.differences, S::REGISTER_COUNT >= 32) {
            (true, true) => self.tiles::<S, true, TILE>(simd),
            (true, false) => self.tiles::<S, true, { TILE / 2 }>(simd),
            (false, true) => self.tiles::<S, false, TILE>(simd),
            (false, false) => self.tiles::<S, false, { TILE / 2 }>(simd),
        }
    }
}

impl<T: Lane> Scores<'_, T> {
    /// `C` centres at a time, which divides a tile.
    #[inline(always)]
    fn tiles<S: Simd, const DIFF: bool, const C: usize>(self, simd: S) {
        let d = self.points.len() / SIDE;
        let tiles = self
            .tiles
            .chunks_exact(TILE * d)
            .zip(self.norms.chunks_exact(TILE));
        let scores = self.scores.as_chunks_mut::<{ TILE * SIDE }>().0;
        for ((tile, norms), scores) in tiles.zip(scores) {
            for from in (0..TILE).step_by(C) {
                part::<T, S, DIFF, C>(simd, self.points, tile, norms, scores, from);
            }
        }
    }
}

/// The scores of a block of points with `C` centres of a tile, from number `from` on.
#[inline(always)]
#[allow(clippy::needless_range_loop)] // Unrolled, so that the sums are registers.
fn part<T: Lane, S: Simd, const DIFF: bool, const C: usize>(
    simd: S,
    block: &[T],
    tile: &[T],
    norms: &[T],
    scores: &mut [T; TILE * SIDE],
    from: usize,
) {
    let lanes = T::lanes::<S>();
    let d = block.len() / SIDE;
    assert!(block.len() == d * SIDE && tile.len() == d * TILE && from + C <= TILE);
    for at in (0..SIDE).step_by(2 * lanes) {
        let mut sums = [[T::splat(simd, T::ZERO); 2]; C];
        if !DIFF {
            for c in 0..C {
                sums[c] = [T::splat(simd, norms[from + c]); 2];
            }
        }
        for j in 0..d {
            // SAFETY: two vectors of row j of the block, since 2·lanes divides SIDE; centre
            // from + C − 1 < TILE of coordinate j.
            let (x, y) = unsafe {
                let x = block.as_ptr().add(j * SIDE + at);
                let x = [T::load(simd, x), T::load(simd, x.add(lanes))];
                (x, tile.as_ptr().add(j * TILE + from))
            };
            for c in 0..C {
                // SAFETY: as above.
                let y = T::splat(simd, unsafe { *y.add(c) });
                for v in 0..2 {
                    sums[c][v] = if DIFF {
                        let difference = T::vsub(simd, x[v], y);
                        T::mul_add(simd, difference, difference, sums[c][v])
                    } else {
                        T::mul_add(simd, x[v], y, sums[c][v])
                    };
                }
            }
        }
        for c in 0..C {
            for v in 0..2 {
                // SAFETY: a vector of row from + c of the scores.
                unsafe {
                    let out = scores.as_mut_ptr().add((from + c) * SIDE + at + v * lanes);
                    T::store(simd, out, sums[c][v]);
                }
            }
        }
    }
}

/// Up to so many centres each has sums of its own for every place in a block: adding zeros to all but
/// one of them needs no look at labels one by one.
const FEW: usize = 16;

/// The nearest centre of each point, of equally near ones the first; with the sums of each centre's
/// points if asked.
pub(crate) struct Assign<'a, T> {
    least: Least<T>,
    /// Those of the chunk, which begins at point `first`.
    labels: &'a mut [i32],
    first: usize,
    /// For each centre the sums of its points' coordinates, and of their weights; one, or one for each
    /// place in a block.
    sums: Vec<T>,
    places: usize,
    /// The least scores, by place.
    costs: [T; SIDE],
}

impl<'a, T: Lane> Assign<'a, T> {
    /// With the labels of the points from `first` on. Sums are formed if `k`, the number of centres, is
    /// not 0.
    pub(crate) fn new(set: &Set<'_, T>, labels: &'a mut [i32], first: usize, k: usize) -> Self {
        let places = if set.form != Form::Rows && k <= FEW {
            SIDE
        } else {
            1
        };
        Self {
            least: Least::default(),
            labels,
            first,
            sums: vec![T::ZERO; k * (set.d + 1) * places],
            places,
            costs: [T::ZERO; SIDE],
        }
    }

    /// For each centre the sums of its points' coordinates, and of their weights.
    pub(crate) fn sums(&self) -> Vec<f64> {
        let sums = self.sums.chunks_exact(self.places);
        sums.map(|places| places.iter().map(|s| s.to_f64()).sum())
            .collect()
    }

    /// The sum of the least scores, weighted.
    pub(crate) fn cost(&self) -> f64 {
        self.costs.iter().map(|c| c.to_f64()).sum()
    }
}

impl<T: Lane> Consumer<T> for Assign<'_, T> {
    fn begin(&mut self, _: usize, _: usize) {
        self.least.clear();
    }

    fn take(&mut self, first: usize, scores: &[T]) {
        self.least.take(first, scores, false);
    }

    fn end(&mut self, set: &Set<'_, T>, start: usize, len: usize) {
        simd::run(End {
            assign: self,
            set,
            start,
            len,
        });
    }
}

/// The end of a block, whose points are assigned and added up.
struct End<'c, 'a, 's, T> {
    assign: &'c mut Assign<'a, T>,
    set: &'c Set<'s, T>,
    start: usize,
    len: usize,
}

impl<T: Lane> WithSimd for End<'_, '_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            assign,
            set,
            start,
            len,
        } = self;
        let labels = &mut assign.labels[start - assign.first..][..len];
        for (p, label) in labels.iter_mut().enumerate() {
            *label = assign.least.label(p);
        }
        if assign.sums.is_empty() {
            return;
        }
        // Beyond the end of the points nothing has weight.
        let mut weights = [T::ZERO; SIDE];
        match set.weights {
            Some(w) => weights[..len].copy_from_slice(&w[start..][..len]),
            None => weights[..len].fill(T::ONE),
        }
        let d = set.d;
        for at in (0..SIDE).step_by(T::lanes::<S>()) {
            // SAFETY: vectors' lengths divide SIDE, the length of these arrays and of every row of
            // sums and coordinates.
            unsafe {
                let weight = T::load(simd, &weights[at]);
                let cost = &mut assign.costs[at];
                let best = T::load(simd, &assign.least.best[at]);
                T::store(
                    simd,
                    cost,
                    T::mul_add(simd, weight, best, T::load(simd, cost)),
                );
                if assign.places == 1 {
                    continue;
                }
                let block = &set.data[start * d..][..SIDE * d];
                let tag = T::load(simd, &assign.least.tag[at]);
                let sums = assign.sums.chunks_exact_mut((d + 1) * SIDE);
                for (c, sums) in sums.enumerate() {
                    let number = T::splat(simd, T::from_f64(c as f64));
                    let mine = T::where_equal(simd, tag, number, weight);
                    let (sums, count) = sums.split_at_mut(d * SIDE);
                    let pairs = sums.chunks_exact_mut(SIDE).zip(block.chunks_exact(SIDE));
                    for (sum, x) in pairs {
                        let sum = &mut sum[at];
                        let x = T::load(simd, &x[at]);
                        T::store(simd, sum, T::mul_add(simd, mine, x, T::load(simd, sum)));
                    }
                    let count = &mut count[at];
                    T::store(simd, count, T::vadd(simd, mine, T::load(simd, count)));
                }
            }
        }
        if assign.places == SIDE {
            return;
        }
        for (p, &label) in labels.iter().enumerate() {
            let (sums, count) = assign.sums[label as usize * (d + 1)..].split_at_mut(d);
            let (point, w) = (set.point(start + p), weights[p]);
            if set.form == Form::Rows {
                let pairs = sums.iter_mut().zip(point);
                pairs.for_each(|(s, &x)| *s = *s + w * x);
            } else {
                let pairs = sums.iter_mut().zip(point.iter().step_by(SIDE));
                pairs.for_each(|(s, &x)| *s = *s + w * x);
            }
            count[0] = count[0] + w;
        }
    }
}

/// For each of several candidates: what the sum of squared distances to the nearest centre would be if
/// the candidate were one more.
pub(crate) struct Potentials<'a, T> {
    /// ‖x‖² where scores lack it, and the squared distances to the nearest centre so far.
    norms: Option<&'a [T]>,
    closest: &'a [T],
    weights: Option<&'a [T]>,
    norm: [T; SIDE],
    now: [T; SIDE],
    weight: [T; SIDE],
    len: usize,
    /// A row of sums for each candidate.
    sums: Vec<T>,
}

impl<'a, T: Lane> Potentials<'a, T> {
    /// All slices are of all points.
    pub(crate) fn new(
        norms: Option<&'a [T]>,
        closest: &'a [T],
        weights: Option<&'a [T]>,
        candidates: usize,
    ) -> Self {
        Self {
            norms,
            closest,
            weights,
            norm: [T::ZERO; SIDE],
            now: [T::ZERO; SIDE],
            weight: [T::ONE; SIDE],
            len: 0,
            sums: vec![T::ZERO; candidates * SIDE],
        }
    }

    pub(crate) fn sums(&self) -> impl Iterator<Item = f64> {
        let rows = self.sums.chunks_exact(SIDE);
        rows.map(|row| row.iter().map(|s| s.to_f64()).sum())
    }
}

impl<T: Lane> Consumer<T> for Potentials<'_, T> {
    fn begin(&mut self, start: usize, len: usize) {
        self.len = len;
        self.now[..len].copy_from_slice(&self.closest[start..][..len]);
        if let Some(norms) = self.norms {
            self.norm[..len].copy_from_slice(&norms[start..][..len]);
        }
        if let Some(weights) = self.weights {
            self.weight[..len].copy_from_slice(&weights[start..][..len]);
        }
    }

    fn take(&mut self, first: usize, scores: &[T]) {
        vectorize(Potential {
            potentials: self,
            first,
            scores,
        });
    }

    fn end(&mut self, _: &Set<'_, T>, _: usize, _: usize) {}
}

struct Potential<'c, 'a, T> {
    potentials: &'c mut Potentials<'a, T>,
    first: usize,
    scores: &'c [T],
}

impl<T: Lane> Loop for Potential<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self {
            potentials,
            first,
            scores,
        } = self;
        let rows = potentials.sums[first * SIDE..].chunks_exact_mut(SIDE);
        for (sums, scores) in rows.zip(scores.chunks_exact(SIDE)) {
            let points = potentials
                .norm
                .iter()
                .zip(potentials.now.iter().zip(&potentials.weight));
            // A number that the compiler does not know: it would unroll the loop instead of using vectors.
            let pairs = sums.iter_mut().zip(scores).zip(points).take(potentials.len);
            for ((sum, &score), (&norm, (&now, &weight))) in pairs {
                let new = squared(score + norm);
                let least = if new < now { new } else { now };
                *sum = *sum + weight * least;
            }
        }
    }
}

/// A squared distance that rounding may have made negative.
#[inline(always)]
pub(super) fn squared<T: Lane>(x: T) -> T {
    if x > T::ZERO { x } else { T::ZERO }
}

/// Writes the squared distances of each point to all centres, a row for each point, or the least of
/// them and what is there.
pub(crate) struct Distances<'a, T> {
    norms: Option<&'a [T]>,
    norm: [T; SIDE],
    len: usize,
    start: usize,
    /// Those of the chunk, which begins at point `first`.
    out: &'a mut [T],
    first: usize,
    /// Elements of a row, or 0 for the least.
    k: usize,
}

impl<'a, T: Lane> Distances<'a, T> {
    pub(crate) fn new(norms: Option<&'a [T]>, out: &'a mut [T], first: usize, k: usize) -> Self {
        Self {
            norms,
            norm: [T::ZERO; SIDE],
            len: 0,
            start: 0,
            out,
            first,
            k,
        }
    }
}

impl<T: Lane> Consumer<T> for Distances<'_, T> {
    fn begin(&mut self, start: usize, len: usize) {
        (self.start, self.len) = (start - self.first, len);
        if let Some(norms) = self.norms {
            self.norm[..len].copy_from_slice(&norms[start..][..len]);
        }
    }

    fn take(&mut self, first: usize, scores: &[T]) {
        for (c, scores) in scores.chunks_exact(SIDE).enumerate() {
            if self.k == 0 {
                let out = &mut self.out[self.start..][..self.len];
                for ((out, &score), &norm) in out.iter_mut().zip(scores).zip(&self.norm) {
                    let new = squared(score + norm);
                    *out = if new < *out { new } else { *out };
                }
            } else {
                let out = self.out[self.start * self.k + first + c..].iter_mut();
                let out = out.step_by(self.k).take(self.len);
                for ((out, &score), &norm) in out.zip(scores).zip(&self.norm) {
                    *out = squared(score + norm);
                }
            }
        }
    }

    fn end(&mut self, _: &Set<'_, T>, _: usize, _: usize) {}
}
