//! Random calls against a naive model: a plain `Vec` in row-major order, addressed by index
//! arithmetic, on which every operation is a loop.

use gradus_core::{DType, Result, Tensor};
use proptest::prelude::*;

/// A tensor as one would write it on the first day.
#[derive(Clone, Debug, PartialEq)]
struct Model {
    shape: Vec<usize>,
    values: Vec<f64>,
}

/// Every index of a shape, in row-major order.
fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    shape.iter().fold(vec![vec![]], |all, &n| {
        let extend = |index: &Vec<usize>| {
            let index = index.clone();
            (0..n).map(move |i| [&index[..], &[i]].concat())
        };
        all.iter().flat_map(extend).collect()
    })
}

impl Model {
    /// The tensor of this shape whose element at `index` is `f(index)`.
    fn build(shape: &[usize], f: impl Fn(&[usize]) -> f64) -> Self {
        Self {
            shape: shape.to_vec(),
            values: indices(shape).iter().map(|index| f(index)).collect(),
        }
    }

    fn at(&self, index: &[usize]) -> f64 {
        let position = (index.iter().zip(&self.shape)).fold(0, |at, (&i, &n)| at * n + i);
        self.values[position]
    }

    /// The element that a tensor broadcast to more dimensions has at `index`.
    fn broadcast_at(&self, index: &[usize]) -> f64 {
        let own = &index[index.len() - self.shape.len()..];
        let own = own.iter().zip(&self.shape);
        self.at(&own
            .map(|(&i, &n)| if n == 1 { 0 } else { i })
            .collect::<Vec<_>>())
    }

    fn of(tensor: &Tensor) -> Self {
        Self {
            shape: tensor.shape().to_vec(),
            values: tensor.to_vec().unwrap(),
        }
    }

    fn tensor(&self) -> Tensor {
        Tensor::from_vec(self.values.as_slice(), self.shape.as_slice()).unwrap()
    }

    /// Different whole numbers, so that sums are exact and every mix-up shows.
    fn counting(shape: &[usize]) -> Self {
        let n = shape.iter().product::<usize>() as i64;
        Self {
            shape: shape.to_vec(),
            values: (0..n).map(|i| ((i * 7919) % 1009 - 500) as f64).collect(),
        }
    }
}

/// One step of a chain of views; numbers are reduced to what the shape at hand allows.
#[derive(Clone, Debug)]
enum Step {
    Permute(Vec<u8>),
    Slice(usize, usize, usize, usize),
    Select(usize, usize),
    Unsqueeze(usize),
    Broadcast(usize),
    Flatten(usize, usize),
    Reshape(usize),
    Flip(u8),
    Unfold(usize, usize, usize),
    Diagonal(usize, usize, usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let n = 0..60usize;
    let step = prop_oneof![
        prop::collection::vec(any::<u8>(), 7).prop_map(Step::Permute),
        (n.clone(), n.clone(), n.clone(), 1..4usize)
            .prop_map(|(d, start, end, step)| Step::Slice(d, start, end, step)),
        (n.clone(), n.clone()).prop_map(|(d, i)| Step::Select(d, i)),
        n.clone().prop_map(Step::Unsqueeze),
        (1..4usize).prop_map(Step::Broadcast),
        (n.clone(), n.clone()).prop_map(|(a, b)| Step::Flatten(a, b)),
        n.clone().prop_map(Step::Reshape),
        any::<u8>().prop_map(Step::Flip),
        (n.clone(), n.clone(), 1..4usize).prop_map(|(d, size, step)| Step::Unfold(d, size, step)),
        (n.clone(), n.clone(), n).prop_map(|(a, b, offset)| Step::Diagonal(a, b, offset)),
    ];
    prop::collection::vec(step, 0..6)
}

fn shape(rank: std::ops::Range<usize>) -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(
        prop_oneof![1 => Just(0), 3 => Just(1), 12 => 2..5usize],
        rank,
    )
}

