//! What `nn::summary` says of networks, beside figures that are known or counted by hand.

use gradus::nn::{self, Layer, Module, summary};
use gradus::{Result, Tensor, models};

/// Parameters and multiply-adds of the papers, and every parameter in a row.
#[test]
fn known_networks_have_their_known_figures() {
    // He et al. (2016), table 6: 0.27 million parameters. Multiply-adds: a convolution to 16 channels
    // of 32×32, then three groups of six, each as expensive but for the first of the last two.
    let net = models::resnet20([3, 32, 32], 10).unwrap();
    let found = summary(&net, &[3, 32, 32]).unwrap();
    let group = 16 * 16 * 9 * 1024;
    let convolutions = 3 * 16 * 9 * 1024 + 6 * group + 2 * (group / 2 + 5 * group);
    assert_eq!(found.multiply_adds, convolutions + 640);
    assert_eq!((found.parameters, found.trainable), (269_722, 269_722));
    let of_rows: usize = found.layers.iter().map(|row| row.parameters).sum();
    assert_eq!(of_rows, found.parameters);
    // 7 running means and as many variances more, of 16, 32 and 64 channels.
    let buffers = found.bytes - 4 * 269_722;
    assert!(buffers >= 2 * 4 * (7 * 16 + 6 * 32 + 6 * 64), "{buffers}");

    let block = (found.layers.iter())
        .find(|row| row.path == "layer2.0")
        .unwrap();
    assert_eq!(
        (block.output.as_slice(), block.parameters),
        (&[32, 16, 16][..], 0)
    );
    let place = |path: &str| {
        found
            .layers
            .iter()
            .position(|row| row.path == path)
            .unwrap()
    };
    assert!(place("layer2.0") < place("layer2.0.conv1"));
    assert_eq!(found.layers[place("layer2.0.conv1")].depth, 1);

    let lenet = summary(&models::lenet([1, 28, 28], 10).unwrap(), &[1, 28, 28]).unwrap();
    let expected = 6 * 25 * 784 + 16 * 6 * 25 * 100 + 400 * 120 + 120 * 84 + 84 * 10;
    assert_eq!((lenet.parameters, lenet.multiply_adds), (61_706, expected));
}

/// Convolutions that multiply less, and those the other way round.
#[test]
fn groups_and_transposes_are_counted_by_what_they_multiply() {
    let count = |layer: &dyn Layer, input: &[usize]| summary(layer, input).unwrap().multiply_adds;
    let depthwise = nn::Conv2d::grouped(8, 8, 3, 8).unwrap();
    assert_eq!(count(&depthwise, &[8, 5, 5]), 8 * 9 * 9);
    let transposed = nn::ConvTranspose2d::new(4, 6, 2).unwrap().stride(2);
    assert_eq!(count(&transposed, &[4, 5, 5]), 4 * 25 * 6 * 4);
    // A linear layer works on every row.
    assert_eq!(count(&nn::Linear::new(3, 2).unwrap(), &[7, 3]), 7 * 6);
}

/// A module that calls its parts without names: its parameters are counted, if not shown.
#[test]
fn the_model_is_as_it_was_and_all_is_counted() {
    #[derive(Module)]
    struct Net {
        a: nn::Linear,
        drop: nn::Dropout,
    }
    impl Layer for Net {
        fn forward(&self, x: &Tensor) -> Result<Tensor> {
            self.drop.forward(&self.a.forward(x)?)
        }
    }
    let (a, drop) = (nn::Linear::new(3, 2).unwrap(), nn::Dropout::new(0.5));
    a.weight.freeze();
    let net = Net { a, drop };
    let found = summary(&net, &[3]).unwrap();
    assert_eq!((found.parameters, found.trainable), (8, 2));
    assert_eq!((found.layers.len(), found.layers[0].parameters), (1, 8));
    assert!(
        found
            .to_string()
            .contains("8 parameters (6 of them frozen), 32 B"),
        "{found}"
    );
    // Still training: half of the ones are gone.
    let x = Tensor::ones([1, 1000]);
    let zeros = |x: &Tensor| {
        x.to_vec::<f32>()
            .unwrap()
            .iter()
            .filter(|x| **x == 0.0)
            .count()
    };
    assert!(zeros(&net.drop.forward(&x).unwrap()) > 300);
    net.eval();
    summary(&net, &[3]).unwrap();
    assert_eq!(zeros(&net.drop.forward(&x).unwrap()), 0);

    let error = summary(&net, &[4]).unwrap_err().to_string();
    assert!(error.contains("got 4 features"), "{error}");
}
