//! Reductions, scans, sorting and counting where they are delicate: values that are no numbers,
//! nothing at all, ties; and against naive models on random input.

use gradus_core::autograd::{GradOptions, grad, grad_with};
use gradus_core::ops::Interpolation;
use gradus_core::{DType, Result, Tensor, keepdim};
use proptest::prelude::*;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

fn f64s(values: &[f64]) -> Tensor {
    Tensor::from_vec(values, values.len()).unwrap()
}

/// The values of a tensor, NaN being what it is.
fn show(x: &Tensor) -> String {
    format!("{:?}", x.to_vec::<f64>().unwrap())
}

/// A number that NaN equals.
fn same(a: &Tensor, b: &[f64]) -> bool {
    show(a) == format!("{b:?}")
}

fn gradient(x: &[f64], f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Vec<f64>> {
    let x = f64s(x).requires_grad_(true)?;
    f(&x)?.sum(..)?.backward()?;
    x.grad().expect("there is one").to_vec()
}

/// One vector, and what its reductions are by NumPy's rules.
struct Special {
    x: &'static [f64],
    sum: f64,
    mean: f64,
    prod: f64,
    max: f64,
    argmax: i64,
    min: f64,
    var: f64,
}

#[test]
fn special_values_follow_numpy() -> Result<()> {
    #[rustfmt::skip]
    let table = [
        Special { x: &[1.0, NAN, 3.0], sum: NAN, mean: NAN, prod: NAN, max: NAN, argmax: 1, min: NAN, var: NAN },
        Special { x: &[INF, 1.0], sum: INF, mean: INF, prod: INF, max: INF, argmax: 0, min: 1.0, var: NAN },
        Special { x: &[-INF, INF], sum: NAN, mean: NAN, prod: -INF, max: INF, argmax: 1, min: -INF, var: NAN },
        Special { x: &[0.0, -INF], sum: -INF, mean: -INF, prod: NAN, max: 0.0, argmax: 0, min: -INF, var: NAN },
        Special { x: &[INF, NAN, INF], sum: NAN, mean: NAN, prod: NAN, max: NAN, argmax: 1, min: NAN, var: NAN },
        Special { x: &[-INF, -INF], sum: -INF, mean: -INF, prod: INF, max: -INF, argmax: 0, min: -INF, var: NAN },
        Special { x: &[7.0, 7.0], sum: 14.0, mean: 7.0, prod: 49.0, max: 7.0, argmax: 0, min: 7.0, var: 0.0 },
        Special { x: &[3.0], sum: 3.0, mean: 3.0, prod: 3.0, max: 3.0, argmax: 0, min: 3.0, var: NAN },
    ];
    for case in table {
        // In a row, in a column among others, many times over in long rows and columns, and 0-d.
        let n = case.x.len();
        let row = f64s(case.x);
        let wide = row.unsqueeze(1)?.broadcast_to([n, 70])?;
        let columns = wide.contiguous()?;
        for (x, dim) in [
            (row.unsqueeze(0)?, 1),
            (columns.clone(), 0),
            (wide.t()?, 1),
            (row.unsqueeze(0)?, -1),
        ] {
            let say = |name: &str, y: Tensor, expected: f64| {
                let all = vec![expected; y.numel()];
                assert!(
                    same(&y, &all),
                    "{name} of {:?} along {dim}: {}",
                    case.x,
                    show(&y)
                );
            };
            say("sum", x.sum(dim)?, case.sum);
            say("mean", x.mean(dim)?, case.mean);
            say("prod", x.prod(dim)?, case.prod);
            say("amax", x.amax(dim)?, case.max);
            say("max", x.max(dim)?.0, case.max);
            say("argmax", x.argmax(dim)?, case.argmax as f64);
            say("amin", x.amin(dim)?, case.min);
            say("min", x.min(dim)?.0, case.min);
            say("var", x.var(dim)?, case.var);
        }
        // Blocks and lanes must not lose a NaN or an infinity.
        let long = row.unsqueeze(0)?.broadcast_to([50_000, n])?.contiguous()?;
        let repeated = |x: Tensor| x.item::<f64>().unwrap();
        assert!(same(&long.amax(..)?, &[case.max]) && same(&long.amin(..)?, &[case.min]));
        assert_eq!(repeated(long.argmax(..)?), case.argmax as f64);
        assert_eq!(long.sum(..)?.item::<f64>()?.is_nan(), case.sum.is_nan());
    }
    Ok(())
}

#[test]
fn zeros_of_both_signs() -> Result<()> {
    // As in NumPy and PyTorch, a sum begins with +0; a product keeps the sign.
    let zeros = f64s(&[-0.0, -0.0]);
    assert!(zeros.sum(..)?.item::<f64>()?.is_sign_positive());
    assert!(zeros.cumsum(0)?.to_vec::<f64>()?[1].is_sign_positive());
    assert!(f64s(&[-0.0]).prod(..)?.item::<f64>()?.is_sign_negative());
    // Both are equal: the first one is found, sorting keeps their order, and one of them is unique.
    for x in [f64s(&[0.0, -0.0]), f64s(&[-0.0, 0.0])] {
        assert_eq!(
            (x.argmax(0)?.item::<i64>()?, x.argmin(0)?.item::<i64>()?),
            (0, 0)
        );
        assert_eq!(x.argsort(0, true)?.to_vec::<i64>()?, [0, 1]);
        assert_eq!(x.unique()?.values.numel(), 1);
    }
    Ok(())
}

#[test]
fn reductions_of_nothing_and_of_a_single_number() -> Result<()> {
    let e = Tensor::zeros([2, 0]);
    assert!(same(&e.prod(1)?, &[1.0, 1.0]) && same(&e.nansum(1)?, &[0.0, 0.0]));
    assert!(same(&e.all(1)?, &[1.0, 1.0]) && same(&e.any(1)?, &[0.0, 0.0]));
    assert!(same(&e.logsumexp(1)?, &[-INF, -INF]));
    for y in [e.mean(1)?, e.var(1)?, e.std_with(1, 0)?, e.nanmean(1)?] {
        assert!(same(&y, &[NAN, NAN]), "{y}");
    }
    assert!(same(&e.norm(2, 1)?, &[0.0, 0.0]) && same(&e.norm(0, 1)?, &[0.0, 0.0]));
    assert_eq!(e.count_nonzero(..)?.item::<i64>()?, 0);
    for y in [
        e.max(0)?.0,
        e.median(0)?.1,
        e.mode(0)?.0,
        e.quantile(0.5, 0)?,
    ] {
        assert_eq!(y.shape(), [0]);
    }
    assert_eq!(e.max(keepdim(0))?.1.shape(), [1, 0]);
    assert_eq!(
        e.quantile(&Tensor::zeros([0]), keepdim(0))?.shape(),
        [0, 1, 0]
    );
    assert_eq!(
        Tensor::ones([2, 3])
            .quantile(&Tensor::zeros([0]), 1)?
            .shape(),
        [0, 2]
    );
    for d in [0, 1] {
        for y in [
            e.cumsum(d)?,
            e.cumprod(d)?,
            e.cummax(d)?.1,
            e.logcumsumexp(d)?,
            e.sort(d, false)?.0,
        ] {
            assert_eq!(y.shape(), [2, 0]);
        }
    }
    assert_eq!(e.topk(0, 1, true)?.0.shape(), [2, 0]);
    assert_eq!(e.topk(0, 0, true)?.1.shape(), [0, 0]);
    assert_eq!(e.diff(1, 1)?.shape(), [2, 0]);
    assert_eq!(e.diff(1, 0)?.shape(), [1, 0]);
    assert_eq!(Tensor::ones([3]).diff(usize::MAX, 0)?.shape(), [0]);
    assert_eq!(Tensor::ones([3]).diff(0, 0)?.shape(), [3]);
    assert_eq!(e.unique()?.values.shape(), [0]);
    assert_eq!(e.unique()?.inverse.shape(), [2, 0]);
    assert_eq!(e.unique_dim(1)?.values.shape(), [2, 0]);
    assert_eq!(e.histc(3, 0.0, 0.0)?.to_vec::<f32>()?, [0.0; 3]);
    let none = Tensor::zeros([0]).to_dtype(DType::I64)?;
    assert_eq!(none.bincount(None, 2)?.to_vec::<i64>()?, [0, 0]);

    // A 0-d tensor has one element, along its "dimension" 0 or −1.
    let s = Tensor::from(5.0);
    for y in [
        s.cumsum(-1)?,
        s.cumprod(0)?,
        s.logcumsumexp(0)?,
        s.cummin(0)?.0,
        s.sort(0, true)?.0,
        s.topk(1, 0, true)?.0,
        s.kthvalue(1, -1)?.0,
        s.median(..)?.0,
        s.max(0)?.0,
        s.quantile(0.3, ..)?,
        s.norm(2, 0)?,
        s.amax(keepdim(..))?,
    ] {
        assert_eq!((y.ndim(), y.item::<f64>()?), (0, 5.0));
    }
    assert_eq!(s.argmax(keepdim(..))?.item::<i64>()?, 0);
    assert_eq!(s.unique()?.values.shape(), [1]);
    assert_eq!(s.topk(0, 0, true)?.0.shape(), [0]);
    Ok(())
}

#[test]
fn dtypes_follow_pytorch() -> Result<()> {
    use DType::{Bool, F32, F64, I32, I64, U8};
    for dtype in DType::ALL {
        let x = Tensor::from([0, 1, 1]).to_dtype(dtype)?;
        let summed = if dtype.is_float() { dtype } else { I64 };
        for y in [
            x.sum(..)?,
            x.prod(0)?,
            x.nansum(0)?,
            x.cumsum(0)?,
            x.cumprod(0)?,
        ] {
            assert_eq!(y.dtype(), summed);
        }
        for y in [
            x.amax(..)?,
            x.min(0)?.0,
            x.sort(0, true)?.0,
            x.cummax(0)?.0,
            x.unique()?.values,
            x.mode(0)?.0,
        ] {
            assert_eq!(y.dtype(), dtype);
        }
        for y in [
            x.max(0)?.1,
            x.argsort(0, false)?,
            x.cummin(0)?.1,
            x.count_nonzero(0)?,
            x.unique()?.counts,
        ] {
            assert_eq!(y.dtype(), I64);
        }
        assert_eq!((x.all(..)?.dtype(), x.any(..)?.dtype()), (Bool, Bool));
        assert_eq!((x.all(..)?.item()?, x.any(..)?.item()?), (false, true));
        assert_eq!(
            x.logsumexp(0)?.dtype(),
            if dtype == F64 { F64 } else { F32 }
        );
        assert_eq!(x.var(0).is_ok(), dtype.is_float());
    }
    let bytes = Tensor::from_vec([200u8, 100, 200], 3)?;
    assert_eq!(bytes.prod(..)?.item::<i64>()?, 4_000_000);
    assert_eq!(bytes.cumsum(0)?.to_vec::<i64>()?, [200, 300, 500]);
    let ends = Tensor::from_vec([i64::MAX, i64::MIN, 1], 3)?;
    assert_eq!(
        ends.sort(0, false)?.0.to_vec::<i64>()?,
        [i64::MIN, 1, i64::MAX]
    );
    assert_eq!(
        ends.median(0)?.0.item::<i64>()?,
        1,
        "the largest i64 is no NaN"
    );
    assert_eq!(
        Tensor::from_vec([i64::MAX, i64::MAX], 2)?
            .unique()?
            .counts
            .to_vec::<i64>()?,
        [2]
    );
    assert_eq!(
        ends.cumprod(0)?.to_vec::<i64>()?[1],
        i64::MIN,
        "products wrap"
    );
    for (weights, dtype) in [(F32, F32), (F64, F64), (I32, F64), (U8, F64)] {
        let weights = Tensor::ones([3]).to_dtype(weights)?;
        assert_eq!(
            Tensor::from([0, 1, 1]).bincount(Some(&weights), 0)?.dtype(),
            dtype
        );
    }
    Ok(())
}

#[test]
fn nan_counts_as_largest_and_equals_nothing() -> Result<()> {
    let x = f64s(&[1.0, NAN, 3.0, NAN, 0.0]);
    assert_eq!(x.argsort(0, false)?.to_vec::<i64>()?, [4, 0, 2, 1, 3]);
    assert_eq!(x.argsort(0, true)?.to_vec::<i64>()?, [1, 3, 2, 0, 4]);
    assert_eq!(x.topk(3, 0, true)?.1.to_vec::<i64>()?, [1, 3, 2]);
    assert_eq!(x.topk(2, 0, false)?.1.to_vec::<i64>()?, [4, 0]);
    assert_eq!(x.kthvalue(4, 0)?.1.item::<i64>()?, 1);
    assert_eq!(x.cummax(0)?.1.to_vec::<i64>()?, [0, 1, 1, 3, 3]);
    assert_eq!(x.cummin(0)?.1.to_vec::<i64>()?, [0, 1, 1, 3, 3]);
    let (median, at) = x.median(0)?;
    assert!(median.item::<f64>()?.is_nan() && at.item::<i64>()? == 1);
    let (median, at) = x.nanmedian(0)?;
    assert_eq!((median.item::<f64>()?, at.item::<i64>()?), (1.0, 0));
    let (median, at) = f64s(&[NAN, NAN]).nanmedian(0)?;
    assert!(median.item::<f64>()?.is_nan() && at.item::<i64>()? == 0);
    assert!(same(&x.unique()?.values, &[0.0, 1.0, 3.0, NAN, NAN]));
    assert_eq!(x.unique()?.inverse.to_vec::<i64>()?, [1, 3, 2, 4, 0]);
    assert_eq!(
        f64s(&[NAN, NAN, 1.0, 1.0])
            .unique_consecutive()?
            .counts
            .to_vec::<i64>()?,
        [1, 1, 2]
    );
    assert_eq!(
        f64s(&[1.0, NAN, NAN, 2.0, 2.0]).mode(0)?.1.item::<i64>()?,
        4
    );
    assert!(same(&x.nansum(..)?, &[4.0]) && same(&x.nanmean(..)?, &[4.0 / 3.0]));
    assert!(same(&x.quantile(&f64s(&[0.0, 0.5]), 0)?, &[NAN, NAN]));
    assert!(same(&x.histc(3, 0.0, 3.0)?, &[1.0, 1.0, 1.0]));
    assert!(f64s(&[NAN]).all(..)?.item()? && f64s(&[NAN]).any(..)?.item()?);
    assert!(same(&f64s(&[NAN, INF]).logsumexp(0)?, &[NAN]));
    assert!(same(&f64s(&[INF, -INF]).logsumexp(0)?, &[INF]));
    assert!(same(&f64s(&[-INF, -INF]).logsumexp(0)?, &[-INF]));
    assert!(same(&f64s(&[-INF, -1e300]).logsumexp(0)?, &[-1e300]));
    assert!(same(
        &f64s(&[-INF, -INF, 1.0, INF, 2.0]).logcumsumexp(0)?,
        &[-INF, -INF, 1.0, INF, INF]
    ));
    for p in [INF, -INF, 1.0, 2.0, 3.0] {
        assert!(same(&f64s(&[3.0, NAN]).norm(p, 0)?, &[NAN]), "{p}");
    }
    assert!(same(&f64s(&[3.0, NAN]).norm(0, 0)?, &[2.0]));
    Ok(())
}

#[test]
fn ties_go_to_the_element_that_pytorch_takes() -> Result<()> {
    let x = Tensor::from([2, 2, 1, 1]);
    assert_eq!(
        (x.max(0)?.1.item::<i64>()?, x.min(0)?.1.item::<i64>()?),
        (0, 2)
    );
    assert_eq!(x.median(0)?.1.item::<i64>()?, 3);
    assert_eq!(Tensor::from([3, 3, 1, 1, 2]).mode(0)?.1.item::<i64>()?, 3);
    assert_eq!(
        Tensor::from([1, 1, 0, 1]).cummax(0)?.1.to_vec::<i64>()?,
        [0, 1, 1, 3]
    );
    // The position in the flattened tensor, and in the row-major order of several dimensions.
    let x = Tensor::from([[[1, 5], [2, 0]], [[3, 4], [9, 9]]]);
    assert_eq!(x.argmax(..)?.item::<i64>()?, 6);
    assert_eq!(x.argmax([0, 2])?.to_vec::<i64>()?, [1, 2]);
    assert_eq!(x.max([0, 2])?.0.to_vec::<i64>()?, [5, 9]);
    assert_eq!(x.argmin(keepdim([0, 1]))?.shape(), [1, 1, 2]);
    // The first of equal elements gets the gradient of max, all of them that of amax.
    assert_eq!(
        gradient(&[1.0, 3.0, 3.0], |x| Ok(x.max(0)?.0))?,
        [0.0, 1.0, 0.0]
    );
    assert_eq!(gradient(&[1.0, 3.0, 3.0], |x| x.amax(0))?, [0.0, 0.5, 0.5]);
    assert_eq!(
        gradient(&[3.0, 1.0, 3.0], |x| Ok(x.cummax(0)?.0))?,
        [2.0, 0.0, 1.0]
    );
    Ok(())
}

#[test]
fn variance_of_data_far_from_zero_is_exact() -> Result<()> {
    for shift in [0.0, 1e9, -1e12] {
        let x = Tensor::arange(0.0, 10_000.0, 1.0, DType::F64)?.add(shift)?;
        // (n² + n)/12 is the variance of the numbers 1 … n.
        let expected = (1e8 + 1e4) / 12.0;
        for y in [
            x.var(0)?,
            x.reshape([100, 100])?.var(..)?,
            x.reshape([-1, 1])?
                .broadcast_to([10_000, 2])?
                .contiguous()?
                .var(0)?,
        ] {
            for y in y.to_vec::<f64>()? {
                assert!((y - expected).abs() < 1e-13 * expected, "{y} at {shift}");
            }
        }
    }
    // Equal elements: 0 exactly, and a gradient of 0.
    let tenths = [0.1; 1000];
    assert_eq!(f64s(&tenths).var(0)?.item::<f64>()?, 0.0);
    assert_eq!(gradient(&tenths, |x| x.std(0))?, [0.0; 1000]);
    // More correction than elements.
    assert!(same(&f64s(&[1.0, 2.0]).var_with(0, 3)?, &[INF]));
    assert!(same(&f64s(&[1.0, 1.0]).var_with(0, 3)?, &[NAN]));
    assert!(gradient(&[1.0], |x| x.var(0))?[0].is_nan());
    assert_eq!(gradient(&[1.0], |x| x.std_with(0, 0))?, [0.0]);
    Ok(())
}

#[test]
fn norms_and_their_subgradients_are_those_of_pytorch() -> Result<()> {
    let zeros = [0.0, 0.0];
    for p in [0.5, 1.0, 1.5, 2.0, 3.0, INF, -INF, -1.0] {
        assert_eq!(gradient(&zeros, |x| x.norm(p, 0))?, zeros, "p = {p}");
    }
    let x = [0.0, 2.0, -2.0];
    for (p, expected) in [
        (0.5, 2.0),
        (1.0, 1.0),
        (2.0, 0.5f64.sqrt()),
        (INF, 0.5),
        (-1.0, 0.0),
    ] {
        let found = gradient(&x, |x| x.norm(p, 0))?;
        let close = |(a, b): (&f64, f64)| (a - b).abs() < 1e-15;
        assert!(
            found.iter().zip([0.0, expected, -expected]).all(close),
            "p = {p}: {found:?}"
        );
    }
    // f32 is summed in f64: squares that no f32 holds do not matter.
    assert_eq!(Tensor::from([3e30, 4e30]).norm(2, 0)?.item::<f32>()?, 5e30);
    Ok(())
}

/// Σ over products of all but one, as the definition has it.
fn product_gradient(x: &[f64]) -> Vec<f64> {
    let others = |i: usize| x.iter().enumerate().filter(move |(j, _)| *j != i);
    (0..x.len())
        .map(|i| others(i).map(|(_, x)| x).product())
        .collect()
}

#[test]
fn gradients_of_products_with_zeros() -> Result<()> {
    for x in [
        [2.0, 3.0, 4.0],
        [0.0, 3.0, 4.0],
        [2.0, 0.0, 0.0],
        [0.0, 0.0, 0.0],
    ] {
        assert_eq!(gradient(&x, |x| x.prod(..))?, product_gradient(&x));
        assert_eq!(
            gradient(&x, |x| x.reshape([3, 1])?.prod([0, 1]))?,
            product_gradient(&x)
        );
        let [a, b, c] = x;
        let expected = [1.0 + b + b * c, a + a * c, a * b];
        assert_eq!(gradient(&x, |x| x.cumprod(0))?, expected);
        // The gradient again: the derivative of Σᵢ Πⱼ≠ᵢ xⱼ = ab + ac + bc.
        let t = f64s(&x).requires_grad_(true)?;
        let options = GradOptions {
            create_graph: true,
            ..GradOptions::default()
        };
        let g = grad_with(&[&t.prod(..)?], &[&t], options)?.remove(0);
        let again = grad(&[&g.expect("t is used").sum(..)?], &[&t])?;
        assert_eq!(again[0].to_vec::<f64>()?, [b + c, a + c, a + b]);
    }
    Ok(())
}

#[test]
fn a_running_sum_in_f32_does_not_drift() -> Result<()> {
    let n = 1 << 20;
    let sums = Tensor::full([n], 0.1, DType::F32)?
        .cumsum(0)?
        .to_vec::<f64>()?;
    let last = f64::from(0.1f32) * n as f64;
    assert!((sums[n - 1] - last).abs() <= last * f64::from(f32::EPSILON));
    Ok(())
}

#[test]
fn a_long_f32_sum_stays_exact_where_a_running_sum_would_not() -> Result<()> {
    // A running f32 sum of 2^25 ones stops at 2^24.
    let n = 1 << 25;
    for (shape, dim) in [([1, n], 1), ([n, 1], 0), ([n / 4, 4], 0)] {
        let sums = Tensor::ones(shape).sum(dim)?.to_vec::<f64>()?;
        assert_eq!(sums, vec![n as f64 / sums.len() as f64; sums.len()]);
    }
    Ok(())
}

#[test]
fn large_tensors_are_cut_up_without_a_trace() -> Result<()> {
    // Sizes above every threshold: long rows, few wide rows, many rows, small and large matrices.
    // Whole numbers, so that sums are exact in any order.
    for shape in [
        [1, 3, 70_000],
        [3, 70_000, 1],
        [1, 70_000, 3],
        [500, 40, 11],
        [2, 300, 700],
        [1, 2, 200_000],
    ] {
        let n: usize = shape.iter().product();
        let values: Vec<f64> = (0..n).map(|i| ((i * 7919) % 1009) as f64 - 500.0).collect();
        let x = Tensor::from_vec(&values, shape)?;
        for d in 0..3 {
            let inner: usize = shape[d + 1..].iter().product();
            let at = |o: usize, k: usize| values[(o / inner * shape[d] + k) * inner + o % inner];
            let columns = (0..n / shape[d]).map(|o| (0..shape[d]).map(move |k| (o, k)));
            let columns: Vec<Vec<f64>> = columns
                .map(|c| c.map(|(o, k)| at(o, k)).collect())
                .collect();
            let each = |f: &dyn Fn(&[f64]) -> f64| columns.iter().map(|c| f(c)).collect::<Vec<_>>();
            let dim = d as isize;
            assert_eq!(
                x.sum(dim)?.to_vec::<f64>()?,
                each(&|c| c.iter().sum()),
                "{shape:?} {d}"
            );
            let largest = |c: &[f64]| c.iter().copied().fold(-INF, f64::max);
            assert_eq!(x.amax(dim)?.to_vec::<f64>()?, each(&largest));
            let first = |c: &[f64]| {
                let largest = largest(c);
                c.iter().position(|&x| x == largest).unwrap() as f64
            };
            assert_eq!(
                x.argmax(dim)?.to_vec::<f64>()?,
                each(&first),
                "{shape:?} {d}"
            );
            let last_sums = x.cumsum(dim)?.narrow(dim, shape[d] - 1, 1)?;
            assert_eq!(last_sums.to_vec::<f64>()?, x.sum(dim)?.to_vec::<f64>()?);
        }
    }
    Ok(())
}

/// Numbers among which some are equal and some are NaN.
fn column() -> impl Strategy<Value = Vec<f64>> {
    let number = prop_oneof![12 => (-4i32..4).prop_map(f64::from), 1 => Just(NAN), 1 => Just(INF)];
    prop::collection::vec(number, 1..40)
}

/// NaN above everything.
fn by_size(a: &f64, b: &f64) -> std::cmp::Ordering {
    a.partial_cmp(b)
        .unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sorting_is_stable(x in column(), k in 0..40usize, descending in any::<bool>()) {
        let n = x.len();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&i, &j| if descending { by_size(&x[j], &x[i]) } else { by_size(&x[i], &x[j]) });
        let order: Vec<i64> = order.iter().map(|&i| i as i64).collect();
        let picked = |order: &[i64]| format!("{:?}", order.iter().map(|&i| x[i as usize]).collect::<Vec<_>>());
        // Beside other columns, which must not mix.
        let t = Tensor::stack(&[&f64s(&x), &f64s(&vec![0.0; n])], 1).unwrap();
        let (values, index) = t.sort(0, descending).unwrap();
        prop_assert_eq!(index.select(1, 0).unwrap().to_vec::<i64>().unwrap(), order.clone());
        prop_assert_eq!(show(&values.select(1, 0).unwrap()), picked(&order));
        let k = k % (n + 1);
        let (values, index) = f64s(&x).topk(k, 0, descending).unwrap();
        prop_assert_eq!(index.to_vec::<i64>().unwrap(), &order[..k]);
        prop_assert_eq!(show(&values), picked(&order[..k]));
        if !descending {
            let (_, index) = f64s(&x).kthvalue(k.max(1), 0).unwrap();
            prop_assert_eq!(index.item::<i64>().unwrap(), order[k.max(1) - 1]);
        }
    }

    #[test]
    fn quantiles_lie_where_they_should(x in column(), q in 0.0..1.0f64) {
        let mut sorted = x.clone();
        sorted.sort_by(by_size);
        let rank = q * (x.len() - 1) as f64;
        let nan = x.iter().any(|x| x.is_nan());
        let at = |rank: f64| if nan { NAN } else { sorted[rank as usize] };
        let (low, high) = (at(rank.floor()), at(rank.ceil()));
        use Interpolation::{Higher, Linear, Lower, Midpoint, Nearest};
        for (way, expected) in [
            (Lower, low),
            (Higher, high),
            (Nearest, at(rank.round_ties_even())),
            (Midpoint, low + (high - low) * 0.5),
            (Linear, low + (high - low) * (rank - rank.floor())),
        ] {
            let found = f64s(&x).quantile_with(q, 0, way).unwrap().item::<f64>().unwrap();
            prop_assert!(found == expected || found.is_nan() && expected.is_nan(), "{:?}: {} {}", way, found, expected);
        }
    }

    #[test]
    fn unique_finds_every_value_once(x in prop::collection::vec(0..5i64, 1..60), width in 1..4usize) {
        let n = x.len() / width;
        let rows: Vec<&[i64]> = x.chunks_exact(width).collect();
        let t = Tensor::from_vec(&x[..n * width], [n, width]).unwrap();
        let found = t.unique_dim(0).unwrap();
        let mut distinct = rows.clone();
        distinct.sort();
        distinct.dedup();
        prop_assert_eq!(found.values.to_vec::<i64>().unwrap(), distinct.concat());
        let inverse: Vec<i64> = found.inverse.to_vec().unwrap();
        for (row, &i) in rows.iter().zip(&inverse) {
            prop_assert_eq!(*row, distinct[i as usize]);
        }
        let counts = distinct.iter().map(|d| rows.iter().filter(|r| r == &d).count() as i64);
        prop_assert_eq!(found.counts.to_vec::<i64>().unwrap(), counts.collect::<Vec<_>>());
        // Neighbours only.
        let mut runs = x.clone();
        runs.dedup();
        let found = Tensor::from_vec(&x[..], x.len()).unwrap().unique_consecutive().unwrap();
        prop_assert_eq!(found.values.to_vec::<i64>().unwrap(), runs.clone());
        prop_assert_eq!(found.counts.sum(..).unwrap().item::<i64>().unwrap(), x.len() as i64);
        let back = found.values.index_select(0, &found.inverse).unwrap();
        prop_assert_eq!(back.to_vec::<i64>().unwrap(), x);
    }

    #[test]
    fn every_number_is_counted_in_its_bin(x in prop::collection::vec(-8..8i32, 0..50), bins in 1..9usize) {
        // Quarters: edges are met exactly.
        let values: Vec<f64> = x.iter().map(|&x| f64::from(x) / 4.0).collect();
        let mut expected = vec![0.0; bins];
        for &x in values.iter().filter(|x| (-1.0..=1.0).contains(*x)) {
            let bin = (0..bins).rfind(|&b| (x + 1.0) * bins as f64 >= 2.0 * b as f64).unwrap();
            expected[bin] += 1.0;
        }
        prop_assert_eq!(f64s(&values).histc(bins, -1.0, 1.0).unwrap().to_vec::<f64>().unwrap(), expected);
    }

    #[test]
    fn scans_agree_with_loops(x in prop::collection::vec(-2..3i64, 12), d in 0..3isize) {
        let t = Tensor::from_vec(&x[..], [2, 3, 2]).unwrap();
        let last = t.transpose(d, -1).unwrap();
        let rows: Vec<i64> = last.to_vec().unwrap();
        let n = *last.shape().last().unwrap();
        let scanned = |f: fn(i64, i64) -> i64| {
            let rows = rows.chunks_exact(n).flat_map(|row| {
                let so_far = |k: usize| row[1..=k].iter().fold(row[0], |a, &b| f(a, b));
                (0..n).map(so_far).collect::<Vec<_>>()
            });
            rows.collect::<Vec<i64>>()
        };
        let moved = |y: Tensor| y.transpose(d, -1).unwrap().to_vec::<i64>().unwrap();
        prop_assert_eq!(moved(t.cumsum(d).unwrap()), scanned(|a, b| a + b));
        prop_assert_eq!(moved(t.cumprod(d).unwrap()), scanned(|a, b| a * b));
        prop_assert_eq!(moved(t.cummax(d).unwrap().0), scanned(i64::max));
        prop_assert_eq!(moved(t.cummin(d).unwrap().0), scanned(i64::min));
        // Differences undo sums.
        let back = t.cumsum(d).unwrap().diff(1, d).unwrap();
        prop_assert_eq!(back.to_vec::<i64>().unwrap(), t.narrow(d, 1, n - 1).unwrap().to_vec::<i64>().unwrap());
    }
}