/// Takes a step on both sides.
fn take(step: &Step, x: Tensor, m: Model) -> Result<(Tensor, Model)> {
    let (rank, dims) = (m.shape.len(), m.shape.clone());
    let reshaped = |shape: Vec<usize>| Model {
        shape,
        values: m.values.clone(),
    };
    Ok(match step {
        Step::Permute(keys) => {
            let mut order: Vec<usize> = (0..rank).collect();
            order.sort_by_key(|&d| keys.get(d));
            let moved: Vec<usize> = order.iter().map(|&d| dims[d]).collect();
            let view = x.permute(order.iter().map(|&d| d as isize).collect::<Vec<_>>())?;
            let model = Model::build(&moved, |index| {
                let mut from = vec![0; rank];
                order.iter().zip(index).for_each(|(&d, &i)| from[d] = i);
                m.at(&from)
            });
            (view, model)
        }
        &Step::Slice(d, start, end, step) if rank > 0 => {
            let d = d % rank;
            let (start, end) = (start % (dims[d] + 1), end % (dims[d] + 1));
            let picked: Vec<usize> = (start..end).step_by(step).collect();
            let mut cut = dims.clone();
            cut[d] = picked.len();
            let model = Model::build(&cut, |index| {
                let mut from = index.to_vec();
                from[d] = picked[index[d]];
                m.at(&from)
            });
            // The dimension from the end, the positions from the start.
            let dim = d as isize - rank as isize;
            (x.slice(dim, start as isize, end as isize, step)?, model)
        }
        &Step::Select(d, i) if rank > 0 && dims[d % rank] > 0 => {
            let d = d % rank;
            let i = i % dims[d];
            let mut rest = dims.clone();
            rest.remove(d);
            let model = Model::build(&rest, |index| {
                let mut from = index.to_vec();
                from.insert(d, i);
                m.at(&from)
            });
            (x.select(d as isize, i as isize - dims[d] as isize)?, model)
        }
        &Step::Unsqueeze(d) if rank < 5 => {
            let d = d % (rank + 1);
            let mut shape = dims;
            shape.insert(d, 1);
            (x.unsqueeze(d as isize)?, reshaped(shape))
        }
        &Step::Broadcast(n) if rank < 5 => {
            let stretch = dims.iter().map(|&m| if m == 1 { n } else { m });
            let shape: Vec<usize> = [n].into_iter().chain(stretch).collect();
            let model = Model::build(&shape, |index| m.broadcast_at(index));
            (x.broadcast_to(shape)?, model)
        }
        &Step::Flatten(a, b) if rank > 0 => {
            let (a, b) = (a % rank, b % rank);
            let (a, b) = (a.min(b), a.max(b));
            let middle = dims[a..=b].iter().product();
            let shape = [&dims[..a], &[middle], &dims[b + 1..]].concat();
            (x.flatten(a as isize, b as isize)?, reshaped(shape))
        }
        &Step::Reshape(k) => {
            // [d, n/d] for one of the divisors of n.
            let n = m.values.len();
            let divisors: Vec<usize> = (1..=n.max(1)).filter(|&d| n.is_multiple_of(d)).collect();
            let first = divisors[k % divisors.len()];
            (
                x.reshape([first as isize, -1])?,
                reshaped(vec![first, n / first]),
            )
        }
        &Step::Flip(choice) => {
            let flipped = chosen(rank, choice);
            let model = Model::build(&dims, |index| {
                let turned = index.iter().enumerate().map(|(d, &i)| {
                    if flipped.contains(&(d as isize)) {
                        dims[d] - 1 - i
                    } else {
                        i
                    }
                });
                m.at(&turned.collect::<Vec<_>>())
            });
            (x.flip(&flipped[..])?, model)
        }
        &Step::Unfold(d, size, step) if (1..5).contains(&rank) => {
            let d = d % rank;
            let size = size % (dims[d] + 1);
            let mut windows = dims.clone();
            windows[d] = (dims[d] - size) / step + 1;
            windows.push(size);
            let model = Model::build(&windows, |index| {
                let mut from = index[..rank].to_vec();
                from[d] = index[d] * step + index[rank];
                m.at(&from)
            });
            (x.unfold(d as isize, size, step)?, model)
        }
        &Step::Diagonal(a, b, offset) if rank > 1 => {
            let (a, b) = (a % rank, b % rank);
            let b = if a == b { (a + 1) % rank } else { b };
            let offset = offset as isize % 7 - 3;
            let (i0, j0) = ((-offset).max(0) as usize, offset.max(0) as usize);
            let n = dims[a].saturating_sub(i0).min(dims[b].saturating_sub(j0));
            let others: Vec<usize> = (0..rank).filter(|&d| d != a && d != b).collect();
            let mut shape: Vec<usize> = others.iter().map(|&d| dims[d]).collect();
            shape.push(n);
            let model = Model::build(&shape, |index| {
                let (&k, rest) = index.split_last().expect("the diagonal");
                let mut from = vec![0; rank];
                others.iter().zip(rest).for_each(|(&d, &i)| from[d] = i);
                (from[a], from[b]) = (i0 + k, j0 + k);
                m.at(&from)
            });
            (x.diagonal(offset, a as isize, b as isize)?, model)
        }
        _ => (x, m),
    })
}

