//! Runtime dtypes, the Rust types behind them, and NumPy/PyTorch promotion.

use crate::error::{Result, err};
use std::fmt;

/// The type of a tensor's elements, known at run time.
///
/// The order is the order of promotion: a later dtype of the same or a later category wins.
///
/// ```
/// use gradus_core::{DType, Tensor};
/// assert_eq!(Tensor::from([1, 2]).dtype(), DType::I64);
/// assert!(DType::Bool < DType::U8 && DType::I64 < DType::F32);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DType {
    /// `true` or `false`, one byte.
    Bool,
    /// Unsigned 8-bit integer.
    U8,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer: indices, class labels, sums of integers.
    I64,
    /// 32-bit floating point: the default.
    F32,
    /// 64-bit floating point.
    F64,
}

impl DType {
    /// Every dtype, in promotion order.
    ///
    /// ```
    /// # use gradus_core::DType;
    /// assert!(DType::ALL.is_sorted());
    /// ```
    pub const ALL: [DType; 6] = [
        Self::Bool,
        Self::U8,
        Self::I32,
        Self::I64,
        Self::F32,
        Self::F64,
    ];

    /// Bytes an element takes.
    ///
    /// ```
    /// # use gradus_core::DType;
    /// assert_eq!(DType::F32.size(), 4);
    /// ```
    pub fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 => 1,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }

    /// The name PyTorch and NumPy print: `float32`, `int64`, `bool`, …
    ///
    /// ```
    /// # use gradus_core::DType;
    /// assert_eq!(DType::F32.name(), "float32");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::U8 => "uint8",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }

    /// Whether gradients can flow through tensors of this dtype.
    ///
    /// ```
    /// # use gradus_core::DType;
    /// assert!(DType::F32.is_float() && !DType::I64.is_float());
    /// ```
    #[inline]
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }

    /// The dtype that an operation on `self` and `other` computes in.
    ///
    /// ```
    /// use gradus_core::DType;
    /// assert_eq!(DType::I64.promote(DType::F32), DType::F32);
    /// assert_eq!(DType::U8.promote(DType::I32), DType::I32);
    /// ```
    #[must_use]
    pub fn promote(self, other: DType) -> DType {
        self.max(other)
    }

    /// bool < integer < floating point: a scalar changes a dtype only across categories.
    pub(crate) fn category(self) -> u8 {
        match self {
            Self::Bool => 0,
            Self::U8 | Self::I32 | Self::I64 => 1,
            Self::F32 | Self::F64 => 2,
        }
    }

    /// An error that names the operation unless this dtype is a floating one.
    pub(crate) fn expect_float(self, op: &str) -> Result<()> {
        if self.is_float() {
            return Ok(());
        }
        Err(err!(
            DType,
            "{op}: expected a floating point tensor, got {self}; convert it with to_dtype(DType::F32)"
        ))
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A Rust type that can be an element of a tensor.
///
/// # Safety
/// `DTYPE` must be the dtype that stands for exactly this type: storage hands out slices by it.
///
/// ```
/// use gradus_core::{DType, Element};
/// assert_eq!(<f32 as Element>::DTYPE, DType::F32);
/// assert_eq!(2.9f64.cast::<i64>(), 2);
/// ```
pub unsafe trait Element:
    Copy + Default + PartialOrd + fmt::Debug + Send + Sync + 'static
{
    /// The dtype that stands for this type.
    const DTYPE: DType;
    /// The value as f64, rounded when it is a large integer; `true` is 1.
    fn to_f64(self) -> f64;
    /// The value nearest to `x` under Rust's `as` (saturating); for bool, whether it is not zero.
    fn from_f64(x: f64) -> Self;
    /// The value as i64, truncated towards zero and saturating.
    fn to_i64(self) -> i64;
    /// The value converted with Rust's `as`; for bool, whether it is not zero.
    fn from_i64(x: i64) -> Self;
    /// Converts as `as` does, exactly for integers and through f64 for floats.
    #[inline(always)]
    fn cast<U: Element>(self) -> U {
        if Self::DTYPE.is_float() {
            U::from_f64(self.to_f64())
        } else {
            U::from_i64(self.to_i64())
        }
    }
}

/// An element with arithmetic: every dtype but bool. Integer arithmetic wraps, as NumPy's does.
///
/// ```
/// use gradus_core::Number;
/// assert_eq!(<u8 as Number>::HIGHEST.plus(Number::ONE), 0);
/// assert!(f32::NAN.is_nan());
/// ```
pub trait Number: Element {
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The smallest value, −∞ for floats.
    const LOWEST: Self;
    /// The largest value, +∞ for floats.
    const HIGHEST: Self;
    /// `self + other`.
    fn plus(self, other: Self) -> Self;
    /// `self − other`.
    fn minus(self, other: Self) -> Self;
    /// `self · other`.
    fn times(self, other: Self) -> Self;
    /// Whether this is a NaN; never for integers.
    fn is_nan(self) -> bool;
}

macro_rules! elements {
    ($($t:ident $dtype:ident),+) => {$(
        // SAFETY: the pairs in the list below are each type with the dtype of its own name.
        unsafe impl Element for $t {
            const DTYPE: DType = DType::$dtype;
            #[inline(always)]
            fn to_f64(self) -> f64 { self as f64 }
            #[inline(always)]
            fn from_f64(x: f64) -> Self { x as $t }
            #[inline(always)]
            fn to_i64(self) -> i64 { self as i64 }
            #[inline(always)]
            fn from_i64(x: i64) -> Self { x as $t }
        }
    )+};
}
elements!(u8 U8, i32 I32, i64 I64, f32 F32, f64 F64);

// SAFETY: `Bool` stands for Rust's bool, and storage zeroes such buffers, so every byte is 0 or 1.
unsafe impl Element for bool {
    const DTYPE: DType = DType::Bool;
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self))
    }
    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x != 0.0
    }
    #[inline(always)]
    fn to_i64(self) -> i64 {
        i64::from(self)
    }
    #[inline(always)]
    fn from_i64(x: i64) -> Self {
        x != 0
    }
}

