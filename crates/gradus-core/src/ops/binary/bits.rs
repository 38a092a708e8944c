//! Truth values and bits: functions without gradients.

use super::{broadcast, promoted};
use crate::dtype::{DType, Number};
use crate::error::{Error, Result, err};
use crate::kernels::map::{self, Cost};
use crate::ops::Operand;
use crate::ops::registry::{Case, Input};
use crate::tensor::Tensor;
use std::ops::{BitAnd, BitOr, BitXor};

const PAIR: &[Input] = &[
    Input::integers(&[4, 3], -9, 9),
    Input::integers(&[3], -9, 9),
];
const MASKS: &[Input] = &[Input::bools(&[4, 3]), Input::bools(&[4, 1])];

pub(in crate::ops) const CASES: &[Case] = &[
    Case::new("logical_and", PAIR, |x| x[0].logical_and(&x[1]))
        .torch("x[0].logical_and(x[1])")
        .constant(),
    Case::new("logical_or", MASKS, |x| x[0].logical_or(&x[1]))
        .torch("x[0].logical_or(x[1])")
        .constant(),
    Case::new(
        "logical_xor",
        &[Input::real(&[3]), Input::integers(&[2, 3], -1, 1)],
        |x| x[0].logical_xor(&x[1]),
    )
    .torch("x[0].logical_xor(x[1])")
    .constant(),
    Case::new("logical_not", &[Input::integers(&[5], -1, 1)], |x| {
        x[0].logical_not()
    })
    .torch("x[0].logical_not()")
    .constant(),
    Case::new("bitwise_and", PAIR, |x| x[0].bitwise_and(&x[1]))
        .torch("x[0] & x[1]")
        .constant(),
    Case::new("bitwise_and", MASKS, |x| x[0].bitwise_and(&x[1]))
        .torch("x[0] & x[1]")
        .constant(),
    Case::new("bitwise_or", PAIR, |x| x[0].bitwise_or(&x[1]))
        .torch("x[0] | x[1]")
        .constant(),
    Case::new("bitwise_or", MASKS, |x| x[0].bitwise_or(true))
        .torch("x[0] | True")
        .constant(),
    Case::new("bitwise_xor", PAIR, |x| x[0].bitwise_xor(&x[1]))
        .torch("x[0] ^ x[1]")
        .constant(),
    Case::new("bitwise_xor", MASKS, |x| x[0].bitwise_xor(6))
        .torch("x[0] ^ 6")
        .constant(),
    Case::new("bitwise_not", PAIR, |x| x[0].bitwise_not())
        .torch("~x[0]")
        .constant(),
    Case::new("bitwise_not", MASKS, |x| x[0].bitwise_not())
        .torch("~x[0]")
        .constant(),
    Case::new("bitwise_left_shift", PAIR, |x| {
        x[0].bitwise_left_shift(&x[1])
    })
    .torch("x[0] << x[1]")
    .constant(),
    Case::new("bitwise_right_shift", PAIR, |x| {
        x[0].bitwise_right_shift(&x[1])
    })
    .torch("x[0] >> x[1]")
    .constant(),
    Case::new("gcd", PAIR, |x| x[0].gcd(&x[1]))
        .torch("torch.gcd(x[0], x[1])")
        .constant(),
    Case::new("lcm", PAIR, |x| x[0].lcm(&x[1]))
        .torch("torch.lcm(x[0], x[1])")
        .constant(),
];

