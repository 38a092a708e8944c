//! The order in which points are visited, and what it decides.
//!
//! The textbook's algorithm (Ester, Kriegel, Sander & Xu, "A density-based algorithm for discovering
//! clusters", 1996) takes the points one after the other. From a core point that belongs to no
//! cluster yet it begins one and completes it before it goes on. So clusters are numbered by their
//! first core point in that order, and a border point in reach of several belongs to the one that
//! was begun first. Core points, their clusters and noise do not depend on the order at all. That is
//! why the labels of every order follow from the sets of core points, without walking.

use super::density::NONE;

/// Numbers clusters and settles border points.
pub(super) struct Visit {
    /// When each row is visited; in the order of the rows if there are none.
    when: Option<Vec<u32>>,
}

impl Visit {
    /// By the rows that are visited one after the other.
    pub(super) fn new(order: Option<&[usize]>) -> Self {
        let when = order.map(|order| {
            let mut when = vec![0; order.len()];
            for (time, &row) in order.iter().enumerate() {
                when[row] = time as u32;
            }
            when
        });
        Self { when }
    }

    #[inline(always)]
    pub(super) fn when(&self, row: u32) -> u32 {
        self.when.as_ref().map_or(row, |when| when[row as usize])
    }

    /// The label of each root: `roots` has the root and the row of each core point. Also when each
    /// cluster is begun.
    pub(super) fn number(
        &self,
        n: usize,
        cores: impl Iterator<Item = (u32, u32)>,
    ) -> (Vec<u32>, Vec<u32>) {
        let mut labels = vec![NONE; n];
        for (root, row) in cores {
            let begun = &mut labels[root as usize];
            *begun = (*begun).min(self.when(row));
        }
        let begun = labels
            .iter()
            .enumerate()
            .filter(|&(_, &begun)| begun != NONE);
        let mut clusters: Vec<(u32, u32)> =
            begun.map(|(root, &begun)| (begun, root as u32)).collect();
        clusters.sort_unstable();
        for (label, &(_, root)) in clusters.iter().enumerate() {
            labels[root as usize] = label as u32;
        }
        (
            labels,
            clusters.into_iter().map(|(begun, _)| begun).collect(),
        )
    }
}
