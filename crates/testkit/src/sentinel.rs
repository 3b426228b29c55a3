//! A sentinel of its own for a test.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::server::Server;
use crate::wait::poll;

const STARTS_WITHIN: Duration = Duration::from_secs(30);

/// One sentinel, which decides alone. Dropping it kills it.
#[derive(Debug)]
pub struct Sentinel {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Sentinel {
    /// A sentinel that watches `primary`, set up with `tcp()`, as `service`, and takes it for dead after a second of silence.
    pub fn watching(service: &str, primary: &Server) -> Result<Self> {
        let watched = primary.port().context("the primary has no TCP port: set it up with tcp()")?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("sentinel.conf");
        let lines = [
            format!("port {port}"),
            "bind 127.0.0.1".to_owned(),
            format!("dir {}", folder.path().display()),
            format!("sentinel monitor {service} 127.0.0.1 {watched} 1"),
            format!("sentinel down-after-milliseconds {service} 1000"),
            format!("sentinel failover-timeout {service} 10000"),
        ];
        fs::write(&file, lines.join("\n"))?;
        let log = fs::File::create(folder.path().join("log"))?;
        let process = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("redis-server can't be started as a sentinel")?;
        let sentinel = Self { process, port, _folder: folder };
        let named = poll(STARTS_WITHIN, || sentinel.primary(service).ok().filter(|port| *port == watched));
        named.context("the sentinel doesn't answer")?;
        Ok(sentinel)
    }

    /// Its port on the loopback.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Port of the primary that it names.
    pub fn primary(&self, service: &str) -> Result<u16> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(2))?;
        let (_, port): (String, u16) =
            redis::cmd("SENTINEL").arg("GET-MASTER-ADDR-BY-NAME").arg(service).query(&mut connection)?;
        Ok(port)
    }

    /// How many replicas of the primary it knows.
    pub fn replicas(&self, service: &str) -> Result<usize> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(2))?;
        let replicas: Vec<redis::Value> = redis::cmd("SENTINEL").arg("REPLICAS").arg(service).query(&mut connection)?;
        Ok(replicas.len())
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
