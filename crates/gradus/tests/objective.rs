//! What training is for: classes, numbers, and losses of one's own.

use gradus::data::{DataLoader, Dataset, TensorDataset};
use gradus::metrics::{mean_squared_error, r2_score};
use gradus::nn::{self, Layer, Linear, Module};
use gradus::optim::{Adam, Sgd};
use gradus::train::{
    Classification, Config, Epoch, Event, LOSS, Objective, Outcome, Regression, Run, Summary,
    Trainer, evaluate,
};
use gradus::{DType, Kind, Result, Tensor, random};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// 100 samples of two numbers and a noisy plane over them, its values in this shape.
fn plane(shape: &[usize]) -> TensorDataset {
    random::scoped(random::Generator::new(0), || {
        let x = Tensor::randn([100, 2]).unwrap();
        let plane = x.matmul(&Tensor::from([[2.0], [-3.4]])).unwrap();
        let noise = Tensor::randn([100, 1]).unwrap().mul(0.1).unwrap();
        let y = plane.add(4.2).unwrap().add(&noise).unwrap();
        TensorDataset::new(x, y.reshape(shape).unwrap()).unwrap()
    })
}

fn loader(shape: &[usize]) -> DataLoader {
    DataLoader::new(plane(shape), 30).unwrap()
}

fn linear() -> Linear {
    random::scoped(random::Generator::new(1), || Linear::new(2, 1).unwrap())
}

/// Figures for batches of different sizes that are not those of all samples, or a target \[n\] that is
/// compared with each of n outputs [n, 1].
#[test]
fn numbers_are_scored_as_a_whole_whether_in_rows_or_not() {
    let model = linear();
    let (x, y) = plane(&[100]).batch(&Vec::from_iter(0..100)).unwrap();
    let found = model.forward(&x).unwrap().flatten(0, -1).unwrap();
    let (r2, mse) = (
        r2_score(&y, &found).unwrap(),
        mean_squared_error(&y, &found).unwrap(),
    );
    for shape in [&[100][..], &[100, 1]] {
        let score = evaluate(&model, &Regression, &loader(shape)).unwrap();
        assert_eq!(score.samples, 100);
        assert!((score.score - r2).abs() < 1e-6, "{score:?}, r2 {r2}");
        assert!((score.loss - mse).abs() < 1e-5, "{score:?}, mse {mse}");
    }
}

#[test]
fn a_plane_is_found() {
    let model = linear();
    let mut sgd = Sgd::new(model.parameters(), 0.1);
    let summary = Trainer::new(20)
        .objective(Regression)
        .fit(&model, &mut sgd, &loader(&[100]), &loader(&[100, 1]))
        .unwrap();
    let last = summary.history.last().unwrap();
    assert_eq!(last.metric, "r2");
    assert!(last.test_score > 0.99 && last.test_loss < 0.02, "{last:?}");
    let bias = model.state_dict()["bias"].to_vec::<f64>().unwrap()[0];
    assert!((bias - 4.2).abs() < 0.1, "{bias}");
}

/// Broadcast, two shapes give a loss of all pairs, which trains without an error to something else.
#[test]
fn shapes_that_would_broadcast_are_refused() {
    let numbers = |shape: &[usize]| Tensor::full(shape, 1.0, DType::F32).unwrap();
    for (outputs, targets) in [
        (&[4, 3][..], &[4][..]),
        (&[4, 3], &[4, 1]),
        (&[4, 1], &[4, 3]),
        (&[4], &[1]),
        (&[4, 1], &[1, 4]),
    ] {
        let error = Regression
            .loss(&numbers(outputs), &numbers(targets))
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Shape);
        let expected = format!("of shape {outputs:?} for targets of shape {targets:?}");
        assert!(error.to_string().contains(&expected), "{error}");
        let sums = &mut Vec::new();
        assert!(
            Regression
                .update(sums, &numbers(outputs), &numbers(targets))
                .is_err()
        );
    }
    // Whole numbers are numbers, and what is equal in more dimensions is compared place by place.
    let whole = Tensor::from([3, 1, 1, 1]);
    assert_eq!(
        Regression
            .loss(&numbers(&[4, 1]), &whole)
            .unwrap()
            .item::<f64>()
            .unwrap(),
        1.0
    );
    let mut sums = Vec::new();
    Regression
        .update(&mut sums, &numbers(&[4, 1, 2, 2]), &numbers(&[4, 1, 2, 2]))
        .unwrap();
    assert_eq!(Regression.score(&sums), Some(1.0));
}

/// Trains in `run` for 3 epochs, until `stop` says that it is enough.
fn train(run: &Run, stop_at: Option<(usize, usize)>) -> Summary {
    let model = linear();
    let mut adam = Adam::new(model.parameters(), 0.1);
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    Trainer::new(3)
        .objective(Regression)
        .run(run)
        .stop_when(stop)
        .listen(move |event: Event<'_>| {
            if let Event::Step { epoch, step, .. } = event {
                seen.store(Some((epoch, step)) == stop_at, Ordering::Relaxed);
            }
            Ok(())
        })
        .fit(&model, &mut adam, &loader(&[100]), &loader(&[100]))
        .unwrap()
}

