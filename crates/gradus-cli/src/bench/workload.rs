//! What is measured. This is the one place that says so: `benches/compare/run` asks for it with
//! `gradus bench --list --json` and gives it to the peers.

use gradus::data::{DataLoader, TensorDataset};
use gradus::nn::{self, Layer, Linear, Module, Sequential};
use gradus::optim::{Optimizer, Sgd};
use gradus::{DType, Result, Tensor, models, random};
use serde_json::{Value, json};

/// Something that is done again and again.
pub type Step = Box<dyn FnMut() -> Result<()>>;

/// The samples that batches are gathered from.
const SAMPLES: usize = 60_000;
/// The classes that every net tells apart.
const CLASSES: usize = 10;

/// A piece of work with a name.
pub struct Workload {
    pub name: &'static str,
    pub work: Work,
}

/// The kinds of work.
pub enum Work {
    /// A training step of a dense net: forward, cross-entropy, backward, plain SGD.
    Dense(Dense),
    /// The same of the convolutional net, with this many images in a batch.
    Cnn(usize),
    /// An operation on tensors of `size` numbers, whose result is fresh each time.
    Operation { of: Operation, size: usize },
    /// Forward and backward of a graph of ten operations on `size` numbers.
    Graph(usize),
}

/// A dense net and its batch.
pub struct Dense {
    /// From the input to the classes.
    sizes: &'static [usize],
    batch: usize,
    activation: &'static str,
    dtype: DType,
    /// A penalty on the weights, not on the biases.
    l2: f64,
    /// Whether each step gathers its batch from a shuffled set by a loader.
    gathered: bool,
}

/// Operations that are measured alone.
#[derive(Clone, Copy)]
pub enum Operation {
    Add,
    Exp,
    Sum,
}

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Exp => "exp",
            Self::Sum => "sum",
        }
    }
}

/// A net with relu, on a fixed batch of f32.
const fn dense(sizes: &'static [usize], batch: usize) -> Dense {
    Dense {
        sizes,
        batch,
        activation: "relu",
        dtype: DType::F32,
        l2: 0.0,
        gathered: false,
    }
}

/// 784–128–64–10 with sigmoids, all of MNIST's training set as one batch.
const fn full_batch(dtype: DType) -> Dense {
    Dense {
        activation: "sigmoid",
        dtype,
        ..dense(&[784, 128, 64, CLASSES], SAMPLES)
    }
}

/// Every workload, in the order in which they run.
pub const WORKLOADS: &[Workload] = &[
    Workload {
        name: "softmax_784_10_b256",
        work: Work::Dense(dense(&[784, CLASSES], 256)),
    },
    Workload {
        name: "mlp_784_256_10_b256",
        work: Work::Dense(dense(&[784, 256, CLASSES], 256)),
    },
    Workload {
        name: "mlp_784_256_10_b256_gathered",
        work: Work::Dense(Dense {
            gathered: true,
            ..dense(&[784, 256, CLASSES], 256)
        }),
    },
    Workload {
        name: "mlp_784_256_10_b32",
        work: Work::Dense(dense(&[784, 256, CLASSES], 32)),
    },
    Workload {
        name: "mlp_784_128_64_10_b512",
        work: Work::Dense(dense(&[784, 128, 64, CLASSES], 512)),
    },
    Workload {
        name: "two_layer_3072_1024_10_b100",
        work: Work::Dense(Dense {
            l2: 1e-4,
            ..dense(&[3072, 1024, CLASSES], 100)
        }),
    },
    Workload {
        name: "cnn_b32",
        work: Work::Cnn(32),
    },
    Workload {
        name: "cnn_b256",
        work: Work::Cnn(256),
    },
    Workload {
        name: "full_batch_f32",
        work: Work::Dense(full_batch(DType::F32)),
    },
    Workload {
        name: "full_batch_f64",
        work: Work::Dense(full_batch(DType::F64)),
    },
    Workload {
        name: "add_10",
        work: Work::Operation {
            of: Operation::Add,
            size: 10,
        },
    },
    Workload {
        name: "graph_10",
        work: Work::Graph(10),
    },
    Workload {
        name: "add_10m",
        work: Work::Operation {
            of: Operation::Add,
            size: 10_000_000,
        },
    },
    Workload {
        name: "exp_10m",
        work: Work::Operation {
            of: Operation::Exp,
            size: 10_000_000,
        },
    },
    Workload {
        name: "sum_10m",
        work: Work::Operation {
            of: Operation::Sum,
            size: 10_000_000,
        },
    },
];

