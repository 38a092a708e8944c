//! Tensors from Rust's own lists: numbers, nested arrays, slices and `Vec`s of them.
//!
//! The traits say which lists there are; they are not exported, because there are no more.

use super::Tensor;
use crate::dtype::Element;
use crate::error::{Error, Result, err};
use crate::shape::{Dims, IntoShape, Show, numel};
use crate::storage::Buffer;

impl Tensor {
    /// The elements of `values`, row-major, as a tensor of `shape`; their dtype is that of `T`.
    ///
    /// # Errors
    /// If the number of elements is not that of the shape.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// let x = Tensor::from_vec(vec![1u8, 2, 3, 4], [2, 2])?;
    /// assert_eq!((x.dtype(), x.shape()), (DType::U8, &[2, 2][..]));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn from_vec<T: Element>(values: impl AsRef<[T]>, shape: impl IntoShape) -> Result<Self> {
        let (values, shape) = (values.as_ref(), shape.into_shape());
        if numel(&shape)? != values.len() {
            return Err(err!(
                Shape,
                "from_vec: shape '{}' is invalid for input of size {}",
                Show(&shape),
                values.len()
            ));
        }
        Ok(Self::from_buffer(
            Buffer::build(values.len(), |out| out.copy_from_slice(values))?,
            shape,
        ))
    }

    /// The numbers of a nested array, as [`from`](Tensor::from) has them, but in the dtype that
    /// their Rust type stands for, as with [`from_vec`](Tensor::from_vec): floating point literals
    /// become f64 and integers i32. Takes `Vec`s and slices as well, nested in any way.
    ///
    /// # Errors
    /// If lists at the same depth differ in length, or there is no memory.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// assert_eq!(Tensor::from_array([[0.1, 0.2]])?.dtype(), DType::F64);
    /// assert_eq!(Tensor::from_array([1u8, 2])?.dtype(), DType::U8);
    /// assert_eq!(Tensor::from_array(vec![vec![1.0f32, 2.0]; 3])?.shape(), [3, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn from_array<N: Nested>(values: N) -> Result<Self> {
        let values = std::slice::from_ref(&values);
        let (shape, mut flat) = (N::sizes(values)?, Vec::new());
        N::flatten(values, &mut flat);
        Self::from_vec(flat, shape)
    }

    /// As [`from_array`](Tensor::from_array), with PyTorch's dtypes for literals.
    fn from_literal<N: Nested>(values: &N) -> Result<Self> {
        let values = std::slice::from_ref(values);
        let (shape, mut flat) = (N::sizes(values)?, Vec::new());
        N::flatten(values, &mut flat);
        let buffer = Buffer::build(flat.len(), |out: &mut [<N::Entry as Entry>::Default]| {
            out.iter_mut().zip(&flat).for_each(|(o, x)| *o = x.cast());
        });
        Ok(Self::from_buffer(buffer?, shape))
    }
}

/// A number as it stands in a list.
pub trait Entry: Element {
    /// The type that [`Tensor::from`] makes of it: floating point numbers become f32, integers i64.
    type Default: Element;
}

/// A number, or a list of lists … of numbers.
pub trait Nested: Sized {
    /// What is in the innermost lists.
    type Entry: Entry;
    /// The sizes that all the items have, outermost first.
    ///
    /// # Errors
    /// If they differ.
    fn sizes(items: &[Self]) -> Result<Dims>;
    /// Appends the numbers of all items.
    fn flatten(items: &[Self], out: &mut Vec<Self::Entry>);
}

/// A list whose type says its sizes: numbers and arrays. Nothing can be wrong with it.
pub trait Literal: Nested {}

impl<L: Nested, const N: usize> Nested for [L; N] {
    type Entry = L::Entry;
    fn sizes(items: &[Self]) -> Result<Dims> {
        let mut sizes = L::sizes(items.as_flattened())?;
        sizes.insert(0, N);
        Ok(sizes)
    }
    fn flatten(items: &[Self], out: &mut Vec<Self::Entry>) {
        L::flatten(items.as_flattened(), out);
    }
}
impl<L: Literal, const N: usize> Literal for [L; N] {}

macro_rules! lists {
    ($($list:ty),+) => {$(
        impl<L: Nested> Nested for $list {
            type Entry = L::Entry;
            fn sizes(items: &[Self]) -> Result<Dims> {
                if items.is_empty() {
                    return list_sizes::<L>(&[]);
                }
                common_sizes(&mut items.iter().map(|list| list_sizes::<L>(list)))
            }
            fn flatten(items: &[Self], out: &mut Vec<Self::Entry>) {
                items.iter().for_each(|list| L::flatten(list, out));
            }
        }
    )+};
}
lists!(Vec<L>, &Vec<L>, &[L]);

/// The sizes of one list.
fn list_sizes<L: Nested>(list: &[L]) -> Result<Dims> {
    let mut sizes = L::sizes(list)?;
    sizes.insert(0, list.len());
    Ok(sizes)
}

/// The sizes that all the lists have, of which there is at least one.
fn common_sizes(lists: &mut dyn Iterator<Item = Result<Dims>>) -> Result<Dims> {
    let first = lists.next().unwrap_or_else(|| Ok(Dims::new()))?;
    for other in lists {
        let other = other?;
        if let Some((expected, got)) = first.iter().zip(&other).find(|(a, b)| a != b) {
            return Err(err!(
                Shape,
                "from: expected sequence of length {expected} (got {got}): lists at the same depth must have the same \
                 lengths, but here are {} and {}",
                Show(&first),
                Show(&other)
            ));
        }
    }
    Ok(first)
}

