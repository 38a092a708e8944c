//! Files: written whole or not at all, read with memory bounded by their size.

mod atomic;
pub mod safetensors;

pub use atomic::write_atomically;

/// A new empty folder for one test, which removes it when it has passed.
#[cfg(test)]
fn test_folder(name: &str) -> std::path::PathBuf {
    let name = format!("gradus-core-{name}-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).expect("the folder for temporary files can be written");
    folder
}
