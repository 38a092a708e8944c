//! Changes of images before a network sees them, fixed ones and random ones.
//!
//! What is random is drawn for the images of a batch in order before any is changed, so results depend
//! neither on threads nor on the workers of a loader. Planes are changed as floats: nothing is rounded
//! between two changes.

use std::f64::consts::PI;
use std::sync::Arc;

use gradus_core::compute;
use gradus_core::random::{Generator, with_generator};
use gradus_core::{Error, Kind, Result, Tensor};

/// Planes that a thread takes at a time.
const SHARE: usize = 16;

/// A change of an image, by torchvision's name; lists are applied in order, as `Compose` does. What
/// is beyond the border is black. Sizes are height and width.
///
/// ```
/// use gradus::data::{self, DataLoader, Transform};
/// let train = data::digits()?.train.transforms(&[
///     Transform::Resize([12, 12]),
///     Transform::RandomCrop { size: [10, 10], padding: 1 },
///     Transform::RandomHorizontalFlip { p: 0.5 },
///     Transform::RandomRotation { degrees: 10.0 },
/// ])?;
/// assert_eq!(train.shape(), [1, 10, 10]);
/// // The same batches for any number of workers, others in each epoch.
/// let batch = |epoch, workers| {
///     let loader = DataLoader::new(train.clone(), 32).unwrap().workers(workers);
///     loader.epoch(epoch).next().unwrap()?.0.to_vec::<f32>()
/// };
/// assert_eq!(batch(0, 0)?, batch(0, 2)?);
/// assert_ne!(batch(0, 0)?, batch(1, 0)?);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Transform {
    /// To this size; other proportions distort. Bilinear, and every pixel counts when it shrinks:
    /// torchvision's `Resize` with `antialias=True`.
    Resize([usize; 2]),
    /// The middle of this size, with a black border where the image is smaller.
    CenterCrop([usize; 2]),
    /// A part of this size from anywhere, after `padding` black pixels were added on each side.
    RandomCrop {
        /// Of the part.
        size: [usize; 2],
        /// Pixels on each side.
        padding: usize,
    },
    /// Mirrored left for right, with this probability.
    RandomHorizontalFlip {
        /// 0 to 1; torchvision's default is 0.5.
        p: f64,
    },
    /// Mirrored upside down, with this probability.
    RandomVerticalFlip {
        /// 0 to 1; torchvision's default is 0.5.
        p: f64,
    },
    /// Turned about its middle, by an angle between −`degrees` and `degrees`; bilinear.
    RandomRotation {
        /// Against the clock; all angles of the range are equally likely.
        degrees: f64,
    },
}

impl Transform {
    /// The size that an image of size `from` gets.
    fn size(self, from: [usize; 2]) -> Result<[usize; 2]> {
        let invalid = |what: String| Err(Error::new(Kind::Value, format!("{self:?}: {what}")));
        let size = match self {
            Self::Resize(size) | Self::CenterCrop(size) | Self::RandomCrop { size, .. } => size,
            _ => from,
        };
        // Larger ones than any picture has; the bound keeps sums below from overflowing.
        if size.iter().any(|side| !(1..=1 << 16).contains(side)) {
            return invalid("expected sides from 1 to 65,536".into());
        }
        match self {
            Self::RandomCrop { padding, .. } => {
                let fits = |side: usize, from: usize| {
                    side <= from.saturating_add(padding.saturating_mul(2))
                };
                if padding > 1 << 16 || !fits(size[0], from[0]) || !fits(size[1], from[1]) {
                    return invalid(format!(
                        "does not fit in an image of {from:?} and its padding"
                    ));
                }
            }
            Self::RandomHorizontalFlip { p } | Self::RandomVerticalFlip { p }
                if !(0.0..=1.0).contains(&p) =>
            {
                return invalid("expected a probability from 0 to 1".into());
            }
            Self::RandomRotation { degrees } if !(0.0..=360.0).contains(&degrees) => {
                return invalid("expected 0 to 360 degrees".into());
            }
            _ => {}
        }
        Ok(size)
    }
}

/// Transforms in order, for images of one size.
#[derive(Clone, Debug, Default)]
pub(super) struct Transforms(Vec<Step>);

#[derive(Clone, Debug)]
struct Step {
    transform: Transform,
    from: [usize; 2],
    to: [usize; 2],
    /// For another size: where each row and each column comes from.
    taps: Option<Arc<[Taps; 2]>>,
}

