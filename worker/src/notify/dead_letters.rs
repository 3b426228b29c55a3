//! What a sink never took.

use crate::notify::clock::now_ms;
use eddyline_wire::notification::Notification;
use eddyline_wire::text::utf8;

/// Dead letters that are kept.
pub(super) const KEPT: usize = 10_000;
const LONGEST_ERROR: usize = 1024;

/// A notification that is given up.
#[derive(Debug)]
pub(super) struct DeadLetter {
    pub id: String,
    json: String,
    pub error: String,
    pub attempts: u32,
}

impl DeadLetter {
    /// It was tried so often, and failed with `error` in the end.
    pub(super) fn of(notification: &Notification, attempts: u32, error: &str) -> Self {
        let error = utf8(error.as_bytes(), LONGEST_ERROR);
        Self { id: notification.id.clone(), json: notification.to_json(), error, attempts }
    }

    /// An entry that is no notification.
    pub(super) fn unreadable(fields: &[Vec<u8>], why: &str) -> Self {
        let json = json(fields).map(|json| String::from_utf8_lossy(json).into_owned()).unwrap_or_default();
        Self { id: String::new(), json, error: utf8(why.as_bytes(), LONGEST_ERROR), attempts: 0 }
    }

    /// Fields and values as they stand in the stream.
    pub(super) fn fields(&self, sink: &str) -> Vec<String> {
        let pairs = [
            ("sink", sink.to_owned()),
            ("id", self.id.clone()),
            ("error", self.error.clone()),
            ("attempts", self.attempts.to_string()),
            ("at", now_ms().to_string()),
            ("notification", self.json.clone()),
        ];
        pairs.into_iter().flat_map(|(field, value)| [field.to_owned(), value]).collect()
    }
}

/// The notification in an entry's fields.
pub(super) fn json(fields: &[Vec<u8>]) -> Option<&[u8]> {
    let pairs = fields.as_chunks::<2>().0;
    pairs.iter().find(|[field, _]| field == b"notification").map(|[_, json]| json.as_slice())
}
