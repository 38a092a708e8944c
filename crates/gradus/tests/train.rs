//! The training loop: what it tells, what it leaves, and how it goes on.

use gradus::data::{DataLoader, TensorDataset, digits};
use gradus::nn::{self, Layer, Module, Sequential};
use gradus::optim::{Adam, OPTIMIZERS, Optimizer, Sgd};
use gradus::train::{
    Checkpoint, Classification, Config, Event, Outcome, Run, SCHEDULERS, Schedule, Summary, Task,
    Trainer, evaluate, lr_find,
};
use gradus::{Error, Kind, Result, Tensor, no_grad};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// 1437 images in 3 batches, 360 in 2.
fn loaders() -> (DataLoader, DataLoader) {
    let digits = digits().unwrap();
    let train = DataLoader::new(digits.train, 500).unwrap().shuffle(0);
    (train, DataLoader::new(digits.test, 200).unwrap())
}

fn config(epochs: usize) -> Config {
    let task = Some(Task {
        input: vec![1, 8, 8],
        classes: (0..10).map(|c| c.to_string()).collect(),
    });
    Config {
        epochs,
        hidden: vec![16],
        task,
        ..Config::default()
    }
}

/// Trains what a run's settings say, telling `listen`.
fn train(
    run: &Run,
    listen: impl FnMut(Event<'_>) -> Result<()>,
    stop: &Arc<AtomicBool>,
) -> Result<Summary> {
    let model = run.config().build_model()?;
    let mut optimizer = run.config().build_optimizer(&model)?;
    let (train, test) = loaders();
    (run.config().build_trainer(train.len())?)
        .run(run)
        .listen(listen)
        .stop_when(stop.clone())
        .fit(&model, &mut *optimizer, &train, &test)
}

fn quietly(run: &Run) -> Summary {
    train(run, |_| Ok(()), &Arc::default()).unwrap()
}

/// An event in a word or two.
fn word(event: &Event<'_>) -> String {
    match event {
        Event::Start {
            epochs,
            steps,
            parameters,
            metric,
            done,
        } => {
            format!("start {epochs} {steps} {parameters} {metric} {done:?}")
        }
        Event::Step { epoch, step, score } => format!("step {epoch}.{step} {}", score.samples),
        Event::Validation { epoch } => format!("validation {epoch}"),
        Event::Epoch(e) => format!("epoch {}", e.epoch),
        Event::Checkpoint { path } => format!("checkpoint {}", path.file_name().unwrap().display()),
        Event::Done(summary) => format!("done {:?}", summary.outcome),
        _ => "unknown".into(),
    }
}

#[test]
fn events_come_in_the_documented_order() {
    let dir = tempfile::tempdir().unwrap();
    let run = Run::create(dir.path().join("run"), &config(2)).unwrap();
    let mut words = Vec::new();
    let listen = |event: Event<'_>| {
        words.push(word(&event));
        Ok(())
    };
    train(&run, listen, &Arc::default()).unwrap();
    let mut expected = vec!["start 2 3 1210 accuracy (0, 0)".to_string()];
    for epoch in 1..=2 {
        expected.extend(
            [500, 1000, 1437]
                .iter()
                .zip(1..)
                .map(|(n, step)| format!("step {epoch}.{step} {n}")),
        );
        expected.push(format!("validation {epoch}"));
        expected.push(format!("epoch {epoch}"));
        expected.push("checkpoint checkpoint.safetensors".into());
    }
    expected.push("done Finished".into());
    assert_eq!(words, expected);
}

/// Figures of an epoch without the clock's.
fn figures(summary: &Summary) -> Vec<(usize, f64, f64, f64, f64)> {
    let epochs = summary.history.iter();
    epochs
        .map(|e| {
            (
                e.epoch,
                e.train_loss,
                e.train_score,
                e.test_loss,
                e.test_score,
            )
        })
        .collect()
}

fn model_bytes(run: &Run) -> Vec<u8> {
    fs::read(run.folder().join("model.safetensors")).unwrap()
}

