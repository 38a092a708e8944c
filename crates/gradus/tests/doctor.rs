//! The training doctor: each sickness made on purpose, and healthy trainings.

use gradus::data::{DataLoader, Dataset, ImageDataset, TensorDataset, digits};
use gradus::nn::{self, Layer, Module, Sequential};
use gradus::optim::{Adam, Optimizer, Sgd};
use gradus::random::{self, Generator};
use gradus::train::doctor::{Finding, Report, Sickness, check_model, check_one_batch};
use gradus::train::{Classification, Regression, Trainer};
use gradus::{DType, Result, Tensor, models, no_grad};
use std::sync::Arc;

fn loaders() -> (DataLoader, DataLoader) {
    let digits = digits().unwrap();
    let train = DataLoader::new(digits.train, 32).unwrap().shuffle(0);
    (train, DataLoader::new(digits.test, 200).unwrap())
}

fn mlp(hidden: &[usize], activation: &str) -> Sequential {
    random::scoped(Generator::new(0), || {
        models::mlp(&[1, 8, 8], hidden, activation, 10).unwrap()
    })
}

fn examine(model: &dyn Layer, optimizer: &mut dyn Optimizer, epochs: usize) -> Report {
    let (train, test) = loaders();
    Trainer::new(epochs)
        .examine(model, optimizer, &train, &test)
        .unwrap()
}

fn kinds(findings: &[Finding]) -> Vec<Sickness> {
    findings.iter().map(|finding| finding.sickness).collect()
}

/// The finding of this kind, which must be there.
#[track_caller]
fn the(sickness: Sickness, findings: &[Finding]) -> &Finding {
    match findings.iter().find(|finding| finding.sickness == sickness) {
        Some(finding) => finding,
        None => panic!("no {sickness:?} in {findings:#?}"),
    }
}

#[track_caller]
fn assert_healthy(name: &str, report: &Report) {
    assert!(report.findings.is_empty(), "{name}: {:#?}", report.findings);
}

/// A false alarm is worse than none: nobody looks at the next one.
#[test]
fn healthy_trainings_have_no_finding() {
    for (hidden, activation) in [
        (&[][..], "relu"),
        (&[128], "relu"),
        (&[16], "sigmoid"),
        (&[64, 64], "tanh"),
        (&[64, 64, 64, 64], "relu"),
    ] {
        let net = mlp(hidden, activation);
        let mut sgd = Sgd::new(net.parameters(), 0.1).momentum(0.9);
        let name = format!("{hidden:?} {activation}");
        assert_healthy(&name, &examine(&net, &mut sgd, 12));
        let mut adam = Adam::new(net.parameters(), 0.001);
        assert_healthy(&name, &examine(&net, &mut adam, 3));
    }
}

#[test]
fn healthy_convolutions_have_no_finding() {
    let net = random::scoped(Generator::new(0), || -> Result<Sequential> {
        Ok(Sequential::new()
            .add(nn::Conv2d::new(1, 8, 3)?.padding(1))
            .add(nn::BatchNorm2d::new(8)?)
            .add(nn::Relu)
            .add(nn::MaxPool2d::new(2))
            .add(nn::Conv2d::new(8, 16, 3)?.padding(1))
            .add(nn::Relu)
            .add(nn::Flatten)
            .add(nn::Dropout::new(0.2))
            .add(nn::Linear::new(256, 10)?))
    })
    .unwrap();
    let mut sgd = Sgd::new(net.parameters(), 0.05).momentum(0.9);
    assert_healthy("cnn", &examine(&net, &mut sgd, 3));
}

#[test]
fn a_healthy_regression_has_no_finding() {
    let (train, test) = plane(1.0);
    let net = nn::Linear::new(2, 1).unwrap();
    let mut sgd = Sgd::new(net.parameters(), 0.05);
    let trainer = Trainer::new(5).objective(Regression);
    let report = trainer.examine(&net, &mut sgd, &train, &test).unwrap();
    assert_healthy("plane", &report);
}

