//! From samples to batches: in which order, and in which threads.
//!
//! Two things fix every batch: the order of its epoch, drawn from (seed, epoch), and its number.
//! Nothing else enters, so a batch has the same bits whichever thread makes it and whichever batch
//! was asked for before it. Only a loader that is told to draw its seeds follows what was drawn
//! before.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use gradus_core::random::{self, Generator};
use gradus_core::{Error, Kind, Result, Tensor, no_grad, single_threaded};

use super::Dataset;

/// An input batch and its targets, or why it could not be made.
type Batch = Result<(Tensor, Tensor)>;

/// Cuts a dataset into batches, again for every epoch.
///
/// The batches of an epoch depend on the seed and the number of the epoch alone: not on the number
/// of workers, and not on what was read before. Training that stopped after batch `b` of epoch `e`
/// goes on with `iter_from(e, b)`.
///
/// ```
/// use gradus::data::{self, DataLoader};
///
/// let loader = DataLoader::new(data::digits()?.train, 32)?.shuffle(0).workers(2);
/// assert_eq!(loader.len(), 45);
/// for epoch in 0..2 {
///     for (x, y) in &loader {
///         assert_eq!(&x.shape()[1..], [1, 8, 8]);
///         assert_eq!(y.shape()[0], x.shape()[0]);
///     }
/// }
/// # Ok::<(), gradus::Error>(())
/// ```
pub struct DataLoader {
    dataset: Arc<dyn Dataset>,
    batch_size: usize,
    order: Order,
    drop_last: bool,
    workers: usize,
    /// The number of the epoch that the next plain iteration takes.
    next_epoch: AtomicU64,
}

/// Where the order of an epoch comes from.
enum Order {
    /// It is that of the dataset.
    Given,
    /// From this seed and the number of the epoch.
    Seeded(u64),
    /// From the calling thread's generator; or that of the dataset, and only the seed for the
    /// batches is drawn.
    Drawn { shuffle: bool },
    /// By weights, whose running sums these are, from this seed and the number of the epoch.
    Weighted { sums: Vec<f64>, seed: u64 },
}

