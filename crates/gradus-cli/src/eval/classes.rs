//! How well classes are told apart.

use super::{Measured, Subject};
use crate::failure::Result;
use crate::output::thousands;
use crate::samples::test_loader;
use gradus::Tensor;
use gradus::data::{Dataset, Picture};
use gradus::metrics::{Average, Classification};
use gradus::plot::{Guess, confusion, gallery};
use gradus::train::{self, evaluate_with};
use serde_json::{Value, json};

/// The mistakes that are drawn, in rows and columns.
const GRID: [usize; 2] = [5, 3];

/// More classes than this are not drawn.
const CONFUSION: usize = 200;

/// A sample that was taken for another class.
struct Mistake {
    sample: usize,
    truth: usize,
    found: usize,
    probabilities: Vec<f64>,
}

pub fn measure(subject: &Subject) -> Result<Measured> {
    let names = &subject.samples.task.classes;
    let classes = names.len();
    let mut counts = vec![vec![0usize; classes]; classes];
    let mut scores = Classification::new();
    let (mut mistakes, mut seen) = (Vec::new(), 0);
    let test = test_loader(subject.samples.test.clone())?;
    let score = evaluate_with(
        subject.model,
        &train::Classification,
        &test,
        |logits, targets| {
            let found = logits.argmax(1)?;
            scores.update(targets, &found)?;
            let found = found
                .to_vec::<i64>()?
                .into_iter()
                .zip(targets.to_vec::<i64>()?);
            let probabilities = logits.softmax(1)?.to_vec2::<f64>()?;
            for ((found, truth), probabilities) in found.zip(probabilities) {
                // A data set's labels are within its classes, or it would not have been loaded.
                let (found, truth) = (found as usize, truth as usize);
                counts[truth][found] += 1;
                if found != truth {
                    mistakes.push(Mistake {
                        sample: seen,
                        truth,
                        found,
                        probabilities,
                    });
                }
                seen += 1;
            }
            Ok(())
        },
    )?;
    // The surer of something else, the worse.
    mistakes.sort_by(|a, b| a.probabilities[a.truth].total_cmp(&b.probabilities[b.truth]));
    mistakes.truncate(GRID[0] * GRID[1]);

    let right: usize = (0..classes).map(|class| counts[class][class]).sum();
    let occurring = (0..classes).filter(|&class| {
        counts[class].iter().sum::<usize>() + counts.iter().map(|row| row[class]).sum::<usize>() > 0
    });
    let report = scores
        .report()?
        .target_names(occurring.map(|class| names[class].clone()))?;
    let config = subject.run.config();
    let mut pictures = vec![];
    if classes <= CONFUSION {
        let cells: Vec<i64> = counts.iter().flatten().map(|&n| n as i64).collect();
        let matrix = Tensor::from_vec(cells, [classes, classes])?;
        let svg = confusion(&subject.name(), &matrix, names)?;
        pictures.push(("which class is taken for which", "confusion.svg", svg));
    }
    if let [1 | 3, _, _] = subject.samples.task.input[..]
        && !mistakes.is_empty()
    {
        let svg = worst(&*subject.samples.test, &mistakes, names)?;
        pictures.push(("the worst mistakes", "mistakes.svg", svg));
    }
    Ok(Measured {
        text: format!(
            "{}: accuracy {:.2} % ({} right), loss {:.4}\n\n{}",
            subject.name(),
            100.0 * score.score,
            thousands(right),
            score.loss,
            report.to_string().trim_end()
        ),
        json: json!({
            "run": subject.run.folder().display().to_string(),
            "data": config.data,
            "model": config.model,
            "samples": score.samples,
            "test_loss": score.loss,
            "test_accuracy": score.score,
            "macro_f1": scores.f1(Average::Macro)?,
            "classes": by_class(names, &counts),
            "confusion": counts,
        }),
        pictures,
    })
}

/// The figures of every class.
fn by_class(names: &[String], counts: &[Vec<usize>]) -> Vec<Value> {
    let share = |part: usize, all: usize| part as f64 / all.max(1) as f64;
    let figures = names.iter().enumerate().map(|(class, name)| {
        let right = counts[class][class];
        let samples: usize = counts[class].iter().sum();
        let found: usize = counts.iter().map(|row| row[class]).sum();
        json!({
            "class": name,
            "samples": samples,
            "right": right,
            "precision": share(right, found),
            "recall": share(right, samples),
            "f1": share(2 * right, samples + found),
        })
    });
    figures.collect()
}

/// Images of mistakes, what they were taken for, and what they are.
fn worst(test: &dyn Dataset, mistakes: &[Mistake], names: &[String]) -> Result<String> {
    let guess = |mistake: &Mistake| -> gradus::Result<Guess> {
        let Mistake {
            sample,
            truth,
            found,
            probabilities,
        } = mistake;
        Ok(Guess {
            picture: Picture::from_tensor(&test.get(*sample)?.0, Some((0.0, 1.0)))?,
            caption: format!(
                "{} {:.0}% ({})",
                names[*found],
                100.0 * probabilities[*found],
                names[*truth]
            ),
            right: false,
            probabilities: probabilities.clone(),
            found: *found,
            truth: *truth,
        })
    };
    let guesses = mistakes
        .iter()
        .map(guess)
        .collect::<gradus::Result<Vec<_>>>()?;
    Ok(gallery(&guesses, GRID[1])?)
}
