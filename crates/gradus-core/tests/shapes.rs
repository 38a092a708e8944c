//! Shape operations at their corners: nothing, one thing, several dtypes, memory shared or not.

use gradus_core::{DType, Padding, Result, Tensor, set_num_threads};

fn numbers(shape: &[usize]) -> Tensor {
    let n = shape.iter().product::<usize>();
    let x = Tensor::arange(0.0, n as f64, 1.0, DType::I64).unwrap();
    x.reshape(shape).unwrap()
}

fn values(x: &Tensor) -> Vec<i64> {
    x.to_vec().unwrap()
}

fn shapes(parts: &[Tensor]) -> Vec<Vec<usize>> {
    parts.iter().map(|x| x.shape().to_vec()).collect()
}

#[test]
fn what_should_be_a_view_shares_memory_and_what_should_be_a_copy_does_not() -> Result<()> {
    let x = numbers(&[2, 3]);
    let column = numbers(&[2, 1]);
    for (name, view) in [
        ("view", x.view([3, 2])?),
        ("view of a transpose", x.t()?.view([3, 2, 1])?),
        ("squeeze", x.unsqueeze(0)?.squeeze(..)?),
        ("movedim", x.movedim(0, 1)?),
        ("flip", x.flip(..)?),
        ("rot90", x.rot90(1, [0, 1])?),
        ("expand", x.unsqueeze(0)?.expand([4, -1, -1])?),
        ("split", x.split(1, 0)?.remove(1)),
        ("unbind", x.unbind(1)?.remove(2)),
        ("unfold", x.unfold(1, 2, 1)?),
        ("diagonal", x.diagonal(0, 0, 1)?),
    ] {
        assert!(view.shares_memory(&x), "{name}");
        // A change of the view is a change of the tensor.
        let before = values(&x);
        if name != "expand" {
            view.add_(1)?;
            assert_ne!(values(&x), before, "{name}");
        }
    }
    for (name, copy) in [
        ("copy", x.copy()?),
        ("roll by nothing", x.roll(0, 0)?),
        ("pad by nothing", x.pad([0, 0], Padding::Constant(0.0))?),
        ("pad by nothing", x.pad([0, 0], Padding::Circular)?),
        ("cat of one", Tensor::cat(&[&x], 0)?),
        ("repeat once", x.repeat([1, 1])?),
        ("tile of ones", x.tile(())?),
        ("repeat_interleave once", x.repeat_interleave(1, 0)?),
        ("diag", x.diag(0)?),
        ("tril", x.tril(9)?),
    ] {
        assert!(!copy.shares_memory(&x), "{name}");
    }
    assert!(!column.expand([2, 5])?.contiguous()?.shares_memory(&column));
    Ok(())
}

#[test]
fn numbers_without_dimensions() -> Result<()> {
    let s = Tensor::from(5);
    assert_eq!(s.ravel()?.shape(), [1]);
    assert_eq!(s.squeeze(0)?.ndim(), 0);
    assert_eq!(s.squeeze(..)?.ndim(), 0);
    assert_eq!(s.flip(0)?.item::<i64>()?, 5);
    assert_eq!(s.permute([])?.ndim(), 0);
    assert_eq!(s.movedim([], [])?.ndim(), 0);
    assert_eq!(s.transpose(0, -1)?.ndim(), 0);
    assert_eq!(s.expand([2, 2])?.to_vec::<i64>()?, [5; 4]);
    assert_eq!(s.repeat([3])?.to_vec::<i64>()?, [5; 3]);
    assert_eq!(s.tile(())?.ndim(), 0);
    assert_eq!(s.unfold(0, 1, 1)?.shape(), [1]);
    assert_eq!(s.unfold(0, 0, 1)?.shape(), [0]);
    assert_eq!(s.pad([], Padding::Reflect)?.item::<i64>()?, 5);
    assert_eq!(Tensor::stack(&[&s, &s], 0)?.shape(), [2]);
    assert_eq!(Tensor::vstack(&[&s, &s])?.shape(), [2, 1]);
    assert_eq!(Tensor::dstack(&[&s, &s])?.shape(), [1, 1, 2]);
    assert_eq!(Tensor::meshgrid(&[&s, &numbers(&[3])])?[1].shape(), [1, 3]);
    assert_eq!(Tensor::meshgrid_xy(&[&numbers(&[3])])?[0].shape(), [3]);
    assert!(Tensor::broadcast_tensors(&[])?.is_empty());
    Ok(())
}

