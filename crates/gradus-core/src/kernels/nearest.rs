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
use super::parallel;
use super::simd::{self, Lane, Simd, WithSimd};
use std::ops::Range;

/// Points that are packed side by side: a multiple of every vector's length.
pub(crate) const SIDE: usize = 32;
/// Centres whose distances are computed together, each with registers of its own.
const TILE: usize = 8;
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
    /// The coordinates of point `i`, and what lies between them: of a row they are the first `d`
    /// numbers, of a packed point every number that is [`SIDE`] after another.
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
    #[inline(always)]
    pub(super) fn take<S: Simd, const SECOND: bool>(
        &mut self,
        simd: S,
        first: usize,
        scores: &[T],
    ) {
        let one = T::splat(simd, T::ONE);
        for at in (0..SIDE).step_by(T::lanes::<S>()) {
            let (best, tag) = (&mut self.best[at], &mut self.tag[at]);
            let second = &mut self.second[at];
            // SAFETY: vectors' lengths divide SIDE, the length of every row.
            unsafe {
                let mut kept = (T::load(simd, best), T::load(simd, tag));
                let mut next = T::load(simd, second);
                let mut number = T::splat(simd, T::from_f64(first as f64));
                for row in scores.chunks_exact(SIDE) {
                    let score = T::load(simd, row.as_ptr().add(at));
                    if SECOND {
                        next = T::least(simd, next, T::most(simd, score, kept.0));
                    }
                    kept = T::keep_less(simd, (score, number), kept);
                    number = T::vadd(simd, number, one);
                }
                T::store(simd, best, kept.0);
                T::store(simd, tag, kept.1);
                if SECOND {
                    T::store(simd, second, next);
                }
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
    fn take<S: Simd>(&mut self, simd: S, first: usize, scores: &[T]);
    /// All centres were there.
    fn end<S: Simd>(&mut self, simd: S, set: &Set<'_, T>, start: usize, len: usize);
}

/// The chunks that a pass for `k` centres is cut into: their number, and points in each.
pub(crate) fn chunks(n: usize, k: usize) -> (usize, usize) {
    let chunk = (n / 64).clamp(CHUNK.0, CHUNK.1).max(k);
    let chunk = chunk.next_multiple_of(SIDE);
    (n.div_ceil(chunk), chunk)
}

/// Shows the distances of the points in `range`, whose start is a multiple of [`SIDE`].
pub(crate) fn walk<T: Lane, C: Consumer<T>>(
    set: &Set<'_, T>,
    centres: &Centres<T>,
    range: Range<usize>,
    consumer: &mut C,
) {
    assert!(range.start.is_multiple_of(SIDE) && range.end <= set.n);
    match set.form {
        Form::Rows => assert!(set.data.len() == set.n * set.d),
        _ => assert!(set.data.len() == packed_len(set.n, set.d)),
    }
    simd::run(Walk {
        set,
        centres,
        range,
        consumer,
    });
}

struct Walk<'a, T, C> {
    set: &'a Set<'a, T>,
    centres: &'a Centres<T>,
    range: Range<usize>,
    consumer: &'a mut C,
}

impl<T: Lane, C: Consumer<T>> WithSimd for Walk<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.set.form {
            Form::Differences => self.blocks::<S, true>(simd),
            Form::Products => self.blocks::<S, false>(simd),
            Form::Rows => self.rows(simd),
        }
    }
}