/// Takes all steps.
fn replay(steps: &[Step], x: Tensor, m: Model) -> (Tensor, Model) {
    steps.iter().fold((x, m), |(x, m), step| {
        let taken = take(step, x, m.clone());
        taken.unwrap_or_else(|e| panic!("{step:?} of {:?}: {e}", m.shape))
    })
}

/// A tensor that some chain of views has made, beside its model.
fn viewed(rank: std::ops::Range<usize>) -> impl Strategy<Value = (Tensor, Model)> {
    (shape(rank), steps()).prop_map(|(shape, steps)| {
        let model = Model::counting(&shape);
        replay(&steps, model.tensor(), model)
    })
}

/// Some of `rank` dimensions, by the bits of `choice`.
fn chosen(rank: usize, choice: u8) -> Vec<isize> {
    let dims = (0..rank as isize).filter(|d| choice >> d & 1 == 1);
    dims.collect()
}

/// The values along `dims` for each index of what is left, with its shape.
fn groups(m: &Model, dims: &[isize]) -> (Vec<usize>, Vec<Vec<f64>>) {
    let is_kept = |d: &usize| !dims.contains(&(*d as isize));
    let kept: Vec<usize> = (0..m.shape.len()).filter(is_kept).collect();
    let of = |index: &[usize]| kept.iter().map(|&d| index[d]).collect::<Vec<_>>();
    let shape = of(&m.shape);
    let all = indices(&m.shape);
    let group = |to: &Vec<usize>| {
        let members = all.iter().filter(|index| of(index) == *to);
        members.map(|index| m.at(index)).collect()
    };
    let groups = indices(&shape).iter().map(group).collect();
    (shape, groups)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chains_of_views(shape in shape(0..5), steps in steps()) {
        // Each element is its own number.
        let n = shape.iter().product::<usize>();
        let numbers = Model { values: (0..n).map(|i| i as f64).collect(), shape };
        let leaf = numbers.tensor().requires_grad_(true).unwrap();
        let (y, m) = replay(&steps, leaf.clone(), numbers);
        prop_assert_eq!(&Model::of(&y), &m);
        prop_assert_eq!(&Model::of(&y.contiguous().unwrap()), &m);
        // The gradient of an element is the sum over the places it went to.
        let g = Model::counting(&m.shape);
        y.backward_with(&g.tensor()).unwrap();
        let mut expected = vec![0.0; n];
        m.values.iter().zip(&g.values).for_each(|(&number, g)| expected[number as usize] += g);
        prop_assert_eq!(leaf.grad().unwrap().to_vec::<f64>().unwrap(), expected);
    }

    #[test]
    fn binary_operations_broadcast((x, m) in viewed(0..4), stretch in any::<u8>(), lead in 0..5usize) {
        // An operand that fits: some dimensions of size 1, some in front missing.
        let shape: Vec<usize> = m.shape.iter().enumerate()
            .map(|(d, &n)| if stretch >> d & 1 == 1 { 1 } else { n })
            .skip(lead.min(m.shape.len()))
            .collect();
        let other = Model::counting(&shape);
        let y = other.tensor();
        let expect = |f: fn(f64, f64) -> f64| Model::build(&m.shape, |i| f(m.at(i), other.broadcast_at(i)));
        prop_assert_eq!(Model::of(&x.add(&y).unwrap()), expect(|a, b| a + b));
        prop_assert_eq!(Model::of(&y.mul(&x).unwrap()), expect(|a, b| a * b));
        prop_assert_eq!(Model::of(&x.sub(&y).unwrap()), expect(|a, b| a - b));
        prop_assert_eq!(Model::of(&x.lt(&y).unwrap()), expect(|a, b| f64::from(a < b)));
        // In place, into a copy and into a strided view of a larger tensor.
        let wide = Tensor::stack(&[&x, &x], -1).unwrap();
        let view = wide.select(-1, 1).unwrap();
        view.sub_(&y).unwrap();
        prop_assert_eq!(Model::of(&view), expect(|a, b| a - b));
        prop_assert_eq!(Model::of(&wide.select(-1, 0).unwrap()), m.clone());
        let copy = x.zeros_like().unwrap();
        copy.copy_(&y).unwrap();
        prop_assert_eq!(Model::of(&copy), expect(|_, b| b));
    }

    #[test]
    fn reductions((x, m) in viewed(0..5), choice in any::<u8>()) {
        let dims = chosen(m.shape.len(), choice);
        let (shape, groups) = groups(&m, &dims);
        let reduced = |f: fn(&[f64]) -> f64| Model {
            shape: shape.clone(),
            values: groups.iter().map(|g| f(g)).collect(),
        };
        prop_assert_eq!(Model::of(&x.sum(&dims[..]).unwrap()), reduced(|g| g.iter().sum()));
        let integers = x.to_dtype(DType::I64).unwrap().sum(&dims[..]).unwrap();
        prop_assert_eq!(Model::of(&integers), reduced(|g| g.iter().sum()));
        let empty = dims.iter().any(|&d| m.shape[d as usize] == 0);
        match x.amax(&dims[..]) {
            Ok(y) => prop_assert_eq!(Model::of(&y), reduced(|g| g.iter().copied().fold(f64::MIN, f64::max))),
            Err(_) => prop_assert!(empty),
        }
        if let &[d, ..] = &dims[..] {
            let (shape, groups) = self::groups(&m, &[d]);
            let first = |g: &Vec<f64>| g.iter().position(|x| g.iter().all(|y| y <= x));
            match x.argmax(d) {
                Ok(y) => {
                    let values = groups.iter().map(|g| first(g).unwrap() as f64).collect();
                    prop_assert_eq!(Model::of(&y), Model { shape, values });
                }
                Err(_) => prop_assert_eq!(m.shape[d as usize], 0),
            }
        }
    }

    #[test]
    fn products((x, a) in viewed(1..4), batch in shape(0..2), n in 0..4usize, vector in any::<bool>()) {
        let k = *a.shape.last().unwrap_or(&1);
        let (x, a) = if a.shape.is_empty() {
            (x.reshape([1]).unwrap(), Model { shape: vec![1], ..a })
        } else {
            (x, a)
        };
        // The batches must broadcast: ones where they would not.
        let inner: Vec<usize> = a.shape.iter().rev().skip(2).copied().collect();
        let fits = |(i, &b): (usize, &usize)| if inner.get(i).is_none_or(|&a| a == 1 || a == b) { b } else { 1 };
        let batch: Vec<usize> = batch.iter().enumerate().map(fits).collect();
        let b = if vector {
            Model::counting(&[k])
        } else {
            Model::counting(&[&batch[..], &[k, n]].concat())
        };
        // Both operands as matrices with batches, then a triple loop.
        let row = a.shape.len() == 1;
        let wide_a = if row { Model { shape: vec![1, k], ..a.clone() } } else { a.clone() };
        let wide_b = if vector { Model { shape: vec![k, 1], ..b.clone() } } else { b.clone() };
        let (ra, rb) = (wide_a.shape.len(), wide_b.shape.len());
        let batches = gradus_core::shape::broadcast(&wide_a.shape[..ra - 2], &wide_b.shape[..rb - 2]).unwrap();
        let full = [&batches[..], &[wide_a.shape[ra - 2], wide_b.shape[rb - 1]]].concat();
        let stretch = |m: &Model, index: &[usize], i: usize, j: usize| {
            let lead = &index[index.len() - 2 - (m.shape.len() - 2)..index.len() - 2];
            let lead = lead.iter().zip(&m.shape).map(|(&i, &n)| if n == 1 { 0 } else { i });
            m.at(&lead.chain([i, j]).collect::<Vec<_>>())
        };
        let mut product = Model::build(&full, |index| {
            let (i, j) = (index[index.len() - 2], index[index.len() - 1]);
            (0..k).map(|l| stretch(&wide_a, index, i, l) * stretch(&wide_b, index, l, j)).sum()
        });
        if vector {
            product.shape.pop();
        }
        if row {
            product.shape.remove(product.shape.len() - if vector { 1 } else { 2 });
        }
        prop_assert_eq!(Model::of(&x.matmul(&b.tensor()).unwrap()), product);
        // Operands that lie otherwise in memory give the same.
        if !vector {
            let turned = b.tensor().transpose(-1, -2).unwrap().contiguous().unwrap();
            let y = x.matmul(&turned.transpose(-1, -2).unwrap()).unwrap();
            prop_assert_eq!(y.to_vec::<f64>().unwrap(), x.matmul(&b.tensor()).unwrap().to_vec::<f64>().unwrap());
        }
    }
}
