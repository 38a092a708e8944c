//! `gradus data get` and a server on this machine that does what servers do. Ignored without `curl`;
//! the tests of real files where these are missing.
//!
//! What is fetched here is a file of CIFAR-10's form, all of it black: it has no checksum, and packs
//! well.

#[path = "../../gradus/tests/common/mod.rs"]
mod real;

mod common;

use common::{Said, finish, folder, gradus, read, run};
use flate2::{Compression, write::GzEncoder};
use libtest_mimic::{Arguments, Failed, Trial};
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const FILE: &str = "cifar-10-binary.tar.gz";

fn main() {
    let no_curl = Command::new("curl")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_err();
    type Test = fn() -> Result<(), Failed>;
    let tests: [(&str, Test); 17] = [
        ("a_file_is_fetched_once", a_file_is_fetched_once),
        ("what_broke_off_goes_on", what_broke_off_goes_on),
        (
            "a_server_without_parts_begins_again",
            a_server_without_parts_begins_again,
        ),
        (
            "another_beginning_is_not_kept",
            another_beginning_is_not_kept,
        ),
        (
            "an_interrupted_program_goes_on",
            an_interrupted_program_goes_on,
        ),
        ("the_next_place_is_asked", the_next_place_is_asked),
        ("wrong_content_is_refused", wrong_content_is_refused),
        ("silence_is_an_error", silence_is_an_error),
        ("statuses_are_told", statuses_are_told),
        ("too_much_is_not_taken", too_much_is_not_taken),
        (
            "what_unpacks_to_more_is_refused",
            what_unpacks_to_more_is_refused,
        ),
        ("redirections_are_followed", redirections_are_followed),
        (
            "redirections_to_files_are_not",
            redirections_to_files_are_not,
        ),
        ("damaged_files_are_replaced", damaged_files_are_replaced),
        (
            "files_of_other_names_are_left",
            files_of_other_names_are_left,
        ),
        ("a_folder_will_do", a_folder_will_do),
        ("without_curl_it_says_so", without_curl_it_says_so),
    ];
    let mut trials: Vec<Trial> = tests
        .into_iter()
        .map(|(name, test)| Trial::test(name, test).with_ignored_flag(no_curl))
        .collect();
    for set in ["mnist", "fashion-mnist"] {
        let name = format!("{set}::has_its_checksums");
        let missing = no_curl || !real::has(set);
        trials.push(Trial::test(name, move || has_its_checksums(set)).with_ignored_flag(missing));
    }
    let no_snails = no_curl || !real::data_dir().join("abalone/abalone.data").exists();
    let test = || has_its_checksums("abalone");
    trials.push(Trial::test("abalone::has_its_checksums", test).with_ignored_flag(no_snails));
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// The packed file, with so many images in each batch, all of this class.
fn packed(images: usize, label: u8) -> Vec<u8> {
    let mut batch = vec![0; images * 3073];
    batch
        .iter_mut()
        .step_by(3073)
        .for_each(|byte| *byte = label);
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for name in [
        "data_batch_1",
        "data_batch_2",
        "data_batch_3",
        "data_batch_4",
        "data_batch_5",
        "test_batch",
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(batch.len() as u64);
        header.set_mode(0o644);
        let path = format!("cifar-10-batches-bin/{name}.bin");
        archive.append_data(&mut header, path, &batch[..]).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

/// What the right file is.
static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| packed(10_000, 3));

/// What is asked of a server.
struct Request {
    path: String,
    /// Where a part begins.
    from: Option<usize>,
    /// How many were before, for this server.
    before: usize,
}

struct Server {
    url: String,
    /// Where the part of each request begins.
    log: Arc<Mutex<Vec<Option<usize>>>>,
}

impl Server {
    /// Answers every request so, until the tests end.
    fn new(
        answer: impl Fn(&Request, &mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (log.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer) = (seen.clone(), answer.clone());
                // A client that hangs up is part of the tests.
                thread::spawn(move || {
                    let mut stream = stream;
                    let mut request = request(&stream)?;
                    let mut seen = seen.lock().unwrap();
                    request.before = seen.len();
                    seen.push(request.from);
                    drop(seen);
                    answer(&request, &mut stream)
                });
            }
        });
        Self { url, log }
    }

    fn parts(&self) -> Vec<Option<usize>> {
        self.log.lock().unwrap().clone()
    }

    /// `gradus data get SET --from` here, with the timeout in seconds.
    fn get(&self, dir: &Path, set: &str, timeout: &str) -> Said {
        finish(&mut self.command(dir, set, timeout))
    }

    fn command(&self, dir: &Path, set: &str, timeout: &str) -> Command {
        let mut command = gradus();
        command
            .current_dir(dir)
            .args(["data", "get", set, "--data-dir", "data"]);
        command.args(["--from", &self.url, "--timeout", timeout, "--json"]);
        // A proxy would answer in place of the server.
        command.env("no_proxy", "127.0.0.1");
        command
    }
}

