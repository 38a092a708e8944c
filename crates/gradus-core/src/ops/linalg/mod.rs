//! Linear algebra beyond the plain product: sums over any subscripts (`einsum`), the products with
//! names of their own and, with the feature `linalg`, equations and decompositions (`dense`).

#[cfg(feature = "linalg")]
pub mod dense;
pub(super) mod einsum;
pub(super) mod products;