impl Tensor {
    /// Where both are true; numbers are true unless they are 0.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0, 2]).logical_and(true)?.to_vec::<bool>()?, [false, true]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn logical_and<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        self.logical("logical_and", other.into(), |a, b| a & b)
    }

    /// Where at least one is true; numbers are true unless they are 0.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0, 2]).logical_or(false)?.to_vec::<bool>()?, [false, true]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn logical_or<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        self.logical("logical_or", other.into(), |a, b| a | b)
    }

    /// Where one is true and the other is not; numbers are true unless they are 0.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0, 2]).logical_xor(true)?.to_vec::<bool>()?, [true, false]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn logical_xor<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        self.logical("logical_xor", other.into(), |a, b| a ^ b)
    }

    /// Where an element is false: equal to 0.
    ///
    /// # Errors
    /// If there is no memory for the result.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0.0, 2.0]).logical_not()?.to_vec::<bool>()?, [true, false]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn logical_not(&self) -> Result<Tensor> {
        self.logical_xor(true)
    }

    /// The bits that are set in both; for bools whether both are true.
    ///
    /// # Errors
    /// If the shapes do not broadcast, or for floating point numbers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([5, 6]).bitwise_and(3)?.to_vec::<i64>()?, [1, 2]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn bitwise_and<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        bitwise_and(self, other)
    }

    /// The bits that are set in one of them; for bools whether one is true.
    ///
    /// # Errors
    /// If the shapes do not broadcast, or for floating point numbers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([5, 6]).bitwise_or(3)?.to_vec::<i64>()?, [7, 7]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn bitwise_or<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        bitwise_or(self, other)
    }

    /// The bits that differ; for bools whether one is true and the other not.
    ///
    /// # Errors
    /// If the shapes do not broadcast, or for floating point numbers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([5, 6]).bitwise_xor(3)?.to_vec::<i64>()?, [6, 5]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn bitwise_xor<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        bitwise_xor(self, other)
    }

    /// Every bit turned over; for bools the other truth value.
    ///
    /// # Errors
    /// For floating point numbers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([0, 5]).bitwise_not()?.to_vec::<i64>()?, [-1, -6]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn bitwise_not(&self) -> Result<Tensor> {
        if self.dtype() == DType::Bool {
            self.logical_not()
        } else {
            // −1 is every bit, also of unsigned integers, where it wraps.
            bitwise_xor(self, -1).map_err(|_| Integers::Xor.refuses("bitwise_not", self.dtype()))
        }
    }

    /// The bits moved up by `other` places; 0 if the element has not so many, or for a negative
    /// number of places.
    ///
    /// # Errors
    /// If the shapes do not broadcast, or for bools and floating point numbers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([1, 5]).bitwise_left_shift(2)?.to_vec::<i64>()?, [4, 20]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn bitwise_left_shift<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        left_shift(self, other)
    }

    /// The bits moved down by `other` places, the sign filling in from above; nothing but the sign
    /// is left if the element has not so many, or for a negative number of places.
    ///
    /// # Errors
    /// As [`bitwise_left_shift`](Tensor::bitwise_left_shift).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([9, -9]).bitwise_right_shift(2)?.to_vec::<i64>()?, [2, -3]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn bitwise_right_shift<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        right_shift(self, other)
    }

    /// The greatest common divisor, never negative; that of 0 and 0 is 0.
    ///
    /// # Errors
    /// If the shapes do not broadcast, or for bools and floating point numbers.
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([12, -7]).gcd(8)?.to_vec::<i64>()?, [4, 1]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn gcd<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        Integers::Gcd.of(self, other)
    }

    /// The least common multiple, never negative (it may wrap); 0 if one of them is 0.
    ///
    /// # Errors
    /// As [`gcd`](Tensor::gcd).
    ///
    /// ```
    /// # use gradus_core::Tensor;
    /// assert_eq!(Tensor::from([12, -7]).lcm(8)?.to_vec::<i64>()?, [24, 56]);
    /// # Ok::<(), gradus_core::Error>(())
    /// ```
    pub fn lcm<'a>(&'a self, other: impl Into<Operand<'a>>) -> Result<Tensor> {
        Integers::Lcm.of(self, other)
    }

    fn logical(&self, op: &str, other: Operand<'_>, f: fn(bool, bool) -> bool) -> Result<Tensor> {
        let other = other.to_tensor(other.weight().0)?;
        let (a, b) = (self.to_dtype(DType::Bool)?, other.to_dtype(DType::Bool)?);
        broadcast(op, &[&a, &b], &|a, b| map::zip(a, b, Cost::Low, f))
    }
}

/// a & b, where either may be a number.
pub(crate) fn bitwise_and<'a>(
    a: impl Into<Operand<'a>>,
    b: impl Into<Operand<'a>>,
) -> Result<Tensor> {
    Integers::And.of(a, b)
}

/// a | b, where either may be a number.
pub(crate) fn bitwise_or<'a>(
    a: impl Into<Operand<'a>>,
    b: impl Into<Operand<'a>>,
) -> Result<Tensor> {
    Integers::Or.of(a, b)
}

/// a ^ b, where either may be a number.
pub(crate) fn bitwise_xor<'a>(
    a: impl Into<Operand<'a>>,
    b: impl Into<Operand<'a>>,
) -> Result<Tensor> {
    Integers::Xor.of(a, b)
}

/// a << b, where either may be a number.
pub(crate) fn left_shift<'a>(
    a: impl Into<Operand<'a>>,
    b: impl Into<Operand<'a>>,
) -> Result<Tensor> {
    Integers::LeftShift.of(a, b)
}

