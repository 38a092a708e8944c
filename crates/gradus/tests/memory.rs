//! A training loop takes the same memory at every step.

use gradus::nn::{self, Layer, Module};
use gradus::optim::{Adam, Optimizer, Sgd};
use gradus::{DType, Result, Tensor, memory, random, set_num_threads};
use std::sync::{Mutex, MutexGuard};

/// The figures are those of the whole program: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// How a network is trained, and what may be asked of the system.
struct Training<O> {
    optimizer: fn(&nn::Sequential) -> O,
    input: &'static [usize],
    threads: usize,
    /// Whether gradients are dropped before the next step computes anything, not just before it goes
    /// back.
    drop_first: bool,
    /// The steps that may ask for memory.
    warm: usize,
    /// Bytes that each worker may ask for later.
    scratch: usize,
}

/// Trains for a while: after the first steps the system is asked for nothing more, and after the last
/// nothing is left.
fn steady<O: Optimizer>(net: fn() -> Result<nn::Sequential>, training: Training<O>) -> Result<()> {
    let _alone = alone();
    set_num_threads(training.threads);
    memory::empty_cache();
    let before = memory::stats();
    random::manual_seed(0);
    {
        let net = net()?;
        let mut optimizer = (training.optimizer)(&net);
        let mut step = || -> Result<()> {
            if training.drop_first {
                optimizer.zero_grad();
            }
            let x = Tensor::rand(training.input)?;
            let y = Tensor::rand([training.input[0]])?.mul(10.0)?;
            let loss = nn::cross_entropy(&net.forward(&x)?, &y.to_dtype(DType::I64)?)?;
            optimizer.zero_grad();
            loss.backward()?;
            optimizer.step()
        };
        (0..training.warm).try_for_each(|_| step())?;
        let warm = memory::stats();
        (0..20).try_for_each(|_| step())?;
        let after = memory::stats();
        let scratch = (training.threads - 1) * training.scratch;
        let asked = (after.requested - warm.requested) as usize;
        assert!(
            asked <= scratch,
            "a later step asked the system for memory: {asked} bytes in {} requests",
            after.requests - warm.requests
        );
        assert_eq!(after.live, warm.live);
        assert!(after.held <= warm.held + scratch, "{after:?} {warm:?}");
        assert!(
            after.peak <= warm.peak + scratch,
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
        Training {
            optimizer: |net| Sgd::new(net.parameters(), 0.01).momentum(0.9),
            input: &[32, 100],
            threads: 2,
            drop_first: false,
            warm: 2,
            scratch: 0,
        },
    )
}

#[test]
fn a_dense_network_by_adam_with_large_batches() -> Result<()> {
    steady(
        mlp,
        Training {
            optimizer: |net| Adam::new(net.parameters(), 0.01),
            input: &[3000, 100],
            threads: 2,
            drop_first: false,
            warm: 2,
            scratch: 0,
        },
    )
}

/// As large as the model `cnn`, so that each layer has several tasks; with borders and a number of
/// channels that is no multiple of a vector's, for which the weights' gradients need copies of rows.
fn cnn() -> Result<nn::Sequential> {
    Ok(nn::Sequential::new()
        .add(nn::Conv2d::new(1, 32, 3)?.padding(1))
        .add(nn::BatchNorm2d::new(32)?)
        .add(nn::Relu)
        .add(nn::MaxPool2d::new(2))
        .add(nn::Conv2d::new(32, 60, 3)?.padding(1))
        .add(nn::Relu)
        .add(nn::MaxPool2d::new(2))
        .add(nn::Flatten)
        .add(nn::Linear::new(60 * 7 * 7, 128)?)
        .add(nn::Relu)
        .add(nn::Linear::new(128, 10)?))
}

const PICTURES: &[usize] = &[32, 1, 28, 28];

/// Where the second step begins with the same tensors as the first, the first alone asks for memory.
#[test]
fn a_convolutional_network_asks_in_its_first_step_only() -> Result<()> {
    steady(
        cnn,
        Training {
            optimizer: |net| Sgd::new(net.parameters(), 0.01),
            input: PICTURES,
            threads: 1,
            drop_first: true,
            warm: 1,
            scratch: 0,
        },
    )
}

/// The first step leaves gradients and the optimizer's averages, in blocks that served something else
/// before. So the second, which finds them taken, asks once more; the third does not.
#[test]
fn a_convolutional_network_with_an_optimizers_averages_asks_in_two_steps() -> Result<()> {
    steady(
        cnn,
        Training {
            optimizer: |net| Adam::new(net.parameters(), 0.01),
            input: PICTURES,
            threads: 1,
            drop_first: false,
            warm: 2,
            scratch: 0,
        },
    )
}

/// A worker takes the memory for its copies of rows when it first has such a task, and keeps it. Which
/// tasks a worker gets, if any, is chance, so that may happen at any step; but only once.
#[test]
fn each_worker_asks_for_its_own_scratch_once() -> Result<()> {
    steady(
        cnn,
        Training {
            optimizer: |net| Sgd::new(net.parameters(), 0.01).momentum(0.9),
            input: PICTURES,
            threads: 3,
            drop_first: false,
            warm: 2,
            // For two blocks of rows in two layers, in size classes.
            scratch: 4 * (256 << 10) * 5 / 4,
        },
    )
}
