//! The three passes of the parallel algorithm, over the groups of an index: which points are core
//! points, which of those belong together, and which clusters border points are reached from.
//!
//! Each pass looks its neighbours up again, so nothing is stored for them: beside its points the
//! algorithm keeps a flag, a parent and a label for each. Groups whose points are all neighbours
//! ("tight") are dealt with as a whole: a full one has only core points, and its core points are one
//! set from the start. Of two groups whose core points are one set each ("joined") no more than one
//! pair has to be found.

use super::bounds::{self, Bounds};
use super::index::{BLOCK, Index, Walk};
use super::kernel;
use super::metric::{Coordinate, Distance};
use super::union_find::UnionFind;
use super::watch::Watch;
use gradus_core::compute::{self, Loop, vectorize};
use std::marker::PhantomData;
use std::ops::{ControlFlow, Range};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// No place, or no label.
pub(super) const NONE: u32 = u32::MAX;
/// Pairs of points from which on it is worth looking at boxes first.
const MANY_PAIRS: usize = 4096;

/// What makes a core point.
#[derive(Clone, Copy)]
pub(super) struct Need<'a> {
    pub min_samples: usize,
    /// The weight of each row; each counts 1 if there are none.
    pub weights: Option<&'a [f64]>,
    /// Whether no weight is negative, so that enough is enough.
    pub growing: bool,
}

pub(super) struct Density<'a, T, M> {
    pub index: &'a dyn Index<T>,
    pub limit: T,
    pub need: Need<'a>,
    pub metric: PhantomData<M>,
}

/// Which places hold core points.
pub(super) struct Cores {
    flags: Vec<AtomicBool>,
    /// The first of them in each group.
    first: Vec<AtomicU32>,
    /// Of each group whether they are known to be one set.
    joined: Vec<AtomicBool>,
}

impl Cores {
    #[inline(always)]
    pub(super) fn has(&self, place: usize) -> bool {
        self.flags[place].load(Relaxed)
    }

    #[inline(always)]
    fn first(&self, group: usize) -> u32 {
        self.first[group].load(Relaxed)
    }

    #[inline(always)]
    fn are_joined(&self, group: usize) -> bool {
        self.joined[group].load(Relaxed)
    }

    /// Whether the core points of a group at these places are one set by now. If they are, they stay
    /// so, whoever looks at them meanwhile.
    #[inline(always)]
    fn join(&self, group: usize, mut places: Range<usize>, set: impl Fn(u32) -> u32) -> bool {
        if self.are_joined(group) {
            return true;
        }
        let first = set(self.first(group));
        let joined = places.all(|place| !self.has(place) || set(place as u32) == first);
        if joined {
            self.joined[group].store(true, Relaxed);
        }
        joined
    }
}

/// What a task works with.
struct Desk<T> {
    walk: Walk,
    near: Vec<Range<usize>>,
    places: Vec<Range<usize>>,
    query: Vec<T>,
}

impl<T: Coordinate> Desk<T> {
    fn new(dims: usize) -> Self {
        Self {
            walk: Walk::default(),
            near: Vec::new(),
            places: Vec::new(),
            query: vec![T::ZERO; dims],
        }
    }
}

/// A pass over some groups, compiled for the processor.
struct Pass<'a, T, M, F> {
    density: &'a Density<'a, T, M>,
    groups: Range<usize>,
    one: F,
}

/// What a pass does with one group.
trait One<T, M> {
    fn group(&self, density: &Density<'_, T, M>, desk: &mut Desk<T>, g: usize);
}

impl<T: Coordinate, M: Distance, F: One<T, M>> Loop for Pass<'_, T, M, F> {
    type Output = ();
    #[inline(always)]
    fn call(self) {
        let mut desk = Desk::new(self.density.index.points().dims);
        for g in self.groups {
            self.one.group(self.density, &mut desk, g);
        }
    }
}

