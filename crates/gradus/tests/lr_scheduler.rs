//! Learning rates beside PyTorch's, over 50 steps.

use gradus::Result;
use gradus::optim::lr_scheduler::*;

/// Each line: what was called, and the learning rate before each of 50 steps.
const PYTORCH: &str = include_str!("fixtures/lr_scheduler.txt");
const BASE: f64 = 0.5;

/// The same schedules in the same order; those of the metrics after them.
fn schedules() -> Result<Vec<Box<dyn LrScheduler>>> {
    let sequence: Vec<Box<dyn LrScheduler>> = vec![
        Box::new(LinearLr::new(5)?.start_factor(0.1)?),
        Box::new(CosineAnnealingLr::new(30)?),
        Box::new(StepLr::new(4)?.gamma(0.5)),
    ];
    let three = OneCycleLr::new(0.4, 50)?
        .pct_start(0.25)?
        .anneal_strategy(Anneal::Linear)
        .three_phase(true)
        .div_factor(10.0)
        .final_div_factor(100.0);
    let restarts = CosineAnnealingWarmRestarts::new(7)?.t_mult(2)?;
    Ok(vec![
        Box::new(StepLr::new(7)?.gamma(0.3)),
        Box::new(MultiStepLr::new([3, 10, 10, 30]).gamma(0.5)),
        Box::new(ExponentialLr::new(0.93)),
        Box::new(CosineAnnealingLr::new(20)?.eta_min(0.01)),
        Box::new(restarts.eta_min(0.02)),
        Box::new(CosineAnnealingWarmRestarts::new(9)?),
        Box::new(LinearLr::new(8)?.start_factor(0.1)?),
        Box::new(OneCycleLr::new(0.4, 50)?),
        Box::new(three),
        Box::new(SequentialLr::new(sequence, [5, 35])?),
    ])
}

fn plateaus() -> Result<Vec<ReduceLrOnPlateau>> {
    let rare = ReduceLrOnPlateau::new(2).factor(0.5)?;
    Ok(vec![
        ReduceLrOnPlateau::new(3).factor(0.5)?,
        rare.threshold(Threshold::Abs(0.005))
            .cooldown(3)
            .min_lr(0.05),
        ReduceLrOnPlateau::new(4).mode(Mode::Max).factor(0.2)?,
    ])
}

/// PyTorch computes most of them from the rate before, so the last digits differ.
#[test]
fn learning_rates_are_pytorchs() {
    let metric = |t: u32| match t {
        0..12 => 1.0 / f64::from(1 + t),
        _ => 0.1 + 0.02 * f64::from(t * t).cos(),
    };
    let metrics: Vec<f64> = (0..50).map(metric).collect();
    let steps = schedules().unwrap().into_iter();
    let steps = steps.map(|s| (0..50).map(|t| s.lr(BASE, t)).collect::<Vec<_>>());
    let plateaus = plateaus().unwrap().into_iter();
    let plateaus = plateaus.map(|p| (0..50).map(|t| p.lr(BASE, &metrics[..t])).collect());
    let ours: Vec<Vec<f64>> = steps.chain(plateaus).collect();
    let theirs: Vec<&str> = PYTORCH.lines().filter(|l| !l.starts_with('#')).collect();
    assert_eq!(ours.len(), theirs.len());
    for (ours, line) in ours.iter().zip(theirs) {
        let (name, theirs) = line.split_once(": ").unwrap();
        let theirs: Vec<f64> = theirs.split(' ').map(|x| x.parse().unwrap()).collect();
        assert_eq!(theirs.len(), 50);
        for (step, (a, b)) in ours.iter().zip(theirs).enumerate() {
            assert!((a - b).abs() < 1e-14, "{name}, step {step}: {a}, not {b}");
        }
    }
}

/// Training may go on past the end; PyTorch's one cycle fails there.
#[test]
fn after_the_end_the_learning_rate_stays() {
    let cycle = OneCycleLr::new(0.4, 50).unwrap();
    let least = 0.4 / 25.0 / 1e4;
    for step in [49, 50, usize::MAX] {
        assert!((cycle.lr(BASE, step) - least).abs() < 1e-15);
    }
    for schedule in schedules().unwrap() {
        assert!(schedule.lr(BASE, usize::MAX).is_finite());
    }
    // Of one step, and without a rise.
    assert!(OneCycleLr::new(0.4, 1).unwrap().lr(BASE, 0).is_finite());
    let falling = OneCycleLr::new(0.4, 50).unwrap().pct_start(0.0).unwrap();
    assert!((0.39..0.4).contains(&falling.lr(BASE, 0)));
}

#[test]
fn settings_that_make_no_schedule_are_refused() {
    let errors = [
        StepLr::new(0).err(),
        CosineAnnealingLr::new(0).err(),
        CosineAnnealingWarmRestarts::new(0).err(),
        CosineAnnealingWarmRestarts::new(1).unwrap().t_mult(0).err(),
        LinearLr::new(0).err(),
        LinearLr::new(1).unwrap().start_factor(0.0).err(),
        LinearLr::new(1).unwrap().end_factor(f64::NAN).err(),
        OneCycleLr::new(0.1, 0).err(),
        OneCycleLr::new(0.1, 1).unwrap().pct_start(1.5).err(),
        ReduceLrOnPlateau::new(1).factor(1.0).err(),
        SequentialLr::new(vec![], []).err(),
        SequentialLr::new(schedules().unwrap(), [1; 3]).err(),
    ];
    for (i, error) in errors.into_iter().enumerate() {
        let error = error.unwrap_or_else(|| panic!("{i} was taken")).to_string();
        let start = error.split_once(": ").unwrap().0;
        assert!(start.chars().all(char::is_alphanumeric), "{error}");
    }
}

/// A metric that is no number is no better than any other, and does not stay the best.
#[test]
fn a_plateau_survives_what_is_no_number() {
    let plateau = ReduceLrOnPlateau::new(1);
    assert_eq!(plateau.lr(1.0, &[f64::NAN, 2.0, 1.0, 0.5]), 1.0);
    assert_eq!(plateau.lr(1.0, &[2.0, f64::NAN, f64::NAN]), 0.1);
}
