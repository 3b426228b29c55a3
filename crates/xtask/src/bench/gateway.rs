//! `cargo xtask bench gateway`: events a second over HTTP, with Redis and the load on the same machine.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use eddyline_testkit::Server;

use super::row::{Measured, Row};
use super::stage::{Stage, command};
use crate::build::Built;

/// Connections of the load.
const CONNECTIONS: u32 = 64;
const WARM_UP_SECONDS: u32 = 2;

/// What is sent.
struct Load {
    name: &'static str,
    script: &'static str,
    events: f64,
    at_least: f64,
}

const LOADS: [Load; 2] = [
    Load { name: "single events", script: include_str!("gateway/single.lua"), events: 1.0, at_least: 20_000.0 },
    Load { name: "batches of 100", script: include_str!("gateway/batch.lua"), events: 100.0, at_least: 300_000.0 },
];

/// Measures both; what Redis counted is what was accepted.
pub(super) fn measure(stage: &Stage, built: &Built, seconds: u32) -> Result<Vec<Row>> {
    if Command::new("wrk").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        bail!("wrk isn't there: apt-get install wrk");
    }
    let server = stage.with_module()?;
    command("EDDY.CREATE checkout DIMENSIONS 2 endpoint status MEASURES 1 latency_ms CROSSES 1 endpoint*latency_ms")
        .exec(&mut server.connection()?)?;
    let gateway = Gateway::before(&server, built.worker()?)?;
    LOADS.iter().map(|load| row(load, &server, &gateway, seconds)).collect()
}

fn row(load: &Load, server: &Server, gateway: &Gateway, seconds: u32) -> Result<Row> {
    gateway.load(load, WARM_UP_SECONDS)?;
    let before = observations(server)?;
    let told = gateway.load(load, seconds)?;
    let counted = observations(server)? - before;
    let Told { requests_a_second, requests, p99, failed } = told;
    let sent = requests * load.events;
    // wrk ends while requests are under way, of the warm-up as well: Redis has counted some that it doesn't know of.
    let under_way = 2.0 * f64::from(CONNECTIONS) * load.events;
    if failed || counted < sent || counted > sent + under_way {
        bail!("{}: {sent} events were accepted and {counted} counted, some requests failed: {failed}", load.name);
    }
    let rate = requests_a_second * load.events;
    Ok(Row {
        work: format!("{}, {CONNECTIONS} connections: events a second", load.name),
        measured: Some(Measured { text: format!("{rate:.0}, p99 {p99}"), holds: rate >= load.at_least }),
        bar: format!("≥ {}", load.at_least),
    })
}

fn observations(server: &Server) -> Result<f64> {
    let info: std::collections::BTreeMap<String, redis::Value> =
        command("EDDY.INFO checkout").query(&mut server.connection()?)?;
    let count: u64 = redis::from_redis_value_ref(info.get("observations").context("EDDY.INFO says how many")?)?;
    Ok(count as f64)
}

/// `eddyline serve`; killed on drop.
struct Gateway {
    child: Child,
    address: String,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Gateway {
    fn before(server: &Server, program: &Path) -> Result<Self> {
        let mut child = Command::new(program)
            .args(["serve", "--redis", &server.url(), "--listen", "none", "--http", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()?;
        let mut log = BufReader::new(child.stderr.take().context("its log is piped")?);
        let (mut address, mut is_connected) = (None, false);
        while address.is_none() || !is_connected {
            let mut line = String::new();
            if log.read_line(&mut line)? == 0 {
                bail!("the gateway ended");
            }
            let said: serde_json::Value = serde_json::from_str(&line)?;
            is_connected |= said["message"].as_str().is_some_and(|text| text.contains("connected"));
            address = address.or(said["address"].as_str().map(str::to_owned));
        }
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Ok(Self { child, address: address.unwrap_or_default() })
    }

    fn load(&self, load: &Load, seconds: u32) -> Result<Told> {
        let mut script = tempfile::Builder::new().suffix(".lua").tempfile()?;
        script.write_all(load.script.as_bytes())?;
        let output = Command::new("wrk")
            .args(["-t", "1", "-c", &CONNECTIONS.to_string(), "-d", &seconds.to_string(), "--latency", "-s"])
            .arg(script.path())
            .arg(format!("http://{}/v1/events?monitor=checkout", self.address))
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        Told::of(&text).with_context(|| format!("wrk said: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// What wrk says.
struct Told {
    requests_a_second: f64,
    requests: f64,
    p99: String,
    failed: bool,
}

impl Told {
    fn of(text: &str) -> Option<Self> {
        let lines = || text.lines().map(str::trim);
        let after = |start: &str| lines().find_map(|line| line.strip_prefix(start)).map(str::trim);
        Some(Self {
            requests_a_second: after("Requests/sec:")?.parse().ok()?,
            requests: lines().find_map(|line| line.split_once(" requests in "))?.0.parse().ok()?,
            p99: after("99%")?.to_owned(),
            failed: after("Non-2xx").is_some() || after("Socket errors").is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Told;

    #[test]
    fn what_wrk_says_is_read() {
        let text = "Running 2s test @ http://127.0.0.1:1/\n  Latency Distribution\n     50%    1.00ms\n     99%    3.10ms\n  \
                    64209 requests in 2.00s, 9.1MB read\nRequests/sec:  32000.55\nTransfer/sec:   1MB\n";
        let told = Told::of(text).unwrap();
        assert_eq!(
            (told.requests_a_second, told.requests, &told.p99[..], told.failed),
            (32000.55, 64209.0, "3.10ms", false)
        );
        assert!(Told::of(&text.replace("Transfer", "Non-2xx or 3xx responses: 1\nTransfer")).unwrap().failed);
        assert!(Told::of("unable to connect").is_none());
    }
}