impl<T: Lane, C: Consumer<T>> Walk<'_, T, C> {
    #[inline(always)]
    fn blocks<S: Simd, const DIFF: bool>(self, simd: S) {
        let (d, k) = (self.set.d, self.centres.k);
        let mut scores = [T::ZERO; TILE * SIDE];
        for start in self.range.clone().step_by(SIDE) {
            let len = SIDE.min(self.range.end - start);
            let block = &self.set.data[start * d..][..SIDE * d];
            self.consumer.begin(start, len);
            for (tile, data) in self.centres.data.chunks_exact(TILE * d).enumerate() {
                let first = tile * TILE;
                let count = TILE.min(k - first);
                let norms = &self.centres.norms[first..][..TILE];
                // With sixteen registers there is room for four centres.
                if S::REGISTER_COUNT >= 32 && count > TILE / 2 {
                    part::<T, S, DIFF, TILE>(simd, block, data, norms, &mut scores, 0);
                } else {
                    part::<T, S, DIFF, { TILE / 2 }>(simd, block, data, norms, &mut scores, 0);
                    if count > TILE / 2 {
                        let half = TILE / 2;
                        part::<T, S, DIFF, { TILE / 2 }>(
                            simd,
                            block,
                            data,
                            norms,
                            &mut scores,
                            half,
                        );
                    }
                }
                self.consumer.take(simd, first, &scores[..count * SIDE]);
            }
            self.consumer.end(simd, self.set, start, len);
        }
    }

    #[inline(always)]
    fn rows<S: Simd>(self, simd: S) {
        let (d, k) = (self.set.d, self.centres.k);
        let mut scores = vec![T::ZERO; k * SIDE];
        for start in self.range.clone().step_by(SIDE) {
            let len = SIDE.min(self.range.end - start);
            let points = &self.set.data[start * d..][..len * d];
            self.consumer.begin(start, len);
            let rows = |data: &[T]| Rows {
                start: data.as_ptr(),
                step: d as isize,
            };
            // SAFETY: both have rows of d elements, k and `len` of them; `scores` has room for k rows
            // of SIDE elements, at least `len`.
            simd::run(unsafe {
                Dots::new(
                    (scores.as_mut_ptr(), SIDE),
                    (k, d, len),
                    rows(&self.centres.data),
                    rows(points),
                )
            });
            for (row, &norm) in scores.chunks_exact_mut(SIDE).zip(&self.centres.norms) {
                row.iter_mut().for_each(|s| *s = *s + norm);
            }
            self.consumer.take(simd, 0, &scores);
            self.consumer.end(simd, self.set, start, len);
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
    #[inline(always)]
    fn begin(&mut self, _: usize, _: usize) {
        self.least.clear();
    }

    #[inline(always)]
    fn take<S: Simd>(&mut self, simd: S, first: usize, scores: &[T]) {
        self.least.take::<S, false>(simd, first, scores);
    }

    #[inline(always)]
    fn end<S: Simd>(&mut self, simd: S, set: &Set<'_, T>, start: usize, len: usize) {
        let labels = &mut self.labels[start - self.first..][..len];
        for (p, label) in labels.iter_mut().enumerate() {
            *label = self.least.label(p);
        }
        if self.sums.is_empty() {
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
                let cost = &mut self.costs[at];
                let best = T::load(simd, &self.least.best[at]);
                T::store(
                    simd,
                    cost,
                    T::mul_add(simd, weight, best, T::load(simd, cost)),
                );
                if self.places == 1 {
                    continue;
                }
                let block = &set.data[start * d..][..SIDE * d];
                let tag = T::load(simd, &self.least.tag[at]);
                let sums = self.sums.chunks_exact_mut((d + 1) * SIDE);
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
        if self.places == SIDE {
            return;
        }
        for (p, &label) in labels.iter().enumerate() {
            let (sums, count) = self.sums[label as usize * (d + 1)..].split_at_mut(d);
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
    #[inline(always)]
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

    #[inline(always)]
    fn take<S: Simd>(&mut self, _: S, first: usize, scores: &[T]) {
        let rows = self.sums[first * SIDE..].chunks_exact_mut(SIDE);
        for (sums, scores) in rows.zip(scores.chunks_exact(SIDE)) {
            let points = self.norm.iter().zip(self.now.iter().zip(&self.weight));
            // A number that the compiler does not know: it would unroll the loop instead of using vectors.
            let pairs = sums.iter_mut().zip(scores).zip(points).take(self.len);
            for ((sum, &score), (&norm, (&now, &weight))) in pairs {
                let new = squared(score + norm);
                let least = if new < now { new } else { now };
                *sum = *sum + weight * least;
            }
        }
    }

    #[inline(always)]
    fn end<S: Simd>(&mut self, _: S, _: &Set<'_, T>, _: usize, _: usize) {}
}

/// A squared distance that rounding may have made negative.
#[inline(always)]
fn squared<T: Lane>(x: T) -> T {
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
    #[inline(always)]
    fn begin(&mut self, start: usize, len: usize) {
        (self.start, self.len) = (start - self.first, len);
        if let Some(norms) = self.norms {
            self.norm[..len].copy_from_slice(&norms[start..][..len]);
        }
    }

    #[inline(always)]
    fn take<S: Simd>(&mut self, _: S, first: usize, scores: &[T]) {
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

    #[inline(always)]
    fn end<S: Simd>(&mut self, _: S, _: &Set<'_, T>, _: usize, _: usize) {}
}
