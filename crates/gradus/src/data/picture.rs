//! PNG and JPEG files.

use std::fmt::Display;
use std::io::Cursor;
use std::path::Path;

use gradus_core::{DType, Error, Kind, Result, Tensor};
use image::imageops::{self, FilterType};
use image::{ImageBuffer, ImageReader, Limits, Pixel};

/// Larger pictures are refused before memory is asked for them.
const MAX_SIDE: u32 = 16_384;
const MAX_BYTES: u64 = 256 << 20;

/// A picture as bytes: grey, or red, green and blue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Rows.
    pub height: usize,
    /// Pixels of a row.
    pub width: usize,
    /// 1 for grey, 3 for colours.
    pub channels: usize,
    /// Row by row, pixel by pixel, the channels of a pixel side by side.
    pub bytes: Vec<u8>,
}

impl Picture {
    /// Reads the PNG or JPEG file at `path`; what it is is told by its first bytes, not by its name.
    ///
    /// # Errors
    /// [`Kind::Io`] when the file cannot be read, otherwise as [`decode`](Picture::decode).
    pub fn open(path: &Path, channels: usize) -> Result<Self> {
        Self::decode(&std::fs::read(path)?, channels)
    }

    /// The picture that a PNG or JPEG file holds, turned into grey (1 channel) or colours (3), on
    /// white where it is transparent.
    ///
    /// # Errors
    /// [`Kind::Data`] when the file is neither, is damaged, or has more than 16,384 pixels on a
    /// side; [`Kind::Value`] for another number of channels.
    ///
    /// ```
    /// use gradus::data::Picture;
    /// let error = Picture::decode(b"not a picture", 3).unwrap_err();
    /// assert_eq!(error.kind(), gradus::Kind::Data);
    /// ```
    pub fn decode(file: &[u8], channels: usize) -> Result<Self> {
        let mut reader = ImageReader::new(Cursor::new(file))
            .with_guessed_format()
            .map_err(broken)?;
        if reader.format().is_none() {
            return Err(broken("neither PNG nor JPEG"));
        }
        let mut limits = Limits::default();
        limits.max_image_width = Some(MAX_SIDE);
        limits.max_image_height = Some(MAX_SIDE);
        limits.max_alloc = Some(MAX_BYTES);
        reader.limits(limits);
        let image = reader.decode().map_err(broken)?;
        match channels {
            1 => Ok(Self::on_white(&image.into_luma_alpha8(), 1)),
            3 => Ok(Self::on_white(&image.into_rgba8(), 3)),
            n => {
                let message = format!("a picture has 1 channel (grey) or 3 (colours), not {n}");
                Err(Error::new(Kind::Value, message))
            }
        }
    }

    /// Leaves the last channel, the opacity, out.
    fn on_white<P>(image: &ImageBuffer<P, Vec<u8>>, channels: usize) -> Self
    where
        P: Pixel<Subpixel = u8>,
    {
        let mut bytes = Vec::with_capacity(channels * image.len() / (channels + 1));
        for pixel in image.as_raw().chunks_exact(channels + 1) {
            let alpha = u32::from(pixel[channels]);
            let blend = |&x| ((u32::from(x) * alpha + 255 * (255 - alpha)) / 255) as u8;
            bytes.extend(pixel[..channels].iter().map(blend));
        }
        Self {
            height: image.height() as usize,
            width: image.width() as usize,
            channels,
            bytes,
        }
    }

    /// The middle of the picture, of this size or the picture's own where that is smaller.
    ///
    /// ```
    /// use gradus::data::Picture;
    /// let picture = Picture { height: 1, width: 4, channels: 1, bytes: vec![1, 2, 3, 4] };
    /// assert_eq!(picture.cropped(5, 2).bytes, [2, 3]);
    /// ```
    #[must_use]
    pub fn cropped(&self, height: usize, width: usize) -> Self {
        let (height, width) = (height.min(self.height), width.min(self.width));
        let (top, left) = ((self.height - height) / 2, (self.width - width) / 2);
        let rows = self.bytes.chunks_exact((self.width * self.channels).max(1));
        let part = left * self.channels..(left + width) * self.channels;
        Self {
            height,
            width,
            channels: self.channels,
            bytes: (rows.skip(top).take(height))
                .flat_map(|row| row[part.clone()].iter().copied())
                .collect(),
        }
    }