macro_rules! integers {
    ($($t:ident),+) => {$(
        impl Number for $t {
            const ZERO: Self = 0;
            const ONE: Self = 1;
            const LOWEST: Self = $t::MIN;
            const HIGHEST: Self = $t::MAX;
            #[inline(always)]
            fn plus(self, other: Self) -> Self { self.wrapping_add(other) }
            #[inline(always)]
            fn minus(self, other: Self) -> Self { self.wrapping_sub(other) }
            #[inline(always)]
            fn times(self, other: Self) -> Self { self.wrapping_mul(other) }
            #[inline(always)]
            fn is_nan(self) -> bool { false }
        }
    )+};
}
integers!(u8, i32, i64);

macro_rules! floats {
    ($($t:ident),+) => {$(
        impl Number for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const LOWEST: Self = $t::NEG_INFINITY;
            const HIGHEST: Self = $t::INFINITY;
            #[inline(always)]
            fn plus(self, other: Self) -> Self { self + other }
            #[inline(always)]
            fn minus(self, other: Self) -> Self { self - other }
            #[inline(always)]
            fn times(self, other: Self) -> Self { self * other }
            #[inline(always)]
            fn is_nan(self) -> bool { self != self }
        }
    )+};
}
floats!(f32, f64);

/// Runs `$body` with `$t` standing for the Rust type of `$dtype`.
macro_rules! dispatch {
    ($dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            $crate::DType::Bool => {
                type $t = bool;
                $body
            }
            $crate::DType::U8 => {
                type $t = u8;
                $body
            }
            $crate::DType::I32 => {
                type $t = i32;
                $body
            }
            $crate::DType::I64 => {
                type $t = i64;
                $body
            }
            $crate::DType::F32 => {
                type $t = f32;
                $body
            }
            $crate::DType::F64 => {
                type $t = f64;
                $body
            }
        }
    };
}

/// Like `dispatch!`, for numbers; bool is an error that names `$op`.
macro_rules! dispatch_number {
    ($op:expr, $dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            $crate::DType::Bool => Err($crate::error::err!(
                DType,
                "{}: not implemented for 'bool' tensors; convert with to_dtype first",
                $op
            )),
            $crate::DType::U8 => {
                type $t = u8;
                $body
            }
            $crate::DType::I32 => {
                type $t = i32;
                $body
            }
            $crate::DType::I64 => {
                type $t = i64;
                $body
            }
            $crate::DType::F32 => {
                type $t = f32;
                $body
            }
            $crate::DType::F64 => {
                type $t = f64;
                $body
            }
        }
    };
}

/// Like `dispatch!`, for f32 and f64; any other dtype is an error that names `$op`.
macro_rules! dispatch_float {
    ($op:expr, $dtype:expr, $t:ident => $body:expr) => {
        match $dtype {
            $crate::DType::F32 => {
                type $t = f32;
                $body
            }
            $crate::DType::F64 => {
                type $t = f64;
                $body
            }
            other => Err(other
                .expect_float($op)
                .expect_err("the floating dtypes are matched above")),
        }
    };
}
pub(crate) use {dispatch, dispatch_float, dispatch_number};
