//! What every operation must do, run on the cases that the family files declare.

use gradus_core::autograd::{GradOptions, grad_with};
use gradus_core::conv::{Conv, ConvTranspose, Padding};
use gradus_core::ops::{ALL, Case, Index, Order};
use gradus_core::pool::{AvgPool, MaxPool, Mode, Resize};
use gradus_core::random::manual_seed;
use gradus_core::{
    Activation, DType, Result, Tensor, Tolerance, gradcheck, gradgradcheck, set_num_threads,
};
use std::collections::BTreeSet;

fn cases() -> impl Iterator<Item = &'static Case> {
    ALL.iter().flat_map(|family| family.iter())
}

fn differentiable() -> impl Iterator<Item = &'static Case> {
    cases().filter(|case| case.order > Order::None)
}

fn inputs(case: &Case, dtype: DType) -> Vec<Tensor> {
    case.inputs
        .iter()
        .enumerate()
        .map(|(i, input)| input.tensor(i, dtype).unwrap())
        .collect()
}

fn leaves(case: &Case, dtype: DType) -> Vec<Tensor> {
    inputs(case, dtype)
        .into_iter()
        .map(|x| leaf(x, true))
        .collect()
}

/// Asks for a gradient if the tensor can have one.
fn leaf(x: Tensor, requires_grad: bool) -> Tensor {
    let float = x.dtype().is_float();
    x.requires_grad_(requires_grad && float).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    x.to_vec().unwrap()
}

#[test]
fn every_recorded_operation_has_a_case_and_every_case_records_it() {
    for case in differentiable() {
        let mut names = BTreeSet::new();
        // A conversion to f64 is only recorded for the other one of the two dtypes.
        for dtype in [DType::F32, DType::F64] {
            let leaves = leaves(case, dtype);
            let mut nodes: Vec<_> = (case.run)(&leaves).unwrap().grad_fn().into_iter().collect();
            while let Some(node) = nodes.pop() {
                names.insert(node.name());
                nodes.extend(node.inputs().iter().flatten().cloned());
            }
        }
        assert!(
            names.contains(case.op),
            "the case of {} records {names:?}",
            case.op
        );
    }
    // Names of all operations, as the sources give them: `fn name` bodies and `const NAME`s.
    let covered: BTreeSet<&str> = cases().map(|case| case.op).collect();
    let mut paths = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops")];
    let mut found = 0;
    while let Some(path) = paths.pop() {
        if !cfg!(feature = "linalg") && path.ends_with("linalg/dense") {
            continue;
        }
        if path.is_dir() {
            paths.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
            continue;
        }
        let source = std::fs::read_to_string(path).unwrap();
        let mut lines = source.lines();
        while let Some(line) = lines.next() {
            let text = match line.trim() {
                "fn name(&self) -> &'static str {" => lines.next().unwrap_or_default(),
                line if line.starts_with("const NAME: &'static str = ") => line,
                _ => continue,
            };
            for name in text.split('"').skip(1).step_by(2) {
                found += 1;
                assert!(
                    covered.contains(name),
                    "the operation '{name}' has no case in its file's CASES"
                );
            }
        }
    }
    assert!(
        found >= 25,
        "only {found} operations found: has the way of naming them changed?"
    );
}

#[test]
fn gradients_agree_with_differences() {
    for case in differentiable() {
        let leaves = leaves(case, DType::F64);
        gradcheck(case.run, &leaves, Tolerance::default())
            .unwrap_or_else(|e| panic!("{}: {e}", case.op));
    }
}

