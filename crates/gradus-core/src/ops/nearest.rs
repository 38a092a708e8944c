//! Points and the centres that are nearest to them: the passes that clustering is made of.

use crate::dtype::{DType, Element, dispatch_float};
use crate::error::{Result, err};
use crate::kernels::bounds::{self, Bounds, Changes, Moved};
use crate::kernels::nearest::{
    Assign, Centres, Distances, Form, Potentials, SIDE, Set, chunks, pack, packed_len, walk,
};
use crate::kernels::{Loop, parallel, vectorize};
use crate::storage::Buffer;
use crate::tensor::Tensor;
use parking_lot::Mutex;
use std::sync::OnceLock;

/// An offset so many times as large as the spread of the points would drown distances in rounding;
/// points that are not packed are copied without it.
const OFFSET: f64 = 16.0;

/// Points (rows of a matrix, f32 or f64), prepared for many passes over them.
///
/// Centres are given and sums returned in f64, whatever the dtype of the points. All results are the
/// same bits for any number of threads.
///
/// ```
/// use gradus_core::{Tensor, nearest::Points};
/// let points = Points::new(&Tensor::from([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]]), None)?;
/// let mut labels = vec![0; 3];
/// let sums = points.assign(&[0.0, 0.0, 10.0, 10.0], &mut labels)?;
/// assert_eq!(labels, [0, 0, 1]);
/// assert_eq!(sums.means, [0.5, 0.0, 9.0, 9.0]);
/// assert_eq!(sums.weights, [2.0, 1.0]);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub struct Points {
    rows: Tensor,
    weights: Option<Tensor>,
    n: usize,
    d: usize,
    form: Form,
    mean: Vec<f64>,
    variance: f64,
    /// What was subtracted from the points of `data`.
    shift: Vec<f64>,
    /// Points packed or without their offset; none: as they are in `rows`.
    data: Option<Buffer>,
    /// ‖x − shift‖², made when it is first needed.
    norms: OnceLock<Buffer>,
    /// Σ w‖x − shift‖², likewise.
    spread: OnceLock<f64>,
}

/// What [`Points::assign`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Sums {
    /// The weighted mean of each centre's points, k rows; of no points the centre itself.
    pub means: Vec<f64>,
    /// The sum of the weights of each centre's points.
    pub weights: Vec<f64>,
    /// The weighted sum of squared distances of the points to their centres, rounded as the dtype of the
    /// points; [`Points::inertia`] is exact. None after [`Points::step`], which does not know it.
    pub cost: Option<f64>,
}

/// What [`Points::step`] remembers from one step to the next.
pub struct Memory {
    labels: Vec<i32>,
    upper: Buffer,
    lower: Buffer,
    /// Sums and weights of each centre's points.
    sums: Vec<f64>,
    /// The centres of the last step, as the points saw them.
    seen: Option<Vec<f64>>,
    /// The largest ‖c‖² that the bounds allow for.
    largest: f64,
    /// Points whose distances had to be computed in the last step.
    pub looked: usize,
}

impl Memory {
    /// The centre of each point.
    ///
    /// ```
    /// use gradus_core::{Tensor, nearest::Points};
    /// let points = Points::new(&Tensor::from([[0.0], [1.0], [9.0]]), None)?;
    /// let mut memory = points.memory(2)?;
    /// points.step(&[0.0, 10.0], &mut memory)?;
    /// assert_eq!(memory.labels(), [0, 0, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn labels(&self) -> &[i32] {
        &self.labels
    }
}