/// A plane over two numbers, its values in units of so much.
fn plane(unit: f64) -> (DataLoader, DataLoader) {
    random::scoped(Generator::new(0), || {
        let loader = || {
            let x = Tensor::randn([200, 2]).unwrap();
            let y = x
                .matmul(&Tensor::from([[2.0], [-3.4]]))
                .unwrap()
                .mul(unit)
                .unwrap();
            DataLoader::new(TensorDataset::new(x, y).unwrap(), 20).unwrap()
        };
        (loader(), loader())
    })
}

/// The examination trains on trial only.
#[test]
fn an_examination_leaves_model_and_optimizer_as_they_were() {
    let net = mlp(&[16], "relu");
    let mut adam = Adam::new(net.parameters(), 1e-7);
    let (train, test) = loaders();
    Trainer::new(1).fit(&net, &mut adam, &train, &test).unwrap();
    let numbers = |state: nn::StateDict| -> Vec<Vec<f64>> {
        state.values().map(|t| t.to_vec().unwrap()).collect()
    };
    let before = (numbers(net.state_dict()), numbers(adam.state_dict()));
    let report = examine(&net, &mut adam, 1);
    the(Sickness::LearningRateTooSmall, &report.findings);
    assert_eq!(
        before,
        (numbers(net.state_dict()), numbers(adam.state_dict()))
    );
    assert_eq!(adam.lr(), 1e-7);
}

fn set(model: &dyn Module, name: &str, value: f64) {
    let tensor = &model.state_dict()[name];
    let filled = Tensor::full(tensor.shape(), value, tensor.dtype()).unwrap();
    no_grad(|| tensor.copy_(&filled)).unwrap();
}

#[test]
fn dead_units_are_counted_at_their_layer() {
    let net = mlp(&[40, 30], "relu");
    // Three quarters of the second hidden layer.
    let bias = Tensor::from_vec(
        Vec::from_iter((0..30).map(|i| if i % 4 == 3 { 1.0 } else { -50.0 })),
        [30],
    );
    no_grad(|| net.state_dict()["3.bias"].copy_(&bias.unwrap())).unwrap();
    let findings = check_model(&net, &Classification, &loaders().0).unwrap();
    assert_eq!(kinds(&findings), [Sickness::DeadUnits]);
    assert_eq!(findings[0].layer.as_deref(), Some("4"));
    assert!(
        findings[0]
            .symptom
            .contains("23 of 30 units (76.7 %) are 0 for all of 512 samples"),
        "{}",
        findings[0]
    );
}

#[test]
fn gradients_that_vanish_are_found_where_they_end() {
    let net = mlp(&[32; 8], "sigmoid");
    let findings = check_model(&net, &Classification, &loaders().0).unwrap();
    assert_eq!(kinds(&findings), [Sickness::VanishingGradients]);
    assert_eq!(findings[0].layer.as_deref(), Some("1.weight"));
    assert!(
        findings[0].cause.contains("sigmoid or tanh"),
        "{}",
        findings[0]
    );
}

#[test]
fn gradients_that_explode_are_found_with_their_cause() {
    let net = mlp(&[64; 6], "relu");
    no_grad(|| -> Result<()> {
        for weight in net.parameters() {
            weight.copy_(&weight.mul(10.0)?)?;
        }
        Ok(())
    })
    .unwrap();
    let findings = check_model(&net, &Classification, &loaders().0).unwrap();
    let finding = the(Sickness::ExplodingGradients, &findings);
    assert!(
        finding.cause.contains("weights that begin too large"),
        "{finding}"
    );

    // Targets in millions, and pixels that nobody scaled.
    let linear = nn::Linear::new(2, 1).unwrap();
    let findings = check_model(&linear, &Regression, &plane(1e6).0).unwrap();
    let finding = the(Sickness::ExplodingGradients, &findings);
    assert_eq!(finding.layer.as_deref(), Some("weight"));
    let large = digits_of(|x, y| (x.mul(2550.0).unwrap(), y));
    let findings = check_model(&mlp(&[64], "relu"), &Classification, &large).unwrap();
    let finding = the(Sickness::ExplodingGradients, &findings);
    assert!(finding.cause.contains("inputs that are large"), "{finding}");
}