#[test]
fn gradients_of_gradients_agree_with_differences() {
    let mut wrong = Vec::new();
    for case in cases().filter(|case| case.order == Order::Any) {
        let leaves = leaves(case, DType::F64);
        if let Err(e) = gradgradcheck(case.run, &leaves, Tolerance::default()) {
            wrong.push(format!("{} {}: {e}", case.op, case.torch));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn recorded_gradients_are_those_that_are_not_recorded() {
    let mut wrong = Vec::new();
    for case in differentiable() {
        let leaves = leaves(case, DType::F64);
        let y = (case.run)(&leaves).unwrap();
        let v = Tensor::linspace(0.5, 1.5, y.numel(), y.dtype()).unwrap();
        let v = v.reshape(y.shape()).unwrap();
        let inputs: Vec<&Tensor> = leaves.iter().filter(|x| x.requires_grad()).collect();
        let grads = |create_graph| {
            let options = GradOptions {
                grad_outputs: &[&v],
                create_graph,
                allow_unused: true,
            };
            grad_with(&[&y], &inputs, options).unwrap()
        };
        for (fused, recorded) in grads(false).into_iter().zip(grads(true)) {
            let of = |g: Option<Tensor>| g.map(|g| values(&g)).unwrap_or_default();
            let (fused, recorded) = (of(fused), of(recorded));
            let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * (1.0 + b.abs());
            if fused.len() != recorded.len() || !fused.iter().zip(&recorded).all(close) {
                wrong.push(format!(
                    "{} {}: {fused:?} {recorded:?}",
                    case.op, case.torch
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn gradients_of_some_inputs_alone_are_the_same() {
    for case in differentiable().filter(|case| case.inputs.len() > 1) {
        let full = leaves(case, DType::F64);
        (case.run)(&full)
            .unwrap()
            .sum(..)
            .unwrap()
            .backward()
            .unwrap();
        for only in (0..full.len()).filter(|&i| full[i].requires_grad()) {
            let one: Vec<_> = inputs(case, DType::F64)
                .into_iter()
                .enumerate()
                .map(|(i, x)| leaf(x, i == only))
                .collect();
            let y = (case.run)(&one).unwrap();
            // An input that only decides, as a limit does, leads to no gradient at all.
            if y.requires_grad() {
                y.sum(..).unwrap().backward().unwrap();
            }
            for i in 0..one.len() {
                let expected = full[i].grad().filter(|_| i == only).map(|g| values(&g));
                assert_eq!(
                    one[i].grad().map(|g| values(&g)),
                    expected,
                    "{} input {i} of {only}",
                    case.op
                );
            }
        }
    }
}

/// The same values seen through strides: every element of a tensor twice as large.
fn spread(x: &Tensor) -> Tensor {
    let twice = Tensor::stack(&[x, &x.zeros_like().unwrap()], -1).unwrap();
    let view = twice.select(-1, 0).unwrap();
    assert!(view.numel() < 2 || !view.is_contiguous());
    view
}

/// The same values lying backwards in memory: all strides are negative.
fn backwards(x: &Tensor) -> Tensor {
    let all: Vec<isize> = (0..x.ndim() as isize).collect();
    let view = x.flip(&all[..]).unwrap().copy().unwrap();
    view.flip(&all[..]).unwrap()
}

/// The same values seen as columns: the first stride is the smallest.
fn transposed(x: &Tensor) -> Tensor {
    let order: Vec<isize> = (0..x.ndim() as isize).rev().collect();
    let view = x.permute(&order[..]).unwrap().contiguous().unwrap();
    view.permute(&order[..]).unwrap()
}

/// The first slice of the first dimension in all its places, by stride 0.
fn repeated(x: &Tensor) -> Tensor {
    if x.ndim() == 0 || x.numel() == 0 {
        return x.clone();
    }
    let row = x.narrow(0, 0, 1).unwrap();
    row.broadcast_to(x.shape()).unwrap()
}

/// The result of a case and its gradients, or what is wrong with the inputs.
fn run_with(case: &Case, inputs: Vec<Tensor>, arrange: fn(&Tensor) -> Tensor) -> Result<Vec<f64>> {
    let leaves: Vec<_> = inputs
        .iter()
        .map(|x| leaf(arrange(x).detach(), true))
        .collect();
    let y = (case.run)(&leaves)?;
    if case.order == Order::None {
        return Ok(values(&y));
    }
    // A gradient that is strided as well.
    let g = Tensor::linspace(0.5, 1.5, y.numel(), DType::F64)?.reshape(y.shape())?;
    y.backward_with(&arrange(&g))?;
    let grads = leaves.iter().map(|x| x.grad().map(|g| values(&g)));
    let grads: Vec<_> = grads.collect();
    let all = values(&y)
        .into_iter()
        .chain(grads.into_iter().flatten().flatten());
    Ok(all.collect())
}

type Arrange = fn(&Tensor) -> Tensor;

#[test]
fn strided_inputs_give_the_same_results_and_gradients() {
    let same: Arrange = Tensor::clone;
    let plain_rows: Arrange = |x| repeated(x).copy().unwrap();
    let mut wrong = Vec::new();
    for (name, arrange, like) in [
        ("spread", spread as Arrange, same),
        ("backwards", backwards, same),
        ("transposed", transposed, same),
        ("repeated", repeated, plain_rows),
    ] {
        for case in cases() {
            let (strided, plain) = (
                run_with(case, inputs(case, DType::F64), arrange),
                run_with(case, inputs(case, DType::F64), like),
            );
            let (strided, plain) = match (strided, plain) {
                (Ok(strided), Ok(plain)) => (strided, plain),
                // Equal rows may be no valid input, e.g. of an inverse.
                (Err(_), Err(_)) if name == "repeated" => continue,
                (strided, plain) => {
                    wrong.push(format!(
                        "{name} {} {}: {:?} against {:?}",
                        case.op,
                        case.torch,
                        strided.err(),
                        plain.err()
                    ));
                    continue;
                }
            };
            // Products may be summed in another order when their operands lie differently.
            let close = |(s, p): (&f64, &f64)| {
                s.to_bits() == p.to_bits()
                    || (s - p).abs() <= 1e-14 * (1.0 + p.abs())
                    || s.is_nan() && p.is_nan()
            };
            if strided.len() != plain.len() || !strided.iter().zip(&plain).all(close) {
                wrong.push(format!(
                    "{name} {} {}: {strided:?} against {plain:?}",
                    case.op, case.torch
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn f32_agrees_with_f64() {
    for case in cases() {
        let run = |dtype| -> Result<_> {
            let leaves: Vec<_> = inputs(case, dtype)
                .into_iter()
                .map(|x| leaf(x, true))
                .collect();
            let y = (case.run)(&leaves)?;
            if case.order > Order::None {
                y.sum(..)?.backward()?;
            }
            let grads = leaves
                .iter()
                .flat_map(|x| x.grad().map(|g| (g.dtype(), values(&g))));
            let dtypes: BTreeSet<_> = grads.clone().map(|(d, _)| d).collect();
            assert!(
                dtypes.iter().all(|&d| d == dtype),
                "{}: gradients are {dtypes:?}",
                case.op
            );
            Ok(values(&y)
                .into_iter()
                .chain(grads.flat_map(|(_, g)| g))
                .collect::<Vec<_>>())
        };
        let (single, double) = (run(DType::F32).unwrap(), run(DType::F64).unwrap());
        assert_eq!(single.len(), double.len(), "{}", case.op);
        for (s, d) in single.iter().zip(&double) {
            assert!(
                (s - d).abs() <= 1e-5 + 2e-5 * d.abs(),
                "{}: {s} against {d}",
                case.op
            );
        }
    }
}

#[test]
fn wrong_dtypes_and_empty_inputs_give_results_or_errors_but_no_panic() {
    let mut results = 0;
    for case in cases() {
        for dtype in DType::ALL {
            // Whatever happens is fine, but for a panic; integer results must not claim gradients.
            if let Ok(y) = (case.run)(&inputs(case, dtype)) {
                assert!(!y.requires_grad());
                results += 1;
            }
        }
        let empty: Vec<_> = case
            .inputs
            .iter()
            .map(|input| {
                let mut shape = input.shape.to_vec();
                shape.iter_mut().take(1).for_each(|n| *n = 0);
                Tensor::full(shape, 0.0, DType::F32)
                    .unwrap()
                    .requires_grad_(true)
                    .unwrap()
            })
            .collect();
        let sum = (case.run)(&empty).and_then(|y| y.sum(..));
        results += usize::from(sum.is_ok());
        if let Some(y) = sum.ok().filter(Tensor::requires_grad) {
            y.backward().unwrap_or_else(|e| panic!("{}: {e}", case.op));
        }
    }
    assert!(
        results > 3 * cases().count(),
        "only {results} calls went through"
    );
}

/// The first elements as a tensor of this shape.
fn part(x: &Tensor, shape: &[usize]) -> Result<Tensor> {
    let first = x.flatten(0, -1)?.narrow(0, 0, shape.iter().product())?;
    first.reshape(shape)
}

/// 150,000 elements as six pictures of ten channels.
fn pictures(x: &Tensor) -> Result<Tensor> {
    x.reshape([6, 10, 50, 50])
}

fn padded(zeros: usize) -> Conv<2> {
    Conv {
        padding: [zeros; 2].into(),
        ..Default::default()
    }
}

#[test]
fn results_are_the_same_bits_for_any_number_of_threads() {
    type Call = fn(&Tensor) -> Result<Tensor>;
    // Sizes above every threshold, so that work really is cut up. `x` is [6, 250, 100].
    let calls: [(&str, Call); 48] = [
        ("linear", |x| {
            let h = x.reshape([300, 500])?;
            let h = h.matmul(&h.t()?.contiguous()?)?.mul(0.01)?.tanh()?;
            let classes = Tensor::arange(0.0, 300.0, 1.0, DType::I64)?;
            let loss = h.cross_entropy(&classes)?;
            loss.add(&h.sum(0)?.exp()?.mean(..)?)
        }),
        ("sum", |x| x.sum(..)),
        ("sum", |x| x.sum(0)),
        ("sum", |x| x.permute([2, 0, 1])?.sum(-1)),
        ("prod", |x| x.mul(0.3)?.exp()?.prod(1)),
        ("var", |x| x.var([0, 2])),
        ("std", |x| x.std(..)),
        ("norm", |x| x.norm(3.0, 1)),
        ("norm", |x| x.norm(2.0, ..)),
        ("logsumexp", |x| x.logsumexp(..)),
        ("logsumexp", |x| x.logsumexp(1)),
        ("amax", |x| x.round()?.amax(0)),
        ("median", |x| Ok(x.median(1)?.0)),
        ("cumsum", |x| x.cumsum(1)),
        ("cumprod", |x| x.mul(0.1)?.exp()?.cumprod(-1)),
        ("logcumsumexp", |x| x.logcumsumexp(-1)),
        ("sort", |x| Ok(x.sort(1, true)?.0)),
        ("argsort", |x| x.argsort(-1, false)),
        ("topk", |x| Ok(x.topk(9, 1, true)?.0)),
        ("unique", |x| Ok(x.mul(50.0)?.round()?.unique()?.values)),
        ("gather", |x| x.gather(2, &x.argsort(2, false)?)),
        ("scatter_add", |x| {
            let index = x.abs()?.mul(9.0)?.to_dtype(DType::I64)?;
            x.zeros_like()?.scatter_add(1, &index, x)
        }),
        ("index_add", |x| {
            let rows = x.reshape([1500, 100])?;
            let at = Tensor::arange(0.0, 1500.0, 1.0, DType::I64)?.remainder(7)?;
            Tensor::zeros([7, 100]).index_add(0, &at, &rows)
        }),
        ("einsum", |x| Tensor::einsum("bij,bkj->bik", &[x, x])),
        ("bmm", |x| x.bmm(&x.transpose(1, 2)?)),
        ("layer_norm", |x| x.layer_norm([250, 100], None, None, 1e-5)),
        ("softmax", |x| x.softmax(1)),
        ("log_softmax", |x| x.log_softmax(-1)),
        ("dropout", |x| x.dropout(0.3, true)),
        ("randn", |x| x.mul(&Tensor::randn(x.shape())?)),
        ("where", |x| x.gt(0.1)?.where_cond(&x.exp()?, &x.sum(0)?)),
        // Sums so long that they themselves are shared out.
        ("matmul", |x| {
            let long = x.repeat([9, 1, 1])?;
            part(&long, &[64, 20_000])?.matmul(&part(&long, &[20_000, 32])?)
        }),
        ("conv2d", |x| {
            let (w, b) = (part(x, &[24, 10, 3, 3])?, part(x, &[24])?);
            pictures(x)?.conv2d(&w, Some(&b), &padded(1))
        }),
        ("conv2d with strides", |x| {
            let options = Conv {
                stride: [2, 2],
                ..padded(2)
            };
            pictures(x)?.conv2d(&part(x, &[40, 10, 5, 5])?, None, &options)
        }),
        ("conv2d in groups", |x| {
            let options = Conv {
                groups: 2,
                ..padded(1)
            };
            let (w, b) = (part(x, &[36, 5, 3, 3])?, part(x, &[36])?);
            pictures(x)?.conv2d_then(&w, Some(&b), &options, Activation::Tanh)
        }),
        ("conv2d of single channels", |x| {
            let options = Conv {
                groups: 60,
                padding: Padding::Same,
                ..Default::default()
            };
            let x = x.repeat([4, 1, 1])?;
            let (w, b) = (part(&x, &[60, 1, 5, 5])?, part(&x, &[60])?);
            let x = x.reshape([4, 60, 50, 50])?;
            x.conv2d_then(&w, Some(&b), &options, Activation::Relu)
        }),
        ("conv1d", |x| {
            let w = part(x, &[32, 10, 9])?;
            x.reshape([30, 10, 500])?.conv1d(&w, None, &Conv::default())
        }),
        ("conv_transpose2d", |x| {
            let options = ConvTranspose {
                stride: [2, 2],
                ..Default::default()
            };
            let (w, b) = (part(x, &[10, 12, 3, 3])?, part(x, &[12])?);
            pictures(x)?.conv_transpose2d(&w, Some(&b), &options)
        }),
        ("max_pool2d", |x| {
            let options = MaxPool {
                stride: Some([2, 2]),
                padding: [1, 1],
                ..Default::default()
            };
            pictures(x)?.max_pool2d([3, 3], &options)
        }),
        ("max_pool1d", |x| {
            x.max_pool1d(
                [3],
                &MaxPool {
                    stride: Some([1]),
                    ..Default::default()
                },
            )
        }),
        ("avg_pool2d", |x| {
            let options = AvgPool {
                stride: Some([1, 1]),
                ..Default::default()
            };
            pictures(x)?.avg_pool2d([3, 3], &options)
        }),
        ("adaptive_avg_pool2d", |x| {
            pictures(x)?.adaptive_avg_pool2d([33, 21])
        }),
        ("batch_norm", |x| {
            let (w, b) = (part(x, &[10])?, part(x, &[10])?);
            pictures(x)?.batch_norm(None, None, Some(&w), Some(&b), true, 0.1, 1e-5)
        }),
        ("batch_norm of one picture", |x| {
            // More pixels than a task has elements.
            let x = x.reshape([1, 3, 500, 100])?;
            x.batch_norm(None, None, None, None, true, 0.1, 1e-5)
        }),
        ("batch_norm behind a convolution", |x| {
            let x = pictures(x)?.conv2d(&part(x, &[24, 10, 1, 1])?, None, &padded(0))?;
            x.batch_norm(None, None, None, None, true, 0.1, 1e-5)
        }),
        ("group_norm", |x| {
            let w = part(x, &[10])?;
            pictures(x)?.group_norm(5, Some(&w), None, 1e-5)
        }),
        ("interpolate", |x| {
            pictures(x)?.interpolate(Resize::Scale([2.0, 1.5]), Mode::Nearest)
        }),
        ("interpolate between", |x| {
            let mode = Mode::Linear {
                align_corners: false,
            };
            pictures(x)?.interpolate(Resize::Size([77, 91]), mode)
        }),
    ];
    let run = |threads, call: Call| -> Result<Vec<Vec<u64>>> {
        set_num_threads(threads);
        manual_seed(7);
        let x = Tensor::linspace(-400.0, 500.0, 150_000, DType::F32)?.sin()?;
        let x = x.mul(3.0)?.reshape([6, 250, 100])?.requires_grad_(true)?;
        let y = call(&x)?;
        if y.requires_grad() {
            y.backward_with(&y.detach().cos()?)?;
        }
        let bits = |t: &Tensor| values(t).into_iter().map(f64::to_bits).collect();
        Ok([Some(y), x.grad()].iter().flatten().map(bits).collect())
    };
    for (name, call) in calls {
        let one = run(1, call).unwrap_or_else(|e| panic!("{name}: {e}"));
        for threads in [2, 3, 5] {
            assert!(
                run(threads, call).unwrap() == one,
                "{name} on {threads} threads"
            );
        }
    }
}

/// Calls the case and walks back from its result, whatever comes of it. Whether there was one.
fn survives(case: &Case, inputs: &[Tensor]) -> bool {
    let run = || {
        let leaves: Vec<_> = inputs.iter().map(|x| leaf(x.detach(), true)).collect();
        let y = (case.run)(&leaves).ok()?;
        if y.requires_grad() {
            let _ = y.backward_with(&y.ones_like().ok()?);
        }
        Some(())
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run))
        .unwrap_or_else(|_| panic!("{} {} panics on {inputs:?}", case.op, case.torch))
        .is_some()
}

#[test]
fn inputs_of_any_shape_give_results_or_errors_but_no_panic() {
    let mut results = 0;
    for case in cases() {
        let mut call = |shapes: &[Vec<usize>]| {
            let ones = case.inputs.iter().zip(shapes).map(|(input, shape)| {
                Tensor::full(shape, 1.0, input.dtype.unwrap_or(DType::F32)).unwrap()
            });
            results += usize::from(survives(case, &ones.collect::<Vec<_>>()));
        };
        let shapes: Vec<Vec<usize>> = case.inputs.iter().map(|i| i.shape.to_vec()).collect();
        let sizes: BTreeSet<usize> = shapes.iter().flatten().copied().collect();
        // A size changed wherever it occurs, so that the shapes may still fit together.
        for &old in &sizes {
            for new in [0, 1, old + 1] {
                let other = |n: &usize| if *n == old { new } else { *n };
                let shapes = shapes.iter().map(|s| s.iter().map(other).collect());
                call(&shapes.collect::<Vec<_>>());
            }
        }
        for shape in [&[][..], &[0], &[1], &[0, 0], &[1, 1, 1], &[1; 7]] {
            call(&vec![shape.to_vec(); shapes.len()]);
        }
        // One shape changed, so that they mostly do not fit.
        for (i, own) in shapes.iter().enumerate() {
            let mut call_with = |shape: Vec<usize>| {
                let mut shapes = shapes.clone();
                shapes[i] = shape;
                call(&shapes);
            };
            call_with(vec![]);
            call_with(own.iter().skip(1).copied().collect());
            call_with([&[1], &own[..]].concat());
            call_with([&[2], &own[..]].concat());
            call_with([&own[..], &[0]].concat());
            for d in 0..own.len() {
                for n in [0, 1, own[d] + 1, own[d].saturating_sub(1)] {
                    let mut shape = own.clone();
                    shape[d] = n;
                    call_with(shape);
                }
            }
        }
    }
    assert!(
        results > 5 * cases().count(),
        "only {results} calls went through"
    );
}

#[test]
fn inputs_of_any_dtype_and_value_give_results_or_errors_but_no_panic() {
    let numbers = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        -0.0,
        -1.0,
        1e300,
        -9e18,
        9e18,
    ];
    // Not the largest i32: a result of so many classes just fits into memory.
    let full = |shape: &[usize], number: f64, dtype| match dtype {
        DType::I32 => Tensor::full(shape, number.min(1e3), dtype).unwrap(),
        _ => Tensor::full(shape, number, dtype).unwrap(),
    };
    let mut results = 0;
    for case in cases() {
        let mut call = |inputs: &[Tensor]| results += usize::from(survives(case, inputs));
        let plain = inputs(case, DType::F32);
        for (i, x) in plain.iter().enumerate() {
            let mut other = plain.clone();
            for number in numbers {
                other[i] = full(x.shape(), number, x.dtype());
                call(&other);
                // The number beside others.
                other[i] = x.copy().unwrap();
                let first: Vec<_> = x.shape().iter().map(|_| Index::At(0)).collect();
                if x.numel() > 0 {
                    other[i]
                        .set(&first[..], &full(&[], number, x.dtype()))
                        .unwrap();
                }
                call(&other);
            }
            for dtype in DType::ALL {
                other[i] = x.to_dtype(dtype).unwrap();
                call(&other);
                let mut all: Vec<_> = plain.iter().map(|x| x.to_dtype(dtype).unwrap()).collect();
                for number in numbers {
                    all[i] = full(x.shape(), number, dtype);
                    call(&all);
                }
            }
        }
    }
    assert!(
        results > 20 * cases().count(),
        "only {results} calls went through"
    );
}