fn request(stream: &TcpStream) -> io::Result<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or(Ok(String::new()))?;
    let path = first
        .split_whitespace()
        .nth(1)
        .unwrap_or_default()
        .to_string();
    let mut from = None;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = range.trim_end_matches('-').parse().ok();
        }
    }
    Ok(Request {
        path,
        from,
        before: 0,
    })
}

fn status(stream: &mut TcpStream, status: &str) -> io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
}

/// What a good server sends of `file`; no more than `until`.
fn send(request: &Request, stream: &mut TcpStream, file: &[u8], until: usize) -> io::Result<()> {
    let (n, from) = (file.len(), request.from.unwrap_or(0));
    if from >= n {
        return status(stream, "416 Range Not Satisfiable");
    }
    match request.from {
        None => write!(stream, "HTTP/1.1 200 OK\r\n")?,
        Some(from) => write!(
            stream,
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {from}-{}/{n}\r\n",
            n - 1
        )?,
    }
    write!(
        stream,
        "Content-Length: {}\r\nConnection: close\r\n\r\n",
        n - from
    )?;
    stream.write_all(&file[from..until.clamp(from, n)])
}

fn good() -> Server {
    Server::new(|request, stream| send(request, stream, &GOOD, usize::MAX))
}

/// Where the file and its part are to be.
fn places(dir: &Path) -> (PathBuf, PathBuf) {
    let folder = dir.join("data/cifar-10");
    (folder.join(FILE), folder.join(format!("{FILE}.part")))
}

/// The file is there as it should be, and nothing beside it.
#[track_caller]
fn whole(dir: &Path, said: &Said) {
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(read(places(dir).0) == *GOOD, "the file is another one");
    let names = fs::read_dir(dir.join("data/cifar-10")).unwrap();
    assert_eq!(names.count(), 1, "something was left");
}

/// Nothing has the name of the file; the program said why, in one line.
#[track_caller]
fn refused(dir: &Path, said: &Said, why: &str) {
    assert_eq!(said.code, Some(3), "{}", said.err);
    assert!(
        !places(dir).0.exists(),
        "something has the name of the file"
    );
    let errors: Vec<_> = said
        .err
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(errors.len(), 1, "{}", said.err);
    assert!(errors[0].contains(why), "{:?} lacks {why:?}", errors[0]);
    assert_eq!(said.out, "");
}

/// A file that is fetched at every start of a lesson.
fn a_file_is_fetched_once() -> Result<(), Failed> {
    let (dir, server) = (folder(), good());
    let said = server.get(dir.path(), "cifar-10", "20");
    whole(dir.path(), &said);
    let json = said.json();
    assert_eq!(json[0]["files"][0]["checked_by"], "structure");
    assert_eq!(
        json[0]["files"][0]["from"],
        format!("{}/cifar-10/{FILE}", server.url)
    );
    let said = server.get(dir.path(), "cifar-10", "20");
    whole(dir.path(), &said);
    assert!(said.json()[0]["files"][0]["from"].is_null());
    assert_eq!(server.parts(), [None]);
    Ok(())
}

