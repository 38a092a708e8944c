//! Hamerly's bounds: a point whose centre is nearer than any other can have come is not looked at
//! (Hamerly, "Making k-means even faster", 2010).
//!
//! For each point there is an upper bound of the distance to its centre and a lower one of that to
//! any other. When centres move, the bounds move by as much. Points that cannot be told by them are
//! packed together and go through the same kernel that looks at all points, so the labels are those
//! that it would have found: bounds are widened by more than rounding can take from its scores.

use super::nearest::{Centres, Consumer, Form, Least, SIDE, Set, squared, walk};
use super::simd::Lane;
use super::{Loop, vectorize};
use std::ops::Range;

/// From so many multiplications for a point on, it is worth computing the distance to its own centre
/// before those to all.
const DEAR: usize = 256;

/// The difference between 1 and the next number.
fn precision<T: Lane>() -> f64 {
    if size_of::<T>() == 4 {
        f64::from(f32::EPSILON)
    } else {
        f64::EPSILON
    }
}

/// What a step knows about the centres.
pub(crate) struct Moved<T> {
    centres: Centres<T>,
    /// The centres as the points see them, rows.
    rows: Vec<T>,
    /// Of each centre: how far it has moved, how far any other has at most, half the distance to the
    /// next one.
    each: Vec<[T; 3]>,
    /// A sum of squares of `d` numbers is wrong by less than this, relatively.
    relative: T,
    /// ‖c‖² is not more than this for any centre.
    largest: T,
}

impl<T: Lane> Moved<T> {
    /// From the centres as they were and as they are, rows of `d` numbers of type `T`; the same if this
    /// is the first step. No ‖c‖² may be more than `largest`.
    pub(crate) fn new(form: Form, d: usize, (old, now): (&[f64], &[f64]), largest: f64) -> Self {
        let k = now.len() / d;
        let distance = |a: &[f64], b: &[f64]| {
            let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
            squares.sum::<f64>().sqrt()
        };
        // Every addition may lose half of the precision; rows are added up in two lanes or more, packed
        // points one number after the other. A score is wrong by no more than that share of
        // ‖x‖² + ‖c‖², which is at least 2|x·c|.
        let added = if form == Form::Rows { d / 4 } else { 2 * d };
        let relative = (added + 8) as f64 * precision::<T>();
        let moves: Vec<f64> = (old.chunks_exact(d).zip(now.chunks_exact(d)))
            .map(|(old, now)| distance(old, now) * (1.0 + 2.0 * relative))
            .collect();
        let farthest = (0..k).fold(0, |a, c| if moves[c] > moves[a] { c } else { a });
        let most = |besides: usize| {
            let others = moves.iter().enumerate().filter(|&(c, _)| c != besides);
            others.fold(0.0, |most: f64, (_, &m)| most.max(m))
        };
        let second = most(farthest);
        let mut half = vec![f64::INFINITY; k];
        for a in 0..k {
            for b in 0..a {
                let between = distance(&now[a * d..][..d], &now[b * d..][..d]) / 2.0;
                half[a] = half[a].min(between);
                half[b] = half[b].min(between);
            }
        }
        let each = (0..k).map(|c| {
            let others = if c == farthest {
                second
            } else {
                moves[farthest]
            };
            [moves[c], others, half[c] * (1.0 - relative)].map(T::from_f64)
        });
        Self {
            centres: Centres::new(form, d, now),
            rows: now.iter().map(|&x| T::from_f64(x)).collect(),
            each: each.collect(),
            relative: T::from_f64(relative),
            largest: T::from_f64(largest),
        }
    }
}

impl<T: Lane> Moved<T> {
    /// What a score of a point with this ‖x‖² may be wrong by.
    #[inline(always)]
    fn wrong(&self, norm: T) -> T {
        self.relative * (norm + self.largest)
    }

    /// An upper bound whose square is larger, by twice of what a score may be wrong by, than that of
    /// any distance that is computed as `square`. So another centre with a larger lower bound has a
    /// larger score, and that stays so while centres move.
    #[inline(always)]
    fn upper(&self, square: T, wrong: T) -> T {
        let three = T::from_f64(3.0);
        (square + three * wrong).sqrt() * (T::ONE + self.relative)
    }
}

/// What is kept for each point of a chunk.
pub(crate) struct Bounds<'a, T> {
    /// The centre of each; negative before the first step.
    pub labels: &'a mut [i32],
    pub upper: &'a mut [T],
    pub lower: &'a mut [T],
}

