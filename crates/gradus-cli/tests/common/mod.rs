//! Running the program, and the files it is given.
#![allow(dead_code)] // Every test file uses its own part.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// The program, cut off from this user's data and settings.
pub fn gradus() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradus"));
    command
        .env_remove("GRADUS_DATA")
        .env_remove("GRADUS_THREADS")
        .stdin(Stdio::null());
    command
}

/// What a finished program said.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    /// One JSON object in the last line of standard output.
    pub fn json(&self) -> serde_json::Value {
        let last = self.out.lines().last().unwrap_or_default();
        serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {last:?}; stderr: {}", self.err))
    }
}

/// Runs a command to its end.
pub fn finish(command: &mut Command) -> Said {
    said(command.output().expect("the program starts"))
}

/// What it said, as text.
pub fn said(output: Output) -> Said {
    Said {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Sends a signal, `-INT` for instance.
#[cfg(unix)]
pub fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// Runs `gradus ARGS` in `dir`, where its relative paths begin.
pub fn run<A: AsRef<OsStr>>(dir: &Path, args: impl IntoIterator<Item = A>) -> Said {
    finish(gradus().current_dir(dir).args(args))
}

/// Runs `gradus ARGS`, words with blanks between, which must succeed.
pub fn ok(dir: &Path, args: &str) -> Said {
    let said = run(dir, args.split_whitespace());
    assert_eq!(said.code, Some(0), "gradus {args}: {}", said.err);
    said
}

/// Runs `gradus ARGS`, which must fail with this code and one line that says what is wrong.
pub fn fails(dir: &Path, code: i32, args: &str) -> String {
    let said = run(dir, args.split_whitespace());
    assert_eq!(said.code, Some(code), "gradus {args}: {}", said.err);
    assert_eq!(said.out, "", "gradus {args}");
    let errors: Vec<_> = (said.err.lines())
        .filter(|l| l.starts_with("error: "))
        .collect();
    assert_eq!(errors.len(), 1, "gradus {args}: {}", said.err);
    assert!(!said.err.contains("panicked"), "{}", said.err);
    errors[0].to_string()
}

pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub fn read(path: impl AsRef<Path>) -> Vec<u8> {
    let path = path.as_ref();
    fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// An IDX file with these sizes and bytes, whether they agree or not.
pub fn idx(sizes: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, sizes.len() as u8];
    file.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
    file.extend(bytes);
    file
}

/// The folder `data/mnist` with 40 + 20 images of 4×4 pixels; the one white pixel tells the class.
pub fn small_mnist(dir: &Path) -> PathBuf {
    mnist(dir, 4)
}

/// The folder `data/mnist` with 40 + 20 images; of the first ten pixels the white one tells the
/// class.
pub fn mnist(dir: &Path, side: u32) -> PathBuf {
    let folder = dir.join("data/mnist");
    fs::create_dir_all(&folder).unwrap();
    for (name, n) in [("train", 40u32), ("t10k", 20)] {
        let labels: Vec<u8> = (0..n).map(|i| (i % 10) as u8).collect();
        let pixel = |label: u8, p: u32| if p == u32::from(label) { 255 } else { 0 };
        let images: Vec<u8> = labels
            .iter()
            .flat_map(|&label| (0..side * side).map(move |p| pixel(label, p)))
            .collect();
        fs::write(
            folder.join(format!("{name}-images-idx3-ubyte")),
            idx(&[n, side, side], &images),
        )
        .unwrap();
        fs::write(
            folder.join(format!("{name}-labels-idx1-ubyte")),
            idx(&[n], &labels),
        )
        .unwrap();
    }
    folder
}
