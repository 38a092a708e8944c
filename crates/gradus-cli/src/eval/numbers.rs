//! How well numbers are predicted.

use super::{Measured, Subject};
use crate::failure::{Failure, Result};
use crate::output::short;
use crate::samples::{target_name, test_loader};
use gradus::data::Target;
use gradus::metrics::Regression;
use gradus::plot::{Panel, Series, curves};
use gradus::train::{self, evaluate_with};
use gradus::{DType, Tensor};
use serde_json::json;

pub fn measure(subject: &Subject) -> Result<Measured> {
    let config = subject.run.config();
    let (mean, std) = match config.table.as_ref().map(|table| &table.target) {
        Some(Target::Number { mean, std }) => (*mean, *std),
        _ => (0.0, 1.0),
    };
    let unscaled = |z: &Tensor| z.to_dtype(DType::F64)?.mul(std)?.add(mean)?.flatten(0, -1);
    let mut scores = Regression::new();
    let mut points = Vec::new();
    let test = test_loader(subject.samples.test.clone())?;
    let score = evaluate_with(
        subject.model,
        &train::Regression,
        &test,
        |outputs, targets| {
            let (truth, found) = (unscaled(targets)?, unscaled(outputs)?);
            scores.update(&truth, &found)?;
            points.extend(
                truth
                    .to_vec::<f64>()?
                    .into_iter()
                    .zip(found.to_vec::<f64>()?),
            );
            Ok(())
        },
    )?;
    if !score.loss.is_finite() {
        return Err(Failure::data(format_args!(
            "{}: the model's results are not finite: its weights are damaged",
            subject.run.folder().display()
        )));
    }
    let r2 = scores.r2()?;
    let rmse = scores.mean_squared_error()?.sqrt();
    let mae = scores.mean_absolute_error()?;
    let target = target_name(config);
    Ok(Measured {
        text: format!(
            "{}: R² {r2:.4}\nroot mean squared error {} in {target}\nmean absolute error {} in {target}",
            subject.name(),
            short(rmse),
            short(mae)
        ),
        json: json!({
            "run": subject.run.folder().display().to_string(),
            "data": config.data,
            "model": config.model,
            "target": config.target,
            "samples": score.samples,
            "test_loss": score.loss,
            "test_r2": r2,
            "test_rmse": rmse,
            "test_mae": mae,
        }),
        pictures: vec![(
            "predicted over true numbers",
            "predicted.svg",
            picture(&target, points),
        )],
    })
}

/// What was predicted over what is true, and the line on which all would lie.
fn picture(target: &str, points: Vec<(f64, f64)>) -> String {
    let all = points.iter().flat_map(|&(truth, found)| [truth, found]);
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
        (low.min(x), high.max(x))
    });
    curves(&[Panel {
        title: format!("{target}, predicted and true"),
        x_label: "true".into(),
        y_label: "predicted".into(),
        series: vec![Series {
            name: "perfect".into(),
            points: vec![(low, low), (high, high)],
        }],
        dots: vec![Series {
            name: "test rows".into(),
            points,
        }],
        ..Panel::default()
    }])
}