impl Points {
    /// Prepares the rows of `points`, shape [n, d] with n and d at least 1. `weights`, shape \[n\], say
    /// how often each counts [default: once].
    ///
    /// # Errors
    /// For other shapes or dtypes; for numbers that are not finite, or so large that squared distances
    /// are not; for weights that are negative, not finite or all 0; without memory.
    ///
    /// ```
    /// use gradus_core::{Tensor, nearest::Points};
    /// let error = Points::new(&Tensor::from([[0.0, f32::NAN]]), None).err().unwrap();
    /// assert!(error.to_string().contains("row 0, column 1"));
    /// ```
    pub fn new(points: &Tensor, weights: Option<&Tensor>) -> Result<Self> {
        let &[n, d] = points.shape() else {
            return Err(err!(
                Shape,
                "points: expected a matrix with a point in each row, got shape {:?}; reshape it",
                points.shape()
            ));
        };
        points.dtype().expect_float("points")?;
        if n == 0 || d == 0 {
            return Err(err!(
                Value,
                "points: there are none, got shape [{n}, {d}]; at least one point of one coordinate is needed"
            ));
        }
        let rows = points.detach().contiguous()?;
        let weights = weights
            .map(|w| check_weights(w, n, rows.dtype()))
            .transpose()?;
        dispatch_float!("points", rows.dtype(), T => {
            let (mean, variance) = rows.with_slice::<T, _>(|x| moments(x, d))?;
            let form = Form::of(d);
            let offset: f64 = mean.iter().map(|m| m * m).sum();
            let shift = match form {
                Form::Products => mean.clone(),
                Form::Rows if offset > OFFSET * variance * d as f64 => mean.clone(),
                _ => vec![0.0; d],
            };
            let data = if form == Form::Rows && shift.iter().all(|&m| m == 0.0) {
                None
            } else {
                let shift: Vec<T> = shift.iter().map(|&m| m as T).collect();
                let len = if form == Form::Rows { n * d } else { packed_len(n, d) };
                let fill = |x: &[T]| Buffer::build(len, |out: &mut [T]| match form {
                    Form::Rows => parallel::fill_rows(out, d, |start, out| {
                        let pairs = out.iter_mut().zip(&x[start..]);
                        pairs.zip(shift.iter().cycle()).for_each(|((o, &x), &m)| *o = x - m);
                    }),
                    _ => pack(out, x, &shift),
                });
                Some(rows.with_slice::<T, _>(fill)?)
            };
            let shift = if data.is_some() {
                // As it was subtracted.
                shift.iter().map(|&m| (m as T).to_f64()).collect()
            } else {
                shift
            };
            Ok(Self { rows, weights, n, d, form, mean, variance, shift, data, norms: OnceLock::new(), spread: OnceLock::new() })
        })
    }

    /// The number of points.
    ///
    /// ```
    /// # use gradus_core::{Tensor, nearest::Points};
    /// assert_eq!(Points::new(&Tensor::ones([3, 2]), None)?.len(), 3);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    #[allow(clippy::len_without_is_empty)] // There is at least one.
    pub fn len(&self) -> usize {
        self.n
    }

