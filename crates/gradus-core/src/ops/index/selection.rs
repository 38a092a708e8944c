//! Which elements an indexing expression means: worked out once, from shapes and indices alone, and
//! then the same for reading, writing and their gradients.

use super::indices::{Index, Slice};
use crate::dtype::{DType, Element, dispatch};
use crate::error::{Result, err};
use crate::kernels::gather::{self, Places, offsets_of, room};
use crate::kernels::{View, map};
use crate::shape::{Dims, Layout, Show, broadcast, numel};
use crate::tensor::Tensor;
use smallvec::SmallVec;

/// Some elements of a tensor of this `shape`: a view of it (`starts`, `axes`), and positions picked
/// in that view.
pub(super) struct Selection {
    shape: Dims,
    /// Where the view begins in each dimension of the tensor.
    starts: Dims,
    /// The dimensions of the view.
    axes: SmallVec<[Axis; 6]>,
    points: Option<Points>,
}

/// A dimension of the view.
#[derive(Clone, Copy)]
struct Axis {
    /// The dimension of the tensor it runs along; none for a new one.
    dim: Option<usize>,
    len: usize,
    step: isize,
}

/// Positions in the `count` neighbouring axes from `first` on, which count as one long axis. In the
/// result they have this `shape`.
struct Points {
    first: usize,
    count: usize,
    at: Vec<usize>,
    shape: Dims,
}

impl Selection {
    /// All of a tensor.
    pub(super) fn all(shape: &[usize]) -> Self {
        let axis = |(dim, &len)| Axis {
            dim: Some(dim),
            len,
            step: 1,
        };
        Self {
            shape: Dims::from_slice(shape),
            starts: Dims::from_elem(0, shape.len()),
            axes: shape.iter().enumerate().map(axis).collect(),
            points: None,
        }
    }

    /// `len` positions along dimension `dim`.
    pub(super) fn strip(
        shape: &[usize],
        dim: usize,
        (start, len, step): (usize, usize, isize),
    ) -> Self {
        let mut this = Self::all(shape);
        this.starts[dim] = start;
        this.axes[dim] = Axis {
            dim: Some(dim),
            len,
            step,
        };
        this
    }

    /// The first positions along each dimension, as many as `sizes` says.
    pub(super) fn corner(shape: &[usize], sizes: &[usize]) -> Self {
        let mut this = Self::all(shape);
        this.axes
            .iter_mut()
            .zip(sizes)
            .for_each(|(axis, &n)| axis.len = n);
        this
    }

    /// One position along dimension `dim`, which disappears.
    pub(super) fn layer(shape: &[usize], dim: usize, at: usize) -> Self {
        let mut this = Self::all(shape);
        this.starts[dim] = at;
        this.axes.remove(dim);
        this
    }

    /// The rows `at` along dimension `dim`. Positions must be below its size.
    pub(super) fn rows(shape: &[usize], dim: usize, at: Vec<usize>) -> Self {
        let mut this = Self::all(shape);
        this.points = Some(Points {
            first: dim,
            count: 1,
            shape: [at.len()][..].into(),
            at,
        });
        this
    }

    /// The elements `at` of all of them, counted in row-major order. Positions must be below their
    /// number.
    pub(super) fn flat(shape: &[usize], at: Vec<usize>, to: &[usize]) -> Self {
        let mut this = Self::all(shape);
        this.points = Some(Points {
            first: 0,
            count: shape.len(),
            at,
            shape: Dims::from_slice(to),
        });
        this
    }