/// Connections that break, and the same bytes over and over.
fn what_broke_off_goes_on() -> Result<(), Failed> {
    let third = GOOD.len() / 3;
    let server = Server::new(move |request, stream| {
        send(request, stream, &GOOD, third * (request.before + 1))
    });
    let dir = folder();
    let said = server.get(dir.path(), "cifar-10", "20");
    let left = GOOD.len() > 3 * third;
    whole(dir.path(), &said);
    let mut parts = vec![None, Some(third), Some(2 * third)];
    parts.extend(left.then_some(Some(3 * third)));
    assert_eq!(server.parts(), parts);
    Ok(())
}

/// A file that has its beginning twice.
fn a_server_without_parts_begins_again() -> Result<(), Failed> {
    let server = Server::new(|request, stream| {
        let until = if request.before == 0 {
            GOOD.len() / 2
        } else {
            usize::MAX
        };
        let all = Request {
            from: None,
            path: String::new(),
            before: 0,
        };
        send(&all, stream, &GOOD, until)
    });
    let dir = folder();
    let said = server.get(dir.path(), "cifar-10", "20");
    whole(dir.path(), &said);
    assert_eq!(server.parts(), [None, Some(GOOD.len() / 2)]);
    Ok(())
}

/// A beginning that came from elsewhere, longer than the file or not, and spoils it forever.
fn another_beginning_is_not_kept() -> Result<(), Failed> {
    for length in [10, GOOD.len() + 10] {
        let (dir, server) = (folder(), good());
        let part = places(dir.path()).1;
        fs::create_dir_all(part.parent().unwrap())?;
        fs::write(part, vec![b'x'; length])?;
        let said = server.get(dir.path(), "cifar-10", "20");
        whole(dir.path(), &said);
        assert_eq!(server.parts(), [Some(length), None]);
    }
    Ok(())
}

/// Ctrl-C that loses what took an hour.
fn an_interrupted_program_goes_on() -> Result<(), Failed> {
    let half = GOOD.len() / 2;
    let server = Server::new(move |request, stream| match request.before {
        0 => {
            send(request, stream, &GOOD, half)?;
            thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        _ => send(request, stream, &GOOD, usize::MAX),
    });
    let dir = folder();
    let mut command = server.command(dir.path(), "cifar-10", "60");
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let part = places(dir.path()).1;
    let begun = Instant::now();
    while fs::metadata(&part).map_or(0, |part| part.len()) < half as u64 {
        assert!(begun.elapsed() < Duration::from_secs(50), "nothing arrives");
        thread::sleep(Duration::from_millis(20));
    }
    common::signal(&child, "-INT");
    let said = common::said(child.wait_with_output()?);
    assert_eq!(said.code, Some(130), "{}", said.err);
    assert!(
        said.err.contains("the same command goes on"),
        "{}",
        said.err
    );
    assert!(read(&part) == GOOD[..half]);
    let said = server.get(dir.path(), "cifar-10", "20");
    whole(dir.path(), &said);
    assert_eq!(server.parts(), [None, Some(half)]);
    Ok(())
}

/// One server that is down, and no file.
fn the_next_place_is_asked() -> Result<(), Failed> {
    let server = Server::new(
        |request, stream| match request.path.starts_with("/cifar-10/") {
            true => status(stream, "503 Service Unavailable"),
            false => send(request, stream, &GOOD, usize::MAX),
        },
    );
    let dir = folder();
    let said = server.get(dir.path(), "cifar-10", "20");
    whole(dir.path(), &said);
    assert!(said.err.contains("HTTP status 503"), "{}", said.err);
    Ok(())
}

/// Somebody else's bytes under the name of a data set.
fn wrong_content_is_refused() -> Result<(), Failed> {
    let gzipped = |content: &[u8]| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(content).unwrap();
        gzip.finish().unwrap()
    };
    let cases = [
        (
            "cifar-10",
            packed(10_000, 10),
            "label 10 of image 0 is none of the 10 classes",
        ),
        (
            "cifar-10",
            packed(9_999, 1),
            "data_batch_1.bin: 9999 images, expected 10000",
        ),
        (
            "cifar-10",
            GOOD[..GOOD.len() - 9].to_vec(),
            "cifar-10-binary.tar.gz: damaged",
        ),
        (
            "cifar-10",
            b"<html>Log in to this network</html>".to_vec(),
            "no tar or zip archive",
        ),
        ("abalone", vec![b'x'; 191_873], "its SHA-256 is "),
        ("abalone", b"M,0.455\n".to_vec(), "8 bytes, expected 191873"),
        ("mnist", gzipped(&[0; 47_040_016]), "its SHA-256 is "),
    ];
    for (set, content, why) in cases {
        let server =
            Server::new(move |request, stream| send(request, stream, &content, usize::MAX));
        let dir = folder();
        let said = server.get(dir.path(), set, "20");
        refused(dir.path(), &said, why);
        let left = fs::read_dir(dir.path().join("data").join(set))?.count();
        assert_eq!(left, 0, "{set}: wrong bytes are kept");
    }
    Ok(())
}