/// What happens to one image.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Resize,
    /// The row and the column of the old image that come to the corner of the new one.
    Window(isize, isize),
    /// Left for right, upside down.
    Flip(bool, bool),
    /// The angle.
    Turn(f64),
}

impl Transforms {
    /// Appends another one, for images that have the size `from` without any; returns the size that
    /// comes out.
    pub fn push(&mut self, transform: Transform, from: [usize; 2]) -> Result<[usize; 2]> {
        let from = self.0.last().map_or(from, |last| last.to);
        let to = transform.size(from)?;
        let taps = matches!(transform, Transform::Resize(_))
            .then(|| Arc::new([0, 1].map(|side| Taps::new(from[side], to[side]))));
        self.0.push(Step {
            transform,
            from,
            to,
            taps,
        });
        Ok(to)
    }

    /// Changes each image of `x`, f32 of shape [n, channels, h, w]. `ground` is what black is in
    /// each channel.
    pub fn apply(&self, x: Tensor, ground: &[f32]) -> Result<Tensor> {
        let Some(last) = self.0.last() else {
            return Ok(x);
        };
        let (n, channels) = (x.shape()[0], ground.len());
        let [height, width] = last.to;
        let changes: Vec<Change> = with_generator(|g| {
            let each = |_| self.0.iter().map(|step| step.draw(g)).collect::<Vec<_>>();
            (0..n).flat_map(each).collect()
        });
        let old = x.to_vec::<f32>()?;
        let mut new = vec![0.0; n * channels * height * width];
        let (planes, size) = (n * channels, height * width);
        compute::fill(&mut new, size * SHARE, |start, out| {
            let (mut plane, mut scratch) = (Vec::new(), Vec::new());
            for (i, out) in (start / size..).zip(out.chunks_exact_mut(size)) {
                let length = old.len() / planes;
                plane.clear();
                plane.extend_from_slice(&old[i * length..(i + 1) * length]);
                let steps = self.0.len();
                let changes = &changes[i / channels * steps..][..steps];
                for (step, &change) in self.0.iter().zip(changes) {
                    step.apply(change, ground[i % channels], &mut plane, &mut scratch);
                }
                out.copy_from_slice(&plane);
            }
        });
        Tensor::from_vec(new, [n, channels, height, width])
    }
}

impl Step {
    fn draw(&self, g: &mut Generator) -> Change {
        let mut hit = |p: f64| g.uniform() >= 1.0 - p;
        match self.transform {
            Transform::Resize(_) => Change::Resize,
            Transform::CenterCrop(_) => {
                let [down, right] = [0, 1].map(|side| middle(self.from[side], self.to[side]));
                Change::Window(down, right)
            }
            Transform::RandomCrop { padding, .. } => {
                let mut corner = |side: usize| match self.from[side] + 2 * padding - self.to[side] {
                    0 => -(padding as isize),
                    n => g.below(n as u64 + 1) as isize - padding as isize,
                };
                Change::Window(corner(0), corner(1))
            }
            Transform::RandomHorizontalFlip { p } => Change::Flip(hit(p), false),
            Transform::RandomVerticalFlip { p } => Change::Flip(false, hit(p)),
            Transform::RandomRotation { degrees } => {
                Change::Turn((2.0 * g.uniform() - 1.0) * degrees * PI / 180.0)
            }
        }
    }

    /// Changes `plane`; what is in `scratch` does not count.
    fn apply(&self, change: Change, ground: f32, plane: &mut Vec<f32>, scratch: &mut Vec<f32>) {
        let ([_, width], [new_height, new_width]) = (self.from, self.to);
        match change {
            Change::Resize => {
                let Some([rows, columns]) = self.taps.as_deref() else {
                    return;
                };
                scratch.clear();
                plane
                    .chunks_exact(width)
                    .for_each(|row| columns.along(row, scratch));
                plane.clear();
                plane.resize(new_height * new_width, 0.0);
                rows.across(scratch, new_width, plane);
                return;
            }
            Change::Flip(across, down) => {
                // Upside down and left for right is all of it backwards.
                if down {
                    plane.reverse();
                }
                if across != down {
                    plane.chunks_exact_mut(width).for_each(<[f32]>::reverse);
                }
                return;
            }
            Change::Window(0, 0) if self.from == self.to => return,
            Change::Window(down, right) => self.window([down, right], ground, plane, scratch),
            Change::Turn(angle) => self.turn(angle, ground, plane, scratch),
        }
        std::mem::swap(plane, scratch);
    }

