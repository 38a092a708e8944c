//! What an operation costs beside its arithmetic, and single passes over memory: the table of
//! overheads of the performance targets.
//!
//! `cargo bench -p gradus-core --bench overhead -- graph10`

use criterion::{Criterion, criterion_group, criterion_main};
use gradus_core::{Result, Tensor, random};
use std::hint::black_box;

const LARGE: usize = 10_000_000;

/// Ten operations on ten elements, and back.
fn graph10(x: &Tensor, w: &Tensor, b: &Tensor) -> Result<()> {
    let mut y = x.clone();
    for _ in 0..3 {
        y = y.mul(w)?.add(b)?.relu()?;
    }
    x.zero_grad();
    w.zero_grad();
    b.zero_grad();
    y.sum(..)?.backward()
}

fn small(c: &mut Criterion) {
    let [x, y] = [(); 2].map(|()| Tensor::ones([10]));
    c.bench_function("add10", |b| b.iter(|| x.add(&y)));
    let leaf = |_| Tensor::ones([10]).requires_grad_(true);
    let [x, w, b] = [(); 3].map(|()| leaf(()).expect("ones are floats"));
    c.bench_function("graph10", |bench| {
        bench.iter(|| graph10(&x, &w, &b).expect("equal shapes"))
    });
}

fn large(c: &mut Criterion) {
    random::manual_seed(0);
    let [x, y] = [(); 2].map(|()| Tensor::rand([LARGE]).expect("40 MB fit in memory"));
    c.bench_function("add_10m", |b| b.iter(|| x.add(&y)));
    c.bench_function("exp_10m", |b| b.iter(|| x.exp()));
    c.bench_function("sum_10m", |b| b.iter(|| x.sum(..)));
    let images = Tensor::rand([60_000, 784]).expect("188 MB fit in memory");
    c.bench_function("sum_60000x784", |b| b.iter(|| images.sum(..)));
    c.bench_function("sum_60000x784_dim0", |b| b.iter(|| images.sum(0)));
    c.bench_function("sum_60000x784_dim1", |b| b.iter(|| images.sum(1)));
    c.bench_function("randn_1m", |b| {
        b.iter(|| black_box(Tensor::randn([1_000_000])))
    });
}

criterion_group!(benches, small, large);
criterion_main!(benches);
