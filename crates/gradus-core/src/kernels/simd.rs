//! Explicit vectors, for the few kernels whose register tiles the compiler does not find by itself.
//! Everything else is a plain loop under [`vectorize`](super::vectorize).
//!
//! A kernel is a struct that implements [`WithSimd`]; [`run`] calls it with the widest vectors this
//! processor has. It is written once for f32 and f64 through [`Lane`].

pub(crate) use pulp::{Simd, WithSimd};

use crate::kernels::math::Float;

/// Runs a kernel with the widest vectors of this processor.
#[inline(always)]
pub(crate) fn run<K: WithSimd>(kernel: K) -> K::Output {
    pulp::Arch::new().dispatch(kernel)
}

/// A number that vectors are made of.
pub(crate) trait Lane: Float {
    /// A vector of them.
    type V<S: Simd>: Copy;

    /// How many a vector has.
    fn lanes<S: Simd>() -> usize {
        size_of::<Self::V<S>>() / size_of::<Self>()
    }
    /// A vector of equal numbers.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::V<S>;
    /// a + b.
    fn vadd<S: Simd>(simd: S, a: Self::V<S>, b: Self::V<S>) -> Self::V<S>;
    /// a − b.
    fn vsub<S: Simd>(simd: S, a: Self::V<S>, b: Self::V<S>) -> Self::V<S>;
    /// Lane by lane the smaller.
    fn least<S: Simd>(simd: S, a: Self::V<S>, b: Self::V<S>) -> Self::V<S>;
    /// Lane by lane the larger.
    fn most<S: Simd>(simd: S, a: Self::V<S>, b: Self::V<S>) -> Self::V<S>;
    /// Lane by lane the smaller of `new` and `old`, of equals `old`, and what belongs to it of the other
    /// two.
    fn keep_less<S: Simd>(
        simd: S,
        new: (Self::V<S>, Self::V<S>),
        old: (Self::V<S>, Self::V<S>),
    ) -> (Self::V<S>, Self::V<S>);
    /// x in the lanes where a and b are equal, 0 in the others.
    fn where_equal<S: Simd>(simd: S, a: Self::V<S>, b: Self::V<S>, x: Self::V<S>) -> Self::V<S>;
    /// a·b + c, rounded once where the processor has an instruction for it.
    fn mul_add<S: Simd>(simd: S, a: Self::V<S>, b: Self::V<S>, c: Self::V<S>) -> Self::V<S>;
    /// The sum of the lanes, in an order that follows from their number.
    fn sum<S: Simd>(simd: S, a: Self::V<S>) -> Self;

    /// The numbers from `x` on.
    ///
    /// # Safety
    /// A vector's length of numbers can be read there.
    #[inline(always)]
    unsafe fn load<S: Simd>(_: S, x: *const Self) -> Self::V<S> {
        // SAFETY: the caller's promise; a vector is nothing but its lanes.
        unsafe { x.cast::<Self::V<S>>().read_unaligned() }
    }
    /// Writes the numbers from `x` on.
    ///
    /// # Safety
    /// A vector's length of numbers can be written there.
    #[inline(always)]
    unsafe fn store<S: Simd>(_: S, x: *mut Self, a: Self::V<S>) {
        // SAFETY: the caller's promise.
        unsafe { x.cast::<Self::V<S>>().write_unaligned(a) }
    }
    /// The numbers of a slice shorter than a vector, then zeros.
    fn load_part<S: Simd>(simd: S, x: &[Self]) -> Self::V<S>;
}

