//! Modules and optimizers, beyond what their examples show.

use gradus::nn::{self, Buffer, Layer, Mode, Module, Parameter};
use gradus::optim::{self, Adam, AdamW, Optimizer, Sgd};
use gradus::random::Compat;
use gradus::{Activation, DType, Kind, Result, Tensor, random};

/// Every sort of field.
#[derive(Module)]
struct Everything<L> {
    head: L,
    list: Vec<nn::Linear>,
    maybe: Option<nn::Linear>,
    boxed: Box<dyn Layer>,
    scale: Parameter,
    mean: Buffer,
    mode: Mode,
    rate: f64,
    #[module(skip)]
    _other: std::time::Duration,
    tail: Pair,
}

#[derive(Module)]
struct Pair(nn::Linear, nn::Relu);

fn everything() -> Result<Everything<nn::Linear>> {
    Ok(Everything {
        head: nn::Linear::new(2, 3)?,
        list: vec![nn::Linear::without_bias(1, 1)?, nn::Linear::new(1, 1)?],
        maybe: None,
        boxed: Box::new(nn::Linear::without_bias(4, 2)?),
        scale: Parameter::new(Tensor::ones([1]))?,
        mean: Buffer::new(&Tensor::zeros([5])),
        mode: Mode::default(),
        rate: 0.5,
        _other: std::time::Duration::ZERO,
        tail: Pair(nn::Linear::without_bias(1, 1)?, nn::Relu),
    })
}

#[test]
fn derive_walks_every_sort_of_field_in_order() {
    let m = everything().unwrap();
    let names: Vec<_> = m
        .named_parameters()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "head.weight",
            "head.bias",
            "list.0.weight",
            "list.1.weight",
            "list.1.bias",
            "boxed.weight",
            "scale",
            "tail.0.weight"
        ]
    );
    assert!(
        m.state_dict().contains_key("mean"),
        "buffers belong to the state"
    );
    assert!(m.mode.is_training());
    m.eval();
    assert!(!m.mode.is_training());
    assert_eq!(m.rate, 0.5);
}

#[test]
fn a_state_that_does_not_fit_changes_nothing() {
    let m = everything().unwrap();
    let mut state = m.state_dict();
    for tensor in state.values_mut() {
        *tensor = tensor.ones_like().unwrap();
    }
    state.insert("scale".into(), Tensor::zeros([2]));
    state.remove("mean");
    state.insert("extra".into(), Tensor::zeros([1]));
    let message = m.load_state_dict(&state).unwrap_err().to_string();
    for part in [
        "'scale' has shape [2], the module needs [1]",
        "'mean' is missing",
        "'extra' is not known",
    ] {
        assert!(message.contains(part), "{message}");
    }
    assert_ne!(m.head.weight.to_vec::<f32>().unwrap(), [1.0; 6]);
    state.insert("scale".into(), Tensor::zeros([1]));
    state.insert("mean".into(), Tensor::ones([5]));
    state.remove("extra");
    m.load_state_dict(&state).unwrap();
    assert_eq!(m.head.weight.to_vec::<f32>().unwrap(), [1.0; 6]);
    assert_eq!(m.mean.to_vec::<f32>().unwrap(), [1.0; 5]);
}

/// A parameter is itself a module, so that the names meet: this once recursed without end.
#[test]
fn a_module_clears_the_gradients_of_its_parameters() {
    let m = everything().unwrap();
    for p in m.parameters() {
        p.sum(..).unwrap().backward().unwrap();
    }
    m.scale.zero_grad();
    assert!(m.scale.grad().is_none() && m.head.weight.grad().is_some());
    m.zero_grad();
    assert!(m.parameters().iter().all(|p| p.grad().is_none()));
}

#[test]
fn tied_weights_are_one_parameter() {
    #[derive(Module)]
    struct Tied(Parameter, Parameter);
    let w = Parameter::new(Tensor::ones([1])).unwrap();
    assert_eq!(Tied(w.clone(), w).parameters().len(), 1);
}

