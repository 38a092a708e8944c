//! One file over the network: by the system's `curl`, which has the protocols, the certificates and
//! the proxies of the machine it is on.
//!
//! What is asked for, what is believed of the answer and where it goes is decided here. The answer
//! comes through a thread, so that a server that says nothing more is noticed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use gradus_core::{Error, Kind};

/// How often the caller is asked whether to go on while nothing arrives.
const TICK: Duration = Duration::from_millis(100);
const PIECE: usize = 1 << 16;
/// Longer headers are no answer.
const MAX_HEADERS: u64 = 1 << 16;

/// Why a file is not there.
pub(super) enum Trouble {
    /// What has arrived is kept; to ask again goes on behind it.
    Broken(String),
    /// There is nothing to be had here.
    Refused(String),
    /// The network is not to blame.
    Local(Error),
    /// The caller wanted it.
    Stopped,
}

/// What has arrived and, where the server says it, what there is, in bytes.
type Tell<'a> = &'a mut dyn FnMut(u64, Option<u64>) -> ControlFlow<()>;

/// Fetches `url` into `part`, whose content is taken for the beginning of the file if the server
/// can go on from there. Takes at most `most` bytes, and waits for `patience` at most.
pub(super) fn fetch(
    url: &str,
    part: &mut File,
    most: u64,
    patience: Duration,
    tell: Tell<'_>,
) -> Result<(), Trouble> {
    let mut done = part.seek(SeekFrom::End(0)).map_err(local)?;
    let mut curl = Curl::start(url, done)?;
    let answer = curl.listen();
    let (mut total, mut arrived, mut last) = (None, false, Instant::now());
    let broken = |arrived, why: String| match arrived {
        true => Trouble::Broken(why),
        false => Trouble::Refused(why),
    };
    let too_long = || Trouble::Refused(format!("more than the {most} bytes that are expected"));
    loop {
        match answer.recv_timeout(TICK) {
            Ok(Message::Head(head)) => {
                match head.status {
                    206 if head.start == Some(done) => {}
                    // The beginning is no use: not to a server that sends all of it again, nor to
                    // one that has another file.
                    200 | 206 | 416 => {
                        part.set_len(0).map_err(local)?;
                        part.rewind().map_err(local)?;
                        done = 0;
                    }
                    _ => {}
                }
                match head.status {
                    200 => {}
                    206 if head.start == Some(done) => {}
                    206 | 416 => return Err(Trouble::Broken("it has no such part".into())),
                    status => return Err(Trouble::Refused(format!("HTTP status {status}"))),
                }
                total = head.total;
                if total.is_some_and(|total| total > most) {
                    return Err(too_long());
                }
                last = Instant::now();
            }
            Ok(Message::Bytes(bytes)) => {
                if done + bytes.len() as u64 > most {
                    part.set_len(0).map_err(local)?;
                    return Err(too_long());
                }
                part.write_all(&bytes).map_err(local)?;
                done += bytes.len() as u64;
                (arrived, last) = (true, Instant::now());
            }
            Err(RecvTimeoutError::Timeout) if last.elapsed() >= patience => {
                let why = format!("nothing arrived for {} s", patience.as_secs_f64());
                return Err(broken(arrived, why));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if tell(done, total).is_break() {
            return Err(Trouble::Stopped);
        }
    }
    curl.end().map_err(|why| broken(arrived, why))
}

fn local(e: io::Error) -> Trouble {
    Trouble::Local(e.into())
}

/// What the server says, in order.
enum Message {
    Head(Head),
    Bytes(Vec<u8>),
}

#[derive(Default)]
struct Head {
    status: u16,
    /// Of a part, where it begins.
    start: Option<u64>,
    /// Of the whole file.
    total: Option<u64>,
    redirects: bool,
}

/// A running `curl`, which ends with this.
struct Curl(Child);

impl Curl {
    fn start(url: &str, from: u64) -> Result<Self, Trouble> {
        let mut curl = Command::new("curl");
        // No settings of the user's: they may change what comes out.
        curl.args([
            "--disable",
            "--silent",
            "--show-error",
            "--globoff",
            "--no-buffer",
        ])
        .args(["--include", "--suppress-connect-headers"])
        .args(["--location", "--max-redirs", "5", "--proto", "=http,https"])
        .args([
            "--user-agent",
            concat!("gradus/", env!("CARGO_PKG_VERSION")),
        ])
        .args(["--url", url]);
        if url.starts_with("https:") {
            curl.args(["--proto-redir", "=https"]);
        }
        if from > 0 {
            curl.args(["--range", &format!("{from}-")]);
        }
        curl.stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let started = curl.spawn().map_err(|e| {
            let message = match e.kind() {
                io::ErrorKind::NotFound => {
                    "the program curl, which downloads, is not there; install \
                                            it, or fetch the files by other means"
                        .to_string()
                }
                _ => format!("cannot start the program curl: {e}"),
            };
            Trouble::Local(Error::new(Kind::Data, message))
        });
        Ok(Self(started?))
    }

    /// What it writes, read by a thread of its own.
    fn listen(&mut self) -> Receiver<Message> {
        let (sender, receiver) = sync_channel(16);
        if let Some(stdout) = self.0.stdout.take() {
            // An answer that breaks off is told by how the program ends.
            thread::spawn(move || read(BufReader::with_capacity(PIECE, stdout), &sender));
        }
        receiver
    }

    /// Waits for the end; what was wrong, if something was.
    fn end(mut self) -> Result<(), String> {
        let mut said = String::new();
        if let Some(stderr) = self.0.stderr.take() {
            let _ = stderr.take(1 << 12).read_to_string(&mut said);
        }
        match self.0.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) if said.trim().is_empty() => Err(format!("curl ended with {status}")),
            Ok(_) => Err(said.split_whitespace().collect::<Vec<_>>().join(" ")),
            Err(e) => Err(e.to_string()),
        }
    }
}

