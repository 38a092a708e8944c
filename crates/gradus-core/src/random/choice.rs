//! Drawing some of several things, all alike or by weight.

use super::generator::{Compat, Generator, Real};
use super::with_generator;
use crate::dtype::dispatch_float;
use crate::error::{Result, err};
use crate::kernels::math::Float;
use crate::storage::Buffer;
use crate::tensor::Tensor;

impl Generator {
    /// `size` of the numbers 0…n−1, with or without putting each back.
    ///
    /// # Errors
    /// If there are none to draw from, too few without replacement, or no memory for them.
    ///
    /// ```
    /// use gradus_core::random::{Compat, Generator};
    /// // numpy.random.seed(100); numpy.random.choice(1500, 3, replace=False)
    /// let mut g = Generator::compat(100, Compat::Numpy);
    /// assert_eq!(g.choice(1500, 3, false)?, [1139, 1080, 1159]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn choice(&mut self, n: usize, size: usize, replacement: bool) -> Result<Vec<usize>> {
        if n == 0 && size > 0 {
            return Err(err!(
                Value,
                "choice: n must be greater than 0 unless no samples are taken, got size {size}"
            ));
        }
        if !replacement && size > n {
            return Err(err!(
                Value,
                "choice: cannot take a larger sample than population when replacement is false, got n {n} and size {size}"
            ));
        }
        let mut list = Vec::new();
        list.try_reserve_exact(if replacement { size } else { n })
            .map_err(|_| err!(Memory, "choice: no memory for {size} of {n} numbers"))?;
        if replacement {
            list.extend((0..size).map(|_| self.below(n as u64) as usize));
            return Ok(list);
        }
        list.extend(0..n);
        self.shuffle(&mut list);
        list.truncate(size);
        Ok(list)
    }
}

impl Tensor {
    /// `n` positions (i64) drawn by the weights in this tensor, of shape \[k\] or [rows, k]; the
    /// result is of shape \[n\] or [rows, n]. The weights of a row need not sum to 1.
    ///
    /// With `replacement` the draws are independent; without, no position comes twice, and each
    /// draw is by the weights of those that are left.
    ///
    /// # Errors
    /// If `n` is 0; if a weight is negative or not finite, or those of a row sum to 0 or to no
    /// finite number; if a row has fewer than `n` weights above 0 and `replacement` is false; if
    /// there are no dimensions or more than two, or the dtype is not floating point.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let weights = Tensor::from([0.0, 10.0, 3.0, 0.0]);
    /// let mut both = weights.multinomial(2, false)?.to_vec::<i64>()?;
    /// both.sort();
    /// assert_eq!(both, [1, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn multinomial(&self, n: usize, replacement: bool) -> Result<Tensor> {
        let op = "multinomial";
        self.dtype().expect_float(op)?;
        let (&[k] | &[_, k]) = self.shape() else {
            return Err(err!(
                Shape,
                "{op}: prob_dist must be 1 or 2 dim, got shape {:?}",
                self.shape()
            ));
        };
        if n == 0 {
            return Err(err!(Value, "{op}: cannot sample n_sample <= 0 samples"));
        }
        if !replacement && n > k {
            return Err(err!(
                Value,
                "{op}: cannot sample n_sample > prob_dist.size(-1) samples without replacement, got {n} of {k}"
            ));
        }
        let mut shape = crate::Dims::from_slice(self.shape());
        shape[self.ndim() - 1] = n;
        let count = crate::shape::numel(&shape)?;
        let buffer = dispatch_float!(op, self.dtype(), T => self.with_slice::<T, _>(|weights| {
            // Without weights there are no rows, or `n` would be too large.
            let rows = || weights.chunks_exact(k.max(1));
            if k == 0 && count > 0 {
                check::<T>(&[], n, replacement)?;
            }
            rows().try_for_each(|row| check(row, n, replacement))?;
            Buffer::build(count, |out: &mut [i64]| {
                with_generator(|g| draw(g, weights, k, out, n, replacement));
            })
        }))?;
        Ok(Tensor::from_buffer(buffer, shape))
    }
}

