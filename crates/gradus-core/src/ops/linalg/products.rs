//! Products and sums of vectors and matrices that have names of their own, made of other operations.

use crate::dtype::DType;
use crate::error::{Result, err};
use crate::ops::registry::{Case, Input};
use crate::shape::{Dims, resolve_dim};
use crate::tensor::Tensor;

const MATRICES: &[Input] = &[Input::real(&[2, 3]), Input::real(&[3, 4])];

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("matmul", &[Input::real(&[4]), Input::real(&[4])], |x| {
        x[0].dot(&x[1])
    })
    .torch("x[0].dot(x[1])"),
    Case::new("matmul", &[Input::real(&[2, 3]), Input::real(&[3])], |x| {
        x[0].mv(&x[1])
    })
    .torch("x[0].mv(x[1])"),
    Case::new("matmul", MATRICES, |x| x[0].mm(&x[1])).torch("x[0].mm(x[1])"),
    Case::new(
        "matmul",
        &[Input::real(&[2, 3, 2]), Input::real(&[2, 2, 3])],
        |x| x[0].bmm(&x[1]),
    )
    .torch("x[0].bmm(x[1])"),
    Case::new("mul", &[Input::real(&[2]), Input::real(&[3])], |x| {
        x[0].outer(&x[1])
    })
    .torch("x[0].outer(x[1])"),
    Case::new(
        "matmul",
        &[Input::real(&[2, 3]), Input::real(&[4, 3])],
        |x| x[0].inner(&x[1]),
    )
    .torch("x[0].inner(x[1])"),
    Case::new("mul", &[Input::real(&[2, 3]), Input::real(&[])], |x| {
        x[0].inner(&x[1])
    })
    .torch("x[0].inner(x[1])"),
    Case::new("diagonal", &[Input::real(&[3, 4])], |x| x[0].trace()).torch("x[0].trace()"),
    Case::new("diagonal", &[Input::real(&[4, 2])], |x| x[0].trace()).torch("x[0].trace()"),
    Case::new("mul", &[Input::real(&[2, 3]), Input::real(&[2])], |x| {
        x[0].kron(&x[1])
    })
    .torch("torch.kron(x[0], x[1])"),
    Case::new("mul", &[Input::real(&[2, 3]), Input::real(&[1, 3])], |x| {
        x[0].cross(&x[1], -1)
    })
    .torch("torch.linalg.cross(x[0], x[1])"),
    Case::new("mul", &[Input::real(&[3, 2]), Input::real(&[3, 2])], |x| {
        x[0].cross(&x[1], 0)
    })
    .torch("torch.linalg.cross(x[0], x[1], dim=0)"),
    Case::new(
        "sqrt",
        &[Input::real(&[2, 4, 3]), Input::real(&[5, 3])],
        |x| x[0].cdist(&x[1]),
    )
    .torch("torch.cdist(x[0], x[1].expand(2, 5, 3))"),
    Case::new("matmul", &[Input::real(&[2, 3, 3])], |x| {
        x[0].matrix_power(5)
    })
    .torch("torch.linalg.matrix_power(x[0], 5)"),
];

