//! Learning rates over the steps, as curves: falling by factors, along cosines, with a warm-up, and by
//! what the test loss does.
//!
//! Writes `schedules.svg` into the folder given as argument (default: this one).

use gradus::Result;
use gradus::optim::lr_scheduler::*;
use gradus::plot::{self, Panel, Series};
use std::io::Write;
use std::path::Path;

const STEPS: usize = 100;

fn series(name: &str, lr: impl Fn(usize) -> f64) -> Series {
    let points = (0..STEPS).map(|step| (step as f64, lr(step)));
    Series {
        name: name.into(),
        points: points.collect(),
    }
}

fn panel(title: &str, x: &str, series: Vec<Series>) -> Panel {
    Panel {
        title: title.into(),
        x_label: x.into(),
        y_label: "learning rate".into(),
        series,
        ..Panel::default()
    }
}

/// Writes the picture and prints where each schedule ends.
pub fn run(out: &mut impl Write, folder: &Path) -> Result<()> {
    let (step, milestones) = (StepLr::new(25)?.gamma(0.5), MultiStepLr::new([60, 85]));
    let exponential = ExponentialLr::new(0.96);
    let factors = vec![
        series("StepLr", |t| step.lr(1.0, t)),
        series("MultiStepLr", |t| milestones.lr(1.0, t)),
        series("ExponentialLr", |t| exponential.lr(1.0, t)),
    ];

    let cosine = CosineAnnealingLr::new(STEPS - 1)?;
    let restarts = CosineAnnealingWarmRestarts::new(15)?.t_mult(2)?;
    let cosines = vec![
        series("CosineAnnealingLr", |t| cosine.lr(1.0, t)),
        series("CosineAnnealingWarmRestarts", |t| restarts.lr(1.0, t)),
    ];

    let (warm_up, fall) = (LinearLr::new(20)?, CosineAnnealingLr::new(79)?);
    let both = SequentialLr::new(vec![Box::new(warm_up), Box::new(fall)], [20])?;
    let cycle = OneCycleLr::new(1.0, STEPS)?;
    let rises = vec![
        series("LinearLr, then a cosine", |t| both.lr(1.0, t)),
        series("OneCycleLr", |t| cycle.lr(1.0, t)),
    ];

    // A loss that stays at 0.2, and at 0.1 when the learning rate has fallen.
    let plateau = ReduceLrOnPlateau::new(10).factor(0.5)?;
    let mut losses: Vec<f64> = Vec::new();
    for t in 0..STEPS {
        let floor = 0.2 * plateau.lr(1.0, &losses);
        losses.push(floor + 0.8 * 0.8f64.powf(t as f64));
    }
    let plateaus = vec![
        series("ReduceLrOnPlateau", |t| plateau.lr(1.0, &losses[..t])),
        series("the loss it watches", |t| losses[t]),
    ];

    let panels = [
        panel("factors", "epoch", factors),
        panel("cosines", "step", cosines),
        panel("rises", "step", rises),
        panel("a plateau", "epoch", plateaus),
    ];
    for series in panels.iter().flat_map(|panel| &panel.series) {
        let (_, last) = series.points[STEPS - 1];
        writeln!(out, "{}: {last:.6} at the end", series.name)?;
    }
    std::fs::write(folder.join("schedules.svg"), plot::curves(&panels))?;
    Ok(())
}

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".into());
    run(&mut std::io::stdout().lock(), Path::new(&folder))?;
    println!("schedules.svg is in {folder}");
    Ok(())
}
