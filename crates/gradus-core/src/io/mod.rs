//! Files: written whole or not at all, read with memory bounded by their size.

mod atomic;
pub mod safetensors;

pub use atomic::write_atomically;