#[test]
fn paths_and_observations_reach_into_nested_chains() {
    let inner = nn::Sequential::new()
        .add(nn::Relu)
        .add(nn::Linear::new(3, 2).unwrap());
    let net = nn::Sequential::new()
        .add(nn::Linear::new(4, 3).unwrap())
        .add(inner);
    let (y, seen) = nn::observe(|| net.forward(&Tensor::ones([1, 4])));
    y.unwrap();
    let paths: Vec<_> = seen.iter().map(|s| s.path.as_str()).collect();
    assert_eq!(paths, ["0", "1.0", "1.1", "1"]);
    let wrong = nn::Sequential::new().add(nn::Flatten).add(net);
    let message = wrong
        .forward(&Tensor::ones([1, 9]))
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("1.0 Linear(4→3): got 9 features"),
        "{message}"
    );
    // The path is left again after an error.
    assert!(
        nn::Linear::new(1, 1)
            .unwrap()
            .forward(&Tensor::ones([2]))
            .unwrap_err()
            .to_string()
            .starts_with("Linear(1→1)")
    );
}

#[test]
fn an_activation_computed_by_the_layer_before_it_changes_no_bit() -> Result<()> {
    let mut together = 0;
    for activation in nn::ACTIVATIONS {
        if nn::activation(activation)?.activation().is_none() {
            continue;
        }
        together += 1;
        random::manual_seed(3);
        let chain = |f: &dyn Fn() -> Result<Box<dyn Layer>>| -> Result<nn::Sequential> {
            Ok(nn::Sequential::new()
                .add(nn::Conv1d::new(7, 7, 3)?.same_padding())
                .add(f()?)
                .add(nn::Flatten)
                .add(f()?) // Behind a layer that computes no activation.
                .add(nn::Linear::new(70, 33)?)
                .add(f()?)
                .add(f()?) // Behind another activation.
                .add(nn::Linear::without_bias(33, 5)?)
                .add(f()?))
        };
        let net = chain(&|| nn::activation(activation))?;
        let x = Tensor::randn([9, 7, 10])?;
        let results = |y: Tensor| -> Result<Vec<Vec<f32>>> {
            net.zero_grad();
            y.square()?.sum(..)?.backward()?;
            let grads = net.parameters().into_iter().filter_map(|p| p.grad());
            grads.chain([y]).map(|t| t.to_vec()).collect()
        };
        let at_once = net.forward(&x)?;
        let (apart, seen) = nn::observe(|| net.forward(&x));
        let apart = apart?;
        assert_eq!(seen.len(), 9, "an observer sees every layer");
        assert_eq!(
            at_once.grad_fn().unwrap().name(),
            format!("linear_{activation}"),
            "nothing was done together"
        );
        assert_eq!(apart.grad_fn().unwrap().name(), *activation);
        assert_eq!(results(at_once)?, results(apart)?, "{activation}");
    }
    assert_eq!(together, 3, "relu, sigmoid and tanh");
    Ok(())
}

#[test]
fn a_convolution_computes_the_activation_behind_it_without_changing_a_bit() -> Result<()> {
    random::manual_seed(4);
    // Several tasks, groups, single channels, sequences, and an input without a batch.
    let conv = |layer: fn() -> Result<Box<dyn Layer>>, shape: &[usize]| (layer, shape.to_vec());
    let layers = [
        conv(
            || Ok(Box::new(nn::Conv2d::new(8, 33, 3)?.padding(1))),
            &[8, 8, 32, 32],
        ),
        conv(
            || Ok(Box::new(nn::Conv2d::grouped(6, 10, 3, 2)?.stride(2))),
            &[6, 40, 33],
        ),
        conv(
            || Ok(Box::new(nn::Conv2d::grouped(20, 20, 5, 20)?.same_padding())),
            &[4, 20, 40, 40],
        ),
        conv(
            || Ok(Box::new(nn::Conv1d::without_bias(7, 12, 5)?.dilation(2))),
            &[3, 7, 500],
        ),
    ];
    for (layer, shape) in layers {
        for activation in [Activation::Relu, Activation::Sigmoid, Activation::Tanh] {
            let layer = layer()?;
            let x = Tensor::randn(shape.as_slice())?.requires_grad_(true)?;
            let results = |y: Tensor| -> Result<Vec<Vec<f32>>> {
                layer.zero_grad();
                x.zero_grad();
                y.square()?.sum(..)?.backward()?;
                let parameters = layer.parameters().into_iter().filter_map(|p| p.grad());
                let grads = parameters.chain(x.grad());
                grads.chain([y]).map(|t| t.to_vec()).collect()
            };
            let at_once = results(layer.forward_then(&x, activation)?)?;
            let apart = results(activation.of(&layer.forward(&x)?)?)?;
            assert!(at_once == apart, "{} {activation:?}", layer.describe());
        }
    }
    Ok(())
}

