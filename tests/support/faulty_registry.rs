//! A proxy in front of the engine's registry that makes some requests fail: with a status, or by a
//! cut connection in the middle of a body. Each connection carries one request.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::Engine;

/// The fault of a request.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The answer has this status line and these headers, each with a line ending.
    Status(&'static str, &'static str),
    /// The connection is reset after this many bytes of the request's body. Shorter bodies pass.
    Cut(u64),
}

/// A registry that fails.
pub struct FaultyRegistry {
    host: String,
    seen: Arc<Mutex<Vec<String>>>,
}

struct Rules {
    fault: Fault,
    /// A request fails if its request line has all of these words.
    words: Vec<&'static str>,
    left: Mutex<u32>,
}

impl FaultyRegistry {
    /// The first `times` requests fail whose request line (`PUT /v2/… HTTP/1.1`) has all of these
    /// words.
    pub fn failing(fault: Fault, words: &[&'static str], times: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let host = listener.local_addr().expect("bound").to_string();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let rules = Arc::new(Rules {
            fault,
            words: words.to_vec(),
            left: Mutex::new(times),
        });
        let lines = Arc::clone(&seen);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (rules, lines) = (Arc::clone(&rules), Arc::clone(&lines));
                thread::spawn(move || serve(client, &rules, &lines));
            }
        });
        Self { host, seen }
    }

    /// An image name at this registry.
    pub fn name(&self, path: &str) -> String {
        format!("{}/{path}", self.host)
    }

    /// The same image at the registry behind it.
    pub fn behind(&self, path: &str) -> String {
        format!("{}/{path}", Engine::get().registry)
    }

    /// The request lines with all of these words, with ` FAILED` appended to those that failed.
    pub fn requests(&self, words: &[&str]) -> Vec<String> {
        let seen = self.seen.lock().expect("no panic");
        let has_all = |line: &&String| words.iter().all(|word| line.contains(word));
        seen.iter().filter(has_all).cloned().collect()
    }
}

fn serve(mut client: TcpStream, rules: &Rules, seen: &Mutex<Vec<String>>) -> Option<()> {
    let (head, rest) = read_head(&mut client)?;
    let line = head.lines().next()?.to_owned();
    let is_long = match rules.fault {
        Fault::Cut(bytes) => length(&head) > bytes,
        Fault::Status(..) => true,
    };
    let fails = is_long && rules.words.iter().all(|word| line.contains(word)) && {
        let mut left = rules.left.lock().ok()?;
        let fails = *left > 0;
        *left = left.saturating_sub(1);
        fails
    };
    let mark = if fails { " FAILED" } else { "" };
    seen.lock().ok()?.push(format!("{line}{mark}"));
    let mut server = TcpStream::connect(&Engine::get().registry).ok()?;
    let sent = with_close(&head);
    match (fails, rules.fault) {
        (true, Fault::Status(status, headers)) => {
            drain(&mut client, &head, rest.len() as u64);
            let answer = format!(
                "HTTP/1.1 {status}\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n"
            );
            client.write_all(answer.as_bytes()).ok()?;
            return client.shutdown(Shutdown::Write).ok();
        }
        (true, Fault::Cut(bytes)) => {
            server.write_all(sent.as_bytes()).ok()?;
            server.write_all(&rest).ok()?;
            let left = bytes.saturating_sub(rest.len() as u64);
            let mut part = (&mut client).take(left);
            std::io::copy(&mut part, &mut server).ok()?;
            // Unread bytes make the kernel send a reset.
            return server.shutdown(Shutdown::Write).ok();
        }
        (false, _) => {}
    }
    server.write_all(sent.as_bytes()).ok()?;
    server.write_all(&rest).ok()?;
    let (mut up, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
    thread::spawn(move || std::io::copy(&mut up, &mut to));
    std::io::copy(&mut server, &mut client).ok()?;
    client.shutdown(Shutdown::Both).ok()
}

/// The head, and the part of the body that was read with it.
fn read_head(client: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let read = client.read(&mut piece).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&piece[..read]);
        // A client that tries TLS learns at once that it is not supported.
        if bytes.first() == Some(&0x16) {
            let _ = client.write_all(b"HTTP/1.0 400 Bad Request\r\n\r\n");
            return None;
        }
        if let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Some((String::from_utf8(bytes).ok()?, rest));
        }
    }
}

/// The head, changed to close the connection after the answer.
fn with_close(head: &str) -> String {
    let lines = head.trim_end().lines();
    let lines = lines.filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let lines: Vec<&str> = lines.collect();
    format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"))
}

/// Reads the rest of a body with a known length, so that the client reads the answer.
fn drain(client: &mut TcpStream, head: &str, read: u64) {
    let left = length(head).saturating_sub(read);
    let _ = std::io::copy(&mut client.take(left), &mut std::io::sink());
}

/// The length of a request's body.
fn length(head: &str) -> u64 {
    let mut lengths = head.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<u64>().ok())?
    });
    lengths.next_back().unwrap_or_default()
}