impl Workload {
    /// What it does, for people.
    pub fn about(&self) -> String {
        match &self.work {
            Work::Dense(net) => {
                let sizes: Vec<_> = net.sizes.iter().map(ToString::to_string).collect();
                let mut about = format!("training step of {}", sizes.join("–"));
                if net.sizes.len() > 2 {
                    about += &format!(" with {}", net.activation);
                }
                about += &format!(", batch {}, {}", net.batch, net.dtype);
                if net.l2 > 0.0 {
                    about += ", L2 penalty";
                }
                if net.gathered {
                    about += ", each batch gathered from 60,000 shuffled samples";
                }
                about
            }
            Work::Cnn(batch) => format!(
                "training step of conv 3×3 1→32, conv 3×3 32→64, each with relu and 2×2 pooling, \
                 dense 1600–128–10, batch {batch}"
            ),
            Work::Operation { of, size } => format!("{} of {size} numbers", of.name()),
            Work::Graph(size) => {
                format!("forward and backward of ten operations on {size} numbers")
            }
        }
    }

    /// All that a program needs to know to do the same.
    pub fn as_json(&self) -> Value {
        let mut json = match &self.work {
            Work::Dense(net) => json!({
                "kind": "dense",
                "sizes": net.sizes,
                "batch": net.batch,
                "activation": net.activation,
                "l2": net.l2,
                "samples": net.gathered.then_some(SAMPLES),
            }),
            Work::Cnn(batch) => json!({ "kind": "cnn", "batch": batch }),
            Work::Operation { of, size } => json!({ "kind": of.name(), "size": size }),
            Work::Graph(size) => json!({ "kind": "graph", "size": size }),
        };
        json["name"] = self.name.into();
        json["about"] = self.about().into();
        json["dtype"] = self.dtype().to_string().into();
        json["flop"] = self.flop().into();
        json["bytes"] = self.bytes().into();
        json
    }

    /// The dtype it computes in.
    pub fn dtype(&self) -> DType {
        match &self.work {
            Work::Dense(net) => net.dtype,
            _ => DType::F32,
        }
    }

    /// Floating-point operations of the products, forward and back, without a gradient for the data;
    /// 0 where other costs count.
    pub fn flop(&self) -> f64 {
        // Each layer multiplies by its weight, by it again for its input's gradient, and its input
        // by a gradient for the weight's.
        let layers = |first: usize, others: usize| (2 * first + 3 * others) as f64 * 2.0;
        match &self.work {
            Work::Dense(net) => {
                let all = net.sizes.windows(2).map(|s| s[0] * s[1]);
                let first = net.sizes[0] * net.sizes[1];
                layers(first, all.sum::<usize>() - first) * net.batch as f64
            }
            Work::Cnn(batch) => {
                let (conv1, conv2) = (26 * 26 * 32 * 9, 11 * 11 * 64 * 32 * 9);
                layers(conv1, conv2 + 1600 * 128 + 128 * CLASSES) * *batch as f64
            }
            Work::Operation { .. } | Work::Graph(_) => 0.0,
        }
    }

    /// Bytes that must move if caches hold nothing: the batch twice and the parameters five times
    /// (used; their gradient written; read, read and written by the update), or an operation's
    /// operands and result.
    pub fn bytes(&self) -> f64 {
        let numbers = match &self.work {
            Work::Dense(net) => {
                let parameters: usize = net.sizes.windows(2).map(|s| (s[0] + 1) * s[1]).sum();
                2 * net.batch * net.sizes[0] + 5 * parameters
            }
            Work::Cnn(batch) => {
                2 * batch * 28 * 28 + 5 * (9 * 32 + 9 * 32 * 64 + 1600 * 128 + 128 * CLASSES)
            }
            Work::Operation { of, size } => match of {
                Operation::Add => 3 * size,
                Operation::Exp => 2 * size,
                Operation::Sum => *size,
            },
            Work::Graph(_) => 0,
        };
        (numbers * self.dtype().size()) as f64
    }

