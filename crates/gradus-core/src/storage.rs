//! Memory: typed, aligned buffers, and the storage that tensors share.
//!
//! A [`Buffer`] is a run of elements of one dtype; a [`Storage`] lets several tensors look at one
//! buffer, from several threads, and counts the writes. This file and `kernels` are the only ones
//! with `unsafe` code.

mod account;
mod mapped;
mod pool;
mod system;

pub(crate) use mapped::Mapped;
pub use pool::{empty_cache, reset_peak, stats};

use crate::dtype::{DType, Element};
use crate::error::Result;
use parking_lot::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};
use std::sync::atomic::{AtomicU64, Ordering};

/// A run of `len` elements of one dtype, aligned for it.
pub(crate) struct Buffer {
    memory: Memory,
    dtype: DType,
    len: usize,
}

/// Where a buffer's bytes are: initialised, and referred to by nothing else.
enum Memory {
    /// From the pool and back to it, 64-byte aligned.
    Pool(pool::Block),
    /// A part of a file.
    File(Mapped),
}

impl Memory {
    fn as_ptr(&self) -> *mut u8 {
        match self {
            Self::Pool(block) => block.as_ptr(),
            Self::File(part) => part.as_ptr(),
        }
    }
}

impl Buffer {
    /// A buffer whose content is unspecified, left over from an earlier use (bool: all false).
    ///
    /// # Errors
    /// When the system has no such amount of memory.
    pub(crate) fn new<T: Element>(len: usize) -> Result<Self> {
        Self::of(T::DTYPE, len)
    }

    /// [`new`](Self::new), compiled once for all dtypes.
    fn of(dtype: DType, len: usize) -> Result<Self> {
        let block = pool::Block::new(len.saturating_mul(dtype.size()))?;
        let buffer = Self {
            memory: Memory::Pool(block),
            dtype,
            len,
        };
        if dtype == DType::Bool {
            // Left-over bytes may be neither 0 nor 1, and a bool must be.
            // SAFETY: the block holds at least `len` bytes that this buffer alone refers to.
            unsafe { std::ptr::write_bytes(buffer.memory.as_ptr(), 0, len) };
        }
        Ok(buffer)
    }

    /// A buffer that `fill` has written.
    pub(crate) fn build<T: Element>(len: usize, fill: impl FnOnce(&mut [T])) -> Result<Self> {
        let mut buffer = Self::new::<T>(len)?;
        fill(buffer.slice_mut());
        Ok(buffer)
    }

    /// A part of a file as the buffer, without a copy. The part comes back where that cannot be: if
    /// it is not aligned for `T`, is no whole number of elements, or `T` is bool, of whose bytes not
    /// every one is valid.
    pub(crate) fn mapped<T: Element>(part: Mapped) -> Result<Self, Mapped> {
        let bytes = part.bytes().len();
        let fits = T::DTYPE != DType::Bool
            && bytes.is_multiple_of(size_of::<T>())
            && part.as_ptr().cast::<T>().is_aligned();
        if !fits {
            return Err(part);
        }
        Ok(Self {
            memory: Memory::File(part),
            dtype: T::DTYPE,
            len: bytes / size_of::<T>(),
        })
    }

    /// The elements.
    ///
    /// # Panics
    /// If `T` is not the type of this buffer's dtype: callers dispatch on it.
    pub(crate) fn slice<T: Element>(&self) -> &[T] {
        assert_eq!(T::DTYPE, self.dtype, "storage read as another dtype");
        // SAFETY: the memory holds `len` elements of `T` (checked above through the dtype), aligned
        // (to 64 bytes, or checked in `mapped`) and always initialised: the pool hands out zeroed or
        // formerly written bytes, a file's are what it holds, any bits are a valid number, and bools
        // are zeroed in `new` and never mapped.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast::<T>(), self.len) }
    }

