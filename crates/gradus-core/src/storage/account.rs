//! How much memory tensors use: the figures behind [`crate::memory`].
//!
//! A thread adds up what its blocks change and tells the others when it has become worth it. So
//! counting costs a small tensor two additions, and all figures are exact in a program that works
//! on one thread.

use std::sync::atomic::{AtomicIsize, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Bytes of blocks in use, as far as threads have told.
static LIVE: AtomicIsize = AtomicIsize::new(0);
/// The most that LIVE has been.
static PEAK: AtomicIsize = AtomicIsize::new(0);
/// Bytes held from the system.
static HELD: AtomicUsize = AtomicUsize::new(0);
/// How often the system was asked for memory, and for how many bytes in all.
static REQUESTS: AtomicU64 = AtomicU64::new(0);
static REQUESTED: AtomicU64 = AtomicU64::new(0);
/// A thread keeps less than this to itself.
const SETTLE: usize = 64 << 10;

/// What one thread has not told yet.
#[derive(Default)]
pub(super) struct Account {
    balance: isize,
    /// The most that `balance` has been.
    high: isize,
}

impl Account {
    pub(super) const fn new() -> Self {
        Self {
            balance: 0,
            high: 0,
        }
    }

    /// A block of `bytes` bytes is in use now.
    #[inline]
    pub(super) fn taken(&mut self, bytes: usize) {
        self.change(bytes as isize);
    }

    /// It no longer is.
    #[inline]
    pub(super) fn given(&mut self, bytes: usize) {
        self.change(-(bytes as isize));
    }

    #[inline]
    fn change(&mut self, by: isize) {
        self.balance += by;
        self.high = self.high.max(self.balance);
        if self.balance.unsigned_abs() >= SETTLE {
            self.settle();
        }
    }

    pub(super) fn settle(&mut self) {
        let before = LIVE.fetch_add(self.balance, Relaxed);
        if self.high > 0 {
            PEAK.fetch_max(before + self.high, Relaxed);
        }
        *self = Self::new();
    }
}

pub(super) fn requested(bytes: usize) {
    HELD.fetch_add(bytes, Relaxed);
    REQUESTS.fetch_add(1, Relaxed);
    REQUESTED.fetch_add(bytes as u64, Relaxed);
}

pub(super) fn returned(bytes: usize) {
    HELD.fetch_sub(bytes, Relaxed);
}

pub(super) fn reset_peak() {
    PEAK.store(LIVE.load(Relaxed), Relaxed);
}

pub(super) fn stats() -> crate::memory::Stats {
    // A block that one thread took and another gave back may be told in that order or the other.
    let bytes = |n: isize| n.max(0) as usize;
    let (live, held) = (bytes(LIVE.load(Relaxed)), HELD.load(Relaxed));
    crate::memory::Stats {
        live,
        peak: bytes(PEAK.load(Relaxed)).max(live),
        pooled: held.saturating_sub(live),
        held,
        requests: REQUESTS.load(Relaxed),
        requested: REQUESTED.load(Relaxed),
    }
}
