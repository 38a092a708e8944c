//! Indexing expressions: random ones against a model that says for each element of the result where
//! it comes from, fixed ones against what NumPy makes of them, and what changes in place do.

use gradus_core::ops::ScatterReduce::{Amax, Amin, Prod};
use gradus_core::{DType, Index, Result, Slice, Tensor, keepdim, s};
use proptest::prelude::*;

/// 0, 1, 2, … in this shape.
fn counting(shape: &[usize]) -> Tensor {
    let n: usize = shape.iter().product();
    let values: Vec<f64> = (0..n).map(|i| i as f64).collect();
    Tensor::from_vec(values, shape).unwrap()
}

fn values(x: &Tensor) -> Vec<f64> {
    x.to_vec().unwrap()
}

/// Every index of a shape, in row-major order.
fn every(shape: &[usize]) -> Vec<Vec<usize>> {
    shape.iter().fold(vec![vec![]], |all, &n| {
        let extend = |index: &Vec<usize>| {
            let index = index.clone();
            (0..n).map(move |i| [&index[..], &[i]].concat())
        };
        all.iter().flat_map(extend).collect()
    })
}

// ---- the model -----------------------------------------------------------------------------------

/// An entry of an expression for the model, and how it is written for the library.
#[derive(Clone, Debug)]
enum Entry {
    At(isize),
    Slice(Slice),
    NewAxis,
    Ellipsis,
    /// Positions and their shape.
    List(Vec<isize>, Vec<usize>),
    /// A mask and its shape.
    Mask(Vec<bool>, Vec<usize>),
}

impl Entry {
    fn index(&self) -> Index {
        match self {
            &Self::At(i) => i.into(),
            &Self::Slice(slice) => slice.into(),
            Self::NewAxis => Index::NewAxis,
            Self::Ellipsis => Index::Ellipsis,
            Self::List(at, shape) => {
                let at: Vec<i64> = at.iter().map(|&i| i as i64).collect();
                Tensor::from_vec(at, shape.as_slice()).unwrap().into()
            }
            Self::Mask(mask, shape) => Tensor::from_vec(mask, shape.as_slice()).unwrap().into(),
        }
    }
}

/// What Python's `range(n)[start:stop:step]` gives.
fn python_slice(slice: &Slice, n: usize) -> Vec<usize> {
    let n = n as isize;
    let from_end = |i: isize| if i < 0 { i + n } else { i };
    let forward = slice.step > 0;
    let mut i = slice
        .start
        .map_or(if forward { 0 } else { n - 1 }, from_end);
    let stop = slice.stop.map_or(if forward { n } else { -1 }, from_end);
    i = if forward { i.max(0) } else { i.min(n - 1) };
    let mut picked = Vec::new();
    while if forward { i < stop } else { i > stop } {
        if (0..n).contains(&i) {
            picked.push(i as usize);
        }
        i += slice.step;
    }
    picked
}

/// A dimension of the result before lists are brought together.
enum Axis {
    /// Along this dimension, the positions.
    Along(usize, Vec<usize>),
    New,
    /// Along this dimension (or none), a list of positions with its shape.
    Listed(Option<usize>, Vec<usize>, Vec<usize>),
}

