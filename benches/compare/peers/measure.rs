//! What the peers in Rust share: the workload to do, how it is timed, what is printed. A peer is
//! called with a workload as JSON (`gradus bench --list --json`) and prints one line of JSON.

use serde_json::{Value, json};
use std::time::Instant;

pub const CLASSES: usize = 10;
pub const RATE: f64 = 0.01;
/// The samples of one measurement last at least this long, for the sake of the clock.
const SAMPLE_US: f64 = 20.0;

/// Something that is done again and again.
pub type Step = Box<dyn FnMut()>;

/// A workload as the peers know it.
#[allow(dead_code)] // Each peer has its own use of it.
pub struct Workload {
    pub kind: String,
    pub sizes: Vec<usize>,
    pub batch: usize,
    /// Batches are gathered from so many samples.
    pub samples: Option<usize>,
    pub sigmoid: bool,
    pub double: bool,
    pub l2: f64,
    /// Numbers in the tensors of an operation.
    pub size: usize,
}

impl Workload {
    fn read(json: &Value) -> Self {
        let number = |name: &str| json[name].as_u64().map(|n| n as usize);
        let sizes = json["sizes"].as_array().into_iter().flatten();
        Self {
            kind: json["kind"].as_str().expect("a kind").into(),
            sizes: sizes
                .map(|n| n.as_u64().expect("a size") as usize)
                .collect(),
            batch: number("batch").unwrap_or(0),
            samples: number("samples"),
            sigmoid: json["activation"] == "sigmoid",
            double: json["dtype"] == "float64",
            l2: json["l2"].as_f64().unwrap_or(0.0),
            size: number("size").unwrap_or(0),
        }
    }
}

/// The batches of a shuffled set of `samples`, epoch after epoch, by number.
pub fn shuffled(samples: usize, batch: usize) -> impl FnMut() -> Vec<usize> {
    let (mut order, mut next, mut state) = ((0..samples).collect::<Vec<_>>(), samples, 1u64);
    move || {
        if next + batch > samples {
            for i in (1..samples).rev() {
                // Knuth's multiplicative congruence; any order will do.
                state = state
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                order.swap(i, (state >> 33) as usize % (i + 1));
            }
            next = 0;
        }
        next += batch;
        order[next - batch..next].to_vec()
    }
}

/// Microseconds of one call in each sample, sorted: a fifth of the time to warm up, the rest counts.
fn times(step: &mut Step, seconds: f64) -> Vec<f64> {
    let mut sample = |calls: usize| {
        let before = Instant::now();
        (0..calls).for_each(|_| step());
        before.elapsed().as_secs_f64() * 1e6 / calls as f64
    };
    let (begin, mut calls) = (Instant::now(), 1);
    loop {
        let us = sample(calls);
        if us * (calls as f64) < SAMPLE_US {
            calls *= 2;
        } else if begin.elapsed().as_secs_f64() > seconds / 5.0 {
            break;
        }
    }
    let mut times = Vec::new();
    while times.is_empty() || begin.elapsed().as_secs_f64() < seconds {
        times.push(sample(calls));
    }
    times.sort_by(f64::total_cmp);
    times
}

/// A figure of `/proc/self/status` in MiB, where there is such a thing.
fn memory(name: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: f64 = line
        .strip_prefix(':')?
        .trim()
        .strip_suffix(" kB")?
        .parse()
        .ok()?;
    Some(kib / 1024.0)
}

/// `prepare` returns the work to be repeated, or nothing where the peer has no such work.
pub fn main(peer: &str, prepare: impl Fn(&Workload) -> Option<Step>) {
    let mut args = std::env::args().skip(1);
    let json: Value = args
        .next()
        .and_then(|w| serde_json::from_str(&w).ok())
        .expect("a workload");
    let seconds: f64 = args
        .skip_while(|a| a != "--seconds")
        .nth(1)
        .map_or(1.0, |s| s.parse().expect("seconds"));
    let base = memory("VmRSS");
    let mut result = json!({ "name": json["name"], "peer": peer });
    if let Some(mut step) = prepare(&Workload::read(&json)) {
        let times = times(&mut step, seconds);
        result["median_us"] = times[times.len() / 2].into();
        result["min_us"] = times[0].into();
        result["samples"] = times.len().into();
        result["peak_mib"] = memory("VmHWM").into();
        result["base_mib"] = base.into();
    }
    println!("{result}");
}
