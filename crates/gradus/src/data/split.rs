//! Which samples are for training and which for testing, equal to scikit-learn's choice for the same
//! `random_state`: it is drawn from NumPy's stream, in the same order.
//!
//! What is divided are the numbers of samples. They go to [`Subset::new`](super::Subset::new),
//! [`Table::take`](super::Table::take) or [`Tensor::index_select`](crate::Tensor::index_select).

use gradus_core::random::{Compat, Generator};
use gradus_core::{Error, Kind, Result};
use std::collections::{BTreeMap, HashMap};

/// The numbers of the samples for training, and for testing.
pub type Indices = (Vec<usize>, Vec<usize>);

/// Divides `n` samples at random: the share `test_size` of them, rounded up, is for testing. With the
/// labels of the samples as `stratify` both parts have the classes in the same proportion.
///
/// # Errors
/// If `test_size` is not between 0 and 1 or leaves nothing for training. If there are not `n` labels, a
/// class has a single sample, or a part is smaller than the number of classes.
///
/// ```
/// use gradus::data::train_test_split;
/// let (train, test) = train_test_split(10, 0.25, 42, None)?;
/// assert_eq!((train, test), (vec![0, 7, 2, 9, 4, 3, 6], vec![8, 1, 5]));
///
/// let (_, test) = train_test_split(6, 0.5, 0, Some(&[0, 0, 0, 0, 1, 1]))?;
/// assert_eq!(test.iter().filter(|&&i| i < 4).count(), 2);
/// # Ok::<(), gradus::Error>(())
/// ```
pub fn train_test_split(
    n: usize,
    test_size: f64,
    random_state: u64,
    stratify: Option<&[i64]>,
) -> Result<Indices> {
    if !(test_size > 0.0 && test_size < 1.0) {
        return Err(value(format!(
            "train_test_split: test_size must be between 0 and 1, got {test_size}"
        )));
    }
    let testing = (test_size * n as f64).ceil() as usize;
    let training = n.saturating_sub(testing);
    if training == 0 {
        return Err(value(format!(
            "train_test_split: {test_size} of {n} samples leaves none for training; take a smaller share"
        )));
    }
    let mut g = Generator::compat(random_state, Compat::Numpy);
    let Some(labels) = stratify else {
        let mut test = g.permutation(n);
        let train = test.split_off(testing);
        return Ok((train, test));
    };
    if labels.len() != n {
        return Err(value(format!(
            "train_test_split: expected a label for each of {n} samples, got {}",
            labels.len()
        )));
    }
    let classes = members(labels);
    if let Some(label) = classes
        .iter()
        .find(|(_, list)| list.len() < 2)
        .map(|(label, _)| label)
    {
        return Err(value(format!(
            "train_test_split: class {label} has a single sample; stratifying needs two or more"
        )));
    }
    if training.min(testing) < classes.len() {
        return Err(value(format!(
            "train_test_split: {training} samples for training and {testing} for testing; each part \
             needs one of each of {} classes",
            classes.len()
        )));
    }
    let counts: Vec<usize> = classes.values().map(Vec::len).collect();
    let of_train = proportional(&counts, training, &mut g)?;
    let rest: Vec<usize> = counts.iter().zip(&of_train).map(|(n, t)| n - t).collect();
    let of_test = proportional(&rest, testing, &mut g)?;
    let (mut train, mut test) = (Vec::new(), Vec::new());
    for ((list, a), b) in classes.values().zip(of_train).zip(of_test) {
        let order = g.permutation(list.len());
        let mut mixed = order.into_iter().map(|i| list[i]);
        train.extend(mixed.by_ref().take(a));
        test.extend(mixed.take(b));
    }
    g.shuffle(&mut train);
    g.shuffle(&mut test);
    Ok((train, test))
}

/// Cross-validation: samples divided into `k` parts, each of which is for testing once.
///
/// ```
/// use gradus::data::KFold;
/// let folds = KFold::new(3).split(7)?;
/// assert_eq!(folds[1], (vec![0, 1, 2, 5, 6], vec![3, 4]));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct KFold {
    k: usize,
    seed: Option<u64>,
}

impl KFold {
    /// `k` parts of neighbouring samples.
    pub fn new(k: usize) -> Self {
        Self { k, seed: None }
    }

    /// Mixes the samples first.
    ///
    /// ```
    /// # use gradus::data::KFold;
    /// let folds = KFold::new(3).shuffle(3).split(10)?;
    /// assert_eq!(folds[1].1, [6, 7, 9]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn shuffle(mut self, random_state: u64) -> Self {
        self.seed = Some(random_state);
        self
    }

    /// The samples for training and for testing of each of the `k` divisions of `n` samples.
    ///
    /// # Errors
    /// If `k` is less than 2 or more than `n`.
    ///
    /// ```
    /// # use gradus::data::KFold;
    /// assert!(KFold::new(4).split(3).is_err());
    /// ```
    pub fn split(&self, n: usize) -> Result<Vec<Indices>> {
        let k = self.k;
        if k < 2 || k > n {
            return Err(value(format!(
                "KFold: {k} parts of {n} samples; there must be at least 2, and a sample for each"
            )));
        }
        let mut order: Vec<usize> = (0..n).collect();
        if let Some(seed) = self.seed {
            Generator::compat(seed, Compat::Numpy).shuffle(&mut order);
        }
        let mut fold = vec![0; n];
        let parts = (0..k).flat_map(|part| vec![part; n / k + usize::from(part < n % k)]);
        order
            .into_iter()
            .zip(parts)
            .for_each(|(i, part)| fold[i] = part);
        Ok(divisions(&fold, k))
    }
}

