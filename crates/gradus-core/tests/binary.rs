//! Special values: what PyTorch and NumPy make of every pair of them (`fixtures/binary.py` wrote the
//! table), and gradients where a formula would give NaN.

use gradus_core::{Closeness, DType, Result, Tensor};
use std::collections::BTreeMap;

const TABLE: &str = include_str!("fixtures/binary.txt");

type Op = fn(&Tensor, &Tensor) -> Result<Tensor>;

fn op(name: &str) -> Op {
    match name {
        "add" => |a, b| a.add(b),
        "sub" => |a, b| a.sub(b),
        "mul" => |a, b| a.mul(b),
        "true_divide" => |a, b| a.div(b),
        "floor_divide" => |a, b| a.floor_divide(b),
        "trunc_divide" => |a, b| a.trunc_divide(b),
        "remainder" => |a, b| a.remainder(b),
        "fmod" => |a, b| a.fmod(b),
        "pow" => |a, b| a.pow(b),
        "maximum" => |a, b| a.maximum(b),
        "minimum" => |a, b| a.minimum(b),
        "fmax" => |a, b| a.fmax(b),
        "fmin" => |a, b| a.fmin(b),
        "atan2" => |a, b| a.atan2(b),
        "hypot" => |a, b| a.hypot(b),
        "copysign" => |a, b| a.copysign(b),
        "xlogy" => |a, b| a.xlogy(b),
        "logaddexp" => |a, b| a.logaddexp(b),
        "logaddexp2" => |a, b| a.logaddexp2(b),
        "bitwise_and" => |a, b| a.bitwise_and(b),
        "bitwise_or" => |a, b| a.bitwise_or(b),
        "bitwise_xor" => |a, b| a.bitwise_xor(b),
        "bitwise_left_shift" => |a, b| a.bitwise_left_shift(b),
        "bitwise_right_shift" => |a, b| a.bitwise_right_shift(b),
        "gcd" => |a, b| a.gcd(b),
        "lcm" => |a, b| a.lcm(b),
        "eq" => |a, b| a.eq(b),
        "ne" => |a, b| a.ne(b),
        "lt" => |a, b| a.lt(b),
        "le" => |a, b| a.le(b),
        "gt" => |a, b| a.gt(b),
        "ge" => |a, b| a.ge(b),
        "isclose" => |a, b| a.isclose(b),
        "logical_and" => |a, b| a.logical_and(b),
        "logical_or" => |a, b| a.logical_or(b),
        "logical_xor" => |a, b| a.logical_xor(b),
        name => panic!("the table has an operation '{name}' that this test does not know"),
    }
}

/// Rules of NumPy that differ from PyTorch's, and zeros of either sign where neither has a rule.
fn differs(rule: &str, name: &str, expected: f64, found: f64) -> bool {
    // A rest of 0 has the sign of the divisor in NumPy, that of the dividend in PyTorch.
    rule == "numpy" && name == "remainder" && expected == 0.0 && found == 0.0
        || matches!(name, "maximum" | "minimum" | "fmax" | "fmin")
            && expected == 0.0
            && found == 0.0
}

fn tensor(dtype: DType, values: &[&str]) -> Tensor {
    if dtype.is_float() {
        let x: Vec<f64> = values.iter().map(|x| x.parse().unwrap()).collect();
        Tensor::from_vec(x, [values.len()])
            .unwrap()
            .to_dtype(dtype)
            .unwrap()
    } else {
        let x: Vec<i64> = values.iter().map(|x| x.parse().unwrap()).collect();
        Tensor::from_vec(x, [values.len()])
            .unwrap()
            .to_dtype(dtype)
            .unwrap()
    }
}

