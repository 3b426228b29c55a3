//! A sentinel of its own for a test.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::server::Server;
use crate::wait::poll;

const STARTS_WITHIN: Duration = Duration::from_secs(30);
/// A sentinel asks a primary for its replicas every ten seconds.
const HEARS_WITHIN: Duration = Duration::from_secs(60);
const FAILS_OVER_WITHIN: Duration = Duration::from_secs(60);

/// One sentinel, which decides alone. Dropping it kills it.
#[derive(Debug)]
pub struct Sentinel {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Sentinel {
    /// A sentinel that watches `primary`, set up with `tcp()`, as `service`, and takes it for dead after so long without a
    /// word from it.
    pub fn watching(service: &str, primary: &Server, silence: Duration) -> Result<Self> {
        let watched = port_of(primary)?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("sentinel.conf");
        let lines = [
            format!("port {port}"),
            "bind 127.0.0.1".to_owned(),
            format!("dir {}", folder.path().display()),
            format!("sentinel monitor {service} 127.0.0.1 {watched} 1"),
            format!("sentinel down-after-milliseconds {service} {}", silence.as_millis()),
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
        let mut command = redis::cmd("SENTINEL");
        let (_, port): (String, u16) =
            command.arg("GET-MASTER-ADDR-BY-NAME").arg(service).query(&mut self.connection()?)?;
        Ok(port)
    }

    /// Waits until it knows `replica` and reaches it: only then can that one take over.
    pub fn hear_of(&self, service: &str, replica: &Server) -> Result<()> {
        let port = port_of(replica)?.to_string();
        let is_reached = |replica: &BTreeMap<String, String>| {
            let flags = replica.get("flags").map_or("", String::as_str);
            replica.get("port") == Some(&port) && flags == "slave" && replica.get("master-link-status").is_some()
        };
        let knows = || {
            let mut command = redis::cmd("SENTINEL");
            let replicas: Vec<BTreeMap<String, String>> =
                command.arg("REPLICAS").arg(service).query(&mut self.connection().ok()?).ok()?;
            replicas.iter().any(is_reached).then_some(())
        };
        poll(HEARS_WITHIN, knows).context("the sentinel doesn't hear of the replica")
    }

    /// Gives `replica`, of which it heard, the place of the primary, whatever that one does, and waits until it has it.
    pub fn fail_over_to(&self, service: &str, replica: &Server) -> Result<()> {
        let port = port_of(replica)?;
        let mut refusal = None;
        // It may still be at the failover before.
        let asked = poll(FAILS_OVER_WITHIN, || {
            let mut connection = self.connection().ok()?;
            let answer = redis::cmd("SENTINEL").arg("FAILOVER").arg(service).exec(&mut connection);
            answer.map_err(|error| refusal = Some(error)).ok()
        });
        asked.with_context(|| format!("the sentinel refuses a failover: {refusal:?}"))?;
        let is_primary = || replica.info("replication", "role").is_ok_and(|role| role.as_deref() == Some("master"));
        let is_done = || (self.primary(service).ok()? == port && is_primary()).then_some(());
        poll(FAILS_OVER_WITHIN, is_done).context("the replica doesn't become the primary")
    }

    fn connection(&self) -> Result<redis::Connection> {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?;
        Ok(client.get_connection_with_timeout(Duration::from_secs(2))?)
    }
}

fn port_of(server: &Server) -> Result<u16> {
    server.port().context("the server has no TCP port: set it up with tcp()")
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
