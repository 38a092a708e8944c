//! The same elements in another order: dimensions swapped, directions turned round, positions
//! moved on.

use super::super::Dimensions;
use super::super::registry::{Case, Input};
use super::Integers;
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::error::{Result, err};
use crate::shape::{Dims, resolve_dim};
use crate::tensor::Tensor;

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("permute", &[Input::real(&[2, 3, 4])], |x| {
        x[0].permute([2, 0, 1])
    })
    .torch("x[0].permute(2, 0, 1)"),
    Case::new("permute", &[Input::real(&[2, 3, 4])], |x| {
        x[0].transpose(0, -1)
    })
    .torch("x[0].transpose(0, -1)"),
    Case::new("permute", &[Input::real(&[2, 3, 4])], |x| {
        x[0].swapaxes(2, 1)
    })
    .torch("x[0].swapaxes(2, 1)"),
    Case::new("permute", &[Input::real(&[2, 3, 4])], |x| x[0].mt()).torch("x[0].mT"),
    Case::new("permute", &[Input::real(&[2, 3])], |x| x[0].t()).torch("x[0].t()"),
    Case::new("permute", &[Input::real(&[2, 3, 4])], |x| {
        x[0].movedim(0, -1)
    })
    .torch("x[0].movedim(0, -1)"),
    Case::new("permute", &[Input::real(&[2, 3, 1, 4])], |x| {
        x[0].movedim([3, 0], [0, 2])
    })
    .torch("x[0].movedim((3, 0), (0, 2))"),
    Case::new("flip", &[Input::real(&[2, 3, 4])], |x| x[0].flip(1)).torch("x[0].flip(1)"),
    Case::new("flip", &[Input::real(&[2, 3, 4])], |x| {
        x[0].flip([0, -1])?.reshape([4, 6])
    })
    .torch("x[0].flip(0, -1).reshape(4, 6)"),
    Case::new("flip", &[Input::real(&[3, 4]), Input::real(&[4, 2])], |x| {
        x[0].flip(..)?.matmul(&x[1].flip(0)?)
    })
    .torch("x[0].flip(0, 1) @ x[1].flip(0)"),
    Case::new("flip", &[Input::real(&[2, 3, 2])], |x| {
        x[0].rot90(1, [0, 2])
    })
    .torch("x[0].rot90(1, (0, 2))"),
    Case::new("flip", &[Input::real(&[2, 3])], |x| x[0].rot90(-6, [0, 1]))
        .torch("x[0].rot90(-6, (0, 1))"),
    Case::new("flip", &[Input::real(&[2, 3])], |x| x[0].rot90(-1, [0, 1]))
        .torch("x[0].rot90(-1, (0, 1))"),
    Case::new("cat", &[Input::real(&[5])], |x| x[0].roll(-2, 0)).torch("x[0].roll(-2, 0)"),
    Case::new("cat", &[Input::real(&[2, 3, 4])], |x| {
        x[0].roll([7, 1, -1], [-1, 0, -1])
    })
    .torch("x[0].roll((7, 1, -1), (-1, 0, -1))"),
];

