//! The streams of NumPy and PyTorch, against what NumPy and PyTorch give. `fixtures` says how its
//! figures were made. The golden figures of the project are compared too where they are: in the
//! directory `GRADUS_GOLDEN`, or `../shared/golden` beside the checkout; where they are not, their
//! tests count as ignored.

use gradus_core::random::{self, Compat, Generator, with_generator};
use gradus_core::{DType, Result, Tensor};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Map, Value};
use std::path::PathBuf;

/// What a case draws, and how. An f64 that a 64-bit integer was converted to stands for it.
type Case = (&'static str, fn() -> Result<Vec<f64>>);

const WEIGHTS: [f64; 8] = [0.1, 2.0, 0.0, 0.3, 1.4, 0.0, 5.5, 0.7];

fn values(x: Tensor) -> Result<Vec<f64>> {
    x.to_vec()
}

fn f64s(shape: usize) -> Result<Tensor> {
    Tensor::full(shape, 0.0, DType::F64)
}

/// What `fill` makes of zeros.
fn filled(x: Tensor, fill: impl FnOnce(&Tensor) -> Result<()>) -> Result<Vec<f64>> {
    fill(&x)?;
    values(x)
}

fn probabilities(dtype: DType) -> Result<Tensor> {
    Tensor::from([0.5, 0.1, 0.9, 0.0, 1.0, 0.25]).to_dtype(dtype)
}

fn weights() -> Tensor {
    Tensor::from(WEIGHTS)
}

fn many(dtype: DType) -> Result<Tensor> {
    let weights: Vec<f64> = (0..1000).map(|i| (i * 7 % 13).into()).collect();
    Tensor::from_vec(weights, 1000)?.to_dtype(dtype)
}

/// Weight and bias of a layer as `torch.nn` begins it: uniform in ±1/√(inputs of an output).
fn layer(weight: &[usize]) -> Result<[Tensor; 2]> {
    let inputs: usize = weight[1..].iter().product();
    let bound = 1.0 / (inputs as f64).sqrt();
    let tensors = [Tensor::zeros(weight), Tensor::zeros(weight[0])];
    tensors.iter().try_for_each(|x| x.uniform_(-bound, bound))?;
    Ok(tensors)
}

/// The order of samples of an epoch, as PyTorch's `DataLoader` with `shuffle=True` draws it.
fn epoch(n: usize) -> Vec<usize> {
    with_generator(|g| {
        // The first seed is for the workers.
        let _workers = g.spawn();
        g.spawn().permutation(n)
    })
}

fn dropout(n: usize) -> Result<Vec<f64>> {
    values(Tensor::zeros(n).bernoulli_like(0.5)?.mul(2.0)?)
}

fn positions(list: Vec<usize>) -> Vec<f64> {
    list.into_iter().map(|i| i as f64).collect()
}

const TORCH: &[Case] = &[
    ("rand(1)", || values(Tensor::rand(1)?)),
    ("rand(3)", || values(Tensor::rand(3)?)),
    ("rand(7)", || values(Tensor::rand(7)?)),
    ("rand(5) float64", || values(f64s(5)?.rand_like()?)),
    ("rand(100003)", || values(Tensor::rand(100_003)?)),
    ("randn(1)", || values(Tensor::randn(1)?)),
    ("randn(5)", || values(Tensor::randn(5)?)),
    ("randn(15)", || values(Tensor::randn(15)?)),
    ("randn(16)", || values(Tensor::randn(16)?)),
    ("randn(17)", || values(Tensor::randn(17)?)),
    ("randn(31)", || values(Tensor::randn(31)?)),
    ("randn(40)", || values(Tensor::randn(40)?)),
    ("randn(100003)", || values(Tensor::randn(100_003)?)),
    ("randn(5) float64", || values(f64s(5)?.randn_like()?)),
    ("randn(20) float64", || values(f64s(20)?.randn_like()?)),
    ("randn(5) then randn(20) then randn(4)", || {
        let parts = [5, 20, 4].map(|n| values(Tensor::randn(n)?));
        Ok(parts.into_iter().collect::<Result<Vec<_>>>()?.concat())
    }),
    ("randn(4,5) then rand(3)", || {
        Ok([values(Tensor::randn([4, 5])?)?, values(Tensor::rand(3)?)?].concat())
    }),
    ("normal(0,0.01,(2,3))", || {
        values(Tensor::normal(0.0, 0.01, [2, 3], DType::F32)?)
    }),
    ("normal(0.3,0.7,5)", || {
        values(Tensor::normal(0.3, 0.7, 5, DType::F32)?)
    }),
    ("normal(0.3,0.7,1000)", || {
        values(Tensor::normal(0.3, 0.7, 1000, DType::F32)?)
    }),
    ("normal(0.3,0.7,5) float64", || {
        values(Tensor::normal(0.3, 0.7, 5, DType::F64)?)
    }),
    ("normal(0.3,0.7,33) float64", || {
        values(Tensor::normal(0.3, 0.7, 33, DType::F64)?)
    }),
    ("zeros(5,4).t().normal_(1,2)", || {
        filled(Tensor::zeros([5, 4]).t()?, |x| x.normal_(1.0, 2.0))
    }),
    ("zeros(4,12)[:,::2].normal_(1,2)", || {
        let even = Tensor::zeros([4, 6, 2]).select(2, 0)?;
        filled(even, |x| x.normal_(1.0, 2.0))
    }),
    ("zeros(2,3,4).permute(2,0,1).uniform_(-0.3,0.7)", || {
        let x = Tensor::zeros([2, 3, 4]).permute([2, 0, 1])?;
        filled(x, |x| x.uniform_(-0.3, 0.7))
    }),
    ("uniform_(-0.3,0.7) x1000", || {
        filled(Tensor::zeros(1000), |x| x.uniform_(-0.3, 0.7))
    }),
    ("uniform_(-0.3,0.7) x9 float64", || {
        filled(f64s(9)?, |x| x.uniform_(-0.3, 0.7))
    }),
    ("randint(0,100,(8,))", || {
        values(Tensor::randint(0, 100, 8)?)
    }),
    ("randint(0,2**28-1,5)", || {
        values(Tensor::randint(0, (1 << 28) - 1, 5)?)
    }),
    ("randint(0,2**28,5)", || {
        values(Tensor::randint(0, 1 << 28, 5)?)
    }),
    ("randint(-7,2**40,5)", || {
        values(Tensor::randint(-7, 1 << 40, 5)?)
    }),
    ("randint(-2**63,2**63-1,5)", || {
        values(Tensor::randint(i64::MIN, i64::MAX, 5)?)
    }),
    ("randperm(1)", || values(Tensor::randperm(1)?)),
    ("randperm(10)", || values(Tensor::randperm(10)?)),
    ("randperm(10007)", || values(Tensor::randperm(10_007)?)),
    ("bernoulli(0.3) x10", || {
        values(Tensor::full(10, 0.3, DType::F32)?.bernoulli()?)
    }),
    ("bernoulli(p)", || {
        values(probabilities(DType::F32)?.bernoulli()?)
    }),
    ("bernoulli(p) float64", || {
        values(
            probabilities(DType::F32)?
                .to_dtype(DType::F64)?
                .bernoulli()?,
        )
    }),
    ("bernoulli_(0.3) x20", || {
        filled(Tensor::zeros(20), |x| x.bernoulli_(0.3))
    }),
    ("bernoulli_(p) x2x6", || {
        let p = probabilities(DType::F32)?;
        filled(Tensor::zeros([2, 6]), |x| x.bernoulli_(&p))
    }),
    ("Dropout(0.5) on ones(12)", || dropout(12)),
    ("exponential_(1.5) x9", || {
        filled(Tensor::zeros(9), |x| x.exponential_(1.5))
    }),
    ("exponential_(1.5) x9 float64", || {
        filled(f64s(9)?, |x| x.exponential_(1.5))
    }),
    ("multinomial(weights,1,True)", || {
        values(weights().multinomial(1, true)?)
    }),
    ("multinomial(weights,20,True)", || {
        values(weights().multinomial(20, true)?)
    }),
    ("multinomial(weights,6,False)", || {
        values(weights().multinomial(6, false)?)
    }),
    ("multinomial(weights,6,False) float64", || {
        values(weights().to_dtype(DType::F64)?.multinomial(6, false)?)
    }),
    ("multinomial(many,40,True)", || {
        values(many(DType::F32)?.multinomial(40, true)?)
    }),
    ("multinomial(many,40,False)", || {
        values(many(DType::F32)?.multinomial(40, false)?)
    }),
    ("multinomial(2 rows,5,True)", || {
        values(weights().reshape([2, 4])?.multinomial(5, true)?)
    }),
    ("multinomial(2 rows,3,False)", || {
        let rows = weights().reshape([2, 4])?;
        values(rows.multinomial(3, false)?)
    }),
    ("Linear(5,3).weight", || values(layer(&[3, 5])?[0].clone())),
    ("Linear(5,3).bias", || values(layer(&[3, 5])?[1].clone())),
    ("Conv2d(2,3,3).weight", || {
        values(layer(&[3, 2, 3, 3])?[0].clone())
    }),
    ("Conv2d(2,3,3).bias", || {
        values(layer(&[3, 2, 3, 3])?[1].clone())
    }),
    (
        "DataLoader(arange(10), batch 4, shuffle) order, two epochs",
        || Ok(positions([epoch(10), epoch(10)].concat())),
    ),
];

fn draw(n: usize, mut f: impl FnMut(&mut Generator) -> f64) -> Vec<f64> {
    with_generator(|g| (0..n).map(|_| f(g)).collect())
}

fn choice(n: usize, size: usize, replacement: bool) -> Result<Vec<f64>> {
    with_generator(|g| g.choice(n, size, replacement)).map(positions)
}

/// In the order in which the golden figures were drawn one after the other.
const NUMPY: &[Case] = &[
    ("random_sample(5)", || Ok(draw(5, Generator::uniform))),
    ("standard_normal(5)", || Ok(draw(5, Generator::normal))),
    ("uniform(-2,3,4)", || {
        values(Tensor::uniform(-2.0, 3.0, 4, DType::F64)?)
    }),
    ("randint(0,1000,6)", || values(Tensor::randint(0, 1000, 6)?)),
    ("permutation(10)", || values(Tensor::randperm(10)?)),
    ("choice(1500,3,replace=False)", || choice(1500, 3, false)),
    ("choice(10000,4)", || choice(10_000, 4, true)),
    ("normal(5,2,3)", || {
        values(Tensor::normal(5.0, 2.0, 3, DType::F64)?)
    }),
    ("shuffle(arange(8))", || {
        let mut list: Vec<usize> = (0..8).collect();
        with_generator(|g| g.shuffle(&mut list));
        Ok(positions(list))
    }),
    ("random_sample(10007)", || {
        values(f64s(10_007)?.rand_like()?)
    }),
    ("random_sample(10007) float32", || {
        values(Tensor::rand(10_007)?)
    }),
    (
        "standard_normal(5) then random_sample(1) then standard_normal(2)",
        || {
            let first = values(f64s(5)?.randn_like()?)?;
            let parts = [draw(1, Generator::uniform), draw(2, Generator::normal)];
            Ok([first, parts.concat()].concat())
        },
    ),
    ("exponential(1/1.5,6)", || {
        filled(f64s(6)?, |x| x.exponential_(1.5))
    }),
    ("randint(3,4,3) then random_sample(1)", || {
        let first = values(Tensor::randint(3, 4, 3)?)?;
        Ok([first, draw(1, Generator::uniform)].concat())
    }),
    ("randint(0,256,6)", || values(Tensor::randint(0, 256, 6)?)),
    ("randint(-7,2**32-7,5)", || {
        values(Tensor::randint(-7, (1 << 32) - 7, 5)?)
    }),
    ("randint(-7,2**32-6,5)", || {
        values(Tensor::randint(-7, (1 << 32) - 6, 5)?)
    }),
    ("randint(-2**63,2**63-1,5)", || {
        values(Tensor::randint(i64::MIN, i64::MAX, 5)?)
    }),
    ("permutation(10007)", || values(Tensor::randperm(10_007)?)),
    ("choice(8,20,p)", || {
        let p = weights_f64()?.div(10.0)?;
        values(p.multinomial(20, true)?)
    }),
    ("choice(8,6,p,replace=False)", || {
        let p = weights_f64()?.div(10.0)?;
        values(p.multinomial(6, false)?)
    }),
    ("choice(1000,40,p,replace=False)", || {
        let p = many(DType::F64)?;
        values(p.div(&p.sum(..)?)?.multinomial(40, false)?)
    }),
];

fn weights_f64() -> Result<Tensor> {
    Tensor::from_vec(WEIGHTS, 8)
}

/// What the fixtures say about a long result.
fn checksum(values: &[f64]) -> String {
    let odd = (1u64..).step_by(2);
    let sum = values.iter().zip(odd).fold(0u64, |sum, (x, odd)| {
        sum.wrapping_add(x.to_bits().wrapping_mul(odd))
    });
    format!("{sum:016x}")
}

/// The numbers in a list of numbers, or in lists within it.
fn flatten(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(list) => list.iter().flat_map(flatten).collect(),
        Value::Number(x) => vec![x.as_i64().map_or_else(|| x.as_f64().unwrap(), |i| i as f64)],
        other => panic!("{other} is no number"),
    }
}