/// The shape of `x[entries]` and, for each of its elements in row-major order, its number in x.
fn model(shape: &[usize], entries: &[Entry]) -> (Vec<usize>, Vec<usize>) {
    let named: usize = entries
        .iter()
        .map(|entry| match entry {
            Entry::At(_) | Entry::Slice(_) | Entry::List(..) => 1,
            Entry::Mask(_, shape) => shape.len(),
            Entry::NewAxis | Entry::Ellipsis => 0,
        })
        .sum();
    let mut entries = entries.to_vec();
    if !entries.iter().any(|entry| matches!(entry, Entry::Ellipsis)) {
        entries.push(Entry::Ellipsis);
    }
    let (mut axes, mut fixed, mut d) = (Vec::new(), vec![0; shape.len()], 0);
    for entry in &entries {
        match entry {
            Entry::At(i) => {
                fixed[d] = if *i < 0 { i + shape[d] as isize } else { *i } as usize;
                d += 1;
            }
            Entry::Slice(slice) => {
                axes.push(Axis::Along(d, python_slice(slice, shape[d])));
                d += 1;
            }
            Entry::NewAxis => axes.push(Axis::New),
            Entry::Ellipsis => {
                for _ in 0..shape.len() - named {
                    axes.push(Axis::Along(d, (0..shape[d]).collect()));
                    d += 1;
                }
            }
            Entry::List(at, list) => {
                let n = shape[d] as isize;
                let at = at.iter().map(|&i| if i < 0 { i + n } else { i } as usize);
                axes.push(Axis::Listed(Some(d), at.collect(), list.clone()));
                d += 1;
            }
            Entry::Mask(mask, sizes) => {
                let all = every(sizes);
                let hits: Vec<_> = all
                    .iter()
                    .zip(mask)
                    .filter(|(_, m)| **m)
                    .map(|(i, _)| i)
                    .collect();
                for k in 0..sizes.len() {
                    let at = hits.iter().map(|hit| hit[k]).collect();
                    axes.push(Axis::Listed(Some(d), at, vec![hits.len()]));
                    d += 1;
                }
                if sizes.is_empty() {
                    axes.push(Axis::Listed(None, vec![0; hits.len()], vec![hits.len()]));
                }
            }
        }
    }
    // The shape of all lists together, and where it stands.
    let listed: Vec<usize> = (0..axes.len())
        .filter(|&a| matches!(axes[a], Axis::Listed(..)))
        .collect();
    let mut together = Vec::new();
    for axis in &axes {
        if let Axis::Listed(_, _, list) = axis {
            together = gradus_core::shape::broadcast(&together, list)
                .unwrap()
                .to_vec();
        }
    }
    let adjacent = listed.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    let place = if adjacent {
        listed.first().copied().unwrap_or(0)
    } else {
        0
    };
    // The others keep their order; those before `place` stand before the lists.
    let others: Vec<usize> = (0..axes.len()).filter(|a| !listed.contains(a)).collect();
    let before: Vec<usize> = others
        .iter()
        .copied()
        .filter(|&a| adjacent && a < place)
        .collect();
    let after: Vec<usize> = others
        .iter()
        .copied()
        .filter(|a| !before.contains(a))
        .collect();
    let len = |a: &usize| match &axes[*a] {
        Axis::Along(_, at) => at.len(),
        _ => 1,
    };
    let mut sizes: Vec<usize> = before.iter().map(len).collect();
    sizes.extend(&together);
    sizes.extend(after.iter().map(len));
    let numbers = every(&sizes).into_iter().map(|to| {
        let mut from = fixed.clone();
        let (first, rest) = to.split_at(before.len());
        let (shared, last) = rest.split_at(together.len());
        for (a, &i) in before.iter().chain(&after).zip(first.iter().chain(last)) {
            if let Axis::Along(d, at) = &axes[*a] {
                from[*d] = at[i];
            }
        }
        for a in &listed {
            if let Axis::Listed(Some(d), at, list) = &axes[*a] {
                let own = &shared[shared.len() - list.len()..];
                let number = own
                    .iter()
                    .zip(list)
                    .fold(0, |at, (&i, &n)| at * n + if n == 1 { 0 } else { i });
                from[*d] = at[number];
            }
        }
        from.iter().zip(shape).fold(0, |at, (&i, &n)| at * n + i)
    });
    let numbers = numbers.collect();
    (sizes, numbers)
}

