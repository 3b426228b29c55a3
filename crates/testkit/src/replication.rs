//! What primaries and replicas do to each other: follow, lose and find each other, change places.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::server::Server;
use crate::wait::poll;

/// For a full synchronisation, on a machine that builds beside it.
const FOLLOWS_WITHIN: Duration = Duration::from_secs(30);

impl Server {
    /// One field of a section of `INFO`; none where there is no such field.
    pub fn info(&self, section: &str, field: &str) -> Result<Option<String>> {
        let text: String = redis::cmd("INFO").arg(section).query(&mut self.connection()?)?;
        let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        Ok(value.map(|value| value.trim().to_owned()))
    }

    /// Waits until this replica has all that `primary` has written so far.
    pub fn catch_up_with(&self, primary: &Self) -> Result<()> {
        let offset = |server: &Self| -> Result<u64> {
            let offset = server.info("replication", "master_repl_offset")?;
            Ok(offset.context("no replication offset")?.parse()?)
        };
        let follows = || {
            let up = self.info("replication", "master_link_status").ok()?.is_some_and(|status| status == "up");
            up.then_some(())
        };
        poll(FOLLOWS_WITHIN, follows).context("the replica doesn't find its primary")?;
        let written = offset(primary)?;
        poll(FOLLOWS_WITHIN, || offset(self).is_ok_and(|read| read >= written).then_some(()))
            .context("the replica stays behind")
    }

    /// Follows `primary`, which was set up with `tcp()`, from now on.
    pub fn follow(&self, primary: &Self) -> Result<()> {
        let port = primary.port().context("the primary has no TCP port: set it up with tcp()")?;
        Ok(redis::cmd("REPLICAOF").arg("127.0.0.1").arg(port).exec(&mut self.connection()?)?)
    }

    /// Makes this replica a primary, whatever its old one does.
    pub fn promote(&self) -> Result<()> {
        Ok(redis::cmd("REPLICAOF").arg("NO").arg("ONE").exec(&mut self.connection()?)?)
    }

    /// Cuts this replica's link to its primary: it comes back by itself and asks for what it missed.
    pub fn drop_link(&self) -> Result<()> {
        let cut: u64 = redis::cmd("CLIENT").arg("KILL").arg("TYPE").arg("master").query(&mut self.connection()?)?;
        if cut == 0 { bail!("there is no link to cut") } else { Ok(()) }
    }

    /// Changes places with `replica` in order: no write is lost. Both were set up with `tcp()`.
    pub fn fail_over_to(&self, replica: &Self) -> Result<()> {
        let port = replica.port().context("the replica has no TCP port: set it up with tcp()")?;
        redis::cmd("FAILOVER").arg("TO").arg("127.0.0.1").arg(port).exec(&mut self.connection()?)?;
        let is =
            |server: &Self, role: &str| server.info("replication", "role").is_ok_and(|it| it.as_deref() == Some(role));
        poll(FOLLOWS_WITHIN, || (is(replica, "master") && is(self, "slave")).then_some(()))
            .context("the two didn't change places")
    }
}