/// What a step did for a chunk.
#[derive(Default)]
pub(crate) struct Changes {
    /// What is to be added to the sums of each centre's points and of their weights; empty for nothing.
    pub sums: Vec<f64>,
    /// How many points were looked at.
    pub looked: usize,
}

/// A step for the points in `range`, whose bounds are given. `norms` are ‖x‖² of all points where
/// scores lack it.
pub(crate) fn step<T: Lane>(
    set: &Set<'_, T>,
    norms: Option<&[T]>,
    range: Range<usize>,
    bounds: Bounds<'_, T>,
    moved: &Moved<T>,
) -> Changes {
    vectorize(Look {
        set,
        norms,
        range,
        bounds,
        moved,
        packed: None,
        least: Least::default(),
        changes: Changes::default(),
    })
}

/// A step for a chunk. As a consumer of scores it makes new bounds.
struct Look<'a, T> {
    set: &'a Set<'a, T>,
    norms: Option<&'a [T]>,
    range: Range<usize>,
    bounds: Bounds<'a, T>,
    moved: &'a Moved<T>,
    /// The places in the chunk of points that were packed together; none: those of the chunk itself
    /// are looked at.
    packed: Option<[u32; SIDE]>,
    least: Least<T>,
    changes: Changes,
}

impl<T: Lane> Loop for Look<'_, T> {
    type Output = Changes;

    #[inline(always)]
    fn call(mut self) -> Changes {
        let (set, moved, d) = (self.set, self.moved, self.set.d);
        let mut doubtful = self.doubtful();
        // Packing costs about as much as looking at a point in vain.
        if 2 * doubtful.len() > self.range.len() {
            walk(set, &moved.centres, self.range.clone(), &mut self);
            return self.changes;
        }
        if d * moved.each.len() >= DEAR {
            // Not `retain`, whose closure would not be compiled for this processor.
            let mut count = 0;
            for number in 0..doubtful.len() {
                let place = doubtful[number];
                doubtful[count] = place;
                count += usize::from(self.stays_doubtful(place as usize));
            }
            doubtful.truncate(count);
        }
        let mut data = vec![T::ZERO; SIDE * d];
        for places in doubtful.chunks(SIDE) {
            let mut packed = [0; SIDE];
            packed[..places.len()].copy_from_slice(places);
            self.packed = Some(packed);
            for (p, &place) in places.iter().enumerate() {
                let point = set.point(self.range.start + place as usize);
                if set.form == Form::Rows {
                    data[p * d..][..d].copy_from_slice(&point[..d]);
                } else {
                    let to = data[p..].iter_mut().step_by(SIDE);
                    to.zip(point.iter().step_by(SIDE))
                        .for_each(|(to, &x)| *to = x);
                }
            }
            let n = places.len();
            let rows = if set.form == Form::Rows { n } else { SIDE };
            let some = Set {
                n,
                data: &data[..rows * d],
                weights: None,
                ..*set
            };
            walk(&some, &moved.centres, 0..n, &mut self);
        }
        self.changes
    }
}

impl<T: Lane> Look<'_, T> {
    /// Moves the bounds as the centres have moved. Returns the places of those points that another
    /// centre may have come nearer to.
    #[inline(always)]
    fn doubtful(&mut self) -> Vec<u32> {
        let wide = T::from_f64(1.0 + 2.0 * precision::<T>());
        let narrow = T::from_f64(1.0 - 2.0 * precision::<T>());
        let Bounds {
            labels,
            upper,
            lower,
        } = &mut self.bounds;
        let mut doubtful = vec![0; labels.len()];
        let mut count = 0;
        let bounds = upper.iter_mut().zip(lower.iter_mut());
        for (place, (&mut label, (upper, lower))) in labels.iter_mut().zip(bounds).enumerate() {
            let [own, others, half] = self.moved.each[label.max(0) as usize];
            *upper = (*upper + own) * wide;
            *lower = (*lower - others) * narrow;
            let least = if *lower > half { *lower } else { half };
            doubtful[count] = place as u32;
            count += usize::from(*upper >= least);
        }
        doubtful.truncate(count);
        doubtful
    }

    /// Whether the distance to a point's own centre leaves its bounds as they are.
    #[inline(always)]
    fn stays_doubtful(&mut self, place: usize) -> bool {
        let (set, d) = (self.set, self.set.d);
        let i = self.range.start + place;
        let label = self.bounds.labels[place];
        if label < 0 {
            return true;
        }
        let centre = &self.moved.rows[label as usize * d..][..d];
        let point = set.point(i);
        let square = if set.form == Form::Rows {
            // Sixteen sums at a time.
            let mut sums = [T::ZERO; 16];
            for (x, c) in point[..d].chunks(16).zip(centre.chunks(16)) {
                for (sum, (&x, &c)) in sums.iter_mut().zip(x.iter().zip(c)) {
                    *sum = *sum + (x - c) * (x - c);
                }
            }
            sums.into_iter().fold(T::ZERO, |a, b| a + b)
        } else {
            let pairs = point.iter().step_by(SIDE).zip(centre);
            pairs.fold(T::ZERO, |sum, (&x, &c)| sum + (x - c) * (x - c))
        };
        let wrong = self
            .norms
            .map_or(T::ZERO, |norms| self.moved.wrong(norms[i]));
        let upper = self.moved.upper(square, wrong);
        self.bounds.upper[place] = upper;
        let half = self.moved.each[label as usize][2];
        let lower = self.bounds.lower[place];
        upper >= if lower > half { lower } else { half }
    }
}

