//! A file's bytes as memory: mapped privately and handed out in pieces that do not overlap.

use memmap2::{MmapOptions, MmapRaw};
use std::fs::File;
use std::sync::Arc;

/// A run of bytes of a file's mapping that nothing else refers to. A write copies the page for this
/// program alone, so that it never reaches the file.
pub(crate) struct Mapped {
    map: Arc<MmapRaw>,
    start: usize,
    len: usize,
}

impl Mapped {
    /// The whole file.
    ///
    /// # Errors
    /// What the system reports; pipes and folders, for example, cannot be mapped.
    pub(crate) fn new(file: &File) -> std::io::Result<Self> {
        // Nothing is set aside for copied pages: a file may be larger than the memory.
        let mut options = MmapOptions::new();
        let options = options.no_reserve_swap();
        // SAFETY: the mapping is private and kept as a raw one, without references; who makes them
        // from it argues there. What is left is the file's being changed by others meanwhile, which
        // no program can rule out. A file that gets shorter ends the program (SIGBUS) when the
        // missing part is touched. One that is written to may change numbers under the eyes of a
        // kernel. Each bit pattern is a valid number, bools are never mapped, and indices are
        // copied before they are checked, so that this gives other numbers and nothing worse. The
        // public functions that map say so in their documentation.
        let map = unsafe { options.map_copy(file)? };
        Ok(Self {
            start: 0,
            len: map.len(),
            map: Arc::new(map.into()),
        })
    }

    /// Keeps the first `at` bytes and returns the others.
    ///
    /// # Panics
    /// If there are fewer.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        assert!(at <= self.len, "a mapping split beyond its end");
        let rest = Self {
            map: self.map.clone(),
            start: self.start + at,
            len: self.len - at,
        };
        self.len = at;
        rest
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the bytes lie within the mapping, which lives as long as `self`; they are
        // initialised, being the file's. Pieces come from `new` and `split_off` only, so no two
        // overlap, and writing takes this one away (`Buffer::mapped`).
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len) }
    }

    pub(super) fn as_ptr(&self) -> *mut u8 {
        self.map.as_mut_ptr().wrapping_add(self.start)
    }
}