/// Stopped after any step, the first of an epoch, one in the middle or the last, a run goes on with
/// the bits and the figures it would have had.
#[test]
fn a_stopped_run_goes_on_as_if_nothing_had_happened() {
    let dir = tempfile::tempdir().unwrap();
    let whole = Run::create(dir.path().join("whole"), &config(3)).unwrap();
    let expected = figures(&quietly(&whole));
    for stop_at in 1..=3 {
        let run = Run::create(dir.path().join(format!("stopped-{stop_at}")), &config(3)).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let listen = |event: Event<'_>| {
            if let Event::Step { epoch: 2, step, .. } = event {
                stop.store(step == stop_at, Ordering::Relaxed);
            }
            Ok(())
        };
        let summary = train(&run, listen, &stop).unwrap();
        assert_eq!(summary.outcome, Outcome::Interrupted);
        assert_eq!((summary.done, summary.history.len()), ((1, stop_at), 1));

        // What is left is read from the folder, as another process would.
        let run = Run::open(run.folder()).unwrap();
        let mut start = String::new();
        let listen = |event: Event<'_>| {
            if let Event::Start { .. } = event {
                start = word(&event);
            }
            Ok(())
        };
        let summary = train(&run, listen, &Arc::default()).unwrap();
        assert_eq!(start, format!("start 3 3 1210 accuracy (1, {stop_at})"));
        assert_eq!(
            (summary.outcome, figures(&summary)),
            (Outcome::Finished, expected.clone())
        );
        assert_eq!(figures(&summary), expected);
        assert!(
            model_bytes(&run) == model_bytes(&whole),
            "stopped at step {stop_at}"
        );
        assert_eq!(run.history().unwrap(), summary.history);
    }
}

/// A schedule, an average or a count that began anew would show in the bits: the run is stopped in
/// each epoch, and each part is another process that reads the folder.
#[test]
fn settings_of_the_loop_go_on_too() {
    let dir = tempfile::tempdir().unwrap();
    for (name, optimizer) in SCHEDULERS.iter().zip(OPTIMIZERS) {
        let config = Config {
            scheduler: Some(name.to_string()),
            optimizer: optimizer.to_string(),
            clip_norm: Some(0.5),
            accumulate: Some(2),
            early_stopping: Some(2),
            ..config(4)
        };
        let whole = Run::create(dir.path().join(name), &config).unwrap();
        let expected = quietly(&whole);
        let folder = dir.path().join(format!("{name}-stopped"));
        let mut run = Run::create(&folder, &config).unwrap();
        for stop_in in 1..4 {
            let stop = Arc::new(AtomicBool::new(false));
            let listen = |event: Event<'_>| {
                if let Event::Step { epoch, .. } = event {
                    stop.store(epoch == stop_in, Ordering::Relaxed);
                }
                Ok(())
            };
            // The first batch of an epoch is no step yet: it goes on to the second.
            let done = train(&run, listen, &stop).unwrap().done;
            assert_eq!(done, (stop_in - 1, 2), "{name}");
            run = Run::open(&folder).unwrap();
        }
        let summary = quietly(&run);
        let rates = |s: &Summary| s.history.iter().map(|e| e.lr).collect::<Vec<_>>();
        assert_eq!(rates(&summary), rates(&expected), "{name}");
        assert_eq!(figures(&summary), figures(&expected), "{name}");
        assert!(model_bytes(&run) == model_bytes(&whole), "{name}");
        assert!(best_bytes(&run) == best_bytes(&whole), "{name}");
    }
}

fn best_bytes(run: &Run) -> Vec<u8> {
    fs::read(run.folder().join("best.safetensors")).unwrap()
}