impl DataLoader {
    /// Batches of `batch_size` samples of `dataset`: in order, the last one smaller if it must be,
    /// made in the calling thread. To go on using the dataset, hand over an `Arc` of it.
    ///
    /// # Errors
    /// If `batch_size` is 0 or the dataset is empty.
    ///
    /// ```
    /// use gradus::{Tensor, data::{DataLoader, TensorDataset}};
    /// let set = TensorDataset::new(Tensor::zeros([10, 3]), Tensor::zeros([10]))?;
    /// let sizes: Vec<_> = DataLoader::new(set, 4)?.into_iter().map(|(x, _)| x.shape()[0]).collect();
    /// assert_eq!(sizes, [4, 4, 2]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new(dataset: impl Dataset + 'static, batch_size: usize) -> Result<Self> {
        if batch_size == 0 {
            let message = "DataLoader: batch_size must be at least 1, got 0";
            return Err(Error::new(Kind::Value, message));
        }
        if dataset.is_empty() {
            let message = "DataLoader: the dataset is empty, expected at least one sample";
            return Err(Error::new(Kind::Data, message));
        }
        Ok(Self {
            dataset: Arc::new(dataset),
            batch_size,
            order: Order::Given,
            drop_last: false,
            workers: 0,
            next_epoch: AtomicU64::new(0),
        })
    }

    /// Takes the samples in a new random order at every epoch, drawn from `seed` and the number of
    /// the epoch. Default: in order.
    #[must_use]
    pub fn shuffle(mut self, seed: u64) -> Self {
        self.order = Order::Seeded(seed);
        self
    }

    /// Draws the seeds of each epoch from the calling thread's generator when the epoch begins, as
    /// PyTorch's loader does: one for what the samples draw and, if `shuffle`, one for the order.
    /// After [`manual_seed_compat`](random::manual_seed_compat) with PyTorch's stream the orders are
    /// PyTorch's.
    ///
    /// An epoch then depends on what was drawn before and not on its number, so to repeat one, or
    /// to go on within it, put the generator back first (see [`random::set_generator`]).
    ///
    /// ```
    /// use gradus::data::{DataLoader, TensorDataset};
    /// use gradus::{Tensor, random::{self, Compat}};
    ///
    /// let numbers = Tensor::from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    /// let loader = DataLoader::new(TensorDataset::new(numbers.clone(), numbers)?, 4)?.drawn(true);
    /// random::manual_seed_compat(0, Compat::Torch);
    /// let first = loader.iter().next().unwrap()?.0;
    /// assert_eq!(first.to_vec::<i64>()?, [6, 7, 1, 4]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn drawn(mut self, shuffle: bool) -> Self {
        self.order = Order::Drawn { shuffle };
        self
    }

    /// Draws samples by their weights, at every epoch as many as there are, each independently of the
    /// others, from `seed` and the number of the epoch: PyTorch's `WeightedRandomSampler`. With
    /// [`balanced_weights`](super::balanced_weights) every class comes equally often.
    ///
    /// # Errors
    /// If there is not a weight for each sample; if one is negative or not finite, or all are 0.
    ///
    /// ```
    /// use gradus::{Tensor, data::{DataLoader, TensorDataset}};
    /// let set = TensorDataset::new(Tensor::from([0.0, 1.0, 2.0]), Tensor::from([0, 0, 0]))?;
    /// let loader = DataLoader::new(set, 3)?.weighted(&[0.0, 5.0, 0.0], 0)?;
    /// assert_eq!(loader.iter().next().unwrap()?.0.to_vec::<f32>()?, [1.0, 1.0, 1.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn weighted(mut self, weights: &[f64], seed: u64) -> Result<Self> {
        let samples = self.dataset.len();
        if weights.len() != samples {
            let message = format!(
                "DataLoader: expected a weight for each of {samples} samples, got {}",
                weights.len()
            );
            return Err(Error::new(Kind::Value, message));
        }
        if let Some(i) = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
            let message = format!(
                "DataLoader: weights must be finite and not negative, got {} for sample {i}",
                weights[i]
            );
            return Err(Error::new(Kind::Value, message));
        }
        let running = |sum: &mut f64, w: &f64| {
            *sum += w;
            Some(*sum)
        };
        let sums: Vec<f64> = weights.iter().scan(0.0, running).collect();
        let total = sums[samples - 1];
        if !(total > 0.0 && total.is_finite()) {
            let message = format!("DataLoader: the weights must have a sum above 0, got {total}");
            return Err(Error::new(Kind::Value, message));
        }
        self.order = Order::Weighted { sums, seed };
        Ok(self)
    }

    /// Whether samples that do not fill a last batch are left out. Then a dataset smaller than a
    /// batch gives none at all. Default: no.
    #[must_use]
    pub fn drop_last(mut self, drop_last: bool) -> Self {
        self.drop_last = drop_last;
        self
    }

    /// Makes batches ahead in this many background threads, each up to two. The batches stay the
    /// same, and so does their order. Default: 0, each batch is made when it is asked for, in the
    /// calling thread; that is the best for data in memory, which cost less than a hand-over.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// The number of batches of an epoch.
    pub fn len(&self) -> usize {
        let samples = self.dataset.len();
        if self.drop_last {
            samples / self.batch_size
        } else {
            samples.div_ceil(self.batch_size)
        }
    }

    /// Whether an epoch has no batches: [`drop_last`](DataLoader::drop_last) and fewer samples than
    /// a batch.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of samples of every batch but the last.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// The dataset whose samples these are.
    pub fn dataset(&self) -> &Arc<dyn Dataset> {
        &self.dataset
    }

    /// The batches of the next epoch, from epoch 0 on: each call begins another one, finished or
    /// not, and so does a `for` loop over `&loader`. An item is a batch or why it could not be
    /// made; the batches after it can still be asked for.
    ///
    /// ```
    /// # use gradus::data::{self, DataLoader};
    /// let loader = DataLoader::new(data::digits()?.test, 100)?;
    /// for batch in loader.iter() {
    ///     let (x, _y) = batch?;
    ///     assert!(x.shape()[0] <= 100);
    /// }
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn iter(&self) -> Batches {
        self.epoch(self.next_epoch.fetch_add(1, Ordering::Relaxed))
    }

    /// The batches of epoch number `epoch`. The counting of [`iter`](DataLoader::iter) is left
    /// alone.
    ///
    /// ```
    /// # use gradus::data::{self, DataLoader};
    /// let loader = DataLoader::new(data::digits()?.test, 100)?.shuffle(7);
    /// let labels = |epoch| loader.epoch(epoch).next().unwrap()?.1.to_vec::<i64>();
    /// assert_eq!(labels(3)?, labels(3)?);
    /// assert_ne!(labels(3)?, labels(4)?);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn epoch(&self, epoch: u64) -> Batches {
        self.iter_from(epoch, 0)
    }

    /// The batches of epoch number `epoch` from batch number `first_batch` on, counted from 0:
    /// those that a training stopped before `first_batch` has still to see. None if there are no
    /// more than `first_batch`.
    ///
    /// ```
    /// # use gradus::data::{self, DataLoader};
    /// let loader = DataLoader::new(data::digits()?.train, 100)?.shuffle(7);
    /// let whole = loader.epoch(2).nth(10).unwrap()?.0.to_vec::<f32>()?;
    /// let resumed = loader.iter_from(2, 10).next().unwrap()?.0.to_vec::<f32>()?;
    /// assert_eq!(whole, resumed);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn iter_from(&self, epoch: u64, first_batch: usize) -> Batches {
        let samples = self.dataset.len();
        let seeded = |seed: u64| Generator::from_parts(&[seed, epoch]);
        let given = || (0..samples).collect();
        let (stream, order) = match &self.order {
            Order::Given => ([0, epoch], given()),
            Order::Seeded(seed) => ([*seed, epoch], seeded(*seed).permutation(samples)),
            Order::Drawn { shuffle } => random::with_generator(|g| {
                let seed = g.spawn().next_u64();
                let order = match shuffle {
                    true => g.spawn().permutation(samples),
                    false => given(),
                };
                ([seed, 0], order)
            }),
            Order::Weighted { sums, seed } => {
                let mut g = seeded(*seed);
                let total = sums[samples - 1];
                // A product that is rounded up to the total would belong to nobody.
                let mut draw = |_| (g.uniform() * total).min(total.next_down());
                let sample = |x: f64| sums.partition_point(|&sum| sum <= x);
                (
                    [*seed, epoch],
                    (0..samples).map(|i| sample(draw(i))).collect(),
                )
            }
        };
        let plan = Arc::new(Plan {
            dataset: self.dataset.clone(),
            order,
            batch_size: self.batch_size,
            stream,
            epoch,
        });
        let batches = self.len();
        let next = first_batch.min(batches);
        // A worker without a single batch to make would be started for nothing.
        let workers = self.workers.min(batches - next);
        Batches {
            workers: (0..workers)
                .map(|w| plan.clone().work(next + w, batches, workers))
                .collect(),
            plan,
            next,
            end: batches,
            turn: 0,
        }
    }
}

