//! The zip container, as much of it as arrays need: stored and deflated entries, also of more than
//! 4 GiB (zip64).
//!
//! Our own because the `zip` crate brings seven others, mostly for what arrays do not need: to
//! encrypt, to unpack into folders, to find archives inside other files. A few rules are stricter
//! than those of programs that unpack: entries must not overlap, nothing may stand between the list
//! of entries and the end, and no name may occur twice. So no file becomes more than
//! [`DEFLATE_LIMIT`] times as large as it is.
//!
//! Names are keys only; nothing here touches the file system.
//!
//! The format is PKWARE's `APPNOTE.TXT`, 6.3.10.

mod read;
mod write;

pub(super) use read::{entries, open, place};
pub(super) use write::Writer;

/// What an entry may become, as a multiple of its compressed size. Deflate's best case is a repeat
/// of 258 bytes in 2 bits, 1032 : 1, so that no real file is refused.
pub(super) const DEFLATE_LIMIT: u64 = 1032;

/// How the bytes of an entry are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Stored = 0,
    Deflated = 8,
}

/// The list at the end: the first four bytes of an entry, of the end itself, and of its zip64 forms.
const DIRECTORY_ENTRY: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END64: u32 = 0x0606_4b50;
const END64_LOCATOR: u32 = 0x0706_4b50;
/// In front of an entry's bytes.
const LOCAL_ENTRY: u32 = 0x0403_4b50;
/// The number of the extra field with 64-bit sizes.
const ZIP64: u16 = 1;
/// A 32-bit field, or a 16-bit one, whose value is in the zip64 field.
const FULL: u32 = u32::MAX;
const FULL_COUNT: u16 = u16::MAX;
/// The flag of an encrypted entry, and of a name in UTF-8.
const ENCRYPTED: u16 = 1;
const UTF8: u16 = 1 << 11;