/// Entries that fit `shape`, made of random numbers.
fn entries(shape: &[usize], seeds: &[(u8, usize, usize, usize)], list: &[usize]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let (mut d, mut ellipsis) = (0, false);
    // Several lists and masks must broadcast together: the masks are true at one position then.
    let alone = seeds.iter().filter(|seed| seed.0 % 10 > 6).count() == 1;
    for &(kind, a, b, c) in seeds {
        let n = shape.get(d).copied();
        // A position from either end.
        let at = |i: usize, n: usize| (i % (2 * n)) as isize - n as isize;
        let entry = match (kind % 10, n) {
            (0 | 1, Some(n)) if n > 0 => Entry::At(at(a, n)),
            (2..=4, Some(n)) => {
                let near = |i: usize| (i & 3 > 0).then_some(i as isize % (n as isize + 3) - 2);
                let step = [1, 2, -1, -2, 3, -7][c % 6];
                Entry::Slice(Slice {
                    start: near(a),
                    stop: near(b),
                    step,
                })
            }
            (5, _) if entries.len() < 4 => Entry::NewAxis,
            (6, _) if !ellipsis && d == 0 => {
                // Only where nothing was named yet, so that it is clear what comes after it.
                ellipsis = true;
                d = shape.len() - a % (shape.len() + 1);
                entries.push(Entry::Ellipsis);
                continue;
            }
            (7 | 8, Some(n)) if n > 0 => {
                // Lists of shapes that broadcast: some sizes 1, some in front missing.
                let own: Vec<usize> = list
                    .iter()
                    .enumerate()
                    .skip(c % 3)
                    .map(|(k, &size)| if b >> k & 1 == 1 { 1 } else { size })
                    .collect();
                let count: usize = own.iter().product();
                if own.is_empty() {
                    continue;
                }
                Entry::List((0..count).map(|k| at(a + 5 * k + k * k, n)).collect(), own)
            }
            (9, _) => {
                let rank = (c % 3).min(shape.len() - d);
                let sizes = shape[d..d + rank].to_vec();
                let count: usize = sizes.iter().product();
                if count == 0 && !alone {
                    continue;
                }
                let hit = |k: usize| {
                    if alone {
                        a >> (k % 16) & 1 == 1
                    } else {
                        k == a % count
                    }
                };
                d += rank;
                entries.push(Entry::Mask((0..count).map(hit).collect(), sizes));
                continue;
            }
            _ => continue,
        };
        if !matches!(entry, Entry::NewAxis) {
            d += 1;
        }
        entries.push(entry);
    }
    if ellipsis {
        // It stands for what the others leave: nothing after it may be left.
        entries.extend(shape[d..].iter().map(|_| Entry::Slice(s(.., 1))));
    }
    entries
}

fn shapes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(
        prop_oneof![1 => Just(0), 3 => Just(1), 12 => 2..5usize],
        0..5,
    )
}

fn seeds() -> impl Strategy<Value = Vec<(u8, usize, usize, usize)>> {
    prop::collection::vec(
        (any::<u8>(), 0..1000usize, 0..1000usize, 0..1000usize),
        0..6,
    )
}

fn lists() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![1 => Just(0), 8 => 1..4usize], 1..3)
}

