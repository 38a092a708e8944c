use crate::{Folder, assert_same, fixture, refused, shapes, values};
use gradus_core::io::npy;
use gradus_core::{DType, Kind, Tensor};
use std::io::Read;

fn written(tensor: &Tensor) -> Vec<u8> {
    let mut bytes = Vec::new();
    npy::write(&mut bytes, tensor).unwrap();
    bytes
}

/// A file of format 1.0 with this header text and these bytes after it.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let len = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &len[..], header.as_bytes(), data].concat()
}

fn header(descr: &str, fortran: &str, shape: &str) -> String {
    format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
}

#[test]
fn every_dtype_of_numpys_files_becomes_the_one_documented() {
    for (name, dtype) in [
        ("bool", DType::Bool),
        ("uint8", DType::U8),
        ("int8", DType::I32),
        ("uint16", DType::I32),
        ("int16", DType::I32),
        ("uint32", DType::I64),
        ("int32", DType::I32),
        ("uint64", DType::I64),
        ("int64", DType::I64),
        ("float16", DType::F32),
        ("float32", DType::F32),
        ("float64", DType::F64),
    ] {
        let expected = Tensor::arange(0.0, 6.0, 1.0, DType::I64).unwrap();
        let expected = expected.to_dtype(dtype).unwrap().reshape([2, 3]).unwrap();
        assert_same(
            &npy::load(fixture(&format!("npy/{name}.npy"))).unwrap(),
            &expected,
        );
        let big = fixture(&format!("npy/big_{name}.npy"));
        if expected.dtype().size() > 1 && name != "int8" {
            assert_same(&npy::load(big).unwrap(), &expected);
        }
    }
}

#[test]
fn the_ends_of_each_range_are_exact() {
    let load = |name: &str| npy::load(fixture(&format!("npy/{name}.npy")));
    let ends: Vec<i64> = load("ends_int64").unwrap().to_vec().unwrap();
    assert_eq!(ends, [i64::MIN, i64::MAX]);
    let ends: Vec<i64> = load("ends_uint32").unwrap().to_vec().unwrap();
    assert_eq!(ends, [0, i64::from(u32::MAX)]);
    let says = "uint64 9223372036854775808 is too large";
    refused(load("ends_uint64"), "2^63", Kind::DType, says);
    let odd: Vec<f32> = load("odd_float16").unwrap().to_vec().unwrap();
    let bits: Vec<u32> = odd.iter().map(|x| x.to_bits()).collect();
    let least = 2f32.powi(-24);
    let expected = [
        -0.0,
        least,
        65504.0,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
    ];
    assert_eq!(bits, expected.map(f32::to_bits));
}