impl Tensor {
    /// A view with dimensions `a` and `b` swapped.
    ///
    /// # Errors
    /// If a dimension is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4]).transpose(0, 2)?.shape(), [4, 3, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn transpose(&self, a: isize, b: isize) -> Result<Tensor> {
        self.swap("transpose", a, b)
    }

    /// [`transpose`](Tensor::transpose) by NumPy's name.
    ///
    /// # Errors
    /// If a dimension is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4]).swapaxes(0, -1)?.shape(), [4, 3, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn swapaxes(&self, a: isize, b: isize) -> Result<Tensor> {
        self.swap("swapaxes", a, b)
    }

    fn swap(&self, op: &str, a: isize, b: isize) -> Result<Tensor> {
        let resolve = |dim| resolve_dim(dim, self.ndim()).map_err(|e| e.at(op));
        let (a, b) = (resolve(a)?, resolve(b)?);
        let mut order: Dims = (0..self.ndim()).collect();
        if self.ndim() > 0 {
            order.swap(a, b);
        }
        apply(Permute { order }, &[self])
    }

    /// The transpose of a matrix; vectors and 0-d tensors as they are.
    ///
    /// # Errors
    /// For more than two dimensions.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1, 2], [3, 4]]).t()?.to_vec::<i64>()?, [1, 3, 2, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn t(&self) -> Result<Tensor> {
        match self.ndim() {
            0 | 1 => Ok(self.clone()),
            2 => self.transpose(0, 1),
            n => Err(err!(
                Shape,
                "t: expects a tensor with <= 2 dimensions, but self is {n}D; use transpose or permute"
            )),
        }
    }

    /// A view with the last two dimensions swapped: the transpose of a matrix or of each in a batch.
    /// PyTorch's `mT`.
    ///
    /// # Errors
    /// For less than two dimensions.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([5, 2, 3]).mt()?.shape(), [5, 3, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mt(&self) -> Result<Tensor> {
        if self.ndim() < 2 {
            return Err(err!(
                Shape,
                "mt: only supported on matrices or batches of matrices. Got {}-D tensor",
                self.ndim()
            ));
        }
        self.swap("mt", -2, -1)
    }

    /// A view with its dimensions in the given order.
    ///
    /// # Errors
    /// If `order` does not name every dimension once.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::zeros([2, 3, 4]).permute([2, 0, 1])?.shape(), [4, 2, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn permute(&self, order: impl AsRef<[isize]>) -> Result<Tensor> {
        let asked = order.as_ref();
        let order: Dims = asked
            .iter()
            .map(|&d| resolve_dim(d, self.ndim()))
            .collect::<Result<_>>()
            .map_err(|e| e.at("permute"))?;
        let mut sorted = order.clone();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..self.ndim()) {
            return Err(err!(
                Shape,
                "permute: the order {asked:?} must name each of the {} dimensions of shape {:?} once",
                self.ndim(),
                self.shape()
            ));
        }
        apply(Permute { order }, &[self])
    }

    /// A view with each dimension of `source` moved to the place that `destination` names; the
    /// others keep their order. NumPy's `moveaxis`.
    ///
    /// # Errors
    /// If the lists differ in length, or name a dimension twice or one that is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::zeros([2, 3, 4]);
    /// assert_eq!(x.movedim(0, -1)?.shape(), [3, 4, 2]);
    /// assert_eq!(x.movedim([0, 1], [1, 0])?.shape(), [3, 2, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn movedim(&self, source: impl Integers, destination: impl Integers) -> Result<Tensor> {
        let (source, destination) = (source.as_list(), destination.as_list());
        if source.len() != destination.len() {
            return Err(err!(
                Value,
                "movedim: Invalid source or destination dims: source ({source:?} dims) should contain the same number \
                 of dims as destination ({destination:?} dims)"
            ));
        }
        let resolve = |name: &str, dims: &[isize]| -> Result<Dims> {
            let mut seen = vec![false; self.ndim().max(1)];
            let mut resolved = Dims::new();
            for &dim in dims {
                let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at("movedim"))?;
                if std::mem::replace(&mut seen[d], true) {
                    return Err(err!(Value, "movedim: repeated dim in `{name}` ({dims:?})"));
                }
                resolved.push(d);
            }
            Ok(resolved)
        };
        let source = resolve("source", source)?;
        let destination = resolve("destination", destination)?;
        let mut others = (0..self.ndim()).filter(|d| !source.contains(d));
        let place = |d| match destination.iter().position(|&to| to == d) {
            Some(i) => source[i],
            None => others.next().expect("as many places as dimensions"),
        };
        let order = (0..self.ndim()).map(place).collect();
        apply(Permute { order }, &[self])
    }

    /// A view with the positions along `dims` in opposite order: one number, an array of them, or
    /// `..` for all. (PyTorch copies; here the strides are negative.)
    ///
    /// # Errors
    /// If a dimension is out of range or named twice.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.flip(0)?.to_vec::<i64>()?, [3, 4, 1, 2]);
    /// assert_eq!(x.flip([0, 1])?.to_vec::<i64>()?, [4, 3, 2, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn flip(&self, dims: impl Dimensions) -> Result<Tensor> {
        let flipped = dims.mask(self.ndim()).map_err(|e| e.at("flip"))?;
        apply(Flip { flipped }, &[self])
    }

    /// A view turned by `k` times 90° in the plane of two dimensions, from the first towards the
    /// second.
    ///
    /// # Errors
    /// If the dimensions are out of range or the same.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([[1, 2], [3, 4]]);
    /// assert_eq!(x.rot90(1, [0, 1])?.to_vec::<i64>()?, [2, 4, 1, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn rot90(&self, k: isize, dims: [isize; 2]) -> Result<Tensor> {
        let [a, b] = dims;
        let resolve = |dim| resolve_dim(dim, self.ndim()).map_err(|e| e.at("rot90"));
        if resolve(a)? == resolve(b)? {
            return Err(err!(
                Value,
                "rot90: expected rotation dims to be different, but got dim0 = {a} and dim1 = {b}"
            ));
        }
        match k.rem_euclid(4) {
            1 => self.flip(b)?.transpose(a, b),
            2 => self.flip(dims),
            3 => self.flip(a)?.transpose(a, b),
            _ => Ok(self.clone()),
        }
    }

    /// A copy with the positions along each dimension of `dims` moved on by its number in `shifts`;
    /// what leaves at the end comes in at the beginning. For PyTorch's `dims=None` roll
    /// [`ravel`](Tensor::ravel) and reshape.
    ///
    /// # Errors
    /// If the lists differ in length or a dimension is out of range.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 2, 3, 4]);
    /// assert_eq!(x.roll(1, 0)?.to_vec::<i64>()?, [4, 1, 2, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn roll(&self, shifts: impl Integers, dims: impl Integers) -> Result<Tensor> {
        let (shifts, dims) = (shifts.as_list(), dims.as_list());
        if shifts.is_empty() || shifts.len() != dims.len() {
            return Err(err!(
                Value,
                "roll: shifts and dimensions must align. shifts: {}, dims: {}",
                shifts.len(),
                dims.len()
            ));
        }
        let mut rolled = self.clone();
        for (&shift, &dim) in shifts.iter().zip(dims) {
            let (d, n) = self.dimension("roll", dim)?;
            let by = shift.checked_rem_euclid(n as isize).unwrap_or(0) as usize;
            let (d, cut) = (d as isize, n - by);
            let (first, last) = (rolled.narrow(d, 0, cut)?, rolled.narrow(d, cut, by)?);
            rolled = Tensor::cat(&[&last, &first], d)?;
        }
        Ok(rolled)
    }
}

/// Another order of dimensions. The gradient takes the way back.
struct Permute {
    order: Dims,
}

impl Function for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        Ok(x[0].with_layout(x[0].layout().permute(&self.order)))
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        let mut order = Dims::from_elem(0, self.order.len());
        self.order
            .iter()
            .enumerate()
            .for_each(|(to, &from)| order[from] = to);
        Ok([Grad::Of(apply(Permute { order }, &[grad])?)].into())
    }
}

/// Directions turned round. The gradient is turned back.
struct Flip {
    flipped: Vec<bool>,
}

impl Function for Flip {
    fn name(&self) -> &'static str {
        "flip"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        Ok(x[0].with_layout(x[0].layout().flip(&self.flipped)))
    }
    fn backward(&self, _: &Saved<'_>, grad: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(grad.flip(self.flipped.clone())?)].into())
    }
}
