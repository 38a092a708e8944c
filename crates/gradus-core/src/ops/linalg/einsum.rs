//! Sums of products over subscripts. Operands are contracted from left to right, each pair by one
//! batched matrix product, or by an element-wise one where nothing is summed.

use crate::error::{Error, Result, err};
use crate::ops::registry::{Case, Input};
use crate::shape::{Dims, resolve_dim};
use crate::tensor::Tensor;

const MATRICES: &[Input] = &[Input::real(&[2, 3]), Input::real(&[3, 4])];
const BATCHES: &[Input] = &[Input::real(&[2, 3, 4]), Input::real(&[2, 4, 3])];

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("matmul", MATRICES, |x| {
        Tensor::einsum("ij,jk->ik", &[&x[0], &x[1]])
    })
    .torch("torch.einsum('ij,jk->ik', x[0], x[1])"),
    Case::new("matmul", MATRICES, |x| {
        Tensor::einsum("ij, jk", &[&x[0], &x[1]])
    })
    .torch("torch.einsum('ij, jk', x[0], x[1])"),
    Case::new("matmul", BATCHES, |x| {
        Tensor::einsum("bij,bji->b", &[&x[0], &x[1]])
    })
    .torch("torch.einsum('bij,bji->b', x[0], x[1])"),
    Case::new("matmul", BATCHES, |x| {
        Tensor::einsum("...ij,...jk->k...i", &[&x[0], &x[1]])
    })
    .torch("torch.einsum('...ij,...jk->k...i', x[0], x[1])"),
    Case::new("mul", &[Input::real(&[2]), Input::real(&[3])], |x| {
        Tensor::einsum("i,j->ji", &[&x[0], &x[1]])
    })
    .torch("torch.einsum('i,j->ji', x[0], x[1])"),
    Case::new("diagonal", &[Input::real(&[3, 2, 3])], |x| {
        Tensor::einsum("iji->ij", &[&x[0]])
    })
    .torch("torch.einsum('iji->ij', x[0])"),
    Case::new("sum", &[Input::real(&[3, 3, 3])], |x| {
        Tensor::einsum("iii", &[&x[0]])
    })
    .torch("torch.einsum('iii', x[0])"),
    Case::new("permute", &[Input::real(&[2, 3, 4])], |x| {
        Tensor::einsum("b...a", &[&x[0]])
    })
    .torch("torch.einsum('b...a', x[0])"),
    Case::new(
        "matmul",
        &[
            Input::real(&[2, 3]),
            Input::real(&[4, 3, 5]),
            Input::real(&[2, 5]),
        ],
        |x| Tensor::einsum("bn,anm,bm->ba", &[&x[0], &x[1], &x[2]]),
    )
    .torch("torch.einsum('bn,anm,bm->ba', x[0], x[1], x[2])"),
    Case::new("sum", &[Input::real(&[1, 3]), Input::real(&[2, 4])], |x| {
        Tensor::einsum("ij,ik->k", &[&x[0], &x[1]])
    })
    .torch("torch.einsum('ij,ik->k', x[0], x[1])"),
    Case::new(
        "matmul",
        &[Input::real(&[2, 3, 4]), Input::real(&[3, 4, 2])],
        |x| x[0].tensordot(&x[1], 2),
    )
    .torch("torch.tensordot(x[0], x[1], dims=2)"),
    Case::new(
        "matmul",
        &[Input::real(&[2, 3, 4]), Input::real(&[5, 2, 3])],
        |x| x[0].tensordot_dims(&x[1], [&[1, 0], &[-1, 1]]),
    )
    .torch("torch.tensordot(x[0], x[1], dims=([1, 0], [-1, 1]))"),
    Case::new("mul", &[Input::real(&[2]), Input::real(&[3])], |x| {
        x[0].tensordot(&x[1], 0)
    })
    .torch("torch.tensordot(x[0], x[1], dims=0)"),
];

