//! Where formulas and memory layouts have corners: no elements, no rows, the ends of integers,
//! sizes that no machine has.

use gradus_core::conv::{Conv, ConvTranspose, Padding};
use gradus_core::pool::{AvgPool, MaxPool, Mode, Resize};
use gradus_core::{
    Context, DType, Function, Grad, Grads, Kind, Result, Saved, Tensor, apply, is_grad_enabled,
    no_grad, set_grad_enabled,
};

fn zeros(shape: &[usize]) -> Tensor {
    Tensor::zeros(shape)
}

fn leaf(shape: &[usize]) -> Tensor {
    zeros(shape).requires_grad_(true).unwrap()
}

fn gradient(x: &Tensor) -> (Vec<usize>, Vec<f32>) {
    let grad = x.grad().expect("a gradient");
    (grad.shape().to_vec(), grad.to_vec().unwrap())
}

#[test]
fn views_without_elements_can_be_read_wherever_they_begin() -> Result<()> {
    let x = Tensor::ones([5, 3]);
    for view in [
        zeros(&[0, 3]).narrow(1, 2, 1)?,
        zeros(&[0, 3]).select(1, 2)?,
        x.narrow(0, 5, 0)?.narrow(1, 3, 0)?,
        x.slice(0, 0, 5, 2)?.narrow(0, 3, 0)?,
        x.t()?.narrow(0, 3, 0)?.narrow(1, 5, 0)?,
    ] {
        assert_eq!(view.to_vec::<f32>()?, [0.0; 0]);
        assert_eq!(view.sum(..)?.item::<f32>()?, 0.0);
        assert_eq!(view.exp()?.shape(), view.shape());
        assert_eq!(view.t()?.reshape([0, 7])?.shape(), [0, 7]);
        assert!(view.add_(1.0).is_ok() && view.is_contiguous());
    }
    Ok(())
}

#[test]
fn a_step_beyond_the_end_leaves_the_first_position() -> Result<()> {
    let x = Tensor::arange(0.0, 15.0, 1.0, DType::I64)?.reshape([5, 3])?;
    for step in [5, usize::MAX / 2, usize::MAX] {
        let y = x.slice(0, 1, 5, step)?;
        assert_eq!(y.to_vec::<i64>()?, [3, 4, 5]);
        assert_eq!(y.slice(1, 1, 3, step)?.to_vec::<i64>()?, [4]);
    }
    Ok(())
}

#[test]
fn sizes_beyond_memory_are_errors_also_beside_a_size_of_0() -> Result<()> {
    let huge = [1 << 40, 1 << 40, 0];
    let kinds = [
        Tensor::full(huge, 0.0, DType::F32),
        Tensor::ones([1, 1, 0]).broadcast_to(huge),
        // Views may be as large as they like; what is made of them may not.
        Tensor::cat(&[&Tensor::ones([1]).broadcast_to([1 << 59])?; 64], 0),
        Tensor::ones([1])
            .broadcast_to([1 << 59])?
            .add(&zeros(&[1 << 10, 1])),
        zeros(&[1 << 50, 1, 0]).index_select(1, &Tensor::full([1 << 20], 0.0, DType::I64)?),
    ]
    .map(|result| result.unwrap_err().kind());
    assert_eq!(kinds, [Kind::Memory; 5]);
    Ok(())
}

#[test]
fn picking_nothing_has_a_gradient_of_zeros() -> Result<()> {
    let none = Tensor::from_vec([0i64; 0], [0])?;
    for shape in [[0, 3], [2, 3], [2, 0]] {
        let x = leaf(&shape);
        let y = x.index_select(0, &none)?;
        assert_eq!(y.shape(), [0, shape[1]]);
        y.sum(..)?.backward()?;
        assert_eq!(
            gradient(&x),
            (shape.to_vec(), vec![0.0; shape[0] * shape[1]])
        );
    }
    Ok(())
}

#[test]
fn losses_and_softmax_of_nothing() -> Result<()> {
    let none = Tensor::from_vec([0i64; 0], [0])?;
    for shape in [[0, 10], [0, 0]] {
        let x = leaf(&shape);
        let loss = x.cross_entropy(&none)?;
        assert!(loss.item::<f32>()?.is_nan(), "the mean of no rows");
        loss.backward()?;
        assert_eq!(gradient(&x).0, shape);
    }
    for (shape, dim) in [([3, 0], 1), ([3, 0], 0), ([0, 3], 1), ([0, 3], 0)] {
        let x = leaf(&shape);
        let y = x.softmax(dim)?.add(&x.log_softmax(dim)?)?;
        assert_eq!(y.shape(), shape);
        y.sum(..)?.backward()?;
        assert_eq!(gradient(&x).0, shape);
    }
    let scalar = leaf(&[]);
    scalar.softmax(-1)?.backward()?;
    assert_eq!(gradient(&scalar), (vec![], vec![0.0]));
    Ok(())
}