/// The best model is kept while later ones are worse, and a run that has ended stays ended.
#[test]
fn early_stopping_keeps_the_best_model_beside_the_last() {
    let dir = tempfile::tempdir().unwrap();
    let run = Run::create(dir.path(), &config(20)).unwrap();
    let model = run.config().build_model().unwrap();
    let mut sgd = Sgd::new(model.parameters(), 0.5);
    let (train, test) = loaders();
    let mut models = Vec::new();
    let mut fit = || {
        Trainer::new(20)
            .run(&run)
            .early_stopping(3)
            // From the third epoch on nothing but harm is done.
            .schedule(Schedule::Epochs(Box::new(|base, epoch| {
                if epoch < 2 { base } else { 50.0 }
            })))
            .listen(|event: Event<'_>| {
                if let Event::Checkpoint { .. } = event {
                    models.push(model_bytes(&run));
                }
                Ok(())
            })
            .fit(&model, &mut sgd, &train, &test)
            .unwrap()
    };
    let summary = fit();
    assert_eq!(summary.outcome, Outcome::EarlyStopped);
    assert_eq!(summary.history.len(), 5);
    let again = fit();
    assert_eq!(again.outcome, Outcome::EarlyStopped);
    assert_eq!(again.history, summary.history);
    assert!(best_bytes(&run) == models[1] && best_bytes(&run) != models[4]);
    assert_eq!(models.len(), 5);
    // The optimizer is as it was.
    assert_eq!(sgd.lr(), 0.5);
}

/// Batches of different sizes would each count the same, or the gradient grow with their number.
#[test]
fn accumulated_batches_are_one_large_batch() {
    let parameters = |batch_size, accumulate| {
        let model = config(1).build_model().unwrap();
        let mut sgd = Sgd::new(model.parameters(), 0.5);
        let digits = digits().unwrap();
        // 1437 images: 14 batches of 100 and one of 37, or 5 steps of 300, the last of 237.
        let train = DataLoader::new(digits.train, batch_size)
            .unwrap()
            .shuffle(0);
        let test = DataLoader::new(digits.test, 200).unwrap();
        let trainer = Trainer::new(1).accumulate(accumulate);
        trainer.fit(&model, &mut sgd, &train, &test).unwrap();
        let parameters = model.parameters().into_iter();
        parameters
            .flat_map(|p| p.to_vec::<f64>().unwrap())
            .collect::<Vec<_>>()
    };
    let (small, large) = (parameters(100, 3), parameters(300, 1));
    let apart = small.iter().zip(&large).map(|(a, b)| (a - b).abs());
    assert!(apart.fold(0.0, f64::max) < 1e-5);
}

/// The test is to leave no trace, and to end before numbers overflow.
#[test]
fn the_range_test_leaves_model_and_optimizer_as_they_were() {
    let model = config(1).build_model().unwrap();
    let mut adam = Adam::new(model.parameters(), 0.01);
    let (data, test) = loaders();
    Trainer::new(1)
        .fit(&model, &mut adam, &data, &test)
        .unwrap();
    let numbers = |state: nn::StateDict| -> Vec<Vec<f64>> {
        state.values().map(|t| t.to_vec().unwrap()).collect()
    };
    let before = (numbers(model.state_dict()), numbers(adam.state_dict()));
    let found = lr_find(&model, &mut adam, &Classification, &data, 1e-5..=100.0, 60).unwrap();
    assert_eq!(
        before,
        (numbers(model.state_dict()), numbers(adam.state_dict()))
    );
    assert_eq!(adam.lr(), 0.01);
    let suggestion = found.suggestion.unwrap();
    assert!((1e-4..1.0).contains(&suggestion), "{suggestion}");
    assert!(found.points.len() < 60, "{}", found.points.len());
    assert!(found.points.is_sorted_by(|a, b| a.0 < b.0));

    for (range, steps) in [
        (0.0..=1.0, 9),
        (1.0..=0.1, 9),
        (0.1..=f64::NAN, 9),
        (0.1..=1.0, 1),
    ] {
        let error = lr_find(&model, &mut adam, &Classification, &data, range, steps).unwrap_err();
        assert_eq!(error.kind(), Kind::Value);
    }
}