    /// What `indices` mean for a tensor of this shape.
    pub(super) fn new(op: &str, shape: &[usize], indices: &[Index]) -> Result<Self> {
        let (rank, named) = (
            shape.len(),
            indices.iter().map(Index::consumes).sum::<usize>(),
        );
        let ellipses = indices.iter().filter(|i| matches!(i, Index::Ellipsis));
        let ellipses = ellipses.count();
        if ellipses > 1 {
            return Err(err!(
                Index,
                "{op}: an index can only have a single ellipsis, got {ellipses} of them"
            ));
        }
        if named > rank {
            return Err(err!(
                Index,
                "{op}: too many indices for tensor of dimension {rank}: {named} dimensions were indexed"
            ));
        }
        let mut builder = Builder {
            op,
            selection: Self {
                axes: SmallVec::new(),
                ..Self::all(shape)
            },
            next: 0,
            points: Vec::new(),
        };
        let implied = (ellipses == 0).then_some(&Index::Ellipsis);
        for index in indices.iter().chain(implied) {
            match index {
                Index::At(i) => builder.at(*i)?,
                Index::Slice(slice) => builder.slice(slice)?,
                Index::NewAxis => builder.new_axis(),
                Index::Ellipsis => builder.whole(rank - named),
                Index::Tensor(t) => builder.tensor(t)?,
            }
        }
        builder.finish()
    }

    /// Whether the elements are a view of the tensor, rather than picked one by one.
    pub(super) fn is_view(&self) -> bool {
        self.points.is_none()
    }

    /// The view in a tensor with layout `of`.
    pub(super) fn layout(&self, of: &Layout) -> Layout {
        let stride = |axis: &Axis| axis.dim.map_or(0, |d| of.strides[d] * axis.step);
        let shape: Dims = self.axes.iter().map(|axis| axis.len).collect();
        // A view without elements must not point beyond the storage, which may be empty too.
        let moves = !shape.contains(&0) && !of.shape.contains(&0);
        let starts = self.starts.iter().zip(&of.strides).filter(|_| moves);
        Layout {
            shape,
            strides: self.axes.iter().map(stride).collect(),
            offset: starts.fold(of.offset, |offset, (&start, &stride)| {
                offset.wrapping_add_signed(start as isize * stride)
            }),
        }
    }

    /// The shape of the tensor that is indexed.
    pub(super) fn source_shape(&self) -> &[usize] {
        &self.shape
    }

    /// The shape of what is selected.
    ///
    /// # Errors
    /// If there are more elements than fit in memory.
    pub(super) fn shape(&self) -> Result<Dims> {
        let len = |axes: &[Axis]| axes.iter().map(|axis| axis.len).collect::<Dims>();
        let Some(points) = &self.points else {
            return Ok(len(&self.axes));
        };
        let mut shape = len(&self.axes[..points.first]);
        shape.extend_from_slice(&points.shape);
        shape.extend(len(&self.axes[points.first + points.count..]));
        numel(&shape)?;
        Ok(shape)
    }

    /// The selected elements of `x`: a view, or a copy if they were picked one by one.
    pub(super) fn take(&self, x: &Tensor) -> Result<Tensor> {
        let (shape, view) = (self.shape()?, self.layout(x.layout()));
        let Some(points) = &self.points else {
            return Ok(x.with_layout(view));
        };
        let places = points.places(&view)?;
        let out = dispatch!(x.dtype(), T => x.with::<T, _>(|x| gather::gather(x.data, &places)))?;
        Ok(Tensor::from_buffer(out, shape))
    }

    /// Changes the selected elements of `target`, which is laid out like `of`, to `f` of themselves
    /// and of `values`, which have the shape of the selection. Positions that occur several times
    /// are changed several times, in their order.
    pub(super) fn change<T: Element>(
        &self,
        target: &mut [T],
        of: &Layout,
        values: View<'_, T>,
        f: impl Fn(T, T) -> T + Sync,
    ) -> Result<()> {
        let view = self.layout(of);
        let Some(points) = &self.points else {
            map::assign(target, &view, values, f);
            return Ok(());
        };
        let places = points.places(&view)?;
        match values.as_slice() {
            Some(values) => gather::scatter(target, &places, values, f),
            None => gather::scatter(target, &places, map::copy(values)?.slice(), f),
        }
        Ok(())
    }

