//! candle's side of the workloads.

use candle_core::{D, DType, Device, Module, Result, Tensor, Var};
use candle_nn::{
    Linear, Optimizer, SGD, VarBuilder, VarMap, conv2d, linear, linear_no_bias, loss, ops,
};

#[path = "../../measure.rs"]
mod measure;
use measure::{CLASSES, RATE, Step, Workload, shuffled};

/// A model as its users write it: a function that calls layers.
type Model = Box<dyn Fn(&Tensor) -> Result<Tensor>>;

fn dense(w: &Workload, vb: VarBuilder) -> Result<Model> {
    let layers = w.sizes.windows(2).enumerate();
    let layers: Vec<Linear> = layers
        .map(|(i, s)| linear(s[0], s[1], vb.pp(i)))
        .collect::<Result<_>>()?;
    let sigmoid = w.sigmoid;
    Ok(Box::new(move |x| {
        let (last, hidden) = layers.split_last().expect("a layer");
        let mut x = x.clone();
        for layer in hidden {
            x = layer.forward(&x)?;
            x = if sigmoid {
                ops::sigmoid(&x)?
            } else {
                x.relu()?
            };
        }
        last.forward(&x)
    }))
}

fn cnn(vb: VarBuilder) -> Result<Model> {
    let conv1 = conv2d(1, 32, 3, Default::default(), vb.pp("conv1"))?;
    let conv2 = conv2d(32, 64, 3, Default::default(), vb.pp("conv2"))?;
    let dense1 = linear(1600, 128, vb.pp("dense1"))?;
    let dense2 = linear_no_bias(128, CLASSES, vb.pp("dense2"))?;
    Ok(Box::new(move |x| {
        let x = conv1.forward(x)?.relu()?.max_pool2d(2)?;
        let x = conv2.forward(&x)?.relu()?.max_pool2d(2)?;
        dense2.forward(&dense1.forward(&x.flatten_from(1)?)?.relu()?)
    }))
}

fn training(w: &Workload) -> Result<Step> {
    let (cpu, dtype) = (Device::Cpu, if w.double { DType::F64 } else { DType::F32 });
    let variables = VarMap::new();
    let vb = VarBuilder::from_varmap(&variables, dtype, &cpu);
    let samples = w.samples.unwrap_or(w.batch);
    let (model, x) = if w.kind == "cnn" {
        (
            cnn(vb)?,
            Tensor::rand(0f32, 1., (samples, 1, 28, 28), &cpu)?,
        )
    } else {
        (
            dense(w, vb)?,
            Tensor::rand(0f32, 1., (samples, w.sizes[0]), &cpu)?.to_dtype(dtype)?,
        )
    };
    let y = Tensor::rand(0f32, CLASSES as f32, samples, &cpu)?.to_dtype(DType::U32)?;
    let mut sgd = SGD::new(variables.all_vars(), RATE)?;
    // candle's SGD knows no weight decay; its users add the penalty to the loss.
    let penalised: Vec<Var> = match w.l2 {
        0.0 => Vec::new(),
        _ => variables
            .all_vars()
            .into_iter()
            .filter(|v| v.rank() > 1)
            .collect(),
    };
    let l2 = w.l2;
    let mut batches = w.samples.map(|n| shuffled(n, w.batch));
    let mut step = move || -> Result<()> {
        let (x, y) = match &mut batches {
            None => (x.clone(), y.clone()),
            Some(next) => {
                let indices: Vec<u32> = next().into_iter().map(|i| i as u32).collect();
                let indices = Tensor::new(indices, &cpu)?;
                (x.index_select(&indices, 0)?, y.index_select(&indices, 0)?)
            }
        };
        let mut loss = loss::cross_entropy(&model(&x)?, &y)?;
        for v in &penalised {
            loss = (loss + (v.sqr()?.sum_all()? * (l2 / 2.0))?)?;
        }
        sgd.backward_step(&loss)
    };
    Ok(Box::new(move || step().expect("a step")))
}

fn operation(w: &Workload) -> Result<Option<Step>> {
    let rand = || Tensor::rand(0f32, 1., w.size, &Device::Cpu);
    let (a, b) = (rand()?, rand()?);
    let [x, scale, shift] = [
        Var::from_tensor(&rand()?)?,
        Var::from_tensor(&a)?,
        Var::from_tensor(&b)?,
    ];
    let mut step: Box<dyn FnMut() -> Result<()>> = match w.kind.as_str() {
        "add" => Box::new(move || (&a + &b).map(drop)),
        "exp" => Box::new(move || a.exp().map(drop)),
        "sum" => Box::new(move || a.sum(D::Minus1).map(drop)),
        "graph" => Box::new(move || {
            let mut y = x.as_tensor().clone();
            for _ in 0..3 {
                y = ((y * scale.as_tensor())? + shift.as_tensor())?.relu()?;
            }
            y.sum_all()?.backward().map(drop)
        }),
        _ => return Ok(None),
    };
    Ok(Some(Box::new(move || step().expect("a step"))))
}

fn main() {
    measure::main("candle", |w| match w.kind.as_str() {
        "dense" | "cnn" => Some(training(w).expect("a model")),
        _ => operation(w).expect("tensors"),
    });
}