/// Losses that differ from batch to batch have a smallest one, too: it must not be taken for learning,
/// nor may a first batch that happens to be easy hide it.
#[test]
fn the_range_test_tells_learning_from_luck() {
    let model = config(1).build_model().unwrap();
    let mut sgd = Sgd::new(model.parameters(), 0.1);
    let data = DataLoader::new(digits().unwrap().train, 16)
        .unwrap()
        .shuffle(0);
    let luck = |outputs: &Tensor, targets: &Tensor| {
        let nothing = outputs.mul(0.0)?.sum(..)?;
        nothing.add(&targets.to_dtype(gradus::DType::F32)?.mean(..)?)
    };
    let found = lr_find(&model, &mut sgd, &luck, &data, 1e-5..=10.0, 100).unwrap();
    assert_eq!(found.suggestion, None);
    assert_eq!(found.points.len(), 100);
    // The same, and something to be learned beside it.
    let both = |outputs: &Tensor, targets: &Tensor| {
        let luck = luck(outputs, targets)?.mul(0.3)?;
        luck.add(&nn::cross_entropy(outputs, targets)?)
    };
    let found = lr_find(&model, &mut sgd, &both, &data, 1e-5..=10.0, 100).unwrap();
    let suggestion = found.suggestion.unwrap();
    assert!((0.005..0.5).contains(&suggestion), "{suggestion}");
}

/// Three steps of a norm of lr·0.001 each lead no further.
#[test]
fn clipped_steps_are_short() {
    let model = config(1).build_model().unwrap();
    let start = config(1).build_model().unwrap();
    let mut sgd = Sgd::new(model.parameters(), 1.0);
    let (train, test) = loaders();
    let trainer = Trainer::new(1).clip_grad_norm(0.001);
    trainer.fit(&model, &mut sgd, &train, &test).unwrap();
    let pairs = model.parameters().into_iter().zip(start.parameters());
    let squares = pairs.map(|(a, b)| {
        let apart = a.sub(&*b).unwrap().norm(2, ..).unwrap();
        apart.item::<f64>().unwrap().powi(2)
    });
    let moved = squares.sum::<f64>().sqrt();
    assert!(moved > 0.001 && moved < 0.003001, "{moved}");
}

/// Clipped to ±0.001, three steps of lr 1 change no number by more than 0.003, and the norm of all by
/// much more than a norm clipped to 0.001 would.
#[test]
fn gradients_are_clipped_by_value() {
    let model = config(1).build_model().unwrap();
    let start = config(1).build_model().unwrap();
    let mut sgd = Sgd::new(model.parameters(), 1.0);
    let (train, test) = loaders();
    let trainer = Trainer::new(1).clip_grad_value(0.001);
    trainer.fit(&model, &mut sgd, &train, &test).unwrap();
    let pairs = model.parameters().into_iter().zip(start.parameters());
    let moved: Vec<f64> = pairs
        .flat_map(|(a, b)| a.sub(&*b).unwrap().to_vec::<f64>().unwrap())
        .map(f64::abs)
        .collect();
    let largest = moved.iter().copied().fold(0.0, f64::max);
    assert!(largest > 0.002 && largest < 0.003001, "{largest}");
    let norm = moved.iter().map(|x| x * x).sum::<f64>().sqrt();
    assert!(norm > 0.01, "{norm}");
}

/// Trains with averages until `stop_at`, and returns the history and the model as it is left.
fn train_averaged(run: &Run, stop_at: Option<(usize, usize)>) -> (Summary, Box<dyn Layer>) {
    let model = run.config().build_model().unwrap();
    let mut sgd = Sgd::new(model.parameters(), 0.5);
    let (train, test) = loaders();
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    let summary = Trainer::new(3)
        .ema(0.8)
        .run(run)
        .stop_when(stop)
        .listen(move |event: Event<'_>| {
            if let Event::Step { epoch, step, .. } = event {
                seen.store(Some((epoch, step)) == stop_at, Ordering::Relaxed);
            }
            Ok(())
        })
        .fit(&model, &mut sgd, &train, &test)
        .unwrap();
    (summary, model)
}

