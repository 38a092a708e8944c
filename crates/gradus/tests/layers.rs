//! Layers beside PyTorch: results, gradients, initial values; what they save, and what they refuse.

use gradus::nn::{self, Layer, Module};
use gradus::pool::Mode;
use gradus::random::{self, Compat};
use gradus::{DType, Kind, Result, Tensor, set_num_threads};

/// A layer made and run after `torch.manual_seed(3)`.
struct Case {
    name: &'static str,
    make: fn() -> Result<Box<dyn Layer>>,
    /// The shape of a normal input; empty for integers.
    input: &'static [usize],
    output: &'static [usize],
    /// Of PyTorch 2.15: the sum of results weighted with cos 0, cos 1, …; the gradients of this by
    /// the input and by all parameters, weighted likewise; the sum again in evaluation.
    figures: [f64; 4],
}

fn boxed(layer: impl Layer + 'static) -> Result<Box<dyn Layer>> {
    Ok(Box::new(layer))
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case {
        name: "Conv1d",
        make: || boxed(nn::Conv1d::new(4, 6, 3)?.stride(2).padding(1)),
        input: &[2, 4, 9],
        output: &[2, 6, 5],
        figures: [0.323166, -0.654168, 5.244681, 0.323166],
    },
    Case {
        name: "Conv2d grouped",
        make: || boxed(nn::Conv2d::grouped(4, 6, [3, 2], 2)?.stride([2, 1]).padding([1, 0])),
        input: &[2, 4, 7, 8],
        output: &[2, 6, 4, 7],
        figures: [8.891880, 2.782390, -9.564994, 8.891880],
    },
    Case {
        name: "Conv2d dilated same",
        make: || boxed(nn::Conv2d::without_bias(3, 5, 3)?.same_padding().dilation(2)),
        input: &[2, 3, 6, 5],
        output: &[2, 5, 6, 5],
        figures: [-3.725615, 3.168432, 57.134667, -3.725615],
    },
    Case {
        name: "ConvTranspose1d",
        make: || boxed(nn::ConvTranspose1d::new(4, 6, 3)?.stride(2).output_padding(1)),
        input: &[2, 4, 5],
        output: &[2, 6, 12],
        figures: [-1.294236, 1.092619, -10.451684, -1.294236],
    },
    Case {
        name: "ConvTranspose2d",
        make: || boxed(nn::ConvTranspose2d::grouped(4, 6, 3, 2)?.stride(2).padding(1)),
        input: &[2, 4, 5, 6],
        output: &[2, 6, 9, 11],
        figures: [0.549008, 0.191527, 8.593700, 0.549008],
    },
    Case {
        name: "MaxPool1d",
        make: || boxed(nn::MaxPool1d::new(3).stride(2).padding(1)),
        input: &[2, 4, 9],
        output: &[2, 4, 5],
        figures: [-1.362879, 1.175019, 0.000000, -1.362879],
    },
    Case {
        name: "MaxPool2d",
        make: || boxed(nn::MaxPool2d::new([3, 2]).stride(2).padding(1).ceil_mode(true)),
        input: &[2, 4, 8, 7],
        output: &[2, 4, 5, 4],
        figures: [-6.205189, 6.318785, 0.000000, -6.205189],
    },
    Case {
        name: "AvgPool1d",
        make: || boxed(nn::AvgPool1d::new(3).stride(2).padding(1)),
        input: &[2, 4, 9],
        output: &[2, 4, 5],
        figures: [1.077282, 0.230001, 0.000000, 1.077282],
    },
    Case {
        name: "AvgPool2d",
        make: || boxed(nn::AvgPool2d::new(3).stride(2).padding(1).count_include_pad(false)),
        input: &[2, 4, 8, 7],
        output: &[2, 4, 4, 4],
        figures: [-2.788922, 0.347538, 0.000000, -2.788922],
    },
    Case {
        name: "AdaptiveAvgPool1d",
        make: || boxed(nn::AdaptiveAvgPool1d::new(4)),
        input: &[2, 3, 10],
        output: &[2, 3, 4],
        figures: [0.606346, -0.429130, 0.000000, 0.606346],
    },
    Case {
        name: "AdaptiveAvgPool2d",
        make: || boxed(nn::AdaptiveAvgPool2d::new([3, 2])),
        input: &[2, 3, 7, 5],
        output: &[2, 3, 3, 2],
        figures: [-1.076775, -0.085364, 0.000000, -1.076775],
    },
    Case {
        name: "AdaptiveMaxPool1d",
        make: || boxed(nn::AdaptiveMaxPool1d::new(4)),
        input: &[2, 3, 10],
        output: &[2, 3, 4],
        figures: [0.972658, -4.193305, 0.000000, 0.972658],
    },
    Case {
        name: "AdaptiveMaxPool2d",
        make: || boxed(nn::AdaptiveMaxPool2d::new(2)),
        input: &[2, 3, 7, 5],
        output: &[2, 3, 2, 2],
        figures: [-1.195668, 3.263286, 0.000000, -1.195668],
    },
    Case {
        name: "BatchNorm1d",
        make: || boxed(nn::BatchNorm1d::new(4)?),
        input: &[6, 4],
        output: &[6, 4],
        figures: [-1.507669, 17.331970, -4.304112, 0.860115],
    },
    Case {
        name: "BatchNorm1d of sequences",
        make: || boxed(nn::BatchNorm1d::new(4)?),
        input: &[3, 4, 5],
        output: &[3, 4, 5],
        figures: [5.847594, 38.619467, 1.344581, 4.008825],
    },
    Case {
        name: "BatchNorm2d",
        make: || boxed(nn::BatchNorm2d::new(3)?),
        input: &[4, 3, 5, 2],
        output: &[4, 3, 5, 2],
        figures: [4.425116, 69.202296, 4.751599, 3.891264],
    },
    Case {
        name: "LayerNorm",
        make: || boxed(nn::LayerNorm::new([3, 4])?),
        input: &[2, 5, 3, 4],
        output: &[2, 5, 3, 4],
        figures: [3.678844, 74.561153, -7.435943, 3.678844],
    },
    Case {
        name: "RmsNorm",
        make: || boxed(nn::RmsNorm::new([6])?),
        input: &[4, 6],
        output: &[4, 6],
        figures: [1.522038, 16.950080, 3.065176, 1.522038],
    },
    Case {
        name: "GroupNorm",
        make: || boxed(nn::GroupNorm::new(2, 6)?),
        input: &[3, 6, 4, 4],
        output: &[3, 6, 4, 4],
        figures: [2.287672, 146.429534, 7.196212, 2.287672],
    },
    Case {
        name: "Embedding",
        make: || boxed(nn::Embedding::new(7, 3)?),
        input: &[],
        output: &[2, 3, 3],
        figures: [-1.230138, 0.000000, 0.036581, -1.230138],
    },
    Case {
        name: "Embedding with padding",
        make: || boxed(nn::Embedding::new(7, 3)?.padding(2)?),
        input: &[],
        output: &[2, 3, 3],
        figures: [-1.160361, 0.000000, 0.033177, -1.160361],
    },
    Case {
        name: "Upsample nearest",
        make: || boxed(nn::Upsample::scale([2.0, 2.0])),
        input: &[1, 2, 3, 4],
        output: &[1, 2, 6, 8],
        figures: [-8.645745, 0.849474, 0.000000, -8.645745],
    },
    Case {
        name: "Upsample bilinear",
        make: || boxed(nn::Upsample::size([5, 7]).mode(Mode::Linear { align_corners: false })),
        input: &[1, 2, 3, 4],
        output: &[1, 2, 5, 7],
        figures: [4.189464, 1.183607, 0.000000, 4.189464],
    },
    Case {
        name: "Prelu",
        make: || boxed(nn::Prelu::new(3)?),
        input: &[2, 3, 4],
        output: &[2, 3, 4],
        figures: [0.873459, 9.726323, 0.600186, 0.873459],
    },
    Case {
        name: "LeakyRelu",
        make: || boxed(nn::LeakyRelu::default()),
        input: &[10],
        output: &[10],
        figures: [1.030574, 4.223626, 0.000000, 1.030574],
    },
    Case {
        name: "Elu",
        make: || boxed(nn::Elu::default()),
        input: &[10],
        output: &[10],
        figures: [1.379772, 4.768885, 0.000000, 1.379772],
    },
    Case {
        name: "Celu",
        make: || boxed(nn::Celu::default()),
        input: &[10],
        output: &[10],
        figures: [1.379772, 4.768885, 0.000000, 1.379772],
    },
    Case {
        name: "Gelu",
        make: || boxed(nn::Gelu),
        input: &[10],
        output: &[10],
        figures: [0.902463, 3.800058, 0.000000, 0.902463],
    },
    Case {
        name: "Silu",
        make: || boxed(nn::Silu),
        input: &[10],
        output: &[10],
        figures: [0.847126, 3.463619, 0.000000, 0.847126],
    },
    Case {
        name: "Mish",
        make: || boxed(nn::Mish),
        input: &[10],
        output: &[10],
        figures: [1.010635, 4.016368, 0.000000, 1.010635],
    },
    Case {
        name: "Selu",
        make: || boxed(nn::Selu),
        input: &[10],
        output: &[10],
        figures: [1.699779, 5.404039, 0.000000, 1.699779],
    },
    Case {
        name: "Softplus",
        make: || boxed(nn::Softplus),
        input: &[10],
        output: &[10],
        figures: [1.082199, 3.080937, 0.000000, 1.082199],
    },
    Case {
        name: "Softsign",
        make: || boxed(nn::Softsign),
        input: &[10],
        output: &[10],
        figures: [0.932327, 2.317895, 0.000000, 0.932327],
    },
    Case {
        name: "Tanhshrink",
        make: || boxed(nn::Tanhshrink),
        input: &[10],
        output: &[10],
        figures: [0.135447, 1.726914, 0.000000, 0.135447],
    },
    Case {
        name: "LogSigmoid",
        make: || boxed(nn::LogSigmoid),
        input: &[10],
        output: &[10],
        figures: [0.372365, 2.213591, 0.000000, 0.372365],
    },
    Case {
        name: "Hardsigmoid",
        make: || boxed(nn::Hardsigmoid),
        input: &[10],
        output: &[10],
        figures: [0.453239, 0.882421, 0.000000, 0.453239],
    },
    Case {
        name: "Hardswish",
        make: || boxed(nn::Hardswish),
        input: &[10],
        output: &[10],
        figures: [0.814817, 3.262176, 0.000000, 0.814817],
    },
    Case {
        name: "Hardtanh",
        make: || boxed(nn::Hardtanh::default()),
        input: &[10],
        output: &[10],
        figures: [1.487326, 4.624525, 0.000000, 1.487326],
    },
    Case {
        name: "Hardshrink",
        make: || boxed(nn::Hardshrink::default()),
        input: &[10],
        output: &[10],
        figures: [1.103262, 3.480247, 0.000000, 1.103262],
    },
    Case {
        name: "Softshrink",
        make: || boxed(nn::Softshrink::default()),
        input: &[10],
        output: &[10],
        figures: [0.255961, 3.480247, 0.000000, 0.255961],
    },
    Case {
        name: "Relu6",
        make: || boxed(nn::Relu6),
        input: &[10],
        output: &[10],
        figures: [1.026292, 4.212809, 0.000000, 1.026292],
    },
    Case {
        name: "Glu",
        make: || boxed(nn::Glu::default()),
        input: &[2, 6],
        output: &[2, 3],
        figures: [-0.650234, -0.504838, 0.000000, -0.650234],
    },
    Case {
        name: "Softmax",
        make: || boxed(nn::Softmax(1)),
        input: &[2, 6],
        output: &[2, 6],
        figures: [0.164296, 1.064463, 0.000000, 0.164296],
    },
    Case {
        name: "LogSoftmax",
        make: || boxed(nn::LogSoftmax(1)),
        input: &[2, 6],
        output: &[2, 6],
        figures: [1.901247, 6.039437, 0.000000, 1.901247],
    },
];