impl Tensor {
    /// The sum of products of two vectors.
    ///
    /// # Errors
    /// If these are not two vectors of one length and dtype.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 2]).dot(&Tensor::from([3, 4]))?.item::<i64>()?, 11);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn dot(&self, other: &Tensor) -> Result<Tensor> {
        let (a, b) = (self.ndim(), other.ndim());
        if (a, b) != (1, 1) {
            return Err(err!(
                Shape,
                "dot: 1D tensors expected, but got {a}D and {b}D tensors"
            ));
        }
        if self.numel() != other.numel() {
            return Err(err!(
                Shape,
                "dot: inconsistent tensor size, expected tensors with the same number of elements, but got {} and {} \
                 elements respectively",
                self.numel(),
                other.numel()
            ));
        }
        self.matmul(other).map_err(|e| e.at("dot"))
    }

    /// The product of a matrix `[m, n]` and a vector `[n]`.
    ///
    /// # Errors
    /// If these are no matrix and vector, sizes do not fit or dtypes differ.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1, 2], [3, 4]]).mv(&Tensor::from([1, 1]))?.to_vec::<i64>()?, [3, 7]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mv(&self, vector: &Tensor) -> Result<Tensor> {
        self.product_of_ranks("mv", "matrix @ vector", vector, (2, 1))
    }

    /// The product of two matrices `[m, k]` and `[k, n]`: [`matmul`](Tensor::matmul) for nothing
    /// else.
    ///
    /// # Errors
    /// If these are not two matrices, sizes do not fit or dtypes differ.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::ones([2, 3]).mm(&Tensor::ones([3, 4]))?.shape(), [2, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn mm(&self, other: &Tensor) -> Result<Tensor> {
        self.product_of_ranks("mm", "two matrices", other, (2, 2))
    }

    /// The products of as many matrices, `[b, m, k]` and `[b, k, n]`. Nothing broadcasts, unlike in
    /// [`matmul`](Tensor::matmul).
    ///
    /// # Errors
    /// If these are not two batches of matrices, sizes do not fit or dtypes differ.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::ones([5, 2, 3]).bmm(&Tensor::ones([5, 3, 4]))?.shape(), [5, 2, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn bmm(&self, other: &Tensor) -> Result<Tensor> {
        if let (&[b, _, k], &[c, l, _]) = (self.shape(), other.shape())
            && (b, k) != (c, l)
        {
            return Err(err!(
                Shape,
                "bmm: Expected size for first two dimensions of batch2 tensor to be: [{b}, {k}] but got: [{c}, {l}]."
            ));
        }
        self.product_of_ranks("bmm", "two 3D tensors", other, (3, 3))
    }

    fn product_of_ranks(
        &self,
        op: &str,
        expected: &str,
        other: &Tensor,
        ranks: (usize, usize),
    ) -> Result<Tensor> {
        if (self.ndim(), other.ndim()) != ranks {
            return Err(err!(
                Shape,
                "{op}: {expected} expected, got tensors of shapes {:?} and {:?}; matmul takes any",
                self.shape(),
                other.shape()
            ));
        }
        self.matmul(other).map_err(|e| e.at(op))
    }

    /// The products of each element of a vector `[m]` with each of another `[n]`: `[m, n]`.
    ///
    /// # Errors
    /// If one of them is no vector.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let table = Tensor::from([1, 2]).outer(&Tensor::from([3, 4]))?;
    /// assert_eq!(table.to_vec::<i64>()?, [3, 4, 6, 8]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn outer(&self, other: &Tensor) -> Result<Tensor> {
        for (name, x) in [("self", self), ("vec2", other)] {
            if x.ndim() != 1 {
                return Err(err!(
                    Shape,
                    "outer: Expected 1-D argument {name}, but got {}-D",
                    x.ndim()
                ));
            }
        }
        self.unsqueeze(1)?.mul(other)
    }

    /// The sums of products over the last dimension of both: `[.., n]` and `[.., n]` give the first
    /// leading dimensions, then the second. With a 0-d tensor the plain product.
    ///
    /// # Errors
    /// If the last sizes or the dtypes differ.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::ones([2, 3]).inner(&Tensor::ones([4, 3]))?.shape(), [2, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn inner(&self, other: &Tensor) -> Result<Tensor> {
        let (Some(n), Some(m)) = (self.shape().last(), other.shape().last()) else {
            return self.mul(other);
        };
        if n != m {
            return Err(err!(
                Shape,
                "inner: the last dimension must match on both input tensors but got shapes {:?} and {:?}",
                self.shape(),
                other.shape()
            ));
        }
        let product = self.tensordot_dims(other, [&[-1], &[-1]]);
        product.map_err(|e| e.at("inner"))
    }

    /// The sum of a matrix's diagonal. Integers and bools are summed as i64.
    ///
    /// # Errors
    /// If this is no matrix.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([[1, 2, 3], [4, 5, 6]]).trace()?.item::<i64>()?, 6);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn trace(&self) -> Result<Tensor> {
        if self.ndim() != 2 {
            return Err(err!(
                Shape,
                "trace: expected a matrix, but got tensor with dim {}",
                self.ndim()
            ));
        }
        self.diagonal(0, 0, 1)?.sum(..)
    }

    /// The Kronecker product: every element of this tensor times the whole of `other`, laid out as
    /// blocks. Missing leading dimensions count as 1; each size is the product of both.
    ///
    /// # Errors
    /// If the result is too large.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let x = Tensor::from([1, 10]).kron(&Tensor::from([1, 2]))?;
    /// assert_eq!(x.to_vec::<i64>()?, [1, 2, 10, 20]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn kron(&self, other: &Tensor) -> Result<Tensor> {
        let rank = self.ndim().max(other.ndim());
        let padded = |x: &Tensor| -> Dims {
            let ones = std::iter::repeat_n(1, rank - x.ndim());
            ones.chain(x.shape().iter().copied()).collect()
        };
        let (a, b) = (padded(self), padded(other));
        let outer: Dims = a.iter().flat_map(|&n| [n, 1]).collect();
        let inner: Dims = b.iter().flat_map(|&n| [1, n]).collect();
        let blocks = self.reshape(&outer)?.mul(&other.reshape(&inner)?);
        let sizes: Dims = a
            .iter()
            .zip(&b)
            .map(|(&n, &m)| n.saturating_mul(m))
            .collect();
        blocks
            .and_then(|x| x.reshape(&sizes))
            .map_err(|e| e.at("kron"))
    }

    /// The cross product of the vectors of length 3 along `dim`; other dimensions broadcast.
    ///
    /// # Errors
    /// If the ranks differ, `dim` is out of range or its size is not 3, or the shapes do not
    /// broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let z = Tensor::from([1, 0, 0]).cross(&Tensor::from([0, 1, 0]), -1)?;
    /// assert_eq!(z.to_vec::<i64>()?, [0, 0, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cross(&self, other: &Tensor, dim: isize) -> Result<Tensor> {
        if self.ndim() != other.ndim() {
            return Err(err!(
                Shape,
                "cross: inputs must have the same number of dimensions, got {:?} and {:?}",
                self.shape(),
                other.shape()
            ));
        }
        let d = resolve_dim(dim, self.ndim()).map_err(|e| e.at("cross"))?;
        let size = |x: &Tensor| x.shape().get(d).copied().unwrap_or(1);
        if (size(self), size(other)) != (3, 3) {
            return Err(err!(
                Shape,
                "cross: inputs dimension {dim} must have length 3. Got {} and {}",
                size(self),
                size(other)
            ));
        }
        let (next, last) = (Tensor::from([1, 2, 0]), Tensor::from([2, 0, 1]));
        let turned = |x: &Tensor, by: &Tensor| x.index_select(d as isize, by);
        let plus = turned(self, &next)?.mul(&turned(other, &last)?);
        let minus = turned(self, &last)?.mul(&turned(other, &next)?);
        plus.and_then(|plus| plus.sub(&minus?))
            .map_err(|e| e.at("cross"))
    }

    /// The Euclidean distances between the rows of `[.., p, m]` and those of `[.., r, m]`:
    /// `[.., p, r]`. Leading dimensions broadcast. The gradient of a distance of 0 is 0.
    ///
    /// Every difference is formed, which is exact for points close together and takes
    /// p·r·m numbers of memory.
    ///
    /// # Errors
    /// For fewer than two dimensions, sizes that do not fit, or dtypes that are not floating point.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let (a, b) = (Tensor::from([[0.0, 0.0]]), Tensor::from([[3.0, 4.0], [0.0, 0.0]]));
    /// assert_eq!(a.cdist(&b)?.to_vec::<f32>()?, [5.0, 0.0]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn cdist(&self, other: &Tensor) -> Result<Tensor> {
        for (name, x) in [("X1", self), ("X2", other)] {
            x.dtype().expect_float("cdist")?;
            if x.ndim() < 2 {
                return Err(err!(
                    Shape,
                    "cdist: only supports at least 2D tensors, {name} got: {}D",
                    x.ndim()
                ));
            }
        }
        let (m, n) = (self.size(-1)?, other.size(-1)?);
        if m != n {
            return Err(err!(
                Shape,
                "cdist: X1 and X2 must have the same number of columns. X1: {m} X2: {n}"
            ));
        }
        let difference = self.unsqueeze(-2)?.sub(&other.unsqueeze(-3)?);
        let squares = difference.map_err(|e| e.at("cdist"))?.pow(2)?.sum(-1)?;
        // √(0 + 1) − 1 has a derivative where √0 has none.
        let same = squares.eq(0)?.to_dtype(squares.dtype())?;
        squares.add(&same)?.sqrt()?.sub(&same)
    }

    /// The n-th power of square matrices `[.., m, m]` by repeated squaring; the identity for n = 0.
    /// Negative powers are those of the inverse and need the feature `linalg`.
    ///
    /// # Errors
    /// If the matrices are not square or are bools; for a negative power without the feature, or of
    /// a singular matrix.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let fibonacci = Tensor::from([[1, 1], [1, 0]]).matrix_power(10)?;
    /// assert_eq!(fibonacci.to_vec::<i64>()?, [89, 55, 55, 34]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn matrix_power(&self, n: i64) -> Result<Tensor> {
        square("matrix_power", self)?;
        if self.dtype() == DType::Bool {
            return Err(err!(
                DType,
                "matrix_power: not implemented for 'bool' tensors; convert with to_dtype first"
            ));
        }
        let mut power = if n < 0 { inverse(self)? } else { self.clone() };
        let mut product = None;
        let mut rest = n.unsigned_abs();
        while rest > 0 {
            if rest % 2 == 1 {
                product = Some(match product {
                    None => power.clone(),
                    Some(product) => power.matmul(&product)?,
                });
            }
            rest /= 2;
            if rest > 0 {
                power = power.matmul(&power)?;
            }
        }
        match product {
            Some(product) if product.is_same(self) => product.copy(),
            Some(product) => Ok(product),
            None => Tensor::eye(self.size(-1)?, self.dtype())?
                .broadcast_to(self.shape())?
                .contiguous(),
        }
    }
}

#[cfg(feature = "linalg")]
fn inverse(a: &Tensor) -> Result<Tensor> {
    super::dense::inv(a).map_err(|e| e.at("matrix_power"))
}

#[cfg(not(feature = "linalg"))]
fn inverse(_: &Tensor) -> Result<Tensor> {
    Err(err!(
        Value,
        "matrix_power: a negative power needs the inverse: build with the feature `linalg`"
    ))
}

/// The side of square matrices in the last two dimensions.
pub(super) fn square(op: &str, a: &Tensor) -> Result<usize> {
    match a.shape() {
        &[.., rows, cols] if rows == cols => Ok(rows),
        &[.., rows, cols] => Err(err!(
            Shape,
            "{op}: A must be batches of square matrices, but they are {rows} by {cols} matrices"
        )),
        shape => Err(err!(
            Shape,
            "{op}: The input tensor A must have at least 2 dimensions, its shape is {shape:?}"
        )),
    }
}