    fn window(&self, corner: [isize; 2], ground: f32, plane: &[f32], new: &mut Vec<f32>) {
        let ([height, width], [down, right]) = (self.from, corner);
        let inside = |i: usize, offset: isize, size: usize| {
            i.checked_add_signed(offset).filter(|&i| i < size)
        };
        new.clear();
        for y in 0..self.to[0] {
            let row = inside(y, down, height).map(|y| &plane[y * width..(y + 1) * width]);
            new.extend(
                (0..self.to[1]).map(|x| match (row, inside(x, right, width)) {
                    (Some(row), Some(x)) => row[x],
                    _ => ground,
                }),
            );
        }
    }

    fn turn(&self, angle: f64, ground: f32, plane: &[f32], new: &mut Vec<f32>) {
        let [height, width] = self.from;
        let (sin, cos) = (angle.sin() as f32, angle.cos() as f32);
        let [middle_y, middle_x] = self.from.map(|side| (side - 1) as f32 / 2.0);
        let at = |y: isize, x: isize| {
            let place = usize::try_from(y).ok().zip(usize::try_from(x).ok());
            let inside = place.filter(|&(y, x)| y < height && x < width);
            inside.map_or(ground, |(y, x)| plane[y * width + x])
        };
        new.clear();
        for y in 0..height {
            let dy = y as f32 - middle_y;
            new.extend((0..width).map(|x| {
                let dx = x as f32 - middle_x;
                let (y, x) = (
                    sin * dx + cos * dy + middle_y,
                    cos * dx - sin * dy + middle_x,
                );
                let (top, left) = (y.floor(), x.floor());
                let (v, u) = (y - top, x - left);
                let (top, left) = (top as isize, left as isize);
                let upper = at(top, left) * (1.0 - u) + at(top, left + 1) * u;
                let lower = at(top + 1, left) * (1.0 - u) + at(top + 1, left + 1) * u;
                upper * (1.0 - v) + lower * v
            }));
        }
    }
}

/// Where the middle of size `to` begins: torchvision's rounding.
fn middle(from: usize, to: usize) -> isize {
    match from >= to {
        true => ((from - to) as f64 / 2.0).round_ties_even() as isize,
        false => -(((to - from) / 2) as isize),
    }
}

/// What each place of a new row is made of: so many neighbours of the old one with weights.
#[derive(Debug)]
struct Taps {
    count: usize,
    starts: Vec<usize>,
    /// `count` of each place.
    weights: Vec<f32>,
}

