//! Prints every test case of the engine as a line of JSON: its PyTorch call, its inputs, and our
//! result and gradients in f64 and f32. `scripts/compare-torch` reads it.

use gradus_core::ops::{ALL, Case, Order};
use gradus_core::{DType, Result, Tensor};

fn main() -> Result<()> {
    for case in ALL.iter().flat_map(|family| *family) {
        println!("{}", line(case)?);
    }
    Ok(())
}

fn line(case: &Case) -> Result<String> {
    let inputs = |dtype| -> Result<Vec<Tensor>> {
        let inputs = case.inputs.iter().enumerate();
        inputs.map(|(i, input)| input.tensor(i, dtype)).collect()
    };
    let run = |dtype| -> Result<String> {
        let leaves: Vec<Tensor> = inputs(dtype)?
            .into_iter()
            .map(|x| match x.dtype().is_float() && case.order > Order::None {
                true => x.requires_grad_(true),
                false => Ok(x),
            })
            .collect::<Result<_>>()?;
        let y = (case.run)(&leaves)?;
        if y.requires_grad() {
            let g = Tensor::linspace(0.5, 1.5, y.numel(), y.dtype())?;
            y.backward_with(&g.reshape(y.shape())?)?;
        }
        let grads = leaves.iter().map(|x| match x.grad() {
            Some(grad) => tensor(&grad),
            None => Ok("null".into()),
        });
        let grads: Vec<String> = grads.collect::<Result<_>>()?;
        Ok(format!(
            r#"{{"y":{},"grads":[{}]}}"#,
            tensor(&y)?,
            grads.join(",")
        ))
    };
    let given: Vec<String> = inputs(DType::F64)?
        .iter()
        .map(tensor)
        .collect::<Result<_>>()?;
    Ok(format!(
        r#"{{"key":{:?},"op":{:?},"torch":{:?},"order":"{:?}","inputs":[{}],"float64":{},"float32":{}}}"#,
        case.key(),
        case.op,
        case.torch,
        case.order,
        given.join(","),
        run(DType::F64)?,
        run(DType::F32)?
    ))
}

fn tensor(x: &Tensor) -> Result<String> {
    // Every element of an i64 tensor in a case is small enough for f64.
    let values: Vec<String> = x.to_vec::<f64>()?.into_iter().map(number).collect();
    Ok(format!(
        r#"{{"dtype":"{}","shape":{:?},"values":[{}]}}"#,
        x.dtype(),
        x.shape(),
        values.join(",")
    ))
}

/// As Python's json reads it.
fn number(x: f64) -> String {
    match x {
        _ if x.is_nan() => "NaN".into(),
        f64::INFINITY => "Infinity".into(),
        f64::NEG_INFINITY => "-Infinity".into(),
        _ => format!("{x:?}"),
    }
}
