//! Memory: what is counted, what is used again, and what happens when there is none left.

use gradus_core::memory::{empty_cache, reset_peak, stats};
use gradus_core::{DType, Kind, Result, Tensor};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, MutexGuard};

/// The figures are those of the whole program: one test at a time.
struct Alone {
    _lock: MutexGuard<'static, ()>,
}

fn alone() -> Alone {
    static ONE: Mutex<()> = Mutex::new(());
    let lock = ONE.lock();
    Alone {
        _lock: lock.unwrap_or_else(|poisoned| poisoned.into_inner()),
    }
}

impl Drop for Alone {
    /// A test's thread ends some time after its test. What it has kept and not yet told would change the
    /// figures of the next one.
    fn drop(&mut self) {
        empty_cache();
        stats();
    }
}

fn mebibytes(n: usize) -> Result<Tensor> {
    Tensor::full([n << 20], 1.0, DType::U8)
}

#[test]
fn live_and_peak_follow_the_tensors() -> Result<()> {
    let _alone = alone();
    empty_cache();
    reset_peak();
    let before = stats();
    assert_eq!(before.peak, before.live);
    let small: Vec<_> = (0..1000).map(|_| Tensor::ones([16])).collect();
    let large = mebibytes(3)?;
    let view = large.narrow(0, 5, 10)?;
    let during = stats();
    let used = 1000 * 64 + (3 << 20);
    assert_eq!(
        during.live,
        before.live + used,
        "a view has no memory of its own"
    );
    assert_eq!(during.peak, during.live);
    drop((small, large));
    assert_eq!(
        stats().live,
        before.live + (3 << 20),
        "a view keeps the memory"
    );
    drop(view);
    let after = stats();
    assert_eq!(after.live, before.live);
    assert_eq!(after.peak, before.live + used, "the peak stays");
    assert_eq!(after.pooled, before.pooled + used);
    assert_eq!(after.held, after.live + after.pooled);
    reset_peak();
    assert_eq!(stats().peak, before.live);
    empty_cache();
    assert_eq!(
        stats().held,
        stats().live,
        "nothing waits after empty_cache"
    );
    Ok(())
}

#[test]
fn the_same_work_asks_the_system_once() -> Result<()> {
    let _alone = alone();
    let work = || -> Result<()> {
        let x = Tensor::ones([20, 30]).requires_grad_(true)?;
        let w = Tensor::ones([30, 1000]).requires_grad_(true)?;
        let y = x.matmul(&w)?.mul(3.0)?;
        y.expand([5, 20, 1000])?.tanh()?.sum(..)?.backward()
    };
    work()?;
    let first = stats();
    (0..20).try_for_each(|_| work())?;
    let then = stats();
    assert_eq!(
        (then.requests, then.requested),
        (first.requests, first.requested)
    );
    assert_eq!(
        (then.held, then.live, then.peak),
        (first.held, first.live, first.peak)
    );
    Ok(())
}

#[test]
fn blocks_that_are_dropped_on_another_thread_serve_the_first_again() -> Result<()> {
    let _alone = alone();
    let before = stats();
    for (len, rounds) in [(100, 2000), (1 << 20, 50)] {
        // As a loader's worker and the thread that trains: at most a few batches under way.
        let (sender, receiver) = sync_channel(4);
        let work = move || (0..rounds).for_each(|_| sender.send(Tensor::ones([len])).unwrap());
        let worker = std::thread::spawn(work);
        receiver.into_iter().for_each(drop);
        worker.join().unwrap();
    }
    let after = stats();
    // Those under way, and what this thread keeps for itself of the smaller ones.
    assert!(after.requests - before.requests <= 2 * 6 + 16);
    assert_eq!(
        after.live, before.live,
        "a thread that ended has told all it counted"
    );
    Ok(())
}

#[test]
fn a_large_tensor_that_is_dropped_once_goes_back_to_the_system() -> Result<()> {
    let _alone = alone();
    empty_cache();
    let held = stats().held;
    drop(mebibytes(400)?);
    assert_eq!(stats().held, held);
    Ok(())
}

#[test]
fn a_loop_that_uses_much_keeps_it() -> Result<()> {
    let _alone = alone();
    empty_cache();
    let step = || {
        (0..10)
            .map(|_| mebibytes(40))
            .collect::<Result<Vec<_>>>()
            .map(drop)
    };
    step()?;
    let first = stats().requests;
    step()?;
    let second = stats().requests;
    assert!(
        second > first,
        "400 MiB were kept before anything was missed"
    );
    step()?;
    step()?;
    assert_eq!(stats().requests, second);
    empty_cache();
    Ok(())
}

#[test]
fn absurd_sizes_are_errors() {
    let _alone = alone();
    let held = stats().held;
    for shape in [
        vec![1 << 45],
        vec![1 << 62],
        vec![usize::MAX],
        vec![1 << 40, 1 << 40],
    ] {
        let error = Tensor::full(&shape[..], 0.0, DType::F32).unwrap_err();
        assert!(
            matches!(error.kind(), Kind::Memory | Kind::Shape),
            "{shape:?}: {error}"
        );
    }
    assert_eq!(stats().held, held);
}

/// Runs the test `name` of this program again, with `mebibytes` of address space.
#[cfg(target_os = "linux")]
fn with_little_memory(name: &str, mebibytes: usize) {
    let program = std::env::current_exe().unwrap();
    let status = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!(
            "ulimit -v {} && exec \"$0\" --exact {name} --ignored --nocapture",
            mebibytes << 10
        ))
        .arg(program)
        .env("GRADUS_THREADS", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&status.stdout);
    assert!(
        status.status.success() && text.contains("1 passed"),
        "{status:?}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_system_without_memory_is_an_error_and_the_program_goes_on() {
    with_little_memory("when_memory_is_short", 700);
}

#[test]
#[ignore = "run by another test, with little memory"]
fn when_memory_is_short() -> Result<()> {
    let error = mebibytes(4000).unwrap_err();
    assert_eq!(error.kind(), Kind::Memory, "{error}");
    assert!(error.to_string().contains("out of memory"), "{error}");
    // What is computed must not be half done, and the operands stay.
    let x = Tensor::full([60 << 20], 1.0, DType::F32)?;
    let wide = x.to_dtype(DType::F64).unwrap_err();
    assert_eq!(wide.kind(), Kind::Memory);
    assert_eq!(x.narrow(0, 0, 2)?.to_vec::<f32>()?, [1.0, 1.0]);
    drop(x);
    // Blocks of other sizes wait in the pool: they have to go for this one.
    let waiting = (0..4).map(|_| mebibytes(50)).collect::<Result<Vec<_>>>()?;
    drop(waiting);
    assert!(stats().pooled >= 200 << 20);
    assert_eq!(mebibytes(420)?.numel(), 420 << 20);
    Ok(())
}
