//! Data sets and how they are read.

pub mod idx;
