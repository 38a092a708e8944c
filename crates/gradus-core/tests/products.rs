//! Matrix products of every shape and layout against a triple loop, and what must not depend on
//! how they are cut.

use gradus_core::{Activation, DType, Result, Tensor, random, set_num_threads};

/// Small integers, of which every sum is exact, in the shape [rows, cols] but in memory as `kind`
/// says: row-major, transposed, each a part of a larger matrix or not, or with steps between.
fn matrix(rows: usize, cols: usize, kind: usize, dtype: DType) -> Result<Tensor> {
    let values = |n: usize| (0..n).map(move |i| ((i * 37 + n) % 13) as f64 - 6.0);
    let make = |rows: usize, cols: usize| {
        Tensor::from_vec(values(rows * cols).collect::<Vec<_>>(), [rows, cols])?.to_dtype(dtype)
    };
    let (r, c) = (rows as isize, cols as isize);
    match kind {
        0 => make(rows, cols),
        1 => make(cols, rows)?.t(),
        2 => make(rows + 2, cols + 3)?
            .narrow(0, 1, rows)?
            .narrow(1, 2, cols),
        3 => make(cols + 2, rows + 3)?
            .narrow(0, 1, cols)?
            .narrow(1, 2, rows)?
            .t(),
        _ => make(2 * rows, 3 * cols)?
            .slice(0, 0, 2 * r, 2)?
            .slice(1, 0, 3 * c, 3),
    }
}

const KINDS: usize = 5;

fn check(m: usize, k: usize, n: usize, kinds: [usize; 2], dtype: DType) -> Result<()> {
    let (a, b) = (
        matrix(m, k, kinds[0], dtype)?,
        matrix(k, n, kinds[1], dtype)?,
    );
    let (x, y) = (a.to_vec::<f64>()?, b.to_vec::<f64>()?);
    let mut expected = vec![0.0; m * n];
    for (i, row) in expected.chunks_mut(n.max(1)).enumerate() {
        for p in 0..k {
            let factor = x[i * k + p];
            let line = row.iter_mut().zip(&y[p * n..]);
            line.for_each(|(sum, &y)| *sum += factor * y);
        }
    }
    let product = a.matmul(&b)?;
    assert_eq!(product.shape(), [m, n]);
    assert!(
        product.to_vec::<f64>()? == expected,
        "{m}×{k}·{k}×{n}, lying {kinds:?}, {dtype}"
    );
    // The same through a layer, with a bias of 1, 2, 3, …
    let bias = Tensor::arange(1.0, n as f64 + 1.0, 1.0, dtype)?;
    let moved = (expected.iter().enumerate()).map(|(i, x)| (x + (i % n) as f64 + 1.0).max(0.0));
    let layer = a.linear_then(&b.t()?, Some(&bias), Activation::Relu)?;
    assert!(
        layer.to_vec::<f64>()? == moved.collect::<Vec<_>>(),
        "linear {m}×{k}·{k}×{n}, lying {kinds:?}, {dtype}"
    );
    Ok(())
}

#[test]
fn small_products_of_every_shape_are_exact() -> Result<()> {
    const SIDES: [usize; 11] = [0, 1, 2, 3, 4, 6, 10, 17, 33, 48, 70];
    let mut turn = 0;
    for m in SIDES {
        for n in SIDES {
            for k in [0, 1, 2, 9, 16, 31, 63, 64, 65, 70] {
                // Each shape in some of the layouts, each layout with many shapes.
                turn += 7;
                for dtype in [DType::F32, DType::F64] {
                    let other = turn / KINDS % KINDS;
                    check(m, k, n, [turn % KINDS, other], dtype)?;
                    check(m, k, n, [2 * (turn % 2), 1 + 2 * (other % 2)], dtype)?;
                }
            }
        }
    }
    Ok(())
}

#[test]
fn large_products_are_exact_in_every_layout() -> Result<()> {
    // Rows longer than the kernels use at once, blocks for several tasks with ragged ends.
    for (m, k, n) in [
        (33, 2100, 10),
        (10, 1025, 257),
        (130, 300, 40),
        (150, 65, 150),
        (1, 1500, 9),
    ] {
        for kinds in [[0, 0], [0, 1], [1, 0], [2, 3], [3, 4], [4, 1], [1, 2]] {
            for dtype in [DType::F32, DType::F64] {
                check(m, k, n, kinds, dtype)?;
            }
        }
    }
    Ok(())
}

#[test]
fn nothing_is_left_out_that_could_be_nan() -> Result<()> {
    for (m, k, n) in [(3, 4, 5), (9, 70, 11), (140, 80, 40), (40, 1100, 7)] {
        for at in [0, k / 2, k - 1] {
            for kinds in (0..KINDS).flat_map(|a| (0..KINDS).map(move |b| [a, b])) {
                let (a, b) = (
                    matrix(m, k, kinds[0], DType::F32)?,
                    matrix(k, n, kinds[1], DType::F32)?,
                );
                // 0·∞ in one row and one column of the result.
                a.fill_(1.0)?;
                b.fill_(1.0)?;
                a.select(0, 1)?
                    .select(0, at as isize)?
                    .fill_(f64::INFINITY)?;
                b.select(0, at as isize)?.select(0, 2)?.fill_(0.0)?;
                let y = a.matmul(&b)?.to_vec::<f32>()?;
                for (i, &y) in y.iter().enumerate() {
                    let ok = match (i / n == 1, i % n == 2) {
                        (true, true) => y.is_nan(),
                        (true, false) => y == f32::INFINITY,
                        (false, zero) => y == k as f32 - f32::from(zero),
                    };
                    assert!(
                        ok,
                        "element {i} of {m}×{k}·{k}×{n}, lying {kinds:?}, is {y}"
                    );
                }
            }
        }
    }
    Ok(())
}

#[test]
fn products_are_the_same_bits_on_any_number_of_threads() -> Result<()> {
    random::manual_seed(1);
    for (m, k, n) in [
        (256, 784, 10),
        (32, 784, 256),
        (100, 1100, 70),
        (300, 90, 200),
        (10, 256, 784),
    ] {
        for dtype in [DType::F32, DType::F64] {
            let (x, w) = (
                Tensor::randn([m, k])?.to_dtype(dtype)?,
                Tensor::randn([n, k])?.to_dtype(dtype)?,
            );
            let (flat, turned) = (w.t()?.contiguous()?, x.t()?.contiguous()?);
            let bias = Tensor::randn([n])?.to_dtype(dtype)?;
            let run = |threads| -> Result<Vec<Vec<f64>>> {
                set_num_threads(threads);
                [
                    x.linear_then(&w, Some(&bias), Activation::Sigmoid)?,
                    x.matmul(&flat)?,
                    turned.t()?.matmul(&flat)?,
                ]
                .map(|y| y.to_vec())
                .into_iter()
                .collect()
            };
            let one = run(1)?;
            for threads in [2, 3, 8] {
                assert!(
                    run(threads)? == one,
                    "{m}×{k}·{k}×{n} {dtype} on {threads} threads"
                );
            }
        }
    }
    Ok(())
}
