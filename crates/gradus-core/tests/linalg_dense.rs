//! Equations and decompositions: their defining properties, their edges.
#![cfg(feature = "linalg")]

use gradus_core::{Closeness, DType, Kind, Result, Tensor, linalg};

/// Numbers without a pattern between −1 and 1.
fn numbers(shape: &[usize], dtype: DType) -> Tensor {
    let n = shape.iter().product();
    let x: Vec<f64> = (1..=n)
        .map(|i| 2.0 * ((i * i) as f64 * 0.618_033_988_749_895).fract() - 1.0)
        .collect();
    Tensor::from_vec(x, shape).unwrap().to_dtype(dtype).unwrap()
}

fn close(a: &Tensor, b: &Tensor) -> bool {
    let atol = if a.dtype() == DType::F32 { 2e-5 } else { 1e-12 };
    let within = Closeness {
        rtol: 0.0,
        atol,
        equal_nan: false,
    };
    a.shape() == b.shape() && a.allclose_with(b, within).unwrap()
}

fn identity(batch: &[usize], n: usize, dtype: DType) -> Tensor {
    let shape = [batch, &[n, n]].concat();
    Tensor::eye(n, dtype).unwrap().broadcast_to(shape).unwrap()
}

#[test]
fn factors_multiply_to_the_matrix_and_are_what_they_claim() -> Result<()> {
    for dtype in [DType::F32, DType::F64] {
        for (batch, m, n) in [
            (&[][..], 1, 1),
            (&[], 7, 4),
            (&[], 4, 7),
            (&[2, 3], 5, 5),
            (&[40], 3, 2),
            (&[], 40, 33),
        ] {
            let place = format!("{dtype} {batch:?} {m} {n}");
            let (a, k) = (numbers(&[batch, &[m, n]].concat(), dtype), m.min(n));
            let eye = identity(batch, k, dtype);

            let linalg::Qr { q, r } = linalg::qr(&a)?;
            assert!(close(&q.matmul(&r)?, &a), "qr {place}");
            assert!(close(&q.transpose(-1, -2)?.matmul(&q)?, &eye), "qr {place}");
            for i in 1..k {
                assert_eq!(
                    r.select(-2, i as isize)?
                        .narrow(-1, 0, i)?
                        .abs()?
                        .amax(..)?
                        .item::<f64>()?,
                    0.0
                );
            }

            let linalg::Svd { u, s, vh } = linalg::svd(&a)?;
            let product = u.mul(&s.unsqueeze(-2)?)?.matmul(&vh)?;
            assert!(close(&product, &a), "svd {place}");
            assert!(
                close(&u.transpose(-1, -2)?.matmul(&u)?, &eye),
                "svd {place}"
            );
            assert!(
                close(&vh.matmul(&vh.transpose(-1, -2)?)?, &eye),
                "svd {place}"
            );
            assert!(close(&linalg::svdvals(&a)?, &s), "svdvals {place}");
            assert!(s.ge(0)?.equal(&s.ones_like()?.to_dtype(DType::Bool)?)?);

            let p = linalg::pinv(&a)?;
            assert!(close(&a.matmul(&p)?.matmul(&a)?, &a), "pinv {place}");
            let b = numbers(&[batch, &[m, 2]].concat(), dtype);
            let rest = a.matmul(&linalg::lstsq(&a, &b)?)?.sub(&b)?;
            let none = a.transpose(-1, -2)?.matmul(&rest)?;
            assert!(close(&none, &none.zeros_like()?), "lstsq {place}");
        }
        for (batch, n) in [(&[][..], 1), (&[], 6), (&[2, 3], 4), (&[], 70)] {
            let place = format!("{dtype} {batch:?} {n}");
            let shape = [batch, &[n, n]].concat();
            let eye = identity(batch, n, dtype);
            let a = numbers(&shape, dtype).add(&eye.mul(n as f64)?)?;
            let b = numbers(&[batch, &[n, 3]].concat(), dtype);
            assert!(
                close(&a.matmul(&linalg::solve(&a, &b)?)?, &b),
                "solve {place}"
            );
            assert!(close(&a.matmul(&linalg::inv(&a)?)?, &eye), "inv {place}");

            let symmetric = a.add(&a.transpose(-1, -2)?)?;
            let linalg::Eigh { values, vectors } = linalg::eigh(&symmetric)?;
            let back = vectors
                .mul(&values.unsqueeze(-2)?)?
                .matmul(&vectors.transpose(-1, -2)?)?;
            assert!(
                close(&back.div(n as f64)?, &symmetric.div(n as f64)?),
                "eigh {place}"
            );
            assert!(
                close(
                    &linalg::eigvalsh(&symmetric)?.div(n as f64)?,
                    &values.div(n as f64)?
                ),
                "{place}"
            );

            let definite = a.matmul(&a.transpose(-1, -2)?)?.div(n as f64)?;
            let l = linalg::cholesky(&definite)?;
            let scale = 1.0 / n as f64;
            assert!(
                close(
                    &l.matmul(&l.transpose(-1, -2)?)?.mul(scale)?,
                    &definite.mul(scale)?
                ),
                "cholesky {place}"
            );

            // The determinant is the product of the eigenvalues.
            let parts = linalg::slogdet(&symmetric)?;
            let log = values.abs()?.log()?.sum(-1)?;
            assert!(
                close(&parts.logabsdet.div(n as f64)?, &log.div(n as f64)?),
                "slogdet {place}"
            );
        }
    }
    Ok(())
}

