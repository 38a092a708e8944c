//! The examples print the figures they promise. Those that need real data: `examples_data.rs`.

use gradus::data::{ImageDataset, Split};
use gradus::train::Event;
use gradus::{Result, Tensor};

/// Each example as a module, whose `main` is not called.
macro_rules! examples {
    ($($name:ident $path:literal),+ $(,)?) => {$(
        #[allow(dead_code)]
        #[path = $path]
        mod $name;
    )+};
}
examples! {
    a1_kmeans "../../../examples/a1_kmeans.rs",
    a2_dbscan "../../../examples/a2_dbscan.rs",
    b1_functions "../../../examples/b1_functions.rs",
    b2_mul_sin "../../../examples/b2_mul_sin.rs",
    b3_module "../../../examples/b3_module.rs",
    b5_cifar "../../../examples/b5_cifar.rs",
    c1_softmax "../../../examples/c1_softmax.rs",
    c2_cross_entropy "../../../examples/c2_cross_entropy.rs",
    c4_output_layer "../../../examples/c4_output_layer.rs",
    c5_layers "../../../examples/c5_layers.rs",
    c6_gradient_check "../../../examples/c6_gradient_check.rs",
    d1_tensors "../../../examples/d1_tensors.rs",
    d2_preprocessing "../../../examples/d2_preprocessing.rs",
    d3_gradients "../../../examples/d3_gradients.rs",
    d4_linear_regression "../../../examples/d4_linear_regression.rs",
    d4_physics "../../../examples/d4_physics.rs",
    d5_frame "../../../examples/d5_frame.rs",
    d7_regions "../../../examples/d7_regions.rs",
    d8_activations "../../../examples/d8_activations.rs",
    d8_moons "../../../examples/d8_moons.rs",
    d9_cnn "../../../examples/d9_cnn.rs",
    e1_relu "../../../examples/e1_relu.rs",
    f1_small_framework "../../../examples/f1_small_framework.rs",
    f3_cnn "../../../examples/f3_cnn.rs",
    schedules "../../../examples/schedules.rs",
}