/// [`KFold`] with the classes in every part in about the same proportion.
///
/// ```
/// use gradus::data::StratifiedKFold;
/// let folds = StratifiedKFold::new(2).split(&[0, 0, 0, 0, 1, 1])?;
/// assert_eq!(folds[0], (vec![2, 3, 5], vec![0, 1, 4]));
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StratifiedKFold(KFold);

impl StratifiedKFold {
    /// `k` parts, to each of which a class gives neighbouring samples.
    pub fn new(k: usize) -> Self {
        Self(KFold::new(k))
    }

    /// Mixes the samples of each class.
    ///
    /// ```
    /// # use gradus::data::StratifiedKFold;
    /// let folds = StratifiedKFold::new(2).shuffle(0).split(&[0, 0, 0, 0, 1, 1])?;
    /// assert_eq!(folds[0].1.iter().filter(|&&i| i < 4).count(), 2);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    #[must_use]
    pub fn shuffle(self, random_state: u64) -> Self {
        Self(self.0.shuffle(random_state))
    }

    /// The samples for training and for testing of each of the `k` divisions of samples with these
    /// labels. A class with fewer than `k` samples is missing in some parts.
    ///
    /// # Errors
    /// If `k` is less than 2, or more than any class has samples.
    ///
    /// ```
    /// # use gradus::data::StratifiedKFold;
    /// assert!(StratifiedKFold::new(3).split(&[0, 0, 1, 1]).is_err());
    /// ```
    pub fn split(&self, labels: &[i64]) -> Result<Vec<Indices>> {
        let KFold { k, seed } = self.0;
        // In the order of their first samples.
        let mut classes: Vec<Vec<usize>> = members(labels).into_values().collect();
        classes.sort();
        let largest = classes.iter().map(Vec::len).max().unwrap_or(0);
        if k < 2 || k > largest {
            return Err(value(format!(
                "StratifiedKFold: {k} parts, and the largest class has {largest} samples; there must be \
                 at least 2 parts, and not more than that"
            )));
        }
        let mut g = seed.map(|seed| Generator::compat(seed, Compat::Numpy));
        let mut fold = vec![0; labels.len()];
        let mut start = 0;
        for list in &classes {
            // Dealt out in turn, where the class before has ended.
            let mut parts: Vec<usize> = (start..start + list.len()).map(|i| i % k).collect();
            parts.sort();
            start += list.len();
            if let Some(g) = &mut g {
                g.shuffle(&mut parts);
            }
            list.iter().zip(parts).for_each(|(&i, part)| fold[i] = part);
        }
        Ok(divisions(&fold, k))
    }
}

/// The weight of each sample with which [`DataLoader::weighted`](super::DataLoader::weighted) draws
/// every class equally often: one over the number of samples of its class.
///
/// ```
/// assert_eq!(gradus::data::balanced_weights(&[7, 7, 1]), [0.5, 0.5, 1.0]);
/// ```
pub fn balanced_weights(labels: &[i64]) -> Vec<f64> {
    let mut counts = HashMap::new();
    labels
        .iter()
        .for_each(|label| *counts.entry(label).or_insert(0.0) += 1.0);
    labels.iter().map(|label| 1.0 / counts[label]).collect()
}

fn value(message: String) -> Error {
    Error::new(Kind::Value, message)
}

/// The samples of each class, in order of the labels.
fn members(labels: &[i64]) -> BTreeMap<i64, Vec<usize>> {
    let mut classes: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (i, &label) in labels.iter().enumerate() {
        classes.entry(label).or_default().push(i);
    }
    classes
}

/// For each of `k` parts the samples that are not in it, and those that are.
fn divisions(fold: &[usize], k: usize) -> Vec<Indices> {
    let part = |p| (0..fold.len()).partition(|&i: &usize| fold[i] != p);
    (0..k).map(part).collect()
}

/// How many of `n` draws fall to each of groups of these sizes, in proportion: what is left after
/// rounding down goes to those that lost most by it, among equals by lot. scikit-learn's
/// `_approximate_mode`.
fn proportional(sizes: &[usize], n: usize, g: &mut Generator) -> Result<Vec<usize>> {
    let total = sizes.iter().sum::<usize>() as f64;
    let exact: Vec<f64> = sizes.iter().map(|&s| s as f64 / total * n as f64).collect();
    let mut draws: Vec<usize> = exact.iter().map(|&x| x as usize).collect();
    let lost: Vec<f64> = exact.iter().map(|x| x.fract()).collect();
    let mut levels = lost.clone();
    levels.sort_by(|a, b| b.total_cmp(a));
    levels.dedup();
    let mut left = n.saturating_sub(draws.iter().sum());
    for level in levels {
        if left == 0 {
            break;
        }
        let equals: Vec<usize> = (0..lost.len()).filter(|&i| lost[i] == level).collect();
        let now = left.min(equals.len());
        for i in g.choice(equals.len(), now, false)? {
            draws[equals[i]] += 1;
        }
        left -= now;
    }
    Ok(draws)
}
