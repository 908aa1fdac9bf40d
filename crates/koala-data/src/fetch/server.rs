//! A host on this machine, for tests.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the host does with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// Serves ranges, and refuses those beyond the end.
    Ranges,
    /// Serves the whole file, whatever is asked for.
    Whole,
    /// Serves ranges, and breaks off after so many bytes.
    Breaks(usize),
    /// Answers a range with one that begins elsewhere.
    WrongRange,
    /// Says the range is beyond the end.
    NoRange,
    /// Sends so many bytes without a word on how many there are.
    Endless(usize),
}

/// Serves files from memory and remembers what it was asked.
pub(super) struct Server {
    pub url: String,
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn new(files: &[(&str, &[u8], Manner)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let files: HashMap<String, (Vec<u8>, Manner)> = files
            .iter()
            .map(|(name, content, manner)| (format!("/{name}"), (content.to_vec(), *manner)))
            .collect();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let _ = answer(stream.unwrap(), &files, &log);
            }
        });
        Self { url, asked }
    }
}

fn answer(
    mut stream: TcpStream,
    files: &HashMap<String, (Vec<u8>, Manner)>,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let (mut path, mut range) = (String::new(), None);
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some(rest) = line.strip_prefix("GET ") {
            path = rest.split(' ').next().unwrap_or_default().to_owned();
        }
        if let Some(rest) = line.to_lowercase().strip_prefix("range: bytes=") {
            range = rest.trim_end_matches('-').parse::<usize>().ok();
        }
    }
    log.lock().unwrap().push(match range {
        None => path.clone(),
        Some(from) => format!("{path} from {from}"),
    });
    let Some((content, manner)) = files.get(&path) else {
        return stream.write_all(
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        );
    };
    let from = match (range, manner) {
        (Some(from), Manner::Ranges) if from >= content.len() => return refuse_range(stream),
        (Some(_), Manner::NoRange) => return refuse_range(stream),
        (Some(_), Manner::Whole) | (None, _) => 0,
        (Some(_), Manner::WrongRange) => 1,
        (Some(from), _) => from,
    };
    let status = if range.is_some() && *manner != Manner::Whole {
        format!(
            "206 Partial Content\r\ncontent-range: bytes {from}-{}/{}",
            content.len() - 1,
            content.len()
        )
    } else {
        "200 OK".to_owned()
    };
    if let Manner::Endless(bytes) = manner {
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
        let piece = vec![0; 1 << 16];
        for _ in 0..bytes.div_ceil(piece.len()) {
            stream.write_all(&piece)?;
        }
        return Ok(());
    }
    let body = &content[from..];
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    let sent = match manner {
        Manner::Breaks(after) => body.len().min(*after),
        _ => body.len(),
    };
    stream.write_all(&body[..sent])
}

/// Says that the range is beyond the end.
fn refuse_range(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(
        b"HTTP/1.1 416 Range Not Satisfiable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    )
}