/// Runs an example and compares its lines.
fn prints(run: impl FnOnce(&mut Vec<u8>) -> Result<()>, expected: &[&str]) {
    let mut out = Vec::new();
    run(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

/// The figures of the exercise; those of all sets are compared to the last digit in `kmeans.rs`.
#[test]
fn a1() {
    let mut out = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    let files = a1_kmeans::run(&mut out, folder.path()).unwrap();
    let text = String::from_utf8(out).unwrap();
    for line in [
        "  blobs: sizes [992, 508], inertia 13264.032353, 7 iterations",
        "    (-1.275643, 0.227814)",
        "    (-8.911071, -5.411225)",
        "  anisotropic: sizes [490, 510, 500], inertia 1899.196366, 16 iterations",
        "  varied: sizes [565, 529, 406], inertia 5747.987366, 13 iterations",
        "  uneven: sizes [10, 500, 100], inertia 1203.601537, 10 iterations",
    ] {
        assert!(text.lines().any(|l| l == line), "{line:?} is not in {text}");
    }
    assert_eq!(files.len(), 7);
    for file in files {
        let svg = std::fs::read_to_string(&file).unwrap();
        assert!(svg.matches("<circle").count() > 600, "{}", file.display());
    }
}

/// Other clusters than scikit-learn 1.9.1 finds in the same points, a border point that always goes to the
/// same cluster, or pictures without noise.
#[test]
fn a2() {
    let folder = tempfile::tempdir().unwrap();
    let mut out = Vec::new();
    a2_dbscan::run(&mut out, folder.path()).unwrap();
    let text = String::from_utf8(out).unwrap();
    for line in [
        "moons, eps 0.08, min_samples 5: 20 clusters, 262 core points, 51 noise",
        "moons, eps 0.14, min_samples 5: 2 clusters, 383 core points, 2 noise",
        "moons, eps 0.4, min_samples 5: 1 clusters, 400 core points, 0 noise",
        "blobs, eps 0.3, min_samples 5: 9 clusters, 218 core points, 137 noise",
        "blobs, eps 0.7, min_samples 5: 3 clusters, 371 core points, 14 noise",
        "blobs, eps 0.7, min_samples 15: 3 clusters, 261 core points, 69 noise",
        "moons: 2 noise points and 15 border points; if noise is final, 2 noise points when core points \
         are visited first, 17 when they are last",
    ] {
        assert!(text.lines().any(|l| l == line), "{line:?} is not in {text}");
    }
    assert!(
        text.contains("belongs to the left row") && text.contains("belongs to the right row"),
        "{text}"
    );
    for name in ["a2_moons.svg", "a2_blobs.svg"] {
        let picture = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(
            picture.contains("noise: ") && picture.contains("cluster 1: "),
            "{name}"
        );
    }
}

#[test]
fn b1() {
    prints(
        b1_functions::run,
        &[
            "f(2, 3) = 225",
            "a.grad = 360",
            "b.grad = 150",
            "after a second backward, which adds to the first:",
            "a.grad = 720",
            "b.grad = 300",
            "with a b that requires no gradient:",
            "a.grad = 360",
            "b.grad = none",
        ],
    );
}

#[test]
fn b2() {
    prints(
        b2_mul_sin::run,
        &[
            "g(1, 2) = 5.89029689",
            "x.grad = 7.98947107",
            "y.grad = 1.68294197",
        ],
    );
}

#[test]
fn b3() {
    prints(
        b3_module::run,
        &[
            "some_param = 12.0, gradient = none",
            "after backward:",
            "some_param = 12.0, gradient = 626.3999999999999",
            "after update(0.01):",
            "some_param = 5.7360000000000015, gradient = 626.3999999999999",
            "after zero_grad:",
            "some_param = 5.7360000000000015, gradient = 0.0",
        ],
    );
}

#[test]
fn c1() {
    let rows = [
        "  [2.06115362e-9, 1.80485138e-35, 9.99999998e-1]",
        "  [2.06106005e-9, 4.53978686e-5, 9.99954600e-1]",
    ];
    prints(
        c1_softmax::run,
        &[
            "Softmax:",
            rows[0],
            rows[1],
            "Tensor::softmax:",
            rows[0],
            rows[1],
            "rows sum to 1 ± 1e-15: true",
            "without the shift:",
            "  [NaN, NaN, NaN]",
            "  [NaN, NaN, NaN]",
            "Softmax of ±1.8e308:",
            "  [1.00000000e0, 0.00000000e0, 0.00000000e0]",
        ],
    );
}

#[test]
fn c2() {
    prints(
        c2_cross_entropy::run,
        &[
            "[[0.0, 0.0, 0.0]] against [1]: 20.72326583694641",
            "[[0.1, 0.3, 0.6]] against [1]: 1.2039728009926025",
            "[[0.1, 0.3, 0.6], [0.2, 0.4, 0.4], [0.9, 0.05, 0.05]] against [1, 2, 0]: \
             0.7418746816378242",
        ],
    );
}

#[test]
fn c4() {
    prints(
        c4_output_layer::run,
        &[
            "[[3.0, -10.0, 0.7]] against [1]",
            "  loss = 13.095060867144417",
            "  gradient [9.08875172e-1, -9.99997946e-1, 9.11227738e-2]",
            "  autograd agrees to 1e-15: true",
            "[[3.0, -10.0, 0.7], [9.0, 15.0, -1.0], [-5.0, 1.0, -1.0]] against [1, 0, 2]",
            "  loss = 7.075548386844261",
            "  gradient [3.02958391e-1, -3.33332649e-1, 3.03742579e-2]",
            "  gradient [-3.32509126e-1, 3.32509088e-1, 3.74189683e-8]",
            "  gradient [7.26173786e-4, 2.92959414e-1, -2.93685588e-1]",
            "  autograd agrees to 1e-15: true",
        ],
    );
}

#[test]
fn c5() {
    prints(
        c5_layers::run,
        &[
            "relu(x) = [3.00000000, 0.00000000, 0.70000000]",
            "dx for the gradient 1 = [1.00000000, 0.00000000, 1.00000000]",
            "sigmoid(x) = [9.52574127e-1, 4.53978687e-5, 6.68187772e-1]",
            "dx for the gradient x = [0.13552998, -0.00045396, 0.15519901]",
            "affine(x) = [0.51000000, -0.39000000, 0.84000000] [-0.07000000, -0.02000000, 0.02000000]",
            "dx = [-0.61000000, 0.28000000] [-0.25000000, -0.21000000]",
            "dW = [-0.34000000, -0.53000000, 0.02000000] [0.01000000, -0.08000000, 0.22000000]",
            "db = [0.50000000, 1.20000000, -1.00000000]",
        ],
    );
}

/// On images of 8×8 pixels, which do without an optimised build.
#[test]
fn c6() {
    let mut out = Vec::new();
    let apart = c6_gradient_check::run(&mut out, [192, 10, 10], 20).unwrap();
    assert_eq!(apart.len(), 4);
    assert!(apart.iter().all(|&mean| mean <= 6e-10), "{apart:?}");
}

#[test]
fn d1() {
    let expected: Vec<&str> = include_str!("expected/d1_tensors.txt").lines().collect();
    prints(d1_tensors::run, &expected);
}

/// Other numbers than pandas makes of the houses; those of Abalone are in `examples_data.rs`.
#[test]
fn d2() {
    prints(
        d2_preprocessing::houses,
        &[
            "   NumRooms  RoofType   Price",
            "0       NaN       NaN  127500",
            "1         2       NaN  106000",
            "2         4     Slate  178100",
            "3       NaN       NaN  140000",
            "roofs as columns, one for missing ones:",
            "   NumRooms  RoofType_Slate  RoofType_nan",
            "0       NaN               0             1",
            "1         2               0             1",
            "2         4               1             0",
            "3       NaN               0             1",
            "the mean for missing numbers:",
            "   NumRooms  RoofType_Slate  RoofType_nan",
            "0         3               0             1",
            "1         2               0             1",
            "2         4               1             0",
            "3         3               0             1",
            "tensor([[3., 0., 1.],",
            "        [2., 0., 1.],",
            "        [4., 1., 0.],",
            "        [3., 0., 1.]], dtype=float64)",
            "tensor([127500., 106000., 178100., 140000.], dtype=float64)",
            "without these steps: line 2: column NumRooms is missing; give it a value by fillna, or \
             select other columns",
        ],
    );
}

#[test]
fn d3() {
    let folder = tempfile::tempdir().unwrap();
    prints(
        |out| d3_gradients::run(out, folder.path()),
        &[
            "gradient of 2·x·x: [0.0, 4.0, 8.0, 12.0]",
            "gradient of the sum: [1.0, 1.0, 1.0, 1.0]",
            "gradient of x² from ones: [0.0, 2.0, 4.0, 6.0]",
            "accumulated twice: [0.0, 4.0, 8.0, 12.0]",
            "gradient of z = u·x equals u: true",
            "retained at 3x: [0.0, 6.0, 12.0, 18.0]",
            "control flow at [0.7]: gradient equals d/a: true",
            "control flow at [-1.3]: gradient equals d/a: true",
            "control flow at [0.5, -0.2, 3.0]: gradient equals d/a: true",
            "derivative of sin, farthest from cos: 0.0e0",
            "f(x) = log(x²)·sin x + 1/x at 2:",
            "   operation(inputs)  dtype shape  value   gradient",
            "0  x                  float64 []   2.0000  0.0824",
            "1  pow(0)             float64 []   4.0000  0.2273",
            "2  log(1)             float64 []   1.3863  0.9093",
            "3  sin(0)             float64 []   0.9093  1.3863",
            "4  mul(2, 3)          float64 []   1.2606  1.0000",
            "5  pow(0)             float64 []   0.5000  1.0000",
            "6  f = add(4, 5)      float64 []   1.7606  1.0000",
        ],
    );
    let picture = std::fs::read_to_string(folder.path().join("d3_graph.svg")).unwrap();
    for text in [">x<", ">f = add<", ">value 1.7606<", ">gradient 0.0824<"] {
        assert!(picture.contains(text), "{text} is not in the picture");
    }
    assert!(folder.path().join("d3_sin.svg").exists());
}

/// The distances that the exercise allows; the formula is off by the noise alone, and so is descent from
/// afar in the end.
#[test]
fn d4() {
    let (mut out, folder) = (Vec::new(), tempfile::tempdir().unwrap());
    let results = d4_linear_regression::run(&mut out, folder.path()).unwrap();
    let text = String::from_utf8(out).unwrap();
    for (how, w, b) in [
        ("analytic", 0.001, 0.001),
        ("from scratch", 0.2, 0.25),
        ("zeros at first", 0.2, 0.25),
        ("the same, 30 epochs", 0.001, 0.001),
        ("concise", 0.2, 0.25),
    ] {
        let found = results.iter().find(|r| r.how == how).expect(how);
        assert!(found.w <= w && found.b <= b, "{how}: {text}");
    }
    assert!(text.contains("the same result: true"), "{text}");
    let picture = std::fs::read_to_string(folder.path().join("d4_normal.svg")).unwrap();
    assert!(picture.contains("mean 3, deviation 1"));
}

/// The resistances of the exercise, and a temperature within one in a hundred.
#[test]
fn d4_constants() {
    let (mut out, folder) = (Vec::new(), tempfile::tempdir().unwrap());
    let seen = d4_physics::ohm(&mut out).unwrap();
    assert_eq!(seen.len(), 10);
    for (value, expected) in [(seen[0], 2.7282), (seen[1], 3.7097), (seen[9], 4.9860)] {
        assert!((value - expected).abs() < 1e-4, "{seen:?}");
    }
    let temperature = d4_physics::temperature(&mut out, folder.path()).unwrap();
    assert!((temperature - 5000.0).abs() < 50.0, "{temperature}");
    let picture = std::fs::read_to_string(folder.path().join("d4_planck.svg")).unwrap();
    assert!(
        picture.contains("measured") && picture.contains("fitted: "),
        "{picture}"
    );
}

/// A frame that does not learn, or a board that misses a curve.
#[test]
fn d5() {
    let (mut out, folder) = (Vec::new(), tempfile::tempdir().unwrap());
    let h = d5_frame::HyperParameters {
        lr: 0.1,
        batch_size: 64,
        max_epochs: 4,
        gradient_clip: 1.0,
    };
    let history = d5_frame::run(&mut out, h, folder.path()).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(history.len(), 5, "{text}");
    assert!(
        history[4][1] > 0.85 && history[4][0] < history[0][0],
        "{text}"
    );
    assert!(
        text.starts_with("HyperParameters { lr: 0.1, batch_size: 64"),
        "{text}"
    );
    assert_eq!(text.matches("early on, a ").count(), 5, "{text}");
    let picture = std::fs::read_to_string(folder.path().join("d5_board.svg")).unwrap();
    for name in ["train loss", "validation loss", "validation accuracy"] {
        assert!(picture.contains(name), "{name}");
    }
}

/// The accuracies that the exercise asks for, and borders behind the points.
#[test]
fn d7() {
    let (mut out, folder) = (Vec::new(), tempfile::tempdir().unwrap());
    let clusters = d7_regions::clusters(&mut out, folder.path()).unwrap();
    let two = d7_regions::two_classes(&mut out, folder.path()).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(clusters >= 0.95 && two >= 0.98, "{text}");
    assert_eq!(text.matches("epoch ").count(), 10, "{text}");
    for name in ["d7_clusters.svg", "d7_two_classes.svg"] {
        let picture = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(
            picture.contains("<image ") && picture.contains("<circle "),
            "{name}"
        );
    }
    let picture = std::fs::read_to_string(folder.path().join("d7_curves.svg")).unwrap();
    assert!(picture.contains("validation accuracy") && picture.contains("validation loss"));
}

/// An activation that does not learn the moons in a fifth of the exercise's steps but for the sigmoid,
/// whose slopes are small.
#[test]
fn d8_two_moons() {
    let (mut out, folder) = (Vec::new(), tempfile::tempdir().unwrap());
    let results = d8_moons::run(&mut out, 200, folder.path()).unwrap();
    let names: Vec<_> = results.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["relu", "sigmoid", "tanh"]);
    let text = String::from_utf8(out).unwrap();
    assert!(
        results[0].1 >= 0.98 && results[1].1 >= 0.8 && results[2].1 >= 0.98,
        "{text}"
    );
    let picture = std::fs::read_to_string(folder.path().join("d8_moons.svg")).unwrap();
    assert!(picture.contains("training loss") && picture.contains("test accuracy"));
}

/// Values and slopes are PyTorch's.
#[test]
fn d8_functions() {
    let folder = tempfile::tempdir().unwrap();
    prints(
        |out| d8_activations::run(out, folder.path()),
        &[
            "relu          f(-1) =  0.0000  f'(-1) =  0.0000  f(1) = 1.0000  f'(1) = 1.0000",
            "pReLU         f(-1) = -0.2500  f'(-1) =  0.2500  f(1) = 1.0000  f'(1) = 1.0000",
            "leaky relu    f(-1) = -0.1000  f'(-1) =  0.1000  f(1) = 1.0000  f'(1) = 1.0000",
            "sigmoid       f(-1) =  0.2689  f'(-1) =  0.1966  f(1) = 0.7311  f'(1) = 0.1966",
            "tanh          f(-1) = -0.7616  f'(-1) =  0.4200  f(1) = 0.7616  f'(1) = 0.4200",
            "GELU          f(-1) = -0.1587  f'(-1) = -0.0833  f(1) = 0.8413  f'(1) = 1.0833",
            "SiLU (Swish)  f(-1) = -0.2689  f'(-1) =  0.0723  f(1) = 0.7311  f'(1) = 0.9277",
            "ELU           f(-1) = -0.6321  f'(-1) =  0.3679  f(1) = 1.0000  f'(1) = 1.0000",
        ],
    );
    let picture = std::fs::read_to_string(folder.path().join("d8_activations.svg")).unwrap();
    assert!(picture.contains("SiLU (Swish)"));
}

#[test]
fn e1() {
    prints(
        e1_relu::run,
        &[
            "x        [-1.3, -2.3, 0.0, 2.0, 3.0]",
            "relu     [0.0, 0.0, 0.0, 2.0, 3.0]",
            "d relu   [0.0, 0.0, 0.0, 1.0, 1.0]",
            "autograd [0.0, 0.0, 0.0, 2.0, 3.0]",
            "         [0.0, 0.0, 0.0, 1.0, 1.0]",
        ],
    );
}

#[test]
fn f1() {
    let expected: Vec<&str> = include_str!("expected/f1_small_framework.txt")
        .lines()
        .collect();
    prints(f1_small_framework::run, &expected);
}

/// Images of one bright column each, which tells the class.
fn stripes(n: usize, channels: usize, side: usize) -> ImageDataset {
    let labels: Vec<i64> = (0..n as i64).map(|i| i % 10).collect();
    let mut bytes = Vec::new();
    for label in &labels {
        for at in 0..channels * side * side {
            let bright = (at % side) as i64 == 2 * label + 1;
            bytes.push(if bright { 250 } else { (at % 7) as u8 });
        }
    }
    let images = Tensor::from_vec(bytes, [n, channels, side, side]).unwrap();
    let classes = (0..10).map(|i| format!("class {i}"));
    ImageDataset::new(images, labels, classes).unwrap()
}

fn striped(n: usize, channels: usize, side: usize) -> Split {
    Split {
        train: stripes(n, channels, side),
        test: stripes(n / 4, channels, side),
    }
}

#[test]
fn b5() {
    let mut out = Vec::new();
    let (loss, accuracy) = b5_cifar::run(&mut out, striped(160, 3, 32), 2, 0).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        loss.is_finite() && (0.0..=1.0).contains(&accuracy),
        "{text}"
    );
    assert_eq!(text.lines().next(), Some("175114 parameters"));
    assert_eq!(text.lines().count(), 3, "{text}");
}

