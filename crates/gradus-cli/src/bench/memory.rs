//! The most memory the program has had, as Linux counts it.

use std::fs;

/// Mebibytes of memory that were in use, programs and libraries included.
#[derive(Clone, Copy)]
pub struct Peak {
    /// Before the work.
    pub base: f64,
    /// At most, until its end.
    pub peak: f64,
}

impl Peak {
    /// Begins to count anew; `None` where the system cannot.
    pub fn begin() -> Option<Self> {
        fs::write("/proc/self/clear_refs", "5").ok()?;
        let base = status("VmRSS")?;
        Some(Self { base, peak: base })
    }

    /// What was counted since.
    pub fn end(self) -> Option<Self> {
        let peak = status("VmHWM")?;
        Some(Self { peak, ..self })
    }
}

/// A figure of `/proc/self/status`, which has it in kibibytes.
fn status(name: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix(name))?;
    let kib: f64 = line
        .strip_prefix(':')?
        .trim()
        .strip_suffix(" kB")?
        .parse()
        .ok()?;
    Some(kib / 1024.0)
}