fn check<T: Float>(weights: &[T], n: usize, replacement: bool) -> Result<()> {
    if let Some(odd) = weights.iter().find(|w| !(w.is_finite() && **w >= T::ZERO)) {
        return Err(err!(
            Value,
            "multinomial: probability tensor contains either `inf`, `nan` or element < 0, got {odd:?}"
        ));
    }
    let sum: f64 = weights.iter().map(|w| w.to_f64()).sum();
    if sum <= 0.0 || !T::from_f64(sum).is_finite() {
        return Err(err!(
            Value,
            "multinomial: invalid multinomial distribution (sum of probabilities must be positive and finite), got {sum}"
        ));
    }
    let positive = weights.iter().filter(|w| **w > T::ZERO).count();
    if !replacement && n > positive {
        return Err(err!(
            Value,
            "multinomial: invalid multinomial distribution (with replacement=False, not enough non-negative category \
             to sample), got {positive} weights above 0 for {n} samples"
        ));
    }
    Ok(())
}

/// Fills `out` with `n` positions for each row of `k` weights, which have been checked.
fn draw<T: Real>(
    g: &mut Generator,
    weights: &[T],
    k: usize,
    out: &mut [i64],
    n: usize,
    replacement: bool,
) {
    let kind = g.kind();
    let rows = weights.chunks_exact(k.max(1)).zip(out.chunks_exact_mut(n));
    // PyTorch takes the other way for a single sample, too.
    let independent = replacement && !(n == 1 && kind == Some(Compat::Torch));
    match kind {
        Some(Compat::Numpy) if !independent => rows.for_each(|(row, out)| reject(g, row, out)),
        _ if !independent => {
            let mut times = vec![T::ZERO; weights.len()];
            g.fill_exponential(&mut times, 1.0);
            rows.zip(times.chunks_exact(k))
                .for_each(|((row, out), times)| race(row, times, out));
        }
        _ => {
            let mut uniform = vec![0.0; n];
            for (row, out) in rows {
                g.fill_uniform(&mut uniform, 0.0, 1.0);
                if kind == Some(Compat::Torch) {
                    let cumulative = cumulate(row.iter().copied());
                    invert(out, &uniform, |u| cumulative.partition_point(|&c| c < u));
                } else {
                    let cumulative = cumulate(row.iter().map(|w| w.to_f64()));
                    invert(out, &uniform, |u| cumulative.partition_point(|&c| c <= u));
                }
            }
        }
    }
}

/// The cumulative distribution of weights, computed in their type; it ends with 1.
fn cumulate<T: Float>(weights: impl Iterator<Item = T>) -> Vec<f64> {
    let mut sum = T::ZERO;
    let sums: Vec<T> = weights
        .map(|w| {
            sum = sum + w;
            sum
        })
        .collect();
    sums.into_iter().map(|c| (c / sum).to_f64()).collect()
}

fn invert(out: &mut [i64], uniform: &[f64], position: impl Fn(f64) -> usize) {
    out.iter_mut()
        .zip(uniform)
        .for_each(|(o, &u)| *o = position(u) as i64);
}

/// The things in the order in which they arrive when each takes an exponential time divided by its
/// weight: that is drawing by weight without replacement (Efraimidis and Spirakis, 2006).
fn race<T: Float>(weights: &[T], times: &[T], out: &mut [i64]) {
    let speed: Vec<f64> = weights
        .iter()
        .zip(times)
        .map(|(&w, &t)| (w / t).to_f64())
        .collect();
    let faster = |&a: &usize, &b: &usize| speed[b].total_cmp(&speed[a]).then(a.cmp(&b));
    let mut order: Vec<usize> = (0..weights.len()).collect();
    if out.len() < order.len() {
        order.select_nth_unstable_by(out.len(), faster);
    }
    order.truncate(out.len());
    order.sort_unstable_by(faster);
    out.iter_mut().zip(order).for_each(|(o, i)| *o = i as i64);
}

/// `numpy.random.choice` without replacement: as many draws as are missing, of which the first of
/// each position counts; then again with the weights of those that are left.
fn reject<T: Float>(g: &mut Generator, weights: &[T], out: &mut [i64]) {
    let mut weights: Vec<f64> = weights.iter().map(|w| w.to_f64()).collect();
    let mut found = 0;
    while found < out.len() {
        let cumulative = cumulate(weights.iter().copied());
        let missing = out.len() - found;
        for _ in 0..missing {
            let u = g.uniform();
            let i = cumulative.partition_point(|&c| c <= u);
            if weights[i] > 0.0 {
                weights[i] = 0.0;
                out[found] = i as i64;
                found += 1;
            }
        }
    }
}