/// As [`iter`](DataLoader::iter), but with batches instead of results.
///
/// # Panics
/// With the error's message, if a batch cannot be made.
impl IntoIterator for &DataLoader {
    type Item = (Tensor, Tensor);
    type IntoIter = std::iter::Map<Batches, fn(Batch) -> (Tensor, Tensor)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
            .map(|batch| batch.unwrap_or_else(|e| panic!("{e}")))
    }
}

/// One epoch as everybody who makes batches of it sees it.
struct Plan {
    dataset: Arc<dyn Dataset>,
    order: Vec<usize>,
    batch_size: usize,
    /// What random numbers of the batches follow from, beside their own numbers.
    stream: [u64; 2],
    epoch: u64,
}

impl Plan {
    /// Makes batch number `batch`, the same in any thread: gradients are off, random numbers come
    /// from a stream of its own, and a panic of the dataset becomes an error.
    fn make(&self, batch: usize) -> Batch {
        let start = batch * self.batch_size;
        let end = (start + self.batch_size).min(self.order.len());
        let [seed, epoch] = self.stream;
        let generator = Generator::from_parts(&[seed, epoch, batch as u64]);
        let read = || no_grad(|| self.dataset.batch(&self.order[start..end]));
        // A dataset is only ever shared, so a panic cannot leave it half changed unless it has
        // locks of its own, and those know that they are poisoned.
        catch_unwind(AssertUnwindSafe(|| random::scoped(generator, read)))
            .unwrap_or_else(|panic| {
                let message = format!("the dataset panicked: {}", text(&*panic));
                Err(Error::new(Kind::Data, message))
            })
            .map_err(|e| e.at(format_args!("batch {batch} of epoch {}", self.epoch)))
    }

