use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::module::module_path;
use crate::server::Server;

/// Loopback ports tried: another process may take one between the choice and the start.
const PORTS_TRIED: usize = 5;

/// How a server is to be started.
#[derive(Debug)]
pub struct Setup {
    program: OsString,
    with_module: bool,
    module_args: Vec<OsString>,
    args: Vec<OsString>,
    tcp: bool,
    cluster: bool,
    primary: Option<Option<u16>>,
    data_from: Option<PathBuf>,
}

impl Setup {
    pub(crate) fn new(with_module: bool) -> Self {
        Self {
            program: env::var_os("EDDYLINE_SERVER").unwrap_or_else(|| "redis-server".into()),
            with_module,
            module_args: Vec::new(),
            args: Vec::new(),
            tcp: false,
            cluster: false,
            primary: None,
            data_from: None,
        }
    }

    /// Another program than that of `EDDYLINE_SERVER`, by default `redis-server`.
    #[must_use]
    pub fn program(mut self, program: impl Into<OsString>) -> Self {
        self.program = program.into();
        self
    }

    /// More arguments of the server, e.g. `["--appendonly", "yes"]`. Saving is off unless they turn it on.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Arguments of the module, as after its path in `loadmodule`.
    #[must_use]
    pub fn module_args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.module_args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Also listens on a free TCP port of the loopback: needed by a primary, since replicas can't use its socket.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }

    /// A node of a cluster, on two free TCP ports of the loopback. It is alone until it meets others.
    pub(crate) fn cluster(mut self) -> Self {
        self.cluster = true;
        self.tcp()
    }

    /// A replica of a server that was set up with [`tcp`](Self::tcp).
    #[must_use]
    pub fn replica_of(mut self, primary: &Server) -> Self {
        self.primary = Some(primary.port());
        self
    }

    /// Starts with a copy of what `other` has in its data directory.
    #[must_use]
    pub fn data_of(mut self, other: &Server) -> Self {
        self.data_from = Some(other.data_dir());
        self
    }

    /// Starts the server and waits until it answers. An error names what is missing, or holds the end of the log.
    pub fn start(self) -> Result<Server> {
        let mut args = self.args;
        if let Some(primary) = self.primary {
            let port = primary.context("the primary has no TCP port: set it up with tcp()")?;
            args.extend(["--replicaof".into(), "127.0.0.1".into(), port.to_string().into()]);
        }
        if self.with_module {
            args.extend(["--loadmodule".into(), module_path()?.into()]);
            args.extend(self.module_args);
        }
        let mut tries = if self.tcp { PORTS_TRIED } else { 1 };
        loop {
            let port = self.tcp.then(free_port).transpose()?;
            let mut args = args.clone();
            if self.cluster {
                // not the port plus 10000, which may not exist
                let bus = free_port()?.to_string();
                args.extend(["--cluster-enabled", "yes", "--cluster-port", &bus].map(OsString::from));
            }
            let mut server = Server::stopped(self.program.clone(), args, port)?;
            if let Some(from) = &self.data_from {
                copy_folder(from, &server.data_dir())?;
            }
            tries -= 1;
            match server.start() {
                Err(_) if tries > 0 && address_in_use(&server.log()) => {}
                started => return started.map(|()| server),
            }
        }
    }
}

/// The port of the bus says it in other words.
fn address_in_use(log: &str) -> bool {
    log.contains("Address already in use") || log.contains("Failed listening on port")
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// A port that was free a moment ago.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