/// Σ xᵢ·cos i.
fn weighted(x: &Tensor) -> f64 {
    let values = x.to_vec::<f64>().unwrap();
    values
        .iter()
        .zip(0..)
        .map(|(x, i)| x * f64::from(i).cos())
        .sum()
}

fn figures(case: &Case) -> Result<(Vec<usize>, [f64; 4])> {
    random::manual_seed_compat(3, Compat::Torch);
    let layer = (case.make)()?;
    let x = match case.input {
        [] => Tensor::from([[0, 6, 2], [2, 5, 1]]),
        shape => Tensor::randn(shape)?.requires_grad_(true)?,
    };
    let y = layer.forward(&x)?;
    let weights: Vec<f64> = (0..y.numel()).map(|i| (i as f64).cos()).collect();
    let weights = Tensor::from_vec(weights, y.shape())?.to_dtype(y.dtype())?;
    y.mul(&weights)?.sum(..)?.backward()?;
    let of_input = x.grad().map_or(0.0, |g| weighted(&g));
    let parameters = layer.parameters();
    let of_parameters = parameters.iter().map(|p| weighted(&p.grad().unwrap()));
    let of_parameters = of_parameters.fold(0.0, |sum, x| sum + x);
    let first = weighted(&y);
    layer.eval();
    let last = weighted(&layer.forward(&x)?);
    Ok((y.shape().to_vec(), [first, of_input, of_parameters, last]))
}

