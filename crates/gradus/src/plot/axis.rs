//! How an axis is laid out: its range, and round numbers to be marked on it.

/// Beyond this an axis would overflow; nothing that means anything gets there.
pub(super) const LARGEST: f64 = 1e100;
/// Below this one would underflow.
const SMALLEST: f64 = 1e-100;

/// Whether a point can be drawn.
pub(super) fn drawable(&(x, y): &(f64, f64)) -> bool {
    // NaN and infinities fail these comparisons too.
    x.abs() <= LARGEST && y.abs() <= LARGEST
}

/// The range of an axis and the marks on it.
pub(super) struct Axis {
    pub low: f64,
    pub high: f64,
    /// 1, 2 or 5 times a power of ten.
    step: f64,
    /// The multiples of `step` in the range.
    pub ticks: Vec<f64>,
}

impl Axis {
    /// The axis for `values`, which are finite, with about `count` marks; only whole ones if so
    /// asked.
    pub(super) fn new(
        values: impl Iterator<Item = f64> + Clone,
        count: usize,
        whole: bool,
    ) -> Self {
        let least = values.clone().reduce(f64::min);
        let greatest = values.reduce(f64::max);
        let (least, greatest) = least.zip(greatest).unwrap_or((0.0, 1.0));
        let largest = least.abs().max(greatest.abs());
        let span = greatest - least;
        // Differences that rounding or underflow would swallow count as none.
        let margin = if span > 1e-9 * largest && span > SMALLEST {
            0.05 * span
        } else if largest > SMALLEST {
            0.5 * largest
        } else {
            0.5
        };
        let (low, high) = (least - margin, greatest + margin);

        let rough = (high - low) / count as f64;
        let power = 10f64.powf(rough.log10().floor());
        let factors = [1.0, 2.0, 5.0, 10.0].into_iter();
        let nice = factors.map(|factor| factor * power).find(|&s| s >= rough);
        let step = nice.unwrap_or(rough).max(if whole { 1.0 } else { 0.0 });
        let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
        Self {
            low,
            high,
            step,
            ticks: (first..=last).map(|k| k as f64 * step).collect(),
        }
    }

    /// How far along the axis a value lies: 0 at its beginning, 1 at its end.
    pub(super) fn share(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// A tick with as many digits as tell it from its neighbours.
    pub(super) fn name(&self, tick: f64) -> String {
        // A step computed as 0.001 may lie just below it.
        let magnitude = |value: f64| (value.abs().log10() + 1e-9).floor();
        let largest = self.low.abs().max(self.high.abs());
        if tick == 0.0 {
            "0".into()
        } else if largest < 1e5 && self.step > 1e-5 {
            format!("{tick:.*}", (-magnitude(self.step)).max(0.0) as usize)
        } else {
            let digits = (magnitude(tick) - magnitude(self.step)).max(0.0);
            format!("{tick:.*e}", digits as usize)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(values: &[f64], count: usize, whole: bool) -> Axis {
        Axis::new(values.iter().copied(), count, whole)
    }

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks.iter().map(|t| axis.name(*t)).collect()
    }

    /// The axis counts half epochs, or crowds its labels.
    #[test]
    fn epochs_are_marked_with_whole_numbers() {
        assert_eq!(labels(&axis(&[1.0], 8, true)), ["1"]);
        assert_eq!(labels(&axis(&[1.0, 2.0], 8, true)), ["1", "2"]);
        let five = axis(&[1.0, 5.0], 8, true);
        assert_eq!(labels(&five), ["1", "2", "3", "4", "5"]);
        let hundred = axis(&[1.0, 100.0], 8, true);
        assert_eq!(labels(&hundred), ["0", "20", "40", "60", "80", "100"]);
    }

    /// Neighbouring labels read the same, or show digits that mean nothing.
    #[test]
    fn labels_have_the_digits_they_need() {
        let accuracy = axis(&[0.9, 1.0], 6, false);
        assert_eq!(
            labels(&accuracy),
            ["0.90", "0.92", "0.94", "0.96", "0.98", "1.00"]
        );
        assert_eq!(
            labels(&axis(&[-1.0, 1.0], 6, false)),
            ["-1.0", "-0.5", "0", "0.5", "1.0"]
        );
        assert_eq!(
            labels(&axis(&[1e7, 3e7], 6, false))[..2],
            ["1.0e7", "1.5e7"]
        );
        assert_eq!(
            labels(&axis(&[1e-7, 3e-7], 6, false))[..2],
            ["1.0e-7", "1.5e-7"]
        );
        assert_eq!(labels(&axis(&[0.0, 0.005], 6, false))[1], "0.001");
    }

    /// Points at the edge are cut off, or marks lie outside the axis.
    #[test]
    fn the_range_holds_all_values_and_marks() {
        for values in [
            &[0.0][..],
            &[-3.0],
            &[1.0, 1.0],
            &[0.1, 2.3],
            &[-1e9, 7.0],
            &[1e99],
        ] {
            let axis = axis(values, 6, false);
            for value in values.iter().chain(&axis.ticks) {
                assert!(
                    (axis.low..=axis.high).contains(value),
                    "{value} of {values:?}"
                );
            }
            assert!((1..=8).contains(&axis.ticks.len()), "{:?}", axis.ticks);
        }
    }
}