    /// For each position that was picked, whether it does not occur again later: whose value stays
    /// when they are written one after the other. `None` if no position occurs twice. The shape
    /// broadcasts to that of the selection.
    pub(super) fn last_ones(&self) -> Result<Option<Tensor>> {
        let Some(points) = &self.points else {
            return Ok(None);
        };
        let axes = &self.axes[points.first..points.first + points.count];
        let mut seen = vec![false; axes.iter().map(|axis| axis.len).product()];
        let mut last = vec![true; points.at.len()];
        for (last, &at) in last.iter_mut().zip(&points.at).rev() {
            *last = !std::mem::replace(&mut seen[at], true);
        }
        if last.iter().all(|last| *last) {
            return Ok(None);
        }
        let mut shape = points.shape.clone();
        shape.extend(self.axes[points.first + points.count..].iter().map(|_| 1));
        Tensor::from_vec(last, shape).map(Some)
    }
}

impl Points {
    fn places(&self, view: &Layout) -> Result<Places> {
        Places::new(view, self.first..self.first + self.count, &self.at)
    }
}

/// Goes through an indexing expression from left to right.
struct Builder<'a> {
    op: &'a str,
    selection: Selection,
    /// The next dimension of the tensor.
    next: usize,
    /// One for each tensor so far, not yet broadcast together.
    points: Vec<Points>,
}

impl Builder<'_> {
    fn size(&self) -> usize {
        self.selection.shape[self.next]
    }

    fn at(&mut self, i: isize) -> Result<()> {
        let at = position(self.op, i as i64, Some(self.next), self.size())?;
        self.selection.starts[self.next] = at;
        self.next += 1;
        Ok(())
    }

    fn slice(&mut self, slice: &Slice) -> Result<()> {
        let (start, len, step) = slice.resolve(self.op, self.size())?;
        let dim = Some(self.next);
        self.selection.starts[self.next] = start;
        self.selection.axes.push(Axis { dim, len, step });
        self.next += 1;
        Ok(())
    }

    fn new_axis(&mut self) {
        self.selection.axes.push(Axis {
            dim: None,
            len: 1,
            step: 1,
        });
    }

    /// The next `count` dimensions whole.
    fn whole(&mut self, count: usize) {
        for dim in self.next..self.next + count {
            self.selection.axes.push(Axis {
                dim: Some(dim),
                len: self.selection.shape[dim],
                step: 1,
            });
        }
        self.next += count;
    }

    fn tensor(&mut self, t: &Tensor) -> Result<()> {
        let first = self.selection.axes.len();
        if t.dtype() != DType::Bool {
            if t.ndim() == 0 && !t.dtype().is_float() {
                return self.at(t.item::<i64>()? as isize);
            }
            let at = t.positions(self.op, Some(self.next), self.size(), true)?;
            self.whole(1);
            self.points.push(Points {
                first,
                count: 1,
                at,
                shape: t.layout().shape.clone(),
            });
            return Ok(());
        }
        let covered = &self.selection.shape[self.next..self.next + t.ndim()];
        if t.shape() != covered {
            return Err(err!(
                Index,
                "{}: The shape of the mask {} at index {} does not match the shape of the indexed tensor {}",
                self.op,
                Show(t.shape()),
                self.next,
                Show(&self.selection.shape)
            ));
        }
        let at = t.true_positions()?;
        let shape = [at.len()][..].into();
        // A 0-d mask picks, or does not, the only position of a new axis.
        match t.ndim() {
            0 => self.new_axis(),
            n => self.whole(n),
        }
        self.points.push(Points {
            first,
            count: t.ndim().max(1),
            at,
            shape,
        });
        Ok(())
    }

    /// Brings the tensors' positions together.
    fn finish(mut self) -> Result<Selection> {
        let axes = &mut self.selection.axes;
        let apart = |pair: &[Points]| pair[0].first + pair[0].count != pair[1].first;
        if self.points.windows(2).any(apart) {
            // Axes that are picked from come first when others lie between them.
            let ranges = self.points.iter_mut().map(|points| {
                let range = points.first..points.first + points.count;
                range
            });
            let picked: Vec<usize> = ranges.flatten().collect();
            let others = (0..axes.len()).filter(|axis| !picked.contains(axis));
            *axes = picked
                .iter()
                .copied()
                .chain(others)
                .map(|axis| axes[axis])
                .collect();
            self.points[0].first = 0;
        }
        self.selection.points = match self.points.len() {
            0 | 1 => self.points.pop(),
            _ => Some(self.combine()?),
        };
        Ok(self.selection)
    }

    /// One list of positions in the product of the axes that several lists pick from.
    fn combine(&self) -> Result<Points> {
        let mut shape = Dims::new();
        for points in &self.points {
            shape = broadcast(&shape, &points.shape).map_err(|_| {
                let shapes: Vec<_> = self.points.iter().map(|p| Show(&p.shape).to_string()).collect();
                err!(
                    Index,
                    "{}: shape mismatch: indexing tensors could not be broadcast together with shapes {}",
                    self.op,
                    shapes.join(", ")
                )
            })?;
        }
        let n = numel(&shape)?;
        let mut at = room(n)?;
        at.resize(n, 0);
        let mut axes = self.selection.axes[self.points[0].first..].iter();
        for points in &self.points {
            let size: usize = axes
                .by_ref()
                .take(points.count)
                .map(|axis| axis.len)
                .product();
            let own = Layout::contiguous(points.shape.clone()).broadcast_to(&shape)?;
            let own = offsets_of(&own)?;
            at.iter_mut()
                .zip(own)
                .for_each(|(at, i)| *at = *at * size + points.at[i]);
        }
        Ok(Points {
            first: self.points[0].first,
            count: self.points.iter().map(|points| points.count).sum(),
            at,
            shape,
        })
    }
}

