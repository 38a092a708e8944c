//! The logarithm, sine and cosine in f32 that PyTorch makes normal numbers with: those of S. Moshier's
//! Cephes library, in the order of operations, and with the fused ones among them, that give the
//! same bits.

/// Σ cᵢ·zⁿ⁻ⁱ by Horner's rule.
#[inline(always)]
fn horner<const N: usize>(z: f32, coefficients: [f32; N]) -> f32 {
    coefficients
        .into_iter()
        .reduce(|sum, c| sum.mul_add(z, c))
        .unwrap_or(0.0)
}

/// ln x for positive, normal x.
#[inline(always)]
pub(super) fn ln(x: f32) -> f32 {
    // x = 2ᵉ·m with m in [½, 1), and then in [√½ − 1, √2 − 1) around 0.
    let bits = x.to_bits();
    let exponent = (bits >> 23) as i32 - 126;
    let m = f32::from_bits(bits & 0x007f_ffff | 0x3f00_0000);
    let low = m < std::f32::consts::FRAC_1_SQRT_2;
    let e = exponent as f32 - if low { 1.0 } else { 0.0 };
    let m = (m - 1.0) + if low { m } else { 0.0 };
    let z = m * m;
    let series = horner(
        m,
        [
            7.037_683_6e-2,
            -1.151_461e-1,
            1.167_699_84e-1,
            -1.242_014_1e-1,
            1.424_932_3e-1,
            -1.666_805_8e-1,
            2.000_071_4e-1,
            -2.499_999_4e-1,
            3.333_333e-1,
        ],
    );
    let y = (series * m).mul_add(z, e * -2.121_944_4e-4);
    let y = (-0.5f32).mul_add(z, y);
    e.mul_add(0.693_359_4, m + y)
}

/// The sine and cosine of an angle in [0, 2π].
#[inline(always)]
pub(super) fn sin_cos(x: f32) -> (f32, f32) {
    // The nearest even number of eighths of a turn, taken off in three parts.
    let eighths = ((x * 1.273_239_5) as i32 + 1) & !1;
    let y = eighths as f32;
    let x = y.mul_add(-0.785_156_25, x);
    let x = y.mul_add(-2.418_756_5e-4, x);
    let x = y.mul_add(-3.774_895e-8, x);
    let z = x * x;
    let cos = horner(z, [2.443_315_7e-5, -1.388_731_6e-3, 4.166_664_6e-2]) * z;
    let cos = cos.mul_add(z, -0.5 * z) + 1.0;
    let sin = horner(z, [-1.951_529_6e-4, 8.332_161e-3, -1.666_665_5e-1]) * z;
    let sin = sin.mul_add(x, x);
    let (sin, cos) = if eighths & 2 == 0 {
        (sin, cos)
    } else {
        (cos, sin)
    };
    let negate = |x: f32, flag: i32| f32::from_bits(x.to_bits() ^ ((flag & 4) as u32) << 29);
    (negate(sin, eighths), negate(cos, eighths + 2))
}
