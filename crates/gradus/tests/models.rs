//! The networks that are known by name: sizes, names, gradients.

use gradus::nn::{self, Layer, Module};
use gradus::train::{Config, Task};
use gradus::{DType, Result, Tensor, models, no_grad, random};

/// The configuration of a model for images of this shape.
fn config(model: &str, input: &[usize]) -> Config {
    Config {
        model: model.into(),
        task: Some(Task {
            input: input.into(),
            classes: (0..10).map(|i| i.to_string()).collect(),
        }),
        ..Config::default()
    }
}

#[test]
fn every_model_takes_images_of_several_sizes() {
    for model in models::MODELS {
        for input in [[1, 28, 28], [3, 32, 32], [2, 13, 21]] {
            let net = config(model, &input).build_model().unwrap();
            let x = Tensor::randn([2, input[0], input[1], input[2]]).unwrap();
            let y = net.forward(&x).unwrap();
            assert_eq!(y.shape(), [2, 10], "{model} for {input:?}");
            // The seed alone makes the weights.
            let again = config(model, &input).build_model().unwrap();
            for (a, b) in net.parameters().iter().zip(again.parameters()) {
                assert_eq!(a.to_vec::<f32>().unwrap(), b.to_vec::<f32>().unwrap());
            }
        }
    }
}

#[test]
fn models_have_the_sizes_of_their_sources() {
    for (model, input, parameters) in [
        ("softmax", [1, 28, 28], 7_850),
        ("mlp", [1, 28, 28], 101_770),
        ("cnn", [1, 28, 28], 225_024),
        ("lenet", [1, 28, 28], 61_706),
        // 0.27 million in the paper; with the two numbers of every normalised channel.
        ("resnet20", [3, 32, 32], 269_722),
    ] {
        let net = config(model, &input).build_model().unwrap();
        assert_eq!(net.num_parameters(), parameters, "{model}");
    }
}

#[test]
fn images_that_a_model_cannot_take_are_refused_at_once() {
    for (model, input, expected) in [
        (
            "cnn",
            &[1, 9, 30][..],
            "cnn: images of 30×9 pixels are too small, it needs 10×10",
        ),
        (
            "lenet",
            &[1, 8, 8],
            "lenet: images of 8×8 pixels are too small, it needs 12×12",
        ),
        (
            "resnet20",
            &[64],
            "resnet20: takes images, [channels, height, width], not",
        ),
        ("cnn", &[2, 1, 28, 28], "cnn: takes images"),
    ] {
        let error = config(model, input)
            .build_model()
            .err()
            .unwrap()
            .to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    assert!(config("alexnet", &[1, 28, 28]).build_model().is_err());
    // Sizes from a damaged file: an error, whatever it is.
    for input in [[1, 1 << 31, 1 << 31], [1 << 60, 10, 1]] {
        for model in ["softmax", "cnn", "lenet"] {
            assert!(
                config(model, &input).build_model().is_err(),
                "{model} {input:?}"
            );
        }
    }
}

/// Weights under the names that are usual for this network in PyTorch.
#[test]
fn residual_networks_have_readable_names() {
    let net = models::resnet20([3, 32, 32], 10).unwrap();
    let state = net.state_dict();
    for (name, shape) in [
        ("conv1.weight", &[16, 3, 3, 3][..]),
        ("bn1.running_mean", &[16]),
        ("layer1.0.conv1.weight", &[16, 16, 3, 3]),
        ("layer2.0.conv1.weight", &[32, 16, 3, 3]),
        ("layer3.2.bn2.weight", &[64]),
        ("linear.weight", &[10, 64]),
    ] {
        assert_eq!(state[name].shape(), shape, "{name}");
    }
    let error = net.forward(&Tensor::zeros([2, 1, 32, 32])).unwrap_err();
    assert!(
        error.to_string().starts_with("conv1 Conv2d(3→16"),
        "{error}"
    );
}

/// The loss of `net` and, for each parameter, how far its gradient is from central differences
/// along a random direction.
fn directions(net: &dyn Layer, x: &Tensor, y: &Tensor) -> Result<Vec<(String, f64, f64)>> {
    // So small that hardly a relu or a maximum changes sides.
    const STEP: f64 = 1e-7;
    let loss = || nn::cross_entropy(&net.forward(x)?, y);
    loss()?.backward()?;
    let mut found = Vec::new();
    for (name, p) in net.named_parameters() {
        let along = Tensor::randn(p.shape())?.to_dtype(DType::F64)?;
        let gradient = p.grad().unwrap().mul(&along)?.sum(..)?.item::<f64>()?;
        let at = |step: f64| {
            no_grad(|| p.add_(&along.mul(step)?))?;
            let value = no_grad(loss)?.item::<f64>();
            no_grad(|| p.sub_(&along.mul(step)?))?;
            value
        };
        let difference = (at(STEP)? - at(-STEP)?) / (2.0 * STEP);
        found.push((name, gradient, difference));
    }
    Ok(found)
}

/// A gradient that is cut off or wrong anywhere in a network.
#[test]
fn gradients_reach_every_parameter() {
    random::manual_seed(5);
    let nets: [(Box<dyn Layer>, [usize; 3]); 3] = nn::with_dtype(DType::F64, || {
        [
            (
                Box::new(models::cnn([1, 10, 11], 3).unwrap()) as _,
                [1, 10, 11],
            ),
            (
                Box::new(models::lenet([2, 12, 13], 3).unwrap()) as _,
                [2, 12, 13],
            ),
            (
                Box::new(models::ResNet::new(2, 1, 3).unwrap()) as _,
                [2, 7, 6],
            ),
        ]
    });
    for (net, [c, h, w]) in nets {
        let x = Tensor::randn([4, c, h, w])
            .unwrap()
            .to_dtype(DType::F64)
            .unwrap();
        let y = Tensor::from([0, 2, 1, 1]);
        for (name, gradient, difference) in directions(&net, &x, &y).unwrap() {
            assert!(
                (gradient - difference).abs() <= 1e-6 * (1.0 + difference.abs()),
                "{name}: {gradient} against {difference}"
            );
            assert!(gradient != 0.0, "{name} has no gradient");
        }
    }
}
