//! `docs/for-pytorch-and-numpy-users.md` against the sources: what it names exists, every operation
//! on tensors has a row, its example runs, and what it says is left out is not there.

use gradus::{DType, Result, Tensor, keepdim, s};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

type Names = BTreeSet<String>;

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn guide() -> String {
    fs::read_to_string(crates().join("../docs/for-pytorch-and-numpy-users.md")).unwrap()
}

/// The text of a file below `crates`, or of all files of a folder and its folders.
fn source(path: impl AsRef<Path>) -> String {
    let path = crates().join(path);
    if path.is_file() {
        return fs::read_to_string(path).unwrap();
    }
    let mut files: Vec<PathBuf> = fs::read_dir(&path)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(source).collect()
}

/// What stands before the first character that no name has.
fn name(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// The functions that `pub fn` declares at this indentation.
fn functions<'a>(lines: impl Iterator<Item = &'a str>, indentation: &str) -> Names {
    let start = format!("{indentation}pub fn ");
    lines
        .filter_map(|line| line.strip_prefix(&start))
        .map(name)
        .collect()
}

/// The public methods of tensors in a text.
fn methods(text: &str) -> Names {
    let mut inside = false;
    let within = text.lines().filter(|&line| {
        inside = line == "impl Tensor {" || inside && line != "}";
        inside
    });
    functions(within, "    ")
}

/// The names of what users can reach: what is public, methods of public traits, and what `lib.rs`
/// exports from folders that are private as a whole.
fn public() -> Names {
    let engine = [
        "autograd",
        "io",
        "ops",
        "random",
        "tensor",
        "shape.rs",
        "tensor.rs",
        "dtype.rs",
    ];
    let mut text: String = engine
        .map(|part| source(format!("gradus-core/src/{part}")))
        .concat();
    text += &source("gradus/src");
    let words = ["fn", "struct", "enum", "trait", "mod", "type", "const"];
    let mut inside = false;
    let mut names = Names::new();
    for line in text.lines() {
        inside = line.starts_with("pub trait ") || inside && line != "}";
        let item = line
            .trim_start()
            .strip_prefix(if inside { "" } else { "pub " });
        let word = item.and_then(|item| item.trim_start_matches("pub ").split_once(' '));
        if let Some((_, rest)) = word.filter(|(word, _)| words.contains(word)) {
            names.insert(name(rest));
        }
    }
    let exporting = ["lib.rs", "memory.rs"].map(|file| source(format!("gradus-core/src/{file}")));
    let exporting = exporting.concat();
    let exports = exporting
        .split("pub use ")
        .skip(1)
        .filter_map(|list| list.split(';').next());
    names.extend(
        exports
            .flat_map(|list| list.split(|c: char| !c.is_alphanumeric() && c != '_'))
            .map(str::to_string),
    );
    names
}

/// What stands between backquotes.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The names in the tables' column for gradus, as they are written there.
fn listed(guide: &str) -> Vec<&str> {
    let rows = guide.lines().filter(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.split('|').nth(3).unwrap());
    cells.flat_map(code).collect()
}

/// `x.name` and `Tensor::name` are methods; of other paths the last part counts.
fn split(path: &str) -> (bool, String) {
    let path = path.split(['(', ' ']).next().unwrap();
    let method = path.strip_prefix("x.").or(path.strip_prefix("Tensor::"));
    (
        method.is_some(),
        name(path.rsplit(['.', ':']).next().unwrap()),
    )
}

#[test]
fn what_the_guide_names_exists() {
    let methods = methods(&source("gradus-core/src"));
    let public = public();
    // Of traits of the standard library; the example calls one of them.
    let conversions = ["Tensor::from", "Tensor::try_from"];
    let guide = guide();
    let listed = listed(&guide);
    assert!(listed.len() > 400, "{} names", listed.len());
    let unknown: Vec<&str> = listed
        .into_iter()
        .filter(|path| {
            let (is_method, name) = split(path);
            let names = if is_method { &methods } else { &public };
            !names.contains(&name) && !conversions.contains(path)
        })
        .collect();
    assert!(unknown.is_empty(), "no such public item: {unknown:?}");
}

#[test]
fn every_operation_has_a_row() {
    let guide = guide();
    let listed: BTreeSet<(bool, String)> = listed(&guide).into_iter().map(split).collect();
    let operations =
        ["ops", "random", "tensor"].map(|part| methods(&source(format!("gradus-core/src/{part}"))));
    let operations: Names = operations.into_iter().flatten().collect();
    let count = format!("There are {} operations on tensors", operations.len());
    assert!(guide.contains(&count), "the guide should say: {count}");

    let questions =
        ["tensor.rs", "autograd"].map(|part| methods(&source(format!("gradus-core/src/{part}"))));
    let methods = operations
        .into_iter()
        .chain(questions.into_iter().flatten());
    let modules = ["autograd", "ops/linalg/dense", "random/mod.rs"];
    let free = modules.map(|part| functions(source(format!("gradus-core/src/{part}")).lines(), ""));
    let missing: Vec<_> = methods
        .map(|name| (true, name))
        .chain(free.into_iter().flatten().map(|name| (false, name)))
        .filter(|name| !listed.contains(name))
        .collect();
    assert!(
        missing.is_empty(),
        "without a row (true: a method): {missing:?}"
    );
}

#[test]
fn what_is_left_out_is_not_there() {
    let guide = guide();
    let (_, left_out) = guide.split_once("\n## Left out\n").unwrap();
    let methods = methods(&source("gradus-core/src"));
    let bare = |word: &str| methods.contains(word);
    let there: Vec<&str> = code(left_out).filter(|word| bare(word)).collect();
    assert!(there.is_empty(), "{there:?}");
}

#[test]
fn the_example_runs() -> Result<()> {
    let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    let y = Tensor::from_array([[1.0, 2.0], [3.0, 4.0]])?;
    let z = x.to_dtype(DType::F64)?.add(&y)?;
    let centred = x.sub(&x.mean(keepdim(1))?)?;
    let total = x.sum(..)?;
    let part = x.i((.., 0))?;
    x.set((0, s(.., -1)), 7.0)?;
    let product = &x * 2.0 + 1.0;

    assert_eq!(
        (x.dtype(), y.dtype(), z.dtype()),
        (DType::F32, DType::F64, DType::F64)
    );
    assert_eq!(centred.to_vec::<f32>()?, [-0.5, 0.5, -0.5, 0.5]);
    assert_eq!(total.item::<f32>()?, 10.0);
    assert_eq!(part.to_vec::<f32>()?, [7.0, 3.0]);
    assert_eq!(product.to_vec::<f32>()?, [15.0, 15.0, 7.0, 9.0]);

    let guide = guide();
    let example = guide.split("```").nth(1).unwrap();
    for line in example
        .lines()
        .filter(|line| line.starts_with("let ") || line.starts_with("x."))
    {
        let code = line.split("//").next().unwrap().trim_end();
        assert!(
            include_str!("guide.rs").contains(code),
            "not tested here: {code}"
        );
    }
    Ok(())
}
