//! Pictures of pixels inside pictures of lines: PNG in base64.

use crate::data::Picture;
use gradus_core::{Error, Kind, Result};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};
use std::io::Cursor;

/// The element that shows the picture, its pixels as squares, in this place.
pub(super) fn element(picture: &Picture, [x, y, width, height]: [f64; 4]) -> Result<String> {
    Ok(format!(
        "<image x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
         preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" \
         href=\"data:image/png;base64,{}\"/>\n",
        base64(&png(picture)?)
    ))
}

/// The picture as a PNG file.
fn png(picture: &Picture) -> Result<Vec<u8>> {
    let colours = match picture.channels {
        1 => ExtendedColorType::L8,
        _ => ExtendedColorType::Rgb8,
    };
    let [width, height] = [picture.width, picture.height].map(|n| u32::try_from(n).unwrap_or(0));
    let needed = picture.width.checked_mul(picture.height);
    let needed = needed.and_then(|n| n.checked_mul(picture.channels));
    if needed != Some(picture.bytes.len()) || ![1, 3].contains(&picture.channels) {
        let message = "the bytes of a picture are not as many as its sizes say";
        return Err(Error::new(Kind::Value, message));
    }
    let mut file = Cursor::new(Vec::new());
    PngEncoder::new(&mut file)
        .write_image(&picture.bytes, width, height, colours)
        .map_err(|e| Error::new(Kind::Value, e.to_string()))?;
    Ok(file.into_inner())
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let three = [0, 1, 2].map(|i| u32::from(part.get(i).copied().unwrap_or(0)));
        let bits = three[0] << 16 | three[1] << 8 | three[2];
        for i in 0..4 {
            text.push(if i <= part.len() {
                char::from(DIGITS[(bits >> (18 - 6 * i) & 63) as usize])
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 4648, section 10.
    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