impl<T: Coordinate, M: Distance> Density<'_, T, M> {
    fn each(&self, pass: usize, watch: &mut Watch<'_>, one: impl One<T, M> + Copy + Sync) {
        let step = self.index.per_task();
        watch.run(pass, self.index.groups().div_ceil(step), |task| {
            self.some(self.task(task), one);
        });
    }

    /// The groups of a task.
    fn task(&self, task: usize) -> Range<usize> {
        let step = self.index.per_task();
        task * step..((task + 1) * step).min(self.index.groups())
    }

    fn some(&self, groups: Range<usize>, one: impl One<T, M>) {
        let density = self;
        vectorize(Pass {
            density,
            groups,
            one,
        });
    }

    /// Each place holds a core point, or none does; in groups that are not joined unless they are tight.
    fn all_cores(&self, yes: bool) -> Cores {
        let groups = 0..self.index.groups();
        let first = |g: usize| {
            if yes {
                self.index.group(g).start as u32
            } else {
                NONE
            }
        };
        Cores {
            flags: (0..self.index.points().n).map(|_| yes.into()).collect(),
            first: groups.clone().map(|g| first(g).into()).collect(),
            joined: groups.map(|g| self.index.is_tight(g).into()).collect(),
        }
    }

    /// Finds the core points.
    pub(super) fn cores(&self, watch: &mut Watch<'_>) -> Cores {
        let cores = self.all_cores(false);
        self.each(0, watch, FindCores(&cores));
        cores
    }

    /// Tries the first two passes on `row` groups in every `step`, on this thread, until they have taken
    /// so long. Returns of how many groups; in the second pass all points are core points.
    pub(super) fn sample(&self, step: usize, row: usize, most: Duration) -> usize {
        let (begun, groups) = (Instant::now(), self.index.groups());
        let (none, all) = (self.all_cores(false), self.all_cores(true));
        let sets = UnionFind::new(self.index.points().n);
        // No more at a time than a task has, where groups take long.
        let few = row.min(self.index.per_task());
        let rows = (0..groups).step_by(step);
        let rows = rows.flat_map(|start| (start..(start + row).min(groups)).step_by(few));
        let mut tried = 0;
        for g in rows {
            let some = g..(g + few).min(groups);
            tried += some.len();
            self.some(some.clone(), FindCores(&none));
            self.some(some, Unite(&all, &sets));
            if begun.elapsed() > most {
                break;
            }
        }
        tried
    }

    /// Puts core points that are neighbours into one set, and so on.
    pub(super) fn unite(&self, cores: &Cores, watch: &mut Watch<'_>) -> UnionFind {
        let sets = UnionFind::new(self.index.points().n);
        let tasks = self.index.groups().div_ceil(self.index.per_task());
        compute::run(tasks, |task| {
            let groups = self.task(task);
            for g in groups.filter(|&g| self.index.is_tight(g) && cores.first(g) != NONE) {
                for place in self.index.group(g).filter(|&place| cores.has(place)) {
                    sets.unite(place as u32, cores.first(g));
                }
            }
        });
        self.each(1, watch, Unite(cores, &sets));
        sets
    }

    /// Gives each point that is no core point the lowest of the labels of core points in reach.
    /// `labels` has those of core points, and `NONE` for all others.
    pub(super) fn borders(&self, cores: &Cores, labels: &[AtomicU32], watch: &mut Watch<'_>) {
        let tasks = self.index.groups().div_ceil(self.index.per_task());
        compute::run(tasks, |task| {
            for g in self.task(task).filter(|&g| cores.first(g) != NONE) {
                let label = |place: u32| labels[place as usize].load(Relaxed);
                cores.join(g, self.index.group(g), label);
            }
        });
        self.each(2, watch, Borders(cores, labels));
    }

    /// Looks up the places that could hold neighbours of a group: `desk.places`; without the group
    /// itself if that is told.
    fn look(&self, desk: &mut Desk<T>, g: usize, without: bool) {
        let starts = self.index.starts();
        desk.near.clear();
        desk.places.clear();
        self.index.near(&mut desk.walk, g, &mut desk.near);
        for near in &desk.near {
            let places = |from: usize, to: usize| starts[from] as usize..starts[to] as usize;
            if without && near.contains(&g) {
                let both = [places(near.start, g), places(g + 1, near.end)];
                desk.places.extend(both);
            } else {
                desk.places.push(places(near.start, near.end));
            }
        }
        // The boxes of an index belong to its groups: then every run is one, and `near` and
        // `places` stay in step.
        desk.places.retain(|places| !places.is_empty());
        if without && self.index.bounds(g).is_some() {
            desk.near.retain(|near| !near.contains(&g));
        }
    }

    /// Which of a block of points are too far from a box.
    #[inline(always)]
    fn too_far(&self, block: Range<usize>, around: (&[T], &[T]), query: &mut [T]) -> [bool; BLOCK] {
        let points = self.index.points();
        let mut far = [false; BLOCK];
        if block.len() == BLOCK {
            let reaches = kernel::reaches::<T, M, BLOCK>(points, block.start, around);
            for (far, &reach) in far.iter_mut().zip(&reaches) {
                *far = reach > self.limit;
            }
        } else {
            for (far, place) in far.iter_mut().zip(block) {
                points.read(place, query);
                *far = bounds::reach::<T, M>(query, around.0, around.1) > self.limit;
            }
        }
        far
    }
}

