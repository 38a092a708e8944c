//! Any bytes as an npz file: read within bounds or refused in one line; what was read can be
//! written in both ways, and read back as it was.

#![no_main]

use gradus_core::Tensor;
use gradus_core::io::npz::{self, Compression};
use gradus_fuzz::bounded;
use libfuzzer_sys::fuzz_target;
use std::io::Cursor;

fn written(arrays: &[(String, Tensor)], compression: Compression) -> Vec<u8> {
    let mut bytes = Vec::new();
    let named = arrays.iter().map(|(name, tensor)| (name, tensor));
    npz::write(&mut bytes, named, compression).unwrap();
    bytes
}

fuzz_target!(|bytes: &[u8]| {
    // What deflate can do at most, in a type four times as wide, and a quarter more for the pool.
    let factor = 1032 * 4 * 5 / 4 + 64;
    let arrays = match bounded(bytes, factor, |bytes| npz::read(Cursor::new(bytes))) {
        Ok(arrays) => arrays,
        Err(e) => return assert!(!e.to_string().contains('\n'), "{e}"),
    };
    let stored = written(&arrays, Compression::Stored);
    let deflated = written(&arrays, Compression::Deflated);
    for bytes in [&stored, &deflated] {
        let back = npz::read(Cursor::new(bytes)).unwrap();
        let same = written(&back, Compression::Stored) == stored;
        assert!(same, "written and read back, they are other arrays");
    }
});
