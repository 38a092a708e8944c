//! What can be learned from: numbered samples, and the parts a set of them is divided into.

use std::sync::Arc;

use gradus_core::random::Generator;
use gradus_core::{Error, Kind, Result, Tensor};

/// Numbered samples, each an input and a target.
///
/// `len` and `get` are enough; [`batch`](Dataset::batch) is there to be overridden by sets that can
/// read many samples faster than one by one. A [`DataLoader`](super::DataLoader) calls both from
/// several threads. Random augmentation belongs into them: the loader gives every batch its own
/// stream of random numbers, whatever the thread.
///
/// ```
/// use gradus::data::Dataset;
/// use gradus::{Result, Tensor};
///
/// /// The squares of the first numbers.
/// struct Squares(usize);
///
/// impl Dataset for Squares {
///     fn len(&self) -> usize {
///         self.0
///     }
///     fn get(&self, index: usize) -> Result<(Tensor, Tensor)> {
///         let x = index as f64;
///         Ok((Tensor::from([x]), Tensor::from([x * x])))
///     }
/// }
///
/// let (x, y) = Squares(10).batch(&[2, 3])?;
/// assert_eq!((x.shape(), y.to_vec::<f32>()?), (&[2, 1][..], vec![4.0, 9.0]));
/// # Ok::<(), gradus::Error>(())
/// ```
pub trait Dataset: Send + Sync {
    /// The number of samples.
    fn len(&self) -> usize;

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sample number `index`: its input and its target.
    ///
    /// # Errors
    /// If there is no such sample, or it cannot be read.
    fn get(&self, index: usize) -> Result<(Tensor, Tensor)>;

    /// The samples `indices`, in this order, stacked along a new first dimension: inputs of shape
    /// \[batch, …\] and targets of shape \[batch, …\].
    ///
    /// # Errors
    /// If a sample cannot be read, the samples differ in shape, or `indices` is empty.
    fn batch(&self, indices: &[usize]) -> Result<(Tensor, Tensor)> {
        let samples: Vec<_> = indices
            .iter()
            .map(|&index| self.get(index))
            .collect::<Result<_>>()?;
        let (inputs, targets): (Vec<_>, Vec<_>) = samples.iter().map(|(x, y)| (x, y)).unzip();
        Ok((Tensor::stack(&inputs, 0)?, Tensor::stack(&targets, 0)?))
    }
}

macro_rules! pointers {
    ($($pointer:ident),+) => {$(
        impl<D: Dataset + ?Sized> Dataset for $pointer<D> {
            fn len(&self) -> usize { (**self).len() }
            fn is_empty(&self) -> bool { (**self).is_empty() }
            fn get(&self, index: usize) -> Result<(Tensor, Tensor)> { (**self).get(index) }
            fn batch(&self, indices: &[usize]) -> Result<(Tensor, Tensor)> { (**self).batch(indices) }
        }
    )+};
}
pointers!(Arc, Box);

/// A dataset over two tensors whose first dimension counts the samples.
#[derive(Clone, Debug)]
pub struct TensorDataset {
    inputs: Tensor,
    targets: Tensor,
}

impl TensorDataset {
    /// Inputs of shape \[n, …\] and targets of shape \[n, …\], of any dtypes. Nothing is copied.
    ///
    /// # Errors
    /// If one of them is 0-d, or their first sizes differ.
    ///
    /// ```
    /// use gradus::{Tensor, data::{Dataset, TensorDataset}};
    /// let set = TensorDataset::new(Tensor::from([[1.0], [2.0], [3.0]]), Tensor::from([0, 1, 0]))?;
    /// let (x, y) = set.batch(&[2, 0])?;
    /// assert_eq!((x.to_vec::<f32>()?, y.shape()), (vec![3.0, 1.0], &[2][..]));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new(inputs: Tensor, targets: Tensor) -> Result<Self> {
        match (inputs.shape().first(), targets.shape().first()) {
            (Some(n), Some(m)) if n == m => Ok(Self { inputs, targets }),
            _ => Err(Error::new(
                Kind::Shape,
                format!(
                    "TensorDataset: inputs and targets must have the same first size, the number of samples; \
                     got the shapes {:?} and {:?}",
                    inputs.shape(),
                    targets.shape()
                ),
            )),
        }
    }
}

