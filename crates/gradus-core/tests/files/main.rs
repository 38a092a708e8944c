//! Files: what NumPy wrote is read (`../fixtures`, made by its `make.py`), what is written is read
//! again, and broken files of every sort are refused in one line.

mod mapped;
mod npy;
mod npz;
mod safetensors;

use gradus_core::{DType, Error, Kind, Result, Tensor};
use std::fmt::Display;
use std::path::{Path, PathBuf};

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(path)
}

/// A folder for one test, removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("gradus-files-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Tensors of one dtype in all shapes and strides that matter to files.
fn shapes(dtype: DType) -> Vec<Tensor> {
    let wide = Tensor::arange(-3.0, 9.0, 1.0, DType::F64).unwrap();
    let matrix = wide.to_dtype(dtype).unwrap().reshape([3, 4]).unwrap();
    vec![
        matrix.clone(),
        matrix.t().unwrap(),
        matrix.slice(1, 1, 4, 2).unwrap(),
        matrix.select(0, 1).unwrap().select(0, 2).unwrap(),
        matrix.narrow(0, 3, 0).unwrap(),
        matrix
            .unsqueeze(0)
            .unwrap()
            .broadcast_to([2, 3, 4])
            .unwrap(),
    ]
}

fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_vec().unwrap()
}

/// The same dtype, shape and elements. Integers above 2^53 are for the test to compare.
#[track_caller]
fn assert_same(got: &Tensor, expected: &Tensor) {
    assert_eq!(got.dtype(), expected.dtype());
    assert_eq!(got.shape(), expected.shape());
    assert_eq!(values(got), values(expected));
}

/// The error must be of this kind, say this, and be one line.
#[track_caller]
fn refused<T>(result: Result<T>, what: impl Display, kind: Kind, says: &str) {
    let Err(error) = result else {
        panic!("{what} was accepted");
    };
    assert_message(&error, &what, says);
    assert_eq!(error.kind(), kind, "{what}: {error}");
}

#[track_caller]
fn assert_message(error: &Error, what: impl Display, says: &str) {
    let message = error.to_string();
    assert!(message.contains(says), "{what} gave: {message}");
    assert!(!message.contains('\n'), "{what} gave lines: {message}");
    assert!(message.len() < 400, "{what} gave: {message}");
}