#[test]
fn reductions_of_nothing() -> Result<()> {
    let x = leaf(&[2, 0]);
    assert_eq!(x.sum(1)?.to_vec::<f32>()?, [0.0, 0.0]);
    assert_eq!(x.sum(0)?.to_vec::<f32>()?, [0.0; 0]);
    assert!(x.mean(..)?.item::<f32>()?.is_nan());
    assert_eq!(x.amax(0)?.shape(), [0]);
    assert_eq!(x.argmax(0)?.shape(), [0]);
    assert!(x.amax(1).is_err() && x.argmin(1).is_err());
    x.mean(..)?.backward()?;
    assert_eq!(gradient(&x).0, [2, 0]);
    // No dimensions named: nothing is summed.
    assert_eq!(Tensor::ones([2]).sum([])?.to_vec::<f32>()?, [1.0, 1.0]);
    Ok(())
}

#[test]
fn products_with_sizes_of_0() -> Result<()> {
    for (a, b, product) in [
        (&[2, 0][..], &[0, 3][..], &[2, 3][..]),
        (&[0, 2], &[2, 3], &[0, 3]),
        (&[2, 3], &[3, 0], &[2, 0]),
        (&[0], &[0], &[]),
        (&[0], &[0, 2], &[2]),
        (&[4, 0, 2], &[2, 3], &[4, 0, 3]),
        (&[0, 2, 3], &[0, 3, 2], &[0, 2, 2]),
        (&[0, 2, 3], &[1, 3, 2], &[0, 2, 2]),
        (&[4, 2, 0], &[1, 0, 2], &[4, 2, 2]),
    ] {
        let (x, y) = (leaf(a), leaf(b));
        let z = x.matmul(&y)?;
        assert_eq!(z.shape(), product);
        assert!(z.to_vec::<f32>()?.iter().all(|&z| z == 0.0));
        z.sum(..)?.backward()?;
        assert_eq!((gradient(&x).0, gradient(&y).0), (a.to_vec(), b.to_vec()));
    }
    // Nothing comes in, the bias goes out.
    let (x, w, b) = (leaf(&[2, 0]), leaf(&[3, 0]), leaf(&[3]));
    no_grad(|| b.fill_(7.0))?;
    let y = x.linear(&w, Some(&b))?;
    assert_eq!(y.to_vec::<f32>()?, [7.0; 6]);
    y.sum(..)?.backward()?;
    assert_eq!(gradient(&b), (vec![3], vec![2.0; 3]));
    Ok(())
}

/// What is done to pictures, [n, 4, h, w].
const PICTURES: [fn(&Tensor) -> Result<Tensor>; 12] = [
    |x| x.conv2d(&Tensor::ones([6, 4, 1, 1]), None, &Conv::default()),
    |x| {
        let same = Conv {
            padding: Padding::Same,
            groups: 4,
            ..Default::default()
        };
        x.conv2d(&Tensor::ones([4, 1, 3, 3]), Some(&Tensor::ones([4])), &same)
    },
    |x| x.conv_transpose2d(&Tensor::ones([4, 6, 2, 2]), None, &ConvTranspose::default()),
    |x| x.max_pool2d([1, 1], &MaxPool::default()),
    |x| {
        let around = MaxPool {
            padding: [1, 1],
            ..Default::default()
        };
        x.max_pool2d([3, 3], &around)
    },
    |x| x.avg_pool2d([1, 1], &AvgPool::default()),
    |x| x.adaptive_avg_pool2d([2, 3]),
    |x| x.adaptive_max_pool2d([2, 3]),
    |x| x.interpolate(Resize::Scale([2.0, 2.0]), Mode::Nearest),
    |x| x.pixel_shuffle(2),
    |x| x.batch_norm(None, None, None, None, true, 0.1, 1e-5),
    |x| x.group_norm(2, None, None, 1e-5),
];

