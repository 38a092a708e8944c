//! A pool of memory blocks: a block that is dropped waits for the next tensor of about its size.
//!
//! Fresh pages cost more than arithmetic (the system must find, zero and map each one), so a
//! training loop should take the same blocks again at every step. Sizes are rounded up to four
//! classes for each power of two, at most a quarter more than asked for. Each thread keeps a few
//! blocks of each small class without locking; the rest go to a common store.
//!
//! The store keeps what fits its limit, and the limit learns: a block that went back to the system
//! and is missed later raises it. So what a loop uses at every step stays, however much it is, and a
//! large data set that is dropped once does not.

use super::account::{self, Account};
use super::system::{ALIGN, Region};
use crate::error::{Result, err};
use crate::memory::Stats;
use parking_lot::Mutex;
use std::cell::RefCell;
use std::mem::ManuallyDrop;

/// Classes of 64 B · 2^(i/4), up to 2^47 B.
const CLASSES: usize = 4 * 41;
/// Blocks of these classes (up to 1 MiB) may wait in a thread's own cache …
const CACHED_CLASSES: usize = 4 * 14;
/// … as many of each as this.
const CACHED_BLOCKS: usize = 16;
/// Bytes that the common store keeps before it has learnt that more are needed.
const FIRST_LIMIT: usize = 256 << 20;

/// A block of initialised memory, aligned to 64 bytes; dropping it returns it to the pool.
pub(super) struct Block {
    region: ManuallyDrop<Region>,
    class: u8,
}

impl Block {
    /// A block of at least `bytes` bytes whose content is unspecified but initialised.
    pub(super) fn new(bytes: usize) -> Result<Self> {
        let class = class_of(bytes).ok_or_else(|| err!(Memory, "cannot allocate {bytes} bytes"))?;
        let region = match cached(|cache| cache.take(class)).flatten() {
            Some(region) => region,
            None => {
                let region = stored_or_fresh(class).ok_or_else(|| {
                    err!(
                        Memory,
                        "cannot allocate {bytes} bytes: the system is out of memory"
                    )
                })?;
                accounted(|account| account.taken(bytes_of(class)));
                region
            }
        };
        Ok(Self {
            region: ManuallyDrop::new(region),
            class: class as u8,
        })
    }

    pub(super) fn as_ptr(&self) -> *mut u8 {
        self.region.as_ptr()
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let class = usize::from(self.class);
        // SAFETY: the block is being dropped: nobody takes or uses its region after this.
        let region = unsafe { ManuallyDrop::take(&mut self.region) };
        let mut region = Some(region);
        cached(|cache| cache.give(class, &mut region));
        if let Some(region) = region {
            accounted(|account| account.given(bytes_of(class)));
            store(class, region);
        }
    }
}

/// The smallest class that holds `bytes`, unless that is more than any machine has.
fn class_of(bytes: usize) -> Option<usize> {
    let units = bytes.div_ceil(ALIGN).max(1);
    let power = units.ilog2() as usize;
    let quarter = ((units - (1 << power)) * 4).div_ceil(1 << power);
    Some(4 * power + quarter).filter(|&class| class < CLASSES)
}

fn bytes_of(class: usize) -> usize {
    let (power, quarter) = (class / 4, class % 4);
    // The two smallest powers have no quarters of a whole unit: round up.
    ((4 + quarter) << power).div_ceil(4) * ALIGN
}

/// What one thread keeps for itself. The first field alone is asked for at most tensors.
struct Cache {
    account: Account,
    free: [Vec<Region>; CACHED_CLASSES],
}

thread_local! {
    static CACHE: RefCell<Cache> = const {
        RefCell::new(Cache {
            account: Account::new(),
            free: [const { Vec::new() }; CACHED_CLASSES],
        })
    };
}

/// Calls `f` with this thread's cache; `None` while the thread ends.
fn cached<R>(f: impl FnOnce(&mut Cache) -> R) -> Option<R> {
    CACHE.try_with(|cache| f(&mut cache.borrow_mut())).ok()
}

/// Calls `f` with this thread's account, or one that is settled at once while the thread ends.
fn accounted(f: impl Fn(&mut Account)) {
    if cached(|cache| f(&mut cache.account)).is_none() {
        let mut account = Account::new();
        f(&mut account);
        account.settle();
    }
}

impl Cache {
    /// A block that waits here, counted as taken.
    fn take(&mut self, class: usize) -> Option<Region> {
        let region = self.free.get_mut(class)?.pop()?;
        self.account.taken(bytes_of(class));
        Some(region)
    }

    /// Takes the region, and counts it as given, if there is room for it.
    fn give(&mut self, class: usize, region: &mut Option<Region>) {
        if let Some(free) = self.free.get_mut(class)
            && free.len() < CACHED_BLOCKS
        {
            free.extend(region.take());
            self.account.given(bytes_of(class));
        }
    }

    /// Everything that waits here.
    fn drain(&mut self) -> impl Iterator<Item = (usize, Region)> {
        let shelves = self.free.iter_mut().enumerate();
        shelves.flat_map(|(class, free)| free.drain(..).map(move |region| (class, region)))
    }
}