/// The optimizer must go on with its own weights, tests and files have the averages, and averages that
/// began anew after an interruption would show in the bits.
#[test]
fn averages_are_what_is_tested_and_kept_and_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let whole = Run::create(dir.path().join("whole"), &config(3)).unwrap();
    let (expected, model) = train_averaged(&whole, None);
    let (_, test) = loaders();
    let tested = |model: &dyn Layer| evaluate(model, &Classification, &test).unwrap().loss;
    let last = expected.history[2].test_loss;
    assert_eq!(tested(&model), last);
    let saved = config(3).build_model().unwrap();
    whole.load_model(&saved).unwrap();
    assert_eq!(tested(&saved), last);
    assert!(best_bytes(&whole) == model_bytes(&whole));

    // Training is as without averages; only what is tested is another model.
    let plain = config(3).build_model().unwrap();
    let mut sgd = Sgd::new(plain.parameters(), 0.5);
    let (train, test) = loaders();
    let without = Trainer::new(3)
        .fit(&plain, &mut sgd, &train, &test)
        .unwrap();
    let losses = |s: &Summary| s.history.iter().map(|e| e.train_loss).collect::<Vec<_>>();
    assert_eq!(losses(&without), losses(&expected));
    assert_ne!(without.history[2].test_loss, last);

    let run = Run::create(dir.path().join("stopped"), &config(3)).unwrap();
    for at in [(1, 2), (2, 3), (3, 1)] {
        assert_eq!(
            train_averaged(&run, Some(at)).0.outcome,
            Outcome::Interrupted
        );
    }
    let (again, _) = train_averaged(&run, None);
    assert_eq!(figures(&again), figures(&expected));
    assert!(model_bytes(&run) == model_bytes(&whole));

    // Without them, or with them from the middle on, it would be another run.
    let error = train_error(&run, Trainer::new(4));
    assert!(error.contains("it has averages of weights"), "{error}");
    let run = Run::create(dir.path().join("plain"), &config(1)).unwrap();
    quietly(&run);
    let error = train_error(&run, Trainer::new(4).ema(0.8));
    assert!(error.contains("it has no averages of weights"), "{error}");
}

fn train_error(run: &Run, trainer: Trainer<'_>) -> String {
    let model = run.config().build_model().unwrap();
    let mut optimizer = run.config().build_optimizer(&model).unwrap();
    let (train, test) = loaders();
    let fitted = trainer.run(run).fit(&model, &mut *optimizer, &train, &test);
    fitted.unwrap_err().to_string()
}

/// Killed between the two writes, an epoch is recorded that the saved state does not know.
#[test]
fn an_epoch_that_was_recorded_but_not_saved_comes_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::create(dir.path(), &config(2)).unwrap();
    let two = quietly(&run);
    let saved = fs::read(dir.path().join("checkpoint.safetensors")).unwrap();
    run.set_config(config(3)).unwrap();
    let three = quietly(&run);
    let model = model_bytes(&run);
    assert_eq!(three.history[..2], two.history[..]);

    fs::write(dir.path().join("checkpoint.safetensors"), saved).unwrap();
    assert_eq!(run.history().unwrap().len(), 3);
    let again = quietly(&run);
    assert_eq!(figures(&again), figures(&three));
    assert_eq!(run.history().unwrap(), again.history);
    assert!(model_bytes(&run) == model);
}

#[test]
fn a_folder_that_holds_a_run_is_not_taken() {
    let dir = tempfile::tempdir().unwrap();
    Run::create(dir.path(), &config(1)).unwrap();
    let error = Run::create(dir.path(), &config(2)).unwrap_err();
    assert_eq!(error.kind(), Kind::Value);
    assert!(
        error
            .to_string()
            .ends_with("holds another run (config.toml): resume it, or choose another folder")
    );
    // The settings were written out and left alone.
    let settings = Run::open(dir.path()).unwrap().config().clone();
    assert_eq!(settings, config(1).resolved());
    assert_eq!((settings.lr, settings.momentum), (Some(0.1), Some(0.9)));
}

