//! Reading a zip file: first the list at its end, then one entry after the other.

use super::{
    DEFLATE_LIMIT, DIRECTORY_ENTRY, ENCRYPTED, END, END64, END64_LOCATOR, FULL, LOCAL_ENTRY,
    Method, ZIP64,
};
use crate::error::{Error, Result, err};
use crate::io::bytes::read_exact;
use crate::io::shown;
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};

/// Sizes without the parts of variable length.
const DIRECTORY_ENTRY_LEN: u64 = 46;
const END_LEN: u64 = 22;
const END64_LEN: u64 = 56;
const LOCATOR_LEN: u64 = 20;
const LOCAL_ENTRY_LEN: u64 = 30;

/// An entry of the list.
#[derive(Debug, PartialEq)]
pub(in crate::io) struct Entry {
    pub name: String,
    /// Bytes of its content.
    pub size: u64,
    method: Method,
    crc: u32,
    compressed: u64,
    /// Where it begins, and where what follows it does.
    start: u64,
    end: u64,
}

/// The entries of a file, in the order in which it lists them.
///
/// # Errors
/// If the file is no zip file, is damaged, or has entries that overlap, are encrypted or compressed
/// by another method than deflate, or that claim more bytes than theirs can stand for.
pub(in crate::io) fn entries(file: &mut (impl Read + Seek)) -> Result<Vec<Entry>> {
    let len = file.seek(SeekFrom::End(0))?;
    let (count, start, end) = directory(file, len)?;
    // Both are positions within the file.
    let bytes = read_at(file, start, (end - start) as usize)?;
    let mut rest = Fields(&bytes);
    let mut entries = Vec::new();
    while !rest.0.is_empty() {
        entries.push(entry(&mut rest)?);
    }
    if entries.len() as u64 != count {
        return Err(damaged("it lists another number of entries than it says"));
    }
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_unstable_by_key(|&i| entries[i].start);
    let mut next = start;
    for &i in order.iter().rev() {
        let entry = &mut entries[i];
        let least = LOCAL_ENTRY_LEN + entry.name.len() as u64;
        let end = entry
            .start
            .checked_add(least)
            .and_then(|at| at.checked_add(entry.compressed));
        if end.is_none_or(|end| end > next) {
            return Err(damaged("it reaches into what follows it").at(place(&entry.name)));
        }
        (entry.end, next) = (next, entry.start);
    }
    Ok(entries)
}

/// How many entries the file lists, and where the list begins and ends.
fn directory(file: &mut (impl Read + Seek), len: u64) -> Result<(u64, u64, u64)> {
    // A comment of at most 65535 bytes may follow.
    let tail_at = len.saturating_sub(END_LEN + u64::from(u16::MAX));
    let tail = read_at(file, tail_at, (len - tail_at) as usize)?;
    let is_end = |&at: &usize| {
        let mut end = Fields(&tail[at..]);
        matches!(end.u32(), Ok(END))
            && end
                .take(16)
                .and_then(|_| end.u16())
                .is_ok_and(|n| usize::from(n) == end.0.len())
    };
    let at = (0..tail.len()).rev().find(is_end).ok_or_else(|| {
        err!(
            Data,
            "not a complete zip file: it was cut short, has bytes after its end, or is something else"
        )
    })?;
    let mut fields = Fields(&tail[at + 4..]);
    let disks = (fields.u16()?, fields.u16()?, fields.u16()?);
    let (count, size, start) = (fields.u16()?, fields.u32()?, fields.u32()?);
    let mut end = tail_at + at as u64;
    let (mut count, mut size, mut start) = (u64::from(count), u64::from(size), u64::from(start));
    if let Some(at) = locator(file, end)? {
        let record = read_at(file, at, END64_LEN as usize)?;
        let mut record = Fields(&record);
        // The record's own length leads to the locator.
        if record.u32()? != END64 || record.u64()?.checked_add(at + 12) != Some(end - LOCATOR_LEN) {
            return Err(damaged("its end is somewhere else than it says"));
        }
        record.take(20)?;
        (count, size, start) = (record.u64()?, record.u64()?, record.u64()?);
        end = at;
    } else if disks != (0, 0, count as u16) {
        return Err(err!(
            Data,
            "one part of a zip file in several; join them first"
        ));
    }
    if start.checked_add(size) != Some(end) {
        return Err(damaged(
            "its list of entries is somewhere else than it says",
        ));
    }
    Ok((count, start, end))
}

