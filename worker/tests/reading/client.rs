//! A gateway in a process of its own, and what asks it.

use crate::plain::{SOON, Worker};
use eddyline_testkit::Server;
use serde_json::Value as Json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

/// A gateway alone; killed on drop.
pub(crate) struct Gateway {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Gateway {
    /// On this server, for the same deployment as the workers.
    pub(crate) fn start(server: &Server) -> Self {
        Self::with(server, &[])
    }

    pub(crate) fn with(server: &Server, args: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_eddyline"))
            .args(["serve", "--redis", &server.url(), "--deployment", crate::plain::DEPLOYMENT])
            .args(["--http", "127.0.0.1:0", "--log", "info"])
            .args(args)
            .env("EDDYLINE_LISTEN", "none")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "it says where it listens");
            let said: Json = serde_json::from_str(&line).unwrap();
            if let Some(address) = said["address"].as_str() {
                break address.parse().unwrap();
            }
        };
        // Nobody reads the rest, which must not keep it from going on.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let gateway = Self { child, address };
        eddyline_testkit::eventually(SOON, || gateway.get("/readyz").0 == 200);
        gateway
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Json) {
        self.ask("GET", path, None)
    }

    /// Status and JSON of an answer.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&str>) -> (u16, Json) {
        let body = body.unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{path}: {answer:?}"));
        assert!(head.contains("x-request-id: "), "{head}");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_else(|_| panic!("{path}: {body}")))
    }

    /// The code of what is refused.
    pub(crate) fn refused(&self, method: &str, path: &str, body: Option<&str>) -> (u16, String) {
        let (status, problem) = self.ask(method, path, body);
        assert!(problem["message"].as_str().is_some_and(|message| message.len() > 5), "{problem}");
        (status, problem["code"].as_str().unwrap().to_owned())
    }

    /// The status alone, of an answer that never ends.
    pub(crate) fn status(&self, path: &str) -> u16 {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// Listens to what is new.
    pub(crate) fn listen(&self, path: &str, last: Option<u64>) -> Listener {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        let last = last.map(|ms| format!("last-event-id: {ms}\r\n")).unwrap_or_default();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{last}\r\n").as_bytes()).unwrap();
        let mut listener = Listener { lines: BufReader::new(stream), last_id: None };
        let head = std::iter::from_fn(|| Some(listener.line()).filter(|line| !line.is_empty())).collect::<Vec<_>>();
        assert!(head[0].contains(" 200 "), "{head:?}");
        assert!(head.iter().any(|line| line == "content-type: text/event-stream"), "{head:?}");
        // How long to wait, and where it begins.
        listener.block();
        listener
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Hears server-sent events. Dropped, its connection is cut.
pub(crate) struct Listener {
    lines: BufReader<TcpStream>,
    pub(crate) last_id: Option<u64>,
}

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub(crate) kind: String,
    pub(crate) id: u64,
    pub(crate) data: Json,
}

impl Event {
    /// Monitor and window of a score, and of an alert its entry.
    pub(crate) fn what(&self) -> (String, String, String) {
        let text = |name: &str| self.data[name].as_str().unwrap().to_owned();
        (self.kind.clone(), text("monitor"), text(if self.kind == "score" { "id" } else { "entry" }))
    }
}

impl Listener {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end_matches(['\r', '\n']).to_owned()
    }

    /// The lines of a block, without those that only say how long a chunk is.
    fn block(&mut self) -> Vec<(String, String)> {
        let mut block = Vec::new();
        loop {
            let line = self.line();
            match line.split_once(':') {
                Some((name, value)) => {
                    if name == "id" {
                        self.last_id = Some(value.trim().parse().unwrap());
                    }
                    block.push((name.to_owned(), value.trim_start().to_owned()));
                }
                None if line.is_empty() && !block.is_empty() => return block,
                None => {}
            }
        }
    }

    /// The next event.
    pub(crate) fn next(&mut self) -> Event {
        loop {
            let block = self.block();
            let field = |name: &str| block.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
            if let (Some(kind), Some(data)) = (field("event"), field("data")) {
                let id = self.last_id.unwrap();
                return Event { kind: kind.to_owned(), id, data: serde_json::from_str(data).unwrap() };
            }
        }
    }
}

/// A worker at work on all monitors.
pub(crate) fn worker(server: &Server) -> Worker {
    let mut worker = Worker::with(server, &[]);
    worker.stop_listening();
    worker
}