    /// The elements for writing. Panics like [`Buffer::slice`].
    pub(crate) fn slice_mut<T: Element>(&mut self) -> &mut [T] {
        assert_eq!(T::DTYPE, self.dtype, "storage written as another dtype");
        // SAFETY: as in `slice`; `&mut self` makes this the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.memory.as_ptr().cast::<T>(), self.len) }
    }
}

/// A buffer that tensors and their views share.
///
/// Readers and writers in different threads wait for each other, yet never in a circle: only a
/// reader may wait for a lock while it holds others, of which each is a read lock too. Who writes
/// holds nothing while it waits ([`Storage::update`] takes all its locks or none).
///
/// Why readers may nest in any order: `read_recursive` waits only while a lock is held or asked for
/// by a writer and has no readers. So a reader in a circle would have begun to wait before the next
/// one got the lock it waits for, and that one before the next, round to itself.
pub(crate) struct Storage {
    buffer: RwLock<Buffer>,
    dtype: DType,
    version: AtomicU64,
}

impl Storage {
    pub(crate) fn new(buffer: Buffer) -> Self {
        Self {
            dtype: buffer.dtype,
            buffer: RwLock::new(buffer),
            version: AtomicU64::new(0),
        }
    }

    pub(crate) fn dtype(&self) -> DType {
        self.dtype
    }

    /// How often the content was changed after it was made; autograd compares it.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The elements; several readers may hold them, one thread several times.
    pub(crate) fn read<T: Element>(&self) -> MappedRwLockReadGuard<'_, [T]> {
        RwLockReadGuard::map(self.buffer.read_recursive(), Buffer::slice)
    }

    /// Writes this storage and `others` while reading `source`. All of them must be different ones.
    pub(crate) fn update<T: Element, U: Element, R, const N: usize>(
        &self,
        others: [&Storage; N],
        source: &Storage,
        f: impl FnOnce(&mut [T], [&mut [T]; N], &[U]) -> R,
    ) -> R {
        loop {
            let source = source.read::<U>();
            let mut target = self.buffer.try_write();
            let mut guards = others.map(|other| other.buffer.try_write());
            let busy = match (&mut target, guards.iter().position(Option::is_none)) {
                (None, _) => self,
                (_, Some(i)) => others[i],
                (Some(target), None) => {
                    for written in [self].into_iter().chain(others) {
                        written.version.fetch_add(1, Ordering::AcqRel);
                    }
                    let others = guards.each_mut();
                    let others = others.map(|g| g.as_mut().expect("none is missing").slice_mut());
                    return f(target.slice_mut(), others, &source);
                }
            };
            drop((source, target, guards));
            // Waits until it is free once.
            drop(busy.buffer.write());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Result, Tensor, ops::Update};
    use std::sync::mpsc;
    use std::time::Duration;

    #[derive(Clone, Copy)]
    struct Swap;
    impl Update<1> for Swap {
        fn update<T: crate::Float>(&self, p: T, g: T, [s]: [&mut T; 1]) -> T {
            std::mem::replace(s, p) + g
        }
    }

    #[test]
    fn threads_that_update_and_read_the_same_tensors_crosswise_do_not_block_each_other() {
        let (done, finished) = mpsc::channel();
        let tensors = [(); 3].map(|()| Tensor::ones([64]));
        type Action = fn(&[Tensor; 3]) -> Result<()>;
        let actions: [Action; 4] = [
            |[p, s, g]| p.update_(g, [s], &Swap),
            |[p, s, g]| s.update_(g, [p], &Swap),
            |[p, s, _]| s.add(p)?.add(&p.add(s)?).map(drop),
            |[p, s, _]| p.copy_(s).and_then(|()| s.copy_(p)),
        ];
        for action in actions {
            let (tensors, done) = (tensors.clone(), done.clone());
            std::thread::spawn(move || {
                let result = (0..3_000).try_for_each(|_| action(&tensors));
                done.send(result).unwrap();
            });
        }
        for _ in actions {
            let result = finished.recv_timeout(Duration::from_secs(60));
            result.expect("the threads wait for each other").unwrap();
        }
    }
}
