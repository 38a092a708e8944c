//! Disjoint sets that several threads unite at once.
//!
//! A root is always the smallest member of its set, so what comes out does not depend on the order
//! in which threads come by (Anderson & Woll, "Wait-free parallel algorithms for the union-find
//! problem", 1991, with linking by number).

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Sets of the numbers below a count.
pub(super) struct UnionFind(Vec<AtomicU32>);

impl UnionFind {
    /// Every number alone.
    pub(super) fn new(n: usize) -> Self {
        Self((0..n as u32).map(AtomicU32::new).collect())
    }

    /// The smallest member of the set that `i` is in.
    pub(super) fn find(&self, mut i: u32) -> u32 {
        loop {
            let parent = self.0[i as usize].load(Relaxed);
            if parent == i {
                return i;
            }
            let grandparent = self.0[parent as usize].load(Relaxed);
            if grandparent != parent {
                // Shortens the way for the next. Whoever was here meanwhile has shortened it too.
                let cell = &self.0[i as usize];
                let _ = cell.compare_exchange_weak(parent, grandparent, Relaxed, Relaxed);
            }
            i = parent;
        }
    }

    /// Puts the sets of `a` and `b` together.
    pub(super) fn unite(&self, a: u32, b: u32) {
        let (mut a, mut b) = (self.find(a), self.find(b));
        while a != b {
            let (low, high) = (a.min(b), a.max(b));
            // Only a root may be linked; if it is none any more, look again.
            match self.0[high as usize].compare_exchange(high, low, Relaxed, Relaxed) {
                Ok(_) => return,
                Err(_) => (a, b) = (self.find(low), self.find(high)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_united_by_several_threads_are_those_of_one() {
        let n = 3000u32;
        // A chain of each residue, united in pieces that cross.
        let sets = UnionFind::new(n as usize);
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let sets = &sets;
                scope.spawn(move || {
                    for i in (0..n - 7).filter(|i| (i / 7) % 3 == thread) {
                        sets.unite(i + 7, i);
                    }
                });
            }
        });
        assert!((0..n).all(|i| sets.find(i) == i % 7));
    }
}
