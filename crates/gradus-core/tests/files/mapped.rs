//! Tensors whose memory is a mapping of their file.

use crate::{Folder, assert_same, values};
use gradus_core::io::{npy, safetensors};
use gradus_core::{DType, Tensor};

#[test]
fn changes_in_place_stay_in_memory() {
    let folder = Folder::new("mapped-private");
    let path = folder.file("x.npy");
    let original = Tensor::arange(0.0, 5000.0, 1.0, DType::F64).unwrap();
    npy::save(&path, &original).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let (first, second) = (
        npy::load_mmap(&path).unwrap(),
        npy::load_mmap(&path).unwrap(),
    );
    first.fill_(-1.0).unwrap();
    first
        .narrow(0, 10, 5)
        .unwrap()
        .add_(&Tensor::from(2.0))
        .unwrap();
    assert_eq!(values(&first)[9..12], [-1.0, 1.0, 1.0]);
    assert_same(&second, &original);
    drop(first);
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_mapped_tensor_computes_and_trains_as_any_other() {
    let folder = Folder::new("mapped-grad");
    let path = folder.file("w.npy");
    npy::save(&path, &Tensor::from([[1.0, 2.0], [3.0, 4.0]])).unwrap();
    let w = npy::load_mmap(&path).unwrap().requires_grad_(true).unwrap();
    let x = Tensor::from([[1.0, 1.0]]);
    x.matmul(&w).unwrap().sum(..).unwrap().backward().unwrap();
    assert_eq!(values(&w.grad().unwrap()), [1.0; 4]);
    gradus_core::no_grad(|| w.sub_(&w.grad().unwrap())).unwrap();
    assert_eq!(values(&w), [0.0, 1.0, 2.0, 3.0]);
    // The memory outlives the first handle, in another thread too.
    let row = w.detach().select(0, 1).unwrap();
    drop(w);
    let sum = std::thread::spawn(move || values(&row)).join().unwrap();
    assert_eq!(sum, [2.0, 3.0]);
}

#[test]
fn replacing_the_file_leaves_the_old_one_mapped() {
    let folder = Folder::new("mapped-replaced");
    let path = folder.file("x.npy");
    npy::save(&path, &Tensor::ones([2000])).unwrap();
    let old = npy::load_mmap(&path).unwrap();
    // Even by what is computed from it.
    npy::save(&path, &old.mul(2.0).unwrap().narrow(0, 0, 1).unwrap()).unwrap();
    assert_same(&old, &Tensor::ones([2000]));
    assert_eq!(values(&npy::load_mmap(&path).unwrap()), [2.0]);
}

/// Memory that belongs to no mapping is aligned to 64 bytes or reused; a mapping's part is where
/// the file has it. What can be seen from outside is that all of these are right.
#[test]
fn elements_that_are_not_aligned_or_in_another_order_are_copied() {
    let folder = Folder::new("mapped-odd");
    let path = folder.file("x.npy");
    for (descr, bytes) in [("<f8", 1.5f64.to_le_bytes()), (">f8", 1.5f64.to_be_bytes())] {
        for padding in 0..9 {
            let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': (1,)}}");
            let text = text + &" ".repeat(padding);
            let len = (text.len() as u16).to_le_bytes();
            let file = [b"\x93NUMPY\x01\x00", &len[..], text.as_bytes(), &bytes].concat();
            std::fs::write(&path, file).unwrap();
            let x = npy::load_mmap(&path).unwrap();
            x.add_(&Tensor::from(1.0).to_dtype(DType::F64).unwrap())
                .unwrap();
            assert_eq!(values(&x), [2.5]);
        }
    }
}

#[test]
fn tensors_of_one_safetensors_file_do_not_share_their_elements() {
    let folder = Folder::new("mapped-many");
    let path = folder.file("model.safetensors");
    let tensors: Vec<(String, Tensor)> = DType::ALL
        .into_iter()
        .flat_map(crate::shapes)
        .enumerate()
        .map(|(i, t)| (format!("t{i}"), t))
        .collect();
    let named = tensors.iter().map(|(name, t)| (name, t));
    safetensors::save(&path, named, Some("note")).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let mapped = safetensors::load_mmap(&path).unwrap();
    assert_eq!(mapped.note.as_deref(), Some("note"));
    for (name, expected) in &tensors {
        assert_same(&mapped.tensors[name], expected);
        // Once a tensor was checked it may change: the others must not.
        mapped.tensors[name].fill_(0.0).unwrap();
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_same(
        &safetensors::load(&path).unwrap().tensors["t0"],
        &tensors[0].1,
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_mapped_file_takes_no_memory_until_it_is_used() {
    use std::io::Write;
    let folder = Folder::new("mapped-sparse");
    let path = folder.file("huge.npy");
    // 64 GiB that are not on the disk either, being a hole.
    let n: u64 = 1 << 33;
    let text = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({n},)}}");
    let text = format!("{text:<117}\n");
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(b"\x93NUMPY\x01\x00\x76\x00").unwrap();
    file.write_all(text.as_bytes()).unwrap();
    if file.set_len(128 + 8 * n).is_err() {
        return; // A file system without holes.
    }
    let huge = npy::load_mmap(&path).unwrap();
    let end = huge.narrow(0, n as usize - 3, 3).unwrap();
    end.add_(&Tensor::from(1.0).to_dtype(DType::F64).unwrap())
        .unwrap();
    assert_eq!(values(&end), [1.0; 3]);
}