/// The same elements, lying otherwise in memory.
fn elsewhere(x: &Tensor, how: usize) -> Tensor {
    let last = x.ndim() as isize - 1;
    match how % 3 {
        0 => x.clone(),
        1 if last > 0 => x
            .transpose(0, last)
            .unwrap()
            .contiguous()
            .unwrap()
            .transpose(0, last)
            .unwrap(),
        _ => Tensor::stack(&[x, x], -1).unwrap().select(-1, 1).unwrap(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_and_its_gradient(shape in shapes(), seeds in seeds(), list in lists(), how in 0..3usize) {
        let entries = entries(&shape, &seeds, &list);
        let (sizes, numbers) = model(&shape, &entries);
        let leaf = counting(&shape).requires_grad_(true).unwrap();
        let x = elsewhere(&leaf, how);
        let index: Vec<Index> = entries.iter().map(Entry::index).collect();
        let y = x.i(&index[..]).unwrap_or_else(|e| panic!("{entries:?} of {shape:?}: {e}"));
        prop_assert_eq!(y.shape(), &sizes[..], "{:?} of {:?}", entries, shape);
        let expected: Vec<f64> = numbers.iter().map(|&i| i as f64).collect();
        prop_assert_eq!(values(&y), expected, "{:?} of {:?}", entries, shape);
        let basic = entries.iter().all(|e| !matches!(e, Entry::List(..) | Entry::Mask(..)));
        prop_assert_eq!(y.shares_memory(&x), basic);
        let g = counting(&sizes);
        y.backward_with(&g).unwrap();
        let mut gradient = vec![0.0; leaf.numel()];
        numbers.iter().zip(values(&g)).for_each(|(&i, g)| gradient[i] += g);
        prop_assert_eq!(values(&leaf.grad().unwrap()), gradient);
    }

    #[test]
    fn writing_and_its_gradients(
        shape in shapes(), seeds in seeds(), list in lists(), how in 0..3usize,
        stretch in any::<u8>(), accumulate in any::<bool>(),
    ) {
        let entries = entries(&shape, &seeds, &list);
        let (sizes, numbers) = model(&shape, &entries);
        let index: Vec<Index> = entries.iter().map(Entry::index).collect();
        let leaf = counting(&shape).requires_grad_(true).unwrap();
        let x = elsewhere(&leaf, how);
        // A value that broadcasts to what is selected.
        let value_shape: Vec<usize> = sizes.iter().enumerate()
            .map(|(d, &n)| if stretch >> d & 1 == 1 { 1 } else { n })
            .skip(usize::from(stretch >> 6)).collect();
        let value = counting(&value_shape).sub(50.0).unwrap().detach().requires_grad_(true).unwrap();
        let written = values(&value.broadcast_to(&sizes[..]).unwrap());

        let mut expected = values(&x);
        for (&i, v) in numbers.iter().zip(&written) {
            expected[i] = if accumulate { expected[i] + v } else { *v };
        }
        let y = x.index_put(&index[..], &value, accumulate).unwrap();
        prop_assert_eq!(y.shape(), &shape[..]);
        prop_assert_eq!(&values(&y), &expected, "{:?} of {:?}", entries, shape);

        // Every element of the result has one origin, or all of them when they are added.
        let g = counting(&shape).add(1.0).unwrap();
        y.backward_with(&g).unwrap();
        let g = values(&g);
        let mut to_x = g.clone();
        let mut to_value = vec![0.0; written.len()];
        for (k, &i) in numbers.iter().enumerate() {
            if accumulate {
                to_value[k] = g[i];
            } else {
                to_x[i] = 0.0;
                to_value[k] = if numbers[k + 1..].contains(&i) { 0.0 } else { g[i] };
            }
        }
        let to_value = Tensor::from_vec(to_value, &sizes[..]).unwrap();
        let mut sum = to_value;
        for _ in value_shape.len()..sizes.len() {
            sum = sum.sum(0).unwrap();
        }
        for (d, &n) in value_shape.iter().enumerate() {
            if n != sum.shape()[d] {
                sum = sum.sum(keepdim(d as isize)).unwrap();
            }
        }
        prop_assert_eq!(values(&leaf.grad().unwrap()), to_x.clone());
        prop_assert_eq!(values(&value.grad().unwrap()), values(&sum));

        // In place: the same values, and the same gradients.
        if !accumulate {
            let leaves = [&leaf, &value].map(|t| {
                Tensor::from_vec(values(t), t.shape()).unwrap().requires_grad_(true).unwrap()
            });
            let x = elsewhere(&leaves[0].mul(1.0).unwrap(), how);
            x.set(&index[..], &leaves[1]).unwrap();
            prop_assert_eq!(&values(&x), &expected);
            let g = counting(&shape).add(1.0).unwrap();
            x.backward_with(&g).unwrap();
            prop_assert_eq!(values(&leaves[0].grad().unwrap()), to_x);
            prop_assert_eq!(values(&leaves[1].grad().unwrap()), values(&sum));
            // And without any history.
            let plain = elsewhere(&counting(&shape), how);
            plain.set(&index[..], &value.detach()).unwrap();
            prop_assert_eq!(&values(&plain), &expected);
        }
    }
}

// ---- NumPy ---------------------------------------------------------------------------------------

/// The entries of a Python indexing expression.
fn parse(expression: &str) -> Vec<Index> {
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for c in expression.chars() {
        depth += match c {
            '[' => 1,
            ']' => -1,
            _ => 0,
        };
        match c {
            ',' if depth == 0 => parts.push(String::new()),
            c => parts.last_mut().unwrap().push(c),
        }
    }
    parts.iter().map(|part| parse_entry(part.trim())).collect()
}

fn parse_entry(entry: &str) -> Index {
    let number = |text: &str| {
        text.parse::<isize>()
            .unwrap_or_else(|_| panic!("{text} in {entry}"))
    };
    match entry {
        "..." => Index::Ellipsis,
        "None" => Index::NewAxis,
        "True" => true.into(),
        "False" => false.into(),
        _ if entry.starts_with('[') => {
            // Of at most two dimensions.
            let rows = entry.matches('[').count() - usize::from(entry.starts_with("[["));
            let words: Vec<&str> = entry
                .split(['[', ']', ',', ' '])
                .filter(|w| !w.is_empty())
                .collect();
            let shape = match entry.starts_with("[[") {
                true => vec![rows, words.len() / rows],
                false => vec![words.len()],
            };
            let tensor = if words[0].parse::<i64>().is_ok() {
                let at: Vec<i64> = words.iter().map(|w| number(w) as i64).collect();
                Tensor::from_vec(at, shape)
            } else {
                let mask: Vec<bool> = words.iter().map(|&w| w == "True").collect();
                Tensor::from_vec(mask, shape)
            };
            tensor.unwrap().into()
        }
        _ if entry.contains(':') => {
            let parts: Vec<_> = entry.split(':').collect();
            let part = |i: usize| parts.get(i).filter(|p| !p.is_empty()).map(|p| number(p));
            Slice {
                start: part(0),
                stop: part(1),
                step: part(2).unwrap_or(1),
            }
            .into()
        }
        _ => number(entry).into(),
    }
}

#[test]
fn expressions_mean_what_they_mean_in_numpy() {
    let numbers = |text: &str| -> Vec<usize> {
        text.split_whitespace()
            .map(|n| n.parse().unwrap())
            .collect()
    };
    let mut lines = 0;
    for line in include_str!("numpy/indexing.txt").lines() {
        lines += 1;
        let parts: Vec<&str> = line.split('|').collect();
        let x = counting(&numbers(parts[0]));
        let expected = |text| {
            numbers(text)
                .into_iter()
                .map(|n| n as f64)
                .collect::<Vec<_>>()
        };
        match parts[1].split_once('=') {
            None => {
                let y = x
                    .i(parse(parts[1]))
                    .unwrap_or_else(|e| panic!("{line}: {e}"));
                assert_eq!(y.shape(), numbers(parts[2]), "{line}");
                assert_eq!(values(&y), expected(parts[3]), "{line}");
            }
            Some((index, sizes)) => {
                let value = counting(&numbers(sizes)).add(100.0).unwrap();
                let y = x
                    .index_put(parse(index), &value, false)
                    .unwrap_or_else(|e| panic!("{line}: {e}"));
                x.set(parse(index), &value).unwrap();
                for written in [&x, &y] {
                    assert_eq!(values(written), expected(parts[2]), "{line}");
                }
            }
        }
    }
    assert!(lines > 80, "only {lines} lines in the fixture");
}

// ---- corners -------------------------------------------------------------------------------------

#[test]
fn an_integer_beside_lists_is_applied_first_as_in_pytorch() -> Result<()> {
    let x = counting(&[2, 3, 4]);
    // NumPy would give [2, 3].
    assert_eq!(x.i((0, .., [1, 2]))?.shape(), [3, 2]);
    assert_eq!(x.i((&Tensor::from(0), .., [1, 2]))?.shape(), [3, 2]);
    assert!(x.i((&Tensor::from(0), .., 1..))?.shares_memory(&x));
    Ok(())
}

#[test]
#[allow(clippy::reversed_empty_ranges)] // Counted from the end, it is not empty.
fn inclusive_ranges_end_with_the_last_position_at_minus_one() -> Result<()> {
    let x = counting(&[5]);
    assert_eq!(values(&x.i(1..=3)?), [1.0, 2.0, 3.0]);
    assert_eq!(values(&x.i(2..=-1)?), [2.0, 3.0, 4.0]);
    assert_eq!(values(&x.i(..=-2)?), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(values(&x.i(s(isize::MIN..isize::MAX, isize::MAX))?), [0.0]);
    assert_eq!(values(&x.i(s(.., isize::MIN))?), [4.0]);
    assert_eq!(values(&x.i(usize::MAX..)?), [0.0; 0]);
    Ok(())
}

/// Results above every threshold of the thread pool, rows that lie apart, positions that overflow a
/// row: the same as one by one.
#[test]
fn large_results_agree_with_a_plain_loop() -> Result<()> {
    let x = counting(&[40, 50, 60]);
    let list: Vec<usize> = (0..700).map(|i| i * 37 % 50).collect();
    for (view, strides) in [
        (x.clone(), [3000, 60, 1]),
        (x.transpose(0, 2)?, [1, 60, 3000]),
    ] {
        let found = values(&view.i((.., &list))?);
        let shape = [view.shape()[0], list.len(), view.shape()[2]];
        let expected = every(&shape)
            .into_iter()
            .map(|i| i[0] * strides[0] + list[i[1]] * strides[1] + i[2] * strides[2]);
        assert!(found.into_iter().map(|v| v as usize).eq(expected));
    }
    let mask = x
        .to_dtype(DType::I64)?
        .mul(7919)?
        .to_dtype(DType::U8)?
        .gt(100)?;
    let hits: Vec<f64> = values(&x)
        .into_iter()
        .filter(|&v| (v as i64 * 7919) as u8 > 100)
        .collect();
    assert_eq!(values(&x.masked_select(&mask)?), hits);
    assert_eq!(values(&x.i(&mask)?), hits);
    Ok(())
}

#[test]
fn a_value_that_shares_the_written_memory_is_read_before() -> Result<()> {
    let x = counting(&[5]);
    x.set([1, 2, 3], &x.narrow(0, 0, 3)?)?;
    assert_eq!(values(&x), [0.0, 0.0, 1.0, 2.0, 4.0]);
    x.set(s(.., -1), &x)?;
    assert_eq!(values(&x), [4.0, 2.0, 1.0, 0.0, 0.0]);
    x.index_add_(0, &[0, 0], &x.i(..2)?)?;
    assert_eq!(values(&x), [10.0, 2.0, 1.0, 0.0, 0.0]);
    Ok(())
}

#[test]
fn what_is_not_taken_has_no_gradient_not_even_nan() -> Result<()> {
    let x = Tensor::from([-1.0, 4.0]);
    // 0 · NaN would be NaN.
    let root = Tensor::from([f64::NAN, 2.0]).requires_grad_(true)?;
    x.gt(0)?.where_cond(&root, 0)?.sum(..)?.backward()?;
    assert_eq!(values(&root.grad().unwrap()), [0.0, 1.0]);
    let (a, b) = (Tensor::from([1, 2]), Tensor::from([1.5, 2.5]));
    assert_eq!(
        Tensor::from([true, false]).where_cond(&a, &b)?.dtype(),
        DType::F32
    );
    assert_eq!(Tensor::from(true).where_cond(1, 2)?.dtype(), DType::I64);
    Ok(())
}

#[test]
fn tensors_without_dimensions() -> Result<()> {
    let (x, zero) = (Tensor::from(5.0), Tensor::from(0));
    assert_eq!(x.gather(0, &zero)?.ndim(), 0);
    assert_eq!(values(&x.gather(0, &Tensor::from([0, 0]))?), [5.0, 5.0]);
    assert_eq!(values(&x.scatter(0, &zero, 7)?), [7.0]);
    assert_eq!(
        values(&x.scatter_add(0, &Tensor::from([0, 0]), &Tensor::from([1.0, 2.0]))?),
        [8.0]
    );
    assert_eq!(x.take(&Tensor::from([[0, -1]]))?.shape(), [1, 2]);
    assert_eq!(x.masked_select(&Tensor::from(true))?.shape(), [1]);
    assert_eq!(
        values(&x.masked_fill(&Tensor::from([true, false]), 1)?),
        [1.0, 5.0]
    );
    assert_eq!(x.nonzero()?.shape(), [1, 0]);
    assert_eq!(Tensor::from(0).nonzero()?.shape(), [0, 0]);
    assert_eq!(values(&x.nonzero_tuple()?[0]), [0.0]);
    assert_eq!(values(&Tensor::from(2).one_hot(None)?), [0.0, 0.0, 1.0]);
    assert_eq!(
        Tensor::from_vec([0i64; 0], [0])?.one_hot(3)?.shape(),
        [0, 3]
    );
    Ok(())
}

/// Numbers from PyTorch 2.15.
#[test]
fn scatter_reduce_with_zeros_ties_and_nan() -> Result<()> {
    let leaf = |x: &[f64]| Tensor::from_vec(x, x.len())?.requires_grad_(true);
    let index = Tensor::from([0, 0, 1, 2, 3]);
    let (x, src) = (
        leaf(&[2.0, 0.0, 3.0, 0.0])?,
        leaf(&[0.0, 5.0, 0.0, 0.0, 4.0])?,
    );
    let y = x.scatter_reduce(0, &index, &src, Prod, true)?;
    assert_eq!(values(&y), [0.0; 4]);
    y.backward_with(&counting(&[4]).add(1.0)?)?;
    assert_eq!(values(&x.grad().unwrap()), [0.0, 0.0, 0.0, 16.0]);
    assert_eq!(values(&src.grad().unwrap()), [10.0, 0.0, 0.0, 9.0, 0.0]);

    let (x, src) = (leaf(&[1.0, 2.0, 3.0])?, leaf(&[1.0, 1.0, 2.0, 7.0])?);
    let y = x.scatter_reduce(0, &Tensor::from([0, 0, 1, 2]), &src, Amax, true)?;
    assert_eq!(values(&y), [1.0, 2.0, 7.0]);
    y.backward_with(&Tensor::from_vec([6.0, 4.0, 5.0], [3])?)?;
    assert_eq!(values(&x.grad().unwrap()), [2.0, 2.0, 0.0]);
    assert_eq!(values(&src.grad().unwrap()), [2.0, 2.0, 2.0, 5.0]);

    let x = Tensor::from([1, 9, 3]);
    let (index, src) = (Tensor::from([0, 0, 1]), Tensor::from([5, -7, 4]));
    assert_eq!(
        values(&x.scatter_reduce(0, &index, &src, Amin, false)?),
        [-7.0, 4.0, 3.0]
    );
    assert_eq!(
        values(&x.scatter_reduce(0, &index, &src, Prod, true)?),
        [-35.0, 36.0, 3.0]
    );
    let nan = Tensor::from([f64::NAN, 1.0, 2.0]);
    let y = Tensor::ones([3]).scatter_reduce(0, &index, &nan, Amin, true)?;
    assert!(values(&y)[0].is_nan() && values(&y)[1] == 1.0);
    Ok(())
}

#[test]
fn sorted_search_puts_nan_last() -> Result<()> {
    let edges = Tensor::from([1.0, 2.0, 3.0]);
    let x = Tensor::from([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 2.0]);
    assert_eq!(
        values(&edges.searchsorted(&x, false)?),
        [3.0, 3.0, 0.0, 1.0]
    );
    assert_eq!(values(&edges.searchsorted(&x, true)?), [3.0, 3.0, 0.0, 2.0]);
    assert_eq!(
        values(&edges.searchsorted(&Tensor::from([[1, 2], [3, 4]]), false)?),
        [0.0, 1.0, 2.0, 3.0]
    );
    Ok(())
}

/// Each change in place against its functional form: values and gradients, with a history and
/// without, into a whole tensor and into a view.
#[test]
fn changes_in_place_are_their_functional_forms() -> Result<()> {
    type Form = fn(&Tensor, &Tensor) -> Result<Tensor>;
    type Change = fn(&Tensor, &Tensor) -> Result<()>;
    fn index() -> Tensor {
        Tensor::from([[2, 0, 2], [1, 1, 0]])
    }
    fn mask() -> Tensor {
        Tensor::from([[true, false, true], [true, true, false]])
    }
    fn number(y: &Tensor) -> Result<Tensor> {
        y.i((0, 0))
    }
    let pairs: &[(Form, Change)] = &[
        (
            |x, y| x.index_put([1, 1], y, false),
            |x, y| x.set([1, 1], y),
        ),
        (|x, y| x.index_put((.., ..), y, false), |x, y| x.set((), y)),
        (
            |x, y| x.index_add(0, &[1, 1], y),
            |x, y| x.index_add_(0, &[1, 1], y),
        ),
        (
            |x, y| x.index_copy(0, &[1, 1], y),
            |x, y| x.index_copy_(0, &[1, 1], y),
        ),
        (
            |x, y| x.index_fill(1, &[-1, 0], &number(y)?),
            |x, y| x.index_fill_(1, &[-1, 0], &number(y)?),
        ),
        (
            |x, y| x.scatter(1, &index(), y),
            |x, y| x.scatter_(1, &index(), y),
        ),
        (
            |x, y| x.scatter_add(1, &index(), y),
            |x, y| x.scatter_add_(1, &index(), y),
        ),
        (
            |x, y| x.put(&index(), y, true),
            |x, y| x.put_(&index(), y, true),
        ),
        (
            |x, y| x.masked_fill(&mask(), &number(y)?),
            |x, y| x.masked_fill_(&mask(), &number(y)?),
        ),
        (
            |x, y| x.masked_scatter(&mask(), y),
            |x, y| x.masked_scatter_(&mask(), y),
        ),
    ];
    for (number, (form, change)) in pairs.iter().enumerate() {
        for (x_grad, y_grad, view) in [
            (false, false, false),
            (false, false, true),
            (true, false, false),
            (false, true, false),
            (true, true, false),
            (true, true, true),
            (false, true, true),
        ] {
            let run = |in_place: bool| -> Result<_> {
                let x = counting(&[2, 3])
                    .add(10.0)?
                    .detach()
                    .requires_grad_(x_grad)?;
                let y = counting(&[2, 3])
                    .sub(9.0)?
                    .detach()
                    .requires_grad_(y_grad)?;
                // A base of twice the size, or the tensor alone.
                let base = if view {
                    Tensor::stack(&[&x, &x], 1)?
                } else {
                    x.mul(1.0)?
                };
                let part = if view {
                    base.select(1, 1)?
                } else {
                    base.clone()
                };
                let (whole, result) = if in_place {
                    change(&part, &y)?;
                    (base, part)
                } else {
                    let result = form(&part, &y)?;
                    let whole = if view {
                        Tensor::stack(&[&x, &result], 1)?
                    } else {
                        result.clone()
                    };
                    (whole, result)
                };
                let sum = whole
                    .mul(&counting(whole.shape()))?
                    .sum(..)?
                    .add(&result.mul(&result)?.sum(..)?)?;
                if x_grad || y_grad {
                    sum.backward()?;
                }
                let grads = [x.grad(), y.grad()].map(|g| g.map(|g| values(&g)));
                Ok((values(&whole), values(&result), grads))
            };
            assert_eq!(
                run(true)?,
                run(false)?,
                "pair {number}: {x_grad} {y_grad} {view}"
            );
        }
    }
    Ok(())
}