#[test]
fn d9() {
    for (model, parameters) in [
        (d9_cnn::Model::Dense, 101_770),
        (d9_cnn::Model::Cnn, 1_625_866),
    ] {
        use gradus::nn::Module;
        assert_eq!(model.net([1, 28, 28]).unwrap().num_parameters(), parameters);
    }
    let mut out = Vec::new();
    let quiet = |_: Event<'_>| Ok(());
    let set = striped(400, 1, 28);
    let (accuracy, picture) =
        d9_cnn::run(&mut out, set, d9_cnn::Model::Dense, 8, 0, quiet).unwrap();
    assert!(accuracy > 0.9, "{}", String::from_utf8(out).unwrap());
    assert_eq!(picture.matches("<image ").count(), 15);
    assert!(picture.contains("% (class 0)</text>"), "{picture}");
    assert!(
        picture.contains("fill=\"#0072b2\">class 0 "),
        "no blue caption"
    );
}

/// The gradient of every parameter, which the exercise's original lost on its way.
#[test]
fn f3_gradients() {
    let checked = f3_cnn::check_gradients(12).unwrap();
    let names: Vec<_> = checked.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "0.weight", "0.bias", "3.weight", "3.bias", "7.weight", "7.bias", "9.weight"
        ]
    );
    for c in checked {
        assert!(
            c.apart < 1e-6 && c.compared >= 12,
            "{}: {}",
            c.name,
            c.apart
        );
    }
}

