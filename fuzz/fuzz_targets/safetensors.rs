//! Any bytes as a safetensors file: read within bounds or refused in one line; what was read can be
//! written, and read back as it was; a mapping shows what reading does.

#![no_main]

use gradus_core::io::safetensors::{self, Contents};
use gradus_fuzz::bounded;
use libfuzzer_sys::fuzz_target;

fn written(contents: &Contents) -> Vec<u8> {
    let mut bytes = Vec::new();
    safetensors::write(&mut bytes, &contents.tensors, contents.note.as_deref()).unwrap();
    bytes
}

fuzz_target!(|bytes: &[u8]| {
    let contents = match bounded(bytes, 64, safetensors::parse) {
        Ok(contents) => contents,
        Err(e) => return assert!(!e.to_string().contains('\n'), "{e}"),
    };
    let once = written(&contents);
    let twice = written(&safetensors::parse(&once).unwrap());
    assert!(once == twice, "written and read back, it is another file");

    let path = std::env::temp_dir().join(format!("gradus-fuzz-{}.safetensors", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    for contents in [
        safetensors::load(&path).unwrap(),
        safetensors::load_mmap(&path).unwrap(),
    ] {
        assert!(once == written(&contents), "loaded, it is another file");
    }
    std::fs::remove_file(path).unwrap();
});