/// Whether two numbers are the same, where the mathematical library is the same; else the last bit
/// may differ.
fn same(x: f64, y: f64) -> bool {
    let ulps = x.to_bits().abs_diff(y.to_bits());
    ulps <= u64::from(!cfg!(all(target_os = "linux", target_env = "gnu")))
}

fn compare(name: &str, seed: &str, found: &[f64], expected: &Value) -> Result<(), Failed> {
    if let Value::String(expected) = expected {
        if *expected != checksum(found) {
            return Err(format!("seed {seed}: {name} differs, begins {:?}", &found[..4]).into());
        }
        return Ok(());
    }
    let expected = flatten(expected);
    let equal =
        found.len() == expected.len() && found.iter().zip(&expected).all(|(&x, &y)| same(x, y));
    if !equal {
        return Err(format!("seed {seed}: {name} is\n{found:?} instead of\n{expected:?}").into());
    }
    Ok(())
}

/// Every result of a file. `afresh`: whether each case begins with the seed, or goes on where the
/// last one ended.
fn check(text: &str, compat: Compat, cases: &[Case], afresh: bool) -> Result<(), Failed> {
    let seeds: Map<String, Value> = serde_json::from_str(text)?;
    let mut wrong = Vec::new();
    for (name, results) in &seeds {
        let Some(results) = results.as_object() else {
            continue;
        };
        let seed: u64 = name.trim_start_matches("seed ").parse()?;
        random::manual_seed_compat(seed, compat);
        let mut known = 0;
        for (case, run) in cases {
            let Some(expected) = results.get(*case) else {
                continue;
            };
            known += 1;
            if afresh {
                random::manual_seed_compat(seed, compat);
            }
            if let Err(e) = compare(case, name, &run()?, expected) {
                wrong.push(e.message().unwrap_or_default().to_owned());
            }
        }
        // Sums of a whole network's weights: the toolkit's tests have them.
        let sums = results.keys().filter(|key| key.contains("sums of")).count();
        if known + sums != results.len() {
            wrong.push(format!(
                "{name}: only {known} of {} results are known here",
                results.len()
            ));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n").into())
    }
}

fn golden_dir() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/golden");
    std::env::var_os("GRADUS_GOLDEN").map_or_else(|| beside.into(), PathBuf::from)
}

fn main() {
    let numpy = include_str!("fixtures/numpy_random.json");
    let torch = include_str!("fixtures/torch_random.json");
    let golden = |file: &'static str, compat, cases, afresh| {
        let path = golden_dir().join(file);
        let missing = !path.exists();
        if missing {
            eprintln!("{} is missing: its test is ignored", path.display());
        }
        let run = move || check(&std::fs::read_to_string(path)?, compat, cases, afresh);
        Trial::test(format!("golden::{file}"), run).with_ignored_flag(missing)
    };
    let trials = vec![
        Trial::test("numpy", || check(numpy, Compat::Numpy, NUMPY, true)),
        Trial::test("torch", || check(torch, Compat::Torch, TORCH, true)),
        golden("numpy_legacy_random.json", Compat::Numpy, NUMPY, false),
        golden("torch_random.json", Compat::Torch, TORCH, true),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