fn figures(history: &[Epoch]) -> Vec<[u64; 4]> {
    let epochs = history.iter();
    epochs
        .map(|e| [e.train_loss, e.train_score, e.test_loss, e.test_score].map(f64::to_bits))
        .collect()
}

/// R² is no mean over batches: stopped in the middle of an epoch, its sums have to be kept.
#[test]
fn a_stopped_regression_goes_on_with_the_same_bits() {
    let dir = tempfile::tempdir().unwrap();
    let whole = Run::create(dir.path().join("whole"), &Config::default()).unwrap();
    let expected = train(&whole, None);
    let run = Run::create(dir.path().join("stopped"), &Config::default()).unwrap();
    assert_eq!(train(&run, Some((2, 3))).outcome, Outcome::Interrupted);
    let again = train(&run, None);
    assert_eq!(figures(&again.history), figures(&expected.history));

    // What people and their scripts read.
    let lines = std::fs::read_to_string(run.folder().join("metrics.jsonl")).unwrap();
    let line: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    let keys: Vec<&str> = line
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for key in ["train_loss", "train_r2", "test_loss", "test_r2"] {
        assert!(keys.contains(&key), "{keys:?}");
    }
    assert_eq!(keys.len(), 8, "{keys:?}");
    assert_eq!(run.history().unwrap(), again.history);
    let curves = std::fs::read_to_string(run.curves()).unwrap();
    assert!(curves.contains("R²") && !curves.contains("accuracy"));
}

/// The state of an epoch is no use to another objective, and must not be mistaken for its own.
#[test]
fn half_an_epoch_of_another_objective_is_refused() {
    let mut sums = Vec::new();
    let (outputs, classes) = (Tensor::from([[0.0, 1.0], [1.0, 0.0]]), Tensor::from([1, 1]));
    Classification
        .update(&mut sums, &outputs, &classes)
        .unwrap();
    assert_eq!(Classification.score(&sums), Some(0.5));
    let error = Regression
        .update(&mut sums, &outputs, &outputs)
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Data);
    let mut sums = Vec::new();
    Regression.update(&mut sums, &outputs, &outputs).unwrap();
    assert!(
        Classification
            .update(&mut sums, &outputs, &classes)
            .is_err()
    );
}

/// Probabilities as targets count where the largest of them is.
#[test]
fn classes_may_be_probabilities() {
    let logits = Tensor::from([[0.0, 1.0], [1.0, 0.0]]);
    let targets = Tensor::from([[0.25, 0.75], [0.25, 0.75]]);
    let mut sums = Vec::new();
    Classification.update(&mut sums, &logits, &targets).unwrap();
    assert_eq!(Classification.score(&sums), Some(0.5));
}

#[test]
fn a_function_is_a_loss_of_ones_own_and_its_own_score() {
    let dir = tempfile::tempdir().unwrap();
    let run = Run::create(dir.path().join("run"), &Config::default()).unwrap();
    let absolute =
        |outputs: &Tensor, targets: &Tensor| -> Result<Tensor> { nn::l1_loss(outputs, targets) };
    let model = linear();
    let mut sgd = Sgd::new(model.parameters(), 0.1);
    let summary = Trainer::new(2)
        .objective(absolute)
        .run(&run)
        .fit(&model, &mut sgd, &loader(&[100, 1]), &loader(&[100, 1]))
        .unwrap();
    let last = &summary.history[1];
    assert_eq!(
        (last.metric.as_str(), last.test_score),
        (LOSS, last.test_loss)
    );
    let score = evaluate(&model, &absolute, &loader(&[100, 1])).unwrap();
    assert_eq!(score.loss, last.test_loss);
    assert_eq!(run.history().unwrap(), summary.history);
}

#[test]
fn lines_that_are_no_epochs_say_what_is_wrong() {
    let line = |scores: &str| {
        let rest = "\"lr\":1,\"seconds\":1,\"samples_per_second\":1}";
        let line = format!("{{\"epoch\":1,\"train_loss\":1,\"test_loss\":2,{scores}{rest}");
        serde_json::from_str::<Epoch>(&line)
    };
    assert_eq!(
        line("\"train_r2\":0.5,\"test_r2\":1,").unwrap().train_score,
        0.5
    );
    assert_eq!(line("").unwrap().test_score, 2.0);
    for (scores, expected) in [
        (
            "\"train_r2\":0.5,\"test_f1\":1,",
            "'test_f1' and 'train_r2' are no scores",
        ),
        (
            "\"train_r2\":0.5,",
            "one score of training and one of the test",
        ),
    ] {
        let error = line(scores).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}