    /// A thread that makes the batches first, first + step, … below `end` and hands them over.
    fn work(self: Arc<Self>, first: usize, end: usize, step: usize) -> Receiver<Batch> {
        // One batch waits in the channel, the next in the hands of the worker.
        let (sender, receiver): (SyncSender<Batch>, _) = sync_channel(1);
        let worker = move || {
            for batch in (first..end).step_by(step) {
                // The processors are for the thread that trains.
                let made = single_threaded(|| self.make(batch));
                // Nobody listens any more: the iterator was dropped.
                if sender.send(made).is_err() {
                    return;
                }
            }
        };
        // Without the thread its channel is closed, which `Batches::next` can do with.
        let _ = thread::Builder::new()
            .name("gradus-loader".to_owned())
            .spawn(worker);
        receiver
    }
}

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> &str {
    let string = panic.downcast_ref::<String>().map(String::as_str);
    string
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

/// The batches of one epoch, in order; see [`DataLoader::iter`].
///
/// When this is dropped, its threads end, each after the batch it is at.
pub struct Batches {
    plan: Arc<Plan>,
    next: usize,
    end: usize,
    /// The workers take turns: worker 0 makes the first batch, worker 1 the second …
    workers: Vec<Receiver<Batch>>,
    turn: usize,
}

impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let batch = self.next;
        if batch == self.end {
            return None;
        }
        self.next += 1;
        let Some(worker) = self.workers.get(self.turn) else {
            return Some(self.plan.make(batch));
        };
        self.turn = (self.turn + 1) % self.workers.len();
        // A thread that the system would not start: its batches are made here.
        Some(worker.recv().unwrap_or_else(|_| self.plan.make(batch)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.end - self.next, Some(self.end - self.next))
    }
}

