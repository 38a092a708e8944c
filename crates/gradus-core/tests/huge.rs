//! Tensors that nobody has the memory for: a broadcast view costs none itself, but what is computed
//! from it would. Each operation says so; none ends the program.

use gradus_core::conv::{Conv, ConvTranspose};
use gradus_core::pool::{AvgPool, MaxPool, Mode, Resize};
use gradus_core::{DType, Padding, Result, Tensor};

type Call = fn(&Tensor) -> Result<()>;

macro_rules! calls {
    ($($call:expr),* $(,)?) => {
        &[$((stringify!($call), (|x| { let call: fn(&Tensor) -> Result<_> = $call; call(x).map(|_| ()) }) as Call)),*]
    };
}

/// Calls with a vector of 2^40 times the same f32 1. (What adds up so many would take minutes, not
/// memory.)
const CALLS: &[(&str, Call)] = calls![
    |x| x.exp(),
    |x| x.add(x),
    |x| x.gt(0.0),
    |x| x.to_dtype(DType::F64),
    |x| x.to_vec::<f32>(),
    |x| x.copy(),
    |x| x.contiguous(),
    |x| x.reshape([1 << 20, 1 << 20])?.contiguous(),
    |x| x.flip(0)?.contiguous(),
    |x| x.roll([3], [0]),
    |x| x.pad([1, 1], Padding::Constant(0.0)),
    |x| x.sort(0, false),
    |x| x.argsort(0, false),
    |x| x.topk(3, 0, true),
    |x| x.kthvalue(5, 0),
    |x| x.median(0),
    |x| x.mode(0),
    |x| x.quantile(0.5, 0),
    |x| x.cumsum(0),
    |x| x.cummax(0),
    |x| x.logcumsumexp(0),
    |x| x.nonzero(),
    |x| x.argwhere(),
    |x| x.nonzero_tuple(),
    |x| x.masked_select(&x.expand([1 << 40])?),
    |x| x.i(&x.expand([1 << 40])?),
    |x| x.i(x),
    |x| x.index_select(0, &Tensor::full((), 0.0, DType::I64)?.expand([1 << 40])?),
    |x| x.gather(0, &Tensor::full((), 0.0, DType::I64)?.expand([1 << 40])?),
    |x| x.take(&Tensor::full((), 0.0, DType::I64)?.expand([1 << 40])?),
    |x| x.unique(),
    |x| x.unique_consecutive(),
    |x| x.to_dtype(DType::I64)?.bincount(None, 0),
    |_| Tensor::from([1]).bincount(None, 1 << 45),
    |_| Tensor::from([1.0]).histc(1 << 45, 0.0, 1.0),
    |_| Tensor::from([1i64 << 45]).bincount(None, 0),
    |_| Tensor::from([1]).one_hot(1 << 45),
    |_| Tensor::from([1i64 << 45]).one_hot(None),
    |x| x.multinomial(3, true),
    |_| Tensor::from([1.0, 1.0]).multinomial(1 << 45, true),
    |x| x.bernoulli(),
    |x| x.dropout(0.5, true),
    |x| x.outer(x),
    |x| x.reshape([1 << 40, 1])?.matmul(&Tensor::ones([1, 3])),
    |x| x.kron(x),
    |x| x.softmax(0),
    |x| x.log_softmax(0),
    |x| x.diag(0),
    |x| x.diag_embed(0, 0, 1),
    |x| x.unfold(0, 2, 1)?.contiguous(),
    |x| x.split(1, 0),
    |x| x.unbind(0),
    |x| x.chunk(1 << 40, 0),
    |x| x.tensor_split(1 << 40, 0),
    |x| Tensor::cat(&[x, x], 0),
    |x| Tensor::stack(&[x, x], 0),
    |x| x.repeat([3]),
    |x| x.tile([3]),
    |x| x.repeat_interleave(3, 0),
    |_| Tensor::from([1]).repeat_interleave(1i64 << 45, 0),
    |x| x.searchsorted(x, false),
    |x| x.bucketize(&Tensor::from([1.0]), false),
    |x| x.index_add(0, &Tensor::full((), 0.0, DType::I64)?.expand([1 << 40])?, x),
    |x| x.cdist(x),
    |x| Tensor::from([1.0]).scatter(0, &Tensor::full((), 0.0, DType::I64)?.expand([1 << 40])?, x),
    |_| Tensor::eye(1 << 30, DType::F32),
    |_| Tensor::arange(0.0, 1e15, 1.0, DType::F32),
    |_| Tensor::linspace(0.0, 1.0, 1 << 45, DType::F32),
    |_| Tensor::randn([1 << 45]),
    |_| Tensor::randperm(1 << 45),
    |x| x
        .expand([1 << 40])?
        .requires_grad_(true)?
        .i(0..4)?
        .sum(..)?
        .backward(),
    |x| x.tril(0),
    |x| Tensor::meshgrid(&[x, x])?[0].contiguous(),
    |x| x
        .reshape([1, 1, 1 << 40])?
        .conv1d(&Tensor::ones([1, 1, 3]), None, &Conv::default()),
    |x| x.reshape([1, 1, 1 << 20, 1 << 20])?.conv2d(
        &Tensor::ones([3, 1, 1, 1]),
        None,
        &Conv::default()
    ),
    // A kernel as large, of which there is one position.
    |x| x
        .reshape([1, 1, 1 << 40])?
        .conv1d(&x.reshape([1, 1, 1 << 40])?, None, &Conv::default()),
    |_| Tensor::ones([1, 1, 1]).conv1d(
        &Tensor::ones([1, 1, 1]),
        None,
        &Conv {
            padding: [1 << 40].into(),
            ..Default::default()
        }
    ),
    |_| Tensor::ones([1, 1, 1, 1]).conv2d(
        &Tensor::ones([1, 1, 1, 1]),
        None,
        &Conv {
            padding: [1 << 40; 2].into(),
            ..Default::default()
        }
    ),
    |x| Tensor::ones([1, 1, 1]).conv1d(&x.reshape([1 << 40, 1, 1])?, None, &Conv::default()),
    |x| Tensor::ones([1, 1, 1]).conv1d(
        &x.reshape([1 << 40, 1, 1])?,
        None,
        &Conv {
            groups: 1 << 40,
            ..Default::default()
        }
    ),
    |x| x
        .reshape([1 << 40, 1, 1])?
        .conv1d(&Tensor::ones([1, 1, 1]), None, &Conv::default()),
    // One output, whose taps are far apart.
    |_| {
        let w = Tensor::ones([1, 1, 3]).requires_grad_(true)?;
        let far = Conv {
            dilation: [1 << 40],
            padding: [1 << 40].into(),
            ..Default::default()
        };
        Tensor::ones([1, 1, 1])
            .conv1d(&w, None, &far)?
            .sum(..)?
            .backward()
    },
    |_| Tensor::ones([1, 1, 2]).conv_transpose1d(
        &Tensor::ones([1, 1, 2]),
        None,
        &ConvTranspose {
            stride: [1 << 40],
            ..Default::default()
        }
    ),
    |_| Tensor::ones([1, 1, 2, 2]).conv_transpose2d(
        &Tensor::ones([1, 1, 2, 2]),
        None,
        &ConvTranspose {
            stride: [1 << 30; 2],
            ..Default::default()
        }
    ),
    |_| Tensor::ones([1, 1, 1, 1]).conv_transpose2d(
        &Tensor::ones([1, 1, 2, 2]),
        None,
        &ConvTranspose {
            dilation: [1 << 30; 2],
            ..Default::default()
        }
    ),
    |x| x.reshape([1, 1, 1 << 40])?.conv_transpose1d(
        &Tensor::ones([1, 1, 1]),
        None,
        &ConvTranspose::default()
    ),
    |x| x
        .reshape([1, 1, 1 << 40])?
        .max_pool1d([2], &MaxPool::default()),
    |x| x
        .reshape([1, 1, 1 << 40])?
        .max_pool1d([1 << 40], &MaxPool::default()),
    |x| x
        .reshape([1, 1, 1 << 20, 1 << 20])?
        .max_pool2d([1, 1], &MaxPool::default()),
    |x| x
        .reshape([1 << 40, 1, 1, 1])?
        .max_pool2d([1, 1], &MaxPool::default()),
    |x| x
        .reshape([1, 1, 1 << 40])?
        .avg_pool1d([2], &AvgPool::default()),
    |x| x
        .reshape([1, 1, 1 << 20, 1 << 20])?
        .avg_pool2d([1, 1], &AvgPool::default()),
    |_| Tensor::ones([1, 1, 1]).adaptive_avg_pool1d([1 << 40]),
    |_| Tensor::ones([1, 1, 1]).adaptive_avg_pool1d([usize::MAX]),
    |_| Tensor::ones([1, 1, 1, 1]).adaptive_max_pool2d([1 << 22, 1 << 22]),
    |_| Tensor::ones([1, 1, 1, 1]).adaptive_max_pool2d([1, usize::MAX]),
    |_| Tensor::ones([1, 1, 1]).max_unpool2d(
        &Tensor::from([[[0]]]),
        [2, 2],
        &MaxPool::default(),
        Some([1 << 30; 2])
    ),
    |_| Tensor::ones([1, 1, 1]).max_unpool2d(
        &Tensor::from([[[0]]]),
        [2, 2],
        &MaxPool::default(),
        Some([usize::MAX; 2])
    ),
    |_| Tensor::ones([1, 1, 1]).interpolate(Resize::Size([1 << 40]), Mode::Nearest),
    |_| Tensor::ones([1, 1, 1]).interpolate(Resize::Size([usize::MAX]), Mode::NearestExact),
    |_| Tensor::ones([1, 1, 1]).interpolate(
        Resize::Scale([1e18]),
        Mode::Linear {
            align_corners: false
        }
    ),
    |_| Tensor::ones([1, 1, 1, 1]).interpolate(Resize::Size([1 << 22; 2]), Mode::Nearest),
    |x| x.reshape([1 << 20, 1 << 20, 1])?.dropout2d(0.5, true),
    |x| x
        .reshape([1 << 18, 4, 1 << 10, 1 << 10])?
        .pixel_shuffle(2)?
        .contiguous(),
    |x| x
        .reshape([1 << 20, 1 << 10, 1 << 10])?
        .pixel_unshuffle(2)?
        .contiguous(),
    |x| x.reshape([1 << 39, 2])?.batch_norm(
        Some(&Tensor::zeros([2])),
        Some(&Tensor::ones([2])),
        None,
        None,
        false,
        0.1,
        1e-5
    ),
];

#[test]
#[cfg(target_os = "linux")]
fn what_needs_more_memory_than_there_is_is_an_error() {
    // In a program of its own, so that a slip cannot take the machine's memory.
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -v 2000000 && exec timeout 300 \"$0\" --exact call_them_all --ignored --nocapture"])
        .arg(std::env::current_exe().unwrap())
        .env("GRADUS_THREADS", "2")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}", text);
}

#[test]
#[ignore = "run by another test, with little memory"]
fn call_them_all() -> Result<()> {
    let x = Tensor::ones([1]).expand([1 << 40])?;
    for (text, call) in CALLS {
        println!("{text}");
        let error = call(&x).expect_err(text);
        println!("    {error}");
    }
    Ok(())
}