/// What a thread has kept serves the others when it ends.
impl Drop for Cache {
    fn drop(&mut self) {
        self.account.settle();
        self.drain()
            .for_each(|(class, region)| store(class, region));
    }
}

/// What all threads share.
struct Store {
    free: [Vec<Region>; CLASSES],
    bytes: usize,
    limit: usize,
    /// Blocks of each class that found no room, and have not been missed since.
    refused: [u32; CLASSES],
}

static STORE: Mutex<Store> = Mutex::new(Store::new());

impl Store {
    const fn new() -> Self {
        Self {
            free: [const { Vec::new() }; CLASSES],
            bytes: 0,
            limit: FIRST_LIMIT,
            refused: [0; CLASSES],
        }
    }

    fn take(&mut self, class: usize) -> Option<Region> {
        let region = self.free[class].pop();
        if region.is_some() {
            self.bytes -= bytes_of(class);
        } else if self.refused[class] > 0 {
            self.refused[class] -= 1;
            self.limit += bytes_of(class);
        }
        region
    }

    /// Gives the region back if there is no room for it.
    fn put(&mut self, class: usize, region: Region) -> Option<Region> {
        if self.bytes + bytes_of(class) > self.limit {
            self.refused[class] = self.refused[class].saturating_add(1);
            return Some(region);
        }
        self.bytes += bytes_of(class);
        self.free[class].push(region);
        None
    }
}

fn store(class: usize, region: Region) {
    let refused = STORE.lock().put(class, region);
    if refused.is_some() {
        account::returned(bytes_of(class));
    }
    // Here, after the lock, the region is handed back to the system.
}

/// A block of the common store, or else of the system, even if all others have to go for it.
fn stored_or_fresh(class: usize) -> Option<Region> {
    let stored = STORE.lock().take(class);
    if stored.is_some() {
        return stored;
    }
    let bytes = bytes_of(class);
    let fresh = Region::new(bytes).or_else(|| {
        empty_cache();
        Region::new(bytes)
    })?;
    account::requested(bytes);
    Some(fresh)
}

/// Hands the memory that waits for the next tensors back to the system: that of the common store and
/// of this thread. Other threads keep their small blocks.
///
/// ```
/// use gradus_core::{Tensor, memory};
/// drop(Tensor::zeros([1000, 1000]));
/// let pooled = memory::stats().pooled;
/// memory::empty_cache();
/// assert!(memory::stats().pooled < pooled);
/// ```
pub fn empty_cache() {
    let mine: Vec<_> = cached(|cache| cache.drain().collect()).unwrap_or_default();
    let store = std::mem::replace(&mut *STORE.lock(), Store::new());
    let shared = store.free.into_iter().enumerate();
    let shared =
        shared.flat_map(|(class, free)| free.into_iter().map(move |region| (class, region)));
    for (class, region) in mine.into_iter().chain(shared) {
        drop(region);
        account::returned(bytes_of(class));
    }
}

/// The figures of this moment. What other threads have taken or given back lately, less than 64 KiB
/// each, may be missing.
///
/// ```
/// use gradus_core::{Tensor, memory};
/// let step = || Tensor::ones([300, 300]).exp().map(drop);
/// step()?;
/// let requests = memory::stats().requests;
/// step()?;
/// assert_eq!(memory::stats().requests, requests);
/// # Ok::<(), gradus_core::Error>(())
/// ```
pub fn stats() -> Stats {
    accounted(Account::settle);
    account::stats()
}

/// Lets [`Stats::peak`] begin again with what is in use now.
///
/// ```
/// use gradus_core::{Tensor, memory};
/// drop(Tensor::zeros([1000, 1000]));
/// memory::reset_peak();
/// assert_eq!(memory::stats().peak, memory::stats().live);
/// ```
pub fn reset_peak() {
    accounted(Account::settle);
    account::reset_peak();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_holds_what_it_promises_and_wastes_at_most_a_quarter() {
        for bytes in (1..5000).chain([1 << 20, (1 << 20) + 1, 3_000_000_000]) {
            let class = class_of(bytes).unwrap();
            assert!(bytes_of(class) >= bytes, "{bytes}");
            assert!(
                class == 0 || bytes_of(class - 1) < bytes.next_multiple_of(ALIGN) || bytes <= 256,
                "{bytes}"
            );
            assert!(bytes_of(class) <= bytes + bytes / 4 + 4 * ALIGN, "{bytes}");
        }
        assert!(class_of(usize::MAX).is_none());
    }

    #[test]
    fn a_dropped_block_serves_the_next_request_of_its_size() {
        let first = Block::new(5_000_000).unwrap().as_ptr();
        let again = Block::new(4_999_000).unwrap().as_ptr();
        assert_eq!(first, again, "a block of 5 MB was not used again");
    }

    #[test]
    fn an_absurd_size_is_an_error() {
        assert!(Block::new(usize::MAX).is_err());
        assert!(Block::new(1 << 47).is_err());
    }
}