impl Tensor {
    /// The sum of products that `equation` describes (Einstein's notation): a letter for each
    /// dimension of each operand, operands separated by commas, then `->` and the letters of the
    /// result. Letters that the result leaves out are summed over. A letter twice in one operand
    /// takes the diagonal. `...` stands for any dimensions, which broadcast. Without `->` the result
    /// has the dimensions of `...`, then the letters that occur once, in alphabetical order. Spaces
    /// do not count; a size of 1 fits any size of the same letter.
    ///
    /// Operands are contracted from left to right: with more than two, their order decides how
    /// much is computed.
    ///
    /// # Errors
    /// If the equation is malformed or does not fit the operands, or dtypes differ in a sum of
    /// products.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::ones([5, 2, 3]), Tensor::ones([5, 3, 4]));
    /// assert_eq!(Tensor::einsum("bij,bjk->bik", &[&a, &b])?.shape(), [5, 2, 4]);
    /// let trace = Tensor::einsum("ii", &[&Tensor::from([[1, 2], [3, 4]])])?;
    /// assert_eq!(trace.item::<i64>()?, 5);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn einsum(equation: &str, operands: &[&Tensor]) -> Result<Tensor> {
        if operands.is_empty() {
            return Err(err!(Value, "einsum: must provide at least one operand"));
        }
        let (inputs, output) = parse(equation, operands)?;
        evaluate(inputs, &output).map_err(|e| e.at("einsum"))
    }

    /// The sum of products over the last `dims` dimensions of this tensor and the first `dims` of
    /// `other`, paired in order. The result has the other dimensions of both.
    ///
    /// # Errors
    /// If sizes or dtypes differ, or there are not so many dimensions.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::ones([2, 3, 4]), Tensor::ones([3, 4, 5]));
    /// assert_eq!(a.tensordot(&b, 2)?.shape(), [2, 5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tensordot(&self, other: &Tensor, dims: usize) -> Result<Tensor> {
        let Some(first) = self
            .ndim()
            .checked_sub(dims)
            .filter(|_| dims <= other.ndim())
        else {
            return Err(err!(
                Index,
                "tensordot: expects dims <= ndim_a and ndim_b, but got dims={dims} for shapes {:?} and {:?}",
                self.shape(),
                other.shape()
            ));
        };
        let of = |start: usize| (start as isize..(start + dims) as isize).collect::<Vec<_>>();
        self.tensordot_dims(other, [&of(first), &of(0)])
    }

    /// The sum of products over the dimensions in the first list, of this tensor, and those in the
    /// second, of `other`, paired in order. The result has the other dimensions of both.
    ///
    /// # Errors
    /// If the lists differ in length, a dimension is out of range or named twice, or sizes or
    /// dtypes differ.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::ones([2, 3, 4]), Tensor::ones([5, 2]));
    /// assert_eq!(a.tensordot_dims(&b, [&[0], &[1]])?.shape(), [3, 4, 5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tensordot_dims(&self, other: &Tensor, dims: [&[isize]; 2]) -> Result<Tensor> {
        let [left, right] = dims;
        if left.len() != right.len() {
            return Err(err!(
                Index,
                "tensordot: both dimension lists should have same length, got {left:?} and {right:?}"
            ));
        }
        let resolve = |dims: &[isize], rank: usize| -> Result<Vec<usize>> {
            let dims: Vec<_> =
                (dims.iter().map(|&d| resolve_dim(d, rank))).collect::<Result<_>>()?;
            match (0..dims.len()).find(|&i| dims[i] >= rank || dims[..i].contains(&dims[i])) {
                Some(i) => Err(err!(
                    Index,
                    "dim {} appears multiple times in the list of dims",
                    dims[i]
                )),
                None => Ok(dims),
            }
        };
        let at = |e: Error| e.at("tensordot");
        let (left, right) = (
            resolve(left, self.ndim()).map_err(at)?,
            resolve(right, other.ndim()).map_err(at)?,
        );
        let mut labels: Vec<usize> = (self.ndim()..self.ndim() + other.ndim()).collect();
        for (&i, &j) in left.iter().zip(&right) {
            let (n, m) = (self.shape()[i], other.shape()[j]);
            if n != m && n != 1 && m != 1 {
                return Err(err!(
                    Shape,
                    "tensordot: contracted dimensions need to match, but first has size {n} in dim {i} and second has \
                     size {m} in dim {j}"
                ));
            }
            labels[j] = i;
        }
        let (a, b) = (
            Term {
                x: self.clone(),
                labels: (0..self.ndim()).collect(),
            },
            Term {
                x: other.clone(),
                labels,
            },
        );
        contract(a, b, |label| label >= self.ndim() || !left.contains(&label))
            .map(|term| term.x)
            .map_err(at)
    }
}