#[test]
fn special_values_are_those_of_pytorch_and_numpy() {
    let mut values: BTreeMap<DType, Vec<&str>> = BTreeMap::new();
    let (mut checked, mut wrong) = (0, Vec::new());
    for line in TABLE.lines() {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap();
        let (rule, name) = (word(), word());
        let named = |name: &str| DType::ALL.into_iter().find(|d| d.name() == name).unwrap();
        if rule == "values" {
            values.insert(named(name), words.collect());
            continue;
        }
        let dtype = named(word());
        let given = &values[&dtype];
        for (i, expected) in words.enumerate() {
            let (a, b) = (given[i / given.len()], given[i % given.len()]);
            // Long enough for the vectorised loop and its rest.
            let [x, y] = [a, b].map(|x| tensor(dtype, &[x; 37]));
            let result = op(name)(&x, &y);
            checked += 1;
            let place = format!("{rule} {name} {dtype} {a} {b}: expected {expected}");
            let Ok(z) = result else {
                if expected != "!" {
                    wrong.push(format!("{place}, got {:?}", result.unwrap_err()));
                }
                continue;
            };
            let right = if z.dtype().is_float() {
                let e: f64 = expected.parse().unwrap();
                // Powers, angles and logarithms may differ in their last bits.
                let scale = if dtype == DType::F32 { 3e-7 } else { 1e-15 };
                z.to_vec::<f64>().unwrap().into_iter().all(|z| {
                    z.is_nan() && e.is_nan()
                        || z == e && z.is_sign_negative() == e.is_sign_negative()
                        || z != e && (z - e).abs() <= scale * (1.0 + e.abs())
                        || differs(rule, name, e, z)
                })
            } else {
                let e: Result<i64, _> = expected.parse();
                z.to_vec::<i64>().unwrap().into_iter().all(|z| e == Ok(z))
            };
            if !right {
                wrong.push(format!("{place}, got {z}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {checked}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(checked > 5000, "only {checked} pairs compared");
}

#[test]
fn gradients_where_a_formula_alone_would_give_nan() -> Result<()> {
    type Case = (Op, f64, f64, f64, f64);
    let nan = f64::NAN;
    // The operation, both operands, both gradients, all as PyTorch has them.
    let cases: [Case; 18] = [
        (|a, b| a.pow(b), 0.0, 0.0, 0.0, 0.0),
        (|a, b| a.pow(b), nan, 0.0, 0.0, nan),
        (|a, b| a.pow(b), 0.0, 2.0, 0.0, 0.0),
        (|a, b| a.pow(b), 0.0, 1.0, 1.0, 0.0),
        (|a, b| a.pow(b), -2.0, 3.0, 12.0, nan),
        (|a, b| a.maximum(b), 2.0, 2.0, 0.5, 0.5),
        (|a, b| a.minimum(b), 2.0, 2.0, 0.5, 0.5),
        (|a, b| a.maximum(b), nan, 2.0, 1.0, 1.0),
        (|a, b| a.fmax(b), 2.0, 2.0, 0.5, 0.5),
        (|a, b| a.fmin(b), nan, 2.0, 0.0, 1.0),
        (|a, b| a.fmin(b), nan, nan, 1.0, 0.0),
        (|a, b| a.xlogy(b), 0.0, 0.0, 0.0, nan),
        (|a, b| a.xlogy(b), 0.0, -1.0, 0.0, 0.0),
        (|a, b| a.xlogy(b), 0.0, f64::NEG_INFINITY, 0.0, 0.0),
        (|a, b| a.atan2(b), 0.0, 0.0, 0.0, 0.0),
        (|a, b| a.logaddexp(b), -1000.0, 1000.0, 0.0, 1.0),
        (|a, b| a.copysign(b), 0.0, -1.0, 0.0, 0.0),
        (|a, b| a.remainder(b), 7.0, 3.0, 1.0, -2.0),
    ];
    for (i, (op, a, b, da, db)) in cases.into_iter().enumerate() {
        let leaf = |x: f64| Tensor::full((), x, DType::F64)?.requires_grad_(true);
        let (a, b) = (leaf(a)?, leaf(b)?);
        op(&a, &b)?.backward()?;
        for (x, expected) in [(&a, da), (&b, db)] {
            let grad = x.grad().map_or(0.0, |g| g.item::<f64>().unwrap());
            assert!(
                grad == expected || grad.is_nan() && expected.is_nan(),
                "case {i}: {grad} instead of {expected}"
            );
        }
    }
    Ok(())
}

#[test]
fn a_power_of_a_plain_number_is_that_of_a_tensor_of_it() -> Result<()> {
    let x = Tensor::from([0.5, 1.0, 3.0, 7.25]).to_dtype(DType::F64)?;
    for p in [-2.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 2.5] {
        let (quick, plain) = (x.pow(p)?, x.pow(&Tensor::full([4], p, DType::F64)?)?);
        assert!(quick.allclose(&plain)?, "{p}: {quick} and {plain}");
    }
    Ok(())
}

#[test]
fn operators_are_the_methods_with_numbers_on_either_side() -> Result<()> {
    let x = Tensor::from([5, -7]);
    let check = |found: Tensor, expected: [i64; 2]| {
        assert_eq!(found.dtype(), DType::I64);
        assert_eq!(found.to_vec::<i64>().unwrap(), expected);
    };
    check(&x + 1, [6, -6]);
    check(1 - &x, [-4, 8]);
    check(&x * x.clone(), [25, 49]);
    check(&x % 3, [2, 2]);
    check(12i64 % &x, [2, -2]);
    check(&x & 3, [1, 1]);
    check(&x | 8, [13, -7]);
    check(x.clone() ^ 1, [4, -8]);
    check(!&x, [-6, 6]);
    check(&x << 1, [10, -14]);
    check(1 << (&x & 3), [2, 2]);
    check(&x >> 1, [2, -4]);
    assert_eq!((2.0 * &x).dtype(), DType::F32);
    assert_eq!((&x / 2).to_vec::<f32>()?, [2.5, -3.5]);
    let mask = !(x.gt(0)? & x.lt(6)?);
    assert_eq!(mask.to_vec::<bool>()?, [false, true]);

    let mut y = Tensor::from([1.0, 2.0]);
    let view = y.select(0, 1)?;
    y += 1;
    y *= &Tensor::from([2.0, 3.0]);
    y -= 0.5;
    y /= 2.0;
    assert_eq!(y.to_vec::<f32>()?, [1.75, 4.25]);
    assert_eq!(view.item::<f32>()?, 4.25, "a view sees the change");
    Ok(())
}

#[test]
fn closeness_has_a_side_and_equality_needs_the_shape() -> Result<()> {
    let (x, y) = (
        Tensor::from([100.0, f32::INFINITY]),
        Tensor::from([110.0, f32::INFINITY]),
    );
    let within = Closeness {
        rtol: 0.095,
        ..Closeness::default()
    };
    assert!(x.allclose_with(&y, within)?, "10 is within 9.5 % of 110");
    assert!(
        !y.allclose_with(&x, within)?,
        "10 is not within 9.5 % of 100"
    );
    assert!(Tensor::zeros([0]).allclose(&Tensor::zeros([0]))?);
    assert!(
        !Tensor::zeros([1, 2]).equal(&Tensor::zeros([2]))?,
        "broadcasting is not equality"
    );
    assert!(Tensor::zeros([0, 2]).equal(&Tensor::zeros([0, 2]))?);
    assert!(!Tensor::from([f32::NAN]).equal(&Tensor::from([f32::NAN]))?);
    Ok(())
}