/// The first digits, changed.
fn digits_of(change: impl Fn(Tensor, Tensor) -> (Tensor, Tensor)) -> DataLoader {
    let images: ImageDataset = digits().unwrap().train;
    let (x, y) = images.batch(&Vec::from_iter(0..600)).unwrap();
    let (x, y) = change(x, y);
    DataLoader::new(TensorDataset::new(x, y).unwrap(), 32)
        .unwrap()
        .shuffle(0)
}

#[test]
fn numbers_that_are_none_are_traced_to_their_origin() {
    let net = mlp(&[16], "relu");
    set(&net, "1.bias", f64::NAN);
    let mut sgd = Sgd::new(net.parameters(), 0.1);
    let report = examine(&net, &mut sgd, 1);
    assert_eq!(kinds(&report.findings), [Sickness::NotFinite]);
    assert_eq!(report.findings[0].layer.as_deref(), Some("1"));
    assert!(report.summary.is_none());

    let net = mlp(&[16], "relu");
    let hole = digits_of(|x, y| (x.div(0.0).unwrap(), y));
    let findings = check_model(&net, &Classification, &hole).unwrap();
    assert!(
        findings[0].symptom.contains("the input itself"),
        "{}",
        findings[0]
    );

    let linear = nn::Linear::new(2, 1).unwrap();
    let (x, y) = (
        Tensor::ones([4, 2]),
        Tensor::from([1.0, f64::NAN, 1.0, 1.0]),
    );
    let data = DataLoader::new(TensorDataset::new(x, y).unwrap(), 2).unwrap();
    let findings = check_model(&linear, &Regression, &data).unwrap();
    assert!(
        findings[0].symptom.contains("the targets are not finite"),
        "{}",
        findings[0]
    );
    assert_eq!(findings[0].layer, None);

    let logs = |x: &Tensor, _: &Tensor| x.mul(0.0)?.log()?.mean(..);
    let findings = check_model(&linear, &logs, &plane(1.0).0).unwrap();
    assert!(
        findings[0]
            .symptom
            .contains("although every layer's output is"),
        "{}",
        findings[0]
    );
}

#[test]
fn learning_rates_that_do_not_suit_are_found_and_a_better_one_is_said() {
    let net = mlp(&[32], "relu");
    for (lr, sickness) in [
        (1e-6, Sickness::LearningRateTooSmall),
        (30.0, Sickness::LearningRateTooLarge),
        (1e30, Sickness::LearningRateTooLarge),
    ] {
        let mut sgd = Sgd::new(net.parameters(), lr);
        let report = examine(&net, &mut sgd, 2);
        let finding = the(sickness, &report.findings);
        assert!(
            finding.advice.contains("in a trial it came to a loss of"),
            "{finding}"
        );
        assert_eq!(report.summary.is_none(), lr > 1e6);
    }
}

/// Labels that are no labels: learned by heart at best.
#[test]
fn shuffled_labels_are_found() {
    let shuffle = |x: Tensor, y: Tensor| {
        let order = random::scoped(Generator::new(3), || Tensor::randperm(600).unwrap());
        (x, y.index_select(0, &order).unwrap())
    };
    let net = mlp(&[64], "relu");
    let (_, test) = loaders();
    for epochs in [3, 40] {
        let mut sgd = Sgd::new(net.parameters(), 0.1).momentum(0.9);
        let train = digits_of(shuffle);
        let report = Trainer::new(epochs)
            .examine(&net, &mut sgd, &train, &test)
            .unwrap();
        let finding = the(Sickness::ShuffledLabels, &report.findings);
        assert!(
            finding
                .symptom
                .contains("have the class of their nearest neighbour"),
            "{finding}"
        );
    }
}

