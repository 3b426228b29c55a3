//! The servers that are measured: private ones, on Unix sockets, with nothing to save.

use std::path::PathBuf;

use anyhow::Result;
use eddyline_testkit::Server;

use crate::build::Built;
use crate::setup::Tools;

/// What servers are started with.
pub(super) struct Stage {
    program: PathBuf,
    module: PathBuf,
}

impl Stage {
    pub(super) fn new(tools: &Tools, built: &Built) -> Result<Self> {
        Ok(Self { program: tools.server.clone(), module: built.module()?.to_owned() })
    }

    /// A server without the module.
    pub(super) fn plain(&self) -> Result<Server> {
        Server::plain().program(&self.program).start()
    }

    /// A server with the module.
    pub(super) fn with_module(&self) -> Result<Server> {
        Server::plain().program(&self.program).args(["--loadmodule".as_ref(), self.module.as_os_str()]).start()
    }
}

/// A command line, split at spaces.
pub(super) fn command(line: &str) -> redis::Cmd {
    let mut words = line.split(' ');
    let mut command = redis::cmd(words.next().unwrap_or_default());
    words.for_each(|word| {
        command.arg(word);
    });
    command
}
