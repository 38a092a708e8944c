//! Random changes of images that leave their meaning.

use gradus_core::random::{Generator, with_generator};
use gradus_core::{Result, Tensor};

/// How images are changed at random before a network sees them, each anew in every epoch, so that it
/// learns what does not matter. The default changes nothing.
///
/// The two changes are those that He et al. (2016) train on CIFAR-10 with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Augment {
    /// The image gets so many black pixels on each side, and of that a part of the old size is taken
    /// anywhere: PyTorch's `RandomCrop(size, padding)`.
    pub crop_padding: usize,
    /// Half of the images are mirrored, left for right.
    pub flip: bool,
}

impl Augment {
    /// Changes each image of `x`, f32 of shape [n, channels, h, w]. `ground` is what black is in
    /// each channel.
    pub(super) fn apply(self, x: Tensor, ground: &[f32]) -> Result<Tensor> {
        if self == Self::default() || x.numel() == 0 {
            return Ok(x);
        }
        let &[_, channels, height, width] = x.shape() else {
            return Ok(x); // Images have four dimensions.
        };
        let old = x.to_vec::<f32>()?;
        let mut new = Vec::with_capacity(old.len());
        for image in old.chunks_exact(channels * height * width) {
            let change = with_generator(|g| self.draw(g));
            for (plane, &ground) in image.chunks_exact(height * width).zip(ground) {
                change.apply(plane, [height, width], ground, &mut new);
            }
        }
        Tensor::from_vec(new, x.shape())
    }

    fn draw(self, g: &mut Generator) -> Change {
        // More than any image has; the bound keeps the sums below from overflowing.
        let padding = self.crop_padding.min(i32::MAX as usize);
        let mut offset = || match padding {
            0 => 0,
            n => g.below(2 * n as u64 + 1) as isize - n as isize,
        };
        Change {
            down: offset(),
            right: offset(),
            flip: self.flip && g.below(2) == 1,
        }
    }
}

/// The change of one image.
struct Change {
    /// The row and the column of the old image that come to the corner of the new one.
    down: isize,
    right: isize,
    flip: bool,
}

impl Change {
    /// Appends the changed `plane` to `new`.
    fn apply(&self, plane: &[f32], [height, width]: [usize; 2], ground: f32, new: &mut Vec<f32>) {
        let inside = |i: usize, offset: isize, size: usize| {
            i.checked_add_signed(offset).filter(|&i| i < size)
        };
        for y in 0..height {
            let row = inside(y, self.down, height).map(|y| &plane[y * width..(y + 1) * width]);
            let start = new.len();
            new.extend(
                (0..width).map(|x| match (row, inside(x, self.right, width)) {
                    (Some(row), Some(x)) => row[x],
                    _ => ground,
                }),
            );
            if self.flip {
                new[start..].reverse();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_core::random::scoped;

    /// 1 … 6 in rows of 3.
    fn change(down: isize, right: isize, flip: bool) -> Vec<f32> {
        let plane = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut new = Vec::new();
        let change = Change { down, right, flip };
        change.apply(&plane, [2, 3], 0.0, &mut new);
        new
    }

    /// Rows for columns, or a mirror upside down.
    #[test]
    fn parts_are_taken_from_where_they_are_asked_for() {
        assert_eq!(change(0, 0, false), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(change(0, 0, true), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
        assert_eq!(change(1, 0, false), [4.0, 5.0, 6.0, 0.0, 0.0, 0.0]);
        assert_eq!(change(0, -1, false), [0.0, 1.0, 2.0, 0.0, 4.0, 5.0]);
        assert_eq!(change(-1, 2, true), [0.0, 0.0, 0.0, 0.0, 0.0, 3.0]);
        assert_eq!(change(9, 9, false), [0.0; 6]);
    }

    /// A place that is never drawn, or channels that are changed differently.
    #[test]
    fn every_change_occurs_and_channels_move_together() {
        let augment = Augment {
            crop_padding: 1,
            flip: true,
        };
        let image: Vec<f32> = (1..=9).map(|i| i as f32).collect();
        let both: Vec<f32> = image.iter().chain(&image).copied().collect();
        let x = Tensor::from_vec(both.repeat(500), [500, 2, 3, 3]).unwrap();
        let apply = |seed| {
            let new = scoped(Generator::new(seed), || {
                augment.apply(x.clone(), &[0.0, 0.0])
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
}