#[test]
fn results_gradients_and_initial_values_are_pytorchs() {
    for case in CASES {
        let (shape, figures) = figures(case).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        assert_eq!(shape, case.output, "{}", case.name);
        for (ours, theirs) in figures.iter().zip(case.figures) {
            assert!(
                (ours - theirs).abs() <= 2e-5 * theirs.abs().max(1.0),
                "{}: {figures:?}, PyTorch has {:?}",
                case.name,
                case.figures
            );
        }
    }
}

/// The promise that results do not depend on the number of threads.
#[test]
fn the_number_of_threads_changes_no_bit() {
    let before = gradus::num_threads();
    for case in CASES {
        let [one, three] = [1, 3].map(|threads| {
            set_num_threads(threads);
            figures(case).unwrap().1
        });
        assert_eq!(one, three, "{}", case.name);
    }
    set_num_threads(before);
}

#[test]
fn layers_in_f64_have_the_values_of_those_in_f32() {
    let layers = |dtype| {
        nn::with_dtype(dtype, || {
            random::manual_seed(1);
            let net = nn::Sequential::new()
                .add(nn::Conv2d::new(2, 4, 3)?)
                .add(nn::BatchNorm2d::new(4)?)
                .add(nn::Prelu::new(4)?)
                .add(nn::Flatten)
                .add(nn::Linear::new(16, 3)?)
                .add(nn::LayerNorm::new([3])?);
            Ok::<_, gradus::Error>(net)
        })
    };
    let (single, double) = (layers(DType::F32).unwrap(), layers(DType::F64).unwrap());
    double.load_state_dict(&single.state_dict()).unwrap();
    let x = Tensor::randn([5, 2, 4, 4]).unwrap();
    let a = single.forward(&x).unwrap();
    let b = double.forward(&x.to_dtype(DType::F64).unwrap()).unwrap();
    assert_eq!((a.dtype(), b.dtype()), (DType::F32, DType::F64));
    let apart = a.sub(&b).unwrap().abs().unwrap().amax(..).unwrap();
    assert!(apart.item::<f64>().unwrap() < 1e-5);
    // Outside it is f32 again, and a dtype that no parameter can have is an error.
    assert_eq!(nn::Linear::new(1, 1).unwrap().weight.dtype(), DType::F32);
    assert!(nn::with_dtype(DType::I64, || nn::Linear::new(1, 1)).is_err());
}

