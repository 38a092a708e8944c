//! The same elements several times: stretched without a copy, or repeated with one.

use super::super::Operand;
use super::super::Scalar;
use super::super::registry::{Case, Input};
use crate::IntoShape;
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::error::{Result, err};
use crate::shape::{Dims, broadcast, numel};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("broadcast_to", &[Input::real(&[3, 1])], |x| {
        x[0].broadcast_to([2, 3, 4])
    })
    .torch("x[0].broadcast_to(2, 3, 4)"),
    Case::new("broadcast_to", &[Input::real(&[3, 1])], |x| {
        x[0].expand([2, -1, 4])
    })
    .torch("x[0].expand(2, -1, 4)"),
    Case::new(
        "broadcast_to",
        &[Input::real(&[1, 3]), Input::real(&[2, 3])],
        |x| x[0].expand_as(&x[1])?.mul(&x[1]),
    )
    .torch("x[0].expand_as(x[1]) * x[1]"),
    Case::new(
        "broadcast_to",
        &[Input::real(&[3, 1]), Input::real(&[2])],
        |x| {
            let pair = Tensor::broadcast_tensors(&[&x[0], &x[1]])?;
            pair[0].mul(&pair[1])
        },
    )
    .torch("torch.mul(*torch.broadcast_tensors(x[0], x[1]))"),
    Case::new(
        "broadcast_to",
        &[Input::real(&[2]), Input::real(&[3])],
        |x| {
            let grid = Tensor::meshgrid(&[&x[0], &x[1]])?;
            grid[0].mul(&grid[1])?.mul(&grid[1])
        },
    )
    .torch("(lambda a, b: a * b * b)(*torch.meshgrid(*x, indexing='ij'))"),
    Case::new(
        "broadcast_to",
        &[Input::real(&[2]), Input::real(&[3]), Input::real(&[])],
        |x| {
            let grid = Tensor::meshgrid_xy(&[&x[0], &x[1], &x[2]])?;
            grid[0].mul(&grid[1])?.mul(&grid[1])?.add(&grid[2])
        },
    )
    .torch("(lambda a, b, c: a * b * b + c)(*torch.meshgrid(*x, indexing='xy'))"),
    Case::new("copy", &[Input::real(&[2, 3])], |x| x[0].repeat([2, 1, 3]))
        .torch("x[0].repeat(2, 1, 3)"),
    Case::new("copy", &[Input::real(&[3])], |x| x[0].repeat([2])).torch("x[0].repeat(2)"),
    Case::new("copy", &[Input::real(&[2, 3])], |x| x[0].tile(2)).torch("x[0].tile(2)"),
    Case::new("copy", &[Input::real(&[2])], |x| x[0].tile([3, 2])).torch("x[0].tile(3, 2)"),
    Case::new("copy", &[Input::real(&[2, 3])], |x| {
        x[0].repeat_interleave(2, 0)
    })
    .torch("x[0].repeat_interleave(2, 0)"),
    Case::new("index_select", &[Input::real(&[2, 3])], |x| {
        x[0].repeat_interleave(&Tensor::from([2, 0, 1]), -1)
    })
    .torch("x[0].repeat_interleave(torch.tensor([2, 0, 1]), -1)"),
];

