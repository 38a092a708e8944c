//! Every test case beside the figures that `scripts/compare-torch --write` has stored of PyTorch.

use gradus_core::io::safetensors;
use gradus_core::ops::{ALL, Case, Order};
use gradus_core::{DType, Result, Tensor};
use std::collections::BTreeMap;

/// Relative to the largest element of the result or gradient.
const TOLERANCE: f64 = 1e-12;

/// The result, then the gradient of every input that can have one.
fn ours(case: &Case) -> Result<Vec<Tensor>> {
    let leaves: Vec<Tensor> = (case.inputs.iter().enumerate())
        .map(|(i, input)| {
            let x = input.tensor(i, DType::F64)?;
            let asked = x.dtype().is_float() && case.order > Order::None;
            x.requires_grad_(asked)
        })
        .collect::<Result<_>>()?;
    let y = (case.run)(&leaves)?;
    if y.requires_grad() {
        let g = Tensor::linspace(0.5, 1.5, y.numel(), y.dtype())?;
        y.backward_with(&g.reshape(y.shape())?)?;
    }
    let mut all = vec![y.detach()];
    for leaf in leaves.iter().filter(|x| x.requires_grad()) {
        all.push(leaf.grad().map_or_else(|| leaf.zeros_like(), Ok)?);
    }
    Ok(all)
}

#[test]
fn results_and_gradients_are_those_of_pytorch() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/torch.safetensors"
    );
    let stored: BTreeMap<String, Tensor> = safetensors::load(path)
        .unwrap()
        .tensors
        .into_iter()
        .collect();
    let mut compared = 0;
    let mut wrong = Vec::new();
    for case in ALL.iter().flat_map(|family| *family) {
        let key = case.key();
        if case.torch.is_empty() {
            continue;
        }
        let Some(expected) = stored.get(&key) else {
            wrong.push(format!(
                "{key}: no figures stored, run scripts/compare-torch --write"
            ));
            continue;
        };
        let expected: Vec<f64> = expected.to_vec().unwrap();
        let mut rest = &expected[..];
        for (i, tensor) in ours(case).unwrap().iter().enumerate() {
            let Some((theirs, after)) = rest.split_at_checked(tensor.numel()) else {
                wrong.push(format!("{key}: tensor {i} is larger than PyTorch's"));
                break;
            };
            rest = after;
            let scale = theirs
                .iter()
                .filter(|x| x.is_finite())
                .fold(0.0, |m: f64, x| m.max(x.abs()));
            for (&a, &b) in tensor.to_vec::<f64>().unwrap().iter().zip(theirs) {
                let same = a == b || a.is_nan() && b.is_nan() || (a - b).abs() <= TOLERANCE * scale;
                if !same {
                    wrong.push(format!(
                        "{key}: tensor {i} has {a:?} where PyTorch has {b:?}"
                    ));
                    break;
                }
            }
        }
        if !rest.is_empty() {
            wrong.push(format!("{key}: PyTorch has {} elements more", rest.len()));
        }
        compared += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 400, "only {compared} calls were compared");
}