/// What stands for a dimension: a letter, or `ELLIPSIS` and above for those that `...` covers,
/// counted so that the last ones of all operands agree.
type Label = usize;
const ELLIPSIS: Label = 256;

/// A tensor with a label for each dimension, all different.
struct Term {
    x: Tensor,
    labels: Vec<Label>,
}

/// What an equation says of one operand or of the result: letters, and where `...` stands.
#[derive(Default)]
struct Subscripts {
    letters: Vec<u8>,
    ellipsis: Option<usize>,
}

impl Subscripts {
    /// The labels when `...` covers `count` dimensions.
    fn labels(&self, count: usize) -> Vec<Label> {
        let mut labels: Vec<Label> = self.letters.iter().map(|&c| c.into()).collect();
        if let Some(at) = self.ellipsis {
            labels.splice(at..at, (0..count).rev().map(|d| ELLIPSIS + d));
        }
        labels
    }
}

/// The operands with their labels, diagonals taken, and the labels of the result.
fn parse(equation: &str, operands: &[&Tensor]) -> Result<(Vec<Term>, Vec<Label>)> {
    let (inputs, output) = split(equation)?;
    if inputs.len() != operands.len() {
        return Err(err!(
            Value,
            "einsum: {} operands were provided than specified in the equation: '{equation}' has {}, got {}",
            if inputs.len() > operands.len() {
                "fewer"
            } else {
                "more"
            },
            inputs.len(),
            operands.len()
        ));
    }
    let mut covered = 0;
    let mut terms = Vec::new();
    // The size of each label, 1 until an operand has more.
    let mut sizes: Vec<(Label, usize)> = Vec::new();
    for (i, (subscripts, x)) in inputs.iter().zip(operands).enumerate() {
        let (letters, rank) = (subscripts.letters.len(), x.ndim());
        if rank < letters || rank > letters && subscripts.ellipsis.is_none() {
            return Err(err!(
                Shape,
                "einsum: the number of subscripts in the equation ({letters}) {} the number of dimensions ({rank}) for \
                 operand {i}{}",
                if subscripts.ellipsis.is_some() {
                    "is more than"
                } else {
                    "does not match"
                },
                if subscripts.ellipsis.is_some() {
                    ""
                } else {
                    " and no ellipsis was given"
                }
            ));
        }
        covered = covered.max(rank - letters);
        let term = diagonal(x, &subscripts.labels(rank - letters), i)?;
        for (&label, &n) in term.labels.iter().zip(term.x.shape()) {
            match sizes.iter_mut().find(|(known, _)| *known == label) {
                None => sizes.push((label, n)),
                Some((_, size)) if *size == 1 => *size = n,
                Some((_, size)) if n != *size && n != 1 => return Err(misfit(label, n, *size, i)),
                Some(_) => {}
            }
        }
        terms.push(term);
    }
    let output = match output {
        Some(output) => output,
        None => implicit(&inputs),
    };
    for (i, letter) in output.letters.iter().enumerate() {
        let letter_name = *letter as char;
        if !inputs.iter().any(|input| input.letters.contains(letter)) {
            return Err(err!(
                Value,
                "einsum: output subscript {letter_name} does not appear in the equation for any input operand"
            ));
        }
        if output.letters[..i].contains(letter) {
            return Err(err!(
                Value,
                "einsum: output subscript {letter_name} appears more than once in the output"
            ));
        }
    }
    let some = inputs.iter().any(|input| input.ellipsis.is_some());
    Ok((terms, output.labels(if some { covered } else { 0 })))
}

