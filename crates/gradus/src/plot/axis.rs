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

/// Whether a point has its place on axes of which those are logarithmic.
pub(super) fn has_place(point: &(f64, f64), log: [bool; 2]) -> bool {
    let positive = |value: f64, log: bool| !log || value >= SMALLEST;
    drawable(point) && positive(point.0, log[0]) && positive(point.1, log[1])
}

/// The range of an axis and the marks on it.
pub(super) struct Axis {
    pub low: f64,
    pub high: f64,
    /// 1, 2 or 5 times a power of ten; none where the marks are powers of ten.
    step: Option<f64>,
    /// Where the marks are.
    pub ticks: Vec<f64>,
    log: bool,
}

impl Axis {
    /// The axis for `values`, which are finite, with about `count` marks; only whole ones if so
    /// asked.
    pub(super) fn new(
        values: impl Iterator<Item = f64> + Clone,
        count: usize,
        whole: bool,
    ) -> Self {
        let (least, greatest) = extremes(values).unwrap_or((0.0, 1.0));
        let margin = margin(least, greatest);
        Self::between(least - margin, greatest + margin, count, whole)
    }

    /// The axis of bars, which begin at 0.
    pub(super) fn from_zero(values: impl Iterator<Item = f64>, count: usize, whole: bool) -> Self {
        let (least, greatest) = values.fold((0.0, 0.0), |(low, high), v| {
            (f64::min(low, v), f64::max(high, v))
        });
        let margin = margin(least, greatest);
        let low = if least < 0.0 { least - margin } else { 0.0 };
        let high = if greatest > 0.0 || least == 0.0 {
            greatest + margin
        } else {
            0.0
        };
        Self::between(low, high, count, whole)
    }

    /// The axis from one number to a larger one.
    pub(super) fn between(low: f64, high: f64, count: usize, whole: bool) -> Self {
        let rough = (high - low) / count.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let factors = [1.0, 2.0, 5.0, 10.0].into_iter();
        let nice = factors.map(|factor| factor * power).find(|&s| s >= rough);
        let step = nice.unwrap_or(rough).max(if whole { 1.0 } else { 0.0 });
        let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
        Self {
            low,
            high,
            step: Some(step),
            ticks: (first..=last).map(|k| k as f64 * step).collect(),
            log: false,
        }
    }

    /// The axis for values that are positive, on which equal steps are equal factors.
    pub(super) fn log(values: impl Iterator<Item = f64> + Clone, count: usize) -> Self {
        let (least, greatest) = extremes(values).unwrap_or((1.0, 10.0));
        let (low, high) = (least.log10(), greatest.log10());
        let margin = if high - low > 1e-9 {
            0.05 * (high - low)
        } else {
            0.5
        };
        let (low, high) = (low - margin, high + margin);
        let (first, last) = (low.ceil() as i32, high.floor() as i32);
        let count = count.max(2);
        // As text, because computed powers of ten may differ from written ones.
        let mark = |factor: u8, power: i32| format!("{factor}e{power}").parse().unwrap_or(1.0);
        let ticks: Vec<f64> = if last - first >= 2 {
            let step = ((last - first) as usize / count + 1) as i32;
            let powers = (first..=last).filter(|power| power.rem_euclid(step) == 0);
            powers.map(|power| mark(1, power)).collect()
        } else {
            let powers = first - 1..=last;
            let marks = powers.flat_map(|power| [1, 2, 5].map(|factor| mark(factor, power)));
            marks
                .filter(|mark| (low..=high).contains(&mark.log10()))
                .collect()
        };
        let (low, high) = (10f64.powf(low), 10f64.powf(high));
        match ticks.len() {
            // Too short for powers of ten.
            0..3 => Self {
                log: true,
                ..Self::between(low, high, count, false)
            },
            _ => Self {
                low,
                high,
                step: None,
                ticks,
                log: true,
            },
        }
    }

    /// How far along the axis a value lies: 0 at its beginning, 1 at its end.
    pub(super) fn share(&self, value: f64) -> f64 {
        match self.log {
            true => (value / self.low).ln() / (self.high / self.low).ln(),
            false => (value - self.low) / (self.high - self.low),
        }
    }

    /// A tick with as many digits as tell it from its neighbours.
    pub(super) fn name(&self, tick: f64) -> String {
        let Some(step) = self.step else {
            return match (1e-3..1e5).contains(&tick) {
                true => format!("{tick}"),
                false => format!("{tick:e}"),
            };
        };
        // A step computed as 0.001 may lie just below it.
        let magnitude = |value: f64| (value.abs().log10() + 1e-9).floor();
        let largest = self.low.abs().max(self.high.abs());
        if tick == 0.0 {
            "0".into()
        } else if largest < 1e5 && step > 1e-5 {
            format!("{tick:.*}", (-magnitude(step)).max(0.0) as usize)
        } else {
            let digits = (magnitude(tick) - magnitude(step)).max(0.0);
            format!("{tick:.*e}", digits as usize)
        }
    }

    /// The ticks with their names.
    pub(super) fn names(&self) -> impl Iterator<Item = (f64, String)> {
        self.ticks.iter().map(|&tick| (tick, self.name(tick)))
    }
}

fn extremes(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    let least = values.clone().reduce(f64::min);
    least.zip(values.reduce(f64::max))
}

/// What an axis has beyond its least and greatest value, so that no point lies on its edge.
fn margin(least: f64, greatest: f64) -> f64 {
    let largest = least.abs().max(greatest.abs());
    let span = greatest - least;
    // Differences that rounding or underflow would swallow count as none.
    if span > 1e-9 * largest && span > SMALLEST {
        0.05 * span
    } else if largest > SMALLEST {
        0.5 * largest
    } else {
        0.5
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

    /// Marks that are no round numbers, or so few that a value cannot be read.
    #[test]
    fn logarithmic_axes_are_marked_with_powers_of_ten() {
        let axis = |values: &[f64]| Axis::log(values.iter().copied(), 6);
        let rates = axis(&[1e-7, 10.0]);
        assert_eq!(labels(&rates), ["1e-6", "1e-4", "0.01", "1"]);
        assert!((rates.share(1e-3) - 0.5).abs() < 1e-12);
        assert_eq!(labels(&axis(&[0.01, 3.0])), ["0.01", "0.1", "1"]);
        assert_eq!(labels(&axis(&[2.0, 30.0])), ["2", "5", "10", "20"]);
        assert_eq!(labels(&axis(&[2.0, 2.1]))[1], "2.02");
        for values in [
            &[1e-100, 1e100][..],
            &[5.0],
            &[1.0, 1.0 + f64::EPSILON],
            &[],
        ] {
            let axis = axis(values);
            assert!((2..=12).contains(&axis.ticks.len()), "{:?}", axis.ticks);
            for value in values.iter().chain(&axis.ticks) {
                assert!(
                    (-0.01..=1.01).contains(&axis.share(*value)),
                    "{value} of {values:?}"
                );
            }
        }
    }

    /// Bars that float, or stick out of the picture.
    #[test]
    fn axes_of_bars_hold_zero() {
        for values in [
            &[][..],
            &[0.0],
            &[3.0, 8.0],
            &[-3.0],
            &[-1.0, 1e-3],
            &[1e-300],
        ] {
            let axis = Axis::from_zero(values.iter().copied(), 6, false);
            for value in values.iter().chain(&[0.0]) {
                assert!(
                    (axis.low..=axis.high).contains(value),
                    "{value} of {values:?}"
                );
            }
            assert!(axis.low == 0.0 || axis.low < values[0], "{values:?}");
        }
    }
}