impl<T: Lane> Consumer<T> for Look<'_, T> {
    fn begin(&mut self, _: usize, _: usize) {
        self.least.clear();
    }

    fn take(&mut self, first: usize, scores: &[T]) {
        self.least.take(first, scores, true);
    }

    fn end(&mut self, _: &Set<'_, T>, start: usize, len: usize) {
        vectorize(End {
            look: self,
            start,
            len,
        });
    }
}

/// The end of a block: bounds and labels for its points.
struct End<'c, 'a, T> {
    look: &'c mut Look<'a, T>,
    start: usize,
    len: usize,
}

impl<T: Lane> Loop for End<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self { look, start, len } = self;
        look.changes.looked += len;
        let places = look.packed.unwrap_or_else(|| {
            let begin = start - look.range.start;
            std::array::from_fn(|p| (begin + p) as u32)
        });
        let mut norms = [T::ZERO; SIDE];
        if let Some(all) = look.norms {
            for (norm, &place) in norms.iter_mut().zip(&places).take(len) {
                *norm = all[look.range.start + place as usize];
            }
        }
        let (mut upper, mut lower) = (norms, norms);
        // Numbers that the compiler does not know: it would unroll the loop instead of using vectors.
        let scores = look
            .least
            .best
            .iter()
            .zip(&look.least.second)
            .zip(&norms)
            .take(len);
        for ((upper, lower), ((&best, &second), &norm)) in
            upper.iter_mut().zip(&mut lower).zip(scores)
        {
            let wrong = match look.set.form {
                Form::Differences => T::ZERO,
                _ => look.moved.wrong(norm),
            };
            *upper = look.moved.upper(squared(best + norm), wrong);
            let least = squared(second + norm - wrong).sqrt();
            *lower = least * (T::ONE - look.moved.relative);
        }
        for p in 0..len {
            let place = places[p] as usize;
            look.bounds.upper[place] = upper[p];
            look.bounds.lower[place] = lower[p];
            let (new, old) = (look.least.label(p), look.bounds.labels[place]);
            if new != old {
                look.bounds.labels[place] = new;
                look.changed(place, old, new);
            }
        }
    }
}

impl<T: Lane> Look<'_, T> {
    /// Takes a point from one centre, if it had one, to another.
    #[inline(always)]
    fn changed(&mut self, place: usize, old: i32, new: i32) {
        let i = self.range.start + place;
        if self.changes.sums.is_empty() {
            self.changes.sums = vec![0.0; self.moved.each.len() * (self.set.d + 1)];
        }
        let weight = self.set.weights.map_or(1.0, |w| w[i].to_f64());
        self.add(new, i, weight);
        if old >= 0 {
            self.add(old, i, -weight);
        }
    }

    /// Adds point `i` to the sums of a centre.
    #[inline(always)]
    fn add(&mut self, label: i32, i: usize, weight: f64) {
        let d = self.set.d;
        let (sums, rest) = self.changes.sums[label as usize * (d + 1)..].split_at_mut(d);
        let point = self.set.point(i);
        if self.set.form == Form::Rows {
            let pairs = sums.iter_mut().zip(point);
            pairs.for_each(|(s, x)| *s += weight * x.to_f64());
        } else {
            let pairs = sums.iter_mut().zip(point.iter().step_by(SIDE));
            pairs.for_each(|(s, x)| *s += weight * x.to_f64());
        }
        rest[0] += weight;
    }
}