fn misfit(label: Label, n: usize, size: usize, operand: usize) -> Error {
    match u8::try_from(label) {
        Ok(letter) => err!(
            Shape,
            "einsum: subscript {} has size {n} for operand {operand} which does not broadcast with previously seen size \
             {size}",
            letter as char
        ),
        Err(_) => err!(
            Shape,
            "einsum: dimension -{} covered by ellipsis in operand {operand} has size {n} which does not broadcast with \
             previously seen ellipsis with size {size} for the respective dimension",
            label - ELLIPSIS + 1
        ),
    }
}

/// The dimensions of `...`, then the letters that occur once, in alphabetical order.
fn implicit(inputs: &[Subscripts]) -> Subscripts {
    let letters = || {
        inputs
            .iter()
            .flat_map(|input| input.letters.iter().copied())
    };
    let once = |letter: &u8| letters().filter(|c| c == letter).count() == 1;
    let mut output: Vec<u8> = letters().filter(once).collect();
    output.sort_unstable();
    Subscripts {
        letters: output,
        ellipsis: Some(0),
    }
}

/// An equation's operands and result.
fn split(equation: &str) -> Result<(Vec<Subscripts>, Option<Subscripts>)> {
    let (mut inputs, mut output) = (vec![Subscripts::default()], None);
    let text = equation.as_bytes();
    let mut i = 0;
    while i < text.len() {
        let rest = &text[i..];
        let place = match output {
            Some(_) => "output".to_string(),
            None => format!("operand {}", inputs.len() - 1),
        };
        let operands = inputs.len();
        let current = output.as_mut().unwrap_or(&mut inputs[operands - 1]);
        i += match text[i] {
            b' ' => 1,
            b'.' if current.ellipsis.is_some() => {
                return Err(err!(
                    Value,
                    "einsum: found '.' for {place} for which an ellipsis was already found"
                ));
            }
            b'.' if rest.starts_with(b"...") => {
                current.ellipsis = Some(current.letters.len());
                3
            }
            b'.' => {
                return Err(err!(
                    Value,
                    "einsum: found '.' for {place} that is not part of any ellipsis"
                ));
            }
            letter if letter.is_ascii_alphabetic() => {
                current.letters.push(letter);
                1
            }
            b',' if output.is_none() => {
                inputs.push(Subscripts::default());
                1
            }
            b'-' if output.is_none() && rest.starts_with(b"->") => {
                output = Some(Subscripts::default());
                2
            }
            _ => {
                return Err(err!(
                    Value,
                    "einsum: invalid subscript given at index {i} in the equation string '{equation}', subscripts must be in \
                     [a-zA-Z]"
                ));
            }
        };
    }
    Ok((inputs, output))
}

/// The tensor with every label once: its diagonal where one occurs again.
fn diagonal(x: &Tensor, labels: &[Label], operand: usize) -> Result<Term> {
    let mut term = Term {
        x: x.clone(),
        labels: labels.to_vec(),
    };
    while let Some((i, j)) = repeated(&term.labels) {
        let (n, m) = (term.x.shape()[i], term.x.shape()[j]);
        if n != m {
            return Err(err!(
                Shape,
                "einsum: subscript {} is repeated for operand {operand} but the sizes don't match, {m} != {n}",
                term.labels[i] as u8 as char
            ));
        }
        term.x = term.x.diagonal(0, i as isize, j as isize)?;
        // i comes before j.
        let label = term.labels.remove(j);
        term.labels.remove(i);
        term.labels.push(label);
    }
    Ok(term)
}

fn repeated(labels: &[Label]) -> Option<(usize, usize)> {
    (0..labels.len()).find_map(|j| Some((labels[..j].iter().position(|l| *l == labels[j])?, j)))
}

fn evaluate(terms: Vec<Term>, output: &[Label]) -> Result<Tensor> {
    let mut terms = terms.into_iter();
    let mut sum = terms.next().expect("at least one operand");
    while let Some(next) = terms.next() {
        let later = terms.as_slice();
        sum = contract(sum, next, |label| {
            output.contains(&label) || later.iter().any(|term| term.labels.contains(&label))
        })?;
    }
    sum.sum_out(|label| !output.contains(&label))?
        .arranged(output)
}