#[derive(Clone, Copy)]
struct FindCores<'a>(&'a Cores);

impl<T: Coordinate, M: Distance> One<T, M> for FindCores<'_> {
    #[inline(always)]
    fn group(&self, density: &Density<'_, T, M>, desk: &mut Desk<T>, g: usize) {
        let (index, need) = (density.index, density.need);
        let range = index.group(g);
        let set = |place: usize| {
            self.0.flags[place].store(true, Relaxed);
            self.0.first[g].fetch_min(place as u32, Relaxed);
        };
        let tight = index.is_tight(g);
        if let Some(weights) = need.weights {
            return heavy::<T, M>(density, desk, g, weights, set);
        }
        if tight && range.len() >= need.min_samples {
            return range.for_each(set);
        }
        density.look(desk, g, tight);
        let points = index.points();
        let Desk {
            near,
            places,
            query,
            ..
        } = desk;
        // For several blocks it is worth making boxes that the index does not keep.
        let kept = index.bounds(g).is_some();
        let made: Vec<Bounds<T>> = if range.len() > BLOCK && !kept {
            let made = places.iter();
            made.map(|places| Bounds::of(points, places.clone()))
                .collect()
        } else {
            Vec::new()
        };
        for block in range.clone().step_by(BLOCK) {
            let block = block..(block + BLOCK).min(range.end);
            let mut counts = [if tight { range.len() } else { 0 }; BLOCK];
            for (number, places) in places.iter().enumerate() {
                let around = if kept {
                    index.bounds(near[number].start)
                } else {
                    made.get(number).map(Bounds::sides)
                };
                if let (Some(own), Some(around)) = (index.bounds(g), around)
                    && bounds::farthest::<T, M>(own, around) <= density.limit
                {
                    counts.iter_mut().for_each(|count| *count += places.len());
                    continue;
                }
                let far = around.map_or([false; BLOCK], |around| {
                    density.too_far(block.clone(), around, query)
                });
                let mut open = false;
                for (i, place) in block.clone().enumerate() {
                    if counts[i] < need.min_samples && !far[i] {
                        points.read(place, query);
                        let enough = need.min_samples - counts[i];
                        let (limit, places) = (density.limit, places.clone());
                        counts[i] += kernel::count::<T, M>(points, query, places, limit, enough);
                    }
                    open |= counts[i] < need.min_samples;
                }
                if !open {
                    break;
                }
            }
            for (place, &count) in block.zip(&counts) {
                if count >= need.min_samples {
                    set(place);
                }
            }
        }
    }
}

/// [`FindCores`] where each point counts its weight.
#[inline(never)]
fn heavy<T: Coordinate, M: Distance>(
    density: &Density<'_, T, M>,
    desk: &mut Desk<T>,
    g: usize,
    weights: &[f64],
    set: impl Fn(usize),
) {
    let (points, need) = (density.index.points(), density.need);
    let range = density.index.group(g);
    let tight = density.index.is_tight(g);
    let weight = |place: usize| weights[points.order[place] as usize];
    let start = if tight {
        range.clone().map(weight).sum()
    } else {
        0.0
    };
    let enough = |sum: f64| sum >= need.min_samples as f64;
    if tight && need.growing && enough(start) {
        return range.for_each(set);
    }
    density.look(desk, g, tight);
    for place in range {
        let mut sum: f64 = start;
        points.read(place, &mut desk.query);
        for places in &desk.places {
            let hit = |other, _| {
                sum += weight(other);
                if need.growing && enough(sum) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            };
            let (query, places) = (&desk.query, places.clone());
            if kernel::search::<T, M>(points, query, places, density.limit, hit).is_break() {
                break;
            }
        }
        if enough(sum) {
            set(place);
        }
    }
}

#[derive(Clone, Copy)]
struct Unite<'a>(&'a Cores, &'a UnionFind);