#[test]
fn a_checkpoint_of_another_optimizer_or_model_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint");
    let net = |out| {
        Sequential::new()
            .add(nn::Flatten)
            .add(nn::Linear::new(64, out).unwrap())
    };
    let trained = |optimizer: &mut dyn Optimizer, model: &Sequential| {
        let (train, test) = loaders();
        Trainer::new(1)
            .fit(model, optimizer, &train, &test)
            .unwrap();
    };
    let model = net(10);
    let mut adam = Adam::new(model.parameters(), 0.001);
    trained(&mut adam, &model);
    let at = Checkpoint {
        epochs: 1,
        steps: 2,
        samples: 3,

        loss_sum: 0.5,
        score_sums: vec![1.0, 3.0],
        seconds: 1.5,
    };
    at.save(&path, &model, &adam, None).unwrap();
    assert_eq!(
        Checkpoint::load(&path, &model, &mut adam, None).unwrap(),
        at
    );

    let other = net(11);
    let mut other_adam = Adam::new(other.parameters(), 0.001);
    let error = Checkpoint::load(&path, &other, &mut other_adam, None).unwrap_err();
    assert_eq!(error.kind(), Kind::Data);
    assert!(
        error
            .to_string()
            .contains("has shape [10, 64], the module needs [11, 64]"),
        "{error}"
    );

    let other = net(10);
    let mut sgd = Sgd::new(other.parameters(), 0.1).momentum(0.9);
    let error = Checkpoint::load(&path, &other, &mut sgd, None).unwrap_err();
    assert!(
        error.to_string().contains("that of another optimizer"),
        "{error}"
    );
}

/// A layer that is finite itself but fed by a broken one must not get the blame.
#[test]
fn the_first_layer_that_is_not_finite_is_named() {
    for broken in [1, 3] {
        let net = Sequential::new()
            .add(nn::Flatten)
            .add(nn::Linear::new(64, 5).unwrap())
            .add(nn::Tanh)
            .add(nn::Linear::new(5, 10).unwrap());
        let bias = &net.state_dict()[&format!("{broken}.bias")];
        no_grad(|| bias.copy_(&Tensor::full(bias.shape(), f64::NAN, bias.dtype()).unwrap()))
            .unwrap();
        let (train, test) = loaders();
        let mut sgd = Sgd::new(net.parameters(), 0.1);
        let error = Trainer::new(1)
            .fit(&net, &mut sgd, &train, &test)
            .unwrap_err()
            .to_string();
        let name = format!(
            "not finite is {broken} {};",
            net.layers()[broken].describe()
        );
        assert!(
            error.starts_with("the loss became NaN at step 1 of epoch 1: "),
            "{error}"
        );
        assert!(
            error.contains(&name) && error.contains("learning rate than 0.1"),
            "{error}"
        );
    }

    let x = Tensor::full([4, 3], f64::INFINITY, gradus::DType::F32).unwrap();
    let data = || {
        DataLoader::new(
            TensorDataset::new(x.clone(), Tensor::from([0, 1, 0, 1])).unwrap(),
            2,
        )
        .unwrap()
    };
    let net = nn::Linear::new(3, 2).unwrap();
    let mut sgd = Sgd::new(net.parameters(), 0.1);
    let error = Trainer::new(1)
        .fit(&net, &mut sgd, &data(), &data())
        .unwrap_err()
        .to_string();
    assert!(error.contains("the input itself is not finite"), "{error}");
}

#[test]
fn evaluation_counts_every_sample_once_and_leaves_the_model_alone() {
    // The logits are the input; rows 0, 1 and 3 are right.
    let x = Tensor::from([[5.0, 0.0], [0.0, 5.0], [5.0, 0.0], [0.0, 5.0], [0.0, 5.0]]);
    let set = TensorDataset::new(x, Tensor::from([0, 1, 1, 1, 0])).unwrap();
    let right = (1.0 + (-5f64).exp()).ln();
    let expected = (3.0 * right + 2.0 * (right + 5.0)) / 5.0;
    for batch in [1, 2, 5] {
        let score = evaluate(
            &nn::Flatten,
            &Classification,
            &DataLoader::new(set.clone(), batch).unwrap(),
        )
        .unwrap();
        assert_eq!((score.samples, score.score), (5, 0.6));
        assert!(
            (score.loss - expected).abs() < 1e-6,
            "{} is not {expected}",
            score.loss
        );
    }
}

