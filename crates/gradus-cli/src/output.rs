//! Results for standard output, messages for standard error.

use crate::failure::{Failure, Result};
use gradus::io::write_atomically;
use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::Path;

/// A result. Unlike `println!` it does not panic when nobody reads any more.
pub fn line(text: impl Display) -> Result {
    let mut out = stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// A message. If standard error is closed there is nobody to tell.
pub fn note(text: impl Display) {
    let _ = writeln!(stderr(), "{text}");
}

/// Writes a result; a folder that is not there is the user's mistake.
pub fn file(path: &Path, content: impl AsRef<[u8]>) -> Result {
    let wrong = |e: gradus::Error| Failure::usage(format_args!("{}: {e}", path.display()));
    write_atomically(path, content.as_ref()).map_err(wrong)
}

/// Finds out that a file cannot be written before hours of work are lost.
pub fn check_file(path: &Path) -> Result {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if path.is_dir() || folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(Failure::usage(format_args!(
            "{}: no file can be written there; name one in a folder that exists",
            path.display()
        )));
    }
    Ok(())
}

/// Writes a picture, in the format that the end of the name asks for.
pub fn picture(path: &Path, svg: String) -> Result {
    let content = match Format::of(path)? {
        Format::Svg => svg.into_bytes(),
        #[cfg(feature = "png")]
        Format::Png => gradus::plot::png(&svg, 2.0).map_err(|e| {
            Failure::usage(format_args!(
                "{}: {e}; the picture fits in an SVG file, whose name ends in .svg",
                path.display()
            ))
        })?,
    };
    file(path, content)
}

/// Finds out that a picture cannot be written before there is one.
pub fn check_picture(path: &Path) -> Result {
    Format::of(path)?;
    check_file(path)
}

/// What a picture is written as.
enum Format {
    Svg,
    #[cfg(feature = "png")]
    Png,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        let end = path.extension().unwrap_or_default().to_ascii_lowercase();
        let wrong = |what: &str| Failure::usage(format_args!("{}: {what}", path.display()));
        match end.to_str() {
            Some("svg") => Ok(Self::Svg),
            #[cfg(feature = "png")]
            Some("png") => Ok(Self::Png),
            #[cfg(not(feature = "png"))]
            Some("png") => Err(wrong(
                "this program was built without PNG; name a file that ends in .svg, or build it \
                 with cargo install --path crates/gradus-cli --features png",
            )),
            _ => Err(wrong(
                "a picture is an SVG or a PNG file; name one that ends in .svg or .png",
            )),
        }
    }
}

/// What there is room for in a drawing with characters.
pub struct Canvas {
    pub columns: usize,
    pub rows: usize,
    /// Whether colours arrive, and are wanted.
    pub colour: bool,
}

/// The room in the terminal, if a drawing goes there.
pub fn canvas(terminal: impl IsTerminal) -> Canvas {
    let size = terminal_size::terminal_size();
    let (columns, rows) = size.map_or((80, 24), |(w, h)| (w.0.into(), h.0.into()));
    Canvas {
        columns: usize::min(columns, 100),
        // What is written around it takes some lines, too.
        rows: usize::saturating_sub(rows, 8).clamp(12, 30),
        // https://no-color.org
        colour: terminal.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
    }
}

/// 1437 as `1,437`.
pub fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> = (0..digits.len().div_ceil(3))
        .rev()
        .map(|i| {
            let end = digits.len() - 3 * i;
            &digits[end.saturating_sub(3)..end]
        })
        .collect();
    groups.join(",")
}

/// A number with as many digits as people read.
pub fn short(x: f64) -> f64 {
    format!("{x:.4e}").parse().unwrap_or(x)
}

/// So many of what has this name: `1 cluster`, `1,437 clusters`.
pub fn counted(n: usize, one: &str) -> String {
    let ending = match one {
        _ if n == 1 => "",
        // The ch of an epoch is a k.
        _ if one.ends_with("ch") && one != "epoch" => "es",
        _ => "s",
    };
    format!("{} {one}{ending}", thousands(n))
}

/// A path as a word that can be pasted into a shell.
pub fn shell_word(path: &Path) -> String {
    let path = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=,:@".contains(c);
    if !path.is_empty() && path.chars().all(plain) {
        path
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_from_the_right() {
        for (n, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(thousands(n), text);
        }
    }

    #[test]
    fn what_is_counted_has_the_ending_of_its_number() {
        assert_eq!(counted(1, "cluster"), "1 cluster");
        assert_eq!(counted(0, "cluster"), "0 clusters");
        assert_eq!(counted(1200, "batch"), "1,200 batches");
        assert_eq!(counted(3, "epoch"), "3 epochs");
    }

    /// A command that, pasted, means something else.
    #[test]
    fn paths_with_special_characters_are_quoted() {
        for (path, word) in [
            ("runs/a-1", "runs/a-1"),
            ("my run", "'my run'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(shell_word(Path::new(path)), word);
        }
    }
}
