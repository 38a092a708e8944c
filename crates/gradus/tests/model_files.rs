//! Networks that are written down: what they become, and what is said of mistakes.

use gradus::models::{self, LayerSpec};
use gradus::nn::{Layer, Module};
use gradus::random::{self, Generator};
use gradus::train::Config;
use gradus::{Tensor, nn};

fn spec(layers: &[&str]) -> Vec<LayerSpec> {
    let text = layers
        .iter()
        .map(|layer| format!("[[layers]]\n{}\n", layer.replace("; ", "\n")));
    LayerSpec::from_toml(&text.collect::<String>()).unwrap()
}

/// The same network written down and built by hand: every bit is the same.
#[test]
fn a_list_is_the_network_that_it_says() {
    let list = spec(&[
        "type = \"Conv2d\"; out_channels = 4; kernel_size = 3; padding = 1; bias = false",
        "type = \"batch-norm-2d\"",
        "type = \"relu\"",
        "type = \"max_pool2d\"; kernel = 2",
        "type = \"conv2d\"; out = 6; kernel = [3, 1]; stride = [2, 1]",
        "type = \"Leaky-ReLU\"",
        "type = \"avg_pool2d\"; kernel = 2; stride = 1",
        "type = \"flatten\"",
        "type = \"dropout\"; p = 0.2",
        "type = \"linear\"; out = 5",
        "type = \"layer_norm\"",
        "type = \"linear\"",
    ]);
    let seeded = |f: &dyn Fn() -> nn::Sequential| random::scoped(Generator::new(3), f);
    let listed = seeded(&|| models::layers(&list, &[2, 12, 12], 3).unwrap());
    let built = seeded(&|| {
        nn::Sequential::new()
            .add(nn::Conv2d::without_bias(2, 4, 3).unwrap().padding(1))
            .add(nn::BatchNorm2d::new(4).unwrap())
            .add(nn::Relu)
            .add(nn::MaxPool2d::new(2))
            .add(nn::Conv2d::new(4, 6, [3, 1]).unwrap().stride([2, 1]))
            .add(nn::LeakyRelu::default())
            .add(nn::AvgPool2d::new(2).stride(1))
            .add(nn::Flatten)
            .add(nn::Dropout::new(0.2))
            .add(nn::Linear::new(30, 5).unwrap())
            .add(nn::LayerNorm::new(5).unwrap())
            .add(nn::Linear::new(5, 3).unwrap())
    });
    let x = Tensor::randn([4, 2, 12, 12]).unwrap();
    // In training too: the layers are left in that mode.
    for training in [true, false] {
        let run = |net: &nn::Sequential| {
            if !training {
                net.eval();
            }
            let y = random::scoped(Generator::new(9), || net.forward(&x));
            y.unwrap().to_vec::<f32>().unwrap()
        };
        assert_eq!(run(&listed), run(&built), "training: {training}");
    }
}

#[test]
fn residual_blocks_add_what_comes_in() {
    let block = "type = \"residual\"; layers = [{type = \"conv2d\", out = 4, kernel = 3, padding = 1}, \
                 {type = \"relu\"}]";
    let net = models::layers(
        &spec(&[
            block,
            block,
            "type = \"adaptive_avg_pool2d\"",
            "type = \"flatten\"",
            "type = \"linear\"",
        ]),
        &[2, 6, 6],
        3,
    )
    .unwrap();
    let names: Vec<_> = net
        .named_parameters()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert!(names.contains(&"0.shortcut.weight".into()), "{names:?}");
    assert!(!names.contains(&"1.shortcut.weight".into()), "{names:?}");
    let half = "type = \"residual\"; layers = [{type = \"linear\", out = 3}]";
    let net = models::layers(&spec(&[half, "type = \"linear\""]), &[5], 1).unwrap();
    assert_eq!(net.forward(&Tensor::ones([2, 5])).unwrap().shape(), [2, 1]);
}

#[test]
fn mistakes_are_told_with_line_and_layer() {
    for (text, expected) in [
        (
            "[[layers]]\ntype = \"relu\"\n\n[[layers]]\nout = 3\n",
            "line 4: layer 2: expected a type, one of linear",
        ),
        (
            "[[layers]]\ntype = \"linear\"\nouts = 3\n",
            "line 1: layer 1: linear: unknown field `outs`, expected",
        ),
        (
            "[[layers]]\ntype = \"conv2d\"\nout = 3\n",
            "conv2d: missing field `kernel`",
        ),
        (
            "[[layers]]\ntype = \"conv2d\"\nout = 0\nkernel = 3",
            "conv2d: out must be at least 1",
        ),
        (
            "[[layers]]\ntype = \"conv2d\"\nout = 1\nkernel = 3\npadding = \"some\"",
            "or \"same\", not \"some\"",
        ),
        (
            "[[layers]]\ntype = \"dropout\"\np = 1.0",
            "dropout: p must be at least 0 and below 1, not 1",
        ),
        (
            "[[layers]]\ntype = \"tanh\"\np = 1.0",
            "tanh has no settings, but p is given",
        ),
        (
            "[[layers]]\ntype = \"residual\"\nlayers = [{type = \"x\"}]",
            "layer 1.1: unknown type 'x'",
        ),
        (
            "\n[[layer]]\ntype = \"relu\"",
            "line 2: unknown field `layer`, expected `layers`",
        ),
        ("layers = 3 = 4", "line 1: "),
        ("", "missing field `layers`"),
    ] {
        let error = LayerSpec::from_toml(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected:?} is not in {error}");
    }
    let linear = "type = \"linear\"";
    for (list, input, expected) in [
        (
            &[linear, linear][..],
            &[4][..],
            "layer 1 (linear): out is missing",
        ),
        (
            &["type = \"relu\""],
            &[4],
            "results of shape [4] for a sample of shape [4], the data ask for 3 numbers",
        ),
        (&[linear], &[2, 6, 6], "end with flatten and linear"),
        (
            &["type = \"conv2d\"; out = 4; kernel = 3", linear],
            &[4],
            "layer 1 (conv2d): takes images",
        ),
        (
            &["type = \"max_pool2d\"; kernel = 9", linear],
            &[1, 4, 4],
            "layer 1 (max_pool2d): ",
        ),
        (
            &["type = \"conv2d\"; out = 4; kernel = 3; groups = 3", linear],
            &[2, 8, 8],
            "layer 1 (conv2d): ",
        ),
    ] {
        let error = models::layers(&spec(list), input, 3)
            .err()
            .unwrap()
            .to_string();
        assert!(error.contains(expected), "{expected:?} is not in {error}");
    }
}

/// A run that could not be opened again because its model is only in a file elsewhere.
#[test]
fn settings_keep_the_layers() {
    let config = Config {
        model: "mine".into(),
        layers: spec(&["type = \"flatten\"", "type = \"linear\"; bias = false"]),
        ..Config::default()
    };
    let again = Config::from_toml(&config.to_toml()).unwrap();
    assert_eq!(again, config);
    let error = Config::from_toml("[[layers]]\ntype = \"lin\"")
        .unwrap_err()
        .to_string();
    assert!(error.contains("layer 1: unknown type 'lin'"), "{error}");
}