#[test]
fn a_parameter_without_gradient_is_named_and_nothing_moves() {
    let net = nn::Sequential::new()
        .add(nn::Linear::new(2, 2).unwrap())
        .add(nn::Linear::new(2, 2).unwrap());
    let mut sgd = Sgd::new(net.parameters(), 0.1);
    let x = Tensor::ones([1, 2]);
    net.layers()[0]
        .forward(&x)
        .unwrap()
        .sum(..)
        .unwrap()
        .backward()
        .unwrap();
    let before = net.state_dict()["0.weight"].to_vec::<f32>().unwrap();
    let error = sgd.step().unwrap_err();
    assert_eq!(error.kind(), Kind::Autograd);
    assert!(
        error
            .to_string()
            .contains("parameter '1.weight' of shape [2, 2] got no gradient"),
        "{error}"
    );
    assert_eq!(
        net.state_dict()["0.weight"].to_vec::<f32>().unwrap(),
        before
    );
    net.parameters()[2..].iter().for_each(Parameter::freeze);
    sgd.step().unwrap();
    assert_ne!(
        net.state_dict()["0.weight"].to_vec::<f32>().unwrap(),
        before
    );
}

/// Three steps on w·w/2 from (1, −2), so that the gradient is w.
fn three_steps(make: impl Fn(Vec<Parameter>) -> Box<dyn Optimizer>) -> Vec<f64> {
    let w = Parameter::new(Tensor::from_vec([1.0f64, -2.0], [2]).unwrap()).unwrap();
    let mut optimizer = make(vec![w.clone()]);
    for _ in 0..3 {
        optimizer.zero_grad();
        w.mul(&*w)
            .unwrap()
            .sum(..)
            .unwrap()
            .mul(0.5)
            .unwrap()
            .backward()
            .unwrap();
        optimizer.step().unwrap();
    }
    w.to_vec().unwrap()
}

#[test]
fn optimizers_take_pytorchs_steps() {
    // torch 2.15, float64, the same three steps.
    let cases: [(Vec<f64>, [f64; 2]); 6] = [
        (three_steps(|p| Box::new(Sgd::new(p, 0.1))), [0.729, -1.458]),
        (
            three_steps(|p| Box::new(Sgd::new(p, 0.1).momentum(0.9))),
            [0.486, -0.972],
        ),
        (
            three_steps(|p| Box::new(Sgd::new(p, 0.1).momentum(0.9).nesterov(true))),
            [0.327321, -0.654642],
        ),
        (
            three_steps(|p| Box::new(Sgd::new(p, 0.1).momentum(0.5).weight_decay(0.2))),
            [0.545872, -1.091744],
        ),
        (
            three_steps(|p| Box::new(Adam::new(p, 0.1).weight_decay(0.1))),
            [0.7015862742210723, -1.700623392672905],
        ),
        (
            three_steps(|p| Box::new(AdamW::new(p, 0.1).weight_decay(0.1))),
            [0.6751012231892006, -1.6443686843220089],
        ),
    ];
    for (i, (ours, torch)) in cases.iter().enumerate() {
        for (a, b) in ours.iter().zip(torch) {
            assert!(
                (a - b).abs() < 1e-12,
                "case {i}: {ours:?} against {torch:?}"
            );
        }
    }
}