/// Where the zip64 form of the end is, if there is one. What points to it stands before the end.
fn locator(file: &mut (impl Read + Seek), end: u64) -> Result<Option<u64>> {
    let Some(at) = end.checked_sub(LOCATOR_LEN) else {
        return Ok(None);
    };
    let bytes = read_at(file, at, LOCATOR_LEN as usize)?;
    let mut fields = Fields(&bytes);
    if fields.u32()? != END64_LOCATOR {
        return Ok(None);
    }
    fields.take(4)?;
    let record = fields.u64()?;
    if record.checked_add(END64_LEN).is_none_or(|end| end > at) {
        return Err(damaged("its end is somewhere else than it says"));
    }
    Ok(Some(record))
}

/// The next entry of the list; where it ends is not known yet.
fn entry(list: &mut Fields<'_>) -> Result<Entry> {
    if list.0.len() < DIRECTORY_ENTRY_LEN as usize || list.u32()? != DIRECTORY_ENTRY {
        return Err(damaged("its list of entries is broken"));
    }
    list.take(4)?;
    let (flags, method) = (list.u16()?, list.u16()?);
    list.take(4)?;
    let (crc, compressed, size) = (list.u32()?, list.u32()?, list.u32()?);
    let [name, extra, comment] = [list.u16()?, list.u16()?, list.u16()?].map(usize::from);
    list.take(8)?;
    let start = list.u32()?;
    let name = name_of(list.take(name)?)?;
    let [mut compressed, mut size, mut start] = [compressed, size, start].map(u64::from);
    zip64(
        Fields(list.take(extra)?),
        [&mut size, &mut compressed, &mut start],
    )
    .map_err(|e| e.at(place(&name)))?;
    list.take(comment)?;
    let method = check(flags, method, compressed, size).map_err(|e| e.at(place(&name)))?;
    Ok(Entry {
        name,
        size,
        method,
        crc,
        compressed,
        start,
        end: 0,
    })
}

fn check(flags: u16, method: u16, compressed: u64, size: u64) -> Result<Method> {
    if flags & ENCRYPTED != 0 {
        return Err(err!(Data, "it is encrypted; save it without a password"));
    }
    let (method, most) = match method {
        0 => (Method::Stored, compressed),
        8 => (Method::Deflated, compressed.saturating_mul(DEFLATE_LIMIT)),
        _ => {
            return Err(err!(
                Data,
                "it is compressed by method {method}, only 0 (stored) and 8 (deflated) are read; save it with \
                 numpy.savez or numpy.savez_compressed"
            ));
        }
    };
    if size > most || method == Method::Stored && size != compressed {
        return Err(err!(
            Data,
            "damaged: it claims to become {size} bytes, which its {compressed} bytes cannot stand for"
        ));
    }
    Ok(method)
}

/// Replaces the numbers that are too large for 32 bits by those of the extra field.
fn zip64(mut extra: Fields<'_>, numbers: [&mut u64; 3]) -> Result<()> {
    let mut long = Fields(&[]);
    while extra.0.len() >= 4 {
        let (id, len) = (extra.u16()?, extra.u16()?);
        let field = extra.take(usize::from(len))?;
        if id == ZIP64 {
            long = Fields(field);
        }
    }
    for number in numbers {
        if *number == u64::from(FULL) && !long.0.is_empty() {
            *number = long.u64()?;
        }
    }
    Ok(())
}