/// A program that waits forever.
fn silence_is_an_error() -> Result<(), Failed> {
    let half = GOOD.len() / 2;
    for until in [0, half] {
        let server = Server::new(move |request, stream| {
            if until > 0 {
                send(request, stream, &GOOD, until)?;
            }
            thread::sleep(Duration::from_secs(60));
            Ok(())
        });
        let dir = folder();
        let said = server.get(dir.path(), "cifar-10", "1");
        refused(dir.path(), &said, "nothing arrived for 1 s");
        let part = places(dir.path()).1;
        assert_eq!(
            fs::metadata(part).map_or(0, |part| part.len()),
            until as u64
        );
    }
    Ok(())
}

/// An error page that is taken for data.
fn statuses_are_told() -> Result<(), Failed> {
    for code in ["404 Not Found", "500 Internal Server Error", "302 Found"] {
        let server = Server::new(move |_, stream| status(stream, code));
        let dir = folder();
        let said = server.get(dir.path(), "cifar-10", "20");
        refused(dir.path(), &said, &format!("HTTP status {}", &code[..3]));
    }
    Ok(())
}

/// A disk that somebody else fills.
fn too_much_is_not_taken() -> Result<(), Failed> {
    let most = 191_873 + 191 + 1024;
    for promise in ["", "Content-Length: 10000000000\r\n"] {
        let server = Server::new(move |_, stream| {
            write!(
                stream,
                "HTTP/1.1 200 OK\r\n{promise}Connection: close\r\n\r\n"
            )?;
            loop {
                stream.write_all(&[b'0'; 10_000])?;
            }
        });
        let dir = folder();
        let said = server.get(dir.path(), "abalone", "20");
        let why = format!("more than the {most} bytes that are expected");
        refused(dir.path(), &said, &why);
        assert_eq!(fs::read_dir(dir.path().join("data/abalone"))?.count(), 0);
    }
    Ok(())
}

/// A small file that is a large one.
fn what_unpacks_to_more_is_refused() -> Result<(), Failed> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&vec![0; 20 << 20])?;
    let bomb = gzip.finish()?;
    let server = Server::new(move |request, stream| send(request, stream, &bomb, usize::MAX));
    let dir = folder();
    let said = server.get(dir.path(), "abalone", "20");
    refused(dir.path(), &said, "more than 191873 bytes of content");
    Ok(())
}

fn redirections_are_followed() -> Result<(), Failed> {
    let server = Server::new(|request, stream| match request.path.as_str() {
        "/moved" => send(request, stream, &GOOD, usize::MAX),
        _ => write!(
            stream,
            "HTTP/1.1 301 Moved Permanently\r\nLocation: /moved\r\nContent-Length: 4\r\n\
             Connection: close\r\n\r\nhere"
        ),
    });
    let dir = folder();
    let said = server.get(dir.path(), "cifar-10", "20");
    whole(dir.path(), &said);
    Ok(())
}