#[test]
fn pictures_of_one_pixel_and_batches_of_none_are_pytorchs() -> Result<()> {
    let of = |n: usize, size: usize| -> Result<Vec<Vec<usize>>> {
        let each = PICTURES.iter().map(|f| {
            let x = leaf(&[n, 4, size, size]);
            let y = f(&x)?;
            y.sum(..)?.backward()?;
            assert_eq!(gradient(&x).0, x.shape());
            Ok(y.shape().to_vec())
        });
        each.collect()
    };
    let shapes = |n: usize, channels: usize, h: usize, w: usize| vec![n, channels, h, w];
    let expected = |n: usize, size: usize| {
        let pooled = (size + 2 - 3) / 3 + 1;
        vec![
            shapes(n, 6, size, size),
            shapes(n, 4, size, size),
            shapes(n, 6, size + 1, size + 1),
            shapes(n, 4, size, size),
            shapes(n, 4, pooled, pooled),
            shapes(n, 4, size, size),
            shapes(n, 4, 2, 3),
            shapes(n, 4, 2, 3),
            shapes(n, 4, 2 * size, 2 * size),
            shapes(n, 1, 2 * size, 2 * size),
            shapes(n, 4, size, size),
            shapes(n, 4, size, size),
        ]
    };
    for (n, size) in [(0, 5), (0, 1), (2, 1), (2, 5)] {
        assert_eq!(of(n, size)?, expected(n, size), "{n} of {size}");
    }
    // The values of one pixel.
    let x = Tensor::from([[[[1.0]], [[-2.0]], [[3.0]], [[4.0]]]]);
    let values = |f: fn(&Tensor) -> Result<Tensor>| f(&x)?.to_vec::<f32>();
    assert_eq!(values(PICTURES[0])?, [6.0; 6]);
    assert_eq!(values(PICTURES[1])?, [2.0, -1.0, 4.0, 5.0]);
    assert_eq!(values(PICTURES[2])?, [6.0; 24]);
    for pooling in &PICTURES[3..6] {
        assert_eq!(values(*pooling)?, [1.0, -2.0, 3.0, 4.0]);
    }
    let six_times: Vec<f32> = [1.0, -2.0, 3.0, 4.0].iter().flat_map(|&x| [x; 6]).collect();
    assert_eq!(values(PICTURES[6])?, six_times);
    assert_eq!(values(PICTURES[7])?, six_times);
    assert_eq!(values(PICTURES[9])?, [1.0, -2.0, 3.0, 4.0]);
    Ok(())
}

#[test]
fn integers_at_their_ends_wrap_and_are_never_rounded() -> Result<()> {
    let ends = Tensor::from_vec([i64::MIN, i64::MAX, -(1 << 53) - 1], [3])?;
    let wrapped = ends.sub(&Tensor::from_vec([1i64], [1])?)?;
    assert_eq!(wrapped.to_vec::<i64>()?[..2], [i64::MAX, i64::MAX - 1]);
    assert_eq!(
        ends.abs()?.to_vec::<i64>()?,
        [i64::MIN, i64::MAX, (1 << 53) + 1]
    );
    assert_eq!(ends.neg()?.to_vec::<i64>()?[0], i64::MIN);
    assert_eq!(ends.relu()?.to_vec::<i64>()?, [0, i64::MAX, 0]);
    assert_eq!(ends.amax(0)?.item::<i64>()?, i64::MAX);
    assert_eq!(ends.argmin(0)?.item::<i64>()?, 0);
    assert_eq!(
        ends.to_string(),
        "tensor([-9223372036854775808,  9223372036854775807,    -9007199254740993])"
    );
    let bytes = Tensor::from_vec([0u8, 200, 255], [3])?;
    assert_eq!(bytes.abs()?.to_vec::<u8>()?, [0, 200, 255]);
    assert_eq!(bytes.neg()?.to_vec::<u8>()?, [0, 56, 1]);
    assert_eq!(bytes.sum(..)?.item::<i64>()?, 455, "sums do not wrap");
    assert!(ends.index_select(0, &ends).is_err());
    assert!(Tensor::from([true]).neg().is_err());
    Ok(())
}

#[test]
fn dtypes_promote_as_in_pytorch() -> Result<()> {
    use DType::{Bool, F32, F64, I32, I64, U8};
    // `None` for the shape stands for a plain number.
    type Given = (DType, Option<usize>);
    let cases: [(Given, Given, DType); 16] = [
        ((U8, Some(1)), (I32, Some(1)), I32),
        ((I64, Some(1)), (F32, Some(1)), F32),
        ((F32, Some(1)), (F64, Some(1)), F64),
        // A 0-d tensor counts only across categories …
        ((F32, Some(1)), (F64, Some(0)), F32),
        ((U8, Some(1)), (I64, Some(0)), U8),
        ((I64, Some(1)), (F64, Some(0)), F64),
        ((Bool, Some(1)), (U8, Some(0)), U8),
        ((F64, Some(0)), (I64, Some(1)), F64),
        ((F64, Some(0)), (F32, Some(0)), F64),
        // … and so does a number, which counts less still.
        ((U8, Some(1)), (I64, None), U8),
        ((U8, Some(0)), (I64, None), U8),
        ((U8, Some(0)), (F64, None), F32),
        ((F32, Some(0)), (F64, None), F32),
        ((F64, Some(1)), (F64, None), F64),
        ((Bool, Some(1)), (I64, None), I64),
        ((Bool, Some(0)), (F64, None), F32),
    ];
    for ((a, rank), (b, other), expected) in cases {
        let tensor = |dtype, rank| Tensor::full(vec![1; rank], 1.0, dtype);
        let x = tensor(a, rank.expect("the first is a tensor"))?;
        let sum = match (other, b) {
            (Some(rank), _) => x.add(&tensor(b, rank)?)?,
            (None, I64) => x.add(1)?,
            (None, _) => x.add(1.0)?,
        };
        assert_eq!(sum.dtype(), expected, "{a} {rank:?} + {b} {other:?}");
    }
    Ok(())
}

