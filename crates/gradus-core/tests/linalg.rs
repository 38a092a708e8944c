//! Linear algebra against plain loops, and at its edges.

use gradus_core::{DType, Dims, Result, Tensor, set_num_threads};
use std::collections::BTreeMap;

/// Numbers without a pattern, small enough that sums of products are exact.
fn numbers(shape: &[usize], seed: usize) -> Tensor {
    let n = shape.iter().product();
    let x: Vec<f64> = (0..n)
        .map(|i| ((i * 7 + seed * 13 + i * i) % 19) as f64 - 9.0)
        .collect();
    Tensor::from_vec(x, shape).unwrap()
}

/// The sum over every assignment of the labels, by definition. No spaces, no ellipsis.
fn naive(equation: &str, operands: &[&Tensor]) -> (Dims, Vec<f64>) {
    let (inputs, output) = equation.split_once("->").unwrap();
    let inputs: Vec<&str> = inputs.split(',').collect();
    let mut sizes = BTreeMap::new();
    for (labels, x) in inputs.iter().zip(operands) {
        for (label, &n) in labels.chars().zip(x.shape()) {
            let size: &mut usize = sizes.entry(label).or_insert(1);
            *size = if n == 1 { *size } else { n };
        }
    }
    let data: Vec<Vec<f64>> = operands.iter().map(|x| x.to_vec().unwrap()).collect();
    let shape: Dims = output.chars().map(|c| sizes[&c]).collect();
    let mut result = vec![0.0; shape.iter().product()];
    for mut n in 0..sizes.values().product() {
        let mut at = BTreeMap::new();
        for (&label, &size) in &sizes {
            at.insert(label, n % size);
            n /= size;
        }
        let mut product = 1.0;
        for ((labels, x), data) in inputs.iter().zip(operands).zip(&data) {
            let place = labels
                .chars()
                .zip(x.shape())
                .fold(0, |place, (c, &n)| place * n + at[&c] % n);
            product *= data[place];
        }
        let place = output
            .chars()
            .zip(&shape)
            .fold(0, |place, (c, &n)| place * n + at[&c]);
        result[place] += product;
    }
    (shape, result)
}

#[test]
fn einsum_is_the_sum_over_every_index() -> Result<()> {
    let cases: [(&str, &[&[usize]]); 19] = [
        ("ij,jk->ik", &[&[2, 3], &[3, 4]]),
        ("ij,jk->ki", &[&[2, 3], &[3, 4]]),
        ("bij,bjk->bik", &[&[5, 2, 3], &[5, 3, 4]]),
        ("bij,kjb->bki", &[&[5, 2, 3], &[4, 3, 5]]),
        ("ab,cd->dacb", &[&[2, 3], &[4, 5]]),
        ("abc,abc->b", &[&[2, 3, 4], &[2, 3, 4]]),
        ("abc,dbe->ac", &[&[2, 3, 4], &[5, 3, 2]]),
        ("ii->i", &[&[4, 4]]),
        ("iiji->j", &[&[2, 2, 3, 2]]),
        ("ijji->", &[&[2, 3, 3, 2]]),
        ("iij,jk->k", &[&[3, 3, 2], &[2, 4]]),
        ("abcabc->cab", &[&[2, 3, 2, 2, 3, 2]]),
        ("abc->ca", &[&[2, 3, 4]]),
        ("i,i,i->i", &[&[3], &[3], &[3]]),
        ("ab,bc,cd->ad", &[&[2, 3], &[3, 4], &[4, 5]]),
        ("ab,cb,db,ae->ed", &[&[2, 3], &[4, 3], &[5, 3], &[2, 2]]),
        ("ab,ab->a", &[&[2, 1], &[2, 5]]),
        ("ab,bc->ac", &[&[2, 1], &[6, 3]]),
        (",a,->a", &[&[], &[3], &[]]),
    ];
    for (equation, shapes) in cases {
        let x: Vec<Tensor> = shapes
            .iter()
            .enumerate()
            .map(|(i, s)| numbers(s, i))
            .collect();
        let (shape, expected) = naive(equation, &x.iter().collect::<Vec<_>>());
        for dtype in [DType::F64, DType::I64] {
            let x: Vec<Tensor> = x.iter().map(|x| x.to_dtype(dtype)).collect::<Result<_>>()?;
            let y = Tensor::einsum(equation, &x.iter().collect::<Vec<_>>())?;
            assert_eq!((y.shape(), y.dtype()), (&shape[..], dtype), "{equation}");
            assert_eq!(y.to_vec::<f64>()?, expected, "{equation} {dtype}");
        }
    }
    Ok(())
}

#[test]
fn einsum_with_ellipsis_spaces_and_without_a_result() -> Result<()> {
    let (a, b) = (numbers(&[5, 2, 3], 0), numbers(&[3, 4], 1));
    let (c, v) = (numbers(&[2, 6, 1, 3, 2], 2), numbers(&[3], 3));
    // The equation, the same one in full, the operands.
    let cases: [(&str, &str, &[&Tensor]); 9] = [
        ("jk, ij", "jk,ij->ik", &[&b, &numbers(&[2, 3], 4)]),
        ("ba", "ba->ab", &[&b]),
        (" b a -> b a ", "ba->ba", &[&b]),
        ("...ij,jk", "xij,jk->xik", &[&a, &b]),
        ("...j,jk->k...", "xij,jk->kxi", &[&a, &b]),
        ("i...->...", "ixy->xy", &[&a]),
        ("...->", "xyz->", &[&a]),
        (
            "i...j,...j->...i",
            "iwxyj,wxyj->wxyi",
            &[&c, &numbers(&[6, 5, 3, 2], 5)],
        ),
        ("i->i...", "i->i", &[&v]),
    ];
    for (short, full, x) in cases {
        let (y, z) = (Tensor::einsum(short, x)?, Tensor::einsum(full, x)?);
        assert_eq!(y.shape(), z.shape(), "{short}");
        assert!(y.equal(&z)?, "{short}");
        assert_eq!(naive(full, x).1, y.to_vec::<f64>()?, "{short}");
    }
    Ok(())
}