#[test]
fn cat_promotes_and_passes_over_legacy_empty_tensors() -> Result<()> {
    let legacy = Tensor::full([0], 0.0, DType::F64)?;
    let (a, v) = (numbers(&[2, 3]), Tensor::from([1.5]));
    let x = Tensor::cat(&[&legacy, &a, &legacy], -1)?;
    assert_eq!((x.shape(), x.dtype()), (&[2, 3][..], DType::F64));
    assert_eq!(Tensor::cat(&[&legacy, &legacy], 7)?.shape(), [0]);
    assert!(Tensor::cat(&[&Tensor::zeros([1, 0]), &a], 0).is_err());
    let x = Tensor::cat(
        &[
            &Tensor::from([true]),
            &Tensor::from([2u8]),
            &Tensor::from([-3]),
            &v,
        ],
        0,
    )?;
    assert_eq!(
        (x.dtype(), x.to_vec::<f32>()?),
        (DType::F32, vec![1.0, 2.0, -3.0, 1.5])
    );
    assert_eq!(
        Tensor::stack(&[&v, &v.to_dtype(DType::F64)?], 0)?.dtype(),
        DType::F64
    );
    // What is left out of the result has a gradient of nothing; dtypes go back.
    let leaf = |x: &Tensor| x.detach().requires_grad_(true);
    let (empty, single, double) = (leaf(&legacy)?, leaf(&v)?, leaf(&v.to_dtype(DType::F64)?)?);
    Tensor::cat(&[&empty, &single, &double, &single], 0)?
        .sum(..)?
        .backward()?;
    assert_eq!(empty.grad().unwrap().shape(), [0]);
    let grad = single.grad().unwrap();
    assert_eq!((grad.dtype(), grad.item::<f32>()?), (DType::F32, 2.0));
    assert_eq!(double.grad().unwrap().dtype(), DType::F64);
    Ok(())
}

/// Sizes from PyTorch 2.15.
#[test]
fn splits_of_sizes_that_do_not_divide() -> Result<()> {
    let x = numbers(&[7]);
    let lengths = |parts: Vec<Tensor>| parts.iter().map(Tensor::numel).collect::<Vec<_>>();
    assert_eq!(lengths(x.split(3, 0)?), [3, 3, 1]);
    assert_eq!(lengths(x.split(usize::MAX, 0)?), [7]);
    assert_eq!(lengths(x.chunk(5, 0)?), [2, 2, 2, 1]);
    assert_eq!(lengths(x.chunk(usize::MAX, 0)?), [1; 7]);
    assert_eq!(lengths(x.tensor_split(3, 0)?), [3, 2, 2]);
    assert_eq!(lengths(numbers(&[2]).tensor_split(3, 0)?), [1, 1, 0]);
    assert_eq!(
        lengths(x.tensor_split_at([2, -1, 9, 3], 0)?),
        [2, 4, 1, 0, 4]
    );
    assert_eq!(lengths(x.tensor_split_at([], 0)?), [7]);
    let e = Tensor::zeros([2, 0]);
    assert_eq!(shapes(&e.split(0, 1)?), [[2, 0]]);
    assert_eq!(shapes(&e.split(2, 1)?), [[2, 0]]);
    assert_eq!(shapes(&e.chunk(3, 1)?), [[2, 0]; 3]);
    assert_eq!(shapes(&e.split_with_sizes([], 1)?), [[0; 2]; 0]);
    assert!(e.unbind(1)?.is_empty());
    Ok(())
}

