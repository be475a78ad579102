//! A web server for files, and for git repositories through `git http-backend`, optionally with a
//! token.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Serves until the process ends.
pub struct Web {
    port: u16,
}

struct Served {
    root: PathBuf,
    /// The required value of `Authorization`.
    wanted: Option<String>,
}

impl Web {
    /// Serves the files of a folder; repositories in it (`NAME.git`) also for git.
    pub fn of(root: &Path) -> Self {
        Self::start(root, None)
    }

    /// The same, but only for requests with this `Authorization` header.
    pub fn with_authorization(root: &Path, wanted: &str) -> Self {
        Self::start(root, Some(wanted.to_owned()))
    }

    fn start(root: &Path, wanted: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let served = Arc::new(Served {
            root: root.to_owned(),
            wanted,
        });
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let served = Arc::clone(&served);
                std::thread::spawn(move || {
                    // The client may be gone already.
                    let _ = served.answer(stream);
                });
            }
        });
        Self { port }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// `host:port`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

struct Asked {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Asked {
    fn read(stream: &TcpStream) -> std::io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (method, target) = (words.next(), words.next().unwrap_or("/"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut asked = Self {
            method: method.unwrap_or_default().to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            let header = (name.to_ascii_lowercase(), value.trim().to_owned());
            asked.headers.push(header);
        }
        let length = asked.header("content-length").parse().unwrap_or(0);
        reader.take(length).read_to_end(&mut asked.body)?;
        Ok(asked)
    }

    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

impl Served {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let asked = Asked::read(&stream)?;
        if self
            .wanted
            .as_ref()
            .is_some_and(|wanted| asked.header("authorization") != wanted)
        {
            return stream.write_all(
                b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic \
                  realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            );
        }
        let file = self.root.join(asked.path.trim_start_matches('/'));
        if !asked.path.contains(".git/") && file.is_file() {
            let bytes = std::fs::read(file)?;
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                bytes.len()
            );
            stream.write_all(head.as_bytes())?;
            return match asked.method.as_str() {
                "HEAD" => Ok(()),
                _ => stream.write_all(&bytes),
            };
        }
        if asked.path.contains(".git/") {
            return self.git(&asked, &mut stream);
        }
        stream
            .write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    }

    /// Runs git's backend as a web server runs CGI programs.
    fn git(&self, asked: &Asked, stream: &mut TcpStream) -> std::io::Result<()> {
        let mut backend = Command::new("git")
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("REQUEST_METHOD", &asked.method)
            .env("PATH_INFO", &asked.path)
            .env("QUERY_STRING", &asked.query)
            .env("CONTENT_TYPE", asked.header("content-type"))
            .env("CONTENT_LENGTH", asked.body.len().to_string())
            .env("HTTP_CONTENT_ENCODING", asked.header("content-encoding"))
            .env("GIT_PROTOCOL", asked.header("git-protocol"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut stdin = backend.stdin.take().expect("piped");
        stdin.write_all(&asked.body)?;
        drop(stdin);
        let mut answer = BufReader::new(backend.stdout.take().expect("piped"));
        let (mut status, mut head) = ("200 OK".to_owned(), String::new());
        loop {
            let mut line = String::new();
            answer.read_line(&mut line)?;
            match line.trim_end().split_once(": ") {
                None => break,
                Some(("Status", value)) => value.clone_into(&mut status),
                Some((name, value)) => head.push_str(&format!("{name}: {value}\r\n")),
            }
        }
        let head = format!("HTTP/1.1 {status}\r\n{head}Connection: close\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        std::io::copy(&mut answer, stream)?;
        backend.wait().map(drop)
    }
}