#[test]
fn nothing_summed_over_is_zero_and_nothing_else() -> Result<()> {
    let (a, b) = (Tensor::zeros([2, 0]), Tensor::zeros([0, 3]));
    assert_eq!(
        Tensor::einsum("ij,jk->ki", &[&a, &b])?.to_vec::<f32>()?,
        [0.0; 6]
    );
    assert_eq!(Tensor::einsum("ij,jk->ijk", &[&a, &b])?.shape(), [2, 0, 3]);
    assert_eq!(
        Tensor::einsum("ii", &[&Tensor::zeros([0, 0])])?.item::<f32>()?,
        0.0
    );
    assert_eq!(a.tensordot(&b, 1)?.to_vec::<f32>()?, [0.0; 6]);
    assert_eq!(Tensor::zeros([0, 3]).trace()?.item::<f32>()?, 0.0);
    assert_eq!(a.kron(&b)?.shape(), [0, 0]);
    assert_eq!(a.cdist(&a)?.to_vec::<f32>()?, [0.0; 4]);
    assert_eq!(b.cross(&b, 1)?.shape(), [0, 3]);
    assert_eq!(Tensor::zeros([0, 2, 2]).matrix_power(3)?.shape(), [0, 2, 2]);
    assert_eq!(Tensor::zeros([2, 0, 0]).matrix_power(0)?.shape(), [2, 0, 0]);
    assert_eq!(
        Tensor::zeros([0, 2, 3])
            .bmm(&Tensor::zeros([0, 3, 4]))?
            .shape(),
        [0, 2, 4]
    );
    Ok(())
}

#[test]
fn integers_are_multiplied_exactly_and_wrap() -> Result<()> {
    let (a, b) = (numbers(&[3, 40, 50], 0), numbers(&[50, 30], 1));
    let (_, expected) = naive("bij,jk->bik", &[&a, &b]);
    let whole = |x: &Tensor| x.to_dtype(DType::I64);
    let product = whole(&a)?.matmul(&whole(&b.t()?.contiguous()?)?.t()?)?;
    assert_eq!(product.to_vec::<f64>()?, expected);
    let big = Tensor::from_vec([i64::MAX, 3], [2])?;
    assert_eq!(
        big.dot(&Tensor::from([2, 1]))?.item::<i64>()?,
        1,
        "MAX·2 + 3 wraps"
    );
    let bytes = Tensor::full([2, 2], 200.0, DType::U8)?;
    assert_eq!(bytes.mm(&bytes)?.to_vec::<u8>()?, [128; 4]);
    Ok(())
}

#[test]
fn many_small_products_are_the_same_bits_on_any_number_of_threads() -> Result<()> {
    let x = Tensor::linspace(-1.0, 1.0, 4096 * 8 * 12, DType::F32)?.sin()?;
    let (a, b) = (x.reshape([4096, 8, 12])?, x.reshape([4096, 12, 8])?);
    let run = |threads| -> Result<Vec<u32>> {
        set_num_threads(threads);
        let y = a.bmm(&b)?.to_vec::<f32>()?;
        Ok(y.into_iter().map(f32::to_bits).collect())
    };
    let one = run(1)?;
    assert!(run(2)? == one && run(5)? == one);
    // Every product on its own gives these bits too.
    for i in [0, 1, 1234, 4095] {
        let y = a.select(0, i)?.mm(&b.select(0, i)?)?.to_vec::<f32>()?;
        let at = i as usize * 64;
        assert!(
            y.into_iter()
                .map(f32::to_bits)
                .eq(one[at..at + 64].iter().copied()),
            "{i}"
        );
    }
    Ok(())
}

#[test]
fn a_distance_of_0_has_a_gradient_of_0() -> Result<()> {
    let x = Tensor::from([[1.0, 2.0], [4.0, 6.0]]).requires_grad_(true)?;
    let d = x.cdist(&x.detach())?;
    assert_eq!(d.to_vec::<f32>()?, [0.0, 5.0, 5.0, 0.0]);
    d.sum(..)?.backward()?;
    let expected = [-0.6, -0.8, 0.6, 0.8];
    assert!(
        x.grad()
            .unwrap()
            .allclose(&Tensor::from_vec(expected.map(|x: f32| x), [2, 2])?)?
    );
    Ok(())
}

#[test]
fn matrix_powers_multiply_as_often_as_they_say() -> Result<()> {
    let a = numbers(&[2, 3, 3], 5).to_dtype(DType::I64)?;
    let mut product = Tensor::eye(3, DType::I64)?.broadcast_to([2, 3, 3])?;
    for n in 0..12 {
        assert!(a.matrix_power(n)?.equal(&product)?, "{n}");
        product = product.matmul(&a)?;
    }
    Ok(())
}
