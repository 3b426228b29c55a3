//! For tests only: real servers and clusters, with or without the module, that never outlive the test; the labelled
//! data; waiting for what happens soon.
//!
//! ```no_run
//! use eddyline_testkit::Server;
//!
//! let mut server = Server::with_module().args(["--appendonly", "yes"]).start()?;
//! let mut connection = server.connection()?;
//! redis::cmd("EDDY.CREATE").arg("checkout").exec(&mut connection)?;
//! server.kill()?; // SIGKILL; the data directory stays
//! server.start()?;
//! # anyhow::Ok(())
//! ```

mod cluster;
mod data;
mod module;
mod replication;
mod roles;
mod sentinel;
mod server;
mod setup;
mod wait;

pub use cluster::{Cluster, Migration};
pub use data::data_dir;
pub use module::module_path;
pub use roles::role_template;
pub use sentinel::Sentinel;
pub use server::Server;
pub use setup::Setup;
pub use wait::{eventually, eventually_some};
