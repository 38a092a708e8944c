//! A transposed convolution as plain ones.
//!
//! Output `o` of a convolution sends its gradient to the inputs `o · stride + k · dilation − padding`.
//! Seen from an input, the taps `k` that reach it are those for which input + padding − k · dilation
//! is a multiple of the stride. They are the same for all inputs of a *phase*, which are `stride`
//! apart, and the outputs they come from move on by one from one input of the phase to the next. So
//! each phase is a convolution of stride 1 of the outputs with its own taps in opposite order.

use super::Axis;

/// The inputs `start`, `start + step`, …, and the convolution that makes them from the outputs.
pub(super) struct Phase {
    pub start: usize,
    pub step: usize,
    pub axis: Axis,
    /// The kernel's taps: the first one, and how far it is back to the next.
    pub tap: usize,
    pub back: usize,
}

impl Phase {
    /// All phases that any tap reaches.
    pub(super) fn all(of: &Axis) -> Vec<Self> {
        let back = of.stride / gcd(of.stride, of.dilation);
        let phase = |first: usize| {
            // The first input that tap `first` reaches, or would if there were one before it.
            let at = (first * of.dilation) as isize - of.padding;
            let start = at.rem_euclid(of.stride as isize) as usize;
            if start >= of.input {
                return None;
            }
            let taps = (of.kernel - first).div_ceil(back);
            // How many steps the output it comes from lies further on than the input in the phase.
            let ahead = (start as isize - at) / of.stride as isize;
            let dilation = of.dilation / (of.stride / back);
            Some(Self {
                start,
                step: of.stride,
                axis: Axis {
                    input: of.output,
                    output: (of.input - start).div_ceil(of.stride),
                    kernel: taps,
                    stride: 1,
                    dilation,
                    padding: ((taps - 1) * dilation) as isize - ahead,
                },
                tap: first + (taps - 1) * back,
                back,
            })
        };
        (0..back.min(of.kernel)).filter_map(phase).collect()
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
