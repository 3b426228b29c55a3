//! A gateway before a server of the test's own, and a client that can misbehave.

use eddyline_testkit::Server;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Long enough for the slowest machine; no test takes it.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// `eddyline serve`; killed on drop.
pub(crate) struct Gateway {
    child: Child,
    pub(crate) address: SocketAddr,
    config: Option<tempfile::NamedTempFile>,
}

impl Gateway {
    pub(crate) fn before(server: &Server) -> Self {
        Self::start(&server.url(), None)
    }

    /// With a file of settings.
    pub(crate) fn with(server: &Server, config: &str) -> Self {
        Self::start(&server.url(), Some(config))
    }

    pub(crate) fn start(redis: &str, config: Option<&str>) -> Self {
        let config = config.map(|text| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file
        });
        let mut command = Command::new(env!("CARGO_BIN_EXE_eddyline"));
        command.args(["serve", "--redis", redis, "--listen", "none", "--http", "127.0.0.1:0"]);
        if let Some(file) = &config {
            command.arg("--config").arg(file.path());
        }
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(log.read_line(&mut line).unwrap() > 0, "it says where it listens");
            let said: Json = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
            if let Some(address) = said["address"].as_str() {
                break address.parse().unwrap();
            }
        };
        // What nobody reads would hold it up.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let gateway = Self { child, address, config };
        gateway.wait_until_ready();
        gateway
    }

    pub(crate) fn wait_until_ready(&self) {
        eddyline_testkit::eventually(SOON, || self.ask("GET", "/readyz", &[], b"").status == 200);
    }

    pub(crate) fn rewrite(&self, config: &str) {
        std::fs::write(self.config.as_ref().unwrap().path(), config).unwrap();
        self.signal("-HUP");
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    }

    /// SIGTERM; whether it ended well.
    pub(crate) fn stop(mut self) -> bool {
        self.signal("-TERM");
        self.child.wait().unwrap().success()
    }

    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// One request over a connection of its own.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let mut head = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
        if !headers.iter().any(|(name, _)| *name == "host") {
            head.push_str("host: localhost\r\n");
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        // It may have answered and hung up before it read all.
        let _ = stream.write_all(body);
        Answer::read(stream).unwrap()
    }

    /// The status alone, also of an answer that never ends.
    pub(crate) fn status(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
        let mut stream = self.connect();
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line.split(' ').nth(1).unwrap_or_else(|| panic!("{method} {path}: {line:?}")).parse().unwrap()
    }

    /// Events as JSON.
    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, &[("content-type", "application/json")], body.as_bytes())
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(SOON)).unwrap();
        stream.set_write_timeout(Some(SOON)).unwrap();
        stream
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Until the connection's end.
    pub(crate) fn read(mut stream: TcpStream) -> std::io::Result<Self> {
        let mut bytes = Vec::new();
        // A connection that was cut after the answer is no trouble of the answer's.
        let ended = stream.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let Some(end) = end else { return Err(ended.err().unwrap_or(std::io::ErrorKind::UnexpectedEof.into())) };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Ok(Self { status, headers, body: bytes[end + 4..].to_vec() })
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{self:?}"))
    }

    /// Status and code of an error.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned())
    }
}

pub(crate) fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A server with the module and a monitor that counts by status, in windows of a day.
pub(crate) fn server_with(monitors: &[&str]) -> Server {
    let server = Server::with_module().start().unwrap();
    create(&server, monitors);
    server
}

pub(crate) fn create(server: &Server, monitors: &[&str]) {
    let mut connection = server.connection().unwrap();
    for monitor in monitors {
        let mut create = redis::cmd("EDDY.CREATE");
        create.arg(monitor).arg(&[
            "WINDOW",
            "86400000",
            "DIMENSIONS",
            "2",
            "endpoint",
            "status",
            "MEASURES",
            "1",
            "ms",
        ]);
        create.exec(&mut connection).unwrap();
    }
}

/// Observations that the monitor ever counted.
pub(crate) fn observations(server: &Server, monitor: &str) -> u64 {
    info(server, monitor, "observations")
}

pub(crate) fn info(server: &Server, monitor: &str, field: &str) -> u64 {
    let mut connection = server.connection().unwrap();
    let info: BTreeMap<String, redis::Value> = redis::cmd("EDDY.INFO").arg(monitor).query(&mut connection).unwrap();
    redis::from_redis_value_ref(&info[field]).unwrap()
}

/// In the open window.
pub(crate) fn open(server: &Server, monitor: &str, dimension: &str, item: &str) -> u64 {
    let mut connection = server.connection().unwrap();
    let counts: redis::Value =
        redis::cmd("EDDY.COUNT").arg(monitor).arg(dimension).arg(item).query(&mut connection).unwrap();
    let flat = format!("{counts:?}");
    let digits: String = flat.chars().skip_while(|c| *c != 'I' && !c.is_ascii_digit()).collect();
    digits
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .unwrap()
}
