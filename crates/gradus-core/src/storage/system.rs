//! Memory from the operating system.

use memmap2::{MmapOptions, MmapRaw};
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// Wide enough for AVX-512 and for a cache line.
pub(super) const ALIGN: usize = 64;
/// From this size on a region is a mapping of its own: the allocator would write zeros over pages
/// that are zero already, and keep what is handed back.
const MAPPED: usize = 128 << 10;
/// A page of this size costs about a quarter of the time of the small ones in its place. The system
/// puts mappings at multiples of it whose length is one.
const HUGE_PAGE: usize = 2 << 20;

/// Bytes that nothing else refers to, aligned to 64 and all 0 at first. Dropping hands them back.
pub(super) enum Region {
    Heap { start: NonNull<u8>, layout: Layout },
    Mapped(MmapRaw),
}

// SAFETY: a region is plain memory that nothing else refers to; who may touch it through a shared
// reference is up to `Storage`'s lock.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    /// At least `bytes` bytes, of which there must be one; `None` if the system has no such amount.
    pub(super) fn new(bytes: usize) -> Option<Self> {
        if bytes < MAPPED {
            let layout = Layout::from_size_align(bytes.max(1), ALIGN).ok()?;
            // SAFETY: the layout's size is not 0.
            let start = NonNull::new(unsafe { alloc_zeroed(layout) })?;
            return Some(Self::Heap { start, layout });
        }
        let length = match bytes {
            HUGE_PAGE.. => bytes.checked_next_multiple_of(HUGE_PAGE)?,
            _ => bytes,
        };
        let map = MmapRaw::from(MmapOptions::new().len(length).map_anon().ok()?);
        // What is beyond the last whole huge page stays in small ones: it may never be touched. A
        // system without huge pages says no, which is no reason to do without the memory.
        #[cfg(target_os = "linux")]
        let _ = map.advise_range(memmap2::Advice::HugePage, 0, bytes / HUGE_PAGE * HUGE_PAGE);
        Some(Self::Mapped(map))
    }

    pub(super) fn as_ptr(&self) -> *mut u8 {
        match self {
            Self::Heap { start, .. } => start.as_ptr(),
            Self::Mapped(map) => map.as_mut_ptr(),
        }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if let Self::Heap { start, layout } = *self {
            // SAFETY: `new` allocated it with this layout, and nothing else refers to it.
            unsafe { dealloc(start.as_ptr(), layout) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_of_all_sizes_are_aligned_zero_and_writable_to_the_end() {
        for bytes in [1, 64, MAPPED - 1, MAPPED, HUGE_PAGE, HUGE_PAGE + 1, 5 << 20] {
            let region = Region::new(bytes).unwrap();
            assert_eq!(region.as_ptr() as usize % ALIGN, 0, "{bytes}");
            // SAFETY: the region has that many bytes, and this is the only reference to them.
            let content = unsafe { std::slice::from_raw_parts_mut(region.as_ptr(), bytes) };
            assert!(content.iter().all(|&b| b == 0), "{bytes}");
            content.fill(7);
        }
    }

    #[test]
    fn what_no_system_has_is_refused() {
        for bytes in [1 << 50, 1 << 62, isize::MAX as usize, usize::MAX] {
            assert!(Region::new(bytes).is_none(), "{bytes}");
        }
    }
}