impl<T: Coordinate, M: Distance> One<T, M> for Unite<'_> {
    #[inline(always)]
    fn group(&self, density: &Density<'_, T, M>, desk: &mut Desk<T>, g: usize) {
        let Self(cores, sets) = *self;
        let index = density.index;
        let own = cores.first(g);
        if own == NONE {
            return;
        }
        density.look(desk, g, false);
        let Desk { near, query, .. } = desk;
        let find = |place| sets.find(place);
        // Every pair of groups once, from the earlier one; itself first, unless that is in vain.
        let from = g + usize::from(cores.are_joined(g));
        for other in near.iter().flat_map(|near| near.start.max(from)..near.end) {
            let theirs = cores.first(other);
            if theirs == NONE {
                continue;
            }
            let both =
                cores.join(g, index.group(g), find) && cores.join(other, index.group(other), find);
            if both && find(own) == find(theirs) {
                continue;
            }
            let places = index.group(other);
            let computed = match index.bounds(other) {
                None if index.group(g).len() * places.len() > MANY_PAIRS => {
                    Some(Bounds::of(index.points(), places.clone()))
                }
                _ => None,
            };
            let around = computed.as_ref().map(Bounds::sides);
            let around = around.or_else(|| index.bounds(other));
            let range = index.group(g);
            for block in range.clone().step_by(BLOCK) {
                let block = block..(block + BLOCK).min(range.end);
                let far = around.map_or([false; BLOCK], |around| {
                    density.too_far(block.clone(), around, query)
                });
                let some = |(i, place): &(usize, usize)| !far[*i] && cores.has(*place);
                for (_, place) in block.enumerate().filter(some) {
                    index.points().read(place, query);
                    let hit = |found: usize, _| {
                        if cores.has(found) {
                            sets.unite(place as u32, found as u32);
                            if both {
                                return ControlFlow::Break(());
                            }
                        }
                        ControlFlow::Continue(())
                    };
                    let (points, places, limit) = (index.points(), places.clone(), density.limit);
                    if kernel::search::<T, M>(points, query, places, limit, hit).is_break() {
                        break;
                    }
                }
                if both && find(own) == find(theirs) {
                    break;
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Borders<'a>(&'a Cores, &'a [AtomicU32]);

impl<T: Coordinate, M: Distance> One<T, M> for Borders<'_> {
    #[inline(always)]
    fn group(&self, density: &Density<'_, T, M>, desk: &mut Desk<T>, g: usize) {
        let Self(cores, labels) = *self;
        let index = density.index;
        if index.group(g).all(|place| cores.has(place)) {
            return;
        }
        density.look(desk, g, false);
        let Desk { near, query, .. } = desk;
        let range = index.group(g);
        for block in range.clone().step_by(BLOCK) {
            let block = block..(block + BLOCK).min(range.end);
            let mut lowest = [NONE; BLOCK];
            for other in near.iter().flat_map(Range::clone) {
                if cores.first(other) == NONE {
                    continue;
                }
                // All core points of a joined group have this label.
                let joined = cores.are_joined(other);
                let label = labels[cores.first(other) as usize].load(Relaxed);
                let settled = |place, lowest: u32| cores.has(place) || joined && lowest <= label;
                if block
                    .clone()
                    .enumerate()
                    .all(|(i, place)| settled(place, lowest[i]))
                {
                    continue;
                }
                let places = index.group(other);
                let made = (index.bounds(other).is_none() && places.len() > MANY_PAIRS / BLOCK)
                    .then(|| Bounds::of(index.points(), places.clone()));
                let around = made.as_ref().map(Bounds::sides);
                let around = around.or_else(|| index.bounds(other));
                let far = around.map_or([false; BLOCK], |around| {
                    density.too_far(block.clone(), around, query)
                });
                for (i, place) in block.clone().enumerate() {
                    if far[i] || settled(place, lowest[i]) {
                        continue;
                    }
                    index.points().read(place, query);
                    let hit = |found: usize, _| {
                        if !cores.has(found) {
                            return ControlFlow::Continue(());
                        }
                        lowest[i] = lowest[i].min(labels[found].load(Relaxed));
                        if joined {
                            ControlFlow::Break(())
                        } else {
                            ControlFlow::Continue(())
                        }
                    };
                    let (points, places) = (index.points(), places.clone());
                    let _ = kernel::search::<T, M>(points, query, places, density.limit, hit);
                }
            }
            for (place, &label) in block.zip(&lowest) {
                if !cores.has(place) {
                    labels[place].store(label, Relaxed);
                }
            }
        }
    }
}
