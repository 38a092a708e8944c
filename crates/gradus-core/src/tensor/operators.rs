//! `&a + &b`, `&a * 2.0`, `1.0 - &a`, `-&a`: the operators, which panic where the methods of the same
//! meaning return an error.

use super::Tensor;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// The value, or a panic with the error's message at the caller's line.
#[track_caller]
pub(super) fn expect(result: crate::Result<Tensor>) -> Tensor {
    match result {
        Ok(tensor) => tensor,
        // Not in a closure: that would be the line the panic names.
        Err(e) => panic!("{e}"),
    }
}

macro_rules! operators {
    ($($trait:ident $method:ident),+) => {$(
        impl $trait<&Tensor> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: &Tensor) -> Tensor { expect(self.$method(other)) }
        }
        impl $trait<Tensor> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: Tensor) -> Tensor { expect(self.$method(&other)) }
        }
        impl $trait<&Tensor> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: &Tensor) -> Tensor { expect((&self).$method(other)) }
        }
        impl $trait<Tensor> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: Tensor) -> Tensor { expect((&self).$method(&other)) }
        }
        impl $trait<f64> for &Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: f64) -> Tensor { expect(self.$method(other)) }
        }
        impl $trait<f64> for Tensor {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: f64) -> Tensor { expect((&self).$method(other)) }
        }
        impl $trait<&Tensor> for f64 {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: &Tensor) -> Tensor { expect(crate::ops::binary::$method(self, other)) }
        }
        impl $trait<Tensor> for f64 {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: Tensor) -> Tensor { expect(crate::ops::binary::$method(self, &other)) }
        }
    )+};
}
operators!(Add add, Sub sub, Mul mul, Div div);

impl Neg for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        expect(Tensor::neg(self))
    }
}

impl Neg for Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        expect(Tensor::neg(&self))
    }
}