#[test]
fn powers_of_zero_and_of_negative_numbers() -> Result<()> {
    let x = Tensor::from([0.0, 0.0, -2.0, 0.0]).requires_grad_(true)?;
    let p = Tensor::from([0.0, 2.0, 3.0, 1.0]).requires_grad_(true)?;
    let y = x.pow(&p)?;
    assert_eq!(y.to_vec::<f32>()?, [1.0, 0.0, -8.0, 0.0]);
    y.sum(..)?.backward()?;
    assert_eq!(gradient(&x).1, [0.0, 0.0, 12.0, 1.0]);
    let dp = gradient(&p).1;
    // The logarithm of a negative number does not exist.
    assert!(dp[..2] == [0.0, 0.0] && dp[2].is_nan() && dp[3] == 0.0);
    Ok(())
}

#[test]
fn a_gradient_is_not_lost_in_an_operation_in_place() -> Result<()> {
    let changes: [fn(&Tensor, &Tensor) -> Result<()>; 2] = [|x, w| x.add_(w), |x, w| x.copy_(w)];
    for change in changes {
        let (x, w) = (zeros(&[2]), leaf(&[2]));
        change(&x, &w)?;
        x.sum(..)?.backward()?;
        assert_eq!(gradient(&w).1, [1.0, 1.0]);
        assert!(w.is_leaf() && !x.is_leaf());
    }
    let (x, w) = (zeros(&[2]), leaf(&[2]));
    x.add_(&w.detach())?;
    no_grad(|| x.copy_(&w))?;
    assert!(!x.requires_grad());
    Ok(())
}

/// What a function may do that the engine's own never do.
struct Unusual {
    kept: Tensor,
}

impl Function for Unusual {
    fn name(&self) -> &'static str {
        "Unusual"
    }
    fn forward(&self, ctx: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        ctx.save(x[0]);
        ctx.save(&self.kept);
        Ok(self.kept.clone())
    }
    fn backward(&self, saved: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        // Records a history although nobody asked for it.
        let before = set_grad_enabled(true);
        let dx = grad.mul(&saved.get(0)?)?;
        set_grad_enabled(before);
        Ok([Grad::Of(dx)].into())
    }
}

#[test]
fn a_function_that_returns_what_it_keeps_does_not_rewrite_its_history() -> Result<()> {
    for kept in [zeros(&[2]), leaf(&[2])] {
        let (x, wanted) = (leaf(&[2]), kept.requires_grad());
        let y = apply(Unusual { kept: kept.clone() }, &[&x])?;
        assert!(y.grad_fn().is_some() && !y.is_same(&kept));
        assert!(kept.is_leaf() && kept.requires_grad() == wanted);
        y.sum(..)?.backward()?;
        let grad = x.grad().unwrap();
        assert!(!grad.requires_grad(), "it would hold its own leaf alive");
    }
    assert!(is_grad_enabled());
    Ok(())
}

#[test]
fn a_deep_graph_may_be_dropped_while_its_thread_ends() {
    thread_local! {
        static LAST: std::cell::RefCell<Option<Tensor>> = const { std::cell::RefCell::new(None) };
    }
    let deep = || {
        // Before the engine's own thread-locals come to life, so that it dies after them.
        LAST.set(None);
        let x = leaf(&[1]);
        drop(x.mul(2.0));
        let mut y = x.clone();
        for _ in 0..200_000 {
            y = y.add(&x).unwrap();
        }
        LAST.set(Some(y));
    };
    let thread = std::thread::Builder::new().stack_size(128 << 10);
    thread.spawn(deep).unwrap().join().unwrap();
}

#[test]
fn a_panic_while_a_graph_is_dropped_does_not_stop_later_drops() {
    struct Bomb(std::sync::Arc<()>);
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(std::sync::Arc::strong_count(&self.0) != 2, "bang");
        }
    }
    impl Function for Bomb {
        fn name(&self) -> &'static str {
            "Bomb"
        }
        fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
            x[0].mul(1.0)
        }
        fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
            Ok([Grad::Of(grad.clone())].into())
        }
    }
    let (x, alive) = (leaf(&[1]), std::sync::Arc::new(()));
    let make = || apply(Bomb(alive.clone()), &[&x]).unwrap();
    let y = make();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(y))).is_err());
    let (y, z) = (make(), make());
    drop(y);
    assert_eq!(std::sync::Arc::strong_count(&alive), 2, "y is gone");
    std::mem::forget(z);
}