    /// The number of coordinates of a point.
    ///
    /// ```
    /// # use gradus_core::{Tensor, nearest::Points};
    /// assert_eq!(Points::new(&Tensor::ones([3, 2]), None)?.dims(), 2);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn dims(&self) -> usize {
        self.d
    }

    /// The dtype of the points.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor, nearest::Points};
    /// assert_eq!(Points::new(&Tensor::ones([3, 2]), None)?.dtype(), DType::F32);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn dtype(&self) -> DType {
        self.rows.dtype()
    }

    /// The mean of the points, which weights do not change.
    ///
    /// ```
    /// # use gradus_core::{Tensor, nearest::Points};
    /// assert_eq!(Points::new(&Tensor::from([[1.0], [3.0]]), None)?.mean(), [2.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The variance of a coordinate, on average over the coordinates.
    ///
    /// ```
    /// # use gradus_core::{Tensor, nearest::Points};
    /// assert_eq!(Points::new(&Tensor::from([[1.0], [3.0]]), None)?.variance(), 1.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// The weights, in f64; `None` if every point counts once.
    ///
    /// # Errors
    /// Without memory for a copy.
    ///
    /// ```
    /// # use gradus_core::{Tensor, nearest::Points};
    /// assert_eq!(Points::new(&Tensor::ones([3, 2]), None)?.weights()?, None);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn weights(&self) -> Result<Option<Vec<f64>>> {
        self.weights.as_ref().map(Tensor::to_vec).transpose()
    }

    /// The coordinates of a point.
    ///
    /// # Errors
    /// If there is no such point.
    ///
    /// ```
    /// # use gradus_core::{Tensor, nearest::Points};
    /// assert_eq!(Points::new(&Tensor::from([[1.0], [3.0]]), None)?.point(1)?, [3.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn point(&self, i: usize) -> Result<Vec<f64>> {
        self.rows.select(0, i as isize)?.to_vec()
    }

    /// The centres as the points have them, checked.
    fn centres(&self, centres: &[f64]) -> Result<usize> {
        let k = centres.len() / self.d;
        if k == 0 || k * self.d != centres.len() || k > 1 << 24 {
            return Err(err!(
                Shape,
                "points: {} numbers are not the coordinates of 1 to 2^24 centres of {} dimensions",
                centres.len(),
                self.d
            ));
        }
        Ok(k)
    }

    fn check_labels(&self, labels: &[i32]) -> Result<()> {
        if labels.len() == self.n {
            return Ok(());
        }
        Err(err!(
            Shape,
            "points: {} labels for {} points",
            labels.len(),
            self.n
        ))
    }

    /// The nearest centre of each point, of equally near ones the first, and the means of each centre's
    /// points. `centres` are rows of coordinates.
    ///
    /// # Errors
    /// If lengths do not fit.
    ///
    /// ```
    /// # use gradus_core::{Tensor, nearest::Points};
    /// let points = Points::new(&Tensor::from([[0.0], [2.0], [9.0]]), None)?;
    /// let mut labels = [0; 3];
    /// assert_eq!(points.assign(&[1.0, 8.0], &mut labels)?.cost, Some(1.0 + 1.0 + 1.0));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn assign(&self, centres: &[f64], labels: &mut [i32]) -> Result<Sums> {
        let (k, d) = (self.centres(centres)?, self.d);
        let stride = d + 1;
        let (sums, cost) = self.pass(centres, labels, true)?;
        let mut means = centres.to_vec();
        let mut weights = vec![0.0; k];
        for c in 0..k {
            weights[c] = sums[c * stride + d];
            if weights[c] > 0.0 {
                let sums = sums[c * stride..].iter().zip(&self.shift);
                let means = means[c * d..][..d].iter_mut().zip(sums);
                means.for_each(|(m, (s, shift))| *m = s / weights[c] + shift);
            }
        }
        let base = match self.form {
            Form::Differences => 0.0,
            _ => self.spread()?,
        };
        let cost = Some((cost + base).max(0.0));
        Ok(Sums {
            means,
            weights,
            cost,
        })
    }

    /// The nearest centre of each point, of equally near ones the first.
    ///
    /// # Errors
    /// If lengths do not fit.
    ///
    /// ```
    /// # use gradus_core::{Tensor, nearest::Points};
    /// let points = Points::new(&Tensor::from([[0.0], [2.0], [9.0]]), None)?;
    /// let mut labels = [0; 3];
    /// points.label(&[1.0, 8.0], &mut labels)?;
    /// assert_eq!(labels, [0, 0, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn label(&self, centres: &[f64], labels: &mut [i32]) -> Result<()> {
        self.centres(centres)?;
        self.pass(centres, labels, false).map(drop)
    }

    fn pass(&self, centres: &[f64], labels: &mut [i32], add: bool) -> Result<(Vec<f64>, f64)> {
        self.check_labels(labels)?;
        dispatch_float!("points", self.dtype(), T => self.with_set::<T, _>(|set| {
            let centres = self.arrange::<T>(centres);
            let (count, chunk) = chunks(self.n, centres.k);
            let k = if add { centres.k } else { 0 };
            let parts: Vec<OnceLock<(Vec<f64>, f64)>> = (0..count).map(|_| OnceLock::new()).collect();
            let labels: Vec<_> = labels.chunks_mut(chunk).map(Mutex::new).collect();
            parallel::run(count, |task| {
                let range = parallel::chunk(self.n, chunk, task);
                let mut labels = labels[task].lock();
                let mut consumer = Assign::new(set, &mut labels, range.start, k);
                walk(set, &centres, range, &mut consumer);
                let _ = parts[task].set((consumer.sums(), consumer.cost()));
            });
            let (mut total, mut cost) = (vec![0.0; k * (self.d + 1)], 0.0);
            for (sums, part) in parts.iter().filter_map(OnceLock::get) {
                total.iter_mut().zip(sums).for_each(|(t, s)| *t += s);
                cost += part;
            }
            Ok((total, cost))
        }))
    }

    /// Calls `f` with the points as they are worked on.
    fn with_set<T: crate::Element, R>(
        &self,
        f: impl FnOnce(&Set<'_, T>) -> Result<R>,
    ) -> Result<R> {
        let (n, d, form) = (self.n, self.d, self.form);
        let with_weights = |data: &[T]| match &self.weights {
            None => f(&Set {
                n,
                d,
                form,
                data,
                weights: None,
            }),
            Some(w) => w.with_slice::<T, _>(|w| {
                f(&Set {
                    n,
                    d,
                    form,
                    data,
                    weights: Some(w),
                })
            }),
        };
        match &self.data {
            Some(data) => with_weights(data.slice()),
            None => self.rows.with_slice::<T, _>(with_weights),
        }
    }

    /// Centres where the points are worked on.
    fn shifted(&self, centres: &[f64]) -> Vec<f64> {
        let shift = self.shift.iter().cycle();
        centres.iter().zip(shift).map(|(c, m)| c - m).collect()
    }

    fn arrange<T: crate::kernels::simd::Lane>(&self, centres: &[f64]) -> Centres<T> {
        Centres::new(self.form, self.d, &self.shifted(centres))
    }

    /// ‖x − shift‖² of each point, where scores lack it.
    fn norms(&self) -> Result<Option<&Buffer>> {
        if self.form == Form::Differences {
            return Ok(None);
        }
        if let Some(norms) = self.norms.get() {
            return Ok(Some(norms));
        }
        let (d, form) = (self.d, self.form);
        let made = dispatch_float!("points", self.dtype(), T => self.with_set::<T, _>(|set| {
            Buffer::build(self.n, |out: &mut [T]| {
                parallel::fill(out, SIDE * 64, |start, out| vectorize(|| {
                    for (i, out) in out.chunks_mut(SIDE).enumerate() {
                        let data = &set.data[(start + i * SIDE) * d..];
                        if form == Form::Rows {
                            for (out, row) in out.iter_mut().zip(data.chunks_exact(d)) {
                                *out = square(row, |_| 0.0) as T;
                            }
                        } else {
                            out.fill(0.0);
                            for row in data[..d * SIDE].chunks_exact(SIDE) {
                                out.iter_mut().zip(row).for_each(|(o, x)| *o += x * x);
                            }
                        }
                    }
                }));
            })
        }))?;
        Ok(Some(self.norms.get_or_init(|| made)))
    }

    /// Σ w‖x − shift‖².
    fn spread(&self) -> Result<f64> {
        if let Some(&spread) = self.spread.get() {
            return Ok(spread);
        }
        let Some(norms) = self.norms()? else {
            return Ok(0.0);
        };
        dispatch_float!("points", self.dtype(), T => self.with_set::<T, _>(|set| {
            let norms = norms.slice::<T>().iter().map(|x| x.to_f64());
            let spread: f64 = match set.weights {
                None => norms.sum(),
                Some(w) => norms.zip(w).map(|(x, &w)| x * w.to_f64()).sum(),
            };
            Ok(*self.spread.get_or_init(|| spread))
        }))
    }

    /// The squared distance of each point to the centre of its label, in f64 by differences.
    ///
    /// # Errors
    /// If lengths do not fit, or a label is no number of a centre.
    ///
    /// ```
    /// # use gradus_core::{Tensor, nearest::Points};
    /// let points = Points::new(&Tensor::from([[0.0], [2.0]]), None)?;
    /// assert_eq!(points.squares(&[1.0, 5.0], &[0, 1])?, [1.0, 9.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn squares(&self, centres: &[f64], labels: &[i32]) -> Result<Vec<f64>> {
        let (k, d) = (self.centres(centres)?, self.d);
        self.check_labels(labels)?;
        if let Some(label) = labels.iter().find(|&&l| !(0..k as i64).contains(&l.into())) {
            return Err(err!(
                Index,
                "points: label {label} is no number of one of {k} centres"
            ));
        }
        let mut out = vec![0.0; self.n];
        dispatch_float!("points", self.dtype(), T => self.rows.with_slice::<T, _>(|rows| {
            parallel::fill(&mut out, (parallel::GRAIN / d).max(1), |start, out| {
                let (rows, labels) = (&rows[start * d..], &labels[start..]);
                vectorize(Squares { rows, labels, centres, out });
            });
            Ok(())
        }))?;
        Ok(out)
    }

    /// The weighted sum of the [`squares`](Points::squares).
    ///
    /// # Errors
    /// As `squares`.
    ///
    /// ```
    /// # use gradus_core::{Tensor, nearest::Points};
    /// let points = Points::new(&Tensor::from([[0.0], [2.0]]), None)?;
    /// assert_eq!(points.inertia(&[1.0, 5.0], &[0, 1])?, 10.0);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn inertia(&self, centres: &[f64], labels: &[i32]) -> Result<f64> {
        let squares = self.squares(centres, labels)?;
        Ok(match self.weights()? {
            None => squares.iter().sum(),
            Some(weights) => squares.iter().zip(weights).map(|(s, w)| s * w).sum(),
        })
    }

    /// Lowers `closest`, squared distances of all points in their dtype, to those to a further centre
    /// where that is nearer. A tensor of infinities is one to begin with.
    ///
    /// # Errors
    /// If lengths do not fit.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor, nearest::Points};
    /// let points = Points::new(&Tensor::from([[0.0], [2.0]]), None)?;
    /// let mut closest = vec![f64::INFINITY; 2];
    /// points.closer(&[1.0], &mut closest)?;
    /// points.closer(&[2.0], &mut closest)?;
    /// assert_eq!(closest, [1.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn closer(&self, centre: &[f64], closest: &mut [f64]) -> Result<()> {
        self.centres(centre)?;
        let norms = self.norms()?;
        dispatch_float!("points", self.dtype(), T => self.with_set::<T, _>(|set| {
            let centres = self.arrange::<T>(centre);
            let (_, chunk) = chunks(self.n, 1);
            let norms = norms.map(|n| n.slice::<T>());
            parallel::fill(closest, chunk, |start, out| {
                let mut now: Vec<T> = out.iter().map(|&x| x as T).collect();
                let range = start..start + out.len();
                walk(set, &centres, range, &mut Distances::new(norms, &mut now, start, 0));
                out.iter_mut().zip(now).for_each(|(o, x)| *o = x.to_f64());
            });
            Ok(())
        }))
    }

    /// For each of several candidates, rows of coordinates: the weighted sum of what `closest` would
    /// hold after it came [closer](Points::closer).
    ///
    /// # Errors
    /// If lengths do not fit.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor, nearest::Points};
    /// let points = Points::new(&Tensor::from([[0.0], [2.0]]), None)?;
    /// assert_eq!(points.potentials(&[1.0, 2.0], &[1.0, 9.0])?, [2.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn potentials(&self, candidates: &[f64], closest: &[f64]) -> Result<Vec<f64>> {
        let k = self.centres(candidates)?;
        if closest.len() != self.n {
            return Err(err!(
                Shape,
                "points: {} distances for {} points",
                closest.len(),
                self.n
            ));
        }
        let norms = self.norms()?;
        dispatch_float!("points", self.dtype(), T => self.with_set::<T, _>(|set| {
            let centres = self.arrange::<T>(candidates);
            let closest: Vec<T> = closest.iter().map(|&x| x as T).collect();
            let norms = norms.map(|n| n.slice::<T>());
            let (count, chunk) = chunks(self.n, k);
            let parts: Vec<OnceLock<Vec<f64>>> = (0..count).map(|_| OnceLock::new()).collect();
            parallel::run(count, |task| {
                let mut sums = Potentials::new(norms, &closest, set.weights, k);
                walk(set, &centres, parallel::chunk(self.n, chunk, task), &mut sums);
                let _ = parts[task].set(sums.sums().collect());
            });
            let mut total = vec![0.0; k];
            for part in parts.iter().filter_map(OnceLock::get) {
                total.iter_mut().zip(part).for_each(|(t, s)| *t += s);
            }
            Ok(total)
        }))
    }

    /// The squared distances of all points to all centres, shape [n, k], in the dtype of the points.
    ///
    /// # Errors
    /// If lengths do not fit, or there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::{Tensor, nearest::Points};
    /// let points = Points::new(&Tensor::from([[0.0], [2.0]]), None)?;
    /// assert_eq!(points.distances(&[0.0, 1.0])?.to_vec::<f32>()?, [0.0, 1.0, 4.0, 1.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn distances(&self, centres: &[f64]) -> Result<Tensor> {
        let k = self.centres(centres)?;
        let len = crate::shape::numel(&[self.n, k])?;
        let norms = self.norms()?;
        let buffer = dispatch_float!("points", self.dtype(), T => self.with_set::<T, _>(|set| {
            let centres = self.arrange::<T>(centres);
            let norms = norms.map(|n| n.slice::<T>());
            let (_, chunk) = chunks(self.n, k);
            Buffer::build(len, |out: &mut [T]| {
                parallel::fill(out, chunk * k, |start, out| {
                    let (start, len) = (start / k, out.len() / k);
                    let mut distances = Distances::new(norms, out, start, k);
                    walk(set, &centres, start..start + len, &mut distances);
                });
            })
        }))?;
        Ok(Tensor::from_buffer(buffer, [self.n, k][..].into()))
    }

    /// Memory for [`step`](Points::step)s with `k` centres: two numbers and a label for each point.
    ///
    /// # Errors
    /// Without memory.
    ///
    /// ```
    /// # use gradus_core::{Tensor, nearest::Points};
    /// let points = Points::new(&Tensor::from([[0.0], [2.0]]), None)?;
    /// assert_eq!(points.memory(2)?.labels(), [-1, -1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn memory(&self, k: usize) -> Result<Memory> {
        let zeros = || {
            dispatch_float!("points", self.dtype(), T => {
                Buffer::build(self.n, |out: &mut [T]| out.fill(0.0))
            })
        };
        Ok(Memory {
            labels: vec![-1; self.n],
            upper: zeros()?,
            lower: zeros()?,
            sums: vec![0.0; k * (self.d + 1)],
            seen: None,
            largest: -1.0,
            looked: 0,
        })
    }

    /// What [`assign`](Points::assign) does, by Hamerly's bounds: points that cannot have changed their
    /// centre since the last step are left alone.
    ///
    /// # Errors
    /// If lengths do not fit, or the memory is that of other points.
    ///
    /// ```
    /// # use gradus_core::{Tensor, nearest::Points};
    /// let points = Points::new(&Tensor::from([[0.0], [2.0], [9.0]]), None)?;
    /// let mut memory = points.memory(2)?;
    /// let sums = points.step(&[0.0, 8.0], &mut memory)?;
    /// let sums = points.step(&sums.means, &mut memory)?;
    /// assert_eq!(sums.means, [1.0, 9.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn step(&self, centres: &[f64], memory: &mut Memory) -> Result<Sums> {
        let (k, d) = (self.centres(centres)?, self.d);
        self.check_labels(&memory.labels)?;
        if memory.sums.len() != k * (d + 1) {
            return Err(err!(
                Shape,
                "points: the memory is for another number of centres than {k}"
            ));
        }
        let (shifted, norms) = (self.shifted(centres), self.norms()?);
        dispatch_float!("points", self.dtype(), T => self.with_set::<T, _>(|set| {
            let norms = norms.map(|n| n.slice::<T>());
            let seen: Vec<f64> = shifted.iter().map(|&x| (x as T).to_f64()).collect();
            let largest = match self.form {
                Form::Differences => 0.0,
                _ => seen.chunks_exact(d).map(|c| c.iter().map(|x| x * x).sum()).fold(0.0, f64::max),
            };
            if largest > memory.largest {
                // Bounds that allow for smaller errors hold no longer.
                memory.largest = 2.0 * largest;
                memory.upper.slice_mut::<T>().fill(T::INFINITY);
            }
            let old = memory.seen.replace(seen.clone()).unwrap_or_else(|| seen.clone());
            let moved = Moved::<T>::new(self.form, d, (&old, &seen), memory.largest);
            let (count, chunk) = chunks(self.n, k);
            let parts: Vec<OnceLock<Changes>> = (0..count).map(|_| OnceLock::new()).collect();
            let upper = memory.upper.slice_mut::<T>().chunks_mut(chunk);
            let bounds = upper.zip(memory.lower.slice_mut::<T>().chunks_mut(chunk));
            let bounds: Vec<_> = bounds
                .zip(memory.labels.chunks_mut(chunk))
                .map(|((upper, lower), labels)| Mutex::new(Some(Bounds { labels, upper, lower })))
                .collect();
            parallel::run(count, |task| {
                let Some(bounds) = bounds[task].lock().take() else { return };
                let range = parallel::chunk(self.n, chunk, task);
                let _ = parts[task].set(bounds::step(set, norms, range, bounds, &moved));
            });
            memory.looked = 0;
            for part in parts.iter().filter_map(OnceLock::get) {
                memory.sums.iter_mut().zip(&part.sums).for_each(|(t, s)| *t += s);
                memory.looked += part.looked;
            }
            Ok(())
        }))?;
        let mut means = centres.to_vec();
        let mut weights = vec![0.0; k];
        for (c, sums) in memory.sums.chunks_exact(d + 1).enumerate() {
            weights[c] = sums[d];
            // Sums of weights that were added and taken away again may not be 0 exactly.
            if weights[c] > 1e-9 {
                let means = means[c * d..][..d].iter_mut();
                let sums = sums.iter().zip(&self.shift);
                means
                    .zip(sums)
                    .for_each(|(m, (s, shift))| *m = s / weights[c] + shift);
            } else {
                weights[c] = 0.0;
            }
        }
        Ok(Sums {
            means,
            weights,
            cost: None,
        })
    }
}

