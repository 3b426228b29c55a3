//! The processes of the demo, and the monitor.

use anyhow::{Context, Result};
use eddyline_testkit::Server;
use eddyline_wire::keys::Companions;
use redis::Connection;
use redis::streams::StreamRangeReply;

use super::feed::CALLS;
use super::worker::Worker;
use crate::build::Built;
use crate::setup::Tools;

/// The monitor's name.
pub(super) const MONITOR: &str = "shop";
/// Length of its windows in ms, as in [`DEFINITION`].
const WINDOW_MS: u64 = 1_000;
/// What it looks at: three things counted, and the users; which service has which statuses, and how long calls of
/// which dependency take. Time comes from the entries as long as they are of the past.
const DEFINITION: &str = "CLOCK stream WINDOW 1000 DIMENSIONS 4 service endpoint status user \
                          CROSSES 2 service*status peer*latency_ms MEASURES 1 latency_ms";

/// A private server with the module, the worker, and a connection to look at both. Dropping it ends them.
pub(super) struct Stage {
    // the worker first: without its server it would only complain
    worker: Worker,
    connection: Connection,
    companions: Companions,
    /// The server's port on the loopback.
    pub(super) port: u16,
    /// Where people look at it all.
    pub(super) dashboard: String,
    server: Server,
}

impl Stage {
    pub(super) fn start(tools: &Tools, built: &Built) -> Result<Self> {
        let server = Server::plain()
            .program(&tools.server)
            .args(["--loadmodule".as_ref(), built.module()?.as_os_str()])
            .tcp()
            .start()?;
        let port = server.port().context("the server has no port")?;
        let mut connection = server.connection()?;
        redis::cmd("EDDY.CREATE")
            .arg(&[MONITOR, "SOURCES", "1", CALLS])
            .arg(DEFINITION.split(' ').collect::<Vec<_>>())
            .exec(&mut connection)
            .context("the monitor can't be created")?;
        let mut worker = Worker::start(built.worker()?, port)?;
        let dashboard = worker.dashboard()?;
        Ok(Self { worker, connection, companions: Companions::of(MONITOR.as_bytes())?, port, dashboard, server })
    }

    /// A connection more.
    pub(super) fn connect(&self) -> Result<Connection> {
        self.server.connection()
    }

    /// From now on time passes also when no call comes.
    pub(super) fn go_live(&mut self) -> Result<()> {
        let live = redis::cmd("EDDY.ALTER").arg(&[MONITOR, "CLOCK", "server"]).exec(&mut self.connection);
        live.context("the monitor's clock can't be changed")
    }

    /// Windows scored, once those that ended before `ms` since the epoch all are.
    pub(super) fn scored_to(&mut self, ms: u64) -> Result<Option<usize>> {
        let newest: StreamRangeReply = redis::cmd("XREVRANGE")
            .arg(self.companions.scores())
            .arg(&["+", "-", "COUNT", "1"])
            .query(&mut self.connection)?;
        let newest_ms = newest.ids.first().and_then(|entry| entry.id.split_once('-')?.0.parse::<u64>().ok());
        if newest_ms.is_none_or(|newest_ms| newest_ms + WINDOW_MS < ms) {
            return Ok(None);
        }
        Ok(Some(redis::cmd("XLEN").arg(self.companions.scores()).query(&mut self.connection)?))
    }

    /// An error once the worker has ended.
    pub(super) fn check(&mut self) -> Result<()> {
        self.worker.check()
    }
}