#[test]
fn order_versions_and_shapes_of_numpys_files() {
    let load = |name: &str| npy::load(fixture(&format!("npy/{name}.npy"))).unwrap();
    let cube = Tensor::arange(0.0, 24.0, 1.0, DType::F32).unwrap();
    let cube = cube.reshape([2, 3, 4]).unwrap();
    for name in ["fortran", "version2", "version3"] {
        assert_same(&load(name), &cube);
    }
    // Not a copy: the strides say it. And no view: it can be a leaf that is changed in place.
    let fortran = load("fortran").requires_grad_(true).unwrap();
    assert_eq!(fortran.stride(), [1, 2, 6]);
    fortran
        .mul(2.0)
        .unwrap()
        .sum(..)
        .unwrap()
        .backward()
        .unwrap();
    gradus_core::no_grad(|| fortran.sub_(&fortran.grad().unwrap())).unwrap();
    assert_same(&fortran.detach(), &cube.sub(2.0).unwrap());
    assert_eq!(values(&load("fortran_big")), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let scalar = load("scalar");
    assert_eq!(
        (scalar.shape(), scalar.item::<f32>().unwrap()),
        (&[][..], 2.5)
    );
    let empty = load("empty");
    assert_eq!((empty.shape(), empty.dtype()), (&[0, 3][..], DType::I32));
    assert_eq!(values(&load("one")), [7.0]);
}

#[test]
fn what_numpy_has_and_tensors_do_not_is_refused_with_a_remedy() {
    for (name, says) in [
        ("structured", "save each field"),
        ("objects", "never read; save numbers"),
        ("text", "text"),
        ("raw_bytes", "view('uint8')"),
        ("complex", "imaginary"),
        ("dates", "astype('int64')"),
        ("long_double", "astype"),
    ] {
        let path = fixture(&format!("npy/{name}.npy"));
        let kind = Kind::DType;
        refused(npy::load(&path), name, kind, &format!("{name}.npy: "));
        refused(npy::load(&path), name, kind, says);
        refused(npy::load_mmap(&path), name, kind, says);
    }
}

#[test]
fn every_dtype_and_shape_comes_back() {
    let folder = Folder::new("npy-back");
    let path = folder.file("x.npy");
    for tensor in DType::ALL.into_iter().flat_map(shapes) {
        npy::save(&path, &tensor).unwrap();
        assert_same(&npy::load(&path).unwrap(), &tensor);
        assert_same(&npy::load_mmap(&path).unwrap(), &tensor);
        assert_same(&npy::read(&written(&tensor)[..]).unwrap(), &tensor);
    }
    // More than one chunk, and bits that an f64 on the way would lose.
    let long: Vec<i64> = (0..40_000).map(|i| i64::MAX - i * i).collect();
    npy::save(&path, &Tensor::from_vec(&long[..], [40_000]).unwrap()).unwrap();
    assert_eq!(npy::load(&path).unwrap().to_vec::<i64>().unwrap(), long);
    let odd = Tensor::from_vec([f32::from_bits(0x7fc1_2345), -0.0], [2]).unwrap();
    assert_eq!(
        written(&npy::read(&written(&odd)[..]).unwrap()),
        written(&odd)
    );
}

#[test]
fn the_bytes_written_are_numpys() {
    for name in [
        "bool", "uint8", "int32", "int64", "float32", "float64", "scalar", "empty", "one",
    ] {
        let path = fixture(&format!("npy/{name}.npy"));
        let bytes = std::fs::read(&path).unwrap();
        assert!(written(&npy::load(&path).unwrap()) == bytes, "{name}");
    }
}

#[test]
fn several_arrays_are_read_from_one_stream() {
    let (a, b) = (Tensor::from([1, 2]), Tensor::from([[0.5]]));
    let both = [written(&a), written(&b)].concat();
    let mut input = &both[..];
    assert_same(&npy::read(&mut input).unwrap(), &a);
    assert_same(&npy::read(&mut input).unwrap(), &b);
    assert!(input.is_empty());
    let folder = Folder::new("npy-several");
    let path = folder.file("two.npy");
    std::fs::write(&path, both).unwrap();
    for result in [npy::load(&path), npy::load_mmap(&path)] {
        refused(
            result,
            "two arrays",
            Kind::Data,
            "read them one by one with npy::read",
        );
    }
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let folder = Folder::new("npy-short");
    let path = folder.file("x.npy");
    for name in ["fortran", "version2", "scalar"] {
        let whole = std::fs::read(fixture(&format!("npy/{name}.npy"))).unwrap();
        for n in 0..whole.len() {
            std::fs::write(&path, &whole[..n]).unwrap();
            for result in [
                npy::load(&path),
                npy::load_mmap(&path),
                npy::read(&whole[..n]),
            ] {
                refused(result, format!("{n} bytes of {name}"), Kind::Data, "it");
            }
        }
    }
}

#[test]
fn headers_that_lie_or_are_broken_are_refused() {
    let f4 = |shape: &str| header("'<f4'", "False", shape);
    let memory = "too large for this machine's memory";
    let short = "cut short: its header promises";
    let damaged = "a damaged npy header";
    let rank = format!("({})", "1, ".repeat(65));
    let dtype = |descr: &str| header(descr, "False", "(2,)");
    for (text, kind, says) in [
        (f4("(3,)"), Kind::Data, short),
        (f4("(1099511627776,)"), Kind::Data, short),
        (f4("(4611686018427387904,)"), Kind::Memory, memory),
        (f4("(4294967296, 4294967296)"), Kind::Memory, memory),
        (f4("(4294967296, 4294967296, 0)"), Kind::Memory, memory),
        (f4("(18446744073709551616,)"), Kind::Memory, memory),
        (f4("(1,)"), Kind::Data, "4 bytes after the array"),
        (f4("(0, 2)"), Kind::Data, "8 bytes after the array"),
        (
            f4("(-2,)"),
            Kind::Data,
            "a size, which is not negative expected at '-2",
        ),
        (f4("(2.0,)"), Kind::Data, damaged),
        (f4("(2 2,)"), Kind::Data, damaged),
        (f4("[2]"), Kind::Data, damaged),
        (f4("(2"), Kind::Data, damaged),
        (f4(&rank), Kind::Shape, "65 dimensions"),
        (dtype("'f4'"), Kind::Data, "in which order"),
        (dtype("'|i4'"), Kind::Data, "in which order"),
        (dtype("'<f5'"), Kind::DType, "not supported"),
        (dtype("'<'"), Kind::DType, "not supported"),
        (dtype("''"), Kind::DType, "not supported"),
        (dtype("'größe'"), Kind::DType, "not supported"),
        (dtype("'|O'"), Kind::DType, "never read"),
        (dtype("[('x', '<f4')]"), Kind::DType, "structured"),
        (dtype("('<f4', (2,))"), Kind::Data, damaged),
        (dtype("float32"), Kind::Data, damaged),
        (header("'<f4'", "0", "(2,)"), Kind::Data, "True or False"),
        ("".into(), Kind::Data, damaged),
        ("{}".into(), Kind::Data, "without one of"),
        (
            "{'descr': '<f4', 'shape': (2,)}".into(),
            Kind::Data,
            "without one of",
        ),
        ("{'descr': '<f4".into(), Kind::Data, damaged),
        ("{'descr'".into(), Kind::Data, damaged),
        ("{'descr': '<f4' 'shape': (2,)}".into(), Kind::Data, damaged),
        (f4("(2,)") + "x", Kind::Data, "the end expected"),
        (f4("(2,), 'shape': (2,)"), Kind::Data, "'shape' twice"),
        (f4("(2,), 'more': 1"), Kind::Data, "unknown key 'more'"),
        (
            "{'more\n\0': 1}".into(),
            Kind::Data,
            "unknown key 'more\\n\\u{0}'",
        ),
        (
            format!("{{'{}': 1}}", "more".repeat(9999)),
            Kind::Data,
            "…'",
        ),
    ] {
        let bytes = file(&text, &[0; 8]);
        let folder = Folder::new("npy-lies");
        let path = folder.file("lies.npy");
        std::fs::write(&path, &bytes).unwrap();
        refused(npy::load(&path), &text, kind, says);
        refused(npy::load(&path), &text, kind, "lies.npy: ");
        refused(npy::load_mmap(&path), &text, kind, says);
        if !says.contains("bytes after") {
            refused(npy::read(&bytes[..]), &text, kind, says);
        }
    }
    // What is unusual and right.
    for text in [
        f4("(2L,)"),
        f4("(2)"),
        f4("( 2 ,\n)"),
        r#"{"shape":(2,),"descr":"<f4","fortran_order":True}"#.into(),
        header("'|u1'", "False", "(2, 4,)"),
        header("'>i1'", "False", "(8,)"),
    ] {
        npy::read(&file(&text, &[0; 8])[..]).unwrap_or_else(|e| panic!("{text}: {e}"));
    }
}

#[test]
fn beginnings_that_are_no_headers_are_refused() {
    let version = |major: u8, len: u32| {
        [
            b"\x93NUMPY".as_slice(),
            &[major, 0],
            &len.to_le_bytes(),
            &[b' '; 70_000],
        ]
        .concat()
    };
    for (bytes, says) in [
        (b"Dear reader".to_vec(), "not an npy file"),
        (b"PK\x03\x04 a zip file".to_vec(), "not an npy file"),
        (version(4, 10), "npy format 4.0 is not known"),
        (version(0, 10), "npy format 0.0 is not known"),
        (version(2, u32::MAX), "an npy header of 4294967295 bytes"),
        (version(3, 65_536), "an npy header of 65536 bytes"),
        (version(3, 65_535), "a damaged npy header"),
        (file("\u{0}", &[]), "a damaged npy header"),
        (
            [b"\x93NUMPY\x01\x00\x01\x00".as_slice(), &[0xff]].concat(),
            "not text",
        ),
        (vec![], "cut short"),
    ] {
        refused(npy::read(&bytes[..]), says, Kind::Data, says);
    }
    let bool = file(&header("'|b1'", "False", "(2,)"), &[1, 2]);
    refused(
        npy::read(&bool[..]),
        "a bool of 2",
        Kind::Data,
        "neither 0 nor 1",
    );
}

/// A stream that has 10 bytes and then fails, or never ends.
struct Broken(usize);
impl Read for Broken {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(1)
            .ok_or(std::io::ErrorKind::BrokenPipe)?;
        out[0] = 0;
        Ok(1)
    }
}

#[test]
fn a_stream_that_fails_is_an_error_of_the_system() {
    let huge = file(&header("'<f8'", "False", "(1099511627776,)"), &[]);
    let stream = huge.chain(Broken(10));
    refused(npy::read(stream), "a broken pipe", Kind::Io, "broken pipe");
}

#[test]
fn more_dimensions_than_numpy_has_are_not_written() {
    let folder = Folder::new("npy-rank");
    let path = folder.file("x.npy");
    let at_most = Tensor::ones(vec![1; 64]);
    npy::save(&path, &at_most).unwrap();
    assert_same(&npy::load(&path).unwrap(), &at_most);
    let deep = Tensor::ones(vec![1; 65]);
    refused(
        npy::save(&path, &deep),
        "65 dimensions",
        Kind::Shape,
        "at most 64",
    );
    assert_same(&npy::load(&path).unwrap(), &at_most);
}