/// The weights as the points' dtype.
fn check_weights(weights: &Tensor, n: usize, dtype: DType) -> Result<Tensor> {
    if weights.shape() != [n] {
        return Err(err!(
            Shape,
            "points: expected a weight for each of {n} points, got shape {:?}",
            weights.shape()
        ));
    }
    let list: Vec<f64> = weights.to_vec()?;
    if let Some(i) = list.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        return Err(err!(
            Value,
            "points: weights must be finite and not negative, got {} for point {i}",
            list[i]
        ));
    }
    if list.iter().all(|&w| w == 0.0) {
        return Err(err!(
            Value,
            "points: all weights are 0, so that no point counts"
        ));
    }
    weights.detach().to_dtype(dtype)?.contiguous()
}

/// Σ(x − y)² of `f64`s, sixteen sums at a time.
#[inline(always)]
fn square<T: crate::Float>(x: &[T], y: impl Fn(usize) -> f64) -> f64 {
    let mut sums = [0.0; 16];
    let (whole, rest) = x.as_chunks::<16>();
    for (i, x) in whole.iter().enumerate() {
        for j in 0..16 {
            let difference = x[j].to_f64() - y(16 * i + j);
            sums[j] += difference * difference;
        }
    }
    let start = x.len() - rest.len();
    for (j, x) in rest.iter().enumerate() {
        let difference = x.to_f64() - y(start + j);
        sums[j] += difference * difference;
    }
    sums.iter().sum()
}

