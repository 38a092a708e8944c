//! A training loop takes the same memory at every step.

use gradus::nn::{self, Layer, Module};
use gradus::optim::{Adam, Optimizer, Sgd};
use gradus::{DType, Result, Tensor, memory, random};
use std::sync::{Mutex, MutexGuard};

/// The figures are those of the whole program: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Trains for a while: after a few steps the system is asked for nothing more, and after the last
/// nothing is left.
fn steady<O: Optimizer>(
    net: impl FnOnce() -> Result<nn::Sequential>,
    optimizer: impl FnOnce(&nn::Sequential) -> O,
    input: &[usize],
) -> Result<()> {
    let _alone = alone();
    memory::empty_cache();
    let before = memory::stats();
    random::manual_seed(0);
    {
        let net = net()?;
        let mut optimizer = optimizer(&net);
        let mut step = || -> Result<()> {
            let x = Tensor::rand(input)?;
            let y = Tensor::rand([input[0]])?.mul(10.0)?.to_dtype(DType::I64)?;
            let loss = nn::cross_entropy(&net.forward(&x)?, &y)?;
            optimizer.zero_grad();
            loss.backward()?;
            optimizer.step()
        };
        (0..3).try_for_each(|_| step())?;
        let warm = memory::stats();
        (0..20).try_for_each(|_| step())?;
        let after = memory::stats();
        assert_eq!(
            after.requests, warm.requests,
            "a step asked the system for memory"
        );
        assert_eq!((after.held, after.live), (warm.held, warm.live));
        assert_eq!(
            after.peak, warm.peak,
            "a later step used more than the first ones"
        );
    }
    assert_eq!(memory::stats().live, before.live, "something was left");
    Ok(())
}

fn mlp() -> Result<nn::Sequential> {
    Ok(nn::Sequential::new()
        .add(nn::Linear::new(100, 64)?)
        .add(nn::Relu)
        .add(nn::Linear::new(64, 10)?))
}

#[test]
fn a_dense_network_by_sgd() -> Result<()> {
    steady(
        mlp,
        |net| Sgd::new(net.parameters(), 0.01).momentum(0.9),
        &[32, 100],
    )
}

#[test]
fn a_dense_network_by_adam_with_large_batches() -> Result<()> {
    steady(mlp, |net| Adam::new(net.parameters(), 0.01), &[3000, 100])
}

#[test]
fn a_convolutional_network() -> Result<()> {
    let net = || {
        Ok(nn::Sequential::new()
            .add(nn::Conv2d::new(1, 4, 3)?.padding(1))
            .add(nn::BatchNorm2d::new(4)?)
            .add(nn::Relu)
            .add(nn::MaxPool2d::new(2))
            .add(nn::Conv2d::new(4, 8, 3)?)
            .add(nn::Relu)
            .add(nn::Flatten)
            .add(nn::Linear::new(8 * 4 * 4, 10)?))
    };
    steady(net, |net| Sgd::new(net.parameters(), 0.01), &[8, 1, 12, 12])
}
