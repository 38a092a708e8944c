//! The threads that kernels use, seen from outside.

use gradus_core::{Result, Tensor, num_threads, set_num_threads};
use std::process::{Command, Output};

/// Runs an ignored test of this program by itself, with `GRADUS_THREADS` set.
fn with_variable(name: &str, value: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env("GRADUS_THREADS", value)
        .output()
        .unwrap()
}

#[test]
fn the_environment_sets_the_number_of_threads_and_nonsense_is_reported_once() {
    let processors = std::thread::available_parallelism().unwrap().get();
    for (value, threads, reported) in [
        ("3", 3, false),
        (" 2 ", 2, false),
        ("100000", 256, false),
        ("", processors, false),
        ("0", processors, true),
        ("-1", processors, true),
        ("two", processors, true),
    ] {
        let output = with_variable("report_the_number_of_threads", value);
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(
            out.contains(&format!("threads: {threads}\n")),
            "{value:?}: {output:?}"
        );
        let warnings = err.matches("GRADUS_THREADS").count();
        assert_eq!(warnings, usize::from(reported), "{value:?}: {output:?}");
    }
}

#[test]
#[ignore = "run by another test, with a variable set"]
fn report_the_number_of_threads() {
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(num_threads))));
    println!("threads: {}", num_threads());
}

#[test]
#[cfg(target_os = "linux")]
fn an_idle_program_uses_no_processor() {
    let output = with_variable("work_and_rest", "4");
    assert!(output.status.success(), "{output:?}");
}

/// Nanoseconds that the threads of this program have run.
#[cfg(target_os = "linux")]
fn processor_time() -> u64 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let time = |thread: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    threads.filter_map(time).sum()
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "run by another test, in a program of its own"]
fn work_and_rest() -> Result<()> {
    use std::time::Duration;
    set_num_threads(4);
    let x = Tensor::rand([1 << 20])?;
    for _ in 0..10 {
        x.exp()?;
    }
    // The workers stay awake for a moment.
    std::thread::sleep(Duration::from_millis(100));
    let before = processor_time();
    std::thread::sleep(Duration::from_millis(500));
    let used = Duration::from_nanos(processor_time() - before);
    assert!(used < Duration::from_millis(10), "{used:?} of 500 ms");
    Ok(())
}