#[test]
fn a_listener_can_end_the_training() {
    let dir = tempfile::tempdir().unwrap();
    let run = Run::create(dir.path(), &config(2)).unwrap();
    let listen = |event: Event<'_>| match event {
        Event::Step { epoch: 2, .. } => Err(Error::new(Kind::Value, "enough")),
        _ => Ok(()),
    };
    let error = train(&run, listen, &Arc::default()).unwrap_err();
    assert_eq!(error.to_string(), "enough");
    assert_eq!(run.history().unwrap().len(), 1);
}

/// What a folder holds after a run, for whoever copies it elsewhere.
#[test]
fn a_run_leaves_these_files_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let run = Run::create(dir.path(), &config(1)).unwrap();
    quietly(&run);
    let mut files: Vec<String> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| Path::new(&entry.unwrap().file_name()).display().to_string())
        .collect();
    files.sort();
    let expected = [
        "best.safetensors",
        "checkpoint.safetensors",
        "config.toml",
        "curves.svg",
        "metrics.jsonl",
        "model.safetensors",
    ];
    assert_eq!(files, expected);
    assert_eq!(run.curves(), dir.path().join("curves.svg"));
    // The model alone is enough to go on in another program.
    let model = run.config().build_model().unwrap();
    run.load_model(&model).unwrap();
    let (_, test) = loaders();
    let accuracy = run.history().unwrap()[0].test_score;
    assert_eq!(
        evaluate(&model, &Classification, &test).unwrap().score,
        accuracy
    );
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    for (text, expected) in [
        ("hiden = [1]", "line 1: unknown field `hiden`"),
        ("\nlr = -1", "lr must be a number of at least 0, not -1"),
        (
            "optimizer = \"adam\"\nmomentum = 0.9",
            "momentum is a setting of sgd and rmsprop, not of adam",
        ),
        (
            "optimizer = \"lion\"",
            "the known ones are sgd, adam, adamw",
        ),
        ("batch_size = 0", "batch_size must be at least 1"),
        (
            "scheduler = \"sine\"",
            "the known ones are step, exponential, cosine",
        ),
        ("clip_norm = 0", "clip_norm must be above 0, not 0"),
        ("early_stopping = 0", "early_stopping must be at least 1"),
        ("accumulate = 0", "accumulate must be at least 1"),
        (
            "task = { input = [0, 3], classes = [\"a\"] }",
            "which hold nothing or too much",
        ),
    ] {
        let error = Config::from_toml(text).unwrap_err();
        assert_eq!(error.kind(), Kind::Value);
        let error = error.to_string();
        assert!(
            error.contains(expected) && !error.contains('\n'),
            "{error:?}"
        );
    }
    let seed = Config {
        seed: u64::MAX,
        ..Config::default()
    };
    assert!(seed.check().is_err(), "TOML has no such number");
    let adam = Config::from_toml("optimizer = \"adam\"")
        .unwrap()
        .resolved();
    assert_eq!((adam.lr, adam.momentum), (Some(0.001), None));
    let again = Config::from_toml(&config(3).resolved().to_toml()).unwrap();
    assert_eq!(again, config(3).resolved());
}

#[test]
fn weights_that_are_infinite_when_a_run_is_stopped_are_not_saved() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        lr: Some(1e300),
        ..config(1)
    };
    let run = Run::create(dir.path().join("run"), &config).unwrap();
    // Stopped after the first step, whose own loss was still that of the initial weights.
    let error = train(&run, |_| Ok(()), &Arc::new(AtomicBool::new(true))).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("is no longer finite after epoch 0 and 1 steps"),
        "{error}"
    );
    assert!(!dir.path().join("run/checkpoint.safetensors").exists());
    assert!(!dir.path().join("run/model.safetensors").exists());
}