    /// The picture in another size; other proportions distort it. Every pixel counts when it
    /// shrinks.
    ///
    /// # Errors
    /// [`Kind::Value`] for a size of 0 or more than 16,384, or for `bytes` that are not as many as
    /// the sizes say.
    ///
    /// ```
    /// use gradus::data::Picture;
    /// let picture = Picture { height: 1, width: 2, channels: 3, bytes: vec![7; 6] };
    /// let large = picture.resized(4, 4)?;
    /// assert_eq!((large.height, large.width, large.bytes), (4, 4, vec![7; 48]));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn resized(self, height: usize, width: usize) -> Result<Self> {
        if [height, width] == [self.height, self.width] {
            return Ok(self);
        }
        let sides = 1..=MAX_SIDE as usize;
        if ![height, width].iter().all(|side| sides.contains(side)) {
            let message =
                format!("a picture of {width}×{height} pixels; a side has 1 to {MAX_SIDE}");
            return Err(Error::new(Kind::Value, message));
        }
        let size = [height as u32, width as u32];
        let resized = match self.channels {
            1 => self.resample::<image::Luma<u8>>(size),
            3 => self.resample::<image::Rgb<u8>>(size),
            _ => None,
        };
        resized.ok_or_else(|| {
            let message = "the bytes of a picture are not as many as its sizes say";
            Error::new(Kind::Value, message)
        })
    }

    fn resample<P>(self, [height, width]: [u32; 2]) -> Option<Self>
    where
        P: Pixel<Subpixel = u8> + 'static,
    {
        let channels = self.channels;
        let sizes = [self.width, self.height].map(|n| u32::try_from(n).unwrap_or(0));
        let image = ImageBuffer::<P, _>::from_raw(sizes[0], sizes[1], self.bytes)?;
        let image = imageops::resize(&image, width, height, FilterType::Triangle);
        Some(Self {
            height: height as usize,
            width: width as usize,
            channels,
            bytes: image.into_raw(),
        })
    }

    /// The picture of numbers, a tensor of shape [height, width] or [channels, height, width]: black
    /// for the least and white for the greatest of them, or for the ends of `range`. One that is
    /// the same everywhere is grey.
    ///
    /// # Errors
    /// [`Kind::Value`] for another shape, other than 1 or 3 channels, and numbers that are not
    /// finite.
    ///
    /// ```
    /// use gradus::{Tensor, data::Picture};
    /// let picture = Picture::from_tensor(&Tensor::from([[-1.0, 0.0, 1.0]]), None)?;
    /// assert_eq!((picture.height, picture.width, picture.bytes), (1, 3, vec![0, 128, 255]));
    /// # Ok::<(), gradus::Error>(())
    /// ```
    pub fn from_tensor(numbers: &Tensor, range: Option<(f64, f64)>) -> Result<Self> {
        let shape = numbers.shape();
        let (channels, height, width) = match *shape {
            [height, width] => (1, height, width),
            [channels @ (1 | 3), height, width] => (channels, height, width),
            _ => {
                let message = format!(
                    "a picture is made of [height, width], or of [channels, height, width] with 1 or 3 \
                     channels, not of shape {shape:?}"
                );
                return Err(Error::new(Kind::Value, message));
            }
        };
        let values = numbers.to_dtype(DType::F64)?.to_vec::<f64>()?;
        let ends = |(low, high), &v: &f64| (f64::min(low, v), f64::max(high, v));
        let (low, high) =
            range.unwrap_or_else(|| values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), ends));
        if !values.iter().chain([&low, &high]).all(|v| v.is_finite()) && !values.is_empty() {
            let message = "a picture of numbers that are not all finite";
            return Err(Error::new(Kind::Value, message));
        }
        let byte = |value: f64| {
            let share = (value - low) / (high - low);
            // The cast takes what is outside of the range to its ends.
            if low < high {
                (255.0 * share).round() as u8
            } else {
                128
            }
        };
        let size = height * width;
        let places = (0..size).flat_map(|p| (0..channels).map(move |c| c * size + p));
        Ok(Self {
            height,
            width,
            channels,
            bytes: places.map(|i| byte(values[i])).collect(),
        })
    }

    /// The bytes channel by channel, as networks take them: [channels, height, width].
    ///
    /// ```
    /// use gradus::data::Picture;
    /// let picture = Picture { height: 1, width: 2, channels: 3, bytes: vec![1, 2, 3, 4, 5, 6] };
    /// assert_eq!(picture.planes(), [1, 4, 2, 5, 3, 6]);
    /// ```
    pub fn planes(&self) -> Vec<u8> {
        let channel = |c| {
            self.bytes
                .iter()
                .skip(c)
                .step_by(self.channels.max(1))
                .copied()
        };
        (0..self.channels).flat_map(channel).collect()
    }
}