/// With good labels in training and others in the test the blame goes to the test.
#[test]
fn test_samples_of_another_kind_are_told_from_shuffled_labels() {
    let net = mlp(&[64], "relu");
    let mut sgd = Sgd::new(net.parameters(), 0.1).momentum(0.9);
    let train = digits_of(|x, y| (x, y));
    let test = digits_of(|x, y| {
        let order = random::scoped(Generator::new(3), || Tensor::randperm(600).unwrap());
        (x, y.index_select(0, &order).unwrap())
    });
    let report = Trainer::new(5)
        .examine(&net, &mut sgd, &train, &test)
        .unwrap();
    let finding = the(Sickness::ShuffledLabels, &report.findings);
    assert!(
        finding.cause.contains("those of training belong together"),
        "{finding}"
    );
}

/// A model that does not look at its input.
#[derive(Module)]
struct Blind(nn::Linear);

impl Layer for Blind {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        self.0.forward(&x.flatten(1, -1)?.mul(0.0)?)
    }
}

#[test]
fn a_model_that_learns_nothing_is_found() {
    let net = Blind(nn::Linear::new(64, 10).unwrap());
    let mut sgd = Sgd::new(net.parameters(), 0.1);
    let report = examine(&net, &mut sgd, 3);
    let finding = the(Sickness::AtChance, &report.findings);
    assert!(
        finding.symptom.contains("guessing would give loss 2.30"),
        "{finding}"
    );
    let (train, _) = loaders();
    let finding = check_one_batch(&net, &mut sgd, &Classification, &train, 100)
        .unwrap()
        .unwrap();
    assert_eq!(finding.sickness, Sickness::CannotLearnOneBatch);
    let net = mlp(&[32], "relu");
    let mut sgd = Sgd::new(net.parameters(), 0.1).momentum(0.9);
    assert_eq!(
        check_one_batch(&net, &mut sgd, &Classification, &train, 100).unwrap(),
        None
    );
}

#[test]
fn overfitting_is_found_with_its_onset() {
    let images = digits().unwrap();
    let (x, y) = images.train.batch(&Vec::from_iter(0..60)).unwrap();
    // A fifth of the labels is wrong: there is something to be learned by heart.
    let wrong =
        Tensor::from_vec(Vec::from_iter((0..60).map(|i| i64::from(i % 5 == 0))), [60]).unwrap();
    let y = y
        .add(&wrong)
        .unwrap()
        .remainder(10)
        .unwrap()
        .to_dtype(DType::I64)
        .unwrap();
    let train = DataLoader::new(TensorDataset::new(x, y).unwrap(), 10)
        .unwrap()
        .shuffle(0);
    let test = DataLoader::new(Arc::new(images.test), 200).unwrap();
    let net = mlp(&[128], "relu");
    let mut sgd = Sgd::new(net.parameters(), 0.1).momentum(0.9);
    let report = Trainer::new(40)
        .examine(&net, &mut sgd, &train, &test)
        .unwrap();
    assert_eq!(kinds(&report.findings), [Sickness::Overfitting]);
    let history = report.summary.unwrap().history;
    let best = history
        .iter()
        .min_by(|a, b| a.test_loss.total_cmp(&b.test_loss))
        .unwrap();
    let onset = format!("since epoch {} the test loss has risen", best.epoch);
    assert!(
        report.findings[0].symptom.contains(&onset),
        "{}",
        report.findings[0]
    );
    assert!(best.epoch < 20);
}

/// Settings that are wrong are errors, not sicknesses.
#[test]
fn mistakes_stay_errors() {
    let net = mlp(&[16], "relu");
    let (train, test) = loaders();
    let mut sgd = Sgd::new(net.parameters(), 0.1).momentum(-1.0);
    assert!(
        Trainer::new(1)
            .examine(&net, &mut sgd, &train, &test)
            .is_err()
    );
    let mut sgd = Sgd::new(net.parameters(), 0.1);
    assert!(
        Trainer::new(1)
            .accumulate(0)
            .examine(&net, &mut sgd, &train, &test)
            .is_err()
    );
    let wrong = nn::Linear::new(3, 10).unwrap();
    assert!(check_model(&wrong, &Classification, &train).is_err());
}
