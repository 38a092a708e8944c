//! Distances that are there already: a square matrix, read a few rows at a time.

use super::density::{NONE, Need};
use super::input::fail;
use super::union_find::UnionFind;
use super::watch::Watch;
use gradus_core::{Kind, Result, Tensor};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// Numbers that a task reads at a time.
const READ: usize = 1 << 18;

pub(super) struct Distances<'a> {
    matrix: &'a Tensor,
    n: usize,
    eps: f64,
}

impl<'a> Distances<'a> {
    /// Checks that these are distances: at least 0, 0 from a point to itself, the same both ways.
    pub(super) fn new(matrix: &'a Tensor, eps: f64) -> Result<Self> {
        let n = match *matrix.shape() {
            [rows, columns] if rows == columns => rows,
            _ => {
                let message = format!(
                    "expected distances between all points, a shape [n, n], got {:?}; for points as rows use another metric than precomputed",
                    matrix.shape()
                );
                return fail(Kind::Shape, message);
            }
        };
        let distances = Self { matrix, n, eps };
        // Both ways: squares of the matrix beside their mirror images, so that it is read in pieces.
        let side = 512;
        for top in (0..n).step_by(side) {
            for left in (0..=top).step_by(side) {
                let (height, width) = (side.min(n - top), side.min(n - left));
                let part = |row, rows, column, columns| {
                    let rows = matrix.narrow(0, row, rows)?;
                    rows.narrow(1, column, columns)?.to_vec::<f64>()
                };
                let here = part(top, height, left, width)?;
                let mirror = part(left, width, top, height)?;
                for (at, &x) in here.iter().enumerate() {
                    let (i, j) = (top + at / width, left + at % width);
                    let other = mirror[at % width * height + at / width];
                    let rule = if [x, other].iter().any(|x| x.is_nan() || *x < 0.0)
                        || x.is_infinite() && i == j
                    {
                        "a distance is a number not below 0"
                    } else if i == j && x != 0.0 {
                        "a point is at distance 0 from itself"
                    } else if x != other {
                        "distances are the same both ways"
                    } else {
                        continue;
                    };
                    return fail(
                        Kind::Value,
                        format!(
                            "row {i}, column {j} (counted from 0) is {x}, row {j}, column {i} is {other}; {rule}"
                        ),
                    );
                }
            }
        }
        Ok(distances)
    }

    /// Calls `f` with each row of the matrix, in f64.
    fn each(
        &self,
        pass: usize,
        watch: &mut Watch<'_>,
        f: impl Fn(usize, &[f64]) + Sync,
    ) -> Result<()> {
        let step = (READ / self.n).max(1);
        let failed = std::sync::Mutex::new(None);
        watch.run(pass, self.n.div_ceil(step), |task| {
            let rows: Range<usize> = task * step..((task + 1) * step).min(self.n);
            let read = self.matrix.narrow(0, rows.start, rows.len());
            match read.and_then(|read| read.to_vec::<f64>()) {
                Ok(read) => rows
                    .zip(read.chunks_exact(self.n))
                    .for_each(|(i, row)| f(i, row)),
                Err(error) => *failed.lock().expect("nobody panics with it") = Some(error),
            }
        });
        failed
            .into_inner()
            .expect("nobody panics with it")
            .map_or(Ok(()), Err)
    }

    fn near<'r>(&self, row: &'r [f64]) -> impl Iterator<Item = usize> + 'r {
        let eps = self.eps;
        row.iter()
            .enumerate()
            .filter(move |&(_, &x)| x <= eps)
            .map(|(j, _)| j)
    }

    pub(super) fn cores(&self, need: Need<'_>, watch: &mut Watch<'_>) -> Result<Vec<AtomicBool>> {
        let cores: Vec<_> = (0..self.n).map(|_| AtomicBool::new(false)).collect();
        self.each(0, watch, |i, row| {
            let near = self.near(row);
            let core = match need.weights {
                None => near.count() >= need.min_samples,
                Some(weights) => near.map(|j| weights[j]).sum::<f64>() >= need.min_samples as f64,
            };
            cores[i].store(core, Relaxed);
        })?;
        Ok(cores)
    }

    pub(super) fn unite(&self, cores: &[AtomicBool], watch: &mut Watch<'_>) -> Result<UnionFind> {
        let sets = UnionFind::new(self.n);
        let core = |i: &usize| cores[*i].load(Relaxed);
        self.each(1, watch, |i, row| {
            if core(&i) {
                for j in self.near(&row[..i]).filter(core) {
                    sets.unite(i as u32, j as u32);
                }
            }
        })?;
        Ok(sets)
    }

    pub(super) fn borders(
        &self,
        cores: &[AtomicBool],
        labels: &[AtomicU32],
        watch: &mut Watch<'_>,
    ) -> Result<()> {
        let core = |i: &usize| cores[*i].load(Relaxed);
        self.each(2, watch, |i, row| {
            if !core(&i) {
                let reached = self.near(row).filter(core).map(|j| labels[j].load(Relaxed));
                labels[i].store(reached.min().unwrap_or(NONE), Relaxed);
            }
        })
    }
}
