//! What an operation costs beside its arithmetic, and single passes over memory: the table of
//! overheads of the performance targets.
//!
//! `cargo bench -p gradus-core --bench overhead -- graph10`

use criterion::{Criterion, criterion_group, criterion_main};
use gradus_core::{Result, Tensor, random};

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

/// Random numbers, made only for benchmarks that are asked for.
fn uniform(shape: &[usize]) -> Tensor {
    random::manual_seed(0);
    Tensor::rand(shape).expect("200 MB fit in memory")
}

fn on(c: &mut Criterion, name: &str, shape: &[usize], f: impl Fn(&Tensor) -> Result<Tensor>) {
    c.bench_function(name, |b| {
        let x = uniform(shape);
        b.iter(|| f(&x));
    });
}

fn large(c: &mut Criterion) {
    c.bench_function("add_10m", |b| {
        let [x, y] = [(); 2].map(|()| uniform(&[LARGE]));
        b.iter(|| x.add(&y));
    });
    on(c, "exp_10m", &[LARGE], |x| x.exp());
    on(c, "sum_10m", &[LARGE], |x| x.sum(..));
    on(c, "sum_60000x784", &[60_000, 784], |x| x.sum(..));
    on(c, "sum_60000x784_dim0", &[60_000, 784], |x| x.sum(0));
    on(c, "sum_60000x784_dim1", &[60_000, 784], |x| x.sum(1));
    on(c, "randn_1m", &[0], |_| Tensor::randn([1_000_000]));
}

criterion_group!(benches, small, large);
criterion_main!(benches);