fn broken(why: impl Display) -> Error {
    // Decoders' messages may have several lines.
    let why = why.to_string();
    let why: Vec<&str> = why.split_whitespace().collect();
    let message = format!("not a picture that can be read: {}", why.join(" "));
    Error::new(Kind::Data, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageFormat, Rgba, RgbaImage};

    fn png(image: &RgbaImage) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, ImageFormat::Png).unwrap();
        file.into_inner()
    }

    /// Red, and a blue that is half transparent.
    fn file() -> Vec<u8> {
        png(&RgbaImage::from_fn(2, 1, |x, _| match x {
            0 => Rgba([255, 0, 0, 255]),
            _ => Rgba([0, 0, 255, 128]),
        }))
    }

    #[test]
    fn pictures_become_grey_or_three_planes_on_white() {
        let colour = Picture::decode(&file(), 3).unwrap();
        assert_eq!((colour.height, colour.width), (1, 2));
        assert_eq!(colour.bytes, [255, 0, 0, 127, 127, 255]);
        assert_eq!(colour.planes(), [255, 127, 0, 127, 0, 255]);
        let grey = Picture::decode(&file(), 1).unwrap();
        assert_eq!(grey.bytes.len(), 2);
        // Rec. 709: red counts a fifth.
        assert!((50..60).contains(&grey.bytes[0]), "{}", grey.bytes[0]);
        assert_eq!(Picture::decode(&file(), 2).unwrap_err().kind(), Kind::Value);
    }

    /// Colours in the wrong channel, or numbers that overflow a byte.
    #[test]
    fn numbers_become_pixels() {
        let picture = |list: Vec<f64>, shape: &[usize], range| {
            Picture::from_tensor(&Tensor::from_vec(list, shape).unwrap(), range)
        };
        let colour = picture(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &[3, 1, 2], None).unwrap();
        assert_eq!(colour.bytes, [0, 102, 204, 51, 153, 255]);
        let cut = picture(vec![-9.0, 0.5, 9.0], &[1, 3], Some((0.0, 1.0))).unwrap();
        assert_eq!(cut.bytes, [0, 128, 255]);
        assert_eq!(
            picture(vec![7.0; 2], &[1, 2], None).unwrap().bytes,
            [128, 128]
        );
        assert!(picture(vec![], &[0, 2], None).unwrap().bytes.is_empty());
        assert!(picture(vec![f64::NAN, 0.0], &[1, 2], None).is_err());
        assert!(picture(vec![0.0; 2], &[2], None).is_err());
        assert!(picture(vec![0.0; 2], &[2, 1, 1], None).is_err());
    }

    /// A panic, or memory asked for on the word of a header.
    #[test]
    fn broken_files_are_errors() {
        let whole = file();
        for file in [
            &[][..],
            b"GIF89a and so on",
            b"\xff\xd8\xff",
            &whole[..whole.len() / 2],
            &whole[..16],
        ] {
            let error = Picture::decode(file, 3).unwrap_err();
            assert_eq!(error.kind(), Kind::Data, "{error}");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
        // A header that promises 60,000 × 60,000 pixels.
        let mut huge = whole;
        huge[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        assert!(Picture::decode(&huge, 3).is_err());
    }

    #[test]
    fn sizes_that_make_no_sense_are_refused() {
        let picture = Picture::decode(&file(), 3).unwrap();
        assert!(picture.clone().resized(0, 3).is_err());
        assert!(picture.clone().resized(3, 1 << 20).is_err());
        let short = Picture {
            bytes: vec![0; 5],
            ..picture.clone()
        };
        assert!(short.resized(2, 2).is_err());
        let channels = Picture {
            channels: 2,
            ..picture
        };
        assert!(channels.resized(2, 2).is_err());
    }
}
