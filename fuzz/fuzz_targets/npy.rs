//! Any bytes as an npy file: read within bounds or refused in one line; what was read can be
//! written, and read back as it was; a mapping shows what reading does.

#![no_main]

use gradus_core::io::npy;
use gradus_fuzz::bounded;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut rest = bytes;
    let tensor = match bounded(bytes, 64, |_| npy::read(&mut rest)) {
        Ok(tensor) => tensor,
        Err(e) => return assert!(!e.to_string().contains('\n'), "{e}"),
    };
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    npy::write(&mut once, &tensor).unwrap();
    let back = npy::read(&once[..]).unwrap();
    assert_eq!(
        (back.dtype(), back.shape()),
        (tensor.dtype(), tensor.shape())
    );
    npy::write(&mut twice, &back).unwrap();
    assert!(once == twice, "written and read back, it is another array");

    let path = std::env::temp_dir().join(format!("gradus-fuzz-{}.npy", std::process::id()));
    std::fs::write(&path, &bytes[..bytes.len() - rest.len()]).unwrap();
    for tensor in [npy::load(&path).unwrap(), npy::load_mmap(&path).unwrap()] {
        let mut again = Vec::new();
        npy::write(&mut again, &tensor).unwrap();
        assert!(once == again, "loaded, it is another array");
    }
    std::fs::remove_file(path).unwrap();
});