impl ExactSizeIterator for Batches {}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_core::random::Compat;
    use std::sync::atomic::AtomicUsize;
    use std::time::{Duration, Instant};

    /// Sample i is (i, a random number). Some samples can be made to fail, panic or take long.
    #[derive(Default)]
    struct Probe {
        len: usize,
        fails: Option<usize>,
        panics: Option<usize>,
        slow: Option<usize>,
        reads: Arc<AtomicUsize>,
    }

    impl Dataset for Probe {
        fn len(&self) -> usize {
            self.len
        }

        fn get(&self, index: usize) -> Result<(Tensor, Tensor)> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            if self.slow == Some(index) {
                thread::sleep(Duration::from_millis(30));
            }
            if self.fails == Some(index) {
                return Err(Error::new(Kind::Data, format!("sample {index} is broken")));
            }
            assert_ne!(self.panics, Some(index), "sample {index} is a bug");
            Ok((Tensor::from(index as f64), Tensor::rand([])?))
        }
    }

    fn probe(len: usize) -> Probe {
        Probe {
            len,
            ..Probe::default()
        }
    }

    fn loader(dataset: Probe, batch_size: usize) -> DataLoader {
        DataLoader::new(dataset, batch_size).unwrap()
    }

    /// What a batch holds: the numbers of its samples and what they drew; or the error.
    type Content = Result<(Vec<usize>, Vec<f32>), String>;

    fn content(batch: Batch) -> Content {
        let numbers = |x: Tensor| x.to_vec::<i64>().unwrap();
        batch
            .map(|(x, y)| {
                let samples = numbers(x).into_iter().map(|i| i as usize).collect();
                (samples, y.to_vec().unwrap())
            })
            .map_err(|e| e.to_string())
    }

    fn contents(batches: Batches) -> Vec<Content> {
        batches.map(content).collect()
    }

    fn samples(batches: Batches) -> Vec<Vec<usize>> {
        batches.map(|batch| content(batch).unwrap().0).collect()
    }

    const WORKERS: [usize; 5] = [0, 1, 2, 5, 100];

    #[test]
    fn without_shuffling_the_order_is_that_of_the_dataset() {
        for workers in WORKERS {
            let loader = loader(probe(7), 3).workers(workers);
            assert_eq!(loader.len(), 3);
            let expected = [vec![0, 1, 2], vec![3, 4, 5], vec![6]];
            assert_eq!(samples(loader.iter()), expected);

            let loader = loader.drop_last(true);
            assert_eq!((loader.len(), loader.is_empty()), (2, false));
            assert_eq!(samples(loader.iter()), expected[..2]);
        }
        let small = loader(probe(2), 3).drop_last(true);
        assert!(small.is_empty() && small.iter().next().is_none());
        assert_eq!(samples(loader(probe(2), usize::MAX).iter()), [[0, 1]]);
    }

    /// An epoch that leaves samples out, repeats them, or is the same every time.
    #[test]
    fn shuffling_depends_on_seed_and_epoch_alone() {
        let shuffled = |seed, epoch| {
            let order = samples(loader(probe(50), 8).shuffle(seed).epoch(epoch)).concat();
            let mut sorted = order.clone();
            sorted.sort();
            assert_eq!(sorted, (0..50).collect::<Vec<_>>());
            order
        };
        assert_eq!(shuffled(3, 4), shuffled(3, 4));
        assert_ne!(shuffled(3, 4), shuffled(3, 5));
        assert_ne!(shuffled(3, 4), shuffled(4, 4));
        assert_ne!(shuffled(0, 0), (0..50).collect::<Vec<_>>());
    }

    /// Also what samples draw at random: augmented images must not depend on the workers.
    #[test]
    fn batches_are_the_same_for_any_number_of_workers() {
        let epochs = |workers| {
            let loader = loader(probe(50), 8).shuffle(1).workers(workers);
            [contents(loader.iter()), contents(loader.iter())]
        };
        let expected = epochs(0);
        assert_ne!(expected[0], expected[1]);
        for workers in WORKERS {
            assert_eq!(epochs(workers), expected, "{workers} workers");
        }
    }

    /// PyTorch draws a seed for the workers also where nothing is shuffled.
    #[test]
    fn drawn_orders_are_those_of_pytorch() {
        let [shuffled, plain] = [true, false].map(|shuffle| loader(probe(10), 4).drawn(shuffle));
        random::manual_seed_compat(42, Compat::Torch);
        let epochs = [(); 2].map(|()| samples(shuffled.iter()).concat());
        assert_eq!(epochs[0], [8, 0, 9, 1, 4, 5, 6, 3, 2, 7]);
        assert_eq!(epochs[1], [4, 6, 9, 3, 7, 5, 2, 0, 1, 8]);
        random::manual_seed_compat(42, Compat::Torch);
        assert_eq!(samples(plain.iter()).concat(), (0..10).collect::<Vec<_>>());
        let after = random::with_generator(Generator::next_u64);
        let mut generator = Generator::compat(42, Compat::Torch);
        generator.next_u64();
        assert_eq!(after, generator.next_u64());
    }

    #[test]
    fn a_drawn_epoch_is_repeated_from_the_state_before_it() {
        for workers in WORKERS {
            let loader = loader(probe(50), 8).drawn(true).workers(workers);
            random::manual_seed(1);
            let state = random::get_generator();
            let [first, second] = [(); 2].map(|()| contents(loader.iter()));
            assert_ne!(first, second);
            random::set_generator(state.clone());
            assert_eq!(contents(loader.iter_from(9, 2)), first[2..]);
            random::set_generator(state);
            assert_eq!([(); 2].map(|()| contents(loader.iter())), [first, second]);
        }
    }

    /// Samples that come more or less often than their weights say, also in another epoch, or a
    /// sample of weight 0.
    #[test]
    fn weighted_samples_come_in_proportion() {
        let weights: Vec<f64> = (0..1000).map(|i| f64::from(i % 4)).collect();
        let loader = loader(probe(1000), 64).weighted(&weights, 5).unwrap();
        let epochs = [0, 1].map(|epoch| samples(loader.epoch(epoch)).concat());
        assert_ne!(epochs[0], epochs[1]);
        for epoch in epochs {
            assert_eq!(epoch.len(), 1000);
            let of = |class| epoch.iter().filter(|&&i| i % 4 == class).count();
            assert_eq!(of(0), 0);
            // Within four standard deviations of 1/6, 1/3 and 1/2.
            for (class, expected) in [(1, 167), (2, 333), (3, 500)] {
                assert!(of(class).abs_diff(expected) < 64, "{class}: {}", of(class));
            }
        }
        let weighted = |weights: &[f64]| super::tests::loader(probe(2), 1).weighted(weights, 0);
        for wrong in [
            &[1.0][..],
            &[1.0, -1.0],
            &[f64::NAN, 1.0],
            &[0.0, 0.0],
            &[f64::MAX; 2],
        ] {
            assert_eq!(
                weighted(wrong).err().unwrap().kind(),
                Kind::Value,
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn an_epoch_can_be_resumed_at_any_batch() {
        for workers in WORKERS {
            let shuffled = loader(probe(50), 8).shuffle(1);
            let weighted = loader(probe(50), 8).weighted(&[1.0; 50], 1).unwrap();
            for loader in [shuffled, weighted].map(|loader| loader.workers(workers)) {
                let whole = contents(loader.epoch(6));
                for first in 0..=whole.len() {
                    let rest = loader.iter_from(6, first);
                    assert_eq!(rest.len(), whole.len() - first);
                    assert_eq!(contents(rest), whole[first..]);
                }
                assert_eq!(loader.iter_from(6, usize::MAX).count(), 0);
            }
        }
    }

    /// Reading an epoch by number must not disturb a training loop's own count.
    #[test]
    fn plain_iteration_counts_the_epochs() {
        let loader = loader(probe(20), 20).shuffle(2);
        let explicit: Vec<_> = (0..3).map(|epoch| contents(loader.epoch(epoch))).collect();
        let pair = |(x, y)| content(Ok((x, y)));
        let first: Vec<_> = (&loader).into_iter().map(pair).collect();
        assert_eq!(
            [first, contents(loader.iter()), contents(loader.iter())],
            explicit[..]
        );
    }

    /// Loading a batch moves the caller's random numbers along, or records gradients.
    #[test]
    fn the_calling_thread_is_left_as_it_was() {
        random::manual_seed(9);
        let expected = Tensor::rand([]).unwrap().item::<f32>().unwrap();
        random::manual_seed(9);
        let weights = Tensor::ones([4, 1]).requires_grad_(true).unwrap();
        let set = super::super::TensorDataset::new(weights, Tensor::zeros([4])).unwrap();
        for workers in [0, 1] {
            let loader = DataLoader::new(set.clone(), 2).unwrap().workers(workers);
            assert!(loader.iter().all(|batch| !batch.unwrap().0.requires_grad()));
            assert_eq!(
                contents(super::tests::loader(probe(3), 1).workers(workers).iter()).len(),
                3
            );
        }
        assert!(gradus_core::is_grad_enabled());
        assert_eq!(Tensor::rand([]).unwrap().item::<f32>().unwrap(), expected);
    }

    /// An error that overtakes the batches before it, or ends those after it.
    #[test]
    fn errors_and_panics_arrive_in_their_turn() {
        for workers in WORKERS {
            let set = Probe {
                fails: Some(3),
                panics: Some(7),
                slow: Some(0),
                ..probe(10)
            };
            let found = contents(loader(set, 2).workers(workers).iter());
            let errors: Vec<_> = found.iter().map(|batch| batch.as_ref().err()).collect();
            assert!(errors[0].is_none() && errors[2].is_none() && errors[4].is_none());
            assert_eq!(errors[1].unwrap(), "batch 1 of epoch 0: sample 3 is broken");
            let panic = errors[3].unwrap();
            assert!(
                panic.starts_with("batch 3 of epoch 0: the dataset panicked: "),
                "{panic}"
            );
            assert!(panic.contains("sample 7 is a bug"), "{panic}");
        }
    }

    #[test]
    #[should_panic(expected = "batch 1 of epoch 0: sample 1 is broken")]
    fn a_plain_loop_panics_with_the_message_of_the_error() {
        let set = Probe {
            fails: Some(1),
            ..probe(3)
        };
        for _ in &loader(set, 1).workers(1) {}
    }

    /// Threads that hang about when their iterator is gone, or a drop that waits for them for ever.
    #[test]
    fn dropping_the_iterator_ends_the_threads() {
        let set = Arc::new(probe(1000));
        for taken in [0, 1, 7] {
            let loader = DataLoader::new(set.clone(), 2).unwrap().workers(3);
            let mut batches = loader.iter();
            assert!(batches.by_ref().take(taken).all(|batch| batch.is_ok()));
            drop((batches, loader));
            let deadline = Instant::now() + Duration::from_secs(20);
            while Arc::strong_count(&set) > 1 {
                assert!(
                    Instant::now() < deadline,
                    "a worker holds on to the dataset"
                );
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Workers that read the whole dataset into memory while the training is at its first batch.
    #[test]
    fn workers_are_at_most_two_batches_ahead() {
        let set = probe(1000);
        let reads = set.reads.clone();
        let mut batches = loader(set, 1).workers(3).iter();
        batches.next().unwrap().unwrap();
        thread::sleep(Duration::from_millis(100));
        let made = reads.load(Ordering::SeqCst);
        assert!(
            (2..=1 + 3 * 2).contains(&made),
            "{made} batches made for 1 taken"
        );
        assert_eq!(batches.count(), 999);
        assert_eq!(reads.load(Ordering::SeqCst), 1000);
    }

    #[test]
    fn senseless_loaders_are_refused() {
        let error = DataLoader::new(probe(3), 0).err().unwrap();
        assert_eq!(error.kind(), Kind::Value);
        assert!(
            error
                .to_string()
                .contains("batch_size must be at least 1, got 0")
        );
        let error = DataLoader::new(probe(0), 3).err().unwrap();
        assert_eq!(error.kind(), Kind::Data);
        assert!(error.to_string().contains("the dataset is empty"));
    }
}