/// a >> b, where either may be a number.
pub(crate) fn right_shift<'a>(
    a: impl Into<Operand<'a>>,
    b: impl Into<Operand<'a>>,
) -> Result<Tensor> {
    Integers::RightShift.of(a, b)
}

/// A function of two integers.
#[derive(Clone, Copy)]
enum Integers {
    And,
    Or,
    Xor,
    LeftShift,
    RightShift,
    Gcd,
    Lcm,
}

impl Integers {
    fn name(self) -> &'static str {
        match self {
            Self::And => "bitwise_and",
            Self::Or => "bitwise_or",
            Self::Xor => "bitwise_xor",
            Self::LeftShift => "bitwise_left_shift",
            Self::RightShift => "bitwise_right_shift",
            Self::Gcd => "gcd",
            Self::Lcm => "lcm",
        }
    }

    fn of<'a>(self, a: impl Into<Operand<'a>>, b: impl Into<Operand<'a>>) -> Result<Tensor> {
        let (a, b) = promoted(a, b)?;
        match a.dtype() {
            DType::Bool => self.truths(&[&a, &b]),
            DType::U8 => self.elements::<u8>(&[&a, &b]),
            DType::I32 => self.elements::<i32>(&[&a, &b]),
            DType::I64 => self.elements::<i64>(&[&a, &b]),
            dtype @ (DType::F32 | DType::F64) => Err(self.refuses(self.name(), dtype)),
        }
    }

    fn truths(self, x: &[&Tensor]) -> Result<Tensor> {
        let f = match self {
            Self::And => |a: bool, b: bool| a & b,
            Self::Or => |a, b| a | b,
            Self::Xor => |a, b| a ^ b,
            _ => return Err(self.refuses(self.name(), DType::Bool)),
        };
        broadcast(self.name(), x, &|a, b| map::zip(a, b, Cost::Low, f))
    }

    fn elements<T: Integer>(self, x: &[&Tensor]) -> Result<Tensor> {
        broadcast(self.name(), x, &|x, y| match self {
            Self::And => map::zip(x, y, Cost::Low, |a: T, b: T| a & b),
            Self::Or => map::zip(x, y, Cost::Low, |a: T, b: T| a | b),
            Self::Xor => map::zip(x, y, Cost::Low, |a: T, b: T| a ^ b),
            Self::LeftShift => map::zip(x, y, Cost::Low, T::left),
            Self::RightShift => map::zip(x, y, Cost::Low, T::right),
            Self::Gcd => map::zip(x, y, Cost::High, T::gcd),
            Self::Lcm => map::zip(x, y, Cost::High, T::lcm),
        })
    }

    fn refuses(self, name: &str, dtype: DType) -> Error {
        err!(
            DType,
            "{name}: not implemented for '{dtype}' tensors, only for integers{}; convert with to_dtype",
            match self {
                Self::And | Self::Or | Self::Xor => " and bools",
                _ => "",
            }
        )
    }
}

/// What integers can do beside arithmetic.
trait Integer: Number + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self> {
    fn left(self, places: Self) -> Self;
    fn right(self, places: Self) -> Self;
    fn gcd(self, other: Self) -> Self;
    fn lcm(self, other: Self) -> Self;
}

macro_rules! integers {
    ($($t:ident)+) => {$(
        impl Integer for $t {
            fn left(self, places: Self) -> Self {
                u32::try_from(places).ok().and_then(|n| self.checked_shl(n)).unwrap_or(0)
            }
            fn right(self, places: Self) -> Self {
                let sign = if self < Self::ZERO { Self::ZERO.minus(1) } else { 0 };
                u32::try_from(places).ok().and_then(|n| self.checked_shr(n)).unwrap_or(sign)
            }
            /// Euclid's algorithm.
            fn gcd(mut self, mut other: Self) -> Self {
                while other != 0 {
                    (self, other) = (other, self.wrapping_rem(other));
                }
                magnitude(self)
            }
            fn lcm(self, other: Self) -> Self {
                match Integer::gcd(self, other) {
                    0 => 0,
                    divisor => magnitude(self.wrapping_div(divisor).wrapping_mul(other)),
                }
            }
        }
    )+};
}
integers!(u8 i32 i64);

/// |x|; the smallest integer stays.
fn magnitude<T: Number>(x: T) -> T {
    if x < T::ZERO { T::ZERO.minus(x) } else { x }
}
