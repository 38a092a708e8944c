use crate::{Folder, refused};
use gradus_core::Kind;
use gradus_core::io::safetensors::{load, load_mmap, parse};

fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let len = (header.len() as u64).to_le_bytes();
    [&len, header.as_bytes(), data].concat()
}

#[test]
fn files_are_refused_alike_however_they_are_read() {
    let folder = Folder::new("safetensors-broken");
    let path = folder.file("model.safetensors");
    let x = r#""x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#;
    let y = r#""y":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}"#;
    let half = r#""x":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}"#;
    let lines = r#""x\n":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}"#;
    let name = "\\n".repeat(999);
    let long = format!(r#""{name}":{{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}"#);
    let bool = r#""x":{"dtype":"BOOL","shape":[4],"data_offsets":[0,4]}"#;
    for (header, says) in [
        (format!("{{{x},{x}}}"), "'x' occurs twice"),
        (format!("{{{x},{y}}}"), "invalid offset for tensor `y`"),
        (
            format!("{{{half}}}"),
            "tensor 'x': dtype F16 is not supported",
        ),
        (
            format!("{{{bool}}}"),
            "tensor 'x': a bool that is neither 0 nor 1",
        ),
        ("{}".into(), "its tensors take 0 bytes, 4 are there"),
        (format!("{{{lines}}}"), "tensor 'x\\n': dtype"),
        (format!("{{{long}}}"), "invalid offset for tensor `\\n\\n"),
        ("[]".into(), "not a complete safetensors file"),
        (format!("{{{x}}} {{}}"), "not a complete safetensors file"),
        ("{\"\u{0}\":1}".into(), "not a complete safetensors file"),
    ] {
        let bytes = file(&header, &[2; 4]);
        std::fs::write(&path, &bytes).unwrap();
        refused(parse(&bytes), &header, Kind::Data, says);
        for result in [load(&path), load_mmap(&path)] {
            refused(result, &header, Kind::Data, says);
        }
        refused(load(&path), &header, Kind::Data, "model.safetensors: ");
    }
    let whole = file(&format!("{{{x}}}"), &[0; 4]);
    std::fs::write(&path, &whole).unwrap();
    load_mmap(&path).unwrap();
    for n in 0..whole.len() {
        std::fs::write(&path, &whole[..n]).unwrap();
        for result in [load(&path), load_mmap(&path)] {
            refused(result, n, Kind::Data, "it was cut short");
        }
    }
    let long = [(1u64 << 40).to_le_bytes().to_vec(), vec![b' '; 100]].concat();
    refused(
        parse(&long),
        "a header of 2^40",
        Kind::Data,
        "a header of 1099511627776 bytes",
    );
}