/// Weights that PyTorch saved must find their places.
#[test]
fn states_have_pytorchs_names() {
    let names = |layer: &dyn Layer| layer.state_dict().into_keys().collect::<Vec<_>>();
    assert_eq!(
        names(&nn::Conv2d::new(1, 2, 3).unwrap()),
        ["bias", "weight"]
    );
    assert_eq!(
        names(&nn::BatchNorm2d::new(2).unwrap()),
        [
            "bias",
            "num_batches_tracked",
            "running_mean",
            "running_var",
            "weight"
        ]
    );
    assert_eq!(names(&nn::Embedding::new(3, 2).unwrap()), ["weight"]);
    assert_eq!(names(&nn::Prelu::new(1).unwrap()), ["weight"]);
    assert_eq!(names(&nn::MaxPool2d::new(2)), [""; 0]);
}

#[test]
fn running_statistics_move_in_training_alone() {
    let norm = nn::BatchNorm1d::new(2).unwrap();
    let x = Tensor::from([[0.0, 10.0], [2.0, 14.0]]);
    norm.forward(&x).unwrap();
    let state = || {
        let numbers = |t: &Tensor| t.to_vec::<f32>().unwrap();
        [
            numbers(&norm.running_mean),
            numbers(&norm.running_var),
            numbers(&norm.num_batches_tracked),
        ]
    };
    // A tenth of the mean; of the variance that is divided by one less.
    let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(near(&state()[0], &[0.1, 1.2]) && near(&state()[1], &[1.1, 1.7]));
    let before = state();
    norm.eval();
    norm.forward(&x).unwrap();
    assert_eq!(state(), before);
    norm.train(true);
    norm.forward(&x).unwrap();
    assert_eq!(state()[2], [2.0]);

    // All batches alike: the mean of the means.
    let norm = nn::BatchNorm1d::new(2).unwrap().momentum(None);
    for x in [&x, &x.add(3.0).unwrap()] {
        norm.forward(x).unwrap();
    }
    assert!(near(
        &norm.running_mean.to_vec::<f32>().unwrap(),
        &[2.5, 13.5]
    ));
}

