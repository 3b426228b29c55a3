//! Where notifications go: a file for each kind of receiver, behind one trait.

pub mod settings;
pub mod trial;

use eddyline_wire::notification::Notification;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

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