/// The squared distances of some points to their centres.
struct Squares<'a, T> {
    rows: &'a [T],
    labels: &'a [i32],
    centres: &'a [f64],
    out: &'a mut [f64],
}

impl<T: crate::Float> Loop for Squares<'_, T> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let d = self.rows.len() / self.labels.len();
        let pairs = self.out.iter_mut().zip(self.labels);
        for ((out, &label), row) in pairs.zip(self.rows.chunks_exact(d)) {
            let centre = &self.centres[label as usize * d..][..d];
            *out = square(row, |j| centre[j]);
        }
    }
}

/// The mean of each column of some rows, and the sum of all squared differences from it.
struct Moments<'a, T> {
    rows: &'a [T],
    d: usize,
}

impl<T: crate::Float> Loop for Moments<'_, T> {
    type Output = (Vec<f64>, f64);

    #[inline(always)]
    fn call(self) -> (Vec<f64>, f64) {
        let Self { rows, d } = self;
        // Narrow rows several at a time.
        let width = 16usize.div_ceil(d) * d;
        let mut sums = vec![0.0; width];
        for row in rows.chunks(width) {
            sums.iter_mut().zip(row).for_each(|(s, x)| *s += x.to_f64());
        }
        let n = (rows.len() / d) as f64;
        let mean = |j: usize| sums[j..].iter().step_by(d).sum::<f64>() / n;
        let mean: Vec<f64> = (0..d).map(mean).collect();
        let means: Vec<f64> = mean.iter().cycle().take(width).copied().collect();
        let mut squares = 0.0;
        for row in rows.chunks(width) {
            squares += square(row, |j| means[j]);
        }
        (mean, squares)
    }
}