/// A whole channel or none of it.
#[test]
fn dropout2d_forgets_channels() {
    random::manual_seed(0);
    let dropout = nn::Dropout2d::new(0.5);
    let y = dropout.forward(&Tensor::ones([20, 10, 3, 3])).unwrap();
    let y = y.to_vec::<f32>().unwrap();
    let mut kept = 0;
    for channel in y.chunks(9) {
        assert!(channel == [0.0; 9] || channel == [2.0; 9], "{channel:?}");
        kept += usize::from(channel[0] > 0.0);
    }
    assert!((70..130).contains(&kept), "{kept}");
    dropout.eval();
    assert_eq!(
        dropout
            .forward(&Tensor::ones([1, 1, 1, 1]))
            .unwrap()
            .item::<f32>()
            .unwrap(),
        1.0
    );
}

#[test]
fn the_row_of_the_padding_gets_no_gradient() {
    let table = nn::Embedding::new(4, 2).unwrap().padding(1).unwrap();
    let y = table.forward(&Tensor::from([1, 3, 1, 3])).unwrap();
    y.sum(..).unwrap().backward().unwrap();
    let grad = table.weight.grad().unwrap().to_vec::<f32>().unwrap();
    assert_eq!(grad, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0]);
    for shape in [&[][..], &[0], &[2, 0], &[2, 1, 3]] {
        let x = Tensor::full(shape, 1.0, DType::I64).unwrap();
        let y = table.forward(&x).unwrap();
        assert_eq!(y.shape(), [shape, &[2]].concat());
    }
}

