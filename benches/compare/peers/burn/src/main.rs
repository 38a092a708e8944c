//! burn's side of the workloads, by its backend burn-flex.

use burn::module::ParamGroup;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::optim::decay::WeightDecayConfig;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::prelude::*;
use burn::tensor::{Distribution, FloatDType, activation};

#[path = "../../measure.rs"]
mod measure;
use measure::{CLASSES, RATE, Step, Workload, shuffled};

#[derive(Module, Debug)]
struct Dense {
    layers: Vec<Linear>,
    sigmoid: bool,
}

impl Dense {
    fn new(w: &Workload, device: &Device) -> Self {
        let layer = |s: &[usize]| LinearConfig::new(s[0], s[1]).init(device);
        Self {
            layers: w.sizes.windows(2).map(layer).collect(),
            sigmoid: w.sigmoid,
        }
    }

    fn forward(&self, mut x: Tensor<2>) -> Tensor<2> {
        let (last, hidden) = self.layers.split_last().expect("a layer");
        for layer in hidden {
            x = layer.forward(x);
            x = if self.sigmoid {
                activation::sigmoid(x)
            } else {
                activation::relu(x)
            };
        }
        last.forward(x)
    }
}

#[derive(Module, Debug)]
struct Cnn {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    dense1: Linear,
    dense2: Linear,
}

impl Cnn {
    fn new(device: &Device) -> Self {
        Self {
            conv1: Conv2dConfig::new([1, 32], [3, 3]).init(device),
            conv2: Conv2dConfig::new([32, 64], [3, 3]).init(device),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            dense1: LinearConfig::new(1600, 128).init(device),
            dense2: LinearConfig::new(128, CLASSES)
                .with_bias(false)
                .init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(activation::relu(self.conv1.forward(x)));
        let x = self.pool.forward(activation::relu(self.conv2.forward(x)));
        self.dense2
            .forward(activation::relu(self.dense1.forward(x.flatten(1, 3))))
    }
}

/// Training steps of a model: `forward` maps a batch of rank `R` to scores.
fn training<M: Module + 'static, const R: usize>(
    w: &Workload,
    device: &Device,
    model: M,
    forward: impl Fn(&M, Tensor<R>) -> Tensor<2> + 'static,
    x: Tensor<R>,
) -> Step {
    let y = Tensor::<1>::random(
        [x.dims()[0]],
        Distribution::Uniform(0.0, CLASSES as f64),
        device,
    )
    .int();
    let cross_entropy: CrossEntropyLoss = CrossEntropyLossConfig::new().init(device);
    let mut optimizer: ModuleOptimizer = SgdConfig::new().init();
    if w.l2 > 0.0 {
        let decay = WeightDecayConfig::new(w.l2 as f32);
        let weights = SgdConfig::new().with_weight_decay(Some(decay)).build();
        optimizer = optimizer.with_group(ParamGroup::from_predicate("weight"), weights, None);
    }
    let mut batches = w.samples.map(|n| shuffled(n, w.batch));
    let device = device.clone();
    let mut model = Some(model);
    Box::new(move || {
        let (x, y) = match &mut batches {
            None => (x.clone(), y.clone()),
            Some(next) => {
                let indices: Vec<i32> = next().into_iter().map(|i| i as i32).collect();
                let indices = Tensor::<1, Int>::from_ints(indices.as_slice(), &device);
                (
                    x.clone().select(0, indices.clone()),
                    y.clone().select(0, indices),
                )
            }
        };
        let net = model.take().expect("a model");
        let loss = cross_entropy.forward(forward(&net, x), y);
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        model = Some(optimizer.step(RATE, net, gradients));
    })
}

fn prepare(w: &Workload) -> Option<Step> {
    let mut device = Device::flex();
    if w.double {
        device.configure(FloatDType::F64).expect("f64");
    }
    let uniform = Distribution::Uniform(0.0, 1.0);
    let learning = device.clone().autodiff();
    let samples = w.samples.unwrap_or(w.batch);
    let vector = |device: &Device| Tensor::<1>::random([w.size], uniform, device);
    Some(match w.kind.as_str() {
        "dense" => {
            let x = Tensor::<2>::random([samples, w.sizes[0]], uniform, &learning);
            training(w, &learning, Dense::new(w, &learning), Dense::forward, x)
        }
        "cnn" => {
            let x = Tensor::<4>::random([samples, 1, 28, 28], uniform, &learning);
            training(w, &learning, Cnn::new(&learning), Cnn::forward, x)
        }
        "graph" => {
            let [x, a, b] = std::array::from_fn(|_| vector(&learning).require_grad());
            Box::new(move || {
                let mut y = x.clone();
                for _ in 0..3 {
                    y = activation::relu(y * a.clone() + b.clone());
                }
                drop(y.sum().backward());
            })
        }
        kind => {
            let (a, b) = (vector(&device), vector(&device));
            match kind {
                "add" => Box::new(move || drop(a.clone() + b.clone())),
                "exp" => Box::new(move || drop(a.clone().exp())),
                "sum" => Box::new(move || drop(a.clone().sum())),
                _ => return None,
            }
        }
    })
}

fn main() {
    measure::main("burn", prepare);
}