/// A server that has a file of this machine read, and one that sends round in circles.
fn redirections_to_files_are_not() -> Result<(), Failed> {
    for to in ["file:///etc/hosts", "/again"] {
        let server = Server::new(move |_, stream| {
            write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        });
        let dir = folder();
        let said = server.get(dir.path(), "cifar-10", "20");
        refused(dir.path(), &said, "curl: (");
    }
    Ok(())
}

/// A damaged file that stays, or is gone before the right one is there.
fn damaged_files_are_replaced() -> Result<(), Failed> {
    let (dir, server) = (folder(), good());
    let file = places(dir.path()).0;
    fs::create_dir_all(file.parent().unwrap())?;
    fs::write(&file, &GOOD[..1000])?;
    let away = Server::new(|_, stream| status(stream, "404 Not Found"));
    let said = away.get(dir.path(), "cifar-10", "20");
    assert_eq!(said.code, Some(3), "{}", said.err);
    assert_eq!(read(&file), &GOOD[..1000]);
    let said = server.get(dir.path(), "cifar-10", "20");
    whole(dir.path(), &said);
    assert!(said.err.contains("damaged"), "{}", said.err);
    Ok(())
}

/// A file of the user's that is overwritten, or read in place of the one that was fetched.
fn files_of_other_names_are_left() -> Result<(), Failed> {
    let dir = folder();
    let mnist = common::small_mnist(dir.path());
    let before = read(mnist.join("train-images-idx3-ubyte"));
    let said = good().get(dir.path(), "mnist", "20");
    refused(
        dir.path(),
        &said,
        "expected 47040016; remove it to fetch it anew",
    );
    assert!(said.err.contains("train-images-idx3-ubyte"), "{}", said.err);
    assert_eq!(read(mnist.join("train-images-idx3-ubyte")), before);
    Ok(())
}

/// A memory stick, with the file or a damaged one on it.
fn a_folder_will_do() -> Result<(), Failed> {
    let dir = folder();
    let stick = dir.path().join("stick");
    fs::create_dir_all(&stick)?;
    let get = || {
        run(
            dir.path(),
            [
                "data",
                "get",
                "cifar-10",
                "--data-dir",
                "data",
                "--from",
                "stick",
            ],
        )
    };
    refused(
        dir.path(),
        &get(),
        "stick/cifar-10-binary.tar.gz: there is no such file",
    );
    fs::write(stick.join(FILE), &GOOD[..5000])?;
    refused(dir.path(), &get(), "cifar-10-binary.tar.gz: damaged");
    fs::write(stick.join(FILE), &*GOOD)?;
    let said = get();
    whole(dir.path(), &said);
    assert!(
        said.out
            .starts_with("cifar-10: is there, 1 file fetched in data"),
        "{}",
        said.out
    );
    let list = common::ok(dir.path(), "data list --data-dir data").out;
    assert!(list.contains("present in data/cifar-10"), "{list}");
    let said = run(dir.path(), ["data", "get", "mnits"]);
    assert_eq!(said.code, Some(2), "{}", said.err);
    Ok(())
}

fn without_curl_it_says_so() -> Result<(), Failed> {
    let (dir, server) = (folder(), good());
    let said = finish(
        server
            .command(dir.path(), "cifar-10", "20")
            .env("PATH", dir.path()),
    );
    refused(
        dir.path(),
        &said,
        "the program curl, which downloads, is not there",
    );
    assert_eq!(server.parts().len(), 0);
    Ok(())
}

/// A checksum that is not that of the data set.
fn has_its_checksums(set: &str) -> Result<(), Failed> {
    let dir = folder();
    let from = std::path::absolute(real::data_dir())?;
    let from = from.to_str().ok_or("the path is not UTF-8")?;
    let said = run(
        dir.path(),
        [
            "data",
            "get",
            set,
            "--from",
            from,
            "--data-dir",
            "data",
            "--json",
        ],
    );
    assert_eq!(said.code, Some(0), "{}", said.err);
    let json = said.json();
    let files = json[0]["files"].as_array().ok_or("no files")?;
    assert!(!files.is_empty() && files.iter().all(|file| file["checked_by"] == "sha256"));
    Ok(())
}