/// An error that does not say which layer of a network it means.
#[test]
fn mistakes_are_told_with_the_layer() {
    fn net(layer: Result<impl Layer + 'static>) -> nn::Sequential {
        nn::Sequential::new().add(nn::Identity).add(layer.unwrap())
    }
    let x = |shape: &[usize]| Tensor::full(shape, 0.0, DType::F32).unwrap();
    let cases = [
        (
            net(nn::Conv2d::new(3, 8, 3)),
            x(&[2, 1, 9, 9]),
            "1 Conv2d(3→8, 3×3): got 1 channels in an input of shape [2, 1, 9, 9], expected 3",
        ),
        (
            net(nn::Conv2d::new(3, 8, [3, 5])),
            x(&[2, 9]),
            "1 Conv2d(3→8, 3×5): got an input of shape [2, 9], expected [n, 3, height, width] or \
             [3, height, width]",
        ),
        (
            net(nn::Conv2d::new(3, 8, 5).map(|c| c.padding(1).stride(2))),
            x(&[2, 3, 2, 2]),
            "1 Conv2d(3→8, 5×5, stride 2×2, padding 1×1): ",
        ),
        (
            net(nn::Conv2d::new(3, 8, 5).map(|c| c.stride(0))),
            x(&[2, 3, 9, 9]),
            "1 Conv2d(3→8, 5×5, stride 0×0): conv2d: non-positive stride is not supported, but got [0, \
             0]; ",
        ),
        (
            net(nn::Conv1d::new(3, 8, 5)),
            x(&[2, 3, 9, 9]),
            "1 Conv1d(3→8, 5): got an input of shape [2, 3, 9, 9], expected [n, 3, width] or",
        ),
        (
            net(nn::ConvTranspose2d::new(4, 2, 3)),
            x(&[2, 3, 9, 9]),
            "1 ConvTranspose2d(4→2, 3×3): got 3 channels",
        ),
        (
            net(Ok(nn::MaxPool2d::new(3))),
            x(&[1, 1, 2, 2]),
            "1 MaxPool2d(3×3, stride 3×3): max_pool2d: Given input size: [1, 1, 2, 2]. Output size is \
             too small: ",
        ),
        (
            net(Ok(nn::AvgPool2d::new(0))),
            x(&[1, 1, 2, 2]),
            "1 AvgPool2d(0×0, stride 0×0): ",
        ),
        (
            net(Ok(nn::AdaptiveAvgPool2d::new(2))),
            x(&[3]),
            "1 AdaptiveAvgPool2d(2×2): ",
        ),
        (
            net(nn::BatchNorm2d::new(3)),
            x(&[2, 4, 5, 5]),
            "1 BatchNorm2d(3): got an input of shape [2, 4, 5, 5], expected [n, channels, height, \
             width] with 3 channels",
        ),
        (
            net(nn::BatchNorm1d::new(3)),
            x(&[1, 3]),
            "1 BatchNorm1d(3): ",
        ),
        (
            net(nn::LayerNorm::new([3])),
            x(&[1, 4]),
            "1 LayerNorm([3]): ",
        ),
        (net(nn::RmsNorm::new([3])), x(&[1, 4]), "1 RmsNorm([3]): "),
        (
            net(nn::GroupNorm::new(2, 4)),
            x(&[1, 6, 2]),
            "1 GroupNorm(2, 4): ",
        ),
        (net(Ok(nn::Dropout::new(1.5))), x(&[1]), "1 Dropout(1.5): "),
        (
            net(Ok(nn::Dropout2d::new(-0.5))),
            x(&[1, 1, 1, 1]),
            "1 Dropout2d(-0.5): ",
        ),
        (
            net(Ok(nn::Upsample::size([0, 2]))),
            x(&[1, 1, 1, 1]),
            "1 Upsample(to [0, 2]): ",
        ),
        (
            net(nn::Embedding::new(3, 2)),
            x(&[1]),
            "1 Embedding(3, 2): ",
        ),
        (
            net(nn::Embedding::new(3, 2)),
            Tensor::from([3]),
            "1 Embedding(3, 2): ",
        ),
        (net(nn::Prelu::new(3)), x(&[1, 4]), "1 Prelu(3): "),
        (net(Ok(nn::Softmax(2))), x(&[1, 4]), "1 Softmax: "),
        (net(Ok(nn::Glu(0))), x(&[1, 4]), "1 Glu: "),
        (
            net(Ok(nn::Residual::new(nn::Linear::new(4, 3).unwrap()))),
            x(&[1, 4]),
            "1 Residual: ",
        ),
        (
            net(Ok(nn::Residual::new(nn::Linear::new(4, 3).unwrap()))),
            x(&[1, 5]),
            "1.body Linear(4→3): got 5 features",
        ),
    ];
    for (net, x, expected) in cases {
        let error = net.forward(&x).unwrap_err().to_string();
        assert!(
            error.starts_with(expected),
            "{error:?} does not begin with {expected:?}"
        );
        assert!(
            error.len() > expected.len() || expected.ends_with("channels"),
            "{error}"
        );
    }
}

#[test]
fn layers_that_cannot_be_are_refused() {
    let kinds = [
        nn::Conv2d::grouped(6, 4, 3, 4).err(),
        nn::Conv2d::grouped(4, 6, 3, 4).err(),
        nn::Conv2d::grouped(4, 4, 3, 0).err(),
        nn::ConvTranspose1d::grouped(4, 6, 3, 4).err(),
        nn::GroupNorm::new(0, 4).err(),
        nn::Embedding::new(3, 2).unwrap().padding(3).err(),
    ]
    .map(|error| error.map(|e| e.kind()));
    assert_eq!(kinds, [Some(Kind::Value); 6]);
    // Sizes whose product is no number, or no memory.
    for kernel in [usize::MAX, 1 << 40] {
        assert!(nn::Conv2d::new(3, 8, kernel).is_err());
    }
    assert!(nn::Embedding::new(usize::MAX, 2).is_err());
}

/// Batches of 0 pass through as in PyTorch.
#[test]
fn empty_batches_stay_empty() {
    let net = nn::Sequential::new()
        .add(nn::Conv2d::new(3, 4, 3).unwrap())
        .add(nn::BatchNorm2d::new(4).unwrap())
        .add(nn::Relu)
        .add(nn::MaxPool2d::new(2))
        .add(nn::Flatten)
        .add(nn::Linear::new(36, 2).unwrap());
    let y = net
        .forward(&Tensor::full([0, 3, 8, 8], 0.0, DType::F32).unwrap())
        .unwrap();
    assert_eq!(y.shape(), [0, 2]);
}
