//! Labelled images, kept as the bytes they were read as.

use std::sync::Arc;

use gradus_core::{DType, Error, Kind, Result, Tensor};

use super::dataset::{Dataset, in_range};
use super::transform::{Transform, Transforms};

/// Images of one size, grey or with several channels (red, green and blue), each with a class label.
///
/// The images stay bytes: the 60,000 of MNIST take 47 MB instead of the 188 MB of f32. A batch is
/// gathered and converted in one pass: a pixel x becomes x · scale + shift, by default x · (1/255), so
/// that inputs lie in 0…1. Inputs have shape \[batch, channels, h, w\] (f32), targets \[batch\] (i64).
/// Clones share the images.
#[derive(Clone, Debug)]
pub struct ImageDataset {
    /// u8, [n, channels, h, w].
    images: Tensor,
    labels: Arc<[i64]>,
    classes: Arc<[String]>,
    /// Scale and shift of each channel.
    affine: Vec<(f64, f64)>,
    transforms: Transforms,
    /// Of an input: channels, height, width.
    shape: [usize; 3],
}

impl ImageDataset {
    /// Images of shape \[n, h, w\] or \[n, channels, h, w\] (u8), a label for each, and the names of
    /// the classes in the order of the labels.
    ///
    /// # Errors
    /// If the images are not u8 of three or four dimensions, there are none or they have no pixels,
    /// there are not as many labels as images, or a label has no class.
    ///
    /// ```
    /// use gradus::{DType, Tensor, data::{Dataset, ImageDataset}};
    /// let images = Tensor::full([2, 3, 4], 255.0, DType::U8)?;
    /// let set = ImageDataset::new(images, [1, 0], ["cat", "dog"])?;
    /// let (x, y) = set.batch(&[0, 1, 0])?;
    /// assert_eq!((x.shape(), y.to_vec::<i64>()?), (&[3, 1, 3, 4][..], vec![1, 0, 1]));
    /// assert_eq!(x.amin(..)?.item::<f32>()?, 1.0);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn new<S: Into<String>>(
        images: Tensor,
        labels: impl Into<Vec<i64>>,
        classes: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let labels = labels.into();
        let classes: Arc<[String]> = classes.into_iter().map(Into::into).collect();
        let given = images.shape().to_vec();
        let images = match given.len() {
            3 => images.unsqueeze(1)?,
            4 => images,
            _ => {
                return Err(data(format!(
                    "expected images of 3 dimensions (number, height, width) or 4 (number, \
                     channels, height, width), got shape {given:?}"
                )));
            }
        };
        let &[n, channels, height, width] = images.shape() else {
            return Err(data(format!("expected images, got shape {given:?}")));
        };
        if images.dtype() != DType::U8 {
            let message = format!("expected images of dtype uint8, got {}", images.dtype());
            return Err(Error::new(Kind::DType, message));
        }
        if images.numel() == 0 {
            let message =
                format!("expected at least one image of at least one pixel, got shape {given:?}");
            return Err(data(message));
        }
        if labels.len() != n {
            return Err(data(format!(
                "{n} images but {} labels: every image needs one",
                labels.len()
            )));
        }
        let has_class = |label: i64| usize::try_from(label).is_ok_and(|c| c < classes.len());
        if let Some(i) = labels.iter().position(|&label| !has_class(label)) {
            return Err(data(format!(
                "label {} of image {i} is none of the {} classes, which are numbered from 0",
                labels[i],
                classes.len()
            )));
        }
        Ok(Self {
            // Contiguous, or every batch would copy the whole set first.
            images: images.contiguous()?,
            labels: labels.into(),
            classes,
            affine: vec![(1.0 / 255.0, 0.0); channels],
            transforms: Transforms::default(),
            shape: [channels, height, width],
        })
    }

    /// The same images with pixels from 0 to `white` instead of 0 to 255: an input is
    /// x / `white`. The largest pixel is not looked for, because the images to train on and those
    /// to test on must be converted alike.
    ///
    /// # Errors
    /// If `white` is 0.
    ///
    /// ```
    /// # use gradus::{DType, Tensor, data::{Dataset, ImageDataset}};
    /// let images = Tensor::full([1, 8, 8], 4.0, DType::U8)?;
    /// let set = ImageDataset::new(images, [0], ["grey"])?.white(16)?;
    /// assert_eq!(set.get(0)?.0.amax(..)?.item::<f32>()?, 0.25);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn white(mut self, white: u8) -> Result<Self> {
        if white == 0 {
            let message = "white: the largest pixel must be at least 1, got 0";
            return Err(Error::new(Kind::Value, message));
        }
        self.affine.fill((1.0 / f64::from(white), 0.0));
        Ok(self)
    }

    /// The same images with an input x replaced by (x − `mean`) / `std`, as torchvision's
    /// `Normalize` does. Use the figures of the training images for the test images too.
    ///
    /// # Errors
    /// If `mean` is not finite, or `std` is not a finite number above 0.
    ///
    /// ```
    /// # use gradus::data;
    /// let digits = data::digits()?;
    /// let (mean, std) = digits.train.mean_std()?;
    /// let train = digits.train.normalize(mean, std)?;
    /// let test = digits.test.normalize(mean, std)?;
    /// let (mean, std) = train.mean_std()?;
    /// assert!(mean.abs() < 1e-9 && (std - 1.0).abs() < 1e-9);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn normalize(self, mean: f64, std: f64) -> Result<Self> {
        let channels = self.affine.len();
        self.normalize_channels(&vec![(mean, std); channels])
    }

    /// As [`normalize`](ImageDataset::normalize), with a mean and a standard deviation for each
    /// channel.
    ///
    /// # Errors
    /// If there are not as many pairs as channels, a mean is not finite, or a standard deviation is
    /// not a finite number above 0.
    ///
    /// ```
    /// # use gradus::{Tensor, data::{Dataset, ImageDataset}};
    /// let pixels = Tensor::from_vec(vec![0u8, 255, 255, 255, 0, 0], [2, 3, 1, 1])?;
    /// let set = ImageDataset::new(pixels, [0, 0], ["pixel"])?;
    /// let statistics = set.channel_mean_std()?;
    /// assert_eq!(statistics, [(0.5, 0.5); 3]);
    /// let x = set.normalize_channels(&statistics)?.get(0)?.0;
    /// assert_eq!(x.to_vec::<f32>()?, [-1.0, 1.0, 1.0]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn normalize_channels(mut self, mean_std: &[(f64, f64)]) -> Result<Self> {
        if mean_std.len() != self.affine.len() {
            let message = format!(
                "normalize_channels: got {} pairs of mean and std for images of {} channels",
                mean_std.len(),
                self.affine.len()
            );
            return Err(Error::new(Kind::Value, message));
        }
        for ((scale, shift), &(mean, std)) in self.affine.iter_mut().zip(mean_std) {
            if !mean.is_finite() || !std.is_finite() || std <= 0.0 {
                let message = format!(
                    "normalize: expected a finite mean and a finite std above 0, got {mean} and {std}"
                );
                return Err(Error::new(Kind::Value, message));
            }
            *scale /= std;
            *shift = (*shift - mean) / std;
        }
        Ok(self)
    }

    /// The same images changed whenever they are read, in this order and after earlier transforms;
    /// random ones are for training alone. What they draw follows from the random numbers of this
    /// thread, which a [`DataLoader`](super::DataLoader) sets by seed, epoch and batch.
    ///
    /// Inputs are normalised at any place in the order: what is linear in the pixels comes to the
    /// same.
    ///
    /// # Errors
    /// If a size is 0 or too large, a part does not fit into its image, or a probability or an angle
    /// is out of range.
    ///
    /// ```
    /// use gradus::data::{self, Dataset, Transform};
    /// let train = data::digits()?.train.transforms(&[Transform::Resize([32, 32])])?;
    /// assert_eq!(train.batch(&[0, 1])?.0.shape(), [2, 1, 32, 32]);
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn transforms(mut self, transforms: &[Transform]) -> Result<Self> {
        let [channels, height, width] = self.shape;
        for &transform in transforms {
            let [height, width] = self.transforms.push(transform, [height, width])?;
            self.shape = [channels, height, width];
        }
        Ok(self)
    }

    /// The mean and the standard deviation over all pixels of all images, as inputs: after
    /// [`white`](ImageDataset::white) and [`normalize`](ImageDataset::normalize).
    ///
    /// # Errors
    /// If there is no memory for a copy of the images.
    ///
    /// ```
    /// # use gradus::data;
    /// let (mean, std) = data::digits()?.train.mean_std()?;
    /// assert_eq!(format!("{mean:.4} {std:.4}"), "0.3051 0.3759");
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn mean_std(&self) -> Result<(f64, f64)> {
        Ok(moments(&self.histograms()?.concat()))
    }

    /// [`mean_std`](ImageDataset::mean_std) of each channel.
    ///
    /// # Errors
    /// If there is no memory for a copy of the images.
    pub fn channel_mean_std(&self) -> Result<Vec<(f64, f64)>> {
        Ok(self.histograms()?.iter().map(|h| moments(h)).collect())
    }

    /// For each channel every input that a pixel can become, and how many do.
    fn histograms(&self) -> Result<Vec<Vec<(f64, u64)>>> {
        let mut counts = vec![[0u64; 256]; self.affine.len()];
        let bytes = self.images.to_vec::<u8>()?;
        let pixels: usize = self.images.shape()[2..].iter().product();
        for image in bytes.chunks_exact(pixels * counts.len()) {
            for (counts, channel) in counts.iter_mut().zip(image.chunks_exact(pixels)) {
                for &pixel in channel {
                    counts[usize::from(pixel)] += 1;
                }
            }
        }
        let inputs = counts
            .iter()
            .zip(&self.affine)
            .map(|(counts, (scale, shift))| {
                let input = |pixel| f64::from(pixel) * scale + shift;
                counts
                    .iter()
                    .zip(0..)
                    .map(|(&n, pixel)| (input(pixel), n))
                    .collect()
            });
        Ok(inputs.collect())
    }

    /// The shape of one input, after all transforms: \[channels, h, w\].
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The images as they are kept: u8, of shape \[n, channels, h, w\].
    pub fn images(&self) -> &Tensor {
        &self.images
    }

    /// The class of every image, as a position in [`classes`](ImageDataset::classes).
    pub fn labels(&self) -> &[i64] {
        &self.labels
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }
}

