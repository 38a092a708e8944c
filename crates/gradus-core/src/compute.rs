//! What loops outside of the engine need of it: its threads, and loops compiled for the processor
//! they run on. Estimators, which are no operations on tensors, are written with these.

pub use crate::kernels::parallel::{fill, run};
pub use crate::kernels::{Loop, vectorize};
