//! gradus: deep learning one step at a time, in Rust.
//!
//! The engine (tensors and gradients) is [`gradus_core`], re-exported here; this crate adds layers,
//! optimizers, data, training, clustering and pictures.
//!
//! ```
//! use gradus::nn::{self, Layer, Module};
//! use gradus::optim::{Optimizer, Sgd};
//! use gradus::{Tensor, random};
//!
//! random::manual_seed(0);
//! let net = nn::Sequential::new().add(nn::Linear::new(2, 8)?).add(nn::Tanh).add(nn::Linear::new(8, 2)?);
//! let mut sgd = Sgd::new(net.parameters(), 0.5).momentum(0.9);
//! // Exclusive or: not linearly separable.
//! let x = Tensor::from([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]);
//! let y = Tensor::from([0, 1, 1, 0]);
//! for _ in 0..100 {
//!     let loss = nn::cross_entropy(&net.forward(&x)?, &y)?;
//!     sgd.zero_grad();
//!     loss.backward()?;
//!     sgd.step()?;
//! }
//! assert_eq!(net.forward(&x)?.argmax(1)?.to_vec::<i64>()?, [0, 1, 1, 0]);
//! # Ok::<(), gradus::Error>(())
//! ```

#![forbid(unsafe_code)]

// `#[derive(Module)]` names this crate as its users see it.
extern crate self as gradus;

pub mod cluster;
pub mod data;
pub mod metrics;
pub mod models;
pub mod nn;
pub mod optim;
pub mod plot;
pub mod preprocessing;
pub mod train;

pub use gradus_core::*;