impl Dataset for ImageDataset {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn get(&self, index: usize) -> Result<(Tensor, Tensor)> {
        let (x, y) = self.batch(&[index])?;
        Ok((x.select(0, 0)?, y.select(0, 0)?))
    }

    fn batch(&self, indices: &[usize]) -> Result<(Tensor, Tensor)> {
        let labels = indices
            .iter()
            .map(|&index| Ok(self.labels[in_range(index, self.len())?]))
            .collect::<Result<Vec<_>>>()?;
        let affine: Vec<_> = (self.affine.iter())
            .map(|&(scale, shift)| (scale as f32, shift as f32))
            .collect();
        let x = self.images.index_select_scaled(indices, &affine)?;
        // What lies beyond the border is black.
        let ground: Vec<f32> = affine.iter().map(|a| a.1).collect();
        Ok((
            self.transforms.apply(x, &ground)?,
            Tensor::from_vec(labels, [indices.len()])?,
        ))
    }
}

/// Mean and standard deviation of values that occur so many times.
fn moments(values: &[(f64, u64)]) -> (f64, f64) {
    let n: u64 = values.iter().map(|v| v.1).sum();
    let mean_of = |f: &dyn Fn(f64) -> f64| {
        let sum: f64 = values.iter().map(|&(x, n)| n as f64 * f(x)).sum();
        sum / n as f64
    };
    let mean = mean_of(&|x| x);
    (mean, mean_of(&|x| (x - mean).powi(2)).sqrt())
}

