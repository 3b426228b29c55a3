//! What the operator chose: one file, over it the environment, over that flags; read once, checked whole.
//!
//! Every value is text with an [`origin`] until the one place that knows what it means reads it. [`load`] makes a
//! [`Config`] of them or names everything that is wrong ([`fault`]); [`reload`] does it again while the worker runs.

pub mod by_monitor;
pub mod duration;
pub mod effective;
pub mod fault;
pub mod load;
pub mod origin;
pub mod reload;
pub mod secret;

pub(crate) mod keys;

mod counted;
mod file;
mod http;
mod nearest;
mod reference;
mod sections;
mod text;
mod typed;

use crate::gateway::settings::HttpSettings;
use crate::notify::settings::NotifySettings;
use crate::observe::listen::Listen;
use crate::sinks::settings::SinkSettings;
use crate::store::connect::Address;
use by_monitor::ByMonitor;
use eddyline_wire::command::create::Create;
use secret::Secret;
use std::collections::BTreeMap;

/// All of it.
#[derive(Debug)]
pub struct Config {
    /// What stays as it is until the worker starts again.
    pub fixed: Fixed,
    /// What a reload changes.
    pub live: Live,
}

/// What a worker can't change while it runs.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// Where Redis is.
    pub redis: Address,
    /// The same as it was written, to notice a change.
    pub(crate) redis_url: Secret,
    /// File of the authorities that sign the server's certificate, if not the system's.
    pub(crate) redis_ca: String,
    /// Name of this deployment.
    pub deployment: String,
    /// Where metrics and health are told.
    pub listen: Listen,
    /// Where the gateway listens; none where nobody said.
    pub http: Option<Listen>,
    /// Streams that this worker counts in place of the module.
    pub counted: Vec<Create>,
}

/// What a worker changes while it runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Live {
    /// Monitors to work on besides those that Redis lists.
    pub monitors: Vec<String>,
    /// What is logged: a level, or levels by target.
    pub log: String,
    /// What is chosen for each monitor.
    pub choices: ByMonitor,
    /// How incidents become notifications.
    pub notify: NotifySettings,
    /// Where notifications go, by name.
    pub sinks: BTreeMap<String, SinkSettings>,
    /// Who may what over HTTP.
    pub http: HttpSettings,
}
