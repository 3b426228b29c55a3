//! Where notifications go: a file for each kind of receiver, behind one trait.
//!
//! What the operator chose ([`settings`]) is checked once and becomes a sink ([`make`]). Those over HTTP share one way to
//! post; what people read is put into words once; the guard keeps all of them from addresses that aren't public.

pub mod command;
pub mod settings;
pub mod trial;

mod alertmanager;
mod cloudevents;
mod email;
mod guard;
mod hidden;
mod http;
mod link;
mod pagerduty;
mod slack;
mod slim;
mod stdout;
mod story;
mod webhook;

use eddyline_wire::notification::Notification;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use alertmanager::Alertmanager;
use cloudevents::CloudEvents;
use email::Email;
use link::Link;
use pagerduty::PagerDuty;
use settings::{Receiver, SinkSettings};
use slack::Slack;
use stdout::Stdout;
use webhook::Webhook;

const LONGEST_NAME: usize = 64;

/// Why a receiver didn't take a notification. Shows no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// Later it may: no connection, 429, 5xx. Not before `after`, where the receiver says so.
    #[error("{why}")]
    Later {
        /// What happened.
        why: String,
        /// What the receiver asks for.
        after: Option<Duration>,
    },
    /// It never will: the receiver says that the request is wrong.
    #[error("{0}")]
    Never(String),
}

/// What a delivery comes to.
pub type Delivery<'a> = Pin<Box<dyn Future<Output = Result<(), SinkError>> + Send + 'a>>;

/// A receiver of notifications.
pub trait Sink: fmt::Debug + Send + Sync {
    /// Sends it. A receiver may get the same one twice, under the same `id`.
    fn send<'a>(&'a self, notification: &'a Notification) -> Delivery<'a>;

    /// Receivers that forget what isn't repeated get the last notification of every open group this often.
    fn repeats_every(&self) -> Option<Duration> {
        None
    }
}

/// Settings of which no sink can be made. Shows no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("sink {sink}: {why}")]
pub struct Refused {
    sink: String,
    pub(crate) why: String,
}

/// The sink that `settings` describe. Connects to nothing.
///
/// # Errors
/// What is wrong with which setting.
pub fn make(name: &str, settings: &SinkSettings) -> Result<Arc<dyn Sink>, Refused> {
    let refused = |why| Refused { sink: name.escape_debug().to_string(), why };
    if !(1..=LONGEST_NAME).contains(&name.len())
        || !name.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c))
    {
        return Err(refused(format!("a sink's name is 1 to {LONGEST_NAME} letters, digits, - and _")));
    }
    receiver(settings).map_err(refused)
}

fn receiver(settings: &SinkSettings) -> Result<Arc<dyn Sink>, String> {
    let shared = &settings.shared;
    let link = shared.link.as_deref().map(Link::new).transpose()?;
    Ok(match &settings.receiver {
        Receiver::Slack(own) => Arc::new(Slack::new(own, shared, link)?),
        Receiver::Webhook(own) => Arc::new(Webhook::new(own, shared)?),
        Receiver::Alertmanager(own) => Arc::new(Alertmanager::new(own, shared, link)?),
        Receiver::PagerDuty(own) => Arc::new(PagerDuty::new(own, shared, link)?),
        Receiver::CloudEvents(own) => Arc::new(CloudEvents::new(own, shared)?),
        Receiver::Email(own) => Arc::new(Email::new(own, shared, link)?),
        Receiver::Stdout(_) => Arc::new(Stdout::new(shared.timeout.0)?),
    })
}
