//! `&a + &b`, `&a * 2.0`, `1.0 - &a`, `-&a`, `&mask & &other`, `a += &b`: the operators, which panic
//! where the methods of the same meaning return an error.

use super::Tensor;
use crate::ops::{Operand, binary};
use std::ops::{
    Add, AddAssign, BitAnd, BitOr, BitXor, Div, DivAssign, Mul, MulAssign, Neg, Not, Rem, Shl, Shr,
    Sub, SubAssign,
};

/// The value, or a panic with the error's message at the caller's line.
#[track_caller]
pub(super) fn expect<T>(result: crate::Result<T>) -> T {
    match result {
        Ok(value) => value,
        // Not in a closure: that would be the line the panic names.
        Err(e) => panic!("{e}"),
    }
}

/// What may stand beside an operator.
trait Side {
    fn side(&self) -> Operand<'_>;
}
impl Side for Tensor {
    fn side(&self) -> Operand<'_> {
        self.into()
    }
}
impl Side for &Tensor {
    fn side(&self) -> Operand<'_> {
        (*self).into()
    }
}

macro_rules! numbers {
    ($($number:ident)+) => {$(
        impl Side for $number {
            fn side(&self) -> Operand<'_> { (*self).into() }
        }
    )+};
}
// One float and one integer type each: with more, the type of a literal would be ambiguous.
numbers!(f64 i64 bool);

macro_rules! operator {
    ($trait:ident $method:ident $function:ident: $($left:ty, $right:ty;)+) => {$(
        impl $trait<$right> for $left {
            type Output = Tensor;
            #[track_caller]
            fn $method(self, other: $right) -> Tensor {
                expect(binary::$function(self.side(), other.side()))
            }
        }
    )+};
}

/// Operators between tensors, and between a tensor and each of the numbers.
macro_rules! operators {
    ($($trait:ident $method:ident $function:ident),+; $numbers:tt) => {$(
        operator!($trait $method $function: &Tensor, &Tensor; &Tensor, Tensor; Tensor, &Tensor; Tensor, Tensor;);
        operators!(@ $trait $method $function $numbers);
    )+};
    (@ $trait:ident $method:ident $function:ident [$($number:ident)+]) => {
        operator!($trait $method $function: $(
            &Tensor, $number; Tensor, $number; $number, &Tensor; $number, Tensor;
        )+);
    };
}
operators!(Add add add, Sub sub sub, Mul mul mul, Div div div, Rem rem remainder; [f64 i64]);
operators!(BitAnd bitand bitwise_and, BitOr bitor bitwise_or, BitXor bitxor bitwise_xor; [i64 bool]);
operators!(Shl shl left_shift, Shr shr right_shift; [i64]);

macro_rules! assignments {
    ($($trait:ident $method:ident $function:ident),+; $other:ty) => {$(
        /// In place: every view of this tensor sees the change.
        impl $trait<$other> for Tensor {
            #[track_caller]
            fn $method(&mut self, other: $other) { expect(self.$function(other.side())) }
        }
    )+};
}
macro_rules! assignments_of {
    ($($other:ty),+) => {$(
        assignments!(AddAssign add_assign add_, SubAssign sub_assign sub_, MulAssign mul_assign mul_,
            DivAssign div_assign div_; $other);
    )+};
}
assignments_of!(&Tensor, Tensor, f64, i64);

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

impl Not for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn not(self) -> Tensor {
        expect(self.bitwise_not())
    }
}

impl Not for Tensor {
    type Output = Tensor;
    #[track_caller]
    fn not(self) -> Tensor {
        expect(self.bitwise_not())
    }
}