impl Drop for Curl {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads the heads of all answers, of which the last is the one that counts, and its content.
fn read(mut answer: impl BufRead, sender: &SyncSender<Message>) -> io::Result<()> {
    let mut headers = (&mut answer).take(MAX_HEADERS);
    let head = loop {
        let head = head(&mut headers)?;
        if head.status >= 200 && !head.redirects {
            break head;
        }
    };
    let mut listening = sender.send(Message::Head(head)).is_ok();
    while listening {
        let piece = answer.fill_buf()?;
        let n = piece.len();
        if n == 0 {
            break;
        }
        listening = sender.send(Message::Bytes(piece.to_vec())).is_ok();
        answer.consume(n);
    }
    Ok(())
}

/// Reads up to a blank line.
fn head(headers: &mut impl BufRead) -> io::Result<Head> {
    let mut line = Vec::new();
    let mut next = || {
        line.clear();
        match headers.read_until(b'\n', &mut line)? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
            _ => Ok(String::from_utf8_lossy(&line).trim().to_string()),
        }
    };
    let mut head = Head::default();
    let status = next()?;
    let status = status.split_whitespace().nth(1).unwrap_or_default();
    head.status = status.parse().unwrap_or(0);
    loop {
        let line = next()?;
        let Some((name, value)) = line.split_once(':') else {
            if line.is_empty() {
                return Ok(head);
            }
            continue;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "location" => head.redirects = (300..400).contains(&head.status),
            "content-length" if head.total.is_none() => head.total = value.parse().ok(),
            // `bytes 100-199/200`
            "content-range" => {
                let (range, total) = value.split_once('/').unwrap_or((value, ""));
                let start = range.trim_start_matches("bytes").trim().split('-').next();
                head.start = start.and_then(|start| start.parse().ok());
                head.total = total.parse().ok();
            }
            _ => {}
        }
    }
}