fn data(message: impl Into<String>) -> Error {
    Error::new(Kind::Data, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// n images of 2×3 pixels: image i holds 6i, 6i + 1, …
    fn images(n: usize) -> Tensor {
        let bytes: Vec<u8> = (0..6 * n).map(|i| i as u8).collect();
        Tensor::from_vec(bytes, [n, 2, 3]).unwrap()
    }

    #[test]
    fn a_sample_is_an_image_and_its_label() {
        let set = ImageDataset::new(images(3), [2, 0, 1], ["a", "b", "c"]).unwrap();
        assert_eq!((set.len(), set.shape()), (3, &[1, 2, 3][..]));
        assert_eq!(
            (set.labels(), set.classes()[2].as_str()),
            (&[2, 0, 1][..], "c")
        );
        let (x, y) = set.get(1).unwrap();
        assert_eq!((x.shape(), x.dtype()), (&[1, 2, 3][..], DType::F32));
        let expected = [6, 7, 8, 9, 10, 11].map(|x| x as f32 * (1.0 / 255.0));
        assert_eq!(x.to_vec::<f32>().unwrap(), expected);
        assert_eq!((y.shape(), y.item::<i64>().unwrap()), (&[][..], 0));
        assert_eq!(set.get(3).unwrap_err().kind(), Kind::Index);
    }

    /// Pixels in the wrong place because a view was taken for what lies in memory.
    #[test]
    fn a_view_is_read_as_what_it_shows() {
        let turned = images(3).transpose(1, 2).unwrap().contiguous().unwrap();
        let view = turned.transpose(1, 2).unwrap();
        let [from_view, plain] = [view, images(3)].map(|images| {
            let set = ImageDataset::new(images, [0, 0, 0], ["a"]).unwrap();
            set.batch(&[2, 0]).unwrap().0.to_vec::<f32>().unwrap()
        });
        assert_eq!(from_view, plain);
    }

    #[test]
    fn normalized_inputs_are_standardised_scaled_ones() {
        let set = ImageDataset::new(images(2), [0, 0], ["a"]).unwrap();
        let set = set.white(11).unwrap();
        let (mean, std) = set.mean_std().unwrap();
        assert!((mean - 0.5).abs() < 1e-12, "{mean}");
        // The variance of 0, 1, …, n − 1 is (n² − 1) / 12.
        assert!(
            (std - (143.0f64 / 12.0).sqrt() / 11.0).abs() < 1e-12,
            "{std}"
        );
        let input = set.normalize(0.5, 0.25).unwrap().get(1).unwrap().0;
        let last = input.to_vec::<f32>().unwrap()[5];
        assert!((last - 2.0).abs() < 1e-6, "{last}");
    }

    /// A mistake that would show only as a bad network.
    #[test]
    fn each_mistake_is_named() {
        let new = |images: Tensor, labels: &[i64]| {
            let set = ImageDataset::new(images, labels, ["a", "b"]);
            set.unwrap_err().to_string()
        };
        let empty = Tensor::full([0, 2, 3], 0.0, DType::U8).unwrap();
        let flat = images(2).reshape([2, 6]).unwrap();
        for (found, expected) in [
            (new(flat, &[0, 0]), "got shape [2, 6]"),
            (new(empty, &[]), "at least one image"),
            (new(Tensor::zeros([1, 2, 3]), &[0]), "got float32"),
            (new(images(2), &[0]), "2 images but 1 labels"),
            (
                new(images(2), &[1, 2]),
                "label 2 of image 1 is none of the 2 classes",
            ),
            (new(images(2), &[-1, 0]), "label -1 of image 0"),
        ] {
            assert!(found.contains(expected), "{found:?} lacks {expected:?}");
        }
        let set = ImageDataset::new(images(1), [0], ["a"]).unwrap();
        assert!(set.clone().white(0).is_err());
        for (mean, std) in [
            (0.0, 0.0),
            (0.0, -1.0),
            (f64::NAN, 1.0),
            (0.0, f64::INFINITY),
        ] {
            assert!(set.clone().normalize(mean, std).is_err());
        }
    }
}
