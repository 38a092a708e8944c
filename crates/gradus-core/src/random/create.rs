//! Random tensors, from this thread's generator.

use super::{Generator, with_generator};
use crate::error::Result;
use crate::shape::{IntoShape, numel};
use crate::storage::Buffer;
use crate::tensor::Tensor;

impl Tensor {
    /// f32 numbers from the standard normal distribution.
    ///
    /// # Errors
    /// If there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::randn([2, 3])?.shape(), [2, 3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn randn(shape: impl IntoShape) -> Result<Tensor> {
        random(shape, |g| g.normal() as f32)
    }

    /// f32 numbers from [0, 1), uniform.
    ///
    /// # Errors
    /// If there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert!(Tensor::rand([100])?.to_vec::<f32>()?.iter().all(|x| (0.0..1.0).contains(x)));
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn rand(shape: impl IntoShape) -> Result<Tensor> {
        // 24 bits, so that rounding to f32 never gives 1.
        random(shape, |g| {
            (g.next_u64() >> 40) as f32 * (1.0 / (1u32 << 24) as f32)
        })
    }

    /// The integers 0…n−1 in a random order (i64).
    ///
    /// # Errors
    /// If there is no memory for them.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// let mut p = Tensor::randperm(5)?.to_vec::<i64>()?;
    /// p.sort();
    /// assert_eq!(p, [0, 1, 2, 3, 4]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn randperm(n: usize) -> Result<Tensor> {
        numel(&[n])?;
        let buffer = Buffer::build(n, |out: &mut [i64]| {
            out.iter_mut().zip(0..).for_each(|(x, i)| *x = i);
            with_generator(|g| g.shuffle(out));
        })?;
        Ok(Tensor::from_buffer(buffer, n.into_shape()))
    }
}

fn random(shape: impl IntoShape, mut next: impl FnMut(&mut Generator) -> f32) -> Result<Tensor> {
    let shape = shape.into_shape();
    let buffer = Buffer::build(numel(&shape)?, |out: &mut [f32]| {
        with_generator(|g| out.iter_mut().for_each(|x| *x = next(g)));
    })?;
    Ok(Tensor::from_buffer(buffer, shape))
}