    /// Makes what is needed and returns the work to be repeated.
    pub fn prepare(&self) -> Result<Step> {
        random::manual_seed(0);
        match &self.work {
            Work::Dense(net) => net.prepare(),
            Work::Cnn(batch) => train(
                models::cnn([1, 28, 28], CLASSES)?,
                0.0,
                fixed(Tensor::rand([*batch, 1, 28, 28])?)?,
            ),
            Work::Operation { of, size } => {
                let (a, b) = (Tensor::rand([*size])?, Tensor::rand([*size])?);
                Ok(match of {
                    Operation::Add => Box::new(move || a.add(&b).map(drop)),
                    Operation::Exp => Box::new(move || a.exp().map(drop)),
                    Operation::Sum => Box::new(move || a.sum(..).map(drop)),
                })
            }
            Work::Graph(size) => {
                let leaf = || Tensor::rand([*size])?.requires_grad_(true);
                let [x, a, b] = [leaf()?, leaf()?, leaf()?];
                Ok(Box::new(move || {
                    let mut y = x.clone();
                    for _ in 0..3 {
                        y = y.mul(&a)?.add(&b)?.relu()?;
                    }
                    [&x, &a, &b].into_iter().for_each(Tensor::zero_grad);
                    y.sum(..)?.backward()
                }))
            }
        }
    }
}

impl Dense {
    fn prepare(&self) -> Result<Step> {
        let mut net = Sequential::new();
        for (i, pair) in self.sizes.windows(2).enumerate() {
            if i > 0 {
                net = net.add(nn::activation(self.activation)?);
            }
            net = net.add(nn::with_dtype(self.dtype, || {
                Linear::new(pair[0], pair[1])
            })?);
        }
        let samples = if self.gathered { SAMPLES } else { self.batch };
        let x = Tensor::rand([samples, self.sizes[0]])?.to_dtype(self.dtype)?;
        let batches = if self.gathered {
            gathered(x, self.batch)?
        } else {
            fixed(x)?
        };
        train(net, self.l2, batches)
    }
}

/// What gives each step its inputs and labels.
type Batches = Box<dyn FnMut() -> Result<(Tensor, Tensor)>>;

fn labels(n: usize) -> Result<Tensor> {
    Tensor::rand([n])?.mul(CLASSES as f64)?.to_dtype(DType::I64)
}

/// The same batch for each step.
fn fixed(x: Tensor) -> Result<Batches> {
    let y = labels(x.shape()[0])?;
    Ok(Box::new(move || Ok((x.clone(), y.clone()))))
}

/// Batches of a shuffled set, epoch after epoch.
fn gathered(x: Tensor, batch: usize) -> Result<Batches> {
    let y = labels(x.shape()[0])?;
    let loader = DataLoader::new(TensorDataset::new(x, y)?, batch)?
        .shuffle(0)
        .drop_last(true);
    let mut batches = loader.iter();
    Ok(Box::new(move || {
        loop {
            match batches.next() {
                Some(batch) => return batch,
                None => batches = loader.iter(),
            }
        }
    }))
}

/// Training steps with plain SGD.
fn train(net: Sequential, l2: f64, mut batches: Batches) -> Result<Step> {
    let (weights, biases) = net
        .parameters()
        .into_iter()
        .partition(|p| p.shape().len() > 1);
    let rate = 0.01;
    let mut optimizers = [
        Sgd::new(weights, rate).weight_decay(l2),
        Sgd::new(biases, rate),
    ];
    Ok(Box::new(move || {
        let (x, y) = batches()?;
        let loss = nn::cross_entropy(&net.forward(&x)?, &y)?;
        optimizers.iter_mut().for_each(|o| o.zero_grad());
        loss.backward()?;
        optimizers.iter_mut().try_for_each(|o| o.step())
    }))
}