/// The mean of each column, and the variance of a column on average. Each part of the rows is read
/// once; the parts are put together as in Chan, Golub and LeVeque, "Updating formulae and a pairwise
/// algorithm for computing sample variances", 1979.
fn moments<T: crate::Float>(x: &[T], d: usize) -> Result<(Vec<f64>, f64)> {
    let chunk = (parallel::GRAIN / d).max(1) * d;
    let count = x.len().div_ceil(chunk);
    let parts: Vec<OnceLock<(Vec<f64>, f64)>> = (0..count).map(|_| OnceLock::new()).collect();
    parallel::run(count, |task| {
        let rows = &x[parallel::chunk(x.len(), chunk, task)];
        let _ = parts[task].set(vectorize(Moments { rows, d }));
    });
    let (mut n, mut mean, mut total) = (0.0, vec![0.0; d], 0.0);
    for (task, part) in parts.iter().enumerate() {
        let Some((theirs, squares)) = part.get() else {
            continue;
        };
        let more = (parallel::chunk(x.len(), chunk, task).len() / d) as f64;
        let mut apart = 0.0;
        for (m, t) in mean.iter_mut().zip(theirs) {
            let difference = t - *m;
            apart += difference * difference;
            *m += difference * more / (n + more);
        }
        total += squares + apart * n * more / (n + more);
        n += more;
    }
    let norm: f64 = mean.iter().map(|m| m * m).sum();
    // No squared distance is more than four times that, nor is a sum of them.
    let largest = total + norm * n;
    let limit = if size_of::<T>() == 4 {
        f64::from(f32::MAX)
    } else {
        f64::MAX
    };
    if largest < limit / 64.0 {
        return Ok((mean, total / n / d as f64));
    }
    if let Some(at) = x.iter().position(|x| !x.is_finite()) {
        return Err(err!(
            Value,
            "points: row {}, column {} (counted from 0) holds {}, which is no finite number; remove or replace it",
            at / d,
            at % d,
            x[at].to_f64()
        ));
    }
    Err(err!(
        Value,
        "points: the numbers are so large that their squares are not finite; scale them, or convert them to f64"
    ))
}
