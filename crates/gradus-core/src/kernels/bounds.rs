//! Hamerly's bounds: a point whose centre is nearer than any other can have come is not looked at
//! (Hamerly, "Making k-means even faster", 2010).
//!
//! For each point there is an upper bound of the distance to its centre and a lower one of that to
//! any other. When centres move, the bounds move by as much. Bounds are widened by more than rounding
//! can take from them, so that no point keeps a centre wrongly.

use super::simd::Lane;
use super::vectorize;

/// What a step knows about the centres.
pub(crate) struct Moved<T> {
    pub k: usize,
    pub d: usize,
    /// The centres, coordinate by coordinate, in rows of `width`, which is k or more; infinite beyond k.
    pub columns: Vec<T>,
    pub width: usize,
    /// How far each has moved since the last step.
    pub moves: Vec<T>,
    /// The centre that has moved farthest, how far, and the farthest of the others.
    pub farthest: (usize, T, T),
    /// Half the distance of each to the next centre, or a little less.
    pub half: Vec<T>,
}

impl<T: Lane> Moved<T> {
    /// From the centres as they were and as they are, rows of `d` coordinates. Without old ones this
    /// is the first step.
    pub(crate) fn new(d: usize, old: Option<&[f64]>, now: &[f64]) -> Self {
        let k = now.len() / d;
        let width = k.next_multiple_of(16);
        let mut columns = vec![T::HIGHEST; width * d];
        // As the points see them.
        let rounded: Vec<f64> = now.iter().map(|&x| T::from_f64(x).to_f64()).collect();
        for (c, row) in rounded.chunks_exact(d).enumerate() {
            for (j, &x) in row.iter().enumerate() {
                columns[j * width + c] = T::from_f64(x);
            }
        }
        let distance = |a: &[f64], b: &[f64]| {
            let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
            squares.sum::<f64>().sqrt()
        };
        let up = |x: f64| T::from_f64(x * (1.0 + 4.0 * epsilon::<T>(d)));
        let moves: Vec<T> = match old {
            Some(old) => {
                let pairs = old.chunks_exact(d).zip(rounded.chunks_exact(d));
                pairs
                    .map(|(old, now)| {
                        let old: Vec<f64> = old.iter().map(|&x| T::from_f64(x).to_f64()).collect();
                        up(distance(&old, now))
                    })
                    .collect()
            }
            None => vec![T::ZERO; k],
        };
        let mut farthest = (0, T::ZERO, T::ZERO);
        for (c, &m) in moves.iter().enumerate() {
            if m > farthest.1 {
                farthest = (c, m, farthest.1);
            } else if m > farthest.2 {
                farthest.2 = m;
            }
        }
        let mut half = vec![f64::INFINITY; k];
        for a in 0..k {
            for b in 0..a {
                let between = distance(&rounded[a * d..][..d], &rounded[b * d..][..d]) / 2.0;
                half[a] = half[a].min(between);
                half[b] = half[b].min(between);
            }
        }
        let down = |x: f64| T::from_f64(x * (1.0 - 4.0 * epsilon::<T>(d)));
        Self {
            k,
            d,
            columns,
            width,
            moves,
            farthest,
            half: half.into_iter().map(down).collect(),
        }
    }
}

/// More than what a distance of `d` dimensions is wrong by, relatively.
fn epsilon<T: Lane>(d: usize) -> f64 {
    let unit = if size_of::<T>() == 4 {
        f64::from(f32::EPSILON)
    } else {
        f64::EPSILON
    };
    (d as f64 + 8.0) * unit
}

/// What is kept for each point of a chunk.
pub(crate) struct Bounds<'a, T> {
    /// The centre of each; negative before the first step.
    pub labels: &'a mut [i32],
    pub upper: &'a mut [T],
    pub lower: &'a mut [T],
}

/// A step for the points of a chunk, rows of coordinates. The changes of the centres' sums, and of the
/// sums of weights behind each, are added to `sums`. Returns how many points were looked at.
pub(crate) fn step<T: Lane>(
    rows: &[T],
    weights: Option<&[T]>,
    bounds: Bounds<'_, T>,
    moved: &Moved<T>,
    sums: &mut [f64],
) -> usize {
    let d = moved.d;
    let (wide, narrow) = (
        T::from_f64(1.0 + 4.0 * epsilon::<T>(d)),
        T::from_f64(1.0 - 4.0 * epsilon::<T>(d)),
    );
    let Bounds {
        labels,
        upper,
        lower,
    } = bounds;
    let mut scores = vec![T::ZERO; moved.width];
    let mut looked = 0;
    for (p, x) in rows.chunks_exact(d).enumerate() {
        let old = labels[p];
        if old >= 0 {
            let c = old as usize;
            let (farthest, most, second) = moved.farthest;
            let others = if c == farthest { second } else { most };
            upper[p] = (upper[p] + moved.moves[c]) * wide;
            let left = lower[p] - others;
            lower[p] = if left > T::ZERO {
                left * narrow
            } else {
                T::ZERO
            };
            let least = if lower[p] > moved.half[c] {
                lower[p]
            } else {
                moved.half[c]
            };
            if upper[p] < least {
                continue;
            }
            let own = x.iter().enumerate().map(|(j, &x)| {
                let difference = x - moved.columns[j * moved.width + c];
                difference * difference
            });
            upper[p] = own.fold(T::ZERO, |a, b| a + b).sqrt() * wide;
            if upper[p] < least {
                continue;
            }
        }
        looked += 1;
        vectorize(|| {
            scores.fill(T::ZERO);
            for (&x, column) in x.iter().zip(moved.columns.chunks_exact(moved.width)) {
                for (score, &c) in scores.iter_mut().zip(column) {
                    *score = *score + (x - c) * (x - c);
                }
            }
        });
        let (mut best, mut first, mut second) = (0, T::HIGHEST, T::HIGHEST);
        for (c, &score) in scores[..moved.k].iter().enumerate() {
            if score < first {
                (second, first, best) = (first, score, c);
            } else if score < second {
                second = score;
            }
        }
        upper[p] = first.sqrt() * wide;
        lower[p] = second.sqrt() * narrow;
        if best as i32 != old {
            let weight = weights.map_or(1.0, |w| w[p].to_f64());
            let mut add = |c: usize, weight: f64| {
                let sums = &mut sums[c * (d + 1)..][..d + 1];
                sums.iter_mut()
                    .zip(x)
                    .for_each(|(s, x)| *s += weight * x.to_f64());
                sums[d] += weight;
            };
            add(best, weight);
            if old >= 0 {
                add(old as usize, -weight);
            }
            labels[p] = best as i32;
        }
    }
    looked
}
