//! D1: tensors: made, indexed, computed with, changed in place. Prints each expression and its value.
//!
//! Random numbers are those of PyTorch after `torch.manual_seed(0)`.

use gradus::random::{self, Compat};
use gradus::{DType, Result, Tensor, keepdim};
use std::io::Write;

/// Prints an expression and below it its value.
macro_rules! show {
    ($out:ident, $value:expr) => {
        writeln!($out, "> {}\n{}", stringify!($value), $value)?
    };
}

/// Prints a statement and executes it.
macro_rules! run {
    ($out:ident, $statement:stmt) => {
        writeln!($out, "> {}", stringify!($statement))?;
        $statement
    };
}

/// As `show`, for values that have no text but Rust's: shapes.
macro_rules! debug {
    ($out:ident, $value:expr) => {
        writeln!($out, "> {}\n{:?}", stringify!($value), $value)?
    };
}

fn creation(out: &mut impl Write) -> Result<()> {
    let x = Tensor::arange(0.0, 12.0, 1.0, DType::F32)?;
    show!(out, x);
    show!(out, x.numel());
    debug!(out, x.shape());
    // The memory stays; −1 stands for what is left.
    show!(out, x.reshape([3, 4])?);
    debug!(out, x.reshape([-1, 4])?.shape());
    show!(out, Tensor::zeros([2, 3, 4]));
    show!(out, Tensor::ones([2, 3]));
    show!(out, Tensor::linspace(0.0, 1.0, 5, DType::F32)?);
    show!(
        out,
        Tensor::from([[2, 1, 4, 3], [1, 2, 3, 4], [4, 3, 2, 1]])
    );
    show!(out, Tensor::from([1.0, 2.0, 3.0]).diag(0)?);
    show!(out, x.reshape([3, 4])?.zeros_like()?);
    show!(out, Tensor::from([1, 2]).ones_like()?);
    show!(out, Tensor::from([1.5, 2.5]).full_like(7.0)?);

    random::manual_seed_compat(0, Compat::Torch);
    show!(out, Tensor::randn([3, 4])?);
    show!(out, Tensor::rand([2, 3])?);
    show!(out, Tensor::normal(10.0, 0.1, 4, DType::F32)?);
    show!(out, Tensor::zeros([2, 2]).rand_like()?);
    Ok(())
}

fn indexing(out: &mut impl Write) -> Result<()> {
    let x = Tensor::arange(0.0, 12.0, 1.0, DType::F32)?.reshape([3, 4])?;
    show!(out, x.i(-1)?);
    show!(out, x.i(1..3)?);
    run!(out, x.set((1, 2), 17)?);
    show!(out, x);
    run!(out, x.set((..2, ..), 12)?);
    show!(out, x);
    Ok(())
}

fn operations(out: &mut impl Write) -> Result<()> {
    let x = Tensor::from([1.0, 2.0, 4.0, 8.0]);
    let y = Tensor::from([2.0, 2.0, 2.0, 2.0]);
    show!(out, x.exp()?);
    show!(out, &x + &y);
    show!(out, &x - &y);
    show!(out, &x * &y);
    show!(out, &x / &y);
    show!(out, x.pow(&y)?);

    let x = Tensor::arange(0.0, 12.0, 1.0, DType::F32)?.reshape([3, 4])?;
    let y = Tensor::from([
        [2.0, 1.0, 4.0, 3.0],
        [1.0, 2.0, 3.0, 4.0],
        [4.0, 3.0, 2.0, 1.0],
    ]);
    show!(out, Tensor::cat(&[&x, &y], 0)?);
    show!(out, Tensor::cat(&[&x, &y], 1)?);
    show!(out, x.eq(&y)?);
    show!(out, x.lt(&y)?);
    show!(out, x.sum(..)?);
    show!(out, x.sum(0)?);
    show!(out, x.sum([0, 1])?);
    show!(out, x.mean(..)?);
    show!(out, x.mean(0)?);
    show!(out, x.cumsum(0)?);
    show!(out, x.sum(keepdim(1))?);
    // With its dimension kept, a sum broadcasts against what it is the sum of.
    show!(out, &x / x.sum(keepdim(1))?);
    Ok(())
}

fn broadcasting(out: &mut impl Write) -> Result<()> {
    let a = Tensor::arange(0.0, 3.0, 1.0, DType::I64)?.reshape([3, 1])?;
    let b = Tensor::arange(0.0, 2.0, 1.0, DType::I64)?.reshape([1, 2])?;
    show!(out, a);
    show!(out, b);
    show!(out, &a + &b);
    show!(
        out,
        Tensor::ones([2, 3]).add(&Tensor::ones([2, 4])).unwrap_err()
    );
    Ok(())
}

fn in_place(out: &mut impl Write) -> Result<()> {
    let mut x = Tensor::arange(0.0, 4.0, 1.0, DType::F32)?;
    let mut y = Tensor::ones([4]);
    // A clone is another handle of the same memory.
    run!(out, let before = y.clone());
    run!(out, y = &x + &y);
    show!(out, y.shares_memory(&before));

    run!(out, let z = y.zeros_like()?);
    run!(out, let before = z.clone());
    run!(out, z.set(.., &(&x + &y))?);
    show!(out, z.shares_memory(&before));
    show!(out, before);

    run!(out, let before = x.clone());
    run!(out, x += &y);
    show!(out, x.shares_memory(&before));
    show!(out, before);
    Ok(())
}

fn numbers(out: &mut impl Write) -> Result<()> {
    let a = Tensor::from([3.5]);
    show!(out, a);
    show!(out, a.item::<f32>()?);
    show!(out, a.item::<f64>()?);
    show!(out, a.item::<i64>()?);
    Ok(())
}

fn linear_algebra(out: &mut impl Write) -> Result<()> {
    let a = Tensor::arange(0.0, 6.0, 1.0, DType::F32)?.reshape([2, 3])?;
    let b = Tensor::ones([3, 4]);
    let x = Tensor::arange(0.0, 3.0, 1.0, DType::F32)?;
    show!(out, a);
    show!(out, a.t()?);
    show!(out, x.dot(&Tensor::ones([3]))?);
    show!(out, a.mv(&x)?);
    show!(out, a.mm(&b)?);
    // As `@`: the rule follows from the ranks.
    show!(out, a.matmul(&x)?);
    show!(out, a.matmul(&b)?);

    let u = Tensor::from([3.0, -4.0]);
    show!(out, u.norm(2, ..)?);
    show!(out, u.norm(1, ..)?);
    show!(out, u.abs()?.sum(..)?);
    // Over all dimensions of a matrix: the Frobenius norm.
    show!(out, Tensor::ones([4, 9]).norm(2, ..)?);
    show!(
        out,
        Tensor::from([1.0, 2.0, 3.0, 4.0]).diag(0)?.norm(2, ..)?
    );
    Ok(())
}

/// Prints every expression and its value.
pub fn run(out: &mut impl Write) -> Result<()> {
    creation(out)?;
    indexing(out)?;
    operations(out)?;
    broadcasting(out)?;
    in_place(out)?;
    numbers(out)?;
    linear_algebra(out)
}

fn main() -> Result<()> {
    run(&mut std::io::stdout())
}
