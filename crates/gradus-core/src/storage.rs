//! Memory: typed, aligned buffers, and the storage that tensors share.
//!
//! A [`Buffer`] is a run of elements of one dtype; a [`Storage`] lets several tensors look at one
//! buffer, from several threads, and counts the writes. This file and `kernels` are the only ones
//! with `unsafe` code.

mod pool;

use crate::dtype::{DType, Element};
use crate::error::Result;
use parking_lot::{
    MappedRwLockReadGuard, MappedRwLockWriteGuard, RwLock, RwLockReadGuard, RwLockWriteGuard,
};
use std::sync::atomic::{AtomicU64, Ordering};

/// A run of `len` elements of one dtype, 64-byte aligned, from the pool and back to it.
pub(crate) struct Buffer {
    block: pool::Block,
    dtype: DType,
    len: usize,
}

impl Buffer {
    /// A buffer whose content is unspecified, left over from an earlier use (bool: all false).
    ///
    /// # Errors
    /// When the system has no such amount of memory.
    pub(crate) fn new<T: Element>(len: usize) -> Result<Self> {
        let block = pool::Block::new(len.saturating_mul(size_of::<T>()))?;
        let mut buffer = Self {
            block,
            dtype: T::DTYPE,
            len,
        };
        if T::DTYPE == DType::Bool {
            // Left-over bytes may be neither 0 nor 1, and a bool must be.
            // SAFETY: the block holds at least `len` bytes that this buffer alone refers to.
            unsafe { std::ptr::write_bytes(buffer.block.as_ptr(), 0, len) };
        }
        debug_assert_eq!(buffer.slice_mut::<T>().len(), len);
        Ok(buffer)
    }

    /// A buffer that `fill` has written.
    pub(crate) fn build<T: Element>(len: usize, fill: impl FnOnce(&mut [T])) -> Result<Self> {
        let mut buffer = Self::new::<T>(len)?;
        fill(buffer.slice_mut());
        Ok(buffer)
    }

    /// The elements.
    ///
    /// # Panics
    /// If `T` is not the type of this buffer's dtype: callers dispatch on it.
    pub(crate) fn slice<T: Element>(&self) -> &[T] {
        assert_eq!(T::DTYPE, self.dtype, "storage read as another dtype");
        // SAFETY: the block holds `len` elements of `T` (checked above through the dtype), aligned
        // to 64 bytes and always initialised: the pool hands out zeroed or formerly written bytes,
        // any bits are a valid number, and bools are zeroed in `new`.
        unsafe { std::slice::from_raw_parts(self.block.as_ptr().cast::<T>(), self.len) }
    }

    /// The elements for writing. Panics like [`Buffer::slice`].
    pub(crate) fn slice_mut<T: Element>(&mut self) -> &mut [T] {
        assert_eq!(T::DTYPE, self.dtype, "storage written as another dtype");
        // SAFETY: as in `slice`; `&mut self` makes this the only reference.
        unsafe { std::slice::from_raw_parts_mut(self.block.as_ptr().cast::<T>(), self.len) }
    }
}

/// A buffer that tensors and their views share.
///
/// Readers and writers in different threads wait for each other. No code holds a lock while it asks
/// for a second one, except through [`Storage::update`], which fixes the order.
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

    /// The elements for writing. Nobody may hold another lock meanwhile.
    pub(crate) fn write<T: Element>(&self) -> MappedRwLockWriteGuard<'_, [T]> {
        let guard = self.buffer.write();
        self.version.fetch_add(1, Ordering::AcqRel);
        RwLockWriteGuard::map(guard, Buffer::slice_mut)
    }

    /// Writes this storage while reading `source`, which must be another one. The locks are taken
    /// in the order of their addresses, so that two threads updating crosswise cannot block each
    /// other for ever.
    pub(crate) fn update<T: Element, U: Element, R>(
        &self,
        source: &Storage,
        f: impl FnOnce(&mut [T], &[U]) -> R,
    ) -> R {
        if std::ptr::from_ref(self) < std::ptr::from_ref(source) {
            let mut target = self.write::<T>();
            f(&mut target, &source.read::<U>())
        } else {
            let source = source.read::<U>();
            f(&mut self.write::<T>(), &source)
        }
    }
}
