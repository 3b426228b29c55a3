//! `cargo xtask api`: the gateway as strangers use it. Schemathesis reads the OpenAPI document that it serves and tries examples,
//! limits and chance on all that is there: every answer must be one of the document's, and none an error of the server.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;

use anyhow::{Context, Result, ensure};
use eddyline_testkit::Server;
use redis::Connection;

use crate::build::{self, MODULE, WORKER};
use crate::stop;
use crate::system::succeed;

/// What it is tried with.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// Answers that hold what the document says, and that Redis refused nothing for being overrun.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance";
/// Windows that there are to look at.
const WINDOWS: u64 = 150;

const EXAMPLES: &str = "\
Examples:
  cargo xtask api
  cargo xtask api --seconds 600

Installs Schemathesis into target/schemathesis. The last line says whether all answers were as the document says.";

/// What is asked of it.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// How long
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=86_400))]
    seconds: u32,
    /// Where chance begins; the same number, the same requests
    #[arg(long, default_value_t = 1)]
    seed: u32,
}

/// Starts server, worker and gateway, and tries it.
pub(crate) fn run(root: &Path, args: &Args) -> Result<ExitCode> {
    stop::listen()?;
    let tools = crate::setup::run()?;
    let built = build::run(root, &[MODULE, WORKER])?;
    let program = schemathesis(&root.join("target/schemathesis"))?;
    let module = built.module()?.as_os_str();
    let server = Server::plain().program(&tools.server).args(["--loadmodule".as_ref(), module]).start()?;
    fill(&mut server.connection()?)?;
    let gateway = Gateway::start(built.worker()?, &server.url())?;
    let document = format!("http://{}/v1/openapi.json", gateway.address);
    let status = Command::new(program)
        .args(["run", &document, "--checks", CHECKS, "--phases", "examples,coverage,fuzzing"])
        .args(["--max-time", &args.seconds.to_string(), "--seed", &args.seed.to_string()])
        // The stream of news never ends; it has tests of its own.
        // Remote write is snappy and nothing else, which Schemathesis can't pack; the tests of the gateway do.
        .args(["--exclude-path", "/v1/stream", "--exclude-path", "/api/v1/write"])
        .args(["--request-timeout", "40", "--warnings", "off", "--no-color"])
        .current_dir(root.join("target"))
        .stdin(Stdio::null())
        .status()
        .context("schemathesis can't be started")?;
    stop::check()?;
    let is_good = status.success() && gateway.has_survived();
    println!("{}", if is_good { "1 passed, 0 failed" } else { "0 passed, 1 failed" });
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The program, installed if it isn't there.
fn schemathesis(folder: &Path) -> Result<PathBuf> {
    let (program, known) = (folder.join("bin/st"), folder.join("installed"));
    if fs::read_to_string(&known).is_ok_and(|installed| installed == SCHEMATHESIS) && program.is_file() {
        return Ok(program);
    }
    println!("installing {SCHEMATHESIS} into {}", folder.display());
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    succeed(Command::new(folder.join("bin/pip")).args(["install", "--quiet", SCHEMATHESIS]))?;
    fs::write(known, SCHEMATHESIS)?;
    Ok(program)
}

/// The monitor of the document's examples, its windows, and vectors beside it.
fn fill(connection: &mut Connection) -> Result<()> {
    let create = "checkout SOURCES 1 calls CLOCK stream WINDOW 1000 DIMENSIONS 2 service endpoint MEASURES 1 latency_ms \
                  UNIQUES 1 user CROSSES 1 service*latency_ms";
    redis::cmd("EDDY.CREATE").arg(create.split(' ').collect::<Vec<_>>()).exec(connection)?;
    redis::cmd("HSET").arg("{load}:settings").arg(&["period_ms", "1000"]).exec(connection)?;
    let mut pipe = redis::pipe();
    for second in 1..=WINDOWS {
        // Ten times as many in the last few, which is an incident.
        let calls = if second > WINDOWS - 20 { 100 } else { 10 };
        for call in 0..calls {
            let fields = ["service", "pay", "endpoint", "/charge", "latency_ms", "20", "user", "ann"];
            pipe.cmd("XADD").arg("calls").arg(format!("{second}{call:03}-0")).arg(&fields);
        }
        pipe.cmd("XADD").arg("{load}:fingerprints").arg(format!("{second}000-0")).arg(&["cpu", "0.5", "mem", "7"]);
    }
    pipe.exec(connection).context("the stream can't be filled")
}

/// A worker with a gateway. Dropping it kills it.
struct Gateway {
    process: Child,
    address: SocketAddr,
}

impl Gateway {
    fn start(program: &Path, url: &str) -> Result<Self> {
        let mut process = Command::new(program)
            .args(["worker", "--redis", url, "--http", "127.0.0.1:0", "--listen", "none", "--budget", "1000"])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} can't be started", program.display()))?;
        let mut log = BufReader::new(process.stderr.take().context("it has no log")?);
        let address = loop {
            let mut line = String::new();
            ensure!(log.read_line(&mut line)? > 0, "it ended before it said where it listens");
            let said = line.split_once("http://").and_then(|(_, rest)| rest.split(['/', ' ', '"']).next());
            if let Some(address) = said.filter(|_| line.contains("gateway at")) {
                break address.parse().context("it says where it listens")?;
            }
        };
        // Nobody reads the rest, which must not hold it up.
        thread::spawn(move || std::io::copy(&mut log.by_ref(), &mut std::io::sink()));
        Ok(Self { process, address })
    }

    fn has_survived(mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