macro_rules! lanes {
    ($($t:ident $v:ident: $splat:ident $add:ident $sub:ident $min:ident $max:ident $less:ident $equal:ident $select:ident $mul_add:ident $sum:ident $load:ident;)+) => {$(
        impl Lane for $t {
            type V<S: Simd> = S::$v;
            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> S::$v {
                simd.$splat(x)
            }
            #[inline(always)]
            fn vadd<S: Simd>(simd: S, a: S::$v, b: S::$v) -> S::$v {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn vsub<S: Simd>(simd: S, a: S::$v, b: S::$v) -> S::$v {
                simd.$sub(a, b)
            }
            #[inline(always)]
            fn least<S: Simd>(simd: S, a: S::$v, b: S::$v) -> S::$v {
                simd.$min(a, b)
            }
            #[inline(always)]
            fn most<S: Simd>(simd: S, a: S::$v, b: S::$v) -> S::$v {
                simd.$max(a, b)
            }
            #[inline(always)]
            fn keep_less<S: Simd>(
                simd: S,
                (new, new_tag): (S::$v, S::$v),
                (old, old_tag): (S::$v, S::$v),
            ) -> (S::$v, S::$v) {
                let less = simd.$less(new, old);
                (simd.$select(less, new, old), simd.$select(less, new_tag, old_tag))
            }
            #[inline(always)]
            fn where_equal<S: Simd>(simd: S, a: S::$v, b: S::$v, x: S::$v) -> S::$v {
                simd.$select(simd.$equal(a, b), x, simd.$splat(0.0))
            }
            #[inline(always)]
            fn mul_add<S: Simd>(simd: S, a: S::$v, b: S::$v, c: S::$v) -> S::$v {
                simd.$mul_add(a, b, c)
            }
            #[inline(always)]
            fn sum<S: Simd>(simd: S, a: S::$v) -> Self {
                simd.$sum(a)
            }
            #[inline(always)]
            fn load_part<S: Simd>(simd: S, x: &[Self]) -> S::$v {
                simd.$load(x)
            }
        }
    )+};
}
lanes! {
    f32 f32s: splat_f32s add_f32s sub_f32s min_f32s max_f32s less_than_f32s equal_f32s select_f32s mul_add_e_f32s reduce_sum_f32s partial_load_f32s;
    f64 f64s: splat_f64s add_f64s sub_f64s min_f64s max_f64s less_than_f64s equal_f64s select_f64s mul_add_e_f64s reduce_sum_f64s partial_load_f64s;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::marker::PhantomData;

    /// x·2 + 1 over the whole vectors of a slice, and the sum of all x.
    struct Affine<'a, T>(&'a mut [T]);

    impl<T: Lane> WithSimd for Affine<'_, T> {
        type Output = T;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> T {
            let two = T::splat(simd, T::number(2.0));
            let one = T::splat(simd, T::number(1.0));
            let mut total = T::splat(simd, T::ZERO);
            let mut parts = self.0.chunks_exact_mut(T::lanes::<S>());
            for part in &mut parts {
                // SAFETY: a part is as long as a vector.
                let x = unsafe { T::load(simd, part.as_ptr()) };
                total = T::mul_add(simd, x, one, total);
                let y = T::mul_add(simd, x, two, one);
                // SAFETY: as above.
                unsafe { T::store(simd, part.as_mut_ptr(), y) };
            }
            let rest = T::load_part(simd, parts.into_remainder());
            T::sum(simd, T::mul_add(simd, rest, one, total))
        }
    }

    fn check<T: Lane>() {
        let lanes = run(Lanes::<T>(PhantomData));
        for n in [0, 1, 15, 16, 17, 50] {
            let mut x: Vec<T> = (0..n).map(|i| T::number(i as f64)).collect();
            let total = run(Affine(&mut x));
            for (i, &y) in x.iter().enumerate() {
                let whole = i < n / lanes * lanes;
                let expected = if whole { 2 * i + 1 } else { i };
                assert!(y == T::number(expected as f64), "element {i} of {n}");
            }
            let sum = (0..n).sum::<usize>();
            assert!(total == T::number(sum as f64), "sum of {n}");
        }
    }

    /// The number of lanes.
    struct Lanes<T>(PhantomData<T>);

    impl<T: Lane> WithSimd for Lanes<T> {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            T::lanes::<S>()
        }
    }

    #[test]
    fn vectors_and_their_rests_compute_what_numbers_do() {
        check::<f32>();
        check::<f64>();
    }
}