impl Taps {
    /// Triangles about the places in the old row, as wide as a new pixel is there, at least one old
    /// one to each side.
    fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let reach = scale.max(1.0);
        let place = |i: usize| (i as f64 + 0.5) * scale;
        let range = |i: usize| {
            let start = (place(i) - reach + 0.5).max(0.0) as usize;
            let end = ((place(i) + reach + 0.5) as usize).min(from);
            start..end
        };
        let count = (0..to).map(|i| range(i).len()).max().unwrap_or(1);
        let starts: Vec<usize> = (0..to).map(|i| range(i).start.min(from - count)).collect();
        let mut weights = Vec::with_capacity(to * count);
        for (i, &start) in starts.iter().enumerate() {
            let weight = |j: usize| (1.0 - ((j as f64 + 0.5) - place(i)).abs() / reach).max(0.0);
            let sum: f64 = (start..start + count).map(weight).sum();
            weights.extend((start..start + count).map(|j| (weight(j) / sum) as f32));
        }
        Self {
            count,
            starts,
            weights,
        }
    }

    /// Appends the new row of `row`.
    fn along(&self, row: &[f32], new: &mut Vec<f32>) {
        // Whatever grows has two.
        if self.count == 2 {
            let (weights, _) = self.weights.as_chunks::<2>();
            let taps = self.starts.iter().zip(weights);
            new.extend(taps.map(|(&i, [a, b])| a * row[i] + b * row[i + 1]));
            return;
        }
        let taps = self
            .starts
            .iter()
            .zip(self.weights.chunks_exact(self.count));
        new.extend(taps.map(|(&start, weights)| {
            let old = &row[start..start + weights.len()];
            old.iter().zip(weights).map(|(x, w)| x * w).sum::<f32>()
        }));
    }

    /// Adds up the new rows of rows of this width.
    fn across(&self, rows: &[f32], width: usize, new: &mut [f32]) {
        let taps = self
            .starts
            .iter()
            .zip(self.weights.chunks_exact(self.count));
        for ((&start, weights), new) in taps.zip(new.chunks_exact_mut(width)) {
            let old = rows[start * width..].chunks_exact(width);
            for (old, &weight) in old.zip(weights) {
                for (new, old) in new.iter_mut().zip(old) {
                    *new += weight * old;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{self, DataLoader};
    use gradus_core::random::scoped;

    /// An image of rows of this width after the change that the transform makes or draws.
    fn changed(
        transform: Transform,
        change: Option<Change>,
        plane: &[f32],
        width: usize,
    ) -> Vec<f32> {
        let mut transforms = Transforms::default();
        transforms
            .push(transform, [plane.len() / width, width])
            .unwrap();
        let step = &transforms.0[0];
        let mut plane = plane.to_vec();
        let change = change.unwrap_or_else(|| step.draw(&mut Generator::new(0)));
        step.apply(change, -1.0, &mut plane, &mut vec![9.0; 3]);
        plane
    }

    #[track_caller]
    fn close(found: &[f32], expected: &[f32]) {
        assert_eq!(found.len(), expected.len());
        let near = found
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near, "{found:?} is not {expected:?}");
    }

    /// Places counted from corners instead of middles, or pixels that are left out.
    #[test]
    fn other_sizes_are_worked_out_by_hand() {
        let resize = |plane: &[f32], width, to| changed(Transform::Resize(to), None, plane, width);
        close(&resize(&[0.0, 1.0], 2, [1, 4]), &[0.0, 0.25, 0.75, 1.0]);
        close(&resize(&[0.0, 1.0], 1, [4, 1]), &[0.0, 0.25, 0.75, 1.0]);
        // Weights of ¾, ¾ and ¼ over their sum.
        let part = 1.25 / 1.75;
        close(
            &resize(&[0.0, 1.0, 2.0, 3.0], 4, [1, 2]),
            &[part, 3.0 - part],
        );
        close(&resize(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 3, [1, 1]), &[2.5]);
        let same = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0];
        close(&resize(&same, 3, [2, 3]), &same);
        close(&resize(&[7.0; 30], 5, [13, 11]), &[7.0; 143]);
    }

    /// Rows for columns, or a mirror upside down.
    #[test]
    fn parts_are_taken_from_where_they_are_asked_for() {
        let image = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let crop = |size, padding, down, right| {
            let change = Change::Window(down, right);
            changed(
                Transform::RandomCrop { size, padding },
                Some(change),
                &image,
                3,
            )
        };
        close(&crop([2, 3], 0, 0, 0), &image);
        close(&crop([2, 3], 1, 1, 0), &[4.0, 5.0, 6.0, -1.0, -1.0, -1.0]);
        close(&crop([2, 3], 1, 0, -1), &[-1.0, 1.0, 2.0, -1.0, 4.0, 5.0]);
        close(&crop([1, 2], 0, 1, 1), &[5.0, 6.0]);
        let flip = |across, down| {
            let change = Change::Flip(across, down);
            changed(
                Transform::RandomVerticalFlip { p: 1.0 },
                Some(change),
                &image,
                3,
            )
        };
        close(&flip(true, false), &[3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
        close(&flip(false, true), &[4.0, 5.0, 6.0, 1.0, 2.0, 3.0]);
        close(&flip(true, true), &[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]);
        let center = |size| changed(Transform::CenterCrop(size), None, &image, 3);
        close(&center([2, 1]), &[2.0, 5.0]);
        close(&center([1, 5]), &[-1.0, 1.0, 2.0, 3.0, -1.0]);
        // Python's rounding of a half.
        assert_eq!([middle(3, 2), middle(5, 2), middle(2, 5)], [0, 2, -1]);
    }

    /// The other way round, or about a corner.
    #[test]
    fn turns_go_against_the_clock() {
        let turn = |degrees: f64, plane: &[f32], width| {
            let change = Change::Turn(degrees * PI / 180.0);
            changed(
                Transform::RandomRotation { degrees },
                Some(change),
                plane,
                width,
            )
        };
        close(&turn(0.0, &[1.0, 2.0, 3.0, 4.0], 2), &[1.0, 2.0, 3.0, 4.0]);
        close(&turn(90.0, &[1.0, 2.0, 3.0, 4.0], 2), &[2.0, 4.0, 1.0, 3.0]);
        close(
            &turn(180.0, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3),
            &[6.0, 5.0, 4.0, 3.0, 2.0, 1.0],
        );
        // The corner comes from √½ above the middle, so between the upper row and the ground, −1.
        let above = 0.5f32.sqrt() - 0.5;
        let expected = 4.0 * (1.0 - above) - above;
        let corner = turn(45.0, &[4.0; 4], 2)[0];
        assert!(
            (corner - expected).abs() < 1e-5,
            "{corner} is not {expected}"
        );
    }

    /// A place that is never drawn, or channels that are changed differently.
    #[test]
    fn every_change_occurs_and_channels_move_together() {
        let mut transforms = Transforms::default();
        let crop = Transform::RandomCrop {
            size: [3, 3],
            padding: 1,
        };
        for transform in [crop, Transform::RandomHorizontalFlip { p: 0.5 }] {
            transforms.push(transform, [3, 3]).unwrap();
        }
        let image: Vec<f32> = (1..=9).map(|i| i as f32).collect();
        let both: Vec<f32> = image.iter().chain(&image).copied().collect();
        let x = Tensor::from_vec(both.repeat(500), [500, 2, 3, 3]).unwrap();
        let apply = |seed| {
            let new = scoped(Generator::new(seed), || {
                transforms.apply(x.clone(), &[0.0, 0.0])
            });
            new.unwrap().to_vec::<f32>().unwrap()
        };
        let new = apply(0);
        assert_eq!(new, apply(0));
        assert_ne!(new, apply(1));
        let mut seen: Vec<Vec<u8>> = Vec::new();
        for pair in new.chunks_exact(18) {
            let (a, b) = pair.split_at(9);
            assert_eq!(a, b);
            seen.push(a.iter().map(|&x| x as u8).collect());
        }
        seen.sort();
        seen.dedup();
        // Nine places, mirrored or not.
        assert_eq!(seen.len(), 18);
        // Nothing is made up.
        assert!(seen.iter().flatten().all(|&x| x <= 9));
    }

    /// Pictures that depend on how many threads make them, or are the same in every epoch.
    #[test]
    fn workers_change_nothing() {
        let train = data::digits().unwrap().train;
        let all = [
            Transform::Resize([12, 11]),
            Transform::RandomCrop {
                size: [10, 10],
                padding: 2,
            },
            Transform::RandomHorizontalFlip { p: 0.3 },
            Transform::RandomVerticalFlip { p: 0.3 },
            Transform::RandomRotation { degrees: 30.0 },
            Transform::CenterCrop([9, 8]),
        ];
        let train = train.transforms(&all).unwrap();
        let read = |epoch, workers| {
            let loader = DataLoader::new(train.clone(), 100)
                .unwrap()
                .shuffle(1)
                .workers(workers);
            let bits = |(x, _): (Tensor, Tensor)| {
                assert_eq!(x.shape()[1..], [1, 9, 8]);
                x.to_vec::<f32>()
                    .unwrap()
                    .into_iter()
                    .map(f32::to_bits)
                    .collect::<Vec<_>>()
            };
            loader
                .epoch(epoch)
                .map(|batch| bits(batch.unwrap()))
                .collect::<Vec<_>>()
        };
        let first = read(0, 0);
        assert_eq!((read(0, 1), read(0, 3)), (first.clone(), first.clone()));
        assert_ne!(read(1, 0), first);
    }

    /// A panic in the middle of an epoch.
    #[test]
    fn senseless_transforms_are_refused() {
        for transform in [
            Transform::Resize([0, 3]),
            Transform::CenterCrop([3, 1 << 20]),
            Transform::RandomCrop {
                size: [6, 3],
                padding: 1,
            },
            Transform::RandomCrop {
                size: [1, 1],
                padding: usize::MAX,
            },
            Transform::RandomHorizontalFlip { p: 1.5 },
            Transform::RandomVerticalFlip { p: f64::NAN },
            Transform::RandomRotation { degrees: -1.0 },
        ] {
            let error = Transforms::default().push(transform, [3, 3]).unwrap_err();
            assert_eq!(error.kind(), Kind::Value, "{error}");
        }
        let mut transforms = Transforms::default();
        assert_eq!(
            transforms.push(Transform::Resize([5, 7]), [3, 3]).unwrap(),
            [5, 7]
        );
        let crop = Transform::RandomCrop {
            size: [5, 6],
            padding: 0,
        };
        assert_eq!(transforms.push(crop, [3, 3]).unwrap(), [5, 6]);
    }
}