impl Dataset for TensorDataset {
    fn len(&self) -> usize {
        self.inputs.shape()[0]
    }

    fn get(&self, index: usize) -> Result<(Tensor, Tensor)> {
        let sample = in_range(index, self.len())? as isize;
        Ok((
            self.inputs.select(0, sample)?,
            self.targets.select(0, sample)?,
        ))
    }

    fn batch(&self, indices: &[usize]) -> Result<(Tensor, Tensor)> {
        let positions = indices
            .iter()
            .map(|&index| Ok(in_range(index, self.len())? as i64))
            .collect::<Result<Vec<_>>>()?;
        let positions = Tensor::from_vec(positions, [indices.len()])?;
        Ok((
            self.inputs.index_select(0, &positions)?,
            self.targets.index_select(0, &positions)?,
        ))
    }
}

/// Some samples of another dataset, in an order of their own.
#[derive(Clone, Debug)]
pub struct Subset<D: ?Sized> {
    dataset: Arc<D>,
    indices: Vec<usize>,
}

impl<D: Dataset + ?Sized> Subset<D> {
    /// The samples `indices` of `dataset`; one may occur several times.
    ///
    /// # Errors
    /// If an index is not less than the number of samples.
    ///
    /// ```
    /// use gradus::{Tensor, data::{Dataset, Subset, TensorDataset}};
    /// let all = TensorDataset::new(Tensor::from([5.0, 6.0, 7.0]), Tensor::from([0, 1, 2]))?;
    /// let some = Subset::new(all.into(), [2, 0])?;
    /// assert_eq!(some.len(), 2);
    /// assert_eq!(some.get(0)?.0.item::<f32>()?, 7.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new(dataset: Arc<D>, indices: impl Into<Vec<usize>>) -> Result<Self> {
        let indices = indices.into();
        for &index in &indices {
            in_range(index, dataset.len()).map_err(|e| e.at("Subset"))?;
        }
        Ok(Self { dataset, indices })
    }

    /// The samples' numbers in the dataset they come from.
    pub fn indices(&self) -> &[usize] {
        &self.indices
    }
}

impl<D: Dataset + ?Sized> Dataset for Subset<D> {
    fn len(&self) -> usize {
        self.indices.len()
    }

    fn get(&self, index: usize) -> Result<(Tensor, Tensor)> {
        self.dataset.get(self.indices[in_range(index, self.len())?])
    }

    fn batch(&self, indices: &[usize]) -> Result<(Tensor, Tensor)> {
        let originals = indices
            .iter()
            .map(|&index| Ok(self.indices[in_range(index, self.len())?]))
            .collect::<Result<Vec<_>>>()?;
        self.dataset.batch(&originals)
    }
}

/// Divides `dataset` at random into parts of these lengths, which share it. The same `seed` gives
/// the same parts.
///
/// # Errors
/// If the lengths do not add up to the number of samples.
///
/// ```
/// use gradus::data::{self, Dataset};
/// let train = data::digits()?.train;
/// let parts = data::random_split(train.into(), &[1237, 200], 0)?;
/// assert_eq!((parts[0].len(), parts[1].len()), (1237, 200));
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn random_split<D: Dataset + ?Sized>(
    dataset: Arc<D>,
    lengths: &[usize],
    seed: u64,
) -> Result<Vec<Subset<D>>> {
    let total = lengths
        .iter()
        .try_fold(0usize, |sum, &length| sum.checked_add(length));
    if total != Some(dataset.len()) {
        return Err(Error::new(
            Kind::Value,
            format!(
                "random_split: the lengths {lengths:?} must add up to the number of samples, which is {}",
                dataset.len()
            ),
        ));
    }
    let mut order: Vec<usize> = (0..dataset.len()).collect();
    Generator::new(seed).shuffle(&mut order);
    let mut rest = order.as_slice();
    let parts = lengths.iter().map(|&length| {
        let (indices, others) = rest.split_at(length);
        rest = others;
        Subset::new(dataset.clone(), indices)
    });
    parts.collect()
}

