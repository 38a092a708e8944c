//! A pool of memory blocks: a block that is dropped waits for the next tensor of about its size.
//!
//! Fresh pages cost more than arithmetic (the system must find, zero and map each one), so a
//! training loop should take the same blocks again at every step. Sizes are rounded up to four
//! classes for each power of two, at most a quarter more than asked for. Each thread keeps a few
//! blocks of each small class without locking; the rest go to a common store.

use crate::error::{Result, err};
use parking_lot::Mutex;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::RefCell;
use std::ptr::NonNull;

/// Wide enough for AVX-512 and for a cache line.
const ALIGN: usize = 64;
/// Classes of 64 B · 2^(i/4), up to 2^47 B.
const CLASSES: usize = 4 * 41;
/// Blocks of these classes (up to 1 MiB) may wait in a thread's own cache …
const CACHED_CLASSES: usize = 4 * 14;
/// … as many of each as this.
const CACHED_BLOCKS: usize = 16;
/// Beyond this many bytes in the common store, blocks go back to the system.
const STORE_LIMIT: usize = 1 << 30;

/// A block of initialised memory, aligned to 64 bytes; dropping it returns it to the pool.
pub(super) struct Block {
    start: NonNull<u8>,
    class: u8,
}

// SAFETY: a block is plain memory that nothing else refers to; who may touch it through a shared
// reference is up to `Storage`'s lock.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

impl Block {
    /// A block of at least `bytes` bytes whose content is unspecified but initialised.
    pub(super) fn new(bytes: usize) -> Result<Self> {
        let class = class_of(bytes).ok_or_else(|| err!(Memory, "cannot allocate {bytes} bytes"))?;
        if let Some(start) = take(class) {
            return Ok(Self {
                start,
                class: class as u8,
            });
        }
        // SAFETY: `layout_of` never has size 0.
        let start = unsafe { alloc_zeroed(layout_of(class)) };
        NonNull::new(start)
            .map(|start| Self {
                start,
                class: class as u8,
            })
            .ok_or_else(|| {
                err!(
                    Memory,
                    "cannot allocate {bytes} bytes: the system is out of memory"
                )
            })
    }

    pub(super) fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        give(self.class as usize, self.start);
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

fn layout_of(class: usize) -> Layout {
    Layout::from_size_align(bytes_of(class), ALIGN).expect("classes stay far below isize::MAX")
}

/// Free blocks by class. Owns them: what it still holds when dropped goes back to the system.
struct Shelf {
    free: [Vec<NonNull<u8>>; CLASSES],
    bytes: usize,
}

// SAFETY: a shelf owns its blocks; they are plain memory.
unsafe impl Send for Shelf {}

impl Shelf {
    const fn new() -> Self {
        Self {
            free: [const { Vec::new() }; CLASSES],
            bytes: 0,
        }
    }

    fn take(&mut self, class: usize) -> Option<NonNull<u8>> {
        let start = self.free[class].pop()?;
        self.bytes -= bytes_of(class);
        Some(start)
    }

    fn put(&mut self, class: usize, start: NonNull<u8>) {
        self.free[class].push(start);
        self.bytes += bytes_of(class);
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        for (class, blocks) in self.free.iter_mut().enumerate() {
            blocks.drain(..).for_each(|start| release(class, start));
        }
    }
}

static STORE: Mutex<Shelf> = Mutex::new(Shelf::new());

thread_local! {
    static CACHE: RefCell<Shelf> = const { RefCell::new(Shelf::new()) };
}

fn take(class: usize) -> Option<NonNull<u8>> {
    let cached = class < CACHED_CLASSES;
    // `try_with` fails while the thread ends; then the common store serves.
    let local = cached
        .then(|| {
            CACHE
                .try_with(|cache| cache.borrow_mut().take(class))
                .ok()
                .flatten()
        })
        .flatten();
    local.or_else(|| STORE.lock().take(class))
}

fn give(class: usize, start: NonNull<u8>) {
    let kept = class < CACHED_CLASSES
        && CACHE
            .try_with(|cache| {
                let mut cache = cache.borrow_mut();
                let room = cache.free[class].len() < CACHED_BLOCKS;
                if room {
                    cache.put(class, start);
                }
                room
            })
            .unwrap_or(false);
    if kept {
        return;
    }
    let mut store = STORE.lock();
    if store.bytes + bytes_of(class) <= STORE_LIMIT {
        store.put(class, start);
    } else {
        drop(store);
        release(class, start);
    }
}

fn release(class: usize, start: NonNull<u8>) {
    // SAFETY: every block of a class was allocated with that class's layout, and the caller hands
    // over its only pointer.
    unsafe { dealloc(start.as_ptr(), layout_of(class)) };
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
