//! Writing a zip file: entries one after the other, then the list of them.

use super::{
    DIRECTORY_ENTRY, END, END64, END64_LOCATOR, FULL, FULL_COUNT, LOCAL_ENTRY, Method, UTF8, ZIP64,
};
use crate::error::{Result, err};
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::Write;

/// 1980-01-01: equal content gives equal bytes.
const DATE: u16 = 1 << 5 | 1;
/// What a reader must understand: zip64.
const VERSION: u16 = 45;

/// A zip file that is being written.
pub(in crate::io) struct Writer<W> {
    out: W,
    at: u64,
    list: Vec<u8>,
    count: u64,
}

impl<W: Write> Writer<W> {
    pub(in crate::io) fn new(out: W) -> Self {
        Self {
            out,
            at: 0,
            list: Vec::new(),
            count: 0,
        }
    }

    /// Appends an entry.
    pub(in crate::io) fn add(&mut self, name: &str, content: &[u8], method: Method) -> Result<()> {
        let name_len = u16::try_from(name.len()).map_err(|_| {
            err!(
                Value,
                "a name of {} bytes: zip files have at most 65535",
                name.len()
            )
        })?;
        let mut crc = Crc::new();
        crc.update(content);
        let deflated = match method {
            Method::Stored => None,
            Method::Deflated => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(content)?;
                Some(encoder.finish()?)
            }
        };
        let bytes = deflated.as_deref().unwrap_or(content);
        let sizes = [content.len() as u64, bytes.len() as u64];
        let common = |numbers: &Numbers| {
            let mut fields = Vec::new();
            put(&mut fields, [VERSION, UTF8, method as u16, 0, DATE]);
            fields.extend(crc.sum().to_le_bytes());
            // Compressed size first, though the extra field has it last.
            fields.extend(numbers.short[1].to_le_bytes());
            fields.extend(numbers.short[0].to_le_bytes());
            put(&mut fields, [name_len, numbers.extra.len() as u16]);
            fields
        };
        // In front of the content either both sizes are long or none.
        let long = is_long(sizes[0].max(sizes[1]));
        let local = Numbers::new(&sizes, |_| long);
        let start = [
            &LOCAL_ENTRY.to_le_bytes(),
            &common(&local)[..],
            name.as_bytes(),
            &local.extra,
        ]
        .concat();
        let listed = Numbers::new(&[sizes[0], sizes[1], self.at], is_long);
        self.list.extend(DIRECTORY_ENTRY.to_le_bytes());
        put(&mut self.list, [VERSION]);
        self.list.extend(common(&listed));
        // No comment, disk 0, no attributes.
        self.list.extend([0; 10]);
        self.list.extend(listed.short[2].to_le_bytes());
        self.list.extend(name.as_bytes());
        self.list.extend(listed.extra);
        self.out.write_all(&start)?;
        self.out.write_all(bytes)?;
        self.at += (start.len() + bytes.len()) as u64;
        self.count += 1;
        Ok(())
    }

    /// Appends the list of entries.
    pub(in crate::io) fn finish(mut self) -> Result<()> {
        let (start, size, count) = (self.at, self.list.len() as u64, self.count);
        let mut end = Vec::new();
        if is_long(start.max(size)) || count >= u64::from(FULL_COUNT) {
            end.extend(END64.to_le_bytes());
            end.extend(44u64.to_le_bytes());
            put(&mut end, [VERSION, VERSION, 0, 0, 0, 0]);
            for number in [count, count, size, start] {
                end.extend(number.to_le_bytes());
            }
            end.extend(END64_LOCATOR.to_le_bytes());
            put(&mut end, [0, 0]);
            end.extend((start + size).to_le_bytes());
            put(&mut end, [1, 0]);
        }
        end.extend(END.to_le_bytes());
        let count = u16::try_from(count).unwrap_or(FULL_COUNT);
        put(&mut end, [0, 0, count, count]);
        for number in [size, start] {
            end.extend(u32::try_from(number).unwrap_or(FULL).to_le_bytes());
        }
        put(&mut end, [0]);
        self.out.write_all(&self.list)?;
        Ok(self.out.write_all(&end)?)
    }
}