/// An entry's content, which the reader gives back to [`Content::finish`] when it has read it.
///
/// # Errors
/// If what stands in front of the content does not agree with the list.
pub(in crate::io) fn open<'a, R: Read + Seek>(
    file: &'a mut R,
    entry: &Entry,
) -> Result<Content<'a, R>> {
    let start = read_at(file, entry.start, LOCAL_ENTRY_LEN as usize)?;
    let mut fields = Fields(&start);
    let signature = fields.u32()?;
    fields.take(22)?;
    let (name, extra) = (fields.u16()?, fields.u16()?);
    let begin = entry.start + LOCAL_ENTRY_LEN + u64::from(name) + u64::from(extra);
    let fits = begin
        .checked_add(entry.compressed)
        .is_some_and(|end| end <= entry.end);
    if signature != LOCAL_ENTRY || !fits {
        return Err(damaged("it is not where the list of entries says"));
    }
    let mut own = vec![0; usize::from(name)];
    read_exact(file, &mut own)?;
    if own != entry.name.as_bytes() {
        return Err(damaged("it has another name in the list of entries"));
    }
    file.seek(SeekFrom::Start(begin))?;
    let bytes = file.take(entry.compressed);
    Ok(Content {
        source: match entry.method {
            Method::Stored => Compressed::No(bytes),
            Method::Deflated => Compressed::Deflate(DeflateDecoder::new(BufReader::new(bytes))),
        },
        sum: Crc::new(),
        expected: entry.crc,
        compressed: entry.compressed,
    })
}

/// The content of an entry.
pub(in crate::io) struct Content<'a, R> {
    source: Compressed<'a, R>,
    sum: Crc,
    expected: u32,
    compressed: u64,
}

enum Compressed<'a, R> {
    No(Take<&'a mut R>),
    Deflate(DeflateDecoder<BufReader<Take<&'a mut R>>>),
}

impl<R: Read> Read for Content<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = match &mut self.source {
            Compressed::No(source) => source.read(out)?,
            Compressed::Deflate(source) => source.read(out)?,
        };
        self.sum.update(&out[..n]);
        Ok(n)
    }
}

impl<R: Read> Content<'_, R> {
    /// An error unless all of the content was read, nothing follows it, and the sum is right.
    pub(in crate::io) fn finish(mut self) -> Result<()> {
        let more = match io::Read::read(&mut self, &mut [0]) {
            Ok(n) => n > 0,
            // The end of the compressed bytes is missing.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => true,
            Err(e) if e.kind() == io::ErrorKind::InvalidInput => true,
            Err(e) => return Err(e.into()),
        };
        let unread = match &self.source {
            Compressed::No(source) => source.limit() > 0,
            Compressed::Deflate(source) => source.total_in() != self.compressed,
        };
        if more || unread {
            return Err(damaged("its content does not end where it should"));
        }
        if self.sum.sum() != self.expected {
            return Err(damaged("its checksum is wrong"));
        }
        Ok(())
    }
}

/// How an entry is named in messages.
pub(in crate::io) fn place(name: &str) -> String {
    format!("entry '{}'", shown(name))
}

fn name_of(bytes: &[u8]) -> Result<String> {
    let name = std::str::from_utf8(bytes).map_err(|_| {
        err!(
            Data,
            "the name '{}' is not in UTF-8; save it again with NumPy",
            shown(&bytes.escape_ascii().to_string())
        )
    })?;
    Ok(name.to_string())
}

fn read_at(file: &mut (impl Read + Seek), at: u64, len: usize) -> Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = vec![0; len];
    read_exact(file, &mut bytes)?;
    Ok(bytes)
}

fn damaged(what: &str) -> Error {
    err!(Data, "damaged: {what}; get or write it again")
}

/// Little-endian numbers one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (first, rest) = self
            .0
            .split_at_checked(n)
            .ok_or_else(|| damaged("a record is cut short"))?;
        self.0 = rest;
        Ok(first)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.take(N)?.try_into().expect("as many were taken"))
    }
    fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }
    fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }
    fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }
}