impl<L: Literal> From<L> for Tensor {
    /// A number or a nested array of numbers. As in PyTorch, floating point literals become f32 and
    /// integers i64; [`Tensor::from_array`] keeps the type.
    ///
    /// ```
    /// # use gradus_core::{DType, Tensor};
    /// assert_eq!(Tensor::from([[1.0, 2.0], [3.0, 4.0]]).shape(), [2, 2]);
    /// assert_eq!(Tensor::from([1, 2, 3]).dtype(), DType::I64);
    /// assert_eq!(Tensor::from([[true], [false]]).dtype(), DType::Bool);
    /// assert_eq!(Tensor::from(5.0).ndim(), 0);
    /// ```
    fn from(literal: L) -> Self {
        Self::from_literal(&literal).expect("a literal fits in memory twice")
    }
}

macro_rules! numbers {
    ($($t:ident $default:ident),+) => {$(
        impl Entry for $t {
            type Default = $default;
        }
        impl Nested for $t {
            type Entry = $t;
            fn sizes(_: &[Self]) -> Result<Dims> {
                Ok(Dims::new())
            }
            fn flatten(items: &[Self], out: &mut Vec<Self>) {
                out.extend_from_slice(items);
            }
        }
        impl Literal for $t {}

        impl From<Vec<$t>> for Tensor {
            fn from(values: Vec<$t>) -> Self {
                Self::from(&values[..])
            }
        }
        impl From<&Vec<$t>> for Tensor {
            fn from(values: &Vec<$t>) -> Self {
                Self::from(&values[..])
            }
        }
        impl From<&[$t]> for Tensor {
            fn from(values: &[$t]) -> Self {
                Self::from_literal(&values).expect("a list fits in memory twice")
            }
        }
        numbers!(nested $t: Vec<Vec<$t>>, Vec<Vec<Vec<$t>>>, Vec<Vec<Vec<Vec<$t>>>>);
    )+};
    (nested $t:ident: $($list:ty),+) => {$(
        impl TryFrom<$list> for Tensor {
            type Error = Error;
            fn try_from(values: $list) -> Result<Self> {
                Self::try_from(&values)
            }
        }
        impl TryFrom<&$list> for Tensor {
            type Error = Error;
            fn try_from(values: &$list) -> Result<Self> {
                Self::from_literal(values)
            }
        }
    )+};
}
numbers!(f64 f32, f32 f32, i64 i64, i32 i64, u8 u8, bool bool);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dtype::DType;
    use crate::error::Kind;

    #[test]
    fn lists_of_every_kind_make_the_same_tensor() -> Result<()> {
        let rows = vec![vec![1.5, 2.0], vec![3.0, 4.0], vec![5.0, 6.0]];
        let flat: Vec<f64> = rows.concat();
        let expected = Tensor::from([[1.5, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        for x in [
            Tensor::try_from(&rows)?,
            Tensor::from(&flat[..]).reshape([3, 2])?,
            Tensor::from(&flat).reshape([3, 2])?,
            Tensor::from(flat).reshape([3, 2])?,
            Tensor::try_from(vec![rows.clone()])?.squeeze(0)?,
            Tensor::try_from(vec![vec![rows.clone()]])?.squeeze([0, 1])?,
        ] {
            assert_eq!((x.dtype(), x.shape()), (DType::F32, &[3, 2][..]));
            assert_eq!(x.to_vec::<f64>()?, expected.to_vec::<f64>()?);
        }
        let kept = Tensor::from_array([&rows[..], &rows[..]])?;
        assert_eq!((kept.dtype(), kept.shape()), (DType::F64, &[2, 3, 2][..]));
        Ok(())
    }

    #[test]
    fn large_integers_stay_exact_and_types_become_what_they_should() -> Result<()> {
        let large = [i64::MAX, i64::MIN, (1 << 53) + 1];
        assert_eq!(Tensor::from(large).to_vec::<i64>()?, large);
        assert_eq!(Tensor::from_array([0.1])?.item::<f64>()?, 0.1);
        assert_ne!(Tensor::from([0.1]).item::<f64>()?, 0.1);
        assert_eq!(Tensor::from([7u8]).dtype(), DType::U8);
        assert_eq!(Tensor::from([7i64]).dtype(), DType::I64);
        assert_eq!(Tensor::from_array([7])?.dtype(), DType::I32);
        assert_eq!(Tensor::from_array(2.5)?.ndim(), 0);
        Ok(())
    }

    #[test]
    fn empty_lists_have_the_sizes_their_types_say() -> Result<()> {
        assert_eq!(Tensor::from([0.0; 0]).shape(), [0]);
        assert_eq!(Tensor::from([[0.0; 3]; 0]).shape(), [0, 3]);
        assert_eq!(Tensor::from(Vec::<i64>::new()).shape(), [0]);
        assert_eq!(Tensor::try_from(Vec::<Vec<f32>>::new())?.shape(), [0, 0]);
        assert_eq!(
            Tensor::try_from(vec![Vec::<f32>::new(); 2])?.shape(),
            [2, 0]
        );
        assert_eq!(Tensor::from_array(Vec::<[f32; 3]>::new())?.shape(), [0, 3]);
        Ok(())
    }

    #[test]
    fn ragged_lists_are_errors_at_any_depth() {
        let rows = vec![vec![1, 2], vec![3]];
        let kinds = [
            Tensor::try_from(&rows),
            Tensor::try_from(vec![vec![vec![1, 2], vec![3, 4]], vec![vec![5, 6]]]),
            Tensor::from_array([rows.clone(), rows.clone()]),
            Tensor::from_array([vec![1], vec![]]),
        ]
        .map(|x| x.unwrap_err().kind());
        assert_eq!(kinds, [Kind::Shape; 4]);
    }
}