/// Whether a number does not fit a field of 32 bits.
fn is_long(n: u64) -> bool {
    n >= u64::from(FULL)
}

/// Numbers for fields of 32 bits; the long ones are in the extra field.
struct Numbers {
    short: Vec<u32>,
    extra: Vec<u8>,
}

impl Numbers {
    fn new(numbers: &[u64], is_long: impl Fn(u64) -> bool) -> Self {
        let (mut short, mut long) = (Vec::new(), Vec::new());
        for &n in numbers {
            if is_long(n) {
                short.push(FULL);
                long.extend(n.to_le_bytes());
            } else {
                short.push(n as u32);
            }
        }
        let mut extra = Vec::new();
        if !long.is_empty() {
            put(&mut extra, [ZIP64, long.len() as u16]);
            extra.extend(long);
        }
        Self { short, extra }
    }
}

fn put<const N: usize>(out: &mut Vec<u8>, numbers: [u16; N]) {
    numbers.iter().for_each(|n| out.extend(n.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::zip::{entries, open};
    use std::io::{self, Cursor, Read, Seek, SeekFrom};

    /// A file that begins with so many zeros, which are nowhere in memory.
    struct Hole {
        zeros: u64,
        at: u64,
        bytes: Vec<u8>,
    }

    impl Seek for Hole {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            let len = self.zeros + self.bytes.len() as u64;
            self.at = match to {
                SeekFrom::Start(at) => at,
                SeekFrom::End(n) => len.strict_add_signed(n),
                SeekFrom::Current(n) => self.at.strict_add_signed(n),
            };
            Ok(self.at)
        }
    }

    impl Read for Hole {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let n = match self.at.checked_sub(self.zeros) {
                Some(at) => (&self.bytes[at as usize..]).read(out)?,
                None => {
                    let n = (self.zeros - self.at).min(out.len() as u64) as usize;
                    out[..n].fill(0);
                    n
                }
            };
            self.at += n as u64;
            Ok(n)
        }
    }

    #[test]
    fn entries_beyond_4_gib_are_found() {
        let zeros = 5 << 30;
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes);
        writer.at = zeros;
        writer.add("a", b"first", Method::Stored).unwrap();
        writer.add("b", &[7; 1000], Method::Deflated).unwrap();
        writer.finish().unwrap();
        let mut file = Hole {
            zeros,
            at: 0,
            bytes,
        };
        let list = entries(&mut file).unwrap();
        assert_eq!(list.len(), 2);
        for (entry, expected) in list.iter().zip([&b"first"[..], &[7; 1000]]) {
            let (mut content, mut got) = (open(&mut file, entry).unwrap(), Vec::new());
            content.read_to_end(&mut got).unwrap();
            content.finish().unwrap();
            assert_eq!(got, expected, "{}", entry.name);
        }
    }

    #[test]
    fn more_entries_than_16_bits_count_are_found() {
        for n in [65_534, 65_535, 65_536] {
            let mut bytes = Vec::new();
            let mut writer = Writer::new(&mut bytes);
            for i in 0..n {
                writer.add(&format!("{i}"), &[], Method::Stored).unwrap();
            }
            writer.finish().unwrap();
            assert_eq!(entries(&mut Cursor::new(bytes)).unwrap().len(), n);
        }
    }

    #[test]
    fn long_numbers_go_to_the_extra_field() {
        let numbers = [FULL.into(), 1, 1 << 40];
        let listed = Numbers::new(&numbers, is_long);
        assert_eq!(listed.short, [FULL, 1, FULL]);
        assert_eq!(listed.extra[..5], [1, 0, 16, 0, 0xff]);
        assert_eq!(listed.extra.len(), 20);
        assert!(
            Numbers::new(&[u64::from(FULL) - 1], is_long)
                .extra
                .is_empty()
        );
    }
}