/// Values from PyTorch 2.15.
#[test]
fn margins_that_also_cut_off() -> Result<()> {
    let x = numbers(&[1, 3]);
    let pad = |margins: [isize; 2], mode| -> Result<Vec<i64>> { x.pad(margins, mode)?.to_vec() };
    assert_eq!(pad([-2, 2], Padding::Reflect)?, [2, 1, 0]);
    assert_eq!(pad([-4, 2], Padding::Reflect)?, [0]);
    assert_eq!(pad([2, -2], Padding::Reflect)?, [2, 1, 0]);
    assert_eq!(pad([-2, 2], Padding::Replicate)?, [2, 2, 2]);
    assert_eq!(pad([-3, 1], Padding::Replicate)?, [2]);
    assert_eq!(pad([-2, 1], Padding::Circular)?, [2, 2]);
    assert_eq!(pad([3, 3], Padding::Circular)?, [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    assert_eq!(pad([-1, -2], Padding::Constant(0.0))?, [0; 0]);
    assert_eq!(pad([1, 0], Padding::Constant(2.5))?, [2, 0, 1, 2]);
    let b = x.gt(1)?.pad([1, 0], Padding::Constant(2.5))?;
    assert_eq!(b.to_vec::<bool>()?, [true, false, false, true]);
    let e = Tensor::zeros([2, 0]);
    assert_eq!(
        e.pad([1, 1], Padding::Constant(3.0))?.to_vec::<f32>()?,
        [3.0; 4]
    );
    assert!(e.pad([-1, 1], Padding::Constant(3.0)).is_err());
    // A margin of NaN stays where it is.
    let y = Tensor::from([1.0]).requires_grad_(true)?;
    y.pad([1, 1], Padding::Constant(f64::NAN))?
        .sum(..)?
        .backward()?;
    assert_eq!(y.grad().unwrap().item::<f32>()?, 1.0);
    Ok(())
}

#[test]
fn triangles_replace_and_never_multiply() -> Result<()> {
    let x = Tensor::from([[f32::NAN, f32::INFINITY], [-0.0, 1.0]]);
    let y = x.tril(0)?.to_vec::<f32>()?;
    assert!(y[0].is_nan() && y[1] == 0.0 && y[2].is_sign_negative() && y[3] == 1.0);
    let far = numbers(&[2, 3]);
    for (diagonal, lower) in [
        (isize::MAX, 6),
        (2, 6),
        (1, 5),
        (-1, 1),
        (-2, 0),
        (isize::MIN, 0),
    ] {
        let ones = far.ones_like()?.tril(diagonal)?.sum(..)?;
        assert_eq!(ones.item::<i64>()?, lower, "{diagonal}");
        let rest = far.ones_like()?.triu(diagonal.saturating_add(1))?.sum(..)?;
        // Above the last diagonal there is none to begin with.
        let expected = if diagonal == isize::MAX { 0 } else { 6 - lower };
        assert_eq!(rest.item::<i64>()?, expected, "{diagonal}");
    }
    assert_eq!(Tensor::zeros([0, 3]).tril(0)?.shape(), [0, 3]);
    assert_eq!(Tensor::zeros([2, 3, 0]).triu(0)?.shape(), [2, 3, 0]);
    let b = Tensor::from([[true, true]]).triu(1)?;
    assert_eq!(b.to_vec::<bool>()?, [false, true]);
    Ok(())
}

#[test]
fn diagonals_beyond_the_matrix_are_empty() -> Result<()> {
    let x = numbers(&[2, 3]);
    for offset in [3, -2, isize::MAX, isize::MIN] {
        assert_eq!(x.diagonal(offset, 0, 1)?.shape(), [0]);
    }
    assert_eq!(Tensor::zeros([0, 3]).diagonal(1, 0, 1)?.shape(), [0]);
    assert_eq!(Tensor::zeros([0]).diag(0)?.shape(), [0, 0]);
    assert_eq!(Tensor::zeros([0]).diag(-2)?.to_vec::<f32>()?, [0.0; 4]);
    Ok(())
}

#[test]
fn windows_of_any_size_and_step() -> Result<()> {
    let x = numbers(&[5]);
    assert_eq!(x.unfold(0, 0, 1)?.shape(), [6, 0]);
    assert_eq!(values(&x.unfold(0, 5, usize::MAX)?), [0, 1, 2, 3, 4]);
    assert_eq!(values(&x.unfold(0, 1, 4)?), [0, 4]);
    assert_eq!(Tensor::zeros([0]).unfold(0, 0, 3)?.shape(), [1, 0]);
    let huge = Tensor::zeros([1]).broadcast_to([1 << 40])?;
    assert!(huge.unfold(0, 1 << 39, 1).is_err());
    Ok(())
}

#[test]
fn counts_of_nothing_and_of_everything() -> Result<()> {
    let x = numbers(&[2, 3]);
    assert_eq!(x.repeat([0, 2])?.shape(), [0, 6]);
    assert_eq!(x.repeat_interleave(0, 1)?.shape(), [2, 0]);
    assert_eq!(x.repeat_interleave(&Tensor::from(2), 0)?.shape(), [4, 3]);
    assert_eq!(x.repeat_interleave(&Tensor::from([2]), 0)?.shape(), [4, 3]);
    assert_eq!(
        x.repeat_interleave(&Tensor::from([0, 0]), 0)?.shape(),
        [0, 3]
    );
    assert_eq!(
        values(&x.roll([isize::MAX, isize::MIN], [0, 0])?),
        values(&x.roll(-1, 0)?)
    );
    assert_eq!(Tensor::zeros([0, 2]).roll(5, 0)?.shape(), [0, 2]);
    Ok(())
}

#[test]
fn large_copies_in_parallel_are_the_same_as_small_ones() -> Result<()> {
    set_num_threads(4);
    let (rows, cols) = (300, 701);
    let x = numbers(&[rows, cols]);
    let at = |i: usize, j: usize| (i * cols + j) as i64;
    let built = |f: &dyn Fn(usize, usize) -> i64| -> Vec<i64> {
        (0..rows)
            .flat_map(|i| (0..cols).map(move |j| (i, j)))
            .map(|(i, j)| f(i, j))
            .collect()
    };
    // Long runs, strided runs and runs backwards, on either side.
    let halves = Tensor::cat(&[&x.narrow(1, 0, 350)?, &x.narrow(1, 350, 351)?], 1)?;
    assert_eq!(values(&halves), built(&at));
    let column = Tensor::cat(&[&x.ravel()?, &x.ravel()?], 0)?;
    assert_eq!(
        values(&column.narrow(0, rows * cols, rows * cols)?),
        built(&at)
    );
    for (name, view) in [("t", x.t()?), ("flip", x.flip(..)?.t()?)] {
        let target = Tensor::full([rows, cols], -1.0, DType::I64)?;
        let turned = if name == "t" {
            target.t()?
        } else {
            target.flip(..)?.t()?
        };
        turned.copy_(&view)?;
        assert_eq!(values(&target), built(&at), "{name}");
    }
    let strided = Tensor::full([rows, cols, 2], 0.0, DType::I64)?;
    strided.select(2, 1)?.copy_(&x.flip(1)?)?;
    strided.select(2, 1)?.add_(&x)?;
    assert_eq!(
        values(&strided.select(2, 1)?),
        built(&|i, j| at(i, cols - 1 - j) + at(i, j))
    );
    assert_eq!(values(&strided.select(2, 0)?), vec![0; rows * cols]);
    // Windows that overlap are written one after the other: every position adds.
    let n = 200_000;
    let line = Tensor::full([n], 0.0, DType::I64)?;
    line.unfold(0, 3, 1)?.add_(1)?;
    let sums = values(&line);
    assert_eq!((sums[0], sums[1], sums[n - 1]), (1, 2, 1));
    assert!(sums[2..n - 2].iter().all(|&sum| sum == 3));
    Ok(())
}

#[test]
fn nan_and_zeros_keep_their_signs_through_every_copy() -> Result<()> {
    let x = Tensor::from([-0.0, f64::NAN, f64::NEG_INFINITY]);
    for y in [
        x.roll(3, 0)?,
        x.flip(0)?.flip(0)?,
        x.pad([0, 0], Padding::Reflect)?,
        x.repeat_interleave(1, 0)?,
        Tensor::cat(&[&x], 0)?,
        x.diag(0)?.diag(0)?,
    ] {
        let bits = |t: &Tensor| t.to_vec::<f32>().unwrap().into_iter().map(f32::to_bits);
        assert!(bits(&y).eq(bits(&x)));
    }
    Ok(())
}

#[test]
fn what_returns_a_copy_does_so_when_there_is_nothing_to_do() -> Result<()> {
    let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    for (i, y) in [
        x.diff(0, 0)?,
        x.matrix_power(1)?,
        x.pad([], Padding::Reflect)?,
        x.pad([0, 0], Padding::Replicate)?,
        x.repeat([1, 1])?,
        x.tile([1])?,
        x.roll(0, 1)?,
        Tensor::cat(&[&x], 0)?,
        x.tril(5)?,
    ]
    .into_iter()
    .enumerate()
    {
        assert!(!y.shares_memory(&x), "{i}");
        assert_eq!(y.to_vec::<f32>()?, x.to_vec::<f32>()?, "{i}");
    }
    Ok(())
}