impl Tensor {
    /// A view in which dimensions of size 1, and new ones in front, are stretched to `shape`
    /// without a copy.
    ///
    /// # Errors
    /// If a size is neither equal nor 1.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1], [2]]).broadcast_to([2, 3])?;
    /// assert_eq!(x.to_vec::<i64>()?, [1, 1, 1, 2, 2, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn broadcast_to(&self, shape: impl crate::IntoShape) -> Result<Tensor> {
        let to = shape.into_shape();
        numel(&to).map_err(|e| e.at("broadcast_to"))?;
        if to.as_slice() == self.shape() {
            return Ok(self.clone());
        }
        apply(BroadcastTo { to }, &[self])
    }

    /// [`broadcast_to`](Tensor::broadcast_to) with sizes of which −1 leaves that of the tensor.
    ///
    /// # Errors
    /// If a size is neither −1 nor equal nor stretches a 1; for −1 in a new dimension in front.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([3, 1]).expand([2, -1, 4])?.shape(), [2, 3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn expand(&self, sizes: impl AsRef<[isize]>) -> Result<Tensor> {
        let (sizes, shape) = (sizes.as_ref(), self.shape());
        let Some(lead) = sizes.len().checked_sub(shape.len()) else {
            return Err(err!(
                Shape,
                "expand: the number of sizes provided ({}) must be greater or equal to the number of dimensions in the \
                 tensor ({})",
                sizes.len(),
                shape.len()
            ));
        };
        let mut to = Dims::new();
        for (d, &size) in sizes.iter().enumerate() {
            let own = d.checked_sub(lead).map(|d| shape[d]);
            to.push(match (usize::try_from(size), own) {
                (Ok(size), None) => size,
                (Ok(size), Some(own)) if own == size || own == 1 => size,
                (Err(_), Some(own)) if size == -1 => own,
                (_, Some(own)) => {
                    return Err(err!(
                        Shape,
                        "expand: The expanded size of the tensor ({size}) must match the existing size ({own}) at \
                         non-singleton dimension {d}. Target sizes: {sizes:?}. Tensor sizes: {shape:?}"
                    ));
                }
                (Err(_), None) => {
                    return Err(err!(
                        Shape,
                        "expand: The expanded size of the tensor ({size}) isn't allowed in a leading, non-existing \
                         dimension {d}"
                    ));
                }
            });
        }
        self.broadcast_to(to)
    }

    /// [`broadcast_to`](Tensor::broadcast_to) the shape of `other`.
    ///
    /// # Errors
    /// If a size is neither equal nor 1.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([3]).expand_as(&Tensor::zeros([2, 3]))?.shape(), [2, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn expand_as(&self, other: &Tensor) -> Result<Tensor> {
        self.broadcast_to(other.shape())
    }

    /// All tensors as views of the shape that they broadcast to together.
    ///
    /// # Errors
    /// If they do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::zeros([3, 1]), Tensor::zeros([2]));
    /// let both = Tensor::broadcast_tensors(&[&a, &b])?;
    /// assert!(both.iter().all(|x| x.shape() == [3, 2]));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn broadcast_tensors(tensors: &[&Tensor]) -> Result<Vec<Tensor>> {
        let shape = tensors
            .iter()
            .try_fold(Dims::new(), |shape, x| broadcast(&shape, x.shape()))
            .map_err(|e| e.at("broadcast_tensors"))?;
        tensors.iter().map(|x| x.broadcast_to(&shape)).collect()
    }

    /// The grid that vectors (or numbers) span: result i has a dimension for each of the tensors and
    /// varies along dimension i as tensor i does. Views; PyTorch's `indexing='ij'`.
    ///
    /// # Errors
    /// For an empty list, a tensor of two or more dimensions, dtypes that differ.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let grid = Tensor::meshgrid(&[&Tensor::from([1, 2]), &Tensor::from([3, 4, 5])])?;
    /// assert_eq!(grid[0].to_vec::<i64>()?, [1, 1, 1, 2, 2, 2]);
    /// assert_eq!(grid[1].to_vec::<i64>()?, [3, 4, 5, 3, 4, 5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn meshgrid(tensors: &[&Tensor]) -> Result<Vec<Tensor>> {
        let first = tensors
            .first()
            .ok_or_else(|| err!(Value, "meshgrid: expects a non-empty list of Tensors"))?;
        if let Some(x) = tensors.iter().find(|x| x.ndim() > 1) {
            return Err(err!(
                Shape,
                "meshgrid: Expected 0D or 1D tensor in the tensor list but got shape {:?}",
                x.shape()
            ));
        }
        if let Some(x) = tensors.iter().find(|x| x.dtype() != first.dtype()) {
            return Err(err!(
                DType,
                "meshgrid: expects all tensors to have the same dtype, got {} and {}; convert with to_dtype",
                first.dtype(),
                x.dtype()
            ));
        }
        let shape: Dims = tensors.iter().map(|x| x.numel()).collect();
        numel(&shape).map_err(|e| e.at("meshgrid"))?;
        let along = |(i, x): (usize, &&Tensor)| {
            let mut own = Dims::from_elem(1, shape.len());
            own[i] = shape[i];
            x.reshape(&own)?.broadcast_to(&shape)
        };
        tensors.iter().enumerate().map(along).collect()
    }

    /// [`meshgrid`](Tensor::meshgrid) with the first two dimensions swapped, as pictures have them: x
    /// varies along columns, y along rows. PyTorch's `indexing='xy'`.
    ///
    /// # Errors
    /// As `meshgrid`.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let grid = Tensor::meshgrid_xy(&[&Tensor::from([1, 2]), &Tensor::from([3, 4, 5])])?;
    /// assert_eq!(grid[0].to_vec::<i64>()?, [1, 2, 1, 2, 1, 2]);
    /// assert_eq!(grid[1].to_vec::<i64>()?, [3, 3, 4, 4, 5, 5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn meshgrid_xy(tensors: &[&Tensor]) -> Result<Vec<Tensor>> {
        let grid = Self::meshgrid(tensors)?;
        if grid.len() < 2 {
            return Ok(grid);
        }
        grid.iter().map(|x| x.transpose(0, 1)).collect()
    }

    /// A copy in which the tensor is repeated `counts[d]` times along dimension d; counts beyond the
    /// tensor's dimensions make new ones in front.
    ///
    /// # Errors
    /// For fewer counts than dimensions, or if there is no memory.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2]);
    /// assert_eq!(x.repeat([2])?.to_vec::<i64>()?, [1, 2, 1, 2]);
    /// assert_eq!(x.repeat([3, 2])?.shape(), [3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn repeat(&self, counts: impl IntoShape) -> Result<Tensor> {
        let counts = counts.into_shape();
        let Some(lead) = counts.len().checked_sub(self.ndim()) else {
            return Err(err!(
                Shape,
                "repeat: Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: \
                 {counts:?} for shape {:?}; tile takes fewer",
                self.shape()
            ));
        };
        // Each dimension as two, of which the outer one is stretched.
        let (mut narrow, mut wide, mut merged) = (Dims::new(), Dims::new(), Dims::new());
        for (d, &count) in counts.iter().enumerate() {
            let n = d.checked_sub(lead).map_or(1, |d| self.shape()[d]);
            narrow.extend_from_slice(&[1, n]);
            wide.extend_from_slice(&[count, n]);
            merged.push(count.saturating_mul(n));
        }
        numel(&merged).map_err(|e| e.at("repeat"))?;
        let repeated = self.reshape(&narrow)?.broadcast_to(&wide)?;
        repeated.copy()?.reshape(&merged)
    }

    /// [`repeat`](Tensor::repeat), except that counts for fewer dimensions than the tensor has are
    /// those of its last ones. NumPy's `tile`.
    ///
    /// # Errors
    /// If there is no memory.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.tile(2)?.to_vec::<i64>()?, [1, 2, 1, 2, 3, 4, 3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn tile(&self, counts: impl IntoShape) -> Result<Tensor> {
        let mut counts = counts.into_shape();
        let missing = self.ndim().saturating_sub(counts.len());
        counts.insert_many(0, std::iter::repeat_n(1, missing));
        self.repeat(counts).map_err(|e| e.at("tile"))
    }

    /// A copy in which each position along `dim` is repeated: all as often, or each as often as the
    /// integer vector `counts` says at its place. For PyTorch's `dim=None` use
    /// [`ravel`](Tensor::ravel) first.
    ///
    /// # Errors
    /// If the dimension is out of range, a count is negative or no integer, or the number of counts
    /// is neither 1 nor the size of `dim`.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2]);
    /// assert_eq!(x.repeat_interleave(2, 0)?.to_vec::<i64>()?, [1, 1, 2, 2]);
    /// assert_eq!(x.repeat_interleave(&Tensor::from([0, 3]), 0)?.to_vec::<i64>()?, [2, 2, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn repeat_interleave<'a>(
        &self,
        counts: impl Into<Operand<'a>>,
        dim: isize,
    ) -> Result<Tensor> {
        const OP: &str = "repeat_interleave";
        let (d, n) = self.dimension(OP, dim)?;
        let counts = match counts.into() {
            Operand::Scalar(Scalar::Int(count)) => vec![count],
            Operand::Tensor(counts) if counts.dtype().category() == 1 && counts.ndim() <= 1 => {
                counts.to_vec::<i64>()?
            }
            other => {
                return Err(err!(
                    DType,
                    "{OP}: repeats must be an integer or a 0-dim or 1-dim tensor of integers, got {other:?}"
                ));
            }
        };
        if counts.iter().any(|&count| count < 0) {
            return Err(err!(Value, "{OP}: repeats can not be negative"));
        }
        if let [count] = counts[..] {
            let mut wide = self.layout().shape.clone();
            wide.insert(d + 1, count as usize);
            let mut merged = self.layout().shape.clone();
            merged[d] = n.saturating_mul(count as usize);
            numel(&merged).map_err(|e| e.at(OP))?;
            let repeated = self.unsqueeze(d as isize + 1)?.broadcast_to(wide)?;
            return repeated.copy()?.reshape(&merged);
        }
        if counts.len() != n {
            return Err(err!(
                Shape,
                "{OP}: repeats must have the same size as input along dim, but got repeats.size(0) = {} and \
                 input.size({d}) = {n}",
                counts.len()
            ));
        }
        let total = counts
            .iter()
            .fold(0u64, |sum, &n| sum.saturating_add(n as u64));
        let mut shape = self.layout().shape.clone();
        shape[d] = usize::try_from(total).unwrap_or(usize::MAX);
        numel(&[shape[d]])
            .and(numel(&shape))
            .map_err(|e| e.at(OP))?;
        let positions: Vec<i64> = (0i64..)
            .zip(counts)
            .flat_map(|(i, count)| std::iter::repeat_n(i, count as usize))
            .collect();
        let positions = Tensor::from_vec(positions, shape[d])?;
        self.index_select(d as isize, &positions)
    }
}

/// Stretched dimensions. The engine sums the gradient over them.
struct BroadcastTo {
    to: Dims,
}

impl Function for BroadcastTo {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        Ok(x[0].with_layout(x[0].layout().broadcast_to(&self.to)?))
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(grad.clone())].into())
    }
}