#[test]
fn an_optimizer_goes_on_where_its_state_says() {
    let run = |saved: bool| {
        let w = Parameter::new(Tensor::from([1.0, -2.0])).unwrap();
        let mut adam = Adam::new(vec![w.clone()], 0.1);
        for step in 0..6 {
            if saved && step == 3 {
                let state = adam.state_dict();
                adam = Adam::new(vec![w.clone()], 0.1);
                adam.load_state_dict(&state).unwrap();
            }
            adam.zero_grad();
            w.mul(&*w).unwrap().sum(..).unwrap().backward().unwrap();
            adam.step().unwrap();
        }
        w.to_vec::<f32>().unwrap()
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn a_foreign_optimizer_state_is_refused() {
    let w = || vec![Parameter::new(Tensor::from([1.0, -2.0])).unwrap()];
    let mut adam = Adam::new(w(), 0.1);
    adam.slots()
        .parameters()
        .for_each(|p| p.set_grad(Some(Tensor::ones([2]))).unwrap());
    adam.step().unwrap();
    let state = adam.state_dict();
    assert!(
        Sgd::new(w(), 0.1)
            .momentum(0.9)
            .load_state_dict(&state)
            .is_err()
    );
    let other = vec![Parameter::new(Tensor::zeros([3])).unwrap()];
    let message = Adam::new(other, 0.1)
        .load_state_dict(&state)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("shape [2]") && message.contains("shape [3]"),
        "{message}"
    );
}

#[test]
fn settings_out_of_range_are_refused_at_the_step() {
    let w = Parameter::new(Tensor::from(1.0)).unwrap();
    let try_step = |mut optimizer: Box<dyn Optimizer>| {
        w.set_grad(Some(Tensor::ones(()))).unwrap();
        optimizer.step().unwrap_err().to_string()
    };
    assert!(
        try_step(Box::new(Sgd::new(vec![w.clone()], -1.0))).contains("Invalid learning rate: -1")
    );
    assert!(try_step(Box::new(Sgd::new(vec![w.clone()], 1.0).nesterov(true))).contains("Nesterov"));
    assert!(
        try_step(Box::new(Adam::new(vec![w.clone()], 1.0).betas(1.0, 0.9))).contains("index 0")
    );
    assert!(try_step(Box::new(AdamW::new(vec![w.clone()], f64::NAN))).contains("learning rate"));
    assert!(optim::optimizer("sdg", vec![], 0.1, 0.0, 0.0).is_err());
    assert_eq!(w.item::<f32>().unwrap(), 1.0);
}

#[test]
fn initial_values_have_their_variance() {
    random::manual_seed(1);
    let w = Tensor::zeros([400, 300]);
    let check = |name: &str, expected: f64| {
        let v = w.mul(&w).unwrap().mean(..).unwrap().item::<f64>().unwrap();
        assert!(
            (v / expected - 1.0).abs() < 0.02,
            "{name}: {v} instead of {expected}"
        );
    };
    nn::init::kaiming_normal_(&w).unwrap();
    check("kaiming normal", 2.0 / 300.0);
    nn::init::kaiming_uniform_(&w).unwrap();
    check("kaiming uniform", 2.0 / 300.0);
    nn::init::xavier_normal_(&w).unwrap();
    check("xavier normal", 2.0 / 700.0);
    nn::init::xavier_uniform_(&w).unwrap();
    check("xavier uniform", 2.0 / 700.0);
    assert!(nn::init::kaiming_normal_(&Tensor::zeros([3])).is_err());
    assert_eq!(nn::Linear::new(3, 2).unwrap().weight.dtype(), DType::F32);
}

/// Sums of weights and biases of Linear(784, 256), ReLU, Linear(256, 10) after torch.manual_seed, and
/// the first weights of Linear(5, 3), from PyTorch 2.15.
#[test]
fn layers_begin_as_in_pytorch_after_the_same_seed() {
    let pytorch = [
        (
            0,
            [
                11.015339755864801,
                -0.5794029836688424,
                1.8937877267599106,
                0.0314968079328537,
            ],
            -0.0033482078,
        ),
        (
            42,
            [
                9.196452058744228,
                0.23158134627738036,
                -2.621449038386345,
                0.0648452639579773,
            ],
            0.34191203,
        ),
    ];
    for (seed, sums, first) in pytorch {
        random::manual_seed_compat(seed, Compat::Torch);
        let layers = [nn::Linear::new(784, 256), nn::Linear::new(256, 10)].map(Result::unwrap);
        let parameters = layers
            .iter()
            .flat_map(|l| [&l.weight, l.bias.as_ref().unwrap()]);
        for (x, expected) in parameters.zip(sums) {
            let sum: f64 = x.to_vec::<f64>().unwrap().iter().sum();
            assert!(
                (sum - expected).abs() < 1e-12,
                "seed {seed}: {sum} instead of {expected}"
            );
        }
        random::manual_seed_compat(seed, Compat::Torch);
        let layer = nn::Linear::new(5, 3).unwrap();
        assert_eq!(layer.weight.to_vec::<f32>().unwrap()[0], first);
    }
}