#[test]
fn determinants_have_the_sign_of_their_permutation() -> Result<()> {
    // Rows of the identity in another order.
    for (order, sign) in [
        ([0, 1, 2, 3], 1.0),
        ([1, 0, 2, 3], -1.0),
        ([1, 2, 3, 0], -1.0),
        ([1, 0, 3, 2], 1.0),
    ] {
        let a = Tensor::eye(4, DType::F64)?.index_select(0, &Tensor::from(order))?;
        let a = a.mul(-2.0)?;
        assert_eq!(linalg::det(&a)?.item::<f64>()?, 16.0 * sign);
        let parts = linalg::slogdet(&a)?;
        assert_eq!(parts.sign.item::<f64>()?, sign);
        assert!((parts.logabsdet.item::<f64>()? - 16f64.ln()).abs() < 1e-15);
    }
    Ok(())
}

#[test]
fn singular_matrices_and_what_is_no_number() -> Result<()> {
    let ones = Tensor::ones([2, 2]);
    assert_eq!(linalg::det(&ones)?.item::<f32>()?, 0.0);
    let parts = linalg::slogdet(&ones)?;
    assert_eq!(parts.sign.item::<f32>()?, 0.0);
    assert_eq!(parts.logabsdet.item::<f32>()?, f32::NEG_INFINITY);
    assert_eq!(linalg::matrix_rank(&ones)?.item::<i64>()?, 1);
    assert!(linalg::cond(&ones)?.item::<f32>()? > 1e6);
    let x = linalg::lstsq(&Tensor::ones([3, 2]), &Tensor::from([1.0, 2.0, 3.0]))?;
    assert!(
        x.allclose(&Tensor::from([1.0, 1.0]))?,
        "the smallest of all solutions"
    );

    // Cofactors exist where the inverse does not.
    for (a, expected) in [
        ([[1.0, 2.0], [2.0, 4.0]], [4.0, -2.0, -2.0, 1.0]),
        ([[0.0, 0.0], [0.0, 3.0]], [3.0, 0.0, 0.0, 0.0]),
    ] {
        let a = Tensor::from(a).to_dtype(DType::F64)?.requires_grad_(true)?;
        linalg::det(&a)?.backward()?;
        let expected = Tensor::from_vec(expected.map(|x: f64| x), [2, 2])?;
        assert!(
            close(&a.grad().unwrap(), &expected),
            "{}",
            a.grad().unwrap()
        );
    }

    let nan = Tensor::full([2, 2], f64::NAN, DType::F32)?;
    assert!(
        linalg::eigh(&nan)?
            .values
            .ne(0)?
            .to_vec::<bool>()?
            .iter()
            .all(|&x| x)
    );
    assert!(linalg::det(&nan)?.item::<f32>()?.is_nan());
    assert!(
        linalg::inv(&nan)?
            .to_vec::<f32>()?
            .iter()
            .all(|x| x.is_nan())
    );
    for error in [
        linalg::svd(&nan).map(drop),
        linalg::svdvals(&nan).map(drop),
        linalg::pinv(&nan).map(drop),
        linalg::cholesky(&nan).map(drop),
    ] {
        assert_eq!(error.unwrap_err().kind(), Kind::Value);
    }
    linalg::qr(&nan)?;
    Ok(())
}