#[test]
fn f3() {
    let (mut out, mut steps) = (Vec::new(), 0);
    let mut count = |event: Event<'_>| {
        steps += usize::from(matches!(event, Event::Step { .. }));
        Ok(())
    };
    // More iterations than an epoch has.
    let scores = f3_cnn::run(&mut out, striped(96, 1, 28), 7, 0, &mut count).unwrap();
    assert!((0.0..=1.0).contains(&scores.macro_f1) && scores.speed > 0.0);
    assert_eq!(steps, 7);
    assert!(String::from_utf8(out).unwrap().contains("macro F1 0."));
}

/// Each schedule has its curve and ends where its definition says.
#[test]
fn schedules_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    prints(
        |out| schedules::run(out, folder.path()),
        &[
            "StepLr: 0.125000 at the end",
            "MultiStepLr: 0.010000 at the end",
            "ExponentialLr: 0.017573 at the end",
            "CosineAnnealingLr: 0.000000 at the end",
            "CosineAnnealingWarmRestarts: 0.024472 at the end",
            "LinearLr, then a cosine: 0.000000 at the end",
            "OneCycleLr: 0.000004 at the end",
            "ReduceLrOnPlateau: 0.125000 at the end",
            "the loss it watches: 0.025000 at the end",
        ],
    );
    let svg = std::fs::read_to_string(folder.path().join("schedules.svg")).unwrap();
    assert_eq!(svg.matches("learning rate").count(), 4);
}