/// `index`, if there are more samples than that.
pub(super) fn in_range(index: usize, len: usize) -> Result<usize> {
    if index < len {
        return Ok(index);
    }
    let message = format!("sample {index} is out of range: the dataset has {len} samples");
    Err(Error::new(Kind::Index, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inputs 10, 11, … of shape [1] and targets 0, 1, … of shape [].
    fn counting(n: usize) -> TensorDataset {
        let inputs = (0..n).map(|i| 10.0 + i as f32).collect::<Vec<_>>();
        let targets = (0..n as i64).collect::<Vec<_>>();
        TensorDataset::new(
            Tensor::from_vec(inputs, [n, 1]).unwrap(),
            Tensor::from_vec(targets, [n]).unwrap(),
        )
        .unwrap()
    }

    /// Hides the override, so that the provided `batch` is what runs.
    struct OneByOne(TensorDataset);
    impl Dataset for OneByOne {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn get(&self, index: usize) -> Result<(Tensor, Tensor)> {
            self.0.get(index)
        }
    }

    fn values(batch: Result<(Tensor, Tensor)>) -> (Vec<usize>, Vec<f32>, Vec<i64>) {
        let (x, y) = batch.unwrap();
        (x.shape().to_vec(), x.to_vec().unwrap(), y.to_vec().unwrap())
    }

    /// The fast way and the general way are two different things.
    #[test]
    fn a_batch_is_its_samples_stacked() {
        let fast = counting(5);
        let slow: Box<dyn Dataset> = Box::new(OneByOne(counting(5)));
        for indices in [&[3, 0, 3][..], &[1]] {
            assert_eq!(values(fast.batch(indices)), values(slow.batch(indices)));
        }
        let expected = (vec![2, 1], vec![14.0, 11.0], vec![4, 1]);
        assert_eq!(values(Arc::new(fast).batch(&[4, 1])), expected);
    }

    #[test]
    fn samples_that_do_not_exist_are_named() {
        let set = Arc::new(counting(3));
        let part = Subset::new(set.clone(), [2]).unwrap();
        for error in [
            set.get(3).unwrap_err(),
            set.batch(&[0, 3]).unwrap_err(),
            Subset::new(set.clone(), [3]).unwrap_err(),
        ] {
            assert_eq!(error.kind(), Kind::Index);
            assert!(error.to_string().contains("sample 3 is out of range"));
        }
        let error = part.batch(&[1]).unwrap_err().to_string();
        assert_eq!(error, "sample 1 is out of range: the dataset has 1 samples");
        assert!(part.get(1).is_err());
    }

    #[test]
    fn tensors_that_do_not_count_the_same_samples_are_refused() {
        for (x, y) in [
            (Tensor::zeros([2, 3]), Tensor::zeros([3])),
            (Tensor::from(1.0), Tensor::from(1.0)),
        ] {
            let error = TensorDataset::new(x, y).unwrap_err();
            assert_eq!(error.kind(), Kind::Shape);
        }
    }

    /// A sample that is in two parts, in none, or in another part at the next run.
    #[test]
    fn random_parts_hold_every_sample_once_and_depend_on_the_seed_alone() {
        let set = Arc::new(counting(20));
        let parts = |seed| {
            let parts = random_split(set.clone(), &[12, 0, 8], seed).unwrap();
            parts
                .iter()
                .map(|p| p.indices().to_vec())
                .collect::<Vec<_>>()
        };
        let first = parts(1);
        assert_eq!(first.iter().map(Vec::len).collect::<Vec<_>>(), [12, 0, 8]);
        let mut all = first.concat();
        assert_ne!(all, (0..20).collect::<Vec<_>>(), "not shuffled");
        all.sort();
        assert_eq!(all, (0..20).collect::<Vec<_>>());
        assert_eq!(parts(1), first);
        assert_ne!(parts(2), first);

        for lengths in [&[12, 7][..], &[12, 9], &[usize::MAX, 21], &[]] {
            let error = random_split(set.clone(), lengths, 0).unwrap_err();
            assert!(error.to_string().contains("which is 20"), "{error}");
        }
        // Parts of a set whose type is not known, and parts of parts.
        let any: Arc<dyn Dataset> = set.clone();
        let mut parts = random_split(any, &[15, 5], 0).unwrap();
        let part = Arc::new(parts.remove(0));
        assert_eq!(random_split(part, &[10, 5], 0).unwrap()[0].len(), 10);
    }
}