/// Position `i` among the `n` of dimension `dim`, or of all elements if there is none; a negative
/// one counts from the end.
pub(super) fn position(op: &str, i: i64, dim: Option<usize>, n: usize) -> Result<usize> {
    let j = if i < 0 { i.saturating_add(n as i64) } else { i };
    usize::try_from(j)
        .ok()
        .filter(|&j| j < n)
        .ok_or_else(|| match dim {
            Some(dim) => err!(
                Index,
                "{op}: index {i} is out of bounds for dimension {dim} with size {n}"
            ),
            None => err!(
                Index,
                "{op}: out of range: tried to access index {i} on a tensor of {n} elements"
            ),
        })
}

impl Tensor {
    /// The elements of this integer tensor as positions (see [`position`]). Negative ones are out of
    /// range unless `wrap` says otherwise. Errors name `op`.
    pub(super) fn positions(
        &self,
        op: &str,
        dim: Option<usize>,
        n: usize,
        wrap: bool,
    ) -> Result<Vec<usize>> {
        if self.dtype().is_float() || self.dtype() == DType::Bool {
            return Err(err!(
                DType,
                "{op}: expected indices of an integer dtype, got {}; convert them with to_dtype(DType::I64)",
                self.dtype()
            ));
        }
        let place = |i: i64| match position(op, i, dim, n) {
            Ok(_) if i < 0 && !wrap => Err(err!(
                Index,
                "{op}: index {i} is out of bounds for dimension {} with size {n}: negative ones do not count from \
                 the end here",
                dim.unwrap_or(0)
            )),
            place => place,
        };
        let mut positions = room(self.numel())?;
        dispatch!(self.dtype(), T => self.with_slice::<T, _>(|x| {
            for i in x {
                positions.push(place(i.to_i64())?);
            }
            Ok(())
        }))?;
        Ok(positions)
    }

    /// The positions, counted in row-major order, of the elements that are not 0.
    pub(super) fn true_positions(&self) -> Result<Vec<usize>> {
        dispatch!(self.dtype(), T => self.with_slice::<T, _>(|x| {
            let count = x.iter().filter(|&&x| x != T::default()).count();
            let mut positions = room(count)?;
            positions.extend(x.iter().enumerate().filter(|(_, x)| **x != T::default()).map(|(i, _)| i));
            Ok(positions)
        }))
    }
}