#[test]
fn only_one_triangle_is_read() -> Result<()> {
    let (full, lower) = (
        Tensor::from([[4.0, 2.0], [2.0, 5.0]]),
        Tensor::from([[4.0, 99.0], [2.0, 5.0]]),
    );
    assert!(linalg::cholesky(&full)?.equal(&linalg::cholesky(&lower)?)?);
    assert!(linalg::eigvalsh(&full)?.equal(&linalg::eigvalsh(&lower)?)?);
    let b = Tensor::from([[4.0], [12.0]]);
    let x = linalg::solve_triangular(&lower, &b, false)?;
    assert_eq!(x.to_vec::<f32>()?, [1.0, 2.0]);
    Ok(())
}

#[test]
fn nothing_has_an_inverse_and_a_determinant() -> Result<()> {
    let none = Tensor::zeros([0, 0]);
    assert_eq!(linalg::det(&none)?.item::<f32>()?, 1.0);
    let parts = linalg::slogdet(&none)?;
    assert_eq!(
        (parts.sign.item::<f32>()?, parts.logabsdet.item::<f32>()?),
        (1.0, 0.0)
    );
    assert_eq!(linalg::inv(&none)?.shape(), [0, 0]);
    assert_eq!(linalg::cholesky(&none)?.shape(), [0, 0]);
    assert_eq!(linalg::eigh(&none)?.vectors.shape(), [0, 0]);
    assert_eq!(linalg::eigvalsh(&none)?.shape(), [0]);
    assert_eq!(
        linalg::solve(&none, &Tensor::zeros([0, 2]))?.shape(),
        [0, 2]
    );
    for (m, n) in [(0, 3), (3, 0)] {
        let a = Tensor::zeros([2, m, n]).requires_grad_(true)?;
        assert_eq!(linalg::qr(&a)?.q.shape(), [2, m, 0]);
        assert_eq!(linalg::qr(&a)?.r.shape(), [2, 0, n]);
        assert_eq!(linalg::svd(&a)?.vh.shape(), [2, 0, n]);
        assert_eq!(linalg::svdvals(&a)?.shape(), [2, 0]);
        assert_eq!(linalg::matrix_rank(&a)?.to_vec::<i64>()?, [0, 0]);
        let p = linalg::pinv(&a)?;
        assert_eq!(p.shape(), [2, n, m]);
        p.sum(..)?.backward()?;
        assert_eq!(a.grad().unwrap().shape(), [2, m, n]);
    }
    let batch = Tensor::zeros([0, 3, 3]);
    assert_eq!(linalg::det(&batch)?.shape(), [0]);
    assert_eq!(linalg::inv(&batch)?.shape(), [0, 3, 3]);
    assert_eq!(linalg::svd(&batch)?.s.shape(), [0, 3]);
    Ok(())
}

#[test]
fn equal_values_do_not_spoil_the_gradient_of_values() -> Result<()> {
    let a = Tensor::eye(3, DType::F64)?.requires_grad_(true)?;
    linalg::svd(&a)?.s.sum(..)?.backward()?;
    assert!(close(&a.grad().unwrap(), &Tensor::eye(3, DType::F64)?));
    a.zero_grad();
    linalg::eigh(&a)?.values.sum(..)?.backward()?;
    assert!(close(&a.grad().unwrap(), &Tensor::eye(3, DType::F64)?));
    Ok(())
}

