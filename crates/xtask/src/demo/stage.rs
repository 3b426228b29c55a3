//! The processes of the demo, and the monitor.

use anyhow::{Context, Result};
use eddyline_testkit::Server;
use eddyline_wire::keys::Companions;
use redis::Connection;
use redis::streams::StreamRangeReply;

use super::build::Built;
use super::feed::CALLS;
use super::worker::Worker;
use crate::setup::Tools;

/// The monitor's name.
pub(super) const MONITOR: &str = "shop";
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
    server: Server,
}

impl Stage {
    pub(super) fn start(tools: &Tools, built: &Built) -> Result<Self> {
        let server = Server::plain()
            .program(&tools.server)
            .args(["--loadmodule".as_ref(), built.module.as_os_str()])
            .tcp()
            .start()?;
        let port = server.port().context("the server has no port")?;
        let mut connection = server.connection()?;
        redis::cmd("EDDY.CREATE")
            .arg(&[MONITOR, "SOURCES", "1", CALLS])
            .arg(&DEFINITION.split(' ').collect::<Vec<_>>())
            .exec(&mut connection)
            .context("the monitor can't be created")?;
        let worker = Worker::start(&built.worker, port)?;
        Ok(Self { worker, connection, companions: Companions::of(MONITOR.as_bytes())?, port, server })
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

    /// Windows scored so far, if the worker has caught up.
    pub(super) fn scored(&mut self) -> Result<Option<usize>> {
        let newest = |connection: &mut Connection, stream: Vec<u8>| -> Result<Option<String>> {
            let reply: StreamRangeReply =
                redis::cmd("XREVRANGE").arg(stream).arg(&["+", "-", "COUNT", "1"]).query(connection)?;
            Ok(reply.ids.into_iter().next().map(|entry| entry.id))
        };
        let scored = newest(&mut self.connection, self.companions.scores())?;
        let closed = newest(&mut self.connection, self.companions.fingerprints())?;
        if scored.is_none() || scored != closed {
            return Ok(None);
        }
        Ok(Some(redis::cmd("XLEN").arg(self.companions.scores()).query(&mut self.connection)?))
    }

    /// An error once the worker has ended.
    pub(super) fn check(&mut self) -> Result<()> {
        self.worker.check()
    }
}
