//! Training steps of small nets: forward, loss, backward and update on a batch in memory, as in the
//! first table of the performance targets. `benches/compare/mlp` runs them beside PyTorch's.
//!
//! `cargo bench -p gradus --bench mlp -- mlp_784_256_10_b256`

use criterion::{Criterion, criterion_group, criterion_main};
use gradus::nn::{self, Layer, Module, Sequential};
use gradus::optim::{Optimizer, Sgd};
use gradus::{DType, Result, Tensor, random};

/// A chain of linear layers with relu between them.
fn net(sizes: &[usize]) -> Result<Sequential> {
    let mut net = Sequential::new();
    for (i, pair) in sizes.windows(2).enumerate() {
        net = if i > 0 { net.add(nn::Relu) } else { net };
        net = net.add(nn::Linear::new(pair[0], pair[1])?);
    }
    Ok(net)
}

fn step(net: &Sequential, sgd: &mut Sgd, x: &Tensor, y: &Tensor) -> Result<()> {
    let loss = nn::cross_entropy(&net.forward(x)?, y)?;
    sgd.zero_grad();
    loss.backward()?;
    sgd.step()
}

fn training_steps(c: &mut Criterion) {
    for (name, sizes, batch, weight_decay) in [
        ("softmax_784_10_b256", &[784, 10][..], 256, 0.0),
        ("mlp_784_256_10_b256", &[784, 256, 10], 256, 0.0),
        ("mlp_784_256_10_b32", &[784, 256, 10], 32, 0.0),
        ("mlp_784_128_64_10_b512", &[784, 128, 64, 10], 512, 0.0),
        ("two_layer_3072_1024_10_b100", &[3072, 1024, 10], 100, 1e-4),
    ] {
        random::manual_seed(0);
        let net = net(sizes).expect("small nets fit in memory");
        let mut sgd = Sgd::new(net.parameters(), 0.01).weight_decay(weight_decay);
        let x = Tensor::rand([batch, sizes[0]]).expect("a batch fits in memory");
        let y = Tensor::rand([batch])
            .and_then(|u| u.mul(10.0)?.to_dtype(DType::I64))
            .expect("labels fit in memory");
        c.bench_function(name, |b| {
            b.iter(|| step(&net, &mut sgd, &x, &y).expect("shapes fit"))
        });
    }
}

criterion_group!(benches, training_steps);
criterion_main!(benches);