#[test]
fn errors_name_the_function_and_the_matrix() {
    let (ones, tall) = (Tensor::ones([2, 2]), Tensor::ones([3, 2]));
    let vector = Tensor::ones([2]);
    let whole = Tensor::from([[1, 2], [3, 4]]);
    let batch = Tensor::stack(&[&Tensor::eye(2, DType::F32).unwrap(), &ones], 0).unwrap();
    let negative = Tensor::eye(3, DType::F32).unwrap().mul(-1.0).unwrap();
    let no = |result: Result<()>| result.unwrap_err();
    type Row<'a> = (Result<()>, &'a str);
    let rows: [Row<'_>; 25] = [
        (
            linalg::solve(&ones, &vector).map(drop),
            "solve: The solver failed because the input matrix is singular.",
        ),
        (
            linalg::solve(&batch, &vector).map(drop),
            "solve: (Batch element 1): The solver failed",
        ),
        (
            linalg::solve(&tall, &vector).map(drop),
            "solve: A must be batches of square matrices, but they are 3 by 2",
        ),
        (
            linalg::solve(&ones, &Tensor::ones([3])).map(drop),
            "solve: Incompatible shapes of A and B for the equation AX = B (2x2 and 3x1)",
        ),
        (
            linalg::solve(&ones, &vector.to_dtype(DType::F64).unwrap()).map(drop),
            "solve: Expected A and B to have the same dtype",
        ),
        (
            linalg::solve(&whole, &whole).map(drop),
            "solve: expected a floating point tensor, got int64",
        ),
        (
            linalg::solve(&batch, &Tensor::ones([3, 2, 1])).map(drop),
            "solve: The size of tensor a (2) must match",
        ),
        (
            linalg::solve_triangular(&ones, &vector, true).map(drop),
            "solve_triangular: The input tensor A must have at least 2",
        ),
        (
            linalg::solve_triangular(&ones, &tall, true).map(drop),
            "solve_triangular: Incompatible shapes of A and B",
        ),
        (
            linalg::inv(&ones).map(drop),
            "inv: The diagonal element 2 is zero, the inversion could not be completed because the input matrix is singular.",
        ),
        (
            linalg::inv(&batch).map(drop),
            "inv: (Batch element 1): The diagonal element 2",
        ),
        (
            linalg::inv(&vector).map(drop),
            "inv: The input tensor A must have at least 2 dimensions",
        ),
        (
            ones.matrix_power(-1).map(drop),
            "matrix_power: inv: The diagonal element 2 is zero",
        ),
        (
            linalg::det(&tall).map(drop),
            "det: A must be batches of square",
        ),
        (
            linalg::slogdet(&tall).map(drop),
            "slogdet: A must be batches of square",
        ),
        (
            linalg::cholesky(&negative).map(drop),
            "cholesky: The factorization could not be completed because the input is not positive-definite (the leading minor of order 1 is",
        ),
        (
            linalg::cholesky(&tall).map(drop),
            "cholesky: A must be batches of square",
        ),
        (
            linalg::qr(&vector).map(drop),
            "qr: The input tensor A must have at least 2 dimensions",
        ),
        (
            linalg::svd(&vector).map(drop),
            "svd: The input tensor A must have at least 2 dimensions",
        ),
        (
            linalg::svdvals(&whole).map(drop),
            "svdvals: expected a floating point tensor",
        ),
        (
            linalg::eigh(&tall).map(drop),
            "eigh: A must be batches of square",
        ),
        (
            linalg::eigvalsh(&tall).map(drop),
            "eigvalsh: A must be batches of square",
        ),
        (
            linalg::lstsq(&tall, &vector).map(drop),
            "lstsq: input.size(-2) should match other.size(-1), got 3 and 2",
        ),
        (
            linalg::matrix_rank(&vector).map(drop),
            "matrix_rank: The input tensor A must have at least 2",
        ),
        (
            linalg::cond(&Tensor::zeros([0, 2])).map(drop),
            "cond: amax: Expected reduction dim",
        ),
    ];
    for (result, expected) in rows {
        let message = no(result).to_string();
        assert!(
            message.starts_with(expected),
            "'{message}' does not begin with '{expected}'"
        );
    }
    // The third leading minor is the first that is not positive.
    let third = Tensor::from([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]]);
    assert!(
        linalg::cholesky(&third)
            .unwrap_err()
            .to_string()
            .contains("order 3")
    );
}