impl Term {
    fn size(&self, label: Label) -> Option<usize> {
        let at = self.labels.iter().position(|&l| l == label)?;
        Some(self.x.shape()[at])
    }

    /// Sums over the labels that `which` names.
    fn sum_out(self, which: impl Fn(Label) -> bool) -> Result<Self> {
        let (out, labels): (Vec<_>, Vec<_>) = self.labels.iter().partition(|&&label| which(label));
        if out.is_empty() {
            return Ok(self);
        }
        let mask: Vec<bool> = self
            .labels
            .iter()
            .map(|label| out.contains(label))
            .collect();
        Ok(Self {
            x: self.x.sum(mask)?,
            labels,
        })
    }

    /// Drops dimensions of size 1 that `other` has with another size: they stretch.
    fn without_stretched(mut self, other: &Self) -> Result<Self> {
        for d in (0..self.labels.len()).rev() {
            let size = other.size(self.labels[d]);
            if self.x.shape()[d] == 1 && size.is_some_and(|n| n != 1) {
                self.x = self.x.squeeze(d as isize)?;
                self.labels.remove(d);
            }
        }
        Ok(self)
    }

    /// The tensor with its dimensions in the order of `labels`, which are all of its own.
    fn arranged(&self, labels: &[Label]) -> Result<Tensor> {
        let at = |label| {
            self.labels
                .iter()
                .position(|&l| l == label)
                .expect("a label of this term")
        };
        let order: Vec<isize> = labels.iter().map(|&label| at(label) as isize).collect();
        if order.is_sorted() {
            Ok(self.x.clone())
        } else {
            self.x.permute(&order)
        }
    }
}

/// The product of two terms, summed over what they share and nobody asks to `keep`, and over what one
/// has alone and nobody keeps.
fn contract(a: Term, b: Term, keep: impl Fn(Label) -> bool) -> Result<Term> {
    let a = a.without_stretched(&b)?;
    let b = b.without_stretched(&a)?;
    let a = a.sum_out(|label| b.size(label).is_none() && !keep(label))?;
    let b = b.sum_out(|label| a.size(label).is_none() && !keep(label))?;
    let (shared, rows): (Vec<_>, Vec<_>) = (a.labels.iter()).partition(|&&l| b.size(l).is_some());
    let (batch, summed): (Vec<Label>, Vec<Label>) = shared.iter().partition(|&&label| keep(label));
    let cols: Vec<Label> = (b.labels.iter().copied())
        .filter(|&l| a.size(l).is_none())
        .collect();

    let sizes = |term: &Term, labels: &[Label]| -> Dims {
        labels
            .iter()
            .map(|&l| term.size(l).expect("a label of this term"))
            .collect()
    };
    let (count, height, width) = (sizes(&a, &batch), sizes(&a, &rows), sizes(&b, &cols));
    let x = if summed.is_empty() {
        let ones = |n: usize| std::iter::repeat_n(1, n);
        let left: Dims = [&count[..], &height]
            .concat()
            .into_iter()
            .chain(ones(cols.len()))
            .collect();
        let right: Dims = (count.iter().copied().chain(ones(rows.len())))
            .chain(width)
            .collect();
        let a = a.arranged(&[&batch[..], &rows].concat())?.reshape(&left)?;
        a.mul(&b.arranged(&[&batch[..], &cols].concat())?.reshape(&right)?)?
    } else {
        let all = |sizes: &[usize]| sizes.iter().product::<usize>();
        let (n, k) = (all(&count), all(&sizes(&a, &summed)));
        let left = a.arranged(&[&batch[..], &rows, &summed].concat())?;
        let right = b.arranged(&[&batch[..], &summed, &cols].concat())?;
        let left = left.reshape(&[n, all(&height), k][..])?;
        let product = left.matmul(&right.reshape(&[n, k, all(&width)][..])?)?;
        product.reshape(&[&count[..], &height, &width].concat()[..])?
    };
    Ok(Term {
        x,
        labels: [batch, rows, cols].concat(),
    })
}
