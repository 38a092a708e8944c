//! Stand-in.
use crate::autograd::{Context, Function, Grad, Grads, Saved, apply};
use crate::dtype::{dispatch, dispatch_number};
use crate::error::Result;
use crate::kernels::scan::Path;
use crate::shape::{Dims, resolve_dim};
use crate::storage::Buffer;
use crate::tensor::Tensor;
impl Tensor {
    pub(crate) fn gather(&self, dim: isize, index: &Tensor) -> Result<Tensor> {
        let dim = resolve_dim(dim, self.ndim())?;
        apply(
            Take {
                dim,
                index: index.clone(),
            },
            &[self],
        )
    }
}
struct Take {
    dim: usize,
    index: Tensor,
}
struct Put {
    dim: usize,
    index: Tensor,
    shape: Dims,
}
fn place(p: Path, m: usize, i: usize, at: i64) -> usize {
    let (o, c) = (i / (m * p.width), i % p.width);
    (o * p.n + at as usize) * p.width + c
}
impl Function for Take {
    fn name(&self) -> &'static str {
        "gather"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let p = Path::new(x[0].shape(), self.dim, false);
        let m = Path::new(self.index.shape(), self.dim, false).n;
        let idx: Vec<i64> = self.index.to_vec()?;
        let out = dispatch!(x[0].dtype(), T => x[0].with_slice::<T, _>(|x| Buffer::build(idx.len(), |out: &mut [T]| {
            for (i, o) in out.iter_mut().enumerate() { *o = x[place(p, m, i, idx[i])]; }
        })))?;
        Ok(Tensor::from_buffer(
            out,
            Dims::from_slice(self.index.shape()),
        ))
    }
    fn backward(&self, saved: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(apply(
            Put {
                dim: self.dim,
                index: self.index.clone(),
                shape: Dims::from_slice(saved.input_shape(0)?),
            },
            &[g],
        )?)]
        .into())
    }
}
impl Function for Put {
    fn name(&self) -> &'static str {
        "gather"
    }
    fn forward(&self, _: &mut Context, x: &[&Tensor]) -> Result<Tensor> {
        let p = Path::new(&self.shape, self.dim, false);
        let m = Path::new(self.index.shape(), self.dim, false).n;
        let idx: Vec<i64> = self.index.to_vec()?;
        let out = dispatch_number!("g", x[0].dtype(), T => x[0].with_slice::<T, _>(|x| Buffer::build(self.shape.iter().product(), |out: &mut [T]| {
            out.fill(<T as crate::Number>::ZERO);
            for (i, &x) in x.iter().enumerate() { let q = place(p, m, i, idx[i]); out[q] = crate::Number::plus(out[q], x); }
        })))?;
        Ok(Tensor::from_buffer(out, self.shape.clone()))
    }
    fn backward(&self, _: &Saved<'_>, g: &Tensor) -> Result<Grads> {
        Ok([Grad::Of(apply(
            Take {
                dim: self.dim,
                index: self.index.clone(),
            },
            &[g],
        )?)]
        .into())
    }
}
